//! `--json` on every subcommand that there is: standard output is JSON and nothing else, whatever was typed.

use crate::bastion::{Bastion, CYCLE, PATIENCE};
use crate::cli_hands::{LINES, leaves};
use changeguard::cli::Cli;
use clap::CommandFactory;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");

/// What it is, with the code: one document, but for `watch`, which prints one a line as it goes on.
fn documents(text: &str, is_stream: bool) -> Result<Vec<Value>, String> {
    let all: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    match all {
        Ok(all) if is_stream || all.len() == 1 => Ok(all),
        Ok(all) => Err(format!("{} documents", all.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs it without any configuration of its own.
fn plain(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// A failure says so in JSON, with the exit code that the process has.
fn failure(name: &str, (code, out): (Option<i32>, String)) -> Option<String> {
    let told = match documents(&out, false) {
        Ok(told) => told[0].clone(),
        Err(why) => return Some(format!("{name}: {why}: {out}")),
    };
    let is_told = told["ok"] == false && told["error"].as_str().is_some_and(|text| !text.is_empty());
    (!is_told || told["exit"].as_i64() != code.map(i64::from)).then(|| format!("{name}: {code:?}: {told}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subcommand_prints_json_and_nothing_else() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let person = bastion.lab.world().tenant("acme").unwrap().people.remove(0);
    let mail = bastion.folder.path().join("mail.eml");
    std::fs::write(&mail, "From: a@acme.example\r\nSubject: hello\r\n\r\nyes\r\n").unwrap();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    let fill = |word: &str| match word {
        "NOW" => now.clone(),
        "MAIL" => mail.to_str().unwrap().to_owned(),
        "PERSON" => person.id.clone(),
        word => word.to_owned(),
    };
    let mut wrong = Vec::new();
    for (line, more, code) in LINES {
        let line = line.replace("ADDRESS", &person.email);
        let more: Vec<String> = more.iter().map(|word| fill(word)).collect();
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let ran = bastion.run(&format!("--json {line}"), &more).await;
        let told = documents(&ran.out, is_stream(&line));
        // The code is that of without.
        if told.is_err() || ran.code != Some(*code) {
            wrong.push(format!("{line}: {:?}, not {code}: {told:?}: {}{}", ran.code, ran.out, ran.err));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_mistyped_is_told_in_json_by_every_subcommand() {
    let mut all = BTreeSet::new();
    leaves(&Cli::command(), "", &mut all);
    assert!(all.len() > 40, "{all:?}");
    let mut wrong = Vec::new();
    for name in &all {
        let words: Vec<&str> = name.split(' ').collect();
        for bad in [&["--no-such-option", "--json"][..], &["--json", "a", "b", "c", "d", "e", "f", "--confirm"]] {
            let ran = plain(&[&words, bad].concat());
            if ran.0 != Some(2) {
                wrong.push(format!("{name} {bad:?}: {:?}", ran.0));
            }
            wrong.extend(failure(name, ran));
        }
    }
    for line in [&["--json", "no-such-command"][..], &["--json", "--no-such-option"], &["troubles", "9", "--json"]] {
        let ran = plain(line);
        assert_eq!(ran.0, Some(2), "{line:?}");
        wrong.extend(failure(line[1], ran));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Without it nothing is printed there, and the exit code is the same.
    assert_eq!(plain(&["troubles", "9"]), (Some(2), String::new()));
    assert_eq!(plain(&["status", "--no-such-option"]), (Some(2), String::new()));
    for asks in ["--help", "--version"] {
        let (code, out) = plain(&[asks, "--json"]);
        assert_eq!(code, Some(0));
        assert!(documents(&out, false).unwrap()[0]["text"].as_str().unwrap().contains("changeguard"), "{out}");
    }
}

#[test]
fn a_configuration_that_is_not_there_is_told_in_json_by_every_subcommand_that_needs_one() {
    let mut wrong = Vec::new();
    for (line, more, _) in LINES {
        let more: Vec<&str> = more.iter().map(|word| if *word == "NOW" { "2027-01-15 22:00" } else { word }).collect();
        let words: Vec<&str> = line.split_whitespace().chain(more).chain(["--json"]).collect();
        let ran = plain(&[&["--config", "/nowhere/changeguard.toml"], &words[..]].concat());
        match ran.0 {
            // It needs none.
            Some(0) => wrong.extend(documents(&ran.1, false).err().map(|why| format!("{line}: {why}"))),
            _ => wrong.extend(failure(line, ran)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_tells_its_configuration_in_json() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let folder = bastion.folder.path().join("other");
    let process = bastion.begin(&format!("lab --json --tenants 1 --pace off --directory {}", folder.display()));
    let is_told = |_: &_| documents(&process.printed(), false).is_ok();
    assert!(bastion.lab.world().until(PATIENCE, is_told).await, "{}", process.printed());
    let told = documents(&process.printed(), false).unwrap().remove(0);
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("[cloud]") && text.contains("[keystone.lab]"), "{told}");
    assert!(std::path::Path::new(told["config"].as_str().unwrap()).exists(), "{told}");
    process.signal("TERM");
    process.ends().await.ends(0);
}

/// What goes on for a while prints a document for each thing that happens.
fn is_stream(line: &str) -> bool {
    ["watch", "replay"].iter().any(|verb| line.starts_with(verb))
}
