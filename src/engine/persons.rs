//! Personal values (mail addresses, names of clients) stand in the journal as tokens, so that one person can be erased
//! without breaking the chain: the chain covers the tokens, the values rest in a table of their own.
//!
//! A token is a commitment (SHA-256) to its value and a random nonce that rests beside the value: a changed value is
//! noticed, and once value and nonce are gone the token says nothing. Pure: storing is the journal's.

mod index;
pub mod mentions;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::audit::hex;
use crate::engine::record::{Entry, Record};
use index::{Found, Rows};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A token in a text is `⟨` + 32 hex digits + `⟩`; a `⟨` that somebody wrote stands twice.
const OPEN: char = '⟨';
const CLOSE: char = '⟩';
/// Hex digits of a token.
const DIGITS: usize = 32;
/// Names shorter than this are replaced in the list of clients only: in a text they would hit ordinary words.
const SHORTEST_NAME: usize = 3;
/// Who acted is told as it was; Message-IDs look like addresses and are none.
const PLAIN: [&str; 11] = [
    "act",
    "by",
    "environment",
    "host",
    "person",
    "ssh",
    "message_id",
    "in_reply_to",
    "session",
    "digest",
    "signature",
];

/// One personal value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// What stands in the texts: 32 hex digits.
    pub token: String,
    /// In whose journal.
    pub tenant: String,
    /// Binds the values of one person to one another: addresses, spellings, names.
    pub person: String,
    /// 32 random hex digits.
    pub nonce: String,
    /// The value.
    pub value: String,
}

impl PersonRow {
    fn commitment(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"changeguard personal value 1\n");
        for part in [&self.tenant, &self.person, &self.nonce, &self.value] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hex(&hasher.finalize())[..DIGITS].to_owned()
    }

    /// Whether the token is the commitment to this value.
    pub fn is_what_was_written(&self) -> bool {
        self.token == self.commitment()
    }

    fn is_address(&self) -> bool {
        self.value.contains('@')
    }
}

/// Addresses are the same whatever their case.
pub fn same_address(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// Gives 16 random bytes.
pub type Random = fn() -> Result<[u8; 16], Fault>;

/// The personal values of one tenant, and those that were newly found.
pub struct Persons {
    tenant: String,
    rows: Rows,
    known: usize,
    random: Random,
    /// A name was hidden somewhere in a text of the present record.
    is_named: bool,
}

impl Persons {
    /// What the journal of a tenant knows already.
    pub fn new(tenant: &str, rows: Vec<PersonRow>, random: Random) -> Self {
        Self { tenant: tenant.to_owned(), known: rows.len(), rows: Rows::of(rows), random, is_named: false }
    }

    /// Those that were not known before and must be stored with the text.
    pub fn fresh(&self) -> &[PersonRow] {
        self.rows.from(self.known)
    }

    /// Those that were fresh are stored now.
    pub fn stored(&mut self) {
        self.known = self.rows.len();
    }

    /// The entry as JSON with a token in place of every personal value.
    pub fn hide(&mut self, entry: &Entry) -> Result<String, Fault> {
        let invalid = |error: serde_json::Error| {
            let text = format!("record {} can't be written as JSON: {error}", entry.seq);
            Fault::new(Service::Journal, FaultKind::Invalid, text)
        };
        for names in [true, false] {
            let before = self.rows.len();
            self.is_named = false;
            let mut value = serde_json::to_value(entry).map_err(invalid)?;
            let evidence = self.evidence(entry, &mut value)?;
            self.walk(&mut value, "", names)?;
            if let Some(evidence) = evidence {
                value["record"]["evidence"] = evidence;
            }
            let text = value.to_string();
            // A record must be readable after every erasure. A name that hits what is no text would prevent that; an address
            // hits nothing else.
            if !self.is_named || serde_json::from_str::<Entry>(&restore(&text, &|_| None)).is_ok() {
                return Ok(text);
            }
            self.rows.truncate(before);
        }
        Err(Fault::new(Service::Journal, FaultKind::Invalid, "a record can't be written"))
    }

    /// What somebody wrote is theirs as a whole, not only the names in it.
    fn evidence(&mut self, entry: &Entry, value: &mut Value) -> Result<Option<Value>, Fault> {
        let from = match &entry.record {
            Record::MailRead { from, .. } => from.clone(),
            // What somebody has answered in a case.
            Record::Case(body) if body.word() == "answered" => {
                value["record"]["from"].as_str().unwrap_or_default().to_owned()
            }
            _ => return Ok(None),
        };
        let person = match from.is_empty() {
            true => None,
            false => Some(self.token(&from, None)?.person),
        };
        let Some(Value::Array(mut lines)) = value["record"].get_mut("evidence").map(Value::take) else {
            return Ok(None);
        };
        for line in &mut lines {
            let Value::String(text) = line else { continue };
            let token = self.token(text, person.clone())?.token;
            *line = Value::String(format!("{OPEN}{token}{CLOSE}"));
        }
        Ok(Some(Value::Array(lines)))
    }

    /// Any JSON text, such as a record of an older journal that this program can't understand.
    pub fn hide_text(&mut self, text: &str) -> Result<String, Fault> {
        if let Ok(entry) = serde_json::from_str::<Entry>(text) {
            return self.hide(&entry);
        }
        Ok(escape(text))
    }

    fn walk(&mut self, value: &mut Value, key: &str, names: bool) -> Result<(), Fault> {
        match value {
            Value::String(text) => *text = self.replace(text, key, names)?,
            Value::Array(items) if key == "clients" => {
                for item in items {
                    self.client(item, names)?;
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.walk(item, key, names)?;
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.walk(value, key, names)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A client of `people-seen`: name, address and an id that is an address belong to one person.
    fn client(&mut self, value: &mut Value, names: bool) -> Result<(), Fault> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let (id, name, email) = (text("id"), text("name"), text("email"));
        let mut person = email.as_deref().and_then(|email| self.person_of(email));
        for address in [&email, &id].into_iter().flatten().filter(|text| text.contains('@')) {
            let row = self.token(address, person.clone())?;
            person.get_or_insert(row.person);
        }
        let is_peer = email.is_none() && id.as_deref().is_some_and(|id| id.starts_with("peer-"));
        let personal = |name: &&String| !name.is_empty() && Some(*name) != id.as_ref() && !is_peer;
        if let Some(name) = name.as_ref().filter(personal) {
            let token = self.token(name, person)?.token;
            value["name"] = Value::String(format!("{OPEN}{token}{CLOSE}"));
            if let Value::Object(fields) = value {
                for (key, value) in fields.iter_mut().filter(|(key, _)| *key != "name") {
                    self.walk(value, key, names)?;
                }
            }
            return Ok(());
        }
        self.walk(value, "client", names)
    }

    fn person_of(&self, address: &str) -> Option<String> {
        self.rows.with_address(address).map(|row| row.person.clone())
    }

    /// The row of a value, made if there is none. The exact spelling counts, so that restoring gives back every letter.
    fn token(&mut self, value: &str, person: Option<String>) -> Result<PersonRow, Fault> {
        let same = |row: &&PersonRow| person.as_ref().is_none_or(|person| row.person == *person);
        if let Some(row) = self.rows.with_value(value).find(same) {
            return Ok(row.clone());
        }
        let person = person.or_else(|| self.person_of(value).filter(|_| value.contains('@')));
        let person = match person {
            Some(person) => person,
            None => hex(&(self.random)()?),
        };
        let nonce = hex(&(self.random)()?);
        let (tenant, token) = (self.tenant.clone(), String::new());
        let mut row = PersonRow { token, tenant, person, nonce, value: value.to_owned() };
        row.token = row.commitment();
        self.rows.push(row.clone());
        Ok(row)
    }

    fn replace(&mut self, text: &str, key: &str, names: bool) -> Result<String, Fault> {
        let plain = PLAIN.contains(&key);
        let known = self.rows.known_in(text, names && !plain).into_iter();
        let span =
            |Found { from, to, row }| Span { from, to, person: Some(row.person.clone()), is_name: !row.is_address() };
        let mut found: Vec<Span> = known.map(span).collect();
        if !plain {
            found.extend(addresses(text).into_iter().map(|(from, to)| Span { from, to, person: None, is_name: false }));
        }
        // Addresses go before names; of two that overlap the first counts, of two that begin together the longer.
        found.sort_by_key(|span| (span.is_name, span.from, usize::MAX - span.to));
        let mut spans: Vec<Span> = Vec::new();
        for span in found {
            if spans.iter().all(|other| span.to <= other.from || other.to <= span.from) {
                spans.push(span);
            }
        }
        spans.sort_by_key(|span| span.from);
        self.is_named |= spans.iter().any(|span| span.is_name);
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for Span { from, to, person, .. } in spans {
            out.push_str(&escape(&text[at..from]));
            let token = self.token(&text[from..to], person)?.token;
            out.push(OPEN);
            out.push_str(&token);
            out.push(CLOSE);
            at = to;
        }
        out.push_str(&escape(&text[at..]));
        Ok(out)
    }
}

/// A part of a text that is a personal value.
struct Span {
    from: usize,
    to: usize,
    /// Whose, where that is known already.
    person: Option<String>,
    is_name: bool,
}

/// Could be the name of an enumeration's value.
fn is_tag(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether nothing that could belong to a longer word touches this part. Behind it, a dot ends a sentence.
fn is_word(text: &str, from: usize, to: usize, inner: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || inner.contains(c);
    let before = text[..from].chars().next_back().is_some_and(part);
    let mut rest = text[to..].chars();
    let after = match rest.next() {
        Some('.' | '-') if !inner.is_empty() => rest.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric(),
        None => false,
    };
    !before && !after
}

/// Everything in a text that looks like a mail address.
fn addresses(text: &str) -> Vec<(usize, usize)> {
    let local = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.match_indices('@') {
        // Nothing of the one before belongs to this one.
        let begin = found.last().map_or(0, |(_, end)| *end).min(at);
        let before = &text[begin..at];
        let inside = before.len() - before.trim_end_matches(local).len();
        let name = before[before.len() - inside..].trim_start_matches(['.', '-', '%', '+']);
        let behind = &text[at + 1..];
        let end = behind.find(|c| !domain(c)).unwrap_or(behind.len());
        let end = behind[..end].trim_end_matches(['.', '-']).len();
        if !name.is_empty() && end > 0 {
            found.push((at - name.len(), at + 1 + end));
        }
    }
    found
}

fn escape(text: &str) -> String {
    text.replace(OPEN, "⟨⟨")
}

/// Puts values back in place of their tokens. `value_of` gives none for what was erased, which then says so.
pub fn restore<'a>(text: &str, value_of: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(OPEN) {
        out.push_str(&rest[..at]);
        rest = &rest[at + OPEN.len_utf8()..];
        if let Some(behind) = rest.strip_prefix(OPEN) {
            out.push(OPEN);
            rest = behind;
        } else if let Some((token, behind)) = token_at(rest) {
            match value_of(token) {
                // The text is JSON: the value goes in as JSON has it, without its quotes.
                Some(value) => {
                    let quoted = Value::from(value).to_string();
                    out.push_str(&quoted[1..quoted.len() - 1]);
                }
                None => out.push_str(&format!("[erased {}]", &token[..8])),
            }
            rest = behind;
        } else {
            out.push(OPEN);
        }
    }
    out.push_str(rest);
    out
}

fn token_at(text: &str) -> Option<(&str, &str)> {
    let token = text.get(..DIGITS)?;
    let hex = token.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let behind = text[DIGITS..].strip_prefix(CLOSE)?;
    hex.then_some((token, behind))
}

/// The tokens in a text.
pub fn tokens_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find(OPEN)?;
            rest = &rest[at + OPEN.len_utf8()..];
            if let Some(behind) = rest.strip_prefix(OPEN) {
                rest = behind;
            } else if let Some((token, behind)) = token_at(rest) {
                rest = behind;
                return Some(token);
            }
        }
    })
}

/// The values of a tenant by their tokens.
pub fn by_token(rows: &[PersonRow]) -> HashMap<&str, &PersonRow> {
    rows.iter().map(|row| (row.token.as_str(), row)).collect()
}
