//! What is offered next can be done, and who is listed is who is meant.

use crate::scene::Scene;
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::app::panel::open_word;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::{StepNumber, StepState};
use changeguard::engine::command::Command;
use changeguard::engine::next::Act;
use changeguard::engine::observe::Sights;
use changeguard::engine::record::{Cause, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::status::{self, Phase, Viewer};
use jiff::{SignedDuration, Timestamp};

fn plan() -> Command {
    Command::Plan { window: Scene::open_window(), cause: Cause::Scheduled, reference: String::new() }
}

/// What is offered of a journal at a moment, where nothing of it runs and nothing can be looked at.
fn offered(scene: &Scene, rotation: &Rotation, now: Timestamp) -> (Act, String) {
    let (settings, sights) = (scene.world().settings, Sights::default());
    let viewer = Viewer { person: "ops", now };
    let titles = [""; 8];
    let shown = status::derive(&rotation.tenant, Some(rotation), &[], &sights, &settings, &titles, viewer);
    (shown.next.action, shown.next.text)
}

/// Killed at each record before the key was touched; then the window is over.
#[tokio::test]
async fn once_the_window_is_over_nothing_is_offered_that_it_refuses_wherever_the_program_died() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let touching = entries.iter().position(|entry| matches!(entry.record, Record::Touching { .. })).unwrap();
    let confirmed = entries.iter().position(|entry| matches!(entry.record, Record::RotateConfirmed { .. })).unwrap();
    let (mut walked, mut in_the_middle) = (0, 0);
    for end in confirmed + 1..=touching {
        let mut rotation = Rotation::fold(&entries[..end]).unwrap();
        rotation.interrupt();
        let run = [StepNumber::STAGE, StepNumber::SECRET];
        in_the_middle +=
            usize::from(run.into_iter().any(|step| matches!(rotation.step(step), StepState::Interrupted { .. })));
        let after = rotation.window.end + SignedDuration::from_secs(1);
        let (action, text) = offered(&scene, &rotation, after);
        assert_eq!(action, Act::Reschedule, "record {end}: {text}");
        walked += 1;
    }
    println!("{walked} ends, {in_the_middle} in the middle of a step");
    assert!(in_the_middle > 4, "{in_the_middle}");
    // And what is offered is possible.
    let mut killed = Rotation::fold(&entries[..touching]).unwrap();
    killed.interrupt();
    let window = Scene::another_window();
    let window = changeguard::domain::window::Window { revision: killed.window.revision + 1, ..window };
    let last = &entries[touching - 1];
    let changed = changeguard::engine::record::Entry {
        seq: last.seq + 1,
        record: Record::Rescheduled { window },
        ..last.clone()
    };
    killed.check(&changed).unwrap();
    killed.apply(&changed);
    assert!(!matches!(killed.step(StepNumber::STAGE), StepState::Interrupted { .. }));
}

#[tokio::test]
async fn an_approval_is_offered_only_when_it_is_known_what_it_is_bound_to() {
    let scene = Scene::start_with(|config| config.approval.required = true).await;
    scene.confirmed().await;
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Check);
    // A check that could see no key: an approval would be refused.
    let broken = [
        scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(500)).which(Which::Always)),
        scene.lab.faults().add(Rule::new(Service::Shell, Fault::Status(255)).always()),
    ];
    let _ = scene.run(Command::Check).await;
    broken.into_iter().for_each(|id| scene.lab.faults().remove(id));
    scene.acme().look().await;
    let status = scene.status();
    assert!(status.preflight.is_some() && status.plan_digest.is_none());
    assert_eq!(status.next.action, Act::Check, "{}", status.next.text);
    scene.run(Command::Check).await.unwrap();
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Approve);
}

#[tokio::test]
async fn on_the_way_back_it_is_said_which_key_is_live() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    assert_eq!(scene.status().next.text, "the key is live: tell the clients to reconfigure");
    scene.roll_back().await.unwrap();
    let status = scene.status();
    assert_eq!(status.phase, Phase::RollingBack);
    assert!(status.next.text.starts_with("the previous key is live on the way back"), "{}", status.next.text);
}

#[tokio::test]
async fn a_gate_that_an_emergency_goes_through_is_called_overridden_and_not_open() {
    let scene = Scene::start().await;
    scene.run(plan()).await.unwrap();
    let emergency =
        Command::Emergency { confirm: "acme".into(), reason: "laptop stolen".into(), through_tunnel: String::new() };
    // The check fails: the emergency waits before the key is touched.
    let id = scene.lab.faults().add(Rule::new(Service::Shell, Fault::Status(255)).always());
    scene.run(emergency).await.unwrap_err();
    scene.lab.faults().remove(id);
    scene.run(Command::Check).await.unwrap();
    scene.acme().look().await;
    let status = scene.status();
    assert!(status.gate.is_open(), "{:?}", status.gate);
    assert_eq!(open_word(&status), "OVERRIDDEN, 3 of 3 had not agreed");
}

/// With one more user in the object, or one less.
fn change_users(scene: &Scene, change: impl FnOnce(&mut Vec<serde_json::Value>)) {
    let mut object: serde_json::Value = serde_json::from_slice(&scene.object()).unwrap();
    change(object["users"].as_array_mut().unwrap());
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, "config/vpn-users.json", object.to_string().as_bytes());
}

#[tokio::test]
async fn who_appears_while_a_list_is_told_is_named_and_not_mailed() {
    let scene = Scene::start().await;
    scene.run(plan()).await.unwrap();
    let listed: Vec<_> = scene.status().clients.iter().map(|view| view.client.id.clone()).collect();
    change_users(&scene, |users| {
        users.push(serde_json::json!({"id": "u-new", "name": "New Person", "email": "new@acme.example"}));
    });
    let announce = |only| Command::Notify { kind: NoticeKind::Announcement, only, again: false };
    let done = scene.run(announce(Some(listed))).await.unwrap();
    assert!(done.starts_with("3 accepted by the mail server; not told, for they have only just appeared: "), "{done}");
    assert!(scene.lab.world().mails_to("new@acme.example").is_empty());
    scene.acme().look().await;
    let status = scene.status();
    assert!(status.steps[StepNumber::ANNOUNCE.index()].detail.contains("of 4 confirmed"));
    assert_eq!((status.next.action, status.next.text.as_str()), (Act::Announce, "tell 1 client of the window"));
    scene.run(announce(None)).await.unwrap();
    assert_eq!(scene.lab.world().mails_to("new@acme.example").len(), 1);
}

#[tokio::test]
async fn a_list_that_can_not_be_told_leaves_a_failed_step_and_is_told_later() {
    let scene = Scene::start().await;
    scene.run(plan()).await.unwrap();
    let listed: Vec<_> = scene.status().clients.iter().map(|view| view.client.id.clone()).collect();
    let announce = || Command::Notify { kind: NoticeKind::Announcement, only: Some(listed.clone()), again: false };
    scene.lab.world().set_down(Service::Smtp, true);
    scene.run(announce()).await.unwrap_err();
    let rotation = scene.acme().rotation().unwrap();
    assert!(matches!(rotation.step(StepNumber::ANNOUNCE), StepState::Failed { .. }));
    scene.lab.world().set_down(Service::Smtp, false);
    scene.run(announce()).await.unwrap();
    assert!(scene.acme().rotation().unwrap().step(StepNumber::ANNOUNCE).is_done());
}

/// The object alone tells whose peer it is.
#[tokio::test]
async fn who_is_gone_from_the_object_and_known_to_the_console_still_stands_in_the_list_once() {
    let scene = Scene::with_console().await;
    scene.confirmed().await;
    let before = scene.status().clients;
    change_users(&scene, |users| _ = users.remove(0));
    scene.acme().look().await;
    let now = scene.status().clients;
    let ids = |views: &[status::ClientView]| {
        let mut ids: Vec<String> = views.iter().map(|view| view.client.id.0.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&now), ids(&before));
    let key = |views: &[status::ClientView]| {
        views.iter().find(|view| view.client.id == before[0].client.id).map(|view| view.client.public_key)
    };
    assert_eq!(key(&now), key(&before), "whose peer it is stays known");
}
