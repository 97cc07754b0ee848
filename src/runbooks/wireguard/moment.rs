//! The moment at which the pair of step 4 begins: right behind a look of the server's agent, where its log shows them, so that no
//! look falls into the gap. Nothing is held meanwhile, and what is judged at the touch is judged behind the waiting.

use crate::domain::agent_looks::{AgentLooks, SHORTEST};
use crate::domain::fault::Fault;
use crate::domain::step::StepNumber;
use crate::engine::ports::{SwapOrder, World};
use crate::engine::step::{Progress, StepContext};
use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How often the log is read when the look is due.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// So long behind its moment a look is waited for; then it is taken for made, and its line for late. Server clocks are read to a
/// second.
const LATE: Duration = Duration::from_secs(2);

/// The agent's looks and its server's clock, ms since 1970. `None`: no command for the log is configured, or the cycle is too
/// short; errs with why they can't be seen.
async fn looks(world: &World) -> Option<Result<(AgentLooks, i64), String>> {
    let cycle = world.settings.reconcile_interval;
    if cycle < SHORTEST {
        return None;
    }
    let log = match world.server.agent_log().await? {
        Ok(log) => log,
        Err(fault) => return Some(Err(fault.to_string())),
    };
    let clock = match world.server.read().await {
        Ok(reading) => reading.clock,
        Err(fault) => return Some(Err(fault.to_string())),
    };
    Some(AgentLooks::of(&log, clock, cycle).map(|looks| (looks, clock * 1000)))
}

/// Waits for the moment, never longer than a cycle and never beyond the window. Gives what is to be said of it. Errs where the end
/// of the run is asked for: nothing was begun.
pub(super) async fn choose(context: &StepContext<'_>) -> Result<Option<String>, Fault> {
    let (world, rotation) = (context.world, context.rotation());
    // What is half-done, a name that is empty already, a compromise, and a way back wait for nothing; and two secrets for a moment are no gap.
    let has_secret = rotation.preflight.as_ref().is_none_or(|run| run.keys.secret.is_some());
    let may_wait = !rotation.touched && has_secret && rotation.emergency.is_none() && rotation.rollback.is_none();
    if !may_wait || world.settings.swap != SwapOrder::DeleteFirst {
        return Ok(None);
    }
    let (looks, clock) = match looks(world).await {
        None => return Ok(None),
        Some(Err(why)) => return Ok(Some(format!("the moment was not chosen: {why}"))),
        Some(Ok(seen)) => seen,
    };
    let (age, every) = ((clock - looks.last_ms).max(0), looks.every_ms);
    // The clock was read to a whole second.
    if age + 1000 < every / 3 {
        return Ok(Some(format!("begun {:.0} s behind the server's look", age as f64 / 1000.0)));
    }
    let due = Duration::from_millis(u64::try_from(looks.next_ms(clock) - clock).unwrap_or(0));
    let most = (due + LATE).min(Duration::from_millis(every.unsigned_abs()));
    let now = world.clock.now();
    if behind(now, most) >= rotation.window.end {
        return Ok(Some("begun at once: the server's next look comes when the window ends".into()));
    }
    let text = format!(
        "right after the server's next look, in {} s ({})",
        due.as_secs(),
        behind(now, due).strftime("%H:%M:%S UTC")
    );
    context.ledger.progress(Progress { step: StepNumber::SECRET, done: 0, total: 0, text });
    let seen = async {
        world.clock.sleep(due.saturating_sub(Duration::from_secs(1))).await;
        while !has_looked(world, looks).await {
            world.clock.sleep(LOOK_EVERY).await;
        }
    };
    let waited = async {
        futures_util::pin_mut!(seen);
        matches!(select(seen, world.clock.sleep(most)).await, Either::Left(_))
    };
    futures_util::pin_mut!(waited);
    match select(context.ledger.ending(), waited).await {
        Either::Left((ended, _)) => Err(ended),
        Either::Right((true, _)) => Ok(Some("begun right behind a look of the server".into())),
        Either::Right((false, _)) => Ok(Some("begun when the server's look was due; it was not seen".into())),
    }
}

fn behind(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// Whether the log shows a later look than this one by now. What can't be read shows none.
async fn has_looked(world: &World, before: AgentLooks) -> bool {
    match self::looks(world).await {
        Some(Ok((now, _))) => now.last_ms > before.last_ms,
        _ => false,
    }
}
