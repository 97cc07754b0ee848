//! Everything about a Barbican secret except its payload: what a replacement must carry over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
