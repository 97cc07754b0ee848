//! Every call of `kops` of a rotation and of each way back, spoiled in every way, once and until it is put right: it refuses, it is cut in
//! the middle, its answer is lost, the deploy host goes. The order ends and says so; then only what is offered is done; nobody is ever
//! locked out, and the end is clean.

use super::kops_case::to_the_end;
use super::kops_rig::{Rig, end, go, way};
use crate::sample;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};
use changeguard::runtime::case::{Desk, RunFault};
use std::time::Duration;

/// So many faults of each way are walked in `cargo test`.
const MOST: usize = 2;
/// A loaded machine is slow, a wrong program is for ever.
const PATIENCE: Duration = Duration::from_secs(240);
const KINDS: [Fault; 5] =
    [Fault::Status(255), Fault::Status(1), Fault::Close, Fault::ResetMidBody, Fault::LoseAnswer(Loss::Close)];

#[derive(Clone, Copy, Debug)]
struct Point {
    fault: Fault,
    which: Which,
    /// `kops` runs on a deploy host.
    far: bool,
}

/// Goes the way with the fault in force until an order fails; then it is put right. Gives how many calls there were, and whether the
/// fault was met.
async fn walk(name: &str, point: Option<Point>) -> (usize, bool) {
    let rig = Rig::small().await;
    let what = format!("{name} {point:?}");
    let faults = rig.lab.faults();
    let from = faults.requests(Service::Kops).len();
    let rule = point.map(|point| faults.add(Rule::new(Service::Kops, point.fault).which(point.which)));
    let ssh = point.filter(|point| point.far).map(|_| rig.kops().ssh()).unwrap_or_default();
    let desk = rig
        .desk_of(
            rig.world_of(|_| {}, |parameters| parameters.ssh = ssh),
            std::sync::Arc::<super::fernet_case::Watches>::default(),
        )
        .await;
    desk.reload().await.unwrap();
    let mut left = way(name);
    let mut met = false;
    while let Some(order) = left.first().cloned() {
        let orders = [order];
        let ended = tokio::time::timeout(PATIENCE, go(&rig, &desk, &orders)).await;
        let ended = ended.unwrap_or_else(|_| panic!("{what}: {orders:?} hangs"));
        let hit = rule.is_some_and(|rule| faults.fired(rule) > 0);
        met |= hit;
        match ended {
            Ok(()) => _ = left.remove(0),
            Err(fault) => {
                assert!(hit, "{what}: {orders:?}: {fault}");
                let said = match &fault {
                    RunFault::Fault(fault) => fault.advice().to_owned(),
                    other => other.to_string(),
                };
                assert!(!said.is_empty(), "{what}: {fault} leads nowhere");
                break;
            }
        }
        // What a look has met is put right too.
        if hit {
            faults.clear();
        }
    }
    faults.clear();
    rig.is_well(&what);
    drop(desk);
    if !left.is_empty() {
        to_the_end(&rig, &rig.desk().await, &left, &what).await;
    }
    let desk = rig.desk().await;
    desk.reload().await.unwrap();
    assert_eq!(desk.status().ended, Some(end(name)), "{what}");
    rig.is_clean(Some(end(name)), &what);
    (faults.requests(Service::Kops).len() - from, met)
}

async fn spoiled(name: &'static str) {
    let (calls, _) = walk(name, None).await;
    assert!(calls > 30, "{name}: {calls}");
    // Each call once, and the kinds in turn: where they begin follows from the seed where all are walked.
    let from = if sample::is_all() { usize::try_from(sample::number(name) % 10).unwrap() } else { 0 };
    let points: Vec<Point> = (1..=calls)
        .map(|call| {
            let (at, turn) = (u64::try_from(call).unwrap(), from + call);
            let which = if (turn / KINDS.len()).is_multiple_of(2) { Which::Nth(at) } else { Which::From(at) };
            Point { fault: KINDS[turn % KINDS.len()], which, far: turn.is_multiple_of(3) }
        })
        .collect();
    let all = points.len();
    let chosen = sample::chosen(&format!("faults of a kOps case, {name}"), points, MOST);
    let (count, mut met) = (chosen.len(), 0);
    for point in chosen {
        met += usize::from(walk(name, Some(point)).await.1);
    }
    println!("kOps {name}: {count} faults walked of {all}, {met} met, each with a good end, nobody locked out");
    assert!(met * 10 >= count * 9, "{name}: {met} of {count} were met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_on_the_way_forward_what_is_offered_leads_to_the_end() {
    spoiled("forward").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_on_the_way_back_from_staged_what_is_offered_leads_back() {
    spoiled("back from staged").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_on_the_way_back_from_promoted_what_is_offered_leads_back() {
    spoiled("back from promoted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_on_the_way_back_from_distrusted_what_is_offered_leads_back() {
    spoiled("back from distrusted").await;
}
