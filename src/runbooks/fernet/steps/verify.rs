//! Step 6: the digests on every node, and every token at every node, old and new.

use super::super::Fernet;
use super::super::matrix::{Which, ages, measure};
use super::super::spec::VERIFY;
use super::{Context, case, nothing_to_undo, others};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;

pub(super) struct Verify;

#[async_trait]
impl Step<Fernet> for Verify {
    fn number(&self) -> StepNumber {
        VERIFY
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "a cell is red",
            remedy: "the node of its column lacks the key of the token of its row: compare the digests; as long as nothing was \
                     purged, roll back loses no token",
        }]
    }

    async fn probe(&self, _: &Context<'_>) -> Probe {
        Probe::NotDone("it is looked at again".into())
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let (world, now) = (context.world, case(context));
        let sights = context.ledger.look().await;
        let seen = sights.live(world, &now.own).all()?;
        if let Some(others) = others(&now.own, &seen, |kind| now.own.wanted(kind)) {
            let text = format!("not every node holds what was installed: {others}");
            return Err(Fault::new(Service::Node, FaultKind::Conflict, text)
                .hint("somebody else has changed it: find out who")
                .leads(&[Lead::RollBack, Lead::Resume]));
        }
        let is_cache_shared = sights.settings().iter().any(|(_, settings)| settings.cache.is_shared());
        world.forget_old_of_others(&now.core.id);
        let tokens = match measure(world, Which::All, is_cache_shared).await? {
            None => "no account is configured, so no token was shown".to_owned(),
            Some(measured) => {
                format!("{} ({})", measured.evidence()?, ages(world))
            }
        };
        Ok(format!("{} nodes hold what was installed; {tokens}", world.nodes.len()))
    }

    async fn probe_undo(&self, _: &Context<'_>) -> Probe {
        Probe::Done("it changed nothing".into())
    }

    async fn undo(&self, _: &Context<'_>) -> Result<String, Fault> {
        Err(nothing_to_undo())
    }
}
