//! Step 7: the last look before the case is closed. Nothing is taken back behind it by this case.

use super::super::Kops;
use super::super::roll::Context;
use super::super::spec::CLOSE;
use super::{all_stand, case, keysets, nothing_to_undo};
use crate::domain::fault::Fault;
use crate::domain::kops::track::Standing;
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;

pub(super) struct Close;

#[async_trait]
impl Step<Kops> for Close {
    fn number(&self) -> StepNumber {
        CLOSE
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "a client turns up after the end that uses an old credential",
            remedy: "its keypair is distrusted and still in the state store: trust it by its id (the report has it), update, and roll with --force; or give the client a new one",
        }]
    }

    async fn probe(&self, _: &Context<'_>) -> Probe {
        Probe::NotDone("it is looked at again".into())
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let own = &case(context).own;
        let said = context.world.cluster.validate().await?;
        all_stand(own, &keysets(context).await?, Standing::Distrusted)?;
        context.ledger.fence().await?;
        context.world.cluster.sign_out().await?;
        Ok(format!("{} keysets are rotated; {said}", own.tracks.len()))
    }

    async fn probe_undo(&self, _: &Context<'_>) -> Probe {
        Probe::Done("it changed nothing".into())
    }

    async fn undo(&self, _: &Context<'_>) -> Result<String, Fault> {
        Err(nothing_to_undo())
    }
}
