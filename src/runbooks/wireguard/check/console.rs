//! What the console API's answers mean for the rotation: who asks, whether their token lasts, whom it lists, the key that it serves.

use super::findings::{fail, finding, pass};
use crate::domain::fault::Fault;
use crate::domain::preflight::{Check as Finding, CheckState};
use crate::engine::converge_secret;
use crate::engine::observe::Sights;
use crate::engine::ports::{Role, World};
use crate::engine::rotation::Rotation;
use jiff::{SignedDuration, Timestamp};

const ADVICE: &str = "put a new operator token into console.token_file: it is read anew for each request";

/// Until when the token is needed, UTC, and what for.
pub(super) struct Needed {
    until: Timestamp,
    what: String,
}

/// Until the window ends, and in any case for as long as a rotation that begins now may take.
pub(super) fn needed(world: &World, rotation: Option<&Rotation>, now: Timestamp) -> Needed {
    let settings = &world.settings;
    let takes = converge_secret::rotation_takes(settings.pair_bound, settings.reconcile_interval);
    let takes = SignedDuration::try_from(takes).unwrap_or(SignedDuration::MAX);
    let over = now.checked_add(takes).unwrap_or(Timestamp::MAX);
    match rotation.map(|rotation| &rotation.window).filter(|window| window.end > over) {
        Some(window) => Needed { until: window.end, what: format!("the window does ({})", window.for_people()) },
        None => Needed { until: over, what: format!("a rotation may that begins now ({} s)", takes.as_secs()) },
    }
}

/// The console API as a whole. What can't be read there is neither an agreement nor an empty list. `ahead`: how far its clock, by
/// which its tokens end, is ahead of ours, s.
pub(super) fn console_check(
    probe: Result<Role, Fault>,
    sights: Option<&Sights>,
    now: Timestamp,
    ahead: Option<i64>,
    needed: &Needed,
) -> Finding {
    let faults = sights.into_iter().flat_map(|sights| [sights.console.fault.as_ref(), sights.served.fault.as_ref()]);
    let fault = faults.flatten().next();
    let role = match probe {
        Ok(role) => role,
        Err(fault) => return fail("console", &fault),
    };
    let ends_by = |moment: Timestamp| {
        let left = |ends: Timestamp| ends.as_second() - ahead.unwrap_or(0) <= moment.as_second();
        role.expires.is_some_and(left)
    };
    let found = match fault {
        Some((_, fault)) => fail("console", fault),
        None if ends_by(now) => {
            let ended = role.expires.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default();
            let text = format!(
                "console API: {}, the token ended {ended} and is taken still; it may be refused at any moment",
                role.name
            );
            finding("console", CheckState::Fail, text, format!("nothing was changed; {ADVICE}"))
        }
        None if ends_by(needed.until) => {
            finding("console", CheckState::Warn, format!("{role}, before {}", needed.what), ADVICE)
        }
        None => pass("console", role.to_string()),
    };
    Finding { until: role.expires, ..found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn found(expires: Option<i64>, ahead: Option<i64>) -> Finding {
        let role = Role { name: "operator".into(), expires: expires.map(at) };
        let needed = Needed { until: at(90), what: "the window does".into() };
        console_check(Ok(role), None, at(0), ahead, &needed)
    }

    #[test]
    fn a_token_that_has_ended_fails_although_it_is_taken_still() {
        for ended in [-1, 0] {
            let check = found(Some(ended), None);
            assert_eq!(check.state, CheckState::Fail, "{check:?}");
            assert!(
                check.finding.contains("the token ended 2027-01-15") && check.advice.contains("console.token_file")
            );
            assert_eq!(check.until, Some(at(ended)), "it is counted down");
        }
        assert_eq!(found(Some(1), Some(61)).state, CheckState::Fail, "by the clock of who made it");
    }

    #[test]
    fn a_token_that_ends_before_it_is_needed_no_more_is_a_warning() {
        let check = found(Some(20), None);
        assert_eq!(check.state, CheckState::Warn);
        assert!(check.finding.ends_with("before the window does"), "{check:?}");
        assert_eq!(found(Some(91), None).state, CheckState::Pass);
        assert_eq!(found(None, None).state, CheckState::Pass, "it does not say");
    }

    #[test]
    fn what_the_console_did_not_answer_comes_before_its_token() {
        let fault = Fault::new(crate::domain::fault::Service::Console, crate::domain::fault::FaultKind::Reset, "gone");
        let mut sights = Sights::default();
        sights.console.take(at(0), Err(fault));
        let role = Role { name: "operator".into(), expires: Some(at(-1)) };
        let needed = Needed { until: at(90), what: String::new() };
        let check = console_check(Ok(role), Some(&sights), at(0), None, &needed);
        assert!(check.state == CheckState::Fail && check.finding.contains("gone"), "{check:?}");
    }
}
