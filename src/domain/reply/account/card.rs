//! The lines of a signature: who somebody is and how they are reached. Each piece of such a line has one of a few forms, and every
//! word in it is known: a name or a word that nobody listed makes the line somebody's words.

use super::slots::{Owner, is_address, is_form, is_link, is_plain_link, slotted};
use super::{is_guarded, plain_words};
use crate::domain::reply::known;
use crate::domain::reply::moment::{is_month, weekday};
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
static PHONES: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("phone"));
static MAILS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("mail"));
static WEBS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("web"));
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
    if is_form_of_card(line, owner) {
        return true;
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

/// How they are reached: numbers, addresses and links of their own, each behind a label or bare.
fn is_reach(text: &str, owner: &Owner<'_>) -> bool {
    let text = text.trim_start_matches("24/7").trim_start_matches("24x7");
    let mut label: Vec<String> = Vec::new();
    let mut number = String::new();
    let mut some = false;
    let labelled = |label: &[String], of: &[&HashSet<String>]| {
        // `Tel. office`, `T (direct)`: each word or all of them.
        let one = |text: &String| of.iter().any(|set| set.contains(text));
        label.is_empty() || one(&label.join(" ")) || label.iter().all(one)
    };
    let done = |label: &mut Vec<String>, number: &mut String, some: &mut bool| {
        if number.is_empty() {
            return true;
        }
        let digits = number.chars().filter(char::is_ascii_digit).count();
        let plain = number.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
        // `Durchwahl -4711`
        let extension = ["durchwahl", "dw", "ext", "extension", "poste", "anexo", "interno", "nebenstelle"];
        let short = label.len() == 1 && extension.contains(&label[0].as_str()) && (2..=5).contains(&digits) && plain;
        let fine = short || is_phone(number, !label.is_empty()) && labelled(label, &[&PHONES]);
        (*some, _) = (*some || fine, (label.clear(), number.clear()));
        fine
    };
    for chunk in text.split_whitespace() {
        let (address, link) = (is_address(chunk), !is_address(chunk) && is_link(chunk));
        let digits = chunk.chars().any(|c| c.is_ascii_digit());
        let signs = chunk.chars().all(|c| c.is_ascii_digit() || "+()/.-–‑".contains(c));
        if !address && !link && signs && (digits || !number.is_empty()) {
            number.push_str(chunk);
            number.push(' ');
            continue;
        }
        if !done(&mut label, &mut number, &mut some) {
            return false;
        }
        if address {
            if !is_own_address(chunk, owner) || !labelled(&label, &[&MAILS, &WEBS]) {
                return false;
            }
            (some, _) = (true, label.clear());
        } else if link {
            if !is_own_link(chunk, owner) || !labelled(&label, &[&WEBS, &MAILS, &SOCIALS]) {
                return false;
            }
            (some, _) = (true, label.clear());
        } else {
            label.extend(plain_words(chunk));
            if label.len() > 4 {
                return false;
            }
        }
    }
    done(&mut label, &mut number, &mut some) && some && label.is_empty()
}

/// A telephone number, and no date or time.
pub fn is_phone(text: &str, labelled: bool) -> bool {
    let text = text.trim().trim_end_matches(['.', ',', '-']).trim();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let national = text.starts_with(['+', '0']) || text.starts_with("(0") || text.starts_with("(+");
    let year = |word: &str| word.len() == 4 && (word.starts_with("202") || word.starts_with("203"));
    (7..=15).contains(&digits)
        && !text.starts_with("+0")
        && !text.split([' ', '-', '/']).any(year)
        && (national || digits >= 9 && labelled)
        && !text.contains(':')
        && !text.split_whitespace().any(is_moment)
        && !(text.starts_with('0')
            && text.split_whitespace().all(|one| one.len() <= 4)
            && text.split_whitespace().count() <= 2)
}

/// Whether digits with signs between them are a date or a time: `03.12.26`, `2026-12-03`, `22.00-23.30`, `3/12`, `2300-0100`.
fn is_moment(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let year = |group: &&str| group.len() == 4 && (group.starts_with("20") || group.starts_with("19"));
    let small = |group: &&str| group.len() <= 2;
    let hours = |group: &&str| group.len() == 4 && group.get(..2).is_some_and(|hour| hour < "25");
    let mixed = text.contains('.') && text.contains(['-', '–', '/']);
    let dated = (2..=3).contains(&groups.len()) && groups.iter().all(|group| small(group) || year(group));
    !text.starts_with('+')
        && (dated || mixed && groups.iter().all(small) || groups.len() == 2 && groups.iter().all(hours))
}

/// Their own address, or one of their firm that is nobody's.
fn is_own_address(word: &str, owner: &Owner<'_>) -> bool {
    let bare = word.trim_matches(|c: char| "<>()[],;:.".contains(c)).to_lowercase();
    let bare = bare.strip_prefix("mailto:").unwrap_or(&bare);
    let (local, domain) = bare.rsplit_once('@').unwrap_or_default();
    let (own, own_domain) = owner.email.rsplit_once('@').unwrap_or_default();
    let nobody = [
        "info",
        "office",
        "contact",
        "kontakt",
        "mail",
        "support",
        "it",
        "hello",
        "hallo",
        "helpdesk",
        "service",
        "ops",
        "noc",
        "datenschutz",
        "privacy",
        "dpo",
        "rgpd",
    ];
    let theirs = plain_words(local).iter().all(|word| owner.names.contains(word));
    domain == own_domain && (local == own || nobody.contains(&local) || theirs)
}

/// Whether a link or an address in brackets is their own, or one that programs write.
pub fn is_known_link(text: &str, owner: &Owner<'_>) -> bool {
    match is_address(text) {
        true => is_own_address(text, owner),
        false => is_own_link(text, owner),
    }
}

/// Whether a line is only a town or a country, which could be a name too where no other line of a signature stands above it.
pub fn is_bare_place(line: &str) -> bool {
    known::is_city(&tokens(line).join(" "))
}

/// A page of their firm or a profile.
fn is_own_link(word: &str, owner: &Owner<'_>) -> bool {
    const SITES: [&str; 38] = [
        "safelinks",
        "urldefense",
        "avast",
        "avg",
        "gmx",
        "web",
        "yahoo",
        "proton",
        "icloud",
        "apple",
        "bit",
        "windows",
        "samsung",
        "whatsapp",
        "linkedin",
        "xing",
        "github",
        "gitlab",
        "twitter",
        "x",
        "facebook",
        "instagram",
        "youtube",
        "aka",
        "goo",
        "google",
        "mastodon",
        "threads",
        "tiktok",
        "calendly",
        "outlook",
        "office",
        "microsoft",
        "zoom",
        "teams",
        "maps",
        "bsky",
        "orcid",
    ];
    let low = word.to_ascii_lowercase();
    let bare = low.split_once("://").map_or(low.as_str(), |(_, rest)| rest);
    let bare = bare.trim_matches(|c: char| "<>()[],;".contains(c));
    let host = bare.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let labels: Vec<String> =
        host.split('.').flat_map(|label| label.split('-').map(fold).chain([fold(label)])).collect();
    let own_domain = owner.email.rsplit('@').next().unwrap_or_default();
    let known = host.ends_with(own_domain)
        || labels.iter().any(|label| owner.firm.contains(label) || SITES.contains(&label.as_str()));
    // A page may be named like words.
    let path = bare.split_once('/').map(|(_, path)| plain_words(path)).unwrap_or_default();
    let says = |word: &String| {
        known::is_word(word)
            && !owner.names.contains(word)
            && ![
                "in", "company", "u", "user", "en", "de", "fr", "es", "it", "pub", "home", "index", "www", "com",
                "web", "ios", "my",
            ]
            .contains(&word.as_str())
    };
    known && is_plain_link(bare) && !path.iter().any(says)
}

/// A street with its number, a town with its code, a country.
fn is_place(text: &str) -> bool {
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
            word if is_of(BEHIND, word) && names > 0 || ENDS.contains(&word) && names > 0 => {
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
    let two = names == 2 && !order.contains('k') || names == 2 && order == "9nnk";
    let places = words.iter().filter(|word| known::is_city(word) || known::is_first_name(word)).count();
    kinds == 1
        && (1..=2).contains(&numbers)
        && (names <= 1 || two && places > 0)
        && shapes.contains(&order.as_str())
        && words.len() <= 9
}

fn is_capital(text: &str, word: &str) -> bool {
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
            || is_capital(text, word) && !is_guarded(word) && !known::is_word(word) && !HEADS.contains(word)
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
