//! Keys as the model knows them, made from what crossterm reads; which command a key means stands in `command`.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key press. Everything that a plain terminal over SSH can send and that has a meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // Named as on the keyboard.
pub enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Backspace,
    Delete,
}

impl Key {
    /// As it stands in the footer, in the help and in the README.
    pub fn label(self) -> String {
        match self {
            Key::Char(' ') => "Space".into(),
            Key::Char(c) => c.to_string(),
            Key::Ctrl(c) => format!("Ctrl-{}", c.to_ascii_uppercase()),
            Key::PageUp => "PgUp".into(),
            Key::PageDown => "PgDn".into(),
            Key::BackTab => "Shift-Tab".into(),
            key => format!("{key:?}"),
        }
    }

    /// What crossterm read; `None` for releases, repeats without a press, and keys without a meaning here.
    pub fn from_event(event: KeyEvent) -> Option<Key> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        // Alt is never a plain letter: Esc and a letter arriving together must not run a command.
        if event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        Some(match event.code {
            KeyCode::Char(c) if control => Key::Ctrl(c.to_ascii_lowercase()),
            KeyCode::Char(c) if !c.is_control() => Key::Char(c),
            KeyCode::Enter => Key::Enter,
            KeyCode::Esc => Key::Esc,
            KeyCode::Tab => Key::Tab,
            KeyCode::BackTab => Key::BackTab,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::PageUp => Key::PageUp,
            KeyCode::PageDown => Key::PageDown,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Delete => Key::Delete,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_alt_letters_are_no_commands() {
        let press = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::NONE);
        assert_eq!(Key::from_event(press), Some(Key::Char('r')));
        assert_eq!(Key::from_event(KeyEvent { kind: KeyEventKind::Release, ..press }), None);
        assert_eq!(Key::from_event(KeyEvent { modifiers: KeyModifiers::ALT, ..press }), None);
    }

    #[test]
    fn a_capital_letter_stays_a_capital_letter() {
        let event = KeyEvent::new(KeyCode::Char('R'), KeyModifiers::SHIFT);
        assert_eq!(Key::from_event(event), Some(Key::Char('R')));
    }
}
