//! The way back, and the end of either way: what each may be begun from, and what is said of what it costs.

use super::io::{BackSight, Intent};
use super::{Machine, Output, Outputs, not_now, required};
use crate::domain::client::ClientId;
use crate::domain::key::{KeyRole, holds_instead};
use crate::domain::step::{StepNumber, StepState};
use crate::domain::typed::{Typed, says_something};
use crate::engine::command::Refusal;
use crate::engine::keys::UNREAD;
use crate::engine::record::{Cause, KeyLeft, Outcome, Record};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;

impl Machine {
    /// Judges it, and looks what it would meet before it is begun.
    pub(super) fn roll_back(&mut self, confirm: &str, reason: String, through_tunnel: &str) -> Outputs {
        let rotation = self.quiet()?;
        if !rotation.touched {
            let name = &self.tenant.name;
            let cancel = Typed::of("cancel").word(name).option("confirm", name).why();
            return Err(not_now(format!("the server was not touched yet; cancel the rotation instead: {cancel}")));
        }
        if !rotation.may_turn_back() {
            return Err(not_now("it is rolling back already; resume"));
        }
        self.confirmed_name(confirm)?;
        self.way_back = required(reason, "say why it is rolled back (a reason)")?;
        self.see_lockout(through_tunnel)?;
        Ok(vec![Output::LookBack])
    }

    /// Begins it. Where the previous key is gone that is recorded and said first, for a fresh key costs more.
    pub(super) fn looked_back(&mut self, at: Timestamp, sight: BackSight) -> Outputs {
        let mut outputs = Vec::new();
        let gone = self.quiet()?.keys.get(&KeyRole::Previous).filter(|kept| kept.gone).cloned();
        if let Some((kept, href)) = gone.zip(sight.found) {
            // Somebody has put it back since it was missed.
            let (role, public_key, name) = (KeyRole::Previous, kept.public_key, kept.name);
            outputs.push(self.append(at, Record::KeyKept { role, public_key, name, href })?);
        }
        let rotation = self.quiet()?;
        // A compromised key is never put back.
        let previous = rotation.is_kept(KeyRole::Previous) && rotation.cause != Cause::Compromise;
        let kept = rotation.keys.get(&KeyRole::Previous).filter(|_| previous && sight.is_kept == Some(false));
        if let Some(name) = kept.map(|kept| kept.name.clone()) {
            let gone = self.append(at, Record::KeyGone { role: KeyRole::Previous, name, instead: sight.instead })?;
            let again = Typed::of("rollback").word(&self.tenant.name).option("confirm", &self.tenant.name).why();
            let text = format!("{}: {again}", fresh_key(self.open()?));
            return Ok(vec![gone, Output::Refused(Refusal::NeedsPerson(text))]);
        }
        let role = if previous { KeyRole::Previous } else { KeyRole::Fresh };
        let mut cut_again: Vec<ClientId> = rotation.back.keys().cloned().collect();
        cut_again.extend(sight.probable.into_iter().filter(|client| !rotation.back.contains_key(client)));
        let reason = std::mem::take(&mut self.way_back);
        let review_due = self.rollback_review_due(at);
        let signature = self.hand.signature.clone();
        let record = Record::RollbackStarted { reason, role, cut_again, review_due, signature };
        outputs.push(self.append(at, record)?);
        outputs.extend(self.go_on(at, None)?);
        Ok(outputs)
    }

    /// The end: everybody is back or waived, and what the runbook asks for is done, or it is said why not. Whether the agent is
    /// well is heard before it is begun.
    pub(super) fn finish(&mut self, note: String, despite: String) -> Outputs {
        let rotation = self.quiet()?;
        let needed = [StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE];
        if let Some(step) = needed.into_iter().find(|step| !rotation.step(*step).is_done()) {
            return Err(not_now(format!("step {step} is not done yet")));
        }
        let missing = rotation.not_back();
        if !missing.is_empty() && !rotation.step(StepNumber::RECONFIGURE).is_done() {
            let (count, step) = (missing.len(), StepNumber::RECONFIGURE);
            let text = format!(
                "step {step} is not done yet, and {count} are not back: notify them, or waive each with a reason"
            );
            return Err(not_now(text));
        }
        if !missing.is_empty() {
            return Err(Refusal::NotBack(missing.iter().map(|client| client.name.clone()).collect()));
        }
        let despite = crate::domain::sanitize::sanitize(&despite);
        let despite = if says_something(&despite) { despite } else { String::new() };
        // A reason that was given before anybody was told of a letter is for something else.
        let told = rotation.end_refused.as_ref().filter(|(_, why)| why.contains(&UNREAD.to_lowercase()));
        let is_told = told.is_some_and(|(at, _)| rotation.open_mails().all(|mail| mail.at <= *at));
        let is_for_less = rotation.open_mails().next().is_some() && !is_told;
        if let Some(what) = rotation.unfinished_told().filter(|_| despite.is_empty() || is_for_less) {
            let first = match rotation.step(StepNumber::RECONFIGURE).is_done() || rotation.is_call_needless() {
                true if rotation.open_mails().next().is_some() => "read it, and say what it means (mail decide)",
                true => "verify until at least one client is back",
                false => "notify them (step 7)",
            };
            let cut = rotation.still_cut_off().map(|cut| format!("{}, and {cut}", what.to_lowercase()));
            return Err(wants_reason(&cut.unwrap_or_else(|| what.to_lowercase()), first));
        }
        self.end_known = rotation.unfinished();
        self.despite = Some(despite).filter(|text| !text.is_empty());
        self.cancel_note = note;
        Ok(vec![Output::HearAgent])
    }

    /// Begins the end. That nothing was heard of the agent is not that it is well.
    pub(super) fn agent_heard(&mut self, at: Timestamp, doubt: Option<String>) -> Outputs {
        let unfinished = self.quiet()?.unfinished();
        if let Some(what) = unfinished.iter().find(|what| !self.end_known.contains(what)) {
            let text = format!("{}: that was not known when the end was asked for", what.to_lowercase());
            return Err(wants_reason(&text, "read it, and say what it means (mail decide)"));
        }
        let is_unfinished = !unfinished.is_empty();
        self.despite = match (doubt, self.despite.take()) {
            (Some(doubt), None) => {
                return Err(wants_reason(&doubt, "wait, or put right what it names, then finish again"));
            }
            (Some(doubt), Some(why)) => Some(format!("{why} ({doubt})")),
            (None, why) => why.filter(|_| is_unfinished),
        };
        // Before the way back goes: whoever is killed in the middle of it has said why.
        let why = self.despite.as_ref().map(|why| format!("it is to be ended all the same: {why}"));
        let mut outputs: Vec<Output> =
            why.map(|text| self.append(at, Record::Noted { text })).transpose()?.into_iter().collect();
        outputs.extend(self.begin(at, StepNumber::VERIFY, Intent::Finish)?);
        Ok(outputs)
    }

    /// What the last end has left, for the rotation that is planned behind it.
    pub(super) fn left_before(&self) -> Option<KeyLeft> {
        self.rotation.as_deref().and_then(Rotation::must_be_live)
    }

    /// What was changed by others since the last end, put right; where nothing is known to be wrong the look says so.
    pub(super) fn put_right(&mut self) -> Outputs {
        let needs = || match self.open() {
            Ok(_) => not_now("nothing was interrupted"),
            Err(_) => not_now("no rotation is open, and none has ended that says which key must be live; plan one"),
        };
        self.left_before().map(|_| vec![Output::PutRight]).ok_or_else(needs)
    }

    /// The outcome of the leg that is being gone.
    pub(super) fn outcome(rotation: &Rotation) -> Outcome {
        if rotation.rollback.is_some() { Outcome::RolledBack } else { Outcome::Rotated }
    }
}

fn wants_reason(what: &str, first: &str) -> Refusal {
    let or = "or say why it is closed all the same (a reason; it stands in the first line of the report)";
    Refusal::NeedsPerson(format!("{what}: {first}, {or}"))
}

/// What a fresh key costs, where the previous one is gone.
pub(crate) fn fresh_key(rotation: &Rotation) -> String {
    let back: Vec<&str> =
        rotation.clients.iter().filter(|c| rotation.back.contains_key(&c.id)).map(|c| c.name.as_str()).collect();
    let again = match back.is_empty() {
        true => String::new(),
        false => format!(", also those who are back already: {}", back.join(", ")),
    };
    let instead = rotation.keys.get(&KeyRole::Previous).map(|kept| holds_instead(&kept.instead)).unwrap_or_default();
    let removed = match rotation.step(StepNumber::VERIFY) {
        StepState::Running { .. } | StepState::Interrupted { .. } => {
            "; step 8, which destroys it, was begun and did not live to record what it did"
        }
        _ => ", and no record says that we removed it",
    };
    format!(
        "the previous key is not in Barbican under its own name any more{instead}{removed}: going \
         back means a fresh key, and every client must download and re-import once more{again}; roll back once more to do that"
    )
}

/// The key that is to be live is kept nowhere; what leads on.
pub(crate) fn lost_target(rotation: &Rotation) -> String {
    let role = rotation.target_role();
    match role {
        KeyRole::Previous => fresh_key(rotation),
        KeyRole::Staged | KeyRole::Fresh => {
            let back = match rotation.is_kept(KeyRole::Previous) && rotation.cause != Cause::Compromise {
                true => "to the previous key",
                false => "to a fresh key, and every client must download and re-import once more",
            };
            format!(
                "the {} key that clients were given is not in Barbican any more, neither live nor under its own name: roll \
                 back {back}",
                role.word()
            )
        }
    }
}
