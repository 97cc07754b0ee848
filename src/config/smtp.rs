//! `[smtp]`: the mail server, and how its section is judged: the connection's protection and the addresses.
//!
//! How single values are written is `values`, where the password comes from is `passwords`.

use super::file::SmtpTable;
use super::passwords::Sources;
use super::rules::Rules;
use super::{Password, Security, values};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// `[smtp]`: the mail server.
#[derive(Clone, Debug, PartialEq)]
pub struct Smtp {
    /// Its name. Required.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who writes, `Name <address>`. Required.
    pub from: String,
    /// Where answers go; `None`: to `from`.
    pub reply_to: Option<String>,
    /// For AUTH.
    pub user: Option<String>,
    /// For AUTH.
    pub password: Password,
    /// An authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// For one mail.
    pub timeout: Duration,
    /// How many at once.
    pub connections: usize,
    /// A limit that the relay sets.
    pub per_minute: Option<u32>,
    /// How often a mail that was refused for the moment is tried again within one run.
    pub retries: u32,
    /// Whether delivery reports go to an address of their own per client. Needs an inbox with a separator.
    pub verp: bool,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            security: Security::StartTls,
            from: String::new(),
            reply_to: None,
            user: None,
            password: Password::None,
            ca_file: None,
            timeout: Duration::from_secs(30),
            connections: 4,
            per_minute: None,
            retries: 3,
            verp: false,
        }
    }
}

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
