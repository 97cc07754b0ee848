//! How the lists are written: one pattern a line, with groups `(a|b|)`, parts `$name = …` that are used below as `$name`, and slots
//! `<name>`. A pattern is kept as it is written, its words as numbers, its parts shared.

use crate::domain::reply::words::tokens;
use std::collections::HashMap;

/// Most wordings of one word with groups in it.
const MOST_FORMS: usize = 64;

/// What a pattern is made of.
pub enum Piece {
    /// A word or a slot, by its number.
    Word(u32),
    /// A part, by its place among them.
    Part(usize),
    /// One after the other.
    Chain(Vec<Piece>),
    /// One of them.
    Choice(Vec<Piece>),
}

/// Patterns, and the parts that they share.
#[derive(Default)]
pub struct Patterns {
    ids: HashMap<String, u32>,
    /// The parts of the list that is being read.
    names: HashMap<String, usize>,
    /// What the parts are.
    pub parts: Vec<Piece>,
    /// One for each line.
    pub lines: Vec<Piece>,
}

impl Patterns {
    /// Takes in a list; `#` begins a remark, commas say nothing. Parts are those of one list, a later one takes the place of an
    /// earlier one of its name.
    pub fn read(&mut self, list: &str) {
        self.names.clear();
        for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match part_of(line) {
                Some((name, text)) => {
                    let part = self.choice(text);
                    self.names.insert(format!("${name}"), self.parts.len());
                    self.parts.push(part);
                }
                None => {
                    let pattern = self.choice(line);
                    self.lines.push(pattern);
                }
            }
        }
    }

    /// How many words there are: their numbers are all below it.
    pub fn count(&self) -> usize {
        self.ids.len()
    }

    /// The numbers of the words.
    pub fn into_ids(self) -> HashMap<String, u32> {
        self.ids
    }

    /// Each word and its number.
    pub fn all_words(&self) -> impl Iterator<Item = (&str, u32)> {
        self.ids.iter().map(|(word, id)| (word.as_str(), *id))
    }

    /// The number of a word; `ueber` is `über`, which is folded to `uber`.
    pub fn id(&self, word: &str) -> Option<u32> {
        id_of(&self.ids, word)
    }

    /// One of the wordings between the bars.
    fn choice(&mut self, text: &str) -> Piece {
        Piece::Choice(alternatives(text).into_iter().map(|one| self.chain(one)).collect())
    }

    fn chain(&mut self, text: &str) -> Piece {
        let mut depth = 0usize;
        let pieces = text.split(|c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c.is_whitespace() && depth == 0
        });
        let mut pieces: Vec<Piece> = pieces.filter(|piece| !piece.is_empty()).map(|piece| self.piece(piece)).collect();
        if pieces.len() == 1 { pieces.remove(0) } else { Piece::Chain(pieces) }
    }

    /// A word, a slot, a part, a group, or a word with groups in it: `(re-|)import`.
    fn piece(&mut self, text: &str) -> Piece {
        if let Some(part) = self.names.get(text.trim_end_matches(',')) {
            return Piece::Part(*part);
        }
        if text.starts_with('<') && text.ends_with('>') {
            return self.word(text);
        }
        if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
            && !closes(inner)
        {
            return self.choice(inner);
        }
        if !text.contains('(') {
            return self.words(text);
        }
        Piece::Choice(forms(text).iter().map(|form| self.words(form)).collect())
    }

    fn words(&mut self, text: &str) -> Piece {
        if text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return self.word(text);
        }
        if text.contains('<') {
            return Piece::Chain(text.split_whitespace().map(|word| self.word(word)).collect());
        }
        Piece::Chain(tokens(text).iter().filter(|word| *word != ",").map(|word| self.word(word)).collect())
    }

    fn word(&mut self, word: &str) -> Piece {
        Piece::Word(self.ids.get(word).copied().unwrap_or_else(|| {
            let next = self.ids.len() as u32;
            self.ids.insert(word.to_owned(), next);
            next
        }))
    }
}

/// The number of a word; `ueber` is `über`, which is folded to `uber`.
pub fn id_of(ids: &HashMap<String, u32>, word: &str) -> Option<u32> {
    let plain = || word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    ids.get(word).or_else(|| word.contains('e').then(|| ids.get(&plain())).flatten()).copied()
}

/// The name and the text of a line that defines a part.
pub fn part_of(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix('$')?.split_once('=')?;
    let name = name.trim();
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| (name, text.trim()))
}

/// What stands between the bars that are in no group.
fn alternatives(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    })
    .collect()
}

/// Whether a group is closed in it that was opened outside.
fn closes(inner: &str) -> bool {
    let mut depth = 0isize;
    inner.chars().any(|c| {
        depth += isize::from(c == '(') - isize::from(c == ')');
        depth < 0
    })
}

/// Each wording of a word with groups.
fn forms(text: &str) -> Vec<String> {
    let Some(open) = text.find('(') else { return vec![text.to_owned()] };
    let mut depth = 0isize;
    let close = text[open..].find(|c| {
        depth += isize::from(c == '(') - isize::from(c == ')');
        depth == 0
    });
    let Some(close) = close.map(|at| open + at) else { return vec![text.to_owned()] };
    let behind = forms(&text[close + 1..]);
    let inner = alternatives(&text[open + 1..close]).into_iter().flat_map(forms);
    inner
        .flat_map(|one| behind.iter().map(move |rest| format!("{one}{rest}")).collect::<Vec<_>>())
        .map(|rest| format!("{}{rest}", &text[..open]))
        .take(MOST_FORMS)
        .collect()
}
