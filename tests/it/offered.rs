//! Who does only what is offered: reads the status as `--json` prints it, takes the one next action, and nothing else; and
//! what must hold in the end, whatever happened on the way.

use changeguard::adapters::lab::LabWorld;
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::ClientId;
use changeguard::domain::key::KeyRole;
use changeguard::domain::notice::{Notice, NoticeKind};
use changeguard::domain::token::ReplyToken;
use changeguard::engine::command::Command;
use changeguard::engine::mailbox::Decision;
use changeguard::engine::record::{Entry, Outcome, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::secret::{PrivateKey, SecretBytes};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The name of the tenant that is rotated.
pub const TENANT: &str = "acme";

/// What is walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// To the end.
    Forward,
    /// Back once the key is live.
    Back,
    /// The same after a suspected compromise: back to a fresh key.
    Fresh,
    /// Cancelled when everybody has confirmed.
    Cancel,
    /// Cancelled when the keys are kept already.
    CancelStaged,
    /// At once, before anybody is told, for a suspected compromise.
    Emergency,
}

/// The server's agent, which looks as soon as there is something to see.
pub async fn agent(world: LabWorld) {
    let ids = |world: &LabWorld| world.key_secrets(TENANT).into_iter().map(|s| s.id).collect::<Vec<_>>();
    let mut seen = Vec::new();
    while world.until(Duration::from_secs(3600), |world| ids(world) != seen).await {
        seen = ids(&world);
        world.reconcile(TENANT).await;
    }
}

/// The word of the offered action.
pub fn word(status: &Value) -> String {
    status["next"]["action"].as_str().unwrap_or_else(|| panic!("no next action: {status}")).to_owned()
}

/// The offered action as commands; none when the rotation is over. What only a person can know is looked up in the lab.
pub fn offered(status: &Value, world: &LabWorld) -> Option<Vec<Command>> {
    let text = status["next"]["text"].as_str().unwrap_or_default();
    let (confirm, reason) = (TENANT.to_owned(), "as offered".to_owned());
    let notify = |kind| Command::Notify { kind, only: None, again: false };
    Some(match word(status).as_str() {
        // The review is for another operator; the rotation itself is at its end.
        "plan" | "review" => return None,
        "reschedule" => vec![Command::Reschedule { window: crate::scene::Scene::open_window() }],
        "announce" => vec![notify(NoticeKind::Announcement)],
        "answers" => status["clients"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["standing"] != "confirmed")
            .map(confirms)
            .collect(),
        "resolve" => {
            // The person asks whoever should have got it.
            let start = text.find('<').unwrap_or_else(|| panic!("which mail? {text}"));
            let message_id = text[start..=start + text[start..].find('>').unwrap()].to_owned();
            let has = |mail: &std::sync::Arc<changeguard::adapters::lab::Mail>| {
                mail.header("Message-ID").as_deref() == Some(&message_id)
            };
            let arrived = world.mails().iter().any(has);
            vec![Command::ResolveNotice { message_id, arrived, reason }]
        }
        "read-mail" => {
            // Whoever declines a window behind the change says nothing of the key.
            let line = status["next"]["commands"][0].as_str().unwrap_or_else(|| panic!("which mail? {text}"));
            let mail = line.rsplit(' ').next().unwrap().to_owned();
            vec![Command::DecideMail { mail, decision: Decision::Nothing, note: "phoned them".into() }]
        }
        "check" => vec![Command::Check],
        "rotate" => vec![Command::Rotate { confirm, through_tunnel: String::new() }],
        "resume" => vec![Command::Resume],
        "reconfigure" => vec![notify(NoticeKind::Reconfigure)],
        "verify" => vec![Command::Verify],
        "finish" => vec![Command::Finish { note: String::new(), despite: String::new() }],
        "cancel" => vec![Command::Cancel { confirm, reason }],
        "recover" => vec![Command::Recover { confirm, reason }],
        "rollback" => vec![Command::RollBack { confirm, reason, through_tunnel: String::new() }],
        other => panic!("{other} leads nowhere: {text}"),
    })
}

/// What is done next: what is offered, but for the one decision that the way is about. None at the end.
pub fn decide(way: Way, status: &Value, world: &LabWorld, turned: &mut bool) -> Option<(String, Vec<Command>)> {
    let offered = offered(status, world)?;
    let (confirm, reason) = (TENANT.to_owned(), "a rehearsal".to_owned());
    let action = word(status);
    let own = match (way, action.as_str()) {
        (Way::Back | Way::Fresh, "reconfigure") => {
            Some(Command::RollBack { confirm, reason, through_tunnel: String::new() })
        }
        (Way::Emergency, "announce") => Some(Command::Emergency { confirm, reason, through_tunnel: String::new() }),
        (Way::Cancel, "rotate") | (Way::CancelStaged, "resume") => Some(Command::Cancel { confirm, reason }),
        _ => None,
    };
    match own.filter(|_| !*turned) {
        Some(command) => {
            *turned = true;
            Some((command.word().to_owned(), vec![command]))
        }
        None => Some((action, offered)),
    }
}

fn confirms(client: &Value) -> Command {
    let (client, channel) = (ClientId(client["id"].as_str().unwrap().to_owned()), Channel::Phone);
    Command::Answer { client, answer: Answer::Confirmed, channel, note: String::new() }
}

/// The command as the arguments of its subcommand.
pub fn arguments(command: &Command) -> Vec<String> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut line = words(&format!("{} {TENANT} --json", command.word()));
    match command {
        Command::Notify { kind, .. } => line.extend(words(&format!("--kind {}", kind.word()))),
        Command::Answer { client, .. } => line.extend(words(&format!("{} --by phone", client.0))),
        Command::ResolveNotice { message_id, arrived, reason } => {
            line.extend(words(&format!("--mail {message_id} --done {arrived} --reason")));
            line.push(reason.clone());
        }
        Command::Rotate { confirm, .. } => line.extend(words(&format!("--confirm {confirm}"))),
        Command::RollBack { confirm, reason, .. }
        | Command::Emergency { confirm, reason, .. }
        | Command::Recover { confirm, reason }
        | Command::Cancel { confirm, reason } => {
            line.extend(words(&format!("--confirm {confirm} --reason")));
            line.push(reason.clone());
        }
        Command::Check | Command::Resume | Command::Verify | Command::Finish { .. } => {}
        other => panic!("not for a process here: {other:?}"),
    }
    line
}

/// The public half of a payload.
pub fn public(payload: &[u8]) -> String {
    PrivateKey::from_payload(&SecretBytes::new(payload.to_vec()))
        .map(|key| key.public().to_string())
        .unwrap_or_default()
}

/// What the tenant was before its rotation.
pub struct Before {
    key: String,
    object: String,
}

impl Before {
    /// Looks into the lab.
    pub fn of(world: &LabWorld) -> Self {
        let secret = world.key_secrets(TENANT).remove(0);
        Self { key: public(&secret.payload.unwrap()), object: object(world) }
    }

    /// The object as it was, but for the key that is in it now: whoever was added or taken out is as before.
    pub fn put_people_back(&self, world: &LabWorld) {
        let now: Value = serde_json::from_str(&object(world)).unwrap();
        let key = now["vpn_server_public_key"].as_str().unwrap();
        let tenant = world.tenant(TENANT).unwrap().id;
        world.put_object(&tenant, "config/vpn-users.json", self.object.replace(&self.key, key).as_bytes());
    }

    /// What is known of it from elsewhere: the live key, and the object's text.
    pub fn given(key: String, object: String) -> Self {
        Self { key, object }
    }
}

/// Each client's token of this rotation, which stands in all of its Message-IDs.
fn tokens(rotation: &Rotation) -> BTreeSet<ReplyToken> {
    rotation.notices.iter().filter_map(|notice| ReplyToken::in_id(&notice.message_id)).collect()
}

fn object(world: &LabWorld) -> String {
    let tenant = world.tenant(TENANT).unwrap().id;
    String::from_utf8(world.object(&tenant, "config/vpn-users.json").unwrap()).unwrap()
}

/// Everything that must hold in the end. Gives what does not, one line each.
pub fn wrong_in_the_end(world: &LabWorld, before: &Before, entries: &[Entry]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |holds: bool, text: String| {
        if !holds {
            wrong.push(text);
        }
    };
    let rotation = match Rotation::fold(entries) {
        Ok(rotation) => rotation,
        Err(fault) => return vec![format!("the journal does not fold: {fault}")],
    };
    let Some((outcome, _, _)) = &rotation.outcome else { return vec!["it did not end".into()] };
    let target = rotation.target().map(|key| key.to_string()).unwrap_or_default();
    let tokens = tokens(&rotation);
    let of_rotation =
        |id: Option<String>| id.and_then(|id| ReplyToken::in_id(&id)).is_some_and(|token| tokens.contains(&token));
    let told = world.mails().iter().any(|mail| {
        mail.header("X-Changeguard-Kind").as_deref() == Some("cancellation") && of_rotation(mail.header("Message-ID"))
    });
    must(!told || *outcome == Outcome::Cancelled, "it was told to be cancelled, and was not".into());
    let expected = if *outcome == Outcome::Cancelled { &before.key } else { &target };
    let put_back = *outcome == Outcome::RolledBack && rotation.target_role() == KeyRole::Previous;
    must(!put_back || target == before.key, "the previous key is another".into());
    must(*outcome != Outcome::Rotated || target != before.key, "the key is the same".into());
    let live: Vec<String> =
        world.key_secrets(TENANT).iter().map(|s| public(s.payload.as_deref().unwrap_or_default())).collect();
    must(live == [expected.clone()], format!("{} secrets of the name: {live:?}, not {expected}", live.len()));
    let shown = world.server(TENANT).unwrap().public_key;
    must(shown == *expected, format!("the interface shows {shown}, not {expected}"));
    must(object(world) == before.object.replace(&before.key, expected), format!("the object is {}", object(world)));
    let left: Vec<String> =
        world.secrets("").into_iter().map(|s| s.name).filter(|name| name.starts_with("changeguard-")).collect();
    must(left.is_empty(), format!("kept keys are left: {left:?}"));
    must(world.private_key_requests().is_empty(), "a private key was asked of the server".into());
    wrong.extend(wrong_mails(world, &rotation, entries));
    wrong
}

/// Nobody twice, nobody forgotten, no mail without a record.
fn wrong_mails(world: &LabWorld, rotation: &Rotation, entries: &[Entry]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut legs = BTreeMap::new();
    let mut leg = 0;
    for entry in entries {
        match &entry.record {
            Record::RollbackStarted { .. } => leg = 1,
            Record::NoticeQueued { message_id, client, kind, revision, .. } => {
                legs.insert(
                    message_id.clone(),
                    (client.clone(), *kind, *revision, if *kind == NoticeKind::Reconfigure { leg } else { 0 }),
                );
            }
            _ => {}
        }
    }
    let mut counts = BTreeMap::new();
    let tokens = tokens(rotation);
    let ids = world.mails().into_iter().filter_map(|mail| mail.header("Message-ID"));
    for id in ids.filter(|id| ReplyToken::in_id(id).is_some_and(|token| tokens.contains(&token))) {
        match legs.get(&id) {
            Some(what) => *counts.entry(what.clone()).or_insert(0) += 1,
            None => wrong.push(format!("mail {id} is not on record")),
        }
    }
    wrong
        .extend(counts.iter().filter(|(_, count)| **count > 1).map(|(what, count)| format!("{count} mails: {what:?}")));
    let last = match rotation.outcome.as_ref().map(|(outcome, _, _)| *outcome) {
        Some(Outcome::Cancelled) => (NoticeKind::Cancellation, 0),
        Some(_) => (NoticeKind::Reconfigure, leg),
        None => return wrong,
    };
    for client in &rotation.clients {
        let has = |kind, leg| counts.keys().any(|(id, k, _, l)| *id == client.id && *k == kind && *l == leg);
        // In an emergency the key goes first: a mail that is uncertain is not sent again.
        let on_record = |n: &Notice| n.client == client.id && n.kind == NoticeKind::Emergency;
        let urgent = rotation.emergency.is_some() && rotation.notices.iter().any(on_record);
        if !has(NoticeKind::Announcement, 0) && !urgent {
            wrong.push(format!("{} was not told before", client.name));
        }
        if !has(last.0, last.1) {
            wrong.push(format!("{} has no {}", client.name, last.0.word()));
        }
    }
    wrong
}
