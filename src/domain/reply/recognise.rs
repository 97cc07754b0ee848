//! The words of a clause as the examples know them: with slots in place of names, of the window's own day and time, and of numbers.

use super::account::{is_form, is_phone};
use super::known::{self, Known};
use super::moment::{is_month, weekday, weekday_at};
use super::sentence::{Speaker, is_name_like};
use super::words::{fold, tokens};

/// Whether a zone of elsewhere stands behind a time, in capitals as one writes them: `22:00 EST ok`.
pub fn names_zone(text: &str, speaker: &Speaker<'_>) -> bool {
    const ZONES: &str = "EST EDT ET CST CDT CT MST MDT MT PST PDT PT BST IST WET WEST EET EEST MSK JST HKT SGT AEST AEDT NZST SAST GST PKT AKST HST BRT ART";
    let mut timed = false;
    text.split(|c: char| !c.is_alphanumeric() && c != ':').filter(|word| !word.is_empty()).any(|word| {
        let zone = ZONES.split(' ').any(|zone| zone == word) && !speaker.window.is_of_zone(&fold(word));
        let found = timed && zone;
        let clock = word.starts_with(|c: char| c.is_ascii_digit())
            || ["pm", "am", "PM", "AM", "h", "midnight", "noon"].contains(&word);
        // French and German verbs in small letters stand beside words of their language.
        let verb = timed && ["est", "ist"].contains(&word) && !is_french_or_german(text);
        timed = clock;
        found || verb
    })
}

fn is_french_or_german(text: &str) -> bool {
    const WORDS: &str = "le la les pour nous moi notre creneau mardi lundi mercredi jeudi vendredi samedi dimanche heures uhr fur uns mich das der die passt termin fenster zeit gut perfekt super montag dienstag mittwoch donnerstag freitag samstag sonntag prima bestens ordnung parfait bon convenable decembre janvier dezember januar bei";
    tokens(text).iter().any(|word| WORDS.split(' ').any(|one| one == word))
}

/// Without the comma in `Di, 01.12.2026`.
pub fn undivided(words: Vec<String>, speaker: &Speaker<'_>) -> Vec<String> {
    const SHORT: &str =
        "mo di mi do fr sa so mon tue wed thu fri sat sun lun mar mer jeu ven sam dim mie jue vie sab dom";
    let day = |word: &String| weekday(word).is_some() || SHORT.split(' ').any(|short| short == word);
    let number = |word: &String| word.starts_with(|c: char| c.is_ascii_digit());
    let divides = |at: usize| {
        words[at] == ","
            && at > 0
            && day(&words[at - 1])
            && words.get(at + 1).is_some_and(|next| number(next) || is_month(next))
    };
    let words: Vec<String> = (0..words.len()).filter(|at| !divides(*at)).map(|at| words[at].clone()).collect();
    // `Tuesday, December 1st, 10 pm`: one moment.
    let mut of_window = vec![false; words.len()];
    let mut at = 0;
    while at < words.len() {
        let length = speaker.window.at(&words[at..], at.checked_sub(1).map(|at| words[at].as_str()));
        let length = length.or(weekday(&words[at]).is_some_and(|day| speaker.window.is_on(day)).then_some(1));
        of_window[at..at + length.unwrap_or(0)].iter_mut().for_each(|one| *one = true);
        at += length.unwrap_or(1);
    }
    let small = |at: usize| {
        ["from", "von", "de", "at", "um", "a", "on", "le", "el", "vom", "between", "zwischen", "entre", "der", "den"]
            .contains(&words[at].as_str())
    };
    let next = |at: usize| (at + 1..words.len()).take(3).find(|at| !small(*at)).is_some_and(|at| of_window[at]);
    let within = |at: usize| words[at] == "," && at > 0 && of_window[at - 1] && next(at);
    (0..words.len()).filter(|at| !within(*at)).map(|at| words[at].clone()).collect()
}

/// What a firm calls the case by: `CHG0048213`, `CAB-3391`.
fn is_code(chunk: &str) -> bool {
    let chunk = chunk.trim_matches(|c: char| "()[],.;:#".contains(c));
    let letters = chunk.chars().take_while(char::is_ascii_uppercase).count();
    let rest = &chunk[letters..];
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    (2..=8).contains(&letters) && digits >= 4 && rest.chars().all(|c| c.is_ascii_digit() || c == '-' || c == '_')
}

/// The words of a clause with slots in place of names, the window's day and time, and telephone numbers.
pub fn slotted(words: &[String], text: &str, first: bool, speaker: &Speaker<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut push = |word: &str| {
        if all.last().is_none_or(|last| last != word || !word.starts_with('<')) {
            all.push(word.to_owned());
        }
    };
    let codes: Vec<Vec<String>> = text.split_whitespace().filter(|chunk| is_code(chunk)).map(tokens).collect();
    let mut at = 0;
    while at < words.len() {
        let (word, before) = (words[at].as_str(), at.checked_sub(1).map(|at| words[at].as_str()));
        let number = |word: &String| word.trim_start_matches('+').chars().all(|c| c.is_ascii_digit());
        let run = words[at..].iter().take_while(|word| number(word)).count();
        // `Tuesdays`: not this one only, but beside `nobody works on …`.
        let every = ["days", "tags", "abends", "nachts"].iter().any(|end| word.ends_with(end));
        let days = weekday(word).is_some_and(|day| speaker.window.is_on(day))
            && (!every || words.iter().any(|word| known::is_grave(word)));
        let length = speaker.window.at(&words[at..], before).or(days.then_some(1));
        // `Saturday night`, but not `have a nice night`.
        const PARTS: &str = "night nacht nachts nuit noche evening abend abends soir soiree au du in the de la a at am der por el le los";
        let part = |word: &String| PARTS.split(' ').any(|one| one == word);
        let behind = before.is_some_and(|one| weekday(one).is_some());
        let length = length.filter(|length| behind || !words[at..at + length].iter().all(part));
        let length = length.filter(|_| !every || days);
        let town = known::city(&words[at..], text);
        let ticket = codes.iter().find(|code| words[at..].starts_with(code)).map(Vec::len);
        match length {
            Some(length) => {
                push("<window>");
                at += length;
                continue;
            }
            None if word == "," => {}
            // Before a comma it is a yes without its accent.
            None if word == "si" && words.get(at + 1).is_some_and(|next| next == ",") => push("si\u{1}"),
            None if run > 0 && is_phone(&words[at..at + run].join(" "), false) => {
                push("<phone>");
                at += run;
                continue;
            }
            None if town > 0 => {
                push("<city>");
                at += town;
                continue;
            }
            None if ticket.is_some() => {
                push("<number>");
                at += ticket.unwrap_or(1);
                continue;
            }
            None if speaker.firm.iter().any(|name| name == word || word.strip_suffix('s') == Some(name)) => {
                let form =
                    (1..=4).rev().find(|length| at + length < words.len() && is_form(&words[at + 1..at + 1 + length]));
                push(if first { "<someone>" } else { "<tenant>" });
                at += form.unwrap_or(0);
            }
            None if speaker.names.iter().any(|name| name == word) && !known::is_word(word) => push("<name>"),
            None if speaker.is_name_of_ours(word, text) && !known::is_word(word) => {
                push(if first { "<someone>" } else { "<tenant>" });
            }
            None => push(word),
        }
        at += 1;
    }
    all
}

/// Whether a yes is one of some of them only: `for the sales team`, `from Hamburg`, `für die Buchhaltung`.
pub fn is_partial(words: &[String]) -> bool {
    const FOR: &str = "for from fur fuer aus von pour para por de desde seitens";
    const ARTICLES: &str = "the both die den das der dem le la les l el los las beide deux ambos ambas";
    const ALL: &str = "window slot date day time moment hour team maintenance change work key keys replacement side end whole entire company firm organisation organization business group rest \
firma ganze gesamte unternehmen betrieb haus seite termin fenster wartung zeitfenster wartungsfenster tag abend nacht zeit uhrzeit datum vorschlag gruppe arbeiten \
societe entreprise totalite ensemble fenetre creneau date maintenance intervention soir nuit jour heure cote part groupe \
empresa totalidad ventana franja fecha mantenimiento noche dia hora parte lado corte intervencion grupo compania proposed planned announced vorgeschlagenen geplanten angekundigten";
    let of = |list: &str, word: &String| list.split_whitespace().any(|one| one == word);
    words.iter().enumerate().any(|(at, word)| {
        let rest = &words[at + 1..];
        let city = rest.iter().take(7).any(|word| word == "<city>");
        let some = rest.first().is_some_and(|word| of(ARTICLES, word))
            && rest.get(1).is_some_and(|word| !word.starts_with('<') && !of(ALL, word));
        let others = rest
            .iter()
            .take(3)
            .any(|word| ["rest", "others", "other", "ubrigen", "autres", "resto"].contains(&word.as_str()));
        let speaks = ["for", "fur", "fuer", "pour", "para"].contains(&word.as_str());
        of(FOR, word) && city || speaks && (some || others)
    })
}

/// Slotted words with slots in place of an hour of the day before the window, and of the day behind it; `None` if there are none.
pub fn around(words: &[String], speaker: &Speaker<'_>) -> Option<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let hour = speaker.window.before_it(&words[at..]);
        match hour {
            Some(_) => all.push("<hour>".into()),
            None if speaker.window.is_next_day(&words[at]) => all.push("<nextday>".into()),
            None if weekday_at(words, at).is_some() => all.push("<day>".into()),
            None => all.push(words[at].clone()),
        }
        at += hour.unwrap_or(1);
    }
    (all != words).then_some(all)
}

/// Joins the parts of one moment: `22:00 to midnight`.
fn joined(words: Vec<String>) -> Vec<String> {
    const BETWEEN: &str = "to bis a until till and und et y h uhr hrs o clock in the on at from von de del le el las la um am cet mez utc gmt der den dem time";
    let mut all: Vec<String> = Vec::new();
    for word in words {
        let last = all.iter().rposition(|one| one == "<window>").filter(|_| word == "<window>");
        match last.filter(|at| {
            all[at + 1..].iter().all(|one| BETWEEN.split(' ').any(|word| word == one)) && all.len() - at <= 4
        }) {
            Some(at) => all.truncate(at + 1),
            None => all.push(word),
        }
    }
    all
}

/// How they are known; names of strangers may stand at their end: `hi Tom`, `thanks Tom`.
pub fn recognised(words: &[String], text: &str, first: bool) -> Option<Known> {
    let words = &joined(words.to_vec())[..];
    // `Ist alles ok`, `is it fine`: a question without its mark.
    const ASKS: &str = "is are do does did have has can could will shall may ist sind hat haben habt kann konnen konnt est sont avez etes peut pouvez esta estan es son puede pueden tiene tienen";
    const WHAT: &str = "it this that the these everything all you we i they he she das es alles der die dies sie ihr wir er todo la el eso esto lo los las usted ustedes ce c tout ca cela vous nous il elle on le";
    if let [verb, what, ..] = words
        && ASKS.split(' ').any(|one| one == verb)
        && WHAT.split(' ').any(|one| one == what)
    {
        return None;
    }
    let turned = |verb: &str, what: &str| {
        ["passt", "geht", "klappt", "reicht", "stimmt"].contains(&verb)
            && ["es", "das", "dir", "euch", "ihnen", "sie"].contains(&what)
    };
    let asks = words.windows(2).enumerate().any(|(at, two)| {
        at == 0 && turned(&two[0], &two[1])
            || two[0] == "ist"
                && ["das", "es"].contains(&two[1].as_str())
                && at > 0
                && !["von", "fur", "so", "damit", "dann", "also"].contains(&words[0].as_str())
            || ["by", "ab"].contains(&two[0].as_str()) && two[1] == "<window>"
    });
    // But a frame is a statement as a whole: `Abends ist das Labor leer`.
    if asks {
        return known::is_frame(words).then_some(Known::Remark);
    }
    if let [word] = words
        && ["<window>", "<tenant>", "<org>", "<name>", "si", "si\u{1}"].contains(&word.as_str())
    {
        return Some(Known::LikeRemarks);
    }
    // Only the window once more: `soit de 21h à 23h UTC, le 1er décembre`.
    const AGAIN: &str = "soit sea also namely thus so ie decir es heisst das from to on at de le du el los las la am um von vom der den dem the a al dia noche nacht night i e d h and und et y";
    if words.iter().any(|word| word == "<window>")
        && words.iter().all(|word| word == "<window>" || AGAIN.split(' ').any(|one| one == word))
    {
        return Some(Known::LikeRemarks);
    }
    let plain = known::clause(words);
    if plain.is_some() {
        return plain;
    }
    // `Yep works for me`, `and thank you`
    const BEFORE: [&str; 16] = [
        "yes", "yep", "yeah", "ja", "jo", "oui", "si\u{1}", "ok", "okay", "sure", "and", "und", "et", "y", "dale",
        "claro",
    ];
    if let Some((first_word, rest)) = words.split_first()
        && BEFORE.contains(&first_word.as_str())
        && !rest.is_empty()
        && !BEFORE.contains(&rest[0].as_str())
    {
        return recognised(rest, text, first);
    }
    // Their own name in a greeting, as a quote of ours has it.
    let greets = [
        "hi", "hello", "hallo", "dear", "hey", "hola", "bonjour", "guten", "liebe", "lieber", "sehr", "buenos",
        "buenas", "good", "moin", "servus", "salut",
    ];
    let greeted = words.first().is_some_and(|word| greets.contains(&word.as_str()));
    let slot = |word: &str| {
        words
            .iter()
            .map(|one| {
                if one == "<tenant>" || one == "<someone>" || greeted && one == "<name>" {
                    word.to_owned()
                } else {
                    one.clone()
                }
            })
            .collect::<Vec<_>>()
    };
    let other =
        ["<someone>", "<tenant>", "<org>", "<person>", "<name>"].iter().find_map(|word| known::clause(&slot(word)));
    if other.is_some() {
        return other;
    }
    // The window's own day and time at its end change nothing. (`22:00 on my side` is another zone's.)
    const SMALL: &str = "on at the for from of in during am um im vom von der den dem fur le la el los las a de del du en para pour por zum this dieser diesen ce cette este esta";
    if let Some(at) = words.iter().position(|word| word == "<window>").filter(|at| at + 1 == words.len()) {
        let small = words[..at].iter().rev().take_while(|word| SMALL.split(' ').any(|one| one == *word)).count();
        let rest: Vec<String> = words[..at - small].to_vec();
        let known = (!rest.is_empty()).then(|| recognised(&rest, text, first)).flatten();
        // `I confirm on Tuesday` puts it off; `confirmed for Tuesday`, `fine on Tuesday` do not.
        const FOR: &str = "for fur pour para zum of del du";
        const STATES: &str = "confirmed agreed accepted approved ok okay fine good great perfect bestatigt einverstanden gut prima perfekt ordnung confirmado confirmada acuerdo bien perfecto valide accord bon parfait us me uns mich nous moi nosotros side seite parte cote";
        const NAMED: &str = "zu so window slot date time maintenance fenster wartungsfenster termin zeitfenster wartung zeitraum fenetre creneau horaire intervention ventana franja fecha horario mantenimiento corte";
        const WHO: &str = "i we ill well ich wir je nous j lo os te les se yo le la nosotros";
        let spoken = |list: &str, word: &str| list.split(' ').any(|one| one == word);
        let meant = words[at - small..at].iter().any(|word| spoken(FOR, word));
        let state = rest.last().is_some_and(|word| spoken(STATES, word)) && !spoken(WHO, &rest[0]);
        // `We confirm the window on Tuesday`
        let named = rest.last().is_some_and(|word| spoken(NAMED, word));
        if (meant || state || named) && matches!(known, Some(Known::Yes | Known::Like)) {
            return known;
        }
    }
    let most = if first { 2 } else { 0 };
    (1..=most.min(words.len().saturating_sub(1))).find_map(|length| {
        let (start, names) = words.split_at(words.len() - length);
        let stranger = |word: &String| {
            !word.starts_with('<')
                && (!known::is_word(word) || known::is_first_name(word))
                && is_name_like(text, std::slice::from_ref(word))
        };
        if !names.iter().all(stranger) {
            return None;
        }
        let mut all = start.to_vec();
        all.push("<someone>".into());
        known::clause(&all)
    })
}
