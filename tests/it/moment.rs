//! The moment of step 4: right behind a look of the server's agent, where its log shows them. Counted by what falls into the gap;
//! and what a wait for it must not do.

use crate::bastion::{Bastion, PATIENCE};
use crate::scene::{Scene, Silent};
use changeguard::adapters::lab::{Fault, Lab, LabOptions, LabWorld, Rule, Service, Which};
use changeguard::config;
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::{StepNumber, StepState};
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::record::{Cause, Record};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::run::RunError;
use changeguard::runtime::wiring::Wiring;
use std::sync::Arc;
use std::time::Duration;

/// The servers' cycle, and a gap that is a third of it.
const CYCLE: Duration = Duration::from_secs(6);
const GAP: Duration = Duration::from_secs(2);
/// Their looks are spread over the cycle.
const TENANTS: usize = 6;

async fn confirmed(conductor: &Conductor) {
    let (window, cause, reference) = (Scene::open_window(), Cause::Scheduled, String::new());
    conductor.run(Command::Plan { window, cause, reference }).await.unwrap();
    let kind = NoticeKind::Announcement;
    conductor.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    for client in conductor.status().clients {
        let (client, answer, channel) = (client.client.id, Answer::Confirmed, Channel::Phone);
        conductor.run(Command::Answer { client, answer, channel, note: String::new() }).await.unwrap();
    }
}

fn rotate(conductor: &Conductor) -> Command {
    Command::Rotate { confirm: conductor.tenant().name.clone(), through_tunnel: String::new() }
}

fn evidence(conductor: &Conductor) -> String {
    let rotation = conductor.rotation().unwrap();
    let StepState::Done { evidence, .. } = rotation.step(StepNumber::SECRET) else { panic!("{rotation:?}") };
    evidence.clone()
}

/// Rotates all tenants at once while their agents look; gives how many looks have found no secret, and what each step 4 says.
async fn rotations(agent_log: bool) -> (u64, Vec<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        tenants: TENANTS,
        clients: 1,
        reconcile_interval: CYCLE,
        agent_log,
        ..LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard"))
    };
    let lab = Lab::start(options).await.unwrap();
    let has_looked = |world: &LabWorld| {
        let names = world.tenants().into_iter().map(|tenant| tenant.name);
        names.into_iter().all(|name| world.server(&name).is_some_and(|server| server.looks > 0))
    };
    assert!(lab.world().until(PATIENCE, |world| has_looked(world)).await);
    let wiring = Wiring::open(config::load(Some(lab.config_path()), &|_| None).unwrap()).await.unwrap();
    let fleet = wiring.fleet(wiring.tenants().await.0, Arc::new(Silent)).unwrap();
    let conductors = fleet.conductors();
    for conductor in conductors {
        confirmed(conductor).await;
    }
    // What is stored under a live name takes its time, and so does the gap.
    let stores = Rule::new(Service::Barbican, Fault::Delay(GAP)).method("POST").path("/v1/secrets");
    lab.faults().add(stores.which(Which::Always));
    futures_util::future::join_all(conductors.iter().map(|conductor| async move {
        conductor.run(rotate(conductor)).await.unwrap();
    }))
    .await;
    let errors = conductors.iter().map(|c| lab.world().server(&c.tenant().name).unwrap().fetch_errors).sum();
    (errors, conductors.iter().map(|conductor| evidence(conductor)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_look_of_a_server_falls_into_the_gap_where_its_looks_can_be_seen() {
    let ((seen, chosen), (unseen, not_chosen)) = tokio::join!(rotations(true), rotations(false));
    assert_eq!(seen, 0, "{chosen:?}");
    assert!(chosen.iter().all(|evidence| evidence.contains("behind")), "{chosen:?}");
    assert!(unseen > 0, "the gap is long enough that some would: {not_chosen:?}");
    assert!(not_chosen.iter().all(|evidence| !evidence.contains("moment")), "said in step 2: {not_chosen:?}");
}

/// A log with one look, so many seconds ago.
fn looked_ago(seconds: i64) -> String {
    format!("echo {} agent: Configuration in sync", jiff::Timestamp::now().as_second() - seconds)
}

async fn scene_with(log: String, cycle: u64) -> Scene {
    Scene::start_with(|config| {
        config.server.agent_log = Some(log);
        config.wireguard.reconcile_interval = Duration::from_secs(cycle);
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_shuts_while_the_moment_is_waited_for_is_shut() {
    let scene = scene_with(looked_ago(26), 30).await;
    scene.confirmed().await;
    let live = || scene.lab.world().key_secrets("acme").into_iter().map(|secret| secret.id).collect::<Vec<_>>();
    let before = live();
    let started = |conductor: &Conductor| {
        let starts = |entry: &changeguard::engine::record::Entry| {
            matches!(entry.record, Record::StepStarted { step: StepNumber::SECRET })
        };
        conductor.entries().iter().any(starts)
    };
    let (acme, container) = (scene.acme().clone(), scene.acme().tenant().id.to_string());
    let rotating = tokio::spawn(async move {
        acme.run(Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() }).await
    });
    let acme = scene.acme().clone();
    assert!(scene.lab.world().until(PATIENCE, |_| started(&acme)).await);
    // The portal adds somebody in that time.
    let mut object: serde_json::Value = serde_json::from_slice(&scene.object()).unwrap();
    let mut newcomer = object["users"][0].clone();
    (newcomer["id"], newcomer["email"]) = ("u-new".into(), "new@acme.example".into());
    object["users"].as_array_mut().unwrap().push(newcomer);
    let text = serde_json::to_vec(&object).unwrap();
    scene.lab.world().put_object(&container, "config/vpn-users.json", &text);
    let refused = rotating.await.unwrap().unwrap_err();
    assert!(matches!(refused, RunError::Refused(Refusal::GateShut(_))), "{refused}");
    assert_eq!(live(), before);
    assert!(!scene.acme().rotation().unwrap().touched);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_and_a_look_behind_the_windows_end_are_not_waited_for() {
    // The next look is due in half an hour.
    let scene = scene_with(looked_ago(1_800), 3_600).await;
    let (confirm, reason) = ("acme".to_owned(), "a laptop was stolen".to_owned());
    let emergency = Command::Emergency { confirm, reason, through_tunnel: String::new() };
    let step_4 = async |scene: &Scene, command: Command| {
        let acme = scene.acme().clone();
        let running = tokio::spawn(async move { acme.run(command).await });
        let acme = scene.acme().clone();
        let is_done =
            |_: &LabWorld| acme.rotation().is_some_and(|rotation| rotation.step(StepNumber::SECRET).is_done());
        assert!(scene.lab.world().until(PATIENCE, is_done).await);
        running.abort();
        evidence(&acme)
    };
    let said = step_4(&scene, emergency).await;
    assert!(!said.contains("look"), "{said}");
    let scene = scene_with(looked_ago(3_000), 7_200).await;
    scene.confirmed().await;
    let window = scene.acme().rotation().unwrap().window.clone();
    assert!(window.end.duration_since(jiff::Timestamp::now()).as_secs() < 4_200, "it ends before the look");
    let said = step_4(&scene, rotate(scene.acme())).await;
    assert!(said.contains("when the window ends"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_the_moment_ends_with_the_program_and_leaves_nothing_half_done() {
    let bastion = Bastion::start(1, 2, Duration::from_secs(3600)).await;
    let log = format!("agent_log = \"{}\"\nagent_check =", looked_ago(1_800));
    bastion.configure("agent_check =", &log);
    let before = bastion.live("acme");
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --length 3h --start", &[&start]).await.ends(0);
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    for person in bastion.lab.world().tenant("acme").unwrap().people {
        bastion.run("ack acme --by phone", &[&person.id]).await.ends(0);
    }
    let checked = bastion.run("check acme", &[]).await;
    assert!(checked.out.contains("step 4 begins right behind one of its looks"), "{}", checked.out);
    let mut rotating = bastion.begin("rotate acme --confirm acme");
    rotating.says("right after the server's next look").await;
    rotating.signal("TERM");
    rotating.ends().await;
    let status = bastion.status("acme").await;
    assert_eq!((bastion.live("acme"), &status["touched"]), (before, &false.into()));
    bastion.run("cancel acme --confirm acme --reason", &["another day"]).await.ends(0);
    let kept = bastion.lab.world().secrets("").into_iter().filter(|secret| secret.name.starts_with("changeguard-"));
    assert_eq!(kept.count(), 0, "nothing is left of it");
}
