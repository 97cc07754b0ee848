//! A written procedure as data: its steps, which of them one word of the operator sets going, and what each touches.
//!
//! What a step does stands in its runbook's `steps/`; whether it may be done now is `machine`'s to say.

use crate::domain::step::StepNumber;

/// A procedure.
#[derive(Debug)]
pub struct Spec {
    /// Its name, as in the journal: `fernet`.
    pub name: &'static str,
    /// What it is about, as in `kind/name`: `keystone`.
    pub noun: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Whether a step of it has places where it can stop until somebody goes on.
    pub pauses: bool,
    /// Its steps, in order.
    pub steps: &'static [StepSpec],
    /// What an operator sets going with one word, in the order of the steps.
    pub stretches: &'static [Stretch],
}

/// A numbered step.
#[derive(Debug, PartialEq, Eq)]
pub struct StepSpec {
    /// Its number in the source document.
    pub number: StepNumber,
    /// Its heading.
    pub title: &'static str,
    /// Whether it changes what the subject lives on.
    pub touches: Touch,
    /// Whether it may go on without a person once it was interrupted.
    pub alone: Alone,
    /// How it is taken back, in words for the operator. A step without one says so; there is no default.
    pub undo: Option<&'static str>,
}

/// Whether a step changes what the subject lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It looks, or prepares beside.
    No,
    /// It does, and a way back leads out of it.
    Yes,
    /// It does, and there is no way back behind it.
    NoReturn,
}

/// Whether an interrupted or failed step may be gone on with by `watch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// It may.
    Resume,
    /// A person says so.
    Person,
}

/// The steps that one verb sets going, and that run through without asking again.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The verb.
    pub verb: &'static str,
    /// Its key on the screen.
    pub key: char,
    /// Its first step.
    pub from: StepNumber,
    /// Its last step.
    pub to: StepNumber,
    /// What the operator types.
    pub confirm: Confirm,
    /// What follows its last step.
    pub then: Then,
}

/// What an operator types before a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Nothing: it only looks.
    Nothing,
    /// The subject's name.
    Name,
}

/// What follows the last step of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next stretch waits for its word.
    Pause,
    /// The case is closed.
    Finish,
}

impl Spec {
    /// One step, if the procedure has it.
    pub fn step(&self, number: StepNumber) -> Option<&'static StepSpec> {
        self.steps.iter().find(|step| step.number == number)
    }

    /// The stretch of a verb.
    pub fn stretch(&self, verb: &str) -> Option<&'static Stretch> {
        self.stretches.iter().find(|stretch| stretch.verb == verb)
    }

    /// The stretch that a step belongs to.
    pub fn stretch_of(&self, number: StepNumber) -> Option<&'static Stretch> {
        self.stretches.iter().find(|stretch| stretch.has(number))
    }

    /// Whether a step is of a stretch before which nothing is typed, for it only looks.
    pub fn only_looks(&self, number: StepNumber) -> bool {
        self.stretch_of(number).is_some_and(|stretch| stretch.confirm == Confirm::Nothing)
    }

    /// What is wrong with it as data: a step in no stretch or in two, stretches that leave a gap, a confirmation that a change
    /// lacks, a step behind the point of no return that promises a way back.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for pair in self.steps.windows(2) {
            if pair[0].number >= pair[1].number {
                faults.push(format!("step {} does not come before step {}", pair[0].number, pair[1].number));
            }
        }
        for step in self.steps {
            let stretches = self.stretches.iter().filter(|stretch| stretch.has(step.number)).count();
            if stretches != 1 {
                faults.push(format!("step {} is part of {stretches} stretches", step.number));
            }
            if step.touches == Touch::NoReturn && step.undo.is_some() {
                faults.push(format!("step {} has no way back behind it, and says how it is taken back", step.number));
            }
            let typed = self.stretch_of(step.number).is_some_and(|stretch| stretch.confirm == Confirm::Name);
            if step.touches != Touch::No && !typed {
                faults.push(format!("step {} changes something, and nothing is typed before it", step.number));
            }
        }
        let others = super::offer::KEYS.iter().copied();
        let keys: Vec<(&str, char)> =
            self.stretches.iter().map(|stretch| (stretch.verb, stretch.key)).chain(others).collect();
        for (at, (verb, key)) in keys.iter().enumerate() {
            if let Some((other, _)) = keys[..at].iter().find(|(_, other)| other == key) {
                faults.push(format!("{key} means {other} and {verb}"));
            }
        }
        for pair in self.stretches.windows(2) {
            if pair[0].then == Then::Finish || pair[0].to >= pair[1].from {
                faults.push(format!("{} can't be followed by {}", pair[0].verb, pair[1].verb));
            }
        }
        if self.stretches.last().is_none_or(|stretch| stretch.then != Then::Finish) {
            faults.push("it has no end".into());
        }
        faults
    }
}

impl Stretch {
    /// Whether a step is part of it.
    pub fn has(&self, number: StepNumber) -> bool {
        (self.from..=self.to).contains(&number)
    }
}

/// One move of a leg of a case: forward a step is performed, on the way back it is performed again or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "move", content = "step")]
pub enum Move {
    /// The step is performed.
    Perform(StepNumber),
    /// The step is taken back.
    Undo(StepNumber),
}

impl Move {
    /// Which step.
    pub fn step(self) -> StepNumber {
        match self {
            Move::Perform(step) | Move::Undo(step) => step,
        }
    }
}
