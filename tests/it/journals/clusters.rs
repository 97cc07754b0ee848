//! The frozen journals of clusters: they load with their chain, every prefix means what it meant, and from a sample of them the program of
//! today goes on to a good end on the embedded cluster.

use super::cluster::{self, Size};
use super::corpus::{self, Journal};
use super::{Changed, difference, verified};
use crate::fernet_case::{Watches, back, begin, nothing_lost, seat, waits_for_the_other_script, world};
use crate::fernet_rig::{Rig, own};
use crate::sample;
use changeguard::adapters::store::SqlJournal;
use changeguard::domain::fernet::repository::Reader;
use changeguard::engine::case::gate;
use changeguard::engine::case::machine::{Asked, Order};
use changeguard::engine::case::record::CaseId;
use changeguard::engine::case::runbook::Runbook;
use changeguard::engine::case::status;
use changeguard::engine::record::Entry;
use changeguard::runbooks::fernet::{Fernet, Sights, World};
use changeguard::runtime::case::{CaseDesk, Desk, history};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many of the prefixes are gone on from in `cargo test`.
const MOST: usize = 3;
/// More orders than this lead nowhere.
const ORDERS: usize = 40;

pub fn all() -> Vec<Journal> {
    let mut all = corpus::journals("keystone/sqlite");
    all.extend(corpus::journals("keystone/postgres"));
    all
}

async fn rig(journal: &Journal) -> Rig {
    let size = Size::of(&journal.about["cluster"]);
    Rig::with(|options| size.apply(options)).await
}

/// The same world as the configuration of then made.
fn configured(rig: &Rig, journal: &Journal) -> World {
    let mut world = world(rig);
    world.rules.not_before_shuts_rotate = journal.about["more"].as_str().unwrap().contains("not_before = \"rotate\"");
    world
}

#[tokio::test]
async fn every_frozen_journal_of_a_cluster_loads_with_its_chain_and_every_case_folds() {
    let (mut records, mut cases) = (0, 0);
    for journal in all() {
        let folder = crate::scene::folder();
        let state = folder.path().join("state");
        journal.state(&state, i64::MAX, None).await;
        let store = SqlJournal::in_folder(&state).await.unwrap();
        for entries in verified(&journal.name, &store, &journal).await.into_values() {
            let (case, lines) = history::<Fernet>(&entries).unwrap_or_else(|fault| panic!("{}: {fault}", journal.name));
            assert_eq!(
                (case.unwrap().core.seq, lines.len()),
                (entries.len() as u64, entries.len()),
                "{}",
                journal.name
            );
            (records, cases) = (records + entries.len(), cases + 1);
        }
        store.close().await;
    }
    println!("{records} records of {cases} cases");
    assert!(records > 300 && cases >= 10, "{records} records of {cases} cases");
}

/// What the program of today says of these entries.
fn says(world: &World, entries: &[Entry], sights: &Sights, now: Timestamp) -> Value {
    let (mut case, lines) = history::<Fernet>(entries).unwrap();
    if let Some(case) = &mut case {
        case.core.interrupt();
    }
    let case = case.as_ref();
    let open = case.filter(|case| case.core.is_open());
    let telling = Fernet::tell(world, case, sights, now);
    let gate = |stretch: &str| {
        let facts = Fernet::facts(world, stretch, open, sights, now);
        gate::judge(facts, |fact| open.is_some_and(|case| case.core.set_aside.contains_key(fact)))
    };
    let road = || case.map_or_else(|| Err("no case is open".to_owned()), Fernet::way_back);
    let asked = Asked {
        spec: Fernet::spec(),
        subject: cluster::SUBJECT,
        name: "lab",
        core: case.map(|case| &case.core),
        gate: &gate,
        awaited: &[],
        questions: &[],
        road: &road,
        new: CaseId(String::new()),
        lost: None,
    };
    serde_json::to_value(status::derive(&asked, lines, telling, None, &|_| &[], false)).unwrap()
}

#[tokio::test]
async fn every_prefix_of_a_clusters_frozen_journal_means_what_it_meant_but_for_the_reviewed_changes() {
    let changed = Changed::of(true);
    let (mut prefixes, mut wrong) = (0, BTreeMap::<String, (usize, String)>::new());
    for journal in all() {
        let folder = crate::scene::folder();
        let state = folder.path().join("frozen");
        journal.state(&state, i64::MAX, None).await;
        let store = SqlJournal::in_folder(&state).await.unwrap();
        let entries = verified(&journal.name, &store, &journal).await;
        let rig = rig(&journal).await;
        let world = configured(&rig, &journal);
        let conf = std::fs::read_to_string(rig.cluster().etc(0).join("keystone.conf")).unwrap();
        let reader: Reader = world.reader.clone();
        assert_eq!(journal.prefixes.len(), journal.records().len(), "{}: a status for each record", journal.name);
        for prefix in &journal.prefixes {
            prefixes += 1;
            let (case, count) = journal.rotation_at(prefix.position);
            let entries = &entries[&case][..count];
            let offline = cluster::plain(says(&world, entries, &Sights::default(), prefix.now));
            let sights = cluster::sights(&prefix.world, &conf, &reader, prefix.now);
            let looked = cluster::gist(&says(&world, entries, &sights, prefix.now));
            let both = |offline: &Value, looked: &Value| json!({ "cluster": offline, "cluster-looked": looked });
            let (said, now) = (both(&prefix.status, &prefix.looked), both(&offline, &looked));
            for pointer in difference::pointers(&said, &now) {
                let of = |value: &Value| value.pointer(&pointer).cloned().unwrap_or(Value::Null);
                let (before, now) = (of(&said), of(&now));
                if !changed.iter().any(|change| change.covers(&pointer, &before, &now)) {
                    let seen = wrong.entry(pointer.clone()).or_default();
                    seen.0 += 1;
                    seen.1 = format!("{} at {}: {before} is {now} now", journal.name, prefix.position);
                }
            }
        }
        store.close().await;
    }
    println!("{prefixes} prefixes of clusters' journals, {} reviewed changes", changed.len());
    assert!(prefixes > 300, "{prefixes}");
    let lines: Vec<String> =
        wrong.iter().map(|(path, (times, last))| format!("{path} ({times} times): {last}")).collect();
    assert!(wrong.is_empty(), "not in tests/journals/changed.md:\n{}", lines.join("\n"));
    Changed::are_met(&changed);
}

fn typed(order: Order) -> Order {
    match order {
        Order::Begin { stretch, .. } => begin(&stretch),
        Order::RollBack { .. } => back(),
        Order::Recover { .. } => Order::Recover { confirm: "lab".into(), reason: "its journal was put back".into() },
        order => order,
    }
}

/// Goes on from a prefix with nothing but what is offered. Where only waiting is left, it is taken back.
async fn onward(journal: &Journal, at: usize) -> String {
    let (prefix, rig) = (&journal.prefixes[at], rig(journal).await);
    let when = format!("{} from record {}", journal.name, prefix.position);
    // With the keys of the beginning.
    let old = rig.token(0).await;
    let recorded = journal.records()[at].at_ms;
    let later = SignedDuration::from_millis(Timestamp::now().as_millisecond() - recorded - 500);
    cluster::put_back(rig.cluster(), &prefix.world, later);
    let etc = rig.cluster().etc(0);
    let place = etc.ancestors().nth(3).unwrap().to_str().unwrap();
    let state = rig.folder.path().join("frozen");
    journal.moved_to(cluster::PLACE, place).state(&state, prefix.position, Some(later)).await;
    let store = Arc::new(SqlJournal::in_folder(&state).await.unwrap());
    let seat = seat(store, Arc::new(Watches::default()), ("carol", "bastion-3"));
    let desk = CaseDesk::<Fernet>::new(seat, configured(&rig, journal));
    let mut done = Vec::new();
    for acts in 0.. {
        desk.reload().await.unwrap();
        desk.look().await;
        let status = desk.status();
        if status.phase == "idle" {
            break;
        }
        assert!(acts < ORDERS, "{when}: no end after {done:?}");
        // A check that a moment keeps red is tried again by the offered order, and ends only behind that moment.
        let is_red = done.last().is_some_and(|said: &String| said.contains(": wait until then, or raise"));
        let waits = is_red || status.next.until.is_some() || status.next.text.contains("rotate is shut");
        let order = match status.next.order.clone().filter(|_| !is_red) {
            Some(order) => typed(order),
            None if waits && status.phase == "half-way" => back(),
            None if waits => Order::Cancel { note: String::new() },
            None => panic!("{when}: nothing is offered: {:?} after {done:?}", status.next),
        };
        match desk.run(order.clone()).await {
            Ok(said) => done.push(said),
            Err(fault) if waits_for_the_other_script(&fault) => {}
            Err(fault) => done.push(format!("{order:?}: {fault}")),
        }
        nothing_lost(&rig, &format!("{when}: behind {order:?}"));
    }
    let status = desk.status();
    let ended = status.ended.unwrap_or_else(|| panic!("{when}: no end after {done:?}"));
    let beside = |node: usize| -> Vec<String> {
        let all = std::fs::read_dir(rig.cluster().etc(node)).unwrap();
        let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains(".next") || name.contains(".changeguard-")).collect()
    };
    let digests = |node: usize| -> Vec<_> {
        rig.cluster().state().nodes[node].tokens.iter().map(|key| (key.name.clone(), key.digest.clone())).collect()
    };
    for node in 0..3 {
        assert_eq!(beside(node), Vec::<String>::new(), "{when}: node{node} after {done:?}");
        assert_eq!(digests(node), digests(0), "{when}: node{node} after {done:?}");
        // Where two rotations were made the key of the beginning may be gone.
        let is_needed = rig.names(node).contains(&"17".to_owned());
        assert!(!is_needed || own(rig.port(node), &old).await == 200, "{when}: node{node} after {done:?}");
    }
    ended.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_record_of_a_clusters_frozen_journal_the_program_of_today_comes_to_a_good_end() {
    let journals = all();
    let points: Vec<(usize, usize)> = journals
        .iter()
        .enumerate()
        .flat_map(|(n, journal)| (0..journal.prefixes.len()).map(move |at| (n, at)))
        .filter(|&(n, at)| journals[n].prefixes[at].status["phase"] != "idle")
        .collect();
    let all = points.len();
    let mut ends = BTreeMap::<String, usize>::new();
    for (n, at) in sample::chosen("clusters' frozen journals", points, MOST) {
        *ends.entry(onward(&journals[n], at).await).or_default() += 1;
    }
    println!("{} of {all} prefixes gone on from, each to a good end: {ends:?}", ends.values().sum::<usize>());
}
