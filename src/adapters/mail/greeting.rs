//! The mail server's clock, as far as its greeting tells it: Exim, Sendmail and Exchange say the time in it, Postfix does not.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// So much of what the server says first is looked at, bytes.
const LOOKED_AT: usize = 512;

/// What the server has said first, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Greeting(Arc<Mutex<Option<Said>>>);

/// What was said, and when it came.
type Said = (Vec<u8>, Timestamp);

impl Greeting {
    /// Takes the first piece; what comes after it is none of the greeting.
    pub(super) fn hear(&self, piece: &[u8]) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() && !piece.is_empty() {
            *first = Some((piece[..piece.len().min(LOOKED_AT)].to_vec(), Timestamp::now()));
        }
    }

    /// How far the server's clock is ahead of ours, s; none where it did not say.
    pub(super) fn skew(&self) -> Option<i64> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, at) = first.as_ref()?;
        Some(time_in(&String::from_utf8_lossy(said))?.as_second() - at.as_second())
    }
}

/// The date of RFC 5322 in a greeting, wherever it stands.
fn time_in(greeting: &str) -> Option<Timestamp> {
    let words: Vec<&str> = greeting.split_whitespace().collect();
    // Sun, 29 Nov 2026 00:05:26 +0000
    words.windows(6).find_map(|date| {
        let zone = date[5].trim_end_matches([';', ',']);
        let text = [&date[..5], &[zone]].concat().join(" ");
        jiff::fmt::rfc2822::parse(&text).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_in_the_greetings_that_tell_it() {
        let at = "2026-11-29T00:05:26Z".parse::<Timestamp>().unwrap();
        for greeting in [
            "220 mx.example.net ESMTP Exim 4.96 Sun, 29 Nov 2026 00:05:26 +0000\r\n",
            "220 mx.example.net ESMTP Sendmail 8.17.1/8.17.1; Sun, 29 Nov 2026 01:05:26 +0100\r\n",
            "220 MX.EXAMPLE.NET Microsoft ESMTP MAIL Service ready at Sun, 29 Nov 2026 00:05:26 +0000\r\n",
        ] {
            assert_eq!(time_in(greeting), Some(at), "{greeting}");
        }
        assert_eq!(time_in("220 mx.example.net ESMTP Postfix (Debian/GNU)\r\n"), None);
        let greeting = Greeting::default();
        assert_eq!(greeting.skew(), None);
        let ahead = Timestamp::from_second(Timestamp::now().as_second() + 300).unwrap();
        greeting.hear(format!("220 mx ESMTP {}\r\n", ahead.strftime("%a, %d %b %Y %H:%M:%S +0000")).as_bytes());
        greeting.hear(b"250 later");
        assert!((299..=300).contains(&greeting.skew().unwrap()));
    }
}
