//! A past of one case: its journal up to a record, as late as it was then. Nothing is taken, nothing is written, nobody is asked.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::TenantId;
use crate::engine::audit::{Head, Tables};
use crate::engine::journal::{AppendError, Erased, Holder, Instance, JournalStore, Lease, Mark, Mention, RotationHead};
use crate::engine::ports::Clock;
use crate::engine::record::{Entry, RotationId};
use crate::engine::witness::Witnessed;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The past.
pub struct Past {
    subject: TenantId,
    case: RotationId,
    entries: Vec<Entry>,
    /// Whether a step was at work behind each record: who wrote it held the subject then.
    at_work: Vec<bool>,
    /// So many records there are.
    upto: AtomicUsize,
}

impl Past {
    /// Of these records, which are not none, at its first. `is_at_work`: whether a step is at work behind some of them.
    pub fn new(
        subject: TenantId,
        case: RotationId,
        entries: Vec<Entry>,
        is_at_work: impl Fn(&[Entry]) -> bool,
    ) -> Self {
        let at_work = (1..=entries.len()).map(|upto| is_at_work(&entries[..upto])).collect();
        Self { subject, case, entries, at_work, upto: AtomicUsize::new(1) }
    }

    /// Whose it is.
    pub fn subject(&self) -> &TenantId {
        &self.subject
    }

    /// How many records there are in all.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Up to which record, from 1.
    pub fn at(&self) -> usize {
        self.upto.load(Ordering::SeqCst)
    }

    /// Goes to the moment behind a record; to the nearest where there is none of that number.
    pub fn go_to(&self, upto: usize) {
        self.upto.store(upto.clamp(1, self.entries.len().max(1)), Ordering::SeqCst);
    }

    /// All that was recorded by then.
    pub fn seen(&self) -> &[Entry] {
        &self.entries[..self.at().min(self.entries.len())]
    }

    /// The last of it.
    pub fn last(&self) -> Option<&Entry> {
        self.seen().last()
    }

    /// How long it was until the next record; none behind the last.
    pub fn until_the_next(&self) -> Option<Duration> {
        let next = self.entries.get(self.at())?;
        let gap = next.at.as_millisecond() - self.last()?.at.as_millisecond();
        Some(Duration::from_millis(u64::try_from(gap).unwrap_or(0)))
    }
}

fn over() -> Fault {
    Fault::new(Service::Journal, FaultKind::Refused, "this is a replay").hint("nothing is changed in the past")
}

#[async_trait]
impl Clock for Past {
    fn now(&self) -> Timestamp {
        self.last().map_or(Timestamp::UNIX_EPOCH, |entry| entry.at)
    }

    async fn sleep(&self, _: Duration) {}
}

#[async_trait]
impl JournalStore for Past {
    async fn append(&self, _: &RotationId, _: &Lease, _: &[Entry]) -> Result<(), AppendError> {
        Err(over().into())
    }

    async fn load(&self, rotation: &RotationId) -> Result<Vec<Entry>, Fault> {
        Ok(if *rotation == self.case { self.seen().to_vec() } else { Vec::new() })
    }

    async fn heads(&self, tenant: Option<&TenantId>) -> Result<Vec<RotationHead>, Fault> {
        let (rotation, tenant_of) = (self.case.clone(), self.subject.clone());
        let head = self.last().map(|last| RotationHead { rotation, tenant: tenant_of, last_seq: last.seq });
        Ok(head.filter(|head| tenant.is_none_or(|tenant| head.tenant == *tenant)).into_iter().collect())
    }

    fn witnessed(&self, _: &TenantId) -> Witnessed {
        Witnessed::default()
    }

    fn seen(&self) -> Vec<Head> {
        Vec::new()
    }

    async fn acquire(&self, _: &TenantId, _: &Holder) -> Result<Result<Lease, Holder>, Fault> {
        Err(over())
    }

    async fn take_from(&self, _: &TenantId, _: &Holder, _: &Holder, _: bool) -> Result<Option<Lease>, Fault> {
        Err(over())
    }

    async fn renew(&self, _: &Lease, _: Timestamp) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn holds(&self, _: &Lease) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn release(&self, _: &Lease) -> Result<(), Fault> {
        Ok(())
    }

    async fn holders(&self) -> Result<Vec<(TenantId, Holder)>, Fault> {
        Ok(self.holder(&self.subject).await?.map(|holder| (self.subject.clone(), holder)).into_iter().collect())
    }

    async fn holder(&self, _: &TenantId) -> Result<Option<Holder>, Fault> {
        let is_held = self.at_work.get(self.at() - 1).copied().unwrap_or(false);
        let of = |entry: &Entry| Holder::new(entry.by.clone(), entry.host.clone(), 0, entry.at, Instance::default());
        Ok(self.last().filter(|_| is_held).map(of))
    }

    async fn clock(&self) -> Result<Option<Timestamp>, Fault> {
        Ok(None)
    }

    async fn mark(&self) -> Result<Mark, Fault> {
        Ok(Mark::default())
    }

    async fn positions(&self) -> Result<Vec<(TenantId, u64)>, Fault> {
        Ok(Vec::new())
    }

    async fn add_to_lease_log(&self, _: &TenantId, _: &Entry) -> Result<(), AppendError> {
        Err(over().into())
    }

    async fn lease_log(&self, _: &TenantId) -> Result<Vec<Entry>, Fault> {
        Ok(Vec::new())
    }

    async fn tables(&self) -> Result<Tables, Fault> {
        Err(over())
    }

    async fn mentions(&self, _: &str) -> Result<Vec<Mention>, Fault> {
        Err(over())
    }

    async fn erase(&self, _: &Lease, _: &str, _: &Entry) -> Result<Erased, AppendError> {
        Err(over().into())
    }
}
