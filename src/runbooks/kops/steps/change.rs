//! Steps 3 and 5: each keyset's keypair is changed by its id, one after the other with a record each, and every instance follows.

use super::super::record::{Change, KopsRecord};
use super::super::roll::{Context, follow};
use super::super::spec::{DISTRUST, PROMOTE};
use super::super::{Kops, State};
use super::export::known_again;
use super::met::trusted_again;
use super::{all_stand, at, case, conflict, further, keysets, never_updated, probed, record, standing};
use crate::domain::fault::{Fault, Lead};
use crate::domain::kops::keypair::KeypairId;
use crate::domain::kops::keyset::Keysets;
use crate::domain::kops::track::{Standing, Track};
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::step::{Probe, Trouble};
use async_trait::async_trait;

pub(super) struct Promote;
pub(super) struct Distrust;

/// Makes this keypair the primary of its keyset where it is not.
async fn promote(context: &Context<'_>, back: bool) -> Result<(), Fault> {
    let (from, to) = if back { (Standing::Promoted, Standing::Staged) } else { (Standing::Staged, Standing::Promoted) };
    let own = case(context).own.clone();
    let seen = keysets(context).await?;
    for track in &own.tracks {
        let id = if back { Some(track.old.clone()) } else { track.new.clone() };
        let Some(id) = id else { continue };
        match standing(track, &seen)? {
            // On the way back it may be further back already, where the end of a journal was lost.
            found if found == to || back && found < to => continue,
            found if found == from => {}
            found if back => return Err(further(track, &seen, found, from)),
            _ => return Err(conflict(format!("{}: it can't be promoted as it is", track.keyset), &[Lead::Resume])),
        }
        context.ledger.fence().await?;
        context.world.cluster.promote(&track.keyset, &id).await?;
        let (keyset, change) = (track.keyset.clone(), Change::Promoted);
        record(context, KopsRecord::Changed { at: at(PROMOTE, back), keyset, id, change }).await?;
    }
    stands(&own, &keysets(context).await?, to, back)
}

/// All keysets are so; on the way back some may be further back already.
fn stands(own: &State, seen: &Keysets, wanted: Standing, back: bool) -> Result<(), Fault> {
    for track in own.tracks.iter().filter(|_| back) {
        if standing(track, seen)? > wanted {
            let text = format!("{}: its keypairs are not as they were just made", track.keyset);
            return Err(conflict(text, &[Lead::Resume]));
        }
    }
    if back { Ok(()) } else { all_stand(own, seen, wanted) }
}

/// Takes all keypairs of before out of trust, or into it again, where they are not. `only`: of these keysets; none: of all.
pub(super) async fn distrust(context: &Context<'_>, back: bool, only: Option<&[String]>) -> Result<(), Fault> {
    let own = case(context).own.clone();
    let seen = keysets(context).await?;
    let is_meant = |track: &&Track| only.is_none_or(|only| only.contains(&track.keyset));
    for track in own.tracks.iter().filter(is_meant) {
        if standing(track, &seen)? < Standing::Promoted && !back {
            return Err(conflict(format!("{}: its new keypair is not the primary one", track.keyset), &[Lead::Resume]));
        }
        for id in track.retires() {
            if seen.is_trusted(&track.keyset, &id) == back {
                continue;
            }
            context.ledger.fence().await?;
            let (keyset, cluster) = (track.keyset.clone(), &context.world.cluster);
            let change = match back {
                true => cluster.trust(&keyset, &id).await.map(|()| Change::Trusted)?,
                false => cluster.distrust(&keyset, &id).await.map(|()| Change::Distrusted)?,
            };
            record(context, KopsRecord::Changed { at: at(DISTRUST, back), keyset, id, change }).await?;
        }
    }
    let seen = keysets(context).await?;
    let wrong =
        |track: &&Track| track.retires().iter().any(|id: &KeypairId| seen.is_trusted(&track.keyset, id) != back);
    match own.tracks.iter().filter(is_meant).find(wrong) {
        None => stands(&own, &seen, if back { Standing::Promoted } else { Standing::Distrusted }, back),
        Some(track) => {
            let text = format!("{}: its previous keypairs are not as they were just made", track.keyset);
            Err(conflict(text, &[Lead::Resume]))
        }
    }
}

/// What follows a change that was taken back in the state store.
async fn back(context: &Context<'_>, step: StepNumber) -> Result<String, Fault> {
    let own = case(context).own.clone();
    match never_updated(&own, step) {
        true => Ok("nothing of it had reached the cluster".into()),
        false => follow(context, at(step, true)).await,
    }
}

#[async_trait]
impl Step<Kops> for Promote {
    fn number(&self) -> StepNumber {
        PROMOTE
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "a client says x509: certificate signed by unknown authority",
                remedy: "it has not got the certificates of both authorities: hand them out (step 2), or roll back, which promotes the previous keypairs by their ids",
            },
            Trouble {
                symptom: "no node joins",
                remedy: "between the update and the end of the roll old and new instances do not know each other's kops-controller: hold the autoscaler, and go on with the roll",
            },
        ]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        probed(&case(context).own, at(PROMOTE, false), keysets(context).await, Standing::Promoted)
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        context.ledger.touch(PROMOTE).await?;
        known_again(context).await?;
        promote(context, false).await?;
        let rolled = follow(context, at(PROMOTE, false)).await?;
        Ok(format!("{} new keypairs are primary; {rolled}", case(context).own.tracks.len()))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        probed(&case(context).own, at(PROMOTE, true), keysets(context).await, Standing::Staged)
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let again = trusted_again(context).await?;
        promote(context, true).await?;
        let rolled = back(context, PROMOTE).await?;
        let count = case(context).own.tracks.len();
        let said = format!("{count} previous keypairs are primary again, by their ids; {rolled}");
        Ok(again.into_iter().chain([said]).collect::<Vec<_>>().join("; "))
    }
}

#[async_trait]
impl Step<Kops> for Distrust {
    fn number(&self) -> StepNumber {
        DISTRUST
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "Unauthorized, or x509: certificate signed by unknown authority",
                remedy: "somebody still uses a credential of the previous keypair: roll back, which trusts it again by its id and rolls with --force; then hand out new credentials to whom it was",
            },
            Trouble {
                symptom: "the roll itself is not let in",
                remedy: "its credential is of the previous authority (kOps before it made its own): set the alarm aside, and the group is rolled with --cloudonly; or roll back",
            },
        ]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        probed(&case(context).own, at(DISTRUST, false), keysets(context).await, Standing::Distrusted)
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        context.ledger.touch(DISTRUST).await?;
        distrust(context, false, None).await?;
        let rolled = follow(context, at(DISTRUST, false)).await?;
        Ok(format!("the previous keypairs of {} keysets are trusted no more; {rolled}", case(context).own.tracks.len()))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        probed(&case(context).own, at(DISTRUST, true), keysets(context).await, Standing::Promoted)
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        distrust(context, true, None).await?;
        let rolled = back(context, DISTRUST).await?;
        Ok(format!(
            "the previous keypairs of {} keysets are trusted again, by their ids; {rolled}",
            case(context).own.tracks.len()
        ))
    }
}
