//! One tenant's conductor: takes the lease, loads the journal, carries a command out, looks at the world between
//! commands, and says what is true. Screen and command line both work through it.

use crate::domain::client::ClientId;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::reminder::Schedule;
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::Tenant;
use crate::engine::command::{Command, Refusal};
use crate::engine::journal::{Holder, JournalStore, Lease};
use crate::engine::machine::{Input, Machine, Rules, SendOrder};
use crate::engine::mailing;
use crate::engine::ports::{Letter, NoticeRequest, Settings, World};
use crate::engine::record::{Actor, Entry, Record, RotationId};
use crate::engine::rotation::Rotation;
use crate::engine::status::{self, TenantStatus, Viewer};
use crate::engine::step::{Progress, Runbook};
use crate::engine::witness::Lost;
use crate::runbooks::wireguard::{Survey, signs_of_loss, survey};
use crate::runtime::ending;
use crate::runtime::fence::{LeaseFence, lost};
use crate::runtime::known::{Known, Written};
use crate::runtime::lease::Taker;
use crate::runtime::lookout::{BEAT, FALLEN_QUIET, LEASE_TTL, Life, Lookout};
use crate::runtime::run::{Observer, Run, RunError, Taken};
use crate::runtime::signing::{self, Session};
pub use crate::runtime::watcher::Watcher;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A silence that can't be ended in this time is left to end by itself: the end of the program must not wait for it.
const SILENCE_ENDS_WITHIN: Duration = Duration::from_secs(5);

/// The conductor of one tenant.
pub struct Conductor {
    pub(super) world: World,
    runbook: Arc<Runbook>,
    me: Holder,
    actor: Actor,
    pub(super) watcher: Arc<dyn Watcher>,
    pub(super) known: Mutex<Known>,
    /// One command at a time.
    pub(super) busy: tokio::sync::Mutex<()>,
    /// The right to change something outside.
    fence: Arc<LeaseFence>,
    /// What is seen of somebody else who holds the tenant.
    lookout: Lookout,
    /// What this operator has signed for the case that is open.
    session: Session,
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
        let (busy, lookout, session) = (tokio::sync::Mutex::new(()), Lookout::default(), Session::default());
        Self { world, runbook, me, actor, watcher, known, busy, fence, lookout, session }
    }

    /// Whether a command is under way in this process: another one waits for its end.
    pub fn is_at_work(&self) -> bool {
        self.busy.try_lock().is_err()
    }

    /// Waits until no command is under way in this process.
    pub async fn settled(&self) {
        drop(self.busy.lock().await);
    }

    /// Whose conductor it is.
    pub fn tenant(&self) -> &Tenant {
        &self.world.tenant
    }

    /// Where its journal is.
    pub fn store(&self) -> &Arc<dyn JournalStore> {
        &self.world.store
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is true now, from the journal and the last look.
    pub fn status(&self) -> TenantStatus {
        let titles = std::array::from_fn(|at| self.runbook.steps[at].title());
        let known = self.known();
        let (rotation, now) = (known.rotation.as_deref(), self.world.clock.now());
        let (tenant, settings) = (&self.world.tenant, &self.settings());
        let viewer = Viewer { person: &self.actor.person, now };
        status::derive(tenant, rotation, &known.entries, &known.sights, settings, &titles, viewer)
    }

    /// The rules, with whose signatures count at this moment: the list may have been changed.
    fn settings(&self) -> Settings {
        let signing = self.world.signatures.as_ref().map(|signatures| signatures.signing());
        Settings { signing: signing.unwrap_or_default(), ..self.world.settings.clone() }
    }

    /// Reads the journal again, if another process has written to it, and who holds the tenant.
    pub async fn reload(&self) -> Result<(), Fault> {
        let read = self.read_journal().await;
        self.known().sights.journal.take(self.world.clock.now(), read.clone());
        read
    }

    async fn read_journal(&self) -> Result<(), Fault> {
        let holder = self.other_holder().await?;
        let quiet_since = holder.as_ref().and_then(|(_, quiet_since)| *quiet_since);
        let holder = holder.map(|(holder, _)| holder);
        let heads = self.world.store.heads(Some(&self.world.tenant.id)).await?;
        let witnessed = self.world.store.witnessed(&self.world.tenant.id);
        let is_lost = witnessed.lost.is_some();
        let was_lost = std::mem::replace(&mut self.known().sights.witnessed, witnessed).lost.is_some();
        let Some(head) = heads.into_iter().next() else {
            let mut known = self.known();
            (known.sights.holder, known.sights.holder_quiet_since) = (holder, quiet_since);
            if is_lost && !known.running {
                (known.rotation, known.entries) = (None, Vec::new());
            }
            return Ok(());
        };
        {
            let mut known = self.known();
            let same = known.rotation.as_ref().is_some_and(|r| r.id == head.rotation && r.seq == head.last_seq);
            let was_held = known.sights.holder.is_some();
            (known.sights.holder, known.sights.holder_quiet_since) = (holder.clone(), quiet_since);
            if known.running || (same && was_held == holder.is_some() && was_lost == is_lost) {
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
        self.world.store.holder(&self.world.tenant.id).await
    }

    /// Looks only whether somebody else has written or taken the tenant, and tells the watcher if so. `false`: the journal
    /// could not be read, which the next look shows.
    pub async fn follow(&self) -> bool {
        if self.known().running {
            return true;
        }
        let before = self.written();
        let read = self.reload().await.is_ok();
        let changed = read && self.written() != before;
        if changed {
            self.watcher.changed(self);
        }
        read
    }

    /// Where its journal stands and who holds it, as last read.
    pub fn written(&self) -> Written {
        self.known().written()
    }

    /// Somebody else with a living lease is at work.
    pub fn is_held(&self) -> bool {
        self.known().sights.holder.is_some()
    }

    /// A part of its journal is known to be lost.
    pub fn is_lost(&self) -> bool {
        self.known().sights.lost().is_some()
    }

    /// How many secrets have the tenant's name, and when that was seen.
    pub fn secrets(&self) -> Option<(Timestamp, usize)> {
        self.known().sights.secret.seen.as_ref().map(|(at, secret)| (*at, secret.count))
    }

    /// Somebody else with a lease who is not dead; and since when no sign of life came, where that is worth a word.
    async fn other_holder(&self) -> Result<Option<(Holder, Option<Timestamp>)>, Fault> {
        let holder = self.holder().await?.filter(|holder| !holder.is_same_instance(&self.me));
        let Some(holder) = holder else {
            self.lookout.forget();
            return Ok(None);
        };
        let life = self.lookout.see(&holder, &self.me, self.world.clock.now());
        let quiet_since = match life {
            Life::Quiet(quiet) | Life::Runs(quiet) if quiet > FALLEN_QUIET => self.lookout.quiet_since(),
            _ => None,
        };
        Ok(Some((holder, quiet_since)).filter(|_| !life.is_over()))
    }

    /// Carries a command out under the tenant's lease. Gives what was achieved.
    pub async fn run(&self, command: Command) -> Result<String, RunError> {
        // A second command waits, and is then judged against the state after the first.
        let _busy = self.busy.lock().await;
        // Held until the lease is given back: the program does not exit before.
        let ended = || Refusal::NotNow("the program is ending".into());
        let _work = ending::begin().await.ok_or_else(ended)?;
        let is_back = matches!(command, Command::Back { .. });
        let cut = is_back.then(|| self.status().connections).flatten().filter(|seen| seen.all_cut_off());
        if let Some(cut) = cut {
            return Err(Refusal::NotNow(format!("nobody can be back: {}", cut.text)).into());
        }
        let asked = command.is_told_when_refused().then(|| command.refused(String::new()));
        let (lease, from) = match self.acquire(&command).await {
            Err(RunError::Refused(refusal)) => {
                self.tell_refused(None, asked, &refusal).await;
                return Err(refusal.into());
            }
            acquired => acquired?,
        };
        let doing = command.word();
        let ends_silence = command == Command::EndSilence;
        self.fence.take(lease.clone());
        self.known().running = true;
        let result = {
            // In a place of its own: what a command may await is large, and a worker's stack is not.
            let mut running = Box::pin(self.run_under(&lease, command, from));
            let heartbeat = self.beat(&lease);
            futures_util::pin_mut!(heartbeat);
            tokio::select! {
                biased;
                result = &mut running => result,
                fault = heartbeat => {
                    // The journal refuses every further record by itself; what is under way ends at its next record.
                    match running.await {
                        Ok(achieved) => Err(fault.hint(format!("done and recorded before that: {achieved}")).into()),
                        failed => failed,
                    }
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
            self.log_loss(doing).await;
        }
        if let Err(RunError::Refused(refusal)) = &result {
            self.tell_refused(Some(&lease), asked, refusal).await;
        }
        let released = self.world.store.release(&lease).await;
        let _ = self.reload().await;
        self.watcher.changed(self);
        let achieved = result?;
        Ok(match released {
            Ok(()) => achieved,
            // What was asked was done and is in the journal.
            Err(fault) => {
                let quiet = LEASE_TTL.as_secs();
                format!("{achieved}; but the tenant could not be given back: others wait {quiet} s for it ({fault})")
            }
        })
    }

    /// However a command ended: nobody is at work now, so the alert is expected no more. What fails here is shown with the
    /// status, and tried again by `watch`.
    async fn end_silence(&self, lease: &Lease) {
        let is_open = self.known().rotation.as_ref().is_some_and(|rotation| rotation.silence.is_some());
        if is_open {
            let ending = Box::pin(self.run_under(lease, Command::EndSilence, None));
            tokio::time::timeout(SILENCE_ENDS_WITHIN, ending).await.ok();
        }
    }

    /// A take-over is journaled on both sides: whoever took it writes into the rotation, we into the tenant's lease log.
    async fn log_loss(&self, doing: &str) {
        let to = self.holder().await.ok().flatten().map(|holder| holder.to_string());
        let record = Record::LeaseLost { doing: doing.to_owned(), to };
        let entry = self.entry(0, record);
        // Best effort: the journal that can't be reached now has shown us the loss a moment ago.
        let _ = self.world.store.add_to_lease_log(&self.world.tenant.id, &entry).await;
    }

    /// An entry of this operator, now.
    pub(super) fn entry(&self, seq: u64, record: Record) -> Entry {
        self.actor.entry(seq, self.world.clock.now(), record)
    }

    /// Takes the lease: the free one, one whose holder is gone, or by force the one of a living holder. Gives from whom.
    async fn acquire(&self, command: &Command) -> Result<(Lease, Option<Taken>), RunError> {
        let now = self.world.clock.now();
        let me = Holder { since: now, heartbeat: now, ..self.me.clone() };
        let force = match command {
            Command::TakeOver { confirm, reason } => {
                let name = &self.world.tenant.name;
                if confirm != name {
                    return Err(Refusal::BadInput(format!("type the tenant's name, {name}, to confirm")).into());
                }
                if sanitize(reason).is_empty() {
                    return Err(Refusal::BadInput("say why you take it over (a reason)".into()).into());
                }
                if self.holder().await?.is_none_or(|holder| holder.is_same_instance(&me)) {
                    return Err(Refusal::NotNow("nobody else holds the tenant; just go on".into()).into());
                }
                Some(sanitize(reason))
            }
            _ => None,
        };
        let (store, tenant) = (self.world.store.as_ref(), &self.world.tenant.id);
        // What the program does by itself is done again later.
        let by_itself = matches!(command, Command::TakeMails { .. } | Command::EndSilence | Command::SeenSince { .. });
        let patience = if by_itself { Duration::ZERO } else { self.watcher.patience() };
        let taker = Taker { store, tenant, me: &me, lookout: &self.lookout, patience };
        let tell = |text: String| self.watcher.waits(&self.world.tenant, &text);
        match taker.take(force.as_deref(), &tell).await? {
            Ok(taken) => Ok(taken),
            Err(holder) => {
                self.known().sights.holder = Some(holder.clone());
                Err(Refusal::Held(Box::new(holder)).into())
            }
        }
    }

    /// Signs of life until the lease is lost.
    async fn beat(&self, lease: &Lease) -> Fault {
        loop {
            self.world.clock.sleep(BEAT).await;
            let at = Instant::now();
            match self.world.store.renew(lease, self.world.clock.now()).await {
                Ok(true) => self.fence.beaten(lease, at),
                Ok(false) => {
                    self.fence.shut();
                    return lost();
                }
                // The store is away; the lease may be ours still, and the fence asks before each act.
                Err(_) => {}
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
        let hand = signing::hand(&self.world, &self.actor, &self.session, rotation.as_ref(), &new_id, &command).await?;
        if let Some(why) = &hand.unsigned {
            let text = format!("it goes on without your signature, so two others must close its review ({why})");
            self.watcher.waits(&self.world.tenant, &text);
        }
        let lost = self.lost(rotation.as_ref(), &command).await;
        if let Some(lost) = lost.as_ref().filter(|_| !matches!(command, Command::Recover { .. })) {
            return Err(Refusal::JournalLost(Box::new(lost.clone())).into());
        }
        let rules = Rules::of(&self.settings());
        let rotation = rotation.map(Arc::new);
        let machine = Machine::new(self.world.tenant.clone(), self.actor.clone(), rules, rotation).signed(hand);
        let plans = matches!(command, Command::Plan { .. });
        let run = Run::new(&self.world, &self.runbook, lease, self, machine);
        let driven = async {
            if let (Command::Recover { confirm, reason }, Some(lost)) = (&command, lost) {
                let achieved = Box::pin(run.recover(&lost, confirm, reason.clone())).await?;
                run.taken_over(from).await?;
                return Ok(achieved);
            }
            run.taken_over(from).await?;
            let achieved = Box::pin(run.drive(Input::Command { command, new_id })).await?;
            if plans {
                // Who will be cut off belongs to the plan; if it can't be read now, the announcement reads it again.
                run.see_people().await?;
            }
            Ok(achieved)
        };
        let result = driven.await;
        let lacks = run.lacks();
        if !lacks.is_empty() {
            self.known().sights.unwritten = lacks;
        }
        result
    }

    /// What is known of a part of the journal that is lost: by the witness, or by what stands outside where the command reaches
    /// there. What can't be asked now says nothing.
    async fn lost(&self, rotation: Option<&Rotation>, command: &Command) -> Option<Lost> {
        let witnessed = self.world.store.witnessed(&self.world.tenant.id);
        let lost = witnessed.lost.clone();
        self.known().sights.witnessed = witnessed;
        if lost.is_some() || !command.reaches_out() {
            return lost;
        }
        let before = self.known().before();
        let sign = signs_of_loss(&self.world, rotation?, &before).await.ok().flatten();
        self.known().sights.sign.clone_from(&sign);
        sign.map(|sign| Lost { ends_at: 0, sign })
    }

    /// The checks of step 2 before a rotation is planned, or one of them: nothing is recorded, and nothing is changed.
    pub async fn survey(&self, only: Option<&str>) -> Result<Survey, Fault> {
        survey(&self.world, None, only).await
    }

    /// The mails of an order as the clients who need one would get them, with real values; nothing is sent.
    pub fn previews(&self, order: &SendOrder) -> Result<Vec<(ClientId, Letter)>, Fault> {
        let rotation = self.known().rotation.clone();
        let none =
            || Fault::new(Service::Mail, FaultKind::Refused, "no window is planned, so there is nothing to tell");
        let rotation = rotation.filter(|rotation| rotation.outcome.is_none()).ok_or_else(none)?;
        let known = |id: &&ClientId| rotation.client(id).is_none();
        if let Some(unknown) = order.only.iter().flatten().find(known) {
            let text = format!("{unknown} is not a client of {}", rotation.tenant.name);
            return Err(Fault::new(Service::Mail, FaultKind::Refused, text));
        }
        let mut letters = Vec::new();
        for (client, kind) in mailing::recipients(&rotation, order) {
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
                key_told: rotation.key_told(),
            })?;
            letters.push((client.id, letter));
        }
        Ok(letters)
    }

    /// What a second operator signs elsewhere to approve the plan: the text, its digest, and until when it counts.
    pub fn approval_text(&self) -> Result<(String, String, Timestamp), Fault> {
        signing::approval_text(&self.world, self.rotation().as_deref())
    }

    /// What was written to a client in this rotation, as [`mailing::copies`] gives it.
    pub fn copies_for(&self, id: &ClientId) -> Vec<String> {
        let rotation = self.known().rotation.clone();
        rotation.map(|rotation| mailing::copies(&self.world, &rotation, id)).unwrap_or_default()
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
    fn recorded(&self, entries: &[Entry]) {
        if self.known().take(entries) {
            self.watcher.changed(self);
        }
    }

    fn unwritable(&self, fault: &Fault) {
        // What goes on beside the failed record (another mail, the other key) must not change anything either.
        self.fence.shut_for(fault.clone());
    }

    fn progress(&self, progress: Progress) {
        self.watcher.progress(&self.world.tenant, progress);
    }
}
