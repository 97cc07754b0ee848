//! Step 7: tell every client to download and re-import the configuration, only after steps 5 and 6 hold.

use super::announce::see_people;
use crate::domain::client::{Client, ClientId, Entry};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::domain::notice::NoticeKind;
use crate::domain::sanitize;
use crate::domain::second_mail::SecondMail;
use crate::domain::step::StepNumber;
use crate::engine::converge_object;
use crate::engine::machine::SendOrder;
use crate::engine::mailing::{self, Unserved};
use crate::engine::observe;
use crate::engine::ports::World;
use crate::engine::record::Record;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;
use futures_util::StreamExt;
use std::collections::HashMap;

/// Configurations that the console API is asked for at the same time.
const ASKED_AT_ONCE: usize = 8;

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
            None => match rotation.uncertain_mail() {
                Some(mail) => Probe::NotDone(format!("it is not known whether {} has the mail", mail.name)),
                None => Probe::Done("everybody with an address who is not back has a mail on record".into()),
            },
            Some(client) => Probe::NotDone(format!("{} has no mail on record", client.name)),
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        // Who is there now: somebody may have been removed since the rotation.
        see_people(context).await?;
        let order = SendOrder { kind: NoticeKind::Reconfigure, only: None, again: false };
        let unserved = may_be_told(context, &order).await?;
        mailing::send(context, self.number(), &order, &unserved).await?.judge()
    }
}

/// A fresh look: what those whom the order is about would download now is the key that is live now, each of them theirs. Gives
/// those who have nothing to download there: what is missing for one keeps the others waiting for nothing.
pub async fn may_be_told(context: &StepContext<'_>, order: &SendOrder) -> Result<Unserved, Fault> {
    let mailed = mailing::recipients(&context.rotation(), order);
    let mailed: Vec<Client> =
        mailed.into_iter().map(|(client, _)| client).filter(|client| client.email.is_some()).collect();
    let policy = context.world.settings.second_mail;
    let unserved = look(context, &mailed, policy).await?;
    let places = policy.unasked();
    if !places.is_empty() && places != context.rotation().unasked {
        context.ledger.record(Record::CalledUnasked { places }).await?;
    }
    Ok(unserved)
}

/// The same for the end, where nobody is mailed: one configuration stands for all.
pub async fn still_right(context: &StepContext<'_>) -> Result<(), Fault> {
    look(context, &[], SecondMail::default()).await.map(drop)
}

async fn look(context: &StepContext<'_>, mailed: &[Client], policy: SecondMail) -> Result<Unserved, Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no key is staged");
    let target = rotation.target().ok_or_else(none)?;
    let sight = observe::look_at_object(world).await?;
    if let Err(found) = converge_object::names(&sight, target) {
        let hint = format!(
            "somebody changed it back, and nobody is mailed before that is right; resume puts it right{}",
            rotation.or_out()
        );
        let text = format!("{found}, not {}", target.short());
        return Err(Fault::new(Service::Swift, FaultKind::Conflict, text).hint(hint));
    }
    if sight.users.is_empty() && !rotation.clients.is_empty() {
        let text = format!(
            "the object names none of {} clients, and the server drops whoever is not in it",
            rotation.clients.len()
        );
        let hint = format!("{}, then go on", converge_object::WRITE_AGAIN);
        return Err(Fault::new(Service::Swift, FaultKind::Conflict, text).hint(hint));
    }
    // One that can't be read keeps nobody from coming back. One that holds another key is what the server takes next.
    if let Ok(secret) = observe::look_at_secret(world, None).await
        && secret.keys.iter().any(|key| *key != Some(target))
    {
        let found = match secret.count {
            1 => "the secret was changed by somebody else".to_owned(),
            count => format!("{count} secrets have the tenant's name"),
        };
        let hint = format!("nobody is mailed before that is right; resume puts it right{}", rotation.or_out());
        return Err(Fault::new(Service::Barbican, FaultKind::Conflict, found).hint(hint));
    }
    let reading = if policy.interface { Some(world.server.read().await?) } else { None };
    if let Some(reading) = reading.filter(|reading| reading.public_key != target) {
        let text = format!("the interface shows {}, not {}", reading.public_key.short(), target.short());
        return Err(Fault::new(Service::Server, FaultKind::Conflict, text)
            .hint("nobody is mailed before that is right; look at step 6"));
    }
    if !policy.console {
        return Ok(Unserved::default());
    }
    served_right(world, target, &sight.users, mailed).await
}

/// What the console API serves to each of those who are mailed, for every entry of theirs in the object; to the object's first
/// user where it has none of them. Who has nothing there is given; where nobody has, it is the API's fault.
async fn served_right(world: &World, target: PublicKey, users: &[Entry], mailed: &[Client]) -> Result<Unserved, Fault> {
    let Some(console) = &world.console else { return Ok(Unserved::default()) };
    let known: HashMap<&str, &Entry> = users.iter().map(|user| (user.id.as_str(), user)).collect();
    let entries = |client: &Client| -> Vec<(ClientId, &Entry)> {
        let ids = std::iter::once(&client.id).chain(client.also.iter().map(|also| &also.id));
        ids.filter_map(|id| Some((client.id.clone(), *known.get(id.0.as_str())?))).collect()
    };
    let mut asked: Vec<(ClientId, &Entry)> = mailed.iter().flat_map(entries).collect();
    // One stands for all where nobody is mailed: the first that is served.
    let one_will_do = asked.is_empty();
    if one_will_do {
        asked.extend(users.iter().map(|user| (ClientId(user.id.clone()), user)));
    }
    let look = |(client, user): (ClientId, &Entry)| {
        let (id, name) = (user.id.clone(), sanitize::name(user.name.as_ref().unwrap_or(&user.id)));
        async move { (client, name, console.served_key(&id).await) }
    };
    let (mut unserved, mut served_some) = (Unserved::default(), false);
    let mut looks =
        futures_util::stream::iter(asked.into_iter().map(look)).buffered(if one_will_do { 1 } else { ASKED_AT_ONCE });
    while let Some((client, name, served)) = looks.next().await {
        let served = match served {
            Err(fault) if fault.kind == FaultKind::NotFound => {
                unserved.insert(client, fault);
                continue;
            }
            served => served?,
        };
        if served != target {
            let text = format!("the console API serves {} to {name}, not {}", served.short(), target.short());
            return Err(Fault::new(Service::Console, FaultKind::Conflict, text).hint(
                "clients would download a configuration that does not work; wait for the platform, then try again",
            ));
        }
        served_some = true;
        if one_will_do {
            return Ok(Unserved::default());
        }
    }
    let Some(fault) = unserved.values().next().filter(|_| !served_some).cloned() else { return Ok(unserved) };
    // Whether it is theirs or the API's tells anybody else.
    let others = users
        .iter()
        .filter(|user| !mailed.iter().any(|client| entries(client).iter().any(|(_, own)| own.id == user.id)));
    for user in others {
        if console.served_key(&user.id).await.is_ok_and(|key| key == target) {
            return Ok(unserved);
        }
    }
    Err(fault)
}
