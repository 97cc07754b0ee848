//! Whether more than one rotates: what jobs were found where, what that makes of the interval, and what the repository's own times
//! say was practised. How often one may rotate is `interval`.

use super::agreement::names;
use super::duration::text;
use super::interval::{Lifetimes, least_interval};
use super::not_before::Times;
use serde::{Deserialize, Serialize};

/// Something on a node that rotates, or may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// On which node.
    pub node: String,
    /// Where it is written: `crontab of keystone`, `/etc/cron.d/keystone`, `timer keystone-fernet.timer`, `container keystone_fernet`.
    pub place: String,
    /// The line, sanitized.
    pub line: String,
    /// How often it runs, s, where that is known.
    pub interval: Option<u64>,
}

/// What was found of rotators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotators {
    /// Jobs on other nodes than the rotator.
    pub elsewhere: Vec<Job>,
    /// Jobs on the rotator: they must not run while a case is open.
    pub here: Vec<Job>,
}

/// Sorts the jobs by whether they are the rotator's own.
pub fn sort(jobs: Vec<Job>, rotator: &str) -> Rotators {
    let (here, elsewhere) = jobs.into_iter().partition(|job| job.node == rotator);
    Rotators { elsewhere, here }
}

impl Rotators {
    /// Why nothing may be rotated; none where at most the rotator's own jobs were found.
    pub fn objection(&self) -> Option<String> {
        let nodes = nodes_of(&self.elsewhere);
        let first = self.elsewhere.first()?;
        Some(format!(
            "{} rotate{} too ({} on {}: {})",
            names(&nodes),
            if nodes.len() == 1 { "s" } else { "" },
            first.place,
            first.node,
            first.line
        ))
    }

    /// All jobs.
    pub fn all(&self) -> impl Iterator<Item = &Job> {
        self.here.iter().chain(&self.elsewhere)
    }
}

fn nodes_of(jobs: &[Job]) -> Vec<String> {
    let mut nodes: Vec<String> = jobs.iter().map(|job| job.node.clone()).collect();
    nodes.sort();
    nodes.dedup();
    nodes
}

/// The interval that several rotators make together, s, rounded down: each by its own clock, so that the cluster is rotated as often
/// as all of them together. None where no job's interval is known, or there is none.
pub fn together(jobs: &[Job]) -> Option<u64> {
    let known = jobs.iter().filter_map(|job| job.interval.filter(|every| *every > 0));
    let a_second: f64 = known.map(|every| 1.0 / every as f64).sum();
    // What the division loses is far less than a second; one job alone gives its own interval.
    (a_second > 0.0).then(|| ((1.0 / a_second + 1e-6) as u64).max(1))
}

/// That all jobs together rotate too often, with the numbers; none where they do not, or where it is not known.
pub fn over_rotation(jobs: &[Job], lifetimes: &Lifetimes, max_active_keys: u32) -> Option<String> {
    let (effective, least) = (together(jobs)?, least_interval(lifetimes, max_active_keys)?);
    if effective >= least {
        return None;
    }
    let nodes = nodes_of(jobs);
    Some(format!(
        "{} job{} on {} rotate every {} together, and with {max_active_keys} keys rotations must be {} apart: tokens die early",
        jobs.len(),
        if jobs.len() == 1 { "" } else { "s" },
        names(&nodes),
        text(effective),
        text(least)
    ))
}

/// A rotation that came sooner after the one before than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooSoon {
    /// The key that was made by it.
    pub index: u32,
    /// How long after the one before, s.
    pub after: u64,
}

/// The rotations of which the repository's times tell that came sooner than `least` seconds after the one before. The first pair of a
/// new repository is made by `fernet_setup` within a second and is none.
pub fn too_soon(times: &Times, least: u64) -> Vec<TooSoon> {
    let mut made: Vec<(u32, i64)> = times.iter().filter(|(index, _)| **index > 0).map(|(i, t)| (*i, *t)).collect();
    made.extend(times.get(&0).map(|time| (0, *time)));
    let pairs = made.windows(2).filter(|pair| pair[0].0 != 1);
    let gaps = pairs.filter(|pair| pair[1].1 >= pair[0].1).map(|pair| (pair[1].0, pair[1].1.abs_diff(pair[0].1)));
    gaps.filter(|(_, after)| *after < least).map(|(index, after)| TooSoon { index, after }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Lifetimes = Lifetimes { expiration: 3600, window: 172_800, distribution: 600, skew: 0 };
    const DAY: u64 = 86_400;

    fn job(node: &str, interval: Option<u64>) -> Job {
        let line = "0 3 * * * keystone-manage fernet_rotate".into();
        Job { node: node.into(), place: "/etc/cron.d/keystone".into(), line, interval }
    }

    #[test]
    fn a_job_on_another_node_is_named_and_one_on_the_rotator_is_not_in_the_way() {
        let rotators = sort(vec![job("node0", None), job("node2", None), job("node1", None)], "node0");
        assert_eq!((rotators.here.len(), rotators.elsewhere.len(), rotators.all().count()), (1, 2, 3));
        let told = rotators.objection().unwrap();
        assert!(told.starts_with("node1 and node2 rotate too (/etc/cron.d/keystone on node2: 0 3"), "{told}");
        assert_eq!(sort(vec![job("node0", None)], "node0").objection(), None);
    }

    #[test]
    fn a_cron_job_on_every_node_divides_the_interval_by_the_nodes() {
        let three = ["a", "b", "c"].map(|node| job(node, Some(3 * DAY)));
        assert_eq!((together(&three), together(&three[..1])), (Some(DAY), Some(3 * DAY)));
        assert_eq!(over_rotation(&three[..1], &LIFE, 3), None);
        let told = over_rotation(&three, &LIFE, 3).unwrap();
        assert!(told.contains("3 jobs on a, b and c rotate every 24 h together"), "{told}");
        assert!(told.contains("must be 49 h 10 min apart"), "{told}");
        assert_eq!((together(&[job("a", None)]), over_rotation(&[], &LIFE, 3)), (None, None));
    }

    #[test]
    fn rotations_that_came_too_soon_are_read_from_the_times() {
        let day = DAY as i64;
        let times: Times = [(1, 0), (2, 0), (3, 3 * day), (4, 3 * day + 60), (0, 6 * day)].into();
        assert_eq!(too_soon(&times, 2 * DAY), [TooSoon { index: 4, after: 60 }]);
        assert_eq!(too_soon(&times, 4 * DAY).len(), 3);
    }
}
