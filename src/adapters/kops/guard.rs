//! The small shell around a command, which ends it when nobody wants it to run any more: here, and on a deploy host.
//!
//! A command that only reads ends with its input, which its caller holds open. One that changes something is marked besides: its number
//! lies in a file on the host where it runs, its caller sends it a line every few seconds, and where none has come for a while it is
//! ended, though the connection may seem to stand. The next one waits until the one before is gone: two of them never run at once, and
//! none goes on under a lease that is lost.

use std::time::Duration;

/// So often a line is sent.
pub(super) const BEAT: Duration = Duration::from_secs(3);
/// Between two looks whether one has come, seconds: twice as long after the last it ends at the latest, as a lease does (30 s).
const LOOKED: u32 = 15;
/// So long the next one waits for the one before, seconds: longer than that has to end.
const WAITED: u32 = 45;
/// The exit status where the one before does not end.
pub(super) const OCCUPIED: i32 = 254;

/// Runs its arguments with nothing on their input, until they end or its own input does. What they write is their owner's alone.
const READS: &str = r#"umask 077; exec 3<&0
"$@" </dev/null 3<&- & c=$!
( while IFS= read -r _ <&3; do :; done; kill -TERM $c; sleep 5; kill -KILL $c ) >/dev/null 2>&1 & w=$!
exec 3<&-
wait $c; s=$?
kill $w 2>/dev/null
exit $s"#;

/// The same, marked: `MARK LOOKED WAITED WORD…`. A number is known with when its process began, so that nobody else's is taken for it.
const CHANGES: &str = r#"umask 077; m=$1 looked=$2 waited=$3; shift 3; exec 3<&0
began() {
  if [ -r "/proc/$1/stat" ]; then IFS= read -r l <"/proc/$1/stat" || return 0; set -- ${l##*) }; [ "$1" = Z ] || echo "${20}"
  elif kill -0 "$1" 2>/dev/null; then echo -; fi
}
[ -d "${m%/*}" ] || mkdir -p "${m%/*}" || exit 254
: >>"$m" || exit 254
p= t= n=0; read -r p t <"$m"
while [ -n "$p" ] && [ "$(began "$p" 2>/dev/null)" = "$t" ]; do
  if [ $n -ge "$waited" ]; then echo "Error: a command of before still runs here as process $p, though it was to end" >&2; exit 254; fi
  n=$((n+1)); sleep 1
done
"$@" </dev/null 3<&- & c=$!
echo "$c $(began $c 2>/dev/null)" >"$m"
echo 0 >"$m.beat"
end() { kill -TERM $c; sleep 5; kill -KILL $c; }
( n=0; while IFS= read -r _ <&3; do n=$((n+1)); echo $n >"$m.beat"; done; end ) >/dev/null 2>&1 & w=$!
( trap 'kill $s; exit' TERM; b=
  while sleep "$looked" & s=$!; wait $s; do read -r now <"$m.beat"; [ "$now" = "$b" ] && break; b=$now; done; end
) </dev/null >/dev/null 2>&1 3<&- & v=$!
exec 3<&-
wait $c; s=$?
kill $w $v 2>/dev/null
: >"$m"
exit $s"#;

/// The words that stand before a command. `mark`: the file of one that changes something.
pub(super) fn around(mark: Option<&str>) -> Vec<String> {
    around_within(mark, LOOKED, WAITED)
}

fn around_within(mark: Option<&str>, looked: u32, waited: u32) -> Vec<String> {
    let words = |script: &str| ["sh", "-c", script, "changeguard"].map(str::to_owned).to_vec();
    match mark {
        None => words(READS),
        Some(mark) => {
            let mut words = words(CHANGES);
            words.extend([mark.to_owned(), looked.to_string(), waited.to_string()]);
            words
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::command;
    use std::path::Path;
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt as _;
    use tokio::process::{Child, ChildStdin};

    /// A loaded machine is slow, a wrong script is for ever.
    const PATIENCE: Duration = Duration::from_secs(120);

    fn starts(words: Vec<String>, script: &str) -> (Child, ChildStdin) {
        let mut guard = command(&words[0]);
        guard.args(&words[1..]).args(["sh", "-c", script]).stdin(Stdio::piped());
        guard.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = guard.spawn().unwrap();
        let held = child.stdin.take().unwrap();
        (child, held)
    }

    async fn written(path: &Path) -> String {
        loop {
            match std::fs::read_to_string(path).unwrap_or_default().trim() {
                "" => tokio::task::yield_now().await,
                text => return text.to_owned(),
            }
        }
    }

    #[tokio::test]
    async fn what_it_runs_ends_with_its_input_whoever_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("made/running");
        for mark in [None, mark.to_str()] {
            let pid = folder.path().join("pid");
            let _ = std::fs::remove_file(&pid);
            let (child, held) = starts(around(mark), &format!("echo $$ > '{}'; exec sleep 600", pid.display()));
            written(&pid).await;
            // As sshd does it when the connection is gone, and the kernel when this process is.
            drop(held);
            let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it goes on").unwrap();
            assert_eq!(ended.status.code(), Some(128 + 15), "ended by TERM");
        }
    }

    #[tokio::test]
    async fn what_changes_something_ends_where_no_sign_of_life_comes_though_the_connection_stands() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("running");
        let (child, held) = starts(around_within(mark.to_str(), 1, 60), "exec sleep 600");
        written(&mark).await;
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it goes on").unwrap();
        assert_eq!(ended.status.code(), Some(128 + 15), "ended by TERM");
        assert_eq!(std::fs::read_to_string(&mark).unwrap(), "", "nothing runs by the mark");
        drop(held);
    }

    #[tokio::test]
    async fn it_goes_on_as_long_as_signs_of_life_come() {
        let folder = tempfile::tempdir().unwrap();
        let (mark, done) = (folder.path().join("running"), folder.path().join("done"));
        let script = format!("while [ ! -e '{}' ]; do sleep 0.1; done; exit 7", done.display());
        let (mut child, mut held) = starts(around_within(mark.to_str(), 1, 60), &script);
        let beat = folder.path().join("running.beat");
        // Over some looks: each line is one later.
        for count in 1..=30 {
            held.write_all(b"\n").await.unwrap();
            while written(&beat).await.parse::<u32>().unwrap_or(0) < count {
                tokio::task::yield_now().await;
            }
            let tick = command("sleep").arg("0.1").status().await.unwrap();
            assert!(tick.success() && child.try_wait().unwrap().is_none(), "it has ended at {count}");
        }
        std::fs::write(&done, "").unwrap();
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it goes on").unwrap();
        assert_eq!(ended.status.code(), Some(7));
    }

    #[tokio::test]
    async fn the_next_waits_for_the_one_before_and_gives_up_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("running");
        let (before, held) = starts(around_within(mark.to_str(), 60, 60), "exec sleep 600");
        written(&mark).await;
        let (next, _held) = starts(around_within(mark.to_str(), 60, 1), "echo ran");
        let ended = tokio::time::timeout(PATIENCE, next.wait_with_output()).await.expect("it waits on").unwrap();
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(OCCUPIED), &b""[..]), "{complaint}");
        assert!(complaint.contains("a command of before still runs here as process"), "{complaint}");
        drop(held);
        tokio::time::timeout(PATIENCE, before.wait_with_output()).await.expect("it goes on").unwrap();
        let (next, _held) = starts(around_within(mark.to_str(), 60, 1), "echo ran");
        let ended = tokio::time::timeout(PATIENCE, next.wait_with_output()).await.expect("it waits on").unwrap();
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(0), &b"ran\n"[..]));
        // A number that is somebody else's by now holds nobody up.
        std::fs::write(&mark, format!("{} 1\n", std::process::id())).unwrap();
        let (next, _held) = starts(around_within(mark.to_str(), 60, 1), "echo ran");
        let ended = tokio::time::timeout(PATIENCE, next.wait_with_output()).await.expect("it waits on").unwrap();
        assert_eq!(ended.status.code(), Some(0));
    }
}
