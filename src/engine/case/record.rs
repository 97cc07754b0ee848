//! What every runbook writes of a case, whatever it is about; a runbook's own records stand beside these, under tags of their own.

use super::spec::Move;
use crate::domain::fault::Fault;
use crate::domain::notice::Delivery;
use crate::domain::reply::Heard;
use crate::domain::step::StepNumber;
use crate::engine::journal::Holder;
use crate::engine::mailbox::Doubt;
use crate::engine::witness::Lost;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One run of one runbook for one subject, as in `keystone-production-1a2b3c4d`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All its steps are done.
    Done,
    /// It was taken back.
    TakenBack,
    /// Nothing that the subject lives on was changed.
    Cancelled,
    /// It has ended in a part of its journal that is lost; how is not known.
    Lost,
}

impl End {
    /// The words on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            End::Done => "done",
            End::TakenBack => "rolled back",
            End::Cancelled => "cancelled",
            End::Lost => "ended in a lost part of its journal",
        }
    }
}

/// How far a case was found to be, of which the end of the journal is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The steps of the present leg that are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<StepNumber>,
    /// The step of which resume looks what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<StepNumber>,
    /// The steps that have changed, or may have changed, what the subject lives on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touched: Vec<StepNumber>,
    /// Another case was begun in the lost part: this one is only closed, and that one is gone on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CaseId>,
    /// In words.
    pub evidence: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum CoreRecord {
    /// The first record: which runbook, about what, and why.
    Opened {
        /// The case.
        case: CaseId,
        /// The runbook's name.
        runbook: String,
        /// `kind/name`.
        subject: String,
        /// A ticket or incident, as typed.
        reference: String,
    },
    /// An operator has set a stretch going.
    Begun {
        /// Its verb.
        verb: String,
        /// What only looks before it is looked at again, whatever it had come to: the gate opens by what is so now.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        afresh: bool,
    },
    /// A step begins. Durable before it touches the world.
    StepStarted {
        /// Which.
        step: StepNumber,
    },
    /// The first request that changes what the subject lives on is about to be sent, after the gate was judged once more.
    Touching {
        /// In which step.
        step: StepNumber,
    },
    /// The step stops where it can, as somebody wanted; what is done of it stays.
    Paused {
        /// Why.
        reason: String,
        /// Who wanted it.
        by: String,
    },
    /// A step ended well. Durable before the next is considered.
    StepSucceeded {
        /// Which.
        step: StepNumber,
        /// One line that proves it.
        evidence: String,
    },
    /// A step ended badly; it may be tried again.
    StepFailed {
        /// Which.
        step: StepNumber,
        /// Why.
        fault: Fault,
    },
    /// A probe, or an operator with a reason, said what became of an interrupted step.
    StepResolved {
        /// Which.
        step: StepNumber,
        /// Whether it is done.
        done: bool,
        /// What the probe saw, or the operator's reason.
        reason: String,
    },
    /// A fact that shuts a gate is set aside for this case, by an operator's word.
    SetAside {
        /// Its name.
        fact: String,
        /// Why.
        reason: String,
    },
    /// An operator says that somebody who must follow has done so, or need not.
    Settled {
        /// Who.
        person: String,
        /// What they were asked.
        about: String,
        /// How that is known.
        reason: String,
    },
    /// A mail is on its way to somebody who must follow. Durable before it is handed over.
    Mailed {
        /// To whom.
        person: String,
        /// What about.
        about: String,
        /// The question's number, as in the reply address.
        round: u32,
        /// The address.
        email: String,
        /// Its Message-ID.
        message_id: String,
        /// The SHA-256 of what it encloses.
        enclosed: String,
    },
    /// What has come of it.
    Delivered {
        /// Its Message-ID.
        message_id: String,
        /// How it stands.
        delivery: Delivery,
    },
    /// A mail of theirs was read.
    Answered {
        /// Whose.
        person: String,
        /// To which question.
        about: String,
        /// What recognises it.
        mail: String,
        /// The sender's address.
        from: String,
        /// What it says.
        #[serde(flatten)]
        heard: Heard,
        /// The mail of ours that it refers to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
        /// Why it is not taken for their own word as it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<Doubt>,
    },
    /// The operator goes back, on this road.
    TurnedBack {
        /// Why.
        reason: String,
        /// What is done on the way, in order.
        road: Vec<Move>,
    },
    /// Nothing was changed, and nothing will be: what was prepared is taken away, in this order.
    CancelBegun {
        /// A note.
        note: String,
        /// What is done on the way, in order.
        road: Vec<Move>,
    },
    /// An operator's note.
    Noted {
        /// The text.
        text: String,
    },
    /// The subject was taken from another process.
    TakenOver {
        /// From whom.
        from: Holder,
        /// Why.
        reason: String,
        /// It showed a sign of life still.
        forced: bool,
    },
    /// The end of the journal is lost, and it is gone on with from what was found outside.
    Recovered {
        /// What was lost, and how that is known.
        lost: Box<Lost>,
        /// Why the journal was not put back.
        reason: String,
        /// How far the case was found to be.
        found: Reached,
    },
    /// The end.
    Finished {
        /// How.
        end: End,
        /// A closing note.
        note: String,
    },
}

impl CoreRecord {
    /// Whether it may be written behind the end.
    pub fn may_follow_the_end(&self) -> bool {
        use CoreRecord::{Answered, Delivered, Mailed, Noted, Recovered, TakenOver};
        matches!(
            self,
            Noted { .. } | TakenOver { .. } | Recovered { .. } | Mailed { .. } | Delivered { .. } | Answered { .. }
        )
    }

    /// Whether something outside begins behind it, so that an ending program writes it no more.
    pub fn begins(&self) -> bool {
        matches!(
            self,
            CoreRecord::StepStarted { .. }
                | CoreRecord::Touching { .. }
                | CoreRecord::Begun { .. }
                | CoreRecord::Mailed { .. }
        )
    }

    /// Whether the report lists it among what went wrong.
    pub fn is_incident(&self) -> bool {
        matches!(
            self,
            CoreRecord::StepFailed { .. }
                | CoreRecord::Paused { .. }
                | CoreRecord::StepResolved { .. }
                | CoreRecord::SetAside { .. }
                | CoreRecord::TurnedBack { .. }
                | CoreRecord::TakenOver { .. }
                | CoreRecord::Recovered { .. }
        )
    }

    /// One line for a person.
    pub fn summary(&self) -> String {
        match self {
            CoreRecord::Opened { runbook, reference, .. } if reference.is_empty() => format!("{runbook}: opened"),
            CoreRecord::Opened { runbook, reference, .. } => format!("{runbook}: opened ({reference})"),
            CoreRecord::Begun { verb, .. } => format!("{verb} was begun"),
            CoreRecord::StepStarted { step } => format!("step {step} started"),
            CoreRecord::Touching { step } => format!("step {step} changes the subject from here on"),
            CoreRecord::Paused { reason, by } => format!("paused by {by}: {reason}"),
            CoreRecord::StepSucceeded { step, evidence } => format!("step {step} done: {evidence}"),
            CoreRecord::StepFailed { step, fault } => format!("step {step} FAILED: {fault}"),
            CoreRecord::StepResolved { step, done: true, reason } => format!("step {step} is done: {reason}"),
            CoreRecord::StepResolved { step, done: false, reason } => format!("step {step} is not done: {reason}"),
            CoreRecord::SetAside { fact, reason } => format!("{fact} is set aside: {reason}"),
            CoreRecord::Settled { person, about, reason } => format!("{person} is settled ({about}): {reason}"),
            CoreRecord::Mailed { person, about, email, enclosed, .. } => {
                let digest = &enclosed[..enclosed.len().min(12)];
                format!("{person} is mailed ({about}) at {email}, with {digest} enclosed")
            }
            CoreRecord::Delivered { message_id, delivery } => match delivery {
                Delivery::Sent { reply } | Delivery::Failed { reply, .. } | Delivery::Bounced { reply } => {
                    format!("the mail {message_id} is {}: {reply}", delivery.word())
                }
                Delivery::Uncertain { why } => format!("the mail {message_id} is uncertain: {why}"),
                Delivery::Queued => format!("the mail {message_id} is on its way"),
            },
            CoreRecord::Answered { person, about, from, heard, .. } => {
                let said = heard.evidence.first().map(|line| format!(" {line}")).unwrap_or_default();
                format!("{person} has answered ({about}) from {from}: {}{said}", heard.verdict)
            }
            CoreRecord::TurnedBack { reason, .. } => format!("turned back: {reason}"),
            CoreRecord::CancelBegun { note, .. } if note.is_empty() => "cancellation begun".into(),
            CoreRecord::CancelBegun { note, .. } => format!("cancellation begun: {note}"),
            CoreRecord::Noted { text } => format!("note: {text}"),
            CoreRecord::TakenOver { from, reason, forced } => {
                let living = if *forced { ", which showed signs of life" } else { "" };
                format!("taken over from {from}{living}: {reason}")
            }
            CoreRecord::Recovered { reason, found, .. } => {
                format!("gone on with, though the end of the journal is lost: {reason}; found: {}", found.evidence)
            }
            CoreRecord::Finished { end, note } if note.is_empty() => end.word().into(),
            CoreRecord::Finished { end, note } => format!("{}: {note}", end.word()),
        }
    }
}

/// What a record of a runbook's own must say of itself.
pub trait OwnRecord: Clone + fmt::Debug + PartialEq + Serialize + serde::de::DeserializeOwned + Send + Sync {
    /// Whether something outside begins behind it.
    fn begins(&self) -> bool;
    /// Whether the report lists it among what went wrong.
    fn is_incident(&self) -> bool {
        false
    }
    /// One line for a person.
    fn summary(&self) -> String;
}

/// A record of a case: a core one or the runbook's own. One namespace of tags, so a line says by itself which it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, bound = "O: OwnRecord")]
#[allow(clippy::large_enum_variant)] // one at a time, written at once
pub enum Body<O> {
    /// What every runbook writes.
    Core(CoreRecord),
    /// What only this one does.
    Own(O),
}

impl<O: OwnRecord> Body<O> {
    /// One line for a person.
    pub fn summary(&self) -> String {
        match self {
            Body::Core(record) => record.summary(),
            Body::Own(record) => record.summary(),
        }
    }

    /// Whether the report lists it among what went wrong.
    pub fn is_incident(&self) -> bool {
        match self {
            Body::Core(record) => record.is_incident(),
            Body::Own(record) => record.is_incident(),
        }
    }

    /// Whether something outside begins behind it.
    pub fn begins(&self) -> bool {
        match self {
            Body::Core(record) => record.begins(),
            Body::Own(record) => record.begins(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reply::{Means, Verdict};
    use crate::domain::token::Topic;

    #[test]
    fn what_is_mailed_answered_and_paused_is_read_as_it_was_written() {
        let text = || "x".to_owned();
        let heard = Heard {
            verdict: Verdict::Unclear("a question".into()),
            topic: Topic::Back,
            revision: 3,
            means: Means::Text,
            marks: vec!["m".into()],
            evidence: vec!["> when?".into()],
            said_at: Some(jiff::Timestamp::UNIX_EPOCH),
        };
        let doubt = Some(Doubt { foreign: None, unverified: Some("DMARC fail".into()), otherwise: Verdict::Confirmed });
        let (person, about) = ("mira".to_owned(), "certificates".to_owned());
        for record in [
            CoreRecord::Mailed {
                person: person.clone(),
                about: about.clone(),
                round: 1,
                email: "mira@x.example".into(),
                message_id: text(),
                enclosed: text(),
            },
            CoreRecord::Delivered {
                message_id: text(),
                delivery: Delivery::Failed { permanent: true, reply: "550".into() },
            },
            CoreRecord::Answered { person, about, mail: text(), from: text(), heard, notice: Some(text()), doubt },
            CoreRecord::Paused { reason: text(), by: text() },
        ] {
            let written = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<CoreRecord>(&written).unwrap(), record, "{written}");
            assert!(!record.summary().is_empty());
        }
    }
}
