//! What cases have left beside the live keys, against what the journal knows: a case of which it knows nothing, or whose saved keys are
//! gone, or which has gone further there than its journal, has an end that is lost; what a case left that is over is plain keys that somebody should take away.

use super::record::Held;
use super::spec::{BACK_UP, DISTRIBUTE, INSTALL, PREPARE, PURGE};
use super::steps::tag;
use super::{Fernet, Sights, World};
use crate::domain::fernet::agreement::names;
use crate::domain::fernet::repository::Keys;
use crate::engine::case::core::Way;
use crate::engine::case::record::CaseId;
use crate::engine::case::runbook::{Case, Strays};
use crate::engine::ports::nodes::Beside;

/// All of it. `is_known`: whether the journal has a case of this id.
pub(super) fn strays(
    world: &World,
    case: Option<&Case<Fernet>>,
    is_known: &dyn Fn(&str) -> bool,
    sights: &Sights,
) -> Strays {
    let newest = case.map(tag);
    // A case's id begins with its moment: an older one can't be the end of the journal.
    let is_later = |id: &str| newest.as_deref().is_none_or(|newest| id > newest);
    let unknown = |one: &&Beside| one.case.as_deref().is_some_and(|id| !is_known(id) && is_later(id));
    let ours = |(node, one): (&str, &Beside)| (world.node(node).is_some()).then(|| (node.to_owned(), one.clone()));
    let all: Vec<(String, Beside)> = sights.beside().filter_map(ours).collect();
    let last = all.iter().map(|(_, one)| one).filter(unknown).filter_map(|one| one.case.clone()).max();
    let lost = match last {
        Some(id) => {
            let mut nodes: Vec<String> =
                all.iter().filter(|(_, one)| one.case.as_ref() == Some(&id)).map(|(node, _)| node.clone()).collect();
            nodes.dedup();
            let keep = if nodes.len() == 1 { "keeps" } else { "keep" };
            let text = format!(
                "{} {keep} keys of the case {id}, of which this journal knows nothing: its records are lost, or another \
                 changeguard with a journal of its own is at work there",
                names(&nodes)
            );
            Some((CaseId(id), text))
        }
        None => case
            .filter(|case| case.core.is_open())
            .and_then(|case| Some((case.core.id.clone(), behind(world, case, sights)?))),
    };
    let open = case.filter(|case| case.core.is_open()).map(tag);
    let is_left = |one: &Beside| !unknown(&one) && !is_of(one, open.as_deref());
    let left = all.iter().filter(|(_, one)| is_left(one)).map(|(node, one)| left(node, one, is_known)).collect();
    Strays { lost, left }
}

/// Whether it is of the open case; prepared keys of which that is not told may be.
pub(super) fn is_of(one: &Beside, open: Option<&str>) -> bool {
    match (&one.case, open) {
        (_, None) => false,
        (None, Some(_)) => one.is_next,
        (Some(case), Some(open)) => case == open,
    }
}

/// How it is known that the open case is further than its journal: something of a step that was never begun lies on a node, or something
/// that only a step takes away which was never begun lies there no more. Told only of nodes that were all seen.
fn behind(world: &World, case: &Case<Fernet>, sights: &Sights) -> Option<String> {
    let (core, own, tag) = (&case.core, &case.own, tag(case));
    let all_seen = sights.faults().next().is_none() && world.nodes.iter().all(|node| sights.node(&node.name).is_some());
    if !all_seen {
        return None;
    }
    let lies = |node: &str, is_next: bool| {
        sights.beside().any(|(on, one)| on == node && one.is_next == is_next && one.case.as_ref() == Some(&tag))
    };
    let live = |node: &str, wanted: &dyn Fn(&Held) -> Option<Keys>| {
        let holds = |held: &Held| Some(sights.repository(node, held.kind)?.digests() == wanted(held)?);
        !own.held.is_empty() && own.held.iter().all(|held| holds(held) == Some(true))
    };
    let nodes =
        |is: &dyn Fn(&str) -> bool| -> Vec<String> { world.names().into_iter().filter(|name| is(name)).collect() };
    let forward = core.way == Way::Forward;
    let is_new = |step| forward && !core.leg.is_begun(step) && !core.touched.contains(&step);
    // On another leg it stays until its own turn to be taken back.
    let stays = |step| match forward {
        true => is_new(PURGE),
        false => core.leg.state(step).is_some() && !core.leg.is_begun(step),
    };
    // Placed by a program that did not tell of which case.
    let has_next = |node: &str| sights.beside().any(|(on, one)| on == node && one.is_next && is_of(one, Some(&tag)));
    let in_force = |node: &str| {
        live(node, &|held| own.wanted(held.kind))
            || live(node, &|held| Some(own.prepared.get(&held.kind)?.keys.clone()))
    };
    // What each sign says of these nodes.
    let signs: [(Vec<String>, &str); 6] = [
        (nodes(&|node| is_new(BACK_UP) && lies(node, false)), "keys are saved, which no step of it has done"),
        (nodes(&|node| is_new(PREPARE) && lies(node, true)), "keys are prepared, which no step of it has done"),
        (nodes(&|node| is_new(INSTALL) && in_force(node)), "its keys are in force, which no step of it has done"),
        (
            nodes(&|node| forward && own.installed.contains(node) && live(node, &|held| Some(held.keys.clone()))),
            "the keys of before are in force again, which no step of it has done",
        ),
        (
            nodes(&|node| stays(BACK_UP) && own.saved.contains(node) && !lies(node, false)),
            "what it has saved lies there no more",
        ),
        (
            nodes(&|node| stays(DISTRIBUTE) && own.placed.contains(node) && !has_next(node)),
            "what it has placed lies there no more",
        ),
    ];
    let (who, what) = signs.into_iter().find(|(who, _)| !who.is_empty())?;
    let case = &core.id;
    Some(format!(
        "on {}, {what}: the case {case} has gone on in a part of the journal that is lost, or somebody else has changed that",
        names(&who)
    ))
}

fn left(node: &str, one: &Beside, is_known: &dyn Fn(&str) -> bool) -> String {
    let path = &one.path;
    match &one.case {
        Some(case) if is_known(case) => format!(
            "{node}: {path} (plain keys) was left by the case {case}, which is over: there, rm -r {path} takes it away"
        ),
        Some(case) => format!(
            "{node}: {path} (plain keys) is of the case {case}, of which this journal knows nothing: see whose it is, then take it away"
        ),
        None => format!("{node}: {path} (plain keys) is of no case that is known: see whose it is, then take it away"),
    }
}
