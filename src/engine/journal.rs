//! The port of the journal: append-only records with optimistic sequence numbers, and the lease of a tenant.

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
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

/// Where the journal rests. SQLite now; the same port serves PostgreSQL later.
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
}
