//! Operators who answer to each other: take-over and its fence, approval, emergency and review, hand-over; on the embedded lab.

use crate::cli::Stage;
use crate::pty::PATIENCE;
use crate::scene::{Scene, as_person};
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::gate::Reason;
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::next::Act;
use changeguard::engine::record::{Cause, Outcome, Record};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::run::RunError;
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

async fn four_eyes() -> Scene {
    Scene::start_with(|config| config.approval.required = true).await
}

/// As [`Scene::confirmed`], by somebody whose login is proven: where these tests run nobody may have logged in.
async fn confirmed_by(conductor: &Conductor) {
    let (window, cause) = (Scene::open_window(), Cause::Scheduled);
    conductor.run(Command::Plan { window, cause, reference: "CHG-1".into() }).await.unwrap();
    let kind = NoticeKind::Announcement;
    conductor.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    for client in conductor.status().clients {
        let (client, answer, channel) = (client.client.id, Answer::Confirmed, Channel::Phone);
        conductor.run(Command::Answer { client, answer, channel, note: String::new() }).await.unwrap();
    }
}

async fn look(conductor: &Conductor) -> changeguard::engine::status::TenantStatus {
    conductor.look().await;
    conductor.status()
}

#[tokio::test]
async fn with_four_eyes_rotate_stays_shut_until_somebody_else_approves_this_plan() {
    let scene = four_eyes().await;
    let ada = as_person(&scene.wiring, scene.acme(), "ada");
    let bob = as_person(&scene.wiring, scene.acme(), "bob");
    confirmed_by(&ada).await;
    let rotate = || Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() };
    let refused = ada.run(rotate()).await.unwrap_err();
    assert!(
        matches!(&refused, RunError::Refused(Refusal::GateShut(reasons))
        if matches!(reasons[..], [Reason::NotApproved { .. }])),
        "{refused}"
    );
    assert_eq!(look(&ada).await.next.action, Act::Approve);
    let digest = look(&bob).await.plan_digest.unwrap();
    let own = ada.run(Command::Approve { digest: digest.clone(), note: String::new() }).await.unwrap_err();
    assert!(own.to_string().contains("another operator must approve"), "{own}");
    bob.run(Command::Approve { digest, note: "read it".into() }).await.unwrap();
    let by_himself = bob.run(rotate()).await;
    assert!(by_himself.unwrap_err().to_string().contains("approved it yourself"));
    assert_eq!(look(&ada).await.next.action, Act::Rotate);
    ada.run(rotate()).await.unwrap();
    let confirmed = ada.entries().into_iter().find_map(|entry| match entry.record {
        Record::RotateConfirmed { approved_by, .. } => approved_by,
        _ => None,
    });
    assert_eq!(confirmed.as_deref(), Some("bob"));
}

#[tokio::test]
async fn an_emergency_rotates_without_answers_and_stays_red_until_somebody_else_has_reviewed_it() {
    let scene = four_eyes().await;
    let before = scene.lab.world().key_secrets("acme");
    let ada = as_person(&scene.wiring, scene.acme(), "ada");
    let (confirm, reason) = ("acme".into(), "laptop stolen".into());
    ada.run(Command::Emergency { confirm, reason, through_tunnel: String::new() }).await.unwrap();
    assert_ne!(scene.lab.world().key_secrets("acme")[0].payload, before[0].payload);
    let people = scene.lab.world().tenant("acme").unwrap().people;
    for person in &people {
        let mails = scene.lab.world().mails_to(&person.email);
        let kinds: Vec<_> = mails.iter().filter_map(|mail| mail.header("X-Changeguard-Kind")).collect();
        let told = kinds == ["emergency", "reconfigure"];
        assert!(told, "{}: told before and called after: {kinds:?}", person.email);
    }
    scene.lab.world().reimport_all("acme").await;
    scene.run(Command::Verify).await.unwrap();
    scene.finish("").await.unwrap();
    let status = look(scene.acme()).await;
    assert_eq!((status.outcome, status.next.action), (Some(Outcome::Rotated), Act::Review));
    assert!(status.attention[0].contains("review open"), "{:?}", status.attention);
    let close = || Command::CloseReview { note: "the disk was encrypted".into() };
    assert!(ada.run(close()).await.unwrap_err().to_string().contains("another operator"));
    let (window, cause) = (Scene::open_window(), Cause::Scheduled);
    let plan = scene.run(Command::Plan { window, cause, reference: String::new() }).await.unwrap_err();
    assert!(plan.to_string().contains("review"), "{plan}");
    as_person(&scene.wiring, scene.acme(), "bob").run(close()).await.unwrap();
    assert!(look(scene.acme()).await.review.is_none());
}

#[tokio::test]
async fn a_rotation_is_handed_over_with_a_note_that_the_next_operator_reads_first() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.run(Command::HandOver { to: String::new(), note: "server is slow today".into() }).await.unwrap();
    let bob = as_person(&scene.wiring, scene.acme(), "bob");
    let status = look(&bob).await;
    assert_eq!(status.next.action, Act::Accept);
    assert!(status.next.text.contains("server is slow today"));
    let rotate = || Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() };
    assert!(bob.run(rotate()).await.unwrap_err().to_string().contains("server is slow today"));
    bob.run(Command::AcceptHandOver).await.unwrap();
    bob.run(rotate()).await.unwrap();
}

#[tokio::test]
async fn a_living_holder_is_overruled_only_by_force_with_name_and_reason_and_can_change_nothing_more() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let bob = as_person(&scene.wiring, scene.acme(), "bob");
    let force = |confirm: &str, reason: &str| Command::TakeOver { confirm: confirm.into(), reason: reason.into() };
    let free = bob.run(force("acme", "curious")).await.unwrap_err();
    assert!(free.to_string().contains("nobody else holds"), "{free}");
    // The first Barbican request of the swap takes long: until then nothing was changed.
    let slow = Rule::new(Service::Barbican, Fault::Delay(Duration::from_millis(600)))
        .path("secrets?limit=1")
        .which(Which::From(2));
    let slow = scene.lab.faults().add(slow);
    let acme = scene.acme().clone();
    let rotating = tokio::spawn(async move {
        acme.run(Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() }).await
    });
    assert!(scene.lab.world().until(PATIENCE, |_| scene.lab.faults().fired(slow) > 0).await);
    let held = bob.run(Command::Resume).await.unwrap_err();
    assert!(matches!(held, RunError::Refused(Refusal::Held(_))), "{held}");
    assert!(bob.run(force("acne", "x")).await.is_err() && bob.run(force("acme", " ")).await.is_err());
    bob.run(force("acme", "ada is unreachable")).await.unwrap();
    let (deletes, posts) =
        (scene.lab.world().count(Service::Barbican, "DELETE"), scene.lab.world().count(Service::Barbican, "POST"));
    let lost = rotating.await.unwrap().unwrap_err();
    assert!(lost.to_string().contains("not ours"), "{lost}");
    assert_eq!(scene.lab.world().count(Service::Barbican, "DELETE"), deletes);
    assert_eq!(scene.lab.world().count(Service::Barbican, "POST"), posts);
    scene.lab.faults().clear();
    bob.run(Command::Resume).await.unwrap();
    let taken = bob.entries().into_iter().find_map(|entry| match entry.record {
        Record::TakenOver { from, reason, forced } => Some((from.pid, reason, forced)),
        _ => None,
    });
    assert_eq!(taken, Some((std::process::id(), "ada is unreachable".to_owned(), true)));
    assert_eq!(scene.lab.world().key_secrets("acme").len(), 1);
    let log = scene.world().store.lease_log(&scene.acme().tenant().id).await.unwrap();
    let lost = log.iter().any(|entry| matches!(&entry.record, Record::LeaseLost { doing, .. } if doing == "rotate"));
    assert!(lost, "the other side of the take-over: {log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_that_wakes_after_a_take_over_changes_nothing_outside() {
    let stage = Stage::start(Duration::from_millis(300)).await;
    stage.confirmed().await;
    let before = stage.live();
    let slow = Rule::new(Service::Barbican, Fault::Delay(Duration::from_millis(200)))
        .path("secrets?limit=1")
        .which(Which::From(2));
    let slow = stage.lab.faults().add(slow);
    let mut child = stage.command("rotate acme --confirm acme", &[]).spawn().unwrap();
    assert!(stage.lab.world().until(PATIENCE, |_| stage.lab.faults().fired(slow) > 0).await);
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    stage.lab.faults().clear();
    let held = stage.run("resume acme", &[]).await;
    assert_eq!(held.code, 4, "{}", held.err);
    stage.run("takeover acme --confirm acme --reason", &["its terminal is gone"]).await.ends(0);
    stage.run("resume acme", &[]).await.ends(0);
    assert!(stage.lab.world().until(PATIENCE, |world| world.in_flight() == 0).await);
    let (live, object) = (stage.live(), stage.object());
    let report = stage.run("report acme", &[]).await.out;
    assert!(live.len() == 1 && live != before && object.contains(&live[0]), "{live:?} {before:?} {object}\n{report}");
    let changing = || {
        ["POST", "PUT", "DELETE"]
            .map(|method| [Service::Barbican, Service::Swift].map(|service| stage.lab.world().count(service, method)))
    };
    let counted = changing();
    kill_process(pid, Signal::CONT).unwrap();
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(changing(), counted, "not one request that changes something");
    assert_eq!((stage.live(), stage.object()), (live, object));
}
