//! A cluster that a process on another host holds: it is taken over in the middle of the installation, and whoever lost it changes
//! nothing more, neither on a node nor in the journal.

use super::fernet_case::{begin, desk_at, is_clean, nothing_lost, world};
use super::fernet_rig::Rig;
use crate::keystone_cli::Site;
use crate::sample;
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::domain::step::StepState;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::status::{Status, StepView};
use changeguard::engine::journal::JournalStore;
use changeguard::engine::record::{Entry, Record};
use changeguard::engine::step::Progress;
use changeguard::runtime::case::{Desk, Onlooker, RunFault};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Stands still at the n-th thing that is told within step 5, until it is let go on.
struct Stands {
    at: u64,
    told: Mutex<u64>,
    stands: Notify,
    goes_on: Mutex<Option<Receiver<()>>>,
}

impl Stands {
    fn new(at: u64) -> (Arc<Self>, Sender<()>) {
        let (sender, receiver) = channel();
        let goes_on = Mutex::new(Some(receiver));
        (Arc::new(Self { at, told: Mutex::default(), stands: Notify::new(), goes_on }), sender)
    }

    fn told(&self, desk: &dyn Desk) {
        if !desk.status().steps.get(4).is_some_and(|step| matches!(step.state, StepState::Running { .. })) {
            return;
        }
        let mut told = self.told.lock().unwrap();
        *told += 1;
        if *told == self.at
            && let Some(goes_on) = self.goes_on.lock().unwrap().take()
        {
            self.stands.notify_one();
            tokio::task::block_in_place(|| _ = goes_on.recv());
        }
    }
}

impl Onlooker for Stands {
    fn changed(&self, desk: &dyn Desk) {
        self.told(desk);
    }
    fn progress(&self, desk: &dyn Desk, _: Progress) {
        self.told(desk);
    }
}

fn take(confirm: &str, reason: &str) -> Order {
    Order::TakeOver { confirm: confirm.into(), reason: reason.into() }
}

fn open(status: &Status) -> Vec<&str> {
    status.verbs.iter().filter(|verb| verb.shut.is_none()).map(|verb| verb.verb.as_str()).collect()
}

/// What lies on the nodes, and how much the journal holds.
async fn all(rig: &Rig, store: &Arc<dyn JournalStore>) -> (Vec<Vec<String>>, usize) {
    let of = |node: usize| rig.cluster().state().nodes[node].tokens.iter().map(|key| format!("{key:?}")).collect();
    let key = TenantId::of_subject("keystone/lab").unwrap();
    let mut records = 0;
    for head in store.heads(Some(&key)).await.unwrap() {
        records += store.load(&head.rotation).await.unwrap().len();
    }
    ((0..3).map(of).collect(), records)
}

/// Ada stands still at this place of step 5, bob takes the cluster, and she goes on. Gives how many places there were.
async fn taken_over_at(at: u64) -> u64 {
    let rig = Rig::new().await;
    let old = rig.token(0).await;
    let (stands, goes_on) = Stands::new(at);
    let ada = Arc::new(desk_at(&rig, world(&rig), stands.clone(), ("ada", "one")).await);
    let bob = desk_at(&rig, world(&rig), Stands::new(0).0, ("bob", "two")).await;
    let (desk, orders) = (ada.clone(), begin("rotate"));
    let rotating = tokio::spawn(async move { desk.run(orders).await });
    tokio::select! {
        () = stands.stands.notified() => {}
        ended = async { while !rotating.is_finished() { tokio::task::yield_now().await } } => {
            let () = ended;
            assert!(at == 0 && rotating.await.unwrap().is_ok(), "{at}");
            return *stands.told.lock().unwrap();
        }
    }
    bob.reload().await.unwrap();
    let status = bob.status();
    assert_eq!(open(&status), ["takeover"], "{:?}", status.verbs);
    assert!(status.holder.as_ref().is_some_and(|holder| holder.name == "ada"), "{:?}", status.holder);
    assert!(status.next.text.starts_with("wait, or talk to them: held by ada on one"), "{}", status.next.text);
    for (wrong, says) in [
        (take("x", "she is ill"), "type the name, lab"),
        (take("lab", " "), "say why"),
        (take("lab", "WHY"), "say why"),
    ] {
        let refused = bob.run(wrong).await.unwrap_err();
        assert!(matches!(refused, RunFault::Refused(_)) && refused.to_string().contains(says), "{refused}");
    }
    let said = bob.run(take("lab", "her host is cut off")).await.unwrap();
    assert_eq!(said, "keystone/lab is yours; resume looks before it acts", "{at}");
    let store = bob.store().clone();
    let before = all(&rig, &store).await;
    goes_on.send(()).unwrap();
    let lost = rotating.await.unwrap().unwrap_err();
    let (text, advice) = match &lost {
        RunFault::Fault(fault) => (fault.to_string(), fault.advice().to_owned()),
        other => panic!("{at}: {other}"),
    };
    assert!(text.contains("taken over by bob on two at ") && text.contains("her host is cut off"), "{at}: {text}");
    assert!(advice.starts_with("nothing more is changed from here"), "{at}: {advice}");
    assert_eq!(all(&rig, &store).await, before, "{at}: whoever lost it changes nothing more");
    // It is free again, and there is nothing to be taken.
    bob.reload().await.unwrap();
    let status = bob.status();
    assert!(!open(&status).contains(&"takeover") && open(&status).contains(&"resume"), "{:?}", status.verbs);
    let refused = bob.run(take("lab", "again")).await.unwrap_err().to_string();
    assert!(refused.contains("nobody else holds keystone/lab"), "{refused}");
    bob.run(Order::Resume).await.unwrap();
    nothing_lost(&rig, "rotated");
    bob.run(begin("purge")).await.unwrap();
    assert_eq!(bob.status().ended, Some("done"), "{at}");
    assert_eq!(super::fernet_rig::own(rig.port(2), &old).await, 200, "{at}: issued before");
    nothing_lost(&rig, "purged");
    let names = rig.names(0);
    is_clean(&rig, &names.iter().map(String::as_str).collect::<Vec<_>>(), "at the end");
    let taken: Vec<String> = bob.status().journal.into_iter().map(|line| line.text).collect();
    let taken: Vec<&String> = taken.iter().filter(|text| text.starts_with("taken over from ada on one")).collect();
    assert!(taken.len() == 1 && taken[0].ends_with("her host is cut off"), "{at}: {taken:?}");
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taken_over_anywhere_in_the_installation_the_first_changes_nothing_more_and_the_second_ends_well() {
    let places = taken_over_at(0).await;
    assert!(places > 6, "{places}");
    let chosen = sample::chosen("take-overs in step 5", (1..=places).collect(), 1);
    for at in chosen {
        taken_over_at(at).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_case_was_ever_opened_the_take_over_stands_in_the_lease_log() {
    let rig = Rig::new().await;
    let bob = desk_at(&rig, world(&rig), Stands::new(0).0, ("bob", "two")).await;
    let (store, key) = (bob.store().clone(), bob.key().clone());
    let ada = changeguard::engine::journal::Holder::new(
        "ada".into(),
        "one".into(),
        1,
        jiff::Timestamp::now(),
        changeguard::engine::journal::Instance { id: "ada".into(), boot: "one".into(), ..Default::default() },
    );
    let lease = store.acquire(&key, &ada).await.unwrap().unwrap();
    let said = bob.run(take("lab", "it hangs")).await.unwrap();
    assert_eq!(said, "keystone/lab is yours; look at the status");
    assert!(!store.holds(&lease).await.unwrap(), "her fence is shut");
    let log = store.lease_log(&key).await.unwrap();
    let is_it = |entry: &Entry| matches!(&entry.record, Record::TakenOver { from, reason, forced: true } if from.name == "ada" && reason == "it hangs");
    assert!(log.len() == 1 && is_it(&log[0]) && log[0].by == "bob", "{log:?}");
    bob.run(begin("rotate")).await.unwrap();
    nothing_lost(&rig, "rotated");
}

/// A real process that stands still, and the subcommand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_stopped_and_overruled_says_by_whom_when_it_wakes() {
    let site = Site::start().await;
    site.issue();
    site.run("takeover keystone/lab --confirm lab --reason night").await.ends(1);
    let mut rotating = site.0.begin("rotate keystone/lab --confirm lab");
    rotating.says("step 5").await;
    rotating.signal("STOP");
    let wrong = site.run("takeover keystone/lab --confirm acme --reason night").await.ends(2);
    assert!(wrong.err.contains("type the name, lab"), "{}", wrong.err);
    let taken = site.0.run("takeover keystone/lab --confirm lab --reason", &["its terminal is gone"]).await.ends(0);
    assert!(taken.out.contains("keystone/lab is yours"), "{}", taken.out);
    rotating.signal("CONT");
    let ran = rotating.ends().await.ends(1);
    assert!(ran.err.contains("taken over by ") && ran.err.contains("its terminal is gone"), "{}", ran.err);
    site.is_whole();
    site.run("resume keystone/lab").await.ends(0);
    site.run("purge keystone/lab --confirm lab").await.ends(0);
    site.is_whole();
    let report = site.run("report keystone/lab --json").await.ends(0).json();
    assert_eq!(report["headline"], "DONE");
    let incidents = report["incidents"].as_array().unwrap();
    let told = |line: &serde_json::Value| line["text"].as_str().unwrap().contains("its terminal is gone");
    assert!(incidents.iter().any(told), "{incidents:?}");
    site.run("audit verify").await.ends(0);
}

/// Does something once this step has begun.
struct Begun {
    step: usize,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Begun {
    fn new(step: usize, act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self { step, act: Mutex::new(Some(Box::new(act))) })
    }
}

impl Onlooker for Begun {
    fn changed(&self, desk: &dyn Desk) {
        let is_at = |step: &StepView| matches!(step.state, StepState::Running { .. });
        if desk.status().steps.get(self.step - 1).is_some_and(is_at)
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

/// Whether a node has something of this name beside its live keys.
fn has(rig: &Rig, node: usize, folder: &str) -> bool {
    let all = std::fs::read_dir(rig.cluster().etc(node)).unwrap();
    all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).any(|name| name.starts_with(folder))
}

/// A script is on its way to the first of several nodes, and the others would follow one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taken_over_while_one_of_many_nodes_is_written_the_first_writes_to_none_of_the_others() {
    // The one that has prepared the copy has it, so the first that is given one is the next.
    let turns = [
        (2, "node0", "fernet-keys.changeguard-", [true, false, false]),
        (4, "node1", "fernet-keys.next", [true, true, false]),
    ];
    for (step, first, folder, has_it) in turns {
        let rig = Rig::new().await;
        let mut one_by_one = world(&rig);
        one_by_one.rules.parallel = 1;
        let (lab, (met, meets)) = (rig.lab.world().clone(), channel());
        let slow = Rule::new(Service::NodeShell, Fault::Delay(Duration::from_secs(8))).path(first).nth(1);
        let begun = Begun::new(step, move || met.send(lab.faults().add(slow)).unwrap());
        let ada = desk_at(&rig, one_by_one, begun, ("ada", "one")).await;
        let bob = desk_at(&rig, world(&rig), Stands::new(0).0, ("bob", "two")).await;
        let rotating = tokio::spawn(async move { ada.run(begin("rotate")).await.unwrap_err().to_string() });
        let slow = tokio::task::block_in_place(|| meets.recv().unwrap());
        while rig.lab.faults().fired(slow) == 0 {
            assert!(!rotating.is_finished(), "step {step}: it was never met");
            tokio::task::yield_now().await;
        }
        bob.run(take("lab", "her host is cut off")).await.unwrap();
        let lost = rotating.await.unwrap();
        assert!(lost.contains("taken over by bob on two at "), "step {step}: {lost}");
        // What was on its way to the first has arrived.
        assert_eq!([0, 1, 2].map(|node| has(&rig, node, folder)), has_it, "step {step}");
        bob.run(Order::Resume).await.unwrap();
        bob.run(begin("purge")).await.unwrap();
        nothing_lost(&rig, "at the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_nodes_one_is_down_while_they_get_the_keys_and_nothing_goes_on_before_it_has_them() {
    let rig = Rig::with(|options| options.nodes = 5).await;
    let old = rig.token(0).await;
    let before = rig.names(0);
    let cluster = rig.cluster().clone();
    let down = Begun::new(4, move || cluster.power(3, false));
    let desk = desk_at(&rig, world(&rig), down, ("ada", "one")).await;
    for order in [begin("rotate"), Order::Resume] {
        let failed = desk.run(order).await.unwrap_err().to_string();
        assert!(failed.contains("node3"), "{failed}");
        let got = [0, 1, 2, 3, 4].map(|node| has(&rig, node, "fernet-keys.next"));
        assert_eq!(got, [true, true, true, false, true]);
        assert!((0..5).all(|node| rig.names(node) == before), "nothing is in force anywhere");
        let status = desk.status();
        assert_eq!((status.phase, status.steps[4].word()), ("stopped", "waiting"));
        assert_eq!(status.next.order, Some(Order::Resume), "{}", status.next.text);
    }
    rig.cluster().power(3, true);
    desk.run(Order::Resume).await.unwrap();
    assert_eq!(desk.status().phase, "half-way");
    nothing_lost(&rig, "rotated");
    desk.run(begin("purge")).await.unwrap();
    nothing_lost(&rig, "purged");
    assert_eq!(desk.status().ended, Some("done"));
    for node in 0..5 {
        assert_eq!((rig.names(node), has(&rig, node, "fernet-keys.")), (rig.names(0), false), "node{node}");
        assert_eq!(super::fernet_rig::own(rig.port(node), &old).await, 200, "node{node}");
    }
}
