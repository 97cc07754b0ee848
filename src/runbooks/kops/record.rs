//! What the runbook journals of its own: ids, digests, paths and counts, never a key and never a kubeconfig.

use crate::domain::kops::keypair::KeypairId;
use crate::domain::kops::said::Deed;
use crate::domain::kops::track::Track;
use crate::domain::kops::version::Version;
use crate::domain::step::StepNumber;
use crate::engine::case::record::OwnRecord;
use crate::engine::ports::kops::Exported;
use serde::{Deserialize, Serialize};

/// For what something was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Round {
    /// The certificates as they were before anything was changed: for the way back.
    Before,
    /// Step 2: the certificates of both.
    Certificates,
    /// Step 4: admin credentials of the new authority.
    Admin,
    /// Step 6: the certificates without the previous authority's.
    Final,
}

impl Round {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Round::Before => "before",
            Round::Certificates => "certificates",
            Round::Admin => "admin",
            Round::Final => "final",
        }
    }
}

/// Why a roll does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmKind {
    /// It would leave instances out that hold a changed keyset.
    Left,
    /// The API does not let the roll ask whether instances are well.
    Api,
}

/// What was done to a keypair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is the primary one now.
    Promoted,
    /// It is trusted no more.
    Distrusted,
    /// It is trusted again.
    Trusted,
}

impl Change {
    /// The word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Change::Promoted => "promoted",
            Change::Distrusted => "distrusted",
            Change::Trusted => "trusted again",
        }
    }

    /// The same as kOps says it.
    pub fn deed(self) -> Deed {
        match self {
            Change::Promoted => Deed::Promoted,
            Change::Distrusted => Deed::Distrusted,
            Change::Trusted => Deed::Trusted,
        }
    }
}

/// A step on one of its ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
    /// The step.
    pub step: StepNumber,
    /// It is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum KopsRecord {
    /// What will be rotated, and what of it was there before.
    Planned {
        /// Which kOps it is.
        version: Version,
        /// The keysets.
        tracks: Vec<Track>,
    },
    /// A keypair was added to a keyset.
    Created {
        /// To which.
        keyset: String,
        /// Its id.
        id: KeypairId,
        /// It was found there: whoever has made it had not recorded it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        found: bool,
    },
    /// A keypair was changed.
    Changed {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// Of which keyset.
        keyset: String,
        /// Its id.
        id: KeypairId,
        /// How.
        change: Change,
    },
    /// On the way back: somebody else has distrusted the previous keypairs of these keysets. Each is trusted again by its id before anything
    /// else is taken back, and every group rolls behind that. None named: a lost part of the journal may have said so.
    Met {
        /// The keysets.
        keysets: Vec<String>,
    },
    /// What the update will change, as its dry run says.
    Shown {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// The end of what it prints.
        lines: Vec<String>,
    },
    /// The state store was applied to the cloud.
    Updated {
        /// In which step.
        #[serde(flatten)]
        at: At,
    },
    /// The roll goes over every instance that must roll.
    Covered {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// The groups, in the order in which they roll, with their instances.
        groups: Vec<(String, u32)>,
    },
    /// The roll does not go on by itself.
    Alarm {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// Why.
        kind: AlarmKind,
        /// The same in words.
        text: String,
    },
    /// An instance group begins to roll.
    Rolling {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// Which.
        group: String,
    },
    /// An instance group has rolled.
    Rolled {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// Which.
        group: String,
    },
    /// The cluster is well behind the roll.
    Validated {
        /// In which step.
        #[serde(flatten)]
        at: At,
        /// What it says.
        said: String,
    },
    /// A kubeconfig was exported.
    Exported {
        /// For what.
        round: Round,
        /// Where it lies, and what may be known of it.
        exported: Exported,
    },
    /// What was created, as it was found when the journal, of which the end was lost, was gone on with.
    Found {
        /// Before.
        tracks: Vec<Track>,
        /// The steps of which it is not known how far their rolls had come.
        unknown: Vec<At>,
    },
}

impl OwnRecord for KopsRecord {
    fn begins(&self) -> bool {
        matches!(self, KopsRecord::Rolling { .. })
    }

    fn is_incident(&self) -> bool {
        matches!(self, KopsRecord::Alarm { .. } | KopsRecord::Met { .. })
    }

    fn summary(&self) -> String {
        match self {
            KopsRecord::Planned { version, tracks } => {
                let names: Vec<String> =
                    tracks.iter().map(|track| format!("{} (primary {})", track.keyset, track.old)).collect();
                format!("kOps {version}; to be rotated: {}", names.join(", "))
            }
            KopsRecord::Created { keyset, id, found: false } => format!("{keyset}: {id} was created"),
            KopsRecord::Created { keyset, id, found: true } => {
                format!("{keyset}: {id} is there: it was created before it could be recorded")
            }
            KopsRecord::Changed { keyset, id, change, .. } => format!("{keyset}: {id} is {}", change.word()),
            KopsRecord::Met { keysets } if keysets.is_empty() => {
                "whether somebody else had distrusted a previous keypair stood in the part of the journal that is lost: every group rolls \
                 once more before the previous keypairs are promoted"
                    .into()
            }
            KopsRecord::Met { keysets } => {
                let names = keysets.join(", ");
                format!("{names}: somebody else has distrusted the previous keypair; it is trusted again by its id first")
            }
            KopsRecord::Shown { lines, .. } => match lines.last() {
                Some(last) => format!("the update was shown, {} lines: {last}", lines.len()),
                None => "the update was shown: it prints nothing".into(),
            },
            KopsRecord::Updated { .. } => {
                "the cluster was updated; no new node can join until the roll has ended".into()
            }
            KopsRecord::Covered { groups, .. } => {
                let all: u32 = groups.iter().map(|(_, instances)| instances).sum();
                let names: Vec<&str> = groups.iter().map(|(name, _)| name.as_str()).collect();
                format!("the roll goes over {all} instances: {}", names.join(", "))
            }
            KopsRecord::Alarm { text, .. } => format!("ALARM: {text}"),
            KopsRecord::Rolling { group, .. } => format!("{group} begins to roll"),
            KopsRecord::Rolled { group, .. } => format!("{group} has rolled"),
            KopsRecord::Validated { said, .. } => format!("the cluster is well: {said}"),
            KopsRecord::Exported { round, exported } => {
                let Exported { path, digest, certificates, .. } = exported;
                let digest = &digest[..digest.len().min(12)];
                format!("{}: exported to {path} ({digest}), {certificates} certificates", round.word())
            }
            KopsRecord::Found { tracks, .. } => {
                let new = tracks.iter().filter(|track| track.new.is_some()).count();
                format!("found: {new} of {} keysets have a keypair of this case", tracks.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::kops::keypair::Keypair;
    use crate::engine::case::record::Body;
    use crate::engine::record::CaseBody;

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let id = || KeypairId::new("7711396117319960534579082388").unwrap();
        let keyset = || "kubernetes-ca".to_owned();
        let pair = Keypair {
            keyset: keyset(),
            id: id(),
            primary: true,
            distrusted: None,
            issued: "2026-11-21".into(),
            expires: "2036-11-20".into(),
            has_private: true,
        };
        let tracks = vec![Track { keyset: keyset(), before: vec![pair], old: id(), new: Some(id()) }];
        let at = At { step: StepNumber::STAGE, back: true };
        let group = || "nodes".to_owned();
        for record in [
            KopsRecord::Planned { version: Version { major: 1, minor: 36, patch: 2 }, tracks: tracks.clone() },
            KopsRecord::Created { keyset: keyset(), id: id(), found: true },
            KopsRecord::Changed { at, keyset: keyset(), id: id(), change: Change::Trusted },
            KopsRecord::Met { keysets: vec![keyset()] },
            KopsRecord::Shown { at, lines: vec!["No changes".into()] },
            KopsRecord::Updated { at: At { back: false, ..at } },
            KopsRecord::Covered { at, groups: vec![(group(), 3)] },
            KopsRecord::Alarm { at, kind: AlarmKind::Left, text: "0 of 3".into() },
            KopsRecord::Rolling { at, group: group() },
            KopsRecord::Rolled { at, group: group() },
            KopsRecord::Validated { at, said: "ready".into() },
            KopsRecord::Exported { round: Round::Admin, exported: Exported::default() },
            KopsRecord::Found { tracks, unknown: vec![at] },
        ] {
            let written = CaseBody::of(&Body::Own(record.clone())).unwrap();
            let text = serde_json::to_string(&written).unwrap();
            let read: CaseBody = serde_json::from_str(&text).unwrap();
            assert_eq!(read.read::<Body<KopsRecord>>().unwrap(), Body::Own(record), "{text}");
        }
    }
}
