//! Who and what is there when the lab starts: believable tenants, people, keys of different age. Keys that cost crypto are
//! made when first asked for, so that a thousand tenants start as fast as four.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use boringtun::x25519::{PublicKey, StaticSecret};

use super::barbican::{self, Secret};
use super::chance::Chance;
use super::state::{Shared, epoch};
use super::swift::{self, Object};
use super::vpn::Vpn;
use super::{LabOptions, keystone};

const TENANTS: [&str; 10] =
    ["acme", "globex", "initech", "umbra", "hooli", "stark", "wayne", "tyrell", "cyberdyne", "wonka"];
const FIRST: [&str; 32] = [
    "Ada", "Grace", "Linus", "Mei", "Tomás", "Amina", "Jonas", "Priya", "Olu", "Sofia", "Henrik", "Yuki", "Carlos",
    "Fatima", "Ivan", "Noor", "Elena", "Kwame", "Zoë", "Mateus", "Ingrid", "Rahul", "Chloé", "Dmitri", "Leila",
    "Søren", "Hana", "Malik", "Greta", "Pablo", "Nadia", "Akira",
];
const LAST: [&str; 29] = [
    "Okafor",
    "Lindqvist",
    "Marchetti",
    "Tanaka",
    "Herrera",
    "Diallo",
    "Weber",
    "Raman",
    "Adeyemi",
    "Castellanos",
    "Nyström",
    "Sato",
    "Mendes",
    "Haddad",
    "Petrov",
    "Rahimi",
    "Popescu",
    "Mensah",
    "Laurent",
    "Silva",
    "Haugen",
    "Iyer",
    "Moreau",
    "Volkov",
    "Karimi",
    "Jensen",
    "Novak",
    "Hassan",
    "Fischer",
];
/// What a careless or hostile person may put into a display name: an escape sequence and a bidi override.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[31mMallory\u{202e}yrollaM\u{7} <root>";

/// A private key and its public half.
#[derive(Clone, Copy)]
pub(super) struct KeyPair {
    pub(super) private: [u8; 32],
    pub(super) public: [u8; 32],
}

impl KeyPair {
    /// Does one scalar multiplication.
    pub(super) fn of(private: [u8; 32]) -> KeyPair {
        KeyPair { private, public: PublicKey::from(&StaticSecret::from(private)).to_bytes() }
    }
}

/// Standard base64, as `wg` prints keys.
pub(super) fn base64(key: &[u8]) -> String {
    Base64::encode_string(key)
}

/// A person with access to a tenant's VPN.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) address: Ipv4Addr,
}

/// The keys of a tenant at the start.
pub(super) struct Keys {
    pub(super) server: KeyPair,
    pub(super) clients: Vec<KeyPair>,
}

/// A tenant of the lab.
pub(super) struct Tenant {
    pub(super) index: usize,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) server: String,
    pub(super) gateway: Ipv4Addr,
    /// Where a peer of nobody known is.
    pub(super) stranger_at: Ipv4Addr,
    pub(super) people: Vec<Person>,
    /// users[] and the server's peers differ.
    pub(super) differs: bool,
    seed: u64,
    keys: OnceLock<Keys>,
    pub(super) vpn: Mutex<Vpn>,
    /// Held while handshakes of this tenant run.
    pub(super) busy: tokio::sync::Mutex<()>,
    /// Held while the agent has its turn.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Tenant {
    fn chance(&self, label: u64) -> Chance {
        Chance::fork(self.seed, ((self.index as u64 + 1) << 20) | label)
    }

    /// The server's first private key; cheap.
    pub(super) fn first_private(&self) -> [u8; 32] {
        self.chance(0).private_key()
    }

    /// A peer that only the server knows; for a tenant that `differs`.
    pub(super) fn stranger(&self) -> KeyPair {
        KeyPair::of(self.chance(1 << 19).private_key())
    }

    /// The keys at the start: a scalar multiplication for each client at the first call.
    pub(super) fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| Keys {
            server: KeyPair::of(self.first_private()),
            clients: (1..=self.people.len() as u64).map(|n| KeyPair::of(self.chance(n).private_key())).collect(),
        })
    }

    /// The number of the client with this id or mail address (a `+detail` does not matter, nor does case).
    pub(super) fn client(&self, name: &str) -> Option<usize> {
        let name = bare(name);
        self.people.iter().position(|p| p.id.to_lowercase() == name || p.email == name)
    }
}

/// An address in lower case without its `+detail`.
fn bare(address: &str) -> String {
    let address = address.to_lowercase();
    match (address.find('+'), address.find('@')) {
        (Some(plus), Some(at)) if plus < at => format!("{}{}", &address[..plus], &address[at..]),
        _ => address,
    }
}

/// The largest lab: addresses are 10.77.0.0/16 and upwards, as many /24 for each tenant as its clients need.
pub(super) const MOST_NETS: usize = 40_000;
/// The most clients of a tenant.
pub(super) const MOST_CLIENTS: usize = 20_000;

/// How many /24 a tenant of so many clients has: beside them there are the net's own address, the gateway, a stranger and the
/// broadcast.
pub(super) fn nets(clients: usize) -> usize {
    (clients + 4).div_ceil(256)
}

/// An address of a tenant's.
fn address(options: &LabOptions, index: usize, host: usize) -> Ipv4Addr {
    let (first, nets) = (Ipv4Addr::new(10, 77, 1, 0), nets(options.clients));
    // Within bounds by what a lab may be at most.
    Ipv4Addr::from_bits(first.to_bits() + (index * nets * 256 + host) as u32)
}

fn plain(name: &str) -> String {
    let fold = |c: char| match c {
        'á' => 'a',
        'ë' | 'é' => 'e',
        'ø' | 'ö' => 'o',
        c => c,
    };
    name.to_lowercase().chars().map(fold).collect()
}

/// The tenants with their people.
pub(super) fn tenants(options: &LabOptions) -> Vec<Arc<Tenant>> {
    let mut ids = Chance::fork(options.seed, 7);
    (0..options.tenants).map(|index| Arc::new(tenant(options, index, ids.hex32()))).collect()
}

fn tenant(options: &LabOptions, index: usize, id: String) -> Tenant {
    let name = TENANTS.get(index).map_or_else(|| format!("tenant-{:04}", index + 1), |n| (*n).to_owned());
    let host = |n: usize| address(options, index, n);
    let people = (0..options.clients).map(|n| {
        let round = n / FIRST.len();
        let first = FIRST[(n + index * 5) % FIRST.len()];
        let last = LAST[(n + index * 7 + round * 3) % LAST.len()];
        let number = if round == 0 { String::new() } else { format!("{}", round + 1) };
        let scope = if index == 0 { String::new() } else { format!("{name}-") };
        let hostile = options.tenants >= 4 && index == 3 && n == 1;
        Person {
            id: format!("u-{scope}{}{number}", plain(first)),
            name: if hostile { HOSTILE.to_owned() } else { format!("{first} {last}") },
            email: format!("{}.{}{number}@{name}.example", plain(first), plain(last)),
            address: host(n + 2),
        }
    });
    Tenant {
        index,
        server: format!("vpn-{name}"),
        gateway: host(1),
        stranger_at: host(nets(options.clients) * 256 - 2),
        people: people.collect(),
        differs: options.tenants >= 4 && index == 2 && options.clients >= 2,
        seed: options.seed,
        keys: OnceLock::new(),
        vpn: Mutex::default(),
        busy: tokio::sync::Mutex::default(),
        turn: tokio::sync::Mutex::default(),
        id,
        name,
    }
}

/// How old a tenant's key is: one overdue, one due soon, the others anywhere in the year and a few beyond it.
fn age_in_days(index: usize, chance: &mut Chance) -> u64 {
    match index {
        0 => 403,
        1 => 352,
        2 => 97,
        3 => 12,
        _ => chance.between(3, 372),
    }
}

/// The accounts of Keystone.
pub(super) fn keystone(options: &LabOptions) -> keystone::State {
    let mut chance = Chance::fork(options.seed, 11);
    keystone::State {
        lifetime: Duration::from_secs(3600),
        ops: chance.hex32(),
        user: chance.hex32(),
        password: chance.token(24),
        credential: (chance.hex32(), chance.token(86)),
        agent: (chance.hex32(), chance.token(86)),
        tokens: std::collections::HashMap::new(),
    }
}

/// The first secrets: as the command line stores them, one tenant's as text.
pub(super) fn secrets(options: &LabOptions, ops: &str, tenants: &[Arc<Tenant>]) -> barbican::State {
    let mut chance = Chance::fork(options.seed, 13);
    let mut state = barbican::State::default();
    for tenant in tenants {
        let text = tenant.index == 1;
        let id = chance.uuid();
        let algorithm = (Some("aes".to_owned()), Some(256), Some("cbc".to_owned()));
        let secret = Secret {
            id: id.clone(),
            project: ops.to_owned(),
            name: format!("vpn-private-key-{}", tenant.id),
            payload: Some(base64(&tenant.first_private()).into_bytes()),
            content_type: if text { "text/plain" } else { "application/octet-stream" }.to_owned(),
            secret_type: "opaque".to_owned(),
            algorithm: if text { (None, None, None) } else { algorithm },
            created: epoch() - age_in_days(tenant.index, &mut chance) * 86_400 - chance.between(0, 40_000),
            expiration: None,
            acl: None,
            metadata: BTreeMap::new(),
            consumers: Vec::new(),
        };
        state.secrets.insert(id, secret);
    }
    state
}

/// The first containers and objects, not yet written out.
pub(super) fn objects(ops: &str, tenants: &[Arc<Tenant>]) -> swift::State {
    let mut state = swift::State::default();
    let account = state.accounts.entry(ops.to_owned()).or_default();
    for tenant in tenants {
        let stamp =
            Duration::from_secs(epoch() - 86_400 * (3 + tenant.index as u64 % 60)) + Duration::from_micros(123_450);
        let object = Object::seeded(tenant.index, stamp);
        account.entry(tenant.id.clone()).or_default().insert("config/vpn-users.json".to_owned(), object);
    }
    state
}

/// The object as the platform's own API writes it: Python's `json.dumps`, with fields that nobody here asks for.
pub(super) fn vpn_users(shared: &Shared, index: usize) -> String {
    let Some(tenant) = shared.tenants.get(index) else {
        return String::new();
    };
    let keys = tenant.keys();
    let users: Vec<String> = tenant
        .people
        .iter()
        .zip(&keys.clients)
        .map(|(person, key)| {
            format!(
                "{{\"id\": {}, \"name\": {}, \"email\": {}, \"pubkey\": {}, \"ip\": \"{}\"}}",
                quoted(&person.id),
                quoted(&person.name),
                quoted(&person.email),
                quoted(&base64(&key.public)),
                person.address
            )
        })
        .collect();
    format!(
        "{{\"version\": 1, \"vpn_server_public_key\": {}, \"users\": [{}], \"dns\": [\"{}\"]}}\n",
        quoted(&base64(&keys.server.public)),
        users.join(", "),
        tenant.gateway
    )
}

/// A JSON string in ASCII.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) if c.is_ascii() && !c.is_ascii_control() => out.push(c),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}
