//! What an operator signs before a command is carried out: their session once a case, and a plan or a review each time.
//!
//! What a signature is worth is judged by the engine, by every reader anew; here it is only asked for.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::gate::ApprovalFact;
use crate::domain::sanitize::sanitize;
use crate::engine::approval::{self, Asked, Me, Rotates};
use crate::engine::closing;
use crate::engine::command::{Command, Refusal};
use crate::engine::ports::{Signatures, World};
use crate::engine::record::{Actor, RotationId};
use crate::engine::review::Reviewed;
use crate::engine::rotation::Rotation;
use crate::engine::signing::{Hand, SignedSession, Signing, Statement};
use crate::runtime::run::RunError;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};

/// The session of this process with one tenant, once it has signed.
#[derive(Debug, Default)]
pub struct Session(Mutex<Option<SignedSession>>);

impl Session {
    fn known(&self, rotation: &RotationId) -> Option<SignedSession> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|session| session.rotation == *rotation)
    }

    fn keep(&self, session: &SignedSession) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
    }
}

/// What a command needs besides its words.
enum Needs {
    Nothing,
    /// What it writes is the operator's word, and must be known to be theirs.
    Session,
    /// A signature of its own, but what it does must not wait for one that can't be had.
    Declaration(Reviewed),
    /// A signature of its own.
    Plan,
}

fn needs(command: &Command) -> Needs {
    match command {
        Command::Approve { .. } | Command::Rotate { .. } | Command::CloseReview { .. } => Needs::Plan,
        command if command.is_a_word() => Needs::Session,
        Command::Emergency { .. } => Needs::Declaration(Reviewed::Emergency),
        Command::RollBack { .. } => Needs::Declaration(Reviewed::Rollback),
        _ => Needs::Nothing,
    }
}

/// Asks for every signature that the command needs. `new_id` is the case that a plan or an emergency would begin.
pub async fn hand(
    world: &World,
    actor: &Actor,
    session: &Session,
    rotation: Option<&Rotation>,
    new_id: &RotationId,
    command: &Command,
) -> Result<Hand, RunError> {
    let mut hand = Hand::default();
    if let Command::ApproveSigned { signature, expires, .. } = command {
        (hand.signature, hand.expires) = (Some(signature.clone()), Some(*expires));
        return Ok(hand);
    }
    let (Some(signatures), Some(valid)) = (&world.signatures, world.settings.approval_valid) else { return Ok(hand) };
    let open = rotation.filter(|rotation| rotation.outcome.is_none());
    match needs(command) {
        Needs::Nothing => {}
        Needs::Plan => {
            let asked = Asked { valid, signing: signatures.signing() };
            hand = plan(&**signatures, actor, &asked, rotation, command, world.clock.now()).await?;
        }
        Needs::Declaration(of) => {
            let case = open.map_or(new_id, |rotation| &rotation.id);
            // In the review of an emergency a rollback is another declaration of it.
            let of = if open.is_some_and(|rotation| rotation.emergency.is_some()) { Reviewed::Emergency } else { of };
            let statement = closing::declaration(&world.tenant.id, case, of);
            match signed(&**signatures, &statement, world.clock.now()).await {
                Ok(signature) => hand.signature = Some(signature),
                Err(why) => hand.unsigned = Some(why.to_string()),
            }
        }
        Needs::Session => {
            let case = match (command, open) {
                (Command::Plan { .. }, _) => new_id,
                (_, Some(rotation)) => &rotation.id,
                // The engine says why not.
                (_, None) => return Ok(hand),
            };
            if let Some(known) = session.known(case) {
                hand.session = Some(known);
                return Ok(hand);
            }
            let mut random = [0u8; 8];
            world.entropy.fill(&mut random)?;
            let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            let statement = Statement::Write { tenant: &world.tenant.id, rotation: case, session: &id };
            let signature = signed(&**signatures, &statement, world.clock.now()).await?;
            let signed = SignedSession { id, rotation: case.clone(), signature };
            session.keep(&signed);
            hand.session = Some(signed);
        }
    }
    Ok(hand)
}

/// A signature of this operator whose key counts now; else nothing was worth signing.
async fn signed(signatures: &dyn Signatures, statement: &Statement<'_>, now: Timestamp) -> Result<String, RunError> {
    let signing = signatures.signing();
    if let Signing::Untrusted(why) = &signing {
        return Err(Refusal::NotNow(format!("the list of signers can't be trusted: {why}")).into());
    }
    let signature = signatures.sign(&statement.text()).await?;
    let refused = |why| Refusal::NotNow(format!("your signature does not count: {why}"));
    signing.who(&signature, statement, now).map_err(refused)?;
    Ok(signature)
}

async fn plan(
    signatures: &dyn Signatures,
    actor: &Actor,
    asked: &Asked,
    rotation: Option<&Rotation>,
    command: &Command,
    now: Timestamp,
) -> Result<Hand, RunError> {
    let mut hand = Hand::default();
    let Some(rotation) = rotation else { return Ok(hand) };
    let (person, unproven) = (actor.person.as_str(), actor.unproven.as_deref());
    let me = Me { person, unproven, rotates: Rotates::Shown };
    match command {
        Command::Approve { digest, .. } => {
            let digest = approval::may_approve(rotation, asked, me, digest, now).map_err(Refusal::NotNow)?;
            let expires = expiry(now, asked);
            hand.signature = Some(signed(signatures, &approval::statement(rotation, &digest, expires), now).await?);
            hand.expires = Some(expires);
        }
        Command::Rotate { .. } => {
            // Without an approval that counts the gate is shut, and there is nothing to sign.
            let given = approval::judge(rotation, Some(asked), me, now);
            if let (Some(digest), ApprovalFact::Given { .. }) = (approval::digest(rotation), given) {
                let statement = approval::rotate_statement(rotation, &digest);
                hand.signature = Some(signed(signatures, &statement, now).await?);
            }
        }
        Command::CloseReview { note } => {
            // As it will be journaled.
            let note = sanitize(note);
            if let Some(review) = rotation.open_review(&asked.signing) {
                let statement = closing::statement(rotation, review.of, &note);
                hand.signature = Some(signed(signatures, &statement, now).await?);
            }
        }
        _ => {}
    }
    Ok(hand)
}

/// Until when an approval of this moment counts, to the second: it is part of what is signed.
fn expiry(now: Timestamp, asked: &Asked) -> Timestamp {
    let valid = SignedDuration::try_from(asked.valid).unwrap_or(SignedDuration::MAX);
    let until = now.checked_add(valid).unwrap_or(Timestamp::MAX);
    Timestamp::from_second(until.as_second()).unwrap_or(until)
}

/// The text that approves a plan, for those who sign it elsewhere; with its digest, and until when it counts.
pub fn approval_text(world: &World, rotation: Option<&Rotation>) -> Result<(String, String, Timestamp), Fault> {
    let none = || {
        Fault::new(
            Service::Signature,
            FaultKind::Refused,
            "there is no plan to sign, or the key that it replaces is not known",
        )
        .hint("plan, and run the check first")
    };
    let (Some(signatures), Some(valid)) = (&world.signatures, world.settings.approval_valid) else {
        return Err(Fault::new(Service::Configuration, FaultKind::Refused, "no signatures are asked for here")
            .hint("see approval.required and approval.signers"));
    };
    let open = rotation.filter(|rotation| rotation.outcome.is_none());
    let (rotation, digest) =
        open.and_then(|rotation| Some((rotation, approval::digest(rotation)?))).ok_or_else(none)?;
    let expires = expiry(world.clock.now(), &Asked { valid, signing: signatures.signing() });
    Ok((approval::statement(rotation, &digest, expires).text(), digest, expires))
}
