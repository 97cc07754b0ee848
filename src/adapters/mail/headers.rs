//! The headers that lettre does not know, with constant names and values.
//!
//! We never read them back: `parse` is there because lettre's trait wants it.

use lettre::message::header::{Header, HeaderName, HeaderValue};
use std::error::Error;

/// RFC 3834 5: keeps vacation programs quiet.
#[derive(Clone)]
pub(super) struct AutoSubmitted;

/// MS-OXCMAIL 2.1.3.2.20. Never All or NDR, which would suppress bounces; OOF is left out to learn who is away.
#[derive(Clone)]
pub(super) struct AutoResponseSuppress;

/// The kind of the notice.
#[derive(Clone)]
pub(super) struct Kind(pub(super) String);

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

impl Header for AutoResponseSuppress {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Auto-Response-Suppress")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "RN, NRN, AutoReply".into())
    }
}

impl Header for Kind {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Changeguard-Kind")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(String::new()))
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}
