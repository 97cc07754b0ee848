//! Whether a subject is the one of a mail of ours, as programs give it back: behind marks of a reply and tags of gateways and lists.

use super::moment::{is_month, weekday};
use super::words::fold;
use jiff::civil::Weekday;

/// What programs put before the subject of a reply, folded, without the colon. Those of a forward are not among them.
const REPLY: [&str; 42] = [
    "re",
    "aw",
    "antw",
    "antwort",
    "sv",
    "res",
    "odp",
    "ynt",
    "atb",
    "r",
    "rif",
    "ref",
    "rep",
    "reply",
    "respuesta",
    "reponse",
    "risposta",
    "resposta",
    "antwoord",
    "svar",
    "vast",
    "va",
    "betr",
    "bls",
    "rcpt",
    "回复",
    "回覆",
    "答复",
    "返信",
    "回信",
    "ответ",
    "отв",
    "на",
    "απ",
    "σχετ",
    "ריפליי",
    "תשובה",
    "رد",
    "답장",
    "hf",
    "ts",
    "ant",
];
/// A shorter piece of our subject is not known as cut.
const SHORTEST: usize = 12;

/// Whether it is. `sent` are texts whose first line is a subject; without any nothing can be told.
pub fn is_ours(subject: &str, sent: &[String]) -> bool {
    if sent.is_empty() {
        return true;
    }
    let ours: Vec<String> = sent.iter().filter_map(|text| text.lines().next()).map(letters).collect();
    let mut rest = subject.trim();
    // Signs that ours do not have say something: `Re: … ???`
    let sign = |c: char| "?¿？!⁉‽؟".contains(c) || super::sentence::is_picture(c) || c == '⃠' || c == '✗' || c == '✘';
    if rest.chars().any(|c| sign(c) && !sent.iter().any(|text| text.lines().next().is_some_and(|one| one.contains(c))))
    {
        return false;
    }
    loop {
        let bare = letters(rest);
        // A long subject comes back cut.
        let cut = rest.ends_with(['…', '.']) || bare.len() >= SHORTEST;
        let same = |one: &String| *one == bare || cut && bare.len() >= SHORTEST && one.starts_with(&bare);
        if !bare.is_empty() && ours.iter().any(same) {
            return true;
        }
        match without_mark(rest).or_else(|| without_tag(rest, sent)) {
            Some(shorter) => rest = shorter,
            None => return false,
        }
    }
}

/// Letters and digits, folded.
fn letters(text: &str) -> String {
    let folded = fold(text);
    let next = folded.chars().skip(1).chain([' ']);
    // `UTC+01:00` is no `UTC-01:00`.
    let kept = folded.chars().zip(next).filter(|(c, next)| c.is_alphanumeric() || *c == '+' && next.is_ascii_digit());
    kept.map(|(c, _)| c).collect()
}

/// With which calendars mark the title of an event that was accepted, folded.
pub const MARKS: [&str; 24] = [
    "accepted",
    "angenommen",
    "zugesagt",
    "zusage",
    "accepte",
    "acceptee",
    "acceptation",
    "aceptado",
    "aceptada",
    "akzeptiert",
    "accettato",
    "geaccepteerd",
    "accepterat",
    "accepteret",
    "hyvaksytty",
    "aceito",
    "aceite",
    "zaakceptowano",
    "prijato",
    "invitation accepted",
    "meeting accepted",
    "invitation acceptee",
    "elfogadva",
    "accettata",
];

/// Whether a calendar's subject accepts: `Accepted: VPN maintenance …`.
pub fn accepts(subject: &str, sent: &[String]) -> bool {
    let mut rest = subject.trim();
    while let Some(shorter) = without_mark(rest).or_else(|| without_tag(rest, sent)) {
        rest = shorter;
    }
    // `Event Invitation Reply (Accepted): …`, `… (accepted)`
    const AROUND: &str = "answer event invitation reply meeting response request calendar termin einladung antwort besprechung evenement reunion reponse evento reunion respuesta invitacion has been this your la el al l";
    let accepting = |text: &str| {
        let words = super::account::plain_words(text);
        let mark = |word: &String| MARKS.contains(&word.as_str()) || word == "accept";
        (words.iter().any(mark) || !words.is_empty())
            && words.iter().all(|word| mark(word) || AROUND.split(' ').any(|one| one == word))
    };
    let rest = rest
        .strip_suffix(')')
        .and_then(|start| start.rsplit_once(" ("))
        .filter(|(_, mark)| accepting(mark))
        .map_or(rest, |(start, _)| start);
    let mark = rest.split_once([':', '：']).map(|(mark, _)| mark.to_owned()).filter(|mark| accepting(mark));
    let title = rest.split_once([':', '：']).map_or("", |(_, title)| title.trim());
    // Google tells the time behind it.
    let (title, told) = title.split_once(" @ ").unwrap_or((title, ""));
    let told = told.is_empty() || sent.iter().any(|text| is_same_time(told, text));
    // The whole of ours, or its beginning: the title of an event is what stands before its time.
    let fits = |title: &str| told && (is_ours(title, sent) || is_event(title, sent));
    rest.is_empty() || mark.is_some() && fits(title) || is_ours(rest, sent) || MARKS.contains(&fold(rest).as_str())
}

/// Whether a time as calendars tell it, `Tue Dec 1, 2026 10pm - 12am (CET) (Operations)`, holds no day and no number but those of
/// the subject of a mail of ours, and behind it nothing but a zone, an address or who has signed that mail.
fn is_same_time(told: &str, mail: &str) -> bool {
    let subject = mail.lines().next().unwrap_or_default();
    let signed: Vec<&str> = mail.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    let words = super::account::plain_words;
    let number = |word: &str| -> Option<u32> {
        let bare = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u32 = bare.parse().ok()?;
        Some(match &word[bare.len()..] {
            "pm" if number < 12 => number + 12,
            "am" if number == 12 => 0,
            _ => number,
        })
    };
    let ours = words(subject);
    let mut numbers: Vec<u32> = ours.iter().filter_map(|word| number(word)).collect();
    let mut days: Vec<_> = ours.iter().filter_map(|word| weekday(word)).collect();
    let (time, behind) = told.find(" (").map_or((told, ""), |at| told.split_at(at));
    let named = |name: &str| {
        let letters = name.trim_end_matches(|c: char| c.is_ascii_digit() || "+-:".contains(c));
        const ZONES: &str = "UTC GMT CET CEST MEZ MESZ WET WEST EET EEST BST IST MSK EST EDT CST CDT MST MDT PST PDT";
        let zone = ZONES.split(' ').any(|zone| zone == letters);
        // `Hello Ada Okafor,`
        let greeted = name.starts_with(char::is_uppercase)
            && mail.lines().any(|line| line.strip_suffix(',').is_some_and(|line| line.ends_with(name)));
        zone || greeted || super::account::is_address(name) || signed.contains(&name)
    };
    let mut brackets = behind.split(['(', ')']).map(str::trim).filter(|name| !name.is_empty());
    if !brackets.all(named) {
        return false;
    }
    let (from, to) =
        [" - ", " – ", " bis ", " to "].iter().find_map(|dash| time.split_once(dash)).unwrap_or((time, ""));
    let small = ["de", "to", "bis", "a", "h", "uhr", "al", "y"];
    // `Sa. 5. Dez.`: too short to be a day elsewhere.
    let short = |word: &str| ["mo", "di", "mi", "do", "fr", "sa", "so"].iter().position(|day| *day == word);
    let day_of = |word: &str| {
        let short = short(word).and_then(|at| Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok());
        weekday(word).or(short)
    };
    let fits = |text: &str, numbers: &[u32], days: &[Weekday]| {
        words(text).iter().all(|word| match (day_of(word), number(word)) {
            (Some(day), _) => days.contains(&day),
            (_, Some(one)) => numbers.contains(&one),
            _ => is_month(word) || small.contains(&word.as_str()),
        })
    };
    let begins = fits(from, &numbers, &days);
    // Midnight is the next day's.
    numbers.extend(numbers.iter().map(|one| one + 1).filter(|one| *one <= 31).collect::<Vec<_>>());
    numbers.extend([0, 1]);
    days.extend(days.iter().map(|day| day.next()).collect::<Vec<_>>());
    begins && fits(to, &numbers, &days)
}

/// Whether a title is the beginning of one of ours, up to the end of a word: `VPN maintenance for acme`.
fn is_event(title: &str, sent: &[String]) -> bool {
    let title = super::account::plain_words(title);
    let mut subjects = sent.iter().filter_map(|text| text.lines().next()).map(super::account::plain_words);
    !title.is_empty() && subjects.any(|one| one.starts_with(&title))
}

/// `Re: `, `AW[2]: `, `Re^3: `.
fn without_mark(text: &str) -> Option<&str> {
    let (mark, rest) = text.split_once([':', '：'])?;
    let word = fold(mark.trim()).trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^* ".contains(c)).to_owned();
    REPLY.contains(&word.as_str()).then(|| rest.trim_start())
}

/// Tags of gateways and lists, folded.
const TAGS: &str = "external|ext|extern|externe|externo|external email|external mail|external sender|externe mail|externe e mail|correo externo|\
courriel externe|suspected spam|spam|caution|warning|secure|encrypted|encrypt|signed|sec|verschlusselt|gesichert|chiffre|cifrado|internal|intern|interne|\
interno|confidential|vertraulich|confidentiel|confidencial|list|liste|lista|team|ops|it|public|net|users|announce|dev|admin|non spam|bulk|marketing|unverified sender";

/// `[EXTERNAL] `, `[acme-ops] `, `(EXT) `: a tag that is known, or made of the words of our subject.
fn without_tag<'a>(text: &'a str, sent: &[String]) -> Option<&'a str> {
    let end = match text.chars().next()? {
        '[' => ']',
        '(' => ')',
        _ => return None,
    };
    let (tag, rest) = text.get(1..)?.split_once(end)?;
    let words = super::account::plain_words(tag);
    let known = |text: &str| TAGS.split('|').any(|tag| tag == text);
    let of_subject = |word: &String| {
        let subjects = sent.iter().filter_map(|text| text.lines().next());
        let named = |piece: &str| piece.starts_with(char::is_alphabetic) && fold(piece) == *word;
        let mut pieces = subjects.flat_map(|one| one.split(|c: char| !c.is_alphanumeric()));
        word.len() > 2 && weekday(word).is_none() && !is_month(word) && pieces.any(named)
    };
    let fits = !words.is_empty() && words.len() <= 3 && words.iter().all(|word| known(word) || of_subject(word));
    (known(&words.join(" ")) || fits).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_ours_behind_marks_and_tags_and_with_other_words_it_is_not() {
        let sent = [
            "VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00\nHello".to_owned(),
            "Geändert: VPN-Wartung für Acme\n".to_owned(),
        ];
        for subject in [
            "VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "Re: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "AW: [EXTERNAL] Re[2]: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "[acme-ops] RE: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "回复：VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "Re: VPN maintenance for Acme: Sat 5 Dec…",
            "Antw: Geändert: VPN-Wartung für Acme",
        ] {
            assert!(is_ours(subject, &sent), "{subject}");
        }
        for subject in [
            "",
            "Re:",
            "Lunch",
            "No: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "[joke] VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "[Bob writes] Re: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "[Sat] Re: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "[not ok] VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00",
            "Re: VPN maintenance for Acme: Sat 5 Dec 2026 23:00 to 24:00 - only if Bob agrees",
            "Re: VPN maintenance for Globex: Sat 5 Dec 2026 23:00 to 24:00",
            "Re: V",
        ] {
            assert!(!is_ours(subject, &sent), "{subject}");
        }
        assert!(is_ours("anything", &[]));
    }

    #[test]
    fn behind_the_time_of_an_accepted_event_stands_a_zone_or_a_name_of_our_mail_and_nothing_else() {
        let sent = ["VPN maintenance for acme: Tue 2026-12-01 22:00 to Wed 2026-12-02 00:00 CET (UTC+01:00)\nHello Ada Okafor,\n\nLab Cloud\nops@lab.example".to_owned()];
        let accepted = |behind: &str| {
            let subject = format!("Accepted: VPN maintenance for acme @ Tue Dec 1, 2026 10pm - 12am{behind}");
            accepts(&subject, &sent)
        };
        for behind in ["", " (CET)", " (CET) (Lab Cloud)", " (Ada Okafor)", " (ops@lab.example)"] {
            assert!(accepted(behind), "{behind}");
        }
        for behind in [" (if Bob agrees)", " (CET) (not Tuesday)", " (Bob Lee)", " (CET) only if Bob agrees"] {
            assert!(!accepted(behind), "{behind}");
        }
    }
}
