//! What an operator asked for and was refused stands in the journal too: in the case that it was about, or, where nothing could be
//! taken or nothing is planned, in the tenant's lease log. Refusing does not depend on it: what can't be written is left.

use crate::engine::command::{Command, Refusal};
use crate::engine::journal::Lease;
use crate::engine::record::{Record, RefusedAct};
use crate::runtime::conductor::Conductor;

/// So many reasons of a shut gate are written; the journal has the rest of them by itself.
const REASONS: usize = 3;

impl Conductor {
    /// Writes that an act was refused before it reached the engine.
    pub async fn refused_before(&self, command: &Command, why: &str) {
        self.log_refused(command.refused(why.to_owned())).await;
    }

    /// Writes that an act was refused; under the lease into the case, else into the lease log.
    pub(super) async fn tell_refused(&self, lease: Option<&Lease>, act: Option<RefusedAct>, refusal: &Refusal) {
        let Some(act) = act else { return };
        let why = match refusal {
            // A journal of which the end is lost is left as it is until somebody goes on from it knowingly.
            Refusal::JournalLost(_) => return,
            Refusal::GateShut(reasons) => {
                let shown: Vec<String> = reasons.iter().take(REASONS).map(ToString::to_string).collect();
                let more = match reasons.len().saturating_sub(REASONS) {
                    0 => String::new(),
                    more => format!("; and {more} more"),
                };
                format!("the gate is shut: {}{more}", shown.join("; "))
            }
            Refusal::NotBack(names) => format!("{} are not back and not waived", names.len()),
            other => other.to_string(),
        };
        let act = RefusedAct { why, ..act };
        if let Some(lease) = lease
            && let Ok(heads) = self.store().heads(Some(&self.tenant().id)).await
            && let Some(head) = heads.into_iter().next()
        {
            let entry = self.entry(head.last_seq + 1, Record::Refused(act));
            let _ = self.store().append(&head.rotation, lease, &[entry]).await;
            return;
        }
        self.log_refused(act).await;
    }

    async fn log_refused(&self, act: RefusedAct) {
        let entry = self.entry(0, Record::Refused(act));
        let _ = self.store().add_to_lease_log(&self.tenant().id, &entry).await;
    }
}
