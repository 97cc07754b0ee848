//! What strangers have left where a rotation looks: a secret that the server's search finds beside ours, a key that nobody of
//! ours has stored in place of the live one, an object that is gone, a key in the object between two steps. Each is told as what
//! it is, and a way leads on.

use crate::pty::PATIENCE;
use crate::scene::{Scene, Silent};
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::config::Swap;
use changeguard::domain::gate::Reason;
use changeguard::domain::key::{KeyRole, PublicKey};
use changeguard::engine::command::Command;
use changeguard::engine::next::Act;
use changeguard::engine::record::{Cause, Record};
use changeguard::engine::secret::PrivateKey;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub const OBJECT: &str = "config/vpn-users.json";

/// From now on no agent gets its key.
pub fn hold_the_agents(scene: &Scene) {
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("GET").always().for_agents());
}

/// They get it again once the swap has begun, so that none takes what is there before it.
pub fn release_the_agents_with_the_swap(scene: &Scene) {
    let world = scene.lab.world().clone();
    scene.lab.faults().observe(move |request| {
        if request.service == Service::Barbican && request.method == "DELETE" {
            world.faults().clear();
        }
    });
}

/// The mailbox falls silent once a key was kept, so that a rotation ends with all of step 3 done and nothing touched.
pub fn silence_the_mailbox_once_a_key_is_kept(scene: &Scene) {
    let world = scene.lab.world().clone();
    scene.lab.faults().observe(move |request| {
        if request.service == Service::Barbican && request.method == "POST" {
            world.faults().add(Rule::new(Service::Imap, Fault::Close).always());
        }
    });
}

fn theirs() -> PublicKey {
    PrivateKey::from_random([78; 32]).public()
}

/// Stores their key under this name.
fn store(scene: &Scene, name: &str) {
    let key = PrivateKey::from_random([78; 32]);
    scene.lab.world().add_secret(name, "text/plain", Some(key.to_payload(false).expose()));
}

/// Their key in place of the live one.
fn replace(scene: &Scene) {
    let live = scene.lab.world().key_secrets("acme").remove(0);
    store(scene, &scene.secret_name());
    scene.lab.world().remove_secret(&live.id);
}

async fn set_aside(scene: &Scene, what: &str) {
    let reason = "looked at together with the platform team".to_owned();
    scene.run(Command::SetAside { what: what.into(), reason }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_of_another_name_that_the_servers_search_finds_shuts_the_gate_and_is_named() {
    let scene = Scene::start_with(|config| config.wireguard.reconcile_interval = Duration::from_secs(1)).await;
    scene.confirmed().await;
    scene.run(Command::Check).await.unwrap();
    hold_the_agents(&scene);
    scene.acme().look().await;
    assert!(scene.status().gate.is_open(), "{:?}", scene.status().gate);
    let name = scene.secret_name().to_uppercase();
    store(&scene, &name);
    scene.acme().look().await;
    let status = scene.status();
    let [Reason::SeenSince { what }] = status.gate.reasons() else { panic!("{:?}", status.gate) };
    assert!(what.contains(&name), "{what}");
    assert!(status.attention.iter().any(|item| item.contains(&name)), "{:?}", status.attention);
    let refused = scene.rotate().await.unwrap_err().to_string();
    assert!(refused.contains("duplicates") && refused.contains(&name), "{refused}");
    // Whoever goes on all the same and meets it, is told what it is: the server has taken theirs.
    set_aside(&scene, "duplicates").await;
    scene.lab.faults().observe({
        let world = scene.lab.world().clone();
        move |request| {
            if request.service == Service::Barbican && request.method == "DELETE" {
                world.set_server_key("acme", [78; 32]);
            }
        }
    });
    let failed = scene.rotate().await.unwrap_err();
    let (failed, next) = (format!("{failed}; {}", failed.advice()), scene.status().next);
    let taken = format!("the server has taken {}, the key of another secret", theirs().short());
    assert!(failed.contains(&taken) && failed.contains("have it renamed or deleted"), "{failed}");
    for said in [&failed, &next.text] {
        assert!(!said.contains("keeps the key of before"), "{said}");
        assert!(said.contains("NEITHER") && said.contains(&theirs().short()), "{said}");
    }
    assert!(failed.contains(&name), "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_of_another_name_that_the_server_has_taken_is_set_aside_by_no_word() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    hold_the_agents(&scene);
    store(&scene, &scene.secret_name().to_uppercase());
    scene.lab.world().set_server_key("acme", [78; 32]);
    let refused = scene.rotate().await.unwrap_err().to_string();
    assert!(refused.contains("duplicates"), "{refused}");
    let offered = scene.status().next.commands;
    assert_eq!(offered, ["changeguard check acme"], "nothing is offered that its reason is disproved of");
    let reason = "it looks by the exact name".to_owned();
    let refused = scene.run(Command::SetAside { what: "duplicates".into(), reason }).await.unwrap_err().to_string();
    assert!(refused.contains("duplicates can't be set aside"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_stored_in_place_of_the_live_one_after_the_end_is_an_alarm_until_a_rotation_has_replaced_it() {
    for taken in [false, true] {
        let scene = Scene::start().await;
        scene.ended().await;
        hold_the_agents(&scene);
        replace(&scene);
        if taken {
            scene.lab.world().set_server_key("acme", [78; 32]);
        }
        scene.acme().look().await;
        assert_eq!(scene.status().next.action, Act::Plan);
        assert!(scene.status().changed_since.is_some());
        scene.confirmed().await;
        scene.acme().look().await;
        let alarms = scene.status().attention.join("; ");
        let who = if taken { "is cut off" } else { "at its next look the server takes" };
        assert!(alarms.contains("KEY CHANGED SINCE THE END") && alarms.contains(who), "a plan ends no alarm: {alarms}");
        let refused = scene.rotate().await.unwrap_err().to_string();
        assert!(refused.contains("keys") && refused.contains("set ") && refused.contains("`keys` aside"), "{refused}");
        set_aside(&scene, "keys").await;
        release_the_agents_with_the_swap(&scene);
        scene.rotate().await.unwrap();
        let rotation = scene.acme().rotation().unwrap();
        let previous = rotation.keys.get(&KeyRole::Previous).map(|kept| kept.public_key);
        let kept: Vec<PublicKey> = rotation.foreign.iter().map(|kept| kept.public_key).collect();
        match taken {
            true => assert_eq!((previous, kept), (Some(theirs()), Vec::new()), "the server had it"),
            false => assert_eq!((previous, kept), (None, vec![theirs()]), "nobody had it, and it is kept all the same"),
        }
        if taken {
            // The server had it, and no client: nobody is told that the configuration of before works.
            scene.roll_back().await.unwrap();
            let rotation = scene.acme().rotation().unwrap();
            assert_eq!(rotation.target(), Some(theirs()));
            assert!(!rotation.is_back_to_previous());
        }
        scene.everybody_returns().await;
        scene.finish("").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_is_gone_after_the_end_is_an_alarm_with_a_way_out() {
    let scene = Scene::start().await;
    scene.ended().await;
    let container = scene.acme().tenant().id.to_string();
    let before = scene.object();
    assert!(scene.lab.world().remove_object(&container, Some(OBJECT)));
    scene.acme().look().await;
    let status = scene.status();
    let since = status.changed_since.clone().expect("an alarm");
    assert!(since.to_string().contains("the object is not there"), "{since}");
    assert!(since.way().contains("adding or removing a user"), "{}", since.way());
    scene.lab.world().put_object(&container, OBJECT, &before);
    scene.acme().look().await;
    assert_eq!(scene.status().changed_since, None);
}

/// Somebody writes a key of their own into the object between the swap and step 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_stands_in_the_object_and_was_nobodys_is_told_when_it_is_replaced() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    object["vpn_server_public_key"] = theirs().to_string().into();
    let written = serde_json::to_vec(&object).unwrap();
    let (world, container) = (scene.lab.world().clone(), scene.acme().tenant().id.to_string());
    scene.lab.faults().observe(move |request| {
        if request.service == Service::Barbican && request.method == "DELETE" {
            world.put_object(&container, OBJECT, &written);
        }
    });
    scene.rotate().await.unwrap();
    let status = scene.status();
    assert!(status.steps[4].detail.contains("somebody else had written it"), "{}", status.steps[4].detail);
    assert!(status.steps[4].detail.contains(&theirs().short()), "{}", status.steps[4].detail);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_that_stores_first_is_told_in_its_own_order_and_its_overlap_is_measured() {
    let scene = Scene::start_with(|config| config.wireguard.swap = Swap::StoreFirst).await;
    scene.confirmed().await;
    let told = |status: &changeguard::engine::status::TenantStatus| {
        let rows = changeguard::app::dialog::rotate::consequences(status);
        rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>().join("; ")
    };
    let before = told(&scene.status());
    assert!(before.contains("Between POST and DELETE two secrets") && !before.contains("no secret has"), "{before}");
    scene.rotate().await.unwrap();
    let status = scene.status();
    let overlap = status.overlap_us.expect("it was measured");
    let journaled = scene.acme().entries().iter().find_map(|entry| match &entry.record {
        Record::Swapped(swapped) => swapped.overlap_us,
        _ => None,
    });
    assert_eq!((journaled, status.gap_us), (Some(overlap), Some(0)));
    let detail = &status.steps[3].detail;
    assert!(detail.starts_with("no gap: two secrets had the name for"), "{detail}");
}

/// The platform's known fault: only the object was rewritten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_alone_says_another_key_is_not_blamed_on_the_secret_and_the_live_key_stays_the_previous_one() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let container = scene.acme().tenant().id.to_string();
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    let live = object["vpn_server_public_key"].as_str().unwrap().to_owned();
    object["vpn_server_public_key"] = theirs().to_string().into();
    scene.lab.world().put_object(&container, OBJECT, &serde_json::to_vec(&object).unwrap());
    scene.run(Command::Check).await.unwrap_err();
    let run = scene.acme().rotation().unwrap().preflight.clone().unwrap();
    let advice = run.checks.iter().find(|check| check.name == "keys").unwrap().advice.clone();
    assert!(advice.starts_with("where clients are connected, have the platform write the object again"), "{advice}");
    set_aside(&scene, "keys").await;
    scene.rotate().await.unwrap();
    let previous = scene.acme().rotation().unwrap().keys[&KeyRole::Previous].public_key.to_string();
    assert_eq!(previous, live);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_was_deleted_after_the_end_is_no_dead_end_though_the_agent_complains_of_it() {
    let scene = Scene::start().await;
    scene.ended().await;
    scene.lab.world().key_secrets("acme").iter().for_each(|secret| _ = scene.lab.world().remove_secret(&secret.id));
    for _ in 0..3 {
        scene.lab.world().reconcile("acme").await;
    }
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Plan, "{}", scene.status().next.text);
    scene.confirmed().await;
    scene.rotate().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_to_reconfigure_while_the_secret_holds_somebody_elses_key() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    hold_the_agents(&scene);
    let mails = scene.lab.world().mails().len();
    replace(&scene);
    let kind = changeguard::domain::notice::NoticeKind::Reconfigure;
    let refused = scene.run(Command::Notify { kind, only: None, again: false }).await.unwrap_err();
    assert!(refused.to_string().contains("the secret was changed by somebody else"), "{refused}");
    assert_eq!(scene.lab.world().mails().len(), mails);
    scene.lab.faults().clear();
    scene.run(Command::Resume).await.unwrap();
    scene.everybody_returns().await;
}

/// Others write their key into the object, and store a second secret.
fn write_over(scene: &Scene) {
    store(scene, &scene.secret_name());
    let container = scene.acme().tenant().id.to_string();
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    object["vpn_server_public_key"] = theirs().to_string().into();
    scene.lab.world().put_object(&container, OBJECT, &serde_json::to_vec(&object).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_and_its_cancellation_hand_on_what_the_last_end_has_left() {
    let scene = Scene::start().await;
    scene.ended().await;
    let left = scene.acme().rotation().unwrap().must_be_live().unwrap();
    hold_the_agents(&scene);
    let plan = || Command::Plan { window: Scene::open_window(), cause: Cause::Scheduled, reference: String::new() };
    let cancel = || Command::Cancel { confirm: "acme".into(), reason: "not now".into() };
    // With the plan open, behind its cancellation, and behind a second one.
    for cancelled in [0, 1, 2] {
        scene.run(plan()).await.unwrap();
        for _ in 0..cancelled {
            scene.run(cancel()).await.unwrap();
            if cancelled == 2 {
                scene.run(plan()).await.unwrap();
            }
        }
        scene.acme().look().await;
        assert_eq!(scene.status().changed_since, None, "{cancelled}");
        write_over(&scene);
        scene.acme().look().await;
        let status = scene.status();
        let since = status.changed_since.clone().unwrap();
        assert_eq!((since.left, since.since), (left.key, left.since), "{cancelled}");
        assert!(status.attention[0].starts_with("KEY CHANGED SINCE THE END"), "{:?}", status.attention);
        assert_eq!(status.next.action, Act::Resume, "{cancelled}: {}", status.next.text);
        let done = scene.run(Command::Resume).await.unwrap();
        assert!(done.contains("kept as changeguard-found-"), "{done}");
        scene.acme().look().await;
        assert_eq!(scene.status().changed_since, None, "{cancelled}");
        if scene.acme().rotation().unwrap().outcome.is_none() {
            scene.run(cancel()).await.unwrap();
        }
    }
    // What nobody has read yet is not said to be gone.
    scene.lab.faults().clear();
    write_over(&scene);
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).always());
    let unread = scene.wiring.fleet(vec![scene.acme().tenant().clone()], Arc::new(Silent)).unwrap();
    let unread = unread.find("acme").unwrap();
    unread.reload().await.unwrap();
    unread.look().await;
    let next = unread.status().next;
    assert!(next.text.contains("what Barbican holds is not known before it is read"), "{}", next.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_stores_the_missing_secret_before_it_goes_on_with_a_later_step() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let put = scene.lab.faults().add(Rule::new(Service::Swift, Fault::Status(403)).method("PUT").always());
    scene.rotate().await.unwrap_err();
    scene.lab.faults().remove(put);
    scene.lab.world().key_secrets("acme").iter().for_each(|secret| _ = scene.lab.world().remove_secret(&secret.id));
    scene.acme().look().await;
    assert!(scene.status().next.text.contains("resume: it stores the kept key"), "{}", scene.status().next.text);
    scene.run(Command::Resume).await.unwrap();
    scene.acme().look().await;
    let (status, target) = (scene.status(), scene.acme().rotation().unwrap().target());
    assert_eq!((status.truth, status.keys.secret.key, status.keys.object.key), (None, target, target));
    // And where the secret was replaced once all was done, the server is looked at again before anybody is told anything.
    replace(&scene);
    scene.lab.world().set_server_key("acme", [78; 32]);
    let ended = scene.run(Command::Resume).await.unwrap();
    assert!(!ended.contains("tell the clients"), "{ended}");
    scene.acme().look().await;
    assert_eq!(scene.status().keys.interface.key, target);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_alone_has_not_come_back_to_the_key_is_waited_for() {
    let scene = Scene::start().await;
    let left = scene.ended().await;
    let world = scene.lab.world();
    let right = world.key_secrets("acme").remove(0);
    replace(&scene);
    assert!(world.until(PATIENCE, |world| world.server("acme").unwrap().public_key == theirs().to_string()).await);
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.next.action, Act::Plan, "{}", status.next.text);
    let already = status.cut_off_already().unwrap();
    assert!(already.contains("cut off already") && already.contains(&left.short()), "{already}");
    let breaks = changeguard::cli::consent::breaks(&status).join("; ");
    assert!(breaks.contains(&already) && !breaks.contains("lose the VPN when"), "{breaks}");
    // Somebody has put the right one back, and the server's next look has not come.
    hold_the_agents(&scene);
    let theirs = world.key_secrets("acme").remove(0);
    world.add_secret(&right.name, "text/plain", right.payload.as_deref());
    world.remove_secret(&theirs.id);
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.next.action, Act::Wait, "{}", status.next.text);
    assert!(status.next.text.starts_with("wait for the server's next look"), "{}", status.next.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_destroys_no_last_copy_of_the_key_that_clients_have_and_resume_puts_it_back() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    silence_the_mailbox_once_a_key_is_kept(&scene);
    scene.rotate().await.unwrap_err();
    let rotation = scene.acme().rotation().unwrap();
    assert!(!rotation.touched && rotation.is_kept(KeyRole::Previous), "{:?}", rotation.steps);
    let theirs_before = rotation.keys[&KeyRole::Previous].public_key;
    assert_eq!(crate::object_gone::copies(&scene), 1, "the object's content is kept, too");
    scene.lab.faults().observe(|_| {});
    scene.lab.faults().clear();
    hold_the_agents(&scene);
    replace(&scene);
    scene.run(Command::Check).await.unwrap_err();
    let check = scene.acme().rotation().unwrap().preflight.clone().unwrap();
    let advice = &check.checks.iter().find(|check| check.name == "keys").unwrap().advice;
    let kept = format!("This rotation keeps {}: cancel, then resume puts it back", theirs_before.short());
    assert!(advice.contains(&kept), "{advice}");
    let cancelled = scene.run(Command::Cancel { confirm: "acme".into(), reason: "not now".into() }).await;
    cancelled.unwrap();
    let told = scene.acme().entries().iter().any(|entry| match &entry.record {
        Record::Noted { text } => text.contains("no secret of the tenant's name holds it any more"),
        _ => false,
    });
    assert!(told, "the copy that stays is told");
    assert_eq!(crate::object_gone::copies(&scene), 0);
    scene.acme().look().await;
    let status = scene.status();
    let since = status.changed_since.clone().unwrap();
    assert!(since.left == theirs_before && since.can_be_put_right, "{since}");
    assert_eq!(status.next.action, Act::Resume, "{}", status.next.text);
    scene.run(Command::Resume).await.unwrap();
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!((status.keys.secret.key, status.changed_since), (Some(theirs_before), None));
    let rotation = scene.acme().rotation().unwrap();
    assert!(rotation.copy_of(theirs_before).is_none(), "the copy goes once the secret holds it: {:?}", rotation.keys);
    assert!(rotation.foreign.iter().any(|kept| kept.public_key == theirs()), "what stood there is kept");
    // What is known of it is known to the next, and to the one after its end, too.
    let plan = || Command::Plan { window: Scene::another_window(), cause: Cause::Scheduled, reference: String::new() };
    for _ in 0..2 {
        scene.run(plan()).await.unwrap();
        assert_eq!(scene.acme().rotation().unwrap().must_be_live().unwrap().key, theirs_before);
        scene.run(Command::Cancel { confirm: "acme".into(), reason: "not now".into() }).await.unwrap();
        assert_eq!(scene.acme().rotation().unwrap().must_be_live().unwrap().key, theirs_before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_copy_of_the_live_key_is_the_last_that_an_end_destroys() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).method("DELETE").which(Which::From(2)));
    scene.finish("").await.unwrap_err();
    let rotation = scene.acme().rotation().unwrap();
    let is_destroyed = |role| rotation.keys[&role].destroyed.is_some();
    assert_eq!((is_destroyed(KeyRole::Previous), is_destroyed(KeyRole::Staged)), (true, false));
}
