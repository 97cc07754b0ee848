//! A journal that can't be written: refused before anything outside is touched, and when it fails in the middle, nothing more
//! is changed after it, and what is offered afterwards leads to the end.

use crate::offered::{Before, TENANT, Way, decide, wrong_in_the_end};
use crate::rig::{Rig, changing_calls};
use crate::sample;
use changeguard::adapters::lab::{Lab, LabOptions, Service};
use changeguard::domain::fault::Service as Neighbour;
use changeguard::runtime::run::RunError;
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");
/// More actions than this lead nowhere; on a loaded machine some fail by its slowness alone.
const ACTIONS: usize = 60;

/// One rotation in which the journal fails from one record of one action on. `None`: the action writes fewer records.
async fn with_a_failing_journal(rig: &Rig, way: Way, fails_in: &str, nth: u64) -> Option<()> {
    let before = Before::of(rig.lab.world());
    let (mut turned, mut failed, mut done) = (false, false, Vec::new());
    rig.plan(way).await;
    let mut status = rig.status().await;
    for _ in 0..ACTIONS {
        let Some((action, commands)) = decide(way, &status, rig.lab.world(), &mut turned) else {
            let wrong = wrong_in_the_end(rig.lab.world(), &before, &rig.conductor.entries());
            assert!(wrong.is_empty(), "{fails_in} {nth}: {wrong:#?} after {done:#?}");
            return failed.then_some(());
        };
        done.push(action.clone());
        if action == "verify" {
            rig.lab.world().reimport_all(TENANT).await;
        }
        let fails = action == fails_in && !failed;
        for command in commands {
            if !fails {
                let _ = rig.conductor.run(command).await;
                continue;
            }
            *rig.when_failed.lock().unwrap() = None;
            // Whether the store writes again behind it must make no difference: nothing counts on from what failed.
            match nth % 2 {
                0 => rig.journal.fail_from(nth),
                _ => rig.journal.fail_only(nth),
            }
            let ended = rig.conductor.run(command).await;
            rig.journal.fail_from(0);
            let Some(at_failure) = *rig.when_failed.lock().unwrap() else { continue };
            failed = true;
            let Err(RunError::Fault(fault)) = ended else { panic!("{fails_in} {nth}: {ended:?}") };
            assert_eq!(fault.service, Neighbour::Journal, "{fails_in} {nth}: {fault}");
            let told = format!("{fault}; {}", fault.advice());
            assert!(
                fault.message.contains("a rehearsed failure"),
                "{fails_in} {nth}: the first cause is hidden: {told}"
            );
            assert!(!told.contains("somebody else"), "{fails_in} {nth}: nobody else is at work: {told}");
            assert!(told.contains("the journal lacks: "), "{fails_in} {nth}: what was done is forgotten: {told}");
            let attention = rig.conductor.status().attention;
            assert!(
                attention.iter().any(|item| item.contains("not in the journal")),
                "{fails_in} {nth}: {attention:?}"
            );
            let changed = changing_calls(rig.lab.world()) - at_failure;
            // Two mails, or the two kept keys, are on their way side by side: what had passed the fence when the journal
            // failed for the other one may be counted after it. Nothing else may.
            let side_by_side = u64::from(fails_in != "rollback");
            assert!(changed <= side_by_side, "{fails_in} {nth}: {changed} changed after the journal had failed");
        }
        status = rig.status().await;
    }
    panic!("{fails_in} {nth}: it leads nowhere: {done:?}");
}

/// Every record of these actions.
async fn every_record(way: Way, actions: &[&str]) {
    let rig = Rig::start().await;
    let mut walked = BTreeMap::new();
    for action in actions {
        // Each third of them, but in `.ci/walks`.
        let (first, step) = if sample::is_all() { (1, 1) } else { (1 + sample::number(action) % 3, 3) };
        for nth in (first..).step_by(step) {
            if with_a_failing_journal(&rig, way, action, nth).await.is_none() {
                break;
            }
            *walked.entry(action.to_owned()).or_insert(0) += 1;
        }
    }
    println!("{way:?}: the journal failed at {} records: {walked:?}", walked.values().sum::<u64>());
    assert!(
        walked.len() == actions.len() && walked.values().all(|count| *count > 2 || !sample::is_all()),
        "{walked:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_fails_in_the_middle_of_a_rotation_stops_everything_and_the_way_goes_on() {
    every_record(Way::Forward, &["announce", "rotate", "reconfigure", "finish"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_fails_in_the_middle_of_a_rollback_stops_everything_and_the_way_goes_on() {
    every_record(Way::Back, &["rollback"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_fails_in_the_middle_of_a_cancellation_stops_everything_and_the_way_goes_on() {
    every_record(Way::Cancel, &["cancel"]).await;
}

/// Somebody who is not the superuser, whom permissions bind.
const NOBODY: u32 = 65534;

struct Stage {
    lab: Lab,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options =
            LabOptions { reconcile_interval: Duration::from_millis(300), ..LabOptions::still(folder.path(), PROGRAM) };
        let stage = Self { lab: Lab::start(options).await.unwrap(), folder };
        let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        stage.done(&["plan", TENANT, "--start", &start]).await;
        stage.done(&["notify", TENANT, "--kind", "announcement"]).await;
        for person in stage.lab.world().tenant(TENANT).unwrap().people {
            stage.done(&["ack", TENANT, "--by", "phone", &person.id]).await;
        }
        stage
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn command(&self, program: &str, before: &[&str], arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command.args(before).arg("--config").arg(self.lab.config_path()).args(arguments);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("USER", "ops");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn done(&self, arguments: &[&str]) {
        let output = self.command(PROGRAM, &[], arguments).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Each of the three is refused with one of these words, and no service hears of it.
    async fn all_are_refused(&self, words: &[&str], run: impl AsyncFn(&[&str]) -> Output) {
        let changed = changing_calls(self.lab.world());
        for arguments in [
            &["rotate", TENANT, "--confirm", TENANT][..],
            &["resume", TENANT],
            &["rollback", TENANT, "--confirm", TENANT, "--reason", "x"],
        ] {
            let output = run(arguments).await;
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success() && output.status.code().is_some(), "{arguments:?}: {output:?}");
            assert!(words.iter().any(|word| said.contains(word)), "{arguments:?}: {said}");
            let safe = ["nothing was written", "nothing was changed"].iter().any(|word| said.contains(word));
            assert!(safe && !said.contains("panicked"), "{arguments:?}: {said}");
        }
        assert_eq!(changing_calls(self.lab.world()), changed, "nothing outside was changed");
        assert_eq!(self.lab.world().count(Service::Barbican, "DELETE"), 0);
    }
}

fn each(folder: &Path, act: &impl Fn(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each(&path, act);
        }
        act(&path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_state_folder_refuses_before_anything_is_touched() {
    let stage = Stage::start().await;
    let root = rustix::process::geteuid().is_root();
    if root {
        each(stage.folder.path(), &|path| chown(path, Some(NOBODY), Some(NOBODY)).unwrap());
        chown(stage.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    each(&stage.state(), &|path| mode(path, 0o400));
    mode(&stage.state(), 0o500);
    let run = async |arguments: &[&str]| {
        let mut command = stage.command(PROGRAM, &[], arguments);
        if root {
            command.uid(NOBODY);
        }
        command.output().await.unwrap()
    };
    stage.all_are_refused(&["read-only", "can't be", "denied"], run).await;
    mode(&stage.state(), 0o700);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_before_anything_is_touched() {
    let stage = Stage::start().await;
    // No file may grow: what a full disk answers, without one.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let run =
        async |arguments: &[&str]| stage.command("sh", &["-c", script, PROGRAM], arguments).output().await.unwrap();
    stage.all_are_refused(&["full", "can't be"], run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_journal_refuses_before_anything_is_touched() {
    let stage = Stage::start().await;
    let file = stage.state().join("journal.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let end = bytes.len();
    bytes[4096.min(end / 2)..].fill(0x5a);
    std::fs::write(&file, &bytes).unwrap();
    let run = async |arguments: &[&str]| stage.command(PROGRAM, &[], arguments).output().await.unwrap();
    stage.all_are_refused(&["damaged"], run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_of_a_newer_changeguard_refuses_before_anything_is_touched() {
    let stage = Stage::start().await;
    let url = format!("sqlite://{}?mode=rw", stage.state().join("journal.db").display());
    let _ = sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]);
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("INSERT INTO schema_version (version) VALUES (99)").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let run = async |arguments: &[&str]| stage.command(PROGRAM, &[], arguments).output().await.unwrap();
    stage.all_are_refused(&["newer changeguard"], run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subcommand_says_that_the_journal_failed_and_resume_goes_on() {
    let stage = Stage::start().await;
    let mut rotate = stage.command(PROGRAM, &[], &["rotate", TENANT, "--confirm", TENANT]);
    let output = rotate.env("CHANGEGUARD_REHEARSE", "fail 13").output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("journal") && said.contains("next: "), "{said}");
    stage.done(&["resume", TENANT]).await;
    assert_eq!(stage.lab.world().key_secrets(TENANT).len(), 1);
}
