//! What is to be said of the VPN server besides its key: that what it counts was begun anew, and that its clock is another.

use crate::domain::freshness::{SKEW_TOLERATED, made_anew};
use crate::engine::observe::Sights;
use crate::engine::rotation::Rotation;

/// The lines for the list of what needs attention.
pub(super) fn attention(open: Option<&Rotation>, sights: &Sights) -> Vec<String> {
    let mut items = Vec::new();
    let applied = open.and_then(|rotation| rotation.applied.as_ref()).zip(sights.server.seen.as_ref());
    // A reading from before the one that it is compared with tells nothing of what came since.
    let applied = applied.filter(|(applied, (read_at, reading))| {
        *read_at >= applied.at && reading.public_key == applied.baseline.public_key
    });
    if let Some((applied, (_, reading))) = applied {
        let (anew, of) = (made_anew(&applied.baseline, reading), applied.baseline.peers.len());
        if anew > 0 {
            items.push(format!(
                "the server's interface or its peers were made anew since the key was applied (handshakes or counters of \
                 {anew} of {of} peers fell): that is no sign of anybody, only their next handshake is"
            ));
        }
        let back = applied.baseline.clock - reading.clock;
        if back > 0 {
            items.push(format!(
                "the server's clock was set back by {back} s at least since the key was applied: handshakes count as later \
                 only once it has come that far again"
            ));
        }
    }
    if let Some(ahead) = sights.server_ahead_s.filter(|ahead| ahead.abs() > SKEW_TOLERATED) {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        items.push(format!(
            "the VPN server's clock is {} s {side} this host's; ages of handshakes are told by the server's",
            ahead.abs()
        ));
    }
    items
}
