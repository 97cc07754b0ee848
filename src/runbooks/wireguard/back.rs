//! What a way back would meet, looked at before it is begun: whether the previous key is still kept, and who is back or probably
//! is, and would be cut off again.

use super::kept::kept_keys;
use super::verify::look_who_is_back;
use crate::domain::client::Client;
use crate::domain::fault::{Fault, Service};
use crate::domain::freshness::{Peers, Presence, judge_person};
use crate::domain::key::KeyRole;
use crate::engine::machine::BackSight;
use crate::engine::step::StepContext;

/// Looks. What can't be seen now is no obstacle: the way back is there for when little answers. Errs only where the journal can't
/// be written.
pub async fn look_back(context: &StepContext<'_>) -> Result<BackSight, Fault> {
    let previous = context.rotation().keys.get(&KeyRole::Previous).cloned();
    let kept = async {
        let kept = previous.as_ref()?;
        let (ours, others): (Vec<_>, Vec<_>) = kept_keys(context.world, &kept.name)
            .await
            .ok()?
            .into_iter()
            .partition(|(_, public_key)| *public_key == kept.public_key);
        Some((ours.into_iter().next(), others))
    };
    let (kept, reading) = futures_util::join!(kept, look_who_is_back(context));
    let is_kept = kept.as_ref().map(|(found, _)| found.is_some());
    let (found, instead) = kept.unwrap_or_default();
    let found = found.map(|(href, _)| href);
    let instead = instead.into_iter().map(|(_, public_key)| public_key).collect();
    let reading = match reading {
        Err(fault) if fault.service == Service::Journal => return Err(fault),
        Err(_) => return Ok(BackSight { is_kept, found, instead, probable: Vec::new() }),
        Ok(reading) => reading,
    };
    let (rotation, peers) = (context.rotation(), Peers::of(&reading));
    let probable = rotation.applied.iter().flat_map(|applied| {
        let is_probable =
            |client: &&Client| judge_person(&applied.baseline, &peers, client.keys()) == Some(Presence::ProbablyBack);
        let open = rotation.clients.iter().filter(|client| !rotation.back.contains_key(&client.id));
        open.filter(is_probable).map(|client| client.id.clone()).collect::<Vec<_>>()
    });
    Ok(BackSight { is_kept, found, instead, probable: probable.collect() })
}
