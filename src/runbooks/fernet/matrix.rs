//! Tokens of each node, shown at each: asked directly, never through the load balancer.

use super::World;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::matrix::{Age, Cell, Outcome, Verdict, Way, cells, is_of, judge};
use crate::engine::case::record::CaseId;
use crate::engine::ports::nodes::Token;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many tokens are shown to a node at once: Keystone has workers, and an answer's way is no time of theirs.
const AT_A_NODE: usize = 4;

/// Which cells are measured.
#[derive(Clone, Copy)]
pub(super) enum Which<'a> {
    /// All that are to be.
    All,
    /// All with tokens of now: those of before a case may have expired by themselves when days have passed.
    New,
    /// Those that concern these nodes.
    Of(&'a [&'a super::Node]),
}

/// A measurement.
pub(super) struct Measured {
    /// What each cell came to.
    pub cells: BTreeMap<Cell, Outcome>,
    /// What it proves.
    pub verdict: Verdict,
    /// The fresh tokens.
    pub fresh: BTreeMap<String, Arc<Token>>,
}

impl Measured {
    /// The evidence, or the fault that a refused token is.
    pub(super) fn evidence(&self) -> Result<String, Fault> {
        let count = self.cells.len();
        match &self.verdict {
            Verdict::Green => Ok(format!("{count} of {count} tokens accepted")),
            Verdict::Inconclusive => {
                Ok(format!("{count} tokens accepted, which proves nothing: the nodes share a cache"))
            }
            other => Err(refused(other)),
        }
    }
}

fn refused(verdict: &Verdict) -> Fault {
    Fault::new(Service::Node, FaultKind::Refused, verdict.message()).hint(verdict.advice())
}

/// A process that goes on with a case has none of the tokens that were issued before it: they are in no journal. What a node issues
/// before it gets the new primary is encrypted with the former one, as theirs were: it stands for them from here on.
pub(super) async fn issue_with_the_former(world: &World, case: &CaseId, nodes: &[&super::Node]) {
    if !world.has_tokens() || world.has_old() {
        return;
    }
    let none = || Fault::new(Service::Node, FaultKind::Invalid, "no account");
    // Who issues none is named by the cells of the next measurement.
    let issued = world.each(nodes, async |node| node.tokens.as_ref().ok_or_else(none)?.issue().await).await;
    let tokens = issued.done.into_iter().map(|(name, token)| (name, Arc::new(token))).collect();
    world.keep_old(case, tokens, true);
}

/// What the old tokens are that were shown: what is proved of those from before the case, and what is not.
pub(super) fn ages(world: &World) -> String {
    let is_resumed = world.is_old_of_a_resumed();
    let names = world.names();
    let of: Vec<&str> = names.iter().filter(|name| world.old(name).is_some()).map(String::as_str).collect();
    match (of.len(), is_resumed) {
        (0, _) => {
            "new ones only: those of before are in no process any more, and every node encrypts with the new key; \
                   that each node holds the keys of before, the digests prove"
                .into()
        }
        (_, false) => "old and new".into(),
        (_, true) => format!(
            "new ones, and ones that {} issued with the former key when it was gone on with; those of before that are in no \
             process any more",
            of.join(", ")
        ),
    }
}

/// Measures with a fresh token of each node, and with those that were issued before anything was changed where this process has
/// them. `None`: no account is configured to ask for tokens.
pub(super) async fn measure(world: &World, which: Which<'_>, is_cache_shared: bool) -> Result<Option<Measured>, Fault> {
    if !world.has_tokens() {
        return Ok(None);
    }
    let names = world.names();
    let mut all = cells(&names, &world.rotator, &[Age::New, Age::Old]);
    let is_shown = |issuer: &str| !matches!(which, Which::New) && world.old(issuer).is_some();
    all.retain(|cell| cell.age == Age::New || is_shown(&cell.issuer));
    let wanted = match which {
        Which::All | Which::New => all,
        Which::Of(nodes) => {
            let concerns = |cell: &Cell| nodes.iter().any(|node| is_of(cell, &node.name));
            all.into_iter().filter(concerns).collect()
        }
    };
    let none = || Fault::new(Service::Node, FaultKind::Invalid, "no account");
    // A token of a node is shown, or it is asked with one about another's.
    let is_needed = |node: &&super::Node| {
        wanted.iter().any(|cell| match (cell.age, cell.way) {
            (Age::New, _) if cell.issuer == node.name => true,
            (_, Way::Subject) => cell.validator == node.name,
            _ => false,
        })
    };
    let issuers: Vec<&super::Node> = world.nodes.iter().filter(is_needed).collect();
    let issued = world.each(&issuers, async |node| node.tokens.as_ref().ok_or_else(none)?.issue().await).await;
    // A node that issues none refuses everything that would be measured with it, and is named by that.
    let failed: BTreeMap<String, String> =
        issued.failed.into_iter().map(|(name, fault)| (name, fault.message)).collect();
    let fresh: BTreeMap<String, Arc<Token>> =
        issued.done.into_iter().map(|(name, token)| (name, Arc::new(token))).collect();
    let validators: Vec<&super::Node> =
        world.nodes.iter().filter(|node| wanted.iter().any(|cell| cell.validator == node.name)).collect();
    let shown = world
        .each(&validators, async |node| {
            let of_node = wanted.iter().filter(|cell| cell.validator == node.name);
            let shows: Vec<BoxFuture<'_, (Cell, Outcome)>> =
                of_node.map(|cell| shown(world, node, cell, &fresh, &failed).boxed()).collect();
            Ok(futures_util::stream::iter(shows).buffered(AT_A_NODE).collect::<Vec<_>>().await)
        })
        .await;
    let cells: BTreeMap<Cell, Outcome> = shown.done.into_iter().flat_map(|(_, outcomes)| outcomes).collect();
    world.has_measured(&cells, matches!(which, Which::All));
    let verdict = judge(&wanted, &cells, is_cache_shared);
    Ok(Some(Measured { cells, verdict, fresh }))
}

async fn shown(
    world: &World,
    node: &super::Node,
    cell: &Cell,
    fresh: &BTreeMap<String, Arc<Token>>,
    failed: &BTreeMap<String, String>,
) -> (Cell, Outcome) {
    (cell.clone(), show(world, node, cell, fresh, failed).await)
}

async fn show(
    world: &World,
    node: &super::Node,
    cell: &Cell,
    fresh: &BTreeMap<String, Arc<Token>>,
    failed: &BTreeMap<String, String>,
) -> Outcome {
    let token = match cell.age {
        Age::New => fresh.get(&cell.issuer).cloned(),
        Age::Old => world.old(&cell.issuer),
    };
    let why = |name: &str| failed.get(name).cloned().unwrap_or_else(|| format!("{name} has issued no token"));
    let (Some(token), Some(tokens)) = (token, &node.tokens) else { return Outcome::Failed(why(&cell.issuer)) };
    let answer = match (cell.way, fresh.get(&node.name)) {
        (Way::Own, _) => tokens.validate_own(&token).await,
        (Way::Subject, Some(own)) => tokens.validate_subject(&token, own).await,
        (Way::Subject, None) => return Outcome::Failed(why(&node.name)),
    };
    match answer {
        Ok(said) => Outcome::Status(said.status),
        Err(fault) => Outcome::Failed(fault.message),
    }
}
