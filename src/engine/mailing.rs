//! Sending a kind of mail to those who need it: nobody twice unnoticed, nobody forgotten, every answer journaled.

mod outgoing;

use crate::domain::client::{Client, ClientId};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::notice::{Delivery, KeyTold, Notice, NoticeKind, REFUSES_US};
use crate::domain::step::StepNumber;
use crate::domain::token::ReplyToken;
use crate::engine::machine::SendOrder;
use crate::engine::ports::{Lack, NoticeRequest, World};
use crate::engine::rotation::Rotation;
use crate::engine::step::StepContext;
use std::collections::{BTreeMap, BTreeSet};

/// How many went where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted by the mail server, now or before.
    pub sent: usize,
    /// Of those, had the mail before this turn.
    pub before: usize,
    /// Refused for good: names.
    pub refused: Vec<String>,
    /// Not handed over, or put off by the mail server, and no try is left: names. Nobody has refused them.
    pub deferred: Vec<String>,
    /// Not taken, for the server takes nothing from us: names.
    pub not_taken: Vec<String>,
    /// Accepted, and returned later: names.
    pub bounced: Vec<String>,
    /// What was said of the first of these.
    pub reason: Option<String>,
    /// May have been accepted: names.
    pub uncertain: Vec<String>,
    /// They would find nothing to download, so they are not mailed yet: names.
    pub unserved: Vec<String>,
    /// It is not known to have arrived, and nothing hangs on it any more: names.
    pub settled: Vec<String>,
    /// Without an address: names.
    pub no_address: Vec<String>,
    /// Named by no place any more, so not mailed: names.
    pub gone: Vec<String>,
}

/// Whose configuration could not be found where they would download it, and what was said.
pub type Unserved = BTreeMap<ClientId, Fault>;

impl Tally {
    /// One line of evidence, or a fault that names everybody who did not get the mail for sure, with what helps each of them.
    pub fn judge(self) -> Result<String, Fault> {
        const REFUSED: &str = "refused or returned: correct the address in the contacts file, or call them";
        const DEFERRED: &str =
            "deferred: the mail server takes no mail for them now; send again in a few minutes, it stays the same mail";
        const NOT_TAKEN: &str = "not taken: it is us whom the server refuses, and not them; put the sender's address, this host or the account right there, then send again: it stays the same mail";
        const UNCERTAIN: &str = "uncertain: ask them, and say whether it arrived before anything is sent again";
        const UNSERVED: &str = "not mailed: have their configuration made in the portal, then notify again; or waive them, if it is nobody's";
        let groups = [
            (&self.refused, "refused", Some(REFUSED)),
            (&self.bounced, "bounced", Some(REFUSED)),
            (&self.deferred, "deferred", Some(DEFERRED)),
            (&self.not_taken, "not taken", Some(NOT_TAKEN)),
            (&self.uncertain, "uncertain", Some(UNCERTAIN)),
            (&self.unserved, "not mailed, for the console API has no configuration for them", Some(UNSERVED)),
            (&self.settled, "without this mail for sure, but they have answered or are back", None),
            (&self.no_address, "without an address", None),
            (&self.gone, GONE, None),
        ];
        let accepted = match (self.sent.saturating_sub(self.before), self.before) {
            (now, 0) => format!("{now} accepted by the mail server"),
            (0, before) => format!("none sent now: {before} had this mail already"),
            (now, before) => format!("{now} accepted by the mail server, {before} had this mail already"),
        };
        let (mut parts, mut advice) = (vec![accepted], Vec::new());
        for (names, what, helps) in groups.into_iter().filter(|(names, ..)| !names.is_empty()) {
            parts.push(format!("{} {what}: {}", names.len(), names.join(", ")));
            advice.extend(helps);
        }
        parts.extend(self.reason.map(|reason| format!("first: {reason}")));
        let text = parts.join("; ");
        if advice.is_empty() {
            return Ok(text);
        }
        advice.dedup();
        Err(Fault::new(Service::Mail, FaultKind::Refused, text).hint(advice.join(". ")))
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
            let last = rotation.notice(&client.id, kind);
            // To an address that gives mails back the same goes again only where an operator names the person.
            let is_dead = |notice: Option<&Notice>| {
                order.only.is_none() && notice.is_some_and(|notice| notice.came_back_from(client))
            };
            let told = || rotation.notices.of(&client.id).rfind(|notice| notice.kind.tells_window());
            let delivery = last.map(|notice| &notice.delivery);
            let needed = match (order.kind, delivery) {
                _ if order.again => true,
                // A reminder may be sent as often as the operator asks, but only to the silent.
                (NoticeKind::Reminder, _) => is_silent(rotation, client) && !is_dead(told()),
                // So is this question, to those of whom nothing shows that they are back.
                (NoticeKind::AreYouBack, _) => is_missing(rotation, client),
                // Whom no mail can have reached has nothing to be taken back.
                (NoticeKind::Cancellation, None) => rotation
                    .notices
                    .of(&client.id)
                    .any(|notice| !matches!(notice.delivery, Delivery::Failed { .. } | Delivery::Bounced { .. })),
                (_, None | Some(Delivery::Failed { .. } | Delivery::Bounced { .. })) => !is_dead(last),
                (_, Some(Delivery::Sent { .. } | Delivery::Uncertain { .. } | Delivery::Queued)) => false,
            };
            needed.then(|| (client.clone(), kind))
        })
        .collect()
}

/// Tries every text that is to be sent, for every person that it may say something else to, and sends nothing: a name without a
/// value may hide behind a condition that holds for one of them only. `mails`: these; `None`: whatever this rotation may come to send. Gives how many they are.
pub fn can_write(world: &World, rotation: &Rotation, mails: Option<&[(Client, NoticeKind)]>) -> Result<usize, Fault> {
    let with_address = rotation.clients.iter().filter(|client| client.email.is_some());
    let everything = || with_address.flat_map(|client| NoticeKind::ALL.map(|kind| (client, kind)));
    let mails: Vec<(&Client, NoticeKind)> = match mails {
        Some(mails) => mails.iter().map(|(client, kind)| (client, *kind)).collect(),
        None => everything().collect(),
    };
    let mut alike = BTreeSet::new();
    let tried = |(client, kind): &(&Client, NoticeKind)| {
        if alike.contains(kind) {
            return None;
        }
        let token = world.reply_key.token(rotation, &client.id);
        let request = tried_request(world, rotation, client, *kind, &token);
        let fault = world.mailer.can_write(&request).err();
        if fault.is_none() && world.mailer.is_alike_for_all(&request) {
            alike.insert(*kind);
        }
        fault
    };
    let mut faults = mails.iter().filter_map(tried);
    let Some(first) = faults.next() else { return Ok(mails.len()) };
    let message = match faults.count() {
        0 => first.message.clone(),
        more => format!("{}; {more} more of {} mails can't be written", first.message, mails.len()),
    };
    let hint = format!("nothing was sent; {}", first.remedy());
    Err(Fault { message, ..first }.hint(hint))
}

/// A mail that is only tried.
fn tried_request<'a>(
    world: &World,
    rotation: &'a Rotation,
    client: &'a Client,
    kind: NoticeKind,
    token: &'a ReplyToken,
) -> NoticeRequest<'a> {
    NoticeRequest {
        kind,
        tenant: &rotation.tenant,
        client_name: &client.name,
        email: client.email.as_deref().unwrap_or_default(),
        window: &rotation.window,
        message_id: "<tried@localhost>",
        in_reply_to: None,
        token,
        language: world.settings.language,
        key_told: rotation.key_told(),
    }
}

/// What the operator's texts of these kinds leave out that whoever reads them needs.
pub fn lacking(world: &World, rotation: &Rotation, kinds: &[NoticeKind]) -> Vec<Lack> {
    let Some(client) = rotation.clients.first() else { return Vec::new() };
    let token = world.reply_key.token(rotation, &client.id);
    let lacks = |kind: &NoticeKind| world.mailer.lacks(&tried_request(world, rotation, client, *kind, &token));
    kinds.iter().filter_map(lacks).collect()
}

/// Errs where a text that asks for an answer does not say to what.
pub fn says_when(world: &World, rotation: &Rotation, kinds: &[NoticeKind]) -> Result<(), Fault> {
    let Some(lack) = lacking(world, rotation, kinds).into_iter().find(|lack| lack.when) else { return Ok(()) };
    Err(Fault::new(Service::Mail, FaultKind::Invalid, lack.text)
        .hint("nothing was sent; put {{ window }} into it, for nobody can agree to what they are not told"))
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
        let request = |key_told| NoticeRequest {
            kind,
            tenant: &rotation.tenant,
            client_name: &client.name,
            email: client.email.as_deref().unwrap_or_default(),
            window,
            message_id: "<copy@localhost>",
            in_reply_to: None,
            token: &token,
            language: world.settings.language,
            key_told,
        };
        // Before the way back it was the other.
        texts.extend(world.mailer.texts(&request(KeyTold::New)));
        if rotation.key_told() != KeyTold::New {
            texts.extend(world.mailer.texts(&request(rotation.key_told())));
        }
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
///
/// `unserved`: those who would find nothing to download; they are named and not mailed.
pub async fn send(
    context: &StepContext<'_>,
    step: StepNumber,
    order: &SendOrder,
    unserved: &Unserved,
) -> Result<Tally, Fault> {
    let rotation = context.rotation();
    let (left, recipients): (Vec<_>, Vec<_>) =
        recipients(&rotation, order).into_iter().partition(|(client, _)| unserved.contains_key(&client.id));
    let open = left.into_iter().filter(|(client, kind)| rotation.hangs_on(*kind, &client.id));
    let open: Vec<String> = open.map(|(client, _)| client.name).collect();
    let (with, without): (Vec<_>, Vec<_>) = recipients.into_iter().partition(|(client, _)| client.email.is_some());
    let left_out = |client: &&Client| order.only.is_none() && is_left_out(order.kind, &rotation, client);
    let mailed: BTreeSet<&ClientId> = with.iter().map(|(client, _)| &client.id).collect();
    let had = |name: &&ClientId| !mailed.contains(name);
    let before = sent(&rotation, order).filter(had).count();
    let gone = rotation.clients.iter().filter(left_out).map(|client| client.name.clone()).collect();
    // Whoever holds it makes the next record copy it.
    drop(rotation);
    if !with.is_empty() {
        // One clear fault instead of one for every client, or for those who come last.
        let rotation = context.rotation();
        let begins =
            matches!(order.kind, NoticeKind::Announcement | NoticeKind::Change) && rotation.emergency.is_none();
        can_write(context.world, &rotation, if begins { None } else { Some(&with) })?;
        let kinds: BTreeSet<NoticeKind> = with.iter().map(|(_, kind)| *kind).collect();
        says_when(context.world, &rotation, &Vec::from_iter(kinds))?;
        drop(rotation);
        context.world.mailer.probe().await?;
    }
    outgoing::hand_over(context, step, with).await?;
    let rotation = context.rotation();
    let no_address =
        without.into_iter().map(|(client, _)| client).filter(|client| !rotation.waivers.contains_key(&client.id));
    let no_address = no_address.map(|client| client.name).collect();
    let tally = tally(&rotation, order);
    let reason = unserved.values().next().filter(|_| !open.is_empty()).map(ToString::to_string);
    Ok(Tally { before, gone, no_address, unserved: open, reason: tally.reason.clone().or(reason), ..tally })
}

/// Everybody whom the order is about, with how their mail stands.
fn standing<'a>(
    rotation: &'a Rotation,
    order: &'a SendOrder,
) -> impl Iterator<Item = (&'a Client, Option<&'a Delivery>)> {
    let kinds: &[NoticeKind] = match order.kind {
        NoticeKind::Announcement | NoticeKind::Change => rotation.telling_kinds(),
        ref kind => std::slice::from_ref(kind),
    };
    let wanted = |client: &&Client| order.only.as_ref().is_none_or(|only| only.contains(&client.id));
    rotation.clients.iter().filter(wanted).map(move |client| {
        let mail = kinds.iter().find_map(|kind| rotation.notice(&client.id, *kind));
        (client, mail.map(|notice| &notice.delivery))
    })
}

/// Who has the mail already.
fn sent<'a>(rotation: &'a Rotation, order: &'a SendOrder) -> impl Iterator<Item = &'a ClientId> {
    let has = |(client, delivery): (&'a Client, Option<&'a Delivery>)| {
        matches!(delivery, Some(Delivery::Sent { .. })).then_some(&client.id)
    };
    standing(rotation, order).filter_map(has)
}

/// How everybody whom the order is about has the mail.
pub(in crate::engine) fn tally(rotation: &Rotation, order: &SendOrder) -> Tally {
    let mut tally = Tally::default();
    for (client, delivery) in standing(rotation, order) {
        match delivery {
            Some(Delivery::Sent { .. }) => tally.sent += 1,
            // Excepted by the operator, for this mail too.
            Some(_) if rotation.waivers.contains_key(&client.id) => {}
            Some(_) if !rotation.hangs_on(order.kind, &client.id) => tally.settled.push(client.name.clone()),
            Some(Delivery::Failed { permanent, reply }) => {
                let names = match permanent {
                    true => &mut tally.refused,
                    false if reply.starts_with(REFUSES_US) => &mut tally.not_taken,
                    false => &mut tally.deferred,
                };
                names.push(client.name.clone());
                tally.reason.get_or_insert_with(|| reply.clone());
            }
            Some(Delivery::Bounced { reply }) => {
                tally.bounced.push(client.name.clone());
                tally.reason.get_or_insert_with(|| reply.clone());
            }
            Some(Delivery::Uncertain { .. } | Delivery::Queued) => tally.uncertain.push(client.name.clone()),
            None => {}
        }
    }
    tally
}
