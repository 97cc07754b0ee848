//! The mails with which the lab's people answer, each in the shape of a mail program that is in use. Who answers when and
//! what is left to `people`.

use base64ct::{Base64, Encoding};
use mail_parser::{MessageParser, MimeHeaders};

use super::chance::hex;
use super::smtp::Mail;
use super::state::{epoch, utc};

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Yes,
    /// Another time: 14:00 on the same day.
    OtherTime,
    /// Neither yes nor no.
    Perhaps,
    /// An absence note.
    Away,
    /// To "are you back?".
    Back,
    NotBack,
}

/// Who answers.
pub(super) struct Writer<'a> {
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    /// Which mail program: the number of the person among the tenant's.
    pub(super) number: usize,
    /// For Message-ID and boundary.
    pub(super) chance: [u8; 8],
}

/// An answer: to which address, and the mail.
pub(super) struct Answer {
    pub(super) to: String,
    pub(super) raw: Vec<u8>,
}

/// The invitation that somebody received.
#[derive(Default)]
struct Invitation {
    lines: Vec<String>,
}

impl Invitation {
    fn of(raw: &[u8]) -> Option<Self> {
        let mail = MessageParser::default().parse(raw)?;
        let part = mail.parts.iter().find(|part| {
            part.content_type().is_some_and(|kind| {
                kind.ctype().eq_ignore_ascii_case("text")
                    && kind.subtype().is_some_and(|sub| sub.eq_ignore_ascii_case("calendar"))
            })
        })?;
        let text = String::from_utf8_lossy(part.contents()).replace("\r\n ", "").replace("\r\n\t", "");
        let event = text.split("BEGIN:VEVENT").nth(1)?.split("END:VEVENT").next()?;
        Some(Self { lines: event.lines().map(str::trim).map(String::from).collect() })
    }

    /// The line of a property, with its parameters.
    fn line(&self, name: &str) -> Option<&str> {
        let begins = |line: &&String| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ';']));
        self.lines.iter().find(begins).map(String::as_str)
    }

    fn value(&self, name: &str) -> &str {
        self.line(name).and_then(|line| line.split_once(':')).map_or("", |(_, value)| value)
    }

    fn organizer(&self) -> Option<&str> {
        let line = self.line("ORGANIZER")?;
        let at = line.to_ascii_lowercase().find("mailto:")?;
        line.get(at + 7..)
    }

    /// The iTIP object; `without` names a property that the program leaves out.
    fn reply(&self, writer: &Writer<'_>, method: &str, status: &str, without: &str) -> String {
        let mut event = vec![
            format!("BEGIN:VCALENDAR\r\nPRODID:-//{}//EN\r\nVERSION:2.0", program(writer.number)),
            format!("METHOD:{method}\r\nBEGIN:VEVENT"),
            format!("UID:{}", self.value("UID")),
            format!("SEQUENCE:{}", Some(self.value("SEQUENCE")).filter(|text| !text.is_empty()).unwrap_or("0")),
            format!("DTSTAMP:{}", utc(epoch(), "%Y%m%dT%H%M%SZ")),
        ];
        for name in ["DTSTART", "DTEND", "ORGANIZER", "SUMMARY"] {
            let Some(line) = self.line(name).filter(|_| name != without) else { continue };
            event.push(match (method, line.rsplit_once('T')) {
                ("COUNTER", Some((day, _))) if name == "DTSTART" => format!("{day}T140000Z"),
                ("COUNTER", Some((day, _))) if name == "DTEND" => format!("{day}T150000Z"),
                _ => line.to_owned(),
            });
        }
        let attendee = format!("ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT={status}:mailto:{}", writer.email);
        event.push(attendee);
        event.push("END:VEVENT\r\nEND:VCALENDAR\r\n".into());
        let folded = event.iter().map(|line| line.split("\r\n").map(fold).collect::<Vec<_>>().join("\r\n"));
        folded.collect::<Vec<_>>().join("\r\n")
    }
}

/// At most 75 octets a line (RFC 5545 3.1).
fn fold(line: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in line.chars() {
        if length + c.len_utf8() > 73 {
            out.push_str("\r\n ");
            length = 1;
        }
        length += c.len_utf8();
        out.push(c);
    }
    out
}

fn program(number: usize) -> &'static str {
    match number % 8 {
        0 => "Google Inc//Google Calendar 70.9054",
        2 => "Microsoft Corporation//Outlook 16.0 MIMEDIR",
        4 => "Apple Inc.//macOS 15.1",
        5 => "Mozilla.org/NONSGML Mozilla Calendar V1.1",
        _ => "ACME//Calendar 3",
    }
}

/// Writes the answer to a mail.
pub(super) fn write(mail: &Mail, writer: &Writer<'_>, says: Says) -> Answer {
    let reply_to = mail.header("Reply-To").or_else(|| mail.header("From")).unwrap_or_else(|| mail.from.clone());
    let reply_to = bare(&reply_to);
    let invitation = Invitation::of(&mail.raw);
    let calendar = match (&invitation, says) {
        (Some(invitation), Says::Yes) if matches!(writer.number % 8, 0 | 1 | 2 | 4 | 5) => {
            let without = if writer.number % 8 == 2 { "ORGANIZER" } else { "" };
            Some(("REPLY", invitation.reply(writer, "REPLY", "ACCEPTED", without), invitation))
        }
        (Some(invitation), Says::OtherTime) => {
            Some(("COUNTER", invitation.reply(writer, "COUNTER", "TENTATIVE", ""), invitation))
        }
        _ => None,
    };
    let Some((method, calendar, invitation)) = calendar else {
        return Answer { raw: text(mail, writer, says, &reply_to), to: reply_to };
    };
    let to = invitation.organizer().map_or(reply_to, str::to_owned);
    let subject = invitation.value("SUMMARY");
    Answer { raw: itip(mail, writer, &to, subject, method, &calendar), to }
}

fn itip(mail: &Mail, writer: &Writer<'_>, to: &str, summary: &str, method: &str, calendar: &str) -> Vec<u8> {
    let boundary = format!("=_{}", hex(&writer.chance));
    let (word, kind) =
        if method == "COUNTER" { ("New Time Proposed", "proposes another time") } else { ("Accepted", "has accepted") };
    let note = format!("{} {kind}\r\n", clean(writer.name));
    let plain = format!("Content-Type: text/plain; charset=\"UTF-8\"\r\n\r\n{note}");
    let seven = |parameters: &str| {
        format!("Content-Type: text/calendar; {parameters}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{calendar}")
    };
    let part = match writer.number % 8 {
        2 => format!(
            "Content-Type: text/calendar; charset=\"utf-8\"; method={method}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            wrapped(calendar.as_bytes())
        ),
        4 => seven(&format!("name=meeting.ics; method={method}; charset=utf-8")),
        _ => seven(&format!("charset=\"UTF-8\"; method={method}")),
    };
    let inner = format!("--{boundary}\r\n{plain}\r\n--{boundary}\r\n{part}\r\n--{boundary}--\r\n");
    let (more, subject, body) = match writer.number % 8 {
        0 => {
            let outer = format!("{boundary}o");
            let file = format!(
                "Content-Type: application/ics; name=\"invite.ics\"\r\nContent-Disposition: attachment; filename=\"invite.ics\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\n{}",
                wrapped(calendar.as_bytes())
            );
            (
                "Sender: Google Calendar <calendar-notification@google.com>\r\nAuto-Submitted: auto-generated\r\n"
                    .to_owned(),
                format!("{word}: {summary}"),
                format!(
                    "Content-Type: multipart/mixed; boundary=\"{outer}\"\r\n\r\n--{outer}\r\nContent-Type: multipart/alternative; \
                     boundary=\"{boundary}\"\r\n\r\n{inner}\r\n--{outer}\r\n{file}\r\n--{outer}--\r\n"
                ),
            )
        }
        2 => (
            format!("{}X-MS-Has-Attach:\r\nThread-Topic: {}\r\n", thread(mail), encoded(summary)),
            format!("Zugesagt: {summary}"),
            format!("Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n{inner}"),
        ),
        5 => (
            "User-Agent: Mozilla Thunderbird\r\n".to_owned(),
            format!("Invitation {word}: {summary}"),
            format!("Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n{inner}"),
        ),
        _ => (
            String::new(),
            format!("{word}: {summary}"),
            format!("Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n{inner}"),
        ),
    };
    format!("{}{more}{body}", head(writer, to, &subject)).into_bytes()
}

fn text(mail: &Mail, writer: &Writer<'_>, says: Says, to: &str) -> Vec<u8> {
    let subject = mail.header("Subject").unwrap_or_default();
    let words = match (says, writer.number % 8) {
        (Says::Yes, 3) => "ok, passt",
        (Says::Yes, 0 | 6) => "Yes.",
        (Says::Yes, _) => "confirmed",
        (Says::OtherTime, _) => "Not then, please. Another time: 14:00",
        (Says::Perhaps, _) => "should be fine, will check tomorrow?",
        (Says::Away, _) => "I am out of the office until Monday. Your mail is not forwarded.",
        (Says::Back, _) => "Yes, I am back.",
        (Says::NotBack, _) => "No, still not connected.",
    };
    let (mark, subject) = match says {
        Says::Away => {
            ("Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n", format!("Out of office: {subject}"))
        }
        _ => ("", format!("Re: {subject}")),
    };
    // A copy of what is answered, below the answer, as most programs put it.
    let quoted = match says {
        Says::Away => String::new(),
        _ => {
            let parsed = MessageParser::default().parse(&mail.raw);
            let body = parsed.and_then(|mail| mail.body_text(0).map(|text| text.into_owned())).unwrap_or_default();
            let lines: String = body.lines().map(|line| format!("> {line}\r\n")).collect();
            format!("\r\nOn {}, VPN Operations wrote:\r\n{lines}", utc(epoch(), "%a, %d %b %Y at %H:%M"))
        }
    };
    let body = format!("{words}\r\n\r\n{}\r\n{quoted}", clean(writer.name));
    let kind = "Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    format!("{}{}{mark}{kind}{}", head(writer, to, &subject), thread(mail), wrapped(body.as_bytes())).into_bytes()
}

fn head(writer: &Writer<'_>, to: &str, subject: &str) -> String {
    let domain = writer.email.rsplit_once('@').map_or("lab.example", |(_, domain)| domain);
    format!(
        "From: {} <{}>\r\nTo: <{to}>\r\nSubject: {}\r\nMessage-ID: <{}@{domain}>\r\nDate: {}\r\nMIME-Version: 1.0\r\n",
        encoded(writer.name),
        writer.email,
        encoded(subject),
        hex(&writer.chance),
        utc(epoch(), "%a, %d %b %Y %H:%M:%S +0000"),
    )
}

/// In-Reply-To and References of an answer (RFC 5322 3.6.4).
fn thread(mail: &Mail) -> String {
    let Some(id) = mail.header("Message-ID") else { return String::new() };
    let before = mail.header("References").map(|list| format!("{list} ")).unwrap_or_default();
    format!("In-Reply-To: {id}\r\nReferences: {before}{id}\r\n")
}

fn bare(mailbox: &str) -> String {
    let inner = mailbox.rsplit_once('<').map(|(_, rest)| rest.trim_end().trim_end_matches('>'));
    inner.unwrap_or(mailbox).trim().to_owned()
}

/// One line without control characters.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// As an encoded word, if need be.
fn encoded(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -.:,/?=_".contains(&byte));
    if plain { text.to_owned() } else { format!("=?utf-8?B?{}?=", Base64::encode_string(clean(text).as_bytes())) }
}

fn wrapped(bytes: &[u8]) -> String {
    let text = Base64::encode_string(bytes);
    text.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
}

/// What the mail server of somebody who can't be reached sends back (RFC 3464).
pub(super) fn bounce(mail: &Mail, recipient: &str, chance: [u8; 8]) -> Answer {
    let mark = hex(&chance);
    let id = mail.header("Message-ID").unwrap_or_default();
    let text = "550 5.1.1 The address does not exist any more";
    let head = format!(
        "From: Mail Delivery System <MAILER-DAEMON@mx.lab.example>\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n\
         Date: {date}\r\nMessage-ID: <{mark}@mx.lab.example>\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: {id}\r\n\
         References: {id}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; \
         boundary=\"{mark}\"\r\n\r\n",
        to = mail.from,
        date = utc(epoch(), "%a, %d %b %Y %H:%M:%S +0000"),
    );
    let body = format!(
        "--{mark}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nI could not deliver your mail to {recipient}.\r\n\
         {text}\r\n--{mark}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.lab.example\r\n\
         X-Original-Message-ID: {id}\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; {text}\r\n\r\n--{mark}\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\n\
         Subject: {subject}\r\n\r\n--{mark}--\r\n",
        subject = mail.header("Subject").unwrap_or_default(),
    );
    Answer { to: mail.from.clone(), raw: (head + &body).into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    const UID: &str = "gaytemzugu3doobzmfrggzdf@lab.example";

    fn invitation() -> Mail {
        let event = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{UID}\r\nSEQUENCE:2\r\n\
             DTSTAMP:20261127T100000Z\r\nDTSTART:20261201T220000Z\r\nDTEND:20261201T230000Z\r\n\
             ORGANIZER;CN=\"VPN: Operations\":mailto:vpn-ops@lab.\r\n example\r\n\
             ATTENDEE;RSVP=TRUE:mailto:ada@acme.example\r\nSUMMARY:VPN maintenance\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let raw = format!(
            "From: VPN Operations <vpn-ops@lab.example>\r\nReply-To: <vpn-ops+x.1@lab.example>\r\nSubject: VPN maintenance\r\n\
             Message-ID: <a@lab.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nPlease answer.\r\n--b\r\nContent-Type: text/calendar; charset=utf-8; \
             method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
            wrapped(event.as_bytes())
        );
        Mail {
            from: "vpn-ops@lab.example".into(),
            to: vec!["ada@acme.example".into()],
            raw: raw.into_bytes(),
            at: SystemTime::now(),
        }
    }

    fn answer(number: usize, says: Says) -> (Answer, String) {
        let writer = Writer { name: "Ada Ökafor", email: "ada@acme.example", number, chance: [7; 8] };
        let answer = write(&invitation(), &writer, says);
        let calendar = Invitation::of(&answer.raw).map(|found| found.lines.join("\n")).unwrap_or_default();
        (answer, calendar)
    }

    #[test]
    fn a_calendar_answers_the_organizer_with_uid_and_sequence_of_the_invitation() {
        for number in [0, 1, 2, 4, 5] {
            let (answer, calendar) = answer(number, Says::Yes);
            assert_eq!(answer.to, "vpn-ops@lab.example");
            for line in [&format!("UID:{UID}"), "SEQUENCE:2", "DTSTART:20261201T220000Z"] {
                assert!(calendar.contains(line), "{number}: {calendar}");
            }
            assert!(calendar.contains("PARTSTAT=ACCEPTED:mailto:ada@acme.example"), "{calendar}");
            assert_eq!(calendar.contains("ORGANIZER"), number != 2, "Outlook leaves it out");
        }
        let (_, counter) = answer(1, Says::OtherTime);
        assert!(counter.contains("DTSTART:20261201T140000Z"), "{counter}");
    }

    #[test]
    fn words_go_to_the_reply_address_and_name_the_mail_that_they_answer() {
        for (number, says, words) in
            [(3, Says::Yes, "ok, passt"), (7, Says::Perhaps, "tomorrow?"), (0, Says::NotBack, "No, still")]
        {
            let (answer, calendar) = answer(number, says);
            assert_eq!((answer.to.as_str(), calendar.as_str()), ("vpn-ops+x.1@lab.example", ""));
            let mail = MessageParser::default().parse(&answer.raw).unwrap();
            assert_eq!(mail.in_reply_to().as_text(), Some("a@lab.example"));
            let text = mail.body_text(0).unwrap();
            assert!(text.contains(words) && text.contains("> Please answer."), "{text}");
            assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Ada Ökafor"));
        }
    }
}
