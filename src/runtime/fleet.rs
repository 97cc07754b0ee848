//! All tenants: their conductors, found by name or id, and looked at a few at a time.

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::sources::Source;
use crate::runtime::conductor::Conductor;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How many tenants are looked at at once: each look is an ssh and three requests.
const AT_ONCE: usize = 8;

/// How long a tenant is waited for, so that all come round within the time that is shown, also when nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Whoever has not answered by then has not answered.
    pub limit: Duration,
    /// After this the next tenant is begun with, and the answer is waited for beside it.
    pub share: Duration,
}

impl Pace {
    /// For a look that somebody waits for and that is not repeated.
    pub const ONCE: Self = Self { limit: LONGEST, share: LONGEST };

    /// For looks at so many tenants within a sweep: a quarter of it until the first is seen not to answer, a third until the
    /// last is asked, and a quarter until that one is seen not to answer.
    pub fn within(sweep: Duration, tenants: usize) -> Self {
        let limit = LONGEST.min(sweep / 4);
        let tenants = u32::try_from(tenants.div_ceil(AT_ONCE)).unwrap_or(u32::MAX).max(1);
        Self { limit, share: limit.min(sweep / 3 / tenants) }
    }
}

/// The longest that a tenant is waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// A name or id that no tenant has, or that means several.
#[derive(Debug, thiserror::Error)]
pub enum UnknownTenant {
    /// Nobody has it.
    #[error("there is no tenant {typed:?}; known are {known}")]
    Unknown {
        /// What was typed.
        typed: String,
        /// What would have been right.
        known: String,
    },
    /// More than one project is called so.
    #[error("{typed:?} is the name of several tenants; say which: {known}")]
    Several {
        /// What was typed.
        typed: String,
        /// Each with its own name and id.
        known: String,
    },
}

/// The fleet.
pub struct Fleet {
    conductors: Vec<Arc<Conductor>>,
    by_id: HashMap<TenantId, usize>,
}

impl Fleet {
    /// A fleet of these, in the order of the configuration.
    pub fn new(conductors: Vec<Arc<Conductor>>) -> Self {
        let by_id = conductors.iter().enumerate().map(|(at, c)| (c.tenant().id.clone(), at)).collect();
        Self { conductors, by_id }
    }

    /// All of them.
    pub fn conductors(&self) -> &[Arc<Conductor>] {
        &self.conductors
    }

    /// One by id.
    pub fn get(&self, id: &TenantId) -> Option<&Arc<Conductor>> {
        self.by_id.get(id).map(|at| &self.conductors[*at])
    }

    /// One by name or id, as typed. The error lists what there is, or those that it may mean.
    pub fn find(&self, typed: &str) -> Result<&Arc<Conductor>, UnknownTenant> {
        let hit = self.conductors.iter().find(|c| c.tenant().name == typed || c.tenant().id.as_str() == typed);
        hit.ok_or_else(|| {
            let (tenants, typed) = (self.conductors.iter().map(|c| c.tenant()), typed.to_owned());
            let namesakes = tenants.clone().filter(|tenant| tenant.is_called(&typed));
            let known: Vec<String> = namesakes.map(|tenant| format!("{} ({})", tenant.name, tenant.id)).collect();
            if known.len() > 1 {
                return UnknownTenant::Several { typed, known: known.join(", ") };
            }
            let names: Vec<&str> = tenants.map(|tenant| tenant.name.as_str()).take(20).collect();
            UnknownTenant::Unknown { typed, known: names.join(", ") }
        })
    }

    /// Reads every journal. The fault of one keeps nobody from the others; the first is given.
    pub async fn read_all(&self) -> Result<(), Fault> {
        let reads = futures_util::stream::iter(self.conductors.clone());
        let mut reads = reads.map(|conductor| async move { conductor.reload().await }).buffer_unordered(AT_ONCE);
        let mut failed = None;
        while let Some(read) = reads.next().await {
            failed = failed.or(read.err());
        }
        failed.map_or(Ok(()), Err)
    }

    /// Reads every journal and looks at every tenant, a few at a time. Nobody waits for one that does not answer, and its fault
    /// keeps nobody from the others; the first fault of a journal is given.
    pub async fn look_at_all(&self, pace: Pace) -> Result<(), Fault> {
        let looks = futures_util::stream::iter(self.conductors.clone()).map(|conductor| async move {
            let mut look = Box::pin(async move {
                conductor.look_within(pace.limit).await;
                conductor.fault_of(Source::Journal)
            });
            tokio::time::timeout(pace.share, &mut look).await.map_err(|_| look)
        });
        let mut begun = looks.buffer_unordered(AT_ONCE);
        let (mut failed, mut beside, mut all_begun) = (None, FuturesUnordered::new(), false);
        while !(all_begun && beside.is_empty()) {
            tokio::select! {
                look = begun.next(), if !all_begun => match look {
                    Some(Ok(fault)) => failed = failed.or(fault),
                    Some(Err(slow)) => beside.push(slow),
                    None => all_begun = true,
                },
                Some(fault) = beside.next(), if !beside.is_empty() => failed = failed.or(fault),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::truth::rounds;

    #[test]
    fn all_are_seen_not_to_answer_within_the_sweep_that_is_shown_however_many_they_are() {
        for poll in [1, 2, 5, 20, 60].map(Duration::from_secs) {
            for tenants in [1_u32, 2, 8, 9, 40, 150, 151, 1_000, 5_000] {
                let sweep = poll * rounds(tenants);
                let pace = Pace::within(sweep, tenants as usize);
                let turns = tenants.div_ceil(AT_ONCE as u32);
                // Until the first is looked at and seen, until the last is begun, and until that one is seen.
                let all = poll + pace.limit + pace.share * (turns - 1) + pace.limit;
                assert!(all <= sweep, "{tenants} tenants, {poll:?}: {all:?} of {sweep:?}");
                assert!(pace.share > Duration::ZERO && pace.share <= pace.limit, "{pace:?}");
            }
        }
    }
}
