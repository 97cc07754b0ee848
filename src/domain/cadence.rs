//! How old a key is and when it is due, against the runbook's cadence of 12 months.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// How a key stands against the cadence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Due {
    /// More than 30 days left.
    Later,
    /// Due within 30 days.
    Soon,
    /// Past its due date.
    Overdue,
}

/// The day a key made at `created` is due, `months` calendar months later (UTC).
///
/// `None` only where the calendar ends (year 9999).
pub fn due_date(created: Timestamp, months: u32) -> Option<Timestamp> {
    let made = created.to_zoned_datetime(TimeZone::UTC);
    made.checked_add(Span::new().try_months(months).ok()?).ok().map(|z| z.timestamp())
}

/// How the due date stands `now`.
pub fn judge_due(due: Timestamp, now: Timestamp) -> Due {
    let left = due.as_second() - now.as_second();
    if left < 0 {
        Due::Overdue
    } else if left <= 30 * 86_400 {
        Due::Soon
    } else {
        Due::Later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_months_are_calendar_months() {
        let made: Timestamp = "2024-02-29T10:00:00Z".parse().unwrap();
        let due = due_date(made, 12).unwrap();
        assert_eq!(due.to_string(), "2025-02-28T10:00:00Z");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(judge_due(due, at("2025-01-01T00:00:00Z")), Due::Later);
        assert_eq!(judge_due(due, at("2025-02-01T00:00:00Z")), Due::Soon);
        assert_eq!(judge_due(due, at("2025-03-01T00:00:00Z")), Due::Overdue);
    }
}
