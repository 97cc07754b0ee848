//! A mail that arrived, as far as a rule looks at it: who answers, to what, and with which words.
//!
//! Every text in it is sanitized and bounded by whoever read it; nothing that a person would see is left out, and nothing is judged.

use jiff::Timestamp;

/// One incoming mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// What recognises the mail wherever and however often it is read, hex: a digest of its Message-ID and of what it says.
    pub identity: String,
    /// Who wrote, if the header can be read: display name and address, the address in lower case.
    pub from: Option<(String, String)>,
    /// Who sent it in their name or sent it on, by `Sender` and `Resent-From`: another mailbox, lower case.
    pub sent_by: Option<String>,
    /// Every address that it was sent or delivered to (To, Cc, Delivered-To, X-Original-To, Envelope-To), lower case.
    pub recipients: Vec<String>,
    /// Those of them in To, lower case.
    pub to: Vec<String>,
    /// Those of them in Cc, lower case.
    pub cc: Vec<String>,
    /// The Message-IDs that it refers to, with angle brackets: In-Reply-To first, then References from the last to the first.
    pub references: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// Its Date header, UTC.
    pub date: Option<Timestamp>,
    /// The iCalendar part.
    pub calendar: Option<CalendarPart>,
    /// The machine-readable part of a report (RFC 3464 delivery status, RFC 8098 receipt), or of a bounce in plain text.
    pub report: Option<Report>,
    /// Why its headers show that a program wrote it: `Auto-Submitted: auto-replied`, …
    pub automatic: Option<Automatic>,
    /// The plain text parts, whole. `None` if there is no such part.
    pub text: Option<Body>,
    /// The same of the HTML parts.
    pub html: Option<Body>,
    /// What hangs on it that may say something and is not read here, by name and type: documents, pictures that no part shows, ….
    pub attachments: Vec<String>,
    /// Whether it forwards a mail, by its subject or a mail attached: its words may then be meant for somebody else.
    pub forwarded: bool,
    /// Why it can't be read as a whole: encrypted, TNEF, too large, too many parts.
    pub unreadable: Option<String>,
    /// Its Authentication-Results headers (RFC 8601), the topmost first: whoever is passed by puts one on top.
    pub authentication: Vec<Authentication>,
}

/// What one mail server says of a sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// Who says so, lower case.
    pub authserv_id: String,
    /// The results of DMARC.
    pub dmarc: Vec<Dmarc>,
}

/// A result of DMARC (RFC 7489).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dmarc {
    /// `pass`, `fail`, `none`, …, lower case.
    pub result: String,
    /// The domain of the From header for which it was reached (`header.from`), lower case.
    pub from: Option<String>,
}

/// The text of one form of a mail, line by line as a person would see it, quoted mails and signatures included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The lines from the first to the last; empty ones part paragraphs.
    pub lines: Vec<Line>,
}

impl From<&str> for Body {
    /// Plain lines.
    fn from(text: &str) -> Self {
        Self { lines: text.lines().map(|line| Line { text: line.to_owned(), ..Line::default() }).collect() }
    }
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What it says, without marks of quoting.
    pub text: String,
    /// How many marks of quoting it has: `>` in front, quoting elements around it.
    pub depth: u8,
    /// How it is shown.
    pub look: Look,
}

/// How a piece of text is shown, which decides whether it can be somebody's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// As text.
    #[default]
    Plain,
    /// Struck through.
    Struck,
    /// Not to be seen, or hardly: hidden, tiny, in the colour of what is behind it.
    Hidden,
    /// Beside the text: the words of a picture, of a button or a field, of an attached text.
    Aside,
}

/// How sure it is that a program wrote a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Automatic {
    /// An answer of a program in place of the person: absence notes, resource mailboxes. The header that says so.
    Reply(String),
    /// Generated, which calendars also say of the answer that a person gave by a button. The header that says so.
    Generated(String),
}

/// What the iCalendar part says (RFC 5546, RFC 6047).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarPart {
    /// `REPLY`, `COUNTER`, …, upper case; empty if there is none.
    pub method: String,
    /// The event's UID.
    pub uid: String,
    /// The event's SEQUENCE, if it is given.
    pub sequence: Option<u32>,
    /// DTSTAMP, UTC.
    pub stamp: Option<Timestamp>,
    /// DTSTART, UTC, where its zone could be resolved.
    pub start: Option<Timestamp>,
    /// DTSTART as written with its zone, for people.
    pub start_text: String,
    /// DTEND, UTC, where its zone could be resolved.
    pub end: Option<Timestamp>,
    /// DTEND as written with its zone, for people.
    pub end_text: String,
    /// Whether it has a DURATION in place of an end, which no invitation of ours has.
    pub lasts: bool,
    /// SUMMARY, DESCRIPTION and LOCATION, line by line.
    pub said: Vec<String>,
    /// ORGANIZER: to whom it answers, the address in lower case.
    pub organizer: Option<String>,
    /// Those who answer.
    pub attendees: Vec<Attendee>,
    /// COMMENT and what programs write in its place.
    pub comment: String,
    /// The number of events in it.
    pub events: usize,
    /// The names of what else it holds that no answer needs, and that is not read.
    pub other: Vec<String>,
}

/// One ATTENDEE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attendee {
    /// The address without `mailto:`, lower case.
    pub email: String,
    /// CN.
    pub name: String,
    /// PARTSTAT, upper case; `NEEDS-ACTION` if it is not given (RFC 5545 3.2.12).
    pub status: String,
    /// CUTYPE, upper case; `INDIVIDUAL` if it is not given.
    pub kind: String,
    /// SENT-BY: somebody acts for them.
    pub sent_by: Option<String>,
    /// DELEGATED-TO or DELEGATED-FROM: somebody else takes part.
    pub delegated: Option<String>,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// What became of a mail of ours.
    Delivery {
        /// For which recipients.
        recipients: Vec<DeliveryReport>,
        /// The Message-ID of the mail that it is about, with angle brackets.
        message_id: Option<String>,
    },
    /// It was displayed, or deleted unread. Says nothing about agreeing.
    Receipt,
}

/// One recipient's part of a delivery report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Final-Recipient or Original-Recipient, lower case.
    pub recipient: String,
    /// What happened.
    pub action: DeliveryAction,
    /// Enhanced status and the remote server's words.
    pub reason: String,
}

/// RFC 3464 2.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryAction {
    /// Nobody got it, and nothing more is tried.
    Failed,
    /// Still trying.
    Delayed,
    /// Delivered, relayed or expanded.
    Other,
}
