//! The loop of the terminal: waits for keys, signals, news and the next visible second; draws once per batch.

mod desks;
mod thrift;

use crate::adapters::lab::{Controls, MishapOrder, Rehearsed};
use crate::adapters::openstack::{BetweenPairs, between_pairs, is_pair_running};
use crate::app::dialog::rehearse::{Mishap, Switch};
use crate::app::failure::Failure;
use crate::app::manner::Notify;
use crate::app::message::{Effect, Letter, Msg};
use crate::app::model::{Model, ModelOptions};
use crate::app::perform::subject_of;
use crate::app::truth::rounds;
use crate::app::update::update;
use crate::domain::client::ClientId;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::NoticeKind;
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::{Tenant, TenantId};
use crate::engine::command::Command;
use crate::engine::machine::SendOrder;
use crate::engine::sources::Source;
use crate::engine::step::Progress;
use crate::runtime::attend::PostLine;
use crate::runtime::conductor::{Conductor, Watcher};
use crate::runtime::desks::Desks;
use crate::runtime::fleet::{Fleet, Pace};
use crate::runtime::follow::Follower;
use crate::runtime::keys::{Press, Presses};
use crate::runtime::lease;
use crate::runtime::look::{LOOKED_AT, PATIENCE};
use crate::runtime::post::Post;
use crate::runtime::run::RunError;
use crate::runtime::signals;
use crate::runtime::terminal::{self, Screen};
use anyhow::{Context, Result};
use crossterm::event;
use desks::DeskWorkers;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thrift::{Thrift, is_others};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// What has happened already is noticed within this.
const SOON: Duration = Duration::from_millis(100);

/// News for the loop, from wherever they come.
#[derive(Clone)]
pub struct Bell(UnboundedSender<Msg>);

impl Bell {
    /// A bell, and where it is heard.
    pub(super) fn heard() -> (Self, UnboundedReceiver<Msg>) {
        let (sender, news) = unbounded_channel();
        (Self(sender), news)
    }

    /// Rings; after the loop has ended nobody listens, and that is fine.
    pub fn ring(&self, msg: Msg) {
        let _ = self.0.send(msg);
    }
}

impl Watcher for Bell {
    fn changed(&self, conductor: &Conductor) {
        self.ring(Msg::Status(Arc::new(conductor.status())));
    }

    fn progress(&self, tenant: &Tenant, progress: Progress) {
        self.ring(Msg::Progress { tenant: tenant.id.clone(), progress });
    }

    fn waits(&self, tenant: &Tenant, text: &str) {
        self.ring(Msg::Info(format!("{}: {text}", tenant.name)));
    }

    fn patience(&self) -> Duration {
        lease::PATIENCE
    }
}

/// The loop before it runs: its bell can be given to those who build the fleet.
pub struct Loop {
    bell: Bell,
    news: UnboundedReceiver<Msg>,
    place: watch::Sender<Known>,
    fleet: watch::Receiver<Known>,
    controls: Option<Controls>,
    desks: Arc<Desks>,
}

/// The fleet, once it is known.
type Known = Option<Arc<Fleet>>;

/// Where the fleet is put once it is known; the first frame does not wait for it.
pub struct FleetPlace {
    place: watch::Sender<Known>,
    bell: Bell,
}

impl FleetPlace {
    /// The fleet is known now.
    pub fn put(&self, fleet: Fleet, fault: Option<Fault>) -> Arc<Fleet> {
        let tenants = fleet.conductors().iter().map(|conductor| conductor.tenant().clone()).collect();
        let fleet = Arc::new(fleet);
        self.place.send_replace(Some(fleet.clone()));
        self.bell.ring(Msg::Fleet { tenants, fault });
        fleet
    }

    /// Reads the mailbox for as long as the program runs, and says on the message line what came.
    pub async fn attend(&self, post: &Post, fleet: &Fleet) {
        let say = |line| {
            let texts = match line {
                PostLine::Came(sorted) => {
                    let strays = (sorted.strays > 0).then(|| sorted.stray_words());
                    let took = sorted.taken.into_iter().map(|(tenant, text)| format!("{tenant}: mails: {text}"));
                    let left = sorted.waiting.into_iter().map(|(tenant, why)| format!("{tenant}: mails wait: {why}"));
                    took.chain(left).chain(strays).collect()
                }
                PostLine::Fails(fault) => vec![format!("the mailbox can't be read: {fault}; {}", fault.advice())],
                PostLine::Again => vec!["the mailbox can be read again".to_owned()],
            };
            texts.into_iter().for_each(|text| self.bell.ring(Msg::Info(text)));
        };
        post.attend(fleet, &say).await;
    }

    /// There is no fleet, and why.
    pub fn fail(&self, fault: Fault) {
        self.bell.ring(Msg::Fleet { tenants: Vec::new(), fault: Some(fault) });
    }
}

impl Default for Loop {
    fn default() -> Self {
        let (bell, news) = Bell::heard();
        let (place, fleet) = watch::channel(None);
        Self { bell, news, place, fleet, controls: None, desks: Arc::default() }
    }
}

impl Loop {
    /// The same over a lab, in which things can be made to go wrong.
    pub fn rehearsing(mut self, controls: Option<Controls>) -> Self {
        self.controls = controls;
        self
    }

    /// The same with the desks of the subjects that are no tenants.
    pub fn with_desks(mut self, desks: Desks) -> Self {
        self.desks = Arc::new(desks);
        self
    }

    /// For those who have news.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// For who builds the fleet.
    pub fn place(&self) -> FleetPlace {
        FleetPlace { place: self.place.clone(), bell: self.bell.clone() }
    }

    /// Runs until the operator quits, a signal asks for the end, or the terminal is gone. Gives what was at work then: subject and
    /// word.
    pub async fn run(mut self, options: ModelOptions) -> Result<Vec<(String, String)>> {
        let (poll_interval, manner) = (options.poll_interval, options.manner);
        // Before the alternate screen: a signal that comes in between must find its handler.
        let mut ending = signals::ending()?;
        let mut resized = signal(SignalKind::window_change())?;
        let (mut suspending, mut continuing) = (signals::suspending()?, signals::continuing()?);
        // Resting waits for a pair that is under way; the screen goes on meanwhile.
        let mut rest: Option<BoxFuture<'static, BetweenPairs>> = None;
        let bell = self.bell.clone();
        terminal::restore_on_panic(move || bell.ring(Msg::LinkLost));
        let mut screen = Screen::take().context("the terminal could not be taken")?;
        let (width, height) = screen.size();
        let mut model = Model::new(ModelOptions { size: (width, height), ..options });
        screen.draw(|frame| crate::ui::view(&model, frame))?;
        read_keys(self.bell.clone());
        let bell = self.bell.clone();
        terminal::when_gone(move || bell.ring(Msg::LinkLost));
        let (watched, watch) = watch::channel(None);
        tokio::spawn(desks::poll(self.desks.clone(), watch.clone(), self.bell.clone(), poll_interval));
        tokio::spawn(poll(self.fleet.clone(), watch, self.bell.clone(), poll_interval));
        let (bell, fleet, workers) = (self.bell.clone(), self.fleet.clone(), HashMap::new());
        let desks = DeskWorkers::new(self.desks, self.bell.clone());
        let mut doer = Doer { bell, workers, fleet, watched, controls: self.controls, desks, notify: manner.notify };
        let mut thrift = Thrift::new(manner.low_bandwidth, Instant::now());
        while !model.quitting {
            let mut batch = Vec::new();
            tokio::select! {
                Some(msg) = self.news.recv() => batch.push(msg),
                () = tokio::time::sleep(thrift.wakes_in(model.wakes_in(), Instant::now())) => if !terminal::is_alive() { batch.push(Msg::LinkLost) },
                () = ending.recv() => batch.push(Msg::LinkLost),
                // crossterm loses a resize that comes together with a key, so the signal itself is listened to.
                _ = resized.recv() => {
                    let (width, height) = screen.size();
                    batch.push(Msg::Resize(width, height));
                }
                _ = suspending.recv() => rest = Some(Box::pin(between_pairs())),
                Some(between) = OptionFuture::from(rest.as_mut()), if rest.is_some() => {
                    rest = None;
                    terminal::restore();
                    signals::stop_now();
                    drop(between);
                    // Its own SIGCONT, so that the terminal is not taken twice.
                    let _ = tokio::time::timeout(SOON, continuing.recv()).await;
                    screen.retake()?;
                    let (width, height) = screen.size();
                    batch.push(Msg::Resize(width, height));
                }
                // Also after a stop that nothing could catch: whoever had the terminal meanwhile left it as they liked.
                _ = continuing.recv() => {
                    screen.retake()?;
                    let (width, height) = screen.size();
                    batch.push(Msg::Resize(width, height));
                }
            }
            // Everything that has come meanwhile belongs to the same frame.
            while let Ok(msg) = self.news.try_recv() {
                batch.push(msg);
            }
            if batch.iter().any(|msg| matches!(msg, Msg::Resize(..))) {
                // Smaller and back between two frames leaves the same size and a broken picture.
                screen.forget()?;
            }
            let mut urgent = batch.iter().any(|msg| !is_others(msg));
            batch.insert(0, Msg::Tick(Timestamp::now()));
            for msg in batch {
                for effect in update(&mut model, msg) {
                    urgent = true;
                    match effect {
                        Effect::Suspend if is_pair_running() => {
                            rest = Some(Box::pin(between_pairs()));
                            self.bell.ring(Msg::Info("suspends once the swap that was begun is finished".into()));
                        }
                        Effect::Suspend => rest = Some(Box::pin(between_pairs())),
                        effect => doer.carry_out(effect, &mut screen)?,
                    }
                }
            }
            if !model.quitting && thrift.is_due(urgent, Instant::now()) {
                screen.draw(|frame| crate::ui::view(&model, frame))?;
            }
        }
        Ok(model.jobs.iter().map(|(id, job)| (subject_of(&model, id), job.what.clone())).collect())
    }
}

/// Reads keys in a thread of its own that nobody waits for: crossterm's read does not return once the link is gone.
pub(super) fn read_keys(bell: Bell) {
    std::thread::spawn(move || {
        let mut presses = Presses::default();
        loop {
            let comes = presses.patience().map_or(Ok(true), event::poll);
            let pressed = match comes.and_then(|comes| comes.then(event::read).transpose()) {
                Ok(Some(event)) => presses.take(event),
                Ok(None) => presses.waited(),
                Err(_) => return bell.ring(Msg::LinkLost),
            };
            for press in pressed {
                bell.ring(match press {
                    Press::Key(key) => Msg::Key(key),
                    Press::Paste(text) => Msg::Paste(text),
                });
            }
        }
    });
}

/// Looks at the tenant on the screen often, at all of them now and then, and follows what others write.
async fn poll(
    mut fleet: watch::Receiver<Known>,
    watched: watch::Receiver<Option<TenantId>>,
    bell: Bell,
    interval: Duration,
) {
    let Some(fleet) = fleet.wait_for(Option::is_some).await.ok().and_then(|known| known.clone()) else { return };
    tokio::join!(
        sweep(&fleet, &bell, interval),
        look(&fleet, watched, interval),
        Follower::new(fleet.as_ref()).forever()
    );
}

/// Looks at all tenants, rests, and looks again. While it rests, one tenant after the other is looked at, an interval each: a
/// source that has stopped answering is found by the first of them, and then all are looked at.
async fn sweep(fleet: &Fleet, bell: &Bell, interval: Duration) {
    let tenants = u32::try_from(fleet.conductors().len()).unwrap_or(u32::MAX);
    let rest = rounds(tenants);
    let pace = Pace::within(interval * rest, fleet.conductors().len());
    let mut scouts = fleet.conductors().iter().cycle();
    loop {
        // A fault of the journal is shown by the status of each tenant.
        let began = Instant::now();
        let _ = fleet.look_at_all(pace).await;
        bell.ring(Msg::Swept(began.elapsed()));
        for _ in 0..rest {
            tokio::time::sleep(interval).await;
            let Some(scout) = scouts.next() else { continue };
            let before = scout.failing();
            scout.look_within(pace.limit).await;
            if scout.failing() != before {
                break;
            }
        }
    }
}

/// Looks at the tenant on the screen, at each source by itself: one that hangs is not asked again before it has answered,
/// and delays no other.
async fn look(fleet: &Fleet, mut watched: watch::Receiver<Option<TenantId>>, interval: Duration) {
    loop {
        let tenant = watched.borrow_and_update().clone();
        let looking = async {
            match tenant.and_then(|tenant| fleet.get(&tenant)) {
                Some(conductor) => look_on(conductor, interval).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = looking => {}
            changed = watched.changed() => if changed.is_err() { return },
        }
    }
}

async fn look_on(conductor: &Conductor, interval: Duration) {
    let patience = interval.min(PATIENCE);
    let mut rounds = tokio::time::interval(interval);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut out = FuturesUnordered::new();
    let mut asked = HashSet::new();
    let look = |source| async move {
        conductor.look_at(source, patience).await;
        source
    };
    loop {
        tokio::select! {
            _ = rounds.tick() => for source in LOOKED_AT {
                if asked.insert(source) {
                    out.push(look(source));
                }
            },
            Some(source) = out.next() => {
                asked.remove(&source);
                // One that is not answered keeps the object from no look.
                if source == Source::Swift && asked.insert(Source::Script) {
                    out.push(look(Source::Script));
                }
                if source == Source::Server {
                    conductor.see_who_is_back().await;
                }
                conductor.write_what_others_changed().await;
                // One frame for all that answer together; nobody waits for those that are shown not to answer.
                if asked.len() < 2 || asked.iter().all(|source| conductor.fault_of(*source).is_some()) {
                    conductor.tell();
                }
            }
        }
    }
}

/// Carries out the commands of one tenant in their order, in a task of its own: nothing that happens to the screen stops it.
fn work(conductor: Arc<Conductor>, bell: Bell) -> UnboundedSender<Command> {
    let (sender, mut commands) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(command) = commands.recv().await {
            let result = conductor.run(command).await.map_err(|error| match error {
                RunError::Refused(refusal) => Failure::refusal(&refusal),
                RunError::Fault(fault) => Failure::fault(&fault),
            });
            bell.ring(Msg::JobEnded { tenant: conductor.tenant().id.clone(), result });
            if commands.is_empty() {
                conductor.look().await;
            }
        }
    });
    sender
}

struct Doer {
    bell: Bell,
    workers: HashMap<TenantId, UnboundedSender<Command>>,
    fleet: watch::Receiver<Known>,
    watched: watch::Sender<Option<TenantId>>,
    controls: Option<Controls>,
    desks: DeskWorkers,
    notify: Notify,
}

impl Doer {
    fn conductor(&self, tenant: &TenantId) -> Option<Arc<Conductor>> {
        self.fleet.borrow().as_ref()?.get(tenant).cloned()
    }

    fn carry_out(&mut self, effect: Effect, screen: &mut Screen) -> Result<()> {
        match effect {
            Effect::Run(order) => {
                let (tenant, command) = order.into_parts();
                self.run(tenant, command);
            }
            Effect::Begin(order) => {
                let (subject, order) = order.into_parts();
                self.desks.run(subject, order);
            }
            Effect::Look(tenant) if tenant.is_subject() => self.desks.look(tenant),
            Effect::Look(tenant) => {
                if let Some(conductor) = self.conductor(&tenant) {
                    let bell = self.bell.clone();
                    tokio::spawn(async move {
                        let looked = conductor.look().await;
                        bell.ring(Msg::Looked(tenant, looked));
                    });
                } else {
                    self.bell.ring(Msg::Info("the list of tenants is not read yet; it is looked at once it is".into()));
                }
            }
            Effect::Watch(tenant) => {
                self.watched.send_replace(tenant);
            }
            Effect::Preview(tenant, kind) => self.preview(tenant, kind),
            Effect::Rehearse(switch) => self.rehearse(switch),
            Effect::Copy(text) => screen.copy(&text)?,
            Effect::Notify(text) => screen.call_back(self.notify, &text)?,
            // The loop's own.
            Effect::Quit | Effect::Suspend => {}
            Effect::Redraw => screen.forget()?,
        }
        Ok(())
    }

    /// Hands a command to the tenant's worker, which carries them out one after the other.
    fn run(&mut self, tenant: TenantId, command: Command) {
        self.bell.ring(Msg::JobStarted { tenant: tenant.clone(), what: command.word().to_owned() });
        let Some(conductor) = self.conductor(&tenant) else {
            let fault = Fault::new(Service::Configuration, FaultKind::Refused, "the tenant is not known yet");
            self.bell.ring(Msg::JobEnded { tenant, result: Err(Failure::fault(&fault)) });
            return;
        };
        let bell = self.bell.clone();
        let worker = self.workers.entry(tenant).or_insert_with(|| work(conductor, bell));
        // The worker lives as long as its sender.
        let _ = worker.send(command);
    }

    fn rehearse(&self, switch: Option<Switch>) {
        let (controls, bell) = (self.controls.clone(), self.bell.clone());
        let order = switch.map(|Switch { word, on, tenant, client }| MishapOrder { mishap: word, on, tenant, client });
        tokio::spawn(async move {
            let none = || Rehearsed { said: Err("no lab runs here".into()), mishaps: Vec::new() };
            let answered = match controls {
                Some(controls) => controls.ask(order).await.unwrap_or_else(|_| none()),
                None => none(),
            };
            let mishap = |view: crate::adapters::lab::MishapView| {
                let on = view.on.iter().map(|place| sanitize(place)).collect();
                Mishap { word: view.mishap, help: view.help, on }
            };
            let mishaps = answered.mishaps.into_iter().map(mishap).collect();
            bell.ring(Msg::Rehearsed(mishaps, answered.said));
        });
    }

    fn preview(&self, tenant: TenantId, kind: NoticeKind) {
        let letters = match self.conductor(&tenant) {
            Some(conductor) => conductor.previews(&SendOrder { kind, only: None, again: false }),
            None => Err(Fault::new(Service::Configuration, FaultKind::Refused, "the tenant is not known yet")),
        };
        let letters = letters.map_err(|fault| Failure::fault(&fault)).map(|letters| {
            let letter = |(client, letter): (ClientId, crate::engine::ports::Letter)| Letter {
                client,
                to: letter.to,
                subject: letter.subject,
                body: letter.text,
            };
            letters.into_iter().map(letter).collect()
        });
        self.bell.ring(Msg::Preview { tenant, kind, letters });
    }
}
