//! Steps that could be passed without having been done: an end without step 7, without anybody who has reconfigured; a call that
//! came back; a swap that was never proved; and what the screen says of a server that has, or has not, taken the key.

use crate::scene::Scene;
use changeguard::adapters::lab::{AgentMode, Fault, Rule, Service, Which};
use changeguard::cli::report::Line;
use changeguard::config::Swap;
use changeguard::domain;
use changeguard::domain::client::ClientId;
use changeguard::domain::gate::Reason;
use changeguard::domain::key::KeyRole;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::preflight::{CheckState, SWAP};
use changeguard::domain::reply::{Heard, Means, Verdict};
use changeguard::domain::step::StepNumber;
use changeguard::domain::token::Topic;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::next::Act;
use changeguard::engine::observe::{self, Sight, Sights};
use changeguard::engine::record::{Entry, Outcome, Record};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::secret::PrivateKey;
use changeguard::engine::sources::Source;
use changeguard::engine::status::{self, Phase, Reconcile, TenantStatus, Viewer};
use changeguard::runtime::run::RunError;
use jiff::{SignedDuration, Timestamp};

fn finish(despite: &str) -> Command {
    Command::Finish { note: String::new(), despite: despite.into() }
}

fn reconfigure() -> Command {
    Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false }
}

fn clients(scene: &Scene) -> Vec<ClientId> {
    scene.status().clients.iter().map(|view| view.client.id.clone()).collect()
}

fn derived(scene: &Scene, rotation: &Rotation, sights: &Sights, now: Timestamp) -> TenantStatus {
    let (settings, titles) = (scene.world().settings, [""; 8]);
    let viewer = Viewer { person: "ops", now };
    status::derive(&rotation.tenant, Some(rotation), &scene.acme().entries(), sights, &settings, &titles, viewer)
}

fn headline(scene: &Scene) -> String {
    Line::of(&scene.acme().rotation().unwrap(), None).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_marked_back_by_hand_was_not_told_and_an_end_without_step_7_says_so_in_its_first_line() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    for client in clients(&scene) {
        scene.run(Command::Back { client, note: "by phone".into() }).await.unwrap();
    }
    let error = scene.run(finish("")).await.unwrap_err();
    assert!(matches!(error, RunError::Refused(Refusal::NeedsPerson(_))), "{error}");
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Reconfigure, "{}", scene.status().next.text);
    assert!(scene.status().unfinished.is_some(), "the form asks for a reason");
    scene.run(finish("the mail server is down for the night")).await.unwrap();
    let headline = headline(&scene);
    assert!(headline.contains("STEP 7 WAS NEVER DONE: the mail server is down for the night"), "{headline}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_at_which_everybody_is_waived_and_nobody_is_back_wants_a_reason() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.run(reconfigure()).await.unwrap();
    for client in clients(&scene) {
        scene.run(Command::Waive { client, reason: "on leave".into() }).await.unwrap();
    }
    let error = scene.run(finish(" ")).await.unwrap_err();
    assert!(error.to_string().contains("nobody has reconfigured"), "{error}");
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Verify, "{}", scene.status().next.text);
    scene.run(Command::Verify).await.unwrap();
    scene.run(finish("all are on leave until Monday")).await.unwrap();
    let headline = headline(&scene);
    assert!(headline.contains("NOBODY HAS RECONFIGURED: all are on leave until Monday"), "{headline}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_reconfigure_that_comes_back_opens_step_7_again_and_names_the_person() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let first = scene.run(reconfigure()).await.unwrap();
    assert_eq!(first, "3 accepted by the mail server");
    let again = scene.run(reconfigure()).await.unwrap();
    assert_eq!(again, "none sent now: 3 had this mail already");
    let mut rotation = Rotation::clone(&scene.acme().rotation().unwrap());
    let mail = rotation.notices.iter().rfind(|notice| notice.kind == NoticeKind::Reconfigure).unwrap().clone();
    let (topic, revision, means) = (Topic::Back, mail.revision, Means::Text);
    let verdict = Verdict::Bounced("550 no such user".into());
    let heard = Heard { verdict, topic, revision, means, marks: vec![], evidence: vec![], said_at: None };
    let (client, notice) = (mail.client.clone(), Some(mail.message_id.clone()));
    let record = Record::MailRead { client, mail: "b1".into(), from: String::new(), heard, notice, doubt: None };
    let last = scene.acme().entries().pop().unwrap();
    let entry = Entry { seq: rotation.seq + 1, record, ..last };
    rotation.check(&entry).unwrap();
    rotation.apply(&entry);
    let name = rotation.client(&mail.client).unwrap().name.clone();
    let mut sights = Sights::default();
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let status = derived(&scene, &rotation, &sights, Timestamp::now());
    let step = &status.steps[StepNumber::RECONFIGURE.index()];
    assert!(!step.state.is_done() && step.detail.contains(&format!("1 bounced: {name}")), "{step:?}");
    let is_told = |item: &String| item.contains("bounced") && item.contains(&name);
    assert!(status.attention.iter().any(is_told), "{:?}", status.attention);
    assert_eq!(status.next.action, Act::Verify, "{}", status.next.text);
    let back = format!("the mail to {name} came back: correct the address");
    assert!(status.next.text.contains(&back), "{}", status.next.text);
    // Whoever was waived over it may be cut off still: that does not end with the end.
    let record = Record::Finished { outcome: Outcome::Rotated, note: String::new(), despite: None };
    rotation.apply(&Entry { seq: rotation.seq + 1, record, ..entry });
    let attention = derived(&scene, &rotation, &sights, Timestamp::now()).attention;
    let told = format!("the mail to reconfigure came back, and nothing shows that they are back: {name}; call them");
    assert!(attention.contains(&told), "{attention:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_in_a_rotation_that_was_cancelled_needs_no_attention_any_more() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(403)).method("POST").which(Which::Always));
    scene.rotate().await.unwrap_err();
    scene.acme().look().await;
    let status = scene.status();
    assert!(status.attention.iter().any(|item| item.starts_with("step 3 failed")), "{:?}", status.attention);
    assert!(status.next.text.contains("cancel") && !status.next.text.contains("roll back"), "{}", status.next.text);
    scene.lab.faults().clear();
    scene.run(Command::Cancel { confirm: "acme".into(), reason: "not today".into() }).await.unwrap();
    scene.acme().look().await;
    let status = scene.status();
    let is_dead = |item: &String| item.starts_with("step ") || item.contains("differ");
    assert!(status.phase == Phase::Idle && !status.attention.iter().any(is_dead), "{:?}", status.attention);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_interface_that_was_seen_with_another_key_is_late() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    // Step 5 fails; the agent takes the key all the same.
    scene.lab.faults().add(Rule::new(Service::Swift, Fault::Status(403)).method("PUT").which(Which::Always));
    scene.rotate().await.unwrap_err();
    scene.lab.world().reconcile("acme").await;
    let rotation = scene.acme().rotation().unwrap();
    let mut sights = Sights::default();
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let later = Timestamp::now() + SignedDuration::from_mins(30);
    let status = derived(&scene, &rotation, &sights, later);
    assert_eq!(status.reconcile, Reconcile::Differs);
    let has = |status: &TenantStatus, text: &str| status.attention.iter().any(|item| item.contains(text));
    assert!(!has(&status, "has not taken the key"), "{:?}", status.attention);
    assert!(has(&status, "the server has the staged key, and clients still get"), "{:?}", status.attention);
    // Its agent is asleep: seen with the previous key before the two cycles are over, it is not known; seen so after, it is late.
    let mut reading = scene.world().server.read().await.unwrap();
    reading.public_key = rotation.keys[&KeyRole::Previous].public_key;
    sights.take(Timestamp::now(), Sight::Server(Ok(reading.clone())));
    assert_eq!(derived(&scene, &rotation, &sights, later).reconcile, Reconcile::Unknown);
    sights.take(later, Sight::Server(Ok(reading.clone())));
    let status = derived(&scene, &rotation, &sights, later + SignedDuration::from_secs(1));
    assert_eq!(status.reconcile, Reconcile::Late);
    assert!(has(&status, "has not taken the key after two cycles: the interface shows"), "{:?}", status.attention);
    // A key that nobody had: it has taken what somebody else has stored, and is not late.
    reading.public_key = PrivateKey::from_random([78; 32]).public();
    sights.take(later, Sight::Server(Ok(reading)));
    let status = derived(&scene, &rotation, &sights, later + SignedDuration::from_secs(1));
    assert_eq!((status.reconcile, status.lead().as_deref()), (Reconcile::Differs, Some("ALL CUT OFF")));
    assert!(!has(&status, "has not taken the key"), "{:?}", status.attention);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_first_is_taken_only_where_the_agents_mode_proves_it_or_an_operator_says_so() {
    for mode in [AgentMode::ByName, AgentMode::Legacy] {
        let scene = Scene::start_with(|config| {
            config.wireguard.swap = Swap::StoreFirst;
            if mode == AgentMode::Legacy {
                config.server.agent_check = None;
            }
        })
        .await;
        scene.confirmed().await;
        let is_proved = mode == AgentMode::ByName;
        let checked = scene.run(Command::Check).await;
        let run = scene.acme().rotation().unwrap().preflight.clone().unwrap();
        let check = run.checks.iter().find(|check| check.name == SWAP).unwrap();
        assert_eq!(check.state == CheckState::Pass, is_proved, "{}", check.finding);
        assert_eq!(checked.is_ok(), is_proved);
        if !is_proved {
            assert!(scene.rotate().await.is_err());
            let reason = "the agent takes the first of several: read in its source".to_owned();
            scene.run(Command::SetAside { what: SWAP.into(), reason }).await.unwrap();
        }
        scene.rotate().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_probably_back_is_counted_among_those_whom_a_way_back_cuts_again() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let (applied, mut sights) = (rotation.applied.clone().unwrap(), Sights::default());
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let mut reading = sights.server.value().unwrap().clone();
    let client = rotation.clients.iter().find(|client| client.public_key.is_some()).unwrap();
    let peer = reading.peers.iter_mut().find(|peer| Some(peer.public_key) == client.public_key).unwrap();
    peer.latest_handshake = applied.baseline.clock + 1;
    peer.tx = applied.baseline.peers[&peer.public_key].1;
    sights.take(Timestamp::now(), Sight::Server(Ok(reading)));
    let status = derived(&scene, &rotation, &sights, Timestamp::now());
    assert_eq!(status.rollback_cuts, std::slice::from_ref(&client.id));
    let lines = changeguard::app::dialog::rollback::whom(&status);
    assert_eq!(
        lines,
        ["cuts off again 1 who are probably back:".to_owned(), format!("{} (probably back)", client.name)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_started_again_brings_nobody_back_and_that_is_told() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let baseline = rotation.applied.clone().unwrap().baseline;
    let mut reading = scene.world().server.read().await.unwrap();
    assert!(baseline.peers.values().any(|(stamp, _)| *stamp > 0), "somebody had a session before");
    for peer in &mut reading.peers {
        (peer.latest_handshake, peer.endpoint, peer.rx, peer.tx) = (0, None, 0, 0);
    }
    let mut sights = Sights::default();
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let before = derived(&scene, &rotation, &sights, Timestamp::now());
    let is_anew = |status: &TenantStatus| status.attention.iter().any(|item| item.contains("made anew"));
    assert!(!is_anew(&before), "{:?}", before.attention);
    sights.take(Timestamp::now(), Sight::Server(Ok(reading)));
    let status = derived(&scene, &rotation, &sights, Timestamp::now());
    let words: Vec<_> = status.clients.iter().filter_map(|view| view.presence).map(|one| one.word()).collect();
    assert!(words.len() == 3 && words.iter().all(|word| ["no sign yet", "never"].contains(word)), "{words:?}");
    assert!(status.rollback_cuts.is_empty() && is_anew(&status), "{:?}", status.attention);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_sessions_are_counted_only_where_the_server_was_read_and_its_clock_is_told() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let rotation = scene.acme().rotation().unwrap();
    let says = |sights: &Sights, text: &str| {
        let status = derived(&scene, &rotation, sights, Timestamp::now());
        let rows = changeguard::app::dialog::rotate::consequences(&status);
        assert!(rows.iter().any(|row| row.text.contains(text)), "{text}: {}", rows[0].text);
        status
    };
    let mut sights = Sights::default();
    // The journal says who they were; nobody has looked who they are.
    says(&sights, "all 3 clients as of 2");
    says(&sights, " (how many have a live session now was not looked at)");
    observe::look(&scene.world(), &mut sights, &observe::Before::default()).await;
    let status = says(&sights, "with a live session now)");
    assert_eq!(status.server_ahead_s, Some(0));
    let told =
        |status: &TenantStatus| status.attention.iter().find(|item| item.contains("VPN server's clock")).cloned();
    assert_eq!(told(&status), None);
    // Its clock is ahead: a stamp 400 s old by it is as old as that, and not from the future.
    let mut reading = scene.world().server.read().await.unwrap();
    let asked = Timestamp::from_second(reading.clock).unwrap();
    reading.clock += 605;
    for peer in &mut reading.peers {
        peer.latest_handshake = reading.clock - 400;
    }
    sights.take_answer(asked, asked, Sight::Server(Ok(reading)));
    let status = says(&sights, "(0 with a live session now)");
    assert_eq!(status.server_ahead_s, Some(605));
    assert!(told(&status).is_some_and(|item| item.contains("is 605 s ahead of this host's")), "{:?}", status.attention);
    let stamp = status.clients[0].latest_handshake.unwrap();
    assert_eq!(status.server_now(asked).as_second() - stamp.as_second(), 400);
    sights.overdue(asked, Source::Server, std::time::Duration::from_secs(5));
    says(&sights, "is not known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_back_those_who_were_told_are_told_again_or_the_end_says_why_not() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    scene.roll_back().await.unwrap();
    // Nobody had left the previous key, so everybody is back without a word.
    for client in clients(&scene) {
        scene.lab.world().reimport("acme", &client.0).await;
    }
    scene.run(Command::Verify).await.unwrap();
    scene.acme().look().await;
    assert!(scene.acme().rotation().unwrap().is_everybody_back());
    assert_eq!(scene.status().next.action, Act::Reconfigure, "{}", scene.status().next.text);
    let error = scene.run(finish("")).await.unwrap_err();
    assert!(matches!(error, RunError::Refused(Refusal::NeedsPerson(_))), "{error}");
    scene.run(reconfigure()).await.unwrap();
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Finish, "{}", scene.status().next.text);
    assert!(scene.status().unfinished.is_none());
    // The same case, had nobody been told that the key was put back: its end says so.
    let mut rotation = Rotation::clone(&scene.acme().rotation().unwrap());
    rotation.steps[StepNumber::RECONFIGURE.index()] = Default::default();
    assert!(rotation.unfinished().contains(&"STEP 7 WAS NEVER DONE"));
    rotation.notices = Default::default();
    assert!(rotation.unfinished().is_empty(), "nobody was ever told of anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_called_alone_is_called_only_when_their_own_configuration_is_right() {
    let scene = Scene::with_console().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let all = clients(&scene);
    let (first, last) = (all[0].clone(), all[all.len() - 1].clone());
    let calls = |client: &ClientId| {
        let rotation = scene.acme().rotation().unwrap();
        rotation.notices.of(client).filter(|mail| mail.kind == NoticeKind::Reconfigure).count()
    };
    let only = |client: &ClientId| {
        let only = Some(vec![client.clone()]);
        scene.run(Command::Notify { kind: NoticeKind::Reconfigure, only, again: false })
    };
    let rule = Rule::new(Service::Console, Fault::Status(500)).path(&format!("/{}/vpn", last.0)).which(Which::Always);
    let rule = scene.lab.faults().add(rule);
    assert!(only(&last).await.unwrap_err().to_string().contains(&last.0));
    assert_eq!(calls(&last), 0);
    assert!(
        scene.run(reconfigure()).await.unwrap_err().to_string().contains(&last.0),
        "and of all, theirs is asked too"
    );
    assert_eq!(calls(&first), 0);
    only(&first).await.unwrap();
    assert_eq!(calls(&first), 1, "the other's configuration is not theirs");
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.next.action, Act::Reconfigure, "{}", status.next.text);
    let failed = |item: &String| item.contains("step 7 failed");
    assert!(!status.attention.iter().any(failed), "what it met is over: {:?}", status.attention);
    scene.lab.faults().remove(rule);
    scene.run(reconfigure()).await.unwrap();
    assert_eq!(calls(&last), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_nothing_to_download_is_named_and_waits_alone() {
    let scene = Scene::with_console().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let all = clients(&scene);
    let (one, last) = (all[1].clone(), all[all.len() - 1].clone());
    let calls = |client: &ClientId| {
        let rotation = scene.acme().rotation().unwrap();
        rotation.notices.of(client).filter(|mail| mail.kind == NoticeKind::Reconfigure).count()
    };
    let unknown = |path: String| {
        scene.lab.faults().add(Rule::new(Service::Console, Fault::Status(404)).path(&path).which(Which::Always))
    };
    let everybody = unknown("/vpn".into());
    scene.run(reconfigure()).await.unwrap_err();
    assert_eq!(calls(&last), 0, "where nobody is known it is the console's fault");
    scene.lab.faults().remove(everybody);
    unknown(format!("/{}/vpn", one.0));
    let error = scene.run(reconfigure()).await.unwrap_err();
    let told = format!("{error}; {}", error.advice());
    let name = scene.acme().rotation().unwrap().client(&one).unwrap().name.clone();
    assert!(told.contains("1 not mailed") && told.contains(name.as_str()) && told.contains("notify again"), "{told}");
    assert_eq!(all.iter().filter(|client| calls(client) == 1).count(), all.len() - 1);
    assert_eq!(calls(&one), 0);
    scene.run(Command::Waive { client: one.clone(), reason: "left".into() }).await.unwrap();
    scene.run(reconfigure()).await.unwrap();
    assert_eq!(calls(&one), 0);
    scene.lab.world().reimport_all("acme").await;
    scene.run(Command::Verify).await.unwrap();
    scene.finish("").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_that_the_agent_would_never_follow_mails_nobody() {
    let scene = Scene::start().await;
    let emergency =
        || Command::Emergency { confirm: "acme".into(), reason: "stolen".into(), through_tunnel: String::new() };
    scene.lab.world().set_agent_mode("acme", AgentMode::Legacy);
    let error = scene.run(emergency()).await.unwrap_err();
    assert!(error.to_string().contains("agent"), "{error}");
    assert!(scene.lab.world().mails().is_empty());
    scene.lab.world().set_agent_mode("acme", AgentMode::ByName);
    scene.rotate().await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let told = |client: &ClientId| rotation.notices.of(client).any(|mail| mail.kind == NoticeKind::Emergency);
    assert!(rotation.clients.iter().all(|client| told(&client.id)), "put right, it tells them first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_step_7_had_met_is_said_no_more_once_it_is_over() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    let old = rotation.keys[&KeyRole::Previous].public_key.to_string();
    let live = rotation.target().unwrap().to_string();
    let object = String::from_utf8(scene.object()).unwrap();
    let container = scene.acme().tenant().id.as_str().to_owned();
    let changed = object.replace(&live, &old);
    scene.lab.world().put_object(&container, "config/vpn-users.json", changed.as_bytes());
    scene.run(reconfigure()).await.unwrap_err();
    scene.run(Command::Resume).await.unwrap();
    scene.acme().look().await;
    let status = scene.status();
    // The object is put right, the server looked at, and step 7, which had been begun, gone on with.
    assert!(status.steps[6].state.is_done() && status.next.action == Act::Verify, "{}", status.next.text);
    assert!(!status.attention.iter().any(|item| item.contains("the object says")), "{:?}", status.attention);
}

/// The object is no JSON: the console names the people all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_whose_object_can_not_be_read_mails_whoever_is_known_and_names_what_leads_on() {
    an_emergency_without_the_object(false).await;
}

/// Nor does it wait for Swift.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_without_swift_changes_the_key_all_the_same() {
    an_emergency_without_the_object(true).await;
}

async fn an_emergency_without_the_object(is_down: bool) {
    let scene = Scene::with_console().await;
    let (world, container) = (scene.lab.world().clone(), scene.acme().tenant().id.to_string());
    match is_down {
        true => world.set_down(Service::Swift, true),
        false => world.put_object(&container, "config/vpn-users.json", b"<html>not now</html>"),
    }
    let (confirm, reason) = ("acme".to_owned(), "a laptop was stolen".to_owned());
    let declared = scene.run(Command::Emergency { confirm, reason, through_tunnel: String::new() }).await;
    let Err(RunError::Refused(Refusal::GateShut(reasons))) = declared else { panic!("{declared:?}") };
    assert!(
        matches!(&reasons[..], [Reason::CheckFailed { checks, .. }] if checks.iter().any(|check| check == "object"))
    );
    let people = world.tenant("acme").unwrap().people;
    assert!(!people.is_empty());
    for person in &people {
        assert_eq!(world.mails_to(&person.email).len(), 1, "{person:?}");
    }
    scene.acme().look().await;
    let status = scene.status();
    assert_eq!(status.clients.len(), people.len(), "{:?}", status.clients);
    let step = &status.steps[0];
    assert!(step.detail.contains("told are those whom other places name: 3 accepted"), "{step:?}");
    let is_named = |check: &str| {
        let line = format!("changeguard set-aside acme {check} --reason \"WHY\"");
        status.next.commands.contains(&line)
    };
    assert!(is_named("object"), "{:?}", status.next);
    let failed = status.preflight.as_ref().unwrap().failed();
    for check in failed.into_iter().filter(|check| is_named(check)) {
        scene.run(Command::SetAside { what: check, reason: "the key goes first".into() }).await.unwrap();
    }
    let before = world.key_secrets("acme").remove(0).payload;
    let fault = scene.rotate().await.unwrap_err();
    assert!(matches!(&fault, RunError::Fault(fault) if fault.service == domain::fault::Service::Swift), "{fault}");
    assert_ne!(world.key_secrets("acme").remove(0).payload, before, "the compromised key is gone");
    for person in people {
        assert_eq!(world.mails_to(&person.email).len(), 1, "nobody is sent to a configuration with the other key");
    }
}
