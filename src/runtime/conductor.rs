//! One tenant's conductor: takes the lease, loads the journal, carries a command out, looks at the world between
//! commands, and says what is true. Screen and command line both work through it.

use crate::domain::client::ClientId;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::{Presence, judge_presence};
use crate::domain::notice::NoticeKind;
use crate::domain::reminder::Schedule;
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::Tenant;
use crate::engine::command::{Command, Refusal};
use crate::engine::journal::{Holder, Lease};
use crate::engine::machine::{Input, Machine, Rules, SendOrder};
use crate::engine::mailing;
use crate::engine::observe::{self, Sights};
use crate::engine::ports::{Letter, NoticeRequest, World};
use crate::engine::record::{Actor, Entry, RECORD_VERSION, Record, RotationId};
use crate::engine::rotation::Rotation;
use crate::engine::status::{self, TenantStatus, Viewer};
use crate::engine::step::{Progress, Runbook};
use crate::runtime::ending;
use crate::runtime::fence::{LeaseFence, lost};
use crate::runtime::run::{Observer, Run, RunError, Taken};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A holder without a sign of life for this long is taken to be dead.
pub const LEASE_TTL: Duration = Duration::from_secs(30);

/// A silence that can't be ended in this time is left to end by itself: the end of the program must not wait for it.
const SILENCE_ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Who wants to know that something of a tenant has changed.
pub trait Watcher: Send + Sync {
    /// The status is another one.
    fn changed(&self, conductor: &Conductor);
    /// A step of a running command is so far.
    fn progress(&self, tenant: &Tenant, progress: Progress);
}

#[derive(Default)]
struct Known {
    entries: Vec<Entry>,
    rotation: Option<Arc<Rotation>>,
    sights: Sights,
    /// A command is being carried out by this process.
    running: bool,
}

impl Known {
    /// A command has ended. What it left begun is interrupted, also where the journal could not be told and is not newer.
    fn not_running(&mut self) {
        self.running = false;
        if let Some(rotation) = &mut self.rotation {
            Arc::make_mut(rotation).interrupt();
        }
    }
}

/// The conductor of one tenant.
pub struct Conductor {
    world: World,
    runbook: Arc<Runbook>,
    me: Holder,
    actor: Actor,
    watcher: Arc<dyn Watcher>,
    known: Mutex<Known>,
    /// One command at a time.
    busy: tokio::sync::Mutex<()>,
    /// The right to change something outside.
    fence: Arc<LeaseFence>,
}

impl Conductor {
    /// A conductor that knows nothing yet; call [`Conductor::reload`] and [`Conductor::look`].
    pub fn new(
        world: World,
        runbook: Arc<Runbook>,
        me: Holder,
        actor: Actor,
        fence: Arc<LeaseFence>,
        watcher: Arc<dyn Watcher>,
    ) -> Self {
        let known = Mutex::default();
        Self { world, runbook, me, actor, watcher, known, busy: tokio::sync::Mutex::new(()), fence }
    }

    /// Whose conductor it is.
    pub fn tenant(&self) -> &Tenant {
        &self.world.tenant
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is true now, from the journal and the last look.
    pub fn status(&self) -> TenantStatus {
        let titles = std::array::from_fn(|at| self.runbook.steps[at].title());
        let known = self.known();
        let (rotation, now) = (known.rotation.as_deref(), self.world.clock.now());
        let (tenant, settings) = (&self.world.tenant, &self.world.settings);
        let viewer = Viewer { person: &self.actor.person, now };
        status::derive(tenant, rotation, &known.entries, &known.sights, settings, &titles, viewer)
    }

    /// Reads the journal again, if another process has written to it, and who holds the tenant.
    pub async fn reload(&self) -> Result<(), Fault> {
        let holder = self.other_holder().await?;
        let heads = self.world.store.heads(Some(&self.world.tenant.id)).await?;
        let Some(head) = heads.into_iter().next() else {
            self.known().sights.holder = holder;
            return Ok(());
        };
        {
            let mut known = self.known();
            let same = known.rotation.as_ref().is_some_and(|r| r.id == head.rotation && r.seq == head.last_seq);
            let was_held = known.sights.holder.is_some();
            known.sights.holder = holder.clone();
            if known.running || (same && was_held == holder.is_some()) {
                return Ok(());
            }
        }
        let entries = self.world.store.load(&head.rotation).await?;
        let mut rotation = Rotation::fold(&entries)?;
        if holder.is_none() {
            rotation.interrupt();
        }
        let mut known = self.known();
        if !known.running {
            known.entries = entries;
            known.rotation = Some(Arc::new(rotation));
        }
        Ok(())
    }

    /// Who has the lease in the store, living or not.
    async fn holder(&self) -> Result<Option<Holder>, Fault> {
        let holders = self.world.store.holders().await?;
        Ok(holders.into_iter().find(|(tenant, _)| *tenant == self.world.tenant.id).map(|(_, holder)| holder))
    }

    fn is_me(&self, holder: &Holder) -> bool {
        holder.host == self.me.host && holder.pid == self.me.pid
    }

    /// Looks only whether somebody else has written or taken the tenant, and tells the watcher if so. A fault is left to
    /// the next look, which shows it.
    pub async fn follow(&self) {
        let state = |known: &Known| {
            let holder = known.sights.holder.as_ref().map(|holder| (holder.host.clone(), holder.pid, holder.since));
            (holder, known.rotation.as_ref().map(|rotation| (rotation.id.clone(), rotation.seq)))
        };
        let before = {
            let known = self.known();
            if known.running {
                return;
            }
            state(&known)
        };
        let read = self.reload().await.is_ok();
        let changed = read && state(&self.known()) != before;
        if changed {
            self.watcher.changed(self);
        }
    }

    /// Somebody else with a living lease.
    async fn other_holder(&self) -> Result<Option<Holder>, Fault> {
        let now = self.world.clock.now();
        let alive = |holder: &Holder| now.as_second() - holder.heartbeat.as_second() <= LEASE_TTL.as_secs() as i64;
        Ok(self.holder().await?.filter(|holder| !self.is_me(holder) && alive(holder) && !self.is_dead(holder)))
    }

    /// A process of this host that is no more can't come back; its lease need not run out first.
    fn is_dead(&self, holder: &Holder) -> bool {
        let pid = i32::try_from(holder.pid).ok().and_then(rustix::process::Pid::from_raw);
        let gone = |pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH);
        holder.host == self.me.host && pid.is_some_and(gone)
    }

    /// One look at everything outside, and at the journal. Faults become part of the status.
    pub async fn look(&self) {
        let mut sights = Sights::default();
        let (reloaded, ()) = futures_util::join!(self.reload(), observe::look(&self.world, &mut sights));
        {
            let mut known = self.known();
            let old = std::mem::take(&mut known.sights);
            known.sights = old.renewed_by(sights);
            if let Err(fault) = reloaded {
                // The journal's fault must be seen: without it nothing can be done.
                known.sights.secret.fault.get_or_insert((self.world.clock.now(), fault));
            }
        }
        if self.busy.try_lock().is_ok() && self.somebody_is_newly_back() {
            // Recorded at once, so that it is known even if the next reading fails; somebody else's lease is respected.
            let _ = self.run(Command::Verify).await;
        }
        self.watcher.changed(self);
    }

    fn somebody_is_newly_back(&self) -> bool {
        let known = self.known();
        let Some(rotation) = known.rotation.as_ref().filter(|rotation| rotation.outcome.is_none()) else {
            return false;
        };
        let (Some(applied), Some(reading)) = (&rotation.applied, known.sights.server.value()) else { return false };
        let newly = |client: &crate::domain::client::Client| {
            let key = client.public_key.as_ref();
            key.is_some_and(|key| judge_presence(&applied.baseline, reading, key) >= Presence::ProbablyBack)
        };
        !known.running && rotation.not_back().into_iter().any(newly)
    }

    /// Carries a command out under the tenant's lease. Gives what was achieved.
    pub async fn run(&self, command: Command) -> Result<String, RunError> {
        // A second command waits, and is then judged against the state after the first.
        let _busy = self.busy.lock().await;
        // Held until the lease is given back: the program does not exit before.
        let ended = || Refusal::NotNow("the program is ending".into());
        let _work = ending::begin().await.ok_or_else(ended)?;
        let (lease, from) = self.acquire(&command).await?;
        let doing = command.word();
        let ends_silence = command == Command::EndSilence;
        self.fence.take(lease.clone());
        self.known().running = true;
        let result = {
            let running = self.run_under(&lease, command, from);
            let heartbeat = self.beat(&lease);
            futures_util::pin_mut!(running, heartbeat);
            tokio::select! {
                biased;
                result = &mut running => result,
                fault = heartbeat => {
                    // The journal refuses every further record by itself; what is under way ends at its next record.
                    let result = running.await;
                    result.and(Err(fault.into()))
                }
                // What runs had its time to come to a record by itself; the rest of it is dropped here.
                () = ending::is_due() => Err(ending::ended("the rest of it").into()),
            }
        };
        if !ends_silence {
            self.end_silence(&lease).await;
        }
        self.known().not_running();
        self.fence.shut();
        if result.is_err() && matches!(self.world.store.holds(&lease).await, Ok(false)) {
            self.witness_loss(doing).await;
        }
        let released = self.world.store.release(&lease).await;
        let _ = self.reload().await;
        self.watcher.changed(self);
        let achieved = result?;
        released?;
        Ok(achieved)
    }

    /// However a command ended: nobody is at work now, so the alert is expected no more. What fails here is shown with the
    /// status, and tried again by `watch`.
    async fn end_silence(&self, lease: &Lease) {
        let is_open = self.known().rotation.as_ref().is_some_and(|rotation| rotation.silence.is_some());
        if is_open {
            let ending = self.run_under(lease, Command::EndSilence, None);
            tokio::time::timeout(SILENCE_ENDS_WITHIN, ending).await.ok();
        }
    }

    /// A take-over is journaled on both sides: whoever took it writes into the rotation, we into the tenant's lease log.
    async fn witness_loss(&self, doing: &str) {
        let to = self.holder().await.ok().flatten().map(|holder| holder.to_string());
        let Actor { by, host, person, ssh } = self.actor.clone();
        let record = Record::LeaseLost { doing: doing.to_owned(), to };
        let (at, person) = (self.world.clock.now(), Some(person));
        let entry = Entry { seq: 0, version: RECORD_VERSION, at, by, host, person, ssh, record };
        // Best effort: the journal that can't be reached now has shown us the loss a moment ago.
        let _ = self.world.store.witness(&self.world.tenant.id, &entry).await;
    }

    /// Takes the lease: the free one, one whose holder is gone, or by force the one of a living holder. Gives from whom.
    async fn acquire(&self, command: &Command) -> Result<(Lease, Option<Taken>), RunError> {
        let (store, tenant) = (&self.world.store, &self.world.tenant.id);
        let now = self.world.clock.now();
        let me = Holder { since: now, heartbeat: now, ..self.me.clone() };
        let before = self.holder().await?.filter(|holder| !self.is_me(holder));
        let force = match command {
            Command::TakeOver { confirm, reason } => {
                let name = &self.world.tenant.name;
                if confirm != name {
                    return Err(Refusal::BadInput(format!("type the tenant's name, {name}, to confirm")).into());
                }
                if sanitize(reason).is_empty() {
                    return Err(Refusal::BadInput("say why you take it over (a reason)".into()).into());
                }
                if before.is_none() {
                    return Err(Refusal::NotNow("nobody else holds the tenant; just go on".into()).into());
                }
                Some(sanitize(reason))
            }
            _ => None,
        };
        let stolen = || Refusal::NotNow("somebody else has just taken the tenant; look again".into());
        match store.acquire(tenant, &me, LEASE_TTL).await? {
            Ok(lease) => {
                let why =
                    |holder: &Holder| format!("no sign of life since {}", holder.heartbeat.strftime("%H:%M:%S UTC"));
                let taken =
                    before.map(|from| Taken { reason: force.unwrap_or_else(|| why(&from)), from, forced: false });
                Ok((lease, taken))
            }
            Err(holder) if self.is_dead(&holder) || force.is_some() => {
                let lease = store.take_from(tenant, &holder, &me).await?.ok_or_else(stolen)?;
                let forced = !self.is_dead(&holder);
                let reason = force.unwrap_or_else(|| format!("its process {} is no more", holder.pid));
                Ok((lease, Some(Taken { from: holder, reason, forced })))
            }
            Err(holder) => {
                self.known().sights.holder = Some(holder.clone());
                Err(Refusal::Held(holder).into())
            }
        }
    }

    /// Signs of life until the lease is lost.
    async fn beat(&self, lease: &Lease) -> Fault {
        loop {
            self.world.clock.sleep(LEASE_TTL / 5).await;
            if let Ok(false) = self.world.store.renew(lease, self.world.clock.now()).await {
                self.fence.shut();
                return lost();
            }
        }
    }

    async fn run_under(&self, lease: &Lease, command: Command, from: Option<Taken>) -> Result<String, RunError> {
        let heads = self.world.store.heads(Some(&self.world.tenant.id)).await?;
        let entries = match heads.first() {
            Some(head) => self.world.store.load(&head.rotation).await?,
            None => Vec::new(),
        };
        let mut rotation = if entries.is_empty() { None } else { Some(Rotation::fold(&entries)?) };
        if let Some(rotation) = &mut rotation {
            // Under this lease nothing of it can be running: whatever was begun and not ended is interrupted.
            rotation.interrupt();
        }
        {
            let mut known = self.known();
            known.entries = entries;
            known.rotation = rotation.clone().map(Arc::new);
        }
        let mut random = [0u8; 3];
        self.world.entropy.fill(&mut random)?;
        let new_id = RotationId::new(self.world.clock.now(), random);
        let rules = Rules::of(&self.world.settings);
        let machine = Machine::new(self.world.tenant.clone(), self.actor.clone(), rules, rotation);
        let plans = matches!(command, Command::Plan { .. });
        let run = Run::new(&self.world, &self.runbook, lease, self, machine);
        run.taken_over(from).await?;
        let achieved = run.drive(Input::Command { command, new_id }).await?;
        if plans {
            // Who will be cut off belongs to the plan; if it can't be read now, the announcement reads it again.
            run.see_people().await?;
        }
        Ok(achieved)
    }

    /// The mails of a kind as the clients who need one would get them, with real values; nothing is sent.
    pub fn previews(&self, kind: NoticeKind) -> Result<Vec<(ClientId, Letter)>, Fault> {
        let rotation = self.known().rotation.clone();
        let none =
            || Fault::new(Service::Mail, FaultKind::Refused, "no window is planned, so there is nothing to tell");
        let rotation = rotation.filter(|rotation| rotation.outcome.is_none()).ok_or_else(none)?;
        let order = SendOrder { kind, only: None, again: false };
        let mut letters = Vec::new();
        for (client, kind) in mailing::recipients(&rotation, &order) {
            let Some(email) = &client.email else { continue };
            let letter = self.world.mailer.compose(&NoticeRequest {
                kind,
                tenant: &rotation.tenant,
                client_name: &client.name,
                email,
                window: &rotation.window,
                message_id: "<preview@localhost>",
                in_reply_to: None,
                token: &self.world.reply_key.token(&rotation, &client.id),
                language: self.world.settings.language,
            })?;
            letters.push((client.id, letter));
        }
        Ok(letters)
    }

    /// When those who do not answer are reminded.
    pub fn reminders(&self) -> Option<&Schedule> {
        self.world.settings.reminders.as_ref()
    }

    /// All entries of the present rotation, for a report.
    pub fn entries(&self) -> Vec<Entry> {
        self.known().entries.clone()
    }

    /// The rotation as last folded.
    pub fn rotation(&self) -> Option<Arc<Rotation>> {
        self.known().rotation.clone()
    }
}

impl Observer for Conductor {
    fn recorded(&self, entry: &Entry, rotation: &Arc<Rotation>) {
        {
            let mut known = self.known();
            if known.rotation.as_ref().is_none_or(|before| before.id != rotation.id) {
                known.entries.clear();
            }
            known.entries.push(entry.clone());
            known.rotation = Some(rotation.clone());
        }
        self.watcher.changed(self);
    }

    fn unwritable(&self) {
        // What goes on beside the failed record (another mail, the other key) must not change anything either.
        self.fence.shut();
    }

    fn progress(&self, progress: Progress) {
        self.watcher.progress(&self.world.tenant, progress);
    }
}
