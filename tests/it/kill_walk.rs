//! Kill -9 at every record and at every external call of a rotation, a rollback and a cancellation, of the real binary on
//! the embedded lab. After each death only what is offered is done, and the end is the same.

use crate::offered::{Before, TENANT, Way, agent, arguments, decide, offered, word, wrong_in_the_end};
use crate::pty::PATIENCE;
use crate::sample;
use crate::scene::Scene;
use changeguard::adapters::lab::{Lab, LabOptions, Moment};
use changeguard::domain::step::StepNumber;
use changeguard::engine::command::Command;
use changeguard::engine::record::{Cause, Record};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fleet::Fleet;
use changeguard::runtime::wiring::Wiring;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");
/// Labs that are walked side by side.
const SIDE_BY_SIDE: usize = 6;
/// More actions than this lead nowhere.
const ACTIONS: usize = 25;
/// So many points of each action are walked in `cargo test`.
const MOST: usize = 3;

/// So many times in all a process may end before it has come to its point.
const MISSED: usize = 60;

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// At the n-th record that it writes.
    Record(u64, Moment),
    /// At the n-th call that the lab receives from it.
    Call(u64, Moment),
}

/// How a process ended.
enum End {
    Dead,
    Alive(Value),
}

struct Stage {
    lab: Lab,
    fleet: Fleet,
    wiring: Wiring,
    agent: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
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
        let options = LabOptions { console: true, ..LabOptions::still(folder.path(), PROGRAM) };
        let lab = Lab::start(options).await.unwrap();
        // No way back waits longer for a cycle than that.
        let text = std::fs::read_to_string(lab.config_path()).unwrap();
        std::fs::write(lab.config_path(), text.replace("\"3600s\"", "\"5s\"")).unwrap();
        let config = changeguard::config::load(Some(lab.config_path()), &|_| None).unwrap();
        let wiring = Wiring::open(config).await.unwrap();
        let (tenants, _) = wiring.tenants().await;
        let fleet = wiring.fleet(tenants, Arc::new(crate::scene::Silent)).unwrap();
        let agent = tokio::spawn(agent(lab.world().clone()));
        Self { lab, fleet, wiring, agent, _folder: folder }
    }

    fn acme(&self) -> &Conductor {
        self.fleet.find(TENANT).unwrap()
    }

    async fn plan(&self, way: Way) {
        let cause = if way == Way::Fresh { Cause::Compromise } else { Cause::Scheduled };
        self.acme().reload().await.unwrap();
        // Two, where the login of whoever runs this proves nobody.
        for person in ["bob", "eve"] {
            if self.acme().status().review.is_some() {
                let note = "a rehearsal".to_owned();
                let another = crate::scene::as_person(&self.wiring, self.acme(), person);
                another.run(Command::CloseReview { note }).await.unwrap();
                self.acme().reload().await.unwrap();
            }
        }
        let window = Scene::open_window();
        self.acme().run(Command::Plan { window, cause, reference: String::new() }).await.unwrap();
    }

    /// A record of `rotate` at which the keys are kept and the server is not touched yet.
    async fn staged_at(&self) -> Point {
        self.plan(Way::Forward).await;
        let mut status = self.here(Command::Verify).await;
        while let Some(commands) = offered(&status, self.lab.world()) {
            if word(&status) == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            for command in commands {
                status = self.here(command).await;
            }
        }
        let entries = self.acme().entries();
        let started = |step| {
            entries.iter().position(|e| matches!(e.record, Record::StepStarted { step: s } if s == step)).unwrap()
                as u64
        };
        Point::Record(started(StepNumber::SECRET) - started(StepNumber::CHECK) + 1, Moment::Before)
    }

    fn command(&self, arguments: &[String]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(PROGRAM);
        command.arg("--config").arg(self.lab.config_path()).args(arguments);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("USER", "ops");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// What is true, as a process prints it.
    async fn status(&self) -> Value {
        let arguments = ["status", TENANT, "--json"].map(str::to_owned);
        let output = tokio::time::timeout(PATIENCE, self.command(&arguments).output()).await.unwrap().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Does it as a process, which is killed at the point. Gives the status that a process that lived printed.
    async fn as_process(&self, command: &Command, point: Option<Point>) -> End {
        let mut process = self.command(&arguments(command));
        match point {
            Some(Point::Record(n, moment)) => {
                let word = if moment == Moment::Before { "kill-before" } else { "kill-after" };
                process.env("CHANGEGUARD_REHEARSE", format!("{word} {n}"));
            }
            Some(Point::Call(n, moment)) => self.lab.faults().trip(n, moment),
            None => {}
        }
        let child = process.spawn().unwrap();
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
        let ended = child.wait_with_output();
        let whole = async {
            tokio::pin!(ended);
            tokio::select! {
                output = &mut ended => output,
                _ = self.lab.faults().tripped() => {
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
                    ended.await
                }
            }
        };
        let output = tokio::time::timeout(PATIENCE, whole).await.expect("it never ended").unwrap();
        self.lab.faults().release();
        if output.status.signal() == Some(9) {
            return End::Dead;
        }
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {command:?}: {}", String::from_utf8_lossy(&output.stderr)));
        End::Alive(document["status"].clone())
    }

    /// Does it in this process.
    async fn here(&self, command: Command) -> Value {
        let _ = self.acme().run(command).await;
        self.acme().look().await;
        serde_json::to_value(self.acme().status()).unwrap()
    }

    /// One rotation from its plan to its end. Each action dies once, at its point; gives the points that were not reached.
    async fn walk(&self, way: Way, mut points: BTreeMap<String, Point>) -> Result<BTreeMap<String, Point>, String> {
        let before = Before::of(self.lab.world());
        let mut unreached = BTreeMap::new();
        let mut done = Vec::new();
        self.plan(way).await;
        let mut status = self.here(Command::Verify).await;
        let (mut died, mut turned) = (false, false);
        for _ in 0..ACTIONS {
            let Some((action, commands)) = decide(way, &status, self.lab.world(), &mut turned) else {
                self.acme().reload().await.unwrap();
                let wrong = wrong_in_the_end(self.lab.world(), &before, &self.acme().entries());
                return if wrong.is_empty() { Ok(unreached) } else { Err(format!("{wrong:#?} after {done:#?}")) };
            };
            if action == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            let point = points.remove(&action);
            done.push(format!("{action}: {} {point:?}", status["next"]["text"]));
            for command in commands {
                status = if let Some(point) = point {
                    match self.as_process(&command, Some(point)).await {
                        End::Dead => {
                            died = true;
                            self.status().await
                        }
                        End::Alive(status) => {
                            unreached.insert(action.clone(), point);
                            status
                        }
                    }
                } else if std::mem::take(&mut died) {
                    // What comes first after a death is a process of its own, as the operator's would be.
                    match self.as_process(&command, None).await {
                        End::Alive(status) => status,
                        End::Dead => return Err(format!("{command:?} died by itself")),
                    }
                } else {
                    self.here(command).await
                };
            }
        }
        Err(format!("it leads nowhere: {done:#?}"))
    }

    /// One rotation by processes; gives records and calls of each action. One may be told to die on the way.
    async fn count(&self, way: Way, mut dies: BTreeMap<String, Point>) -> BTreeMap<String, (u64, u64)> {
        let mut counts = BTreeMap::new();
        self.plan(way).await;
        let mut status = self.status().await;
        let mut turned = false;
        while let Some((action, commands)) = decide(way, &status, self.lab.world(), &mut turned) {
            if action == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            let point = dies.remove(&action);
            for command in commands {
                self.acme().reload().await.unwrap();
                let (records, calls) = (self.acme().entries().len(), self.lab.faults().calls());
                status = match self.as_process(&command, point).await {
                    End::Alive(status) => status,
                    End::Dead => self.status().await,
                };
                self.acme().reload().await.unwrap();
                let records = self.acme().entries().len() - records;
                counts.insert(action.clone(), (records as u64, self.lab.faults().calls() - calls));
            }
        }
        counts
    }
}

/// All points of an action.
fn points((records, calls): (u64, u64)) -> Vec<Point> {
    let moments = |make: fn(u64, Moment) -> Point, count| {
        (1..=count).flat_map(move |n| [make(n, Moment::Before), make(n, Moment::After)])
    };
    moments(Point::Record, records).chain(moments(Point::Call, calls)).collect()
}

async fn walk_all(way: Way, actions: &[&str]) {
    let began = std::time::Instant::now();
    let first = Stage::start().await;
    let dies = match way {
        Way::CancelStaged => BTreeMap::from([("rotate".to_owned(), first.staged_at().await)]),
        _ => BTreeMap::new(),
    };
    let counts = first.count(way, dies.clone()).await;
    let mut queues: BTreeMap<String, VecDeque<Point>> = BTreeMap::new();
    let mut expected = 0;
    for action in actions {
        let found = *counts.get(*action).unwrap_or_else(|| panic!("{action} was not offered: {counts:?}"));
        let all = points(found);
        println!("{way:?} {action}: {} records, {} calls: {} points", found.0, found.1, all.len());
        let points = sample::chosen(&format!("deaths of {way:?} {action}"), all, MOST);
        assert!(found.0 > 0 && found.1 > 0, "{action}: {found:?}");
        expected += points.len();
        queues.insert((*action).to_owned(), points.into());
    }
    let queues = Arc::new(Mutex::new(queues));
    let (walked, failures) = (Arc::new(Mutex::new(0usize)), Arc::new(Mutex::new(Vec::<String>::new())));
    let missed = Arc::new(Mutex::new(0usize));
    let mut tasks = tokio::task::JoinSet::new();
    let mut first = Some(first);
    for _ in 0..SIDE_BY_SIDE {
        let (queues, walked, failures) = (queues.clone(), walked.clone(), failures.clone());
        let (missed, dies) = (missed.clone(), dies.clone());
        let stage = first.take();
        tasks.spawn(async move {
            let mut stage = match stage {
                Some(stage) => stage,
                None => Stage::start().await,
            };
            loop {
                let points: BTreeMap<String, Point> = {
                    let mut queues = queues.lock().unwrap();
                    queues.iter_mut().filter_map(|(action, queue)| Some((action.clone(), queue.pop_front()?))).collect()
                };
                if points.is_empty() || failures.lock().unwrap().len() > 5 {
                    return;
                }
                match stage.walk(way, points.clone().into_iter().chain(dies.clone()).collect()).await {
                    Ok(unreached) => {
                        *walked.lock().unwrap() += points.len() - unreached.len();
                        // A call less than in the count (one look less at the server): tried again until it is met.
                        let mut queues = queues.lock().unwrap();
                        for (action, point) in unreached {
                            *missed.lock().unwrap() += 1;
                            if *missed.lock().unwrap() > MISSED {
                                failures.lock().unwrap().push(format!("{action} {point:?} is never reached"));
                                return;
                            }
                            queues.get_mut(&action).unwrap().push_back(point);
                        }
                    }
                    Err(wrong) => {
                        failures.lock().unwrap().push(format!("{points:?}: {wrong}"));
                        stage = Stage::start().await;
                    }
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let failures = failures.lock().unwrap().clone();
    assert!(failures.is_empty(), "{} wrong ends:\n{}", failures.len(), failures.join("\n\n"));
    let walked = *walked.lock().unwrap();
    println!("{way:?}: {walked} deaths walked of {expected}, each with the same end, in {:.0?}", began.elapsed());
    assert!(walked >= expected, "only {walked} of {expected} points were walked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_of_a_rotation_it_ends_rotated() {
    walk_all(Way::Forward, &["announce", "rotate", "reconfigure", "verify", "finish"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_of_a_rollback_it_ends_rolled_back_or_rotated() {
    walk_all(Way::Back, &["rollback", "reconfigure", "verify", "finish"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_of_a_rollback_to_a_fresh_key_it_ends_the_same() {
    walk_all(Way::Fresh, &["rollback"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_of_a_cancellation_it_ends_and_nobody_who_was_told_so_is_cut_off() {
    walk_all(Way::Cancel, &["cancel"]).await;
    walk_all(Way::CancelStaged, &["cancel"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_point_of_an_emergency_it_ends_rotated() {
    walk_all(Way::Emergency, &["emergency"]).await;
}
