//! The window's own day and time, as people write them: `Saturday 23:00`, `am 5. Dezember`, `de 23h à minuit`.
//!
//! Only the day and the time of the window's start count, in the zone in which it was announced, or in UTC where UTC is said;
//! the end counts behind a start. Whatever else names a time is another time.

mod spoken;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use spoken::{LATE, hour_of};

/// The window's start and end on a clock.
#[derive(Clone, Debug)]
pub struct Moment {
    local: (DateTime, DateTime),
    utc: (DateTime, DateTime),
    /// The zone's abbreviations and city, folded.
    zone: Vec<String>,
}

const MONTHS: [&str; 12] = [
    "january|jan|januar|janvier|janv|enero|ene",
    "february|feb|februar|fevrier|fevr|febrero",
    "march|mar|marz|maerz|mars|marzo",
    "april|apr|avril|avr|abril|abr",
    "may|mai|mayo",
    "june|jun|juni|juin|junio",
    "july|jul|juli|juillet|juil|julio",
    "august|aug|aout|agosto|ago",
    "september|sept|sep|septembre|septiembre",
    "october|oct|oktober|okt|octobre|octubre",
    "november|nov|novembre|noviembre",
    "december|dec|dezember|dez|decembre|diciembre|dic",
];
const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday|mon|montag|montags|lundi|lunes"),
    (Weekday::Tuesday, "tuesday|tue|tues|dienstag|dienstags|mardi|martes"),
    (Weekday::Wednesday, "wednesday|wed|mittwoch|mittwochs|mercredi|miercoles"),
    (Weekday::Thursday, "thursday|thu|thurs|donnerstag|donnerstags|jeudi|jueves"),
    (Weekday::Friday, "friday|fri|freitag|freitags|vendredi|viernes"),
    (Weekday::Saturday, "saturday|sat|samstag|samstags|sonnabend|samedi|sabado"),
    (Weekday::Sunday, "sunday|sun|sonntag|sonntags|dimanche|domingo"),
];
/// Those of them behind which the month may come first.
const ENGLISH: &str = "monday|mon|tuesday|tue|tues|wednesday|wed|thursday|thu|thurs|friday|fri|saturday|sat|sunday|sun";
/// Before a bare number of a day.
const ARTICLES: [&str; 9] = ["the", "le", "el", "am", "den", "der", "dem", "dia", "du"];
const HOURS: [&str; 9] = ["uhr", "h", "hs", "hrs", "hours", "heures", "heure", "horas", "oclock"];
const UNTIL: [&str; 8] = ["to", "bis", "a", "until", "till", "and", "und", "et"];
const NIGHT: [&str; 9] =
    ["night", "nights", "nacht", "nachts", "nuit", "noche", "in der nacht", "at night", "por la noche"];
const EVENING: [&str; 9] =
    ["evening", "abend", "abends", "soir", "soiree", "au soir", "du soir", "in the evening", "de la noche"];

/// The weekday that a word names.
pub fn weekday(word: &str) -> Option<Weekday> {
    let named = |word: &str| DAYS.iter().find(|(_, names)| is_one_of(word, names)).map(|(day, _)| *day);
    named(word).or_else(|| named(word.strip_suffix('s').filter(|one| one.len() > 5)?))
}

/// The weekday that a word among others names; `mon` is French before another word.
pub fn weekday_at(words: &[String], at: usize) -> Option<Weekday> {
    let word = words.get(at)?;
    let owned =
        word == "mon" && words.get(at + 1).is_some_and(|next| next.chars().all(char::is_alphabetic) && !is_month(next));
    weekday(word).filter(|_| !owned)
}

/// Whether a word names a month.
pub fn is_month(word: &str) -> bool {
    MONTHS.iter().any(|names| is_one_of(word, names))
}

fn is_one_of(word: &str, names: &str) -> bool {
    names.split('|').any(|name| name == word)
}

/// A part of `words` from the beginning: how many.
type Found = Option<usize>;

impl Moment {
    /// Of a window that was announced in a zone.
    pub fn new(window: (Timestamp, Timestamp), zone: &TimeZone) -> Self {
        let both = |zone: &TimeZone| (zone.to_datetime(window.0), zone.to_datetime(window.1));
        let mut names: Vec<String> = Vec::new();
        let abbreviation = zone.to_offset_info(window.0).abbreviation().to_lowercase();
        if abbreviation == "cet" {
            names.extend(["mez", "heure de paris", "hora peninsular"].map(String::from));
        }
        names.push(abbreviation);
        if let Some((area, city)) = zone.iana_name().and_then(|name| name.split_once('/')) {
            let (area, city) = (area.to_lowercase(), city.to_lowercase().replace('_', " "));
            let others = [format!("hora de {city}"), format!("heure de {city}"), format!("{city}er zeit")];
            names.extend(others);
            names.extend([format!("{area} {city}"), format!("{city} time"), city]);
        }
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { local: both(zone), utc: both(&TimeZone::UTC), zone: names }
    }

    /// Whether the window starts on this day.
    pub fn is_on(&self, day: Weekday) -> bool {
        self.local.0.weekday() == day
    }

    /// Whether words that name a whole date, in any order, name the window's, give or take the day that zones make; no other weekday,
    /// month or year is among them.
    pub fn is_told_in(&self, words: &[String]) -> bool {
        let near = |word: &str| {
            let start = self.utc.0.date();
            let days = [start.yesterday(), Ok(start), start.tomorrow()];
            days.into_iter().flatten().any(|day| {
                let month = MONTHS[usize::try_from(day.month() - 1).unwrap_or_default()];
                let weekday = weekday(word).is_some_and(|named| named == day.weekday());
                let short = ["mo", "di", "mi", "do", "fr", "sa", "so"]
                    [usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
                weekday || is_one_of(word, month) || short == word
            })
        };
        let year = self.utc.0.year().to_string();
        let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
        let has_day = words.iter().any(|word| word.parse::<i8>().is_ok_and(|day| (self.utc.0.day() - day).abs() <= 1));
        has_day
            && words.contains(&year)
            && words.iter().all(|word| {
                // No other year.
                let far = word.len() == 4 && word.starts_with("20") && *word != year && word.parse::<u16>().is_ok();
                near(word) || number(word) && !far
            })
    }

    /// Whether a word belongs to the name of the zone in which the window was announced, or to UTC's.
    pub fn is_of_zone(&self, word: &str) -> bool {
        let of = |zone: &String| zone.split(' ').any(|part| part == word);
        ["utc", "gmt"].contains(&word) || self.zone.iter().any(of)
    }

    /// How many of the words, from the first on, name the window's day or time. `before` is the word before them.
    pub fn at(&self, words: &[String], before: Option<&str>) -> Found {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // `Sa 05.12.`: two letters are a day before a date only.
        let short = words.first().filter(|word| self.short_day() == **word);
        let dated = short.and_then(|_| self.date(words.get(1..)?, None)).map(|length| length + 1);
        let all = [dated, self.date(&words, before), self.time(&words), self.part_of_day(&words)];
        all.into_iter()
            .chain([self.stretch(&words), self.night_between(&words), self.spoken(&words), self.told_hour(&words)])
            .flatten()
            .max()
    }

    /// From a moment to a moment, each with its day: `22:00 on 1 December to 00:00 on 2 December (CET)`.
    fn stretch(&self, words: &[&str]) -> Found {
        let skip = |at: usize| {
            let small = [
                "on", "am", "the", "le", "el", "du", "den", "dem", "vom", "um", "at", "a", "las", ",", "de", "del",
                "zum", "from", "von", "du",
            ];
            at + words.get(at..).unwrap_or_default().iter().take(2).take_while(|word| small.contains(word)).count()
        };
        let one = |(start, end): (DateTime, DateTime), utc: bool| {
            // A clock with its day behind or before it.
            let moment = |at: usize, of: DateTime| {
                let behind = |at: usize| words.get(at..).unwrap_or_default();
                let day = |at: usize| {
                    let named = behind(skip(at)).first().and_then(|word| weekday(word)) == Some(of.weekday());
                    let at = skip(at) + usize::from(named);
                    self.date_of(of.date(), behind(at), Some("the")).map(|length| at + length)
                };
                let before = day(at);
                let (length, _) = clock(behind(before.map_or(at, skip)), of.time())?;
                let at = before.map_or(at, skip) + length;
                Some(match before {
                    Some(_) => (at, true),
                    None => day(at).map_or((at, false), |at| (at, true)),
                })
            };
            let (at, dated) = moment(skip(0), start)?;
            let connected =
                words.get(at).is_some_and(|word| UNTIL.contains(word) || ["au", "al", "hasta"].contains(word));
            let (at, ended) = moment(skip(at + usize::from(connected)), end)?;
            let zone = self.zone_at(words.get(at..).unwrap_or_default());
            let fits = match (zone, utc) {
                (Some((_, is_utc)), utc) => is_utc == utc,
                (None, utc) => !utc && !is_foreign_zone(words.get(at..).unwrap_or_default(), words),
            };
            (fits && (connected && (dated || ended) || dated && ended))
                .then(|| at + zone.map_or(0, |(length, _)| length))
        };
        [one(self.local, false), one(self.utc, true)].into_iter().flatten().max()
    }

    /// `the night of 1 to 2 December`, if the window lies in it.
    fn night_between(&self, words: &[&str]) -> Found {
        let (start, end) = (self.local.0, self.local.1);
        let night = words.first().is_some_and(|word| ["night", "nacht", "nuit", "noche"].contains(word));
        if !night || start.hour() < 17 || start.date().tomorrow().ok()? != end.date() {
            return None;
        }
        let small = [
            "of", "from", "vom", "von", "du", "del", "de", "the", "to", "auf", "den", "al", "au", "a", "el", "and",
            "zum", "le", "on",
        ];
        let skip = |at: usize| {
            at + words.get(at..).unwrap_or_default().iter().take(3).take_while(|word| small.contains(word)).count()
        };
        let first = skip(1);
        if words.get(first).and_then(|word| weekday(word)).is_some_and(|day| self.is_on(day)) {
            let second = skip(first + 1);
            let next = words.get(second).and_then(|word| weekday(word)) == Some(end.date().weekday());
            let date = self.date_of(end.date(), words.get(second + 1..)?, Some("the")).unwrap_or(0);
            return next.then_some(second + 1 + date);
        }
        let number = words.get(first)?.trim_end_matches(|c: char| c.is_alphabetic() || c == '.');
        if number.parse() != Ok(start.day()) {
            return None;
        }
        let second = skip(first + 1);
        self.date_of(end.date(), words.get(second..)?, None).map(|length| second + length)
    }

    fn short_day(&self) -> &'static str {
        match self.local.0.weekday() {
            Weekday::Monday => "mo",
            Weekday::Tuesday => "di",
            Weekday::Wednesday => "mi",
            Weekday::Thursday => "do",
            Weekday::Friday => "fr",
            Weekday::Saturday => "sa",
            Weekday::Sunday => "so",
        }
    }

    fn date(&self, words: &[&str], before: Option<&str>) -> Found {
        self.date_of(self.local.0.date(), words, before)
    }

    fn date_of(&self, day: Date, words: &[&str], before: Option<&str>) -> Found {
        let (year, month) = (i32::from(day.year()), i32::from(day.month()));
        let is_day = |word: &str| {
            let number = ["st", "nd", "rd", "th", "er"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
            number.len() <= 2 && number.parse() == Ok(day.day())
        };
        let is_month = |word: &str| is_one_of(word, MONTHS[usize::try_from(month - 1).unwrap_or_default()]);
        let is_year = |word: &str| word.parse() == Ok(year) || word.len() == 2 && word.parse() == Ok(year % 100);
        let year_behind = |at: usize| match words.get(at..) {
            Some(["de" | "del" | ",", word, ..]) if is_year(word) => at + 2,
            Some([word, ..]) if is_year(word) => at + 1,
            _ => at,
        };
        // `Tuesday 12/1`; elsewhere than in English that is 12 January.
        let month_first = before.is_some_and(|word| is_one_of(word, ENGLISH));
        let numbers = |word: &str| word.split(['.', '/']).map(str::parse).collect::<Result<Vec<i32>, _>>().ok();
        let (date, own_year) = ([i32::from(day.day()), month], |found: &i32| *found == year || *found == year % 100);
        match words {
            [one, "of" | "de", other, ..] if is_day(one) && is_month(other) => Some(year_behind(3)),
            [one, other, ..] if is_day(one) && is_month(other) => Some(year_behind(2)),
            [one, "the", other, ..] if is_month(one) && is_day(other) => Some(year_behind(3)),
            [one, other, ..] if is_month(one) && is_day(other) => Some(year_behind(2)),
            [y, m, d, ..] if y.len() == 4 && is_year(y) && m.parse() == Ok(month) && is_day(d) => Some(3),
            [d, m, y, ..] if y.len() == 4 && is_year(y) && m.parse() == Ok(month) && is_day(d) => Some(3),
            [word, ..] if word.contains(['.', '/']) => match numbers(word)?.as_slice() {
                [d, m] | [d, m, _] if [*d, *m] != date && !(month_first && word.contains('/') && [*m, *d] == date) => {
                    None
                }
                [_, _] => Some(1),
                [_, _, y] if own_year(y) => Some(1),
                _ => None,
            },
            [word, ..] if is_day(word) => {
                let ordinal = word.ends_with(|c: char| c.is_alphabetic());
                let named = before
                    .is_some_and(|word| ARTICLES.contains(&word) || weekday(word).is_some_and(|day| self.is_on(day)));
                // `the 5 minutes`, `5 pm`: no day.
                let counts = words.get(1).is_some_and(|next| {
                    HOURS.contains(next)
                        || ["am", "pm", "minutes", "minuten", "min", "days", "tage", "times"].contains(next)
                });
                ((ordinal || named) && !counts).then_some(1)
            }
            _ => None,
        }
    }

    /// A start, or a start and an end.
    fn time(&self, words: &[&str]) -> Found {
        [(&self.local, false), (&self.utc, true)]
            .into_iter()
            .filter_map(|(times, utc)| self.time_in(words, *times, utc))
            .max()
    }

    fn time_in(&self, words: &[&str], times: (DateTime, DateTime), utc: bool) -> Found {
        let opening = usize::from(words.first().is_some_and(|word| ["between", "zwischen", "entre"].contains(word)));
        let opening = opening + usize::from(opening > 0 && words.get(1).is_some_and(|word| *word == "las"));
        let (first, marked) = clock(words.get(opening..)?, times.0.time())?;
        let mut at = opening + first;
        let behind = |at: usize| words.get(at..).unwrap_or_default();
        let until = behind(at).first().is_some_and(|word| UNTIL.contains(word) || *word == "y");
        // `entre las 22:00 y las 24:00`
        let article = until && behind(at).get(1).is_some_and(|word| ["las", "la"].contains(word));
        let connected = usize::from(until) + usize::from(article);
        let mut clear = marked;
        match clock(behind(at + connected), times.1.time()) {
            Some((length, marked)) => (at, clear) = (at + connected + length, clear || marked),
            None if opening > 0 => return None,
            None => {}
        }
        match (self.zone_at(behind(at)), utc) {
            (Some((length, true)), true) => return Some(at + length),
            (Some((_, true)), false) | (_, true) => return None,
            (Some((length, false)), false) => (at, clear) = (at + length, true),
            (None, false) if is_foreign_zone(behind(at), words) => return None,
            (None, false) => {}
        }
        clear.then_some(at)
    }

    /// A zone behind a time: how many words, and whether it is UTC.
    fn zone_at(&self, words: &[&str]) -> Option<(usize, bool)> {
        if words.first().is_some_and(|word| ["utc", "gmt", "z", "zulu"].contains(word)) {
            return Some((1, true));
        }
        // Whoever answers us means ours by it. Local time could be theirs.
        const OURS: [&str; 6] = ["your time", "ihrer zeit", "eurer zeit", "votre heure", "vuestra hora", "su hora"];
        let mut names = self.zone.iter().map(String::as_str).chain(OURS);
        names.find_map(|name| starts_with(words, name)).map(|length| (length, false))
    }

    fn part_of_day(&self, words: &[&str]) -> Found {
        let hour = self.local.0.hour();
        let of = |names: &[&str]| names.iter().filter_map(|name| starts_with(words, name)).max();
        let (is_night, is_evening) = (!(5..20).contains(&hour), hour >= 17);
        // `Samstagabend`
        let compound = words.first().and_then(|word| {
            let (day, part) = word.split_at_checked(word.find("tag")? + 3)?;
            let fits = is_night && part == "nacht" || is_evening && part == "abend";
            weekday(day).filter(|day| fits && self.is_on(*day)).map(|_| 1)
        });
        compound.or(of(&NIGHT).filter(|_| is_night)).or_else(|| of(&EVENING).filter(|_| is_evening))
    }
}

/// A zone of elsewhere behind a time. `est` and `ist` are verbs too.
fn is_foreign_zone(behind: &[&str], time: &[&str]) -> bool {
    const ZONES: [&str; 24] = [
        "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "et", "ct", "pt", "bst", "wet", "west", "eet", "eest", "msk",
        "jst", "hkt", "sgt", "aest", "aedt", "nzst", "sast", "cest",
    ];
    let half = time.iter().take(2).any(|word| word.ends_with("pm") || word.ends_with("am"));
    match behind {
        ["est" | "ist", rest @ ..] => half || rest.first().is_none_or(|next| *next == ","),
        ["et", _, ..] if !half => false,
        [word, ..] => ZONES.contains(word),
        [] => false,
    }
}

fn starts_with(words: &[&str], phrase: &str) -> Found {
    let mut length = 0;
    for part in phrase.split(' ') {
        if words.get(length) != Some(&part) {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// A time of the clock: how many words, and whether it can be nothing but a time. A number alone can be anything.
fn clock(words: &[&str], time: Time) -> Option<(usize, bool)> {
    let first = *words.first()?;
    let (hour, minute) = (u32::from(time.hour().unsigned_abs()), u32::from(time.minute().unsigned_abs()));
    let midnight = ["midnight", "minuit", "mitternacht", "medianoche", "noon", "midi", "mittag", "mediodia"];
    if let Some(at) = midnight.iter().position(|word| *word == first) {
        return ((hour, minute) == (if at < 4 { 0 } else { 12 }, 0)).then_some((1, true));
    }
    let (half, digits) = match first.strip_suffix("pm") {
        Some(digits) => (Some(12), digits),
        None => match first.strip_suffix("am") {
            Some(digits) => (Some(0), digits),
            None => (None, first),
        },
    };
    let figures = digits.starts_with(|c: char| c.is_ascii_digit());
    let mut parts = digits.split(|c: char| figures && [':', '.', 'h'].contains(&c)).filter(|part| !part.is_empty());
    let h = hour_of(parts.next()?)?;
    let m: u32 = parts.next().map_or(Some(0), |part| (part.len() == 2).then(|| part.parse().ok()).flatten())?;
    if parts.next().is_some() {
        return None;
    }
    let own = digits.contains([':', 'h']) || digits.contains('.') && digits.len() >= 4;
    let (unit, half) = match words.get(1) {
        Some(&"pm") if half.is_none() => (1, Some(12)),
        Some(&"am") if half.is_none() && h <= 12 => (1, Some(0)),
        Some(&"p") if half.is_none() && words.get(2) == Some(&"m") => (2, Some(12)),
        Some(&"a") if half.is_none() && words.get(2) == Some(&"m") => (2, Some(0)),
        // `heure de Paris` is a zone.
        Some(&"heure" | &"hora") if words.get(2).is_some_and(|word| *word == "de" || word.starts_with("local")) => {
            (0, half)
        }
        Some(word) if HOURS.contains(word) => (1, half),
        _ => (0, half),
    };
    // `10 de la noche`, `10 Uhr abends`
    let late =
        half.is_none().then(|| LATE.iter().find_map(|phrase| starts_with(words.get(1 + unit..)?, phrase))).flatten();
    let (unit, half) = match late.filter(|_| (5..=12).contains(&h)) {
        Some(length) => (unit + length, Some(if h == 12 { 0 } else { 12 })),
        None => (unit, half),
    };
    let h = match half {
        Some(half) if (1..=12).contains(&h) => h % 12 + half,
        Some(_) => return None,
        None => h % 24,
    };
    let marked = own || unit > 0 || half.is_some();
    ((h, m) == (hour, minute)).then_some((1 + unit, marked))
}
#[cfg(test)]
mod tests;
