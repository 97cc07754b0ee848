//! What a step of a runbook is: it can look whether it is done, do it, and take it back; and it explains its troubles.

use crate::domain::fault::Fault;
use crate::domain::step::StepNumber;
use crate::engine::ports::World;
use crate::engine::record::Record;
use crate::engine::rotation::Rotation;
use async_trait::async_trait;
use serde::Serialize;
use std::sync::Arc;

/// What a probe found. It never changes anything outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The step's end state holds, with the evidence.
    Done(String),
    /// It does not hold; performing is safe.
    NotDone(String),
    /// It can't be told; the operator decides, with a reason.
    Unclear(Fault),
}

/// How far a step has come, for a progress bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which step.
    pub step: StepNumber,
    /// How many are done.
    pub done: u64,
    /// Of how many; 0 where that is not known.
    pub total: u64,
    /// What is going on.
    pub text: String,
}

/// A symptom and its remedy, from the runbook or from what the real services were seen to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What the operator sees.
    pub symptom: &'static str,
    /// What it means and what to do.
    pub remedy: &'static str,
}

/// The journal as a step sees it.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The rotation as it stands now.
    fn rotation(&self) -> Arc<Rotation>;
    /// Appends one record; it is durable when this returns. After a fault the step must stop.
    async fn record(&self, record: Record) -> Result<(), Fault>;
    /// Appends several, one behind the other and durable together; says of each whether it is durable.
    async fn record_all(&self, records: Vec<Record>) -> Vec<Result<(), Fault>>;
    /// Returns once this run is asked to end: what was not begun outside is not begun any more. Gives what the step then ends with.
    async fn ending(&self) -> Fault;
    /// The gate is judged once more, at this moment; where it is open (or the key is being changed already) the journal says
    /// that the key is being changed from here on. Errs, and nothing may be changed, where it is not.
    async fn touch(&self, step: StepNumber) -> Result<(), Fault>;
    /// Tells how far it is; not journaled.
    fn progress(&self, progress: Progress);
}

/// What a step works with.
pub struct StepContext<'a> {
    /// The world.
    pub world: &'a World,
    /// The journal.
    pub ledger: &'a dyn Ledger,
}

impl StepContext<'_> {
    /// The rotation as it stands now.
    pub fn rotation(&self) -> Arc<Rotation> {
        self.ledger.rotation()
    }
}

/// A numbered step of a runbook.
#[async_trait]
pub trait Step: Send + Sync {
    /// Its number in the source document.
    fn number(&self) -> StepNumber;
    /// Its heading.
    fn title(&self) -> &'static str;
    /// What is known to go wrong in it.
    fn troubles(&self) -> &'static [Trouble];
    /// How it is taken back, in words for the operator.
    fn undo_text(&self) -> &'static str;
    /// Looks whether its end state holds, for the target key of the present leg.
    async fn probe(&self, context: &StepContext<'_>) -> Probe;
    /// Brings its end state about from whatever state the world is in; gives the evidence.
    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault>;
    /// Takes it back. After a rollback began, the target is the key to go back to, so for most steps this is `perform`.
    async fn undo(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        self.perform(context).await
    }
}

/// A written procedure.
pub struct Runbook {
    /// Its name, as in `--runbook` and in the journal.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its steps, in order.
    pub steps: [Box<dyn Step>; 8],
}

impl Runbook {
    /// One step.
    pub fn step(&self, number: StepNumber) -> &dyn Step {
        self.steps[number.index()].as_ref()
    }
}
