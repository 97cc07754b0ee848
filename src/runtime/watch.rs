//! `watch`: the same engine without a screen. It observes all tenants, goes on with what `tend` permits, records who is
//! back, and gives whatever has changed to its log. It never begins, turns back, finishes or decides anything.

mod desk;

use crate::domain::step::StepNumber;
use crate::domain::tenant::{Tenant, TenantId};
use crate::engine::case::status::Status;
use crate::engine::command::{Command, Refusal};
use crate::engine::record::RotationId;
use crate::engine::remind;
use crate::engine::status::TenantStatus;
use crate::engine::step::Progress;
use crate::engine::tend::{self, Change, Facts, Tending, Tried};
use crate::runtime::attend::PostLine;
use crate::runtime::conductor::{Conductor, Watcher};
use crate::runtime::desks::Desks;
use crate::runtime::ending;
use crate::runtime::fleet::Fleet;
use crate::runtime::follow::Follower;
use crate::runtime::known::Written;
use crate::runtime::post::Post;
use crate::runtime::run::RunError;
use crate::runtime::signals::Ending;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use sd_notify::NotifyState;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How many tenants are looked at at once: each look is an ssh and three requests.
const AT_ONCE: usize = 8;
/// A tenant at rest is looked at this much rarer than one with an open rotation; its journal is asked as often.
const REST_FACTOR: u32 = 15;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Something of a tenant has changed, whoever changed it.
    Changed(Change),
    /// This process goes on with something.
    Acts(String),
    /// What came of that.
    Did(String),
    /// It did not work; it is tried again, or needs a person.
    Failed(String),
    /// Only a person leads on.
    Person(String),
}

/// Takes the lines.
pub type Log = Arc<dyn Fn(Whose<'_>, Line) + Send + Sync>;

/// Whom a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// A tenant, by name, or the word for what all tenants share.
    Tenant(&'a str),
    /// Another subject, as `kind/name`.
    Subject(&'a str),
}

/// The watcher of the fleet's conductors: compares each status with the one before.
pub struct Logbook {
    log: Log,
    last: Mutex<HashMap<TenantId, Arc<TenantStatus>>>,
    /// The same of the desks.
    cases: Mutex<HashMap<TenantId, Status>>,
}

impl Logbook {
    /// An empty one.
    pub fn new(log: Log) -> Arc<Self> {
        Arc::new(Self { log, last: Mutex::default(), cases: Mutex::default() })
    }
}

impl Watcher for Logbook {
    fn changed(&self, conductor: &Conductor) {
        let now = Arc::new(conductor.status());
        // Locked until the lines are out, so that they come in their order.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.insert(now.tenant.id.clone(), now.clone());
        for change in tend::changes(before.as_deref(), &now) {
            (self.log)(Whose::Tenant(&now.tenant.name), Line::Changed(change));
        }
    }

    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

/// What is remembered of a tenant between two visits.
#[derive(Default)]
struct Visit {
    /// When the world was looked at last.
    looked: Option<Instant>,
    /// What was tried, for which step of which rotation.
    tried: Option<(RotationId, StepNumber, Tried)>,
    /// What was said last to need a person.
    person: Option<String>,
    /// Why a silence that was left open could not be ended, as said last.
    silence: Option<String>,
    /// What was written when it was visited.
    written: Option<Written>,
    /// A rotation is open.
    open: bool,
}

/// What systemd is told of the fleet, kept up with each visit.
#[derive(Default)]
struct Count {
    open: usize,
    persons: usize,
}

impl Count {
    /// A tenant's rotation is open or not, and it needs a person or not.
    fn replace(&mut self, before: &mut (bool, bool), now: (bool, bool)) {
        self.open = self.open + usize::from(now.0) - usize::from(before.0);
        self.persons = self.persons + usize::from(now.1) - usize::from(before.1);
        *before = now;
    }

    fn summary(&self, all: &str) -> String {
        format!("watching {all}; {} rotations open; {} need a person", self.open, self.persons)
    }
}

/// Who is watched, in words.
fn watched(tenants: usize, others: usize) -> String {
    match (tenants, others) {
        (_, 0) => format!("{tenants} tenants"),
        (0, _) => format!("{others} subjects"),
        _ => format!("{tenants} tenants and {others} other subjects"),
    }
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// So many tenants need a person.
    pub persons: usize,
    /// For so many the journal could not be read.
    pub blind: usize,
}

/// The watch over a fleet.
pub struct Watch<'a> {
    fleet: &'a Fleet,
    log: Log,
    /// How often a tenant with an open rotation is looked at.
    interval: Duration,
    looks: Semaphore,
    post: Option<&'a Post>,
    desks: &'a Desks,
}

impl<'a> Watch<'a> {
    /// A watch that has not begun.
    pub fn new(fleet: &'a Fleet, desks: &'a Desks, post: Option<&'a Post>, log: Log, interval: Duration) -> Self {
        Self { fleet, log, interval, looks: Semaphore::new(AT_ONCE), post, desks }
    }

    /// One visit to every tenant.
    pub async fn once(&self) -> Tally {
        if let Some(post) = self.post {
            match post.sort(self.fleet).await {
                Ok(sorted) if sorted.fetched > 0 => self.said(PostLine::Came(sorted)),
                Ok(_) => {}
                Err(fault) => self.said(PostLine::Fails(fault)),
            }
        }
        let visits = self.fleet.conductors().iter().map(|conductor| self.visit(conductor, Visit::default(), true));
        let mut visits: FuturesUnordered<_> = visits.collect();
        let mut tally = Tally::default();
        while let Some((visit, read)) = visits.next().await {
            tally.persons += usize::from(visit.person.is_some());
            tally.blind += usize::from(!read);
        }
        let of_desks = self.desks_once().await;
        tally.persons += of_desks.persons;
        tally.blind += of_desks.blind;
        tally
    }

    /// Visits every tenant again and again until the end is asked for; then what runs comes to a record.
    pub async fn forever(&self, asked: &mut Ending) {
        let conductors = self.fleet.conductors();
        let mut visits: Vec<Option<Visit>> = conductors.iter().map(|_| Some(Visit::default())).collect();
        let (mut flags, mut count, mut said_last) =
            (vec![(false, false); conductors.len()], Count::default(), String::new());
        let mut under_way = FuturesUnordered::new();
        let mut rounds = tokio::time::interval(self.interval);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // systemd wants a sign of life well within its limit; it comes from this loop and from nowhere else.
        let alive = sd_notify::watchdog_enabled().map_or(Duration::from_secs(3600), |limit| limit / 3);
        let mut alive = tokio::time::interval(alive.max(Duration::from_millis(100)));
        let all = watched(conductors.len(), self.desks.all().len());
        tell(&[NotifyState::Ready, NotifyState::Status(&format!("watching {all}"))]);
        let said = |line| self.said(line);
        let attending = async {
            match self.post {
                Some(post) => post.attend(self.fleet, &said).await,
                None => std::future::pending().await,
            }
        };
        // What others write is told within a second or two, however rarely the world is looked at.
        let following = Follower::new(self.fleet).forever();
        let desks = self.desks_forever();
        futures_util::pin_mut!(attending, following, desks);
        loop {
            tokio::select! {
                () = asked.recv() => break,
                () = &mut desks => {}
                () = &mut attending => {}
                () = &mut following => {}
                _ = alive.tick() => tell(&[NotifyState::Watchdog]),
                _ = rounds.tick() => {
                    for (at, conductor) in conductors.iter().enumerate() {
                        // A visit that is still going on is not begun a second time; one that would find what the last one
                        // found is not begun at all.
                        if let Some(visit) = visits[at].take_if(|visit| self.is_due(conductor, visit)) {
                            let look = self.is_look_due(conductor, &visit);
                            under_way.push(async move { (at, self.visit(conductor, visit, look).await) });
                        }
                    }
                }
                Some((at, (visit, _))) = under_way.next() => {
                    count.replace(&mut flags[at], (visit.open, visit.person.is_some()));
                    visits[at] = Some(visit);
                    let text = count.summary(&all);
                    if text != said_last {
                        tell(&[NotifyState::Status(&text)]);
                        said_last = text;
                    }
                }
            }
        }
        tell(&[NotifyState::Stopping, NotifyState::Status("coming to a record")]);
        ending::ask();
        // What runs is carried on to its record; what only looks is dropped.
        let rest = async {
            while under_way.next().await.is_some() {}
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = ending::all_ended() => {}
            () = rest => {}
            () = &mut desks => {}
            () = &mut attending => {}
        }
    }

    /// A visit would find something: a look is due, or somebody has written, or what was tried last is to be tried again.
    fn is_due(&self, conductor: &Conductor, visit: &Visit) -> bool {
        let is_new = || visit.written.as_ref() != Some(&conductor.written());
        self.is_look_due(conductor, visit) || visit.silence.is_some() || is_new()
    }

    fn is_look_due(&self, conductor: &Conductor, visit: &Visit) -> bool {
        let at_work = conductor.rotation().is_some_and(|rotation| rotation.outcome.is_none());
        let pause = if at_work { Duration::ZERO } else { self.interval * REST_FACTOR };
        visit.looked.is_none_or(|looked| looked.elapsed() >= pause)
    }

    /// Looks (or only asks the journal), and goes on with what may be gone on with.
    async fn visit(&self, conductor: &Arc<Conductor>, mut visit: Visit, look: bool) -> (Visit, bool) {
        let Ok(permit) = self.looks.acquire().await else { return (visit, false) };
        // Also a tenant at rest may have got a rotation by another process.
        let read = conductor.follow().await;
        if look || self.is_look_due(conductor, &visit) {
            conductor.look().await;
            visit.looked = Some(Instant::now());
        }
        drop(permit);
        if conductor.is_lost() {
            // Whatever this process has done itself before: nothing goes on from a journal that has gone back in time.
            let status = conductor.status();
            self.call_for(&status.tenant, &mut visit, Some(status.leading().join("; ")));
        } else if read {
            self.tend(conductor, &mut visit).await;
            self.end_silence(conductor, &mut visit).await;
            self.remind(conductor).await;
        }
        visit.written = Some(conductor.written()).filter(|_| read);
        visit.open = conductor.rotation().is_some_and(|rotation| rotation.outcome.is_none());
        (visit, read)
    }

    /// Reminds those whose time has come, as the configuration has it.
    async fn remind(&self, conductor: &Conductor) {
        let Some(schedule) = conductor.reminders() else { return };
        if self.post.is_some_and(|post| !post.has_looked()) {
            return;
        }
        let Some(rotation) = conductor.rotation().filter(|_| !conductor.is_held()) else { return };
        let Some(due) = remind::due(&rotation, schedule) else { return };
        // Whoever holds it makes the next record copy it.
        drop(rotation);
        let only = due.now(Timestamp::now());
        if only.is_empty() {
            return;
        }
        let name = &conductor.tenant().name;
        (self.log)(Whose::Tenant(name), Line::Acts(format!("{} to {}", due.kind.word(), only.len())));
        match conductor.run(Command::Notify { kind: due.kind, only: Some(only), again: false }).await {
            Ok(done) => (self.log)(Whose::Tenant(name), Line::Did(done)),
            Err(RunError::Refused(Refusal::Held(_))) => {}
            Err(error) => (self.log)(Whose::Tenant(name), Line::Failed(format!("{error}; {}", error.advice()))),
        }
    }

    /// Ends the silence that a process has left open, behind a resume that could have needed it.
    async fn end_silence(&self, conductor: &Conductor, visit: &mut Visit) {
        let rotation = conductor.rotation();
        let facts = Facts {
            rotation: rotation.as_deref(),
            held: conductor.is_held(),
            secrets: None,
            tried: Tried::default(),
            now: Timestamp::now(),
        };
        if !tend::is_silence_left(&facts) {
            visit.silence = None;
            return;
        }
        let name = &conductor.tenant().name;
        match conductor.run(Command::EndSilence).await {
            Ok(done) => (self.log)(Whose::Tenant(name), Line::Did(done)),
            Err(RunError::Refused(_)) => {}
            Err(error) => {
                let failed = Some(format!("{error}; {}", error.advice()));
                if let Some(text) = failed.as_ref().filter(|_| visit.silence != failed) {
                    (self.log)(Whose::Tenant(name), Line::Failed(text.clone()));
                }
                visit.silence = failed;
            }
        }
    }

    /// What the mailbox tells.
    fn said(&self, line: PostLine) {
        const MAILBOX: &str = "mailbox";
        match line {
            PostLine::Came(sorted) => {
                for (tenant, text) in &sorted.taken {
                    (self.log)(Whose::Tenant(tenant), Line::Did(format!("mails: {text}")));
                }
                for (tenant, why) in &sorted.waiting {
                    (self.log)(Whose::Tenant(tenant), Line::Failed(format!("mails are not taken in yet: {why}")));
                }
                if sorted.strays > 0 {
                    (self.log)(
                        Whose::Tenant(MAILBOX),
                        Line::Person(format!("{}: see `changeguard mail strays`", sorted.stray_words())),
                    );
                }
            }
            PostLine::Fails(fault) => {
                (self.log)(Whose::Tenant(MAILBOX), Line::Failed(format!("{fault}; {}", fault.advice())))
            }
            PostLine::Again => (self.log)(Whose::Tenant(MAILBOX), Line::Did("can be read again".into())),
        }
    }

    async fn tend(&self, conductor: &Conductor, visit: &mut Visit) {
        let (rotation, held, secrets) = (conductor.rotation(), conductor.is_held(), conductor.secrets());
        let tenant = conductor.tenant();
        let id = rotation.as_ref().map(|rotation| rotation.id.clone());
        let tried = |step: Option<StepNumber>| match &visit.tried {
            Some((rotation, at, tried)) if Some(rotation) == id.as_ref() && step.is_none_or(|step| step == *at) => {
                *tried
            }
            _ => Tried::default(),
        };
        let facts = |tried| Facts { rotation: rotation.as_deref(), held, secrets, tried, now: Timestamp::now() };
        let first = tend::tend(&facts(Tried::default()));
        let Tending::Resume { step, .. } = first else {
            let person = if let Tending::Person(why) = first { Some(why) } else { None };
            self.call_for(tenant, visit, person);
            return;
        };
        let before = tried(Some(step));
        let Tending::Resume { why, not_before, .. } = tend::tend(&facts(before)) else { return };
        let now = Timestamp::now();
        if not_before.is_some_and(|moment| moment > now) {
            return;
        }
        (self.log)(Whose::Tenant(&tenant.name), Line::Acts(format!("resumes: {why}")));
        let times = before.times + 1;
        let result = conductor.run(Command::Resume).await;
        visit.tried = id.map(|id| (id, step, Tried { times, last: Some(Timestamp::now()) }));
        let person = match result {
            Ok(done) => {
                (self.log)(Whose::Tenant(&tenant.name), Line::Did(done));
                None
            }
            // Somebody else was faster, and is at work.
            Err(RunError::Refused(Refusal::Held(_))) => None,
            Err(RunError::Refused(refusal @ (Refusal::NeedsPerson(_) | Refusal::JournalLost(_)))) => {
                Some(refusal.to_string())
            }
            Err(error) => {
                (self.log)(Whose::Tenant(&tenant.name), Line::Failed(format!("{error}; {}", error.advice())));
                None
            }
        };
        self.call_for(tenant, visit, person);
    }

    /// Says once that a person is needed, and again only when it is for something else.
    fn call_for(&self, tenant: &Tenant, visit: &mut Visit, person: Option<String>) {
        if let Some(why) = person.as_ref().filter(|_| visit.person != person) {
            (self.log)(Whose::Tenant(&tenant.name), Line::Person(why.clone()));
        }
        visit.person = person;
    }
}

/// Tells systemd; without it nobody listens, and that is fine.
fn tell(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
