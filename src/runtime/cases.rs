//! To which cases of the store a mail may belong: all that the store knows, whether this process lists their tenants or
//! not. A journal that can't be read costs nobody else's answers.

use crate::domain::client::ClientId;
use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::journal::{JournalStore, RotationHead};
use crate::engine::mailbox::Index;
use crate::engine::record::{Entry, RotationId};
use crate::engine::rotation::Rotation;
use crate::runtime::kinds;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What is remembered of a tenant's newest case.
struct Case {
    rotation: RotationId,
    seq: u64,
    name: String,
    planned_at: Timestamp,
    is_open: bool,
    /// Message-IDs of ours, and to whom they went.
    mails: Vec<(String, ClientId)>,
}

/// The newest case of every tenant.
#[derive(Default)]
pub struct Cases {
    known: HashMap<TenantId, Case>,
    /// Why a tenant's journal can't be read.
    unreadable: BTreeMap<TenantId, Fault>,
    index: Index,
}

impl Cases {
    /// None yet. `authserv_id`: see [`Index::new`].
    pub fn new(authserv_id: Option<String>) -> Self {
        Self { index: Index::new(authserv_id), ..Self::default() }
    }

    /// Reads what was written since. Errs only if the store can't be asked at all.
    pub async fn refresh(&mut self, store: &dyn JournalStore) -> Result<(), Fault> {
        let heads = store.heads(None).await?;
        let listed: HashSet<&TenantId> = heads.iter().map(|head| &head.tenant).collect();
        let before = self.known.len();
        self.known.retain(|tenant, _| listed.contains(tenant));
        let mut changed = self.known.len() != before;
        self.unreadable.retain(|tenant, _| listed.contains(tenant));
        for head in &heads {
            let is_same = |case: &Case| case.rotation == head.rotation && case.seq == head.last_seq;
            if self.known.get(&head.tenant).is_some_and(is_same) && !self.unreadable.contains_key(&head.tenant) {
                continue;
            }
            let folded = store.load(&head.rotation).await.and_then(|entries| Case::folded(head, &entries));
            match folded {
                Ok(case) => {
                    self.unreadable.remove(&head.tenant);
                    self.known.insert(head.tenant.clone(), case);
                    changed = true;
                }
                // Of another kind of subject nobody may ever have been written to.
                Err(_) if head.tenant.is_subject() && !self.known.contains_key(&head.tenant) => {}
                // What was known of it before still says whose a mail is.
                Err(fault) => {
                    self.unreadable.insert(head.tenant.clone(), fault);
                }
            }
        }
        if changed {
            self.index.clear();
            for (tenant, case) in &self.known {
                self.index.know(tenant, &case.mails);
            }
        }
        Ok(())
    }

    /// The tokens and Message-IDs of all of them.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The tenant's name as it was planned.
    pub fn name(&self, tenant: &TenantId) -> String {
        self.known.get(tenant).map_or_else(|| tenant.to_string(), |case| case.name.clone())
    }

    /// Tenants whose journal can't be read, and why.
    pub fn unreadable(&self) -> &BTreeMap<TenantId, Fault> {
        &self.unreadable
    }

    /// When the oldest case that may still be answered was planned.
    pub fn oldest_open(&self) -> Option<Timestamp> {
        self.known.values().filter(|case| case.is_open).map(|case| case.planned_at).min()
    }
}

impl Case {
    fn folded(head: &RotationHead, entries: &[Entry]) -> Result<Self, Fault> {
        match kinds::of_subject(head.tenant.as_str()) {
            None => Rotation::fold(entries).map(|rotation| Self::of(&rotation)),
            Some(kind) => {
                let (core, _) = (kind.history)(entries)?;
                let letters = core.iter().flat_map(|core| &core.letters);
                Ok(Self {
                    rotation: head.rotation.clone(),
                    seq: head.last_seq,
                    name: head.tenant.to_string(),
                    planned_at: core.as_ref().map_or(Timestamp::UNIX_EPOCH, |core| core.opened.at),
                    // Who was never written to can't answer.
                    is_open: core.as_ref().is_some_and(|core| core.is_open() && !core.letters.is_empty()),
                    mails: letters.map(|letter| (letter.message_id.clone(), ClientId(letter.person.clone()))).collect(),
                })
            }
        }
    }

    fn of(rotation: &Rotation) -> Self {
        Self {
            rotation: rotation.id.clone(),
            seq: rotation.seq,
            name: rotation.tenant.name.clone(),
            planned_at: rotation.planned_at,
            is_open: rotation.outcome.is_none(),
            mails: rotation.notices.iter().map(|notice| (notice.message_id.clone(), notice.client.clone())).collect(),
        }
    }
}
