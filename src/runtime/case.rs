//! One subject's desk, whatever its runbook: takes the lease, loads the journal, carries an order out, looks at the world between
//! orders, and says what is true. What runs under the lease is `run`'s.

mod history;
mod letters;
mod loss;
mod onlooker;
mod pause;
mod recover;
mod run;
mod seat;

pub use history::history;
pub use onlooker::Onlooker;
pub use run::RunFault;
pub use seat::{CaseMailbox, Postman, Seat};

use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::case::gate::{self, Verdict};
use crate::engine::case::machine::{Asked, Order, Refusal, taking_over};
use crate::engine::case::record::CaseId;
use crate::engine::case::runbook::{Case, Runbook, Seen, Step, Strays};
use crate::engine::case::status::{self, Line, Status};
use crate::engine::case::tend::{self, Tending};
use crate::engine::journal::{Holder, JournalStore, Lease};
use crate::engine::mailbox::{Matched, Tally};
use crate::engine::ports::Letter;
use crate::engine::record::RotationId;
use crate::engine::witness::{Lost, Sign, Witnessed};
use crate::runtime::ending;
use crate::runtime::fence::lost;
use crate::runtime::lease::Taker;
use crate::runtime::lookout::{BEAT, FALLEN_QUIET, LEASE_TTL, Life, Lookout};
use crate::runtime::run::Taken;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use run::Run;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The one seam above which nobody knows a runbook: fleet, screen, `watch` and command line see nothing else.
#[async_trait]
pub trait Desk: Send + Sync {
    /// `kind/name`.
    fn subject(&self) -> &str;
    /// The same as a key of the store.
    fn key(&self) -> &TenantId;
    /// The journal's store.
    fn store(&self) -> &Arc<dyn JournalStore>;
    /// Whether a case is open, by the journal as it was read last.
    fn is_open(&self) -> bool;
    /// What may be done without a person.
    fn tending(&self) -> Tending;
    /// What is true now, by the journal and the last look.
    fn status(&self) -> Status;
    /// Reads the journal, if somebody else has written to it, and who holds the subject.
    async fn reload(&self) -> Result<(), Fault>;
    /// The same, and tells the onlooker if anything is another than before. Gives whether it could be read.
    async fn follow(&self) -> bool;
    /// Looks at everything outside.
    async fn look(&self);
    /// The same, unless an order of ours has just looked and nothing was changed since.
    async fn look_again(&self);
    /// Carries an order out. Gives what was achieved.
    async fn run(&self, order: Order) -> Result<String, RunFault>;
    /// The mails that would go out now, as [`Order::Notify`] means them. Sends nothing.
    async fn previews(&self, only: &[String], again: bool) -> Result<Vec<Letter>, Fault>;
    /// Takes in mails of those who were asked, unless something is at work here.
    async fn take_mails(&self, mails: Vec<Matched>) -> Result<Tally, RunFault>;
}

struct Known<R: Runbook> {
    case: Option<Arc<Case<R>>>,
    lines: Vec<Line>,
    sights: R::Sights,
    holder: Option<Holder>,
    /// Since when that one has given no sign of life, where some are missed.
    quiet_since: Option<Timestamp>,
    running: bool,
    /// Why the journal could not be read last.
    unread: Option<Fault>,
    /// What this host or process has seen of the journal besides.
    witnessed: Witnessed,
    /// So many looks were begun, and this one gave the sights.
    looks: (u64, u64),
    /// The ids of all cases that the journal has.
    cases: Vec<String>,
    /// How far the journal was when the look was begun that gave the sights.
    sighted: Option<Option<(CaseId, u64)>>,
    /// Since when nothing was changed from here: the beginning of the last look under a lease of ours, behind which no fence was asked.
    unchanged_since: Option<Timestamp>,
}

/// So long a look stands for another one, where nothing was changed since.
const LOOK_LASTS: SignedDuration = SignedDuration::from_secs(10);

impl<R: Runbook> Known<R> {
    /// How far the journal is.
    fn reached(&self) -> Option<(CaseId, u64)> {
        self.case.as_ref().map(|case| (case.core.id.clone(), case.core.seq))
    }
}

/// The desk of a subject with this runbook.
pub struct CaseDesk<R: Runbook> {
    seat: Seat,
    world: R::World,
    steps: Vec<Box<dyn Step<R>>>,
    known: Mutex<Known<R>>,
    /// One order at a time.
    busy: tokio::sync::Mutex<()>,
    lookout: Lookout,
    /// Why the mailbox could not be read when a gate was judged last.
    mailbox: Mutex<Option<Fault>>,
}

impl<R: Runbook> CaseDesk<R> {
    /// A desk that knows nothing yet; call [`Desk::reload`] and [`Desk::look`].
    pub fn new(seat: Seat, world: R::World) -> Self {
        let (sights, lines, holder, quiet_since, unread) = (R::Sights::default(), Vec::new(), None, None, None);
        let (case, witnessed, running, looks) = (None, Witnessed::default(), false, (0, 0));
        let (cases, sighted, unchanged_since) = (Vec::new(), None, None);
        let known = Known {
            case,
            lines,
            sights,
            holder,
            quiet_since,
            running,
            unread,
            witnessed,
            looks,
            cases,
            sighted,
            unchanged_since,
        };
        let (known, busy, lookout) = (Mutex::new(known), tokio::sync::Mutex::new(()), Lookout::default());
        Self { seat, world, steps: R::steps(), known, busy, lookout, mailbox: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known<R>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the gate before a stretch says now.
    fn gate(&self, case: Option<&Case<R>>, sights: &R::Sights, stretch: &str) -> Verdict {
        let open = case.filter(|case| case.core.is_open());
        let mut facts = R::facts(&self.world, stretch, open, sights, self.seat.clock.now());
        facts.extend(self.unread_mailbox(open));
        gate::judge(facts, |fact| open.is_some_and(|case| case.core.set_aside.contains_key(fact)))
    }

    /// Looks at everything outside; what an earlier look sees later does not take its place.
    async fn take_look(&self, case: Option<&Case<R>>) {
        let (mut sights, look, reached) = {
            let mut known = self.known();
            known.looks.0 += 1;
            (known.sights.clone(), known.looks.0, known.reached())
        };
        R::look(&self.world, case, &mut sights).await;
        let mut known = self.known();
        if look > known.looks.1 {
            (known.sights, known.looks.1, known.sighted) = (sights, look, Some(reached));
        }
    }

    /// What comes behind a look.
    async fn looked(&self) {
        // What somebody has begun since is in the journal by now.
        let astray = self.astray(&self.known()).is_some();
        if astray {
            let _ = self.reload().await;
        }
        self.seat.onlooker.changed(self);
    }

    /// The same under a lease of ours: nobody of ours changes anything meanwhile.
    async fn look_of_ours(&self, case: Option<&Case<R>>) {
        let begun = self.seat.clock.now();
        self.take_look(case).await;
        self.known().unchanged_since = Some(begun);
    }

    /// The same, unless the last one stands for it.
    async fn look_if_old(&self, case: Option<&Case<R>>) {
        if self.looked_just_now() {
            let mut known = self.known();
            // What the journal has gone on since changes nothing outside.
            known.sighted = Some(known.reached());
        } else {
            self.look_of_ours(case).await;
        }
    }

    fn looked_just_now(&self) -> bool {
        let now = self.seat.clock.now();
        let lasts = |at: Timestamp| (SignedDuration::ZERO..LOOK_LASTS).contains(&now.duration_since(at));
        self.known().unchanged_since.is_some_and(lasts)
    }

    /// What lies outside and does not fit the journal. What was seen before the journal has gone on, or while somebody else is at work,
    /// tells nothing of it.
    fn strays(&self, known: &Known<R>) -> Strays {
        if known.holder.is_some() || known.sighted.as_ref() != Some(&known.reached()) {
            return Strays::default();
        }
        let is_known = |id: &str| known.cases.iter().any(|case| case.eq_ignore_ascii_case(id));
        R::strays(&self.world, known.case.as_deref(), &is_known, &known.sights)
    }

    /// By that the end of the journal is lost.
    fn astray(&self, known: &Known<R>) -> Option<Lost> {
        let (case, text) = self.strays(known).lost?;
        Some(Lost { ends_at: 0, sign: Sign::Beside { case: RotationId(case.0), text } })
    }

    /// The end of the journal is lost, by a witness or by what lies outside.
    fn lost(&self, known: &Known<R>) -> Option<Lost> {
        known.witnessed.lost.clone().or_else(|| self.astray(known).filter(|_| !known.running))
    }

    /// Somebody else with a lease who is not dead, and since when they have given no sign of life where some are missed.
    async fn other_holder(&self) -> Result<Option<(Holder, Option<Timestamp>)>, Fault> {
        let holders = self.seat.store.holders().await?;
        let holder = holders.into_iter().find(|(subject, _)| *subject == self.seat.key).map(|(_, holder)| holder);
        let Some(holder) = holder.filter(|holder| !holder.is_same_instance(&self.seat.me)) else {
            self.lookout.forget();
            return Ok(None);
        };
        let life = self.lookout.see(&holder, &self.seat.me, self.seat.clock.now());
        let quiet_since = match life {
            Life::Quiet(quiet) | Life::Runs(quiet) if quiet > FALLEN_QUIET => self.lookout.quiet_since(),
            _ => None,
        };
        Ok(Some((holder, quiet_since)).filter(|_| !life.is_over()))
    }

    /// The last case as the journal tells it, with its lines, and what is known of a part of the journal that is lost.
    async fn load(&self) -> Result<(Option<Case<R>>, Vec<Line>), Fault> {
        let heads = self.seat.store.heads(Some(&self.seat.key)).await?;
        {
            let mut known = self.known();
            known.witnessed = self.seat.store.witnessed(&self.seat.key);
            known.cases = heads.iter().map(|head| head.rotation.0.clone()).collect();
        }
        let Some(head) = heads.first() else { return Ok((None, Vec::new())) };
        history(&self.seat.store.load(&head.rotation).await?)
    }

    /// Reads the journal and who holds the subject.
    async fn read(&self) -> Result<(), Fault> {
        let holder = self.other_holder().await?;
        if self.known().running {
            return Ok(());
        }
        let (mut case, lines) = self.load().await?;
        if let (Some(case), None) = (&mut case, &holder) {
            case.core.interrupt();
        }
        let mut known = self.known();
        if !known.running {
            (known.case, known.lines) = (case.map(Arc::new), lines);
            let (holder, quiet_since) = holder.unzip();
            (known.holder, known.quiet_since) = (holder, quiet_since.flatten());
        }
        Ok(())
    }

    async fn acquire(&self, order: &Order) -> Result<(Lease, Option<Taken>), RunFault> {
        let now = self.seat.clock.now();
        let me = Holder { since: now, heartbeat: now, ..self.seat.me.clone() };
        let force = match order {
            Order::TakeOver { confirm, reason } => {
                let reason = taking_over(&self.seat.subject, &self.seat.name, confirm, reason)?;
                let holder = self.seat.store.holder(&self.seat.key).await?;
                if holder.is_none_or(|holder| holder.is_same_instance(&me)) {
                    let text = format!("nobody else holds {}; just go on", self.seat.subject);
                    return Err(Refusal::NotNow(text).into());
                }
                Some(reason)
            }
            _ => None,
        };
        let (store, tenant, patience) = (self.seat.store.as_ref(), &self.seat.key, self.seat.onlooker.patience());
        let taker = Taker { store, tenant, me: &me, lookout: &self.lookout, patience };
        let tell = |text: String| self.seat.onlooker.waits(&self.seat.subject, &text);
        match taker.take(force.as_deref(), &tell).await? {
            Ok(taken) => Ok(taken),
            Err(holder) => {
                self.known().holder = Some(holder.clone());
                Err(RunFault::Held(Box::new(holder)))
            }
        }
    }

    /// Signs of life until the lease is lost.
    async fn beat(&self, lease: &Lease) -> Fault {
        loop {
            self.seat.clock.sleep(BEAT).await;
            let at = Instant::now();
            match self.seat.store.renew(lease, self.seat.clock.now()).await {
                Ok(true) => self.seat.fence.beaten(lease, at),
                Ok(false) => {
                    self.seat.fence.shut();
                    return lost();
                }
                // The store is away; the lease may be ours still, and the fence asks before each act.
                Err(_) => {}
            }
        }
    }

    async fn run_under(&self, lease: &Lease, order: Order, from: Option<Taken>) -> Result<String, RunFault> {
        let (mut case, lines) = self.load().await?;
        if let Some(case) = &mut case {
            // Under this lease nothing of it can be running.
            case.core.interrupt();
        }
        {
            let mut known = self.known();
            (known.case, known.lines) = (case.clone().map(Arc::new), lines);
        }
        let lost: Option<Lost> = self.known().witnessed.lost.clone();
        Run::new(self, lease, case, lost).listening(self.last_asked().await?).carry_out(order, from).await
    }
}

#[async_trait]
impl<R: Runbook> Desk for CaseDesk<R> {
    fn subject(&self) -> &str {
        &self.seat.subject
    }

    fn key(&self) -> &TenantId {
        &self.seat.key
    }

    fn store(&self) -> &Arc<dyn JournalStore> {
        &self.seat.store
    }

    fn is_open(&self) -> bool {
        self.known().case.as_ref().is_some_and(|case| case.core.is_open())
    }

    fn tending(&self) -> Tending {
        let known = self.known();
        let case = known.case.as_deref();
        if known.holder.is_some() {
            return Tending::Leave;
        }
        if let Some(lost) = self.lost(&known) {
            return Tending::Person(lost.to_string());
        }
        let telling = R::tell(&self.world, case, &known.sights, self.seat.clock.now());
        let gate = |stretch: &str| self.gate(case, &known.sights, stretch);
        tend::tend(R::spec(), case.map(|case| &case.core), &self.seat.name, &gate, &telling.alone)
    }

    fn status(&self) -> Status {
        let known = self.known();
        let case = known.case.as_deref();
        let mut telling = R::tell(&self.world, case, &known.sights, self.seat.clock.now());
        if let Some(fault) = &known.unread {
            let fault = fault.to_string();
            telling.attention.insert(0, format!("the journal can't be read: {fault}"));
            telling.seen.insert(0, Seen { name: "journal".into(), at: None, fault: Some(fault) });
        }
        telling.attention.extend(known.witnessed.note.clone());
        if !known.running {
            telling.attention.extend(self.strays(&known).left);
        }
        let lost = self.lost(&known);
        let gate = |stretch: &str| self.gate(case, &known.sights, stretch);
        let road = || match case {
            Some(case) => R::way_back(case),
            None => Err("no case is open".to_owned()),
        };
        let (awaited, questions) = self.people(case);
        let asked = Asked {
            spec: R::spec(),
            subject: &self.seat.subject,
            name: &self.seat.name,
            core: case.map(|case| &case.core),
            gate: &gate,
            awaited: &awaited,
            questions: &questions,
            road: &road,
            // None is opened here.
            new: CaseId(String::new()),
            lost: lost.as_ref(),
        };
        let step = |number| self.steps.iter().find(|step| step.number() == number);
        let troubles = |number| step(number).map_or(&[][..], |step| step.troubles());
        let lines = known.lines.clone();
        let status = status::derive(&asked, lines, telling, known.holder.as_ref(), &troubles, known.running);
        match (&known.unread, known.quiet_since) {
            (Some(fault), _) => status.blind(fault),
            (None, Some(since)) => status.quiet(since, LEASE_TTL),
            (None, None) => status,
        }
    }

    async fn reload(&self) -> Result<(), Fault> {
        let read = self.read().await;
        self.known().unread = read.as_ref().err().cloned();
        read
    }

    async fn follow(&self) -> bool {
        let written = || {
            let known = self.known();
            let case = known.case.as_ref().map(|case| (case.core.id.clone(), case.core.seq));
            let held = (known.holder.as_ref().map(ToString::to_string), known.quiet_since);
            (case, held, known.unread.is_some(), known.witnessed.clone())
        };
        let before = written();
        let read = self.reload().await.is_ok();
        if written() != before {
            self.seat.onlooker.changed(self);
        }
        read
    }

    async fn look(&self) {
        self.mailbox_is(None);
        let case = self.known().case.clone();
        self.take_look(case.as_deref()).await;
        self.looked().await;
    }

    async fn look_again(&self) {
        if !self.looked_just_now() {
            self.look().await;
        }
    }

    async fn previews(&self, only: &[String], again: bool) -> Result<Vec<Letter>, Fault> {
        self.letters_due(only, again).await
    }

    async fn take_mails(&self, mails: Vec<Matched>) -> Result<Tally, RunFault> {
        self.take_in(mails).await
    }

    async fn run(&self, order: Order) -> Result<String, RunFault> {
        if let Order::Pause { reason } = &order {
            return self.ask_to_pause(reason).await;
        }
        // A second order waits, and is then judged against the state after the first.
        let _busy = self.busy.lock().await;
        let ended = || Refusal::NotNow("the program is ending".into());
        // Held until the lease is given back: the program does not exit before.
        let _work = ending::begin().await.ok_or_else(ended)?;
        let (lease, from) = self.acquire(&order).await?;
        self.seat.fence.take(lease.clone());
        self.known().running = true;
        let result = {
            let mut running = Box::pin(self.run_under(&lease, order, from));
            let heartbeat = self.beat(&lease);
            futures_util::pin_mut!(heartbeat);
            tokio::select! {
                biased;
                result = &mut running => result,
                fault = heartbeat => match running.await {
                    Ok(achieved) => Err(fault.hint(format!("done and recorded before that: {achieved}")).into()),
                    failed => failed,
                },
                () = ending::is_due() => Err(ending::ended("the rest of it").into()),
            }
        };
        {
            let mut known = self.known();
            known.running = false;
            if let Some(case) = &mut known.case {
                Arc::make_mut(case).core.interrupt();
            }
        }
        self.seat.fence.shut();
        if !ending::is_asked() {
            let case = self.known().case.clone();
            self.look_if_old(case.as_deref()).await;
            self.looked().await;
        }
        let released = self.seat.store.release(&lease).await;
        let _ = self.reload().await;
        self.seat.onlooker.changed(self);
        let achieved = match result {
            Err(RunFault::Fault(fault)) => return Err(self.told_of_loss(&lease, fault).await.into()),
            result => result?,
        };
        Ok(match released {
            Ok(()) => achieved,
            // What was asked was done and is in the journal.
            Err(fault) => format!("{achieved}; but the subject could not be given back: others wait for it ({fault})"),
        })
    }
}
