//! What becomes of a process that is asked to end or to rest while it changes something: the pair of DELETE and POST is
//! finished, everything else stops at a record, the lease is given back, and a later process goes on.

use crate::bastion::{Bastion, CYCLE, PATIENCE, is_stopped};
use crate::pty::Program;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service};
use changeguard::engine::journal::{Holder, Instance, JournalStore};
use serde_json::Value;
use std::time::Duration;

/// So long the lab holds a half of the pair open; the process is asked to end meanwhile.
const HELD: Duration = Duration::from_millis(1500);

fn delete(fault: Fault) -> Rule {
    Rule::new(Service::Barbican, fault).method("DELETE")
}

/// The third store of a rotation is the pair's: before it come the staged and the previous key.
fn post(fault: Fault) -> Rule {
    Rule::new(Service::Barbican, fault).method("POST").path("/v1/secrets").nth(3)
}

fn kinds(records: &[Value]) -> Vec<String> {
    records.iter().map(|entry| entry["record"]["record"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn hit(bastion: &Bastion, rule: Rule) -> changeguard::adapters::lab::FaultId {
    bastion.lab.faults().clear();
    bastion.lab.faults().add(rule)
}

async fn met(bastion: &Bastion, fault: changeguard::adapters::lab::FaultId) {
    let met = bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(fault) > 0).await;
    assert!(met, "the request never came");
}

/// After a signal in the pair: one secret, the new one; journaled with its gap; nothing begun after it; nobody holds it.
async fn the_pair_was_finished(bastion: &Bastion, tenant: &str, before: &[String], what: &str) {
    let live = bastion.live(tenant);
    assert!(live.len() == 1 && live != before, "{what}: {live:?}");
    assert!(bastion.holders().await.is_empty(), "{what}: the lease was given back");
    let records = bastion.records(tenant).await;
    let kinds = kinds(&records);
    assert_eq!(kinds[kinds.len() - 2..], ["swapped", "step-succeeded"], "{what}: {kinds:?}");
    let swapped = &records[records.len() - 2]["record"];
    assert!(swapped["gap_us"].as_u64().unwrap() > 1_000_000, "{what}: {swapped}");
    let status = bastion.status(tenant).await;
    assert_eq!(status["next"]["action"], "resume", "{what}");
    bastion.lab.faults().clear();
    bastion.run(&format!("resume {tenant}"), &[]).await.ends(0);
    assert_eq!(bastion.live(tenant), live, "{what}: resume changes no key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_signal_stops_between_delete_and_post_and_a_second_one_does_not_either() {
    let bastion = Bastion::start(6, 1, CYCLE).await;
    let names: Vec<String> = bastion.lab.world().tenants().into_iter().map(|tenant| tenant.name).collect();
    let cases = [("HUP", true), ("TERM", false), ("INT", true), ("QUIT", false), ("USR1", true), ("ALRM", false)];
    for (tenant, (signal, in_delete)) in names.iter().zip(cases) {
        bastion.confirmed(tenant).await;
        let before = bastion.live(tenant);
        let rule = if in_delete { delete(Fault::Delay(HELD)) } else { post(Fault::Delay(HELD)) };
        let fault = hit(&bastion, rule).await;
        let mut process = bastion.begin(&format!("rotate {tenant} --confirm {tenant}"));
        met(&bastion, fault).await;
        process.signal(signal);
        process.says("the swap that was begun is finished first, within 60 s at most").await;
        process.signal(signal);
        process.signal("TERM");
        let ran = process.ends().await.ends(1);
        assert!(ran.err.contains("step 5"), "{signal}: it says where it stopped: {}", ran.err);
        the_pair_was_finished(&bastion, tenant, &before, signal).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_is_done_when_it_is_asked_to_end_and_says_any_other_signal_in_its_exit_code() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.run("plan acme --start", &[&jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()]).await.ends(0);
    for (signal, code) in [("TERM", 0), ("INT", 0), ("ABRT", 134), ("HUP", 129)] {
        let mut process = bastion.begin("watch");
        process.says("acme").await;
        process.signal(signal);
        process.ends().await.ends(code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bound_of_the_pair_is_shown_before_it_begins() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.configure("clouds_file = \"clouds.yaml\"", "clouds_file = \"clouds.yaml\"\nread_timeout = \"5s\"");
    bastion.confirmed("acme").await;
    let ran = bastion.run("rotate acme --confirm acme", &[]).await.ends(0);
    assert!(ran.err.contains("acme step 4: 0/0 DELETE and POST"), "{}", ran.err);
    assert!(ran.err.contains("within 30 s"), "{}", ran.err);
    assert_eq!(bastion.status("acme").await["pair_bound_ms"], 30_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_that_were_begun_are_recorded_and_no_further_one_is() {
    // More than are under way at once.
    const PEOPLE: usize = 24;
    let bastion = Bastion::start(1, PEOPLE, CYCLE).await;
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    let slow = Rule::new(Service::Smtp, Fault::Delay(Duration::from_millis(700))).method(".").always();
    let fault = hit(&bastion, slow).await;
    let process = bastion.begin("notify acme --kind announcement");
    met(&bastion, fault).await;
    process.signal("TERM");
    process.ends().await.ends(1);
    assert!(bastion.holders().await.is_empty());
    bastion.lab.faults().clear();
    let records = bastion.records("acme").await;
    let kinds = kinds(&records);
    let count = |kind: &str| kinds.iter().filter(|one| *one == kind).count();
    let (queued, delivered) = (count("notice-queued"), count("notice-delivery"));
    assert!(queued > 0 && queued < PEOPLE, "{kinds:?}");
    assert_eq!(queued, delivered, "what came of each mail is on record: {kinds:?}");
    assert_eq!(count("step-failed"), 0, "an end that was asked for is no failure");
    // Those that were to go next were not handed over, and that is what is said of them.
    let held_back = records.iter().filter(|record| record.to_string().contains("not handed over")).count();
    assert!(held_back < delivered, "{records:?}");
    assert_eq!(bastion.lab.world().mails().len(), delivered - held_back);
    bastion.run("resume acme", &[]).await.ends(0);
    assert_eq!(bastion.lab.world().mails().len(), PEOPLE, "the others get theirs, nobody gets two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_the_server_ends_soon_and_the_tenant_is_free_for_another_host() {
    let bastion = Bastion::start(1, 1, Duration::from_secs(3600)).await;
    bastion.confirmed("acme").await;
    let mut process = bastion.begin("rotate acme --confirm acme");
    process.says("step 6").await;
    assert_eq!(bastion.holders().await.len(), 1);
    process.signal("TERM");
    process.ends().await.ends(1);
    assert!(bastion.holders().await.is_empty(), "nobody has to wait for a heartbeat to grow old");
    assert_eq!(bastion.status("acme").await["steps"][5]["state"], "interrupted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_rests_only_after_the_pair_and_goes_on_afterwards() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    let fault = hit(&bastion, post(Fault::Delay(HELD))).await;
    let mut process = bastion.begin("rotate acme --confirm acme");
    met(&bastion, fault).await;
    process.signal("TSTP");
    process.says("rests once the swap is finished").await;
    let pid = process.pid;
    assert!(bastion.lab.world().until(PATIENCE, |_| is_stopped(pid)).await);
    let live = bastion.live("acme");
    assert!(live.len() == 1 && live != before, "the pair was finished before it rested: {live:?}");
    process.signal("CONT");
    process.ends().await.ends(0);
    assert_eq!(bastion.live("acme"), live);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_that_wakes_after_a_take_over_changes_nothing() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    // The request that warms the connections right before the pair; step 2 asks the same once.
    let look = Rule::new(Service::Barbican, Fault::Delay(HELD)).method("GET").path("secrets?limit=1").nth(2);
    let fault = hit(&bastion, look).await;
    let mut process = bastion.begin("rotate acme --confirm acme");
    met(&bastion, fault).await;
    process.says("step 4").await;
    process.signal("STOP");
    let pid = process.pid;
    assert!(bastion.lab.world().until(PATIENCE, |_| is_stopped(pid)).await);
    let store = bastion.store().await;
    let now = jiff::Timestamp::now();
    let other = Holder::new("bob".into(), "other".into(), 1, now, Instance::default());
    let (tenant, met) = store.holders().await.unwrap().remove(0);
    let lease = store.take_from(&tenant, &met, &other, true).await.unwrap().unwrap();
    let (deleted, posted) =
        (bastion.lab.world().count(Service::Barbican, "DELETE"), bastion.lab.world().count(Service::Barbican, "POST"));
    process.signal("CONT");
    let ran = process.ends().await.ends(1);
    assert!(ran.err.contains("the lease of this tenant is not ours"), "{}", ran.err);
    let world = bastion.lab.world();
    assert_eq!(world.count(Service::Barbican, "DELETE"), deleted);
    assert_eq!(world.count(Service::Barbican, "POST"), posted);
    assert_eq!(bastion.live("acme"), before);
    assert!(store.holds(&lease).await.unwrap(), "and it does not give away what is another's");
}

/// The screen on acme with the name typed, once the lab holds a half of the pair open.
async fn rotating_on_the_screen(bastion: &Bastion, rule: Rule) -> Program {
    let fault = hit(bastion, rule).await;
    let config = bastion.config().to_str().unwrap();
    let home = bastion.folder.path().to_str().unwrap();
    let mut program = Program::start(&["--config", config], &[("HOME", home)], 80, 24);
    program.shows("in sync");
    program.keys("\r").shows("6 Steps");
    crate::terminal::insist(&mut program, "r", "Rotate the server key of acme");
    assert!(program.screen().contains("60 s at") || program.keys("\x1b[6~").shows("60 s at").contains("60 s at"));
    program.keys("\x15acme\r");
    met(bastion, fault).await;
    program
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_closes_in_the_middle_of_the_pair_leaves_a_finished_pair() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    let mut program = rotating_on_the_screen(&bastion, post(Fault::Delay(HELD))).await;
    program.hang_up();
    program.ends_within(PATIENCE);
    the_pair_was_finished(&bastion, "acme", &before, "hang-up").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_z_on_the_screen_waits_for_the_pair_and_the_screen_comes_back() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    let mut program = rotating_on_the_screen(&bastion, delete(Fault::Delay(HELD))).await;
    program.keys("\x1a");
    let pid = program.pid();
    assert!(bastion.lab.world().until(PATIENCE, |_| is_stopped(pid)).await);
    let live = bastion.live("acme");
    assert!(live.len() == 1 && live != before, "the pair was finished before it rested: {live:?}");
    assert!(program.becomes(true), "the shell gets its terminal");
    program.signal("CONT");
    assert!(program.becomes(false), "the screen is taken again");
    program.shows("6 Steps");
    // And once more by a signal from outside.
    program.signal("TSTP");
    assert!(bastion.lab.world().until(PATIENCE, |_| is_stopped(pid)).await);
    assert!(program.becomes(true));
    program.signal("CONT");
    assert!(program.becomes(false));
    program.shows("6 Steps");
    program.keys("?").shows("Esc close");
    program.signal("TERM");
    program.ends_within(PATIENCE);
    assert!(program.is_restored());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_never_comes_ends_with_the_bound_and_not_before() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.configure("clouds_file = \"clouds.yaml\"", "clouds_file = \"clouds.yaml\"\nread_timeout = \"1s\"");
    bastion.confirmed("acme").await;
    let fault = hit(&bastion, post(Fault::LoseAnswer(Loss::Hang))).await;
    let process = bastion.begin("rotate acme --confirm acme");
    met(&bastion, fault).await;
    process.signal("TERM");
    process.ends().await.ends(1);
    bastion.lab.faults().clear();
    assert!(bastion.holders().await.is_empty());
    bastion.run("resume acme", &[]).await.ends(0);
    assert_eq!(bastion.live("acme").len(), 1, "no second secret");
}
