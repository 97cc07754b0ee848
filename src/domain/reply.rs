//! What an incoming mail means: one pure function from what stands in it and what was asked to a verdict with its evidence.
//!
//! Anything doubtful is unclear, never confirmed.

use crate::domain::letter::Incoming;
use crate::domain::token::Topic;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the mail belongs to: found by its token, its UID or the Message-ID that it refers to.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// What was asked in the mail that is answered.
    pub topic: Topic,
    /// The revision of the window in the mail that is answered, by reference or reply address. The SEQUENCE of a calendar
    /// answer (revision - 1) counts more.
    pub revision: u32,
    /// The revision in force.
    pub present: u32,
    /// Start and end of the window in force, UTC.
    pub window: (Timestamp, Timestamp),
    /// The client's name.
    pub name: &'a str,
    /// The client's address.
    pub email: &'a str,
    /// The addresses of the other clients of this rotation, lower case.
    pub others: &'a [String],
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "detail")]
pub enum Verdict {
    /// Yes: the window suits them; or: they are back.
    Confirmed,
    /// No: it does not; or: they are not back.
    Declined,
    /// Perhaps.
    Tentative,
    /// Another time is proposed; when.
    OtherTime(String),
    /// A program answered: absence, receipt, list. Why that is known.
    Automatic(String),
    /// A mail of ours did not arrive; why.
    Bounced(String),
    /// A mail of ours is still on its way; why.
    Delayed(String),
    /// A person must read it; why.
    Unclear(String),
    /// Nothing that concerns us; why.
    Unrelated(String),
}

impl Verdict {
    /// The words on the screen and in `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Confirmed => "confirmed",
            Verdict::Declined => "declined",
            Verdict::Tentative => "tentative",
            Verdict::OtherTime(_) => "other time",
            Verdict::Automatic(_) => "automatic",
            Verdict::Bounced(_) => "bounced",
            Verdict::Delayed(_) => "delayed",
            Verdict::Unclear(_) => "unclear",
            Verdict::Unrelated(_) => "unrelated",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Confirmed | Verdict::Declined | Verdict::Tentative => f.write_str(self.word()),
            Verdict::OtherTime(detail)
            | Verdict::Automatic(detail)
            | Verdict::Bounced(detail)
            | Verdict::Delayed(detail)
            | Verdict::Unclear(detail)
            | Verdict::Unrelated(detail) => write!(f, "{}: {detail}", self.word()),
        }
    }
}

/// By what the verdict was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// An iTIP part.
    Calendar,
    /// The words.
    Text,
    /// A delivery report.
    Report,
    /// The headers.
    Headers,
}

/// A verdict with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// What was said.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// To which question.
    pub topic: Topic,
    /// To which revision. An answer to an older one does not count.
    pub revision: u32,
    /// By what it is known.
    pub means: Means,
    /// What an operator should know besides: another address, somebody on behalf, an older revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// A few lines of it, at most 5 of at most 200 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// When it was said, by the sender's clock: DTSTAMP or Date, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
}

/// Judges a mail that belongs to a client of ours.
pub fn hear(letter: &Incoming, asked: &Asked<'_>) -> Heard {
    Heard {
        verdict: Verdict::Unclear("not read".into()),
        topic: asked.topic,
        revision: asked.revision,
        means: Means::Headers,
        marks: Vec::new(),
        evidence: Vec::new(),
        said_at: letter.date,
    }
}
