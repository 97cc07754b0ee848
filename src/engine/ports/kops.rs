//! One cluster behind `kops`: what it lists, the few verbs that change keypairs, updates and rolls. What is judged of it all is
//! `domain::kops`; when what is done is the runbook's. No private key and no kubeconfig passes here: paths and digests do.

use crate::domain::fault::Fault;
use crate::domain::kops::group::Group;
use crate::domain::kops::keypair::{Keypair, KeypairId};
use crate::domain::kops::version::Version;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a group is rolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// Also instances that need no update.
    pub force: bool,
    /// Without asking the API whether each is well again.
    pub cloud_only: bool,
}

/// What shall be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// By which the file is named: letters, digits, hyphens.
    pub tag: String,
    /// With an admin credential that lasts so long; none: the authority's certificates alone.
    pub admin: Option<Duration>,
}

/// A kubeconfig that was exported: where it lies, and what may be known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The file, on the host where `kops` runs; nobody but its owner may read it.
    pub path: String,
    /// Its SHA-256.
    pub digest: String,
    /// How many certificates its `certificate-authority-data` holds.
    pub certificates: usize,
    /// The SHA-256 of that data; empty where there is none.
    pub authority: String,
    /// Where that data lies as a file of its own on this host: it is public.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub authority_path: String,
}

/// Hears how a long command goes: a line at a time, sanitized.
pub type Hears<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// One cluster.
#[async_trait]
pub trait KopsCluster: Send + Sync {
    /// Which kOps it is.
    async fn version(&self) -> Result<Version, Fault>;
    /// All keypairs, distrusted ones too.
    async fn keypairs(&self) -> Result<Vec<Keypair>, Fault>;
    /// Adds a keypair to a keyset. Gives its id where it was said.
    async fn create(&self, keyset: &str) -> Result<Option<KeypairId>, Fault>;
    /// Makes this one the primary.
    async fn promote(&self, keyset: &str, id: &KeypairId) -> Result<(), Fault>;
    /// Takes this one out of the trust stores.
    async fn distrust(&self, keyset: &str, id: &KeypairId) -> Result<(), Fault>;
    /// Takes this one into them again.
    async fn trust(&self, keyset: &str, id: &KeypairId) -> Result<(), Fault>;
    /// What an update would change, as it prints it: bounded, sanitized lines.
    async fn dry_update(&self) -> Result<Vec<String>, Fault>;
    /// Applies the state store to the cloud.
    async fn update(&self) -> Result<(), Fault>;
    /// The instance groups, and how many of their instances need an update. `cloud_only`: without the API.
    async fn groups(&self, cloud_only: bool) -> Result<Vec<Group>, Fault>;
    /// Rolls one group to its end. The command ends when the caller goes away, on another host too.
    async fn roll(&self, group: &str, how: Roll, hears: Hears<'_>) -> Result<(), Fault>;
    /// Whether the cluster is well; what it says. Errors: it is not, or that can't be told.
    async fn validate(&self) -> Result<String, Fault>;
    /// Writes a kubeconfig.
    async fn export(&self, export: &Export) -> Result<Exported, Fault>;
    /// Certificates of the authority that an export has kept on this host, by their SHA-256. Errors: they can't be read, are others, or what
    /// lies there is not certificates alone.
    async fn kept(&self, path: &str, digest: &str) -> Result<Vec<u8>, Fault>;
    /// Gives the case's own kubeconfig, with which the commands reach the API, an admin credential for a while.
    async fn sign_in(&self) -> Result<(), Fault>;
    /// Takes that kubeconfig away.
    async fn sign_out(&self) -> Result<(), Fault>;
    /// Whether a copy of the state store can be gone back to, as the configured command says; none where there is none.
    async fn has_backup(&self) -> Option<Result<(), Fault>>;
    /// What the configured command says of the autoscaler, in a line; none where there is none.
    async fn autoscaler(&self) -> Option<Result<String, Fault>>;
}
