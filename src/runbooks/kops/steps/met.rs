//! On the way back: somebody else has distrusted what the case goes back to. It is trusted again by its id, only what the journal knows as
//! trusted before, and every instance rolls behind that, before holders are asked or anything is promoted: the other order locks them out.

use super::super::holders::{ADMIN_BACK, left_by_a_stranger};
use super::super::record::KopsRecord;
use super::super::roll::{Context, follow};
use super::super::state::AGAIN;
use super::change::distrust;
use super::export::known_again;
use super::{case, keysets, record, standing};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::kops::track::Standing;
use crate::engine::case::spec::Move;

/// Looks whether somebody else has distrusted a previous keypair, and does what that needs. Gives what was done. Errors: holders are
/// waited for, who may have been given what is not let in behind the next step back.
pub(super) async fn trusted_again(context: &Context<'_>) -> Result<Option<String>, Fault> {
    let now = case(context);
    let seen = keysets(context).await?;
    let (mut gone, mut is_promoted) = (Vec::new(), false);
    for track in &now.own.tracks {
        let found = standing(track, &seen)?;
        is_promoted |= found >= Standing::Promoted;
        if found == Standing::Distrusted {
            gone.push(track.keyset.clone());
        }
    }
    let known = now.own.met.as_ref().map(|(keysets, _)| keysets.as_slice());
    // What is found behind an update has not reached the cloud with it.
    let is_new = !gone.is_empty()
        && (now.own.at(AGAIN).is_begun() || gone.iter().any(|name| known.is_none_or(|known| !known.contains(name))));
    let is_own_step = now.core.leg.road.contains(&Move::Undo(AGAIN.step));
    let may_be_lost = is_promoted && known.is_none() && !is_own_step && now.own.unknown.contains(&AGAIN);
    if is_new || may_be_lost {
        record(context, KopsRecord::Met { keysets: gone }).await?;
    }
    let own = case(context).own.clone();
    let Some((keysets, _)) = &own.met else { return Ok(None) };
    let mut said = None;
    if own.is_met() {
        distrust(context, true, Some(keysets)).await?;
        let rolled = follow(context, AGAIN).await?;
        said = Some(match keysets.as_slice() {
            [] => format!("rolled once more: {rolled}"),
            names => format!(
                "what somebody else had distrusted is trusted again, by its ids ({}); {rolled}",
                names.join(", ")
            ),
        });
    }
    if !left_by_a_stranger(context.world, &case(context)).is_empty() {
        known_again(context).await?;
    }
    match left_by_a_stranger(context.world, &case(context)).first() {
        None => Ok(said),
        Some((about, left)) => {
            let what = match *about {
                ADMIN_BACK => "the previous admin credential",
                _ => "the certificates of both authorities",
            };
            let text = format!("waits for {} holders to have {what} again: {}", left.len(), left.join(", "));
            Err(Fault::new(Service::Gate, FaultKind::Refused, text)
                .hint("whoever distrusted it may have given them others: hand it over first, else the next step back locks them out")
                .leads(&[Lead::Settle]))
        }
    }
}
