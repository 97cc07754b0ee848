//! What operators sign, and whose signature stands under a record: the texts, and the verdict on them.
//!
//! Whoever reads a journal verifies it: nothing of a verdict is stored, so that not even somebody who can write the store
//! signs for a colleague. The arithmetic of one signature is done once and its result kept by a hash.

use crate::domain::signature::{self, SignerKey};
use crate::domain::signers::{Signer, Signers};
use crate::domain::tenant::TenantId;
use crate::engine::record::RotationId;
use crate::engine::review::Reviewed;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many results are kept; past that all are made anew.
const KEPT: usize = 4096;

/// A text that an operator signs. Its JSON is what is signed: it can be read, and no value can pose as another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "i")]
pub enum Statement<'a> {
    /// "What is written in this case under this session is mine."
    Write {
        /// Whose case.
        tenant: &'a TenantId,
        /// Which case.
        rotation: &'a RotationId,
        /// The session's id.
        session: &'a str,
    },
    /// "I have read this plan and agree."
    Approve {
        /// Whose case.
        tenant: &'a TenantId,
        /// Which case.
        rotation: &'a RotationId,
        /// The scheme of the digest.
        scheme: u32,
        /// The plan's digest.
        digest: &'a str,
        /// Until when, UTC.
        expires: Timestamp,
    },
    /// "I rotate by this plan."
    Rotate {
        /// Whose case.
        tenant: &'a TenantId,
        /// Which case.
        rotation: &'a RotationId,
        /// The scheme of the digest.
        scheme: u32,
        /// The plan's digest.
        digest: &'a str,
    },
    /// "I declare this emergency", or "I go back without an approval".
    Declare {
        /// Whose case.
        tenant: &'a TenantId,
        /// Which case.
        rotation: &'a RotationId,
        /// What will be reviewed.
        of: Reviewed,
    },
    /// "I have reviewed this."
    Review {
        /// Whose case.
        tenant: &'a TenantId,
        /// Which case.
        rotation: &'a RotationId,
        /// What is reviewed.
        of: Reviewed,
        /// The digest of who declared it when, and of the cases that it covers.
        digest: String,
        /// What was found.
        note: &'a str,
    },
}

impl Statement<'_> {
    /// The text that is signed, ending in a newline.
    pub fn text(&self) -> String {
        #[derive(Serialize)]
        struct Whole<'a> {
            changeguard: u32,
            #[serde(flatten)]
            statement: &'a Statement<'a>,
        }
        let whole = Whole { changeguard: 1, statement: self };
        // Strings, numbers and moments: nothing in it that JSON could not hold.
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    }
}

/// What a command carries besides its words: what its author has signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hand {
    /// The session that what is written belongs to, and its signature.
    pub session: Option<SignedSession>,
    /// The signature of an approval, a rotation, a declaration or a review.
    pub signature: Option<String>,
    /// Until when the approval that was signed counts, UTC.
    pub expires: Option<Timestamp>,
    /// Why a declaration goes out without a signature, which is waited for in no emergency.
    pub unsigned: Option<String>,
}

/// A session that has signed for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedSession {
    /// Its id.
    pub id: String,
    /// The case.
    pub rotation: RotationId,
    /// The signature over [`Statement::Write`].
    pub signature: String,
}

/// Results that were worked out already: a signature over a text is by this key, or by nobody.
#[derive(Debug, Default)]
pub struct Memo(Mutex<HashMap<[u8; 32], Result<SignerKey, String>>>);

impl Memo {
    fn verify(&self, armored: &str, text: &str) -> Result<SignerKey, String> {
        let mut hasher = Sha256::new();
        for part in [armored, text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let hash: [u8; 32] = hasher.finalize().into();
        let known = |memo: &Self| memo.0.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(result) = known(self) {
            return result;
        }
        let result = signature::verify(armored, text);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(hash, result.clone());
        result
    }
}

/// Whether operators sign here.
#[derive(Clone, Debug, Default)]
pub enum Signing {
    /// They don't: their logins are taken, which is advisory.
    #[default]
    ByLogin,
    /// They do, and these may.
    Signers(Roster),
    /// They should, and the list can't be trusted: nobody's signature counts. Says why.
    Untrusted(String),
}

/// The list with what was verified already.
#[derive(Clone, Debug)]
pub struct Roster {
    /// Whose signatures count.
    pub signers: Arc<Signers>,
    /// What was verified already.
    pub memo: Arc<Memo>,
    /// The operator's own key, as far as it can be known without a signature.
    pub own: Option<SignerKey>,
}

impl Signing {
    /// Whether signatures are asked for.
    pub fn is_asked(&self) -> bool {
        !matches!(self, Signing::ByLogin)
    }

    /// Who has signed this, if their key counts now. Errors say why nobody has.
    pub fn who(&self, armored: &str, statement: &Statement<'_>, now: Timestamp) -> Result<Signer, String> {
        match self {
            Signing::ByLogin => Err("no list of signers is configured".into()),
            Signing::Untrusted(why) => Err(format!("the list of signers can't be trusted: {why}")),
            Signing::Signers(roster) => roster.signers.who(&roster.memo.verify(armored, &statement.text())?, now),
        }
    }

    /// Who this operator would be if they signed now.
    pub fn own(&self, now: Timestamp) -> Option<String> {
        let Signing::Signers(roster) = self else { return None };
        roster.signers.who(roster.own.as_ref()?, now).ok().map(|signer| signer.person)
    }

    /// By what four eyes are known here, in words for the screen and the report.
    pub fn words(&self, now: Timestamp) -> String {
        match self {
            Signing::ByLogin => "four eyes by login only: advisory".into(),
            Signing::Untrusted(why) => format!("the list of signers can't be trusted, so nobody can approve: {why}"),
            Signing::Signers(roster) => {
                format!("four eyes by ssh signatures of {} listed people", roster.signers.people(now))
            }
        }
    }

    /// Who has signed this by the present list, whether their key counts still or not: for telling what happened.
    pub fn name(&self, armored: &str, statement: &Statement<'_>) -> Option<Signer> {
        let Signing::Signers(roster) = self else { return None };
        let key = roster.memo.verify(armored, &statement.text()).ok()?;
        let person = roster.signers.name_of(&key)?.to_owned();
        Some(Signer { person, key })
    }
}
