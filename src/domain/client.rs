//! The people who will be cut off: joined from every place that knows some of them, with every difference listed.

use crate::domain::key::PublicKey;
use crate::domain::sanitize;
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
    /// What else is theirs: further entries with the same address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Also>,
}

/// Another entry of the same person: one address is one person, who gets one mail and answers once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Also {
    /// The entry's id.
    pub id: ClientId,
    /// Its peer's key.
    pub public_key: Option<PublicKey>,
}

impl Client {
    /// The keys of all their peers.
    pub fn keys(&self) -> impl Iterator<Item = PublicKey> + '_ {
        self.public_key.into_iter().chain(self.also.iter().filter_map(|also| also.public_key))
    }

    /// Whether an id is that of a further entry of theirs.
    pub fn is_also(&self, id: &ClientId) -> bool {
        self.also.iter().any(|also| also.id == *id)
    }
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
    /// Entries of several people name one peer's key.
    SharedPeer {
        /// The key.
        public_key: PublicKey,
        /// Whose entries.
        clients: Vec<ClientId>,
    },
    /// `users[]` names the same id twice.
    DuplicateId {
        /// Who.
        client: ClientId,
    },
    /// Several entries have one address, case aside: they are one person.
    SharedEmail {
        /// The address.
        email: String,
        /// The entries; the first stands for all of them.
        clients: Vec<ClientId>,
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
            Self::SharedPeer { public_key, clients } => {
                let ids: Vec<&str> = clients.iter().map(|id| id.0.as_str()).collect();
                write!(
                    f,
                    "{} have one peer's key ({}): a handshake tells only that one of them is back",
                    ids.join(" and "),
                    public_key.short()
                )
            }
            Self::DuplicateId { client } => write!(f, "{client} stands twice in the object's users"),
            Self::SharedEmail { email, clients } => {
                let ids: Vec<&str> = clients.iter().map(|id| id.0.as_str()).collect();
                let (first, all) = (ids.first().copied().unwrap_or_default(), ids.join(" and "));
                write!(f, "{all} have the address {email}: one person, who gets one mail and answers once, as {first}")
            }
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
                        name: sanitize::name(entry.name.as_ref().unwrap_or(&entry.id)),
                        email: entry.email.clone(),
                        public_key: entry.public_key,
                        sources: BTreeSet::from([source]),
                        also: Vec::new(),
                    });
                }
            }
        }
    }
    compare_places(&mut people, console.is_some());
    compare_keys(&mut people);
    if let Some(peers) = peers {
        compare_peers(&mut people, peers);
    }
    keep_apart(&mut people, contacts);
    unite(&mut people);
    people
}

/// Where one place gives somebody the address of another person, and another place an address of their own, that one is used: nobody
/// is folded away by a slip of one place. What the operator wrote stands.
fn keep_apart(people: &mut People, contacts: &[Entry]) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let address = |email: &String| email.to_ascii_lowercase();
    for email in people.clients.iter().filter_map(|client| client.email.as_ref()) {
        *times.entry(address(email)).or_default() += 1;
    }
    let is_written = |id: &ClientId| contacts.iter().any(|entry| entry.id == id.0 && entry.email.is_some());
    for difference in &mut people.differences {
        let Difference::EmailDiffers { client: id, used, other } = difference else { continue };
        let is_shared = times.get(&address(used)).is_some_and(|times| *times > 1);
        if is_shared
            && !is_written(id)
            && let Some(client) = people.clients.iter_mut().find(|client| client.id == *id)
        {
            std::mem::swap(used, other);
            client.email = Some(used.clone());
        }
    }
}

/// Makes one person of the entries that have one address.
fn unite(people: &mut People) {
    let mut first_of: BTreeMap<String, usize> = BTreeMap::new();
    let mut persons: Vec<Client> = Vec::with_capacity(people.clients.len());
    for client in std::mem::take(&mut people.clients) {
        let address = client.email.as_ref().map(|email| email.to_ascii_lowercase());
        match address.as_ref().and_then(|address| first_of.get(address)) {
            Some(&at) => {
                let first = &mut persons[at];
                first.also.push(Also { id: client.id, public_key: client.public_key });
                first.sources.extend(client.sources);
            }
            None => {
                first_of.extend(address.map(|address| (address, persons.len())));
                persons.push(client);
            }
        }
    }
    let shared = persons.iter().filter(|person| !person.also.is_empty()).map(|person| Difference::SharedEmail {
        email: person.email.clone().unwrap_or_default(),
        clients: std::iter::once(&person.id).chain(person.also.iter().map(|also| &also.id)).cloned().collect(),
    });
    people.differences.extend(shared);
    people.clients = persons;
}

fn merge(people: &mut People, at: usize, source: Source, entry: &Entry) {
    let client = &mut people.clients[at];
    client.sources.insert(source);
    let contacts_win = source == Source::Contacts;
    if let Some(name) = &entry.name
        && (contacts_win || client.name == sanitize::name(&client.id.0))
    {
        client.name = sanitize::name(name);
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

fn compare_keys(people: &mut People) {
    let mut bearers: BTreeMap<PublicKey, Vec<ClientId>> = BTreeMap::new();
    for client in &people.clients {
        if let Some(key) = client.public_key {
            bearers.entry(key).or_default().push(client.id.clone());
        }
    }
    let shared = bearers.into_iter().filter(|(_, clients)| clients.len() > 1);
    people.differences.extend(shared.map(|(public_key, clients)| Difference::SharedPeer { public_key, clients }));
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
            also: Vec::new(),
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

/// How many of the keys that clients have are peers of the interface, and how many keys that is.
pub fn peers_there(clients: &[Client], peers: &BTreeSet<PublicKey>) -> (usize, usize) {
    let keys: BTreeSet<PublicKey> = clients.iter().flat_map(Client::keys).collect();
    (keys.intersection(peers).count(), keys.len())
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
    fn entries_of_several_people_with_one_key_are_listed() {
        let people = join(&[entry("ada", "a@x", 1), entry("bob", "b@x", 2), entry("eve", "e@x", 1)], None, &[], None);
        assert_eq!(people.clients.len(), 3);
        let said: Vec<String> = people.differences.iter().map(ToString::to_string).collect();
        assert!(matches!(&said[..], [one] if one.starts_with("ada and eve have one peer's key")), "{said:?}");
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
    fn entries_with_one_address_are_one_person_whatever_its_case_and_wherever_they_stand() {
        let (laptop, phone, bob) = (entry("ada", "Ada@X", 1), entry("ada-phone", "ada@x", 2), entry("bob", "b@x", 3));
        let one = |people: People| {
            let ada = people.clients.iter().find(|client| client.id.0 == "ada").unwrap();
            assert!(ada.is_also(&ClientId("ada-phone".into())), "{people:?}");
            assert_eq!(people.clients.iter().filter(|client| client.email.is_some()).count(), 2, "{people:?}");
            let said = people.differences.iter().map(ToString::to_string).filter(|text| text.contains("one person"));
            assert_eq!(said.collect::<Vec<_>>().len(), 1, "said once");
            ada.keys().count()
        };
        let keys: Vec<PublicKey> = [1, 2, 3].map(|key| PublicKey::from_bytes([key; 32])).into();
        let all = [laptop.clone(), bob.clone(), phone.clone()];
        assert_eq!(one(join(&all, None, &[], Some(&keys))), 2);
        let (object, rest) = ([laptop.clone(), bob.clone()], [phone.clone()]);
        assert_eq!(one(join(&object, Some(&rest), &[], None)), 2);
        assert_eq!(one(join(&object, None, &rest, None)), 2);
        // The contacts file gives the one the address of the other.
        let other = [laptop, bob, entry("ada-phone", "old@x", 2)];
        assert_eq!(one(join(&other, None, &[entry("ada-phone", "ADA@x", 0)], None)), 2);
    }

    #[test]
    fn who_is_given_anothers_address_by_one_place_and_an_own_one_by_another_stays_a_person_of_their_own() {
        let console = [entry("rahul", "r@x", 0), entry("chloe", "c@x", 0)];
        for object in [
            [entry("rahul", "r@x", 1), entry("chloe", "R@x", 2)],
            [entry("rahul", "c@x", 1), entry("chloe", "c@x", 2)],
            [entry("chloe", "r@x", 2), entry("rahul", "r@x", 1)],
        ] {
            let people = join(&object, Some(&console), &[], None);
            let of = |id: &str| people.clients.iter().find(|client| client.id.0 == id).and_then(|c| c.email.clone());
            assert_eq!((of("rahul"), of("chloe")), (Some("r@x".into()), Some("c@x".into())), "{people:?}");
            assert!(people.clients.iter().all(|client| client.also.is_empty()), "{people:?}");
            let told = |difference: &Difference| matches!(difference, Difference::EmailDiffers { .. });
            assert!(people.differences.iter().any(told), "the slip is listed");
        }
    }

    #[test]
    fn an_unread_interface_is_not_compared() {
        assert!(join(&[entry("ada", "a@x", 1)], None, &[], None).differences.is_empty());
    }
}
