//! A text in sentences, as far as a judgement needs them: by marks and by lines.

use super::moment::{is_month, weekday};
use super::words::{fold, tokens};

/// Lines and sentences. A line that is full goes on in the next one.
pub fn split(text: &str) -> Vec<String> {
    let mut joined = String::new();
    for line in text.lines().map(str::trim) {
        // Signed for a company, in German.
        let line = ["i. V. ", "i. A. ", "i.V. ", "i.A. ", "ppa. "]
            .iter()
            .find_map(|sign| line.strip_prefix(sign))
            .unwrap_or(line);
        let full = joined.rsplit('\n').next().is_some_and(|last| last.chars().count() >= 55);
        let goes_on = line.chars().next().is_some_and(|c| c.is_lowercase() || c.is_ascii_digit());
        joined.push(if full && goes_on { ' ' } else { '\n' });
        joined.push_str(line);
    }
    let mut pieces = Vec::new();
    for line in joined.lines() {
        let mut piece = String::new();
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            piece.push(c);
            let next = rest.peek().copied().unwrap_or(' ');
            let ends = match c {
                '–' | '—' if is_range(&piece, rest.clone()) => false,
                '!' | '?' | ';' | '…' | '¡' | '¿' | '–' | '—' => !matches!(next, '!' | '?' | '.' | '…'),
                '.' => {
                    next.is_whitespace()
                        && !piece.ends_with("..")
                        && !is_ordinal(&piece, rest.clone())
                        && !is_short(&piece, rest.clone())
                }
                ':' => next.is_whitespace() && tokens(&piece).len() < 2,
                '-' => next.is_whitespace() && !is_range(&piece, rest.clone()),
                _ => false,
            };
            if ends {
                pieces.push(std::mem::take(&mut piece));
            }
        }
        pieces.push(piece);
    }
    pieces.retain(|piece| piece.chars().any(|c| c.is_alphanumeric() || c == '?' || c == '…'));
    pieces
}

/// `5. Dezember`: the dot ends no sentence.
fn is_ordinal(piece: &str, rest: impl Iterator<Item = char>) -> bool {
    let number = piece.trim_end_matches('.').ends_with(|c: char| c.is_ascii_digit());
    let word: String = rest.skip_while(|c| c.is_whitespace()).take_while(|c| c.is_alphabetic()).collect();
    // `am 5.12. von 23 Uhr`
    let date = piece.rsplit(' ').next().is_some_and(|last| {
        let groups: Vec<&str> = last.trim_end_matches('.').split('.').collect();
        let digits = |group: &&str| (1..=2).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit());
        groups.len() == 2 && groups.iter().all(digits)
    });
    number && (is_month(&fold(&word)) || date && word.starts_with(char::is_lowercase))
}

/// `Herr Dr. Weber`, `10 p.m. is fine`: a word that is cut ends no sentence.
fn is_short(piece: &str, rest: impl Iterator<Item = char>) -> bool {
    const TITLES: [&str; 18] = [
        "dr.", "prof.", "mag.", "ing.", "dipl.", "mr.", "mrs.", "ms.", "hr.", "fr.", "mme.", "mlle.", "sr.", "sra.",
        "dra.", "st.", "nr.", "no.",
    ];
    let word = fold(piece.rsplit(' ').next().unwrap_or_default());
    let mut rest = rest;
    let next = rest.find(|c| !c.is_whitespace() && *c != '-' && *c != '–');
    if ["ref.", "inh.", "pol.", "av.", "avda.", "col.", "lic.", "abt."].contains(&word.as_str()) {
        return next.is_some();
    }
    // `mar. 01/12`
    let day = word.len() <= 5 && (word == "mar." || weekday(word.trim_end_matches('.')).is_some());
    if day && next.is_some_and(|c| c.is_ascii_digit()) {
        return true;
    }
    let half = ["p.m.", "a.m."].iter().any(|half| word.ends_with(half));
    TITLES.contains(&word.as_str()) && next.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
        || half && next.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
}

/// `23 h - 24 h`: the dash stands between two times.
fn is_range(piece: &str, mut rest: impl Iterator<Item = char>) -> bool {
    let before = piece.trim_end_matches(['-', '–', '—', ' ']);
    let digit = |word: &str| word.trim_start_matches(['(', '[']).starts_with(|c: char| c.is_ascii_digit());
    let before = before.rsplit(' ').take(2).any(digit);
    before && rest.find(|c| !c.is_whitespace()).is_some_and(|c| c.is_ascii_digit())
}
