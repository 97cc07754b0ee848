//! Tokens at one Keystone node, directly and not through the load balancer: issued, and validated in both ways in which a node meets
//! one. What the answers prove is `domain::fernet::matrix`; no token is kept longer than its [`Token`] lives.
//!
//! Nothing is followed and nothing is sent twice: a retry would hide the one 401 that is looked for, and a redirect would ask another
//! node than the one that is named. How TLS is done is as for all OpenStack services of the project.

mod client;
mod login;

pub use client::{TokenClient, TokenParameters};
pub use login::{Credentials, Named};

use crate::domain::fernet::matrix::Way;
use crate::engine::secret::SecretBytes;
use std::time::Duration;

/// A token that a node has issued. Wiped when dropped; can't be printed.
pub struct Token {
    value: SecretBytes,
    /// How long the issuing took.
    pub took: Duration,
}

impl Token {
    /// The token's text. Every use of this is a place to review.
    pub(crate) fn expose(&self) -> &[u8] {
        self.value.expose()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token(hidden, issued in {} ms)", self.took.as_millis())
    }
}

/// What a node said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validated {
    /// In which way it was shown.
    pub way: Way,
    /// The answer's status: 200; 401 (own) or 404 (subject) where the node lacks the key; 500 where its repository is broken.
    pub status: u16,
    /// How long the answer took.
    pub took: Duration,
}
