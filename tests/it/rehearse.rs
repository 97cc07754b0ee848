//! Mishaps of the lab as an operator switches them on: each is felt, each can be taken back, and nothing but a lab has any.

use crate::bastion::{Bastion, CYCLE, PATIENCE};
use crate::terminal::{demo, open};
use changeguard::adapters::lab::{Lab, LabOptions, MishapOrder, Pace};
use changeguard::adapters::lab::{LabTenant, LabWorld};
use serde_json::Value;

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()
}

async fn on(bastion: &Bastion, mishap: &str) {
    bastion.run(&format!("rehearse on {mishap}"), &[]).await.ends(0);
}

async fn off(bastion: &Bastion, mishap: &str) {
    bastion.run(&format!("rehearse off {mishap}"), &[]).await.ends(0);
}

/// The mishaps that are on, as `rehearse list` tells them.
async fn those_on(bastion: &Bastion) -> Vec<String> {
    let told = bastion.run("rehearse list --json", &[]).await.ends(0).json();
    let is_on = |view: &&Value| !view["on"].as_array().unwrap().is_empty();
    let word = |view: &Value| view["mishap"].as_str().unwrap().to_owned();
    told["mishaps"].as_array().unwrap().iter().filter(is_on).map(word).collect()
}

fn all(world: &LabWorld) -> Vec<String> {
    world.mishaps().into_iter().map(|view| view.mishap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mishap_is_switched_on_and_off_by_its_word() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    let words = all(bastion.lab.world());
    for service in ["keystone", "barbican", "swift", "server", "mail", "mailbox", "console", "alerts"] {
        for way in ["down", "slow", "401", "403", "500", "lost"] {
            assert!(words.contains(&format!("{service}-{way}")), "{service}-{way}");
        }
    }
    for own in ["secret-missing", "late", "never-back", "bounce", "unclear-mail"] {
        assert!(words.contains(&own.to_owned()), "{own}");
    }
    for word in &words {
        let order = |on| MishapOrder { mishap: word.clone(), on, ..MishapOrder::default() };
        for _ in 0..2 {
            bastion.lab.world().rehearse(&order(true)).unwrap();
        }
        let views = bastion.lab.world().mishaps();
        assert_eq!(
            views.iter().filter(|view| !view.on.is_empty()).map(|view| &view.mishap).collect::<Vec<_>>(),
            [word]
        );
        bastion.lab.world().rehearse(&order(false)).unwrap();
        assert!(bastion.lab.world().mishaps().iter().all(|view| view.on.is_empty()), "{word}");
    }
    on(&bastion, "swift-500").await;
    on(&bastion, "bounce --tenant acme").await;
    assert_eq!(those_on(&bastion).await, ["bounce", "swift-500"]);
    off(&bastion, "all").await;
    assert!(those_on(&bastion).await.is_empty());
    for wrong in ["no-such", "late --tenant nobody", "bounce --tenant acme --client nobody"] {
        bastion.run(&format!("rehearse on {wrong}"), &[]).await.ends(2);
    }
    assert!(those_on(&bastion).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_lab_can_be_made_to_fail() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    // The same configuration, but no lab has written it there.
    let elsewhere = tempfile::tempdir().unwrap();
    for file in ["changeguard.toml", "clouds.yaml", "inbox-password"] {
        std::fs::copy(bastion.folder.path().join(file), elsewhere.path().join(file)).unwrap();
    }
    let config = elsewhere.path().join("changeguard.toml");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_changeguard"));
    command.arg("--config").arg(&config).args(["rehearse", "on", "barbican-down"]);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no lab runs beside") && said.contains("nothing was done"), "{said}");
    // Beside the lab, but for another cloud: those are real services.
    bastion.configure("name = \"lab\"", "name = \"lab-appcred\"");
    let ran = bastion.run("rehearse on barbican-down", &[]).await.ends(1);
    assert!(ran.err.contains("no lab runs beside"), "{}", ran.err);
    assert!(bastion.lab.world().mishaps().iter().all(|view| view.on.is_empty()));
    // Nobody else on this machine tells it anything: who does not know the file's password is not answered.
    let file = bastion.folder.path().join("rehearse.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    bastion.configure("name = \"lab-appcred\"", "name = \"lab\"");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut controls: Value = serde_json::from_str(&text).unwrap();
    controls["password"] = "guessed".into();
    std::fs::write(&file, controls.to_string()).unwrap();
    bastion.run("rehearse on barbican-down", &[]).await.ends(1);
    assert!(bastion.lab.world().mishaps().iter().all(|view| view.on.is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_service_is_seen_while_it_is_on_and_no_longer() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    let faults = async |of: &str| {
        let status = bastion.run("status acme --json", &[]).await.json();
        let sources = status["sources"].as_array().unwrap();
        let fault = sources.iter().filter_map(|source| source["fault"].as_str()).collect::<Vec<_>>().join("; ");
        (of.to_owned(), fault)
    };
    let mut unseen = Vec::new();
    for service in ["keystone", "barbican", "swift", "server", "console"] {
        for way in ["down", "401", "403", "500"] {
            let word = format!("{service}-{way}");
            on(&bastion, &word).await;
            let (word, fault) = faults(&word).await;
            if fault.is_empty() {
                unseen.push(word.clone());
            }
            off(&bastion, &word).await;
        }
    }
    for way in ["down", "401", "403", "500"] {
        for (service, line) in [("mail", "mail test acme --to ops@lab.example"), ("mailbox", "mail sync")] {
            on(&bastion, &format!("{service}-{way}")).await;
            if bastion.run(line, &[]).await.code == Some(0) {
                unseen.push(format!("{service}-{way}"));
            }
            off(&bastion, &format!("{service}-{way}")).await;
        }
    }
    assert!(unseen.is_empty(), "not felt: {unseen:?}");
    assert_eq!(faults("all off").await.1, "");
    bastion.run("mail test acme --to ops@lab.example", &[]).await.ends(0);
    bastion.run("mail sync", &[]).await.ends(0);
}

/// Plans, announces and lets everybody confirm by telephone.
async fn confirmed(bastion: &Bastion) -> LabTenant {
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    let tenant = bastion.lab.world().tenant("acme").unwrap();
    for person in &tenant.people {
        bastion.run("ack acme --by phone", &[&person.id]).await.ends(0);
    }
    tenant
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_and_a_late_server_are_practised_to_their_end() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    confirmed(&bastion).await;
    on(&bastion, "secret-missing").await;
    let ran = bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    assert!(ran.err.contains("SECRET MISSING"), "{}", ran.err);
    assert!(bastion.lab.world().key_secrets("acme").is_empty());
    // It is missing for as long as it is on, whatever is tried.
    bastion.run("resume acme", &[]).await.ends(1);
    assert!(bastion.lab.world().key_secrets("acme").is_empty());
    off(&bastion, "secret-missing").await;
    let before = bastion.lab.world().server("acme").unwrap().public_key;
    on(&bastion, "late").await;
    let late = bastion.run("resume acme", &[]).await;
    assert_ne!(late.code, Some(0), "{}", late.out);
    assert_eq!(bastion.lab.world().key_secrets("acme").len(), 1, "{}", late.err);
    assert_eq!(bastion.lab.world().server("acme").unwrap().public_key, before, "the server has not taken it");
    off(&bastion, "late").await;
    bastion.run("resume acme", &[]).await.ends(0);
    assert_ne!(bastion.lab.world().server("acme").unwrap().public_key, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_and_an_unclear_mail_come_from_whom_they_were_asked_for() {
    let bastion = Bastion::start(1, 3, CYCLE).await;
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    let people = bastion.lab.world().tenant("acme").unwrap().people;
    on(&bastion, &format!("bounce --tenant acme --client {}", people[0].id)).await;
    on(&bastion, &format!("unclear-mail --tenant acme --client {}", people[1].email)).await;
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    let has_come = |world: &LabWorld| world.mailbox("INBOX").len() >= 2;
    assert!(bastion.lab.world().until(PATIENCE, has_come).await);
    bastion.run("mail sync", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    let notices = status["notices"].as_array().unwrap();
    let of = |person: usize| {
        let id = &people[person].id;
        notices.iter().find(|notice| notice["client"] == **id).unwrap()["delivery"].to_string()
    };
    let is_bounced = |delivery: &str| delivery.to_lowercase().contains("bounced");
    let told = [0, 1, 2].map(|person| is_bounced(&status_of(notices, &people[person].id)));
    assert_eq!(told, [true, false, false], "{} {} {}", of(0), of(1), of(2));
    let mails = status["mails"].as_array().unwrap();
    let to_decide: Vec<&Value> = mails.iter().filter(|mail| mail["client"] == *people[1].id).collect();
    assert_eq!(to_decide.len(), 1, "{mails:?}");
    assert!(to_decide[0].to_string().contains("unclear"), "{}", to_decide[0]);
    // The one who was asked already answers at once, where it is switched on later.
    on(&bastion, &format!("unclear-mail --tenant acme --client {}", people[2].id)).await;
    let has_come = |world: &LabWorld| world.mailbox("INBOX").len() + world.mailbox("Answered").len() >= 3;
    assert!(bastion.lab.world().until(PATIENCE, has_come).await);
}

fn status_of(notices: &[Value], id: &str) -> String {
    let notice = notices.iter().find(|notice| notice["client"] == id).unwrap();
    notice.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_comes_back_stays_away_until_it_is_switched_off() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let options = LabOptions {
        reconcile_interval: CYCLE,
        pace: Pace::Instant,
        ..LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard"))
    };
    let bastion = Bastion { lab: Lab::start(options).await.unwrap(), folder };
    let people = confirmed(&bastion).await.people;
    on(&bastion, &format!("never-back --tenant acme --client {}", people[0].id)).await;
    bastion.run("rotate acme --confirm acme", &[]).await.ends(0);
    bastion.run("notify acme --kind reconfigure", &[]).await.ends(0);
    let believes = |world: &LabWorld, person: usize| {
        let server = world.server("acme").unwrap();
        let id = Some(&people[person].id);
        let peer = server.peers.iter().find(|peer| peer.client.as_ref() == id).unwrap();
        peer.believes == server.public_key
    };
    assert!(bastion.lab.world().until(PATIENCE, |world| believes(world, 1)).await);
    assert!(!believes(bastion.lab.world(), 0));
    off(&bastion, "never-back").await;
    assert!(
        bastion.lab.world().until(PATIENCE, |world| believes(world, 0)).await,
        "then they do what they were asked for"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_lost_once_at_each_service_and_the_rotation_ends_right() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    let lost: Vec<String> = all(bastion.lab.world()).into_iter().filter(|word| word.ends_with("-lost")).collect();
    assert_eq!(lost.len(), 8);
    for word in &lost {
        on(&bastion, word).await;
    }
    let start = now();
    let first = bastion.lab.world().tenant("acme").unwrap().people.remove(0).id;
    // Each is tried until it is done: what was lost is found by looking.
    for (line, more) in [
        ("plan acme --start", Some(start.as_str())),
        ("notify acme --kind announcement", None),
        ("ack acme --by phone", Some(first.as_str())),
        ("mail sync", None),
        ("rotate acme --confirm acme", None),
    ] {
        let more: Vec<&str> = more.into_iter().collect();
        for _ in 0..4 {
            let ran = bastion.run(line, &more).await;
            if ran.code == Some(0) || bastion.status("acme").await["phase"] == "returning" {
                break;
            }
            bastion.run("resume acme", &[]).await;
        }
    }
    assert!(those_on(&bastion).await.is_empty(), "{:?}", those_on(&bastion).await);
    assert_eq!(bastion.status("acme").await["phase"], "returning");
    assert_eq!(bastion.lab.world().key_secrets("acme").len(), 1);
}

#[test]
fn a_night_shift_is_practised_by_a_key() {
    let mut program = demo(&[], 100, 40);
    open(&mut program, "acme", 3);
    program.keys("F").shows("Rehearse: what goes wrong in the lab");
    program.shows("secret-missing");
    // The second of the list; the first, as it is called, is not touched.
    program.keys("j\r").shows("late is on");
    program.shows("ON acme");
    program.keys("\r").shows("late is off");
    program.hides("ON acme");
    program.keys("\x1b").hides("Rehearse: what goes wrong");
}
