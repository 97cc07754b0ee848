//! The numbered steps of a runbook, their states, and which change of state is legal.

use crate::domain::fault::Fault;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A step of the runbook, numbered as in the source document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct StepNumber(u8);

impl StepNumber {
    /// 1: contact all clients.
    pub const ANNOUNCE: StepNumber = StepNumber(1);
    /// 2: verify that Barbican is available, and everything else that must hold before.
    pub const CHECK: StepNumber = StepNumber(2);
    /// 3: a key pair, staged in Barbican.
    pub const STAGE: StepNumber = StepNumber(3);
    /// 4: update the Barbican secret.
    pub const SECRET: StepNumber = StepNumber(4);
    /// 5: update the server public key in Swift.
    pub const OBJECT: StepNumber = StepNumber(5);
    /// 6: wait for the server to apply it.
    pub const RECONCILE: StepNumber = StepNumber(6);
    /// 7: tell clients to reconfigure.
    pub const RECONFIGURE: StepNumber = StepNumber(7);
    /// 8: verify connectivity, then destroy the kept keys.
    pub const VERIFY: StepNumber = StepNumber(8);
    /// All of them in order.
    pub const ALL: [StepNumber; 8] = [
        Self::ANNOUNCE,
        Self::CHECK,
        Self::STAGE,
        Self::SECRET,
        Self::OBJECT,
        Self::RECONCILE,
        Self::RECONFIGURE,
        Self::VERIFY,
    ];

    /// 1 to 8.
    pub fn get(self) -> u8 {
        self.0
    }

    /// 0 to 7.
    pub fn index(self) -> usize {
        usize::from(self.0) - 1
    }

    /// The step after this one.
    pub fn next(self) -> Option<StepNumber> {
        (self.0 < 8).then(|| StepNumber(self.0 + 1))
    }
}

impl TryFrom<u8> for StepNumber {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        if (1..=8).contains(&number) { Ok(Self(number)) } else { Err(format!("{number} is not a step: 1 to 8 are")) }
    }
}

impl From<StepNumber> for u8 {
    fn from(step: StepNumber) -> u8 {
        step.0
    }
}

impl fmt::Display for StepNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How a step stands, as the journal tells it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum StepState {
    /// Not begun.
    #[default]
    Waiting,
    /// Running here, now, under this lease.
    Running {
        /// Since when, UTC.
        since: Timestamp,
    },
    /// Begun, but not running here now: only a probe leads out.
    Interrupted {
        /// When it had begun, UTC.
        since: Timestamp,
    },
    /// Done, with one line of evidence.
    Done {
        /// When it ended, UTC.
        at: Timestamp,
        /// What proves it.
        evidence: String,
    },
    /// Failed; may be tried again.
    Failed {
        /// When it ended, UTC.
        at: Timestamp,
        /// Why.
        fault: Fault,
    },
}

impl StepState {
    /// The word on the screen and in `--json`.
    pub fn word(&self) -> &'static str {
        match self {
            StepState::Waiting => "waiting",
            StepState::Running { .. } => "running",
            StepState::Interrupted { .. } => "interrupted",
            StepState::Done { .. } => "done",
            StepState::Failed { .. } => "FAILED",
        }
    }

    /// Whether the step has ended well.
    pub fn is_done(&self) -> bool {
        matches!(self, StepState::Done { .. })
    }

    /// Whether `to` may follow. The journal refuses everything else.
    pub fn may_become(&self, to: &StepState) -> bool {
        use StepState::{Done, Failed, Interrupted, Running, Waiting};
        matches!(
            (self, to),
            (Waiting | Failed { .. } | Interrupted { .. } | Done { .. }, Running { .. })
                | (Running { .. }, Done { .. } | Failed { .. } | Interrupted { .. })
                | (Interrupted { .. }, Done { .. } | Failed { .. } | Waiting)
                | (Waiting | Failed { .. }, Done { .. })
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_step_can_not_be_started_twice() {
        let since = Timestamp::UNIX_EPOCH;
        let running = StepState::Running { since };
        assert!(!running.may_become(&StepState::Running { since }));
        assert!(StepState::Waiting.may_become(&running));
        assert!(StepState::Interrupted { since }.may_become(&running));
    }

    #[test]
    fn there_are_eight_steps() {
        assert!(StepNumber::try_from(0).is_err());
        assert!(StepNumber::try_from(9).is_err());
        assert_eq!(StepNumber::VERIFY.next(), None);
        assert_eq!(StepNumber::ANNOUNCE.next(), Some(StepNumber::CHECK));
    }
}
