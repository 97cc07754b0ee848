//! When somebody who has not answered is reminded: after a while, again after a while, not at night, not at weekends, and
//! in time before the window.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The rules of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// From the question to the first reminder.
    pub first_after: SignedDuration,
    /// From one reminder to the next.
    pub every: SignedDuration,
    /// How many at most.
    pub at_most: u32,
    /// The last moment of use, before the window starts: a reminder that is due later comes then.
    pub last_before: SignedDuration,
    /// From when to when nobody is written to, in the window's zone; may go over midnight.
    pub quiet: Option<(Time, Time)>,
    /// Whether people are written to on Saturdays and Sundays.
    pub weekends: bool,
}

/// What happened to one person so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When they were last written to about it, UTC.
    pub last: Timestamp,
    /// How many reminders of them there were.
    pub reminders: u32,
    /// When it is too late, UTC: the start of the window. `None`: never.
    pub until: Option<Timestamp>,
}

impl Schedule {
    /// The next moment at which this person is to be reminded; `None` if no reminder is left or none comes in time.
    pub fn next(&self, asked: Asked, zone: &TimeZone) -> Option<Timestamp> {
        if asked.reminders >= self.at_most {
            return None;
        }
        let pause = if asked.reminders == 0 { self.first_after } else { self.every };
        let due = asked.last.checked_add(pause).ok()?;
        let due = match asked.until {
            Some(until) => {
                let last = until.checked_sub(self.last_before).ok()?;
                if last <= asked.last {
                    return None;
                }
                due.min(last)
            }
            None => due,
        };
        let allowed = self.allowed_from(due, zone)?;
        asked.until.is_none_or(|until| allowed < until).then_some(allowed)
    }

    /// The first moment from `moment` on at which people may be written to.
    fn allowed_from(&self, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut at = moment;
        // A weekend behind a night behind a weekend: no more than a few moves lead out.
        for _ in 0..8 {
            let local = at.to_zoned_datetime(zone.clone());
            let (date, time) = (local.date(), local.time());
            let next = if !self.weekends && matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
                date.tomorrow().ok()?.to_zoned_datetime(zone.clone()).ok()?
            } else if let Some(end) = self.quiet.and_then(|(from, to)| quiet_until(from, to, time)) {
                let day = if end.1 { date.tomorrow().ok()? } else { date };
                day.to_datetime(end.0).to_zoned_datetime(zone.clone()).ok()?
            } else {
                return Some(at);
            };
            at = next.timestamp();
        }
        None
    }
}

/// When the quiet time in which `time` lies ends, and whether that is on the next day.
fn quiet_until(from: Time, to: Time, time: Time) -> Option<(Time, bool)> {
    if from <= to {
        (from <= time && time < to).then_some((to, false))
    } else if time >= from {
        Some((to, true))
    } else {
        (time < to).then_some((to, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule {
            first_after: SignedDuration::from_hours(24),
            every: SignedDuration::from_hours(24),
            at_most: 3,
            last_before: SignedDuration::from_hours(2),
            quiet: Some((Time::constant(20, 0, 0, 0), Time::constant(7, 0, 0, 0))),
            weekends: false,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn next(last: &str, reminders: u32, until: &str) -> Option<String> {
        let asked = Asked { last: at(last), reminders, until: Some(at(until)) };
        schedule().next(asked, &TimeZone::get("Europe/Berlin").unwrap()).map(|moment| moment.to_string())
    }

    #[test]
    fn a_reminder_comes_a_day_later_on_a_working_day_by_day() {
        assert_eq!(next("2026-11-23T09:00:00Z", 0, "2026-12-01T21:00:00Z").unwrap(), "2026-11-24T09:00:00Z");
        assert_eq!(
            next("2026-11-23T20:30:00Z", 0, "2026-12-01T21:00:00Z").unwrap(),
            "2026-11-25T06:00:00Z",
            "at night"
        );
        assert_eq!(
            next("2026-11-23T02:00:00Z", 0, "2026-12-01T21:00:00Z").unwrap(),
            "2026-11-24T06:00:00Z",
            "before dawn"
        );
        assert_eq!(
            next("2026-11-27T09:00:00Z", 0, "2026-12-01T21:00:00Z").unwrap(),
            "2026-11-30T06:00:00Z",
            "a weekend"
        );
    }

    #[test]
    fn one_that_would_come_too_late_comes_in_time_or_not_at_all() {
        assert_eq!(next("2026-11-24T09:00:00Z", 0, "2026-11-24T16:00:00Z").unwrap(), "2026-11-24T14:00:00Z");
        assert_eq!(next("2026-11-24T15:00:00Z", 0, "2026-11-24T16:00:00Z"), None, "asked in the last hours");
        assert_eq!(next("2026-11-24T09:00:00Z", 0, "2026-11-24T23:00:00Z"), None, "only the night is left");
        assert_eq!(next("2026-11-23T09:00:00Z", 3, "2026-12-01T21:00:00Z"), None, "enough");
    }

    #[test]
    fn a_change_of_the_clocks_moves_no_reminder_into_the_night() {
        let asked = Asked { last: at("2027-03-26T23:30:00Z"), reminders: 0, until: None };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let rules = Schedule { weekends: true, ..schedule() };
        assert_eq!(rules.next(asked, &zone).unwrap().to_string(), "2027-03-28T05:00:00Z", "07:00 CEST");
    }
}
