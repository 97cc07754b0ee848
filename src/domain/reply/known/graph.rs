//! Examples as one graph: each place of a word in a pattern is a position, and an edge leads to each position that may follow.
//! So a pattern with many wordings is held once, and whether neighbouring words stand so in an example is a walk of a few steps.

use crate::domain::reply::words::tokens;
use std::collections::HashMap;

/// Most wordings of one word with groups in it.
const MOST_FORMS: usize = 64;

/// What a pattern is made of.
pub enum Node {
    /// A word, or a slot.
    Word(String),
    /// One after the other.
    Chain(Vec<Node>),
    /// One of them.
    Choice(Vec<Node>),
}

/// Where a part of a pattern begins and ends.
#[derive(Clone, Default)]
struct Span {
    empty: bool,
    first: Vec<u32>,
    last: Vec<u32>,
}

/// Patterns, joined.
#[derive(Default)]
pub struct Graph {
    ids: HashMap<String, u32>,
    /// The word of each position.
    word: Vec<u32>,
    follow: Vec<Vec<u32>>,
    begins: Vec<bool>,
    ends: Vec<bool>,
    /// The positions of each word.
    at: Vec<Vec<u32>>,
}

impl Graph {
    /// Takes in a list: one pattern a line, `#` before a remark, `$name = …` for what is used below as `$name`, groups
    /// `(a|b|)`. Commas say nothing.
    pub fn read(&mut self, list: &str) {
        self.read_without(list, &|_| false);
    }

    /// The same, without the wordings that hold a word of a kind.
    pub fn read_without(&mut self, list: &str, unwanted: &dyn Fn(&str) -> bool) {
        let mut macros: Vec<(String, String)> = Vec::new();
        for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, text) = match line.strip_prefix('$').and_then(|rest| rest.split_once('=')) {
                Some((name, text)) if !name.contains(' ') || name.trim_end().chars().all(is_of_name) => {
                    (Some(name.trim()), text.trim())
                }
                _ => (None, line),
            };
            let text = with_macros(text, &macros);
            match name {
                Some(name) => {
                    // A later definition takes the place of an earlier one.
                    macros.retain(|(one, _)| one[1..] != *name);
                    macros.push((format!("${name}"), format!("({text})")));
                    // The longer name first: `$done_all` is none of `$done`.
                    macros.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
                }
                None => {
                    if let Some(node) = pruned(choice(&text), unwanted) {
                        self.add(&node);
                    }
                }
            }
        }
    }

    fn add(&mut self, pattern: &Node) {
        let span = self.place(pattern);
        span.first.iter().for_each(|at| self.begins[*at as usize] = true);
        span.last.iter().for_each(|at| self.ends[*at as usize] = true);
    }

    fn place(&mut self, node: &Node) -> Span {
        match node {
            Node::Word(word) => {
                let next = self.ids.len() as u32;
                let id = *self.ids.entry(word.clone()).or_insert(next);
                let position = self.word.len() as u32;
                self.word.push(id);
                self.follow.push(Vec::new());
                self.begins.push(false);
                self.ends.push(false);
                if self.at.len() <= id as usize {
                    self.at.resize(id as usize + 1, Vec::new());
                }
                self.at[id as usize].push(position);
                Span { empty: false, first: vec![position], last: vec![position] }
            }
            Node::Chain(parts) => {
                let mut whole = Span { empty: true, ..Span::default() };
                for part in parts {
                    let next = self.place(part);
                    for last in &whole.last {
                        self.follow[*last as usize].extend(&next.first);
                    }
                    if whole.empty {
                        whole.first.extend(&next.first);
                    }
                    whole.last = match next.empty {
                        true => whole.last.into_iter().chain(next.last).collect(),
                        false => next.last,
                    };
                    whole.empty &= next.empty;
                }
                whole
            }
            Node::Choice(parts) => {
                let mut whole = Span::default();
                for part in parts {
                    let one = self.place(part);
                    whole.empty |= one.empty;
                    whole.first.extend(one.first);
                    whole.last.extend(one.last);
                }
                whole
            }
        }
    }

    /// Whether a word stands in any pattern.
    pub fn has(&self, word: &str) -> bool {
        self.ids.contains_key(word)
    }

    /// Whether the words are a whole pattern.
    pub fn is_whole(&self, words: &[String]) -> bool {
        !words.is_empty() && self.runs(words, true, true)
    }

    /// Whether the words stand one behind the other in a pattern.
    pub fn is_part(&self, words: &[String]) -> bool {
        self.runs(words, false, false)
    }

    /// Whether each `width` neighbours, the beginning and the end counted as words, stand so in a pattern.
    pub fn covers(&self, words: &[String], width: usize) -> bool {
        let windows = (words.len() + 2).saturating_sub(width) + 1;
        !words.is_empty() && (0..windows).all(|at| self.covers_at(words, at, width))
    }

    /// Whether the `width` neighbours from `at` on do; 0 is the beginning.
    pub fn covers_at(&self, words: &[String], at: usize, width: usize) -> bool {
        let end = (at + width).min(words.len() + 2);
        let inner = &words[at.saturating_sub(1).min(words.len())..(end - 1).min(words.len())];
        self.runs(inner, at == 0, end == words.len() + 2)
    }

    /// Whether the words stand one behind the other in a pattern; at its beginning, to its end.
    fn runs(&self, words: &[String], begins: bool, ends: bool) -> bool {
        let Some(ids) = words.iter().map(|word| id_of(&self.ids, word)).collect::<Option<Vec<u32>>>() else {
            return false;
        };
        let Some((first, rest)) = ids.split_first() else { return true };
        let mut here: Vec<u32> =
            self.at[*first as usize].iter().copied().filter(|at| !begins || self.begins[*at as usize]).collect();
        for id in rest {
            let next = here.iter().flat_map(|at| &self.follow[*at as usize]);
            here = next.copied().filter(|at| self.word[*at as usize] == *id).collect();
            here.sort_unstable();
            here.dedup();
        }
        here.iter().any(|at| !ends || self.ends[*at as usize])
    }
}

/// The number of a word; `ueber` is `über`, which is folded to `uber`.
pub fn id_of(ids: &HashMap<String, u32>, word: &str) -> Option<u32> {
    let plain = || word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    ids.get(word).or_else(|| word.contains('e').then(|| ids.get(&plain())).flatten()).copied()
}

/// What is left without the wordings that hold an unwanted word.
fn pruned(node: Node, unwanted: &dyn Fn(&str) -> bool) -> Option<Node> {
    match node {
        Node::Word(word) => (!unwanted(&word)).then_some(Node::Word(word)),
        Node::Chain(parts) => {
            let parts: Option<Vec<Node>> = parts.into_iter().map(|part| pruned(part, unwanted)).collect();
            parts.map(Node::Chain)
        }
        Node::Choice(parts) => {
            let left: Vec<Node> = parts.into_iter().filter_map(|part| pruned(part, unwanted)).collect();
            (!left.is_empty()).then_some(Node::Choice(left))
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn with_macros(text: &str, macros: &[(String, String)]) -> String {
    macros.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
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

/// A pattern in which `$name` stands as a word.
pub fn choice_of(text: &str) -> Node {
    choice(text)
}

fn choice(text: &str) -> Node {
    Node::Choice(alternatives(text).into_iter().map(chain).collect())
}

fn chain(text: &str) -> Node {
    let mut depth = 0usize;
    let pieces = text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c.is_whitespace() && depth == 0
    });
    Node::Chain(pieces.filter(|piece| !piece.is_empty()).map(piece).collect())
}

/// A word, a slot, a group, or a word with groups in it: `(re-|)import`.
fn piece(text: &str) -> Node {
    let part = text.strip_prefix('$').is_some_and(|name| name.chars().all(is_of_name));
    if part || text.starts_with('<') && text.ends_with('>') {
        return Node::Word(text.to_owned());
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        && !closes(inner)
    {
        return choice(inner);
    }
    if !text.contains('(') {
        return words(text);
    }
    Node::Choice(forms(text).iter().map(|form| words(form)).collect())
}

/// Whether a group is closed in it that was opened outside.
fn closes(inner: &str) -> bool {
    let mut depth = 0isize;
    inner.chars().any(|c| {
        depth += isize::from(c == '(') - isize::from(c == ')');
        depth < 0
    })
}

fn words(text: &str) -> Node {
    if text.contains('<') {
        return Node::Chain(text.split_whitespace().map(|word| Node::Word(word.to_owned())).collect());
    }
    Node::Chain(tokens(text).into_iter().filter(|word| word != ",").map(Node::Word).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn wordings_are_known_whole_and_by_their_neighbours() {
        let mut graph = Graph::default();
        graph.read("# a remark\n$done = (confirmed|agreed)\n$done (from (my|our) side|)\nI (re-|)import it, thanks\nthanks\nGeschäftsführer(in|) <person>");
        for whole in [
            "confirmed",
            "agreed from our side",
            "i import it thanks",
            "i re import it thanks",
            "thanks",
            "geschaftsfuhrerin <person>",
        ] {
            assert!(graph.is_whole(&words(whole)), "{whole}");
        }
        for part in ["", "from our side", "confirmed from", "confirmed thanks", "my side"] {
            assert!(!graph.is_whole(&words(part)), "{part}");
        }
        graph.read("works from my house (today|)");
        assert!(
            graph.covers(&words("confirmed from my house"), 3) && !graph.is_whole(&words("confirmed from my house"))
        );
        assert!(!graph.covers(&words("works from our house"), 3) && !graph.covers(&words("from my side"), 3));
        let mut other = Graph::default();
        other.read_without("(never|always) ours\nif (it|so)\n(well|if so) done", &|word| {
            ["if", "never"].contains(&word)
        });
        assert!(other.is_whole(&words("always ours")) && other.is_whole(&words("well done")));
        assert!(!other.has("if") && !other.has("it") && !other.has("never"));
        assert!(graph.covers(&words("thanks"), 3) && !graph.covers(&words("it"), 3));
    }
}
