//! The port of the journal: append-only records with optimistic sequence numbers, and the lease of a tenant.

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::audit::{Head, Tables};
use crate::engine::record::{Entry, RotationId};
use crate::engine::witness::{Lost, Witnessed};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// The end of this tenant's journal is lost: nothing is written behind what is left before an operator goes on with it,
    /// knowingly ([`crate::engine::record::Record::Recovered`]).
    #[error("{0}")]
    Lost(Box<Lost>),
    /// The store failed; nothing was written.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The store failed at the very end, and whether the records were written could not be found out. Load again.
    #[error("{0}; whether this was written is not known")]
    Unknown(Fault),
}

/// One run of the program on one machine: what it has in common with no other, and what tells those beside it whether it
/// still runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// 128 random bits made when it started, as hex digits; empty: not known (a changeguard of before).
    pub id: String,
    /// The kernel's boot id (`/proc/sys/kernel/random/boot_id`): one kernel since its start. Empty: not known.
    pub boot: String,
    /// The namespaces in which its process id and its start are true (`/proc/self/ns`). Empty: not known.
    pub namespace: String,
    /// When its process was started, in clock ticks since boot: a later process of the same id has another. 0: not known.
    pub started: u64,
}

impl Instance {
    /// Nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        self.id.is_empty()
    }
}

/// Who holds a tenant. Its moments are by its own clock and decide nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The Unix user.
    pub name: String,
    /// The host.
    pub host: String,
    /// Process id there.
    pub pid: u32,
    /// Since when, UTC, by its clock.
    pub since: Timestamp,
    /// The last sign of life, UTC, by its clock.
    pub heartbeat: Timestamp,
    /// Which run of the program it is.
    #[serde(default, skip_serializing_if = "Instance::is_unknown")]
    pub instance: Instance,
    /// How many signs of life it has given: it lives as long as this goes on.
    #[serde(default)]
    pub beats: u64,
    /// The fence of its lease.
    #[serde(default)]
    pub fence: u64,
}

impl Holder {
    /// Whoever works here, before they hold anything.
    pub fn new(name: String, host: String, pid: u32, now: Timestamp, instance: Instance) -> Self {
        Self { name, host, pid, since: now, heartbeat: now, instance, beats: 0, fence: 0 }
    }

    /// Whether it is this very run of the program: never by host and process id, which two containers may share.
    pub fn is_same_instance(&self, other: &Holder) -> bool {
        !self.instance.is_unknown() && self.instance.id == other.instance.id
    }
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

/// Where everything that is stored stands, as a few numbers: two equal marks mean that nothing was written, taken or given
/// back in between, and that no holder gave a sign of life.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// What is compared.
    pub sums: [i64; 5],
}

impl Mark {
    /// Whether nothing has moved between the two.
    pub fn is_same(&self, other: &Mark) -> bool {
        self.sums == other.sums
    }
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

/// A record that is about a person.
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
    /// The newest rotation of each tenant, by tenant; or all of one tenant, newest first. Newer is what stands later in the
    /// tenant's chain: whatever the clocks say that wrote it.
    async fn heads(&self, tenant: Option<&TenantId>) -> Result<Vec<RotationHead>, Fault>;
    /// What is known of the tenant's journal besides its records, as of the last [`JournalStore::heads`] of this tenant.
    fn witnessed(&self, tenant: &TenantId) -> Witnessed;
    /// The last heads that this host has seen, for [`crate::engine::audit::verify`].
    fn seen(&self) -> Vec<Head>;
    /// Takes the tenant if nobody holds it, or if this very instance does, which keeps its fence. `Ok(Err)` names the holder;
    /// whether that one lives is not judged here.
    async fn acquire(&self, tenant: &TenantId, me: &Holder) -> Result<Result<Lease, Holder>, Fault>;
    /// Takes the tenant from this very holder, who is dead (then only if it gave no sign of life since it was seen), or is
    /// overruled. `Ok(None)` if somebody else has it by now, or it lives.
    async fn take_from(
        &self,
        tenant: &TenantId,
        holder: &Holder,
        me: &Holder,
        overruled: bool,
    ) -> Result<Option<Lease>, Fault>;
    /// A sign of life; `now` is for people. `Ok(false)` if the lease is not ours any more.
    async fn renew(&self, lease: &Lease, now: Timestamp) -> Result<bool, Fault>;
    /// Whether the lease is still ours: the fence before every call that changes something outside.
    async fn holds(&self, lease: &Lease) -> Result<bool, Fault>;
    /// Gives the tenant back.
    async fn release(&self, lease: &Lease) -> Result<(), Fault>;
    /// Who holds the tenants now: one look for the whole fleet.
    async fn holders(&self) -> Result<Vec<(TenantId, Holder)>, Fault>;
    /// Who holds this one, dead or alive: costs the same however many tenants there are.
    async fn holder(&self, tenant: &TenantId) -> Result<Option<Holder>, Fault>;
    /// How late it is by the store's own clock, UTC; `None` where the store has none but ours.
    async fn clock(&self) -> Result<Option<Timestamp>, Fault>;
    /// Where everything stands: one small question for the whole fleet, to be asked often.
    async fn mark(&self) -> Result<Mark, Fault>;
    /// How long each tenant's chain is: one look for the whole fleet.
    async fn positions(&self) -> Result<Vec<(TenantId, u64)>, Fault>;
    /// Adds a line to the tenant's lease log. Needs no lease: it is for those who have lost theirs. The entry's number is
    /// given by the store.
    async fn add_to_lease_log(&self, tenant: &TenantId, entry: &Entry) -> Result<(), AppendError>;
    /// The tenant's lease log, oldest first.
    async fn lease_log(&self, tenant: &TenantId) -> Result<Vec<Entry>, Fault>;
    /// Everything that is stored, of one moment, for [`crate::engine::audit::verify`].
    async fn tables(&self) -> Result<Tables, Fault>;
    /// Every record that is about the person with this address or id, of all tenants, oldest first for each case; of others who
    /// stand in the same record nothing is left.
    async fn mentions(&self, address: &str) -> Result<Vec<Mention>, Fault>;
    /// Erases this person's values from the tenant's journal. The entry is a `PersonErased`; it gets the tokens and goes
    /// into the lease log in the same transaction. `values` is 0, and nothing is written, if the person is not in it.
    async fn erase(&self, lease: &Lease, address: &str, entry: &Entry) -> Result<Erased, AppendError>;
}
