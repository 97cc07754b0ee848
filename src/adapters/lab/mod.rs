//! The embedded lab: Keystone, Barbican, Swift, SMTP, IMAP, the console API and VPN servers as small protocol-true servers on
//! loopback, with people who answer. It imports nothing of the program: what runs against it is the production path.

mod agent;
mod alerts;
mod answers;
mod barbican;
mod barbican_attachments;
mod chance;
mod console;
mod control;
mod faults;
pub mod fernet;
mod files;
mod http;
mod imap;
mod keystone;
pub mod kops;
mod listen;
mod mailbox;
mod mishaps;
mod people;
mod restore;
mod seed;
mod services;
mod shell;
mod smtp;
mod state;
mod swift;
mod trip;
mod vpn;
mod wire;
mod world;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::task::JoinHandle;

pub use alerts::LabSilence;
pub use barbican::Secret;
pub use control::{Controls, Rehearsed};
pub use faults::{Fault, FaultId, Faults, Loss, Request, Rule, Service, Which};
pub use mishaps::{MishapOrder, MishapView};
pub use shell::{Printed, shell};
pub use smtp::Mail;
pub use state::Ports;
pub use trip::Moment;
pub use vpn::AgentMode;
pub use world::{LabPeer, LabPerson, LabServer, LabTenant, LabWorld};

use chance::Chance;
use state::Shared;

/// How soon the people of the lab act by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Within 40 ms, and all of them well: for tests.
    Instant,
    /// An answer 3-20 s after the question, a re-import 5-30 s after the request; one person slow, one busy, one silent
    /// until the second mail, one away, one unsure: for the demo.
    Human,
    /// Nobody does anything.
    Off,
}

/// The size and character of a lab.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// Where the configuration is written; exists, and is the user's own (mode 0700).
    pub directory: PathBuf,
    /// Number of tenants, at most 40,000 of 252 clients or less.
    pub tenants: usize,
    /// Clients of each tenant, at most 20,000; 256 more take as many addresses as one more tenant.
    pub clients: usize,
    /// How often each server's agent asks for its key.
    pub reconcile_interval: Duration,
    /// How soon people act.
    pub pace: Pace,
    /// The changeguard binary that `server.command` starts.
    pub program: PathBuf,
    /// Same seed, same names, ids and first keys.
    pub seed: u64,
    /// Whether the configuration names the console API.
    pub console: bool,
    /// Whether the configuration names Alertmanager.
    pub alerts: bool,
    /// Whether the configuration names the command for the agents' logs.
    pub agent_log: bool,
}

impl LabOptions {
    /// One tenant of two clients in which nothing happens by itself: no agent looks, and nobody acts. For tests and measurements.
    pub fn still(directory: &Path, program: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.to_owned(),
            tenants: 1,
            clients: 2,
            reconcile_interval: Duration::from_secs(3600),
            pace: Pace::Off,
            program: program.into(),
            seed: 7,
            console: false,
            alerts: false,
            agent_log: false,
        }
    }
}

/// What a person at the operator's desk would hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabEvent {
    /// The tenant's name.
    pub tenant: String,
    /// One line; may hold a person's hostile display name.
    pub text: String,
    /// What happened.
    pub kind: LabEventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabEventKind {
    /// Somebody answered by mail: yes or no to the window, or to "are you back?".
    Answer {
        /// The person's id in `users[]`.
        client: String,
        /// False: asks for another time, or is not back.
        confirmed: bool,
    },
    /// Somebody downloaded and imported the configuration (or found none).
    Reimport {
        /// The person's id in `users[]`.
        client: String,
    },
    /// A mail arrived at somebody's mailbox, or one came from there that says neither yes nor no.
    Mail {
        /// The person's id in `users[]`.
        client: String,
    },
    /// A server's agent applied another key.
    Applied,
    /// A server's agent could not fetch its key: the alert that the runbook expects during the gap.
    FetchError,
}

/// Why a lab could not start.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// More than the addresses allow.
    #[error("make a lab of {tenants} tenants with {clients} clients: at most 20000 clients, and 40000 nets of 252")]
    TooLarge {
        /// As asked.
        tenants: usize,
        /// As asked.
        clients: usize,
    },
    /// No port on 127.0.0.1.
    #[error("listen on 127.0.0.1: {0}")]
    Listen(#[source] std::io::Error),
    /// The configuration could not be written.
    #[error("write the lab's configuration below {}: {source}", directory.display())]
    Write {
        /// Where.
        directory: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The agents' HTTP client.
    #[error("prepare the lab's HTTP client: {0}")]
    Client(String),
}

/// A running lab.
pub struct Lab {
    world: LabWorld,
    config: PathBuf,
    cluster: Option<fernet::Cluster>,
    kops: Option<kops::KopsLab>,
    tasks: Vec<JoinHandle<()>>,
}

impl Lab {
    /// Binds the servers to free ports of 127.0.0.1, seeds them and writes the configuration.
    /// Errors: a lab too large, no port, a folder that can't be written.
    pub async fn start(options: LabOptions) -> Result<Lab, LabError> {
        let (tenants, clients) = (options.tenants, options.clients);
        if clients > seed::MOST_CLIENTS || tenants.saturating_mul(seed::nets(clients)) > seed::MOST_NETS {
            return Err(LabError::TooLarge { tenants, clients });
        }
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let mut listeners = Vec::new();
        let mut ports = Vec::new();
        for _ in 0..8 {
            let listener = bind().await.map_err(LabError::Listen)?;
            ports.push(listener.local_addr().map_err(LabError::Listen)?.port());
            listeners.push(listener);
        }
        let ports = Ports {
            keystone: ports[0],
            barbican: ports[1],
            swift: ports[2],
            console: ports[3],
            smtp: ports[4],
            shell: ports[5],
            alerts: ports[7],
            imap: ports[6],
        };
        let shared = Arc::new(share(options, ports));
        shared.http.set(agent::client().map_err(LabError::Client)?).ok();
        let config = files::write(&shared)
            .map_err(|source| LabError::Write { directory: shared.options.directory.clone(), source })?;
        let listener = bind().await.map_err(LabError::Listen)?;
        let port = listener.local_addr().map_err(LabError::Listen)?.port();
        let controls = control::write(&shared, port)
            .map_err(|source| LabError::Write { directory: shared.options.directory.clone(), source })?;
        let mut tasks = vec![tokio::spawn(control::run(Arc::clone(&shared), listener, controls))];
        let services = [
            Service::Keystone,
            Service::Barbican,
            Service::Swift,
            Service::Console,
            Service::Smtp,
            Service::Shell,
            Service::Imap,
            Service::Alerts,
        ];
        for (service, listener) in services.into_iter().zip(listeners) {
            let shared = Arc::clone(&shared);
            tasks.push(match service {
                Service::Smtp => tokio::spawn(listen::keep(service, shared, listener, smtp::run)),
                Service::Imap => tokio::spawn(listen::keep(service, shared, listener, imap::run)),
                Service::Shell => tokio::spawn(listen::keep(service, shared, listener, shell::run)),
                _ => tokio::spawn(listen::keep(service, shared, listener, move |shared, listener| {
                    http::run(Arc::new(services::Single { service, shared: Arc::clone(&shared) }), shared, listener)
                })),
            });
        }
        tasks.push(tokio::spawn(people::run(Arc::clone(&shared))));
        tasks.push(tokio::spawn(agent::run(Arc::clone(&shared))));
        Ok(Lab { world: LabWorld { shared }, config, cluster: None, kops: None, tasks })
    }

    /// `changeguard.toml`, complete; `clouds.yaml` (clouds `lab` and `lab-appcred`) is beside it.
    pub fn config_path(&self) -> &Path {
        &self.config
    }

    /// What is heard from now on; a listener that lags by more than 1,024 events misses the oldest.
    pub fn events(&self) -> broadcast::Receiver<LabEvent> {
        self.world.shared.events.subscribe()
    }

    /// What shall go wrong.
    pub fn faults(&self) -> &Faults {
        self.world.faults()
    }

    /// The lab from behind.
    pub fn world(&self) -> &LabWorld {
        &self.world
    }

    /// Adds a Keystone cluster, whose servers end with the lab, and names it in the configuration as `[keystone.lab]`. Errors:
    /// those of the cluster, or the configuration can't be written.
    pub async fn add_cluster(&mut self, options: fernet::ClusterOptions) -> Result<(), fernet::ClusterError> {
        let (watched, shared) = (options.background.is_some(), &self.world.shared);
        let (cluster, tasks) = fernet::Cluster::start(options, Arc::clone(shared)).await?;
        self.tasks.extend(tasks);
        files::add_cluster(shared, &self.config, &cluster, watched).map_err(|source| {
            let directory = shared.options.directory.clone();
            fernet::ClusterError::Write { directory, source }
        })?;
        self.world.shared.cluster.set(cluster.held()).ok();
        self.cluster = Some(cluster);
        Ok(())
    }

    /// Adds a Kubernetes cluster behind `kops`, which ends with the lab, and names it in the configuration as `[kops.lab]`. Errors: no
    /// port, or a file can't be written.
    pub async fn add_kops(&mut self, options: kops::KopsOptions) -> std::io::Result<()> {
        let (cluster, task) = kops::KopsLab::start(options, Arc::clone(&self.world.shared)).await?;
        self.tasks.push(task);
        files::add_section(&self.config, &cluster.section())?;
        self.world.shared.kops.set(cluster.held()).ok();
        self.kops = Some(cluster);
        Ok(())
    }

    /// The Kubernetes cluster, if there is one.
    pub fn kops(&self) -> Option<&kops::KopsLab> {
        self.kops.as_ref()
    }

    /// The Keystone cluster, if there is one.
    pub fn cluster(&self) -> Option<&fernet::Cluster> {
        self.cluster.as_ref()
    }

    /// Ends all servers and waits for them; open connections are closed.
    pub async fn stop(mut self) {
        self.world.shared.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            task.await.ok();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.world.shared.stop.send_replace(true);
    }
}

fn share(options: LabOptions, ports: Ports) -> Shared {
    let tenants = seed::tenants(&options);
    let keystone = seed::keystone(&options);
    let mut chance = Chance::fork(options.seed, 3);
    Shared {
        barbican: Mutex::new(seed::secrets(&options, &keystone.ops, &tenants)),
        swift: Mutex::new(seed::objects(&keystone.ops, &tenants)),
        keystone: Mutex::new(keystone),
        mails: Mutex::default(),
        mailbox: Mutex::default(),
        people: Mutex::default(),
        alerts: Mutex::default(),
        console_token: format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", chance.token(60), chance.token(43)),
        chance: Mutex::new(chance),
        tenants,
        faults: Faults::default(),
        mishaps: Mutex::default(),
        cluster: OnceLock::new(),
        kops: OnceLock::new(),
        forbidden: Mutex::default(),
        latency: Mutex::new(HashMap::new()),
        chain: Default::default(),
        late: std::sync::atomic::AtomicUsize::new(0),
        events: broadcast::channel(1_024).0,
        hurry: Notify::new(),
        crypto: Semaphore::new(16),
        changes: watch::channel(0).0,
        stop: watch::channel(false).0,
        downs: watch::channel(Vec::new()).0,
        http: OnceLock::new(),
        ports,
        options,
    }
}
