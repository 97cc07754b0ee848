//! What is said where the subject was lost to somebody else in the middle of an order: who took it, when and why.

use super::CaseDesk;
use crate::domain::fault::Fault;
use crate::engine::case::record::{Body, CoreRecord};
use crate::engine::case::runbook::Runbook;
use crate::engine::journal::Lease;
use crate::engine::record::{Entry, Record};
use crate::runtime::fence::is_loss;

impl<R: Runbook> CaseDesk<R> {
    /// The fault with which an order ended; where it was the loss of the lease, it names who has taken the subject.
    pub(super) async fn told_of_loss(&self, lease: &Lease, fault: Fault) -> Fault {
        if !is_loss(&fault) {
            return fault;
        }
        let Some(by) = self.taker(lease).await else { return fault };
        let hint =
            "nothing more is changed from here, and what was sent last may have been carried out; look at the status";
        let hint = match fault.hint.as_deref().filter(|hint| hint.starts_with("done and recorded")) {
            Some(done) => format!("{hint}; {done}"),
            None => hint.to_owned(),
        };
        Fault { message: format!("taken over by {by}"), ..fault }.hint(hint)
    }

    /// Who has taken the subject from this lease: by the journal, else by who holds it now.
    async fn taker(&self, lease: &Lease) -> Option<String> {
        let seat = &self.seat;
        let head = seat.store.heads(Some(&seat.key)).await.ok()?.into_iter().next();
        let entries = match head {
            Some(head) => seat.store.load(&head.rotation).await.ok()?,
            None => Vec::new(),
        };
        if let Some(by) = entries.iter().rev().find_map(|entry| self.took(lease, entry)) {
            return Some(by);
        }
        let holder = seat.store.holder(&seat.key).await.ok()??;
        (!holder.is_same_instance(&seat.me)).then(|| holder.to_string())
    }

    /// The entry's writer, where it says that they took this lease.
    fn took(&self, lease: &Lease, entry: &Entry) -> Option<String> {
        let Record::Case(body) = &entry.record else { return None };
        let Ok(Body::Core(CoreRecord::TakenOver { from, reason, .. })) = body.read::<Body<R::Record>>() else {
            return None;
        };
        let is_ours = from.is_same_instance(&self.seat.me) && from.fence == lease.fence;
        is_ours.then(|| format!("{} on {} at {}: {reason}", entry.by, entry.host, entry.at.strftime("%H:%M:%S UTC")))
    }
}
