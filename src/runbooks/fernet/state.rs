//! What a case's own records come to: how far each node is.

use super::Fernet;
use super::record::{FernetRecord, Held, Kind};
use super::spec::{BACK_UP, CHECK, DISTRIBUTE, INSTALL, PREPARE, PURGE};
use crate::domain::fernet::repository::Keys;
use crate::domain::fernet::rotation::Promotion;
use crate::domain::fernet::watch::Counts;
use crate::engine::case::core::{Core, Stamp, Way};
use crate::engine::case::runbook::Case;
use std::collections::{BTreeMap, BTreeSet};

/// How far the case is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// What all nodes held before.
    pub held: Vec<Held>,
    /// How each node had answered before.
    pub baseline: BTreeMap<String, Counts>,
    /// The nodes whose repositories are saved.
    pub saved: BTreeSet<String>,
    /// What was prepared.
    pub prepared: BTreeMap<Kind, Promotion>,
    /// The nodes on which it is placed.
    pub placed: BTreeSet<String>,
    /// The nodes that have it in force; on the way back, those that have the saved one again.
    pub installed: BTreeSet<String>,
    /// They went back.
    pub is_back: bool,
    /// What somebody else had changed on nodes meanwhile.
    pub met: Vec<String>,
    /// The nodes on which keys were purged.
    pub purged: BTreeSet<String>,
}

impl State {
    /// What a repository is to hold once it is installed: the prepared keys, and those that are purged later.
    pub fn wanted(&self, kind: Kind) -> Option<Keys> {
        let held = self.held.iter().find(|held| held.kind == kind)?;
        Some(self.prepared.get(&kind)?.with_the_purged(&held.keys))
    }

    /// The keys that wait for their purge.
    pub fn to_purge(&self, kind: Kind) -> &[u32] {
        self.prepared.get(&kind).map(|promotion| promotion.purged.as_slice()).unwrap_or_default()
    }

    pub(super) fn apply(&mut self, _: &Core, _: Stamp<'_>, record: &FernetRecord) {
        match record.clone() {
            FernetRecord::Agreed { held, baseline } => (self.held, self.baseline) = (held, baseline),
            FernetRecord::Saved { node } => _ = self.saved.insert(node),
            FernetRecord::Prepared { kind, promotion } => _ = self.prepared.insert(kind, promotion),
            FernetRecord::Placed { node } => _ = self.placed.insert(node),
            FernetRecord::Installed { node, back, met } => {
                self.met.extend(met);
                if back && !self.is_back {
                    self.installed.clear();
                }
                self.is_back = back;
                self.installed.insert(node);
            }
            FernetRecord::Purged { node } => _ = self.purged.insert(node),
            FernetRecord::Found { held, prepared, saved, placed, purged } => {
                (self.held, self.prepared) = (held, prepared);
                (self.saved, self.placed, self.purged) = (saved, placed, purged);
                (self.installed, self.is_back) = (BTreeSet::new(), false);
            }
        }
    }
}

/// Whether a record may follow.
pub(super) fn check(case: &Case<Fernet>, record: &FernetRecord) -> Result<(), String> {
    let (core, own) = (&case.core, &case.own);
    let at = |step| match core.running() {
        Some(running) if running == step => Ok(()),
        _ => Err(format!("step {step} is not at work; \"{record:?}\" can't follow")),
    };
    match record {
        FernetRecord::Agreed { .. } => at(CHECK),
        FernetRecord::Saved { .. } => at(BACK_UP),
        FernetRecord::Prepared { kind, promotion } => {
            at(PREPARE)?;
            match own.prepared.get(kind) {
                Some(before) if before != promotion => Err("one promotion a case is the rule".into()),
                _ => Ok(()),
            }
        }
        FernetRecord::Placed { .. } => at(DISTRIBUTE),
        FernetRecord::Installed { back, .. } => {
            at(INSTALL)?;
            if *back == (core.way == Way::Back) { Ok(()) } else { Err("the case goes the other way".into()) }
        }
        FernetRecord::Purged { .. } => at(PURGE),
        FernetRecord::Found { .. } if core.recovered.is_some() => Ok(()),
        FernetRecord::Found { .. } => Err("nothing of its journal was lost".into()),
    }
}
