//! Which points of a walk are walked: a sample in `cargo test`, all of them in `.ci/walks` (`WALK_ALL=1`). The sample follows
//! from the commit, so that each commit walks others, or from `WALK_SEED`, so that a run can be repeated.

use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// What the sample follows from.
pub fn seed() -> &'static str {
    static SEED: OnceLock<String> = OnceLock::new();
    SEED.get_or_init(|| {
        let given = std::env::var("WALK_SEED").ok().filter(|seed| !seed.is_empty());
        let head = || {
            let mut git = std::process::Command::new("git");
            let output = git.args(["rev-parse", "--short=12", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
            let head = output.ok().filter(|output| output.status.success())?;
            Some(String::from_utf8_lossy(&head.stdout).trim().to_owned())
        };
        // A source tree without git has its version only.
        let seed = given.or_else(head).unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
        println!("the walks take the sample of WALK_SEED={seed}; WALK_ALL=1 takes all points");
        seed
    })
}

/// Whether all points are walked.
pub fn is_all() -> bool {
    std::env::var_os("WALK_ALL").is_some_and(|all| !all.is_empty() && all != "0")
}

/// A number that follows from the seed, never 0: the start of a walk's own chance.
pub fn number(walk: &str) -> u64 {
    let digest = Sha256::digest(format!("{}/{walk}", seed()));
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)) | 1
}

/// The chosen of `points`, in their order: at most `most` of them, the same for the same seed and walk.
pub fn chosen<T>(walk: &str, points: Vec<T>, most: usize) -> Vec<T> {
    let all = points.len();
    let seed = seed();
    if is_all() || all <= most {
        println!("{walk}: all {all} points");
        return points;
    }
    let mut ranked: Vec<(Vec<u8>, usize)> =
        (0..all).map(|at| (Sha256::digest(format!("{seed}/{walk}/{at}")).to_vec(), at)).collect();
    ranked.sort();
    let mut kept = vec![false; all];
    ranked.iter().take(most).for_each(|(_, at)| kept[*at] = true);
    println!("{walk}: {most} of {all} points (WALK_SEED={seed})");
    points.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| point).collect()
}

#[test]
fn a_sample_is_the_same_for_the_same_seed_and_another_for_another_walk() {
    let points: Vec<u32> = (0..1000).collect();
    let one = chosen("one", points.clone(), 20);
    if !is_all() {
        assert_eq!(one.len(), 20);
        assert_ne!(one, chosen("two", points.clone(), 20));
    }
    assert_eq!(one, chosen("one", points, 20));
}
