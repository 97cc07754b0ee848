//! Who holds credentials of the cluster, what each must take before the case goes on, and who has not yet.

use super::record::Round;
use super::spec::{ADMIN, CERTIFICATES, DISTRUST, FINAL, PROMOTE};
use super::state::State;
use super::world::{Holder, Holds};
use super::{Kops, World};
use crate::domain::fault::Lead;
use crate::domain::step::StepState;
use crate::engine::case::core::Way;
use crate::engine::case::runbook::{Awaited, Case};
use crate::engine::case::spec::Move;

/// What holders are asked, each in a word for the journal.
pub(super) const CERTIFICATES_TAKEN: &str = "certificates";
pub(super) const ADMIN_TAKEN: &str = "admin";
pub(super) const FINAL_TAKEN: &str = "final";
/// The same on the way back.
pub(super) const ADMIN_BACK: &str = "admin-back";
pub(super) const FINAL_BACK: &str = "certificates-back";

/// Whether clients trust the API by the authority that is rotated.
pub(super) fn concerns_clients(world: &World, case: &Case<Kops>) -> bool {
    case.own.rotates_general() && !world.rules.load_balancer
}

/// Whether somebody may have what this round gives: it was exported, or that part of the journal is lost.
pub(super) fn is_out(world: &World, own: &State, round: Round) -> bool {
    let is_given = own.rotates_general() && (round == Round::Admin || !world.rules.load_balancer);
    own.exported.contains_key(&round) || is_given && own.may_be_out(round)
}

/// Those of whom something is not settled.
pub(super) fn open<'a>(world: &'a World, case: &Case<Kops>, about: &str) -> Vec<&'a Holder> {
    let is_asked = |holder: &&Holder| match about {
        ADMIN_TAKEN | ADMIN_BACK => holder.holds == Holds::Admin,
        _ => true,
    };
    // Who had followed on the way back before somebody else distrusted what they follow to may have been given others since.
    let met = case.own.met.as_ref().filter(|_| matches!(about, ADMIN_BACK | FINAL_BACK)).map(|(_, at)| *at);
    let is_settled = |holder: &&Holder| {
        let said = case.core.followed(about, &holder.name);
        said.is_some_and(|said| met.is_none_or(|met| said >= met))
    };
    world.holders.iter().filter(is_asked).filter(|holder| !is_settled(holder)).collect()
}

/// What holders are asked before previous keypairs are promoted that somebody else had distrusted: whoever did may have given out what is
/// not let in then, whatever this case has given.
fn behind_a_stranger(world: &World, case: &Case<Kops>) -> &'static [&'static str] {
    let is_next = matches!(case.core.leg.ahead(), Some(Move::Undo(ADMIN | PROMOTE)));
    let is_over = case.own.met.is_some() && !case.own.is_met();
    match is_next && is_over && case.own.rotates_general() && case.core.way == Way::Back {
        true if world.rules.load_balancer => &[ADMIN_BACK],
        true => &[FINAL_BACK, ADMIN_BACK],
        false => &[],
    }
}

/// Whoever is waited for before the next step is taken back, with what they are waited for, because of what somebody else has distrusted.
pub(super) fn left_by_a_stranger(world: &World, case: &Case<Kops>) -> Vec<(&'static str, Vec<String>)> {
    let asked = behind_a_stranger(world, case).iter().map(|about| (*about, names(&open(world, case, about))));
    asked.filter(|(_, left)| !left.is_empty()).collect()
}

/// Their names in a line.
pub(super) fn names(holders: &[&Holder]) -> Vec<String> {
    holders.iter().map(|holder| holder.name.clone()).collect()
}

/// Who must follow now.
pub(super) fn awaited(world: &World, case: &Case<Kops>) -> Vec<Awaited> {
    let (core, own) = (&case.core, &case.own);
    // What a lost part of the journal may have said of it is asked again: forward behind its step, back once it is the next.
    let is_given =
        |round, step| own.exported.contains_key(&round) || core.state(step).is_done() && is_out(world, own, round);
    let is_taken_back = |round, step| core.leg.ahead() == Some(Move::Undo(step)) && is_out(world, own, round);
    // Nobody is let in with a previous credential that somebody else has distrusted meanwhile: the step looks before it waits.
    let has_looked =
        matches!(core.state(ADMIN), StepState::Failed { fault, .. } if fault.leads.contains(&Lead::Settle));
    let stranger = behind_a_stranger(world, case);
    let wants = |about: &'static str| -> (bool, &'static str) {
        match about {
            CERTIFICATES_TAKEN => (
                // Once the previous authority is trusted no more there are no such certificates.
                is_given(Round::Certificates, CERTIFICATES) && !core.touched.contains(&DISTRUST),
                "has the certificates of both authorities in their kubeconfig",
            ),
            ADMIN_TAKEN => (is_given(Round::Admin, ADMIN), "uses an admin credential of the new authority"),
            FINAL_TAKEN => (is_given(Round::Final, FINAL), "has the certificates without the previous authority's"),
            FINAL_BACK => (
                // Not before there is something to give them.
                (is_taken_back(Round::Final, FINAL) || stranger.contains(&FINAL_BACK))
                    && own.exported.contains_key(&Round::Certificates),
                "has the certificates of both authorities again, or never took others",
            ),
            // The previous credentials are let in once their keypair is trusted again everywhere.
            _ => (
                is_taken_back(Round::Admin, ADMIN) && has_looked && !own.is_met() || stranger.contains(&ADMIN_BACK),
                "uses the previous admin credential again, or never took another",
            ),
        }
    };
    let rounds: &[&'static str] = match core.way {
        Way::Forward => &[CERTIFICATES_TAKEN, ADMIN_TAKEN, FINAL_TAKEN],
        Way::Back => &[FINAL_BACK, ADMIN_BACK],
        Way::Out => &[],
    };
    let mut found = Vec::new();
    for about in rounds.iter().copied() {
        let (is_asked, what) = wants(about);
        for holder in open(world, case, about).into_iter().filter(|_| is_asked) {
            let text = format!("{} ({}) {what}", holder.name, holder.contact);
            found.push(Awaited { person: holder.name.clone(), about, text, to_mail: false, is_uncertain: false });
        }
    }
    found
}
