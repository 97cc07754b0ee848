//! The operators whose signatures count: an `allowed_signers` file as git and `ssh-keygen -Y verify` use it.
//!
//! Pure: who may write the file, and reading it, is an adapter's business. Format: ssh-keygen(1), ALLOWED SIGNERS.

use crate::domain::sanitize::sanitize;
use crate::domain::signature::{NAMESPACE, SignerKey};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::Serialize;

/// Somebody who has signed, as the list names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The person: the first name under which the list has them, whichever of their keys they used.
    pub person: String,
    /// The key's fingerprint.
    pub key: SignerKey,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    lines: Vec<Line>,
    passed_over: Vec<String>,
}

/// One key of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    names: Vec<String>,
    person: String,
    key: SignerKey,
    namespaces: Option<String>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Signers {
    /// Reads a list; `zone` is the one in which its moments are meant that don't end in `Z`.
    ///
    /// Lines that are right but can't be used here (other kinds of keys, authorities, patterns in place of names) are passed
    /// over. Errors: a line that can't be read. Nothing of such a list counts, for what it meant is not known.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, String> {
        let mut list = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match read(line, zone).map_err(|why| format!("line {number} {why}"))? {
                Ok(line) => list.lines.push(line),
                Err(why) => list.passed_over.push(format!("line {number} {why}")),
            }
        }
        list.join();
        Ok(list)
    }

    /// Lines that share a name or a key are one person: nobody is two by being listed twice.
    fn join(&mut self) {
        loop {
            let mut joined = false;
            for a in 0..self.lines.len() {
                for b in 0..a {
                    let (one, other) = (&self.lines[a], &self.lines[b]);
                    let same = one.key == other.key || one.names.iter().any(|name| other.names.contains(name));
                    if same && one.person != other.person {
                        let (from, to) = (one.person.clone(), other.person.clone());
                        self.lines.iter_mut().filter(|line| line.person == from).for_each(|l| l.person.clone_from(&to));
                        joined = true;
                    }
                }
            }
            if !joined {
                return;
            }
        }
    }

    /// Whose key this is, if it counts at this moment. Errors say why not.
    pub fn who(&self, key: &SignerKey, now: Timestamp) -> Result<Signer, String> {
        let mut why = format!("{key} is not in the list of signers");
        for line in self.lines.iter().filter(|line| line.key == *key) {
            match line.counts(now) {
                Ok(()) => return Ok(Signer { person: line.person.clone(), key: key.clone() }),
                Err(reason) => why = format!("the key {key} of {} {reason}", line.person),
            }
        }
        Err(why)
    }

    /// Whose key this is, whether it counts now or not: for telling what happened earlier.
    pub fn name_of(&self, key: &SignerKey) -> Option<&str> {
        self.lines.iter().find(|line| line.key == *key).map(|line| line.person.as_str())
    }

    /// What could not be used, a line each.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// How many different people can sign at this moment.
    pub fn people(&self, now: Timestamp) -> usize {
        let mut people: Vec<&str> =
            self.lines.iter().filter(|line| line.counts(now).is_ok()).map(|line| line.person.as_str()).collect();
        people.sort_unstable();
        people.dedup();
        people.len()
    }
}

impl Line {
    fn counts(&self, now: Timestamp) -> Result<(), String> {
        let told = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%M UTC");
        if self.namespaces.as_ref().is_some_and(|patterns| !matches_list(patterns, NAMESPACE)) {
            return Err(format!("is not listed for {NAMESPACE}"));
        }
        match (self.after, self.before) {
            (Some(after), _) if now < after => Err(format!("is valid only from {}", told(after))),
            (_, Some(before)) if now > before => Err(format!("was valid until {}", told(before))),
            _ => Ok(()),
        }
    }
}

/// The outer error is a line that can't be read, the inner one a line that is passed over.
fn read(line: &str, zone: &TimeZone) -> Result<Result<Line, String>, String> {
    let (names, rest) = word(line)?;
    let names: Vec<String> = names.split(',').map(str::to_owned).collect();
    if names.iter().any(|name| name.is_empty() || sanitize(name) != *name) {
        return Err("has an empty or unreadable name".into());
    }
    let (options, key) = if is_kind(rest) { (String::new(), rest) } else { word(rest)? };
    let (mut namespaces, mut after, mut before, mut authority) = (None, None, None, false);
    for option in split_options(&options) {
        let (name, value) = option.split_once('=').map_or((option.as_str(), None), |(name, value)| (name, Some(value)));
        match (name.to_ascii_lowercase().as_str(), value) {
            ("cert-authority", None) => authority = true,
            ("namespaces", Some(value)) => namespaces = Some(value.to_owned()),
            ("valid-after", Some(value)) => after = Some(moment(value, zone)?),
            ("valid-before", Some(value)) => before = Some(moment(value, zone)?),
            _ => return Err(format!("has an option that is not known: {}", sanitize(&option))),
        }
    }
    if after.zip(before).is_some_and(|(after, before)| before <= after) {
        return Err("ends before it begins".into());
    }
    if authority {
        return Ok(Err("is a certificate authority: certificates are not taken, list the keys themselves".into()));
    }
    if let Some(pattern) = names.iter().find(|name| name.contains(['*', '?', '!'])) {
        return Ok(Err(format!("names no person but a pattern ({pattern}): list each person by name")));
    }
    let kind = key.split(' ').next().unwrap_or_default();
    if !is_kind(key) {
        return Err("holds no key".into());
    }
    if !TAKEN.contains(&kind) {
        return Ok(Err(format!("is a key of a kind that is not taken here ({kind}); use ed25519")));
    }
    let (person, key) = (names[0].clone(), SignerKey::parse(key)?);
    Ok(Ok(Line { names, person, key, namespaces, after, before }))
}

/// The kinds of keys that are taken, as they are written.
const TAKEN: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// Whether a key begins here, not its options.
fn is_kind(text: &str) -> bool {
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    !word.contains('=') && ["ssh-", "ecdsa-", "sk-"].iter().any(|begin| word.starts_with(begin))
}

/// The first word, quotes taken off, and what follows.
fn word(text: &str) -> Result<(String, &str), String> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                let first = &text[..at];
                // The names may stand in quotes as a whole; in options each value does.
                let bare = first.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(first);
                return Ok((bare.to_owned(), text[at..].trim_start()));
            }
            _ => {}
        }
    }
    Err(if quoted { "has a quote without an end".into() } else { "ends before its key".into() })
}

/// Options are parted by commas outside of quotes; the quotes are taken off.
fn split_options(text: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in text.chars() {
        match (c, parts.last_mut()) {
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// `YYYYMMDD[Z]` or `YYYYMMDDHHMM[SS][Z]`.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let wrong = || {
        format!("has a moment that can't be read: {}; write YYYYMMDD or YYYYMMDDHHMM[SS], Z for UTC", sanitize(text))
    };
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, &TimeZone::UTC),
        None => (text, zone),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i8>().ok());
    let year = digits.get(..4).and_then(|year| year.parse::<i16>().ok());
    let date = match (year, part(4, 6), part(6, 8)) {
        (Some(year), Some(month), Some(day)) => Date::new(year, month, day).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    let (hour, minute, second) = match digits.len() {
        8 => (Some(0), Some(0), Some(0)),
        12 => (part(8, 10), part(10, 12), Some(0)),
        14 => (part(8, 10), part(10, 12), part(12, 14)),
        _ => return Err(wrong()),
    };
    let (Some(hour), Some(minute), Some(second)) = (hour, minute, second) else { return Err(wrong()) };
    let time = Time::new(hour, minute, second, 0).map_err(|_| wrong())?;
    zone.to_ambiguous_timestamp(DateTime::from_parts(date, time)).compatible().map_err(|_| wrong())
}

/// A pattern-list of ssh_config(5): some pattern matches, and none that begins with `!` does.
fn matches_list(patterns: &str, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches_glob(pattern.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= matches_glob(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// `*` is any text, `?` any one character. Linear in the text for each `*`.
fn matches_glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + 1),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
#[path = "signers_tests.rs"]
mod tests;
