//! One session on a node: a real `/bin/sh` with its three streams carried over a connection, and what becomes of it when the
//! connection is lost; and the frames of that connection. Which scripts are run and which are spoiled is `shell`.
//!
//! When the client is killed, sshd without a terminal does not end the command (observed of OpenSSH 9.2): its input ends with
//! what had arrived, what it prints meets a closed pipe, and it goes on. So it does here.

use std::io;
use std::pin::pin;
use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::far::Login;
use crate::adapters::command;

/// What a frame to the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of standard output.
    Output,
    /// A piece of standard error.
    Errors,
    /// The exit status, four bytes; the last.
    Ended,
}

/// No frame is longer, bytes.
const LONGEST: usize = 64 * 1024;

/// A frame's bytes: kind, length, content.
pub(super) fn frame(kind: Kind, content: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(content.len() + 5));
    bytes.push(match kind {
        Kind::Output => 1,
        Kind::Errors => 2,
        Kind::Ended => 3,
    });
    bytes.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// The next frame; `None`: the connection has ended between frames. Errors: it broke, or what came is no frame.
pub(super) async fn next(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(Kind, Zeroizing<Vec<u8>>)>> {
    let kind = match from.read_u8().await {
        Ok(1) => Kind::Output,
        Ok(2) => Kind::Errors,
        Ok(3) => Kind::Ended,
        Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = from.read_u32().await? as usize;
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut content = Zeroizing::new(vec![0; length]);
    from.read_exact(&mut content).await?;
    Ok(Some((kind, content)))
}

/// Runs a login's shell to its end, whatever becomes of the client: its input from `input` until that ends, its output in
/// frames to `output`, if anybody shall have it. Returns the exit status; `None`: a signal ended it. The shell and all it has
/// started are killed when the caller goes away.
pub(super) async fn run(
    login: Login,
    input: &mut (impl AsyncRead + Unpin),
    output: Option<&mut (impl AsyncWrite + Unpin)>,
) -> io::Result<Option<i32>> {
    let mut shell = command("/bin/sh");
    shell.env_clear().args(["-c", &login.script]).current_dir(login.home).envs(login.variables);
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut group = Group(child.id());
    let code = carry(&mut child, input, output).await?;
    // Reaped: from now on the number may be somebody else's.
    group.0 = None;
    Ok(code)
}

async fn carry(
    child: &mut Child,
    input: &mut (impl AsyncRead + Unpin),
    output: Option<&mut (impl AsyncWrite + Unpin)>,
) -> io::Result<Option<i32>> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let (frames, queue) = mpsc::channel(4);
    let mut feed = pin!(async move {
        let mut buffer = Zeroizing::new(vec![0; LONGEST]);
        while let Ok(count @ 1..) = input.read(&mut buffer).await {
            if stdin.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    });
    let errors = frames.clone();
    let mut work = pin!(async {
        tokio::join!(
            child.wait(),
            pipe(stdout, Kind::Output, frames),
            pipe(stderr, Kind::Errors, errors),
            send(queue, output)
        )
        .0
    });
    let mut fed = false;
    loop {
        tokio::select! {
            status = &mut work => return Ok(status?.code()),
            () = &mut feed, if !fed => fed = true,
        }
    }
}

/// Takes what the command prints; ends, and closes the pipe, when nobody wants it any more.
async fn pipe(mut from: impl AsyncRead + Unpin, kind: Kind, frames: mpsc::Sender<Zeroizing<Vec<u8>>>) {
    let mut buffer = Zeroizing::new(vec![0; LONGEST]);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if frames.send(frame(kind, &buffer[..count])).await.is_err() {
            break;
        }
    }
}

async fn send(mut queue: mpsc::Receiver<Zeroizing<Vec<u8>>>, mut output: Option<&mut (impl AsyncWrite + Unpin)>) {
    while let Some(bytes) = queue.recv().await {
        if let Some(output) = &mut output
            && output.write_all(&bytes).await.is_err()
        {
            break;
        }
    }
}

/// Kills the shell's process group unless the shell was reaped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // No such group: everybody has ended by themselves.
            rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Login {
        let variables = vec![("PATH", "/usr/bin:/bin".into())];
        Login { script: script.to_owned(), home: "/".into(), variables }
    }

    async fn frames(bytes: &[u8]) -> Vec<(Kind, String)> {
        let mut from = bytes;
        let mut all = Vec::new();
        while let Some((kind, content)) = next(&mut from).await.unwrap() {
            all.push((kind, String::from_utf8(content.to_vec()).unwrap()));
        }
        all
    }

    #[tokio::test]
    async fn input_output_errors_and_status_pass() {
        let mut out = Vec::new();
        let code = run(sh("cat; echo no >&2; exit 7"), &mut &b"yes"[..], Some(&mut out)).await.unwrap();
        assert_eq!(code, Some(7));
        let mut seen = frames(&out).await;
        seen.sort_by_key(|(kind, _)| *kind == Kind::Errors);
        assert_eq!(seen, [(Kind::Output, "yes".to_owned()), (Kind::Errors, "no\n".to_owned())]);
    }

    #[tokio::test]
    async fn a_command_goes_on_when_nobody_reads_its_output_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let (mut near, far) = tokio::io::duplex(16);
        drop(far);
        let script = format!("trap '' PIPE; echo a; echo b || true; cat; echo done > '{}'", mark.display());
        let code = run(sh(&script), &mut tokio::io::empty(), Some(&mut near)).await.unwrap();
        assert_eq!((code, std::fs::read_to_string(mark).unwrap().as_str()), (Some(0), "done\n"));
    }

    #[tokio::test]
    async fn a_command_that_ends_does_not_wait_for_its_input() {
        let (mut open, _keep) = tokio::io::duplex(16);
        let code = run(sh("exit 3"), &mut open, None::<&mut Vec<u8>>).await.unwrap();
        assert_eq!(code, Some(3));
    }

    #[tokio::test]
    async fn what_is_no_frame_is_an_error_and_a_lost_end_is_seen() {
        let ended = frame(Kind::Ended, &[0, 0, 0, 0]);
        assert!(next(&mut &ended[..ended.len() - 1]).await.is_err());
        assert!(next(&mut &[9, 0, 0, 0, 0][..]).await.is_err());
        assert!(next(&mut &[1, 255, 0, 0, 0][..]).await.is_err());
        assert!(next(&mut &[][..]).await.unwrap().is_none());
    }
}
