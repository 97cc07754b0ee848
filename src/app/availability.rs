//! Whether a command is possible now, and if not, the reason in words; leaves doing it to `perform`.
//!
//! This is what the screen knows. The engine asks again with a fresh look, and its refusal comes back as a failure.

use crate::app::clients::is_back;
use crate::app::command::CommandId;
use crate::app::dialog::{close, notify};
use crate::app::model::{Model, Screen};
use crate::app::open::to_hear;
use crate::domain::gate::Reason;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::next::Act;
use crate::engine::status::{ClientView, Phase, TenantStatus};

/// How many names a reason holds before it counts.
const NAMES: usize = 4;

impl CommandId {
    /// `Ok`, or why not.
    pub fn availability(self, model: &Model) -> Result<(), String> {
        use CommandId as Id;
        match self {
            Id::Open => model.fleet.selected().map(|_| ()).ok_or_else(|| "no tenant is selected".into()),
            Id::Look | Id::Copy => model.subject().map(|_| ()).ok_or_else(|| "no tenant is selected".into()),
            Id::Filter | Id::OpenRow | Id::NextPanel | Id::PreviousPanel
                if matches!(model.screen, Screen::Subject(_)) =>
            {
                Ok(())
            }
            Id::Filter if model.shown().is_some() => known(model).map(|_| ()),
            Id::Mark | Id::MarkAll => has_clients(known(model)?),
            Id::OpenRow => known(model).map(|_| ()),
            Id::ReadMail => {
                let named = to_hear(known(model)?);
                named
                    .map(|_| ())
                    .ok_or_else(|| "no mail waits to be read by a person, and nobody's answer is next".into())
            }
            Id::Rehearse if model.options.manner.read_only => {
                Err(model.options.manner.forbids().unwrap_or_default().to_owned())
            }
            Id::Rehearse if model.options.lab.is_none() => Err("only a lab can be made to fail".into()),
            Id::Troubles if model.options.steps.is_empty() => Err("the runbook's texts are not loaded".into()),
            _ if self.changes_something() && model.options.manner.read_only => {
                Err(model.options.manner.forbids().unwrap_or_default().to_owned())
            }
            _ if self.changes_something() => {
                let status = known(model)?;
                is_free_for(self, model, status)?;
                possible(self, status, model)
            }
            _ => Ok(()),
        }
    }

    /// Whether it asks the engine for something, so that it must wait for what runs.
    pub fn changes_something(self) -> bool {
        use CommandId as Id;
        matches!(
            self,
            Id::Plan
                | Id::Reschedule
                | Id::Notify
                | Id::Answer
                | Id::Waive
                | Id::Check
                | Id::Rotate
                | Id::Resume
                | Id::Decide
                | Id::RollBack
                | Id::Verify
                | Id::Back
                | Id::GatewayPing
                | Id::Finish
                | Id::Cancel
                | Id::Note
                | Id::Approve
                | Id::HandOver
                | Id::TakeOver
                | Id::Recover
                | Id::Emergency
                | Id::Review
                | Id::SetAside
                | Id::TakeBack
                | Id::KeepWaiver
        )
    }
}

fn known(model: &Model) -> Result<&TenantStatus, String> {
    match model.screen {
        Screen::Fleet | Screen::Subject(_) => Err("open a tenant first".into()),
        Screen::Tenant(_) => {
            model.status().map(|status| status.as_ref()).ok_or_else(|| "nothing is known of this tenant yet".into())
        }
    }
}

/// Nothing runs for the tenant and nobody else holds it, but where it is just this that the command is for.
pub fn is_free_for(id: CommandId, model: &Model, status: &TenantStatus) -> Result<(), String> {
    if let Some(alarm) = &model.alarm {
        return Err(alarm.clone());
    }
    if let Some(job) = model.jobs.get(&status.tenant.id) {
        return Err(format!("{} is running for {}; wait until it has ended", job.what, status.tenant.name));
    }
    if let Some(lost) = status.lost.as_ref().filter(|_| id != CommandId::Recover) {
        return Err(format!("{lost}; J goes on from what is found"));
    }
    match &status.holder {
        Some(_) if id == CommandId::TakeOver => Ok(()),
        Some(holder) => Err(format!("held by {holder}; watch, talk to them, or T takes it over")),
        None => Ok(()),
    }
}

/// Nothing runs for the tenant and nobody else holds it.
pub fn is_free(model: &Model, status: &TenantStatus) -> Result<(), String> {
    is_free_for(CommandId::Note, model, status)
}

fn has_clients(status: &TenantStatus) -> Result<(), String> {
    if status.clients.is_empty() { Err("no clients are known".into()) } else { Ok(()) }
}

fn possible(id: CommandId, status: &TenantStatus, model: &Model) -> Result<(), String> {
    use CommandId as Id;
    let phase = status.phase;
    // Confirmed, and nothing was touched yet: all that comes before is possible again.
    let before = matches!(phase, Phase::Planned | Phase::Announced) || phase == Phase::Rotating && !touched(status);
    let need = |condition: bool, why: &str| if condition { Ok(()) } else { Err(why.to_owned()) };
    match id {
        Id::Plan => need(phase == Phase::Idle, "a rotation is open already; e changes its window"),
        Id::Recover => need(status.lost.is_some(), "nothing of the journal is lost"),
        Id::TakeOver => need(status.holder.is_some(), "nobody else holds the tenant"),
        Id::Review => {
            need(status.review.is_some(), "no review is open")?;
            need(phase == Phase::Idle, "the rotation of the emergency is not at its end; its review can be closed then")
        }
        Id::Emergency => {
            need(phase == Phase::Idle || !touched(status), "the key is already being changed: u goes on, R goes back")
        }
        // What others have changed since the end can be put right.
        Id::Resume if phase == Phase::Idle && status.next.action == Act::Resume => Ok(()),
        Id::Note => need(status.rotation.is_some(), "there is no rotation to add a note to; p plans one"),
        _ if phase == Phase::Idle => Err("no rotation is open; p plans one".into()),
        Id::Approve => {
            need(
                status.plan_digest.is_some() || status.approval.is_some() || asks_approval(status),
                "no approval is asked for here",
            )?;
            need(before, "the rotation has begun")?;
            need(status.plan_digest.is_some(), "c checks first: the approval is bound to the key that the check sees")
        }
        Id::Reschedule => need(before, "the rotation has begun; its window can't change any more"),
        Id::Notify => {
            need(!notify::kinds(status).is_empty(), "no mail makes sense now; the next is when the key is live")
        }
        Id::Answer => {
            need(before, "answers are asked before the rotation; b records who is back")?;
            has_clients(status)?;
            subject(model, status)
        }
        Id::Waive => has_clients(status).and_then(|()| subject(model, status)),
        Id::TakeBack => {
            need(before, "the key is being changed already; what was recorded stays")?;
            need(
                model.panels.people(status).len() == 1,
                "it is taken back for one client at a time: the one under the cursor",
            )
        }
        Id::KeepWaiver => {
            need(before, "the key is being changed already")?;
            need(!lapsed(model, status).is_empty(), "no waiver of an earlier window is theirs")
        }
        Id::SetAside => {
            need(before, "the key is being changed already; nothing is asked of the gate any more")?;
            need(close::to_set_aside(model, status).is_some(), "no check has failed that keeps the gate shut")
        }
        Id::Check => need(before, "the check belongs before the rotation"),
        Id::Rotate if phase == Phase::RollingBack => Err("it is being rolled back; u goes on with it".into()),
        Id::Rotate => need(before, "it has been rotated; u goes on, R goes back"),
        Id::Resume => need(can_resume(status), "nothing is interrupted, failed or left to do up to step 6"),
        Id::Decide => need(
            interrupted(status).is_some() || status.next.mail.is_some(),
            "no step is interrupted, and no mail is uncertain",
        ),
        Id::RollBack => {
            let again = status.next.action == Act::Rollback;
            need(phase != Phase::RollingBack || again, "it is being rolled back already; u goes on with it")?;
            need(touched(status), "the server has not been touched: x cancels instead")
        }
        Id::Verify => need(status.back.is_some(), "the key is not live yet; there is nothing to verify"),
        Id::Back | Id::GatewayPing => {
            need(status.back.is_some(), "the key is not live yet; nobody can be back")?;
            subject(model, status)
        }
        Id::Finish => finishable(status),
        Id::Cancel if phase == Phase::RollingBack => Err("it is being rolled back; u goes on with it".into()),
        Id::Cancel => need(!touched(status), "the server has been touched: only R leads back"),
        _ => Ok(()),
    }
}

fn asks_approval(status: &TenantStatus) -> bool {
    status.gate.reasons().iter().any(|reason| matches!(reason, Reason::NotApproved { .. }))
}

fn subject(model: &Model, status: &TenantStatus) -> Result<(), String> {
    if model.panels.people(status).is_empty() {
        return Err("no client is under the cursor here; 1 goes to the clients, Esc drops the filter".into());
    }
    Ok(())
}

/// Whose waivers of an earlier window would be kept: those of the marked or of the one under the cursor.
pub fn lapsed<'a>(model: &Model, status: &'a TenantStatus) -> Vec<&'a ClientView> {
    let has =
        |view: &&ClientView| status.heard.lapsed_waivers.iter().any(|lapsed| lapsed.waiver.client == view.client.id);
    model.panels.people(status).into_iter().filter(has).collect()
}

/// Anything that clients can feel was begun.
pub fn touched(status: &TenantStatus) -> bool {
    status.touched
}

/// The first interrupted step.
pub fn interrupted(status: &TenantStatus) -> Option<StepNumber> {
    let step = status.steps.iter().find(|step| matches!(step.state, StepState::Interrupted { .. }))?;
    Some(step.number)
}

fn can_resume(status: &TenantStatus) -> bool {
    let stuck = |state: &StepState| matches!(state, StepState::Interrupted { .. } | StepState::Failed { .. });
    let begun = matches!(status.phase, Phase::Rotating | Phase::Returning | Phase::RollingBack);
    // What was done and holds no longer is offered, too.
    status.next.action == Act::Resume
        || status.steps.iter().any(|step| {
            let undone =
                step.number <= StepNumber::RECONCILE && step.number > StepNumber::CHECK && !step.state.is_done();
            stuck(&step.state) || begun && undone
        })
}

fn finishable(status: &TenantStatus) -> Result<(), String> {
    if status.back.is_none() {
        return Err("the key is not live yet; x cancels, R rolls back".into());
    }
    let missing: Vec<&str> =
        status.clients.iter().filter(|view| !is_back(view)).map(|view| view.client.name.as_str()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("not back and not waived: {}", names(&missing))) }
}

/// `Ada, Bob, Chen`: everybody, where it matters who exactly.
pub fn everybody(all: &[&str]) -> String {
    all.join(", ")
}

/// `Ada, Bob and 3 more`.
pub fn names(all: &[&str]) -> String {
    let shown = all.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
