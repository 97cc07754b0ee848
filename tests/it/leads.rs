//! What leads on: whom it names, how long it is, and that its commands can be pasted, but for a word that only a person can say.

use crate::scene::Scene;
use crate::tells::{announced, bounced, comes, delivery, told, until};
use changeguard::cli::Cli;
use changeguard::cli::report::Report;
use changeguard::domain::client::ClientId;
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::gate::Reason;
use changeguard::domain::key::PublicKey;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::preflight::{Check, CheckState, KeyAgreement, Preflight};
use changeguard::domain::step::StepNumber;
use changeguard::engine::alerts::{AlertSight, Firing, Quiet};
use changeguard::engine::audit::Tables;
use changeguard::engine::command::Command;
use changeguard::engine::machine::SendOrder;
use changeguard::engine::mailing::recipients;
use changeguard::engine::next::Act;
use changeguard::engine::observe::{self, Sights};
use changeguard::engine::record::{Entry, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::runtime::run::RunError;
use clap::Parser;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A run of the checks in which these have failed, each with much to say.
fn run(failed: &[&str]) -> Preflight {
    let long = "a service said much of what it met, and of what may come of that, in the words that it has for it; ";
    let check = |name: &&str| Check {
        name: (*name).to_owned(),
        state: CheckState::Fail,
        finding: long.repeat(3),
        advice: format!("have the service put right; {}", long.repeat(2)),
        until: None,
        is_proved: false,
    };
    let keys = KeyAgreement::default();
    Preflight { at: Timestamp::now(), checks: failed.iter().map(check).collect(), keys }
}

#[tokio::test]
async fn a_failed_check_is_led_on_in_one_line_and_its_words_wait_for_a_reason() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.run(Command::Check).await.unwrap();
    let entries = scene.acme().entries();
    let (base, last) = (Rotation::fold(&entries).unwrap(), entries.last().unwrap());
    for failed in [&["mailbox"][..], &["object", "mail"], &["keystone", "barbican", "object", "mail", "texts", "keys"]]
    {
        let mut rotation = base.clone();
        comes(&mut rotation, last, Record::Checked { preflight: run(failed) });
        let status = told(&scene, &rotation, &Sights::default());
        let next = &status.next;
        assert_eq!(next.action, Act::Check, "{}", next.text);
        assert!(next.text.chars().count() <= 280, "{}: {}", next.text.chars().count(), next.text);
        assert!(next.text.contains(failed[0]) && next.text.contains("have the service put right"), "{}", next.text);
        // What each has found is where the reasons are.
        let whole =
            |reason: &Reason| matches!(reason, Reason::CheckFailed { found, .. } if found.len() == failed.len());
        assert!(status.gate.reasons().iter().any(whole), "{:?}", status.gate);
    }
    let mut rotation = base.clone();
    comes(&mut rotation, last, Record::Checked { preflight: run(&["mailbox"]) });
    let mut sights = Sights::default();
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let line = told(&scene, &rotation, &sights).next.commands.remove(0);
    assert_eq!(line, r#"changeguard set-aside acme mailbox --reason "WHY""#);
    Cli::try_parse_from(line.replace('"', "").split(' ')).unwrap();
    let pasted = Command::SetAside { what: "mailbox".into(), reason: "WHY".into() };
    let refused = scene.run(pasted).await.unwrap_err();
    assert!(matches!(&refused, RunError::Refused(refusal) if refusal.to_string().contains("say why")), "{refused}");
}

#[tokio::test]
async fn an_address_that_gives_mails_back_is_corrected_before_the_same_goes_there_again() {
    let (scene, entries, mut rotation) = announced().await;
    let last = entries.last().unwrap();
    for client in [0, 1] {
        let bounces = delivery(&rotation, client, bounced());
        comes(&mut rotation, last, bounces);
    }
    let to = |rotation: &Rotation, only: Option<Vec<ClientId>>, kind| -> Vec<ClientId> {
        let order = SendOrder { kind, only, again: false };
        recipients(rotation, &order).into_iter().map(|(client, _)| client.id).collect()
    };
    let next = told(&scene, &rotation, &Sights::default()).next;
    let names = format!("{}, {}", rotation.clients[0].name, rotation.clients[1].name);
    assert_eq!(next.action, Act::Answers, "{}", next.text);
    assert!(next.text.starts_with(&format!("the mails to {names} came back: correct the address")), "{}", next.text);
    for kind in [NoticeKind::Announcement, NoticeKind::Reminder] {
        let ids = to(&rotation, None, kind);
        assert!(rotation.clients[..2].iter().all(|client| !ids.contains(&client.id)), "{kind:?}: {ids:?}");
    }
    let named = rotation.clients[0].id.clone();
    assert_eq!(to(&rotation, Some(vec![named.clone()]), NoticeKind::Announcement), std::slice::from_ref(&named));
    rotation.clients[0].email = Some("ada.new@acme.example".into());
    assert_eq!(to(&rotation, None, NoticeKind::Announcement), [named]);
    let next = told(&scene, &rotation, &Sights::default()).next;
    assert_eq!(next.action, Act::Announce, "{}", next.text);
    assert!(next.text.starts_with("tell 1 client of the window; 1 bounced: "), "{}", next.text);
}

#[tokio::test]
async fn who_can_not_connect_any_more_leads_at_step_8() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.run(Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false }).await.unwrap();
    let rotation = Rotation::clone(&scene.acme().rotation().unwrap());
    let mut sights = Sights::default();
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let mut reading = sights.server.value().unwrap().clone();
    let gone: PublicKey = rotation.clients[1].public_key.unwrap();
    reading.peers.retain(|peer| peer.public_key != gone);
    sights.server.seen = Some((Timestamp::now(), reading));
    let status = told(&scene, &rotation, &sights);
    let name = &rotation.clients[1].name;
    assert_eq!(status.next.action, Act::Verify, "{}", status.next.text);
    assert!(status.next.text.starts_with(&format!("{name} can't connect: ")), "{}", status.next.text);
    assert!(status.attention[0].starts_with("ONLY 2 of 3 clients' peers"), "{:?}", status.attention);
}

#[tokio::test]
async fn a_resume_that_a_red_check_refuses_says_what_is_red() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let mut rotation = until(&entries, |record| matches!(record, Record::Touching { .. }));
    rotation.interrupt();
    let last = entries.last().unwrap();
    comes(&mut rotation, last, Record::StepResolved { step: StepNumber::SECRET, done: false, evidence: String::new() });
    comes(&mut rotation, last, Record::StepStarted { step: StepNumber::CHECK });
    comes(&mut rotation, last, Record::Checked { preflight: run(&["object"]) });
    let fault = Fault::new(Service::Swift, FaultKind::Refused, "the check failed");
    comes(&mut rotation, last, Record::StepFailed { step: StepNumber::CHECK, fault });
    let next = told(&scene, &rotation, &Sights::default()).next;
    assert_eq!(next.action, Act::Resume, "{}", next.text);
    assert!(next.text.starts_with("the check of ") && next.text.contains(" UTC failed: object; "), "{}", next.text);
    assert!(next.text.ends_with("; then resume, or cancel"), "{}", next.text);
}

#[tokio::test]
async fn whose_key_the_staged_one_is_comes_behind_that_it_is_theirs() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let mut rotation = until(&entries, |record| matches!(record, Record::Touching { .. }));
    let mut clients = rotation.clients.clone();
    clients[0].public_key = rotation.target();
    clients[0].email = None;
    rotation.notices = Default::default();
    rotation.acknowledgements = BTreeMap::new();
    let last = entries.last().unwrap();
    comes(&mut rotation, last, Record::PeopleSeen { clients, unseen: Vec::new() });
    comes(&mut rotation, last, Record::Checked { preflight: run(&["keys"]) });
    let reasons = told(&scene, &rotation, &Sights::default()).gate;
    let place = |is_it: fn(&Reason) -> bool| reasons.reasons().iter().position(is_it).unwrap();
    let cause = place(|reason| matches!(reason, Reason::CheckFailed { .. }));
    assert!(cause < place(|reason| matches!(reason, Reason::NoAddress { .. })), "{reasons:?}");
}

#[tokio::test]
async fn a_silence_of_others_is_told_with_who_until_when_and_what_follows() {
    let (scene, _, rotation) = announced().await;
    let until: Timestamp = "2026-11-24T23:30:00Z".parse().unwrap();
    let by = |by: Option<Quiet>| {
        let mut sights = Sights::default();
        let firing = vec![Firing { since: until, is_silenced: true, by }];
        sights.alert.seen = Some((Timestamp::now(), AlertSight { name: "Fetch".into(), firing }));
        told(&scene, &rotation, &sights).attention.into_iter().find(|item| item.contains("Fetch")).unwrap()
    };
    let quiet = Quiet { id: "s9".into(), by: "jo".into(), comment: "disk change".into(), until };
    let said = by(Some(quiet));
    let wanted = "silenced by jo until 2026-11-24 23:30 UTC (\"disk change\"), not by this rotation: it tells nobody";
    assert!(said.contains(wanted), "{said}");
    assert!(by(None).contains("could not be looked at"), "{}", by(None));
}

#[tokio::test]
async fn a_report_says_of_what_was_lost_that_it_is_unknown() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let report = |entries: Vec<Entry>, rotation: &Rotation| {
        let (tables, audit) = (Tables::default(), None);
        Report::new(rotation, entries, Vec::new(), &tables, audit, None, None).markdown()
    };
    let rotation = Rotation::fold(&entries).unwrap();
    let whole = report(entries.clone(), &rotation);
    assert!(whole.contains("- rotate confirmed: 20") && !whole.contains("unknown ("), "{whole}");
    // Gone on with behind a lost end: what is known of the confirmation is only that it must have been.
    let left: Vec<Entry> =
        entries.iter().take_while(|entry| !matches!(entry.record, Record::RotateConfirmed { .. })).cloned().collect();
    let mut lost = Rotation::fold(&left).unwrap();
    let now = Timestamp::now();
    (lost.recovered, lost.confirmed_at, lost.touched) = (Some(now), Some(now), true);
    let told = report(left, &lost);
    assert!(told.contains("- rotate confirmed: unknown (that part of the journal was lost)"), "{told}");
    assert!(told.contains("- secret replaced: unknown"), "{told}");
}
