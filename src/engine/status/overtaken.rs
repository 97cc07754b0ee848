//! Failures of which what was said is not so any more: the journal keeps them, and nothing is derived from them.
//!
//! A step that failed says what it met at that moment. Where a later record or a later look shows that to be over, the step is open
//! again and not failed: what is to be done follows from what is so now.

use super::{KeySight, KeysView, TenantStatus};
use crate::domain::fault::{FaultKind, Service};
use crate::domain::gate::Reason;
use crate::domain::notice::NoticeKind;
use crate::domain::preflight::{Check, CheckState, DUPLICATES, KEYS};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;

/// The failed steps whose sentence is over. Those of steps 2 to 6 are renewed by whatever they are tried again by.
pub(super) fn steps(rotation: &Rotation, keys: &KeysView) -> Vec<StepNumber> {
    let is_over = |step: &StepNumber| is_over(rotation, keys, *step);
    [StepNumber::ANNOUNCE, StepNumber::RECONFIGURE, StepNumber::VERIFY].into_iter().filter(is_over).collect()
}

fn is_over(rotation: &Rotation, keys: &KeysView, step: StepNumber) -> bool {
    let StepState::Failed { at, fault } = rotation.step(step) else { return false };
    let place = match (fault.service, &fault.kind) {
        (_, kind) if *kind != FaultKind::Conflict => None,
        (Service::Barbican, _) => Some(&keys.secret),
        (Service::Swift, _) => Some(&keys.object),
        (Service::Server, _) => Some(&keys.interface),
        _ => None,
    };
    let mail = |kinds: &[NoticeKind]| rotation.notices.iter().any(|mail| kinds.contains(&mail.kind) && mail.at > *at);
    let is_later = match step {
        StepNumber::ANNOUNCE => mail(rotation.telling_kinds()),
        StepNumber::RECONFIGURE => mail(&[NoticeKind::Reconfigure]),
        // Whom it named may be back by now, or waived.
        _ => {
            rotation.back.values().any(|back| back.at > *at) || rotation.waivers.values().any(|waiver| waiver.at > *at)
        }
    };
    is_later || place.is_some_and(|sight| is_right(rotation, sight, *at))
}

/// The place was seen to hold the key after that moment.
fn is_right(rotation: &Rotation, sight: &KeySight, since: Timestamp) -> bool {
    let target = rotation.target();
    target.is_some() && sight.key == target && sight.fault.is_none() && sight.at.is_some_and(|seen| seen > since)
}

impl TenantStatus {
    /// What a look has seen since the check, where that is against what this one found: its word does not hold any more.
    pub fn overtakes(&self, check: &Check) -> Option<&str> {
        let seen = |reason: &'_ Reason| matches!(reason, Reason::SeenSince { .. });
        let Some(Reason::SeenSince { what }) = self.gate.reasons().iter().find(|reason| seen(reason)) else {
            return None;
        };
        let another = self.keys.duplicates.iter().any(|key| Some(key) != self.keys.duplicates.first());
        let of = if another && !self.set_aside.contains_key(DUPLICATES) { DUPLICATES } else { KEYS };
        (check.name == of && check.state != CheckState::Fail).then_some(what.as_str())
    }
}
