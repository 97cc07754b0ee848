//! What a client answered, to which revision of which window, and how the operator came to know.

use crate::domain::client::ClientId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A client's answer. Only `Confirmed` opens the gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", content = "proposal")]
pub enum Answer {
    /// Aware of the downtime and ready to reconfigure.
    Confirmed,
    /// Can't or won't.
    Declined,
    /// Perhaps.
    Tentative,
    /// Asks for another time, in the client's words.
    OtherTime(String),
}

impl Answer {
    /// The word on the screen and in `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Answer::Confirmed => "confirmed",
            Answer::Declined => "declined",
            Answer::Tentative => "tentative",
            Answer::OtherTime(_) => "other time",
        }
    }
}

/// How an answer reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// By telephone, recorded by the operator.
    Phone,
    /// By chat, recorded by the operator.
    Chat,
    /// By mail, read by the operator.
    Mail,
    /// Read from the mailbox by changeguard itself.
    Mailbox,
}

impl Channel {
    /// The word on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Phone => "phone",
            Channel::Chat => "chat",
            Channel::Mail => "mail",
            Channel::Mailbox => "mailbox",
        }
    }
}

/// One answer of one client to one revision of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who answered.
    pub client: ClientId,
    /// The revision of the window that was answered; another revision's answer doesn't count.
    pub revision: u32,
    /// What was answered.
    #[serde(flatten)]
    pub answer: Answer,
    /// How it reached us.
    pub channel: Channel,
    /// The operator's note, sanitized.
    pub note: String,
    /// Who recorded it.
    pub by: String,
    /// When it was recorded, UTC.
    pub at: Timestamp,
    /// When it was said, by the sender's clock, where it came as a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
    /// When the mail was read that an operator has decided: until then its writer was reached, whenever it was decided.
    #[serde(skip)]
    pub read_at: Option<Timestamp>,
    /// Number of the record of that mail, where it came as one: several are read at one moment, in the order of their arrival.
    #[serde(skip)]
    pub read_as: Option<u64>,
}

impl Acknowledgement {
    /// As an operator or this program has recorded it.
    pub fn recorded(
        client: ClientId,
        revision: u32,
        answer: Answer,
        channel: Channel,
        note: String,
        by: String,
        at: Timestamp,
    ) -> Self {
        Self { client, revision, answer, channel, note, by, at, said_at: None, read_at: None, read_as: None }
    }

    /// Up to when it shows that the client was reached, UTC.
    pub fn reached_at(&self) -> Timestamp {
        self.read_at.unwrap_or(self.at)
    }
}

/// An operator's recorded exception for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Who is waived.
    pub client: ClientId,
    /// Why, typed by the operator; never empty.
    pub reason: String,
    /// Who waived.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
}
