//! Snapshots of a cluster's journal at every moment of a whole case, put back at every later one: one clear refusal, what is offered
//! leads out, no key is promoted a second time, no purge rests on what was lost, and no token is refused anywhere.

use super::fernet_case::{Watches, back, begin, is_clean, nothing_lost, seat, waits_for_the_other_script, way, world};
use super::fernet_rig::Rig;
use crate::sample;
use changeguard::adapters::store::SqlJournal;
use changeguard::engine::audit;
use changeguard::engine::case::gate::Verdict;
use changeguard::engine::case::machine::{Order, Refusal};
use changeguard::engine::case::status::Status;
use changeguard::engine::step::Progress;
use changeguard::runbooks::fernet::Fernet;
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker, RunFault};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

const FILES: [&str; 2] = ["journal.db", "journal.db-wal"];

/// Copies the journal at one moment, and stops at a later one.
struct Moments {
    state: PathBuf,
    at: u64,
    later: u64,
    told: Mutex<u64>,
    stop: Notify,
}

impl Moments {
    fn new(rig: &Rig, at: u64, later: u64) -> Arc<Self> {
        Arc::new(Self { state: state(rig), at, later, told: Mutex::new(0), stop: Notify::new() })
    }
}

impl Onlooker for Moments {
    fn changed(&self, _: &dyn Desk) {
        let mut told = self.told.lock().unwrap();
        *told += 1;
        if *told == self.at {
            copy(&self.state, "", ".copy");
        }
        if *told == self.later {
            self.stop.notify_one();
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

fn state(rig: &Rig) -> PathBuf {
    rig.folder.path().join("state")
}

fn copy(state: &Path, from: &str, to: &str) {
    for file in FILES {
        let _ = std::fs::copy(state.join(format!("{file}{from}")), state.join(format!("{file}{to}")));
    }
}

/// Puts the copy back, as somebody would who restores a file.
fn put_back(rig: &Rig) {
    for file in ["journal.db-wal", "journal.db-shm", "journal.db"] {
        let _ = std::fs::remove_file(state(rig).join(file));
    }
    copy(&state(rig), ".copy", "");
}

/// Its witness is gone, too.
fn forget(rig: &Rig) {
    std::fs::remove_dir_all(state(rig).join("witness")).unwrap();
}

/// Whether a case has left anything on a node.
fn is_left(rig: &Rig) -> bool {
    (0..3).any(|node| {
        let all = std::fs::read_dir(rig.cluster().etc(node)).unwrap();
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).any(|name| name.starts_with("fernet-keys."))
    })
}

/// A desk whose store has a witness, as the program's has.
async fn desk(rig: &Rig, onlooker: Arc<dyn Onlooker>) -> CaseDesk<Fernet> {
    let store = SqlJournal::in_folder(&state(rig)).await.unwrap().witnessed_in(&state(rig));
    CaseDesk::new(seat(Arc::new(store), onlooker, ("ada", "bastion")), world(rig))
}

fn typed(order: Order) -> Order {
    let reason = || "the disk was restored".to_owned();
    match order {
        Order::Begin { stretch, .. } => begin(&stretch),
        Order::Recover { .. } => Order::Recover { confirm: "lab".into(), reason: reason() },
        Order::RollBack { .. } => back(),
        order => order,
    }
}

/// The refusal is clear, and nothing goes past it.
async fn refused(desk: &CaseDesk<Fernet>, status: &Status, when: &str) {
    let text = &status.attention[0];
    assert!(text.starts_with("THE END OF THE JOURNAL IS LOST"), "{when}: {text}");
    let has_witness = state_has_witness(desk);
    assert!(text.contains(if has_witness { "UTC" } else { "case " }), "{when}: {text}");
    assert!(!status.attention.iter().any(|text| text.contains("was interrupted")), "{when}: {:?}", status.attention);
    let told = |gate: &Verdict| gate.reasons().iter().all(|fact| fact.name == "journal" && &fact.text == text);
    assert!(status.gates.values().all(told), "{when}: {:?}", status.gates);
    let next = &status.next;
    assert!(
        matches!(next.order, Some(Order::Recover { .. })) && next.asks == ["confirm", "reason"],
        "{when}: {next:?}"
    );
    assert!(status.gates.values().all(|gate| !gate.is_open()), "{when}: {:?}", status.gates);
    let taken: Vec<&str> =
        status.verbs.iter().filter(|verb| verb.shut.is_none()).map(|verb| verb.verb.as_str()).collect();
    assert_eq!(taken, ["recover"], "{when}");
    for order in [begin("rotate"), begin("purge"), Order::Resume, Order::Cancel { note: String::new() }, back()] {
        match desk.run(order).await {
            Err(RunFault::Refused(Refusal::JournalLost(lost))) => assert_eq!(&lost.to_string(), text, "{when}"),
            other => panic!("{when}: {other:?}"),
        }
    }
    let tables = desk.store().tables().await.unwrap();
    let found = audit::verify(&tables, None, &desk.store().seen());
    assert!(!has_witness || found.iter().any(|verdict| verdict.finding.is_some()), "{when}: the audit calls it intact");
}

/// Whether anybody remembers more than the journal has.
fn state_has_witness(desk: &CaseDesk<Fernet>) -> bool {
    desk.store().witnessed(desk.key()).lost.is_some()
}

/// The highest index of a node: one promotion raises it by one.
fn primary(rig: &Rig, node: usize) -> u32 {
    rig.names(node).iter().filter_map(|name| name.parse().ok()).max().unwrap()
}

/// Walks one pair; moment 0 is a journal that is not there. `None`: nothing is lost between the two, or without a witness nobody can
/// know it. Gives how it ended.
async fn walk(name: &str, at: u64, later: u64, witnessed: bool) -> Option<String> {
    let (rig, when) = (Rig::new().await, format!("{name}: moment {at} put back at {later}"));
    let (old, first) = (rig.token(0).await, primary(&rig, 0));
    let moments = Moments::new(&rig, at, later);
    {
        let desk = desk(&rig, moments.clone()).await;
        desk.reload().await.unwrap();
        for order in way(name) {
            tokio::select! {
                biased;
                () = moments.stop.notified() => break,
                result = desk.run(order) => { result.unwrap(); }
            }
        }
    }
    put_back(&rig);
    if !witnessed {
        forget(&rig);
    }
    let desk = desk(&rig, Arc::new(Watches::default())).await;
    desk.reload().await.unwrap();
    desk.look().await;
    let status = desk.status();
    if !status.attention.first().is_some_and(|text| text.starts_with("THE END")) {
        assert!(witnessed || at > 0 || !is_left(&rig), "{when}: {:?}", status.attention);
        return None;
    }
    refused(&desk, &status, &when).await;
    let before: Vec<Vec<String>> = (0..3).map(|node| rig.names(node)).collect();
    let mut done = Vec::new();
    for acts in 0.. {
        desk.reload().await.unwrap();
        desk.look().await;
        let status = desk.status();
        let is_lost = matches!(status.next.order, Some(Order::Recover { .. }));
        if status.phase == "idle" && !is_lost {
            break;
        }
        assert!(acts < 40, "{when}: no end: {done:?}");
        let order = status.next.order.clone();
        let order =
            typed(order.unwrap_or_else(|| panic!("{when}: nothing is offered: {:?} after {done:?}", status.next)));
        match desk.run(order.clone()).await {
            Ok(said) => done.push(said),
            Err(fault) if waits_for_the_other_script(&fault) => {}
            Err(fault) => panic!("{when}: {order:?}: {fault} after {done:?}"),
        }
        if is_lost {
            let now: Vec<Vec<String>> = (0..3).map(|node| rig.names(node)).collect();
            assert_eq!(now, before, "{when}: recover changed something");
        }
        nothing_lost(&rig, &format!("{when}: behind {order:?}"));
    }
    let names = rig.names(0);
    is_clean(&rig, &names.iter().map(String::as_str).collect::<Vec<_>>(), &format!("{when} after {done:?}"));
    assert!(primary(&rig, 0) <= first + 1, "{when}: a second promotion: {names:?}");
    assert_eq!(super::fernet_rig::own(rig.port(1), &old).await, 200, "{when}: issued before");
    let tables = desk.store().tables().await.unwrap();
    let verdicts = audit::verify(&tables, None, &desk.store().seen());
    assert!(verdicts.iter().all(|verdict| verdict.finding.is_none()), "{when}: {verdicts:?}");
    assert!(tables.records.iter().any(|row| row.text.contains("\"record\":\"recovered\"")), "{when}: not on record");
    let ended = desk.status().ended.unwrap_or("never begun").to_owned();
    let is_new = primary(&rig, 0) > first;
    assert!(
        is_new == (ended == "done") || ended.starts_with("ended in a lost"),
        "{when}: {ended}, {names:?}: {done:?}"
    );
    Some(ended)
}

/// How often it is told something on the way.
async fn moments(name: &str) -> u64 {
    let rig = Rig::new().await;
    let never = Moments::new(&rig, 0, 0);
    {
        let desk = desk(&rig, never.clone()).await;
        desk.reload().await.unwrap();
        for order in way(name) {
            desk.run(order).await.unwrap();
        }
    }
    *never.told.lock().unwrap()
}

async fn walk_all(name: &'static str) {
    let told = moments(name).await;
    let pairs: Vec<(u64, u64)> = (2..=told).flat_map(|later| (1..later).map(move |at| (at, later))).collect();
    let all = pairs.len();
    let (ends, on_the_way): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, later)| *later == told);
    // One that is put back behind the end is what somebody does who restores a file the next morning.
    let mut chosen = sample::chosen(&format!("a cluster's journals put back behind the end, {name}"), ends, 1);
    chosen.extend(sample::chosen(&format!("a cluster's journals put back, {name}"), on_the_way, 1));
    let mut ends: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let mut walked = 0;
    for (at, later) in chosen {
        if let Some(end) = walk(name, at, later, true).await {
            walked += 1;
            *ends.entry(end).or_default() += 1;
        }
    }
    println!("Fernet {name}: {walked} journals put back walked of {all}: {ends:?}");
    assert!(told > 3, "{name}: told {told} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_rotation_promotes_once_and_loses_no_token() {
    walk_all("forward").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_way_back_promotes_once_and_loses_no_token() {
    walk_all("back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_cancelled_case_leaves_nothing() {
    walk_all("out").await;
}

/// What the case has saved lies there still, so nobody has purged: it is put right, and there is a way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_a_colleague_took_away_behind_a_lost_part_is_no_purge() {
    let rig = Rig::new().await;
    let moments = Moments::new(&rig, 4, 0);
    {
        let desk = desk(&rig, moments.clone()).await;
        desk.reload().await.unwrap();
        desk.run(begin("rotate")).await.unwrap();
    }
    put_back(&rig);
    let oldest =
        rig.names(0).iter().filter_map(|name| name.parse::<u32>().ok()).filter(|index| *index > 0).min().unwrap();
    std::fs::remove_file(rig.keys(0).join(oldest.to_string())).unwrap();
    let desk = desk(&rig, Arc::new(Watches::default())).await;
    desk.reload().await.unwrap();
    let said = desk.run(typed(Order::Recover { confirm: String::new(), reason: String::new() })).await.unwrap();
    assert!(said.contains("the new keys are in force, or may be, on some of them; resume goes on"), "{said}");
    desk.run(Order::Resume).await.unwrap();
    assert_eq!((desk.status().phase, rig.names(0)), ("half-way", rig.names(1)));
    nothing_lost(&rig, "put right");
    desk.run(back()).await.unwrap();
    assert_eq!(desk.status().ended, Some("rolled back"));
    nothing_lost(&rig, "back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_behind_a_lost_part_waits_for_its_moment_and_where_a_node_is_away_nothing_is_recorded() {
    // The key that is to go is needed for days still.
    let rig = Rig::with(|options| options.rotated = Duration::from_secs(3600)).await;
    let moments = Moments::new(&rig, 4, 0);
    {
        let desk = desk(&rig, moments.clone()).await;
        desk.reload().await.unwrap();
        desk.run(begin("rotate")).await.unwrap();
    }
    put_back(&rig);
    let desk = desk(&rig, Arc::new(Watches::default())).await;
    let recover = || typed(Order::Recover { confirm: String::new(), reason: String::new() });
    rig.cluster().power(2, false);
    let blind = desk.run(recover()).await.unwrap_err();
    let advice = match &blind {
        RunFault::Fault(fault) => fault.advice().to_owned(),
        other => panic!("{other:?}"),
    };
    assert!(advice.contains("recover again when every node can be looked at"), "{blind}: {advice}");
    rig.cluster().power(2, true);
    rig.answers(2).await;
    let empty = Order::Recover { confirm: "lab".into(), reason: " ".into() };
    assert!(matches!(desk.run(empty).await, Err(RunFault::Refused(Refusal::BadInput(_)))));
    let said = desk.run(recover()).await.unwrap();
    assert!(said.contains("the new keys are in force, or may be, on some of them; resume goes on"), "{said}");
    let again = desk.run(recover()).await.unwrap_err();
    assert!(again.to_string().contains("nothing of the journal is lost"), "{again}");
    desk.run(Order::Resume).await.unwrap();
    nothing_lost(&rig, "gone on");
    let status = desk.status();
    assert_eq!(status.phase, "half-way");
    assert!(status.next.until.is_some() && status.next.order.is_none(), "{:?}", status.next);
    let shut = desk.run(begin("purge")).await.unwrap_err();
    assert!(shut.to_string().contains("not-before: to be purged: key"), "{shut}");
    let primaries: Vec<u32> = (0..3).map(|node| primary(&rig, node)).collect();
    assert!(primaries.iter().all(|one| one == &primaries[0]), "{primaries:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_gone_with_its_witness_is_known_by_what_lies_on_the_nodes_and_gone_on_with() {
    let mut ends: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for name in ["forward", "back"] {
        let all = (2..=moments(name).await).collect();
        for later in sample::chosen(&format!("a cluster's journals that are gone, {name}"), all, 1) {
            let end = walk(name, 0, later, false).await.unwrap_or_else(|| "nothing was left".into());
            *ends.entry(format!("{name}: {end}")).or_default() += 1;
        }
    }
    println!("Fernet: journals that are gone with their witness: {ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_case_of_which_nothing_saved_lies_on_any_node_has_ended_and_is_no_dead_end() {
    // By the journal it is distributed, or installed on some: and the case has ended since.
    for (name, ended) in [("forward", "done"), ("back", "rolled back")] {
        let moments = (20..31).collect::<Vec<u64>>();
        for at in sample::chosen(&format!("journals of a case that has ended, {name}"), moments, 1) {
            assert_eq!(walk(name, at, u64::MAX, false).await.as_deref(), Some(ended), "{name} {at}");
        }
    }
}
