//! The way back: what was saved is put back in order, and what was placed is taken away.

use super::Fernet;
use super::spec::{BACK_UP, DISTRIBUTE, INSTALL, PREPARE};
use crate::engine::case::runbook::Case;
use crate::engine::case::spec::Move;

/// What is done on it.
pub(super) fn road(case: &Case<Fernet>) -> Result<Vec<Move>, String> {
    if case.own.held.is_empty() {
        return Err("nothing is known of what the nodes held before".into());
    }
    Ok([INSTALL, DISTRIBUTE, PREPARE, BACK_UP].map(Move::Undo).into())
}
