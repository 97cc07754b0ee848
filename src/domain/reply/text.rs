//! What the words of a letter say once every line is accounted for; who may say it is left to `reply`.
//!
//! A yes counts only if every word around it is known to change nothing. So a condition that nobody thought of makes an
//! answer unclear and never a yes.

use super::Verdict;
use super::account::{Words, is_bare_place, is_card, is_first_choice, is_logo, names_moment};
use super::sentence::{Clause, Sentence, Speaker, agrees, is_friendly, is_own_name, is_picture, sentence};
use super::split::split;
use super::words::{Kind, fold, tokens};
use crate::domain::letter::Look;
use crate::domain::token::Topic;

/// A longer answer is for a person to read.
const MOST_SENTENCES: usize = 12;
const LONGEST_DETAIL: usize = 200;

/// What absence notes say that come without a mark.
const ABSENT: [&str; 6] = [
    "out of the office until",
    "out of office until",
    "nicht im buro bis",
    "bis zum ende meiner abwesenheit",
    "absent du bureau jusqu",
    "fuera de la oficina hasta",
];

/// What a text says, and the line that a person should read for it.
pub struct Told {
    /// What it says.
    pub verdict: Verdict,
    /// Why a yes is none: the words that could not be accounted for.
    pub because: Option<String>,
}

impl Told {
    fn plain(verdict: Verdict) -> Self {
        Self { verdict, because: None }
    }
}

/// Judges the words of a text. `None`: there is no answer in it at all.
pub fn judge(words: &Words, speaker: &Speaker<'_>) -> Option<Told> {
    let sentences = said(&words.own, speaker);
    let own = own(words, &sentences, speaker);
    let doubt = || doubt(words, speaker);
    let strange = || sentences.iter().find_map(Sentence::strange);
    match own {
        Some(Verdict::Confirmed) => Some(match doubt() {
            Some((why, line)) => Told { verdict: Verdict::Unclear(why.into()), because: Some(line) },
            None if words.below.is_some() => Told {
                verdict: Verdict::Unclear("it stands below a line of ours that asks something else".into()),
                because: words.below.clone(),
            },
            None if is_half_a_form(words) => {
                Told::plain(Verdict::Unclear("only the other choice of our mail stands beside it".into()))
            }
            None if words.forwarded => Told::plain(Verdict::Unclear("a forwarded mail".into())),
            None => Told::plain(Verdict::Confirmed),
        }),
        Some(verdict @ Verdict::Unclear(_)) => Some(Told { because: strange(), verdict }),
        Some(verdict) => Some(Told::plain(verdict)),
        None => match doubt() {
            Some((why, line)) => Some(Told { verdict: Verdict::Unclear(why.into()), because: Some(line) }),
            None if !words.ours.is_empty() => Some(Told::plain(Verdict::Unclear("only a copy of our own mail".into()))),
            None => None,
        },
    }
}

/// Whether of the two choices in our mail only the other one is quoted: `another time: <when>`.
fn is_half_a_form(words: &Words) -> bool {
    let other = words.ours.iter().any(|line| line.contains(": <") && line.contains('>'));
    other && !words.ours.iter().any(|line| is_first_choice(line))
}

/// What the writer's own words say.
fn own(words: &Words, sentences: &[Sentence], speaker: &Speaker<'_>) -> Option<Verdict> {
    let text = words.own.join("\n");
    let (letters, pictures) = (text.chars().any(char::is_alphanumeric), text.chars().any(is_picture));
    if !letters {
        let what: String = text.chars().filter(|c| !c.is_whitespace()).take(8).collect();
        return pictures.then(|| Verdict::Unclear(format!("only a picture: {what}")));
    }
    let low = fold(&text);
    if ABSENT.iter().any(|words| low.contains(words)) {
        return Some(Verdict::Unclear("reads like an absence note".into()));
    }
    if sentences.iter().all(Sentence::is_neutral) {
        return None;
    }
    Some(match weigh(sentences, speaker.asked.topic) {
        Verdict::Confirmed if words.own.iter().any(|line| is_quoted_in_part(line)) => {
            Verdict::Unclear("a yes in quotation marks".into())
        }
        Verdict::Confirmed if is_doubtful(&text) => Verdict::Unclear("a yes with a doubtful picture".into()),
        Verdict::Confirmed if words.own.iter().any(|line| is_box(line)) => Verdict::Unclear("a form to tick".into()),
        Verdict::Confirmed if text.contains('\u{fffd}') => Verdict::Unclear("characters of it are lost".into()),
        other => other,
    })
}

/// Words outside of the writer's own text that could take a yes back: why, and which.
pub fn doubt(words: &Words, speaker: &Speaker<'_>) -> Option<(&'static str, String)> {
    if !is_harmless(&words.quoted, speaker) {
        let line = words.quoted.iter().find(|line| !is_harmless(&[(*line).clone()], speaker)).or(words.quoted.first());
        return Some(("somebody's words stand in the quote", line.cloned().unwrap_or_default()));
    }
    let doubtful = |(look, text): &&(Look, String)| match look {
        Look::Struck => text.chars().any(char::is_alphanumeric),
        Look::Aside if is_logo(text, &speaker.owner()) => false,
        _ => !is_caption(text) && !is_harmless(std::slice::from_ref(text), speaker),
    };
    let (look, text) = words.beside.iter().find(doubtful)?;
    let why = match look {
        Look::Struck => "something in it is struck through",
        Look::Hidden => "something in it can hardly be seen",
        _ => "something beside its text must be read",
    };
    Some((why, text.clone()))
}

/// What programs write of a picture.
fn is_caption(text: &str) -> bool {
    const WORDS: [&str; 41] = [
        "logo",
        "logotipo",
        "image",
        "icon",
        "picture",
        "photo",
        "bild",
        "banner",
        "signature",
        "signatur",
        "foto",
        "linkedin",
        "facebook",
        "twitter",
        "x",
        "instagram",
        "youtube",
        "xing",
        "a",
        "description",
        "automatically",
        "generated",
        "beschreibung",
        "automatisch",
        "generiert",
        "generierte",
        "containing",
        "text",
        "ein",
        "das",
        "enthalt",
        "mobilephone",
        "emailphone",
        "website",
        "of",
        "the",
        "de",
        "company",
        "png",
        "jpg",
        "gif",
    ];
    let words = tokens(text);
    let known = |word: &String| {
        let number = word.strip_prefix("image").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        WORDS.contains(&word.as_str()) || word == "," || number
    };
    !words.is_empty() && words.iter().all(known)
}

/// Whether these lines take nothing back: nothing in them is more than thanks, a greeting or another yes.
pub fn is_harmless(lines: &[String], speaker: &Speaker<'_>) -> bool {
    let sentences = said(lines, speaker);
    let fine = |kind: &Kind| matches!(kind, Kind::Yes | Kind::Suits | Kind::Polite | Kind::Filler | Kind::Noted);
    let doubtful = lines.iter().any(|line| is_doubtful(line) || is_box(line) || line.contains('\u{fffd}'));
    !doubtful
        && sentences.iter().all(|one| {
            let calm = |clause: &Clause| !clause.goes_on && clause.known.is_some() && clause.kinds.iter().all(fine);
            !one.question && !one.trails_off && one.clauses.iter().all(calm)
        })
}

fn is_doubtful(text: &str) -> bool {
    if text.lines().any(has_strange_sign) {
        return true;
    }
    // A face made of signs; letters struck through, by signs or by a stroke over each.
    let sad = [":(", ":-(", ":-/", ":'(", "=(", ":-\\", "~~"].iter().any(|face| text.contains(face));
    let other = |c: char| "□◻◽▢❏❐".contains(c) || matches!(c, '\u{335}'..='\u{338}');
    sad || text.chars().any(|c| is_picture(c) && !is_friendly(c) || other(c))
}

/// Quotation marks around a part of what is said: `we are "fine" with it`. Around the whole they only repeat our word.
fn is_quoted_in_part(line: &str) -> bool {
    const MARKS: &str = "\"“”„«»";
    let bare = line.trim().trim_matches(|c: char| ".,!;: ".contains(c));
    let inner = bare.trim_matches(|c: char| MARKS.contains(c) || c.is_whitespace());
    let whole = bare.starts_with(|c: char| MARKS.contains(c)) && bare.ends_with(|c: char| MARKS.contains(c));
    let agrees_inside = line.split(|c: char| MARKS.contains(c)).skip(1).step_by(2).any(|part| {
        let words = tokens(part);
        words.len() <= 3 && is_yes_word(&words)
    });
    agrees_inside && (!whole || inner.contains(|c: char| MARKS.contains(c)))
}

/// One to three words that are a yes by themselves.
fn is_yes_word(words: &[String]) -> bool {
    const YES: &str = "ok okay fine good perfect great passt gut perfekt super klar einverstanden parfait bien ok d accord perfecto vale confirmed confirme bestatigt confirmado";
    !words.is_empty() && words.iter().all(|word| YES.split(' ').any(|one| one == word))
}

/// Signs that are none of those with which people write: `≠ confirmed`, `!confirmed`, `ok :/`
fn has_strange_sign(line: &str) -> bool {
    const PLAIN: &str = ".,;:!?-–—'\"’‘´`“”„«»()[]{}<>/\\|@&+*#_=%€$£§°·•…¡¿‐‑‒®™©²³ªº\u{a0}\u{202f}\u{200b}\u{200c}\u{200d}\u{2009}\u{feff}\u{fe0f}\u{ad}~^，。！、：";
    let strange = |c: char| {
        !(c.is_alphanumeric()
            || c.is_whitespace()
            || PLAIN.contains(c)
            || is_picture(c)
            || matches!(c, '\u{300}'..='\u{334}' | '\u{339}'..='\u{36f}'))
    };
    let faces = line.split_whitespace().any(|word| {
        let Some(at) = word.find([':', ';', '=']).filter(|at| !word[*at..].starts_with("://")) else { return false };
        let mouth = word[at + 1..].trim_start_matches(['-', 'o', '^']);
        mouth.len() <= 2 && mouth.starts_with(['/', '\\', '|', '(', '[', '{', '<', '@', '$', '*', 'O', 'S', 's', '?'])
    });
    let before = |sign: char| {
        let all: Vec<char> = line.chars().collect();
        all.iter().enumerate().any(|(at, c)| {
            *c == sign
                && all.get(at + 1).is_some_and(|next| next.is_alphabetic())
                && (at == 0 || all[at - 1].is_whitespace())
        })
    };
    // `>_<`, `-_-`, `. . .`
    let signs = line.split_whitespace().any(|word| {
        let bare = !word.chars().any(|c| c.is_alphanumeric() || is_picture(c)) && word.chars().count() > 1;
        let friendly = [":)", ":-)", ";)", ";-)", ":D", ":-D", "=)", "(:", "^^", ":]", "<3"].contains(&word);
        bare && !friendly
            && !word.chars().all(|c| "-_=*~#+–—.,!?()[]<>|/\\·•\"'“”„«»&:;…".contains(c) && !word.contains('_'))
            && line.chars().any(char::is_alphanumeric)
    });
    let written = line.chars().any(|c| c.is_alphanumeric() || is_picture(c));
    let same = line.chars().filter(|c| !c.is_whitespace()).collect::<std::collections::HashSet<char>>().len() <= 1;
    let friendly = [":)", ":-)", ";)", ";-)", ":D", "=)", "(:", "^^", "<3"].contains(&line.trim());
    if !written && !same && !friendly {
        return true;
    }
    let broken = line.contains(". .") || line.contains("¡!");
    signs
        || broken
        || line.chars().any(|c| matches!(c, '\u{20d0}'..='\u{20ff}'))
        || line.chars().any(strange)
        || faces
        || before('!')
        || before('~')
        || before('×')
}

/// `[ ]` and `[x]`: which of them is ticked is for a person to see.
fn is_box(line: &str) -> bool {
    let low = line.to_lowercase();
    ["[ ]", "[x]", "[]", "( )", "(x)", "[_]"].iter().any(|tick| low.contains(tick))
}

fn weigh(sentences: &[Sentence], topic: Topic) -> Verdict {
    let has = |kind: Kind| sentences.iter().any(|one| one.has(kind));
    let clauses = || sentences.iter().flat_map(|one| &one.clauses);
    let (yes, no) = (clauses().any(Clause::says_yes), clauses().any(Clause::says_no));
    let question = sentences.iter().any(|one| one.question);
    let conditions = [Kind::Hedge, Kind::Would, Kind::Rather].into_iter().any(has);
    if sentences.len() > MOST_SENTENCES {
        return Verdict::Unclear("a long text".into());
    }
    let leaning = || {
        let yes = sentences.iter().filter(|one| one.clauses.iter().any(Clause::says_yes));
        yes.clone().count() > 0 && yes.clone().all(|one| one.has(Kind::Maybe))
    };
    if has(Kind::Doubt) && !(no && !yes && !question) {
        // Whoever leans to yes and has not decided yet says perhaps; whoever only asks others says nothing.
        let maybe = has(Kind::Maybe) && !no && !question && !has(Kind::Other) && (!yes || leaning());
        return if maybe { Verdict::Tentative } else { Verdict::Unclear("not decided yet, or a question".into()) };
    }
    let wish = sentences.iter().find(|one| is_wish(one));
    if let (Some(wish), Topic::Window) = (wish, topic) {
        let agreed = sentences.iter().any(|one| !is_wish(one) && one.clauses.iter().any(Clause::says_yes));
        let agreed = agreed || wish.has(Kind::Yes) && wish.clauses.iter().any(Clause::says_yes);
        let named =
            sentences.iter().any(|one| one.has(Kind::When) || one.clauses.iter().any(|clause| clause.strange_day));
        return match agreed {
            true => Verdict::Unclear("agrees and names another time".into()),
            false if no && !named => Verdict::Declined,
            false => Verdict::OtherTime(wish.text.chars().take(LONGEST_DETAIL).collect()),
        };
    }
    if has(Kind::Maybe) {
        let plain_yes = sentences.iter().any(|one| !one.has(Kind::Maybe) && one.clauses.iter().any(Clause::says_yes));
        return match (no, plain_yes || question) {
            (false, false) => Verdict::Tentative,
            _ => Verdict::Unclear("perhaps and something else".into()),
        };
    }
    match (yes, no) {
        (true, true) => match moves(sentences) {
            Some(text) if topic == Topic::Window => Verdict::OtherTime(text),
            _ => Verdict::Unclear("says yes and no".into()),
        },
        (false, true) if !clauses().any(|clause| clause.has(Kind::No)) && sentences.iter().all(is_conditional_no) => {
            Verdict::Unclear("a condition".into())
        }
        (false, true) => Verdict::Declined,
        (false, false) if has(Kind::Noted) && !question => Verdict::Unclear("received, but not answered".into()),
        (false, false) => Verdict::Unclear("no word of yes or no that is known".into()),
        (true, false) if has(Kind::Noted) && !has(Kind::Suits) && !agrees_in_words(sentences) => {
            Verdict::Unclear("received, and a yes that may mean only that".into())
        }
        (true, false) if question => Verdict::Unclear("a question".into()),
        (true, false) if sentences.iter().any(|one| one.trails_off) => Verdict::Unclear("breaks off".into()),
        (true, false) if conditions || has(Kind::Not) => Verdict::Unclear("a yes with a condition".into()),
        (true, false) if has(Kind::When) || has(Kind::Other) => Verdict::Unclear("a yes that names a time".into()),
        (true, false) if clauses().any(|clause| clause.goes_on) => Verdict::Unclear("a yes and a statement".into()),
        (true, false) if has(Kind::Unknown) => Verdict::Unclear("a yes with more that a person must read".into()),
        (true, false) if clauses().any(|clause| clause.known.is_none()) => {
            Verdict::Unclear("a yes with more that a person must read".into())
        }
        (true, false) => Verdict::Confirmed,
    }
}

/// Yes in a word that cannot mean "yes, I have it".
fn agrees_in_words(sentences: &[Sentence]) -> bool {
    // `Confirmed: your mail has arrived.`: what stands behind the colon is confirmed.
    sentences.iter().any(|one| agrees(&fold(&one.text)) && !one.text.ends_with(':'))
}

/// A yes beside a time that is not the window's, and a no to the window.
fn moves(sentences: &[Sentence]) -> Option<String> {
    let other = |clause: &Clause| clause.has(Kind::When) || clause.strange_day;
    let each = sentences.iter().all(|one| {
        let apart = !one.clauses.iter().any(Clause::says_no) && one.clauses.iter().any(other);
        one.clauses.iter().filter(|clause| clause.says_yes()).all(|clause| apart || other(clause))
    });
    let says_if = sentences.iter().any(|one| one.has(Kind::Hedge) && one.clauses.iter().any(Clause::says_yes));
    let plain = !says_if && !sentences.iter().any(|one| one.question);
    let text = sentences.iter().find(|one| one.clauses.iter().any(|clause| clause.says_yes()))?;
    (each && plain).then(|| text.text.chars().take(LONGEST_DETAIL).collect())
}

/// A negation behind a condition: `ok if it does not last longer`.
fn is_conditional_no(sentence: &Sentence) -> bool {
    let says_no = sentence.clauses.iter().any(Clause::says_no);
    const IF: [&str; 9] = ["if", "unless", "wenn", "falls", "sofern", "solange", "si", "tant", "mientras"];
    !says_no || tokens(&sentence.text).iter().any(|word| IF.contains(&word.as_str()))
}

/// Another time is wished: by its words, or by a day of its own in a question or beside "better" or "works".
fn is_wish(sentence: &Sentence) -> bool {
    if sentence.has(Kind::Maybe) && !sentence.has(Kind::Other) && !sentence.clauses.iter().any(|one| one.strange_day) {
        return false;
    }
    if sentence.clauses.iter().any(|clause| clause.has(Kind::Other) && !clause.has(Kind::Not) && !clause.has(Kind::No))
    {
        return true;
    }
    let timed = sentence.has(Kind::When);
    if timed && sentence.question && sentence.has(Kind::Would) {
        return true;
    }
    let beside = |clause: &Clause| {
        clause.has(Kind::When)
            && !clause.says_no()
            && (clause.has(Kind::Rather) || clause.strange_day && (clause.has(Kind::Suits) || sentence.question))
    };
    timed && (sentence.has(Kind::Rather) || sentence.clauses.iter().any(beside))
}

/// The sentences of an answer, without the lines of the signature.
fn said(lines: &[String], speaker: &Speaker<'_>) -> Vec<Sentence> {
    let owner = speaker.owner();
    let mut kept: Vec<&str> = Vec::new();
    let (mut answered, mut signed, mut named) = (false, false, false);
    for (at, line) in lines.iter().enumerate() {
        if line.is_empty() {
            kept.push("");
            continue;
        }
        let card = answered && !names_moment(line) && (is_own_name(line, speaker) || is_card(line, &owner, named));
        named |= tokens(line).iter().any(|word| word.len() > 2 && owner.names.contains(word));
        if card && (signed || !is_bare_place(line)) {
            (signed, _) = (true, kept.push(""));
            continue;
        }
        signed = false;
        answered = answered || !split(line).iter().all(|piece| sentence(piece, at == 0, speaker).is_neutral());
        kept.push(line);
    }
    let pieces = split(&kept.join("\n"));
    let own = |piece: &&String| !is_own_name(piece, speaker);
    pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| own(piece))
        .map(|(at, piece)| sentence(piece, at == 0, speaker))
        .collect()
}
