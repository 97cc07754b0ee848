//! Every call of a Fernet rotation, its way back and its cancellation, spoiled in every way, once and until it is put right: a shell
//! that refuses, fails, is cut in the middle or loses its answer; a Keystone that refuses, fails or breaks off. The order ends and
//! names a node; then only what is offered is done; behind every order each token that was issued is still accepted, and the end is
//! clean.

use super::fernet_case::{back, desk, is_clean, nothing_lost, waits_for_the_other_script, wanted, way};
use super::fernet_rig::{Rig, own};
use crate::sample;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::status::Status;
use changeguard::runtime::case::Desk;
use std::sync::Arc;
use std::time::Duration;

/// More orders than this lead nowhere.
const ORDERS: usize = 40;
/// A loaded machine is slow, a wrong program is for ever.
const PATIENCE: Duration = Duration::from_secs(120);
/// So many faults of each way are walked in `cargo test`.
const MOST: usize = 2;

const SERVICES: [Service; 4] = [Service::NodeShell, Service::Node(0), Service::Node(1), Service::Node(2)];

/// What can happen to a call of this service.
fn kinds(service: Service) -> Vec<Fault> {
    let both = [Fault::Close, Fault::ResetMidBody, Fault::LoseAnswer(Loss::Close)];
    let own = match service {
        Service::NodeShell => [Fault::Status(255), Fault::Status(1)],
        _ => [Fault::Status(401), Fault::Status(503)],
    };
    own.into_iter().chain(both).collect()
}

#[derive(Clone, Copy, Debug)]
struct Point {
    service: Service,
    fault: Fault,
    which: Which,
}

/// Goes the way with the fault in force until the first order fails; then it is put right. Gives how many calls each service had,
/// and whether the fault was met.
async fn walk(name: &str, point: Option<Point>) -> (Vec<usize>, bool) {
    let rig = Rig::new().await;
    let old = rig.token(0).await;
    let (before, what) = (rig.names(0), format!("{name} {point:?}"));
    let faults = rig.lab.faults();
    let count = || SERVICES.iter().map(|service| faults.requests(*service).len()).collect::<Vec<_>>();
    let from = count();
    let rule = point.map(|point| faults.add(Rule::new(point.service, point.fault).which(point.which)));
    let desk = desk(&rig, Arc::default()).await;
    let (mut left, mut met) = (way(name), false);
    for acts in 0.. {
        assert!(acts < ORDERS, "{what}: no end: {:?}", desk.status().next);
        desk.reload().await.unwrap();
        desk.look().await;
        let mut status = desk.status();
        // A look that meets it says so, and somebody puts it right.
        if let Some(rule) = rule.filter(|rule| !met && faults.fired(*rule) > 0) {
            // Whether a Keystone lives is asked without a token: one that answers 401 does.
            let lives = matches!(point, Some(Point { fault: Fault::Status(401), .. }));
            let named = status.attention.iter().any(|item| item.contains("node"));
            assert!(named || lives, "{what}: {rule:?}: {:?}", status.attention);
            met = true;
            faults.clear();
            desk.look().await;
            status = desk.status();
        }
        if left.is_empty() || status.phase == "idle" && status.ended.is_some() {
            break;
        }
        let order =
            next_order(&status, &left).unwrap_or_else(|| panic!("{what}: nothing is offered: {:?}", status.next));
        let ended = tokio::time::timeout(PATIENCE, desk.run(order.clone())).await;
        match ended.unwrap_or_else(|_| panic!("{what}: {order:?} hangs")) {
            Ok(_) => left.retain(|wanted| *wanted != order),
            Err(fault) if waits_for_the_other_script(&fault) => {}
            Err(fault) => {
                let hit = rule.is_some_and(|rule| faults.fired(rule) > 0);
                let said = fault.to_string();
                assert!(hit, "{what}: {order:?} is offered and refused: {said}");
                assert!(said.contains("node"), "{what}: {order:?} names nobody: {said}");
            }
        }
        // Behind the first order that has met it, somebody puts it right.
        if rule.is_some_and(|rule| faults.fired(rule) > 0) {
            met = true;
            faults.clear();
        }
        nothing_lost(&rig, &format!("{what}: behind {order:?}"));
    }
    faults.clear();
    assert_eq!(own(rig.port(1), &old).await, 200, "{what}: issued before");
    desk.reload().await.unwrap();
    let ended = desk.status().ended;
    let may_be: &[&str] = match name {
        // Where a node refuses tokens, the way back is what is offered.
        "forward" => &["done", "rolled back"],
        "back" => &["rolled back"],
        _ => &["cancelled"],
    };
    assert!(ended.is_some_and(|ended| may_be.contains(&ended)), "{what}: {ended:?}");
    let names = rig.names(0);
    assert_eq!(names == before, ended != Some("done"), "{what}: {before:?} {names:?}");
    is_clean(&rig, &names.iter().map(String::as_str).collect::<Vec<_>>(), &what);
    (count().iter().zip(from).map(|(now, before)| now - before).collect(), met)
}

/// What the operator still wants, where it can be had now; else what is offered, with what it asks for.
fn next_order(status: &Status, left: &[Order]) -> Option<Order> {
    let offered = || match status.next.order.clone()? {
        Order::RollBack { .. } => Some(back()),
        Order::Begin { stretch, .. } => Some(super::fernet_case::begin(&stretch)),
        order => Some(order),
    };
    let going = status.next.order.as_ref().filter(|order| !matches!(order, Order::Begin { .. }));
    match (going, left.first()) {
        (None, Some(first)) if status.phase == "idle" => Some(first.clone()),
        (None, _) => wanted(status, left).or_else(offered),
        (Some(_), _) => offered(),
    }
}

async fn spoiled(name: &'static str) {
    let (calls, _) = walk(name, None).await;
    assert!(calls.iter().all(|calls| *calls > 0), "{name}: {calls:?}");
    // Each call once, and the kinds in turn: where they begin follows from the seed where all are walked.
    let from = if sample::is_all() { usize::try_from(sample::number(name) % 10).unwrap() } else { 0 };
    let each = SERVICES.into_iter().zip(&calls).flat_map(|(service, calls)| {
        (1..=*calls).map(move |call| {
            let (at, turn, kinds) = (u64::try_from(call).unwrap(), from + call, kinds(service));
            let which = if turn / kinds.len() % 2 == 0 { Which::Nth(at) } else { Which::From(at) };
            Point { service, fault: kinds[turn % kinds.len()], which }
        })
    });
    let points: Vec<Point> = each.collect();
    let all = points.len();
    // The same few each time, until the whole was walked.
    let every = if sample::is_all() { 1 } else { all / MOST };
    let chosen: Vec<Point> = points.into_iter().skip(every / 2).step_by(every).collect();
    let (count, mut met) = (chosen.len(), 0);
    for point in chosen {
        met += usize::from(walk(name, Some(point)).await.1);
    }
    println!("Fernet {name}: {count} faults walked of {all}, {met} met, each with a good end");
    assert!(met * 10 >= count * 9, "{name}: {met} of {count} were met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_on_the_way_forward_what_is_offered_leads_to_a_good_end() {
    spoiled("forward").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_on_the_way_back_what_is_offered_leads_back() {
    spoiled("back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_is_spoiled_before_a_change_it_can_be_cancelled() {
    spoiled("out").await;
}
