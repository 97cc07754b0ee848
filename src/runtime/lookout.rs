//! Whether the holder of a lease lives: by the process, where it is one of this kernel and namespace, else by its count of
//! signs of life, watched on this process's own monotonic clock. Nobody's time of day is asked: one of two bastions may be a
//! day ahead.

use crate::adapters::system;
use crate::engine::journal::Holder;
use jiff::Timestamp;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A holder whose count stood still for this long, under our eyes, is dead.
pub const LEASE_TTL: Duration = Duration::from_secs(30);
/// How often a holder gives a sign of life.
pub const BEAT: Duration = Duration::from_secs(3);
/// Looks further apart than this don't hang together: the store may have been away, for the holder too. The watch begins anew.
const GAP: Duration = Duration::from_secs(15);
/// Two signs of life were missed: that is said.
pub const FALLEN_QUIET: Duration = Duration::from_secs(8);

/// What is known of a holder's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// A sign of life came while we watched, no longer ago than this.
    Alive(Duration),
    /// No sign of life came for so long, but its process is there, running or stopped.
    Runs(Duration),
    /// Watched for so long without a sign of life; too short to say that it is dead.
    Quiet(Duration),
    /// Watched for [`LEASE_TTL`] without a sign of life.
    Silent,
    /// Its process, which could be looked for here, is no more.
    Gone,
}

impl Life {
    /// Whether the tenant may be taken from it without force.
    pub fn is_over(self) -> bool {
        matches!(self, Life::Silent | Life::Gone)
    }
}

struct Watched {
    /// As it was first seen with this count.
    holder: Holder,
    /// When that was.
    first: Instant,
    /// The same by this host's clock, to be shown.
    since: Timestamp,
    /// When it was last looked at.
    last: Instant,
    /// Another count of the same holder had been seen before.
    has_moved: bool,
}

/// Watches one tenant's holder.
#[derive(Default)]
pub struct Lookout(Mutex<Option<Watched>>);

impl Lookout {
    /// Takes in one look at the store: who holds the tenant now. `at` is for showing only.
    pub fn see(&self, holder: &Holder, me: &Holder, at: Timestamp) -> Life {
        self.see_at(holder, me, at, Instant::now())
    }

    fn see_at(&self, holder: &Holder, me: &Holder, at: Timestamp, now: Instant) -> Life {
        let runs_here = system::runs_here(&holder.instance, holder.pid, &me.instance);
        if runs_here == Some(false) {
            return Life::Gone;
        }
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = match place.take() {
            // Everything of it, the count too, is as it was.
            Some(watched) if watched.holder == *holder && now - watched.last <= GAP => Watched { last: now, ..watched },
            before => {
                let has_moved =
                    before.is_some_and(|before| before.holder.fence == holder.fence && before.holder != *holder);
                Watched { holder: holder.clone(), first: now, since: at, last: now, has_moved }
            }
        };
        let quiet = now - watched.first;
        let life = match watched.has_moved {
            _ if quiet >= LEASE_TTL => Life::Silent,
            true if quiet <= FALLEN_QUIET => Life::Alive(quiet),
            _ if runs_here == Some(true) => Life::Runs(quiet),
            _ => Life::Quiet(quiet),
        };
        *place = Some(watched);
        life
    }

    /// Nobody holds it any more.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Since when, by this host's clock, no sign of life of the holder has been seen.
    pub fn quiet_since(&self) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|watched| watched.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::journal::Instance;

    /// A holder on another kernel, whose clock says `at`.
    fn holder(beats: u64, at: i64) -> Holder {
        let at = Timestamp::from_second(at).unwrap();
        let instance = Instance { id: "ab".into(), boot: "other".into(), namespace: "pid:[1] ".into(), started: 1 };
        Holder { beats, fence: 1, ..Holder::new("bob".into(), "two".into(), 1, at, instance) }
    }

    fn me() -> Holder {
        let instance = system::instance().unwrap();
        Holder::new("ada".into(), "one".into(), std::process::id(), Timestamp::UNIX_EPOCH, instance)
    }

    /// Our own monotonic clock, which a test turns.
    struct Watch {
        lookout: Lookout,
        now: Instant,
    }

    impl Watch {
        fn new() -> Self {
            Self { lookout: Lookout::default(), now: Instant::now() }
        }

        fn look(&self, holder: &Holder) -> Life {
            self.lookout.see_at(holder, &me(), Timestamp::UNIX_EPOCH, self.now)
        }

        fn pass(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }

        /// Looks once a second for so long; gives the last judgement.
        fn watch(&mut self, seconds: u64, holder: impl Fn(u64) -> Holder) -> Life {
            let mut life = self.look(&holder(0));
            for second in 1..=seconds {
                self.pass(1);
                life = self.look(&holder(second));
            }
            life
        }
    }

    #[test]
    fn a_count_that_stands_still_for_the_whole_time_is_a_dead_holder_whatever_its_clock_says() {
        for day in [-86_400, 0, 86_400] {
            let (mut watch, now) = (Watch::new(), 1_800_000_000 + day);
            assert_eq!(watch.watch(29, |_| holder(7, now)), Life::Quiet(Duration::from_secs(29)));
            watch.pass(1);
            assert_eq!(watch.look(&holder(7, now)), Life::Silent);
        }
    }

    #[test]
    fn a_count_that_moves_is_a_living_holder_whatever_its_clock_says() {
        for now in [0, 1_700_000_000, 1_800_086_400] {
            let life = Watch::new().watch(100, |second| holder(second / 3, now));
            assert!(matches!(life, Life::Alive(_)), "{life:?}");
        }
    }

    #[test]
    fn one_of_before_has_no_count_and_its_heartbeat_is_as_good_as_one() {
        let mut watch = Watch::new();
        let old = |second: u64| Holder { instance: Instance::default(), ..holder(second / 6, 5) };
        assert!(matches!(watch.watch(60, old), Life::Alive(_)));
        assert_eq!(watch.watch(31, |_| old(60)), Life::Silent);
    }

    #[test]
    fn a_watch_with_a_hole_in_it_begins_anew() {
        let mut watch = Watch::new();
        watch.watch(20, |_| holder(7, 0));
        // The store was away, or we were stopped: the holder could not give a sign of life, or we could not see it.
        watch.pass(60);
        assert_eq!(watch.look(&holder(7, 0)), Life::Quiet(Duration::ZERO));
        assert_eq!(watch.watch(30, |_| holder(7, 0)), Life::Silent);
    }

    #[test]
    fn another_holder_is_watched_from_the_beginning() {
        let mut watch = Watch::new();
        watch.watch(29, |_| holder(7, 0));
        let next = Holder { fence: 2, ..holder(7, 0) };
        assert_eq!(watch.watch(2, |_| next.clone()), Life::Quiet(Duration::from_secs(2)));
    }

    #[test]
    fn a_process_of_this_kernel_that_is_there_is_known_to_be_and_is_dead_only_after_the_whole_time() {
        let (mut watch, me) = (Watch::new(), me());
        let beside = Instance { id: "cd".into(), ..me.instance.clone() };
        let beside = Holder { instance: beside, pid: me.pid, ..holder(7, 0) };
        assert_eq!(watch.watch(29, |_| beside.clone()), Life::Runs(Duration::from_secs(29)));
        assert_eq!(watch.watch(1, |_| beside.clone()), Life::Silent);
    }

    #[test]
    fn a_process_of_this_kernel_that_is_no_more_is_gone_at_once() {
        let me = me();
        let gone = Instance { id: "cd".into(), started: 1, ..me.instance.clone() };
        let gone = Holder { instance: gone, pid: me.pid, ..holder(7, 0) };
        assert_eq!(Watch::new().look(&gone), Life::Gone);
    }
}
