//! The people who will be cut off: joined from every place that knows some of them, with every difference listed.

use crate::domain::key::PublicKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// A client's id: the `id` of `users[]`, sanitized.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub String);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where a client is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `users[]` of the Swift object.
    Object,
    /// The console API.
    Console,
    /// The contacts file.
    Contacts,
    /// A peer on the interface that nothing else names.
    Peer,
}

/// A person and their WireGuard peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The id.
    pub id: ClientId,
    /// A name to show and to greet; the id where none is known.
    pub name: String,
    /// Where the mails go; nobody can be announced to without one.
    pub email: Option<String>,
    /// The peer's key on the server.
    pub public_key: Option<PublicKey>,
    /// Where this client is known from.
    pub sources: BTreeSet<Source>,
}

/// One person as one place names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The id there.
    pub id: String,
    /// A name, if the place has one.
    pub name: Option<String>,
    /// An address, if the place has one.
    pub email: Option<String>,
    /// A peer's key, if the place has one.
    pub public_key: Option<PublicKey>,
}

/// Something that two places say differently. Listed, never resolved silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "difference")]
pub enum Difference {
    /// A peer on the interface that belongs to nobody in `users[]`.
    PeerWithoutClient {
        /// The peer's key.
        public_key: PublicKey,
    },
    /// Somebody in `users[]` whose key is not on the interface (or who has none).
    ClientWithoutPeer {
        /// Who.
        client: ClientId,
    },
    /// The console API knows somebody whom the object does not.
    OnlyInConsole {
        /// Who.
        client: ClientId,
    },
    /// The contacts file knows somebody whom no other place does.
    OnlyInContacts {
        /// Who.
        client: ClientId,
    },
    /// The object names somebody whom the console API does not.
    NotInConsole {
        /// Who.
        client: ClientId,
    },
    /// Two places give two addresses; `used` is where the mail goes.
    EmailDiffers {
        /// Who.
        client: ClientId,
        /// Where the mail goes.
        used: String,
        /// The other address.
        other: String,
    },
    /// `users[]` names the same id twice.
    DuplicateId {
        /// Who.
        client: ClientId,
    },
    /// Two clients share one address: each still gets a mail of their own.
    SharedEmail {
        /// The address.
        email: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerWithoutClient { public_key } => {
                write!(f, "peer {} is on the interface but in no list of clients", public_key.short())
            }
            Self::ClientWithoutPeer { client } => write!(f, "{client} has no peer on the interface"),
            Self::OnlyInConsole { client } => write!(f, "{client} is in the console API but not in the object"),
            Self::OnlyInContacts { client } => write!(f, "{client} is in the contacts file only"),
            Self::NotInConsole { client } => write!(f, "{client} is in the object but not in the console API"),
            Self::EmailDiffers { client, used, other } => {
                write!(f, "{client} has two addresses: {used} is used, {other} is not")
            }
            Self::DuplicateId { client } => write!(f, "{client} stands twice in the object's users"),
            Self::SharedEmail { email } => write!(f, "several clients share the address {email}"),
        }
    }
}

/// Everybody, and everything that does not fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// In the order of `users[]`, then those known from elsewhere.
    pub clients: Vec<Client>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Joins the places that know clients. Nobody is dropped: a peer that nobody names becomes a client without an address.
///
/// The contacts file wins for name and address (the operator wrote it), then the object, then the console API.
/// `console` and `peers` are `None` where that place is not configured or could not be read.
pub fn join(object: &[Entry], console: Option<&[Entry]>, contacts: &[Entry], peers: Option<&[PublicKey]>) -> People {
    let mut people = People::default();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let places =
        [(Source::Object, object), (Source::Console, console.unwrap_or_default()), (Source::Contacts, contacts)];
    for (source, entries) in places {
        for entry in entries {
            match index.get(&entry.id) {
                Some(&at) if people.clients[at].sources.contains(&source) => {
                    people.differences.push(Difference::DuplicateId { client: ClientId(entry.id.clone()) });
                }
                Some(&at) => merge(&mut people, at, source, entry),
                None => {
                    index.insert(entry.id.clone(), people.clients.len());
                    people.clients.push(Client {
                        id: ClientId(entry.id.clone()),
                        name: entry.name.clone().unwrap_or_else(|| entry.id.clone()),
                        email: entry.email.clone(),
                        public_key: entry.public_key,
                        sources: BTreeSet::from([source]),
                    });
                }
            }
        }
    }
    compare_places(&mut people, console.is_some());
    if let Some(peers) = peers {
        compare_peers(&mut people, peers);
    }
    let mut addresses: BTreeMap<String, u32> = BTreeMap::new();
    for email in people.clients.iter().filter_map(|client| client.email.as_ref()) {
        *addresses.entry(email.to_ascii_lowercase()).or_default() += 1;
    }
    let shared = addresses.into_iter().filter(|(_, n)| *n > 1).map(|(email, _)| Difference::SharedEmail { email });
    people.differences.extend(shared);
    people
}

fn merge(people: &mut People, at: usize, source: Source, entry: &Entry) {
    let client = &mut people.clients[at];
    client.sources.insert(source);
    let contacts_win = source == Source::Contacts;
    if let Some(name) = &entry.name
        && (contacts_win || client.name == client.id.0)
    {
        client.name = name.clone();
    }
    if client.public_key.is_none() {
        client.public_key = entry.public_key;
    }
    if let Some(email) = &entry.email {
        match client.email.clone() {
            None => client.email = Some(email.clone()),
            Some(known) if known.eq_ignore_ascii_case(email) => {}
            Some(known) => {
                let (used, other) = if contacts_win { (email.clone(), known) } else { (known, email.clone()) };
                client.email = Some(used.clone());
                let client = client.id.clone();
                people.differences.push(Difference::EmailDiffers { client, used, other });
            }
        }
    }
}

fn compare_places(people: &mut People, console_known: bool) {
    for client in &people.clients {
        let has = |source| client.sources.contains(&source);
        let id = client.id.clone();
        if has(Source::Console) && !has(Source::Object) {
            people.differences.push(Difference::OnlyInConsole { client: id });
        } else if has(Source::Object) && console_known && !has(Source::Console) {
            people.differences.push(Difference::NotInConsole { client: id });
        } else if has(Source::Contacts) && !has(Source::Object) {
            people.differences.push(Difference::OnlyInContacts { client: id });
        }
    }
}

fn compare_peers(people: &mut People, peers: &[PublicKey]) {
    let on_interface: BTreeSet<&PublicKey> = peers.iter().collect();
    let mut owned = BTreeSet::new();
    for client in &people.clients {
        match client.public_key {
            Some(key) if on_interface.contains(&key) => {
                owned.insert(key);
            }
            _ => people.differences.push(Difference::ClientWithoutPeer { client: client.id.clone() }),
        }
    }
    for key in on_interface.into_iter().filter(|key| !owned.contains(*key)) {
        people.differences.push(Difference::PeerWithoutClient { public_key: *key });
        people.clients.push(Client {
            id: ClientId(format!("peer-{}", key.short())),
            name: format!("peer {}", key.short()),
            email: None,
            public_key: Some(*key),
            sources: BTreeSet::from([Source::Peer]),
        });
    }
}

/// Where each client stands in a list, by what they are known by.
#[derive(Clone, Debug, Default)]
pub struct Places {
    ids: HashMap<ClientId, usize>,
    /// In small letters.
    addresses: HashMap<String, Vec<usize>>,
}

impl Places {
    /// Of this list. Of two with one id the first counts.
    pub fn of(clients: &[Client]) -> Self {
        let mut places = Self::default();
        for (place, client) in clients.iter().enumerate() {
            places.ids.entry(client.id.clone()).or_insert(place);
            if let Some(email) = &client.email {
                places.addresses.entry(email.to_lowercase()).or_default().push(place);
            }
        }
        places
    }

    /// Where the client of this id stands.
    pub fn of_id(&self, id: &ClientId) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// Where those stand who are mailed at this address; it is given in small letters.
    pub fn with_address(&self, address: &str) -> impl Iterator<Item = usize> + '_ {
        self.addresses.get(address).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, email: &str, key: u8) -> Entry {
        Entry {
            id: id.into(),
            name: None,
            email: (!email.is_empty()).then(|| email.into()),
            public_key: (key > 0).then(|| PublicKey::from_bytes([key; 32])),
        }
    }

    #[test]
    fn a_peer_that_nobody_names_is_listed_and_kept_as_a_client() {
        let peers = [PublicKey::from_bytes([1; 32]), PublicKey::from_bytes([9; 32])];
        let people = join(&[entry("ada", "a@x", 1)], None, &[], Some(&peers));
        assert_eq!(people.clients.len(), 2);
        assert_eq!(people.clients[1].email, None);
        assert!(matches!(people.differences[..], [Difference::PeerWithoutClient { .. }]));
    }

    #[test]
    fn the_contacts_file_wins_and_the_other_address_is_named() {
        let people = join(&[entry("ada", "old@x", 1)], None, &[entry("ada", "new@x", 0)], None);
        assert_eq!(people.clients[0].email.as_deref(), Some("new@x"));
        assert!(matches!(&people.differences[..], [Difference::EmailDiffers { other, .. }] if other == "old@x"));
    }

    #[test]
    fn console_and_object_are_compared_both_ways() {
        let console = [entry("bob", "b@x", 0)];
        let people = join(&[entry("ada", "a@x", 1)], Some(&console), &[], None);
        assert_eq!(people.clients.len(), 2);
        assert!(people.differences.contains(&Difference::OnlyInConsole { client: ClientId("bob".into()) }));
        assert!(people.differences.contains(&Difference::NotInConsole { client: ClientId("ada".into()) }));
    }

    #[test]
    fn an_unread_interface_is_not_compared() {
        assert!(join(&[entry("ada", "a@x", 1)], None, &[], None).differences.is_empty());
    }
}
