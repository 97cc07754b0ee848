//! A host that has run out: a disk that is full at every fill level, and a process that may open no more files. Each is told as
//! what it is, what was written is told rightly, and nothing is offered over what can't be read.

use crate::bastion::{Bastion, CYCLE, Ran};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk of its own. None where this user may not mount one.
struct Disk(PathBuf);

impl Disk {
    fn of(kib: u64, place: &Path) -> Option<Self> {
        let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        std::fs::create_dir_all(place).unwrap();
        let options = format!("size={kib}k,mode=0700");
        let mounted = done(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place));
        mounted.then(|| Self(place.to_owned()))
    }

    /// Leaves so many KiB free.
    fn fill(&self, free: u64) {
        let disk = rustix::fs::statvfs(&self.0).unwrap();
        let room = (disk.f_bavail * disk.f_frsize).saturating_sub(free * 1024);
        std::fs::write(self.0.join("ballast"), vec![0; usize::try_from(room).unwrap()]).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What a person would take for a colleague at work, or for a fault of somebody who was not asked.
const MISLEADS: [&str; 4] = ["somebody else is at work", "are busy", "next: plan", "panicked"];

fn is_honest(what: &str, ran: &Ran) {
    for word in MISLEADS {
        assert!(!ran.err.contains(word) && !ran.out.contains(word), "{what}: {word:?} in {}{}", ran.out, ran.err);
    }
}

async fn notes(bastion: &Bastion) -> usize {
    let records = bastion.records("acme").await;
    records.iter().filter(|record| record.to_string().contains("a word for the ticket")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_named_at_every_fill_level_and_a_note_is_told_rightly_to_be_written_or_not() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let state = bastion.folder.path().join("state");
    let Some(disk) = Disk::of(2048, &state) else {
        println!("not root: no disk of its own can be mounted, nothing is tried");
        return;
    };
    bastion.confirmed("acme").await;
    let (mut written, mut refused) = (0, 0);
    for free in (0..=240).step_by(12) {
        let before = notes(&bastion).await;
        disk.fill(free);
        let ran = bastion.run("note acme", &["a word for the ticket"]).await;
        let offline = bastion.run("status acme --offline", &[]).await;
        disk.empty();
        let is_there = notes(&bastion).await - before;
        let what = format!("{free} KiB free");
        is_honest(&what, &ran);
        match ran.code {
            Some(0) => assert_eq!(is_there, 1, "{what}: it says noted: {}{}", ran.out, ran.err),
            _ => {
                assert_eq!((ran.code, is_there), (Some(1), 0), "{what}: {}", ran.err);
                assert!(ran.err.contains("full"), "{what}: {}", ran.err);
            }
        }
        *if is_there == 1 { &mut written } else { &mut refused } += 1;
        if offline.code != Some(0) {
            assert!(
                offline.code == Some(1) && offline.err.contains("full"),
                "{what}: {:?} {}",
                offline.code,
                offline.err
            );
        }
    }
    println!("{written} notes written, {refused} refused, each told rightly");
    assert!(written > 0 && refused > 0, "{written} {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_may_open_no_more_files_says_that_and_blames_no_neighbour() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let (mut failed, mut ended_well) = (0, 0);
    for limit in (9..=45).step_by(3) {
        for line in ["note acme x", "check acme"] {
            let plain = bastion.command(line, &[]);
            let mut limited = tokio::process::Command::new("sh");
            limited.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
            limited.arg(plain.as_std().get_program()).args(plain.as_std().get_args());
            limited.env_clear().envs(plain.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
            limited.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
            limited.stderr(std::process::Stdio::piped()).kill_on_drop(true);
            let ran = bastion.spawn(limited).ends().await;
            let what = format!("{line} with {limit} files");
            is_honest(&what, &ran);
            if ran.code == Some(0) {
                ended_well += 1;
                continue;
            }
            failed += 1;
            let said = ran.err.to_lowercase();
            assert!(said.contains("too many open files"), "{what}: {}", ran.err);
            let blames = said.contains("failed: server") || said.contains("server, keys");
            assert!(!blames, "{what}: {}", ran.err);
        }
    }
    println!("{failed} ended for want of descriptors, {ended_well} well");
    assert!(failed > 0 && ended_well > 0, "{failed} {ended_well}");
}
