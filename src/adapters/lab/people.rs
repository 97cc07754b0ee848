//! The people of the lab: who answers a mail, when and what, and who re-imports the configuration. An answer is a mail that
//! arrives in the operator's mailbox, and an event that a bystander hears; how the mail looks is `answers`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::Value;
use tokio::time::Instant;

use super::answers::{self, Says, Writer};
use super::seed::Tenant;
use super::smtp::Mail;
use super::state::{Shared, lock};
use super::{LabEventKind, Pace, mailbox, vpn};

/// What somebody will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    /// An absence note, at once.
    Away,
    Confirm,
    AskForAnotherTime,
    /// An answer that a person must read.
    Perhaps,
    /// Says whether the connection is back.
    Back,
    Reimport,
}

/// What is to be done when, and how often each person was asked.
#[derive(Debug, Default)]
pub(super) struct State {
    deeds: BinaryHeap<Reverse<(Instant, usize, usize, Deed)>>,
    /// (tenant, client, whether it was to reconfigure): mails so far since the last announcement.
    asked: HashMap<(usize, usize, bool), u32>,
    confirmed: HashMap<(usize, usize), bool>,
    /// What an operator wants them to do, instead of what they would.
    habits: HashSet<(usize, usize, Habit)>,
    /// The mail that each person has read last.
    read: HashMap<(usize, usize), Arc<Mail>>,
}

/// What somebody does for as long as an operator rehearses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Habit {
    /// Never re-imports the configuration.
    NeverBack,
    /// Has a mailbox that gives mails back.
    Bounces,
    /// Answers neither yes nor no.
    Unclear,
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
    /// A program says that they are away; they answer all the same.
    Away,
    /// Says neither yes nor no at first.
    Unsure,
}

fn temper(pace: Pace, client: usize) -> Temper {
    match (pace, client) {
        (Pace::Human, 1) => Temper::Busy,
        (Pace::Human, 2) => Temper::Slow,
        (Pace::Human, 3) => Temper::Silent,
        (Pace::Human, 6) => Temper::Away,
        (Pace::Human, 7) => Temper::Unsure,
        _ => Temper::Prompt,
    }
}

/// A mail has arrived in somebody's mailbox.
pub(super) fn on_mail(shared: &Shared, mail: &Arc<Mail>) {
    let kind = mail.header("X-Changeguard-Kind").unwrap_or_default().to_lowercase();
    for recipient in &mail.to {
        let Some((tenant, client)) = find(shared, recipient) else {
            continue;
        };
        if has(shared, tenant, client, Habit::Bounces) {
            let bounce = answers::bounce(mail, recipient, lock(&shared.chance).bytes());
            if mailbox::is_operators(&bounce.to) {
                mailbox::deliver(shared, &bounce.to, &bounce.raw);
            }
            continue;
        }
        let subject = mail.header("Subject").unwrap_or_default();
        let heard = LabEventKind::Mail { client: tenant.people[client].id.clone() };
        shared.tell(tenant, heard, format!("{recipient} received: {kind} ({subject})"));
        lock(&shared.people).read.insert((tenant.index, client), Arc::clone(mail));
        plan(shared, tenant, client, &kind);
    }
}

fn find<'a>(shared: &'a Shared, address: &str) -> Option<(&'a Arc<Tenant>, usize)> {
    let domain = address.rsplit_once('@')?.1.to_lowercase();
    let tenant = shared.tenants.iter().find(|t| domain.strip_suffix(".example") == Some(&t.name))?;
    Some((tenant, tenant.client(address)?))
}

fn has(shared: &Shared, tenant: &Tenant, client: usize, habit: Habit) -> bool {
    lock(&shared.people).habits.contains(&(tenant.index, client, habit))
}

/// Somebody takes a habit up. What they were asked before is answered by it at once.
pub(super) fn take_up(shared: &Shared, tenant: &Tenant, client: usize, habit: Habit) {
    let mut people = lock(&shared.people);
    people.habits.insert((tenant.index, client, habit));
    if habit == Habit::Unclear && people.read.contains_key(&(tenant.index, client)) {
        people.deeds.push(Reverse((Instant::now(), tenant.index, client, Deed::Perhaps)));
        shared.hurry.notify_one();
    }
}

/// Somebody gives a habit up, and does what they would have done: whoever never re-imported does it now, if they were asked to.
pub(super) fn give_up(shared: &Shared, tenant: &Tenant, client: usize, habit: Habit) {
    let mut people = lock(&shared.people);
    people.habits.remove(&(tenant.index, client, habit));
    let asked = people.asked.get(&(tenant.index, client, true)).is_some_and(|asked| *asked > 0);
    if habit == Habit::NeverBack && asked {
        people.deeds.push(Reverse((Instant::now(), tenant.index, client, Deed::Reimport)));
        shared.hurry.notify_one();
    }
}

fn plan(shared: &Shared, tenant: &Tenant, client: usize, kind: &str) {
    let pace = shared.options.pace;
    let reconfigure = kind.starts_with("reconfigure");
    let question = matches!(kind, "announcement" | "reminder" | "change");
    let back = kind == "are-you-back";
    if (question || back) && has(shared, tenant, client, Habit::Unclear) {
        let deed = Reverse((Instant::now(), tenant.index, client, Deed::Perhaps));
        lock(&shared.people).deeds.push(deed);
        shared.hurry.notify_one();
        return;
    }
    if pace == Pace::Off {
        return;
    }
    if !reconfigure && !question && !back {
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
        _ if back => Deed::Back,
        (_, Temper::Silent) if asked == 1 => return,
        (true, _) => Deed::Reimport,
        (false, Temper::Busy) if asked == 1 => Deed::AskForAnotherTime,
        (false, Temper::Unsure) if asked == 1 => Deed::Perhaps,
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
    if deed == Deed::Confirm && temper == Temper::Away {
        people.deeds.push(Reverse((Instant::now() + delay / 4, tenant.index, client, Deed::Away)));
    }
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
    let (says, confirmed, words) = match deed {
        Deed::Confirm => {
            lock(&shared.people).confirmed.insert((tenant.index, client), true);
            (Says::Yes, Some(true), "ok, confirmed")
        }
        Deed::AskForAnotherTime => (Says::OtherTime, Some(false), "another time: 14:00"),
        Deed::Away => (Says::Away, None, "out of the office until Monday (a program)"),
        Deed::Perhaps => (Says::Perhaps, None, "should be fine, will check tomorrow?"),
        Deed::Back if is_back(tenant, client) => (Says::Back, Some(true), "yes, I am back"),
        Deed::Back => (Says::NotBack, Some(false), "no, still not connected"),
        Deed::Reimport if has(shared, tenant, client, Habit::NeverBack) => return,
        Deed::Reimport => {
            reimport(shared, tenant, client).await;
            return;
        }
    };
    let mail = lock(&shared.people).read.get(&(tenant.index, client)).cloned();
    if let Some(mail) = mail {
        let chance = lock(&shared.chance).bytes();
        let writer = Writer { name, email: &person.email, number: client, chance };
        let answer = answers::write(&mail, &writer, says);
        if mailbox::is_operators(&answer.to) {
            mailbox::deliver(shared, &answer.to, &answer.raw);
        }
    }
    let kind = match confirmed {
        Some(confirmed) => LabEventKind::Answer { client: id, confirmed },
        None => LabEventKind::Mail { client: id },
    };
    shared.tell(tenant, kind, format!("{name} replied by mail: {words}"));
}

/// Whether the client's configuration holds the server's live key.
fn is_back(tenant: &Tenant, client: usize) -> bool {
    let mut vpn = lock(&tenant.vpn);
    let live = vpn.live(tenant).public;
    vpn.peers.iter().any(|peer| peer.client == Some(client) && peer.believes == live)
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
