//! The order of installing, tried from every start that the rules allow: at no moment does any node lack a key that a token needs.

use super::super::not_before::excess;
use super::super::repository::samples::digest;
use super::*;
use proptest::prelude::*;

fn keys(pairs: &[(u32, u8)]) -> Keys {
    pairs.iter().map(|(index, n)| (*index, digest(*n))).collect()
}

fn planned(current: &Keys, wanted: &Keys) -> Vec<String> {
    plan(current, wanted, &used(std::slice::from_ref(current))).unwrap().iter().map(Stage::message).collect()
}

#[test]
fn forward_adds_the_primary_then_replaces_zero_and_leaves_the_rest_to_the_purge() {
    let (old, new) = (keys(&[(0, 3), (1, 1), (2, 2)]), keys(&[(0, 4), (2, 2), (3, 3)]));
    assert_eq!(planned(&old, &new), [format!("add key 3 ({})", digest(3)), format!("replace key 0 by {}", digest(4))]);
    let installed = applied(&old, &plan(&old, &new, &used(std::slice::from_ref(&old))).unwrap());
    let purged = purge(&installed, &new, &keys(&[(1, 1)]), &none()).unwrap();
    assert_eq!(purged.iter().map(Stage::message).collect::<Vec<_>>(), [format!("purge key 1 ({})", digest(1))]);
    assert_eq!(applied(&installed, &purged), new);
    assert_eq!(purge(&new, &new, &keys(&[(1, 1)]), &none()).unwrap(), []);
}

#[test]
fn the_way_back_ends_at_what_was_saved_and_keeps_the_promoted_key_as_the_staged_one() {
    let saved = keys(&[(0, 3), (1, 1), (2, 2)]);
    let installed = keys(&[(0, 4), (1, 1), (2, 2), (3, 3)]);
    let wanted = way_back(&saved, &[installed.clone(), saved.clone()]).unwrap();
    assert_eq!(wanted, saved);
    assert_eq!(
        planned(&installed, &wanted),
        [format!("replace key 0 by {}", digest(3)), format!("take key 3 ({}) from the top", digest(3))]
    );
}

#[test]
fn a_key_that_others_have_encrypted_with_meanwhile_stays_as_a_secondary() {
    // Two promotions later the saved repository does not know the last primary.
    let saved = keys(&[(0, 3), (1, 1), (2, 2)]);
    let now = keys(&[(0, 5), (2, 2), (3, 3), (4, 4)]);
    let wanted = way_back(&saved, std::slice::from_ref(&now)).unwrap();
    assert!(wanted.values().any(|kept| *kept == digest(4)));
    assert_eq!(wanted.values().next_back(), Some(&digest(2)), "the saved primary encrypts again");
    let after = applied(&now, &plan(&now, &wanted, &used(std::slice::from_ref(&now))).unwrap());
    assert_eq!(after.values().next_back(), Some(&digest(2)));
}

#[test]
fn nothing_is_overwritten_and_nothing_that_was_used_is_lost() {
    let current = keys(&[(0, 3), (1, 1), (2, 2)]);
    let none = BTreeSet::new();
    let other = plan(&current, &keys(&[(0, 4), (2, 7), (3, 3)]), &none).unwrap_err();
    assert!(other.to_string().contains("key 2 is"), "{other}");
    assert_eq!(plan(&current, &keys(&[(1, 1)]), &none), Err(Stop::Incomplete));
    assert_eq!(plan(&current, &keys(&[(0, 1)]), &none), Err(Stop::Incomplete));
    // Another node encrypts with what is only staged here.
    let elsewhere = BTreeSet::from([digest(3)]);
    let wanted = keys(&[(0, 9), (1, 1), (2, 2)]);
    assert_eq!(plan(&current, &wanted, &elsewhere), Err(Stop::WouldBeLost { index: 0, digest: digest(3) }));
    assert_eq!(plan(&current, &wanted, &none).unwrap().len(), 1);
    // The primary would go without a place of its own.
    let below = keys(&[(0, 3), (1, 1)]);
    assert_eq!(plan(&current, &below, &none), Err(Stop::WouldBeLost { index: 2, digest: digest(2) }));
}

#[test]
fn a_purge_before_the_installation_is_whole_is_refused() {
    let (wanted, gone) = (keys(&[(0, 4), (2, 2), (3, 3)]), keys(&[(1, 1)]));
    assert_eq!(purge(&keys(&[(0, 5), (1, 1), (2, 2)]), &wanted, &gone, &none()), Err(Stop::NotInstalled(3)));
    assert_eq!(
        purge(&keys(&[(0, 4), (2, 2), (3, 3), (4, 1)]), &wanted, &keys(&[(4, 1)]), &none()),
        Err(Stop::Encrypts(4))
    );
    assert_eq!(purge(&wanted, &keys(&[(0, 4)]), &gone, &none()), Err(Stop::Incomplete));
}

#[test]
fn a_purge_takes_nothing_that_somebody_else_has_put_there() {
    let (remain, gone) = (keys(&[(0, 4), (2, 2), (3, 3)]), keys(&[(1, 1)]));
    // One promotion more by somebody else: what was staged encrypts.
    let promoted = keys(&[(0, 5), (1, 1), (2, 2), (3, 3), (4, 4)]);
    assert_eq!(purge(&promoted, &remain, &gone, &none()), Ok(vec![Stage::Purge { index: 1, digest: digest(1) }]));
    // Another key under the index of one that is to go.
    assert_eq!(purge(&keys(&[(0, 4), (1, 7), (2, 2), (3, 3)]), &remain, &gone, &none()), Ok(Vec::new()));
    // One that no node has any more holds nothing up.
    let (without, lost) = (keys(&[(0, 4), (1, 1), (3, 3)]), BTreeSet::from([digest(2)]));
    let lent = purge(&without, &remain, &gone, &none()).unwrap();
    assert_eq!(applied(&without, &lent), remain, "another node lends it");
    assert_eq!(purge(&without, &remain, &gone, &lost).unwrap().len(), 1);
}

#[test]
fn who_does_not_know_the_new_primary_is_named_by_position() {
    let wanted = keys(&[(0, 5), (3, 3), (4, 4)]);
    assert_eq!(lacking(&wanted, &[keys(&[(0, 4), (3, 3)]), keys(&[(0, 3), (2, 2)])]), [1]);
}

fn none() -> BTreeSet<Digest> {
    BTreeSet::new()
}

/// Several nodes whose tokens are kept: whatever one has ever issued has to be readable on all.
struct Cluster {
    nodes: Vec<Keys>,
    issued: BTreeSet<Digest>,
}

impl Cluster {
    /// Every node issues a token with its primary.
    fn issue(&mut self) {
        self.issued.extend(self.nodes.iter().filter_map(|keys| keys.values().next_back()));
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for (at, keys) in self.nodes.iter().enumerate() {
            prop_assert!(keys.contains_key(&0), "node {at} has no staged key: {keys:?}");
            for key in &self.issued {
                prop_assert!(keys.values().any(|held| held == key), "node {at} can't read tokens of {key}: {keys:?}");
            }
        }
        Ok(())
    }

    /// One node does the first stage of its plan, made anew as after a crash. Says whether there was one.
    fn go(&mut self, at: usize, wanted: &Keys) -> Result<bool, TestCaseError> {
        let used: BTreeSet<Digest> = used(&self.nodes).union(&self.issued).copied().collect();
        let stages = plan(&self.nodes[at], wanted, &used).map_err(|stop| TestCaseError::fail(stop.to_string()))?;
        let Some(first) = stages.first() else { return Ok(false) };
        let next = applied(&self.nodes[at], std::slice::from_ref(first));
        // What a kill between two stages leaves needs exactly the rest; what a kill after the rename and before its record leaves
        // is the same stage again, which changes nothing.
        let rest = plan(&next, wanted, &used).map_err(|stop| TestCaseError::fail(stop.to_string()))?;
        prop_assert_eq!(&rest, &stages[1..]);
        prop_assert_eq!(applied(&next, std::slice::from_ref(first)), next.clone());
        self.nodes[at] = next;
        self.issue();
        self.check()?;
        Ok(true)
    }

    /// Every node, in the order that is drawn, as far as is drawn; then all to the end.
    fn walk(&mut self, wanted: &Keys, moves: &[usize]) -> Result<(), TestCaseError> {
        for at in moves {
            self.go(at % self.nodes.len(), wanted)?;
        }
        Ok(())
    }

    fn finish(&mut self, wanted: &Keys) -> Result<(), TestCaseError> {
        for at in 0..self.nodes.len() {
            while self.go(at, wanted)? {}
        }
        Ok(())
    }
}

/// A repository after so many rotations with so many keys, and what the next rotation makes of it.
fn history(rotations: u8, max: u32) -> (Keys, Keys) {
    let rotate = |keys: &Keys, n: u8| {
        let mut next = keys.clone();
        let primary = keys.keys().next_back().copied().unwrap_or(0) + 1;
        let staged = next.insert(0, digest(n)).unwrap();
        next.insert(primary, staged);
        for index in excess(next.keys().copied(), max) {
            next.remove(&index);
        }
        next
    };
    let live = (0..rotations).fold(keys(&[(0, 1), (1, 0)]), |live, n| rotate(&live, n + 2));
    let next = rotate(&live, 200);
    (live, next)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Forward as far as is drawn, back from there as far as is drawn, and again, to either end; then the purge.
    #[test]
    fn after_every_prefix_of_every_plan_every_node_reads_every_token(
        rotations in 0u8..9,
        max in 3u32..8,
        count in 1usize..5,
        legs in proptest::collection::vec(proptest::collection::vec(0usize..5, 0..12), 1..5),
        is_forward in any::<bool>(),
    ) {
        let (live, next) = history(rotations, max);
        let first: Keys = next.iter().chain(live.range(1..)).map(|(i, d)| (*i, *d)).collect();
        // The tokens of every key that is there: those of secondaries are old ones.
        let issued = live.range(1..).map(|(_, digest)| *digest).collect();
        let mut cluster = Cluster { nodes: vec![live.clone(); count], issued };
        cluster.issue();
        cluster.check()?;
        prop_assert!(lacking(&first, &cluster.nodes).is_empty());
        for (at, moves) in legs.iter().enumerate() {
            let wanted = if at % 2 == 0 { first.clone() } else { way_back(&live, &cluster.nodes).unwrap() };
            cluster.walk(&wanted, moves)?;
        }
        if !is_forward {
            let wanted = way_back(&live, &cluster.nodes).unwrap();
            prop_assert_eq!(&wanted, &live, "one promotion has nothing that the saved one lacks");
            cluster.finish(&wanted)?;
            prop_assert!(cluster.nodes.iter().all(|keys| *keys == live));
            return Ok(());
        }
        cluster.finish(&first)?;
        prop_assert!(cluster.nodes.iter().all(|keys| *keys == first));
        // Only now, and only the tokens of what is purged are given up.
        cluster.issued.retain(|digest| next.values().any(|kept| kept == digest));
        let kept = |digest: &Digest| next.values().any(|kept| kept == digest);
        let leaving: Keys = first.iter().filter(|(_, digest)| !kept(digest)).map(|(i, d)| (*i, *d)).collect();
        for at in 0..count {
            for stage in purge(&cluster.nodes[at], &next, &leaving, &none()).unwrap() {
                cluster.nodes[at] = applied(&cluster.nodes[at], &[stage]);
                cluster.issue();
                cluster.check()?;
            }
        }
        prop_assert!(cluster.nodes.iter().all(|keys| *keys == next));
        // Back after the purge is possible as well, from what was saved.
        let wanted = way_back(&live, &cluster.nodes).unwrap();
        cluster.finish(&wanted)?;
        prop_assert_eq!(wanted, live);
    }

    /// Whatever lies there: a plan overwrites no index but 0, gives up no used key, and ends with the wanted keys and primary.
    #[test]
    fn a_plan_from_any_state_whatever_is_harmless_or_refused(
        current in proptest::collection::btree_map(0u32..8, 0u8..10, 0..7),
        wanted in proptest::collection::btree_map(0u32..8, 0u8..10, 0..7),
    ) {
        let digests = |of: &std::collections::BTreeMap<u32, u8>| -> Keys { of.iter().map(|(i, n)| (*i, digest(*n))).collect() };
        let (current, wanted) = (digests(&current), digests(&wanted));
        let used = used(std::slice::from_ref(&current));
        let Ok(stages) = plan(&current, &wanted, &used) else { return Ok(()) };
        for end in 0..=stages.len() {
            let now = applied(&current, &stages[..end]);
            // No third key encrypts in between: nobody may know it.
            let encrypts = now.values().next_back();
            let is_either = encrypts == current.values().next_back() || encrypts == wanted.values().next_back();
            prop_assert!(is_either, "{encrypts:?} encrypts after {end} stages of {stages:?}");
            for (index, digest) in current.range(1..) {
                prop_assert!(now.get(index).is_none_or(|held| held == digest), "index {index} was overwritten");
                prop_assert!(now.values().any(|held| held == digest), "{digest} was lost after {end} stages of {stages:?}");
            }
        }
        let after = applied(&current, &stages);
        prop_assert!(wanted.iter().all(|(index, digest)| after.get(index) == Some(digest)));
        prop_assert_eq!(after.values().next_back(), wanted.values().next_back());
        let leaving: Keys = after.iter().filter(|(index, _)| !wanted.contains_key(index)).map(|(i, d)| (*i, *d)).collect();
        prop_assert!(purge(&after, &wanted, &leaving, &none()).is_ok());
    }
}
