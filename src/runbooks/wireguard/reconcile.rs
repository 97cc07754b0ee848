//! Step 6: wait until the server has taken the key, as seen on its interface; more than two cycles is a failure.

use super::{silence, verify};
use crate::domain::agent_log::{self, AgentHealth};
use crate::domain::agent_looks;
use crate::domain::client::{Client, peers_there};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::Baseline;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::observe;
use crate::engine::ports::World;
use crate::engine::record::{self, Record};
use crate::engine::rotation::Rotation;
use crate::engine::step::{Probe, Progress, Step, StepContext, Trouble};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// Step 6.
pub struct Reconcile;

/// How often the interface is read while waiting: close enough that the baseline is taken right after the change.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The agent's log is read with every so many of these.
const LOG_EVERY: u32 = 5;

/// Where nobody has looked for longer than this before it was seen, how long the server took is not known.
const UNSEEN: Duration = Duration::from_secs(3);

#[async_trait]
impl Step for Reconcile {
    fn number(&self) -> StepNumber {
        StepNumber::RECONCILE
    }

    fn title(&self) -> &'static str {
        "Wait for the reconcile loop"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "one BarbicanFetchError alert",
                remedy: "expected: the server's loop fired in the gap of step 4; with [alerts] it is silenced until this step ends. Peers stay connected, it tries again in the next cycle",
            },
            Trouble {
                symptom: "the interface still shows the previous key after two cycles",
                remedy: "look at the agent's log (journalctl -u user-sync-agent). `Failed to fetch key from Barbican` with 403: the tenant's application credential lacks secrets:get, ask the platform team. `Failed to fetch state`: Keystone or Swift. `WireGuard configuration error`: wg0.conf is not readable (root, 0600). No line at all: the agent is not running, or its environment file is missing (the unit is then skipped silently)",
            },
            Trouble {
                symptom: "the agent is pinned to a secret's id (BARBICAN_SECRET_ID)",
                remedy: "it will never see the new key: have it set to BARBICAN_SECRET_NAME, or roll back",
            },
            Trouble {
                symptom: "the server can't be read",
                remedy: "the rotation itself does not depend on it. Correct the access, then resume: it looks again",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "roll back: the server takes the previous (or fresh) key in its next cycle"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        let Some(target) = rotation.target() else { return Probe::NotDone("no key is staged".into()) };
        match context.world.server.read().await {
            Err(fault) => Probe::Unclear(fault),
            // Without a baseline on record the step is performed once more: it takes one at once.
            Ok(reading) if reading.public_key == target && rotation.applied.is_some() => {
                Probe::Done(format!("the interface shows {}", target.short()))
            }
            Ok(reading) if reading.public_key == target => Probe::NotDone(format!(
                "the server has taken the key ({}); who had their tunnel then is read now",
                target.short()
            )),
            Ok(reading) => Probe::NotDone(format!(
                "the server has not taken the key yet: the interface shows {}",
                reading.public_key.short()
            )),
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let (world, rotation) = (context.world, context.rotation());
        let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no key is staged");
        let target = rotation.target().ok_or_else(none)?;
        let started = world.clock.now();
        let since = match rotation.step(StepNumber::RECONCILE) {
            StepState::Running { since } => *since,
            _ => started,
        };
        let limit = world.settings.reconcile_interval * 2;
        let total = limit.as_secs();
        let mut steady_from = steady_from(&rotation, world.settings.reconcile_interval);
        // The last moment at which it surely was not there.
        let mut not_before = rotation.live.sent().unwrap_or(rotation.planned_at);
        let mut last_fault;
        let (mut peers, mut shown, mut most, mut looks, mut says) = (None, None, 0, 0, None);
        let mut was_there = false;
        // Told before the first look too: who reads the progress learns that the swap is over.
        let text = waiting(&rotation.clients, peers.as_ref(), &mut most);
        context.ledger.progress(Progress { step: self.number(), done: 0, total, text });
        loop {
            let asked = world.clock.now();
            let waited = Duration::try_from(asked.duration_since(since)).unwrap_or_default();
            match world.server.read().await {
                Ok(reading) if reading.public_key == target && steady_from.is_some_and(|from| asked < from) => {
                    peers = Some(reading.peers.iter().map(|peer| peer.public_key).collect());
                    (shown, last_fault, was_there) = (Some(target), None, true);
                }
                Ok(reading) if reading.public_key == target => {
                    let (baseline, seen) = (Baseline::of(&reading), world.clock.now());
                    let waited = Duration::try_from(seen.duration_since(since)).unwrap_or_default();
                    let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                    let unseen = Duration::try_from(seen.duration_since(not_before)).unwrap_or_default();
                    // It has shown it all the time.
                    let unseen_since = Some(not_before).filter(|_| unseen > UNSEEN && !was_there);
                    context
                        .ledger
                        .record(Record::Applied(record::Applied { baseline, waited_ms, unseen_since }))
                        .await?;
                    // Before step 7: in an emergency that follows at once, and takes its time.
                    silence::end_behind(context).await?;
                    let says = agent_says(context).await.unwrap_or_default();
                    let key = target.short();
                    let at = |moment: Timestamp| moment.strftime("%H:%M:%S UTC");
                    return Ok(match unseen_since {
                        _ if was_there => {
                            format!(
                                "the interface shows {key}, as it did all the time, for one cycle behind the change{says}"
                            )
                        }
                        Some(since) => format!(
                            "the interface shows {key}, seen at {} when it was looked again (not before {}){says}",
                            at(seen),
                            at(since)
                        ),
                        None => format!("after {:.1} s the interface shows {key}{says}", waited.as_secs_f64()),
                    });
                }
                Ok(reading) => {
                    peers = Some(reading.peers.iter().map(|peer| peer.public_key).collect());
                    shown = Some(reading.public_key);
                    // It has taken the other key meanwhile: what it shows behind that is a look of its own.
                    (last_fault, not_before, steady_from, was_there) = (None, asked, None, false);
                }
                Err(fault) => last_fault = Some(fault),
            }
            if waited > limit {
                return Err(match last_fault {
                    Some(fault) => unreadable(fault, limit, target),
                    None => explained(late(limit, &rotation, peers.as_ref(), shown), shown, world).await,
                });
            }
            if looks % LOG_EVERY == LOG_EVERY - 1 {
                says = agent_says(context).await;
            }
            looks += 1;
            let text = match &last_fault {
                Some(fault) => format!("waiting; the server can't be read now: {}", fault.message),
                None if shown == Some(target) => format!(
                    "the interface shows {} still; for one cycle a look that was under way may bring the other key",
                    target.short()
                ),
                None => waiting(&rotation.clients, peers.as_ref(), &mut most),
            };
            let text = format!("{text}{}", says.as_deref().unwrap_or_default());
            let total = if shown == Some(target) { total / 2 } else { total };
            context.ledger.progress(Progress { step: self.number(), done: waited.as_secs().min(total), total, text });
            silence::keep(context).await?;
            world.clock.sleep(LOOK_EVERY).await;
        }
    }
}

/// On the way back the interface may show the key already, for it never took the staged one: from when on that is no look of before,
/// one cycle behind the last change. A look that had read the staged key until then would still bring it.
fn steady_from(rotation: &Rotation, cycle: Duration) -> Option<Timestamp> {
    let changed = rotation.live.sent().filter(|_| rotation.rollback.is_some())?;
    Some(changed.checked_add(cycle).unwrap_or(Timestamp::MAX))
}

/// What is waited for, and how many have their tunnel meanwhile: a server that fails to fetch its key leaves its peers alone.
/// `most`: the most that were seen there since the wait began.
fn waiting(clients: &[Client], peers: Option<&BTreeSet<PublicKey>>, most: &mut usize) -> String {
    let Some(peers) = peers else { return "waiting for the server's loop".to_owned() };
    let (there, all) = peers_there(clients, peers);
    *most = there.max(*most);
    let told = match there {
        there if there == all => format!("all {all}"),
        0 => format!("NONE of {all}"),
        there if there < *most => format!("ONLY {there} of {all}"),
        there => format!("{there} of {all}"),
    };
    format!("waiting for the server's loop; {told} clients' peers are on the interface")
}

/// What the agent has complained of since the change, apart from what the gap explains, and whether that has passed; `None`: of
/// nothing, or its log can't be read.
async fn agent_says(context: &StepContext<'_>) -> Option<String> {
    let log = context.world.server.agent_log().await?.ok()?;
    let (rotation, now) = (context.rotation(), context.world.clock.now());
    let clock = verify::server_clock(context.world).await;
    let ahead = clock - now.as_second();
    let from = rotation.live.sent()?.as_millisecond() + ahead * 1000;
    let since = agent_looks::behind(&log, clock, from);
    match agent_log::judge(&agent_looks::without_gaps(&since, clock, &verify::gaps(&rotation, ahead))) {
        AgentHealth::Passed { errors, last, .. } => {
            Some(format!("; the agent had {errors} errors meanwhile, which have passed; the last: {last}"))
        }
        AgentHealth::Lasts { errors, last, means, .. } => {
            let cycle = context.world.settings.reconcile_interval;
            Some(format!("; the agent says that {}", agent_looks::unwell(means, errors, &last, clock, cycle)))
        }
        AgentHealth::Well(_) | AgentHealth::Silent => None,
    }
}

/// The same, with what else the server may take by the tenant's name, and what the agent says of itself.
async fn explained(late: Fault, shown: Option<PublicKey>, world: &World) -> Fault {
    let sight = observe::look_at_secret(world, None).await.ok();
    let late = match sight.as_ref().and_then(|sight| sight.alike_told(shown)) {
        // That is the answer, whatever the agent says.
        Some(alike) if sight.is_some_and(|sight| sight.is_alike_live(shown)) => {
            let hint = format!("have it renamed or deleted by whoever owns it, then resume; {}", late.advice());
            return Fault { message: format!("{}; {alike}", late.message), ..late }.hint(hint);
        }
        Some(alike) => Fault { message: format!("{}; {alike}", late.message), ..late },
        None => late,
    };
    let Some(Ok(log)) = world.server.agent_log().await else { return late };
    let (says, remedy) = match agent_log::judge(&log) {
        AgentHealth::Lasts { last, means, remedy, .. } => (format!("the agent says that {means}: {last}"), remedy),
        AgentHealth::Passed { last, .. } => {
            (format!("the agent's errors have passed ({last})"), "wait for one cycle more, then resume")
        }
        AgentHealth::Silent => (
            "the agent's log says nothing".into(),
            "it may not be running, or its environment file is missing: look at its unit",
        ),
        AgentHealth::Well(_) => (
            "the agent says that it is in sync".into(),
            "it may be pinned, or read a key of its own: look at its environment file",
        ),
    };
    let hint = format!("{remedy}; {}", late.advice());
    Fault { message: format!("{}; {says}", late.message), ..late }.hint(hint)
}

fn late(limit: Duration, rotation: &Rotation, peers: Option<&BTreeSet<PublicKey>>, shown: Option<PublicKey>) -> Fault {
    let mut text = format!("the server has not taken the key after two cycles ({} s)", limit.as_secs());
    let there = peers.map(|peers| peers_there(&rotation.clients, peers));
    match there {
        Some((0, all @ 1..)) => text.push_str(&format!("; NONE of {all} clients' peers are on the interface")),
        Some((there, all @ 1..)) => {
            text.push_str(&format!("; {there} of {all} clients' peers are on the interface"));
        }
        _ => {}
    }
    let staged = rotation.keys.get(&KeyRole::Staged).filter(|_| rotation.rollback.is_some());
    let before = [rotation.proven_key(), staged.map(|kept| kept.public_key)];
    let keeps = match shown {
        Some(shown) if before.contains(&Some(shown)) => {
            format!("the server keeps the key of before ({}), and tunnels stay up", shown.short())
        }
        Some(shown) => format!(
            "the interface shows {}, which is NEITHER {} nor the key of before: look which secret the server takes",
            shown.short(),
            rotation.target().map(|key| key.short()).unwrap_or_default()
        ),
        None => "which key the server has is not known".into(),
    };
    let hint = "see the troubleshooting of step 6, then resume (it looks again)";
    Fault::new(Service::Server, FaultKind::Refused, text).hint(format!("{keeps}; {hint}{}", rotation.or_out()))
}

fn unreadable(fault: Fault, limit: Duration, target: PublicKey) -> Fault {
    let hint = format!("Barbican and Swift hold {}; {}; then resume, it looks again", target.short(), fault.remedy());
    let text = format!("the server could not be read for {} s: {}", limit.as_secs(), fault.message);
    Fault::new(fault.service, fault.kind, text).hint(hint)
}
