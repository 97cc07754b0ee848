//! Hours as one says them: `ten till twelve`, `Tuesday at ten`, and the hours and days around the window, of which people speak beside a yes.

use super::{Found, HOURS, Moment, UNTIL, is_foreign_zone, is_one_of, starts_with, weekday};
use jiff::civil::Time;

/// The hours in words, from one on, in four languages.
const NUMERALS: [&str; 12] = [
    "one|ein|eins|une|una",
    "two|zwei|deux|dos",
    "three|drei|trois|tres",
    "four|vier|quatre|cuatro",
    "five|funf|cinq|cinco",
    "six|sechs|seis",
    "seven|sieben|sept|siete",
    "eight|acht|huit|ocho",
    "nine|neun|neuf|nueve",
    "ten|zehn|dix|diez",
    "eleven|elf|onze|once",
    "twelve|zwolf|douze|doce",
];

/// Behind an hour: the evening's.
pub const LATE: [&str; 10] = [
    "de la noche",
    "por la noche",
    "de la tarde",
    "du soir",
    "abends",
    "am abend",
    "in the evening",
    "at night",
    "nachts",
    "in der nacht",
];

/// An hour in figures or as a word.
pub fn hour_of(word: &str) -> Option<u32> {
    let spoken = NUMERALS.iter().position(|names| is_one_of(word, names)).and_then(|at| u32::try_from(at + 1).ok());
    spoken.or_else(|| word.parse().ok().filter(|hour| word.len() <= 2 && *hour <= 24))
}

impl Moment {
    /// `ten till twelve at night`, `Dienstagabend von zehn bis zwölf`: hours as one says them. Without the evening beside them they could be
    /// the morning's.
    pub(super) fn spoken(&self, words: &[&str]) -> Found {
        let hours = (self.local.0.time(), self.local.1.time());
        if self.local.0.hour() < 17 || (hours.0.minute(), hours.1.minute()) != (0, 0) {
            return None;
        }
        let one = |at: usize, time: Time| {
            let hour = hour_of(words.get(at)?).filter(|hour| (1..=12).contains(hour))?;
            let unit = usize::from(words.get(at + 1).is_some_and(|word| HOURS.contains(word)));
            (hour % 12 == u32::from(time.hour().unsigned_abs()) % 12).then_some(at + 1 + unit)
        };
        let day = usize::from(words.first().and_then(|word| weekday(word)).is_some_and(|day| self.is_on(day)));
        let part = self.part_of_day(words.get(day..)?).unwrap_or(0);
        let small = ["from", "between", "von", "zwischen", "entre", "de", "las", "a", "um", "at"];
        let opening = if part > 0 { day + part } else { 0 };
        let opened = words.get(opening..)?.iter().take(2).take_while(|word| small.contains(word)).count();
        let at = one(opening + opened, hours.0)?;
        let until = words.get(at).is_some_and(|word| UNTIL.contains(word) || ["y", "hasta"].contains(word));
        // `ten to twelve` is a time of its own.
        let minutes = opened == 0
            && words.get(at).is_some_and(|word| *word == "to")
            && words[at - 1].starts_with(char::is_alphabetic);
        let article = usize::from(words.get(at + 1).is_some_and(|word| *word == "las"));
        let at = one(at + usize::from(until) + article, hours.1).filter(|_| until && !minutes)?;
        let behind = words.get(at..).unwrap_or_default();
        let late = LATE.iter().find_map(|phrase| starts_with(behind, phrase)).unwrap_or(0);
        let early = behind.first().is_some_and(|word| ["am", "vormittags", "morgens", "mittags", "pm"].contains(word));
        let zone = self.zone_at(behind.get(late..).unwrap_or_default());
        let fits =
            (part > 0 || late > 0) && !early && !is_foreign_zone(behind, words) && zone.is_none_or(|(_, utc)| !utc);
        fits.then(|| at + late + zone.map_or(0, |(length, _)| length))
    }

    /// An hour of the day before a window at night, whichever half of the day is meant: how many words.
    pub fn before_it(&self, words: &[String]) -> Found {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let start = self.local.0.time();
        let limit = match start.hour() {
            hour @ 19.. => u32::from(hour.unsigned_abs()) * 60,
            ..6 => 24 * 60,
            _ => return None,
        };
        if words.first().is_some_and(|word| ["noon", "midday", "midi", "mediodia"].contains(word)) {
            return Some(1);
        }
        let half = usize::from(words.first().is_some_and(|word| ["half", "halb"].contains(word)));
        let past = usize::from(half > 0 && words.get(1).is_some_and(|word| *word == "past"));
        let first = *words.get(half + past)?;
        let (number, own) = match ["pm", "am"].iter().find_map(|end| first.strip_suffix(end)) {
            Some(number) => (number, &first[number.len()..]),
            None => (first, ""),
        };
        let figures = number.starts_with(|c: char| c.is_ascii_digit());
        let mut parts = number.split(|c: char| figures && [':', '.', 'h'].contains(&c)).filter(|part| !part.is_empty());
        let h = hour_of(parts.next()?)?;
        let m: u32 = parts.next().map_or(Some(0), |part| (part.len() == 2).then(|| part.parse().ok()).flatten())?;
        let mut at = half + past + 1;
        let next = |at: usize| words.get(at).copied().unwrap_or_default();
        let half_past = ["y media", "et demie", "y cuarto", "et quart"].iter();
        at += half_past.filter_map(|phrase| starts_with(words.get(at..)?, phrase)).next().unwrap_or(0);
        at += usize::from(HOURS.contains(&next(at)));
        let (spaced, marked) = match (next(at), next(at + 1)) {
            ("pm" | "am", _) => (1, next(at)),
            ("p" | "a", "m") => (2, if next(at) == "p" { "pm" } else { "am" }),
            _ => (0, own),
        };
        at += spaced;
        let late = LATE.iter().find_map(|phrase| starts_with(words.get(at..)?, phrase));
        at += late.unwrap_or(0);
        let sure = |h: u32| (5 * 60..limit).contains(&(h * 60 + m));
        let fits = match (marked, late) {
            ("am", None) => h <= 12 && sure(h),
            ("pm", _) | (_, Some(_)) if (1..12).contains(&h) => sure(h + 12),
            _ if number.len() == 2 && number.starts_with('0') || h > 12 || number.contains([':', 'h']) && h > 0 => {
                sure(h)
            }
            // Six in the morning or in the evening: before it either way.
            _ => sure(h) && (h == 12 || sure(h + 12)),
        };
        (fits && h <= 24 && m < 60 && parts.next().is_none()).then_some(at)
    }

    /// Whether a word names the day behind a window that begins in the evening: `Wednesday`, `Mittwochmorgen`.
    pub fn is_next_day(&self, word: &str) -> bool {
        let next = self.local.0.date().tomorrow().map(|date| date.weekday());
        let parts = ["morgen", "fruh", "vormittag", "nachmittag", "mittag"];
        let word = parts.iter().find_map(|part| word.strip_suffix(part)).filter(|day| day.len() > 5).unwrap_or(word);
        self.local.0.hour() >= 12 && next.is_ok_and(|next| weekday(word) == Some(next))
    }

    /// `Tuesday evening at ten`: behind the day, its own hour without the half of the day.
    pub(super) fn told_hour(&self, words: &[&str]) -> Found {
        let start = self.local.0.time();
        let day = usize::from(words.first().and_then(|word| weekday(word)).is_some_and(|day| self.is_on(day)));
        let part = self.part_of_day(words.get(day..)?).unwrap_or(0);
        let at = day + part;
        let small = words.get(at..)?.iter().take(2).take_while(|word| ["um", "at", "a", "las"].contains(word)).count();
        let hour = hour_of(words.get(at + small)?).filter(|hour| (1..=12).contains(hour))?;
        let unit = usize::from(words.get(at + small + 1).is_some_and(|word| HOURS.contains(word)));
        let early = words.get(at + small + unit + 1).is_some_and(|word| ["am", "morgens", "vormittags"].contains(word));
        let until = words.get(at + small + unit + 1).is_some_and(|word| UNTIL.contains(word));
        let fits =
            start.hour() >= 17 && start.minute() == 0 && hour % 12 == u32::from(start.hour().unsigned_abs()) % 12;
        (part > 0 && small > 0 && fits && !early && !until).then_some(at + small + unit + 1)
    }
}
