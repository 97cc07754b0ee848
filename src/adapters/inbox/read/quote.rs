//! What the writer of a mail wrote, without what they quote, sign or forward; what it means is left to the rule.

use crate::domain::reply::words::fold;

/// What remains of a text.
pub struct Written {
    /// The writer's own lines.
    pub text: String,
    /// Whether a mail is forwarded in it.
    pub forwarded: bool,
}

/// Words of "forwarded message", folded.
const FORWARD: [&str; 14] = [
    "forwarded message",
    "forwarded mail",
    "begin forwarded",
    "weitergeleitete nachricht",
    "weitergeleiteten nachricht",
    "weitergeleitete mail",
    "message transfere",
    "message reexpedie",
    "debut du message",
    "courriel transfere",
    "mensaje reenviado",
    "mensaje remitido",
    "inicio del mensaje",
    "messaggio inoltrato",
];
/// Words of the line that introduces a quoted mail, folded.
const WROTE: [&str; 22] = [
    "wrote",
    "writes",
    "schrieb",
    "geschrieben",
    "a ecrit",
    "ecrit",
    "escribio",
    "escribia",
    "ha scritto",
    "scrisse",
    "schreef",
    "skrev",
    "escreveu",
    "napisal",
    "napsal",
    "kirjoitti",
    "пишет",
    "написал",
    "写道",
    "さんは書きました",
    "のメール",
    "via",
];
/// Header names of a quoted mail: the first, and those of which one follows soon.
const OPENINGS: [&str; 10] = ["on ", "am ", "le ", "el ", "il ", "op ", "den ", "em ", "w dniu", "dne "];
const FROM: [&str; 6] = ["from:", "von:", "de:", "de :", "da:", "van:"];
const BESIDE: [&str; 24] = [
    "sent:",
    "date:",
    "to:",
    "subject:",
    "gesendet:",
    "datum:",
    "an:",
    "betreff:",
    "envoye:",
    "envoye :",
    "date :",
    "a:",
    "a :",
    "objet:",
    "objet :",
    "enviado:",
    "enviado el:",
    "fecha:",
    "para:",
    "asunto:",
    "inviato:",
    "data:",
    "verzonden:",
    "reply-to:",
];
/// What mail programs write under a mail, folded. The line goes.
const ADVERTS: [&str; 40] = [
    "sent from my ",
    "sent from mail",
    "sent from outlook",
    "sent from yahoo",
    "sent from proton",
    "sent with ",
    "sent via ",
    "von meinem ",
    "von meiner ",
    "gesendet von ",
    "gesendet mit ",
    "diese nachricht wurde von meinem ",
    "envoye de mon ",
    "envoye depuis ",
    "envoye a partir de",
    "envoye avec ",
    "enviado desde ",
    "enviado con ",
    "enviado de ",
    "get outlook for ",
    "outlook fur ",
    "outlook fuer ",
    "holen sie sich outlook",
    "laden sie outlook",
    "obtenez outlook",
    "telecharger outlook",
    "obtener outlook",
    "obtenga outlook",
    "sent on the go",
    "virenfrei",
    "virus-free",
    "libre de virus",
    "sans virus",
    "inviato da",
    "antes de imprimir",
    "please consider the environment",
    "pensez a l'environnement",
    "avant d'imprimer",
    "bitte denken sie an die umwelt",
    "denken sie an die umwelt",
];
/// A paragraph with one of the first and one of the second is a company's notice, not the writer's.
const NOTICE: [&str; 12] = [
    "mail",
    "message",
    "nachricht",
    "courriel",
    "mensaje",
    "correo",
    "information",
    "informacion",
    "communication",
    "notice",
    "inhalt",
    "anhang",
];
const LEGAL: [&str; 24] = [
    "confidential",
    "intended recipient",
    "intended solely",
    "privileged",
    "vertrauliche",
    "bestimmten adressat",
    "richtige adressat",
    "confidentiel",
    "destinataire",
    "confidencial",
    "destinatario",
    "originated from outside",
    "before printing",
    "in error",
    "comes from outside",
    "from outside of",
    "from an external",
    "external sender",
    "ausserhalb",
    "externen absender",
    "de l'exterieur",
    "expediteur externe",
    "remitente externo",
    "fuera de la organizacion",
];

/// Whether a subject, folded, says that a mail was forwarded.
pub fn is_forward_subject(subject: &str) -> bool {
    ["fwd:", "fw:", "wg:", "tr:", "rv:", "tr :", "rv :", "fwd :", "i:", "enc:", "wtr:"]
        .iter()
        .any(|start| subject.starts_with(start))
}

/// RFC 3676: lines that end in a blank go on in the next one.
pub fn unflowed(text: &str, delete_space: bool) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut open = false;
    for line in text.lines() {
        let quoted = line.starts_with('>');
        if open && (quoted || line == "-- ") {
            whole.push('\n');
        }
        let line = if quoted { line } else { line.strip_prefix(' ').unwrap_or(line) };
        open = line.ends_with(' ') && line != "-- " && !quoted;
        whole.push_str(if open && delete_space { &line[..line.len() - 1] } else { line });
        if !open {
            whole.push('\n');
        }
    }
    whole
}

/// A text signed inline with PGP, without its armour.
pub fn unsigned(text: &str) -> String {
    if !text.contains("-----BEGIN PGP SIGNED MESSAGE-----") {
        return text.to_owned();
    }
    let mut whole = String::new();
    let (mut armour, mut signature) = (false, false);
    for line in text.lines() {
        match line.trim_end() {
            "-----BEGIN PGP SIGNED MESSAGE-----" => armour = true,
            "-----BEGIN PGP SIGNATURE-----" => signature = true,
            "-----END PGP SIGNATURE-----" => signature = false,
            "" if armour => armour = false,
            _ if armour || signature => {}
            _ => {
                whole.push_str(line.strip_prefix("- ").unwrap_or(line));
                whole.push('\n');
            }
        }
        if line.trim().is_empty() {
            whole.push('\n');
        }
    }
    whole
}

/// Takes out what is quoted. A quoted mail without marks ends the text: everything behind its first line is quoted.
pub fn own_words(text: &str) -> Written {
    let blank = |c: char| if c == '\u{a0}' || c == '\u{202f}' { ' ' } else { c };
    let lines: Vec<String> = text.lines().map(|line| line.chars().map(blank).collect()).collect();
    let folded: Vec<String> = lines.iter().map(|line| fold(line.trim().trim_start_matches('*').trim())).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut forwarded = false;
    let mut at = 0;
    while at < lines.len() {
        let (line, low) = (lines[at].trim(), folded[at].as_str());
        if is_quoted(line) {
            at += 1;
            continue;
        }
        if let Some(length) = attribution(&folded[at..]) {
            // Right behind it, or behind a line or two that were written into the quote.
            let mut next = lines[at + length..].iter().map(|line| line.trim()).filter(|line| !line.is_empty()).take(4);
            if next.any(is_quoted) {
                at += length;
                continue;
            }
            break;
        }
        if is_separator(low) || header_block(&folded[at..]) {
            forwarded |= is_forward(low);
            break;
        }
        if is_forward(low) && (low.ends_with(':') || low.starts_with('-')) {
            forwarded = true;
            break;
        }
        if matches!(line, "--" | "—" | "– –" | "__") {
            // A signature; what follows it in quotes is not ours either.
            break;
        }
        // `Von meiner Seite spricht nichts dagegen` is no advertisement.
        let own = low.starts_with("von mein") && !low.contains("gesendet");
        let advert = ADVERTS.iter().any(|start| low.starts_with(start)) && low.len() < 120 && !own;
        if !advert {
            kept.push(line);
        }
        at += 1;
    }
    // A forward further below says it too: the answer above it then speaks to somebody else.
    forwarded |= folded[at.min(folded.len())..].iter().take(3).any(|low| is_forward(low));
    Written { text: without_notices(&kept), forwarded }
}

fn is_quoted(line: &str) -> bool {
    line.starts_with('>') || line.starts_with("| ")
}

fn is_forward(low: &str) -> bool {
    low.len() < 100 && FORWARD.iter().any(|word| low.contains(word))
}

/// `-----Original Message-----` in any language, or a rule of underscores.
fn is_separator(low: &str) -> bool {
    let rule = low.len() >= 10 && low.chars().all(|c| c == '_');
    let dashes = low.starts_with("---") && low.ends_with("--") && low.chars().any(char::is_alphabetic);
    let bare =
        ["original message", "ursprungliche nachricht", "message d'origine", "mensaje original", "original-nachricht"];
    rule || dashes || bare.iter().any(|words| low.trim_matches(['-', ' ', ':']) == *words)
}

/// The lines of `On …, … wrote:`, which may be wrapped over three.
fn attribution(folded: &[String]) -> Option<usize> {
    let most = folded.iter().take(3).take_while(|line| !line.is_empty() && !line.starts_with('>')).count();
    let length = (1..=most).find(|length| attributes(&folded[..*length]))?;
    // An answer right above it is none of it: it begins in the last line in which it can begin.
    let later = (1..length).any(|start| opens(&folded[start]) && attributes(&folded[start..length]));
    (!later).then_some(length)
}

fn opens(line: &str) -> bool {
    OPENINGS.iter().any(|start| line.starts_with(start))
}

/// Whether these lines together are one, and the first can be its beginning.
fn attributes(lines: &[String]) -> bool {
    let joined = lines.join(" ");
    let shape = joined.trim_end();
    if joined.len() > 400 || !shape.ends_with([':', '：']) {
        return false;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let words = WROTE.iter().take(WROTE.len() - 1).any(|word| shape.contains(word));
    let mailbox = shape.contains('@');
    let first = &lines[0];
    let begins = lines.len() == 1 || opens(first) || first.contains('@') || digits(first) >= 3;
    begins && (words && (digits(shape) >= 3 || mailbox || opens(shape)) || mailbox && digits(shape) >= 6)
}

fn header_block(folded: &[String]) -> bool {
    let first = folded.first().map(String::as_str).unwrap_or_default();
    let is = |line: &str, names: &[&str]| {
        let line = line.trim_start_matches('*');
        names.iter().any(|name| line.starts_with(name) || line.starts_with(&name.replacen(':', "*:", 1)))
    };
    is(first, &FROM) && folded.iter().skip(1).take(6).any(|line| is(line, &BESIDE))
}

/// Drops the paragraphs in which a company warns those who should not read.
fn without_notices(lines: &[&str]) -> String {
    let mut text = String::new();
    for paragraph in lines.split(|line| line.is_empty()) {
        let low = fold(&paragraph.join(" "));
        let has = |words: &[&str]| words.iter().any(|word| low.contains(word));
        if low.len() > 60 && has(&NOTICE) && has(&LEGAL) {
            continue;
        }
        text.push_str(&paragraph.join("\n"));
        text.push_str("\n\n");
    }
    text.trim().to_owned()
}
