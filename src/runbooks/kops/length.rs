//! How long the rolls that are ahead take: so many instances, one after the other, at the pace that was measured here, if one ever was.

use super::record::At;
use super::spec::{DISTRUST, PROMOTE, STAGE};
use super::{Kops, World};
use crate::domain::kops::group::{Group, must_roll};
use crate::engine::case::core::Way;
use crate::engine::case::runbook::Case;
use crate::engine::case::spec::Move;

/// Seconds that an instance took in all rolls of a case, on average; none where none has ended.
fn pace(case: &Case<Kops>) -> Option<u64> {
    let timed = case.own.parts.values().map(super::state::Parts::timed);
    let (seconds, instances) = timed.fold((0, 0), |sum, (seconds, count)| (sum.0 + seconds, sum.1 + count));
    (instances > 0).then(|| seconds / instances)
}

/// The instances of the groups of which one holds such a keyset.
fn concerned(world: &World, groups: &[Group], keysets: &[&str]) -> u32 {
    let rolls = |group: &&Group| must_roll(world.purpose(&group.name), keysets.iter().copied());
    groups.iter().filter(rolls).map(Group::instances).sum()
}

/// The instances that are rolled still until the case has ended, each once a step.
pub(super) fn left(world: &World, case: &Case<Kops>, groups: &[Group]) -> u32 {
    let all = concerned(world, groups, &case.own.keysets());
    let of = |at: At| -> u32 {
        let parts = case.own.at(at);
        match (&parts.validated, &parts.covered) {
            (Some(_), _) => 0,
            (None, Some(_)) => parts.left().map(|(_, count)| count).sum(),
            (None, None) => all,
        }
    };
    let ahead = |step| match case.core.way {
        Way::Forward => of(At { step, back: false }),
        Way::Back => {
            let forward = At { step, back: false };
            let is_on = case.core.leg.road.contains(&Move::Undo(step)) && !case.core.state(step).is_done();
            // What had not begun to reach the instances is not rolled back.
            let had_begun = case.own.at(forward).is_begun() || case.own.unknown.contains(&forward);
            let is_owed = step == DISTRUST && case.own.is_met();
            if is_on && had_begun || is_owed { of(At { step, back: true }) } else { 0 }
        }
        Way::Out => 0,
    };
    [STAGE, PROMOTE, DISTRUST].into_iter().map(ahead).sum()
}

/// What a whole rotation rolls: every instance three times.
pub(super) fn whole(world: &World, groups: &[Group], keysets: &[&str]) -> u32 {
    concerned(world, groups, keysets) * 3
}

/// What one step rolls.
pub(super) fn one(world: &World, case: &Case<Kops>, groups: &[Group]) -> u32 {
    concerned(world, groups, &case.own.keysets())
}

/// So many rolls in words, at the pace of the last case; none where there is nothing to roll.
pub(super) fn text(instances: u32, last: Option<&Case<Kops>>) -> Option<String> {
    let what = match instances {
        0 => return None,
        1 => "1 instance is rolled".to_owned(),
        many => format!("{many} instances are rolled, one after the other"),
    };
    Some(match last.and_then(pace) {
        None => format!("{what}; how long one takes is not known until one has rolled here"),
        Some(seconds) => {
            format!("{what}: about {} at {} each", lasting(seconds * u64::from(instances)), lasting(seconds))
        }
    })
}

/// A length, rounded up, in two units at most.
fn lasting(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{} s", seconds.max(1)),
        60..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => {
            let minutes = seconds.div_ceil(60);
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_rounded_up_and_one_that_was_never_measured_is_none() {
        assert_eq!([0, 59, 61, 3600, 6301].map(lasting), ["1 s", "59 s", "2 min", "1 h 0 min", "1 h 46 min"]);
        assert_eq!(text(0, None), None);
        assert_eq!(
            text(7, None).unwrap(),
            "7 instances are rolled, one after the other; how long one takes is not known until one has rolled here"
        );
    }
}
