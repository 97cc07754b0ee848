//! Steps 2, 4 and 6: what holders must take is exported, and who has taken it is waited for by the gate of the next stretch; on the way
//! back by the step itself.

use super::super::Kops;
use super::super::holders::{ADMIN_BACK, FINAL_BACK, concerns_clients, is_out, names, open};
use super::super::record::{KopsRecord, Round};
use super::super::roll::Context;
use super::super::spec::{ADMIN, CERTIFICATES, FINAL};
use super::met::trusted_again;
use super::{case, keysets, record, tag};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::kops::keyset::GENERAL;
use crate::domain::step::StepNumber;
use crate::engine::case::core::Way;
use crate::engine::case::runbook::{Case, Step};
use crate::engine::ports::kops::{Export as Wanted, Exported};
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;

pub(super) struct Export {
    number: StepNumber,
    round: Round,
}

impl Export {
    pub(super) fn certificates() -> Self {
        Self { number: CERTIFICATES, round: Round::Certificates }
    }

    pub(super) fn admin() -> Self {
        Self { number: ADMIN, round: Round::Admin }
    }

    pub(super) fn last() -> Self {
        Self { number: FINAL, round: Round::Final }
    }

    /// Why nobody needs it; none where somebody does.
    fn is_needless(&self, context: &Context<'_>, now: &Case<Kops>) -> Option<&'static str> {
        if !now.own.rotates_general() {
            return Some("the general authority is not rotated: nobody holds anything of what is");
        }
        let is_admin = self.round == Round::Admin;
        (!is_admin && !concerns_clients(context.world, now)).then_some(
            "the API is reached through a load balancer with a certificate of its own: no client holds the authority's",
        )
    }

    fn about_back(&self) -> &'static str {
        if self.round == Round::Admin { ADMIN_BACK } else { FINAL_BACK }
    }
}

fn lies(exported: &Exported) -> String {
    let digest = &exported.digest[..exported.digest.len().min(12)];
    format!("{} (SHA-256 {digest}…)", exported.path)
}

#[async_trait]
impl Step<Kops> for Export {
    fn number(&self) -> StepNumber {
        self.number
    }

    fn troubles(&self) -> &'static [Trouble] {
        match self.round {
            Round::Admin => &[Trouble {
                symptom: "a holder says Unauthorized with the new credential",
                remedy: "it was given to somebody else, or has ended: export it again by hand with kops export kubeconfig --admin, and hand it over outside of mail",
            }],
            _ => &[Trouble {
                symptom: "a holder says x509: certificate signed by unknown authority",
                remedy: "they have taken the file of another cluster or of an earlier step: compare the digest; the file of before is kept",
            }],
        }
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        match case(context).own.exported.get(&self.round) {
            Some(exported) => Probe::Done(format!("it lies at {}", lies(exported))),
            None => Probe::NotDone("it was not recorded: it is exported again".into()),
        }
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        if let Some(why) = self.is_needless(context, &now) {
            return Ok(format!("not needed: {why}"));
        }
        let exported = export(context, &now, self.round).await?;
        let said = match self.round {
            Round::Admin => format!("admin credentials at {}: hand them over outside of mail", lies(&exported)),
            _ => format!("{} certificates at {}", exported.certificates, lies(&exported)),
        };
        Ok(said)
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        match missing(self, context) {
            Some(fault) => Probe::NotDone(fault.message),
            None => Probe::Done("nobody is waited for".into()),
        }
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        if self.round == Round::Final && missing(self, context).is_some() {
            known_again(context).await?;
        }
        if self.round == Round::Admin {
            // Nobody can use a credential of an authority that somebody else has distrusted meanwhile.
            trusted_again(context).await?;
        }
        if let Some(fault) = missing(self, context) {
            return Err(fault);
        }
        if !now.own.may_be_out(self.round) {
            return Ok("nothing was exported".into());
        }
        let before = match self.round {
            Round::Certificates => Round::Before,
            _ => Round::Certificates,
        };
        Ok(match (self.round, now.own.exported.get(&before)) {
            (Round::Admin, _) => {
                let said = now.core.settled.iter().filter(|((about, _), _)| about == ADMIN_BACK);
                let said: Vec<String> =
                    said.map(|((_, person), word)| format!("{person} ({}: {})", word.by, word.reason)).collect();
                match said.as_slice() {
                    [] => "nobody has an admin credential of this case".into(),
                    said => {
                        format!("by their word, these use the previous admin credential again: {}", said.join(", "))
                    }
                }
            }
            (_, Some(kept)) if !kept.authority_path.is_empty() => {
                format!("the certificates of before are kept at {}, to be handed out again", kept.authority_path)
            }
            _ => "the certificates of before were not exported by this case".into(),
        })
    }
}

/// Exports what this round gives, and records where it lies. Errors: it holds other certificates than are trusted.
async fn export(context: &Context<'_>, now: &Case<Kops>, round: Round) -> Result<Exported, Fault> {
    context.ledger.fence().await?;
    let admin = (round == Round::Admin).then_some(context.world.rules.admin);
    let wanted = Wanted { tag: format!("{}-{}", tag(now), round.word()), admin };
    let exported = context.world.cluster.export(&wanted).await?;
    let trusted = keysets(context).await?.trusted(GENERAL);
    if !context.world.rules.load_balancer && exported.certificates != trusted {
        let text =
            format!("the exported kubeconfig holds {} certificates, and {trusted} are trusted", exported.certificates);
        return Err(Fault::new(Service::Kops, FaultKind::Conflict, text)
            .hint("nobody may get it; see whether the cluster was updated")
            .leads(&[Lead::Resume, Lead::RollBack]));
    }
    record(context, KopsRecord::Exported { round, exported: exported.clone() }).await?;
    Ok(exported)
}

/// Where the certificates of both lie is known, so that they can be handed out; what a lost part of the journal said of it is said anew.
pub(super) async fn known_again(context: &Context<'_>) -> Result<(), Fault> {
    let now = case(context);
    if is_out(context.world, &now.own, Round::Certificates) && !now.own.exported.contains_key(&Round::Certificates) {
        export(context, &now, Round::Certificates).await?;
    }
    Ok(())
}

/// Whoever may have taken what would lock them out further on the way back.
fn missing(step: &Export, context: &Context<'_>) -> Option<Fault> {
    let now = case(context);
    // Who has the certificates of both is locked out of nothing.
    let is_asked = step.round != Round::Certificates && is_out(context.world, &now.own, step.round);
    if now.core.way != Way::Back || !is_asked {
        return None;
    }
    let left = names(&open(context.world, &now, step.about_back()));
    if left.is_empty() {
        return None;
    }
    let what = match step.round {
        Round::Admin => "the previous admin credential",
        _ => "the certificates of both authorities",
    };
    let text = format!(
        "waits for {} of {} holders to have {what} again: {}",
        left.len(),
        context.world.holders.len(),
        left.join(", ")
    );
    Some(
        Fault::new(Service::Gate, FaultKind::Refused, text)
            .hint("hand it over first, else the next step back locks them out")
            .leads(&[Lead::Settle]),
    )
}
