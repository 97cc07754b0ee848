//! The nodes of a cluster whose key repositories are on their own disks: reading what there is, the few changes that a rotation
//! makes, and tokens at one node. What is judged of it all is `domain::fernet`; when what is done is the runbook's.

mod archive;

pub use archive::KeyArchive;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::cadence::Job;
use crate::domain::fernet::install::Stage;
use crate::domain::fernet::matrix::Way;
use crate::domain::fernet::repository::{Folder, Keys, Reader, Repository};
use crate::domain::fernet::settings::Settings;
use crate::domain::fernet::watch::Counts;
use crate::domain::sanitize::sanitize;
use crate::engine::secret::SecretBytes;
use async_trait::async_trait;
use std::time::Duration;

/// Where to look. `{node}` in a path stands for the node's name.
#[derive(Clone, Debug)]
pub struct LookAt {
    /// Keystone's configuration files in the order in which it gets them; what is not there is passed over.
    pub files: Vec<String>,
    /// A folder whose `*.conf` are read after them, in the order of their names (oslo.config's `--config-dir`).
    pub directory: Option<String>,
    /// Where the tokens' keys are believed to lie, so that one connection is enough; the settings decide.
    pub believed: String,
}

impl LookAt {
    /// The same on one node.
    pub fn on(&self, node: &str) -> Self {
        let fill = |path: &String| path.replace("{node}", node);
        let (files, directory) = (self.files.iter().map(fill).collect(), self.directory.as_ref().map(fill));
        Self { files, directory, believed: fill(&self.believed) }
    }
}

impl Default for LookAt {
    /// Where Keystone looks by itself.
    fn default() -> Self {
        Self {
            files: vec!["/etc/keystone/keystone.conf".into()],
            directory: Some("/etc/keystone/keystone.conf.d".into()),
            believed: "/etc/keystone/fernet-keys".into(),
        }
    }
}

/// What was seen of one node.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its own name for itself. Sanitized.
    pub hostname: String,
    /// Its clock, milliseconds since 1970 UTC.
    pub clock_ms: i64,
    /// Where `keystone-manage` lies; none where there is none.
    pub keystone_manage: Option<String>,
    /// The settings files that were read, in their order.
    pub files: Vec<String>,
    /// What they say.
    pub settings: Settings,
    /// The tokens' repository.
    pub tokens: Repository,
    /// The receipts' repository where it is another.
    pub receipts: Option<Repository>,
    /// Free room of the file system of the tokens' repository, KiB; none where that could not be read.
    pub free_kib: Option<u64>,
    /// Rotation jobs.
    pub jobs: Vec<Job>,
    /// What cases have left beside the repositories.
    pub beside: Vec<Beside>,
}

/// A folder of keys that a case has made beside a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Its path.
    pub path: String,
    /// It holds prepared keys, and not saved ones.
    pub is_next: bool,
    /// Of which case; none where that is not told.
    pub case: Option<String>,
}

/// Room that a prepared repository, a backup and their copies take at most, KiB; below it the file system counts as full.
pub const LEAST_FREE_KIB: u64 = 1024;

/// What lies in a backup.
#[derive(Clone, Debug)]
pub struct Backup {
    /// As it was listed.
    pub repository: Repository,
}

impl Backup {
    /// Whether there is one at all.
    pub fn exists(&self) -> bool {
        matches!(self.repository.folder, Folder::Seen(_))
    }

    /// Whether nobody but owner may look at it: 0700, files 0600.
    pub fn is_private(&self) -> bool {
        let is_shut = |mode: u32| mode & 0o077 == 0;
        let keys = self.repository.keys.values().all(|key| is_shut(key.access.mode));
        matches!(&self.repository.folder, Folder::Seen(access) if is_shut(access.mode)) && keys
    }
}

/// What to rotate.
#[derive(Clone, Debug)]
pub struct Prepare {
    /// The tokens' repository.
    pub tokens: Place,
    /// The receipts', where it is another: then `fernet_rotate` rotates both.
    pub receipts: Option<Place>,
    /// Keystone's configuration files, in their order ([`Look::files`]).
    pub files: Vec<String>,
    /// How `keystone-manage` is called there.
    pub keystone_manage: String,
    /// As whom Keystone runs: the new keys are theirs.
    pub reader: Reader,
    /// For which case, as [`Place::backup`] names it.
    pub tag: String,
}

/// What was prepared.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The live repositories as they are, tokens first.
    pub live: Vec<Repository>,
    /// The prepared ones beside them, in the same order.
    pub next: Vec<Repository>,
    /// It had been prepared before this call, which rotated nothing then.
    pub was_there: bool,
    /// With what keystone-manage ended; none where it was not called. It proves nothing.
    pub status: Option<i32>,
    /// What keystone-manage said last. Sanitized.
    pub said: String,
}

/// What lies beside the live repository after it was placed.
#[derive(Clone, Debug)]
pub struct Placed {
    /// As it was listed.
    pub next: Repository,
    /// It had been placed before this call.
    pub was_there: bool,
}

/// What came of the stages.
#[derive(Clone, Debug)]
pub struct Done {
    /// The live repository afterwards.
    pub live: Repository,
    /// It held something else than the stages were planned on, so that none of them was done.
    pub is_other: bool,
    /// How many of the stages had been done before this call.
    pub were_done: usize,
}

/// A repository's path and what lies beside it, checked: absolute, without anything that a shell could read otherwise than as a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    live: String,
}

impl Place {
    /// Checks the path of a live repository. Errors: it is not absolute, is the root, has `..`, a control character, a quote or the
    /// like in it.
    pub fn new(path: &str) -> Result<Self, Fault> {
        let live = path.trim_end_matches('/');
        let is_known = |c: char| c.is_ascii_alphanumeric() || "/._-+@,:=".contains(c);
        let is_path = live.starts_with('/') && live.chars().all(is_known) && live.len() <= 1024;
        if !is_path || live.split('/').skip(1).any(|part| part.is_empty() || part == ".." || part == ".") {
            let text = format!("use the repository {:?}: it is not a plain absolute path", sanitize(path));
            return Err(Fault::new(Service::Configuration, FaultKind::Invalid, text));
        }
        Ok(Self { live: live.to_owned() })
    }

    /// The live repository.
    pub fn live(&self) -> &str {
        &self.live
    }

    /// The prepared one beside it.
    pub fn next(&self) -> String {
        format!("{}.next", self.live)
    }

    /// What a case has saved of it, beside it. `tag` is the case's: lower-case letters, digits, hyphens.
    pub fn backup(&self, tag: &str) -> String {
        format!("{}.changeguard-{tag}", self.live)
    }
}

impl Prepare {
    /// The repositories, tokens first.
    pub fn places(&self) -> Vec<&Place> {
        std::iter::once(&self.tokens).chain(&self.receipts).collect()
    }
}

/// A token that a node has issued. Wiped when dropped; can't be printed.
pub struct Token {
    value: SecretBytes,
    /// How long the issuing took.
    pub took: Duration,
    /// How long it is valid from then, where the node says so.
    pub life: Option<Duration>,
}

impl Token {
    /// Takes the token's text.
    pub fn new(value: SecretBytes, took: Duration, life: Option<Duration>) -> Self {
        Self { value, took, life }
    }

    /// The token's text. Every use of this is a place to review.
    pub(crate) fn expose(&self) -> &[u8] {
        self.value.expose()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token(hidden, issued in {} ms)", self.took.as_millis())
    }
}

/// What a node said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validated {
    /// In which way it was shown.
    pub way: Way,
    /// The answer's status: 200; 401 (own) or 404 (subject) where the node lacks the key; 500 where its repository is broken.
    pub status: u16,
    /// How long the answer took.
    pub took: Duration,
}

/// The files of one node. Everything that changes something may be done twice, and be cut off anywhere.
#[async_trait]
pub trait NodeFiles: Send + Sync {
    /// Everything that is checked before a rotation. Changes nothing.
    async fn look(&self, at: &LookAt) -> Result<Look, Fault>;
    /// Lists folders of keys. Changes nothing.
    async fn list(&self, folders: &[String]) -> Result<Vec<Repository>, Fault>;
    /// The live repository, the prepared one, and what a case has saved of it. Changes nothing.
    async fn list_all(&self, place: &Place, tag: &str) -> Result<[Repository; 3], Fault>;
    /// Saves the repository beside itself, puts what was saved where a restoration would, reads it there, and takes that away again.
    /// Errors: it, or what was saved, holds other keys than these.
    async fn save(&self, place: &Place, tag: &str, keys: &Keys) -> Result<Backup, Fault>;
    /// Rotates once in a copy beside the live repository, which stays as it is.
    async fn prepare(&self, prepare: &Prepare) -> Result<Prepared, Fault>;
    /// Fetches the keys of a folder, each checked against what is expected of it. Changes nothing.
    async fn fetch(&self, folder: &str, expected: &Keys) -> Result<KeyArchive, Fault>;
    /// Places keys of a case beside the live repository.
    async fn place(&self, place: &Place, tag: &str, archive: &KeyArchive) -> Result<Placed, Fault>;
    /// Carries out the stages on the live repository, with a pause between what no reader may see at once; none of them where it does
    /// not hold what they were planned on. `lent`: keys that lie nowhere there. Errors: not found, where a key is neither there nor lent.
    async fn install(
        &self,
        place: &Place,
        tag: &str,
        known: &Keys,
        stages: &[Stage],
        lent: Option<&KeyArchive>,
        pause: Duration,
    ) -> Result<Done, Fault>;
    /// Takes away what was prepared or placed beside the live repository.
    async fn clear(&self, place: &Place) -> Result<(), Fault>;
    /// Takes away what a case has saved.
    async fn drop_backup(&self, place: &Place, tag: &str) -> Result<(), Fault>;
    /// Takes away both.
    async fn tidy(&self, place: &Place, tag: &str) -> Result<(), Fault>;
}

/// What was kept encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where.
    pub path: String,
    /// It was opened again, and holds what went in.
    pub is_opened: bool,
}

/// Keeps keys encrypted, by a command of the operator's.
#[async_trait]
pub trait KeyVault: Send + Sync {
    /// Whether something is kept under a name.
    fn has(&self, name: &str) -> bool;
    /// Encrypts keys and keeps them under a name. Errors: nothing was kept.
    async fn keep(&self, name: &str, archive: &KeyArchive) -> Result<Kept, Fault>;
}

/// Tokens at one node, directly and not through a load balancer.
#[async_trait]
pub trait NodeTokens: Send + Sync {
    /// Whether Keystone answers there at all, asked without an account. Errors: it does not, or with a fault of its own; the message
    /// names no node.
    async fn answers(&self) -> Result<(), Fault>;
    /// A fresh token of this node.
    async fn issue(&self) -> Result<Token, Fault>;
    /// Shows a token as the caller's own.
    async fn validate_own(&self, token: &Token) -> Result<Validated, Fault>;
    /// Shows a token as one that is asked about, by a caller with a token of this node.
    async fn validate_subject(&self, token: &Token, asked_with: &Token) -> Result<Validated, Fault>;
}

/// How a node answers its own users.
#[async_trait]
pub trait NodeTraffic: Send + Sync {
    /// What it has answered so far.
    async fn counts(&self) -> Result<Counts, Fault>;
}
