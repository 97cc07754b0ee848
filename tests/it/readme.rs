//! What the README says to type works: its set-up lines on a fresh account, its subcommands against the lab in their order, and
//! every word and option of the rest is one that the program knows.

use crate::bastion::{Bastion, CYCLE};
use changeguard::adapters::lab::{Fault, Rule, Service};
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");

/// The indented lines that begin with one of these words.
fn lines(words: &[&str]) -> Vec<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let code = text.lines().filter_map(|line| line.strip_prefix("    "));
    let is_ours = |line: &&str| words.iter().any(|word| line.starts_with(&format!("{word} ")));
    code.filter(is_ours).map(|line| line.split(" # ").next().unwrap().trim().to_owned()).collect()
}

/// Every single command: a line may name several, apart by a bar.
fn commands() -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for line in lines(&["changeguard"]) {
        for command in line.trim_start_matches("changeguard ").split(" | ") {
            all.push(command.split(' ').map(str::to_owned).collect());
        }
    }
    all
}

fn runs(home: &std::path::Path, script: &str) -> Output {
    let mut shell = Command::new("sh");
    let program = std::path::Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    shell.args(["-ec", script]).env_clear().env("HOME", home).env("PATH", path).env("USER", "ops").current_dir(home);
    shell.output().unwrap()
}

#[test]
fn the_set_up_lines_work_on_a_fresh_account() {
    let home = tempfile::tempdir().unwrap();
    let all = lines(&["mkdir", "changeguard config"]);
    let set_up: Vec<String> = all.into_iter().filter(|line| !line.contains(" | ")).collect();
    assert!(set_up.len() == 3, "{set_up:?}");
    // What the README presupposes: an entry of clouds.yaml by the name that stands in the example.
    let clouds = home.path().join(".config/openstack");
    std::fs::create_dir_all(&clouds).unwrap();
    let entry = "clouds:\n  production:\n    auth:\n      auth_url: https://keystone.example.net/v3\n      username: ops\n      \
                 password: x\n      project_name: vpn\n      user_domain_name: Default\n      project_domain_name: Default\n";
    std::fs::write(clouds.join("clouds.yaml"), entry).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(clouds.join("clouds.yaml"), private).unwrap();
    let output = runs(home.path(), &set_up.join("\n"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(": 1 tenants"), "the untouched example is read whole: {said}");
    assert!(!said.contains("does not exist; write it") && !said.contains("panicked"), "{said}");
}

#[test]
fn every_command_and_option_that_is_named_is_one() {
    let mut known = 0;
    for command in commands() {
        let is_word =
            |word: &&String| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
        let mut words: Vec<&String> = command.iter().take_while(is_word).collect();
        // What is behind the subcommand's words are its arguments.
        let help = loop {
            assert!(!words.is_empty(), "{command:?}");
            let output = Command::new(PROGRAM).args(&words).arg("--help").output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() && text.contains(&format!("Usage: changeguard {}", words[0])) {
                break text;
            }
            words.pop();
        };
        let options = command.iter().flat_map(|word| word.split(['[', ']'])).filter(|word| word.starts_with("--"));
        for option in options {
            assert!(help.contains(option), "{command:?}: {option} is not in\n{help}");
        }
        known += 1;
    }
    assert!(known > 20, "{known}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subcommands_lead_through_a_rotation_in_the_order_in_which_they_stand() {
    let bastion = Bastion::start(1, 2, CYCLE).await;
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    let mut done = Vec::new();
    for line in lines(&["changeguard"]) {
        // Those with a placeholder, or several on a line, are looked up above.
        let has_placeholder = line.split(' ').any(|word| {
            word.chars().any(|c| {
                c == '…' || c == '[' || c.is_ascii_uppercase() && word.len() > 3 && word == word.to_uppercase()
            })
        });
        let line = line.trim_start_matches("changeguard ");
        if line.contains(" | ") || has_placeholder || line.starts_with("config") {
            continue;
        }
        let line = line.replace("2026-11-24 22:00", &now).replace("Europe/Berlin", "UTC");
        let plain = bastion.command("", &[]);
        let mut command = tokio::process::Command::new("sh");
        command.args(["-ec", &format!("exec \"$0\" \"$@\" {line}")]);
        command.arg(plain.as_std().get_program()).args(plain.as_std().get_args());
        command.env_clear().envs(plain.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped()).kill_on_drop(true);
        if line.starts_with("verify") {
            bastion.lab.world().reimport_all("acme").await;
        }
        let ran = bastion.spawn(command).ends().await;
        assert_ne!(ran.code, Some(2), "{line}: {}", ran.err);
        if ["status", "plan", "notify", "ack", "waive", "check", "rotate", "verify"]
            .iter()
            .any(|word| line.starts_with(word))
        {
            assert_eq!(ran.code, Some(0), "{line}: {}{}", ran.out, ran.err);
        }
        done.push(line);
    }
    assert!(done.len() >= 10, "{done:#?}");
    assert_eq!(bastion.lab.world().key_secrets("acme").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_with_keystone_down_names_its_host_once_and_is_no_success() {
    let bastion = Bastion::start(2, 1, CYCLE).await;
    bastion.lab.faults().add(Rule::new(Service::Keystone, Fault::Close).always());
    let place = format!("127.0.0.1:{}", bastion.lab.world().ports().keystone);
    let ran = bastion.run("status", &[]).await.ends(1);
    let told: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("NO ANSWER Keystone")).collect();
    assert_eq!(told.len(), 1, "{}", ran.out);
    assert!(told[0].contains(&place), "{}", ran.out);
    assert!(!ran.out.contains("0/0"), "nobody is known, which is not nobody: {}", ran.out);
    let ran = bastion.run("status acme", &[]).await.ends(1);
    assert!(ran.out.contains(&place), "{}", ran.out);
    bastion.run("status acme --offline", &[]).await.ends(0);
}
