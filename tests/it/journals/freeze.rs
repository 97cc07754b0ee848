//! Makes frozen journals: a binary of the program is driven on the embedded lab as an operator would, and for each record it
//! is noted what the lab was then and what the binary says of the journal up to there. `tests/journals/freeze` runs it.

use super::cluster::{self, Size};
use super::corpus::{self, Journal};
use super::{difference, scripts, scripts_of_clusters, world};
use crate::offered::{TENANT, Way, agent, arguments, decide};
use changeguard::adapters::lab::fernet::ClusterOptions;
use changeguard::adapters::lab::{Lab, LabOptions, LabWorld};
use changeguard::engine::audit::{Row, hex};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
/// Who works, and where: nothing of this machine goes into the corpus.
const PASSWD: &str = "ada:x:0:0::/root:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n";
/// Gives a process another password file and host name.
const ELSEWHERE: &str = r#"mount --bind "$1" /etc/passwd && hostname "$2" && shift 2 && exec "$@""#;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Ada,
    Bob,
}

/// What is frozen.
pub struct Order {
    /// `forward`.
    pub name: &'static str,
    pub clients: usize,
    pub alerts: bool,
    /// What the configuration says besides what the lab writes.
    pub more: &'static str,
    /// Of a cluster, and of no tenant.
    pub cluster: Option<Size>,
}

impl Order {
    fn subject(&self) -> &'static str {
        if self.cluster.is_some() { cluster::SUBJECT } else { TENANT }
    }

    /// Where its journals lie.
    fn folder(&self, dialect: &str) -> String {
        if self.cluster.is_some() { format!("keystone/{dialect}") } else { dialect.to_owned() }
    }
}

/// Looks at what a journal is about.
type Eye = Arc<dyn Fn() -> Value + Send + Sync>;

/// A lab on which a journal is made.
pub struct Bench {
    pub lab: Lab,
    pub folder: tempfile::TempDir,
    order: Order,
    dialect: &'static str,
    seen: Arc<Mutex<Vec<(Timestamp, Value)>>>,
    eye: Eye,
    before: Value,
    agent: tokio::task::JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

fn given(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable}: run tests/journals/freeze"))
}

fn out(output: Output, what: &str) -> String {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Bench {
    async fn start(dialect: &'static str, order: Order) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = crate::scene::folder();
        std::fs::write(folder.path().join("passwd"), PASSWD).unwrap();
        let mut lab = Lab::start(options(folder.path(), order.clients, order.alerts)).await.unwrap();
        if let Some(size) = order.cluster {
            let place = Path::new(cluster::PLACE);
            assert!(!place.exists(), "{place:?} is made here, and taken away");
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(place).unwrap();
            let mut options = ClusterOptions::steady(place, env!("CARGO_BIN_EXE_changeguard"));
            size.apply(&mut options);
            lab.add_cluster(options).await.unwrap();
        }
        let path = lab.config_path().to_owned();
        let mut text = std::fs::read_to_string(&path).unwrap() + order.more;
        if dialect == "postgres" {
            let database = database(order.name);
            sql("postgres", &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await;
            sql("postgres", &format!("CREATE DATABASE {database}")).await;
            text = text.replace("[state]\n", &format!("[state]\nurl = \"{}\"\n", url(&database)));
        }
        std::fs::write(&path, text).unwrap();
        lab.world().reconcile(TENANT).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let eye: Eye = match lab.cluster().cloned() {
            Some(cluster) => Arc::new(move || cluster::seen(&cluster)),
            None => {
                let looked = lab.world().clone();
                Arc::new(move || world::seen(&looked))
            }
        };
        let (notes, looks, before) = (seen.clone(), eye.clone(), eye());
        lab.faults().observe(move |_| {
            let now = (Timestamp::now(), looks());
            notes.lock().unwrap().push(now);
        });
        let agent = tokio::spawn(agent(lab.world().clone()));
        Self { lab, folder, order, dialect, seen, eye, before, agent }
    }

    pub fn world(&self) -> &LabWorld {
        self.lab.world()
    }

    /// The program in the hands of somebody, on a configuration.
    pub fn command(&self, who: Who, config: &Path, line: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("unshare");
        let passwd = self.folder.path().join("passwd");
        command.args(["--uts", "--mount", "sh", "-c", ELSEWHERE, "sh"]).arg(passwd);
        match who {
            Who::Ada => command.arg("bastion-1"),
            Who::Bob => command.args(["bastion-2", "unshare", "--user", "--map-user=1001", "--"]),
        };
        command.arg(given("FREEZE_BINARY")).arg("--config").arg(config).args(line);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs a subcommand to its end; `--json` and the tenant are the caller's.
    pub async fn run(&self, who: Who, line: &[&str]) -> Output {
        let run = self.command(who, self.lab.config_path(), line).output();
        tokio::time::timeout(PATIENCE, run).await.expect("it hangs").unwrap()
    }

    /// Runs a subcommand that must end well.
    pub async fn does(&self, who: Who, line: &[&str]) -> String {
        out(self.run(who, line).await, &line.join(" "))
    }

    /// Runs one that must not.
    pub async fn fails(&self, who: Who, line: &[&str]) {
        let ended = self.run(who, line).await;
        assert!(!ended.status.success(), "{line:?}: {}", String::from_utf8_lossy(&ended.stdout));
    }

    pub async fn status(&self, who: Who) -> Value {
        serde_json::from_str(&self.does(who, &["status", TENANT, "--json"]).await).unwrap()
    }

    /// Plans a window that is open now, or changes it.
    pub async fn plan(&self, more: &[&str]) {
        let start = Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        let plan = ["plan", TENANT, "--start", &start, "--length", "90m", "--reference", "CHG-4711"];
        self.does(Who::Ada, &[&plan[..], more].concat()).await;
    }

    /// One way from its plan to its end; `dies` is the record of `rotate` before which the process is killed.
    pub async fn way(&self, way: Way, mut dies: Option<u64>) {
        self.plan(if way == Way::Fresh { &["--cause", "compromise"] } else { &[] }).await;
        let (mut status, mut turned) = (self.status(Who::Ada).await, false);
        while let Some((action, commands)) = decide(way, &status, self.world(), &mut turned) {
            if action == "verify" {
                self.world().reimport_all(TENANT).await;
            }
            for command in commands {
                let line = arguments(&command);
                let line: Vec<&str> = line.iter().map(String::as_str).collect();
                let mut process = self.command(Who::Ada, self.lab.config_path(), &line);
                if action == "rotate"
                    && let Some(record) = dies.take()
                {
                    process.env("CHANGEGUARD_REHEARSE", format!("kill-before {record}"));
                }
                tokio::time::timeout(PATIENCE, process.output()).await.expect("it hangs").unwrap();
            }
            status = self.status(Who::Ada).await;
        }
    }

    fn dump(&self) -> String {
        let mut command = match self.dialect {
            "postgres" => {
                let mut command = std::process::Command::new("pg_dump");
                command.args(["--inserts", "--no-owner", "--no-privileges", "--dbname"]);
                command.arg(url(&database(self.order.name)));
                command
            }
            _ => {
                let mut command = std::process::Command::new("sqlite3");
                command.arg(self.folder.path().join("state/journal.db")).arg(".dump");
                command
            }
        };
        let text = out(command.output().unwrap(), "dump");
        let settled = |line: &&str| !line.starts_with("--") && !line.starts_with("\\") && !line.trim().is_empty();
        text.lines().filter(settled).map(|line| line.to_owned() + "\n").collect()
    }

    /// What the binary says of the first records: without a look outside, and with a look at the lab as it is.
    async fn says(&self, journal: &Journal, position: i64) -> (Timestamp, Value, Value) {
        let config = self.folder.path().join("prefix.toml");
        let text = std::fs::read_to_string(self.lab.config_path()).unwrap();
        // No witness has seen more than there is.
        let text = text.replace("directory = \"state\"", "directory = \"prefix\"");
        let state = self.folder.path().join("prefix");
        match self.dialect {
            "postgres" => {
                let (whole, prefix) = (database(self.order.name), database("prefix"));
                std::fs::remove_dir_all(&state).ok();
                sql("postgres", &format!("DROP DATABASE IF EXISTS {prefix} WITH (FORCE)")).await;
                sql("postgres", &format!("CREATE DATABASE {prefix} TEMPLATE {whole}")).await;
                for statement in cut_after(journal, position) {
                    sql(&prefix, &statement).await;
                }
                private(&config, &text.replace(&url(&whole), &url(&prefix)));
            }
            _ => {
                std::fs::remove_dir_all(&state).ok();
                journal.state(&state, position, None).await;
                private(&config, &text);
            }
        }
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let asked = async |line: &[&str]| -> Value {
            let said = self.command(Who::Ada, &config, line).output().await.unwrap();
            serde_json::from_str(&out(said, "status")).unwrap()
        };
        let subject = self.order.subject();
        let mut offline = asked(&["status", subject, "--offline", "--json"]).await;
        let looked = asked(&["status", subject, "--json"]).await;
        if self.order.cluster.is_some() {
            return (now, cluster::plain(offline), cluster::gist(&looked));
        }
        // The lines of the journal are its records, which are in the dump.
        offline["journal"] = Value::Null;
        (now, offline, gist(&looked))
    }

    /// Writes the journal's two files.
    async fn freeze(self) {
        let last = (Timestamp::MAX, (self.eye)());
        // Where nobody is written to there is none.
        let reply_key = std::fs::read(self.folder.path().join("state/reply.key")).unwrap_or_default();
        let mut about = json!({ "made_by": given("FREEZE_COMMIT"), "viewer": "ada", "clients": self.order.clients,
            "alerts": self.order.alerts, "more": self.order.more, "reply_key": hex(&reply_key), "before": self.before });
        if let Some(size) = self.order.cluster {
            about["cluster"] = size.json();
        }
        let (name, before) = (format!("{}/{}", self.order.folder(self.dialect), self.order.name), self.before.clone());
        let journal = Journal { name, about, dump: self.dump(), before, prefixes: Vec::new() };
        let mut lines = vec![journal.about.to_string()];
        let (mut status, mut there, mut looked) = (Value::Null, self.before.clone(), Value::Null);
        let worlds: Vec<Value> = self.seen.lock().unwrap().iter().map(|(_, world)| world.clone()).collect();
        let is_cluster = self.order.cluster.is_some();
        let keys = match is_cluster {
            true => Default::default(),
            false => world::keys(worlds.iter().chain([&self.before, &last.1])),
        };
        // From here on nobody acts: the lab is only put back to what it was.
        self.agent.abort();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        for row in journal.records() {
            let record: Value = serde_json::from_str(&row.text).unwrap();
            let at: Timestamp = record["at"].as_str().unwrap().parse().unwrap();
            let after = seen.iter().find(|(moment, _)| *moment > at).unwrap_or(&last).1.clone();
            match self.lab.cluster().filter(|_| is_cluster) {
                Some(cluster) => cluster::put_back(cluster, &after, SignedDuration::ZERO),
                None => world::put_back(self.world(), &after, &keys),
            }
            let (now, said, gist) = self.says(&journal, row.position).await;
            let line = json!({ "position": row.position, "record": record["record"]["record"], "now": now,
                "status": difference::between(&status, &said), "world": difference::between(&there, &after),
                "looked": difference::between(&looked, &gist) });
            lines.push(line.to_string());
            (status, there, looked) = (said, after, gist);
        }
        let folder = corpus::folder().join(self.order.folder(self.dialect));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{}.sql", self.order.name)), &journal.dump).unwrap();
        std::fs::write(folder.join(format!("{}.jsonl", self.order.name)), lines.join("\n") + "\n").unwrap();
        println!("{}: {} records", journal.name, lines.len() - 1);
        if is_cluster {
            std::fs::remove_dir_all(cluster::PLACE).unwrap();
        }
    }
}

/// What of a status with a look outside does not depend on when exactly the look was.
pub fn gist(status: &Value) -> Value {
    let clients = status["clients"].as_array().unwrap().iter();
    let standing = |client: &Value| {
        let id = client["id"].as_str().unwrap().to_owned();
        (id, json!([client["standing"], client["standing_detail"]]))
    };
    let standings: serde_json::Map<String, Value> = clients.map(standing).collect();
    json!({ "phase": status["phase"], "gate": status["gate"], "reasons": status["reasons"], "answers": status["answers"],
        "next": status["next"], "standings": standings })
}

/// The lab of a frozen journal: the same seed gives the same tenants and clients.
pub fn options(folder: &Path, clients: usize, alerts: bool) -> LabOptions {
    LabOptions { clients, console: true, alerts, ..LabOptions::still(folder, env!("CARGO_BIN_EXE_changeguard")) }
}

fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn database(name: &str) -> String {
    format!("freeze_{}", name.replace('-', "_"))
}

fn url(database: &str) -> String {
    format!("postgres://postgres@{}/{database}", given("FREEZE_POSTGRES"))
}

async fn sql(database: &str, statement: &str) {
    let mut connection = PgConnection::connect(&(url(database) + "?sslmode=disable")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// What makes a journal end with this record, as far as a server has it.
fn cut_after(journal: &Journal, position: i64) -> Vec<String> {
    let records: Vec<Row> = journal.records().into_iter().filter(|row| row.position <= position).collect();
    let last = records.last().unwrap();
    vec![
        format!("DELETE FROM record WHERE position > {position}"),
        "DELETE FROM rotation t WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.rotation = t.rotation)".into(),
        "UPDATE rotation t SET last_seq = (SELECT MAX(seq) FROM record r WHERE r.rotation = t.rotation)".into(),
        format!("UPDATE chain SET position = {position}, hash = '{}'", last.hash),
    ]
}

/// The record of `rotate` with which step 4 begins, in the journal of the way forward.
fn record_of_step_4() -> u64 {
    let journals = corpus::journals_named("sqlite", "forward");
    let records: Vec<Value> = journals.records().iter().map(|row| serde_json::from_str(&row.text).unwrap()).collect();
    let started = |step: u64| {
        let is = |entry: &Value| entry["record"]["record"] == "step-started" && entry["record"]["step"] == step;
        records.iter().position(is).unwrap() as u64
    };
    started(4) - started(2) + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "makes the corpus anew: tests/journals/freeze"]
async fn freeze_journals() {
    let only = std::env::var("FREEZE_ONLY").ok().filter(|only| !only.is_empty());
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for dialect in ["sqlite", "postgres"] {
        let ways = [
            ("forward", Way::Forward),
            ("back", Way::Back),
            ("fresh", Way::Fresh),
            ("cancel", Way::Cancel),
            ("cancel-staged", Way::CancelStaged),
            ("emergency", Way::Emergency),
        ];
        for (name, way) in ways.into_iter().filter(|(name, _)| wanted(name)) {
            let bench = Bench::start(dialect, Order { name, clients: 2, alerts: false, more: "", cluster: None }).await;
            bench.way(way, (way == Way::CancelStaged).then(record_of_step_4)).await;
            if way == Way::Emergency {
                bench.does(Who::Bob, &["review", TENANT, "--note", "the laptop was found"]).await;
            }
            bench.freeze().await;
        }
        for (order, script) in scripts::all(dialect) {
            if wanted(order.name) {
                let bench = Bench::start(dialect, order).await;
                scripts::play(&bench, script).await;
                bench.freeze().await;
            }
        }
        for (order, story) in scripts_of_clusters::all(dialect) {
            if only.as_deref().is_none_or(|only| only == "keystone" || only == format!("keystone/{}", order.name)) {
                let bench = Bench::start(dialect, order).await;
                scripts_of_clusters::play(&bench, story).await;
                bench.freeze().await;
            }
        }
    }
}
