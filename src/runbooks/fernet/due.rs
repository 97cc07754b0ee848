//! What the next rotation would come to, and whether a timer shall begin it: the last one is long enough ago, and nothing that one more would purge is needed still.
//! A timer that asks too often does nothing.

use super::facts::Leaving;
use super::record::{Held, Kind};
use super::{Sights, World};
use crate::domain::fernet::duration::text;
use crate::domain::fernet::interval::least_interval;
use crate::domain::fernet::not_before::Standing;
use crate::domain::fernet::rotation::foresee;
use crate::engine::case::runbook::Due;
use jiff::Timestamp;

/// Whether it is time; none where the rotator's repository was not seen.
pub(super) fn due(world: &World, sights: &Sights, now: Timestamp) -> Option<Due> {
    let kinds = sights.kinds(&world.rotator);
    let all = kinds.into_iter().map(|kind| of(world, sights, kind, now)).collect::<Option<Vec<Due>>>()?;
    let due = all.iter().find(|due| !due.now).or(all.first())?.clone();
    // What is known of all says when it will be.
    let at = all.iter().filter(|due| !due.now).map(|due| due.at).collect::<Option<Vec<_>>>()?.into_iter().max();
    Some(Due { at, ..due })
}

/// What one rotation would make of the rotator's repositories; nothing is prepared for it, so the new key has no digest yet.
pub(super) fn foreseen(world: &World, sights: &Sights) -> Vec<String> {
    let told = |held: &Held| {
        let foreseen = foresee(&held.keys, held.max_active_keys)?;
        let now: Vec<String> = held.keys.iter().map(|(index, digest)| format!("{index} {digest}")).collect();
        Some(format!("{}: {}; now: {}", held.kind.word(), foreseen.message(), now.join(", ")))
    };
    sights.held(&world.rotator).iter().filter_map(told).collect()
}

/// When the keys were rotated last, seconds since 1970 by this host's clock: a rename keeps a file's time, so that of the staged key is
/// it. None where there is no staged key.
pub(super) fn last_rotation(world: &World, sights: &Sights, kind: Kind) -> Option<i64> {
    let ahead = sights.node(&world.rotator)?.ahead_s;
    Some(sights.repository(&world.rotator, kind)?.keys.get(&0)?.mtime - ahead)
}

/// How long ago that is; none where it is yet to come.
pub(super) fn ago(last: i64, now: Timestamp) -> Option<String> {
    u64::try_from(now.as_second() - last).ok().map(text)
}

fn of(world: &World, sights: &Sights, kind: Kind, now: Timestamp) -> Option<Due> {
    let settings = sights.strictest()?;
    let held = sights.held(&world.rotator);
    let most = held.iter().find(|held| held.kind == kind)?.max_active_keys;
    let lifetimes = settings.lifetimes(world.rules.distribution, world.rules.skew);
    let not_now = |text: String, at: Option<i64>| Due {
        now: false,
        text: format!("{}: {text}", kind.word()),
        at: at.and_then(|at| Timestamp::from_second(at).ok()),
    };
    let Some(least) = least_interval(&lifetimes, most) else {
        return Some(not_now(format!("with max_active_keys = {most} no interval is safe"), None));
    };
    let Some(last) = last_rotation(world, sights, kind) else {
        return Some(not_now("there is no staged key, so the last rotation is not known".into(), None));
    };
    let from = last.saturating_add_unsigned(least);
    let ago = ago(last, now).unwrap_or_else(|| text(0));
    if from > now.as_second() {
        let words = format!("the last rotation was {ago} ago, and they are at least {} apart", text(least));
        return Some(not_now(words, Some(from)));
    }
    let judged = Leaving::by_rotation(world, sights, kind).judged(world, sights, kind, now)?;
    match judged.standing(now.as_second()) {
        Standing::Nothing | Standing::Open => {}
        Standing::Wait(_) => return Some(not_now("a key that would be purged is needed still".into(), judged.at)),
        Standing::Unknown => {
            let words = "whether a key that would be purged is needed still can't be known";
            return Some(not_now(words.into(), None));
        }
    }
    Some(Due { now: true, text: format!("{}: the last rotation was {ago} ago", kind.word()), at: None })
}
