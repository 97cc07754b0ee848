//! What an operator asked for and was refused stands in the journal and in the report, with who, when, where and why; and so does
//! the environment's name.

use crate::bastion::{Bastion, CYCLE};
use serde_json::Value;

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string()
}

/// The refusals of the report, and their texts as the report tells them.
async fn report(bastion: &Bastion) -> (Vec<(String, String)>, String) {
    let report = bastion.run("report acme --json", &[]).await.ends(0).json();
    let records = report["records"].as_array().unwrap();
    let refused = |entry: &&Value| entry["record"]["record"] == "refused";
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let act = |entry: &Value| (text(&entry["record"]["act"]), text(&entry["record"]["why"]));
    (records.iter().filter(refused).map(act).collect(), report["incidents"].to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refused_act_is_in_the_journal_and_in_the_report() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    // Each with what is refused of it now: a wrong name, too early, too late, without a reason.
    let refused: &[(&str, &str)] = &[
        ("rotate acme --confirm acne", "rotate"),
        ("rotate acme --confirm acme", "rotate"),
        ("rollback acme --confirm acne --reason broken", "rollback"),
        ("rollback acme --confirm acme --reason broken", "rollback"),
        ("cancel acme --confirm acne --reason moved", "cancel"),
        ("emergency acme --confirm acne --reason stolen", "emergency"),
        ("finish acme", "finish"),
        ("review acme --note fine", "review"),
        ("accept acme", "accept"),
        ("recover acme --confirm acme --reason gone", "recover"),
        ("set-aside acme keystone --reason broken", "set-aside"),
        ("waive acme nobody --reason gone", "waive"),
        ("resolve acme --step 4 --done true --reason seen", "resolve"),
        ("mail decide acme 0123456789ab --as nothing", "mail"),
    ];
    for (at, (line, act)) in refused.iter().enumerate() {
        let ran = bastion.run(line, &[]).await;
        assert_ne!(ran.code, Some(0), "{line}");
        let (found, incidents) = report(&bastion).await;
        assert_eq!(found.len(), at + 1, "{line}: {found:?}");
        assert_eq!(found[at].0, *act);
        assert!(!found[at].1.is_empty() && incidents.contains(&format!("{act} refused: ")), "{line}: {incidents}");
    }
    let reasons = bastion.records("acme").await.iter().filter(|entry| entry["record"]["reason"] == "broken").count();
    assert!(reasons >= 2, "the reason that was given is told");
    // What could not take the tenant, and what the command line refuses, is in the report all the same.
    bastion.run("finish acme --confirm acne", &[]).await.ends(2);
    bastion.run("takeover acme --confirm acme --reason night", &[]).await.ends(1);
    let (found, incidents) = report(&bastion).await;
    assert_eq!(found.len(), refused.len());
    for told in ["finish refused: another name", "takeover refused: "] {
        assert!(incidents.contains(told), "{told}: {incidents}");
    }
    assert!(!incidents.contains("acne"), "what was typed may be anything: {incidents}");
    // They changed nothing: it goes on as if they had not been.
    bastion.run("audit verify", &[]).await.ends(0);
    assert_eq!(bastion.status("acme").await["phase"], "planned");
    bastion.run("cancel acme --confirm acme --reason moved", &[]).await.ends(0);
    bastion.run("rollback acme --confirm acme --reason late", &[]).await.ends(1);
    let (found, _) = report(&bastion).await;
    assert_eq!(found.len(), refused.len() + 1, "after the end, too");
    bastion.run("audit verify", &[]).await.ends(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_and_what_is_done_without_a_person_leave_no_refusal() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.run("plan acme --start", &[&now()]).await.ends(0);
    for line in ["resume acme", "verify acme", "watch --once", "status acme", "notify acme --kind all-clear"] {
        bastion.run(line, &[]).await;
    }
    assert!(report(&bastion).await.0.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_is_in_every_record_and_in_the_report() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.run("--environment PRODUCTION-eu-1 plan acme --start", &[&now()]).await.ends(0);
    let mut command = bastion.command("note acme hello", &[]);
    command.env("CHANGEGUARD_ENVIRONMENT", "staging");
    bastion.spawn(command).ends().await.ends(0);
    bastion.run("--environment PRODUCTION-eu-1 finish acme", &[]).await.ends(1);
    bastion.run("note acme bare", &[]).await.ends(0);
    let report = bastion.run("report acme --json", &[]).await.ends(0).json();
    let records = report["records"].as_array().unwrap();
    let of = |name: &str| records.iter().filter(|entry| entry["environment"] == name).count();
    let bare = records.iter().filter(|entry| entry.get("environment").is_none()).count();
    assert_eq!((of("PRODUCTION-eu-1") + of("staging") + bare, of("staging"), bare), (records.len(), 1, 1));
    assert_eq!(report["environments"], serde_json::json!(["PRODUCTION-eu-1", "staging"]));
    let text = bastion.run("report acme", &[]).await.ends(0).out;
    let line = text.lines().find(|line| line.starts_with("- environment: ")).unwrap();
    assert!(line.contains("PRODUCTION-eu-1") && line.contains("staging"), "{text}");
}
