//! Entries with one address are one person: one mail, one answer, and back when all of their peers are.

use crate::scene::Scene;
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::{Client, ClientId};
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::Command;
use changeguard::engine::record::{Cause, Record};
use changeguard::engine::rotation::Rotation;
use serde_json::Value;

const TELL: Command = Command::Notify { kind: NoticeKind::Announcement, only: None, again: false };
const CALL: Command = Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false };

/// A scene in which the second entry of the object has the address of the first, in capitals.
async fn shared() -> (Scene, [String; 3], String) {
    let scene = Scene::start().await;
    let (id, people) = (scene.acme().tenant().id.clone(), scene.lab.world().tenant("acme").unwrap().people);
    let mut object: Value = serde_json::from_slice(&scene.object()).unwrap();
    object["users"][1]["email"] = people[0].email.to_uppercase().into();
    scene.lab.world().put_object(id.as_str(), "config/vpn-users.json", object.to_string().as_bytes());
    let ids = [0, 1, 2].map(|at: usize| people[at].id.clone());
    let (window, cause, reference) = (Scene::open_window(), Cause::Scheduled, String::new());
    scene.run(Command::Plan { window, cause, reference }).await.unwrap();
    (scene, ids, people[0].email.clone())
}

fn answer(client: &str, answer: Answer) -> Command {
    Command::Answer { client: ClientId(client.into()), answer, channel: Channel::Phone, note: String::new() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_entries_with_one_address_get_one_mail_of_each_kind_and_answer_once() {
    let (scene, [ada, phone, bob], email) = shared().await;
    scene.run(TELL).await.unwrap();
    let mails = || {
        let all = scene.lab.world().mails();
        all.iter().filter(|mail| mail.to.iter().any(|to| to.eq_ignore_ascii_case(&email))).count()
    };
    assert_eq!((mails(), scene.lab.world().mails().len()), (1, 2));
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.clients.len(), 2);
    let said = format!("{ada} and {phone} have the address");
    assert!(status.differences.iter().any(|text| text.starts_with(&said) && text.contains("one mail")), "{status:?}");
    let refused = scene.run(answer(&phone, Answer::Confirmed)).await.unwrap_err().to_string();
    assert!(refused.contains("one person") && refused.contains(&format!("name {ada}")), "{refused}");
    scene.run(answer(&ada, Answer::Confirmed)).await.unwrap();
    scene.run(answer(&bob, Answer::Confirmed)).await.unwrap();
    scene.rotate().await.unwrap();
    scene.run(CALL).await.unwrap();
    assert_eq!(mails(), 2, "one call, too");

    let world = scene.lab.world();
    let back = async |who: &str| {
        assert!(world.reimport("acme", who).await);
        scene.run(Command::Verify).await.unwrap();
        scene.acme().rotation().unwrap().back.contains_key(&ClientId(ada.clone()))
    };
    assert!(!back(&bob).await);
    assert!(!back(&ada).await, "one of their two peers is not");
    assert!(back(&phone).await, "now both are");
    scene.finish("").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_told_by_themselves_keeps_a_word_of_their_own() {
    let (scene, [ada, phone, _], _) = shared().await;
    let seen = scene.acme().rotation().unwrap().clients.clone();
    let merged = seen.iter().find(|client| client.id.0 == ada).unwrap().clone();
    // As a version of the program told them that took them for two.
    let apart: Vec<Client> = [&ada, &phone]
        .into_iter()
        .map(|id| Client { id: ClientId(id.clone()), also: Vec::new(), ..merged.clone() })
        .collect();
    let mut rotation = Rotation::clone(&scene.acme().rotation().unwrap());
    let plan = scene.acme().entries().remove(0);
    let mut seq = rotation.seq;
    let mut take = |rotation: &mut Rotation, record| {
        seq += 1;
        let entry = changeguard::engine::record::Entry { seq, record, ..plan.clone() };
        rotation.check(&entry).unwrap();
        rotation.apply(&entry);
    };
    let bob = seen.iter().find(|client| client.id != merged.id).unwrap().clone();
    let all = apart.iter().cloned().chain([bob]).collect();
    take(&mut rotation, Record::PeopleSeen { clients: all, unseen: Vec::new() });
    take(
        &mut rotation,
        Record::Answered {
            client: ClientId(phone.clone()),
            revision: 1,
            answer: Answer::Declined,
            channel: Channel::Phone,
            note: String::new(),
        },
    );
    let ids = |clients: &[Client]| clients.iter().map(|client| client.id.0.clone()).collect::<Vec<_>>();
    let now = rotation.with_told(seen.clone(), true);
    assert!(ids(&now).contains(&phone), "a decline is not forgotten: {now:?}");
    assert!(now.iter().all(|client| !client.sources.is_empty()), "nobody is said to be named by no place: {now:?}");
    let untold = Rotation::clone(&scene.acme().rotation().unwrap()).with_told(seen, true);
    assert!(!ids(&untold).contains(&phone));
}
