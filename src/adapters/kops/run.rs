//! Runs one command, here or on a deploy host, with a time limit and a bound on what is kept of what it prints.
//!
//! It never outlives its caller: a small shell around it (`guard`) ends it when its own input does, which we hold open as long as we want
//! the command to run, and where it changes something when no sign of life comes any more.

use super::guard::{self, BEAT};
use crate::adapters::{command, ended, exhausted};
use crate::domain::fault::Fault;
use crate::domain::sanitize::sanitize;
use crate::engine::ports::kops::Hears;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

/// The most that is kept of an output, bytes: the end of it.
pub(super) const LARGEST: usize = 512 * 1024;

/// How the commands are reached.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    /// What stands before them: the words of ssh up to the host; empty: they run here.
    pub(super) ssh: Vec<String>,
    /// Variables of ours that they get, by name.
    pub(super) environment: Vec<String>,
}

/// A command that ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; `None` if a signal ended it.
    pub(super) code: Option<i32>,
    /// What it printed.
    pub(super) out: Zeroizing<Vec<u8>>,
    /// What it complained about.
    pub(super) err: Vec<u8>,
}

/// A command that did not.
#[derive(Debug)]
pub(super) enum Failure {
    /// It could not be started.
    NotStarted(String),
    /// Nor can anything else be: this process may open no more files.
    Exhausted(Fault),
    /// It took too long and was ended.
    TooLong,
    /// Its pipes broke.
    Broken(String),
}

/// In POSIX single quotes, in which nothing is special but the quote itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Reach {
    /// Whether they run on another host.
    pub(super) fn is_far(&self) -> bool {
        !self.ssh.is_empty()
    }

    /// The whole argv of some words with these variables. `mark`: the file of a command that changes something.
    fn argv(&self, variables: &[(&str, &str)], words: &[String], mark: Option<&str>) -> Vec<String> {
        let guard = guard::around(mark);
        if !self.is_far() {
            return guard.into_iter().chain(words.iter().cloned()).collect();
        }
        // ssh joins the words and a shell there parses them again.
        let set = variables.iter().map(|(name, value)| format!("{name}={value}"));
        let env = std::iter::once("env".to_owned()).chain(set);
        let far = guard.into_iter().chain(env).chain(words.iter().cloned());
        self.ssh.iter().cloned().chain(far.map(|word| quoted(&word))).collect()
    }

    /// Runs some words that only read.
    pub(super) async fn run(
        &self,
        variables: &[(&str, &str)],
        words: &[String],
        limit: Duration,
        hears: Option<Hears<'_>>,
    ) -> Result<Ended, Failure> {
        self.run_marked(variables, words, None, limit, hears).await
    }

    /// Runs some words; those that change something under a mark, the file where they run that says so.
    pub(super) async fn run_marked(
        &self,
        variables: &[(&str, &str)],
        words: &[String],
        mark: Option<&str>,
        limit: Duration,
        hears: Option<Hears<'_>>,
    ) -> Result<Ended, Failure> {
        let argv = self.argv(variables, words, mark);
        let (program, arguments) =
            argv.split_first().ok_or_else(|| Failure::NotStarted("the command is empty".into()))?;
        let mut command = command(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in &self.environment {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if !self.is_far() {
            command.envs(variables.iter().copied());
        }
        let mut child = command.spawn().map_err(|error| match exhausted(&format!("start {program}"), &error) {
            Some(fault) => Failure::Exhausted(fault),
            None => Failure::NotStarted(format!("{program} could not be started: {error}")),
        })?;
        let mut group = Group(child.id());
        // Held open until it has ended.
        let mut held = child.stdin.take();
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Failure::Broken("the command has no pipes".into()));
        };
        let (mut out, mut err) = (Zeroizing::new(Vec::with_capacity(64 * 1024)), Vec::new());
        let whole = async {
            let reading = async { tokio::try_join!(read(stdout, &mut out, hears), read(stderr, &mut err, hears)) };
            ended(&mut child, reading, Failure::Broken).await
        };
        let alive = async {
            loop {
                tokio::time::sleep(BEAT).await;
                // Where nobody takes it the command ends, and that is heard.
                if let Some(held) = held.as_mut().filter(|_| mark.is_some()) {
                    let _ = held.write_all(b"\n").await;
                }
            }
        };
        let whole = async {
            tokio::select! {
                ended = whole => ended,
                () = alive => Err(Failure::TooLong),
            }
        };
        let status = tokio::time::timeout(limit, whole).await.map_err(|_| Failure::TooLong)??;
        drop(held);
        // Reaped: from now on the number may be somebody else's.
        group.0 = None;
        Ok(Ended { code: status.code(), out, err })
    }
}

/// Reads to the end, keeps the last of it, and tells each line.
async fn read(mut pipe: impl AsyncRead + Unpin, into: &mut Vec<u8>, hears: Option<Hears<'_>>) -> Result<(), Failure> {
    let mut buffer = Zeroizing::new(vec![0u8; 16 * 1024]);
    let mut line = Vec::new();
    loop {
        let count = match pipe.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) => return Err(Failure::Broken(format!("reading from the command: {error}"))),
        };
        into.extend_from_slice(&buffer[..count]);
        into.drain(..into.len().saturating_sub(LARGEST));
        let Some(hears) = hears else { continue };
        for byte in &buffer[..count] {
            match byte {
                b'\n' => {
                    let text = sanitize(&String::from_utf8_lossy(&line));
                    line.clear();
                    if !text.is_empty() {
                        hears(&text);
                    }
                }
                _ if line.len() < 4096 => line.push(*byte),
                _ => {}
            }
        }
    }
}

/// Kills the command's process group unless the command was reaped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // No such group: everybody has ended by themselves.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn its_exit_status_and_its_two_outputs_are_kept_apart() {
        let here = Reach { ssh: Vec::new(), environment: Vec::new() };
        let words = ["sh", "-c", "echo out; echo err >&2; cat; exit 7"].map(str::to_owned);
        let ended = here.run(&[], &words, Duration::from_secs(60), None).await.unwrap();
        assert_eq!((ended.code, &**ended.out, &*ended.err), (Some(7), &b"out\n"[..], &b"err\n"[..]));
        let slow = ["sleep", "600"].map(str::to_owned);
        let failure = here.run(&[], &slow, Duration::from_millis(50), None).await.unwrap_err();
        assert!(matches!(failure, Failure::TooLong), "{failure:?}");
    }
}
