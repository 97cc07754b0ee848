//! Looks at everything that a case has outside, where the end of its journal is lost: the live secret, the kept keys, the object,
//! the interface and the people. Changes nothing; what follows from it is `engine::recovery`'s.

use super::foreign::unknown_foreign;
use super::kept::{kept_keys, kept_name};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::{KeyRole, PublicKey};
use crate::engine::observe::{self, Before, Sight, Sights};
use crate::engine::ports::World;
use crate::engine::record::{Cause, Entry, RECORD_VERSION, Record};
use crate::engine::recovery::{self, Found, FoundKey, Looked};
use crate::engine::rotation::Rotation;
use crate::engine::sources::Source;
use crate::engine::witness::{Lost, Sign};
use jiff::{SignedDuration, Timestamp};

/// By so much the clocks of Barbican and of this host may differ (step 2 fails beyond it).
const SKEW: SignedDuration = SignedDuration::from_secs(120);

/// What is to be recorded.
pub struct Recovery {
    /// The plan of a case that the journal does not know.
    pub begun: Option<Record>,
    /// Who is cut off by it.
    pub people: Option<Record>,
    /// What was found.
    pub found: Found,
    /// Keys of somebody else that were kept in the lost part.
    pub foreign: Vec<Record>,
    /// It has ended.
    pub is_over: bool,
}

/// Looks. Errs where any place can't be looked at: then nothing is known.
pub async fn recover(world: &World, newest: Option<&Rotation>, lost: &Lost) -> Result<Recovery, Fault> {
    let mut sights = Sights::default();
    if let Some(console) = &world.console {
        console.forget().await;
    }
    observe::look(world, &mut sights, &Before::default()).await;
    let faults = [&sights.secret.fault, &sights.object.fault, &sights.server.fault, &sights.console.fault];
    if let Some((_, fault)) = faults.into_iter().flatten().next() {
        return Err(fault.clone().hint("nothing was recorded; recover again when everything can be looked at"));
    }
    let people = sights.people()?;
    let open = newest.filter(|rotation| rotation.outcome.is_none());
    if let Some(next) = unknown_case(world, newest, lost).await? {
        if let Some(rotation) = open {
            // Another was planned behind it, so it had ended.
            let looked = look(world, rotation, &sights).await?;
            let (mut found, _) = recovery::judge(rotation, lost, looked);
            found.next = Some(next.id.clone());
            let foreign = unknown_foreign(world, rotation).await?;
            return Ok(Recovery { begun: None, people: None, found, foreign, is_over: true });
        }
        let looked = look(world, &next, &sights).await?;
        let (found, is_over) = recovery::judge(&next, lost, looked);
        let foreign = unknown_foreign(world, &next).await?;
        let (clients, unseen) = (people.clients, Vec::new());
        let reference = "found begun when the journal was recovered".to_owned();
        let (rotation, tenant, window, cause) = (next.id, next.tenant, next.window, next.cause);
        let begun = Some(Record::Planned { rotation, tenant, window, cause, reference, left: None });
        let people = Some(Record::PeopleSeen { clients, unseen });
        return Ok(Recovery { begun, people, found, foreign, is_over });
    }
    let Some(rotation) = open else {
        let evidence = "no rotation is open; nothing is left to be done".to_owned();
        let nothing = || Fault::new(Service::Journal, FaultKind::Refused, "there is no rotation to go on with");
        newest.ok_or_else(nothing)?;
        let found = Found { evidence, ..Found::default() };
        return Ok(Recovery { begun: None, people: None, found, foreign: Vec::new(), is_over: false });
    };
    let looked = look(world, rotation, &sights).await?;
    let (found, is_over) = recovery::judge(rotation, lost, looked);
    let (clients, unseen) = (rotation.with_told(people.clients, true), Vec::new());
    let people = (rotation.clients != clients).then_some(Record::PeopleSeen { clients, unseen });
    let foreign = unknown_foreign(world, rotation).await?;
    Ok(Recovery { begun: None, people, found, foreign, is_over })
}

/// The case that was seen and of which the journal knows nothing at all, as far as it is known.
async fn unknown_case(world: &World, newest: Option<&Rotation>, lost: &Lost) -> Result<Option<Rotation>, Fault> {
    let Some(seen) = lost.seen() else { return Ok(None) };
    if newest.is_some_and(|rotation| rotation.id == seen.case.rotation) {
        return Ok(None);
    }
    let known = world.store.heads(Some(&world.tenant.id)).await?;
    if known.iter().any(|head| head.rotation == seen.case.rotation) {
        return Ok(None);
    }
    let Some(window) = seen.case.window.clone() else { return Ok(None) };
    let (rotation, tenant) = (seen.case.rotation.clone(), world.tenant.clone());
    let (cause, reference) = (Cause::Scheduled, String::new());
    let record = Record::Planned { rotation, tenant, window, cause, reference, left: None };
    let plan = Entry {
        seq: 1,
        version: RECORD_VERSION,
        at: seen.at,
        by: String::new(),
        host: seen.host.clone(),
        person: None,
        ssh: None,
        session: None,
        unproven: false,
        environment: None,
        record,
    };
    Ok(Rotation::begin(&plan))
}

/// What stands outside of a case that was not touched, by its journal, and of which that knows nothing.
/// `before`: what the last look has read, which is not read again.
pub async fn signs_of_loss(world: &World, rotation: &Rotation, before: &Before) -> Result<Option<Sign>, Fault> {
    if rotation.outcome.is_some() || rotation.touched || rotation.touched_as.is_some() {
        return Ok(None);
    }
    let name = kept_name(KeyRole::Staged, rotation);
    let kept = async {
        // What was found when it was recovered is on record, also that what has the name holds no key.
        match rotation.recovered.is_none() && !rotation.keys.contains_key(&KeyRole::Staged) {
            true => Ok(!world.secrets.find(&name).await?.is_empty()),
            false => Ok(false),
        }
    };
    let (kept, live) = futures_util::try_join!(kept, world.secrets.find(&world.settings.secret_name))?;
    if kept {
        return Ok(Some(Sign::KeptKey { name }));
    }
    match younger(rotation, live.iter().map(|entry| entry.created).max()) {
        Some(_) if is_of_others(world, rotation, before).await => Ok(None),
        sign => Ok(sign),
    }
}

/// Whether every secret of the name that is younger than the plan is somebody else's work. A rotation in a lost part has either
/// ended, and the server has taken its key; or it has not, and its key is known or kept under a name of its own. What can't be
/// read is no proof.
async fn is_of_others(world: &World, rotation: &Rotation, before: &Before) -> bool {
    let unknown = |role: &KeyRole| !rotation.keys.contains_key(role);
    let kept = [KeyRole::Staged, KeyRole::Fresh].into_iter().filter(unknown);
    let kept = kept.map(async |role| kept_keys(world, &kept_name(role, rotation)).await);
    let (secret, object, server, kept) = futures_util::join!(
        observe::look_at(world, Source::Barbican, before),
        observe::look_at(world, Source::Swift, before),
        world.server.read(),
        futures_util::future::try_join_all(kept)
    );
    let Some(Sight::Secret(Ok(secret))) = secret else { return false };
    let is_younger = |created: Timestamp| younger(rotation, Some(created)).is_some();
    // The one of before is there still: no rotation of ours has ended, whatever the server has taken.
    if secret.count > 1 && secret.stored().any(|(created, _)| created.is_some_and(|created| !is_younger(created))) {
        return true;
    }
    let (Ok(server), Ok(kept)) = (server, kept) else { return false };
    // The key of before is nobody's work but of whoever stores it again.
    let known = rotation.keys.iter().filter(|(role, _)| **role != KeyRole::Previous).map(|(_, key)| key.public_key);
    let ours: Vec<PublicKey> = known.chain(kept.into_iter().flatten().map(|(_, key)| key)).collect();
    // A rotation that has ended, so that none of its keys is kept, has put its key on the server and into the object.
    let told = match object {
        Some(Sight::Object(Ok(object))) => object.public_key,
        _ => Some(server.public_key),
    };
    let checked = rotation.preflight.as_ref().and_then(|run| run.keys.secret);
    let left = rotation.left_before.map(|left| left.key);
    secret.stored().filter(|(created, _)| created.is_none_or(is_younger)).all(|(_, key)| {
        // One without a key was stored by no rotation; one with the key of before has changed nothing.
        let is_ended =
            |key: &PublicKey| *key == server.public_key && told == Some(*key) && ![checked, left].contains(&Some(*key));
        key.is_none_or(|key| !is_ended(&key) && !ours.contains(&key))
    })
}

async fn look(world: &World, rotation: &Rotation, sights: &Sights) -> Result<Looked, Fault> {
    let mut kept = Vec::new();
    for role in [KeyRole::Staged, KeyRole::Previous, KeyRole::Fresh] {
        kept.extend(kept_key(world, rotation, role).await?);
    }
    let secret = sights.secret.value();
    let shape = match secret.map(|secret| &secret.hrefs[..]) {
        Some([href]) => Some(world.secrets.shape(href).await?),
        _ => None,
    };
    Ok(Looked {
        count: secret.map_or(0, |secret| secret.count),
        live: secret.and_then(|secret| secret.only_key()),
        is_younger: younger(rotation, secret.and_then(|secret| secret.created)).is_some(),
        kept,
        shape,
    })
}

/// The key that is kept under the name of its role: the one that the journal knows, where several have the name.
async fn kept_key(world: &World, rotation: &Rotation, role: KeyRole) -> Result<Option<FoundKey>, Fault> {
    let (name, known) = (kept_name(role, rotation), rotation.keys.get(&role).map(|key| key.public_key));
    let mut found = kept_keys(world, &name).await?;
    let at = found.iter().position(|(_, key)| Some(*key) == known).unwrap_or_default();
    let kept = (at < found.len()).then(|| found.swap_remove(at));
    Ok(kept.map(|(href, public_key)| FoundKey { role, public_key, name, href: Some(href) }))
}

/// When the live secret was stored, where that is after the rotation was planned and the journal knows of no change.
fn younger(rotation: &Rotation, created: Option<Timestamp>) -> Option<Sign> {
    let created = created?;
    let known = rotation.recovered.map_or(rotation.planned_at, |at| at.max(rotation.planned_at));
    let untouched = !rotation.touched && rotation.touched_as.is_none();
    // That somebody else has stored it is on record.
    let is_explained = rotation.foreign_seen.is_some_and(|(_, seen)| created.duration_since(seen) <= SKEW);
    (untouched && !is_explained && created > known).then_some(Sign::Younger { created })
}
