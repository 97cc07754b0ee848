//! The personal values of one tenant, found by what they say: a record is written at the same cost however many people there
//! are. What is done with a value that was found is the parent's.

use super::{PersonRow, SHORTEST_NAME, is_tag, is_word};
use std::collections::HashMap;

/// What may stand inside an address beside letters and digits.
const INNER: &str = ".-_+%";

/// The rows in their order, and where to look for them.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<PersonRow>,
    /// By the value, letter for letter.
    of_value: HashMap<String, Vec<usize>>,
    /// By the value as addresses are compared.
    of_address: HashMap<String, Vec<usize>>,
    /// Names by their first word, addresses by what stands before anything that no word holds, in small letters.
    names: HashMap<String, Vec<usize>>,
    addresses: HashMap<String, Vec<usize>>,
    /// Values that begin with no letter or digit.
    odd: Vec<usize>,
}

/// Where a known value stands in a text.
pub(super) struct Found<'a> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) row: &'a PersonRow,
}

impl Rows {
    pub(super) fn of(rows: Vec<PersonRow>) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|row| all.push(row));
        all
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn from(&self, first: usize) -> &[PersonRow] {
        &self.rows[first..]
    }

    /// Those with this very value, the oldest first.
    pub(super) fn with_value(&self, value: &str) -> impl Iterator<Item = &PersonRow> {
        self.of_value.get(value).into_iter().flatten().map(|at| &self.rows[*at])
    }

    /// The oldest with this address, in whatever case.
    pub(super) fn with_address(&self, address: &str) -> Option<&PersonRow> {
        self.of_address.get(&compared(address)).and_then(|places| places.first()).map(|at| &self.rows[*at])
    }

    pub(super) fn push(&mut self, row: PersonRow) {
        let at = self.rows.len();
        self.of_value.entry(row.value.clone()).or_default().push(at);
        self.of_address.entry(compared(&row.value)).or_default().push(at);
        if let Some(places) = self.places_of(&row) {
            places.push(at);
        }
        self.rows.push(row);
    }

    /// Forgets all but the first so many.
    pub(super) fn truncate(&mut self, count: usize) {
        while self.rows.len() > count
            && let Some(row) = self.rows.pop()
        {
            let at = self.rows.len();
            let places = [self.of_value.get_mut(&row.value), self.of_address.get_mut(&compared(&row.value))];
            places.into_iter().flatten().for_each(|places| places.retain(|place| *place != at));
            if let Some(places) = self.places_of(&row) {
                places.retain(|place| *place != at);
            }
        }
    }

    /// Where a row is looked for in texts. Lines that somebody wrote are nobody's name, and there may be very many of them.
    fn places_of(&mut self, row: &PersonRow) -> Option<&mut Vec<usize>> {
        if row.value.starts_with("> ") {
            return None;
        }
        let is_name = !row.is_address();
        let value = if is_name { row.value.clone() } else { row.value.to_ascii_lowercase() };
        let inner = if is_name { "" } else { INNER };
        Some(match (words(&value, inner).next(), is_name) {
            (Some((0, word)), true) => self.names.entry(word.to_owned()).or_default(),
            (Some((0, word)), false) => self.addresses.entry(word.to_owned()).or_default(),
            _ => &mut self.odd,
        })
    }

    /// Where values that are known stand in a text: addresses in any case, names as words of their own.
    pub(super) fn known_in(&self, text: &str, names: bool) -> Vec<Found<'_>> {
        let mut found: Vec<(usize, usize, usize)> = Vec::new();
        let lower = text.to_ascii_lowercase();
        let has_space = text.contains(char::is_whitespace);
        let mut address = |at: usize, from: usize| {
            let to = from + self.rows[at].value.len();
            if is_word(text, from, to, INNER) {
                found.push((at, from, to));
            }
        };
        for (from, word) in words(&lower, INNER) {
            for at in self.addresses.get(word).into_iter().flatten() {
                let value = self.rows[*at].value.as_bytes();
                let there = lower.as_bytes().get(from..from + value.len());
                if there.is_some_and(|there| there.eq_ignore_ascii_case(value)) {
                    address(*at, from);
                }
            }
        }
        for at in self.odd.iter().filter(|at| self.rows[**at].is_address()) {
            let wanted = self.rows[*at].value.to_ascii_lowercase();
            begins(&lower, &wanted).for_each(|from| address(*at, from));
        }
        if names && !is_tag(text) {
            let whole = self.of_value.get(text).into_iter().flatten();
            let is_name = |at: &&usize| !self.rows[**at].is_address() && !text.starts_with("> ");
            found.extend(whole.filter(is_name).map(|at| (*at, 0, text.len())));
        }
        if names && has_space {
            let mut name = |at: usize, from: usize| {
                let value = &self.rows[at].value;
                let to = from + value.len();
                let is_part = value.len() < text.len() && value.chars().count() >= SHORTEST_NAME;
                if is_part && is_word(text, from, to, "") {
                    found.push((at, from, to));
                }
            };
            for (from, word) in words(text, "") {
                for at in self.names.get(word).into_iter().flatten() {
                    if text[from..].starts_with(&self.rows[*at].value) {
                        name(*at, from);
                    }
                }
            }
            for at in self.odd.iter().filter(|at| !self.rows[**at].is_address()) {
                begins(text, &self.rows[*at].value).for_each(|from| name(*at, from));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(at, from, to)| Found { from, to, row: &self.rows[at] }).collect()
    }
}

/// Where a value begins in a text, over another of it too.
fn begins<'a>(text: &'a str, value: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.char_indices().map(|(at, _)| at).filter(move |at| text[*at..].starts_with(value))
}

/// As addresses are compared.
fn compared(value: &str) -> String {
    value.trim().to_lowercase()
}

/// The longest stretches of letters, digits and what may stand inside, each with where it begins.
fn words<'a>(text: &'a str, inner: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let part = move |c: char| c.is_alphanumeric() || inner.contains(c);
    let mut at = 0;
    std::iter::from_fn(move || {
        let from = at + text[at..].find(part)?;
        let to = text[from..].find(|c| !part(c)).map_or(text.len(), |length| from + length);
        at = to;
        Some((from, &text[from..to]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(value: &str) -> PersonRow {
        let (token, tenant, nonce) = (String::new(), "t1".into(), String::new());
        PersonRow { token, tenant, person: value.into(), nonce, value: value.into() }
    }

    /// Every value is looked for everywhere.
    fn by_scan(rows: &[PersonRow], text: &str, names: bool) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        let has_space = text.contains(char::is_whitespace);
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| !row.value.starts_with("> ")) {
            let length = row.value.len();
            if row.is_address() {
                let (lower, value) = (text.to_ascii_lowercase(), row.value.to_ascii_lowercase());
                for from in begins(&lower, &value) {
                    if is_word(text, from, from + length, INNER) {
                        found.push((at, from, from + length));
                    }
                }
            } else if names && text == row.value && !is_tag(text) {
                found.push((at, 0, length));
            } else if names && has_space && row.value.chars().count() >= SHORTEST_NAME {
                for from in begins(text, &row.value) {
                    if is_word(text, from, from + length, "") {
                        found.push((at, from, from + length));
                    }
                }
            }
        }
        found.sort_unstable();
        found
    }

    proptest! {
        #[test]
        fn what_is_found_by_its_first_word_is_what_is_found_by_looking_for_all_of_them(
            values in prop::collection::vec("[abZë(. @+-]{1,7}", 1..12),
            words in prop::collection::vec("[abZë(. @+-]{0,5}", 0..6),
            picked in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            joint in "[ .,<(@]{1,2}",
            names in any::<bool>(),
        ) {
            let rows: Vec<PersonRow> = values.iter().filter(|value| !value.is_empty()).map(|value| row(value)).collect();
            let mut parts = words;
            parts.extend(picked.iter().map(|index| index.get(&values).clone()));
            for text in [parts.join(&joint), parts.last().cloned().unwrap_or_default()] {
                let of = Rows::of(rows.clone());
                let found: Vec<_> = of.known_in(&text, names).into_iter().map(|f| (f.row.value.clone(), f.from, f.to)).collect();
                let wanted: Vec<_> =
                    by_scan(&rows, &text, names).into_iter().map(|(at, from, to)| (rows[at].value.clone(), from, to)).collect();
                prop_assert_eq!(found, wanted, "in {:?}", text);
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_found_no_more() {
        let mut rows = Rows::of(vec![row("Ada Lovelace"), row("ada@x.example")]);
        rows.push(row("Ada Lovelace"));
        rows.push(row("Bob"));
        rows.truncate(2);
        assert_eq!((rows.len(), rows.with_value("Ada Lovelace").count()), (2, 1));
        assert!(rows.with_value("Bob").next().is_none() && rows.with_address("ADA@x.example").is_some());
        assert_eq!(rows.known_in("to Bob and Ada Lovelace", true).len(), 1);
    }
}
