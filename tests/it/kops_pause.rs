//! A roll that somebody pauses between two instance groups, with a reason, from where it runs and from elsewhere: it stops behind the group
//! that it is at, nothing goes on by itself, and what is done is not done again.

use super::kops_rig::{Rig, begin, go, seat, way};
use changeguard::adapters::store::SqlJournal;
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::tend::Tending;
use changeguard::engine::journal::{Holder, Instance, JournalStore};
use changeguard::engine::step::Progress;
use changeguard::runbooks::kops::Kops;
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Tells when the first group begins to roll.
#[derive(Default)]
struct Rolls(Notify);

impl Onlooker for Rolls {
    fn changed(&self, desk: &dyn Desk) {
        let journal = desk.status().journal;
        if journal.last().is_some_and(|line| line.text == "control-plane-main begins to roll") {
            self.0.notify_one();
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

fn pause() -> Order {
    Order::Pause { reason: "the shop closes at nine".into() }
}

async fn slow() -> Rig {
    let rig = Rig::with(|options| {
        (options.control_plane, options.nodes, options.roll) = (2, 1, Duration::from_millis(150));
    });
    Rig { only: vec!["kubernetes-ca".into()], ..rig.await }
}

fn rolled(rig: &Rig, group: &str) -> usize {
    let words = rig.kops().words();
    words.iter().filter(|words| words.contains(&format!("--yes --instance-group {group}"))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_pause_stops_behind_the_group_that_rolls_and_goes_on_with_the_next() {
    let rig = slow().await;
    let rolls = Arc::new(Rolls::default());
    let desk = rig.desk_of(rig.world(), rolls.clone()).await;
    let none = desk.run(pause()).await.unwrap_err().to_string();
    assert!(none.contains("no case is open"), "{none}");
    let asks = async {
        rolls.0.notified().await;
        let open = desk.status().verbs.into_iter().find(|offer| offer.verb == "pause").unwrap();
        assert_eq!(open.shut, None, "it is said to what is at work");
        desk.run(pause()).await.unwrap()
    };
    let (ended, said) = tokio::join!(desk.run(begin("rotate")), asks);
    assert!(said.contains("stops behind the instance group"), "{said}");
    let stopped = ended.unwrap_err().to_string();
    assert_eq!(stopped, "gate: paused by ada: the shop closes at nine");
    assert_eq!((rolled(&rig, "control-plane-main"), rolled(&rig, "nodes-main")), (1, 0));
    rig.is_well("paused");
    desk.look().await;
    let status = desk.status();
    assert_eq!(
        (status.phase, status.paused.as_ref().map(|said| said.reason.as_str())),
        ("paused", Some("the shop closes at nine"))
    );
    assert!(status.attention.iter().any(|line| line.starts_with("paused by ada")), "{:?}", status.attention);
    assert!(status.steps.iter().all(|step| step.word() != "interrupted"), "{:?}", status.steps);
    assert!(status.steps.iter().any(|step| step.word() == "paused"), "{:?}", status.steps);
    assert!(status.attention.iter().any(|line| line.contains("no new node can join")), "{:?}", status.attention);
    assert!(status.next.text.contains("resume goes on"), "{:?}", status.next);
    assert!(
        matches!(desk.tending(), Tending::Person(why) if why.contains("paused by ada")),
        "nothing goes on by itself"
    );
    assert!(status.journal.iter().any(|line| line.incident && line.text.starts_with("paused by ada")));
    // Whoever is not at work can't be asked.
    let idle = desk.run(pause()).await.unwrap_err().to_string();
    assert!(idle.contains("nothing is at work"), "{idle}");
    // What was asked before is no word for what is done now.
    desk.run(Order::Resume).await.unwrap();
    assert_eq!((rolled(&rig, "control-plane-main"), rolled(&rig, "nodes-main")), (1, 1));
    assert_eq!(desk.status().paused, None);
    rig.hand_over(&desk).await;
    go(&rig, &desk, &way("forward")[1..]).await.unwrap();
    rig.is_clean(Some("done"), "paused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kops_pause_from_elsewhere_is_heard_and_a_way_back_can_be_paused_as_well() {
    let rig = slow().await;
    let rolls = Arc::new(Rolls::default());
    let desk = rig.desk_of(rig.world(), rolls.clone()).await;
    let store: Arc<dyn JournalStore> = Arc::new(SqlJournal::in_folder(&rig.folder.path().join("state")).await.unwrap());
    let mut other = seat(store, Arc::<super::fernet_case::Watches>::default());
    let instance = Instance { id: "bob@desk".into(), boot: "c".into(), namespace: "m".into(), started: 2 };
    other.me = Holder::new("bob".into(), "desk".into(), 2, Timestamp::now(), instance);
    other.actor.by = "bob".into();
    let other = CaseDesk::<Kops>::new(other, rig.world());
    let asks = async {
        rolls.0.notified().await;
        other.run(pause()).await.unwrap();
        let next = other.status().next;
        assert!(next.order.is_none() && next.text.contains("held by"), "{next:?}");
    };
    let (ended, _) = tokio::join!(desk.run(begin("rotate")), asks);
    assert_eq!(ended.unwrap_err().to_string(), "gate: paused by bob: the shop closes at nine");
    assert_eq!(rolled(&rig, "nodes-main"), 0);
    // From a pause the way back is open.
    let asks = async {
        rolls.0.notified().await;
        other.run(pause()).await.unwrap()
    };
    let (ended, _) = tokio::join!(desk.run(super::kops_rig::back()), asks);
    // One group had rolled: behind it there is nothing left to stop before.
    let _ = ended;
    desk.reload().await.unwrap();
    if desk.status().phase != "idle" {
        assert_eq!(desk.status().phase, "paused");
        desk.run(Order::Resume).await.unwrap();
    }
    rig.is_clean(Some("rolled back"), "paused from elsewhere");
}
