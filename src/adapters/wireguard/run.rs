//! Runs one command with a time limit, nothing on its input, and a bound on what it may print.
//!
//! What its exit status and its words mean is `refusal`.

use crate::adapters::{command, ended, exhausted};
use crate::domain::fault::{Fault, FaultKind, Service};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most that is read, bytes. 10,000 peers take 2 MB.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;
/// The most that is kept of what it complains about, bytes.
const LARGEST_COMPLAINT: usize = 16 * 1024;

/// A command that ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; `None` if a signal ended it.
    pub(super) code: Option<i32>,
    /// What it printed.
    pub(super) output: Vec<u8>,
    /// The beginning of what it complained about.
    pub(super) errors: Vec<u8>,
}

/// A command that did not.
#[derive(Debug)]
pub(super) enum Failure {
    /// The tenant has no server.
    NoServer,
    /// It could not be started.
    NotStarted(String),
    /// Nor can anything else be: this process may open no more files.
    Exhausted(Fault),
    /// It took too long and was killed.
    TooLong,
    /// It printed too much and was killed.
    TooMuch,
    /// Its pipes broke.
    Broken(String),
}

impl Failure {
    pub(super) fn fault(self, limit: Duration) -> Fault {
        let fault = |kind, message: String| Fault::new(Service::Server, kind, message);
        match self {
            Failure::NoServer => fault(FaultKind::Refused, "this tenant has no server in the configuration".into())
                .hint("add server = \"...\" to its [[tenant]]"),
            Failure::NotStarted(why) => fault(FaultKind::NotStarted, why),
            Failure::Exhausted(fault) => fault,
            Failure::TooLong => fault(FaultKind::TimedOut, format!("no answer within {} s", limit.as_secs_f32()))
                .hint("nothing was changed there; check the network, or raise server.timeout"),
            Failure::TooMuch => fault(FaultKind::Malformed, format!("it printed more than {} MiB", LARGEST >> 20)),
            Failure::Broken(why) => fault(FaultKind::Reset, why).hint("nothing was changed there; it is read again"),
        }
    }
}

/// Runs an argv. The process and its group are killed when the limit is reached or the caller goes away.
pub(super) async fn run(argv: &[String], limit: Duration) -> Result<Ended, Failure> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| Failure::NotStarted("server.command is empty".into()))?;
    let mut child =
        command(program).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| {
            match exhausted(&format!("start {program}"), &error) {
                Some(fault) => Failure::Exhausted(fault),
                None => Failure::NotStarted(format!("{program} could not be started: {error}")),
            }
        })?;
    let mut group = Group(child.id());
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure::Broken("the command has no pipes".into()));
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let whole = async {
        let reading = async {
            tokio::try_join!(
                read(stdout, &mut output, LARGEST, false),
                read(stderr, &mut errors, LARGEST_COMPLAINT, true)
            )
        };
        ended(&mut child, reading, Failure::Broken).await
    };
    let status = tokio::time::timeout(limit, whole).await.map_err(|_| Failure::TooLong)??;
    // Reaped: from now on the number may be somebody else's.
    group.0 = None;
    Ok(Ended { code: status.code(), output, errors })
}

/// Reads to the end. Beyond the bound it fails, or (`drain`) goes on without keeping.
async fn read(mut pipe: impl AsyncRead + Unpin, into: &mut Vec<u8>, bound: usize, drain: bool) -> Result<(), Failure> {
    let mut buffer = vec![0u8; 16 * 1024];
    loop {
        let count = match pipe.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) => return Err(Failure::Broken(format!("reading from the command: {error}"))),
        };
        let room = bound.saturating_sub(into.len()).min(count);
        into.extend_from_slice(&buffer[..room]);
        if room < count && !drain {
            return Err(Failure::TooMuch);
        }
    }
}

/// Kills the command's process group unless the command was reaped. An ssh master has a session of its own and lives on.
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
