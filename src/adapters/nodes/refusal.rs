//! What it means that a command failed on its way to a node or there: ssh's words, sudo's words, the shell's words, each with the
//! node's name and its own remedy.
//!
//! ssh itself ends with 255, everything else is the script's status (ssh(1), EXIT STATUS).

use super::run::{Ended, Failure, LARGEST};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use std::time::Duration;

const UNREACHABLE: [&str; 11] = [
    "could not resolve hostname",
    "name or service not known",
    "connection refused",
    "no route to host",
    "network is unreachable",
    "timed out",
    "connection closed by",
    "connection reset by",
    "kex_exchange_identification",
    "broken pipe",
    "stdio forwarding failed",
];
const HOST_KEY: [&str; 4] = [
    "host key verification failed",
    "remote host identification has changed",
    "host key is known for",
    "revoked host key",
];
const SUDO: [&str; 5] = [
    "a password is required",
    "a terminal is required",
    "not in the sudoers",
    "not allowed to execute",
    "may not run sudo",
];

/// Whether the command only reads: then nothing can have been changed, however it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It reads.
    Reads,
    /// It may have changed something.
    Changes,
}

impl Effect {
    fn safe(self) -> &'static str {
        match self {
            Effect::Reads => "nothing was changed there",
            Effect::Changes => {
                "it may still be carried out there, and can be run again: whatever is done is found done"
            }
        }
    }
}

/// The fault of a command that did not end by itself. `doing` is what it was to do ("look at the node").
pub(super) fn failure(node: &str, doing: &str, failure: Failure, limit: Duration, effect: Effect) -> Fault {
    let fault = |kind, what: String| Fault::new(Service::Node, kind, format!("{doing} on {node}: {what}"));
    let safe = effect.safe();
    match failure {
        Failure::NotStarted(why) => {
            fault(FaultKind::NotStarted, why).hint("nothing was sent; check the command that reaches the nodes")
        }
        Failure::Exhausted(fault) => fault,
        Failure::TooLong => fault(FaultKind::TimedOut, format!("no end within {} s", limit.as_secs_f32()))
            .hint(format!("{safe}; check the network and the load of the node, then go on")),
        Failure::TooMuch => fault(FaultKind::Malformed, format!("it printed more than {} MiB", LARGEST >> 20))
            .hint(format!("{safe}; run the command that reaches the node by hand and look what prints so much")),
        Failure::Broken(why) => fault(FaultKind::Reset, why).hint(format!("{safe}; it is looked at again")),
    }
}

/// The fault of a command that ended with something else than 0, and without a word of the script's own.
pub(super) fn judge(node: &str, doing: &str, ended: &Ended, effect: Effect) -> Fault {
    let complaint = complaint(&ended.errors);
    let lower = String::from_utf8_lossy(&ended.errors).to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let fault = |kind, what: &str| {
        let colon = if complaint.is_empty() { "" } else { ": " };
        Fault::new(Service::Node, kind, format!("{doing} on {node}: {what}{colon}{complaint}"))
    };
    let safe = effect.safe();
    let Some(code) = ended.code else {
        return fault(FaultKind::Reset, "the command was killed").hint(format!("{safe}; it is looked at again"));
    };
    if code == 255 {
        // A changed host key is followed by "Permission denied" in some versions, so it is looked for first.
        if says(&HOST_KEY) {
            return fault(FaultKind::HostKey, "ssh does not trust the node's host key").hint(
                "nothing was sent; verify the host key out of band before you accept it into known_hosts, and never turn \
                 StrictHostKeyChecking off for this",
            );
        }
        if says(&["permission denied", "too many authentication failures"]) {
            return fault(FaultKind::Unauthorized, "ssh was not let in").hint(
                "nothing was changed there; check that your agent holds the key (ssh-add -l) and that the node accepts it",
            );
        }
        if says(&UNREACHABLE) {
            // A connection may break in the middle too, with the same words.
            let kind = match (effect, says(&["broken pipe", "connection reset by", "connection closed by"])) {
                (Effect::Changes, true) => FaultKind::Reset,
                _ => FaultKind::Unreachable,
            };
            let fault = fault(kind.clone(), "the node can't be reached");
            return if kind == FaultKind::Reset { fault.hint(format!("{safe}; it is looked at again")) } else { fault };
        }
        if says(&["bad configuration option", "bad owner or permissions", "too long for unix domain socket"]) {
            return fault(FaultKind::NotStarted, "ssh refused to start");
        }
        if complaint.is_empty() {
            return fault(FaultKind::Reset, "ssh's connection was lost without a word")
                .hint(format!("{safe}; it is looked at again"));
        }
        return fault(FaultKind::Exited(code), "ssh failed").hint(format!("{safe}; try the same ssh by hand"));
    }
    if says(&SUDO) {
        return fault(FaultKind::Exited(code), "sudo there does not permit it without a password").hint(
            "nothing was changed there; let sudoers there say for your login: NOPASSWD: /usr/bin/sh (or log in as root)",
        );
    }
    if code == 127 || says(&["command not found", ": not found"]) {
        return fault(FaultKind::Exited(code), "a program is not found there")
            .hint(format!("{safe}; the node needs a POSIX shell with awk, stat, sha256sum and tar"));
    }
    if says(&["no space left on device", "disk quota exceeded"]) {
        return fault(FaultKind::NoRoom, "the file system there is full")
            .hint("the live repository is as it was; make room beside it, then go on");
    }
    fault(FaultKind::Exited(code), &format!("the script ended with status {code}"))
        .hint(format!("{safe}; look what it said, correct it on the node, then go on"))
}

/// The last lines that say something, sanitized. ssh's frame of `@` around a changed host key says nothing.
pub(super) fn complaint(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('@'));
    let said: Vec<&str> = lines.filter(|line| !line.starts_with("Warning: Permanently added")).collect();
    sanitize(&said[said.len().saturating_sub(4)..].join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::run::Output;
    use super::*;

    fn of(code: i32, errors: &str, effect: Effect) -> Fault {
        let ended = Ended { code: Some(code), output: Output::default(), errors: errors.as_bytes().to_vec() };
        judge("node2", "install the keys", &ended, effect)
    }

    #[test]
    fn each_refusal_is_told_apart_and_names_the_node() {
        let changed = "@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@\nHost key verification failed.\r\n";
        let table = [
            (255, changed, FaultKind::HostKey),
            (255, "No ED25519 host key is known for x and you have requested strict checking.\r\n", FaultKind::HostKey),
            (255, "ssh: Could not resolve hostname node2: Name or service not known\r\n", FaultKind::Unreachable),
            (255, "ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", FaultKind::Unreachable),
            (255, "Connection reset by 10.0.0.1 port 22\r\n", FaultKind::Reset),
            (255, "ops@127.0.0.1: Permission denied (publickey).\r\n", FaultKind::Unauthorized),
            (255, "", FaultKind::Reset),
            (1, "sudo: a password is required\n", FaultKind::Exited(1)),
            (127, "sh: 1: sha256sum: not found\n", FaultKind::Exited(127)),
            (1, "cp: error writing 'x': No space left on device\n", FaultKind::NoRoom),
            (2, "", FaultKind::Exited(2)),
        ];
        for (code, errors, kind) in table {
            let fault = of(code, errors, Effect::Changes);
            assert_eq!(fault.kind, kind, "{errors}");
            assert!(fault.message.starts_with("install the keys on node2: "), "{fault}");
            assert!(!fault.advice().is_empty() && !fault.message.contains("@@"));
        }
        assert!(of(255, changed, Effect::Reads).advice().contains("never turn StrictHostKeyChecking off"));
        assert_eq!(of(255, "Connection reset by 10.0.0.1 port 22\r\n", Effect::Reads).kind, FaultKind::Unreachable);
    }

    #[test]
    fn what_was_lost_while_changing_says_that_it_can_be_run_again() {
        let lost = |effect| failure("a", "place the keys", Failure::TooLong, Duration::from_secs(15), effect);
        assert!(lost(Effect::Changes).advice().contains("can be run again"));
        assert!(lost(Effect::Reads).advice().starts_with("nothing was changed there"));
        assert!(lost(Effect::Changes).is_outcome_unknown());
    }

    #[test]
    fn what_a_node_says_can_not_move_the_cursor() {
        assert!(!of(3, "\x1b[2J\x07boo\n", Effect::Reads).message.contains(char::is_control));
    }
}
