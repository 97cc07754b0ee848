//! The lines of a signature: who somebody is and how they are reached. Each piece of such a line has one of a few forms, and every
//! word in it is known: a name or a word that nobody listed makes the line somebody's words.

use super::place::is_place;
use super::reach::{is_own_address, is_reach};
use super::slots::{Owner, is_address, is_form, slotted};
use super::{is_guarded, plain_words};
use crate::domain::reply::known;
use crate::domain::reply::words::{fold, tokens};
use std::collections::HashSet;
use std::sync::LazyLock;

/// A longer line is none.
const LONGEST: usize = 200;
/// A title has no more words.
const LONGEST_TITLE: usize = 9;

static HEADS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("head"));
static MODS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("mod"));
static SMALL: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("small"));
static DEGREES: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("degree"));
static SOCIALS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("social"));

/// Titles of persons before a name.
const BEFORE: [&str; 20] = [
    "i", "a", "v", "iv", "ia", "ppa", "dr", "prof", "dipl", "ing", "mag", "mr", "mrs", "ms", "herr", "frau", "m",
    "mme", "sr", "sra",
];

/// Whether a line is one.
pub fn is_card(line: &str, owner: &Owner<'_>) -> bool {
    let line = line.trim().trim_start_matches("-- ").trim();
    // `Ada Okafor <ada.okafor@acme.example>`
    let own = line.rsplit_once(' ').filter(|(_, last)| is_address(last) && is_own_address(last, owner));
    if own.is_some_and(|(start, _)| is_name(start, owner)) {
        return true;
    }
    if line.is_empty() || line.chars().count() > LONGEST || line.contains(['?', '…', '!']) {
        return false;
    }
    // Hours alone could be meant for the window.
    if is_form_of_card(line, owner) {
        return line.contains(':') || !is_hours(line);
    }
    // Behind `Vorstand: Jan Petersen` more of them may follow.
    let mut people = false;
    let pieces = pieces(line);
    pieces.len() > 1
        && pieces.iter().all(|piece| {
            let known = is_form_of_card(piece, owner) || people && is_person(piece);
            people |= known && piece.split_once(':').is_some_and(|(_, name)| is_person(name));
            known
        })
}

/// What separators part; brackets around an area code part nothing.
fn pieces(line: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let bars = [
        '|', '·', '•', ',', ';', '*', '►', '│', '◦', '‖', '–', '—', '\t', '●', '▪', '✆', '☎', '✉', '📞', '📱', '📧',
        '🌐',
    ];
    for part in line.split(bars).flat_map(|part| part.split(" - ")).flat_map(|part| part.split(" / ")) {
        let part = part.trim();
        // `Ada Okafor (she/her)`, `Tel. 030 1234567 (office)`
        let bracket = part.ends_with(')').then(|| part.rfind(" (")).flatten();
        let inner = bracket.map(|at| part[at + 2..part.len() - 1].trim());
        match (bracket, inner) {
            (Some(at), Some(inner)) if inner.chars().any(char::is_alphabetic) => all.extend([part[..at].trim(), inner]),
            _ => all.push(part),
        }
    }
    let written = |part: &&str| part.chars().any(char::is_alphanumeric);
    let mut sentences: Vec<&str> = Vec::new();
    for part in all.into_iter().filter(written) {
        // `Fabrikam Ltd. Registered in England No. 01234567.`
        let ends = part.match_indices(". ").map(|(at, _)| at).filter(|at| {
            let word = part[..*at].rsplit(' ').next().unwrap_or_default();
            let next = part[at + 2..].chars().next().is_some_and(char::is_uppercase);
            next && (word.len() > 4 || is_form(&[fold(word)]))
        });
        let mut start = 0;
        for end in ends {
            sentences.push(part[start..end].trim());
            start = end + 2;
        }
        sentences.push(part[start..].trim());
    }
    sentences.retain(written);
    sentences
}

/// Whether a text has one of the forms, as a whole.
fn is_form_of_card(text: &str, owner: &Owner<'_>) -> bool {
    let text = text.trim_end_matches(['.', ',', ' ']);
    is_name(text, owner)
        || is_title(text, owner)
        || is_firm(text, owner)
        || is_reach(text, owner)
        || is_place(text)
        || is_register(text, owner)
        || is_hours(text)
        || text.len() > 2
            && text.split(':').all(|part| SOCIALS.contains(&tokens(part).join(" ")) || part.trim().is_empty())
}

/// Hours of an office: `Mon-Fri 9-17`, `Bürozeiten: Mo-Do 8:00-15:00 Uhr`. A single day, or an hour in the night, is somebody's.
fn is_hours(text: &str) -> bool {
    const LABELS: &str = "burozeiten|sprechzeiten|offnungszeiten|geschaftszeiten|office hours|opening hours|business hours|horaires|horaires d ouverture|horario|horario de atencion|horario de oficina|";
    const FIRST: &str = "mon monday mo montag lun lundi lunes";
    const LAST: &str = "thu thursday do donnerstag jeu jeudi jue jueves fri friday fr freitag ven vendredi vie viernes";
    const SMALL: &str = "to bis a au uhr h hrs am pm and und et y de von from";
    let (label, days) =
        text.split_once(':').filter(|(label, _)| !label.contains(|c: char| c.is_ascii_digit())).unwrap_or(("", text));
    let is_of = |list: &str, word: &String| list.split(' ').any(|one| one == word);
    let words: Vec<String> = plain_words(days).into_iter().filter(|word| !is_of(SMALL, word)).collect();
    let hour = |word: &String| {
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<u8>();
        number.is_ok_and(|number| (6..=20).contains(&number)) || ["00", "30", "15", "45"].contains(&word.as_str())
    };
    LABELS.split('|').any(|one| one == plain_words(label).join(" "))
        && words.len() > 2
        && is_of(FIRST, &words[0])
        && is_of(LAST, &words[1])
        && words[2..].iter().all(hour)
}

/// Their own name, with degrees.
fn is_name(text: &str, owner: &Owner<'_>) -> bool {
    let words: Vec<String> = plain_words(text);
    let own = |word: &String| owner.names.contains(word) && !known::is_word(word);
    let extra = |word: &String| {
        DEGREES.contains(word) || BEFORE.contains(&word.as_str()) || word.len() == 1 && owner.names.contains(word)
    };
    words.iter().any(|word| own(word) && word.len() > 1) && words.iter().all(|word| own(word) || extra(word)) || {
        let all = tokens(text).join(" ");
        !all.is_empty() && (DEGREES.contains(&all) || DEGREES.contains(&words.join(" ")))
    }
}

/// A job or a department: `Head of Data Platform`, `Leiterin IT-Betrieb`.
fn is_title(text: &str, owner: &Owner<'_>) -> bool {
    let words = plain_words(text);
    let firm = |word: &String| owner.firm.contains(word);
    let listed =
        |word: &String| HEADS.contains(word) || MODS.contains(word) || SMALL.contains(word) || DEGREES.contains(word);
    (1..=LONGEST_TITLE).contains(&words.len())
        && (words.iter().any(|word| HEADS.contains(word)) || text.contains(" & ") && words.len() > 1)
        && words.iter().all(|word| listed(word) || firm(word))
        && !text.contains(':')
        && !words.iter().any(|word| {
            ["at", "to", "on", "off", "out", "up", "by", "from", "per", "with", "without", "zu", "zum", "zur"]
                .contains(&word.as_str())
        })
        && !words.last().is_some_and(|word| SMALL.contains(word) && !HEADS.contains(word))
}

/// Their own firm: `Acme Ltd`, `Acme Services GmbH & Co. KG`.
fn is_firm(text: &str, owner: &Owner<'_>) -> bool {
    let words = plain_words(text);
    let Some(at) = words.iter().position(|word| owner.firm.contains(word)) else { return false };
    let listed = |word: &String| {
        owner.firm.contains(word) || MODS.contains(word) || HEADS.contains(word) || SMALL.contains(word)
    };
    let form = (at..words.len()).find(|end| is_form(&words[*end..]));
    let end = form.unwrap_or(words.len());
    // `Acme Widgets Ltd`: behind their own name, and before the legal form.
    let strange: Vec<&String> = words[at..end].iter().filter(|word| !listed(word)).collect();
    let name = |word: &&String| !is_guarded(word) && !known::is_word(word) && is_capital(text, word);
    let strange: Vec<&String> = strange.into_iter().filter(|word| !known::is_city(word)).collect();
    let named = strange.is_empty() || form.is_some() && strange.len() <= 2 && strange.iter().all(name);
    words.len() <= LONGEST_TITLE && words[..at].iter().all(listed) && named
}

pub fn is_capital(text: &str, word: &str) -> bool {
    let mut all = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| fold(piece) == word);
    all.next().is_some_and(|piece| piece.starts_with(char::is_uppercase))
}

/// What the law wants: `HRB 12345`, `Geschäftsführer: Dr. Jan Petersen`, `VAT GB 123 4567 89`.
fn is_register(text: &str, owner: &Owner<'_>) -> bool {
    let words = slotted(text, owner);
    if is_dated(text) {
        return false;
    }
    let mut tried = vec![words.clone(), numbered(&words)];
    let all: Vec<Vec<String>> = tried.iter().flat_map(|words| [placed(words, text), peopled(words, text)]).collect();
    tried.extend(all.iter().flat_map(|words| [words.clone(), placed(words, text)]).collect::<Vec<_>>());
    tried.iter().any(|words| known::is_register(words))
}

/// Whether a date or a time stands in it.
fn is_dated(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| "()[],;.".contains(c));
        let groups: Vec<&str> = word.split(['.', '-', '/', ':', 'h']).collect();
        let digits =
            |group: &&str| !group.is_empty() && group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_digit());
        let small = groups.iter().filter(|group| group.len() <= 2).count();
        groups.len() >= 2
            && groups.len() <= 3
            && small >= 2
            && groups.iter().all(|group| digits(group) || group.is_empty())
            || word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Codes with letters are numbers too: `DE123456789`, `GB`.
fn numbered(words: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        let bare = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let inner = bare.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let digits = inner.chars().filter(char::is_ascii_digit).count();
        let code =
            digits >= 5 && word.len() - inner.len() <= 3 && inner.chars().all(|c| c.is_ascii_digit() || c == '.');
        let land = ["gb", "de", "fr", "es", "at", "che", "atu", "ie", "b", "eur"].contains(&word.as_str());
        let number = word == "<number>" || code || land && all.len() > 1;
        match number {
            true if all.last().is_some_and(|last| last == "<number>") => {}
            true => all.push("<number>".into()),
            false => all.push(word.clone()),
        }
    }
    all
}

/// The town in it as a slot.
fn placed(words: &[String], text: &str) -> Vec<String> {
    for length in (1..=3).rev() {
        for at in 0..(words.len() + 1).saturating_sub(length) {
            if known::is_city(&words[at..at + length].join(" ")) && is_capital(text, &words[at]) {
                let mut all = words[..at].to_vec();
                all.push("<city>".into());
                all.extend_from_slice(&words[at + length..]);
                return all;
            }
        }
    }
    words.to_vec()
}

/// The person at its end as a slot.
fn peopled(words: &[String], text: &str) -> Vec<String> {
    let start = (0..words.len()).find(|at| is_person_of(&words[*at..], text));
    match start {
        Some(at) if at > 0 => words[..at].iter().cloned().chain(["<person>".to_owned()]).collect(),
        _ => words.to_vec(),
    }
}

fn is_person(text: &str) -> bool {
    is_person_of(&plain_words(text), text)
}

/// `Dr. Jan Petersen`, `Peter Lang (Vors.)`: a first name that is one, and a surname that is no word.
fn is_person_of(words: &[String], text: &str) -> bool {
    let start = words.iter().take_while(|word| DEGREES.contains(*word) || BEFORE.contains(&word.as_str())).count();
    let words = &words[start..];
    let Some((first, rest)) = words.split_first() else { return false };
    let surname = |word: &String| {
        let small = ["von", "van", "de", "der", "la", "del", "zu"].contains(&word.as_str());
        small
            || word.len() == 1
            || is_capital(text, word) && !is_guarded(word) && !known::is_verb(word) && !HEADS.contains(word)
    };
    known::is_first_name(first) && is_capital(text, first) && (1..=3).contains(&rest.len()) && rest.iter().all(surname)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(line: &str) -> bool {
        let own = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (names, firm) = (own("ada okafor ao a o"), own("acme"));
        is_card(line, &Owner { names: &names, firm: &firm, email: "ada.okafor@acme.example" })
    }

    #[test]
    fn lines_of_a_signature_are_known_in_the_dress_of_four_languages() {
        for line in [
            "Ada Okafor",
            "Ada Okafor MSc",
            "i. A. Dipl.-Ing. Ada Okafor",
            "Ada Okafor (she/her)",
            "Head of Data Platform | Acme Ltd",
            "Senior Site Reliability Engineer",
            "Acme Ltd, 12 Harbour Street, London E1 6AN",
            "Tel.: +44 20 7946 0991",
            "T +44 20 7946 0991 | M +44 7700 900123",
            "ada.okafor@acme.example",
            "www.acme.example",
            "Registered in England and Wales No. 01234567. VAT GB 123 4567 89",
            "Leiterin IT-Betrieb",
            "Acme GmbH",
            "Hafenstraße 12",
            "20457 Hamburg",
            "Telefon: +49 40 123456-78",
            "Amtsgericht Hamburg, HRB 12345",
            "Geschäftsführer: Dr. Jan Petersen, Maria Schulz",
            "Sitz der Gesellschaft: Hamburg",
            "Acme AG | Hafenstr. 12 | 20457 Hamburg | Germany",
            "Registergericht: Hamburg HRB 12345 | USt-IdNr.: DE123456789",
            "Directrice technique",
            "12 rue du Port, 75001 Paris",
            "Port. : 06 12 34 56 78",
            "Acme SAS au capital de 50 000 € - RCS Paris 123 456 789",
            "Responsable de Sistemas",
            "C/ del Puerto 12, 28001 Madrid",
            "Tfno.: +34 91 123 45 67",
            "Ada Okafor | Ingeniera de sistemas | +34 600 123 456",
            "Tel: +49 40 123456-78 (Mon-Fri 9-17)",
            "24/7 hotline: +44 20 7946 0999",
            "Security Operations Center (SOC)",
            "Follow us: LinkedIn | Twitter | YouTube",
            "Acme Widgets Ltd.",
            "+44 20 7946 0991",
            "Systemadministration",
            "Acme France",
            "Responsable informatique, Acme France",
            "E: ada.okafor@acme.example",
            "ISO 27001 certified",
        ] {
            assert!(is(line), "{line}");
        }
    }

    #[test]
    fn what_somebody_says_in_the_shape_of_one_is_none() {
        for line in [
            "2026-12-03",
            "03.12.2026",
            "Ada Okafor, 03.12.2026 - 20.00",
            "2300-0100",
            "LEAVE SALES TEAM CONNECTED",
            "PRODUCTION SYSTEMS IN USE",
            "TALK TO BOB +44 20 7946 0991",
            "Unverbindlich",
            "Mentira",
            "Skip Germany",
            "Skip Payroll",
            "Bob Lee",
            "Bob Lee Has Final Say bob@acme.example",
            "bob@acme.example",
            "Working hours: Thu 22:00 to 23:00",
            "Tel. +44 20 7946 0991, Thursdays",
            "Phone: 2330-0030",
            "Office: 3.12. 20:00",
            "Operations Manager, for Ada",
            "Call centre closed +44 20 7946 0991",
            "Geschäftsführer: Bob Entscheidet",
            "Geschäftsführer: Wartet Noch",
            "Acme Wartet Ltd",
            "12 Wait Street",
            "https://acme.example/only-if-Bob-agrees",
            "+44 20 7946 0991 Bob Decides Everything",
            "HRB 03.12.2026",
            "03.12.26 22.00-23.30",
            "3Dec 22h",
            "Berlin 3DEC 2300",
            "03/12/26 22.00",
            "Block Thursday 22h",
            "Close Friday 22h",
            "Park 2 Weeks",
            "12 Thursday Street",
            "Sofia",
            "Operations at Risk",
            "Time zone: New York",
            "Ada Okafor (on leave)",
            "Tel: +49 40 123456-78 (Mon-Thu 22-23)",
            "Office hours: Tue-Fri 9-17",
        ] {
            assert!(!is(line), "{line}");
        }
    }
}
