//! Step 2: every node's repositories are saved beside themselves, and it is tried whether they could be restored.

use super::super::facts::left_behind;
use super::super::record::{FernetRecord, Held};
use super::super::spec::BACK_UP;
use super::super::{Fernet, State};
use super::prepare::rotator;
use super::{Context, case, live, place, probed, tag, taken_away, told, turn};
use crate::domain::fault::{Fault, FaultKind, Lead};
use crate::domain::fernet::repository::Digest;
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::{Case, Step};
use crate::engine::ports::nodes::KeyVault;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;
use std::sync::Arc;

pub(super) struct BackUp;

/// Under which name the encrypted archive of a repository is kept.
fn name(case: &Case<Fernet>, held: &Held) -> String {
    format!("{}-{}-{}", case.core.subject.replace('/', "-"), tag(case), held.kind.word())
}

/// Keeps one encrypted archive of what was saved, where a command for that is configured; says where it is, and what was tried of it.
async fn archived(context: &Context<'_>, case: &Case<Fernet>) -> Result<String, Fault> {
    let (world, own) = (context.world, &case.own);
    let Some(vault) = &world.vault else { return Ok(String::new()) };
    let from = rotator(world)?;
    let mut told = Vec::new();
    for held in &own.held {
        // All nodes have saved the same.
        let folder = place(held, from)?.backup(&tag(case));
        let archive = from.files.fetch(&folder, &held.keys).await?;
        let kept = vault.keep(&name(case, held), &archive).await?;
        let tried = match kept.is_opened {
            true => "opened again and equal by digest",
            false => "not tried whether it can be opened, for no command for that is configured",
        };
        told.push(format!("encrypted by your command at {} ({tried})", kept.path));
    }
    Ok(format!("; {}", told.join(", ")))
}

#[async_trait]
impl Step<Fernet> for BackUp {
    fn number(&self) -> StepNumber {
        BACK_UP
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[Trouble {
            symptom: "it says that a file system is one of its own",
            remedy: "nothing can be renamed into it from beside (a volume of a container): this way of rotating is not for it",
        }]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let all = context.world.nodes.iter().all(|node| now.own.saved.contains(&node.name));
        let is_kept = |vault: &Arc<dyn KeyVault>| now.own.held.iter().all(|held| vault.has(&name(&now, held)));
        if all && context.world.vault.as_ref().is_none_or(is_kept) {
            Probe::Done("every node is saved".into())
        } else {
            Probe::NotDone("not every node is saved".into())
        }
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        let (own, tag) = (&now.own, tag(&now));
        let nodes: Vec<_> = context.world.nodes.iter().filter(|node| !own.saved.contains(&node.name)).collect();
        // Where somebody else is at work nothing is tried again.
        let elsewhere = |fault: Fault| match fault.kind {
            FaultKind::Conflict => fault.leads(&[Lead::Cancel]),
            _ => fault,
        };
        context.ledger.fence().await?;
        let saved = context
            .world
            .each(&nodes, async |node| {
                for held in &own.held {
                    let place = place(held, node)?;
                    context.ledger.fence().await?;
                    node.files.save(&place, &tag, &held.keys).await.map_err(elsewhere)?;
                }
                Ok(())
            })
            .await;
        let before = own.saved.len();
        for (at, (node, ())) in saved.done.iter().enumerate() {
            let record = FernetRecord::Saved { node: node.clone() };
            turn(context, record, before + at + 1, format!("{node} is saved")).await?;
        }
        saved.all()?;
        let count = context.world.nodes.len();
        let archive = archived(context, &now).await?;
        Ok(format!("{count} nodes are saved beside themselves, unencrypted, and could be restored{archive}"))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        let now = case(context);
        let (own, tag) = (&now.own, tag(&now));
        let seen = context
            .world
            .every(async |node| {
                let mut gone = true;
                for held in &own.held {
                    let [_, _, backup] = node.files.list_all(&place(held, node)?, &tag).await?;
                    gone &= backup.keys.is_empty();
                }
                Ok(gone)
            })
            .await;
        probed(
            seen.all().map(|all| all.iter().all(|(_, gone)| *gone)),
            "nothing saved is left",
            "something saved is left",
        )
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let now = case(context);
        let (own, tag) = (&now.own, tag(&now));
        let only = only_saved(context, own).await;
        if !only.is_empty() {
            return Ok(format!(
                "what was saved stays on the nodes (beside the live keys, .changeguard-{tag}), for somebody else has taken keys away that \
                 lie nowhere else: {}; what was made with them is refused until they lie on every node again, below the highest",
                only.join("; ")
            ));
        }
        context.ledger.fence().await?;
        let dropped = context
            .world
            .every(async |node| {
                for held in &own.held {
                    context.ledger.fence().await?;
                    node.files.drop_backup(&place(held, node)?, &tag).await?;
                }
                Ok(())
            })
            .await;
        taken_away(dropped)?;
        let stays = left_behind(context.world, &now).map(|stays| format!("; {stays}")).unwrap_or_default();
        Ok(format!("what was saved is taken away{stays}"))
    }
}

/// The keys of what was saved that have encrypted tokens and are in force on no node any more: somebody else has taken them away.
async fn only_saved(context: &Context<'_>, own: &State) -> Vec<String> {
    if own.saved.is_empty() {
        return Vec::new();
    }
    let seen = context.world.every(|node| live(node, own)).await;
    if seen.done.is_empty() {
        return Vec::new();
    }
    let of = |(at, held): (usize, &Held)| {
        let is_live = |digest: &Digest| {
            let mut all = seen.done.iter().filter_map(|(_, all)| all.get(at));
            all.any(|one| one.digests().values().any(|live| live == digest))
        };
        let gone: Vec<_> = held.keys.range(1..).filter(|(_, digest)| !is_live(digest)).collect();
        (!gone.is_empty()).then(|| format!("{}: key {}", held.kind.word(), told(gone)))
    };
    own.held.iter().enumerate().filter_map(of).collect()
}
