//! One genuine WireGuard handshake between two parties over loopback UDP, with boringtun and without TUN or root; who
//! shakes hands with whom, and what is remembered of it, is left to `vpn`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use boringtun::noise::handshake::parse_handshake_anon;
use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::noise::{Packet, Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};

use super::seed::KeyPair;

/// Loopback loses nothing, so this only ends a wait that would be a defect.
const PATIENCE: Duration = Duration::from_secs(2);

/// What passed over the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    /// Whether the responder has decrypted a packet of the initiator: the moment at which a real server stamps.
    pub(super) established: bool,
    /// Bytes from initiator to responder and back.
    pub(super) forth: u64,
    /// See `forth`.
    pub(super) back: u64,
}

/// Lets `initiator`, who believes that the other's key is `believed`, start a handshake with `responder`, who accepts only
/// `expected`; then carries one packet from `source` to `destination`. Blocks for a few milliseconds.
pub(super) fn exchange(
    initiator: (&KeyPair, &UdpSocket),
    believed: &[u8; 32],
    responder: (&KeyPair, &UdpSocket),
    expected: &[u8; 32],
    (source, destination): (Ipv4Addr, Ipv4Addr),
) -> io::Result<Exchange> {
    let (near, near_socket) = initiator;
    let (far, far_socket) = responder;
    near_socket.set_read_timeout(Some(PATIENCE))?;
    far_socket.set_read_timeout(Some(PATIENCE))?;
    let near_address = near_socket.local_addr()?;
    let far_address = far_socket.local_addr()?;
    let mut result = Exchange { established: false, forth: 0, back: 0 };
    let mut out = [0_u8; 512];
    let mut datagram = [0_u8; 512];

    let mut left = Tunn::new(StaticSecret::from(near.private), PublicKey::from(*believed), None, None, 1, None);
    let TunnResult::WriteToNetwork(initiation) = left.encapsulate(&ping(source, destination), &mut out) else {
        return Ok(result);
    };
    result.forth += near_socket.send_to(initiation, far_address)? as u64;

    // The responder drops what was not made for its own key ("invalid mac1"), and who is not its peer.
    let got = receive(far_socket, near_address, &mut datagram)?;
    let secret = StaticSecret::from(far.private);
    let public = PublicKey::from(far.public);
    let limiter = RateLimiter::new(&public, 1_000);
    let mut cookie = [0_u8; 64];
    let peer = match limiter.verify_packet(Some(near_address.ip()), &datagram[..got], &mut cookie) {
        Ok(Packet::HandshakeInit(packet)) => parse_handshake_anon(&secret, &public, &packet).ok(),
        _ => None,
    };
    if peer.is_none_or(|p| p.peer_static_public != *expected) {
        return Ok(result);
    }
    let mut right = Tunn::new(secret, PublicKey::from(*expected), None, None, 2, None);
    let TunnResult::WriteToNetwork(response) = right.decapsulate(Some(near_address.ip()), &datagram[..got], &mut out)
    else {
        return Ok(result);
    };
    result.back += far_socket.send_to(response, near_address)? as u64;

    // The initiator answers with a keepalive and then with the packet that waited for the session.
    let got = receive(near_socket, far_address, &mut datagram)?;
    let mut next = &datagram[..got];
    let mut sent = 0;
    while let TunnResult::WriteToNetwork(packet) = left.decapsulate(Some(far_address.ip()), next, &mut out) {
        result.forth += near_socket.send_to(packet, far_address)? as u64;
        sent += 1;
        next = &[];
    }
    for _ in 0..sent {
        let got = receive(far_socket, near_address, &mut datagram)?;
        match right.decapsulate(Some(near_address.ip()), &datagram[..got], &mut out) {
            TunnResult::WriteToTunnelV4(_, from) if from == source => result.established = true,
            _ => {}
        }
    }
    Ok(result)
}

fn receive(socket: &UdpSocket, from: SocketAddr, datagram: &mut [u8]) -> io::Result<usize> {
    loop {
        let (got, sender) = socket.recv_from(datagram)?;
        if sender == from {
            return Ok(got);
        }
    }
}

/// The smallest IPv4 packet that a tunnel lets through: a header and an ICMP echo without data.
fn ping(source: Ipv4Addr, destination: Ipv4Addr) -> [u8; 28] {
    let mut packet = [0_u8; 28];
    packet[0] = 0x45;
    packet[3] = 28;
    packet[8] = 64;
    packet[9] = 1;
    packet[12..16].copy_from_slice(&source.octets());
    packet[16..20].copy_from_slice(&destination.octets());
    packet[20] = 8;
    packet
}
