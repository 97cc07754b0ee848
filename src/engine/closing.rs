//! Whether a review is closed: judged by every reader anew, from what was signed, as approvals are.
//!
//! Where operators sign, a closing counts only by a signature of the list over this very review, of somebody who has declared
//! nothing of it. Where they don't, logins are compared, which is advisory. Whoever declared without being known may be any of
//! those who close it, so then two different people must.

use crate::domain::signers::Signer;
use crate::engine::acts::Author;
use crate::engine::review::{Closing, Emergency, Reviewed};
use crate::engine::rotation::Rotation;
use crate::engine::signing::{Signing, Statement};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::ops::Deref;

/// What a case signed for says to whoever has no list to verify it by.
pub const UNVERIFIED: &str = "this case is held together by signatures, and this configuration has no list of signers to \
                              verify them by (approval.required, approval.signers)";

/// A review as this reader can verify it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// What is reviewed; who has signed a declaration is named in it.
    #[serde(flatten)]
    pub subject: Emergency,
    /// Who closed it, when, and what they found; none: it is open.
    pub reviewed: Option<(String, Timestamp, String)>,
    /// Logins are compared, nothing was signed.
    pub advisory: bool,
    /// Two different people must close it, for somebody declared it who can't be told from them.
    pub needs_two: bool,
    /// Why what was written to close it does not do so, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<String>,
    /// Who has closed it so far, where two must.
    #[serde(skip)]
    pub closers: Vec<String>,
}

impl Deref for Review {
    type Target = Emergency;

    fn deref(&self) -> &Emergency {
        &self.subject
    }
}

impl Review {
    /// Who may close it, for a sentence.
    pub fn by_whom(&self) -> String {
        let names = self.declarer_names();
        let mut text = match (self.needs_two, self.closers.first()) {
            (false, _) => format!("another operator than {names}"),
            (true, None) => format!("two other operators, for who declared it as {names} is not known"),
            (true, Some(first)) => {
                format!("another operator besides {first}, for who declared it as {names} is not known")
            }
        };
        if self.advisory {
            text.push_str("; by login only, which is advisory");
        }
        text
    }
}

impl Rotation {
    /// Every review of this case.
    pub fn reviews(&self, signing: &Signing) -> impl Iterator<Item = Review> {
        self.to_review().map(move |review| judge(self, review, signing))
    }

    /// What waits for a review still, as far as this reader can verify it.
    pub fn open_review(&self, signing: &Signing) -> Option<Review> {
        self.reviews(signing).find(|review| review.reviewed.is_none())
    }

    fn review_of(&self, of: Reviewed) -> Option<&Emergency> {
        self.to_review().find(|review| review.of == of)
    }
}

/// What is signed by who declares an emergency, or goes back without an approval.
pub fn declaration<'a>(
    tenant: &'a crate::domain::tenant::TenantId,
    rotation: &'a crate::engine::record::RotationId,
    of: Reviewed,
) -> Statement<'a> {
    Statement::Declare { tenant, rotation, of }
}

/// What is signed by who closes a review.
///
/// It is bound to the records of the review by their numbers, moments and authors: what stands in them is the chain's, and
/// the name of somebody who is erased later may stand there.
pub fn statement<'a>(rotation: &'a Rotation, of: Reviewed, note: &'a str) -> Statement<'a> {
    let digest = rotation.review_of(of).map(|review| {
        let declared: Vec<_> = review.declared.iter().map(|one| (one.seq, one.at, &one.author)).collect();
        let text = serde_json::to_string(&(review.of, declared, &review.earlier, &review.covers)).unwrap_or_default();
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    });
    let digest = digest.unwrap_or_default();
    Statement::Review { tenant: &rotation.tenant.id, rotation: &rotation.id, of, digest, note }
}

/// Whether the review would be closed by this, or be closer to it. Errors say why not.
pub fn may_close(rotation: &Rotation, review: &Review, closing: &Closing, signing: &Signing) -> Result<String, String> {
    let person = closer(rotation, review, closing, signing)?;
    match review.closers.contains(&person) {
        true => Err(format!("{person} has closed it already; another operator must close it too")),
        false => Ok(person),
    }
}

/// Whether this closing leaves the review open for another one.
pub fn is_first_of_two(review: &Review) -> bool {
    review.needs_two && review.closers.is_empty()
}

fn judge(rotation: &Rotation, review: &Emergency, signing: &Signing) -> Review {
    let mut subject = review.clone();
    for declared in &mut subject.declared {
        declared.author.signer =
            declarer(rotation, review.of, declared.signature.as_deref(), signing).map(|s| s.person);
    }
    let advisory = is_by_login(rotation, signing);
    let is_known = |author: &&Author| if advisory { !author.unproven } else { author.signer.is_some() };
    let needs_two = !subject.declarers().iter().all(is_known);
    let mut judged =
        Review { subject, reviewed: None, advisory, needs_two, not_counted: Vec::new(), closers: Vec::new() };
    for closing in &review.closings {
        let person = match may_close(rotation, &judged, closing, signing) {
            Ok(person) => person,
            Err(why) => {
                judged.not_counted.push(format!("that {} closed it does not count: {why}", closing.author.person));
                continue;
            }
        };
        let is_closed = !is_first_of_two(&judged) || advisory && closing.is_old;
        judged.closers.push(person);
        if is_closed {
            judged.reviewed = Some((judged.closers.join(" and "), closing.at, closing.note.clone()));
            break;
        }
    }
    judged
}

fn is_by_login(rotation: &Rotation, signing: &Signing) -> bool {
    !signing.is_asked() && !rotation.is_signed()
}

/// Who has declared it by their signature, whether their key counts still or not.
fn declarer(rotation: &Rotation, of: Reviewed, signature: Option<&str>, signing: &Signing) -> Option<Signer> {
    signing.name(signature?, &declaration(&rotation.tenant.id, &rotation.id, of))
}

/// By whom this closing is, if they may close the review.
fn closer(rotation: &Rotation, review: &Review, closing: &Closing, signing: &Signing) -> Result<String, String> {
    let another =
        |person: String, is_theirs: &dyn Fn(&Author) -> bool| match review.declarers().into_iter().any(is_theirs) {
            true => Err(format!("{person} declared the {}; another operator must review it", review.of.word())),
            false => Ok(person),
        };
    let login = &closing.author.person;
    if review.advisory {
        // What an earlier version let pass has its meaning still.
        return match closing.is_old {
            true => Ok(login.clone()),
            false => another(login.clone(), &|author| author.person == *login).and_then(|person| {
                let why = "its login proves nobody: review it from a login session, or configure approval.signers";
                if closing.author.unproven { Err(why.into()) } else { Ok(person) }
            }),
        };
    }
    if !signing.is_asked() {
        return Err(UNVERIFIED.into());
    }
    let signature = closing.signature.as_deref().ok_or("nobody has signed it")?;
    // As things stood when it was closed: what is over is not undone by a key that ends later, only by one that is struck off.
    let signer = signing.who(signature, &statement(rotation, review.of, &closing.note), closing.at)?;
    another(signer.person.clone(), &|author| author.signer.as_ref() == Some(&signer.person))
}
