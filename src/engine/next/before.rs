//! What is offered before the key is touched: what takes the first reason of the gate away, and rotate where none is left.

use super::letters::{NAMED, listed, read_mails, to_correct};
use super::{Act, NextAction, offer};
use crate::domain::gate::{Reason, Remedy, Verdict};
use crate::domain::typed::Typed;
use crate::engine::approval;
use crate::engine::machine::may_be_set_aside;
use crate::engine::rotation::Rotation;
use std::collections::{BTreeMap, BTreeSet};

/// What takes the first reason of the gate away; and rotate, where none is left that rotate does not cure itself.
pub(super) fn before_rotation(tenant: &str, rotation: &Rotation, gate: &Verdict) -> NextAction {
    let reasons = gate.reasons();
    // Whose mail is to be read may need no other.
    let to_read = reasons.iter().find(|reason| matches!(reason.remedy(), Some(Remedy::Read(_))));
    let tells = gate.first().is_some_and(|first| matches!(first.remedy(), Some(Remedy::Tell)));
    let Some(first) = to_read.filter(|_| tells).or(gate.first()) else {
        // Rotate runs a fresh check itself, so an old or missing one is no reason to offer anything else.
        let text = match rotation.emergency {
            Some(_) => "an emergency was declared: rotate (it checks first)",
            None => "everybody has confirmed and the window is open: rotate (it checks first)",
        };
        return offer(Act::Rotate, text.into());
    };
    match first.remedy() {
        Some(Remedy::Watch) => offer(Act::Watch, first.to_string()),
        Some(Remedy::Recover) => offer(Act::Recover, first.to_string()),
        Some(Remedy::Plan) => offer(Act::Plan, first.to_string()),
        Some(Remedy::Reschedule) => {
            offer(Act::Reschedule, "the window is over: plan another and tell everybody".into())
        }
        Some(Remedy::Tell) => {
            let tell = tell(reasons).unwrap_or_else(|| first.to_string());
            let correct = correct(reasons).map(|correct| format!("; {correct}")).unwrap_or_default();
            offer(Act::Announce, format!("{tell}{correct}"))
        }
        Some(Remedy::Read(client)) => match rotation.open_mails().find(|mail| mail.client == *client) {
            Some(mail) => {
                let read = read_mails(tenant, rotation, mail);
                let then: Vec<String> = tell(reasons).into_iter().chain(correct(reasons)).collect();
                let then = if then.is_empty() { String::new() } else { format!("; then {}", then.join("; ")) };
                NextAction { text: format!("{}{then}", read.text), ..read }
            }
            None => offer(Act::Answers, first.to_string()),
        },
        Some(Remedy::Ask(_)) => {
            let open = reasons.iter().filter_map(Reason::client).collect::<BTreeSet<_>>().len();
            offer(Act::Answers, format!("{open} open; first: {first}"))
        }
        Some(Remedy::Correct(_)) => offer(Act::Answers, format!("{}; or waive", correct(reasons).unwrap_or_default())),
        Some(Remedy::WaiveNobody) => offer(Act::Answers, first.to_string()),
        Some(Remedy::Wait(_)) => {
            offer(Act::Wait, format!("everybody has confirmed; wait for the window: {}", rotation.window.for_people()))
        }
        Some(Remedy::Approve) if approval::digest(rotation).is_none() => {
            offer(Act::Check, "check first: the approval is bound to the key that the check sees".into())
        }
        Some(Remedy::Approve) => offer(Act::Approve, first.to_string()),
        Some(Remedy::Check) | None => {
            let commands = without(tenant, rotation, reasons);
            NextAction { commands, ..offer(Act::Check, check(rotation, reasons, "")) }
        }
    }
}

/// Whether a mail of the same person is to be read.
fn is_heard(reasons: &[Reason], reason: &Reason) -> bool {
    let of_them = |other: &Reason| matches!(other, Reason::ToRead { .. }) && other.client() == reason.client();
    reasons.iter().any(of_them)
}

/// Whom to tell of the window: how many were never told, and whose mail is not there, by their names. Whose mail is to be read
/// comes after that.
fn tell(reasons: &[Reason]) -> Option<String> {
    let is_to_tell = |reason: &&Reason| matches!(reason.remedy(), Some(Remedy::Tell)) && !is_heard(reasons, reason);
    let to_tell = reasons.iter().filter(is_to_tell);
    let (mut count, mut undelivered) = (0, BTreeMap::<&str, Vec<&str>>::new());
    for reason in to_tell {
        count += 1;
        if let Reason::NotDelivered { name, delivery, .. } = reason {
            undelivered.entry(delivery).or_default().push(name);
        }
    }
    let clients = if count == 1 { "client" } else { "clients" };
    let missing =
        undelivered.into_iter().map(|(delivery, names)| format!("; {} {delivery}: {}", names.len(), listed(&names)));
    (count > 0).then(|| format!("tell {count} {clients} of the window{}", missing.collect::<String>()))
}

/// Whose address is to be corrected before they are mailed again. Whose mail is to be read comes after that.
fn correct(reasons: &[Reason]) -> Option<String> {
    let dead = |reason: &Reason| match reason {
        Reason::NotDelivered { name, dead: true, .. } if !is_heard(reasons, reason) => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = reasons.iter().filter_map(dead).collect();
    (!names.is_empty()).then(|| to_correct(&names.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// So long, in characters, is what is to be done first of a failed check; the whole stands in the list of what the checks found.
const LONGEST: usize = 280;

/// That the check is red, or not of now, in one line: which, and what to do of the first.
pub(super) fn check(rotation: &Rotation, reasons: &[Reason], then: &str) -> String {
    let Some(Reason::CheckFailed { checks, .. }) = reasons.iter().find(|r| matches!(r, Reason::CheckFailed { .. }))
    else {
        let said = reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        return format!("{said}{then}");
    };
    let (head, more) = (&checks[..checks.len().min(NAMED)], checks.len().saturating_sub(NAMED));
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let run = rotation.preflight.as_ref();
    // What it found was so then.
    let at = run.map(|run| run.at.strftime(" of %H:%M:%S UTC").to_string()).unwrap_or_default();
    let named = format!("the check{at} failed: {}{more}", head.join(", "));
    let Some(first) = run.and_then(|run| run.checks.iter().find(|check| checks.contains(&check.name))) else {
        return brief(&named, then);
    };
    let which = if checks.len() == 1 { String::new() } else { format!("first {}: ", first.name) };
    // What to do comes before what was found, which the list of the checks says in full.
    let what = if first.advice.is_empty() { &first.finding } else { &first.advice };
    brief(&format!("{named}; {which}{what}"), then)
}

/// The text, or as many whole words of it as one line has room for, and what follows.
fn brief(text: &str, then: &str) -> String {
    let room = LONGEST.saturating_sub(then.chars().count());
    if text.chars().count() <= room {
        return format!("{text}{then}");
    }
    let cut: String = text.chars().take(room.saturating_sub(1)).collect();
    let whole = cut.rfind(' ').map_or(cut.as_str(), |at| &cut[..at]);
    format!("{}…{then}", whole.trim_end_matches([',', ';', ':']))
}

/// The lines by which it goes on without the checks that have failed, where that is all that is in the way and a word may stand
/// for each.
pub(super) fn without(tenant: &str, rotation: &Rotation, reasons: &[Reason]) -> Vec<String> {
    let [Reason::CheckFailed { checks, .. }] = reasons else { return Vec::new() };
    if !checks.iter().all(|check| may_be_set_aside(rotation, check)) {
        return Vec::new();
    }
    checks.iter().map(|check| Typed::of("set-aside").word(tenant).word(check).why().to_string()).collect()
}
