//! Public keys: reading, showing and comparing them. The private half lives in `engine::secret`, never here.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A Curve25519 public key as WireGuard uses it: 32 bytes, written as 44 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// Why a text is not a WireGuard public key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a WireGuard public key (44 characters of base64 that hold 32 bytes)")]
pub struct BadPublicKey;

impl PublicKey {
    /// Wraps 32 raw bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the base64 form; surrounding white space is allowed, anything else is an error.
    pub fn parse(text: &str) -> Result<Self, BadPublicKey> {
        let mut bytes = [0u8; 32];
        let read = Base64::decode(text.trim(), &mut bytes).map_err(|_| BadPublicKey)?;
        if read.len() == 32 { Ok(Self(bytes)) } else { Err(BadPublicKey) }
    }

    /// The 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 8 characters of the base64 form, enough to tell keys apart on a narrow screen.
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

/// That others stand where a key is missed, behind a sentence that misses it.
pub fn holds_instead(others: &[PublicKey]) -> String {
    let all: Vec<String> = others.iter().map(PublicKey::short).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" (the name holds {} instead, which is not ours)", all.join(", "))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&Base64::encode_string(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl TryFrom<String> for PublicKey {
    type Error = BadPublicKey;
    fn try_from(text: String) -> Result<Self, BadPublicKey> {
        Self::parse(&text)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

/// Which of a rotation's keys is meant. Never called "new" and "old": after a rollback those words lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRole {
    /// Will be the server's key.
    Staged,
    /// Was the server's key before the rotation.
    Previous,
    /// Made for a rollback because the previous key is missing or compromised.
    Fresh,
}

impl KeyRole {
    /// The word that stands in names and records.
    pub fn word(self) -> &'static str {
        match self {
            KeyRole::Staged => "staged",
            KeyRole::Previous => "previous",
            KeyRole::Fresh => "fresh",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_was_written() {
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(PublicKey::parse(&format!("{key}\n")), Ok(key));
    }

    #[test]
    fn short_long_and_unpadded_texts_are_refused() {
        for bad in ["", "AAAA", &"A".repeat(43), &"A".repeat(44), &format!("{}=", "A".repeat(47))] {
            assert_eq!(PublicKey::parse(bad), Err(BadPublicKey), "{bad:?}");
        }
    }
}
