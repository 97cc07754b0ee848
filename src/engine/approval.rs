//! Four eyes: what a second operator approves, bound to a digest of the plan, and whether that still holds.
//!
//! Whether an approval is asked for at all is the configuration's; the gate only hears the verdict.

use crate::domain::client::ClientId;
use crate::domain::gate::ApprovalFact;
use crate::domain::key::PublicKey;
use crate::domain::window::Window;
use crate::engine::record::Cause;
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A recorded approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The digest of the plan that was approved.
    pub digest: String,
    /// Who approved, by what they can't set themselves.
    pub person: String,
    /// When, UTC.
    pub at: Timestamp,
    /// Until when it counts, UTC.
    pub expires: Timestamp,
    /// What they said.
    pub note: String,
}

/// Everything that the approver agrees to. Another value of any field is another plan.
#[derive(Serialize)]
struct Plan<'a> {
    rotation: &'a str,
    tenant: &'a str,
    window: &'a Window,
    cause: Cause,
    waived: Vec<(&'a ClientId, &'a str)>,
    key: PublicKey,
}

/// The plan's digest, hex SHA-256 of its JSON. `None` before a check has seen the key that is to be replaced: without it
/// the plan could be carried out on another key than the one that was approved.
pub fn digest(rotation: &Rotation) -> Option<String> {
    let keys = &rotation.preflight.as_ref()?.keys;
    let plan = Plan {
        rotation: &rotation.id.0,
        tenant: rotation.tenant.id.as_str(),
        window: &rotation.window,
        cause: rotation.cause,
        waived: rotation.waivers.iter().map(|(client, waiver)| (client, waiver.reason.as_str())).collect(),
        key: keys.interface.or(keys.secret)?,
    };
    let text = serde_json::to_string(&plan).ok()?;
    Some(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether `person` may rotate as far as approvals go.
pub fn judge(rotation: &Rotation, asked_for: bool, person: &str, now: Timestamp) -> ApprovalFact {
    if !asked_for || rotation.emergency.is_some() {
        return ApprovalFact::NotNeeded;
    }
    let missing = |why: &str| ApprovalFact::Missing(why.to_owned());
    let Some(approval) = &rotation.approval else { return missing("a second operator must approve the plan") };
    if digest(rotation).as_ref() != Some(&approval.digest) {
        return ApprovalFact::Missing(format!(
            "the approval of {} is void: the plan has changed since",
            approval.person
        ));
    }
    if now >= approval.expires {
        return ApprovalFact::Missing(format!(
            "the approval of {} ended at {}",
            approval.person,
            approval.expires.strftime("%H:%M UTC")
        ));
    }
    if approval.person == person {
        return missing("you approved it yourself: somebody else must rotate");
    }
    ApprovalFact::Given { by: approval.person.clone(), expires: approval.expires }
}

/// Why `person` can't approve the plan that has this digest (the beginning is enough, from 8 digits on). `Ok` is the
/// whole digest.
pub fn may_approve(rotation: &Rotation, person: &str, typed: &str) -> Result<String, String> {
    if rotation.planned_person == person {
        return Err(format!("{person} made this plan; another operator must approve it"));
    }
    let digest = digest(rotation)
        .ok_or("the key that is to be replaced is not known yet: run the check first, then approve what it saw")?;
    if typed.len() < 8 || !digest.starts_with(&typed.to_ascii_lowercase()) {
        let shown = &digest[..12];
        return Err(format!("the plan's digest is {shown}…, not {typed:?}: read the plan again, then approve that"));
    }
    Ok(digest)
}
