//! Takes mails into the journal of a tenant that this process does not list: under its lease, if nobody has it, and with
//! nothing outside touched.

use crate::domain::second_mail::SecondMail;
use crate::domain::tenant::TenantId;
use crate::engine::command::{Command, Refusal};
use crate::engine::journal::{Holder, JournalStore, Lease};
use crate::engine::machine::{Input, Machine, Output, Rules};
use crate::engine::mailbox::Matched;
use crate::engine::record::{Actor, RotationId};
use crate::engine::rotation::Rotation;
use crate::runtime::ending;
use crate::runtime::run::{RunError, journal_fault};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Who takes in.
#[derive(Clone)]
pub struct Intake {
    /// The journal.
    pub store: Arc<dyn JournalStore>,
    /// Whose lease it is meanwhile.
    pub me: Holder,
    /// Who stands in the records.
    pub actor: Actor,
}

impl Intake {
    /// Takes them in; gives the rotation before and after. A tenant that anybody holds, living or not, is left to those who
    /// list it.
    pub async fn take(&self, tenant: &TenantId, mails: Vec<Matched>) -> Result<(Rotation, Arc<Rotation>), RunError> {
        let ended = || Refusal::NotNow("the program is ending".into());
        let _work = ending::begin().await.ok_or_else(ended)?;
        if let Some(holder) = self.store.holder(tenant).await? {
            return Err(Refusal::Held(Box::new(holder)).into());
        }
        let now = Timestamp::now();
        let me = Holder { since: now, heartbeat: now, ..self.me.clone() };
        let lease = match self.store.acquire(tenant, &me).await? {
            Ok(lease) => lease,
            Err(holder) => return Err(Refusal::Held(Box::new(holder)).into()),
        };
        let taken = self.under(&lease, mails).await;
        let released = self.store.release(&lease).await;
        let taken = taken?;
        released?;
        Ok(taken)
    }

    async fn under(&self, lease: &Lease, mails: Vec<Matched>) -> Result<(Rotation, Arc<Rotation>), RunError> {
        let heads = self.store.heads(Some(&lease.tenant)).await?;
        let none = || Refusal::NotNow("nothing was ever planned for this tenant".into());
        let head = heads.into_iter().next().ok_or_else(none)?;
        let before = Rotation::fold(&self.store.load(&head.rotation).await?)?;
        // A mail is judged by what was asked; the rules are those of a gate that is not asked here.
        let rules = Rules {
            preflight_valid: Duration::ZERO,
            approval: None,
            second_mail: SecondMail::default(),
            store_first: false,
        };
        let mut machine =
            Machine::new(before.tenant.clone(), self.actor.clone(), rules, Some(Arc::new(before.clone())));
        let (command, new_id) = (Command::TakeMails { mails }, RotationId(String::new()));
        let outputs = machine.handle(Timestamp::now(), Input::Command { command, new_id })?;
        let entries = outputs.into_iter().filter_map(|output| match output {
            Output::Append(entry) => Some(*entry),
            _ => None,
        });
        let entries: Vec<_> = entries.collect();
        if !entries.is_empty() {
            self.store.append(&head.rotation, lease, &entries).await.map_err(journal_fault)?;
        }
        let after = machine.rotation().cloned().ok_or_else(none)?;
        Ok((before, after))
    }
}
