//! Our own mail below an answer, copied without any mark: found by the lines that only we write.

use super::words::fold;

/// Pieces of our templates and of what operators make of them in other languages, folded.
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
/// How our mails begin; the nearest such line above is the first of the copy.
const GREETINGS: [&str; 8] = ["hello ", "hallo ", "bonjour ", "hola ", "guten tag ", "dear ", "subject:", "betreff:"];

/// What stands above a copy of our own mail, and whether there is one.
pub fn above(text: &str) -> (String, bool) {
    let lines: Vec<&str> = text.lines().collect();
    let folded: Vec<String> = lines.iter().map(|line| fold(line)).collect();
    // Our lines are wrapped anew by the programs that copy them, so two neighbours are looked at together.
    let pair = |at: usize| format!("{} {}", folded[at].trim(), folded.get(at + 1).map_or("", |next| next.trim()));
    let ours = |at: &usize| OURS.iter().any(|piece| pair(*at).contains(piece));
    let Some(first) = (0..lines.len()).find(ours) else { return (text.to_owned(), false) };
    let greets = |at: &usize| GREETINGS.iter().any(|start| folded[*at].trim_start().starts_with(start));
    let mut start = (0..=first).rev().find(greets).unwrap_or(first);
    // The greeting of the answer itself is not the one of our mail.
    if first - start > 12 {
        start = first;
    }
    (lines[..start].join("\n").trim().to_owned(), true)
}
