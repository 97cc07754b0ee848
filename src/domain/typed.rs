//! A command line of this program as an operator pastes it into a shell: with the program's name, each word quoted where a shell
//! would read more in it, and what only a person can say as a placeholder that is refused where it was left as it stands.

use crate::domain::sanitize::shell_word;
use std::fmt;
use std::sync::OnceLock;

/// The program's name.
pub const PROGRAM: &str = "changeguard";

/// What this process was told on its command line that any other one needs too, to reach the same subjects.
static CALLED_WITH: OnceLock<String> = OnceLock::new();

/// From now on each line names this configuration: without it, another one would be read. Once for a process.
pub fn called_with(config: &str) {
    let _ = CALLED_WITH.set(format!(" --config {}", shell_word(config)));
}

/// Stands for a reason.
pub const WHY: &str = "WHY";

/// Stands for a text.
pub const TEXT: &str = "TEXT";

/// Stands for one of several words.
pub const MEANING: &str = "MEANING";

/// A command line that is being put together; displayed as it is pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed(String);

impl Typed {
    /// The line of a subcommand, such as `resume` or `mail decide`.
    pub fn of(subcommand: &str) -> Self {
        let options = CALLED_WITH.get().map(String::as_str).unwrap_or_default();
        Self(format!("{PROGRAM}{options} {subcommand}"))
    }

    /// With one word more.
    pub fn word(self, word: &str) -> Self {
        Self(format!("{} {}", self.0, shell_word(word)))
    }

    /// With an option and its value.
    pub fn option(self, name: &str, value: &str) -> Self {
        self.flag(name).word(value)
    }

    /// With an option that has no value.
    pub fn flag(self, name: &str) -> Self {
        Self(format!("{} --{name}", self.0))
    }

    /// With a reason that is still to be given.
    pub fn why(self) -> Self {
        Self(format!("{} \"{WHY}\"", self.flag("reason").0))
    }

    /// With a text that is still to be given.
    pub fn text(self) -> Self {
        Self(format!("{} \"{TEXT}\"", self.0))
    }

    /// With one of several words that is still to be chosen.
    pub fn meaning(self) -> Self {
        Self(format!("{} {MEANING}", self.flag("as").0))
    }
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a person has said something with it: neither dots or dashes only, nor a placeholder that was pasted along.
pub fn says_something(text: &str) -> bool {
    let word = text.trim().trim_matches(['"', '\'']);
    text.chars().any(char::is_alphanumeric) && ![WHY, TEXT, MEANING].iter().any(|held| held.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_programs_name_and_what_a_shell_would_read_in_quotes() {
        let line = Typed::of("resolve").word("Müller's & Co").option("done", "true").why();
        assert_eq!(line.to_string(), r#"changeguard resolve 'Müller'\''s & Co' --done true --reason "WHY""#);
        assert_eq!(Typed::of("note").word("acme").text().to_string(), r#"changeguard note acme "TEXT""#);
        assert_eq!(
            Typed::of("mail decide").word("a").word("12").meaning().to_string(),
            "changeguard mail decide a 12 --as MEANING"
        );
    }

    #[test]
    fn a_placeholder_says_nothing() {
        for nothing in ["", " ", "...", "-", "\u{2026}", WHY, TEXT, " WHY ", "\"WHY\"", MEANING, "why", "Why"] {
            assert!(!says_something(nothing), "{nothing:?}");
        }
        for something in ["why not", "the text", "ticket 12"] {
            assert!(says_something(something), "{something:?}");
        }
    }
}
