//! Snapshots of a rotation's journal at every record, put back at every later moment: nothing is rotated a second time, nobody is
//! mailed a second time, one clear refusal, and what is offered leads out.

use crate::offered::{TENANT, Way, agent, decide, offered, public, word};
use crate::sample;
use crate::scene::Scene;
use changeguard::adapters::lab::{Lab, LabOptions, LabWorld};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::tenant::Tenant;
use changeguard::engine::audit;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::record::{Cause, Entry, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::run::RunError;
use changeguard::runtime::wiring::Wiring;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Labs that are walked side by side.
const SIDE_BY_SIDE: usize = 4;
/// More actions than this lead nowhere.
const ACTIONS: usize = 40;
/// So many pairs of each way are walked in `cargo test`.
const MOST: usize = 6;
/// A loaded machine is slow, a wrong program is for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Copies the journal at one record, and stops at a later one.
struct Moments {
    state: PathBuf,
    /// At this record, or the first durable one after it.
    copied_at: u64,
    stops_at: u64,
    copied: Mutex<Option<u64>>,
    stopped: AtomicU64,
    stop: Notify,
}

const FILES: [&str; 2] = ["journal.db", "journal.db-wal"];

impl Watcher for Moments {
    fn changed(&self, conductor: &Conductor) {
        let Some(seq) = conductor.rotation().map(|rotation| rotation.seq) else { return };
        let mut copied = self.copied.lock().unwrap();
        if copied.is_none() && seq >= self.copied_at {
            // Told between two writes: the file and its log are at rest.
            for file in FILES {
                let _ = std::fs::copy(self.state.join(file), self.state.join(format!("{file}.copy")));
            }
            *copied = Some(seq);
        }
        if seq >= self.stops_at && self.stopped.load(Ordering::SeqCst) == 0 {
            self.stopped.store(seq, Ordering::SeqCst);
            self.stop.notify_one();
        }
    }

    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

/// The folder in which the journal is.
fn state_of(folder: &Path) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name == "journal.db") {
                return path.parent().unwrap().to_owned();
            }
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    panic!("no journal was made");
}

struct Stage {
    lab: Lab,
    agent: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

impl Stage {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = crate::scene::folder();
        let options =
            LabOptions { console: true, ..LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard")) };
        let lab = Lab::start(options).await.unwrap();
        let agent = tokio::spawn(agent(lab.world().clone()));
        Self { lab, agent, folder }
    }

    async fn wiring(&self) -> Wiring {
        let mut config = changeguard::config::load(Some(self.lab.config_path()), &|_| None).unwrap();
        // No way back waits longer for a cycle than that.
        config.wireguard.reconcile_interval = std::time::Duration::from_secs(3);
        Wiring::open(config).await.unwrap()
    }

    async fn conductor(wiring: &Wiring, watcher: Arc<dyn Watcher>) -> Arc<Conductor> {
        let (tenants, _) = wiring.tenants().await;
        wiring.fleet(tenants, watcher).unwrap().find(TENANT).unwrap().clone()
    }

    /// A rotation up to the moment; gives its journal so far. `None`: it ended before.
    async fn up_to(&self, way: Way, moments: &Arc<Moments>) -> Vec<Entry> {
        let wiring = self.wiring().await;
        let acme = Self::conductor(&wiring, moments.clone()).await;
        let (window, cause) = (Scene::open_window(), Cause::Scheduled);
        let mut commands = VecDeque::from([Command::Plan { window, cause, reference: String::new() }]);
        let mut turned = false;
        let is_stopped = || moments.stopped.load(Ordering::SeqCst) > 0;
        loop {
            while let Some(command) = commands.pop_front().filter(|_| !is_stopped()) {
                // Whatever it was doing is dropped, as by a death; a pair that was begun is finished.
                tokio::select! {
                    biased;
                    () = moments.stop.notified() => {}
                    _ = acme.run(command) => {}
                }
            }
            if is_stopped() {
                break;
            }
            acme.look().await;
            let status = serde_json::to_value(acme.status()).unwrap();
            let Some((action, next)) = decide(way, &status, self.lab.world(), &mut turned) else { break };
            if action == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            commands = next.into();
        }
        self.lab.world().until(PATIENCE, |world| world.key_secrets(TENANT).len() == 1).await;
        acme.entries()
    }

    /// Puts the copy back, as somebody would who restores a file.
    fn put_back(&self, state: &Path) {
        for file in ["journal.db-wal", "journal.db-shm", "journal.db"] {
            let _ = std::fs::remove_file(state.join(file));
        }
        for file in FILES {
            let copy = state.join(format!("{file}.copy"));
            if copy.exists() {
                std::fs::copy(copy, state.join(file)).unwrap();
            }
        }
    }

    /// Walks one pair. `Ok(false)`: nothing is lost between the two.
    async fn walk(&self, way: Way, copied_at: u64, stops_at: u64) -> Result<bool, String> {
        let first = live(self.lab.world());
        // The state folder is made by the first who opens it.
        drop(self.wiring().await);
        let state = state_of(self.folder.path());
        let (copied, stopped, stop) = (Mutex::default(), AtomicU64::new(0), Notify::new());
        let moments = Arc::new(Moments { state: state.clone(), copied_at, stops_at, copied, stopped, stop });
        let written = self.up_to(way, &moments).await;
        let lost = Rotation::fold(&written).unwrap();
        let copied = moments.copied.lock().unwrap().ok_or("it was never copied")?;
        if copied >= lost.seq {
            return Ok(false);
        }
        self.put_back(&state);
        let wiring = self.wiring().await;
        let acme = Self::conductor(&wiring, Arc::new(crate::scene::Silent)).await;
        let at = live(self.lab.world());
        let mut done = refusals(&wiring, &acme, self.lab.world()).await?;
        for _ in 0..ACTIONS {
            acme.look().await;
            let status = serde_json::to_value(acme.status()).unwrap();
            let Some(commands) = offered(&status, self.lab.world()) else {
                let wrong = wrong(self.lab.world(), &wiring, &acme, (&first, &at), &lost).await;
                return if wrong.is_empty() { Ok(true) } else { Err(format!("{wrong:#?} after {done:#?}")) };
            };
            if word(&status) == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            for command in commands {
                let ended = acme.run(command).await.map_err(|error| error.to_string());
                done.push(format!("{}: {ended:?}", status["next"]["text"]));
            }
        }
        Err(format!("it leads nowhere: {done:#?}"))
    }
}

fn live(world: &LabWorld) -> Vec<String> {
    world.key_secrets(TENANT).iter().map(|s| public(s.payload.as_deref().unwrap_or_default())).collect()
}

/// The refusal is clear, everywhere, and nothing goes past it.
async fn refusals(wiring: &Wiring, acme: &Conductor, world: &LabWorld) -> Result<Vec<String>, String> {
    acme.look().await;
    let status = serde_json::to_value(acme.status()).unwrap();
    let text = acme.status().lost.map(|lost| lost.to_string()).ok_or("it is not said")?;
    let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}: {status}")) };
    must(word(&status) == "recover", "recover is not offered")?;
    must(status["attention"][0].as_str() == Some(&text), "it does not lead what needs attention")?;
    must(status["gate"] != "open", "the gate is open")?;
    must(text.contains("record") && text.contains("UTC"), "it says too little")?;
    let tables = wiring.store().tables().await.unwrap();
    let found = audit::verify(&tables, None, &wiring.store().seen());
    must(found.iter().any(|verdict| verdict.finding.is_some()), "the audit calls it intact")?;
    let before = (world.mails().len(), live(world), world.secrets("").len());
    let notify = |kind| Command::Notify { kind, only: None, again: false };
    let (confirm, reason) = (TENANT.to_owned(), "x".to_owned());
    for command in [
        Command::Rotate { confirm: confirm.clone(), through_tunnel: String::new() },
        notify(NoticeKind::Announcement),
        notify(NoticeKind::Reconfigure),
        Command::Resume,
        Command::Cancel { confirm, reason },
        Command::Finish { note: String::new(), despite: String::new() },
    ] {
        let word = command.word();
        match acme.run(command).await {
            Err(RunError::Refused(Refusal::JournalLost(lost))) if lost.to_string() == text => {}
            other => return Err(format!("{word} gave {other:?}")),
        }
    }
    must(before == (world.mails().len(), live(world), world.secrets("").len()), "something was changed")?;
    Ok(vec![text])
}

/// What does not hold in the end. `lost` is the journal as it was. `first` was live before the rotation, `at` when the journal was put back.
async fn wrong(
    world: &LabWorld,
    wiring: &Wiring,
    acme: &Conductor,
    (first, at): (&[String], &[String]),
    lost: &Rotation,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, text: String| {
        if !holds {
            wrong.push(text);
        }
    };
    let now = live(world);
    must(now.len() == 1, format!("{} secrets of the name", now.len()));
    // What was changed before stays, or is what its way back was to. A pair may have been on its way at that moment.
    let back = lost.rollback.is_some();
    if at != first && !back {
        let staged = lost.target().map(|key| key.to_string());
        must(now.first() == staged.as_ref(), "it was rotated a second time".into());
    }
    let shown = world.server(TENANT).unwrap().public_key;
    must(now == [shown.clone()], format!("the interface shows {shown}, not {now:?}"));
    let tenant = world.tenant(TENANT).unwrap().id;
    let object = String::from_utf8(world.object(&tenant, "config/vpn-users.json").unwrap()).unwrap();
    must(now.first().is_some_and(|key| object.contains(key)), "the object holds another key".into());
    let left: Vec<String> =
        world.secrets("").into_iter().map(|s| s.name).filter(|name| name.starts_with("changeguard-")).collect();
    must(left.is_empty(), format!("kept keys are left: {left:?}"));
    let mut counts: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for mail in world.mails() {
        let header = |name| mail.header(name).unwrap_or_default();
        must(ids.insert(header("Message-ID")), format!("sent twice: {}", header("Message-ID")));
        counts.entry((header("To"), header("X-Changeguard-Kind"))).or_default().insert(header("Message-ID"));
    }
    for ((to, kind), mails) in counts {
        // Once on each leg.
        let most = if back && kind == "reconfigure" { 2 } else { 1 };
        must(mails.len() <= most, format!("{} mails {kind} to {to}", mails.len()));
    }
    acme.reload().await.unwrap();
    must(acme.rotation().is_none_or(|rotation| rotation.outcome.is_some()), "it did not end".into());
    let recovered = acme.entries().iter().any(|entry| matches!(entry.record, Record::Recovered { .. }));
    must(recovered, "it is not on record".into());
    let tables = wiring.store().tables().await.unwrap();
    let verdicts = audit::verify(&tables, None, &wiring.store().seen());
    must(verdicts.iter().all(|verdict| verdict.finding.is_none()), format!("{verdicts:?}"));
    wrong
}

async fn walk_all(way: Way) {
    let began = std::time::Instant::now();
    let stage = Stage::start().await;
    drop(stage.wiring().await);
    let state = state_of(stage.folder.path());
    let (copied, stopped, stop) = (Mutex::default(), AtomicU64::new(0), Notify::new());
    let never = Moments { state, copied_at: u64::MAX, stops_at: u64::MAX, copied, stopped, stop };
    let records = stage.up_to(way, &Arc::new(never)).await.len() as u64;
    drop(stage);
    let pairs: Vec<(u64, u64)> = (2..=records).flat_map(|later| (1..later).map(move |at| (at, later))).collect();
    let all = pairs.len();
    let pairs = sample::chosen(&format!("journals put back, {way:?}"), pairs, MOST);
    assert!(records > 10, "{records} records");
    let queue = Arc::new(Mutex::new(VecDeque::from(pairs)));
    let (walked, same) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let failures = Arc::new(Mutex::new(Vec::<String>::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (queue, walked, same, failures) = (queue.clone(), walked.clone(), same.clone(), failures.clone());
        tasks.spawn(async move {
            loop {
                let pair = queue.lock().unwrap().pop_front();
                let Some((at, later)) = pair.filter(|_| failures.lock().unwrap().len() < 6) else { return };
                match Stage::start().await.walk(way, at, later).await {
                    Ok(true) => _ = walked.fetch_add(1, Ordering::SeqCst),
                    Ok(false) => _ = same.fetch_add(1, Ordering::SeqCst),
                    Err(wrong) => failures.lock().unwrap().push(format!("record {at} put back at {later}: {wrong}")),
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let failures = failures.lock().unwrap().clone();
    assert!(failures.is_empty(), "{} wrong:\n{}", failures.len(), failures.join("\n\n"));
    let (walked, same) = (walked.load(Ordering::SeqCst), same.load(Ordering::SeqCst));
    let took = began.elapsed();
    println!(
        "{way:?}: {records} records, {walked} of {all} journals put back walked, {same} of one batch, in {took:.0?}"
    );
    assert!(walked > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_rotation_rotates_and_mails_nobody_twice() {
    walk_all(Way::Forward).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_rollback_rotates_and_mails_nobody_twice() {
    walk_all(Way::Back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_put_back_at_any_later_moment_of_a_cancellation_rotates_and_mails_nobody_twice() {
    walk_all(Way::Cancel).await;
}
