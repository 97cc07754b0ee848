//! Whose mails count, end to end: read before a run judges its gate, matched against every case of the store, and none of
//! them held up by a damaged journal, a command under way, or very many mails of somebody else.

use crate::bastion::{Bastion, CYCLE};
use crate::scene::{Scene, Silent};
use changeguard::adapters::lab::{Fault, Moment, Rule, Service};
use changeguard::config::Config;
use changeguard::domain::fault::FaultKind;
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::Command;
use changeguard::engine::record::Cause;
use changeguard::engine::rotation::Rotation;
use changeguard::runtime::wiring::Wiring;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

/// Both tenants are planned and everybody is told.
pub async fn told() -> Scene {
    told_with(|_| {}).await
}

async fn told_with(change: impl FnOnce(&mut Config)) -> Scene {
    let scene = Scene::start_with(change).await;
    for conductor in scene.fleet.conductors() {
        let window = Scene::open_window();
        conductor.run(Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }).await.unwrap();
        let kind = NoticeKind::Announcement;
        conductor.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    }
    scene
}

/// An answer by words of one of a tenant's people, from their own address or another.
pub fn writes(scene: &Scene, tenant: &str, person: usize, from: Option<&str>, text: &str, number: usize) {
    let person = &scene.lab.world().tenant(tenant).unwrap().people[person];
    let told = scene.lab.world().mails_to(&person.email);
    let told = told.last().unwrap();
    let (to, subject, id) =
        (told.header("Reply-To").unwrap(), told.header("Subject").unwrap(), told.header("Message-ID").unwrap());
    let from = from.unwrap_or(&person.email);
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
    let mail = format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Re: {subject}\r\nDate: {date}\r\nIn-Reply-To: {id}\r\n\
         Message-ID: <{number}.{tenant}@people.example>\r\n\r\n{text}\r\n"
    );
    scene.lab.world().deliver_to_operator(mail.as_bytes());
}

fn rotation(scene: &Scene, tenant: &str) -> Arc<Rotation> {
    scene.fleet.find(tenant).unwrap().rotation().unwrap()
}

/// What counts of everybody, in the order of the clients.
pub fn answers(scene: &Scene, tenant: &str) -> Vec<&'static str> {
    let status = scene.fleet.find(tenant).unwrap().status();
    status.clients.iter().map(|view| view.standing.word()).collect()
}

async fn damage(scene: &Scene, statement: &str) {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
    let file = scene.wiring.config().state.directory.join("journal.db");
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_lies_unread_is_seen_by_a_run_and_taken_in_once() {
    let scene = told().await;
    let post = scene.wiring.post().unwrap();
    post.sort(&scene.fleet).await.unwrap();
    writes(&scene, "acme", 0, None, "no", 1);
    writes(&scene, "globex", 0, None, "confirmed", 2);
    let world = scene.world();
    let reader = world.answers.as_ref().unwrap();
    let waiting = reader.waiting(&rotation(&scene, "acme"), SOON).await.unwrap();
    assert_eq!(waiting.len(), 1, "its own only: {waiting:?}");
    assert_eq!(reader.waiting(&rotation(&scene, "acme"), SOON).await.unwrap(), waiting, "a look changes nothing");
    scene.run(Command::TakeMails { mails: waiting }).await.unwrap();
    assert_eq!(answers(&scene, "acme")[0], "declined");
    assert!(reader.waiting(&rotation(&scene, "acme"), SOON).await.unwrap().is_empty());
    let sorted = post.sort(&scene.fleet).await.unwrap();
    assert_eq!(sorted.taken["globex"], "1 answers or bounces, 0 to be read by a person, 0 without an answer");
    assert_eq!(rotation(&scene, "acme").mails.len(), 1, "{sorted:?}");
}

#[tokio::test]
async fn a_mailbox_that_fails_or_hangs_is_told_within_the_limit() {
    let scene = told().await;
    let world = scene.world();
    let reader = world.answers.as_ref().unwrap();
    for fault in [Fault::Hang, Fault::Close, Fault::Status(0)] {
        writes(&scene, "acme", 0, None, "no", 1);
        scene.lab.faults().add(Rule::new(Service::Imap, fault).method("UID FETCH").always());
        let begun = Instant::now();
        let failed = reader.waiting(&rotation(&scene, "acme"), Duration::from_millis(300)).await;
        assert!(failed.is_err(), "{fault:?}: {failed:?}");
        assert!(begun.elapsed() < SOON, "{fault:?}");
        if fault == Fault::Hang {
            assert_eq!(failed.unwrap_err().kind, FaultKind::TimedOut);
        }
        scene.lab.faults().clear();
    }
    scene.lab.world().set_down(Service::Imap, true);
    assert!(reader.waiting(&rotation(&scene, "acme"), SOON).await.is_err());
}

#[tokio::test]
async fn a_damaged_journal_costs_nobody_an_answer() {
    let scene = told().await;
    writes(&scene, "acme", 0, None, "confirmed", 1);
    writes(&scene, "globex", 0, None, "no", 2);
    writes(&scene, "acme", 1, None, "confirmed", 3);
    let (one, other) =
        ("UPDATE record SET at_ms = at_ms + 1 WHERE seq = 2", "UPDATE record SET at_ms = at_ms - 1 WHERE seq = 2");
    let of = format!(" AND tenant = '{}'", scene.fleet.find("globex").unwrap().tenant().id);
    damage(&scene, &format!("{one}{of}")).await;
    // As a process that begins now: it has never read that journal.
    let wiring = Wiring::open(scene.wiring.config().clone()).await.unwrap();
    let fleet = wiring.fleet(wiring.tenants().await.0, Arc::new(Silent)).unwrap();
    for _ in 0..2 {
        let sorted = wiring.post().unwrap().sort(&fleet).await.unwrap();
        assert_eq!((sorted.strays, sorted.unreadable.len(), sorted.waiting.len()), (0, 1, 1), "{sorted:?}");
    }
    let acme = fleet.find("acme").unwrap().status();
    assert_eq!(acme.clients.iter().filter(|view| view.standing.word() == "confirmed").count(), 2);
    writes(&scene, "acme", 2, None, "confirmed", 4);
    wiring.post().unwrap().sort(&fleet).await.unwrap();
    assert!(fleet.find("acme").unwrap().status().clients.iter().all(|view| view.standing.word() == "confirmed"));
    damage(&scene, &format!("{other}{of}")).await;
    let sorted = wiring.post().unwrap().sort(&fleet).await.unwrap();
    assert!(sorted.waiting.is_empty() && sorted.unreadable.is_empty(), "{sorted:?}");
    assert!(sorted.taken.contains_key("globex"), "{sorted:?}");
    scene.fleet.find("globex").unwrap().reload().await.unwrap();
    assert_eq!(rotation(&scene, "globex").mails.len(), 1);
}

#[tokio::test]
async fn answers_to_tenants_that_this_process_does_not_list_are_taken_in() {
    let scene = told().await;
    writes(&scene, "globex", 0, None, "no", 1);
    writes(&scene, "acme", 0, None, "confirmed", 2);
    let listed = vec![scene.acme().tenant().clone()];
    let wiring = Wiring::open(scene.wiring.config().clone()).await.unwrap();
    let fleet = wiring.fleet(listed, Arc::new(Silent)).unwrap();
    let sorted = wiring.post().unwrap().sort(&fleet).await.unwrap();
    assert_eq!((sorted.strays, sorted.taken.len()), (0, 2), "{sorted:?}");
    scene.fleet.find("globex").unwrap().reload().await.unwrap();
    assert_eq!(answers(&scene, "globex")[0], "declined");
    assert!(wiring.store().holders().await.unwrap().is_empty(), "given back");
}

#[tokio::test]
async fn a_command_that_is_under_way_holds_up_only_its_own_tenants_mails() {
    let scene = told_with(|config| config.cloud.read_timeout = Duration::from_secs(300)).await;
    let post = scene.wiring.post().unwrap();
    // The check waits for what it asks first until the test lets go.
    scene.lab.faults().trip(1, Moment::Before);
    let globex = scene.fleet.find("globex").unwrap().clone();
    let check = tokio::spawn(async move { globex.run(Command::Check).await });
    scene.lab.faults().tripped().await;
    writes(&scene, "globex", 0, None, "no", 1);
    for number in 2..150 {
        writes(&scene, "acme", 0, None, "why?", number);
    }
    writes(&scene, "acme", 1, None, "confirmed", 150);
    let sorted = post.sort(&scene.fleet).await.unwrap();
    assert!(sorted.waiting.contains_key("globex") && sorted.taken.contains_key("acme"), "{sorted:?}");
    assert_eq!(answers(&scene, "acme")[1], "confirmed", "also behind the first hundred");
    scene.lab.faults().release();
    let _ = check.await.unwrap();
    let sorted = post.sort(&scene.fleet).await.unwrap();
    assert!(sorted.taken.contains_key("globex") && sorted.waiting.is_empty(), "{sorted:?}");
}

#[tokio::test]
async fn very_many_mails_of_one_person_are_bounded_and_counted_over_all_batches() {
    let scene = told().await;
    for number in 0..260 {
        writes(&scene, "acme", 0, Some("loop@elsewhere.example"), "confirmed", number);
    }
    writes(&scene, "acme", 1, None, "confirmed", 260);
    let sorted = scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
    assert_eq!(sorted.fetched, 261);
    assert_eq!(
        sorted.taken["acme"],
        "1 answers or bounces, 51 to be read by a person, 0 without an answer, 209 not journaled, since their senders have \
         sent too many"
    );
    assert_eq!(answers(&scene, "acme")[..2], ["to read", "confirmed"]);
}

/// A measurement, no test: `cargo test --test it -- --ignored --nocapture what_a_mail_costs`.
#[tokio::test]
#[ignore = "a measurement"]
async fn what_a_mail_costs() {
    for count in [50, 200, 1_600, 6_400] {
        let scene = told().await;
        for number in 0..count {
            writes(&scene, "acme", 0, None, "confirmed", number);
        }
        let begun = Instant::now();
        let sorted = scene.wiring.post().unwrap().sort(&scene.fleet).await.unwrap();
        assert_eq!(sorted.fetched, count);
        println!("{count} mails of one client: {:.2} ms each", begun.elapsed().as_secs_f64() * 1000.0 / count as f64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_words_of_the_command_line_accept_list_revoke_and_take_back() {
    let bastion = Bastion::start(1, 3, CYCLE).await;
    let world = bastion.lab.world();
    let start = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 6 * 3600).unwrap();
    let start = start.strftime("%Y-%m-%d %H:%M").to_string();
    bastion.run("plan acme --start", &[&start]).await.ends(0);
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    let people = world.tenant("acme").unwrap().people;
    let told = world.mails_to(&people[0].email).remove(0);
    let (reply_to, subject) = (told.header("Reply-To").unwrap(), told.header("Subject").unwrap());
    let mail = format!(
        "From: me@home.example\r\nTo: {reply_to}\r\nSubject: Re: {subject}\r\nMessage-ID: <1@home.example>\r\n\r\nconfirmed\r\n"
    );
    world.deliver_to_operator(mail.as_bytes());
    bastion.run("mail sync", &[]).await.ends(0);
    let ada = people[0].id.as_str();
    let standing = async |expected: &str| {
        let status = bastion.status("acme").await;
        let clients = status["clients"].as_array().unwrap();
        let view = clients.iter().find(|view| view["id"] == *ada).unwrap();
        assert_eq!(view["standing"], expected, "{view}");
        status
    };
    let status = standing("to-read").await;
    assert_eq!(status["mails"][0]["doubt"]["foreign"], "me@home.example", "{status}");
    assert_eq!(status["senders_verified"], false);
    let id = &status["mails"][0]["mail"].as_str().unwrap()[..12];
    bastion.run("mail accept acme", &["ffffffff"]).await.ends(2);
    bastion.run("mail accept acme --alias", &[id]).await.ends(0);
    let status = standing("confirmed").await;
    assert_eq!(status["aliases"][0]["address"], "me@home.example");
    let aliases = bastion.run("mail alias acme --json", &[]).await.ends(0).json();
    assert_eq!(aliases["aliases"][0]["client"], *ada, "{aliases}");
    bastion.run("mail alias acme --revoke", &[ada, "me@home.example"]).await.ends(2);
    bastion.run("mail alias acme --reason slip --revoke", &[ada, "me@home.example"]).await.ends(0);
    standing("to-read").await;
    bastion.run("mail accept acme", &[id]).await.ends(0);
    standing("confirmed").await;
    bastion.run("mail decide acme --take-back --reason slip", &[id]).await.ends(0);
    standing("to-read").await;
    bastion.run("mail alias acme --domain", &["nobody.example", "home.example"]).await.ends(2);

    bastion.run("ack acme --by phone --answer declined", &[ada]).await.ends(0);
    standing("declined").await;
    bastion.run("ack acme --take-back", &[ada]).await.ends(2);
    bastion.run("ack acme --take-back --reason slip", &[ada]).await.ends(0);
    standing("to-read").await;
    bastion.run("ack acme --take-back --reason slip", &[ada]).await.ends(1);
    bastion.run("waive acme --reason left", &[ada]).await.ends(0);
    bastion.run("waive acme --take-back --reason slip", &[ada]).await.ends(0);
    standing("to-read").await;
    bastion.run("waive acme --reason left", &[ada]).await.ends(0);
    bastion.run("plan acme --change --start", &["2030-01-01 10:00"]).await.ends(0);
    let status = standing("to-tell").await;
    assert_eq!(
        (&status["lapsed_waivers"][0]["client"], &status["lapsed_waivers"][0]["revision"]),
        (&ada.into(), &1.into())
    );
    bastion.run("waive acme --keep", &[]).await.ends(0);
    standing("waived").await;
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    assert!(report.contains("senders are NOT verified") && report.contains("taken back"), "{report}");
}
