//! Judges `[smtp]`: the connection's protection and the addresses.
//!
//! How single values are written is `values`, where the password comes from is `passwords`.

use super::file::SmtpTable;
use super::passwords::Sources;
use super::rules::Rules;
use super::{Smtp, values};
use std::ops::Range;
use toml::Spanned;

impl Rules<'_> {
    pub(super) fn smtp(&mut self, at: &Range<usize>, table: SmtpTable) -> Smtp {
        let default = Smtp::default();
        let user_at = table.user.as_ref().map(Spanned::span);
        let security_at = table.security.as_ref().map(Spanned::span);
        let sources = Sources {
            section: "smtp",
            text: table.password,
            file: table.password_file,
            command: table.password_command,
            token: None,
        };
        let (password, _) = self.password(sources, user_at.as_ref());
        let user = self.optional("smtp.user", table.user, values::line);
        let smtp = Smtp {
            host: self.required("smtp.host", at, table.host, values::host),
            port: self.number("smtp.port", table.port, 1..=65535).unwrap_or(default.port),
            security: self.or("smtp.security", table.security, default.security, values::security),
            from: self.required("smtp.from", at, table.from, values::mailbox),
            reply_to: self.optional("smtp.reply_to", table.reply_to, values::mailbox),
            user,
            password,
            ca_file: self.trusted("smtp.ca_file", table.ca_file),
            timeout: self.or("smtp.timeout", table.timeout, default.timeout, values::duration),
            connections: self.number("smtp.connections", table.connections, 1..=32).unwrap_or(default.connections),
            per_minute: self.number("smtp.per_minute", table.per_minute, 1..=100_000),
            retries: self.number("smtp.retries", table.retries, 0..=5).unwrap_or(default.retries),
            verp: table.verp.map_or(default.verp, Spanned::into_inner),
        };
        self.clear_is_for_loopback("smtp.security", security_at, smtp.security, &smtp.host);
        smtp
    }
}
