//! The gate is in force until the first request that changes the live secret, and whoever could not be asked for people is
//! never taken for nobody.

use crate::sample;
use crate::scene::Scene;
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::client::ClientId;
use changeguard::domain::gate::{Reason, Verdict};
use changeguard::engine::command::{Command, NOBODY, Refusal};
use changeguard::engine::next::Act;
use changeguard::engine::record::{Cause, Outcome, Record};
use changeguard::runtime::run::RunError;

fn reasons(ended: Result<String, RunError>) -> Vec<Reason> {
    match ended {
        Err(RunError::Refused(Refusal::GateShut(reasons))) => reasons,
        other => panic!("the gate did not refuse: {other:?}"),
    }
}

fn decline(scene: &Scene) -> Command {
    let client = scene.status().clients[0].client.id.clone();
    Command::Answer { client, answer: Answer::Declined, channel: Channel::Phone, note: String::new() }
}

/// Each request to Barbican in turn is the first that fails, and everything after it too; then somebody declines.
#[tokio::test]
async fn whatever_fails_before_the_first_change_a_decline_still_counts_and_it_can_be_cancelled() {
    let (mut failed, mut touched) = (0, 0);
    // Each third: a failing service is waited for in real time.
    for nth in (1..).step_by(3) {
        let scene = Scene::start().await;
        scene.confirmed().await;
        let before = scene.lab.world().secrets(&scene.secret_name());
        let rule = Rule::new(Service::Barbican, Fault::Status(503)).which(Which::From(nth));
        let id = scene.lab.faults().add(rule);
        if scene.rotate().await.is_ok() {
            break;
        }
        scene.lab.faults().remove(id);
        failed += 1;
        let rotation = scene.acme().rotation().unwrap();
        let changes = ["DELETE", "POST"].map(|method| scene.lab.world().count(Service::Barbican, method));
        if rotation.touched {
            // Then a request that changes it was sent: it stands in the journal before.
            touched += 1;
            assert!(scene.acme().entries().iter().any(|entry| matches!(entry.record, Record::Touching { .. })));
            continue;
        }
        let live = scene.lab.world().secrets(&scene.secret_name());
        assert_eq!(live[0].id, before[0].id, "request {nth}, {changes:?}");
        scene.run(decline(&scene)).await.unwrap();
        let asked =
            if rotation.confirmed_at.is_some() { scene.run(Command::Resume).await } else { scene.rotate().await };
        assert!(matches!(reasons(asked)[..], [Reason::NotConfirmed { .. }]), "request {nth}");
        assert_eq!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id, "request {nth}");
        let cancel = Command::Cancel { confirm: "acme".into(), reason: "somebody declined".into() };
        scene.run(cancel).await.unwrap();
        assert_eq!(scene.status().outcome, Some(Outcome::Cancelled));
    }
    println!("{failed} requests failed first, {touched} of them at or behind the first change");
    assert!(failed > 5 && touched < failed);
}

#[tokio::test]
async fn another_window_after_a_failed_step_4_asks_everybody_and_begins_nothing_by_itself() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let rule = Rule::new(Service::Barbican, Fault::Status(503)).path("/payload").which(Which::From(6));
    let id = scene.lab.faults().add(rule.method("GET"));
    assert!(scene.rotate().await.is_err());
    scene.lab.faults().remove(id);
    assert!(!scene.acme().rotation().unwrap().touched);
    scene.run(Command::Reschedule { window: Scene::another_window() }).await.unwrap();
    assert_eq!(scene.status().next.action, Act::Announce, "{:?}", scene.status().next);
    assert!(scene.run(Command::Resume).await.is_err());
    assert!(matches!(reasons(scene.rotate().await)[0], Reason::OldAnswer { .. }));
}

/// Every way in which a place that knows people can fail to say who they are.
#[tokio::test]
async fn a_place_that_can_not_be_asked_shuts_the_gate_and_loses_nobody() {
    let faults =
        [Fault::Status(500), Fault::Status(404), Fault::Status(403), Fault::Close, Fault::ResetMidBody, Fault::Hang];
    let places = [(Service::Console, "tenants"), (Service::Swift, "vpn-users.json"), (Service::Shell, "")];
    let all: Vec<_> = places.into_iter().flat_map(|place| faults.map(|fault| (place, fault))).collect();
    for ((service, path), fault) in sample::chosen("places that can not be asked", all, 6) {
        let scene = Scene::with_console().await;
        scene.confirmed().await;
        let everybody = scene.acme().rotation().unwrap().clients.clone();
        scene.lab.faults().add(Rule::new(service, fault).path(path).always());
        let ended = scene.rotate().await;
        let Err(RunError::Refused(Refusal::GateShut(shut))) = &ended else {
            panic!("{service:?} {fault:?}: {ended:?}")
        };
        let told = |reason: &Reason| matches!(reason, Reason::PeopleUnknown { .. });
        assert!(shut.iter().any(told), "{service:?} {fault:?}: {shut:?}");
        let rotation = scene.acme().rotation().unwrap();
        assert!(everybody.iter().all(|client| rotation.client(&client.id).is_some()), "{service:?} {fault:?}");
        scene.acme().look().await;
        assert!(matches!(scene.status().gate, Verdict::Unknown(_)), "{service:?} {fault:?}");
        assert_eq!(scene.status().clients.len(), everybody.len(), "{service:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_served_key_that_can_not_be_read_is_no_agreement() {
    for fault in [Fault::Status(500), Fault::Status(404), Fault::ResetMidBody] {
        let scene = Scene::with_console().await;
        scene.confirmed().await;
        scene.lab.faults().add(Rule::new(Service::Console, fault).path("/vpn").always());
        assert!(
            matches!(&reasons(scene.rotate().await)[..], [Reason::CheckFailed { checks, .. }] if checks == &["console"])
        );
    }
}

#[tokio::test]
async fn whoever_was_told_stays_until_waived_when_every_place_has_forgotten_them() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let told = scene.acme().rotation().unwrap().clients.clone();
    let object = String::from_utf8(scene.object()).unwrap();
    let mut emptied: serde_json::Value = serde_json::from_str(&object).unwrap();
    emptied["users"] = serde_json::json!([]);
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, "config/vpn-users.json", emptied.to_string().as_bytes());
    scene.run(decline(&scene)).await.unwrap();
    scene.acme().look().await;
    assert_eq!(scene.status().clients.len(), told.len(), "on the screen");
    assert!(
        scene.status().differences.iter().any(|line| line.contains("no place")),
        "{:?}",
        scene.status().differences
    );
    let shut = reasons(scene.rotate().await);
    assert!(matches!(&shut[..], [Reason::NotConfirmed { client, .. }] if *client == told[0].id), "{shut:?}");
    scene.run(Command::Waive { client: told[0].id.clone(), reason: "has left the company".into() }).await.unwrap();
    scene.rotate().await.unwrap();
    let missing: Vec<ClientId> = scene.acme().rotation().unwrap().not_back().iter().map(|c| c.id.clone()).collect();
    assert_eq!(missing, [told[1].id.clone(), told[2].id.clone()], "who is back is asked of them too");
}

#[tokio::test]
async fn nobody_to_ask_is_no_agreement_of_everybody() {
    let scene = Scene::start().await;
    let mut emptied: serde_json::Value = serde_json::from_slice(&scene.object()).unwrap();
    emptied["users"] = serde_json::json!([]);
    let container = scene.acme().tenant().id.to_string();
    scene.lab.world().put_object(&container, "config/vpn-users.json", emptied.to_string().as_bytes());
    scene.lab.world().remove_peers("acme");
    let window = Scene::open_window();
    scene.run(Command::Plan { window, cause: Cause::Scheduled, reference: String::new() }).await.unwrap();
    assert_eq!(reasons(scene.rotate().await), [Reason::NobodyToAsk]);
    let aside = |reason: &str| Command::SetAside { what: NOBODY.into(), reason: reason.into() };
    assert!(scene.run(aside("  ")).await.is_err(), "a reason is asked for");
    scene.run(aside("the tenant is being built")).await.unwrap();
    scene.rotate().await.unwrap();
}

/// A client's answer in their own words to the announcement, as a mail program sends it.
fn answer_by_mail(scene: &Scene, words: &str) {
    let client = scene.acme().rotation().unwrap().clients[0].clone();
    let address = client.email.unwrap();
    let asked = scene.lab.world().mails_to(&address).remove(0);
    let header = |name: &str| asked.header(name).unwrap();
    let raw = format!(
        "From: {} <{address}>\r\nTo: {}\r\nIn-Reply-To: {}\r\nMessage-ID: <{}@acme.example>\r\nSubject: Re: {}\r\n\r\n{words}\r\n",
        client.name,
        header("Reply-To"),
        header("Message-ID"),
        words.len(),
        header("Subject"),
    );
    scene.lab.world().deliver_to_operator(raw.as_bytes());
}

#[tokio::test]
async fn a_decline_that_lies_unread_is_heard_before_the_gate_is_judged() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let before = scene.lab.world().secrets(&scene.secret_name());
    answer_by_mail(&scene, "No, that does not suit me.");
    assert!(matches!(reasons(scene.rotate().await)[..], [Reason::NotConfirmed { .. }]));
    assert_eq!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
}

#[tokio::test]
async fn a_mailbox_that_can_not_be_read_shuts_the_gate_until_it_is_set_aside_with_a_reason() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.world().set_down(Service::Imap, true);
    let refused = reasons(scene.rotate().await);
    assert!(matches!(&refused[..], [Reason::CheckFailed { checks, .. }] if checks == &["mailbox"]), "{refused:?}");
    let aside = |what: &str, reason: &str| Command::SetAside { what: what.into(), reason: reason.into() };
    assert!(scene.run(aside("mailbox", "")).await.is_err(), "a reason is asked for");
    assert!(scene.run(aside("barbican", "I know better")).await.is_err(), "no other check");
    scene.run(aside("mailbox", "called all three")).await.unwrap();
    assert!(scene.status().attention.iter().any(|item| item.contains("called all three")));
    scene.rotate().await.unwrap();
}

/// What happens between the check and the first change: step 3 takes long.
async fn meanwhile(scene: &Scene, happens: impl FnOnce(&Scene)) -> Result<String, RunError> {
    let slow = Fault::Delay(std::time::Duration::from_millis(400));
    let id = scene.lab.faults().add(Rule::new(Service::Barbican, slow).method("POST"));
    let fired = async {
        let patience = std::time::Duration::from_secs(30);
        assert!(scene.lab.world().until(patience, |_| scene.lab.faults().fired(id) > 0).await);
        happens(scene);
    };
    futures_util::join!(scene.rotate(), fired).0
}

#[tokio::test]
async fn what_happens_between_the_check_and_the_first_change_still_counts() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let before = scene.lab.world().secrets(&scene.secret_name());
    let ended = meanwhile(&scene, |scene| answer_by_mail(scene, "No, that does not suit me.")).await;
    assert!(matches!(reasons(ended)[..], [Reason::NotConfirmed { .. }]));
    assert_eq!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
    scene.run(Command::Cancel { confirm: "acme".into(), reason: "declined".into() }).await.unwrap();

    let scene = Scene::start().await;
    scene.confirmed().await;
    let before = scene.lab.world().secrets(&scene.secret_name());
    let ended = meanwhile(&scene, |scene| scene.lab.world().set_down(Service::Imap, true)).await;
    assert!(ended.unwrap_err().to_string().contains("mailbox"));
    assert!(!scene.acme().rotation().unwrap().touched);
    assert_eq!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
    scene.lab.world().set_down(Service::Imap, false);
    scene.run(Command::Resume).await.unwrap();
    assert_ne!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
}

#[tokio::test]
async fn an_intruder_who_breaks_the_server_does_not_keep_an_emergency_shut() {
    let scene = Scene::start().await;
    let before = scene.lab.world().secrets(&scene.secret_name());
    scene.lab.faults().add(Rule::new(Service::Shell, Fault::Status(255)).always());
    let (confirm, reason) = (String::from("acme"), String::from("the server is not ours any more"));
    let emergency = Command::Emergency { confirm: confirm.clone(), reason, through_tunnel: String::new() };
    let ended = scene.run(emergency).await;
    let [Reason::CheckFailed { checks, .. }] = &reasons(ended)[..] else { panic!("{:?}", scene.status().gate) };
    assert_eq!(checks, &["server", "keys"]);
    for check in checks {
        assert_eq!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
        let reason = format!("{check} can't be had: ssh is broken on purpose");
        scene.run(Command::SetAside { what: check.clone(), reason }).await.unwrap();
    }
    // Step 6 can't see the server; the key is changed all the same.
    scene.run(Command::Rotate { confirm, through_tunnel: String::new() }).await.unwrap_err();
    assert_ne!(scene.lab.world().secrets(&scene.secret_name())[0].id, before[0].id);
    let shown: Vec<String> = scene.status().set_aside.into_keys().collect();
    assert_eq!(shown, ["keys", "server"], "whoever reviews it reads them");
}
