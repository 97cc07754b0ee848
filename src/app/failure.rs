//! Why a command did not do what was asked: what happened, what is safe now, and what to press.

use crate::domain::fault::{Fault, Service};
use crate::engine::command::Refusal;

/// The end of a command that did not achieve its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Refused before anything was begun.
    pub refused: bool,
    /// What happened, a lower-case fragment.
    pub text: String,
    /// What is safe now.
    pub safe: String,
    /// What to press or do.
    pub advice: String,
}

impl Failure {
    /// A command that the engine refused: nothing was begun.
    pub fn refusal(refusal: &Refusal) -> Self {
        let advice = match refusal {
            Refusal::GateShut(_) => "press 5 to read the gate, n to tell, a to record answers, w to waive",
            Refusal::NotBack(_) => "press v to look again, b to record who said so, w to waive",
            Refusal::NotNow(_) => "press ? for what is possible now",
            Refusal::BadInput(_) => "correct the input and try again",
            Refusal::Held(_) => "watch here, or talk to them; T takes it over",
            Refusal::JournalLost(_) => {
                "put the journal back as it was last, or press J to recover: it looks at everything first"
            }
            Refusal::NeedsPerson(_) => "look yourself, then press d to decide the step, t for its troubleshooting",
        };
        let text = match refusal {
            // What is safe is said behind it.
            Refusal::JournalLost(lost) => lost.to_string(),
            other => other.to_string(),
        };
        Self { refused: true, text, safe: "nothing was begun".into(), advice: advice.into() }
    }

    /// A command that met a fault on its way.
    pub fn fault(fault: &Fault) -> Self {
        let safe = if fault.service == Service::Journal {
            "nothing else was begun; what the journal lacks is named where it is known"
        } else if fault.is_outcome_unknown() {
            "the last request may have been carried out; resume looks before it acts"
        } else {
            "what was done before is journaled; nothing else was begun"
        };
        let advice = format!(
            "{}; then press the same key again, or u where a step was begun; t for troubleshooting",
            fault.advice()
        );
        Self { refused: false, text: fault.to_string(), safe: safe.into(), advice }
    }

    /// An order at the desk of a subject that is no tenant; `refused`: nothing was begun.
    pub fn of_order(refused: bool, text: String, advice: &str) -> Self {
        Self { refused, text, safe: "nothing was begun".into(), advice: advice.into() }
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        format!("{}; {}; {}", self.text, self.safe, self.advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    #[test]
    fn a_timeout_says_that_it_may_still_be_carried_out() {
        let failure = Failure::fault(&Fault::new(Service::Barbican, FaultKind::TimedOut, "no answer in 20 s"));
        assert!(failure.safe.contains("may have been carried out"));
        assert!(failure.advice.contains("u where a step was begun"));
        assert!(!failure.refused);
    }

    #[test]
    fn a_refusal_says_that_nothing_was_begun() {
        let failure = Failure::refusal(&Refusal::NotBack(vec!["Ada".into()]));
        assert!(failure.line().contains("Ada") && failure.line().contains("nothing was begun"));
    }
}
