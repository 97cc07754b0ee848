//! The two logs of a node, line by line as the real ones are: Keystone's own, and the access log of the server in front of it.
//! When a line is due is left to `node`, `traffic` and `keystone_manage`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A log that has grown to this is begun anew, bytes: a lab may run for days.
const LARGEST: u64 = 4 << 20;

/// One log file.
#[derive(Clone, Debug)]
pub(super) struct Log(Option<PathBuf>);

impl Log {
    /// At this path; without one, lines go nowhere.
    pub(super) fn at(path: Option<&Path>) -> Log {
        Log(path.map(Path::to_owned))
    }

    /// Appends a line. A log that can't be written loses it: the lab's servers go on.
    pub(super) fn line(&self, text: &str) {
        let Some(path) = &self.0 else { return };
        let full = std::fs::metadata(path).is_ok_and(|meta| meta.len() >= LARGEST);
        let file = OpenOptions::new().append(!full).write(true).truncate(full).create(true).mode(0o640).open(path);
        if let Ok(mut file) = file {
            // One write, so that lines of several processes do not mix.
            file.write_all(format!("{text}\n").as_bytes()).ok();
        }
    }

    /// A line as oslo.log writes it, at a time in milliseconds since 1970.
    pub(super) fn keystone(&self, millis: i64, level: &str, module: &str, text: &str) {
        self.line(&keystone_line(millis, level, module, text));
    }

    /// A line as gunicorn writes it: the combined format.
    pub(super) fn access(&self, millis: i64, entry: &Access<'_>) {
        let at = stamp(millis).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
        let Access { method, target, status, bytes, agent } = entry;
        let agent: String = agent.chars().filter(|c| !c.is_control() && *c != '"').take(200).collect();
        self.line(&format!("127.0.0.1 - - [{at}] \"{method} {target} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\""));
    }
}

/// One request, as the access log tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access<'a> {
    /// In upper case.
    pub(super) method: &'a str,
    /// Path and query, percent-encoded.
    pub(super) target: &'a str,
    /// The answer's status.
    pub(super) status: u16,
    /// The length of the answer's body.
    pub(super) bytes: usize,
    /// The `User-Agent`.
    pub(super) agent: &'a str,
}

/// What [`Log::keystone`] writes, without the newline.
pub(super) fn keystone_line(millis: i64, level: &str, module: &str, text: &str) -> String {
    let at = stamp(millis).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let process = std::process::id();
    let fraction = millis.rem_euclid(1000);
    format!("{at}.{fraction:03} {process} {level} {module} [-] {text}")
}

fn stamp(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_form_of_oslo_log_and_gunicorn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::at(Some(&path));
        log.keystone(1_796_131_043_330, "INFO", "keystone.common.fernet_utils", "Current primary key is: 1");
        let agent = "curl/7.88.1\" evil\n";
        log.access(1_796_131_043_330, &Access { method: "GET", target: "/v3", status: 200, bytes: 250, agent });
        let text = std::fs::read_to_string(path).unwrap();
        let process = std::process::id();
        assert_eq!(
            text,
            format!(
                "2026-12-01 13:17:23.330 {process} INFO keystone.common.fernet_utils [-] Current primary key is: 1\n\
                 127.0.0.1 - - [01/Dec/2026:13:17:23 +0000] \"GET /v3 HTTP/1.1\" 200 250 \"-\" \"curl/7.88.1 evil\"\n"
            )
        );
    }

    #[test]
    fn a_log_that_has_grown_large_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::at(Some(&path));
        std::fs::File::create(&path).unwrap().set_len(LARGEST).unwrap();
        log.line("first");
        log.line("second");
        assert_eq!(std::fs::read_to_string(path).unwrap(), "first\nsecond\n");
    }
}
