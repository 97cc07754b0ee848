//! Step 6: the digests on every node, and every token at every node, old and new.

use super::super::matrix::{Which, measure};
use super::super::spec::VERIFY;
use super::super::{Fernet, Sights};
use super::{Context, case, holds_everywhere, nothing_to_undo};
use crate::domain::fault::{Fault, FaultKind, Service};
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
        if !holds_everywhere(world, &now.own, |kind| now.own.wanted(kind)).await? {
            return Err(Fault::new(Service::Node, FaultKind::Conflict, "not every node holds what was installed")
                .hint("somebody else has changed it: see who differs in the status, then resume, or roll back"));
        }
        let mut sights = Sights::default();
        sights.look(world).await;
        let is_cache_shared = sights.settings().iter().any(|(_, settings)| settings.cache.is_shared());
        let has_old = world.names().iter().all(|name| world.old(name).is_some());
        let tokens = match measure(world, Which::All, is_cache_shared).await? {
            None => "no account is configured, so no token was shown".to_owned(),
            Some(measured) => {
                let said = measured.evidence()?;
                let ages =
                    if has_old { "old and new" } else { "new ones only: those of before are not in this process" };
                format!("{said} ({ages})")
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
