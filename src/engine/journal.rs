//! The port of the journal: append-only records with optimistic sequence numbers, and the lease of a tenant.

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::audit::Tables;
use crate::engine::record::{Entry, RotationId};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why an append was refused.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else wrote first: `expected` is not the next number any more. Load again.
    #[error("somebody else wrote to this rotation (record {expected} is taken)")]
    Conflict {
        /// The number that was expected to be free.
        expected: u64,
    },
    /// This process does not hold the tenant's lease (any more).
    #[error("the lease of this tenant is not ours (any more)")]
    LeaseLost,
    /// The store failed; nothing was written.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The store failed at the very end, and whether the records were written could not be found out. Load again.
    #[error("{0}; whether this was written is not known")]
    Unknown(Fault),
}

/// Who holds a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The Unix user.
    pub name: String,
    /// The host.
    pub host: String,
    /// Process id there.
    pub pid: u32,
    /// Since when, UTC.
    pub since: Timestamp,
    /// The last sign of life, UTC.
    pub heartbeat: Timestamp,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} (pid {}) since {}", self.name, self.host, self.pid, self.since.strftime("%H:%M:%S UTC"))
    }
}

/// A held lease. `fence` goes up each time the tenant changes hands, and every append carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The tenant.
    pub tenant: TenantId,
    /// The number that a later holder's is higher than.
    pub fence: u64,
}

/// Which rotations there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationHead {
    /// The rotation.
    pub rotation: RotationId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Number of its last record.
    pub last_seq: u64,
}

/// A record in which a person's value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// In whose journal.
    pub tenant: TenantId,
    /// In which rotation (or the tenant's lease log).
    pub rotation: RotationId,
    /// The record, values in place.
    pub entry: Entry,
}

/// What an erasure did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// How many values are gone.
    pub values: usize,
    /// What the store could not do by itself; empty when the bytes are gone from its files.
    pub note: String,
}

/// The id under which a tenant's lease log is kept. No rotation has such an id, and [`JournalStore::heads`] leaves it out.
pub fn lease_log_id(tenant: &TenantId) -> RotationId {
    RotationId(format!("lease-{tenant}"))
}

/// Where the journal rests: SQLite on one bastion, PostgreSQL for several. Every record is a link of its tenant's chain
/// (see [`crate::engine::audit`]), and personal values rest beside the records (see [`crate::engine::persons`]).
#[async_trait]
pub trait JournalStore: Send + Sync {
    /// Appends all entries or none; the first has the number after the last one stored, and the lease must be held.
    async fn append(&self, rotation: &RotationId, lease: &Lease, entries: &[Entry]) -> Result<(), AppendError>;
    /// All entries of a rotation in order.
    async fn load(&self, rotation: &RotationId) -> Result<Vec<Entry>, Fault>;
    /// The newest rotation of each tenant (all of them when `tenant` is given), newest first.
    async fn heads(&self, tenant: Option<&TenantId>) -> Result<Vec<RotationHead>, Fault>;
    /// Takes the tenant if nobody holds it, or if its holder's heartbeat is older than `ttl`. `Ok(Err)` names the holder.
    async fn acquire(&self, tenant: &TenantId, me: &Holder, ttl: Duration) -> Result<Result<Lease, Holder>, Fault>;
    /// Takes the tenant from this very holder, who is dead or is overruled. `Ok(None)` if somebody else has it by now.
    async fn take_from(&self, tenant: &TenantId, holder: &Holder, me: &Holder) -> Result<Option<Lease>, Fault>;
    /// A sign of life. `Ok(false)` if the lease is not ours any more.
    async fn renew(&self, lease: &Lease, now: Timestamp) -> Result<bool, Fault>;
    /// Whether the lease is still ours: the fence before every call that changes something outside.
    async fn holds(&self, lease: &Lease) -> Result<bool, Fault>;
    /// Gives the tenant back.
    async fn release(&self, lease: &Lease) -> Result<(), Fault>;
    /// Who holds the tenants now: one look for the whole fleet.
    async fn holders(&self) -> Result<Vec<(TenantId, Holder)>, Fault>;
    /// Adds a line to the tenant's lease log. Needs no lease: it is for those who have lost theirs. The entry's number is
    /// given by the store.
    async fn witness(&self, tenant: &TenantId, entry: &Entry) -> Result<(), AppendError>;
    /// The tenant's lease log, oldest first.
    async fn lease_log(&self, tenant: &TenantId) -> Result<Vec<Entry>, Fault>;
    /// Everything that is stored, of one moment, for [`crate::engine::audit::verify`].
    async fn tables(&self) -> Result<Tables, Fault>;
    /// Every record that mentions the person with this address, of all tenants, oldest first for each.
    async fn mentions(&self, address: &str) -> Result<Vec<Mention>, Fault>;
    /// Erases this person's values from the tenant's journal. The entry is a `PersonErased`; it gets the tokens and goes
    /// into the lease log in the same transaction. `values` is 0, and nothing is written, if the person is not in it.
    async fn erase(&self, lease: &Lease, address: &str, entry: &Entry) -> Result<Erased, AppendError>;
}
