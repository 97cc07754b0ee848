//! How many mails said something, told once for all batches of a look.

use crate::domain::reply::Verdict;
use crate::engine::rotation::Rotation;
use std::collections::BTreeSet;

/// What became of the mails that one look gave to a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Answers and returned mails.
    pub told: usize,
    /// To be read by a person.
    pub unclear: usize,
    /// Without an answer: programs, delays.
    pub nothing: usize,
    /// Not journaled, since their senders have sent too many.
    pub beyond: usize,
}

impl Tally {
    /// Counts one that was journaled.
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Unclear(_) => self.unclear += 1,
            Verdict::Automatic(_) | Verdict::Delayed(_) | Verdict::Unrelated(_) => self.nothing += 1,
            _ => self.told += 1,
        }
    }

    /// What became of these mails, by the rotation before and after.
    pub fn of<'a>(mails: impl Iterator<Item = &'a str>, before: Option<&Rotation>, after: &Rotation) -> Self {
        let mut tally = Self::default();
        let mut seen = BTreeSet::new();
        for mail in mails.filter(|mail| before.is_none_or(|before| !before.knows_mail(mail))) {
            match after.mail(mail) {
                Some(known) if seen.insert(mail) => tally.count(&known.heard.verdict),
                Some(_) => {}
                None => tally.beyond += 1,
            }
        }
        tally
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.told += other.told;
        self.unclear += other.unclear;
        self.nothing += other.nothing;
        self.beyond += other.beyond;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { told, unclear, nothing, beyond } = self;
        write!(f, "{told} answers or bounces, {unclear} to be read by a person, {nothing} without an answer")?;
        match beyond {
            0 => Ok(()),
            _ => write!(f, ", {beyond} not journaled, since their senders have sent too many"),
        }
    }
}
