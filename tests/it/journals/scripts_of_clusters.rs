//! What happens in the frozen journals of a cluster: forward, back and out, a purge that waits, deaths in the middle of steps, a journal
//! that was put back and recovered, a fact set aside, a take-over.

use super::cluster::{SUBJECT, Size};
use super::freeze::{Bench, Order, Who};
use Who::{Ada, Bob};
use changeguard::adapters::lab::{Fault, Moment, Rule, Service, Which};
use std::path::{Path, PathBuf};

const DAYS: u64 = 3 * 86_400;
const HOUR: u64 = 3_600;

/// Which story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    Forward,
    Back,
    Cancel,
    Waits,
    Killed,
    Recovered,
    TakenOver,
}

/// The journals of a dialect.
pub fn all(dialect: &str) -> Vec<(Order, Story)> {
    let quick = "pause = \"0s\"\n";
    let order = |name, rotated, receipts, more| {
        let cluster = Some(Size { rotated, receipts });
        Order { name, clients: 2, alerts: false, more, cluster }
    };
    let mut all =
        vec![(order("forward", DAYS, false, quick), Story::Forward), (order("back", DAYS, true, quick), Story::Back)];
    if dialect == "sqlite" {
        all.push((order("cancel", DAYS, false, quick), Story::Cancel));
        all.push((order("waits", HOUR, false, quick), Story::Waits));
        all.push((order("killed", DAYS, true, quick), Story::Killed));
        all.push((order("recovered", DAYS, false, quick), Story::Recovered));
        all.push((order("taken-over", HOUR, false, "pause = \"0s\"\nnot_before = \"rotate\"\n"), Story::TakenOver));
    }
    all
}

const ROTATE: [&str; 6] = ["rotate", SUBJECT, "--confirm", "lab", "--reference", "CHG-4711"];
const PURGE: [&str; 4] = ["purge", SUBJECT, "--confirm", "lab"];
const RESUME: [&str; 2] = ["resume", SUBJECT];

fn why<'a>(verb: &'a str, reason: &'a str) -> [&'a str; 6] {
    [verb, SUBJECT, "--confirm", "lab", "--reason", reason]
}

/// Plays it.
pub async fn play(bench: &Bench, story: Story) {
    match story {
        Story::Forward => {
            bench.does(Ada, &["check", SUBJECT]).await;
            bench.does(Ada, &ROTATE).await;
            bench.does(Ada, &["note", SUBJECT, "looks well"]).await;
            bench.does(Ada, &PURGE).await;
        }
        Story::Back => {
            bench.does(Ada, &ROTATE).await;
            bench.does(Ada, &why("rollback", "too many 401")).await;
        }
        Story::Cancel => cancel(bench).await,
        Story::Waits => {
            bench.does(Ada, &ROTATE).await;
            bench.fails(Ada, &PURGE).await;
            bench.does(Ada, &["note", SUBJECT, "it waits for its moment"]).await;
        }
        Story::Killed => killed(bench).await,
        Story::Recovered => recovered(bench).await,
        Story::TakenOver => taken_over(bench).await,
    }
}

/// One node is away while the keys are distributed.
async fn cancel(bench: &Bench) {
    // Two looks, what is saved, and the try: then it would be given its copy.
    let away = Rule::new(Service::NodeShell, Fault::Status(255)).path("node2").which(Which::From(5));
    bench.lab.faults().add(away);
    bench.fails(Ada, &ROTATE).await;
    bench.fails(Ada, &RESUME).await;
    bench.lab.faults().clear();
    bench.does(Ada, &why("cancel", "the node is repaired first")).await;
}

/// Dies before the record of this number that the process would write.
async fn dies(bench: &Bench, line: &[&str], record: u64) {
    let mut process = bench.command(Ada, bench.lab.config_path(), line);
    process.env("CHANGEGUARD_REHEARSE", format!("kill-before {record}"));
    let ended = process.output().await.unwrap();
    assert!(ended.status.code().is_none() || !ended.status.success(), "{line:?} did not die: {ended:?}");
}

async fn killed(bench: &Bench) {
    // The copy is prepared, and nobody has heard of it.
    dies(bench, &ROTATE, 12).await;
    let looked = ["resolve", SUBJECT, "--step", "3", "--done", "false", "--reason", "looked at the node"];
    bench.does(Ada, &looked).await;
    for record in [8, 8, 6] {
        dies(bench, &RESUME, record).await;
    }
    bench.does(Ada, &RESUME).await;
    dies(bench, &PURGE, 5).await;
    bench.does(Ada, &RESUME).await;
}

const FILES: [&str; 3] = ["journal.db", "journal.db-wal", "journal.db-shm"];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in FILES {
        let _ = std::fs::remove_file(to.join(file));
        if file != FILES[2] {
            let _ = std::fs::copy(from.join(file), to.join(file));
        }
    }
}

/// A copy of the journal is put back in the middle, and behind a way back.
async fn recovered(bench: &Bench) {
    let at = |name: &str| -> PathBuf { bench.folder.path().join(name) };
    let (state, kept) = (at("state"), at("kept"));
    dies(bench, &ROTATE, 16).await;
    copy(&state, &kept);
    bench.does(Ada, &RESUME).await;
    copy(&kept, &state);
    bench.does(Ada, &why("recover", "the disk was restored")).await;
    bench.does(Ada, &RESUME).await;
    bench.does(Ada, &PURGE).await;
    bench.does(Ada, &ROTATE).await;
    copy(&state, &kept);
    bench.does(Ada, &why("rollback", "trial")).await;
    copy(&kept, &state);
    bench.does(Ada, &why("recover", "restored once more")).await;
}

/// What shuts the gate is set aside; then a process stands still while it prepares, and somebody else goes on.
async fn taken_over(bench: &Bench) {
    bench.fails(Ada, &["check", SUBJECT]).await;
    let aside = ["set-aside", SUBJECT, "not-before", "--reason", "nobody asks for old tokens here"];
    bench.does(Ada, &aside).await;
    bench.lab.faults().trip(40, Moment::Before);
    let rotating = bench.command(Ada, bench.lab.config_path(), &ROTATE).spawn().unwrap();
    bench.lab.faults().tripped().await;
    bench.does(Bob, &why("takeover", "her terminal is gone")).await;
    bench.lab.faults().release();
    rotating.wait_with_output().await.unwrap();
    bench.does(Bob, &RESUME).await;
    bench.does(Bob, &why("rollback", "she wants to see it first")).await;
}
