//! The way back: step after step in reverse, each by the ids that are remembered.

use super::Kops;
use super::spec::SPEC;
use crate::domain::step::StepState;
use crate::engine::case::runbook::Case;
use crate::engine::case::spec::Move;

/// What is done on it: every step that was begun, the last first.
pub(super) fn road(case: &Case<Kops>) -> Result<Vec<Move>, String> {
    if case.own.tracks.is_empty() {
        return Err("nothing is known of what was there before".into());
    }
    let begun = |step| !matches!(case.core.state(step), StepState::Waiting) || case.core.touched.contains(&step);
    let steps = SPEC.steps.iter().rev().filter(|step| step.undo.is_some() && begun(step.number));
    Ok(steps.map(|step| Move::Undo(step.number)).collect())
}
