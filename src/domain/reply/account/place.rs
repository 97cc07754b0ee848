//! Where somebody sits, as a signature says it: a street with its number, a town with its code, a country.

use super::card::is_capital;
use super::{is_guarded, plain_words};
use crate::domain::reply::known;
use crate::domain::reply::moment::{is_month, weekday};
use crate::domain::reply::words::tokens;

/// Whether a line is only a town or a country, which could be a name too where no other line of a signature stands above it.
pub fn is_bare_place(line: &str) -> bool {
    known::is_city(&tokens(line).join(" "))
}

/// A street with its number, a town with its code, a country.
pub fn is_place(text: &str) -> bool {
    let words: Vec<String> = tokens(text).into_iter().filter(|word| word != ",").collect();
    let joined = words.join(" ");
    // A town that is a name too could be who signs.
    if known::is_city(&joined) {
        return !words.iter().any(|word| known::is_first_name(word));
    }
    is_street(text) || is_town(&words) || {
        let box_number =
            ["postfach", "po box", "p o box", "bp", "cs", "apartado", "apartado de correos", "cedex", "boite postale"];
        box_number.iter().any(|name| {
            joined
                .strip_prefix(name)
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == ' '))
        })
    }
}

/// `20457 Hamburg`, `London E1 6AN`, `D-10115 Berlin`, `75001 Paris Cedex 08`: a town with its code.
fn is_town(words: &[String]) -> bool {
    let digits = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    let shape = |word: &str| word.chars().map(|c| if c.is_ascii_digit() { '9' } else { 'a' }).collect::<String>();
    let inward = |word: &String| shape(word) == "9aa";
    let outward = |word: &String| ["a9", "a99", "aa9", "aa99", "a9a", "aa9a"].contains(&shape(word).as_str());
    let mut named: Vec<&String> = Vec::new();
    let mut codes = 0;
    let mut at = 0;
    while at < words.len() {
        let next = words.get(at + 1);
        match &words[at] {
            word if outward(word) && next.is_some_and(inward) => (codes, at) = (codes + 1, at + 1),
            word if digits(word) && (4..=6).contains(&word.len()) => codes += 1,
            // `1016 DX Amsterdam`, `Cedex 08`
            word if word.len() == 2 && codes > 0 && named.is_empty() && !super::is_guarded(word) => {}
            word if digits(word) && at > 0 && words[at - 1] == "cedex" => {}
            word if ["d", "a", "ch", "f", "e", "cedex"].contains(&word.as_str()) => {}
            word => named.push(word),
        }
        at += 1;
    }
    let join = |part: &[&String]| part.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
    // Each by itself too: `London England`.
    let known = known::is_city(&join(&named))
        || (1..named.len()).any(|at| known::is_city(&join(&named[..at])) && known::is_city(&join(&named[at..])));
    codes == 1 && known
}

/// `Hafenstraße 12`, `12 Harbour Street`, `12 rue du Port`, `C/ del Puerto 12`: a kind of street, a number, and a word that is its name.
fn is_street(text: &str) -> bool {
    const BEHIND: &str = "street st road rd avenue ave lane ln drive square sq boulevard blvd terrace crescent gardens row quay mews hill grove court place plaza gate wharf house tower building way";
    const BEFORE: &str = "rue avenue av boulevard bd place impasse quai allee chemin route cours calle c avenida avda paseo plaza pza camino carretera via viale piazza corso carrera";
    const ENDS: [&str; 14] = [
        "strasse", "str", "gasse", "weg", "allee", "platz", "ring", "ufer", "damm", "chaussee", "markt", "straat",
        "laan", "gracht",
    ];
    const SMALL: &str = "de du des la le les del los las the of and und saint am an der dem zum zur im l d old new great upper lower north south east west n s e w el y et bis ter";
    // Names of streets that are words too.
    const COMMON: &str = "high main church market station king kings queen queens victoria mill bridge canal park manor castle london oxford mayor real sol mercado iglesia eglise gare republique liberte paix";
    let is_of = |list: &str, word: &str| list.split(' ').any(|one| one == word);
    let words = plain_words(text);
    let number = |word: &str| {
        let digits = word.trim_end_matches(|c: char| "abcdef".contains(c));
        (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let name = |word: &str| {
        !is_guarded(word)
            && !known::is_of_answers(word)
            && weekday(word).is_none()
            && !is_month(word)
            && is_capital(text, word)
    };
    // Floors and the like stand behind.
    let floor = [
        "floor", "fl", "etage", "stock", "og", "piso", "planta", "suite", "unit", "flat", "apt", "bureau", "nr", "no",
        "num", "numero", "n",
    ];
    let (mut kinds, mut names, mut numbers) = (0, 0, 0);
    let mut order = String::new();
    for word in &words {
        let compound = ENDS.iter().any(|end| {
            word.strip_suffix(end)
                .is_some_and(|start| start.len() > 2 && !is_guarded(start) && weekday(start).is_none())
        });
        match word.as_str() {
            word if number(word) => (numbers, _) = (numbers + 1, order.push('9')),
            word if floor.contains(&word) => {}
            _ if compound => (kinds, names, _) = (kinds + 1, names + 1, order.push('k')),
            word if kinds == 0 && is_of(BEFORE, word) && (order.is_empty() || order == "9") => {
                (kinds, _) = (kinds + 1, order.push('b'))
            }
            word if names > 0 && (is_of(BEHIND, word) || ENDS.contains(&word)) => {
                (kinds, _) = (kinds + 1, order.push('k'))
            }
            word if is_of(SMALL, word) => {}
            word if name(word) || is_of(COMMON, word) && is_capital(text, word) => {
                (names, _) = (names + 1, order.push('n'))
            }
            _ => return false,
        }
    }
    let shapes = ["9nk", "nk9", "k9", "9k", "bn9", "9bn", "9nk9", "bn99", "9bn9", "k99", "b9", "9nnk", "bnn9", "9bnn"];
    // `King Street`: two words only where one is a town's or a person's.
    let two = names == 2 && (!order.contains('k') || order == "9nnk");
    let places = words.iter().filter(|word| known::is_city(word) || known::is_first_name(word)).count();
    kinds == 1
        && (1..=2).contains(&numbers)
        && (names <= 1 || two && places > 0)
        && shapes.contains(&order.as_str())
        && words.len() <= 9
}
