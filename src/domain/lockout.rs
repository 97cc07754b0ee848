//! Whether the operator would cut off their own session: whether it, or this host's way to the server, runs through the
//! tunnel whose key is to be changed. Finding out the addresses is left to adapters.

use crate::domain::freshness::ServerReading;
// The addresses as values; `core` has nothing of the network itself.
use core::net::IpAddr;

/// Prefixes shorter than this are a part of the Internet rather than a network behind a peer (a default route, or the two
/// halves of one): that an address is inside proves nothing.
const LEAST_V4: u8 = 8;
const LEAST_V6: u8 = 16;

/// Where the operator's connections run, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    /// Where the ssh session to this host comes from.
    pub session: Option<IpAddr>,
    /// The addresses from which this host would reach the server (or the first host on the way to it).
    pub sources: Vec<IpAddr>,
    /// The server's own addresses.
    pub server: Vec<IpAddr>,
}

/// How a connection runs through the tunnel, in words; `None` if none is known to.
pub fn through_tunnel(own: &OwnAddresses, reading: &ServerReading) -> Option<String> {
    let networks: Vec<Network> =
        reading.peers.iter().flat_map(|peer| &peer.allowed_ips).filter_map(|text| Network::parse(text)).collect();
    let peers = |address: IpAddr| {
        let around = networks.iter().filter(|network| network.holds(address));
        around.max_by_key(|network| network.length).map(|network| (address.to_canonical(), network))
    };
    if let Some((address, network)) = own.session.and_then(peers) {
        let text = "your own session runs through the tunnel: it comes from";
        return Some(format!("{text} {address}, and a peer has {network}"));
    }
    if let Some(address) = own.session.filter(|session| is_one_of(*session, &own.server)) {
        let text = "your own session runs through the tunnel: it comes from the server itself";
        return Some(format!("{text} ({}), as behind its address translation", address.to_canonical()));
    }
    let (address, network) = own.sources.iter().copied().find_map(peers)?;
    let text = "your own way to the server runs through the tunnel: this host would go there from";
    Some(format!("{text} {address}, and a peer has {network}"))
}

fn is_one_of(address: IpAddr, all: &[IpAddr]) -> bool {
    let address = address.to_canonical();
    !address.is_loopback() && all.iter().any(|other| other.to_canonical() == address)
}

/// An address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// Reads `10.77.1.11/32` or a bare address; `None` for what is none, and for what is too wide to prove anything.
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let (least, most) = if address.is_ipv4() { (LEAST_V4, 32) } else { (LEAST_V6, 128) };
        let length = length.unwrap_or(most);
        (least..=most).contains(&length).then_some(Self { address, length })
    }

    fn holds(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u8| (a ^ b) >> (width - self.length) == 0;
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

impl core::fmt::Display for Network {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::freshness::PeerReading;
    use crate::domain::key::PublicKey;

    fn reading(allowed: &[&[&str]]) -> ServerReading {
        let peer = |(at, ips): (usize, &&[&str])| PeerReading {
            public_key: PublicKey::from_bytes([at as u8; 32]),
            latest_handshake: 0,
            // An endpoint is where a peer is on the Internet; a session from there does not run through the tunnel.
            endpoint: Some("203.0.113.7:51820".into()),
            rx: 0,
            tx: 0,
            allowed_ips: ips.iter().map(|ip| (*ip).to_owned()).collect(),
        };
        let peers = allowed.iter().enumerate().map(peer).collect();
        ServerReading { clock: 1, public_key: PublicKey::from_bytes([9; 32]), peers }
    }

    fn session(address: &str) -> OwnAddresses {
        OwnAddresses { session: Some(address.parse().unwrap()), ..OwnAddresses::default() }
    }

    const USUAL: &[&[&str]] = &[&["10.77.1.11/32", "fd00:77::11/128"], &["10.77.1.12/32", "192.168.40.0/22"], &[]];

    #[test]
    fn a_session_from_a_peers_network_runs_through_the_tunnel() {
        let usual = reading(USUAL);
        for inside in ["10.77.1.11", "192.168.43.255", "fd00:77::11", "::ffff:10.77.1.12"] {
            let found = through_tunnel(&session(inside), &usual);
            assert!(found.is_some_and(|text| text.starts_with("your own session runs through the tunnel")), "{inside}");
        }
        for outside in ["10.77.1.13", "192.168.44.0", "192.168.39.255", "203.0.113.7", "fd00:77::12", "127.0.0.1"] {
            assert_eq!(through_tunnel(&session(outside), &usual), None, "{outside}");
        }
    }

    #[test]
    fn the_closest_network_is_named() {
        let nested = reading(&[&["10.0.0.0/8"], &["10.77.0.0/16"], &["10.77.1.0/24"]]);
        let found = through_tunnel(&session("10.77.1.5"), &nested).unwrap();
        assert!(found.ends_with("it comes from 10.77.1.5, and a peer has 10.77.1.0/24"), "{found}");
    }

    #[test]
    fn a_default_route_of_a_peer_and_its_halves_prove_nothing() {
        let wide = reading(&[&["0.0.0.0/0", "::/0"], &["0.0.0.0/1", "128.0.0.0/1", "2000::/3"], &["64.0.0.0/7"]]);
        for anywhere in ["203.0.113.7", "10.77.1.11", "65.1.1.1", "2001:db8::1"] {
            assert_eq!(through_tunnel(&session(anywhere), &wide), None, "{anywhere}");
        }
        let both = reading(&[&["0.0.0.0/0"], &["10.77.1.11/32"]]);
        assert!(through_tunnel(&session("10.77.1.11"), &both).is_some(), "beside it a narrow one still does");
    }

    #[test]
    fn the_way_of_this_host_to_the_server_counts_as_well() {
        let sources = vec!["198.51.100.4".parse().unwrap(), "10.77.1.12".parse().unwrap()];
        let found = through_tunnel(&OwnAddresses { sources, ..OwnAddresses::default() }, &reading(USUAL)).unwrap();
        assert!(found.starts_with("your own way to the server runs through the tunnel"), "{found}");
        let sources = vec!["198.51.100.4".parse().unwrap()];
        assert_eq!(through_tunnel(&OwnAddresses { sources, ..OwnAddresses::default() }, &reading(USUAL)), None);
    }

    #[test]
    fn a_session_that_comes_from_the_server_itself_is_behind_its_address_translation() {
        let of = |from: &str, server: &str| OwnAddresses {
            session: Some(from.parse().unwrap()),
            server: vec![server.parse().unwrap()],
            sources: Vec::new(),
        };
        let found = through_tunnel(&of("198.51.100.9", "198.51.100.9"), &reading(USUAL)).unwrap();
        assert!(found.contains("comes from the server itself (198.51.100.9)"), "{found}");
        assert_eq!(through_tunnel(&of("198.51.100.8", "198.51.100.9"), &reading(USUAL)), None);
        assert_eq!(through_tunnel(&of("127.0.0.1", "127.0.0.1"), &reading(USUAL)), None, "a lab on one machine");
    }

    #[test]
    fn what_is_no_network_is_passed_over() {
        let odd = reading(&[&["10.77.1.11/33", "10.77.1.11/x", "nonsense", "/32", "10.77.1/24", "fd00::1/129", ""]]);
        assert_eq!(through_tunnel(&session("10.77.1.11"), &odd), None);
        assert!(
            through_tunnel(&session("10.77.1.11"), &reading(&[&["10.77.1.11"]])).is_some(),
            "a bare address is one"
        );
    }
}
