//! Snapshots of a Kubernetes cluster's journal at every moment of a whole case, put back at every later one: one clear refusal, what is
//! offered leads out, no second keypair is made, and nobody is locked out.

use super::fernet_case::Watches;
use super::kops_case::to_the_end;
use super::kops_rig::{Rig, go, seat, way};
use crate::sample;
use changeguard::adapters::store::SqlJournal;
use changeguard::engine::case::machine::{Order, Refusal};
use changeguard::engine::step::Progress;
use changeguard::runbooks::kops::Kops;
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker, RunFault};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
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

pub fn state(rig: &Rig) -> PathBuf {
    rig.folder.path().join("state")
}

pub fn copy(state: &Path, from: &str, to: &str) {
    for file in FILES {
        let _ = std::fs::copy(state.join(format!("{file}{from}")), state.join(format!("{file}{to}")));
    }
}

/// The copy is the journal again.
pub fn put_back(rig: &Rig) {
    for file in ["journal.db-wal", "journal.db-shm", "journal.db"] {
        let _ = std::fs::remove_file(state(rig).join(file));
    }
    copy(&state(rig), ".copy", "");
}

/// A desk whose store has a witness, as the program's has.
pub async fn desk(rig: &Rig, onlooker: Arc<dyn Onlooker>) -> CaseDesk<Kops> {
    let store = SqlJournal::in_folder(&state(rig)).await.unwrap().witnessed_in(&state(rig));
    CaseDesk::new(seat(Arc::new(store), onlooker), rig.world())
}

/// Goes the way; the journal of one moment is put back at a later one. Gives how often it was told something.
async fn goes(rig: &Rig, name: &str, at: u64, later: u64) -> u64 {
    let (told, stop) = (Mutex::new(0), Notify::new());
    let moments = Arc::new(Moments { state: state(rig), at, later, told, stop });
    let desk = desk(rig, moments.clone()).await;
    desk.reload().await.unwrap();
    for order in way(name) {
        let orders = [order];
        tokio::select! {
            biased;
            () = moments.stop.notified() => break,
            result = go(rig, &desk, &orders) => result.unwrap(),
        }
    }
    *moments.told.lock().unwrap()
}

/// Walks one pair. `None`: nothing is lost between the two. Gives how it ended.
async fn walk(name: &str, at: u64, later: u64) -> Option<String> {
    let (rig, when) = (Rig::small().await, format!("{name}: moment {at} put back at {later}"));
    goes(&rig, name, at, later).await;
    put_back(&rig);
    let desk = desk(&rig, Arc::<Watches>::default()).await;
    desk.reload().await.unwrap();
    desk.look().await;
    let status = desk.status();
    if !status.attention.first().is_some_and(|text| text.starts_with("THE END")) {
        return None;
    }
    let refused = desk.run(Order::Resume).await.unwrap_err();
    assert!(matches!(refused, RunFault::Refused(Refusal::JournalLost(_))), "{when}: {refused}");
    let before = rig.kops().state();
    let recover = Order::Recover { confirm: "lab".into(), reason: "the disk was restored".into() };
    desk.run(recover).await.unwrap_or_else(|fault| panic!("{when}: {fault}"));
    assert_eq!(rig.kops().state(), before, "{when}: recover changed something");
    if desk.status().phase != "idle" {
        to_the_end(&rig, &desk, &[], &when).await;
    }
    rig.is_well(&when);
    let ended = desk.status().ended.unwrap_or("never begun");
    for name in &rig.only {
        let pairs = rig.kops().state().keysets[name].len();
        assert!(pairs <= 2, "{when}: {pairs} keypairs of {name}");
    }
    match ended {
        "done" | "rolled back" => rig.is_clean(desk.status().ended, &when),
        other => assert!(other.starts_with("ended in a lost") || other == "cancelled", "{when}: {other}"),
    }
    Some(ended.to_owned())
}

async fn walk_all(name: &'static str) {
    let told = goes(&Rig::small().await, name, 0, 0).await;
    let pairs: Vec<(u64, u64)> = (2..=told).flat_map(|later| (1..later).map(move |at| (at, later))).collect();
    let all = pairs.len();
    // Of some thousand, so many at most where all are walked.
    let every = if sample::is_all() { (all / 150).max(1) } else { 1 };
    let (ends, on_the_way): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(_, later)| *later == told);
    // One that is put back behind the end is what somebody does who restores a file the next morning.
    let ends: Vec<(u64, u64)> = ends.into_iter().step_by(every.min(4)).collect();
    let on_the_way: Vec<(u64, u64)> = on_the_way.into_iter().step_by(every).collect();
    let what = format!("a Kubernetes cluster's journals put back, {name}");
    let mut chosen = sample::chosen(&format!("{what}, behind the end"), ends, 1);
    chosen.extend(sample::chosen(&what, on_the_way, 1));
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut walked = 0;
    for (at, later) in chosen {
        if let Some(end) = walk(name, at, later).await {
            walked += 1;
            *ends.entry(end).or_default() += 1;
        }
    }
    println!("kOps {name}: {walked} journals put back walked of {all}: {ends:?}");
    assert!(told > 3, "{name}: told {told} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_rotation_makes_no_second_keypair_and_locks_nobody_out() {
    walk_all("forward").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_way_back_locks_nobody_out() {
    walk_all("back from distrusted").await;
}
