//! Our own mail below an answer, copied without any mark: found by the lines that only we write.

use super::words::fold;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Pieces of what operators make of our texts, folded.
const OURS: [&str; 40] = [
    "reply to this mail",
    "reply to this message",
    "reply to this email",
    "on the first line",
    "another time: <",
    "we begin only when everybody",
    "we are going to replace the key",
    "we are replacing the key",
    "has been replaced, and we",
    "vpn maintenance for",
    "are you back? vpn",
    "does your vpn work again",
    "what this means for you",
    "what to do after the replacement",
    "the guide with all steps",
    "download your configuration again",
    "the key of the vpn server",
    "if the window suits you",
    "antworten sie auf diese",
    "antworten sie bitte auf diese",
    "antworte auf diese",
    "in der ersten zeile",
    "in die erste zeile",
    "wir beginnen erst",
    "anderer termin: <",
    "andere zeit: <",
    "funktioniert ihr vpn wieder",
    "repondez a ce",
    "repondre a ce",
    "sur la premiere ligne",
    "a la premiere ligne",
    "autre moment: <",
    "autre moment : <",
    "nous ne commencons que",
    "responda a este",
    "responde a este",
    "en la primera linea",
    "otra hora: <",
    "solo empezamos cuando",
    "was sie tun mussen",
];
/// The built-in texts.
const TEXTS: [&str; 32] = [
    include_str!("../../../assets/templates/en/announcement.txt"),
    include_str!("../../../assets/templates/en/reminder.txt"),
    include_str!("../../../assets/templates/en/change.txt"),
    include_str!("../../../assets/templates/en/cancellation.txt"),
    include_str!("../../../assets/templates/en/reconfigure.txt"),
    include_str!("../../../assets/templates/en/are-you-back.txt"),
    include_str!("../../../assets/templates/en/all-clear.txt"),
    include_str!("../../../assets/templates/en/emergency.txt"),
    include_str!("../../../assets/templates/de/announcement.txt"),
    include_str!("../../../assets/templates/de/reminder.txt"),
    include_str!("../../../assets/templates/de/change.txt"),
    include_str!("../../../assets/templates/de/cancellation.txt"),
    include_str!("../../../assets/templates/de/reconfigure.txt"),
    include_str!("../../../assets/templates/de/are-you-back.txt"),
    include_str!("../../../assets/templates/de/all-clear.txt"),
    include_str!("../../../assets/templates/de/emergency.txt"),
    include_str!("../../../assets/templates/fr/announcement.txt"),
    include_str!("../../../assets/templates/fr/reminder.txt"),
    include_str!("../../../assets/templates/fr/change.txt"),
    include_str!("../../../assets/templates/fr/cancellation.txt"),
    include_str!("../../../assets/templates/fr/reconfigure.txt"),
    include_str!("../../../assets/templates/fr/are-you-back.txt"),
    include_str!("../../../assets/templates/fr/all-clear.txt"),
    include_str!("../../../assets/templates/fr/emergency.txt"),
    include_str!("../../../assets/templates/es/announcement.txt"),
    include_str!("../../../assets/templates/es/reminder.txt"),
    include_str!("../../../assets/templates/es/change.txt"),
    include_str!("../../../assets/templates/es/cancellation.txt"),
    include_str!("../../../assets/templates/es/reconfigure.txt"),
    include_str!("../../../assets/templates/es/are-you-back.txt"),
    include_str!("../../../assets/templates/es/all-clear.txt"),
    include_str!("../../../assets/templates/es/emergency.txt"),
];
/// A shorter piece of them could be somebody's own words, characters.
const SHORTEST: usize = 24;
/// What stands in our texts between the places that are filled in, line by line, folded.
static PIECES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let lines = TEXTS.iter().flat_map(|text| text.lines());
    let pieces = lines.flat_map(|line| line.split("{{").map(|part| part.rsplit("}}").next().unwrap_or(part)));
    let folded = pieces.map(|piece| fold(piece.trim()));
    folded
        .chain(OURS.map(str::to_owned))
        .filter(|piece| piece.chars().count() >= SHORTEST || OURS.contains(&piece.as_str()))
        .collect()
});
/// How our mails begin; the nearest such line above is the first of the copy.
const GREETINGS: [&str; 8] = ["hello ", "hallo ", "bonjour ", "hola ", "guten tag ", "dear ", "subject:", "betreff:"];

/// What stands above a copy of our own mail, and whether there is one.
pub fn above(text: &str) -> (String, bool) {
    let lines: Vec<&str> = text.lines().collect();
    let folded: Vec<String> = lines.iter().map(|line| fold(line)).collect();
    // Our lines are wrapped anew by the programs that copy them, so two neighbours are looked at together.
    let pair = |at: usize| format!("{} {}", folded[at].trim(), folded.get(at + 1).map_or("", |next| next.trim()));
    let ours = |at: &usize| {
        let pair = pair(*at);
        PIECES.iter().any(|piece| pair.contains(piece.as_str()))
    };
    let Some(first) = (0..lines.len()).find(ours) else { return (text.to_owned(), false) };
    let greets = |at: &usize| GREETINGS.iter().any(|start| folded[*at].trim_start().starts_with(start));
    let mut start = (0..=first).rev().find(greets).unwrap_or(first);
    // The greeting of the answer itself is not the one of our mail.
    if first - start > 12 {
        start = first;
    }
    (lines[..start].join("\n").trim().to_owned(), true)
}
