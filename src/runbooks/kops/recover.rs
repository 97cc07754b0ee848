//! What became of a case of which the end of the journal is lost, by what lies in the state store: the keypairs say how far it is. How far
//! a roll had come is not known by that, so the step goes on from its update; who has followed is asked again. Nothing is changed.

use super::record::{At, KopsRecord};
use super::spec::{ADMIN, CERTIFICATES, DISTRUST, PROMOTE, SPEC, STAGE};
use super::{Kops, World};
use crate::domain::fault::Fault;
use crate::domain::kops::keypair::Keypair;
use crate::domain::kops::keyset::{Keysets, Role};
use crate::domain::kops::track::{Standing, Track};
use crate::domain::step::StepNumber;
use crate::engine::case::core::Way;
use crate::engine::case::record::{End, Reached};
use crate::engine::case::runbook::{Case, Onward, Recovery};
use crate::engine::witness::CaseSeen;

/// Looks at the keypairs; says how far the case is.
pub(super) async fn recover(world: &World, case: &Case<Kops>, seen: &CaseSeen) -> Result<Recovery<KopsRecord>, Fault> {
    const AGAIN: &str = "nothing was recorded; recover again when the cluster can be looked at";
    let keypairs = world.cluster.keypairs().await.map_err(|fault| fault.hint(AGAIN))?;
    let keysets = Keysets::of(keypairs);
    let core = &case.core;
    let run = seen.run.as_ref().filter(|_| seen.rotation.0 == core.id.0);
    let mut tracks = case.own.tracks.clone();
    if tracks.is_empty() {
        // Its plan is lost as well: only what can be meant in one way is gone on with.
        let chosen = world.chosen(&keysets);
        let touching = run.map(|run| run.touching.as_slice());
        let found: Option<Vec<Track>> = chosen.iter().map(|name| inferred(&keysets, name, touching)).collect();
        let Some(found) = found else {
            let evidence =
                "which keypairs it has made can't be told from what lies there; nothing of it is changed".into();
            let found = Reached { evidence, ..Reached::default() };
            return Ok(Recovery { found, own: Vec::new(), then: Onward::Over(End::Lost) });
        };
        tracks = found;
    }
    for track in tracks.iter_mut().filter(|track| track.new.is_none()) {
        let strangers: Vec<_> = track.strangers(&keysets).collect();
        if let [one] = strangers.as_slice() {
            track.new = Some(one.id.clone());
        }
    }
    let standings: Vec<Standing> =
        tracks.iter().map(|track| track.standing(&keysets).unwrap_or(Standing::Before)).collect();
    let furthest = standings.iter().copied().max().unwrap_or(Standing::Before);
    let has_new = tracks.iter().any(|track| track.new.is_some());
    let told = |what: &str| format!("{} keysets looked at: {what}", tracks.len());
    let found = |done: Vec<_>, interrupted, touched: Vec<_>, what: &str| Reached {
        done,
        interrupted,
        touched,
        next: None,
        evidence: told(what),
    };
    let ways = [STAGE, PROMOTE, DISTRUST].into_iter().flat_map(|step| [false, true].map(|back| At { step, back }));
    let unknown: Vec<At> = ways.filter(|at| case.own.at(*at).validated.is_none()).collect();
    let own = vec![KopsRecord::Found { tracks: tracks.clone(), unknown }];
    if let Some(run) = run.filter(|_| seen.ended) {
        let all = SPEC.steps.iter().map(|step| step.number);
        // Going back or out there was nothing else to be done.
        let is_whole = run.to == End::Done || case.core.way != Way::Forward;
        let done = if is_whole { all.collect() } else { Vec::new() };
        return Ok(Recovery {
            found: found(done, None, Vec::new(), "it had ended"),
            own: Vec::new(),
            then: Onward::Over(run.to),
        });
    }
    let touched: Vec<_> = match furthest {
        Standing::Before if has_new || seen.touched => vec![STAGE],
        Standing::Before => Vec::new(),
        Standing::Staged => vec![STAGE],
        Standing::Promoted => vec![STAGE, PROMOTE],
        Standing::Distrusted => vec![STAGE, PROMOTE, DISTRUST],
    };
    let ever = |touched: &[_]| -> Vec<_> {
        let seen = run.map(|run| run.touching.as_slice()).unwrap_or_default();
        let known = |step: &_| core.touched.contains(step) || touched.contains(step) || seen.contains(step);
        SPEC.steps.iter().map(|step| step.number).filter(known).collect()
    };
    if core.way != Way::Forward {
        let what = "what was changed is taken back still";
        return Ok(Recovery { found: found(Vec::new(), None, ever(&touched), what), own, then: Onward::On });
    }
    if run.is_some_and(|run| run.to == End::TakenBack) {
        // Whatever was ever changed has rolled, or may have: all of it is gone back over, where it is back already too.
        let all = ever(&touched);
        let done = if all.contains(&PROMOTE) { vec![STAGE, CERTIFICATES] } else { Vec::new() };
        return Ok(Recovery { found: found(done, None, all, "it was going back"), own, then: Onward::Back });
    }
    let (done, at, what) = match furthest {
        Standing::Before if touched.is_empty() => {
            let what = "nothing was created";
            return Ok(Recovery { found: found(Vec::new(), None, touched, what), own, then: Onward::Out });
        }
        Standing::Before | Standing::Staged => (Vec::new(), STAGE, "new keypairs are staged, or some of them"),
        Standing::Promoted => (vec![STAGE, CERTIFICATES], PROMOTE, "new keypairs are primary, or some of them"),
        Standing::Distrusted => {
            (vec![STAGE, CERTIFICATES, PROMOTE, ADMIN], DISTRUST, "previous keypairs are distrusted, or some of them")
        }
    };
    Ok(Recovery { found: found(done, Some(at), touched, what), own, then: Onward::On })
}

/// What a keyset was before the case, where that can be told without its plan: it has one keypair, or two, or one that is staged.
/// `touching`: the steps that had begun to change it, where that is known; what another of them makes was there before.
fn inferred(keysets: &Keysets, name: &str, touching: Option<&[StepNumber]>) -> Option<Track> {
    let pairs = keysets.pairs(name);
    let had_begun = |step| touching.is_none_or(|steps| steps.contains(&step));
    let is_of_before = match pairs {
        [old, new] => {
            !had_begun(STAGE) || new.primary && !had_begun(PROMOTE) || old.distrusted.is_some() && !had_begun(DISTRUST)
        }
        _ => !had_begun(STAGE),
    };
    if is_of_before {
        return Track::begin(keysets, name);
    }
    let staged: Vec<_> = keysets.of_role(name, Role::Staged).collect();
    let (old, new) = match (pairs, staged.as_slice()) {
        ([_], []) => return Track::begin(keysets, name),
        ([old, new], _) => (old, new),
        (_, [new]) => (keysets.primary(name)?, *new),
        _ => return None,
    };
    let mut before: Vec<Keypair> = pairs.iter().filter(|pair| pair.id != new.id).cloned().collect();
    for pair in before.iter_mut().filter(|pair| pair.id == old.id) {
        (pair.primary, pair.distrusted) = (true, None);
    }
    Some(Track { keyset: name.to_owned(), before, old: old.id.clone(), new: Some(new.id.clone()) })
}
