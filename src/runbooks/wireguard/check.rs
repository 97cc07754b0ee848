//! Step 2: verify that Barbican is available, and everything else that must hold before anything is changed.
//!
//! What is asked is `survey`, what each answer means is `findings`. Reads only. Its findings are journaled whole; a single failed
//! check shuts the gate.

mod clocks;
mod console;
mod findings;
mod keys;
mod survey;

pub use survey::{Survey, survey};

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::preflight::{Check as Finding, CheckState, Preflight};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::record::Record;
use crate::engine::rotation::Rotation;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;
use clocks::OWN_CLOCK;
use findings::{agent_check, service_of};

/// Step 2.
pub struct Check;

#[async_trait]
impl Step for Check {
    fn number(&self) -> StepNumber {
        StepNumber::CHECK
    }

    fn title(&self) -> &'static str {
        "Check Barbican and the rest"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "Barbican answers with an HTTP error or not at all",
                remedy: "do not proceed: the server reads its key from there. Nothing was changed. 401: credential; 403: ask the platform team for a role assignment (creator or member); 5xx: wait for the service",
            },
            Trouble {
                symptom: "Barbican returns 403 for the VPN server's application credential",
                remedy: "the tenant's application credential may lack secrets:get in the Barbican policy; check with the platform team, a role assignment update may be required",
            },
            Trouble {
                symptom: "the keys do not agree",
                remedy: "somebody or something changed one place only. Find out which is right before rotating: clients hold what the object says, the server holds what the interface says, and at its next restart takes what Barbican says",
            },
            Trouble {
                symptom: "the server can't be read",
                remedy: "run the command of server.command by hand; ssh must reach the host without a question, its host key must be known, and sudo must permit `wg show` without a password",
            },
            Trouble {
                symptom: "the agent is pinned to a secret's id, or reads a key of its own",
                remedy: "this runbook would change nothing there. Pinned: have BARBICAN_SECRET_NAME set in the agent's environment file. Own key (a legacy server): rotate it by its own procedure over SSH",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "nothing to take back: it only reads"
    }

    async fn probe(&self, _context: &StepContext<'_>) -> Probe {
        Probe::NotDone("a check only reads; it is simply run again".into())
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let preflight = survey(context.world, Some(context), None).await?.preflight();
        let result = judge(&preflight, &context.rotation());
        context.ledger.record(Record::Checked { preflight }).await?;
        result
    }
}

/// What a whole run comes to.
fn judge(preflight: &Preflight, rotation: &Rotation) -> Result<String, Fault> {
    let (aside, failed): (Vec<_>, Vec<_>) =
        preflight.failed().into_iter().partition(|name| rotation.set_aside.contains_key(name));
    let count = preflight.checks.len();
    match preflight.checks.iter().find(|check| failed.contains(&check.name)) {
        None if aside.is_empty() => Ok(format!("{count} checks, none failed")),
        None => Ok(format!("{count} checks, set aside: {}", aside.join(", "))),
        Some(check) => {
            let (service, text) = blame(check);
            let message = format!("{text} (failed: {})", failed.join(", "));
            Err(Fault::new(service, FaultKind::Refused, message).hint(check.advice.clone()))
        }
    }
}

/// Errs where the agent would never see another key, and nobody has set that check aside: no mail makes that good.
pub async fn agent_takes_it(context: &StepContext<'_>) -> Result<(), Fault> {
    let found = agent_check(&context.world.server.agent_mode().await);
    if found.state != CheckState::Fail || context.rotation().set_aside.contains_key(&found.name) {
        return Ok(());
    }
    let (service, text) = blame(&found);
    Err(Fault::new(service, FaultKind::Refused, text).hint(format!("nobody was mailed; {}", found.advice)))
}

/// Whose fault a failed check is, and what it found without that name. No neighbour is blamed for this host's own clock.
fn blame(check: &Finding) -> (Service, String) {
    if let Some(rest) = check.finding.strip_prefix(OWN_CLOCK) {
        return (Service::Host, format!("its clock{rest}"));
    }
    let service = service_of(&check.name);
    (service, check.finding.strip_prefix(&format!("{service}: ")).unwrap_or(&check.finding).to_owned())
}

/// One check anew, recorded in its place in the run that stands, and what the run comes to by that. It does not count longer for it.
pub async fn recheck(context: &StepContext<'_>, name: &str) -> Result<String, Fault> {
    let found = survey(context.world, Some(context), Some(name)).await?;
    let none = || Fault::new(Service::Journal, FaultKind::Refused, format!("there is nothing to check as {name} now"));
    let anew = found.checks.iter().find(|check| check.name == name).cloned().ok_or_else(none)?;
    let mut preflight = context.rotation().preflight.clone().ok_or_else(none)?;
    for check in preflight.checks.iter_mut().filter(|check| check.name == name) {
        *check = anew.clone();
    }
    if found.looked {
        preflight.keys = found.keys;
    }
    let result = judge(&preflight, &context.rotation());
    context.ledger.record(Record::Checked { preflight }).await?;
    let step = StepNumber::CHECK;
    let stood = context.rotation().step(step).clone();
    let is_so = if result.is_ok() { stood.is_done() } else { stood == StepState::Waiting };
    if !is_so {
        // What it had come to before is said no more.
        let (done, evidence) = (result.is_ok(), result.unwrap_or_else(|fault| fault.to_string()));
        context.ledger.record(Record::StepResolved { step, done, evidence }).await?;
    }
    match anew.state {
        CheckState::Fail => {
            let (service, text) = blame(&anew);
            Err(Fault::new(service, FaultKind::Refused, text).hint(anew.advice))
        }
        state => Ok(format!("{} {}", state.word(), anew.in_full())),
    }
}
