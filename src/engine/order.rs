//! Which record may follow: one table for every kind, asked when a record is written and when a journal is read.
//!
//! A journal that breaks it was not written by this program; nothing is done with it. Records of versions up to
//! [`STARTING_TOUCHED`] were written under fewer rules and are held to those only.

use crate::domain::key::KeyRole;
use crate::domain::preflight::Preflight;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::record::{self, Entry, RECORD_VERSION, Record, STARTING_TOUCHED};
use crate::engine::rotation::Rotation;

impl Rotation {
    /// Whether the entry may follow. Says why not.
    pub fn check(&self, entry: &Entry) -> Result<(), String> {
        if entry.version > RECORD_VERSION {
            return Err(format!("written by a newer changeguard (version {})", entry.version));
        }
        if entry.seq != self.seq + 1 {
            return Err(format!("expected number {}", self.seq + 1));
        }
        if self.outcome.is_some() && !may_follow_the_end(&entry.record) {
            return Err("the rotation has already ended".into());
        }
        self.step_may_follow(entry)?;
        match entry.version > STARTING_TOUCHED {
            true => self.may_follow(entry),
            false => Ok(()),
        }
    }

    fn step_may_follow(&self, entry: &Entry) -> Result<(), String> {
        let (step, to) = match &entry.record {
            Record::Planned { .. } => return Err("a rotation is planned only once".into()),
            Record::StepStarted { step } => (step, StepState::Running { since: entry.at }),
            Record::StepSucceeded { step, evidence } => {
                (step, StepState::Done { at: entry.at, evidence: evidence.clone() })
            }
            Record::StepFailed { step, fault } => (step, StepState::Failed { at: entry.at, fault: fault.clone() }),
            // The journal knows no interruption; whoever resolves one found it running when it was loaded.
            _ => return Ok(()),
        };
        let from = &self.steps[step.index()];
        let found = matches!(from, StepState::Running { .. }) && matches!(to, StepState::Running { .. });
        if from.may_become(&to) || found {
            Ok(())
        } else {
            Err(format!("step {step} can't go from {} to {}", from.word(), to.word()))
        }
    }

    /// The table.
    fn may_follow(&self, entry: &Entry) -> Result<(), String> {
        let need = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        let at_work =
            |step: StepNumber| matches!(self.step(step), StepState::Running { .. } | StepState::Interrupted { .. });
        let confirmed = self.confirmed_at.is_some();
        let untouched = || need(!self.touched, "the key is being changed already");
        let of_client = |id| need(self.client(id).is_some(), "that is no client of the rotation");
        let of_mail = |id: &str| need(self.knows_mail(id), "no such mail was read");
        let of_notice = |id: &str| need(self.notices.get(id).is_some(), "no such mail was being sent");
        match &entry.record {
            Record::Rescheduled { window } => {
                untouched()?;
                need(window.revision == self.window.revision + 1, "the window's next revision is another")
            }
            Record::NoticeQueued { client, revision, .. } => {
                of_client(client)?;
                need(*revision == self.window.revision, "the mail tells another revision of the window")
            }
            Record::NoticeDelivery { message_id, .. } | Record::NoticeResolved { message_id, .. } => {
                of_notice(message_id)
            }
            Record::Answered { client, revision, .. } => {
                of_client(client)?;
                need(*revision <= self.window.revision, "that revision of the window does not exist")
            }
            Record::Waived { client, .. } => of_client(client),
            Record::MailDecided { mail, .. } => of_mail(mail),
            // One check anew stands in the run of the same moment, by whoever made that.
            Record::Checked { preflight } => {
                let is_same = |run: &Preflight| run.at == preflight.at && self.checked_by == entry.person();
                let anew = !self.touched && self.preflight.as_ref().is_some_and(is_same);
                need(anew || at_work(StepNumber::CHECK), "step 2 is not at work")
            }
            Record::RotateConfirmed { .. } => {
                untouched()?;
                need(self.preflight.is_some(), "no check was made")
            }
            Record::StepStarted { step } if in_the_run(*step) => {
                need(confirmed || self.rollback.is_some(), "the rotation was not confirmed")
            }
            // A step that was done is found not to be so any more, where others have changed what it did.
            Record::StepResolved { step, .. } => {
                let was_checked = *step == StepNumber::CHECK && self.preflight.is_some();
                need(was_checked || *self.step(*step) != StepState::Waiting, "that step was never begun")
            }
            Record::KeyKeeping { .. } | Record::PreviousMissing { .. } => {
                need(at_work(StepNumber::STAGE), "step 3 is not at work")
            }
            // Step 4 carries over what it finds.
            Record::ShapeSeen { .. } => {
                need(at_work(StepNumber::STAGE) || at_work(StepNumber::SECRET), "neither step 3 nor step 4 is at work")
            }
            Record::KeyKept { role, public_key, .. } => {
                let keeping = self.keys.get(role).is_some_and(|key| key.public_key == *public_key);
                need(keeping, "that key was not being kept")
            }
            Record::Touching { step, .. } => {
                untouched()?;
                need(confirmed, "the rotation was not confirmed")?;
                need(*step == StepNumber::SECRET && at_work(*step), "step 4 is not at work")
            }
            Record::NotTouched { step } => {
                need(self.touching, "it was not said before that it is touched")?;
                need(*step == StepNumber::SECRET && at_work(*step), "step 4 is not at work")
            }
            Record::Swapped(record::Swapped { public_key, .. }) => {
                need(self.touched, "nothing was touched")?;
                need(at_work(StepNumber::SECRET), "step 4 is not at work")?;
                need(self.target() == Some(*public_key), "that is not the key that is to be live")
            }
            Record::ObjectChanged(record::ObjectChanged { to, .. }) => {
                need(at_work(StepNumber::OBJECT), "step 5 is not at work")?;
                need(self.target() == Some(*to), "that is not the key that is to be live")
            }
            Record::Applied(record::Applied { baseline, .. }) => {
                need(at_work(StepNumber::RECONCILE), "step 6 is not at work")?;
                need(self.target() == Some(baseline.public_key), "that is not the key that is to be live")
            }
            Record::ClientBack { client, .. } | Record::GatewayPing { client, .. } => {
                of_client(client)?;
                need(self.applied.is_some(), "the key is not live yet")
            }
            Record::RollbackStarted { role, .. } => {
                need(self.touched, "nothing was touched")?;
                need(self.rollback.is_none() || *role == KeyRole::Fresh, "it is rolling back already")?;
                need(self.may_turn_back(), "it is rolling back already")
            }
            Record::KeyDestroyed { role, .. } => need(self.keys.contains_key(role), "no such key was kept"),
            Record::Approved { .. } | Record::CheckSetAside { .. } | Record::NobodyWaived { .. } => untouched(),
            // Whether an earlier one counts is each reader's to say, so there may be more than one.
            Record::ReviewClosed { .. } => {
                need(self.to_review().next().is_some(), "there is nothing to review")?;
                need(self.outcome.is_some(), "what is to be reviewed is not at its end")
            }
            Record::HandOverAccepted => {
                let open = self.hand_over.as_ref().is_some_and(|left| left.accepted.is_none());
                need(open, "nothing was handed over")
            }
            Record::SilenceEnded { .. } => need(self.silence.is_some(), "no silence is open"),
            Record::SenderAccepted { mail: Some(mail), .. } => of_mail(mail),
            Record::TakenBack { what, .. } => {
                untouched()?;
                need(self.can_take_back(what), "there is nothing of that to take back")
            }
            Record::WaiverKept { client } => {
                untouched()?;
                need(self.hearing.lapsed.contains_key(client), "no waiver of an earlier window is theirs")
            }
            Record::Finished { .. }
            | Record::SenderAccepted { .. }
            | Record::DomainAccepted { .. }
            | Record::EmergencyDeclared { .. }
            | Record::Planned { .. }
            | Record::PeopleSeen { .. }
            | Record::StepStarted { .. }
            | Record::StepSucceeded { .. }
            | Record::StepFailed { .. }
            | Record::Silenced { .. }
            | Record::MailRead { .. }
            | Record::Noted { .. }
            | Record::TakenOver { .. }
            | Record::HandedOver { .. } => Ok(()),
            Record::SessionSigned { session, .. } => {
                need(!self.sessions.contains_key(session), "that session has signed already")
            }
            Record::ForeignKept { .. } => {
                let is_over = self.recovered.is_some() || self.outcome.is_some();
                let may_be = at_work(StepNumber::SECRET) || !self.touched || is_over;
                need(may_be, "nothing of the live secret is being changed")
            }
            Record::KeyGone { role, .. } => {
                let kept = self.keys.get(role).is_some_and(|key| key.destroyed.is_none());
                need(kept, "no such key is kept")
            }
            Record::Refused(act) => {
                need(!act.act.is_empty() && !act.why.is_empty(), "what was refused, and why, is not said")
            }
            Record::ForeignSeen { .. } => need(!self.touched, "the key is being changed already"),
            Record::SecretLeft { step, .. } => {
                need(matches!(*step, StepNumber::STAGE | StepNumber::SECRET), "only steps 3 and 4 change the secret")
            }
            Record::Case(_) => Err("it is of another runbook".into()),
            Record::CalledUnasked { .. } => need(self.touched, "the key is not live yet"),
            Record::Recovered { .. } => Ok(()),
            Record::LeaseLost { .. } | Record::PersonErased { .. } => Err("that belongs into the lease log".into()),
        }
    }
}

impl Record {
    /// Whether it is open after this record if the secret was changed, as it was about to be.
    pub(super) fn is_touching(&self, before: bool) -> bool {
        match self {
            Record::Touching { .. } => true,
            Record::NotTouched { .. }
            | Record::Swapped(_)
            | Record::StepSucceeded { step: StepNumber::SECRET, .. }
            | Record::StepResolved { step: StepNumber::SECRET, done: true, .. }
            | Record::RollbackStarted { .. } => false,
            Record::Recovered { found, .. } => before && !found.touched,
            _ => before,
        }
    }
}

/// Steps that only a confirmed rotation, or the way back, takes.
fn in_the_run(step: StepNumber) -> bool {
    (StepNumber::STAGE..=StepNumber::RECONCILE).contains(&step)
}

/// What is still written when it is over.
fn may_follow_the_end(record: &Record) -> bool {
    matches!(
        record,
        Record::Noted { .. }
            | Record::KeyDestroyed { .. }
            | Record::ReviewClosed { .. }
            | Record::TakenOver { .. }
            | Record::MailRead { .. }
            | Record::MailDecided { .. }
            | Record::SilenceEnded { .. }
            | Record::ForeignKept { .. }
            | Record::Recovered { .. }
            | Record::Refused(_)
    )
}

#[cfg(test)]
mod tests;
