//! Texts to read: help, troubleshooting of a step, what was said, why a command failed, and the question before quitting.

use crate::app::availability::names;
use crate::app::case::verbs;
use crate::app::command::{COMMANDS, CommandId};
use crate::app::dialog::{Mark, Outcome, Row, thread};
use crate::app::failure::Failure;
use crate::app::keymap::Key;
use crate::app::model::{Model, Severity};
use crate::domain::client::ClientId;
use crate::domain::step::{StepNumber, StepState};

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All commands.
    Help,
    /// A step's known troubles.
    Troubles(StepNumber),
    /// The log of remarks.
    Messages,
    /// What a narrow screen cuts: all that needs attention, and what is next.
    Attention,
    /// The mails with a client.
    Thread {
        /// Whose.
        client: ClientId,
        /// Their name.
        name: String,
    },
    /// One row of a panel, whole, as it was when it was opened.
    Full {
        /// The heading.
        title: String,
        /// The text.
        rows: Vec<Row>,
    },
    /// The end of a command that failed.
    Failed {
        /// The tenant's name.
        tenant: String,
        /// The command's word.
        what: String,
        /// Why.
        failure: Failure,
    },
    /// Something runs: quit all the same?
    Quit,
}

/// A text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is read.
    pub subject: Subject,
    /// Rows scrolled away.
    pub scroll: usize,
}

impl Reading {
    /// From its beginning.
    pub fn of(subject: Subject) -> Self {
        Self { subject, scroll: 0 }
    }

    /// The heading.
    pub fn title(&self) -> String {
        match &self.subject {
            Subject::Help => "Keys".into(),
            Subject::Troubles(step) => format!("Troubleshooting of step {step}"),
            Subject::Thread { name, .. } => format!("Mails with {name}"),
            Subject::Messages => "What was said, newest first".into(),
            Subject::Attention => "What needs attention, and what is next".into(),
            Subject::Full { title, .. } => title.clone(),
            Subject::Failed { tenant, what, failure } => {
                let how = if failure.refused { "refused" } else { "failed" };
                format!("{tenant}: {what} {how}")
            }
            Subject::Quit => "Quit while something runs?".into(),
        }
    }

    /// The text.
    pub fn rows(&self, model: &Model) -> Vec<Row> {
        match &self.subject {
            Subject::Help => help(model),
            Subject::Troubles(step) => troubles(*step, model),
            Subject::Messages => messages(model),
            Subject::Attention => attention(model),
            Subject::Full { rows, .. } => rows.clone(),
            Subject::Thread { client, .. } => thread::rows(model, client),
            Subject::Failed { tenant, what, failure } => {
                let mut rows = vec![
                    Row::new(Mark::Heading, "What happened"),
                    Row::new(Mark::Bad, format!("{what} of {tenant}: {}", failure.text)),
                    Row::new(Mark::Heading, "What is safe now"),
                    Row::new(Mark::Good, failure.safe.clone()),
                    Row::new(Mark::Heading, "What to do"),
                    Row::new(Mark::Plain, failure.advice.clone()),
                ];
                rows.extend(stuck(model).into_iter().flat_map(|step| troubles(step, model)));
                rows
            }
            Subject::Quit => quit(model),
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, model: &Model, rows: u16) -> Outcome {
        let page = usize::from(rows.max(1));
        if let Subject::Thread { client, .. } = &self.subject
            && let Some(form) = thread::press(model, client, key)
        {
            return Outcome::Replace(Box::new(form));
        }
        match key {
            Key::Char('y') if self.subject == Subject::Quit => return Outcome::Quit,
            Key::Esc | Key::Char('q') | Key::Enter => return Outcome::Close,
            Key::Char('?') if self.subject == Subject::Help => return Outcome::Close,
            // The dialog names this key.
            Key::Char('t') if matches!(self.subject, Subject::Failed { .. }) => {
                let asked = || model.status().map(|status| model.panels.step_in_question(status));
                if let Some(step) = stuck(model).or_else(asked) {
                    *self = Self::of(Subject::Troubles(step));
                }
                return Outcome::Stay;
            }
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::Down | Key::Char('j') => self.scroll += 1,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(page),
            Key::PageDown | Key::Char(' ') => self.scroll += page,
            Key::Home => self.scroll = 0,
            Key::End => self.scroll = usize::MAX / 2,
            _ => {}
        }
        // Wrapped lines may be more than rows, never more than eight times as many with the longest text on 60 columns.
        self.scroll = self.scroll.min(self.rows(model).len() * 8);
        Outcome::Stay
    }
}

/// The step that has failed, or of which nobody knows how it ended.
fn stuck(model: &Model) -> Option<StepNumber> {
    let status = model.status()?;
    let is_stuck = |state: &StepState| matches!(state, StepState::Failed { .. } | StepState::Interrupted { .. });
    status.steps.iter().find(|step| is_stuck(&step.state)).map(|step| step.number)
}

fn help(model: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some((id, status)) = model.meant_case() {
        rows.push(Row::new(Mark::Heading, format!("The verbs of {id}")));
        for offer in &status.verbs {
            let (key, help) = (offer.key, verbs::help(offer));
            let title = verbs::title(offer);
            match verbs::shut(model, id, offer) {
                None => rows.push(Row::new(Mark::Plain, format!("{key:<13} {title}: {help}"))),
                Some(why) => rows.push(Row::new(Mark::Shut, format!("{key:<13} {title}: {help} (now shut: {why})"))),
            }
        }
        rows.push(Row::new(Mark::Heading, "Keys"));
    }
    // What only a lab has is no help elsewhere.
    let is_here = |command: &CommandId| *command != CommandId::Rehearse || model.options.lab.is_some();
    for command in COMMANDS.iter().filter(|command| command.is_for(&model.screen) && is_here(&command.id)) {
        let keys = command.key_text();
        match command.id.availability(model) {
            Ok(()) => rows.push(Row::new(Mark::Plain, format!("{keys:<13} {}", command.help))),
            Err(why) => rows.push(Row::new(Mark::Shut, format!("{keys:<13} {} (now shut: {why})", command.help))),
        }
    }
    rows.push(Row::new(Mark::Heading, "In dialogs"));
    rows.push(Row::new(Mark::Plain, "Tab next field, Left/Right choose, PgUp/PgDn scroll, Enter go on, Esc close"));
    rows
}

fn troubles(step: StepNumber, model: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    let info = model.step_info(step);
    if let Some(info) = info {
        rows.push(Row::new(Mark::Heading, format!("Step {step}: {}", info.title)));
    }
    if let Some(view) = model.status().and_then(|status| status.steps.get(step.index())) {
        let mark = if matches!(view.state, StepState::Failed { .. }) { Mark::Bad } else { Mark::Plain };
        rows.push(Row::new(mark, format!("{} {}", view.state.word(), view.detail)));
        if let StepState::Failed { fault, .. } = &view.state {
            rows.push(Row::new(Mark::Warn, format!("advice: {}", fault.advice())));
        }
        rows.extend(view.work.as_ref().map(|work| Row::new(Mark::Plain, format!("by {work}"))));
    }
    for trouble in info.map(|info| info.troubles).unwrap_or_default() {
        rows.push(Row::new(Mark::Heading, trouble.symptom));
        rows.push(Row::new(Mark::Plain, trouble.remedy));
    }
    if let Some(info) = info {
        rows.push(Row::new(Mark::Heading, "How it is taken back"));
        rows.push(Row::new(Mark::Plain, info.undo_text));
    }
    rows
}

/// Of the subject on the screen, or of the selected one of the fleet.
fn attention(model: &Model) -> Vec<Row> {
    let Some(id) = model.subject() else { return vec![Row::new(Mark::Plain, "nothing is selected")] };
    let (attention, next, lines) = match (model.tenants.get(id), model.cases.get(id)) {
        (Some(status), _) => (&status.attention, &status.next.text, status.next.commands.clone()),
        (None, Some(status)) => (&status.attention, &status.next.text, Vec::new()),
        (None, None) => return vec![Row::new(Mark::Plain, "not looked at yet")],
    };
    let mut rows: Vec<Row> = attention.iter().map(|item| Row::new(Mark::Bad, item.clone())).collect();
    if rows.is_empty() {
        rows.push(Row::new(Mark::Good, "nothing needs attention"));
    }
    rows.push(Row::new(Mark::Heading, "Next"));
    rows.push(Row::new(Mark::Plain, next.clone()));
    rows.extend(lines.into_iter().map(|line| Row::new(Mark::Plain, format!("run: {line}"))));
    rows
}

fn messages(model: &Model) -> Vec<Row> {
    if model.remarks.is_empty() {
        return vec![Row::new(Mark::Plain, "nothing yet")];
    }
    let row = |remark: &crate::app::model::Remark| {
        let mark = match remark.severity {
            Severity::Info => Mark::Plain,
            Severity::Done => Mark::Good,
            Severity::Refused => Mark::Warn,
            Severity::Error => Mark::Bad,
        };
        Row::new(mark, format!("{} {}: {}", remark.at.strftime("%H:%M:%S"), remark.severity.word(), remark.text))
    };
    model.remarks.iter().rev().map(row).collect()
}

fn quit(model: &Model) -> Vec<Row> {
    let mut running: Vec<String> = model
        .jobs
        .iter()
        .map(|(id, job)| {
            let name = model.tenants.get(id).map_or_else(|| id.to_string(), |status| status.tenant.name.clone());
            format!("{} of {name}", job.what)
        })
        .collect();
    running.sort();
    let running: Vec<&str> = running.iter().map(String::as_str).collect();
    vec![
        Row::new(Mark::Warn, format!("running: {}", names(&running))),
        Row::new(
            Mark::Plain,
            "What must not stop half-way (a DELETE without its POST) is finished before the program ends. Everything else \
             stops where it is, and resume looks and goes on: yours, or that of a `changeguard watch` that runs.",
        ),
        Row::new(Mark::Heading, "y quits, Esc stays"),
    ]
}
