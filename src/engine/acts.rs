//! The words of operators that bear on the gate: who planned, who typed an answer, who excepted whom.
//!
//! Four eyes rest on them: an approval covers each of them, and nobody approves a plan that holds a word of their own.

use crate::engine::record::{Entry, Record};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Who wrote a record, as far as it can be known from the journal alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// By their login: what they can't set themselves, where it was proven.
    pub person: String,
    /// The signed session in which they wrote; none where nobody had to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Who had signed that session, where somebody else's journal tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The login could have been made up where it was written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
}

impl Author {
    /// Who wrote this entry.
    pub fn of(entry: &Entry) -> Self {
        let (person, session) = (entry.person().to_owned(), entry.session.clone());
        Self { person, session, signer: None, unproven: entry.unproven }
    }
}

/// One word of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Word {
    /// The record's number.
    pub seq: u64,
    /// When, UTC.
    pub at: Timestamp,
    /// Whose.
    pub author: Author,
    /// What was said.
    pub record: Record,
}

/// Who confirmed rotate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotator {
    /// Who, by the journal.
    pub author: Author,
    /// Their signature over the plan that was approved.
    pub signature: Option<String>,
    /// The digest that was approved then.
    pub digest: Option<String>,
}

impl Record {
    /// Whether it is an operator's word that bears on the gate, so that an approval covers it. Each kind of record says so.
    pub fn is_a_word(&self) -> bool {
        match self {
            Record::Answered { .. }
            | Record::Waived { .. }
            | Record::MailDecided { .. }
            | Record::CheckSetAside { .. }
            | Record::NobodyWaived { .. }
            | Record::SenderAccepted { .. }
            | Record::DomainAccepted { .. }
            | Record::TakenBack { .. }
            | Record::WaiverKept { .. } => true,
            // The plan itself is covered by what it holds.
            Record::Planned { .. } | Record::Rescheduled { .. } => false,
            Record::PeopleSeen { .. }
            | Record::NoticeQueued { .. }
            | Record::NoticeDelivery { .. }
            | Record::NoticeResolved { .. }
            | Record::Checked { .. }
            | Record::RotateConfirmed { .. }
            | Record::StepStarted { .. }
            | Record::StepSucceeded { .. }
            | Record::StepFailed { .. }
            | Record::StepResolved { .. }
            | Record::KeyKeeping { .. }
            | Record::KeyKept { .. }
            | Record::PreviousMissing { .. }
            | Record::ShapeSeen { .. }
            | Record::Swapped(_)
            | Record::ObjectChanged { .. }
            | Record::Applied(_)
            | Record::Silenced { .. }
            | Record::SilenceEnded { .. }
            | Record::MailRead { .. }
            | Record::ClientBack { .. }
            | Record::GatewayPing { .. }
            | Record::RollbackStarted { .. }
            | Record::KeyDestroyed { .. }
            | Record::Finished { .. }
            | Record::Noted { .. }
            | Record::Approved { .. }
            | Record::EmergencyDeclared { .. }
            | Record::ReviewClosed { .. }
            | Record::TakenOver { .. }
            | Record::HandedOver { .. }
            | Record::HandOverAccepted
            | Record::LeaseLost { .. }
            | Record::PersonErased { .. }
            | Record::Touching { .. }
            | Record::NotTouched { .. }
            | Record::SecretLeft { .. }
            | Record::CalledUnasked { .. }
            | Record::Case(_)
            | Record::ForeignKept { .. }
            | Record::ForeignSeen { .. }
            | Record::Refused(_)
            | Record::KeyGone { .. }
            | Record::SessionSigned { .. }
            | Record::Recovered { .. } => false,
        }
    }
}

/// Whose word a part of the plan is.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Whose.
    pub author: &'a Author,
    /// What they did, for a sentence that begins with their name.
    pub what: &'static str,
    /// It was not overtaken by a later word about the same.
    pub is_in_force: bool,
}

/// What a word is about: a later one about the same overtakes it.
fn about(record: &Record) -> Option<(&'static str, &str)> {
    match record {
        Record::Answered { client, .. } => Some(("answer", &client.0)),
        Record::Waived { client, .. } => Some(("waiver", &client.0)),
        // By the mail: that another one of the person was decided takes back nothing.
        Record::MailDecided { mail, .. } => Some(("mail", mail)),
        Record::CheckSetAside { check, .. } => Some(("check", check)),
        Record::NobodyWaived { .. } => Some(("nobody", "")),
        _ => None,
    }
}

/// Another window makes these void.
fn ends_with_the_window(record: &Record) -> bool {
    matches!(
        record,
        Record::Answered { .. }
            | Record::Waived { .. }
            | Record::MailDecided { .. }
            | Record::NobodyWaived { .. }
            | Record::TakenBack { .. }
            | Record::WaiverKept { .. }
    )
}

impl Rotation {
    /// Everybody whose word the plan rests on: who made it or changed its window, and who typed what bears on the gate.
    pub fn authors(&self) -> impl Iterator<Item = Part<'_>> {
        let last = self.planners.len().saturating_sub(1);
        let planners = self.planners.iter().enumerate().map(move |(at, author)| Part {
            author,
            what: "made this plan",
            is_in_force: at == last,
        });
        let (mut seen, mut taken_back) = (BTreeSet::new(), false);
        let typed: Vec<Part<'_>> = self
            .words
            .iter()
            .rev()
            .map(|word| {
                let first = about(&word.record).is_none_or(|about| seen.insert(about));
                // What was overtaken by a word that was taken back counts again.
                let is_overtaken = !first && !taken_back;
                taken_back |= matches!(word.record, Record::TakenBack { .. });
                let is_of_before = word.seq < self.window_seq && ends_with_the_window(&word.record);
                let is_in_force = !is_overtaken && !is_of_before;
                Part { author: &word.author, what: "typed an answer of it", is_in_force }
            })
            .collect();
        planners.chain(typed)
    }

    /// Who confirms rotate. Whoever goes on with it later (`watch` does) has neither signed nor decided anything.
    pub(super) fn confirm_rotate(&mut self, author: Author, signature: Option<String>) {
        let digest = self.approval.as_ref().map(|approval| approval.digest.clone());
        let stays = self.rotator.as_ref().is_some_and(|before| {
            let is_weaker =
                signature.is_none() && (before.signature.is_some() || author.unproven && !before.author.unproven);
            is_weaker && before.digest == digest
        });
        if !stays {
            self.rotator = Some(Rotator { author, signature, digest });
        }
    }

    /// Takes in whose word an entry is.
    pub(super) fn note_author(&mut self, entry: &Entry) {
        if matches!(entry.record, Record::Rescheduled { .. }) {
            self.planners.push(Author::of(entry));
            self.rotator = None;
            self.window_seq = entry.seq;
        }
        if entry.record.is_a_word() {
            let (seq, at, author, record) = (entry.seq, entry.at, Author::of(entry), entry.record.clone());
            self.words.push(Word { seq, at, author, record });
        }
    }
}
