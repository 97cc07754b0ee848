//! What a handshake proves, judged against the moment the live key was first seen on the interface.
//!
//! A rotation leaves every `latest handshake` where it was, and one-way data from a lost client goes on arriving for up to
//! 180 s; so age alone, rx alone or tx alone prove nothing. A stamp that changed since the baseline does, with one false
//! positive: a handshake answered under the earlier key and confirmed just after the change.

use crate::domain::key::PublicKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Stamps this close to the change of key may still belong to a handshake under the earlier key (REKEY_TIMEOUT), s.
pub const PROBABLE_WITHIN: i64 = 5;
/// A handshake initiation that nobody answers costs the server exactly this many bytes of tx.
pub const INITIATION_BYTES: u64 = 148;

/// One peer as `wg show` gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReading {
    /// The peer's key.
    pub public_key: PublicKey,
    /// Seconds since 1970 by the server's clock; 0 is never.
    pub latest_handshake: i64,
    /// `address:port`, if the server knows one. Sanitized.
    pub endpoint: Option<String>,
    /// Bytes received from the peer.
    pub rx: u64,
    /// Bytes sent to the peer.
    pub tx: u64,
    /// Its tunnel addresses. Sanitized.
    pub allowed_ips: Vec<String>,
}

/// One look at the server: everything in one command, so that clock and stamps belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerReading {
    /// The server's clock, seconds since 1970.
    pub clock: i64,
    /// The interface's public key.
    pub public_key: PublicKey,
    /// Its peers, sorted by key (the order of `wg show` is arbitrary).
    pub peers: Vec<PeerReading>,
}

/// The peers of a reading by their keys, for whoever asks for many of them.
pub struct Peers<'a> {
    live: PublicKey,
    of: HashMap<&'a PublicKey, &'a PeerReading>,
}

impl<'a> Peers<'a> {
    /// Those of this reading.
    pub fn of(reading: &'a ServerReading) -> Self {
        let of = reading.peers.iter().map(|peer| (&peer.public_key, peer)).collect();
        Self { live: reading.public_key, of }
    }

    /// The peer with this key.
    pub fn get(&self, key: &PublicKey) -> Option<&'a PeerReading> {
        self.of.get(key).copied()
    }
}

/// What the first reading under the live key showed of each peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The key of that reading.
    pub public_key: PublicKey,
    /// The server's clock in that reading, s.
    pub clock: i64,
    /// Stamp (s, 0 is never) and tx (bytes) of each peer.
    pub peers: BTreeMap<PublicKey, (i64, u64)>,
}

impl Baseline {
    /// Keeps what the first reading under the live key shows.
    pub fn of(reading: &ServerReading) -> Self {
        let peers = reading.peers.iter().map(|p| (p.public_key, (p.latest_handshake, p.tx))).collect();
        Self { public_key: reading.public_key, clock: reading.clock, peers }
    }
}

/// Whether a client has come back under the live key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// The interface does not have this peer.
    NoPeer,
    /// No handshake ever.
    Never,
    /// No handshake since the key changed: not reconfigured, or idle without keepalive. Not "down".
    NoSign,
    /// A handshake so close to the change that it may belong to the earlier key.
    ProbablyBack,
    /// A handshake that only the live key can have given.
    Back,
}

impl Presence {
    /// The words on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Presence::NoPeer => "no peer",
            Presence::Never => "never",
            Presence::NoSign => "no sign yet",
            Presence::ProbablyBack => "probably back",
            Presence::Back => "back",
        }
    }
}

/// Judges one peer of a reading against the baseline. The reading must show the baseline's key.
pub fn judge_presence(baseline: &Baseline, peers: &Peers<'_>, key: &PublicKey) -> Presence {
    let Some(peer) = peers.get(key) else {
        return Presence::NoPeer;
    };
    let (stamp, tx) = baseline.peers.get(key).copied().unwrap_or((0, 0));
    // A stamp that fell or is gone was made anew with its interface, and one from before the baseline is of the earlier key.
    let is_later = peer.latest_handshake > stamp && peer.latest_handshake >= baseline.clock;
    if peers.live != baseline.public_key || !is_later {
        return if peer.latest_handshake.max(stamp) == 0 { Presence::Never } else { Presence::NoSign };
    }
    let late = peer.latest_handshake > baseline.clock + PROBABLE_WITHIN;
    // Sending anything but initiations needs a session, and only the live key can have given one since the baseline.
    let sent_in_session = peer.tx.checked_sub(tx).is_some_and(|sent| !sent.is_multiple_of(INITIATION_BYTES));
    if late || sent_in_session { Presence::Back } else { Presence::ProbablyBack }
}

/// How many of the baseline's peers have a stamp or a counter that fell since, which nothing does but being made anew.
pub fn made_anew(baseline: &Baseline, reading: &ServerReading) -> usize {
    let fell = |peer: &&PeerReading| {
        let before = baseline.peers.get(&peer.public_key);
        before.is_some_and(|(stamp, tx)| peer.latest_handshake < *stamp || peer.tx < *tx)
    };
    reading.peers.iter().filter(fell).count()
}

/// Judges a person by all of their peers: they are as far back as the peer that is least so. `None` where they have none.
pub fn judge_person(baseline: &Baseline, peers: &Peers<'_>, keys: impl Iterator<Item = PublicKey>) -> Option<Presence> {
    keys.map(|key| judge_presence(baseline, peers, &key)).min()
}

/// Clocks that differ by no more are no news, s.
pub const SKEW_TOLERATED: i64 = 5;

/// How far a clock is ahead of another, s, by which it was asked and had answered at these moments: what the answer took is no
/// difference.
pub fn ahead(clock: i64, asked: i64, answered: i64) -> i64 {
    clock - clock.clamp(asked.min(answered), answered)
}

/// How lively a peer is when no rotation is pending, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// No handshake ever.
    Never,
    /// Over 205 s: idle without keepalive, or away; which, only its next packet tells. Not "down".
    Unknown,
    /// 180 to 205 s: no session can send any more; implementations that renew late do so by now.
    Ageing,
    /// At most 180 s, as long as a session may send.
    Active,
    /// So recent, and not known to be one with the key that the interface has now: of another key there is no session any more.
    OldKey,
}

impl Activity {
    /// The word on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Activity::Never => "never",
            Activity::Unknown => "unknown",
            Activity::Ageing => "ageing",
            Activity::Active => "active",
            Activity::OldKey => "old key?",
        }
    }
}

/// Which handshakes are known to be with the key that the interface shows.
#[derive(Clone, Copy, Debug)]
pub enum Under<'a> {
    /// All: as far as is known it has shown no other.
    All,
    /// Those behind its first reading.
    Baseline(&'a Baseline),
    /// Those behind this moment of the server's clock, s; `None`: since when it shows that key nobody knows.
    Since(Option<i64>),
}

impl Under<'_> {
    /// How lively this peer is. `clock`: the server's, s.
    pub fn judge(self, peers: &Peers<'_>, peer: &PeerReading, clock: i64) -> Activity {
        let is_under = match self {
            Under::All => true,
            Under::Baseline(baseline) => judge_presence(baseline, peers, &peer.public_key) >= Presence::ProbablyBack,
            Under::Since(since) => since.is_some_and(|since| peer.latest_handshake > since),
        };
        match judge_activity(peer.latest_handshake, clock) {
            Activity::Active | Activity::Ageing if !is_under => Activity::OldKey,
            activity => activity,
        }
    }
}

/// Classifies a stamp by its age on the server's clock.
pub fn judge_activity(latest_handshake: i64, clock: i64) -> Activity {
    if latest_handshake == 0 {
        return Activity::Never;
    }
    match clock - latest_handshake {
        age if age <= 180 => Activity::Active,
        age if age <= 205 => Activity::Ageing,
        _ => Activity::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey::from_bytes([1; 32]);
    const LIVE: PublicKey = PublicKey::from_bytes([2; 32]);

    fn reading(clock: i64, stamp: i64, tx: u64) -> ServerReading {
        let peer =
            PeerReading { public_key: KEY, latest_handshake: stamp, endpoint: None, rx: 0, tx, allowed_ips: vec![] };
        ServerReading { clock, public_key: LIVE, peers: vec![peer] }
    }

    #[test]
    fn a_young_stamp_that_did_not_change_is_no_sign() {
        let baseline = Baseline::of(&reading(1000, 995, 500));
        assert_eq!(judge_presence(&baseline, &Peers::of(&reading(1010, 995, 500 + 148 * 2)), &KEY), Presence::NoSign);
    }

    #[test]
    fn a_stamp_just_after_the_change_is_only_probable_until_the_server_has_sent_data() {
        let baseline = Baseline::of(&reading(1000, 900, 0));
        assert_eq!(judge_presence(&baseline, &Peers::of(&reading(1010, 1003, 148 * 3)), &KEY), Presence::ProbablyBack);
        assert_eq!(judge_presence(&baseline, &Peers::of(&reading(1010, 1003, 148 * 3 + 92)), &KEY), Presence::Back);
        assert_eq!(judge_presence(&baseline, &Peers::of(&reading(1010, 1006, 0)), &KEY), Presence::Back);
    }

    #[test]
    fn no_stamp_but_one_later_than_the_application_is_a_sign_whatever_became_of_the_counters() {
        for (before, tx) in [(0, 0), (400, 500), (999, 500), (1000, 148)] {
            let baseline = Baseline::of(&reading(1000, before, tx));
            for stamp in 0..=1020 {
                // Gone, fallen, as it was, and grown: by initiations, and by data.
                for counter in [0, 92, tx.saturating_sub(1), tx, tx + 148, tx + 92] {
                    let now = reading(1020, stamp, counter);
                    let presence = judge_presence(&baseline, &Peers::of(&now), &KEY);
                    let is_sign = stamp > before && stamp >= 1000;
                    assert_eq!(presence >= Presence::ProbablyBack, is_sign, "{before} {tx} {stamp} {counter}");
                    assert_eq!(presence == Presence::Never, before == 0 && stamp == 0, "{before} {stamp}");
                    let fell = stamp < before || counter < tx;
                    assert_eq!(made_anew(&baseline, &now), usize::from(fell), "{before} {tx} {stamp} {counter}");
                }
            }
        }
    }

    #[test]
    fn nothing_counts_while_the_interface_shows_another_key() {
        let baseline = Baseline::of(&reading(1000, 900, 0));
        let other = ServerReading { public_key: KEY, ..reading(1100, 1090, 92) };
        assert_eq!(judge_presence(&baseline, &Peers::of(&other), &KEY), Presence::NoSign);
    }

    #[test]
    fn a_peer_that_never_shook_hands_is_never_and_a_missing_one_is_no_peer() {
        let baseline = Baseline::of(&reading(1000, 0, 0));
        assert_eq!(judge_presence(&baseline, &Peers::of(&reading(1010, 0, 0)), &KEY), Presence::Never);
        assert_eq!(judge_presence(&baseline, &Peers::of(&reading(1010, 0, 0)), &LIVE), Presence::NoPeer);
    }

    #[test]
    fn ages_are_judged_by_the_servers_clock() {
        let judged = [0, 1005, 850, 820, 819, 795].map(|stamp| judge_activity(stamp, 1000).word());
        assert_eq!(judged, ["never", "active", "active", "active", "ageing", "ageing"]);
        let idle = [794, 600, 100, 1].map(|stamp| judge_activity(stamp, 1000).word());
        assert_eq!(idle, ["unknown"; 4], "without keepalive that is as it should be");
    }

    #[test]
    fn a_recent_handshake_that_is_not_known_to_be_with_the_key_of_now_is_no_live_session() {
        let baseline = Baseline::of(&reading(1000, 990, 0));
        let judge = |under: Under<'_>, stamp| {
            let now = reading(1020, stamp, 0);
            under.judge(&Peers::of(&now), &now.peers[0], now.clock).word()
        };
        assert_eq!(judge(Under::All, 990), "active");
        assert_eq!([990, 1005].map(|stamp| judge(Under::Baseline(&baseline), stamp)), ["old key?", "active"]);
        assert_eq!([1000, 1001].map(|stamp| judge(Under::Since(Some(1000)), stamp)), ["old key?", "active"]);
        assert_eq!([1019, 0, 1].map(|stamp| judge(Under::Since(None), stamp)), ["old key?", "never", "unknown"]);
    }

    #[test]
    fn what_an_answer_takes_is_no_difference_of_clocks() {
        for (clock, asked, answered, apart) in
            [(100, 100, 100, 0), (109, 100, 115, 0), (705, 100, 101, 604), (40, 100, 101, -60), (100, 103, 101, -1)]
        {
            assert_eq!(ahead(clock, asked, answered), apart, "{clock} {asked} {answered}");
        }
    }
}
