//! From each record of a frozen journal the program of today goes on to a good end: the lab is put back to what it was then,
//! and only what is offered is done.

use super::corpus::{self, Journal};
use super::{freeze, world};
use crate::offered::{Before, TENANT, agent, offered, word, wrong_in_the_end};
use crate::rig::QuickClock;
use crate::sample;
use crate::scene::{Scene, Silent, as_person};
use changeguard::adapters::lab::{Lab, LabWorld};
use changeguard::domain::acknowledgement::Answer;
use changeguard::domain::client::Client;
use changeguard::engine::command::Command;
use changeguard::engine::journal::Holder;
use changeguard::engine::mailbox::Decision;
use changeguard::engine::record::{Actor, BackSource};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::wiring::Wiring;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// More actions than this lead nowhere.
const ACTIONS: usize = 40;
/// So many of the prefixes are gone on from in `cargo test`.
const MOST: usize = 10;
const SIDE_BY_SIDE: usize = 4;

/// The lab on which a journal was made, with its configuration.
pub async fn lab(journal: &Journal, folder: &Path) -> Lab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (clients, alerts) = (journal.about["clients"].as_u64().unwrap(), journal.about["alerts"].as_bool().unwrap());
    let lab = Lab::start(freeze::options(folder, clients as usize, alerts)).await.unwrap();
    let text = std::fs::read_to_string(lab.config_path()).unwrap();
    std::fs::write(lab.config_path(), text + journal.about["more"].as_str().unwrap()).unwrap();
    lab
}

/// Who goes on: neither of those who are in the frozen journals.
async fn conductor(wiring: &Wiring) -> Conductor {
    let tenant = wiring.tenants().await.0.remove(0);
    let fence = Arc::new(LeaseFence::new(wiring.store().clone()));
    let mut world = wiring.world(tenant, fence.clone()).unwrap();
    world.clock = Arc::new(QuickClock);
    let now = Timestamp::now();
    let (name, host) = ("carol".to_owned(), "bastion-3".to_owned());
    let me = Holder::new(
        name.clone(),
        host.clone(),
        std::process::id(),
        now,
        changeguard::adapters::system::instance().unwrap(),
    );
    let actor = Actor { by: name.clone(), host, person: name, ssh: None, unproven: None, environment: None };
    Conductor::new(world, wiring.runbook().clone(), me, actor, fence, Arc::new(Silent))
}

/// What is offered, with what only another person or a look into the lab can give.
async fn step(wiring: &Wiring, conductor: &Conductor, status: &Value, world: &LabWorld) -> Option<Vec<Command>> {
    let open = || status["mails"].as_array().unwrap().iter().find(|mail| mail["decision"].is_null()).unwrap();
    Some(match word(status).as_str() {
        "accept" => vec![Command::AcceptHandOver],
        "wait" => vec![Command::Reschedule { window: Scene::open_window() }],
        "approve" => {
            let digest = status["plan_digest"].as_str().unwrap().to_owned();
            let second = as_person(wiring, conductor, "dave");
            second.run(Command::Approve { digest, note: "read it".into() }).await.unwrap();
            Vec::new()
        }
        "read-mail" => {
            let text = status["next"]["text"].as_str().unwrap();
            let all = status["mails"].as_array().unwrap().iter();
            let named = |mail: &&Value| text.contains(&mail["mail"].as_str().unwrap()[..12]);
            let mail = all.into_iter().find(named).unwrap_or_else(open);
            let back = mail["topic"] == "back";
            let decision = if back { Decision::Back } else { Decision::Answer(Answer::Confirmed) };
            let (mail, note) = (mail["mail"].as_str().unwrap().to_owned(), "asked them".to_owned());
            vec![Command::DecideMail { mail, decision, note }]
        }
        _ => return offered(status, world),
    })
}

/// Goes on from a prefix. Says what is wrong in the end, or on the way.
async fn onward(lab: &Lab, journal: &Journal, at: usize, folder: &Path) -> Result<(), String> {
    let prefix = &journal.prefixes[at];
    // Every second as if the upgrade came at once, the others after a long time: then the window is over.
    let record = journal.records()[at].at_ms;
    let later =
        at.is_multiple_of(2).then(|| SignedDuration::from_millis(Timestamp::now().as_millisecond() - record - 500));
    let worlds = journal.prefixes[..=at].iter().map(|prefix| &prefix.world).chain([&journal.before]);
    let keys: BTreeMap<String, [u8; 32]> = world::keys(worlds);
    world::put_back(lab.world(), &prefix.world, &keys);
    let state = folder.join(format!("state-{at}"));
    journal.state(&state, prefix.position, later).await;
    let mut config = changeguard::config::load(Some(lab.config_path()), &|_| None).unwrap();
    config.state.directory = state;
    // No way back waits longer for a cycle than that.
    config.wireguard.reconcile_interval = Duration::from_secs(3);
    let wiring = Wiring::open(config).await.unwrap();
    let conductor = conductor(&wiring).await;
    let agent = tokio::spawn(agent(lab.world().clone()));
    let before = Before::given(world::live(&journal.before), journal.before["object"].as_str().unwrap().to_owned());
    let mut done = Vec::new();
    let mut ended = Err("it leads nowhere".to_owned());
    for _ in 0..ACTIONS {
        conductor.look().await;
        let status = serde_json::to_value(conductor.status()).unwrap();
        let Some(commands) = step(&wiring, &conductor, &status, lab.world()).await else {
            let mut wrong = wrong_in_the_end(lab.world(), &before, &conductor.entries());
            // Whose mail came back was written to once more, and rightly so.
            let bounced = journal.dump.contains("\"bounced\"");
            wrong.retain(|line| !(needs_no_call(&conductor, line) || bounced && line.starts_with("2 mails")));
            ended = if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}")) };
            break;
        };
        if word(&status) == "verify" {
            lab.world().reimport_all(TENANT).await;
        }
        done.push(status["next"]["text"].to_string());
        for command in commands {
            if let Err(error) = conductor.run(command).await {
                done.push(format!("  {error}"));
            }
        }
    }
    agent.abort();
    ended.map_err(|wrong| format!("{} from record {}: {wrong} after {done:#?}", journal.name, prefix.position))
}

/// Whoever is back by themselves, or waived, is not told to reconfigure: after so long a time all may be back.
fn needs_no_call(conductor: &Conductor, line: &str) -> bool {
    let rotation = conductor.rotation().unwrap();
    let spared = |client: &&Client| {
        let back = rotation.back.get(&client.id).is_some_and(|back| back.source == BackSource::Handshake);
        back || rotation.waivers.contains_key(&client.id)
    };
    rotation.clients.iter().filter(spared).any(|client| *line == format!("{} has no reconfigure", client.name))
}

/// Prefixes that are not gone on from: where a person was erased after the end, their address is gone from the dump, and
/// nothing before the end is as it was.
fn is_told_otherwise(journal: &Journal, at: usize) -> bool {
    let erases = journal.records().iter().any(|row| row.text.contains("person-erased"));
    erases && journal.prefixes[at].status["outcome"].is_null()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_record_of_a_frozen_journal_the_program_of_today_comes_to_a_good_end() {
    let began = std::time::Instant::now();
    let journals: Vec<Arc<Journal>> = super::all().into_iter().map(Arc::new).collect();
    let all = journals.iter().enumerate().flat_map(|(n, journal)| (0..journal.prefixes.len()).map(move |at| (n, at)));
    let points: Vec<(usize, usize)> = all.filter(|&(n, at)| !is_told_otherwise(&journals[n], at)).collect();
    let expected = points.len();
    let queue = Arc::new(Mutex::new(sample::chosen("frozen journals", points, MOST)));
    let (walked, failures) = (Arc::new(Mutex::new(0usize)), Arc::new(Mutex::new(Vec::new())));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (journals, queue, walked, failures) = (journals.clone(), queue.clone(), walked.clone(), failures.clone());
        tasks.spawn(async move {
            let mut labs: BTreeMap<String, (Lab, tempfile::TempDir)> = BTreeMap::new();
            loop {
                let Some((n, at)) = queue.lock().unwrap().pop() else { return };
                let journal = &journals[n];
                let kind = format!("{}{}{}", journal.about["clients"], journal.about["alerts"], journal.about["more"]);
                if !labs.contains_key(&kind) {
                    let folder = crate::scene::folder();
                    let lab = lab(journal, folder.path()).await;
                    labs.insert(kind.clone(), (lab, folder));
                }
                let (lab, folder) = &labs[&kind];
                let place = tempfile::tempdir_in(folder.path()).unwrap();
                match onward(lab, journal, at, place.path()).await {
                    Ok(()) => *walked.lock().unwrap() += 1,
                    Err(wrong) => {
                        println!("{wrong}");
                        failures.lock().unwrap().push(wrong);
                        labs.remove(&kind);
                    }
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let failures = failures.lock().unwrap();
    let walked = *walked.lock().unwrap();
    println!("{walked} of {expected} prefixes gone on from, each to a good end, in {:.0?}", began.elapsed());
    assert!(failures.is_empty(), "{} wrong ends:\n{}", failures.len(), failures.join("\n\n"));
    assert!(walked >= MOST && (walked == expected || !sample::is_all()), "only {walked} of {expected}");
}

#[test]
fn the_private_keys_of_the_frozen_worlds_are_known() {
    for journal in super::all() {
        let keys = world::keys(journal.prefixes.iter().map(|prefix| &prefix.world).chain([&journal.before]));
        for prefix in &journal.prefixes {
            let server = prefix.world["server"].as_str().unwrap();
            assert!(keys.contains_key(server), "{}: {server}", journal.name);
        }
    }
    assert!(corpus::folder().is_dir());
}
