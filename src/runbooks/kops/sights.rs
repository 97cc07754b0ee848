//! What was last seen of the cluster. A failed look erases nothing: what was seen before stays, with the fault beside it.

use super::World;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::kops::group::{Group, Purpose};
use crate::domain::kops::keyset::Keysets;
use crate::domain::kops::version::Version;
use crate::domain::observation::Observation;

/// What was last seen.
#[derive(Clone, Debug, Default)]
pub struct Sights {
    /// Which kOps it is.
    pub version: Observation<Version>,
    /// All keypairs.
    pub keysets: Observation<Keysets>,
    /// The instance groups.
    pub groups: Observation<Vec<Group>>,
    /// Whether the cluster is well; what it says.
    pub valid: Observation<String>,
    /// Whether a copy of the state store can be gone back to; none where nobody can say.
    pub backup: Option<Observation<()>>,
    /// What the autoscaler does; none where nobody can say.
    pub autoscaler: Option<Observation<String>>,
}

impl Sights {
    /// Looks at everything, side by side.
    pub(super) async fn look(&mut self, world: &World) {
        let cluster = &world.cluster;
        let groups = async {
            match cluster.groups(false).await {
                // Without the API it is still known which instances need an update.
                Err(fault) if matches!(fault.kind, FaultKind::Unreachable | FaultKind::Unauthorized) => {
                    cluster.groups(true).await.map_err(|_| fault)
                }
                found => found,
            }
        };
        let asked = futures_util::future::join(cluster.has_backup(), cluster.autoscaler());
        let (version, keypairs, groups, valid, (backup, autoscaler)) =
            futures_util::future::join5(cluster.version(), cluster.keypairs(), groups, cluster.validate(), asked).await;
        let now = world.clock.now();
        self.version.take(now, version);
        self.keysets.take(now, keypairs.map(Keysets::of));
        self.groups.take(now, groups);
        self.valid.take(now, valid);
        self.autoscaler = autoscaler.map(|said| {
            let mut seen = self.autoscaler.take().unwrap_or_default();
            seen.take(now, said);
            seen
        });
        self.backup = backup.map(|backup| {
            let mut seen = self.backup.take().unwrap_or_default();
            seen.take(now, backup);
            seen
        });
    }

    /// What could not be looked at, with why.
    pub(super) fn faults(&self) -> impl Iterator<Item = (&'static str, &Fault)> {
        [
            ("version", self.version.fault.as_ref()),
            ("keypairs", self.keysets.fault.as_ref()),
            ("groups", self.groups.fault.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, fault)| Some((name, &fault?.1)))
    }

    /// How many instances the control plane has.
    pub(super) fn control_plane(&self, world: &World) -> u32 {
        let groups = self.groups.value().into_iter().flatten();
        groups.filter(|group| world.purpose(&group.name) == Purpose::ControlPlane).map(Group::instances).sum()
    }
}
