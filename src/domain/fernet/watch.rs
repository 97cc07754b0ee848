//! Whether a node refuses or fails more often than before: shares of requests against a baseline that was taken before anything was
//! changed. Counting them (an access log, metrics) is left to whoever reads them.
//!
//! Both classes are watched: a missing key is a 401 or a 404, a broken repository a 500. Shares and not numbers, since load changes;
//! a node with few requests is not judged, since one refusal of three is no spike.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one node has answered within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All requests.
    pub requests: u64,
    /// 401, and 404 of `/v3/auth/tokens`: what a node says of a token whose key it lacks.
    pub refused: u64,
    /// 500 to 599.
    pub failed: u64,
}

impl Counts {
    /// What came between an earlier reading of rising counters and this one. Counters that fell were started anew: they count from 0.
    pub fn since(self, earlier: Counts) -> Counts {
        let is_anew =
            self.requests < earlier.requests || self.refused < earlier.refused || self.failed < earlier.failed;
        let earlier = if is_anew { Counts::default() } else { earlier };
        Counts {
            requests: self.requests - earlier.requests,
            refused: self.refused - earlier.refused,
            failed: self.failed - earlier.failed,
        }
    }

    /// How much of what stops a watch is used up by the worse of both shares, per cent: 100 is the threshold.
    pub fn used(self, usual: Counts, thresholds: &Thresholds) -> u32 {
        let of = |class, limit: u32| {
            let above = self.share(class).saturating_sub(usual.share(class));
            above.saturating_mul(100).checked_div(limit).unwrap_or(above.saturating_mul(100))
        };
        of(Class::Refused, thresholds.refused).max(of(Class::Failed, thresholds.failed))
    }

    fn share(self, class: Class) -> u32 {
        let part = match class {
            Class::Refused => self.refused,
            Class::Failed => self.failed,
        };
        per_mille(part, self.requests)
    }
}

/// In thousandths, rounded up: one of a million is not nothing.
fn per_mille(part: u64, whole: u64) -> u32 {
    if whole == 0 {
        return 0;
    }
    let share = (u128::from(part) * 1000).div_ceil(u128::from(whole));
    u32::try_from(share.min(1000)).unwrap_or(1000)
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Tokens that are not accepted.
    Refused,
    /// Answers of 5xx.
    Failed,
}

impl Class {
    /// The words in a sentence.
    pub fn word(self) -> &'static str {
        match self {
            Class::Refused => "refused tokens",
            Class::Failed => "server errors",
        }
    }
}

/// From what on it is a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// By how much the share of refused tokens may rise above the baseline, thousandths of all requests.
    pub refused: u32,
    /// The same of server errors.
    pub failed: u32,
    /// Fewer requests than this are not judged.
    pub least_requests: u64,
}

impl Default for Thresholds {
    /// 2 % more refused, 1 % more failed, of at least 50 requests. The incident of the facts was 19 %.
    fn default() -> Self {
        Self { refused: 20, failed: 10, least_requests: 50 }
    }
}

/// A node above its threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spike {
    /// Which node.
    pub node: String,
    /// Of what.
    pub class: Class,
    /// The share now, thousandths.
    pub share: u32,
    /// The share before, thousandths; none where the node was not counted before.
    pub before: Option<u32>,
    /// The share from which on it is one, thousandths.
    pub limit: u32,
    /// Of so many requests.
    pub requests: u64,
}

impl Spike {
    /// `node2: 19.0 % refused tokens of 1144 requests, 0.2 % before (limit 2.2 %)`.
    pub fn message(&self) -> String {
        let percent = |share: u32| format!("{}.{} %", share / 10, share % 10);
        let before = self.before.map_or("not counted before".into(), |share| format!("{} before", percent(share)));
        format!(
            "{}: {} {} of {} requests, {before} (limit {})",
            self.node,
            percent(self.share),
            self.class.word(),
            self.requests,
            percent(self.limit)
        )
    }
}

/// What the watch says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every node was judged and is below its threshold.
    Quiet,
    /// No spike, but these nodes had too few requests to be judged, or were not read.
    TooFew(Vec<String>),
    /// Some are above: stop, and offer the way back.
    Spikes(Vec<Spike>),
}

/// Judges what each of the `nodes` has answered since the baseline was taken. A node that is not in `now` was not read.
pub fn judge(
    nodes: &[String],
    baseline: &BTreeMap<String, Counts>,
    now: &BTreeMap<String, Counts>,
    thresholds: &Thresholds,
) -> Verdict {
    let (mut spikes, mut few) = (Vec::new(), Vec::new());
    // Shares of nothing are nothing: at least one request is wanted whatever is configured.
    let least = thresholds.least_requests.max(1);
    for node in nodes {
        let Some(counts) = now.get(node).filter(|counts| counts.requests >= least) else {
            few.push(node.clone());
            continue;
        };
        let before = baseline.get(node).filter(|before| before.requests >= least);
        for (class, above) in [(Class::Refused, thresholds.refused), (Class::Failed, thresholds.failed)] {
            let (share, usual) = (counts.share(class), before.map(|before| before.share(class)));
            let limit = usual.unwrap_or(0).saturating_add(above).min(1000);
            // A limit of everything would never be passed.
            if share > limit || limit == 1000 && share == 1000 && usual != Some(1000) {
                let requests = counts.requests;
                spikes.push(Spike { node: node.clone(), class, share, before: usual, limit, requests });
            }
        }
    }
    match (spikes.is_empty(), few.is_empty()) {
        (false, _) => Verdict::Spikes(spikes),
        (true, false) => Verdict::TooFew(few),
        (true, true) => Verdict::Quiet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: u64, refused: u64, failed: u64) -> Counts {
        Counts { requests, refused, failed }
    }

    fn of(pairs: &[(&str, Counts)]) -> BTreeMap<String, Counts> {
        pairs.iter().map(|(node, counts)| ((*node).to_owned(), *counts)).collect()
    }

    fn judged(before: &[(&str, Counts)], now: &[(&str, Counts)]) -> Verdict {
        judge(&["a".into(), "b".into()], &of(before), &of(now), &Thresholds::default())
    }

    #[test]
    fn the_incident_is_a_spike_that_names_the_node() {
        let before = [("a", counts(1000, 2, 0)), ("b", counts(1000, 2, 0))];
        let Verdict::Spikes(spikes) = judged(&before, &[("a", counts(1000, 3, 0)), ("b", counts(1144, 216, 0))]) else {
            panic!()
        };
        assert_eq!(spikes.len(), 1);
        assert_eq!(spikes[0].message(), "b: 18.9 % refused tokens of 1144 requests, 0.2 % before (limit 2.2 %)");
    }

    #[test]
    fn server_errors_have_their_own_threshold() {
        let quiet = [("a", counts(1000, 0, 0)), ("b", counts(1000, 0, 0))];
        assert_eq!(judged(&quiet, &[("a", counts(1000, 20, 10)), ("b", counts(1000, 0, 0))]), Verdict::Quiet);
        let Verdict::Spikes(spikes) = judged(&quiet, &[("a", counts(1000, 20, 11)), ("b", counts(1000, 0, 0))]) else {
            panic!()
        };
        assert_eq!((spikes[0].class, spikes[0].share, spikes[0].limit), (Class::Failed, 11, 10));
    }

    #[test]
    fn what_was_usual_before_is_no_spike_and_few_requests_are_not_judged() {
        let noisy = [("a", counts(100, 30, 0)), ("b", counts(100, 0, 0))];
        assert_eq!(judged(&noisy, &[("a", counts(100, 31, 0)), ("b", counts(100, 0, 0))]), Verdict::Quiet);
        assert_eq!(
            judged(&noisy, &[("a", counts(100, 30, 0)), ("b", counts(3, 3, 3))]),
            Verdict::TooFew(vec!["b".into()])
        );
        assert_eq!(
            judged(&noisy, &[("a", counts(100, 30, 0))]),
            Verdict::TooFew(vec!["b".into()]),
            "not read is not quiet"
        );
        let all = judge(
            &["a".into()],
            &of(&noisy),
            &of(&[("a", counts(100, 100, 0))]),
            &Thresholds { refused: 900, ..Thresholds::default() },
        );
        assert!(matches!(all, Verdict::Spikes(_)), "{all:?}");
    }

    #[test]
    fn a_node_without_a_baseline_is_held_against_nothing() {
        let Verdict::Spikes(spikes) = judged(&[], &[("a", counts(100, 3, 0)), ("b", counts(100, 0, 0))]) else {
            panic!()
        };
        assert!(spikes[0].message().contains("not counted before"));
    }

    #[test]
    fn counters_that_were_started_anew_count_from_zero() {
        assert_eq!(counts(150, 5, 1).since(counts(100, 2, 1)), counts(50, 3, 0));
        assert_eq!(counts(20, 1, 0).since(counts(100, 2, 1)), counts(20, 1, 0));
    }
}
