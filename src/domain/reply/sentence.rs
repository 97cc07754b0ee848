//! One sentence of an answer: its clauses, and of what kind each of their words is.

use super::Asked;
use super::account::{self, Owner, is_guarded, of_domain};
use super::copy::Sent;
use super::known::{self, Known};
use super::moment::{Moment, weekday, weekday_at};
use super::recognise::{around, is_partial, names_zone, recognised, slotted, undivided};
use super::words::{Kind, fold, is_calm, phrase, tokens};
use crate::domain::address::same_mailbox;
use crate::domain::token::Topic;

/// Whose words they are, as far as it helps to tell a name from a word.
pub struct Speaker<'a> {
    /// What was asked.
    pub asked: &'a Asked<'a>,
    /// The display name in From.
    name: &'a str,
    /// The window's own day and time.
    pub window: Moment,
    /// Whom the letter was sent to.
    recipients: &'a [String],
    /// What was sent to them.
    pub sent: Sent,
    /// The words of their names, folded.
    pub names: Vec<String>,
    /// The words of their firm: of their domain, and names in our subject.
    pub firm: Vec<String>,
}

impl<'a> Speaker<'a> {
    /// Who was asked, and the display name in From.
    pub fn new(asked: &'a Asked<'a>, name: &'a str, recipients: &'a [String]) -> Self {
        let (window, sent) = (Moment::new(asked.window, asked.zone), Sent::new(asked.sent));
        let mut speaker = Self { asked, name, window, recipients, sent, names: Vec::new(), firm: Vec::new() };
        (speaker.names, speaker.firm) = (names(&speaker), firm(&speaker));
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

    /// As far as their signature names them.
    pub fn owner(&self) -> Owner<'_> {
        Owner { names: &self.names, firm: &self.firm, email: self.asked.email }
    }

    /// Whether an address is of somebody else in their firm, to whom the letter was not sent.
    pub fn is_colleague(&self, address: &str) -> bool {
        let domain = |text: &str| text.rsplit('@').next().unwrap_or_default().to_lowercase();
        let ours = self.is_recipient(address);
        domain(address) == domain(self.asked.email) && !same_mailbox(address, self.asked.email) && !ours
    }

    /// Whether the letter was sent to an address.
    pub fn is_recipient(&self, address: &str) -> bool {
        self.recipients.iter().any(|one| same_mailbox(one, address))
    }

    /// The subjects of what was sent to them.
    pub fn subjects(&self) -> impl Iterator<Item = &str> {
        self.asked.sent.iter().filter_map(|text| text.lines().next())
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
    /// How all of it is known by examples.
    pub known: Option<Known>,
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

    /// The first words in it that no example knows.
    pub fn strange(&self) -> Option<String> {
        let clause = self.clauses.iter().find(|clause| clause.known.is_none())?;
        Some(clause.words.iter().filter(|word| *word != ",").cloned().collect::<Vec<_>>().join(" "))
    }

    /// Finds each clause among the examples; what only remarks is taken for polite words.
    fn recognise(&mut self, first: bool, speaker: &Speaker<'_>) {
        let question = self.question;
        let each: Vec<Vec<String>> =
            self.clauses.iter().map(|clause| slotted(&clause.words, &self.text, first, speaker)).collect();
        // `Gebt Bescheid, sobald es fertig ist`: what stands behind the comma is no clause of its own.
        let whole =
            recognised(&each.concat(), &self.text, first).filter(|known| matches!(known, Known::Yes | Known::Remark));
        let of = |words: &[String]| recognised(words, &self.text, first);
        // An hour of the day before and the day behind say nothing in the examples that have a place for them.
        let timed = |words: &[String]| {
            around(words, speaker).and_then(|words| of(&words)).filter(|known| *known == Known::Remark)
        };
        let timed_whole = timed(&each.concat());
        for (clause, words) in self.clauses.iter_mut().zip(&each) {
            // Greetings of other languages are in the tables.
            let polite = clause.kinds.iter().all(|kind| *kind == Kind::Polite);
            let calm = |word: &String| word == "," || is_calm(word);
            clause.known = match words.is_empty() || polite && clause.words.iter().all(calm) {
                true => Some(Known::Remark),
                false => of(words).or(whole),
            };
            if clause.known.is_none() || clause.strange_day {
                let timed = timed(words).or(timed_whole);
                clause.strange_day &= timed.is_none();
                // A day that stands in an example as a whole is of no moment: `bon dimanche`.
                clause.strange_day &= clause.known != Some(Known::Remark);
                clause.known = clause.known.or(timed);
            }
            if question || self.trails_off || clause.strange_day {
                continue;
            }
            let says = |bad: &[Kind]| clause.kinds.iter().any(|kind| bad.contains(kind));
            let yes = clause.known == Some(Known::Yes) || says(&[Kind::Yes, Kind::Suits]);
            if yes && is_partial(words) {
                clause.known = None;
                continue;
            }
            use Kind::{Doubt, Maybe, No, Not, Noted, Other, Rather, Suits, When, Would, Yes};
            match clause.known {
                Some(Known::Yes) if says(&[Yes, Suits]) => {
                    clause.kinds.retain(|kind| matches!(kind, Yes | Suits | Noted))
                }
                Some(Known::Yes) if !says(&[Noted]) && (clause.words.len() > 2 || agrees(&clause.words.join(" "))) => {
                    clause.kinds = vec![Yes];
                }
                Some(Known::Remark) if says(&[Noted]) || receives(&clause.words) => clause.kinds = vec![Noted],
                Some(Known::LikeRemarks) if receives(&clause.words) => clause.kinds = vec![Noted],
                Some(Known::Remark) => clause.kinds = vec![Kind::Polite],
                Some(Known::LikeRemarks) if !says(&[Yes, Suits, No, Not, Doubt, Maybe, Other, Rather, When, Would]) => {
                    clause.kinds = vec![Kind::Polite];
                }
                Some(_) => {
                    let unknown = clause.kinds.iter_mut().filter(|kind| **kind == Kind::Unknown);
                    unknown.for_each(|kind| *kind = Kind::Filler);
                }
                None => continue,
            }
            clause.goes_on = false;
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
    // A colon parts like a comma; a face of signs is no letter.
    let mut plain = text.replace(" & ", " and ").replace(" : ", ": ");
    let colons: Vec<usize> = plain.match_indices(": ").map(|(at, _)| at).collect();
    for at in colons {
        // `Confirmed: your mail is here` confirms that only.
        let receipt = receives(&tokens(&plain[at + 2..]));
        if plain[at + 2..].starts_with(char::is_alphabetic) && !receipt {
            plain.replace_range(at..=at, ",");
        }
    }
    // `Confirmed / confirmado`, but not `confirmed / read`.
    if let Some((_, behind)) = plain.split_once(" / ")
        && !receives(&tokens(behind))
    {
        plain = plain.replace(" / ", ", ");
    }
    let face = |word: &&str| ![":D", ";D", ":-D", ";-D", "xD", "XD", ":d"].contains(word);
    let plain = plain.split(' ').filter(face).collect::<Vec<_>>().join(" ");
    let words = undivided(tokens(&plain), speaker);
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
        let day = weekday_at(&words, at);
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
        question: text.contains(['?', '¿', '？', '⁇', '⁈', '⁉', '‽', '؟', '﹖', '；']),
        trails_off: end.ends_with("..") || text.contains('…') || text.contains(". ."),
    };
    if speaker.asked.topic == Topic::Window {
        sentence.recognise(first, speaker);
    } else {
        sentence.clauses.iter_mut().for_each(|clause| clause.known = Some(Known::Like));
    }
    // No example speaks for a time of elsewhere.
    if names_zone(text, speaker)
        && let Some(clause) = sentence.clauses.last_mut()
    {
        clause.kinds.push(Kind::When);
        clause.strange_day = true;
    }
    sentence
}

/// Whether somebody says that they have our mail, which is no answer.
fn receives(words: &[String]) -> bool {
    const RECEIPT: &str = "kenntnis registered registriert lecture acuse eingegangen eingetroffen arrived llegado arrive forwarded forward passed weitergeleitet weiterleite transmets transmettons transmettrai relaie relayons reenvio traslado transmito digo paso comento weitergegeben transmis transfere reenviado trasladado got receive received receiving read seen clear understood noted erhalten bekommen gelesen gesehen klar verstanden notiert vermerkt angekommen registrado apuntado recu lu vu compris note entendu recibido recibida recibi recibimos leido visto entendido anotado enterado enterada";
    let has = |wanted: &str| words.iter().any(|word| wanted.split(' ').any(|one| one == word));
    // `ich leite es weiter`, `je fais suivre`
    let hands_on = has("weiter") && has("leite leiten gebe geben") || has("suivre") && has("fais faisons ferai faire");
    hands_on || has(RECEIPT)
}

/// Whether folded words agree in a way that can't mean "yes, I have it".
pub fn agrees(text: &str) -> bool {
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
        "approv",
        "zusag",
        "zustimm",
        "conform",
        "go ahead",
        "valid",
        "nickel",
        "adelante",
        "feu vert",
        "grunes licht",
        "green light",
        "objection",
        "inconvenien",
        "einwande",
        "legt los",
        "leg los",
        "loslegen",
        "nur zu",
        "starten",
        "procedan",
        "proceda",
        "pueden proceder",
        "via libre",
        "hacedlo",
        "do it",
        "go for it",
        "gerne machen",
        "konnt ihr machen",
        "konnen sie machen",
        "bitte durchfuhren",
        "termin genehm",
        "procede",
        "a yes",
        "ados",
        "allez y",
        "vas y",
        "ok pour",
        "ok fur",
        "ok for",
        "ok para",
    ];
    stems.iter().any(|stem| text.contains(stem))
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

/// The writer's name alone: `Ada Okafor`, `Ada O.`
pub fn is_own_name(text: &str, speaker: &Speaker<'_>) -> bool {
    let (words, names) = (tokens(text), &speaker.names);
    // Somebody called "No" answers with it all the same.
    let says = |word: &String| {
        !matches!(phrase(std::slice::from_ref(word), Topic::Window).0, Kind::Unknown | Kind::Polite | Kind::Filler)
    };
    let long = |word: &String| names.contains(word) && word.len() > 1 && !says(word);
    words.iter().any(long) && words.iter().all(|word| long(word) || word.len() == 1 && names.contains(word))
}

/// Whether a display name names somebody else, or says more than a name.
pub fn is_another_name(name: &str, asked: &Asked<'_>) -> bool {
    let local = asked.email.split('@').next().unwrap_or_default().replace(['.', '_', '-', '+'], " ");
    let own: Vec<String> =
        tokens(&format!("{} {local}", asked.name)).into_iter().filter(|word| word.len() > 1).collect();
    let words: Vec<String> = tokens(name).into_iter().filter(|word| word.chars().count() > 1 && word != ",").collect();
    // `Ad Okafor` is her, `Adam Petersen` is not.
    let shares = |word: &String| own.iter().any(|one| one == word || one.contains(word.as_str()));
    let called: Vec<String> = tokens(asked.name).into_iter().filter(|word| word.chars().count() > 1).collect();
    // With her whole name her firm may stand and a degree, but nothing that says more; with a part of it nothing else.
    let whole = called.iter().all(|one| words.contains(one));
    let firm = of_domain(asked.email);
    let strange = |word: &String| match whole {
        true => !(firm.contains(word) || account::is_form(std::slice::from_ref(word)) || account::is_degree(word)),
        false => !shares(word) && called.len() > 1 && words.len() > 1,
    };
    let says = |word: &String| (is_guarded(word) || known::is_word(word)) && !shares(word) || weekday(word).is_some();
    !words.is_empty()
        && !name.contains('@')
        && !own.is_empty()
        && (!words.iter().any(shares)
            || words.iter().any(says)
            || words.iter().any(|word| !called.contains(word) && strange(word)))
}

fn firm(speaker: &Speaker<'_>) -> Vec<String> {
    let mut firm = of_domain(speaker.asked.email);
    let named =
        speaker.subjects().flat_map(|one| one.split(|c: char| !c.is_alphanumeric()).map(move |word| (one, fold(word))));
    // Names in our subject: the tenant's.
    let named =
        named.filter(|(one, word)| word.len() > 2 && speaker.is_name_of_ours(word, one) && !known::is_word(word));
    firm.extend(named.map(|(_, word)| word).filter(|word| !speaker.window.is_of_zone(word)));
    firm
}

fn names(speaker: &Speaker<'_>) -> Vec<String> {
    let local = speaker.asked.email.split('@').next().unwrap_or_default();
    // What somebody calls themselves counts as long as it is no other's name.
    let called =
        if speaker.name.contains('@') || is_another_name(speaker.name, speaker.asked) { "" } else { speaker.name };
    let all = format!("{} {called} {}", speaker.asked.name, local.replace(['.', '_', '-'], " "));
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
    "☎✆✉📞📱📧🌐📍🏠👍👌✅✔☑🙂😊😀😃😄🙏🎉💪🤝👏☺\u{1f3fb}\u{1f3fc}\u{1f3fd}\u{1f3fe}\u{1f3ff}".contains(c)
}
