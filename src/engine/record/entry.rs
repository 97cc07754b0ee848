//! One line of the journal: which rotation it belongs to, who wrote it, when, and what happened.

use super::{Actor, RECORD_VERSION, Record};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

impl Actor {
    /// An entry of theirs.
    pub fn entry(&self, seq: u64, at: Timestamp, record: Record) -> Entry {
        Entry {
            seq,
            version: RECORD_VERSION,
            at,
            by: self.by.clone(),
            host: self.host.clone(),
            person: Some(self.person.clone()),
            ssh: self.ssh.clone(),
            session: None,
            unproven: self.unproven.is_some(),
            environment: self.environment.clone(),
            record,
        }
    }
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first record of the rotation, then without a gap.
    pub seq: u64,
    /// The version in which it was written.
    pub version: u32,
    /// When, UTC.
    pub at: Timestamp,
    /// Who: the Unix user, sanitized.
    pub by: String,
    /// On which host.
    pub host: String,
    /// The person as the kernel knows them (the login user, whatever `su` and `sudo` came after); none before version 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Their ssh connection: the client's address, and the fingerprint of the key where sshd exposes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// The signed session in which it was written, where operators sign (see [`Record::SessionSigned`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The login could have been made up (a user namespace, no login uid); never so before version 4.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
    /// The environment's name that the operator's screen or command had; never there before version 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What.
    pub record: Record,
}

impl Entry {
    /// Who wrote it, by what they can't set themselves where that is known.
    pub fn person(&self) -> &str {
        self.person.as_deref().unwrap_or(&self.by)
    }
}
