//! Step 1: a keypair is created in each keyset, one keyset after the other with a record each, and every instance gets to know it.

use super::super::Kops;
use super::super::record::{Change, KopsRecord, Round};
use super::super::roll::{Context, follow};
use super::super::spec::STAGE;
use super::{all_stand, at, case, conflict, further, keysets, never_updated, probed, record, standing, tag};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::kops::track::{Standing, Track};
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::Step;
use crate::engine::ports::kops::Export;
use crate::engine::step::{Probe, Progress, Trouble};
use async_trait::async_trait;

pub(super) struct Stage;

/// What will be rotated, and what is there before; and the certificates as they are, for the way back.
async fn plan(context: &Context<'_>) -> Result<(), Fault> {
    let world = context.world;
    let (version, keysets) = (world.cluster.version().await?, keysets(context).await?);
    let tracks: Option<Vec<Track>> = world.chosen(&keysets).iter().map(|name| Track::begin(&keysets, name)).collect();
    let tracks = tracks.filter(|tracks| !tracks.is_empty()).ok_or_else(|| {
        Fault::new(Service::Kops, FaultKind::NotFound, "there is no keyset to rotate, or one has no primary keypair")
            .hint("nothing was changed")
            .leads(&[Lead::Cancel])
    })?;
    record(context, KopsRecord::Planned { version, tracks }).await
}

async fn keep_the_certificates(context: &Context<'_>) -> Result<(), Fault> {
    let now = case(context);
    if now.own.exported.contains_key(&Round::Before) {
        return Ok(());
    }
    let export = Export { tag: format!("{}-before", tag(&now)), admin: None };
    let exported = context.world.cluster.export(&export).await?;
    record(context, KopsRecord::Exported { round: Round::Before, exported }).await
}

/// One keypair a keyset: what is there already is met.
async fn create(context: &Context<'_>) -> Result<(), Fault> {
    let total = case(context).own.tracks.len();
    for number in 0..total {
        let track = case(context).own.tracks[number].clone();
        if track.new.is_some() {
            continue;
        }
        let seen = keysets(context).await?;
        standing(&track, &seen)?;
        let left = track.left_by_a_create(&seen).map_err(|why| conflict(why, &[Lead::Resume]))?;
        let (id, found) = match left {
            Some(id) if case(context).own.may_have_made(number, &id) => (id, true),
            Some(id) => {
                let text = format!("{}: {id} is staged, and not by this case", track.keyset);
                return Err(conflict(text, &[Lead::RollBack, Lead::Resume]));
            }
            None => {
                context.ledger.fence().await?;
                let said = context.world.cluster.create(&track.keyset).await?;
                let id = match said {
                    Some(id) => id,
                    None => made(context, &track).await?,
                };
                (id, false)
            }
        };
        let keyset = track.keyset.clone();
        record(context, KopsRecord::Created { keyset: keyset.clone(), id: id.clone(), found }).await?;
        let (done, total) = (number as u64 + 1, total as u64);
        let text = format!("{keyset}: {id} is staged");
        context.ledger.progress(Progress { step: STAGE, done, total, text });
    }
    all_stand(&case(context).own, &keysets(context).await?, Standing::Staged)
}

/// The keypair that a create has made without saying so.
async fn made(context: &Context<'_>, track: &Track) -> Result<crate::domain::kops::keypair::KeypairId, Fault> {
    let found = track.left_by_a_create(&keysets(context).await?).map_err(|why| conflict(why, &[Lead::Resume]))?;
    found.ok_or_else(|| {
        let text = format!("{}: no keypair was created, though kops ended with 0", track.keyset);
        Fault::new(Service::Kops, FaultKind::Malformed, text)
            .hint("see what it prints when it is run by hand")
            .leads(&[Lead::Resume, Lead::RollBack])
    })
}

#[async_trait]
impl Step<Kops> for Stage {
    fn number(&self) -> StepNumber {
        STAGE
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "0 instances need an update",
                remedy: "the update was not seen, or changed nothing (bare metal): set the alarm aside, and every instance is rolled with --force; go back where that is no choice. Never go on to distrust",
            },
            Trouble {
                symptom: "the roll waits for a drain",
                remedy: "a PodDisruptionBudget does not let a pod be moved: make room for it, then resume; the group goes on where it stands",
            },
            Trouble {
                symptom: "the command was lost in the middle of a roll",
                remedy: "it was ended with the connection; resume looks at the group first and rolls only what is left of it",
            },
        ]
    }

    async fn probe(&self, context: &Context<'_>) -> Probe {
        probed(&case(context).own, at(STAGE, false), keysets(context).await, Standing::Staged)
    }

    async fn perform(&self, context: &Context<'_>) -> Result<String, Fault> {
        if case(context).own.tracks.is_empty() {
            plan(context).await?;
        }
        keep_the_certificates(context).await?;
        context.ledger.touch(STAGE).await?;
        create(context).await?;
        let rolled = follow(context, at(STAGE, false)).await?;
        Ok(format!("{} keysets are staged; {rolled}", case(context).own.tracks.len()))
    }

    async fn probe_undo(&self, context: &Context<'_>) -> Probe {
        let own = &case(context).own;
        match keysets(context).await {
            Ok(_) if own.tracks.iter().all(|track| track.new.is_none()) => {
                Probe::NotDone("nothing was recorded as created: it is looked at".into())
            }
            seen => probed(own, at(STAGE, true), seen, Standing::Before),
        }
    }

    async fn undo(&self, context: &Context<'_>) -> Result<String, Fault> {
        let own = case(context).own.clone();
        let seen = keysets(context).await?;
        let mut gone = 0;
        for (number, track) in own.tracks.iter().enumerate() {
            let new = match &track.new {
                Some(new) => Some(new.clone()),
                // What somebody else has made is theirs.
                None => {
                    let left = track.left_by_a_create(&seen).map_err(|why| conflict(why, &[Lead::Resume]))?;
                    left.filter(|id| own.may_have_made(number, id))
                }
            };
            let Some(new) = new else { continue };
            gone += 1;
            if seen.is_trusted(&track.keyset, &new) {
                let found = standing(track, &seen)?;
                if found > Standing::Staged {
                    return Err(further(track, &seen, found, Standing::Staged));
                }
                context.ledger.fence().await?;
                context.world.cluster.distrust(&track.keyset, &new).await?;
                let (keyset, change) = (track.keyset.clone(), Change::Distrusted);
                record(context, KopsRecord::Changed { at: at(STAGE, true), keyset, id: new, change }).await?;
            }
        }
        let seen = keysets(context).await?;
        for track in &own.tracks {
            let known = Track { new: track.new.clone(), ..track.clone() };
            if known.new.is_some() && standing(&known, &seen)? != Standing::Before {
                return Err(conflict(format!("{}: its new keypair is trusted still", track.keyset), &[Lead::Resume]));
            }
        }
        if gone == 0 {
            return Ok("nothing was created".into());
        }
        let rolled = match never_updated(&own, STAGE) {
            true => "nothing of it had reached the cluster".to_owned(),
            false => follow(context, at(STAGE, true)).await?,
        };
        context.world.cluster.sign_out().await?;
        Ok(format!("{gone} new keypairs are distrusted by their ids; {rolled}"))
    }
}
