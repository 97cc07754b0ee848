//! The maintenance window: start, end, zone and revision, and how people write and read it.

use crate::domain::language::Language;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When the rotation may happen. A change of the window raises the revision and voids all acknowledgements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First moment at which rotate may start, UTC.
    pub start: Timestamp,
    /// First moment at which it may no longer start, UTC.
    pub end: Timestamp,
    /// IANA name of the zone in which the window is told to people, for example `Europe/Berlin`.
    pub zone: String,
    /// 1 for the first announcement, one more for each change.
    pub revision: u32,
}

/// Where a moment lies relative to the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowState {
    /// Not yet open.
    Before,
    /// Open now.
    Open,
    /// Over.
    After,
}

/// Why a window can't be understood. Each says what would be right.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadWindow {
    /// The zone is not in the time zone database.
    #[error("{0:?} is not a time zone; use an IANA name such as Europe/Berlin or UTC")]
    Zone(String),
    /// A moment is not written as expected.
    #[error("{0:?} is not a moment; write it as 2026-11-24 22:00")]
    Moment(String),
    /// The local time is skipped by a change of the clocks.
    #[error("{0} does not exist in {1}: the clocks jump over it that day")]
    Gap(String, String),
    /// The local time happens twice because of a change of the clocks.
    #[error("{0} happens twice in {1} that day; give the window in UTC")]
    Fold(String, String),
    /// A duration is not written as expected, or is not between 1 minute and 7 days.
    #[error("{0:?} is not a length; write 90m or 2h (1 minute to 7 days)")]
    Length(String),
}

impl Window {
    /// Whether people would be told the same: start, end and zone.
    pub fn is_same_time(&self, other: &Window) -> bool {
        self.start == other.start && self.end == other.end && self.zone == other.zone
    }

    /// Reads a window as people write it: `2026-11-24 22:00`, a length such as `90m` or `2h`, an IANA zone.
    ///
    /// Errors name the part that is wrong; a local time in a clock change is refused, not guessed.
    pub fn parse(start: &str, length: &str, zone: &str, revision: u32) -> Result<Self, BadWindow> {
        let tz = time_zone(zone)?;
        let text = start.trim();
        let civil: DateTime = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
            .iter()
            .find_map(|format| DateTime::strptime(format, text).ok())
            .ok_or_else(|| BadWindow::Moment(text.to_owned()))?;
        let ambiguous = tz.to_ambiguous_timestamp(civil);
        let start = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Gap { .. } => return Err(BadWindow::Gap(text.into(), zone.trim().into())),
            jiff::tz::AmbiguousOffset::Fold { .. } => return Err(BadWindow::Fold(text.into(), zone.trim().into())),
            jiff::tz::AmbiguousOffset::Unambiguous { .. } => {
                ambiguous.unambiguous().map_err(|_| BadWindow::Moment(text.into()))?
            }
        };
        let seconds = parse_length(length)?;
        let end = Timestamp::from_second(start.as_second() + seconds).map_err(|_| BadWindow::Length(length.into()))?;
        Ok(Self { start, end, zone: zone.trim().to_owned(), revision })
    }

    /// Where `now` lies.
    pub fn state(&self, now: Timestamp) -> WindowState {
        if now < self.start {
            WindowState::Before
        } else if now < self.end {
            WindowState::Open
        } else {
            WindowState::After
        }
    }

    /// What should be thought over before it is told to anybody: it has begun, or it is shorter than a rotation may take.
    pub fn doubts(&self, now: Timestamp, takes: Duration) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.state(now) == WindowState::Open {
            doubts.push("this window has begun already: whoever is told now learns it in the middle of it".to_owned());
        }
        let (minutes, needed) = ((self.end.as_second() - self.start.as_second()) / 60, takes.as_secs().div_ceil(60));
        if u64::try_from(minutes).unwrap_or(0) < needed {
            doubts.push(format!(
                "this window lasts {minutes} min, and a rotation may take {needed} min: what begins in it may end behind it"
            ));
        }
        doubts
    }

    /// For people: `Tue 2026-11-24 22:00 to 23:30 CET (UTC+01)`, and with the end's date where it differs.
    pub fn for_people(&self) -> String {
        self.for_people_in(Language::English)
    }

    /// The same in a language: `Di. 2026-11-24 22:00 bis 23:30 CET (UTC+01)`.
    pub fn for_people_in(&self, language: Language) -> String {
        match time_zone(&self.zone) {
            Ok(tz) => self.told(tz, language, "%Z (UTC%:z)"),
            Err(_) => format!("{} {} {} UTC", self.start, language.to(), self.end),
        }
    }

    /// The same in UTC: `Tue 2026-11-24 21:00 to 22:30 UTC`.
    pub fn for_people_in_utc(&self, language: Language) -> String {
        self.told(TimeZone::UTC, language, "UTC")
    }

    fn told(&self, tz: TimeZone, language: Language, zone: &str) -> String {
        let start = self.start.to_zoned_datetime(tz.clone());
        let end = self.end.to_zoned_datetime(tz);
        let day = |at: &jiff::ZonedDateTime| format!("{} {} ", language.weekday(at.weekday()), at.date());
        let second = if start.date() == end.date() { String::new() } else { day(&end) };
        let (from, until) = (start.strftime("%H:%M"), end.strftime("%H:%M"));
        format!("{}{from} {} {second}{until} {}", day(&start), language.to(), end.strftime(zone))
    }
}

/// A moment in a zone, for people: `2026-11-24 22:00:07 CET`. An unknown zone gives UTC.
pub fn in_zone(moment: Timestamp, zone: &str) -> String {
    let tz = time_zone(zone).unwrap_or(TimeZone::UTC);
    moment.to_zoned_datetime(tz).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The zone of this name; UTC if there is none.
pub fn zone_or_utc(name: &str) -> TimeZone {
    time_zone(name).unwrap_or(TimeZone::UTC)
}

fn time_zone(name: &str) -> Result<TimeZone, BadWindow> {
    // The bundled database: the same answer on every bastion, and no file is read by a rule.
    TimeZoneDatabase::bundled().get(name.trim()).map_err(|_| BadWindow::Zone(name.to_owned()))
}

fn parse_length(text: &str) -> Result<i64, BadWindow> {
    let bad = || BadWindow::Length(text.to_owned());
    let trimmed = text.trim();
    let unit = trimmed.chars().last().ok_or_else(bad)?;
    let number: i64 = trimmed[..trimmed.len() - unit.len_utf8()].trim().parse().map_err(|_| bad())?;
    let seconds = match unit {
        's' => Some(number),
        'm' => number.checked_mul(60),
        'h' => number.checked_mul(3600),
        'd' => number.checked_mul(86_400),
        _ => None,
    };
    seconds.filter(|s| (60..=7 * 86_400).contains(s)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_told_with_its_zone() {
        let window = Window::parse("2026-11-24 22:00", "90m", "Europe/Berlin", 1).unwrap();
        assert_eq!(window.start.to_string(), "2026-11-24T21:00:00Z");
        assert_eq!(window.for_people(), "Tue 2026-11-24 22:00 to 23:30 CET (UTC+01:00)");
        assert_eq!(window.for_people_in(Language::German), "Di. 2026-11-24 22:00 bis 23:30 CET (UTC+01:00)");
        assert_eq!(window.for_people_in_utc(Language::French), "mar. 2026-11-24 21:00 à 22:30 UTC");
        let late = Window::parse("2026-11-24 23:30", "90m", "UTC", 1).unwrap();
        assert_eq!(
            late.for_people_in(Language::Spanish),
            "mar. 2026-11-24 23:30 a mié. 2026-11-25 01:00 UTC (UTC+00:00)"
        );
    }

    #[test]
    fn a_window_that_has_begun_or_is_too_short_is_doubted() {
        let window = Window::parse("2026-11-24 22:00", "2m", "UTC", 1).unwrap();
        let at = |s: &str| s.parse::<Timestamp>().unwrap();
        let (before, within) = (at("2026-11-24T21:00:00Z"), at("2026-11-24T22:01:00Z"));
        assert_eq!(window.doubts(before, Duration::from_secs(120)), [""; 0]);
        assert!(
            window.doubts(before, Duration::from_secs(121))[0].contains("lasts 2 min, and a rotation may take 3 min")
        );
        assert!(window.doubts(within, Duration::ZERO)[0].contains("has begun already"));
    }

    #[test]
    fn local_times_in_a_clock_change_are_refused_with_the_reason() {
        assert!(matches!(Window::parse("2027-03-28 02:30", "1h", "Europe/Berlin", 1), Err(BadWindow::Gap(..))));
        assert!(matches!(Window::parse("2026-10-25 02:30", "1h", "Europe/Berlin", 1), Err(BadWindow::Fold(..))));
    }

    #[test]
    fn each_wrong_part_is_named() {
        assert!(matches!(Window::parse("tomorrow", "1h", "UTC", 1), Err(BadWindow::Moment(_))));
        assert!(matches!(Window::parse("2026-11-24 22:00", "0m", "UTC", 1), Err(BadWindow::Length(_))));
        assert!(matches!(Window::parse("2026-11-24 22:00", "1h", "Berlin", 1), Err(BadWindow::Zone(_))));
    }

    #[test]
    fn the_window_is_open_from_its_start_until_just_before_its_end() {
        let w = Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap();
        let at = |s: &str| s.parse::<Timestamp>().unwrap();
        assert_eq!(w.state(at("2026-11-24T21:59:59Z")), WindowState::Before);
        assert_eq!(w.state(at("2026-11-24T22:00:00Z")), WindowState::Open);
        assert_eq!(w.state(at("2026-11-24T23:00:00Z")), WindowState::After);
    }
}
