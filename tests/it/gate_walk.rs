//! What shuts the gate, at every call and every record of `rotate`: the window ends, somebody declines, the approval expires, a
//! place that knows people fails or forgets or learns somebody, the mailbox fails. After each the key is changed only if the gate
//! was truly open at the moment of touching; if it is not, the rotation can be cancelled, and if it is, it ends well.

use crate::offered::{Before, TENANT, Way, agent, decide, word, wrong_in_the_end};
use crate::sample;
use crate::scene::{Scene, as_person};
use async_trait::async_trait;
use changeguard::adapters::lab::{Fault, Lab, LabOptions, Rule, Service};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::Tenant;
use changeguard::engine::command::Command;
use changeguard::engine::journal::Holder;
use changeguard::engine::ports::Clock;
use changeguard::engine::record::{Actor, Cause, Outcome, Record};
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::wiring::Wiring;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const OBJECT: &str = "config/vpn-users.json";
const ACTIONS: usize = 40;
/// So many points of each event are walked in `cargo test`.
const MOST: usize = 2;
const SIDE_BY_SIDE: usize = 4;
/// How long an approval counts here, s; the window lasts longer.
const APPROVED: i64 = 600;

/// Who appears.
const ANOTHER: &str = "Another Person";

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    WindowEnds,
    ApprovalExpires,
    /// By mail, as clients do.
    Declines,
    /// The same, and every place has forgotten them.
    DeclinesAndIsForgotten,
    ConsoleFails,
    ObjectFails,
    /// Somebody who was not asked will be cut off too.
    SomebodyAppears,
    MailboxFails,
}

const EVENTS: [Event; 8] = [
    Event::WindowEnds,
    Event::ApprovalExpires,
    Event::Declines,
    Event::DeclinesAndIsForgotten,
    Event::ConsoleFails,
    Event::ObjectFails,
    Event::SomebodyAppears,
    Event::MailboxFails,
];

impl Event {
    /// Whether this call learns of it, if it is made after it.
    fn is_seen_by(self, service: Service, method: &str) -> bool {
        match self {
            // The clock is read when the gate is judged; no call is needed.
            Event::WindowEnds | Event::ApprovalExpires => false,
            Event::Declines | Event::DeclinesAndIsForgotten => {
                service == Service::Imap && matches!(method, "EXAMINE" | "SELECT")
            }
            Event::MailboxFails => service == Service::Imap,
            Event::ConsoleFails => service == Service::Console,
            Event::ObjectFails | Event::SomebodyAppears => service == Service::Swift && method == "GET",
        }
    }

    fn is_of_the_clock(self) -> bool {
        matches!(self, Event::WindowEnds | Event::ApprovalExpires)
    }
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    /// At the n-th call of `rotate`, before it is carried out.
    Call(usize),
    /// Right after the n-th record of `rotate` is durable.
    Record(usize),
}

/// What was seen, in its order.
#[derive(Clone, Debug)]
enum Seen {
    Call(Service, String, String),
    Record(&'static str),
    Event,
}

/// A clock that is moved.
struct MovedClock(Arc<AtomicI64>);

#[async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / 20).await;
    }
}

/// What has been seen since `rotate` began, and what shall happen when.
#[derive(Default)]
struct Script {
    seen: Vec<Seen>,
    calls: usize,
    records: usize,
    planned: Option<(Event, Point)>,
    is_on: bool,
}

/// Notes calls and records, and lets the event happen.
struct Stagehand {
    lab: Arc<Lab>,
    ahead: Arc<AtomicI64>,
    script: Mutex<Script>,
}

impl Stagehand {
    fn called(&self, service: Service, method: &str, path: &str) {
        let event = {
            let mut script = self.script.lock().unwrap();
            if !script.is_on {
                return;
            }
            script.calls += 1;
            let is_now = matches!(script.planned, Some((_, Point::Call(n))) if n == script.calls);
            let event = if is_now { script.planned.take() } else { None };
            if event.is_some() {
                script.seen.push(Seen::Event);
            }
            script.seen.push(Seen::Call(service, method.to_owned(), path.to_owned()));
            event
        };
        if let Some((event, _)) = event {
            self.happens(event);
        }
    }

    fn recorded(&self, entries: &[Record]) {
        let mut events = Vec::new();
        {
            let mut script = self.script.lock().unwrap();
            if !script.is_on {
                return;
            }
            while script.records < entries.len() {
                let kind = match &entries[script.records] {
                    Record::Touching { .. } => "touching",
                    Record::NotTouched { .. } => "not-touched",
                    Record::StepStarted { step } if *step == StepNumber::SECRET => "step 4",
                    _ => "other",
                };
                script.records += 1;
                script.seen.push(Seen::Record(kind));
                if matches!(script.planned, Some((_, Point::Record(n))) if n == script.records) {
                    script.seen.push(Seen::Event);
                    events.extend(script.planned.take());
                }
            }
        }
        events.into_iter().for_each(|(event, _)| self.happens(event));
    }

    fn happens(&self, event: Event) {
        match event {
            Event::WindowEnds => self.ahead.store(3600 + 60, Ordering::SeqCst),
            Event::ApprovalExpires => self.ahead.store(APPROVED + 60, Ordering::SeqCst),
            Event::Declines => self.declines(),
            Event::DeclinesAndIsForgotten => {
                self.declines();
                self.rewrite(|users| drop(users.remove(0)));
            }
            Event::ConsoleFails => self.fails(Service::Console),
            Event::ObjectFails => self.fails(Service::Swift),
            Event::SomebodyAppears => self.rewrite(|users| {
                let mut another = users[0].clone();
                another["id"] = "u-another".into();
                another["name"] = ANOTHER.into();
                another["email"] = "another@acme.example".into();
                another["pubkey"] = "YW5vdGhlciBwZXJzb24ncyBwdWJsaWMga2V5ISEhISE=".into();
                users.push(another);
            }),
            Event::MailboxFails => self.fails(Service::Imap),
        }
    }

    fn fails(&self, service: Service) {
        let fault = if service == Service::Imap { Fault::Close } else { Fault::Status(503) };
        self.lab.faults().add(Rule::new(service, fault).always());
    }

    fn declines(&self) {
        let person = self.lab.world().tenant(TENANT).unwrap().people.remove(0);
        let mail = self.lab.world().mails_to(&person.email).pop().unwrap();
        let header = |name: &str| mail.header(name).unwrap();
        let raw = format!(
            "From: {} <{}>\r\nTo: {}\r\nSubject: Re: {}\r\nMessage-ID: <no@acme.example>\r\nIn-Reply-To: {}\r\n\r\nNo, that does \
             not work for me.\r\n",
            person.name,
            person.email,
            header("Reply-To"),
            header("Subject"),
            header("Message-ID")
        );
        self.lab.world().deliver_to_operator(raw.as_bytes());
    }

    fn rewrite(&self, change: impl FnOnce(&mut Vec<Value>)) {
        let container = self.lab.world().tenant(TENANT).unwrap().id;
        let mut object: Value = serde_json::from_slice(&self.lab.world().object(&container, OBJECT).unwrap()).unwrap();
        change(object["users"].as_array_mut().unwrap());
        self.lab.world().put_object(&container, OBJECT, object.to_string().as_bytes());
    }
}

impl Watcher for Stagehand {
    fn changed(&self, conductor: &Conductor) {
        let begun = self.script.lock().unwrap().is_on;
        if begun {
            let entries = conductor.entries().into_iter().map(|entry| entry.record);
            let rotate = entries.skip_while(|record| !matches!(record, Record::Approved { .. })).skip(1);
            self.recorded(&rotate.collect::<Vec<_>>());
        }
    }

    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

/// One lab with one conductor.
struct Stage {
    lab: Arc<Lab>,
    wiring: Wiring,
    conductor: Conductor,
    hand: Arc<Stagehand>,
    agent: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

impl Stage {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = crate::scene::folder();
        let options =
            LabOptions { console: true, ..LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard")) };
        let lab = Arc::new(Lab::start(options).await.unwrap());
        let mut config = changeguard::config::load(Some(lab.config_path()), &|_| None).unwrap();
        config.approval.required = true;
        config.approval.valid = Duration::from_secs(APPROVED as u64);
        config.wireguard.preflight_valid = Duration::from_secs(2 * 3600);
        let wiring = Wiring::open(config).await.unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let hand = Arc::new(Stagehand { lab: lab.clone(), ahead: ahead.clone(), script: Mutex::default() });
        // The lab must not keep itself alive.
        let (watch, now) = (Arc::downgrade(&hand), Timestamp::now());
        lab.faults().observe(move |request| {
            if let Some(watch) = watch.upgrade().filter(|_| !request.agent) {
                watch.called(request.service, &request.method, &request.path);
            }
        });
        let tenant = wiring.tenants().await.0.remove(0);
        let fence = Arc::new(LeaseFence::new(wiring.store().clone()));
        let mut world = wiring.world(tenant, fence.clone()).unwrap();
        world.clock = Arc::new(MovedClock(ahead));
        let instance = changeguard::adapters::system::instance().unwrap();
        let me = Holder::new("ops".into(), "here".into(), std::process::id(), now, instance);
        let actor = Actor {
            by: "ops".into(),
            host: "here".into(),
            person: "ops".into(),
            ssh: None,
            unproven: None,
            environment: None,
        };
        let conductor = Conductor::new(world, wiring.runbook().clone(), me, actor, fence, hand.clone());
        let agent = tokio::spawn(agent(lab.world().clone()));
        Self { lab, wiring, conductor, hand, agent, _folder: folder }
    }

    async fn status(&self) -> Value {
        self.conductor.look().await;
        serde_json::to_value(self.conductor.status()).unwrap()
    }

    /// What leads up to the walk; a loaded machine may answer too late once.
    async fn does(&self, command: Command) {
        if self.conductor.run(command.clone()).await.is_err() {
            self.conductor.run(command).await.unwrap();
        }
    }

    /// Up to where only rotate is left to do.
    async fn prepare(&self) {
        let window = Scene::open_window();
        self.does(Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }).await;
        self.does(Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }).await;
        for person in self.lab.world().tenant(TENANT).unwrap().people {
            let client = changeguard::domain::client::ClientId(person.id);
            let (answer, channel, note) = (Answer::Confirmed, Channel::Phone, String::new());
            self.does(Command::Answer { client, answer, channel, note }).await;
        }
        self.does(Command::Check).await;
        self.approved().await;
        let status = self.status().await;
        assert_eq!((status["gate"].as_str(), word(&status).as_str()), (Some("open"), "rotate"), "{status:#}");
    }

    async fn approved(&self) {
        let status = self.status().await;
        let digest = status["plan_digest"].as_str().unwrap().to_owned();
        let bob = as_person(&self.wiring, &self.conductor, "bob");
        bob.run(Command::Approve { digest, note: String::new() }).await.unwrap();
        self.conductor.reload().await.unwrap();
    }

    /// Everything answers again, and the object has its people.
    fn heal(&self, before: &Before) {
        self.lab.faults().clear();
        before.put_people_back(self.lab.world());
    }

    /// `rotate` with an event at a point. Gives what was seen.
    async fn rotate(&self, planned: Option<(Event, Point)>) -> Vec<Seen> {
        *self.hand.script.lock().unwrap() = Script { planned, is_on: true, ..Script::default() };
        let confirm = TENANT.to_owned();
        let _ = self.conductor.run(Command::Rotate { confirm, through_tunnel: String::new() }).await;
        let mut script = self.hand.script.lock().unwrap();
        script.is_on = false;
        std::mem::take(&mut script.seen)
    }

    /// One rotation with an event at a point; says whether the key was changed and whether the event came before that.
    async fn walk(&self, event: Event, point: Point) -> Result<Walked, String> {
        let world = self.lab.world();
        let live = world.key_secrets(TENANT).remove(0);
        let before = Before::of(world);
        let seen = self.rotate(Some((event, point))).await;
        self.heal(&before);
        let Some(happened) = seen.iter().position(|seen| matches!(seen, Seen::Event)) else {
            return self.ends(&before, Walked::Unmet).await;
        };
        let changes = |seen: &Seen| matches!(seen, Seen::Call(Service::Barbican, method, path) if method == "DELETE" && path.contains(&live.id));
        let touching = seen.iter().rposition(|seen| matches!(seen, Seen::Record("touching")));
        let step = seen.iter().position(|seen| matches!(seen, Seen::Record("step 4")));
        let changed = seen.iter().position(changes);
        if let Some(changed) = changed {
            let Some(touching) = touching.filter(|touching| *touching < changed) else {
                return Err(format!("the key was changed and the journal did not say so before: {seen:#?}"));
            };
            let learns =
                |seen: &Seen| matches!(seen, Seen::Call(service, method, _) if event.is_seen_by(*service, method));
            let early = happened < touching;
            if early && (event.is_of_the_clock() || seen[happened..touching].iter().any(learns)) {
                return Err(format!("the key was changed although the gate was shut: {seen:#?}"));
            }
            let asks = |seen: &Seen| matches!(seen, Seen::Call(Service::Imap, method, _) if matches!(method.as_str(), "EXAMINE" | "SELECT"));
            if !seen[step.unwrap_or(0)..touching].iter().any(asks) {
                return Err(format!("the mailbox was not read at the moment of touching: {seen:#?}"));
            }
        } else {
            let now = world.key_secrets(TENANT);
            if now.len() != 1 || now[0].id != live.id {
                return Err(format!("the key was changed unseen: {now:?}"));
            }
        }
        let walked = if changed.is_some() { Walked::Changed } else { Walked::Shut };
        self.ends(&before, walked).await
    }

    /// Not changed: it can be cancelled. Changed: with what is offered it ends well.
    async fn ends(&self, before: &Before, walked: Walked) -> Result<Walked, String> {
        let mut done = Vec::new();
        if walked == Walked::Shut {
            let (confirm, reason) = (TENANT.to_owned(), "a rehearsal".to_owned());
            if let Err(error) = self.conductor.run(Command::Cancel { confirm, reason }).await {
                return Err(format!("it can't be cancelled: {error}"));
            }
            if self.conductor.status().outcome != Some(Outcome::Cancelled) {
                return Err("it was not cancelled".into());
            }
        }
        for _ in 0..ACTIONS {
            let status = self.status().await;
            let Some((action, commands)) = decide(Way::Forward, &status, self.lab.world(), &mut true) else {
                let mut wrong = wrong_in_the_end(self.lab.world(), before, &self.conductor.entries());
                // Whoever was seen once and is gone again was told nothing, nor was a peer while the object did not name it.
                wrong.retain(|line| !line.starts_with(ANOTHER) && !line.starts_with("peer "));
                return if wrong.is_empty() { Ok(walked) } else { Err(format!("{wrong:#?} after {done:#?}")) };
            };
            if action == "verify" {
                self.lab.world().reimport_all(TENANT).await;
            }
            done.push(status["next"]["text"].to_string());
            for command in commands {
                if let Err(error) = self.conductor.run(command).await {
                    done.push(format!("  {error}"));
                }
            }
        }
        Err(format!("it leads nowhere: {done:#?}"))
    }
}

/// How a walk went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Walked {
    /// The gate stayed shut.
    Shut,
    /// The key was changed, rightly.
    Changed,
    /// The point was not reached.
    Unmet,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_shuts_the_gate_at_any_point_of_a_rotation_the_key_is_changed_only_where_it_was_open() {
    let began = std::time::Instant::now();
    let first = Stage::start().await;
    first.prepare().await;
    let seen = first.rotate(None).await;
    assert!(first.conductor.status().phase != changeguard::engine::status::Phase::Announced, "it must run through");
    drop(first);
    let calls = seen.iter().filter(|seen| matches!(seen, Seen::Call(..))).count();
    let records = seen.iter().filter(|seen| matches!(seen, Seen::Record(_))).count();
    println!("rotate: {calls} calls, {records} records");
    assert!(calls > 20 && records > 10, "{seen:?}");
    let points: Vec<Point> = (1..=calls).map(Point::Call).chain((1..=records).map(Point::Record)).collect();
    let mut queue = Vec::new();
    for event in EVENTS {
        let chosen = sample::chosen(&format!("the gate: {event:?}"), points.clone(), MOST);
        queue.extend(chosen.into_iter().map(|point| (event, point)));
    }
    let expected = queue.len();
    let queue = Arc::new(Mutex::new(queue));
    let tally = Arc::new(Mutex::new((BTreeMap::<(Event, Walked), usize>::new(), Vec::<String>::new())));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (queue, tally) = (queue.clone(), tally.clone());
        tasks.spawn(async move {
            loop {
                let Some((event, point)) = queue.lock().unwrap().pop() else { return };
                let stage = Stage::start().await;
                stage.prepare().await;
                match stage.walk(event, point).await {
                    Ok(walked) => *tally.lock().unwrap().0.entry((event, walked)).or_default() += 1,
                    Err(wrong) => tally.lock().unwrap().1.push(format!("{event:?} at {point:?}: {wrong}")),
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let (walked, wrong) = &*tally.lock().unwrap();
    for ((event, walked), times) in walked {
        println!("the gate: {times} points walked: {event:?}, {walked:?}");
    }
    println!("the gate: {expected} points walked in {:.0?}, {} wrong", began.elapsed(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    let unmet: usize = walked.iter().filter(|((_, walked), _)| *walked == Walked::Unmet).map(|(_, times)| times).sum();
    assert!(unmet * 10 <= expected, "{unmet} of {expected} points were not met");
}
