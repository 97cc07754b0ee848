//! One sentence of an answer: its clauses, and of what kind each of their words is.

use super::Asked;
use super::account::is_guarded;
use super::copy::Sent;
use super::moment::{Moment, weekday};
use super::remark;
use super::words::{Kind, fold, phrase, tokens};
use crate::domain::token::Topic;

/// Whose words they are, as far as it helps to tell a name from a word.
pub struct Speaker<'a> {
    /// What was asked.
    pub asked: &'a Asked<'a>,
    /// The display name in From.
    name: &'a str,
    /// The window's own day and time.
    pub window: Moment,
    /// What was sent to them.
    pub sent: Sent,
    /// The words of their names, folded.
    pub names: Vec<String>,
}

impl<'a> Speaker<'a> {
    /// Who was asked, and the display name in From.
    pub fn new(asked: &'a Asked<'a>, name: &'a str) -> Self {
        let (window, sent) = (Moment::new(asked.window, asked.zone), Sent::new(asked.sent));
        let mut speaker = Self { asked, name, window, sent, names: Vec::new() };
        speaker.names = names(&speaker);
        speaker
    }

    /// Whether a word, folded, is a name in what was sent to them: with a capital there and in the line, and no word of an answer.
    pub fn is_name_of_ours(&self, word: &str, line: &str) -> bool {
        let unknown = phrase(&[word.to_owned()], Topic::Window).0;
        let named = |text: &str| {
            let mut all = text.split(|c: char| !c.is_alphanumeric()).filter(|piece| fold(piece) == word);
            all.next().is_some_and(|piece| piece.starts_with(char::is_uppercase))
        };
        let is_name = matches!(unknown, Kind::Unknown | Kind::Polite) && !is_guarded(word);
        is_name && named(line) && self.asked.sent.iter().any(|text| named(text))
    }

    /// The subjects of what was sent to them.
    pub fn subjects(&self) -> impl Iterator<Item = &str> {
        self.asked.sent.iter().filter_map(|text| text.lines().next())
    }

    /// Whether a word, folded, stands in the subject of a mail of ours.
    pub fn is_of_subject(&self, word: &str) -> bool {
        self.subjects().flat_map(|one| one.split(|c: char| !c.is_alphanumeric())).any(|other| fold(other) == word)
    }
}

/// What one clause holds.
#[derive(Clone, Debug, Default)]
pub struct Clause {
    words: Vec<String>,
    /// Of what kind its words are.
    pub kinds: Vec<Kind>,
    /// A weekday that is none of the window's.
    pub strange_day: bool,
    /// Behind the yes a statement of its own follows: `yes, this is Ada`.
    pub goes_on: bool,
}

impl Clause {
    pub fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    pub fn says_yes(&self) -> bool {
        (self.has(Kind::Yes) || self.has(Kind::Suits)) && !self.says_no() && !self.has(Kind::Not)
    }

    pub fn says_no(&self) -> bool {
        self.has(Kind::No) || self.has(Kind::Suits) && self.has(Kind::Not)
    }
}

/// A yes if it is the whole sentence.
const ALONE: [&str; 5] = ["bestatigen", "bestaetigen", "confirmer", "confirmar", "confirma"];

/// Verbs among the words that change nothing.
const VERBS: [&str; 24] = [
    "is", "are", "am", "im", "its", "thats", "were", "be", "do", "does", "go", "can", "ist", "sind", "bin", "kann",
    "est", "suis", "sommes", "es", "soy", "estoy", "estamos", "esta",
];

/// One sentence.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// As it stands there.
    pub text: String,
    /// Parted by commas, and by "but".
    pub clauses: Vec<Clause>,
    /// It asks.
    pub question: bool,
    /// It breaks off.
    pub trails_off: bool,
}

impl Sentence {
    pub fn has(&self, kind: Kind) -> bool {
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
    pub fn is_neutral(&self) -> bool {
        let said = |kind: &Kind| !matches!(kind, Kind::Polite | Kind::Filler);
        !self.clauses.iter().any(|clause| clause.kinds.iter().any(said))
    }
}

/// One sentence. `first`: no other stands before it.
pub fn sentence(text: &str, first: bool, speaker: &Speaker<'_>) -> Sentence {
    let words = tokens(text);
    let names = &speaker.names;
    let mut clauses = vec![Clause::default()];
    let mut at = 0;
    // Behind "please" stands what is asked for.
    let asks = words
        .iter()
        .any(|word| ["bitte", "please", "favor", "svp", "stp", "plait", "pls", "plz"].contains(&word.as_str()));
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
            // The infinitive alone, as buttons have it.
            _ if words.len() == 1 && ALONE.contains(&word) => Kind::Yes,
            Kind::Rather if first && at == 0 && word == "lieber" && is_name_like(text, &words[1..]) => Kind::Polite,
            Kind::Unknown if day.is_some_and(|day| speaker.window.is_on(day)) => Kind::Filler,
            Kind::Unknown if day.is_some() || word.starts_with(|c: char| c.is_ascii_digit()) => Kind::When,
            Kind::Unknown if names.iter().any(|name| name == word) => Kind::Polite,
            Kind::Unknown if polite_so_far && at > 0 && !asks && is_name_like(text, &words[at..]) => Kind::Polite,
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
pub fn is_name_like(text: &str, rest: &[String]) -> bool {
    let unknown: Vec<&String> = rest.iter().take_while(|word| *word != ",").collect();
    let known = |word: &&String| {
        phrase(std::slice::from_ref(*word), Topic::Window).0 != Kind::Unknown || weekday(word).is_some()
    };
    if unknown.is_empty() || unknown.iter().any(known) || unknown.iter().any(|word| is_guarded(word)) {
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
pub fn is_closing(text: &str, next: Option<&String>, speaker: &Speaker<'_>) -> bool {
    let words = tokens(text);
    let names = &speaker.names;
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
pub fn is_own_name(text: &str, speaker: &Speaker<'_>) -> bool {
    let (words, names) = (tokens(text), &speaker.names);
    // Somebody called "No" answers with it all the same.
    let says = |word: &String| {
        !matches!(phrase(std::slice::from_ref(word), Topic::Window).0, Kind::Unknown | Kind::Polite | Kind::Filler)
    };
    let long = |word: &String| names.contains(word) && word.len() > 1 && !says(word);
    words.iter().any(long) && words.iter().all(|word| long(word) || word.len() == 1)
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

/// Signs that are pictures.
pub fn is_picture(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{231a}'..='\u{23ff}')
}

/// Pictures that take nothing back.
pub fn is_friendly(c: char) -> bool {
    "👍👌✅✔☑🙂😊😀😃😄🙏🎉💪🤝👏☺\u{1f3fb}\u{1f3fc}\u{1f3fd}\u{1f3fe}\u{1f3ff}".contains(c)
}
