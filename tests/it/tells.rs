//! What is offered next, and what is told of a case: that it is so, that it can be done, and that it can be typed as it stands.

use crate::scene::Scene;
use changeguard::app::dialog::rotate;
use changeguard::cli::Cli;
use changeguard::domain::client::{Entry as Listed, Source};
use changeguard::domain::fault::{self, FaultKind};
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::reply::{Heard, Means, Verdict};
use changeguard::domain::step::{StepNumber, StepState};
use changeguard::domain::tenant::Tenant;
use changeguard::domain::token::Topic;
use changeguard::engine::command::Command;
use changeguard::engine::next::Act;
use changeguard::engine::observe::Sights;
use changeguard::engine::record::{Cause, Entry, Outcome, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::status::{self, TenantStatus, Viewer};
use clap::Parser;
use jiff::Timestamp;

/// What is told of a journal, where nothing of it runs.
pub fn told(scene: &Scene, rotation: &Rotation, sights: &Sights) -> TenantStatus {
    let (settings, viewer) = (scene.world().settings, Viewer { person: "ops", now: Timestamp::now() });
    status::derive(&rotation.tenant, Some(rotation), &[], sights, &settings, &[""; 8], viewer)
}

/// The same of a tenant that bears another name now.
fn told_as(scene: &Scene, tenant: &Tenant, rotation: &Rotation) -> TenantStatus {
    let (settings, viewer) = (scene.world().settings, Viewer { person: "ops", now: Timestamp::now() });
    status::derive(tenant, Some(rotation), &[], &Sights::default(), &settings, &[""; 8], viewer)
}

/// One more record.
pub fn comes(rotation: &mut Rotation, last: &Entry, record: Record) {
    rotation.apply(&Entry { seq: rotation.seq + 1, at: Timestamp::now(), record, ..last.clone() });
}

/// Folded up to the first record that is such a one, which is left out.
pub fn until(entries: &[Entry], is_it: impl Fn(&Record) -> bool) -> Rotation {
    let end = entries.iter().position(|entry| is_it(&entry.record)).unwrap();
    Rotation::fold(&entries[..end]).unwrap()
}

pub async fn announced() -> (Scene, Vec<Entry>, Rotation) {
    let scene = Scene::start().await;
    let (window, cause) = (Scene::open_window(), Cause::Scheduled);
    scene.run(Command::Plan { window, cause, reference: String::new() }).await.unwrap();
    let kind = NoticeKind::Announcement;
    scene.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
    let entries = scene.acme().entries();
    let rotation = Rotation::fold(&entries).unwrap();
    (scene, entries, rotation)
}

pub fn delivery(rotation: &Rotation, client: usize, delivery: Delivery) -> Record {
    let id = &rotation.clients[client].id;
    let message_id = rotation.notices.of(id).next_back().unwrap().message_id.clone();
    Record::NoticeDelivery { message_id, delivery }
}

pub fn mail_of(rotation: &Rotation, client: usize) -> Record {
    let client = rotation.clients[client].clone();
    let heard = Heard {
        verdict: Verdict::Unclear("a question".into()),
        topic: Topic::Window,
        revision: rotation.window.revision,
        means: Means::Text,
        marks: Vec::new(),
        evidence: Vec::new(),
        said_at: None,
    };
    let (mail, from) = (client.id.0.bytes().map(|byte| format!("{byte:02x}")).collect::<String>(), String::new());
    Record::MailRead { client: client.id, mail: mail.repeat(16), from, heard, notice: None, doubt: None }
}

pub fn bounced() -> Delivery {
    Delivery::Bounced { reply: "550 no such user".into() }
}

/// The words of a line, as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let last = words.len() - 1;
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => words[last].extend(rest.next()),
            ' ' if !quoted => words.push(String::new()),
            c => words[last].push(c),
        }
    }
    words
}

#[tokio::test]
async fn mails_are_read_before_anybody_is_told_again_and_each_remedy_has_its_own_people() {
    let (scene, entries, mut rotation) = announced().await;
    let last = entries.last().unwrap();
    for client in [0, 1, 2] {
        let bounces = delivery(&rotation, client, bounced());
        comes(&mut rotation, last, bounces);
    }
    let names: Vec<String> = rotation.clients.iter().map(|client| client.name.clone()).collect();
    let next = told(&scene, &rotation, &Sights::default()).next;
    assert_eq!(next.action, Act::Answers, "{}", next.text);
    let back = format!("the mails to {} came back: correct the address", names.join(", "));
    assert!(next.text.starts_with(&back), "{}", next.text);
    for client in [0, 1] {
        let mail = mail_of(&rotation, client);
        comes(&mut rotation, last, mail);
    }
    let next = told(&scene, &rotation, &Sights::default()).next;
    assert_eq!(next.action, Act::ReadMail, "{}", next.text);
    assert!(next.text.starts_with(&format!("2 mails are to be read: {} (", names[0])), "{}", next.text);
    assert!(next.text.contains(&format!(", {} (", names[1])) && next.commands.len() == 2, "{next:?}");
    assert!(next.text.contains(&format!("; then the mail to {} came back", names[2])), "{}", next.text);
}

#[tokio::test]
async fn each_command_that_is_offered_is_read_by_the_command_line_as_it_stands() {
    let (scene, entries, rotation) = announced().await;
    let last = entries.last().unwrap();
    let mut walked = 0;
    for name in ["acme", "Müller's & Co"] {
        // It was planned under another name than the configuration has for it now.
        let named = rotation.clone();
        let tenant = Tenant { name: name.into(), ..scene.acme().tenant().clone() };
        let (mut read, mut uncertain) = (named.clone(), named);
        let mail = mail_of(&read, 0);
        comes(&mut read, last, mail);
        let lost = delivery(&uncertain, 0, Delivery::Uncertain { why: "gone".into() });
        comes(&mut uncertain, last, lost);
        for (rotation, action) in [(read, Act::ReadMail), (uncertain, Act::Resolve)] {
            let next = told_as(&scene, &tenant, &rotation).next;
            assert_eq!(next.action, action, "{}", next.text);
            assert!(next.text.contains(&next.commands[0]), "{next:?}");
            for line in &next.commands {
                let words = words(line);
                assert!(words.iter().any(|word| word == name), "{line}");
                assert_eq!(words[0], "changeguard", "{line}");
                Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
                walked += 1;
            }
        }
    }
    assert_eq!(walked, 6);
}

#[tokio::test]
async fn a_mail_is_shown_where_nobody_says_what_it_means() {
    let bastion = crate::bastion::Bastion::start(1, 1, crate::bastion::CYCLE).await;
    let none = bastion.run("mail decide acme 1234", &[]).await.ends(2);
    assert!(none.err.contains("no mail of acme begins with 1234"), "{}", none.err);
}

#[tokio::test]
async fn what_was_interrupted_in_a_case_that_is_over_is_not_interrupted_any_more() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let mut rotation = until(&entries, |record| matches!(record, Record::Swapped(_)));
    rotation.interrupt();
    let state = |rotation: &Rotation| told(&scene, rotation, &Sights::default()).steps[3].clone();
    assert!(matches!(state(&rotation).state, StepState::Interrupted { .. }));
    for outcome in [Outcome::Lost, Outcome::Cancelled] {
        let mut ended = rotation.clone();
        let over = Record::Finished { outcome, note: String::new(), despite: None };
        comes(&mut ended, entries.last().unwrap(), over);
        let step = state(&ended);
        assert!(matches!(step.state, StepState::Waiting) && step.detail.contains("is over"), "{step:?}");
    }
}

#[tokio::test]
async fn a_staged_key_that_is_a_clients_too_is_led_to_a_cancellation_as_the_check_does() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let mut rotation = until(&entries, |record| matches!(record, Record::Touching { .. }));
    rotation.interrupt();
    assert_eq!(told(&scene, &rotation, &Sights::default()).next.action, Act::Resume);
    let mut clients = rotation.clients.clone();
    clients[0].public_key = rotation.target();
    comes(&mut rotation, entries.last().unwrap(), Record::PeopleSeen { clients, unseen: Vec::new() });
    let next = told(&scene, &rotation, &Sights::default()).next;
    assert_eq!(next.action, Act::Cancel, "{}", next.text);
    assert!(next.text.contains(&rotation.clients[0].name) && next.text.contains("cancel, and plan again"), "{next:?}");
}

#[tokio::test]
async fn where_the_second_mail_does_not_wait_for_the_interface_it_is_offered_and_no_resume_of_step_6() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let mut rotation = until(&entries, |record| matches!(record, Record::Applied(_)));
    let fault = fault::Fault::new(fault::Service::Server, FaultKind::TimedOut, "no answer");
    comes(&mut rotation, entries.last().unwrap(), Record::StepFailed { step: StepNumber::RECONCILE, fault });
    let next = |interface, rotation: &Rotation| {
        let (mut settings, viewer) = (scene.world().settings, Viewer { person: "ops", now: Timestamp::now() });
        settings.second_mail.interface = interface;
        let (tenant, sights) = (&rotation.tenant, Sights::default());
        status::derive(tenant, Some(rotation), &[], &sights, &settings, &[""; 8], viewer).next
    };
    assert_eq!(next(true, &rotation).action, Act::Resume);
    assert_eq!(next(false, &rotation).action, Act::Reconfigure, "{}", next(false, &rotation).text);
    // Once they are told, the server is what is left.
    let (step, evidence) = (StepNumber::RECONFIGURE, String::new());
    comes(&mut rotation, entries.last().unwrap(), Record::StepStarted { step });
    comes(&mut rotation, entries.last().unwrap(), Record::StepSucceeded { step, evidence });
    assert_eq!(next(false, &rotation).action, Act::Resume);
}

#[tokio::test]
async fn whom_the_console_names_is_told_before_an_emergency_although_the_object_can_not_be_read() {
    let scene = Scene::start().await;
    let (tenant, settings) = (scene.acme().tenant().clone(), scene.world().settings);
    let now = Timestamp::now();
    let mut sights = Sights::default();
    let fault = fault::Fault::new(fault::Service::Swift, FaultKind::Forbidden, "403");
    sights.object.take(now, Err(fault));
    let listed = |id: &str| Listed { id: id.into(), name: Some(id.into()), email: None, public_key: None };
    sights.console.take(now, Ok(vec![listed("Ada"), listed("Bob")]));
    let status = status::derive(&tenant, None, &[], &sights, &settings, &[""; 8], Viewer { person: "ops", now });
    assert!(
        status.clients.iter().all(|view| view.client.sources.contains(&Source::Console))
            && status.people_seen.is_none()
    );
    let said = rotate::stakes(&status).into_iter().chain(rotate::consequences(&status));
    let said = said.map(|row| row.text).collect::<Vec<_>>().join("\n");
    assert!(
        said.contains("Ada, Bob") && said.contains("2 clients who are named (whether that is all is not known"),
        "{said}"
    );
    assert!(!said.contains("how many there are is not known"), "{said}");
}
