//! The stage of the live tests: the services that `tests/live/up` started, the program run against them as an operator
//! runs it, and what is true outside, asked with requests of our own and not with the program's words.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One tenant of the live services, put back to its beginning, and a journal of its own.
pub struct Live {
    /// live.json.
    pub description: Value,
    /// This tenant in it.
    pub tenant: Value,
    /// The configuration: that of the live services, with a state folder of its own.
    pub config: PathBuf,
    /// Where its records are read past the program, if not in the state folder.
    pub journal_url: Option<String>,
    /// For requests.
    pub runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

/// How a subcommand ended.
pub struct Ended {
    /// Its exit code; -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

impl Ended {
    /// The document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    /// Requires an exit code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }
}

/// What is true of a tenant, read from Barbican, Swift and the interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// The payload of the one secret of the name, as it is stored.
    pub private: Vec<u8>,
    /// Its public half, by `wg pubkey`.
    pub public: String,
    /// Everything else about it that a rotation must keep.
    pub kept: Value,
    /// The object's bytes.
    pub object: String,
    /// The key on the interface, by `wg show`.
    pub interface: String,
}

impl Live {
    /// A tenant at its beginning: one secret, all clients connected, empty mailboxes, an empty journal.
    pub fn start(tenant: &str) -> Self {
        Self::start_with(tenant, |config| config)
    }

    /// The same with a changed configuration.
    pub fn start_with(tenant: &str, change: impl FnOnce(String) -> String) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let path = std::env::var("LIVE_JSON").expect("LIVE_JSON: run tests/live/run");
        let description: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let find = |t: &&Value| t["name"] == tenant;
        let tenant = description["tenants"].as_array().unwrap().iter().find(find).unwrap().clone();
        let folder = tempfile::tempdir().unwrap();
        let given = std::fs::read_to_string(text(&description["configuration"])).unwrap();
        let state = folder.path().join("state");
        let own = given.replace(text(&description["state_dir"]), state.to_str().unwrap());
        assert_ne!(own, given, "the journal must be this test's own");
        let config = folder.path().join("changeguard.toml");
        std::fs::write(&config, change(own)).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let live = Self { description, tenant, config, journal_url: None, runtime, folder };
        live.script("seed", &["--reset", live.name()]);
        live
    }

    /// The tenant's name.
    pub fn name(&self) -> &str {
        text(&self.tenant["name"])
    }

    /// The live secret's name.
    pub fn secret_name(&self) -> &str {
        text(&self.tenant["secret_name"])
    }

    /// The configuration's folder, with the state folder in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the services keep their files.
    pub fn live_dir(&self) -> &Path {
        Path::new(text(&self.description["live_dir"]))
    }

    /// A field of every client.
    pub fn clients(&self, field: &str) -> Vec<String> {
        self.tenant["clients"].as_array().unwrap().iter().map(|c| text(&c[field]).to_owned()).collect()
    }

    /// Runs a script of tests/live, which must end well. Gives its output.
    pub fn script(&self, name: &str, arguments: &[&str]) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live").join(name);
        let done = Command::new(path).args(arguments).env("LIVE_DIR", self.live_dir()).output().unwrap();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "tests/live/{name} {arguments:?}: {error}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// What `inspect` tells.
    pub fn inspect(&self, what: &str, about: &str) -> Value {
        serde_json::from_str(&self.script("inspect", &[what, about])).unwrap()
    }

    /// The program with these arguments, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_changeguard"));
        command.arg("--config").arg(&self.config).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let began = Instant::now();
        let done = self.command(arguments).output().unwrap();
        let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
        Ended { code: done.status.code().unwrap_or(-1), out, err, took: began.elapsed() }
    }

    /// `status --json` of the tenant.
    pub fn status(&self) -> Value {
        self.run(&["status", self.name(), "--json"]).expect(0).json()
    }

    /// Plans a window that is open now.
    pub fn plan(&self) {
        let start = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M").to_string();
        self.run(&["plan", self.name(), "--start", &start, "--length", "2h"]).expect(0);
    }

    /// Excepts everybody, so that the gate opens and nobody is waited for.
    pub fn waive_all(&self) {
        for client in self.clients("id") {
            self.run(&["waive", self.name(), &client, "--reason", "a live test of faults"]).expect(0);
        }
    }

    /// Reads Barbican, Swift and the interface; there must be exactly one secret of the name.
    pub fn outside(&self) -> Outside {
        let listed = self.inspect("secrets", self.name());
        let named: Vec<&Value> =
            listed.as_array().unwrap().iter().filter(|s| s["name"] == self.secret_name()).collect();
        assert_eq!(named.len(), 1, "exactly one secret has the name: {listed:#}");
        let secret = named[0];
        let attached = self.inspect("acl", self.name());
        let attached = attached.as_array().unwrap().iter().find(|s| s["href"] == secret["href"]).unwrap().clone();
        let read = &attached["acl"]["read"];
        let mut kept = secret.clone();
        for changed in ["href", "created", "payload_sha256", "public_key"] {
            kept.as_object_mut().unwrap().remove(changed);
        }
        kept["acl"] = serde_json::json!([read["users"], read["project-access"]]);
        kept["metadata"] = attached["metadata"].clone();
        Outside {
            private: self.runtime.block_on(async { Barbican::open(self).await.payload(text(&secret["href"])).await }),
            public: text(&secret["public_key"]).to_owned(),
            kept,
            object: self.script("inspect", &["object", self.name()]),
            interface: text(&self.inspect("wg", self.name())["public_key"]).to_owned(),
        }
    }

    /// Names of secrets that changeguard keeps for this tenant.
    pub fn kept_secrets(&self) -> Vec<String> {
        let listed = self.inspect("secrets", self.name());
        let names = listed.as_array().unwrap().iter().map(|s| text(&s["name"]).to_owned());
        names.filter(|name| name.starts_with("changeguard-")).collect()
    }

    /// The mails of one kind in a client's mailbox.
    pub fn mails(&self, address: &str, kind: &str) -> Vec<Value> {
        let all = self.inspect("mail", address);
        all.as_array().unwrap().iter().filter(|mail| header(mail, "X-Changeguard-Kind") == kind).cloned().collect()
    }

    /// Every client takes the configuration of now, as a person does after step 7, and pings the gateway.
    pub fn everybody_reimports(&self) {
        for client in self.clients("id") {
            self.script("client", &[self.name(), &client, "reimport"]);
        }
    }

    /// Every client reaches the gateway.
    pub fn everybody_pings(&self) {
        for client in self.clients("id") {
            self.script("client", &[self.name(), &client, "ping"]);
        }
    }

    /// Makes a service hang until the guard is dropped.
    pub fn hang(&self, service: &str) -> Sick<'_> {
        self.script("service", &[service, "stop"]);
        Sick { live: self, service: service.to_owned(), cure: "cont" }
    }

    /// Ends a service until the guard is dropped.
    pub fn kill(&self, service: &str) -> Sick<'_> {
        self.script("service", &[service, "kill"]);
        Sick { live: self, service: service.to_owned(), cure: "start" }
    }

    /// The journal's records so far, read past the program. Empty while there is no journal.
    pub fn journal(&self) -> Vec<Value> {
        let path = self.folder().join("state/journal.db");
        let url = self.journal_url.clone().unwrap_or_else(|| format!("sqlite://{}?mode=ro", path.display()));
        let rows = self.runtime.block_on(async {
            use sqlx::Connection;
            sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]).ok();
            let mut connection = sqlx::AnyConnection::connect(&url).await.ok()?;
            let query = "SELECT entry FROM record ORDER BY at_ms, seq";
            let rows: Vec<(String,)> = sqlx::query_as(query).fetch_all(&mut connection).await.ok()?;
            connection.close().await.ok()?;
            Some(rows)
        });
        rows.unwrap_or_default().iter().map(|(entry,)| serde_json::from_str(entry).unwrap()).collect()
    }
}

/// A service that does not work now.
pub struct Sick<'a> {
    live: &'a Live,
    service: String,
    cure: &'static str,
}

impl Drop for Sick<'_> {
    fn drop(&mut self) {
        self.live.script("service", &[&self.service, self.cure]);
    }
}

/// Barbican, asked directly.
pub struct Barbican {
    /// Without a proxy.
    pub http: reqwest::Client,
    url: String,
    /// The operator's, good for Swift as well.
    pub token: String,
}

impl Barbican {
    /// With a token of its own.
    pub async fn open(live: &Live) -> Self {
        let operator = &live.description["operator"];
        let domain = serde_json::json!({"id": "default"});
        let user = serde_json::json!({"name": operator["user"], "domain": domain, "password": operator["password"]});
        let body = serde_json::json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": operator["project"], "domain": domain}},
        }});
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let keystone = format!("{}/auth/tokens", text(&live.description["keystone_url"]));
        let answer = http.post(keystone).json(&body).send().await.unwrap();
        let token = answer.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
        Self { http, url: text(&live.description["barbican_url"]).to_owned(), token }
    }

    /// How many secrets have the name, asked as the VPN server's agent asks.
    pub async fn count(&self, name: &str) -> usize {
        let url = format!("{}/v1/secrets?name={name}", self.url);
        let answer = self.http.get(url).header("X-Auth-Token", &self.token).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json::<Value>().await.unwrap()["secrets"].as_array().unwrap().len()
    }

    async fn payload(&self, href: &str) -> Vec<u8> {
        let request = self.http.get(format!("{href}/payload")).header("X-Auth-Token", &self.token);
        let answer = request.header("Accept", "application/octet-stream").send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.unwrap().to_vec()
    }
}

/// The text of a value.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text"))
}

/// A header of a mail; empty if it has none.
pub fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let pairs = mail["headers"].as_array().unwrap();
    pairs.iter().find(|pair| pair[0] == name).map_or("", |pair| text(&pair[1]))
}

/// Waits for something outside. For what the screen shows, the terminal waits.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited {patience:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
