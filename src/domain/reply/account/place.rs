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

/// A street with its number, a town with its code, a country, a floor.
pub fn is_place(text: &str) -> bool {
    let words: Vec<String> = tokens(text).into_iter().filter(|word| word != ",").collect();
    let joined = words.join(" ");
    // A town that is a name too could be who signs.
    if known::is_city(&joined) {
        return !words.iter().any(|word| known::is_first_name(word));
    }
    is_street(text) || is_town(&words, text) || is_inside(text) || {
        let box_number =
            ["postfach", "po box", "p o box", "bp", "cs", "apartado", "apartado de correos", "cedex", "boite postale"];
        box_number.iter().any(|name| {
            joined
                .strip_prefix(name)
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == ' '))
        })
    }
}

/// Floors and the like: `Suite 410`, `4th Floor`, `3. OG`, `nave 7`, `Haus B`.
fn is_inside(text: &str) -> bool {
    // `3.º B`
    let ordinal = text.contains(['º', 'ª']);
    let words = &plain_words(&text.replace(['º', 'ª'], " "))[..];
    const KINDS: &str = "floor fl level suite ste unit flat apt apartment room rm building bldg block dock booth stand hall etage etg stock og eg ug stockwerk \
obergeschoss erdgeschoss gebaude geb haus aufgang eingang tor zimmer raum buro wing batiment bat bureau porte escalier appt lot piso planta puerta local oficina \
nave portal esc izq dcha bloque edificio bajo parcela interior despacho box bte boite";
    let is_kind = |word: &String| KINDS.split(' ').any(|kind| kind == word);
    let number = |word: &String| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
        (1..=4).contains(&digits.len()) && word.len() - digits.len() <= 3 && digits.bytes().all(|c| c.is_ascii_digit())
    };
    let letter = |word: &String| word.len() == 1 && word.bytes().all(|c| c.is_ascii_lowercase());
    let small = |word: &String| {
        ["no", "nr", "the", "ground", "first", "second", "third", "top", "upper"].contains(&word.as_str())
    };
    (1..=5).contains(&words.len())
        && (words.iter().any(is_kind) || ordinal && words.iter().any(number))
        && words.iter().any(|word| {
            number(word) || letter(word) || ["ground", "eg", "erdgeschoss", "bajo"].contains(&word.as_str())
        })
        && words.iter().all(|word| is_kind(word) || number(word) || letter(word) || small(word))
}

/// `20457 Hamburg`, `London E1 6AN`, `D-10115 Berlin`, `75001 Paris Cedex 08`, `OH 43215`: a town with its code.
fn is_town(words: &[String], text: &str) -> bool {
    // States and provinces stand before the code.
    const STATES: &str = "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa \
wv wi wy dc nsw vic qld act tas on qc bc ab mb sk ns nb nl pe";
    let digits = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    let shape = |word: &str| word.chars().map(|c| if c.is_ascii_digit() { '9' } else { 'a' }).collect::<String>();
    let inward = |word: &String| ["9aa", "9a9"].contains(&shape(word).as_str());
    let outward = |word: &String| ["a9", "a99", "aa9", "aa99", "a9a", "aa9a", "a9a9"].contains(&shape(word).as_str());
    let mut named: Vec<&String> = Vec::new();
    let (mut codes, mut long, mut state) = (0, false, false);
    let mut at = 0;
    while at < words.len() {
        let next = words.get(at + 1);
        match &words[at] {
            // `Machynlleth SY20`
            word if outward(word) && next.is_none() && !named.is_empty() && text.contains(&word.to_uppercase()) => {
                (codes, long) = (codes + 1, true);
            }
            word if outward(word) && next.is_some_and(inward) => (codes, at, long) = (codes + 1, at + 1, true),
            word if digits(word) && (4..=6).contains(&word.len()) => {
                (codes, long) = (codes + 1, long || word.len() == 5);
                // `43215-1234`
                at += usize::from(next.is_some_and(|next| digits(next) && next.len() == 4 && text.contains('-')));
            }
            word if STATES.split(' ').any(|state| state == word)
                && next.is_some_and(|next| digits(next) || outward(next))
                && text.contains(&word.to_uppercase()) =>
            {
                state = true;
            }
            // `1016 DX Amsterdam`, `Cedex 08`
            word if word.len() == 2 && codes > 0 && named.is_empty() && !super::is_guarded(word) => {}
            word if digits(word) && at > 0 && words[at - 1] == "cedex" => {}
            // `Dublin 2`
            word if digits(word) && word.len() <= 2 && at > 0 && words[at - 1] == "dublin" => codes += 1,
            word if ["d", "a", "ch", "f", "e", "l", "b", "cedex"].contains(&word.as_str()) => {}
            word => named.push(word),
        }
        at += 1;
    }
    let join = |part: &[&String]| part.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
    let city = |part: &[&String]| known::is_city(&join(part));
    // Each by itself too: `London England`.
    let known = named.is_empty() && state
        || city(&named)
        || (1..named.len()).any(|at| city(&named[..at]) && city(&named[at..]));
    // A code of five figures is no time: the town may be any name.
    let name = |word: &&String| {
        ["am", "an", "der", "bei", "im", "la", "le", "les", "de", "del", "sur", "en", "los", "las", "el"]
            .contains(&word.as_str())
            || is_nobodys_word(word) && is_capital(text, word) && !is_deed(word)
    };
    // Before an unknown name the code stands; behind it only where a state is named too.
    let ahead = words.first().is_some_and(|word| word.chars().any(|c| c.is_ascii_digit()) || word.len() <= 2);
    let any = (long && ahead || state) && (1..=4).contains(&named.len()) && named.iter().all(name);
    codes == 1 && (known || any)
}

/// What places are called.
const KINDS: &str = "za zi zac park parc parque business canal dock docks grand centre center centro tower tour torre house industrial estate technology science campus court plaza point quarter village mall business quay zone place plaza rue avenue square boulevard quai passage hall guildhall chambers maison";

/// Whether a place names itself as one: by its number, or by what it is.
pub fn is_marked(text: &str) -> bool {
    plain_words(text)
        .iter()
        .any(|word| word.bytes().all(|c| c.is_ascii_digit()) || KINDS.split(' ').any(|kind| kind == word))
}

/// Whether a text may be the name of a place that stands before a town: `Grand Canal Dock`.
pub fn is_named(text: &str) -> bool {
    let mut words = plain_words(text);
    // `22 Baltic Chambers`, `Apoquindo 4501`
    let number = |word: &String| word.len() <= 5 && word.bytes().all(|c| c.is_ascii_digit());
    if words.len() > 1 && words.first().is_some_and(number) {
        words.remove(0);
    } else if words.len() > 1 && words.last().is_some_and(number) {
        words.pop();
    }
    let small = ["y", "de", "la", "du", "des", "of", "the", "am", "an", "der", "del", "les", "and", "und"];
    let name = |word: &String| {
        is_nobodys_word(word)
            || KINDS.split(' ').any(|kind| kind == word)
            || !is_guarded(word) && !known::is_grave(word) && !known::is_verb(word) && weekday(word).is_none()
    };
    (1..=4).contains(&words.len())
        && words.iter().any(|word| is_capital(text, word))
        && words.iter().all(|word| {
            small.contains(&word.as_str())
                || name(word) && is_capital(text, word) && word.chars().all(char::is_alphabetic) && !is_deed(word)
        })
}

/// Whether a word names a time as a whole or at one of its ends: `Herbst`, `Vorwoche`, `Donnerstagabend`.
fn is_of_time(word: &str) -> bool {
    const PARTS: [&str; 22] = [
        "herbst",
        "winter",
        "sommer",
        "fruhjahr",
        "fruhling",
        "abend",
        "morgen",
        "mittag",
        "nacht",
        "woche",
        "monat",
        "quartal",
        "jahr",
        "stunde",
        "termin",
        "zeit",
        "anfang",
        "ende",
        "anschluss",
        "urlaub",
        "wochenende",
        "tag",
    ];
    PARTS.iter().any(|part| word.starts_with(part) || word.ends_with(part))
}

/// Whether a word names something done, as places do not: `Stornierung`, `Anulación`.
pub fn is_deed(word: &str) -> bool {
    const ENDS: [&str; 12] =
        ["ung", "ungen", "tion", "cion", "sion", "ment", "heit", "keit", "ruch", "schlag", "litige", "flikt"];
    ENDS.iter().any(|end| word.ends_with(end))
}

/// Whether a word is none of which answers are made.
pub fn is_nobodys_word(word: &str) -> bool {
    !is_guarded(word)
        && !known::is_of_answers(word)
        && !known::is_verb(word)
        && weekday(word).is_none()
        && !is_month(word)
        && word.chars().all(char::is_alphabetic)
}

/// `Hafenstraße 12`, `12 Harbour Street`, `12 rue du Port`, `C/ del Puerto 12`: a kind of street, a number, and a word that is its name.
pub fn is_street(text: &str) -> bool {
    const BEHIND: &str = "street st road rd avenue ave lane ln drive dr square sq boulevard blvd terrace crescent gardens row quay mews hill grove court place plaza gate wharf house tower building way parkway highway circle parade close walk view rise circus green park mall broadway embankment trail loop yard estate";
    const BEFORE: &str = "rue avenue av ave boulevard boul bd blvd place impasse quai allee chemin ch route cours calle c avenida avda paseo plaza pza pl camino carretera ctra via viale piazza corso carrera cra cl calz calzada carrer rambla ronda travesia poligono pol ind ind. industrial chaussee square passage zone za zi zac";
    const ENDS: [&str; 37] = [
        "strasse",
        "str",
        "gasse",
        "weg",
        "allee",
        "platz",
        "ring",
        "ufer",
        "damm",
        "chaussee",
        "markt",
        "straat",
        "laan",
        "gracht",
        "stieg",
        "steig",
        "graben",
        "promenade",
        "kai",
        "stadt",
        "park",
        "hof",
        "berg",
        "feld",
        "tor",
        "brucke",
        "garten",
        "wall",
        "hafen",
        "wiese",
        "wald",
        "twiete",
        "siedlung",
        "winkel",
        "kamp",
        "zeile",
        "passage",
    ];
    const SMALL: &str = "de du des la le les del los las the of and und saint am an der dem den zum zur im l d old new great upper lower north south east west ouest norte sur este oeste n s e w el y et bis ter en";
    // `Am Kanal 3`
    const AT: [&str; 12] = [
        "am",
        "an der",
        "an den",
        "im",
        "in der",
        "auf der",
        "auf dem",
        "unter den",
        "zum",
        "zur",
        "beim",
        "hinter der",
    ];
    // Names of streets that are words too.
    const COMMON: &str = "high main church market station king kings queen queens victoria mill bridge canal park manor castle london oxford mayor real sol mercado iglesia eglise gare republique liberte paix";
    let is_of = |list: &str, word: &str| list.split(' ').any(|one| one == word);
    // Behind a comma stands the number, and nothing else of a street.
    if text.match_indices(", ").any(|(at, _)| !text[at + 2..].starts_with(|c: char| c.is_ascii_digit())) {
        return false;
    }
    let words = plain_words(&text.replace(" s/n", " 1"));
    // `calle E`: in a district of works, streets have letters.
    if let [kind, letter] = &words[..]
        && letter.len() == 1
        && letter.bytes().all(|c| c.is_ascii_lowercase())
        && is_capital(text, letter)
        && ["calle", "c", "rua", "street", "strasse", "halle"].contains(&kind.as_str())
    {
        return true;
    }
    let number = |word: &str| {
        let digits = word.trim_end_matches(|c: char| "abcdef".contains(c));
        (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let name = |word: &str| {
        !known::is_grave(word)
            && !is_guarded(word)
            && weekday(word).is_none()
            && !is_month(word)
            && is_capital(text, word)
    };
    let place = AT.iter().find_map(|at| {
        let rest = words.strip_prefix(at.split(' ').map(str::to_owned).collect::<Vec<_>>().as_slice())?;
        let (street, numbers) = rest.split_at(rest.iter().take_while(|word| !number(word)).count());
        let named = (1..=2).contains(&street.len())
            && street.iter().all(|word| is_nobodys_word(word) && is_capital(text, word) && !is_of_time(word))
            && numbers.len() == 1
            && numbers.iter().all(|word| number(word) && word.len() <= 3);
        Some(named)
    });
    if place == Some(true) {
        return true;
    }
    // The town behind it.
    let town = (1..=3.min(words.len())).rev().find(|length| {
        let at = words.len() - length;
        at > 2 && known::is_city(&words[at..].join(" ")) && is_capital(text, &words[at])
    });
    let words = &words[..words.len() - town.unwrap_or(0)];
    // Floors and the like stand behind.
    let floor = [
        "floor", "fl", "etage", "stock", "og", "piso", "planta", "suite", "unit", "flat", "apt", "bureau", "nr", "no",
        "num", "numero", "n", "bte", "nave",
    ];
    let (mut kinds, mut names, mut numbers) = (0, 0, 0);
    let mut strange = false;
    let mut order = String::new();
    for word in words {
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
            // `Pol. Ind. Las Eras`
            word if order == "b" && is_of(BEFORE, word) => {}
            word if names > 0 && (is_of(BEHIND, word) || ENDS.contains(&word)) => {
                (kinds, _) = (kinds + 1, order.push('k'))
            }
            word if is_of(SMALL, word) => {}
            word if name(word) || is_of(COMMON, word) && is_capital(text, word) => {
                strange |= known::is_verb(word) && !is_of(COMMON, word);
                (names, _) = (names + 1, order.push('n'));
            }
            _ => return false,
        }
    }
    let shapes = [
        "9nk", "nk9", "k9", "9k", "bn9", "9bn", "9nk9", "bn99", "9bn9", "k99", "b9", "9nnk", "bnn9", "9bnn", "nnk9",
        "nnnk9", "bnnn9", "9bnnn", "bnn99", "b99", "b999", "bn9k", "nk99", "nnk99", "bnn", "bn",
    ];
    // `King Street`: more words only where none of them is one of a language, or one is a town's or a person's.
    let places = words.iter().any(|word| known::is_city(word) || known::is_first_name(word));
    // Only a named district may lack its number.
    let counted = (1..=3).contains(&numbers) || text.to_lowercase().starts_with("pol");
    // `Avenue Louise 321 Louizalaan`: in both languages of the town.
    let both = kinds == 2 && order == "bn9k";
    (kinds == 1 || both)
        && counted
        && (names <= 1 || names <= 3 && (places && !order.starts_with("nnn") || !strange))
        && shapes.contains(&order.as_str())
        && words.len() <= 9
}
