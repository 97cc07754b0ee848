//! What the law wants in a letter of a firm, and who answers for it: `HRB 12345`, `Geschäftsführer: Dr. Jan Petersen`.

use super::card::{BEFORE, DEGREES, HEADS, TRADES, is_capital};
use super::place::{is_nobodys_word, is_place};
use super::slots::{Owner, is_form, slotted};
use super::{is_guarded, plain_words};
use crate::domain::reply::known;

/// What the law wants: `HRB 12345`, `Geschäftsführer: Dr. Jan Petersen`, `VAT GB 123 4567 89`.
pub fn is_register(text: &str, owner: &Owner<'_>, named: bool) -> bool {
    let text = &text.replace("R.C.S", "RCS");
    // `Registered office: 12 Harbour Road, Edinburgh EH12 9DF`, part by part.
    let seat = ["registered office", "head office", "sitz", "siege social", "siege", "domicilio social", "firmensitz"];
    if let Some((label, place)) = text.split_once(':')
        && seat.contains(&plain_words(label).join(" ").as_str())
        && is_place(place.trim())
    {
        return true;
    }
    if is_account(text) {
        return true;
    }
    let words = slotted(text, owner);
    if is_dated(text) {
        return false;
    }
    // `SC012345`
    let bare = text.trim_matches(|c: char| "().,".contains(c));
    let letters = bare.chars().take_while(char::is_ascii_uppercase).count();
    if letters > 0 && letters <= 3 && bare.len() >= letters + 5 && bare[letters..].chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    let mut tried = vec![words.clone(), numbered(&words)];
    let all: Vec<Vec<String>> = tried.iter().flat_map(|words| [placed(words, text), peopled(words, text)]).collect();
    tried.extend(all.iter().flat_map(|words| [words.clone(), placed(words, text)]).collect::<Vec<_>>());
    let person = |words: &[String]| words.iter().any(|word| word == "<person>");
    tried.iter().any(|words| (named || !person(words)) && known::is_register(words))
        || is_entry(&numbered(&words), text)
}

/// An entry of a register in any order: nouns of registers, numbers, towns, and nothing else. They say nothing beside each other.
fn is_entry(words: &[String], text: &str) -> bool {
    const NOUNS: &str = "hrb hra hr fn pr vr gnr amtsgericht registergericht handelsregister handelsregisternummer firmenbuch firmenbuchnummer \
firmenbuchgericht handelsgericht landesgericht sitz ust ustid idnr ustidnr uid mwst steuernummer steuernr stnr finanzamt atu che iban bic swift blz dvr zvr glaubiger \
gericht rcs siret siren siege social capital tva intracommunautaire naf ape rpm bce kbo btw rc ice ide idu rm cif nif nie nit rfc rut cuit ruc registro \
mercantil tomo folio hoja libro seccion inscripcion inscrita inscrito registered registration company companies house vat tax gst abn acn ein crn charity \
reg kvk duns lei eori orcid partita ordre ordine colegiado colegiada numero num";
    const SMALL: &str = "no nr n metropole in der des de del la le du et und and & id number nummer numero au a eur euro euros chf gbp usd england wales scotland ireland deutschland b <number> <city> <org>";
    let noun = |word: &String| NOUNS.split(' ').any(|one| one == word);
    let small = |word: &String| SMALL.split(' ').any(|one| one == word) || word.len() == 1;
    let town = |word: &String| known::is_city(word) && is_capital(text, word);
    let trade = |word: &String| {
        words.iter().any(|word| word == "<org>")
            && (TRADES.contains(word) || is_nobodys_word(word) && is_capital(text, word))
    };
    // `APE 4332A`
    let code = |word: &String| {
        word.len() <= 12
            && word.chars().any(|c| c.is_ascii_digit())
            && word.chars().filter(char::is_ascii_alphabetic).count() <= 2
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    let number = words.iter().any(|word| word == "<number>");
    // `LG Innsbruck`
    let court = words.len() > 1
        && ["lg", "hg", "ag", "amtsgericht", "registergericht", "landesgericht", "handelsgericht"]
            .contains(&words[0].as_str())
        && words[1..].iter().all(|word| town(word) || ["fur", "zrs", "handelssachen"].contains(&word.as_str()));
    court
        || number
            && words.iter().any(noun)
            && words.len() <= 24
            && words.iter().all(|word| {
                noun(word)
                    || small(word)
                    || town(word)
                    || code(word)
                    || is_form(std::slice::from_ref(word))
                    || trade(word)
            })
}

/// `IBAN: DE02120300000000202051`, `BIC GENODEF1CEL`: the number of an account, behind what it is.
fn is_account(text: &str) -> bool {
    let Some((label, number)) = text.split_once([':', ' ']) else { return false };
    let number: String = number.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let codes = number.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let land = number.chars().take(2).all(|c| c.is_ascii_uppercase());
    codes
        && land
        && match label.trim() {
            "IBAN" => (15..=34).contains(&number.len()) && digits >= 12,
            "BIC" | "SWIFT" | "BIC/SWIFT" => [8, 11].contains(&number.len()) && digits > 0,
            _ => false,
        }
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
            && groups.iter().any(digits)
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
        let land = [
            "gb", "de", "fr", "es", "at", "che", "atu", "ie", "b", "eur", "be", "nl", "lu", "it", "pt", "pl", "cz",
            "dk", "se", "fi", "ch", "esb", "hr",
        ]
        .contains(&word.as_str());
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
    // Behind what the law wants, who it is may be called anything.
    let any = |at: usize| {
        (2..=3).contains(&(words.len() - at))
            && words[at..].iter().all(|word| {
                (word.len() == 1 || is_nobodys_word(word)) && is_capital(text, word) && !HEADS.contains(word)
            })
    };
    let start = (0..words.len()).find(|at| is_person_of(&words[*at..], text) || any(*at));
    match start {
        Some(at) if at > 0 => words[..at].iter().cloned().chain(["<person>".to_owned()]).collect(),
        _ => words.to_vec(),
    }
}

/// Somebody behind what the law wants: two or three names, whatever they are.
pub fn is_somebody(text: &str) -> bool {
    let words = plain_words(text);
    let start = words.iter().take_while(|word| DEGREES.contains(*word) || BEFORE.contains(&word.as_str())).count();
    is_person_of(&words, text)
        || (2..=3).contains(&(words.len() - start))
            && words[start..].iter().all(|word| (word.len() == 1 || is_nobodys_word(word)) && is_capital(text, word))
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
