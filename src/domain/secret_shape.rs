//! Everything about a Barbican secret except its payload: what a replacement must carry over.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An expiration that is nearer than this is given to no new secret: a key that Barbican serves no more in the middle of a rotation,
/// or in the days in which people come back, is lost to the server's next start.
pub const NEAREST_EXPIRATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The attributes with which a secret was stored. None of them is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretShape {
    /// `text/plain` or `application/octet-stream`.
    pub content_type: String,
    /// Barbican's `secret_type`, usually `opaque`.
    pub secret_type: Option<String>,
    /// Algorithm, as stored; the usual client writes `aes`.
    pub algorithm: Option<String>,
    /// Bits, as stored.
    pub bit_length: Option<u32>,
    /// Mode, as stored; the usual client writes `cbc`.
    pub mode: Option<String>,
    /// When the secret expires, if ever, UTC.
    pub expiration: Option<Timestamp>,
    /// Whether the payload ended with a newline (`wg genkey > file` writes one).
    pub trailing_newline: bool,
    /// The access control list as Barbican returned it (JSON text), if it is not the default one.
    pub acl: Option<String>,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// Consumers, each as Barbican returned it (JSON text).
    pub consumers: Vec<String>,
}

impl Default for SecretShape {
    /// What the usual command line client stores: octet-stream, opaque, aes 256 cbc.
    fn default() -> Self {
        Self {
            content_type: "application/octet-stream".into(),
            secret_type: Some("opaque".into()),
            algorithm: Some("aes".into()),
            bit_length: Some(256),
            mode: Some("cbc".into()),
            expiration: None,
            trailing_newline: false,
            acl: None,
            metadata: BTreeMap::new(),
            consumers: Vec::new(),
        }
    }
}

impl SecretShape {
    /// What a secret that is stored now is given of it, and the expiration that is left out because it has come or is near.
    pub fn to_store(mut self, now: Timestamp) -> (Self, Option<Timestamp>) {
        let near = self.expiration.take_if(|at| at.duration_since(now) < NEAREST_EXPIRATION);
        (self, near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiration_is_carried_over_only_where_it_is_far() {
        let now: Timestamp = "2026-11-24T22:00:00Z".parse().unwrap();
        for (hours, is_kept) in [(-1, false), (0, false), (7 * 24 - 1, false), (7 * 24, true), (9000, true)] {
            let expiration = Some(now + SignedDuration::from_hours(hours));
            let (stored, left_out) = SecretShape { expiration, ..SecretShape::default() }.to_store(now);
            let is = if is_kept { (expiration, None) } else { (None, expiration) };
            assert_eq!((stored.expiration, left_out), is, "{hours}");
        }
    }
}
