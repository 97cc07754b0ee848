//! Whether all nodes hold the same keys, by digest and index, and who differs in what. What is wrong with one repository by
//! itself is `finding`; the cure where keys are lost is `union`.

use super::repository::{Digest, Keys, Repository};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One index under which not all nodes hold the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The index.
    pub index: u32,
    /// What lies there and on which nodes, the most frequent first; `None` is no (readable) key.
    pub held: Vec<(Option<Digest>, Vec<String>)>,
}

impl Difference {
    /// `key 5 is missing on node2`, or `key 5 is 0a1b… on node2, 2c3d… on node0 and node1`.
    pub fn message(&self) -> String {
        let index = self.index;
        if let [(Some(_), _), (None, without)] = self.held.as_slice() {
            return format!("key {index} is missing on {}", names(without));
        }
        if let [(None, _), (Some(digest), with)] = self.held.as_slice() {
            return format!("key {index} ({digest}) is only on {}", names(with));
        }
        // Who is alone with something comes first: that is who has to be looked at.
        let each = self.held.iter().rev().map(|(digest, nodes)| match digest {
            Some(digest) => format!("{digest} on {}", names(nodes)),
            None => format!("missing on {}", names(nodes)),
        });
        format!("key {index} is {}", each.collect::<Vec<_>>().join(", "))
    }
}

/// What one node has instead of what is wanted there, by index: `lacks key 3 (0a1b…)`, `holds key 4 (2c3d…)`.
pub fn differences(keys: &Keys, wanted: &Keys) -> Vec<String> {
    let other = |of: &Keys, index: &u32, digest: &Digest| of.get(index) != Some(digest);
    let lacks = wanted.iter().filter(|(index, digest)| other(keys, index, digest));
    let holds = keys.iter().filter(|(index, digest)| other(wanted, index, digest));
    let lacks = lacks.map(|(index, digest)| format!("lacks key {index} ({digest})"));
    lacks.chain(holds.map(|(index, digest)| format!("holds key {index} ({digest})"))).collect()
}

/// How the nodes stand to one another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// All hold the same.
    Same,
    /// Only the staged key differs: no new token is in danger, and the rotator's is to be installed everywhere first.
    OnlyStaged,
    /// Some have not received the last rotation of the others: new tokens are valid everywhere still, the next rotation would
    /// end that.
    OneBehind(Vec<String>),
    /// Some lack a key that another encrypts with: its tokens are refused there now.
    Apart(Vec<Refusal>),
    /// They differ otherwise, and every node knows every primary.
    Uneven,
}

/// A node that does not know another's primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who refuses.
    pub by: String,
    /// Whose new tokens.
    pub of: String,
    /// The key that is lacking.
    pub lacks: Digest,
}

/// A key that encrypts nothing new any more on the nodes that have it, and that others have not: its tokens are refused there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacked {
    /// Its index where it is.
    pub index: u32,
    /// Which.
    pub digest: Digest,
    /// Who has it nowhere.
    pub by: Vec<String>,
}

/// The comparison of all nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The indexes that differ, ascending.
    pub differences: Vec<Difference>,
    /// What that means.
    pub standing: Standing,
    /// Secondary keys that not all have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacked: Vec<Lacked>,
}

/// Compares the repositories of all nodes.
pub fn compare(seen: &[Repository]) -> Agreement {
    let digests: Vec<_> = seen.iter().map(|one| (one.node.as_str(), one.digests())).collect();
    let indexes: BTreeSet<u32> = digests.iter().flat_map(|(_, keys)| keys.keys().copied()).collect();
    let difference = |index: u32| {
        let mut held: BTreeMap<Option<Digest>, Vec<String>> = BTreeMap::new();
        for (node, keys) in &digests {
            held.entry(keys.get(&index).copied()).or_default().push((*node).to_owned());
        }
        let mut held: Vec<_> = held.into_iter().collect();
        held.sort_by_key(|(digest, nodes)| (std::cmp::Reverse(nodes.len()), digest.is_none()));
        (held.len() > 1).then_some(Difference { index, held })
    };
    let differences: Vec<Difference> = indexes.into_iter().filter_map(difference).collect();
    let standing = standing(seen, &differences);
    Agreement { differences, standing, lacked: lacked(seen) }
}

/// Every key that is a secondary wherever it is more than staged, by index; a primary that others lack is a [`Refusal`].
fn lacked(seen: &[Repository]) -> Vec<Lacked> {
    let all: Vec<_> = seen.iter().map(|one| (&one.node, one.digests())).collect();
    let primaries: BTreeSet<Digest> = all.iter().filter_map(|(_, keys)| keys.values().next_back().copied()).collect();
    let secondary = |keys: &Keys| -> Vec<(u32, Digest)> { keys.range(1..).map(|(at, key)| (*at, *key)).collect() };
    let held: BTreeMap<Digest, u32> =
        all.iter().flat_map(|(_, keys)| secondary(keys)).map(|(index, digest)| (digest, index)).collect();
    let mut lacked: Vec<Lacked> = held
        .into_iter()
        .filter(|(digest, _)| !primaries.contains(digest))
        .map(|(digest, index)| {
            let lacks = |keys: &Keys| !keys.values().any(|held| *held == digest);
            let by = all.iter().filter(|(_, keys)| lacks(keys)).map(|(node, _)| (*node).clone()).collect();
            Lacked { index, digest, by }
        })
        .filter(|lacked| !lacked.by.is_empty())
        .collect();
    lacked.sort_by_key(|lacked| lacked.index);
    lacked
}

fn standing(seen: &[Repository], differences: &[Difference]) -> Standing {
    let refusals = refusals(seen);
    let behind = behind(seen);
    match differences {
        [] => Standing::Same,
        _ if !refusals.is_empty() => Standing::Apart(refusals),
        [only] if only.index == 0 => Standing::OnlyStaged,
        _ if !behind.is_empty() => Standing::OneBehind(behind),
        _ => Standing::Uneven,
    }
}

/// Who does not know whose primary. A node without a primary encrypts with its staged key (the highest is then 0).
fn refusals(seen: &[Repository]) -> Vec<Refusal> {
    let mut found = Vec::new();
    for issuer in seen {
        let Some((_, primary)) = issuer.digests().pop_last() else { continue };
        for other in seen {
            if !other.digests().values().any(|digest| *digest == primary) {
                found.push(Refusal { by: other.node.clone(), of: issuer.node.clone(), lacks: primary });
            }
        }
    }
    found
}

/// The nodes whose staged key is the primary of another, one index above their own.
fn behind(seen: &[Repository]) -> Vec<String> {
    let is_behind = |one: &&Repository| {
        let (Some(primary), Some(staged)) = (one.primary(), one.digests().get(&0).copied()) else { return false };
        seen.iter().any(|other| {
            other.primary() == primary.checked_add(1) && other.digests().get(&(primary + 1)) == Some(&staged)
        })
    };
    seen.iter().filter(is_behind).map(|one| one.node.clone()).collect()
}

impl Agreement {
    /// Whether all hold the same.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// What it means, in a sentence without its full stop.
    pub fn message(&self) -> String {
        match &self.standing {
            Standing::Same => "all nodes hold the same keys".into(),
            Standing::OnlyStaged => {
                "only the staged key differs; no new token is in danger, nor an older one, unless that key has \
                                     encrypted some before it was rolled back to be the staged one"
                    .into()
            }
            Standing::OneBehind(nodes) => {
                format!("{} did not receive the last rotation; {}", names(nodes), self.still_valid())
            }
            Standing::Apart(refusals) => {
                let new = refusals.iter().map(|one| format!("{} refuses new tokens of {}", one.by, one.of));
                new.chain(self.refused()).collect::<Vec<_>>().join(", ")
            }
            Standing::Uneven => {
                format!("the nodes hold different keys, though all know every primary; {}", self.still_valid())
            }
        }
    }

    /// Whose older tokens are refused where.
    fn refused(&self) -> impl Iterator<Item = String> {
        self.lacked.iter().map(|one| {
            let verb = if one.by.len() == 1 { "refuses" } else { "refuse" };
            format!("{} {verb} what was made with key {} ({})", names(&one.by), one.index, one.digest)
        })
    }

    fn still_valid(&self) -> String {
        match self.lacked.is_empty() {
            true => "tokens are valid everywhere still".into(),
            false => {
                let refused = self.refused().collect::<Vec<_>>().join(", ");
                format!("new tokens are valid everywhere still, and {refused}, as far as such tokens live")
            }
        }
    }

    /// What to do. Empty where nothing is to be done.
    pub fn advice(&self) -> &'static str {
        match self.standing {
            Standing::Same => "",
            // No single node's repository has all that tokens were made with.
            Standing::OnlyStaged | Standing::OneBehind(_) | Standing::Uneven if self.lacked.is_empty() => {
                "do not rotate; install the rotator's repository on all nodes first (no promotion)"
            }
            Standing::OnlyStaged | Standing::OneBehind(_) | Standing::Uneven | Standing::Apart(_) => {
                "do not rotate and overwrite nothing: save every node's repository, then install the union of all keys \
                 with the right primary on top"
            }
        }
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
pub fn names(nodes: &[String]) -> String {
    match nodes {
        [] => "no node".into(),
        [one] => one.clone(),
        [first, second, third, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::repository::samples::*;
    use super::*;

    #[test]
    fn equal_keys_are_the_same_whatever_their_times() {
        let seen = [repository("a", &[(0, 9, 1), (1, 1, 1)]), repository("b", &[(0, 9, 5), (1, 1, 7)])];
        let agreement = compare(&seen);
        assert!(agreement.is_same());
        assert_eq!((agreement.standing, compare(&[]).standing), (Standing::Same, Standing::Same));
    }

    #[test]
    fn who_differs_and_in_what_is_named() {
        let seen = [
            repository("node0", &[(0, 9, 0), (1, 1, 0), (2, 2, 0)]),
            repository("node1", &[(0, 9, 0), (1, 1, 0), (2, 2, 0)]),
            repository("node2", &[(0, 9, 0), (1, 7, 0)]),
        ];
        let told: Vec<String> = compare(&seen).differences.iter().map(Difference::message).collect();
        assert_eq!(
            told,
            [
                format!("key 1 is {} on node2, {} on node0 and node1", digest(7), digest(1)),
                "key 2 is missing on node2".to_owned(),
            ]
        );
    }

    #[test]
    fn another_staged_key_alone_is_no_danger() {
        let seen = [repository("a", &[(0, 9, 0), (1, 1, 0)]), repository("b", &[(0, 8, 0), (1, 1, 0)])];
        assert_eq!(compare(&seen).standing, Standing::OnlyStaged);
    }

    #[test]
    fn a_node_without_the_last_rotation_is_behind_and_after_a_second_one_they_are_apart() {
        let old = [(0, 3, 0), (1, 1, 0), (2, 2, 0)];
        let once = [repository("a", &[(0, 4, 0), (2, 2, 0), (3, 3, 0)]), repository("b", &old)];
        let agreement = compare(&once);
        assert_eq!(agreement.standing, Standing::OneBehind(vec!["b".into()]));
        let told = agreement.message();
        assert!(told.contains("b did not receive the last rotation; new tokens are valid everywhere still"), "{told}");
        assert!(told.contains(&format!("a refuses what was made with key 1 ({})", digest(1))), "{told}");
        // Where the rotation took none away, nothing is refused.
        let kept = [repository("a", &[(0, 4, 0), (1, 1, 0), (2, 2, 0), (3, 3, 0)]), repository("b", &old)];
        assert!(
            compare(&kept).message().ends_with("tokens are valid everywhere still"),
            "{}",
            compare(&kept).message()
        );
        let twice = [repository("a", &[(0, 5, 0), (3, 3, 0), (4, 4, 0)]), repository("b", &old)];
        let Standing::Apart(refusals) = compare(&twice).standing else { panic!() };
        let told: Vec<_> = refusals.iter().map(|one| (one.by.as_str(), one.of.as_str(), one.lacks)).collect();
        assert_eq!(told, [("b", "a", digest(4)), ("a", "b", digest(2))], "it breaks both ways");
        assert!(compare(&twice).advice().contains("union"));
    }

    #[test]
    fn many_names_are_counted() {
        let all: Vec<String> = (0..7).map(|n| format!("n{n}")).collect();
        assert_eq!(names(&all[..1]), "n0");
        assert_eq!(names(&all[..3]), "n0, n1 and n2");
        assert_eq!(names(&all), "n0, n1, n2 and 4 more");
    }
}
