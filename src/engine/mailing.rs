//! Sending a kind of mail to those who need it: nobody twice unnoticed, nobody forgotten, every answer journaled.

mod outgoing;

use crate::domain::client::{Client, ClientId};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::step::StepNumber;
use crate::engine::machine::SendOrder;
use crate::engine::ports::{NoticeRequest, World};
use crate::engine::rotation::Rotation;
use crate::engine::step::StepContext;
use std::collections::BTreeSet;

/// How many went where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted by the mail server, now or before.
    pub sent: usize,
    /// Refused or deferred: names.
    pub failed: Vec<String>,
    /// May have been accepted: names.
    pub uncertain: Vec<String>,
    /// Without an address: names.
    pub no_address: Vec<String>,
    /// Named by no place any more, so not mailed: names.
    pub gone: Vec<String>,
}

impl Tally {
    /// One line of evidence, or a fault that names everybody who did not get the mail for sure.
    pub fn judge(self) -> Result<String, Fault> {
        let mut parts = vec![format!("{} accepted by the mail server", self.sent)];
        for (names, what) in [
            (&self.failed, "refused"),
            (&self.uncertain, "uncertain"),
            (&self.no_address, "without an address"),
            (&self.gone, GONE),
        ] {
            if !names.is_empty() {
                parts.push(format!("{} {what}: {}", names.len(), names.join(", ")));
            }
        }
        let text = parts.join("; ");
        if self.failed.is_empty() && self.uncertain.is_empty() {
            return Ok(text);
        }
        Err(Fault::new(Service::Mail, FaultKind::Refused, text)
            .hint("correct the address or call them; then send again to those, or waive them"))
    }
}

/// Who gets the mail and under which kind: a client who was told an earlier revision gets a change.
pub fn recipients(rotation: &Rotation, order: &SendOrder) -> Vec<(Client, NoticeKind)> {
    let told_before = |id: &ClientId| {
        rotation.notices.of(id).any(|n| {
            n.kind.tells_window()
                && n.revision < rotation.window.revision
                && !matches!(n.delivery, Delivery::Failed { .. })
        })
    };
    let wanted = |client: &&Client| match &order.only {
        Some(only) => only.contains(&client.id),
        None => true,
    };
    rotation
        .clients
        .iter()
        .filter(wanted)
        .filter(|client| order.only.is_some() || !is_left_out(order.kind, rotation, client))
        .filter_map(|client| {
            let tells = matches!(order.kind, NoticeKind::Announcement | NoticeKind::Change);
            let kind = match tells {
                true if rotation.emergency.is_some() => NoticeKind::Emergency,
                true if told_before(&client.id) => NoticeKind::Change,
                true => NoticeKind::Announcement,
                false => order.kind,
            };
            let last = rotation.notice(&client.id, kind).map(|notice| &notice.delivery);
            let needed = match (order.kind, last) {
                _ if order.again => true,
                // A reminder may be sent as often as the operator asks, but only to the silent.
                (NoticeKind::Reminder, _) => is_silent(rotation, client),
                // So is this question, to those of whom nothing shows that they are back.
                (NoticeKind::AreYouBack, _) => is_missing(rotation, client),
                (NoticeKind::Cancellation, None) => rotation.notices.of(&client.id).next().is_some(),
                (_, None | Some(Delivery::Failed { .. } | Delivery::Bounced { .. })) => true,
                (_, Some(Delivery::Sent { .. } | Delivery::Uncertain { .. } | Delivery::Queued)) => false,
            };
            needed.then(|| (client.clone(), kind))
        })
        .collect()
}

/// What was written to a client in this rotation, subject and text of each mail, as far as it can be written once more: with
/// the windows that the journal knows, in the operator's texts and in the built-in ones.
pub fn copies(world: &World, rotation: &Rotation, id: &ClientId) -> Vec<String> {
    let Some(client) = rotation.client(id) else { return Vec::new() };
    let kinds: BTreeSet<(NoticeKind, u32)> =
        rotation.notices.of(id).map(|notice| (notice.kind, notice.revision)).collect();
    let token = world.reply_key.token(rotation, id);
    let mut texts = Vec::new();
    for (kind, revision) in kinds {
        let Some(window) = rotation.windows.iter().find(|window| window.revision == revision) else { continue };
        texts.extend(world.mailer.texts(&NoticeRequest {
            kind,
            tenant: &rotation.tenant,
            client_name: &client.name,
            email: client.email.as_deref().unwrap_or_default(),
            window,
            message_id: "<copy@localhost>",
            in_reply_to: None,
            token: &token,
            language: world.settings.language,
        }));
    }
    texts
}

/// What is said of those who are not mailed.
const GONE: &str = "not mailed, for no place names them any more";

/// Whoever was removed after the rotation is asked nothing more: they are named, and mailed only where an operator names them.
fn is_left_out(kind: NoticeKind, rotation: &Rotation, client: &Client) -> bool {
    matches!(kind, NoticeKind::Reconfigure | NoticeKind::AreYouBack | NoticeKind::AllClear) && rotation.is_gone(client)
}

fn is_silent(rotation: &Rotation, client: &Client) -> bool {
    let answered = rotation.acknowledgements.get(&client.id).is_some_and(|a| a.revision == rotation.window.revision);
    !answered && !rotation.waivers.contains_key(&client.id)
}

fn is_missing(rotation: &Rotation, client: &Client) -> bool {
    rotation.applied.is_some() && !rotation.back.contains_key(&client.id) && !rotation.waivers.contains_key(&client.id)
}

/// Sends, several at once; every mail is journaled before and after (`outgoing` says how). Counts everybody, also those who had
/// it already.
pub async fn send(context: &StepContext<'_>, step: StepNumber, order: &SendOrder) -> Result<Tally, Fault> {
    let rotation = context.rotation();
    let recipients = recipients(&rotation, order);
    let (with, without): (Vec<_>, Vec<_>) = recipients.into_iter().partition(|(client, _)| client.email.is_some());
    let left_out = |client: &&Client| order.only.is_none() && is_left_out(order.kind, &rotation, client);
    let gone = rotation.clients.iter().filter(left_out).map(|client| client.name.clone()).collect();
    // Whoever holds it makes the next record copy it.
    drop(rotation);
    if !with.is_empty() {
        // One clear fault instead of one for every client.
        context.world.mailer.probe().await?;
    }
    outgoing::hand_over(context, step, with).await?;
    let rotation = context.rotation();
    let no_address =
        without.into_iter().map(|(client, _)| client).filter(|client| !rotation.waivers.contains_key(&client.id));
    let no_address = no_address.map(|client| client.name).collect();
    Ok(Tally { gone, no_address, ..tally(&rotation, order) })
}

fn tally(rotation: &Rotation, order: &SendOrder) -> Tally {
    let mut tally = Tally::default();
    for client in &rotation.clients {
        if order.only.as_ref().is_some_and(|only| !only.contains(&client.id)) {
            continue;
        }
        let kinds: &[NoticeKind] = match order.kind {
            NoticeKind::Announcement | NoticeKind::Change => rotation.telling_kinds(),
            ref kind => std::slice::from_ref(kind),
        };
        match kinds.iter().find_map(|kind| rotation.notice(&client.id, *kind)).map(|notice| &notice.delivery) {
            Some(Delivery::Sent { .. }) => tally.sent += 1,
            // Excepted by the operator, for this mail too.
            Some(_) if rotation.waivers.contains_key(&client.id) => {}
            Some(Delivery::Failed { .. } | Delivery::Bounced { .. }) => tally.failed.push(client.name.clone()),
            Some(Delivery::Uncertain { .. } | Delivery::Queued) => tally.uncertain.push(client.name.clone()),
            None => {}
        }
    }
    tally
}
