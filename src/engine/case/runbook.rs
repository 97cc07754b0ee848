//! What a runbook declares of itself, and a case of it: the core that all have, and what only this one knows.

use super::core::{Core, Stamp};
use super::gate::Fact;
use super::letter::{Enclosure, Paper, Question};
use super::record::{Body, CaseId, End, OwnRecord, Reached};
use super::spec::{Move, Spec};
use super::view::Panel;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::domain::step::StepNumber;
use crate::engine::step::{Probe, Progress, Trouble};
use crate::engine::witness::CaseSeen;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

/// A written procedure of one kind of subject.
#[async_trait]
pub trait Runbook: Sized + Send + Sync + 'static {
    /// Its own records.
    type Record: OwnRecord;
    /// What they fold to.
    type State: Default + Clone + Debug + Send + Sync;
    /// The ports and settings that it works with.
    type World: Send + Sync;
    /// What was last seen of the subject.
    type Sights: Default + Clone + Send + Sync;

    /// The procedure as data.
    fn spec() -> &'static Spec;
    /// Its steps, in the order of the procedure.
    fn steps() -> Vec<Box<dyn Step<Self>>>;
    /// Whether an own record may follow; why not.
    fn check(case: &Case<Self>, record: &Self::Record) -> Result<(), String>;
    /// Folds an own record that may follow.
    fn apply(state: &mut Self::State, core: &Core, at: Stamp<'_>, record: &Self::Record);
    /// What shuts the gate before a stretch at this moment, by the journal and the last look.
    fn facts(
        world: &Self::World,
        stretch: &str,
        case: Option<&Case<Self>>,
        sights: &Self::Sights,
        now: Timestamp,
    ) -> Vec<Fact>;
    /// Who must follow now, each with what they are asked, in order. None but where a runbook says so.
    fn awaited(_: &Self::World, _: &Case<Self>) -> Vec<Awaited> {
        Vec::new()
    }
    /// Who can be asked by mail now, each with what is enclosed: everybody with an address, whether they had that mail or not. None but
    /// where a runbook says so.
    fn questions(_: &Self::World, _: &Case<Self>) -> Vec<Question> {
        Vec::new()
    }
    /// The words of such a mail; none that a runbook has not.
    fn paper(_: &Self::World, _: &str, _: Language) -> Option<Paper> {
        None
    }
    /// What a mail encloses. Errors: it can't be read, or is not what the journal has.
    async fn enclosed(_: &Self::World, enclosure: &Enclosure) -> Result<Vec<u8>, Fault> {
        Err(Fault::new(Service::Mail, FaultKind::NotFound, format!("{} is not there", enclosure.name)))
    }
    /// The way back from here; why there is none.
    fn way_back(case: &Case<Self>) -> Result<Vec<Move>, String>;
    /// Looks at everything outside of a case of which the end of the journal is lost, and changes nothing. `seen`: what is
    /// remembered of it. Errs where anything can't be looked at: then nothing is known.
    async fn recover(world: &Self::World, case: &Case<Self>, seen: &CaseSeen) -> Result<Recovery<Self::Record>, Fault>;
    /// What was seen outside of which the journal knows nothing, or otherwise. `is_known`: whether it has a case of this id.
    fn strays(_: &Self::World, _: Option<&Case<Self>>, _: &dyn Fn(&str) -> bool, _: &Self::Sights) -> Strays {
        Strays::default()
    }
    /// Looks at everything outside. What fails is kept with what was seen before.
    async fn look(world: &Self::World, case: Option<&Case<Self>>, sights: &mut Self::Sights);
    /// What is true of the subject, for screen and `--json`.
    fn tell(world: &Self::World, case: Option<&Case<Self>>, sights: &Self::Sights, now: Timestamp) -> Telling;
}

/// What was found of a case of which the end of the journal is lost.
pub struct Recovery<O> {
    /// How far it is.
    pub found: Reached,
    /// The same in the runbook's own words.
    pub own: Vec<O>,
    /// What follows.
    pub then: Onward,
}

/// What lies outside, and does not fit what the journal knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// The end of the journal is lost by that: of which case, and how it is known.
    pub lost: Option<(CaseId, String)>,
    /// What cases that are over have left, one line each.
    pub left: Vec<String>,
}

/// What follows from what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// It goes on as it went.
    On,
    /// It goes back, as it had gone in the lost part.
    Back,
    /// Nothing that the subject lives on is changed: what was prepared is taken away.
    Out,
    /// Nothing is left of it: it is closed.
    Over(End),
}

/// What a runbook says of its subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telling {
    /// What must be seen first, one line each; the worst leads.
    pub attention: Vec<String>,
    /// What its screen shows, in order.
    pub panels: Vec<Panel>,
    /// The same for `--json`, under the runbook's name.
    pub json: Value,
    /// What the next case would come to, one line each, as far as a look can tell.
    pub foreseen: Vec<String>,
    /// Whether a timer shall begin anew, where the runbook can say.
    pub due: Option<Due>,
    /// What a verb comes to now, by its word, one line each: read before a name is typed.
    pub comes_to: BTreeMap<&'static str, Vec<String>>,
    /// What is true of the subject whatever has failed, where the runbook can tell: what nobody needs to fear.
    pub safe: Option<String>,
    /// Everybody outside who was looked at, in order.
    pub seen: Vec<Seen>,
    /// The stretches that may begin without a person once their gate is open, as the configuration says.
    pub alone: Vec<&'static str>,
}

/// Somebody outside who was looked at, or was to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Who.
    pub name: String,
    /// When they answered last, UTC; none: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why they did not at the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Somebody who must follow before a case can go on, and has not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Who.
    pub person: String,
    /// What they are asked, in a word for the journal.
    pub about: &'static str,
    /// The same as a line.
    pub text: String,
    /// A mail to them that asks it has not gone out yet.
    pub to_mail: bool,
    /// Whether the mail that asks it has reached its server is not known.
    pub is_uncertain: bool,
}

impl Awaited {
    /// What is to be said of a mail of which nobody knows whether they have it.
    pub fn uncertain(&self) -> Option<String> {
        self.is_uncertain.then(|| {
            let who = &self.person;
            format!(
                "whether {who} has the mail about {} is not known: ask them, or mail them again (notify --again)",
                self.about
            )
        })
    }
}

/// Whether it is time to begin anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// It is.
    pub now: bool,
    /// One line: why, or why not.
    pub text: String,
    /// When it will be, UTC, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A case of a runbook.
#[derive(Debug)]
pub struct Case<R: Runbook> {
    /// What every runbook has.
    pub core: Core,
    /// What only this one has.
    pub own: R::State,
}

impl<R: Runbook> Clone for Case<R> {
    fn clone(&self) -> Self {
        Self { core: self.core.clone(), own: self.own.clone() }
    }
}

impl<R: Runbook> Case<R> {
    /// Opens one with its first record.
    pub fn open(stamp: Stamp<'_>, body: &Body<R::Record>) -> Result<Self, String> {
        match body {
            Body::Core(record) => Ok(Self { core: Core::open(R::spec(), stamp, record)?, own: R::State::default() }),
            Body::Own(_) => Err("a case begins with its opening".into()),
        }
    }

    /// Whether a record may follow; why not.
    pub fn check(&self, body: &Body<R::Record>) -> Result<(), String> {
        match body {
            Body::Core(record) => self.core.check(record),
            Body::Own(record) if !self.core.is_open() => {
                Err(format!("the case has ended; \"{}\" can't follow", record.summary()))
            }
            Body::Own(record) => R::check(self, record),
        }
    }

    /// Folds a record that may follow.
    pub fn apply(&mut self, stamp: Stamp<'_>, body: &Body<R::Record>) {
        match body {
            Body::Core(record) => self.core.apply(stamp, record),
            Body::Own(record) => {
                self.core.seq = stamp.seq;
                R::apply(&mut self.own, &self.core, stamp, record);
            }
        }
    }
}

/// The journal as a step sees it.
#[async_trait]
pub trait Ledger<R: Runbook>: Send + Sync {
    /// The case as it stands now.
    fn case(&self) -> Arc<Case<R>>;
    /// Appends a record; it is durable when this returns. After a fault the step must stop.
    async fn record(&self, record: R::Record) -> Result<(), Fault>;
    /// The gate of the stretch is judged once more, at this moment; where it is open, or something was changed already, the
    /// journal says that the subject is changed from here on. Gives what was seen for that, where it was looked. Errs, and nothing may
    /// be changed, where it is shut.
    async fn touch(&self, step: StepNumber) -> Result<Option<R::Sights>, Fault>;
    /// What is true outside: a look, or the last one, where nothing was changed since and that is not long ago.
    async fn look(&self) -> R::Sights;
    /// What was seen last, however long ago.
    fn seen(&self) -> R::Sights;
    /// Whether this run still may change something outside: asked before each request that does.
    async fn fence(&self) -> Result<(), Fault>;
    /// A place where the step can stop. Errs where somebody wants it to; that is in the journal then, and the step must stop.
    async fn pause(&self) -> Result<(), Fault>;
    /// Tells how far it is; not journaled.
    fn progress(&self, progress: Progress);
}

/// What a step works with.
pub struct StepContext<'a, R: Runbook> {
    /// The ports and settings.
    pub world: &'a R::World,
    /// The journal.
    pub ledger: &'a dyn Ledger<R>,
}

/// A numbered step of a runbook.
#[async_trait]
pub trait Step<R: Runbook>: Send + Sync {
    /// Its number in the source document.
    fn number(&self) -> StepNumber;
    /// What is known to go wrong in it.
    fn troubles(&self) -> &'static [Trouble];
    /// Looks whether its end state holds, on the present leg. It never changes anything outside.
    async fn probe(&self, context: &StepContext<'_, R>) -> Probe;
    /// Brings its end state about from whatever state the world is in; gives the evidence.
    async fn perform(&self, context: &StepContext<'_, R>) -> Result<String, Fault>;
    /// Looks whether it is taken back.
    async fn probe_undo(&self, context: &StepContext<'_, R>) -> Probe;
    /// Takes it back, from whatever state the world is in.
    async fn undo(&self, context: &StepContext<'_, R>) -> Result<String, Fault>;
}
