//! One order carried out under a lease: its records are made durable, and what follows them is done until the case rests.

use super::CaseDesk;
use super::history::line;
use super::pause::{is_pause, paused};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::step::StepNumber;
use crate::engine::case::core::{Stamp, Way};
use crate::engine::case::gate::Verdict;
use crate::engine::case::machine::{Ahead, Asked, Order, Refusal, ahead, judge};
use crate::engine::case::record::{Body, CaseId, CoreRecord};
use crate::engine::case::runbook::{Case, Ledger, Runbook, Step, StepContext};
use crate::engine::case::spec::{Move, Touch};
use crate::engine::journal::{Holder, Lease};
use crate::engine::ports::Fence;
use crate::engine::record::{CASE_VERSION, CaseBody, Entry, Record, RotationId};
use crate::engine::step::{Probe, Progress};
use crate::engine::witness::Lost;
use crate::runtime::ending;
use crate::runtime::run::{Taken, journal_fault};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How an order ended when it did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// It was not begun, or may not go on.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody else is at work.
    #[error("held by {0}")]
    Held(Box<Holder>),
    /// Something outside, or the journal, failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

pub(super) struct Run<'a, R: Runbook> {
    pub(super) desk: &'a CaseDesk<R>,
    lease: &'a Lease,
    /// What is known of a part of the journal that is lost.
    lost: Option<Lost>,
    case: Mutex<Option<Arc<Case<R>>>>,
    /// Held from a record's number until it is durable, so that numbers and rows are in one order.
    writing: tokio::sync::Mutex<()>,
    /// What was asked before that is no word for what is done now: the number of the last line of the log.
    paused_before: u64,
    /// Why the journal can't be written any more: no number is counted on after that.
    broken: Mutex<Option<Fault>>,
}

impl<'a, R: Runbook> Run<'a, R> {
    pub(super) fn new(desk: &'a CaseDesk<R>, lease: &'a Lease, case: Option<Case<R>>, lost: Option<Lost>) -> Self {
        let (case, writing, broken) = (Mutex::new(case.map(Arc::new)), tokio::sync::Mutex::default(), Mutex::default());
        Self { desk, lease, lost, case, writing, paused_before: 0, broken }
    }

    /// Only what is asked from now on lets it stop.
    pub(super) fn listening(self, paused_before: u64) -> Self {
        Self { paused_before, ..self }
    }

    pub(super) fn now(&self) -> Option<Arc<Case<R>>> {
        self.case.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn open(&self) -> Option<Arc<Case<R>>> {
        self.now().filter(|case| case.core.is_open())
    }

    fn broken(&self) -> MutexGuard<'_, Option<Fault>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges the order after a fresh look, writes what it says, and goes on.
    pub(super) async fn carry_out(&self, order: Order, from: Option<Taken>) -> Result<String, RunFault> {
        // A journal of which the end is lost is written to by nobody who has not looked at everything.
        let (before, behind) = if self.lost.is_some() { (None, from) } else { (from, None) };
        if let Some(taken) = before {
            self.taken_over(taken).await?;
        }
        if !matches!(order, Order::Note { .. } | Order::TakeOver { .. }) {
            self.look_anew().await;
        }
        let judges = |order: &Order| match order {
            Order::Begin { .. } => true,
            Order::SetAside { fact, .. } => fact == "mailbox",
            _ => false,
        };
        if judges(&order) && self.lost.is_none() {
            self.read_mailbox().await?;
        }
        let lost = self.lost.clone().or_else(|| self.desk.astray(&self.desk.known()));
        let mut random = [0u8; 3];
        self.desk.seat.entropy.fill(&mut random)?;
        let new = CaseId(RotationId::new(self.desk.seat.clock.now(), random).0);
        let records = {
            let case = self.now();
            let gate = |stretch: &str| self.gate(stretch);
            let road = || match &case {
                Some(case) => R::way_back(case),
                None => Err("no case is open".to_owned()),
            };
            let (awaited, questions) = self.desk.people(case.as_deref());
            let asked = Asked {
                spec: R::spec(),
                subject: &self.desk.seat.subject,
                name: &self.desk.seat.name,
                core: case.as_ref().map(|case| &case.core),
                gate: &gate,
                awaited: &awaited,
                questions: &questions,
                road: &road,
                new,
                lost: lost.as_ref(),
            };
            judge(&asked, &order)?
        };
        if let (Order::Recover { reason, .. }, Some(lost)) = (&order, &lost) {
            let said = self.recover(lost, reason).await?;
            if let Some(taken) = behind {
                self.taken_over(taken).await?;
            }
            return Ok(said);
        }
        if let Order::Notify { only, again, .. } = &order {
            return self.notify(only, *again).await;
        }
        let said = match order {
            Order::Note { .. } => "it is in the journal".to_owned(),
            Order::TakeOver { .. } => self.yours(),
            _ => records.last().map(CoreRecord::summary).unwrap_or_default(),
        };
        for record in records {
            self.write(Body::Core(record)).await?;
        }
        if order.drives() { self.drive().await } else { Ok(said) }
    }

    /// Journals from whom the subject was taken: in its case where one is open, and by force in any case.
    async fn taken_over(&self, Taken { from, reason, forced }: Taken) -> Result<(), Fault> {
        match self.now() {
            Some(case) if forced || case.core.is_open() => {
                self.write(Body::Core(CoreRecord::TakenOver { from, reason, forced })).await
            }
            // No case was ever opened.
            None if forced => {
                let seat = &self.desk.seat;
                let entry = seat.actor.entry(0, seat.clock.now(), Record::TakenOver { from, reason, forced });
                seat.store.add_to_lease_log(&seat.key, &entry).await.map_err(journal_fault)
            }
            _ => Ok(()),
        }
    }

    /// What comes behind a take-over.
    fn yours(&self) -> String {
        let is_left = self.open().is_some_and(|case| !ahead(R::spec(), &case.core).is_at_rest());
        let then = if is_left { "resume looks before it acts" } else { "look at the status" };
        format!("{} is yours; {then}", self.desk.seat.subject)
    }

    fn gate(&self, stretch: &str) -> Verdict {
        let sights = self.desk.known().sights.clone();
        self.desk.gate(self.now().as_deref(), &sights, stretch)
    }

    async fn look_anew(&self) {
        self.desk.look_of_ours(self.now().as_deref()).await;
    }

    /// Goes on until the case rests, or something fails.
    async fn drive(&self) -> Result<String, RunFault> {
        // What a step that touches has come to leads; what came last stands behind it.
        let (mut deed, mut done) = (None, String::new());
        loop {
            let Some(case) = self.now() else { return Ok(done) };
            match ahead(R::spec(), &case.core) {
                Ahead::Ended => return Ok(told(deed, done)),
                Ahead::Pause { next } => {
                    let done =
                        if done.is_empty() { "nothing was left to be done".to_owned() } else { told(deed, done) };
                    return Ok(format!("{done}; {next} waits for its word"));
                }
                Ahead::Close(end) => {
                    self.write(Body::Core(CoreRecord::Finished { end, note: String::new() })).await?;
                    done = if done.is_empty() { end.word().to_owned() } else { told(deed.take(), done) };
                    done = if done == end.word() { done } else { format!("{}: {done}", end.word()) };
                }
                Ahead::Probe(at) => self.probe(at).await?,
                Ahead::Start(at) => (deed, done) = self.go(at, deed).await?,
                Ahead::Failed(number, _) => {
                    let at = case.core.leg.road.iter().copied().find(|at| at.step() == number);
                    (deed, done) = self.go(at.unwrap_or(Move::Perform(number)), deed).await?;
                }
            }
        }
    }

    /// Carries a step out; gives what the last one that touches has come to, and what this one has.
    async fn go(&self, at: Move, deed: Option<String>) -> Result<(Option<String>, String), RunFault> {
        let evidence = self.perform(at).await?;
        let touches = R::spec().step(at.step()).is_some_and(|step| step.touches != Touch::No);
        Ok((if touches { Some(evidence.clone()) } else { deed }, evidence))
    }

    fn step(&self, number: StepNumber) -> Result<&dyn Step<R>, Fault> {
        let found = self.desk.steps.iter().find(|step| step.number() == number);
        let none = || Fault::new(Service::Journal, FaultKind::Invalid, format!("there is no step {number}"));
        found.map(AsRef::as_ref).ok_or_else(none)
    }

    async fn probe(&self, at: Move) -> Result<(), RunFault> {
        let number = at.step();
        let (step, context) = (self.step(number)?, StepContext { world: &self.desk.world, ledger: self });
        let probed = match at {
            Move::Perform(_) => step.probe(&context).await,
            Move::Undo(_) => step.probe_undo(&context).await,
        };
        let (done, reason) = match probed {
            Probe::Done(evidence) => (true, evidence),
            Probe::NotDone(why) => (false, why),
            Probe::Unclear(fault) => {
                let hint = format!("{}; then resume, or resolve --step {number} with a reason", fault.remedy());
                return Err(fault.hint(hint).into());
            }
        };
        self.write(Body::Core(CoreRecord::StepResolved { step: number, done, reason })).await?;
        Ok(())
    }

    async fn perform(&self, at: Move) -> Result<String, RunFault> {
        let number = at.step();
        let step = self.step(number)?;
        self.write(Body::Core(CoreRecord::StepStarted { step: number })).await?;
        let context = StepContext { world: &self.desk.world, ledger: self };
        let result = match at {
            Move::Perform(_) => step.perform(&context).await,
            Move::Undo(_) => step.undo(&context).await,
        };
        let broken = self.broken().clone();
        match (result, broken) {
            // It stays begun and not ended, and resume looks.
            (Err(fault), _) if ending::is_end(&fault) || is_pause(&fault) => Err(fault.into()),
            (_, Some(unwritten)) => Err(unwritten.into()),
            (Ok(evidence), None) => {
                let record = CoreRecord::StepSucceeded { step: number, evidence: evidence.clone() };
                self.write(Body::Core(record)).await?;
                Ok(evidence)
            }
            (Err(fault), None) => {
                self.write(Body::Core(CoreRecord::StepFailed { step: number, fault: fault.clone() })).await?;
                Err(fault.into())
            }
        }
    }

    /// Checks a record against the case, makes it durable, and folds it.
    pub(super) async fn write(&self, body: Body<R::Record>) -> Result<(), Fault> {
        let _order = self.writing.lock().await;
        self.write_in_order(body).await
    }

    async fn write_in_order(&self, body: Body<R::Record>) -> Result<(), Fault> {
        if body.begins() && ending::is_asked() {
            return Err(ending::ended(&body.summary()));
        }
        self.write_together(vec![body]).await
    }

    /// The same of several that are durable together or not at all; an opening comes first.
    pub(super) async fn write_together(&self, bodies: Vec<Body<R::Record>>) -> Result<(), Fault> {
        if let Some(fault) = self.broken().clone() {
            return Err(fault);
        }
        let seat = &self.desk.seat;
        let refused = |why: String| Fault::new(Service::Journal, FaultKind::Invalid, why).hint("nothing was written");
        let begins_case = matches!(bodies.first(), Some(Body::Core(CoreRecord::Opened { .. })));
        let mut folded = self.now().filter(|_| !begins_case).map(|case| Case::clone(&case));
        let (mut entries, mut lines) = (Vec::new(), Vec::new());
        for body in &bodies {
            let seq = folded.as_ref().map_or(1, |case| case.core.seq + 1);
            let written = CaseBody::of(body).map_err(|error| refused(error.to_string()))?;
            let entry = seat.actor.entry(seq, seat.clock.now(), Record::Case(written));
            let entry = Entry { version: CASE_VERSION, ..entry };
            let stamp = Stamp { seq, at: entry.at, person: entry.person() };
            match &mut folded {
                None => folded = Some(Case::open(stamp, body).map_err(refused)?),
                Some(case) => {
                    case.check(body).map_err(refused)?;
                    case.apply(stamp, body);
                }
            }
            lines.push(line(&entry, body));
            entries.push(entry);
        }
        let Some(case) = folded else { return Ok(()) };
        let id = RotationId(case.core.id.0.clone());
        if let Err(error) = seat.store.append(&id, self.lease, &entries).await {
            let fault = journal_fault(error);
            seat.fence.shut_for(fault.clone());
            *self.broken() = Some(fault.clone());
            return Err(fault);
        }
        let case = Arc::new(case);
        *self.case.lock().unwrap_or_else(PoisonError::into_inner) = Some(case.clone());
        {
            let mut known = self.desk.known();
            if begins_case {
                known.lines.clear();
            }
            known.lines.extend(lines);
            known.case = Some(case);
        }
        seat.onlooker.changed(self.desk);
        Ok(())
    }
}

fn told(deed: Option<String>, last: String) -> String {
    match deed {
        Some(deed) if deed != last => format!("{deed}; {last}"),
        _ => last,
    }
}

#[async_trait]
impl<R: Runbook> Ledger<R> for Run<'_, R> {
    fn case(&self) -> Arc<Case<R>> {
        self.now().unwrap_or_else(|| unreachable!("a step runs only within a case"))
    }

    async fn record(&self, record: R::Record) -> Result<(), Fault> {
        self.write(Body::Own(record)).await
    }

    async fn touch(&self, step: StepNumber) -> Result<Option<R::Sights>, Fault> {
        let core = &self.case().core;
        if core.way != Way::Forward || core.touched.contains(&step) {
            self.fence().await?;
            return Ok(None);
        }
        let none = || Fault::new(Service::Journal, FaultKind::Invalid, format!("step {step} is part of no stretch"));
        let stretch = R::spec().stretch_of(step).ok_or_else(none)?;
        // A stretch that has begun to change things goes on: half of it is worse than all.
        let is_begun = core.touched.iter().any(|touched| stretch.has(*touched));
        let mut seen = None;
        if !is_begun {
            self.look_anew().await;
            seen = Some(self.seen());
            let gate = self.gate(stretch.verb);
            if !gate.is_open() {
                let why = gate.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                return Err(Fault::new(
                    Service::Gate,
                    FaultKind::Refused,
                    format!("shut before {}: {why}", stretch.verb),
                )
                .hint("nothing was changed; put right what it names")
                .leads(&[Lead::Resume, Lead::Cancel]));
            }
        }
        self.write(Body::Core(CoreRecord::Touching { step })).await?;
        self.fence().await?;
        Ok(seen)
    }

    async fn look(&self) -> R::Sights {
        self.desk.look_if_old(self.now().as_deref()).await;
        self.seen()
    }

    fn seen(&self) -> R::Sights {
        self.desk.known().sights.clone()
    }

    async fn pause(&self) -> Result<(), Fault> {
        let Some((by, reason)) = self.desk.pause_asked(self.paused_before, &self.case().core.id).await? else {
            return Ok(());
        };
        let fault = paused(&by, &reason);
        self.write(Body::Core(CoreRecord::Paused { reason, by })).await?;
        Err(fault)
    }

    async fn fence(&self) -> Result<(), Fault> {
        // Whoever asks is about to change something.
        self.desk.known().unchanged_since = None;
        self.desk.seat.fence.hold().await
    }

    fn progress(&self, progress: Progress) {
        self.desk.seat.onlooker.progress(self.desk, progress);
    }
}
