//! One field of a form: a line of text or a choice, and how keys and pastes change it.

use crate::app::keymap::Key;
use crate::domain::sanitize::sanitize;
use tui_input::{Input, InputRequest};

/// Longest text of a field, in characters. Longer input is not taken.
pub const LONGEST: usize = 400;

/// A field.
#[derive(Clone, Debug)]
pub enum Field {
    /// A line of text.
    Text {
        /// What stands before it.
        label: &'static str,
        /// The text and its cursor.
        input: Input,
        /// What stands behind it while it is empty.
        hint: &'static str,
    },
    /// One of a few words.
    Choice {
        /// What stands before it.
        label: &'static str,
        /// The words.
        options: &'static [&'static str],
        /// Which is chosen; none at first where a choice counts as somebody's word.
        at: Option<usize>,
    },
}

impl Field {
    /// A text field with its first value.
    pub fn text(label: &'static str, value: impl Into<String>, hint: &'static str) -> Self {
        Field::Text { label, input: Input::new(value.into()), hint }
    }

    /// A choice of which nothing is chosen.
    pub fn choice(label: &'static str, options: &'static [&'static str]) -> Self {
        Field::Choice { label, options, at: None }
    }

    /// A choice with its first option chosen: only where that harms nobody.
    pub fn preset(label: &'static str, options: &'static [&'static str]) -> Self {
        Field::Choice { label, options, at: Some(0) }
    }

    /// What stands before it.
    pub fn label(&self) -> &'static str {
        match self {
            Field::Text { label, .. } | Field::Choice { label, .. } => label,
        }
    }

    /// The text, or the chosen word; empty while nothing is chosen.
    pub fn value(&self) -> &str {
        match self {
            Field::Text { input, .. } => input.value(),
            Field::Choice { options, at, .. } => at.and_then(|at| options.get(at)).copied().unwrap_or_default(),
        }
    }

    /// Which option is chosen; `None` for a text, and while nothing is chosen.
    pub fn chosen(&self) -> Option<usize> {
        if let Field::Choice { at, .. } = self { *at } else { None }
    }

    /// Takes a key. Gives whether it meant anything to this field.
    pub fn press(&mut self, key: Key) -> bool {
        match self {
            Field::Text { input, .. } => press_text(input, key),
            Field::Choice { options, at, .. } => {
                let count = options.len().max(1);
                *at = Some(match (key, *at) {
                    (Key::Right | Key::Char(' '), None) => 0,
                    (Key::Right | Key::Char(' '), Some(at)) => (at + 1) % count,
                    (Key::Left, at) => (at.unwrap_or(0) + count - 1) % count,
                    _ => return false,
                });
                true
            }
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if let Field::Text { input, .. } = self {
            paste_text(input, text);
        }
    }
}

/// Edits a line of text. Gives whether the key meant anything.
pub fn press_text(input: &mut Input, key: Key) -> bool {
    let request = match key {
        Key::Char(c) => {
            if !c.is_control() && input.value().chars().count() < LONGEST {
                input.handle(InputRequest::InsertChar(c));
            }
            return true;
        }
        Key::Backspace | Key::Ctrl('h') => InputRequest::DeletePrevChar,
        Key::Delete => InputRequest::DeleteNextChar,
        Key::Left => InputRequest::GoToPrevChar,
        Key::Right => InputRequest::GoToNextChar,
        Key::Home | Key::Ctrl('a') => InputRequest::GoToStart,
        Key::End | Key::Ctrl('e') => InputRequest::GoToEnd,
        Key::Ctrl('w') => InputRequest::DeletePrevWord,
        Key::Ctrl('u') => InputRequest::DeleteFromStart,
        Key::Ctrl('k') => InputRequest::DeleteTillEnd,
        _ => return false,
    };
    input.handle(request);
    true
}

/// Inserts pasted text without line ends, escapes and other control characters.
pub fn paste_text(input: &mut Input, text: &str) {
    let room = LONGEST.saturating_sub(input.value().chars().count());
    for c in sanitize(text).chars().take(room) {
        input.handle(InputRequest::InsertChar(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_loses_its_control_characters_and_its_excess() {
        let mut field = Field::text("reason", "", "");
        field.paste("two\r\nlines\x1b[2J");
        assert_eq!(field.value(), "two lines [2J");
        field.paste(&"x".repeat(5000));
        assert_eq!(field.value().chars().count(), LONGEST);
    }

    #[test]
    fn a_choice_goes_round() {
        let mut field = Field::choice("cause", &["scheduled", "compromise"]);
        assert_eq!((field.chosen(), field.value()), (None, ""), "nothing is chosen by itself");
        assert!(field.press(Key::Left));
        assert_eq!(field.value(), "compromise");
        assert!(field.press(Key::Char(' ')));
        assert_eq!(field.value(), "scheduled");
        assert!(!field.press(Key::Char('q')));
    }
}
