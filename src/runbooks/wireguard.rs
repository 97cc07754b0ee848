//! "Rotate WireGuard VPN Keys": the eight steps and the rollback of the source document, numbered as there.
//!
//! Each step is a file of its own; the order here is the order there. The way back performs steps 3 to 8 again with the
//! previous (or a fresh) key as the target, so there is one code for both directions.

mod after;
mod announce;
mod answers;
mod back;
mod check;
mod foreign;
mod kept;
mod moment;
mod object;
mod reconcile;
mod reconfigure;
mod recover;
mod secret;
mod silence;
mod stage;
mod verify;

pub use after::put_right;
pub use announce::see_people;
pub use back::look_back;
pub use check::{Survey, recheck, survey};
pub use reconfigure::may_be_told;
pub use recover::{Recovery, recover, signs_of_loss};
pub use silence::end_silence;
pub use verify::{end_doubt, look_who_is_back};

use crate::engine::step::Runbook;

/// The runbook.
pub fn runbook() -> Runbook {
    Runbook {
        name: "wireguard",
        title: "Rotate WireGuard VPN keys",
        steps: [
            Box::new(announce::Announce),
            Box::new(check::Check),
            Box::new(stage::Stage),
            Box::new(secret::Secret),
            Box::new(object::Object),
            Box::new(reconcile::Reconcile),
            Box::new(reconfigure::Reconfigure),
            Box::new(verify::Verify),
        ],
    }
}
