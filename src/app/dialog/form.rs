//! A form: its fields, which of them has the keys, its error, and the way from Enter to a command.

use crate::app::dialog::{Outcome, Row, accountable, answer, close, decide, people, plan, rollback, rotate};
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::domain::client::ClientId;
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::domain::tenant::TenantId;
use crate::engine::command::Command;
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
    },
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
    /// Which has the keys.
    pub focus: usize,
    /// What was wrong when Enter was pressed.
    pub error: Option<String>,
    /// Lines scrolled away of what is explained.
    pub scroll: usize,
    /// The digest of the plan that was on the screen when it was opened, where it is about that plan.
    pub bound_to: Option<String>,
}

impl FormDialog {
    /// A form with its first field focused.
    pub fn new(tenant: &TenantId, purpose: Purpose, fields: Vec<Field>) -> Self {
        Self { tenant: tenant.clone(), purpose, fields, focus: 0, error: None, scroll: 0, bound_to: None }
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
            Purpose::Emergency => format!("EMERGENCY: rotate {name} at once"),
            Purpose::Review => format!("Review the emergency of {name}"),
            Purpose::Decide(step) => format!("Decide step {step} of {name}"),
            Purpose::ResolveNotice { name, kind, .. } => format!("Did the {} reach {name}?", kind.word()),
        }
    }

    /// What Enter does, in a word.
    pub fn verb(&self) -> &'static str {
        match &self.purpose {
            Purpose::Plan { change: false } => "plan",
            Purpose::Plan { change: true } => "change the window",
            Purpose::Waive(_) => "waive",
            Purpose::Rotate => "ROTATE",
            Purpose::RollBack => "ROLL BACK",
            Purpose::Finish => "finish",
            Purpose::Cancel => "cancel the rotation",
            Purpose::Answer(_) | Purpose::Back(_) | Purpose::Ping(_) | Purpose::Note => "record",
            Purpose::Decide(_) | Purpose::ResolveNotice { .. } => "decide",
            Purpose::Approve => "approve",
            Purpose::HandOver => "hand over",
            Purpose::Accept => "accept",
            Purpose::TakeOver => "TAKE OVER",
            Purpose::Emergency => "ROTATE AT ONCE",
            Purpose::Review => "close the review",
        }
    }

    /// What is explained above the fields.
    pub fn explain(&self, status: &TenantStatus, model: &Model) -> Vec<Row> {
        match &self.purpose {
            Purpose::Plan { change } => plan::explain(self, *change, status, model.now),
            Purpose::Answer(people) => answer::explain(people, status),
            Purpose::Waive(people) => people::explain_waive(people, status),
            Purpose::Back(people) => people::explain_back(people, status),
            Purpose::Ping(_) => people::explain_ping(status),
            Purpose::Rotate => rotate::explain(status, model.now),
            Purpose::RollBack => rollback::explain(status),
            Purpose::Finish => close::explain_finish(status),
            Purpose::Cancel => close::explain_cancel(status),
            Purpose::Note => decide::explain_note(),
            Purpose::Approve => accountable::explain_approve(status, model.now),
            Purpose::HandOver => accountable::explain_hand_over(),
            Purpose::Accept => accountable::explain_accept(status),
            Purpose::TakeOver => accountable::explain_take_over(status, model.now),
            Purpose::Emergency => accountable::explain_emergency(status),
            Purpose::Review => accountable::explain_review(status, model.now),
            Purpose::Decide(step) => decide::explain_step(*step, status, model),
            Purpose::ResolveNotice { client, .. } => decide::explain_notice(client, status),
        }
    }

    /// What Enter asks for, or why it can't be asked now. The same function makes Enter look shut.
    pub fn ask(&self, status: &TenantStatus, now: Timestamp) -> Result<Vec<Effect>, String> {
        let commands = match &self.purpose {
            Purpose::Plan { change } => vec![plan::command(self, *change, status, now)?],
            Purpose::Answer(people) => answer::commands(self, people)?,
            Purpose::Waive(people) => people::waive(self, people)?,
            Purpose::Back(people) => people::back(self, people)?,
            Purpose::Ping(people) => people::ping(self, people)?,
            Purpose::Rotate => vec![rotate::command(self, status)?],
            Purpose::RollBack => vec![rollback::command(self, status)?],
            Purpose::Finish => vec![close::finish(self)],
            Purpose::Cancel => vec![close::cancel(self, status)?],
            Purpose::Note => vec![decide::note(self)?],
            Purpose::Approve => vec![accountable::approve(self, status)?],
            Purpose::HandOver => vec![accountable::hand_over(self)?],
            Purpose::Accept => vec![Command::AcceptHandOver],
            Purpose::TakeOver => vec![accountable::take_over(self, status)?],
            Purpose::Emergency => vec![accountable::emergency(self, status)?],
            Purpose::Review => vec![accountable::review(self)?],
            Purpose::Decide(step) => vec![decide::step(self, *step)?],
            Purpose::ResolveNotice { client, kind, .. } => return decide::notice(self, client, *kind),
        };
        Ok(commands.into_iter().map(|command| Effect::Run(self.tenant.clone(), command)).collect())
    }

    /// The value of a field, trimmed; empty if there is no such field.
    pub fn value(&self, at: usize) -> &str {
        self.fields.get(at).map(Field::value).unwrap_or_default().trim()
    }

    /// The chosen option of a field.
    pub fn chosen(&self, at: usize) -> usize {
        self.fields.get(at).map_or(0, Field::chosen)
    }

    /// Whether a field has a meaning with what the others say.
    pub fn is_shown(&self, at: usize) -> bool {
        !matches!(self.purpose, Purpose::Answer(_)) || answer::is_shown(self, at)
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, status: &TenantStatus, now: Timestamp) -> Outcome {
        match key {
            Key::Esc => return Outcome::Close,
            Key::Tab | Key::Down => self.move_focus(true),
            Key::BackTab | Key::Up => self.move_focus(false),
            Key::PageDown => self.scroll += 5,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(5),
            Key::Enter if self.is_last() => match self.ask(status, now) {
                Ok(effects) => return Outcome::Submit(effects),
                Err(error) => self.error = Some(error),
            },
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

    /// Takes pasted text into the field that has the keys.
    pub fn paste(&mut self, text: &str) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.paste(text);
            self.error = None;
        }
    }

    /// Whether the last field has the keys, so that Enter asks.
    pub fn is_last(&self) -> bool {
        (self.focus + 1..self.fields.len()).all(|at| !self.is_shown(at))
    }

    fn move_focus(&mut self, forward: bool) {
        let count = self.fields.len();
        for _ in 0..count {
            self.focus = (self.focus + if forward { 1 } else { count - 1 }) % count;
            if self.is_shown(self.focus) {
                return;
            }
        }
    }
}

/// A field that must not be empty.
pub fn required(form: &FormDialog, at: usize, what: &str) -> Result<String, String> {
    let value = form.value(at);
    if value.is_empty() { Err(format!("{what} is needed: it goes into the journal")) } else { Ok(value.to_owned()) }
}

/// The tenant's name, typed exactly.
pub fn typed_name(form: &FormDialog, at: usize, status: &TenantStatus) -> Result<String, String> {
    let typed = form.fields.get(at).map(Field::value).unwrap_or_default();
    let name = &status.tenant.name;
    if typed == name {
        Ok(typed.to_owned())
    } else if typed.is_empty() {
        Err(format!("type the tenant's name: {name}"))
    } else {
        Err(format!("{typed:?} is not the tenant's name; it is {name}"))
    }
}
