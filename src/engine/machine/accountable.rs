//! The commands that make operators answerable to each other: approval, emergency and its review, hand-over; and the
//! question to whoever would cut off their own session.

use super::{Intent, Machine, Output, Outputs, bad_input, done, lockout, not_now, required};
use crate::domain::client::Client;
use crate::domain::fault::Service;
use crate::domain::preflight::{AGENT_LOG, DUPLICATES, KEYS, MAILBOX, SWAP};
use crate::domain::sanitize::sanitize;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::window::Window;
use crate::engine::acts::Author;
use crate::engine::approval;
use crate::engine::closing::{self, UNVERIFIED};
use crate::engine::command::{Command, NOBODY, Refusal};
use crate::engine::record::{Cause, Record, RotationId};
use crate::engine::review::Closing;
use crate::engine::rotation::Rotation;
use jiff::{SignedDuration, Timestamp};

/// A review of an emergency is due within this.
const REVIEW_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// The window of an emergency that nobody had planned.
const EMERGENCY_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Checks that may be set aside in any rotation: what failed there is known in another way.
const SET_ASIDE: [&str; 4] = [MAILBOX, DUPLICATES, SWAP, AGENT_LOG];
/// Checks without which no key can be changed at all.
const NEEDED_IN_AN_EMERGENCY: [&str; 2] = ["keystone", "barbican"];

/// Whether an operator's word may stand for this check.
pub(crate) fn may_be_set_aside(rotation: &Rotation, check: &str) -> bool {
    let found = rotation.preflight.as_ref().and_then(|run| run.checks.iter().find(|found| found.name == check));
    match rotation.emergency {
        Some(_) => !NEEDED_IN_AN_EMERGENCY.contains(&check),
        // Whom that cuts off, it cuts off anyway.
        None if found.is_some_and(|found| found.is_proved) => false,
        None => SET_ASIDE.contains(&check) || check == KEYS && rotation.is_live_key_replaced(),
    }
}

impl Machine {
    /// What was handed over must be read before anything is done; what looks, notes, or ends a half-done state may be done
    /// without.
    pub(super) fn read_first(&self, command: &Command) -> Result<(), Refusal> {
        let Ok(rotation) = self.open() else { return Ok(()) };
        let free = match command {
            Command::AcceptHandOver
            | Command::Note { .. }
            | Command::Verify
            | Command::EndSilence
            | Command::SeenSince { .. }
            | Command::TakeMails { .. }
            | Command::Approve { .. }
            | Command::ApproveSigned { .. }
            | Command::Emergency { .. }
            | Command::TakeOver { .. }
            | Command::Recover { .. } => true,
            Command::Resume => rotation.touched,
            _ => false,
        };
        match rotation.unread_hand_over(&self.me.person) {
            Some(hand_over) if !free => {
                let (person, note) = (&hand_over.person, &hand_over.note);
                Err(not_now(format!("{person} has handed this over: read the note ({note}), accept it, then go on")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the operator may go on with a journal of which the end is lost. Gives the reason.
    pub fn recovers(&self, confirm: &str, reason: String) -> Result<String, Refusal> {
        self.confirmed_name(confirm)?;
        required(reason, "say why it is gone on with (a reason)")
    }

    /// Nothing new is planned for a tenant whose emergency nobody has looked at.
    pub(super) fn reviewed(&self) -> Result<(), Refusal> {
        match self.rotation.as_ref().and_then(|rotation| rotation.open_review(self.rules.signing())) {
            Some(review) => Err(not_now(format!(
                "the review of the {} of {} is open, to be closed first (by {}){}",
                review.of.word(),
                review.at.strftime("%Y-%m-%d"),
                review.by_whom(),
                review.not_counted.last().map(|why| format!("; {why}")).unwrap_or_default()
            ))),
            None => Ok(()),
        }
    }

    /// Whoever would cut off their own session types the name once more.
    pub(super) fn see_lockout(&mut self, typed: &str) -> Result<(), Refusal> {
        self.through_tunnel = typed == self.tenant.name;
        match self.rotation.as_ref().and_then(|rotation| rotation.own_route(&self.me.person)) {
            Some(route) if !self.through_tunnel => Err(Refusal::NeedsPerson(lockout(&self.tenant.name, route))),
            _ => Ok(()),
        }
    }

    /// What keeps the gate shut by no person's will. In an emergency nothing but Keystone and Barbican is needed for the key.
    pub(super) fn set_aside(&mut self, at: Timestamp, what: String, reason: String) -> Outputs {
        let rotation = self.untouched()?;
        let reason = required(reason, "say why it is set aside (a reason)")?;
        if what == NOBODY {
            if !rotation.clients.is_empty() {
                let known = rotation.clients.len();
                return Err(not_now(format!("{known} clients are known: each is asked, or waived by name")));
            }
            return Ok(vec![self.append(at, Record::NobodyWaived { reason })?, done("recorded: nobody is asked")]);
        }
        let failed = rotation.preflight.as_ref().map(|run| run.failed()).unwrap_or_default();
        if !failed.contains(&what) {
            return Err(not_now(format!(
                "{what} is no check that failed in the last run of step 2; failed: {}",
                if failed.is_empty() { "none".to_owned() } else { failed.join(", ") }
            )));
        }
        if !may_be_set_aside(rotation, &what) {
            return Err(not_now(format!(
                "{what} can't be set aside{}: put right what it names, then check again",
                if rotation.emergency.is_none() { " (but in an emergency)" } else { "" }
            )));
        }
        let text = format!("{what} is set aside for this rotation, and everybody is shown it");
        Ok(vec![self.append(at, Record::CheckSetAside { check: what, reason })?, done(text)])
    }

    /// A command of somebody who has signed for what they write: their signature stands in the journal, once a session and
    /// case.
    pub(super) fn command_in_session(&mut self, at: Timestamp, command: Command, new_id: RotationId) -> Outputs {
        let is_signed = self.open().is_ok_and(Rotation::is_signed);
        if is_signed && command.is_a_word() && !self.rules.signing().is_asked() {
            return Err(not_now(format!("nothing is typed into it here: {UNVERIFIED}")));
        }
        let before = self.sign_session(at)?;
        let mut outputs = self.command(at, command, new_id)?;
        match before {
            Some(signed) => outputs.insert(0, signed),
            // A plan begins the case that was signed for.
            None => {
                if let Some(signed) = self.sign_session(at)? {
                    let first = outputs.iter().take_while(|output| matches!(output, Output::Append(_))).count();
                    outputs.insert(first, signed);
                }
            }
        }
        Ok(outputs)
    }

    fn sign_session(&mut self, at: Timestamp) -> Result<Option<Output>, Refusal> {
        let Some((session, rotation)) = self.hand.session.clone().zip(self.rotation.as_ref()) else { return Ok(None) };
        let is_open = rotation.outcome.is_none() && rotation.id == session.rotation;
        if !is_open || rotation.sessions.contains_key(&session.id) {
            return Ok(None);
        }
        let record = Record::SessionSigned { session: session.id, signature: session.signature };
        self.append(at, record).map(Some)
    }

    pub(super) fn approve(&mut self, at: Timestamp, typed: &str, note: String) -> Outputs {
        let Some(asked) = &self.rules.approval else {
            return Err(not_now("no approval is asked for here (approval.required in the configuration)"));
        };
        let rotation = self.untouched()?;
        let digest = approval::may_approve(rotation, asked, self.who(), typed, at).map_err(Refusal::NotNow)?;
        let valid = SignedDuration::try_from(asked.valid).unwrap_or(SignedDuration::MAX);
        let latest = at.checked_add(valid).unwrap_or(Timestamp::MAX);
        let (mut expires, mut signature, mut by) = (latest, None, String::new());
        if asked.signing.is_asked() {
            let hand = self.hand.signature.clone().zip(self.hand.expires);
            let (armored, until) = hand.ok_or_else(|| not_now("an approval is signed here; see approval.key"))?;
            if until <= at || until > latest {
                let told = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
                let (until, latest) = (told(until), told(latest));
                return Err(not_now(format!(
                    "what was signed ends at {until}; sign one that ends from now to {latest}"
                )));
            }
            let signer = approval::signed_by(rotation, asked, &digest, &armored, until, at).map_err(Refusal::NotNow)?;
            (expires, signature, by) =
                (until, Some(armored), format!(", signed by {} ({})", signer.person, signer.key));
        }
        let text = format!("approved until {}{by}", expires.strftime("%H:%M UTC"));
        let note = sanitize(&note);
        let scheme = approval::SCHEME;
        Ok(vec![self.append(at, Record::Approved { digest, expires, note, scheme, signature })?, done(text)])
    }

    pub(super) fn emergency(
        &mut self,
        at: Timestamp,
        confirm: &str,
        reason: String,
        through_tunnel: &str,
        new_id: RotationId,
    ) -> Outputs {
        self.confirmed_name(confirm)?;
        let reason = required(reason, "say what is suspected (a reason)")?;
        let mut outputs = Vec::new();
        let (mut covers, mut earlier) = (Vec::new(), Vec::new());
        if self.open().is_err() {
            let signing = self.rules.signing();
            if let Some((before, review)) = self.rotation.as_ref().and_then(|r| Some((r, r.open_review(signing)?))) {
                covers.extend(review.covers.iter().cloned());
                covers.push(before.id.clone());
                earlier.extend(review.declarers().into_iter().cloned());
            }
            let end = at.checked_add(EMERGENCY_WINDOW).unwrap_or(Timestamp::MAX);
            let window = Window { start: at, end, zone: "UTC".into(), revision: 1 };
            let (tenant, cause, reference) = (self.tenant.clone(), Cause::Compromise, String::new());
            let goes_on = self.senders_of_before();
            let (rotation, left) = (new_id, self.left_before());
            outputs.push(self.append(at, Record::Planned { rotation, tenant, window, cause, reference, left })?);
            for record in goes_on {
                outputs.push(self.append(at, record)?);
            }
        }
        self.untouched()?;
        self.see_lockout(through_tunnel)?;
        let review_due = at.checked_add(REVIEW_WITHIN).unwrap_or(Timestamp::MAX);
        let signature = self.hand.signature.clone();
        outputs.push(self.append(at, Record::EmergencyDeclared { reason, review_due, covers, earlier, signature })?);
        outputs.extend(self.begin(at, StepNumber::ANNOUNCE, Intent::Emergency)?);
        Ok(outputs)
    }

    /// Where plans need a second operator, a way back that none had approved needs one afterwards.
    pub(super) fn rollback_review_due(&self, at: Timestamp) -> Option<Timestamp> {
        let is_asked = self.rules.approval.is_some() || self.rotation.as_deref().is_some_and(Rotation::is_signed);
        is_asked.then(|| at.checked_add(REVIEW_WITHIN).unwrap_or(Timestamp::MAX))
    }

    /// The way to step 3: the check, and in an emergency that died before everybody was mailed, the mails first.
    pub(super) fn begin_checked(&mut self, at: Timestamp) -> Outputs {
        let rotation = self.open()?;
        if rotation.emergency.is_none() {
            return self.begin(at, StepNumber::CHECK, Intent::Rotate);
        }
        let kinds = rotation.telling_kinds();
        let told = |client: &Client| kinds.iter().any(|kind| rotation.notice(&client.id, *kind).is_some());
        let untold = rotation.clients.iter().any(|client| client.email.is_some() && !told(client));
        // One try: a mail server that can't be reached stops nothing. What was wrong with the VPN server was no try.
        let tried = matches!(rotation.step(StepNumber::ANNOUNCE), StepState::Failed { fault, .. } if fault.service != Service::Server);
        let first = match (untold || rotation.clients.is_empty()) && !tried {
            true => StepNumber::ANNOUNCE,
            false => StepNumber::CHECK,
        };
        self.begin(at, first, Intent::Emergency)
    }

    pub(super) fn close_review(&mut self, at: Timestamp, note: String) -> Outputs {
        let signing = self.rules.signing();
        let review = self.rotation.as_ref().and_then(|rotation| rotation.open_review(signing).zip(Some(rotation)));
        let Some((review, rotation)) = review else { return Err(not_now("no review is open")) };
        if rotation.outcome.is_none() {
            return Err(not_now("the rotation is not at its end yet; review it then"));
        }
        let note = required(note, "say what the review found (a note)")?;
        let signature = self.hand.signature.clone();
        if signing.is_asked() && signature.is_none() {
            return Err(not_now("a review is signed here; see approval.key"));
        }
        let author = Author::of(&self.me.entry(0, at, Record::HandOverAccepted));
        let closing = Closing { author, at, note: note.clone(), signature: signature.clone(), is_old: false };
        let by = closing::may_close(rotation, &review, &closing, signing).map_err(Refusal::NotNow)?;
        let text = match closing::is_first_of_two(&review) {
            true => format!("recorded as closed by {by}; the review stays open until another operator closes it too"),
            false if review.advisory => format!("the review is closed by {by} (by login only: advisory)"),
            false => format!("the review is closed by {by}"),
        };
        Ok(vec![self.append(at, Record::ReviewClosed { note, signature })?, done(text)])
    }

    pub(super) fn hand_over(&mut self, at: Timestamp, to: &str, note: String) -> Outputs {
        self.quiet()?;
        let note = required(note, "say what the next operator must know (a note)")?;
        let to = sanitize(to);
        let text = match to.is_empty() {
            true => "handed over: the next operator reads the note and accepts".to_owned(),
            false => format!("handed over: {to} reads the note and accepts"),
        };
        Ok(vec![self.append(at, Record::HandedOver { to, note })?, done(text)])
    }

    pub(super) fn accept(&mut self, at: Timestamp) -> Outputs {
        let rotation = self.open()?;
        let Some(hand_over) = rotation.hand_over.as_ref().filter(|hand_over| hand_over.accepted.is_none()) else {
            return Err(bad_input("nothing was handed over"));
        };
        if hand_over.person == self.me.person {
            return Err(not_now("you handed it over yourself; go on, or wait for the next operator"));
        }
        let text = format!("accepted from {}: {}", hand_over.person, hand_over.note);
        Ok(vec![self.append(at, Record::HandOverAccepted)?, Output::Done(text)])
    }
}
