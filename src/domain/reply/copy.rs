//! Which words of a letter are a copy of what was sent to the person: found by the letters alone, since programs wrap, mark,
//! indent and re-encode what they quote. What differs by a word is not ours.

use crate::domain::letter::Body;
use std::collections::HashMap;
use std::ops::Range;

/// A shorter piece could be anybody's words, letters.
const SHORTEST: usize = 10;
/// Without marks of quoting only this much of one mail of ours, in its order, is a copy of it: a sentence may be anybody's.
const UNMARKED: usize = 60;
/// Two pieces of one copy lie closer than this, here and there: somebody wrote between them, or took lines out.
const FURTHEST: usize = 1_500;
/// Two pieces in one line lie closer than this in our mail.
const IN_A_LINE: usize = 120;
/// Places of the same beginning that are looked at.
const MOST_PLACES: usize = 12;
/// Parts two mails of ours.
const END: u8 = b'\n';

/// A word of a line: where it stands there, and where its letters stand in the stream.
struct Word {
    line: usize,
    bytes: Range<usize>,
    letters: Range<usize>,
    /// Letters beyond ASCII are in it.
    foreign: usize,
    /// These are accented Latin ones, or what damage made of them.
    is_latin: bool,
}

/// `à`, `é`, also damaged on the way; no letter of a script in which one says a word.
fn is_accented(c: char) -> bool {
    c < '\u{250}' || c == '\u{fffd}'
}

/// ASCII letters and digits of words in a row, in lower case.
#[derive(Default)]
struct Stream {
    letters: Vec<u8>,
    words: Vec<Word>,
}

impl Stream {
    fn line(&mut self, at: usize, text: &str) {
        let mut word = None::<Word>;
        for (byte, c) in text.char_indices().chain([(text.len(), ' ')]) {
            // A letter that was damaged on the way still is one of the word.
            let inside = c.is_alphanumeric() || c == '\u{fffd}';
            match (&mut word, inside) {
                (None, true) => {
                    let here = self.letters.len();
                    let (bytes, letters) = (byte..byte, here..here);
                    word = Some(Word { line: at, bytes, letters, foreign: 0, is_latin: true });
                }
                (Some(_), false) => self.words.extend(word.take().map(|word| Word {
                    bytes: word.bytes.start..byte,
                    letters: word.letters.start..self.letters.len(),
                    ..word
                })),
                _ => {}
            }
            if let Some(word) = &mut word {
                match c.is_ascii_alphanumeric() {
                    true => self.letters.push(c.to_ascii_lowercase() as u8),
                    false => {
                        word.foreign += 1;
                        word.is_latin &= is_accented(c);
                    }
                }
            }
        }
    }
}

/// A piece that stands in our mails: words of the stream, and where in our mails it begins and ends.
struct Run {
    words: Range<usize>,
    letters: usize,
    ours: Range<usize>,
}

impl Run {
    /// Its letters in the stream.
    fn here(&self, stream: &Stream) -> Range<usize> {
        stream.words[self.words.start].letters.start..stream.words[self.words.end - 1].letters.end
    }
}

/// Whether a piece at these places follows one, here and in our mail.
fn follows(last: &Run, here: &Range<usize>, ours: &Range<usize>, stream: &Stream) -> bool {
    let near = |gap: Option<usize>| gap.is_some_and(|gap| gap <= FURTHEST);
    near(here.start.checked_sub(last.here(stream).end)) && near(ours.start.checked_sub(last.ours.end))
}

/// What was sent to one person.
pub struct Sent {
    stream: Stream,
    /// Words by their first letters and those behind them.
    places: HashMap<[u8; SHORTEST], Vec<usize>>,
}

impl Sent {
    /// Of these texts.
    pub fn new(texts: &[String]) -> Self {
        let mut stream = Stream::default();
        for text in texts {
            text.lines().for_each(|line| stream.line(0, line));
            stream.letters.push(END);
        }
        let mut places: HashMap<[u8; SHORTEST], Vec<usize>> = HashMap::new();
        for (at, word) in stream.words.iter().enumerate() {
            if let Some(key) = key(&stream.letters, word.letters.start) {
                let all = places.entry(key).or_default();
                if all.len() < MOST_PLACES {
                    all.push(at);
                }
            }
        }
        Self { stream, places }
    }

    /// Marks the words of a body that are ours.
    pub fn mark(&self, body: &Body) -> Ours {
        let mut ours = Ours { lines: vec![Vec::new(); body.lines.len()] };
        if self.stream.words.is_empty() {
            return ours;
        }
        for marked in [true, false] {
            let mut stream = Stream::default();
            let lines = body.lines.iter().enumerate();
            lines.filter(|(_, line)| (line.depth > 0) == marked).for_each(|(at, line)| stream.line(at, &line.text));
            let runs = self.runs(&stream);
            for run in if marked { in_order(&stream, runs) } else { self.large(&stream, runs) } {
                for word in &stream.words[run.words] {
                    ours.lines[word.line].push(word.bytes.clone());
                }
            }
        }
        ours
    }

    fn runs(&self, stream: &Stream) -> Vec<Run> {
        let mut runs = Vec::new();
        let (mut at, mut expected) = (0, 0);
        while at < stream.words.len() {
            let places = key(&stream.letters, stream.words[at].letters.start).and_then(|key| self.places.get(&key));
            let found = places.into_iter().flatten().map(|place| (self.same(stream, at, *place), *place));
            // The longest; of equal ones the next in our mail.
            let best = found.max_by_key(|((words, _), place)| (*words, std::cmp::Reverse(place.abs_diff(expected))));
            match best {
                Some(((words, theirs), place)) if words > 0 => {
                    let letters = stream.words[at + words - 1].letters.end - stream.words[at].letters.start;
                    let ends = self.stream.words[place + theirs - 1].letters.end;
                    let ours = self.stream.words[place].letters.start..ends;
                    runs.push(Run { words: at..at + words, letters, ours });
                    (at, expected) = (at + words, place + theirs);
                }
                _ => at += 1,
            }
        }
        runs
    }

    /// Without marks: pieces that follow one another as in our mail, and are much together; and small ones that stand where one of
    /// our mails has them beside those: its subject stands in all mails of one rotation.
    fn large(&self, stream: &Stream, runs: Vec<Run>) -> Vec<Run> {
        let (mut kept, mut small): (Vec<Run>, Vec<Run>) = (Vec::new(), Vec::new());
        let mut chain: Vec<Run> = Vec::new();
        let mut close = |chain: &mut Vec<Run>| {
            let whole = chain.iter().map(|run| run.letters).sum::<usize>();
            if whole >= UNMARKED { kept.append(chain) } else { small.append(chain) }
        };
        for run in runs {
            if !chain.last().is_none_or(|last| follows(last, &run.here(stream), &run.ours, stream)) {
                close(&mut chain);
            }
            chain.push(run);
        }
        close(&mut chain);
        let beside = |run: &Run| {
            let at = run.words.start;
            let places = key(&stream.letters, stream.words[at].letters.start).and_then(|key| self.places.get(&key));
            let next = kept.iter().find(|other| other.words.start >= run.words.end);
            places.into_iter().flatten().any(|place| {
                let (words, theirs) = self.same(stream, at, *place);
                let ours =
                    || self.stream.words[*place].letters.start..self.stream.words[place + theirs - 1].letters.end;
                let moved = || Run { words: run.words.clone(), letters: run.letters, ours: ours() };
                words >= run.words.len()
                    && next.is_some_and(|next| follows(&moved(), &next.here(stream), &next.ours, stream))
            })
        };
        small.retain(beside);
        kept.append(&mut small);
        kept.sort_by_key(|run| run.words.start);
        kept
    }

    /// How many words from there on are the same here and in our mails. A word may be parted otherwise there.
    fn same(&self, stream: &Stream, at: usize, place: usize) -> (usize, usize) {
        let (here, there) = (&stream.letters[stream.words[at].letters.start..], &self.stream.letters);
        let there = &there[self.stream.words[place].letters.start..];
        let same = here.iter().zip(there).take_while(|(a, b)| a == b).count();
        let end = stream.words[at].letters.start + same;
        let their_end = self.stream.words[place].letters.start + same;
        // A word without one letter of ours in it is nobody's copy, unless our mail has such a one just there (`à`).
        let (begun, theirs_begun) = (stream.words[at].letters.start, self.stream.words[place].letters.start);
        let accent = |word: &Word| {
            let there = theirs_begun + (word.letters.start - begun);
            let behind = self.stream.words[place..].iter().skip_while(|theirs| theirs.letters.end < there);
            let mut here = behind.take_while(|theirs| theirs.letters.start <= there);
            word.is_latin && here.any(|theirs| theirs.letters.is_empty() && theirs.letters.start == there)
        };
        let written = |word: &&Word| word.letters.end <= end && (!word.letters.is_empty() || accent(word));
        let mut words = stream.words[at..].iter().take_while(written).count();
        let mut theirs = self.stream.words[place..].iter().take_while(|word| word.letters.end <= their_end).count();
        // Both must end at the end of a word, and hold as many letters beyond ASCII, give or take what damage makes of them.
        while words > 0 && theirs > 0 {
            let (last, other) = (&stream.words[at + words - 1], &self.stream.words[place + theirs - 1]);
            let lengths = (
                last.letters.end - stream.words[at].letters.start,
                other.letters.end - self.stream.words[place].letters.start,
            );
            match lengths.0.cmp(&lengths.1) {
                std::cmp::Ordering::Greater => words -= 1,
                std::cmp::Ordering::Less => theirs -= 1,
                std::cmp::Ordering::Equal => break,
            }
        }
        let foreign = |words: &[Word]| words.iter().map(|word| word.foreign).sum::<usize>();
        let (ours, theirs_are) = (&stream.words[at..at + words], &self.stream.words[place..place + theirs]);
        let fits = foreign(ours) <= 3 * foreign(theirs_are);
        let long = words > 0 && ours[words - 1].letters.end - ours[0].letters.start >= SHORTEST;
        if fits && long && theirs > 0 { (words, theirs) } else { (0, 0) }
    }
}

fn key(letters: &[u8], at: usize) -> Option<[u8; SHORTEST]> {
    letters.get(at..at + SHORTEST)?.try_into().ok()
}

/// In quotes: the pieces of one line stand in it as they stand in our mail.
fn in_order(stream: &Stream, runs: Vec<Run>) -> Vec<Run> {
    let lines = |run: &Run| stream.words[run.words.start].line..=stream.words[run.words.end - 1].line;
    let mut broken: Vec<usize> = Vec::new();
    for pair in runs.windows(2) {
        let line = *lines(&pair[0]).end();
        let near = pair[1].ours.start.checked_sub(pair[0].ours.end).is_some_and(|gap| gap <= IN_A_LINE);
        if line == *lines(&pair[1]).start() && !near {
            broken.push(line);
        }
    }
    runs.into_iter().filter(|run| !broken.iter().any(|line| lines(run).contains(line))).collect()
}

/// The words of a body that are ours.
pub struct Ours {
    /// By line: where they stand in it, in bytes.
    lines: Vec<Vec<Range<usize>>>,
}

impl Ours {
    /// What is left of a line without our words: `None` if it holds nothing of ours; pieces from the left to the right.
    pub fn left(&self, at: usize, text: &str) -> Option<Vec<String>> {
        let ours = self.lines.get(at).filter(|ours| !ours.is_empty())?;
        let mut pieces = Vec::new();
        let mut from = 0;
        for word in ours.iter().chain([&(text.len()..text.len())]) {
            let piece = text.get(from..word.start).unwrap_or_default();
            if piece.chars().any(says) || is_sign(piece) {
                pieces.push(piece.trim().to_owned());
            }
            from = word.end;
        }
        Some(pieces)
    }

    /// How many words of ours stand in a line, so that a few words more belong to them.
    pub fn count(&self, at: usize) -> usize {
        self.lines.get(at).map_or(0, Vec::len)
    }
}

/// Signs with which somebody marks or asks something in our text; what programs put around a quote is none.
fn is_sign(piece: &str) -> bool {
    let bare: String = piece.chars().filter(|c| !c.is_whitespace()).collect();
    ["?", ":-", ":(", "-->", "==>", "=>", "->", "(*)", "(x)", "[*]", "[x]", "~", "^", "!!"]
        .iter()
        .any(|sign| bare.to_lowercase().contains(sign))
}

/// Letters, digits, and signs that are pictures.
fn says(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::letter::Line;

    const MAIL: &str = "Hello Ada,\n\nwe replace the key of the VPN server of Acme:\n\n    Sat 5 Dec 2026 23:00 to 24:00\n\n\
                        Schlüssel und Prüfung. Reply to this mail and write, on the first line,\n    confirmed\n        if the window suits you.\n";

    fn left(body: &Body) -> Vec<String> {
        let ours = Sent::new(&[MAIL.to_owned()]).mark(body);
        let lines = body.lines.iter().enumerate().filter(|(_, line)| !line.text.is_empty());
        lines.flat_map(|(at, line)| ours.left(at, &line.text).unwrap_or_else(|| vec![line.text.clone()])).collect()
    }

    fn quoted(text: &str) -> Body {
        let mut body = Body::from(text);
        body.lines.iter_mut().for_each(|line| line.depth = 1);
        body
    }

    #[test]
    fn a_copy_is_ours_however_it_is_wrapped_or_damaged() {
        let wrapped = MAIL.split_whitespace().collect::<Vec<_>>().join(" ");
        let damaged = MAIL.replace('ü', "Ã¼");
        for text in [MAIL, &wrapped, &damaged, &MAIL.replace("ü", "\u{fffd}")] {
            assert!(left(&quoted(text)).is_empty(), "{:?}", left(&quoted(text)));
            assert!(left(&Body::from(text)).is_empty(), "{:?}", left(&Body::from(text)));
        }
    }

    #[test]
    fn what_somebody_wrote_into_a_copy_is_left() {
        let other = MAIL.replace("24:00\n", "24:00\nnot on that day\n");
        assert_eq!(left(&quoted(&other)), ["not on that day"]);
        let moved = MAIL.replace("Sat 5", "Sun 6");
        assert!(left(&quoted(&moved)).iter().any(|piece| piece.contains("Sun 6")));
        let within = quoted("confirmed if the window suits you and Bob agrees");
        assert_eq!(left(&within), ["and Bob agrees"]);
    }

    #[test]
    fn a_sentence_of_ours_without_marks_is_the_writer_s_own() {
        let body = Body::from("we replace the key of the VPN server of Acme");
        assert_eq!(left(&body).len(), 1);
        let nested = Body {
            lines: vec![Line { text: "confirmed if the window suits you".into(), depth: 2, ..Line::default() }],
        };
        assert!(left(&nested).is_empty());
        assert_eq!(
            left(&quoted("the window suits you if confirmed on the first line")),
            ["the window suits you if confirmed on the first line"]
        );
    }
}
