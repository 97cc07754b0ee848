//! The lines of a signature: who somebody is and how they are reached. Each piece of such a line has one of a few forms, and every
//! word in it is known: a name or a word that nobody listed makes the line somebody's words.

use super::place::{is_marked, is_named, is_nobodys_word, is_place, is_street};
use super::reach::{is_own_address, is_reach};
use super::register::{is_register, is_somebody};
use super::slots::{Owner, is_address, is_form};
use super::{is_guarded, plain_words};
use crate::domain::reply::known;
use crate::domain::reply::moment::weekday;
use crate::domain::reply::words::{fold, tokens};
use std::collections::HashSet;
use std::sync::LazyLock;

/// A longer line is none.
const LONGEST: usize = 200;
/// A title has no more words.
const LONGEST_TITLE: usize = 9;

pub static HEADS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("head"));
static MODS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("mod"));
static SMALL: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("small"));
pub static DEGREES: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("degree"));
pub static TRADES: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("trade"));
static SOCIALS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("social"));

/// Titles of persons before a name.
pub const BEFORE: [&str; 23] = [
    "inh",
    "inhaber",
    "inhaberin",
    "i",
    "a",
    "v",
    "iv",
    "ia",
    "ppa",
    "dr",
    "prof",
    "dipl",
    "ing",
    "mag",
    "mr",
    "mrs",
    "ms",
    "herr",
    "frau",
    "m",
    "mme",
    "sr",
    "sra",
];

/// Words of no title, although some stand in names of jobs: who comes first, what is done and by whom, who is left behind.
const TELLS: [&str; 19] = [
    "first", "primero", "primera", "erst", "zuerst", "pour", "par", "para", "por", "for", "etude", "controle",
    "examen", "estudio", "revision", "erben", "heirs", "duty", "acting",
];

/// Whether a word stands in the lists of what firms, jobs and departments are called.
pub fn is_listed(word: &str) -> bool {
    [&HEADS, &MODS, &SMALL, &TRADES].iter().any(|list| list.contains(word)) || known::is_city(word)
}

/// Whether a word is a degree, or a title before a name.
pub fn is_degree(word: &str) -> bool {
    DEGREES.contains(word) || BEFORE.contains(&word)
}

/// Whether a word is one of a job, and so of somebody who may write for another.
pub fn is_title_word(word: &str) -> bool {
    is_head(word)
}

/// Whether a line is one. `named`: their name stands above it; without it a job, or a person behind what the law wants, could be
/// whoever writes in their place.
pub fn is_card(line: &str, owner: &Owner<'_>, named: bool) -> bool {
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
    if is_form_of_card(line, owner, named) {
        let labelled = line.split_once(':').is_some_and(|(label, _)| !label.contains(|c: char| c.is_ascii_digit()));
        return named && (labelled || opened(line).is_some()) || !is_hours(line);
    }
    // `Tel. 030 1234567 (Mo-Fr 8:00-17:00)`
    let line = &without_hours(line);
    if is_form_of_card(line, owner, named) {
        return true;
    }
    let pieces = housed(&pieces(line));
    // Beside a street with its number or a town with its code, a place may be called anything.
    let placed = pieces.iter().any(|piece| is_place(piece) && piece.contains(|c: char| c.is_ascii_digit()));
    let before_town = |at: usize| {
        at > 0
            && pieces.get(at + 1).is_some_and(|next| is_place(next))
            && pieces[..at].iter().any(|one| is_firm(one, owner))
    };
    // `Acme Cellers SCCL, Falset`, `Acme AG - Netze und Sicherheit`
    let behind_firm = |at: usize| {
        at > 0 && is_firm(&pieces[at - 1], owner) && {
            let words = plain_words(&pieces[at - 1]);
            (1..words.len()).any(|at| is_form(&words[at..]))
        }
    };
    // Behind `Vorstand: Jan Petersen` more of them may follow, behind their name its title: before it, it could be somebody else's.
    let (mut people, mut named) = (false, named);
    // Of `5, quai des Chartrons - 33000 Bordeaux` the street is gone already.
    let parted = pieces.len() > 1 || pieces.first().is_some_and(|piece| piece.len() + 4 < line.len());
    parted
        && pieces.iter().enumerate().all(|(at, piece)| {
            // Behind their name it could be told what they are.
            let anyhow = is_marked(piece)
                || named
                    && at > 0
                    && !is_name(&pieces[at - 1], owner)
                    && !plain_words(piece).iter().any(|word| known::is_first_name(word));
            let place = || anyhow && (placed || before_town(at)) && is_named(piece);
            let known = is_form_of_card(piece, owner, named)
                || named && people && is_somebody(piece)
                || place()
                || named && behind_firm(at) && is_department(piece);
            people |= known && piece.split_once(':').is_some_and(|(_, name)| is_somebody(name));
            named |= known
                && is_name(piece, owner)
                && plain_words(piece).iter().any(|word| owner.names.contains(word) && word.len() > 1);
            known
        })
}

/// Whether a text stands in place of the picture of a firm: `Acme Hardware logo`, `Logotipo Acme`.
pub fn is_logo(text: &str, owner: &Owner<'_>) -> bool {
    let is_logo = |word: &&str| ["logo", "logotipo"].contains(&fold(word).as_str());
    let words: Vec<&str> = text.split_whitespace().collect();
    let start = usize::from(words.first().is_some_and(is_logo));
    let end = words.len() - usize::from(words.len() > start && words.last().is_some_and(is_logo));
    let rest = &words[start..end];
    let small = rest.first().is_some_and(|word| ["de", "of", "der", "del", "von"].contains(word));
    let rest = rest[usize::from(small)..].join(" ");
    rest.is_empty() && !words.is_empty() || is_firm(&rest, owner)
}

/// Behind the name of a firm: a town or a department.
fn is_department(text: &str) -> bool {
    let words = plain_words(text);
    let listed = |word: &String| MODS.contains(word) || is_head(word) || TRADES.contains(word);
    let town = known::is_city(&words.join(" "));
    words.first().is_some_and(|word| is_capital(text, word))
        && (town
            || words.iter().any(listed)
                && words.iter().all(|word| listed(word) || ["und", "and", "et", "y", "e"].contains(&word.as_str())))
}

/// `C/ Mayor, 45`: the number belongs to the street.
fn housed(pieces: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for piece in pieces {
        let number = piece.len() <= 5 && piece.starts_with(|c: char| c.is_ascii_digit());
        match all.last_mut() {
            Some(last) if number && is_street(&format!("{last} {piece}")) => *last = format!("{last} {piece}"),
            // `11, rue de l'Eau`
            Some(last)
                if last.len() <= 5
                    && last.bytes().all(|c| c.is_ascii_digit())
                    && is_street(&format!("{last} {piece}")) =>
            {
                *last = format!("{last} {piece}");
            }
            _ => all.push((*piece).to_owned()),
        }
    }
    all
}

/// Without the hours that stand in brackets.
fn without_hours(line: &str) -> String {
    let inner = line.find(" (").and_then(|at| Some((at, line[at..].find(')')? + at)));
    match inner.filter(|(start, end)| is_hours(&line[start + 2..*end])) {
        Some((start, end)) => format!("{}{}", &line[..start], &line[end + 1..]),
        None => line.to_owned(),
    }
}

/// What separators part; brackets around an area code part nothing.
fn pieces(line: &str) -> Vec<&str> {
    let mut all = Vec::new();
    // `5, quai des Chartrons`
    let house = line.split_once(", ").filter(|(number, _)| {
        number.len() <= 7 && number.starts_with(|c: char| c.is_ascii_digit()) && !number.contains([':', '.', '/'])
    });
    let street = house.and_then(|(number, rest)| {
        let end = rest.find([',', '–', '·', '|']).unwrap_or(rest.len());
        let end = rest.find(" - ").map_or(end, |dash| dash.min(end));
        is_street(&format!("{number} {}", &rest[..end])).then_some(&rest[end..])
    });
    let line = street.unwrap_or(line);
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
            let following = part[at + 2..].split(' ').next().unwrap_or_default();
            let next = following.starts_with(char::is_uppercase) && !following.contains(|c: char| c.is_ascii_digit());
            // `GmbH & Co. KG` is one form.
            let goes_on = is_form(&plain_words(&part[at + 2..]));
            next && !word.contains('.') && (word.len() > 4 || is_form(&[fold(word)]) && !goes_on)
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
fn is_form_of_card(text: &str, owner: &Owner<'_>, named: bool) -> bool {
    // A first name and another name beside it are somebody, and no place or firm.
    let words = plain_words(text);
    let somebody = (2..=3).contains(&words.len())
        && known::is_first_name(&words[0])
        && words.iter().all(|word| word.chars().all(char::is_alphabetic))
        && !owner.names.contains(&words[0])
        && !words.iter().any(|word| owner.firm.contains(word))
        && !is_marked(text)
        // `Pol. Ind. Malpica`
        && !text.starts_with("Pol. Ind. ")
        && !known::is_city(&words.join(" "));
    if somebody {
        return false;
    }
    let text = text.trim_end_matches(['.', ',', ' ']);
    is_name(text, owner)
        || named && is_title(text, owner)
        || is_firm(text, owner)
        || is_reach(text, owner)
        || is_place(text)
        || is_register(text, owner, named)
        || is_hours(text)
        || text.len() > 2
            && text.split(':').all(|part| SOCIALS.contains(&tokens(part).join(" ")) || part.trim().is_empty())
}

/// What stands behind the word that an office is open: `Open Tues-Sat 9-5.30`.
fn opened(text: &str) -> Option<&str> {
    let words = ["Open ", "Geöffnet ", "Ouvert ", "Abierto ", "Accueil ", "Atención "];
    words.iter().find_map(|open| text.strip_prefix(open))
}

/// Hours of an office: `Mon-Fri 9-17`, `Bürozeiten: Mo-Do 8:00-15:00 Uhr, Fr 8-12 Uhr`. A single day, or an hour in the night, is
/// somebody's.
fn is_hours(text: &str) -> bool {
    const LABELS: &str = "open|geoffnet|ouvert|abierto|reception|unsere offnungszeiten|our opening hours|our office hours|nos horaires|nuestro horario|burozeiten|sprechzeiten|offnungszeiten|geschaftszeiten|servicezeiten|telefonzeiten|office hours|opening hours|business hours|horaires|horaires d ouverture|horario|horario de atencion|horario de oficina|";
    const DAYS: &str = "mon monday mo montag lun lundi lunes l tue tuesday di dienstag mar mardi martes wed wednesday mi mittwoch mer mercredi mie miercoles thu thursday do donnerstag jeu jeudi jue jueves fri friday fr freitag ven vendredi vie viernes v sat saturday sa samstag sam samedi sabado sun sunday so sonntag dim dimanche domingo tues thurs";
    const FIRST: &str = "mon monday mo montag lun lundi lunes l tue tues tuesday di dienstag mar mardi martes wed wednesday mi mittwoch mer mercredi mie miercoles";
    const LAST: &str = "thu thurs thursday do donnerstag jeu jeudi jue jueves fri friday fr freitag ven vendredi vie viernes v j sat saturday sa samstag sam samedi sabado sun sunday so sonntag dim dimanche domingo";
    const ALL: &str = "weekdays werktags werktaglich laborables ouvres";
    const SMALL: &str = "to bis a au al uhr h hrs am pm midi noon and und et y de von from du jours dias las les le";
    let text = opened(text).unwrap_or(text);
    let (label, days) =
        text.split_once(':').filter(|(label, _)| !label.contains(|c: char| c.is_ascii_digit())).unwrap_or(("", text));
    let is_of = |list: &str, word: &String| list.split(' ').any(|one| one == word);
    let words: Vec<String> = plain_words(days).into_iter().filter(|word| !is_of(SMALL, word)).collect();
    let hour = |word: &String| {
        let number = word
            .trim_end_matches(|c: char| c.is_ascii_alphabetic())
            .split('h')
            .next()
            .and_then(|one| one.parse::<u8>().ok());
        number.is_some_and(|number| (6..=20).contains(&number)) || ["00", "30", "15", "45"].contains(&word.as_str())
    };
    let day = |word: &String| is_of(DAYS, word);
    let whole = words.first().is_some_and(|word| is_of(ALL, word));
    let range = words.len() > 2 && is_of(FIRST, &words[0]) && is_of(LAST, &words[1]);
    LABELS.split('|').any(|one| one == plain_words(label).join(" "))
        && (whole || range)
        && words.iter().skip(1).all(|word| day(word) || hour(word))
        && words.iter().any(hour)
        && !words.last().is_some_and(day)
}

/// Their own name, with degrees.
fn is_name(text: &str, owner: &Owner<'_>) -> bool {
    // `Inh. Ada Okafor e. K.`
    let merchant = [" e. K", " e.K", " e. Kfr", " e. Kfm"].iter().find_map(|form| text.strip_suffix(form));
    let text = merchant.filter(|_| text.starts_with("Inh")).unwrap_or(text);
    let words: Vec<String> = plain_words(text);
    let own = |word: &String| owner.names.contains(word) && !known::is_word(word);
    let extra = |word: &String| {
        DEGREES.contains(word) || BEFORE.contains(&word.as_str()) || word.len() == 1 && owner.names.contains(word)
    };
    // `Herr Okafor` may be another of the name.
    let whole = words.iter().filter(|word| own(word) && word.len() > 1).count() > 1;
    let addressed =
        |word: &String| ["mr", "mrs", "ms", "herr", "frau", "m", "mme", "sr", "sra"].contains(&word.as_str());
    let strange = words.iter().any(|word| !own(word) && !extra(word)) || !whole && words.iter().any(addressed);
    words.iter().any(|word| own(word) && word.len() > 1) && !strange || {
        let all = tokens(text).join(" ");
        !all.is_empty() && (DEGREES.contains(&all) || DEGREES.contains(&words.join(" ")))
    }
}

/// A job or a department: `Head of Data Platform`, `Leiterin IT-Betrieb`.
fn is_title(text: &str, owner: &Owner<'_>) -> bool {
    // `1. Vorsitzende`
    let text = ["1. ", "2. ", "3. "].iter().find_map(|order| text.strip_prefix(order)).unwrap_or(text);
    let text = &without_gender(text);
    let words = plain_words(text);
    let firm = |word: &String| owner.firm.contains(word);
    let listed = |word: &String| {
        [&MODS, &SMALL, &DEGREES, &TRADES].iter().any(|list| list.contains(word))
            || is_head(word)
            || known::is_city(word) && is_capital(text, word)
    };
    (1..=LONGEST_TITLE).contains(&words.len())
        && (words.iter().any(|word| is_head(word) || TRADES.contains(word))
            || TRADES.contains(&words.join(" "))
            || text.contains(" & ") && words.len() > 1)
        && words.iter().all(|word| listed(word) || firm(word))
        && !text.contains(':')
        // `En étude`, `Pour audit` tell what is done with it.
        && !["a", "au", "aux", "en", "im", "am", "bei", "fur", "mit", "von", "vom"].contains(&words[0].as_str())
        && !words.iter().any(|word| TELLS.contains(&word.as_str()) || word.contains("vertret"))
        && !words.iter().any(|word| {
            ["at", "in", "to", "on", "off", "out", "up", "by", "from", "per", "with", "without", "zu", "zum", "zur"]
                .contains(&word.as_str())
        })
        && !words.last().is_some_and(|word| SMALL.contains(word) && !HEADS.contains(word))
}

/// `Geschäftsführer*in`, `Sachbearbeiter:in`, `Directeur·rice`, `chargé(e)`
fn without_gender(text: &str) -> String {
    let ends = ["innen", "in", "rice", "trice", "euse", "ne", "e", "a"];
    let word = |word: &str| {
        let word = word.trim_end_matches([',', ')']);
        let at = word.find(['*', ':', '/', '_', '·', '(']).filter(|at| *at > 2);
        let kept = at.filter(|at| {
            let sign = word[*at..].chars().next().map_or(0, char::len_utf8);
            ends.contains(&&word[at + sign..])
        });
        kept.map(|at| word[..at].to_owned())
    };
    text.split(' ').map(|one| word(one).unwrap_or_else(|| one.to_owned())).collect::<Vec<_>>().join(" ")
}

/// A job, alone or at the end of a compound: `Netzwerkkoordinatorin`.
fn is_head(word: &str) -> bool {
    let compound = || {
        word.char_indices().map(|(at, _)| at).filter(|at| *at > 2 && word.len() - at > 5).any(|at| {
            (HEADS.contains(&word[at..]) || MODS.contains(&word[at..]) && word.len() - at > 6)
                && !is_guarded(&word[..at])
                && weekday(&word[..at]).is_none()
        })
    };
    HEADS.contains(word) || !is_guarded(word) && compound()
}

/// Their own firm: `Acme Ltd`, `Acme Services GmbH & Co. KG`.
fn is_firm(text: &str, owner: &Owner<'_>) -> bool {
    let words = plain_words(text);
    let Some(at) = words.iter().position(|word| owner.firm.contains(word)) else { return false };
    let listed = |word: &String| {
        owner.firm.contains(word) || [&MODS, &HEADS, &SMALL, &TRADES].iter().any(|list| list.contains(word))
    };
    let form = (at..words.len()).find(|end| is_form(&words[*end..]));
    let end = form.unwrap_or(words.len());
    // `Acme Widgets Ltd`: behind their own name, and before the legal form.
    let strange: Vec<&String> = words[at..end].iter().filter(|word| !listed(word)).collect();
    let name = |word: &&String| match form {
        Some(_) => !is_guarded(word) && !known::is_grave(word) && weekday(word).is_none() && is_capital(text, word),
        None => is_nobodys_word(word) && is_capital(text, word),
    };
    let strange: Vec<&String> = strange.into_iter().filter(|word| !known::is_city(word)).collect();
    let named = strange.is_empty() || strange.len() <= 2 && strange.iter().all(name);
    // `Kfz-Meisterbetrieb Acme e. K.`
    let before = words[..at].iter().all(|word| listed(word) || known::is_city(word));
    // What a comma parts from it is somebody, or a job.
    let apart = text.find([',', '/', '|', '·', '–']).is_some_and(|comma| plain_words(&text[..comma]).len() <= at);
    words.len() <= LONGEST_TITLE && before && named && !apart
}

pub fn is_capital(text: &str, word: &str) -> bool {
    let mut all = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| fold(piece) == word);
    all.next().is_some_and(|piece| piece.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests;
