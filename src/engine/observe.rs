//! One look at everything outside that concerns a tenant, and what is kept of it between looks.

use crate::domain::client::{self, Client, Entry, People};
use crate::domain::document;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::{self, ServerReading};
use crate::domain::key::PublicKey;
use crate::domain::observation::Observation;
use crate::domain::sanitize::sanitize;
use crate::engine::alerts::AlertSight;
use crate::engine::journal::Holder;
use crate::engine::ports::{SecretEntry, SecretRef, World};
use crate::engine::secret::PrivateKey;
use crate::engine::sources::Source;
use crate::engine::witness::{Lost, Sign, Witnessed};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What Barbican holds under the secret's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSight {
    /// How many secrets have exactly that name. More than one is dangerous: the server takes either.
    pub count: usize,
    /// The public key of each, `None` where the payload is not a key; parallel to `hrefs`.
    pub keys: Vec<Option<PublicKey>>,
    /// Their hrefs.
    pub hrefs: Vec<SecretRef>,
    /// When each was stored and changed last, where it had a payload then; parallel to `hrefs`.
    pub versions: Vec<Option<Version>>,
    /// When the newest was stored, UTC.
    pub created: Option<Timestamp>,
    /// When the first of them is served no more, where that was set, UTC.
    pub expires: Option<Timestamp>,
    /// Those of another name that Barbican's filter finds by this one all the same: the server's look-up takes the first of
    /// all.
    pub alike: Vec<Alike>,
}

/// A secret of another name that is found by this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// Its name as it is.
    pub name: String,
    /// Where it is.
    pub href: SecretRef,
    /// The public key of what it holds; none: no key, or it can't be read.
    pub key: Option<PublicKey>,
    version: Option<Version>,
}

/// What a listing says of when a secret was stored and changed last. A payload can be set once and never changed
/// (Barbican: PUT of a secret that has one is 409), so that one version of one href has one payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    created: Timestamp,
    updated: Option<Timestamp>,
}

impl SecretSight {
    /// What the payload of this entry was when it was read; `None`: it was not, or it is another version.
    fn read_before(&self, entry: &SecretEntry) -> Option<Option<PublicKey>> {
        let at = self.hrefs.iter().position(|href| *href == entry.href)?;
        let same = version_of(entry).is_some_and(|version| self.versions.get(at) == Some(&Some(version)));
        self.keys.get(at).copied().filter(|_| same)
    }

    /// The key, if there is a secret and every one of them holds the same.
    pub fn only_key_of_all(&self) -> Option<PublicKey> {
        let first = self.keys.first().copied().flatten();
        first.filter(|_| self.keys.iter().all(|key| *key == first))
    }

    /// When each was stored, where it had a payload when it was listed, and its key.
    pub fn stored(&self) -> impl Iterator<Item = (Option<Timestamp>, Option<PublicKey>)> {
        self.versions.iter().map(|version| version.map(|version| version.created)).zip(self.keys.iter().copied())
    }

    /// What is found by the tenant's name although it is called otherwise, for a sentence.
    /// `shown`: the interface's key at the last look.
    pub fn alike_told(&self, shown: Option<PublicKey>) -> Option<String> {
        let live = self.alike.iter().find(|alike| shown.is_some() && alike.key == shown);
        let Alike { name, href: SecretRef(href), .. } = live.or(self.alike.first())?;
        let more = match self.alike.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        if let (true, Some(key)) = (self.is_alike_live(shown), shown) {
            return Some(format!(
                "the server has taken {}, the key of another secret that Barbican finds by the tenant's name as well: {} \
                 ({}){more}",
                key.short(),
                sanitize(name),
                sanitize(href)
            ));
        }
        Some(format!(
            "Barbican finds {} ({}){more} by the tenant's name as well (to its search case does not count, and _ is any \
             character), and the server takes the first that it gets",
            sanitize(name),
            sanitize(href)
        ))
    }

    /// The interface shows the key of one that is called otherwise, which none of the name has.
    pub fn is_alike_live(&self, shown: Option<PublicKey>) -> bool {
        let has = |alike: &Alike| shown.is_some() && alike.key == shown;
        !self.keys.contains(&shown) && self.alike.iter().any(has)
    }

    /// The key, if there is exactly one secret and it holds one.
    pub fn only_key(&self) -> Option<PublicKey> {
        if let [key] = self.keys[..] { key } else { None }
    }
}

/// What the Swift object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSight {
    /// The key in it.
    pub public_key: Option<PublicKey>,
    /// Its people.
    pub users: Vec<Entry>,
    /// Its version.
    pub etag: String,
}

/// Everything last seen of a tenant.
#[derive(Clone, Debug, Default)]
pub struct Sights {
    /// Barbican.
    pub secret: Observation<SecretSight>,
    /// Swift.
    pub object: Observation<ObjectSight>,
    /// The VPN server.
    pub server: Observation<ServerReading>,
    /// The server's clock, s, when the interface was first seen to show another key than it had.
    pub shown_since: Option<i64>,
    /// The console API's users; never seen where none is configured.
    pub console: Observation<Vec<Entry>>,
    /// The key in the script that the console API serves.
    pub served: Observation<PublicKey>,
    /// The expected alert; never seen where Alertmanager is not configured.
    pub alert: Observation<AlertSight>,
    /// Entries of the contacts file.
    pub contacts: Arc<[Entry]>,
    /// Our own journal: that it could be read.
    pub journal: Observation<()>,
    /// The mailbox: that it could be read; never seen where none is configured or no rotation is open.
    pub mailbox: Observation<()>,
    /// What this process has done and could not record, a line each.
    pub unwritten: Vec<String>,
    /// Who holds the tenant, when it is not this process.
    pub holder: Option<Holder>,
    /// Since when, UTC by this host's clock, they gave no sign of life, where one was due.
    pub holder_quiet_since: Option<Timestamp>,
    /// How far the VPN server's clock was ahead of this host's at its last reading, s.
    pub server_ahead_s: Option<i64>,
    /// How far this host's clock is ahead of the journal's server, s; `None` where that has none of its own.
    pub clock_skew_s: Option<i64>,
    /// When the token that the console API was asked with last ends, UTC, by its own word.
    pub console_token_ends: Option<Timestamp>,
    /// What is known of the journal besides its records.
    pub witnessed: Witnessed,
    /// What stands outside of an open case of which the journal knows nothing.
    pub sign: Option<Sign>,
}

/// What one source said, or why it did not.
#[derive(Clone, Debug)]
pub enum Sight {
    /// Barbican.
    Secret(Result<SecretSight, Fault>),
    /// Swift.
    Object(Result<ObjectSight, Fault>),
    /// The VPN server.
    Server(Result<ServerReading, Fault>),
    /// The console API's users.
    Console(Result<Vec<Entry>, Fault>),
    /// The key in the script that the console API serves.
    Served(Result<PublicKey, Fault>),
    /// The expected alert.
    Alert(Result<AlertSight, Fault>),
}

impl Sights {
    /// Takes in what one source said: a failed look leaves the value.
    pub fn take(&mut self, at: Timestamp, sight: Sight) {
        match sight {
            Sight::Secret(look) => self.secret.take(at, look),
            Sight::Object(look) => self.object.take(at, look),
            Sight::Server(look) => {
                let shown = |look: &ServerReading| look.public_key;
                if let (Some(before), Ok(now)) = (self.server.value().map(shown), &look) {
                    self.shown_since = if before == now.public_key { self.shown_since } else { Some(now.clock) };
                }
                self.server.take(at, look);
            }
            Sight::Console(look) => self.console.take(at, look),
            Sight::Served(look) => self.served.take(at, look),
            Sight::Alert(look) => self.alert.take(at, look),
        }
    }

    /// The same of a source that was asked and has answered at these moments. An answer is as old as its question: what was done
    /// meanwhile is the later word.
    pub fn take_answer(&mut self, asked: Timestamp, answered: Timestamp, sight: Sight) {
        if let Sight::Server(Ok(reading)) = &sight {
            self.server_ahead_s = Some(freshness::ahead(reading.clock, asked.as_second(), answered.as_second()));
        }
        self.take(asked, sight);
    }

    /// Whether this shows another key in its place than was seen there: somebody may have written why, since the journal was read.
    pub fn is_news(&self, sight: &Sight) -> bool {
        fn other<T, K: PartialEq>(place: &Observation<T>, look: &Result<T, Fault>, key: impl Fn(&T) -> K) -> bool {
            look.as_ref().is_ok_and(|now| place.value().is_some_and(|before| key(before) != key(now)))
        }
        match sight {
            Sight::Secret(look) => other(&self.secret, look, |secret| secret.keys.clone()),
            Sight::Object(look) => other(&self.object, look, |object| object.public_key),
            Sight::Server(look) => other(&self.server, look, |reading| reading.public_key),
            Sight::Served(look) => other(&self.served, look, |key| *key),
            Sight::Console(_) | Sight::Alert(_) => false,
        }
    }

    /// The fault of a source's last look.
    pub fn fault_of(&self, source: Source) -> Option<&Fault> {
        let fault = match source {
            Source::Barbican => &self.secret.fault,
            Source::Swift => &self.object.fault,
            Source::Server => &self.server.fault,
            Source::Console => &self.console.fault,
            Source::Script => &self.served.fault,
            Source::Alerts => &self.alert.fault,
            Source::Journal => &self.journal.fault,
            Source::Mailbox => &self.mailbox.fault,
        };
        fault.as_ref().map(|(_, fault)| fault)
    }

    /// A source was asked and has said nothing for so long: shown at once, although the answer may still come.
    pub fn overdue(&mut self, at: Timestamp, source: Source, waited: Duration) {
        let fault = |service| {
            let text = format!("no answer for {} s", waited.as_secs());
            Fault::new(service, FaultKind::TimedOut, text).hint("it is waited for; what was seen before is old")
        };
        match source {
            Source::Barbican => self.secret.take(at, Err(fault(Service::Barbican))),
            Source::Swift => self.object.take(at, Err(fault(Service::Swift))),
            Source::Server => self.server.take(at, Err(fault(Service::Server))),
            Source::Console => self.console.take(at, Err(fault(Service::Console))),
            Source::Script => self.served.take(at, Err(fault(Service::Console))),
            Source::Alerts => self.alert.take(at, Err(fault(Service::Alerts))),
            Source::Journal => self.journal.take(at, Err(fault(Service::Journal))),
            Source::Mailbox => self.mailbox.take(at, Err(fault(Service::Mail))),
        }
    }

    /// Every place that knows people and did not answer at the last look, with why. What was seen there before is shown, and
    /// counts for nothing: somebody may be missing in it.
    pub fn unseen(&self) -> Vec<String> {
        fn state<T>(place: &Observation<T>, name: &str) -> Option<String> {
            match (&place.fault, &place.seen) {
                (Some((_, fault)), _) => Some(fault.to_string()),
                (None, None) => Some(format!("{name} has not been read yet")),
                (None, Some(_)) => None,
            }
        }
        let console = if self.console.is_known() { state(&self.console, "the console API") } else { None };
        [state(&self.object, "the object"), state(&self.server, "the interface"), console]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Whether a place that has not answered now is among those that knew this client.
    pub fn may_still_know(&self, client: &Client) -> bool {
        client.sources.iter().any(|source| match source {
            client::Source::Object => self.object.fault.is_some() || !self.object.is_known(),
            client::Source::Peer => self.server.fault.is_some() || !self.server.is_known(),
            client::Source::Console => self.console.fault.is_some() || !self.console.is_known(),
            client::Source::Contacts => false,
        })
    }

    /// What is known of a part of the journal that is lost.
    pub fn lost(&self) -> Option<Lost> {
        let lost = |sign: &Sign| Lost { ends_at: 0, sign: sign.clone() };
        self.witnessed.lost.clone().or(self.sign.as_ref().map(lost))
    }

    /// Those whom the places name that were seen, where the object is not among them: who else is cut off is not known. Peers
    /// stand for people only where no place names anybody: whose they are, the object would have said.
    pub fn people_without_object(&self) -> Vec<Client> {
        let named = self.named_without_object();
        let peers = || self.server.value().map(|r| r.peers.iter().map(|p| p.public_key).collect::<Vec<_>>());
        if named.is_empty() { client::join(&[], None, &[], peers().as_deref()).clients } else { named }
    }

    /// Of those, who is named.
    pub fn named_without_object(&self) -> Vec<Client> {
        client::join(&[], self.console.value().map(Vec::as_slice), &self.contacts, None).clients
    }

    /// Whose peer has this key, by all places: a server whose own key it is drops that peer.
    pub fn bearers(&self, key: PublicKey) -> Option<String> {
        let clients = self.people().map(|people| people.clients).unwrap_or_default();
        let bears = |client: &&Client| client.keys().any(|own| own == key);
        let names: Vec<&str> = clients.iter().filter(bears).map(|client| client.name.as_str()).collect();
        let is_peer = self.server.value().is_some_and(|reading| reading.peers.iter().any(|p| p.public_key == key));
        match (names.is_empty(), is_peer) {
            (true, false) => None,
            (true, true) => Some("a peer on the interface".into()),
            (false, _) => Some(names.join(", ")),
        }
    }

    /// Everybody, joined from all places that were seen. A fault if the object was never read.
    pub fn people(&self) -> Result<People, Fault> {
        let Some(object) = self.object.value() else {
            return Err(match &self.object.fault {
                Some((_, fault)) => fault.clone(),
                None => Fault::new(Service::Swift, FaultKind::Refused, "the object has not been read yet"),
            });
        };
        let peers: Option<Vec<PublicKey>> =
            self.server.value().map(|reading| reading.peers.iter().map(|peer| peer.public_key).collect());
        let console = self.console.value().map(Vec::as_slice);
        Ok(client::join(&object.users, console, &self.contacts, peers.as_deref()))
    }
}

fn version_of(entry: &SecretEntry) -> Option<Version> {
    entry.has_payload.then_some(Version { created: entry.created, updated: entry.updated })
}

/// Looks at Barbican, and reads every payload; that of the secret that is expected there, beside the list.
pub async fn look_at_secret(world: &World, expected: Option<&SecretRef>) -> Result<SecretSight, Fault> {
    look_at_secret_again(world, None, expected).await
}

/// The same, but a payload that was read at an earlier look is not fetched again: the live private key passes the network
/// once, and not with every poll. Only its public key was kept.
async fn look_at_secret_again(
    world: &World,
    before: Option<&SecretSight>,
    expected: Option<&SecretRef>,
) -> Result<SecretSight, Fault> {
    match read_listed(world, before, expected).await {
        // Deleted between the two requests, as in the gap of a rotation: the next list knows.
        Err(fault) if fault.kind == FaultKind::Conflict => read_listed(world, before, None).await,
        read => read,
    }
}

/// What one list names, read. A secret that is listed and not there is a conflict.
async fn read_listed(
    world: &World,
    before: Option<&SecretSight>,
    expected: Option<&SecretRef>,
) -> Result<SecretSight, Fault> {
    let read = async {
        match expected {
            Some(href) => world.secrets.payload(href).await.ok(),
            None => None,
        }
    };
    let (entries, mut read) = futures_util::join!(world.secrets.listing(&world.settings.secret_name), read);
    let (entries, others): (Vec<_>, Vec<_>) =
        entries?.into_iter().partition(|entry| entry.name == world.settings.secret_name);
    let mut sight = SecretSight { count: entries.len(), ..SecretSight::default() };
    for entry in others {
        let version = version_of(&entry);
        let seen = before.iter().flat_map(|before| &before.alike).find(|seen| seen.href == entry.href);
        let key = match seen.filter(|seen| version.is_some() && seen.version == version) {
            Some(seen) => seen.key,
            // Whose it is, it is not ours: that it can't be read is no fault of this look.
            None if entry.has_payload => world
                .secrets
                .payload(&entry.href)
                .await
                .ok()
                .and_then(|payload| PrivateKey::from_payload(&payload).map(|key| key.public())),
            None => None,
        };
        sight.alike.push(Alike { name: entry.name, href: entry.href, key, version });
    }
    for entry in entries {
        let key = match before.and_then(|before| before.read_before(&entry)) {
            Some(key) => key,
            None if entry.has_payload => {
                let payload = match read.take_if(|_| expected == Some(&entry.href)) {
                    Some(payload) => payload,
                    None => world.secrets.payload(&entry.href).await.map_err(not_there)?,
                };
                PrivateKey::from_payload(&payload).map(|key| key.public())
            }
            None => None,
        };
        sight.keys.push(key);
        sight.versions.push(version_of(&entry));
        sight.hrefs.push(entry.href);
        sight.created = sight.created.max(Some(entry.created));
        sight.expires = sight.expires.into_iter().chain(entry.expiration).min();
    }
    Ok(sight)
}

fn not_there(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::NotFound => {
            let text = "a secret of the tenant's name is listed, and is not there when it is read";
            Fault::new(fault.service, FaultKind::Conflict, text)
                .hint("it was deleted at this very moment, or a copy of Barbican's database lags: look again")
        }
        _ => fault,
    }
}

/// Looks at Swift.
pub async fn look_at_object(world: &World) -> Result<ObjectSight, Fault> {
    let stored = world.object.get().await?;
    let document = document::read(&stored.bytes, &world.settings.fields).map_err(|bad| bad_document(&bad))?;
    Ok(ObjectSight { public_key: document.public_key, users: document.users, etag: stored.etag })
}

/// A document that can't be used, with the documented remedy of each kind.
pub fn bad_document(bad: &document::BadDocument) -> Fault {
    let hint = match bad {
        document::BadDocument::NotText | document::BadDocument::NotJson(_) => {
            "nothing was changed; have the platform rewrite it (adding or removing a user of the tenant does), then go on"
        }
        document::BadDocument::Shape(_) => {
            "nothing was changed; compare it with the runbook's step 5 and with wireguard.fields in the configuration"
        }
    };
    Fault::new(Service::Swift, FaultKind::Invalid, bad.to_string()).hint(hint)
}

/// The key in the script that the console API serves for the first user who has one.
pub async fn look_at_served_key(world: &World, users: &[Entry]) -> Option<Result<PublicKey, Fault>> {
    let console = world.console.as_ref()?;
    let user = users.first()?;
    Some(console.served_key(&user.id).await)
}

/// What an earlier look is good for.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// What Barbican held; a payload that was read then is not fetched again.
    pub secret: Option<SecretSight>,
    /// The people of the object, for the served script.
    pub users: Vec<Entry>,
}

/// Looks at one source; `None` where it is not configured.
pub async fn look_at(world: &World, source: Source, before: &Before) -> Option<Sight> {
    match source {
        Source::Barbican => Some(Sight::Secret(look_at_secret_again(world, before.secret.as_ref(), None).await)),
        Source::Swift => Some(Sight::Object(look_at_object(world).await)),
        Source::Server => Some(Sight::Server(world.server.read().await)),
        Source::Console => Some(Sight::Console(world.console.as_ref()?.users(&world.tenant.id).await)),
        Source::Script => look_at_served_key(world, &before.users).await.map(Sight::Served),
        Source::Alerts => {
            let alerts = world.alerts.as_ref()?;
            let sight = |firing| AlertSight { name: alerts.name().into(), firing };
            Some(Sight::Alert(alerts.firing().await.map(sight)))
        }
        // The conductor reads the one, the post the other.
        Source::Journal | Source::Mailbox => None,
    }
}

/// Whether it is asked at all.
pub fn is_asked(world: &World, source: Source) -> bool {
    match source {
        Source::Console | Source::Script => world.console.is_some(),
        Source::Alerts => world.alerts.is_some(),
        _ => true,
    }
}

/// Looks at everything at once and takes it into `sights`; every payload is read that `before` does not know.
pub async fn look(world: &World, sights: &mut Sights, before: &Before) {
    let looks = Source::ASKED.map(async |source| {
        let asked = world.clock.now();
        (asked, look_at(world, source, before).await, world.clock.now())
    });
    for (asked, sight, answered) in futures_util::future::join_all(looks).await {
        sight.into_iter().for_each(|sight| sights.take_answer(asked, answered, sight));
    }
    if let Some(object) = sights.object.value() {
        let before = Before { users: object.users.clone(), ..Before::default() };
        let served = look_at(world, Source::Script, &before).await;
        served.into_iter().for_each(|sight| sights.take(world.clock.now(), sight));
    }
    sights.contacts = world.contacts.clone();
}
