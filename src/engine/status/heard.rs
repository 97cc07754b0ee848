//! What an operator must know of the answers besides the answers: whose senders are verified, which other addresses speak,
//! and what does not count although it was said.

use crate::engine::hearing::{ArrivalConflict, LapsedWaiver};
use crate::engine::rotation::Rotation;
use crate::engine::senders::{Alias, DomainAlias};
use serde::Serialize;

/// Beside the answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HeardView {
    /// Whether the receiving mail server vouches for senders; none: no mailbox is read, answers are typed.
    pub senders_verified: Option<bool>,
    /// Addresses that answer for clients besides those that were written to.
    pub aliases: Vec<Alias>,
    /// Domains that do.
    pub alias_domains: Vec<DomainAlias>,
    /// Answers whose written and arrived order contradict each other; the stricter one holds.
    pub arrival_conflicts: Vec<ArrivalConflict>,
    /// Waivers of an earlier window, which don't count for the present one until they are kept.
    pub lapsed_waivers: Vec<LapsedWaiver>,
}

impl HeardView {
    /// Of the open rotation, if there is one.
    pub(super) fn of(open: Option<&Rotation>, senders_verified: Option<bool>) -> Self {
        let Some(Rotation { hearing, .. }) = open else { return Self { senders_verified, ..Self::default() } };
        Self {
            senders_verified,
            aliases: hearing.senders.aliases.clone(),
            alias_domains: hearing.senders.domains.clone(),
            arrival_conflicts: hearing.arrival_conflicts(),
            lapsed_waivers: hearing.lapsed.values().cloned().collect(),
        }
    }

    /// What needs attention.
    pub(super) fn attention(&self) -> Vec<String> {
        let conflicts = self.arrival_conflicts.iter().map(|conflict| format!("{}: {}", conflict.client, conflict.text));
        let lapsed = match self.lapsed_waivers.len() {
            0 => None,
            1 => Some("1 waiver was given for an earlier window and does not count for this one".to_owned()),
            many => Some(format!("{many} waivers were given for an earlier window and do not count for this one")),
        };
        conflicts.chain(lapsed).collect()
    }
}
