//! What `kops get keypairs` prints: as JSON (one line, in any order), as YAML, or as a table whose columns are filled with tabs.

use crate::domain::sanitize::sanitize;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A keypair's id: a decimal number of 28 digits, as a rule; an imported certificate may bring a smaller one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeypairId(String);

/// A certificate's serial has 20 bytes at most, which are 49 digits.
const MOST_DIGITS: usize = 49;

impl KeypairId {
    /// Digits only, so that it is a plain word of a command.
    pub fn new(text: &str) -> Result<Self, String> {
        let is_number = (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Ok(Self(text.to_owned())) } else { Err(format!("{:?} is no id of a keypair", sanitize(text))) }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn significant(&self) -> &str {
        self.0.trim_start_matches('0')
    }
}

impl TryFrom<String> for KeypairId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}

impl From<KeypairId> for String {
    fn from(id: KeypairId) -> String {
        id.0
    }
}

impl fmt::Display for KeypairId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As numbers: the higher is the newer.
impl Ord for KeypairId {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.significant(), other.significant());
        (one.len(), one, self.0.len()).cmp(&(two.len(), two, other.0.len()))
    }
}

impl PartialOrd for KeypairId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One keypair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keypair {
    /// Of which keyset.
    pub keyset: String,
    /// Its id.
    pub id: KeypairId,
    /// Its private key is the one that is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
    /// Since when it is distrusted; none: it is trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distrusted: Option<String>,
    /// From when on it is valid.
    pub issued: String,
    /// Until when.
    pub expires: String,
    /// Its private key is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_private: bool,
}

/// As `-o json` prints one; what is false is left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Printed {
    name: String,
    id: KeypairId,
    #[serde(default)]
    distrust_timestamp: Option<String>,
    #[serde(default)]
    is_primary: bool,
    #[serde(default)]
    not_before: String,
    #[serde(default)]
    not_after: String,
    #[serde(default)]
    has_private_key: bool,
}

impl From<Printed> for Keypair {
    fn from(printed: Printed) -> Self {
        Self {
            keyset: sanitize(&printed.name),
            id: printed.id,
            primary: printed.is_primary,
            distrusted: printed.distrust_timestamp.map(|at| sanitize(&at)),
            issued: sanitize(&printed.not_before),
            expires: sanitize(&printed.not_after),
            has_private: printed.has_private_key,
        }
    }
}

/// Reads any of the forms, by keyset and id. Errors: it is none of them.
pub fn read(text: &str) -> Result<Vec<Keypair>, String> {
    let body = text.trim_start();
    let mut found = if body.starts_with('[') {
        let printed: Vec<Printed> = serde_json::from_str(body.trim_end()).map_err(|error| error.to_string())?;
        printed.into_iter().map(Keypair::from).collect()
    } else if body.starts_with("- ") {
        of_yaml(body)?
    } else {
        of_table(text)?
    };
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if let Some(odd) = found.iter().find(|pair| !is_name(&pair.keyset) || pair.keyset.starts_with('-')) {
        return Err(format!("{:?} is no name of a keyset", odd.keyset));
    }
    found.sort_by(|one, two| (&one.keyset, &one.id).cmp(&(&two.keyset, &two.id)));
    if let Some(pair) = found.windows(2).find(|pair| (&pair[0].keyset, &pair[0].id) == (&pair[1].keyset, &pair[1].id)) {
        return Err(format!("{} {} is listed twice", pair[0].keyset, pair[0].id));
    }
    Ok(found)
}

/// A list of flat maps, which is all that kops prints; anything deeper belongs to no field that is read.
fn of_yaml(text: &str) -> Result<Vec<Keypair>, String> {
    let mut maps: Vec<serde_json::Map<String, serde_json::Value>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (is_new, rest) = match (line.strip_prefix("- "), line.strip_prefix("  ")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err("a line is no part of a list".into()),
        };
        if is_new {
            maps.push(serde_json::Map::new());
        }
        let Some((name, value)) = rest.split_once(':').filter(|(name, _)| !name.starts_with([' ', '-'])) else {
            continue;
        };
        let value = match value.trim().trim_matches(['"', '\'']) {
            "true" => serde_json::Value::Bool(true),
            "false" => serde_json::Value::Bool(false),
            text => serde_json::Value::String(text.to_owned()),
        };
        if let Some(map) = maps.last_mut() {
            map.insert(name.to_owned(), value);
        }
    }
    let read = |map| serde_json::from_value::<Printed>(serde_json::Value::Object(map)).map(Keypair::from);
    maps.into_iter().map(read).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// A tab goes to the next of these.
const TAB: usize = 8;

/// The letters of a line where a terminal shows them.
fn expanded(line: &str) -> Vec<char> {
    let mut letters = Vec::new();
    for letter in line.chars() {
        match letter {
            '\t' => letters.resize((letters.len() / TAB + 1) * TAB, ' '),
            letter => letters.push(letter),
        }
    }
    letters
}

/// Cells stand under their headings; an empty one is only known by that.
fn of_table(text: &str) -> Result<Vec<Keypair>, String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("NAME"));
    let head = expanded(lines.next().ok_or("it is no list of keypairs")?);
    let mut columns: Vec<(String, usize)> = Vec::new();
    for (at, letter) in head.iter().enumerate() {
        let begins = *letter != ' ' && (at == 0 || head[at - 1] == ' ');
        if begins {
            columns.push((String::new(), at));
        }
        if let Some((name, _)) = columns.last_mut().filter(|_| *letter != ' ') {
            name.push(*letter);
        }
    }
    let mut found = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let letters = expanded(line);
        let cell = |wanted: &str| {
            let at = columns.iter().position(|(name, _)| name == wanted)?;
            let to = columns.get(at + 1).map_or(letters.len(), |(_, next)| *next).min(letters.len());
            let from = columns[at].1.min(to);
            Some(letters[from..to].iter().collect::<String>().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let keyset = cell("NAME").ok_or("a line has no name")?;
        let id = KeypairId::new(&cell("ID").ok_or("a line has no id")?)?;
        found.push(Keypair {
            keyset,
            id,
            primary: cell("PRIMARY").is_some(),
            distrusted: cell("DISTRUSTED"),
            issued: cell("ISSUED").unwrap_or_default(),
            expires: cell("EXPIRES").unwrap_or_default(),
            has_private: cell("HASPRIVATE").is_some(),
        });
    }
    Ok(found)
}
