//! A word to whoever is at work on a subject, here or elsewhere: stop where the step can. It goes into the subject's log, which needs no
//! lease; whoever has the lease reads it between two parts of a step, records the pause in the case, and gives the lease back.

use super::CaseDesk;
use super::run::RunFault;
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::engine::case::machine::{Refusal, given};
use crate::engine::case::record::CaseId;
use crate::engine::case::runbook::Runbook;
use crate::engine::record::{CASE_VERSION, CaseBody, Entry, Record};
use crate::runtime::run::journal_fault;
use serde::{Deserialize, Serialize};

/// What stands in the log.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
enum Said {
    /// Stop where you can.
    PauseAsked {
        /// Which case.
        case: CaseId,
        /// Why.
        reason: String,
    },
}

/// The word by which a pause is known among faults.
const PAUSED: &str = "paused by ";

/// A step stops because somebody wants it to.
pub(super) fn paused(by: &str, reason: &str) -> Fault {
    Fault::new(Service::Gate, FaultKind::Refused, format!("{PAUSED}{by}: {reason}"))
        .hint("what is done of it stays; while it stands no new node may be able to join")
        .leads(&[Lead::Resume])
}

/// Whether it is such a stop.
pub(super) fn is_pause(fault: &Fault) -> bool {
    fault.service == Service::Gate && fault.message.starts_with(PAUSED)
}

impl<R: Runbook> CaseDesk<R> {
    /// The number of the last line of the log.
    pub(super) async fn last_asked(&self) -> Result<u64, Fault> {
        Ok(self.seat.store.lease_log(&self.seat.key).await?.last().map_or(0, |entry| entry.seq))
    }

    /// Who wants this case to stop, and why, behind this line of the log.
    pub(super) async fn pause_asked(&self, behind: u64, id: &CaseId) -> Result<Option<(String, String)>, Fault> {
        let log = self.seat.store.lease_log(&self.seat.key).await?;
        let asked = |entry: &Entry| match &entry.record {
            Record::Case(body) => match body.read::<Said>() {
                Ok(Said::PauseAsked { case, reason }) if case == *id => Some((entry.by.clone(), reason)),
                _ => None,
            },
            _ => None,
        };
        Ok(log.iter().rev().take_while(|entry| entry.seq > behind).find_map(asked))
    }

    /// Asks whoever is at work.
    pub(super) async fn ask_to_pause(&self, reason: &str) -> Result<String, RunFault> {
        let reason = given(reason, "why it is paused")?;
        let not_now = |why: &str| RunFault::from(Refusal::NotNow(why.into()));
        if !R::spec().pauses {
            return Err(not_now("no step of it can be paused"));
        }
        // What is said next follows from the case as it is, whatever becomes of this.
        let _ = self.read().await;
        let is_here = self.known().running;
        let (case, _) = self.load().await?;
        let case = case.filter(|case| case.core.is_open()).ok_or_else(|| not_now("no case is open"))?;
        let is_there = self.other_holder().await?.is_some();
        if !is_here && !is_there {
            return Err(not_now("nothing is at work: nothing goes on by itself until somebody says so"));
        }
        let invalid = |error: serde_json::Error| Fault::new(Service::Journal, FaultKind::Invalid, error.to_string());
        let said = Said::PauseAsked { case: case.core.id.clone(), reason };
        let body = CaseBody::of(&said).map_err(invalid)?;
        let entry = self.seat.actor.entry(0, self.seat.clock.now(), Record::Case(body));
        let entry = Entry { version: CASE_VERSION, ..entry };
        self.seat.store.add_to_lease_log(&self.seat.key, &entry).await.map_err(journal_fault)?;
        Ok("whoever is at work stops behind the instance group that it is at, or at the end of the stretch".into())
    }
}
