//! The rotator is down, or rotates no more, in the middle of a case: another goes on without a second promotion; and what is shown of
//! old tokens by a process that has gone on with a case.

use super::fernet_case::{Watches, back, begin, desk_of, is_clean, nothing_lost, world};
use super::fernet_rig::{Rig, own};
use crate::sample;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service};
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::status::Status;
use changeguard::engine::step::Progress;
use changeguard::runbooks::fernet::World;
use changeguard::runtime::case::{Desk, Onlooker};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// Does something once, when the journal's last line has this in it.
struct Once {
    line: &'static str,
    rig: OnceLock<Arc<Rig>>,
    done: AtomicBool,
    stop: Notify,
}

impl Once {
    /// Nothing but that it stops there.
    fn stops(line: &'static str) -> Arc<Self> {
        Arc::new(Self { line, rig: OnceLock::new(), done: AtomicBool::new(false), stop: Notify::new() })
    }

    /// The first node's power goes.
    fn cuts(line: &'static str, rig: &Arc<Rig>) -> Arc<Self> {
        let once = Self::stops(line);
        let _ = once.rig.set(rig.clone());
        once
    }
}

impl Onlooker for Once {
    fn changed(&self, desk: &dyn Desk) {
        let status = desk.status();
        let is_it = status.journal.last().is_some_and(|line| line.text.contains(self.line));
        if is_it && !self.done.swap(true, Ordering::SeqCst) {
            match self.rig.get() {
                Some(rig) => rig.cluster().power(0, false),
                None => self.stop.notify_one(),
            }
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

/// The same cluster with another rotator, without the first node where that is gone.
fn handed_over(rig: &Rig, is_gone: bool) -> World {
    let mut world = world(rig);
    world.rotator = world.nodes[1].name.clone();
    if is_gone {
        world.nodes.remove(0);
    }
    world
}

/// What is offered: the order, or else that what has no order is set aside.
fn offered(status: &Status) -> Order {
    match status.next.order.clone() {
        Some(Order::Begin { stretch, .. }) => begin(&stretch),
        Some(Order::RollBack { .. }) => back(),
        Some(Order::SetAside { fact, .. }) => {
            assert!(status.next.asks == ["reason"] && fact == "left-out", "{:?}", status.next);
            Order::SetAside { fact, reason: "its disk is broken".into() }
        }
        Some(order) => order,
        None => panic!("nothing is offered: {:?}", status.next),
    }
}

/// Goes on with what is offered until the case has ended; gives how.
async fn to_the_end(rig: &Rig, world: World, when: &str) -> String {
    let desk = desk_of(rig, world, Arc::new(Watches::default())).await;
    for acts in 0.. {
        desk.reload().await.unwrap();
        desk.look().await;
        let status = desk.status();
        if status.phase == "idle" && status.ended.is_some() {
            return status.ended.unwrap_or_default().to_owned();
        }
        assert!(acts < 20, "{when}: no end: {:?}", status.next);
        let order = offered(&status);
        desk.run(order.clone()).await.unwrap_or_else(|fault| panic!("{when}: {order:?}: {fault}"));
    }
    unreachable!()
}

/// The highest index of a node: one promotion raises it by one.
fn primary(rig: &Rig, node: usize) -> u32 {
    rig.names(node).iter().filter_map(|name| name.parse().ok()).max().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_rotator_gone_at_any_step_another_goes_on_and_nothing_is_promoted_twice() {
    // What is said while it is away and still one of the nodes, and how the case ends without it.
    let points = [
        ("step 2 started", "", "done"),
        ("step 3 started", "or name another rotator in the configuration, which prepares then; then resume", "done"),
        ("step 4 started", "take it out of the configuration; then cancel", "cancelled"),
        ("step 5 started", "", "done"),
        ("node0: in force", "", "done"),
        ("step 6 started", "", "done"),
        ("step 8 started", "", "done"),
    ];
    for (line, said, end) in sample::chosen("steps at which the rotator goes", points.to_vec(), 2) {
        let rig = Arc::new(Rig::new().await);
        let (old, first) = (rig.token(1).await, primary(&rig, 1));
        let cuts = Once::cuts(line, &rig);
        {
            let desk = desk_of(&rig, world(&rig), cuts.clone()).await;
            desk.reload().await.unwrap();
            for order in [begin("rotate"), begin("purge")] {
                if desk.run(order).await.is_err() {
                    break;
                }
            }
            desk.look().await;
            let status = desk.status();
            assert!(cuts.done.load(Ordering::SeqCst), "{line}: {:?}", status.next);
            assert!(status.next.text.contains(said), "{line}: {:?}", status.next);
        }
        assert_eq!(to_the_end(&rig, handed_over(&rig, true), line).await, end, "{line}");
        assert_eq!(primary(&rig, 1) - first, u32::from(end == "done"), "{line}");
        if end != "done" {
            // Nothing of it is left, and the other may begin anew.
            let desk = desk_of(&rig, handed_over(&rig, true), Arc::new(Watches::default())).await;
            desk.run(begin("rotate")).await.unwrap();
            assert_eq!(primary(&rig, 1) - first, 1, "{line}");
        }
        nothing_lost(&rig, line);
        assert_eq!(rig.names(1), rig.names(2), "{line}");
        assert_eq!(own(rig.port(2), &old).await, 200, "{line}: issued before");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_rotator_goes_on_with_what_the_former_has_prepared() {
    for line in ["key 0 (", "step 4 started", "node0: placed"] {
        let rig = Rig::new().await;
        let first = primary(&rig, 0);
        let stops = Once::stops(line);
        {
            let desk = desk_of(&rig, world(&rig), stops.clone()).await;
            desk.reload().await.unwrap();
            tokio::select! {
                biased;
                () = stops.stop.notified() => {}
                result = desk.run(begin("rotate")) => panic!("{line}: {result:?}"),
            }
        }
        assert_eq!(to_the_end(&rig, handed_over(&rig, false), line).await, "done", "{line}");
        assert_eq!(primary(&rig, 0), first + 1, "{line}");
        nothing_lost(&rig, line);
    }
}

/// Keystone-manage on the first rotator ends behind a kill, and nobody hears of it; the second one prepares, and the first is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_killed_preparation_on_the_former_rotator_gives_way_as_our_own_or_is_taken_away() {
    for cancels in [false, true] {
        let rig = Rig::new().await;
        let (first, before) = (primary(&rig, 0), rig.names(0));
        // A look, which takes two calls here, comes before it.
        let unheard = Rule::new(Service::NodeShell, Fault::LoseAnswer(Loss::Close)).path("node0").nth(3);
        let lab = rig.lab.world().clone();
        let once = super::fernet_left::Once::at("step 3 started", move || _ = lab.faults().add(unheard));
        let failed = desk_of(&rig, world(&rig), once).await.run(begin("rotate")).await.unwrap_err().to_string();
        assert!(failed.contains("node0"), "{failed}");
        rig.lab.faults().clear();
        let copy = rig.cluster().etc(0).join("fernet-keys.next");
        assert!(copy.is_dir(), "it was made all the same");
        let desk = desk_of(&rig, handed_over(&rig, false), Arc::new(Watches::default())).await;
        if cancels {
            desk.run(Order::Cancel { note: String::new() }).await.unwrap();
            assert_eq!(desk.status().ended, Some("cancelled"));
            is_clean(&rig, &before.iter().map(String::as_str).collect::<Vec<_>>(), "cancelled");
            continue;
        }
        rig.cluster().power(0, false);
        desk.run(Order::Resume).await.unwrap_err();
        rig.cluster().power(0, true);
        assert_eq!(to_the_end(&rig, handed_over(&rig, false), "it is back").await, "done");
        assert_eq!((primary(&rig, 0), rig.names(0)), (first + 1, rig.names(1)));
        nothing_lost(&rig, "it is back");
        let names = rig.names(0);
        is_clean(&rig, &names.iter().map(String::as_str).collect::<Vec<_>>(), "it is back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_goes_on_shows_tokens_of_the_former_key_as_far_as_a_node_issues_any_and_says_so() {
    let points = [
        (
            "step 5 started",
            "36 of 36 tokens accepted (new ones, and ones that node0, node1, node2 issued with the former key",
        ),
        (
            "node0: in force",
            "30 of 30 tokens accepted (new ones, and ones that node1, node2 issued with the former key",
        ),
        ("step 6 started", "18 of 18 tokens accepted (new ones only: those of before are in no process any more"),
    ];
    for (line, said) in points {
        let rig = Rig::new().await;
        let stops = Once::stops(line);
        {
            let desk = desk_of(&rig, world(&rig), stops.clone()).await;
            desk.reload().await.unwrap();
            tokio::select! {
                biased;
                () = stops.stop.notified() => {}
                result = desk.run(begin("rotate")) => panic!("{line}: {result:?}"),
            }
        }
        let desk = desk_of(&rig, world(&rig), Arc::new(Watches::default())).await;
        desk.run(Order::Resume).await.unwrap();
        let verified = serde_json::to_value(&desk.status().steps[5]).unwrap()["evidence"].as_str().unwrap().to_owned();
        assert!(verified.contains(said), "{line}: {verified}");
        nothing_lost(&rig, line);
    }
}
