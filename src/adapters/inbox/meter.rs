//! Bounds what a server may say: bytes for each command, announced literals, and the depth of parentheses.
//!
//! async-imap gives an announced literal its room at once (up to 512 MiB) and parses nested lists by recursion, so both are
//! refused here, before it sees them. What the bytes mean is left to it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Nothing that we ask for is nested deeper.
const DEEPEST: usize = 8;

/// A connection to the server: plain or TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Why reading was ended by us.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(&'static str);

/// The connection with its allowance.
pub(super) struct Meter {
    wire: Box<dyn Wire>,
    left: usize,
    scan: Scan,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Meter {
    /// A connection on which at most so many bytes are read.
    pub(super) fn new(wire: Box<dyn Wire>, left: usize) -> Self {
        Self { wire, left, scan: Scan::default() }
    }

    /// From now on so many bytes.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.left = bytes;
    }

    fn count(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(Refusal("it sends more than was asked for"))?;
        self.scan.look(bytes, self.left)
    }
}

/// Where in the protocol the last byte stood.
#[derive(Default)]
struct Scan {
    /// Bytes of a literal that are still to come.
    literal: usize,
    /// The beginning of the line.
    start: Vec<u8>,
    /// `{n}` at the end of what was seen of the line: n, and whether the brace is closed.
    number: Option<(usize, bool)>,
    depth: usize,
}

impl Scan {
    fn look(&mut self, mut bytes: &[u8], left: usize) -> Result<(), Refusal> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.literal > 0 {
                let skip = self.literal.min(bytes.len());
                self.literal -= skip;
                bytes = &bytes[skip..];
                continue;
            }
            bytes = rest;
            if byte == b'\n' {
                match self.number.take() {
                    Some((length, true)) if self.is_data() => {
                        if length > left.saturating_add(bytes.len()) {
                            return Err(Refusal("it announces more than was asked for"));
                        }
                        self.literal = length;
                    }
                    _ => (self.start, self.depth) = (Vec::new(), 0),
                }
                continue;
            }
            if self.start.len() < 9 {
                self.start.push(byte.to_ascii_uppercase());
            }
            self.number = match (byte, self.number) {
                (b'{', _) => Some((0, false)),
                (b'0'..=b'9', Some((n, false))) => {
                    Some((n.saturating_mul(10).saturating_add(usize::from(byte - b'0')), false))
                }
                (b'+', Some((n, false))) => Some((n, false)),
                (b'}', Some((n, _))) => Some((n, true)),
                (b'\r', kept) => kept,
                _ => None,
            };
            match byte {
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.depth > DEEPEST && self.is_data() {
                return Err(Refusal("its answer is nested too deeply"));
            }
        }
        Ok(())
    }

    /// Whether the line is one that may hold a literal; the text of a status line is none.
    fn is_data(&self) -> bool {
        const WORDS: [&[u8]; 5] = [b"OK ", b"NO ", b"BAD ", b"BYE ", b"PREAUTH"];
        self.start.strip_prefix(b"* ").is_some_and(|rest| !WORDS.iter().any(|word| rest.starts_with(word)))
    }
}

impl AsyncRead for Meter {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.wire).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {}
            other => return other,
        }
        let counted = self.count(&buf.filled()[before..]);
        Poll::Ready(counted.map_err(|refusal| io::Error::new(io::ErrorKind::InvalidData, refusal)))
    }
}

impl AsyncWrite for Meter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str, left: usize) -> Result<(), String> {
        // Byte by byte and in one piece: where the network cuts changes nothing.
        let mut whole = Scan::default();
        let whole = whole.look(text.as_bytes(), left);
        let mut pieces = Scan::default();
        let mut to_come = text.len();
        let pieces = text.bytes().try_for_each(|byte| {
            to_come -= 1;
            pieces.look(&[byte], left + to_come)
        });
        assert_eq!(whole.is_ok(), pieces.is_ok(), "{text:?}");
        whole.map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_literal_is_refused_when_it_is_announced() {
        assert!(says("* 1 FETCH (UID 1 BODY[] {400000000}\r\n", 1_000_000).is_err());
        assert!(says("* 1 FETCH (UID 1 BODY[] {99999999999999999999999}\r\n", 1_000_000).is_err());
        assert!(says("* 1 FETCH (UID 1 BODY[] {5}\r\n{9}\r\n)\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n", 3).is_ok());
    }

    #[test]
    fn what_a_mail_holds_and_what_a_status_says_is_no_announcement() {
        assert!(says("* 1 FETCH (BODY[] {30}\r\n* x {400000000}\r\n((((((((((((()\r\n", 100).is_ok());
        assert!(says("* OK ((((((((((((( {400000000}\r\nA0001 OK {400000000}\r\n", 100).is_ok());
        let hidden = "* OK {5}\r\n* 1 FETCH (BODY[] {400000000}\r\n";
        assert!(says(hidden, 100).is_err(), "a status line hides nothing");
    }

    #[test]
    fn lists_within_lists_are_refused_before_they_are_parsed() {
        assert!(says(&format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(1000)), 100_000).is_err());
        assert!(says("* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n", 100).is_ok());
    }
}
