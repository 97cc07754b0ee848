//! Kubernetes clusters of kOps: the configuration's words made into what their runbook works with.

use super::Wiring;
use crate::adapters::kops::{Kops as Program, KopsParameters};
use crate::config::KopsCluster;
use crate::domain::fault::Fault;
use crate::runbooks::kops::{Holder, Holds, Kops, Rules, World};
use crate::runtime::case::{CaseDesk, Desk, Onlooker};
use std::sync::Arc;

impl Wiring {
    pub(super) fn kops(&self, cluster: &KopsCluster, onlooker: Arc<dyn Onlooker>) -> Result<Arc<dyn Desk>, Fault> {
        let seat = self.seat(cluster.subject(), &cluster.name, onlooker)?;
        Ok(Arc::new(CaseDesk::<Kops>::new(seat, self.kops_world(cluster)?)))
    }

    /// Everything that a rotation of this cluster's keys can reach.
    pub fn kops_world(&self, cluster: &KopsCluster) -> Result<World, Fault> {
        let below = || self.config.state.directory.join("kops").join(&cluster.name);
        let program = Program::new(KopsParameters {
            cluster: cluster.cluster.clone(),
            state: cluster.state.clone(),
            command: cluster.command.clone(),
            ssh: cluster.ssh.clone(),
            environment: cluster.environment.clone(),
            directory: cluster.directory.clone().unwrap_or_else(below),
            far_directory: format!("{}/{}", cluster.far_directory, cluster.name),
            backup: cluster.backup.clone(),
            autoscaler: cluster.autoscaler.clone(),
            admin: cluster.admin,
            timeout: cluster.timeout,
            update_timeout: cluster.update_timeout,
            roll_timeout: cluster.roll_timeout,
        })?;
        let holders = cluster.holders.iter().map(|holder| Holder {
            name: holder.name.clone(),
            contact: holder.contact.clone(),
            holds: if holder.admin { Holds::Admin } else { Holds::Certificates },
        });
        let rules = Rules {
            cluster: cluster.cluster.clone(),
            only: cluster.keysets.clone(),
            leave_out: cluster.leave_out.clone(),
            control_plane: cluster.control_plane.clone(),
            load_balancer: cluster.load_balancer,
            admin: cluster.admin,
            notice: cluster.notice,
            patience: cluster.patience,
            poll: cluster.poll,
        };
        Ok(World::new(Arc::new(program), holders.collect(), rules, self.clock.clone()))
    }
}
