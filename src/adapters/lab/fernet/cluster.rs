//! The cluster as its owner has it: started in a folder, with the way to its nodes; and what a test or a rehearsal may do to
//! it. What it is made of is `world`; how it is looked at from behind, `truth`.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::super::chance::Chance;
use super::super::faults::Service;
use super::super::state::{Shared, lock};
use super::super::{http, listen};
use super::client::Way;
use super::conf::Written;
use super::node::Keystone;
use super::truth::{self, ClusterState};
use super::world::{Account, Node, Rejected, Spike, World};
use super::{far, repository, shell, traffic};

/// The size and character of a cluster.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Where the nodes' folders are made; exists and is the user's own (mode 0700). Keys that an earlier cluster has left there stay as
    /// they are, with what lies beside them.
    pub directory: PathBuf,
    /// The changeguard binary: the shell's client, and `keystone-manage`.
    pub program: PathBuf,
    /// Number of nodes, at most 1,000.
    pub nodes: usize,
    /// Same seed, same first keys, ids and passwords.
    pub seed: u64,
    /// `[token] expiration`.
    pub expiration: Duration,
    /// `[token] allow_expired_window`.
    pub window: Duration,
    /// `max_active_keys` of tokens and receipts; at least 1.
    pub most: usize,
    /// How long ago the last rotation was.
    pub rotated: Duration,
    /// The time between the rotations before.
    pub between: Duration,
    /// Whether the receipts have a folder of their own.
    pub receipts_apart: bool,
    /// Whether all nodes cache tokens in one place, which hides a missing key.
    pub shared_cache: bool,
    /// The ids of `admin` and of its project; `None`: out of the seed. A comparison with another Keystone needs that one's.
    pub admin_ids: Option<(String, String)>,
    /// How often the rest of the cloud validates a token at each node; `None`: only when a test says so.
    pub background: Option<Duration>,
}

impl ClusterOptions {
    /// Three nodes with Keystone's defaults and three keys, rotated three days ago, in which nothing happens by itself.
    pub fn steady(directory: &Path, program: impl Into<PathBuf>) -> Self {
        const DAY: u64 = 86_400;
        Self {
            directory: directory.to_owned(),
            program: program.into(),
            nodes: 3,
            seed: 7,
            expiration: Duration::from_secs(3600),
            window: Duration::from_secs(2 * DAY),
            most: 3,
            rotated: Duration::from_secs(3 * DAY),
            between: Duration::from_secs(3 * DAY),
            receipts_apart: false,
            shared_cache: false,
            admin_ids: None,
            background: None,
        }
    }
}

/// Why a cluster could not start.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// More nodes than it can have, or none, or no keys.
    #[error("make a cluster of {nodes} nodes with {most} keys: 1 to 1000 nodes, and at least 1 key")]
    Size {
        /// As asked.
        nodes: usize,
        /// As asked.
        most: usize,
    },
    /// No port on 127.0.0.1.
    #[error("listen on 127.0.0.1: {0}")]
    Listen(#[source] std::io::Error),
    /// The folders could not be made.
    #[error("make the cluster's folders below {}: {source}", directory.display())]
    Write {
        /// Where.
        directory: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A running cluster. Its servers end with the lab that it was started for.
#[derive(Clone)]
pub struct Cluster {
    world: Arc<World>,
}

/// The way to a cluster that may have ended.
pub(in super::super) struct Held(std::sync::Weak<World>);

impl Held {
    /// The cluster, while there is one.
    pub(in super::super) fn cluster(&self) -> Option<Cluster> {
        self.0.upgrade().map(|world| Cluster { world })
    }
}

impl Cluster {
    /// Fills the folders, binds the nodes to free ports of 127.0.0.1 and serves them; the tasks end when the lab stops.
    /// Errors: too many nodes, no port, a folder that can't be written.
    pub(in super::super) async fn start(
        options: ClusterOptions,
        shared: Arc<Shared>,
    ) -> Result<(Cluster, Vec<JoinHandle<()>>), ClusterError> {
        let (nodes, most) = (options.nodes, options.most);
        if nodes == 0 || nodes > 1000 || most == 0 {
            return Err(ClusterError::Size { nodes, most });
        }
        let mut listeners = Vec::new();
        for _ in 0..=nodes {
            listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(ClusterError::Listen)?);
        }
        let ports = listeners.iter().map(|one| Ok(one.local_addr()?.port())).collect::<Result<Vec<_>, _>>();
        let mut ports = ports.map_err(ClusterError::Listen)?;
        let written = |source| ClusterError::Write { directory: options.directory.clone(), source };
        let way = way(&options.directory, ports.pop().unwrap_or(0)).map_err(written)?;
        let world = Arc::new(world(&options, shared, &ports, way.password));
        // One moment for all: their keys' times are alike to the second.
        let last = SystemTime::now() - options.rotated;
        for node in &world.nodes {
            fill(&options, node, last).map_err(written)?;
        }
        Ok((Cluster { world: Arc::clone(&world) }, serve(&world, listeners, options.background)))
    }

    /// The nodes' names.
    pub fn names(&self) -> Vec<String> {
        self.world.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// The nodes' Keystones, each `http://127.0.0.1:PORT/v3`.
    pub fn urls(&self) -> Vec<String> {
        self.world.nodes.iter().map(|node| format!("http://127.0.0.1:{}/v3", node.port)).collect()
    }

    /// The words before those of a command on a node, as an operator configures them for ssh: `{node}` is the node's name.
    pub fn ssh(&self) -> Vec<String> {
        let (program, way) = (self.world.program.to_string_lossy(), self.world.root.join("shell.json"));
        [&program, "lab-node-shell", "--lab", &way.to_string_lossy(), "--node", "{node}", "--"]
            .map(str::to_owned)
            .into()
    }

    /// The path of a node's `keystone.conf` as an operator configures it, with `{node}` in it.
    pub fn conf_template(&self) -> String {
        self.world.root.join("{node}/etc/keystone/keystone.conf").to_string_lossy().into_owned()
    }

    /// A node's `etc/keystone`.
    pub fn etc(&self, node: usize) -> PathBuf {
        self.world.nodes[node].etc()
    }

    /// A node's access log, in gunicorn's format.
    pub fn access_log(&self, node: usize) -> PathBuf {
        self.world.at(node, "var/log/keystone/access.log")
    }

    /// `admin`, who may do all.
    pub fn admin(&self) -> &Account {
        &self.world.accounts[0]
    }

    /// `nova`, who may validate the tokens of others.
    pub fn service(&self) -> &Account {
        &self.world.accounts[1]
    }

    /// Takes a node's power, or gives it back: neither HTTP nor shell answers, and what ran there ends.
    pub fn power(&self, node: usize, on: bool) {
        self.login(node, on);
        self.api(node, on);
    }

    /// Ends a node's shell alone, or starts it again; what ran there ends.
    pub fn login(&self, node: usize, on: bool) {
        self.world.off.send_modify(|off| {
            off.retain(|one| *one != node);
            off.extend((!on).then_some(node));
        });
    }

    /// The way to it that does not keep it alive.
    pub(in super::super) fn held(&self) -> Held {
        Held(Arc::downgrade(&self.world))
    }

    /// Ends a node's Keystone alone, or starts it again.
    pub fn api(&self, node: usize, on: bool) {
        let service = Service::Node(u16::try_from(node).unwrap_or(u16::MAX));
        self.world.shared.downs.send_modify(|downs| {
            downs.retain(|one| *one != service);
            downs.extend((!on).then_some(service));
        });
    }

    /// Sets a node's clock so many seconds ahead of this machine's. Errors: its program can't be written.
    pub fn skew(&self, node: usize, seconds: i64) -> std::io::Result<()> {
        self.world.nodes[node].skew.store(seconds, Ordering::SeqCst);
        far::set_clock(&self.world.nodes[node])
    }

    /// What `crontab -l`, `systemctl` and `docker ps` print at a node (`crontab`, `timers`, `containers`); empty: as where
    /// there is nothing. Any text under `sudo-refused` makes sudo ask for a password there. Errors: it can't be written.
    pub fn lists(&self, node: usize, what: &str, text: &str) -> std::io::Result<()> {
        let path = self.world.at(node, "lab").join(what);
        match text {
            "" => std::fs::remove_file(path)
                .or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) }),
            text => std::fs::write(path, text),
        }
    }

    /// Puts a program in front of this machine's own of the same name at a node, such as a `df` that shows a full disk.
    /// Errors: it can't be written.
    pub fn program(&self, node: usize, name: &str, script: &str) -> std::io::Result<()> {
        far::program_file(&self.world.at(node, "bin").join(name), script)
    }

    /// Of the background's requests at a node one in `every` is answered with this status from now on; 0 ends that.
    pub fn spike(&self, node: usize, status: u16, every: u64) {
        *lock(&self.world.nodes[node].spike) = (every > 0).then_some(Spike { status, every });
    }

    /// So many validations of the background at a node, now. Returns how many were answered otherwise than 200.
    pub fn traffic(&self, node: usize, count: u64) -> u64 {
        traffic::beat(&self.world, node, count)
    }

    /// A rotation at a node kills itself after so many steps (temporary key, promotion, new staged key, each purge).
    pub fn stop_rotation_after(&self, node: usize, steps: Option<u64>) {
        *lock(&self.world.nodes[node].stop_after) = steps;
    }

    /// A session that a fault cuts in its middle is killed when so many programs of its script have ended; 1 at first.
    pub fn cut_after(&self, programs: u64) {
        *lock(&self.world.cut_after) = programs;
    }

    /// Issues a token at a node for an account, as of the node's clock. Errors: Keystone's words.
    pub fn issue(&self, node: usize, account: &Account) -> Result<Zeroizing<String>, String> {
        match self.world.issue(node, account, true) {
            Ok(fresh) => Ok(fresh.token),
            Err(Rejected::Broken(why)) => Err(why.to_string()),
            Err(Rejected::NotFound(why)) => Err(why),
        }
    }

    /// What lies on all nodes, and what was issued.
    pub fn state(&self) -> ClusterState {
        truth::state(&self.world)
    }

    /// The invariant: every token that was ever issued here and is not past its lifetime at `now` (seconds since 1970) is
    /// valid at every node, whatever the caches say. Names what is not; empty: it holds.
    pub fn still_valid(&self, now: u64) -> Vec<String> {
        truth::still_valid(&self.world, now)
    }

    /// Scripts in which a key, a token or a password stood.
    pub fn forbidden(&self) -> Vec<String> {
        lock(&self.world.forbidden).clone()
    }
}

fn world(options: &ClusterOptions, shared: Arc<Shared>, ports: &[u16], password: String) -> World {
    let mut chance = Chance::fork(options.seed, 0xfe12);
    let accounts = [("admin", "admin", &["admin", "member", "reader"][..]), ("nova", "service", &["service"][..])];
    let mut accounts = accounts.map(|(name, project, roles)| Account {
        name: name.to_owned(),
        id: chance.hex32(),
        project: project.to_owned(),
        project_id: chance.hex32(),
        roles,
        password: Zeroizing::new(chance.token(24)),
    });
    if let Some((id, project_id)) = &options.admin_ids {
        (accounts[0].id, accounts[0].project_id) = (id.clone(), project_id.clone());
    }
    let node = |(number, port): (usize, &u16)| Node {
        name: format!("node{number}"),
        root: options.directory.join(format!("node{number}")),
        port: *port,
        skew: AtomicI64::new(0),
        spike: Mutex::default(),
        beaten: Mutex::default(),
        stop_after: Mutex::default(),
    };
    World {
        nodes: ports.iter().enumerate().map(node).collect(),
        root: options.directory.clone(),
        program: options.program.clone(),
        accounts: accounts.into(),
        password: Zeroizing::new(password),
        issued: Mutex::default(),
        cache: Mutex::default(),
        chance: Mutex::new(chance),
        off: watch::channel(Vec::new()).0,
        cut_after: Mutex::new(1),
        forbidden: Mutex::default(),
        background: Mutex::default(),
        shared,
    }
}

/// Writes the way to the nodes, for the shell's clients.
fn way(directory: &Path, port: u16) -> std::io::Result<Way> {
    // Not of the lab's own chance: whoever knows its seed knows that.
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let way = Way { port, password: super::super::chance::hex(&random) };
    let path = directory.join("shell.json");
    std::fs::remove_file(&path).ok();
    let mut file = {
        use std::os::unix::fs::OpenOptionsExt as _;
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?
    };
    std::io::Write::write_all(&mut file, serde_json::to_string(&way)?.as_bytes())?;
    Ok(way)
}

fn fill(options: &ClusterOptions, node: &Node, last: SystemTime) -> std::io::Result<()> {
    far::build(node, &options.program)?;
    let etc = node.etc();
    let written = Written {
        folder: &etc,
        log: &node.root.join("var/log/keystone"),
        expiration: options.expiration.as_secs(),
        window: options.window.as_secs(),
        most: (options.most, options.most),
        receipts_apart: options.receipts_apart,
        shared_cache: options.shared_cache,
    };
    std::fs::write(node.conf_path(), written.text())?;
    let mut folders = vec![("fernet-keys", options.most, 1), ("credential-keys", 3, 3)];
    if options.receipts_apart {
        folders.push(("fernet-receipts", options.most, 2));
    }
    for (folder, most, kind) in folders.into_iter().filter(|(folder, ..)| !etc.join(folder).exists()) {
        let key = |number: u64| Zeroizing::new(Chance::fork(options.seed, kind << 32 | number).bytes());
        repository::fill(&etc.join(folder), most, last, options.between, &key)?;
    }
    Ok(())
}

fn serve(world: &Arc<World>, listeners: Vec<TcpListener>, background: Option<Duration>) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    for (number, listener) in listeners.into_iter().enumerate() {
        let (shared, world) = (Arc::clone(&world.shared), Arc::clone(world));
        tasks.push(if number < world.nodes.len() {
            let service = Service::Node(u16::try_from(number).unwrap_or(u16::MAX));
            tokio::spawn(listen::keep(service, shared, listener, move |shared, listener| {
                http::run(Arc::new(Keystone { world: Arc::clone(&world), number }), shared, listener)
            }))
        } else {
            tokio::spawn(listen::keep(Service::NodeShell, shared, listener, move |shared, listener| {
                let world = Arc::clone(&world);
                listen::each(Service::NodeShell, shared, listener, move |_, stream| {
                    shell::serve(Arc::clone(&world), stream)
                })
            }))
        });
    }
    if let Some(period) = background {
        tasks.push(tokio::spawn(traffic::run(Arc::clone(world), period)));
    }
    tasks
}
