//! What somebody says in their own words, the quoted mails already taken out; who may say it is left to `reply`.
//!
//! A yes counts only if every word around it is known to change nothing. So a condition that nobody thought of makes an
//! answer unclear and never a yes.

use super::moment::{Moment, weekday};
use super::notice;
use super::remark;
use super::split::split;
use super::words::{Kind, fold, phrase, tokens};
use super::{Asked, Verdict};
use crate::domain::token::Topic;

/// A longer answer is for a person to read.
const MOST_SENTENCES: usize = 12;
const LONGEST_DETAIL: usize = 200;

/// Whose words they are, as far as it helps to tell a name from a word.
pub struct Speaker<'a> {
    asked: &'a Asked<'a>,
    /// The display name in From.
    name: &'a str,
    window: Moment,
}

impl<'a> Speaker<'a> {
    /// Who was asked, and the display name in From.
    pub fn new(asked: &'a Asked<'a>, name: &'a str) -> Self {
        Self { asked, name, window: Moment::new(asked.window, asked.zone) }
    }
}

/// What one clause holds.
#[derive(Clone, Debug, Default)]
struct Clause {
    words: Vec<String>,
    kinds: Vec<Kind>,
    /// A weekday that is none of the window's.
    strange_day: bool,
    /// Behind the yes a statement of its own follows: `yes, this is Ada`.
    goes_on: bool,
}

impl Clause {
    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    fn says_yes(&self) -> bool {
        (self.has(Kind::Yes) || self.has(Kind::Suits)) && !self.says_no() && !self.has(Kind::Not)
    }

    fn says_no(&self) -> bool {
        self.has(Kind::No) || self.has(Kind::Suits) && self.has(Kind::Not)
    }
}

/// Verbs among the words that change nothing.
const VERBS: [&str; 24] = [
    "is", "are", "am", "im", "its", "thats", "were", "be", "do", "does", "go", "can", "ist", "sind", "bin", "kann",
    "est", "suis", "sommes", "es", "soy", "estoy", "estamos", "esta",
];

/// One sentence.
#[derive(Clone, Debug)]
struct Sentence {
    text: String,
    clauses: Vec<Clause>,
    question: bool,
    trails_off: bool,
}

impl Sentence {
    fn has(&self, kind: Kind) -> bool {
        self.clauses.iter().any(|clause| clause.has(kind))
    }

    /// Takes out what only remarks: the whole of it, or clauses.
    fn drop_remarks(&mut self, words: &[String]) {
        let all: Vec<Kind> = self.clauses.iter().flat_map(|clause| clause.kinds.clone()).collect();
        let whole = remark::is_remark(words, &all);
        for clause in &mut self.clauses {
            if !self.question && !clause.strange_day && (whole || remark::is_remark(&clause.words, &clause.kinds)) {
                (clause.kinds, clause.goes_on) = (vec![Kind::Polite], false);
            }
        }
    }

    /// Greetings, thanks and names.
    fn is_neutral(&self) -> bool {
        let said = |kind: &Kind| !matches!(kind, Kind::Polite | Kind::Filler);
        !self.clauses.iter().any(|clause| clause.kinds.iter().any(said))
    }
}

/// What absence notes say that come without a mark.
const ABSENT: [&str; 6] = [
    "out of the office until",
    "out of office until",
    "nicht im buro bis",
    "bis zum ende meiner abwesenheit",
    "absent du bureau jusqu",
    "fuera de la oficina hasta",
];

/// Judges a text. `None`: there is no answer in it at all.
pub fn judge(text: &str, speaker: &Speaker<'_>) -> Option<Verdict> {
    let (above, copied) = notice::above(text);
    let (letters, pictures) = (above.chars().any(char::is_alphanumeric), above.chars().any(is_picture));
    if !letters {
        let what: String = above.chars().filter(|c| !c.is_whitespace()).take(8).collect();
        return match (pictures, copied) {
            (true, _) => Some(Verdict::Unclear(format!("only a picture: {what}"))),
            (false, true) => Some(Verdict::Unclear("only a copy of our own mail".into())),
            (false, false) => None,
        };
    }
    let low = fold(&above);
    if ABSENT.iter().any(|words| low.contains(words)) {
        return Some(Verdict::Unclear("reads like an absence note".into()));
    }
    let doubtful_picture = above.chars().any(|c| is_picture(c) && !is_friendly(c));
    let sentences: Vec<Sentence> = said(&above, speaker);
    if sentences.iter().all(Sentence::is_neutral) {
        return None;
    }
    let verdict = weigh(&sentences, speaker.asked.topic);
    Some(match verdict {
        Verdict::Confirmed if doubtful_picture => Verdict::Unclear("a yes with a doubtful picture".into()),
        Verdict::Confirmed if above.contains('\u{fffd}') => Verdict::Unclear("characters of it are lost".into()),
        other => other,
    })
}

/// Whether a comment beside a calendar's ACCEPTED takes nothing back.
pub fn is_harmless(comment: &str, speaker: &Speaker<'_>) -> bool {
    let sentences = said(comment, speaker);
    let fine = |kind: &Kind| matches!(kind, Kind::Yes | Kind::Suits | Kind::Polite | Kind::Filler | Kind::Noted);
    let doubtful = comment.chars().any(|c| is_picture(c) && !is_friendly(c));
    !doubtful
        && sentences.iter().all(|one| {
            !one.question && !one.trails_off && one.clauses.iter().all(|clause| clause.kinds.iter().all(fine))
        })
}

/// Whether words beside a calendar's ACCEPTED take it back. The sentences that calendars write themselves, which name the
/// invitation, are no evidence.
pub fn takes_back(text: &str, speaker: &Speaker<'_>) -> bool {
    let low = fold(text);
    if ["google calendar", "google kalender", "google agenda", "calendar.google.com"]
        .iter()
        .any(|mark| low.contains(mark))
    {
        // The comment stands in the calendar part too; the rest is a form in any language.
        return false;
    }
    let against = [Kind::No, Kind::Not, Kind::Maybe, Kind::Hedge, Kind::Would, Kind::Doubt, Kind::Other, Kind::Rather];
    let labels =
        ["title:", "when:", "where:", "organizer:", "attendees:", "titel:", "wann:", "wo:", "quand", "ou :", "cuando:"];
    said(text, speaker).iter().any(|one| {
        let words = fold(&one.text);
        let form = ["invit", "einladung", "besprechungs", "event", "evenement", "evento", "meeting", "reunion"]
            .iter()
            .any(|word| words.contains(word));
        let label = labels.iter().any(|label| words.trim_start().starts_with(label));
        !form && !label && (one.question || against.iter().any(|kind| one.has(*kind)))
    })
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
        (true, false) => Verdict::Confirmed,
    }
}

/// Yes in a word that cannot mean "yes, I have it".
fn agrees_in_words(sentences: &[Sentence]) -> bool {
    let stems = [
        "passt",
        "basst",
        "geht klar",
        "convient",
        "works for",
        "conviene",
        "viene bien",
        "confirm",
        "bestatig",
        "bestaetig",
        "einverstanden",
        "accord",
        "acuerdo",
        "agree",
        "accept",
    ];
    sentences.iter().any(|one| stems.iter().any(|stem| fold(&one.text).contains(stem)))
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

/// The sentences of an answer, without the signature.
fn said(text: &str, speaker: &Speaker<'_>) -> Vec<Sentence> {
    let pieces = split(text);
    let mut sentences: Vec<Sentence> = Vec::new();
    let mut closed = false;
    for (at, piece) in pieces.iter().enumerate() {
        let sentence = sentence(piece, at == 0, speaker);
        let line = sentence_without_titles(piece, speaker);
        let answered = sentences.iter().any(|one| !one.is_neutral());
        if is_own_name(piece, speaker) {
            closed |= answered;
            continue;
        }
        if closed && is_signature(&line, piece) {
            continue;
        }
        closed |= answered && is_closing(piece, pieces.get(at + 1), speaker);
        sentences.push(sentence);
    }
    sentences
}

fn sentence(text: &str, first: bool, speaker: &Speaker<'_>) -> Sentence {
    let words = tokens(text);
    let names = names(speaker);
    let mut clauses = vec![Clause::default()];
    let mut at = 0;
    let mut polite_so_far = true;
    let (mut verb, mut phone) = (false, false);
    while at < words.len() {
        let before = at.checked_sub(1).map(|at| words[at].as_str());
        let (kind, length) = phrase(&words[at..], speaker.asked.topic);
        let of_window = speaker.window.at(&words[at..], before).filter(|found| *found >= length);
        let length = of_window.unwrap_or(length);
        let word = words[at].as_str();
        let day = weekday(word);
        phone = is_phone(&words[at..]) || phone && word.chars().all(|c| c.is_ascii_digit());
        let kind = match kind {
            _ if of_window.is_some() => Kind::Filler,
            Kind::Unknown if phone => Kind::Filler,
            Kind::Hedge if word == "si" && words.len() == 1 => Kind::Yes,
            Kind::Not if word == "ne" && words.len() == 1 => Kind::No,
            Kind::Rather if first && at == 0 && word == "lieber" && is_name_like(text, &words[1..]) => Kind::Polite,
            Kind::Unknown if day.is_some_and(|day| speaker.window.is_on(day)) => Kind::Filler,
            Kind::Unknown if day.is_some() || word.starts_with(|c: char| c.is_ascii_digit()) => Kind::When,
            Kind::Unknown if names.iter().any(|name| name == word) => Kind::Polite,
            Kind::Unknown if polite_so_far && at > 0 && is_name_like(text, &words[at..]) => Kind::Polite,
            kind => kind,
        };
        polite_so_far &= matches!(kind, Kind::Polite) || word == ",";
        let but = matches!(word, "but" | "aber" | "mais" | "pero" | "sondern" | "sino");
        if word == "," || but {
            clauses.push(Clause::default());
        }
        if let Some(clause) = clauses.last_mut() {
            clause.strange_day |= day.is_some_and(|day| !speaker.window.is_on(day));
            clause.kinds.push(kind);
            clause.words.extend_from_slice(&words[at..at + length]);
        }
        match kind {
            Kind::Yes | Kind::Suits => {
                verb = false;
                clauses.iter_mut().for_each(|clause| clause.goes_on = false);
            }
            Kind::Filler | Kind::Polite if word != "," => {
                if let Some(clause) = clauses.last_mut().filter(|_| verb) {
                    clause.goes_on = true;
                }
                // A phrase that stands in the tables whole says nothing new; `am` is a verb behind `I` only; in German it is "on".
                let own = at > 0 && words[at - 1] == "i";
                verb |= length <= 2
                    && words[at..at + length]
                        .iter()
                        .any(|word| VERBS.contains(&word.as_str()) && (word != "am" || own));
            }
            _ => {}
        }
        at += length;
    }
    let end = text.trim_end_matches(['!', ' ', ')', '"']);
    let mut sentence = Sentence {
        text: text.trim().to_owned(),
        clauses,
        question: text.contains(['?', '¿', '？']),
        trails_off: end.ends_with("..") || text.contains('…'),
    };
    if speaker.asked.topic == Topic::Window {
        sentence.drop_remarks(&words);
    }
    sentence
}

/// One or two words with a capital behind a greeting or thanks: `Hi Tom`, `Thanks Ada Okafor`.
fn is_name_like(text: &str, rest: &[String]) -> bool {
    let unknown: Vec<&String> = rest.iter().take_while(|word| *word != ",").collect();
    let known = |word: &&String| {
        phrase(std::slice::from_ref(*word), Topic::Window).0 != Kind::Unknown || weekday(word).is_some()
    };
    if unknown.is_empty() || unknown.iter().any(known) {
        return false;
    }
    let capital = |word: &&String| {
        let mut all = text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|piece| fold(piece) == ***word);
        all.next().is_some_and(|piece| piece.starts_with(char::is_uppercase))
    };
    unknown.len() <= 3 && unknown.iter().all(capital)
}

/// A line that closes and is followed by a name, or holds it: `Best regards, Ada`. Behind "thanks", which also stands in
/// the middle, only the client's own name shows that the answer ends.
fn is_closing(text: &str, next: Option<&String>, speaker: &Speaker<'_>) -> bool {
    let words = tokens(text);
    let names = names(speaker);
    let is_own = |word: &String| names.contains(word);
    let opening = ["hi", "hello", "hallo", "dear", "hey", "bonjour", "hola", "salut", "moin", "please", "bitte"];
    let greets = words.first().is_some_and(|word| opening.contains(&word.as_str()));
    if words.len() > 7 || greets || !sentence(text, false, speaker).is_neutral() {
        return false;
    }
    if phrase(&words, speaker.asked.topic).0 != Kind::Polite {
        return false;
    }
    let thanks = words
        .first()
        .is_some_and(|word| ["thanks", "thank", "thx", "danke", "merci", "gracias"].contains(&word.as_str()));
    let next = next.map(String::as_str).unwrap_or_default();
    let following = tokens(next);
    words.iter().any(is_own)
        || !following.is_empty() && following.iter().all(is_own)
        || next.contains('|') && following.first().is_some_and(is_own)
        || !thanks && is_name_like(next, &following)
}

/// The writer's name alone: `Ada Okafor`, `Ada O.`
fn is_own_name(text: &str, speaker: &Speaker<'_>) -> bool {
    let (words, names) = (tokens(text), names(speaker));
    // Somebody called "No" answers with it all the same.
    let says = |word: &String| {
        !matches!(phrase(std::slice::from_ref(word), Topic::Window).0, Kind::Unknown | Kind::Polite | Kind::Filler)
    };
    let long = |word: &String| names.contains(word) && word.len() > 1 && !says(word);
    words.iter().any(long) && words.iter().all(|word| long(word) || word.len() == 1)
}

/// Below the closing: names, titles, numbers. Words that could take the answer back are none of it, nor are sentences.
fn is_signature(sentence: &Sentence, text: &str) -> bool {
    let contact = text.contains(['@', '|', '+']) || text.contains("www.") || text.contains("://");
    let speaks = [
        Kind::No,
        Kind::Not,
        Kind::Hedge,
        Kind::Would,
        Kind::Doubt,
        Kind::Maybe,
        Kind::Other,
        Kind::Rather,
        Kind::Yes,
        Kind::Suits,
    ];
    let low = fold(text);
    let further = ["ps", "p.s", "nb", "edit", "nachtrag", "pd"].iter().any(|start| low.starts_with(start));
    let small = text.split_whitespace().filter(|word| word.len() >= 4 && word.starts_with(char::is_lowercase)).count();
    let prose = small > 2;
    let last = text.trim_end().rsplit([' ', '.']).find(|word| !word.is_empty()).unwrap_or_default();
    let ends = text.trim_end().ends_with(['.', '!']) && last.chars().count() > 2;
    let whole = prose || ends && tokens(text).len() > 3;
    !sentence.question && !further && (contact || !whole && !speaks.iter().any(|kind| sentence.has(*kind)))
}

/// Titles hold words that matter elsewhere: `IT Manager`, `Jefa de Infraestructura`, `Chef de projet`.
fn sentence_without_titles(text: &str, speaker: &Speaker<'_>) -> Sentence {
    const TITLES: [&str; 9] = ["manager", "chef", "cheffe", "chefin", "jefe", "jefa", "boss", "leiter", "des"];
    let kept: Vec<&str> =
        text.split(' ').filter(|word| !TITLES.contains(&fold(word.trim_matches(',')).as_str())).collect();
    sentence(&kept.join(" "), false, speaker)
}

fn names(speaker: &Speaker<'_>) -> Vec<String> {
    let local = speaker.asked.email.split('@').next().unwrap_or_default();
    let all = format!("{} {} {}", speaker.asked.name, speaker.name, local.replace(['.', '_', '-'], " "));
    let mut names = tokens(&all);
    // A name must not hide a word: somebody called "No" or "Will" answers with them all the same.
    names.retain(|name| name.chars().count() > 1);
    let initials: String = tokens(speaker.asked.name).iter().filter_map(|name| name.chars().next()).collect();
    names.extend(tokens(&initials));
    names.extend(tokens(speaker.asked.name).iter().filter_map(|name| name.chars().next()).map(String::from));
    names
}

/// The beginning of a telephone number: `+44`, `0171 3920055`, a long number that is no date.
fn is_phone(words: &[String]) -> bool {
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let long = |word: &String| is_number(word) && word.len() >= 6 && word.len() != 8;
    let Some(word) = words.first() else { return false };
    let area = word.starts_with('0') && word.len() >= 3 && is_number(word) && words.get(1).is_some_and(long);
    word.strip_prefix('+').is_some_and(|rest| !rest.is_empty() && is_number(rest)) || long(word) || area
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{231a}'..='\u{23ff}')
}

/// Pictures that take nothing back.
fn is_friendly(c: char) -> bool {
    "👍👌✅✔☑🙂😊😀😃😄🙏🎉💪🤝👏☺\u{1f3fb}\u{1f3fc}\u{1f3fd}\u{1f3fe}\u{1f3ff}".contains(c)
}
