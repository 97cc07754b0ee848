//! A rotation of two clients whose world does what it is told: each act of the machine ends well, badly, with the loss of a key, or
//! with the death of the program, and leaves the records that the steps leave.

use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::{Client, ClientId, Entry as Person};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::freshness::{Baseline, ServerReading};
use changeguard::domain::key::{KeyRole, PublicKey};
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::preflight::{Check, CheckState, KeyAgreement, Preflight};
use changeguard::domain::secret_shape::SecretShape;
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::domain::window::Window;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::machine::{BackSight, Input, Machine, Output, Rules, SendOrder, refusal_fault};
use changeguard::engine::mailing;
use changeguard::engine::observe::{ObjectSight, SecretSight, Sight, Sights};
use changeguard::engine::ports::{SecretRef, Settings};
use changeguard::engine::record::{Actor, BackSource, Cause, Record, RotationId};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::status::{self, TenantStatus, Viewer};
use changeguard::engine::step::Probe;
use changeguard::engine::truth::Live;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// The tenant's name.
pub const NAME: &str = "acme";

/// The key of before, and somebody else's.
const BEFORE: u8 = 1;
const THEIRS: u8 = 2;

fn key(number: u8) -> PublicKey {
    PublicKey::from_bytes([number; 32])
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-24T{time}:00Z").parse().unwrap()
}

/// The window, or another.
pub fn window(revision: u32) -> Window {
    let length = if revision == 1 { "1h" } else { "3h" };
    Window::parse("2026-11-24 22:00", length, "UTC", revision).unwrap()
}

/// A plan for it.
pub fn plan() -> Command {
    Command::Plan { window: window(1), cause: Cause::Scheduled, reference: String::new() }
}

/// A client who agrees.
pub fn confirms(client: ClientId) -> Command {
    Command::Answer { client, answer: Answer::Confirmed, channel: Channel::Phone, note: String::new() }
}

/// What comes of the acts of one command: all end well, or the nth from 0 does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All end well.
    Well,
    /// It ends badly.
    Fails(usize),
    /// What it needs is lost.
    Loses(usize),
    /// The program dies in it.
    Dies(usize),
}

/// Each fate, by the act that it strikes.
pub fn fates() -> Vec<Vec<Fate>> {
    let bad = (0..8).map(|n| vec![Fate::Fails(n), Fate::Loses(n), Fate::Dies(n)]);
    std::iter::once(vec![Fate::Well]).chain(bad).collect()
}

/// What a look has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What the journal expects.
    Expected,
    NoSecret,
    TwoSecrets,
    OtherSecret,
    OtherObject,
    OtherInterface,
}

/// A state of the machine, and the way to it.
#[derive(Clone)]
pub struct Model {
    pub rotation: Option<Arc<Rotation>>,
    pub path: Vec<String>,
}

enum Stop {
    Refused(Refusal),
    Died,
}

impl Model {
    /// Before anything.
    pub fn start() -> Self {
        Self { rotation: None, path: Vec::new() }
    }

    fn machine(&self) -> Machine {
        let rules = Rules { preflight_valid: std::time::Duration::from_secs(600), approval: None };
        let actor = Actor { by: "ops".into(), host: "h".into(), person: "ops".into(), ssh: None, unproven: None };
        Machine::new(tenant(), actor, rules, self.rotation.clone())
    }

    fn play(&self, command: &Command, now: Timestamp, fate: Fate) -> (Play, Result<(), Stop>) {
        let mut play = Play { machine: self.machine(), now, fate, acts: 0, met: fate == Fate::Well };
        let new_id = RotationId(format!("r{}", self.path.len()));
        let ended = play.run(Input::Command { command: command.clone(), new_id });
        (play, ended)
    }

    /// The state after a command with this fate; `None`: it is refused, or its acts are too few.
    pub fn after(&self, command: &Command, fate: Fate) -> Option<Model> {
        let (mut play, ended) = self.play(command, at("22:10"), fate);
        let before = self.rotation.as_ref().map(|rotation| rotation.seq);
        if matches!(command, Command::Plan { .. } | Command::Emergency { .. }) && ended.is_ok() {
            play.sees_people();
        }
        let rotation = play.machine.rotation().cloned()?;
        let is_changed = before != Some(rotation.seq) || self.rotation.as_ref().is_some_and(|r| r.id != rotation.id);
        if !play.met || !is_changed {
            return None;
        }
        let mut rotation = Rotation::clone(&rotation);
        rotation.interrupt();
        let mut path = self.path.clone();
        path.push(format!("{} {fate:?}", command.word()));
        Some(Model { rotation: Some(Arc::new(rotation)), path })
    }

    /// Why the whole of it is refused where the world does its part.
    pub fn refuses(&self, command: &Command, now: Timestamp) -> Option<Refusal> {
        match self.play(command, now, Fate::Well).1 {
            Err(Stop::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Why it is not even begun.
    pub fn begins(&self, command: &Command, now: Timestamp) -> Option<Refusal> {
        let new_id = RotationId("other".into());
        self.machine().handle(now, Input::Command { command: command.clone(), new_id }).err()
    }

    /// The moments and looks at which it is judged.
    pub fn views(&self) -> Vec<(Timestamp, Seen)> {
        use Seen::{Expected, NoSecret, OtherInterface, OtherObject, OtherSecret, TwoSecrets};
        let mut views = vec![(at("22:10"), Expected), (at("21:00"), Expected), (at("23:30"), Expected)];
        let others = [NoSecret, TwoSecrets, OtherSecret, OtherObject, OtherInterface];
        views.extend(others.map(|seen| (at("22:10"), seen)));
        views
    }

    /// What is shown.
    pub fn status(&self, now: Timestamp, seen: Seen) -> TenantStatus {
        let rotation = self.rotation.as_deref();
        let done = |step: StepNumber| rotation.is_some_and(|rotation| rotation.step(step).is_done());
        let target = rotation.and_then(Rotation::target);
        let live = |step| target.filter(|_| done(step)).unwrap_or(key(BEFORE));
        let (mut secrets, mut object) = (vec![live(StepNumber::SECRET)], live(StepNumber::OBJECT));
        let mut interface = live(StepNumber::RECONCILE);
        match seen {
            Seen::Expected => {}
            Seen::NoSecret => secrets.clear(),
            Seen::TwoSecrets => secrets.push(key(THEIRS)),
            Seen::OtherSecret => secrets = vec![key(THEIRS)],
            Seen::OtherObject => object = key(THEIRS),
            Seen::OtherInterface => interface = key(THEIRS),
        }
        let look = now + jiff::SignedDuration::from_secs(1);
        let mut sights = Sights::default();
        let hrefs = secrets.iter().map(|key| SecretRef(key.to_string())).collect();
        let (count, versions) = (secrets.len(), vec![None; secrets.len()]);
        let keys = secrets.into_iter().map(Some).collect();
        sights.take(look, Sight::Secret(Ok(SecretSight { count, keys, hrefs, versions, created: None })));
        let person = |client: &Client| Person {
            id: client.id.0.clone(),
            name: Some(client.name.clone()),
            email: client.email.clone(),
            public_key: client.public_key,
        };
        let users = clients().iter().map(person).collect();
        sights.take(look, Sight::Object(Ok(ObjectSight { public_key: Some(object), users, etag: "e".into() })));
        let peers = Vec::new();
        sights.take(look, Sight::Server(Ok(ServerReading { clock: look.as_second(), public_key: interface, peers })));
        let viewer = Viewer { person: "ops", now: look };
        status::derive(&tenant(), rotation, &[], &sights, &settings(), &[""; 8], viewer)
    }

    /// By what a state is known again.
    pub fn mark(&self) -> String {
        let Some(r) = &self.rotation else { return String::new() };
        let steps: Vec<&str> = r.steps.iter().map(|state| state.word()).collect();
        let keys: Vec<_> =
            r.keys.iter().map(|(role, key)| (role, key.href.is_some(), key.gone, key.destroyed.is_some())).collect();
        let mails: Vec<_> = clients()
            .iter()
            .flat_map(|client| NoticeKind::ALL.map(|kind| r.notice(&client.id, kind).map(|mail| mail.delivery.word())))
            .collect();
        let said: Vec<_> = clients()
            .iter()
            .map(|c| {
                let answer = r.acknowledgements.get(&c.id).is_some_and(|a| a.revision == r.window.revision);
                (answer, r.waivers.contains_key(&c.id), r.back.get(&c.id).map(|back| back.source))
            })
            .collect();
        let role = r.rollback.as_ref().map(|back| back.role);
        let flags = (r.touched, r.touching, r.live.live, role, r.confirmed_at.is_some(), r.emergency.is_some());
        let green = r.preflight.as_ref().map(Preflight::is_green);
        let outcome = r.outcome.as_ref().map(|(outcome, ..)| *outcome);
        let (revision, applied) = (r.window.revision.min(2), r.applied.is_some());
        format!("{steps:?} {keys:?} {mails:?} {said:?} {flags:?} {green:?} {outcome:?} {revision} {applied}")
    }
}

fn tenant() -> Tenant {
    Tenant { id: TenantId::new("t1").unwrap(), name: NAME.into(), server: None, gateway: None }
}

fn clients() -> Vec<Client> {
    let person = |(id, number): (&str, u8)| Client {
        id: ClientId(id.into()),
        name: id.to_uppercase(),
        email: Some(format!("{id}@x.example")),
        public_key: Some(key(number)),
        sources: [changeguard::domain::client::Source::Object].into_iter().collect(),
    };
    [("ada", 100), ("eve", 101)].map(person).to_vec()
}

fn settings() -> Settings {
    Settings {
        secret_name: "vpn-private-key-t1".into(),
        fields: Default::default(),
        reconcile_interval: std::time::Duration::from_secs(60),
        swap: changeguard::engine::ports::SwapOrder::DeleteFirst,
        cadence_months: 12,
        preflight_valid: std::time::Duration::from_secs(600),
        approval_valid: None,
        signing: Default::default(),
        pair_bound: std::time::Duration::from_secs(30),
        reminders: None,
        language: Default::default(),
        senders_verified: None,
        transport: Default::default(),
    }
}

/// A command being played.
struct Play {
    machine: Machine,
    now: Timestamp,
    fate: Fate,
    acts: usize,
    met: bool,
}

impl Play {
    fn run(&mut self, input: Input) -> Result<(), Stop> {
        let mut queue = VecDeque::new();
        self.feed(input, &mut queue)?;
        while let Some(output) = queue.pop_front() {
            let input = match output {
                Output::Append(_) | Output::Done(_) | Output::EndSilence | Output::PutRight => continue,
                Output::Failed(_) => return Ok(()),
                Output::Refused(refusal) => return Err(Stop::Refused(refusal)),
                Output::Perform(step) => Input::StepEnded { step, result: self.perform(step)? },
                Output::Probe(step) => Input::Probed { step, probe: self.probe(step)? },
                Output::Undo(step) => Input::Undone { step, result: self.undo(step)? },
                Output::Send(order) => Input::Sent { result: self.mails(&order)? },
                Output::LookBack => {
                    let is_kept = match self.turn()? {
                        Fate::Loses(_) => Some(false),
                        Fate::Fails(_) => None,
                        _ => Some(true),
                    };
                    Input::LookedBack { sight: BackSight { is_kept, probable: Vec::new() } }
                }
                Output::Verify => {
                    self.somebody_is_back();
                    continue;
                }
            };
            self.feed(input, &mut queue)?;
        }
        Ok(())
    }

    fn feed(&mut self, input: Input, queue: &mut VecDeque<Output>) -> Result<(), Stop> {
        let outputs = self.machine.handle(self.now, input).map_err(Stop::Refused)?;
        outputs.into_iter().rev().for_each(|output| queue.push_front(output));
        Ok(())
    }

    fn rotation(&self) -> Arc<Rotation> {
        self.machine.rotation().cloned().unwrap()
    }

    fn emit(&mut self, record: Record) {
        self.machine.emit(self.now, record).unwrap();
    }

    /// What comes of the act that is due.
    fn turn(&mut self) -> Result<Fate, Stop> {
        let nth = self.acts;
        self.acts += 1;
        match self.fate {
            Fate::Fails(n) | Fate::Loses(n) | Fate::Dies(n) if n == nth => {
                self.met = true;
                Ok(self.fate)
            }
            _ => Ok(Fate::Well),
        }
    }

    fn probe(&mut self, step: StepNumber) -> Result<Probe, Stop> {
        let is_done = self.rotation().step(step).is_done();
        let may_be = matches!(step, StepNumber::SECRET | StepNumber::OBJECT);
        Ok(match self.turn()? {
            Fate::Dies(_) => return Err(Stop::Died),
            Fate::Fails(_) => Probe::Unclear(fault(FaultKind::TimedOut)),
            Fate::Loses(_) if may_be && !is_done => Probe::Done("it is there".into()),
            Fate::Well if is_done => Probe::Done("it holds".into()),
            _ => Probe::NotDone("it is not there".into()),
        })
    }

    fn perform(&mut self, step: StepNumber) -> Result<Result<String, Fault>, Stop> {
        let fate = self.turn()?;
        let rotation = self.rotation();
        match step {
            StepNumber::ANNOUNCE | StepNumber::RECONFIGURE => {
                let kind = match step {
                    StepNumber::ANNOUNCE => NoticeKind::Announcement,
                    _ => NoticeKind::Reconfigure,
                };
                if step == StepNumber::ANNOUNCE {
                    self.sees_people();
                }
                return self.hand_over(&SendOrder { kind, only: None, again: false }, fate);
            }
            StepNumber::STAGE => self.stage(fate),
            StepNumber::SECRET => {
                if let Err(refusal) = self.machine.touch(self.now, step) {
                    return Ok(Err(refusal_fault(&refusal)));
                }
                match fate {
                    Fate::Loses(_) => {
                        let role = rotation.target_role();
                        let name = rotation.keys[&role].name.clone();
                        self.emit(Record::KeyGone { role, name });
                    }
                    Fate::Fails(_) if rotation.live.known() != Live::Missing => {
                        self.emit(Record::SecretLeft { step, left: Live::Missing });
                    }
                    Fate::Well => {
                        let public_key = rotation.target().unwrap();
                        self.emit(Record::Swapped { public_key, gap_us: None, not_carried: Vec::new() });
                    }
                    _ => {}
                }
            }
            StepNumber::CHECK => {
                let bad = matches!(fate, Fate::Fails(_)).then(|| Check {
                    name: "object".into(),
                    state: CheckState::Fail,
                    finding: "no answer".into(),
                    advice: String::new(),
                });
                let live = Some(key(BEFORE));
                let keys = KeyAgreement { secret: live, object: live, interface: live, console: None };
                if !matches!(fate, Fate::Dies(_)) {
                    let preflight = Preflight { at: self.now, checks: bad.into_iter().collect(), keys };
                    self.emit(Record::Checked { preflight });
                }
            }
            StepNumber::OBJECT if fate == Fate::Well => {
                let to = rotation.target().unwrap();
                self.emit(Record::ObjectChanged { from: None, to, etag: "e".into() });
            }
            StepNumber::RECONCILE if fate == Fate::Well => {
                let (public_key, clock) = (rotation.target().unwrap(), self.now.as_second());
                let baseline = Baseline { public_key, clock, peers: Default::default() };
                self.emit(Record::Applied { baseline, waited_ms: 1 });
            }
            StepNumber::VERIFY if fate == Fate::Well => {
                if !rotation.not_back().is_empty() {
                    return Ok(Err(fault(FaultKind::Refused)));
                }
                self.destroy();
            }
            _ => {}
        }
        match fate {
            Fate::Dies(_) => Err(Stop::Died),
            Fate::Well => Ok(Ok("done".into())),
            Fate::Fails(_) => Ok(Err(fault(FaultKind::Forbidden))),
            Fate::Loses(_) => Ok(Err(fault(FaultKind::TimedOut))),
        }
    }

    fn stage(&mut self, fate: Fate) {
        let rotation = self.rotation();
        let role = rotation.target_role();
        let public_key = match role {
            KeyRole::Previous => key(BEFORE),
            _ => key(10 + u8::try_from(rotation.seq % 80).unwrap()),
        };
        if role == KeyRole::Staged && !rotation.touched && !rotation.is_previous_settled() && fate == Fate::Well {
            self.emit(Record::ShapeSeen { shape: SecretShape::default() });
            self.keep(KeyRole::Previous, key(BEFORE), true);
        }
        if !rotation.is_kept(role) {
            self.keep(role, public_key, fate == Fate::Well);
        }
    }

    fn keep(&mut self, role: KeyRole, public_key: PublicKey, is_kept: bool) {
        let name = format!("kept-{}", role.word());
        self.emit(Record::KeyKeeping { role, public_key, name: name.clone() });
        if is_kept {
            let href = SecretRef(name.clone());
            self.emit(Record::KeyKept { role, public_key, name, href });
        }
    }

    fn destroy(&mut self) {
        for (role, key) in self.rotation().keys.iter().filter(|(_, key)| key.destroyed.is_none()) {
            self.emit(Record::KeyDestroyed { role: *role, name: key.name.clone(), answer: "gone".into() });
        }
    }

    fn undo(&mut self, step: StepNumber) -> Result<Result<String, Fault>, Stop> {
        if step == StepNumber::ANNOUNCE {
            return self.mails(&SendOrder { kind: NoticeKind::Cancellation, only: None, again: false });
        }
        Ok(match self.turn()? {
            Fate::Dies(_) => return Err(Stop::Died),
            Fate::Well => {
                self.destroy();
                Ok("destroyed".into())
            }
            _ => Err(fault(FaultKind::Forbidden)),
        })
    }

    fn mails(&mut self, order: &SendOrder) -> Result<Result<String, Fault>, Stop> {
        let fate = self.turn()?;
        self.hand_over(order, fate)
    }

    fn hand_over(&mut self, order: &SendOrder, fate: Fate) -> Result<Result<String, Fault>, Stop> {
        let mut is_amiss = false;
        for (client, kind) in mailing::recipients(&self.rotation(), order) {
            let (email, revision) = (client.email.clone().unwrap(), self.rotation().window.revision);
            let message_id = format!("<{}.{}@x.example>", client.id, self.rotation().seq);
            let id = message_id.clone();
            self.emit(Record::NoticeQueued { client: client.id, email, kind, revision, message_id });
            let delivery = match fate {
                Fate::Dies(_) => return Err(Stop::Died),
                Fate::Loses(_) => Delivery::Uncertain { why: "no answer".into() },
                Fate::Fails(_) => Delivery::Failed { permanent: true, reply: "550".into() },
                Fate::Well => Delivery::Sent { reply: "250".into() },
            };
            is_amiss |= fate != Fate::Well;
            self.emit(Record::NoticeDelivery { message_id: id, delivery });
        }
        // A mail that was amiss before is so still.
        Ok(if is_amiss { Err(fault(FaultKind::Refused)) } else { Ok("sent".into()) })
    }

    fn sees_people(&mut self) {
        if self.rotation().clients.is_empty() {
            self.emit(Record::PeopleSeen { clients: clients(), unseen: Vec::new() });
        }
    }

    fn somebody_is_back(&mut self) {
        let missing = self.rotation().not_back().first().map(|client| client.id.clone());
        if let Some(client) = missing {
            self.emit(Record::ClientBack { client, source: BackSource::Handshake, note: String::new() });
        }
    }
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(Service::Barbican, kind, "it does not do it")
}
