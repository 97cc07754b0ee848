//! The parts of a mail, gathered in one walk: each is text, an answer of a calendar, a report, or something that hangs on it.
//! None is passed over in silence.

use super::lines::Lines;
use super::{html, ical, plain, report};
use crate::domain::letter::{CalendarPart, Look, Report};
use crate::domain::sanitize::sanitize;
use mail_parser::{Encoding, MessagePart, MimeHeaders, PartType};

const MOST_ATTACHMENTS: usize = 20;
const LONGEST_NAME: usize = 60;

/// What was found.
#[derive(Default)]
pub struct Found {
    /// The lines of the plain text parts.
    pub text: Lines,
    /// Whether there is one, attached ones included.
    pub has_text: bool,
    /// The lines of the HTML parts.
    pub html: Lines,
    /// Whether there is one, attached ones included.
    pub has_html: bool,
    /// The plain text, raw.
    pub plain: String,
    /// Calendars.
    pub calendars: Vec<CalendarPart>,
    /// A report.
    pub report: Option<Report>,
    /// The Message-ID of the mail that a report returns.
    pub original: Option<String>,
    /// Why the mail can't be read as a whole.
    pub unreadable: Option<&'static str>,
    /// A mail is attached.
    pub forwarded: bool,
    /// What hangs on it and may say something.
    pub attachments: Vec<String>,
    /// Attached pictures that the text may show, by their Content-ID; name and type.
    pictures: Vec<(String, String, String)>,
    /// The HTML, raw.
    markup: String,
    /// The words of the sender's name and address, lower case: their pictures are called by them.
    pub owner: Vec<String>,
}

impl Found {
    /// To be called when all parts were looked at: pictures that no text shows hang on the mail.
    pub fn finish(&mut self) {
        for (id, name, kind) in std::mem::take(&mut self.pictures) {
            let shown = !id.is_empty() && self.markup.contains(&format!("cid:{}", id.trim_matches(['<', '>'])));
            if !shown {
                attachment(&name, &kind, self);
            }
        }
    }
}

/// Looks at one part.
pub fn gather(raw: &[u8], part: &MessagePart<'_>, found: &mut Found) {
    let kind = part.content_type();
    let main = kind.map_or("text", |kind| kind.ctype()).to_ascii_lowercase();
    let sub = kind.and_then(|kind| kind.subtype()).unwrap_or("plain").to_ascii_lowercase();
    let attached = part.content_disposition().is_some_and(|disposition| disposition.is_attachment());
    let name = part.attachment_name().unwrap_or_default().to_ascii_lowercase();
    match (main.as_str(), sub.as_str()) {
        (_, "pkcs7-mime" | "x-pkcs7-mime") => found.unreadable = Some("encrypted or signed as a closed whole (S/MIME)"),
        ("multipart", "encrypted") | (_, "pgp-encrypted") => found.unreadable = Some("encrypted"),
        (_, "ms-tnef" | "vnd.ms-tnef") => found.unreadable = Some("winmail.dat, which only Outlook reads"),
        (_, "octet-stream") if name == "winmail.dat" => {
            found.unreadable = Some("winmail.dat, which only Outlook reads")
        }
        ("message", "partial" | "external-body") => found.unreadable = Some("a part of it is elsewhere"),
        ("text", "calendar") | (_, "ics" | "calendar") => calendar(raw, part, &name, found),
        _ if name.ends_with(".ics") => calendar(raw, part, &name, found),
        (_, "delivery-status" | "global-delivery-status") => found.report = Some(report::delivery(&content(raw, part))),
        (_, "disposition-notification") => found.report = Some(Report::Receipt),
        (_, "rfc822-headers" | "global-headers") => {
            found.original = report::message_id_in(&content(raw, part));
        }
        ("text", "plain") => plain_text(raw, part, attached, found),
        ("text", "html") => {
            let markup = content(raw, part);
            html::lines(&markup, attached, &mut found.html);
            found.markup.push_str(&markup);
            found.has_html = true;
        }
        ("multipart" | "message", _) => {}
        // Signatures say nothing about a window, if they are some.
        (_, "pgp-signature" | "pgp-keys") if plain::is_only_armour(&content(raw, part)) => {}
        (_, "pkcs7-signature" | "x-pkcs7-signature") if is_closed(part) => {}
        // Letters are drawn in it, or in its name.
        ("image", _) if sub.contains("svg") || sub.contains("xml") || speaks(part, found) => {
            attachment(&name, &format!("{main}/{sub}"), found);
        }
        // What the letter's own text shows: logos and smileys.
        ("image", _) if !attached && (part.content_id().is_some() || name.is_empty()) => {}
        // Some programs call those attachments too: the text must show it, which is seen when it was read.
        ("image", _) if part.content_id().is_some() => {
            let id = part.content_id().unwrap_or_default().to_owned();
            found.pictures.push((id, name.clone(), format!("{main}/{sub}")));
        }
        _ => attachment(&name, &format!("{main}/{sub}"), found),
    }
    if let PartType::Message(inner) = &part.body {
        found.forwarded = true;
        found.original = inner.message_id().map(super::bracketed).or(found.original.take());
    }
}

/// Whether it is a signature in DER, as far as its first byte shows: no text.
fn is_closed(part: &MessagePart<'_>) -> bool {
    match &part.body {
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            let words = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
            bytes.is_empty() || !bytes.iter().all(words)
        }
        _ => false,
    }
}

/// What programs call pictures.
const CALLED: [&str; 66] = [
    "image",
    "images",
    "img",
    "picture",
    "pic",
    "photo",
    "foto",
    "bild",
    "logo",
    "icon",
    "banner",
    "signature",
    "signatur",
    "sig",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "bmp",
    "webp",
    "tif",
    "tiff",
    "ico",
    "heic",
    "outlook",
    "emoji",
    "smiley",
    "smile",
    "linkedin",
    "facebook",
    "twitter",
    "xing",
    "instagram",
    "youtube",
    "x",
    "company",
    "footer",
    "header",
    "inline",
    "attachment",
    "unnamed",
    "untitled",
    "unknown",
    "pastedgraphic",
    "pastedimage",
    "pasted",
    "graphic",
    "screenshot",
    "cid",
    "mail",
    "email",
    "ii",
    "part",
    "att",
    "website",
    "web",
    "phone",
    "telephone",
    "mobile",
    "avatar",
    "profile",
    "spacer",
    "pixel",
    "line",
    "divider",
    "qr",
];

/// Whether its name or its description holds words that somebody could mean.
fn speaks(part: &MessagePart<'_>, found: &Found) -> bool {
    let kind = part.content_type().and_then(|kind| kind.attribute("name"));
    let file = part.content_disposition().and_then(|kind| kind.attribute("filename"));
    [kind, file, part.attachment_name(), part.content_description()].into_iter().flatten().any(|text| {
        let text = text.to_lowercase();
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).any(|word| {
            let letters: String = word.chars().filter(|c| !c.is_numeric()).collect();
            // Marks of programs: letters among digits.
            let digits = word.chars().filter(|c| c.is_numeric()).count();
            let runs = word.split(char::is_numeric).all(|run| run.chars().count() <= 4);
            let mark = word.len() >= 8 && digits >= 2 && runs && word.is_ascii();
            let known = CALLED.contains(&letters.as_str()) || found.owner.contains(&letters);
            !(letters.is_empty() || mark || known)
        })
    })
}

fn plain_text(raw: &[u8], part: &MessagePart<'_>, attached: bool, found: &mut Found) {
    let kind = part.content_type();
    let text = content(raw, part);
    if text.contains("-----BEGIN PGP MESSAGE-----") {
        found.unreadable = Some("encrypted (PGP)");
    }
    let said = |name: &str, value: &str| {
        kind.and_then(|kind| kind.attribute(name)).is_some_and(|said| said.eq_ignore_ascii_case(value))
    };
    let text = plain::unsigned(&text);
    let text = if said("format", "flowed") { plain::unflowed(&text, said("delsp", "yes")) } else { text };
    let look = if attached { Look::Aside } else { Look::Plain };
    plain::lines(&text, look, &mut found.text);
    found.text.push("", 0, look);
    found.has_text = true;
    if !attached {
        found.plain.push_str(&text);
        found.plain.push('\n');
    }
}

fn calendar(raw: &[u8], part: &MessagePart<'_>, name: &str, found: &mut Found) {
    let Some(mut read) = ical::read(&content(raw, part)) else {
        return attachment(name, "text/calendar", found);
    };
    let outside = part.content_type().and_then(|kind| kind.attribute("method")).map(str::to_uppercase);
    if let Some(method) = outside.filter(|method| method.trim() != read.method) {
        read.other.push(format!("method {}", sanitize(&method)));
    }
    found.calendars.push(read);
}

fn attachment(name: &str, kind: &str, found: &mut Found) {
    if found.attachments.len() < MOST_ATTACHMENTS {
        let said = sanitize(&format!("{name} ({kind})"));
        found.attachments.push(said.trim().chars().take(LONGEST_NAME).collect());
    }
}

/// The calendar that answers. What another one says that hangs on the mail besides is not heard, so it is named.
pub fn chosen(mut calendars: Vec<CalendarPart>, attachments: &mut Vec<String>) -> Option<CalendarPart> {
    let rank = |part: &CalendarPart| match part.method.as_str() {
        "COUNTER" => 0,
        "REPLY" => 1,
        "" => 3,
        _ => 2,
    };
    // The sort is stable: the first of equal ones counts. Two that contradict each other are no answer at all.
    calendars.sort_by_key(rank);
    let answers = calendars.iter().filter(|part| rank(part) < 2);
    let said = |part: &CalendarPart| {
        let times = (part.start, part.end, part.start_text.clone(), part.end_text.clone());
        (part.attendees.clone(), part.comment.clone(), times, part.uid.clone(), part.said.clone())
    };
    let contradicting = answers.clone().any(|part| answers.clone().any(|other| said(other) != said(part)));
    let mut first = calendars.first()?.clone();
    first.other = calendars.iter().flat_map(|part| part.other.clone()).collect();
    for other in &calendars[1..] {
        // The same once more as a file, in which programs leave out the method.
        let same = other.uid == first.uid && other.start == first.start && other.comment == first.comment;
        if !same && rank(other) > 1 && attachments.len() < MOST_ATTACHMENTS {
            attachments.push("another calendar file".into());
        }
    }
    if first.method.is_empty() {
        attachments.push("a calendar file that answers nothing".into());
    }
    match contradicting {
        true => Some(CalendarPart { events: 2, ..first }),
        false => Some(first),
    }
}

/// The text of a part; bytes without a charset that are no UTF-8 are taken for Latin-1.
fn content(raw: &[u8], part: &MessagePart<'_>) -> String {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
            let named = part.content_type().is_some_and(|kind| kind.has_attribute("charset"));
            let bytes = raw.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
            match named || part.encoding != Encoding::None {
                true => text.clone().into_owned(),
                false => latin(bytes),
            }
        }
        PartType::Text(text) | PartType::Html(text) => text.clone().into_owned(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => latin(bytes),
        },
        _ => String::new(),
    }
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use crate::adapters::inbox::read::read;

    fn with(part: &str) -> Vec<String> {
        let head = "From: Ada Okafor <ada@acme.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
        let text = "--b\r\nContent-Type: text/plain\r\n\r\nConfirmed.\r\n--b\r\n";
        let part = part.replace('\n', "\r\n");
        read(format!("{head}{text}{part}\r\n--b--\r\n").as_bytes(), true).attachments
    }

    #[test]
    fn what_may_say_something_hangs_on_the_mail() {
        let png = "Content-Transfer-Encoding: base64\nContent-Disposition: inline\nContent-ID: <a>\n\niVBORw0KGgo=";
        for part in [
            format!("Content-Type: image/svg+xml\n{png}"),
            format!("Content-Type: image/png; name=\"only if Bob agrees.png\"\n{png}"),
            format!("Content-Type: image/png\nContent-Description: only if Bob agrees\n{png}"),
            format!("Content-Type: image/png; name=\"no2.png\"\n{png}"),
            "Content-Type: application/pgp-signature; name=note.txt\n\nOnly if Bob agrees.".into(),
            "Content-Type: application/pgp-keys\n\nOnly if Bob agrees.".into(),
            "Content-Type: application/pkcs7-signature\n\nOnly if Bob agrees.".into(),
        ] {
            assert_eq!(with(&part).len(), 1, "{part}");
        }
        for part in [
            format!("Content-Type: image/png; name=\"image001.png\"\n{png}"),
            format!("Content-Type: image/png; name=\"Outlook-a1b2c3d4.png\"\n{png}"),
            format!("Content-Type: image/png; name=\"acme-logo.png\"\n{png}"),
            "Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----".into(),
        ] {
            assert_eq!(with(&part), Vec::<String>::new(), "{part}");
        }
    }

    #[test]
    fn whoever_sends_it_in_their_name_is_told() {
        let by = |header: &str| {
            let mail = format!("From: Ada Okafor <ada@acme.example>\r\n{header}\r\nSubject: x\r\n\r\nConfirmed.\r\n");
            read(mail.as_bytes(), true).sent_by
        };
        for header in [
            "Sender: Bob Lee <bob@acme.example>",
            "Sender: bob@mail.acme.example",
            "Sender: bob@elsewhere.example",
            "Sender: noreply@acme.example",
            "Resent-From: Bob Lee <bob@acme.example>",
            "Resent-Sender: bob@elsewhere.example",
            "Sender: Bob",
        ] {
            assert!(by(header).is_some(), "{header}");
        }
        for header in [
            "X-A: b",
            "Sender: Ada <ADA@acme.example>",
            "Sender: Google Calendar <calendar-notification@google.com>",
            "Sender: \"net\" <net-bounces@lists.example.org>",
            "Sender: net-bounces@acme.example\r\nList-Id: <net.acme.example>",
        ] {
            assert_eq!(by(header), None, "{header}");
        }
    }
}
