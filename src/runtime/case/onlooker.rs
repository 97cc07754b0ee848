//! Who sits before a desk: a screen, a command line, or `watch`.

use super::Desk;
use crate::engine::step::Progress;
use std::time::Duration;

/// Who sits before a desk.
pub trait Onlooker: Send + Sync {
    /// The status is another one.
    fn changed(&self, desk: &dyn Desk);
    /// A step of what runs is so far.
    fn progress(&self, desk: &dyn Desk, progress: Progress);
    /// An order waits for something before it begins, and for what.
    fn waits(&self, _subject: &str, _text: &str) {}
    /// How long an order waits for somebody else who holds the subject.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}
