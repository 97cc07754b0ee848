//! What every line of a letter is, so that no word of it is passed over: ours, a frame around a quote, a footer of a program,
//! a legal notice, or somebody's words. Only words can be an answer, and all of them are judged.

mod card;
mod footer;
mod frame;
mod hour;
mod legal;
mod place;
mod reach;
mod register;
mod slots;
mod vocabulary;

pub use card::{is_card, is_degree, is_logo};
pub use hour::names_moment;
pub use place::is_bare_place;
pub use reach::is_phone;
pub use slots::{Owner, is_address, is_form, is_link, of_domain};
pub use vocabulary::{is_guarded, plain_words};

use super::sentence::Speaker;
use super::subject;
use super::words::tokens;
use crate::domain::letter::{Body, Line, Look};

/// A line with fewer words is judged whole, although some of them are ours.
const SHORT: usize = 20;

/// A line of ours with fewer words is no place for an answer.
const LINE: usize = 3;

/// The words of a letter that nobody but their writer can account for.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The writer's own, line by line; empty lines part paragraphs.
    pub own: Vec<String>,
    /// Words in a quote that are not ours.
    pub quoted: Vec<String>,
    /// Words that are shown otherwise than as text.
    pub beside: Vec<(Look, String)>,
    /// A line in it says that a mail is forwarded.
    pub forwarded: bool,
    /// Lines of ours that it gives back.
    pub ours: Vec<String>,
    /// The line of ours below which an answer stands, where more of ours follows and the line is none that asks for it.
    pub below: Option<String>,
    /// What was taken for a line of a program or a legal notice, so that it can be read.
    pub left_out: Vec<String>,
}

/// Accounts for every line.
pub fn account(body: &Body, speaker: &Speaker<'_>) -> Words {
    let (ours, owner) = (speaker.sent.mark(body), speaker.owner());
    let is_subject = |text: &str| !speaker.asked.sent.is_empty() && subject::is_ours(text, speaker.asked.sent);
    let mut words = Words::default();
    let (mut own, mut quoted): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut at = 0;
    // Below a frame stands what somebody else wrote, if it is not marked as a quote and not ours.
    let mut framed = false;
    // The last line of ours, and the one above words of theirs.
    let (mut last, mut above): (Option<String>, Option<String>) = (None, None);
    while at < body.lines.len() {
        let line = &body.lines[at];
        let left = ours.left(at, &line.text);
        let copied = left.is_some();
        words.ours.extend(copied.then(|| line.text.clone()));
        // `Yours sincerely,` is anybody's.
        if left.as_ref().is_some_and(Vec::is_empty) && tokens(&line.text).len() >= LINE {
            words.below = words.below.or(above.take().filter(|line| !asks(line)));
            last = Some(line.text.clone());
        }
        framed &= line.text.is_empty() || !copied && line.depth == 0;
        let whole = || vec![line.text.clone()];
        let pieces = match left {
            // Whoever strikes out our words says something by it.
            _ if line.look == Look::Struck => whole(),
            Some(pieces) if pieces.is_empty() || frame::is_label(&pieces) => Vec::new(),
            left => {
                let rest: Vec<&Line> = body.lines[at..].iter().take(frame::LONGEST).collect();
                let frame = Some(&rest)
                    .filter(|_| line.look == Look::Plain)
                    .and_then(|rest| frame::begins(rest, &speaker.names, &is_subject));
                // A head that heads nothing is somebody's words.
                let behind = body.lines[at..].iter().enumerate().skip(frame.as_ref().map_or(0, |frame| frame.lines));
                let next = behind.map(|(further, line)| (at + further, line)).find(|(_, line)| !line.text.is_empty());
                let heads = next.is_some_and(|(next, line)| {
                    line.depth > body.lines[at].depth || ours.left(next, &line.text).is_some()
                });
                let named =
                    frame.as_ref().map(|frame| frame::addresses(&body.lines[at..at + frame.lines])).unwrap_or_default();
                let heads = heads || named.iter().any(|address| speaker.is_recipient(address));
                if let Some(frame) = frame.filter(|frame| frame.is_rule || frame.forwards || line.depth > 0 || heads) {
                    words.forwarded |= frame.forwards && line.depth == 0;
                    words.forwarded |= line.depth == 0 && named.iter().any(|address| speaker.is_colleague(address));
                    framed = framed && frame.is_rule || !frame.is_rule && line.depth == 0;
                    at += frame.lines;
                    parted(&mut own, &mut quoted, line.depth);
                    continue;
                }
                // A few words in a line of ours belong together; in a long one only what differs is theirs.
                left.filter(|_| ours.count(at) >= SHORT).unwrap_or_else(whole)
            }
        };
        at += 1;
        for piece in &pieces {
            let mut piece = footer::without_links(piece, &owner);
            if copied || line.depth > 0 {
                // Gateways write links anew.
                let is_link =
                    |word: &&str| (word.contains("://") || word.starts_with("www.")) && slots::is_plain_link(word);
                piece = piece.split(' ').filter(|word| !is_link(word)).collect::<Vec<_>>().join(" ");
            }
            if !piece.chars().any(|c| !c.is_whitespace()) {
                continue;
            }
            if footer::is_footer(&piece, &owner) {
                words.left_out.push(piece);
                continue;
            }
            match (line.look, line.depth) {
                (Look::Plain, 0) if framed => quoted.push(piece),
                (Look::Plain, 0) => {
                    above = above.or(last.clone());
                    own.push(piece);
                }
                (Look::Plain, _) => quoted.push(piece),
                (look, _) => words.beside.push((look, piece)),
            }
        }
        if line.text.is_empty() || pieces.is_empty() {
            parted(&mut own, &mut quoted, line.depth);
        }
    }
    let mut left_out = std::mem::take(&mut words.left_out);
    let mut said = |lines: &[String]| {
        let mut kept = legal::without_notices(lines, &owner, &mut left_out);
        kept.retain(|line| {
            let footer = !line.is_empty() && footer::is_footer(line, &owner);
            left_out.extend(footer.then(|| line.clone()));
            !footer
        });
        kept
    };
    (words.own, words.quoted) = (said(&own), said(&quoted));
    words.beside.retain(|(look, text)| {
        *look == Look::Struck || !legal::without_notices(std::slice::from_ref(text), &owner, &mut left_out).is_empty()
    });
    words.left_out = left_out;
    words
}

/// Whether an answer belongs below this line of ours: it names the window, or is the first of the choices.
fn asks(line: &str) -> bool {
    let suits = ["suits", "passt", "convient", "conviene"];
    let when = || line.contains(':') && line.chars().any(|c| c.is_ascii_digit());
    is_first_choice(line) || tokens(line).iter().any(|word| suits.contains(&word.as_str())) || when()
}

/// Whether a line of ours is the first of the two choices of our mail: `confirmed`.
pub fn is_first_choice(line: &str) -> bool {
    let yes = ["confirmed", "bestatigt", "confirme", "confirmado"];
    tokens(line).iter().any(|word| yes.contains(&word.as_str()))
}

/// Ends a paragraph.
fn parted(own: &mut Vec<String>, quoted: &mut Vec<String>, depth: u8) {
    let lines = if depth == 0 { own } else { quoted };
    if lines.last().is_some_and(|last| !last.is_empty()) {
        lines.push(String::new());
    }
}
