//! Frames: patterns with a place for any noun, `our <thing> is empty by <hour>`. They are known as a whole only, so each is kept as
//! it is written, with its parts (`$place`) shared, and words are matched against it from the left.

use super::pattern::{Patterns, Piece};
use std::collections::{HashMap, HashSet};

/// A clause with more words is in no frame.
const MOST: usize = 100;

/// Patterns, one of whose slots is open.
pub struct Frames {
    patterns: Patterns,
    /// The number of the slot that stands for any free word.
    slot: Option<u32>,
    /// The patterns that may begin and end with a word.
    begin: Edges,
    end: Edges,
}

/// By the word at one end: the numbers of patterns, in order.
#[derive(Default)]
struct Edges {
    by_word: HashMap<u32, Vec<usize>>,
    open: Vec<usize>,
}

impl Edges {
    fn of(&self, word: Option<u32>, free: bool) -> Vec<usize> {
        let named = word.and_then(|word| self.by_word.get(&word)).map_or(&[][..], Vec::as_slice);
        let open = if free { self.open.as_slice() } else { &[] };
        let mut all: Vec<usize> = named.iter().chain(open).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The words of a clause: at which positions each stands, a bit each.
struct Clause {
    /// By the number of the word.
    at: Vec<u128>,
    open: u128,
    /// Where each part ends that begins with the clause: hundreds of patterns begin with one of a few.
    first: Vec<Option<u128>>,
    /// From where each part was sought last, and where it ends then.
    last: Vec<(u128, u128)>,
}

impl Frames {
    /// Frames of patterns; the slot stands for any free word.
    pub fn new(patterns: Patterns, slot: &str) -> Self {
        let slot = patterns.id(slot);
        let mut frames = Self { patterns, slot, begin: Edges::default(), end: Edges::default() };
        for number in 0..frames.patterns.lines.len() {
            for last in [false, true] {
                let mut words: HashSet<Option<u32>> = HashSet::new();
                frames.edge(&frames.patterns.lines[number], last, &mut words);
                let edges = if last { &mut frames.end } else { &mut frames.begin };
                for word in words {
                    match word {
                        Some(word) => edges.by_word.entry(word).or_default().push(number),
                        None => edges.open.push(number),
                    }
                }
            }
        }
        frames
    }

    /// Gathers the words with which a piece may begin or end, `None` for the open place; whether it may be empty.
    fn edge(&self, piece: &Piece, last: bool, words: &mut HashSet<Option<u32>>) -> bool {
        match piece {
            Piece::Word(id) => {
                words.insert((Some(*id) != self.slot).then_some(*id));
                false
            }
            Piece::Part(part) => self.edge(&self.patterns.parts[*part], last, words),
            Piece::Choice(pieces) => {
                let empty: Vec<bool> = pieces.iter().map(|piece| self.edge(piece, last, words)).collect();
                empty.contains(&true)
            }
            Piece::Chain(pieces) if last => pieces.iter().rev().all(|piece| self.edge(piece, last, words)),
            Piece::Chain(pieces) => pieces.iter().all(|piece| self.edge(piece, last, words)),
        }
    }

    /// Whether the words are a whole frame, with any word that is `free` in its open places.
    pub fn is_whole(&self, words: &[String], free: &dyn Fn(&str) -> bool) -> bool {
        if words.is_empty() || words.len() > MOST {
            return false;
        }
        let id = |word: &String| self.patterns.id(word);
        let (first, last) = (&words[0], &words[words.len() - 1]);
        let begin = self.begin.of(id(first), free(first));
        let mut both = self.end.of(id(last), free(last));
        both.retain(|number| begin.binary_search(number).is_ok());
        if both.is_empty() {
            return false;
        }
        let parts = self.patterns.parts.len();
        let (first, last) = (vec![None; parts], vec![(0, 0); parts]);
        let mut clause = Clause { at: vec![0; self.patterns.count()], open: 0, first, last };
        for (at, word) in words.iter().enumerate() {
            if let Some(id) = id(word) {
                clause.at[id as usize] |= 1 << at;
            }
            clause.open |= u128::from(free(word)) << at;
        }
        let end = 1u128 << words.len();
        both.iter().any(|number| self.ends(&self.patterns.lines[*number], &mut clause, 1) & end != 0)
    }

    /// Where a piece may end that begins at one of these positions.
    fn ends(&self, piece: &Piece, clause: &mut Clause, from: u128) -> u128 {
        match piece {
            Piece::Word(id) if Some(*id) == self.slot => (from & clause.open) << 1,
            Piece::Word(id) => (from & clause.at[*id as usize]) << 1,
            Piece::Part(part) => self.ends_of_part(*part, clause, from),
            Piece::Chain(pieces) => {
                let mut at = from;
                for piece in pieces {
                    if at == 0 {
                        break;
                    }
                    at = self.ends(piece, clause, at);
                }
                at
            }
            Piece::Choice(pieces) => {
                let mut all = 0;
                for piece in pieces {
                    all |= self.ends(piece, clause, from);
                }
                all
            }
        }
    }

    fn ends_of_part(&self, part: usize, clause: &mut Clause, from: u128) -> u128 {
        if from == 1
            && let Some(known) = clause.first[part]
        {
            return known;
        }
        if clause.last[part].0 == from {
            return clause.last[part].1;
        }
        let ends = self.ends(&self.patterns.parts[part], clause, from);
        match from {
            1 => clause.first[part] = Some(ends),
            _ => clause.last[part] = (from, ends),
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_known_as_a_whole_with_any_noun_in_its_place() {
        let mut patterns = Patterns::default();
        patterns.read(
            "# places\n$place = (our|the) (<thing>|office)\n$when = (by <hour>|then|)\n$place is (empty|closed) $when",
        );
        let frames = Frames::new(patterns, "<thing>");
        let is = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            frames.is_whole(&words, &|word| !["deal", "is"].contains(&word))
        };
        for text in ["our studio is empty", "the office is closed then", "our workshop is closed by <hour>"] {
            assert!(is(text), "{text}");
        }
        for text in [
            "our studio is",
            "our deal is closed",
            "studio is closed",
            "our studio is closed by",
            "our new studio is closed",
        ] {
            assert!(!is(text), "{text}");
        }
        assert!(!frames.is_whole(&vec!["our".into(); 200], &|_| true));
    }
}
