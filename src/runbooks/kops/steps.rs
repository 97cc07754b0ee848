//! The steps, and what they share.

mod change;
mod close;
mod export;
mod met;
mod stage;

use super::record::{At, KopsRecord};
use super::roll::Context;
use super::{Kops, State};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::kops::keyset::Keysets;
use crate::domain::kops::track::{Standing, Track};
use crate::domain::step::StepNumber;
use crate::engine::case::runbook::{Case, Step};
use crate::engine::step::Probe;
use std::sync::Arc;

/// All of them, in order.
pub(super) fn all() -> Vec<Box<dyn Step<Kops>>> {
    vec![
        Box::new(stage::Stage),
        Box::new(export::Export::certificates()),
        Box::new(change::Promote),
        Box::new(export::Export::admin()),
        Box::new(change::Distrust),
        Box::new(export::Export::last()),
        Box::new(close::Close),
    ]
}

fn case(context: &Context<'_>) -> Arc<Case<Kops>> {
    context.ledger.case()
}

/// The part of the case's id that names its files.
pub(super) fn tag(case: &Case<Kops>) -> String {
    case.core.id.0.to_ascii_lowercase()
}

fn at(step: StepNumber, back: bool) -> At {
    At { step, back }
}

async fn keysets(context: &Context<'_>) -> Result<Keysets, Fault> {
    context.world.cluster.keypairs().await.map(Keysets::of)
}

/// Somebody else has changed a keyset: nothing is worked against them.
fn conflict(why: impl AsRef<str>, leads: &[Lead]) -> Fault {
    Fault::new(Service::Kops, FaultKind::Conflict, why.as_ref())
        .hint(
            "that keyset was left as it is, what was done of the others stands; there is no lock in the state store: find out who else \
             is at work, have that keyset put back by its ids (kops promote, kops trust)",
        )
        .leads(leads)
}

/// On the way back: somebody else has made a keyset further than this case has, and whoever uses that by now would be locked out.
fn further(track: &Track, seen: &Keysets, found: Standing, to: Standing) -> Fault {
    let text = format!("{}: {}, by somebody else's hand", track.keyset, track.told(seen));
    let hint = format!(
        "nothing is taken from under whoever uses it: {}, kops update cluster --yes, and a roll of every group",
        track.put_to(found, to).join(", ")
    );
    Fault::new(Service::Kops, FaultKind::Conflict, text).hint(hint).leads(&[Lead::Resume])
}

/// How far a keyset is, or the fault that somebody else has changed it.
fn standing(track: &Track, keysets: &Keysets) -> Result<Standing, Fault> {
    let ids = || match &track.new {
        Some(new) => format!(" (this case has {} as the previous and {new} as the new keypair)", track.old),
        None => format!(" (this case has {} as the previous keypair)", track.old),
    };
    track.standing(keysets).map_err(|why| conflict(format!("{why}{}", ids()), &[Lead::Resume]))
}

/// All keysets must be so.
fn all_stand(own: &State, keysets: &Keysets, wanted: Standing) -> Result<(), Fault> {
    for track in &own.tracks {
        if standing(track, keysets)? != wanted {
            let text = format!("{}: its keypairs are not as they were just made", track.keyset);
            return Err(conflict(text, &[Lead::Resume]));
        }
    }
    Ok(())
}

/// Done by the journal, and so by the state store.
fn probed(own: &State, of: At, keysets: Result<Keysets, Fault>, wanted: Standing) -> Probe {
    match keysets {
        Err(fault) => Probe::Unclear(fault),
        Ok(keysets) => {
            let is_so = own.tracks.iter().all(|track| track.standing(&keysets) == Ok(wanted));
            match own.at(of).validated.filter(|_| is_so && !own.tracks.is_empty()) {
                Some(said) => Probe::Done(format!("every keyset is so, every group has rolled, and {said}")),
                None => Probe::NotDone("it is not done to its end: what is done is not done again".into()),
            }
        }
    }
}

/// What was begun of a step had not reached the cloud, and is taken back in the state store: there is nothing to roll.
fn never_updated(own: &State, step: StepNumber) -> bool {
    // What somebody else has distrusted was met: then all of the state store has reached the cloud.
    own.met.is_none()
        && !own.at(at(step, false)).is_begun()
        && !own.unknown.contains(&at(step, false))
        && !own.at(at(step, true)).is_begun()
}

fn nothing_to_undo() -> Fault {
    Fault::new(Service::Kops, FaultKind::Invalid, "there is nothing to be taken back in this step")
}

async fn record(context: &Context<'_>, record: KopsRecord) -> Result<(), Fault> {
    context.ledger.record(record).await
}
