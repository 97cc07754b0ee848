//! What the runbook journals of its own: digests and names, never a key.

use crate::domain::fernet::repository::Keys;
use crate::domain::fernet::rotation::Promotion;
use crate::domain::fernet::watch::Counts;
use crate::engine::case::record::OwnRecord;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which of a node's repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tokens; receipts as well where they lie in the same folder.
    Tokens,
    /// Receipts in a folder of their own.
    Receipts,
}

impl Kind {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Tokens => "tokens",
            Kind::Receipts => "receipts",
        }
    }
}

/// A repository that is rotated: where, and what lies in it on all nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which.
    pub kind: Kind,
    /// Its path on each node: in containers they need not be the same.
    pub paths: BTreeMap<String, String>,
    /// What is in force.
    #[serde(with = "crate::domain::fernet::repository::by_index")]
    pub keys: Keys,
    /// By the configuration.
    pub max_active_keys: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum FernetRecord {
    /// All nodes hold the same, and nothing is wrong with it.
    Agreed {
        /// What they hold.
        held: Vec<Held>,
        /// How each has answered its users so far, where that is counted.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        baseline: BTreeMap<String, Counts>,
    },
    /// A node's repositories are saved beside it, and could be restored.
    Saved {
        /// Which node.
        node: String,
    },
    /// One promotion was made in a copy on the rotator.
    Prepared {
        /// Of which repository.
        kind: Kind,
        /// What it comes to.
        promotion: Promotion,
    },
    /// The prepared repositories lie beside the live ones of a node.
    Placed {
        /// Which node.
        node: String,
    },
    /// A node has what is wanted in force.
    Installed {
        /// Which node.
        node: String,
        /// On the way back.
        back: bool,
        /// What somebody else had changed there meanwhile, a sentence each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        met: Vec<String>,
    },
    /// Keys that are no longer needed were taken away on a node.
    Purged {
        /// Which node.
        node: String,
    },
    /// What lay on the nodes when the journal, of which the end was lost, was gone on with: it counts instead of what was read.
    Found {
        /// What all nodes held before, by what was saved of it.
        held: Vec<Held>,
        /// What was prepared, where it is known.
        prepared: BTreeMap<Kind, Promotion>,
        /// The nodes whose repositories are saved.
        saved: BTreeSet<String>,
        /// The nodes on which the prepared one lies beside the live one.
        placed: BTreeSet<String>,
        /// The nodes that hold what is to remain behind a purge, and nothing beside it.
        purged: BTreeSet<String>,
    },
}

impl OwnRecord for FernetRecord {
    fn begins(&self) -> bool {
        false
    }

    fn summary(&self) -> String {
        match self {
            FernetRecord::Agreed { held, .. } => {
                let each = held.iter().map(|one| format!("{} {}", one.kind.word(), indexes(&one.keys)));
                format!("all nodes hold the same keys: {}", each.collect::<Vec<_>>().join(", "))
            }
            FernetRecord::Saved { node } => format!("{node}: saved, and tried whether it could be restored"),
            FernetRecord::Prepared { kind, promotion } => {
                let Promotion { primary, promoted, purged, .. } = promotion;
                let would = match purged.len() {
                    0 => "nothing is to be purged".to_owned(),
                    _ => format!("to be purged later: {}", list(purged)),
                };
                format!("{}: key 0 ({promoted}) is to become the primary {primary}; {would}", kind.word())
            }
            FernetRecord::Placed { node } => format!("{node}: placed beside the live keys"),
            FernetRecord::Installed { node, back, met } => {
                let done = if *back { "put back" } else { "in force" };
                let met = if met.is_empty() { String::new() } else { format!("; {}", met.join("; ")) };
                format!("{node}: {done}{met}")
            }
            FernetRecord::Purged { node } => format!("{node}: purged"),
            FernetRecord::Found { saved, placed, purged, .. } => {
                format!("found: saved on {} nodes, placed on {}, purged on {}", saved.len(), placed.len(), purged.len())
            }
        }
    }
}

/// `0, 4, 5`.
pub(super) fn indexes(keys: &Keys) -> String {
    list(&keys.keys().copied().collect::<Vec<_>>())
}

pub(super) fn list(indexes: &[u32]) -> String {
    indexes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fernet::repository::Digest;
    use crate::engine::case::record::Body;
    use crate::engine::record::CaseBody;

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let keys = || Keys::from([(0, Digest::from_bytes([1; 32])), (17, Digest::from_bytes([2; 32]))]);
        let digest = Digest::from_bytes([3; 32]);
        let promotion = Promotion { primary: 18, promoted: digest, staged: digest, purged: vec![15], keys: keys() };
        let paths = BTreeMap::from([("ctl1".to_owned(), "/etc/keystone/fernet-keys".to_owned())]);
        let held = vec![Held { kind: Kind::Tokens, paths, keys: keys(), max_active_keys: 3 }];
        let (found, prepared) = (held.clone(), promotion.clone());
        let baseline = BTreeMap::from([("ctl1".to_owned(), Counts { requests: 9, refused: 1, failed: 0 })]);
        let node = || "ctl1".to_owned();
        for record in [
            FernetRecord::Agreed { held, baseline },
            FernetRecord::Saved { node: node() },
            FernetRecord::Prepared { kind: Kind::Receipts, promotion },
            FernetRecord::Placed { node: node() },
            FernetRecord::Installed { node: node(), back: true, met: vec!["ctl1: key 3 was gone".into()] },
            FernetRecord::Purged { node: node() },
            FernetRecord::Found {
                held: found,
                prepared: BTreeMap::from([(Kind::Tokens, prepared)]),
                saved: BTreeSet::from([node()]),
                placed: BTreeSet::new(),
                purged: BTreeSet::new(),
            },
        ] {
            let written = CaseBody::of(&Body::Own(record.clone())).unwrap();
            let text = serde_json::to_string(&written).unwrap();
            let read: CaseBody = serde_json::from_str(&text).unwrap();
            assert_eq!(read.read::<Body<FernetRecord>>().unwrap(), Body::Own(record), "{text}");
        }
    }
}
