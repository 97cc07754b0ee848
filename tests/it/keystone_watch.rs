//! `watch` on a cluster: it goes on with what was interrupted, purges only where that is configured, and calls a person for the rest.

use crate::keystone_cli::Site;
use serde_json::Value;

/// The lines about the cluster: each names it as its subject, and no tenant.
fn lines(out: &str) -> Vec<Value> {
    let all = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<Value> = all.filter(|line| line["subject"] == "keystone/lab").collect();
    assert!(lines.iter().all(|line| line["tenant"].is_null() && line["at"].is_string()), "{lines:?}");
    lines
}

fn texts(lines: &[Value], kind: &str) -> Vec<String> {
    let of = lines.iter().filter(|line| line["kind"] == kind);
    of.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_waits_for_a_person_unless_it_may_begin_by_itself() {
    let site = Site::start().await;
    site.issue();
    let rest = site.run("watch --once --json").await.ends(0);
    assert!(texts(&lines(&rest.out), "acts").is_empty(), "nothing begins by itself: {}", rest.out);
    site.run("rotate keystone/lab --confirm lab").await.ends(0);
    let rotated = site.names();
    let called = lines(&site.run("watch --once --json").await.ends(5).out);
    assert_eq!((texts(&called, "person").len(), texts(&called, "acts").len()), (1, 0), "{called:?}");
    assert!(texts(&called, "person")[0].contains("purge"), "{called:?}");
    assert_eq!(site.names(), rotated);
    site.0.configure("[keystone.lab]\n", "[keystone.lab]\npurge = \"when-safe\"\n");
    let purged = lines(&site.run("watch --once --json").await.ends(0).out);
    assert_eq!(texts(&purged, "acts"), ["purge: purge may begin by itself, and its gate is open"], "{purged:?}");
    assert_eq!(texts(&purged, "did").len(), 1, "{purged:?}");
    assert!(texts(&purged, "record").iter().any(|text| text.contains("step 8 done") && text.contains("(watch)")));
    assert_eq!(site.status().await["ended"], "done");
    site.is_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_left_in_the_middle_is_gone_on_with_to_where_a_person_is_needed() {
    let site = Site::start().await;
    site.issue();
    let mut rotating = site.0.begin("rotate keystone/lab --confirm lab");
    rotating.says("step 4").await;
    rotating.signal("KILL");
    rotating.ends().await;
    assert_eq!(site.status().await["phase"], "stopped");
    let gone_on = lines(&site.run("watch --once --json").await.out);
    let acts = texts(&gone_on, "acts");
    assert!(acts.len() == 1 && acts[0].starts_with("resume: step "), "{gone_on:?}");
    let status = site.status().await;
    assert_eq!((&status["phase"], &status["steps"][6]["state"]), (&"half-way".into(), &"done".into()), "{status}");
    site.is_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_down_is_told_once_and_nothing_is_tried_too_soon() {
    let site = Site::start().await;
    site.cluster().power(1, false);
    site.run("check keystone/lab").await.ends(1);
    let records = site.status().await["journal"].as_array().unwrap().len();
    let told = lines(&site.run("watch --once --json").await.out);
    assert!(texts(&told, "attention").iter().any(|text| text.contains("node1")), "{told:?}");
    assert!(texts(&told, "acts").is_empty(), "it failed seconds ago: {told:?}");
    assert_eq!(site.status().await["journal"].as_array().unwrap().len(), records);
}
