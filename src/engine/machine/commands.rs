//! What an operator asks for, judged against the state: each command becomes records and acts, or a refusal that says what
//! would be right.

use super::{Intent, Machine, Output, Outputs, SendOrder, bad_input, cancelling, done, not_now, required};
use crate::domain::acknowledgement::Answer;
use crate::domain::client::{Client, ClientId};
use crate::domain::fault::Fault;
use crate::domain::gate::Reason;
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::step::{StepNumber, StepState};
use crate::domain::typed::Typed;
use crate::domain::window::WindowState;
use crate::engine::command::{Command, Refusal};
use crate::engine::mailing;
use crate::engine::record::{BackSource, Cause, Record, RotationId, SEEN_SINCE};
use crate::engine::rotation::Rotation;
use crate::engine::status::MOST_WRITTEN;
use crate::engine::truth::Live;
use jiff::Timestamp;

impl Machine {
    pub(super) fn command(&mut self, at: Timestamp, command: Command, new_id: RotationId) -> Outputs {
        self.read_first(&command)?;
        match command {
            Command::Plan { mut window, cause, reference } => {
                if self.open().is_ok() {
                    return Err(not_now("a rotation is planned already; change its window, or cancel it first"));
                }
                if window.end <= at {
                    return Err(bad_input("that window is over already"));
                }
                self.reviewed()?;
                window.revision = 1;
                let (rotation, tenant, left) = (new_id, self.tenant.clone(), self.left_before());
                let record = Record::Planned { rotation, tenant, window, cause, reference, left };
                let goes_on = self.senders_of_before();
                let mut outputs = vec![self.append(at, record)?];
                for record in goes_on {
                    outputs.push(self.append(at, record)?);
                }
                outputs.push(done(match cause {
                    Cause::Scheduled => "planned; now tell the clients".to_owned(),
                    // Whoever suspects that must not wait for answers without knowing that there is another road.
                    Cause::Compromise => {
                        let name = &self.tenant.name;
                        format!(
                        "planned, and it waits for every answer. Where the suspicion can't wait: {} (E) tells everybody \
                         and rotates at once; the previous key is never put back either way",
                        Typed::of("emergency").word(name).option("confirm", name).why()
                    )}
                }));
                Ok(outputs)
            }
            Command::Reschedule { mut window } => {
                let before = &self.untouched()?.window;
                if window.end <= at {
                    return Err(bad_input("that window is over already"));
                }
                if window.is_same_time(before) {
                    return Err(not_now("nothing changed: the window is as it was, and every answer to it stands"));
                }
                window.revision = before.revision + 1;
                let text = "window changed; earlier answers are void, tell everybody";
                Ok(vec![self.append(at, Record::Rescheduled { window })?, done(text)])
            }
            Command::Notify { kind, only, again } => self.notify(at, kind, only, again),
            Command::ResolveNotice { message_id, arrived, reason } => {
                let known = self.open()?.notices.get(&message_id).is_some();
                if !known {
                    return Err(bad_input(format!("there is no mail {message_id}")));
                }
                let reason = required(reason, "say how you know (a reason)")?;
                let record = Record::NoticeResolved { message_id, arrived, reason };
                let mut outputs = vec![self.append(at, record)?];
                outputs.extend(self.everybody_has_it(at)?);
                outputs.push(done("recorded"));
                Ok(outputs)
            }
            Command::Answer { client, answer, channel, note } => {
                let revision = self.known_client(&client)?.window.revision;
                if let Answer::OtherTime(when) = &answer
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
            Command::Recheck { check } => self.recheck(at, check),
            Command::Rotate { confirm, through_tunnel } => {
                let rotation = self.untouched()?;
                self.confirmed_name(&confirm)?;
                if rotation.is_cancelling() {
                    return Err(cancelling());
                }
                // What is plainly shut is refused before the long check; the rest is judged after it.
                if let Some(reason) = shut_by_window(rotation, at).filter(|_| rotation.emergency.is_none()) {
                    return Err(Refusal::GateShut(vec![reason]));
                }
                self.see_lockout(&through_tunnel)?;
                self.begin_checked(at)
            }
            Command::Resume => self.resume(at),
            Command::ResolveStep { step, done: is_done, reason } => {
                if !matches!(self.open()?.step(step), StepState::Interrupted { .. }) {
                    return Err(not_now(format!("step {step} was not interrupted")));
                }
                // Whether a secret is there nobody's word can say: the alarm would end, and whoever restarts the server cuts it off.
                if step == StepNumber::SECRET && is_done && self.open()?.live.live != Live::There {
                    return Err(not_now(
                        "whether the secret is there only a look can tell: resume looks as soon as Barbican answers, and goes on",
                    ));
                }
                let evidence =
                    format!("decided by {}: {}", self.me.by, required(reason, "say how you know (a reason)")?);
                let record = Record::StepResolved { step, done: is_done, evidence };
                Ok(vec![self.append(at, record)?, done("recorded; now resume")])
            }
            Command::RollBack { confirm, reason, through_tunnel } => self.roll_back(&confirm, reason, &through_tunnel),
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
                let source = BackSource::Client;
                let text = format!("recorded: {client} is back");
                Ok(vec![self.append(at, Record::ClientBack { client, source, note })?, done(text)])
            }
            Command::GatewayPing { client, answered, note } => {
                self.known_client(&client)?;
                Ok(vec![self.append(at, Record::GatewayPing { client, answered, note })?, done("recorded")])
            }
            Command::Finish { note, despite } => self.finish(note, despite),
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
            Command::Approve { digest, note } | Command::ApproveSigned { digest, note, .. } => {
                self.approve(at, &digest, note)
            }
            Command::Emergency { confirm, reason, through_tunnel } => {
                self.emergency(at, &confirm, reason, &through_tunnel, new_id)
            }
            Command::CloseReview { note } => self.close_review(at, note),
            // The conductor has taken the lease and journaled from whom; what is left is to say what comes next.
            Command::TakeOver { .. } => {
                Ok(vec![done("the tenant is yours; look at the status: resume looks before it acts")])
            }
            // The conductor goes on where the end of the journal is lost, and nowhere else.
            Command::Recover { .. } => Err(not_now("nothing of the journal is lost; just go on")),
            Command::HandOver { to, note } => self.hand_over(at, &to, note),
            Command::AcceptHandOver => self.accept(at),
            Command::EndSilence => match self.rotation().and_then(|rotation| rotation.silence.as_ref()) {
                Some(_) => Ok(vec![Output::EndSilence]),
                None => Err(not_now("no silence is open")),
            },
            Command::SeenSince { text } => self.seen_since(at, &text),
            Command::TakeMails { mails } => self.take_mails(at, mails),
            Command::SetAside { what, reason } => self.set_aside(at, what, reason),
            Command::DecideMail { mail, decision, note } => self.decide_mail(at, &mail, decision, note),
            Command::AcceptSender { mail, alias, note } => self.accept_sender(at, &mail, alias, note),
            Command::AcceptDomain { from, to, note } => self.accept_domain(at, &from, &to, note),
            Command::TakeBack { what, reason } => self.take_back(at, what, reason),
            Command::KeepWaiver { only } => self.keep_waivers(at, only),
        }
    }

    /// One check anew, in the run that stands. Where there is none, or it is somebody else's (what they saw of their own
    /// connection says nothing of ours), the whole is run.
    fn recheck(&mut self, at: Timestamp, check: String) -> Outputs {
        let rotation = self.untouched()?;
        let Some(run) = rotation.preflight.as_ref().filter(|_| rotation.checked_by == self.me.person) else {
            return self.begin(at, StepNumber::CHECK, Intent::Single);
        };
        if run.checks.iter().any(|known| known.name == check) {
            return Ok(vec![Output::Recheck(check)]);
        }
        let known: Vec<&str> = run.checks.iter().map(|check| check.name.as_str()).collect();
        Err(bad_input(format!("{check:?} is not a check; there are {}", known.join(", "))))
    }

    /// What others have changed behind the end, once.
    fn seen_since(&mut self, at: Timestamp, text: &str) -> Outputs {
        let rotation = self.rotation().filter(|rotation| rotation.outcome.is_some());
        let rotation = rotation.ok_or_else(|| not_now("no rotation is at its end"))?;
        match &rotation.seen_since {
            Some((times, told)) if told == text || *times >= MOST_WRITTEN => Ok(vec![done("it is written already")]),
            _ => {
                let text = format!("{SEEN_SINCE}{text}");
                Ok(vec![self.append(at, Record::Noted { text })?, done("it is written")])
            }
        }
    }

    pub(super) fn confirmed_name(&self, typed: &str) -> Result<(), Refusal> {
        if typed == self.tenant.name {
            return Ok(());
        }
        Err(bad_input(format!("type the tenant's name, {}, to confirm", self.tenant.name)))
    }

    pub(super) fn known_client(&self, id: &ClientId) -> Result<&Rotation, Refusal> {
        let rotation = self.open()?;
        if rotation.client(id).is_some() {
            return Ok(rotation);
        }
        if let Some(person) = rotation.clients.iter().find(|client| client.is_also(id)) {
            let (one, email) = (&person.id, person.email.as_deref().unwrap_or_default());
            return Err(bad_input(format!("{id} and {one} have the address {email} and are one person: name {one}")));
        }
        let known: Vec<&str> = rotation.clients.iter().map(|client| client.id.0.as_str()).take(20).collect();
        Err(bad_input(format!("{id} is not a client of {}; known are {}", self.tenant.name, known.join(", "))))
    }

    pub(super) fn notify(
        &mut self,
        at: Timestamp,
        kind: NoticeKind,
        only: Option<Vec<ClientId>>,
        again: bool,
    ) -> Outputs {
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
                let needs_server = self.rules.second_mail.interface;
                let needed = [Some(StepNumber::OBJECT), needs_server.then_some(StepNumber::RECONCILE)];
                let missing = needed.into_iter().flatten().find(|s| !rotation.step(*s).is_done());
                if let Some(step) = missing {
                    return Err(not_now(format!(
                        "step {step} is not done: clients would fetch a key that is not live"
                    )));
                }
                Some(StepNumber::RECONFIGURE)
            }
            NoticeKind::AreYouBack => {
                if rotation.applied.is_none() {
                    return Err(not_now("the key is not live yet; nobody can be back"));
                }
                None
            }
            NoticeKind::AllClear => {
                if rotation.applied.is_none() || !rotation.not_back().is_empty() {
                    return Err(not_now("not everybody is back yet"));
                }
                None
            }
            NoticeKind::Emergency => return Err(not_now("that mail is sent by emergency")),
            NoticeKind::Cancellation => return Err(not_now("a cancellation is sent by cancel")),
        };
        let Some(only) = only else {
            return match step {
                Some(step) => self.begin(at, step, Intent::Single),
                None => Ok(vec![Output::Send(SendOrder { kind, only: None, again })]),
            };
        };
        let everybody = SendOrder { kind, only: None, again: false };
        let untold = mailing::recipients(rotation, &everybody);
        let mut untold = untold.into_iter().filter(|(client, _)| client.email.is_some()).peekable();
        let all = !again && untold.peek().is_some() && untold.all(|(client, _)| only.contains(&client.id));
        let mut outputs = Vec::new();
        if step == Some(StepNumber::ANNOUNCE) && all {
            self.telling = true;
            outputs.push(self.append(at, Record::StepStarted { step: StepNumber::ANNOUNCE })?);
        }
        outputs.push(Output::Send(SendOrder { kind, only: Some(only), again }));
        Ok(outputs)
    }

    /// After mails to some: the step that they belong to is done once everybody has one.
    pub(super) fn sent(&mut self, at: Timestamp, result: Result<String, Fault>) -> Outputs {
        let is_telling = std::mem::take(&mut self.telling);
        if is_telling {
            let step = StepNumber::ANNOUNCE;
            let record = match result {
                Ok(evidence) => Record::StepSucceeded { step, evidence },
                Err(fault) => Record::StepFailed { step, fault },
            };
            return Ok(vec![self.append(at, record)?, done("mails handed over")]);
        }
        let mut outputs: Vec<Output> = self.everybody_has_it(at)?.into_iter().collect();
        outputs.push(done("mails handed over"));
        Ok(outputs)
    }

    /// A step of mails that had failed is done once everybody has theirs, however that came about.
    fn everybody_has_it(&mut self, at: Timestamp) -> Result<Option<Output>, Refusal> {
        let rotation = self.open()?;
        let told = |kinds: &[NoticeKind]| {
            let has = |client: &Client| {
                let mail = |kind: &NoticeKind| rotation.notice(&client.id, *kind);
                kinds.iter().filter_map(mail).any(|n| matches!(n.delivery, Delivery::Sent { .. }))
            };
            // Whoever is gone is asked to do nothing any more.
            let asked = |client: &&Client| client.email.is_some() && !(rotation.touched && rotation.is_gone(client));
            rotation.clients.iter().filter(asked).all(has)
        };
        let ended = [
            (StepNumber::ANNOUNCE, told(rotation.telling_kinds())),
            (StepNumber::RECONFIGURE, rotation.applied.is_some() && told(&[NoticeKind::Reconfigure])),
        ];
        let late = |state: &StepState| matches!(state, StepState::Failed { .. });
        let step = ended.into_iter().find(|(step, all)| *all && late(rotation.step(*step))).map(|(step, _)| step);
        let evidence = "every client with an address has the mail".to_owned();
        step.map(|step| self.append(at, Record::StepSucceeded { step, evidence })).transpose()
    }

    pub(super) fn resume(&mut self, at: Timestamp) -> Outputs {
        self.redone.clear();
        if self.open().is_err() {
            return self.put_right();
        }
        let rotation = self.quiet()?;
        let failed = |step: StepNumber| matches!(rotation.step(step), StepState::Failed { .. });
        match (rotation.touched, rotation.interrupted()) {
            // Whatever comes next rests on it, and a request that timed out may land late, and others write there too.
            (true, _) if rotation.step(StepNumber::SECRET).is_done() => Ok(vec![Output::Probe(StepNumber::SECRET)]),
            (_, Some(interrupted)) => Ok(vec![Output::Probe(interrupted)]),
            (true, None) => self.go_on(at, None),
            // Nothing was touched yet: the gate may have shut in the meantime, so it is asked again.
            (false, None) if rotation.confirmed_at.is_some() => self.begin(at, StepNumber::CHECK, Intent::Rotate),
            (false, None) if failed(StepNumber::ANNOUNCE) => self.begin(at, StepNumber::ANNOUNCE, Intent::Single),
            (false, None) => self.put_right(),
        }
    }
}

/// The one reason that no check can change.
fn shut_by_window(rotation: &Rotation, at: Timestamp) -> Option<Reason> {
    match rotation.window.state(at) {
        WindowState::Open => None,
        WindowState::Before => Some(Reason::WindowNotOpen { opens: rotation.window.start }),
        WindowState::After => Some(Reason::WindowOver { ended: rotation.window.end }),
    }
}
