//! Every call of a rotation, a rollback and a cancellation, spoiled in every way, once and for ever, by a proxy in front of
//! each service. The command ends and says what is safe; once the fault is gone only what is offered is done, and the end
//! is the same.

use crate::named;
use crate::offered::{Before, TENANT, Way, decide, wrong_in_the_end};
use crate::proxy::{Plan, Spoiled};
use crate::pty::PATIENCE;
use crate::rig::Rig;
use crate::sample;
use changeguard::adapters::lab::{Fault as LabFault, Loss, Rule, Service, Which};
use changeguard::engine::command::Command;
use changeguard::runtime::run::RunError;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SIDE_BY_SIDE: usize = 8;
/// So many troubles of each action are walked in `cargo test`.
const MOST: usize = 4;
/// More actions than this lead nowhere; on a loaded machine some fail by its slowness alone.
const ACTIONS: usize = 60;

/// One fault of a walk.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// A call over the network.
    Call(Plan),
    /// A reading of the server.
    Reading(LabFault, Which),
}

/// Walks on a rig.
struct Walker(Rig);

impl std::ops::Deref for Walker {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.0
    }
}

impl Walker {
    /// As after an idle hour: the token has died, so that Keystone is needed too, and the mail server has hung up.
    fn worn(&self) {
        self.lab.world().revoke_tokens();
        self.proxies.cut_mail();
    }

    /// Carries it out with the trouble in force, which then goes away. What is wrong about how it ended, if anything.
    async fn troubled(&self, command: Command, trouble: &Trouble) -> (bool, Option<String>) {
        self.worn();
        let rule = match trouble {
            Trouble::Call(plan) => {
                self.proxies.spoil(plan.clone());
                None
            }
            Trouble::Reading(fault, which) => {
                let rule = Rule::new(Service::Shell, *fault).which(*which);
                Some(self.lab.faults().add(rule))
            }
        };
        let ended = tokio::time::timeout(PATIENCE, self.conductor.run(command)).await;
        let mut hit = self.proxies.heal();
        if let Some(rule) = rule {
            hit = self.lab.faults().fired(rule) > 0;
            self.lab.faults().clear();
        }
        let wrong = match ended {
            Err(_) => Some("it hangs".to_owned()),
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                let (rotation, tenant) = (self.conductor.rotation(), self.conductor.tenant());
                untold(&error).or_else(|| named::refused(&error.advice(), rotation, tenant).into_iter().next())
            }
        };
        // What is under way is carried out before the next look.
        self.proxies.settled().await;
        (hit, wrong)
    }

    /// One rotation from its plan to its end, each action once with its trouble; gives those that were not met.
    async fn walk(&self, way: Way, mut troubles: BTreeMap<String, Trouble>) -> Result<Vec<(String, Trouble)>, String> {
        let before = Before::of(self.lab.world());
        let (mut unmet, mut done, mut turned) = (Vec::new(), Vec::new(), false);
        self.plan(way).await;
        let mut status = self.status().await;
        for _ in 0..ACTIONS {
            let Some((action, commands)) = decide(way, &status, self.lab.world(), &mut turned) else {
                let wrong = wrong_in_the_end(self.lab.world(), &before, &self.conductor.entries());
                return if wrong.is_empty() { Ok(unmet) } else { Err(format!("{wrong:#?} after {done:#?}")) };
            };
            if action == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            let trouble = troubles.remove(&action);
            done.push(format!("{action}: {} {trouble:?}", status["next"]["text"]));
            for command in commands {
                match &trouble {
                    Some(trouble) => {
                        let (hit, wrong) = self.troubled(command, trouble).await;
                        if let Some(wrong) = wrong {
                            return Err(format!("{wrong}: {action} with {trouble:?}"));
                        }
                        if !hit {
                            unmet.push((action.clone(), trouble.clone()));
                        }
                    }
                    None => {
                        if let Err(error) = self.conductor.run(command).await {
                            done.push(format!("  {error}"));
                        }
                    }
                }
            }
            status = self.status().await;
        }
        Err(format!("it leads nowhere: {done:#?}"))
    }

    /// How many calls and readings each action makes.
    async fn count(&self, way: Way) -> BTreeMap<String, (u64, u64)> {
        let readings = || self.lab.world().count(Service::Shell, "READ");
        let (mut counts, mut turned) = (BTreeMap::new(), false);
        self.plan(way).await;
        let mut status = self.status().await;
        while let Some((action, commands)) = decide(way, &status, self.lab.world(), &mut turned) {
            if action == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            self.worn();
            for command in commands {
                let before = (self.proxies.calls(), readings());
                self.conductor.run(command).await.unwrap();
                let found = (self.proxies.calls() - before.0, readings() - before.1);
                // The last leg's, where an action comes twice.
                counts.insert(action.clone(), found);
            }
            status = self.status().await;
        }
        counts
    }
}

/// An error must say where, and what is safe or to be done.
fn untold(error: &RunError) -> Option<String> {
    match error {
        RunError::Fault(fault) if fault.message.is_empty() || fault.advice().is_empty() => {
            Some(format!("nothing is told: {fault:?}"))
        }
        _ if error.to_string().is_empty() => Some("it says nothing".into()),
        _ => None,
    }
}

/// Every trouble of an action that makes so many calls and readings.
fn troubles((calls, readings): (u64, u64)) -> Vec<Trouble> {
    let mut all = Vec::new();
    for nth in 1..=calls {
        for spoiled in Spoiled::all() {
            for for_ever in [false, true] {
                all.push(Trouble::Call(Plan { line: "", nth, for_ever, spoiled: spoiled.clone() }));
            }
        }
    }
    let faults = [
        LabFault::Status(255),
        LabFault::Status(1),
        LabFault::Close,
        LabFault::Hang,
        LabFault::ResetMidBody,
        LabFault::Delay(Duration::from_millis(100)),
        LabFault::LoseAnswer(Loss::Close),
    ];
    for nth in 1..=readings {
        for fault in faults {
            all.extend([Which::Nth(nth), Which::From(nth)].map(|which| Trouble::Reading(fault, which)));
        }
    }
    all
}

/// Walks the troubles of these actions, or a sample.
async fn walk_all(way: Way, actions: &[&str]) {
    let began = std::time::Instant::now();
    let first = Walker(Rig::start().await);
    let counts = first.count(way).await;
    let mut queues: BTreeMap<String, VecDeque<Trouble>> = BTreeMap::new();
    let mut expected = 0;
    for action in actions {
        let found = *counts.get(*action).unwrap_or_else(|| panic!("{action} was not offered: {counts:?}"));
        let all = troubles(found);
        println!("{way:?} {action}: {} calls, {} readings: {} troubles", found.0, found.1, all.len());
        let chosen: VecDeque<Trouble> = sample::chosen(&format!("spoiled calls of {way:?} {action}"), all, MOST).into();
        expected += chosen.len();
        queues.insert((*action).to_owned(), chosen);
    }
    let queues = Arc::new(Mutex::new(queues));
    let tally = Arc::new(Mutex::new((0usize, 0usize, Vec::<String>::new())));
    let mut tasks = tokio::task::JoinSet::new();
    let mut first = Some(first);
    for _ in 0..SIDE_BY_SIDE {
        let (queues, tally, rig) = (queues.clone(), tally.clone(), first.take());
        tasks.spawn(async move {
            let mut rig = match rig {
                Some(rig) => rig,
                None => Walker(Rig::start().await),
            };
            loop {
                let troubles: BTreeMap<String, Trouble> = {
                    let mut queues = queues.lock().unwrap();
                    queues.iter_mut().filter_map(|(action, queue)| Some((action.clone(), queue.pop_front()?))).collect()
                };
                if troubles.is_empty() || tally.lock().unwrap().2.len() > 8 {
                    return;
                }
                let ended = rig.walk(way, troubles.clone()).await;
                match ended {
                    Ok(unmet) => {
                        let mut tally = tally.lock().unwrap();
                        tally.0 += troubles.len() - unmet.len();
                        // A call less than in the count, after a trouble before it: tried again.
                        for (action, trouble) in unmet {
                            tally.1 += 1;
                            if tally.1 > expected / 4 + 20 {
                                tally.2.push(format!("{action} {trouble:?} is never met"));
                                break;
                            }
                            queues.lock().unwrap().get_mut(&action).unwrap().push_back(trouble);
                        }
                    }
                    Err(wrong) => {
                        println!("{troubles:?}: {wrong}");
                        tally.lock().unwrap().2.push(format!("{troubles:?}: {wrong}"));
                        rig = Walker(Rig::start().await);
                    }
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let (walked, _, failures) = tally.lock().unwrap().clone();
    assert!(failures.is_empty(), "{} wrong ends:\n{}", failures.len(), failures.join("\n\n"));
    println!("{way:?}: {walked} troubles walked of {expected}, each with the same end, in {:.0?}", began.elapsed());
    assert!(walked >= expected, "only {walked} of {expected} troubles were walked");
}

const FORWARD: [&str; 5] = ["announce", "rotate", "reconfigure", "verify", "finish"];
const BACK: [&str; 2] = ["rollback", "finish"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_calls_of_a_rotation_lead_to_the_same_end() {
    walk_all(Way::Forward, &FORWARD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_calls_of_a_rollback_lead_to_the_same_end() {
    walk_all(Way::Back, &BACK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_calls_of_a_cancellation_lead_to_the_same_end() {
    walk_all(Way::Cancel, &["cancel"]).await;
}
