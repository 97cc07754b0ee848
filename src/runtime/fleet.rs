//! All tenants: their conductors, found by name or id, and looked at a few at a time.

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::runtime::conductor::Conductor;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How many tenants are looked at at once: each look is an ssh and three requests.
const AT_ONCE: usize = 8;

/// The longest that one tenant may hold up the others: a sweep must come round also when nobody answers.
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

    /// Reads every journal and, if asked, looks at every tenant, a few at a time. The fault of one journal keeps nobody from
    /// the others; the first is given.
    pub async fn look_at_all(&self, outside: bool) -> Result<(), Fault> {
        let mut looks = futures_util::stream::iter(self.conductors.clone())
            .map(|conductor| async move {
                let read = conductor.reload().await;
                if outside {
                    conductor.look_within(LONGEST).await;
                }
                read
            })
            .buffer_unordered(AT_ONCE);
        // One that fails costs nobody else their look.
        let mut failed = None;
        while let Some(result) = looks.next().await {
            failed = failed.or(result.err());
        }
        failed.map_or(Ok(()), Err)
    }
}
