//! Puts cells on the terminal, the first sixteen colours with the codes that terminals of 16 colours know (`ESC[31m`, `ESC[92m`):
//! crossterm writes every colour as one of 256 (`ESC[38;5;1m`), which they show as something else or not at all.
//!
//! Nothing here flushes: a frame is one write, and whoever draws it ends it.

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::Clear;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;
use std::io::{self, Write};

/// The modifiers with their codes (ECMA-48, SGR).
const MODIFIERS: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// A terminal behind a writer.
pub struct Paint<W>(W);

/// How a cell is shown.
type Look = (Color, Color, Modifier);

const PLAIN: Look = (Color::Reset, Color::Reset, Modifier::empty());

impl<W: Write> Paint<W> {
    /// Over this writer.
    pub fn new(out: W) -> Self {
        Self(out)
    }
}

impl<W: Write> Write for Paint<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The sequence after which all is shown so, whatever was before.
fn sequence((front, back, modifier): Look) -> String {
    let mut text = String::from("\x1b[0");
    // Writing to a String can't fail.
    for (_, code) in MODIFIERS.iter().filter(|(one, _)| modifier.contains(*one)) {
        _ = write!(text, ";{code}");
    }
    for (colour, base) in [(front, 30), (back, 40)] {
        if let Color::Indexed(place @ 16..) = colour {
            _ = write!(text, ";{};5;{place}", base + 8);
        } else if let Some(place) = place(colour) {
            _ = write!(text, ";{}", base + if place < 8 { place } else { place + 52 });
        }
    }
    text.push('m');
    text
}

/// Which of the 16 it is; none is the terminal's own, as is every colour that is none of them.
fn place(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(place) if place < 16 => place,
        Color::Reset | Color::Indexed(_) | Color::Rgb(..) => return None,
    })
}

impl<W: Write> Backend for Paint<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let (mut look, mut next) = (PLAIN, None);
        for (x, y, cell) in content {
            if next != Some((x, y)) {
                queue!(self.0, MoveTo(x, y))?;
            }
            next = Some((x + 1, y));
            let wanted = (cell.fg, cell.bg, cell.modifier);
            if wanted != look {
                self.0.write_all(sequence(wanted).as_bytes())?;
                look = wanted;
            }
            self.0.write_all(cell.symbol().as_bytes())?;
        }
        if look != PLAIN {
            self.0.write_all(sequence(PLAIN).as_bytes())?;
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        queue!(self.0, Hide)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        queue!(self.0, Show)
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "the terminal is asked nothing"))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        queue!(self.0, MoveTo(x, y))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        use crossterm::terminal::ClearType as Region;
        queue!(
            self.0,
            Clear(match region {
                ClearType::All => Region::All,
                ClearType::AfterCursor => Region::FromCursorDown,
                ClearType::BeforeCursor => Region::FromCursorUp,
                ClearType::CurrentLine => Region::CurrentLine,
                ClearType::UntilNewLine => Region::UntilNewLine,
            })
        )
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_the_16_has_its_own_code_and_the_others_are_of_256() {
        let of = |colour| sequence((colour, colour, Modifier::empty()));
        for place in 0..=255u8 {
            let expected = match place {
                0..8 => format!("\x1b[0;{};{}m", 30 + place, 40 + place),
                8..16 => format!("\x1b[0;{};{}m", 82 + place, 92 + place),
                _ => format!("\x1b[0;38;5;{place};48;5;{place}m"),
            };
            assert_eq!(of(Color::Indexed(place)), expected);
        }
        assert_eq!(of(Color::DarkGray), "\x1b[0;90;100m");
        assert_eq!(of(Color::Rgb(1, 2, 3)), "\x1b[0m");
        assert_eq!(sequence((Color::Red, Color::Reset, Modifier::BOLD | Modifier::REVERSED)), "\x1b[0;1;7;31m");
    }

    #[test]
    fn what_comes_after_is_not_in_the_look_of_what_was_before() {
        let cell = |symbol: &'static str, colour, modifier| {
            let mut cell = Cell::new(symbol);
            (cell.fg, cell.modifier) = (colour, modifier);
            cell
        };
        let cells = [
            cell("a", Color::Red, Modifier::BOLD),
            cell("b", Color::Red, Modifier::BOLD),
            cell("c", Color::Reset, Modifier::empty()),
            cell("d", Color::LightBlue, Modifier::empty()),
        ];
        let mut paint = Paint::new(Vec::new());
        paint.draw(cells.iter().zip([0u16, 1, 2, 7]).map(|(cell, x)| (x, 0, cell))).unwrap();
        let text = String::from_utf8(paint.0).unwrap();
        assert_eq!(text, "\x1b[1;1H\x1b[0;1;31mab\x1b[0mc\x1b[1;8H\x1b[0;94md\x1b[0m");
    }
}
