//! The procedure as data.

use crate::domain::step::StepNumber;
use crate::engine::case::spec::{Alone, Confirm, Spec, StepSpec, Stretch, Then, Touch};

/// A keypair is created in each keyset, and every instance gets to know it.
pub(super) const STAGE: StepNumber = StepNumber::ANNOUNCE;
/// The authority's certificates, old and new, for all clients.
pub(super) const CERTIFICATES: StepNumber = StepNumber::CHECK;
/// The new keypairs become the primary ones.
pub(super) const PROMOTE: StepNumber = StepNumber::STAGE;
/// Admin credentials of the new authority.
pub(super) const ADMIN: StepNumber = StepNumber::SECRET;
/// The previous keypairs are trusted no more.
pub(super) const DISTRUST: StepNumber = StepNumber::OBJECT;
/// The authority's certificates without the previous one.
pub(super) const FINAL: StepNumber = StepNumber::RECONCILE;
/// A last look, and the end.
pub(super) const CLOSE: StepNumber = StepNumber::RECONFIGURE;

/// The verb behind which keypairs are staged.
pub(super) const ROTATING: &str = "rotate";
/// The verb behind which they are promoted.
pub(super) const PROMOTING: &str = "promote";
/// The verb behind which the previous ones are trusted no more.
pub(super) const DISTRUSTING: &str = "distrust";
/// The verb that closes the case.
pub(super) const FINISHING: &str = "finish";

const fn step(number: StepNumber, title: &'static str, touches: Touch, undo: Option<&'static str>) -> StepSpec {
    StepSpec { number, title, touches, alone: Alone::Resume, undo }
}

const fn stretch(verb: &'static str, key: char, from: StepNumber, to: StepNumber, then: Then) -> Stretch {
    Stretch { verb, key, from, to, confirm: Confirm::Name, then }
}

/// The procedure.
pub(super) static SPEC: Spec = Spec {
    name: "kops",
    noun: "kops",
    title: "The authorities and signing keys of a Kubernetes cluster",
    pauses: true,
    steps: &[
        step(
            STAGE,
            "Create and stage",
            Touch::Yes,
            Some("each new keypair is distrusted by its id; then update and a roll of every group"),
        ),
        step(
            CERTIFICATES,
            "Export certificates",
            Touch::No,
            Some("the certificate-authority-data of before is kept, to be handed out again"),
        ),
        step(
            PROMOTE,
            "Promote",
            Touch::Yes,
            Some("each previous primary is promoted by its id; then update and a roll of every group"),
        ),
        step(
            ADMIN,
            "Export admin credentials",
            Touch::No,
            Some("the previous admin credentials are handed out again, and whoever has new ones is waited for"),
        ),
        step(
            DISTRUST,
            "Distrust",
            Touch::Yes,
            Some(
                "each previous keypair is trusted again by its id; then update and a roll of every group with --force",
            ),
        ),
        step(
            FINAL,
            "Export final certificates",
            Touch::No,
            Some("the certificate-authority-data of before is handed out again, and every holder is waited for"),
        ),
        step(CLOSE, "Verify and close", Touch::No, None),
    ],
    stretches: &[
        stretch(ROTATING, 'r', STAGE, CERTIFICATES, Then::Pause),
        stretch(PROMOTING, 'p', PROMOTE, ADMIN, Then::Pause),
        stretch(DISTRUSTING, 'X', DISTRUST, FINAL, Then::Pause),
        stretch(FINISHING, 'f', CLOSE, CLOSE, Then::Finish),
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
