//! What an operator can ask of a tenant's rotation, from the screen and from the command line alike.

use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::client::ClientId;
use crate::domain::gate::Reason;
use crate::domain::notice::NoticeKind;
use crate::domain::sanitize::sanitize;
use crate::domain::step::StepNumber;
use crate::domain::window::Window;
use crate::engine::hearing::Withdrawal;
use crate::engine::journal::Holder;
use crate::engine::mailbox::{Decision, Matched};
use crate::engine::record::{Cause, RefusedAct};
use crate::engine::witness::Lost;
use jiff::Timestamp;

/// One act of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Plan a rotation. The window's revision is 1.
    Plan {
        /// The window.
        window: Window,
        /// Why.
        cause: Cause,
        /// Ticket or incident.
        reference: String,
    },
    /// Change the window; the machine sets the revision.
    Reschedule {
        /// The window.
        window: Window,
    },
    /// Send mails of a kind. Nobody gets a second one of a kind and revision unless named in `again`.
    Notify {
        /// Which kind.
        kind: NoticeKind,
        /// Only these clients; `None` is everybody who has not got it yet.
        only: Option<Vec<ClientId>>,
        /// Send to those named in `only` even if it may be a second mail.
        again: bool,
    },
    /// Say what became of an uncertain mail.
    ResolveNotice {
        /// Which mail.
        message_id: String,
        /// Whether it arrived.
        arrived: bool,
        /// How the operator knows.
        reason: String,
    },
    /// Record an answer to the window in force.
    Answer {
        /// Whose.
        client: ClientId,
        /// What.
        answer: Answer,
        /// How it reached us.
        channel: Channel,
        /// A note.
        note: String,
    },
    /// Except a client.
    Waive {
        /// Whom.
        client: ClientId,
        /// Why; must not be empty.
        reason: String,
    },
    /// Run step 2 alone.
    Check,
    /// Run one check of step 2 anew, by its name.
    Recheck {
        /// Its name.
        check: String,
    },
    /// Steps 2 to 6, if the gate is open after a fresh check.
    Rotate {
        /// The tenant's name, as typed.
        confirm: String,
        /// The tenant's name once more, where the operator's own connection runs through its tunnel; else empty.
        through_tunnel: String,
    },
    /// Go on with what was interrupted or failed: probe, then perform what is left, up to step 6. After the end: put right what
    /// others have changed since.
    Resume,
    /// Decide an interrupted step that the probe could not.
    ResolveStep {
        /// Which.
        step: StepNumber,
        /// Whether it is done.
        done: bool,
        /// How the operator knows; must not be empty.
        reason: String,
    },
    /// Go back: to the previous key, or to a fresh one. Runs steps 3 to 6 of the way back.
    RollBack {
        /// The tenant's name, as typed.
        confirm: String,
        /// Why; must not be empty.
        reason: String,
        /// As with rotate.
        through_tunnel: String,
    },
    /// Look who is back and record it. Changes nothing outside.
    Verify,
    /// Record that a client is back because they said so.
    Back {
        /// Who.
        client: ClientId,
        /// What they said.
        note: String,
    },
    /// Record a client's ping of the gateway.
    GatewayPing {
        /// Whose.
        client: ClientId,
        /// Whether it was answered.
        answered: bool,
        /// A note.
        note: String,
    },
    /// Step 8's end: everybody back or waived; destroy the kept keys; close.
    Finish {
        /// A closing note.
        note: String,
        /// Why it is closed although step 7 was never done, nobody has reconfigured, or the agent's log tells nothing; empty
        /// where nothing is missing.
        despite: String,
    },
    /// End a rotation that has not touched the server: tell everybody who was told, destroy the kept keys, close.
    Cancel {
        /// The tenant's name, as typed.
        confirm: String,
        /// Why; must not be empty.
        reason: String,
    },
    /// Add a note to the journal.
    Note {
        /// The text.
        text: String,
    },
    /// Approve the plan as a second operator.
    Approve {
        /// The digest of the plan that was read, or its first 8 digits or more.
        digest: String,
        /// A note.
        note: String,
    },
    /// Suspected compromise: plan if need be, tell everybody, and rotate without waiting for answers or approval.
    Emergency {
        /// The tenant's name, as typed.
        confirm: String,
        /// Why; must not be empty.
        reason: String,
        /// As with rotate.
        through_tunnel: String,
    },
    /// Close the review of an emergency, as a second operator.
    CloseReview {
        /// What was found; must not be empty.
        note: String,
    },
    /// Take the tenant from a process that holds it, although it shows signs of life.
    TakeOver {
        /// The tenant's name, as typed.
        confirm: String,
        /// Why; must not be empty.
        reason: String,
    },
    /// Go on although the end of the journal is lost: look at everything, and record what is found.
    Recover {
        /// The tenant's name, as typed.
        confirm: String,
        /// Why; must not be empty.
        reason: String,
    },
    /// Leave the rotation to the next operator.
    HandOver {
        /// To whom; empty: to whoever comes.
        to: String,
        /// What they must know; must not be empty.
        note: String,
    },
    /// Accept what was handed over.
    AcceptHandOver,
    /// Take in mails that clients have sent. Each counts once, however often it comes.
    TakeMails {
        /// The mails.
        mails: Vec<Matched>,
    },
    /// Say what a mail means that the program could not judge.
    DecideMail {
        /// Which: its digest or the first digits of it.
        mail: String,
        /// What it means.
        decision: Decision,
        /// A note.
        note: String,
    },
    /// End the silence of the expected alert that a rotation has left open.
    EndSilence,
    /// Write what a look has seen others change behind the end of a rotation, or that all is as it was left again.
    SeenSince {
        /// A fragment.
        text: String,
    },
    /// Set something aside that keeps the gate shut, for this rotation: a failing check, or that nobody is known to ask.
    SetAside {
        /// The check's name, or [`NOBODY`].
        what: String,
        /// Why; must not be empty.
        reason: String,
    },
    /// Accept the address that a mail came from: for this mail, or as that client's from now on.
    AcceptSender {
        /// Which mail: its digest or the first digits of it.
        mail: String,
        /// From now on, not only for this mail.
        alias: bool,
        /// A note.
        note: String,
    },
    /// Accept that the subject's clients have another domain.
    AcceptDomain {
        /// The domain that was written to.
        from: String,
        /// The domain that answers.
        to: String,
        /// A note.
        note: String,
    },
    /// Take back what an operator has recorded, while nothing was touched. Both records stay.
    TakeBack {
        /// What.
        what: Withdrawal,
        /// Why; must not be empty.
        reason: String,
    },
    /// Let waivers of an earlier window count for the present one.
    KeepWaiver {
        /// Whose; `None` is all of them.
        only: Option<Vec<ClientId>>,
    },
    /// Approve the plan by a signature that was made elsewhere.
    ApproveSigned {
        /// As with approve.
        digest: String,
        /// A note.
        note: String,
        /// The signature, armored (SSHSIG).
        signature: String,
        /// Until when it says that it counts, UTC.
        expires: Timestamp,
    },
}

/// What [`Command::SetAside`] calls the reason that no client is known.
pub const NOBODY: &str = "nobody-to-ask";

impl Command {
    /// What it writes is an operator's own word, which must be known to be theirs wherever operators sign.
    pub fn is_a_word(&self) -> bool {
        matches!(
            self,
            Command::Plan { .. }
                | Command::Reschedule { .. }
                | Command::Answer { .. }
                | Command::Waive { .. }
                | Command::SetAside { .. }
                | Command::AcceptSender { .. }
                | Command::AcceptDomain { .. }
                | Command::TakeBack { .. }
                | Command::KeepWaiver { .. }
                | Command::DecideMail { .. }
        )
    }

    /// It may send mails, or change what the subject lives on, of a case that was not touched.
    pub fn reaches_out(&self) -> bool {
        matches!(
            self,
            Command::Notify { .. }
                | Command::Rotate { .. }
                | Command::Resume
                | Command::Emergency { .. }
                | Command::Cancel { .. }
                | Command::Recover { .. }
        )
    }

    /// Whether it is written that it was refused: not for looks, and not for what `watch` does by itself, again and again.
    pub fn is_told_when_refused(&self) -> bool {
        !matches!(
            self,
            Command::Check
                | Command::Verify
                | Command::Resume
                | Command::Notify { .. }
                | Command::TakeMails { .. }
                | Command::EndSilence
                | Command::SeenSince { .. }
        )
    }

    /// What is written of it where it was refused for this.
    pub fn refused(&self, why: String) -> RefusedAct {
        let reason = match self {
            Command::RollBack { reason, .. }
            | Command::Cancel { reason, .. }
            | Command::Emergency { reason, .. }
            | Command::TakeOver { reason, .. }
            | Command::Recover { reason, .. }
            | Command::ResolveStep { reason, .. }
            | Command::ResolveNotice { reason, .. }
            | Command::Waive { reason, .. }
            | Command::SetAside { reason, .. }
            | Command::TakeBack { reason, .. } => sanitize(reason),
            _ => String::new(),
        };
        RefusedAct { act: self.word().to_owned(), why, reason }
    }

    /// Its word: the subcommand that does the same.
    pub fn word(&self) -> &'static str {
        match self {
            Command::Plan { .. } | Command::Reschedule { .. } => "plan",
            Command::Notify { .. } => "notify",
            Command::ResolveNotice { .. } | Command::ResolveStep { .. } => "resolve",
            Command::Answer { .. } => "ack",
            Command::Waive { .. } | Command::KeepWaiver { .. } => "waive",
            Command::Check | Command::Recheck { .. } => "check",
            Command::Rotate { .. } => "rotate",
            Command::Resume => "resume",
            Command::RollBack { .. } => "rollback",
            Command::Verify | Command::Back { .. } | Command::GatewayPing { .. } => "verify",
            Command::Finish { .. } => "finish",
            Command::Cancel { .. } => "cancel",
            Command::Note { .. } => "note",
            Command::Approve { .. } | Command::ApproveSigned { .. } => "approve",
            Command::Emergency { .. } => "emergency",
            Command::CloseReview { .. } => "review",
            Command::TakeOver { .. } => "takeover",
            Command::Recover { .. } => "recover",
            Command::HandOver { .. } => "handover",
            Command::AcceptHandOver => "accept",
            Command::EndSilence => "silence",
            Command::SeenSince { .. } => "look",
            Command::SetAside { .. } => "set-aside",
            Command::TakeMails { .. }
            | Command::DecideMail { .. }
            | Command::AcceptSender { .. }
            | Command::AcceptDomain { .. } => "mail",
            Command::TakeBack { what, .. } => match what {
                Withdrawal::Answer { .. } => "ack",
                Withdrawal::Waiver { .. } => "waive",
                _ => "mail",
            },
        }
    }
}

/// Why a command was not carried out. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The gate is shut (exit code 3).
    #[error("the gate is shut: {}", .0.iter().map(Reason::in_full).collect::<Vec<_>>().join("; "))]
    GateShut(Vec<Reason>),
    /// Not everybody is back or waived (exit code 3). Names.
    #[error("not back and not waived: {}", .0.join(", "))]
    NotBack(Vec<String>),
    /// Not in this state; says what would be right (exit code 1).
    #[error("{0}")]
    NotNow(String),
    /// The input is wrong; says how (exit code 2).
    #[error("{0}")]
    BadInput(String),
    /// Somebody else holds the tenant (exit code 4).
    #[error("held by {0}")]
    Held(Box<Holder>),
    /// Only a person can decide this (exit code 5).
    #[error("{0}")]
    NeedsPerson(String),
    /// The end of the tenant's journal is lost: only a person can go on from what is left of it (exit code 5).
    #[error("{0}; nothing was begun")]
    JournalLost(Box<Lost>),
}
