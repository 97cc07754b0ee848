//! Rehearsals of death and of a failing disk, at one record of the journal. For tests: only debug builds hold it, and only
//! where the environment asks.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::TenantId;
use crate::engine::audit::{Head, Tables};
use crate::engine::journal::{AppendError, Erased, Holder, JournalStore, Lease, Mark, Mention, RotationHead};
use crate::engine::record::{Entry, RotationId};
use crate::engine::witness::Witnessed;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Names what is rehearsed: `kill-before 7`, `kill-after 7` or `fail 7`, counted in records of this process from 1.
const VARIABLE: &str = "CHANGEGUARD_REHEARSE";

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// The process is killed before the record is durable.
    KillBefore,
    /// The process is killed once it is.
    KillAfter,
    /// This record and all later ones can't be written.
    Fail,
}

/// The store itself, or one that rehearses what the environment asks for.
pub fn rehearsed(store: Arc<dyn JournalStore>, environment: impl Fn(&str) -> Option<String>) -> Arc<dyn JournalStore> {
    let asked = environment(VARIABLE).and_then(|text| {
        let (word, number) = text.split_once(' ')?;
        let what = match word {
            "kill-before" => What::KillBefore,
            "kill-after" => What::KillAfter,
            "fail" => What::Fail,
            _ => return None,
        };
        Some((what, number.parse().ok()?))
    });
    match asked {
        Some((what, at)) => Arc::new(Rehearsal::new(store, what, at)),
        None => store,
    }
}

/// A store that rehearses.
pub struct Rehearsal {
    store: Arc<dyn JournalStore>,
    what: What,
    /// The number of the record; 0 is none.
    at: AtomicU64,
    seen: AtomicU64,
    /// Only that one fails: what comes after it meets a store that writes again.
    only: AtomicBool,
    failed: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Rehearsal {
    fn new(store: Arc<dyn JournalStore>, what: What, at: u64) -> Self {
        Self {
            store,
            what,
            at: AtomicU64::new(at),
            seen: AtomicU64::new(0),
            only: AtomicBool::new(false),
            failed: OnceLock::new(),
        }
    }

    /// A store that fails when it is told to, and calls `failed` the moment it does.
    pub fn failing(store: Arc<dyn JournalStore>, failed: impl Fn() + Send + Sync + 'static) -> Self {
        let rehearsal = Self::new(store, What::Fail, 0);
        rehearsal.failed.set(Box::new(failed)).ok();
        rehearsal
    }

    /// The `nth` record from now on and all later ones can't be written; with 0 all can.
    pub fn fail_from(&self, nth: u64) {
        self.fail(nth, false);
    }

    /// The `nth` record from now on can't be written; those behind it can, by whoever has not counted it.
    pub fn fail_only(&self, nth: u64) {
        self.fail(nth, true);
    }

    fn fail(&self, nth: u64, only: bool) {
        self.seen.store(0, Ordering::SeqCst);
        self.only.store(only, Ordering::SeqCst);
        self.at.store(nth, Ordering::SeqCst);
    }
}

fn die() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[async_trait]
impl JournalStore for Rehearsal {
    async fn append(&self, rotation: &RotationId, lease: &Lease, entries: &[Entry]) -> Result<(), AppendError> {
        // Several in one transaction: the death of one of them is the death of all.
        let before = self.seen.fetch_add(entries.len() as u64, Ordering::SeqCst);
        let at = self.at.load(Ordering::SeqCst);
        let number = before + entries.len() as u64;
        let is_here = (before + 1..=number).contains(&at);
        let fails = if self.only.load(Ordering::SeqCst) { is_here } else { at > 0 && number >= at };
        if self.what == What::Fail && fails {
            if let Some(failed) = self.failed.get() {
                failed();
            }
            let fault = Fault::new(Service::Journal, FaultKind::Refused, "writing the journal: a rehearsed failure");
            return Err(fault.hint("nothing was written").into());
        }
        if self.what == What::KillBefore && is_here {
            die();
        }
        let written = self.store.append(rotation, lease, entries).await;
        if self.what == What::KillAfter && is_here {
            die();
        }
        written
    }

    async fn load(&self, rotation: &RotationId) -> Result<Vec<Entry>, Fault> {
        self.store.load(rotation).await
    }

    async fn heads(&self, tenant: Option<&TenantId>) -> Result<Vec<RotationHead>, Fault> {
        self.store.heads(tenant).await
    }

    fn witnessed(&self, tenant: &TenantId) -> Witnessed {
        self.store.witnessed(tenant)
    }

    fn seen(&self) -> Vec<Head> {
        self.store.seen()
    }

    async fn acquire(&self, tenant: &TenantId, me: &Holder) -> Result<Result<Lease, Holder>, Fault> {
        self.store.acquire(tenant, me).await
    }

    async fn take_from(
        &self,
        tenant: &TenantId,
        holder: &Holder,
        me: &Holder,
        overruled: bool,
    ) -> Result<Option<Lease>, Fault> {
        self.store.take_from(tenant, holder, me, overruled).await
    }

    async fn renew(&self, lease: &Lease, now: Timestamp) -> Result<bool, Fault> {
        self.store.renew(lease, now).await
    }

    async fn holds(&self, lease: &Lease) -> Result<bool, Fault> {
        self.store.holds(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), Fault> {
        self.store.release(lease).await
    }

    async fn holders(&self) -> Result<Vec<(TenantId, Holder)>, Fault> {
        self.store.holders().await
    }

    async fn holder(&self, tenant: &TenantId) -> Result<Option<Holder>, Fault> {
        self.store.holder(tenant).await
    }

    async fn clock(&self) -> Result<Option<Timestamp>, Fault> {
        self.store.clock().await
    }

    async fn mark(&self) -> Result<Mark, Fault> {
        self.store.mark().await
    }

    async fn positions(&self) -> Result<Vec<(TenantId, u64)>, Fault> {
        self.store.positions().await
    }

    async fn add_to_lease_log(&self, tenant: &TenantId, entry: &Entry) -> Result<(), AppendError> {
        self.store.add_to_lease_log(tenant, entry).await
    }

    async fn lease_log(&self, tenant: &TenantId) -> Result<Vec<Entry>, Fault> {
        self.store.lease_log(tenant).await
    }

    async fn tables(&self) -> Result<Tables, Fault> {
        self.store.tables().await
    }

    async fn mentions(&self, address: &str) -> Result<Vec<Mention>, Fault> {
        self.store.mentions(address).await
    }

    async fn erase(&self, lease: &Lease, address: &str, entry: &Entry) -> Result<Erased, AppendError> {
        self.store.erase(lease, address, entry).await
    }
}
