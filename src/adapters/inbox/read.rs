//! From the bytes of a mail to what a rule looks at: bounded, sanitized, and without a judgement.
//!
//! Fetching is left to the mailbox, the meaning to `domain::reply`.

mod authentication;
mod automatic;
mod fields;
mod html;
mod ical;
mod lines;
mod part;
mod plain;
mod report;
mod style;

use crate::domain::address::same_mailbox;
use crate::domain::letter::{Automatic, Incoming, Report};
use crate::domain::reply::words::fold;
use crate::domain::sanitize::sanitize;
use jiff::Timestamp;
use mail_parser::{Address, HeaderValue, Message, MessageParser};
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

fn parts(raw: &[u8]) -> Incoming {
    let Some(message) = MessageParser::default().parse(raw) else {
        let unreadable = Some("it is no mail".into());
        return Incoming { identity: digest(&[raw]), unreadable, ..Incoming::default() };
    };
    if message.parts.len() > MOST_PARTS {
        return headers_only(raw, "too many parts");
    }
    let mut incoming = envelope(&message);
    let owner = incoming.from.iter().flat_map(|(name, address)| {
        let words = format!("{name} {address}").to_lowercase();
        words.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>()
    });
    let mut found = part::Found::default();
    found.owner = owner.filter(|word| word.len() > 2).collect();
    // Attached mails hold parts of their own: they are not in this list, so what they say is not taken for this mail's.
    for part in &message.parts {
        part::gather(raw, part, &mut found);
    }
    found.finish();
    let mut report = found.report.take();
    if report.is_none() {
        report = report::in_plain_text(&automatic::headers(&message), &incoming, &found.plain);
    }
    if let Some(Report::Delivery { message_id, .. }) = &mut report {
        *message_id = message_id.take().or(found.original.take());
        // A report has no References of its own, and the mail that it is about is what it refers to.
        incoming.references.extend(message_id.iter().cloned());
        found.forwarded = false;
    }
    if found.text.is_full || found.html.is_full {
        found.unreadable.get_or_insert("longer than is read");
    }
    let some = |lines: lines::Lines, is_there: bool| is_there.then(|| lines.into_body());
    (incoming.text, incoming.html) = (some(found.text, found.has_text), some(found.html, found.has_html));
    incoming.calendar = part::chosen(found.calendars, &mut found.attachments);
    incoming.attachments = found.attachments;
    incoming.report = report;
    incoming.unreadable = found.unreadable.map(str::to_owned);
    incoming.forwarded |= found.forwarded;
    let said = format!("{:?}{:?}{:?}{:?}", incoming.calendar, incoming.report, incoming.text, incoming.html);
    let sender = format!("{:?}{:?}{}", incoming.from, incoming.date, incoming.subject);
    incoming.identity =
        digest(&[message.message_id().unwrap_or_default().as_bytes(), sender.as_bytes(), said.as_bytes()]);
    if !matches!(incoming.automatic, Some(Automatic::Reply(_))) {
        // What the writer wrote, as far as the marks of quoting tell: our own mail may speak of automatic answers.
        let own = [&incoming.text, &incoming.html].into_iter().flatten().find_map(|body| {
            let own = body.lines.iter().filter(|line| line.depth == 0).map(|line| line.text.as_str());
            automatic::says_so(&fold(&own.collect::<Vec<_>>().join(" ")))
        });
        incoming.automatic = own.or(incoming.automatic);
    }
    incoming
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
    let listed = |one: &Address<'_>| -> Vec<String> {
        one.iter().filter_map(|one| one.address.as_deref()).map(address).filter(|one| one.contains('@')).collect()
    };
    let mut to: Vec<String> = message.all_to().flat_map(listed).collect();
    let mut cc: Vec<String> = message.all_cc().flat_map(listed).collect();
    to.truncate(MOST_ADDRESSES);
    cc.truncate(MOST_ADDRESSES);
    let mut recipients: Vec<String> = Vec::new();
    for (name, value) in &headers {
        if matches!(name.as_str(), "delivered-to" | "x-original-to" | "envelope-to" | "x-envelope-to") {
            recipients.extend(value.split(',').map(address));
        }
    }
    recipients.retain(|one| one.contains('@'));
    recipients.extend(to.iter().chain(&cc).cloned());
    recipients.truncate(MOST_ADDRESSES);
    let subject: String = sanitize(message.subject().unwrap_or_default()).chars().take(LONGEST_SUBJECT).collect();
    let forwarded = is_forward_subject(&fold(&subject));
    let from = sender(message, &headers);
    Incoming {
        sent_by: from.as_ref().and_then(|(_, from)| sent_by(&headers, from)),
        from,
        recipients,
        to,
        cc,
        references,
        forwarded,
        date: message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        automatic: automatic::evidence(&headers, &fold(&subject)),
        authentication: authentication::results(message),
        subject,
        ..Incoming::default()
    }
}

/// Whether a subject, folded, says that a mail was forwarded.
fn is_forward_subject(subject: &str) -> bool {
    ["fwd:", "fw:", "wg:", "tr:", "rv:", "tr :", "rv :", "fwd :", "i:", "enc:", "wtr:"]
        .iter()
        .any(|start| subject.starts_with(start))
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

/// Who sent it in the writer's name, or sent it on: `Sender` and `Resent-From` with another mailbox. What programs write there of
/// themselves is nobody.
fn sent_by(headers: &[(String, String)], from: &str) -> Option<String> {
    let listed = headers.iter().any(|(name, _)| name == "list-id");
    let named = headers.iter().filter(|(name, _)| matches!(name.as_str(), "sender" | "resent-from" | "resent-sender"));
    let mut all = named.flat_map(|(name, value)| {
        let words = value.split([' ', ',', ';', '<', '>', '(', ')', '"']).filter(|word| word.contains('@'));
        let mut found: Vec<String> = words.map(address).collect();
        // Nobody can be told from it.
        found.extend((found.is_empty() && !value.trim().is_empty()).then(|| value.clone()));
        found.into_iter().map(move |address| (name == "sender", address))
    });
    all.find(|(sender, address)| !(same_mailbox(address, from) || *sender && is_program(address, from, listed)))
        .map(|(_, address)| address)
}

/// Whether lists, calendars and senders of newsletters write this of themselves.
fn is_program(address: &str, from: &str, listed: bool) -> bool {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let of_list = local.contains("-bounces") || local.starts_with("owner-") || local.ends_with("-owner");
    let programs = ["calendar-notification", "noreply", "no-reply", "notifications", "bounce", "bounces"];
    let abroad = from.rsplit_once('@').is_none_or(|(_, ours)| {
        let within = |inner: &str, outer: &str| inner == outer || inner.ends_with(&format!(".{outer}"));
        !within(domain, ours) && !within(ours, domain)
    });
    of_list && (listed || abroad) || abroad && programs.contains(&local)
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
