//! In which manner somebody works here: only looking, on a slow link, in a captive login; and how they are called back to the screen.

/// How the terminal tells that what was waited for has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// It rings.
    Bell,
    /// It rings, and a terminal that can shows a notification of the desktop (OSC 9).
    Desktop,
}

impl Notify {
    /// By its word. Errors: it is none.
    pub fn of(word: Option<&str>) -> Result<Self, String> {
        match word.map(str::trim).unwrap_or_default() {
            "" | "off" => Ok(Notify::Off),
            "bell" => Ok(Notify::Bell),
            "desktop" => Ok(Notify::Desktop),
            other => Err(format!("{other:?} is no way to be told: off, bell or desktop")),
        }
    }
}

/// In which manner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Nothing is changed, sent or recorded from here.
    pub read_only: bool,
    /// The login has this screen and nothing else: no key leads to a shell.
    pub captive: bool,
    /// The link is slow: what others do is drawn seldom.
    pub low_bandwidth: bool,
    /// How the terminal tells that what was waited for has come.
    pub notify: Notify,
}

impl Manner {
    /// Why nothing can be done from here; none where it can.
    pub fn forbids(self) -> Option<&'static str> {
        self.read_only.then_some("read-only: nothing is changed from here (--read-only, or security.read_only)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_how_to_be_told() {
        assert_eq!([Notify::of(None), Notify::of(Some("bell"))], [Ok(Notify::Off), Ok(Notify::Bell)]);
        assert!(Notify::of(Some("loud")).is_err_and(|why| why.contains("off, bell or desktop")));
    }
}
