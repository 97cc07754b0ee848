//! A bastion for tests of the process: the embedded lab, one configuration, and real processes of the program that work
//! with it, whose standard error is read as it comes.

pub use crate::pty::PATIENCE;
use changeguard::adapters::lab::{Lab, LabOptions};
use changeguard::adapters::store::SqlJournal;
use changeguard::engine::journal::{Holder, JournalStore};
use changeguard::engine::secret::{PrivateKey, SecretBytes};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

const PROGRAM: &str = env!("CARGO_BIN_EXE_changeguard");
/// The servers' cycle where a test waits for one.
pub const CYCLE: Duration = Duration::from_millis(300);

/// The lab, the configuration on it, and a home.
pub struct Bastion {
    pub lab: Lab,
    pub folder: tempfile::TempDir,
}

/// What a process left.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output, all of which must be one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

/// A running process; what it said so far can be waited for.
pub struct Process {
    child: Child,
    pub pid: u32,
    said: watch::Receiver<String>,
    out: Arc<Mutex<String>>,
}

impl Process {
    /// Waits until standard error holds the text.
    pub async fn says(&mut self, text: &str) -> String {
        let found = tokio::time::timeout(PATIENCE, self.said.wait_for(|said| said.contains(text))).await;
        let found = found.ok().and_then(Result::ok).map(|said| said.clone());
        found.unwrap_or_else(|| panic!("never said {text:?}:\n{}", self.said()))
    }

    pub fn said(&self) -> String {
        self.said.borrow().clone()
    }

    /// What it printed so far.
    pub fn printed(&self) -> String {
        self.out.lock().unwrap().clone()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid, name);
    }

    /// Waits for its end.
    pub async fn ends(mut self) -> Ran {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it never ended").unwrap();
        // The reader ends with the pipe.
        let _ = tokio::time::timeout(PATIENCE, self.said.wait_for(|_| false)).await;
        Ran { code: status.code(), out: self.printed(), err: self.said() }
    }
}

/// Sends a signal.
pub fn signal(pid: u32, name: &str) {
    let status = std::process::Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.unwrap().success(), "{name}");
}

/// Whether the kernel shows the process as stopped.
pub fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}

impl Bastion {
    /// So many tenants of so many clients, where nobody acts by themselves.
    pub async fn start(tenants: usize, clients: usize, reconcile_interval: Duration) -> Self {
        Self::start_on((false, false), tenants, clients, reconcile_interval).await
    }

    /// The same with Alertmanager in it.
    pub async fn with_alerts(tenants: usize, clients: usize, reconcile_interval: Duration) -> Self {
        Self::start_on((true, false), tenants, clients, reconcile_interval).await
    }

    /// The same with all that may be looked at.
    pub async fn all(tenants: usize, clients: usize, reconcile_interval: Duration) -> Self {
        Self::start_on((true, true), tenants, clients, reconcile_interval).await
    }

    async fn start_on(
        (alerts, console): (bool, bool),
        tenants: usize,
        clients: usize,
        reconcile_interval: Duration,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let options = LabOptions {
            tenants,
            clients,
            reconcile_interval,
            console,
            alerts,
            ..LabOptions::still(folder.path(), PROGRAM)
        };
        Self { lab: Lab::start(options).await.unwrap(), folder }
    }

    /// Changes the configuration's text.
    pub fn configure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(self.config(), text.replacen(from, to, 1)).unwrap();
    }

    pub fn config(&self) -> &Path {
        self.lab.config_path()
    }

    /// The command for a line, with what holds spaces behind it.
    pub fn command(&self, line: &str, more: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(self.config()).args(line.split_whitespace()).args(more);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).env("USER", "ops");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The command for a line, in a pid namespace of its own, as in a container: there it is process 1.
    pub fn contained(&self, line: &str) -> Command {
        let plain = self.command(line, &[]);
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--kill-child"])
            .arg(plain.as_std().get_program())
            .args(plain.as_std().get_args());
        command.env_clear().envs(plain.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a subcommand to its end.
    pub async fn run(&self, line: &str, more: &[&str]) -> Ran {
        self.spawn(self.command(line, more)).ends().await
    }

    /// Begins a subcommand.
    pub fn begin(&self, line: &str) -> Process {
        self.spawn(self.command(line, &[]))
    }

    pub fn spawn(&self, mut command: Command) -> Process {
        let mut child = command.spawn().unwrap();
        let pid = child.id().unwrap();
        let (err, out) = (child.stderr.take().unwrap(), child.stdout.take().unwrap());
        let (sender, said) = watch::channel(String::new());
        let text = Arc::new(Mutex::new(String::new()));
        let printed = text.clone();
        tokio::spawn(async move {
            let errors = async {
                let mut lines = BufReader::new(err).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    sender.send_modify(|said| said.extend([line.as_str(), "\n"]));
                }
            };
            let output = async {
                let mut lines = BufReader::new(out).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    text.lock().unwrap().extend([line.as_str(), "\n"]);
                }
            };
            tokio::join!(errors, output);
        });
        Process { child, pid, said, out: printed }
    }

    /// What is true of a tenant.
    pub async fn status(&self, tenant: &str) -> Value {
        self.run(&format!("status {tenant} --json"), &[]).await.ends(0).json()
    }

    /// Plans a window that is open now, announces it, and everybody confirms.
    pub async fn confirmed(&self, tenant: &str) {
        let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        self.run(&format!("plan {tenant} --start"), &[&start]).await.ends(0);
        self.run(&format!("notify {tenant} --kind announcement"), &[]).await.ends(0);
        for person in self.lab.world().tenant(tenant).unwrap().people {
            self.run(&format!("ack {tenant} --by phone"), &[&person.id]).await.ends(0);
        }
    }

    /// The public halves of all secrets of a tenant's live name.
    pub fn live(&self, tenant: &str) -> Vec<String> {
        let public =
            |payload: Vec<u8>| PrivateKey::from_payload(&SecretBytes::new(payload)).unwrap().public().to_string();
        let secrets = self.lab.world().key_secrets(tenant);
        secrets.into_iter().map(|secret| public(secret.payload.unwrap().to_vec())).collect()
    }

    pub async fn store(&self) -> SqlJournal {
        SqlJournal::in_folder(&self.folder.path().join("state")).await.unwrap()
    }

    /// Who holds which tenant, dead or alive.
    pub async fn holders(&self) -> Vec<Holder> {
        self.store().await.holders().await.unwrap().into_iter().map(|(_, holder)| holder).collect()
    }

    /// The kinds of a tenant's records, in order.
    pub async fn records(&self, tenant: &str) -> Vec<Value> {
        let entries = self.run(&format!("report {tenant} --json"), &[]).await.ends(0).json();
        entries["records"].as_array().unwrap().clone()
    }
}
