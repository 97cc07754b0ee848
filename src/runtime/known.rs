//! What a conductor knows of its tenant between two looks: the journal as it was read and as it was written since, and the last
//! sights. Who reads, looks and writes is left to the conductor.

use crate::engine::observe::{Before, Sights};
use crate::engine::record::{Entry, Record, RotationId};
use crate::engine::rotation::Rotation;
use crate::engine::witness::Witnessed;
use jiff::Timestamp;
use std::sync::Arc;

/// In a loop over people, of so many of them a record may cost the status.
const PEOPLE_A_RECORD: usize = 64;
/// Nobody shows more lines of the journal than twice as many.
const MOST_UNTOLD: usize = 250;

/// All of it.
#[derive(Default)]
pub(super) struct Known {
    pub(super) entries: Vec<Entry>,
    pub(super) rotation: Option<Arc<Rotation>>,
    pub(super) sights: Sights,
    /// A command is being carried out by this process.
    pub(super) running: bool,
    /// Records that nobody was told of yet.
    untold: usize,
}

impl Known {
    /// What the last look at Barbican has read: a payload is not fetched twice.
    pub(super) fn before(&self) -> Before {
        Before { secret: self.sights.secret.value().cloned(), ..Before::default() }
    }

    /// Where the journal stands and who holds the tenant, as last read.
    pub(super) fn written(&self) -> Written {
        Written {
            record: self.rotation.as_ref().map(|rotation| (rotation.id.clone(), rotation.seq)),
            holder: self.sights.holder.as_ref().map(|holder| (holder.fence, self.sights.holder_quiet_since)),
            witnessed: self.sights.witnessed.clone(),
        }
    }

    /// Takes in what is durable now. Gives whether it is to be told: of a loop over many people only so often that what is
    /// derived of all of them costs each record the same, however many they are.
    pub(super) fn take(&mut self, entries: &[Entry]) -> bool {
        for entry in entries {
            match (&entry.record, &mut self.rotation) {
                (Record::Planned { .. }, _) => {
                    self.entries.clear();
                    self.rotation = Rotation::begin(entry).map(Arc::new);
                }
                (_, Some(rotation)) => Arc::make_mut(rotation).apply(entry),
                (_, None) => {}
            }
            self.entries.push(entry.clone());
        }
        self.sights.unwritten.clear();
        self.untold += entries.len();
        let people = self.rotation.as_ref().map_or(0, |rotation| rotation.clients.len());
        let is_of_loop = entries.iter().all(|entry| entry.record.is_of_loop());
        if is_of_loop && self.untold < (people / PEOPLE_A_RECORD).min(MOST_UNTOLD) {
            return false;
        }
        self.untold = 0;
        true
    }

    /// A command has ended. What it left begun is interrupted, also where the journal could not be told and is not newer.
    pub(super) fn not_running(&mut self) {
        self.running = false;
        if let Some(rotation) = &mut self.rotation {
            Arc::make_mut(rotation).interrupt();
        }
    }
}

/// Where a tenant's journal stands and who holds it: two that are equal mean that nobody has done anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    record: Option<(RotationId, u64)>,
    holder: Option<(u64, Option<Timestamp>)>,
    witnessed: Witnessed,
}
