//! Stages on a node, with the keys that lie nowhere on it: somebody has taken its copy away, or has rotated on another node only. Whoever
//! has them lends them.

use super::{Context, Node, case, place, tag};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::fernet::install::Stage;
use crate::domain::fernet::repository::{Keys, Repository};
use crate::engine::ports::nodes::{Done, KeyArchive};
use crate::runbooks::fernet::record::Held;

/// Carries out the stages, planned on what is `known` of the node. What is missing there is looked for on the other nodes only where that is found out: nothing is asked twice
/// where nobody has meddled.
pub(super) async fn install(
    context: &Context<'_>,
    held: &Held,
    node: &Node,
    known: &Keys,
    stages: &[Stage],
) -> Result<Done, Fault> {
    let (place, tag, pause) = (place(held, node)?, tag(&case(context)), context.world.rules.pause);
    match node.files.install(&place, &tag, known, stages, None, pause).await {
        Err(fault) if fault.kind == FaultKind::NotFound => {
            let lent = lent(context, held, node, stages, fault).await?;
            context.ledger.fence().await?;
            node.files.install(&place, &tag, known, stages, Some(&lent), pause).await
        }
        done => done,
    }
}

/// The keys of these stages, from whichever node has them: in force, prepared, or saved. `fault`: what the node has said.
async fn lent(
    context: &Context<'_>,
    held: &Held,
    node: &Node,
    stages: &[Stage],
    fault: Fault,
) -> Result<KeyArchive, Fault> {
    let (world, tag) = (context.world, tag(&case(context)));
    let wanted: Keys = stages
        .iter()
        .filter_map(|stage| match stage {
            Stage::Add { index, digest } => Some((*index, *digest)),
            Stage::Staged { to, .. } => Some((0, *to)),
            Stage::Demote { .. } | Stage::Purge { .. } => None,
        })
        .collect();
    // A file that is no key would break Keystone wherever it is put.
    let has = |folder: &Repository| {
        folder.keys.values().any(|key| key.is_well_formed && wanted.values().any(|digest| key.digest == Some(*digest)))
    };
    let is_sound = |folder: &Repository| folder.keys.values().all(|key| key.is_well_formed);
    let lending = world
        .every(async |from| {
            let place = place(held, from)?;
            let all = from.files.list_all(&place, &tag).await?;
            let paths = [place.live().to_owned(), place.next(), place.backup(&tag)];
            let mut archives = Vec::new();
            for (folder, path) in all.iter().zip(&paths).filter(|(folder, _)| has(folder) && is_sound(folder)) {
                archives.push(from.files.fetch(path, &folder.digests()).await?);
            }
            Ok(archives)
        })
        .await;
    let silent: Vec<&str> = lending.failed.iter().map(|(name, _)| name.as_str()).collect();
    let archives: Vec<&KeyArchive> = lending.done.iter().flat_map(|(_, archives)| archives).collect();
    KeyArchive::compose(&wanted, &archives).map_err(|(index, digest)| {
        let nor = match silent.as_slice() {
            [] => "nor on any other node".to_owned(),
            silent => format!("nor on another node that answers ({} does not)", silent.join(", ")),
        };
        let text = format!("{}; {nor} lies a sound key with the content of key {index} ({digest})", fault.message);
        let hint = format!(
            "no key that was there was changed; bring that key to {} by hand, beside the others and below the highest index, or see \
             where somebody has put it",
            node.name
        );
        Fault::new(Service::Node, FaultKind::NotFound, text).hint(hint).leads(&[Lead::Resume])
    })
}
