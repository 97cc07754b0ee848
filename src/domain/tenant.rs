//! What a tenant is and which ids are safe to put into a name, a URL or a filter.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

    /// The key of a subject of another kind, `kind/name`: each of letters, digits and hyphens, 64 at most together. It never
    /// goes into a filter, and no tenant has such an id.
    pub fn of_subject(text: impl Into<String>) -> Result<Self, BadTenantId> {
        let text = text.into();
        let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let safe = text.split_once('/').is_some_and(|(kind, name)| part(kind) && part(name));
        if safe && text.len() <= 64 { Ok(Self(text)) } else { Err(BadTenantId(text)) }
    }

    /// Whether it is the key of a subject of another kind.
    pub fn is_subject(&self) -> bool {
        self.0.contains('/')
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

impl Tenant {
    /// Whether this was its name before [`tell_apart`] gave it one of its own.
    pub fn is_called(&self, name: &str) -> bool {
        let rest = self.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|start| !start.is_empty() && self.id.as_str().starts_with(start))
    }
}

/// Gives those that can't be told apart names that can: a name that is another's name or id too gets so much of the tenant's
/// own id as makes it its own, `acme/9d8f0c3a`. A name is typed to confirm; it must mean one tenant.
pub fn tell_apart(tenants: &mut [Tenant]) {
    let given: Vec<String> = tenants.iter().map(|tenant| tenant.name.clone()).collect();
    for length in [8, 16, 32, 64] {
        let clashing = clashing(tenants);
        for at in clashing {
            let id = tenants[at].id.as_str();
            // Ids are ASCII.
            tenants[at].name = format!("{}/{}", given[at], &id[..length.min(id.len())]);
        }
    }
    // Somebody chose a name that looks like this; ids are unique.
    for at in clashing(tenants) {
        tenants[at].name = tenants[at].id.to_string();
    }
}

/// The places of those whose name is another's name or id.
fn clashing(tenants: &[Tenant]) -> Vec<usize> {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for tenant in tenants {
        *known.entry(&tenant.name).or_default() += 1;
        if tenant.name != tenant.id.as_str() {
            *known.entry(tenant.id.as_str()).or_default() += 1;
        }
    }
    (0..tenants.len()).filter(|at| known.get(tenants[*at].name.as_str()).is_some_and(|count| *count > 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_of_one_name_are_told_apart_by_their_ids() {
        let tenant = |(id, name): &(&str, &str)| Tenant {
            id: TenantId::new(*id).unwrap(),
            name: (*name).into(),
            server: None,
            gateway: None,
        };
        let names = |given: &[(&str, &str)]| {
            let mut tenants: Vec<Tenant> = given.iter().map(tenant).collect();
            tell_apart(&mut tenants);
            let names: Vec<String> = tenants.into_iter().map(|tenant| tenant.name).collect();
            let unique: std::collections::BTreeSet<&String> = names.iter().collect();
            assert_eq!(unique.len(), given.len(), "{names:?}");
            names
        };
        assert_eq!(names(&[("a1", "acme"), ("b2", "globex")]), ["acme", "globex"]);
        assert_eq!(
            names(&[("9d8f0c3a5b7e", "acme"), ("1b2c0c3a5b7e", "acme"), ("c3", "globex")]),
            ["acme/9d8f0c3a", "acme/1b2c0c3a", "globex"]
        );
        assert_eq!(
            names(&[("9d8f0c3a5b7e", "acme"), ("9d8f0c3a0000", "acme")]),
            ["acme/9d8f0c3a5b7e", "acme/9d8f0c3a0000"]
        );
        // A name that is somebody's id, and one that was made to look like an answer of ours.
        assert_eq!(names(&[("a1", "b2"), ("b2", "globex")]), ["b2/a1", "globex"]);
        names(&[("a1", "acme"), ("b2", "acme"), ("c3", "acme/a1"), ("d4", "a1")]);
        assert_eq!(names(&[("a1", "a1"), ("b2", "b2")]), ["a1", "b2"]);
        let called = tenant(&("9d8f0c3a5b7e", "acme/9d8f0c3a"));
        assert!(called.is_called("acme") && !called.is_called("acm") && !called.is_called("acme/"));
        assert!(!tenant(&("9d8f0c3a5b7e", "acme/eu")).is_called("acme"));
    }

    #[test]
    fn characters_that_barbicans_filter_would_interpret_are_refused() {
        for bad in ["", "a%", "a_b", "a+b", "a b", "é", &"x".repeat(65)] {
            assert!(TenantId::new(bad).is_err(), "{bad:?}");
        }
        assert!(TenantId::new("9d8f0c3a5b7e4f21a6c4d2e1b0a98765").is_ok());
    }
}
