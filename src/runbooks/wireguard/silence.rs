//! The silence of the expected alert around steps 4 to 6: for this alert and this tenant only, short, extended while it is
//! needed, ended when it is not. Nothing that fails here stops a rotation; it is said and journaled.
//!
//! Alertmanager keeps silences in memory, and may send no notification of an alert that fires on when its silence ends: so
//! each end is preceded by a look, and the record says what was seen.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::alerts::{Alerts, comment};
use crate::engine::record::Record;
use crate::engine::step::StepContext;
use jiff::{SignedDuration, Timestamp};

/// Begins the silence, or extends the one that is open. Gives what could not be done, for the operator; errs only where
/// the journal does.
pub(super) async fn begin(context: &StepContext<'_>) -> Result<Option<String>, Fault> {
    let Some(alerts) = &context.world.alerts else { return Ok(None) };
    match silence(context, alerts.as_ref()).await {
        Ok(()) => Ok(None),
        Err(fault) if fault.service == Service::Journal => Err(fault),
        Err(fault) => {
            let text = format!("the alert {} is NOT silenced, it may be notified ({fault})", alerts.name());
            context.ledger.record(Record::Noted { text: text.clone() }).await?;
            Ok(Some(text))
        }
    }
}

/// Extends an open silence once half of its time is over. A fault that is not the journal's is met again at the next call.
pub(super) async fn keep(context: &StepContext<'_>) -> Result<(), Fault> {
    let rotation = context.rotation();
    let (Some(alerts), Some(open)) = (&context.world.alerts, &rotation.silence) else { return Ok(()) };
    let half = lasts(alerts.as_ref()) / 2;
    if open.until.duration_since(context.world.clock.now()) > half {
        return Ok(());
    }
    match silence(context, alerts.as_ref()).await {
        Err(fault) if fault.service == Service::Journal => Err(fault),
        _ => Ok(()),
    }
}

/// Ends the silence right behind step 6. A fault that is not the journal's is left to the end of the command.
pub(super) async fn end_behind(context: &StepContext<'_>) -> Result<(), Fault> {
    if context.rotation().silence.is_none() {
        return Ok(());
    }
    match end(context, "the server has the key".into()).await {
        Err(fault) if fault.service == Service::Journal => Err(fault),
        _ => Ok(()),
    }
}

/// Ends the open silence and journals whether the alert fires still.
pub async fn end_silence(context: &StepContext<'_>) -> Result<String, Fault> {
    end(context, context.rotation().why_silence_ends()).await
}

async fn silence(context: &StepContext<'_>, alerts: &dyn Alerts) -> Result<(), Fault> {
    let (rotation, now) = (context.rotation(), context.world.clock.now());
    let until = now.checked_add(lasts(alerts)).unwrap_or(Timestamp::MAX);
    let known = rotation.silence.as_ref().map(|silence| silence.id.as_str());
    if known.is_none() {
        // A run that dies behind the answer leaves one: whoever ends it must know that there may be one.
        context.ledger.record(Record::Silenced { id: String::new(), until }).await?;
    }
    let made = match alerts.silence(&comment(&rotation), known.filter(|id| !id.is_empty()), until).await {
        Err(fault) if known.is_none() && fault.service != Service::Journal && !fault.is_outcome_unknown() => {
            let why = "it was not made".to_owned();
            context.ledger.record(Record::SilenceEnded { id: String::new(), why, still_firing: None }).await?;
            return Err(fault);
        }
        made => made?,
    };
    context.ledger.record(Record::Silenced { id: made.id, until: made.until }).await
}

fn lasts(alerts: &dyn Alerts) -> SignedDuration {
    SignedDuration::try_from(alerts.lasts()).unwrap_or(SignedDuration::MAX)
}

async fn end(context: &StepContext<'_>, why: String) -> Result<String, Fault> {
    let rotation = context.rotation();
    let Some(open) = &rotation.silence else { return Ok("no silence is open".into()) };
    let still_firing = match &context.world.alerts {
        Some(alerts) => alerts.firing().await.ok().map(|firing| !firing.is_empty()),
        None => None,
    };
    let ended = match &context.world.alerts {
        Some(alerts) => end_all(alerts.as_ref(), &open.id, &comment(&rotation)).await,
        None => Err(Fault::new(Service::Configuration, FaultKind::Refused, "end a silence: [alerts] is not there")),
    };
    let why = match ended {
        Ok(()) => why,
        Err(fault) if fault.service == Service::Journal => return Err(fault),
        Err(_) if open.until <= context.world.clock.now() => format!("{why}; it has run out by itself"),
        Err(fault) => {
            let text = format!("the silence ends by itself at {}", open.until.strftime("%H:%M:%S UTC"));
            return Err(fault.hint(text));
        }
    };
    let record = Record::SilenceEnded { id: open.id.clone(), why, still_firing };
    let text = record.summary();
    context.ledger.record(record).await?;
    Ok(text)
}

/// The one on record, and others of this rotation: a request that was given up may have made one late.
async fn end_all(alerts: &dyn Alerts, id: &str, comment: &str) -> Result<(), Fault> {
    if !id.is_empty() {
        alerts.end(id).await?;
    }
    // Where none is known by its id, the list is the only way to one.
    let others = alerts.own(comment).await;
    for late in if id.is_empty() { others? } else { others.unwrap_or_default() } {
        alerts.end(&late.id).await?;
    }
    Ok(())
}
