//! What stands before a screen: forms that end in commands, the mails, and texts to read. Keys reach only the dialog.
//!
//! The files beside this one hold one purpose each: which fields, what is at stake, what is explained, what it asks and when.

pub mod accountable;
pub mod answer;
pub mod close;
pub mod decide;
pub mod form;
pub mod notify;
pub mod people;
pub mod plan;
pub mod reading;
pub mod recover;
pub mod rehearse;
pub mod resume;
pub mod rollback;
pub mod rotate;
pub mod take_back;
pub mod thread;

pub use form::{FormDialog, Purpose};
pub use notify::NotifyDialog;
pub use reading::{Reading, Subject};
pub use rehearse::RehearseDialog;

/// A dialog.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// Fields, and a command at the end.
    Form(Box<FormDialog>),
    /// The mails of a kind.
    Notify(Box<NotifyDialog>),
    /// A text to read.
    Reading(Box<Reading>),
    /// The lab's mishaps.
    Rehearse(Box<RehearseDialog>),
    /// A verb of a subject that is no tenant.
    Case(Box<crate::app::case::CaseForm>),
}

/// How a line of a dialog is meant. The view gives it a glyph, a word stays in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Text.
    Plain,
    /// A heading.
    Heading,
    /// As it must be.
    Good,
    /// Read this.
    Warn,
    /// Stops it.
    Bad,
    /// Not known.
    Unknown,
    /// Not possible now.
    Shut,
}

/// A line of a dialog, wrapped by the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How it is meant.
    pub mark: Mark,
    /// The text.
    pub text: String,
}

impl Row {
    /// A line.
    pub fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, text: text.into() }
    }
}

/// What follows from a key in a dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It stays open.
    Stay,
    /// It closes.
    Close,
    /// It stays open and this, which changes nothing outside, is asked for.
    Ask(Vec<crate::app::message::Effect>),
    /// It was set off: these commands, with what the operator gave for them. A form closes then.
    Submit(Vec<crate::engine::command::Command>, crate::app::confirm::Consent),
    /// The program is to end.
    Quit,
    /// Another dialog takes its place.
    Replace(Box<FormDialog>),
}

impl PartialEq for FormDialog {
    fn eq(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.purpose == other.purpose
    }
}
