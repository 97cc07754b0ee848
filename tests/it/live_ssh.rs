//! The way to the VPN server fails under us on real sshd and ssh: the host key is another one, or the process that holds the
//! shared connection is killed while something is read through it.

use crate::live::{Live, text, until};
use crate::live_faults::{Rotating, assert_resumes, hasty};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const SSHD: &str = "sshd-globex";

/// Processes whose command line holds a text, by their numbers.
fn processes(holding: &str) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let holds = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").contains(holding)
    };
    pids.filter(holds).collect()
}

/// Kills whoever holds a shared connection of this test. ssh calls itself `ssh: SOCKET [mux]` then.
fn kill_masters(live: &Live) -> usize {
    let sockets = format!("ssh: {}", live.folder().join("state/ssh").display());
    let masters = processes(&sockets);
    for pid in &masters {
        // One that has ended by itself meanwhile is as good.
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).output().unwrap();
    }
    masters.len()
}

/// Another host key than the one that is known, until this is dropped; connections that stand are ended.
struct OtherKey<'a> {
    live: &'a Live,
    key: PathBuf,
}

impl<'a> OtherKey<'a> {
    fn set(live: &'a Live) -> Self {
        let key = live.live_dir().join("hosts").join(text(&live.tenant["host"])).join("ssh_host_key");
        std::fs::rename(&key, key.with_extension("known")).unwrap();
        std::fs::rename(key.with_extension("pub"), key.with_extension("known.pub")).unwrap();
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
        assert!(made.success());
        let other = Self { live, key };
        other.restart();
        other
    }

    fn restart(&self) {
        self.live.script("service", &[SSHD, "kill"]);
        self.live.script("service", &[SSHD, "start"]);
        kill_masters(self.live);
    }
}

impl Drop for OtherKey<'_> {
    fn drop(&mut self) {
        std::fs::rename(self.key.with_extension("known"), &self.key).unwrap();
        std::fs::rename(self.key.with_extension("known.pub"), self.key.with_extension("pub")).unwrap();
        self.restart();
    }
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_host_key_that_is_another_one_is_refused_as_such_before_and_in_the_middle() {
    let live = Live::start_with("globex", hasty);
    let before = live.outside();
    live.plan();
    live.waive_all();
    {
        let _other = OtherKey::set(&live);
        let refused = live.run(&["rotate", "globex", "--confirm", "globex"]);
        assert!(matches!(refused.code, 1 | 3), "exit {}: {}", refused.code, refused.err);
        assert!(refused.err.contains("does not trust the server's host key"), "{}", refused.err);
        let status = live.status();
        assert_eq!(status["touched"], false);
        assert!(status["attention"].to_string().contains("host key"), "{:#}", status["attention"]);
        assert_eq!(live.kept_secrets(), Vec::<String>::new(), "nothing was begun");
    }
    assert_eq!(live.outside(), before);
    live.run(&["cancel", "globex", "--confirm", "globex", "--reason", "another host key"]).expect(0);

    let mut rotating = Rotating::begin(&live);
    // Behind the touch: before it the gate would be shut.
    rotating.until_started(5);
    let other = OtherKey::set(&live);
    let ended = rotating.child.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{error}");
    assert!(error.contains("does not trust the server's host key") && error.contains("out of band"), "{error}");
    let status = live.status();
    assert_eq!(status["next"]["action"], "resume", "{:#}", status["next"]);
    assert!(status["attention"].to_string().contains("host key"), "{:#}", status["attention"]);
    drop(other);
    assert_resumes(&live, &before, "another host key in the middle");
    live.script("seed", &["--reset", "globex"]);
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_shared_connection_that_is_killed_at_a_look_costs_no_look() {
    let live = Live::start_with("globex", hasty);
    live.plan();
    let (mut met, until_met) = (0, Instant::now() + Duration::from_secs(120));
    while met < 3 {
        assert!(Instant::now() < until_met, "no kill met a reading");
        // Whoever reads has our socket in its command line, and the master is another process.
        let reading = format!("ControlPath={}", live.folder().join("state/ssh").display());
        let mut checking = live.command(&["check", "globex"]).spawn().unwrap();
        until("a reading that shares a connection", Duration::from_secs(60), || {
            let is_over = checking.try_wait().unwrap().is_some();
            let reads = || processes(&reading).len() > 1 && processes("ssh: ").iter().any(|pid| *pid > 0);
            (is_over || reads()).then_some(())
        });
        met += kill_masters(&live).min(1);
        let ended = checking.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

#[test]
#[ignore = "needs the live services: tests/live/run"]
fn live_a_shared_connection_that_is_killed_again_and_again_in_step_6_stops_nothing() {
    let live = Live::start_with("globex", hasty);
    let before = live.outside();
    let mut rotating = Rotating::begin(&live);
    rotating.until_started(6);
    let mut killed = 0;
    while rotating.child.try_wait().unwrap().is_none() {
        killed += kill_masters(&live);
        std::thread::sleep(Duration::from_millis(150));
    }
    let ended = rotating.child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(killed > 0, "no connection was met");
    crate::live_faults::assert_finishes(&live, &before, "connections killed in step 6");
    live.script("seed", &["--reset", "globex"]);
}
