//! Where and how a configuration file is wrong: file, line, column, field, what is wrong and what would be right.
//!
//! Finding the problems is left to `file`, `rules` and `contacts`.

use super::trust::{self, Distrust};
use crate::domain::sanitize::sanitize;
use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The field as a path, for example `smtp.host` or `tenant[0].id`; empty for an error of syntax.
    pub field: String,
    /// What is wrong and what would be right, sanitized.
    pub message: String,
    /// The line itself and how many characters of it are meant. Never a line that may hold a password.
    pub excerpt: Option<(String, usize)>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file.display(), self.line, self.column)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        if let Some((text, length)) = &self.excerpt {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            let before = " ".repeat(self.column.saturating_sub(1));
            write!(f, "\n  {number} | {text}\n  {gutter} | {before}{}", "^".repeat((*length).max(1)))?;
        }
        Ok(())
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither `$XDG_CONFIG_HOME` nor `$HOME` is set, and no file was named.
    #[error(
        "there is no place to look for the configuration: neither XDG_CONFIG_HOME nor HOME is set; name a file with --config"
    )]
    NoPlace,
    /// The file is not there.
    #[error("{} does not exist; copy changeguard.example.toml there, or name another file with --config", .0.display())]
    Missing(PathBuf),
    /// The file is there and can't be read.
    #[error("{} can't be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Somebody else can change it, and its commands are run.
    #[error("{0}; nothing of it was read")]
    Untrusted(String),
    /// The file, or one that it names, is wrong: everything that was found, in the order of the lines.
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
}

impl ConfigError {
    /// The single problems; empty when the file could not be read at all.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Problems(problems) => problems,
            _ => &[],
        }
    }
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

/// A file's text, wiped when dropped since it may hold a password, with its name.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: Zeroizing<String>,
}

impl Source {
    /// Reads a file. Errors: it is not there, not readable, not UTF-8, or others can change it.
    pub(super) fn open(path: PathBuf) -> Result<Self, ConfigError> {
        match trust::trusted(&path) {
            Ok(()) => {}
            Err(Distrust::Unreadable(ErrorKind::NotFound, _)) => return Err(ConfigError::Missing(path)),
            Err(Distrust::Unreadable(_, why)) => return Err(ConfigError::Unreadable { path, why: sanitize(&why) }),
            Err(Distrust::Foreign(why)) => return Err(ConfigError::Untrusted(why)),
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text: Zeroizing::new(text) }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(ConfigError::Missing(path)),
            Err(error) => Err(ConfigError::Unreadable { path, why: sanitize(&error.to_string()) }),
        }
    }

    /// The folder at which relative paths of this file start.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Whether a password is written in it. Then a broken line may be the middle of one.
    fn holds_password(&self) -> bool {
        self.text.match_indices("password").any(|(at, word)| {
            let rest = self.text[at + word.len()..].trim_start_matches(['"', '\'']);
            rest.trim_start().starts_with('=')
        })
    }

    fn place(&self, at: usize) -> (usize, usize, &str) {
        let at = (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let before = &self.text[..at];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let text = self.text[start..].lines().next().unwrap_or_default();
        (line, before[start..].chars().count() + 1, text)
    }
}

/// Everything found so far.
#[derive(Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    broken: BTreeSet<String>,
}

impl Problems {
    /// Notes one problem at a place of a file.
    pub(super) fn add(&mut self, source: &Source, span: &Range<usize>, field: &str, message: impl AsRef<str>) {
        let (line, column, text) = source.place(span.start);
        let plain = text.chars().all(|c| !c.is_control());
        // `password_file` is fine to show; the line of a password, or one in whose middle something is wrong, is not.
        let hidden = (text.contains("password") && !text.trim_start().starts_with("password_"))
            || (field.is_empty() && source.holds_password());
        let excerpt = (plain && !hidden && !span.is_empty()).then(|| {
            let rest = text.chars().count().saturating_sub(column - 1);
            let length = source.text.get(span.clone()).map_or(1, |part| part.chars().count());
            (text.trim_end().to_owned(), length.min(rest))
        });
        self.broken.insert(field.to_owned());
        self.list.push(Problem {
            file: source.path.clone(),
            line,
            column,
            field: field.to_owned(),
            message: sanitize(message.as_ref()),
            excerpt,
        });
    }

    /// The same for a value that may hold a password: its line is not shown.
    pub(super) fn add_hidden(&mut self, source: &Source, span: &Range<usize>, field: &str, message: impl AsRef<str>) {
        self.add(source, span, field, message);
        if let Some(problem) = self.list.last_mut() {
            problem.excerpt = None;
        }
    }

    /// Whether this field already has a problem, so that "missing" would mislead.
    pub(super) fn is_broken(&self, field: &str) -> bool {
        self.broken.contains(field)
    }

    /// All problems in the order of the lines, or none.
    pub(super) fn into_error(mut self) -> Option<ConfigError> {
        self.list.sort();
        self.list.dedup();
        (!self.list.is_empty()).then_some(ConfigError::Problems(self.list))
    }
}
