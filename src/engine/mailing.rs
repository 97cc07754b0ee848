//! Sending a kind of mail to those who need it: nobody twice unnoticed, nobody forgotten, every answer journaled.

use crate::domain::client::{Client, ClientId};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::step::StepNumber;
use crate::engine::machine::SendOrder;
use crate::engine::ports::{NoticeRequest, World};
use crate::engine::record::Record;
use crate::engine::rotation::Rotation;
use crate::engine::step::{Progress, StepContext};
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

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
        rotation.notices.iter().any(|n| {
            n.client == *id
                && n.kind.tells_window()
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
                (NoticeKind::Cancellation, None) => rotation.notices.iter().any(|n| n.client == client.id),
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
    let notices = rotation.notices.iter().filter(|notice| notice.client == *id);
    let kinds: BTreeSet<(NoticeKind, u32)> = notices.map(|notice| (notice.kind, notice.revision)).collect();
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
    rotation.applied.is_some() && rotation.not_back().iter().any(|missing| missing.id == client.id)
}

/// Sends, several at once; every mail is journaled before and after. Counts everybody, also those who had it already.
pub async fn send(context: &StepContext<'_>, step: StepNumber, order: &SendOrder) -> Result<Tally, Fault> {
    let rotation = context.rotation();
    let recipients = recipients(&rotation, order);
    let (with, without): (Vec<_>, Vec<_>) = recipients.into_iter().partition(|(client, _)| client.email.is_some());
    if !with.is_empty() {
        // One clear fault instead of one for every client.
        context.world.mailer.probe().await?;
    }
    let (total, done) = (with.len() as u64, AtomicU64::new(0));
    let tell = |text: String| {
        context.ledger.progress(Progress { step, done: done.load(Ordering::Relaxed), total, text });
    };
    tell(String::new());
    let sending = futures_util::stream::iter(with).map(|(client, kind)| {
        let (done, tell) = (&done, &tell);
        async move {
            let result = send_one(context, &client, kind).await;
            done.fetch_add(1, Ordering::Relaxed);
            tell(client.name.clone());
            result
        }
    });
    let mut results = sending.buffer_unordered(context.world.mailer.connections().max(1));
    let mut fault = None;
    while let Some(result) = results.next().await {
        // After a fault of the journal nothing more is handed over, but what is under way is awaited and recorded.
        fault = fault.or(result.err());
    }
    match fault {
        Some(fault) => Err(fault),
        None => {
            let mut tally = tally(&context.rotation(), order);
            let left_out = |client: &&Client| order.only.is_none() && is_left_out(order.kind, &rotation, client);
            tally.gone = rotation.clients.iter().filter(left_out).map(|client| client.name.clone()).collect();
            tally.no_address = without
                .into_iter()
                .filter(|(client, _)| !rotation.waivers.contains_key(&client.id))
                .map(|(client, _)| client.name)
                .collect();
            Ok(tally)
        }
    }
}

async fn send_one(context: &StepContext<'_>, client: &Client, kind: NoticeKind) -> Result<(), Fault> {
    let Some(email) = client.email.clone() else { return Ok(()) };
    let rotation = context.rotation();
    let mailer = &context.world.mailer;
    let of_kind = |n: &&crate::domain::notice::Notice| {
        n.client == client.id && n.kind == kind && n.revision == rotation.window.revision
    };
    // A mail that was surely not accepted is the same mail when it is tried again; anything else would be a second one.
    let accepted = |n: &&crate::domain::notice::Notice| !matches!(n.delivery, Delivery::Failed { .. });
    let copy = rotation.notices.iter().filter(of_kind).filter(accepted).count();
    let key = &context.world.reply_key;
    let id = key.message_id(&rotation, &client.id, kind, copy, &mailer.message_domain());
    let token = key.token(&rotation, &client.id);
    let first = rotation.notices.iter().find(|notice| notice.client == client.id && notice.message_id != id);
    let request = NoticeRequest {
        kind,
        tenant: &rotation.tenant,
        client_name: &client.name,
        email: &email,
        window: &rotation.window,
        message_id: &id,
        in_reply_to: first.map(|notice| notice.message_id.as_str()),
        token: &token,
        language: context.world.settings.language,
    };
    let (client, message_id, revision) = (client.id.clone(), id.clone(), rotation.window.revision);
    let letter = mailer.compose(&request);
    context.ledger.record(Record::NoticeQueued { client, email, kind, revision, message_id }).await?;
    let delivery = match letter {
        Ok(letter) => mailer.send(&letter).await,
        Err(fault) => Delivery::Failed { permanent: true, reply: fault.message },
    };
    context.ledger.record(Record::NoticeDelivery { message_id: id, delivery }).await
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
