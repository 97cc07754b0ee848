//! Examples as one graph: a pattern is a way from the first state to the last, a word a step on it. So a pattern with many wordings
//! is held once, and whether neighbouring words stand so in an example is a walk of a few steps.

use super::pattern::{Patterns, Piece, id_of};
use std::collections::HashMap;

/// Where each pattern begins and ends.
const FIRST: u32 = 0;
const LAST: u32 = 1;

/// A word that leads from one state to another.
#[derive(Clone, Copy)]
struct Edge {
    from: u32,
    to: u32,
    word: u32,
    /// Stands in a wording that lends its pieces.
    lends: bool,
}

/// Lists of numbers, by number.
#[derive(Default)]
struct Groups {
    /// Where each begins; one more than there are.
    begins: Vec<u32>,
    all: Vec<u32>,
}

impl Groups {
    /// Pairs of a group and what is in it.
    fn of(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut begins = vec![0; count + 1];
        pairs.clone().for_each(|(group, _)| begins[group as usize + 1] += 1);
        (0..count).for_each(|at| begins[at + 1] += begins[at]);
        let mut next = begins.clone();
        let mut all = vec![0; begins[count] as usize];
        for (group, one) in pairs {
            all[next[group as usize] as usize] = one;
            next[group as usize] += 1;
        }
        Self { begins, all }
    }

    fn of_group(&self, group: u32) -> &[u32] {
        &self.all[self.begins[group as usize] as usize..self.begins[group as usize + 1] as usize]
    }
}

/// Patterns, joined.
#[derive(Default)]
pub struct Graph {
    ids: HashMap<String, u32>,
    edges: Vec<Edge>,
    /// The edges of each word, and those that leave each state.
    by_word: Groups,
    leaving: Groups,
    /// States that are reached from another without a word.
    beside: Groups,
    /// Whether a pattern may begin, or end, in a state.
    begins: Vec<bool>,
    ends: Vec<bool>,
}

/// A graph that is being made.
struct Draft<'a> {
    patterns: &'a Patterns,
    /// The words, by number, whose wordings lend nothing.
    grave: Vec<bool>,
    /// Whether a wording of a part has none of them.
    parts: Vec<bool>,
    states: u32,
    edges: Vec<Edge>,
    beside: Vec<(u32, u32)>,
}

impl Draft<'_> {
    fn lends(&self, piece: &Piece) -> bool {
        match piece {
            Piece::Word(id) => !self.grave[*id as usize],
            Piece::Part(part) => self.parts[*part],
            Piece::Chain(pieces) => pieces.iter().all(|piece| self.lends(piece)),
            Piece::Choice(pieces) => pieces.iter().any(|piece| self.lends(piece)),
        }
    }

    fn state(&mut self) -> u32 {
        self.states += 1;
        self.states - 1
    }

    fn place(&mut self, piece: &Piece, from: u32, to: u32, lends: bool) {
        let patterns = self.patterns;
        match piece {
            Piece::Word(word) => {
                let lends = lends && !self.grave[*word as usize];
                self.edges.push(Edge { from, to, word: *word, lends });
            }
            Piece::Part(part) => self.place(&patterns.parts[*part], from, to, lends),
            Piece::Choice(pieces) => pieces.iter().for_each(|piece| self.place(piece, from, to, lends)),
            Piece::Chain(pieces) => {
                let lends = lends && self.lends(piece);
                let Some((last, others)) = pieces.split_last() else {
                    return self.beside.push((from, to));
                };
                let mut here = from;
                for piece in others {
                    let next = self.state();
                    self.place(piece, here, next, lends);
                    here = next;
                }
                self.place(last, here, to, lends);
            }
        }
    }
}

impl Graph {
    /// Joins patterns. The first `lending` of them lend their pieces, but for wordings with a word that is `grave`; the others are
    /// known as a whole only.
    pub fn new(patterns: Patterns, lending: usize, grave: &dyn Fn(&str) -> bool) -> Self {
        let words = patterns.all_words().count();
        let mut draft = Draft {
            patterns: &patterns,
            grave: vec![false; words],
            parts: Vec::new(),
            states: LAST + 1,
            edges: Vec::new(),
            beside: Vec::new(),
        };
        patterns.all_words().for_each(|(word, id)| draft.grave[id as usize] = grave(word));
        // A part is made of parts above it.
        patterns.parts.iter().for_each(|part| draft.parts.push(draft.lends(part)));
        for (at, line) in patterns.lines.iter().enumerate() {
            draft.place(line, FIRST, LAST, at < lending);
        }
        let Draft { states, edges, beside, .. } = draft;
        let states = states as usize;
        let numbered = || edges.iter().zip(0u32..);
        let by_word = Groups::of(words, numbered().map(|(edge, at)| (edge.word, at)));
        let leaving = Groups::of(states, numbered().map(|(edge, at)| (edge.from, at)));
        let forth = Groups::of(states, beside.iter().copied());
        let back = Groups::of(states, beside.iter().map(|(from, to)| (*to, *from)));
        let reached = |from: u32, by: &Groups| {
            let mut is = vec![false; states];
            spread(vec![from], by).into_iter().for_each(|state| is[state as usize] = true);
            is
        };
        let (begins, ends) = (reached(FIRST, &forth), reached(LAST, &back));
        Self { ids: patterns.into_ids(), edges, by_word, leaving, beside: forth, begins, ends }
    }

    /// Whether a word stands in any pattern.
    pub fn has(&self, word: &str) -> bool {
        self.ids.contains_key(word)
    }

    /// Whether the words are a whole pattern.
    pub fn is_whole(&self, words: &[String]) -> bool {
        !words.is_empty() && self.runs(words, true, true, false)
    }

    /// Whether the words stand one behind the other in a pattern.
    pub fn is_part(&self, words: &[String]) -> bool {
        self.runs(words, false, false, false)
    }

    /// Whether each `width` neighbours, the beginning and the end counted as words, stand so in a pattern that lends them.
    pub fn covers(&self, words: &[String], width: usize) -> bool {
        let windows = (words.len() + 2).saturating_sub(width) + 1;
        !words.is_empty() && (0..windows).all(|at| self.covers_at(words, at, width))
    }

    /// Whether the `width` neighbours from `at` on do; 0 is the beginning.
    pub fn covers_at(&self, words: &[String], at: usize, width: usize) -> bool {
        let end = (at + width).min(words.len() + 2);
        let inner = &words[at.saturating_sub(1).min(words.len())..(end - 1).min(words.len())];
        self.runs(inner, at == 0, end == words.len() + 2, true)
    }

    /// Whether the words stand one behind the other in a pattern; at its beginning, to its end; in what it lends.
    fn runs(&self, words: &[String], begins: bool, ends: bool, lent: bool) -> bool {
        let Some(ids) = words.iter().map(|word| id_of(&self.ids, word)).collect::<Option<Vec<u32>>>() else {
            return false;
        };
        let Some((first, rest)) = ids.split_first() else { return true };
        let edges = |all: &[u32], keep: &dyn Fn(&Edge) -> bool| -> Vec<u32> {
            let edges = all.iter().map(|at| &self.edges[*at as usize]);
            edges.filter(|edge| (edge.lends || !lent) && keep(edge)).map(|edge| edge.to).collect()
        };
        let mut here = edges(self.by_word.of_group(*first), &|edge| !begins || self.begins[edge.from as usize]);
        for id in rest {
            let from = spread(here, &self.beside);
            here =
                from.iter().flat_map(|state| edges(self.leaving.of_group(*state), &|edge| edge.word == *id)).collect();
        }
        here.iter().any(|state| !ends || self.ends[*state as usize])
    }
}

/// These states and all that are reached from them without a word, each once.
fn spread(mut last: Vec<u32>, by: &Groups) -> Vec<u32> {
    let mut all = Vec::new();
    while !last.is_empty() {
        last.sort_unstable();
        last.dedup();
        all.extend(&last);
        last = last.iter().flat_map(|state| by.of_group(*state)).copied().collect();
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn wordings_are_known_whole_and_by_their_neighbours() {
        let graph = |list: &str, grave: &dyn Fn(&str) -> bool| {
            let mut patterns = Patterns::default();
            patterns.read(list);
            let all = patterns.lines.len();
            Graph::new(patterns, all, grave)
        };
        let list = "# a remark\n$done = (confirmed|agreed)\n$done (from (my|our) side|)\nI (re-|)import it, thanks\nthanks\nGeschäftsführer(in|) <person>\nworks from my house (today|)";
        let known = graph(list, &|_| false);
        for whole in [
            "confirmed",
            "agreed from our side",
            "i import it thanks",
            "i re import it thanks",
            "thanks",
            "geschaftsfuhrerin <person>",
        ] {
            assert!(known.is_whole(&words(whole)), "{whole}");
        }
        for part in ["", "from our side", "confirmed from", "confirmed thanks", "my side"] {
            assert!(!known.is_whole(&words(part)), "{part}");
        }
        assert!(
            known.covers(&words("confirmed from my house"), 3) && !known.is_whole(&words("confirmed from my house"))
        );
        assert!(!known.covers(&words("works from our house"), 3) && !known.covers(&words("from my side"), 3));
        assert!(known.covers(&words("thanks"), 3) && !known.covers(&words("it"), 3));
        let other = graph("(never|always) ours\nif (it|so)\n(well|if so) done\n(if|) then", &|word| {
            ["if", "never"].contains(&word)
        });
        assert!(other.is_whole(&words("never ours")) && other.has("it"));
        for lent in ["always ours", "well done", "then"] {
            assert!(other.covers(&words(lent), 3), "{lent}");
        }
        for kept in ["never ours", "if it", "so", "if then"] {
            assert!(!other.covers(&words(kept), 3), "{kept}");
        }
    }

    #[test]
    fn an_optional_word_joins_what_stands_around_it_and_nothing_else() {
        let mut patterns = Patterns::default();
        patterns.read("$d = (x|y)\na ($d|) (b|) c\ne $d f\n((g|) h|i) k");
        let known = Graph::new(patterns, 3, &|_| false);
        for whole in ["a c", "a x c", "a y b c", "a b c", "e x f", "g h k", "h k", "i k"] {
            assert!(known.is_whole(&words(whole)), "{whole}");
        }
        for other in ["a x f", "e x c", "e f", "g k", "g i k", "a x b", "k", "a x y c", "b c"] {
            assert!(!known.is_whole(&words(other)), "{other}");
        }
        assert!(!known.is_part(&words("a x f")) && known.is_part(&words("b c")));
    }
}
