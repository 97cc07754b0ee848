//! The lab's Keystone cluster: nodes that validate genuine Fernet tokens from real folders of keys, a shell behind the
//! operator's command that runs real scripts on them, and `keystone-manage`; so that what runs against it is the production path.
//!
//! The cluster as its owner and the tests see it is `cluster`; one node's HTTP, `node`; the shell's two ends, `shell` (the
//! node's) and `client` (the operator's); what surrounds a script on a node, `far`.

mod client;
mod cluster;
mod conf;
mod far;
mod keystone_manage;
#[cfg(test)]
mod keystone_manage_tests;
mod log;
mod mishap;
mod node;
mod payload;
mod repository;
mod session;
mod shell;
mod token;
mod traffic;
mod truth;
mod world;

pub use client::node_shell;
pub(super) use cluster::Held;
pub use cluster::{Cluster, ClusterError, ClusterOptions};
pub use keystone_manage::keystone_manage;
pub(super) use mishap::NodeMishap;
pub use repository::KeyState;
pub use truth::{ClusterState, IssuedState, NodeState};
pub use world::Account;
