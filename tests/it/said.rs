//! What is said before it is too late: what a check has found and what follows from it, what breaks and for whom, what is uploaded,
//! whose clock is wrong.

use crate::bastion::{Bastion, CYCLE};
use crate::scene::Scene;
use changeguard::adapters::lab::{AgentMode, Fault, Rule, Service, Which};
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::Command;
use changeguard::engine::record::Cause;
use serde_json::Value;
use std::collections::BTreeSet;

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_rotate_names_the_status_and_its_advice_whichever_check_failed() {
    let table = [
        (Service::Keystone, "/v3/auth/tokens", 401, "keystone", "401"),
        (Service::Barbican, "/v1/secrets", 503, "barbican", "503"),
        (Service::Barbican, "/v1/secrets", 403, "barbican", "403"),
        (Service::Swift, "vpn-users", 500, "object", "500"),
        (Service::Shell, "", 255, "server", "ssh"),
        (Service::Smtp, "", 454, "mail", "454"),
    ];
    for (service, path, status, check, says) in table {
        let bastion = Bastion::start(1, 1, CYCLE).await;
        bastion.confirmed("acme").await;
        let rule = Rule::new(service, Fault::Status(status)).always();
        bastion.lab.faults().add(if path.is_empty() { rule } else { rule.path(path) });
        let ran = bastion.run("rotate acme --confirm acme", &[]).await.ends(3);
        let refused =
            ran.err.lines().find(|line| line.contains("the gate is shut")).unwrap_or_else(|| panic!("{}", ran.err));
        assert!(refused.contains(&format!("{check}: ")) && refused.contains(says), "{check} {status}: {refused}");
        assert!(refused.contains("nothing was changed; "), "and what to do: {refused}");
        assert!(bastion.records("acme").await.iter().all(|entry| entry["record"]["record"] != "touching"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_for_whom_and_for_how_long_is_said_by_plan_and_by_rotate_before_anything_is_touched() {
    let bastion = Bastion::start(1, 3, CYCLE).await;
    let people = bastion.lab.world().tenant("acme").unwrap().people;
    let says_it = |err: &str| {
        assert!(err.contains("There is no transparent rotation: all 3 clients"), "{err}");
        assert!(err.contains("cuts off 3 clients: "), "{err}");
        assert!(people.iter().all(|person| err.contains(&person.name)), "{err}");
        assert!(err.contains("re-imported their configuration") && err.contains("reconcile cycles"), "{err}");
        err.find("There is no transparent rotation").unwrap()
    };
    let planned = bastion.run("plan acme --start", &[&now()]).await.ends(0);
    says_it(&planned.err);
    // To whom the gate is shut it is said as well.
    says_it(&bastion.run("rotate acme --confirm acme", &[]).await.ends(3).err);
    bastion.run("notify acme --kind announcement", &[]).await.ends(0);
    for person in &people {
        bastion.run("ack acme --by phone", &[&person.id]).await.ends(0);
    }
    let rotated = bastion.run("rotate acme --confirm acme --json", &[]).await.ends(0);
    let said = says_it(&rotated.err);
    assert!(said < rotated.err.find("step 5").unwrap(), "before the work: {}", rotated.err);
    rotated.json();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_exist_before_a_plan_are_run_again_one_by_one_and_their_warnings_are_printed() {
    let bastion = Bastion::all(1, 2, CYCLE).await;
    bastion.configure("agent_check", "# agent_check");
    let before = bastion.run("check acme", &[]).await.ends(0);
    for check in
        ["keystone", "barbican", "write", "mail", "mailbox", "console", "agent", "secret", "object", "clocks", "keys"]
    {
        assert!(before.out.lines().any(|line| line.contains(&format!(" {check}: "))), "{check}: {}", before.out);
    }
    let warned = "warn    agent: how it finds its key is not known: server.agent_check is not set; set it to find out; if it is \
                  pinned";
    assert!(before.out.contains(warned) && before.out.contains("only a rollback leads on"), "{}", before.out);
    assert!(before.out.contains("nothing of it is recorded"));
    let nothing = bastion.run("report acme --json", &[]).await.ends(1);
    assert!(nothing.err.contains("nothing was ever planned"), "{}", nothing.err);
    let json = bastion.run("check acme --only clocks --json", &[]).await.ends(0).json();
    let checks = json["preflight"]["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{json}");
    let finding = checks[0]["finding"].as_str().unwrap();
    for whose in ["server", "Keystone", "Barbican", "Swift", "console API"] {
        assert!(finding.contains(&format!("{whose} +0 s")) || finding.contains(&format!("{whose} +1 s")), "{finding}");
    }
    assert!(finding.contains("mail server not told"), "{finding}");

    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    let fault = bastion.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).path("limit=1").always());
    let failed = bastion.run("check acme", &[]).await.ends(1);
    assert!(failed.out.contains("FAIL    barbican: Barbican: "), "{}", failed.out);
    let run = || async { bastion.status("acme").await["preflight"].clone() };
    let state = |run: &Value, name: &str| {
        let checks = run["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap()["state"].clone()
    };
    let (whole, requests) = (run().await, bastion.lab.faults().requests(Service::Keystone).len());
    bastion.lab.faults().remove(fault);
    let again = bastion.run("check acme --only barbican", &[]).await.ends(0);
    assert!(again.out.contains("pass    barbican: answers"), "{}", again.out);
    let now = run().await;
    assert_eq!((state(&whole, "barbican"), state(&now, "barbican")), ("fail".into(), "pass".into()));
    assert_eq!(now["at"], whole["at"], "the run does not count longer for it");
    let attention = bastion.status("acme").await["attention"].to_string();
    assert!(!attention.contains("step 2 failed"), "nothing of it fails any more: {attention}");
    assert!(bastion.lab.faults().requests(Service::Keystone).len() >= requests);
    let unknown = bastion.run("check acme --only barbican-of-old", &[]).await.ends(2);
    assert!(unknown.err.contains("is not a check") && unknown.err.contains("keystone"), "{}", unknown.err);
    // Another command prints the warnings, too.
    let rotate = bastion.run("emergency acme --confirm acme --reason drill", &[]).await;
    assert!(rotate.err.contains("acme: warn agent: how it finds its key is not known"), "{}", rotate.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_difference_of_the_object_is_shown_before_it_is_uploaded() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let id = bastion.lab.world().tenant("acme").unwrap().id;
    let object = || bastion.lab.world().object(&id, "config/vpn-users.json").unwrap();
    let (before, key) = (object(), bastion.status("acme").await["keys"]["object"]["key"].as_str().unwrap().to_owned());
    bastion.lab.faults().add(Rule::new(Service::Swift, Fault::Status(403)).method("PUT").always());
    let ran = bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    assert_eq!(object(), before, "nothing was uploaded, and it was shown all the same");
    let staged = bastion.status("acme").await["keys"]["staged"].as_str().unwrap().to_owned();
    let shown = format!("- vpn_server_public_key: \"{key}\"; + vpn_server_public_key: \"{staged}\"; ");
    assert!(ran.err.contains(&shown) && ran.err.contains("stay as they are"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_can_not_do_the_work_fails_the_check_and_tokens_count_down() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    bastion.run("check acme", &[]).await.ends(0);
    let status = bastion.run("status acme", &[]).await.ends(0).out;
    // The lab's console gives tokens that do not say when they end.
    let line = status.lines().find(|line| line.starts_with("token     keystone: "));
    assert!(line.is_some_and(|line| line.ends_with(" left")), "{status}");
    bastion.configure("[console]\n", "[console]\nrole = \"superintendent\"\n");
    let failed = bastion.run("check acme", &[]).await.ends(1);
    let says = "operator, and the work here needs the role superintendent";
    assert!(failed.out.contains("FAIL    console: ") && failed.out.contains(says), "{}", failed.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspected_compromise_is_led_to_the_emergency_or_told_why_it_waits() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let planned = bastion.run("plan acme --cause compromise --start", &[&now()]).await.ends(0);
    assert!(planned.out.contains("waits for every answer"), "{}", planned.out);
    assert!(planned.out.contains("emergency acme --confirm acme --reason"), "{}", planned.out);
    let status = bastion.status("acme").await;
    let attention = status["attention"].to_string();
    assert!(attention.contains("emergency (E) rotates at once"), "{attention}");
    let ended = bastion.run("emergency acme --confirm acme --reason stolen", &[]).await.ends(0);
    assert!(ended.err.contains("There is no transparent rotation"), "{}", ended.err);
    let attention = bastion.status("acme").await["attention"].to_string();
    assert!(!attention.contains("rotates at once"), "{attention}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_shows_who_did_it_and_when_and_a_long_gap_is_marked() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let mut status = scene.status();
    let by = scene.wiring.operator();
    for step in &status.steps[..6] {
        let work = step.work.as_ref().unwrap_or_else(|| panic!("{step:?}"));
        assert!(work.owner == by && work.ended.is_some_and(|ended| ended >= work.began), "{work:?}");
    }
    assert!(status.steps[6].work.is_none() && status.long_gap().is_none());
    for (gap, long) in [(999_999, false), (1_000_000, true), (3_200_000, true)] {
        status.gap_us = Some(gap);
        assert_eq!(status.long_gap().is_some_and(|text| text.contains("ABOVE NORMAL")), long, "{gap}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_summary_of_mails_tells_refused_from_deferred_with_what_helps_each() {
    for (status, word, helps, never) in [
        (450, "1 deferred: ", "send again in a few minutes", "correct the address"),
        (550, "1 refused: ", "correct the address", "in a few minutes"),
    ] {
        let scene = Scene::start_with(|config| config.smtp.retries = 0).await;
        let (window, cause, reference) = (Scene::open_window(), Cause::Scheduled, String::new());
        scene.run(Command::Plan { window, cause, reference }).await.unwrap();
        scene.lab.faults().add(Rule::new(Service::Smtp, Fault::Status(status)).method("RCPT").nth(2));
        let kind = NoticeKind::Announcement;
        let ended = scene.run(Command::Notify { kind, only: None, again: false }).await.unwrap_err();
        let (text, advice) = (ended.to_string(), ended.advice());
        assert!(text.contains("2 accepted by the mail server") && text.contains(word), "{text}");
        assert!(advice.contains(helps) && !advice.contains(never), "{advice}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_and_silent_queued_and_to_tell_are_states_of_their_own() {
    let opens_later = || {
        let window = Scene::open_window();
        let later = |at: jiff::Timestamp| jiff::Timestamp::from_second(at.as_second() + 7200).unwrap();
        changeguard::domain::window::Window { start: later(window.start), end: later(window.end), ..window }
    };
    let scene = Scene::start().await;
    let (window, cause, reference) = (opens_later(), Cause::Scheduled, String::new());
    scene.run(Command::Plan { window, cause, reference }).await.unwrap();
    let words = || scene.status().clients.iter().map(|view| view.standing.word()).collect::<Vec<_>>();
    assert_eq!(words(), ["to tell"; 3]);
    let notify = |kind| Command::Notify { kind, only: None, again: false };
    scene.run(notify(NoticeKind::Announcement)).await.unwrap();
    assert_eq!(words(), ["sent"; 3]);
    scene.run(notify(NoticeKind::Reminder)).await.unwrap();
    assert_eq!(words(), ["silent"; 3], "asked twice");
    let window = Scene::another_window();
    scene.run(Command::Reschedule { window }).await.unwrap();
    assert_eq!(words(), ["to tell"; 3]);
    scene.run(notify(NoticeKind::Announcement)).await.unwrap();
    assert_eq!(words(), ["silent"; 3], "the window is open, and they have said nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_not_well_fails_the_check_and_the_end_and_says_why_step_6_is_late() {
    // Nobody but the test gives the agent a turn.
    let bastion = Bastion::start(1, 1, std::time::Duration::from_secs(3600)).await;
    bastion.configure("reconcile_interval = \"3600s\"", "reconcile_interval = \"1s\"");
    let log = "agent_log = \"sudo -n journalctl -u user-sync-agent --since -5min -o cat --no-pager\"";
    bastion.configure("agent_check", &format!("{log}\n# agent_check"));
    bastion.confirmed("acme").await;
    let world = bastion.lab.world();
    let said = |out: &str| out.lines().find(|line| line.contains(" agent-log: ")).unwrap().to_owned();
    let check = async |code| said(&bastion.run("check acme", &[]).await.ends(code).out);
    assert!(check(1).await.starts_with("FAIL"), "it has said nothing yet");
    world.reconcile("acme").await;
    assert!(check(0).await.starts_with("pass"));
    bastion.configure(log, "agent_log = \"false\"");
    let line = check(1).await;
    assert!(line.starts_with("FAIL") && line.contains("can't be read") && line.contains("set the check"), "{line}");
    bastion.run("rotate acme --confirm acme", &[]).await.ends(3);
    let status = bastion.run("status acme", &[]).await.out;
    assert!(status.contains("set-aside acme agent-log --reason"), "{status}");
    bastion.configure("agent_log = \"false\"", log);
    let gone = || world.set_agent_mode("acme", AgentMode::Pinned("00000000-0000-4000-8000-000000000000".into()));
    let well = || world.set_agent_mode("acme", AgentMode::ByName);
    gone();
    world.reconcile("acme").await;
    let line = check(1).await;
    assert!(
        line.starts_with("FAIL") && line.contains("it can't read the secret") && line.contains("secrets:get"),
        "{line}"
    );
    let refused = bastion.run("rotate acme --confirm acme", &[]).await.ends(3);
    assert!(refused.err.contains("agent-log: it can't read the secret"), "{}", refused.err);
    well();
    world.reconcile("acme").await;
    let line = check(0).await;
    assert!(line.starts_with("warn") && line.contains("transient"), "{line}");

    let late = bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    assert!(late.err.contains("the agent's errors have passed"), "{}", late.err);
    gone();
    world.reconcile("acme").await;
    let late = bastion.run("resume acme", &[]).await.ends(1);
    assert!(late.err.contains("the agent says that it can't read the secret"), "{}", late.err);
    well();
    world.reconcile("acme").await;
    bastion.run("resume acme", &[]).await.ends(0);
    bastion.run("notify acme --kind reconfigure", &[]).await.ends(0);
    world.reimport_all("acme").await;
    let person = world.tenant("acme").unwrap().people.remove(0).id;
    bastion.run("verify acme --back", &[&person]).await.ends(0);
    gone();
    world.reconcile("acme").await;
    let ended = bastion.run("finish acme", &[]).await.ends(1);
    assert!(
        ended.err.contains("it can't read the secret at its last look") && ended.err.contains("not destroyed"),
        "{}",
        ended.err
    );
    well();
    // A log without a word, and one that can't be read, are no log without errors.
    for (command, why) in [("true", "its log says nothing of a reconcile"), ("false", "its log can't be read")] {
        bastion.configure(log, &format!("agent_log = \"{command}\""));
        let ended = bastion.run("finish acme", &[]).await.ends(5);
        assert!(ended.err.contains(why) && ended.err.contains("a reason"), "{}", ended.err);
        bastion.configure(&format!("agent_log = \"{command}\""), log);
    }
    bastion.configure(log, "agent_log = \"true\"");
    bastion.run("finish acme --reason looked-at-by-hand", &[]).await.ends(0);
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    let told = "looked-at-by-hand (whether the agent is well is not known, for its log says nothing";
    assert!(report.contains(told), "{report}");
}

/// Every check of which its own advice says that it may be set aside is taken as such by the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_advice_offers_to_set_aside_can_be_set_aside() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/runbooks/wireguard/check");
    let sources = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let text = sources.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ").replace("\\ ", "");
    let named: BTreeSet<&str> = text
        .match_indices("set the check `")
        .filter_map(|(at, begin)| text[at + begin.len()..].split_once("` aside").map(|(name, _)| name))
        .collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["agent-log", "duplicates", "keys", "mailbox", "swap"]);
    let bastion = Bastion::start(1, 1, std::time::Duration::from_secs(1)).await;
    bastion.configure("agent_check", "agent_log = \"false\"\n# agent_check");
    bastion.confirmed("acme").await;
    bastion.run("rotate acme --confirm acme", &[]).await.ends(3);
    // The others fail, and are set aside, in tests of their own.
    bastion.run("set-aside acme agent-log --reason", &["looked at by hand"]).await.ends(0);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_of_the_agents_into_our_own_gap_is_no_error_that_the_end_waits_for() {
    // Nobody but the test gives the agent a turn.
    let bastion = Bastion::start(1, 1, std::time::Duration::from_secs(3600)).await;
    bastion.configure("reconcile_interval = \"3600s\"", "reconcile_interval = \"1s\"");
    let log = "agent_log = \"sudo -n journalctl -u user-sync-agent --since -5min -o cat --no-pager\"";
    bastion.configure("agent_check", &format!("{log}\n# agent_check"));
    let world = bastion.lab.world();
    world.reconcile("acme").await;
    bastion.confirmed("acme").await;
    // Both kept keys are stored, the live one is not.
    bastion.lab.faults().add(Rule::new(Service::Barbican, Fault::Status(503)).method("POST").which(Which::From(3)));
    let missing = bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    assert!(missing.err.contains("SECRET MISSING"), "{}", missing.err);
    world.reconcile("acme").await;
    bastion.lab.faults().clear();
    let late = bastion.run("resume acme", &[]).await.ends(1);
    assert!(late.err.contains("the agent says that it can't read the secret"), "{}", late.err);
    world.reconcile("acme").await;
    bastion.run("resume acme", &[]).await.ends(0);
    bastion.run("notify acme --kind reconfigure", &[]).await.ends(0);
    world.reimport_all("acme").await;
    let person = world.tenant("acme").unwrap().people.remove(0).id;
    bastion.run("verify acme --back", &[&person]).await.ends(0);
    world.reconcile("acme").await;
    bastion.run("finish acme", &[]).await.ends(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_person_is_in_a_mail_to_another() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let people = scene.lab.world().tenant("acme").unwrap().people;
    for mail in scene.lab.world().mails() {
        let text = String::from_utf8_lossy(&mail.raw).replace("\r\n", "\n");
        // What is attached is in base64.
        let parts = text.split("\n\n").filter_map(|part| {
            let body: String = part.lines().take_while(|line| !line.starts_with("--")).collect();
            <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).ok()
        });
        let whole: String = parts.fold(text.clone(), |whole, part| whole + &String::from_utf8_lossy(&part));
        assert!(whole.contains("BEGIN:VEVENT"), "the invitation is looked into");
        assert_eq!(mail.to.len(), 1);
        for person in &people {
            let theirs = mail.to[0].eq_ignore_ascii_case(&person.email);
            assert_eq!(whole.contains(&person.email), theirs, "{}: {}", mail.to[0], person.email);
            assert!(theirs || !whole.contains(&person.id) && !whole.contains(&person.name), "{}", person.name);
        }
    }
}
