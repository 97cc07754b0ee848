//! The review that an emergency, or a rollback that nobody had approved, leaves open until somebody else closes it.

use crate::engine::acts::Author;
use crate::engine::record::{Entry, RotationId};
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
    /// Who closed the review, when, and what they found.
    pub reviewed: Option<(String, Timestamp, String)>,
    /// By which record.
    #[serde(skip)]
    pub closing: Option<Closing>,
}

/// The record that closed a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Whose.
    pub author: Author,
    /// Their signature, where operators sign.
    pub signature: Option<String>,
}

impl Emergency {
    /// What a first declaration begins.
    pub(super) fn begin(of: Reviewed, entry: &Entry, reason: String, review_due: Timestamp) -> Self {
        let mut begun = Self {
            of,
            reason: reason.clone(),
            person: entry.person().to_owned(),
            at: entry.at,
            review_due,
            covers: Vec::new(),
            declared: Vec::new(),
            earlier: Vec::new(),
            reviewed: None,
            closing: None,
        };
        begun.declare(entry, reason, review_due);
        begun
    }

    /// Another declaration: nothing of the earlier ones is forgotten.
    pub(super) fn declare(&mut self, entry: &Entry, reason: String, review_due: Timestamp) {
        self.declared.push(Declared { author: Author::of(entry), at: entry.at, reason });
        self.review_due = self.review_due.min(review_due);
    }

    /// What was covered by it, and who had declared that.
    pub(super) fn cover(&mut self, covers: Vec<RotationId>, earlier: Vec<Author>) {
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

    /// Their names, each once.
    pub fn declarer_names(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for author in self.declarers() {
            if !names.contains(&author.person.as_str()) {
                names.push(&author.person);
            }
        }
        names.join(", ")
    }
}

impl Rotation {
    /// What waits for a review still.
    pub fn open_review(&self) -> Option<&Emergency> {
        let is_open = |review: &&Emergency| review.reviewed.is_none();
        self.emergency.as_ref().filter(is_open).or(self.rollback_review.as_ref().filter(is_open))
    }

    /// Folds a declaration. A second one on an open case adds to the first.
    pub(super) fn declare_emergency(
        &mut self,
        entry: &Entry,
        reason: String,
        due: Timestamp,
        covers: Vec<RotationId>,
        earlier: Vec<Author>,
    ) {
        match &mut self.emergency {
            Some(emergency) => emergency.declare(entry, reason, due),
            none => *none = Some(Emergency::begin(Reviewed::Emergency, entry, reason, due)),
        }
        if let Some(emergency) = &mut self.emergency {
            emergency.cover(covers, earlier);
        }
    }

    /// Folds a way back that nobody had approved: it is reviewed with the emergency, or by itself.
    pub(super) fn review_rollback(&mut self, entry: &Entry, reason: String, due: Timestamp) {
        match &mut self.emergency {
            Some(emergency) if emergency.reviewed.is_none() => emergency.declare(entry, reason, due),
            _ => self.rollback_review = Some(Emergency::begin(Reviewed::Rollback, entry, reason, due)),
        }
    }

    /// Folds the end of a review.
    pub(super) fn close_review(&mut self, entry: &Entry, note: String, signature: Option<String>) {
        let open = match &mut self.emergency {
            Some(emergency) if emergency.reviewed.is_none() => Some(emergency),
            _ => self.rollback_review.as_mut().filter(|review| review.reviewed.is_none()),
        };
        if let Some(review) = open {
            review.reviewed = Some((entry.person().to_owned(), entry.at, note));
            review.closing = Some(Closing { author: Author::of(entry), signature });
        }
    }
}
