//! `config/vpn-users.json`: reading its people and changing its one field without touching another byte.

use crate::domain::client::Entry;
use crate::domain::key::PublicKey;
use crate::domain::sanitize::sanitize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// The field that holds the server's public key.
pub const KEY_FIELD: &str = "vpn_server_public_key";

/// Why the object can't be used. Each is a message of its own, since each has a remedy of its own.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadDocument {
    /// Not UTF-8.
    #[error("the object is not UTF-8 text")]
    NotText,
    /// Not JSON.
    #[error("the object is not valid JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object with the expected fields.
    #[error("the object has an unexpected shape: {0}")]
    Shape(String),
}

/// Which fields of `users[]` hold what (configuration, defaults `id`, `name`, `email`, `pubkey`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The client's id.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// The address.
    pub email: String,
    /// The peer's key.
    pub public_key: String,
}

impl Default for Fields {
    fn default() -> Self {
        let [id, name, email, public_key] = ["id", "name", "email", "pubkey"].map(String::from);
        Self { id, name, email, public_key }
    }
}

/// The object, read: its key, where that stands, and its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The server's public key that clients will be given; `None` if the text there is not a key.
    pub public_key: Option<PublicKey>,
    /// The people.
    pub users: Vec<Entry>,
    range: Range<usize>,
}

struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    pairs.push((Cow::Owned(key), map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

/// Reads the object's bytes. Errors tell apart "not text", "not JSON" and "not the expected shape".
pub fn read(bytes: &[u8], fields: &Fields) -> Result<Document, BadDocument> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadDocument::NotText)?;
    let pairs = match serde_json::from_str::<Pairs<'_>>(text) {
        Ok(pairs) => pairs.0,
        Err(error) if error.is_data() => return Err(BadDocument::Shape(sanitize(&error.to_string()))),
        Err(error) => return Err(BadDocument::NotJson(sanitize(&error.to_string()))),
    };
    let key = only(&pairs, KEY_FIELD)?;
    let key_text: String =
        serde_json::from_str(key.get()).map_err(|_| BadDocument::Shape(format!("{KEY_FIELD} is not a string")))?;
    // A borrowed RawValue is a slice of `text`, so its place is the distance of the two addresses.
    let start = key.get().as_ptr() as usize - text.as_ptr() as usize;
    // Each user stays raw too: a number that no Rust type holds is none of our business.
    let users: Vec<Pairs<'_>> = serde_json::from_str(only(&pairs, "users")?.get())
        .map_err(|_| BadDocument::Shape("users is not a list of objects".into()))?;
    let users = users.iter().enumerate().map(|(at, user)| user_entry(at, user, fields)).collect::<Result<_, _>>()?;
    Ok(Document { public_key: PublicKey::parse(&key_text).ok(), users, range: start..start + key.get().len() })
}

fn only<'a>(pairs: &[(Cow<'_, str>, &'a RawValue)], name: &str) -> Result<&'a RawValue, BadDocument> {
    let mut hits = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| *value);
    match (hits.next(), hits.next()) {
        (Some(value), None) => Ok(value),
        (None, _) => Err(BadDocument::Shape(format!("{name} is missing"))),
        (Some(_), Some(_)) => Err(BadDocument::Shape(format!("{name} stands there twice"))),
    }
}

fn user_entry(at: usize, user: &Pairs<'_>, fields: &Fields) -> Result<Entry, BadDocument> {
    let text = |field: &str| {
        let raw = user.0.iter().find(|(name, _)| name == field)?.1.get();
        let text = match raw.chars().next()? {
            '"' => serde_json::from_str(raw).ok()?,
            '0'..='9' | '-' => raw.to_owned(),
            _ => return None,
        };
        Some(sanitize(&text)).filter(|text| !text.is_empty())
    };
    let id = text(&fields.id)
        .ok_or_else(|| BadDocument::Shape(format!("users[{at}] has no {:?} (wireguard.fields.id)", fields.id)))?;
    let public_key = text(&fields.public_key).and_then(|key| PublicKey::parse(&key).ok());
    Ok(Entry { id, name: text(&fields.name), email: text(&fields.email), public_key })
}

/// What two versions of the bytes differ in, as lines of a diff: found in the bytes, not in what was meant.
pub fn difference(before: &[u8], after: &[u8]) -> Vec<String> {
    let same = |(a, b): &(&u8, &u8)| a == b;
    let start = before.iter().zip(after).take_while(same).count();
    let tail = before[start..].iter().rev().zip(after[start..].iter().rev()).take_while(same).count();
    if start == before.len() && start == after.len() {
        return vec!["nothing differs".into()];
    }
    // The whole of the string in which they differ.
    let from = before[..start].iter().rposition(|byte| *byte == b'"').unwrap_or(start);
    let more = before[before.len() - tail..].iter().position(|byte| *byte == b'"').map_or(0, |at| at + 1);
    let field = String::from_utf8_lossy(&before[..from]);
    let field = field.trim_end().trim_end_matches(':').trim_end().rsplit('"').nth(1).unwrap_or_default().to_owned();
    let changed = |bytes: &[u8]| sanitize(&String::from_utf8_lossy(&bytes[from..bytes.len() - tail + more]));
    vec![
        format!("- {field}: {}", changed(before)),
        format!("+ {field}: {}", changed(after)),
        format!("  {} bytes before it and {} behind it stay as they are", from, tail - more),
    ]
}

impl Document {
    /// The same bytes with only the key's value replaced.
    pub fn with_key(&self, bytes: &[u8], key: &PublicKey) -> Vec<u8> {
        let mut changed = Vec::with_capacity(bytes.len() + 48);
        changed.extend_from_slice(&bytes[..self.range.start]);
        changed.extend_from_slice(format!("\"{key}\"").as_bytes());
        changed.extend_from_slice(&bytes[self.range.end..]);
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_found_in_the_bytes_whatever_the_keys_share() {
        let text = |key: &str, rest: &str| format!("{{\"users\": [], \"vpn_server_public_key\" : \"{key}\"{rest}}}");
        for (old, new) in [("abcX=", "abcY="), ("", "abc="), ("aaaa", "aaaaaa"), ("x", "yx")] {
            let lines = difference(text(old, ", \"z\": 1").as_bytes(), text(new, ", \"z\": 1").as_bytes());
            let expected =
                [format!("- vpn_server_public_key: \"{old}\""), format!("+ vpn_server_public_key: \"{new}\"")];
            assert_eq!(lines[..2], expected);
            assert_eq!(lines[2], "  40 bytes before it and 9 behind it stay as they are");
        }
        let both = difference(text("a", "").as_bytes(), text("b", ", \"extra\": 2").as_bytes());
        assert!(both[1].contains("extra"), "what else differs is seen: {both:?}");
        assert_eq!(difference(b"{}", b"{}"), ["nothing differs"]);
    }

    const KEY: PublicKey = PublicKey::from_bytes([3; 32]);

    #[test]
    fn only_the_value_changes_and_every_other_byte_stays() {
        let before = b"{ \"v\": 1.50, \"users\" : [{\"id\":7,\"x\":1e400}],\n\t\"vpn_server_public_key\" : \"old\\u0041\" , \"z\":{} }\n";
        let document = read(before, &Fields::default()).unwrap();
        assert_eq!(document.public_key, None);
        let after = document.with_key(before, &KEY);
        let expected = String::from_utf8_lossy(before).replace("\"old\\u0041\"", &format!("\"{KEY}\""));
        assert_eq!(String::from_utf8(after.clone()).unwrap(), expected);
        assert_eq!(read(&after, &Fields::default()).unwrap().public_key, Some(KEY));
    }

    #[test]
    fn each_wrong_state_has_its_own_message() {
        let read = |bytes: &[u8]| read(bytes, &Fields::default()).unwrap_err();
        assert_eq!(read(b"\xff"), BadDocument::NotText);
        assert!(matches!(read(b"{"), BadDocument::NotJson(_)));
        assert!(matches!(read(b""), BadDocument::NotJson(_)));
        assert!(matches!(read(b"[]"), BadDocument::Shape(_)));
        assert!(matches!(read(b"{\"users\":[]}"), BadDocument::Shape(_)));
        assert!(matches!(read(b"{\"users\":[],\"vpn_server_public_key\":1}"), BadDocument::Shape(_)));
        assert!(matches!(read(b"{\"users\":{},\"vpn_server_public_key\":\"\"}"), BadDocument::Shape(_)));
        let twice = b"{\"users\":[],\"vpn_server_public_key\":\"\",\"vpn_server_public_key\":\"\"}";
        assert_eq!(read(twice), BadDocument::Shape(format!("{KEY_FIELD} stands there twice")));
        assert!(matches!(read(b"{\"users\":[{}],\"vpn_server_public_key\":\"\"}"), BadDocument::Shape(_)));
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_layout_the_rest_stays(pad in "[ \\n\\t]{0,4}", tail in "[a-z]{0,6}", number in "[1-9][0-9]{0,30}") {
            let before = format!("{{{pad}\"{tail}x\":{number}.0{pad},\"users\":[]{pad},\"{KEY_FIELD}\":{pad}\"a\"{pad}}}{pad}");
            let document = read(before.as_bytes(), &Fields::default()).unwrap();
            let after = String::from_utf8(document.with_key(before.as_bytes(), &KEY)).unwrap();
            proptest::prop_assert_eq!(after.replace(&KEY.to_string(), "a"), before);
        }
    }
}
