//! One look at everything outside that concerns a tenant, and what is kept of it between looks.

use crate::domain::client::{self, Entry, People};
use crate::domain::document;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::ServerReading;
use crate::domain::key::PublicKey;
use crate::domain::observation::Observation;
use crate::engine::alerts::AlertSight;
use crate::engine::journal::Holder;
use crate::engine::ports::{SecretRef, World};
use crate::engine::secret::PrivateKey;
use jiff::Timestamp;

/// What Barbican holds under the secret's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSight {
    /// How many secrets have exactly that name. More than one is dangerous: the server takes either.
    pub count: usize,
    /// The public key of each, `None` where the payload is not a key; parallel to `hrefs`.
    pub keys: Vec<Option<PublicKey>>,
    /// Their hrefs.
    pub hrefs: Vec<SecretRef>,
    /// When the newest was stored, UTC.
    pub created: Option<Timestamp>,
}

impl SecretSight {
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
    /// The console API's users; never seen where none is configured.
    pub console: Observation<Vec<Entry>>,
    /// The key in the script that the console API serves.
    pub served: Observation<PublicKey>,
    /// The expected alert; never seen where Alertmanager is not configured.
    pub alert: Observation<AlertSight>,
    /// Entries of the contacts file.
    pub contacts: Vec<Entry>,
    /// Who holds the tenant, when it is not this process.
    pub holder: Option<Holder>,
}

impl Sights {
    /// What was seen before, renewed by a later look: a failed look leaves the value.
    pub fn renewed_by(mut self, later: Sights) -> Self {
        fn renew<T>(before: &mut Observation<T>, later: Observation<T>) {
            if later.seen.is_some() {
                *before = later;
            } else if later.fault.is_some() {
                before.fault = later.fault;
            }
        }
        renew(&mut self.secret, later.secret);
        renew(&mut self.object, later.object);
        renew(&mut self.server, later.server);
        renew(&mut self.console, later.console);
        renew(&mut self.served, later.served);
        renew(&mut self.alert, later.alert);
        self.contacts = later.contacts;
        self
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

/// Looks at Barbican.
pub async fn look_at_secret(world: &World) -> Result<SecretSight, Fault> {
    let entries = world.secrets.find(&world.settings.secret_name).await?;
    let mut sight = SecretSight { count: entries.len(), keys: Vec::new(), hrefs: Vec::new(), created: None };
    for entry in entries {
        let key = if entry.has_payload {
            let payload = world.secrets.payload(&entry.href).await?;
            PrivateKey::from_payload(&payload).map(|key| key.public())
        } else {
            None
        };
        sight.keys.push(key);
        sight.hrefs.push(entry.href);
        sight.created = sight.created.max(Some(entry.created));
    }
    Ok(sight)
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

/// Looks at everything at once and takes it into `sights`.
pub async fn look(world: &World, sights: &mut Sights) {
    let console = async {
        match &world.console {
            Some(console) => Some(console.users(&world.tenant.id).await),
            None => None,
        }
    };
    let alert = async {
        match &world.alerts {
            Some(alerts) => Some(alerts.firing().await.map(|firing| AlertSight { name: alerts.name().into(), firing })),
            None => None,
        }
    };
    let (secret, object, server, console, alert) =
        futures_util::join!(look_at_secret(world), look_at_object(world), world.server.read(), console, alert);
    let served = match (&object, &world.console) {
        (Ok(object), Some(_)) => look_at_served_key(world, &object.users).await,
        _ => None,
    };
    let at = world.clock.now();
    sights.secret.take(at, secret);
    sights.object.take(at, object);
    sights.server.take(at, server);
    if let Some(console) = console {
        sights.console.take(at, console);
    }
    if let Some(alert) = alert {
        sights.alert.take(at, alert);
    }
    if let Some(served) = served {
        sights.served.take(at, served);
    }
    sights.contacts = world.contacts.to_vec();
}
