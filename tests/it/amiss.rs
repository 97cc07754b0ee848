//! Services that answer something else than what is true: accepted and not carried out, listed and not there, a page in place of
//! an answer, another's work that looks like none. What is told of it is so, and the first cause is in it.

use crate::cli::Stage;
use crate::scene::Scene;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};
use changeguard::domain::fault::FaultKind;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::preflight::CheckState;
use changeguard::engine::command::Command;
use changeguard::engine::converge_object;
use changeguard::engine::next::Act;
use changeguard::engine::record::Cause;
use changeguard::engine::secret::PrivateKey;
use changeguard::runtime::run::RunError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const OBJECT: &str = "config/vpn-users.json";

/// All that an operator reads of it: the command's own words, `next`, and what wants attention.
async fn told(scene: &Scene, ended: &Result<String, RunError>) -> String {
    scene.acme().look().await;
    let (status, ended) = (scene.status(), ended.as_ref());
    let own = match ended {
        Ok(text) => text.clone(),
        Err(error) => format!("{error}: {}", error.advice()),
    };
    format!("{own}\n{}\n{}", status.next.text, status.attention.join("\n"))
}

/// What is offered leads to one secret with the staged key and an object that names it.
async fn ends_well(scene: &Scene) {
    scene.lab.faults().clear();
    assert_eq!(scene.status().next.action, Act::Resume, "{}", scene.status().next.text);
    scene.run(Command::Resume).await.unwrap();
    scene.acme().look().await;
    let (status, target) = (scene.status(), scene.acme().rotation().unwrap().target());
    assert_eq!((status.keys.secret_count, status.keys.secret.key, status.keys.object.key), (Some(1), target, target));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_is_answered_and_not_carried_out_is_told_as_such_and_is_nobodys_change() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(204)).method("DELETE").always());
    let ended = scene.rotate().await;
    assert!(ended.is_err());
    let told = told(&scene, &ended).await;
    assert!(told.contains("is still listed, although the service has answered that it was deleted"), "{told}");
    assert!(told.contains("2 secrets have the tenant's name"), "{told}");
    assert!(!told.contains("somebody else") && !told.contains("under our hands"), "{told}");
    ends_well(&scene).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_in_place_of_a_payload_is_no_secret_without_a_key() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(200)).path("/payload").always());
    let ended = scene.rotate().await;
    assert!(ended.is_err());
    let told = told(&scene, &ended).await;
    assert!(told.contains("the answer is no payload but a document"), "{told}");
    assert!(!told.contains("does not hold a key"), "{told}");
    let preflight = scene.status().preflight.unwrap();
    let secret = preflight.checks.iter().find(|check| check.name == "secret").unwrap();
    assert_eq!(secret.state, CheckState::Fail, "{secret:?}");
    assert!(!scene.status().touched);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_goes_between_list_and_reading_costs_one_more_list_and_no_advice_about_names() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let gone = |which| Rule::new(Service::Barbican, Fault::Status(404)).path("/payload").which(which);
    scene.lab.faults().add(gone(Which::Nth(1)));
    let look = scene.acme().look().await;
    assert!(scene.status().keys.secret.fault.is_none(), "{look:?}: {:?}", scene.status().keys.secret);
    scene.lab.faults().clear();
    scene.lab.faults().add(gone(Which::Always));
    let ended = scene.run(Command::Check).await;
    let told = told(&scene, &ended).await;
    assert!(told.contains("is listed, and is not there when it is read"), "{told}");
    assert!(!told.contains("check the name"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_writes_its_old_copy_again_behind_each_upload_is_somebody() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let (world, tenant, old) = (scene.lab.world().clone(), scene.acme().tenant().id.to_string(), scene.object());
    let uploaded = AtomicBool::new(false);
    scene.lab.faults().observe(move |request| match (request.service, request.method.as_str()) {
        (Service::Swift, "PUT") => uploaded.store(true, Ordering::SeqCst),
        (Service::Swift, "GET") if uploaded.swap(false, Ordering::SeqCst) => world.put_object(&tenant, OBJECT, &old),
        _ => {}
    });
    let ended = scene.rotate().await;
    assert!(ended.is_err());
    let told = told(&scene, &ended).await;
    assert!(told.contains("changed by somebody else"), "{told}");
    assert!(!told.contains("nobody else has changed it"), "{told}");
    scene.lab.faults().observe(|_| {});
    ends_well(&scene).await;
}

/// From the upload on nothing of Swift can be read: it may have landed, and what clients get is not known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_an_upload_that_can_not_be_read_back_nobody_says_that_clients_get_the_old_key() {
    let scene = Scene::start().await;
    let uploads = [(None, false), (Some(Fault::LoseAnswer(Loss::Close)), true), (Some(Fault::Status(503)), true)];
    for (byte, (upload, is_first)) in (7..).zip(uploads) {
        let faults = scene.lab.faults();
        faults.clear();
        faults.add(Rule::new(Service::Swift, Fault::Status(504)).method("GET").which(Which::From(2)));
        if let Some(upload) = upload {
            faults.add(Rule::new(Service::Swift, upload).method("PUT").nth(1));
        }
        let key = PrivateKey::from_random([byte; 32]).public();
        let fault = converge_object::converge(&scene.world(), key).await.unwrap_err();
        let told = format!("{fault}; {}", fault.advice());
        assert!(told.contains("whether clients get it is not known before the object is read"), "{upload:?}: {told}");
        assert!(!told.contains("clients still get another"), "{upload:?}: {told}");
        assert_eq!(told.contains("write config/vpn-users.json"), is_first, "the first cause: {upload:?}: {told}");
        faults.clear();
        converge_object::converge(&scene.world(), key).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_met_first_in_the_gap_is_told_beside_what_was_met_last() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    // The copies of step 3 are the first two POSTs to Barbican.
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).method("POST").which(Which::From(3)));
    let (world, deleted, stored) = (scene.lab.world().clone(), AtomicBool::new(false), AtomicBool::new(false));
    scene.lab.faults().observe(move |request| {
        if request.service != Service::Barbican {
            return;
        }
        // A look of somebody else's may fall between the two.
        match request.method.as_str() {
            "DELETE" => deleted.store(true, Ordering::SeqCst),
            "POST" if deleted.load(Ordering::SeqCst) => stored.store(true, Ordering::SeqCst),
            "GET" if stored.load(Ordering::SeqCst) => world.set_down(Service::Barbican, true),
            _ => {}
        }
    });
    let ended = scene.rotate().await;
    let error = ended.as_ref().unwrap_err();
    let own = format!("{error}: {}", error.advice());
    assert!(own.contains("store the secret: 503") && own.contains("list the secrets"), "{own}");
    scene.lab.faults().observe(|_| {});
    scene.lab.world().set_down(Service::Barbican, false);
    ends_well(&scene).await;
}

#[tokio::test]
async fn no_room_in_swift_is_no_matter_of_secrets() {
    let scene = Scene::start().await;
    scene.lab.faults().add(Rule::new(Service::Swift, Fault::Status(413)).method("PUT").always());
    let key = PrivateKey::from_random([5; 32]).public();
    let fault = converge_object::converge(&scene.world(), key).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Quota);
    assert!(fault.advice().contains("clients still get another") && !fault.advice().contains("secrets"), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_closes_the_connection_behind_each_answer_is_told_by_the_check_and_the_pair_goes_through() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let barbican = |scene: &Scene| {
        let preflight = scene.status().preflight.unwrap();
        preflight.checks.iter().find(|check| check.name == "barbican").unwrap().clone()
    };
    scene.run(Command::Check).await.unwrap();
    assert_eq!(barbican(&scene).state, CheckState::Pass);
    scene.lab.faults().close_behind_answers();
    scene.run(Command::Check).await.unwrap();
    let check = barbican(&scene);
    assert!(check.state == CheckState::Warn && check.finding.contains("closes the connection"), "{check:?}");
    scene.rotate().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_takes_no_mail_now_has_refused_nobody_and_what_it_said_is_told() {
    for (reply, is_refused) in [(451, false), (550, true)] {
        let scene = Scene::start_with(|config| config.smtp.retries = 0).await;
        let (window, cause) = (Scene::open_window(), Cause::Scheduled);
        scene.run(Command::Plan { window, cause, reference: String::new() }).await.unwrap();
        scene.lab.faults().add(Rule::new(Service::Smtp, Fault::Status(reply)).method("RCPT").always());
        let announce = || Command::Notify { kind: NoticeKind::Announcement, only: None, again: false };
        let ended = scene.run(announce()).await;
        let told = told(&scene, &ended).await;
        let own = told.lines().next().unwrap();
        assert_eq!(own.contains("3 refused: "), is_refused, "{told}");
        assert_eq!(own.contains("3 deferred: "), !is_refused, "{told}");
        assert_eq!(own.contains("correct the address"), is_refused, "{told}");
        assert!(own.contains(&reply.to_string()), "what it said: {told}");
        scene.lab.faults().clear();
        assert!(scene.run(announce()).await.unwrap().starts_with("3 accepted"), "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_check_shuts_the_gate_the_command_says_what_was_found_and_not_only_which() {
    let stage = Stage::start(Duration::from_millis(300)).await;
    stage.confirmed().await;
    stage.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).always());
    let shut = stage.run("rotate acme --confirm acme", &[]).await.ends(3);
    assert!(shut.err.contains("barbican: Barbican: list the secrets: 503"), "{}", shut.err);
}

/// Somebody tidies up among the kept keys.
fn removes_kept(scene: &Scene, role: &str) {
    let kept = scene.lab.world().secrets("").into_iter().filter(|secret| secret.name.contains(role));
    let removed = kept.map(|secret| scene.lab.world().remove_secret(&secret.id)).filter(|removed| *removed).count();
    assert_eq!(removed, 1, "{role}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_whose_kept_key_somebody_has_deleted_leads_on_by_a_fresh_key() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let rotated = scene.acme().rotation().unwrap().target();
    removes_kept(&scene, "changeguard-previous");
    let ended = scene.roll_back().await;
    let told = told(&scene, &ended).await;
    assert!(told.contains("a fresh key") && told.contains("roll back once more"), "{told}");
    assert_eq!(scene.status().keys.secret.key, rotated, "nothing was touched");
    assert_eq!(scene.status().rollback, None, "it was not begun: a fresh key costs more, so it is said first");
    scene.roll_back().await.unwrap();
    scene.acme().look().await;
    let (status, fresh) = (scene.status(), scene.acme().rotation().unwrap().target());
    assert_ne!(fresh, rotated);
    assert_eq!((status.keys.secret_count, status.keys.secret.key, status.keys.object.key), (Some(1), fresh, fresh));
    scene.everybody_returns().await;
    scene.finish("").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_key_under_the_name_of_the_kept_one_is_named_and_never_put_live() {
    let stage = Stage::start(Duration::from_millis(300)).await;
    stage.confirmed().await;
    stage.run("rotate acme --confirm acme", &[]).await.ends(0);
    let world = stage.lab.world();
    let kept = world.secrets("").into_iter().find(|secret| secret.name.contains("changeguard-previous")).unwrap();
    let theirs = PrivateKey::from_random([9; 32]);
    assert!(world.remove_secret(&kept.id));
    world.add_secret(&kept.name, "text/plain", Some(theirs.to_payload(false).expose()));
    let named = theirs.public().short();
    let refused = stage.run("rollback acme --confirm acme --reason clients", &[]).await.ends(5);
    assert!(refused.err.contains(&format!("the name holds {named} instead")), "{}", refused.err);
    assert!(refused.err.contains("rollback acme --confirm acme --reason"), "{}", refused.err);
    assert!(
        !refused.err.contains("run: changeguard verify"),
        "what leads on is named, and nothing else: {}",
        refused.err
    );
    let status = stage.run("status acme", &[]).await.ends(0);
    assert!(status.out.contains(&format!("{named} instead")), "{}", status.out);
    stage.run("rollback acme --confirm acme --reason clients", &[]).await.ends(0);
    let status = stage.status().await;
    assert_eq!(status["keys"]["secret_count"], 1);
    assert_ne!(status["keys"]["secret"]["key"], theirs.public().to_string(), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_secret_is_missing_nobody_says_of_a_kept_key_that_is_gone_that_it_is_kept() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("POST").which(Which::From(3)));
    assert!(scene.rotate().await.is_err());
    scene.lab.faults().clear();
    removes_kept(&scene, "changeguard-staged");
    let ended = scene.run(Command::Resume).await;
    let told = told(&scene, &ended).await;
    assert!(told.contains("SECRET MISSING") && told.contains("resume makes another"), "{told}");
    assert!(!told.contains("key is kept in Barbican") && !told.contains("it stores the kept key"), "{told}");
    scene.run(Command::Resume).await.unwrap();
    scene.acme().look().await;
    assert_eq!((scene.status().truth, scene.status().keys.secret_count), (None, Some(1)));
}

/// The journal's store goes away in the gap: the pair is finished, and with it what kept others from reading the key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_goes_away_in_the_gap_does_not_leave_the_secret_open_to_the_whole_project() {
    let scene = Scene::start().await;
    let world = scene.lab.world().clone();
    let id = world.secrets(&scene.secret_name())[0].id.clone();
    let acl = serde_json::json!({"read": {"users": ["agent"], "project-access": false}});
    let (given, metadata) = (acl.clone(), [("owner".to_owned(), "platform-team".to_owned())]);
    world.edit_secret(&id, move |secret| (secret.acl, secret.metadata) = (Some(given), metadata.into_iter().collect()));
    scene.confirmed().await;
    let folder = scene.wiring.config().state.directory.clone();
    let (deleted, gone) = (AtomicBool::new(false), AtomicBool::new(false));
    scene.lab.faults().observe(move |request| match (request.service, request.method.as_str()) {
        (Service::Barbican, "DELETE") => deleted.store(true, Ordering::SeqCst),
        (Service::Barbican, "POST") if deleted.load(Ordering::SeqCst) && !gone.swap(true, Ordering::SeqCst) => {
            for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
                // Not each of them needs to be there.
                let _ = std::fs::remove_file(folder.join(name));
            }
        }
        _ => {}
    });
    let ended = scene.rotate().await;
    let error = ended.as_ref().unwrap_err();
    assert!(error.to_string().contains("is gone"), "{error}");
    let live = world.secrets(&scene.secret_name()).remove(0);
    assert_ne!(live.id, id, "the pair was finished");
    assert_eq!(live.acl.unwrap()["read"]["users"], acl["read"]["users"]);
    assert_eq!(live.metadata.get("owner").map(String::as_str), Some("platform-team"));
}

/// Who may read the secret is corrected while a rotation stands: what was read of it before is not put back over that, neither by a
/// later attempt, nor by a resume behind the change, nor by the way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_control_list_that_a_colleague_has_corrected_stays_as_they_have_set_it() {
    let scene = Scene::start_with(|config| config.wireguard.reconcile_interval = Duration::from_secs(1)).await;
    let world = scene.lab.world().clone();
    let wrong = |project: bool| serde_json::json!({"read": {"users": ["agent"], "project-access": project}});
    let set = |project: bool| {
        let id = world.secrets(&scene.secret_name())[0].id.clone();
        world.edit_secret(&id, move |secret| secret.acl = Some(wrong(project)));
    };
    let access = || world.secrets(&scene.secret_name())[0].acl.clone().unwrap()["read"]["project-access"].clone();
    set(false);
    scene.confirmed().await;
    crate::strangers::silence_the_mailbox_once_a_key_is_kept(&scene);
    scene.rotate().await.unwrap_err();
    assert!(scene.acme().rotation().unwrap().shape.is_some());
    scene.lab.faults().observe(|_| {});
    scene.lab.faults().clear();
    set(true);
    crate::strangers::hold_the_agents(&scene);
    scene.rotate().await.unwrap_err();
    assert_eq!((access(), scene.status().steps[3].state.word()), (true.into(), "done"), "a later attempt");
    set(false);
    scene.run(Command::Resume).await.unwrap_err();
    assert_eq!(access(), false, "a resume behind the change");
    scene.lab.faults().clear();
    scene.roll_back().await.unwrap();
    assert_eq!(access(), false, "the way back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_carried_over_wants_attention_until_the_end() {
    let scene = Scene::start().await;
    let world = scene.lab.world().clone();
    let id = world.secrets(&scene.secret_name())[0].id.clone();
    let acl = serde_json::json!({"read": {"users": ["agent"], "project-access": false}});
    world.edit_secret(&id, move |secret| secret.acl = Some(acl));
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("PUT").path("/acl").always());
    let ended = scene.rotate().await;
    assert!(ended.is_ok(), "{ended:?}");
    let told = told(&scene, &ended).await;
    assert!(
        told.contains("NOT carried over to the live secret, to be set by hand: set the access control list"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finish_that_fails_says_why_and_a_server_that_has_the_key_is_not_said_to_lack_it() {
    let scene = Scene::start_with(|config| config.wireguard.reconcile_interval = Duration::from_millis(200)).await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.everybody_returns().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).always());
    let ended = scene.finish("").await;
    assert!(ended.is_err());
    let told = told(&scene, &ended).await;
    assert!(told.contains("step 8 failed: Barbican: ") && told.contains("503"), "{told}");
    assert!(!told.contains("not taken the key"), "{told}");
    scene.lab.faults().clear();
    scene.finish("").await.unwrap();
}
