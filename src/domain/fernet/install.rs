//! In which order the folder of a node becomes the wanted one, so that no reader can see it broken; carrying a stage out on the node
//! is left to `adapters::nodes`.
//!
//! Keystone lists the folder and then opens each name, at every request and without a lock. Measured (a tight loop of readers against
//! a writer): files copied in place, folders exchanged whole and links flipped all let a reader meet a missing or mixed set; new
//! indexes first, highest first, then `0`, each renamed in from beside the folder, never did. So that is the order:
//!
//! 1. every index that is not there, highest first: the new primary is the key that the node holds as `0` already;
//! 2. `0`, whose content now lies under the new primary's index too;
//! 3. going back only: indexes above the wanted primary, lowest first; their content lies elsewhere in the folder by then;
//! 4. by a plan of its own, later: indexes that nobody needs.
//!
//! Every stage can be done twice, and a plan made anew after any of them is the rest of the first. An index that holds other content
//! than wanted is never overwritten.

use super::repository::{Digest, Keys};
use super::union::{used_beyond, with};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One stage: what happens between two renames or removals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A key is put under an index that was free.
    Add {
        /// The index.
        index: u32,
        /// The key.
        digest: Digest,
    },
    /// The staged key is replaced.
    Staged {
        /// What lies there now; none where there is nothing.
        from: Option<Digest>,
        /// What is to lie there.
        to: Digest,
    },
    /// A key above the wanted primary is removed, so that the wanted one encrypts again; its content stays under another index.
    Demote {
        /// The index.
        index: u32,
        /// What lies there now.
        digest: Digest,
    },
    /// A key that nobody needs is removed.
    Purge {
        /// The index.
        index: u32,
        /// What lies there now.
        digest: Digest,
    },
}

impl Stage {
    /// The index that it changes.
    pub fn index(&self) -> u32 {
        match self {
            Stage::Add { index, .. } | Stage::Demote { index, .. } | Stage::Purge { index, .. } => *index,
            Stage::Staged { .. } => 0,
        }
    }

    /// A fragment: `add key 3 (0a1b2c3d4e5f)`.
    pub fn message(&self) -> String {
        match self {
            Stage::Add { index, digest } => format!("add key {index} ({digest})"),
            Stage::Staged { to, .. } => format!("replace key 0 by {to}"),
            Stage::Demote { index, digest } => format!("take key {index} ({digest}) from the top"),
            Stage::Purge { index, digest } => format!("purge key {index} ({digest})"),
        }
    }
}

/// Why there is no plan: going on would overwrite or lose a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// What is wanted has no staged key or no primary.
    #[error("plan the installation: what is to be installed has no staged key or no primary")]
    Incomplete,
    /// An index holds something else than is wanted there.
    #[error("plan the installation: key {index} is {held} there and should be {wanted}; it is never overwritten")]
    OtherContent {
        /// The index.
        index: u32,
        /// What lies there.
        held: Digest,
        /// What should.
        wanted: Digest,
    },
    /// A key that tokens were made with would be nowhere on the node.
    #[error("plan the installation: key {index} ({digest}) has encrypted tokens and would be lost there")]
    WouldBeLost {
        /// Where it lies now.
        index: u32,
        /// Which.
        digest: Digest,
    },
    /// A purge is asked for before the installation is whole; the index that is not as wanted.
    #[error("plan the purge: key {0} is not installed there yet")]
    NotInstalled(u32),
    /// A purge would take a key that is above the wanted primary: it encrypts at present.
    #[error("plan the purge: key {0} encrypts new tokens there at present")]
    Encrypts(u32),
}

/// The stages by which a node that holds `current` comes to hold all that is `wanted`, with the wanted primary on top. Indexes below it
/// that are not wanted stay: they are [`purge`]'s. `used` are the keys that any node has or had as its primary ([`used`]); none of them
/// is given up.
///
/// The wanted primary should be known to all nodes before the first of them installs it ([`lacking`]).
pub fn plan(current: &Keys, wanted: &Keys, used: &BTreeSet<Digest>) -> Result<Vec<Stage>, Stop> {
    let primary = wanted.keys().next_back().copied().filter(|primary| *primary > 0).ok_or(Stop::Incomplete)?;
    let staged = wanted.get(&0).copied().ok_or(Stop::Incomplete)?;
    for (index, held) in current.range(1..) {
        match wanted.get(index) {
            Some(wanted) if wanted != held => {
                return Err(Stop::OtherContent { index: *index, held: *held, wanted: *wanted });
            }
            _ => {}
        }
    }
    let missing = wanted.range(1..).rev().filter(|(index, _)| !current.contains_key(index));
    let mut stages: Vec<Stage> = missing.map(|(index, digest)| Stage::Add { index: *index, digest: *digest }).collect();
    if current.get(&0) != Some(&staged) {
        stages.push(Stage::Staged { from: current.get(&0).copied(), to: staged });
    }
    let above = current.range(primary..).filter(|(index, _)| **index != primary);
    stages.extend(above.map(|(index, digest)| Stage::Demote { index: *index, digest: *digest }));
    let after = applied(current, &stages);
    let lost = current.iter().find(|(index, digest)| {
        // What the node itself has encrypted with counts as used, whatever others say.
        (**index > 0 || used.contains(digest)) && !after.values().any(|kept| kept == *digest)
    });
    match lost {
        Some((index, digest)) => Err(Stop::WouldBeLost { index: *index, digest: *digest }),
        None => Ok(stages),
    }
}

/// The stages by which a node loses the keys that are `leaving`, lowest first, each where it lies under its index still. What is to remain
/// and is missing is put there first, below the highest; but for a staged key, which has encrypted nothing, and for what is `lost`, which
/// no node has any more. What else lies there is somebody else's, and stays. Whether that may be done yet is `not_before`'s: it is the point of no return.
pub fn purge(current: &Keys, remain: &Keys, leaving: &Keys, lost: &BTreeSet<Digest>) -> Result<Vec<Stage>, Stop> {
    if remain.keys().next_back().is_none_or(|primary| *primary == 0) {
        return Err(Stop::Incomplete);
    }
    let highest = current.keys().next_back().copied();
    let is_there = |digest: &Digest| lost.contains(digest) || current.values().any(|held| held == digest);
    let mut stages = Vec::new();
    for (index, digest) in remain.range(1..).filter(|(_, digest)| !is_there(digest)) {
        // Below the highest it changes no answer of the node's but for the better.
        if Some(*index) > highest || current.contains_key(index) {
            return Err(Stop::NotInstalled(*index));
        }
        stages.push(Stage::Add { index: *index, digest: *digest });
    }
    let gone: Vec<(u32, Digest)> =
        leaving.iter().filter(|(index, digest)| current.get(index) == Some(digest)).map(|(i, d)| (*i, *d)).collect();
    match gone.iter().find(|(index, _)| Some(*index) == highest) {
        Some((index, _)) => Err(Stop::Encrypts(*index)),
        None => {
            stages.extend(gone.into_iter().map(|(index, digest)| Stage::Purge { index, digest }));
            Ok(stages)
        }
    }
}

/// What every node is to hold to be back where `saved` was: that, and as secondaries the keys which nodes have encrypted with meanwhile
/// and `saved` lacks. After one rotation it lacks none, since the promoted key was its staged one, and the way back ends at exactly
/// what was saved. None where no index is left.
pub fn way_back(saved: &Keys, nodes: &[Keys]) -> Option<Keys> {
    with(saved, &used_beyond(saved, nodes), nodes)
}

/// The keys that any node has or had as its primary: everything but what is staged only.
pub fn used(nodes: &[Keys]) -> BTreeSet<Digest> {
    nodes.iter().flat_map(|keys| keys.range(1..)).map(|(_, digest)| *digest).collect()
}

/// The positions of the nodes that do not know the wanted primary: as soon as the first node has installed it, they refuse its tokens.
pub fn lacking(wanted: &Keys, nodes: &[Keys]) -> Vec<usize> {
    let Some(primary) = wanted.values().next_back() else { return Vec::new() };
    let lacks = |keys: &Keys| !keys.values().any(|digest| digest == primary);
    nodes.iter().enumerate().filter(|(_, keys)| lacks(keys)).map(|(at, _)| at).collect()
}

/// What a folder holds after these stages.
pub fn applied(current: &Keys, stages: &[Stage]) -> Keys {
    let mut keys = current.clone();
    for stage in stages {
        match *stage {
            Stage::Add { index, digest } => drop(keys.insert(index, digest)),
            Stage::Staged { to, .. } => drop(keys.insert(0, to)),
            Stage::Demote { index, .. } | Stage::Purge { index, .. } => drop(keys.remove(&index)),
        }
    }
    keys
}

#[cfg(test)]
#[path = "install/tests.rs"]
mod tests;
