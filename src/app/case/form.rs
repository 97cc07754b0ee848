//! The form of a verb: what will happen, then what only a person can say, then what sets it off. One for all verbs of all runbooks.

use crate::app::case::short_name;
use crate::app::confirm::case::ask_for;
use crate::app::confirm::{Ask as Confirmed, Confirmation, Consent, Pressed};
use crate::app::dialog::{Mark, Row};
use crate::app::field::Field;
use crate::app::keymap::Key;
use crate::domain::tenant::TenantId;
use crate::engine::case::machine::Order;
use crate::engine::case::offer::{Ask, Offer, Weight};
use crate::engine::case::status::Status;

/// The form.
#[derive(Clone, Debug)]
pub struct CaseForm {
    /// Of which subject.
    pub subject: TenantId,
    /// Its name, to be typed.
    pub name: String,
    /// The verb, as it was offered when the form was opened.
    pub offer: Offer,
    /// What only a person can say.
    pub fields: Vec<Field>,
    /// Which place has the keys: a field, or the confirmation.
    pub focus: usize,
    /// What sets it off.
    pub confirmation: Confirmation,
    /// Why it was not taken.
    pub error: Option<String>,
    /// Rows scrolled away.
    pub scroll: usize,
    /// What was said of it when the confirmation was begun.
    seen: Option<Vec<String>>,
}

/// What follows from a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It stays open.
    Stay,
    /// It closes.
    Close,
    /// It was set off.
    Submit(Order, Consent),
}

impl CaseForm {
    /// A form with its first field focused.
    pub fn new(subject: TenantId, status: &Status, offer: Offer) -> Self {
        let confirmation = Confirmation::asking(ask_for(&offer), Some(offer.key));
        let fields: Vec<Field> = offer.asks.iter().map(|ask| field(*ask)).collect();
        let name = short_name(&status.subject).to_owned();
        let (focus, error, scroll, seen) = (0, None, 0, None);
        Self { subject, name, offer, fields, focus, confirmation, error, scroll, seen }
    }

    /// The heading.
    pub fn title(&self) -> String {
        match &self.offer.order {
            Order::SetAside { fact, .. } => format!("Set {fact} of {} aside", self.subject),
            Order::Settle { person, .. } => format!("Settle {person} of {}", self.subject),
            Order::Resolve { step, .. } => format!("What became of step {step} of {}", self.subject),
            _ => {
                let mut verb = super::verbs::title(&self.offer).to_owned();
                if let Some(first) = verb.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                format!("{verb}: {}", self.subject)
            }
        }
    }

    /// What it does, in a word.
    pub fn deed(&self) -> String {
        let title = super::verbs::title(&self.offer);
        match self.offer.weight {
            Weight::Changes | Weight::NoReturn => title.to_uppercase(),
            Weight::Words | Weight::Counts => "record it".into(),
            Weight::Looks => title.to_owned(),
            Weight::GoesOn => "go on".into(),
        }
    }

    /// What will happen, from what is offered now.
    pub fn explain(&self, status: &Status) -> Vec<Row> {
        let offer = self.current(status).unwrap_or(&self.offer);
        let mark = |line: &String| match self.offer.weight {
            _ if line.starts_with("NO WAY BACK") => Mark::Bad,
            Weight::Changes | Weight::NoReturn => Mark::Warn,
            _ => Mark::Plain,
        };
        let mut rows: Vec<Row> = offer.does.iter().map(|line| Row::new(mark(line), line.clone())).collect();
        if self.offer.weight == Weight::Words {
            rows.push(Row::new(Mark::Plain, "it goes into the journal, where it can't be changed"));
        }
        rows
    }

    /// The same verb as it is offered now.
    fn current<'a>(&self, status: &'a Status) -> Option<&'a Offer> {
        let same = |order: &Order| match (order, &self.offer.order) {
            (Order::SetAside { fact, .. }, Order::SetAside { fact: mine, .. }) => fact == mine,
            (Order::Settle { person, .. }, Order::Settle { person: mine, .. }) => person == mine,
            (Order::Resolve { step, .. }, Order::Resolve { step: mine, .. }) => step == mine,
            (one, other) => one.word() == other.word(),
        };
        status.verbs.iter().find(|offer| same(&offer.order))
    }

    /// What is asked for, or what is missing yet.
    pub fn ask(&self, status: &Status) -> Result<Order, String> {
        if let Some(why) = self.shut(status) {
            return Err(why);
        }
        let value = |wanted: Ask| {
            let at = self.offer.asks.iter().position(|ask| *ask == wanted);
            at.and_then(|at| self.fields.get(at)).map(Field::value).unwrap_or_default().trim().to_owned()
        };
        let needed = |wanted: Ask, what: &str| match value(wanted) {
            text if text.is_empty() => Err(format!("{what} is needed: it goes into the journal")),
            text => Ok(text),
        };
        let typed = || self.confirmation.typed().to_owned();
        Ok(match &self.offer.order {
            Order::Begin { stretch, .. } => {
                Order::Begin { stretch: stretch.clone(), confirm: typed(), reference: value(Ask::Reference) }
            }
            Order::Resume => Order::Resume,
            Order::Resolve { step, .. } => {
                let done = match value(Ask::Done).as_str() {
                    "" => return Err("choose whether it is done, with Left and Right".into()),
                    word => word == DONE[0],
                };
                Order::Resolve { step: *step, done, reason: needed(Ask::Knowledge, "how you know")? }
            }
            Order::SetAside { fact, .. } => {
                Order::SetAside { fact: fact.clone(), reason: needed(Ask::Reason, "a reason")? }
            }
            Order::Settle { person, .. } => {
                Order::Settle { person: person.clone(), reason: needed(Ask::Knowledge, "how you know")? }
            }
            Order::Notify { only, again, .. } => Order::Notify { confirm: typed(), only: only.clone(), again: *again },
            Order::Pause { .. } => Order::Pause { reason: needed(Ask::Reason, "a reason")? },
            Order::RollBack { .. } => Order::RollBack { confirm: typed(), reason: needed(Ask::Reason, "a reason")? },
            Order::TakeOver { .. } => Order::TakeOver { confirm: typed(), reason: needed(Ask::Reason, "a reason")? },
            Order::Recover { .. } => Order::Recover { confirm: typed(), reason: needed(Ask::Reason, "a reason")? },
            Order::Cancel { .. } => Order::Cancel { note: value(Ask::Remark) },
            Order::Note { .. } => Order::Note { text: needed(Ask::Text, "the note")? },
        })
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, status: &Status) -> Outcome {
        if self.is_at_confirmation() {
            // What is missing above is said before anybody types a name in vain.
            if key == Key::Enter
                && let Err(missing) = self.ask(status)
            {
                self.error = Some(missing);
                return Outcome::Stay;
            }
            match self.confirm(key, status) {
                Pressed::Given(consent) => return self.submit(consent, status),
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
            Key::Enter if self.ends_with_enter() => return self.submit(Consent::enter(), status),
            Key::Enter => self.move_focus(true),
            key => {
                if let Some(at) = self.field_at_focus()
                    && self.fields[at].press(key)
                {
                    self.error = None;
                }
            }
        }
        Outcome::Stay
    }

    fn confirm(&mut self, key: Key, status: &Status) -> Pressed {
        let wanted = self.wanted().to_owned();
        let pressed = self.confirmation.press(key, &wanted);
        let said = || self.current(status).map(|offer| offer.does.clone());
        match &pressed {
            // From the first letter on it is about what is on the screen now.
            Pressed::Taken if self.seen.is_none() => self.seen = said(),
            Pressed::Given(_) if self.seen.is_some() && self.seen != said() => {
                self.confirmation.clear();
                self.seen = None;
                return Pressed::Refused("what this would do has changed meanwhile: read it again".into());
            }
            _ => {}
        }
        pressed
    }

    fn submit(&mut self, consent: Consent, status: &Status) -> Outcome {
        match self.ask(status) {
            Ok(order) => Outcome::Submit(order, consent),
            Err(error) => {
                self.error = Some(error);
                Outcome::Stay
            }
        }
    }

    /// Takes pasted text into the field that has the keys.
    pub fn paste(&mut self, text: &str) {
        match self.field_at_focus() {
            Some(at) => self.fields[at].paste(text),
            None => self.confirmation.paste(text),
        }
        self.error = None;
    }

    /// The place of the confirmation: behind what must be said, before what may be left empty.
    pub fn confirmation_at(&self) -> usize {
        self.offer.asks.iter().filter(|ask| **ask != Ask::Reference).count()
    }

    /// Whether the confirmation has the keys.
    pub fn is_at_confirmation(&self) -> bool {
        self.confirmation.has_place() && self.focus == self.confirmation_at()
    }

    /// The field that has the keys; none where the confirmation has them.
    pub fn field_at_focus(&self) -> Option<usize> {
        let passed = usize::from(self.confirmation.has_place() && self.focus > self.confirmation_at());
        Some(self.focus - passed).filter(|at| !self.is_at_confirmation() && *at < self.fields.len())
    }

    /// What the name is held against: the subject as its title has it, where that is being typed.
    pub fn wanted(&self) -> &str {
        if self.confirmation.typed() == self.subject.as_str() { self.subject.as_str() } else { &self.name }
    }

    /// Why it is not taken at all now; what is only missing yet is no reason.
    pub fn shut(&self, status: &Status) -> Option<String> {
        match self.current(status) {
            Some(offer) => offer.shut.clone(),
            None => Some("this is not offered any more".into()),
        }
    }

    /// Whether the last field has the keys and Enter is all that is wanted.
    pub fn ends_with_enter(&self) -> bool {
        self.confirmation.ask() == Confirmed::Enter && self.focus + 1 >= self.fields.len()
    }

    fn move_focus(&mut self, forward: bool) {
        let count = (self.fields.len() + usize::from(self.confirmation.has_place())).max(1);
        self.focus = (self.focus + if forward { 1 } else { count - 1 }) % count;
        self.confirmation.reach(self.is_at_confirmation());
        self.seen = None;
    }
}

const DONE: &[&str] = &["done", "not done"];

fn field(ask: Ask) -> Field {
    match ask {
        Ask::Reason => Field::text("reason", "", "why; it goes into the journal"),
        Ask::Knowledge => Field::text("how you know", "", "what you have looked at yourself"),
        Ask::Remark => Field::text("note", "", "optional"),
        Ask::Text => Field::text("note", "", "the text"),
        Ask::Reference => Field::text("reference", "", "a ticket or incident, optional"),
        Ask::Done => Field::choice("it is", DONE),
    }
}
