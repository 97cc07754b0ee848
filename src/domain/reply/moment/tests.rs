//! The window as people write it, and what is another time.

use super::*;
use crate::domain::reply::words::tokens;

fn whole(text: &str) -> bool {
    let window = ("2026-12-05T22:00:00Z".parse().unwrap(), "2026-12-05T23:00:00Z".parse().unwrap());
    let moment = Moment::new(window, &TimeZone::get("Europe/Berlin").unwrap());
    let words = tokens(text);
    let mut at = 0;
    while at < words.len() {
        let before = at.checked_sub(1).map(|at| words[at].as_str());
        at += match moment.at(&words[at..], before) {
            Some(length) => length,
            None if ["on", "at", "um", "le", "el", "a", "las", "de", "am", "the", "den", "from", "von", "der"]
                .contains(&words[at].as_str()) =>
            {
                1
            }
            None if weekday(&words[at]).is_some_and(|day| moment.is_on(day)) || words[at] == "," => 1,
            None => return false,
        };
    }
    true
}

#[test]
fn the_window_s_day_and_time_are_known_in_the_forms_of_four_languages() {
    for text in [
        "5 December",
        "December 5th",
        "Dec 5, 2026",
        "the 5th of December",
        "the 5th",
        "Saturday 5",
        "on Saturday the 5th",
        "am 5. Dezember 2026",
        "am 5.12.",
        "Sa 05.12.2026",
        "23:00 hora de Berlin",
        "05.12.2026",
        "Samstag, den 5.12.26",
        "le 5 décembre",
        "samedi 5",
        "el 5 de diciembre de 2026",
        "2026-12-05",
        "5/12",
        "Saturday 12/05/2026",
        "23:00",
        "23h",
        "23 h",
        "23h00",
        "um 23 Uhr",
        "11pm",
        "11 pm",
        "11:00 pm",
        "23.00 Uhr",
        "22:00 UTC",
        "22:00 to 23:00 UTC",
        "23:00-24:00",
        "23 bis 24 Uhr",
        "de 23h à minuit",
        "from 11pm to midnight",
        "between 23:00 and 24:00",
        "23:00 CET",
        "23:00 (Europe/Berlin)",
        "23:00 Berlin time",
        "Saturday night",
        "on Saturday nights",
        "Samstagabend",
        "samedi soir",
        "Samstag Nacht",
        "el sábado 5 a las 23h",
        "Sat 5 Dec 23:00",
        "23:00 to 00:00",
        "23:00 on 5 December 2026 to 00:00 on 6 December 2026 (CET)",
        "vom 5. Dezember 23 Uhr bis zum 6. Dezember 0 Uhr",
        "du 5 décembre 23h au 6 décembre 0h",
        "5 de diciembre a las 11 de la noche",
        "11 Uhr abends",
        "11 h du soir",
        "night of 5 to 6 December",
        "Nacht vom 5. auf den 6. Dezember",
        "nuit du 5 au 6 décembre",
        "noche del 5 al 6 de diciembre",
    ] {
        assert!(whole(text), "{text}: {:?}", tokens(text));
    }
}

#[test]
fn whatever_else_names_a_time_is_another_time() {
    for text in [
        "6 December",
        "the 6th",
        "Sunday 5",
        "5 November",
        "5.11.",
        "05.12.2027",
        "22:00",
        "23:30",
        "10pm",
        "11am",
        "11:00",
        "11",
        "24:00",
        "midnight",
        "from midnight",
        "23:00 UTC",
        "22:00 CET",
        "23:00 to 23:30",
        "23:00 EST",
        "11pm EST",
        "11 pm PST",
        "23:00 BST",
        "5",
        "5 pm",
        "the 5 minutes",
        "Saturday morning",
        "Sonntagabend",
        "between 23:00 and 23:30",
        "22 to 23 Uhr",
        "12 Dezember",
        "le 5 minutes",
        "23:00 on 6 December to 00:00 on 7 December",
        "5 December 23:00 to 6 December 01:00",
        "night of 6 to 7 December",
        "noche del 4 al 5 de diciembre",
        "11 de la mañana",
        "10 de la noche",
    ] {
        assert!(!whole(text), "{text}: {:?}", tokens(text));
    }
}

fn night() -> Moment {
    let window = ("2026-12-01T21:00:00Z".parse().unwrap(), "2026-12-01T23:00:00Z".parse().unwrap());
    Moment::new(window, &TimeZone::get("Europe/Berlin").unwrap())
}

#[test]
fn hours_are_known_as_one_says_them_and_the_morning_is_another_time() {
    for text in [
        "ten till twelve at night",
        "Dienstagabend von zehn bis zwölf",
        "diez a doce de la noche",
        "Tuesday evening between ten and twelve",
        "Tuesday evening at ten",
        "Dienstagabend um zehn",
        "10 p.m.",
        "noche del martes al miércoles 2",
        "martes 1/12 22:00 al miércoles 2/12 00:00",
    ] {
        assert_eq!(night().at(&tokens(text), None), Some(tokens(text).len()), "{text}: {:?}", tokens(text));
    }
    for text in [
        "ten till twelve in the morning",
        "ten till twelve",
        "10 bis 12 Uhr",
        "ten to twelve at night",
        "Tuesday at ten",
        "zehn bis zwölf vormittags",
        "ten till eleven",
        "ten till twelve EST",
        "Tuesday at ten am",
        "Tuesday at eleven",
        "Wednesday at ten",
        "10 a.m.",
        "ten",
        "22:00 local time",
    ] {
        assert_ne!(night().at(&tokens(text), None), Some(tokens(text).len()), "{text}");
    }
}

#[test]
fn hours_of_the_day_before_and_the_day_behind_are_told_from_the_window_s() {
    for text in ["six", "6 pm", "18 Uhr", "18h30", "sechs", "ocho", "20:00", "half past six", "siete y media", "noon"] {
        assert_eq!(night().before_it(&tokens(text)), Some(tokens(text).len()), "{text}");
    }
    for text in ["22:00", "23 Uhr", "ten", "11 pm", "elf", "2200", "midnight", "one", "drei"] {
        assert_eq!(night().before_it(&tokens(text)), None, "{text}");
    }
    for (word, next) in [("wednesday", true), ("mittwochmorgen", true), ("tuesday", false), ("thursday", false)] {
        assert_eq!(night().is_next_day(word), next, "{word}");
    }
    // By day nobody says "the office is empty by six" of it.
    let day = ("2026-12-01T09:00:00Z".parse().unwrap(), "2026-12-01T11:00:00Z".parse().unwrap());
    let day = Moment::new(day, &TimeZone::UTC);
    assert_eq!(day.before_it(&tokens("six")), None);
    let words = tokens("mon équipe est prévenue, mon 5 December");
    assert_eq!((weekday_at(&words, 0), weekday_at(&words, 5)), (None, Some(Weekday::Monday)));
}
