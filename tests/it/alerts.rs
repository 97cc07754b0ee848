//! The silence of the expected alert: there before the DELETE and gone behind step 6, for one alert of one tenant, whatever
//! becomes of the rotation, the process or Alertmanager.

use crate::bastion::{Bastion, CYCLE, PATIENCE};
use crate::scene::Scene;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service};
use changeguard::engine::alerts::Alerts;
use changeguard::engine::ports::Unfenced;
use changeguard::engine::record::Record;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The records that concern the silence, as they are told.
fn told(scene: &Scene) -> Vec<String> {
    let is_ours = |record: &Record| match record {
        Record::Silenced { id, .. } | Record::SilenceEnded { id, .. } => !id.is_empty(),
        _ => false,
    };
    let entries = scene.acme().entries();
    entries.iter().filter(|entry| is_ours(&entry.record)).map(|entry| entry.record.summary()).collect()
}

fn ended(why: &str, fires: bool) -> String {
    let fires = match fires {
        true => "; the alert STILL FIRES, and no notification may come of it",
        false => "; the alert does not fire",
    };
    format!("silence of the expected alert ended: {why}{fires}")
}

/// The alerts of a tenant, reached as the program reaches them.
fn alerts(scene: &Scene, at: usize) -> Arc<dyn Alerts> {
    let tenant = scene.fleet.conductors()[at].tenant().clone();
    scene.wiring.world(tenant, Arc::new(Unfenced)).unwrap().alerts.unwrap()
}

fn until(seconds: i64) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// The DELETE of the live secret is held for a moment.
fn slow_delete() -> Rule {
    Rule::new(Service::Barbican, Fault::Delay(Duration::from_millis(600))).method("DELETE")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_silence_is_there_before_the_delete_and_gone_behind_step_6() {
    let scene = Scene::with_alerts(|_| {}).await;
    let world = scene.lab.world();
    scene.confirmed().await;
    assert_eq!(world.count(Service::Alerts, "POST"), 0);
    let fault = scene.lab.faults().add(slow_delete());
    let looking = async {
        assert!(world.until(PATIENCE, |_| scene.lab.faults().fired(fault) > 0).await);
        let silences = world.silenced("acme");
        assert_eq!(silences.len(), 1);
        let matcher = |name, value| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
        let matchers = json!([matcher("alertname", "BarbicanFetchError"), matcher("tenant", "acme")]);
        assert_eq!(silences[0].matchers, matchers, "this alert of this tenant, and nothing by a pattern");
        assert!(silences[0].ends <= until(600), "it ends by itself soon");
        assert!(silences[0].comment.contains("of acme"), "{:?}", silences[0]);
        scene.acme().follow().await;
        assert!(!scene.status().attention.iter().any(|item| item.contains("still open")), "it is needed now");
    };
    let (rotated, ()) = tokio::join!(scene.rotate(), looking);
    rotated.unwrap();
    assert!(world.silenced("acme").is_empty());
    assert_eq!(world.silences().len(), 1);
    let told = told(&scene);
    assert!(told[0].starts_with("expected alert silenced until "), "{told:?}");
    assert_eq!(told[1..], [ended("the server has the key", false)]);
    let requests = scene.lab.faults().requests(Service::Barbican);
    let deleted = requests.iter().find(|request| request.method == "DELETE").unwrap().at;
    let posted = scene.lab.faults().requests(Service::Alerts).iter().find(|r| r.method == "POST").unwrap().at;
    assert!(posted < deleted);
    scene.roll_back().await.unwrap();
    assert_eq!(world.silences().len(), 2, "the way back has one of its own");
    assert!(world.silenced("acme").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_alert_of_another_tenant_fires_on_unsilenced_and_ours_is_told_as_expected() {
    let scene = Scene::with_alerts(|_| {}).await;
    let (world, other) = (scene.lab.world(), scene.fleet.conductors()[1].tenant().name.clone());
    scene.confirmed().await;
    let failing = Rule::new(Service::Barbican, Fault::Status(503)).for_agents().always();
    let agents = scene.lab.faults().add(failing);
    assert!(world.until(PATIENCE, |world| world.fires("acme") && world.fires(&other)).await);
    scene.acme().look().await;
    let attention = scene.status().attention;
    let not_expected =
        |item: &String| item.starts_with("alert BarbicanFetchError fires since") && item.contains("(not silenced)");
    assert!(attention.iter().any(not_expected), "{attention:?}");
    let fault = scene.lab.faults().add(slow_delete());
    let looking = async {
        assert!(world.until(PATIENCE, |_| scene.lab.faults().fired(fault) > 0).await);
        let (ours, theirs) = (alerts(&scene, 0).firing().await.unwrap(), alerts(&scene, 1).firing().await.unwrap());
        assert!(ours.len() == 1 && ours[0].is_silenced, "{ours:?}");
        assert!(theirs.len() == 1 && !theirs[0].is_silenced, "{theirs:?}");
        scene.acme().look().await;
        let attention = scene.status().attention;
        let expected = |item: &String| {
            item.starts_with("alert BarbicanFetchError fires (expected, silenced by this rotation until ")
        };
        assert!(attention.iter().any(expected), "{attention:?}");
        scene.lab.faults().remove(agents);
    };
    let (rotated, ()) = tokio::join!(scene.rotate(), looking);
    rotated.unwrap();
    assert!(!world.fires("acme"));
    assert!(world.silences().iter().all(|silence| silence.matchers.to_string().contains("\"acme\"")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_4_that_failed_leaves_no_silence() {
    let scene = Scene::with_alerts(|_| {}).await;
    scene.confirmed().await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets");
    let fault = scene.lab.faults().add(refused.nth(3));
    scene.rotate().await.unwrap_err();
    assert_eq!(scene.lab.faults().fired(fault), 1);
    assert_eq!(scene.lab.world().silences().len(), 1);
    assert!(scene.lab.world().silenced("acme").is_empty());
    let last = told(&scene).pop().unwrap();
    assert!(last.starts_with("silence of the expected alert ended: step 4 failed"), "{last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_fires_longer_than_two_cycles_is_no_longer_silenced_and_no_longer_called_expected() {
    let scene = Scene::with_alerts(|config| config.wireguard.reconcile_interval = Duration::from_secs(1)).await;
    scene.confirmed().await;
    scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).for_agents().always());
    assert!(scene.lab.world().until(PATIENCE, |world| world.fires("acme")).await);
    let late = scene.rotate().await.unwrap_err().to_string();
    assert!(late.contains("after two cycles"), "{late}");
    assert!(scene.lab.world().silenced("acme").is_empty());
    assert_eq!(told(&scene).pop().unwrap(), ended("step 6 failed", true));
    scene.acme().look().await;
    let attention = scene.status().attention;
    let late = |item: &String| item.starts_with("alert BarbicanFetchError") && item.contains("longer than two cycles");
    assert!(attention.iter().any(late), "{attention:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_extended_while_step_6_waits() {
    let short = |config: &mut changeguard::config::Config| {
        config.alerts.as_mut().unwrap().silence = Duration::from_secs(4);
        config.wireguard.reconcile_interval = Duration::from_secs(30);
    };
    let scene = Scene::with_alerts(short).await;
    let world = scene.lab.world();
    scene.confirmed().await;
    let agents = scene.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).for_agents().always());
    let looking = async {
        assert!(world.until(PATIENCE, |world| world.count(Service::Alerts, "POST") >= 3).await);
        assert_eq!(world.silenced("acme").len(), 1);
        scene.lab.faults().remove(agents);
    };
    let (rotated, ()) = tokio::join!(scene.rotate(), looking);
    rotated.unwrap();
    assert_eq!(world.silences().len(), 1, "the same one all the time");
    assert!(world.silenced("acme").is_empty());
    let told = told(&scene);
    assert!(told.len() >= 4 && told[2].starts_with("expected alert silenced until "), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_alertmanager_the_rotation_goes_on_and_says_so() {
    let scene = Scene::with_alerts(|_| {}).await;
    scene.confirmed().await;
    scene.lab.world().set_down(Service::Alerts, true);
    scene.rotate().await.unwrap();
    let entries = scene.acme().entries();
    let says = |text: &str| text.contains("BarbicanFetchError is NOT silenced, it may be notified (Alertmanager: ");
    assert!(entries.iter().any(|e| matches!(&e.record, Record::Noted { text } if says(text))), "a note");
    let status = scene.status();
    assert!(says(&status.steps[3].detail), "and beside the step: {}", status.steps[3].detail);
    assert!(told(&scene).is_empty());
    scene.acme().look().await;
    let attention = scene.status().attention;
    assert!(
        attention.iter().any(|item| item.starts_with("Alertmanager: ask whether the alert fires")),
        "{attention:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_makes_no_second_silence() {
    for loss in [Loss::Hang, Loss::Close] {
        let scene = Scene::with_alerts(|_| {}).await;
        scene.confirmed().await;
        let fault = scene.lab.faults().add(Rule::new(Service::Alerts, Fault::LoseAnswer(loss)).method("POST"));
        scene.rotate().await.unwrap();
        assert_eq!(scene.lab.faults().fired(fault), 1);
        assert_eq!(scene.lab.world().silences().len(), 1, "{loss:?}");
        assert!(scene.lab.world().silenced("acme").is_empty(), "{loss:?}");
        assert_eq!(told(&scene).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_extended_under_its_id_made_anew_where_it_was_forgotten_and_only_ours_is_ended() {
    let scene = Scene::with_alerts(|_| {}).await;
    let (world, alerts) = (scene.lab.world(), alerts(&scene, 0));
    let first = alerts.silence("one", None, until(60)).await.unwrap();
    let longer = alerts.silence("one", Some(&first.id), until(120)).await.unwrap();
    assert_eq!(longer.id, first.id);
    assert_eq!(world.silenced("acme").len(), 1);
    let adopted = alerts.silence("one", None, until(180)).await.unwrap();
    assert_eq!(adopted.id, first.id, "a run before may not have lived to record it");
    let foreign = alerts.silence("another rotation", None, until(60)).await.unwrap();
    assert_ne!(foreign.id, first.id);
    assert_eq!(alerts.own("one").await.unwrap().len(), 1);
    alerts.end(&first.id).await.unwrap();
    alerts.end(&first.id).await.unwrap();
    assert_eq!(world.silenced("acme").into_iter().map(|s| s.id).collect::<Vec<_>>(), std::slice::from_ref(&foreign.id));
    assert!(alerts.own("one").await.unwrap().is_empty());
    assert_eq!(world.forget_silences().len(), 2);
    alerts.end(&foreign.id).await.unwrap();
    let anew = alerts.silence("one", Some(&first.id), until(60)).await.unwrap();
    assert_eq!(world.silenced("acme").into_iter().map(|s| s.id).collect::<Vec<_>>(), [anew.id]);
}

fn last_silence(records: &[Value]) -> Value {
    let is_ours = |record: &&Value| record["record"]["record"].as_str().is_some_and(|kind| kind.starts_with("silence"));
    records.iter().rfind(is_ours).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_left_silenced_is_ended_by_the_watch_that_goes_on() {
    let bastion = Bastion::with_alerts(1, 2, CYCLE).await;
    bastion.confirmed("acme").await;
    let lost = Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("DELETE");
    let fault = bastion.lab.faults().add(lost);
    let process = bastion.begin("rotate acme --confirm acme");
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(fault) > 0).await);
    process.signal("KILL");
    process.ends().await;
    bastion.lab.faults().clear();
    assert_eq!(bastion.lab.world().silenced("acme").len(), 1);
    bastion.run("watch --once", &[]).await.ends(0);
    assert!(bastion.lab.world().silenced("acme").is_empty());
    assert_eq!(bastion.lab.world().silences().len(), 1, "the same one was gone on with");
    let ended = last_silence(&bastion.records("acme").await);
    assert_eq!(ended["record"]["record"], "silence-ended");
    assert!(ended["by"].as_str().unwrap().ends_with(" (watch)"), "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_that_nobody_could_end_is_ended_by_watch_also_where_only_a_person_leads_on() {
    let bastion = Bastion::with_alerts(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("DELETE");
    bastion.lab.faults().add(refused.always());
    let unended = bastion.lab.faults().add(Rule::new(Service::Alerts, Fault::Status(503)).method("DELETE").always());
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    assert_eq!(bastion.lab.faults().fired(unended), 1);
    assert_eq!(bastion.lab.world().silenced("acme").len(), 1);
    let attention = bastion.status("acme").await["attention"].to_string();
    assert!(attention.contains("the silence of the alert is still open"), "{attention}");
    let ran = bastion.run("watch --once", &[]).await;
    assert!(ran.err.contains("Alertmanager: end the silence: 503"), "{}", ran.err);
    bastion.lab.faults().remove(unended);
    let ran = bastion.run("watch --once", &[]).await;
    assert!(ran.err.contains("silence of the expected alert ended: step 4 failed"), "{}", ran.err);
    assert!(bastion.lab.world().silenced("acme").is_empty());
    assert_eq!(last_silence(&bastion.records("acme").await)["record"]["record"], "silence-ended");
    let count = bastion.records("acme").await.len();
    bastion.run("watch --once", &[]).await;
    assert_eq!(bastion.records("acme").await.len(), count, "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_in_step_6_ends_the_silence_too() {
    let bastion = Bastion::with_alerts(1, 1, Duration::from_secs(3600)).await;
    bastion.confirmed("acme").await;
    let mut process = bastion.begin("rotate acme --confirm acme");
    process.says("step 6").await;
    assert_eq!(bastion.lab.world().silenced("acme").len(), 1);
    process.signal("TERM");
    process.ends().await.ends(1);
    assert!(bastion.lab.world().silenced("acme").is_empty());
    let ended = last_silence(&bastion.records("acme").await);
    assert_eq!(ended["record"]["why"], "step 6 was interrupted");
    assert!(bastion.holders().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_of_which_the_answer_is_in_no_record_is_found_and_ended_where_nobody_goes_on() {
    let bastion = Bastion::with_alerts(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let before = bastion.live("acme");
    let fault = bastion.lab.faults().add(Rule::new(Service::Alerts, Fault::LoseAnswer(Loss::Hang)).method("POST"));
    let process = bastion.begin("rotate acme --confirm acme");
    assert!(bastion.lab.world().until(PATIENCE, |_| bastion.lab.faults().fired(fault) > 0).await);
    process.signal("KILL");
    process.ends().await;
    assert_eq!(bastion.live("acme"), before, "nothing is deleted before the silence is settled");
    // Nothing was changed, so it is a person's to begin it.
    assert_eq!(bastion.lab.world().silenced("acme").len(), 1);
    let attention = bastion.status("acme").await["attention"].to_string();
    assert!(attention.contains("the silence of the alert is still open"), "{attention}");
    bastion.run("watch --once", &[]).await.ends(5);
    assert_eq!(bastion.live("acme"), before);
    // What may have been made is looked for and ended: nobody is at work.
    assert!(bastion.lab.world().silenced("acme").is_empty());
    bastion.run("resume acme", &[]).await.ends(0);
    assert_ne!(bastion.live("acme"), before);
    assert!(bastion.lab.world().silenced("acme").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_tells_of_an_alert_that_fires_longer_than_two_cycles_after_step_4() {
    let bastion = Bastion::with_alerts(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    bastion.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).for_agents().always());
    assert!(bastion.lab.world().until(PATIENCE, |world| world.fires("acme")).await);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    let ran = bastion.run("watch --once", &[]).await.ends(5);
    assert!(ran.err.contains("alert BarbicanFetchError fires since "), "{}", ran.err);
    assert!(ran.err.contains("longer than two cycles after step 4 (not silenced): see step 6"), "{}", ran.err);
}
