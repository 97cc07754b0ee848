//! Which colours the terminal is given: roles have names, and each palette says what they look like.

/// The colours that the roles of the screen are drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// None: words, glyphs and weight say everything.
    None,
    /// The terminal's own sixteen.
    Sixteen,
    /// 256 colours on a dark background.
    Dark,
    /// 256 colours on a light background.
    Light,
    /// The bright ones of the sixteen, for tired eyes and poor screens.
    Contrast,
}

impl Palette {
    /// All of them, by the word that chooses each.
    pub const ALL: [(&'static str, Palette); 5] = [
        ("none", Palette::None),
        ("16", Palette::Sixteen),
        ("dark", Palette::Dark),
        ("light", Palette::Light),
        ("contrast", Palette::Contrast),
    ];

    /// The palette for a terminal: what was asked for by a word, else what TERM can show; none where colour is not wanted.
    pub fn choose(asked: Option<&str>, term: &str, no_colour: bool) -> Result<Palette, String> {
        let word = asked.map(str::trim).filter(|word| !word.is_empty());
        match word {
            Some(word) => Self::ALL
                .into_iter()
                .find(|(name, _)| *name == word)
                .map(|(_, palette)| if no_colour { Palette::None } else { palette })
                .ok_or_else(|| format!("{word:?} is no theme: none, 16, dark, light or contrast")),
            None if no_colour || ["dumb", "vt100", "vt102", "vt220"].contains(&term) => Ok(Palette::None),
            None if term.contains("256color") => Ok(Palette::Dark),
            None => Ok(Palette::Sixteen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_what_it_can_show_and_a_word_chooses() {
        let of = |asked, term| Palette::choose(asked, term, false);
        assert_eq!(of(None, "xterm-256color"), Ok(Palette::Dark));
        assert_eq!(of(None, "linux"), Ok(Palette::Sixteen));
        assert_eq!(of(None, "vt100"), Ok(Palette::None));
        assert_eq!(of(Some("light"), "xterm"), Ok(Palette::Light));
        assert_eq!(Palette::choose(Some("light"), "xterm", true), Ok(Palette::None), "NO_COLOR comes first");
        assert!(of(Some("pink"), "xterm").is_err_and(|why| why.contains("dark, light")));
    }
}
