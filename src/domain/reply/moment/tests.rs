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
        "12/05/2026",
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
