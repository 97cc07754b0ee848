//! Four eyes: what a second operator approves, bound to a digest of the plan, and whether that still holds.
//!
//! Whether an approval is asked for at all is the configuration's; the gate only hears the verdict.

use crate::domain::client::ClientId;
use crate::domain::gate::ApprovalFact;
use crate::domain::key::PublicKey;
use crate::domain::signers::Signer;
use crate::domain::window::Window;
use crate::engine::acts::{Author, Rotator, Word};
use crate::engine::closing::UNVERIFIED;
use crate::engine::record::{Cause, Entry, Record};
use crate::engine::rotation::Rotation;
use crate::engine::signing::{Signing, Statement};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a digest covers. An approval of another scheme covered something else, so it counts no more.
pub const SCHEME: u32 = 2;

impl Rotation {
    /// Folds an approval.
    pub(super) fn approve(
        &mut self,
        entry: &Entry,
        approved: (String, Timestamp, String),
        scheme: u32,
        signature: Option<String>,
    ) {
        let (digest, expires, note) = approved;
        let (author, at) = (Author::of(entry), entry.at);
        let person = author.person.clone();
        let (signer, advisory) = (None, true);
        let approval = Approval { digest, person, at, expires, note, scheme, author, signature, signer, advisory };
        self.approval = Some(approval);
    }
}

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
    /// The scheme of the digest.
    pub scheme: u32,
    /// Who approved, as the journal has it.
    #[serde(skip)]
    pub author: Author,
    /// Their signature over scheme, digest and expiry, where operators sign.
    #[serde(skip)]
    pub signature: Option<String>,
    /// Who has signed it, once it was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// It rests on a login only.
    pub advisory: bool,
}

/// The last approval as it is shown: with who has signed it, where operators sign.
pub fn shown(rotation: &Rotation, signing: &Signing) -> Option<Approval> {
    let approval = rotation.approval.clone()?;
    let signer = signer(rotation, &approval, signing);
    let person = signer.as_ref().map_or_else(|| approval.person.clone(), |signer| signer.person.clone());
    Some(Approval { person, signer, advisory: !signing.is_asked(), ..approval })
}

/// Somebody who will be cut off.
#[derive(Serialize)]
struct Cut<'a> {
    id: &'a ClientId,
    name: &'a str,
    email: Option<&'a str>,
}

/// Everything that the approver agrees to. Another value of any field is another plan.
#[derive(Serialize)]
struct Plan<'a> {
    scheme: u32,
    rotation: &'a str,
    tenant: &'a str,
    window: &'a Window,
    cause: Cause,
    people: Vec<Cut<'a>>,
    words: &'a [Word],
    waived: Vec<(&'a ClientId, &'a str)>,
    key: PublicKey,
}

impl<'a> Plan<'a> {
    /// `None` before a check has seen the key that is to be replaced: without it the plan could be carried out on another
    /// key than the one that was approved.
    fn of(rotation: &'a Rotation) -> Option<Self> {
        let keys = &rotation.preflight.as_ref()?.keys;
        let cut = |client: &'a crate::domain::client::Client| Cut {
            id: &client.id,
            name: &client.name,
            email: client.email.as_deref(),
        };
        let mut people: Vec<Cut<'_>> = rotation.clients.iter().map(cut).collect();
        people.sort_by_key(|cut| cut.id);
        Some(Self {
            scheme: SCHEME,
            rotation: &rotation.id.0,
            tenant: rotation.tenant.id.as_str(),
            window: &rotation.window,
            cause: rotation.cause,
            people,
            words: &rotation.words,
            waived: rotation.waivers.iter().map(|(client, waiver)| (client, waiver.reason.as_str())).collect(),
            key: keys.interface.or(keys.secret)?,
        })
    }
}

/// The plan's digest, hex SHA-256 of its JSON; none before a check.
pub fn digest(rotation: &Rotation) -> Option<String> {
    let text = serde_json::to_string(&Plan::of(rotation)?).ok()?;
    Some(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the digest covers, a line each, for whoever is to approve it; empty before a check.
pub fn covers(rotation: &Rotation) -> Vec<String> {
    let Some(plan) = Plan::of(rotation) else { return Vec::new() };
    let cause = if plan.cause == Cause::Compromise { "suspected compromise" } else { "scheduled" };
    let planners: Vec<&str> = rotation.planners.iter().map(|author| author.person.as_str()).collect();
    let mut lines = vec![
        format!("rotation {} of {} ({cause}), planned by {}", plan.rotation, plan.tenant, planners.join(", then ")),
        format!("window {}, revision {}", plan.window.for_people(), plan.window.revision),
        format!("key to be replaced: {}", plan.key),
    ];
    let names: BTreeMap<&ClientId, &str> = plan.people.iter().map(|cut| (cut.id, cut.name)).collect();
    lines.extend(plan.people.iter().map(|cut| {
        let email = cut.email.map_or_else(String::new, |email| format!(" <{email}>"));
        let name = if cut.name == cut.id.0 { String::new() } else { format!(" {}", cut.name) };
        format!("cut off: {}{name}{email}", cut.id)
    }));
    lines.extend(plan.waived.iter().map(|(client, reason)| {
        let name = names.get(client).copied().unwrap_or(client.0.as_str());
        format!("waived: {name}: {reason}")
    }));
    lines.extend(plan.words.iter().map(typed));
    lines
}

/// How the lines of [`covers`] begin that tell what an operator typed.
pub const TYPED_BY: &str = "typed by ";

fn typed(word: &Word) -> String {
    let revision = match &word.record {
        Record::Answered { revision, .. } => format!(" (revision {revision})"),
        _ => String::new(),
    };
    let (seq, person, at) = (word.seq, &word.author.person, word.at.strftime("%m-%d %H:%M UTC"));
    format!("{TYPED_BY}{person}, {at}, record {seq}: {}{revision}", word.record.summary())
}

/// What four eyes are asked for, and by what they are known.
#[derive(Clone, Debug)]
pub struct Asked {
    /// How long an approval counts.
    pub valid: std::time::Duration,
    /// Whether operators sign.
    pub signing: Signing,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Me<'a> {
    /// By their login.
    pub person: &'a str,
    /// Why that proves nobody, where it doesn't.
    pub unproven: Option<&'a str>,
    /// Where operators sign: what stands for who rotates.
    pub rotates: Rotates<'a>,
}

/// What stands for who rotates.
#[derive(Clone, Copy, Debug)]
pub enum Rotates<'a> {
    /// Nobody does yet: the gate is only shown.
    Shown,
    /// Somebody does, now: their signature over the plan, if they have given one.
    Now(Option<&'a str>),
}

impl<'a> Me<'a> {
    /// Somebody who only looks, known by their login.
    pub fn looking(person: &'a str) -> Self {
        Self { person, unproven: None, rotates: Rotates::Shown }
    }
}

/// Whether I may rotate as far as approvals go. Everything that was signed is verified here, by the list as it is now.
pub fn judge(rotation: &Rotation, asked: Option<&Asked>, me: Me<'_>, now: Timestamp) -> ApprovalFact {
    if rotation.emergency.is_some() {
        return ApprovalFact::NotNeeded;
    }
    // Another configuration takes nothing back that somebody has signed for.
    if rotation.is_signed() && asked.is_none_or(|asked| !asked.signing.is_asked()) {
        return ApprovalFact::Missing(UNVERIFIED.into());
    }
    let Some(asked) = asked else { return ApprovalFact::NotNeeded };
    let Some(approval) = &rotation.approval else {
        return ApprovalFact::Missing(match &asked.signing {
            Signing::Untrusted(why) => format!("the list of signers can't be trusted: {why}"),
            _ => "a second operator must approve the plan".into(),
        });
    };
    match counts(rotation, approval, &asked.signing, me, now) {
        Ok(by) => ApprovalFact::Given { by, expires: approval.expires },
        Err(why) => ApprovalFact::Missing(why),
    }
}

/// Why the key was changed without an approval that can be verified here, where operators sign: whoever changed it may have
/// had another configuration. `None`: it was approved, or none was asked for.
pub fn touched_without(rotation: &Rotation, asked: Option<&Asked>) -> Option<String> {
    let asked = asked.filter(|asked| asked.signing.is_asked() && rotation.touched)?;
    let (as_it_stood, at) = rotation.touched_as.as_ref()?;
    match judge(as_it_stood, Some(asked), Me::looking(""), *at) {
        ApprovalFact::Missing(why) => {
            Some(format!("the key was changed, and that it was approved can't be verified: {why}"))
        }
        ApprovalFact::Given { .. } | ApprovalFact::NotNeeded => None,
    }
}

/// By whom the approval is, if it counts for what this operator would do now.
fn counts(
    rotation: &Rotation,
    approval: &Approval,
    signing: &Signing,
    me: Me<'_>,
    now: Timestamp,
) -> Result<String, String> {
    let signed_by = signer(rotation, approval, signing).map(|signer| signer.person);
    let given = format!("the approval of {}", signed_by.as_ref().unwrap_or(&approval.person));
    if approval.scheme != SCHEME {
        return Err(format!("{given} was given under an older scheme: approve again"));
    }
    if digest(rotation).as_ref() != Some(&approval.digest) {
        return Err(format!("{given} is void: the plan has changed since"));
    }
    if now >= approval.expires {
        return Err(format!("{given} ended at {}", approval.expires.strftime("%H:%M UTC")));
    }
    if !signing.is_asked() {
        is_another(rotation, &approval.author).map_err(|why| format!("{given} is none: {why}"))?;
        rotates_by_login(rotation, approval, me)?;
        return Ok(approval.person.clone());
    }
    let approver = approver(rotation, approval, signing, now).map_err(|why| format!("{given} is none: {why}"))?;
    is_another_signer(rotation, &approver.person, signing, now)?;
    let yourself = || "you approved it yourself: somebody else must rotate".to_owned();
    let statement = rotate_statement(rotation, &approval.digest);
    let signed = |signature: &str| {
        let who = signing.who(signature, &statement, now);
        who.map_err(|why| format!("who rotates has not signed this plan ({why}): rotate again"))
    };
    // A confirmation of another plan stands for nothing.
    let rotator = rotation.rotator.as_ref().filter(|rotator| rotator.digest.as_ref() == Some(&approval.digest));
    match (me.rotates, rotator) {
        (Rotates::Now(Some(signature)), _) if signed(signature)?.person == approver.person => Err(yourself()),
        (Rotates::Now(Some(_)), _) => Ok(approver.person),
        // It was confirmed already: who goes on with it only goes on.
        (_, Some(rotator)) => match &rotator.signature {
            Some(signature) if signed(signature)?.person == approver.person => {
                Err(format!("{} approved it and confirmed rotate: somebody else must rotate", approver.person))
            }
            Some(_) => Ok(approver.person),
            None => Err("who confirmed rotate has not signed this plan: rotate again".into()),
        },
        (Rotates::Now(None), None) if signing.own(now).as_deref() == Some(&approver.person) => Err(yourself()),
        (Rotates::Now(None), None) => Err("who rotates must sign this plan".into()),
        (Rotates::Shown, None) if signing.own(now).as_deref() == Some(&approver.person) => Err(yourself()),
        (Rotates::Shown, None) => Ok(approver.person),
    }
}

/// Who has signed this approval, if they may give it.
pub fn signed_by(
    rotation: &Rotation,
    asked: &Asked,
    digest: &str,
    armored: &str,
    expires: Timestamp,
    now: Timestamp,
) -> Result<Signer, String> {
    let signer = asked.signing.who(armored, &statement(rotation, digest, expires), now)?;
    is_another_signer(rotation, &signer.person, &asked.signing, now)?;
    Ok(signer)
}

/// Who has signed the approval.
fn approver(rotation: &Rotation, approval: &Approval, signing: &Signing, now: Timestamp) -> Result<Signer, String> {
    let signature = approval.signature.as_deref().ok_or("nobody has signed it")?;
    signing.who(signature, &statement(rotation, &approval.digest, approval.expires), now)
}

/// Who has signed the approval, for telling it: also where it does not count any more.
pub fn signer(rotation: &Rotation, approval: &Approval, signing: &Signing) -> Option<Signer> {
    signing.name(approval.signature.as_deref()?, &statement(rotation, &approval.digest, approval.expires))
}

/// What an approver of the plan with this digest signs.
pub fn statement<'a>(rotation: &'a Rotation, digest: &'a str, expires: Timestamp) -> Statement<'a> {
    Statement::Approve { tenant: &rotation.tenant.id, rotation: &rotation.id, scheme: SCHEME, digest, expires }
}

/// What is signed by who rotates.
pub fn rotate_statement<'a>(rotation: &'a Rotation, digest: &'a str) -> Statement<'a> {
    Statement::Rotate { tenant: &rotation.tenant.id, rotation: &rotation.id, scheme: SCHEME, digest }
}

/// Whether the approver is none of those whose word the plan rests on, as far as logins can tell.
fn is_another(rotation: &Rotation, approver: &Author) -> Result<(), String> {
    if approver.unproven {
        return Err(format!("{} approved under a login that can be made up there", approver.person));
    }
    for part in rotation.authors() {
        let author = part.author;
        if author.person == approver.person {
            return Err(format!("{} {}; another operator must approve it", author.person, part.what));
        }
        if author.unproven && part.is_in_force {
            return Err(format!(
                "{} {} under a login that can be made up there, so it could be the approver's own word; configure \
                 approval.signers, or repeat it from a login session",
                author.person, part.what
            ));
        }
    }
    Ok(())
}

/// Whether who rotates is not who approved, as far as logins can tell.
fn rotates_by_login(rotation: &Rotation, approval: &Approval, me: Me<'_>) -> Result<(), String> {
    let same = |rotator: &&Rotator| rotator.digest.as_ref() == Some(&approval.digest);
    let confirmed = rotation.rotator.as_ref().filter(same).map(|rotator| &rotator.author);
    if me.person == approval.person {
        return Err("you approved it yourself: somebody else must rotate".into());
    }
    match (confirmed, me.rotates, me.unproven) {
        (Some(author), _, _) if author.person == approval.person => {
            Err(format!("{} approved it and confirmed rotate: somebody else must rotate", author.person))
        }
        // Who goes on with what somebody proven has confirmed decides nothing.
        (Some(author), _, _) if !author.unproven => Ok(()),
        (_, Rotates::Now(_), Some(why)) => Err(format!(
            "who rotates could be the approver, for this login proves nobody: {why}; rotate from a login session, or \
             configure approval.signers"
        )),
        _ => Ok(()),
    }
}

/// The same by signatures: each word that is in force is somebody's who has signed for it, and nobody's who approves.
fn is_another_signer(rotation: &Rotation, approver: &str, signing: &Signing, now: Timestamp) -> Result<(), String> {
    for part in rotation.authors() {
        match writer(rotation, part.author, signing, now) {
            Ok(writer) if writer.person == approver => {
                return Err(format!("{approver} {}; another operator must approve it", part.what));
            }
            Err(why) if part.is_in_force => {
                return Err(format!(
                    "{} {}, and nobody has signed for it ({why}): it must be repeated",
                    part.author.person, part.what
                ));
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Who wrote it, by the signature of the session.
pub fn writer(rotation: &Rotation, author: &Author, signing: &Signing, now: Timestamp) -> Result<Signer, String> {
    let session = author.session.as_deref().ok_or("it was written in no signed session")?;
    let signature = rotation.sessions.get(session).ok_or("its session has signed nothing here")?;
    let statement = Statement::Write { tenant: &rotation.tenant.id, rotation: &rotation.id, session };
    signing.who(signature, &statement, now)
}

/// Why I can't approve the plan that has this digest (the beginning is enough, from 8 digits on). `Ok` is the whole digest.
pub fn may_approve(
    rotation: &Rotation,
    asked: &Asked,
    me: Me<'_>,
    typed: &str,
    now: Timestamp,
) -> Result<String, String> {
    match &asked.signing {
        Signing::ByLogin if rotation.is_signed() => return Err(UNVERIFIED.into()),
        Signing::ByLogin => {
            if let Some(why) = me.unproven {
                return Err(format!(
                    "this login proves nobody: {why}; approve from a login session, or configure approval.signers and sign"
                ));
            }
            is_another(
                rotation,
                &Author { person: me.person.to_owned(), session: None, signer: None, unproven: false },
            )?;
        }
        Signing::Untrusted(why) => return Err(format!("the list of signers can't be trusted: {why}")),
        // Whose signature it is decides, not who hands it in.
        Signing::Signers(_) if matches!(me.rotates, Rotates::Now(Some(_))) => {}
        Signing::Signers(_) => {
            if let Some(person) = asked.signing.own(now) {
                is_another_signer(rotation, &person, &asked.signing, now)?;
            }
        }
    }
    let digest = digest(rotation)
        .ok_or("the key that is to be replaced is not known yet: run the check first, then approve what it saw")?;
    if typed.len() < 8 || !digest.starts_with(&typed.to_ascii_lowercase()) {
        let shown = &digest[..12];
        return Err(format!("the plan's digest is {shown}…, not {typed:?}: read the plan again, then approve that"));
    }
    Ok(digest)
}
