//! The machine that decides: an input and a moment in, journal records and acts out. It touches nothing itself.
//!
//! Records are folded as they are emitted, so a second key press is judged against the state after the first. The caller
//! must make every [`Output::Append`] durable before it carries out what follows it in the list.

mod accountable;
mod back;
mod commands;
mod io;
mod mailbox;
mod senders;

pub(crate) use accountable::may_be_set_aside;
pub(crate) use back::lost_target;
pub use io::{BackSight, Input, Output, SendOrder};

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::gate::{ApprovalFact, Verdict};
use crate::domain::sanitize::shell_word;
use crate::domain::second_mail::SecondMail;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::Tenant;
use crate::domain::typed::says_something;
use crate::engine::approval::{self, Asked, Me, Rotates};
use crate::engine::command::Refusal;
use crate::engine::judging::{self, Beside};
use crate::engine::ports::{Settings, SwapOrder};
use crate::engine::record::{Actor, Entry, Outcome, Record};
use crate::engine::rotation::Rotation;
use crate::engine::signing::{Hand, Signing};
use crate::engine::step::Probe;
use crate::engine::truth::Live;
use io::Intent;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The machine of one tenant.
#[derive(Debug)]
pub struct Machine {
    tenant: Tenant,
    me: Actor,
    rules: Rules,
    /// Shared with whoever reads it: a record is folded into it in place, and it is copied only while somebody holds it.
    rotation: Option<Arc<Rotation>>,
    intent: Intent,
    cancel_note: String,
    /// Why the operator goes back, while what that would meet is being looked at.
    way_back: String,
    /// What was missing when the end was asked for: its reason is for that.
    end_known: Vec<&'static str>,
    /// What this resume has found undone although it had ended well.
    redone: Vec<StepNumber>,
    /// Why it is closed although something is missing.
    despite: Option<String>,
    /// The tenant's name was typed once more, knowing that our own connection runs through the tunnel.
    through_tunnel: bool,
    /// What our operator has signed for this command.
    hand: Hand,
    /// Step 1 tells those whom the operator was shown, and nobody who appears meanwhile.
    telling: bool,
}

/// What the configuration says to the machine.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a green preflight counts.
    pub preflight_valid: Duration,
    /// What a second operator's approval must be; `None`: none is asked for.
    pub approval: Option<Asked>,
    /// What must show the live key before the second mail.
    pub second_mail: SecondMail,
    /// The new secret is stored before the old one is deleted.
    pub store_first: bool,
}

impl Rules {
    /// Those of the settings.
    pub fn of(settings: &Settings) -> Self {
        let signing = &settings.signing;
        let approval = settings.approval_valid.map(|valid| Asked { valid, signing: signing.clone() });
        let store_first = settings.swap == SwapOrder::StoreFirst;
        Self { preflight_valid: settings.preflight_valid, approval, second_mail: settings.second_mail, store_first }
    }

    /// By what operators are known here.
    pub fn signing(&self) -> &Signing {
        self.approval.as_ref().map_or(&Signing::ByLogin, |asked| &asked.signing)
    }
}

type Outputs = Result<Vec<Output>, Refusal>;

impl Machine {
    /// A machine over what the journal holds. Who acts goes into every record that it emits.
    pub fn new(tenant: Tenant, me: Actor, rules: Rules, rotation: Option<Arc<Rotation>>) -> Self {
        let (intent, cancel_note, way_back, despite) = (Intent::Single, String::new(), String::new(), None);
        let (through_tunnel, hand, telling, redone, end_known) =
            (false, Hand::default(), false, Vec::new(), Vec::new());
        Self {
            tenant,
            me,
            rules,
            rotation,
            intent,
            cancel_note,
            way_back,
            redone,
            end_known,
            despite,
            through_tunnel,
            hand,
            telling,
        }
    }

    /// The same with what its operator has signed.
    pub fn signed(mut self, hand: Hand) -> Self {
        self.hand = hand;
        self
    }

    /// Who acts, for four eyes.
    fn who(&self) -> Me<'_> {
        let unproven = self.me.unproven.as_deref();
        Me { person: &self.me.person, unproven, rotates: Rotates::Now(self.hand.signature.as_deref()) }
    }

    /// The rotation as it stands, ended or not.
    pub fn rotation(&self) -> Option<&Arc<Rotation>> {
        self.rotation.as_ref()
    }

    /// Validates a record against the state, folds it, and gives the entry to be made durable.
    pub fn emit(&mut self, at: Timestamp, record: Record) -> Result<Entry, Refusal> {
        let seq = match (&record, &self.rotation) {
            (Record::Planned { .. }, _) => 1,
            (_, Some(rotation)) => rotation.seq + 1,
            (_, None) => return Err(not_now("nothing is planned for this tenant")),
        };
        let case = match (&record, &self.rotation) {
            (Record::Planned { rotation, .. }, _) => Some(rotation),
            (_, rotation) => rotation.as_ref().map(|rotation| &rotation.id),
        };
        let session = self.hand.session.as_ref().filter(|session| Some(&session.rotation) == case);
        let session = session.map(|session| session.id.clone());
        let entry = Entry { session, ..self.me.entry(seq, at, record) };
        if let Record::Planned { .. } = entry.record {
            self.rotation = Rotation::begin(&entry).map(Arc::new);
        } else if let Some(rotation) = &mut self.rotation {
            rotation.check(&entry).map_err(Refusal::NotNow)?;
            Arc::make_mut(rotation).apply(&entry);
        }
        Ok(entry)
    }

    fn append(&mut self, at: Timestamp, record: Record) -> Result<Output, Refusal> {
        self.emit(at, record).map(|entry| Output::Append(Box::new(entry)))
    }

    fn open(&self) -> Result<&Rotation, Refusal> {
        let open = self.rotation.as_deref().filter(|rotation| rotation.outcome.is_none());
        open.ok_or_else(|| not_now("no rotation is planned for this tenant; plan one first"))
    }

    /// The open rotation, or the last.
    fn last(&self) -> Result<&Rotation, Refusal> {
        self.rotation.as_deref().ok_or_else(|| not_now("no rotation is planned for this tenant; plan one first"))
    }

    /// The open rotation, if nothing of it is running here.
    fn quiet(&self) -> Result<&Rotation, Refusal> {
        let rotation = self.open()?;
        let running = StepNumber::ALL.into_iter().find(|n| matches!(rotation.step(*n), StepState::Running { .. }));
        match running {
            Some(step) => Err(not_now(format!("step {step} is running; wait for its end"))),
            None => Ok(rotation),
        }
    }

    fn untouched(&self) -> Result<&Rotation, Refusal> {
        let rotation = self.quiet()?;
        match (rotation.touched, rotation.touching) {
            (false, _) => Ok(rotation),
            (true, false) => {
                let or = rotation.or_out();
                Err(not_now(format!("the server's key is being changed already; go on to the end{or}")))
            }
            (true, true) => Err(not_now(
                "whether the server's key is being changed is not known yet: resume looks first, and where nothing was \
                 changed the gate counts again and it can be cancelled",
            )),
        }
    }

    /// Takes one input in.
    pub fn handle(&mut self, at: Timestamp, input: Input) -> Outputs {
        match input {
            Input::Command { command, new_id } => self.command_in_session(at, command, new_id),
            Input::StepEnded { step, result } => self.step_ended(at, step, result),
            Input::Probed { step, probe } => self.probed(at, step, probe),
            Input::Sent { result } => self.sent(at, result),
            Input::LookedBack { sight } => self.looked_back(at, sight),
            Input::AgentHeard { doubt } => self.agent_heard(at, doubt),
            Input::Undone { step, result } => self.undone(at, step, result),
        }
    }

    fn begin(&mut self, at: Timestamp, step: StepNumber, intent: Intent) -> Outputs {
        let started = self.append(at, Record::StepStarted { step })?;
        self.intent = intent;
        Ok(vec![started, Output::Perform(step)])
    }

    /// Starts the first step of 3 to 6 that is not done. `performed`: the one that has just been: what rests on it is looked at again.
    fn go_on(&mut self, at: Timestamp, performed: Option<StepNumber>) -> Outputs {
        let rotation = self.quiet()?;
        if rotation.is_target_lost() {
            return Ok(vec![Output::Refused(Refusal::NeedsPerson(back::lost_target(rotation)))]);
        }
        let run = [StepNumber::STAGE, StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE];
        let intent = match self.intent {
            Intent::Emergency | Intent::EmergencyGoOn => Intent::EmergencyGoOn,
            _ => Intent::GoOn,
        };
        // Whoever has changed the secret may have changed the object, whatever was interrupted behind it.
        if performed == Some(StepNumber::SECRET) && rotation.step(StepNumber::OBJECT).is_done() {
            return Ok(vec![Output::Probe(StepNumber::OBJECT)]);
        }
        match (run.into_iter().find(|step| !rotation.step(*step).is_done()), performed) {
            (Some(step), _) if rotation.interrupted() == Some(step) => Ok(vec![Output::Probe(step)]),
            (Some(step), _) => self.begin(at, step, intent),
            (None, Some(StepNumber::OBJECT)) => Ok(vec![Output::Probe(StepNumber::RECONCILE)]),
            (None, _) => {
                let role = rotation.target_role().word();
                Ok(vec![done(format!("the {role} key is live; tell the clients to reconfigure"))])
            }
        }
    }

    fn probed(&mut self, at: Timestamp, step: StepNumber, probe: Probe) -> Outputs {
        match probe {
            Probe::Done(_) if self.open()?.step(step).is_done() => self.still_holds(at, step),
            Probe::Done(evidence) => {
                let mut outputs = vec![self.append(at, Record::StepResolved { step, done: true, evidence })?];
                outputs.extend(self.after_resolution(at, step)?);
                Ok(outputs)
            }
            Probe::NotDone(evidence) => {
                if self.open()?.step(step).is_done() {
                    self.redone.push(step);
                }
                let mut outputs = vec![self.append(at, Record::StepResolved { step, done: false, evidence })?];
                outputs.extend(self.after_resolution(at, step)?);
                Ok(outputs)
            }
            Probe::Unclear(fault) => {
                let is_seen_only = step == StepNumber::SECRET && self.open()?.live.live != Live::There;
                let or = if is_seen_only { "" } else { ", or decide it yourself with a reason" };
                let text = format!("step {step} can't be judged now ({fault}); {}, then resume{or}", fault.advice());
                Ok(vec![Output::Refused(Refusal::NeedsPerson(text))])
            }
        }
    }

    /// What that step has done is still so: what rests on it is looked at, or gone on with.
    fn still_holds(&mut self, at: Timestamp, step: StepNumber) -> Outputs {
        let rotation = self.open()?;
        let is_served = rotation.step(StepNumber::RECONCILE).is_done();
        match (step, rotation.interrupted()) {
            // Others write there as well, whatever was interrupted behind it.
            (StepNumber::SECRET, _) if rotation.step(StepNumber::OBJECT).is_done() => {
                Ok(vec![Output::Probe(StepNumber::OBJECT)])
            }
            (StepNumber::OBJECT, Some(StepNumber::VERIFY)) if is_served => {
                Ok(vec![Output::Probe(StepNumber::RECONCILE)])
            }
            (StepNumber::SECRET | StepNumber::OBJECT | StepNumber::RECONCILE, Some(interrupted)) => {
                Ok(vec![Output::Probe(interrupted)])
            }
            (StepNumber::SECRET | StepNumber::OBJECT, None) if !is_served => self.go_on(at, None),
            (StepNumber::SECRET, None) => Ok(vec![Output::Probe(StepNumber::OBJECT)]),
            (StepNumber::OBJECT, None) => Ok(vec![Output::Probe(StepNumber::RECONCILE)]),
            _ if matches!(rotation.step(StepNumber::RECONFIGURE), StepState::Failed { .. }) => {
                self.begin(at, StepNumber::RECONFIGURE, Intent::Single)
            }
            _ if !self.redone.is_empty() => {
                let what = |step: &StepNumber| match rotation.step(*step) {
                    StepState::Done { evidence, .. } => format!("{step} ({evidence})"),
                    _ => step.to_string(),
                };
                let steps: Vec<String> = self.redone.iter().map(what).collect();
                let text = format!(
                    "what others had changed of step {} was put right; secret, object and server hold the key",
                    steps.join(" and ")
                );
                Ok(vec![done(text)])
            }
            _ => Ok(vec![done("secret, object and server still hold the key; nothing is left half-done")]),
        }
    }

    fn after_resolution(&mut self, at: Timestamp, step: StepNumber) -> Outputs {
        let rotation = self.open()?;
        let mails = step == StepNumber::ANNOUNCE || step == StepNumber::RECONFIGURE;
        let goes_first = rotation.emergency.is_some() && rotation.confirmed_at.is_none() && !rotation.touched;
        if goes_first {
            return self.begin_checked(at);
        }
        if mails && !rotation.step(step).is_done() {
            return self.begin(at, step, Intent::Single);
        }
        if step == StepNumber::VERIFY && !rotation.step(step).is_done() {
            return Ok(vec![done("the end of step 8 was interrupted; finish again")]);
        }
        if rotation.touched {
            return self.go_on(at, None);
        }
        if rotation.confirmed_at.is_some() {
            return self.begin(at, StepNumber::CHECK, Intent::Rotate);
        }
        Ok(vec![done(format!("step {step} was looked at; nothing was left half-done"))])
    }

    fn step_ended(&mut self, at: Timestamp, step: StepNumber, result: Result<String, Fault>) -> Outputs {
        let evidence = match result {
            Err(fault) => {
                let mut outputs = vec![self.append(at, Record::StepFailed { step, fault: fault.clone() })?];
                match (step, self.intent) {
                    // What the check could not record was not checked: an older green run must not stand in for it.
                    (StepNumber::CHECK, _) if matches!(fault.service, Service::Journal | Service::Host) => {
                        outputs.push(Output::Failed(fault));
                    }
                    // An emergency goes on without the mail server; the gate knows which failures these are.
                    (StepNumber::CHECK, Intent::Rotate | Intent::Emergency) if self.open()?.emergency.is_some() => {
                        outputs.extend(self.confirmed(at)?);
                    }
                    (StepNumber::CHECK, Intent::Rotate) => outputs.push(self.refuse_by_gate(at)?),
                    // Nothing was changed, and now nothing may be: the gate has shut since the check.
                    (StepNumber::SECRET, _) if !self.open()?.touched && !self.judge(at)?.is_open() => {
                        outputs.push(self.refuse_by_gate(at)?);
                    }
                    // In an emergency nobody waits for the mail server.
                    (StepNumber::ANNOUNCE, Intent::Emergency) if fault.service != Service::Journal => {
                        outputs.extend(self.begin(at, StepNumber::CHECK, Intent::Emergency)?);
                    }
                    _ => outputs.push(Output::Failed(fault)),
                }
                return Ok(outputs);
            }
            Ok(evidence) => evidence,
        };
        let mut outputs = vec![self.append(at, Record::StepSucceeded { step, evidence: evidence.clone() })?];
        match self.intent {
            Intent::Emergency if step == StepNumber::ANNOUNCE => {
                outputs.extend(self.begin(at, StepNumber::CHECK, Intent::Emergency)?);
            }
            Intent::Rotate | Intent::Emergency if step == StepNumber::CHECK => outputs.extend(self.confirmed(at)?),
            Intent::Rotate | Intent::GoOn | Intent::EmergencyGoOn if step < StepNumber::RECONCILE => {
                outputs.extend(self.go_on(at, Some(step))?);
            }
            Intent::EmergencyGoOn if step == StepNumber::RECONCILE => {
                outputs.extend(self.begin(at, StepNumber::RECONFIGURE, Intent::Single)?);
            }
            Intent::Finish => {
                let rotation = self.open()?;
                let (what, outcome) = (rotation.open_told(), Self::outcome(rotation));
                // What came in while the kept keys were being destroyed is not passed over in silence.
                let late = || format!("that came in while step {} was ending it", StepNumber::VERIFY);
                let is_late = rotation
                    .mails
                    .iter()
                    .skip(rotation.heard_before_end)
                    .any(|mail| mail.is_open() || mail.complains());
                let late = Some(late()).filter(|_| is_late);
                let reasons: Vec<String> = self.despite.take().into_iter().chain(late).collect();
                let despite = Some(reasons.join("; ")).filter(|text| !text.is_empty());
                let note = std::mem::take(&mut self.cancel_note);
                let but = despite.as_ref().map(|why| format!(", BUT {what}: {why}")).unwrap_or_default();
                outputs.push(self.append(at, Record::Finished { outcome, note, despite })?);
                outputs.push(done(format!("{}{but}", outcome.word())));
            }
            _ => outputs.push(done(evidence)),
        }
        Ok(outputs)
    }

    /// After the fresh check: the gate is asked, and steps 3 to 6 begin.
    fn confirmed(&mut self, at: Timestamp) -> Outputs {
        if self.open()?.is_cancelling() {
            return Ok(vec![Output::Refused(cancelling())]);
        }
        if !self.judge(at)?.is_open() {
            return Ok(vec![self.refuse_by_gate(at)?]);
        }
        let rotation = self.open()?;
        if let (Some(route), false) = (rotation.own_route(&self.me.person), self.through_tunnel) {
            return Ok(vec![Output::Refused(Refusal::NeedsPerson(lockout(&self.tenant.name, route)))]);
        }
        let waived = rotation.waivers.keys().cloned().collect();
        let approved_by = match approval::judge(rotation, self.rules.approval.as_ref(), self.who(), at) {
            ApprovalFact::Given { by, .. } => Some(by),
            _ => None,
        };
        let signature = self.hand.signature.clone().filter(|_| approved_by.is_some());
        let through_tunnel = self.through_tunnel;
        let record = Record::RotateConfirmed { waived, approved_by, through_tunnel, signature };
        let mut outputs = vec![self.append(at, record)?];
        let rotation = self.open()?;
        if rotation.step(StepNumber::STAGE).is_done() && !rotation.is_previous_settled() && rotation.shape.is_some() {
            let evidence = "the previous key that is kept is not the one that was live at this check".to_owned();
            outputs.push(self.append(at, Record::StepResolved { step: StepNumber::STAGE, done: false, evidence })?);
        }
        outputs.extend(self.go_on(at, None)?);
        Ok(outputs)
    }

    /// Judges the gate at the moment of touching. `Some` is the record that must be durable before the first request is sent;
    /// `None`: the key is being changed already. A refusal: nothing may be changed.
    pub fn touch(&mut self, at: Timestamp, step: StepNumber) -> Result<Option<Entry>, Refusal> {
        let rotation = self.open()?;
        if rotation.touched {
            return Ok(None);
        }
        if rotation.is_cancelling() {
            return Err(cancelling());
        }
        let verdict = self.judge(at)?;
        if !verdict.is_open() {
            return Err(Refusal::GateShut(verdict.reasons().to_vec()));
        }
        self.emit(at, Record::Touching { step, store_first: self.rules.store_first }).map(Some)
    }

    fn judge(&self, at: Timestamp) -> Result<Verdict, Refusal> {
        let rotation = self.open()?;
        let unknown = (!rotation.unseen.is_empty()).then(|| rotation.unseen.join("; "));
        let (unknown, me) = (unknown.as_deref(), self.who());
        let beside = Beside { clients: &rotation.clients, unknown, held_by: None, seen_since: None, me };
        Ok(judging::judge(Some(rotation), beside, &self.rules, at))
    }

    fn refuse_by_gate(&self, at: Timestamp) -> Result<Output, Refusal> {
        Ok(Output::Refused(Refusal::GateShut(self.judge(at)?.reasons().to_vec())))
    }

    fn undone(&mut self, at: Timestamp, step: StepNumber, result: Result<String, Fault>) -> Outputs {
        match (step, result) {
            (_, Err(fault)) => Ok(vec![Output::Failed(fault)]),
            (StepNumber::ANNOUNCE, Ok(_)) => Ok(vec![Output::Undo(StepNumber::STAGE)]),
            (_, Ok(_)) => {
                let note = std::mem::take(&mut self.cancel_note);
                let outcome = Outcome::Cancelled;
                Ok(vec![self.append(at, Record::Finished { outcome, note, despite: None })?, done(outcome.word())])
            }
        }
    }
}

/// What the operator is told who would cut themselves off.
fn lockout(tenant: &str, route: &str) -> String {
    format!(
        "{route}: when the key changes you lose this session, and only another way in leads back; if you have one, confirm \
         with the tenant's name once more (--through-tunnel {})",
        shell_word(tenant)
    )
}

fn done(text: impl Into<String>) -> Output {
    Output::Done(text.into())
}

fn not_now(text: impl Into<String>) -> Refusal {
    Refusal::NotNow(text.into())
}

/// Whoever was told that it is cancelled must not be cut off.
fn cancelling() -> Refusal {
    not_now("some were told that it is cancelled; cancel again to end it, or change the window and tell everybody")
}

fn bad_input(text: impl Into<String>) -> Refusal {
    Refusal::BadInput(text.into())
}

fn required(text: String, why: &str) -> Result<String, Refusal> {
    let clean = crate::domain::sanitize::sanitize(&text);
    if says_something(&clean) { Ok(clean) } else { Err(bad_input(why)) }
}

/// A refusal as a fault, for callers that speak only of faults.
pub fn refusal_fault(refusal: &Refusal) -> Fault {
    Fault::new(Service::Journal, FaultKind::Refused, refusal.to_string())
}

#[cfg(test)]
mod tests;
