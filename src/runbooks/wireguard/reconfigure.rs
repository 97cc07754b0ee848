//! Step 7: tell every client to download and re-import the configuration, only after steps 5 and 6 hold.

use super::announce::see_people;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::engine::converge_object;
use crate::engine::machine::SendOrder;
use crate::engine::mailing;
use crate::engine::observe;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;

/// Step 7.
pub struct Reconfigure;

#[async_trait]
impl Step for Reconfigure {
    fn number(&self) -> StepNumber {
        StepNumber::RECONFIGURE
    }

    fn title(&self) -> &'static str {
        "Tell clients to reconfigure"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "the console API serves another key",
                remedy: "clients would download a configuration that does not work. The platform may have rewritten the object: look at step 5, then resume",
            },
            Trouble {
                symptom: "a mail is refused, deferred or uncertain",
                remedy: "as in step 1: correct the address, send again to this person, or call them; they are cut off until they reconfigure",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "after a rollback everybody is told again: they need a new configuration once more"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        match rotation.not_called().first() {
            None => Probe::Done("everybody with an address who is not back has a mail on record".into()),
            Some(client) => Probe::NotDone(format!("{} has no mail on record", client.name)),
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        still_right(context).await?;
        // Who is there now: somebody may have been removed since the rotation.
        see_people(context).await?;
        let order = SendOrder { kind: NoticeKind::Reconfigure, only: None, again: false };
        mailing::send(context, self.number(), &order).await?.judge()
    }
}

/// A fresh look: what clients would download now is the key that is live now.
pub async fn still_right(context: &StepContext<'_>) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no key is staged");
    let target = rotation.target().ok_or_else(none)?;
    if let Err(found) = converge_object::holds(world, target).await? {
        let hint = format!(
            "somebody changed it back, and nobody was told anything wrong; resume puts it right{}",
            rotation.or_out()
        );
        let text = format!("{found}, not {}", target.short());
        return Err(Fault::new(Service::Swift, FaultKind::Conflict, text).hint(hint));
    }
    let reading = world.server.read().await?;
    if reading.public_key != target {
        let text = format!("the interface shows {}, not {}", reading.public_key.short(), target.short());
        return Err(Fault::new(Service::Server, FaultKind::Conflict, text)
            .hint("nobody was told anything wrong; look at step 6"));
    }
    let users = observe::look_at_object(world).await?.users;
    match observe::look_at_served_key(world, &users).await {
        None => Ok(()),
        Some(Ok(served)) if served == target => Ok(()),
        Some(Ok(served)) => {
            let text = format!("the console API serves {}, not {}", served.short(), target.short());
            Err(Fault::new(Service::Console, FaultKind::Conflict, text).hint(
                "clients would download a configuration that does not work; wait for the platform, then try again",
            ))
        }
        Some(Err(fault)) => Err(fault),
    }
}
