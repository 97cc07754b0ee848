//! After the end: what others have changed since is put back to the key that clients have, as long as a secret of the tenant's
//! name holds it. Nothing of theirs is lost: what is removed is kept under a name of its own.

use super::foreign::{keep_foreign, keep_payload};
use super::kept::{destroy_kept, find_kept};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::engine::converge_secret::{self, Wanted};
use crate::engine::ports::{SecretRef, Touch};
use crate::engine::record::{PUTTING_RIGHT, Record};
use crate::engine::step::StepContext;
use crate::engine::{converge_object, observe};
use async_trait::async_trait;

/// Puts it right; gives what was done.
pub async fn put_right(context: &StepContext<'_>) -> Result<String, Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let nothing = || Fault::new(Service::Journal, FaultKind::Refused, "no rotation has ended that left a key");
    let key = rotation.must_be_live().ok_or_else(nothing)?.key;
    let sight = observe::look_at_secret(world, None).await?;
    let at = sight.keys.iter().position(|held| *held == Some(key));
    let copy = match (at, rotation.copy_of(key)) {
        (None, Some(kept)) => find_kept(world, &kept.name, key).await?,
        _ => None,
    };
    if at.is_none() && copy.is_none() {
        let text = format!("no secret of the tenant's name holds {} any more, the key that clients have", key.short());
        return Err(Fault::new(Service::Barbican, FaultKind::Conflict, text)
            .hint("nothing was changed; plan a rotation: its key is a new one, and every client must re-import"));
    }
    let object = converge_object::holds(world, key).await?;
    if sight.count == 1 && at.is_some() && object.is_ok() {
        let shown = world.server.read().await?.public_key;
        return Ok(match shown == key {
            true => format!("secret, object and interface hold {}; nothing was to be put right", key.short()),
            false => format!(
                "secret and object hold {}, and the interface shows {}: it takes the key in its next cycle, or see the \
                 troubleshooting of step 6",
                key.short(),
                shown.short()
            ),
        });
    }
    let found = match (sight.count, &object) {
        _ if at.is_none() => format!("no secret of the tenant's name held {}; a copy was kept", key.short()),
        (count @ 2.., Err(object)) => format!("{count} secrets have the tenant's name, and {object}"),
        (count @ 2.., Ok(())) => format!("{count} secrets have the tenant's name"),
        (_, object) => object.clone().err().unwrap_or_default(),
    };
    let text = format!("{PUTTING_RIGHT}: {found}");
    context.ledger.record(Record::Noted { text }).await?;
    if sight.count > 1 || at.is_none() {
        let (payload, shape) = match (at, copy) {
            (Some(at), _) => {
                (world.secrets.payload(&sight.hrefs[at]).await?, world.secrets.shape(&sight.hrefs[at]).await?)
            }
            (None, copy) => {
                let (_, payload) = copy.ok_or_else(nothing)?;
                (payload, rotation.shape.clone().unwrap_or_default())
            }
        };
        let (name, touch) = (&world.settings.secret_name, &After { context });
        let wanted = Wanted { name, public_key: key, payload: &payload, shape: &shape, touch, seen: None };
        converge_secret::converge(world, &wanted).await?;
    }
    if object.is_err() {
        converge_object::converge(world, key).await?;
    }
    if at.is_none() && rotation.outcome.is_some() {
        destroy_kept(context).await?;
    }
    let now = context.rotation();
    let kept: Vec<&str> = now.foreign[rotation.foreign.len()..].iter().map(|kept| kept.name.as_str()).collect();
    let kept =
        if kept.is_empty() { String::new() } else { format!("; what stood there is kept as {}", kept.join(", ")) };
    let text = format!("secret and object hold {} again ({found}){kept}", key.short());
    context.ledger.record(Record::Noted { text: text.clone() }).await?;
    Ok(text)
}

/// No gate: what is put back is what was there.
struct After<'a> {
    context: &'a StepContext<'a>,
}

#[async_trait]
impl Touch for After<'_> {
    async fn touch(&self) -> Result<(), Fault> {
        Ok(())
    }

    async fn not_touched(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn announced(&self) -> Option<PublicKey> {
        None
    }

    async fn give_way(&self, href: &SecretRef, key: Option<PublicKey>) -> Result<(), Fault> {
        match key {
            Some(key) => keep_foreign(self.context, href, key).await,
            None => keep_payload(self.context, href).await,
        }
    }
}
