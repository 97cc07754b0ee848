//! What an operator may make go wrong with the lab's Kubernetes cluster, on and off while it runs. Which words there are for it, and what
//! is on, is told by the lab's list of mishaps.

use super::super::faults::{Fault, Rule, Service, Which};
use super::KopsLab;

/// So many keypairs are created still.
const CREATED: u32 = 2;
/// At this instance a roll fails.
const FAILS_AT: usize = 2;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum KopsMishap {
    /// The state store can't be reached.
    Store,
    /// The API lets nobody in.
    Api,
    /// The cluster is not well.
    Unwell,
    /// `kops` dies in the middle of a create.
    Create,
    /// No instance needs an update.
    Update,
    /// A roll fails.
    Roll,
    /// A roll is not let in.
    RollApi,
    /// The deploy host is lost in the middle of a roll.
    Lost,
}

impl KopsMishap {
    /// All of them, each with its word and what happens then.
    pub(in super::super) const ALL: [(KopsMishap, &'static str, &'static str); 8] = [
        (KopsMishap::Store, "kops-store-down", "kOps' state store can't be reached"),
        (KopsMishap::Api, "kops-api-401", "the Kubernetes API lets nobody in"),
        (KopsMishap::Unwell, "kops-unwell", "a machine does not join: validate cluster fails"),
        (KopsMishap::Create, "kops-create-dies", "kops creates two keypairs still, then it dies"),
        (KopsMishap::Update, "kops-update-unseen", "whatever was updated, 0 instances need an update"),
        (KopsMishap::Roll, "kops-roll-fails", "a rolling update fails at its second instance"),
        (KopsMishap::RollApi, "kops-roll-401", "the Kubernetes API lets no rolling update in"),
        (KopsMishap::Lost, "kops-roll-lost", "the deploy host is lost in the middle of the next rolling update"),
    ];

    /// What the port does then.
    pub(in super::super) fn rules(self) -> Vec<Rule> {
        let roll = || Rule::new(Service::Kops, Fault::ResetMidBody).method("rolling-update").path("--yes");
        if self == KopsMishap::Lost { vec![roll().which(Which::Nth(1))] } else { Vec::new() }
    }
}

impl KopsLab {
    /// Lets it go wrong, or puts it right.
    pub(in super::super) fn rehearse(&self, what: KopsMishap, on: bool) {
        self.spoil(|mischief| match what {
            KopsMishap::Store => mischief.store_away = on,
            KopsMishap::Api => mischief.unauthorized = on,
            KopsMishap::Unwell => mischief.unwell = on,
            KopsMishap::Create => mischief.creates_left = on.then_some(CREATED),
            KopsMishap::Update => mischief.nothing_needs_update = on,
            KopsMishap::Roll => mischief.roll_fails_at = on.then_some(FAILS_AT),
            KopsMishap::RollApi => mischief.roll_unauthorized = on,
            KopsMishap::Lost => {}
        });
    }
}
