//! Keys that could be lost or wrong: what is kept as the previous key is proved, a kept key that is gone leads to a fresh one, two
//! secrets of a name are told and copied, and what others change after the end is seen and can be put right.

use crate::offered::public;
use crate::pty::PATIENCE;
use crate::scene::Scene;
use changeguard::adapters::lab::{AgentMode, Fault, Loss, Rule, Service, Which};
use changeguard::domain::key::KeyRole;
use changeguard::domain::preflight::{CheckState, DUPLICATES};
use changeguard::domain::step::{StepNumber, StepState};
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::next::Act;
use changeguard::engine::record::{Outcome, Record};
use changeguard::engine::secret::PrivateKey;
use changeguard::engine::status::Reconcile;
use changeguard::runtime::run::RunError;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};

const OBJECT: &str = "config/vpn-users.json";

fn theirs() -> PrivateKey {
    PrivateKey::from_random([91; 32])
}

fn live(scene: &Scene) -> Vec<String> {
    let secrets = scene.lab.world().key_secrets("acme");
    secrets.into_iter().map(|secret| public(&secret.payload.unwrap_or_default())).collect()
}

/// All that Barbican holds, by its public halves.
fn held(scene: &Scene) -> Vec<String> {
    scene.lab.world().secrets("").into_iter().map(|secret| public(&secret.payload.unwrap_or_default())).collect()
}

fn add_theirs(scene: &Scene) -> String {
    let key = theirs();
    scene.lab.world().add_secret(&scene.secret_name(), "text/plain", Some(key.to_payload(false).expose()));
    key.public().to_string()
}

/// In place of what is there.
fn put_theirs(scene: &Scene) -> String {
    for secret in scene.lab.world().key_secrets("acme") {
        scene.lab.world().remove_secret(&secret.id);
    }
    add_theirs(scene)
}

fn remove_kept(scene: &Scene, role: KeyRole) {
    let prefix = format!("changeguard-{}-", role.word());
    for secret in scene.lab.world().secrets("").into_iter().filter(|secret| secret.name.starts_with(&prefix)) {
        scene.lab.world().remove_secret(&secret.id);
    }
}

fn said(error: &RunError) -> String {
    format!("{error}; {}", error.advice())
}

/// Before each look at the secret in turn: whenever it is swapped, only the key that all places had is kept as the previous one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_swapped_at_any_look_is_never_kept_as_the_previous_key() {
    let mut stopped = 0;
    for nth in 1..=5 {
        let scene = Scene::start().await;
        scene.confirmed().await;
        let before = live(&scene);
        let (world, name, seen) = (scene.lab.world().clone(), scene.secret_name(), AtomicUsize::new(0));
        scene.lab.faults().observe(move |request| {
            let is_look = request.service == Service::Barbican
                && !request.agent
                && request.method == "GET"
                && request.path.contains(&format!("name={name}"));
            if is_look && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                for secret in world.key_secrets("acme") {
                    world.remove_secret(&secret.id);
                }
                world.add_secret(&name, "text/plain", Some(theirs().to_payload(false).expose()));
            }
        });
        let ended = scene.rotate().await;
        let rotation = scene.acme().rotation().unwrap();
        let kept = rotation.keys.get(&KeyRole::Previous).map(|kept| kept.public_key.to_string());
        assert!(kept.is_none() || kept.as_ref() == before.first(), "look {nth}: {kept:?}, not {before:?}");
        let their_key = theirs().public();
        assert!(held(&scene).contains(&their_key.to_string()), "look {nth}: theirs is lost");
        let Err(error) = ended else { continue };
        if matches!(rotation.step(StepNumber::STAGE), StepState::Failed { .. }) {
            stopped += 1;
            let said = said(&error);
            assert!(said.contains(&their_key.short()), "which key is where: {said}");
            assert!(said.contains(&rotation.proven_key().unwrap().short()), "which key is where: {said}");
            // And it does not say that the journal is lost.
            let (confirm, reason) = ("acme".to_owned(), "a colleague".to_owned());
            scene.run(Command::Cancel { confirm, reason }).await.unwrap();
            assert_eq!(live(&scene), [their_key.to_string()], "what they stored stays");
        }
    }
    assert!(stopped > 0, "no look fell between step 2 and step 3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_previous_key_is_gone_a_way_back_says_what_a_fresh_one_costs_and_makes_it_when_asked_again() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    remove_kept(&scene, KeyRole::Previous);
    let error = scene.roll_back().await.unwrap_err();
    assert!(matches!(error, RunError::Refused(Refusal::NeedsPerson(_))), "{error}");
    assert!(error.to_string().contains("every client must download and re-import once more"), "{error}");
    let rotation = scene.acme().rotation().unwrap();
    assert!(rotation.rollback.is_none() && rotation.keys[&KeyRole::Previous].gone);
    assert_eq!(scene.status().keys.previous, None, "the form says that a fresh one is made");
    scene.roll_back().await.unwrap();
    assert_eq!(scene.acme().rotation().unwrap().target_role(), KeyRole::Fresh);
    scene.everybody_returns().await;
    scene.finish("").await.unwrap();
    assert_eq!(scene.status().outcome, Some(Outcome::RolledBack));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_previous_key_that_somebody_has_put_back_since_it_was_missed_is_gone_back_to() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let name = scene.acme().rotation().unwrap().keys[&KeyRole::Previous].name.clone();
    let copy = scene.lab.world().secrets(&name).remove(0);
    remove_kept(&scene, KeyRole::Previous);
    scene.roll_back().await.unwrap_err();
    scene.lab.world().add_secret(&name, "text/plain", copy.payload.as_deref());
    let (status, which) = (scene.status(), changeguard::app::dialog::rollback::which_key);
    assert!(which(&status).contains("is looked for again"), "{}", which(&status));
    scene.roll_back().await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    assert_eq!((rotation.target_role(), rotation.keys[&KeyRole::Previous].gone), (KeyRole::Previous, false));
}

/// It was read back when it was kept; somebody takes it away, or puts their own in its place, before the first DELETE.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_gone_before_the_live_secret_gives_way_is_made_anew_and_what_others_put_there_is_not_destroyed()
{
    for is_touched in [false, true] {
        let scene = Scene::start().await;
        scene.confirmed().await;
        let before = live(&scene).remove(0);
        let world = scene.lab.world().clone();
        if is_touched {
            // The process ends in the gap, and somebody puts the key of before back under the live name.
            let lost = Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("DELETE").always();
            let id = scene.lab.faults().add(lost);
            tokio::select! {
                ended = scene.rotate() => panic!("{ended:?}"),
                is_sent = world.until(PATIENCE, |world| world.faults().fired(id) > 0) => assert!(is_sent),
            }
            scene.acme().reload().await.unwrap();
        } else {
            // Once both keys are kept nobody can be heard.
            let spoiled = world.clone();
            scene.lab.faults().observe(move |request| {
                if request.service == Service::Barbican && request.method == "POST" {
                    spoiled.faults().add(Rule::new(Service::Imap, Fault::Close).always());
                }
            });
            scene.rotate().await.unwrap_err();
            scene.lab.faults().observe(|_| {});
        }
        scene.lab.faults().clear();
        let rotation = scene.acme().rotation().unwrap();
        assert!(rotation.is_kept(KeyRole::Previous) && rotation.touched == is_touched, "{:?}", rotation.steps);
        let name = rotation.keys[&KeyRole::Previous].name.clone();
        let copy = world.secrets(&name).remove(0);
        if is_touched {
            assert!(live(&scene).is_empty());
            world.add_secret(&scene.secret_name(), "text/plain", copy.payload.as_deref());
        }
        assert_eq!(live(&scene), std::slice::from_ref(&before));
        remove_kept(&scene, KeyRole::Previous);
        scene.lab.world().add_secret(&name, "text/plain", Some(theirs().to_payload(false).expose()));
        scene.run(Command::Resume).await.unwrap();
        assert!(held(&scene).contains(&before), "{is_touched}: the way back is lost");
        scene.everybody_returns().await;
        scene.finish("").await.unwrap();
        let (held, theirs) = (held(&scene), theirs().public().to_string());
        assert!(held.contains(&theirs) && !held.contains(&before), "{is_touched}: {held:?}");
        let destroyed = scene.acme().rotation().unwrap().keys[&KeyRole::Previous].destroyed.clone().unwrap();
        assert!(destroyed.contains("1 deleted; 1 of the name that hold something else stay"), "{destroyed}");
    }
}

/// The same where it is lost when the way back has begun already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_whose_key_is_lost_on_the_way_offers_a_fresh_one_and_no_verb_is_a_dead_end() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("DELETE").which(Which::Always));
    scene.roll_back().await.unwrap_err();
    scene.lab.faults().clear();
    remove_kept(&scene, KeyRole::Previous);
    scene.run(Command::Resume).await.unwrap_err();
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.next.action, Act::Rollback, "{}", status.next.text);
    assert!(!status.steps[2].state.is_done(), "nothing says that it is kept: {:?}", status.steps[2]);
    scene.roll_back().await.unwrap();
    scene.everybody_returns().await;
    scene.finish("").await.unwrap();
    assert_eq!(scene.acme().rotation().unwrap().target_role(), KeyRole::Fresh);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_staged_key_that_nobody_had_is_made_anew_where_it_is_gone() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("DELETE").which(Which::Always));
    scene.rotate().await.unwrap_err();
    scene.lab.faults().clear();
    let first = scene.acme().rotation().unwrap().target();
    remove_kept(&scene, KeyRole::Staged);
    scene.run(Command::Resume).await.unwrap_err();
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Resume, "{}", scene.status().next.text);
    scene.run(Command::Resume).await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    assert_ne!(rotation.target(), first);
    assert_eq!(live(&scene), [rotation.target().unwrap().to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_of_the_name_shut_the_check_are_both_named_and_each_that_gives_way_is_kept() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    // The server keeps the key that it has, whichever of the two comes first.
    crate::strangers::hold_the_agents(&scene);
    let theirs = add_theirs(&scene);
    scene.run(Command::Check).await.unwrap_err();
    let run = scene.acme().rotation().unwrap().preflight.clone().unwrap();
    let check = run.checks.iter().find(|check| check.name == DUPLICATES).unwrap();
    assert_eq!(check.state, CheckState::Fail);
    for secret in scene.lab.world().key_secrets("acme") {
        assert!(check.finding.contains(&secret.id), "{}", check.finding);
    }
    let keys = run.checks.iter().find(|check| check.name == "keys").unwrap();
    assert!(!keys.finding.starts_with("all places"), "{}", keys.finding);
    // What the journal can't explain is not gone over without a word.
    let reason = "the other is a colleague's trial".to_owned();
    scene.run(Command::SetAside { what: DUPLICATES.into(), reason }).await.unwrap();
    crate::strangers::release_the_agents_with_the_swap(&scene);
    let rotated = scene.rotate().await;
    if let Err(error) = rotated {
        assert!(matches!(error, RunError::Refused(Refusal::JournalLost(_))), "{error}");
        let (confirm, reason) = ("acme".to_owned(), "a colleague stored it".to_owned());
        scene.run(Command::Recover { confirm, reason }).await.unwrap();
        let _ = scene.run(Command::Resume).await;
    }
    assert!(held(&scene).contains(&theirs), "a copy is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_secret_that_was_deleted_is_no_more_in_the_way_once_that_check_is_made_anew() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let own = scene.lab.world().key_secrets("acme").remove(0).id;
    // The server keeps the key that it has, whichever of the two comes first.
    let held = Rule::new(Service::Barbican, Fault::Status(403)).method("GET").always().for_agents();
    scene.lab.faults().add(held);
    add_theirs(&scene);
    scene.run(Command::Check).await.unwrap_err();
    let anew = || Command::Recheck { check: DUPLICATES.into() };
    scene.run(anew()).await.unwrap_err();
    for secret in scene.lab.world().key_secrets("acme").into_iter().filter(|secret| secret.id != own) {
        assert!(scene.lab.world().remove_secret(&secret.id));
    }
    scene.run(anew()).await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    assert!(rotation.step(StepNumber::CHECK).is_done(), "{:?}", rotation.preflight);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_secrets_with_one_key_are_told_and_replaced_by_one() {
    let scene = Scene::start().await;
    let own = scene.lab.world().key_secrets("acme").remove(0);
    let id = scene.lab.world().add_secret(&scene.secret_name(), "text/plain", own.payload.as_deref());
    scene.lab.world().edit_secret(&id, |secret| secret.created = own.created);
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let run = scene.acme().rotation().unwrap().preflight.clone().unwrap();
    let check = run.checks.iter().find(|check| check.name == DUPLICATES).unwrap();
    assert_eq!(check.state, CheckState::Warn, "{}", check.finding);
    assert_eq!(live(&scene).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_change_after_the_end_is_alarmed_and_put_right_as_long_as_the_key_is_there() {
    let scene = Scene::start().await;
    let left = scene.ended().await.to_string();
    scene.acme().look().await;
    assert_eq!(scene.status().changed_since, None);
    assert_eq!(scene.status().reconcile, Reconcile::InSync);
    // Which of two the agent takes, and when, is no part of this.
    scene.lab.world().set_agent_mode("acme", AgentMode::Legacy);
    let their_key = add_theirs(&scene);
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    object["vpn_server_public_key"] = their_key.clone().into();
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, OBJECT, &serde_json::to_vec(&object).unwrap());
    scene.acme().look().await;
    let status = scene.status();
    let since = status.changed_since.clone().unwrap();
    assert!(since.can_be_put_right, "{since}");
    assert_eq!((status.reconcile, status.next.action), (Reconcile::Differs, Act::Resume));
    assert!(status.attention[0].starts_with("KEY CHANGED SINCE THE END"), "{:?}", status.attention);
    assert!(status.attention[0].contains("2 secrets") && status.attention[0].contains("the object says"));
    // It stands in the journal, once, whoever looks how often.
    let written = || -> Vec<String> {
        let all = scene.acme().entries().into_iter().map(|entry| entry.record.summary());
        all.filter(|line| line.contains("seen since the end")).collect()
    };
    scene.acme().look().await;
    assert!(matches!(&written()[..], [one] if one.contains("the object says")), "{:?}", written());
    let done = scene.run(Command::Resume).await.unwrap();
    assert!(done.contains("kept as changeguard-found-"), "{done}");
    assert_eq!(live(&scene), std::slice::from_ref(&left));
    assert!(held(&scene).contains(&their_key), "theirs is kept");
    let object: Value = serde_json::from_slice(&scene.object()).unwrap();
    assert_eq!(object["vpn_server_public_key"], left);
    scene.lab.world().set_agent_mode("acme", AgentMode::ByName);
    scene.lab.world().reconcile("acme").await;
    scene.acme().look().await;
    assert_eq!(scene.status().changed_since, None);
    assert!(written().last().unwrap().ends_with("as it was left again"), "{:?}", written());
    // Once more changes nothing, and says so.
    assert!(scene.run(Command::Resume).await.unwrap().contains("nothing was to be put right"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_put_back_or_deleted_after_the_end_is_never_in_sync_and_says_what_leads_on() {
    for put in [true, false] {
        let scene = Scene::start().await;
        let left = scene.ended().await.to_string();
        match put {
            true => _ = put_theirs(&scene),
            false => scene.lab.world().key_secrets("acme").iter().for_each(|secret| {
                scene.lab.world().remove_secret(&secret.id);
            }),
        }
        scene.lab.world().reconcile("acme").await;
        scene.acme().look().await;
        let status = scene.status();
        assert_eq!(status.reconcile, Reconcile::Differs);
        let since = status.changed_since.clone().unwrap();
        assert!(!since.can_be_put_right && since.text.contains(&left[..8]), "{since}");
        assert_eq!(status.next.action, Act::Plan);
        assert!(status.next.text.contains("every client must re-import"), "{}", status.next.text);
        assert!(status.leading().iter().any(|line| line.starts_with("KEY CHANGED")), "{:?}", status.leading());
        let error = scene.run(Command::Resume).await.unwrap_err();
        assert!(error.advice().contains("plan a rotation"), "{}", said(&error));
        let entries = scene.acme().entries();
        let end = entries.iter().position(|entry| matches!(entry.record, Record::Finished { .. })).unwrap();
        let behind: Vec<String> = entries[end + 1..].iter().map(|entry| entry.record.summary()).collect();
        assert!(matches!(&behind[..], [one] if one.contains("seen since the end")), "nothing was begun: {behind:?}");
    }
}

/// Gives the first user of the object another public key; gives the one before.
fn paste(scene: &Scene, key: &str) -> String {
    let tenant = scene.lab.world().tenant("acme").unwrap().id;
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    let before = std::mem::replace(&mut object["users"][0]["pubkey"], key.into());
    scene.lab.world().put_object(&tenant, OBJECT, &serde_json::to_vec(&object).unwrap());
    before.as_str().unwrap().to_owned()
}

fn keys_check(scene: &Scene) -> (CheckState, String) {
    let preflight = scene.acme().rotation().unwrap().preflight.clone().unwrap();
    let check = preflight.checks.iter().find(|check| check.name == "keys").unwrap();
    (check.state, check.finding.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_a_clients_as_well_does_not_go_live_and_the_servers_own_is_told() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let server = scene.lab.world().server("acme").unwrap().public_key;
    let own = paste(&scene, &server);
    scene.run(Command::Check).await.unwrap();
    let (state, text) = keys_check(&scene);
    assert!(state == CheckState::Warn && text.contains("given as the key of Ada"), "{text}");
    paste(&scene, &own);

    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("DELETE");
    let fault = scene.lab.faults().add(refused);
    scene.rotate().await.unwrap_err();
    scene.lab.faults().remove(fault);
    let staged = scene.acme().rotation().unwrap().target().unwrap().to_string();
    paste(&scene, &staged);
    let before = live(&scene);
    let said = said(&scene.run(Command::Resume).await.unwrap_err());
    assert!(said.contains("is the key of Ada") && said.contains("cancel"), "{said}");
    assert_eq!((live(&scene), keys_check(&scene).0), (before, CheckState::Fail));
    let confirm = "acme".to_owned();
    scene.run(Command::Cancel { confirm, reason: "x".into() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_own_key_is_the_previous_one_is_told_before_and_behind_a_way_back() {
    let scene = Scene::start().await;
    let server = scene.lab.world().server("acme").unwrap().public_key;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    paste(&scene, &server);
    for way in ["the way there", "the way back"] {
        scene.acme().look().await;
        let lines = scene.status().bear_servers_key();
        assert!(lines.iter().any(|line| line.contains("previous") && line.contains("Ada")), "{way}: {lines:?}");
        assert!(scene.status().attention.contains(&lines[0]), "{way}");
        if way == "the way there" {
            scene.roll_back().await.unwrap();
        }
    }
}
