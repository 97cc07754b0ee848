//! The steps, and what they share.

mod backup;
mod check;
mod distribute;
mod install;
mod lend;
mod prepare;
mod purge;
mod verify;
mod watch;

use super::record::{FernetRecord, Held, Kind};
use super::world::Each;
use super::{Fernet, Node, State, World};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::agreement::{differences, names};
use crate::domain::fernet::repository::{Digest, Keys, Repository};
use crate::engine::case::runbook::{Case, Step, StepContext};
use crate::engine::ports::nodes::Place;
use crate::engine::step::{Probe, Progress};
use std::sync::Arc;

type Context<'a> = StepContext<'a, Fernet>;

/// All of them, in order.
pub(super) fn all() -> Vec<Box<dyn Step<Fernet>>> {
    vec![
        Box::new(check::Check),
        Box::new(backup::BackUp),
        Box::new(prepare::Prepare),
        Box::new(distribute::Distribute),
        Box::new(install::Install),
        Box::new(verify::Verify),
        Box::new(watch::Watch),
        Box::new(purge::Purge),
    ]
}

fn case(context: &Context<'_>) -> Arc<Case<Fernet>> {
    context.ledger.case()
}

/// The part of the case's id that names what it saves.
pub(super) fn tag(case: &Case<Fernet>) -> String {
    case.core.id.0.to_ascii_lowercase()
}

pub(super) fn place(held: &Held, node: &Node) -> Result<Place, Fault> {
    let none = || {
        let text = format!("{}: where its {} lie was not seen at the check", node.name, held.kind.word());
        Fault::new(Service::Node, FaultKind::Invalid, text).hint("nothing was changed").leads(&[Lead::Cancel])
    };
    Place::new(held.paths.get(&node.name).ok_or_else(none)?)
}

/// Lists a folder of each repository of a node, in the order of what is held.
async fn listed(node: &Node, state: &State, folder: impl Fn(&Place) -> String) -> Result<Vec<Repository>, Fault> {
    let folders = state.held.iter().map(|held| Ok(folder(&place(held, node)?))).collect::<Result<Vec<_>, Fault>>()?;
    node.files.list(&folders).await
}

/// What is in force on a node.
async fn live(node: &Node, state: &State) -> Result<Vec<Repository>, Fault> {
    listed(node, state, |place| place.live().to_owned()).await
}

/// What lies beside the live repositories of a node.
async fn next(node: &Node, state: &State) -> Result<Vec<Repository>, Fault> {
    listed(node, state, Place::next).await
}

/// Whether every node holds this under the live paths.
async fn holds_everywhere(world: &World, state: &State, wanted: impl Fn(Kind) -> Option<Keys>) -> Result<bool, Fault> {
    let seen = world.every(|node| live(node, state)).await.all()?;
    Ok(others(state, &seen, wanted).is_none())
}

/// What nodes hold instead of this; none where it is what each holds.
fn others(state: &State, seen: &[(String, Vec<Repository>)], wanted: impl Fn(Kind) -> Option<Keys>) -> Option<String> {
    let all = seen.iter().flat_map(|(node, all)| {
        let each = state.held.iter().zip(all);
        let each = each.filter_map(|(held, seen)| {
            let differ = differences(&seen.digests(), &wanted(held.kind).unwrap_or_default());
            (!differ.is_empty()).then(|| format!("{node} {} ({})", differ.join(", "), held.kind.word()))
        });
        each.collect::<Vec<_>>()
    });
    let all: Vec<String> = all.collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// `0 (0a1b2c3d4e5f), 3 (2c3d4e5f6a7b)`.
fn told<'a>(keys: impl IntoIterator<Item = (&'a u32, &'a Digest)>) -> String {
    keys.into_iter().map(|(index, digest)| format!("{index} ({digest})")).collect::<Vec<_>>().join(", ")
}

/// A probe that answers yes or no, or can't.
fn probed(result: Result<bool, Fault>, done: &str, not_done: &str) -> Probe {
    match result {
        Ok(true) => Probe::Done(done.to_owned()),
        Ok(false) => Probe::NotDone(not_done.to_owned()),
        Err(fault) => Probe::Unclear(fault),
    }
}

/// What the case has left is to be taken away on all nodes; where one does not answer it can't be, and that is said with what leads on.
fn taken_away<T>(each: Each<T>) -> Result<(), Fault> {
    let silent: Vec<String> = each.failed.iter().map(|(name, _)| name.clone()).collect();
    let (keep, them) = if silent.len() == 1 { ("keeps", "it") } else { ("keep", "them") };
    let hint = format!(
        "{} {keep} what the case has left there (plain keys beside the live ones, in force nowhere), the others do not: bring {them} \
         back; or, where that can't be, take {them} out of nodes in the configuration",
        names(&silent)
    );
    each.all().map(drop).map_err(|fault| fault.hint(hint).leads(&[Lead::Resume]))
}

fn nothing_to_undo() -> Fault {
    Fault::new(Service::Node, FaultKind::Invalid, "there is nothing to be taken back in this step")
}

fn not_prepared(kind: Kind) -> Fault {
    let text = format!("the {} were not prepared by this case", kind.word());
    Fault::new(Service::Node, FaultKind::Invalid, text).hint("nothing was changed").leads(&[Lead::Cancel])
}

/// Records that a node is done and tells how far it is.
async fn turn(context: &Context<'_>, record: FernetRecord, done: usize, text: String) -> Result<(), Fault> {
    context.ledger.record(record).await?;
    let step = case(context).core.running();
    if let Some(step) = step {
        let total = context.world.nodes.len() as u64;
        context.ledger.progress(Progress { step, done: done as u64, total, text });
    }
    Ok(())
}
