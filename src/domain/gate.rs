//! The gate before rotate: one pure function that the screen shows and the engine enforces.

use crate::domain::acknowledgement::{Acknowledgement, Answer, Waiver};
use crate::domain::client::{Client, ClientId};
use crate::domain::notice::{Delivery, Notice};
use crate::domain::preflight::Preflight;
use crate::domain::window::{Window, WindowState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Everything the gate looks at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The window, if a rotation is planned.
    pub window: Option<&'a Window>,
    /// Everybody who will be cut off, as seen now; `None` if that could not be found out.
    pub clients: Option<&'a [Client]>,
    /// Why the people are unknown, when they are.
    pub people_fault: Option<&'a str>,
    /// All mails of this rotation.
    pub notices: &'a [Notice],
    /// The last acknowledgement of each client.
    pub acknowledgements: &'a BTreeMap<ClientId, Acknowledgement>,
    /// The waivers.
    pub waivers: &'a BTreeMap<ClientId, Waiver>,
    /// Clients whose last mail a person must read.
    pub to_read: &'a BTreeSet<ClientId>,
    /// The last run of step 2.
    pub preflight: Option<&'a Preflight>,
    /// How long a green run of step 2 counts, s.
    pub preflight_valid_s: i64,
    /// Who else holds the tenant, if anybody: `name on host since …`.
    pub held_by: Option<&'a str>,
    /// The second operator's word.
    pub approval: ApprovalFact,
    /// A suspected compromise goes first: people, window and approval are not waited for, and a mail server that can't be
    /// reached does not stop it.
    pub emergency: bool,
}

/// Checks whose failure does not stop an emergency: nothing of the key depends on them.
const NOT_OF_THE_KEY: [&str; 2] = ["mail", "console"];

/// What four eyes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApprovalFact {
    /// None is asked for.
    NotNeeded,
    /// Approved by somebody else, for this very plan.
    Given {
        /// By whom.
        by: String,
        /// Until when, UTC.
        expires: Timestamp,
    },
    /// Not (any more), and why.
    Missing(String),
}

/// Why the gate is shut, each naming who or what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
#[allow(missing_docs)] // The variants are their own sentences in Display.
pub enum Reason {
    NotPlanned,
    NoAddress { client: ClientId, name: String },
    NotTold { client: ClientId, name: String },
    NotDelivered { client: ClientId, name: String, delivery: String },
    NoAnswer { client: ClientId, name: String },
    ToRead { client: ClientId, name: String },
    OldAnswer { client: ClientId, name: String, revision: u32 },
    NotConfirmed { client: ClientId, name: String, answer: String },
    WindowNotOpen { opens: Timestamp },
    WindowOver { ended: Timestamp },
    NotChecked,
    CheckTooOld { at: Timestamp },
    CheckFailed { checks: Vec<String> },
    HeldByOther { holder: String },
    PeopleUnknown { why: String },
    NotApproved { why: String },
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
            Reason::OldAnswer { name, revision, .. } => {
                write!(f, "{name} answered revision {revision} of the window, not this one")
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
            Reason::CheckFailed { checks } => write!(f, "the preflight check failed: {}", checks.join(", ")),
            Reason::HeldByOther { holder } => write!(f, "held by {holder}"),
            Reason::NotApproved { why } => write!(f, "not approved: {why}"),
            Reason::PeopleUnknown { why } => write!(f, "who will be cut off is unknown: {why}"),
        }
    }
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "gate", content = "reasons")]
pub enum Verdict {
    /// Rotate may start.
    Open,
    /// It may not, for all of these reasons.
    Shut(Vec<Reason>),
    /// It can't be told, so it is treated as shut; the unknown comes first.
    Unknown(Vec<Reason>),
}

impl Verdict {
    /// Rotate may start.
    pub fn is_open(&self) -> bool {
        matches!(self, Verdict::Open)
    }

    /// All reasons, none when open.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Verdict::Open => &[],
            Verdict::Shut(reasons) | Verdict::Unknown(reasons) => reasons,
        }
    }
}

/// Judges the gate of step 4 (rotate) from facts and the moment, and from nothing else.
pub fn judge(facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let mut reasons = Vec::new();
    let unknown = match (facts.clients, facts.window) {
        _ if facts.emergency => false,
        (None, _) => {
            let why = facts.people_fault.unwrap_or("not looked yet").to_owned();
            reasons.push(Reason::PeopleUnknown { why });
            true
        }
        (Some(clients), Some(window)) => {
            reasons.extend(clients.iter().filter_map(|client| judge_client(client, window.revision, facts)));
            false
        }
        (Some(_), None) => false,
    };
    match facts.window {
        None => reasons.push(Reason::NotPlanned),
        Some(_) if facts.emergency => {}
        Some(window) => match window.state(now) {
            WindowState::Before => reasons.push(Reason::WindowNotOpen { opens: window.start }),
            WindowState::Open => {}
            WindowState::After => reasons.push(Reason::WindowOver { ended: window.end }),
        },
    }
    match facts.preflight {
        None => reasons.push(Reason::NotChecked),
        Some(run) if facts.emergency && run.failed().iter().all(|name| NOT_OF_THE_KEY.contains(&name.as_str())) => {}
        Some(run) if !run.is_green() => reasons.push(Reason::CheckFailed { checks: run.failed() }),
        Some(run) if now.as_second() - run.at.as_second() > facts.preflight_valid_s => {
            reasons.push(Reason::CheckTooOld { at: run.at });
        }
        Some(_) => {}
    }
    if let ApprovalFact::Missing(why) = &facts.approval {
        reasons.push(Reason::NotApproved { why: why.clone() });
    }
    if let Some(holder) = facts.held_by {
        reasons.push(Reason::HeldByOther { holder: holder.to_owned() });
    }
    match (unknown, reasons.is_empty()) {
        (true, _) => Verdict::Unknown(reasons),
        (false, true) => Verdict::Open,
        (false, false) => Verdict::Shut(reasons),
    }
}

/// Why this one client keeps the gate shut, if they do.
pub fn judge_client(client: &Client, revision: u32, facts: &Facts<'_>) -> Option<Reason> {
    if facts.waivers.contains_key(&client.id) {
        return None;
    }
    let (id, name) = (client.id.clone(), client.name.clone());
    let told = facts.notices.iter().rfind(|n| n.client == client.id && n.revision == revision && n.kind.tells_window());
    let answered = facts.acknowledgements.get(&client.id);
    let bounced = told.filter(|notice| matches!(notice.delivery, Delivery::Bounced { .. }));
    // Whoever answers after a bounce has been reached in another way.
    if let Some(notice) = bounced.filter(|notice| answered.is_none_or(|ack| ack.at < notice.at)) {
        return Some(Reason::NotDelivered { client: id, name, delivery: notice.delivery.word().to_owned() });
    }
    if facts.to_read.contains(&client.id) {
        return Some(Reason::ToRead { client: id, name });
    }
    if let Some(ack) = answered {
        if ack.revision != revision {
            return Some(Reason::OldAnswer { client: id, name, revision: ack.revision });
        }
        return match &ack.answer {
            Answer::Confirmed => None,
            Answer::OtherTime(when) => {
                Some(Reason::NotConfirmed { client: id, name, answer: format!("other time: {when}") })
            }
            answer => Some(Reason::NotConfirmed { client: id, name, answer: answer.word().to_owned() }),
        };
    }
    match told.map(|notice| &notice.delivery) {
        Some(Delivery::Sent { .. }) => Some(Reason::NoAnswer { client: id, name }),
        Some(delivery) => Some(Reason::NotDelivered { client: id, name, delivery: delivery.word().to_owned() }),
        None if client.email.is_none() => Some(Reason::NoAddress { client: id, name }),
        None => Some(Reason::NotTold { client: id, name }),
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
