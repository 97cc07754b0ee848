//! The review that an emergency, or a rollback that nobody had approved, leaves open until somebody else closes it.
//!
//! Here is what the journal says of it. Whether a closing counts is each reader's to verify, and `closing`'s.

use crate::engine::acts::Author;
use crate::engine::record::{Entry, RotationId, STARTING_TOUCHED};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::Serialize;

/// What is to be reviewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reviewed {
    /// A suspected compromise that overrode the gate.
    #[default]
    Emergency,
    /// A way back that cut people off again.
    Rollback,
}

impl Reviewed {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Reviewed::Emergency => "emergency",
            Reviewed::Rollback => "rollback",
        }
    }
}

/// One declaration of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// Who.
    #[serde(flatten)]
    pub author: Author,
    /// When, UTC.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// The record's number.
    #[serde(skip)]
    pub seq: u64,
    /// Their signature, where operators sign.
    #[serde(skip)]
    pub signature: Option<String>,
}

/// An emergency (or a rollback), and the review that it leaves open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Emergency {
    /// What is to be reviewed.
    pub of: Reviewed,
    /// Why, as it was first declared.
    pub reason: String,
    /// Who declared it first.
    pub person: String,
    /// When, UTC.
    pub at: Timestamp,
    /// When the review is due, UTC: the earliest of all that it covers.
    pub review_due: Timestamp,
    /// Earlier cases whose review this one covers.
    pub covers: Vec<RotationId>,
    /// Every declaration of it, the first one included.
    pub declared: Vec<Declared>,
    /// Who had declared those that it covers.
    pub earlier: Vec<Author>,
    /// The records that say that it was reviewed. None of them counts by standing there.
    #[serde(skip)]
    pub closings: Vec<Closing>,
}

/// A record that says that a review is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Whose.
    pub author: Author,
    /// When, UTC.
    pub at: Timestamp,
    /// What they found.
    pub note: String,
    /// Their signature, where operators sign.
    pub signature: Option<String>,
    /// It is of a version that judged it only when it was written.
    pub is_old: bool,
}

impl Emergency {
    /// What a first declaration begins.
    fn begin(of: Reviewed, entry: &Entry, declared: (String, Option<String>), review_due: Timestamp) -> Self {
        let mut begun = Self {
            of,
            reason: declared.0.clone(),
            person: entry.person().to_owned(),
            at: entry.at,
            review_due,
            covers: Vec::new(),
            declared: Vec::new(),
            earlier: Vec::new(),
            closings: Vec::new(),
        };
        begun.declare(entry, declared, review_due);
        begun
    }

    /// Another declaration: nothing of the earlier ones is forgotten.
    fn declare(&mut self, entry: &Entry, (reason, signature): (String, Option<String>), review_due: Timestamp) {
        let (author, at, seq) = (Author::of(entry), entry.at, entry.seq);
        self.declared.push(Declared { author, at, reason, seq, signature });
        self.review_due = self.review_due.min(review_due);
    }

    /// What was covered by it, and who had declared that.
    fn cover(&mut self, covers: Vec<RotationId>, earlier: Vec<Author>) {
        for case in covers {
            if !self.covers.contains(&case) {
                self.covers.push(case);
            }
        }
        for author in earlier {
            if !self.earlier.contains(&author) {
                self.earlier.push(author);
            }
        }
    }

    /// Everybody who declared it or one that it covers: none of them closes the review.
    pub fn declarers(&self) -> Vec<&Author> {
        let mut all: Vec<&Author> = Vec::new();
        for author in self.declared.iter().map(|declared| &declared.author).chain(&self.earlier) {
            if !all.contains(&author) {
                all.push(author);
            }
        }
        all
    }

    /// Their names, each once: who has signed, where that is known.
    pub fn declarer_names(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for author in self.declarers() {
            let name = author.signer.as_ref().unwrap_or(&author.person);
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.join(", ")
    }
}

impl Rotation {
    /// What the journal leaves to be reviewed, or to have been reviewed, in this case.
    pub fn to_review(&self) -> impl Iterator<Item = &Emergency> {
        self.emergency.iter().chain(&self.rollback_review)
    }

    /// Somebody has signed for something in this case: then nothing but signatures tells who said what in it, whatever the
    /// configuration of whoever reads it says.
    pub fn is_signed(&self) -> bool {
        let of_review = |review: &Emergency| {
            review.declared.iter().any(|declared| declared.signature.is_some())
                || review.closings.iter().any(|closing| closing.signature.is_some())
        };
        let approved = self.approval.as_ref().is_some_and(|approval| approval.signature.is_some());
        approved || !self.sessions.is_empty() || self.to_review().any(of_review)
    }

    /// Folds a declaration. A second one on an open case adds to the first.
    pub(super) fn declare_emergency(
        &mut self,
        entry: &Entry,
        declared: (String, Option<String>),
        due: Timestamp,
        covers: Vec<RotationId>,
        earlier: Vec<Author>,
    ) {
        match &mut self.emergency {
            Some(emergency) => emergency.declare(entry, declared, due),
            none => *none = Some(Emergency::begin(Reviewed::Emergency, entry, declared, due)),
        }
        if let Some(emergency) = &mut self.emergency {
            emergency.cover(covers, earlier);
        }
    }

    /// Folds a way back that nobody had approved: it is reviewed with the emergency, or by itself.
    pub(super) fn review_rollback(&mut self, entry: &Entry, declared: (String, Option<String>), due: Timestamp) {
        match &mut self.emergency {
            Some(emergency) if emergency.closings.is_empty() => emergency.declare(entry, declared, due),
            _ => self.rollback_review = Some(Emergency::begin(Reviewed::Rollback, entry, declared, due)),
        }
    }

    /// Folds what somebody found in a review. There is one review that can be meant: a rollback has one of its own only
    /// where there is no emergency, or that was reviewed before.
    pub(super) fn close_review(&mut self, entry: &Entry, note: String, signature: Option<String>) {
        if let Some(review) = self.rollback_review.as_mut().or(self.emergency.as_mut()) {
            let is_old = entry.version <= STARTING_TOUCHED;
            review.closings.push(Closing { author: Author::of(entry), at: entry.at, note, signature, is_old });
        }
    }
}
