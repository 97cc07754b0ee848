//! A gap that a run has opened and did not live to close: what is known of it are the journal's times. One that a run has closed
//! itself is measured where its requests are sent, and left to the converge.

use crate::domain::step::StepNumber;
use crate::engine::converge_secret::Converged;
use crate::engine::record::{self, Entry, Record};
use crate::engine::rotation::Rotation;
use crate::engine::truth::{Live, LiveWord};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// The first version whose records say so of themselves; an older journal is told as it always was.
const SINCE: u32 = 6;

/// A gap by the journal's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenGap {
    /// When the DELETE was about to be sent, UTC.
    pub opened: Timestamp,
    /// When a secret was stored again, or seen to be there, UTC.
    pub closed: Timestamp,
    /// It was stored then; else it was only seen then, and the gap may have been as short as any.
    pub is_known: bool,
    /// No DELETE of ours had opened it: when it was seen last that something had the name stands for that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_others: bool,
}

impl BrokenGap {
    /// How long it was, or was at most, µs.
    pub fn us(&self) -> u64 {
        us_between(self.opened, self.closed)
    }
}

impl fmt::Display for BrokenGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |moment: Timestamp| moment.strftime("%Y-%m-%d %H:%M:%S UTC");
        match self.is_known {
            true => {
                write!(f, "by the journal: DELETE at {} by an attempt before, stored at ", at(self.opened))?;
                write!(f, "{}", at(self.closed))
            }
            false if self.by_others => write!(
                f,
                "not known: somebody else had left the name empty; at most {:.1} s, for it was not at {}, and the key was stored \
                 at {}",
                self.us() as f64 / 1e6,
                at(self.opened),
                at(self.closed)
            ),
            false => write!(
                f,
                "not known: the run that had announced DELETE at {} ended before it could say; at most {:.1} s, for the key was \
                 there at {}",
                at(self.opened),
                self.us() as f64 / 1e6,
                at(self.closed)
            ),
        }
    }
}

/// A gap or an overlap in words, everywhere the same: to the tenth of a millisecond where it is short. `us`: µs.
pub fn length(us: u64) -> String {
    match us {
        0..10_000 => format!("{:.1} ms", us as f64 / 1e3),
        10_000..10_000_000 => format!("{:.0} ms", us as f64 / 1e3),
        _ => format!("{:.0} s", us as f64 / 1e6),
    }
}

/// The time between two moments of the journal in the words of [`length`].
pub fn between(from: Timestamp, to: Timestamp) -> String {
    length(us_between(from, to))
}

fn us_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_micros()).unwrap_or(0)
}

/// The gap that belongs into the record of a replaced secret, µs, and since when it stood open where a run before this one had
/// opened it. `before`: that moment as it was known when this attempt began.
pub fn of(
    result: &Converged,
    before: Option<Timestamp>,
    rotation: &Rotation,
    now: Timestamp,
) -> (Option<u64>, Option<Timestamp>) {
    let measured = result.gap.map(|gap| u64::try_from(gap.as_micros()).unwrap_or(u64::MAX));
    // What was then seen to be as it had been was not open.
    match before.filter(|opened| rotation.live.opened() == Some(*opened)) {
        Some(opened) if measured.is_none() && result.stored => (Some(us_between(opened, now)), Some(opened)),
        // The key was there already, or a secret of somebody else's that this run has replaced: since when, nobody knows, and the
        // gap of this run is the shorter one.
        Some(opened) => (None, Some(opened)),
        None => (measured, None),
    }
}

impl Rotation {
    /// The present one. What nobody could measure is not forgotten for one that could be.
    fn put_gap(&mut self, gap: Option<BrokenGap>) {
        self.earlier_gaps.extend(std::mem::replace(&mut self.broken_gap, gap));
    }

    /// Keeps from when to when the name may have been empty. `before`: what was known of it until this moment.
    pub(super) fn note_empty(&mut self, before: LiveWord, at: Timestamp) {
        let was_open = before.known() != Live::There && self.live.known() == Live::There;
        self.empty.extend(before.sent().filter(|_| was_open).map(|opened| (opened, at)));
    }

    /// Takes in what a record says of it; asked before the record changes what is known of the live secret.
    pub(super) fn note_gap(&mut self, entry: &Entry) {
        let closed = entry.at;
        match &entry.record {
            Record::Swapped(record::Swapped { found_empty: Some(_), .. }) => {
                // When it was seen last that something had the name; where nobody has, since when it stood empty is not told.
                let checked = self.preflight.as_ref().filter(|run| run.keys.secret.is_some()).map(|run| run.at);
                let left = self.left_before.map(|left| left.since);
                let opened = self.live.there_at().or(checked).or(left);
                self.put_gap(opened.map(|opened| BrokenGap { opened, closed, is_known: false, by_others: true }));
                self.gap_us = None;
            }
            Record::Swapped(record::Swapped { gap_us, opened, .. }) => {
                let is_known = gap_us.is_some();
                self.put_gap(opened.map(|opened| BrokenGap { opened, closed, is_known, by_others: false }));
            }
            Record::StepResolved { step: StepNumber::SECRET, done: true, .. } if entry.version >= SINCE => {
                let opened = self.live.opened();
                self.put_gap(opened.map(|opened| BrokenGap { opened, closed, is_known: false, by_others: false }));
            }
            Record::RollbackStarted { .. } => self.put_gap(None),
            _ => {}
        }
    }
}
