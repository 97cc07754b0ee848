//! The cluster, those who hold credentials of it, and what the configuration says of how its keys are rotated.

use crate::domain::kops::group::{Purpose, purpose};
use crate::domain::kops::keyset::{Keysets, is_rotatable};
use crate::engine::ports::Clock;
use crate::engine::ports::kops::KopsCluster;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What somebody holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// The authority's certificates, to trust the API by; who they are they show otherwise.
    #[default]
    Certificates,
    /// An admin credential as well.
    Admin,
}

/// A person or a program with a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The name by which they are settled.
    pub name: String,
    /// Where they are reached.
    pub contact: String,
    /// What they hold.
    pub holds: Holds,
}

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The cluster's full name, as holders know it.
    pub cluster: String,
    /// Only these keysets; empty: all that can be rotated.
    pub only: Vec<String>,
    /// None of these.
    pub leave_out: Vec<String>,
    /// The instance groups that are the control plane; empty: those that are named so.
    pub control_plane: Vec<String>,
    /// Clients reach the API through a load balancer with a certificate of its own.
    pub load_balancer: bool,
    /// How long an admin credential lasts that is handed out.
    pub admin: Duration,
    /// How long an update may take to be seen by a rolling update.
    pub notice: Duration,
    /// How long a cluster may take to be well behind a roll.
    pub patience: Duration,
    /// How often it is looked meanwhile.
    pub poll: Duration,
}

/// What the runbook works with.
pub struct World {
    /// The cluster.
    pub cluster: Arc<dyn KopsCluster>,
    /// Who holds credentials, in the order of the configuration.
    pub holders: Vec<Holder>,
    /// The rules.
    pub rules: Rules,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What a roll says at the moment: of which group, and its last line.
    heard: Mutex<Option<(String, String)>>,
}

impl World {
    /// A world in which nothing rolls.
    pub fn new(cluster: Arc<dyn KopsCluster>, holders: Vec<Holder>, rules: Rules, clock: Arc<dyn Clock>) -> Self {
        Self { cluster, holders, rules, clock, heard: Mutex::default() }
    }

    /// What an instance group is for.
    pub(super) fn purpose(&self, group: &str) -> Purpose {
        if self.rules.control_plane.is_empty() {
            return purpose(group);
        }
        match self.rules.control_plane.iter().any(|name| name == group) {
            true => Purpose::ControlPlane,
            false if purpose(group) == Purpose::Bastion => Purpose::Bastion,
            false => Purpose::Nodes,
        }
    }

    /// The keysets that are rotated: they exist, they can be, and the configuration wants it.
    pub(super) fn chosen(&self, keysets: &Keysets) -> Vec<String> {
        let Rules { only, leave_out, .. } = &self.rules;
        let is_wanted = |name: &&str| {
            is_rotatable(name)
                && (only.is_empty() || only.iter().any(|one| one == name))
                && leave_out.iter().all(|one| one != name)
        };
        keysets.names().filter(is_wanted).map(str::to_owned).collect()
    }

    /// The last line of what rolls now.
    pub(super) fn heard(&self) -> Option<(String, String)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A roll has said something; none: it has ended.
    pub(super) fn hears(&self, line: Option<(&str, &str)>) {
        let line = line.map(|(group, line)| (group.to_owned(), line.to_owned()));
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}
