//! What one rotation makes of a repository, and whether a copy in which Keystone has rotated is exactly that. Whether it may be done
//! is `not_before`; how it comes to the nodes is `install`.

use super::not_before::purged_by_rotation;
use super::repository::{Digest, Keys, Repository};
use serde::{Deserialize, Serialize};

/// What the next rotation does, known before it is done (Keystone's `rotate_keys`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreseen {
    /// The index that the staged key gets: the highest and one.
    pub new_primary: u32,
    /// The primary that becomes a secondary.
    pub demoted: Option<u32>,
    /// What is purged, ascending.
    pub purged: Vec<u32>,
}

impl Foreseen {
    /// `key 0 becomes the primary 6, key 5 a secondary, key 4 is to be purged later, a new key is staged as 0`.
    pub fn message(&self) -> String {
        let mut told = format!("key 0 becomes the primary {}", self.new_primary);
        if let Some(demoted) = self.demoted {
            told.push_str(&format!(", key {demoted} a secondary"));
        }
        for index in &self.purged {
            told.push_str(&format!(", key {index} is to be purged later"));
        }
        told + ", a new key is staged as 0"
    }
}

/// What a rotation of these keys does. None where there is no staged key: Keystone then fails and leaves `0.tmp` behind.
pub fn foresee(keys: &Keys, max_active_keys: u32) -> Option<Foreseen> {
    let highest = *keys.keys().next_back()?;
    keys.contains_key(&0).then_some(())?;
    Some(Foreseen {
        new_primary: highest.checked_add(1)?,
        demoted: Some(highest).filter(|index| *index > 0),
        purged: purged_by_rotation(keys.keys().copied(), max_active_keys),
    })
}

/// One promotion, as it was found in a prepared copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The new primary's index.
    pub primary: u32,
    /// The new primary's key: the one that was staged.
    pub promoted: Digest,
    /// The new staged key.
    pub staged: Digest,
    /// What the copy lacks of the live repository, ascending: what a purge will take away.
    pub purged: Vec<u32>,
    /// All keys of the copy.
    #[serde(with = "super::repository::by_index")]
    pub keys: Keys,
}

impl Promotion {
    /// The repository to be installed at first: the copy, and what it has purged still there. A reader takes every key it finds, so
    /// that nothing is lost before the purge.
    pub fn with_the_purged(&self, live: &Keys) -> Keys {
        let kept = self.purged.iter().filter_map(|index| Some((*index, *live.get(index)?)));
        self.keys.clone().into_iter().chain(kept).collect()
    }
}

/// Why a copy is not one rotation away from the live repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objection {
    /// It is as the live one: Keystone has not rotated, whatever its exit status said.
    NotRotated,
    /// A rotation was killed in the copy: it has no staged key.
    NoStaged,
    /// The staged key did not become the highest plus one.
    NotPromoted,
    /// More than one key is new above the live primary.
    Promotions(u32),
    /// The staged key is not new: the live repository has it already.
    StagedNotNew,
    /// A key has another content; its index.
    Changed(u32),
    /// A key is gone that the rotation does not purge; its index.
    Lost(u32),
    /// A key that should have been purged is there; its index.
    NotPurged(u32),
    /// A key is there that the live one does not have; its index.
    Foreign(u32),
    /// Something else lies in it, or a key is no key; how many findings.
    Findings(usize),
}

impl Objection {
    /// A fragment about the copy.
    pub fn message(&self) -> String {
        match self {
            Objection::NotRotated => {
                "it holds what the live repository holds: keystone-manage has not rotated (it ends with 0 in that case too)".into()
            }
            Objection::NoStaged => "it has no staged key: the rotation was killed in it".into(),
            Objection::NotPromoted => "the staged key did not become the new primary".into(),
            Objection::Promotions(count) => format!("it was rotated {count} times, and one promotion a case is the rule"),
            Objection::StagedNotNew => "its staged key is one that the live repository holds already".into(),
            Objection::Changed(index) => format!("key {index} has another content than the live one"),
            Objection::Lost(index) => format!("key {index} is gone, which one rotation does not purge"),
            Objection::NotPurged(index) => {
                format!("key {index} is there still: it was rotated with another max_active_keys than the configuration says")
            }
            Objection::Foreign(index) => format!("key {index} is in no live repository"),
            Objection::Findings(count) => format!("{count} things are wrong with its files"),
        }
    }
}

/// Judges a prepared copy by what lies in both folders, never by what keystone-manage said. `live` must be as it was when the copy
/// was made; nothing was changed by a copy that is refused, and it can be removed and made again.
pub fn judge_prepared(
    live: &Repository,
    prepared: &Repository,
    max_active_keys: u32,
) -> Result<Promotion, Vec<Objection>> {
    let (old, new) = (live.digests(), prepared.digests());
    let mut found = Vec::new();
    let wrong = super::finding::findings(prepared, None);
    let wrong = wrong.iter().filter(|one| one.weight() == super::finding::Weight::Shut).count();
    if new == old {
        return Err(vec![Objection::NotRotated]);
    }
    let Some(foreseen) = foresee(&old, max_active_keys) else { return Err(vec![Objection::NoStaged]) };
    let (Some(staged), Some(was_staged)) = (new.get(&0).copied(), old.get(&0).copied()) else {
        return Err(vec![Objection::NoStaged]);
    };
    if wrong > 0 {
        found.push(Objection::Findings(wrong));
    }
    let primary = foreseen.new_primary;
    let above = u32::try_from(new.range(primary..).count()).unwrap_or(u32::MAX);
    if above > 1 {
        found.push(Objection::Promotions(above));
    } else if new.get(&primary) != Some(&was_staged) {
        found.push(Objection::NotPromoted);
    }
    if old.values().any(|digest| *digest == staged) {
        found.push(Objection::StagedNotNew);
    }
    for (index, digest) in old.range(1..) {
        let purged = foreseen.purged.contains(index);
        match new.get(index) {
            Some(same) if same != digest => found.push(Objection::Changed(*index)),
            Some(_) if purged => found.push(Objection::NotPurged(*index)),
            None if !purged => found.push(Objection::Lost(*index)),
            _ => {}
        }
    }
    let foreign = new.range(1..primary).filter(|(index, _)| !old.contains_key(index));
    found.extend(foreign.map(|(index, _)| Objection::Foreign(*index)));
    if found.is_empty() {
        Ok(Promotion { primary, promoted: was_staged, staged, purged: foreseen.purged, keys: new })
    } else {
        Err(found)
    }
}

/// Whether a repository is the live one of before with exactly this promotion made (all that was purged there, or still there):
/// for a resume, which must not rotate a second time.
pub fn has_happened(before: &Keys, now: &Keys) -> bool {
    let (Some(was_staged), Some(highest)) = (before.get(&0), before.keys().next_back()) else { return false };
    let is_promoted = highest.checked_add(1).is_some_and(|primary| now.get(&primary) == Some(was_staged));
    let is_new = now.get(&0).is_some_and(|staged| !before.values().any(|digest| digest == staged));
    is_promoted && is_new && now.keys().next_back() == highest.checked_add(1).as_ref()
}

#[cfg(test)]
mod tests {
    use super::super::repository::samples::*;
    use super::*;

    fn live() -> Repository {
        repository("node0", &[(0, 3, 30), (1, 1, 10), (2, 2, 20)])
    }

    fn rotated() -> Repository {
        repository("node0", &[(0, 4, 40), (2, 2, 20), (3, 3, 30)])
    }

    #[test]
    fn what_a_rotation_does_is_foreseen() {
        let foreseen = foresee(&live().digests(), 3).unwrap();
        assert_eq!(
            foreseen.message(),
            "key 0 becomes the primary 3, key 2 a secondary, key 1 is to be purged later, a new key is staged as 0"
        );
        assert_eq!(foresee(&repository("a", &[(1, 1, 1)]).digests(), 3), None);
        let single = foresee(&repository("a", &[(0, 1, 1)]).digests(), 1).unwrap();
        assert_eq!((single.new_primary, single.demoted, single.purged), (1, None, vec![]));
    }

    #[test]
    fn one_rotation_is_accepted_and_what_it_purged_stays_at_first() {
        let promotion = judge_prepared(&live(), &rotated(), 3).unwrap();
        assert_eq!((promotion.primary, promotion.promoted, promotion.staged), (3, digest(3), digest(4)));
        assert_eq!(promotion.purged, [1]);
        let first = promotion.with_the_purged(&live().digests());
        assert_eq!(first.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(has_happened(&live().digests(), &rotated().digests()));
        assert!(has_happened(&live().digests(), &first) && !has_happened(&live().digests(), &live().digests()));
    }

    #[test]
    fn whatever_is_not_exactly_one_rotation_is_refused_with_its_reason() {
        type Change = fn(&mut Repository);
        let table: [(Change, Objection); 9] = [
            (|r| *r = live(), Objection::NotRotated),
            (|r| drop(r.keys.remove(&0)), Objection::NoStaged),
            (|r| drop(r.keys.insert(3, key(8, 30))), Objection::NotPromoted),
            (|r| drop(r.keys.insert(4, key(8, 35))), Objection::Promotions(2)),
            (|r| drop(r.keys.insert(0, key(2, 40))), Objection::StagedNotNew),
            (|r| drop(r.keys.insert(2, key(7, 20))), Objection::Changed(2)),
            (|r| drop(r.keys.remove(&2)), Objection::Lost(2)),
            (|r| drop(r.keys.insert(1, key(1, 10))), Objection::NotPurged(1)),
            (
                |r| r.strays.push(super::super::repository::Stray { name: "0.tmp".into(), is_file: true }),
                Objection::Findings(1),
            ),
        ];
        for (change, objection) in table {
            let mut prepared = rotated();
            change(&mut prepared);
            let found = judge_prepared(&live(), &prepared, 3).unwrap_err();
            assert_eq!(found, std::slice::from_ref(&objection));
            assert!(!objection.message().is_empty());
        }
        let twice = repository("node0", &[(0, 5, 50), (3, 3, 30), (4, 4, 40)]);
        let found = judge_prepared(&live(), &twice, 3).unwrap_err();
        assert_eq!(found, [Objection::Promotions(2), Objection::Lost(2)]);
        assert!(!has_happened(&live().digests(), &twice.digests()));
    }

    #[test]
    fn two_keys_too_many_are_purged_at_once_as_keystone_does() {
        let live = repository("a", &[(0, 9, 90), (3, 3, 30), (4, 4, 40), (5, 5, 50)]);
        let prepared = repository("a", &[(0, 8, 95), (5, 5, 50), (6, 9, 90)]);
        assert_eq!(judge_prepared(&live, &prepared, 3).unwrap().purged, [3, 4]);
    }
}
