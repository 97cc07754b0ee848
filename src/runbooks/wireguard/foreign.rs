//! Somebody else's key under the live secret's name: it is kept under a name of its own before it gives way, and told.

use super::kept::{find_kept, keep_under, kept_keys};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::domain::secret_shape::SecretShape;
use crate::engine::ports::{NewSecret, SecretRef, World};
use crate::engine::record::Record;
use crate::engine::rotation::{KeptKey, Rotation};
use crate::engine::secret::PrivateKey;
use crate::engine::step::StepContext;

/// The name under which such keys are kept.
fn name(rotation: &Rotation) -> String {
    format!("changeguard-found-{}-{}", rotation.id, rotation.tenant.id)
}

/// Those that are kept there and of which the journal knows nothing, as records.
pub(super) async fn unknown_foreign(world: &World, rotation: &Rotation) -> Result<Vec<Record>, Fault> {
    let name = name(rotation);
    let found = kept_keys(world, &name).await?.into_iter();
    let unknown = found.filter(|(_, key)| rotation.foreign.iter().all(|kept| kept.public_key != *key));
    Ok(unknown.map(|(href, public_key)| Record::ForeignKept { public_key, name: name.clone(), href }).collect())
}

/// Keeps what this secret holds, which is no key, under the same name; told in a note.
pub(super) async fn keep_payload(context: &StepContext<'_>, href: &SecretRef) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let entries = world.secrets.find(&world.settings.secret_name).await?;
    // One without a payload has nothing to be kept.
    if !entries.iter().any(|entry| entry.href == *href && entry.has_payload) {
        return Ok(());
    }
    let payload = world.secrets.payload(href).await?;
    let name = name(&rotation);
    for entry in world.secrets.find(&name).await?.into_iter().filter(|entry| entry.has_payload) {
        if world.secrets.payload(&entry.href).await?.expose() == payload.expose() {
            return Ok(());
        }
    }
    world.secrets.store(&NewSecret { name: name.clone(), payload, shape: SecretShape::default() }).await?;
    let text = format!("what stood under the live name and is no key is kept in Barbican as {name}");
    context.ledger.record(Record::Noted { text }).await
}

/// Keeps the key of this secret, unless it is one of this rotation's own or was kept before. It stays there after the end: it
/// is not ours to destroy.
pub(super) async fn keep_foreign(
    context: &StepContext<'_>,
    href: &SecretRef,
    public_key: PublicKey,
) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let is_known = |kept: &KeptKey| kept.public_key == public_key;
    if rotation.keys.values().any(is_known) || rotation.foreign.iter().any(is_known) {
        return Ok(());
    }
    let payload = world.secrets.payload(href).await?;
    let key = PrivateKey::from_payload(&payload).filter(|key| key.public() == public_key).ok_or_else(|| {
        let text = format!("the secret that held {} gives something else now", public_key.short());
        Fault::new(Service::Barbican, FaultKind::Conflict, text).hint("look who else writes there, then resume")
    })?;
    let name = name(&rotation);
    // A run before this one may have stored it without living to record it.
    let href = match find_kept(world, &name, public_key).await? {
        Some((href, _)) => href,
        None => keep_under(world, &name, &key).await?,
    };
    context.ledger.record(Record::ForeignKept { public_key, name, href }).await
}
