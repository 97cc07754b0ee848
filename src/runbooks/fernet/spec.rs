//! The procedure as data.

use crate::domain::step::StepNumber;
use crate::engine::case::spec::{Alone, Confirm, Spec, StepSpec, Stretch, Then, Touch};

/// Every node is looked at, and the tokens of each are shown at each.
pub(super) const CHECK: StepNumber = StepNumber::ANNOUNCE;
/// Every node's repository is saved beside it.
pub(super) const BACK_UP: StepNumber = StepNumber::CHECK;
/// The rotator rotates in a copy.
pub(super) const PREPARE: StepNumber = StepNumber::STAGE;
/// The copy is brought to every node, beside the live repository.
pub(super) const DISTRIBUTE: StepNumber = StepNumber::SECRET;
/// Node after node puts it in force.
pub(super) const INSTALL: StepNumber = StepNumber::OBJECT;
/// Digests and tokens everywhere.
pub(super) const VERIFY: StepNumber = StepNumber::RECONCILE;
/// How the nodes answer their users.
pub(super) const WATCH: StepNumber = StepNumber::RECONFIGURE;
/// What is no longer needed is taken away.
pub(super) const PURGE: StepNumber = StepNumber::VERIFY;

/// The verb behind which the keys change.
pub(super) const ROTATE: &str = "rotate";
/// The verb behind which there is no way back.
pub(super) const PURGING: &str = "purge";

const fn step(number: StepNumber, title: &'static str, touches: Touch, undo: Option<&'static str>) -> StepSpec {
    let alone = if matches!(touches, Touch::NoReturn) { Alone::Person } else { Alone::Resume };
    StepSpec { number, title, touches, alone, undo }
}

/// The procedure.
pub(super) static SPEC: Spec = Spec {
    name: "fernet",
    noun: "keystone",
    title: "Keystone's Fernet keys",
    pauses: false,
    steps: &[
        step(CHECK, "Check", Touch::No, None),
        step(BACK_UP, "Back up", Touch::No, Some("what was saved on the nodes is taken away")),
        step(PREPARE, "Prepare", Touch::No, Some("the prepared copy is taken away")),
        step(DISTRIBUTE, "Distribute", Touch::No, Some("what was placed beside the live repositories is taken away")),
        step(
            INSTALL,
            "Install",
            Touch::Yes,
            Some("the saved repositories are put back in order; tokens issued meanwhile stay valid"),
        ),
        step(VERIFY, "Verify", Touch::No, None),
        step(WATCH, "Watch", Touch::No, None),
        step(PURGE, "Purge", Touch::NoReturn, None),
    ],
    stretches: &[
        Stretch { verb: "check", key: 'c', from: CHECK, to: CHECK, confirm: Confirm::Nothing, then: Then::Pause },
        Stretch { verb: ROTATE, key: 'r', from: BACK_UP, to: WATCH, confirm: Confirm::Name, then: Then::Pause },
        Stretch { verb: PURGING, key: 'P', from: PURGE, to: PURGE, confirm: Confirm::Name, then: Then::Finish },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_procedure_is_sound_as_data() {
        assert_eq!(SPEC.faults(), Vec::<String>::new());
    }
}
