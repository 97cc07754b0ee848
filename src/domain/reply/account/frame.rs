//! What programs put around a mail that they quote: `On …, … wrote:`, the block of its header, rules and separators. Each is known as a
//! whole; a line that holds one word more is somebody's.

use super::vocabulary::{Vocabulary, is_guarded, listed, plain_words};
use crate::domain::letter::Line;
use crate::domain::reply::moment::weekday;
use crate::domain::reply::words::{Kind, fold, phrase};
use crate::domain::token::Topic;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Lines over which one of them is wrapped at most.
pub const LONGEST: usize = 12;

/// A frame: how many lines, and whether it says that a mail is forwarded.
pub struct Frame {
    /// Lines.
    pub lines: usize,
    /// Whether it says so.
    pub forwards: bool,
    /// Only a rule, which names nobody.
    pub is_rule: bool,
}

/// The addresses that stand in lines.
pub fn addresses(lines: &[Line]) -> Vec<String> {
    let words = lines.iter().flat_map(|line| line.text.split_whitespace());
    let bare = words.map(|word| word.trim_matches(|c: char| "<>()[]\"',;:".contains(c)).to_lowercase());
    bare.map(|word| word.strip_prefix("mailto:").map(str::to_owned).unwrap_or(word))
        .filter(|word| word.contains('@'))
        .collect()
}

const FORWARD: &str = "forwarded message|forwarded mail|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten nachricht|weitergeleitete mail|message transfere|\
message reexpedie|debut du message transfere|debut du message reexpedie|courriel transfere|mensaje reenviado|mensaje remitido|inicio del mensaje reenviado|inicio mensaje reenviado|messaggio inoltrato|\
forwarded by|forwarded|weitergeleitet|mail transfere|doorgestuurd bericht";
const ORIGINAL: &str = "original message|originalnachricht|ursprungliche nachricht|original nachricht|original mail|original email|original e mail|ursprungliche mail|urspr nachricht|message d origine|mail original|e mail original|message original|message initial|mensaje original|\
messaggio originale|oorspronkelijk bericht|mensagem original|original appointment|ursprunglicher termin|rendez vous d origine|cita original|reply message|antwort|reply above this line|original|message|mensaje|ursprungliche e mail";
const WROTE: &[&str] = &[
    " wrote",
    "writes",
    " schrieb",
    "geschrieben",
    " a ecrit",
    " ecrit",
    "escribio",
    "escribia",
    "ha scritto",
    "scrisse",
    "schreef",
    " skrev",
    "escreveu",
    "napisal",
    "napsal",
    "kirjoitti",
    "пишет",
    "написал",
    "写道",
    "さんは書きました",
    "のメール",
];
/// Words of such lines besides names, folded.
const WORDS: &str = "on am um at the in le la el les a las los de del du den der die das dem von vom at le mar lun mer jeu ven sam dim lunes martes miercoles jueves viernes sabado domingo lun mie jue vie sab dom lundi mardi mercredi jeudi vendredi \
samedi dimanche mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday jan feb mar apr may jun jul aug sep sept oct nov dec \
january february march april june july august september october november december januar februar marz mrz april mai juni juli oktober dezember dez okt janv janvier fevr fevrier mars avr avril juin juil juillet aout septembre octobre novembre decembre \
ene enero febrero marzo abr abril mayo junio julio ago agosto septiembre octubre noviembre dic diciembre pm uhr h hrs utc gmt cet cest mez mesz est edt cst cdt pst pdt bst wet z wrote writes write schrieb geschrieben hat haben folgendes ecrit ecrivait escribio \
escribia ha scritto scrisse schreef skrev escreveu napisal napsal kirjoitti via il giorno alle ore op om em as no och kl dne w dniu mailto www http https com org net de re aw sv vs antw rv message id und and et y e date time following folgende nachricht message mail email";
const LABELS: &[(&str, Value)] = &[
    ("from|von|de|da|van|fra|fran|od|expediteur|remitente|absender", Value::Names),
    (
        "to|an|a|para|per|naar|til|till|cc|kopie|kopie an|copie a|copie|bcc|reply to|antwort an|responder a|repondre a|empfanger|destinataire|destinatario|sender|in cc|copia",
        Value::Names,
    ),
    (
        "sent|date|gesendet|datum|envoye|envoye le|envoyes|enviado|enviados|enviado el|enviat|fecha|inviato|data|verzonden|sent on|gesendet am|received",
        Value::Moment,
    ),
    ("importance|priority|wichtigkeit|prioritat|importancia|priorite|sensitivity|vertraulichkeit", Value::Level),
    ("attachments|anlagen|anhange|pieces jointes|adjuntos|datos adjuntos", Value::Files),
];
const FROM: [&str; 11] = ["from", "von", "de", "da", "van", "fra", "fran", "od", "expediteur", "remitente", "absender"];
const SUBJECT: &str = "subject betreff objet asunto oggetto onderwerp assunto emne amne re aw antw sv rv wg fw fwd tr";

/// What stands behind the name of a header.
#[derive(Clone, Copy)]
enum Value {
    Names,
    Moment,
    Level,
    Files,
}

static KNOWN: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[WORDS]));
static FORWARDS: LazyLock<HashSet<&str>> = LazyLock::new(|| listed(FORWARD));
static ORIGINALS: LazyLock<HashSet<&str>> = LazyLock::new(|| listed(ORIGINAL));
static LABEL: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new(&[SUBJECT]));

/// Whether one begins in the first line.
pub fn begins(lines: &[&Line], names: &[String], is_subject: &dyn Fn(&str) -> bool) -> Option<Frame> {
    let first = lines.first()?.text.as_str();
    if !first.chars().any(char::is_alphanumeric) {
        // A rule, a lone mark. Signs that mean something are none.
        // One sign again and again, or a pattern of two; a lone bullet. `:-/` is somebody's.
        let bare: Vec<char> = first.chars().filter(|c| !c.is_whitespace()).collect();
        let signs: std::collections::HashSet<char> = bare.iter().copied().collect();
        let drawn = "-_=*~#+–—•·|/\\─━═<>";
        let long = signs.len() == 1 && (bare.len() > 2 || bare.len() == 1 || first == "--")
            || signs.len() == 2 && bare.len() > 5;
        let rule = !bare.is_empty() && long && bare.iter().all(|c| drawn.contains(*c));
        return rule.then_some(Frame { lines: 1, forwards: false, is_rule: true });
    }
    let dressed =
        first.starts_with(['-', '_', '=', '*', '>', '─', '—', '–']) || first.ends_with(':') || first.ends_with('-');
    let bare = plain_words(first).join(" ");
    if FORWARDS.contains(bare.as_str()) && (dressed || bare.contains(' ')) {
        return Some(Frame { lines: 1, forwards: true, is_rule: false });
    }
    if ORIGINALS.contains(bare.as_str())
        && (dressed && first.len() > bare.len() + 2 || bare.starts_with("original ") || bare.ends_with(" original"))
    {
        return Some(Frame { lines: 1, forwards: false, is_rule: true });
    }
    // `> Message du 28/11/26 15:34`, above the lines of a header.
    if bare
        .strip_prefix("message du ")
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == 'h'))
    {
        return Some(Frame { lines: 1, forwards: false, is_rule: true });
    }
    if let Some(lines) = header(lines, names, is_subject) {
        return Some(Frame { lines, forwards: false, is_rule: false });
    }
    let most = lines.iter().take_while(|line| !line.text.is_empty() && line.depth == lines[0].depth).count();
    let length = (1..=most.min(3)).find(|length| attributes(&lines[..*length], names))?;
    // An answer right above it is none of it: it begins in the last line in which it can begin.
    let later = (1..length)
        .any(|start| attributes(&lines[start..length], names) && (opens(&lines[start].text) || !opens(&lines[0].text)));
    (!later).then_some(Frame { lines: length, forwards: false, is_rule: false })
}

/// Whether these pieces, which are left of a line of ours, only name a header.
pub fn is_label(pieces: &[String]) -> bool {
    let words: Vec<String> = pieces.iter().flat_map(|piece| plain_words(piece)).collect();
    !words.is_empty() && words.iter().all(|word| LABEL.has(word))
}

/// Whether a line can be the first of one.
fn opens(line: &str) -> bool {
    let low = fold(line);
    let words = ["on ", "am ", "le ", "el ", "il ", "op ", "den ", "em ", "w dniu", "dne "];
    line.ends_with('<') || words.iter().any(|word| low.trim_start_matches(['-', ' ']).starts_with(word))
}

fn attributes(lines: &[&Line], names: &[String]) -> bool {
    let joined = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ");
    let shape = joined.trim_end_matches(['-', ' ', '*']);
    if joined.len() > 400 || !(shape.ends_with([':', '：']) || joined.trim_end().ends_with("--")) {
        return false;
    }
    let low = format!(" {}", fold(shape));
    let digits = low.chars().filter(char::is_ascii_digit).count();
    let mailbox = shape.contains('@');
    let wrote = WROTE.iter().any(|word| low.contains(word));
    (wrote && (digits >= 3 || mailbox || plain_words(shape).len() <= 5) || mailbox && digits >= 6)
        && is_named(shape, names, true)
}

/// Names, addresses and, if `timed`, moments; nothing else.
fn is_named(text: &str, names: &[String], timed: bool) -> bool {
    let bare: Vec<&str> = text.split_whitespace().filter(|word| !word.contains('@') && !word.contains("://")).collect();
    bare.join(" ").split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).all(|word| {
        let low = fold(word);
        let number = low.chars().next().is_some_and(|c| c.is_ascii_digit());
        let known = timed && (KNOWN.has(&low) || number) || names.contains(&low);
        let kind = phrase(std::slice::from_ref(&low), Topic::Window).0;
        let says = weekday(&low).is_some() || !matches!(kind, Kind::Unknown | Kind::Polite | Kind::Filler);
        let small = [
            "von", "van", "de", "der", "of", "for", "and", "und", "et", "y", "la", "le", "du", "on", "behalf", "im",
            "auftrag", "mailto",
        ];
        let capital = word.starts_with(char::is_uppercase) || !word.is_ascii() && !word.starts_with(char::is_lowercase);
        known || small.contains(&low.as_str()) || capital && !says && !is_guarded(&low)
    })
}

/// The block of a header, which names a sender: a date or a name alone is somebody's word. Empty lines may stand in it.
fn header(lines: &[&Line], names: &[String], is_subject: &dyn Fn(&str) -> bool) -> Option<usize> {
    let (mut length, mut is_sent) = (0, false);
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim_start_matches(['*', '>', ' ']);
        if text.is_empty() && at > 0 {
            continue;
        }
        if !is_header(text, names) && !subject(text).is_some_and(is_subject) {
            break;
        }
        let label = text.split_once(':').map(|(label, _)| plain_words(label).join(" ")).unwrap_or_default();
        // Where it does not stand first, it is known by its address.
        is_sent |= FROM.contains(&label.as_str()) && (at == 0 || text.contains('@'));
        length = at + 1;
    }
    is_sent.then_some(length)
}

/// What stands behind `Subject:`.
fn subject(text: &str) -> Option<&str> {
    let (label, value) = text.split_once(':')?;
    let words = plain_words(label);
    (words.len() == 1 && LABEL.has(&words[0])).then(|| value.trim_matches(['*', ' ']))
}

/// `Sent: Tuesday, 24 November 2026 09:00`. Of the subject only what is ours is known.
fn is_header(text: &str, names: &[String]) -> bool {
    let text = text.trim_start_matches(['*', '>', ' ']);
    let Some((label, value)) = text.split_once(':') else { return false };
    let (label, value) = (plain_words(label).join(" "), value.trim_start_matches('*').trim());
    let Some((_, kind)) = LABELS.iter().find(|(all, _)| all.split('|').any(|one| one == label)) else { return false };
    match kind {
        Value::Names => {
            // `Copie à :` names nobody.
            value.is_empty() && !FROM.contains(&label.as_str())
                || (value.contains('@') || value.split_whitespace().count() <= 6)
                    && !value.is_empty()
                    && is_named(value, names, false)
        }
        Value::Moment => value.chars().filter(char::is_ascii_digit).count() >= 5 && is_moment(value),
        Value::Level => {
            ["high", "normal", "low", "hoch", "niedrig", "haute", "alta", "normale"].contains(&fold(value).as_str())
        }
        Value::Files => value
            .split([';', ','])
            .all(|file| file.trim().rsplit('.').next().is_some_and(|end| end.len() <= 4) && file.contains('.')),
    }
}

fn is_moment(value: &str) -> bool {
    plain_words(value).iter().all(|word| KNOWN.has(word) || word.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Option<usize> {
        let lines: Vec<Line> = text.lines().map(|line| Line { text: line.into(), ..Line::default() }).collect();
        let is_subject = |text: &str| text == "VPN maintenance for Acme";
        begins(&lines.iter().collect::<Vec<_>>(), &["operations".to_owned()], &is_subject).map(|frame| frame.lines)
    }

    #[test]
    fn the_lines_that_programs_write_above_a_quote_are_known() {
        for (text, lines) in [
            ("On Tue, Nov 24, 2026 at 9:00 AM Operations <\nops+x.2@example.net> wrote:", 2),
            ("Am Di., 24. Nov. 2026 um 09:00 Uhr schrieb Operations <ops@example.net>:", 1),
            ("Operations <ops@example.net> schrieb am Di., 24. Nov. 2026, 09:00:", 1),
            ("Le mar. 24 nov. 2026 à 09:00, Example Operations <ops@example.net> a écrit :", 1),
            ("El martes, 24 de noviembre de 2026, 09:00:00 CET, Operations <ops@example.net> escribió:", 1),
            ("Le 24 novembre 2026 09:00:00 GMT+01:00, Operations <ops@example.net> a écrit :", 1),
            ("---- On Tue, 24 Nov 2026 09:00:00 +0100 Operations <ops@example.net> wrote ----", 1),
            ("-----Original Message-----", 1),
            ("________________________________", 1),
            (
                "Von: Operations <ops@example.net>\nGesendet: Dienstag, 24. November 2026 um 09:00 Uhr\nAn: Ada Okafor\nBetreff: VPN maintenance for Acme\nyes",
                4,
            ),
            ("Begin forwarded message:", 1),
        ] {
            assert_eq!(frame(text), Some(lines), "{text}");
        }
    }

    #[test]
    fn a_sentence_in_the_shape_of_one_is_somebody_s() {
        for text in [
            "On condition that the backup is done, 24 Nov 2026, ops wrote:",
            "An: nur wenn Bob zustimmt",
            "Datum: 6.12.2026 23:00",
            "Sent: Sunday, 6 December 2026 23:00",
            "From: Sunday\nTo: Monday",
            "Sent: only after 23:30 on 5.12.2026",
            "Subject: Backup First",
            "-- please wait for Bob --",
            "Am 5.12. erst nach dem Backup, schrieb Bob:",
            "confirmed",
            "To: Be Agreed With Backup",
        ] {
            assert_eq!(frame(text), None, "{text}");
        }
    }
}
