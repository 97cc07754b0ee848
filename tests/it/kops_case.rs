//! Whole cases of the kOps runbook on the lab's cluster, through the desk: forward, and back from each step, with a death at every record
//! and at every call of `kops`; before every command the API is asked with each holder's credentials, and nobody is ever locked out.

use super::fernet_case::Watches;
use super::kops_rig::{Rig, alarm, back, begin, end, first_awaited, go, told, way};
use crate::sample;
use changeguard::adapters::lab::Moment;
use changeguard::engine::case::machine::Order;
use changeguard::runbooks::kops::Kops;
use changeguard::runtime::case::{CaseDesk, Desk, RunFault};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_rotation_goes_by_ids_waits_for_every_holder_and_locks_nobody_out() {
    let rig = Rig::new().await;
    let desk = rig.desk().await;
    desk.reload().await.unwrap();
    desk.look().await;
    let status = desk.status();
    assert!(status.gates["rotate"].is_open(), "{:?}", status.gates["rotate"]);
    assert_eq!((status.phase, status.attention.as_slice(), status.foreseen.len()), ("idle", &[] as &[String], 9));
    let rolls = "until its end 21 instances are rolled, one after the other; how long one takes is not known";
    assert!(status.foreseen[8].starts_with(rolls), "{:?}", status.foreseen);
    let said = desk.run(begin("rotate")).await.unwrap();
    assert!(said.contains("8 keysets are staged") && said.contains("promote waits for its word"), "{said}");
    rig.is_well("staged");
    // Nobody has the new certificates yet.
    let shut = desk.run(begin("promote")).await.unwrap_err().to_string();
    assert!(shut.contains("holders: 3 of 3 holders are not known to have the certificates of both"), "{shut}");
    let unknown =
        desk.run(Order::Settle { person: "nobody".into(), reason: "x".into() }).await.unwrap_err().to_string();
    assert!(unknown.contains("nobody is not waited for; waited for: mira, ci-deploy, portal"), "{unknown}");
    assert_eq!(rig.hand_over(&desk).await, 3);
    desk.run(begin("promote")).await.unwrap();
    rig.is_well("promoted");
    let shut = desk.run(begin("distrust")).await.unwrap_err().to_string();
    assert!(shut.contains("holders: 2 of 2 holders are not known to have an admin credential"), "{shut}");
    assert_eq!(rig.hand_over(&desk).await, 2);
    desk.run(begin("distrust")).await.unwrap();
    rig.is_well("distrusted");
    let shut = desk.run(begin("finish")).await.unwrap_err().to_string();
    assert!(shut.contains("the certificates without the previous authority's"), "{shut}");
    assert_eq!(rig.hand_over(&desk).await, 3);
    let said = desk.run(begin("finish")).await.unwrap();
    assert!(said.starts_with("done: 8 keysets are rotated"), "{said}");
    rig.is_clean(Some("done"), "at the end");
    // Each update was shown before it was applied, and each roll was of one group.
    let words = rig.kops().words();
    let count = |text: &str| words.iter().filter(|words| words.as_str() == text).count();
    assert_eq!((count("update cluster"), count("update cluster --yes")), (3, 3), "{words:#?}");
    for group in ["control-plane-main", "nodes-main"] {
        assert_eq!(count(&format!("rolling-update cluster --yes --instance-group {group}")), 3, "{words:#?}");
    }
    for verb in ["create", "promote", "distrust"] {
        let of = words.iter().filter(|words| words.starts_with(&format!("{verb} keypair "))).count();
        assert_eq!(of, 8, "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_from_each_step_goes_by_the_ids_of_before() {
    for name in ["back from staged", "back from promoted", "back from distrusted"] {
        let rig = Rig::new().await;
        let desk = rig.desk().await;
        go(&rig, &desk, &way(name)).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(desk.status().ended, Some("rolled back"), "{name}");
        rig.is_clean(Some("rolled back"), name);
        let words = rig.kops().words();
        let old = |keyset: &str| rig.before.keysets[keyset][0].id.clone();
        let has = |text: String| words.contains(&text);
        assert_eq!(
            has(format!("promote keypair kubernetes-ca {}", old("kubernetes-ca"))),
            name != "back from staged",
            "{name}"
        );
        assert_eq!(
            has(format!("trust keypair kubernetes-ca {}", old("kubernetes-ca"))),
            name == "back from distrusted",
            "{name}"
        );
        let forced = words.iter().filter(|words| words.contains("--force")).count();
        assert_eq!(forced, if name == "back from distrusted" { 2 } else { 0 }, "{name}: {words:#?}");
    }
}

/// Where a walk's process dies.
#[derive(Clone, Copy, Debug)]
enum Point {
    Record(u64),
    Call(u64, Moment),
}

/// Goes the way and dies once; then only what is wanted still, or is offered, is done. Gives how much there was to die at.
async fn walk(name: &str, point: Option<Point>) -> (u64, u64) {
    let rig = Rig::small().await;
    let (watches, calls) = (Arc::new(Watches::default()), rig.lab.faults().calls());
    match point {
        Some(Point::Record(at)) => watches.dies_at(at),
        Some(Point::Call(at, moment)) => rig.lab.faults().trip(at, moment),
        None => {}
    }
    let mut left = way(name);
    let mut died = false;
    {
        let desk = rig.desk_of(rig.world(), watches.clone()).await;
        desk.reload().await.unwrap();
        while let Some(order) = left.first().cloned() {
            let orders = [order];
            tokio::select! {
                biased;
                () = watches.dead() => died = true,
                _ = rig.lab.faults().tripped() => died = true,
                result = go(&rig, &desk, &orders) => { result.unwrap_or_else(|fault| panic!("{name}: {orders:?}: {fault}")); }
            }
            if died {
                break;
            }
            left.remove(0);
        }
    }
    rig.lab.faults().release();
    let counted = (watches.told(), rig.lab.faults().calls() - calls);
    let what = format!("{name} {point:?}");
    rig.is_well(&what);
    if died {
        to_the_end(&rig, &rig.desk().await, &left, &what).await;
    }
    let desk = rig.desk().await;
    desk.reload().await.unwrap();
    assert_eq!(desk.status().ended, Some(end(name)), "{what}");
    rig.is_clean(Some(end(name)), &what);
    counted
}

/// Does what is wanted still, or is offered, until the case has ended.
pub async fn to_the_end(rig: &Rig, desk: &CaseDesk<Kops>, left: &[Order], what: &str) {
    for acts in 0.. {
        assert!(acts < 40, "{what}: no end: {:?}", desk.status().next);
        desk.reload().await.unwrap();
        desk.look().await;
        rig.hand_over(desk).await;
        let status = desk.status();
        if status.phase == "idle" && status.ended.is_some() {
            return;
        }
        let wanted = match (status.phase, left) {
            ("idle", [first, ..]) => Some(first.clone()),
            ("half-way", [.., Order::RollBack { .. }]) => Some(back()),
            _ => None,
        };
        let offered = || match status.next.order.clone()? {
            Order::Begin { stretch, .. } => Some(begin(&stretch)),
            Order::RollBack { .. } => Some(back()),
            Order::Recover { .. } => {
                Some(Order::Recover { confirm: "lab".into(), reason: "the disk was restored".into() })
            }
            order => Some(order),
        };
        let aside = || alarm(&status).map(|fact| Order::SetAside { fact: fact.into(), reason: "looked at it".into() });
        let order = wanted.or_else(aside).or_else(offered);
        let order = order.unwrap_or_else(|| panic!("{what}: nothing is offered: {:?} {:?}", status.next, status.gates));
        match desk.run(order.clone()).await {
            Ok(_) => {}
            Err(RunFault::Fault(fault)) if fault.message.starts_with("waits for") => {}
            // It is set aside next.
            Err(RunFault::Fault(_)) if alarm(&desk.status()).is_some() => {}
            Err(fault) => panic!("{what}: {order:?}: {fault}"),
        }
        rig.is_well(&format!("{what}: behind {order:?}"));
    }
}

async fn deaths(name: &'static str) {
    let (told, calls) = walk(name, None).await;
    assert!(told > 20 && calls > 30, "{name}: told {told} times, {calls} calls");
    let records = (1..=told).map(Point::Record);
    let calls = (1..=calls).flat_map(|at| [Moment::Before, Moment::After].map(|moment| Point::Call(at, moment)));
    let points: Vec<Point> = records.chain(calls).collect();
    let all = points.len();
    let chosen = sample::chosen(&format!("deaths of a kOps case, {name}"), points, 1);
    let count = chosen.len();
    for point in chosen {
        walk(name, Some(point)).await;
    }
    println!("kOps {name}: {count} deaths walked of {all}, each with the same end, nobody locked out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_on_the_way_forward_it_ends_rotated_and_locks_nobody_out() {
    deaths("forward").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_on_the_way_back_from_staged_it_ends_where_it_began() {
    deaths("back from staged").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_on_the_way_back_from_promoted_it_ends_where_it_began() {
    deaths("back from promoted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_on_the_way_back_from_distrusted_it_ends_where_it_began() {
    deaths("back from distrusted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_has_opened_shuts_again_where_the_cluster_is_not_well() {
    let rig = Rig::new().await;
    let desk = rig.desk().await;
    go(&rig, &desk, &[begin("rotate")]).await.unwrap();
    rig.kops().spoil(|mischief| mischief.unwell = true);
    let shut = desk.run(begin("promote")).await.unwrap_err().to_string();
    assert!(shut.contains("validate: validate cluster: ") && shut.contains("has not yet joined"), "{shut}");
    assert_eq!(first_awaited(&desk.status()), None);
    assert_eq!(told(&desk.status())["validates"], false);
}
