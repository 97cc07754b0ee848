//! The machine that decides: an input and a moment in, journal records and acts out. It touches nothing itself.
//!
//! Records are folded as they are emitted, so a second key press is judged against the state after the first. The caller
//! must make every [`Output::Append`] durable before it carries out what follows it in the list.

use crate::domain::client::ClientId;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::gate::{self, Facts, Verdict};
use crate::domain::key::KeyRole;
use crate::domain::notice::NoticeKind;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::Tenant;
use crate::engine::command::{Command, Refusal};
use crate::engine::record::{Cause, Entry, Outcome, RECORD_VERSION, Record, RotationId};
use crate::engine::rotation::Rotation;
use crate::engine::step::Probe;
use jiff::Timestamp;

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// An operator asks for something. `new_id` is used only by a plan.
    Command {
        /// What.
        command: Command,
        /// The id of the rotation that a plan would begin.
        new_id: RotationId,
    },
    /// A step that was to be performed has ended.
    StepEnded {
        /// Which.
        step: StepNumber,
        /// Its evidence or its fault.
        result: Result<String, Fault>,
    },
    /// A step that was to be probed was.
    Probed {
        /// Which.
        step: StepNumber,
        /// What was found.
        probe: Probe,
    },
    /// The mails of [`Output::Send`] are out (or not).
    Sent,
    /// What [`Output::Undo`] asked for has ended.
    Undone {
        /// Which step.
        step: StepNumber,
        /// Evidence or fault.
        result: Result<String, Fault>,
    },
}

/// What goes out, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Make this durable first.
    Append(Entry),
    /// Perform a step, then say [`Input::StepEnded`].
    Perform(StepNumber),
    /// Probe a step, then say [`Input::Probed`].
    Probe(StepNumber),
    /// Take a step back, then say [`Input::Undone`].
    Undo(StepNumber),
    /// Send mails, then say [`Input::Sent`].
    Send(SendOrder),
    /// Look who is back and record it.
    Verify,
    /// Nothing more to do: what was achieved, for the operator.
    Done(String),
    /// What was begun ended badly.
    Failed(Fault),
    /// What was begun may not go on.
    Refused(Refusal),
}

/// Which mails to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendOrder {
    /// Which kind.
    pub kind: NoticeKind,
    /// Only these clients.
    pub only: Option<Vec<ClientId>>,
    /// Even if it may be a second one.
    pub again: bool,
}

/// What the run that is going on is for. Not journaled: after a crash the operator says resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    /// A single step.
    Single,
    /// Check, judge the gate, then steps 3 to 6.
    Rotate,
    /// Steps up to 6 without asking the gate again.
    GoOn,
    /// Closing after step 8.
    Finish,
}

/// The machine of one tenant.
#[derive(Debug)]
pub struct Machine {
    tenant: Tenant,
    by: String,
    host: String,
    preflight_valid_s: i64,
    rotation: Option<Rotation>,
    intent: Intent,
    cancel_note: String,
}

type Outputs = Result<Vec<Output>, Refusal>;

impl Machine {
    /// A machine over what the journal holds. `by` and `host` go into every record that it emits.
    pub fn new(tenant: Tenant, by: String, host: String, preflight_valid_s: i64, rotation: Option<Rotation>) -> Self {
        let (intent, cancel_note) = (Intent::Single, String::new());
        Self { tenant, by, host, preflight_valid_s, rotation, intent, cancel_note }
    }

    /// The rotation as it stands, ended or not.
    pub fn rotation(&self) -> Option<&Rotation> {
        self.rotation.as_ref()
    }

    /// Validates a record against the state, folds it, and gives the entry to be made durable.
    pub fn emit(&mut self, at: Timestamp, record: Record) -> Result<Entry, Refusal> {
        let seq = match (&record, &self.rotation) {
            (Record::Planned { .. }, _) => 1,
            (_, Some(rotation)) => rotation.seq + 1,
            (_, None) => return Err(not_now("nothing is planned for this tenant")),
        };
        let (by, host) = (self.by.clone(), self.host.clone());
        let entry = Entry { seq, version: RECORD_VERSION, at, by, host, record };
        if let Record::Planned { .. } = entry.record {
            self.rotation = Rotation::begin(&entry);
        } else if let Some(rotation) = &mut self.rotation {
            rotation.check(&entry).map_err(Refusal::NotNow)?;
            rotation.apply(&entry);
        }
        Ok(entry)
    }

    fn append(&mut self, at: Timestamp, record: Record) -> Result<Output, Refusal> {
        self.emit(at, record).map(Output::Append)
    }

    fn open(&self) -> Result<&Rotation, Refusal> {
        let open = self.rotation.as_ref().filter(|rotation| rotation.outcome.is_none());
        open.ok_or_else(|| not_now("no rotation is planned for this tenant; plan one first"))
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
        if rotation.touched {
            return Err(not_now("the server's key was already being changed; only finish or roll back leads on"));
        }
        Ok(rotation)
    }

    /// Takes one input in.
    pub fn handle(&mut self, at: Timestamp, input: Input) -> Outputs {
        match input {
            Input::Command { command, new_id } => self.command(at, command, new_id),
            Input::StepEnded { step, result } => self.step_ended(at, step, result),
            Input::Probed { step, probe } => self.probed(at, step, probe),
            Input::Sent => self.sent(at),
            Input::Undone { step, result } => self.undone(at, step, result),
        }
    }

    fn command(&mut self, at: Timestamp, command: Command, new_id: RotationId) -> Outputs {
        match command {
            Command::Plan { mut window, cause, reference } => {
                if self.open().is_ok() {
                    return Err(not_now("a rotation is planned already; change its window, or cancel it first"));
                }
                if window.end <= at {
                    return Err(bad_input("that window is over already"));
                }
                window.revision = 1;
                let record =
                    Record::Planned { rotation: new_id, tenant: self.tenant.clone(), window, cause, reference };
                Ok(vec![self.append(at, record)?, done("planned; now tell the clients")])
            }
            Command::Reschedule { mut window } => {
                let revision = self.untouched()?.window.revision;
                if window.end <= at {
                    return Err(bad_input("that window is over already"));
                }
                window.revision = revision + 1;
                let text = "window changed; earlier answers are void, tell everybody";
                Ok(vec![self.append(at, Record::Rescheduled { window })?, done(text)])
            }
            Command::Notify { kind, only, again } => self.notify(at, kind, only, again),
            Command::ResolveNotice { message_id, arrived, reason } => {
                let known = self.open()?.notices.iter().any(|notice| notice.message_id == message_id);
                if !known {
                    return Err(bad_input(format!("there is no mail {message_id}")));
                }
                let reason = required(reason, "say how you know (a reason)")?;
                let record = Record::NoticeResolved { message_id, arrived, reason };
                Ok(vec![self.append(at, record)?, done("recorded")])
            }
            Command::Answer { client, answer, channel, note } => {
                let revision = self.known_client(&client)?.window.revision;
                if let crate::domain::acknowledgement::Answer::OtherTime(when) = &answer
                    && when.trim().is_empty()
                {
                    return Err(bad_input("say which other time the client proposes"));
                }
                let text = format!("recorded: {client} {}", answer.word());
                Ok(vec![self.append(at, Record::Answered { client, revision, answer, channel, note })?, done(text)])
            }
            Command::Waive { client, reason } => {
                self.known_client(&client)?;
                let reason = required(reason, "a waiver needs a reason")?;
                let text = format!("waived: {client}");
                Ok(vec![self.append(at, Record::Waived { client, reason })?, done(text)])
            }
            Command::Check => {
                self.untouched()?;
                self.begin(at, StepNumber::CHECK, Intent::Single)
            }
            Command::Rotate { confirm } => {
                let rotation = self.untouched()?;
                self.confirmed_name(&confirm)?;
                // What is plainly shut is refused before the long check; the rest is judged after it.
                if let Verdict::Shut(reasons) = judge_window(rotation, at) {
                    return Err(Refusal::GateShut(reasons));
                }
                self.begin(at, StepNumber::CHECK, Intent::Rotate)
            }
            Command::Resume => self.resume(at),
            Command::ResolveStep { step, done: is_done, reason } => {
                if !matches!(self.open()?.step(step), StepState::Interrupted { .. }) {
                    return Err(not_now(format!("step {step} was not interrupted")));
                }
                let evidence = format!("decided by {}: {}", self.by, required(reason, "say how you know (a reason)")?);
                let record = Record::StepResolved { step, done: is_done, evidence };
                Ok(vec![self.append(at, record)?, done("recorded; now resume")])
            }
            Command::RollBack { confirm, reason } => self.roll_back(at, &confirm, reason),
            Command::Verify => {
                let rotation = self.quiet()?;
                if rotation.applied.is_none() {
                    return Err(not_now("the key is not live yet; verify is for after step 6"));
                }
                Ok(vec![Output::Verify])
            }
            Command::Back { client, note } => {
                if self.known_client(&client)?.applied.is_none() {
                    return Err(not_now("the key is not live yet; nobody can be back"));
                }
                let source = crate::engine::record::BackSource::Client;
                let text = format!("recorded: {client} is back");
                Ok(vec![self.append(at, Record::ClientBack { client, source, note })?, done(text)])
            }
            Command::GatewayPing { client, answered, note } => {
                self.known_client(&client)?;
                Ok(vec![self.append(at, Record::GatewayPing { client, answered, note })?, done("recorded")])
            }
            Command::Finish { note } => self.finish(at, note),
            Command::Cancel { confirm, reason } => {
                self.untouched()?;
                self.confirmed_name(&confirm)?;
                self.cancel_note = required(reason, "say why it is cancelled (a reason)")?;
                Ok(vec![Output::Undo(StepNumber::ANNOUNCE)])
            }
            Command::Note { text } => {
                let text = required(text, "a note needs a text")?;
                Ok(vec![self.append(at, Record::Noted { text })?, done("noted")])
            }
        }
    }

    fn confirmed_name(&self, typed: &str) -> Result<(), Refusal> {
        if typed == self.tenant.name {
            return Ok(());
        }
        Err(bad_input(format!("type the tenant's name, {}, to confirm", self.tenant.name)))
    }

    fn known_client(&self, id: &ClientId) -> Result<&Rotation, Refusal> {
        let rotation = self.open()?;
        if rotation.client(id).is_some() {
            return Ok(rotation);
        }
        let known: Vec<&str> = rotation.clients.iter().map(|client| client.id.0.as_str()).take(20).collect();
        Err(bad_input(format!("{id} is not a client of {}; known are {}", self.tenant.name, known.join(", "))))
    }

    fn begin(&mut self, at: Timestamp, step: StepNumber, intent: Intent) -> Outputs {
        let started = self.append(at, Record::StepStarted { step })?;
        self.intent = intent;
        Ok(vec![started, Output::Perform(step)])
    }

    fn notify(&mut self, at: Timestamp, kind: NoticeKind, only: Option<Vec<ClientId>>, again: bool) -> Outputs {
        let rotation = self.quiet()?;
        let step = match kind {
            NoticeKind::Announcement | NoticeKind::Reminder | NoticeKind::Change => {
                self.untouched()?;
                if rotation.window.end <= at {
                    return Err(not_now("the window is over; change it before you tell anybody"));
                }
                (kind != NoticeKind::Reminder).then_some(StepNumber::ANNOUNCE)
            }
            NoticeKind::Reconfigure => {
                let missing =
                    [StepNumber::OBJECT, StepNumber::RECONCILE].into_iter().find(|s| !rotation.step(*s).is_done());
                if let Some(step) = missing {
                    return Err(not_now(format!(
                        "step {step} is not done: clients would fetch a key that is not live"
                    )));
                }
                Some(StepNumber::RECONFIGURE)
            }
            NoticeKind::AllClear => {
                if rotation.applied.is_none() || !rotation.not_back().is_empty() {
                    return Err(not_now("not everybody is back yet"));
                }
                None
            }
            NoticeKind::Cancellation => return Err(not_now("a cancellation is sent by cancel")),
        };
        match (step, only) {
            (Some(step), None) => self.begin(at, step, Intent::Single),
            (_, only) => Ok(vec![Output::Send(SendOrder { kind, only, again })]),
        }
    }

    /// After mails to some: the step that they belong to is done once everybody has one.
    fn sent(&mut self, at: Timestamp) -> Outputs {
        let rotation = self.open()?;
        let told = |kinds: &[NoticeKind]| {
            let has = |client: &crate::domain::client::Client| {
                let mail = |kind: &NoticeKind| rotation.notice(&client.id, *kind);
                kinds
                    .iter()
                    .filter_map(mail)
                    .any(|n| matches!(n.delivery, crate::domain::notice::Delivery::Sent { .. }))
            };
            rotation.clients.iter().filter(|client| client.email.is_some()).all(has)
        };
        let ended = [
            (StepNumber::ANNOUNCE, told(&[NoticeKind::Announcement, NoticeKind::Change])),
            (StepNumber::RECONFIGURE, rotation.applied.is_some() && told(&[NoticeKind::Reconfigure])),
        ];
        let late = |state: &StepState| matches!(state, StepState::Failed { .. });
        let step = ended.into_iter().find(|(step, all)| *all && late(rotation.step(*step))).map(|(step, _)| step);
        let mut outputs = Vec::new();
        if let Some(step) = step {
            let evidence = "every client with an address has the mail".to_owned();
            outputs.push(self.append(at, Record::StepSucceeded { step, evidence })?);
        }
        outputs.push(done("mails handed over"));
        Ok(outputs)
    }

    fn roll_back(&mut self, at: Timestamp, confirm: &str, reason: String) -> Outputs {
        let rotation = self.quiet()?;
        if !rotation.touched {
            return Err(not_now("the server was not touched yet; cancel the rotation instead"));
        }
        if rotation.rollback.is_some() {
            return Err(not_now("it is rolling back already; resume"));
        }
        self.confirmed_name(confirm)?;
        let reason = required(reason, "say why it is rolled back (a reason)")?;
        let kept = rotation.keys.get(&KeyRole::Previous).is_some_and(|k| k.href.is_some() && k.destroyed.is_none());
        // A compromised key is never put back.
        let role = if kept && rotation.cause != Cause::Compromise { KeyRole::Previous } else { KeyRole::Fresh };
        let cut_again = rotation.back.keys().cloned().collect();
        let mut outputs = vec![self.append(at, Record::RollbackStarted { reason, role, cut_again })?];
        outputs.extend(self.go_on(at)?);
        Ok(outputs)
    }

    /// Starts the first step of 3 to 6 that is not done.
    fn go_on(&mut self, at: Timestamp) -> Outputs {
        let rotation = self.quiet()?;
        let run = [StepNumber::STAGE, StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE];
        match run.into_iter().find(|step| !rotation.step(*step).is_done()) {
            Some(step) => self.begin(at, step, Intent::GoOn),
            None => Ok(vec![done("the key is live; tell the clients to reconfigure")]),
        }
    }

    fn resume(&mut self, at: Timestamp) -> Outputs {
        let rotation = self.quiet()?;
        let interrupted =
            StepNumber::ALL.into_iter().find(|n| matches!(rotation.step(*n), StepState::Interrupted { .. }));
        if let Some(step) = interrupted {
            return Ok(vec![Output::Probe(step)]);
        }
        let failed = |step: StepNumber| matches!(rotation.step(step), StepState::Failed { .. });
        match (rotation.confirmed_at.is_some(), rotation.touched) {
            (_, true) if failed(StepNumber::RECONFIGURE) => self.begin(at, StepNumber::RECONFIGURE, Intent::Single),
            (_, true) => self.go_on(at),
            // Nothing was touched yet: the gate may have shut in the meantime, so it is asked again.
            (true, false) => self.begin(at, StepNumber::CHECK, Intent::Rotate),
            (false, false) if failed(StepNumber::ANNOUNCE) => self.begin(at, StepNumber::ANNOUNCE, Intent::Single),
            (false, false) => Err(not_now("nothing was interrupted")),
        }
    }

    fn probed(&mut self, at: Timestamp, step: StepNumber, probe: Probe) -> Outputs {
        match probe {
            Probe::Done(evidence) => {
                let mut outputs = vec![self.append(at, Record::StepResolved { step, done: true, evidence })?];
                outputs.extend(self.after_resolution(at, step)?);
                Ok(outputs)
            }
            Probe::NotDone(evidence) => {
                let mut outputs = vec![self.append(at, Record::StepResolved { step, done: false, evidence })?];
                outputs.extend(self.after_resolution(at, step)?);
                Ok(outputs)
            }
            Probe::Unclear(fault) => Ok(vec![Output::Refused(Refusal::NeedsPerson(format!(
                "step {step} can't be judged now ({fault}); {}, then resume, or decide it yourself with a reason",
                fault.advice()
            )))]),
        }
    }

    fn after_resolution(&mut self, at: Timestamp, step: StepNumber) -> Outputs {
        let rotation = self.open()?;
        let mails = step == StepNumber::ANNOUNCE || step == StepNumber::RECONFIGURE;
        if mails && !rotation.step(step).is_done() {
            return self.begin(at, step, Intent::Single);
        }
        if step == StepNumber::VERIFY && !rotation.step(step).is_done() {
            return Ok(vec![done("the end of step 8 was interrupted; finish again")]);
        }
        if rotation.touched {
            return self.go_on(at);
        }
        if rotation.confirmed_at.is_some() {
            return self.begin(at, StepNumber::CHECK, Intent::Rotate);
        }
        Ok(vec![done(format!("step {step} was looked at; nothing was left half-done"))])
    }

    fn step_ended(&mut self, at: Timestamp, step: StepNumber, result: Result<String, Fault>) -> Outputs {
        let evidence = match result {
            Err(fault) => {
                let failed = self.append(at, Record::StepFailed { step, fault: fault.clone() })?;
                if step == StepNumber::CHECK && self.intent == Intent::Rotate {
                    return Ok(vec![failed, self.refuse_by_gate(at)?]);
                }
                return Ok(vec![failed, Output::Failed(fault)]);
            }
            Ok(evidence) => evidence,
        };
        let mut outputs = vec![self.append(at, Record::StepSucceeded { step, evidence: evidence.clone() })?];
        match self.intent {
            Intent::Rotate if step == StepNumber::CHECK => {
                if self.judge(at)?.is_open() {
                    let waived = self.open()?.waivers.keys().cloned().collect();
                    outputs.push(self.append(at, Record::RotateConfirmed { waived })?);
                    outputs.extend(self.go_on(at)?);
                } else {
                    outputs.push(self.refuse_by_gate(at)?);
                }
            }
            Intent::Rotate | Intent::GoOn if step < StepNumber::RECONCILE => outputs.extend(self.go_on(at)?),
            Intent::Finish => {
                let outcome = if self.open()?.rollback.is_some() { Outcome::RolledBack } else { Outcome::Rotated };
                let note = std::mem::take(&mut self.cancel_note);
                outputs.push(self.append(at, Record::Finished { outcome, note })?);
                outputs.push(done(outcome.word()));
            }
            _ => outputs.push(done(evidence)),
        }
        Ok(outputs)
    }

    fn judge(&self, at: Timestamp) -> Result<Verdict, Refusal> {
        let rotation = self.open()?;
        let facts = Facts {
            window: Some(&rotation.window),
            clients: Some(&rotation.clients),
            people_fault: None,
            notices: &rotation.notices,
            acknowledgements: &rotation.acknowledgements,
            waivers: &rotation.waivers,
            preflight: rotation.preflight.as_ref(),
            preflight_valid_s: self.preflight_valid_s,
            held_by: None,
        };
        Ok(gate::judge(&facts, at))
    }

    fn refuse_by_gate(&self, at: Timestamp) -> Result<Output, Refusal> {
        Ok(Output::Refused(Refusal::GateShut(self.judge(at)?.reasons().to_vec())))
    }

    fn finish(&mut self, at: Timestamp, note: String) -> Outputs {
        let rotation = self.quiet()?;
        let needed = [StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE, StepNumber::RECONFIGURE];
        if let Some(step) = needed.into_iter().find(|step| !rotation.step(*step).is_done()) {
            return Err(not_now(format!("step {step} is not done yet")));
        }
        let missing = rotation.not_back();
        if !missing.is_empty() {
            return Err(Refusal::NotBack(missing.iter().map(|client| client.name.clone()).collect()));
        }
        self.cancel_note = note;
        self.begin(at, StepNumber::VERIFY, Intent::Finish)
    }

    fn undone(&mut self, at: Timestamp, step: StepNumber, result: Result<String, Fault>) -> Outputs {
        match (step, result) {
            (_, Err(fault)) => Ok(vec![Output::Failed(fault)]),
            (StepNumber::ANNOUNCE, Ok(_)) => Ok(vec![Output::Undo(StepNumber::STAGE)]),
            (_, Ok(_)) => {
                let note = std::mem::take(&mut self.cancel_note);
                let outcome = Outcome::Cancelled;
                Ok(vec![self.append(at, Record::Finished { outcome, note })?, done(outcome.word())])
            }
        }
    }
}

/// Only the reasons that no check can change: the window.
fn judge_window(rotation: &Rotation, at: Timestamp) -> Verdict {
    use crate::domain::gate::Reason;
    use crate::domain::window::WindowState;
    match rotation.window.state(at) {
        WindowState::Open => Verdict::Open,
        WindowState::Before => Verdict::Shut(vec![Reason::WindowNotOpen { opens: rotation.window.start }]),
        WindowState::After => Verdict::Shut(vec![Reason::WindowOver { ended: rotation.window.end }]),
    }
}

fn done(text: impl Into<String>) -> Output {
    Output::Done(text.into())
}

fn not_now(text: impl Into<String>) -> Refusal {
    Refusal::NotNow(text.into())
}

fn bad_input(text: impl Into<String>) -> Refusal {
    Refusal::BadInput(text.into())
}

fn required(text: String, why: &str) -> Result<String, Refusal> {
    let clean = crate::domain::sanitize::sanitize(&text);
    if clean.is_empty() { Err(bad_input(why)) } else { Ok(clean) }
}

/// A refusal as a fault, for callers that speak only of faults.
pub fn refusal_fault(refusal: &Refusal) -> Fault {
    Fault::new(Service::Journal, FaultKind::Refused, refusal.to_string())
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
