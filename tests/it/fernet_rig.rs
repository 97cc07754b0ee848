//! A cluster in a temporary folder, a plain HTTP client, and the shell as the program uses it: what the tests of the cluster share.

use std::path::Path;
use std::process::{Output, Stdio};

use changeguard::adapters::lab::fernet::{Account, Cluster, ClusterOptions};
use changeguard::adapters::lab::{Lab, LabOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// A lab, and the folder that goes with it.
pub struct Rig {
    pub lab: Lab,
    pub folder: tempfile::TempDir,
}

/// An answer; status 0: the connection ended without one.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// One request on a connection of its own.
pub async fn http(port: u16, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let lost = Answer { status: 0, head: String::new(), body: Vec::new() };
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return lost };
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nuser-agent: rig\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        request += "content-type: application/json\r\n";
    }
    request += &format!("content-length: {}\r\n\r\n{body}", body.len());
    let mut bytes = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_err() {
        return lost;
    }
    // A connection that is cut ends in an error; what came before counts.
    stream.read_to_end(&mut bytes).await.ok();
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return lost };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// The body that asks for a token of a project.
pub fn password(name: &str, password: &str, project: &str) -> String {
    let domain = json!({ "id": "default" });
    let user = json!({ "name": name, "domain": domain, "password": password });
    json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": user } },
            "scope": { "project": { "name": project, "domain": domain } } } })
    .to_string()
}

/// Asks for a token: the status, and the token if there is one.
pub async fn issue(port: u16, body: &str) -> (u16, Option<String>) {
    let answer = http(port, "POST", "/v3/auth/tokens?nocatalog", &[], body).await;
    (answer.status, answer.header("x-subject-token").map(str::to_owned))
}

/// The status of a token at a node, as the caller's own.
pub async fn own(port: u16, token: &str) -> u16 {
    let headers = [("x-auth-token", token), ("x-subject-token", token)];
    http(port, "GET", "/v3/auth/tokens?nocatalog=1", &headers, "").await.status
}

/// The status of a token at a node, as another's.
pub async fn subject(port: u16, caller: &str, token: &str, late: bool) -> u16 {
    let headers = [("x-auth-token", caller), ("x-subject-token", token)];
    let query = if late { "&allow_expired=1" } else { "" };
    http(port, "GET", &format!("/v3/auth/tokens?nocatalog=1{query}"), &headers, "").await.status
}

impl Rig {
    pub async fn new() -> Rig {
        Rig::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut ClusterOptions)) -> Rig {
        let program = env!("CARGO_BIN_EXE_changeguard");
        let folder = crate::scene::folder();
        std::fs::create_dir(folder.path().join("cluster")).unwrap();
        let mut options = ClusterOptions::steady(&folder.path().join("cluster"), program);
        change(&mut options);
        let place = folder.path().join("lab");
        std::fs::create_dir(&place).unwrap();
        let mut lab = Lab::start(LabOptions::still(&place, program)).await.unwrap();
        lab.add_cluster(options).await.unwrap();
        Rig { lab, folder }
    }

    pub fn cluster(&self) -> &Cluster {
        self.lab.cluster().unwrap()
    }

    pub fn port(&self, node: usize) -> u16 {
        let url = &self.cluster().urls()[node];
        url.rsplit(':').next().unwrap().trim_end_matches("/v3").parse().unwrap()
    }

    pub fn body(&self) -> String {
        let Account { name, password: secret, project, .. } = self.cluster().admin();
        password(name, secret, project)
    }

    /// A token of a node; panics where it gives none.
    pub async fn token(&self, node: usize) -> String {
        issue(self.port(node), &self.body()).await.1.unwrap()
    }

    /// The command that runs these words on a node.
    pub fn ssh(&self, node: usize, words: &[&str]) -> Command {
        let words = words.iter().map(|word| (*word).to_owned());
        let argv: Vec<String> = self
            .cluster()
            .ssh()
            .into_iter()
            .map(|w| w.replace("{node}", &format!("node{node}")))
            .chain(words)
            .collect();
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    pub async fn run(&self, node: usize, script: &str) -> Output {
        self.ssh(node, &[script]).output().await.unwrap()
    }

    /// Standard output of a script that must end well.
    pub async fn out(&self, node: usize, script: &str) -> String {
        let output = self.run(node, script).await;
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Turns the keys at a node, as an operator does.
    pub async fn rotate(&self, node: usize) {
        self.out(node, "keystone-manage fernet_rotate --keystone-user keystone --keystone-group keystone").await;
    }

    /// Until a node's Keystone takes connections again: its port is bound anew.
    pub async fn answers(&self, node: usize) {
        while http(self.port(node), "GET", "/v3", &[], "").await.status == 0 {
            tokio::task::yield_now().await;
        }
    }

    pub fn keys(&self, node: usize) -> std::path::PathBuf {
        self.cluster().etc(node).join("fernet-keys")
    }

    /// Makes a node's folder the same as another's, in one go and with its times, as nobody should while it serves.
    pub fn copy(&self, from: usize, to: usize) {
        std::fs::remove_dir_all(self.keys(to)).unwrap();
        copy(&self.keys(from), &self.keys(to));
    }

    /// The names in a node's folder of token keys.
    pub fn names(&self, node: usize) -> Vec<String> {
        self.cluster().state().nodes[node].tokens.iter().map(|key| key.name.clone()).collect()
    }

    /// Status of every node's new token at every node, as own and as another's.
    pub async fn matrix(&self) -> Vec<Vec<(u16, u16)>> {
        let nodes = self.cluster().names().len();
        let mut tokens = Vec::new();
        for node in 0..nodes {
            tokens.push(self.token(node).await);
        }
        let mut rows = Vec::new();
        for token in &tokens {
            let mut row = Vec::new();
            for (at, caller) in tokens.iter().enumerate() {
                row.push((own(self.port(at), token).await, subject(self.port(at), caller, token, false).await));
            }
            rows.push(row);
        }
        rows
    }
}

/// Copies a folder of plain files, with modes and times.
pub fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(done.success());
}

/// Seconds since 1970.
pub fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
