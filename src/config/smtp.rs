//! Judges `[smtp]`: the connection's protection, the addresses, and where the password comes from.
//!
//! How single values are written is `values`.

use super::file::{PasswordText, SmtpTable};
use super::rules::Rules;
use super::{Password, Security, Smtp, values};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use toml::Spanned;

impl Rules<'_> {
    pub(super) fn smtp(&mut self, at: &Range<usize>, mut table: SmtpTable) -> Smtp {
        let default = Smtp::default();
        let user_at = table.user.as_ref().map(Spanned::span);
        let security_at = table.security.as_ref().map(Spanned::span);
        let password = self.password(&mut table, user_at.as_ref());
        let user = self.optional("smtp.user", table.user, values::line);
        let smtp = Smtp {
            host: self.required("smtp.host", at, table.host, values::host),
            port: self.number("smtp.port", table.port, 1..=65535).unwrap_or(default.port),
            security: self.or("smtp.security", table.security, default.security, |text| match text {
                "starttls" => Ok(Security::StartTls),
                "tls" => Ok(Security::Tls),
                "none" => Ok(Security::None),
                _ => Err(format!("{text:?} is not known; write \"starttls\", \"tls\" or \"none\"")),
            }),
            from: self.required("smtp.from", at, table.from, values::mailbox),
            reply_to: self.optional("smtp.reply_to", table.reply_to, values::mailbox),
            user,
            password,
            ca_file: self.path("smtp.ca_file", table.ca_file),
            timeout: self.or("smtp.timeout", table.timeout, default.timeout, values::duration),
            connections: self.number("smtp.connections", table.connections, 1..=32).unwrap_or(default.connections),
            per_minute: self.number("smtp.per_minute", table.per_minute, 1..=100_000),
            retries: self.number("smtp.retries", table.retries, 0..=5).unwrap_or(default.retries),
            verp: table.verp.map_or(default.verp, Spanned::into_inner),
        };
        if let Some(span) = security_at
            && smtp.security == Security::None
            && !smtp.host.is_empty()
            && !values::is_loopback(&smtp.host)
        {
            let message = format!(
                "\"none\" is for this machine only, and {:?} is another: mails and the password would pass in clear; write \"starttls\" or \"tls\"",
                smtp.host
            );
            self.wrong("smtp.security", &span, message);
        }
        smtp
    }

    fn password(&mut self, table: &mut SmtpTable, user: Option<&Range<usize>>) -> Password {
        let text = table.password.take();
        let file = table.password_file.take();
        let command = table.password_command.take();
        let spans = [
            ("smtp.password", text.as_ref().map(Spanned::span)),
            ("smtp.password_file", file.as_ref().map(Spanned::span)),
            ("smtp.password_command", command.as_ref().map(Spanned::span)),
        ];
        let given: Vec<_> = spans.iter().filter_map(|(field, span)| Some((*field, span.clone()?))).collect();
        let broken = spans.iter().any(|(field, _)| self.problems.is_broken(field));
        match (given.as_slice(), user) {
            ([], Some(user)) if !broken => {
                let message = "there is a user but no password: add password_file or password_command";
                self.wrong("smtp.user", user, message);
            }
            ([(field, span), ..], None) if !self.problems.is_broken("smtp.user") => {
                self.wrong(field, span, "there is a password but no smtp.user: add user, or take this away");
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
        if let Some(text) = text {
            return self.password_text(text);
        }
        if let Some(path) = self.private_file("smtp.password_file", file) {
            return Password::File(path);
        }
        match command {
            Some(command) => Password::Command(self.argv("smtp.password_command", command, &[], &[])),
            None => Password::None,
        }
    }

    /// A password in this file is accepted only if nobody else can read the file.
    fn password_text(&mut self, written: Spanned<PasswordText>) -> Password {
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
            self.wrong("smtp.password", &span, message);
        }
        let password = written.into_inner().0;
        if password.is_empty() {
            self.wrong("smtp.password", &span, "is empty");
        }
        Password::Text(password)
    }
}
