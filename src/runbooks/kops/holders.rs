//! Who holds credentials of the cluster, what each must take before the case goes on, and who has not yet.

use super::record::Round;
use super::spec::{ADMIN, CERTIFICATES, DISTRUST, FINAL};
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
    // What a lost part of the journal may have said of it is asked again: on the way back of everybody, forward behind its step.
    let is_out = |round: Round, step| {
        let is_lost = core.recovered.is_some() && (core.way == Way::Back || core.state(step).is_done());
        own.exported.contains_key(&round) || is_lost
    };
    let is_on = |step| core.leg.road.contains(&Move::Undo(step)) && !core.state(step).is_done();
    let wants = |about: &'static str| -> (bool, &'static str) {
        match about {
            CERTIFICATES_TAKEN => (
                is_out(Round::Certificates, CERTIFICATES),
                "has the certificates of both authorities in their kubeconfig",
            ),
            ADMIN_TAKEN => (is_out(Round::Admin, ADMIN), "uses an admin credential of the new authority"),
            FINAL_TAKEN => (is_out(Round::Final, FINAL), "has the certificates without the previous authority's"),
            FINAL_BACK => (
                is_on(FINAL) && is_out(Round::Final, FINAL),
                "has the certificates of both authorities again, or never took others",
            ),
            // The previous credentials are let in once their keypair is trusted again everywhere.
            _ => (
                is_on(ADMIN) && is_out(Round::Admin, ADMIN) && !is_on(DISTRUST),
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
        for holder in open(world, core, about).into_iter().filter(|_| is_asked) {
            let text = format!("{} ({}) {what}", holder.name, holder.contact);
            found.push(Awaited { person: holder.name.clone(), about, text });
        }
    }
    found
}
