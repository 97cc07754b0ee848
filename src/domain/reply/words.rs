//! The words of yes and no in four languages, and what surrounds them; how they make an answer is left to `text`.
//!
//! Phrases are written as [`tokens`] gives them: lower case, without accents and apostrophes. A longer phrase goes before
//! a shorter one, so `no problem` is a yes and `no` is a no. A word that stands nowhere here keeps an answer from counting
//! as a yes.

mod remarks;
mod tables;

use crate::domain::token::Topic;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What a phrase does to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes as a word: `yes`, `confirmed`, `einverstanden`.
    Yes,
    /// Yes as a statement, which a `not` turns into a no: `works for me`, `passt`.
    Suits,
    /// No: `no`, `can't make it`, `passt nicht`.
    No,
    /// A bare negation: `not`, `nicht`, `pas`.
    Not,
    /// Perhaps.
    Maybe,
    /// A condition, a contradiction, a wish, a doubt: with it a yes is none.
    Hedge,
    /// The same in the conditional, which proposals are written in: `would`, `wäre`, `serait`.
    Would,
    /// Nothing is said yet: `I can't confirm yet`.
    Doubt,
    /// Another time is wished: `another time`, `verschieben`, `décaler`.
    Other,
    /// The same if a time stands beside it: `better`, `lieber`, `plutôt`.
    Rather,
    /// A day, a month, a time.
    When,
    /// Received, understood: no answer.
    Noted,
    /// Greetings, thanks, closings.
    Polite,
    /// Words that change nothing: `the window is`.
    Filler,
    /// In none of the tables.
    Unknown,
}

/// Longest phrase, in words.
const LONGEST: usize = 7;

type Lexicon = HashMap<&'static str, Kind>;

static WINDOW: LazyLock<Lexicon> = LazyLock::new(|| lexicon(Topic::Window));
static BACK: LazyLock<Lexicon> = LazyLock::new(|| lexicon(Topic::Back));

fn lexicon(topic: Topic) -> Lexicon {
    let mut words = Lexicon::new();
    let of_topic = match topic {
        Topic::Window => tables::WINDOW,
        Topic::Back => tables::BACK,
    };
    let replies = if topic == Topic::Window { remarks::REPLIES } else { &[] };
    for (kind, text) in tables::ALWAYS.iter().chain(remarks::REMARKS).chain(of_topic).chain(replies) {
        for phrase in text.split('|') {
            words.insert(phrase.trim(), *kind);
        }
    }
    words
}

/// The words of all phrases that change nothing: what a remark may be made of.
static CALM: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let all = tables::ALWAYS.iter().chain(remarks::REMARKS).chain(tables::WINDOW).chain(remarks::REPLIES);
    let calm =
        all.filter(|(kind, _)| matches!(kind, Kind::Polite | Kind::Filler | Kind::Noted | Kind::Yes | Kind::Suits));
    calm.flat_map(|(_, text)| text.split(['|', ' '])).collect()
});

/// Whether a word stands in a phrase that changes nothing.
pub fn is_calm(word: &str) -> bool {
    CALM.contains(word)
}

/// The phrase that begins at the first token: its kind and its length in tokens, at least 1.
pub fn phrase(tokens: &[String], topic: Topic) -> (Kind, usize) {
    let words = match topic {
        Topic::Window => &*WINDOW,
        Topic::Back => &*BACK,
    };
    for length in (1..=LONGEST.min(tokens.len())).rev() {
        if let Some(kind) = words.get(tokens[..length].join(" ").as_str()) {
            return (*kind, length);
        }
    }
    (Kind::Unknown, 1)
}

/// Lower case, without the accents of the four languages, with plain apostrophes and quotation marks.
pub fn fold(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'ì' | 'î' | 'ï' => plain.push('i'),
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' => plain.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => plain.push('u'),
            'ñ' => plain.push('n'),
            'ç' => plain.push('c'),
            'ß' => plain.push_str("ss"),
            'œ' => plain.push_str("oe"),
            'æ' => plain.push_str("ae"),
            // Combining accents: some programs send letters taken apart.
            '\u{300}'..='\u{36f}' => {}
            '’' | '‘' | '´' | '`' | 'ʼ' | '′' => plain.push('\''),
            '“' | '”' | '„' | '«' | '»' => plain.push('"'),
            '\u{a0}' | '\u{202f}' => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

/// French words that lose their vowel before another: `c'est` is two words, `can't` is one.
const ELIDED: [&str; 9] = ["c", "d", "j", "l", "m", "n", "s", "t", "qu"];

/// The words of a sentence, folded. A comma is a word of its own; `sí` stays apart from `si`, which means "if".
pub fn tokens(sentence: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let marked = composed(sentence);
    for c in fold(&marked).chars().chain([' ']) {
        match c {
            '\'' if ELIDED.contains(&word.as_str()) => tokens.push(std::mem::take(&mut word)),
            '\'' => {}
            c if c.is_alphanumeric() || c == '\u{1}' => word.push(c),
            // 14:00, 5.12., 22.30: one word, so that it is seen as a time.
            ':' | '.' | '/' if word.ends_with(|last: char| last.is_ascii_digit()) => word.push(c),
            '+' if word.is_empty() => word.push(c),
            c => {
                let done = std::mem::take(&mut word);
                if !done.is_empty() && done != "+" {
                    tokens.push(done.trim_end_matches([':', '.', '/']).to_owned());
                }
                if c == ',' {
                    tokens.push(",".into());
                }
            }
        }
    }
    tokens
}

/// `sí` with a mark that outlives the folding.
fn composed(sentence: &str) -> String {
    let lower = sentence.to_lowercase().replace("i\u{301}", "í");
    let mut marked = String::with_capacity(lower.len() + 4);
    let mut word = String::new();
    for c in lower.chars().chain(['\0']) {
        if c.is_alphabetic() {
            word.push(c);
            continue;
        }
        marked.push_str(if word == "sí" { "si\u{1}" } else { &word });
        word.clear();
        if c != '\0' {
            marked.push(c);
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_word_with_and_without_its_accents() {
        assert_eq!(tokens("D’accord, ça me va."), ["d", "accord", ",", "ca", "me", "va"]);
        assert_eq!(tokens("I can't at 14:00"), ["i", "cant", "at", "14:00"]);
        assert_eq!(tokens("Sí! Si puedo"), ["si\u{1}", "si", "puedo"]);
    }

    #[test]
    fn the_longest_phrase_counts() {
        assert_eq!(phrase(&tokens("no problem at all"), Topic::Window).0, Kind::Yes);
        assert_eq!(phrase(&tokens("no thanks"), Topic::Window), (Kind::No, 2));
        assert_eq!(phrase(&tokens("xyzzy"), Topic::Window), (Kind::Unknown, 1));
    }

    #[test]
    fn no_phrase_is_longer_than_what_is_looked_at_and_each_is_written_as_it_is_read() {
        let all = tables::ALWAYS.iter().chain(tables::WINDOW).chain(tables::BACK);
        for (kind, text) in all.chain(remarks::REMARKS).chain(remarks::REPLIES) {
            for phrase in text.split('|').map(str::trim) {
                assert_eq!(tokens(phrase).join(" "), phrase, "{kind:?}");
                assert!(tokens(phrase).len() <= LONGEST && !phrase.is_empty(), "{kind:?}: {phrase}");
            }
        }
    }
}
