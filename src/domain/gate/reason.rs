//! Why the gate is shut: each reason names people or things, has its rank among the others, and carries its remedy.

use crate::domain::client::ClientId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the gate is shut, each naming who or what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
#[allow(missing_docs)] // The variants are their own sentences in Display.
pub enum Reason {
    NotPlanned,
    NoAddress {
        client: ClientId,
        name: String,
    },
    NotTold {
        client: ClientId,
        name: String,
    },
    NotDelivered {
        client: ClientId,
        name: String,
        delivery: String,
        /// It came back from the address that they still have: there it would come back again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dead: bool,
    },
    NoAnswer {
        client: ClientId,
        name: String,
    },
    ToRead {
        client: ClientId,
        name: String,
    },
    OldAnswer {
        client: ClientId,
        name: String,
        revision: u32,
        told: bool,
    },
    NotConfirmed {
        client: ClientId,
        name: String,
        answer: String,
    },
    WindowNotOpen {
        opens: Timestamp,
    },
    WindowOver {
        ended: Timestamp,
    },
    NotChecked,
    CheckTooOld {
        at: Timestamp,
    },
    CheckFailed {
        checks: Vec<String>,
        /// What each of them has found, and what to do.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<String>,
    },
    SeenSince {
        /// What a look has seen that the check, run again, would fail by.
        what: String,
    },
    HeldByOther {
        holder: String,
    },
    PeopleUnknown {
        why: String,
    },
    NotApproved {
        why: String,
    },
    NobodyToAsk,
    JournalLost {
        lost: String,
    },
}

/// What takes a reason away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy<'a> {
    /// Plan a window.
    Plan,
    /// Another window, told to everybody.
    Reschedule,
    /// The mail of this window, to those who have not got it.
    Tell,
    /// Correct this person's address before anything is sent to it again, or reach them otherwise.
    Correct(&'a ClientId),
    /// Read this person's mail and decide it.
    Read(&'a ClientId),
    /// Ask this person: record their answer, or waive them.
    Ask(&'a ClientId),
    /// Say why nobody is asked.
    WaiveNobody,
    /// Look again, once what failed is put right.
    Check,
    /// A second operator approves.
    Approve,
    /// Wait until then, UTC.
    Wait(Timestamp),
    /// Somebody else is at work: watch.
    Watch,
    /// Go on although the end of the journal is lost, with a reason.
    Recover,
}

impl Reason {
    /// The client whom this concerns, if it concerns one.
    pub fn client(&self) -> Option<&ClientId> {
        match self {
            Reason::NoAddress { client, .. }
            | Reason::NotTold { client, .. }
            | Reason::NotDelivered { client, .. }
            | Reason::NoAnswer { client, .. }
            | Reason::ToRead { client, .. }
            | Reason::OldAnswer { client, .. }
            | Reason::NotConfirmed { client, .. } => Some(client),
            _ => None,
        }
    }

    /// Which reason is to be taken away first: the lower rank. What voids the work on others comes before them (another
    /// window asks everybody again), waiting comes after what can be done meanwhile.
    pub fn rank(&self) -> u8 {
        match self {
            Reason::HeldByOther { .. } | Reason::JournalLost { .. } => 0,
            Reason::NotPlanned => 1,
            Reason::WindowOver { .. } => 2,
            Reason::NotTold { .. } | Reason::NotDelivered { dead: false, .. } => 3,
            Reason::OldAnswer { told: false, .. } => 3,
            Reason::ToRead { .. } => 4,
            Reason::NotDelivered { .. } => 5,
            Reason::NoAddress { .. }
            | Reason::NoAnswer { .. }
            | Reason::OldAnswer { .. }
            | Reason::NotConfirmed { .. } => 6,
            Reason::PeopleUnknown { .. } => 7,
            Reason::NobodyToAsk => 8,
            Reason::WindowNotOpen { .. } => 9,
            Reason::CheckFailed { .. } | Reason::SeenSince { .. } => 10,
            Reason::NotApproved { .. } => 11,
            Reason::NotChecked | Reason::CheckTooOld { .. } => 12,
        }
    }

    /// The same with what was found, for whoever reads it once and acts.
    pub fn in_full(&self) -> String {
        match self {
            Reason::CheckFailed { found, .. } if !found.is_empty() => {
                format!("the preflight check failed: {}", found.join("; "))
            }
            other => other.to_string(),
        }
    }

    /// What takes it away. `None` where the verb behind the gate does that itself: rotate runs a fresh check.
    pub fn remedy(&self) -> Option<Remedy<'_>> {
        Some(match self {
            Reason::HeldByOther { .. } => Remedy::Watch,
            Reason::JournalLost { .. } => Remedy::Recover,
            Reason::NotPlanned => Remedy::Plan,
            Reason::WindowOver { .. } => Remedy::Reschedule,
            Reason::NotDelivered { client, dead: true, .. } => Remedy::Correct(client),
            Reason::NotTold { .. } | Reason::NotDelivered { .. } | Reason::OldAnswer { told: false, .. } => {
                Remedy::Tell
            }
            Reason::ToRead { client, .. } => Remedy::Read(client),
            Reason::NoAddress { client, .. }
            | Reason::NoAnswer { client, .. }
            | Reason::OldAnswer { client, .. }
            | Reason::NotConfirmed { client, .. } => Remedy::Ask(client),
            Reason::NobodyToAsk => Remedy::WaiveNobody,
            Reason::PeopleUnknown { .. } | Reason::CheckFailed { .. } | Reason::SeenSince { .. } => Remedy::Check,
            Reason::WindowNotOpen { opens } => Remedy::Wait(*opens),
            Reason::NotApproved { .. } => Remedy::Approve,
            Reason::NotChecked | Reason::CheckTooOld { .. } => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NotPlanned => write!(f, "no window is planned"),
            Reason::NoAddress { name, .. } => {
                write!(f, "{name} has no mail address: waive, or add one to the contacts")
            }
            Reason::NotTold { name, .. } => write!(f, "{name} has not been told of this window"),
            Reason::NotDelivered { name, delivery, .. } => write!(f, "the mail to {name} is {delivery}"),
            Reason::NoAnswer { name, .. } => write!(f, "{name} has not answered"),
            Reason::ToRead { name, .. } => write!(f, "a mail of {name} must be read by a person"),
            Reason::OldAnswer { name, revision, told, .. } => {
                write!(f, "{name} answered revision {revision} of the window, not this one")?;
                if *told { Ok(()) } else { write!(f, ", of which they have not been told") }
            }
            Reason::NotConfirmed { name, answer, .. } => write!(f, "{name} answered: {answer}"),
            Reason::WindowNotOpen { opens } => {
                write!(f, "the window opens at {}", opens.strftime("%Y-%m-%d %H:%M UTC"))
            }
            Reason::WindowOver { ended } => write!(f, "the window ended at {}", ended.strftime("%Y-%m-%d %H:%M UTC")),
            Reason::NotChecked => write!(f, "the preflight check has not run"),
            Reason::CheckTooOld { at } => {
                write!(f, "the preflight check of {} is too old", at.strftime("%H:%M:%S UTC"))
            }
            Reason::CheckFailed { checks, .. } => write!(f, "the preflight check failed: {}", checks.join(", ")),
            Reason::SeenSince { what } => write!(f, "seen since the check: {what}"),
            Reason::JournalLost { lost } => f.write_str(lost),
            Reason::HeldByOther { holder } => write!(f, "held by {holder}"),
            Reason::NotApproved { why } => write!(f, "not approved: {why}"),
            Reason::PeopleUnknown { why } => write!(f, "who will be cut off is unknown: {why}"),
            Reason::NobodyToAsk => {
                write!(f, "no client is known, so nobody was asked: find out who is cut off, or say why nobody is")
            }
        }
    }
}
