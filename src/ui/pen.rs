//! How text comes onto the screen: fitted to its column by display width, cut with a mark, ASCII where it must be.
//!
//! Everything drawn passes [`Pen::put`], so no string can leave its column or move the cursor.

use crate::ui::glyphs::{Glyphs, in_ascii};
use crate::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Draws into a buffer.
pub struct Pen<'a> {
    /// Where to.
    pub buffer: &'a mut Buffer,
    /// Which characters.
    pub glyphs: &'static Glyphs,
    /// Which styles.
    pub theme: Theme,
}

/// A text and its style.
pub type Piece<'a> = (Cow<'a, str>, Style);

/// A piece.
pub fn piece<'a>(text: impl Into<Cow<'a, str>>, style: Style) -> Piece<'a> {
    (text.into(), style)
}

impl Pen<'_> {
    /// Writes a text into `width` columns; gives how many it took.
    pub fn put(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let screen = self.buffer.area;
        if width == 0 || x >= screen.right() || y >= screen.bottom() {
            return 0;
        }
        let width = width.min(screen.right() - x);
        let text = fit(text, usize::from(width), self.glyphs);
        let (end, _) = self.buffer.set_stringn(x, y, text, usize::from(width), style);
        end - x
    }

    /// Writes pieces one after the other into `width` columns; gives how many they took.
    pub fn flow(&mut self, x: u16, y: u16, width: u16, pieces: &[Piece<'_>]) -> u16 {
        let mut used = 0;
        for (text, style) in pieces {
            used += self.put(x + used, y, width - used, text, *style);
            if used >= width {
                break;
            }
        }
        used
    }

    /// Writes a text so that it ends at the right edge of `width` columns.
    pub fn put_right(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) {
        let fitted = fit(text, usize::from(width), self.glyphs).into_owned();
        let used = fitted.width() as u16;
        self.put(x + width.saturating_sub(used), y, used, &fitted, style);
    }

    /// A rule with a heading in it.
    pub fn rule(&mut self, x: u16, y: u16, width: u16, title: &str, focused: bool) {
        let (quiet, style) = (self.theme.quiet(), self.theme.line());
        let line = self.glyphs.rule.repeat(usize::from(width));
        self.put(x, y, width, &line, style);
        if !title.is_empty() && width > 6 {
            let style = if focused { self.theme.strong() } else { quiet };
            let title = fit(title, usize::from(width - 5), self.glyphs).into_owned();
            self.put(x + 2, y, width - 2, &format!(" {title} "), style);
        }
    }

    /// Gives a whole line of a rectangle a style on top of what it has.
    pub fn highlight(&mut self, x: u16, y: u16, width: u16, style: Style) {
        let rect = Rect::new(x, y, width, 1).intersection(self.buffer.area);
        self.buffer.set_style(rect, style);
    }

    /// Empties a rectangle.
    pub fn clear(&mut self, rect: Rect) {
        let rect = rect.intersection(self.buffer.area);
        for y in rect.top()..rect.bottom() {
            for x in rect.left()..rect.right() {
                self.buffer[(x, y)].reset();
            }
        }
    }

    /// A bar of `width` columns.
    pub fn bar(&self, done: u64, total: u64, width: u16) -> String {
        let width = u64::from(width);
        let full = done.min(total).saturating_mul(width).checked_div(total).unwrap_or(0) as usize;
        format!("{}{}", self.glyphs.full.repeat(full), self.glyphs.empty.repeat(width as usize - full))
    }
}

/// The text in at most `width` columns, with a mark where it was cut; without control characters.
pub fn fit<'a>(text: &'a str, width: usize, glyphs: &Glyphs) -> Cow<'a, str> {
    let clean: Cow<'a, str> = if glyphs.ascii && !text.is_ascii() {
        let mut ascii = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else {
                ascii.push_str(in_ascii(c));
            }
        }
        Cow::Owned(ascii)
    } else {
        Cow::Borrowed(text)
    };
    let clean = if clean.chars().any(char::is_control) {
        Cow::Owned(clean.chars().filter(|c| !c.is_control()).collect())
    } else {
        clean
    };
    if clean.width() <= width {
        return clean;
    }
    if width == 0 {
        return Cow::Borrowed("");
    }
    let (mut cut, mut used) = (String::new(), 0);
    for c in clean.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width - 1 {
            break;
        }
        cut.push(c);
        used += wide;
    }
    cut.push_str(glyphs.ellipsis);
    Cow::Owned(cut)
}

/// Breaks a text into lines of at most `width` columns, at spaces where there are any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, mut used) = (String::new(), 0);
        for word in paragraph.split(' ') {
            let long = word.width();
            if used > 0 && used + 1 + long > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else if used > 0 || !line.is_empty() {
                line.push(' ');
                used += 1;
            }
            for c in word.chars().filter(|c| !c.is_control()) {
                let wide = c.width().unwrap_or(0);
                if used + wide > width {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += wide;
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Charset;
    use crate::ui::glyphs::glyphs;

    #[test]
    fn wide_names_are_cut_by_columns_not_by_characters() {
        assert_eq!(fit("日本語テナント", 8, glyphs(Charset::Utf8)), "日本語…");
        assert_eq!(fit("日本", 4, glyphs(Charset::Utf8)), "日本");
        assert_eq!(fit("acme-production", 8, glyphs(Charset::Ascii)), "acme-pr~");
    }

    #[test]
    fn ascii_terminals_get_ascii_of_the_same_width() {
        assert_eq!(fit("Zoë 日", 10, glyphs(Charset::Ascii)), "Zo? ??");
    }

    #[test]
    fn a_long_word_is_broken_and_spaces_are_preferred() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_wider_than_its_column(text in ".{0,60}", width in 0usize..30) {
            for charset in [Charset::Utf8, Charset::Ascii] {
                let fitted = fit(&text, width, glyphs(charset)).into_owned();
                // A sequence of emoji may be narrower than the sum of its characters, never wider.
                proptest::prop_assert!(fitted.width() <= width, "{fitted:?}");
            }
        }
    }
}
