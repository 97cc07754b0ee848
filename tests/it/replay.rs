//! A past case is shown again, record after record, and nothing is asked, taken or written for it.

use crate::bastion::Bastion;
use crate::keystone_cli::Site;
use crate::pty::Program;
use serde_json::Value;
use std::time::Duration;

const CYCLE: Duration = Duration::from_millis(300);

fn documents(out: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(out).into_iter().collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_moment_of_a_rotation_is_what_was_true_then() {
    let bastion = Bastion::start(1, 2, CYCLE).await;
    let none = bastion.run("replay acme --json", &[]).await.ends(1);
    assert!(none.err.contains("nothing was ever planned for acme"), "{}", none.err);
    bastion.confirmed("acme").await;
    bastion.run("rotate acme --confirm acme", &[]).await.ends(0);
    let records = bastion.records("acme").await;
    let now = bastion.run("status acme --offline --json", &[]).await.ends(0).json();
    // Whoever replays asks nobody: with every service away it is the same.
    let calls = bastion.lab.faults().calls();
    let told = documents(&bastion.run("replay acme --json", &[]).await.ends(0).out);
    assert_eq!(bastion.lab.faults().calls(), calls, "somebody was asked");
    assert_eq!(told.len(), records.len());
    let phases: Vec<&str> = told.iter().map(|moment| moment["status"]["phase"].as_str().unwrap()).collect();
    let mut order = phases.clone();
    order.dedup();
    assert_eq!(order, ["planned", "announced", "rotating", "returning"], "{phases:?}");
    let last = told.last().unwrap();
    for field in ["phase", "window", "clients", "standing", "notices"] {
        let without_age = |value: &Value| value[field].to_string();
        assert_eq!(without_age(&last["status"]), without_age(&now), "{field}");
    }
    for (number, moment) in told.iter().enumerate() {
        assert_eq!((&moment["record"], &moment["of"]), (&(number + 1).into(), &told.len().into()));
        assert_eq!(moment["at"], records[number]["at"], "{number}");
    }
    // In the middle of a step it was at work, and nobody's interruption.
    let steps = told.iter().flat_map(|moment| moment["status"]["steps"].as_array().cloned().unwrap_or_default());
    assert!(steps.clone().any(|step| step["state"] == "running") && steps.clone().all(|s| s["state"] != "interrupted"));
    assert_eq!(bastion.records("acme").await, records, "nothing was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_rotation_is_gone_through_by_keys() {
    let bastion = Bastion::start(1, 2, CYCLE).await;
    bastion.confirmed("acme").await;
    let count = bastion.records("acme").await.len();
    let config = bastion.config().to_str().unwrap().to_owned();
    let mut program = Program::start(&["--config", &config, "replay", "acme", "--speed", "3600"], &[], 150, 34);
    tokio::task::block_in_place(|| {
        program.shows(&format!("REPLAY {count} of {count}, the end"));
        program.shows("announced");
        program.keys(",").shows(&format!("REPLAY {} of {count}, paused", count - 1));
        for _ in 1..count - 1 {
            program.keys(",");
        }
        program.shows(&format!("REPLAY 1 of {count}, paused"));
        program.shows("planned");
        program.keys(".").shows(&format!("REPLAY 2 of {count}, paused"));
        // Nothing of it is done again.
        program.keys("n").shows("read-only: nothing is changed from here");
        program.keys("4").shows("Journal");
        program.keys(" ").shows(&format!("REPLAY {count} of {count}, the end"));
        program.keys("qq");
        assert_eq!(program.ends_within(Duration::from_secs(60)), 0);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clusters_past_case_is_shown_again_as_well() {
    let site = Site::start().await;
    site.run("rotate keystone/lab --confirm lab").await.ends(0);
    let told = documents(&site.run("replay keystone/lab --json").await.ends(0).out);
    let phases: Vec<&str> = told.iter().map(|moment| moment["status"]["phase"].as_str().unwrap()).collect();
    assert_eq!(phases.last(), Some(&"half-way"), "{phases:?}");
    assert!(phases.contains(&"running"), "{phases:?}");
    assert!(told.iter().all(|moment| !moment["what"].as_str().unwrap().is_empty()));
}
