//! From the bytes of a mail to what a rule looks at: bounded, sanitized, and without a judgement.
//!
//! Fetching is left to the mailbox, the meaning to `domain::reply`.

mod authentication;
mod automatic;
mod html;
mod ical;
mod quote;
mod report;

use crate::domain::letter::{Automatic, CalendarPart, Incoming, Report};
use crate::domain::reply::words::fold;
use crate::domain::sanitize::sanitize;
use jiff::Timestamp;
use mail_parser::{Address, Encoding, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};
use std::thread;

/// Longest mail that is looked at, bytes.
pub const LONGEST_MAIL: usize = 128 * 1024;
/// The name of the thread that takes a mail apart; a panic in it is caught.
pub const READER: &str = "mail reader";
/// A mail that nests deeper overflows the stack of the parser when it is dropped; measured at 10,000.
const MOST_NESTED: usize = 100;
const MOST_PARTS: usize = 200;
/// Bytes; reserved, not used, unless a mail is hostile.
const STACK: usize = 64 * 1024 * 1024;
/// Boundary lines show a mail of ten thousand parts before it is taken apart.
const MOST_BOUNDARIES: usize = 1_000;
const MOST_ADDRESSES: usize = 100;
const LONGEST_SUBJECT: usize = 300;
const LONGEST_TEXT: usize = 4_000;
const LONGEST_LINE: usize = 300;

/// Reads one mail. `whole` is false if the mail is longer than `raw`; it then can't be read as a whole, and says so.
pub fn read(raw: &[u8], whole: bool) -> Incoming {
    let (raw, whole) = match raw.get(..LONGEST_MAIL) {
        Some(head) if raw.len() > LONGEST_MAIL => (head, false),
        _ => (raw, whole),
    };
    let too_much = too_nested(raw);
    // On a thread of its own: mails encoded within a mail are not seen above, and the parser takes them apart and drops them
    // recursively (3,000 of them overflow the usual stack). A panic, of which the parser has had some, ends there too.
    let read = thread::scope(|scope| {
        let work = || match too_much {
            Some(why) => headers_only(raw, why),
            None => parts(raw),
        };
        let reader = thread::Builder::new().name(READER.into()).stack_size(STACK).spawn_scoped(scope, work);
        reader.ok().and_then(|reader| reader.join().ok())
    });
    let mut incoming = read.unwrap_or_else(|| Incoming {
        identity: digest(&[body_of(raw)]),
        unreadable: Some("the parser gave up on it".into()),
        ..Incoming::default()
    });
    if !whole {
        incoming.unreadable.get_or_insert_with(|| "too large to be read as a whole".into());
    }
    incoming
}

/// Seen in the bytes, before anything recursive touches them.
fn too_nested(raw: &[u8]) -> Option<&'static str> {
    let lower = raw.to_ascii_lowercase();
    let count = |word: &[u8]| lower.windows(word.len()).filter(|window| *window == word).count();
    if count(b"rfc822") + count(b"global") + count(b"digest") > MOST_NESTED {
        return Some("too many mails within the mail");
    }
    let boundaries = raw.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"--") && line.len() > 4).count();
    (boundaries > MOST_BOUNDARIES || count(b"multipart/") > MOST_PARTS).then_some("too many parts")
}

fn body_of(raw: &[u8]) -> &[u8] {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let start = ends.iter().filter_map(|end| raw.windows(end.len()).position(|window| window == *end)).min();
    &raw[start.unwrap_or(0)..]
}

fn digest(pieces: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for piece in pieces {
        hash.update((piece.len() as u64).to_be_bytes());
        hash.update(piece);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn headers_only(raw: &[u8], why: &str) -> Incoming {
    let parsed = MessageParser::default().parse_headers(raw);
    let mut incoming = parsed.as_ref().map(envelope).unwrap_or_default();
    let id = parsed.as_ref().and_then(|message| message.message_id()).unwrap_or_default();
    incoming.identity = digest(&[id.as_bytes(), body_of(raw)]);
    incoming.unreadable = Some(why.into());
    incoming
}

/// What the parts of a mail say, gathered in one walk.
#[derive(Default)]
struct Found {
    text: Vec<String>,
    html: Vec<String>,
    calendars: Vec<CalendarPart>,
    report: Option<Report>,
    /// The Message-ID of the mail that a report returns.
    original: Option<String>,
    unreadable: Option<&'static str>,
    forwarded: bool,
}

fn parts(raw: &[u8]) -> Incoming {
    let Some(message) = MessageParser::default().parse(raw) else {
        let unreadable = Some("it is no mail".into());
        return Incoming { identity: digest(&[raw]), unreadable, ..Incoming::default() };
    };
    if message.parts.len() > MOST_PARTS {
        return headers_only(raw, "too many parts");
    }
    let mut incoming = envelope(&message);
    let mut found = Found::default();
    // Attached mails hold parts of their own: they are not in this list, so what they say is not taken for this mail's.
    for part in &message.parts {
        gather(raw, part, &mut found);
    }
    let whole_text = found.text.join("\n");
    let mut report = found.report;
    if report.is_none() {
        report = report::in_plain_text(&automatic::headers(&message), &incoming, &whole_text);
    }
    if let Some(Report::Delivery { message_id, .. }) = &mut report {
        *message_id = message_id.take().or(found.original);
        // A report has no References of its own, and the mail that it is about is what it refers to.
        incoming.references.extend(message_id.iter().cloned());
        found.forwarded = false;
    }
    let (text, html) = (own(&found.text, &mut found.forwarded), own(&found.html, &mut found.forwarded));
    incoming.calendar = chosen(found.calendars);
    incoming.report = report;
    incoming.unreadable = found.unreadable.map(str::to_owned);
    incoming.forwarded |= found.forwarded;
    let said = format!("{:?}{:?}{text:?}{html:?}", incoming.calendar, incoming.report);
    let sender = format!("{:?}{:?}{}", incoming.from, incoming.date, incoming.subject);
    incoming.identity =
        digest(&[message.message_id().unwrap_or_default().as_bytes(), sender.as_bytes(), said.as_bytes()]);
    if !matches!(incoming.automatic, Some(Automatic::Reply(_))) {
        let own_words = [&text, &html].into_iter().flatten().find_map(|text| automatic::says_so(&fold(text)));
        incoming.automatic = own_words.or(incoming.automatic);
    }
    (incoming.text, incoming.html) = (text, html);
    incoming
}

fn gather(raw: &[u8], part: &MessagePart<'_>, found: &mut Found) {
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
        ("text", "calendar") | (_, "ics" | "calendar") => found.calendars.extend(ical::read(&content(raw, part))),
        _ if name.ends_with(".ics") => found.calendars.extend(ical::read(&content(raw, part))),
        (_, "delivery-status" | "global-delivery-status") => found.report = Some(report::delivery(&content(raw, part))),
        (_, "disposition-notification") => found.report = Some(Report::Receipt),
        (_, "rfc822-headers" | "global-headers") => found.original = report::message_id_in(&content(raw, part)),
        ("text", "plain") if !attached => {
            let text = content(raw, part);
            if text.contains("-----BEGIN PGP MESSAGE-----") {
                found.unreadable = Some("encrypted (PGP)");
            }
            let flowed =
                kind.and_then(|kind| kind.attribute("format")).is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
            let delete = kind.and_then(|kind| kind.attribute("delsp")).is_some_and(|d| d.eq_ignore_ascii_case("yes"));
            let text = quote::unsigned(&text);
            found.text.push(if flowed { quote::unflowed(&text, delete) } else { text });
        }
        ("text", "html") if !attached => found.html.push(html::visible(&content(raw, part))),
        _ => {}
    }
    if let PartType::Message(inner) = &part.body {
        found.forwarded = true;
        found.original = inner.message_id().map(bracketed).or(found.original.take());
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

/// What the writer wrote, sanitized line by line; `None` if there is no such part.
fn own(texts: &[String], forwarded: &mut bool) -> Option<String> {
    if texts.is_empty() {
        return None;
    }
    let written = quote::own_words(&texts.join("\n"));
    *forwarded |= written.forwarded;
    let mut kept = String::new();
    for line in written.text.lines().flat_map(pieces) {
        let clean = sanitize(&line);
        if kept.chars().count() + clean.chars().count() > LONGEST_TEXT {
            // Whoever judges must see that something is missing.
            kept.push('…');
            break;
        }
        kept.push_str(&clean);
        kept.push('\n');
    }
    Some(kept.trim().to_owned())
}

/// A long line in pieces that the sanitizer does not cut.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut length = 0;
    for c in line.chars() {
        if length >= LONGEST_LINE && (c.is_whitespace() || length > LONGEST_LINE + 60) {
            pieces.push(String::new());
            length = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        length += 1;
    }
    pieces
}

fn chosen(mut calendars: Vec<CalendarPart>) -> Option<CalendarPart> {
    let rank = |part: &CalendarPart| match part.method.as_str() {
        "COUNTER" => 0,
        "REPLY" => 1,
        "" => 3,
        _ => 2,
    };
    // The sort is stable: the first of equal ones counts. Two that contradict each other are no answer at all.
    calendars.sort_by_key(rank);
    let answers = calendars.iter().filter(|part| rank(part) < 2);
    let contradicting = answers.clone().any(|part| answers.clone().any(|other| other.attendees != part.attendees));
    let first = calendars.into_iter().next()?;
    match contradicting {
        true => Some(CalendarPart { events: 2, ..first }),
        false => Some(first),
    }
}

fn bracketed(id: &str) -> String {
    let clean = sanitize(id);
    format!("<{}>", clean.trim_start_matches('<').trim_end_matches('>'))
}

/// What the header says.
fn envelope(message: &Message<'_>) -> Incoming {
    let headers = automatic::headers(message);
    let mut references = ids(message.in_reply_to());
    references.extend(ids(message.references()).into_iter().rev());
    references.truncate(MOST_ADDRESSES);
    let mut recipients: Vec<String> = Vec::new();
    for (name, value) in &headers {
        if matches!(name.as_str(), "delivered-to" | "x-original-to" | "envelope-to" | "x-envelope-to") {
            recipients.extend(value.split(',').map(address));
        }
    }
    let listed = message.all_to().chain(message.all_cc()).flat_map(Address::iter);
    recipients.extend(listed.filter_map(|one| one.address.as_deref()).map(address));
    recipients.retain(|one| one.contains('@'));
    recipients.truncate(MOST_ADDRESSES);
    let subject: String = sanitize(message.subject().unwrap_or_default()).chars().take(LONGEST_SUBJECT).collect();
    let forwarded = quote::is_forward_subject(&fold(&subject));
    Incoming {
        from: sender(message, &headers),
        recipients,
        references,
        forwarded,
        date: message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        automatic: automatic::evidence(&headers, &fold(&subject)),
        authentication: authentication::results(message),
        subject,
        ..Incoming::default()
    }
}

/// Who wrote: one address in one header, or nobody.
fn sender(message: &Message<'_>, headers: &[(String, String)]) -> Option<(String, String)> {
    if headers.iter().filter(|(name, _)| name == "from").count() != 1 {
        return None;
    }
    let mut all = message.from()?.iter();
    let (first, second) = (all.next()?, all.next());
    let address = address(first.address.as_deref()?);
    let name = sanitize(first.name.as_deref().unwrap_or_default());
    (second.is_none() && address.contains('@')).then_some((name, address))
}

fn address(text: &str) -> String {
    sanitize(text).trim_matches(['<', '>', ' ']).to_lowercase()
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(id) => vec![bracketed(id)],
        HeaderValue::TextList(all) => all.iter().rev().take(MOST_ADDRESSES).rev().map(|id| bracketed(id)).collect(),
        _ => Vec::new(),
    }
}
