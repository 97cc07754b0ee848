//! The mishaps of the lab: a list of what can be made to go wrong, each switched on and off by Enter. Only a lab has them.

use crate::app::dialog::{Mark, Outcome, Row};
use crate::app::keymap::Key;
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::app::panel::Panel;

/// A mishap as the lab tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// Its word.
    pub word: String,
    /// What happens then.
    pub help: String,
    /// Where it is on; empty while it is off.
    pub on: Vec<String>,
}

/// What is asked of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Which mishap.
    pub word: String,
    /// On or off.
    pub on: bool,
    /// The tenant that was meant, by id, where it is about one.
    pub tenant: Option<String>,
    /// The client that was under the cursor, where it is about one.
    pub client: Option<String>,
}

/// The list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearseDialog {
    /// All mishaps; none until the lab has answered.
    pub mishaps: Vec<Mishap>,
    /// Which has the keys.
    pub cursor: usize,
    /// What the lab has said, or why not.
    pub said: Result<String, String>,
    tenant: Option<String>,
    client: Option<String>,
}

impl RehearseDialog {
    /// The list for the tenant and the client that are selected, and the question to the lab.
    pub fn open(model: &Model) -> (Self, Effect) {
        let selected = || model.panels.clients.selected(model.status()?);
        let client = selected().filter(|_| model.panels.focus == Panel::Clients).map(|view| view.client.id.0.clone());
        // On a subject's page: whoever the row under the cursor is of.
        let source = || model.page.source(model.meant_case().filter(|_| model.shown().is_some())?.1);
        let (client, tenant) = (client.or_else(source), model.subject().map(ToString::to_string));
        let said = Ok("the lab is asked what is on".into());
        (Self { mishaps: Vec::new(), cursor: 0, said, tenant, client }, Effect::Rehearse(None))
    }

    /// The lab's answer.
    pub fn take(&mut self, mishaps: Vec<Mishap>, said: Result<String, String>) {
        self.said = said;
        if !mishaps.is_empty() {
            self.mishaps = mishaps;
        }
    }

    /// A line each: a mark where it is on.
    pub fn rows(&self) -> Vec<Row> {
        let row = |mishap: &Mishap| {
            let (mark, on) = match mishap.on.is_empty() {
                true => (Mark::Plain, String::new()),
                false => (Mark::Warn, format!("ON {}: ", mishap.on.join(", "))),
            };
            Row::new(mark, format!("{:16} {on}{}", mishap.word, mishap.help))
        };
        self.mishaps.iter().map(row).collect()
    }

    /// Takes a key. `rows` is how many fit.
    pub fn press(&mut self, key: Key, rows: u16) -> Outcome {
        let (last, page) = (self.mishaps.len().saturating_sub(1), usize::from(rows.max(1)));
        self.cursor = match key {
            Key::Esc | Key::Char('q') => return Outcome::Close,
            Key::Enter => return self.switch(),
            Key::Up | Key::Char('k') => self.cursor.saturating_sub(1),
            Key::Down | Key::Char('j') => self.cursor + 1,
            Key::PageUp => self.cursor.saturating_sub(page),
            Key::PageDown => self.cursor + page,
            Key::Home => 0,
            Key::End => last,
            _ => self.cursor,
        }
        .min(last);
        Outcome::Stay
    }

    /// On where it is off, and off wherever it is on.
    fn switch(&self) -> Outcome {
        let Some(mishap) = self.mishaps.get(self.cursor) else { return Outcome::Stay };
        let (on, word) = (mishap.on.is_empty(), mishap.word.clone());
        let (tenant, client) = if on { (self.tenant.clone(), self.client.clone()) } else { (None, None) };
        Outcome::Ask(vec![Effect::Rehearse(Some(Switch { word, on, tenant, client }))])
    }
}
