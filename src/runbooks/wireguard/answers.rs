//! What clients have written meanwhile is taken in before the gate is judged: in step 2, and right before the first change.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::preflight::MAILBOX;
use crate::engine::mailing;
use crate::engine::step::StepContext;
use std::time::Duration;

/// How long step 2 looks into the mailbox.
const CHECKED_WITHIN: Duration = Duration::from_secs(30);
/// How long the first change waits for it.
const TOUCHED_WITHIN: Duration = Duration::from_secs(5);

/// How a look into the mailbox ended.
pub(super) enum Heard {
    /// None is configured: answers are typed only.
    NoMailbox,
    /// So many new mails are in the journal now.
    Mails(usize),
    /// It could not be read, or not to its end.
    Failed(Fault),
}

/// Looks in step 2. Errs only where the journal does.
pub(super) async fn hear(context: &StepContext<'_>) -> Result<Heard, Fault> {
    take_in(context, CHECKED_WITHIN).await
}

/// Looks right before the first change. Errs where a decline may lie unread, unless an operator has set the mailbox aside
/// or a suspected compromise goes first.
pub(super) async fn hear_at_once(context: &StepContext<'_>) -> Result<(), Fault> {
    let Heard::Failed(fault) = take_in(context, TOUCHED_WITHIN).await? else { return Ok(()) };
    let rotation = context.rotation();
    if rotation.emergency.is_some() || rotation.set_aside.contains_key(MAILBOX) {
        return Ok(());
    }
    Err(Fault::new(
        Service::Mail,
        FaultKind::Refused,
        format!("read the mailbox before the first change: {}", fault.message),
    ))
}

async fn take_in(context: &StepContext<'_>, within: Duration) -> Result<Heard, Fault> {
    let Some(answers) = &context.world.answers else { return Ok(Heard::NoMailbox) };
    let mails = match answers.waiting(&context.rotation(), within).await {
        Ok(mails) => mails,
        Err(fault) => return Ok(Heard::Failed(fault)),
    };
    let mut taken = 0;
    for mut matched in mails {
        matched.sent = mailing::copies(context.world, &context.rotation(), &matched.client);
        if let Some(record) = context.rotation().record_of(matched) {
            context.ledger.record(record).await?;
            taken += 1;
        }
    }
    Ok(Heard::Mails(taken))
}
