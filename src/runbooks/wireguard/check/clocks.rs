//! Whose clock differs from this host's, and by how much: windows are told by one, stamps are made by another, tokens end by a third.

use super::findings::{finding, pass};
use crate::domain::preflight::{Check as Finding, CheckState};

/// Clocks that differ by more than this make handshake stamps and windows hard to judge, s.
const SKEW_WARN: i64 = 5;
/// Clocks that differ by more than this make them meaningless, s.
const SKEW_FAIL: i64 = 120;

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

    /// The same, with the VPN server's, by which handshakes are stamped.
    pub(super) fn with_server(&self, clock: i64) -> Self {
        let of = std::iter::once(("server", Some(clock - self.now))).chain(self.of.iter().copied()).collect();
        Self { now: self.now, of }
    }

    /// The check of all of them.
    pub(super) fn check(&self) -> Finding {
        let said = |(whose, skew): &(&str, Option<i64>)| match skew {
            Some(skew) => format!("{whose} {skew:+} s"),
            None => format!("{whose} not told"),
        };
        let text = format!("{} against this host", self.of.iter().map(said).collect::<Vec<_>>().join(", "));
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
}
