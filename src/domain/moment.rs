//! A moment as it stands in a sentence: one form of it on the screen, in commands and in JSON's sentences. How long it is until then is
//! left to what draws, for that changes.

use jiff::Timestamp;

/// `Tue 1 Dec 20:18 UTC`, up to the next whole minute: a minute that has not passed is not said to have.
pub fn minute(at: Timestamp) -> String {
    let second = at.as_second().saturating_add(i64::from(at.subsec_nanosecond() > 0));
    let up = second.saturating_add(59).div_euclid(60).saturating_mul(60);
    shown(Timestamp::from_second(up).unwrap_or(at))
}

/// The same of what has happened: the minute in which it has.
pub fn past_minute(at: Timestamp) -> String {
    shown(at)
}

fn shown(at: Timestamp) -> String {
    at.strftime("%a %-d %b %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_that_has_not_passed_is_not_said_to_have() {
        let told = |text: &str| minute(text.parse().unwrap());
        assert_eq!(told("2026-12-01T20:18:00Z"), "Tue 1 Dec 20:18 UTC");
        assert_eq!(told("2026-12-01T20:17:00.5Z"), "Tue 1 Dec 20:18 UTC");
        assert_eq!(told("2026-12-01T20:17:01Z"), "Tue 1 Dec 20:18 UTC");
        assert_eq!(told("2026-12-31T23:59:59Z"), "Fri 1 Jan 00:00 UTC");
        assert_eq!(past_minute("2026-12-01T20:17:59.9Z".parse().unwrap()), "Tue 1 Dec 20:17 UTC");
    }
}
