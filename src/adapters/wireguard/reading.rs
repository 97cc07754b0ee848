//! Parses what the script printed: linear in the number of peers, and never a panic whatever comes.
//!
//! No line of the output is ever quoted in an error: a changed `wg` could have printed anything.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::{PeerReading, ServerReading};
use crate::domain::key::PublicKey;
use crate::domain::sanitize::sanitize;
use std::collections::HashMap;

/// Stamps below this are no moments: boringtun prints the seconds since the handshake (cloudflare/boringtun#447).
const FIRST_STAMP: i64 = 1_000_000_000;

/// Why the output can't be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// Not text.
    NotText,
    /// The section is missing, so the output is cut or is not the script's.
    Missing(&'static str),
    /// The section stands there twice.
    Twice(&'static str),
    /// A line of the section is not as `wg` prints it.
    Line(&'static str, usize),
    /// The interface has no key.
    NoKey,
}

impl Bad {
    pub(super) fn fault(self, interface: &str) -> Fault {
        let malformed = |message: String| Fault::new(Service::Server, FaultKind::Malformed, message);
        match self {
            Bad::NotText => malformed("what the server printed is not text".into()),
            Bad::Missing(section) => {
                malformed(format!("what the server printed has no section {section}: it is cut or not from our script"))
                    .hint("check that server.command passes {read} on as it is")
            }
            Bad::Twice(section) => malformed(format!("what the server printed has the section {section} twice")),
            Bad::Line(section, line) => {
                malformed(format!("line {line} of the section {section} is not as wg prints it"))
                    .hint("check server.wg: it must be wg of wireguard-tools")
            }
            Bad::NoKey => {
                Fault::new(Service::Server, FaultKind::Refused, format!("the interface {interface} has no key"))
                    .hint("nothing was changed there; look at the agent on the server")
            }
        }
    }
}

/// The names of the sections, in the order in which the script prints them.
const SECTIONS: [&str; 7] =
    ["@clock", "@public-key", "@latest-handshakes", "@endpoints", "@transfer", "@allowed-ips", "@end"];

/// Reads the output. What a login shell prints before the first section is skipped.
pub(super) fn parse(output: &[u8]) -> Result<ServerReading, Bad> {
    let text = std::str::from_utf8(output).map_err(|_| Bad::NotText)?;
    let mut lines: [Option<Vec<&str>>; 7] = Default::default();
    let mut current = None;
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        if let Some(at) = SECTIONS.iter().position(|name| *name == line) {
            if lines[at].is_some() {
                return Err(Bad::Twice(SECTIONS[at]));
            }
            lines[at] = Some(Vec::new());
            current = Some(at);
        } else if let Some(section) = current.and_then(|at| lines[at].as_mut()) {
            section.push(line);
        }
    }
    let mut sections = SECTIONS.iter().zip(lines).map(|(name, lines)| lines.ok_or(Bad::Missing(name)));
    let mut next = || sections.next().unwrap_or(Err(Bad::Missing("@end")));
    let clock = single("@clock", &next()?)?.parse::<i64>().ok().filter(|clock| *clock > 0);
    let clock = clock.ok_or(Bad::Line("@clock", 1))?;
    let public_key = match single("@public-key", &next()?)? {
        "(none)" => return Err(Bad::NoKey),
        text => PublicKey::parse(text).map_err(|_| Bad::Line("@public-key", 1))?,
    };
    let (handshakes, endpoints, transfer, allowed_ips) = (next()?, next()?, next()?, next()?);
    next()?;
    let mut peers = HashMap::with_capacity(handshakes.len());
    each("@latest-handshakes", &handshakes, |key, value| {
        let stamp = value.parse::<i64>().ok().filter(|stamp| *stamp >= 0)?;
        let latest_handshake = if (1..FIRST_STAMP).contains(&stamp) { clock.saturating_sub(stamp) } else { stamp };
        let peer =
            PeerReading { public_key: key, latest_handshake, endpoint: None, rx: 0, tx: 0, allowed_ips: Vec::new() };
        peers.insert(key, peer);
        Some(())
    })?;
    // The fields come from five calls of wg: a peer that came in between has no stamp yet and shows up in the next reading.
    each("@endpoints", &endpoints, |key, value| {
        if let Some(peer) = peers.get_mut(&key) {
            peer.endpoint = (value != "(none)").then(|| sanitize(value)).filter(|text| !text.is_empty());
        }
        Some(())
    })?;
    each("@transfer", &transfer, |key, value| {
        let (rx, tx) = value.split_once('\t')?;
        let (rx, tx) = (rx.parse().ok()?, tx.parse().ok()?);
        if let Some(peer) = peers.get_mut(&key) {
            (peer.rx, peer.tx) = (rx, tx);
        }
        Some(())
    })?;
    each("@allowed-ips", &allowed_ips, |key, value| {
        if let Some(peer) = peers.get_mut(&key) {
            let ips = value.split_ascii_whitespace().filter(|ip| *ip != "(none)");
            peer.allowed_ips = ips.map(sanitize).filter(|ip| !ip.is_empty()).collect();
        }
        Some(())
    })?;
    let mut peers: Vec<PeerReading> = peers.into_values().collect();
    peers.sort_unstable_by_key(|peer| peer.public_key);
    Ok(ServerReading { clock, public_key, peers })
}

fn single<'a>(name: &'static str, lines: &[&'a str]) -> Result<&'a str, Bad> {
    match lines {
        [line] => Ok(line.trim()),
        [] => Err(Bad::Line(name, 1)),
        _ => Err(Bad::Line(name, 2)),
    }
}

fn each(name: &'static str, lines: &[&str], mut take: impl FnMut(PublicKey, &str) -> Option<()>) -> Result<(), Bad> {
    for (line, number) in lines.iter().zip(1..) {
        let taken = line.split_once('\t').and_then(|(key, value)| {
            let key = PublicKey::parse(key).ok()?;
            take(key, value.trim())
        });
        taken.ok_or(Bad::Line(name, number))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const B: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    const S: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

    fn output() -> String {
        format!(
            "Welcome to the bastion\n@clock\n1800000000\n@public-key\n{S}\n@latest-handshakes\n{B}\t1799999990\n{A}\t0\n\
             @endpoints\n{B}\t198.18.0.7:51820\n{A}\t(none)\n@transfer\n{B}\t148\t92\n{A}\t0\t0\n\
             @allowed-ips\n{B}\t10.77.1.12/32 fd00::12/128\n{A}\t(none)\n@end\n"
        )
    }

    #[test]
    fn a_whole_output_gives_sorted_peers() {
        let reading = parse(output().as_bytes()).unwrap();
        assert_eq!((reading.clock, reading.public_key.to_string().as_str()), (1_800_000_000, S));
        let [a, b] = &reading.peers[..] else { panic!() };
        assert_eq!((a.public_key.to_string().as_str(), a.latest_handshake, &a.endpoint), (A, 0, &None));
        assert!(a.allowed_ips.is_empty());
        assert_eq!((b.latest_handshake, b.rx, b.tx), (1_799_999_990, 148, 92));
        assert_eq!(b.endpoint.as_deref(), Some("198.18.0.7:51820"));
        assert_eq!(b.allowed_ips, ["10.77.1.12/32", "fd00::12/128"]);
    }

    #[test]
    fn an_age_as_boringtun_prints_it_becomes_a_stamp() {
        let text = output().replace("1799999990", "40");
        let reading = parse(text.as_bytes()).unwrap();
        assert_eq!(reading.peers[1].latest_handshake, 1_799_999_960);
    }

    #[test]
    fn no_peers_are_no_fault_and_crlf_is_none_either() {
        let empty =
            format!("@clock\n5\n@public-key\n{S}\n@latest-handshakes\n@endpoints\n@transfer\n@allowed-ips\n@end\n");
        assert!(parse(empty.as_bytes()).unwrap().peers.is_empty());
        assert_eq!(parse(empty.replace('\n', "\r\n").as_bytes()).unwrap().clock, 5);
    }

    #[test]
    fn each_wrong_output_is_told_apart() {
        let whole = output();
        let table = [
            (whole.replace("@end\n", ""), Bad::Missing("@end")),
            (whole.replace("@transfer\n", ""), Bad::Missing("@transfer")),
            (String::new(), Bad::Missing("@clock")),
            (whole.replace("@end", "@clock"), Bad::Twice("@clock")),
            (whole.replace("1800000000", "soon"), Bad::Line("@clock", 1)),
            (whole.replace(&format!("@public-key\n{S}"), "@public-key\n(none)"), Bad::NoKey),
            (whole.replace(&format!("@public-key\n{S}"), "@public-key"), Bad::Line("@public-key", 1)),
            (whole.replace("\t148\t92", "\t148"), Bad::Line("@transfer", 1)),
            (whole.replace("\t1799999990", "\t-1"), Bad::Line("@latest-handshakes", 1)),
            (whole.replace("\t(none)\n@transfer", "(none)\n@transfer"), Bad::Line("@endpoints", 2)),
        ];
        for (text, bad) in table {
            assert_eq!(parse(text.as_bytes()), Err(bad), "{text}");
        }
        assert_eq!(parse(b"\xff\xfe"), Err(Bad::NotText));
    }

    #[test]
    fn what_was_printed_is_never_quoted() {
        let secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
        let dump = format!(
            "@clock\n{secret}\n@public-key\n{secret}\t{secret}\n@latest-handshakes\n@endpoints\n@transfer\n@allowed-ips\n@end\n"
        );
        let fault = parse(dump.as_bytes()).unwrap_err().fault("wg0");
        assert!(!format!("{fault:?}").contains(secret));
    }

    #[test]
    fn ten_thousand_peers_fit() {
        let key = |at: u32| {
            let mut bytes = [0u8; 32];
            bytes[..4].copy_from_slice(&at.to_be_bytes());
            PublicKey::from_bytes(bytes)
        };
        let lines = |value: &str| (0..10_000).rev().map(|at| format!("{}\t{value}\n", key(at))).collect::<String>();
        let text = format!(
            "@clock\n1800000000\n@public-key\n{S}\n@latest-handshakes\n{}@endpoints\n{}@transfer\n{}@allowed-ips\n{}@end\n",
            lines("1799999990"),
            lines("198.18.100.200:51820"),
            lines("1\t2"),
            lines("10.77.1.1/32"),
        );
        assert!(text.len() < super::super::run::LARGEST);
        let reading = parse(text.as_bytes()).unwrap();
        assert_eq!(reading.peers.len(), 10_000);
        assert!(reading.peers.is_sorted_by_key(|peer| peer.public_key));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_change_of_a_true_output_makes_it_panic(at in 0usize..400, byte in proptest::num::u8::ANY, cut in 0usize..400) {
            let mut bytes = output().into_bytes();
            let at = at.min(bytes.len() - 1);
            bytes[at] = byte;
            let _ = parse(&bytes);
            bytes.truncate(cut);
            let _ = parse(&bytes);
        }
    }
}
