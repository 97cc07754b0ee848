//! A Keystone cluster by the binary's subcommands alone, as an operator and a timer use them: forward, back, and where it must not go on.

use super::fernet_rig::{Rig, now};
use crate::bastion::{Bastion, Ran};
use changeguard::adapters::lab::fernet::{Cluster, KeyState};
use serde_json::Value;

/// The lab's cluster, and processes of the program on its configuration.
pub struct Site(pub Bastion);

impl Site {
    pub async fn start() -> Self {
        let Rig { lab, folder } = Rig::new().await;
        let site = Self(Bastion { lab, folder });
        // Nobody asks these nodes meanwhile.
        site.0.configure("[keystone.lab]\n", "[keystone.lab]\npause = \"0s\"\n");
        site
    }

    pub fn cluster(&self) -> &Cluster {
        self.0.lab.cluster().unwrap()
    }

    pub async fn run(&self, line: &str) -> Ran {
        self.0.run(line, &[]).await
    }

    pub async fn status(&self) -> Value {
        self.run("status keystone/lab --json").await.json()
    }

    /// The command that is printed as the next one, without the program's name.
    async fn next(&self) -> Option<String> {
        let text = self.run("status keystone/lab").await.out;
        let line = text.lines().find_map(|line| line.strip_prefix("run ")).map(str::trim);
        // It can be pasted: it names the configuration that was given, and so it does for who gives it once more.
        line.map(|line| line.strip_prefix("changeguard --config ").unwrap().split_once(' ').unwrap().1.to_owned())
    }

    fn keys(&self) -> Vec<Vec<KeyState>> {
        self.cluster().state().nodes.into_iter().map(|node| node.tokens).collect()
    }

    pub fn names(&self) -> Vec<Vec<String>> {
        self.keys().into_iter().map(|keys| keys.into_iter().map(|key| key.name).collect()).collect()
    }

    /// A token of each node.
    pub fn issue(&self) {
        for node in 0..3 {
            self.cluster().issue(node, self.cluster().admin()).unwrap();
        }
    }

    /// Every token that is not past its life is taken at every node, and no key, token or password stood in a script.
    pub fn is_whole(&self) {
        assert_eq!(self.cluster().still_valid(now()), Vec::<String>::new());
        assert_eq!(self.cluster().forbidden(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_as_next_leads_through_a_whole_rotation() {
    let site = Site::start().await;
    site.issue();
    let all = site.run("status --json").await.ends(0).json();
    let last = all.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["subject"], &last["phase"], &last["due"]["now"]),
        (&"keystone/lab".into(), &"idle".into(), &true.into())
    );
    let list = site.run("status").await.ends(0).out;
    assert!(list.contains("keystone/lab  idle"), "{list}");
    let trial = site.run("rotate keystone/lab --dry-run").await.ends(0).out;
    let keys = site.keys();
    let staged = &keys[0].iter().find(|key| key.name == "0").unwrap().digest[..12];
    assert!(trial.contains("key 0 becomes the primary 18") && trial.contains(&format!("0 {staged}")), "{trial}");
    assert_eq!(site.status().await["case"], Value::Null, "nothing was begun");
    let mut done = Vec::new();
    while let Some(line) = site.next().await {
        let ended = site.run(&format!("{line} --json")).await.ends(0).json();
        assert_eq!(
            (&ended["ok"], &ended["exit"], &ended["subject"]),
            (&true.into(), &0.into(), &"keystone/lab".into())
        );
        site.is_whole();
        site.issue();
        done.push((line, ended["status"]["phase"].as_str().unwrap().to_owned(), site.names()));
        if ended["status"]["ended"] == "done" {
            break;
        }
        assert!(done.len() < 3, "{done:?}");
    }
    let all = |names: &[&str]| vec![names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(); 3];
    let expected = [
        ("rotate keystone/lab --confirm lab".to_owned(), "half-way".to_owned(), all(&["0", "16", "17", "18"])),
        ("purge keystone/lab --confirm lab".to_owned(), "idle".to_owned(), all(&["0", "17", "18"])),
    ];
    assert_eq!(done, expected);
    let keys = site.keys();
    assert!(keys.iter().all(|node| *node == keys[0]), "{keys:?}");
    site.is_whole();

    let report = site.run("report keystone/lab --json").await.ends(0).json();
    assert_eq!((&report["headline"], &report["runbook"]), (&"DONE".into(), &"fernet".into()));
    assert_eq!((report["incidents"].as_array().unwrap().len(), &report["audit"]["finding"]), (0, &Value::Null));
    assert!(report["steps"].as_array().unwrap().iter().all(|step| step["state"] == "done"), "{report}");
    let text = site.run("report keystone/lab").await.ends(0).out;
    assert!(text.starts_with("# DONE: fernet of ") && text.contains("step 5 done"), "{text}");
    let list = site.run("report keystone/lab --list --json").await.ends(0).json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["headline"]), (1, &"DONE".into()));
    // A second rotation at once would end tokens; the timer knows.
    let again = site.run("rotate keystone/lab --when-due --confirm lab --json").await.ends(0).json();
    assert_eq!((&again["due"], &again["status"]["phase"]), (&false.into(), &"idle".into()));
    assert_eq!(site.names(), all(&["0", "17", "18"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_is_taken_back_and_the_report_says_so() {
    let site = Site::start().await;
    site.issue();
    let digests = |site: &Site| -> Vec<Vec<String>> {
        site.keys().into_iter().map(|keys| keys.into_iter().map(|key| key.digest).collect()).collect()
    };
    let before = digests(&site);
    site.run("rotate keystone/lab --confirm lab --reference CHG-7").await.ends(0);
    assert_ne!(digests(&site), before);
    site.issue();
    site.run("rollback keystone/lab --confirm lba --reason slip").await.ends(2);
    site.run("cancel keystone/lab --confirm lab --reason late").await.ends(1);
    site.run("note keystone/lab watched").await.ends(0);
    assert_ne!(digests(&site), before, "none of these goes back");
    let ended = site.run("rollback keystone/lab --confirm lab --reason trial --json").await.ends(0).json();
    assert_eq!((&ended["status"]["ended"], &ended["status"]["phase"]), (&"rolled back".into(), &"idle".into()));
    site.is_whole();
    let after = digests(&site);
    assert!(after.iter().all(|node| *node == after[0]), "{after:?}");
    assert!(before.iter().flatten().all(|digest| after[0].contains(digest)), "{before:?} {after:?}");
    let report = site.run("report keystone/lab --json").await.ends(0).json();
    assert_eq!((&report["headline"], &report["reference"]), (&"ROLLED BACK".into(), &"CHG-7".into()));
    assert_eq!(report["turned"]["reason"], "trial");
    let incidents = report["incidents"].as_array().unwrap();
    assert!(incidents.iter().any(|line| line["text"] == "turned back: trial"), "{incidents:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_down_is_named_shuts_the_gate_and_resume_goes_on_once_it_is_back() {
    let site = Site::start().await;
    let before = site.names();
    site.cluster().power(1, false);
    let told = site.run("status keystone/lab").await.ends(1);
    assert!(told.out.contains("rotate   unknown, so shut") && told.out.contains("node1"), "{}", told.out);
    site.run("status keystone/lab --offline").await.ends(0);
    let shut = site.run("rotate keystone/lab --confirm lab --json").await.ends(3).json();
    let reason = &shut["reasons"][0];
    assert_eq!((&reason["kind"], &reason["who"][0]), (&"unknown".into(), &"node1".into()), "{shut}");
    let failed = site.run("check keystone/lab --json").await.ends(1).json();
    assert!(failed["error"].as_str().unwrap().contains("node1"), "{failed}");
    assert_eq!(
        (&failed["status"]["phase"], &failed["status"]["next"]["order"]["verb"]),
        (&"stopped".into(), &"resume".into())
    );
    let timer = site.run("rotate keystone/lab --when-due --confirm lab --json").await.ends(5).json();
    assert_eq!((&timer["due"], &timer["status"]["phase"]), (&false.into(), &"stopped".into()));
    site.cluster().power(1, true);
    assert_eq!(site.next().await.as_deref(), Some("resume keystone/lab"));
    let resumed = site.run("resume keystone/lab --json").await.ends(0).json();
    assert_eq!(resumed["status"]["phase"], "open", "{resumed}");
    assert_eq!(site.next().await.as_deref(), Some("rotate keystone/lab --confirm lab"));
    let ended = site.run("cancel keystone/lab --confirm lab --reason enough --json").await.ends(0).json();
    assert_eq!(ended["status"]["ended"], "cancelled");
    assert_eq!(site.names(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_rotator_shuts_the_gate_and_what_does_not_go_is_refused_with_its_exit_code() {
    let site = Site::start().await;
    let before = site.names();
    let timer = "Mon 2026-11-30 03:00:00 UTC 9h left - - keystone-fernet-rotate.timer keystone-fernet-rotate.service\n";
    site.cluster().lists(2, "timers", timer).unwrap();
    let shut = site.run("rotate keystone/lab --confirm lab --json").await.ends(3).json();
    let names: Vec<&str> = shut["reasons"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["rotators"], "{shut}");
    assert!(shut["reasons"][0]["text"].as_str().unwrap().contains("node2"), "{shut}");
    let timer = site.run("rotate keystone/lab --when-due --confirm lab --json").await.ends(3).json();
    assert_eq!((&timer["due"], &timer["exit"]), (&true.into(), &3.into()));
    let trial = site.run("rotate keystone/lab --dry-run --json").await.ends(3).json();
    assert_eq!((&trial["ok"], &trial["reasons"][0]["name"]), (&false.into(), &"rotators".into()));
    site.cluster().lists(2, "timers", "").unwrap();
    for (line, code, says) in [
        ("rotate keystone/lab --confirm prod", 2, "type the name, lab"),
        ("rotate keystone/lab --when-due --confirm prod", 2, "is not the name, lab"),
        ("purge keystone/lab --confirm lab", 1, "no case of keystone/lab is open"),
        ("rollback keystone/lab --confirm lab --reason x", 1, "no case of keystone/lab is open"),
        ("resume keystone/lab", 1, "no case of keystone/lab is open"),
        ("note keystone/lab hello", 1, "no case to note it in"),
        ("set-aside keystone/lab rotators --reason x", 1, "no case of keystone/lab is open"),
        ("check keystone/lab --only clocks", 2, "checked as a whole"),
        ("finish keystone/lab", 2, "does not go with keystone/lab"),
        ("rotate keystone/none --confirm none", 2, "known are keystone/lab"),
        ("purge acme --confirm acme", 2, "known are keystone/lab"),
        ("rotate acme --when-due --confirm acme", 2, "is for a Keystone cluster"),
        ("rotate acme --dry-run", 2, "is for a Keystone cluster"),
        ("rotate keystone/lab", 2, "--confirm"),
        ("report keystone/lab", 1, "was ever opened"),
    ] {
        let ran = site.run(line).await.ends(code);
        assert!(ran.err.contains(says), "{line}: {}", ran.err);
    }
    assert_eq!((site.names(), &site.status().await["phase"]), (before, &"idle".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_rotates_once_waits_for_a_person_and_purges_by_itself_only_where_that_is_configured() {
    let site = Site::start().await;
    let timer = "rotate keystone/lab --when-due --confirm lab --json";
    let first = site.run(timer).await.ends(0).json();
    assert_eq!((&first["due"], &first["status"]["phase"]), (&true.into(), &"half-way".into()));
    let rotated = site.names();
    let second = site.run(timer).await.ends(5).json();
    assert_eq!((&second["due"], &second["exit"], &second["ok"]), (&false.into(), &5.into(), &true.into()));
    assert_eq!(site.names(), rotated, "nothing new begins while a person is waited for");
    site.0.configure("[keystone.lab]\n", "[keystone.lab]\npurge = \"when-safe\"\n");
    let third = site.run(timer).await.ends(0).json();
    assert_eq!((&third["due"], &third["status"]["ended"]), (&true.into(), &"done".into()));
    let fourth = site.run(timer).await.ends(0).json();
    assert_eq!((&fourth["due"], fourth["status"]["due"]["at"].is_string()), (&false.into(), true), "{fourth}");
    site.is_whole();
}
