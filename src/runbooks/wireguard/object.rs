//! Step 5: `vpn_server_public_key` in the Swift object names the target key.

use crate::domain::document;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::key::PublicKey;
use crate::domain::step::StepNumber;
use crate::engine::converge_object;
use crate::engine::ports::StoredObject;
use crate::engine::record::{COPY_STAYS, ObjectChanged, Record};
use crate::engine::step::{Probe, Progress, Step, StepContext, Trouble};
use async_trait::async_trait;
use jiff::Timestamp;

/// Step 5.
pub struct Object;

#[async_trait]
impl Step for Object {
    fn number(&self) -> StepNumber {
        StepNumber::OBJECT
    }

    fn title(&self) -> &'static str {
        "Update the key in Swift"
    }

    fn troubles(&self) -> &'static [Trouble] {
        &[
            Trouble {
                symptom: "the step failed after step 4 was done",
                remedy: "the server will have the new key while clients still download the old one. Correct what the message names and resume, or roll back; do not leave it",
            },
            Trouble {
                symptom: "the object was changed by somebody else",
                remedy: "the platform rewrites it on user changes. Freeze user changes of this tenant until step 6 is done, then resume: it reads again and changes only the one field. Swift has no condition on an upload: a change that is written in the moment between the last look and the upload is seen and put back only where the container keeps versions",
            },
            Trouble {
                symptom: "the object is not valid JSON or has an unexpected shape",
                remedy: "nothing was uploaded. The platform's documented repair is to add or remove a user of the tenant, which rewrites the file",
            },
            Trouble {
                symptom: "the container or the object is missing",
                remedy: "Check that the credential is for the project that holds the containers, and that the tenant was provisioned. Step 3 keeps the object's content beside it: where that names every peer of the interface, resume puts it back; else the platform must write it again",
            },
        ]
    }

    fn undo_text(&self) -> &'static str {
        "roll back: the same field is set to the previous (or fresh) key"
    }

    async fn probe(&self, context: &StepContext<'_>) -> Probe {
        let Some(target) = context.rotation().target() else { return Probe::NotDone("no key is staged".into()) };
        match converge_object::holds(context.world, target).await {
            Ok(Ok(())) => Probe::Done(format!("the object says {}", target.short())),
            Ok(Err(found)) => Probe::NotDone(found),
            // What is gone can be put back.
            Err(fault) if fault.kind == FaultKind::NotFound => Probe::NotDone("the object is not there".into()),
            Err(fault) => Probe::Unclear(fault),
        }
    }

    async fn perform(&self, context: &StepContext<'_>) -> Result<String, Fault> {
        let none = || Fault::new(Service::Journal, FaultKind::Invalid, "no key is staged");
        let rotation = context.rotation();
        let target = rotation.target().ok_or_else(none)?;
        // What is uploaded is seen before it is.
        let step = self.number();
        let show = |text| context.ledger.progress(Progress { step, done: 0, total: 0, text });
        // On the way back what stands there is no content of before.
        let keep = rotation.rollback.is_none().then(|| rotation.object_copy());
        let converge = || converge_object::converge_shown(context.world, target, &show, keep.as_deref());
        let (result, restored) = match converge().await {
            Err(fault) if fault.kind == FaultKind::NotFound => {
                let restored = restore(context, target, fault).await?;
                (converge().await?, restored)
            }
            result => (result?, String::new()),
        };
        if result.changed {
            let (from, etag) = (result.from, result.etag.clone());
            let not_kept = result.kept.as_ref().and_then(|kept| kept.as_ref().err()).map(ToString::to_string);
            context.ledger.record(Record::ObjectChanged(ObjectChanged { from, to: target, etag, not_kept })).await?;
        }
        let foreign = match result.from.filter(|from| result.changed && !rotation.is_known(*from)) {
            Some(key) => {
                let text = format!(
                    "the object said {}, which is neither the key of before nor one of this rotation's: somebody else had \
                     written it since the check",
                    key.short()
                );
                context.ledger.record(Record::Noted { text: text.clone() }).await?;
                format!("; {text}")
            }
            None => String::new(),
        };
        let merged = match result.merged {
            0 => String::new(),
            n => format!(", {n} changes by somebody else met and kept"),
        };
        let put_back = match result.put_back {
            0 => String::new(),
            n => format!(
                ", {n} of them had come between our look and our upload: replaced, seen, and put back; Swift keeps both"
            ),
        };
        let kept = match result.kept {
            None => String::new(),
            Some(Ok(name)) => format!("; its content of before is kept beside it until the end, as {name}"),
            Some(Err(fault)) => format!("; {}: {fault}", converge_object::NOT_KEPT),
        };
        Ok(format!("the object says {}, read back{restored}{merged}{put_back}{foreign}{kept}", target.short()))
    }
}

/// The object is gone: its content of before, which is kept beside it, is put back with the key, where that names the peers of the
/// interface and nobody else: the server's loop removes whoever is not in it, and lets in whoever is. `gone`: what was met, which else stands. Gives what is to be said of it.
async fn restore(context: &StepContext<'_>, target: PublicKey, gone: Fault) -> Result<String, Fault> {
    let (world, rotation) = (context.world, context.rotation());
    let suffix = rotation.object_copy();
    let instead = |why: String| {
        let hint = format!(
            "the server will have {}, nobody can download their configuration; {}, then resume (without that, neither resume nor \
             a way back can write it)",
            target.short(),
            converge_object::WRITE_AGAIN
        );
        Fault { message: format!("{}; {why}", gone.message), ..gone.clone() }.hint(hint)
    };
    let Some(copy) = world.object.kept(&suffix).await? else {
        return Err(instead("no content of before is kept beside it".into()));
    };
    let unfit = |why: String| instead(format!("its content of before (kept as what ends in .{suffix}) {why}"));
    let document = document::read(&copy.bytes, &world.settings.fields)
        .map_err(|bad| unfit(format!("can't be put back: {bad}")))?;
    let reading = world.server.read().await.map_err(|fault| {
        let text = format!("{}; whether the copy has all of the interface's peers is not known: {fault}", gone.message);
        Fault { message: text, ..gone.clone() }.hint("when the server can be read, resume: it looks again")
    })?;
    let has = |key: PublicKey| document.users.iter().any(|user| user.public_key == Some(key));
    let whose = |key: PublicKey| {
        let client = rotation.clients.iter().find(|client| client.keys().any(|known| known == key));
        client.map_or_else(|| key.short(), |client| client.name.clone())
    };
    let lost = reading.peers.iter().map(|peer| peer.public_key).filter(|key| !has(*key));
    let lost: Vec<String> = lost.map(whose).collect();
    if !lost.is_empty() {
        return Err(unfit(format!(
            "is not put back: it does not name {}, whom the interface has, and the server would drop them",
            lost.join(", ")
        )));
    }
    let on_it = |key: &PublicKey| reading.peers.iter().any(|peer| peer.public_key == *key);
    let absent = document.users.iter().filter(|user| user.public_key.is_some_and(|key| !on_it(&key)));
    let more: Vec<&str> = absent.map(|user| user.name.as_deref().unwrap_or(&user.id)).collect();
    if !more.is_empty() {
        return Err(unfit(format!(
            "is not put back: it names {}, whom the interface does not have: whoever was removed since would be let in again",
            more.join(", ")
        )));
    }
    let (bytes, of) = (document.with_key(&copy.bytes, &target), written_at(&copy));
    let written = world.object.put_first(&StoredObject { bytes, etag: String::new(), ..copy }).await?;
    if !written {
        return Ok("; it was gone, and somebody else has written it again".into());
    }
    let text = format!(
        "the object was gone: its content of {of} (kept as what ends in .{suffix}) was put back with the key; what others \
         changed in it since then is not in it"
    );
    // Whoever looks on reads it now, and whoever comes later in the journal.
    context.ledger.progress(Progress { step: StepNumber::OBJECT, done: 0, total: 0, text: text.clone() });
    context.ledger.record(Record::Noted { text }).await?;
    Ok(format!(
        "; it was gone, and its content of {of} is put back: have the platform write it again if a user was added or removed \
         since"
    ))
}

/// When something was written, as a moment of the day; `before` where Swift does not say it so.
fn written_at(object: &StoredObject) -> String {
    let seconds = object.written.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
    at.map_or_else(|| "before".into(), |at| at.strftime("%H:%M:%S UTC").to_string())
}

/// Step 3 keeps the content of before beside the object, so that there is one whatever happens to the object behind the first
/// change; step 5 keeps what it replaces in its stead. Gives what is to be said of it; errs where the object can't be read, or
/// another attempt may help: nothing is touched yet.
pub(super) async fn keep_copy(context: &StepContext<'_>) -> Result<String, Fault> {
    let (world, rotation) = (context.world, context.rotation());
    // A key that others may have waits for no object.
    let waits = rotation.emergency.is_none();
    let told = |fault: Fault| Ok(format!("; the object's content could NOT be kept beside it: {fault}"));
    let now = match world.object.get().await {
        Ok(now) => now,
        Err(fault) if waits || fault.service == Service::Journal => return Err(fault),
        Err(fault) => return told(fault),
    };
    match world.object.keep(&now, &rotation.object_copy()).await {
        Ok(_) => Ok("; the object's content kept beside it".into()),
        Err(fault) if fault.service == Service::Journal || waits && fault.is_passing() => Err(fault),
        Err(fault) => told(fault),
    }
}

/// Whether there is such a copy, as far as can be seen; behind the first change it is step 5's.
pub(super) async fn is_copied(context: &StepContext<'_>) -> bool {
    let rotation = context.rotation();
    rotation.touched || !matches!(context.world.object.kept(&rotation.object_copy()).await, Ok(None))
}

/// Removes that copy where the object itself is there: nobody removes the last of its content. Gives what is to be said of it.
pub(super) async fn discard_if_there(context: &StepContext<'_>) -> Result<String, Fault> {
    let (object, suffix) = (&context.world.object, context.rotation().object_copy());
    let why = match object.etag().await {
        Ok(_) => return discard_copy(context).await,
        Err(fault) if fault.service == Service::Journal => return Err(fault),
        Err(fault) if fault.kind == FaultKind::NotFound => "the object was not there".to_owned(),
        Err(fault) => format!("it could not be seen whether the object was there ({fault})"),
    };
    if matches!(object.kept(&suffix).await, Ok(None)) {
        return Ok(String::new());
    }
    let text = format!(
        "{COPY_STAYS}at the end {why}; what ends in .{suffix} was left beside it: have the platform write the object if it is \
         not there, and delete the copy then"
    );
    context.ledger.record(Record::Noted { text: text.clone() }).await?;
    Ok(format!("; {text}"))
}

/// Removes that copy; gives what is to be said of it. Errs only where the journal does: a copy that stays is told.
pub(super) async fn discard_copy(context: &StepContext<'_>) -> Result<String, Fault> {
    let suffix = context.rotation().object_copy();
    match context.world.object.discard(&suffix).await {
        Ok(true) => Ok("; the object's content of before removed".into()),
        Ok(false) => Ok(String::new()),
        Err(fault) if fault.service == Service::Journal => Err(fault),
        Err(fault) => {
            let text = format!("{COPY_STAYS}it could NOT be removed ({fault}): delete what ends in .{suffix} by hand");
            context.ledger.record(Record::Noted { text: text.clone() }).await?;
            Ok(format!("; {text}"))
        }
    }
}
