//! A rotation of two clients whose world does what it is told: each act of the machine ends well, badly, with the loss of a key, or
//! with the death of the program, and leaves the records that the steps leave.

use super::play::{Play, Stop};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::{Client, ClientId, Entry as Person};
use changeguard::domain::freshness::ServerReading;
use changeguard::domain::key::PublicKey;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::preflight::Preflight;
use changeguard::domain::second_mail::SecondMail;
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::domain::window::Window;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::machine::{Input, Machine, Rules};
use changeguard::engine::observe::{ObjectSight, SecretSight, Sight, Sights};
use changeguard::engine::ports::{SecretRef, Settings};
use changeguard::engine::record::{Actor, Cause, RotationId};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::status::{self, TenantStatus, Viewer};
use jiff::Timestamp;
use std::sync::Arc;

/// The tenant's name.
pub const NAME: &str = "acme";

/// The key of before, and somebody else's.
pub const BEFORE: u8 = 1;
const THEIRS: u8 = 2;

pub fn key(number: u8) -> PublicKey {
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

/// A plan for the day after.
pub fn plan_later() -> Command {
    let window = Window::parse("2026-11-25 22:00", "1h", "UTC", 1).unwrap();
    Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }
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

impl Model {
    /// Before anything.
    pub fn start() -> Self {
        Self { rotation: None, path: Vec::new() }
    }

    fn machine(&self) -> Machine {
        let rules = Rules {
            preflight_valid: std::time::Duration::from_secs(600),
            approval: None,
            second_mail: SecondMail::default(),
            store_first: false,
        };
        let actor = Actor {
            by: "ops".into(),
            host: "h".into(),
            person: "ops".into(),
            ssh: None,
            unproven: None,
            environment: None,
        };
        Machine::new(tenant(), actor, rules, self.rotation.clone())
    }

    fn play(&self, command: &Command, now: Timestamp, fate: Fate) -> (Play, Result<(), Stop>) {
        let mut play = Play::new(self.machine(), now, fate);
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
        sights.take(look, Sight::Secret(Ok(SecretSight { count, keys, hrefs, versions, ..SecretSight::default() })));
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

    /// What is offered in it.
    pub fn offer(&self) -> String {
        let (now, seen) = self.views().swap_remove(0);
        format!("{:?}", self.status(now, seen).next.action)
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

pub fn clients() -> Vec<Client> {
    let person = |(id, number): (&str, u8)| Client {
        id: ClientId(id.into()),
        name: id.to_uppercase(),
        email: Some(format!("{id}@x.example")),
        public_key: Some(key(number)),
        sources: [changeguard::domain::client::Source::Object].into_iter().collect(),
        also: Vec::new(),
    };
    [("ada", 100), ("eve", 101)].map(person).to_vec()
}

fn settings() -> Settings {
    Settings {
        second_mail: SecondMail::default(),
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
