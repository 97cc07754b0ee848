//! Who has signed what in a rotation: every signature of the journal, verified anew for the report.

use crate::domain::signers::Signer;
use crate::engine::approval;
use crate::engine::closing;
use crate::engine::record::{Entry, Record, RotationId};
use crate::engine::review::Reviewed;
use crate::engine::rotation::Rotation;
use crate::engine::signing::{Signing, Statement};
use jiff::Timestamp;
use serde::Serialize;

/// One signature.
#[derive(Serialize)]
pub struct Signed {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) what: &'static str,
    /// By the journal.
    pub(super) by: String,
    /// By the signature; none if it is nobody's of the list.
    pub(super) signer: Option<Signer>,
}

/// Who has signed what, in the order of the records.
pub(super) fn signatures(rotation: &Rotation, records: &[Entry], signing: &Signing) -> Vec<Signed> {
    records.iter().filter_map(|entry| signed(entry, rotation, signing)).collect()
}

fn signed(entry: &Entry, rotation: &Rotation, signing: &Signing) -> Option<Signed> {
    let (tenant, case): (_, &RotationId) = (&rotation.tenant.id, &rotation.id);
    let (what, signer) = match &entry.record {
        Record::Approved { digest, expires, signature, .. } => {
            let statement = approval::statement(rotation, digest, *expires);
            ("approved the plan", signature.as_deref().and_then(|armored| signing.name(armored, &statement)))
        }
        Record::RotateConfirmed { approved_by: Some(_), signature: Some(armored), .. } => {
            let digest = &rotation.rotator.as_ref()?.digest.clone()?;
            ("confirmed rotate", signing.name(armored, &approval::rotate_statement(rotation, digest)))
        }
        Record::ReviewClosed { note, signature } => {
            let of = rotation.to_review().last()?.of;
            let statement = closing::statement(rotation, of, note);
            ("closed the review", signature.as_deref().and_then(|armored| signing.name(armored, &statement)))
        }
        Record::EmergencyDeclared { signature, .. } => {
            let statement = closing::declaration(tenant, case, Reviewed::Emergency);
            ("declared the emergency", signature.as_deref().and_then(|armored| signing.name(armored, &statement)))
        }
        Record::RollbackStarted { signature, review_due: Some(_), .. } => {
            let of = rotation.to_review().last()?.of;
            let statement = closing::declaration(tenant, case, of);
            ("went back", signature.as_deref().and_then(|armored| signing.name(armored, &statement)))
        }
        Record::SessionSigned { session, signature } => {
            let statement = Statement::Write { tenant, rotation: case, session };
            ("signed for a session", signing.name(signature, &statement))
        }
        _ => return None,
    };
    Some(Signed { seq: entry.seq, at: entry.at, what, by: entry.person().to_owned(), signer })
}
