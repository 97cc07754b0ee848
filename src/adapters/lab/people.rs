//! The people of the lab: who answers a mail, when and how, and who re-imports the configuration. A person's answer is an
//! event that the operator hears (a call, a mail in her own inbox); nothing of it reaches changeguard by itself.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::Value;
use tokio::time::Instant;

use super::seed::Tenant;
use super::smtp::Mail;
use super::state::{Shared, lock};
use super::{LabEventKind, Pace, vpn};

/// What somebody will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Confirm,
    AskForAnotherTime,
    Reimport,
}

/// What is to be done when, and how often each person was asked.
#[derive(Debug, Default)]
pub(super) struct State {
    deeds: BinaryHeap<Reverse<(Instant, usize, usize, Deed)>>,
    /// (tenant, client, whether it was to reconfigure): mails so far since the last announcement.
    asked: HashMap<(usize, usize, bool), u32>,
    confirmed: HashMap<(usize, usize), bool>,
}

/// How somebody behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    Prompt,
    /// Wants another time at first, agrees when called again.
    Busy,
    Slow,
    /// Does nothing before the second mail.
    Silent,
}

fn temper(pace: Pace, client: usize) -> Temper {
    match (pace, client) {
        (Pace::Human, 1) => Temper::Busy,
        (Pace::Human, 2) => Temper::Slow,
        (Pace::Human, 3) => Temper::Silent,
        _ => Temper::Prompt,
    }
}

/// A mail has arrived in somebody's mailbox.
pub(super) fn on_mail(shared: &Shared, mail: &Mail) {
    let kind = mail.header("X-Changeguard-Kind").unwrap_or_default().to_lowercase();
    for recipient in &mail.to {
        let Some((tenant, client)) = find(shared, recipient) else {
            continue;
        };
        let subject = mail.header("Subject").unwrap_or_default();
        let heard = LabEventKind::Mail { client: tenant.people[client].id.clone() };
        shared.tell(tenant, heard, format!("{recipient} received: {kind} ({subject})"));
        plan(shared, tenant, client, &kind);
    }
}

fn find<'a>(shared: &'a Shared, address: &str) -> Option<(&'a Arc<Tenant>, usize)> {
    let domain = address.rsplit_once('@')?.1.to_lowercase();
    let tenant = shared.tenants.iter().find(|t| domain.strip_suffix(".example") == Some(&t.name))?;
    Some((tenant, tenant.client(address)?))
}

fn plan(shared: &Shared, tenant: &Tenant, client: usize, kind: &str) {
    let pace = shared.options.pace;
    if pace == Pace::Off {
        return;
    }
    let reconfigure = kind.starts_with("reconfigure");
    let question = matches!(kind, "announcement" | "reminder" | "change");
    if !reconfigure && !question {
        return;
    }
    let temper = temper(pace, client);
    let mut people = lock(&shared.people);
    if kind == "announcement" || kind == "change" {
        people.confirmed.remove(&(tenant.index, client));
        people.asked.remove(&(tenant.index, client, true));
    }
    let asked = people.asked.entry((tenant.index, client, reconfigure)).or_default();
    *asked += 1;
    let asked = *asked;
    if question && people.confirmed.get(&(tenant.index, client)) == Some(&true) {
        return;
    }
    let deed = match (reconfigure, temper) {
        (_, Temper::Silent) if asked == 1 => return,
        (true, _) => Deed::Reimport,
        (false, Temper::Busy) if asked == 1 => Deed::AskForAnotherTime,
        (false, _) => Deed::Confirm,
    };
    let mut chance = lock(&shared.chance);
    let millis = match (pace, reconfigure) {
        (Pace::Human, false) => chance.between(3_000, 20_000),
        (Pace::Human, true) => chance.between(5_000, 30_000),
        _ => chance.between(5, 40),
    };
    drop(chance);
    let delay = Duration::from_millis(if temper == Temper::Slow { millis + 30_000 } else { millis });
    people.deeds.push(Reverse((Instant::now() + delay, tenant.index, client, deed)));
    drop(people);
    shared.hurry.notify_one();
}

/// Lets people act until the lab stops; sleeps while nobody has anything to do.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let next = lock(&shared.people).deeds.peek().map(|Reverse(deed)| deed.0);
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = shared.hurry.notified() => continue,
            () = shared.stopped() => return,
        }
        let Some(Reverse((_, tenant, client, deed))) = lock(&shared.people).deeds.pop() else {
            continue;
        };
        let Some(tenant) = shared.tenants.get(tenant).cloned() else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { act(&shared, &tenant, client, deed).await });
    }
}

async fn act(shared: &Arc<Shared>, tenant: &Arc<Tenant>, client: usize, deed: Deed) {
    let person = &tenant.people[client];
    let (id, name) = (person.id.clone(), &person.name);
    match deed {
        Deed::Confirm => {
            lock(&shared.people).confirmed.insert((tenant.index, client), true);
            let text = if client.is_multiple_of(2) {
                format!("{name} replied by mail: ok, confirmed")
            } else {
                format!("phone: {name} is aware and will be ready")
            };
            shared.tell(tenant, LabEventKind::Answer { client: id, confirmed: true }, text);
        }
        Deed::AskForAnotherTime => {
            let text = format!("phone: {name} asks for another time: 14:00");
            shared.tell(tenant, LabEventKind::Answer { client: id, confirmed: false }, text);
        }
        Deed::Reimport => {
            reimport(shared, tenant, client).await;
        }
    }
}

/// The person downloads the configuration and imports it. False: the portal has none, or the server knows no such peer.
pub(super) async fn reimport(shared: &Arc<Shared>, tenant: &Arc<Tenant>, client: usize) -> bool {
    let person = &tenant.people[client];
    let Some(key) = portal_key(shared, tenant) else {
        let text = format!("{} could not download a configuration: the portal has none", person.name);
        shared.tell(tenant, LabEventKind::Reimport { client: person.id.clone() }, text);
        return false;
    };
    let found = vpn::reimport(shared, tenant, client, key).await;
    let back = {
        let mut vpn = lock(&tenant.vpn);
        vpn.live(tenant).public == key
    };
    let end = if found && back { "and is back" } else { "and can't connect yet" };
    let text = format!("{} re-imported the configuration {end}", person.name);
    shared.tell(tenant, LabEventKind::Reimport { client: person.id.clone() }, text);
    found
}

/// The server's public key in the tenant's current object.
pub(super) fn portal_key(shared: &Shared, tenant: &Tenant) -> Option<[u8; 32]> {
    let bytes = super::world::object(shared, &tenant.id, "config/vpn-users.json")?;
    let json: Value = serde_json::from_slice(&bytes).ok()?;
    Base64::decode_vec(json["vpn_server_public_key"].as_str()?).ok()?.try_into().ok()
}
