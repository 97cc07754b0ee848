//! `[reminders]`: when those who do not answer are reminded without an operator asking for it.

use super::file::Value;
use super::rules::{Rules, split};
use super::values;
use crate::domain::reminder::Schedule;
use jiff::SignedDuration;
use jiff::civil::Time;
use serde::Deserialize;
use std::time::Duration;
use toml::Spanned;

/// `[reminders]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RemindersTable {
    enabled: Value<bool>,
    first_after: Value<String>,
    every: Value<String>,
    at_most: Value<i64>,
    last_before: Value<String>,
    quiet: Value<String>,
    weekends: Value<bool>,
}

/// The most reminders of one question to one person.
const MOST: i64 = 20;

impl Rules<'_> {
    /// The schedule; `None` unless it is enabled.
    pub(super) fn reminders(&mut self, table: Value<RemindersTable>) -> Option<Schedule> {
        let (_, table) = split(table);
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let mut duration = |field: &str, value, default| {
            let found = self.or(field, value, default, values::duration);
            SignedDuration::try_from(found).unwrap_or(SignedDuration::MAX)
        };
        let first_after = duration("reminders.first_after", table.first_after, hours(24));
        let every = duration("reminders.every", table.every, hours(24));
        let last_before = duration("reminders.last_before", table.last_before, hours(2));
        let at_most = match table.at_most {
            None => 3,
            Some(written) if (0..=MOST).contains(written.get_ref()) => written.into_inner(),
            Some(written) => {
                let message = format!("{} is not a number of reminders; 0 to {MOST} are", written.get_ref());
                self.problems.add(self.source, &written.span(), "reminders.at_most", message);
                0
            }
        };
        let night = "20:00-07:00".to_owned();
        let quiet = self.or("reminders.quiet", table.quiet, quiet(&night).unwrap_or(None), quiet);
        let schedule = Schedule {
            first_after,
            every,
            at_most: u32::try_from(at_most).unwrap_or_default(),
            last_before,
            quiet,
            weekends: table.weekends.is_some_and(Spanned::into_inner),
        };
        table.enabled.is_some_and(Spanned::into_inner).then_some(schedule)
    }
}

/// `20:00-07:00`, or empty for none.
fn quiet(text: &str) -> Result<Option<(Time, Time)>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || format!("{text:?} are no quiet hours; write \"20:00-07:00\", or \"\" for none");
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| wrong());
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (time(from)?, time(to)?);
    if from == to { Err(wrong()) } else { Ok(Some((from, to))) }
}
