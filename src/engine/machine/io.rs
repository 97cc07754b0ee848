//! What goes into the machine and what comes out of it, in its order.

use crate::domain::client::ClientId;
use crate::domain::fault::Fault;
use crate::domain::key::PublicKey;
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::engine::command::{Command, Refusal};
use crate::engine::ports::SecretRef;
use crate::engine::record::{Entry, RotationId};
use crate::engine::step::Probe;

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// An operator asks for something. `new_id` is used only by a plan.
    Command {
        /// What.
        command: Command,
        /// The id of the rotation that a plan would begin.
        new_id: RotationId,
    },
    /// A step that was to be performed has ended.
    StepEnded {
        /// Which.
        step: StepNumber,
        /// Its evidence or its fault.
        result: Result<String, Fault>,
    },
    /// A step that was to be probed was.
    Probed {
        /// Which.
        step: StepNumber,
        /// What was found.
        probe: Probe,
    },
    /// The mails of [`Output::Send`] are out (or not).
    Sent {
        /// Evidence or fault.
        result: Result<String, Fault>,
    },
    /// What [`Output::LookBack`] asked for was seen.
    LookedBack {
        /// What.
        sight: BackSight,
    },
    /// What [`Output::HearAgent`] asked for was heard.
    AgentHeard {
        /// Why it is not known whether the agent is well, where it is not.
        doubt: Option<String>,
    },
    /// What [`Output::Undo`] asked for has ended.
    Undone {
        /// Which step.
        step: StepNumber,
        /// Evidence or fault.
        result: Result<String, Fault>,
    },
}

/// What a way back would meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackSight {
    /// Whether the previous key is still kept under its own name; `None`: it can't be seen now.
    pub is_kept: Option<bool>,
    /// Where it is, if it is.
    pub found: Option<SecretRef>,
    /// The keys that stand under its name and are none of ours.
    pub instead: Vec<PublicKey>,
    /// Who is probably back, by their last handshake.
    pub probable: Vec<ClientId>,
}

/// What goes out, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Make this durable first.
    Append(Box<Entry>),
    /// Perform a step, then say [`Input::StepEnded`].
    Perform(StepNumber),
    /// Probe a step, then say [`Input::Probed`].
    Probe(StepNumber),
    /// Take a step back, then say [`Input::Undone`].
    Undo(StepNumber),
    /// Send mails, then say [`Input::Sent`].
    Send(SendOrder),
    /// Look who is back and record it.
    Verify,
    /// Look what a way back would meet, then say [`Input::LookedBack`].
    LookBack,
    /// Hear what the agent says of itself before the end, then say [`Input::AgentHeard`].
    HearAgent,
    /// Put right what somebody has changed since the rotation has ended.
    PutRight,
    /// End the silence of the expected alert and record it.
    EndSilence,
    /// Run this check of step 2 anew and record it in the run that stands.
    Recheck(String),
    /// Nothing more to do: what was achieved, for the operator.
    Done(String),
    /// What was begun ended badly.
    Failed(Fault),
    /// What was begun may not go on.
    Refused(Refusal),
}

/// Which mails to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendOrder {
    /// Which kind.
    pub kind: NoticeKind,
    /// Only these clients.
    pub only: Option<Vec<ClientId>>,
    /// Even if it may be a second one.
    pub again: bool,
}

/// What the run that is going on is for. Not journaled: after a crash the operator says resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// A single step.
    Single,
    /// Check, judge the gate, then steps 3 to 6.
    Rotate,
    /// Steps up to 6 without asking the gate again.
    GoOn,
    /// Tell everybody, then as rotate, then tell everybody to reconfigure; mails that fail stop nothing.
    Emergency,
    /// Steps up to 6 of an emergency, then step 7.
    EmergencyGoOn,
    /// Closing after step 8.
    Finish,
}
