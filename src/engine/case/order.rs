//! An operator's words for a case. Whether one is taken is `machine`'s judgement.

use crate::domain::step::StepNumber;
use serde::{Deserialize, Serialize};

/// An operator's word, as a form, a subcommand, `next` or a test gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verb")]
pub enum Order {
    /// A stretch of the runbook.
    Begin {
        /// Its verb.
        stretch: String,
        /// The subject's name, typed, where the stretch asks for it.
        confirm: String,
        /// A ticket or incident; counts where this opens the case.
        reference: String,
    },
    /// Go on with what was interrupted or failed.
    Resume,
    /// Say what became of an interrupted step that no probe can tell.
    Resolve {
        /// Which.
        step: StepNumber,
        /// Whether it is done.
        done: bool,
        /// How the operator knows.
        reason: String,
    },
    /// Set a fact aside that shuts a gate.
    SetAside {
        /// Its name.
        fact: String,
        /// Why.
        reason: String,
    },
    /// Say that somebody who must follow has done so, or need not.
    Settle {
        /// Who.
        person: String,
        /// How that is known.
        reason: String,
    },
    /// Mail those who must follow what they must take.
    Notify {
        /// The subject's name, typed.
        confirm: String,
        /// Only these people; none: everybody who has not had that mail.
        only: Vec<String>,
        /// Though they had it, or may have.
        again: bool,
    },
    /// Go back, though something was changed.
    RollBack {
        /// The subject's name, typed.
        confirm: String,
        /// Why.
        reason: String,
    },
    /// Take the subject from a process that holds it: it can change and write nothing from then on.
    TakeOver {
        /// The subject's name, typed.
        confirm: String,
        /// Why.
        reason: String,
    },
    /// Go on though the end of the journal is lost: everything is looked at first.
    Recover {
        /// The subject's name, typed.
        confirm: String,
        /// Why the journal is not put back.
        reason: String,
    },
    /// Let whoever is at work stop where it can, until somebody says that it goes on.
    Pause {
        /// Why.
        reason: String,
    },
    /// Close it before anything was changed.
    Cancel {
        /// A note.
        note: String,
    },
    /// A note for the journal.
    Note {
        /// The text.
        text: String,
    },
}

impl Order {
    /// The word for keys, subcommands and the journal.
    pub fn word(&self) -> &str {
        match self {
            Order::Begin { stretch, .. } => stretch,
            Order::Resume => "resume",
            Order::Resolve { .. } => "resolve",
            Order::SetAside { .. } => "set-aside",
            Order::Settle { .. } => "settle",
            Order::Notify { .. } => "notify",
            Order::RollBack { .. } => "rollback",
            Order::TakeOver { .. } => "takeover",
            Order::Recover { .. } => "recover",
            Order::Pause { .. } => "pause",
            Order::Cancel { .. } => "cancel",
            Order::Note { .. } => "note",
        }
    }

    /// Whether the case goes on behind it.
    pub fn drives(&self) -> bool {
        use Order::{Note, Notify, Pause, Recover, Resolve, SetAside, Settle, TakeOver};
        !matches!(
            self,
            SetAside { .. }
                | Settle { .. }
                | Notify { .. }
                | Pause { .. }
                | Note { .. }
                | Resolve { .. }
                | TakeOver { .. }
                | Recover { .. }
        )
    }
}
