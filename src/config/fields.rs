//! Looks up one written field: its default, whether it must be there, its range, its path, its argv.
//!
//! What is right for which field is `rules` and `smtp`; how values are written is `values`.

use super::file::Value;
use super::rules::Rules;
use super::trust::{self, Distrust};
use super::values;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use toml::Spanned;

impl Rules<'_> {
    /// Notes a problem.
    pub(super) fn wrong(&mut self, field: &str, span: &Range<usize>, message: impl AsRef<str>) {
        self.problems.add(self.source, span, field, message);
    }

    /// The written value as `read` understands it; `None` if nothing is written or it is wrong.
    pub(super) fn optional<T>(
        &mut self,
        field: &str,
        written: Value<String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let written = written?;
        match read(written.get_ref()) {
            Ok(value) => Some(value),
            Err(message) => {
                self.wrong(field, &written.span(), message);
                None
            }
        }
    }

    /// The written value or the default.
    pub(super) fn or<T>(
        &mut self,
        field: &str,
        written: Value<String>,
        default: T,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        self.optional(field, written, read).unwrap_or(default)
    }

    /// A value that must be there. `at` is its section, where the problem is shown if it is not.
    pub(super) fn required<T: Default>(
        &mut self,
        field: &str,
        at: &Range<usize>,
        written: Value<String>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        if written.is_none() && !self.problems.is_broken(field) {
            self.wrong(field, at, "is required and is not there");
        }
        self.optional(field, written, read).unwrap_or_default()
    }

    /// A whole number within bounds.
    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        field: &str,
        written: Value<i64>,
        range: RangeInclusive<i64>,
    ) -> Option<T> {
        let written = written?;
        let number = *written.get_ref();
        let value = T::try_from(number).ok().filter(|_| range.contains(&number));
        if value.is_none() {
            let message = format!("{number} is out of range; write {} to {}", range.start(), range.end());
            self.wrong(field, &written.span(), message);
        }
        value
    }

    /// A path, resolved.
    pub(super) fn path(&mut self, field: &str, written: Value<String>) -> Option<PathBuf> {
        let (home, folder) = (self.home.clone(), self.source.folder().to_owned());
        self.optional(field, written, |text| values::path(text, home.as_deref(), &folder))
    }

    /// The path of a file that decides whom we believe: nobody else may change it. One that is not there is told by `check`.
    pub(super) fn trusted(&mut self, field: &str, written: Value<String>) -> Option<PathBuf> {
        self.judged(field, written, trust::trusted)
    }

    /// The same of a folder with everything in it.
    pub(super) fn folder(&mut self, field: &str, written: Value<String>) -> Option<PathBuf> {
        self.judged(field, written, trust::trusted_folder)
    }

    fn judged(
        &mut self,
        field: &str,
        written: Value<String>,
        judge: impl Fn(&Path) -> Result<(), Distrust>,
    ) -> Option<PathBuf> {
        let span = written.as_ref().map(Spanned::span)?;
        let path = self.path(field, written)?;
        if let Err(Distrust::Foreign(message)) = judge(&path) {
            self.wrong(field, &span, message);
        }
        Some(path)
    }

    /// The path of a file that nobody else may read.
    pub(super) fn private_file(&mut self, field: &str, written: Value<String>) -> Option<PathBuf> {
        let span = written.as_ref().map(Spanned::span)?;
        let path = self.path(field, written)?;
        if let Err(message) = values::private(&path) {
            self.wrong(field, &span, message);
        }
        Some(path)
    }

    /// A command as an argv: not empty, only known placeholders, and each of the needed ones somewhere.
    pub(super) fn argv(
        &mut self,
        field: &str,
        written: Spanned<Vec<Spanned<String>>>,
        known: &[&str],
        needed: &[&str],
    ) -> Vec<String> {
        let span = written.span();
        let words = written.into_inner();
        if words.first().is_none_or(|word| word.get_ref().trim().is_empty()) {
            self.wrong(field, &span, "is empty; write the program and its arguments, each in quotes");
            return Vec::new();
        }
        for word in &words {
            let text = word.get_ref();
            if text.chars().any(char::is_control) {
                self.wrong(field, &word.span(), "holds a control character");
            } else if let Err(message) = values::placeholders(text, known) {
                self.wrong(field, &word.span(), message);
            }
        }
        for placeholder in needed {
            if !words.iter().any(|word| word.get_ref().contains(placeholder)) {
                self.wrong(field, &span, format!("must hold {placeholder}"));
            }
        }
        words.into_iter().map(Spanned::into_inner).collect()
    }
}
