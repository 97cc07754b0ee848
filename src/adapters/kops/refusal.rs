//! What it means that `kops` has failed: its own words, ssh's, the API's, each with its remedy.

use super::guard::OCCUPIED;
use super::run::{Ended, Failure};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::sanitize::sanitize;
use std::time::Duration;

/// The longest complaint that is told, characters.
const LONGEST: usize = 400;
/// What the API says to whose credential or authority it does not know, or who does not know its own.
const UNAUTHORIZED: [&str; 4] = [
    "unauthorized",
    "certificate signed by unknown authority",
    "asked for the client to provide credentials",
    "certificate has expired or is not yet valid",
];
const API_AWAY: [&str; 3] =
    ["unable to reach the kubernetes api", "error listing nodes", "couldn't get current server api"];
const SSH_AWAY: [&str; 8] = [
    "could not resolve hostname",
    "connection refused",
    "no route to host",
    "network is unreachable",
    "timed out",
    "connection closed by",
    "connection reset by",
    "broken pipe",
];

/// Whether a command only reads: then nothing can have been changed, however it ended.
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
            Effect::Reads => "nothing was changed",
            Effect::Changes => "it may have been carried out in part, and is looked at before anything else is done",
        }
    }
}

/// The fault of a command that did not end by itself. `doing`: the verb, `create keypair kubernetes-ca`.
pub(super) fn failure(doing: &str, failure: Failure, limit: Duration, effect: Effect) -> Fault {
    let fault = |kind, what: String| Fault::new(Service::Kops, kind, format!("{doing}: {what}"));
    let safe = effect.safe();
    let lead = |fault: Fault| fault.leads(&[Lead::Resume]);
    lead(match failure {
        Failure::NotStarted(why) => fault(FaultKind::NotStarted, why)
            .hint("nothing was done; check command and ssh of the cluster in the configuration"),
        Failure::Exhausted(fault) => fault,
        Failure::TooLong => fault(FaultKind::TimedOut, format!("no end within {} s", limit.as_secs()))
            .hint(format!("{safe}; it was ended")),
        Failure::Broken(why) => fault(FaultKind::Reset, why).hint(safe),
    })
}

/// The fault of a command that ended with something else than 0.
pub(super) fn judge(doing: &str, ended: &Ended, is_far: bool, effect: Effect) -> Fault {
    let text = format!("{}\n{}", String::from_utf8_lossy(&ended.err), String::from_utf8_lossy(&ended.out));
    let lower = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let complaint = complaint(&ended.err);
    let fault = |kind, what: &str| {
        let colon = if complaint.is_empty() || what.is_empty() { "" } else { ": " };
        Fault::new(Service::Kops, kind, format!("{doing}: {what}{colon}{complaint}"))
    };
    let safe = effect.safe();
    let Some(code) = ended.code else {
        return fault(FaultKind::Reset, "the command was killed").hint(safe).leads(&[Lead::Resume]);
    };
    if code == 255 && is_far {
        if says(&["host key verification failed", "remote host identification has changed"]) {
            return fault(FaultKind::HostKey, "ssh does not trust the deploy host's key")
                .hint("nothing was sent; verify the host key out of band before you accept it into known_hosts")
                .leads(&[Lead::Resume]);
        }
        if says(&["permission denied"]) {
            return fault(FaultKind::Unauthorized, "ssh was not let in")
                .hint("nothing was done; check that your agent holds the key (ssh-add -l) and that the deploy host accepts it")
                .leads(&[Lead::Resume]);
        }
        // It may break in the middle with the same words as before the beginning.
        let kind = if effect == Effect::Reads && says(&SSH_AWAY) { FaultKind::Unreachable } else { FaultKind::Reset };
        return fault(kind, "the deploy host can't be reached, or was lost").hint(safe).leads(&[Lead::Resume]);
    }
    if code == OCCUPIED && effect == Effect::Changes {
        return fault(FaultKind::Conflict, "it was not begun")
            .hint("nothing was changed by this; see on that host what it is and end it")
            .leads(&[Lead::Resume]);
    }
    if says(&UNAUTHORIZED) {
        return fault(FaultKind::Unauthorized, "the API does not let us in")
            .hint("its authority and the credential do not know each other: somebody still uses what was replaced")
            .leads(&[Lead::Resume, Lead::RollBack]);
    }
    if says(&API_AWAY) {
        return fault(FaultKind::Unreachable, "the API can't be reached")
            .hint(format!("{safe}; see that it answers where kops runs"))
            .leads(&[Lead::Resume]);
    }
    if says(&["disruption budget", "poddisruptionbudget"]) {
        return fault(FaultKind::Refused, "a PodDisruptionBudget does not let its pods be moved")
            .hint("make room for its pods, or talk to whose they are")
            .leads(&[Lead::Resume, Lead::RollBack]);
    }
    if says(&["not found"]) && effect == Effect::Reads {
        return fault(FaultKind::NotFound, "")
            .hint("check cluster and state in the configuration")
            .leads(&[Lead::Resume]);
    }
    let what = if complaint.is_empty() { format!("it ended with {code}") } else { String::new() };
    fault(FaultKind::Exited(code), &what).hint(format!("{safe}; see what it says")).leads(&[Lead::Resume])
}

/// The sentence in which a complaint says why: its `Error:`, else its last line. klog's lines say what is being done.
pub(super) fn complaint(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_noise = |line: &str| line.split_once("] ").is_some_and(|(head, _)| head.contains(".go:"));
    let error = lines.iter().rfind(|line| line.starts_with("Error:"));
    let plain = lines.iter().take_while(|line| !line.starts_with("Usage:")).filter(|line| !is_noise(line));
    let said = error.or(plain.last()).or(lines.last()).copied().unwrap_or_default();
    let said = said.strip_prefix("Error: ").unwrap_or(said);
    shown(said).chars().take(LONGEST).collect()
}

/// A line as it may be shown: sanitized, and nothing of a private key or a token.
pub(super) fn shown(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let is_secret = ["private key", "client-key-data", "privatematerial", "token:", "password"]
        .iter()
        .any(|word| lower.contains(word));
    if is_secret { "(a line that may hold a secret is not shown)".into() } else { sanitize(line) }
}
