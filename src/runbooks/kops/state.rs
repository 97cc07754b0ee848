//! What a case's own records come to: the keysets of before, and how far each step's update and roll is.

use super::Kops;
use super::record::{AlarmKind, At, KopsRecord, Round};
use super::spec::{ADMIN, DISTRUST, PROMOTE, STAGE};
use crate::domain::kops::keypair::KeypairId;
use crate::domain::kops::track::Track;
use crate::domain::kops::version::Version;
use crate::engine::case::core::{Core, Stamp, Way};
use crate::engine::case::runbook::Case;
use crate::engine::ports::kops::Exported;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The previous keypairs are trusted again: step 5 taken back, or what somebody else has done of it.
pub(super) const AGAIN: At = At { step: DISTRUST, back: true };

/// How far the update and the roll of a step are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// What the update was to change.
    pub shown: Option<Vec<String>>,
    /// It was applied.
    pub updated: bool,
    /// The groups that roll, with their instances, once it is known that they are all.
    pub covered: Option<Vec<(String, u32)>>,
    /// The groups that began to roll, and when, UTC.
    pub began: BTreeMap<String, Timestamp>,
    /// The groups that have rolled, and when, UTC.
    pub rolled: BTreeMap<String, Timestamp>,
    /// What the cluster said when it was well behind it.
    pub validated: Option<String>,
}

impl Parts {
    /// Whether instances may have rolled, or be about to.
    pub fn is_begun(&self) -> bool {
        self.shown.is_some()
    }

    /// The groups that are left.
    pub fn left(&self) -> impl Iterator<Item = &(String, u32)> {
        self.covered.iter().flatten().filter(|(group, _)| !self.rolled.contains_key(group))
    }

    /// Seconds that the groups took that have rolled, and the instances that these are.
    pub fn timed(&self) -> (u64, u64) {
        let (mut seconds, mut instances) = (0, 0);
        for (group, count) in self.covered.iter().flatten() {
            let (Some(began), Some(ended)) = (self.began.get(group), self.rolled.get(group)) else { continue };
            seconds += u64::try_from(ended.as_second() - began.as_second()).unwrap_or(0);
            instances += u64::from(*count);
        }
        (seconds, instances)
    }

    /// Seconds that a roll took an instance so far, on average; none where none has ended.
    pub fn pace(&self) -> Option<u64> {
        let (seconds, instances) = self.timed();
        (instances > 0).then(|| seconds / instances)
    }
}

/// Why a roll stands still.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// In which step.
    pub at: At,
    /// Why.
    pub kind: AlarmKind,
    /// The same in words.
    pub text: String,
}

/// How far the case is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Which kOps it was.
    pub version: Option<Version>,
    /// The keysets that are rotated.
    pub tracks: Vec<Track>,
    /// How far each step is.
    pub parts: BTreeMap<At, Parts>,
    /// What keeps a roll from going on.
    pub alarm: Option<Alarm>,
    /// On the way back: the keysets of which somebody else had distrusted the previous keypair, and when that was met last, UTC.
    pub met: Option<(Vec<String>, Timestamp)>,
    /// What was exported.
    pub exported: BTreeMap<Round, Exported>,
    /// Of the rolls of these steps nothing is known: that part of the journal is lost.
    pub unknown: Vec<At>,
    /// What a lost part of the journal may have given out: the step before it had begun to change the cluster.
    pub lost: Vec<Round>,
}

impl State {
    /// How far a step is.
    pub fn at(&self, at: At) -> Parts {
        self.parts.get(&at).cloned().unwrap_or_default()
    }

    /// The names of the keysets that are rotated.
    pub fn keysets(&self) -> Vec<&str> {
        self.tracks.iter().map(|track| track.keyset.as_str()).collect()
    }

    /// The first keyset of which no keypair was recorded: one may have been created there all the same.
    fn unrecorded(&self) -> Option<usize> {
        self.tracks.iter().position(|track| track.new.is_none())
    }

    /// Whether a keypair that was found in this keyset may be one that the case has created there without a record: it is the keyset's
    /// turn, and it is younger than what was created before (an id is a moment).
    pub fn may_have_made(&self, number: usize, id: &KeypairId) -> bool {
        let last = self.tracks.iter().filter_map(|track| track.new.as_ref()).max();
        self.unrecorded() == Some(number) && last.is_none_or(|last| id > last)
    }

    /// Whether the authority is among them by which clients trust the API.
    pub fn rotates_general(&self) -> bool {
        self.keysets().contains(&crate::domain::kops::keyset::GENERAL)
    }

    /// What somebody else has distrusted is to be trusted again still, or has not rolled.
    pub fn is_met(&self) -> bool {
        self.met.is_some() && self.at(AGAIN).validated.is_none()
    }

    /// Whether it was exported, or may have been: then somebody may have it.
    pub fn may_be_out(&self, round: Round) -> bool {
        self.exported.contains_key(&round) || self.lost.contains(&round)
    }

    fn of(&mut self, at: At) -> &mut Parts {
        self.parts.entry(at).or_default()
    }

    pub(super) fn apply(&mut self, core: &Core, stamp: Stamp<'_>, record: &KopsRecord) {
        match record.clone() {
            KopsRecord::Planned { version, tracks } => (self.version, self.tracks) = (Some(version), tracks),
            KopsRecord::Created { keyset, id, .. } => {
                if let Some(track) = self.tracks.iter_mut().find(|track| track.keyset == keyset) {
                    track.new = Some(id);
                }
            }
            KopsRecord::Changed { .. } => {}
            // Whatever had rolled before knows nothing of what is trusted again now.
            KopsRecord::Met { keysets } => {
                self.parts.remove(&AGAIN);
                self.alarm = None;
                self.met = Some((keysets, stamp.at));
            }
            KopsRecord::Shown { at, lines } => self.of(at).shown = Some(lines),
            KopsRecord::Updated { at } => self.of(at).updated = true,
            KopsRecord::Covered { at, groups } => {
                self.of(at).covered = Some(groups);
                self.alarm = None;
            }
            KopsRecord::Alarm { at, kind, text } => self.alarm = Some(Alarm { at, kind, text }),
            KopsRecord::Rolling { at, group } => _ = self.of(at).began.insert(group, stamp.at),
            KopsRecord::Rolled { at, group } => {
                self.of(at).rolled.insert(group, stamp.at);
                self.alarm = None;
            }
            KopsRecord::Validated { at, said } => self.of(at).validated = Some(said),
            KopsRecord::Exported { round, exported } => _ = self.exported.insert(round, exported),
            KopsRecord::Found { tracks, unknown } => {
                self.tracks = tracks;
                self.parts.retain(|at, _| !unknown.contains(at));
                self.unknown = unknown;
                let behind = [(STAGE, Round::Certificates), (PROMOTE, Round::Admin), (DISTRUST, Round::Final)];
                let lost = behind.into_iter().filter(|(step, _)| core.touched.contains(step)).map(|(_, round)| round);
                self.lost = lost.collect();
                self.alarm = None;
            }
        }
    }
}

/// Whether a record may follow.
pub(super) fn check(case: &Case<Kops>, record: &KopsRecord) -> Result<(), String> {
    let core = &case.core;
    let running = |step| match core.running() {
        Some(running) if running == step => Ok(()),
        _ => Err(format!("step {step} is not at work; \"{record:?}\" can't follow")),
    };
    // What somebody else has distrusted is trusted again within the step that could not be taken back otherwise.
    let trusts_again = core.way == Way::Back && core.running().is_some_and(|step| matches!(step, ADMIN | PROMOTE));
    match record {
        KopsRecord::Planned { .. } => running(STAGE),
        KopsRecord::Met { .. } if trusts_again => Ok(()),
        KopsRecord::Met { .. } => Err("nothing is taken back that needs it".into()),
        KopsRecord::Created { keyset, id, .. } => {
            running(STAGE)?;
            let track = case.own.tracks.iter().find(|track| track.keyset == *keyset);
            match track.map(|track| track.new.as_ref()) {
                Some(None) => Ok(()),
                Some(Some(before)) if before == id => Ok(()),
                _ => Err(format!("{keyset} has its keypair already, or is none of this case")),
            }
        }
        KopsRecord::Changed { at, .. }
        | KopsRecord::Shown { at, .. }
        | KopsRecord::Updated { at }
        | KopsRecord::Covered { at, .. }
        | KopsRecord::Alarm { at, .. }
        | KopsRecord::Rolling { at, .. }
        | KopsRecord::Rolled { at, .. }
        | KopsRecord::Validated { at, .. } => {
            if !(trusts_again && *at == AGAIN && case.own.met.is_some()) {
                running(at.step)?;
            }
            if at.back == (core.way != Way::Forward) { Ok(()) } else { Err("the case goes the other way".into()) }
        }
        KopsRecord::Exported { .. } if core.running().is_some() => Ok(()),
        KopsRecord::Exported { .. } => Err("no step is at work".into()),
        KopsRecord::Found { .. } if core.recovered.is_some() => Ok(()),
        KopsRecord::Found { .. } => Err("nothing of its journal was lost".into()),
    }
}
