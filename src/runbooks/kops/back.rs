//! The way back: step after step in reverse, each by the ids that are remembered.

use super::Kops;
use super::record::Round;
use super::spec::{ADMIN, CERTIFICATES, DISTRUST, FINAL, SPEC};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::case::runbook::Case;
use crate::engine::case::spec::Move;

/// What a step gives to holders.
fn gives(step: StepNumber) -> Option<Round> {
    match step {
        CERTIFICATES => Some(Round::Certificates),
        ADMIN => Some(Round::Admin),
        FINAL => Some(Round::Final),
        _ => None,
    }
}

/// What is done on it: every step that was begun, or may have been in a lost part of the journal, the last first.
pub(super) fn road(case: &Case<Kops>) -> Result<Vec<Move>, String> {
    if case.own.tracks.is_empty() {
        return Err("nothing is known of what was there before".into());
    }
    let begun = |step| {
        !matches!(case.core.state(step), StepState::Waiting)
            || case.core.touched.contains(&step)
            || gives(step).is_some_and(|round| case.own.may_be_out(round))
    };
    let steps = SPEC.steps.iter().rev().filter(|step| step.undo.is_some() && begun(step.number));
    let mut road: Vec<Move> = steps.map(|step| Move::Undo(step.number)).collect();
    // Where nobody knows any more where the certificates of both lie, they can be exported only once both are trusted again.
    if !case.own.exported.contains_key(&Round::Certificates)
        && road.starts_with(&[Move::Undo(FINAL), Move::Undo(DISTRUST)])
    {
        road.swap(0, 1);
    }
    Ok(road)
}
