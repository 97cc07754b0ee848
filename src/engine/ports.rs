//! What the engine needs of the world, one trait per neighbour. Adapters implement them, the engine never sees an adapter.
//!
//! Every method has a time limit of its own inside the adapter: none of them may wait for ever. All texts that come
//! back are sanitized.

mod console;
pub mod kops;
mod mail;
pub mod nodes;

pub use console::{Console, Role};
pub use mail::{Answers, Cursor, FolderReading, Handed, Inbox, Lack, Letter, Mailer, NoticeRequest, Sheet};

use crate::domain::client::Entry;
use crate::domain::fault::Fault;
use crate::domain::freshness::ServerReading;
use crate::domain::key::PublicKey;
use crate::domain::language::Language;
use crate::domain::lockout::OwnAddresses;
use crate::domain::reminder::Schedule;
use crate::domain::second_mail::SecondMail;
use crate::domain::secret_shape::SecretShape;
use crate::domain::tenant::Tenant;
use crate::engine::alerts::Alerts;
use crate::engine::journal::JournalStore;
use crate::engine::reply_key::ReplyKey;
use crate::engine::secret::SecretBytes;
use crate::engine::signing::Signing;
use crate::engine::transport::Transport;
use crate::engine::truth::Live;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A secret's href as its listing gave it. Only listed hrefs are ever acted on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct SecretRef(pub String);

/// What step 2 sees of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The number of secrets in the project.
    pub secrets: u64,
    /// The service closes the connection behind each answer, so that no request finds one open.
    pub closes: bool,
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntry {
    /// The href.
    pub href: SecretRef,
    /// The name, byte for byte.
    pub name: String,
    /// When it was stored, UTC (whole seconds at best).
    pub created: Timestamp,
    /// When anything of it was changed last, UTC; none where the listing does not say.
    pub updated: Option<Timestamp>,
    /// Whether it has a payload at all (the runbook's shell can store one without).
    pub has_payload: bool,
    /// When Barbican serves it no more, UTC, where that was set.
    pub expiration: Option<Timestamp>,
}

/// A secret to be stored.
#[derive(Debug)]
pub struct NewSecret {
    /// Its name.
    pub name: String,
    /// Its payload.
    pub payload: SecretBytes,
    /// Its attributes; ACL, metadata and consumers are set by [`SecretStore::attach`], not by storing.
    pub shape: SecretShape,
}

/// Which half of the swap goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwapOrder {
    /// The document's order: a moment without a secret.
    #[default]
    DeleteFirst,
    /// No moment without a secret, a moment with two.
    StoreFirst,
}

/// How the two halves of a swap ended.
#[derive(Debug)]
pub struct Swap {
    /// DELETE's answer: `Ok` also when it was already gone.
    pub deleted: Result<(), Fault>,
    /// POST's answer; `None` if it was not sent because of DELETE's.
    pub stored: Option<Result<SecretRef, Fault>>,
    /// From the sending of DELETE to the answer of POST (delete-first), or 0 (store-first); `None` if a half is missing.
    pub gap: Option<Duration>,
    /// Store-first: from the sending of POST to the answer of DELETE; two secrets had the name in it.
    pub overlap: Option<Duration>,
    /// Attributes of the shape (ACL, metadata, consumers) that could not be set on what was stored, one line each.
    pub not_carried: Vec<String>,
}

impl Swap {
    /// A swap whose first half failed, so that the second was not sent.
    pub fn not_deleted(fault: Fault) -> Self {
        Self { deleted: Err(fault), stored: None, gap: None, overlap: None, not_carried: Vec::new() }
    }
}

/// Barbican, for one project.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// Every secret that the service's own filter finds by this name, from all pages: what the server's look-up gets, which
    /// takes the first. Barbican's is SQL LIKE: case does not count, and `_` stands for any character.
    async fn listing(&self, name: &str) -> Result<Vec<SecretEntry>, Fault>;
    /// Of those, the ones whose name is exactly this, byte for byte.
    async fn find(&self, name: &str) -> Result<Vec<SecretEntry>, Fault> {
        Ok(self.listing(name).await?.into_iter().filter(|entry| entry.name == name).collect())
    }
    /// A listing succeeds: the runbook's step 2.
    async fn probe(&self) -> Result<Listed, Fault>;
    /// The payload's bytes as stored.
    async fn payload(&self, href: &SecretRef) -> Result<SecretBytes, Fault>;
    /// Everything but the payload.
    async fn shape(&self, href: &SecretRef) -> Result<SecretShape, Fault>;
    /// Stores one. A fault whose outcome is unknown must be followed by [`SecretStore::find`].
    async fn store(&self, secret: &NewSecret) -> Result<SecretRef, Fault>;
    /// Deletes one; one that is already gone is `Ok`.
    async fn delete(&self, href: &SecretRef) -> Result<(), Fault>;
    /// Deletes `old` and stores `new` back to back on a warm connection with a token that lives long enough; everything
    /// else is prepared before, then `touch` is asked. Once begun it is finished, attributes included, whatever happens to
    /// the caller.
    async fn swap(&self, old: &SecretRef, new: NewSecret, order: SwapOrder, touch: &dyn Touch) -> Swap;
    /// How far its clock was ahead of ours at its last answer, s; none where it did not say.
    fn skew(&self) -> Option<i64>;
    /// Sets ACL, metadata and consumers of a stored secret as in `shape`. Gives one line for each that could not be set.
    async fn attach(&self, href: &SecretRef, shape: &SecretShape) -> Vec<String>;
}

/// Asked once, right before the first request that changes what the subject lives on. Whoever judges the gate answers: an
/// error means that nothing was changed and nothing may be.
#[async_trait]
pub trait Touch: Send + Sync {
    /// Judges and journals. Errs (never with an unknown outcome) when nothing may be changed now.
    async fn touch(&self) -> Result<(), Fault>;
    /// What was about to be sent has changed nothing (it was refused, not sent, or the secret was seen as it was): the gate
    /// is in force as before, and the next attempt is judged anew. Errs when that can't be journaled.
    async fn not_touched(&self) -> Result<(), Fault>;
    /// The key that was live when an earlier run announced a change of which it is not known whether it was made.
    fn announced(&self) -> Option<PublicKey>;
    /// What was known of the live secret before this attempt.
    fn known(&self) -> Live {
        Live::There
    }
    /// The attempt ends badly, and this is what is known now; `gap`: it has opened and closed one. Errs when that can't be journaled.
    async fn left(&self, _live: Live, _gap: Option<Duration>) -> Result<(), Fault> {
        Ok(())
    }
    /// What is being waited for, for whoever sits before it.
    fn tell(&self, _text: String) {}
    /// A secret of the name is about to be deleted, and holds this key, or none. Whoever does not know what it holds as one of
    /// their own keeps it first. Errs, and it must not be deleted, when that can't be done.
    async fn give_way(&self, _href: &SecretRef, _key: Option<PublicKey>) -> Result<(), Fault> {
        Ok(())
    }
}

/// Nothing to judge: for measurements without a journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ungated;

#[async_trait]
impl Touch for Ungated {
    async fn touch(&self) -> Result<(), Fault> {
        Ok(())
    }

    async fn not_touched(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn announced(&self) -> Option<PublicKey> {
        None
    }
}

/// An object with what identifies this version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// MD5 of the bytes, as Swift gave it.
    pub etag: String,
    /// When it was written, as Swift says it: the same bytes can be written again.
    pub written: String,
    /// Its content type, kept on upload.
    pub content_type: String,
    /// `X-Object-Meta-*` headers, kept on upload (Swift drops those that are not sent again).
    pub metadata: Vec<(String, String)>,
}

/// Swift, for one container and object.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// The newest version. A missing container and a missing object are two different faults (see `message`).
    async fn get(&self) -> Result<StoredObject, Fault>;
    /// The newest version's ETag.
    async fn etag(&self) -> Result<String, Fault>;
    /// The version that the newest one has replaced, where the container keeps versions and that is not the one of this ETag:
    /// somebody's write that came between a look and an upload. Its ETag is its own.
    async fn replaced(&self, read: &str) -> Result<Option<StoredObject>, Fault>;
    /// How far its clock was ahead of ours at its last answer, s; none where it did not say.
    fn skew(&self) -> Option<i64>;
    /// Uploads; Swift is made to check the MD5 on arrival.
    async fn put(&self, object: &StoredObject) -> Result<(), Fault>;
    /// Keeps this content beside the object, under its name with this suffix, where its container's readers are the copy's, in
    /// the stead of what is kept there. Gives the copy's name.
    async fn keep(&self, object: &StoredObject, suffix: &str) -> Result<String, Fault>;
    /// What was kept so, if there is anything.
    async fn kept(&self, suffix: &str) -> Result<Option<StoredObject>, Fault>;
    /// Uploads where there is no object; whoever has written one meanwhile has done so for good (`false`).
    async fn put_first(&self, object: &StoredObject) -> Result<bool, Fault>;
    /// Removes what was kept so, if there is anything.
    async fn discard(&self, suffix: &str) -> Result<bool, Fault>;
}

/// How the agent on the server finds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentMode {
    /// By the secret's name: the runbook works.
    ByName,
    /// Pinned to a secret's id: the runbook would change nothing.
    Pinned,
    /// Reads a key of its own: the runbook would change nothing.
    OwnKey,
    /// Could not be known.
    Unknown {
        /// Why.
        why: String,
        /// What would let it be known.
        advice: String,
    },
}

/// The VPN server of one tenant, read-only.
#[async_trait]
pub trait VpnServer: Send + Sync {
    /// Interface key, peers and clock in one command.
    async fn read(&self) -> Result<ServerReading, Fault>;
    /// How the agent finds its key.
    async fn agent_mode(&self) -> AgentMode;
    /// The last minutes of the agent's log; `None`: no command for it is configured.
    async fn agent_log(&self) -> Option<Result<String, Fault>>;
    /// Where the operator's session comes from and from where this host would reach the server, as far as that is known.
    async fn own_addresses(&self) -> OwnAddresses;
    /// Whether a tunnel address answers a ping sent from the server. The best single proof that a client is back.
    async fn ping(&self, address: &str) -> Result<bool, Fault>;
}

/// The right to change something outside: it goes with the tenant's lease. Adapters ask for it right before they send a
/// request that changes something, so that a process that was stopped and overtaken changes nothing when it wakes.
#[async_trait]
pub trait Fence: Send + Sync {
    /// Errs (a fault of the journal) unless the store says at this moment that the lease is ours.
    async fn hold(&self) -> Result<(), Fault>;
    /// For the second half of a pair, where stopping is worse than going on: errs only if the lease is known to be lost, or
    /// has run out and the store can't be asked.
    async fn finish(&self) -> Result<(), Fault>;
}

/// No fence: for those who change nothing, and for measurements without a journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unfenced;

#[async_trait]
impl Fence for Unfenced {
    async fn hold(&self) -> Result<(), Fault> {
        Ok(())
    }

    async fn finish(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// The credentials: whether a token can be had, and what it shows.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// A token is issued; gives project and expiry for the operator, and the skew of Keystone's clock against ours, s.
    async fn probe(&self) -> Result<TokenReport, Fault>;
}

/// What a token shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenReport {
    /// The project's name.
    pub project: String,
    /// When the token ends, UTC.
    pub expires: Timestamp,
    /// Their clock minus ours, s.
    pub skew_s: i64,
}

/// The operators' signatures, where they sign.
#[async_trait]
pub trait Signatures: Send + Sync {
    /// Whose signatures count, as the list says now.
    fn signing(&self) -> Signing;
    /// The operator signs this text; armored (SSHSIG). May wait for a person, for a bounded time.
    async fn sign(&self, text: &str) -> Result<String, Fault>;
}

/// The clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, UTC.
    fn now(&self) -> Timestamp;
    /// Waits. Virtual in tests.
    async fn sleep(&self, duration: Duration);
}

/// Randomness.
pub trait Entropy: Send + Sync {
    /// Fills the buffer from the operating system's generator.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault>;
}

/// Everything that one tenant's rotation can reach.
#[derive(Clone)]
pub struct World {
    /// Whose world it is.
    pub tenant: Tenant,
    /// The rules that the configuration sets.
    pub settings: Settings,
    /// Keystone.
    pub credentials: Arc<dyn Credentials>,
    /// Barbican.
    pub secrets: Arc<dyn SecretStore>,
    /// Swift.
    pub object: Arc<dyn ObjectStore>,
    /// The VPN server.
    pub server: Arc<dyn VpnServer>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// What makes the reply tokens.
    pub reply_key: Arc<ReplyKey>,
    /// The mailbox that the answers come to; `None`: none is configured, answers are typed only.
    pub answers: Option<Arc<dyn Answers>>,
    /// The console API.
    pub console: Option<Arc<dyn Console>>,
    /// The expected alert, where Alertmanager is configured.
    pub alerts: Option<Arc<dyn Alerts>>,
    /// Entries of the contacts file for this tenant.
    pub contacts: Arc<[Entry]>,
    /// The operators' signatures; `None`: their logins are taken.
    pub signatures: Option<Arc<dyn Signatures>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The journal.
    pub store: Arc<dyn JournalStore>,
}

/// What the configuration says to the engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The secret's name for this tenant.
    pub secret_name: String,
    /// Field names of `users[]`.
    pub fields: crate::domain::document::Fields,
    /// How often the server looks for a new key.
    pub reconcile_interval: Duration,
    /// The order of the swap.
    pub swap: SwapOrder,
    /// After how many months a key is due.
    pub cadence_months: u32,
    /// How long a green preflight counts.
    pub preflight_valid: Duration,
    /// How long a second operator's approval counts; `None`: none is asked for.
    pub approval_valid: Option<Duration>,
    /// Whether operators sign, and whose signatures count now.
    pub signing: Signing,
    /// How long the pair of DELETE and POST lasts at most once DELETE is sent.
    pub pair_bound: Duration,
    /// When those who do not answer are reminded; `None`: only when an operator asks for it.
    pub reminders: Option<Schedule>,
    /// The language of this tenant's mails.
    pub language: Language,
    /// Whether the receiving mail server vouches for senders; `None`: no mailbox is read.
    pub senders_verified: Option<bool>,
    /// What may pass unprotected, and what has.
    pub transport: Transport,
    /// What must show the live key before the second mail.
    pub second_mail: SecondMail,
}
