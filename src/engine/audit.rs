//! The chain that binds a tenant's records to one another, and what can be said of it: intact, or which record is wrong.
//!
//! Pure: the rows come from the journal's store. Each link is SHA-256 over the hash before it and every column of the
//! record, so that no bit of a record, its place or its number can change without the rest of the chain saying so.
//! Somebody who can rewrite the whole chain is found by a head that was kept elsewhere (`audit head`).

use crate::engine::persons::{PersonRow, tokens_in};
use crate::engine::witness::Recovery;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// The begin of a hashed text: another use of SHA-256 over the same bytes can't be mistaken for a link.
const LINK: &[u8] = b"changeguard journal link 1\n";
const GENESIS: &[u8] = b"changeguard journal chain 1\n";

/// One stored record, all columns as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whose chain.
    pub tenant: String,
    /// The place in it, from 1.
    pub position: i64,
    /// The rotation (or the tenant's lease log).
    pub rotation: String,
    /// The number within it.
    pub seq: i64,
    /// The version in which the record was written.
    pub version: i64,
    /// The fence under which it was written; 0 for a line of the lease log.
    pub fence: i64,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// The entry as JSON, personal values replaced by tokens.
    pub text: String,
    /// The link's hash, 64 hex digits.
    pub hash: String,
}

/// A row of the rotations' table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationRow {
    /// The id.
    pub rotation: String,
    /// Whose.
    pub tenant: String,
    /// The moment of its first record, ms since 1970.
    pub began_ms: i64,
    /// The number of its last record.
    pub last_seq: i64,
}

/// Where a tenant's chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRow {
    /// Whose.
    pub tenant: String,
    /// The place of the last record.
    pub position: i64,
    /// Its hash.
    pub hash: String,
    /// How many records were there before the chain was: for those it proves only what was done to them since.
    pub imported: i64,
}

/// The fence that a tenant's lease has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// Whose.
    pub tenant: String,
    /// The fence.
    pub fence: i64,
}

/// Everything that is stored, of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Every record, in any order.
    pub records: Vec<Row>,
    /// Every rotation.
    pub rotations: Vec<RotationRow>,
    /// Every head.
    pub chains: Vec<ChainRow>,
    /// Every lease.
    pub leases: Vec<LeaseRow>,
    /// Every personal value.
    pub persons: Vec<PersonRow>,
}

/// The head of a tenant's chain, to be kept elsewhere: `TENANT:POSITION:HASH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Whose.
    pub tenant: String,
    /// The place of the record.
    pub position: i64,
    /// Its hash, 64 hex digits.
    pub hash: String,
    /// The recoveries that lay before it, where that is known.
    #[serde(skip)]
    pub behind: Vec<Recovery>,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.tenant, self.position, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is not a head; `changeguard audit head` prints TENANT:POSITION:HASH");
        let mut parts = text.trim().split(':');
        let (Some(tenant), Some(position), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let position: i64 = position.parse().map_err(|_| wrong())?;
        let hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if tenant.is_empty() || position < 1 || !hex {
            return Err(wrong());
        }
        Ok(Self { tenant: tenant.to_owned(), position, hash: hash.to_ascii_lowercase(), behind: Vec::new() })
    }
}

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A record is not what was written.
    Changed,
    /// A record between others is gone.
    Missing,
    /// A record stands in another's place.
    Reordered,
    /// The last records are gone.
    TailCutOff,
    /// The head does not belong to the last record.
    HeadChanged,
    /// The tables about rotations or leases don't fit the records.
    Inconsistent,
    /// A personal value is not what was written, or is gone without having been erased.
    PersonChanged,
    /// The head that was kept elsewhere is not part of this chain.
    NotAsExpected,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Changed => "changed",
            Kind::Missing => "missing",
            Kind::Reordered => "reordered",
            Kind::TailCutOff => "tail cut off",
            Kind::HeadChanged => "head changed",
            Kind::Inconsistent => "inconsistent",
            Kind::PersonChanged => "personal value changed",
            Kind::NotAsExpected => "not as expected",
        }
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind.
    pub kind: Kind,
    /// The rotation of the record, where one can be named.
    pub rotation: Option<String>,
    /// The record's number in it.
    pub seq: Option<i64>,
    /// Its place in the chain.
    pub position: Option<i64>,
    /// In words.
    pub text: String,
}

impl Finding {
    fn at(kind: Kind, row: &Row, text: impl Into<String>) -> Self {
        let (rotation, seq) = (Some(row.rotation.clone()), Some(row.seq));
        Self { kind, rotation, seq, position: Some(row.position), text: text.into() }
    }

    fn of(kind: Kind, position: Option<i64>, text: impl Into<String>) -> Self {
        Self { kind, rotation: None, seq: None, position, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind.word())?;
        if let (Some(rotation), Some(seq)) = (&self.rotation, self.seq) {
            write!(f, "record {seq} of rotation {rotation}")?;
            if let Some(position) = self.position {
                write!(f, " (position {position})")?;
            }
            write!(f, ": ")?;
        } else if let Some(position) = self.position {
            write!(f, "position {position}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// What is true of one tenant's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whose.
    pub tenant: String,
    /// How many records there are.
    pub records: usize,
    /// How many of them are older than the chain.
    pub imported: i64,
    /// The head, as stored.
    pub head: Option<Head>,
    /// The first thing that is wrong; none: intact.
    pub finding: Option<Finding>,
}

fn part(hasher: &mut Sha256, bytes: &[u8]) {
    // The length first: no two lists of columns give the same bytes.
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

/// Bytes as hex digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

/// What stands before a tenant's first record: binds the chain to the tenant and to what was imported.
pub fn genesis(tenant: &str, imported: i64) -> String {
    let mut hasher = Sha256::new();
    hasher.update(GENESIS);
    part(&mut hasher, tenant.as_bytes());
    part(&mut hasher, &imported.to_be_bytes());
    hex(&hasher.finalize())
}

/// The hash of a record behind `previous`; the row's own `hash` does not go in.
pub fn link(previous: &str, row: &Row) -> String {
    let mut hasher = Sha256::new();
    hasher.update(LINK);
    part(&mut hasher, previous.as_bytes());
    part(&mut hasher, row.tenant.as_bytes());
    part(&mut hasher, &row.position.to_be_bytes());
    part(&mut hasher, row.rotation.as_bytes());
    for number in [row.seq, row.version, row.fence, row.at_ms] {
        part(&mut hasher, &number.to_be_bytes());
    }
    part(&mut hasher, row.text.as_bytes());
    hex(&hasher.finalize())
}

/// Judges every tenant's chain, or only one's. `expected` are heads that were kept elsewhere.
pub fn verify(tables: &Tables, only: Option<&str>, expected: &[Head]) -> Vec<Verdict> {
    let mut tenants: BTreeSet<&str> = tables.records.iter().map(|row| row.tenant.as_str()).collect();
    tenants.extend(tables.chains.iter().map(|chain| chain.tenant.as_str()));
    tenants.extend(tables.rotations.iter().map(|rotation| rotation.tenant.as_str()));
    tenants.extend(tables.persons.iter().map(|person| person.tenant.as_str()));
    tenants.extend(expected.iter().map(|head| head.tenant.as_str()));
    tenants.extend(only);
    let wanted = tenants.into_iter().filter(|tenant| only.is_none_or(|only| only == *tenant));
    wanted.map(|tenant| verify_tenant(tables, tenant, expected)).collect()
}

fn verify_tenant(tables: &Tables, tenant: &str, expected: &[Head]) -> Verdict {
    let mut rows: Vec<&Row> = tables.records.iter().filter(|row| row.tenant == tenant).collect();
    rows.sort_by_key(|row| (row.position, row.rotation.clone(), row.seq));
    let chain = tables.chains.iter().find(|chain| chain.tenant == tenant);
    let head = chain.map(|chain| Head {
        tenant: tenant.to_owned(),
        position: chain.position,
        hash: chain.hash.clone(),
        behind: Vec::new(),
    });
    let imported = chain.map_or(0, |chain| chain.imported);
    let finding = links(&rows, chain, tenant)
        .or_else(|| about_rotations(tables, &rows, tenant))
        .or_else(|| about_fences(tables, &rows, tenant))
        .or_else(|| about_persons(tables, &rows, tenant))
        .or_else(|| about_expected(&rows, tenant, expected));
    Verdict { tenant: tenant.to_owned(), records: rows.len(), imported, head, finding }
}

fn links(rows: &[&Row], chain: Option<&ChainRow>, tenant: &str) -> Option<Finding> {
    let beginning = genesis(tenant, chain.map_or(0, |chain| chain.imported));
    let mut previous = beginning.clone();
    for (row, expected) in rows.iter().zip(1i64..) {
        if row.position > expected {
            return Some(Finding::of(Kind::Missing, Some(expected), "the record that stood here is gone"));
        }
        if row.position < expected {
            return Some(Finding::at(Kind::Inconsistent, row, "stands in a place that another record has"));
        }
        if link(&previous, row) != row.hash {
            // Of the first record the head's count is hashed too.
            if expected == 1 && chain.is_none() {
                return Some(Finding::of(Kind::HeadChanged, None, "the chain's head is gone"));
            }
            return Some(match belongs_to(rows, row, &beginning) {
                Some(place) => Finding::at(Kind::Reordered, row, format!("belongs to position {place}")),
                None => Finding::at(Kind::Changed, row, "is not what was written, or what stood before it is not"),
            });
        }
        previous = row.hash.clone();
    }
    let last = rows.len() as i64;
    match chain {
        None if rows.is_empty() => None,
        None => Some(Finding::of(Kind::HeadChanged, None, "the chain's head is gone")),
        Some(chain) if chain.position > last => {
            let text = format!("the records up to position {} are gone", chain.position);
            Some(Finding::of(Kind::TailCutOff, Some(last + 1), text))
        }
        Some(chain) if chain.position < last => {
            let text = format!("there are records behind the head, which stands at position {}", chain.position);
            Some(Finding::of(Kind::HeadChanged, Some(chain.position), text))
        }
        Some(chain) if !rows.is_empty() && chain.hash != previous => {
            Some(Finding::of(Kind::HeadChanged, Some(last), "the head's hash is not that of the last record"))
        }
        Some(_) => None,
    }
}

/// The place at which this record's content gives a stored hash: it was moved, not changed.
fn belongs_to(rows: &[&Row], moved: &Row, beginning: &str) -> Option<i64> {
    let mut previous = beginning;
    for row in rows {
        let there = Row { position: row.position, ..moved.clone() };
        // Of two neighbours that changed places, the hash before the second now stands in the second's place.
        let before = [previous, row.hash.as_str()];
        let fits = |hash: String| hash == row.hash || hash == moved.hash;
        if row.position != moved.position && before.into_iter().any(|before| fits(link(before, &there))) {
            return Some(row.position);
        }
        previous = &row.hash;
    }
    None
}

fn about_rotations(tables: &Tables, rows: &[&Row], tenant: &str) -> Option<Finding> {
    let mut of: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        of.entry(&row.rotation).or_default().push(row);
    }
    let inconsistent = |rotation: &str, text: String| {
        Some(Finding { rotation: Some(rotation.to_owned()), ..Finding::of(Kind::Inconsistent, None, text) })
    };
    for (rotation, records) in &of {
        let Some(stored) = tables.rotations.iter().find(|stored| stored.rotation == *rotation) else {
            return inconsistent(rotation, format!("rotation {rotation} is not in the list of rotations"));
        };
        if stored.tenant != tenant {
            return inconsistent(rotation, format!("the list of rotations gives {rotation} to another tenant"));
        }
        if let Some((row, _)) = records.iter().zip(1i64..).find(|(row, seq)| row.seq != *seq) {
            return Some(Finding::at(Kind::Inconsistent, row, "is out of number in its rotation"));
        }
        if stored.last_seq != records.len() as i64 {
            let text = format!("the list of rotations says that {rotation} has {} records", stored.last_seq);
            return inconsistent(rotation, text);
        }
        if records.first().is_some_and(|first| first.at_ms != stored.began_ms) {
            return inconsistent(rotation, format!("the list of rotations has another beginning for {rotation}"));
        }
    }
    let mine = tables.rotations.iter().filter(|stored| stored.tenant == tenant);
    let empty = mine.map(|stored| stored.rotation.as_str()).find(|rotation| !of.contains_key(rotation));
    empty.and_then(|rotation| inconsistent(rotation, format!("rotation {rotation} is listed and has no record")))
}

fn about_fences(tables: &Tables, rows: &[&Row], tenant: &str) -> Option<Finding> {
    let mut highest = 0;
    for row in rows.iter().filter(|row| row.fence != 0) {
        if row.fence < highest {
            return Some(Finding::at(Kind::Inconsistent, row, "was written under a lease that had been lost"));
        }
        highest = row.fence;
    }
    let reached = tables.leases.iter().find(|lease| lease.tenant == tenant).map_or(0, |lease| lease.fence);
    let text = "the tenant's lease is older than its records";
    (highest > reached).then(|| Finding::of(Kind::Inconsistent, None, text))
}

fn about_persons(tables: &Tables, rows: &[&Row], tenant: &str) -> Option<Finding> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for person in tables.persons.iter().filter(|person| person.tenant == tenant) {
        if !person.is_what_was_written() {
            let of_it = |row: &&&Row| tokens_in(&row.text).any(|token| token == person.token);
            let text = "a personal value in it is not what was written";
            return Some(match rows.iter().find(of_it) {
                Some(row) => Finding::at(Kind::PersonChanged, row, text),
                None => Finding::of(Kind::PersonChanged, None, "a personal value is not what was written"),
            });
        }
        known.insert(&person.token);
    }
    let erased: BTreeSet<String> = rows.iter().flat_map(|row| erased_by(&row.text)).collect();
    for row in rows {
        if tokens_in(&row.text).any(|token| !known.contains(token) && !erased.contains(token)) {
            let text = "a personal value in it is gone, and no erasure is recorded";
            return Some(Finding::at(Kind::PersonChanged, row, text));
        }
    }
    None
}

/// The tokens whose values a record says that it erased.
fn erased_by(text: &str) -> Vec<String> {
    // Most records are of another kind; those need not be read as JSON.
    if !text.contains("person-erased") {
        return Vec::new();
    }
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let record = &value["record"];
    if record["record"] != "person-erased" {
        return Vec::new();
    }
    let tokens = record["tokens"].as_array().cloned().unwrap_or_default();
    tokens.iter().filter_map(|token| token.as_str().map(str::to_owned)).collect()
}

fn about_expected(rows: &[&Row], tenant: &str, expected: &[Head]) -> Option<Finding> {
    expected.iter().filter(|head| head.tenant == tenant).find_map(|head| {
        let row = rows.iter().find(|row| row.position == head.position);
        match row {
            Some(row) if row.hash == head.hash => None,
            Some(row) => Some(Finding::at(Kind::NotAsExpected, row, "has another hash than the head that was kept")),
            None => {
                let text = "the head that was kept stood here, and the chain is shorter now";
                Some(Finding::of(Kind::NotAsExpected, Some(head.position), text))
            }
        }
    })
}
