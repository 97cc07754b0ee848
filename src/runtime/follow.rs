//! Follows what other processes do, for the whole fleet: one small question to the journal's store a second, and only those
//! tenants are read again whose journal or holder has moved. Without a change nothing is loaded and nobody is told.

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::journal::{JournalStore, Mark};
use crate::runtime::fleet::Fleet;
use async_trait::async_trait;
use futures_util::StreamExt;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How often it is asked whether anything has moved.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// How many journals are read at once.
const AT_ONCE: usize = 4;

/// Whose journals are followed.
#[async_trait]
pub trait Followed: Send + Sync {
    /// Where the journals are; none where there is nobody.
    fn store(&self) -> Option<Arc<dyn JournalStore>>;
    /// Reads one again and tells who watches it. Gives whether it could be read; none where it is nobody's of these.
    async fn follow(&self, subject: &TenantId) -> Option<bool>;
}

#[async_trait]
impl Followed for Fleet {
    fn store(&self) -> Option<Arc<dyn JournalStore>> {
        self.conductors().first().map(|conductor| conductor.store().clone())
    }

    async fn follow(&self, subject: &TenantId) -> Option<bool> {
        let conductor = self.get(subject)?;
        Some(conductor.follow().await)
    }
}

/// What was seen of the store so far.
pub struct Follower<'a> {
    all: &'a dyn Followed,
    store: Option<Arc<dyn JournalStore>>,
    mark: Option<Mark>,
    positions: HashMap<TenantId, u64>,
    /// Tenants that are held: their holders are looked at each time, since a dead one moves nothing.
    held: BTreeSet<TenantId>,
    /// Tenants whose journal could not be read when it had moved.
    left: BTreeSet<TenantId>,
}

impl<'a> Follower<'a> {
    /// One that has seen nothing: its first step reads every tenant that has a journal.
    pub fn new(all: &'a dyn Followed) -> Self {
        let store = all.store();
        let (positions, held, left) = (HashMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { all, store, mark: None, positions, held, left }
    }

    /// Asks once, and reads what has moved again; their watchers are told. Gives how many tenants were read.
    pub async fn step(&mut self) -> Result<usize, Fault> {
        let Some(store) = self.store.clone() else { return Ok(0) };
        let mark = store.mark().await?;
        let mut due = std::mem::take(&mut self.left);
        due.extend(self.held.iter().cloned());
        if self.mark.is_none_or(|before| !before.is_same(&mark)) {
            let (positions, holders) = futures_util::try_join!(store.positions(), store.holders())?;
            for (tenant, position) in positions {
                if self.positions.get(&tenant) != Some(&position) {
                    self.positions.insert(tenant.clone(), position);
                    due.insert(tenant);
                }
            }
            self.held = holders.into_iter().map(|(tenant, _)| tenant).collect();
            due.extend(self.held.iter().cloned());
            self.mark = Some(mark);
        }
        let all = self.all;
        let reads = futures_util::stream::iter(due).map(|subject| async move {
            let read = all.follow(&subject).await?;
            Some((subject, read))
        });
        let read: Vec<(TenantId, bool)> =
            reads.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
        let count = read.len();
        self.left = read.into_iter().filter(|(_, read)| !read).map(|(subject, _)| subject).collect();
        Ok(count)
    }

    /// Asks for ever. It ends by being dropped. A store that is away is shown by the looks; it is asked again.
    pub async fn forever(mut self) {
        loop {
            let _ = self.step().await;
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
    }
}
