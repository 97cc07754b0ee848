//! Judges where a password comes from: one source, a private file, and a user that it belongs to.
//!
//! How single values are written is `values`.

use super::Password;
use super::file::{PasswordText, Value};
use super::rules::Rules;
use crate::domain::transport::is_loopback;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use toml::Spanned;

/// A command as it is written.
type Argv = Value<Vec<Spanned<String>>>;

/// Everything from which a section takes a password.
pub(super) struct Sources {
    /// `smtp` or `inbox`.
    pub(super) section: &'static str,
    pub(super) text: Value<PasswordText>,
    pub(super) file: Value<String>,
    pub(super) command: Argv,
    /// `oauth2_command`: an access token in place of a password.
    pub(super) token: Argv,
}

impl Rules<'_> {
    /// The password, and the command for an access token where that is written. `user` is where the user stands.
    pub(super) fn password(
        &mut self,
        sources: Sources,
        user: Option<&Range<usize>>,
    ) -> (Password, Option<Vec<String>>) {
        let section = sources.section;
        let field = |name: &str| format!("{section}.{name}");
        let spans = [
            (field("password"), sources.text.as_ref().map(Spanned::span)),
            (field("password_file"), sources.file.as_ref().map(Spanned::span)),
            (field("password_command"), sources.command.as_ref().map(Spanned::span)),
            (field("oauth2_command"), sources.token.as_ref().map(Spanned::span)),
        ];
        let given: Vec<_> = spans.iter().filter_map(|(field, span)| Some((field.as_str(), span.clone()?))).collect();
        let broken = spans.iter().any(|(field, _)| self.problems.is_broken(field));
        match (given.as_slice(), user) {
            ([], Some(user)) if !broken => {
                let or = if section == "inbox" { ", or oauth2_command" } else { "" };
                let message = format!("there is a user but no password: add password_file or password_command{or}");
                self.wrong(&field("user"), user, message);
            }
            ([(first, span), ..], None) if !self.problems.is_broken(&field("user")) => {
                let message = format!("there is a password but no {section}.user: add user, or take this away");
                self.wrong(first, span, message);
            }
            ([(first, _), rest @ ..], _) => {
                for (field, span) in rest {
                    let message =
                        format!("{first} is there already; one source of the password is enough, take one away");
                    self.wrong(field, span, message);
                }
            }
            _ => {}
        }
        let token = sources.token.map(|token| self.argv(&field("oauth2_command"), token, &[], &[]));
        if let Some(text) = sources.text {
            return (self.password_text(&field("password"), text), token);
        }
        if let Some(path) = self.private_file(&field("password_file"), sources.file) {
            return (Password::File(path), token);
        }
        let command = sources.command.map(|command| self.argv(&field("password_command"), command, &[], &[]));
        (command.map_or(Password::None, Password::Command), token)
    }

    /// A password in this file is accepted only if nobody else can read the file.
    fn password_text(&mut self, field: &str, written: Spanned<PasswordText>) -> Password {
        let span = written.span();
        let file = self.source.path.clone();
        // A file that was readable a moment ago and has no mode now is judged as open.
        let mode = std::fs::metadata(&file).map_or(0o777, |metadata| metadata.mode());
        if mode & 0o077 != 0 {
            let message = format!(
                "a password stands in a file that others can read (mode {:04o}); run: chmod 600 {} - or better use password_file",
                mode & 0o7777,
                file.display()
            );
            self.wrong(field, &span, message);
        }
        let password = written.into_inner().0;
        if password.is_empty() {
            self.wrong(field, &span, "is empty");
        }
        Password::Text(password)
    }

    /// Without TLS only to this machine. `at` is where `security` stands.
    pub(super) fn clear_is_for_loopback(
        &mut self,
        field: &str,
        at: Option<Range<usize>>,
        security: super::Security,
        host: &str,
    ) {
        if let Some(span) = at
            && security == super::Security::None
            && !host.is_empty()
            && !is_loopback(host)
        {
            let message = format!(
                "\"none\" is for this machine only, and {host:?} is another: mails and the password would pass in clear; write \"starttls\" or \"tls\""
            );
            self.wrong(field, &span, message);
        }
    }
}
