//! What an operator's word may do to a case, and what a case does next: two pure functions of the journal.
//!
//! Nothing is kept beside the journal, so a process that takes over goes on with the same act.

use super::core::{Core, Way};
use super::gate::Verdict;
use super::letter::Question;
pub use super::order::Order;
use super::record::{CaseId, CoreRecord, End};
use super::runbook::Awaited;
use super::spec::{Confirm, Move, Spec, Stretch, Then, Touch};
use crate::domain::fault::Fault;
use crate::domain::sanitize::sanitize;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::typed::says_something;
use crate::engine::witness::{Lost, WAY_OUT};

/// Why an order is not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The gate before the stretch is shut.
    #[error("the gate before {verb} is shut: {}", told(.gate))]
    Shut {
        /// The stretch.
        verb: String,
        /// What it says.
        gate: Verdict,
    },
    /// The end of the journal is lost.
    #[error("{0}; {WAY_OUT}")]
    JournalLost(Box<Lost>),
    /// Not in this state.
    #[error("{0}")]
    NotNow(String),
    /// What was typed does not do.
    #[error("{0}")]
    BadInput(String),
}

fn told(gate: &Verdict) -> String {
    gate.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn not_now(why: impl Into<String>) -> Refusal {
    Refusal::NotNow(why.into())
}

/// What is asked beside the journal when an order is judged.
pub struct Asked<'a> {
    /// The procedure.
    pub spec: &'static Spec,
    /// `kind/name`.
    pub subject: &'a str,
    /// What the subject is called, to be typed.
    pub name: &'a str,
    /// The case, where one was ever opened.
    pub core: Option<&'a Core>,
    /// What the gate before a stretch says now.
    pub gate: &'a dyn Fn(&str) -> Verdict,
    /// Who must follow now.
    pub awaited: &'a [Awaited],
    /// Who can be asked by mail now; none where nothing is mailed.
    pub questions: &'a [Question],
    /// The way back from here; why there is none.
    pub road: &'a dyn Fn() -> Result<Vec<Move>, String>,
    /// The id of a case that is opened now.
    pub new: CaseId,
    /// What is known of a part of the journal that is lost.
    pub lost: Option<&'a Lost>,
}

/// Judges an order: the records that are written at once, in order. What follows them is `ahead`'s.
pub fn judge(asked: &Asked<'_>, order: &Order) -> Result<Vec<CoreRecord>, Refusal> {
    let open = asked.core.filter(|core| core.is_open());
    let case = || open.ok_or_else(|| not_now(format!("no case of {} is open", asked.subject)));
    if let Some(lost) = asked.lost.filter(|_| !matches!(order, Order::Recover { .. })) {
        return Err(Refusal::JournalLost(Box::new(lost.clone())));
    }
    match order {
        Order::Begin { stretch, confirm, reference } => begin(asked, open, stretch, confirm, reference),
        Order::Resume => {
            let core = case()?;
            if ahead(asked.spec, core).is_at_rest() {
                return Err(not_now("nothing was interrupted and nothing has failed"));
            }
            Ok(Vec::new())
        }
        Order::Resolve { step, done, reason } => {
            let core = case()?;
            if !matches!(core.leg.state(*step), Some(StepState::Interrupted { .. })) {
                return Err(not_now(format!("step {step} was not interrupted")));
            }
            let reason = given(reason, "how you know")?;
            Ok(vec![CoreRecord::StepResolved { step: *step, done: *done, reason }])
        }
        Order::SetAside { fact, reason } => {
            case()?;
            let reason = given(reason, "why")?;
            let shut = asked.spec.stretches.iter().map(|stretch| (asked.gate)(stretch.verb));
            let found = shut.flat_map(|gate| gate.reasons().to_vec()).find(|seen| seen.name == fact);
            match found {
                Some(seen) if seen.kind == super::gate::FactKind::MayBeSetAside => {
                    Ok(vec![CoreRecord::SetAside { fact: fact.clone(), reason }])
                }
                Some(_) => Err(not_now(format!("{fact} can't be set aside"))),
                None => Err(not_now(format!("nothing of the name {} shuts a gate", sanitize(fact)))),
            }
        }
        Order::Settle { person, reason } => {
            case()?;
            let found = asked.awaited.iter().find(|awaited| awaited.person == *person);
            let found = found.ok_or_else(|| not_now(nobody(asked.awaited, person)))?;
            let (person, about) = (found.person.clone(), found.about.to_owned());
            Ok(vec![CoreRecord::Settled { person, about, reason: given(reason, "how you know")? }])
        }
        Order::Notify { confirm, only, again } => {
            // Behind a way back somebody may be told still.
            let core = asked.core.ok_or_else(|| not_now(format!("{} has no case", asked.subject)))?;
            may_notify(core, asked.questions, only, *again)?;
            typed(asked.subject, asked.name, confirm)?;
            Ok(Vec::new())
        }
        Order::RollBack { confirm, reason } => {
            let core = case()?;
            if !core.is_touched() {
                return Err(not_now("nothing was changed yet: cancel it"));
            }
            if let Some(step) = core.touched.iter().find(|step| is_no_return(asked.spec, **step)) {
                return Err(not_now(format!("step {step} has begun, and there is no way back behind it")));
            }
            typed(asked.subject, asked.name, confirm)?;
            let reason = given(reason, "why")?;
            let road = (asked.road)().map_err(not_now)?;
            permitted(core, CoreRecord::TurnedBack { reason, road })
        }
        // From whom and why was written when it was taken.
        Order::TakeOver { confirm, reason } => {
            taking_over(asked.subject, asked.name, confirm, reason)?;
            Ok(Vec::new())
        }
        // What is recorded is known once everything was looked at.
        Order::Recover { confirm, reason } => {
            asked.lost.ok_or_else(|| not_now("nothing of the journal is lost"))?;
            typed(asked.subject, asked.name, confirm)?;
            given(reason, "why the journal is not put back as it was last")?;
            Ok(Vec::new())
        }
        Order::Cancel { note } => {
            let core = case()?;
            if core.way == Way::Out {
                return Ok(Vec::new());
            }
            if core.is_touched() {
                return Err(not_now("it has changed something already: roll it back"));
            }
            let road = way_out(asked.spec, core);
            permitted(core, CoreRecord::CancelBegun { note: sanitize(note), road })
        }
        // Whoever is at work is asked, and stops where it can; who that is the journal alone does not tell.
        Order::Pause { reason } => {
            case()?;
            given(reason, "why")?;
            Err(not_now("nothing is at work: nothing goes on by itself until somebody says so"))
        }
        Order::Note { text } => {
            asked.core.ok_or_else(|| not_now(format!("{} has no case to note it in", asked.subject)))?;
            Ok(vec![CoreRecord::Noted { text: given(text, "the note")? }])
        }
    }
}

/// Whether a mail would go out at all.
fn may_notify(core: &Core, questions: &[Question], only: &[String], again: bool) -> Result<(), Refusal> {
    if questions.is_empty() {
        return Err(not_now("nobody can be asked anything by mail now"));
    }
    if let Some(stranger) = only.iter().find(|name| questions.iter().all(|question| question.person != **name)) {
        let known: Vec<&str> = questions.iter().map(|question| question.person.as_str()).collect();
        return Err(not_now(format!("{} can't be mailed now; who can: {}", sanitize(stranger), known.join(", "))));
    }
    if again && only.is_empty() {
        return Err(Refusal::BadInput("say to whom it goes once more".into()));
    }
    match core.unasked(questions, only, again).is_empty() {
        true => Err(not_now("everybody who can be asked by mail has the mail, or may have it")),
        false => Ok(()),
    }
}

/// Nobody of this name is waited for.
fn nobody(awaited: &[Awaited], person: &str) -> String {
    let mut known: Vec<&str> = awaited.iter().map(|awaited| awaited.person.as_str()).collect();
    known.dedup();
    match known.as_slice() {
        [] => "nobody is waited for".into(),
        known => format!("{} is not waited for; waited for: {}", sanitize(person), known.join(", ")),
    }
}

fn permitted(core: &Core, record: CoreRecord) -> Result<Vec<CoreRecord>, Refusal> {
    core.check(&record).map_err(Refusal::NotNow)?;
    Ok(vec![record])
}

/// Whether a stretch comes now, whatever its gate says: nothing of what must be done before it is left. Errs with why not.
pub fn comes_now(
    spec: &'static Spec,
    subject: &str,
    open: Option<&Core>,
    verb: &str,
) -> Result<&'static Stretch, Refusal> {
    let unknown = || Refusal::BadInput(format!("{} has no {}", spec.name, sanitize(verb)));
    let stretch = spec.stretch(verb).ok_or_else(unknown)?;
    let is_first = |step: StepNumber| spec.steps.first().is_some_and(|first| first.number == step);
    if let Some(core) = open {
        if core.way != Way::Forward {
            return Err(not_now("the case does not go forward any more: resume it"));
        }
        if let Some(step) = core.running() {
            return Err(not_now(format!("step {step} was interrupted: resume looks what became of it")));
        }
        let failed = core.leg.ahead().map(Move::step).filter(|step| !spec.only_looks(*step));
        if let Some(step) = failed.filter(|step| matches!(core.state(*step), StepState::Failed { .. })) {
            return Err(not_now(format!("step {step} has failed: resume tries it again{}", out(core))));
        }
        match core.leg.ahead() {
            Some(ahead) if stretch.has(ahead.step()) || is_before(spec, core, stretch.from) => {}
            Some(ahead) if ahead.step() > stretch.to => return Err(not_now(format!("{verb} is done"))),
            Some(ahead) => return Err(not_now(format!("step {} comes before {verb}", ahead.step()))),
            None => return Err(not_now("all steps are done")),
        }
    } else if !is_first(stretch.from) && !only_looks_before(spec, stretch.from) {
        return Err(not_now(format!("no case of {subject} is open")));
    }
    Ok(stretch)
}

fn begin(
    asked: &Asked<'_>,
    open: Option<&Core>,
    verb: &str,
    confirm: &str,
    reference: &str,
) -> Result<Vec<CoreRecord>, Refusal> {
    let stretch = comes_now(asked.spec, asked.subject, open, verb)?;
    if stretch.confirm == Confirm::Name {
        typed(asked.subject, asked.name, confirm)?;
    }
    let gate = (asked.gate)(verb);
    if !gate.is_open() {
        return Err(Refusal::Shut { verb: verb.to_owned(), gate });
    }
    let waits = |step: StepNumber| open.is_none_or(|core| matches!(core.state(step), StepState::Waiting));
    let is_new = asked.spec.steps.iter().filter(|step| stretch.has(step.number)).all(|step| waits(step.number));
    let is_untouched = open.is_none_or(|core| !core.is_touched());
    let afresh = stretch.confirm == Confirm::Name && is_new && is_untouched;
    let begun = CoreRecord::Begun { verb: verb.to_owned(), afresh };
    let opened = CoreRecord::Opened {
        case: asked.new.clone(),
        runbook: asked.spec.name.to_owned(),
        subject: asked.subject.to_owned(),
        reference: sanitize(reference),
    };
    Ok(match open {
        Some(_) => vec![begun],
        None => vec![opened, begun],
    })
}

/// What leads out besides going on, for the end of a sentence.
fn out(core: &Core) -> &'static str {
    match (core.way, core.is_touched()) {
        (Way::Forward, false) => ", or cancel",
        _ if leads_back(core) => ", or roll back",
        _ => "",
    }
}

/// Whether there is a way back from here.
pub(super) fn leads_back(core: &Core) -> bool {
    core.way == Way::Forward && core.is_touched() && core.touched.iter().all(|step| !is_no_return(core.spec, *step))
}

/// Whether all that is not done before a step only looks: a stretch brings that about by itself.
fn is_before(spec: &Spec, core: &Core, from: StepNumber) -> bool {
    let open = spec.steps.iter().filter(|step| step.number < from && !core.state(step.number).is_done());
    open.into_iter().all(|step| spec.only_looks(step.number))
        && core.leg.ahead().is_some_and(|ahead| ahead.step() < from)
}

fn only_looks_before(spec: &Spec, from: StepNumber) -> bool {
    spec.steps.iter().filter(|step| step.number < from).all(|step| spec.only_looks(step.number))
}

/// The name, or the subject as every title has it.
fn typed(subject: &str, name: &str, confirm: &str) -> Result<(), Refusal> {
    let is_it = confirm == name || confirm == subject;
    if is_it { Ok(()) } else { Err(Refusal::BadInput(format!("type the name, {name}, to confirm"))) }
}

/// The reason of a take-over for which everything was given.
pub fn taking_over(subject: &str, name: &str, confirm: &str, reason: &str) -> Result<String, Refusal> {
    typed(subject, name, confirm)?;
    given(reason, "why you take it over")
}

/// A reason, as it goes into the journal.
pub fn given(text: &str, what: &str) -> Result<String, Refusal> {
    let text = sanitize(text);
    if says_something(&text) { Ok(text) } else { Err(Refusal::BadInput(format!("say {what}"))) }
}

fn is_no_return(spec: &Spec, step: StepNumber) -> bool {
    spec.step(step).is_some_and(|step| step.touches == Touch::NoReturn)
}

/// The way out of a case that has changed nothing: what was prepared is taken away, the last first. A step that would have changed the
/// subject has not, though it was begun.
pub(super) fn way_out(spec: &Spec, core: &Core) -> Vec<Move> {
    let begun = |step: &Move| !matches!(core.state(step.step()), StepState::Waiting);
    whole_way_out(spec).into_iter().filter(begun).collect()
}

/// The way out of a case of which nothing more is known than that it has changed nothing: whatever may have been prepared is taken
/// away, the last first.
pub fn whole_way_out(spec: &Spec) -> Vec<Move> {
    let steps = spec.steps.iter().rev().filter(|step| step.undo.is_some() && step.touches == Touch::No);
    steps.map(|step| Move::Undo(step.number)).collect()
}

/// What a case does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Ahead {
    /// Look what became of an interrupted step.
    Probe(Move),
    /// Begin a step.
    Start(Move),
    /// Close the case.
    Close(End),
    /// A stretch is done; the next one waits for its word.
    Pause {
        /// Its verb.
        next: &'static str,
    },
    /// A step has failed: a person, or `watch` where it may, says that it is tried again.
    Failed(StepNumber, Fault),
    /// It has ended.
    Ended,
}

impl Ahead {
    /// Nothing would go on by itself behind a resume.
    pub fn is_at_rest(&self) -> bool {
        matches!(self, Ahead::Pause { .. } | Ahead::Ended)
    }
}

/// What a case does next, whoever drives it.
pub fn ahead(spec: &'static Spec, core: &Core) -> Ahead {
    if !core.is_open() {
        return Ahead::Ended;
    }
    let Some(step) = core.leg.ahead() else {
        return Ahead::Close(match core.way {
            Way::Forward => End::Done,
            Way::Back => End::TakenBack,
            Way::Out => End::Cancelled,
        });
    };
    match core.state(step.step()) {
        StepState::Running { .. } | StepState::Interrupted { .. } => return Ahead::Probe(step),
        StepState::Failed { fault, .. } => return Ahead::Failed(step.step(), fault.clone()),
        StepState::Waiting | StepState::Done { .. } => {}
    }
    if core.way != Way::Forward {
        return Ahead::Start(step);
    }
    let begun = core.begun.as_deref().and_then(|verb| spec.stretch(verb));
    match (begun, spec.stretch_of(step.step())) {
        (Some(begun), _) if step.step() <= begun.to => Ahead::Start(step),
        (_, Some(next)) => Ahead::Pause { next: next.verb },
        (_, None) => Ahead::Ended,
    }
}

/// Whether the last stretch that was begun is the one that closes the case.
pub fn closes(spec: &Spec, core: &Core) -> bool {
    core.begun.as_deref().and_then(|verb| spec.stretch(verb)).is_some_and(|stretch| stretch.then == Then::Finish)
}
