//! Step 1: every node is right and holds the same, and its tokens are accepted everywhere.

use super::super::matrix::{Which, measure};
use super::super::record::{FernetRecord, indexes};
use super::super::spec::{CHECK, ROTATE};
use super::super::{Fernet, facts};
use super::{Context, case, nothing_to_undo};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::step::StepNumber;
use crate::engine::case::gate;
use crate::engine::case::runbook::Step;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;
use std::collections::BTreeMap;

pub(super) struct Check;

#[async_trait]
impl Step<Fernet> for Check {
    fn number(&self) -> StepNumber {
        CHECK
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "nodes hold different keys",
                remedy: "do not rotate: only the staged key or one missing rotation is harmless, install the rotator's \
                         repository everywhere; where primaries are apart, install the union of all keys first",
            },
            Trouble {
                symptom: "a node answers 500, or closes the connection, for every token",
                remedy: "Keystone opens every file in the folder: a stray file that it can't read, a wrong owner or a cut \
                         key does this; look at the findings of the check",
            },
            Trouble {
                symptom: "the matrix is green and digests differ",
                remedy: "a token cache that the nodes share answers for a key that is not there; the digests are the proof",
            },
        ]
    }

    async fn probe(&self, _: &Context<'_>) -> Probe {
        Probe::NotDone("it is looked at again".into())
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let world = context.world;
        let sights = context.ledger.look().await;
        let now = world.clock.now();
        let facts = facts::before(world, ROTATE, Some(&case(context)), &sights, now);
        let aside = case(context).core.set_aside.clone();
        let gate = gate::judge(facts, |fact| aside.contains_key(fact));
        if let Some(first) = gate.reasons().first() {
            let each: Vec<String> = gate.reasons().iter().map(|fact| format!("{}: {}", fact.name, fact.text)).collect();
            let hint = if first.remedy.is_empty() { "wait, then check again" } else { first.remedy.as_str() };
            let hint =
                if hint.contains("nothing was changed") { hint.into() } else { format!("nothing was changed; {hint}") };
            return Err(Fault::new(Service::Node, FaultKind::Refused, each.join("; ")).hint(hint));
        }
        let held = sights.held(&world.rotator);
        let is_cache_shared = sights.settings().iter().any(|(_, settings)| settings.cache.is_shared());
        let id = case(context).core.id.clone();
        world.keep_old(&id, BTreeMap::new(), false);
        let measured = measure(world, Which::All, is_cache_shared).await?;
        let tokens = match &measured {
            None => "no account is configured, so no token was shown".to_owned(),
            Some(measured) => measured.evidence()?,
        };
        if let Some(measured) = measured {
            world.keep_old(&id, measured.fresh, false);
        }
        let counted = world.every(async |node| match &node.traffic {
            Some(traffic) => Ok(Some(traffic.counts().await?)),
            None => Ok(None),
        });
        let counted = counted.await.all()?;
        let baseline: BTreeMap<_, _> = counted.into_iter().filter_map(|(name, counts)| Some((name, counts?))).collect();
        let agreed: Vec<String> =
            held.iter().map(|one| format!("{} {}", one.kind.word(), indexes(&one.keys))).collect();
        let sentences: Vec<String> = held
            .iter()
            .filter_map(|one| {
                facts::Leaving::by_rotation(world, &sights, one.kind).sentence(world, &sights, one.kind, now)
            })
            .collect();
        context.ledger.record(FernetRecord::Agreed { held, baseline }).await?;
        Ok(format!(
            "{} nodes hold the same keys ({}); {tokens}; {}",
            world.nodes.len(),
            agreed.join(", "),
            sentences.join("; ")
        ))
    }

    async fn probe_undo(&self, _: &Context<'_>) -> Probe {
        Probe::Done("it changed nothing".into())
    }

    async fn undo(&self, _: &Context<'_>) -> Result<String, Fault> {
        Err(nothing_to_undo())
    }
}
