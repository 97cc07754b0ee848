//! Brings the one field of the Swift object to a named key, from whatever state the object is in.
//!
//! Swift has no compare-and-swap (`If-Match` on PUT is ignored), so a writer in between can't be prevented; it is seen:
//! the version is asked again right before the upload, and the bytes are read back after it.

use crate::domain::document;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::engine::observe::bad_document;
use crate::engine::ports::{StoredObject, World};
use std::time::Duration;

/// How often a change by somebody else is merged before the operator is asked.
const ROUNDS: u32 = 5;
/// How often a read after a write is repeated while Swift still shows the version before (eventual consistency).
const STALE_READS: u32 = 6;

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Converged {
    /// The key that stood there before; `None` if that was not a key.
    pub from: Option<PublicKey>,
    /// The version that now holds.
    pub etag: String,
    /// Whether an upload was needed.
    pub changed: bool,
    /// How often somebody else's change was met and merged.
    pub merged: u32,
    /// How often one of those had been replaced by our upload and was put back with the key, both versions being kept by Swift.
    pub put_back: u32,
}

/// Whether the object names the key now. Changes nothing.
pub async fn holds(world: &World, public_key: PublicKey) -> Result<Result<(), String>, Fault> {
    let sight = super::observe::look_at_object(world).await?;
    Ok(match sight.public_key {
        Some(key) if key == public_key => Ok(()),
        Some(key) => Err(format!("the object says {}", key.short())),
        None => Err("the object does not name a key".into()),
    })
}

/// Converges. Calling again after a fault goes on from whatever was left.
pub async fn converge(world: &World, public_key: PublicKey) -> Result<Converged, Fault> {
    let (mut merged, mut put_back) = (0, 0);
    // Somebody else's version that ours has replaced.
    let mut theirs: Option<StoredObject> = None;
    let mut last = None;
    // The version from which our upload was made that Swift has accepted.
    let mut accepted: Option<String> = None;
    for round in 0..ROUNDS {
        if round > 0 {
            world.clock.sleep(Duration::from_millis(100 << round)).await;
        }
        let is_put_back = theirs.is_some();
        let before = match theirs.take() {
            Some(theirs) => theirs,
            None => world.object.get().await?,
        };
        let document = document::read(&before.bytes, &world.settings.fields).map_err(|bad| bad_document(&bad))?;
        if document.public_key == Some(public_key) && !is_put_back {
            let (from, etag) = (document.public_key, before.etag);
            return Ok(Converged { from, etag, changed: round > 0, merged, put_back });
        }
        if accepted.as_ref() == Some(&before.etag) {
            // Still the version before our upload: what is served is old, and nobody has changed anything.
            continue;
        }
        let bytes = document.with_key(&before.bytes, &public_key);
        let after = StoredObject { bytes, etag: String::new(), ..before.clone() };
        if world.object.etag().await? != before.etag {
            merged += 1;
            continue;
        }
        match world.object.put(&after).await {
            Ok(()) => {}
            Err(fault) if fault.is_outcome_unknown() => {
                // It may still land; the next round reads what is there.
                last = Some(fault);
                continue;
            }
            Err(fault) => return Err(fault),
        }
        let (back, replaced) =
            futures_util::join!(read_back(world, &before, &after), world.object.replaced(&before.etag));
        match back? {
            ReadBack::Ours(etag) => match replaced {
                // Whoever wrote between our look and our upload: what they wrote goes on top of ours, with the key.
                Ok(Some(lost)) if lost.bytes != after.bytes => {
                    theirs = Some(StoredObject { etag, ..lost });
                    merged += 1;
                    put_back += 1;
                }
                // Where no versions are kept, or they can't be read now, nobody can tell.
                _ => return Ok(Converged { from: document.public_key, etag, changed: true, merged, put_back }),
            },
            ReadBack::Stale => accepted = Some(before.etag),
            ReadBack::Theirs => {
                accepted = None;
                merged += 1;
            }
        }
    }
    if theirs.is_some() {
        let text = "somebody else writes the object at the same moments, and our upload has replaced theirs";
        return Err(Fault::new(Service::Swift, FaultKind::Conflict, text)
            .hint("theirs is kept among the container's versions; freeze user changes of this tenant, then resume"));
    }
    if accepted.is_some() {
        let text = "the upload was accepted, and Swift still gives the version before it";
        return Err(Fault::new(Service::Swift, FaultKind::Conflict, text)
            .hint("nobody else has changed it; wait until Swift's copies agree, then resume: it reads first"));
    }
    Err(last.unwrap_or_else(|| {
        Fault::new(Service::Swift, FaultKind::Conflict, "the object was changed by somebody else each time")
            .hint("nothing of theirs was overwritten knowingly; freeze user changes of this tenant, then resume")
    }))
}

/// What is read after an upload.
enum ReadBack {
    /// Our bytes, under this ETag.
    Ours(String),
    /// The version before it, each time.
    Stale,
    /// Somebody else's.
    Theirs,
}

async fn read_back(world: &World, before: &StoredObject, after: &StoredObject) -> Result<ReadBack, Fault> {
    for read in 0..STALE_READS {
        let now = world.object.get().await?;
        if now.bytes == after.bytes {
            return Ok(ReadBack::Ours(now.etag));
        }
        if now.etag != before.etag {
            return Ok(ReadBack::Theirs);
        }
        world.clock.sleep(Duration::from_millis(50 << read)).await;
    }
    Ok(ReadBack::Stale)
}
