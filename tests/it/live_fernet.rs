//! The Fernet runbook on three real Keystone nodes, by the program as an operator runs it: whole rotations and ways back, killed at a
//! line of what it prints (a sample; `WALK_ALL=1` takes every line), while tokens of before and new ones are shown to every node all
//! the time. None may be refused.

#![allow(clippy::unwrap_used)]

use crate::fernet_rig::{issue, own, password, subject};
use crate::live::Live;
use crate::sample;
use futures_util::StreamExt;
use serde_json::Value;
use sha2::Digest;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SUBJECT: &str = "keystone/real";
const NODES: [&str; 3] = ["fernet0", "fernet1", "fernet2"];
/// So many deaths of each way in an ordinary run.
const MOST: usize = 1;
/// So many tokens of each age are shown.
const KEPT: usize = 6;

/// The nodes, and who shows tokens to them.
struct Site {
    live: Live,
    port: u16,
    body: String,
    load: Arc<Load>,
}

#[derive(Default)]
struct Load {
    ends: AtomicBool,
    shown: AtomicU64,
    tokens: Mutex<(Vec<String>, VecDeque<String>)>,
    refused: Mutex<Vec<String>>,
}

impl Site {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/fernet");
        let mut port = 0;
        let live = Live::start_with("globex", |config| {
            let json = std::env::var("LIVE_JSON").unwrap();
            let directory = std::path::Path::new(&json).parent().unwrap().to_str().unwrap().to_owned();
            let made = std::process::Command::new(script).env("LIVE_DIR", &directory).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            port = String::from_utf8(made.stdout).unwrap().trim().parse().unwrap();
            let node = |(at, name): (usize, &&str)| {
                format!("{{ name = \"{name}\", url = \"http://127.0.0.1:{}/v3\" }}", usize::from(port) + at)
            };
            let nodes: Vec<String> = NODES.iter().enumerate().map(node).collect();
            format!(
                "{config}\n[keystone.real]\nnodes = [{}]\ncommand = [\"env\", \"LIVE_DIR={directory}\", \"{script}\", \"shell\", \
                 \"{{node}}\", \"sh\", \"-c\", \"{{script}}\"]\nconfig_files = [\"{directory}/fernet/{{node}}/keystone.conf\"]\n\
                 config_directory = \"\"\nuser = \"root\"\ngroup = \"root\"\ntimeout = \"60s\"\nrotate_timeout = \"120s\"\n\
                 auth = {{ user = \"admin\", project = \"admin\", password_file = \"admin-password\" }}\n",
                nodes.join(", ")
            )
        });
        let passwords = std::fs::read_to_string(live.live_dir().join("secrets/passwords")).unwrap();
        let secret = passwords.lines().find_map(|line| line.strip_prefix("ADMIN_PASSWORD=")).unwrap().to_owned();
        let file = live.folder().join("admin-password");
        std::fs::write(&file, &secret).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let site = Self { live, port, body: password("admin", &secret, "admin"), load: Arc::default() };
        site.issue();
        site
    }

    fn ports(&self) -> [u16; 3] {
        [self.port, self.port + 1, self.port + 2]
    }

    /// A new token of each node.
    fn issue(&self) {
        for port in self.ports() {
            let (status, token) = self.live.runtime.block_on(issue(port, &self.body));
            self.load.take(token.unwrap_or_else(|| panic!("a token of {port}: {status}")));
        }
    }

    /// Shows tokens to every node until it is told to end, one behind the other, and asks for new ones meanwhile.
    fn load(&self) -> Vec<tokio::task::JoinHandle<()>> {
        let shows = |first: usize| {
            let (load, ports, body) = (self.load.clone(), self.ports(), self.body.clone());
            self.live.runtime.spawn(async move {
                for turn in first.. {
                    if load.ends.load(Ordering::Relaxed) {
                        return;
                    }
                    let (node, by) = (turn % 3, (turn / 3) % 3);
                    if turn % 30 == 0 {
                        match issue(ports[node], &body).await {
                            (_, Some(token)) => load.take(token),
                            (status, None) => load.refuse(format!("{}: no token: {status}", NODES[node])),
                        }
                    }
                    let token = load.token(turn);
                    let status = own(ports[by], &token).await;
                    load.shown(by, "own", status);
                    let status = subject(ports[node], &load.newest(), &token, false).await;
                    load.shown(node, "subject", status);
                }
            })
        };
        vec![shows(0)]
    }

    fn status(&self) -> Value {
        let ended = self.live.run(&["status", SUBJECT, "--json"]);
        serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {} {}", ended.out, ended.err))
    }

    /// Starts it and kills it as soon as it has printed so many lines; how many it has printed.
    fn killed(&self, arguments: &[&str], after: usize) -> usize {
        let mut command = self.live.command(arguments);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            line.unwrap();
            seen += 1;
            if seen == after {
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        seen
    }

    /// What is offered, until there is nothing to go on with.
    fn resumed(&self, what: &str) -> Value {
        for _ in 0..8 {
            let status = self.status();
            if matches!(status["phase"].as_str(), Some("half-way" | "idle")) {
                return status;
            }
            let next = status["next"]["text"].as_str().unwrap();
            assert!(next.contains("resume"), "{what}: {next}");
            let ended = self.live.run(&["resume", SUBJECT]);
            // A script that a dead process had begun goes on there; it is waited for.
            let waits = ended.err.contains("another script works on");
            assert!(ended.code == 0 || waits, "{what}: {} {}", ended.out, ended.err);
        }
        panic!("{what}: no end");
    }

    fn keys(&self) -> Vec<Vec<String>> {
        let keys = |node: &&str| {
            let folder = self.live.live_dir().join("fernet").join(node).join("fernet-keys");
            let mut names: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| {
                    let digest = sha2::Sha256::digest(std::fs::read(&path).unwrap());
                    format!(
                        "{}={:02x}{:02x}{:02x}",
                        path.file_name().unwrap().to_string_lossy(),
                        digest[0],
                        digest[1],
                        digest[2]
                    )
                })
                .collect();
            names.sort();
            names
        };
        NODES.iter().map(keys).collect()
    }
}

impl Load {
    fn take(&self, token: String) {
        let mut tokens = self.tokens.lock().unwrap();
        if tokens.0.len() < KEPT {
            tokens.0.push(token);
            return;
        }
        tokens.1.push_back(token);
        if tokens.1.len() > KEPT {
            tokens.1.pop_front();
        }
    }

    fn token(&self, turn: usize) -> String {
        let tokens = self.tokens.lock().unwrap();
        let all: Vec<&String> = tokens.0.iter().chain(&tokens.1).collect();
        all[turn % all.len()].clone()
    }

    fn newest(&self) -> String {
        let tokens = self.tokens.lock().unwrap();
        tokens.1.back().or(tokens.0.last()).unwrap().clone()
    }

    fn shown(&self, node: usize, way: &str, status: u16) {
        self.shown.fetch_add(1, Ordering::Relaxed);
        if status != 200 {
            self.refuse(format!("{}: {way}: {status}", NODES[node]));
        }
    }

    fn refuse(&self, text: String) {
        self.refused.lock().unwrap().push(text);
    }
}

/// What each node was asked: for how many tokens, about how many, and how often otherwise.
type Asked = Vec<[usize; 3]>;

impl Site {
    fn folder(&self, node: &str) -> std::path::PathBuf {
        self.live.live_dir().join("fernet").join(node)
    }

    /// By the nodes' access logs.
    fn asked(&self) -> Asked {
        let of = |node: &&str| {
            let log = std::fs::read_to_string(self.folder(node).join("access.log")).unwrap();
            let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
            [count("\"POST /v3/auth/tokens"), count("\"GET /v3/auth/tokens"), count("\"GET /v3 ")]
        };
        NODES.iter().map(of).collect()
    }

    /// How long it takes to reach all nodes once, side by side.
    fn connections(&self) -> Duration {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for node in NODES {
                scope.spawn(move || self.live.script("fernet", &["shell", node, "sh", "-c", "true"]));
            }
        });
        began.elapsed()
    }

    /// How long one rotation takes in a copy that nobody uses.
    fn manage(&self) -> Duration {
        let (at, began) = (self.folder(NODES[0]).display().to_string(), Instant::now());
        let script = format!(
            "cp -Rp {at}/fernet-keys {at}/floor && printf '[fernet_tokens]\\nkey_repository = {at}/floor\\n[fernet_receipts]\\n\
             key_repository = {at}/floor\\n' > {at}/floor.conf && keystone-manage --config-file {at}/keystone.conf --config-file \
             {at}/floor.conf fernet_rotate --keystone-user root --keystone-group root; rm -rf {at}/floor {at}/floor.conf"
        );
        self.live.script("fernet", &["shell", NODES[0], &script]);
        began.elapsed()
    }

    /// How long the nodes take to answer all that.
    fn answers(&self, asked: &Asked) -> Duration {
        let began = Instant::now();
        let token = &self.load.newest();
        let each = self.ports().into_iter().zip(asked).map(|(port, [issued, shown, _])| async move {
            let asks = (0..issued + shown).map(|at| async move {
                match at < *issued {
                    true => issue(port, &self.body).await.0,
                    false => own(port, token).await,
                }
            });
            futures_util::stream::iter(asks).buffer_unordered(4).collect::<Vec<u16>>().await
        });
        let statuses = self.live.runtime.block_on(futures_util::future::join_all(each)).concat();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 201)), "{statuses:?}");
        began.elapsed()
    }
}

const ROTATE: [&str; 4] = ["rotate", SUBJECT, "--confirm", "real"];
const BACK: [&str; 6] = ["rollback", SUBJECT, "--confirm", "real", "--reason", "a live test"];

#[test]
#[ignore = "needs the live services"]
fn whole_rotations_killed_and_gone_on_with_on_real_keystone_nodes_refuse_no_token() {
    let site = Site::start();
    let before = site.keys();
    assert!(before.iter().all(|node| *node == before[0] && node.len() == 3), "{before:?}");
    let tasks = site.load();
    // Undisturbed, to count the lines; then killed at some of them.
    let lines = [site.killed(&ROTATE, usize::MAX), site.killed(&BACK, usize::MAX)];
    assert_eq!((site.status()["phase"].as_str(), lines[0] > 5, lines[1] > 2), (Some("idle"), true, true), "{lines:?}");
    let points = |name: &str, lines: usize| sample::chosen(name, (1..=lines).collect(), MOST);
    let mut deaths = 0;
    for line in points("deaths of a live Fernet rotation", lines[0]) {
        site.killed(&ROTATE, line);
        let what = format!("rotate killed at line {line} of {}", lines[0]);
        let status = site.resumed(&what);
        deaths += 1;
        if status["phase"] == "half-way" {
            let keys = site.keys();
            assert!(keys.iter().all(|node| *node == keys[0]), "{what}: {keys:?}");
            site.live.run(&BACK).expect(0);
        }
    }
    for line in points("deaths of a live Fernet way back", lines[1]) {
        site.live.run(&ROTATE).expect(0);
        site.killed(&BACK, line);
        let what = format!("rollback killed at line {line} of {}", lines[1]);
        let status = site.resumed(&what);
        deaths += 1;
        assert_eq!(status["ended"], "rolled back", "{what}");
        let keys = site.keys();
        assert!(keys.iter().all(|node| *node == keys[0]), "{what}: {keys:?}");
    }
    // The end: what nobody needs any more goes.
    site.live.run(&ROTATE).expect(0);
    let evidence = site.status();
    let step = |number: usize| evidence["steps"][number - 1]["detail"].as_str().unwrap_or_default().to_owned();
    assert!(step(6).contains("36 of 36 tokens accepted (old and new)"), "{}", evidence["steps"]);
    site.load.ends.store(true, Ordering::Relaxed);
    tasks.into_iter().for_each(|task| site.live.runtime.block_on(task).unwrap());
    let (shown, refused) = (site.load.shown.load(Ordering::Relaxed), site.load.refused.lock().unwrap().clone());
    println!("{deaths} deaths, {shown} tokens shown meanwhile, {} refused", refused.len());
    assert_eq!(refused, Vec::<String>::new());
    assert!(shown > 500, "{shown}");
    let purged = site.live.run(&["purge", SUBJECT, "--confirm", "real"]).expect(0);
    assert!(purged.out.contains("purged") || purged.err.contains("purged"), "{} {}", purged.out, purged.err);
    let keys = site.keys();
    assert!(keys.iter().all(|node| *node == keys[0] && node.len() == 3 && node != &before[0]), "{keys:?}");
    for port in site.ports() {
        let newest = site.load.newest();
        assert_eq!(site.live.runtime.block_on(own(port, &newest)), 200, "a token of the new key");
    }
}

#[test]
#[ignore = "needs the live services"]
fn what_is_wrong_with_a_real_node_is_named_before_any_key_changes() {
    let site = Site::start();
    let before = site.keys();
    let folder = |node: &str| site.live.live_dir().join("fernet").join(node).join("fernet-keys");
    let stray = folder("fernet1").join("5.bak");
    std::fs::write(&stray, "left behind").unwrap();
    let shut = site.live.run(&ROTATE).expect(3);
    assert!(shut.err.contains("fernet1") && shut.err.contains("5.bak"), "{}", shut.err);
    std::fs::remove_file(&stray).unwrap();
    // Somebody rotates on one node by hand: keystone-manage purges the oldest key there.
    site.live.script(
        "fernet",
        &[
            "shell",
            "fernet1",
            "keystone-manage --config-file",
            &format!("{}/fernet/fernet1/keystone.conf", site.live.live_dir().display()),
            "fernet_rotate --keystone-user root --keystone-group root",
        ],
    );
    let shut = site.live.run(&ROTATE).expect(3);
    assert!(shut.err.contains("did not receive the last rotation"), "{}", shut.err);
    assert!(shut.err.contains("fernet1 refuses what was made with key 1"), "{}", shut.err);
    assert_eq!((site.keys()[0].clone(), site.keys()[2].clone()), (before[0].clone(), before[2].clone()));
}

/// So many rotations are measured; the middle one counts.
const ROUNDS: usize = 3;
/// Between the new primary and the new staged key: of the first node, and of the others.
const PAUSES: Duration = Duration::from_secs(2);

#[test]
#[ignore = "needs the live services"]
fn a_whole_rotation_of_real_nodes_is_measured_against_what_it_can_not_do_without() {
    let site = Site::start();
    site.live.run(&ROTATE).expect(0);
    site.live.run(&BACK).expect(0);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let before = site.asked();
        let began = Instant::now();
        site.live.run(&ROTATE).expect(0);
        let took = began.elapsed();
        let asked: Asked =
            site.asked().iter().zip(&before).map(|(now, then)| [0, 1, 2].map(|of| now[of] - then[of])).collect();
        site.live.run(&BACK).expect(0);
        let (connection, manage, answers) = (site.connections(), site.manage(), site.answers(&asked));
        let floor = connection + manage + answers + PAUSES;
        times.push(took.as_secs_f64() / floor.as_secs_f64());
        println!(
            "rotate {took:.2?}; floor {floor:.2?}: a connection {connection:.2?}, keystone-manage {manage:.2?}, {asked:?} requests \
             {answers:.2?}, pauses {PAUSES:?}; {:.2} times",
            times[times.len() - 1]
        );
    }
    times.sort_by(f64::total_cmp);
    println!("the middle one of {ROUNDS}: {:.2} times its floor", times[ROUNDS / 2]);
}
