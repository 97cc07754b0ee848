//! What records are made of besides the words of the domain: who acts, why a rotation was begun, how it ended.

use crate::domain::freshness::Baseline;
use crate::domain::key::PublicKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version in which this program writes records.
pub const RECORD_VERSION: u32 = 6;

/// The version of the records of other runbooks' cases. A changeguard of before says that they are a newer one's, and goes on with
/// what it knows.
pub const CASE_VERSION: u32 = 7;
/// The last version in which the start of step 4 stands for its first change; later ones have `Record::Touching`.
pub const STARTING_TOUCHED: u32 = 3;

/// How the note begins that tells what is put right behind an end.
pub const PUTTING_RIGHT: &str = "putting right what others have changed since the end";

/// How the note begins that tells what a look has seen others change behind an end.
pub const SEEN_SINCE: &str = "seen since the end: ";

/// How a note begins that tells of a copy of the object's content that an end has left.
pub const COPY_STAYS: &str = "a copy of the object's content stays: ";

/// How the digest of a plan is made in records that do not say so.
pub(super) fn first_scheme() -> u32 {
    1
}

/// The id of a rotation: `20261124-221003-4f9c2a`, made of its first moment and six random hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RotationId(pub String);

impl RotationId {
    /// Makes the id of a moment and three random bytes.
    pub fn new(at: Timestamp, random: [u8; 3]) -> Self {
        let [a, b, c] = random;
        Self(format!("{}-{a:02x}{b:02x}{c:02x}", at.strftime("%Y%m%d-%H%M%S")))
    }
}

impl std::fmt::Display for RotationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// The key that must be live since a rotation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLeft {
    /// Its public half.
    pub key: PublicKey,
    /// When that rotation ended, UTC.
    pub since: Timestamp,
}

/// Who acts: goes into every record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The Unix user as shown, sanitized: `ada`, `ada via sudo as root`.
    pub by: String,
    /// On which host.
    pub host: String,
    /// The person, by what they can't set themselves: the login user that the kernel keeps. Four eyes compare this.
    pub person: String,
    /// Their ssh connection, if there is one.
    pub ssh: Option<String>,
    /// Why this login proves nobody (it could have been made up), where that is so.
    pub unproven: Option<String>,
    /// The environment's name, as the screen's frame shows it; none where none was given.
    pub environment: Option<String>,
}

/// An act that an operator asked for and that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAct {
    /// Its word: `rollback`.
    pub act: String,
    /// Why it was refused.
    pub why: String,
    /// The reason that the operator gave with it; empty where none is asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What replaced the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swapped {
    /// The key that is now stored under the secret's name.
    pub public_key: PublicKey,
    /// From the sending of DELETE to the answer of POST, µs; `None` where no such pair was needed.
    pub gap_us: Option<u64>,
    /// Attributes that could not be carried over, one line each.
    pub not_carried: Vec<String>,
    /// A run before this one had announced the DELETE that may have left no secret, at this moment, UTC: the gap is counted
    /// from then by the journal's times, and where the POST was that run's too, it is not known when the gap ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Timestamp>,
    /// No DELETE of ours had left the name empty, and it was found so at this moment, UTC: since when, nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_empty: Option<Timestamp>,
    /// With the new secret stored first: from the sending of POST to the answer of DELETE, µs, while two had the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_us: Option<u64>,
}

/// The live key as it was first seen on the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The baseline for every peer.
    pub baseline: Baseline,
    /// From the start of step 6, ms.
    pub waited_ms: u64,
    /// Nobody had looked since this moment, UTC, so it may have been there for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_since: Option<Timestamp>,
}

/// Why a rotation was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The cadence of 12 months.
    Scheduled,
    /// Suspected compromise: the previous key is never put back.
    Compromise,
}

/// How a rotation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The staged key is live and everybody is back or waived.
    Rotated,
    /// The server was put back.
    RolledBack,
    /// Nothing outside was changed.
    Cancelled,
    /// It ended in a part of the journal that is lost.
    Lost,
}

impl Outcome {
    /// The words on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Rotated => "rotated",
            Outcome::RolledBack => "rolled back",
            Outcome::Cancelled => "cancelled",
            Outcome::Lost => "ended in a lost part of the journal",
        }
    }
}

/// What a record of a case of another runbook says, as it was written. See [`crate::engine::case::record::Body`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseBody {
    body: serde_json::Value,
}

impl CaseBody {
    /// To be written.
    pub fn of<T: Serialize>(record: &T) -> Result<Self, serde_json::Error> {
        Ok(Self { body: serde_json::to_value(record)? })
    }

    /// Read by whoever knows the runbook.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(self.body.clone())
    }

    /// Its tag, where it has one.
    pub fn word(&self) -> &str {
        self.body.get("record").and_then(serde_json::Value::as_str).unwrap_or("?")
    }
}

/// How we know that a client is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackSource {
    /// A handshake that only the live key can have given.
    Handshake,
    /// The tunnel address answered a ping from the server.
    Ping,
    /// The client said so and the operator recorded it.
    Client,
    /// The client said so by mail.
    Mail,
}

impl BackSource {
    /// The word on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            BackSource::Handshake => "handshake",
            BackSource::Ping => "ping",
            BackSource::Client => "client said so",
            BackSource::Mail => "answered by mail",
        }
    }
}

/// The object's field was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectChanged {
    /// The key that stood there.
    pub from: Option<PublicKey>,
    /// The key that stands there now.
    pub to: PublicKey,
    /// The new version's ETag.
    pub etag: String,
    /// Why its content of before is kept nowhere, where it was to be kept and could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_kept: Option<String>,
}
