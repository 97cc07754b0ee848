//! Lines that programs write under a mail (`Sent from my iPhone`, `Von meinem Handy gesendet`), each known as a whole by an example.

use super::card::is_logo;
use super::reach::is_known_link;
use super::slots::{Owner, is_plain_link, slotted};
use crate::domain::reply::known;
use crate::domain::reply::words::tokens;

/// A text without its links, addresses in brackets, and marks of pictures (`[cid:image001.png@01]`, `<https://…>`).
pub fn without_links(text: &str, owner: &Owner<'_>) -> String {
    let mut rest = text;
    let mut whole = String::new();
    // `[Proton Mail](https://proton.me)`: the words of a link, and the link.
    if let Some((start, behind)) = text.split_once("](http")
        && let Some((before, words)) = start.rsplit_once('[')
        && let Some((link, behind)) = behind.split_once(')')
        && is_known_link(&format!("http{link}"), owner)
    {
        return without_links(&format!("{before}{words}{behind}"), owner);
    }
    while let Some(start) = rest.find(['[', '<']) {
        let closing = if rest[start..].starts_with('[') { ']' } else { '>' };
        let Some(end) = rest[start..].find(closing).map(|end| start + end) else { break };
        let inner = rest[start + 1..end].trim();
        let low = inner.to_ascii_lowercase();
        let link = ["http://", "https://", "mailto:", "tel:", "cid:", "www."].iter().any(|kind| low.starts_with(kind))
            || low.starts_with("image:")
            || low.starts_with("bild:")
            || is_file(&low);
        let link = link && !inner.contains(' ') || is_file(&low.replace("image: ", "")) || is_external(&low);
        let number = low
            .strip_prefix("tel:")
            .is_none_or(|rest| rest.chars().all(|c| c.is_ascii_digit() || "+-(). ".contains(c)));
        // `[Logotipo Acme]`
        let shown = inner.strip_prefix("image: ").or_else(|| inner.strip_prefix("Bild: ")).unwrap_or(inner);
        let logo = closing == ']' && is_logo(shown, owner);
        if logo {
            whole.push_str(&rest[..start]);
            rest = &rest[end + 1..];
            continue;
        }
        let link = link
            && number
            && is_plain_link(inner)
            && (low.starts_with("cid:") || !low.contains("://") && !low.contains('@') || is_known_link(inner, owner));
        whole.push_str(&rest[..start]);
        if !link {
            whole.push_str(&rest[start..=end]);
        }
        rest = &rest[end + 1..];
    }
    whole.push_str(rest);
    whole.trim().to_owned()
}

fn is_file(low: &str) -> bool {
    let ends = [".png", ".jpg", ".jpeg", ".gif", ".svg"].iter().any(|end| low.ends_with(end));
    // `image001.png`, `logo_acme.gif`, `1a2b3c.png`; `just-kidding.png` is somebody's.
    let stem = low.split('.').next().unwrap_or_default();
    let named = [
        "image",
        "img",
        "logo",
        "icon",
        "bild",
        "picture",
        "photo",
        "signature",
        "outlook",
        "unknown",
        "inline",
        "cid",
        "banner",
        "linkedin",
        "facebook",
        "twitter",
        "instagram",
        "youtube",
        "xing",
    ]
    .iter()
    .any(|start| stem.starts_with(start));
    let coded = stem.chars().filter(char::is_ascii_digit).count() * 3 >= stem.len();
    ends && low.len() < 60 && !low.contains(' ') && (named || coded)
}

fn is_external(low: &str) -> bool {
    ["external", "ext", "extern", "externe", "externo", "external email", "external sender", "ext."].contains(&low)
}

/// Whether a line is one of them, as a whole, or made of them.
pub fn is_footer(line: &str, owner: &Owner<'_>) -> bool {
    let plain = |text: &str| tokens(text).into_iter().filter(|word| word != ",").collect::<Vec<_>>();
    let one = |text: &str| known::is_footer(&plain(text)) || known::is_footer(&slotted(text, owner));
    let sentences: Vec<&str> = line.split(['.', '!', '|', '–', ';']).flat_map(|part| part.split(" - ")).collect();
    let written: Vec<&str> = sentences.into_iter().filter(|part| part.chars().any(char::is_alphanumeric)).collect();
    !written.is_empty() && (one(line) || written.iter().all(|sentence| one(sentence)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner<'_> = Owner { names: &[], firm: &[], email: "ada@acme.example" };

    #[test]
    fn footers_of_any_maker_are_known_and_what_somebody_adds_is_not() {
        for line in [
            "Sent from my Galaxy",
            "Envoyé de mon téléphone",
            "Gesendet mit der WEB.DE App",
            "Get Outlook for iOS",
            "Von meinem iPhone gesendet",
            "Enviado desde mi móvil",
            "Sent from my Pixel 8",
            "Sent from Yahoo Mail for iPhone",
            "Gesendet von Mail für Windows",
            "Envoyé à partir de Outlook pour Android",
            "Sent from my iPhone. Please excuse my brevity.",
            "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
            "Sent from Proton Mail for iOS",
            "Virus-free.www.avast.com",
            "Holen Sie sich Outlook für iOS",
        ] {
            assert!(is_footer(&without_links(line, &OWNER), &OWNER), "{line}");
        }
        for line in [
            "Sent from my iPhone, only if Bob agrees",
            "Von meinem Chef noch nicht freigegeben",
            "Sent from my iPhone but call me first",
            "Get Bob first",
            "Envoyé de mon téléphone, à condition que Paul soit là",
            "Enviado desde mi móvil si termina el backup",
            "Von meinem iPhone gesendet. Erst nach der Sicherung.",
        ] {
            assert!(!is_footer(line, &OWNER), "{line}");
        }
    }

    #[test]
    fn links_go_and_brackets_with_words_stay() {
        assert_eq!(without_links("Outlook<https://aka.ms/x> [cid:image001.png@01DC] x", &OWNER), "Outlook  x");
        assert_eq!(without_links("yes [only if Bob agrees]", &OWNER), "yes [only if Bob agrees]");
    }
}
