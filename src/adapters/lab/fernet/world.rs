//! What all nodes of the cluster share: the accounts, the tokens that were ever issued, the token cache, and what a test has
//! switched on; and how a node makes and judges a token. What is said about it over HTTP is `node`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::super::chance::Chance;
use super::super::state::{Shared, lock};
use super::conf::{Conf, ConfError};
use super::log::Log;
use super::payload::{PASSWORD, Payload};
use super::repository::{self, Broken, Reader};
use super::token;

/// Tokens remembered at most; the oldest are forgotten, and named as forgotten by nobody: no test issues so many.
const REMEMBERED: usize = 50_000;

/// Somebody with a password.
#[derive(Clone)]
pub struct Account {
    /// The name, in the domain `default`.
    pub name: String,
    /// The id, 32 hexadecimal digits.
    pub id: String,
    /// The project, in the domain `default`.
    pub project: String,
    /// The project's id.
    pub project_id: String,
    /// The names of the roles in the project.
    pub roles: &'static [&'static str],
    /// The password.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Account").field("name", &self.name).field("project", &self.project).finish_non_exhaustive()
    }
}

/// A token that was given out.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) token: Zeroizing<String>,
    /// By which node.
    pub(super) node: usize,
    /// The digest of the key.
    pub(super) key: String,
    /// Seconds since 1970, by the node's clock.
    pub(super) issued: u64,
    /// Likewise.
    pub(super) expires: u64,
    /// When even a service may not ask for it any more.
    pub(super) gone: u64,
}

/// A token that was just made.
pub(super) struct Fresh {
    pub(super) token: Zeroizing<String>,
    /// Seconds since 1970, by the node's clock.
    pub(super) issued: u64,
    pub(super) payload: Payload,
}

/// A spike that a test has switched on: of the background's requests, one in so many gets this status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spike {
    pub(super) status: u16,
    pub(super) every: u64,
}

/// One node.
pub(super) struct Node {
    /// `node0` and so on.
    pub(super) name: String,
    /// Its whole folder tree.
    pub(super) root: PathBuf,
    /// Its HTTP port on 127.0.0.1.
    pub(super) port: u16,
    /// Seconds its clock is ahead.
    pub(super) skew: AtomicI64,
    pub(super) spike: Mutex<Option<Spike>>,
    /// Requests of the background so far.
    pub(super) beaten: Mutex<u64>,
    /// After so many steps the next rotation here kills itself.
    pub(super) stop_after: Mutex<Option<u64>>,
}

impl Node {
    pub(super) fn etc(&self) -> PathBuf {
        self.root.join("etc/keystone")
    }

    pub(super) fn conf_path(&self) -> PathBuf {
        self.etc().join("keystone.conf")
    }

    pub(super) fn access(&self) -> Log {
        Log::at(Some(&self.root.join("var/log/keystone/access.log")))
    }

    /// Its configuration as it is now.
    pub(super) fn conf(&self) -> Result<Conf, ConfError> {
        Conf::read(&[self.conf_path()])
    }

    /// Its clock, milliseconds since 1970.
    pub(super) fn millis(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() + self.skew.load(Ordering::SeqCst) * 1000
    }

    /// Its clock, seconds since 1970.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.millis() / 1000).unwrap_or(0)
    }
}

/// Why a token is not taken.
#[derive(Debug)]
pub(super) enum Rejected {
    /// It is not known, not whole, or too old: 401 for one's own, 404 for another's. With Keystone's words.
    NotFound(String),
    /// The node can't tell: 500.
    Broken(Broken),
}

impl<E: Into<Broken>> From<E> for Rejected {
    fn from(broken: E) -> Rejected {
        Rejected::Broken(broken.into())
    }
}

/// Everything behind the cluster.
pub(super) struct World {
    pub(super) shared: Arc<Shared>,
    pub(super) nodes: Vec<Node>,
    /// The folder of the whole cluster.
    pub(super) root: PathBuf,
    /// The binary that is called back.
    pub(super) program: PathBuf,
    pub(super) accounts: Vec<Account>,
    /// What the shell's clients must know.
    pub(super) password: Zeroizing<String>,
    pub(super) issued: Mutex<Vec<Issued>>,
    /// What the nodes' one memcached holds: time of issue and payload by the token's digest.
    pub(super) cache: Mutex<HashMap<[u8; 32], (u64, Payload)>>,
    pub(super) chance: Mutex<Chance>,
    /// Nodes without power.
    pub(super) off: watch::Sender<Vec<usize>>,
    /// After how many programs a session that is cut in its middle is killed.
    pub(super) cut_after: Mutex<u64>,
    /// Scripts in which a key, a token or a password stood.
    pub(super) forbidden: Mutex<Vec<String>>,
    /// Tokens of the background with their ends, by node.
    pub(super) background: Mutex<HashMap<usize, (Zeroizing<String>, u64)>>,
}

impl World {
    /// Makes a token at a node, with its primary key, as of its clock.
    pub(super) fn issue(&self, node: usize, account: &Account, scoped: bool) -> Result<Fresh, Rejected> {
        let at = &self.nodes[node];
        let conf = at.conf()?;
        let texts = repository::read(&conf.tokens.folder, Reader::here())?;
        let primary = texts.first().ok_or(Broken::NoKeys)?;
        // Every key is made into a cipher before one is used: one that is none spoils all.
        let keys = texts.iter().map(|(_, text)| token::Key::read(text)).collect::<Result<Vec<_>, _>>();
        let keys = keys?;
        let now = at.now();
        let (audit, iv): ([u8; 16], [u8; 16]) = {
            let mut chance = lock(&self.chance);
            (chance.bytes(), chance.bytes())
        };
        let payload = Payload {
            user: account.id.clone(),
            methods: PASSWORD,
            project: scoped.then(|| account.project_id.clone()),
            expires: now + conf.expiration,
            audit: vec![audit.to_vec()],
        };
        let token = keys[0].seal(&payload.pack(), now, iv);
        let issued = Issued {
            token: token.clone(),
            node,
            key: repository::digest(primary.1.as_bytes()),
            issued: now,
            expires: payload.expires,
            gone: payload.expires + conf.window,
        };
        let mut all = lock(&self.issued);
        if all.len() >= REMEMBERED {
            all.retain(|one| one.gone > now);
            let surplus = (all.len() + 1).saturating_sub(REMEMBERED);
            all.drain(..surplus);
        }
        all.push(issued);
        drop(all);
        if conf.shared_cache {
            lock(&self.cache).insert(Sha256::digest(token.as_bytes()).into(), (now, payload.clone()));
        }
        Ok(Fresh { token, issued: now, payload })
    }

    /// Judges a token at a node as one request of it does, and says when it was issued. `late`: also one whose end is past, by
    /// no more than the node's `allow_expired_window`.
    pub(super) fn validate(&self, node: usize, token: &str, late: bool) -> Result<(u64, Payload), Rejected> {
        let at = &self.nodes[node];
        let conf = at.conf()?;
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let cached = if conf.shared_cache { lock(&self.cache).get(&digest).cloned() } else { None };
        let (issued, payload) = match cached {
            Some(cached) => cached,
            None => Ring::of(&conf)?.read(token)?,
        };
        alive(&payload, at.now(), if late { conf.window } else { 0 })?;
        if conf.shared_cache {
            lock(&self.cache).insert(digest, (issued, payload.clone()));
        }
        Ok((issued, payload))
    }

    /// The account of this id.
    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The folder's part that belongs to the lab and not to a node.
    pub(super) fn at(&self, node: usize, part: impl AsRef<Path>) -> PathBuf {
        self.nodes[node].root.join(part)
    }
}

/// The keys of a node as they lay there at one moment.
pub(super) struct Ring {
    keys: Vec<token::Key>,
    window: u64,
}

impl Ring {
    /// Reads the folder.
    pub(super) fn of(conf: &Conf) -> Result<Ring, Broken> {
        Ok(Ring { keys: repository::keys(&conf.tokens.folder, Reader::here())?, window: conf.window })
    }

    /// When a token was issued, and what is in it.
    fn read(&self, text: &str) -> Result<(u64, Payload), Rejected> {
        let unknown = |words: &str| Rejected::NotFound(words.to_owned());
        let opened = token::open(&self.keys, text).ok_or_else(|| unknown("Could not recognize Fernet token"))?;
        let payload = Payload::unpack(&opened.payload);
        Ok((opened.issued, payload.ok_or_else(|| unknown("This is not a recognized Fernet payload version"))?))
    }

    /// Whether it takes a token at a time (seconds since 1970), past every cache.
    pub(super) fn judge(&self, token: &str, late: bool, now: u64) -> Result<(), Rejected> {
        alive(&self.read(token)?.1, now, if late { self.window } else { 0 })
    }
}

fn alive(payload: &Payload, now: u64, window: u64) -> Result<(), Rejected> {
    let alive = now < payload.expires.saturating_add(window);
    alive.then_some(()).ok_or_else(|| Rejected::NotFound("Failed to validate token".to_owned()))
}
