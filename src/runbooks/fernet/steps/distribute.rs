//! Step 4: the prepared copy is brought to every node, beside its live repository. A node that fails does not stop the others.

use super::super::record::FernetRecord;
use super::super::spec::DISTRIBUTE;
use super::super::{Fernet, Node, State, World};
use super::prepare::{holders, only_there, rotator};
use super::{Context, case, next, not_prepared, place, probed, tag, taken_away, turn};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::rotation::Promotion;
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::ports::nodes::KeyArchive;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;

pub(super) struct Distribute;

/// The prepared keys as they lie beside the live ones of a node, with what was prepared.
async fn fetched<'a>(from: &Node, own: &'a State) -> Result<Vec<(KeyArchive, &'a Promotion)>, Fault> {
    let mut archives = Vec::new();
    for held in &own.held {
        let promotion = own.prepared.get(&held.kind).ok_or_else(|| not_prepared(held.kind))?;
        archives.push((from.files.fetch(&place(held, from)?.next(), &promotion.keys).await?, promotion));
    }
    Ok(archives)
}

/// The same from any node that has them: whoever has prepared them may be gone, or rotate no more. `fault`: why the rotator gave none.
async fn elsewhere<'a>(world: &World, own: &'a State, fault: Fault) -> Result<Vec<(KeyArchive, &'a Promotion)>, Fault> {
    let (holders, silent) = holders(world, own).await;
    for holder in holders {
        if let Ok(archives) = fetched(holder, own).await {
            return Ok(archives);
        }
    }
    Err(only_there(fault, &silent))
}

#[async_trait]
impl Step<Fernet> for Distribute {
    fn number(&self) -> StepNumber {
        DISTRIBUTE
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "a node can't be reached",
            remedy: "the others have theirs, and nothing is in force yet: bring it back, then resume, or cancel",
        }]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let own = &now.own;
        let seen = context
            .world
            .every(async |node| {
                let seen = next(node, own).await?;
                let same = own.held.iter().zip(&seen).all(|(held, seen)| {
                    own.prepared.get(&held.kind).is_some_and(|promotion| promotion.keys == seen.digests())
                });
                Ok(same)
            })
            .await;
        probed(seen.all().map(|all| all.iter().all(|(_, same)| *same)), "every node has it", "not every node has it")
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let (world, now) = (context.world, case(context));
        let (own, tag) = (&now.own, tag(&now));
        let from = rotator(world)?;
        let (archives, has_it) = match fetched(from, own).await {
            // What was fetched there lies there, by digest.
            Ok(archives) => (archives, Some(from).filter(|from| !own.placed.contains(&from.name))),
            Err(fault) => (elsewhere(world, own, fault).await?, None),
        };
        context.ledger.fence().await?;
        let is_left =
            |node: &&Node| !own.placed.contains(&node.name) && has_it.is_none_or(|has_it| has_it.name != node.name);
        let nodes: Vec<_> = world.nodes.iter().filter(is_left).collect();
        let placed = world
            .each(&nodes, async |node| {
                for (held, (archive, promotion)) in own.held.iter().zip(&archives) {
                    let place = place(held, node)?;
                    context.ledger.fence().await?;
                    let placed = node.files.place(&place, &tag, archive).await?;
                    if placed.next.digests() != promotion.keys {
                        let text = format!("{}: what was placed at {} is not what was sent", node.name, place.next());
                        return Err(Fault::new(Service::Node, FaultKind::Conflict, text)
                            .hint("nothing is in force")
                            .leads(&[Lead::Resume, Lead::Cancel]));
                    }
                }
                Ok(())
            })
            .await;
        let before = own.placed.len();
        let done = has_it.iter().map(|node| &node.name).chain(placed.done.iter().map(|(node, ())| node));
        for (at, node) in done.enumerate() {
            let record = FernetRecord::Placed { node: node.clone() };
            turn(context, record, before + at + 1, format!("{node} has it")).await?;
        }
        placed.all()?;
        Ok(format!("{} nodes have the prepared keys beside the live ones, equal by digest", world.nodes.len()))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let seen = context
            .world
            .every(async |node| Ok(next(node, &now.own).await?.iter().all(|one| one.keys.is_empty())))
            .await;
        probed(
            seen.all().map(|all| all.iter().all(|(_, gone)| *gone)),
            "nothing placed is left",
            "something placed is left",
        )
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        context.ledger.fence().await?;
        let cleared = context
            .world
            .every(async |node| {
                for held in &now.own.held {
                    context.ledger.fence().await?;
                    node.files.clear(&place(held, node)?).await?;
                }
                Ok(())
            })
            .await;
        taken_away(cleared)?;
        Ok("what was placed beside the live keys is taken away".into())
    }
}
