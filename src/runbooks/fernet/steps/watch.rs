//! Step 7: how the nodes answer their users, against what they answered before.

use super::super::Fernet;
use super::super::spec::WATCH;
use super::{Context, case, nothing_to_undo};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::watch::{Counts, Spike, Verdict, judge};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::case::runbook::Step;
use crate::engine::step::{Probe, Progress, Trouble};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Watch;

#[async_trait]
impl Step<Fernet> for Watch {
    fn number(&self) -> StepNumber {
        WATCH
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "more 401 or 5xx than before",
            remedy: "nothing was purged: roll back puts the saved keys back, and tokens issued meanwhile stay valid",
        }]
    }

    async fn probe(&self, _: &Context<'_>) -> Probe {
        Probe::NotDone("it is watched again".into())
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        watch(context, WATCH, Until::ItsEnd).await
    }

    async fn probe_undo(&self, _: &Context<'_>) -> Probe {
        Probe::Done("it changed nothing".into())
    }

    async fn undo(&self, _: &Context<'_>) -> Result<String, Fault> {
        Err(nothing_to_undo())
    }
}

/// How long is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// For the whole length that is configured.
    ItsEnd,
    /// Until each node has answered enough to be judged, for that length at most.
    Judged,
}

/// How the nodes answer their users, against what they answered up to the check.
pub(super) async fn watch(context: &Context<'_>, step: StepNumber, until: Until) -> Result<String, Fault> {
    let (world, now) = (context.world, case(context));
    if world.rules.watch.is_zero() {
        return Ok("not watched (watch.length is 0)".into());
    }
    if world.nodes.iter().any(|node| node.traffic.is_none()) {
        return Ok("not watched: no command is configured that counts the answers of the nodes".into());
    }
    let since = match now.core.state(step) {
        StepState::Running { since } => *since,
        _ => world.clock.now(),
    };
    let count = || async {
        let counted = world.every(async |node| match &node.traffic {
            Some(traffic) => traffic.counts().await,
            None => Ok(Counts::default()),
        });
        Ok::<BTreeMap<String, Counts>, Fault>(counted.await.all()?.into_iter().collect())
    };
    let (names, total) = (world.names(), world.rules.watch.as_secs());
    let from = count().await?;
    world.is_watched_anew();
    // What each had answered up to the check is what it is compared with, as a share.
    let baseline = &now.own.baseline;
    loop {
        let counted = count().await?;
        let passed = world.clock.now().duration_since(since).as_secs().unsigned_abs();
        let rest = |(node, counts): (&String, &Counts)| (node.clone(), counts.since(from[node]));
        let answers: BTreeMap<String, Counts> = counted.iter().map(rest).collect();
        for (node, counts) in &answers {
            let usual = baseline.get(node).copied().unwrap_or_default();
            world.has_watched(node, u64::from(counts.used(usual, &world.rules.thresholds)));
        }
        let verdict = judge(&names, baseline, &answers, &world.rules.thresholds);
        if let Verdict::Spikes(spikes) = &verdict {
            let said = spikes.iter().map(Spike::message).collect::<Vec<_>>().join("; ");
            return Err(Fault::new(Service::Node, FaultKind::Refused, said)
                .hint("nothing was purged; look what it is")
                .leads(&[Lead::Resume, Lead::RollBack]));
        }
        let requests: u64 = answers.values().map(|counts| counts.requests).sum();
        let text = format!("{requests} answers, no spike");
        let of = format!("of {total} s: {text}");
        context.ledger.progress(Progress { step, done: passed.min(total), total, text: of });
        match verdict {
            Verdict::Quiet if until == Until::Judged => return Ok(text),
            Verdict::TooFew(nodes) if passed >= total => {
                return Ok(format!("{text} in {total} s; too few to judge on {}", nodes.join(", ")));
            }
            _ if passed >= total => return Ok(format!("{text} in {total} s")),
            _ => {}
        }
        world.clock.sleep(LOOK_EVERY.min(Duration::from_secs(total.saturating_sub(passed).max(1)))).await;
    }
}
