//! Step 8: what is no longer needed is taken away, and what the case had placed and saved. There is no way back behind it.

use super::super::facts::left_behind;
use super::super::matrix::{Which, measure};
use super::super::record::{FernetRecord, Held, Kind, list};
use super::super::spec::PURGE;
use super::super::{Fernet, Node, State};
use super::install::{carry_out, stopped};
use super::watch::{Until, watch};
use super::{
    Context, case, holds_everywhere, live, not_prepared, nothing_to_undo, others, place, probed, tag, told, turn,
};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::install::{Stop, purge};
use crate::domain::fernet::repository::{Digest, Keys, Repository};
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Purge;

#[async_trait]
impl Step<Fernet> for Purge {
    fn number(&self) -> StepNumber {
        PURGE
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "it waits for days",
            remedy: "the key's last token may be used as long as that (expiration and allow_expired_window): a key more does no \
                     harm; raise max_active_keys where rotations come more often",
        }]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let wanted = |kind| now.own.prepared.get(&kind).map(|promotion| promotion.keys.clone());
        let all = context.world.nodes.iter().all(|node| now.own.purged.contains(&node.name));
        let found = holds_everywhere(context.world, &now.own, wanted).await;
        probed(found.map(|holds| holds && all), "every node is purged", "not every node is purged")
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let (world, now) = (context.world, case(context));
        let (own, tag) = (&now.own, tag(&now));
        // There is no way back behind the first: that nobody is refused now is seen now, and not when the watch ended.
        let watched = match own.purged.is_empty() && !now.core.touched.contains(&PURGE) {
            true => format!("; {}", proved(context).await?),
            false => String::new(),
        };
        let looked = match context.ledger.touch(PURGE).await? {
            Some(sights) => sights.live(world, own),
            None => world.every(|node| live(node, own)).await,
        };
        let looked: BTreeMap<_, _> = looked.done.into_iter().collect();
        let (lost, none) = (lost(context, own, &looked).await?, BTreeSet::new());
        // One that is purged and has lost a key since is lent it.
        let is_left = |node: &&Node| {
            !own.purged.contains(&node.name) || looked.get(&node.name).is_some_and(|all| lacks(own, all))
        };
        let left: Vec<_> = world.nodes.iter().filter(is_left).collect();
        let mut count = world.nodes.len() - left.len();
        for group in left.chunks(world.rules.parallel.max(1)) {
            context.ledger.fence().await?;
            let purged = world
                .each(group, async |node| {
                    let seen = match looked.get(&node.name) {
                        Some(seen) => seen.clone(),
                        None => live(node, own).await?,
                    };
                    for (held, seen) in own.held.iter().zip(&seen) {
                        let promotion = own.prepared.get(&held.kind).ok_or_else(|| not_prepared(held.kind))?;
                        let stop = |stop: Stop| stopped(node, &stop, &[Lead::Resume]);
                        let place = place(held, node)?;
                        let leaving = |index: &u32| promotion.purged.contains(index);
                        let leaving = held.keys.iter().filter(|(index, _)| leaving(index));
                        let leaving: Keys = leaving.map(|(index, digest)| (*index, *digest)).collect();
                        let lost = lost.get(&held.kind).unwrap_or(&none);
                        let stages = |keys: &Keys| purge(keys, &promotion.keys, &leaving, lost).map_err(stop);
                        carry_out(context, held, node, seen.digests(), stages).await?;
                        context.ledger.fence().await?;
                        node.files.tidy(&place, &tag).await?;
                    }
                    Ok(())
                })
                .await;
            for (node, ()) in &purged.done {
                count += 1;
                let record = FernetRecord::Purged { node: node.clone() };
                turn(context, record, count, format!("{node} is purged")).await?;
            }
            purged.all()?;
        }
        let remain = |kind| own.prepared.get(&kind).map(|promotion| promotion.keys.clone());
        let seen = world.every(|node| live(node, own)).await.all()?;
        let besides = match others(own, &seen, remain) {
            None => String::new(),
            Some(others) => match besides(own, &seen, &lost) {
                Some(besides) => format!("; {besides}"),
                None => return Err(apart(own, &others)),
            },
        };
        let gone: Vec<u32> = own.held.iter().flat_map(|held| own.to_purge(held.kind)).copied().collect();
        let stays = left_behind(world, &now).map(|stays| format!("; {besides}{stays}")).unwrap_or_default();
        Ok(match gone.is_empty() {
            true => {
                format!("nothing was to be purged; what was placed and saved is taken away{besides}{stays}{watched}")
            }
            false => format!(
                "key {} purged on {} nodes; what was placed and saved is taken away{besides}{stays}{watched}",
                list(&gone),
                world.nodes.len()
            ),
        })
    }

    async fn probe_undo(&self, _: &Context<'_>) -> Probe {
        Probe::NotDone("there is no way back behind it".into())
    }

    async fn undo(&self, _: &Context<'_>) -> Result<String, Fault> {
        Err(nothing_to_undo())
    }
}

/// That the nodes accept one another's tokens and refuse their users no more than before: a fragment, or why it is not so.
async fn proved(context: &Context<'_>) -> Result<String, Fault> {
    let world = context.world;
    let sights = context.ledger.look().await;
    let is_cache_shared = sights.settings().iter().any(|(_, settings)| settings.cache.is_shared());
    let tokens = match measure(world, Which::New, is_cache_shared).await? {
        Some(measured) => measured.evidence().map_err(|fault| fault.leads(&[Lead::Resume, Lead::RollBack]))?,
        None => "no account is configured that asks for tokens".into(),
    };
    Ok(format!("before it: {tokens}; {}", watch(context, PURGE, Until::Judged).await?))
}

/// What is to remain of a repository, but for the staged key, which has encrypted nothing.
fn encrypted(own: &State, held: &Held) -> Keys {
    let remain = own.prepared.get(&held.kind).map(|promotion| promotion.keys.clone()).unwrap_or_default();
    remain.into_iter().filter(|(index, _)| *index > 0).collect()
}

/// Whether a node lacks something of that.
fn lacks(own: &State, seen: &[Repository]) -> bool {
    let has = |seen: &Repository, digest: &Digest| seen.digests().values().any(|held| held == digest);
    own.held.iter().zip(seen).any(|(held, seen)| encrypted(own, held).values().any(|digest| !has(seen, digest)))
}

/// What was to remain and lies on no node any more, neither in force nor prepared nor saved: nobody can bring it back. Where a node
/// does not answer nothing is lost yet.
async fn lost(
    context: &Context<'_>,
    own: &State,
    looked: &BTreeMap<String, Vec<Repository>>,
) -> Result<BTreeMap<Kind, BTreeSet<Digest>>, Fault> {
    // Nothing more is asked where nobody has meddled.
    let all_seen = context.world.nodes.iter().all(|node| looked.contains_key(&node.name));
    if all_seen && !looked.values().any(|all| lacks(own, all)) {
        return Ok(BTreeMap::new());
    }
    let tag = tag(&case(context));
    let lies = context.world.every(async |node| {
        let mut digests = Vec::new();
        for held in &own.held {
            let all = node.files.list_all(&place(held, node)?, &tag).await?;
            digests.push(all.iter().flat_map(|one| one.digests().into_values()).collect::<BTreeSet<Digest>>());
        }
        Ok(digests)
    });
    let lies = lies.await.all()?;
    let of = |(at, held): (usize, &Held)| {
        let is_nowhere =
            |digest: &Digest| lies.iter().all(|(_, all)| all.get(at).is_none_or(|one| !one.contains(digest)));
        (held.kind, encrypted(own, held).into_values().filter(is_nowhere).collect())
    };
    Ok(own.held.iter().enumerate().map(of).collect())
}

/// Where all nodes hold the same, and all of what was to remain that any node has: what else lies there, which is somebody else's, and
/// what is lost.
fn besides(own: &State, seen: &[(String, Vec<Repository>)], lost: &BTreeMap<Kind, BTreeSet<Digest>>) -> Option<String> {
    let (_, first) = seen.first()?;
    let mut said = Vec::new();
    for (at, held) in own.held.iter().enumerate() {
        let (keys, remain) = (first.get(at)?.digests(), &own.prepared.get(&held.kind)?.keys);
        let is_same = seen.iter().all(|(_, all)| all.get(at).is_some_and(|seen| seen.digests() == keys));
        let is_there = |digest: &Digest| keys.values().any(|held| held == digest);
        let is_lost = |digest: &Digest| lost.get(&held.kind).is_some_and(|lost| lost.contains(digest));
        if !is_same || !remain.range(1..).all(|(_, digest)| is_there(digest) || is_lost(digest)) {
            return None;
        }
        let kind = held.kind.word();
        let gone: Vec<_> = remain.range(1..).filter(|(_, digest)| !is_there(digest)).collect();
        if !gone.is_empty() {
            said.push(format!("{kind}: key {} lies on no node any more: what was made with it is refused", told(gone)));
        }
        let more: Vec<_> = keys.iter().filter(|(index, digest)| remain.get(index) != Some(digest)).collect();
        if !more.is_empty() {
            said.push(format!("{kind}: every node holds besides key {}", told(more)));
        }
    }
    (!said.is_empty()).then(|| format!("by somebody else's hand: {}", said.join("; ")))
}

/// The nodes differ, or lack what was to remain.
fn apart(own: &State, others: &str) -> Fault {
    let remain = own
        .held
        .iter()
        .filter_map(|held| Some(format!("{}: {}", held.kind.word(), told(&own.prepared.get(&held.kind)?.keys))));
    let hint = format!(
        "somebody else has changed them behind the purge; put the same on all nodes, with all that was to remain ({})",
        remain.collect::<Vec<_>>().join("; ")
    );
    let text = format!("not every node holds what was to remain: {others}");
    Fault::new(Service::Node, FaultKind::Conflict, text).hint(hint).leads(&[Lead::Resume])
}
