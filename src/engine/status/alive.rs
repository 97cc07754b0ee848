//! Which handshakes are sessions of the key that the interface shows: by the journal, where it knows since when that is live, else by
//! what this process has seen.

use crate::domain::freshness::Under;
use crate::domain::step::StepNumber;
use crate::engine::observe::Sights;
use crate::engine::rotation::Rotation;

/// The condition. `rotation`: the open one, or the last.
pub(super) fn under<'a>(rotation: Option<&'a Rotation>, sights: &Sights) -> Under<'a> {
    let seen = || match sights.shown_since {
        Some(since) => Under::Since(Some(since)),
        None => Under::All,
    };
    let Some((rotation, shown)) = rotation.zip(sights.server.value().map(|reading| reading.public_key)) else {
        return seen();
    };
    match &rotation.applied {
        Some(applied) if applied.baseline.public_key == shown => return Under::Baseline(&applied.baseline),
        Some(_) => return Under::Since(sights.shown_since),
        None => {}
    }
    let went_live = rotation.forward.as_ref().is_some_and(|forward| forward[StepNumber::RECONCILE.index()].is_done());
    let was_shown = rotation.preflight.as_ref().and_then(|run| run.keys.interface);
    match was_shown.or_else(|| rotation.left_before.map(|left| left.key)) {
        Some(key) if key != shown || went_live => Under::Since(sights.shown_since),
        _ => seen(),
    }
}
