//! What cases have left beside the live keys, against what the journal knows: a case of which it knows nothing, or whose saved keys are
//! gone, has an end that is lost; what a case left that is over is plain keys that somebody should take away.

use super::spec::{BACK_UP, PURGE};
use super::steps::tag;
use super::{Fernet, Sights, World};
use crate::domain::fernet::agreement::names;
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
        None => case.filter(|case| is_gone(world, case, sights)).map(|case| {
            let text = format!(
                "what the case {} has saved lies on no node any more: it has ended in a part of the journal that is lost, or \
                 somebody has taken it away",
                case.core.id
            );
            (case.core.id.clone(), text)
        }),
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

/// The journal has saved keys on nodes that were all seen, and there are none.
fn is_gone(world: &World, case: &Case<Fernet>, sights: &Sights) -> bool {
    let (core, tag) = (&case.core, tag(case));
    let should_be = core.is_open()
        && core.way == Way::Forward
        && core.state(BACK_UP).is_done()
        && !core.touched.contains(&PURGE)
        && world.nodes.iter().any(|node| case.own.saved.contains(&node.name));
    let all_seen = sights.faults().next().is_none() && world.nodes.iter().all(|node| sights.node(&node.name).is_some());
    should_be && all_seen && !sights.beside().any(|(_, one)| !one.is_next && one.case.as_ref() == Some(&tag))
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
