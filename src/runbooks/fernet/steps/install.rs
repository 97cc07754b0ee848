//! Step 5: the first node alone, then the others in groups, put the new primary in force, then the new staged key; nothing is taken
//! away. The way back is the same with what was saved.

use super::super::matrix::{Which, measure};
use super::super::record::{FernetRecord, Kind};
use super::super::spec::INSTALL;
use super::super::{Fernet, Node, State, World};
use super::{Context, case, holds_everywhere, live, not_prepared, place, probed, tag, turn};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::install::{Stop, lacking, plan, used, way_back};
use crate::domain::fernet::repository::{Digest, Keys};
use crate::domain::step::StepNumber;
use crate::engine::case::core::Way;
use crate::engine::case::runbook::{Case, Step};
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Install;

#[async_trait]
impl Step<Fernet> for Install {
    fn number(&self) -> StepNumber {
        INSTALL
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "a node fails in the middle",
                remedy: "every token is valid everywhere still: the new primary is known to all as their staged key; resume \
                         goes on at that node, or roll back",
            },
            Trouble {
                symptom: "an index holds another key than is wanted there",
                remedy: "somebody else has rotated: it is never overwritten; look who, and roll back",
            },
        ]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let found = holds_everywhere(context.world, &now.own, |kind| now.own.wanted(kind)).await;
        probed(found, "every node has it in force", "not every node has it in force")
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        let mut wanted = BTreeMap::new();
        for held in &now.own.held {
            wanted.insert(held.kind, now.own.wanted(held.kind).ok_or_else(|| not_prepared(held.kind))?);
        }
        context.ledger.touch(INSTALL).await?;
        let shown = everywhere(context, &wanted).await?;
        Ok(format!("{} nodes have the new primary in force, one after the other; {shown}", context.world.nodes.len()))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let look = async {
            let wanted = saved(context.world, &now.own).await?;
            holds_everywhere(context.world, &now.own, |kind| wanted.get(&kind).cloned()).await
        };
        probed(look.await, "every node has what was saved in force", "not every node has what was saved in force")
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        let wanted = saved(context.world, &now.own).await?;
        context.ledger.fence().await?;
        let shown = everywhere(context, &wanted).await?;
        Ok(format!(
            "{} nodes have what was saved in force again; tokens issued meanwhile stay valid; {shown}",
            context.world.nodes.len()
        ))
    }
}

/// What is to be in force on the way back: what was saved, and every key that has encrypted a token meanwhile.
async fn saved(world: &World, state: &State) -> Result<BTreeMap<Kind, Keys>, Fault> {
    let seen = world.every(|node| live(node, state)).await.all()?;
    let mut wanted = BTreeMap::new();
    for (at, held) in state.held.iter().enumerate() {
        let nodes: Vec<Keys> = seen.iter().filter_map(|(_, all)| Some(all.get(at)?.digests())).collect();
        let keys = way_back(&held.keys, &nodes).ok_or_else(|| {
            let text = format!("{}: what was saved and what is in force can't be brought together", held.kind.word());
            Fault::new(Service::Node, FaultKind::Conflict, text).hint("nothing was changed; compare the nodes by hand")
        })?;
        wanted.insert(held.kind, keys);
    }
    Ok(wanted)
}

/// Brings every node to what is wanted: the first alone, then groups. Whoever is there already is passed over.
async fn everywhere(context: &Context<'_>, wanted: &BTreeMap<Kind, Keys>) -> Result<String, Fault> {
    let (world, now) = (context.world, case(context));
    let back = now.core.way == Way::Back;
    // On the way back what was installed before counts for nothing.
    let done = if back == now.own.is_back { now.own.installed.clone() } else { BTreeSet::new() };
    let seen = world.every(|node| live(node, &now.own)).await.all()?;
    let mut used_keys = BTreeMap::new();
    for (at, held) in now.own.held.iter().enumerate() {
        let nodes: Vec<Keys> = seen.iter().filter_map(|(_, all)| Some(all.get(at)?.digests())).collect();
        if let Some(keys) = wanted.get(&held.kind) {
            let lack = lacking(keys, &nodes);
            if !lack.is_empty() {
                let who: Vec<&str> = lack.iter().filter_map(|at| Some(seen.get(*at)?.0.as_str())).collect();
                let text = format!("{} do not know the key that would encrypt: {}", who.join(", "), held.kind.word());
                return Err(Fault::new(Service::Node, FaultKind::Conflict, text)
                    .hint("nothing more is put in force; compare the nodes, or roll back"));
            }
        }
        used_keys.insert(held.kind, used(&nodes));
    }
    let left: Vec<&Node> = world.nodes.iter().filter(|node| !done.contains(&node.name)).collect();
    let first = if done.is_empty() { 1 } else { 0 };
    let (alone, rest) = left.split_at(first.min(left.len()));
    let mut groups: Vec<&[&Node]> = Vec::new();
    if !alone.is_empty() {
        groups.push(alone);
    }
    groups.extend(rest.chunks(world.rules.parallel.max(1)));
    let (mut count, mut shown) = (done.len(), "no token was shown".to_owned());
    for group in groups {
        context.ledger.fence().await?;
        let put = world.each(group, |node| put(world, node, &now, wanted, &used_keys)).await;
        for (node, ()) in &put.done {
            count += 1;
            let record = FernetRecord::Installed { node: node.clone(), back };
            turn(context, record, count, format!("{node} has it in force")).await?;
        }
        put.all()?;
        for node in group {
            if let Some(measured) = measure(world, Which::Of(&node.name), false).await? {
                let said = measured.evidence().map_err(|fault| {
                    let hint = format!("behind {}: {}; roll back puts the saved keys back", node.name, fault.advice());
                    fault.hint(hint)
                })?;
                shown = format!("last row of the matrix: {said}");
            }
        }
    }
    Ok(shown)
}

/// Brings one node to what is wanted, from whatever it holds.
async fn put(
    world: &World,
    node: &Node,
    now: &Case<Fernet>,
    wanted: &BTreeMap<Kind, Keys>,
    used: &BTreeMap<Kind, BTreeSet<Digest>>,
) -> Result<(), Fault> {
    let (seen, tag) = (live(node, &now.own).await?, tag(now));
    for (held, seen) in now.own.held.iter().zip(&seen) {
        let keys = wanted.get(&held.kind).ok_or_else(|| not_prepared(held.kind))?;
        let none = BTreeSet::new();
        let stop = |stop: Stop| {
            Fault::new(Service::Node, FaultKind::Conflict, format!("{}: {stop}", node.name))
                .hint("it was left as it is; find out who has changed it, then resume, or roll back")
        };
        let stages = plan(&seen.digests(), keys, used.get(&held.kind).unwrap_or(&none)).map_err(stop)?;
        if stages.is_empty() {
            continue;
        }
        let done = node.files.install(&place(held, node)?, &tag, &stages, world.rules.pause).await?;
        let holds = done.live.digests();
        if !keys.iter().all(|(index, digest)| holds.get(index) == Some(digest)) {
            let text = format!("{}: it does not hold what was installed", node.name);
            return Err(
                Fault::new(Service::Node, FaultKind::Conflict, text).hint("look at it, then resume, or roll back")
            );
        }
    }
    Ok(())
}
