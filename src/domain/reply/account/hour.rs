//! A line that names a day or an hour is nobody's signature: below a name it may be another time than the one that was asked about.

use super::plain_words;
use crate::domain::reply::moment::{is_month, weekday};

/// Words behind a number that make an hour of it.
const HOURS: [&str; 12] = ["uhr", "h", "hs", "hrs", "hr", "hours", "heures", "heure", "horas", "hora", "pm", "am"];
/// A day with its number has no more words.
const LONGEST_DAY: usize = 3;

/// Whether it names one.
pub fn names_moment(line: &str) -> bool {
    let words = plain_words(line);
    let is_number = |word: &str| word.bytes().all(|c| c.is_ascii_digit());
    let has_number = words.iter().any(|word| is_number(word));
    let has_weekday = words.iter().any(|word| weekday(word).is_some());
    let is_day = has_number && (has_weekday || words.len() <= LONGEST_DAY && words.iter().any(|word| is_month(word)));
    is_day
        || line.split_whitespace().any(is_clock)
        || words.windows(2).any(|pair| is_hour(&pair[0]) && HOURS.contains(&pair[1].as_str()))
}

/// `23`, of an hour of a day; a line that is served around the clock names none.
fn is_hour(word: &str) -> bool {
    word.len() <= 2 && word.parse::<u8>().is_ok_and(|hour| hour < 24)
}

/// `22:30`, `22h30`, `22h`, `10pm`.
fn is_clock(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let Some(at) = word.find(|c: char| !c.is_ascii_digit()) else { return false };
    let (hour, rest) = word.split_at(at);
    let minutes = |text: &str| text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
    let is_rest =
        HOURS.contains(&rest) || rest.strip_prefix(':').or_else(|| rest.strip_prefix('h')).is_some_and(minutes);
    is_hour(hour) && is_rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_named_and_streets_and_numbers_are_not() {
        for line in [
            "Room 22:30",
            "Mittwoch 25",
            "23 Uhr Strasse 30",
            "Thursday Street 26",
            "10pm",
            "22h30",
            "bureau 23 h",
            "Nov 25",
        ] {
            assert!(names_moment(line), "{line}");
        }
        for line in [
            "Room 22",
            "Hauptstr. 23",
            "T 0121 496 0142",
            "24h hotline",
            "Straße des 17. Juni 135",
            "Etage 2",
            "fe80::1",
        ] {
            assert!(!names_moment(line), "{line}");
        }
    }
}
