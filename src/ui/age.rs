//! Ages and spans for people: seconds below two minutes, where freshness is decided; coarser above, so that little ticks.

use jiff::Timestamp;

/// A span of seconds: `45 s`, `12 min`, `5 h`, `3 d`, `11 mo`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 48 * 3600 => format!("{} h", s / 3600),
        s if s < 90 * 86_400 => format!("{} d", s / 86_400),
        s if s < 3 * 365 * 86_400 => format!("{} mo", s / 2_629_746),
        s => format!("{} y", s / 31_556_952),
    }
}

/// How long ago: `12 s ago`; `just now` where the clocks disagree.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.as_second() - at.as_second() {
        s if s < 0 => "just now".into(),
        s => format!("{} ago", span(s)),
    }
}

/// How long from now, or how long past: `in 12 min`, `3 d past`.
pub fn until(at: Timestamp, now: Timestamp) -> String {
    match at.as_second() - now.as_second() {
        s if s >= 0 => format!("in {}", span(s)),
        s => format!("{} past", span(-s)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_two_minutes_tick_by_the_second() {
        assert_eq!(span(119), "119 s");
        assert_eq!(span(120), "2 min");
        assert_eq!(span(86_400), "24 h");
        assert_eq!(span(340 * 86_400), "11 mo");
        assert_eq!(span(-5), "0 s");
    }
}
