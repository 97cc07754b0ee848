//! The cluster from behind: what lies on every node, what was ever issued, and whether all of it still holds. It changes
//! nothing, and asks past every cache and fault.

use std::sync::Arc;

use super::super::state::{lock, utc};
use super::repository::{self, Broken, KeyState};
use super::world::{Rejected, Ring, World};

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// The files in its folder of token keys, by name.
    pub tokens: Vec<KeyState>,
    /// Those of the receipts, where they have a folder of their own.
    pub receipts: Vec<KeyState>,
}

/// A token that was issued, without the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedState {
    /// The node that issued it.
    pub node: usize,
    /// The digest of the key it was made with, as in [`KeyState`].
    pub key: String,
    /// Seconds since 1970, by that node's clock.
    pub issued: u64,
    /// Likewise.
    pub expires: u64,
}

/// All of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterState {
    /// In the order of their numbers.
    pub nodes: Vec<NodeState>,
    /// In the order in which they were issued.
    pub issued: Vec<IssuedState>,
}

/// As it is now.
pub(super) fn state(world: &Arc<World>) -> ClusterState {
    let nodes = world.nodes.iter().map(|node| {
        let folders = node.conf().map(|conf| (conf.tokens.folder, conf.receipts.folder));
        let (tokens, receipts) =
            folders.unwrap_or_else(|_| (node.etc().join("fernet-keys"), node.etc().join("fernet-keys")));
        let apart = tokens.components().ne(receipts.components());
        NodeState {
            name: node.name.clone(),
            tokens: repository::state(&tokens),
            receipts: if apart { repository::state(&receipts) } else { Vec::new() },
        }
    });
    let issued = lock(&world.issued)
        .iter()
        .map(|one| IssuedState { node: one.node, key: one.key.clone(), issued: one.issued, expires: one.expires })
        .collect();
    ClusterState { nodes: nodes.collect(), issued }
}

/// Every token that was issued and may still be used at `now` (seconds since 1970), by whoever holds it or by a service that
/// asks for it late, at every node; a sentence for each that is not taken there.
pub(super) fn still_valid(world: &Arc<World>, now: u64) -> Vec<String> {
    let issued = lock(&world.issued).clone();
    let rings = world.nodes.iter().map(|node| node.conf().map_err(Broken::from).and_then(|conf| Ring::of(&conf)));
    let rings: Vec<Result<Ring, Broken>> = rings.collect();
    let mut lost = Vec::new();
    for (number, one) in issued.iter().enumerate().filter(|(_, one)| now < one.gone) {
        let late = now >= one.expires;
        for (node, ring) in world.nodes.iter().zip(&rings) {
            let (status, why) = match ring.as_ref().map(|ring| ring.judge(&one.token, late, now)) {
                Ok(Ok(())) => continue,
                Ok(Err(Rejected::NotFound(why))) => ("401/404", why),
                Ok(Err(Rejected::Broken(why))) => ("500", why.to_string()),
                Err(broken) => ("500", broken.to_string()),
            };
            lost.push(format!(
                "token {number}, issued at {} by {} with key {}, is {status} at {}{}: {why}",
                utc(one.issued, "%H:%M:%S"),
                world.nodes[one.node].name,
                one.key,
                node.name,
                if late { " when a service asks late" } else { "" },
            ));
        }
    }
    lost
}
