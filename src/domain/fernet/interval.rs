//! How often one may rotate, and how many keys that takes, in general. Until when the keys of one repository are needed in fact
//! is `not_before`.
//!
//! A token is last issued under a key when the last node leaves it, distribution (D) after the rotation; it is asked for until
//! its expiration (E), by services `allow_expired_window` (W) longer, by clocks that differ (S). With `N = max_active_keys` the key
//! is purged `N - 2` rotations after it ceased to be the primary. Keystone's FAQ has neither D nor the rounding up.

use super::duration::text;
use serde::{Deserialize, Serialize};

/// The fewest keys with which a token lives through a rotation.
pub const LEAST_KEYS: u32 = 3;

/// What makes up the time for which a key is needed after it was replaced, all in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// `[token] expiration`.
    pub expiration: u64,
    /// `[token] allow_expired_window`.
    pub window: u64,
    /// From the first node that issues with the new primary to the last that has it.
    pub distribution: u64,
    /// By how much clocks may differ.
    pub skew: u64,
}

impl Lifetimes {
    /// For how long a key is needed after it was replaced: the sum.
    pub fn needed(&self) -> u64 {
        [self.expiration, self.window, self.distribution, self.skew].into_iter().fold(0, u64::saturating_add)
    }

    /// The sum in words: `1 h (expiration) + 48 h (allow_expired_window) + … = 49 h 10 min`.
    pub fn sum(&self) -> String {
        format!(
            "{} (expiration) + {} (allow_expired_window) + {} (distribution) + {} (clocks) = {}",
            text(self.expiration),
            text(self.window),
            text(self.distribution),
            text(self.skew),
            text(self.needed())
        )
    }
}

/// R_min: the shortest time between rotations with this many keys, s, rounded up; at least the time of distribution, because
/// nobody may rotate again before the last rotation has reached all. None below [`LEAST_KEYS`]: no interval is safe.
pub fn least_interval(lifetimes: &Lifetimes, max_active_keys: u32) -> Option<u64> {
    let generations = u64::from(max_active_keys.checked_sub(2).filter(|generations| *generations > 0)?);
    let above_distribution = lifetimes.distribution.saturating_add(1);
    Some(lifetimes.needed().div_ceil(generations).max(above_distribution))
}

/// N_min: the fewest keys with which one may rotate at this interval (s), rounded up. None where no number will do: the interval is
/// not longer than the distribution.
pub fn least_keys(lifetimes: &Lifetimes, interval: u64) -> Option<u32> {
    if interval <= lifetimes.distribution {
        return None;
    }
    let generations = lifetimes.needed().div_ceil(interval).max(1);
    u32::try_from(generations).ok()?.checked_add(2)
}

/// Why a number below [`LEAST_KEYS`] is refused, a fragment that fits behind the number.
pub fn too_few(max_active_keys: u32) -> String {
    let kept = match max_active_keys {
        2 => "only the new primary and the staged key are kept",
        _ => "only the staged key is kept, which is the primary too",
    };
    format!("{kept}, so that one rotation ends every token there is")
}

/// The reckoning with the real numbers, in sentences. `interval` is the one that is practised, where it is known (s).
pub fn worked(lifetimes: &Lifetimes, max_active_keys: u32, interval: Option<u64>) -> String {
    let needed = lifetimes.needed();
    let mut told = format!("A key is needed for {} after it was replaced.", lifetimes.sum());
    match least_interval(lifetimes, max_active_keys) {
        Some(least) => told.push_str(&format!(
            " With max_active_keys = {max_active_keys} it stays for {} rotation{}, so that rotations must be at least {} apart.",
            max_active_keys - 2,
            if max_active_keys == 3 { "" } else { "s" },
            text(least)
        )),
        None => told.push_str(&format!(
            " With max_active_keys = {max_active_keys} no interval is safe: {}.",
            too_few(max_active_keys)
        )),
    }
    let Some(interval) = interval.filter(|interval| *interval > 0) else { return told };
    match least_keys(lifetimes, interval) {
        Some(least) => {
            let generations = u64::from(least - 2);
            // Hundredths, rounded up: what is more than 2 must not read as 2.
            let hundredths = (u128::from(needed) * 100).div_ceil(u128::from(interval));
            told.push_str(&format!(
                " Rotating every {} takes {} / {} = {}.{:02}, rounded up {generations}, and 2 more: max_active_keys = {least}",
                text(interval),
                text(needed),
                text(interval),
                hundredths / 100,
                hundredths % 100
            ));
            told.push_str(if least > max_active_keys { " or more, which is not what is set." } else { " or more, as it is." });
        }
        None => told.push_str(&format!(
            " Rotating every {} is too often with any number of keys: the last rotation has not reached all nodes by then.",
            text(interval)
        )),
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Lifetimes = Lifetimes { expiration: 3600, window: 172_800, distribution: 0, skew: 0 };
    const MARGIN: Lifetimes = Lifetimes { distribution: 600, ..DEFAULTS };
    const HOUR: u64 = 3600;

    #[test]
    fn the_defaults_give_49_hours_and_ten_minutes_more_with_the_distribution() {
        assert_eq!(least_interval(&DEFAULTS, 3), Some(49 * HOUR));
        assert_eq!(least_interval(&MARGIN, 3), Some(49 * HOUR + 600));
        assert_eq!(least_interval(&Lifetimes { window: 0, ..MARGIN }, 3), Some(HOUR + 600));
        assert_eq!([0, 1, 2].map(|keys| least_interval(&MARGIN, keys)), [None; 3]);
    }

    #[test]
    fn daily_rotation_takes_five_keys_where_the_faq_reads_as_four() {
        assert_eq!(least_keys(&MARGIN, 24 * HOUR), Some(5));
        assert_eq!(least_interval(&MARGIN, 4), Some(88_500), "24.6 h: four keys break a daily rotation");
        assert_eq!(least_keys(&MARGIN, 600), None);
    }

    #[test]
    fn the_sentence_has_the_real_numbers() {
        assert_eq!(
            worked(&MARGIN, 4, Some(24 * HOUR)),
            "A key is needed for 1 h (expiration) + 48 h (allow_expired_window) + 10 min (distribution) + 0 s (clocks) = 49 h \
             10 min after it was replaced. With max_active_keys = 4 it stays for 2 rotations, so that rotations must be at least \
             24 h 35 min apart. Rotating every 24 h takes 49 h 10 min / 24 h = 2.05, rounded up 3, and 2 more: max_active_keys = \
             5 or more, which is not what is set."
        );
        assert!(worked(&MARGIN, 2, None).ends_with("one rotation ends every token there is."));
        assert!(worked(&MARGIN, 9, Some(60)).contains("too often with any number of keys"));
    }

    proptest::proptest! {
        #[test]
        fn both_formulas_agree_and_the_bound_is_tight(
            e in 0u64..1_000_000, w in 0u64..1_000_000, d in 0u64..10_000, s in 0u64..100, keys in 3u32..50, r in 1u64..2_000_000,
        ) {
            let lifetimes = Lifetimes { expiration: e, window: w, distribution: d, skew: s };
            let purged_after = |interval: u64, keys: u32| interval * u64::from(keys - 2);
            let least = least_interval(&lifetimes, keys).unwrap();
            proptest::prop_assert!(purged_after(least, keys) >= lifetimes.needed() && least > d);
            proptest::prop_assert!(least - 1 <= d || purged_after(least - 1, keys) < lifetimes.needed());
            match least_keys(&lifetimes, r) {
                Some(least) => {
                    proptest::prop_assert!(purged_after(r, least) >= lifetimes.needed() && least >= LEAST_KEYS);
                    proptest::prop_assert!(least == LEAST_KEYS || purged_after(r, least - 1) < lifetimes.needed());
                }
                None => proptest::prop_assert!(r <= d),
            }
        }
    }
}
