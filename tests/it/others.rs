//! Other people's work at the worst moment: a colleague who stores a key in the gap, a portal that writes between our look and
//! our upload, a person who is removed after the rotation. None of it is undone in silence.

use crate::offered::public;
use crate::scene::Scene;
use crate::witness::cut_back;
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::{StepNumber, StepState};
use changeguard::engine::command::Command;
use changeguard::engine::next::Act;
use changeguard::engine::record::{Cause, Record};
use changeguard::engine::secret::PrivateKey;
use changeguard::engine::status::ClientView;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};

const OBJECT: &str = "config/vpn-users.json";

/// What a colleague stores under the live name at the very moment of the DELETE.
fn stores_at_the_delete(scene: &Scene) -> String {
    let key = PrivateKey::from_random([77; 32]);
    let (world, name, payload) = (scene.lab.world().clone(), scene.secret_name(), key.to_payload(false));
    let done = AtomicBool::new(false);
    scene.lab.faults().observe(move |request| {
        let is_delete = request.service == Service::Barbican && request.method == "DELETE";
        if is_delete && !done.swap(true, Ordering::SeqCst) {
            world.add_secret(&name, "text/plain", Some(payload.expose()));
        }
    });
    key.public().to_string()
}

fn live(scene: &Scene) -> Vec<String> {
    let secrets = scene.lab.world().key_secrets("acme");
    secrets.into_iter().map(|secret| public(&secret.payload.unwrap())).collect()
}

fn kept_for_others(scene: &Scene) -> Vec<String> {
    let all = scene.lab.world().secrets("");
    let found = all.into_iter().filter(|secret| secret.name.starts_with("changeguard-found-"));
    found.map(|secret| public(&secret.payload.unwrap())).collect()
}

fn is_told(scene: &Scene) {
    let entries = scene.acme().entries();
    let kept = entries.iter().filter(|entry| matches!(entry.record, Record::ForeignKept { .. })).count();
    assert_eq!(kept, 1);
    let attention = scene.status().attention;
    assert!(attention.iter().any(|item| item.contains("somebody else's key")), "{attention:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_colleague_stores_in_the_gap_is_kept_under_a_name_of_its_own_and_told() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let theirs = stores_at_the_delete(&scene);
    scene.rotate().await.unwrap();
    let staged = scene.acme().rotation().unwrap().target().unwrap().to_string();
    assert_eq!(live(&scene), [staged]);
    assert_eq!(kept_for_others(&scene), std::slice::from_ref(&theirs));
    is_told(&scene);
    // Ours are destroyed in the end, theirs is not ours to destroy.
    scene.everybody_returns().await;
    scene.finish("").await.unwrap();
    assert_eq!(kept_for_others(&scene), [theirs]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_where_our_own_key_could_not_be_stored_and_resume_replaces_theirs() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let theirs = stores_at_the_delete(&scene);
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("POST").which(Which::From(3));
    scene.lab.faults().add(refused);
    assert!(scene.rotate().await.is_err());
    assert_eq!(live(&scene), std::slice::from_ref(&theirs), "what can't be kept is not deleted");
    scene.lab.faults().clear();
    scene.run(Command::Resume).await.unwrap();
    let staged = scene.acme().rotation().unwrap().target().unwrap().to_string();
    assert_eq!((live(&scene), kept_for_others(&scene)), (vec![staged], vec![theirs]));
    is_told(&scene);
}

/// What is told of it outlives the journal that told it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_kept_for_others_is_told_again_where_the_end_of_the_journal_was_lost() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let theirs = stores_at_the_delete(&scene);
    scene.rotate().await.unwrap();
    let touching = scene.acme().entries().iter().position(|e| matches!(e.record, Record::Touching { .. })).unwrap();
    let file = scene.wiring.config().state.directory.join("journal.db");
    cut_back(&file, scene.acme().tenant().id.as_str(), touching as i64).await;
    let (confirm, reason) = ("acme".to_owned(), "no copy is left".to_owned());
    scene.run(Command::Recover { confirm, reason }).await.unwrap();
    is_told(&scene);
    scene.run(Command::Resume).await.unwrap();
    is_told(&scene);
    assert_eq!(kept_for_others(&scene), [theirs]);
}

fn users(bytes: &[u8]) -> Vec<String> {
    let object: Value = serde_json::from_slice(bytes).unwrap();
    object["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portals_write_right_before_our_upload_is_seen_after_it_and_put_back_where_versions_are_kept() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let (world, tenant) = (scene.lab.world().clone(), scene.acme().tenant().id.to_string());
    world.keep_versions();
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    let mut newcomer = object["users"][0].clone();
    newcomer["id"] = "u-new".into();
    object["users"].as_array_mut().unwrap().push(newcomer);
    let portal = serde_json::to_vec(&object).unwrap();
    let (written, done, container) = (portal.clone(), AtomicBool::new(false), tenant.clone());
    let behind = world.clone();
    scene.lab.faults().observe(move |request| {
        let is_copy = request.path.contains("changeguard-previous");
        let is_upload = request.service == Service::Swift && request.method == "PUT" && !is_copy;
        if is_upload && !done.swap(true, Ordering::SeqCst) {
            behind.put_object(&container, OBJECT, &written);
        }
    });
    scene.rotate().await.unwrap();
    assert!(users(&scene.object()).contains(&"u-new".to_owned()), "their newcomer is there");
    let rotation = scene.acme().rotation().unwrap();
    let now: Value = serde_json::from_slice(&scene.object()).unwrap();
    assert_eq!(now["vpn_server_public_key"], rotation.target().unwrap().to_string());
    let StepState::Done { evidence, .. } = rotation.step(StepNumber::OBJECT) else { panic!("{rotation:?}") };
    assert!(evidence.contains("seen, and put back"), "{evidence}");
    let versions = world.versions(&tenant, OBJECT);
    assert!(versions.contains(&portal), "what they wrote is kept, byte for byte");
    assert_eq!(versions.len(), 3, "what was there, theirs, ours without theirs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_of_long_ago_is_nobodys_change_where_none_are_kept_any_more() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let (world, tenant) = (scene.lab.world(), scene.acme().tenant().id.to_string());
    let present = scene.object();
    world.keep_versions();
    let mut old: Value = serde_json::from_slice(&present).unwrap();
    old["users"].as_array_mut().unwrap().pop();
    world.put_object(&tenant, OBJECT, old.to_string().as_bytes());
    world.put_object(&tenant, OBJECT, &present);
    world.suspend_versions();
    let kept = world.versions(&tenant, OBJECT);
    scene.rotate().await.unwrap();
    assert_eq!(world.versions(&tenant, OBJECT), kept, "nothing more is kept");
    assert_eq!(users(&scene.object()), users(&present), "what was long ago does not come back");
    assert!(!step_5(&scene).contains("put back"), "{}", step_5(&scene));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_swift_still_gives_after_our_upload_is_nobodys_change() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.world().set_stale_reads(500);
    let fault = scene.rotate().await.unwrap_err();
    let told = format!("{fault}; {}", fault.advice());
    assert!(told.contains("still gives the version before it"), "{told}");
    assert!(!told.contains("changed by somebody else") && !told.contains("freeze user changes"), "{told}");
    let uploads = scene.lab.world().count(Service::Swift, "PUT");
    assert_eq!(uploads, 3, "the copies of both steps and one upload: nothing is uploaded over what can't be seen");
    let next = scene.status().next.text;
    assert_eq!(next.matches("resume").count(), 1, "an advice is given once: {next}");
    scene.lab.world().set_stale_reads(0);
    scene.lab.world().put_object(scene.acme().tenant().id.as_str(), OBJECT, &scene.object());
    scene.run(Command::Resume).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_removed_after_the_rotation_is_shown_as_gone_and_not_mailed() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let (world, tenant) = (scene.lab.world(), scene.acme().tenant().id.to_string());
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    let gone = object["users"].as_array_mut().unwrap().remove(0);
    world.put_object(&tenant, OBJECT, &serde_json::to_vec(&object).unwrap());
    let person = world.tenant("acme").unwrap().people.into_iter().find(|p| gone["id"] == p.id.as_str()).unwrap();
    let before = world.mails_to(&person.email).len();
    let kind = NoticeKind::Reconfigure;
    let sent = scene.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    assert_eq!(world.mails_to(&person.email).len(), before, "they are asked to do nothing any more");
    assert!(sent.contains("not mailed, for no place names them any more") && sent.contains(&person.name), "{sent}");
    world.reimport_all("acme").await;
    scene.run(Command::Verify).await.unwrap();
    scene.acme().look().await;
    let status = scene.status();
    assert!(status.differences.iter().any(|text| text.contains(&person.id)), "{:?}", status.differences);
    assert_ne!(status.next.action, Act::Reconfigure, "{:?}", status.next);
    // An operator who names them mails them all the same.
    let only = Some(vec![changeguard::domain::client::ClientId(person.id.clone())]);
    scene.run(Command::Notify { kind, only, again: false }).await.unwrap();
    assert_eq!(world.mails_to(&person.email).len(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_named_by_no_place_any_more_before_a_mail_keeps_their_name_while_their_peer_is_there() {
    let scene = Scene::start().await;
    let window = Scene::another_window();
    scene.run(Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }).await.unwrap();
    // Who is to be told is journaled with the check.
    scene.run(Command::Check).await.unwrap();
    let before = scene.status().clients;
    crate::strangers::hold_the_agents(&scene);
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    let gone = object["users"].as_array_mut().unwrap().remove(0);
    let (world, tenant) = (scene.lab.world(), scene.acme().tenant().id.to_string());
    world.put_object(&tenant, OBJECT, &serde_json::to_vec(&object).unwrap());
    scene.acme().look().await;
    let status = scene.status();
    let find = |views: &[ClientView]| views.iter().find(|view| gone["id"] == view.client.id.0.as_str()).cloned();
    let (then, now) = (find(&before).unwrap().client, find(&status.clients).unwrap().client);
    assert_eq!((then.name, then.email, then.public_key), (now.name, now.email, now.public_key));
    assert_eq!(status.clients.len(), before.len(), "{:?}", status.clients);
}

/// The copies of the object's content of before, by their names.
fn copies(scene: &Scene) -> Vec<String> {
    let names = scene.lab.world().object_names(scene.acme().tenant().id.as_str()).unwrap();
    names.into_iter().filter(|name| name.contains("changeguard-previous")).collect()
}

fn step_5(scene: &Scene) -> String {
    let rotation = scene.acme().rotation().unwrap();
    let StepState::Done { evidence, .. } = rotation.step(StepNumber::OBJECT) else { panic!("{rotation:?}") };
    evidence.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_objects_content_of_before_is_kept_beside_it_until_the_end_whatever_is_tried_again() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let (before, container) = (scene.object(), scene.acme().tenant().id.to_string());
    // The upload itself is refused first, behind the copies of both steps.
    scene.lab.faults().add(Rule::new(Service::Swift, Fault::Status(403)).method("PUT").which(Which::Nth(3)));
    scene.rotate().await.unwrap_err();
    scene.run(Command::Resume).await.unwrap();
    let kept = copies(&scene);
    assert!(kept.len() == 1 && step_5(&scene).contains(&kept[0]), "{kept:?}: {}", step_5(&scene));
    let copy = || scene.lab.world().object(&container, &kept[0]).unwrap();
    assert_eq!(copy(), before);
    assert_ne!(scene.object(), before);
    scene.roll_back().await.unwrap();
    assert_eq!(
        (copy(), scene.object()),
        (before.clone(), before),
        "the way back keeps the first, and restores it byte for byte"
    );
    scene.everybody_returns().await;
    let finish = || Command::Finish { note: String::new(), despite: String::new() };
    scene.run(finish()).await.unwrap();
    assert_eq!(copies(&scene), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_can_not_be_made_or_removed_is_told_and_stops_nothing() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let refused =
        |method: &str| Rule::new(Service::Swift, Fault::Status(403)).method(method).path("changeguard-previous");
    let rule = scene.lab.faults().add(refused("PUT").which(Which::Always));
    scene.rotate().await.unwrap();
    assert!(scene.lab.faults().fired(rule) == 2 && step_5(&scene).contains("could NOT be kept"), "{}", step_5(&scene));
    scene.acme().look().await;
    let told = scene.status().attention;
    assert!(told.iter().any(|item| item.contains("could NOT be kept") && item.contains("403")), "{told:?}");
    scene.everybody_returns().await;
    scene.lab.faults().add(refused("DELETE").which(Which::Always));
    let ended = scene.finish("").await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let StepState::Done { evidence, .. } = rotation.step(StepNumber::VERIFY) else { panic!("{rotation:?}") };
    assert!(evidence.contains("could NOT be removed") && evidence.contains("by hand"), "{ended}: {evidence}");
}
