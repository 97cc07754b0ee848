//! Step 5: the first node alone, then the others in groups, put the new primary in force, then the new staged key; nothing is taken
//! away. The way back is the same with what was saved.

use super::super::matrix::{Which, issue_with_the_former, measure};
use super::super::record::{FernetRecord, Held, Kind};
use super::super::spec::INSTALL;
use super::super::world::Each;
use super::super::{Fernet, Node, State, World};
use super::{Context, case, holds_everywhere, lend, live, not_prepared, place, probed, tag, told, turn};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::install::{Stage, Stop, lacking, plan, used, way_back};
use crate::domain::fernet::repository::{Digest, Keys, Repository};
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
        let looked = context.ledger.touch(INSTALL).await?.map(|sights| sights.live(context.world, &now.own));
        let shown = everywhere(context, &wanted, looked).await?;
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
        let shown = everywhere(context, &wanted, None).await?;
        Ok(format!(
            "{} nodes have what was saved in force again{}; tokens issued meanwhile stay valid; {shown}",
            context.world.nodes.len(),
            besides(&now.own, &wanted)
        ))
    }
}

/// What the nodes hold besides what was saved: keys that somebody else has encrypted with meanwhile.
fn besides(state: &State, wanted: &BTreeMap<Kind, Keys>) -> String {
    let of = |held: &Held| {
        let keys = wanted.get(&held.kind)?.iter();
        let more = keys.filter(|(_, digest)| !held.keys.values().any(|saved| saved == *digest));
        let more = told(more);
        (!more.is_empty()).then(|| format!("{}: key {more}", held.kind.word()))
    };
    let all: Vec<String> = state.held.iter().filter_map(of).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(", and besides it, for somebody else has encrypted with them meanwhile, {}", all.join("; ")),
    }
}

/// What is to be in force on the way back: what was saved, and every key that has encrypted a token meanwhile. Of a node that does
/// not answer it is supposed that it has all of that in force.
async fn saved(world: &World, state: &State) -> Result<BTreeMap<Kind, Keys>, Fault> {
    let seen = world.every(|node| live(node, state)).await;
    let mut wanted = BTreeMap::new();
    for (at, held) in state.held.iter().enumerate() {
        let mut nodes: Vec<Keys> = seen.done.iter().filter_map(|(_, all)| Some(all.get(at)?.digests())).collect();
        nodes.extend(state.wanted(held.kind).filter(|_| !seen.failed.is_empty()));
        let keys = way_back(&held.keys, &nodes).ok_or_else(|| {
            let text = format!("{}: what was saved and what is in force can't be brought together", held.kind.word());
            Fault::new(Service::Node, FaultKind::Conflict, text).hint("nothing was changed; compare the nodes by hand")
        })?;
        wanted.insert(held.kind, keys);
    }
    Ok(wanted)
}

/// What the nodes hold before anything more is put in force, tokens first, and those that can't be asked.
struct Seen {
    all: Vec<(String, Vec<Keys>)>,
    silent: Vec<(String, Fault)>,
}

/// Looks at all. Forward every one of them must answer: none may be left behind. On the way back who answers is put back.
async fn looked(world: &World, state: &State, back: bool, seen: Option<Each<Vec<Repository>>>) -> Result<Seen, Fault> {
    let seen = match seen {
        Some(seen) => seen,
        None => world.every(|node| live(node, state)).await,
    };
    if !back || seen.done.is_empty() {
        let all = seen.all()?;
        return Ok(Seen { all: all.into_iter().map(digests).collect(), silent: Vec::new() });
    }
    Ok(Seen { all: seen.done.into_iter().map(digests).collect(), silent: seen.failed })
}

fn digests((name, all): (String, Vec<Repository>)) -> (String, Vec<Keys>) {
    (name, all.iter().map(Repository::digests).collect())
}

impl Seen {
    /// What a node holds, tokens first; nothing of one that was not seen.
    fn at(&self, node: &str) -> &[Keys] {
        self.all.iter().find(|(name, _)| name == node).map_or(&[], |(_, all)| all)
    }

    /// What each holds of the repository at this place.
    fn of(&self, at: usize) -> Vec<Keys> {
        self.all.iter().filter_map(|(_, all)| all.get(at).cloned()).collect()
    }

    /// Whether a node has the primary that it had before the case.
    fn encrypts_with_the_former(&self, node: &Node, case: &Case<Fernet>) -> bool {
        let Some((_, all)) = self.all.iter().find(|(name, _)| *name == node.name) else { return false };
        let mut each = case.own.held.iter().zip(all);
        each.all(|(held, keys)| held.keys.last_key_value() == keys.last_key_value())
    }

    /// Who does not know the key that is to encrypt.
    fn lacking(&self, at: usize, wanted: &Keys) -> Vec<&str> {
        lacking(wanted, &self.of(at)).iter().filter_map(|at| Some(self.all.get(*at)?.0.as_str())).collect()
    }
}

/// On the way back a node that does not know the key which is to encrypt (somebody has rotated and purged there meanwhile) is given
/// it first, below the one that it encrypts with: that changes no answer.
async fn make_known(context: &Context<'_>, seen: &Seen, wanted: &BTreeMap<Kind, Keys>) -> Result<bool, Fault> {
    let (world, now) = (context.world, case(context));
    let mut any = false;
    for (at, held) in now.own.held.iter().enumerate() {
        let Some(keys) = wanted.get(&held.kind) else { continue };
        let lacking = seen.lacking(at, keys);
        // One alone may encrypt with it at once, for all others know it.
        let may_encrypt = lacking.len() == 1 && seen.silent.is_empty();
        for name in lacking {
            let (Some(node), Some((_, all))) = (world.node(name), seen.all.iter().find(|(of, _)| of == name)) else {
                continue;
            };
            let Some((current, top)) = all.get(at).and_then(|keys| Some((keys, *keys.keys().next_back()?))) else {
                continue;
            };
            let may_lie = |index: &u32| *index < top || may_encrypt && keys.keys().next_back() == Some(index);
            let missing = keys.range(1..).rev().filter(|(index, _)| may_lie(index) && !current.contains_key(index));
            let stages: Vec<Stage> =
                missing.map(|(index, digest)| Stage::Add { index: *index, digest: *digest }).collect();
            if !stages.is_empty() {
                context.ledger.fence().await?;
                // What it holds by then is looked at again, whatever came of it.
                lend::install(context, held, node, current, &stages).await?;
                any = true;
            }
        }
    }
    Ok(any)
}

/// Brings every node to what is wanted: the first alone, then groups. Whoever is there already is passed over.
/// `at_hand`: what was seen of them just now, where it was.
async fn everywhere(
    context: &Context<'_>,
    wanted: &BTreeMap<Kind, Keys>,
    at_hand: Option<Each<Vec<Repository>>>,
) -> Result<String, Fault> {
    let (world, now) = (context.world, case(context));
    let back = now.core.way == Way::Back;
    // On the way back what was installed before counts for nothing.
    let mut done = if back == now.own.is_back { now.own.installed.clone() } else { BTreeSet::new() };
    let mut seen = looked(world, &now.own, back, at_hand).await?;
    if back && make_known(context, &seen, wanted).await? {
        seen = looked(world, &now.own, back, None).await?;
    }
    if back {
        // Where somebody has changed a node that was put back already it is put back once more.
        let is_there = |(keys, held): (&Keys, &Held)| wanted.get(&held.kind) == Some(keys);
        done.retain(|name| seen.at(name).iter().zip(&now.own.held).all(is_there));
    }
    let mut used_keys = BTreeMap::new();
    for (at, held) in now.own.held.iter().enumerate() {
        if let Some(keys) = wanted.get(&held.kind) {
            let lack = seen.lacking(at, keys);
            if !lack.is_empty() {
                let verb = if lack.len() == 1 { "does" } else { "do" };
                let text =
                    format!("{} {verb} not know the key that would encrypt: {}", lack.join(", "), held.kind.word());
                let hint = match back {
                    false => "nothing more is put in force; compare the nodes".to_owned(),
                    true => format!(
                        "nothing more is put back; bring key {} there by hand, from {} or another node",
                        told(keys.iter().next_back()),
                        place(held, world.node(lack[0]).unwrap_or(&world.nodes[0]))?.backup(&tag(&now))
                    ),
                };
                let leads = if back { &[Lead::Resume][..] } else { &[Lead::RollBack, Lead::Resume] };
                return Err(Fault::new(Service::Node, FaultKind::Conflict, text).hint(hint).leads(leads));
            }
        }
        used_keys.insert(held.kind, used(&seen.of(at)));
    }
    let is_silent = |node: &&Node| seen.silent.iter().any(|(name, _)| *name == node.name);
    let left: Vec<&Node> = world.nodes.iter().filter(|node| !done.contains(&node.name) && !is_silent(node)).collect();
    world.forget_old_of_others(&now.core.id);
    if !back {
        let former: Vec<&Node> = world.nodes.iter().filter(|node| seen.encrypts_with_the_former(node, &now)).collect();
        issue_with_the_former(world, &now.core.id, &former).await;
    }
    if !back && !done.is_empty() {
        // Whoever has it in force already must be answering before the next gets it.
        shown(world, Which::All, "before the next node").await?;
    }
    let first = if done.is_empty() { 1 } else { 0 };
    let (alone, rest) = left.split_at(first.min(left.len()));
    let mut groups: Vec<&[&Node]> = Vec::new();
    if !alone.is_empty() {
        groups.push(alone);
    }
    groups.extend(rest.chunks(world.rules.parallel.max(1)));
    let (mut count, mut said) = (done.len(), "no token was shown".to_owned());
    for group in groups {
        context.ledger.fence().await?;
        let put = world.each(group, |node| put(context, node, &now, &seen, wanted, &used_keys)).await;
        for (node, met) in &put.done {
            count += 1;
            let record = FernetRecord::Installed { node: node.clone(), back, met: met.clone() };
            turn(context, record, count, format!("{node} has it in force")).await?;
        }
        put.all()?;
        if back {
            continue;
        }
        let behind = group.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(shown) = shown(world, Which::Of(group), &format!("behind {behind}")).await? {
            said = format!("last rows of the matrix: {shown}");
        }
    }
    if let Some((_, fault)) = seen.silent.first() {
        let names: Vec<&str> = seen.silent.iter().map(|(name, _)| name.as_str()).collect();
        let text = format!("{} could not be asked, the others are put back: {}", names.join(", "), fault.message);
        return Err(Fault::new(fault.service, fault.kind.clone(), text).hint(fault.by_hand()).leads(&[Lead::Resume]));
    }
    if back {
        // The digests are the proof; who refuses a token, or does not answer, is told.
        said = match shown(world, Which::All, "on the way back").await {
            Ok(shown) => shown.unwrap_or(said),
            Err(fault) => format!("tokens: {}", fault.message),
        };
    }
    Ok(said)
}

/// Shows tokens; what came of it, or none where no account is configured.
async fn shown(world: &World, which: Which<'_>, when: &str) -> Result<Option<String>, Fault> {
    let Some(measured) = measure(world, which, false).await? else { return Ok(None) };
    measured.evidence().map(Some).map_err(|fault| {
        let hint = format!("{when}: {}", fault.advice());
        fault.hint(hint)
    })
}

/// What is there that neither this case nor anybody before it had put there, and what is not there any more.
fn met(node: &str, held: &Held, now: &Keys, wanted: &Keys, state: &State) -> Vec<String> {
    let prepared = state.wanted(held.kind).unwrap_or_default();
    let ours: BTreeSet<&Digest> = held.keys.values().chain(wanted.values()).chain(prepared.values()).collect();
    let foreign = now.iter().filter(|(_, digest)| !ours.contains(digest)).map(|(index, digest)| match index {
        0 => format!("key 0 was {digest}, which no other node had: replaced, it had encrypted nothing"),
        index => format!("key {index} was {digest}, which is not of this case"),
    });
    let gone = held.keys.range(1..).filter(|(_, digest)| !now.values().any(|held| held == *digest));
    let gone = gone.map(|(index, digest)| format!("key {index} ({digest}) was gone: put back"));
    foreign.chain(gone).map(|what| format!("{node}: somebody else has rotated there: {what}")).collect()
}

/// Brings one node to what is wanted, from whatever it holds; says what others had changed there.
async fn put(
    context: &Context<'_>,
    node: &Node,
    now: &Case<Fernet>,
    seen: &Seen,
    wanted: &BTreeMap<Kind, Keys>,
    used: &BTreeMap<Kind, BTreeSet<Digest>>,
) -> Result<Vec<String>, Fault> {
    let seen = seen.at(&node.name);
    let mut told = Vec::new();
    for (at, held) in now.own.held.iter().enumerate() {
        let keys = wanted.get(&held.kind).ok_or_else(|| not_prepared(held.kind))?;
        let none = BTreeSet::new();
        let used = used.get(&held.kind).unwrap_or(&none);
        let stages = |current: &Keys| {
            let stop = |stop: Stop| stopped(node, &stop, &[Lead::RollBack, Lead::Resume]);
            plan(current, keys, used).map_err(stop)
        };
        let seen = seen.get(at).cloned().unwrap_or_default();
        let Some((from, holds)) = carry_out(context, held, node, seen, stages).await? else {
            continue;
        };
        told.extend(met(&node.name, held, &from, keys, &now.own));
        if !keys.iter().all(|(index, digest)| holds.get(index) == Some(digest)) {
            let text = format!("{}: it does not hold what was installed", node.name);
            return Err(Fault::new(Service::Node, FaultKind::Conflict, text)
                .hint("look at it")
                .leads(&[Lead::Resume, Lead::RollBack]));
        }
    }
    Ok(told)
}

/// So often a node is planned anew that holds something else each time: somebody is at work there.
const MOST_PLANS: usize = 3;

/// Carries out on a node what is planned on what it was `seen` to hold, in one connection; where it holds something else by then, what
/// is planned on that. Gives from what it came and what it holds then; none where nothing was to be done.
pub(super) async fn carry_out(
    context: &Context<'_>,
    held: &Held,
    node: &Node,
    seen: Keys,
    plan: impl Fn(&Keys) -> Result<Vec<Stage>, Fault>,
) -> Result<Option<(Keys, Keys)>, Fault> {
    let mut seen = seen;
    for at in 0..MOST_PLANS {
        // A plan that fails, and one without a stage, must rest on what is there now.
        let planned = plan(&seen);
        if at == 0 && planned.as_ref().map_or(true, Vec::is_empty) {
            let now = node.files.list(&[place(held, node)?.live().to_owned()]).await?;
            seen = now.first().map(Repository::digests).unwrap_or_default();
            continue;
        }
        let stages = planned?;
        if stages.is_empty() {
            return Ok(None);
        }
        context.ledger.fence().await?;
        let done = lend::install(context, held, node, &seen, &stages).await?;
        let holds = done.live.digests();
        if !done.is_other {
            return Ok(Some((seen, holds)));
        }
        seen = holds;
    }
    let text = format!("{}: somebody else changes its keys while they are being changed", node.name);
    Err(Fault::new(Service::Node, FaultKind::Conflict, text)
        .hint("it was left as it is; find out who has changed it")
        .leads(&[Lead::Resume]))
}

/// Nothing is planned on what the node holds.
pub(super) fn stopped(node: &Node, stop: &Stop, leads: &[Lead]) -> Fault {
    Fault::new(Service::Node, FaultKind::Conflict, format!("{}: {stop}", node.name))
        .hint("it was left as it is; find out who has changed it")
        .leads(leads)
}
