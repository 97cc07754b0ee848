//! Somebody else writes to Barbican, the object, the interface and the mailbox between any two calls of a rotation, or of a way back.
//! Only what is offered is done then. Nothing of theirs is lost in silence, and no key is live that no client and no place had.

use crate::named;
use crate::offered::{TENANT, agent, decide, public, word};
use crate::sample;
use crate::scene::{Scene, Silent};
use changeguard::adapters::lab::{Lab, LabOptions, LabWorld};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::ClientId;
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::Command;
use changeguard::engine::record::{Cause, Record};
use changeguard::engine::secret::PrivateKey;
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fleet::Fleet;
use changeguard::runtime::wiring::Wiring;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const OBJECT: &str = "config/vpn-users.json";
/// More actions than this lead nowhere.
const ACTIONS: usize = 30;
/// So many points of each event are walked in `cargo test`.
const MOST: usize = 1;
const SIDE_BY_SIDE: usize = 4;

/// Who is added by the portal.
const NEWCOMER: &str = "u-newcomer";

/// What somebody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Stores a second secret of the name.
    AddsSecret,
    /// Puts their key in place of what is there.
    SwapsSecret,
    RemovesSecret,
    /// Removes what is kept for this rotation.
    RemovesKept,
    /// Writes their key into the object.
    RewritesObject,
    /// The portal adds a person.
    AddsPerson,
    /// Sets their key on the interface.
    SetsInterface,
    /// Deletes all mails of the operator's mailbox.
    EmptiesMailbox,
}

const EVENTS: [Event; 8] = [
    Event::AddsSecret,
    Event::SwapsSecret,
    Event::RemovesSecret,
    Event::RemovesKept,
    Event::RewritesObject,
    Event::AddsPerson,
    Event::SetsInterface,
    Event::EmptiesMailbox,
];

/// Which command meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leg {
    Rotate,
    Back,
}

fn theirs() -> PrivateKey {
    PrivateKey::from_random([55; 32])
}

impl Event {
    /// Whether a key of theirs is in Barbican by it.
    fn stores(self) -> bool {
        matches!(self, Event::AddsSecret | Event::SwapsSecret)
    }

    fn happens(self, world: &LabWorld) {
        let tenant = world.tenant(TENANT).unwrap().id;
        let name = format!("vpn-private-key-{tenant}");
        let remove = |wanted: &dyn Fn(&str) -> bool| {
            for secret in world.secrets("").into_iter().filter(|secret| wanted(&secret.name)) {
                world.remove_secret(&secret.id);
            }
        };
        let rewrite = |change: &dyn Fn(&mut Value)| {
            let mut object: Value = serde_json::from_slice(&world.object(&tenant, OBJECT).unwrap()).unwrap();
            change(&mut object);
            world.put_object(&tenant, OBJECT, object.to_string().as_bytes());
        };
        let key = theirs();
        match self {
            Event::AddsSecret => _ = world.add_secret(&name, "text/plain", Some(key.to_payload(false).expose())),
            Event::SwapsSecret => {
                remove(&|found| found == name);
                world.add_secret(&name, "text/plain", Some(key.to_payload(false).expose()));
            }
            Event::RemovesSecret => remove(&|found| found == name),
            Event::RemovesKept => remove(&|found| found.starts_with("changeguard-")),
            Event::RewritesObject => {
                rewrite(&|object| object["vpn_server_public_key"] = key.public().to_string().into())
            }
            Event::AddsPerson => rewrite(&|object| {
                let users = object["users"].as_array_mut().unwrap();
                let mut newcomer = users[0].clone();
                newcomer["id"] = NEWCOMER.into();
                newcomer["email"] = "newcomer@acme.example".into();
                newcomer["pubkey"] = "YW5vdGhlciBwZXJzb24ncyBwdWJsaWMga2V5ISEhISE=".into();
                users.push(newcomer);
            }),
            Event::SetsInterface => world.set_server_key(TENANT, [55; 32]),
            Event::EmptiesMailbox => {
                for (uid, ..) in world.mailbox("INBOX") {
                    world.remove_mail("INBOX", uid);
                }
            }
        }
    }
}

/// What is seen, and what shall happen when.
#[derive(Default)]
struct Script {
    calls: usize,
    planned: Option<(Event, usize)>,
    is_on: bool,
    /// Every key that was ever seen on the interface.
    live: BTreeSet<String>,
}

struct Stage {
    lab: Lab,
    _wiring: Wiring,
    fleet: Fleet,
    script: Arc<Mutex<Script>>,
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
        let options = LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard"));
        let lab = Lab::start(options).await.unwrap();
        lab.world().keep_versions();
        let mut config = changeguard::config::load(Some(lab.config_path()), &|_| None).unwrap();
        config.wireguard.reconcile_interval = Duration::from_secs(1);
        let wiring = Wiring::open(config).await.unwrap();
        let (tenants, _) = wiring.tenants().await;
        let fleet = wiring.fleet(tenants, Arc::new(Silent)).unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let (watch, world) = (script.clone(), lab.world().clone());
        lab.faults().observe(move |request| {
            let event = {
                let mut script = watch.lock().unwrap();
                script.live.extend(world.server(TENANT).map(|server| server.public_key));
                if request.agent || !script.is_on {
                    return;
                }
                script.calls += 1;
                let is_now = matches!(script.planned, Some((_, at)) if at == script.calls);
                if is_now { script.planned.take() } else { None }
            };
            if let Some((event, _)) = event {
                event.happens(&world);
            }
        });
        let agent = tokio::spawn(agent(lab.world().clone()));
        Self { lab, _wiring: wiring, fleet, script, agent, _folder: folder }
    }

    fn acme(&self) -> &Conductor {
        self.fleet.find(TENANT).unwrap()
    }

    async fn does(&self, command: Command) {
        self.acme().run(command).await.unwrap();
    }

    /// Up to the command that meets the event.
    async fn prepare(&self, leg: Leg) -> Command {
        let window = Scene::open_window();
        self.does(Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }).await;
        self.does(Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }).await;
        for person in self.lab.world().tenant(TENANT).unwrap().people {
            let (client, answer, channel) = (ClientId(person.id), Answer::Confirmed, Channel::Phone);
            self.does(Command::Answer { client, answer, channel, note: String::new() }).await;
        }
        let (confirm, through_tunnel) = (TENANT.to_owned(), String::new());
        let rotate = Command::Rotate { confirm: confirm.clone(), through_tunnel: through_tunnel.clone() };
        if leg == Leg::Rotate {
            return rotate;
        }
        self.does(rotate).await;
        Command::RollBack { confirm, reason: "it does not work".into(), through_tunnel }
    }

    /// Carries it out with an event at a call. Gives how many calls it made, and whether the event was met.
    async fn meddled(&self, command: Command, planned: Option<(Event, usize)>) -> (usize, bool) {
        {
            let mut script = self.script.lock().unwrap();
            (script.calls, script.planned, script.is_on) = (0, planned, true);
        }
        let _ = self.acme().run(command).await;
        let mut script = self.script.lock().unwrap();
        script.is_on = false;
        (script.calls, planned.is_some() && script.planned.take().is_none())
    }

    async fn status(&self) -> Value {
        self.acme().look().await;
        serde_json::to_value(self.acme().status()).unwrap()
    }

    async fn walk(&self, leg: Leg, event: Event, nth: usize) -> Result<bool, String> {
        let world = self.lab.world();
        let before = public(&world.key_secrets(TENANT).remove(0).payload.unwrap());
        let command = self.prepare(leg).await;
        let (_, met) = self.meddled(command, Some((event, nth))).await;
        let (mut done, mut wrong) = (Vec::new(), Vec::new());
        let mut checks = 0;
        for _ in 0..ACTIONS {
            let status = self.status().await;
            wrong.extend(self.refused(status["next"]["text"].as_str().unwrap_or_default()));
            if status["phase"] == "idle" && word(&status) != "recover" {
                break;
            }
            let Some((mut action, mut commands)) = decide(crate::offered::Way::Forward, &status, world, &mut true)
            else {
                break;
            };
            checks += usize::from(action == "check");
            if checks > 2 {
                // What somebody else has done can't be undone here: a person gives it up.
                let (confirm, reason) = (TENANT.to_owned(), "the keys do not agree".to_owned());
                (action, commands) = ("cancel".into(), vec![Command::Cancel { confirm, reason }]);
            }
            if action == "verify" {
                world.reconcile(TENANT).await;
                world.reimport_all(TENANT).await;
            }
            done.push(format!("{action}: {}", status["next"]["text"]));
            for command in commands {
                if let Err(error) = self.acme().run(command).await {
                    wrong.extend(self.refused(&error.advice()));
                    done.push(format!("  {error}; {}", error.advice()));
                }
            }
        }
        wrong.extend(self.lost(event, &before, met).await);
        if wrong.is_empty() { Ok(met) } else { Err(format!("{wrong:#?} after {done:#?}")) }
    }

    /// Actions that a text names and the machine refuses.
    fn refused(&self, text: &str) -> Vec<String> {
        named::refused(text, self.acme().rotation(), self.acme().tenant())
    }

    /// What of theirs is lost, which key was live that nobody had, and what stands wrong without a word.
    async fn lost(&self, event: Event, before: &str, met: bool) -> Vec<String> {
        let (world, mut wrong) = (self.lab.world(), Vec::new());
        let status = self.status().await;
        let entries = self.acme().entries();
        let attention = status["attention"].to_string();
        let told: String = entries.iter().map(|entry| entry.record.summary() + "\n").collect();
        let (their_key, short) = (theirs().public().to_string(), theirs().public().short());
        let held: BTreeSet<String> =
            world.secrets("").iter().map(|secret| public(secret.payload.as_deref().unwrap_or_default())).collect();
        if met && event.stores() {
            if !held.contains(&their_key) {
                wrong.push("their key is lost".into());
            }
            let in_place =
                world.key_secrets(TENANT).iter().any(|s| public(s.payload.as_deref().unwrap_or_default()) == their_key);
            if !in_place && !told.contains(&short) && !attention.contains(&short) {
                wrong.push(format!("their key was moved without a word: {told}"));
            }
        }
        let object: Value =
            serde_json::from_slice(&world.object(&world.tenant(TENANT).unwrap().id, OBJECT).unwrap()).unwrap();
        let users = object["users"].as_array().unwrap();
        if met && event == Event::AddsPerson && !users.iter().any(|user| user["id"] == NEWCOMER) {
            wrong.push("whom they added is lost".into());
        }
        let kept = entries.iter().filter_map(|entry| match &entry.record {
            Record::KeyKept { public_key, .. } => Some(public_key.to_string()),
            _ => None,
        });
        let known: BTreeSet<String> = kept.chain([before.to_owned(), their_key]).collect();
        let live = self.script.lock().unwrap().live.clone();
        wrong.extend(live.difference(&known).map(|key| format!("{key} was live, and no client and no place had it")));
        let secrets: Vec<String> =
            world.key_secrets(TENANT).iter().map(|s| public(s.payload.as_deref().unwrap_or_default())).collect();
        let shown = world.server(TENANT).unwrap().public_key;
        let agree = secrets == [shown.clone()] && object["vpn_server_public_key"] == shown.as_str();
        if !agree && status["attention"].as_array().is_none_or(Vec::is_empty) {
            wrong.push(format!("secrets {secrets:?}, interface {shown}, object {}: and nothing is said", object));
        }
        wrong
    }
}

async fn walk_all(leg: Leg) {
    let began = std::time::Instant::now();
    let first = Stage::start().await;
    let command = first.prepare(leg).await;
    let (calls, _) = first.meddled(command, None).await;
    drop(first);
    assert!(calls > 10, "{leg:?} makes {calls} calls");
    let mut queue = Vec::new();
    for event in EVENTS {
        let points = sample::chosen(&format!("somebody else, {leg:?}: {event:?}"), (1..=calls).collect(), MOST);
        queue.extend(points.into_iter().map(|nth| (event, nth)));
    }
    let expected = queue.len();
    let queue = Arc::new(Mutex::new(queue));
    let tally = Arc::new(Mutex::new((BTreeMap::<(Event, bool), usize>::new(), Vec::<String>::new())));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (queue, tally) = (queue.clone(), tally.clone());
        tasks.spawn(async move {
            loop {
                let Some((event, nth)) = queue.lock().unwrap().pop() else { return };
                let stage = Stage::start().await;
                match stage.walk(leg, event, nth).await {
                    Ok(met) => *tally.lock().unwrap().0.entry((event, met)).or_default() += 1,
                    Err(wrong) => tally.lock().unwrap().1.push(format!("{event:?} at call {nth}: {wrong}")),
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let (walked, wrong) = &*tally.lock().unwrap();
    println!("somebody else, {leg:?}: {expected} points walked in {:.0?}, {} wrong", began.elapsed(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    let unmet: usize = walked.iter().filter(|((_, met), _)| !met).map(|(_, times)| times).sum();
    assert!(unmet * 5 <= expected, "{unmet} of {expected} points were not met");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_somebody_else_writes_during_a_rotation_nothing_of_theirs_is_lost_in_silence() {
    walk_all(Leg::Rotate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_somebody_else_writes_during_a_way_back_nothing_of_theirs_is_lost_in_silence() {
    walk_all(Leg::Back).await;
}
