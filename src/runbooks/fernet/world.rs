//! The nodes of a cluster, and what the configuration says of how they are rotated.

use crate::domain::fault::Fault;
use crate::domain::fernet::matrix::{Cell, Outcome};
use crate::domain::fernet::repository::Reader;
use crate::domain::fernet::watch::Thresholds;
use crate::engine::case::record::CaseId;
use crate::engine::ports::Clock;
use crate::engine::ports::nodes::{KeyVault, LookAt, NodeFiles, NodeTokens, NodeTraffic, Token};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One node.
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its files.
    pub files: Arc<dyn NodeFiles>,
    /// Its tokens; none where no account is configured to ask for some.
    pub tokens: Option<Arc<dyn NodeTokens>>,
    /// How it answers its users, where that can be counted.
    pub traffic: Option<Arc<dyn NodeTraffic>>,
}

/// When keys are purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purge {
    /// Once an operator types it.
    #[default]
    Typed,
    /// By `watch` too, once each key's own moment has passed.
    WhenSafe,
}

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Rules {
    /// From the first node that issues with a new primary to the last that has it, s: what is reckoned with.
    pub distribution: u64,
    /// By how much the nodes' clocks may differ, s.
    pub skew: u64,
    /// Between what no reader may see at once.
    pub pause: Duration,
    /// So many nodes are worked on at once.
    pub parallel: usize,
    /// When keys are purged.
    pub purge: Purge,
    /// Not-before shuts the rotation too: a deployment tool purges by itself.
    pub not_before_shuts_rotate: bool,
    /// How long the nodes are watched behind the installation. Zero: not at all.
    pub watch: Duration,
    /// From what on an answer's share is a spike.
    pub thresholds: Thresholds,
}

/// What the runbook works with.
pub struct World {
    /// The nodes, in the order of the configuration.
    pub nodes: Vec<Node>,
    /// The one that rotates.
    pub rotator: String,
    /// Where its settings lie.
    pub look_at: LookAt,
    /// As whom Keystone runs.
    pub reader: Reader,
    /// The rules.
    pub rules: Rules,
    /// Where an encrypted archive of what is saved is kept; none: there is none.
    pub vault: Option<Arc<dyn KeyVault>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The tokens that were issued with the former key; this process has them or nobody.
    old: Mutex<Old>,
    /// The cells that were measured last, and when that was.
    measured: Mutex<Option<(Timestamp, BTreeMap<Cell, Outcome>)>>,
    /// While it was watched last: how much of its threshold each node has used up, per cent, look by look.
    watched: Mutex<BTreeMap<String, Vec<u64>>>,
}

/// Tokens that were issued with the former key.
#[derive(Default)]
struct Old {
    /// In which case.
    case: Option<CaseId>,
    /// Of which node.
    tokens: BTreeMap<String, Arc<Token>>,
    /// When a process went on with the case, not before it.
    is_resumed: bool,
    /// When they were issued, UTC by this host's clock.
    since: Timestamp,
}

/// A token that is so near to its end may be past it at a node whose clock is ahead.
const NEAR_ITS_END: SignedDuration = SignedDuration::from_secs(60);

impl Old {
    /// Those that are valid still: one that has ended is refused rightly, and proves nothing of a key.
    fn living(&self, now: Timestamp) -> impl Iterator<Item = (&String, &Arc<Token>)> {
        let age = now.duration_since(self.since) + NEAR_ITS_END;
        let lives = move |life: Duration| SignedDuration::try_from(life).map_or(true, |life| age < life);
        self.tokens.iter().filter(move |(_, token)| token.life.is_none_or(lives))
    }
}

/// What came of doing something on every node: nobody is kept from it by another's failure.
pub(super) struct Each<T> {
    /// Where it went well, in the order of the configuration.
    pub done: Vec<(String, T)>,
    /// Where it did not.
    pub failed: Vec<(String, Fault)>,
}

impl<T> Each<T> {
    /// All of them, or the first fault, which names how many others failed.
    pub fn all(self) -> Result<Vec<(String, T)>, Fault> {
        let more = self.failed.len().saturating_sub(1);
        match self.failed.into_iter().next() {
            None => Ok(self.done),
            Some((_, fault)) if more == 0 => Err(fault),
            Some((_, fault)) => Err(Fault { message: format!("{} (and {more} more nodes)", fault.message), ..fault }),
        }
    }
}

impl World {
    /// A world in which no token was issued yet.
    pub fn new(
        nodes: Vec<Node>,
        rotator: String,
        look_at: LookAt,
        reader: Reader,
        rules: Rules,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (old, measured, watched) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { nodes, rotator, look_at, reader, rules, vault: None, clock, old, measured, watched }
    }

    /// The nodes' names, in the order of the configuration.
    pub fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// Where a node's settings lie: `{node}` in a path stands for its name.
    pub(super) fn look_at(&self, node: &Node) -> LookAt {
        let fill = |path: &String| path.replace("{node}", &node.name);
        let LookAt { files, directory, believed } = &self.look_at;
        LookAt {
            files: files.iter().map(fill).collect(),
            directory: directory.as_ref().map(fill),
            believed: fill(believed),
        }
    }

    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Whether tokens can be asked for at every node.
    pub(super) fn has_tokens(&self) -> bool {
        self.nodes.iter().all(|node| node.tokens.is_some())
    }

    /// Does something on these nodes side by side, so many at once as the rules say.
    pub(super) async fn each<'a, T, F>(&'a self, nodes: &[&'a Node], act: impl Fn(&'a Node) -> F) -> Each<T>
    where
        T: Send,
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let mut acts: Vec<BoxFuture<'_, (String, Result<T, Fault>)>> = Vec::with_capacity(nodes.len());
        for node in nodes.iter().copied() {
            let acting = act(node);
            acts.push(Box::pin(async move { (node.name.clone(), acting.await) }));
        }
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        let mut ended = futures_util::stream::iter(acts).buffered(self.rules.parallel.max(1));
        while let Some((name, result)) = ended.next().await {
            match result {
                Ok(value) => done.push((name, value)),
                Err(fault) => failed.push((name, fault)),
            }
        }
        Each { done, failed }
    }

    /// The same on all nodes.
    pub(super) async fn every<'a, T, F>(&'a self, act: impl Fn(&'a Node) -> F) -> Each<T>
    where
        T: Send,
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let nodes: Vec<&'a Node> = self.nodes.iter().collect();
        self.each(&nodes, act).await
    }

    /// The old token of a node.
    pub(super) fn old(&self, node: &str) -> Option<Arc<Token>> {
        let now = self.clock.now();
        self.olds().living(now).find(|(name, _)| *name == node).map(|(_, token)| token.clone())
    }

    fn olds(&self) -> MutexGuard<'_, Old> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any is kept.
    pub(super) fn has_old(&self) -> bool {
        self.olds().living(self.clock.now()).next().is_some()
    }

    /// Whether they were issued by a process that went on with the case.
    pub(super) fn is_old_of_a_resumed(&self) -> bool {
        self.olds().is_resumed
    }

    /// Keeps tokens that were issued with the former key; those of before are forgotten.
    pub(super) fn keep_old(&self, case: &CaseId, tokens: BTreeMap<String, Arc<Token>>, is_resumed: bool) {
        *self.olds() = Old { case: Some(case.clone()), tokens, is_resumed, since: self.clock.now() };
    }

    /// Tokens of another case prove nothing of this one, and may have expired.
    pub(super) fn forget_old_of_others(&self, case: &CaseId) {
        let mut olds = self.olds();
        if olds.case.as_ref() != Some(case) {
            *olds = Old::default();
        }
    }

    /// What was measured last, and when that was.
    pub fn measured(&self) -> Option<(Timestamp, BTreeMap<Cell, Outcome>)> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was seen while it was watched last.
    pub fn watched(&self) -> BTreeMap<String, Vec<u64>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A watch begins: what the one before saw is forgotten.
    pub(super) fn is_watched_anew(&self) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Adds one look of the watch. So many are kept as a screen may show; older ones go.
    pub(super) fn has_watched(&self, node: &str, used: u64) {
        const KEPT: usize = 240;
        let mut kept = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let values = kept.entry(node.to_owned()).or_default();
        values.push(used);
        let old = values.len().saturating_sub(KEPT);
        values.drain(..old);
    }

    /// Adds what was measured now: the cells of one node stand beside the others'.
    pub(super) fn has_measured(&self, cells: &BTreeMap<Cell, Outcome>, is_all: bool) {
        let mut kept = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.take().filter(|_| !is_all).map(|(_, cells)| cells).unwrap_or_default();
        let all = before.into_iter().chain(cells.clone()).collect();
        *kept = Some((self.clock.now(), all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::secret::SecretBytes;

    #[test]
    fn a_token_that_is_past_its_life_is_no_old_one_any_more() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let token = |life| Arc::new(Token::new(SecretBytes::new(b"t".to_vec()), Duration::ZERO, life));
        let tokens = [("hour", Some(Duration::from_secs(3600))), ("untold", None)];
        let tokens = tokens.into_iter().map(|(name, life)| (name.to_owned(), token(life))).collect();
        let old = Old { case: None, tokens, is_resumed: false, since: at(0) };
        let living = |second| old.living(at(second)).map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        assert_eq!(living(3500), ["hour", "untold"]);
        assert_eq!(living(3541), ["untold"]);
    }
}
