//! Step 3: the rotator rotates in a copy. What comes of it is judged by what lies there, never by what keystone-manage says.

use super::super::record::{FernetRecord, Held, Kind};
use super::super::spec::PREPARE;
use super::super::{Fernet, Node, State, World};
use super::{Context, case, next, place, probed, tag, taken_away};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::repository::Repository;
use crate::domain::fernet::rotation::{Objection, judge_prepared};
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::ports::nodes;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;

pub(super) struct Prepare;

pub(super) fn rotator(world: &World) -> Result<&Node, Fault> {
    let none = || {
        Fault::new(Service::Configuration, FaultKind::Invalid, format!("{} is no node of the cluster", world.rotator))
    };
    world.node(&world.rotator).ok_or_else(none)
}

/// The nodes beside whose live keys the prepared ones lie, and those that can't be asked.
pub(super) async fn holders<'a>(world: &'a World, own: &State) -> (Vec<&'a Node>, Vec<String>) {
    let seen = world.every(|node| next(node, own)).await;
    let has = |all: &Vec<Repository>| {
        own.prepared.len() == own.held.len()
            && own.held.iter().zip(all).all(|(held, next)| own.prepared[&held.kind].keys == next.digests())
    };
    let holders = seen.done.iter().filter(|(_, all)| has(all)).filter_map(|(name, _)| world.node(name)).collect();
    (holders, seen.failed.into_iter().map(|(name, _)| name).collect())
}

/// The prepared copy is on no node that answers: one promotion a case is the rule, so no other is made.
pub(super) fn only_there(fault: Fault, silent: &[String]) -> Fault {
    let lies = match silent {
        [] => "the prepared copy lies on none of the nodes".to_owned(),
        silent => {
            format!("the prepared copy lies on none of the nodes that answer, and {} does not", silent.join(", "))
        }
    };
    let by_hand = match silent {
        [] => "nothing is in force".to_owned(),
        silent => format!(
            "nothing is in force; the only copy is on {}, which does not answer: where it is gone for good, take it out of the configuration",
            silent.join(", ")
        ),
    };
    let text = format!("{lies}: {}", fault.message);
    Fault::new(fault.service, fault.kind, text).hint(by_hand).leads(&[Lead::Cancel, Lead::Resume])
}

#[async_trait]
impl Step<Fernet> for Prepare {
    fn number(&self) -> StepNumber {
        PREPARE
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "keystone-manage ends with 0 and nothing was rotated",
            remedy: "it does so where it can't read the repository: see its complaint, and the owner of the folder",
        }]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let look = async {
            let seen = next(rotator(context.world)?, &now.own).await?;
            Ok(now.own.held.iter().zip(&seen).all(|pair| is_prepared(&now.own, pair)))
        };
        probed(look.await, "the copy is prepared", "no copy is prepared")
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let (world, now) = (context.world, case(context));
        let node = rotator(world)?;
        let is_it = |seen: &Vec<Repository>| now.own.held.iter().zip(seen).all(|pair| is_prepared(&now.own, pair));
        if !now.own.prepared.is_empty() && next(node, &now.own).await.is_ok_and(|seen| !is_it(&seen)) {
            // It was prepared by whoever rotated before; what lies here is of a rotation that was killed.
            let (holders, silent) = holders(world, &now.own).await;
            let Some(holder) = holders.first() else {
                let fault = Fault::new(Service::Node, FaultKind::Conflict, format!("{} has no copy", node.name));
                return Err(only_there(fault, &silent));
            };
            return Ok(format!("it is prepared in a copy on {}", holder.name));
        }
        let away = |fault: Fault| {
            let by_hand =
                format!("{}; or name another rotator in the configuration, which prepares then", fault.by_hand());
            fault.hint(by_hand).leads(&[Lead::Resume, Lead::Cancel])
        };
        // Where its settings and keystone-manage lie was seen at the check, or when it was gone on with.
        let look = match context.ledger.seen().reached(&node.name) {
            Some(look) => look,
            None => node.files.look(&world.look_at(node)).await.map_err(away)?,
        };
        let of = |kind| now.own.held.iter().find(|held| held.kind == kind).map(|held| place(held, node)).transpose();
        let none = |what: &str| Fault::new(Service::Node, FaultKind::NotStarted, format!("{}: {what}", node.name));
        let prepare = nodes::Prepare {
            tokens: of(Kind::Tokens)?.ok_or_else(|| none("its repository was not seen at the check"))?,
            receipts: of(Kind::Receipts)?,
            files: look.files,
            keystone_manage: look.keystone_manage.ok_or_else(|| none("keystone-manage is not found there"))?,
            reader: world.reader.clone(),
            tag: tag(&now),
        };
        context.ledger.fence().await?;
        let prepared = node.files.prepare(&prepare).await.map_err(|fault| match fault.kind {
            FaultKind::Unreachable => away(fault),
            _ => fault,
        })?;
        let mut told = Vec::new();
        for (at, held) in now.own.held.iter().enumerate() {
            let (Some(live), Some(next)) = (prepared.live.get(at), prepared.next.get(at)) else {
                return Err(none("a repository is missing in what was prepared"));
            };
            if live.digests() != held.keys {
                return Err(wrong(&node.name, "the live keys are not those of the check any more"));
            }
            let promotion = judge_prepared(live, next, held.max_active_keys).map_err(|found| {
                let said = found.iter().map(Objection::message).collect::<Vec<_>>().join("; ");
                let complaint = if prepared.said.is_empty() { String::new() } else { format!(" ({})", prepared.said) };
                wrong(&node.name, &format!("the copy is not one rotation away: {said}{complaint}"))
            })?;
            told.push(format!(
                "{}: {} becomes the primary {}",
                held.kind.word(),
                promotion.promoted,
                promotion.primary
            ));
            context.ledger.record(FernetRecord::Prepared { kind: held.kind, promotion }).await?;
        }
        Ok(format!("prepared in a copy on {}: {}", node.name, told.join("; ")))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let look = async {
            let seen = context.world.every(|node| next(node, &now.own)).await.all()?;
            Ok(seen.iter().flat_map(|(_, all)| all).all(|one| one.keys.is_empty()))
        };
        probed(look.await, "no copy is left", "a copy is left")
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        context.ledger.fence().await?;
        // Whoever was to rotate first may have one, too.
        let cleared = context.world.every(async |node| {
            for held in &now.own.held {
                context.ledger.fence().await?;
                node.files.clear(&place(held, node)?).await?;
            }
            Ok(())
        });
        taken_away(cleared.await)?;
        Ok("the prepared copy is taken away, on every node".into())
    }
}

/// Whether a repository is what the case has prepared.
fn is_prepared(own: &State, (held, seen): (&Held, &Repository)) -> bool {
    own.prepared.get(&held.kind).is_some_and(|promotion| promotion.keys == seen.digests())
}

fn wrong(node: &str, what: &str) -> Fault {
    Fault::new(Service::Node, FaultKind::Conflict, format!("{node}: {what}"))
        .hint("no live repository was touched")
        .leads(&[Lead::Cancel])
}
