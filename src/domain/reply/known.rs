//! What is known by example: the sentences of which people make a yes, what they write around one, the notices and footers
//! of firms and programs, the lines of signatures. The lists stand in `known/lists`, by language; whoever misses a wording adds a line.
//!
//! A clause is known if each three neighbouring words stand so in an example; one with a word of which conditions are made
//! must be an example as a whole. So nobody has to think of the condition that somebody may write: what is in no example is
//! read by a person.

mod frames;
mod graph;
mod pattern;

use super::account::is_guarded;
use super::moment::{is_month, weekday};
use super::words::{Kind, fold, phrase, tokens};
use crate::domain::token::Topic;
use frames::Frames;
use graph::Graph;
use pattern::Patterns;
use std::collections::HashSet;
use std::sync::LazyLock;

/// The names of the lists, in each language.
macro_rules! lists {
    ($name:literal) => {
        [
            include_str!(concat!("known/lists/en/", $name)),
            include_str!(concat!("known/lists/de/", $name)),
            include_str!(concat!("known/lists/fr/", $name)),
            include_str!(concat!("known/lists/es/", $name)),
        ]
    };
}

/// Neighbours that must stand so in an example.
const WIDTH: usize = 3;
/// The same around a word of a notice of which conditions are made.
const WIDE: usize = 5;
/// A shorter sentence of a notice must be an example as a whole.
const SHORT: usize = 6;

/// What is like these has neighbours of theirs: but for examples that count as a whole only, whose pieces would make conditions.
static YES: LazyLock<Graph> = LazyLock::new(|| {
    let answers = patterns(&lists!("yes.txt"));
    let lending = answers.lines.len();
    Graph::new(answers, lending, &is_grave)
});
static REMARKS: LazyLock<Graph> = LazyLock::new(|| {
    let mut remarks = patterns(&lists!("remarks.txt"));
    let lending = remarks.lines.len();
    lists!("greetings.txt").iter().for_each(|list| remarks.read(list));
    Graph::new(remarks, lending, &is_grave)
});
/// Remarks with a place for any noun: known as a whole only.
static FRAMES: LazyLock<Frames> = LazyLock::new(|| Frames::new(patterns(&lists!("frames.txt")), "<thing>"));
static NOTICES: LazyLock<Graph> = LazyLock::new(|| graph(&lists!("notices.txt")));
static FOOTERS: LazyLock<Graph> = LazyLock::new(|| {
    let mut patterns = Patterns::default();
    for (footers, devices) in lists!("footers.txt").into_iter().zip(lists!("devices.txt")) {
        let devices: Vec<&str> = lines(devices).collect();
        let of_devices = format!("$device = ({})", devices.join("|"));
        patterns.read(&format!("{of_devices}\n{}", footers.replace("<device>", "$device")));
    }
    joined(patterns)
});
static REGISTER: LazyLock<Graph> = LazyLock::new(|| {
    let all: Vec<&str> = lists!("labels.txt").into_iter().flat_map(|list| of_kind(list, "register")).collect();
    graph(&[all.join("\n").as_str()])
});
static CALENDAR: LazyLock<Graph> = LazyLock::new(|| graph(&[include_str!("known/lists/calendar.txt")]));
static ADVICE: LazyLock<Graph> = LazyLock::new(|| graph(&[include_str!("known/lists/calendar-advice.txt")]));
static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let all = lists!("verbs.txt").into_iter().flat_map(lines);
    all.flat_map(tokens).collect()
});

fn patterns(lists: &[&str]) -> Patterns {
    let mut patterns = Patterns::default();
    lists.iter().for_each(|list| patterns.read(list));
    patterns
}

/// A graph whose examples all lend their pieces.
fn joined(patterns: Patterns) -> Graph {
    let lending = patterns.lines.len();
    Graph::new(patterns, lending, &|_| false)
}

fn graph(lists: &[&str]) -> Graph {
    joined(patterns(lists))
}

fn lines(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn of_kind(list: &'static str, kind: &'static str) -> impl Iterator<Item = &'static str> {
    lines(list).filter_map(move |line| Some(line.strip_prefix(kind)?.strip_prefix(':')?.trim()))
}

/// The entries of a kind in the lists of labels or titles, folded: `phone`, `head`, …
pub fn entries(kind: &'static str) -> HashSet<String> {
    let all = lists!("labels.txt").into_iter().chain(lists!("titles.txt"));
    let blank = matches!(kind, "head" | "mod" | "small" | "degree");
    all.flat_map(|list| of_kind(list, kind))
        .flat_map(|line| line.split(move |c: char| c == '|' || blank && c.is_whitespace()))
        .map(|entry| tokens(entry).join(" "))
        .filter(|entry| !entry.is_empty())
        .collect()
}

static CITIES: LazyLock<HashSet<String>> =
    LazyLock::new(|| lists!("cities.txt").into_iter().flat_map(lines).map(|line| tokens(line).join(" ")).collect());

/// Whether folded words are a town, a region or a country.
pub fn is_city(words: &str) -> bool {
    CITIES.contains(words)
}

/// How many words, from the first on, are a town that stands in the text with a capital; 0 if they are none.
pub fn city(words: &[String], text: &str) -> usize {
    let capital = |word: &str| {
        let mut all = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| fold(piece) == word);
        all.next().is_some_and(|piece| piece.starts_with(char::is_uppercase))
    };
    let most = words.len().min(4);
    let found = (1..=most).rev().find(|length| CITIES.contains(&words[..*length].join(" ")));
    let named = found.is_some_and(|length| words[..length].iter().any(|word| is_first_name(word)));
    found.filter(|_| capital(&words[0]) && !YES.has(&words[0]) && !named).unwrap_or(0)
}

static FIRST_NAMES: LazyLock<HashSet<String>> =
    LazyLock::new(|| lists!("firstnames.txt").into_iter().flat_map(lines).map(fold).collect());

/// Whether a folded word is a first name.
pub fn is_first_name(word: &str) -> bool {
    FIRST_NAMES.contains(word)
}

/// Whether a word of an answer stands in any example, or is an ordinary word of a language: it is nobody's name.
pub fn is_word(word: &str) -> bool {
    YES.has(word) || REMARKS.has(word) || WORDS.contains(word)
}

/// Whether a word is an ordinary one of a language, as the lists of verbs have them.
pub fn is_verb(word: &str) -> bool {
    WORDS.contains(word)
}

/// Whether a word stands in an example of an answer.
pub fn is_of_answers(word: &str) -> bool {
    YES.has(word) || REMARKS.has(word)
}

/// What an answer is made of itself, and so no sign of a condition.
const OF_ANSWERS: [&str; 13] = [
    "confirm",
    "agree",
    "einverst",
    "accord",
    "acuerdo",
    "bestatig",
    "window",
    "fenster",
    "maintenance",
    "wartung",
    "schlussel",
    "approv",
    "genehmig",
];

/// Words that turn what stands beside them, and are not among those of which conditions are made.
const TURNS: &str = "nichts niemand niemanden niemandem keinerlei kaum danach anschliessend dann ab aber doch ne n personne aucun aucune jamais vpn online offline forwarded weitergeleitet tell let put ask send quand lorsque lors fois \
ensuite cas puis luego despues posteriormente siguiente terminar tarde manana cuando vez cualquier cualquiera mas nobody noone nadie none never neither nor hardly rarely scarcely seldom nunca jamas ninguno ninguna ningun apenas tampoco ni selten nirgends guere rarement but though \
however when while during whenever whether unless except mais pero sino sondern jedoch allerdings toutefois cependant aunque solamente ningunos ningunas tras then dann da entonces alors everyone everybody alle todos tous jeder everything now jetzt maintenant ahora";

/// Whether a word is one of which conditions and negations are made.
pub fn is_grave(word: &str) -> bool {
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| TURNS.split_whitespace().collect());
    SET.contains(word) || is_guarded(word) && !OF_ANSWERS.iter().any(|start| word.starts_with(start))
}

/// What the answer is about, and who decides: named in the place of any noun, they would be a statement of their own.
const OF_THE_CASE: &str = "vpn server servidor serveur mantenimiento corte coupure plazo respuesta reponse antwort answer reply direccion direction management chef chefin boss jefe jefa \
intervention operation bascule date horaire hora elle ils elles nous wir attend demande exige pide exige espera verlangt fordert wartet patron patronne vorgesetzte vorgesetzter manager clave cle key keys deal fall trato ventana fenetre slot termin creneau \
chaos outage mess headache trouble panne bordel lio caos ausfall day time tunnel connection connexion conexion verbindung consent alternative option proposal version different another new next neue neuer neuen otra";

/// Whether a word may stand in the open place of a frame: it is a name of something, as far as no list says otherwise.
fn is_thing(word: &str) -> bool {
    use Kind::{Doubt, Hedge, Maybe, No, Not, Other, Rather, When, Would, Yes};
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| OF_THE_CASE.split_whitespace().collect());
    let kind = phrase(std::slice::from_ref(&word.to_owned()), Topic::Window).0;
    let says = matches!(kind, Yes | No | Not | Doubt | Maybe | Other | Rather | When | Would | Hedge);
    word.chars().all(char::is_alphabetic)
        && word.chars().count() > 2
        && !says
        && !is_guarded(word)
        && !is_grave(word)
        && !["fenster", "wartung", "schlussel", "genehmigung", "freigabe", "termin", "umstellung"]
            .iter()
            .any(|end| word.ends_with(end))
        && weekday(word).is_none()
        && !is_month(word)
        && !SET.contains(word)
        && !["you", "they", "sie", "ihr", "ihnen", "vous", "ustedes", "usted"].contains(&word)
}

/// Whether words are a frame as a whole.
pub fn is_frame(words: &[String]) -> bool {
    FRAMES.is_whole(words, &is_thing)
}

/// How a clause is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// An example of a yes, as a whole.
    Yes,
    /// An example of a remark, as a whole.
    Remark,
    /// Its neighbours stand so in examples of remarks.
    LikeRemarks,
    /// Its neighbours stand so in examples.
    Like,
}

/// How the words of a clause are known, with slots in place of names, times and numbers.
pub fn clause(words: &[String]) -> Option<Known> {
    let one = || {
        if YES.is_whole(words) {
            return Some(Known::Yes);
        }
        if REMARKS.is_whole(words) || is_frame(words) {
            return Some(Known::Remark);
        }
        // Whom an answer is for, or from, is known as a whole only: else it may be for a part of them.
        const FOR: [&str; 14] = [
            "for", "from", "fur", "von", "vom", "seitens", "namens", "pour", "par", "para", "por", "cote", "del", "du",
        ];
        if words.iter().any(|word| is_grave(word)) || words.first().is_some_and(|word| FOR.contains(&word.as_str())) {
            return None;
        }
        if REMARKS.covers(words, WIDTH) {
            return Some(Known::LikeRemarks);
        }
        YES.covers(words, WIDTH).then_some(Known::Like)
    };
    one().or_else(|| {
        let and = |at: &usize| matches!(words[*at].as_str(), "and" | "und" | "et" | "y");
        let mut parts = (1..words.len().saturating_sub(1)).filter(and);
        parts.find_map(|at| {
            let (left, right) = (clause(&words[..at])?, clause(&words[at + 1..])?);
            let remark = |one| matches!(one, Known::Remark | Known::LikeRemarks);
            // Each half an example as a whole: so is both.
            if left == Known::Remark && right == Known::Remark {
                return Some(Known::Remark);
            }
            Some(if remark(left) && remark(right) { Known::LikeRemarks } else { Known::Like })
        })
    })
}

/// Whether a sentence, with slots, is one of a legal notice or of a gateway.
pub fn is_notice(words: &[String]) -> bool {
    if words.len() < SHORT || words.len() > 150 {
        return NOTICES.is_whole(words);
    }
    let around = |at: usize| !is_guarded(&words[at]) || NOTICES.covers_at(words, (at + 1).saturating_sub(2), WIDE);
    NOTICES.covers(words, WIDTH) && (0..words.len()).all(around)
}

/// Whether a line is one that a program, a phone or a provider writes, as a whole.
pub fn is_footer(words: &[String]) -> bool {
    FOOTERS.is_whole(words)
}

/// Whether a piece of a line, with slots, is one that the law wants in a letter of a firm, or the like.
pub fn is_register(words: &[String]) -> bool {
    REGISTER.is_whole(words)
}

/// Whether a line, with slots, is one that a calendar writes, as a whole.
pub fn is_calendar(words: &[String]) -> bool {
    CALENDAR.is_whole(words)
}

/// Whether a word stands in such a line.
pub fn is_of_calendars(word: &str) -> bool {
    CALENDAR.has(word)
}

/// Whether the words are advice of a calendar, or a line of it.
pub fn is_advice(words: &[String]) -> bool {
    ADVICE.is_whole(words) || words.len() >= 5 && ADVICE.is_part(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, [&str; 4]); 5] = [
        ("frames", lists!("frames.txt")),
        ("yes", lists!("yes.txt")),
        ("remarks", lists!("remarks.txt")),
        ("notices", lists!("notices.txt")),
        ("footers", lists!("footers.txt")),
    ];

    #[test]
    fn each_line_of_the_lists_is_written_as_it_is_read() {
        const SLOTS: [&str; 18] = [
            "<day>",
            "<thing>",
            "<hour>",
            "<nextday>",
            "<name>",
            "<someone>",
            "<window>",
            "<tenant>",
            "<device>",
            "<phone>",
            "<number>",
            "<city>",
            "<person>",
            "<org>",
            "<url>",
            "<mail>",
            "<title>",
            "<when>",
        ];
        for (name, lists) in ALL {
            for list in lists {
                let mut macros: Vec<&str> = Vec::new();
                for line in lines(list) {
                    let balance = line.chars().fold(0i32, |depth, c| depth + i32::from(c == '(') - i32::from(c == ')'));
                    assert_eq!(balance, 0, "{name}: {line}");
                    assert!(name == "footers" || !line.contains(['?', '¿']), "{name} asks: {line}");
                    for slot in line.split('<').skip(1) {
                        let slot = format!("<{}", slot.split_inclusive('>').next().unwrap_or_default());
                        assert!(SLOTS.contains(&slot.as_str()), "{name}: {slot} in {line}");
                    }
                    let defined = pattern::part_of(line).map(|(name, _)| name);
                    for used in line.split('$').skip(1 + usize::from(defined.is_some())) {
                        let word = used.split([' ', '|', ')', ',']).next().unwrap_or_default();
                        assert!(macros.contains(&word), "{name}: ${used} is no word, or used before it is defined");
                    }
                    if let Some(defined) = defined {
                        macros.push(defined);
                    }
                }
            }
        }
    }

    #[test]
    fn no_example_of_an_answer_is_a_condition_or_asks_to_wait() {
        let hostile = [
            "only if bob agrees",
            "not before thursday",
            "please wait",
            "when the backup is done",
            "once my boss has approved",
            "nur wenn bob zustimmt",
            "erst nach dem backup",
            "seulement si paul est la",
            "apres la sauvegarde",
            "solo si bob esta de acuerdo",
            "cuando termine el respaldo",
            "is it ok",
            "nobody told my team",
            "tell my team",
            "have a word with my team",
            "we need the vpn then",
            "wir brauchen das vpn",
            "nous avons besoin du vpn",
            "necesitamos la vpn",
            "i am joking",
            "bob decides",
            "our office works then",
            "everyone works then",
            "call me first",
        ];
        for text in hostile {
            assert_eq!(clause(&tokens(text)), None, "{text}");
        }
        assert_eq!(clause(&tokens("confirmed from our side")), Some(Known::Yes));
    }
}
