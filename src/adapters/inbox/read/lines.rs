//! The lines of one form of a mail, sanitized and bounded. When a bound is reached nothing is dropped in silence: it is said.

use crate::domain::letter::{Body, Line, Look};
use crate::domain::sanitize::sanitize;

/// More than a long thread holds; a mail that is longer can't be read as a whole.
const MOST_LINES: usize = 4_000;
const MOST_CHARACTERS: usize = 100_000;
/// The sanitizer cuts at 400.
const LONGEST_LINE: usize = 300;

/// Lines as they are gathered.
#[derive(Default)]
pub struct Lines {
    body: Body,
    characters: usize,
    /// Something was left out.
    pub is_full: bool,
}

impl Lines {
    /// One line as it stands there, in pieces that the sanitizer does not cut.
    pub fn push(&mut self, line: &str, depth: u8, look: Look) {
        for piece in pieces(line) {
            let text = sanitize(&piece);
            self.characters += text.chars().count() + 1;
            if self.body.lines.len() >= MOST_LINES || self.characters > MOST_CHARACTERS {
                self.is_full = true;
                return;
            }
            self.body.lines.push(Line { text, depth, look });
        }
    }

    /// What was gathered, without the empty lines around it.
    pub fn into_body(self) -> Body {
        let mut body = self.body;
        let filled = |line: &Line| !line.text.is_empty();
        let end = body.lines.iter().rposition(filled).map_or(0, |at| at + 1);
        body.lines.truncate(end);
        let start = body.lines.iter().position(filled).unwrap_or(0);
        body.lines.drain(..start);
        body
    }
}

fn pieces(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut length = 0;
    for c in line.chars() {
        if length >= LONGEST_LINE && (c.is_whitespace() || length > LONGEST_LINE + 60) {
            pieces.push(String::new());
            length = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        length += 1;
    }
    pieces
}
