//! Runs one command with a time limit, what it gets on its input, and a bound on what it may print. All of it may be keys: every
//! buffer is wiped. What its exit status and its words mean is `refusal`.

use crate::adapters::{command, ended, exhausted};
use crate::domain::fault::Fault;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

/// The most that is read of what it prints, bytes. 512 keys as a tar stream take 0.8 MiB.
pub(super) const LARGEST: usize = 1024 * 1024;
/// The most that is kept of what it complains about, bytes. `keystone-manage` prints a page of warnings.
const LARGEST_COMPLAINT: usize = 32 * 1024;

/// A command that ended by itself.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status; `None` if a signal ended it.
    pub(super) code: Option<i32>,
    /// What it printed.
    pub(super) output: Output,
    /// The end of what it complained about: the cause stands behind the warnings.
    pub(super) errors: Vec<u8>,
}

/// What a command printed, which may be keys. Wiped when dropped; can't be printed.
#[derive(Default)]
pub(super) struct Output(pub(super) Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Output({} bytes hidden)", self.0.len())
    }
}

/// A command that did not.
#[derive(Debug)]
pub(super) enum Failure {
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

/// Runs an argv with `input` on its standard input. The process and its group are killed when the limit is reached or the caller goes
/// away; what it has started on another host may go on there.
pub(super) async fn run(argv: &[String], input: &[u8], limit: Duration) -> Result<Ended, Failure> {
    let (program, arguments) =
        argv.split_first().ok_or_else(|| Failure::NotStarted("the command that reaches the nodes is empty".into()))?;
    let mut command = command(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(|error| match exhausted(&format!("start {program}"), &error) {
        Some(fault) => Failure::Exhausted(fault),
        None => Failure::NotStarted(format!("{program} could not be started: {error}")),
    })?;
    let mut group = Group(child.id());
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
        return Err(Failure::Broken("the command has no pipes".into()));
    };
    let (mut output, mut errors) = (Output::default(), Vec::new());
    // Never moved by growing: growing would leave a copy of keys behind.
    output.0.reserve_exact(if input.is_empty() { LARGEST } else { 64 * 1024 });
    let whole = async {
        let write = async {
            if let Some(mut pipe) = stdin {
                // A command that does not read to the end says why by its status and its words.
                if pipe.write_all(input).await.is_ok() {
                    let _ = pipe.shutdown().await;
                }
            }
            Ok(())
        };
        let bound = output.0.capacity().min(LARGEST);
        let talking =
            async { tokio::try_join!(write, read(stdout, &mut output.0, bound), read_end(stderr, &mut errors)) };
        ended(&mut child, talking, Failure::Broken).await
    };
    let status = tokio::time::timeout(limit, whole).await.map_err(|_| Failure::TooLong)??;
    // Reaped: from now on the number may be somebody else's.
    group.0 = None;
    Ok(Ended { code: status.code(), output, errors })
}

/// Reads to the end; beyond the bound it fails.
async fn read(mut pipe: impl AsyncRead + Unpin, into: &mut Vec<u8>, bound: usize) -> Result<(), Failure> {
    let mut buffer = Zeroizing::new(vec![0u8; 16 * 1024]);
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) if count > bound.saturating_sub(into.len()) => return Err(Failure::TooMuch),
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(Failure::Broken(format!("reading from the command: {error}"))),
        }
    }
}

/// Reads to the end and keeps the last of it.
async fn read_end(mut pipe: impl AsyncRead + Unpin, into: &mut Vec<u8>) -> Result<(), Failure> {
    let mut buffer = vec![0u8; 16 * 1024];
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => into.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(Failure::Broken(format!("reading from the command: {error}"))),
        }
        into.drain(..into.len().saturating_sub(LARGEST_COMPLAINT));
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, input: &[u8], limit: Duration) -> Result<Ended, Failure> {
        run(&["sh".into(), "-c".into(), script.into()], input, limit).await
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn input_goes_in_and_output_comes_back_and_is_not_printed() {
        let ended = sh("cat; echo warn >&2; exit 3", b"secret", LONG).await.unwrap();
        assert_eq!((ended.code, &*ended.output.0, &*ended.errors), (Some(3), &b"secret".to_vec(), &b"warn\n"[..]));
        assert!(!format!("{ended:?}").contains("secret"));
        let none = sh("cat", b"", LONG).await.unwrap();
        assert!(none.output.0.is_empty(), "without input there is an end at once");
    }

    #[tokio::test]
    async fn a_command_that_ignores_a_large_input_is_no_failure_of_ours() {
        let ended = sh("exit 7", &vec![b'x'; 1024 * 1024], LONG).await.unwrap();
        assert_eq!(ended.code, Some(7));
    }

    #[tokio::test]
    async fn what_never_ends_is_killed_with_its_children_and_what_is_too_much_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // A named pipe is at its end only when every process that holds it is gone, the grandchild too.
        let end = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        let script = format!("exec 3> {}; sleep 3600 & echo up >&3; wait", pipe.display());
        let failure = sh(&script, b"", Duration::from_millis(1500)).await.unwrap_err();
        assert!(matches!(failure, Failure::TooLong), "{failure:?}");
        assert_eq!(end.join().unwrap(), b"up\n");
        let failure = sh("yes", b"", LONG).await.unwrap_err();
        assert!(matches!(failure, Failure::TooMuch), "{failure:?}");
    }

    #[tokio::test]
    async fn of_many_complaints_the_last_are_kept() {
        let ended =
            sh("i=0; while [ $i -lt 4000 ]; do echo warning $i >&2; i=$((i+1)); done; echo cause >&2", b"", LONG).await;
        let errors = ended.unwrap().errors;
        assert!(errors.len() <= LARGEST_COMPLAINT && errors.ends_with(b"cause\n"));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_was_not_started() {
        let failure = run(&["/nonexistent/ssh".into()], b"", LONG).await.unwrap_err();
        assert!(matches!(failure, Failure::NotStarted(_)), "{failure:?}");
    }
}
