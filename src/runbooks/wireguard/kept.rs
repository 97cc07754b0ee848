//! The keys that rest in Barbican under names of their own until the end: found, proved, stored, destroyed.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::{NewSecret, SecretRef, World};
use crate::engine::record::Record;
use crate::engine::rotation::{KeptKey, Rotation};
use crate::engine::secret::{PrivateKey, SecretBytes};
use crate::engine::step::StepContext;

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

/// The keys that are kept under a name, and where.
pub(super) async fn kept_keys(world: &World, name: &str) -> Result<Vec<(SecretRef, PublicKey)>, Fault> {
    let mut keys = Vec::new();
    for entry in world.secrets.find(name).await?.into_iter().filter(|entry| entry.has_payload) {
        let payload = world.secrets.payload(&entry.href).await?;
        keys.extend(PrivateKey::from_payload(&payload).map(|key| (entry.href, key.public())));
    }
    Ok(keys)
}

/// Deletes every secret that keeps a key of this rotation and journals each answer. Calling it again is harmless.
pub async fn destroy_kept(context: &StepContext<'_>) -> Result<usize, Fault> {
    destroy_but(context, None).await
}

/// The same without the key of one role. The copy of the live key goes last: whoever dies on the way may need it.
pub(super) async fn destroy_but(context: &StepContext<'_>, but: Option<KeyRole>) -> Result<usize, Fault> {
    let rotation = context.rotation();
    let mut destroyed = 0;
    let mut kept: Vec<_> =
        rotation.keys.iter().filter(|(role, key)| key.destroyed.is_none() && Some(**role) != but).collect();
    kept.sort_by_key(|(role, _)| **role == rotation.target_role());
    for (role, key) in kept {
        // What others have put under the name is not ours to destroy.
        let (ours, theirs) = of_key(context.world, key).await?;
        for href in &ours {
            context.world.secrets.delete(href).await?;
        }
        let left = if ours.is_empty() { 0 } else { of_key(context.world, key).await?.0.len() };
        if left > 0 {
            let text = format!("{left} secrets named {} are still there after their deletion", key.name);
            return Err(Fault::new(Service::Barbican, FaultKind::Conflict, text).hint("finish again"));
        }
        let theirs = match theirs {
            0 => ", none of the name left".to_owned(),
            count => format!("; {count} of the name that hold something else stay, for they are not ours"),
        };
        let answer = match ours.len() {
            0 => format!("{}{theirs}", crate::engine::keys::NOT_THERE),
            count => format!("{count} deleted{theirs}"),
        };
        let (role, name) = (*role, key.name.clone());
        context.ledger.record(Record::KeyDestroyed { role, name, answer }).await?;
        destroyed += usize::from(!ours.is_empty());
    }
    Ok(destroyed)
}

/// Where this key is kept under its name, and how many others have the name. One whose payload never came is ours, too: nobody
/// else makes one of that name.
async fn of_key(world: &World, key: &KeptKey) -> Result<(Vec<SecretRef>, usize), Fault> {
    let (mut ours, mut theirs) = (Vec::new(), 0);
    for entry in world.secrets.find(&key.name).await? {
        let is_ours = !entry.has_payload || {
            let payload = world.secrets.payload(&entry.href).await?;
            PrivateKey::from_payload(&payload).is_some_and(|found| found.public() == key.public_key)
        };
        if is_ours { ours.push(entry.href) } else { theirs += 1 }
    }
    Ok((ours, theirs))
}

/// The copy of a key of this rotation that is about to give way is there, or is made anew: it is read back now, for what was read
/// back when it was kept may be gone since.
pub(super) async fn keep_again(context: &StepContext<'_>, public_key: PublicKey) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let is_it = |(_, kept): &(&KeyRole, &KeptKey)| kept.public_key == public_key && kept.destroyed.is_none();
    let Some((role, kept)) = rotation.keys.iter().find(is_it) else { return Ok(()) };
    let (role, name) = (*role, kept.name.clone());
    if let Some(href) = &kept.href {
        match world.secrets.payload(href).await {
            Ok(payload) if PrivateKey::from_payload(&payload).is_some_and(|key| key.public() == public_key) => {
                return Ok(());
            }
            Err(fault) if fault.kind != FaultKind::NotFound => return Err(fault),
            _ => {}
        }
    }
    let href = match find_kept(world, &name, public_key).await? {
        Some((href, _)) => href,
        None => match find_kept(world, &world.settings.secret_name, public_key).await? {
            Some((_, payload)) => match PrivateKey::from_payload(&payload) {
                Some(key) => keep_under(world, &name, &key).await?,
                None => return Ok(()),
            },
            // Whoever has replaced it and has taken the copy has taken the last of it.
            None if rotation.touched => return Ok(()),
            None => {
                let text = format!("{} is neither under the live name nor kept any more", public_key.short());
                return Err(Fault::new(Service::Barbican, FaultKind::Refused, text)
                    .hint("nothing was changed; look who else writes there, then check again"));
            }
        },
    };
    context.ledger.record(Record::KeyKept { role, public_key, name, href }).await
}

/// Stores a key under a name of its own and proves it by reading it back.
pub(super) async fn keep_under(world: &World, name: &str, key: &PrivateKey) -> Result<SecretRef, Fault> {
    let href = store_kept(world, name, key).await?;
    reads_back(world, &href, key.public()).await?;
    Ok(href)
}

pub(super) async fn reads_back(world: &World, href: &SecretRef, public_key: PublicKey) -> Result<(), Fault> {
    let back = world.secrets.payload(href).await?;
    if PrivateKey::from_payload(&back).map(|key| key.public()) == Some(public_key) {
        return Ok(());
    }
    let text = format!("the kept key {} does not read back from Barbican", public_key.short());
    Err(Fault::new(Service::Barbican, FaultKind::Conflict, text).hint("resume"))
}

/// The default attributes: a kept key must not be readable by whom the live secret's ACL admits, nor expire.
pub(super) async fn store_kept(world: &World, name: &str, key: &PrivateKey) -> Result<SecretRef, Fault> {
    let new = || NewSecret { name: name.to_owned(), payload: key.to_payload(false), shape: SecretShape::default() };
    match world.secrets.store(&new()).await {
        Err(fault) if fault.is_outcome_unknown() => match find_kept(world, name, key.public()).await? {
            Some((href, _)) => Ok(href),
            // If the first one lands later there are two of the name with one key; destroying takes all of the name.
            None => world.secrets.store(&new()).await,
        },
        answer => answer,
    }
}
