//! Who holds credentials of the cluster, what each must take before the case goes on, and who has not yet.

use super::record::Round;
use super::spec::{ADMIN, CERTIFICATES, DISTRUST, FINAL};
use super::state::State;
use super::world::{Holder, Holds};
use super::{Kops, World};
use crate::engine::case::core::{Core, Way};
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
pub(super) fn open<'a>(world: &'a World, core: &Core, about: &str) -> Vec<&'a Holder> {
    let is_asked = |holder: &&Holder| match about {
        ADMIN_TAKEN | ADMIN_BACK => holder.holds == Holds::Admin,
        _ => true,
    };
    world.holders.iter().filter(is_asked).filter(|holder| !core.is_settled(about, &holder.name)).collect()
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
                is_taken_back(Round::Final, FINAL) && own.exported.contains_key(&Round::Certificates),
                "has the certificates of both authorities again, or never took others",
            ),
            // The previous credentials are let in once their keypair is trusted again everywhere.
            _ => {
                (is_taken_back(Round::Admin, ADMIN), "uses the previous admin credential again, or never took another")
            }
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
        for holder in open(world, core, about).into_iter().filter(|_| is_asked) {
            let text = format!("{} ({}) {what}", holder.name, holder.contact);
            found.push(Awaited { person: holder.name.clone(), about, text });
        }
    }
    found
}
