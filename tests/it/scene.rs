//! A stage for scenarios: the embedded lab, the production adapters on it, and one tenant's conductor.

use changeguard::adapters::lab::{Lab, LabOptions};
use changeguard::config::{self, Config};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::key::PublicKey;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::tenant::Tenant;
use changeguard::domain::window::Window;
use changeguard::engine::command::Command;
use changeguard::engine::journal::{Holder, Instance};
use changeguard::engine::ports::{Unfenced, World};
use changeguard::engine::record::{Actor, Cause};
use changeguard::engine::status::TenantStatus;
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::fleet::Fleet;
use changeguard::runtime::run::RunError;
use changeguard::runtime::wiring::Wiring;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// A stage.
pub struct Scene {
    /// The servers.
    pub lab: Lab,
    /// The composition root on them.
    pub wiring: Wiring,
    /// All tenants.
    pub fleet: Fleet,
    _folder: tempfile::TempDir,
}

/// A folder in memory where there is one: a walk of a thousand rotations must not wait for a disk.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Nobody who watches.
pub struct Silent;

impl Watcher for Silent {
    fn changed(&self, _conductor: &Conductor) {}
    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

impl Scene {
    /// Two tenants of three clients, nobody acts by themselves, limits of time short enough for tests.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same with a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(false, false, change).await
    }

    /// The same with Alertmanager in it.
    pub async fn with_alerts(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(true, false, change).await
    }

    /// The same with the console API in it.
    pub async fn with_console() -> Self {
        Self::start_on(false, true, |_| {}).await
    }

    async fn start_on(alerts: bool, console: bool, change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let options = LabOptions {
            tenants: 2,
            clients: 3,
            reconcile_interval: Duration::from_millis(300),
            console,
            alerts,
            ..LabOptions::still(folder.path(), env!("CARGO_BIN_EXE_changeguard"))
        };
        let lab = Lab::start(options).await.unwrap();
        let mut config = config::load(Some(lab.config_path()), &|_| None).unwrap();
        config.cloud.read_timeout = Duration::from_millis(700);
        config.cloud.upload_timeout = Duration::from_millis(700);
        config.wireguard.reconcile_interval = Duration::from_secs(5);
        change(&mut config);
        let wiring = Wiring::open(config).await.unwrap();
        let (tenants, _) = wiring.tenants().await;
        let fleet = wiring.fleet(tenants, Arc::new(Silent)).unwrap();
        Self { lab, wiring, fleet, _folder: folder }
    }

    /// The first tenant's conductor.
    pub fn acme(&self) -> &Arc<Conductor> {
        self.fleet.find("acme").unwrap()
    }

    /// What the first tenant's rotation reaches.
    pub fn world(&self) -> World {
        self.wiring.world(self.acme().tenant().clone(), Arc::new(Unfenced)).unwrap()
    }

    /// Carries a command out.
    pub async fn run(&self, command: Command) -> Result<String, RunError> {
        self.acme().run(command).await
    }

    /// A window that is open now.
    pub fn open_window() -> Window {
        let now = jiff::Timestamp::now();
        let start = jiff::Timestamp::from_second(now.as_second() - 60).unwrap();
        let end = jiff::Timestamp::from_second(now.as_second() + 3600).unwrap();
        Window { start, end, zone: "UTC".into(), revision: 1 }
    }

    /// Another one that is open now.
    pub fn another_window() -> Window {
        let window = Self::open_window();
        Window { end: Timestamp::from_second(window.end.as_second() + 60).unwrap(), ..window }
    }

    /// Plans an open window, tells everybody, and records that everybody confirmed.
    pub async fn confirmed(&self) {
        self.confirmed_for(Cause::Scheduled).await;
    }

    /// The same for a cause.
    pub async fn confirmed_for(&self, cause: Cause) {
        let window = Self::open_window();
        self.run(Command::Plan { window, cause, reference: "CHG-1".into() }).await.unwrap();
        let kind = NoticeKind::Announcement;
        self.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
        self.everybody_confirms().await;
    }

    /// Records a confirmation of every client.
    pub async fn everybody_confirms(&self) {
        for client in self.status().clients {
            let (client, answer, channel) = (client.client.id, Answer::Confirmed, Channel::Phone);
            self.run(Command::Answer { client, answer, channel, note: String::new() }).await.unwrap();
        }
    }

    /// Types the name.
    pub async fn rotate(&self) -> Result<String, RunError> {
        self.run(Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() }).await
    }

    /// Types the name and a reason.
    pub async fn roll_back(&self) -> Result<String, RunError> {
        let (confirm, reason) = ("acme".into(), "the new key does not work".into());
        self.run(Command::RollBack { confirm, reason, through_tunnel: String::new() }).await
    }

    /// Tells everybody to reconfigure, lets everybody do it, and looks.
    pub async fn everybody_returns(&self) {
        let kind = NoticeKind::Reconfigure;
        self.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
        // Stamps are whole seconds: one of the second of the change is no news, and the next one's is.
        for _ in 0..100 {
            self.lab.world().reimport_all("acme").await;
            self.run(Command::Verify).await.unwrap();
            if self.acme().rotation().is_none_or(|rotation| rotation.not_back().is_empty()) {
                break;
            }
        }
    }

    /// Closes it; with a reason where something is missing.
    pub async fn finish(&self, despite: &str) -> Result<String, RunError> {
        self.run(Command::Finish { note: String::new(), despite: despite.into() }).await
    }

    /// Goes through a whole rotation; gives the key that it has left.
    pub async fn ended(&self) -> PublicKey {
        self.confirmed().await;
        self.rotate().await.unwrap();
        self.everybody_returns().await;
        self.finish("").await.unwrap();
        self.acme().rotation().unwrap().target().unwrap()
    }

    /// What is true, from the journal and the last look.
    pub fn status(&self) -> TenantStatus {
        self.acme().status()
    }

    /// The exact name of the live secret.
    pub fn secret_name(&self) -> String {
        format!("vpn-private-key-{}", self.acme().tenant().id)
    }

    /// The object's bytes.
    pub fn object(&self) -> Vec<u8> {
        self.lab.world().object(self.acme().tenant().id.as_str(), "config/vpn-users.json").unwrap()
    }
}

/// A tenant in the hands of somebody else, on another bastion.
pub fn as_person(wiring: &Wiring, conductor: &Conductor, person: &str) -> Arc<Conductor> {
    let tenant = conductor.tenant().clone();
    let fence = Arc::new(LeaseFence::new(wiring.store().clone()));
    let world = wiring.world(tenant, fence.clone()).unwrap();
    let (name, host, now) = (person.to_owned(), format!("bastion-of-{person}"), jiff::Timestamp::now());
    let instance = changeguard::adapters::system::instance().unwrap();
    let me = Holder::new(name.clone(), host.clone(), 4711, now, Instance { id: name.clone(), ..instance });
    let actor = Actor { by: name.clone(), host, person: name, ssh: None, unproven: None, environment: None };
    Arc::new(Conductor::new(world, wiring.runbook().clone(), me, actor, fence, Arc::new(Silent)))
}
