//! What it means that the command failed: ssh's words, sudo's words, wg's words, each with its own remedy.
//!
//! ssh itself ends with 255, everything else is the script's status (ssh(1), EXIT STATUS).

use super::run::Ended;
use super::script::FIELDS;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;

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

/// Whether ssh ended because the master that holds the shared connection did. Then it says nothing at all (seen: 255, not a byte,
/// OpenSSH 9.2), or only that it could not talk to it any more; whatever else fails in ssh itself says so.
pub(super) fn is_without_master(ended: &Ended) -> bool {
    let errors = String::from_utf8_lossy(&ended.errors);
    let of_master = |line: &str| {
        line.contains("mux_client_") || line.starts_with("mm_send_fd") || line.starts_with("mm_receive_fd")
    };
    ended.code == Some(255) && errors.lines().map(str::trim).filter(|line| !line.is_empty()).all(of_master)
}

/// The fault of a command that ended with something else than 0.
pub(super) fn judge(ended: &Ended, wg: &str, interface: &str) -> Fault {
    let complaint = complaint(&ended.errors);
    let lower = String::from_utf8_lossy(&ended.errors).to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let fault = |kind, message: &str| {
        let message = if complaint.is_empty() { message.to_owned() } else { format!("{message}: {complaint}") };
        Fault::new(Service::Server, kind, message)
    };
    let Some(code) = ended.code else {
        return fault(FaultKind::Reset, "the command was killed").hint("nothing was changed there; it is read again");
    };
    if code == 255 {
        // A changed host key is followed by "Permission denied" in some versions, so it is looked for first.
        if says(&HOST_KEY) {
            return fault(FaultKind::HostKey, "ssh does not trust the server's host key");
        }
        if says(&["permission denied", "too many authentication failures"]) {
            return fault(FaultKind::Unauthorized, "ssh was not let in")
                .hint("check that your agent holds the key (ssh-add -l) and that the server accepts it");
        }
        if is_without_master(ended) {
            return fault(FaultKind::Reset, "ssh's connection to the server was lost, twice")
                .hint("nothing was changed there; it is read again");
        }
        if says(&UNREACHABLE) {
            return fault(FaultKind::Unreachable, "the server can't be reached");
        }
        if says(&["bad configuration option", "bad owner or permissions", "too long for unix domain socket"]) {
            return fault(FaultKind::NotStarted, "ssh refused to start");
        }
        return fault(FaultKind::Exited(code), "ssh failed")
            .hint("nothing was changed there; try the same ssh by hand");
    }
    if says(&SUDO) {
        return fault(FaultKind::Exited(code), "sudo on the server does not permit it without a password")
            .hint(sudoers(wg, interface));
    }
    if says(&["unable to access interface: no such device"]) {
        return Fault::new(
            Service::Server,
            FaultKind::NotFound,
            format!("there is no interface {interface} on the server"),
        )
        .hint("check wireguard.interface, and that the VPN is up there");
    }
    if says(&["unable to access interface: operation not permitted", "unable to access interface: permission denied"]) {
        return fault(FaultKind::Exited(code), "wg there needs more rights").hint(sudoers("sudo -n wg", interface));
    }
    if says(&["unable to access interface"]) {
        return fault(FaultKind::Exited(code), &format!("the interface {interface} can't be read on the server"))
            .hint("nothing was changed there; check that WireGuard runs there (wireguard-go may have ended)");
    }
    if code == 127 || says(&["command not found", ": not found"]) {
        return fault(FaultKind::Exited(code), &format!("{wg:?} is not found on the server"))
            .hint("install wireguard-tools there, or set server.wg to where wg lies");
    }
    fault(FaultKind::Exited(code), &format!("the script ended with status {code}"))
}

/// The fault of the command that looks how the agent finds its key: what lets it be read is another line than for `wg`.
pub(super) fn agent(ended: &Ended, command: &str, interface: &str) -> Fault {
    let errors = String::from_utf8_lossy(&ended.errors).to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| errors.contains(word));
    let fault = judge(ended, command, interface);
    if ended.code.is_none() || ended.code == Some(255) {
        return fault;
    }
    if says(&SUDO) {
        return fault.hint(permitted(command));
    }
    if says(&["permission denied"]) {
        return fault.hint("only root may read the agent's file: put `sudo -n` before it in server.agent_check, and permit that in sudoers there");
    }
    if says(&["no such file"]) {
        return fault
            .hint("look which file the agent's unit reads (EnvironmentFile), and name that one in server.agent_check");
    }
    fault.hint("run server.agent_check by hand on the server; it must print which of the three settings are set")
}

/// The fault of the command that prints the agent's log.
pub(super) fn log(ended: &Ended, command: &str, interface: &str) -> Fault {
    let fault = judge(ended, command, interface);
    if ended.code.is_none() || ended.code == Some(255) {
        return fault;
    }
    let errors = String::from_utf8_lossy(&ended.errors).to_ascii_lowercase();
    match SUDO.iter().any(|word| errors.contains(word)) {
        true => fault.hint(permitted(command)),
        false => fault.hint("run server.agent_log by hand on the server; it must end with status 0"),
    }
}

/// What lets a command be called there without a password.
fn permitted(command: &str) -> String {
    let bare = command.trim_start_matches("sudo ").trim_start_matches("-n ").trim();
    format!("let sudoers there say for your login: NOPASSWD: {bare}")
}

/// The line for sudoers that permits the five readings and nothing that prints a private key.
fn sudoers(wg: &str, interface: &str) -> String {
    let path = wg.split(' ').next_back().filter(|word| word.starts_with('/')).unwrap_or("/usr/bin/wg");
    let calls: Vec<String> = FIELDS.iter().map(|field| format!("{path} show {interface} {field}")).collect();
    format!("let sudoers there say for your login: NOPASSWD: {}", calls.join(", "))
}

/// The lines that say something, sanitized. ssh's frame of `@` around a changed host key says nothing.
fn complaint(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('@'));
    let said: Vec<&str> = lines.filter(|line| !line.starts_with("Warning: Permanently added")).collect();
    sanitize(&said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32, errors: &str) -> Fault {
        let ended = Ended { code: Some(code), output: Vec::new(), errors: errors.as_bytes().to_vec() };
        judge(&ended, "sudo -n wg", "wg0")
    }

    #[test]
    fn each_refusal_is_told_apart() {
        let changed = "@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@\nHost key verification failed.\r\n";
        let table = [
            (255, changed, FaultKind::HostKey),
            (
                255,
                "No ED25519 host key is known for [127.0.0.1]:2201 and you have requested strict checking.\r\nHost key verification failed.\r\n",
                FaultKind::HostKey,
            ),
            (255, "ssh: Could not resolve hostname vpn-acme: Name or service not known\r\n", FaultKind::Unreachable),
            (255, "ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", FaultKind::Unreachable),
            (255, "ssh: connect to host 10.0.0.1 port 22: Connection timed out\r\n", FaultKind::Unreachable),
            (255, "ops@127.0.0.1: Permission denied (publickey).\r\n", FaultKind::Unauthorized),
            (255, "unix_listener: path \"/x\" too long for Unix domain socket\r\n", FaultKind::NotStarted),
            (255, "something else", FaultKind::Exited(255)),
            (255, "\n", FaultKind::Reset),
            (1, "sudo: a password is required\n", FaultKind::Exited(1)),
            (1, "Unable to access interface: No such device\n", FaultKind::NotFound),
            (1, "Unable to access interface: Operation not permitted\n", FaultKind::Exited(1)),
            (127, "bash: line 1: wg: command not found\n", FaultKind::Exited(127)),
            (2, "", FaultKind::Exited(2)),
        ];
        for (code, errors, kind) in table {
            assert_eq!(of(code, errors).kind, kind, "{errors}");
        }
        assert!(
            of(1, "sudo: a password is required\n").advice().contains("NOPASSWD: /usr/bin/wg show wg0 public-key,")
        );
        assert!(!of(1, "sudo: a password is required\n").advice().contains("dump"));
        assert_eq!(
            of(1, "Unable to access interface: No such device").message,
            "there is no interface wg0 on the server"
        );
        let gone = of(1, "Unable to access interface: Protocol not supported");
        assert!(
            gone.message.starts_with("the interface wg0 can't be read") && !gone.advice().contains("sudo"),
            "{gone}"
        );
        assert!(of(127, "sh: 1: wg: not found").message.contains("is not found on the server"));
        assert!(!of(255, changed).message.contains("@@"));
    }

    #[test]
    fn what_the_server_says_can_not_move_the_cursor() {
        assert!(!of(3, "\x1b[2J\x07boo\n").message.contains(char::is_control));
    }

    #[test]
    fn what_ssh_says_of_a_master_that_is_gone_is_told_from_what_it_says_of_the_server() {
        let ended = |errors: &str| Ended { code: Some(255), output: Vec::new(), errors: errors.as_bytes().to_vec() };
        for lost in
            ["", "\r\n", "mm_send_fd: sendmsg(0): Broken pipe\r\nmux_client_request_session: send fds failed\r\n"]
        {
            assert!(is_without_master(&ended(lost)), "{lost:?}");
            assert_eq!(judge(&ended(lost), "wg", "wg0").kind, FaultKind::Reset);
        }
        for other in [
            "ssh: connect to host vpn port 22: Broken pipe\r\n",
            "mux_client_hello\r\nPermission denied (publickey).\r\n",
        ] {
            assert!(!is_without_master(&ended(other)), "{other:?}");
        }
        let told = Ended { code: Some(1), ..ended("mux_client_request_session: x") };
        assert!(!is_without_master(&told));
    }
}
