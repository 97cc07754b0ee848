//! What all servers of the lab share: the state of each service, the tenants, the ports, the events and the stop signal.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{broadcast, watch};

use super::chance::Chance;
use super::faults::{Faults, Service};
use super::seed::Tenant;
use super::smtp::Mail;
use super::{LabEvent, LabEventKind, LabOptions, alerts, barbican, fernet, keystone, mailbox, mishaps, people, swift};

/// Locks; a panic elsewhere leaves the lab's simple values usable.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the servers listen on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Keystone, under `/v3`.
    pub keystone: u16,
    /// Barbican, under `/v1`.
    pub barbican: u16,
    /// Swift, under `/v1/AUTH_<project>`.
    pub swift: u16,
    /// The console API.
    pub console: u16,
    /// SMTP without TLS.
    pub smtp: u16,
    /// The command that reads a VPN server.
    pub shell: u16,
    /// Alertmanager, under `/api/v2`.
    pub alerts: u16,
    /// IMAP without TLS.
    pub imap: u16,
}

/// Everything behind the servers.
pub(super) struct Shared {
    pub(super) options: LabOptions,
    pub(super) ports: Ports,
    pub(super) faults: Faults,
    /// What an operator has switched on.
    pub(super) mishaps: Mutex<mishaps::Switched>,
    /// The Keystone cluster, where there is one.
    pub(super) cluster: OnceLock<fernet::Held>,
    /// The Kubernetes cluster, where there is one.
    pub(super) kops: OnceLock<super::kops::Held>,
    pub(super) chance: Mutex<Chance>,
    pub(super) keystone: Mutex<keystone::State>,
    pub(super) barbican: Mutex<barbican::State>,
    pub(super) swift: Mutex<swift::State>,
    pub(super) mails: Mutex<Vec<Arc<Mail>>>,
    pub(super) mailbox: Mutex<mailbox::State>,
    pub(super) people: Mutex<people::State>,
    pub(super) alerts: Mutex<alerts::State>,
    pub(super) tenants: Vec<Arc<Tenant>>,
    pub(super) console_token: String,
    /// Requests for what prints a private key: `dump`, `showconf`, `private-key`.
    pub(super) forbidden: Mutex<Vec<String>>,
    pub(super) latency: Mutex<HashMap<Service, Duration>>,
    /// How the requests followed one another; `None`: nobody wants to know.
    pub(super) chain: Mutex<Option<RequestChain>>,
    /// Requests that will be carried out later.
    pub(super) late: AtomicUsize,
    pub(super) events: broadcast::Sender<LabEvent>,
    /// Wakes the scheduler when people have got something to do.
    pub(super) hurry: tokio::sync::Notify,
    /// Bounds the crypto that runs at once.
    pub(super) crypto: tokio::sync::Semaphore,
    pub(super) changes: watch::Sender<u64>,
    pub(super) stop: watch::Sender<bool>,
    /// Services that a test holds down.
    pub(super) downs: watch::Sender<Vec<Service>>,
    pub(super) http: OnceLock<reqwest::Client>,
}

/// How requests follow one another while a test wants to know: each with its place in the longest chain of which each arrived
/// after the one before it was answered. So many round trips no number of connections makes fewer.
#[derive(Default)]
pub(super) struct RequestChain {
    answered: usize,
    pub(super) requests: Vec<(usize, String)>,
}

impl Shared {
    /// The Keystone cluster, where there is one.
    pub(super) fn cluster(&self) -> Option<fernet::Cluster> {
        self.cluster.get()?.cluster()
    }

    /// The Kubernetes cluster, where there is one.
    pub(super) fn kops(&self) -> Option<super::kops::KopsLab> {
        self.kops.get()?.cluster()
    }

    /// A request has arrived. Gives its place, if anybody wants to know.
    pub(super) fn arrived(&self, what: impl FnOnce() -> String) -> Option<usize> {
        let mut chain = lock(&self.chain);
        let chain = chain.as_mut()?;
        let place = chain.answered + 1;
        chain.requests.push((place, what()));
        Some(place)
    }

    /// The request at this place is being answered.
    pub(super) fn answered(&self, place: usize) {
        if let Some(chain) = &mut *lock(&self.chain) {
            chain.answered = chain.answered.max(place);
        }
    }
}

impl Shared {
    /// Tells everybody who listens.
    pub(super) fn tell(&self, tenant: &Tenant, kind: LabEventKind, text: String) {
        self.events.send(LabEvent { tenant: tenant.name.clone(), text, kind }).ok();
        self.touch();
    }

    /// Something has changed: whoever waits for a condition looks again.
    pub(super) fn touch(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    /// Returns when the lab is stopped.
    pub(super) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        stop.wait_for(|stop| *stop).await.ok();
    }

    /// Returns when the service is held down.
    pub(super) async fn down(&self, service: Service) {
        self.downs.subscribe().wait_for(|downs| downs.contains(&service)).await.ok();
    }

    /// Returns when the service is not held down.
    pub(super) async fn up(&self, service: Service) {
        self.downs.subscribe().wait_for(|downs| !downs.contains(&service)).await.ok();
    }

    /// What a test has added to every answer of the service.
    pub(super) fn latency(&self, service: Service) -> Option<Duration> {
        lock(&self.latency).get(&service).copied()
    }

    /// The tenant of this name, id or server.
    pub(super) fn tenant(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.tenants.iter().find(|t| t.name == name || t.id == name || t.server == name)
    }
}

/// Seconds since 1970, UTC.
pub(super) fn epoch() -> u64 {
    since_epoch().as_secs()
}

/// Time since 1970, UTC.
pub(super) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A UTC time in one of the formats of the services (strftime).
pub(super) fn utc(seconds: u64, format: &str) -> String {
    let stamp =
        jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.strftime(format).to_string()
}
