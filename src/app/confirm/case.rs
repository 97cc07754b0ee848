//! The same way out for the verbs of a subject that is no tenant: [`release`] alone makes a [`CaseOrder`], after it has held the consent
//! against what the verb weighs.

use super::{Ask, Consent, GO, RECORD};
use crate::app::case::short_name;
use crate::app::message::Effect;
use crate::domain::tenant::TenantId;
use crate::engine::case::machine::Order;
use crate::engine::case::offer::{Offer, Weight};
use crate::engine::case::status::Status;

/// An order on its way to a desk. Made by [`release`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseOrder {
    subject: TenantId,
    order: Order,
}

impl CaseOrder {
    /// For which subject.
    pub fn subject(&self) -> &TenantId {
        &self.subject
    }

    /// What.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Both.
    pub fn into_parts(self) -> (TenantId, Order) {
        (self.subject, self.order)
    }
}

/// What is asked for before a verb goes out.
pub fn ask_for(offer: &Offer) -> Ask {
    match offer.weight {
        Weight::Looks => Ask::Nothing,
        Weight::Words => Ask::Enter,
        Weight::GoesOn => Ask::Key(GO),
        Weight::Counts => Ask::Key(RECORD),
        Weight::Changes | Weight::NoReturn => Ask::Name,
    }
}

/// Lets an order out if it is what was offered, it is taken by what is known now, and the consent covers it; else says what is
/// missing, and nothing goes.
pub fn release(
    subject: &TenantId,
    status: &Status,
    offer: &Offer,
    order: Order,
    consent: &Consent,
) -> Result<Effect, String> {
    let now = status.verbs.iter().find(|now| now.verb == offer.verb && now.order.word() == order.word());
    let now = now.ok_or("this is not offered any more")?;
    let is_the_same = |now: &&Offer| now.order == offer.order;
    let now = status.verbs.iter().find(is_the_same).unwrap_or(now);
    if let Some(why) = &now.shut {
        return Err(why.clone());
    }
    let ask = ask_for(now);
    if ![short_name(&status.subject), &status.subject].iter().any(|name| consent.covers(ask, name)) {
        return Err("what this would do has changed meanwhile: Esc, and read it again".into());
    }
    Ok(Effect::Begin(CaseOrder { subject: subject.clone(), order }))
}
