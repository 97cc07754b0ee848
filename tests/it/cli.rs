//! The subcommands as processes: what they print for scripts, their exit codes, and that kill -9 on any step leaves a way on.

use crate::pty::PATIENCE;
use changeguard::adapters::lab::{Fault, Lab, LabOptions, Loss, Rule, Service, Which};
use changeguard::engine::secret::{PrivateKey, SecretBytes};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");

/// The embedded lab, and a folder for everything that the program may write.
pub struct Stage {
    /// The servers.
    pub lab: Lab,
    folder: tempfile::TempDir,
}

/// What a process left.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output, all of which must be one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn ended(mut command: Command) -> Ran {
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it never ended").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Without any lab.
async fn plain(arguments: &[&str]) -> Ran {
    ended(command(arguments)).await
}

impl Stage {
    pub async fn start(reconcile_interval: Duration) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let options =
            LabOptions { tenants: 2, clients: 3, reconcile_interval, ..LabOptions::still(folder.path(), PROGRAM) };
        Self { lab: Lab::start(options).await.unwrap(), folder }
    }

    pub fn command(&self, line: &str, more: &[&str]) -> Command {
        let mut arguments = vec!["--config", self.lab.config_path().to_str().unwrap()];
        arguments.extend(line.split_whitespace());
        arguments.extend(more);
        let mut command = command(&arguments);
        command.env("HOME", self.folder.path()).env("USER", "ops");
        command
    }

    /// Runs a subcommand, given as one line; what holds spaces comes behind.
    pub async fn run(&self, line: &str, more: &[&str]) -> Ran {
        ended(self.command(line, more)).await
    }

    /// What is true of acme.
    pub async fn status(&self) -> Value {
        self.run("status acme --json", &[]).await.ends(0).json()
    }

    /// Plans a window that is open now, and announces it.
    async fn announced(&self) {
        let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        self.run("plan acme --reference CHG-1 --start", &[&start]).await.ends(0);
        self.run("notify acme --kind announcement", &[]).await.ends(0);
    }

    /// The same, and everybody confirms.
    pub async fn confirmed(&self) {
        self.announced().await;
        for person in self.lab.world().tenant("acme").unwrap().people {
            self.run("ack acme --by phone", &[&person.id]).await.ends(0);
        }
    }

    pub async fn everybody_returns_and_it_is_finished(&self) {
        self.run("notify acme --kind reconfigure", &[]).await.ends(0);
        self.lab.world().reimport_all("acme").await;
        self.run("verify acme", &[]).await.ends(0);
        self.run("finish acme", &[]).await.ends(0);
    }

    fn secret_name(&self) -> String {
        format!("vpn-private-key-{}", self.lab.world().tenant("acme").unwrap().id)
    }

    /// The public halves of all secrets of the live name.
    pub fn live(&self) -> Vec<String> {
        let public =
            |payload: Vec<u8>| PrivateKey::from_payload(&SecretBytes::new(payload)).unwrap().public().to_string();
        self.lab.world().secrets(&self.secret_name()).into_iter().map(|s| public(s.payload.unwrap().to_vec())).collect()
    }

    pub fn object(&self) -> String {
        let tenant = self.lab.world().tenant("acme").unwrap().id;
        String::from_utf8(self.lab.world().object(&tenant.to_string(), "config/vpn-users.json").unwrap()).unwrap()
    }

    /// Starts `rotate`; its standard error is read line by line.
    fn rotating(&self) -> (Child, Lines<BufReader<ChildStderr>>) {
        let mut child = self.command("rotate acme --confirm acme --json", &[]).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        (child, lines)
    }
}

async fn says(lines: &mut Lines<BufReader<ChildStderr>>, text: &str) {
    let found = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(text) {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(PATIENCE, found).await.unwrap_or(false), "never said {text:?}");
}

const CYCLE: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_rotation_from_scripts_has_stable_fields_and_exit_codes() {
    let stage = Stage::start(CYCLE).await;
    let before = stage.live();
    assert_eq!(stage.status().await["next"]["action"], "plan");
    stage.announced().await;
    let status = stage.status().await;
    assert_eq!((&status["phase"], &status["next"]["action"]), (&"announced".into(), &"answers".into()));

    let shut = stage.run("rotate acme --confirm acme --json", &[]).await.ends(3);
    let json = shut.json();
    assert_eq!(json["ok"], false);
    let people = stage.lab.world().tenant("acme").unwrap().people;
    for person in &people {
        let named = |reason: &&Value| reason["client"] == person.id.as_str() && reason["name"] == person.name.as_str();
        let reason = json["reasons"].as_array().unwrap().iter().find(named);
        assert_eq!(reason.unwrap_or_else(|| panic!("{} is not named", person.name))["reason"], "no-answer");
        assert!(shut.err.contains(&person.name), "{}", shut.err);
    }
    assert_eq!(stage.live(), before, "nothing was touched");

    for person in &people[1..] {
        let done = stage.run("ack acme --by phone --note fine --json", &[&person.id]).await.ends(0).json();
        assert_eq!(done["ok"], true);
    }
    let done = stage.run("waive acme --json", &[&people[0].id, "--reason", "on leave"]).await.ends(0).json();
    assert_eq!(done["status"]["answers"], serde_json::json!([3, 3]));
    assert_eq!(done["status"]["next"]["action"], "rotate", "{}", done["status"]["next"]);

    let check = stage.run("check acme --json", &[]).await.ends(0).json();
    assert!(check["status"]["preflight"]["checks"].as_array().unwrap().len() > 5);
    let rotated = stage.run("rotate acme --confirm acme --json", &[]).await.ends(0);
    let json = rotated.json();
    assert!(json["gap_ms"].as_f64().unwrap() > 0.0 && json["duration_ms"].as_u64().unwrap() > 0, "{json}");
    assert_eq!(json["status"]["next"]["action"], "reconfigure");
    assert!(rotated.err.contains("acme step 6"), "progress goes to standard error: {}", rotated.err);
    let after = stage.live();
    assert!(after.len() == 1 && after != before);

    stage.run("notify acme --kind reconfigure", &[]).await.ends(0);
    let early = stage.run("finish acme --json", &[]).await.ends(3);
    assert!(early.json()["error"].as_str().unwrap().contains(&people[1].name));
    let back = stage.run("verify acme --json --note called --back", &[&people[1].id]).await.ends(0).json();
    assert_eq!(back["status"]["back"], serde_json::json!([2, 3]));
    stage.lab.world().reimport_all("acme").await;
    let verified = stage.run("verify acme --json", &[]).await.ends(0).json();
    assert_eq!(verified["status"]["back"], serde_json::json!([3, 3]));
    assert_eq!(verified["status"]["next"]["action"], "finish");
    stage.run("finish acme --note done", &[]).await.ends(0);
    let status = stage.status().await;
    assert_eq!((&status["phase"], &status["outcome"]), (&"idle".into(), &"rotated".into()));
    assert!(stage.run("report acme", &[]).await.ends(0).out.starts_with("# ROTATED: "));
    let report = stage.run("report acme --json", &[]).await.ends(0).json();
    let entries = &report["records"];
    assert_eq!(
        entries[0]["record"]["record"].as_str().or(entries[0]["record"].as_str()),
        Some("planned"),
        "{}",
        entries[0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roll_back_and_cancel_are_called_what_they_are() {
    let stage = Stage::start(CYCLE).await;
    let before = stage.live();
    stage.announced().await;
    let cancelled = stage.run("cancel acme --confirm acme --json --reason", &["called off"]).await.ends(0).json();
    assert_eq!(cancelled["status"]["outcome"], "cancelled");
    assert!(stage.run("report acme", &[]).await.ends(0).out.starts_with("# CANCELLED: "));
    stage.confirmed().await;
    stage.run("rotate acme --confirm acme", &[]).await.ends(0);
    assert_ne!(stage.live(), before);
    let refused = stage.run("cancel acme --confirm acme --reason late", &[]).await.ends(1);
    assert!(refused.out.is_empty() && refused.err.contains("roll back"), "{}{}", refused.out, refused.err);
    let wrong = stage.run("rollback acme --confirm acne --reason x", &[]).await.ends(2);
    assert!(wrong.err.contains("acme"), "{}", wrong.err);
    let back = stage.run("rollback acme --confirm acme --json --reason", &["does not work"]).await.ends(0).json();
    assert!(back["gap_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(stage.live(), before);
    stage.everybody_returns_and_it_is_finished().await;
    assert_eq!(stage.status().await["outcome"], "rolled-back");
    assert!(stage.run("report acme", &[]).await.ends(0).out.starts_with("# ROLLED BACK: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_the_mails_and_sends_none() {
    let stage = Stage::start(CYCLE).await;
    let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
    stage.run("plan acme --start", &[&start]).await.ends(0);
    let preview = stage.run("notify acme --kind announcement --preview", &[]).await.ends(0);
    assert_eq!(preview.out.matches("Subject: ").count(), 3, "{}", preview.out);
    let client = stage.status().await["clients"][1].clone();
    let (id, email) = (client["id"].as_str().unwrap(), client["email"].as_str().unwrap());
    let only = stage.run("notify acme --kind announcement --preview --only", &[id]).await.ends(0);
    assert_eq!(only.out.matches("Subject: ").count(), 1, "{}", only.out);
    assert!(only.out.starts_with(&format!("To: {email}\n")), "{}", only.out);
    let nobody = stage.run("notify acme --kind announcement --preview --only nobody", &[]).await;
    assert!(nobody.out.is_empty() && nobody.err.contains("nobody is not a client of acme"), "{}", nobody.err);
    assert!(stage.lab.world().mails().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_usage_is_2_and_a_wrong_moment_is_1_with_nothing_on_standard_output() {
    let stage = Stage::start(CYCLE).await;
    for (line, code, told) in [
        ("status nobody", 2, "known are acme"),
        ("rotate acme", 2, "--confirm"),
        ("frobnicate", 2, "frobnicate"),
        ("plan acme --start tomorrow", 2, "tomorrow"),
        ("note acme hello", 1, "plan"),
        ("finish acme", 1, "plan"),
        ("resume acme", 1, "plan"),
        ("report acme", 1, "planned"),
        ("tui", 2, "terminal"),
    ] {
        let ran = stage.run(line, &[]).await.ends(code);
        assert!(ran.out.is_empty(), "{line}: {}", ran.out);
        assert!(ran.err.contains(told) && !ran.err.contains("panicked"), "{line}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_second_gets_4_and_the_name_of_the_first() {
    let stage = Stage::start(Duration::from_secs(3600)).await;
    stage.confirmed().await;
    let (mut first, mut lines) = stage.rotating();
    says(&mut lines, "step 6").await;
    let second = stage.run("rotate acme --confirm acme --json", &[]).await.ends(4);
    let holder = format!("pid {}", first.id().unwrap());
    assert!(
        second.err.contains(&holder) && second.json()["error"].as_str().unwrap().contains(&holder),
        "{}",
        second.err
    );
    let status = stage.status().await;
    assert_eq!(status["holder"]["pid"], first.id().unwrap());
    assert_eq!(status["next"]["action"], "watch");
    // The signal ends the first; what it was at is told, and nobody has to wait for its lease to run out.
    let pid = first.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    says(&mut lines, "resume").await;
    assert_eq!(first.wait().await.unwrap().code(), Some(1));
    let status = stage.status().await;
    assert_eq!(status["steps"][5]["state"], "interrupted");
    assert_eq!(status["next"]["action"], "resume");
    stage.run("note acme hello", &[]).await.ends(0);
}

/// Kills `rotate` in the middle of a step, and lets `resume` end it.
async fn killed_in(step: usize, rule: Rule) {
    let stage = Stage::start(CYCLE).await;
    stage.confirmed().await;
    let before = stage.live();
    let fault = stage.lab.faults().add(rule);
    let (mut process, mut lines) = stage.rotating();
    if step == 6 {
        says(&mut lines, "step 6").await;
    } else {
        let hit = stage.lab.world().until(PATIENCE, |_| stage.lab.faults().fired(fault) > 0).await;
        assert!(hit, "the request of step {step} never came");
    }
    process.kill().await.unwrap();
    stage.lab.faults().clear();

    let status = stage.run("status acme --json", &[]).await.ends(0).json();
    assert_eq!(status["steps"][step - 1]["state"], "interrupted", "{}", status["steps"]);
    assert_eq!(status["next"]["action"], "resume", "{}", status["next"]);
    let json = stage.run("resume acme --json", &[]).await.ends(0).json();
    assert_eq!(json["status"]["phase"], "returning");
    let live = stage.live();
    assert_eq!(live.len(), 1, "exactly one secret has the name");
    assert_ne!(live, before);
    assert_eq!(stage.lab.world().server("acme").unwrap().public_key.to_string(), live[0]);
    assert!(stage.object().contains(&live[0]) && !stage.object().contains(&before[0]));
    let world = stage.lab.world();
    let kept = world.secrets("").into_iter().filter(|secret| secret.name.starts_with("changeguard-")).count();
    assert_eq!(kept, 2, "one staged, one previous: no stray key");
    stage.everybody_returns_and_it_is_finished().await;
    assert!(world.secrets("").iter().all(|secret| !secret.name.starts_with("changeguard-")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_a_key_is_being_kept_it_resumes() {
    killed_in(3, Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("POST")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_delete_it_resumes_and_stores_the_same_key() {
    killed_in(4, Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("DELETE")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_object_is_being_written_it_resumes() {
    // Before it come the copies of it that the steps 3 and 5 keep.
    killed_in(5, Rule::new(Service::Swift, Fault::Hang).method("PUT").which(Which::Nth(3))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_waits_for_the_server_it_resumes() {
    killed_in(6, Rule::new(Service::Barbican, Fault::Status(503)).method("GET").always().for_agents()).await;
}

/// The key may be gone, Barbican does not answer, and somebody believes that it is there: the alarm stays until a look has seen it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobodys_word_says_that_the_secret_is_there() {
    let stage = Stage::start(CYCLE).await;
    stage.confirmed().await;
    let lost = Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("DELETE");
    let lost = stage.lab.faults().add(lost);
    let mut process = stage.command("rotate acme --confirm acme", &[]).spawn().unwrap();
    assert!(stage.lab.world().until(PATIENCE, |_| stage.lab.faults().fired(lost) > 0).await);
    process.kill().await.unwrap();
    stage.lab.faults().clear();
    stage.lab.world().set_down(Service::Barbican, true);
    let resumed = stage.run("resume acme", &[]).await.ends(5);
    assert!(!resumed.err.contains("decide it yourself"), "{}", resumed.err);
    let refused = stage.run("resolve acme --step 4 --done true --reason believed", &[]).await.ends(1);
    assert!(refused.err.contains("only a look can tell"), "{}", refused.err);
    assert_ne!(stage.status().await["truth"], Value::Null);
    stage.lab.world().set_down(Service::Barbican, false);
    stage.run("resume acme", &[]).await.ends(0);
    assert_eq!(stage.status().await["truth"], Value::Null);
}

/// Killed while it destroys the kept keys, and a colleague stores another one, which the server takes: one resume puts all three right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_the_end_while_somebody_stores_another_key_one_resume_puts_all_three_right() {
    let stage = Stage::start(CYCLE).await;
    stage.confirmed().await;
    stage.run("rotate acme --confirm acme", &[]).await.ends(0);
    let world = stage.lab.world();
    for client in stage.status().await["clients"].as_array().unwrap() {
        let id = client["id"].as_str().unwrap();
        stage.run(&format!("waive acme {id} --reason holiday"), &[]).await.ends(0);
    }
    let slow = stage.lab.faults().add(Rule::new(Service::Barbican, Fault::Hang).method("DELETE"));
    let mut process = stage.command("finish acme --confirm acme --reason nobody", &[]).spawn().unwrap();
    assert!(world.until(PATIENCE, |_| stage.lab.faults().fired(slow) > 0).await);
    process.kill().await.unwrap();
    stage.lab.faults().clear();
    let theirs = changeguard::engine::secret::PrivateKey::from_random([7; 32]);
    let live = world.key_secrets("acme");
    assert!(live.iter().all(|secret| world.remove_secret(&secret.id)));
    world.add_secret(&stage.secret_name(), "text/plain", Some(theirs.to_payload(false).expose()));
    let status = loop {
        let status = stage.status().await;
        if status["keys"]["interface"]["key"] == theirs.public().to_string() {
            break status;
        }
    };
    assert!(status["attention"][0].as_str().unwrap().starts_with("ALL CUT OFF"), "{status}");
    assert!(status["clients"].as_array().unwrap().iter().all(|client| client["activity"] != "active"), "{status}");
    stage.run("resume acme", &[]).await.ends(0);
    let keys = stage.status().await["keys"].take();
    let staged = &keys["staged"];
    assert_eq!([&keys["secret"]["key"], &keys["object"]["key"], &keys["interface"]["key"]], [staged; 3], "{keys}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_step_that_can_not_be_looked_at_needs_a_person() {
    let stage = Stage::start(CYCLE).await;
    stage.confirmed().await;
    let fault = stage.lab.faults().add(Rule::new(Service::Barbican, Fault::LoseAnswer(Loss::Hang)).method("DELETE"));
    let (mut process, _lines) = stage.rotating();
    assert!(stage.lab.world().until(PATIENCE, |_| stage.lab.faults().fired(fault) > 0).await);
    process.kill().await.unwrap();
    stage.lab.faults().clear();
    stage.lab.world().set_down(Service::Barbican, true);
    let unclear = stage.run("resume acme --json", &[]).await.ends(5);
    assert_eq!(unclear.json()["ok"], false);
    assert!(unclear.err.contains("Barbican"), "{}", unclear.err);
    stage.lab.world().set_down(Service::Barbican, false);
    stage.run("resume acme", &[]).await.ends(0);
    assert_eq!(stage.live().len(), 1);
}

#[tokio::test]
async fn help_completions_and_the_man_page_know_every_subcommand() {
    let help = plain(&["--help"]).await.ends(0).out;
    let completions = plain(&["completions", "bash"]).await.ends(0).out;
    let man = plain(&["man"]).await.ends(0).out;
    assert!(completions.contains("_changeguard()") && man.starts_with(".ie") && man.contains(".TH changeguard 1"));
    let verbs = [
        "tui",
        "status",
        "plan",
        "notify",
        "ack",
        "waive",
        "check",
        "rotate",
        "resume",
        "verify",
        "finish",
        "rollback",
        "cancel",
        "resolve",
        "note",
        "report",
        "audit",
        "person",
        "troubles",
        "config",
        "demo",
        "lab",
        "completions",
        "man",
    ];
    for verb in verbs {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(&format!("{verb} ")) || line.trim() == verb),
            "{verb}"
        );
        assert!(completions.contains(&format!("changeguard,{verb})")), "{verb}");
        assert!(man.contains(&format!("changeguard\\-{verb}(1)")), "{verb}");
    }
    assert!(!help.contains("lab-shell"), "not for people");
    let flowing = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("3 gate shut") && flowing.contains("5 needs a person"), "{help}");
    let troubles = plain(&["troubles", "4"]).await.ends(0).out;
    assert!(troubles.starts_with("4 ") && troubles.contains("undo:"), "{troubles}");
}

#[tokio::test]
async fn config_check_names_file_line_and_field_and_the_example_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let example = plain(&["config", "example"]).await.ends(0).out;
    let path = folder.path().join("changeguard.toml");
    let path = path.to_str().unwrap();
    let host = |line: &&str| line.starts_with("host = ");
    let number = 1 + example.lines().position(|line| host(&line)).unwrap();
    let wrong = example.lines().map(|line| if host(&line) { "host = 7" } else { line }).collect::<Vec<_>>().join("\n");
    std::fs::write(path, wrong).unwrap();
    let ran = plain(&["config", "check", "--config", path]).await.ends(2);
    assert!(ran.out.is_empty());
    assert!(ran.err.contains(&format!("{path}:{number}:")) && ran.err.contains("smtp.host"), "{}", ran.err);
    let missing = plain(&["status", "--config", "/nowhere/changeguard.toml"]).await.ends(2);
    assert!(missing.err.contains("/nowhere/changeguard.toml"), "{}", missing.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn config_check_of_a_right_file_ends_well_and_prints_json() {
    let stage = Stage::start(CYCLE).await;
    let findings = stage.run("config check --json", &[]).await.ends(0).json();
    assert!(findings.as_array().unwrap().iter().all(|finding| finding["field"].is_string()), "{findings}");
}
