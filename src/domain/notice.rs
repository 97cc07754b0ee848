//! Mails to clients: their kinds, how delivery stands, and the words for it.

use crate::domain::client::{Client, ClientId};
use crate::domain::token::Topic;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Step 1: the window, what breaks, what to do afterwards.
    Announcement,
    /// To those who have not answered.
    Reminder,
    /// The window has changed; earlier answers are void.
    Change,
    /// The rotation will not happen.
    Cancellation,
    /// Step 7: download and re-import the configuration now.
    Reconfigure,
    /// To those of whom no sign shows that they have reconfigured.
    AreYouBack,
    /// Everybody is back.
    AllClear,
    /// Step 1 of an emergency: it happens now, no answer is waited for.
    Emergency,
}

impl NoticeKind {
    /// Every kind, in the order of a rotation.
    pub const ALL: [NoticeKind; 8] = [
        NoticeKind::Announcement,
        NoticeKind::Reminder,
        NoticeKind::Change,
        NoticeKind::Cancellation,
        NoticeKind::Reconfigure,
        NoticeKind::AreYouBack,
        NoticeKind::AllClear,
        NoticeKind::Emergency,
    ];

    /// The word in records, `--kind`, template file names and the header `X-Changeguard-Kind`.
    pub fn word(self) -> &'static str {
        match self {
            NoticeKind::Announcement => "announcement",
            NoticeKind::Reminder => "reminder",
            NoticeKind::Change => "change",
            NoticeKind::Cancellation => "cancellation",
            NoticeKind::Reconfigure => "reconfigure",
            NoticeKind::AreYouBack => "are-you-back",
            NoticeKind::AllClear => "all-clear",
            NoticeKind::Emergency => "emergency",
        }
    }

    /// The question that an answer to this mail answers.
    pub fn topic(self) -> Topic {
        match self {
            NoticeKind::Reconfigure | NoticeKind::AreYouBack | NoticeKind::AllClear => Topic::Back,
            _ => Topic::Window,
        }
    }

    /// Whether this mail tells a person the window, so that an answer to it makes sense.
    pub fn tells_window(self) -> bool {
        use NoticeKind::{Announcement, Change, Emergency, Reminder};
        matches!(self, Announcement | Reminder | Change | Emergency)
    }
}

/// Which key a mail tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyTold {
    /// A new one.
    #[default]
    New,
    /// A new one once more: clients may have downloaded another since the rotation began.
    Again,
    /// The one from before the rotation is live again.
    Previous,
}

/// How the delivery of one mail stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "delivery")]
pub enum Delivery {
    /// Journaled with its Message-ID, not yet handed over. After a crash: uncertain.
    Queued,
    /// Accepted by the mail server.
    Sent {
        /// Its reply, sanitized.
        reply: String,
    },
    /// Refused; nobody got it.
    Failed {
        /// A 5xx: trying again does not help.
        permanent: bool,
        /// The reply, sanitized.
        reply: String,
    },
    /// Accepted, and then returned by a mail server on the way.
    Bounced {
        /// What that server said, sanitized.
        reply: String,
    },
    /// May have been accepted: the answer was lost. Sending again may give the person two.
    Uncertain {
        /// Why.
        why: String,
    },
}

/// How a reply begins that is about us and not about whom the mail was for: it goes to nobody until that is put right.
pub const REFUSES_US: &str = "the mail server refuses us as the sender";

impl Delivery {
    /// The word on the screen and in `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            Delivery::Queued => "queued",
            Delivery::Sent { .. } => "sent",
            Delivery::Failed { permanent: true, .. } => "refused",
            Delivery::Failed { permanent: false, .. } => "deferred",
            Delivery::Bounced { .. } => "bounced",
            Delivery::Uncertain { .. } => "uncertain",
        }
    }
}

/// One mail to one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// To whom.
    pub client: ClientId,
    /// The address at that time.
    pub email: String,
    /// What for.
    pub kind: NoticeKind,
    /// The window's revision that it tells.
    pub revision: u32,
    /// Fixed and journaled before sending.
    pub message_id: String,
    /// How it stands.
    pub delivery: Delivery,
    /// When it got that state, UTC.
    pub at: Timestamp,
}

impl Notice {
    /// It came back from the address that this person still has: the same mail to it would come back again.
    pub fn came_back_from(&self, client: &Client) -> bool {
        let is_theirs = client.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(&self.email));
        is_theirs && matches!(self.delivery, Delivery::Bounced { .. })
    }
}
