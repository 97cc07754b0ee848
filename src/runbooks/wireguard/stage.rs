//! Step 3: a key pair, made in memory and kept in Barbican under a name of its own before anything is deleted; and the
//! previous key kept there likewise. Both are proved by reading them back. Nothing rests on the bastion.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::secret_shape::SecretShape;
use crate::domain::step::StepNumber;
use crate::engine::observe;
use crate::engine::ports::{NewSecret, SecretRef, World};
use crate::engine::record::Record;
use crate::engine::rotation::Rotation;
use crate::engine::secret::{PrivateKey, SecretBytes};
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use async_trait::async_trait;
use zeroize::Zeroizing;

/// Step 3.
pub struct Stage;

/// The name under which a key is kept; it can't be mistaken for the live secret's by the server's look-up.
pub fn kept_name(role: KeyRole, rotation: &Rotation) -> String {
    format!("changeguard-{}-{}-{}", role.word(), rotation.id, rotation.tenant.id)
}

/// Finds a kept key by its name and proves it by its public half. `None` if it is not there.
pub async fn find_kept(
    world: &World,
    name: &str,
    public_key: PublicKey,
) -> Result<Option<(SecretRef, SecretBytes)>, Fault> {
    for entry in world.secrets.find(name).await? {
        if entry.has_payload {
            let payload = world.secrets.payload(&entry.href).await?;
            if PrivateKey::from_payload(&payload).is_some_and(|key| key.public() == public_key) {
                return Ok(Some((entry.href, payload)));
            }
        }
    }
    Ok(None)
}

/// Deletes every secret that keeps a key of this rotation and journals each answer. Calling it again is harmless.
pub async fn destroy_kept(context: &StepContext<'_>) -> Result<usize, Fault> {
    let rotation = context.rotation();
    let mut destroyed = 0;
    for (role, key) in rotation.keys.iter().filter(|(_, key)| key.destroyed.is_none()) {
        let entries = context.world.secrets.find(&key.name).await?;
        for entry in &entries {
            context.world.secrets.delete(&entry.href).await?;
        }
        let left = context.world.secrets.find(&key.name).await?.len();
        if left > 0 {
            let text = format!("{left} secrets named {} are still there after their deletion", key.name);
            return Err(Fault::new(Service::Barbican, FaultKind::Conflict, text).hint("finish again"));
        }
        let answer = format!("{} deleted, none of the name left", entries.len());
        let (role, name) = (*role, key.name.clone());
        context.ledger.record(Record::KeyDestroyed { role, name, answer }).await?;
        destroyed += 1;
    }
    Ok(destroyed)
}

#[async_trait]
impl Step for Stage {
    fn number(&self) -> StepNumber {
        StepNumber::STAGE
    }

    fn title(&self) -> &'static str {
        "Generate and keep the keys"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "Barbican refuses to store (403)",
                remedy: "nothing was changed. The credential lacks the role to create secrets (creator or member), or the quota is used up: the text says which. Ask the platform team",
            },
            Trouble {
                symptom: "there is no previous key",
                remedy: "the secret was missing or held no key. The rotation can go on; a rollback would make a fresh key and every client would need a new configuration again",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "the kept keys are deleted from Barbican"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        let role = rotation.target_role();
        let Some(key) = rotation.keys.get(&role) else { return Probe::NotDone("no key was staged".into()) };
        match find_kept(context.world, &key.name, key.public_key).await {
            Err(fault) => Probe::Unclear(fault),
            Ok(None) => Probe::NotDone(format!("the {} key is not in Barbican; another is made", role.word())),
            Ok(Some(_)) if key.href.is_none() || (role == KeyRole::Staged && !previous_settled(&rotation)) => {
                Probe::NotDone(format!("the {} key is there, the rest is not recorded", role.word()))
            }
            Ok(Some(_)) => {
                Probe::Done(format!("the {} key {} is kept in Barbican", role.word(), key.public_key.short()))
            }
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let role = context.rotation().target_role();
        if role == KeyRole::Staged {
            keep_previous(context).await?;
        }
        let shape = kept_shape(context.rotation().shape.as_ref());
        let rotation = context.rotation();
        let public_key = match rotation.keys.get(&role).map(|key| key.public_key) {
            // Recorded before a crash: if it did arrive it is used, else it was never anywhere and another is made.
            Some(known) if find_kept(context.world, &kept_name(role, &rotation), known).await?.is_some() => known,
            _ => store_new_key(context, role, &shape).await?,
        };
        let name = kept_name(role, &rotation);
        let Some((href, _)) = find_kept(context.world, &name, public_key).await? else {
            let text = format!("the {} key does not read back from Barbican", role.word());
            return Err(Fault::new(Service::Barbican, FaultKind::Conflict, text).hint("nothing was changed; resume"));
        };
        context.ledger.record(Record::KeyKept { role, public_key, name, href }).await?;
        let previous = context.rotation().keys.get(&KeyRole::Previous).map(|key| key.public_key.short());
        Ok(match (role, previous) {
            (KeyRole::Staged, Some(previous)) => {
                format!("staged {}, previous {previous} kept; both read back", public_key.short())
            }
            (KeyRole::Staged, None) => format!("staged {}, read back; there is no previous key", public_key.short()),
            _ => format!("fresh key {} for the way back, read back", public_key.short()),
        })
    }

    async fn undo(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        Ok(format!("{} kept keys destroyed", destroy_kept(context).await?))
    }
}

fn previous_settled(rotation: &Rotation) -> bool {
    let kept = rotation.keys.get(&KeyRole::Previous).is_some_and(|key| key.href.is_some());
    rotation.shape.is_some() && (kept || rotation.previous_missing.is_some())
}

/// A kept key must not be readable by whom the live secret's ACL admits, nor expire, nor have consumers.
fn kept_shape(live: Option<&SecretShape>) -> SecretShape {
    let content_type = live.map_or_else(|| SecretShape::default().content_type, |shape| shape.content_type.clone());
    SecretShape { content_type, ..SecretShape::default() }
}

async fn keep_previous(context: &StepContext<'_>) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    if previous_settled(&rotation) {
        return Ok(());
    }
    let sight = observe::look_at_secret(world).await?;
    let live = rotation.preflight.as_ref().and_then(|run| run.keys.interface);
    // Where several have the name, the server's own key is the one to keep.
    let at = sight.keys.iter().position(|key| key.is_some() && *key == live);
    let at = at.or_else(|| sight.keys.iter().position(Option::is_some));
    let shape_of = at.or(if sight.count > 0 { Some(0) } else { None });
    let shape = match shape_of {
        Some(at) => world.secrets.shape(&sight.hrefs[at]).await?,
        None => SecretShape::default(),
    };
    context.ledger.record(Record::ShapeSeen { shape: shape.clone() }).await?;
    let Some((href, public_key)) = at.and_then(|at| Some((&sight.hrefs[at], sight.keys[at]?))) else {
        let why = if sight.count == 0 { "no secret has the name" } else { "the secret does not hold a key" };
        return context.ledger.record(Record::PreviousMissing { why: why.into() }).await;
    };
    let (role, name) = (KeyRole::Previous, kept_name(KeyRole::Previous, &rotation));
    let payload = world.secrets.payload(href).await?;
    let kept = match find_kept(world, &name, public_key).await? {
        Some((kept, _)) => kept,
        None => {
            context.ledger.record(Record::KeyKeeping { role, public_key, name: name.clone() }).await?;
            let key = PrivateKey::from_payload(&payload).ok_or_else(|| {
                Fault::new(Service::Barbican, FaultKind::Conflict, "the secret changed while it was read")
            })?;
            store_kept(world, &name, &key, &kept_shape(Some(&shape))).await?
        }
    };
    if find_kept(world, &name, public_key).await?.is_none() {
        let text = "the previous key does not read back from Barbican";
        return Err(Fault::new(Service::Barbican, FaultKind::Conflict, text).hint("nothing was changed; resume"));
    }
    context.ledger.record(Record::KeyKept { role, public_key, name, href: kept }).await
}

async fn store_new_key(context: &StepContext<'_>, role: KeyRole, shape: &SecretShape) -> Result<PublicKey, Fault> {
    let rotation = context.rotation();
    let taken: Vec<PublicKey> = rotation
        .clients
        .iter()
        .filter_map(|client| client.public_key)
        .chain(rotation.keys.values().map(|key| key.public_key))
        .collect();
    let key = loop {
        let mut random = Zeroizing::new([0u8; 32]);
        context.world.entropy.fill(random.as_mut_slice())?;
        let key = PrivateKey::from_random(*random);
        // The kernel removes a peer whose key equals the interface's.
        if !taken.contains(&key.public()) {
            break key;
        }
    };
    let (public_key, name) = (key.public(), kept_name(role, &rotation));
    context.ledger.record(Record::KeyKeeping { role, public_key, name: name.clone() }).await?;
    store_kept(context.world, &name, &key, shape).await?;
    Ok(public_key)
}

async fn store_kept(world: &World, name: &str, key: &PrivateKey, shape: &SecretShape) -> Result<SecretRef, Fault> {
    let new = || NewSecret { name: name.to_owned(), payload: key.to_payload(false), shape: shape.clone() };
    match world.secrets.store(&new()).await {
        Err(fault) if fault.is_outcome_unknown() => match find_kept(world, name, key.public()).await? {
            Some((href, _)) => Ok(href),
            // If the first one lands later there are two of the name with one key; destroying takes all of the name.
            None => world.secrets.store(&new()).await,
        },
        answer => answer,
    }
    .map_err(|fault| {
        let hint = format!("nothing was changed; {}", fault.advice());
        fault.hint(hint)
    })
}
