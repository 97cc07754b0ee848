//! Barbican's documents: entries, metadata, and the body that stores a secret (in memory that is wiped). No requests here.

use super::barbican::BARBICAN;
use super::http::{to_json, wiped_body};
use super::login::{query_of, timestamp};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::{NewSecret, SecretEntry, SecretRef};
use crate::engine::secret::SecretBytes;
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The id in an href. Only the id is used: the token goes to the catalogue's address and nowhere else, and Barbican's
/// own idea of its address (`host_href`) is often wrong behind a proxy.
pub(super) fn secret_id(href: &SecretRef) -> Result<&str, Fault> {
    let wrong =
        || Fault::new(BARBICAN, FaultKind::Malformed, format!("use the href {:?}: it does not name a secret", href.0));
    let (_, id) = href.0.trim_end_matches('/').rsplit_once("/secrets/").ok_or_else(wrong)?;
    let safe = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if safe { Ok(id) } else { Err(wrong()) }
}

/// A page of secrets.
#[derive(Deserialize)]
pub(super) struct Listing {
    pub(super) secrets: Vec<Metadata>,
    pub(super) total: u64,
    next: Option<String>,
}

impl Listing {
    /// Where the next page begins. Of the link only this number is taken; the address stays ours.
    pub(super) fn next_offset(&self) -> Option<usize> {
        let query = query_of(self.next.as_ref()?)?;
        let pairs = Url::parse(&format!("http://x/?{query}")).ok()?;
        pairs.query_pairs().find(|(key, _)| key == "offset")?.1.parse().ok()
    }
}

/// What is known of a secret without its payload.
#[derive(Deserialize)]
pub(super) struct Metadata {
    secret_ref: String,
    name: Option<String>,
    created: Option<String>,
    updated: Option<String>,
    content_types: Option<BTreeMap<String, String>>,
    secret_type: Option<String>,
    algorithm: Option<String>,
    bit_length: Option<u32>,
    mode: Option<String>,
    expiration: Option<String>,
    /// From version 1.1.
    pub(super) consumers: Option<Vec<Consumer>>,
}

/// Who has registered as a user of a secret. Times and status are left out: they can't be set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(super) struct Consumer {
    pub(super) service: String,
    #[serde(default)]
    pub(super) resource_type: String,
    pub(super) resource_id: String,
}

impl Metadata {
    /// As the port lists it.
    pub(super) fn entry(self) -> SecretEntry {
        SecretEntry {
            has_payload: self.content_types.is_some_and(|types| !types.is_empty()),
            // A time that can't be read only costs the hint which of two is newer.
            created: self.created.as_deref().and_then(timestamp).unwrap_or(Timestamp::UNIX_EPOCH),
            updated: self.updated.as_deref().and_then(timestamp),
            expiration: self.expiration.as_deref().and_then(timestamp),
            name: self.name.unwrap_or_default(),
            href: SecretRef(self.secret_ref),
        }
    }

    /// As a replacement must be.
    pub(super) fn shape(
        self,
        trailing_newline: bool,
        acl: Option<String>,
        metadata: BTreeMap<String, String>,
        consumers: Vec<String>,
    ) -> SecretShape {
        let content_type = self.content_types.and_then(|mut types| types.remove("default"));
        SecretShape {
            content_type: content_type.unwrap_or_else(|| SecretShape::default().content_type),
            secret_type: self.secret_type,
            algorithm: self.algorithm,
            bit_length: self.bit_length,
            mode: self.mode,
            expiration: self.expiration.as_deref().and_then(timestamp),
            trailing_newline,
            acl,
            metadata,
            consumers,
        }
    }
}

/// The answer to a store.
#[derive(Deserialize)]
pub(super) struct Stored {
    pub(super) secret_ref: String,
}

/// The body that stores a secret, and what of it no message may repeat.
pub(super) struct Body {
    bytes: Bytes,
    text: SecretBytes,
    payload: SecretBytes,
}

#[derive(Serialize)]
struct Document<'a> {
    name: &'a str,
    payload: &'a str,
    payload_content_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_content_encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<Timestamp>,
}

impl Body {
    /// Writes the body. Errors: a payload that is empty or, for `text/plain`, not UTF-8 text (both are 400 over there, and
    /// must not be found out after DELETE).
    ///
    /// `text/plain` loses white space at both ends in Barbican (seen); the base64 form keeps every byte.
    pub(super) fn of(secret: &NewSecret) -> Result<Self, Fault> {
        let refused = |why: &str| Fault::new(BARBICAN, FaultKind::Refused, format!("store the secret: {why}"));
        let payload = secret.payload.duplicate();
        if payload.expose().trim_ascii().is_empty() {
            return Err(refused("the payload is empty"));
        }
        let shape = &secret.shape;
        let plain = shape.content_type.starts_with("text/plain");
        let text = if plain {
            payload.duplicate()
        } else {
            SecretBytes::write(Base64::encoded_len(payload.expose()), |place| {
                Base64::encode(payload.expose(), place).map(str::len)
            })
            .map_err(|_| refused("the payload can't be written as base64"))?
        };
        let document = Document {
            name: &secret.name,
            payload: std::str::from_utf8(text.expose()).map_err(|_| refused("the payload is not UTF-8 text"))?,
            payload_content_type: if plain { "text/plain" } else { &shape.content_type },
            payload_content_encoding: (!plain).then_some("base64"),
            secret_type: shape.secret_type.as_deref(),
            algorithm: shape.algorithm.as_deref(),
            bit_length: shape.bit_length,
            mode: shape.mode.as_deref(),
            expiration: shape.expiration,
        };
        // A byte takes six of JSON at most; everything else is bounded by Barbican (255 each).
        let bytes = wiped_body(to_json(&document, (text.expose().len() + secret.name.len()) * 6 + 8 * 1024)?);
        Ok(Self { bytes, text, payload })
    }

    /// The bytes, shared.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// What no message may repeat.
    pub(super) fn hidden(&self) -> [&[u8]; 2] {
        [self.text.expose(), self.payload.expose()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content_type: &str, payload: &[u8]) -> Result<String, Fault> {
        let shape = SecretShape { content_type: content_type.into(), ..SecretShape::default() };
        let secret = NewSecret { name: "n".into(), payload: SecretBytes::new(payload.to_vec()), shape };
        Body::of(&secret).map(|body| String::from_utf8(body.bytes().to_vec()).unwrap())
    }

    #[test]
    fn both_types_are_written_as_barbican_wants_them() {
        assert_eq!(
            body("application/octet-stream", b"abc\n").unwrap(),
            r#"{"name":"n","payload":"YWJjCg==","payload_content_type":"application/octet-stream","payload_content_encoding":"base64","secret_type":"opaque","algorithm":"aes","bit_length":256,"mode":"cbc"}"#
        );
        assert!(
            body("text/plain; charset=utf-8", b"abc")
                .unwrap()
                .contains(r#""payload":"abc","payload_content_type":"text/plain","s"#)
        );
    }

    #[test]
    fn what_barbican_would_refuse_after_the_delete_is_refused_before() {
        assert!(body("application/octet-stream", b" \n").is_err());
        assert!(body("text/plain", &[0xff]).is_err());
    }

    #[test]
    fn only_the_id_of_an_href_and_the_offset_of_a_link_are_used() {
        let id = |href: &str| secret_id(&SecretRef(href.into())).map(str::to_owned).ok();
        assert_eq!(id("http://evil/v1/secrets/0a-1b").as_deref(), Some("0a-1b"));
        for bad in ["http://h/v1/containers/1", "http://h/v1/secrets/..%2f", "http://h/v1/secrets/a/payload"] {
            assert_eq!(id(bad), None, "{bad}");
        }
        let page: Listing = serde_json::from_str(
            r#"{"secrets": [], "total": 300, "next": "http://evil/v1/secrets?limit=100&offset=200&name=x"}"#,
        )
        .unwrap();
        assert_eq!(page.next_offset(), Some(200));
    }
}
