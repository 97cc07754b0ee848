//! A subject that is no tenant, as the console knows it: its page, its verbs and their form. All of it is made from the values that its
//! status holds; no runbook is known here.

pub mod form;
pub mod page;
pub mod verbs;

pub use form::CaseForm;
pub use page::{Page, Tab};

use crate::app::fleet::{FleetRow, FleetState};
use crate::app::model::{Model, Screen};
use crate::domain::tenant::TenantId;
use crate::engine::case::runbook::Seen;
use crate::engine::case::status::Status;
use crate::engine::status::{Phase, Reconcile};
use std::sync::Arc;

impl Model {
    /// What is true of a subject that is no tenant, if anything is known.
    pub fn case(&self, id: &TenantId) -> Option<&Arc<Status>> {
        self.cases.get(id)
    }

    /// The subject that a verb means, if it is no tenant: the one on the screen, or the selected one of the fleet.
    pub fn meant_case(&self) -> Option<(&TenantId, &Arc<Status>)> {
        let id = match &self.screen {
            Screen::Subject(id) => id,
            Screen::Fleet => self.fleet.selected()?,
            Screen::Tenant(_) => return None,
        };
        Some((id, self.cases.get(id)?))
    }

    /// Who of those that were looked at does not answer, or has not for too long.
    pub fn late_of_case<'a>(&self, id: &TenantId, status: &'a Status) -> Vec<&'a Seen> {
        let bound = i64::try_from(self.bound(id).as_secs()).unwrap_or(i64::MAX);
        let is_old = |at: jiff::Timestamp| self.now.as_second() - at.as_second() > bound;
        status.seen.iter().filter(|seen| seen.fault.is_some() || seen.at.is_some_and(is_old)).collect()
    }
}

/// What is typed for a subject: its name without its kind.
pub fn short_name(subject: &str) -> &str {
    subject.split_once('/').map_or(subject, |(_, name)| name)
}

/// Whether nobody was looked at yet, so that gates and panels say nothing.
pub fn is_unseen(status: &Status) -> bool {
    !status.seen.is_empty() && status.seen.iter().all(|seen| seen.at.is_none() && seen.fault.is_none())
}

impl FleetState {
    /// Takes the subjects that are no tenants: their rows stand before anybody has looked at them.
    pub fn load_subjects(&mut self, subjects: Vec<TenantId>) {
        self.subjects = subjects.len();
        for id in subjects.into_iter().filter(|id| !self.has(id)).collect::<Vec<_>>() {
            let row = unknown(&id);
            self.put(&id, row);
        }
    }

    /// Takes the status of one of them.
    pub fn take_case(&mut self, id: &TenantId, status: &Status) {
        self.put(id, row_of(id, status));
    }
}

fn unknown(id: &TenantId) -> FleetRow {
    FleetRow {
        id: id.clone(),
        name: id.as_str().into(),
        search: id.as_str().to_lowercase().into(),
        known: false,
        phase: Phase::Idle,
        answers: (0, 0),
        active: (0, 0),
        reconcile: Reconcile::Unknown,
        due: i64::MAX,
        attention: 0,
        rank: u8::MAX,
        silent: false,
        held: false,
    }
}

fn row_of(id: &TenantId, status: &Status) -> FleetRow {
    let lost = status.seen.iter().any(|seen| seen.fault.is_some());
    // Where it stands among the tenants when the list is sorted by phase.
    let phase = match status.phase {
        "idle" => Phase::Idle,
        "open" => Phase::Planned,
        "rolling back" | "cancelling" => Phase::RollingBack,
        _ => Phase::Rotating,
    };
    let is_at_work = !matches!(status.phase, "idle" | "open");
    let rank = match (is_at_work, status.attention.is_empty()) {
        _ if status.phase == "stopped" => 1,
        (true, false) => 1,
        _ if lost => 2,
        (_, false) => 3,
        // It waits for somebody's word.
        (true, true) if status.next.order.is_some() => 3,
        (true, true) => 4,
        (false, true) if status.due.as_ref().is_some_and(|due| due.now) => 3,
        (false, true) if status.phase == "open" => 5,
        (false, true) => 6,
    };
    let due = match &status.due {
        Some(due) if due.now => 0,
        Some(due) => due.at.map_or(i64::MAX, |at| at.as_second()),
        None => i64::MAX,
    };
    let said = status.attention.first().map(String::as_str).unwrap_or_default();
    let (soon, silent) = (if due == 0 { " due" } else { "" }, if lost { " no answer" } else { "" });
    let search = format!("{id} {} {}{soon}{silent} {said}", status.phase, status.runbook);
    // What is due stands before what will be in months.
    let attention = (status.attention.len() as u32).max(u32::from(due == 0));
    FleetRow {
        known: true,
        search: search.to_lowercase().into(),
        phase,
        due,
        attention,
        rank,
        silent: lost,
        held: status.holder.is_some(),
        ..unknown(id)
    }
}
