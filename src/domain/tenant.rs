//! What a tenant is and which ids are safe to put into a name, a URL or a filter.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of an OpenStack project: 1 to 64 of `A-Z a-z 0-9 -`.
///
/// Nothing else is accepted because Barbican's name filter is SQL LIKE (`%` and `_` match anything) and decodes `+`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

/// Why a text is not a tenant id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a tenant id: 1 to 64 letters, digits or hyphens are")]
pub struct BadTenantId(pub String);

impl TenantId {
    /// Checks and keeps the id. Errors when a character is not safe in a Barbican name filter.
    pub fn new(text: impl Into<String>) -> Result<Self, BadTenantId> {
        let text = text.into();
        let safe = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if safe && (1..=64).contains(&text.len()) { Ok(Self(text)) } else { Err(BadTenantId(text)) }
    }

    /// The id as it goes into names and URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = BadTenantId;
    fn try_from(text: String) -> Result<Self, BadTenantId> {
        Self::new(text)
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> String {
        id.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An OpenStack project with its own VPN server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// The project's id; the container and the secret are named after it.
    pub id: TenantId,
    /// What people call it, and what is typed to confirm a rotation. Sanitized.
    pub name: String,
    /// What `{server}` stands for in the command that reaches the VPN server.
    pub server: Option<String>,
    /// The address that clients ping to prove the tunnel.
    pub gateway: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_barbicans_filter_would_interpret_are_refused() {
        for bad in ["", "a%", "a_b", "a+b", "a b", "é", &"x".repeat(65)] {
            assert!(TenantId::new(bad).is_err(), "{bad:?}");
        }
        assert!(TenantId::new("9d8f0c3a5b7e4f21a6c4d2e1b0a98765").is_ok());
    }
}
