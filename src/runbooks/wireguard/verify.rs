//! Step 8: who is back, by proof; and at the end the destruction of the kept keys.

use super::answers::{Heard, hear};
use super::kept::destroy_kept;
use super::object;
use super::reconfigure::still_right;
use crate::domain::agent_log::{self, AgentHealth};
use crate::domain::agent_looks;
use crate::domain::client::Client;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::{Peers, Presence, ServerReading, judge_person};
use crate::domain::preflight::MAILBOX;
use crate::domain::step::StepNumber;
use crate::engine::converge_secret;
use crate::engine::keys::NOT_THERE;
use crate::engine::ports::World;
use crate::engine::record::{BackSource, Record};
use crate::engine::rotation::Rotation;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;

/// Step 8.
pub struct Verify;

#[async_trait]
impl Step for Verify {
    fn number(&self) -> StepNumber {
        StepNumber::VERIFY
    }

    fn title(&self) -> &'static str {
        "Verify, destroy the kept keys"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "a client shows \"no sign yet\"",
                remedy: "either not reconfigured, or idle without keepalive: a handshake comes only with the first packet. Ask the person to ping the gateway, or to confirm; record it",
            },
            Trouble {
                symptom: "a client shows \"probably back\"",
                remedy: "the handshake lies so close to the change that it may belong to the previous key. The next handshake, data from the server, or a ping decides",
            },
            Trouble {
                symptom: "a client has reconfigured but is not back",
                remedy: "let them compare the server's public key in their configuration with the one shown here; they may have imported the old file",
            },
            Trouble {
                symptom: "the secret or the object was changed back",
                remedy: "something else writes there. Find it before you finish; resume or roll back puts things right",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "nothing to take back; after the kept keys are destroyed a rollback needs a fresh key and a new rotation"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        if rotation.keys.values().all(|key| key.destroyed.is_some()) {
            return Probe::Done("all kept keys are destroyed".into());
        }
        Probe::NotDone("kept keys are still in Barbican".into())
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let (known, letters) = (context.rotation().unfinished(), context.rotation().open_mails().count());
        still_right(context).await?;
        let health = context.world.server.agent_log().await.and_then(Result::ok).map(|log| agent_log::judge(&log));
        let told = match health {
            Some(AgentHealth::Lasts { errors, last, means, remedy }) => {
                let (clock, cycle) = (server_clock(context.world).await, context.world.settings.reconcile_interval);
                let text = format!("the agent says that {}", agent_looks::unwell(means, errors, &last, clock, cycle));
                return Err(Fault::new(Service::Server, FaultKind::Refused, text)
                    .hint(format!("the kept keys were not destroyed; {remedy}, then finish")));
            }
            Some(AgentHealth::Passed { errors, last, .. }) => {
                format!("; the agent is in sync, and its log tells of {errors} errors before that, the last: {last}")
            }
            _ => String::new(),
        };
        let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no key is staged");
        let target = context.rotation().target().ok_or_else(none)?;
        if let Err(found) = converge_secret::holds(context.world, target, None).await? {
            // A request that once timed out may land this late; nothing is destroyed before that is put right.
            let hint = format!(
                "the kept keys were not destroyed; resume puts it right, then finish{}",
                context.rotation().or_out()
            );
            return Err(Fault::new(Service::Barbican, FaultKind::Conflict, found).hint(hint));
        }
        look_who_is_back(context).await?;
        // Whoever writes that it does not work must be heard before the way back is gone.
        let unheard = match hear(context).await? {
            Heard::Failed(fault) => format!("; the mailbox could not be read: {fault}"),
            _ => String::new(),
        };
        let rotation = context.rotation();
        let more = (rotation.open_mails().count() > letters).then_some("a mail of a client is unread");
        if let Some(what) = rotation.unfinished().into_iter().find(|what| !known.contains(what)).or(more) {
            let text = format!("{}: that was not known when the end was asked for", what.to_lowercase());
            let hint = "the kept keys were not destroyed; read it and say what it means (mail decide), or finish again with a \
                        reason for that, too";
            return Err(Fault::new(Service::Mail, FaultKind::Refused, text).hint(hint));
        }
        let missing: Vec<String> = rotation.not_back().iter().map(|client| client.name.clone()).collect();
        if !missing.is_empty() {
            let text = format!("not back and not waived: {}", missing.join(", "));
            return Err(Fault::new(Service::Server, FaultKind::Refused, text).hint("call them, or waive with a reason"));
        }
        // Before the keys: once those are gone the step counts as done.
        let copy = object::discard_copy(context).await?;
        destroy_kept(context).await?;
        // By the journal: whoever was killed in the middle had destroyed some.
        let gone = context.rotation();
        let answers = || gone.keys.values().filter_map(|key| key.destroyed.as_ref());
        let missing = answers().filter(|answer| answer.starts_with(NOT_THERE)).count();
        let destroyed = answers().count() - missing;
        let missing = if missing == 0 { String::new() } else { format!(", {missing} were not there any more") };
        let back = rotation.back.len();
        let waived = rotation.clients.len().saturating_sub(back);
        // It takes as long as Barbican takes: what came in meanwhile is told with the end.
        let unheard = match hear(context).await? {
            Heard::Failed(fault) if unheard.is_empty() => {
                format!("; the mailbox could not be read at the end: {fault}")
            }
            _ => unheard,
        };
        let theirs = match context.rotation().foreign.as_slice() {
            [] => String::new(),
            [first, ..] => format!("; what stood there of somebody else's stays in Barbican as {}", first.name),
        };
        Ok(format!(
            "{back} back, {waived} waived; {destroyed} kept keys destroyed{missing}{copy}{theirs}{told}{unheard}"
        ))
    }
}

/// What is not known of what an end needs to know: whether the agent is well, and whether a client's letter lies unread.
pub async fn end_doubt(context: &StepContext<'_>) -> Result<Option<String>, Fault> {
    let (agent, heard) = futures_util::join!(agent_doubt(context), hear(context));
    let unread = match heard? {
        Heard::Failed(fault) if !context.rotation().set_aside.contains_key(MAILBOX) => {
            Some(format!("whether a client has written is not known, for the mailbox can't be read: {fault}"))
        }
        _ => None,
    };
    let doubts: Vec<String> = agent.into_iter().chain(unread).collect();
    Ok(Some(doubts.join("; ")).filter(|text| !text.is_empty()))
}

/// For so long the agent's log must have been free of errors, s.
const WITHOUT_ERRORS: u64 = 300;

/// Why it is not known whether the agent is well, where its log is to be read and tells nothing: a log without a word is not one
/// without errors. What a log complains of is judged by the step.
async fn agent_doubt(context: &StepContext<'_>) -> Option<String> {
    let world = context.world;
    match world.server.agent_log().await? {
        Err(fault) => Some(format!("whether the agent is well is not known, for its log can't be read: {fault}")),
        Ok(log) if agent_log::judge(&log) == AgentHealth::Silent => {
            Some("whether the agent is well is not known, for its log says nothing of a reconcile".into())
        }
        Ok(log) => {
            let now = world.clock.now().as_second();
            let clock = server_clock(world).await;
            let quiet = agent_looks::silent_for(&log, clock);
            let quiet = quiet.filter(|quiet| quiet.is_long(world.settings.reconcile_interval));
            let quiet = quiet.map(|quiet| format!("whether the agent is well is not known: {quiet}"));
            let others = agent_looks::without_gaps(&log, clock, &gaps(&context.rotation(), clock - now));
            quiet.or_else(|| recent_errors(agent_log::judge(&others), clock))
        }
    }
}

/// When the name was empty, ms by the server's clock, as the lines of its log; `ahead`: by how far that is ahead of this host's, s.
pub(super) fn gaps(rotation: &Rotation, ahead: i64) -> Vec<(i64, i64)> {
    let there = |at: jiff::Timestamp| at.as_millisecond() + ahead * 1000;
    rotation.empty.iter().map(|(from, to)| (there(*from), there(*to))).collect()
}

/// What the server's clock says, s since 1970; this host's where that can't be read.
pub(super) async fn server_clock(world: &World) -> i64 {
    world.server.read().await.map_or(world.clock.now().as_second(), |reading| reading.clock)
}

/// Errors that have passed, but not long enough ago; where the lines carry no time, those that come and go.
fn recent_errors(health: AgentHealth, clock: i64) -> Option<String> {
    let AgentHealth::Passed { errors, last, relapses } = health else { return None };
    let when = match agent_looks::age(&last, clock) {
        Some(age) if age < WITHOUT_ERRORS => {
            let at =
                |second| jiff::Timestamp::from_second(second).unwrap_or_default().strftime("%H:%M:%S UTC").to_string();
            let (age, free) = (age.cast_signed(), (WITHOUT_ERRORS - age).cast_signed());
            let (last, free) = (at(clock - age), at(clock + free));
            format!("at {last} by the server's clock, so that it will be from {free} on, unless another comes")
        }
        None if relapses > 1 => "it comes and goes".into(),
        _ => return None,
    };
    Some(format!("the agent's log was not free of errors for 5 minutes: {errors}, the last {when} ({last})"))
}

/// Reads the server once and journals everybody who is newly back, with the proof. Changes nothing outside.
pub async fn look_who_is_back(context: &StepContext<'_>) -> Result<ServerReading, Fault> {
    let reading = context.world.server.read().await?;
    let rotation = context.rotation();
    let Some(applied) = &rotation.applied else { return Ok(reading) };
    let peers = Peers::of(&reading);
    let ahead = reading.clock - context.world.clock.now().as_second();
    for client in rotation.clients.iter().filter(|client| !rotation.back.contains_key(&client.id)) {
        let Some(presence) = judge_person(&applied.baseline, &peers, client.keys()) else { continue };
        // What was there when they wrote that it does not work is no proof that it does.
        let said = rotation.not_back_by_word(&client.id).map(|mail| mail.at.as_second() + ahead);
        let is_old = said.is_some_and(|said| last_handshake(&peers, client).is_none_or(|stamp| stamp <= said));
        let proof = match presence {
            Presence::Back if is_old => None,
            Presence::Back => Some((BackSource::Handshake, handshake_note(&peers, client))),
            Presence::ProbablyBack => ping(context, &peers, client).await,
            _ => None,
        };
        if let Some((source, note)) = proof {
            context.ledger.record(Record::ClientBack { client: client.id.clone(), source, note }).await?;
        }
    }
    Ok(reading)
}

/// Of any peer of theirs, s since 1970 by the server's clock.
fn last_handshake(peers: &Peers<'_>, client: &Client) -> Option<i64> {
    client.keys().filter_map(|key| peers.get(&key).map(|peer| peer.latest_handshake)).max()
}

fn handshake_note(peers: &Peers<'_>, client: &Client) -> String {
    match last_handshake(peers, client).and_then(|stamp| jiff::Timestamp::from_second(stamp).ok()) {
        Some(at) => format!("at {} by the server's clock", at.strftime("%H:%M:%S UTC")),
        None => String::new(),
    }
}

/// A ping of the peer's tunnel address needs a sending session, which only the live key can have given.
async fn ping(context: &StepContext<'_>, peers: &Peers<'_>, client: &Client) -> Option<(BackSource, String)> {
    let mut answered = Vec::new();
    for key in client.keys() {
        let peer = peers.get(&key)?;
        let address = peer.allowed_ips.iter().find_map(|net| net.strip_suffix("/32").or(net.strip_suffix("/128")))?;
        if !matches!(context.world.server.ping(address).await, Ok(true)) {
            return None;
        }
        answered.push(address);
    }
    Some((BackSource::Ping, format!("{} answered", answered.join(" and "))))
}
