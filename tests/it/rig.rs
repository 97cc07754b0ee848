//! Fault proxies between the lab and one conductor in this process, whose journal can be made to fail, and whose pauses pass
//! quickly.

use crate::offered::{Way, agent};
use crate::proxy::{Behind, Proxies};
use crate::scene::{Scene, Silent};
use async_trait::async_trait;
use changeguard::adapters::lab::{Lab, LabOptions, LabWorld, Service};
use changeguard::config::Config;
use changeguard::engine::command::Command;
use changeguard::engine::journal::Holder;
use changeguard::engine::ports::Clock;
use changeguard::engine::record::{Actor, Cause};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::rehearsal::Rehearsal;
use changeguard::runtime::wiring::Wiring;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long the program waits for one answer here.
const LIMIT: Duration = Duration::from_millis(700);
/// Pauses pass twenty times as fast.
pub struct QuickClock;

#[async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / 20).await;
    }
}

/// The lab behind proxies, and one conductor.
pub struct Rig {
    pub lab: Lab,
    pub proxies: Proxies,
    pub conductor: Conductor,
    /// The journal, which can be made to fail.
    pub journal: Arc<Rehearsal>,
    /// Changing calls at the moment when it failed.
    pub when_failed: Arc<Mutex<Option<u64>>>,
    agent: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same with a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = crate::scene::folder();
        let options =
            LabOptions { console: true, ..LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard")) };
        let lab = Lab::start(options).await.unwrap();
        let ports = lab.world().ports();
        let behind = [
            (Behind::Keystone, ports.keystone),
            (Behind::Barbican, ports.barbican),
            (Behind::Swift, ports.swift),
            (Behind::Console, ports.console),
            (Behind::Mail, ports.smtp),
        ];
        let proxies = Proxies::start(&behind, LIMIT).await;
        let port = |service| proxies.port(service);
        let clouds = folder.path().join("clouds.yaml");
        let text = std::fs::read_to_string(&clouds).unwrap();
        let overrides = format!(
            "    key_manager_endpoint_override: http://127.0.0.1:{}\n    object_store_endpoint_override: \
             http://127.0.0.1:{}/v1/AUTH_%(project_id)s\n    region_name:",
            port(Behind::Barbican),
            port(Behind::Swift)
        );
        let text = text
            .replace(&format!(":{}/v3", ports.keystone), &format!(":{}/v3", port(Behind::Keystone)))
            .replace("    region_name:", &overrides);
        std::fs::write(&clouds, text).unwrap();
        let mut config = changeguard::config::load(Some(lab.config_path()), &|_| None).unwrap();
        (config.cloud.connect_timeout, config.cloud.read_timeout, config.cloud.upload_timeout) = (LIMIT, LIMIT, LIMIT);
        (config.smtp.port, config.smtp.timeout, config.smtp.retries) = (port(Behind::Mail), LIMIT, 0);
        config.wireguard.reconcile_interval = Duration::from_secs(1);
        config.server.timeout = Duration::from_secs(2);
        if let Some(console) = &mut config.console {
            console.url = format!("http://127.0.0.1:{}/api", port(Behind::Console));
        }
        change(&mut config);
        let wiring = Wiring::open(config).await.unwrap();
        let (world, when_failed) = (lab.world().clone(), Arc::new(Mutex::new(None)));
        let moment = when_failed.clone();
        let failed = move || {
            moment.lock().unwrap().get_or_insert_with(|| changing_calls(&world));
        };
        let (conductor, journal) = conductor(&wiring, failed).await;
        let agent = tokio::spawn(agent(lab.world().clone()));
        Self { lab, proxies, conductor, journal, when_failed, agent, _folder: folder }
    }

    pub async fn plan(&self, way: Way) {
        let cause = if way == Way::Fresh { Cause::Compromise } else { Cause::Scheduled };
        let window = Scene::open_window();
        self.conductor.run(Command::Plan { window, cause, reference: String::new() }).await.unwrap();
    }

    pub async fn status(&self) -> Value {
        self.conductor.look().await;
        serde_json::to_value(self.conductor.status()).unwrap()
    }
}

/// Calls that change something outside, as far as they have reached the lab.
pub fn changing_calls(world: &LabWorld) -> u64 {
    let count = |service, methods: &[&str]| methods.iter().map(|method| world.count(service, method)).sum::<u64>();
    let writes = ["POST", "PUT", "DELETE"];
    count(Service::Barbican, &writes) + count(Service::Swift, &writes) + count(Service::Smtp, &["."])
}

async fn conductor(wiring: &Wiring, failed: impl Fn() + Send + Sync + 'static) -> (Conductor, Arc<Rehearsal>) {
    let tenant = wiring.tenants().await.0.remove(0);
    let journal = Arc::new(Rehearsal::failing(wiring.store().clone(), failed));
    let fence = Arc::new(LeaseFence::new(journal.clone()));
    let mut world = wiring.world(tenant, fence.clone()).unwrap();
    (world.clock, world.store) = (Arc::new(QuickClock), journal.clone());
    let now = Timestamp::now();
    let instance = changeguard::adapters::system::instance().unwrap();
    let me = Holder::new("ops".into(), "here".into(), std::process::id(), now, instance);
    let actor = Actor {
        by: "ops".into(),
        host: "here".into(),
        person: "ops".into(),
        ssh: None,
        unproven: None,
        environment: None,
    };
    let conductor = Conductor::new(world, wiring.runbook().clone(), me, actor, fence, Arc::new(Silent));
    (conductor, journal)
}
