//! The checks of step 2: what each found, and whether all of it permits a rotation.

use crate::domain::key::PublicKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What one check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// As it must be.
    Pass,
    /// Does not stop the rotation, but the operator should read it.
    Warn,
    /// Stops the rotation.
    Fail,
    /// Could not be found out; does not stop, and says so.
    Unknown,
}

impl CheckState {
    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            CheckState::Pass => "pass",
            CheckState::Warn => "warn",
            CheckState::Fail => "FAIL",
            CheckState::Unknown => "unknown",
        }
    }
}

/// The check that says whether the console API answers, to whom, and with which key.
pub const CONSOLE: &str = "console";

/// The check that says whether all that clients have written is read.
pub const MAILBOX: &str = "mailbox";

/// The check that says whether the secrets of the tenant's name hold different keys, where there are several.
pub const DUPLICATES: &str = "duplicates";

/// The check that says whether secret, object and interface (and console) show one key.
pub const KEYS: &str = "keys";

/// The check that says whether the agent tolerates two secrets of a name, where the swap makes two.
pub const SWAP: &str = "swap";

/// The check that says whether the agent on the server is well, by its own log.
pub const AGENT_LOG: &str = "agent-log";

/// The check that says whether the operator's own connection runs through the tunnel that is to be rotated.
pub const OWN_ROUTE: &str = "own-route";

/// One check with its finding and, where it failed, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, for `--json` and for re-checking one by one: `keystone`, `barbican`, `object`, ...
    pub name: String,
    /// What it says.
    pub state: CheckState,
    /// What was found, one line.
    pub finding: String,
    /// What to do about it; empty when nothing.
    pub advice: String,
    /// When what it found ends, UTC: a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The server shows that it matters, so that no word of an operator's stands for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_proved: bool,
}

impl Check {
    /// Ends so: with what it found, and what to do.
    pub fn in_full(&self) -> String {
        let advice = if self.advice.is_empty() { String::new() } else { format!("; {}", self.advice) };
        format!("{}: {}{advice}", self.name, self.finding)
    }
}

/// How long it is until then, in words.
pub fn countdown(until: Timestamp, now: Timestamp) -> String {
    match until.as_second() - now.as_second() {
        ..=0 => "it has ENDED".to_owned(),
        left @ 1..=119 => format!("{left} s left"),
        left @ 120..=7199 => format!("{} min left", left / 60),
        left @ 7200..=172_799 => format!("{} h left", left / 3600),
        left => format!("{} d left", left / 86_400),
    }
}

/// The three (or four) places whose keys must agree before anything is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAgreement {
    /// Derived from the Barbican secret.
    pub secret: Option<PublicKey>,
    /// `vpn_server_public_key` in the Swift object.
    pub object: Option<PublicKey>,
    /// What `wg show` says of the interface.
    pub interface: Option<PublicKey>,
    /// In the script that the console API serves, where one is configured.
    pub console: Option<PublicKey>,
}

impl KeyAgreement {
    /// All known keys are the same, and secret, object and interface are known.
    pub fn agrees(&self) -> bool {
        self.secret.is_some()
            && self.secret == self.object
            && self.object == self.interface
            && (self.console.is_none() || self.console == self.secret)
    }
}

/// A whole run of step 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// When it ended, UTC.
    pub at: Timestamp,
    /// Every check in the order of the runbook.
    pub checks: Vec<Check>,
    /// The keys found.
    pub keys: KeyAgreement,
}

impl Preflight {
    /// No check failed.
    pub fn is_green(&self) -> bool {
        self.checks.iter().all(|check| check.state != CheckState::Fail)
    }

    /// How the operator's own connection runs through the tunnel, if it does.
    pub fn own_route(&self) -> Option<&str> {
        let warned = self.checks.iter().find(|check| check.name == OWN_ROUTE && check.state == CheckState::Warn);
        warned.map(|check| check.finding.as_str())
    }

    /// Names of the failed checks.
    pub fn failed(&self) -> Vec<String> {
        self.checks.iter().filter(|c| c.state == CheckState::Fail).map(|c| c.name.clone()).collect()
    }
}
