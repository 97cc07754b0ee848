//! What is true of the live secret is said first, whatever fails: an oracle compares everything that is told with the lab's
//! world, behind every call to Barbican that can fail, behind the attempt after it that fails too, and behind a command that
//! has nothing to do with it.

use crate::bastion::{Bastion, CYCLE};
use crate::offered::public;
use crate::sample;
use crate::scene::{Scene, Silent};
use async_trait::async_trait;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::StepNumber;
use changeguard::engine::command::Command;
use changeguard::engine::journal::Holder;
use changeguard::engine::next::Act;
use changeguard::engine::ports::{Clock, SwapOrder};
use changeguard::engine::record::{Actor, Cause};
use changeguard::engine::status::TenantStatus;
use changeguard::engine::truth::Live;
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::run::RunError;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// So many points of each leg are walked in `cargo test`.
const MOST: usize = 6;
/// More resumes than this lead nowhere.
const RESUMES: usize = 6;

/// Pauses pass quickly.
struct QuickClock;

#[async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / 20).await;
    }
}

struct Stage {
    scene: Scene,
    conductor: Conductor,
}

#[derive(Clone, Copy, Debug)]
enum Leg {
    Forward,
    Back,
}

/// How long it goes wrong.
#[derive(Clone, Copy, Debug)]
enum How {
    /// That one call.
    Once,
    /// It and every later call.
    All,
    /// It and every later one of its method: a look still sees.
    Method,
}

/// What must not be told of a world without a secret.
const UNTRUE: [&str; 6] =
    ["nothing was changed", "nothing was deleted", "not touched", "as it was", "one secret", "secret now holds"];

impl Stage {
    async fn start(order: SwapOrder) -> Self {
        let scene = Scene::start().await;
        let (wiring, tenant) = (&scene.wiring, scene.acme().tenant().clone());
        let fence = Arc::new(LeaseFence::new(wiring.store().clone()));
        let mut world = wiring.world(tenant, fence.clone()).unwrap();
        (world.clock, world.settings.swap) = (Arc::new(QuickClock), order);
        let instance = changeguard::adapters::system::instance().unwrap();
        let me = Holder::new("ops".into(), "here".into(), std::process::id(), Timestamp::now(), instance);
        let actor = Actor {
            by: "ops".into(),
            host: "here".into(),
            person: "ops".into(),
            ssh: None,
            unproven: None,
            environment: None,
        };
        let conductor = Conductor::new(world, wiring.runbook().clone(), me, actor, fence, Arc::new(Silent));
        let (window, cause) = (Scene::open_window(), Cause::Scheduled);
        conductor.run(Command::Plan { window, cause, reference: String::new() }).await.unwrap();
        let kind = NoticeKind::Announcement;
        conductor.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
        for client in conductor.status().clients {
            let (client, answer, channel) = (client.client.id, Answer::Confirmed, Channel::Phone);
            conductor.run(Command::Answer { client, answer, channel, note: String::new() }).await.unwrap();
        }
        Self { scene, conductor }
    }

    async fn goes(&self, leg: Leg) -> Result<String, RunError> {
        let (confirm, through_tunnel) = ("acme".to_owned(), String::new());
        let command = match leg {
            Leg::Forward => Command::Rotate { confirm, through_tunnel },
            Leg::Back => Command::RollBack { confirm, reason: "it does not work".into(), through_tunnel },
        };
        self.conductor.run(command).await
    }

    fn live(&self) -> Vec<Option<String>> {
        let secrets = self.scene.lab.world().key_secrets("acme");
        secrets.into_iter().map(|secret| secret.payload.as_deref().map(public)).collect()
    }

    /// Whatever is told is so in the lab, and what matters most comes first.
    fn check(&self, what: &str, ended: Option<&Result<String, RunError>>) {
        let (is_missing, status) = (self.live().is_empty(), self.conductor.status());
        let mut told = vec![status.next.text.clone()];
        told.extend(status.attention.iter().cloned());
        match ended {
            Some(Err(error)) => told.push(format!("{error}: {}", error.advice())),
            Some(Ok(text)) => told.push(text.clone()),
            None => {}
        }
        match &status.truth {
            Some(truth) => {
                assert!(truth.live != Live::Missing || is_missing, "{what}: {truth}, and it is there");
                assert_eq!(status.attention.first(), Some(&truth.to_string()), "{what}");
                assert!(status.next.text.starts_with(&truth.lead), "{what}: {}", status.next.text);
                assert_eq!(status.next.action, Act::Resume, "{what}: {}", status.next.text);
                assert!(truth.lead.contains("do not restart"), "{what}: {truth}");
                let json = serde_json::to_value(&status).unwrap();
                assert_eq!(json["truth"]["lead"], truth.lead, "{what}");
            }
            None => {
                assert!(!is_missing, "{what}: it is missing, and nobody says so: {told:#?}");
                let said = told.iter().find(|text| text.contains("SECRET MISSING"));
                assert_eq!(said, None, "{what}: it is there");
            }
        }
        for text in told.iter().filter(|_| is_missing) {
            let untrue = UNTRUE.iter().find(|word| text.contains(**word));
            assert_eq!(untrue, None, "{what}: {text}, and no secret exists");
        }
    }

    async fn note(&self, what: &str) {
        let noted = self.conductor.run(Command::Note { text: "called the customer".into() }).await;
        assert!(noted.is_ok(), "{what}: {noted:?}");
        self.check(&format!("{what}, noted"), Some(&noted));
    }

    fn status(&self) -> TenantStatus {
        self.conductor.status()
    }

    /// Only what is offered, until the key is live.
    async fn ends_well(&self, what: &str) {
        for _ in 0..RESUMES {
            let rotation = self.conductor.rotation().unwrap();
            let (action, target) = (self.status().next.action, rotation.target());
            if rotation.step(StepNumber::RECONCILE).is_done() && self.status().truth.is_none() {
                assert_eq!(self.live(), [target.map(|key| key.to_string())], "{what}");
                return;
            }
            let confirm = "acme".to_owned();
            let ended = match action {
                Act::Resume => self.conductor.run(Command::Resume).await,
                Act::Rotate => self.conductor.run(Command::Rotate { confirm, through_tunnel: String::new() }).await,
                Act::Check => self.conductor.run(Command::Check).await,
                other => panic!("{what}: {other:?} is offered: {}", self.status().next.text),
            };
            self.conductor.look().await;
            self.check(&format!("{what}, going on"), Some(&ended));
        }
        panic!("{what}: it leads nowhere: {:?}", self.status().next);
    }
}

const FAULTS: [Fault; 6] = [
    Fault::Status(403),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Close,
    Fault::LoseAnswer(Loss::Close),
    Fault::ResetMidBody,
];

/// The methods of the calls to Barbican that a leg makes, in their order.
async fn calls(leg: Leg, order: SwapOrder) -> Vec<String> {
    let stage = Stage::start(order).await;
    if let Leg::Back = leg {
        stage.goes(Leg::Forward).await.unwrap();
    }
    let faults = stage.scene.lab.faults();
    let before = faults.requests(Service::Barbican).len();
    stage.goes(leg).await.unwrap();
    let requests = faults.requests(Service::Barbican);
    requests[before..].iter().filter(|request| !request.agent).map(|request| request.method.clone()).collect()
}

async fn walk(leg: Leg, order: SwapOrder) {
    let methods = calls(leg, order).await;
    let mut points = Vec::new();
    for (nth, method) in methods.iter().enumerate() {
        for fault in FAULTS {
            points.extend([How::Once, How::All, How::Method].map(|how| (nth as u64 + 1, method.clone(), fault, how)));
        }
    }
    // The two requests of the pair are what this is about: they are never left to chance.
    let pair = points.iter().filter(|(_, method, fault, how)| {
        *fault == Fault::Status(403)
            && matches!(how, How::All | How::Method)
            && matches!(method.as_str(), "POST" | "DELETE")
    });
    let mut chosen: Vec<_> = pair.cloned().collect();
    chosen.extend(sample::chosen(&format!("{leg:?} {order:?} truth"), points, MOST));
    let (mut missing, walked) = (0, chosen.len());
    for (nth, method, fault, how) in chosen {
        let what = format!("{leg:?} {order:?} {method} {nth} {fault:?} {how:?}");
        let stage = Stage::start(order).await;
        if let Leg::Back = leg {
            stage.goes(Leg::Forward).await.unwrap();
        }
        let faults = stage.scene.lab.faults();
        let of_method = methods[..nth as usize].iter().filter(|before| **before == method).count() as u64;
        let rule = Rule::new(Service::Barbican, fault);
        faults.add(match how {
            How::Once => rule.nth(nth),
            How::All => rule.which(Which::From(nth)),
            How::Method => rule.method(&method).which(Which::From(of_method)),
        });
        let ended = stage.goes(leg).await;
        stage.check(&what, Some(&ended));
        stage.conductor.look().await;
        stage.check(&format!("{what}, looked at"), Some(&ended));
        missing += usize::from(stage.live().is_empty());
        stage.note(&what).await;
        let again = stage.conductor.run(Command::Resume).await;
        stage.check(&format!("{what}, again"), Some(&again));
        stage.note(&format!("{what}, again")).await;
        faults.clear();
        stage.conductor.look().await;
        stage.check(&format!("{what}, healed"), None);
        stage.ends_well(&what).await;
    }
    println!("{leg:?} {order:?}: {walked} failing calls, {missing} of which left no secret; everything told was so");
    assert!(order == SwapOrder::StoreFirst || missing > 0, "the walk never met what it is about");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_a_rotation_that_fails_anywhere_is_so_and_the_truth_comes_first() {
    walk(Leg::Forward, SwapOrder::DeleteFirst).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_a_rollback_that_fails_anywhere_is_so_and_the_truth_comes_first() {
    walk(Leg::Back, SwapOrder::DeleteFirst).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_a_store_first_rotation_that_fails_anywhere_is_so() {
    walk(Leg::Forward, SwapOrder::StoreFirst).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_finds_no_secret_leads_before_anything_is_planned_and_until_one_is_seen() {
    let scene = Scene::start().await;
    let world = scene.lab.world();
    let secret = world.key_secrets("acme").remove(0);
    world.remove_secret(&secret.id);
    scene.acme().look().await;
    let status = scene.status();
    let truth = status.truth.clone().unwrap();
    assert_eq!((truth.live, truth.since), (Live::Missing, None), "{truth}");
    assert!(status.next.text.starts_with(&truth.lead) && status.attention[0] == truth.to_string(), "{status:#?}");
    world.add_secret(&scene.secret_name(), "text/plain", secret.payload.as_deref());
    scene.acme().look().await;
    assert_eq!(scene.status().truth, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subcommand_says_that_the_secret_is_missing_before_what_it_has_met_itself() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let faults = bastion.lab.faults();
    faults
        .add(Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets").which(Which::From(3)));
    let ran = bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    let place = |said: &str, text: &str| said.find(text).unwrap_or_else(|| panic!("{text:?} is not in {said}"));
    let leads = |said: &str| place(said, "acme: SECRET MISSING") < place(said, "acme: next: SECRET MISSING");
    assert!(
        leads(&ran.err) && place(&ran.err, "acme: SECRET MISSING") < place(&ran.err, "acme: Barbican"),
        "{}",
        ran.err
    );
    faults.add(Rule::new(Service::Barbican, Fault::Status(503)).always());
    let ran = bastion.run("resume acme", &[]).await.ends(1);
    assert!(leads(&ran.err) && !ran.err.contains("nothing was changed"), "{}", ran.err);
    for line in ["note acme", "rollback acme --confirm acme --reason"] {
        let ran = bastion.run(line, &["it does not work"]).await;
        assert!(ran.err.contains("acme: SECRET MISSING") && !ran.err.contains("not touched"), "{line}: {}", ran.err);
    }
    let ran = bastion.run("status acme --offline", &[]).await.ends(0);
    assert!(ran.out.lines().nth(1).unwrap().starts_with("SECRET MISSING"), "{}", ran.out);
    let ran = bastion.run("resume acme --json", &[]).await;
    assert_eq!(ran.json()["truth"]["live"], "missing");
    assert_eq!(ran.json()["status"]["truth"]["live"], "missing");
    faults.clear();
    bastion.run("resume acme", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    assert!(status["truth"].is_null(), "{status}");
}
