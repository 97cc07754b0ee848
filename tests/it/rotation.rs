//! Whole rotations on the embedded lab, through the production adapters: the way forward, the way back, and what each
//! leaves behind.

use crate::scene::Scene;
use changeguard::domain::client::ClientId;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::StepNumber;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::record::{Cause, Outcome, Record};
use changeguard::engine::secret::{PrivateKey, SecretBytes};
use changeguard::engine::status::{Phase, Reconcile};
use changeguard::runtime::run::RunError;

fn public(payload: &[u8]) -> String {
    PrivateKey::from_payload(&SecretBytes::new(payload.to_vec())).unwrap().public().to_string()
}

#[tokio::test]
async fn a_whole_rotation_leaves_one_key_everywhere_and_no_kept_key() {
    let scene = Scene::start().await;
    let world = scene.lab.world();
    let before = world.secrets(&scene.secret_name()).remove(0);
    let object_before = String::from_utf8(scene.object()).unwrap();
    scene.confirmed().await;
    scene.rotate().await.unwrap();

    let after = world.secrets(&scene.secret_name());
    assert_eq!(after.len(), 1, "exactly one secret has the name");
    let (old, new) = (public(&before.payload.unwrap()), public(after[0].payload.as_ref().unwrap()));
    assert_ne!(old, new);
    assert_eq!(String::from_utf8(scene.object()).unwrap(), object_before.replace(&old, &new), "only the value changes");
    assert_eq!(world.server("acme").unwrap().public_key.to_string(), new);
    assert_eq!(after[0].content_type, before.content_type);
    assert_eq!(after[0].metadata, before.metadata);
    let kept = |id: &str| world.secrets("").into_iter().filter(|s| s.name.contains(id)).count();
    assert_eq!(kept("changeguard-"), 2, "staged and previous are kept until the end");

    scene.everybody_returns().await;
    let status = scene.status();
    assert_eq!(status.phase, Phase::Returning);
    assert_eq!(status.back, Some((3, 3)), "{:?}", status.clients);
    assert!(status.gap_us.is_some_and(|us| us > 0));
    scene.run(Command::Finish { note: "all good".into(), despite: String::new() }).await.unwrap();
    assert_eq!(kept("changeguard-"), 0, "the kept keys are destroyed");
    let status = scene.status();
    assert_eq!((status.phase, status.outcome), (Phase::Idle, Some(Outcome::Rotated)));
    let destroyed = scene.acme().entries().into_iter().filter(|e| matches!(e.record, Record::KeyDestroyed { .. }));
    assert_eq!(destroyed.count(), 2, "and their destruction is on record");
    assert!(world.private_key_requests().is_empty());
}

#[tokio::test]
async fn every_client_gets_one_mail_of_each_kind_and_nobody_sees_the_others() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    // A second press of the same key sends nothing.
    scene.run(Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }).await.unwrap();
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    for view in scene.status().clients {
        let mails = scene.lab.world().mails_to(view.client.email.as_deref().unwrap());
        let kinds: Vec<String> = mails.iter().filter_map(|mail| mail.header("X-Changeguard-Kind")).collect();
        assert_eq!(kinds, ["announcement", "reconfigure"]);
        assert!(mails.iter().all(|mail| mail.to.len() == 1));
        assert!(mails[1].header("In-Reply-To").is_some_and(|id| Some(id) == mails[0].header("Message-ID")));
    }
}

#[tokio::test]
async fn a_rollback_puts_the_previous_key_back_and_clients_return_without_a_new_configuration() {
    let scene = Scene::start().await;
    let world = scene.lab.world();
    let old = public(world.secrets(&scene.secret_name())[0].payload.as_ref().unwrap());
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.roll_back().await.unwrap();
    let after = world.secrets(&scene.secret_name());
    assert_eq!(after.len(), 1);
    assert_eq!(public(after[0].payload.as_ref().unwrap()), old);
    assert_eq!(world.server("acme").unwrap().public_key.to_string(), old);
    assert!(String::from_utf8(scene.object()).unwrap().contains(&old));
    assert_eq!(scene.status().phase, Phase::RollingBack);
    scene.everybody_returns().await;
    let kind = NoticeKind::AllClear;
    scene.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    let email = scene.status().clients[0].client.email.clone().unwrap();
    let last = world.mails_to(&email).pop().unwrap();
    let last = String::from_utf8_lossy(&last.raw).replace("\r\n", "\n");
    assert!(
        last.contains("The server works\nwith the key from before the maintenance.") && !last.contains("new key"),
        "{last}"
    );
    scene.finish("").await.unwrap();
    assert_eq!(scene.status().outcome, Some(Outcome::RolledBack), "never shown as rotated");
    assert!(world.secrets("").iter().all(|secret| !secret.name.starts_with("changeguard-")));
}

#[tokio::test]
async fn after_a_suspected_compromise_the_way_back_is_a_fresh_key() {
    let scene = Scene::start().await;
    let key = || public(scene.lab.world().secrets(&scene.secret_name())[0].payload.as_ref().unwrap());
    let first = key();
    scene.confirmed_for(Cause::Compromise).await;
    scene.rotate().await.unwrap();
    let second = key();
    scene.roll_back().await.unwrap();
    let third = key();
    assert!(first != second && second != third && third != first);
}

#[tokio::test]
async fn the_gate_names_everybody_who_is_open_and_nothing_was_touched() {
    let scene = Scene::start().await;
    let window = Scene::open_window();
    scene.run(Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }).await.unwrap();
    let before = scene.lab.world().secrets("").len();
    let Err(RunError::Refused(Refusal::GateShut(reasons))) = scene.rotate().await else { panic!("not refused") };
    assert_eq!(reasons.iter().filter(|reason| reason.client().is_some()).count(), 3, "{reasons:?}");
    assert_eq!(scene.lab.world().secrets("").len(), before);
    assert!(!scene.acme().rotation().unwrap().touched);
}

#[tokio::test]
async fn a_client_who_appears_after_the_announcement_shuts_the_gate_again() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let object = String::from_utf8(scene.object()).unwrap();
    let eve = r#""users": [{"id": "u-eve", "name": "Eve", "email": "eve@acme.example", "pubkey": "x"}, "#;
    let with_eve = object.replacen("\"users\": [", eve, 1).replacen("\"users\":[", eve, 1);
    assert_ne!(object, with_eve, "{object}");
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, "config/vpn-users.json", with_eve.as_bytes());
    let Err(RunError::Refused(refusal)) = scene.rotate().await else { panic!("not refused") };
    assert!(refusal.to_string().contains("Eve"), "{refusal}");
}

#[tokio::test]
async fn cancelling_tells_those_who_were_told_and_changes_nothing() {
    let scene = Scene::start().await;
    let before = scene.lab.world().secrets(&scene.secret_name());
    scene.confirmed().await;
    let reason = "the change was called off".into();
    scene.run(Command::Cancel { confirm: "acme".into(), reason }).await.unwrap();
    let mails = scene.lab.world().mails();
    let cancelled = |m: &&std::sync::Arc<changeguard::adapters::lab::Mail>| {
        m.header("X-Changeguard-Kind").as_deref() == Some("cancellation")
    };
    assert_eq!(mails.iter().filter(cancelled).count(), 3);
    assert_eq!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
    assert_eq!(scene.status().outcome, Some(Outcome::Cancelled));
}

#[tokio::test]
async fn a_server_that_does_not_follow_is_a_failure_after_two_cycles_and_resume_looks_again() {
    let scene =
        Scene::start_with(|config| config.wireguard.reconcile_interval = std::time::Duration::from_secs(1)).await;
    scene.confirmed().await;
    let pinned = scene.lab.world().secrets(&scene.secret_name())[0].id.clone();
    scene.run(Command::Check).await.unwrap();
    let world = scene.lab.world();
    // Pinned is found by the preflight, so the agent is only held back here.
    let faults = scene.lab.faults();
    let rule = changeguard::adapters::lab::Rule::new(
        changeguard::adapters::lab::Service::Barbican,
        changeguard::adapters::lab::Fault::Status(403),
    );
    let id = faults.add(rule.method("GET").always().for_agents());
    assert!(scene.rotate().await.is_err());
    let status = scene.status();
    assert_eq!(status.steps[5].state.word(), "FAILED", "{:?}", status.steps[5]);
    assert_eq!(status.next.action, changeguard::engine::next::Act::Resume);
    assert!(status.next.text.contains("keeps the key of before"), "{}", status.next.text);
    // It follows after all: what was said of it then is said no more.
    faults.remove(id);
    let target = scene.acme().rotation().unwrap().target();
    let target = target.unwrap().to_string();
    let patience = std::time::Duration::from_secs(30);
    assert!(world.until(patience, |world| world.server("acme").unwrap().public_key == target).await);
    scene.acme().look().await;
    let next = scene.status().next;
    assert!(next.text.starts_with("step 6 failed, and the interface shows the key by now: resume"), "{}", next.text);
    assert!(!scene.status().attention.iter().any(|item| item.starts_with("the server has not")));
    let told = |item: &String| item == "step 6 had failed, and the interface shows the key by now";
    assert!(scene.status().attention.iter().any(told), "{:?}", scene.status().attention);
    scene.run(Command::Resume).await.unwrap();
    assert!(scene.acme().rotation().unwrap().step(StepNumber::RECONCILE).is_done());
    assert_ne!(world.secrets(&scene.secret_name())[0].id, pinned);
}

#[tokio::test]
async fn an_agent_that_is_pinned_or_has_a_key_of_its_own_is_refused_with_the_reason() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let id = scene.lab.world().secrets(&scene.secret_name())[0].id.clone();
    for mode in [changeguard::adapters::lab::AgentMode::Pinned(id), changeguard::adapters::lab::AgentMode::Legacy] {
        scene.lab.world().set_agent_mode("acme", mode);
        let Err(RunError::Refused(refusal)) = scene.rotate().await else { panic!("not refused") };
        assert!(refusal.to_string().contains("agent"), "{refusal}");
        assert!(!scene.acme().rotation().unwrap().touched);
    }
}

#[tokio::test]
async fn two_secrets_of_the_name_are_shown_and_replaced_by_one() {
    let scene = Scene::start().await;
    let live = scene.lab.world().secrets(&scene.secret_name()).remove(0);
    scene.lab.world().add_secret(&scene.secret_name(), "text/plain", Some(&live.payload.unwrap()));
    scene.acme().look().await;
    assert!(
        scene.status().attention.iter().any(|item| item.starts_with("2 secrets")),
        "{:?}",
        scene.status().attention
    );
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    assert_eq!(scene.lab.world().secrets(&scene.secret_name()).len(), 1);
    scene.acme().look().await;
    assert_eq!(scene.status().reconcile, Reconcile::InSync);
}

#[tokio::test]
async fn a_waived_client_opens_the_gate_and_need_not_return() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let window = Scene::another_window();
    scene.run(Command::Reschedule { window }).await.unwrap();
    scene.run(Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }).await.unwrap();
    let clients: Vec<ClientId> = scene.status().clients.into_iter().map(|view| view.client.id).collect();
    scene.everybody_confirms().await;
    scene.run(Command::Waive { client: clients[0].clone(), reason: "on leave".into() }).await.unwrap();
    scene.rotate().await.unwrap();
    scene.run(Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false }).await.unwrap();
    let people = scene.lab.world().tenant("acme").unwrap().people;
    for person in people.iter().filter(|person| person.id != clients[0].0) {
        scene.lab.world().reimport("acme", &person.id).await;
    }
    scene.run(Command::Verify).await.unwrap();
    scene.finish("").await.unwrap();
    assert_eq!(scene.status().outcome, Some(Outcome::Rotated));
}

#[tokio::test]
async fn a_second_secret_that_lands_late_is_shown_and_resume_removes_it() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let live = scene.lab.world().secrets(&scene.secret_name()).remove(0);
    scene.lab.world().add_secret(&scene.secret_name(), "text/plain", Some(&live.payload.unwrap()));
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.next.action, changeguard::engine::next::Act::Resume, "{:?}", status.next);
    assert!(status.attention[0].starts_with("2 secrets"), "{:?}", status.attention);
    scene.run(Command::Resume).await.unwrap();
    assert_eq!(scene.lab.world().secrets(&scene.secret_name()).len(), 1);
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, changeguard::engine::next::Act::Reconfigure);
}

#[tokio::test]
async fn an_object_that_the_platform_writes_back_is_shown_and_resume_puts_it_right() {
    let scene = Scene::start().await;
    let before = scene.object();
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, "config/vpn-users.json", &before);
    let told = scene.run(Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false }).await;
    assert!(told.is_err(), "nobody is told to download the wrong key");
    assert!(scene.lab.world().mails().iter().all(|m| m.header("X-Changeguard-Kind").as_deref() != Some("reconfigure")));
    scene.acme().look().await;
    assert!(scene.status().attention[0].contains("object"), "{:?}", scene.status().attention);
    scene.run(Command::Resume).await.unwrap();
    assert_ne!(scene.object(), before);
    scene.run(Command::Resume).await.unwrap();
    assert!(scene.acme().rotation().unwrap().step(StepNumber::RECONFIGURE).is_done());
}

#[tokio::test]
async fn tenants_are_discovered_by_their_object_and_reached_by_the_configured_name() {
    let scene = Scene::start_with(|config| {
        config.tenant.clear();
        config.tenants.discover = true;
        config.tenants.server = Some("vpn-{tenant_name}".into());
    })
    .await;
    let lab = scene.lab.world().tenants();
    assert_eq!(scene.fleet.conductors().len(), lab.len());
    let expected = &lab.iter().find(|tenant| tenant.name == "acme").unwrap().server;
    assert_eq!(scene.acme().tenant().server.as_ref(), Some(expected));
    scene.acme().look().await;
    assert_eq!(scene.status().reconcile, Reconcile::InSync);
}
