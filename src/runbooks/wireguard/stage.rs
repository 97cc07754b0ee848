//! Step 3: a key pair, made in memory and kept in Barbican under a name of its own before anything is deleted; and the
//! previous key kept there likewise. Both are proved by reading them back. Nothing rests on the bastion.

use super::kept::{destroy_but, find_kept, kept_keys, kept_name, reads_back, store_kept};
use super::object;
use super::secret::secret_left;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::{KeyRole, PublicKey, holds_instead};
use crate::domain::secret_shape::SecretShape;
use crate::domain::step::StepNumber;
use crate::engine::converge_secret::{self, Wanted};
use crate::engine::observe;
use crate::engine::ports::{SecretRef, Touch};
use crate::engine::record::Record;
use crate::engine::rotation::{KeptKey, Rotation};
use crate::engine::secret::PrivateKey;
use crate::engine::step::{Probe, Step, StepContext, Trouble};
use crate::engine::truth::Live;
use async_trait::async_trait;
use std::time::Duration;

/// Step 3.
pub struct Stage;

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
        "the kept keys are deleted from Barbican, the object's copy from Swift"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let rotation = context.rotation();
        let role = rotation.target_role();
        let Some(key) = rotation.keys.get(&role) else { return Probe::NotDone("no key was staged".into()) };
        match find_kept(context.world, &key.name, key.public_key).await {
            Err(fault) => Probe::Unclear(fault),
            Ok(None) => Probe::NotDone(format!("the {} key is not in Barbican; another is made", role.word())),
            Ok(Some(_)) if key.href.is_none() || (role == KeyRole::Staged && !rotation.is_previous_settled()) => {
                Probe::NotDone(format!("the {} key is there, the rest is not recorded", role.word()))
            }
            Ok(Some(_)) if !object::is_copied(context).await => {
                Probe::NotDone("the keys are there, the object's content is not kept".into())
            }
            Ok(Some(_)) => {
                Probe::Done(format!("the {} key {} is kept in Barbican", role.word(), key.public_key.short()))
            }
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let role = context.rotation().target_role();
        if role == KeyRole::Previous {
            return find_previous(context).await;
        }
        if role != KeyRole::Staged {
            let public_key = keep_new(context, role).await?;
            return Ok(format!("fresh key {} for the way back, read back", public_key.short()));
        }
        // Side by side: none needs another, and each is a chain of round trips.
        let (previous, staged, copy) =
            futures_util::join!(keep_previous(context), keep_new(context, role), object::keep_copy(context));
        previous?;
        let (staged, copy) = (staged?.short(), copy.map_err(unchanged)?);
        let rotation = context.rotation();
        Ok(match rotation.keys.get(&KeyRole::Previous) {
            Some(previous) => {
                let proof = match rotation.proven_key() {
                    Some(proven) if proven == previous.public_key && rotation.was_served() => {
                        "the key that object and interface had at the check"
                    }
                    Some(_) if !rotation.was_served() => "the server had it, and the object gave clients another",
                    _ => "which could not be compared with object and interface",
                };
                format!(
                    "staged {staged}, previous {} kept ({proof}); both read back{copy}",
                    previous.public_key.short()
                )
            }
            None => format!("staged {staged}, read back; there is no previous key{copy}"),
        })
    }

    async fn undo(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        put_back(context).await?;
        let last = last_copy(context).await?;
        let destroyed = destroy_but(context, last.as_ref().map(|_| KeyRole::Previous)).await?;
        let copy = object::discard_if_there(context).await?;
        let stays = match last {
            Some(kept) => {
                let key = kept.public_key.short();
                let text = format!(
                    "{key} stays in Barbican as {}: no secret of the tenant's name holds it any more; resume puts it back",
                    kept.name
                );
                context.ledger.record(Record::Noted { text: text.clone() }).await?;
                format!("; {text}")
            }
            None => String::new(),
        };
        Ok(format!("{destroyed} kept keys destroyed{copy}{stays}"))
    }
}

/// The kept previous key, where somebody has taken it from the tenant's secret meanwhile: nobody destroys the last of it.
async fn last_copy(context: &StepContext<'_>) -> Result<Option<KeptKey>, Fault> {
    let rotation = context.rotation();
    let kept = rotation.keys.get(&KeyRole::Previous).filter(|kept| kept.destroyed.is_none() && kept.href.is_some());
    let Some(kept) = kept else { return Ok(None) };
    let sight = observe::look_at_secret(context.world, None).await?;
    let is_there = sight.keys.contains(&Some(kept.public_key));
    Ok(Some(kept.clone()).filter(|_| !is_there))
}

/// A request of step 4 whose answer was lost may have been carried out after it was seen to have changed nothing: the secret
/// is gone then, or has a second one beside it. What is kept is not destroyed before that was put right. What somebody else
/// has put there is theirs.
async fn put_back(context: &StepContext<'_>) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let previous = rotation.keys.get(&KeyRole::Previous).filter(|kept| kept.destroyed.is_none());
    let Some(kept) = previous.filter(|_| rotation.touched_as.is_some()) else { return Ok(()) };
    let (live, ours) = (Some(kept.public_key), rotation.target());
    let sight = observe::look_at_secret(world, None).await?;
    if sight.keys == [live] || !sight.keys.iter().all(|key| *key == live || key.is_some() && *key == ours) {
        return Ok(());
    }
    let Some((_, payload)) = find_kept(world, &kept.name, kept.public_key).await? else {
        let text =
            "the tenant's secret is not as it was, and the previous key is not in Barbican under its own name either";
        return Err(Fault::new(Service::Barbican, FaultKind::Conflict, text)
            .hint("nothing that is kept was destroyed; restore the secret, then cancel again"));
    };
    let shape = rotation.shape.clone().unwrap_or_default();
    let (name, public_key) = (&world.settings.secret_name, kept.public_key);
    let touch = &PuttingBack { context, missing: sight.count == 0 };
    converge_secret::converge(world, &Wanted { name, public_key, payload: &payload, shape: &shape, touch, seen: None })
        .await?;
    secret_left(context, StepNumber::STAGE, Live::There, None).await?;
    let text = "a request of step 4 was carried out late; the secret was put back as it was, with the previous key";
    context.ledger.record(Record::Noted { text: text.into() }).await
}

/// The gate has no say in putting back what a late request has taken; what is left is journaled.
struct PuttingBack<'a> {
    context: &'a StepContext<'a>,
    missing: bool,
}

#[async_trait]
impl Touch for PuttingBack<'_> {
    async fn touch(&self) -> Result<(), Fault> {
        Ok(())
    }

    async fn not_touched(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn announced(&self) -> Option<PublicKey> {
        None
    }

    fn known(&self) -> Live {
        if self.missing { Live::Missing } else { self.context.rotation().live.known() }
    }

    async fn left(&self, left: Live, gap: Option<Duration>) -> Result<(), Fault> {
        secret_left(self.context, StepNumber::STAGE, left, gap).await
    }
}

/// The previous key is not made anew: it is there, or only a fresh one leads on.
async fn find_previous(context: &StepContext<'_>) -> Result<String, Fault> {
    let (rotation, role) = (context.rotation(), KeyRole::Previous);
    let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no previous key was kept");
    let kept = rotation.keys.get(&role).ok_or_else(none)?;
    let (name, public_key) = (kept.name.clone(), kept.public_key);
    let found = kept_keys(context.world, &name).await?;
    match found.iter().find(|(_, key)| *key == public_key) {
        Some((href, _)) => {
            let href = href.clone();
            context.ledger.record(Record::KeyKept { role, public_key, name, href }).await?;
            Ok(format!("the previous key {} is kept in Barbican", public_key.short()))
        }
        None => {
            let instead: Vec<PublicKey> = found.into_iter().map(|(_, key)| key).collect();
            let text = format!(
                "the previous key is not in Barbican any more{}, and no record says that it was removed by us",
                holds_instead(&instead)
            );
            context.ledger.record(Record::KeyGone { role, name, instead }).await?;
            Err(Fault::new(Service::Barbican, FaultKind::Refused, text)
                .hint("nothing was changed; roll back once more: a fresh key is made, and every client must re-import"))
        }
    }
}

/// Keeps the live secret's key under a name of its own, and its attributes in the journal.
async fn keep_previous(context: &StepContext<'_>) -> Result<(), Fault> {
    let (world, rotation) = (context.world, context.rotation());
    // Once the live secret may be ours, what stands there is the previous key no more.
    if rotation.touched || rotation.is_previous_settled() {
        return Ok(());
    }
    let entries = world.secrets.find(&world.settings.secret_name).await.map_err(unchanged)?;
    let alone = match &entries[..] {
        [entry] => Some(entry.href.clone()),
        _ => None,
    };
    let keys = async {
        let mut found = Vec::new();
        for entry in entries {
            let key = match entry.has_payload {
                true => PrivateKey::from_payload(&world.secrets.payload(&entry.href).await?),
                false => None,
            };
            found.push((entry.href, key));
        }
        Ok(found)
    };
    // Which of several is kept is known by their keys only.
    let shape = async {
        match &alone {
            Some(href) => world.secrets.shape(href).await.map(Some),
            None => Ok(None),
        }
    };
    let (mut found, shape) = futures_util::try_join!(keys, shape).map_err(unchanged)?;
    // Where several have the name, the one that object and interface had at the check is the one to keep.
    let proven = rotation.proven_key();
    let is_live = |(_, key): &(SecretRef, Option<PrivateKey>)| key.as_ref().map(PrivateKey::public) == proven;
    let at = found.iter().position(|pair| pair.1.is_some() && is_live(pair));
    let at = at.or_else(|| found.iter().position(|pair| pair.1.is_some()));
    let held = at.and_then(|at| found[at].1.as_ref()).map(PrivateKey::public);
    if let (Some(at), Some(other)) = (at, held.filter(|held| rotation.is_replaced_knowingly(*held))) {
        // Step 4 keeps it under a name of its own. It is not what clients have, so nobody is led back to it.
        let (href, _) = found.swap_remove(at);
        let shape = world.secrets.shape(&href).await.map_err(unchanged)?;
        context.ledger.record(Record::ShapeSeen { shape }).await?;
        let why =
            format!("the secret held {} at the check already, which is not the key that clients have", other.short());
        return context.ledger.record(Record::PreviousMissing { why }).await;
    }
    if let Some(other) = held.filter(|key| proven.is_some_and(|proven| proven != *key)) {
        context.ledger.record(Record::ForeignSeen { public_key: other }).await?;
        return Err(swapped(&rotation, other));
    }
    let shape = match (shape, found.get(at.unwrap_or(0))) {
        (Some(shape), _) => shape,
        (None, Some((href, _))) => world.secrets.shape(href).await.map_err(unchanged)?,
        (None, None) => SecretShape::default(),
    };
    context.ledger.record(Record::ShapeSeen { shape }).await?;
    let Some(key) = at.and_then(|at| found.swap_remove(at).1) else {
        // A moment ago there was one. What can't be read now (a login page in place of the payload, somebody else at work)
        // must not be taken for a key that never was: step 4 would delete it.
        if rotation.preflight.as_ref().is_some_and(|run| run.keys.secret.is_some()) {
            let text = "the secret held a key when it was checked, and what it gives now is none";
            let fault = Fault::new(Service::Barbican, FaultKind::Conflict, text);
            return Err(unchanged(fault.hint("look what answers in Barbican's place, check again, then resume")));
        }
        let why = if found.is_empty() { "no secret has the name" } else { "the secret does not hold a key" };
        return context.ledger.record(Record::PreviousMissing { why: why.into() }).await;
    };
    let (role, public_key) = (KeyRole::Previous, key.public());
    // A run before this one may have stored it without living to record it.
    let known = rotation.keys.get(&role).is_some_and(|kept| kept.public_key == public_key);
    keep(context, role, &key, known).await
}

/// Somebody has stored another key since the check: it is not the one that clients and the server have, so it is not the one to
/// go back to. Nothing of it is kept as that, and nothing goes on over it.
fn swapped(rotation: &Rotation, found: PublicKey) -> Fault {
    let keys = rotation.preflight.as_ref().map(|run| run.keys.clone()).unwrap_or_default();
    let show = |key: Option<PublicKey>| key.map_or_else(|| "none".to_owned(), |key| key.short());
    let text = format!(
        "the secret holds {} now; at the check it held {}, the object said {} and the interface showed {}",
        found.short(),
        show(keys.secret),
        show(keys.object),
        show(keys.interface)
    );
    unchanged(Fault::new(Service::Barbican, FaultKind::Conflict, text).hint(
        "somebody else has stored a key there that was not kept as the previous one: find out who, and which is right; check \
         again, then resume, or cancel",
    ))
}

/// Keeps a new key: the one that a run before this one has stored, or one made now.
async fn keep_new(context: &StepContext<'_>, role: KeyRole) -> Result<PublicKey, Fault> {
    let (world, rotation) = (context.world, context.rotation());
    if let Some(known) = rotation.keys.get(&role)
        && let Some((href, _)) = find_kept(world, &known.name, known.public_key).await.map_err(unchanged)?
    {
        let (public_key, name) = (known.public_key, known.name.clone());
        if known.href.is_none() {
            context.ledger.record(Record::KeyKept { role, public_key, name, href }).await?;
        }
        return Ok(public_key);
    }
    let taken: Vec<PublicKey> = rotation
        .clients
        .iter()
        .flat_map(|client| client.keys())
        .chain(rotation.keys.values().map(|key| key.public_key))
        .collect();
    let key = loop {
        let key = PrivateKey::generate(|place| world.entropy.fill(place))?;
        // The kernel removes a peer whose key equals the interface's.
        if !taken.contains(&key.public()) {
            break key;
        }
    };
    keep(context, role, &key, false).await?;
    Ok(key.public())
}

/// Stores a key under its own name, reads it back, and journals both ends. With `known` it may be there already.
async fn keep(context: &StepContext<'_>, role: KeyRole, key: &PrivateKey, known: bool) -> Result<(), Fault> {
    let (world, public_key) = (context.world, key.public());
    let name = kept_name(role, &context.rotation());
    let there = match known {
        true => find_kept(world, &name, public_key).await.map_err(unchanged)?.map(|(href, _)| href),
        false => None,
    };
    let href = match there {
        Some(href) => href,
        None => {
            context.ledger.record(Record::KeyKeeping { role, public_key, name: name.clone() }).await?;
            store_kept(world, &name, key).await.map_err(unchanged)?
        }
    };
    reads_back(world, &href, public_key).await.map_err(unchanged)?;
    context.ledger.record(Record::KeyKept { role, public_key, name, href }).await
}

/// A fault of this step: the live secret is as it was.
fn unchanged(fault: Fault) -> Fault {
    let advice = if fault.is_outcome_unknown() { "when it answers again, resume" } else { fault.remedy() };
    let hint = format!("this step does not touch the live secret; {advice}");
    fault.hint(hint)
}
