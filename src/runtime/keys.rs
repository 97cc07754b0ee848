//! What the terminal sends, as keys: a key's bytes may come apart on a slow line, and what was one key stays one.
//!
//! crossterm takes an ESC behind which nothing has come yet for the Esc key, and the rest of a cursor key for letters: a dialog
//! would close, and the letters would be commands. So an ESC is held until it is known to be alone. Waiting is the caller's.

use crate::app::keymap::Key;
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use std::time::Duration;

/// So long an ESC waits for what belongs to it: nobody feels that, and parts of one key come closer together.
const ALONE: Duration = Duration::from_millis(100);
/// So long a sequence that was begun waits for its rest: nobody types one by hand.
const WHOLE: Duration = Duration::from_millis(500);
/// A sequence that is longer is none that a key sends.
const LONGEST: usize = 16;
/// What ends a paste (xterm, bracketed paste).
const PASTED: &str = "\x1b[201~";

/// What was pressed, or pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    /// A key.
    Key(Key),
    /// A text.
    Paste(String),
}

/// What has come and is not known to be whole.
#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    /// An ESC.
    Escape,
    /// What came behind it.
    Sequence(String),
    /// A text whose beginning came apart.
    Paste(String),
}

/// Puts together what came apart.
#[derive(Debug, Default)]
pub struct Presses {
    held: Held,
}

impl Presses {
    /// For how long the next event is waited for before [`Presses::waited`]; none: for ever.
    pub fn patience(&self) -> Option<Duration> {
        match self.held {
            Held::Nothing => None,
            Held::Escape => Some(ALONE),
            Held::Sequence(_) | Held::Paste(_) => Some(WHOLE),
        }
    }

    /// Nothing has come in that time. Gives what that makes of what was held.
    pub fn waited(&mut self) -> Vec<Press> {
        match std::mem::take(&mut self.held) {
            Held::Escape => vec![Press::Key(Key::Esc)],
            Held::Paste(text) => vec![Press::Paste(text)],
            // Half a key is none.
            Held::Nothing | Held::Sequence(_) => Vec::new(),
        }
    }

    /// Takes in what has come. Gives what is whole by now.
    pub fn take(&mut self, event: Event) -> Vec<Press> {
        if !matches!(event, Event::Key(_) | Event::Paste(_)) {
            return Vec::new();
        }
        let byte = byte(&event);
        match (std::mem::take(&mut self.held), byte) {
            (Held::Nothing, Some('\x1b')) => {
                self.held = Held::Escape;
                Vec::new()
            }
            (Held::Escape, Some('\x1b')) => {
                self.held = Held::Escape;
                vec![Press::Key(Key::Esc)]
            }
            (Held::Escape, Some(first @ ('[' | 'O'))) => {
                self.held = Held::Sequence(first.into());
                Vec::new()
            }
            // Alt and that key, as where both come together: no command.
            (Held::Escape, Some(_)) => Vec::new(),
            (Held::Escape, None) => std::iter::once(Press::Key(Key::Esc)).chain(plain(event)).collect(),
            (Held::Sequence(sequence), Some(next)) => self.goes_on(sequence, next),
            (Held::Paste(text), Some(next)) => {
                let text = text + next.encode_utf8(&mut [0; 4]);
                match text.strip_suffix(PASTED) {
                    Some(whole) => vec![Press::Paste(whole.to_owned())],
                    None => {
                        self.held = Held::Paste(text);
                        Vec::new()
                    }
                }
            }
            (Held::Paste(text), None) => std::iter::once(Press::Paste(text)).chain(plain(event)).collect(),
            (Held::Nothing | Held::Sequence(_), _) => plain(event).into_iter().collect(),
        }
    }

    /// One more character of a sequence (ECMA-48: parameters, then one final character; SS3 has only that).
    fn goes_on(&mut self, mut sequence: String, next: char) -> Vec<Press> {
        sequence.push(next);
        let is_parameter = ('\x20'..='\x3f').contains(&next) && sequence.starts_with('[');
        // The Linux console has keys of two brackets.
        let is_first_of_two = sequence == "[[";
        if (is_parameter || is_first_of_two) && sequence.len() < LONGEST {
            self.held = Held::Sequence(sequence);
        } else if sequence == "[200~" {
            self.held = Held::Paste(String::new());
        } else {
            return key_of(&sequence).map(Press::Key).into_iter().collect();
        }
        Vec::new()
    }
}

/// The one byte (or character) that a terminal sends for it; none for what it sends a sequence for.
fn byte(event: &Event) -> Option<char> {
    let Event::Key(key) = event else { return None };
    if key.kind == KeyEventKind::Release || key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    match key.code {
        KeyCode::Esc => Some('\x1b'),
        KeyCode::Char(character) => Some(character),
        KeyCode::Enter => Some('\r'),
        KeyCode::Tab => Some('\t'),
        KeyCode::Backspace => Some('\x7f'),
        _ => None,
    }
}

fn plain(event: Event) -> Option<Press> {
    match event {
        Event::Key(event) => Key::from_event(event).map(Press::Key),
        Event::Paste(text) => Some(Press::Paste(text)),
        _ => None,
    }
}

/// The key that sends such a sequence (xterm, VT220 and rxvt), as far as it has a meaning here.
fn key_of(sequence: &str) -> Option<Key> {
    let last = sequence.chars().next_back().filter(|_| !sequence.starts_with("[["))?;
    let numbers = &sequence[1..sequence.len() - last.len_utf8()];
    let mut numbers = numbers.split(';').map(|number| number.parse::<u32>().unwrap_or(0));
    let (which, modifiers) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(1));
    // Alt is never a plain key.
    if modifiers.saturating_sub(1) & 2 != 0 {
        return None;
    }
    Some(match (last, which) {
        ('A', _) => Key::Up,
        ('B', _) => Key::Down,
        ('C', _) => Key::Right,
        ('D', _) => Key::Left,
        ('H', _) | ('~', 1 | 7) => Key::Home,
        ('F', _) | ('~', 4 | 8) => Key::End,
        ('Z', _) => Key::BackTab,
        ('~', 3) => Key::Delete,
        ('~', 5) => Key::PageUp,
        ('~', 6) => Key::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEvent;

    fn pressed(code: KeyCode) -> Event {
        Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn typed(character: char) -> Event {
        pressed(match character {
            '\x1b' => KeyCode::Esc,
            '\r' => KeyCode::Enter,
            character => KeyCode::Char(character),
        })
    }

    /// What these bytes give where each comes by itself; `|` is a pause that is longer than the patience.
    fn given(bytes: &str) -> Vec<Press> {
        let mut presses = Presses::default();
        bytes.chars().flat_map(|c| if c == '|' { presses.waited() } else { presses.take(typed(c)) }).collect()
    }

    #[test]
    fn a_key_whose_bytes_come_one_by_one_is_that_key_and_nothing_else() {
        let keys = [
            ("\x1b[A", Key::Up),
            ("\x1bOB", Key::Down),
            ("\x1b[C", Key::Right),
            ("\x1b[1;5D", Key::Left),
            ("\x1b[H", Key::Home),
            ("\x1b[1~", Key::Home),
            ("\x1b[8~", Key::End),
            ("\x1b[Z", Key::BackTab),
            ("\x1b[3~", Key::Delete),
            ("\x1b[5~", Key::PageUp),
            ("\x1b[6~", Key::PageDown),
        ];
        for (bytes, key) in keys {
            assert_eq!(given(&format!("{bytes}q")), [Press::Key(key), Press::Key(Key::Char('q'))], "{bytes:?}");
        }
        for nothing in ["\x1b[15~", "\x1bOP", "\x1b[[A", "\x1b[1;3A", "\x1b[|", "\x1b[1|", "\x1br", "\x1b\r"] {
            assert_eq!(given(nothing), [], "{nothing:?}");
        }
    }

    #[test]
    fn an_escape_is_the_key_once_nothing_has_come_behind_it() {
        let esc = Press::Key(Key::Esc);
        assert_eq!(given("\x1b"), [], "not yet");
        assert_eq!(given("\x1b|"), std::slice::from_ref(&esc));
        assert_eq!(given("\x1b\x1b|"), [esc.clone(), esc.clone()]);
        assert_eq!(given("\x1b|[A"), [esc.clone(), Press::Key(Key::Char('[')), Press::Key(Key::Char('A'))]);
        assert_eq!(given("q"), [Press::Key(Key::Char('q'))]);
        let mut presses = Presses::default();
        assert_eq!(presses.patience(), None, "nothing is waited for that nobody has begun");
        assert!(presses.take(typed('\x1b')).is_empty() && presses.patience() == Some(ALONE));
        assert_eq!(presses.take(pressed(KeyCode::Up)), [esc, Press::Key(Key::Up)]);
        assert_eq!(presses.patience(), None);
    }

    #[test]
    fn a_paste_whose_beginning_comes_apart_is_a_text_and_no_commands() {
        assert_eq!(given("\x1b[200~rf\r\x1b[201~q"), [Press::Paste("rf\r".into()), Press::Key(Key::Char('q'))]);
        assert_eq!(given("\x1b[200~rf|q"), [Press::Paste("rf".into()), Press::Key(Key::Char('q'))]);
        let whole = Event::Paste("rf".into());
        assert_eq!(Presses::default().take(whole), [Press::Paste("rf".into())]);
    }
}
