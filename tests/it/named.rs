//! What is named is accepted: in every state of the machine that can be reached, whatever fails or dies on the way, the action that
//! `next` offers is not refused where the world does its part, nor is any other that `next` or an attention names.

use crate::sample;
use changeguard::cli::Cli;
use changeguard::domain::client::ClientId;
use changeguard::domain::gate::Reason;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::second_mail::SecondMail;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::machine::{Machine, Rules};
use changeguard::engine::next::Act;
use changeguard::engine::record::{Actor, RotationId};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::status::{Phase, TenantStatus};
use clap::Parser;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

mod model;
mod play;

use model::{Fate, Model, NAME, fates};

/// So many states are gone through in `cargo test`, and in the whole walk.
const MOST: usize = 300;
const ALL: usize = 20_000;

/// The words of actions as they stand in sentences, and what each asks for.
fn named(text: &str, rotation: &Rotation) -> Vec<Command> {
    let (confirm, reason) = (NAME.to_owned(), "as named".to_owned());
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).collect();
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found == wanted);
    let mut commands = Vec::new();
    if has(&["roll", "back"]) {
        let (confirm, reason) = (confirm.clone(), reason.clone());
        commands.push(Command::RollBack { confirm, reason, through_tunnel: String::new() });
    }
    if has(&["cancel"]) {
        commands.push(Command::Cancel { confirm, reason: reason.clone() });
    }
    if has(&["resume"]) {
        commands.push(Command::Resume);
    }
    if has(&["verify"]) {
        commands.push(Command::Verify);
    }
    if has(&["waive"]) {
        let open = rotation.clients.iter().find(|client| !rotation.waivers.contains_key(&client.id));
        commands.extend(open.map(|client| Command::Waive { client: client.id.clone(), reason }));
    }
    if has(&["finish", "with", "a", "reason"]) {
        commands.push(Command::Finish { note: String::new(), despite: "nobody can be reached".into() });
    }
    commands
}

/// Those of a text that the machine would refuse in this state: for an error's advice too.
pub fn refused(
    text: &str,
    rotation: Option<Arc<Rotation>>,
    tenant: &changeguard::domain::tenant::Tenant,
) -> Vec<String> {
    let Some(folded) = rotation.clone().filter(|rotation| rotation.outcome.is_none()) else { return Vec::new() };
    let actor = Actor {
        by: "ops".into(),
        host: "h".into(),
        person: "ops".into(),
        ssh: None,
        unproven: None,
        environment: None,
    };
    let rules = Rules {
        preflight_valid: std::time::Duration::from_secs(600),
        approval: None,
        second_mail: SecondMail::default(),
        store_first: false,
    };
    let mut found = Vec::new();
    for command in named(text, &folded) {
        let (tenant, rotation) = (tenant.clone(), rotation.clone());
        let mut machine = Machine::new(tenant, actor.clone(), rules.clone(), rotation);
        let input =
            changeguard::engine::machine::Input::Command { command: command.clone(), new_id: RotationId("x".into()) };
        if let Err(refusal @ (Refusal::NotNow(_) | Refusal::BadInput(_))) = machine.handle(Timestamp::now(), input) {
            found.push(format!("{} is named and refused ({refusal}): {text}", command.word()));
        }
    }
    found
}

/// The offered action; `None` where it is to wait, or for another operator.
fn offered(status: &TenantStatus, rotation: Option<&Rotation>) -> Option<Vec<Command>> {
    let (confirm, reason) = (NAME.to_owned(), "as offered".to_owned());
    let notify = |kind| vec![Command::Notify { kind, only: None, again: false }];
    Some(match status.next.action {
        Act::Wait | Act::Watch | Act::Approve | Act::Review | Act::Recover | Act::Accept => return None,
        Act::Plan => vec![model::plan_later()],
        Act::Reschedule => vec![Command::Reschedule { window: model::window(2) }],
        Act::Announce => notify(NoticeKind::Announcement),
        Act::Reconfigure => notify(NoticeKind::Reconfigure),
        Act::Answers | Act::ReadMail => {
            let open = status.gate.reasons().iter().find_map(|reason| reason.client().cloned());
            let first = open.or_else(|| Some(rotation?.clients.first()?.id.clone()))?;
            vec![model::confirms(first)]
        }
        Act::Resolve => {
            let message_id = status.next.mail.as_ref()?.message_id.clone();
            vec![Command::ResolveNotice { message_id, arrived: false, reason }]
        }
        Act::Check => vec![Command::Check],
        Act::Rotate => vec![Command::Rotate { confirm, through_tunnel: String::new() }],
        Act::Resume => vec![Command::Resume],
        Act::Verify => vec![Command::Verify],
        Act::Finish => vec![Command::Finish { note: String::new(), despite: String::new() }],
        Act::Cancel => vec![Command::Cancel { confirm, reason }],
        Act::Rollback => vec![Command::RollBack { confirm, reason, through_tunnel: String::new() }],
    })
}

/// What an operator may ask for at any time, offered or not.
fn everything() -> Vec<Command> {
    let (confirm, reason) = (NAME.to_owned(), "because".to_owned());
    let notify = |kind| Command::Notify { kind, only: None, again: false };
    let through_tunnel = String::new;
    let mut all = vec![
        model::plan(),
        Command::Reschedule { window: model::window(2) },
        notify(NoticeKind::Announcement),
        notify(NoticeKind::Reconfigure),
        Command::Check,
        Command::Recheck { check: play::CHECK.into() },
        Command::Rotate { confirm: confirm.clone(), through_tunnel: through_tunnel() },
        Command::Resume,
        Command::RollBack { confirm: confirm.clone(), reason: reason.clone(), through_tunnel: through_tunnel() },
        Command::Verify,
        Command::Finish { note: String::new(), despite: String::new() },
        Command::Finish { note: String::new(), despite: reason.clone() },
        Command::Cancel { confirm: confirm.clone(), reason: reason.clone() },
        Command::Emergency { confirm, reason: reason.clone(), through_tunnel: through_tunnel() },
    ];
    for client in ["ada", "eve"].map(|id| ClientId(id.into())) {
        all.push(model::confirms(client.clone()));
        all.push(Command::Waive { client: client.clone(), reason: reason.clone() });
        all.push(Command::Back { client, note: String::new() });
    }
    all
}

/// What is wrong with what this state says.
fn wrong(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    for (now, sight) in model.views() {
        let status = model.status(now, sight);
        let rotation = model.rotation.as_deref();
        let what = || {
            format!("{:?}: {} (seen: {sight:?})\n  {}", status.next.action, status.next.text, model.path.join(" > "))
        };
        for line in &status.next.commands {
            let words = line.replace('"', "");
            if let Err(error) = Cli::try_parse_from(words.split(' ')) {
                found.push(format!("{line}: {error}: {}", what()));
            }
        }
        for command in offered(&status, rotation).into_iter().flatten() {
            if let Some(refusal) = model.refuses(&command, now) {
                found.push(format!("offered and refused ({refusal}): {}", what()));
            }
        }
        let red = |reason: &Reason| matches!(reason, Reason::CheckFailed { .. } | Reason::SeenSince { .. });
        let is_red = !status.touched && status.phase == Phase::Rotating && status.gate.reasons().iter().any(red);
        if is_red && status.next.action == Act::Resume && !status.next.text.contains("check") {
            found.push(format!("resume is offered, and what refuses it is not said: {}", what()));
        }
        let Some(rotation) = rotation.filter(|rotation| rotation.outcome.is_none()) else { continue };
        for text in std::iter::once(&status.next.text).chain(&status.attention) {
            for command in named(text, rotation) {
                if let Some(refusal @ (Refusal::NotNow(_) | Refusal::BadInput(_))) = model.begins(&command, now) {
                    found.push(format!("{} is named in {text:?} and refused ({refusal}): {}", command.word(), what()));
                }
            }
        }
    }
    found
}

#[test]
fn in_every_state_that_can_be_reached_whatever_is_offered_or_named_is_accepted() {
    let most = if std::env::var("WALK_ALL").is_ok_and(|all| all == "1") { ALL } else { MOST };
    // By what they offer: those that offer what few do are gone through as often as the others.
    let mut queue = BTreeMap::from([(String::new(), vec![Model::start()])]);
    let (mut seen, mut found, mut walked) = (BTreeSet::new(), Vec::new(), 0);
    let (mut acts, mut chance) = (BTreeMap::<String, usize>::new(), sample::number("states of the machine"));
    while let Some(offer) = queue.keys().min_by_key(|offer| acts.get(*offer).copied().unwrap_or_default()).cloned() {
        // Which state is next follows from the seed, so that each commit goes through others.
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let waiting = queue.get_mut(&offer).unwrap();
        let model = waiting.swap_remove((chance >> 33) as usize % waiting.len());
        if waiting.is_empty() {
            queue.remove(&offer);
        }
        walked += 1;
        *acts.entry(offer).or_default() += 1;
        found.extend(wrong(&model));
        if walked == most || found.len() > 20 {
            break;
        }
        for command in everything() {
            for struck in fates() {
                let met: Vec<Model> = struck.into_iter().filter_map(|fate| model.after(&command, fate)).collect();
                if met.is_empty() {
                    break;
                }
                for next in met.into_iter().filter(|next| seen.insert(next.mark())) {
                    queue.entry(next.offer()).or_default().push(next);
                }
            }
        }
    }
    println!("states of the machine: {walked} walked of {} met, {} wrong; {acts:?}", seen.len(), found.len());
    assert!(found.is_empty(), "{} wrong:\n{}", found.len(), found.join("\n"));
    assert!(walked >= most.min(300) && acts.len() >= 8, "{walked} states, {acts:?}");
}

#[test]
fn whichever_step_of_a_run_died_before_the_touch_nothing_is_offered_that_a_shut_gate_refuses() {
    let confirmed = |id: &str| model::confirms(ClientId(id.into()));
    let rotate = Command::Rotate { confirm: NAME.into(), through_tunnel: String::new() };
    let tell = Command::Notify { kind: NoticeKind::Announcement, only: None, again: false };
    let asked = [model::plan(), tell, confirmed("ada"), confirmed("eve")];
    let asked = asked.iter().fold(Model::start(), |model, command| model.after(command, Fate::Well).unwrap());
    let deaths = |model: &Model, command: &Command| -> Vec<Model> {
        (0..8).filter_map(|nth| model.after(command, Fate::Dies(nth))).collect()
    };
    let once = deaths(&asked, &rotate);
    let twice: Vec<Model> = once.iter().flat_map(|model| deaths(model, &Command::Resume)).collect();
    let untouched = |model: &&Model| model.rotation.as_ref().is_some_and(|rotation| !rotation.touched);
    let found: Vec<String> = once.iter().chain(&twice).filter(untouched).flat_map(wrong).collect();
    assert!(once.len() > 3 && twice.len() > 3);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_words_of_a_sentence_are_found_and_others_are_not() {
    let model = Model::start().after(&model::plan(), Fate::Well).unwrap();
    let rotation = model.rotation.clone().unwrap();
    let words = |text: &str| named(text, &rotation).iter().map(Command::word).collect::<Vec<_>>();
    assert_eq!(words("then resume, or roll back"), ["rollback", "resume"]);
    assert_eq!(words("it was cancelled and resumed; rollback"), [""; 0]);
    let tenant = rotation.tenant.clone();
    assert_eq!(refused("then roll back", Some(rotation.clone()), &tenant).len(), 1, "nothing was touched");
    assert!(refused("or cancel", Some(rotation), &tenant).is_empty());
}
