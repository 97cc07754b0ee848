//! What is not known is not told as known: how many people there are before anybody has looked, how long a gap or a step was whose
//! run has died, since when the key is live, and a console whose token is gone, has ended, or ends too soon.

use crate::bastion::{Bastion, CYCLE};
use base64ct::{Base64UrlUnpadded, Encoding};
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::engine::ports::Unfenced;
use changeguard::engine::secret::PrivateKey;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()
}

/// Runs a line that is killed at one record of it.
async fn killed(bastion: &Bastion, line: &str, at: &str, nth: usize) {
    let mut command = bastion.command(line, &[]);
    command.env("CHANGEGUARD_REHEARSE", format!("{at} {nth}"));
    assert_eq!(bastion.spawn(command).ends().await.code, None, "{at} {nth}: it is killed");
}

/// The place of the first record of a kind among those that `rotate` has written, by a rotation that went well.
async fn place_in_rotate(bastion: &Bastion, tenant: &str, kind: &str) -> usize {
    bastion.confirmed(tenant).await;
    let before = bastion.records(tenant).await.len();
    bastion.run(&format!("rotate {tenant} --confirm {tenant}"), &[]).await.ends(0);
    let records = bastion.records(tenant).await;
    1 + records[before..].iter().position(|entry| entry["record"]["record"] == kind).unwrap()
}

fn step(status: &Value, number: usize) -> &Value {
    &status["steps"][number - 1]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_that_a_run_has_left_open_is_counted_by_the_journal_once_it_is_closed() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets").nth(3);
    bastion.lab.faults().add(refused);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    bastion.lab.faults().clear();
    let ended = bastion.run("resume acme --json", &[]).await.ends(0).json();
    let records = bastion.records("acme").await;
    let at = |kind: &str| {
        let entry = records.iter().find(|entry| entry["record"]["record"] == kind).unwrap();
        entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let open = at("swapped").duration_since(at("touching")).as_secs_f64() * 1000.0;
    let gap = ended["gap_ms"].as_f64().unwrap();
    assert!(gap > 0.0 && gap <= open, "{gap} of {open}");
    let status = bastion.status("acme").await;
    assert_eq!(status["gap_us"].as_f64().unwrap() / 1000.0, gap);
    assert_eq!(status["broken_gap"]["is_known"], true, "{}", status["broken_gap"]);
    let told = "by the journal: DELETE at ";
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    assert!(report.contains("gap without a secret: ") && report.contains(told), "{report}");
    assert_eq!(bastion.run("report acme --json", &[]).await.ends(0).json()["times"]["gap_ms"].as_f64(), Some(gap));
    let text = bastion.run("status acme", &[]).await.ends(0).out;
    assert!(text.lines().any(|line| line.starts_with("gap ") && line.contains(told)), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_whose_end_nobody_has_seen_is_not_told_as_a_number() {
    let bastion = Bastion::start(2, 1, CYCLE).await;
    let names: Vec<String> = bastion.lab.world().tenants().into_iter().map(|tenant| tenant.name).collect();
    let nth = place_in_rotate(&bastion, &names[0], "swapped").await;
    let tenant = &names[1];
    bastion.confirmed(tenant).await;
    killed(&bastion, &format!("rotate {tenant} --confirm {tenant}"), "kill-before", nth).await;
    bastion.run(&format!("resume {tenant}"), &[]).await.ends(0);
    let status = bastion.status(tenant).await;
    assert!(status["gap_us"].is_null() && status["broken_gap"]["is_known"] == false, "{status:#}");
    let report = bastion.run(&format!("report {tenant}"), &[]).await.ends(0).out;
    assert!(report.contains("gap without a secret: not known: ") && report.contains("at most "), "{report}");
    assert!(status["attention"].to_string().contains("is not known"), "{}", status["attention"]);
    // A rotation that went through knows it.
    let other = bastion.status(&names[0]).await;
    assert!(other["gap_us"].as_u64().unwrap() > 0 && other.get("broken_gap").is_none(), "{other:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_that_somebody_else_has_ended_is_not_told_as_the_short_one_of_the_next_run() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets").nth(3);
    bastion.lab.faults().add(refused);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    bastion.lab.faults().clear();
    let (world, theirs) = (bastion.lab.world(), PrivateKey::from_random([78; 32]));
    let name = format!("vpn-private-key-{}", world.tenants()[0].id);
    world.add_secret(&name, "text/plain", Some(theirs.to_payload(false).expose()));
    bastion.run("resume acme", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    assert!(status["gap_us"].is_null() && status["broken_gap"]["is_known"] == false, "{status:#}");
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    assert!(report.contains("gap without a secret: not known: ") && report.contains("at most "), "{report}");
    // What others do to a step that had ended well is no interruption of it.
    let live = world.key_secrets("acme").remove(0);
    world.remove_secret(&live.id);
    bastion.run("resume acme", &[]).await.ends(0);
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    assert!(report.contains("step 4 had ended well, and was looked at again; found not done: "), "{report}");
    assert!(!report.contains("step 4 had been interrupted"), "{report}");
    // A gap that nobody here has made is one all the same, and so is each one before the last.
    let found = ", nothing had the name when it was looked at ";
    assert!(report.contains(found) && report.contains("nothing has the live secret's name"), "{report}");
    let status = bastion.status("acme").await;
    assert!(status["gap_us"].is_null() && status["broken_gap"]["by_others"] == true, "{}", status["broken_gap"]);
    assert!(
        report.contains("- gap without a secret: not known: somebody else had left the name empty; at most "),
        "{report}"
    );
    let evidence = step(&status, 4)["detail"].as_str().unwrap().to_owned();
    assert!(evidence.starts_with("gap (not known: somebody else had left the name empty; at most "), "{evidence}");
    assert!(report.contains("- earlier gap without a secret: not known: "), "{report}");
    // One that could be measured hides none of those that could not.
    let (live, theirs) = (world.key_secrets("acme").remove(0), PrivateKey::from_random([79; 32]));
    world.remove_secret(&live.id);
    world.add_secret(&name, "text/plain", Some(theirs.to_payload(false).expose()));
    bastion.run("resume acme", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    assert!(status["gap_us"].as_u64().is_some() && status["earlier_gaps"].as_array().unwrap().len() == 2, "{status:#}");
    assert!(status["attention"].to_string().contains("how long the tenant's name was without a secret is not known"));
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    assert_eq!(report.matches("- earlier gap without a secret: not known: ").count(), 2, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gap_of_the_way_back_hides_none_of_the_way_forward() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let forward =
        bastion.run("rotate acme --confirm acme --json", &[]).await.ends(0).json()["gap_ms"].as_f64().unwrap();
    bastion.run("rollback acme --confirm acme --reason broken", &[]).await.ends(0);
    let report = bastion.run("report acme --json", &[]).await.ends(0).json();
    let earlier = report["times"]["earlier_gaps_ms"].as_array().unwrap();
    assert_eq!((earlier.len(), earlier[0][1].as_f64()), (1, Some(forward)), "{earlier:?}");
    assert_ne!(report["times"]["gap_ms"].as_f64(), Some(forward), "one gap stands once");
    let text = bastion.run("report acme", &[]).await.ends(0).out;
    // On a loaded machine it may be of two digits, and is told without a fraction then.
    let told = [format!("{forward:.1}"), format!("{forward:.0}")].map(|ms| format!("secret: {ms} ms, ended "));
    assert!(told.iter().any(|told| text.contains(told)), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_was_empty_is_not_said_to_be_untouched_where_somebody_has_put_the_old_key_back() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("POST").path("/v1/secrets").nth(3);
    bastion.lab.faults().add(refused);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    bastion.lab.faults().clear();
    let world = bastion.lab.world();
    let is_previous = |name: &str| name.starts_with("changeguard-previous-");
    let copy = world.secrets("").into_iter().find(|secret| is_previous(&secret.name)).unwrap();
    let name = format!("vpn-private-key-{}", world.tenants()[0].id);
    world.add_secret(&name, "text/plain", copy.payload.as_deref());
    bastion.run("resume acme", &[]).await.ends(0);
    let records = bastion.records("acme").await;
    assert!(records.iter().all(|entry| entry["record"]["record"] != "not-touched"), "{records:#?}");
    let status = bastion.status("acme").await;
    assert!(status["gap_us"].is_null() && status["broken_gap"]["is_known"] == false, "{status:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_live_before_anybody_looked_again_is_told_as_seen_and_not_as_waited_for() {
    let bastion = Bastion::start(2, 1, CYCLE).await;
    let names: Vec<String> = bastion.lab.world().tenants().into_iter().map(|tenant| tenant.name).collect();
    let nth = place_in_rotate(&bastion, &names[0], "applied").await;
    let usual = bastion.run(&format!("report {} --json", names[0]), &[]).await.ends(0).json();
    assert!(usual["times"]["live_not_before"].is_null() && usual["times"]["waited_for_server_ms"].is_u64());
    let tenant = &names[1];
    bastion.confirmed(tenant).await;
    killed(&bastion, &format!("rotate {tenant} --confirm {tenant}"), "kill-before", nth).await;
    let status = bastion.status(tenant).await;
    let work = &step(&status, 6)["work"];
    assert!(work["interrupted"] == true && work.get("ended").is_none(), "it wrote nothing: {work}");
    let text = bastion.run(&format!("status {tenant}"), &[]).await.ends(0).out;
    assert!(text.contains("interrupted, nobody knows when"), "{text}");
    // Long enough after the pair that the server's own moment is not known.
    let touched = bastion.records(tenant).await;
    let touched = touched.iter().find(|entry| entry["record"]["record"] == "touching").unwrap()["at"].clone();
    let touched: jiff::Timestamp = touched.as_str().unwrap().parse().unwrap();
    let long = bastion
        .lab
        .world()
        .until(crate::bastion::PATIENCE, |_| jiff::Timestamp::now().duration_since(touched).as_secs() >= 4);
    assert!(long.await);
    bastion.run(&format!("resume {tenant}"), &[]).await.ends(0);
    let status = bastion.status(tenant).await;
    let detail = step(&status, 6)["detail"].as_str().unwrap();
    assert!(detail.contains("seen at ") && detail.contains("when it was looked again (not before "), "{detail}");
    let report = bastion.run(&format!("report {tenant} --json"), &[]).await.ends(0).json();
    assert!(report["times"]["waited_for_server_ms"].is_null(), "{}", report["times"]);
    let not_before: jiff::Timestamp = report["times"]["live_not_before"].as_str().unwrap().parse().unwrap();
    assert_eq!(not_before, touched);
    let report = bastion.run(&format!("report {tenant}"), &[]).await.ends(0).out;
    assert!(report.contains("- live on the server: seen ") && !report.contains("after step 6 began"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_after_a_death_in_step_6_says_that_the_server_has_taken_the_key_and_nothing_of_clocks() {
    let bastion = Bastion::start(2, 1, CYCLE).await;
    let names: Vec<String> = bastion.lab.world().tenants().into_iter().map(|tenant| tenant.name).collect();
    let nth = place_in_rotate(&bastion, &names[0], "applied").await;
    let tenant = &names[1];
    bastion.confirmed(tenant).await;
    killed(&bastion, &format!("rotate {tenant} --confirm {tenant}"), "kill-before", nth).await;
    let watched = bastion.run("watch --once", &[]).await;
    let said = watched.out + &watched.err;
    assert!(said.contains("step 6 looked at again: the server has taken the key"), "{said}");
    assert!(!said.contains("found not done") && !said.contains("set back"), "{said}");
    assert_eq!(step(&bastion.status(tenant).await, 6)["state"], "done");
    let report = bastion.run(&format!("report {tenant}"), &[]).await.ends(0).out;
    assert!(report.contains("step 6 had been interrupted; looked at again: "), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_step_lasted_until_its_last_record_and_not_until_it_was_resumed() {
    let bastion = Bastion::start(2, 1, CYCLE).await;
    let names: Vec<String> = bastion.lab.world().tenants().into_iter().map(|tenant| tenant.name).collect();
    let nth = place_in_rotate(&bastion, &names[0], "checked").await;
    let tenant = &names[1];
    bastion.confirmed(tenant).await;
    killed(&bastion, &format!("rotate {tenant} --confirm {tenant}"), "kill-after", nth).await;
    bastion.run(&format!("note {tenant}"), &["later"]).await.ends(0);
    bastion.run(&format!("resume {tenant}"), &[]).await.ends(0);
    let records = bastion.records(tenant).await;
    let checked = records.iter().rfind(|entry| entry["record"]["record"] == "checked").unwrap();
    let status = bastion.status(tenant).await;
    let work = &step(&status, 2)["work"];
    assert!(work["interrupted"] == true && work["ended"] == checked["at"], "{work} {checked}");
    let text = bastion.run(&format!("status {tenant}"), &[]).await.ends(0).out;
    assert!(text.contains(", interrupted after "), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sentence_tells_a_number_of_people_before_anybody_has_looked() {
    let bastion = Bastion::start(1, 4, CYCLE).await;
    let says = |err: &str, text: &str| assert!(err.contains(text) && !err.contains("0 clients"), "{text:?}: {err}");
    let line = "emergency acme --confirm nope --reason x";
    says(&bastion.run(line, &[]).await.ends(2).err, "all 4 clients (");
    bastion.lab.faults().add(Rule::new(Service::Swift, Fault::Status(503)).always());
    let unknown = "all clients (how many there are is not known: ";
    says(&bastion.run(line, &[]).await.ends(2).err, unknown);
    says(&bastion.run("plan acme --start", &[&now()]).await.ends(0).err, unknown);
    says(&bastion.run("rotate acme --confirm acme", &[]).await.ends(3).err, unknown);
    let text = bastion.run("status acme", &[]).await.ends(0).out;
    assert!(text.contains("nobody has confirmed (how many there are is not known: "), "{text}");
    let text = bastion.run("status", &[]).await.ends(0).out;
    assert!(text.lines().any(|line| line.starts_with("acme") && line.contains(" ? ")), "{text}");
    // Once they were seen they are told with the moment, where nobody can look now.
    bastion.lab.faults().clear();
    bastion.run("check acme", &[]).await.ends(0);
    bastion.lab.faults().add(Rule::new(Service::Swift, Fault::Status(503)).always());
    let refused = bastion.run("rotate acme --confirm acme", &[]).await.ends(3).err;
    says(&refused, "all 4 clients as of 2");
    bastion.lab.faults().clear();
    says(&bastion.run("rotate acme --confirm acme", &[]).await.ends(3).err, "all 4 clients (");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_check_is_answered_by_that_check_and_the_others_are_named_with_their_time() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    // Where nothing was checked yet, too.
    bastion.lab.faults().add(Rule::new(Service::Keystone, Fault::Status(503)).path("/v3/auth/tokens").always());
    let only = async |code| {
        let ran = bastion.run("check acme --only agent", &[]).await.ends(code);
        let rows: Vec<&str> = ran.out.lines().take_while(|line| !line.starts_with("acme: ")).collect();
        assert!(rows.len() <= 2 && rows[0].contains(" agent: "), "{}", ran.out);
        let others = rows.get(1).copied().unwrap_or_default().to_owned();
        assert!(others.is_empty() || others.starts_with("others FAIL, each when it was asked last: "), "{others}");
        others
    };
    assert!(only(0).await.contains("keystone"));
    bastion.run("check acme", &[]).await.ends(1);
    bastion.lab.faults().clear();
    assert!(only(0).await.contains("keystone"), "as it was found then");
    let json = bastion.run("check acme --only agent --json", &[]).await.ends(0).json();
    assert!(json["ok"] == true && json["status"]["preflight"]["checks"].as_array().unwrap().len() > 2, "{json}");
    bastion.run("check acme --only keystone", &[]).await.ends(0);
    bastion.lab.faults().add(Rule::new(Service::Keystone, Fault::Status(503)).path("/v3/auth/tokens").always());
    bastion.run("check acme --only keystone", &[]).await.ends(1);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_token_that_is_gone_or_open_to_others_is_a_state_and_comes_back_without_a_start() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let file = bastion.config().parent().unwrap().join("console-token");
    let token = std::fs::read_to_string(&file).unwrap();
    let console = |out: &str| out.lines().find(|line| line.contains(" console: ")).unwrap_or_default().to_owned();
    let open = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    for mode in [None, Some(0o644), Some(0o666)] {
        match mode {
            None => std::fs::remove_file(&file).unwrap(),
            Some(mode) => open(mode),
        }
        let status = bastion.run("status acme", &[]).await.ends(0);
        assert!(status.out.contains("console-token") && status.out.contains("phase "), "{}", status.out);
        let check = console(&bastion.run("check acme", &[]).await.ends(1).out);
        assert!(check.starts_with("FAIL") && check.contains("console-token") && check.contains("chmod 600"), "{check}");
        bastion.run("rotate acme --confirm acme", &[]).await.ends(3);
        let said = bastion.run("config check", &[]).await;
        assert!(said.code != Some(0) && (said.out + &said.err).contains("console.token_file"), "{:?}", said.code);
        std::fs::write(&file, &token).unwrap();
        open(0o600);
    }
    let check = console(&bastion.run("check acme", &[]).await.ends(0).out);
    assert!(check.starts_with("pass"), "{check}");
    // A process that lives on meets the same.
    let config = changeguard::config::load(Some(bastion.config()), &|_| None).unwrap();
    let wiring = changeguard::runtime::wiring::Wiring::open(config).await.unwrap();
    let (tenants, _) = wiring.tenants().await;
    let fleet = wiring.fleet(tenants, std::sync::Arc::new(crate::scene::Silent)).unwrap();
    let acme = fleet.find("acme").unwrap();
    let world = wiring.world(acme.tenant().clone(), std::sync::Arc::new(Unfenced)).unwrap();
    let fault = async || {
        world.console.as_ref().unwrap().forget().await;
        acme.look().await;
        acme.fault_of(changeguard::engine::sources::Source::Console).map(|fault| fault.to_string())
    };
    assert_eq!(fault().await, None);
    std::fs::remove_file(&file).unwrap();
    assert!(fault().await.unwrap().contains("console-token"));
    std::fs::write(&file, &token).unwrap();
    open(0o600);
    assert_eq!(fault().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_consoles_token_is_counted_down_and_told_when_it_is_over() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    let file = bastion.config().parent().unwrap().join("console-token");
    let write = |left: i64| {
        let ends = jiff::Timestamp::now().as_second() + left;
        let claims = Base64UrlUnpadded::encode_string(format!("{{\"sub\": \"op\", \"exp\": {ends}}}").as_bytes());
        std::fs::write(&file, format!("e30.{claims}.sig")).unwrap();
        ends
    };
    for (left, says) in [(1210, "20 min left"), (-60, "it has ENDED")] {
        let ends = write(left);
        let text = bastion.run("status acme", &[]).await.ends(0).out;
        let line = text.lines().find(|line| line.starts_with("token ")).unwrap_or_default();
        assert!(line.contains("console: the token ends ") && line.ends_with(says), "{text}");
        let status = bastion.status("acme").await;
        let told: jiff::Timestamp = status["console_token_ends"].as_str().unwrap().parse().unwrap();
        assert_eq!(told.as_second(), ends);
        assert_eq!(status["attention"].to_string().contains("token has ended"), left < 0, "{}", status["attention"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_mail_waits_for_what_the_policy_names_and_a_weaker_one_is_told() {
    // Nobody but the test gives the agent a turn.
    let bastion = Bastion::start(1, 1, std::time::Duration::from_secs(3600)).await;
    bastion.configure("reconcile_interval = \"3600s\"", "reconcile_interval = \"1s\"");
    bastion.confirmed("acme").await;
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    let told = "without asking whether the interface has the live key";
    let refused = bastion.run("notify acme --kind reconfigure", &[]).await.ends(1);
    assert!(refused.err.contains("step 6 is not done"), "{}", refused.err);
    bastion.configure("[notices]", "[notices]\nreconfigure_needs = [\"interface\"]");
    let refused = bastion.run("notify acme --kind reconfigure", &[]).await.ends(2);
    assert!(refused.err.contains("notices.reconfigure_needs") && refused.err.contains("\"object\""), "{}", refused.err);
    bastion.configure("reconfigure_needs = [\"interface\"]", "reconfigure_needs = [\"object\"]");
    let mails = bastion.lab.world().mails().len();
    assert!(bastion.status("acme").await["attention"].to_string().contains(told), "before it goes, too");
    bastion.run("notify acme --kind reconfigure", &[]).await.ends(0);
    assert_eq!(bastion.lab.world().mails().len(), mails + 1);
    // What it was sent by is told although the policy is another one later.
    bastion.configure("reconfigure_needs = [\"object\"]", "");
    assert!(bastion.status("acme").await["attention"].to_string().contains(told));
    let report = bastion.run("report acme", &[]).await.ends(0).out;
    assert!(report.contains(&format!("- the second mail goes out {told}")), "{report}");
    bastion.lab.world().reconcile("acme").await;
    bastion.run("resume acme", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    assert_eq!((&step(&status, 6)["state"], &step(&status, 7)["state"]), (&"done".into(), &"done".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_has_begun_or_is_too_short_is_planned_with_a_word() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    let planned = bastion.run("plan acme --length 2m --start", &[&now()]).await.ends(0);
    assert!(planned.err.contains("has begun already"), "{}", planned.err);
    assert!(planned.err.contains("lasts 2 min, and a rotation may take "), "{}", planned.err);
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30);
    let later = later.strftime("%Y-%m-%d %H:%M").to_string();
    let planned = bastion.run("plan acme --change --length 2h --start", &[&later]).await.ends(0);
    assert!(!planned.err.contains("has begun") && !planned.err.contains("may take "), "{}", planned.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_whom_the_readable_places_have_dropped_does_not_come_back_with_a_console_that_fails() {
    let bastion = Bastion::all(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let world = bastion.lab.world();
    let (id, path) = (world.tenant("acme").unwrap().id, "config/vpn-users.json");
    let before = world.object(&id, path).unwrap();
    let mut with: Value = serde_json::from_slice(&before).unwrap();
    with["users"].as_array_mut().unwrap().push(serde_json::json!({"id": "u-new", "name": "No Mail"}));
    world.put_object(&id, path, &serde_json::to_vec(&with).unwrap());
    bastion.run("check acme", &[]).await;
    assert!(bastion.status("acme").await["clients"].to_string().contains("u-new"));
    world.put_object(&id, path, &before);
    bastion.run("rehearse on console-500", &[]).await.ends(0);
    let status = bastion.status("acme").await;
    assert!(!status["clients"].to_string().contains("u-new"), "{}", status["clients"]);
    assert_eq!(status["clients"].as_array().unwrap().len(), 1, "whoever the console may still know stays");
    assert_ne!(status["gate"], "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_to_go_back_too_early_is_led_to_cancel_and_not_to_go_on() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let refused = Rule::new(Service::Barbican, Fault::Status(403)).method("DELETE").always();
    bastion.lab.faults().add(refused);
    bastion.run("rotate acme --confirm acme", &[]).await.ends(1);
    bastion.lab.faults().clear();
    let said = bastion.run("rollback acme --confirm acme --reason broken", &[]).await.ends(1).err;
    assert!(said.contains("cancel the rotation instead: changeguard ") && said.contains(" cancel acme "), "{said}");
    assert!(!said.contains("run: ") && !said.contains("resume"), "{said}");
}
