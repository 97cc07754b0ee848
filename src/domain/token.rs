//! The reply token: how an answer is known to belong to one client's mail, whatever else the client's mail program changes.
//!
//! It stands in three places, because each way of answering gives back another one: in the reply address (plain replies),
//! in the UID of the invitation (calendars) and in the Message-ID (In-Reply-To, delivery reports). How it is made from a key
//! is left to the engine; here it is only written and read. Gateways that change case are known, so case says nothing.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Characters of a token: 120 bits in base32.
pub const TOKEN_CHARACTERS: usize = 24;
/// RFC 4648 6, lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A token, lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplyToken(String);

/// What a question was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Does the window suit you?
    Window,
    /// Are you back?
    Back,
}

/// What the detail of a reply address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// Whose mail was answered.
    pub token: ReplyToken,
    /// Which question.
    pub topic: Topic,
    /// Of which revision of the window.
    pub revision: u32,
}

impl ReplyToken {
    /// Writes 15 bytes as a token.
    pub fn from_bytes(bytes: [u8; 15]) -> Self {
        let mut text = String::with_capacity(TOKEN_CHARACTERS);
        let (mut bits, mut held) = (0u32, 0u32);
        for byte in bytes {
            bits = bits << 8 | u32::from(byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                text.push(char::from(ALPHABET[(bits >> held & 31) as usize]));
            }
        }
        Self(text)
    }

    /// The token, if the text is one.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let fits = lower.len() == TOKEN_CHARACTERS && lower.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then_some(Self(lower))
    }

    /// The token in a UID or a Message-ID: the part before the first `.` or `@`.
    pub fn in_id(id: &str) -> Option<Self> {
        let inner = id.trim().trim_start_matches('<').trim_end_matches('>');
        Self::parse(inner.split(['.', '@']).next()?)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The UID of the invitation to this client: the same for every revision.
    pub fn uid(&self, domain: &str) -> String {
        format!("{self}@{domain}")
    }
}

impl fmt::Display for ReplyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Addressed {
    /// The address that a client answers to: `ops+<token>.<revision>@example.net`, and `….b<revision>` for "are you back?".
    /// `None` if `base` is no address.
    pub fn to_address(&self, base: &str, separator: char) -> Option<String> {
        let (local, domain) = base.rsplit_once('@')?;
        let topic = if self.topic == Topic::Back { "b" } else { "" };
        Some(format!("{local}{separator}{}.{topic}{}@{domain}", self.token, self.revision))
    }

    /// Reads what an address of ours says; `None` if it holds no token.
    pub fn in_address(address: &str) -> Option<Self> {
        let (local, _) = address.rsplit_once('@')?;
        let (left, end) = local.rsplit_once('.')?;
        let start = left.len().checked_sub(TOKEN_CHARACTERS)?;
        let token = ReplyToken::parse(left.get(start..)?)?;
        // What stands before it must be a separator, else the token is a piece of a longer word.
        left[..start].chars().last().filter(|before| !before.is_alphanumeric())?;
        let lower = end.to_ascii_lowercase();
        let (topic, digits) = match lower.strip_prefix('b') {
            Some(digits) => (Topic::Back, digits),
            None => (Topic::Window, lower.as_str()),
        };
        let revision = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(Self { token, topic, revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> ReplyToken {
        ReplyToken::from_bytes(*b"0123456789abcde")
    }

    #[test]
    fn a_token_is_base32_of_its_bytes() {
        assert_eq!(token().as_str(), "gaytemzugu3doobzmfrggzdf"); // as `printf 0123456789abcde | base32` says, lower case
        assert_eq!(ReplyToken::parse("GAYTEMZUGU3DOOBZMFRGGZDF"), Some(token()));
        assert_eq!(ReplyToken::parse("gaytemzugu3doobzmfrggzd1"), None);
    }

    #[test]
    fn an_address_says_whose_question_it_answers_also_in_capitals() {
        for (topic, written) in [(Topic::Window, ".3@"), (Topic::Back, ".b3@")] {
            let said = Addressed { token: token(), topic, revision: 3 };
            let address = said.to_address("ops@example.net", '+').unwrap();
            assert!(address.contains(written), "{address}");
            assert_eq!(Addressed::in_address(&address.to_uppercase()), Some(said));
        }
    }

    #[test]
    fn nothing_else_is_a_token() {
        let token = token();
        for other in [
            "ops@example.net",
            "ops+x.1@example.net",
            "@",
            "+.1@x",
            &format!("ops+{token}@x"),
            &format!("ops+{token}.x@y"),
            &format!("opsx{token}.1@y"),
            &format!("ops+{token}.+1@y"),
            &format!("é{}.1@y", &token.as_str()[1..]),
        ] {
            assert_eq!(Addressed::in_address(other), None, "{other}");
        }
        assert_eq!(ReplyToken::in_id(&format!("<{token}.0a1b@x>")), Some(token.clone()));
        assert_eq!(ReplyToken::in_id(&token.uid("example.net")), Some(token));
        assert_eq!(ReplyToken::in_id("<20261124@x>"), None);
    }
}
