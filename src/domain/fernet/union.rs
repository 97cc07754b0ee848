//! The cure after two rotations without distribution: every key that anybody encrypts or decrypts with, on all nodes, under the right
//! primary. Keys that are wanted get an index at which no node holds anything else, so that installing never overwrites one.

use super::repository::{Digest, Keys, Repository};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The keys of all nodes in one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Union {
    /// What every node is to hold.
    pub wanted: Keys,
    /// From which node each key is to be taken, by digest.
    pub sources: BTreeMap<Digest, String>,
    /// Keys that the rotator lacked.
    pub recovered: Vec<Digest>,
}

/// Why there is no union.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUnion {
    /// The node whose primary is to be on top was not seen.
    #[error("unite the keys: {0} was not seen")]
    NotSeen(String),
    /// It has no staged key or no primary.
    #[error("unite the keys: {0} has no staged key or no primary to put on top")]
    Incomplete(String),
    /// The indexes are used up (4,294,967,295).
    #[error("unite the keys: there is no index left above the highest")]
    NoIndex,
}

/// The union of all nodes' keys with the staged key and primary of `rotator` on top. Staged keys of others are left out: nobody has
/// encrypted with them.
pub fn unite(seen: &[Repository], rotator: &str) -> Result<Union, NoUnion> {
    let nodes: Vec<Keys> = seen.iter().map(Repository::digests).collect();
    let at = seen.iter().position(|one| one.node == rotator).ok_or_else(|| NoUnion::NotSeen(rotator.into()))?;
    let base = &nodes[at];
    if !base.contains_key(&0) || base.len() < 2 {
        return Err(NoUnion::Incomplete(rotator.into()));
    }
    let mut sources = BTreeMap::new();
    // The rotator last, so that it is the source of whatever it has; of the others the first.
    for (one, keys) in seen.iter().zip(&nodes).rev().chain([(&seen[at], base)]) {
        sources.extend(keys.values().map(|digest| (*digest, one.node.clone())));
    }
    let recovered = used_beyond(base, &nodes);
    let wanted = with(base, &recovered, &nodes).ok_or(NoUnion::NoIndex)?;
    sources.retain(|digest, _| wanted.values().any(|kept| kept == digest));
    Ok(Union { wanted, sources, recovered })
}

/// The keys that some node has or had as its primary (index 1 and above) and that `base` lacks, each once, in the order of their
/// indexes.
pub fn used_beyond(base: &Keys, nodes: &[Keys]) -> Vec<Digest> {
    let mut found: Vec<(u32, Digest)> = Vec::new();
    for (index, digest) in nodes.iter().flat_map(|keys| keys.range(1..)) {
        let is_known = base.values().any(|held| held == digest) || found.iter().any(|(_, held)| held == digest);
        if !is_known {
            found.push((*index, *digest));
        }
    }
    found.sort();
    found.into_iter().map(|(_, digest)| digest).collect()
}

/// `base` and these keys as secondaries, each at an index below the primary that is free on all nodes or holds just this key. Where
/// there is none, and where nodes hold different keys under one index, keys are put above all, with the primary's content once more
/// on top of them. None where the indexes are used up.
pub fn with(base: &Keys, extra: &[Digest], nodes: &[Keys]) -> Option<Keys> {
    let (primary, top_key) = base.last_key_value().map(|(index, digest)| (*index, *digest))?;
    let fits =
        |index: u32, digest: Digest| nodes.iter().all(|keys| keys.get(&index).is_none_or(|held| *held == digest));
    let mut wanted: Keys = base.iter().filter(|(index, _)| **index == 0).map(|(i, d)| (*i, *d)).collect();
    let mut homeless = Vec::new();
    for (index, digest) in base.range(1..) {
        if fits(*index, *digest) {
            wanted.insert(*index, *digest);
        } else if *index != primary {
            homeless.push(*digest);
        }
    }
    homeless.extend_from_slice(extra);
    let mut above = Vec::new();
    for digest in homeless {
        let free = |index: &u32| !wanted.contains_key(index) && fits(*index, digest);
        let held = nodes
            .iter()
            .flat_map(|keys| keys.range(1..primary))
            .find(|(i, d)| **d == digest && free(i))
            .map(|(i, _)| *i);
        match held.or_else(|| (1..primary.min(HIGHEST_SEARCHED)).find(free)) {
            Some(index) => drop(wanted.insert(index, digest)),
            None => above.push(digest),
        }
    }
    if above.is_empty() && wanted.get(&primary) == Some(&top_key) {
        return Some(wanted);
    }
    let mut next = nodes.iter().chain([base]).filter_map(|keys| keys.keys().next_back()).max().copied()?;
    for digest in above.into_iter().chain([top_key]) {
        next = next.checked_add(1)?;
        wanted.insert(next, digest);
    }
    Some(wanted)
}

/// No free index is looked for above this one: a primary of a million has seen a rotation an hour for a century.
const HIGHEST_SEARCHED: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::super::repository::samples::*;
    use super::*;

    fn shown(keys: &Keys) -> Vec<(u32, Digest)> {
        keys.iter().map(|(index, digest)| (*index, *digest)).collect()
    }

    #[test]
    fn after_two_rotations_without_distribution_the_purged_key_returns_below_the_right_primary() {
        let behind = [(0, 3, 0), (1, 1, 0), (2, 2, 0)];
        let seen = [
            repository("node0", &[(0, 5, 0), (3, 3, 0), (4, 4, 0)]),
            repository("node1", &behind),
            repository("node2", &behind),
        ];
        let union = unite(&seen, "node0").unwrap();
        let wanted = [(0, 5), (1, 1), (2, 2), (3, 3), (4, 4)].map(|(index, n)| (index, digest(n)));
        assert_eq!(shown(&union.wanted), wanted);
        assert_eq!(union.recovered, [digest(1), digest(2)]);
        assert_eq!((&*union.sources[&digest(2)], &*union.sources[&digest(4)]), ("node1", "node0"));
    }

    #[test]
    fn keys_under_the_same_index_move_above_all_with_the_primary_on_top() {
        // Both have rotated by themselves: index 3 holds the common staged key, 4 differs.
        let seen =
            [repository("a", &[(0, 9, 0), (3, 3, 0), (4, 4, 0)]), repository("b", &[(0, 8, 0), (3, 3, 0), (4, 7, 0)])];
        let union = unite(&seen, "a").unwrap();
        assert_eq!(shown(&union.wanted), [(0, 9), (1, 7), (3, 3), (5, 4)].map(|(index, n)| (index, digest(n))));
    }

    #[test]
    fn without_a_free_index_below_the_primary_goes_up_with_what_is_kept() {
        let base: Keys = [(0, digest(9)), (1, digest(1)), (2, digest(2))].into();
        let nodes = [base.clone(), [(0, digest(9)), (3, digest(7))].into()];
        let kept = with(&base, &[digest(7)], &nodes).unwrap();
        assert_eq!(shown(&kept), [(0, 9), (1, 1), (2, 2), (4, 7), (5, 2)].map(|(index, n)| (index, digest(n))));
    }

    #[test]
    fn what_can_not_be_on_top_is_refused() {
        let seen = [repository("a", &[(1, 1, 0)]), repository("b", &[(0, 1, 0)])];
        assert_eq!(unite(&seen, "a"), Err(NoUnion::Incomplete("a".into())));
        assert_eq!(unite(&seen, "b"), Err(NoUnion::Incomplete("b".into())));
        assert_eq!(unite(&seen, "c"), Err(NoUnion::NotSeen("c".into())));
        let full: Keys = [(0, digest(9)), (u32::MAX, digest(1))].into();
        let nodes = [full.clone(), [(0, digest(9)), (u32::MAX, digest(2))].into()];
        assert_eq!(with(&full, &[], &nodes), None);
    }

    proptest::proptest! {
        #[test]
        fn a_union_overwrites_nothing_and_loses_no_key_that_was_used(
            nodes in proptest::collection::vec(proptest::collection::btree_map(0u32..7, 0u8..9, 0..6), 1..5),
        ) {
            let seen: Vec<Repository> = nodes.iter().enumerate().map(|(at, keys)| {
                let keys: Vec<_> = keys.iter().map(|(index, n)| (*index, *n, 0)).collect();
                repository(&format!("n{at}"), &keys)
            }).collect();
            let Ok(union) = unite(&seen, "n0") else { return Ok(()) };
            let base = seen[0].digests();
            proptest::prop_assert_eq!(union.wanted.get(&0), base.get(&0));
            proptest::prop_assert_eq!(union.wanted.values().next_back(), base.values().next_back());
            for one in &seen {
                for (index, digest) in one.digests().range(1..) {
                    proptest::prop_assert!(union.wanted.values().any(|kept| kept == digest));
                    proptest::prop_assert!(union.wanted.get(index).is_none_or(|wanted| wanted == digest));
                }
            }
            for digest in union.wanted.values() {
                proptest::prop_assert!(union.sources.contains_key(digest));
            }
        }
    }
}
