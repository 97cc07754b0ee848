//! Whose clock differs from this host's, and by how much: windows are told by one, stamps are made by another, tokens end by a third.

use super::findings::{finding, pass};
use crate::domain::freshness::SKEW_TOLERATED as SKEW_WARN;
use crate::domain::preflight::{Check as Finding, CheckState};

/// Clocks that differ by more than this make them meaningless, s.
const SKEW_FAIL: i64 = 120;
/// The VPN server, among those whose clock is known.
const SERVER: &str = "server";
/// Whose clock it is that no other agrees with.
pub(super) const OWN_CLOCK: &str = "this host's clock";

/// Every clock that was asked for: whose, and how far it is ahead of this host's, s; none where it was not told.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    now: i64,
    of: Vec<(&'static str, Option<i64>)>,
}

impl Clocks {
    /// Those, at this moment of this host's clock.
    pub(super) fn new(now: i64, of: Vec<(&'static str, Option<i64>)>) -> Self {
        Self { now, of }
    }

    /// The same, compared at another moment of this host's clock: what comes next was told then.
    pub(super) fn at(&self, now: i64) -> Self {
        Self { now, of: self.of.clone() }
    }

    /// The same, with the VPN server's, by which handshakes are stamped.
    pub(super) fn with_server(&self, clock: i64) -> Self {
        let of = std::iter::once((SERVER, Some(clock - self.now))).chain(self.of.iter().copied()).collect();
        Self { now: self.now, of }
    }

    /// How far this host's clock is off, s: every other differs from it, and the server's is as far ahead as one of the others,
    /// which do not know it.
    fn own(&self) -> Option<u64> {
        let told = || self.of.iter().filter_map(|(_, skew)| *skew);
        let server = self.of.iter().find(|(whose, _)| *whose == SERVER).and_then(|(_, skew)| *skew)?;
        let with_it = told().filter(|skew| skew.abs_diff(server) <= SKEW_WARN.unsigned_abs()).count();
        (with_it > 1 && told().all(|skew| skew.abs() > SKEW_WARN)).then_some(server.unsigned_abs())
    }

    /// The check of all of them.
    pub(super) fn check(&self) -> Finding {
        let said = |(whose, skew): &(&str, Option<i64>)| match skew {
            Some(skew) => format!("{whose} {skew:+} s"),
            None => format!("{whose} not told"),
        };
        let all = self.of.iter().map(said).collect::<Vec<_>>().join(", ");
        let text = match self.own() {
            Some(off) => format!("{OWN_CLOCK} is {off} s off: {all} against it"),
            None => format!("{all} against this host"),
        };
        match self.of.iter().filter_map(|(_, skew)| *skew).map(i64::abs).max().unwrap_or(0) {
            0..=SKEW_WARN => pass("clocks", text),
            skew if skew <= SKEW_FAIL => finding(
                "clocks",
                CheckState::Warn,
                text,
                "stamps are judged by the server's clock, so this is only untidy",
            ),
            _ => finding("clocks", CheckState::Fail, text, "set the clocks (NTP) before rotating"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_clock_is_wrong_is_named_and_counts() {
        let names = ["Keystone", "Barbican", "Swift", "console API", "mail server"];
        let with = |wrong: usize, skew: i64| {
            let of = names.iter().enumerate().map(|(at, name)| (*name, Some(if at == wrong { skew } else { 0 })));
            Clocks::new(1_000_000, of.collect())
        };
        for (wrong, name) in names.iter().enumerate() {
            for (skew, state) in [(5, CheckState::Pass), (-6, CheckState::Warn), (121, CheckState::Fail)] {
                let check = with(wrong, skew).with_server(1_000_000).check();
                assert_eq!(check.state, state, "{check:?}");
                assert!(check.finding.contains(&format!("{name} {skew:+} s")), "{check:?}");
            }
        }
        assert_eq!(with(9, 0).with_server(1_000_300).check().state, CheckState::Fail);
        let silent = Clocks::new(0, vec![("mail server", None)]).check();
        assert!(silent.state == CheckState::Pass && silent.finding.contains("mail server not told"), "{silent:?}");
    }

    #[test]
    fn the_clock_that_differs_from_all_others_is_named_as_this_hosts_own() {
        let own = |server: i64, keystone: i64, mail: Option<i64>| {
            let others = vec![("Keystone", Some(keystone)), ("console API", None), ("mail server", mail)];
            Clocks::new(1_000_000, others).with_server(1_000_000 + server).check().finding.starts_with(OWN_CLOCK)
        };
        assert!(
            own(-1202, -1199, None) && own(1200, 1203, Some(1201)) && own(7, 6, None) && own(1200, 1200, Some(1230))
        );
        for (server, keystone) in [(0, 0), (-1202, 0), (0, 1200), (-1202, 1202), (4, 4)] {
            assert!(!own(server, keystone, None), "{server} {keystone}");
        }
        // Whoever agrees with this host says that it is right.
        assert!(!own(1200, 1200, Some(0)));
        let unread = Clocks::new(0, vec![("Keystone", Some(90)), ("Barbican", Some(90))]).check();
        assert!(!unread.finding.starts_with(OWN_CLOCK), "they may be one host: {unread:?}");
    }
}
