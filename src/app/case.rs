//! A subject that is no tenant, as the console knows it: its page, its verbs and their form. All of it is made from the values that its
//! status holds; no runbook is known here.

pub mod form;
pub mod page;
pub mod verbs;

pub use form::CaseForm;
pub use page::{Page, Tab};

use crate::app::model::{Model, Screen};
use crate::domain::tenant::TenantId;
use crate::engine::case::status::Status;
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
    pub fn late_of_case<'a>(&self, id: &TenantId, status: &'a Status) -> Vec<&'a crate::engine::case::runbook::Seen> {
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
