//! What is to be said of the VPN server besides its key: that what it counts was begun anew, and that its clock is another.

use crate::domain::client::peers_there;
use crate::domain::freshness::{SKEW_TOLERATED, made_anew};
use crate::domain::key::PublicKey;
use crate::engine::observe::Sights;
use crate::engine::rotation::Rotation;
use std::collections::BTreeSet;

/// So many people are named in one line.
const NAMED: usize = 3;

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

/// Whose peer the interface had with the live key and has no more, by name.
pub(super) fn gone(rotation: &Rotation, sights: &Sights) -> Vec<String> {
    let Some(reading) = sights.server.value().filter(|_| sights.server.fault.is_none()) else { return Vec::new() };
    let peers: BTreeSet<PublicKey> = reading.peers.iter().map(|peer| peer.public_key).collect();
    let Some(applied) = &rotation.applied else { return Vec::new() };
    let is_gone = |key: &PublicKey| !peers.contains(key) && applied.baseline.peers.contains_key(key);
    let gone = rotation.clients.iter().filter(|client| client.keys().any(|key| is_gone(&key)));
    gone.filter(|client| !rotation.waivers.contains_key(&client.id)).map(|client| client.name.clone()).collect()
}

/// Clients whose tunnel is down, for the interface has no peer of theirs: all of them, or some that it had with the live key.
pub(super) fn peers_gone(rotation: &Rotation, sights: &Sights) -> Option<String> {
    let reading = sights.server.value().filter(|_| sights.server.fault.is_none())?;
    let peers: BTreeSet<PublicKey> = reading.peers.iter().map(|peer| peer.public_key).collect();
    let (there, all) = peers_there(&rotation.clients, &peers);
    if all > 0 && there == 0 {
        return Some(format!("NONE of {all} clients' peers are on the interface: their tunnels are down"));
    }
    let gone = gone(rotation, sights);
    let named = gone.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if gone.len() > NAMED { format!(" and {} more", gone.len() - NAMED) } else { String::new() };
    (!gone.is_empty()).then(|| {
        format!(
            "ONLY {there} of {all} clients' peers are on the interface, fewer than before: {named}{more} can't connect"
        )
    })
}
