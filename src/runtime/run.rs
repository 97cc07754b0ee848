//! One command carried out: the machine decides, this makes records durable, performs steps, and feeds the results back.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::engine::command::Refusal;
use crate::engine::journal::{AppendError, Holder, Lease};
use crate::engine::machine::{Input, Machine, Output, SendOrder, refusal_fault};
use crate::engine::mailing;
use crate::engine::ports::World;
use crate::engine::record::{Entry, Outcome, Record};
use crate::engine::recovery;
use crate::engine::rotation::Rotation;
use crate::engine::step::{Ledger, Progress, Runbook, StepContext};
use crate::engine::witness::{Lost, WAY_OUT};
use crate::runbooks::wireguard::{
    Recovery, end_doubt, end_silence, look_back, look_who_is_back, may_be_told, put_right, recheck, recover, see_people,
};
use crate::runtime::ending;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How a command ended when it did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was not begun, or may not go on.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something outside, or the journal, failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl RunError {
    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            RunError::Fault(fault) => fault.advice().to_owned(),
            RunError::Refused(Refusal::GateShut(_)) => "see `changeguard status` for everybody who is open".into(),
            RunError::Refused(Refusal::NotBack(_)) => {
                "call them, record that they are back, or waive with a reason".into()
            }
            RunError::Refused(Refusal::Held(_)) => "watch, or talk to them; one that is stuck can be taken over".into(),
            RunError::Refused(Refusal::JournalLost(_)) => WAY_OUT.into(),
            RunError::Refused(_) => String::new(),
        }
    }
}

/// Who wants to know what a run does.
pub trait Observer: Send + Sync {
    /// These records are durable. Told once for what is durable together.
    fn recorded(&self, entries: &[Entry]);
    /// A record could not be written, and why: nothing more may be changed outside by this run.
    fn unwritable(&self, _fault: &Fault) {}
    /// A step is so far.
    fn progress(&self, progress: Progress);
}

/// From whom the tenant was taken.
pub struct Taken {
    /// The holder that was seen.
    pub from: Holder,
    /// Why.
    pub reason: String,
    /// It showed signs of life.
    pub forced: bool,
}

/// A command being carried out under a lease.
pub struct Run<'a> {
    world: &'a World,
    runbook: &'a Runbook,
    lease: &'a Lease,
    observer: &'a dyn Observer,
    machine: Mutex<Machine>,
    /// Held from a record's number until it is durable, so that numbers and rows are in one order.
    writing: tokio::sync::Mutex<()>,
    /// Records that were given while another was being written.
    waiting: Mutex<Vec<Waiting>>,
    /// Why the journal can't be written any more, and what it lacks since.
    broken: Mutex<Option<Broken>>,
    /// What the last act has met, until that is recorded.
    met: Mutex<Option<Fault>>,
}

/// The journal is not written any more: the first cause stands, and no number is counted on after it.
struct Broken {
    fault: Fault,
    lacks: Vec<String>,
}

/// So many of the records that the journal lacks are told.
const LACKS_TOLD: usize = 3;

impl Broken {
    /// The first cause, with what is known of the tail.
    fn fault(&self) -> Fault {
        match self.lacks.is_empty() {
            true => self.fault.clone(),
            false => {
                let hint = format!("{}; the journal lacks: {}", self.fault.advice(), told(&self.lacks));
                self.fault.clone().hint(hint)
            }
        }
    }
}

/// The first of them, and how many more.
fn told(lacks: &[String]) -> String {
    let more = match lacks.len().saturating_sub(LACKS_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", lacks[..lacks.len().min(LACKS_TOLD)].join("; "))
}

/// A record to be written, and who waits for that.
type Waiting = (Record, oneshot::Sender<Result<(), Fault>>);

impl<'a> Run<'a> {
    /// A run over the machine of a freshly loaded journal.
    pub fn new(
        world: &'a World,
        runbook: &'a Runbook,
        lease: &'a Lease,
        observer: &'a dyn Observer,
        machine: Machine,
    ) -> Self {
        Self {
            world,
            runbook,
            lease,
            observer,
            machine: Mutex::new(machine),
            writing: tokio::sync::Mutex::default(),
            waiting: Mutex::default(),
            broken: Mutex::default(),
            met: Mutex::default(),
        }
    }

    /// Feeds the first input in and goes on until nothing is left to do. Gives what was achieved.
    pub async fn drive(&self, input: Input) -> Result<String, RunError> {
        let mut queue = VecDeque::new();
        let mut achieved = String::new();
        self.feed(input, &mut queue).await?;
        while let Some(output) = queue.pop_front() {
            match output {
                Output::Append(first) => {
                    // What follows one another without an act between is durable together.
                    let mut entries = vec![*first];
                    while let Some(Output::Append(next)) = queue.pop_front_if(|next| matches!(next, Output::Append(_)))
                    {
                        entries.push(*next);
                    }
                    let permitted = entries.iter().position(|entry| ending::permits(&entry.record).is_err());
                    let kept = &entries[..permitted.unwrap_or(entries.len())];
                    if !kept.is_empty() {
                        self.persist(kept).await?;
                    }
                    if let Some(ended) = permitted {
                        ending::permits(&entries[ended].record)?;
                    }
                }
                Output::Perform(step) => {
                    let result = self.ended(self.runbook.step(step).perform(&self.context()).await)?;
                    self.feed(Input::StepEnded { step, result }, &mut queue).await?;
                }
                Output::Probe(step) => {
                    let probe = self.runbook.step(step).probe(&self.context()).await;
                    self.feed(Input::Probed { step, probe }, &mut queue).await?;
                }
                Output::Undo(step) => {
                    let result = self.ended(self.runbook.step(step).undo(&self.context()).await)?;
                    self.feed(Input::Undone { step, result }, &mut queue).await?;
                }
                Output::Send(order) => achieved = self.send(&order, &mut queue).await?,
                Output::Recheck(check) => achieved = recheck(&self.context(), &check).await?,
                Output::Verify => achieved = self.verify().await?,
                Output::LookBack => {
                    let sight = look_back(&self.context()).await?;
                    self.feed(Input::LookedBack { sight }, &mut queue).await?;
                }
                Output::HearAgent => {
                    let doubt = end_doubt(&self.context()).await?;
                    self.feed(Input::AgentHeard { doubt }, &mut queue).await?;
                }
                Output::PutRight => achieved = put_right(&self.context()).await?,
                Output::EndSilence => achieved = end_silence(&self.context()).await?,
                Output::Done(text) if achieved.is_empty() => achieved = text,
                Output::Done(_) => {}
                Output::Failed(fault) => return Err(fault.into()),
                Output::Refused(refusal) => return Err(refusal.into()),
            }
        }
        Ok(achieved)
    }

    /// Journals from whom the tenant was taken, if it was from somebody.
    pub async fn taken_over(&self, taken: Option<Taken>) -> Result<(), Fault> {
        match taken.filter(|_| self.machine_has_rotation()) {
            Some(Taken { from, reason, forced }) => self.record(Record::TakenOver { from, reason, forced }).await,
            None => Ok(()),
        }
    }

    fn machine_has_rotation(&self) -> bool {
        self.machine().rotation().is_some()
    }

    /// Looks who is back; records those who newly are.
    pub async fn verify(&self) -> Result<String, RunError> {
        look_who_is_back(&self.context()).await?;
        let rotation = self.rotation();
        let missing: Vec<&str> = rotation.not_back().iter().map(|client| client.name.as_str()).collect();
        let back = rotation.clients.len() - missing.len();
        Ok(match missing.len() {
            0 => format!("all {back} are back or waived"),
            _ => format!("{back} of {} are back or waived; not yet: {}", rotation.clients.len(), missing.join(", ")),
        })
    }

    /// Looks who will be cut off and journals it; a fault of the look is no fault of the run.
    pub async fn see_people(&self) -> Result<(), RunError> {
        match see_people(&self.context()).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.service == Service::Journal => Err(fault.into()),
            Err(_) => Ok(()),
        }
    }

    /// Goes on where the end of the journal is lost: looks at everything, and makes what was found durable at once, with the
    /// mails of which nobody knows whether they were sent. Changes nothing outside.
    pub async fn recover(&self, lost: &Lost, confirm: &str, reason: String) -> Result<String, RunError> {
        let _order = self.writing.lock().await;
        let reason = self.machine().recovers(confirm, reason)?;
        let known = self.machine().rotation().cloned();
        let recovery = recover(self.world, known.as_deref(), lost).await?;
        let at = self.world.clock.now();
        let (text, next) = (recovery.found.evidence.clone(), recovery.found.next.is_some());
        let entries = self.recovered(recovery, lost, reason, at)?;
        self.persist(&entries).await?;
        Ok(match next {
            true => format!("closed: {text}; another one was begun in the lost part: recover once more"),
            false => format!("gone on with: {text}"),
        })
    }

    /// What the machine says of what was found, in the order in which it is written.
    fn recovered(&self, found: Recovery, lost: &Lost, reason: String, at: Timestamp) -> Result<Vec<Entry>, RunError> {
        let Recovery { begun, people, found, foreign, is_over } = found;
        let (mut machine, mut entries, was_begun) = (self.machine(), Vec::new(), begun.is_some());
        for record in begun.into_iter().chain(people) {
            entries.push(machine.emit(at, record)?);
        }
        let before = machine.rotation().cloned();
        entries.push(machine.emit(at, Record::Recovered { lost: lost.clone(), reason, found: found.clone() })?);
        for record in foreign {
            entries.push(machine.emit(at, record)?);
        }
        if let (Some(before), Some(now), false) = (before, machine.rotation().cloned(), is_over) {
            let seq = if was_begun { 0 } else { before.seq };
            let mut before = Rotation::clone(&before);
            before.seq = seq;
            let mails = recovery::mailed(&before, lost, &found);
            let domain = self.world.mailer.message_domain();
            for record in recovery::uncertain(&now, &mails, &self.world.reply_key, &domain) {
                entries.push(machine.emit(at, record)?);
            }
        }
        if is_over {
            let note = format!("nothing of it is left to be done: {}", found.evidence);
            entries.push(machine.emit(at, Record::Finished { outcome: Outcome::Lost, note, despite: None })?);
        }
        Ok(entries)
    }

    async fn send(&self, order: &SendOrder, queue: &mut VecDeque<Output>) -> Result<String, RunError> {
        let step = if self.rotation().applied.is_some() { StepNumber::RECONFIGURE } else { StepNumber::ANNOUNCE };
        let before = self.rotation();
        if step == StepNumber::ANNOUNCE && order.only.is_some() {
            // Whoever has appeared since the operator was shown the list is not mailed, but named.
            self.see_people().await?;
        }
        let is_call = order.kind == NoticeKind::Reconfigure;
        let right = match is_call {
            true => self.ended(may_be_told(&self.context(), order).await)?,
            false => Ok(mailing::Unserved::default()),
        };
        let result = match right {
            Ok(unserved) => self.ended(mailing::send(&self.context(), step, order, &unserved).await)?,
            Err(fault) => Err(fault),
        };
        let result = result.and_then(mailing::Tally::judge);
        self.feed(Input::Sent { result: result.clone() }, queue).await?;
        let (mut text, now) = match result {
            Ok(text) => (text, self.rotation()),
            // Behind what is to be recorded of it.
            Err(fault) => {
                queue.push_back(Output::Failed(fault));
                return Ok(String::new());
            }
        };
        let appeared = now.clients.iter().filter(|client| before.client(&client.id).is_none());
        let names: Vec<&str> = appeared.map(|client| client.name.as_str()).collect();
        if !names.is_empty() {
            text.push_str(&format!("; not told, for they have only just appeared: {}", names.join(", ")));
        }
        Ok(text)
    }

    /// How an act has ended, where the run may go on from that. It may not where the program is ending (no failure: it stays
    /// begun and not ended, and resume looks), or where the journal can't be written: then that is told, and never what came of it.
    fn ended<T>(&self, result: Result<T, Fault>) -> Result<Result<T, Fault>, RunError> {
        let broken = self.broken().as_ref().map(Broken::fault);
        match (result, broken) {
            (Err(fault), _) if ending::is_end(&fault) => Err(fault.into()),
            (Err(fault), Some(unwritten)) if fault.service != Service::Journal => Err(beside(fault, &unwritten).into()),
            (_, Some(unwritten)) => Err(unwritten.into()),
            (result, None) => {
                *self.met.lock().unwrap_or_else(PoisonError::into_inner) = result.as_ref().err().cloned();
                Ok(result)
            }
        }
    }

    fn broken(&self) -> MutexGuard<'_, Option<Broken>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done and could not be recorded, a line each.
    pub fn lacks(&self) -> Vec<String> {
        self.broken().as_ref().map(|broken| broken.lacks.clone()).unwrap_or_default()
    }

    fn context(&self) -> StepContext<'_> {
        StepContext { world: self.world, ledger: self }
    }

    async fn feed(&self, input: Input, queue: &mut VecDeque<Output>) -> Result<(), RunError> {
        let outputs = {
            let _order = self.writing.lock().await;
            self.machine().handle(self.world.clock.now(), input)
        };
        // What was emitted before a refusal is folded already, so the refusal goes behind it.
        for output in outputs?.into_iter().rev() {
            queue.push_front(output);
        }
        Ok(())
    }

    /// Never held across a wait.
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn persist(&self, entries: &[Entry]) -> Result<(), Fault> {
        let id = match entries.first().map(|entry| &entry.record) {
            Some(Record::Planned { rotation, .. }) => rotation.clone(),
            _ => self.rotation().id.clone(),
        };
        if self.broken().is_none() {
            let Err(error) = self.world.store.append(&id, self.lease, entries).await else {
                self.met.lock().unwrap_or_else(PoisonError::into_inner).take();
                self.observer.recorded(entries);
                return Ok(());
            };
            let fault = journal_fault(error);
            self.observer.unwritable(&fault);
            self.broken().get_or_insert(Broken { fault, lacks: Vec::new() });
        }
        let mut broken = self.broken();
        let Some(broken) = broken.as_mut() else { return Ok(()) };
        broken.lacks.extend(entries.iter().map(|entry| entry.record.summary()));
        let unwritten = broken.fault();
        match self.met.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(first) if first.service != Service::Journal => Err(beside(first, &unwritten)),
            _ => Err(unwritten),
        }
    }

    /// Writes all records that wait, in one transaction: several mails are sent at once, and each would else wait for the
    /// disk behind the others.
    async fn write_waiting(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut entries, mut tellers) = (Vec::new(), Vec::new());
        for (record, teller) in waiting {
            let emitted = self.machine().emit(self.world.clock.now(), record);
            match emitted {
                Ok(entry) => {
                    entries.push(entry);
                    tellers.push(teller);
                }
                Err(refusal) => {
                    let _ = teller.send(Err(refusal_fault(&refusal)));
                }
            }
        }
        if entries.is_empty() {
            return;
        }
        let result = self.persist(&entries).await;
        for teller in tellers {
            // Whoever does not wait any more was dropped with the run.
            let _ = teller.send(result.clone());
        }
    }
}

/// What was met first, and that it could not be recorded either.
fn beside(first: Fault, unwritten: &Fault) -> Fault {
    let hint = format!("{}; and {unwritten}; {}", first.advice(), unwritten.advice());
    first.hint(hint)
}

/// Nothing more is done once the journal can't be written.
pub fn journal_fault(error: AppendError) -> Fault {
    match error {
        AppendError::Fault(fault) | AppendError::Unknown(fault) => fault,
        AppendError::Lost(_) => Fault::new(Service::Journal, FaultKind::Refused, error.to_string())
            .hint(format!("nothing more is done here; {WAY_OUT}")),
        other => Fault::new(Service::Journal, FaultKind::Conflict, other.to_string())
            .hint("nothing more was done here; look at the status, somebody else is at work"),
    }
}

#[async_trait]
impl Ledger for Run<'_> {
    fn rotation(&self) -> Arc<Rotation> {
        // A step runs only within a rotation, so there always is one.
        self.machine().rotation().cloned().unwrap_or_else(|| unreachable!("a step runs only within a rotation"))
    }

    async fn record(&self, record: Record) -> Result<(), Fault> {
        self.record_all(vec![record]).await.pop().unwrap_or_else(|| Err(ending::ended("a record was written")))
    }

    async fn record_all(&self, records: Vec<Record>) -> Vec<Result<(), Fault>> {
        let mut told = Vec::with_capacity(records.len());
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for record in records {
                // Before it gets a number: what comes of things that were begun is still written after this.
                told.push(ending::permits(&record).map(|()| {
                    let (teller, told) = oneshot::channel();
                    waiting.push((record, teller));
                    told
                }));
            }
        }
        if told.iter().any(Result::is_ok) {
            // One after the other, so that numbers and rows are in one order. Whoever comes first writes for all.
            let _order = self.writing.lock().await;
            self.write_waiting().await;
        }
        let mut results = Vec::with_capacity(told.len());
        for told in told {
            results.push(match told {
                Ok(told) => told.await.unwrap_or_else(|_| Err(ending::ended("a record was written"))),
                Err(fault) => Err(fault),
            });
        }
        results
    }

    async fn ending(&self) -> Fault {
        ending::asked().await;
        ending::ended("everything was under way")
    }

    async fn touch(&self, step: StepNumber) -> Result<(), Fault> {
        let _order = self.writing.lock().await;
        self.write_waiting().await;
        let judged = self.machine().touch(self.world.clock.now(), step);
        let Some(entry) = judged.map_err(|refusal| refusal_fault(&refusal))? else { return Ok(()) };
        ending::permits(&entry.record)?;
        self.persist(&[entry]).await
    }

    fn progress(&self, progress: Progress) {
        self.observer.progress(progress);
    }
}
