//! The simulated VPN servers and their clients: which key is live, who has shaken hands under it and when, what `wg show`
//! would say. Handshakes are genuine (`wire`); counters between them are reckoned from the clock, so that an idle server
//! costs nothing. Reading it like a person at a shell is left to `shell`.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;

use super::chance::Chance;
use super::seed::{KeyPair, Tenant};
use super::state::{Shared, epoch, lock, since_epoch};
use super::wire::{self, Exchange};

/// REKEY_AFTER_TIME: a client with keepalive renews its session at this age, seconds.
const REKEY_AFTER: u64 = 120;
/// REJECT_AFTER_TIME: no data passes on an older session, seconds.
const REJECT_AFTER: u64 = 180;
/// Interval of the clients' keepalives, seconds; each is 32 bytes.
const KEEPALIVE: u64 = 25;

/// One peer of a server, with the client's side of it.
#[derive(Clone)]
pub(super) struct Peer {
    /// The number of the person; None: nobody in users[] has this key.
    pub(super) client: Option<usize>,
    pub(super) key: KeyPair,
    pub(super) address: Ipv4Addr,
    /// The server's public key in the client's configuration.
    pub(super) believes: [u8; 32],
    /// Whether the client's device is switched on.
    pub(super) online: bool,
    /// The last handshake in seconds since 1970 as the kernel keeps it: across rotation and expiry; 0 = never.
    pub(super) stamp: u64,
    /// Genuine handshakes so far.
    pub(super) handshakes: u64,
    /// Initiations that the server has dropped because they were made for another key.
    pub(super) dropped: u64,
    /// The server's key under which the session was made.
    under: Option<[u8; 32]>,
    /// The last handshake that failed: the server's key, what the client believed, and when (seconds since 1970).
    failed: Option<([u8; 32], [u8; 32], u64)>,
    pub(super) endpoint: Option<u16>,
    /// Bytes received and sent up to `counted` (seconds since 1970); what came since is reckoned.
    rx: u64,
    tx: u64,
    counted: u64,
    rekey: u64,
}

impl Peer {
    fn new(client: Option<usize>, key: KeyPair, address: Ipv4Addr, believes: [u8; 32], jitter: u64) -> Peer {
        Peer {
            client,
            key,
            address,
            believes,
            online: client.is_some(),
            stamp: 0,
            handshakes: 0,
            dropped: 0,
            under: None,
            failed: None,
            endpoint: None,
            rx: 0,
            tx: 0,
            counted: 0,
            rekey: REKEY_AFTER + jitter,
        }
    }

    /// Whether the client would start a handshake now.
    fn due(&self, live: &[u8; 32], now: u64) -> bool {
        let lost = self.under.as_ref() != Some(live);
        let in_vain = self.failed.is_some_and(|(key, believed, _)| key == *live && believed == self.believes);
        self.online && !in_vain && (lost || now.saturating_sub(self.stamp) >= self.rekey)
    }

    /// Bytes received and sent. Between handshakes: the client's keepalives, which the server still reads after a rotation
    /// up to 180 s from the session's birth, and the initiations that it then sends in vain, 148 bytes each 5 s for 90 s.
    pub(super) fn transfer(&self, now: u64) -> (u64, u64) {
        let readable = now.min(self.stamp + REJECT_AFTER).saturating_sub(self.stamp.max(self.counted));
        let beats = readable / KEEPALIVE;
        let sent = match self.failed {
            None => beats * 32,
            Some((_, _, since)) => now.min(since + 90).saturating_sub(self.counted) / 5 * 148,
        };
        (self.rx + beats * 32, self.tx + sent)
    }

    /// Takes what was reckoned so far as counted.
    fn count(&mut self, now: u64) {
        (self.rx, self.tx) = self.transfer(now);
        self.counted = now;
    }

    fn note(&mut self, exchange: Exchange, live: [u8; 32], stamp: u64, port: u16) {
        let now = epoch();
        self.count(now);
        self.rx += exchange.forth;
        self.tx += exchange.back;
        if exchange.established {
            self.handshakes += 1;
            self.stamp = stamp;
            self.under = Some(live);
            self.failed = None;
            self.endpoint = Some(port);
        } else {
            self.dropped += 1;
            self.failed = Some((live, self.believes, now));
        }
    }
}

/// How an agent finds its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AgentMode {
    /// `BARBICAN_SECRET_NAME`: by name, the first hit.
    #[default]
    ByName,
    /// `BARBICAN_SECRET_ID`: pinned to one secret's id; it never sees another.
    Pinned(String),
    /// `VPN_CONFIG_PRIVATE_KEY`: has a key of its own and never asks.
    Legacy,
}

/// The state of one server; empty until somebody looks.
#[derive(Default)]
pub(super) struct Vpn {
    pub(super) key: Option<KeyPair>,
    /// How often the agent has applied another key.
    pub(super) applied: u64,
    /// When it last did, milliseconds since 1970.
    pub(super) applied_at: Option<u64>,
    pub(super) peers: Vec<Peer>,
    pub(super) mode: AgentMode,
    /// How often the agent has looked for its key.
    pub(super) looks: u64,
    /// How often the agent could not fetch its key.
    pub(super) fetch_errors: u64,
    /// What the agent has written into its log last, oldest first.
    pub(super) log: VecDeque<String>,
    pub(super) rounds: u64,
}

impl Vpn {
    /// The live key, after the peers have been made.
    pub(super) fn live(&mut self, tenant: &Tenant) -> KeyPair {
        match self.key {
            Some(key) => key,
            None => {
                let keys = tenant.keys();
                let mut chance = Chance::fork(0x5eed, tenant.index as u64);
                let known = if tenant.differs { tenant.people.len() - 1 } else { tenant.people.len() };
                self.peers = (0..known)
                    .map(|n| {
                        let address = tenant.people[n].address;
                        Peer::new(Some(n), keys.clients[n], address, keys.server.public, chance.between(0, 5))
                    })
                    .collect();
                if tenant.differs {
                    let address = tenant.stranger_at;
                    self.peers.push(Peer::new(None, tenant.stranger(), address, keys.server.public, 0));
                }
                self.key = Some(keys.server);
                keys.server
            }
        }
    }
}

/// Sets the server's key, as the agent does; false if it was live already, which has no effect on the peers.
pub(super) fn apply(shared: &Arc<Shared>, tenant: &Arc<Tenant>, private: [u8; 32]) -> Option<[u8; 32]> {
    let key = KeyPair::of(private);
    let mut vpn = lock(&tenant.vpn);
    if vpn.live(tenant).private == private {
        return None;
    }
    vpn.key = Some(key);
    vpn.applied += 1;
    vpn.applied_at = Some(since_epoch().as_millis() as u64);
    drop(vpn);
    // Clients that already know the key are trying every 5 s; here they succeed at once.
    let (shared, tenant) = (Arc::clone(shared), Arc::clone(tenant));
    tokio::spawn(async move { beat(&shared, &tenant).await });
    Some(key.public)
}

/// Lets every client that would by now have started a handshake do so; returns when they are done.
pub(super) async fn beat(shared: &Arc<Shared>, tenant: &Arc<Tenant>) {
    let idle = {
        let vpn = lock(&tenant.vpn);
        let now = epoch();
        vpn.key.is_some_and(|live| !vpn.peers.iter().any(|p| p.due(&live.public, now)))
    };
    if idle {
        return;
    }
    let _busy = tenant.busy.lock().await;
    let Ok(_permit) = shared.crypto.acquire().await else {
        return;
    };
    let (shared, tenant) = (Arc::clone(shared), Arc::clone(tenant));
    tokio::task::spawn_blocking(move || round(&shared, &tenant)).await.ok();
}

fn round(shared: &Shared, tenant: &Tenant) {
    let (live, first, due) = {
        let mut vpn = lock(&tenant.vpn);
        let live = vpn.live(tenant);
        let now = epoch();
        let due: Vec<(usize, Peer)> = vpn
            .peers
            .iter()
            .enumerate()
            .filter(|(_, p)| p.due(&live.public, now))
            .map(|(n, p)| (n, p.clone()))
            .collect();
        let first = vpn.rounds == 0;
        vpn.rounds += 1;
        (live, first, due)
    };
    if due.is_empty() {
        return;
    }
    let Ok(server) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else {
        return;
    };
    let mut chance = Chance::fork(shared.options.seed ^ 0xbea7, tenant.index as u64);
    for (n, peer) in due {
        let Some((done, port)) = handshake(&peer, &live, &server, tenant) else {
            continue;
        };
        // When the lab starts people have been at work for a while.
        let age = if first { chance.between(5, 100) } else { 0 };
        let mut vpn = lock(&tenant.vpn);
        // Somebody may have re-imported meanwhile; then this says nothing of the new configuration.
        if let Some(slot) = vpn.peers.get_mut(n).filter(|slot| slot.believes == peer.believes) {
            if first {
                slot.rx += chance.between(200_000, 90_000_000);
                slot.tx += chance.between(1_000_000, 900_000_000);
            }
            slot.note(done, live.public, epoch() - age, port);
        }
    }
    shared.touch();
}

/// The client's handshake with the server, from the client's own port if that is still free.
fn handshake(peer: &Peer, live: &KeyPair, server: &UdpSocket, tenant: &Tenant) -> Option<(Exchange, u16)> {
    let socket = client_socket(peer)?;
    let port = socket.local_addr().ok()?.port();
    let path = (peer.address, tenant.gateway);
    let done = wire::exchange((&peer.key, &socket), &peer.believes, (live, server), &peer.key.public, path).ok()?;
    Some((done, port))
}

fn client_socket(peer: &Peer) -> Option<UdpSocket> {
    let any = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok();
    peer.endpoint.and_then(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()).or_else(any)
}

/// A ping from the server to a peer's tunnel address: whether it is answered. It needs a session under the live key, or
/// a handshake that the server starts and a client that knows this server.
pub(super) async fn ping(shared: &Arc<Shared>, tenant: &Arc<Tenant>, address: Ipv4Addr) -> bool {
    let _busy = tenant.busy.lock().await;
    let Ok(_permit) = shared.crypto.acquire().await else {
        return false;
    };
    let tenant = Arc::clone(tenant);
    let answered = tokio::task::spawn_blocking(move || {
        let (live, peer) = {
            let mut vpn = lock(&tenant.vpn);
            let live = vpn.live(&tenant);
            let peer = vpn.peers.iter().find(|p| p.address == address).cloned();
            (live, peer.filter(|p| p.online && p.endpoint.is_some())?)
        };
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
        let client = client_socket(&peer)?;
        let port = client.local_addr().ok()?.port();
        let path = (tenant.gateway, address);
        let done =
            wire::exchange((&live, &server), &peer.key.public, (&peer.key, &client), &peer.believes, path).ok()?;
        let mut vpn = lock(&tenant.vpn);
        let slot = vpn.peers.iter_mut().find(|p| p.address == address)?;
        let seen = Exchange { forth: done.back, back: done.forth, ..done };
        if done.established && slot.under != Some(live.public) {
            slot.note(seen, live.public, epoch(), port);
        } else {
            slot.rx += seen.forth;
            slot.tx += seen.back;
        }
        done.established.then_some(())
    })
    .await;
    matches!(answered, Ok(Some(())))
}

/// The client takes this server key into its configuration and comes back, or tries to. False: the tenant has no such peer.
pub(super) async fn reimport(shared: &Arc<Shared>, tenant: &Arc<Tenant>, client: usize, server: [u8; 32]) -> bool {
    let found = {
        let mut vpn = lock(&tenant.vpn);
        vpn.live(tenant);
        match vpn.peers.iter_mut().find(|p| p.client == Some(client)) {
            Some(peer) => {
                peer.believes = server;
                peer.online = true;
                // A new configuration is a new session: the keepalive set with it starts a handshake at once.
                peer.count(epoch());
                peer.under = None;
                peer.failed = None;
                true
            }
            None => false,
        }
    };
    if found {
        beat(shared, tenant).await;
    }
    found
}

/// Puts a client's peer back as it was: which server key the client has, and its last handshake. A session is there where
/// that key is the live one. False: the tenant has no such peer.
pub(super) fn put_back(tenant: &Tenant, client: usize, believes: [u8; 32], stamp: u64) -> bool {
    let mut vpn = lock(&tenant.vpn);
    let live = vpn.live(tenant);
    // Else the first beat takes the lab for just started, and makes up what had been before.
    vpn.rounds = vpn.rounds.max(1);
    let Some(peer) = vpn.peers.iter_mut().find(|peer| peer.client == Some(client)) else { return false };
    peer.believes = believes;
    peer.stamp = stamp;
    peer.failed = None;
    peer.under = (believes == live.public && stamp > 0).then_some(believes);
    true
}

/// What every peer's row of `wg show` holds, in an order that means nothing.
pub(super) struct Row {
    pub(super) key: [u8; 32],
    pub(super) stamp: u64,
    pub(super) endpoint: Option<u16>,
    pub(super) transfer: (u64, u64),
    pub(super) address: Ipv4Addr,
}

/// The server's public key and its peers.
pub(super) fn rows(shared: &Shared, tenant: &Tenant) -> ([u8; 32], Vec<Row>) {
    let mut vpn = lock(&tenant.vpn);
    let live = vpn.live(tenant);
    let now = epoch();
    let mut rows: Vec<Row> = vpn
        .peers
        .iter()
        .map(|p| Row {
            key: p.key.public,
            stamp: p.stamp,
            endpoint: p.endpoint,
            transfer: p.transfer(now),
            address: p.address,
        })
        .collect();
    lock(&shared.chance).shuffle(&mut rows);
    (live.public, rows)
}
