//! Several bastions, or containers, on one journal: what the one does shows at the other, and neither's clock, host name or
//! process id makes the one take what the other holds.

use crate::bastion::{Bastion, CYCLE, PATIENCE};
use crate::scene::{Scene, as_person};
use crate::store_suite::{living, me};
use async_trait::async_trait;
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::domain::tenant::Tenant;
use changeguard::domain::window::Window;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::journal::{Holder, Instance};
use changeguard::engine::ports::Clock;
use changeguard::engine::record::{Actor, Cause};
use changeguard::engine::sources::Source;
use changeguard::engine::status::{Phase, TenantStatus};
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::follow::Follower;
use changeguard::runtime::run::RunError;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const DAY: i64 = 24;

/// A clock that is so many hours wrong.
struct Wrong(i64);

#[async_trait]
impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(SignedDuration::from_hours(self.0)).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Whoever watches a screen: gets every status that is told.
struct Eye(UnboundedSender<TenantStatus>);

impl Watcher for Eye {
    fn changed(&self, conductor: &Conductor) {
        let _ = self.0.send(conductor.status());
    }

    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

fn eye() -> (Arc<Eye>, UnboundedReceiver<TenantStatus>) {
    let (sender, told) = unbounded_channel();
    (Arc::new(Eye(sender)), told)
}

/// Waits for a status of which this is true.
async fn shows(told: &mut UnboundedReceiver<TenantStatus>, what: impl Fn(&TenantStatus) -> bool) -> TenantStatus {
    let wanted = async {
        loop {
            let status = told.recv().await.expect("somebody tells");
            if what(&status) {
                return status;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wanted).await.expect("it never showed")
}

/// acme in the hands of bob on another machine, whose clock is so many hours wrong.
fn bob_with_a_wrong_clock(scene: &Scene, hours: i64) -> Conductor {
    let fence = Arc::new(LeaseFence::new(scene.wiring.store().clone()));
    let mut world = scene.wiring.world(scene.acme().tenant().clone(), fence.clone()).unwrap();
    world.clock = Arc::new(Wrong(hours));
    let (by, now) = ("bob".to_owned(), world.clock.now());
    let instance =
        Instance { id: "b".repeat(32), boot: "another kernel".into(), namespace: "pid:[2] ".into(), started: 1 };
    let me = Holder::new(by.clone(), "two".into(), 1, now, instance);
    let actor = Actor { by: by.clone(), host: "two".into(), person: by, ssh: None, unproven: None, environment: None };
    Conductor::new(world, scene.wiring.runbook().clone(), me, actor, fence, Arc::new(crate::scene::Silent))
}

fn window_in_days(days: i64) -> Window {
    let start = Timestamp::now().checked_add(SignedDuration::from_hours(days * DAY)).unwrap();
    let end = start.checked_add(SignedDuration::from_hours(1)).unwrap();
    Window { start, end, zone: "UTC".into(), revision: 1 }
}

fn plan(reference: &str) -> Command {
    Command::Plan { window: window_in_days(5), cause: Cause::Scheduled, reference: reference.into() }
}

fn cancel() -> Command {
    Command::Cancel { confirm: "acme".into(), reason: "another day".into() }
}

#[tokio::test]
async fn what_a_bastion_whose_clock_is_wrong_by_a_day_plans_is_seen_and_hides_nothing_of_the_others() {
    for hours in [DAY, -DAY] {
        let scene = Scene::start().await;
        let bob = bob_with_a_wrong_clock(&scene, hours);
        let (ada, mut told) = (scene.acme(), Vec::new());
        for (turn, (one, other)) in
            [(ada.as_ref(), &bob), (&bob, ada.as_ref()), (ada.as_ref(), &bob)].into_iter().enumerate()
        {
            let reference = format!("CHG-{turn}");
            one.run(plan(&reference)).await.unwrap();
            for seen in [one, other] {
                seen.reload().await.unwrap();
                let status = seen.status();
                assert_eq!(
                    (status.phase, status.reference.as_str()),
                    (Phase::Planned, reference.as_str()),
                    "{hours} h"
                );
            }
            // And the other can go on with it.
            other.run(cancel()).await.unwrap();
            ada.reload().await.unwrap();
            told.extend(ada.status().attention);
        }
        let told = told.join("; ");
        assert!(told.contains("differ by 86"), "the moments that people read are said to be doubtful: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_living_holder_is_respected_whatever_the_clocks_say_and_a_free_tenant_blocks_nobody() {
    let scene = Scene::start().await;
    let store = scene.wiring.store().clone();
    let tenant = scene.acme().tenant().id.clone();
    for hours in [0, DAY, -DAY, 4 * DAY] {
        let bob = bob_with_a_wrong_clock(&scene, hours);
        // Somebody on a third machine, whose clock is wrong the other way.
        let now = Wrong(-hours).now();
        let lease = store.acquire(&tenant, &Holder { since: now, heartbeat: now, ..me(7, 0) }).await.unwrap().unwrap();
        let holder = living(store.clone(), &lease);
        let refused = bob.run(Command::Note { text: "x".into() }).await.unwrap_err();
        assert!(matches!(refused, RunError::Refused(Refusal::Held(_))), "{hours} h: {refused}");
        assert!(store.holds(&lease).await.unwrap());
        holder.abort();
        store.release(&lease).await.unwrap();
        bob.run(plan("free again")).await.unwrap();
        bob.run(cancel()).await.unwrap();
    }
}

/// Whether new pid namespaces may be made here.
fn may_unshare() -> bool {
    let tried = std::process::Command::new("unshare").args(["--pid", "--fork", "true"]).output();
    let may = tried.is_ok_and(|tried| tried.status.success());
    if !may {
        println!(
            "not shown with real processes: this user may not make a pid namespace; `lookout` judges made-up ones"
        );
    }
    may
}

/// Two containers on one kernel: the same host name, and both are process 1. And one of them beside the bare machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_within_another_pid_namespace_a_living_lease_is_not_to_be_had() {
    if !may_unshare() {
        return;
    }
    for (held_inside, asked_inside) in [(true, true), (false, true), (true, false)] {
        let bastion = Bastion::start(1, 1, CYCLE).await;
        bastion.confirmed("acme").await;
        // The holder gives several signs of life while this one answer is awaited.
        let slow =
            Rule::new(Service::Barbican, Fault::Delay(Duration::from_secs(8))).method("GET").path("secrets?limit=1");
        let slow = bastion.lab.faults().add(slow.nth(2));
        let command = |line: &str, inside| if inside { bastion.contained(line) } else { bastion.command(line, &[]) };
        let rotating = bastion.spawn(command("rotate acme --confirm acme", held_inside));
        assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(slow) > 0).await);
        let met = bastion.holders().await;
        let ran = bastion.spawn(command("resume acme", asked_inside)).ends().await;
        assert_eq!(ran.code, Some(4), "{}", ran.err);
        assert_eq!(bastion.holders().await.first().map(|holder| holder.fence), Some(met[0].fence));
        rotating.ends().await.ends(0);
        let records = bastion.records("acme").await;
        assert!(records.iter().all(|entry| entry["record"]["record"] != "taken-over"), "{records:?}");
    }
}

/// The mail server takes its time over the first mails, and nobody has theirs yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_mail_is_on_its_way_or_waits_for_its_turn_is_queued_for_whoever_looks_on() {
    let bastion = Bastion::start(1, 40, CYCLE).await;
    let start = Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    let slow = bastion.lab.faults().add(Rule::new(Service::Smtp, Fault::Hang).method("DATA").which(Which::Always));
    let sending = bastion.begin("notify acme --kind announcement");
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(slow) > 0).await);
    let status = bastion.status("acme").await;
    let clients = status["clients"].as_array().unwrap();
    assert!(clients.iter().all(|client| client["standing"] == "queued"), "{clients:?}");
    let has = |text: &str| clients.iter().any(|client| client["standing_detail"].as_str().unwrap().contains(text));
    assert!(clients.len() == 40 && has("being sent") && has("its turn comes"), "{clients:?}");
    assert_ne!(status["gate"], "open");
    drop(sending);
}

#[tokio::test]
async fn what_somebody_else_writes_is_read_again_and_nothing_else_is() {
    let scene = Scene::start().await;
    let (watcher, mut told) = eye();
    let fleet = scene.wiring.fleet(scene.wiring.tenants().await.0, watcher).unwrap();
    let mut follower = Follower::new(&fleet);
    follower.step().await.unwrap();
    assert_eq!(follower.step().await.unwrap(), 0, "nothing has moved");
    assert!(told.try_recv().is_err(), "and nobody was told");
    as_person(&scene.wiring, scene.acme(), "bob").run(plan("CHG-1")).await.unwrap();
    assert_eq!(follower.step().await.unwrap(), 1, "only the tenant that has moved");
    let status = told.try_recv().unwrap();
    assert_eq!((status.tenant.name.as_str(), status.phase), ("acme", Phase::Planned));
    assert_eq!(follower.step().await.unwrap(), 0);
    assert!(told.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_of_another_process_and_its_death_show_in_the_fleet() {
    let bastion = Bastion::start(2, 1, Duration::from_secs(3600)).await;
    bastion.confirmed("acme").await;
    let config = changeguard::config::load(Some(bastion.config()), &|_| None).unwrap();
    let wiring = changeguard::runtime::wiring::Wiring::open(config).await.unwrap();
    let (watcher, mut told) = eye();
    let fleet = wiring.fleet(wiring.tenants().await.0, watcher).unwrap();
    let following = async {
        // Nobody looks at the world here: what shows comes from the journal.
        let announced = shows(&mut told, |status| status.phase == Phase::Announced).await;
        assert_eq!((announced.tenant.name.as_str(), announced.holder.is_none()), ("acme", true));
        let mut rotating = bastion.begin("rotate acme --confirm acme");
        let held = shows(&mut told, |status| status.phase == Phase::Rotating && status.holder.is_some()).await;
        assert_eq!(held.holder.unwrap().pid, rotating.pid);
        rotating.says("step 6").await;
        rotating.signal("KILL");
        rotating.ends().await;
        let dead = shows(&mut told, |status| status.holder.is_none() && status.phase == Phase::Rotating).await;
        let interrupted = dead.attention.iter().any(|item| item.contains("was interrupted"));
        assert!(interrupted && dead.next.text.contains("resume"), "{:?} {:?}", dead.attention, dead.next);
    };
    tokio::select! {
        () = Follower::new(&fleet).forever() => unreachable!("it ends by being dropped"),
        () = following => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_hangs_delays_no_others_fault_and_is_shown_before_its_own_time_is_up() {
    let scene = Scene::start_with(|config| config.cloud.read_timeout = Duration::from_secs(20)).await;
    let (watcher, mut told) = eye();
    let fleet = scene.wiring.fleet(scene.wiring.tenants().await.0, watcher).unwrap();
    let acme = fleet.find("acme").unwrap();
    assert!(acme.look().await.is_whole());
    let views = acme.status().sources;
    assert!(views.iter().all(|view| view.seen_at.is_some() && view.fault.is_none()), "{views:?}");
    let before = views.iter().find(|view| view.name == Source::Barbican).unwrap().seen_at;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Hang).always());
    scene.lab.faults().add(Rule::new(Service::Swift, Fault::Status(503)).always());
    scene.lab.faults().add(Rule::new(Service::Shell, Fault::Status(255)).always());
    let failed =
        |status: &TenantStatus, source| status.sources.iter().any(|view| view.name == source && view.fault.is_some());
    let looking = async {
        let sources = Source::ASKED.map(|source| acme.look_at(source, Duration::from_millis(300)));
        futures_util::future::join_all(sources).await;
    };
    let seen = async {
        let mut all = shows(&mut told, |status| failed(status, Source::Swift) && failed(status, Source::Server)).await;
        if !failed(&all, Source::Barbican) {
            all = shows(&mut told, |status| failed(status, Source::Barbican)).await;
        }
        let barbican = all.sources.iter().find(|view| view.name == Source::Barbican).unwrap();
        assert!(barbican.fault.as_ref().unwrap().contains("no answer for"), "before its own limit: {barbican:?}");
        assert_eq!(barbican.seen_at, before, "its value keeps the time at which it was true");
    };
    tokio::select! {
        () = looking => panic!("the look ended before the faults were told"),
        () = seen => {}
    }
    scene.lab.faults().clear();
    let looked = acme.look().await;
    assert!(looked.is_whole() && looked.to_string().contains("all answered"), "{looked}");
}

#[tokio::test]
async fn a_look_says_how_it_ended() {
    let scene = Scene::start().await;
    scene.lab.faults().add(Rule::new(Service::Swift, Fault::Status(503)).always());
    let looked = scene.acme().look().await.to_string();
    assert!(looked.starts_with("looked: no answer from swift; answered: barbican, server"), "{looked}");
}
