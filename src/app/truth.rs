//! What may still be shown as true: whether a value's source answered at its last look, and whether that is not too long ago.
//!
//! What a source said last stays on the screen, without its colour and with its age, until it answers again.

use crate::app::model::Model;
use crate::domain::tenant::TenantId;
use crate::engine::sources::{Source, SourceView};
use crate::engine::status::TenantStatus;
use std::time::Duration;

/// The sources that the state of the server follows from.
const OF_THE_KEY: [Source; 3] = [Source::Barbican, Source::Swift, Source::Server];
/// What one look may take before what was seen by the last one is late.
const SLACK: Duration = Duration::from_secs(10);

impl Model {
    /// How old what was seen of this tenant may be: two polls while it is on the screen, else two sweeps of the fleet.
    pub fn bound(&self, tenant: &TenantId) -> Duration {
        let poll = self.options.poll_interval;
        match self.shown() {
            Some(shown) if shown == tenant => poll * 2 + SLACK,
            _ => self.sweep() * 2 + SLACK,
        }
    }

    /// Within what time each tenant of the fleet is looked at: the rest between two sweeps, and what the last one took.
    pub fn sweep(&self) -> Duration {
        let tenants = u32::try_from(self.fleet.rows.len()).unwrap_or(u32::MAX);
        let took = self.fleet.swept.map_or(0, |(_, took)| took.as_secs());
        self.options.poll_interval * rounds(tenants) + Duration::from_secs(took)
    }

    /// The source as it stands, if what it said last can't be shown as true any more.
    pub fn late<'a>(&self, status: &'a TenantStatus, source: Source) -> Option<&'a SourceView> {
        let bound = self.bound(&status.tenant.id);
        let view = status.sources.iter().find(|view| view.name == source)?;
        // The mailbox has a pace of its own, which tells of a look only where it fails.
        let fresh = if source == Source::Mailbox { view.fault.is_none() } else { view.is_fresh(self.now, bound) };
        // What was never asked says nothing, so nothing of it is shown.
        (view.seen_at.is_some() || view.fault.is_some()).then_some(view).filter(|_| !fresh)
    }

    /// All that are late, in their order.
    pub fn all_late<'a>(&self, status: &'a TenantStatus) -> Vec<&'a SourceView> {
        status.sources.iter().filter_map(|view| self.late(status, view.name)).collect()
    }

    /// Whether anybody does not answer.
    pub fn is_late(&self, status: &TenantStatus) -> bool {
        status.sources.iter().any(|view| self.late(status, view.name).is_some())
    }

    /// The one that answered longest ago of those that the state of the server follows from.
    pub fn late_key<'a>(&self, status: &'a TenantStatus) -> Option<&'a SourceView> {
        OF_THE_KEY.into_iter().filter_map(|source| self.late(status, source)).min_by_key(|view| view.seen_at)
    }
}

/// After a sweep the fleet rests for so many polls: a large one longer.
pub fn rounds(tenants: u32) -> u32 {
    const AT_LEAST: u32 = 15;
    const TENANTS_PER_POLL: u32 = 10;
    AT_LEAST.max(tenants / TENANTS_PER_POLL)
}
