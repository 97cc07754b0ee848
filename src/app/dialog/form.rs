//! A form: its fields, which of them has the keys, what sets it off, and the way from there to a command.

use crate::app::command::CommandId;
use crate::app::confirm::{Confirmation, Consent, Pressed, Reach};
use crate::app::dialog::{
    Outcome, Row, accountable, answer, close, decide, people, plan, recover, resume, rollback, rotate, take_back,
    thread,
};
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::app::model::Model;
use crate::domain::client::ClientId;
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::domain::tenant::TenantId;
use crate::domain::typed::says_something;
use crate::engine::command::Command;
use crate::engine::mailbox::Decision;
use crate::engine::status::TenantStatus;
use jiff::Timestamp;

/// Some people, by id and name.
pub type People = Vec<(ClientId, String)>;

/// What a form is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A window for a new rotation, or another one for the open one.
    Plan {
        /// Whether it changes the window of the open rotation.
        change: bool,
    },
    /// Answers of clients.
    Answer(People),
    /// Exceptions.
    Waive(People),
    /// Clients who said that they are back.
    Back(People),
    /// Gateway pings.
    Ping(People),
    /// Rotate.
    Rotate,
    /// The way back.
    RollBack,
    /// The end.
    Finish,
    /// The end before the beginning.
    Cancel,
    /// A line for the journal.
    Note,
    /// A second operator's approval.
    Approve,
    /// Leaving it to the next operator.
    HandOver,
    /// Accepting what was left.
    Accept,
    /// Taking it from a living holder.
    TakeOver,
    /// Go on although the end of the journal is lost.
    Recover,
    /// A suspected compromise.
    Emergency,
    /// The review of an emergency.
    Review,
    /// An interrupted step.
    Decide(StepNumber),
    /// An uncertain mail.
    ResolveNotice {
        /// Whose.
        client: ClientId,
        /// Their name.
        name: String,
        /// Which kind.
        kind: NoticeKind,
        /// Which mail.
        message_id: String,
    },
    /// A mail of a client that the program could not judge.
    DecideMail {
        /// Whose.
        client: ClientId,
        /// Their name.
        name: String,
        /// Which mail.
        mail: String,
        /// What it is to mean.
        decision: Decision,
    },
    /// Going on.
    Resume,
    /// What was recorded of a client is taken back.
    TakeBack {
        /// Whose.
        client: ClientId,
        /// Their name.
        name: String,
    },
    /// Waivers of an earlier window.
    KeepWaiver(People),
    /// The address that a mail came from.
    AcceptSender {
        /// Whose.
        client: ClientId,
        /// Their name.
        name: String,
        /// Which mail.
        mail: String,
        /// From now on, not only for this mail.
        alias: bool,
    },
    /// A check, or that nobody is known to ask, which is not to keep the gate shut.
    SetAside(String),
}

impl Purpose {
    /// The verb that it belongs to.
    pub fn verb(&self) -> CommandId {
        use CommandId as Id;
        match self {
            Purpose::Plan { change: false } => Id::Plan,
            Purpose::Plan { change: true } => Id::Reschedule,
            Purpose::Answer(_) => Id::Answer,
            Purpose::Waive(_) => Id::Waive,
            Purpose::Back(_) => Id::Back,
            Purpose::Ping(_) => Id::GatewayPing,
            Purpose::Rotate => Id::Rotate,
            Purpose::RollBack => Id::RollBack,
            Purpose::Finish => Id::Finish,
            Purpose::Cancel => Id::Cancel,
            Purpose::Note => Id::Note,
            Purpose::Approve => Id::Approve,
            Purpose::HandOver | Purpose::Accept => Id::HandOver,
            Purpose::TakeOver => Id::TakeOver,
            Purpose::Recover => Id::Recover,
            Purpose::Emergency => Id::Emergency,
            Purpose::Review => Id::Review,
            Purpose::Decide(_) | Purpose::ResolveNotice { .. } => Id::Decide,
            Purpose::DecideMail { .. } => Id::ReadMail,
            Purpose::Resume => Id::Resume,
            Purpose::SetAside(_) => Id::SetAside,
            Purpose::TakeBack { .. } => Id::TakeBack,
            Purpose::KeepWaiver(_) => Id::KeepWaiver,
            Purpose::AcceptSender { .. } => Id::ReadMail,
        }
    }

    fn reach(&self, status: &TenantStatus) -> Reach {
        let one = match self {
            Purpose::Answer(people)
            | Purpose::Waive(people)
            | Purpose::Back(people)
            | Purpose::Ping(people)
            | Purpose::KeepWaiver(people) => people.len() == 1,
            Purpose::Resume => resume::mails_nobody(status),
            _ => true,
        };
        if one { Reach::One } else { Reach::Many }
    }
}

/// A form for one tenant.
#[derive(Clone, Debug)]
pub struct FormDialog {
    /// For which tenant.
    pub tenant: TenantId,
    /// What for.
    pub purpose: Purpose,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Which has the keys; the place after the last field is the confirmation's.
    pub focus: usize,
    /// What sets it off.
    pub confirmation: Confirmation,
    /// What was wrong when it was to be set off.
    pub error: Option<String>,
    /// Lines scrolled away of what is explained.
    pub scroll: usize,
    /// The digest of the plan that was on the screen when it was opened, where it is about that plan.
    pub bound_to: Option<String>,
    /// What was at stake when the confirmation was begun.
    pub(super) seen: Option<Vec<Row>>,
}

impl FormDialog {
    /// A form with its first field focused.
    pub fn new(status: &TenantStatus, purpose: Purpose, fields: Vec<Field>) -> Self {
        let confirmation = Confirmation::of(purpose.verb(), purpose.reach(status));
        Self {
            tenant: status.tenant.id.clone(),
            purpose,
            fields,
            focus: 0,
            confirmation,
            error: None,
            scroll: 0,
            bound_to: None,
            seen: None,
        }
    }

    /// The heading.
    pub fn title(&self, status: &TenantStatus) -> String {
        let name = &status.tenant.name;
        let of = |people: &People| {
            let all: Vec<&str> = people.iter().map(|(_, name)| name.as_str()).collect();
            crate::app::availability::names(&all)
        };
        match &self.purpose {
            Purpose::Plan { change: false } => format!("Plan a rotation of {name}"),
            Purpose::Plan { change: true } => format!("Change the window of {name}"),
            Purpose::Answer(people) => format!("Answer of {}", of(people)),
            Purpose::Waive(people) => format!("Waive {}", of(people)),
            Purpose::Back(people) => format!("Back: {}", of(people)),
            Purpose::Ping(people) => format!("Gateway ping of {}", of(people)),
            Purpose::Rotate => format!("Rotate the server key of {name}"),
            Purpose::RollBack => format!("Roll back {name}"),
            Purpose::Finish => format!("Finish the rotation of {name}"),
            Purpose::Cancel => format!("Cancel the rotation of {name}"),
            Purpose::Note => format!("Note in the journal of {name}"),
            Purpose::Approve => format!("Approve the plan of {name}"),
            Purpose::HandOver => format!("Hand {name} over"),
            Purpose::Accept => format!("Accept {name}"),
            Purpose::TakeOver => format!("Take {name} over"),
            Purpose::Recover => format!("Recover {name}"),
            Purpose::Emergency => format!("EMERGENCY: rotate {name} at once"),
            Purpose::Review => format!("Review the emergency of {name}"),
            Purpose::Decide(step) => format!("Decide step {step} of {name}"),
            Purpose::ResolveNotice { name, kind, .. } => format!("Did the {} reach {name}?", kind.word()),
            Purpose::DecideMail { name, decision, .. } => format!("The mail of {name}: {}", decision.word()),
            Purpose::Resume => format!("Go on with {name}"),
            Purpose::SetAside(what) => format!("Disregard {what} of {name}"),
            Purpose::TakeBack { name, .. } => format!("Take back what was recorded of {name}"),
            Purpose::KeepWaiver(people) => format!("Keep the waiver of {}", of(people)),
            Purpose::AcceptSender { name, .. } => format!("The sender of the mail of {name}"),
        }
    }

    /// What it does, in a word.
    pub fn deed(&self) -> &'static str {
        match &self.purpose {
            Purpose::Plan { change: false } => "plan",
            Purpose::Plan { change: true } => "change the window",
            Purpose::Waive(_) => "waive",
            Purpose::Rotate => "ROTATE",
            Purpose::RollBack => "ROLL BACK",
            Purpose::Finish => "finish",
            Purpose::Cancel => "cancel the rotation",
            Purpose::Answer(_) | Purpose::Back(_) | Purpose::Ping(_) | Purpose::Note => "record",
            Purpose::Decide(_) | Purpose::ResolveNotice { .. } | Purpose::DecideMail { .. } => "record it",
            Purpose::Resume => "go on",
            Purpose::SetAside(_) => "disregard it",
            Purpose::TakeBack { .. } => "take it back",
            Purpose::KeepWaiver(_) => "keep it",
            Purpose::AcceptSender { .. } => "accept the sender",
            Purpose::Approve => "approve",
            Purpose::HandOver => "hand over",
            Purpose::Accept => "accept",
            Purpose::TakeOver => "TAKE OVER",
            Purpose::Recover => "RECOVER",
            Purpose::Emergency => "ROTATE AT ONCE",
            Purpose::Review => "close the review",
        }
    }

    /// What is explained above the fields: what is at stake first.
    pub fn explain(&self, status: &TenantStatus, model: &Model) -> Vec<Row> {
        let mut rows = self.stakes(status);
        rows.extend(match &self.purpose {
            Purpose::Plan { change } => plan::explain(self, *change, status, model.now),
            Purpose::Answer(_) => answer::explain(status),
            Purpose::Waive(_) => people::explain_waive(),
            Purpose::Back(_) => people::explain_back(),
            Purpose::Ping(_) => people::explain_ping(status),
            Purpose::Rotate => rotate::explain(status, model.now),
            Purpose::RollBack => rollback::explain(status),
            Purpose::Finish => close::explain_finish(status),
            Purpose::Cancel => close::explain_cancel(),
            Purpose::Note => decide::explain_note(),
            Purpose::Approve => accountable::explain_approve(status, model.now),
            Purpose::HandOver => accountable::explain_hand_over(),
            Purpose::Accept => accountable::explain_accept(status),
            Purpose::TakeOver => accountable::explain_take_over(status, model.now),
            Purpose::Recover => recover::explain(),
            Purpose::Emergency => accountable::explain_emergency(status),
            Purpose::Review => accountable::explain_review(status, model.now),
            Purpose::Decide(step) => decide::explain_step(*step, status, model),
            Purpose::ResolveNotice { .. } => decide::explain_notice(),
            Purpose::Resume => resume::explain(status),
            Purpose::SetAside(_) => close::explain_set_aside(),
            Purpose::TakeBack { .. } => take_back::explain(),
            Purpose::KeepWaiver(_) => take_back::explain_keep(),
            Purpose::AcceptSender { mail, .. } => thread::explain(status, mail),
            Purpose::DecideMail { mail, .. } => thread::explain(status, mail),
        });
        rows
    }

    /// Whom it concerns and what is lost. If this changes while the confirmation is being given, it must be given again.
    pub fn stakes(&self, status: &TenantStatus) -> Vec<Row> {
        match &self.purpose {
            Purpose::Plan { change: true } => plan::stakes(status),
            Purpose::Answer(people) => answer::stakes(people, status),
            Purpose::Waive(people) | Purpose::Back(people) | Purpose::Ping(people) => people::stakes(people, status),
            Purpose::Rotate | Purpose::Emergency => rotate::stakes(status),
            Purpose::RollBack => rollback::stakes(status),
            Purpose::Finish => close::stakes_of_finish(status),
            Purpose::Cancel => close::stakes_of_cancel(status),
            Purpose::TakeOver => accountable::stakes_of_take_over(status),
            Purpose::Recover => recover::stakes(status),
            Purpose::ResolveNotice { client, .. } => decide::stakes_of_notice(client, status),
            Purpose::Resume => resume::stakes(status),
            Purpose::SetAside(what) => close::stakes_of_set_aside(what, status),
            Purpose::TakeBack { client, .. } => take_back::stakes(client, status),
            Purpose::KeepWaiver(people) => take_back::stakes_of_keep(people, status),
            Purpose::AcceptSender { name, mail, alias, .. } => take_back::stakes_of_sender(name, mail, *alias, status),
            Purpose::DecideMail { client, decision, .. } => thread::stakes(client, decision, status),
            Purpose::Plan { change: false }
            | Purpose::Note
            | Purpose::Approve
            | Purpose::HandOver
            | Purpose::Accept
            | Purpose::Review
            | Purpose::Decide(_) => Vec::new(),
        }
    }

    /// What it asks for, or why it can't be asked now. The same function makes it look shut.
    pub fn ask(&self, status: &TenantStatus, now: Timestamp) -> Result<Vec<Command>, String> {
        Ok(match &self.purpose {
            Purpose::Plan { change } => vec![plan::command(self, *change, status, now)?],
            Purpose::Answer(people) => answer::commands(self, people)?,
            Purpose::Waive(people) => people::waive(self, people)?,
            Purpose::Back(people) => people::back(self, people)?,
            Purpose::Ping(people) => people::ping(self, people)?,
            Purpose::Rotate => vec![rotate::command(self, status)?],
            Purpose::RollBack => vec![rollback::command(self, status)?],
            Purpose::Finish => vec![close::finish(self, status)?],
            Purpose::Cancel => vec![close::cancel(self)?],
            Purpose::Note => vec![decide::note(self)?],
            Purpose::Approve => vec![accountable::approve(self, status)?],
            Purpose::HandOver => vec![accountable::hand_over(self)?],
            Purpose::Accept => vec![Command::AcceptHandOver],
            Purpose::TakeOver => vec![accountable::take_over(self)?],
            Purpose::Recover => vec![recover::command(self)?],
            Purpose::Emergency => vec![accountable::emergency(self, status)?],
            Purpose::Review => vec![accountable::review(self)?],
            Purpose::Decide(step) => vec![decide::step(self, *step)?],
            Purpose::ResolveNotice { message_id, .. } => vec![decide::notice(self, message_id)?],
            Purpose::Resume => vec![Command::Resume],
            Purpose::SetAside(what) => vec![close::set_aside(self, what)?],
            Purpose::TakeBack { client, name } => vec![take_back::command(self, client, name, status)?],
            Purpose::KeepWaiver(people) => vec![take_back::keep(people)],
            Purpose::AcceptSender { mail, alias, .. } => vec![take_back::accept(self, mail, *alias)],
            Purpose::DecideMail { mail, decision, .. } => vec![thread::command(self, mail, decision, status)?],
        })
    }

    /// The value of a field, trimmed; empty if there is no such field.
    pub fn value(&self, at: usize) -> &str {
        self.fields.get(at).map(Field::value).unwrap_or_default().trim()
    }

    /// The chosen option of a field, if one is chosen.
    pub fn chosen(&self, at: usize) -> Option<usize> {
        self.fields.get(at).and_then(Field::chosen)
    }

    /// Whether a field has a meaning with what the others say.
    pub fn is_shown(&self, at: usize) -> bool {
        !matches!(self.purpose, Purpose::Answer(_)) || answer::is_shown(self, at)
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, status: &TenantStatus, now: Timestamp) -> Outcome {
        if self.is_at_confirmation() {
            // What is missing above is said before anybody types a name in vain.
            if key == Key::Enter
                && let Err(missing) = self.ask(status, now)
            {
                self.error = Some(missing);
                return Outcome::Stay;
            }
            match self.confirm(key, status) {
                Pressed::Given(consent) => return self.submit(consent, status, now),
                Pressed::Refused(why) => {
                    self.error = Some(why);
                    return Outcome::Stay;
                }
                Pressed::Taken => {
                    self.error = None;
                    return Outcome::Stay;
                }
                Pressed::NotMine => {}
            }
        }
        match key {
            Key::Esc => return Outcome::Close,
            Key::Tab | Key::Down => self.move_focus(true),
            Key::BackTab | Key::Up => self.move_focus(false),
            Key::PageDown => self.scroll += 5,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(5),
            Key::Enter if self.ends_with_enter() => return self.submit(Consent::enter(), status, now),
            Key::Enter => self.move_focus(true),
            key => {
                if let Some(field) = self.fields.get_mut(self.focus)
                    && field.press(key)
                {
                    self.error = None;
                }
            }
        }
        Outcome::Stay
    }

    fn confirm(&mut self, key: Key, status: &TenantStatus) -> Pressed {
        let pressed = self.confirmation.press(key, &status.tenant.name);
        match &pressed {
            // From the first letter on it is about what is on the screen now.
            Pressed::Taken if self.seen.is_none() => self.seen = Some(self.stakes(status)),
            Pressed::Given(_) if self.seen.as_ref().is_some_and(|seen| *seen != self.stakes(status)) => {
                self.confirmation.clear();
                self.seen = None;
                return Pressed::Refused("what this would do has changed meanwhile: read it again".into());
            }
            _ => {}
        }
        pressed
    }

    fn submit(&mut self, consent: Consent, status: &TenantStatus, now: Timestamp) -> Outcome {
        match self.ask(status, now) {
            Ok(commands) => Outcome::Submit(commands, consent),
            Err(error) => {
                self.error = Some(error);
                Outcome::Stay
            }
        }
    }

    /// Takes pasted text into the field that has the keys.
    pub fn paste(&mut self, text: &str) {
        match self.fields.get_mut(self.focus) {
            Some(field) => field.paste(text),
            None => self.confirmation.paste(text),
        }
        self.error = None;
    }

    /// Whether the confirmation has the keys.
    pub fn is_at_confirmation(&self) -> bool {
        self.confirmation.has_place() && self.focus >= self.fields.len()
    }

    /// Whether the last field has the keys and Enter is all that is wanted.
    pub fn ends_with_enter(&self) -> bool {
        !self.confirmation.has_place() && (self.focus + 1..self.fields.len()).all(|at| !self.is_shown(at))
    }

    fn move_focus(&mut self, forward: bool) {
        let count = self.fields.len() + usize::from(self.confirmation.has_place());
        for _ in 0..count {
            self.focus = (self.focus + if forward { 1 } else { count - 1 }) % count;
            if self.is_at_confirmation() || self.is_shown(self.focus) {
                break;
            }
        }
        self.confirmation.reach(self.is_at_confirmation());
        self.seen = None;
    }
}

/// A field that must not be empty.
pub fn required(form: &FormDialog, at: usize, what: &str) -> Result<String, String> {
    let value = form.value(at);
    match says_something(value) {
        true => Ok(value.to_owned()),
        false => Err(format!("{what} is needed: it goes into the journal")),
    }
}

/// A choice that must be made.
pub fn chosen(form: &FormDialog, at: usize, what: &str) -> Result<usize, String> {
    form.chosen(at).ok_or_else(|| format!("choose {what}, with Left and Right"))
}
