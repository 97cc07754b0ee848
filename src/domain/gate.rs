//! The gate before rotate: one pure function of parts that the screen shows and the engine enforces.
//!
//! The parts are window, people, checks, approval and holder. What a part could not find out shuts the gate.

mod reason;
mod standing;

pub use reason::{Reason, Remedy};
pub use standing::{Stand, Standing};

use crate::domain::acknowledgement::{Acknowledgement, Waiver};
use crate::domain::client::{Client, ClientId};
use crate::domain::notices::Notices;
use crate::domain::preflight::{Check, Preflight};
use crate::domain::window::{Window, WindowState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything the gate looks at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The window, if a rotation is planned.
    pub window: Option<&'a Window>,
    /// Who will be cut off, and what they said.
    pub people: PeoplePart<'a>,
    /// Step 2.
    pub checks: ChecksPart<'a>,
    /// Who else holds the tenant, if anybody: `name on host since …`.
    pub held_by: Option<&'a str>,
    /// The second operator's word.
    pub approval: ApprovalFact,
    /// A suspected compromise goes first: people, window and approval are not waited for, and a mail server that can't be
    /// reached does not stop it.
    pub emergency: bool,
}

/// Who will be cut off, and what they said.
#[derive(Clone, Copy, Debug)]
pub struct PeoplePart<'a> {
    /// Everybody who will be cut off, as seen now, and whoever was told in this rotation.
    pub clients: &'a [Client],
    /// Why that may not be everybody: a place that knows clients could not be asked.
    pub unknown: Option<&'a str>,
    /// Why it is right that nobody is asked, as an operator said.
    pub nobody: Option<&'a str>,
    /// All mails of this rotation.
    pub notices: &'a Notices,
    /// The last acknowledgement of each client.
    pub acknowledgements: &'a BTreeMap<ClientId, Acknowledgement>,
    /// The waivers.
    pub waivers: &'a BTreeMap<ClientId, Waiver>,
    /// Clients whose last mail a person must read.
    pub to_read: &'a BTreeSet<ClientId>,
}

/// Step 2.
#[derive(Clone, Debug)]
pub struct ChecksPart<'a> {
    /// Its last run.
    pub run: Option<&'a Preflight>,
    /// How long a green run counts, s.
    pub valid_s: i64,
    /// Checks that an operator has set aside for this rotation.
    pub set_aside: BTreeSet<&'a str>,
    /// What a look has seen since then that it would fail by, where somebody looks.
    pub seen_since: Option<&'a str>,
}

/// Checks whose failure does not stop an emergency: nothing of the key depends on them.
const NOT_OF_THE_KEY: [&str; 5] = ["mail", "texts", "console", "mailbox", "people"];

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

    /// Shut for one more reason, which comes first.
    pub fn shut_by(self, reason: Reason) -> Self {
        let with = |reasons: Vec<Reason>| std::iter::once(reason).chain(reasons).collect();
        match self {
            Verdict::Open => Verdict::Shut(with(Vec::new())),
            Verdict::Shut(reasons) => Verdict::Shut(with(reasons)),
            Verdict::Unknown(reasons) => Verdict::Unknown(with(reasons)),
        }
    }

    /// With these reasons before the others, which follow from them. What is not known stays first.
    pub fn led_by(self, leads: impl Fn(&Reason) -> bool) -> Self {
        let sorted = |mut reasons: Vec<Reason>| {
            reasons.sort_by_key(|reason| (!matches!(reason, Reason::PeopleUnknown { .. }), !leads(reason)));
            reasons
        };
        match self {
            Verdict::Open => Verdict::Open,
            Verdict::Shut(reasons) => Verdict::Shut(sorted(reasons)),
            Verdict::Unknown(reasons) => Verdict::Unknown(sorted(reasons)),
        }
    }

    /// The reason that is to be taken away first, of those that something takes away.
    pub fn first(&self) -> Option<&Reason> {
        // Whoever has written is read before they are told again.
        let wrote: BTreeSet<&ClientId> =
            self.reasons().iter().filter(|r| matches!(r, Reason::ToRead { .. })).filter_map(Reason::client).collect();
        let is_told_again =
            |reason: &&Reason| matches!(reason, Reason::NotDelivered { client, .. } if wrote.contains(client));
        // The first of equals: people stay in the order in which they are listed.
        let cured = self.reasons().iter().filter(|reason| reason.remedy().is_some() && !is_told_again(reason));
        cured.min_by_key(|reason| reason.rank())
    }
}

/// Judges the gate of step 4 (rotate) from facts and the moment, and from nothing else.
pub fn judge(facts: &Facts<'_>, now: Timestamp) -> Verdict {
    let unknown = facts.people.unknown.filter(|_| !facts.emergency);
    let mut reasons: Vec<Reason> = unknown.iter().map(|why| Reason::PeopleUnknown { why: (*why).to_owned() }).collect();
    reasons.extend(of_window(facts, now));
    reasons.extend(of_checks(facts, now));
    if let ApprovalFact::Missing(why) = &facts.approval {
        reasons.push(Reason::NotApproved { why: why.clone() });
    }
    if let Some(holder) = facts.held_by {
        reasons.push(Reason::HeldByOther { holder: holder.to_owned() });
    }
    match (unknown, reasons.is_empty()) {
        (Some(_), _) => Verdict::Unknown(reasons),
        (None, true) => Verdict::Open,
        (None, false) => Verdict::Shut(reasons),
    }
}

/// The window, and everybody's answer to it.
fn of_window(facts: &Facts<'_>, now: Timestamp) -> Vec<Reason> {
    let Some(window) = facts.window else { return vec![Reason::NotPlanned] };
    if facts.emergency {
        return Vec::new();
    }
    let people = &facts.people;
    let mut reasons: Vec<Reason> =
        people.clients.iter().flat_map(|client| Stand::of(client, window.revision, people).reasons(client)).collect();
    if people.clients.is_empty() && people.unknown.is_none() && people.nobody.is_none() {
        reasons.push(Reason::NobodyToAsk);
    }
    match window.state(now) {
        WindowState::Before => reasons.push(Reason::WindowNotOpen { opens: window.start }),
        WindowState::Open => {}
        WindowState::After => reasons.push(Reason::WindowOver { ended: window.end }),
    }
    reasons
}

fn of_checks(facts: &Facts<'_>, now: Timestamp) -> Option<Reason> {
    let Some(run) = facts.checks.run else { return Some(Reason::NotChecked) };
    let counts = |name: &String| {
        let needless = facts.emergency && NOT_OF_THE_KEY.contains(&name.as_str());
        !needless && !facts.checks.set_aside.contains(name.as_str())
    };
    let checks: Vec<String> = run.failed().into_iter().filter(counts).collect();
    if !checks.is_empty() {
        let failed = run.checks.iter().filter(|check| checks.contains(&check.name));
        let found = failed.map(Check::in_full).collect();
        return Some(Reason::CheckFailed { checks, found });
    }
    if let Some(what) = facts.checks.seen_since {
        return Some(Reason::SeenSince { what: what.to_owned() });
    }
    // Also one of the future: it was dated by a clock that is ahead, and would stay fresh until then.
    let is_old = (now.as_second() - run.at.as_second()).abs() > facts.checks.valid_s;
    is_old.then_some(Reason::CheckTooOld { at: run.at })
}

#[cfg(test)]
mod tests;
