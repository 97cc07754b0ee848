//! How long the tokens last that the services are asked with, as it is shown: Keystone's by the last check, the console API's by
//! the file that it was read from last, which may have been replaced since.

use super::TenantStatus;
use crate::domain::preflight::{CONSOLE, Check, countdown};
use jiff::Timestamp;

impl TenantStatus {
    /// How long what a check found lasts, in words; nothing where it has no end.
    pub fn lasts(&self, check: &Check, now: Timestamp) -> Option<String> {
        let until = self.console_token_ends.filter(|_| check.name == CONSOLE).or(check.until);
        until.map(|until| countdown(until, now))
    }

    /// Every token with its end, a line each.
    pub fn tokens(&self, now: Timestamp) -> Vec<String> {
        let checks = self.preflight.iter().flat_map(|run| &run.checks);
        let checks = checks.filter(|check| check.name != CONSOLE || self.console_token_ends.is_none());
        let of_checks = checks.filter_map(|check| {
            self.lasts(check, now).map(|left| format!("{}: {}, {left}", check.name, check.finding))
        });
        let of_console = self.console_token_ends.map(|ends| {
            let (end, left) = (ends.strftime("%Y-%m-%d %H:%M:%S UTC"), countdown(ends, now));
            format!("{CONSOLE}: the token ends {end}, {left}")
        });
        of_checks.chain(of_console).collect()
    }
}
