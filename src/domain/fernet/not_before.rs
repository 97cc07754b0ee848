//! Until when the keys of one repository are needed, from its own times: the moment before which they must not be purged, and
//! before which a rotation that purges them is not to be made. The general reckoning is `interval`.
//!
//! A rename keeps a file's time, so the time of `0` is the last rotation and the time of key `k` the rotation that made it as the
//! staged key. Key `k` ceased to be the primary when `k + 1` was promoted: at the time of `k + 2`, or of `0` where `k + 1` is the
//! primary. That holds as long as nobody has put files there by hand; where it does not, nothing is concluded from single times.

use super::interval::{Lifetimes, least_interval};
use super::repository::Repository;
use crate::domain::moment::minute;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The time of each key's file by its index, seconds since 1970 UTC by the node's clock.
pub type Times = BTreeMap<u32, i64>;

/// Why single times are not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distrust {
    /// There is no staged key, whose time would be the last rotation.
    NoStaged,
    /// Indexes are missing between this one and the next.
    Gap(u32, u32),
    /// A key is older than, or as old as, the one that came before it; index and predecessor.
    OutOfOrder(u32, u32),
    /// A key's time lies in the future.
    Future(u32),
}

impl Distrust {
    /// A fragment.
    pub fn message(&self) -> String {
        match self {
            Distrust::NoStaged => "the staged key is missing".into(),
            Distrust::Gap(low, high) => format!("there is no key between {low} and {high}"),
            Distrust::OutOfOrder(later, earlier) => format!("key {later} is not younger than key {earlier}"),
            Distrust::Future(index) => format!("the time of key {index} lies in the future"),
        }
    }
}

/// Until when one key is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its index.
    pub index: u32,
    /// The last moment at which one of its tokens may be asked for, seconds since 1970 UTC. None: it encrypts still, or that can't
    /// be known.
    pub until: Option<i64>,
}

/// On what a judgement rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The repository's own times.
    Times,
    /// The formula, counted from the last rotation, for these reasons.
    Formula(Vec<Distrust>),
}

/// When the keys that would go may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotBefore {
    /// The keys in question, ascending. Empty: nothing would be purged.
    pub keys: Vec<Need>,
    /// The moment for all of them, seconds since 1970 UTC. None: nothing would be purged, or it can't be known.
    pub at: Option<i64>,
    /// On what that rests.
    pub basis: Basis,
}

/// How the moment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing would be purged.
    Nothing,
    /// It has passed.
    Open,
    /// So many seconds remain.
    Wait(u64),
    /// It can't be known; unknown is shut.
    Unknown,
}

/// The keys that the next rotation would purge (Keystone's `rotate_keys`: the lowest, until `max_active_keys - 1` are left beside
/// the staged one), ascending. `indexes` are those of now.
pub fn purged_by_rotation(indexes: impl IntoIterator<Item = u32>, max_active_keys: u32) -> Vec<u32> {
    // The staged key becomes one more of them.
    lowest(indexes, usize::try_from(max_active_keys).unwrap_or(usize::MAX).saturating_sub(2))
}

/// The keys above `max_active_keys` that are there now, ascending: what a purge may take away.
pub fn excess(indexes: impl IntoIterator<Item = u32>, max_active_keys: u32) -> Vec<u32> {
    // At least the primary stays whatever the number says.
    lowest(indexes, usize::try_from(max_active_keys).unwrap_or(usize::MAX).saturating_sub(1).max(1))
}

fn lowest(indexes: impl IntoIterator<Item = u32>, kept: usize) -> Vec<u32> {
    let mut others: Vec<u32> = indexes.into_iter().filter(|index| *index > 0).collect();
    others.sort_unstable();
    others.truncate(others.len().saturating_sub(kept));
    others
}

/// The times of a repository's keys.
pub fn times(seen: &Repository) -> Times {
    seen.keys.iter().map(|(index, key)| (*index, key.mtime)).collect()
}

/// What makes single times untrustworthy; empty where nothing does. `now` is by the node's clock; `skew` in seconds is no future.
pub fn distrust(times: &Times, now: i64, skew: u64) -> Vec<Distrust> {
    let mut found = Vec::new();
    let latest = now.saturating_add_unsigned(skew);
    let Some(staged) = times.get(&0) else { return vec![Distrust::NoStaged] };
    found.extend(times.iter().filter(|(_, time)| **time > latest).map(|(index, _)| Distrust::Future(*index)));
    let others: Vec<(u32, i64)> = times.iter().filter(|(index, _)| **index > 0).map(|(i, t)| (*i, *t)).collect();
    for pair in others.windows(2) {
        let ((low, earlier), (high, later)) = (pair[0], pair[1]);
        if high - low > 1 {
            found.push(Distrust::Gap(low, high));
        }
        // fernet_setup makes the first two within a second: equal is in order there, and nowhere else can it be.
        if later < earlier || later == earlier && low > 1 {
            found.push(Distrust::OutOfOrder(high, low));
        }
    }
    if let Some((primary, time)) = others.last()
        && (staged < time || staged == time && *primary > 1)
    {
        found.push(Distrust::OutOfOrder(0, *primary));
    }
    found
}

/// Until when these keys are needed. `known_since` is since when this very set of keys is known to lie there (by the journal), for
/// where the times themselves say nothing; `now` is by the node's clock.
///
/// Where single times can't be trusted, the formula counts from the last rotation with its whole sum, as for three keys: through
/// how many rotations a key that was put there by hand has lived is not known, so no generation may be counted as over.
pub fn judge(times: &Times, would_go: &[u32], lifetimes: &Lifetimes, now: i64, known_since: Option<i64>) -> NotBefore {
    let distrust = distrust(times, now, lifetimes.skew);
    let end = |demoted: i64| demoted.saturating_add_unsigned(lifetimes.needed());
    if distrust.is_empty() {
        let need = |index: &u32| Need { index: *index, until: demoted(times, *index).map(end) };
        let keys: Vec<Need> = would_go.iter().map(need).collect();
        return NotBefore { at: latest(&keys), keys, basis: Basis::Times };
    }
    let until = last_rotation(times, now, lifetimes.skew, known_since).map(end);
    let keys: Vec<Need> = would_go.iter().map(|index| Need { index: *index, until }).collect();
    NotBefore { at: latest(&keys), keys, basis: Basis::Formula(distrust) }
}

/// The latest of all; none where one of them has no end.
fn latest(keys: &[Need]) -> Option<i64> {
    keys.iter().map(|key| key.until).try_fold(None, |kept: Option<i64>, until| Some(kept.max(Some(until?))))?
}

/// When a key ceased to be the primary; none for the primary, the staged one and those that are not there.
pub fn demoted(times: &Times, index: u32) -> Option<i64> {
    let primary = times.keys().next_back().copied().filter(|primary| *primary > 0)?;
    if index == 0 || index >= primary || !times.contains_key(&index) {
        return None;
    }
    if index + 1 == primary { times.get(&0).copied() } else { times.get(&(index + 2)).copied() }
}

/// No rotation can be later than the latest of the times that have passed: a file put there by hand is younger than the rotation
/// that made it, never older. Nothing is known where a time lies in the future: it may have been any file's.
fn last_rotation(times: &Times, now: i64, skew: u64, known_since: Option<i64>) -> Option<i64> {
    let latest = times.values().max().copied().filter(|time| *time <= now.saturating_add_unsigned(skew));
    match (latest, known_since) {
        (Some(latest), Some(known)) => Some(latest.max(known.min(now))),
        (latest, known) => latest.or(known),
    }
}

impl NotBefore {
    /// How it stands at `now`.
    pub fn standing(&self, now: i64) -> Standing {
        match self.at {
            _ if self.keys.is_empty() => Standing::Nothing,
            None => Standing::Unknown,
            Some(at) if at <= now => Standing::Open,
            Some(at) => Standing::Wait(now.abs_diff(at)),
        }
    }

    /// Whether the moment has passed, so that nobody asks for a token of these keys any more.
    pub fn has_passed(&self, now: i64) -> bool {
        self.standing(now) == Standing::Open
    }

    /// The moment in words; none where there is none.
    pub fn moment(&self) -> Option<String> {
        Some(minute(Timestamp::from_second(self.at?).ok()?))
    }

    /// The sentence of it: `rotating would purge key 4, whose last token may be used until Thu 26 Nov 14:02 UTC: wait until then, or
    /// raise max_active_keys to 5`; half-way `to be purged: key 4, …`.
    pub fn sentence(&self, by: By, now: i64, max_active_keys: u32, lifetimes: &Lifetimes) -> String {
        let head = match by {
            By::Rotation => "rotating would purge",
            By::Purge => "to be purged:",
        };
        let keys = match self.keys.as_slice() {
            [] => return format!("{head} nothing"),
            [only] => format!("key {}", only.index),
            [first, .., last] => format!("keys {} to {}", first.index, last.index),
        };
        let last = if self.keys.len() == 1 { "whose last token" } else { "the last of whose tokens" };
        // So many more are kept that none of these goes.
        let more = max_active_keys.saturating_add(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let raise = format!("raise max_active_keys to {more}");
        let told = match (self.standing(now), self.moment(), by) {
            (Standing::Wait(_), Some(moment), By::Rotation) => {
                format!("{head} {keys}, {last} may be used until {moment}: wait until then, or {raise}")
            }
            (Standing::Wait(_), Some(moment), By::Purge) => {
                format!("{head} {keys}, {last} may be used until {moment}: wait until then")
            }
            (Standing::Open, Some(moment), _) => {
                format!("{head} {keys}, which no token needs any more: the last one ended {moment}")
            }
            (.., By::Rotation) => format!("{head} {keys}, and until when {} can't be known: {raise}", self.needed()),
            (.., By::Purge) => format!("{head} {keys}, and until when {} can't be known", self.needed()),
        };
        match &self.basis {
            Basis::Times => told,
            Basis::Formula(reasons) => {
                let reasons: Vec<String> = reasons.iter().take(3).map(Distrust::message).collect();
                let interval = least_interval(lifetimes, max_active_keys).map(super::duration::text);
                let interval = interval.map(|least| format!(" (usual interval: {least})")).unwrap_or_default();
                format!(
                    "{told}. This is by the formula, {} after the last rotation{interval}, because the files' own times can't be \
                     trusted: {}",
                    super::duration::text(lifetimes.needed()),
                    reasons.join(", ")
                )
            }
        }
    }

    fn needed(&self) -> &'static str {
        if self.keys.len() == 1 { "it is needed" } else { "they are needed" }
    }
}

/// What takes keys away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The next rotation.
    Rotation,
    /// The purge of a case.
    Purge,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    const LIFE: Lifetimes = Lifetimes { expiration: 3600, window: 172_800, distribution: 600, skew: 0 };
    /// 2026-11-24 12:52 UTC, a Tuesday.
    const TUESDAY: i64 = 1_795_524_720;

    fn of(pairs: &[(u32, i64)]) -> Times {
        pairs.iter().copied().collect()
    }

    #[test]
    fn keystone_purges_the_lowest_and_more_than_one_where_there_are_more() {
        assert_eq!(purged_by_rotation([0, 1, 2], 3), [1]);
        assert!(purged_by_rotation([0, 1], 3).is_empty());
        assert_eq!(purged_by_rotation([0, 4, 5, 6, 7], 3), [4, 5, 6]);
        assert_eq!(purged_by_rotation([0, 7], 2), [7]);
        assert_eq!((excess([0, 1, 2, 3], 3), excess([0, 1, 2], 3)), (vec![1], vec![]));
        assert_eq!(excess([0, 1, 2], 1), [1], "the primary is never in excess");
    }

    #[test]
    fn the_sentence_is_that_of_the_facts() {
        // Key 4 was replaced when the present staged key was made; 49 h 10 min later is Thursday 14:02.
        let times = of(&[(4, TUESDAY - 2 * DAY), (5, TUESDAY - DAY), (0, TUESDAY)]);
        let now = TUESDAY + 8 * HOUR + 600;
        let would_go = purged_by_rotation(times.keys().copied(), 3);
        let judged = judge(&times, &would_go, &LIFE, now, None);
        assert_eq!(judged.basis, Basis::Times);
        assert_eq!(
            judged.sentence(By::Rotation, now, 3, &LIFE),
            "rotating would purge key 4, whose last token may be used until Thu 26 Nov 14:02 UTC: wait until then, or raise \
             max_active_keys to 4"
        );
        assert_eq!(judged.standing(now), Standing::Wait(41 * 3600));
        assert_eq!(judged.standing(judged.at.unwrap()), Standing::Open);
    }

    #[test]
    fn a_key_ceased_to_be_primary_when_the_one_after_it_was_promoted() {
        let times = of(&[(1, 10), (2, 20), (3, 30), (4, 40), (0, 50)]);
        let told: Vec<_> = [0, 1, 2, 3, 4, 5].map(|index| demoted(&times, index)).into();
        assert_eq!(told, [None, Some(30), Some(40), Some(50), None, None]);
    }

    #[test]
    fn times_that_can_not_be_are_said_and_the_formula_counts_from_the_last_rotation() {
        let now = 10 * DAY;
        let healthy = of(&[(1, DAY), (2, 2 * DAY), (3, 3 * DAY), (0, 4 * DAY)]);
        assert_eq!(distrust(&healthy, now, 0), []);
        let change = |index, time| {
            let mut times = healthy.clone();
            times.insert(index, time);
            times
        };
        for (times, reason) in [
            (change(2, 5 * DAY), Distrust::OutOfOrder(3, 2)),
            (change(0, 2 * DAY), Distrust::OutOfOrder(0, 3)),
            (change(3, 2 * DAY), Distrust::OutOfOrder(3, 2)),
            (change(0, now + 1), Distrust::Future(0)),
            (change(9, 3 * DAY + 1), Distrust::Gap(3, 9)),
        ] {
            let judged = judge(&times, &[1], &LIFE, now, None);
            let Basis::Formula(reasons) = &judged.basis else { panic!("{times:?} was trusted") };
            assert_eq!(*reasons, std::slice::from_ref(&reason));
            let latest = times.values().max().copied().unwrap();
            let expected = (latest <= now).then_some(latest + 49 * HOUR + 600);
            assert_eq!(judged.at, expected, "{reason:?}");
            assert!(judged.sentence(By::Rotation, now, 3, &LIFE).contains(&reason.message()));
        }
    }

    #[test]
    fn a_time_in_the_future_shuts_until_the_journal_has_known_the_keys_long_enough() {
        let times = of(&[(1, DAY), (2, 2 * DAY), (0, 99 * DAY)]);
        let judged = judge(&times, &[1], &LIFE, 10 * DAY, None);
        assert_eq!(judged.standing(10 * DAY), Standing::Unknown);
        assert!(judged.sentence(By::Rotation, 10 * DAY, 3, &LIFE).contains("can't be known"));
        let known = judge(&times, &[1], &LIFE, 10 * DAY, Some(7 * DAY));
        assert_eq!(known.at, Some(7 * DAY + 49 * HOUR + 600));
        assert_eq!(judge(&times, &[], &LIFE, 10 * DAY, None).standing(0), Standing::Nothing);
    }

    #[test]
    fn a_primary_that_would_be_purged_has_no_end() {
        let times = of(&[(1, 10), (0, 10)]);
        let judged = judge(&times, &purged_by_rotation([0, 1], 2), &LIFE, DAY, None);
        assert_eq!((judged.keys.len(), judged.standing(DAY)), (1, Standing::Unknown));
    }

    #[test]
    fn several_keys_are_told_together_and_a_skew_is_no_future() {
        let times = of(&[(1, 10), (2, 20), (3, 30), (0, DAY + 5)]);
        let judged = judge(&times, &[1, 2], &Lifetimes { skew: 5, ..LIFE }, DAY, None);
        assert_eq!(judged.basis, Basis::Times);
        let told = judged.sentence(By::Rotation, DAY, 2, &LIFE);
        assert!(
            told.starts_with("rotating would purge keys 1 to 2, the last of whose tokens may be used until "),
            "{told}"
        );
        assert!(told.ends_with("raise max_active_keys to 4"), "{told}");
    }

    proptest::proptest! {
        /// The history is simulated: what is judged must never let a key go whose tokens are asked for still.
        #[test]
        fn no_key_is_let_go_while_a_token_of_it_lives(
            gaps in proptest::collection::vec(1i64..200_000, 1..12),
            max in 3u32..8,
            wait in 0i64..400_000,
        ) {
            // fernet_setup: 0 and 1 at the same moment.
            let mut times = of(&[(0, 1_000), (1, 1_000)]);
            let mut left: BTreeMap<u32, i64> = BTreeMap::new();
            let mut now = 1_000;
            for gap in gaps {
                now += gap;
                let primary = *times.keys().next_back().unwrap();
                let staged = times.insert(0, now).unwrap();
                times.insert(primary + 1, staged);
                left.insert(primary, now);
                for index in excess(times.keys().copied(), max) {
                    times.remove(&index);
                }
            }
            now += wait;
            let would_go = purged_by_rotation(times.keys().copied(), max);
            let judged = judge(&times, &would_go, &LIFE, now, None);
            proptest::prop_assert_eq!(&judged.basis, &Basis::Times);
            let last = would_go.iter().map(|index| left[index] + 49 * HOUR + 600).max();
            proptest::prop_assert_eq!(judged.at, last, "exact, neither early nor late");
        }
    }
}
