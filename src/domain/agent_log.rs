//! What the agent on the VPN server says of itself: its log lines by the platform's documented patterns, and whether what they
//! complain of has passed or lasts.

use super::sanitize::sanitize;

/// What a line of the log means, and what to do.
struct Pattern {
    says: &'static str,
    means: &'static str,
    remedy: &'static str,
}

/// The line that says that a reconcile went well.
const IN_SYNC: &str = "Configuration in sync";

/// It is denied the secret, or there is none.
const NO_SECRET: Pattern = Pattern {
    says: "Failed to fetch key from Barbican",
    means: "it can't read the secret",
    remedy: "with 403 its application credential lacks secrets:get: ask the platform team for a role assignment; else look at Barbican",
};

/// It has ended: that is no look.
const ENDED: Pattern = Pattern {
    says: "Fatal error",
    means: "it has ended",
    remedy: "read the traceback in its journal, and have the unit started again",
};

/// Its unit was ended, as systemd says it among the agent's own lines.
const STOPPED: Pattern = Pattern {
    says: "Stopped ",
    means: "its unit was stopped or has failed",
    remedy: "look at its unit on the server, and have it started again",
};

/// The platform's failure runbook, step 1.
const PATTERNS: [Pattern; 7] = [
    Pattern {
        says: "Failed to fetch state",
        means: "it can't read the object",
        remedy: "Keystone or Swift refuses it: check the tenant's application credential and the object",
    },
    NO_SECRET,
    // The exception behind it, where the log has only that.
    Pattern { says: "BarbicanFetchError", ..NO_SECRET },
    Pattern {
        says: "No private key available",
        means: "it has no key",
        remedy: "look whether one secret has the tenant's name and holds a key",
    },
    Pattern {
        says: "Failed to sync WireGuard configuration",
        means: "`wg syncconf` failed there",
        remedy: "run `wg syncconf` on the server by hand and read what it says",
    },
    Pattern {
        says: "WireGuard configuration error",
        means: "it can't read its configuration",
        remedy: "wg0.conf must be root's, mode 0600, with PrivateKey, ListenPort and Address",
    },
    ENDED,
];

/// An error of the agent's that none of the documented ones is.
const OTHER: Pattern = Pattern {
    says: "",
    means: "it tells an error that its runbook does not name",
    remedy: "read its log on the server",
};

/// What stands in a line that is an error whatever else it says: the levels of Python's logging, and how it names an exception.
const ERROR: [&str; 3] = ["ERROR", "CRITICAL", TRACEBACK];

/// The head of an exception's lines; the error itself stands behind it.
const TRACEBACK: &str = "Traceback";

/// What the log says as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentHealth {
    /// Nothing but success, and how often.
    Well(usize),
    /// It had errors, and success came after the last of them.
    Passed {
        /// How many errors.
        errors: usize,
        /// The last of them.
        last: String,
        /// How many successes were followed by an error: it comes and goes where that is more than one.
        relapses: usize,
    },
    /// No success came after the last error.
    Lasts {
        /// How many errors since the last success.
        errors: usize,
        /// The last of them.
        last: String,
        /// What it means.
        means: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// No line of the agent's that says anything.
    Silent,
}

/// Whether a line tells that the agent has looked for its configuration, well or not.
pub(super) fn is_look(line: &str) -> bool {
    let tells = |pattern: &&Pattern| line.contains(pattern.says);
    line.contains(IN_SYNC) || PATTERNS.iter().filter(tells).any(|pattern| pattern.says != ENDED.says)
}

/// Whether a line tells that the agent has ended; its next look is none that is due by itself.
pub(super) fn is_end(line: &str) -> bool {
    line.contains(ENDED.says) || is_stop(line)
}

/// Whether systemd tells that the unit was stopped or has failed. A unit that a timer starts says neither when it is done.
fn is_stop(line: &str) -> bool {
    let by_systemd = line.split_once("systemd[").and_then(|(_, rest)| rest.split_once("]: "));
    let said = by_systemd.map_or(line, |(_, said)| said);
    said.starts_with(STOPPED.says) || said.contains("Failed with result")
}

/// Whether a line tells that it could not read the secret.
pub(super) fn is_without_secret(line: &str) -> bool {
    PATTERNS.iter().any(|pattern| pattern.means == NO_SECRET.means && line.contains(pattern.says))
}

/// Judges the lines of a log, oldest first. Lines that are neither known nor an error say nothing.
pub fn judge(log: &str) -> AgentHealth {
    let (mut well, mut all, mut since, mut relapses) = (0, 0, 0, 0);
    let mut last: Option<(&Pattern, &str)> = None;
    for line in log.lines() {
        let other = || match ERROR.iter().any(|word| line.contains(word)) {
            true => Some(&OTHER),
            false => is_stop(line).then_some(&STOPPED),
        };
        if let Some(pattern) = PATTERNS.iter().find(|pattern| line.contains(pattern.says)).or_else(other) {
            relapses += usize::from(since == 0 && well > 0);
            // What follows a traceback's head is that error, not another.
            let is_its_own =
                last.is_some_and(|(_, before)| since > 0 && before.contains(TRACEBACK)) && !line.contains(TRACEBACK);
            let more = usize::from(!is_its_own);
            (all, since, last) = (all + more, since + more, Some((pattern, line)));
        } else if line.contains(IN_SYNC) {
            (well, since) = (well + 1, 0);
        }
    }
    match last {
        None if well == 0 => AgentHealth::Silent,
        None => AgentHealth::Well(well),
        Some((_, line)) if since == 0 => AgentHealth::Passed { errors: all, last: sanitize(line.trim()), relapses },
        Some((pattern, line)) => {
            let (means, remedy) = (pattern.means, pattern.remedy);
            AgentHealth::Lasts { errors: since, last: sanitize(line.trim()), means, remedy }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_look_is_one_and_its_end_is_none_wherever_it_stands_in_the_list() {
        assert!(is_look(IN_SYNC) && !is_look("something else"));
        let no_looks: Vec<&str> = PATTERNS.iter().map(|pattern| pattern.says).filter(|says| !is_look(says)).collect();
        assert_eq!(no_looks, [ENDED.says]);
    }

    #[test]
    fn each_pattern_is_transient_before_a_success_and_lasts_behind_it() {
        for pattern in &PATTERNS {
            let error = format!("Nov 24 22:00:01 vpn user-sync-agent[7]: ERROR {}: 403 Forbidden\n", pattern.says);
            let success = format!("Nov 24 22:01:01 vpn user-sync-agent[7]: INFO {IN_SYNC}\n");
            let passed = judge(&format!("{success}{error}{error}{success}"));
            assert!(matches!(passed, AgentHealth::Passed { errors: 2, .. }), "{passed:?}");
            let lasts = judge(&format!("{error}{success}{error}{error}"));
            let AgentHealth::Lasts { errors: 2, last, remedy, .. } = &lasts else { panic!("{lasts:?}") };
            assert!(last.contains(pattern.says) && *remedy == pattern.remedy);
            assert!(matches!(judge(&error), AgentHealth::Lasts { errors: 1, .. }));
        }
        for other in ["ERROR Failed to fetch config from Swift: 503", "Traceback (most"] {
            let lasts = judge(&format!("{IN_SYNC}\n{other}\n{other}\n"));
            assert!(matches!(lasts, AgentHealth::Lasts { errors: 2, means, .. } if means == OTHER.means), "{lasts:?}");
            assert!(matches!(judge(&format!("{other}\n{IN_SYNC}\n")), AgentHealth::Passed { errors: 1, .. }));
        }
        for stop in [
            "Stopped user-sync-agent.service - VPN user sync agent.",
            "Nov 24 22:01:01 vpn systemd[1]: Stopped user-sync-agent.service - VPN user sync agent.",
            "2026-11-24T22:01:01+00:00 vpn systemd[1]: user-sync-agent.service: Failed with result 'exit-code'.",
        ] {
            let stopped = judge(&format!("{IN_SYNC}\n{stop}\n"));
            assert!(matches!(stopped, AgentHealth::Lasts { errors: 1, means, .. } if means == STOPPED.means), "{stop}");
            let again = judge(&format!("{IN_SYNC}\n{stop}\nsystemd[1]: Started user-sync-agent.service\n{IN_SYNC}\n"));
            assert!(matches!(again, AgentHealth::Passed { errors: 1, .. }) && is_end(stop), "{again:?}");
        }
        let by_timer =
            "systemd[1]: user-sync-agent.service: Deactivated successfully.\nsystemd[1]: Finished user-sync-agent";
        assert_eq!(judge(&format!("{IN_SYNC}\n{by_timer}\n")), AgentHealth::Well(1));
        let one = judge(&format!("{IN_SYNC}\nTraceback (most recent call last):\n  File\nFatal error: no\n"));
        assert!(matches!(one, AgentHealth::Lasts { errors: 1, means: "it has ended", .. }), "{one:?}");
        let flaps = judge(&format!("{IN_SYNC}\nERROR a\n{IN_SYNC}\nERROR b\n{IN_SYNC}\n"));
        assert!(matches!(flaps, AgentHealth::Passed { errors: 2, relapses: 2, .. }), "{flaps:?}");
        assert_eq!(judge(&format!("{IN_SYNC}\nsomething else\n{IN_SYNC}\n")), AgentHealth::Well(2));
        assert_eq!(judge("-- No entries --\n"), AgentHealth::Silent);
        assert!(matches!(judge("Fatal error: \x1b[2J"), AgentHealth::Lasts { last, .. } if !last.contains('\x1b')));
    }
}
