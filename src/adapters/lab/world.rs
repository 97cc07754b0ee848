//! What a test or the demo may see of the lab and do to it behind changeguard's back: secrets, objects, mails, servers,
//! people. No protocol here; the servers have their own files.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;

use super::barbican::{Secret, href};
use super::faults::{Faults, Service};
use super::seed::base64;
use super::shell::{self, Printed};
use super::smtp::Mail;
use super::state::{Ports, Shared, epoch, lock};
use super::swift::Object;
use super::vpn::{self, AgentMode};
use super::{agent, mailbox, people};

/// A person of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabPerson {
    /// As in `users[]`.
    pub id: String,
    /// May be hostile.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// The client's public key in base64.
    pub public_key: String,
    /// Address in the tunnel.
    pub address: std::net::Ipv4Addr,
}

/// A tenant of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabTenant {
    /// The project's id, also the container's name.
    pub id: String,
    /// For instance `acme`.
    pub name: String,
    /// The server's host name.
    pub server: String,
    /// The server's address in the tunnel.
    pub gateway: std::net::Ipv4Addr,
    /// Who is in `users[]`.
    pub people: Vec<LabPerson>,
}

/// One peer of a simulated server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabPeer {
    /// The person's id; None: a peer that users[] does not know.
    pub client: Option<String>,
    /// In base64.
    pub public_key: String,
    /// Last handshake, seconds since 1970; 0 = never.
    pub stamp: u64,
    /// Genuine handshakes so far.
    pub handshakes: u64,
    /// Initiations that the server dropped because they were made for another key.
    pub dropped: u64,
    /// The server's public key in the client's configuration, in base64.
    pub believes: String,
}

/// One simulated server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabServer {
    /// The live public key in base64.
    pub public_key: String,
    /// How often its agent has applied another key.
    pub applied: u64,
    /// When it last did, milliseconds since 1970.
    pub applied_at: Option<u64>,
    /// How often its agent has looked for it.
    pub looks: u64,
    /// How often its agent could not fetch the key.
    pub fetch_errors: u64,
    /// Its peers.
    pub peers: Vec<LabPeer>,
}

/// The object's bytes in the operator's project.
pub(super) fn object(shared: &Shared, container: &str, name: &str) -> Option<Bytes> {
    let ops = lock(&shared.keystone).ops.clone();
    let mut swift = lock(&shared.swift);
    Some(swift.accounts.get_mut(&ops)?.get_mut(container)?.get_mut(name)?.bytes(shared))
}

/// The lab from behind; cheap to clone. Tenants are named by name, id or server; clients by id or mail address.
#[derive(Clone)]
pub struct LabWorld {
    pub(super) shared: Arc<Shared>,
}

impl LabWorld {
    /// Where the servers listen.
    pub fn ports(&self) -> Ports {
        self.shared.ports
    }

    /// The project that holds all secrets and containers.
    pub fn project(&self) -> String {
        lock(&self.shared.keystone).ops.clone()
    }

    /// All tenants with their people. Makes keys that were not made yet.
    pub fn tenants(&self) -> Vec<LabTenant> {
        self.shared.tenants.iter().filter_map(|t| self.tenant(&t.name)).collect()
    }

    /// One tenant with its people.
    pub fn tenant(&self, tenant: &str) -> Option<LabTenant> {
        let t = self.shared.tenant(tenant)?;
        let people = t.people.iter().zip(&t.keys().clients).map(|(p, k)| LabPerson {
            id: p.id.clone(),
            name: p.name.clone(),
            email: p.email.clone(),
            public_key: base64(&k.public),
            address: p.address,
        });
        let (id, name, server) = (t.id.clone(), t.name.clone(), t.server.clone());
        Some(LabTenant { id, name, server, gateway: t.gateway, people: people.collect() })
    }

    /// All secrets with exactly this name; with an empty name, all there are.
    pub fn secrets(&self, name: &str) -> Vec<Secret> {
        let barbican = lock(&self.shared.barbican);
        barbican.secrets.values().filter(|s| name.is_empty() || s.name == name).cloned().collect()
    }

    /// The secrets that hold the tenant's key by name.
    pub fn key_secrets(&self, tenant: &str) -> Vec<Secret> {
        self.shared.tenant(tenant).map(|t| self.secrets(&format!("vpn-private-key-{}", t.id))).unwrap_or_default()
    }

    /// The address of a secret.
    pub fn href(&self, secret: &Secret) -> String {
        href(&self.shared, &secret.id)
    }

    /// Stores a secret in the operator's project as somebody else would; returns its id.
    pub fn add_secret(&self, name: &str, content_type: &str, payload: Option<&[u8]>) -> String {
        let id = lock(&self.shared.chance).uuid();
        let secret = Secret {
            id: id.clone(),
            project: self.project(),
            name: name.to_owned(),
            payload: payload.map(<[u8]>::to_vec),
            content_type: content_type.to_owned(),
            secret_type: "opaque".to_owned(),
            algorithm: (None, None, None),
            created: epoch(),
            expiration: None,
            acl: None,
            metadata: Default::default(),
            consumers: Vec::new(),
        };
        lock(&self.shared.barbican).secrets.insert(id.clone(), secret);
        self.shared.touch();
        id
    }

    /// Changes a secret in place (ACL, metadata, consumers, age, ...); false if there is none of this id.
    pub fn edit_secret(&self, id: &str, edit: impl FnOnce(&mut Secret)) -> bool {
        let done = lock(&self.shared.barbican).secrets.get_mut(id).map(edit).is_some();
        self.shared.touch();
        done
    }

    /// Removes a secret; false if there was none of this id.
    pub fn remove_secret(&self, id: &str) -> bool {
        let done = lock(&self.shared.barbican).secrets.remove(id).is_some();
        self.shared.touch();
        done
    }

    /// At most so many secrets in a project from now on.
    pub fn set_secret_quota(&self, quota: Option<usize>) {
        lock(&self.shared.barbican).quota = quota;
    }

    /// An object's bytes.
    pub fn object(&self, container: &str, name: &str) -> Option<Vec<u8>> {
        object(&self.shared, container, name).map(|b| b.to_vec())
    }

    /// Puts an object, and its container if need be.
    pub fn put_object(&self, container: &str, name: &str, bytes: &[u8]) {
        let account = self.project();
        let object = Object::new(bytes.to_vec(), "application/json");
        lock(&self.shared.swift).put(account, container, name, object);
        self.shared.touch();
    }

    /// Every version of every object is kept from now on, as in a container with `X-Versions-Enabled`.
    pub fn keep_versions(&self) {
        lock(&self.shared.swift).versions.get_or_insert_default();
    }

    /// No more versions are kept from now on; those that are there stay, as in a container where they were switched off.
    pub fn suspend_versions(&self) {
        lock(&self.shared.swift).suspended = true;
    }

    /// The versions of an object before the present one, oldest first.
    pub fn versions(&self, container: &str, name: &str) -> Vec<Vec<u8>> {
        let mut swift = lock(&self.shared.swift);
        let kept = swift.versions.as_mut().and_then(|all| all.get_mut(&(container.to_owned(), name.to_owned())));
        kept.into_iter().flatten().map(|object| object.bytes(&self.shared).to_vec()).collect()
    }

    /// So many reads after each upload still get the version before it, whatever they ask for: eventual consistency.
    pub fn set_stale_reads(&self, reads: u32) {
        lock(&self.shared.swift).stale_reads = reads;
    }

    /// Removes an object, or with None the whole container; false if it was not there.
    pub fn remove_object(&self, container: &str, name: Option<&str>) -> bool {
        let account = self.project();
        let mut swift = lock(&self.shared.swift);
        let Some(containers) = swift.accounts.get_mut(&account) else {
            return false;
        };
        let done = match name {
            Some(name) => containers.get_mut(container).and_then(|c| c.remove(name)).is_some(),
            None => containers.remove(container).is_some(),
        };
        drop(swift);
        self.shared.touch();
        done
    }

    /// The objects of a container; None if there is no such container.
    pub fn object_names(&self, container: &str) -> Option<Vec<String>> {
        let account = self.project();
        let swift = lock(&self.shared.swift);
        Some(swift.accounts.get(&account)?.get(container)?.keys().cloned().collect())
    }

    /// Mails accepted so far, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        lock(&self.shared.mails).clone()
    }

    /// Mails to this address.
    pub fn mails_to(&self, address: &str) -> Vec<Arc<Mail>> {
        self.mails().into_iter().filter(|m| m.to.iter().any(|t| t.eq_ignore_ascii_case(address))).collect()
    }

    /// Puts a mail into the operator's INBOX as it is; its UID.
    pub fn deliver_to_operator(&self, raw: &[u8]) -> u32 {
        mailbox::put(&self.shared, raw.into())
    }

    /// A folder of the operator's mailbox: UID, the mail and its flags, oldest first; empty if there is no such folder.
    pub fn mailbox(&self, folder: &str) -> Vec<(u32, Vec<u8>, Vec<String>)> {
        let mut mailbox = lock(&self.shared.mailbox);
        let kept = mailbox.folder(folder).map(|folder| folder.mails.clone()).unwrap_or_default();
        kept.into_iter().map(|kept| (kept.uid, kept.raw.to_vec(), kept.flags)).collect()
    }

    /// Removes a mail from a folder, as another program would; false if it was not there.
    pub fn remove_mail(&self, folder: &str, uid: u32) -> bool {
        let mut mailbox = lock(&self.shared.mailbox);
        let Some(folder) = mailbox.folder(folder) else { return false };
        let before = folder.mails.len();
        folder.mails.retain(|kept| kept.uid != uid);
        folder.mails.len() < before
    }

    /// Numbers a folder anew from 1 on, under another UIDVALIDITY, as after a restore.
    pub fn renumber(&self, folder: &str) {
        let mut mailbox = lock(&self.shared.mailbox);
        let Some(folder) = mailbox.folder(folder) else { return };
        folder.validity += 1;
        folder.next = 1;
        for kept in std::mem::take(&mut folder.mails) {
            folder.add(kept.raw, kept.at, kept.flags);
        }
    }

    /// When the mails of the INBOX arrived: all so long ago.
    pub fn age_mailbox(&self, age: Duration) {
        for kept in &mut lock(&self.shared.mailbox).folders[0].mails {
            kept.at = epoch().saturating_sub(age.as_secs());
        }
    }

    /// What the IMAP server offers besides IMAP4rev1 from now on: of `IDLE`, `MOVE`, `UIDPLUS`.
    pub fn set_imap_abilities(&self, abilities: &[&str]) {
        lock(&self.shared.mailbox).abilities = abilities.iter().map(|one| (*one).to_owned()).collect();
    }

    /// Commands that the IMAP server has received: round trips.
    pub fn imap_commands(&self) -> u64 {
        lock(&self.shared.mailbox).commands
    }

    /// The tenant's simulated server.
    pub fn server(&self, tenant: &str) -> Option<LabServer> {
        let t = self.shared.tenant(tenant)?;
        let mut vpn = lock(&t.vpn);
        let live = vpn.live(t);
        let peers = vpn.peers.iter().map(|p| LabPeer {
            client: p.client.map(|n| t.people[n].id.clone()),
            public_key: base64(&p.key.public),
            stamp: p.stamp,
            handshakes: p.handshakes,
            dropped: p.dropped,
            believes: base64(&p.believes),
        });
        Some(LabServer {
            peers: peers.collect(),
            public_key: base64(&live.public),
            applied: vpn.applied,
            applied_at: vpn.applied_at,
            looks: vpn.looks,
            fetch_errors: vpn.fetch_errors,
        })
    }

    /// The client takes the server key from the current Swift object and tries to connect. False: there is no such client,
    /// or nothing to import.
    pub async fn reimport(&self, tenant: &str, client: &str) -> bool {
        let Some(t) = self.shared.tenant(tenant) else {
            return false;
        };
        match t.client(client) {
            Some(n) => people::reimport(&self.shared, t, n).await,
            None => false,
        }
    }

    /// All clients of the tenant re-import.
    pub async fn reimport_all(&self, tenant: &str) {
        let Some(t) = self.shared.tenant(tenant) else { return };
        for n in 0..t.people.len() {
            people::reimport(&self.shared, t, n).await;
        }
    }

    /// Takes every peer off the tenant's interface.
    pub fn remove_peers(&self, tenant: &str) {
        if let Some(t) = self.shared.tenant(tenant) {
            let mut vpn = lock(&t.vpn);
            vpn.live(t);
            vpn.peers.clear();
        }
    }

    /// Switches a client's device on or off; false if there is no such peer.
    pub fn set_online(&self, tenant: &str, client: &str, online: bool) -> bool {
        let Some(t) = self.shared.tenant(tenant) else {
            return false;
        };
        let Some(n) = t.client(client) else { return false };
        let mut vpn = lock(&t.vpn);
        vpn.live(t);
        vpn.peers.iter_mut().find(|p| p.client == Some(n)).map(|p| p.online = online).is_some()
    }

    /// How the tenant's agent finds its key from now on.
    pub fn set_agent_mode(&self, tenant: &str, mode: AgentMode) {
        if let Some(t) = self.shared.tenant(tenant) {
            lock(&t.vpn).mode = mode;
        }
    }

    /// The tenant's agent has a turn now, besides those of its interval.
    pub async fn reconcile(&self, tenant: &str) {
        if let Some(t) = self.shared.tenant(tenant) {
            agent::turn_now(&self.shared, t).await;
        }
    }

    /// Sets the server's key at once, as somebody with a shell there could.
    pub fn set_server_key(&self, tenant: &str, private: [u8; 32]) {
        if let Some(t) = self.shared.tenant(tenant) {
            vpn::apply(&self.shared, t, private);
            self.shared.touch();
        }
    }

    /// Runs a script on a server as `lab-shell` does, without the network.
    pub async fn run(&self, server: &str, script: &str) -> Printed {
        shell::execute(&self.shared, server, script).await
    }

    /// Requests for what prints a private key (`dump`, `showconf`, `private-key`); must stay empty.
    pub fn private_key_requests(&self) -> Vec<String> {
        lock(&self.shared.forbidden).clone()
    }

    /// What shall go wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// How many requests of this method the service has received, the agents' own left out.
    pub fn count(&self, service: Service, method: &str) -> u64 {
        self.shared.faults.count(service, method)
    }

    /// From now on it is noted how HTTP requests follow one another.
    pub fn follow_requests(&self) {
        *lock(&self.shared.chain) = Some(Default::default());
    }

    /// The requests since then, the agents' own left out, each with its place in the longest chain of which each arrived after
    /// the one before it was answered. Where every answer takes some time, the highest place is how many round trips had to
    /// follow one another.
    pub fn followed(&self) -> Vec<(usize, String)> {
        lock(&self.shared.chain).take().map(|chain| chain.requests).unwrap_or_default()
    }

    /// Tokens given out from now on live so long (whole seconds).
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        lock(&self.shared.keystone).lifetime = lifetime;
    }

    /// Every token given out so far ends now.
    pub fn revoke_tokens(&self) {
        lock(&self.shared.keystone).tokens.clear();
    }

    /// How many requests were accepted and will be carried out later ([`Fault::ApplyLate`](super::Fault::ApplyLate)).
    pub fn in_flight(&self) -> usize {
        self.shared.late.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Adds this time to every answer of an HTTP service, or to the mail server's to the text of a mail; zero takes it away.
    pub fn set_latency(&self, service: Service, latency: Duration) {
        let mut map = lock(&self.shared.latency);
        if latency.is_zero() {
            map.remove(&service);
        } else {
            map.insert(service, latency);
        }
    }

    /// Holds a service down: its connections are closed and new ones refused, until it is let up again.
    pub fn set_down(&self, service: Service, down: bool) {
        self.shared.downs.send_modify(|downs| {
            downs.retain(|s| *s != service);
            if down {
                downs.push(service);
            }
        });
    }

    /// Waits until the condition holds, looking after every change in the lab. False: it did not within `timeout`.
    pub async fn until(&self, timeout: Duration, mut condition: impl FnMut(&LabWorld) -> bool) -> bool {
        let mut changes = self.shared.changes.subscribe();
        let wait = async {
            while !condition(self) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(timeout, wait).await.is_ok()
    }
}
