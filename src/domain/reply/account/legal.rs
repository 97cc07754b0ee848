//! Legal notices and warnings of gateways, sentence by sentence: each is known by examples. A sentence that is none of them is
//! somebody's.

use super::card::is_card;
use super::slots::{Owner, slotted};
use crate::domain::reply::known;
use crate::domain::reply::words::fold;

/// Words of which one at least stands in a notice, folded.
const CORE: [&str; 40] = [
    "mail",
    "message",
    "communication",
    "transmission",
    "correspondence",
    "recipient",
    "addressee",
    "confidential",
    "privileged",
    "attachment",
    "nachricht",
    "mitteilung",
    "schreiben",
    "empfanger",
    "adressat",
    "vertraulich",
    "anhang",
    "courriel",
    "destinataire",
    "confidentiel",
    "mensaje",
    "correo",
    "destinatario",
    "confidencial",
    "external",
    "externe",
    "externo",
    "registered",
    "sitz",
    "gesellschaft",
    "datenschutz",
    "data protection",
    "privacy",
    "donnees",
    "datos",
    "virus",
    "viren",
    "liability",
    "haftung",
    "environment",
];

/// What tells the reader to do something, which shows nothing by itself.
const ASKS: [&str; 14] = [
    "please",
    "kindly",
    "delete",
    "destroy",
    "report",
    "bitte",
    "veuillez",
    "merci",
    "priere",
    "nous vous prions",
    "por favor",
    "le rogamos",
    "rogamos",
    "elimine",
];

fn is_about_mails(sentence: &str) -> bool {
    let low = fold(sentence);
    !ASKS.iter().any(|start| low.trim_start_matches(|c: char| !c.is_alphabetic()).starts_with(start))
        && CORE.iter().any(|word| low.contains(word))
}

fn is_notice(sentence: &str, owner: &Owner<'_>) -> bool {
    known::is_notice(&slotted(sentence, owner))
}

/// The lines without the sentences of notices, which are left out. Paragraphs stay apart by empty lines.
pub fn without_notices(lines: &[String], owner: &Owner<'_>, left_out: &mut Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for paragraph in lines.split(|line| line.is_empty()) {
        let sentences = sentences(paragraph, owner);
        let mut notices: Vec<bool> = sentences.iter().map(|sentence| is_notice(sentence, owner)).collect();
        // `Please delete it.`: only beside one that shows what it is about.
        let shown = |(sentence, notice): (&String, &bool)| *notice && is_about_mails(sentence);
        if !sentences.iter().zip(&notices).any(shown) {
            notices.fill(false);
        }
        match notices.contains(&true) {
            true => {
                for (sentence, notice) in sentences.into_iter().zip(notices) {
                    if notice { &mut *left_out } else { &mut kept }.push(sentence);
                }
            }
            false => kept.extend_from_slice(paragraph),
        }
        kept.push(String::new());
    }
    while kept.last().is_some_and(String::is_empty) {
        kept.pop();
    }
    kept
}

/// Whether a dot ends a sentence: not behind `Nr`, `z. B.`, `i. A.`
fn ends(before: &str, behind: &str) -> bool {
    const SHORT: [&str; 16] =
        ["nr", "no", "st", "dr", "rd", "sr", "mr", "ms", "ca", "co", "bd", "av", "ap", "cp", "id", "al"];
    let word = before.rsplit([' ', '(']).next().unwrap_or_default();
    let next = behind.trim_start().chars().next().is_none_or(char::is_uppercase);
    let short = word.chars().all(char::is_lowercase) && !SHORT.contains(&word);
    word.chars().count() > 2 || word.chars().count() == 2 && next && short
}

/// The sentences of a paragraph; a line that is full goes on in the next one.
fn sentences(paragraph: &[String], owner: &Owner<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in paragraph {
        let mut rest = line.as_str();
        loop {
            let end = rest.char_indices().find(|(at, c)| {
                matches!(c, '.' | '!' | '?' | ':' | ';')
                    && rest[at + c.len_utf8()..].chars().next().is_none_or(char::is_whitespace)
                    && (*c != '.' || ends(&rest[..*at], &rest[at + 1..]))
            });
            let (piece, behind) = match end {
                Some((at, c)) => rest.split_at(at + c.len_utf8()),
                None => (rest, ""),
            };
            match all.last_mut().filter(|_| open) {
                Some(last) => {
                    last.push(' ');
                    last.push_str(piece.trim());
                }
                None => all.push(piece.trim().to_owned()),
            }
            open = end.is_none();
            rest = behind.trim_start();
            if rest.is_empty() {
                break;
            }
        }
        open = open && line.chars().count() >= 40 && !is_card(line, owner, true);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> Vec<String> {
        let firm = ["example".to_owned(), "robotics".to_owned()];
        without_notices(
            &[text.to_owned()],
            &Owner { names: &[], firm: &firm, email: "ada@acme.example" },
            &mut Vec::new(),
        )
    }

    #[test]
    fn notices_in_four_languages_are_known_sentence_by_sentence() {
        for text in [
            "This e-mail and any attachments are confidential and intended solely for the addressee. If you are not the intended recipient, please notify the sender immediately and delete this message.",
            "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte sofort den Absender und vernichten Sie diese Mail. Das unerlaubte Kopieren sowie die unbefugte Weitergabe dieser Mail ist nicht gestattet.",
            "Ce message et ses pièces jointes peuvent contenir des informations confidentielles ou privilégiées et ne doivent donc pas être diffusés, exploités ou copiés sans autorisation. Si vous avez reçu ce message par erreur, veuillez le signaler à l'expéditeur et le détruire ainsi que les pièces jointes.",
            "Este mensaje y sus archivos adjuntos van dirigidos exclusivamente a su destinatario y pueden contener información confidencial. Si usted no es el destinatario indicado, le rogamos que nos lo comunique y proceda a su eliminación.",
            "CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender and know the content is safe.",
            "Example Robotics Ltd accepts no liability for the content of this email.",
        ] {
            assert!(left(text).is_empty(), "{:?}", left(text));
        }
    }

    #[test]
    fn what_hides_behind_a_notice_is_left() {
        for text in [
            "This e-mail is confidential. The confirmation is void if the intended start slips past midnight.",
            "This message is confidential and only valid if the backup is done.",
            "Diese E-Mail ist vertraulich. Die Zusage gilt nur nach der Sicherung.",
            "Ce message est confidentiel. L'accord n'est valable que si la sauvegarde est finie.",
            "Este mensaje es confidencial. La confirmación queda sujeta a la aprobación de dirección.",
            "Please notify the intended recipient before you start.",
        ] {
            assert!(!left(text).is_empty(), "{text}");
        }
    }
}
