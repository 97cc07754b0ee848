//! In which manner somebody works: only looking, in a captive login, on a slow link, and called back by the terminal.

use crate::bastion::Bastion;
use crate::cli_hands::LINES;
use crate::pty::Program;
use changeguard::cli::Cli;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::journal::{Holder, Instance, JournalStore};
use clap::Parser;
use std::time::Duration;

const CYCLE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_looks_changes_nothing_by_any_subcommand() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for (line, more, _) in LINES {
        let words: Vec<&str> = line.split_whitespace().chain(more.iter().copied()).collect();
        let parsed = Cli::try_parse_from(std::iter::once("changeguard").chain(words.iter().copied()));
        let Some(verb) = parsed.ok().and_then(|cli| cli.command) else { continue };
        if line.starts_with("demo") || line.starts_with("tui") {
            continue;
        }
        let ran = bastion.run(&format!("--read-only {line}"), more).await;
        let is_refused = ran.code == Some(2) && ran.err.contains("for looking only");
        refused += usize::from(is_refused);
        if is_refused != verb.changes() {
            wrong.push(format!("{line}: {:?}: {}", ran.code, ran.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 20, "{refused}");
    let tables = bastion.store().await.tables().await.unwrap();
    assert!(tables.records.is_empty() && bastion.lab.world().mails().is_empty(), "{tables:?}");
    bastion.run("--read-only status", &[]).await.ends(0);
    // By the configuration nobody has to remember the option.
    bastion.configure("[state]\n", "[security]\nread_only = true\n\n[state]\n");
    let ran = bastion.run("note acme", &["hello"]).await.ends(2);
    assert!(ran.err.contains("security.read_only"), "{}", ran.err);
    bastion.run("status acme", &[]).await.ends(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_itself_lets_nobody_write_who_only_looks() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let store = bastion.store().await.for_looking(true);
    let tenant = TenantId::new(&bastion.lab.world().tenant("acme").unwrap().id).unwrap();
    let me = Holder::new("ops".into(), "h".into(), 1, jiff::Timestamp::now(), Instance::default());
    let refused = store.acquire(&tenant, &me).await.unwrap_err();
    assert!(refused.message.contains("looking only"), "{refused}");
    assert!(store.take_from(&tenant, &me, &me, true).await.is_err());
    assert!(store.heads(Some(&tenant)).await.unwrap().is_empty());
}

const DEMO: &[&str] = &["demo", "--pace", "off", "--clients", "3"];

fn demo(more: &[&str]) -> Program {
    let mut program = Program::start(&[DEMO, more].concat(), &[], 100, 30);
    program.shows("acme");
    program.keys("/acme\r").shows("in sync");
    program.keys("\r").shows("6 Steps");
    program
}

#[test]
fn a_screen_for_looking_says_so_and_shuts_each_key_that_would_change_something() {
    let mut program = demo(&["--read-only"]);
    program.shows("READ-ONLY");
    program.keys("p").shows("read-only: nothing is changed from here");
    assert!(!program.screen().contains("Plan a rotation"));
    program.keys("?").shows("read-only");
    program.keys("\x1b").keys("q");
    // A subject that is no tenant has the same door.
    let mut program = Program::start(&[DEMO, &["--read-only"]].concat(), &[], 100, 30);
    program.shows("keystone/lab");
    program.keys("/keystone\r").shows("keystone/lab");
    program.keys("\r").shows("Keys: tokens");
    program.keys("r").shows("read-only: nothing is changed from here");
}

#[test]
fn a_captive_screen_leads_to_no_shell() {
    let mut program = demo(&["--captive"]);
    program.keys("\x1a").shows("there is no shell to go to from here");
    assert!(!program.is_restored());
}

#[test]
fn what_was_waited_for_calls_back_only_where_that_was_asked_for() {
    for (way, rings) in [("off", false), ("bell", true), ("desktop", true)] {
        let mut program = demo(&["--notify", way]);
        let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        program.keys("p").shows("Plan a rotation of acme");
        program.keys("\x15").keys(&start).keys("\r\r\r\r\r").hides("Plan a rotation of acme");
        program.shows("acme: plan: ");
        let raw = String::from_utf8_lossy(&program.raw()).into_owned();
        assert_eq!(raw.contains('\x07'), rings, "{way}");
        assert_eq!(raw.contains("\x1b]9;changeguard: acme: plan"), way == "desktop", "{way}");
    }
}
