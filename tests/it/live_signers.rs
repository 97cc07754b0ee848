//! Four eyes with real `ssh-keygen` and `ssh-agent`, and the program as each operator runs it. They need no service, only
//! OpenSSH; `tests/live/run` runs them with the others.

use crate::cli::{PROGRAM, Stage};
use changeguard::domain::signature::{NAMESPACE, SignerKey, verify};
use serde_json::Value;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// An agent, which ends with this.
struct Agent {
    socket: PathBuf,
    child: std::process::Child,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let child = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let agent = Self { socket, child };
        // The agent listens once its socket is there; it is asked until it answers (1: no key yet).
        let answers = |agent: &Self| matches!(agent.add(&["-l"]).status.code(), Some(0 | 1));
        let begun = std::time::Instant::now();
        while !answers(&agent) {
            assert!(begun.elapsed() < Duration::from_secs(30), "ssh-agent does not answer");
            std::thread::yield_now();
        }
        agent
    }

    fn add(&self, arguments: &[&str]) -> Output {
        Command::new("ssh-add").args(arguments).env("SSH_AUTH_SOCK", &self.socket).output().unwrap()
    }
}

fn keygen(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("ssh-keygen")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn key(folder: &Path, name: &str, kind: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let shown = path.to_str().unwrap();
    assert!(keygen(&[&["-q", "-N", "", "-C", name, "-f", shown, "-t"], kind].concat(), "").status.success());
    path
}

fn public(key: &Path) -> String {
    std::fs::read_to_string(key.with_extension("pub")).unwrap()
}

#[test]
#[ignore = "needs OpenSSH: tests/live/run"]
fn live_signers_what_ssh_keygen_signs_is_verified_here_as_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in [("a", &["ed25519"][..]), ("b", &["ecdsa", "-b", "256"]), ("c", &["ecdsa", "-b", "384"])] {
        let path = key(folder.path(), name, kind);
        let text = "a plan\n";
        let signed = keygen(&["-Y", "sign", "-q", "-n", NAMESPACE, "-f", path.to_str().unwrap()], text);
        let armored = String::from_utf8(signed.stdout).unwrap();
        assert_eq!(verify(&armored, text), Ok(SignerKey::parse(&public(&path)).unwrap()), "{name}");
        let (list, signature) = (folder.path().join("list"), folder.path().join("signature"));
        std::fs::write(&list, format!("ada {}", public(&path))).unwrap();
        std::fs::write(&signature, &armored).unwrap();
        let theirs = |text: &str| {
            let (list, signature) = (list.to_str().unwrap(), signature.to_str().unwrap());
            let verify = ["-Y", "verify", "-f", list, "-I", "ada", "-n", NAMESPACE, "-s", signature];
            keygen(&verify, text).status.success()
        };
        assert!(theirs(text) && !theirs("another plan\n"));
        assert!(verify(&armored, "another plan\n").is_err());
        // The fingerprint is the one that operators know.
        let listed = keygen(&["-l", "-f", path.to_str().unwrap()], "");
        assert!(
            String::from_utf8(listed.stdout).unwrap().contains(&SignerKey::parse(&public(&path)).unwrap().to_string())
        );
    }
}

/// One operator: their own configuration file, key and agent.
struct Operator<'a> {
    config: PathBuf,
    agent: Option<&'a Agent>,
}

impl Operator<'_> {
    async fn run(&self, line: &str, more: &[&str]) -> (i32, String, String) {
        let mut command = tokio::process::Command::new(PROGRAM);
        command.arg("--config").arg(&self.config).args(line.split_whitespace()).args(more);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.config.parent().unwrap());
        if let Some(agent) = self.agent {
            command.env("SSH_AUTH_SOCK", &agent.socket);
        }
        let output = command.stdin(Stdio::null()).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    async fn succeeds(&self, line: &str, more: &[&str]) -> String {
        let (code, out, err) = self.run(line, more).await;
        assert_eq!(code, 0, "{line}: {out}\n{err}");
        out
    }

    async fn status(&self) -> Value {
        serde_json::from_str(&self.succeeds("status acme --json", &[]).await).unwrap()
    }
}

fn operator<'a>(stage: &Stage, folder: &Path, name: &str, agent: Option<&'a Agent>) -> Operator<'a> {
    let (list, key) = (folder.join("list"), folder.join(format!("{name}.pub")));
    let lab = std::fs::read_to_string(stage.lab.config_path()).unwrap();
    let approval = format!("\n[approval]\nrequired = true\nsigners = {list:?}\nkey = {key:?}\n");
    let config = stage.lab.config_path().with_file_name(format!("{name}.toml"));
    std::fs::write(&config, lab + &approval).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    Operator { config, agent }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs OpenSSH: tests/live/run"]
async fn live_signers_two_operators_and_their_agents_take_a_plan_to_the_rotated_key() {
    let stage = Stage::start(Duration::from_millis(300)).await;
    let folder = tempfile::tempdir().unwrap();
    let homes = ["ada", "bob"].map(|name| {
        let home = folder.path().join(format!("home-{name}"));
        std::fs::create_dir(&home).unwrap();
        home
    });
    let agents = [Agent::start(&homes[0]), Agent::start(&homes[1])];
    let mut list = String::new();
    for (name, agent) in ["ada", "bob"].into_iter().zip(&agents) {
        let path = key(folder.path(), name, &["ed25519"]);
        assert!(agent.add(&["-q", path.to_str().unwrap()]).status.success());
        // The private half is in the agent only.
        std::fs::remove_file(&path).unwrap();
        list.push_str(&format!("{name}@example.net {}", public(&path)));
    }
    let path = folder.path().join("list");
    std::fs::write(&path, list).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ada = operator(&stage, folder.path(), "ada", Some(&agents[0]));
    let bob = operator(&stage, folder.path(), "bob", Some(&agents[1]));
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - 120).unwrap();
    ada.succeeds("plan acme --length 1h --start", &[&now.strftime("%Y-%m-%d %H:%M").to_string()]).await;
    ada.succeeds("notify acme --kind announcement", &[]).await;
    for client in ada.status().await["clients"].as_array().unwrap() {
        ada.succeeds("ack acme --by phone --answer confirmed", &[client["id"].as_str().unwrap()]).await;
    }
    ada.succeeds("check acme", &[]).await;
    let digest = ada.status().await["plan_digest"].as_str().unwrap().to_owned();
    let own = ada.run("approve acme --digest", &[&digest]).await;
    assert!(own.0 != 0 && own.2.contains("ada@example.net made this plan"), "{own:?}");
    // Without an agent nothing is signed, and it is said how to come to one.
    let alone = operator(&stage, folder.path(), "bob", None).run("approve acme --digest", &[&digest]).await;
    assert!(alone.0 != 0 && alone.2.contains("ssh-add"), "{alone:?}");
    // Others could write the list: nobody can approve.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let open = bob.run("approve acme --digest", &[&digest]).await;
    assert!(open.0 != 0 && open.2.contains("can't be trusted"), "{open:?}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    bob.succeeds("approve acme --digest", &[&digest[..12]]).await;
    let approval = ada.status().await["approval"].clone();
    assert_eq!((approval["person"].as_str(), approval["advisory"].as_bool()), (Some("bob@example.net"), Some(false)));
    let refused = bob.run("rotate acme --confirm acme", &[]).await;
    assert_eq!(refused.0, 3, "{refused:?}");
    ada.succeeds("rotate acme --confirm acme", &[]).await;
    let report = ada.succeeds("report acme", &[]).await;
    assert!(report.contains("approved the plan") && report.contains("SHA256:"), "{report}");
    assert_eq!(ada.status().await["phase"], "returning");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs OpenSSH: tests/live/run"]
async fn live_signers_a_plan_is_approved_by_a_signature_that_was_made_elsewhere() {
    let stage = Stage::start(Duration::from_millis(300)).await;
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::start(folder.path());
    let list: String =
        ["ada", "bob"].map(|name| format!("{name} {}", public(&key(folder.path(), name, &["ed25519"])))).concat();
    std::fs::write(folder.path().join("list"), list).unwrap();
    assert!(agent.add(&["-q", folder.path().join("ada").to_str().unwrap()]).status.success());
    let ada = operator(&stage, folder.path(), "ada", Some(&agent));
    ada.succeeds("plan acme --length 1h --start", &["2099-11-24 22:00"]).await;
    ada.succeeds("check acme", &[]).await;
    let (code, text, said) = ada.run("approve acme --text", &[]).await;
    assert_eq!(code, 0, "{said}");
    let bob = folder.path().join("bob");
    let signed = keygen(&["-Y", "sign", "-q", "-n", NAMESPACE, "-f", bob.to_str().unwrap()], &text);
    let file = folder.path().join("plan.sig");
    std::fs::write(&file, signed.stdout).unwrap();
    let until = said.split("--until ").nth(1).unwrap().split(' ').next().unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let digest = value["digest"].as_str().unwrap();
    let later = "2099-01-01T00:00:00Z";
    let hand_over = |until: &str| {
        let more =
            [digest.to_owned(), "--until".into(), until.to_owned(), "--signature".into(), file.display().to_string()];
        let ada = &ada;
        async move { ada.run("approve acme --digest", &more.each_ref().map(String::as_str)).await }
    };
    assert_ne!(hand_over(later).await.0, 0, "until when it counts is part of what was signed");
    let taken = hand_over(until).await;
    assert_eq!(taken.0, 0, "{taken:?}");
    assert_eq!(ada.status().await["approval"]["signer"]["person"], "bob");
}
