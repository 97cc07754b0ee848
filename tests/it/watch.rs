//! `watch`: what it goes on with and what it leaves alone, what it says and to whom, and the terminal that shows what
//! another process does.

use crate::bastion::{Bastion, CYCLE, PATIENCE, Process};
use crate::pty::Program;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};
use serde_json::Value;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

fn kinds(records: &[Value]) -> Vec<String> {
    records.iter().map(|entry| entry["record"]["record"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Starts `rotate` and kills it once the rule was met.
async fn killed(bastion: &Bastion, line: &str, rule: Rule) {
    let fault = bastion.lab.faults().add(rule);
    let process = bastion.begin(line);
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(fault) > 0).await, "never came");
    process.signal("KILL");
    process.ends().await;
    bastion.lab.faults().clear();
}

fn lost_delete() -> Rule {
    Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("DELETE")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_terminal_left_after_the_delete_is_finished_by_watch() {
    let bastion = Bastion::start(2, 2, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    killed(&bastion, "rotate acme --confirm acme", lost_delete()).await;
    assert!(bastion.live("acme").is_empty());
    let ran = bastion.run("watch --once", &[]).await.ends(0);
    let live = bastion.live("acme");
    assert!(live.len() == 1 && live != before, "{live:?}");
    assert_eq!(bastion.lab.world().server("acme").unwrap().public_key.to_string(), live[0]);
    assert!(ran.err.contains("acme: acts: resumes: step 4 was interrupted"), "{}", ran.err);
    assert!(ran.err.contains("acme: did: "), "{}", ran.err);
    let records = bastion.records("acme").await;
    let last = records.last().unwrap();
    assert_eq!(last["record"]["step"], 6, "{last}");
    assert!(last["by"].as_str().unwrap().ends_with(" (watch)"), "{last}");
    assert_eq!(bastion.status("acme").await["next"]["action"], "reconfigure");
    let again = bastion.run("watch --once", &[]).await.ends(0);
    assert!(!again.err.contains("acts"), "nothing is left to go on with: {}", again.err);
    assert_eq!(bastion.records("acme").await.len(), records.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_has_touched_nothing_is_left_to_a_person() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    let count = bastion.records("acme").await.len();
    bastion.run("watch --once", &[]).await.ends(0);
    assert_eq!(bastion.records("acme").await.len(), count, "an open gate is no invitation");
    killed(
        &bastion,
        "rotate acme --confirm acme",
        Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("POST"),
    )
    .await;
    let count = bastion.records("acme").await.len();
    let ran = bastion.run("watch --once --json", &[]).await.ends(5);
    assert_eq!(bastion.records("acme").await.len(), count);
    assert_eq!(bastion.live("acme"), before);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let person = lines.iter().find(|line| line["kind"] == "person").unwrap();
    assert!(person["text"].as_str().unwrap().contains("step 3 was interrupted"), "{person}");
    assert!(lines.iter().all(|line| line["tenant"] == "acme" && line["at"].is_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupted_mails_are_gone_on_with_and_the_uncertain_one_stays_for_a_person() {
    const PEOPLE: usize = 12;
    let bastion = Bastion::start(1, PEOPLE, CYCLE).await;
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    // From the second on each holds its connection, of which there are fewer than people.
    let lost = Rule::new(Service::Smtp, Fault::LoseAnswer(Loss::Hang)).method(".").which(Which::From(2));
    killed(&bastion, "notify acme --kind announcement", lost).await;
    assert!(bastion.lab.world().mails().len() < PEOPLE);
    bastion.run("watch --once", &[]).await;
    let world = bastion.lab.world();
    for person in world.tenant("acme").unwrap().people {
        assert!(world.mails_to(&person.email).len() <= 1, "nobody gets two");
    }
    let status = bastion.status("acme").await;
    let clients = status["clients"].as_array().unwrap();
    let uncertain = clients.iter().filter(|client| client["standing"] == "uncertain").count();
    assert!(uncertain >= 1, "{status}");
    let told =
        clients.iter().filter(|client| ["sent", "silent"].contains(&client["standing"].as_str().unwrap())).count();
    assert_eq!(told + uncertain, PEOPLE, "everybody else has theirs: {clients:?}");
    let count = bastion.records("acme").await.len();
    bastion.run("watch --once", &[]).await;
    assert_eq!(bastion.records("acme").await.len(), count, "and nothing more is done about them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_is_stored_again_with_the_same_key_once_that_is_possible() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.configure("poll_interval = \"2s\"", "poll_interval = \"1s\"");
    bastion.confirmed("acme").await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets");
    let fault = bastion.lab.faults().add(refused.nth(3));
    let ran = bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    assert!(ran.err.contains("SECRET MISSING"), "{}", ran.err);
    assert_eq!(bastion.lab.faults().fired(fault), 1);
    assert!(bastion.live("acme").is_empty());
    let staged = bastion.status("acme").await["keys"]["staged"].as_str().unwrap().to_owned();
    let mut watch = bastion.begin("watch");
    watch.says("SECRET MISSING").await;
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.live("acme").len() == 1).await);
    watch.says("step 6 done").await;
    assert_eq!(bastion.live("acme"), [staged], "the same key");
    watch.signal("TERM");
    watch.ends().await.ends(0);
    assert!(bastion.holders().await.is_empty());
}

/// `watch` with a place where systemd would listen.
fn under_systemd(bastion: &Bastion) -> (Process, UnixDatagram) {
    let path = bastion.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = bastion.command("watch", &[]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "3000000").env("JOURNAL_STREAM", "8:1");
    (bastion.spawn(command), socket)
}

fn told(socket: &UnixDatagram, text: &str) -> String {
    let mut all = String::new();
    let mut buffer = [0; 4096];
    while !all.contains(text) {
        let length = socket.recv(&mut buffer).unwrap_or_else(|_| panic!("never told {text}: {all}"));
        all.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        all.push('\n');
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn systemd_is_told_and_what_another_process_does_is_logged_and_left_to_it() {
    let bastion = Bastion::start(1, 1, Duration::from_secs(3600)).await;
    bastion.confirmed("acme").await;
    let (mut watch, socket) = under_systemd(&bastion);
    told(&socket, "READY=1");
    told(&socket, "WATCHDOG=1");
    told(&socket, "1 rotations open");
    let mut other = bastion.begin("rotate acme --confirm acme");
    other.says("step 6").await;
    let said = watch.says("step 6 started").await;
    watch.says(&format!("pid {}", other.pid)).await;
    assert!(said.lines().all(|line| line.starts_with('<') && line.as_bytes()[2] == b'>'), "{said}");
    assert!(!said.contains("acts"), "{said}");
    // The other one dies; what it left is gone on with by the watch.
    other.signal("KILL");
    other.ends().await;
    watch.says("acme: acts: resumes: step 6 was interrupted").await;
    let taken = async {
        while !bastion.holders().await.iter().any(|holder| holder.name.ends_with("(watch)")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, taken).await.expect("the watch never held it");
    watch.signal("TERM");
    told(&socket, "STOPPING=1");
    watch.ends().await.ends(0);
    assert!(bastion.holders().await.is_empty(), "the lease was given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_the_watch_only_after_the_pair_that_it_has_begun() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    // Dies before the DELETE arrives, so that the watch has the whole pair to do.
    killed(&bastion, "rotate acme --confirm acme", Rule::new(Service::Barbican, Fault::Hang).method("DELETE")).await;
    assert_eq!(bastion.live("acme"), before);
    let slow = Rule::new(Service::Barbican, Fault::Delay(Duration::from_millis(1500))).method("POST");
    let fault = bastion.lab.faults().add(slow);
    let watch = bastion.begin("watch");
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(fault) > 0).await);
    watch.signal("TERM");
    watch.signal("TERM");
    watch.ends().await.ends(0);
    let live = bastion.live("acme");
    assert!(live.len() == 1 && live != before, "{live:?}");
    assert!(bastion.holders().await.is_empty());
    let kinds = kinds(&bastion.records("acme").await);
    assert_eq!(kinds[kinds.len() - 2..], ["swapped", "step-succeeded"], "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_shows_live_what_another_process_does_and_refuses_to_interfere() {
    let bastion = Bastion::start(1, 1, Duration::from_secs(3600)).await;
    // So rarely that whatever moves on the screen comes from following the journal.
    bastion.configure("poll_interval = \"2s\"", "poll_interval = \"1h\"");
    bastion.confirmed("acme").await;
    let config = bastion.config().to_str().unwrap();
    let mut program =
        Program::start(&["--config", config], &[("HOME", bastion.folder.path().to_str().unwrap())], 100, 30);
    program.shows("in sync");
    program.keys("\r").shows("6 Steps");
    let mut other = bastion.begin("rotate acme --confirm acme");
    other.says("step 6").await;
    program.shows(&format!("(pid {})", other.pid));
    program.keys("6").shows("running");
    program.keys("c").shows("held by");
    let bytes = program.raw().len();
    other.signal("TERM");
    other.ends().await.ends(1);
    program.hides("HELD by");
    program.shows("interrupted");
    assert!(program.raw().len() > bytes);
    // What is written without taking anything away from us is shown too.
    bastion.run("note acme", &["seen from the other side"]).await.ends(0);
    program.keys("4").shows("seen from the other side");
}

#[tokio::test]
async fn the_unit_is_printed_and_gives_a_pair_the_time_that_it_may_need() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_changeguard")).args(["config", "unit"]).output();
    let unit = String::from_utf8(output.unwrap().stdout).unwrap();
    for line in ["Type=notify", "KillMode=mixed", "LimitCORE=0", "LimitMEMLOCK=infinity", "NoNewPrivileges=yes"] {
        assert!(unit.lines().any(|one| one == line), "{line}");
    }
    let limit = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    let limit: u64 = limit.trim_end_matches('s').parse().unwrap();
    let read = changeguard::config::Cloud::default().read_timeout;
    assert!(limit > (read * 6).as_secs() + 10, "a pair lasts six read timeouts at most");
}
