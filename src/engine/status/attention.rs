//! What wants attention in a status, one line each; what leads (the truth of the secret, a lost end, drift) is put before it by
//! `derive`, and what lease, alert, answers and approval have to say behind it.

use super::{ClientView, KeysView, Phase, Reconcile, Standing, StepView, TenantStatus};
use crate::domain::cadence::Due;
use crate::domain::client::Source;
use crate::domain::gate::Reason;
use crate::domain::key::{KeyRole, holds_instead};
use crate::domain::second_mail::SecondMail;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::converge_object::NOT_KEPT;
use crate::engine::observe::Sights;
use crate::engine::record::Cause;
use crate::engine::rotation::Rotation;
use jiff::Timestamp;

const LATE: &str = "the server has not taken the key after two cycles";

/// The lines.
/// `arrived`: the failed step of which a later look has seen that what it was for is so; `died_between`: what it means that
/// step 5 was interrupted.
pub(super) fn of(
    status: &TenantStatus,
    sights: &Sights,
    arrived: Option<(StepNumber, &str)>,
    died_between: Option<String>,
    now: Timestamp,
) -> Vec<String> {
    let mut items = Vec::new();
    if let Some(review) = &status.review {
        let due = review.review_due.strftime("%Y-%m-%d %H:%M UTC");
        let state = if status.review_overdue { "OVERDUE since" } else { "open, due" };
        let (what, who) = (review.of.word(), review.by_whom());
        items.push(format!("{what}: review {state} {due} (by {who})"));
        items.extend(review.not_counted.iter().map(|why| format!("{what}: the review stays open: {why}")));
    }
    if let Some(hand_over) = status.hand_over.as_ref().filter(|hand_over| hand_over.accepted.is_none()) {
        items.push(format!("handed over by {}, not accepted yet: {}", hand_over.person, hand_over.note));
    }
    for (check, said) in &status.set_aside {
        items.push(format!("check {check} is set aside by {}: {}", said.by, said.reason));
    }
    if let Some(why) = &status.nobody {
        items.push(format!("nobody is asked: {why}"));
    }
    if let Some(route) = &status.own_route {
        items.push(format!("the last check, which was yours: {route}; from another session, check again"));
    }
    let steps_ahead = matches!(status.phase, Phase::Idle | Phase::Planned | Phase::Announced);
    let left_so = |step: &StepView| {
        step.number == StepNumber::SECRET
            && matches!(step.state, StepState::Failed { .. } | StepState::Interrupted { .. })
    };
    // Since the secret was touched that leads.
    let is_told = steps_ahead || !status.touched && status.steps.iter().any(left_so);
    if let (Some(count @ 2..), true) = (status.keys.secret_count, is_told) {
        items.push(format!("{count} secrets have the tenant's name; the server may take either"));
    }
    items.extend(status.keys.alike.clone());
    if let Some(missed) = status.keys.previous_missed.filter(|_| status.touched && status.rollback.is_none()) {
        let instead = holds_instead(&status.keys.previous_instead);
        items.push(format!(
            "the previous key {} is not kept any more{instead}: a way back means a fresh key",
            missed.short()
        ));
    }
    // Since the secret was touched that leads, and so it does behind an end.
    let object = &status.keys.object;
    let is_told = status.touched || status.changed_since.is_some();
    if object.key.is_none() && object.at.is_some() && object.fault.is_none() && !is_told {
        items.push("the object names no valid key, so nobody can download a configuration that works".into());
    }
    // What went wrong in one that has ended is its report's.
    let open = |_: &&StepView| status.phase != Phase::Idle;
    for step in status.steps.iter().filter(open) {
        match &step.state {
            StepState::Failed { .. } if arrived.is_some_and(|(number, _)| number == step.number) => {
                let seen = arrived.map(|(_, seen)| seen).unwrap_or_default();
                items.push(format!("step {} had failed, and {seen} by now", step.number));
            }
            // What it had met may be over by now: it is of its time.
            StepState::Failed { at, .. } if step.number == StepNumber::VERIFY => {
                let at = at.strftime("%H:%M:%S UTC");
                items.push(format!("step {} failed: {} (at {at})", step.number, step.detail));
            }
            StepState::Failed { .. } => items.push(format!("step {} failed: {}", step.number, step.detail)),
            StepState::Interrupted { .. } => {
                let half =
                    died_between.as_ref().filter(|_| step.number == StepNumber::OBJECT && status.connections.is_none());
                let half = half.map(|half| format!(": {half}")).unwrap_or_default();
                items.push(format!("step {} was interrupted{half}", step.number));
            }
            _ => {}
        }
    }
    let is_waiting = status.steps.first().is_some_and(|step| step.state == StepState::Waiting);
    let unmailed = status.clients.iter().filter(|view| view.last_notice.is_none()).count();
    if status.touched
        && is_waiting
        && unmailed > 0
        && status.cause == Some(Cause::Scheduled)
        && status.phase != Phase::Idle
    {
        items.push(format!("step 1 was never done: {unmailed} clients were told of the window by no mail"));
    }
    items.extend(status.long_gap().or_else(|| status.unmeasured_gap()));
    let calls = !matches!(status.phase, Phase::Idle | Phase::Planned | Phase::Announced);
    items.extend(SecondMail::told(&status.second_mail_unasked).filter(|_| calls));
    items.extend(token_ended(status, now));
    match status.reconcile {
        Reconcile::Late if sights.server.fault.is_some() => {
            items.push("whether the server has taken the key is not known after two cycles: it can't be read".into());
        }
        // The failed step says so already.
        Reconcile::Late if items.iter().any(|item| item.contains(LATE)) => {}
        Reconcile::Late => {
            let shown = status.keys.interface.key.map(|key| key.short()).unwrap_or_default();
            items.push(format!("{LATE}: the interface shows {shown}"));
        }
        Reconcile::Differs if status.changed_since.is_some() || status.connections.is_some() => {}
        // With nothing under way that leads.
        Reconcile::Differs if status.differ.is_some() => {}
        Reconcile::Differs => items.push(differ(status.touched, &status.keys)),
        _ => {}
    }
    match status.to_read().count() {
        0 => {}
        1 => items.push("1 mail of a client to be read by a person".into()),
        many => items.push(format!("{many} mails of clients to be read by a person")),
    }
    let count = |standing| status.clients.iter().filter(|view| view.standing == standing).count();
    if status.phase == Phase::Announced {
        let not_agreed = count(Standing::Declined) + count(Standing::Tentative) + count(Standing::OtherTime);
        // Of whom a mail is to be read, too.
        let is_bounced =
            |reason: &&Reason| matches!(reason, Reason::NotDelivered { delivery, .. } if delivery == "bounced");
        let bounced = status.gate.reasons().iter().filter(is_bounced).count().max(count(Standing::Bounced));
        for (number, what) in [
            (count(Standing::NotDelivered), "not delivered"),
            (bounced, "bounced"),
            (count(Standing::Uncertain), "uncertain whether delivered"),
            (not_agreed, "did not confirm"),
        ] {
            if number > 0 {
                items.push(format!("{number} {what}"));
            }
        }
        if let [Reason::WindowOver { .. }, ..] = status.gate.reasons() {
            items.push("the window is over; plan another".into());
        }
    }
    let faults = [&sights.secret.fault, &sights.object.fault, &sights.server.fault, &sights.console.fault];
    for fault in faults.into_iter().chain([&sights.served.fault, &sights.journal.fault]).flatten() {
        // Each names its own service: a look at Barbican may have failed at Keystone.
        let text = fault.1.to_string();
        if !items.contains(&text) {
            items.push(text);
        }
    }
    match status.keys.due_state {
        Some(Due::Overdue) if status.phase == Phase::Idle => items.push("key overdue".into()),
        Some(Due::Soon) if status.phase == Phase::Idle => items.push("key due soon".into()),
        _ => {}
    }
    items.extend(names_nobody(status));
    if !status.differences.is_empty() {
        items.push(format!("{} differences among the places that know clients", status.differences.len()));
    }
    items
}

/// The object was seen, and names none of those who are known: whoever is not in it, the server drops.
fn names_nobody(status: &TenantStatus) -> Option<String> {
    let is_seen = status.keys.object.key.is_some() && status.keys.object.fault.is_none();
    let is_named = |view: &ClientView| view.client.sources.contains(&Source::Object);
    let count = status.clients.len();
    (is_seen && count > 0 && !status.clients.iter().any(is_named)).then(|| {
        format!("the object names none of {count} clients: at its next look the server drops their peers; have the platform write it")
    })
}

/// Which place shows what, and whom that cuts off: while nothing was changed here it is somebody else's work.
pub(super) fn differ(touched: bool, keys: &KeysView) -> String {
    const PLAIN: &str = "the keys in Barbican, Swift and on the interface differ";
    let (secret, object, interface) = match (touched, keys.secret.key, keys.object.key, keys.interface.key) {
        (false, Some(secret), Some(object), Some(interface)) => (secret, object, interface),
        (false, None, Some(object), Some(interface)) if object != interface => {
            let (object, interface) = (object.short(), interface.short());
            return format!(
                "KEYS DIFFER: the object says {object}, the interface shows {interface}; {}",
                match (keys.secret_count, &keys.secret.fault) {
                    (None, _) | (_, Some(_)) => "the secret was not read".to_owned(),
                    (Some(0), None) => "no secret has the tenant's name".to_owned(),
                    (Some(1), None) => "the secret holds no key".to_owned(),
                    (Some(count), None) => format!("{count} secrets have the tenant's name"),
                }
            );
        }
        _ => return PLAIN.into(),
    };
    let (one, other, third) = (secret.short(), object.short(), interface.short());
    match (secret == object, object == interface, interface == secret) {
        (_, true, _) => format!(
            "KEYS DIFFER: the secret holds {one}, object and interface {other}: at its next look the server takes {one}, and \
             every client is cut off"
        ),
        (_, _, true) => format!(
            "KEYS DIFFER: secret and server have {one}, and the object says {other}: whoever has {other} is cut off"
        ),
        (true, ..) => format!("KEYS DIFFER: secret and object hold {one}, and the interface shows {third}"),
        _ => format!("KEYS DIFFER: the secret holds {one}, the object says {other}, the interface shows {third}"),
    }
}

fn token_ended(status: &TenantStatus, now: Timestamp) -> Option<String> {
    let ended = status.console_token_ends.filter(|ends| *ends <= now)?.strftime("%Y-%m-%d %H:%M UTC");
    Some(format!("the console API's token has ended at {ended}: put a new one into console.token_file"))
}

/// The object's content of before is kept nowhere, while it may still be wanted; or stays, while nothing wants it any more.
pub(super) fn of_copy(rotation: &Rotation) -> Option<String> {
    let word = &rotation.copy_word;
    let not_kept = word.not_kept.as_ref().filter(|_| rotation.outcome.is_none());
    not_kept.map(|why| format!("the object: {NOT_KEPT}: {why}")).or_else(|| word.stays.clone())
}

/// What the live secret may lack of what hung on it before the rotation: without its list the whole project may read it.
pub(super) fn of_attributes(rotation: &Rotation) -> Option<String> {
    if !rotation.not_carried.is_empty() {
        let lost = rotation.not_carried.join("; ");
        return Some(format!("NOT carried over to the live secret, to be set by hand: {lost}"));
    }
    let is_unknown = rotation.touched && rotation.shape.is_none() && rotation.keys.contains_key(&KeyRole::Previous);
    is_unknown.then(|| {
        "what hung on the live secret before (access control list, metadata) is not in the journal: compare it by hand".into()
    })
}
