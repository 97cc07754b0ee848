//! How seldom a slow link is written to: what others do is gathered, the operator's own keys and what was waited for are drawn at once.

use crate::app::message::Msg;
use std::time::{Duration, Instant};

/// So often what others do is drawn on a slow link.
const GATHERED: Duration = Duration::from_secs(15);

/// When the next frame is due.
pub(super) struct Thrift {
    is_slow: bool,
    drawn: Instant,
    waits: bool,
}

impl Thrift {
    pub(super) fn new(is_slow: bool, now: Instant) -> Self {
        Self { is_slow, drawn: now, waits: false }
    }

    /// How long the loop may sleep: `ticks` where the link is none to be spared.
    pub(super) fn wakes_in(&self, ticks: Duration, now: Instant) -> Duration {
        let left = GATHERED.saturating_sub(now.duration_since(self.drawn));
        match (self.is_slow, self.waits) {
            (false, _) => ticks,
            (true, true) => left,
            (true, false) => ticks.max(left),
        }
    }

    /// Whether a frame is to be drawn now. `urgent`: the operator did something, or what was waited for has come.
    pub(super) fn is_due(&mut self, urgent: bool, now: Instant) -> bool {
        let is_due = !self.is_slow || urgent || now.duration_since(self.drawn) >= GATHERED;
        if is_due {
            self.drawn = now;
        }
        self.waits = !is_due;
        is_due
    }
}

/// Whether a message may wait for the next frame.
pub(super) fn is_others(msg: &Msg) -> bool {
    matches!(
        msg,
        Msg::Tick(_)
            | Msg::Fleet { .. }
            | Msg::Status(_)
            | Msg::Subjects(_)
            | Msg::Case(..)
            | Msg::Progress { .. }
            | Msg::LabSaid(_)
            | Msg::Swept(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_link_is_spared_and_a_key_is_answered_at_once() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut slow = Thrift::new(true, start);
        assert!(!slow.is_due(false, start + second));
        assert_eq!(slow.wakes_in(second, start + second), Duration::from_secs(14));
        assert!(slow.is_due(true, start + 2 * second));
        assert_eq!(slow.wakes_in(second, start + 2 * second), GATHERED);
        assert!(!slow.is_due(false, start + 3 * second) && slow.is_due(false, start + 17 * second));
        assert_eq!(slow.wakes_in(60 * second, start + 17 * second), 60 * second, "nothing waits to be drawn");
        let mut fast = Thrift::new(false, start);
        assert!(fast.is_due(false, start));
        assert_eq!(fast.wakes_in(second, start), second);
    }
}
