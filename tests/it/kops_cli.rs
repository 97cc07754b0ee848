//! A Kubernetes cluster by the binary's subcommands alone, on the configuration that the lab has written: what is printed as next leads
//! through a whole rotation, and what is secret is printed nowhere.

use super::kops_rig::Rig;
use crate::bastion::{Bastion, Ran};
use changeguard::adapters::lab::kops::KopsLab;
use serde_json::Value;
use std::path::Path;

struct Site(Bastion);

impl Site {
    async fn start() -> Self {
        let Rig { lab, folder, .. } = Rig::with(|options| (options.control_plane, options.nodes) = (2, 1)).await;
        Self(Bastion { lab, folder })
    }

    fn kops(&self) -> &KopsLab {
        self.0.lab.kops().unwrap()
    }

    async fn run(&self, line: &str) -> Ran {
        self.0.run(line, &[]).await
    }

    async fn status(&self) -> Value {
        self.run("status kops/lab --json").await.json()
    }

    /// The command that is printed as the next one, without the program's name.
    async fn next(&self) -> Option<String> {
        let text = self.run("status kops/lab").await.out;
        let line = text.lines().find_map(|line| line.strip_prefix("run ")).map(str::trim);
        line.map(|line| line.strip_prefix("changeguard --config ").unwrap().split_once(' ').unwrap().1.to_owned())
    }

    /// Hands over what everybody waits for, and settles them by the command.
    async fn hand_over(&self) -> usize {
        let mut settled = 0;
        loop {
            let status = self.status().await;
            let case = &status["kops"]["case"];
            let Some(first) = case["awaited"].as_array().and_then(|all| all.first()).cloned() else { return settled };
            let (name, about) = (first["name"].as_str().unwrap(), first["about"].as_str().unwrap());
            let path = case["exported"][about]["path"].as_str().unwrap_or_else(|| panic!("{about}: {case}"));
            self.kops().take(name, Path::new(path)).unwrap();
            self.run(&format!("settle kops/lab {name} --reason called")).await.ends(0);
            settled += 1;
        }
    }

    fn is_well(&self) {
        assert_eq!(self.kops().locked_out(), Vec::<String>::new());
        assert_eq!(self.kops().forbidden(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_as_next_leads_through_a_whole_rotation() {
    let site = Site::start().await;
    let list = site.run("status").await.ends(0).out;
    assert!(list.contains("kops/lab"), "{list}");
    let trial = site.run("rotate kops/lab --dry-run").await.ends(0).out;
    assert!(trial.contains("kubernetes-ca: a keypair is added beside "), "{trial}");
    let timer = site.run("rotate kops/lab --when-due --confirm lab --json").await.ends(0).json();
    assert_eq!((&timer["due"], &timer["status"]["phase"]), (&false.into(), &"idle".into()), "a timer begins nothing");
    let (mut done, mut printed) = (Vec::new(), String::new());
    while let Some(line) = site.next().await {
        let ended = site.run(&line).await.ends(0);
        printed.push_str(&ended.out);
        site.is_well();
        done.push(line);
        site.hand_over().await;
        let status = site.status().await;
        if status["ended"] == "done" {
            break;
        }
        assert!(done.len() < 5, "{done:?}");
    }
    let expected = ["rotate", "promote", "distrust", "finish"].map(|verb| format!("{verb} kops/lab --confirm lab"));
    assert_eq!(done, expected);
    let report = site.run("report kops/lab --json").await.ends(0).json();
    assert_eq!((&report["headline"], &report["runbook"]), (&"DONE".into(), &"kops".into()));
    let text = site.run("report kops/lab").await.ends(0).out + &site.run("status kops/lab").await.out + &printed;
    for secret in ["PRIVATE KEY", "client-key-data", "bGFi", "client-certificate-data"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("mira is settled (certificates): called"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_shown_and_taken_back_and_what_does_not_go_is_refused_with_its_exit_code() {
    let site = Site::start().await;
    for (line, code, says) in [
        ("rotate kops/lab --confirm prod", 2, "type the name, lab"),
        ("promote kops/lab --confirm lab", 1, "no case of kops/lab is open"),
        ("settle kops/lab mira --reason x", 1, "no case of kops/lab is open"),
        ("check kops/lab", 2, "does not go with kops/lab"),
        ("purge kops/lab --confirm lab", 2, "does not go with kops/lab"),
        ("promote kops/none --confirm none", 2, "known are kops/lab"),
        ("distrust acme --confirm acme", 2, "known are kops/lab"),
    ] {
        let ran = site.run(line).await.ends(code);
        assert!(ran.err.contains(says), "{line}: {}", ran.err);
    }
    site.run("rotate kops/lab --confirm lab --reference CHG-14").await.ends(0);
    let shut = site.run("promote kops/lab --confirm lab --json").await.ends(3).json();
    assert_eq!(
        (&shut["reasons"][0]["name"], &shut["reasons"][0]["who"][0]),
        (&"holders".into(), &"mira".into()),
        "{shut}"
    );
    let text = site.run("status kops/lab").await.ends(0).out;
    for line in ["Keysets", "Instance groups", "Holders", "control-plane-main", "##########", "1c roll", "waits"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let refused = site.run("settle kops/lab nobody --reason x").await.ends(1);
    assert!(refused.err.contains("waited for: mira, ci-deploy, portal"), "{}", refused.err);
    let ended = site.run("rollback kops/lab --confirm lab --reason trial --json").await.ends(0).json();
    assert_eq!(ended["status"]["ended"], "rolled back", "{ended}");
    site.is_well();
    let report = site.run("report kops/lab --json").await.ends(0).json();
    assert_eq!((&report["headline"], &report["reference"]), (&"ROLLED BACK".into(), &"CHG-14".into()));
    // A new one goes on from there: what was created and distrusted is in nobody's way.
    site.run("rotate kops/lab --confirm lab").await.ends(0);
    site.is_well();
}
