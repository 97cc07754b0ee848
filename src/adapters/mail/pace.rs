//! The limit that a relay sets: at most so many mails a minute, evenly spaced.
//!
//! How many at once is `mod`'s semaphore.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Gives each mail its moment.
pub(super) struct Pace {
    step: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(per_minute: Option<u32>) -> Self {
        Self { step: per_minute.map(|count| Duration::from_secs(60) / count.max(1)), next: Mutex::new(None) }
    }

    /// Waits until the next mail may go. A caller that goes away gives up its moment, which costs one step.
    pub(super) async fn wait(&self) {
        if let Some(moment) = self.moment(Instant::now()) {
            tokio::time::sleep_until(moment).await;
        }
    }

    fn moment(&self, now: Instant) -> Option<Instant> {
        let step = self.step?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = next.map_or(now, |next| next.max(now));
        *next = Some(moment + step);
        Some(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_spaced_and_a_pause_is_not_saved_up() {
        let pace = Pace::new(Some(30));
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let moments: Vec<_> = (0..3).filter_map(|_| pace.moment(now)).collect();
        assert_eq!(moments, [now, after(2), after(4)]);
        assert_eq!(pace.moment(after(100)), Some(after(100)));
        assert_eq!(pace.moment(after(100)), Some(after(102)));
        assert_eq!(Pace::new(None).moment(now), None);
    }
}
