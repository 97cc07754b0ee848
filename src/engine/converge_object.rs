//! Brings the one field of the Swift object to a named key, from whatever state the object is in.
//!
//! Swift has no compare-and-swap (`If-Match` on PUT is ignored), so a writer in between can't be prevented; it is seen:
//! the version is asked again right before the upload, and the bytes are read back after it.

use crate::domain::document;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::engine::observe::{ObjectSight, bad_document};
use crate::engine::ports::{StoredObject, World};
use std::time::Duration;

/// Whether a version was written behind the one that was read. Where versions are not kept any more, what is listed below our
/// upload is one of long ago.
fn is_later(version: &StoredObject, read: &StoredObject) -> bool {
    let written = |object: &StoredObject| object.written.parse::<f64>();
    match (written(version), written(read)) {
        (Ok(version), Ok(read)) => version > read,
        // Without the times it is asked rather than lost.
        _ => true,
    }
}

/// Who alone can put back an object that is not there.
pub const WRITE_AGAIN: &str = "have the platform write the object again (adding or removing a user of the tenant does)";

/// What a resume does about an object that is not there.
pub const PUTS_BACK: &str = "resume: where the object's content of before is still kept beside it and names the interface's peers and nobody \
    else, it is put back; else resume says who must write it";

/// What step 5 says where no copy could be made.
pub const NOT_KEPT: &str = "its content of before could NOT be kept";

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
    /// The name under which the content of before is kept beside the object, where that was asked for and an upload needed; or why
    /// it could not be kept.
    pub kept: Option<Result<String, Fault>>,
}

/// Whether the object names the key now. Changes nothing.
pub async fn holds(world: &World, public_key: PublicKey) -> Result<Result<(), String>, Fault> {
    Ok(names(&super::observe::look_at_object(world).await?, public_key))
}

/// Whether an object that was seen names the key.
pub fn names(sight: &ObjectSight, public_key: PublicKey) -> Result<(), String> {
    match sight.public_key {
        Some(key) if key == public_key => Ok(()),
        Some(key) => Err(format!("the object says {}", key.short())),
        None => Err("the object does not name a key".into()),
    }
}

/// Converges. Calling again after a fault goes on from whatever was left; the fault says which key clients get now.
pub async fn converge(world: &World, public_key: PublicKey) -> Result<Converged, Fault> {
    converge_shown(world, public_key, &|_| {}, None).await
}

/// The same; `show` is given the difference before each upload, and what is replaced is kept beside it under the suffix `keep`.
pub async fn converge_shown(
    world: &World,
    public_key: PublicKey,
    show: &(dyn Fn(String) + Send + Sync),
    keep: Option<&str>,
) -> Result<Converged, Fault> {
    let mut told = Told::default();
    rounds(world, public_key, show, keep, &mut told).await.map_err(|fault| told.explain(fault, public_key))
}

/// What is said of a converging that ends badly.
#[derive(Default)]
struct Told {
    /// What was met first, where it was gone on after that.
    met: Option<Fault>,
    /// An upload was accepted, or may have been, and nothing was read since.
    uploaded: bool,
}

impl Told {
    /// A request that only looks has failed. Behind an upload of unknown outcome it is looked again, where that may help.
    fn look<T>(&self, answer: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(fault) if self.met.is_some() && fault.is_passing() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn explain(&self, fault: Fault, public_key: PublicKey) -> Fault {
        let which = match (self.uploaded, &fault.kind) {
            (false, FaultKind::NotFound) => "nobody can download their configuration",
            (false, _) => "clients still get another",
            (true, _) => "whether clients get it is not known before the object is read",
        };
        let first = self.met.as_ref().filter(|first| first.to_string() != fault.to_string());
        let first = first.map(|first| format!("; met first: {first}")).unwrap_or_default();
        let hint = format!("the server will have {}, {which}; {}{first}", public_key.short(), fault.remedy());
        fault.hint(hint)
    }
}

async fn rounds(
    world: &World,
    public_key: PublicKey,
    show: &(dyn Fn(String) + Send + Sync),
    keep: Option<&str>,
    told: &mut Told,
) -> Result<Converged, Fault> {
    let (mut merged, mut put_back) = (0, 0);
    let mut kept: Option<Result<String, Fault>> = None;
    // Somebody else's version that ours has replaced.
    let mut theirs: Option<StoredObject> = None;
    // The version from which our upload was made that Swift has accepted.
    let mut accepted: Option<StoredObject> = None;
    for round in 0..ROUNDS {
        if round > 0 {
            world.clock.sleep(Duration::from_millis(100 << round)).await;
        }
        let is_put_back = theirs.is_some();
        let before = match theirs.take() {
            Some(theirs) => theirs,
            None => match told.look(world.object.get().await)? {
                Some(read) => read,
                None => continue,
            },
        };
        let document = document::read(&before.bytes, &world.settings.fields).map_err(|bad| bad_document(&bad))?;
        if document.public_key == Some(public_key) && !is_put_back {
            let (from, etag) = (document.public_key, before.etag);
            return Ok(Converged { from, etag, changed: round > 0, merged, put_back, kept });
        }
        told.uploaded = is_put_back;
        if accepted.as_ref().is_some_and(|accepted| is_same_version(accepted, &before)) {
            // Still the version before our upload: what is served is old, and nobody has changed anything.
            continue;
        }
        let bytes = document.with_key(&before.bytes, &public_key);
        let after = StoredObject { bytes, etag: String::new(), ..before.clone() };
        show(document::difference(&before.bytes, &after.bytes).join("; "));
        // Before the version is asked: nothing of ours lies between that and the upload. Where it can't be kept it is told, for
        // the half-done state would be worse.
        if let Some(suffix) = keep.filter(|_| !is_put_back) {
            let copied = world.object.keep(&before, suffix).await;
            match copied {
                Err(fault) if fault.service == Service::Journal => return Err(fault),
                copied => kept = Some(copied),
            }
        }
        match told.look(world.object.etag().await)? {
            Some(etag) if etag == before.etag => {}
            Some(_) => {
                merged += 1;
                continue;
            }
            None => {
                theirs = is_put_back.then_some(before);
                continue;
            }
        }
        match world.object.put(&after).await {
            Ok(()) => told.uploaded = true,
            Err(fault) if fault.is_outcome_unknown() => {
                // It may still land; the next round reads what is there.
                told.uploaded = true;
                told.met.get_or_insert(fault);
                theirs = is_put_back.then_some(before);
                continue;
            }
            Err(fault) => return Err(fault),
        }
        let (back, replaced) =
            futures_util::join!(read_back(world, &before, &after), world.object.replaced(&before.etag));
        match back? {
            ReadBack::Ours(etag) => match replaced {
                // Whoever wrote between our look and our upload: what they wrote goes on top of ours, with the key.
                Ok(Some(lost)) if lost.bytes != after.bytes && is_later(&lost, &before) => {
                    theirs = Some(StoredObject { etag, ..lost });
                    merged += 1;
                    put_back += 1;
                }
                // Where no versions are kept, or they can't be read now, nobody can tell.
                _ => return Ok(Converged { from: document.public_key, etag, changed: true, merged, put_back, kept }),
            },
            ReadBack::Stale => {
                told.uploaded = false;
                accepted = Some(before);
            }
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
    Err(told.met.clone().unwrap_or_else(|| {
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

/// The same bytes, written at the same moment: whoever writes an old copy again has changed something.
fn is_same_version(one: &StoredObject, other: &StoredObject) -> bool {
    (&one.etag, &one.written) == (&other.etag, &other.written)
}

async fn read_back(world: &World, before: &StoredObject, after: &StoredObject) -> Result<ReadBack, Fault> {
    for read in 0..STALE_READS {
        let now = world.object.get().await?;
        if now.bytes == after.bytes {
            return Ok(ReadBack::Ours(now.etag));
        }
        if !is_same_version(&now, before) {
            return Ok(ReadBack::Theirs);
        }
        world.clock.sleep(Duration::from_millis(50 << read)).await;
    }
    Ok(ReadBack::Stale)
}
