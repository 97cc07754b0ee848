//! Step 1: contact all clients, one mail each. Their answers are recorded apart and judged by the gate.

use crate::domain::fault::{Fault, Service};
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::engine::machine::SendOrder;
use crate::engine::mailing::{self, Unserved};
use crate::engine::observe::{self, Before, Sights};
use crate::engine::record::Record;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;

/// Step 1.
pub struct Announce;

#[async_trait]
impl Step for Announce {
    fn number(&self) -> StepNumber {
        StepNumber::ANNOUNCE
    }

    fn title(&self) -> &'static str {
        "Contact all clients"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "a mail is refused (5xx)",
                remedy: "the address is wrong: correct it in the contacts file and send again to this person, or reach them by phone and record the answer",
            },
            Trouble {
                symptom: "a mail is deferred (4xx)",
                remedy: "the mail server asks to try later: send again to this person in a few minutes; it stays the same mail",
            },
            Trouble {
                symptom: "a mail is uncertain",
                remedy: "the mail server's answer was lost: ask the person, then say whether it arrived; only then can it be sent again",
            },
            Trouble {
                symptom: "a client has no address",
                remedy: "add one to the contacts file, or reach the person another way and record the answer, or waive with a reason",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "cancel: everybody who was told gets a cancellation"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        let missing =
            rotation.clients.iter().filter(|client| client.email.is_some()).find(|client| {
                rotation.telling_kinds().iter().all(|kind| rotation.notice(&client.id, *kind).is_none())
            });
        match missing {
            None if rotation.clients.is_empty() => Probe::NotDone("nobody was seen yet".into()),
            None => Probe::Done("every client with an address has a mail on record".into()),
            Some(client) => Probe::NotDone(format!("{} has no mail on record", client.name)),
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        // Nobody is told in haste of a change that can't happen.
        if context.rotation().emergency.is_some() {
            super::check::agent_takes_it(context).await?;
        }
        let unread = match see_people(context).await {
            Ok(_) => None,
            Err(fault) if fault.service != Service::Journal && context.rotation().emergency.is_some() => Some(fault),
            Err(fault) => return Err(fault),
        };
        let order = SendOrder { kind: NoticeKind::Announcement, only: None, again: false };
        let told =
            mailing::send(context, self.number(), &order, &Unserved::default()).await.and_then(mailing::Tally::judge);
        // In an emergency those are told who are known some other way; that they may not be all stands.
        match (unread, told) {
            (None, told) => told,
            (Some(_), Err(told)) if told.service == Service::Journal => Err(told),
            (Some(fault), told) => {
                let told = told.unwrap_or_else(|fault| fault.to_string());
                let message = format!("{}; told are those whom other places name: {told}", fault.message);
                Err(Fault { message, ..fault })
            }
        }
    }

    async fn undo(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let order = SendOrder { kind: NoticeKind::Cancellation, only: None, again: false };
        mailing::send(context, self.number(), &order, &Unserved::default()).await?.judge()
    }
}

/// Looks who will be cut off and journals it when it differs from what the journal says: also that a place could not be
/// asked. Errs (after that) where the object can't be read.
pub async fn see_people(context: &StepContext<'_>) -> Result<Sights, Fault> {
    see_people_again(context, &Before::default()).await
}

/// The same right behind a look that is good for something.
pub(super) async fn see_people_again(context: &StepContext<'_>, before: &Before) -> Result<Sights, Fault> {
    let mut sights = Sights::default();
    if let Some(console) = &context.world.console {
        console.forget().await;
    }
    observe::look(context.world, &mut sights, before).await;
    let (people, unseen, rotation) = (sights.people(), sights.unseen(), context.rotation());
    let clients = match &people {
        Ok(people) => rotation.with_told(people.clients.clone(), unseen.is_empty()),
        Err(_) if rotation.emergency.is_some() => rotation.with_told(sights.people_without_object(), false),
        Err(_) => rotation.clients.clone(),
    };
    if rotation.clients != clients || rotation.unseen != unseen {
        context.ledger.record(Record::PeopleSeen { clients, unseen }).await?;
    }
    people?;
    Ok(sights)
}
