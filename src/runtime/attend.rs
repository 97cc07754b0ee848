//! Attends the mailbox for as long as the program runs: reads whenever something comes, and shows every tenant whose answers are
//! awaited whether it can be read.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::runtime::fleet::Fleet;
use crate::runtime::post::{Post, Sorted};
use std::time::Duration;

/// The pause after a fault of the mailbox, which doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause after a refused password.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The longest pause after any other fault: it is seen within this that the mailbox is back.
const LONGEST_AWAY: Duration = Duration::from_secs(40);
/// A mailbox from which nothing has come for so long while it was read is shown as one that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a mailbox tells whoever attends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostLine {
    /// Mails came.
    Came(Sorted),
    /// The mailbox can't be read; said once for the same fault.
    Fails(Fault),
    /// It can be read again.
    Again,
}

impl Post {
    /// Reads whenever something comes, for ever. It ends by being dropped: between two records nothing is lost.
    pub async fn attend(&self, fleet: &Fleet, say: &(dyn Fn(PostLine) + Send + Sync)) {
        let mut fault: Option<Fault> = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let looked = self.sort_patiently(fleet).await;
            if looked.is_ok() {
                show(fleet, &Ok(()));
            }
            let found = match looked {
                Ok(sorted) => {
                    if fault.take().is_some() {
                        say(PostLine::Again);
                    }
                    let is_waiting = !sorted.waiting.is_empty();
                    if sorted.fetched > 0 {
                        say(PostLine::Came(sorted));
                    }
                    if is_waiting {
                        // Somebody holds a tenant: not long, and its mails stay where they are.
                        tokio::time::sleep(FIRST_PAUSE).await;
                        continue;
                    }
                    self.inbox().wait().await
                }
                Err(fault) => Err(fault),
            };
            match found {
                Ok(()) => pause = FIRST_PAUSE,
                Err(new) => {
                    // Also a wait that met nobody.
                    show(fleet, &Err(new.clone()));
                    if fault.as_ref().is_none_or(|old| old.message != new.message) {
                        say(PostLine::Fails(new.clone()));
                    }
                    // Whoever refuses a password may count how often.
                    let longest = if new.kind == FaultKind::Unauthorized { LONGEST_PAUSE } else { LONGEST_AWAY };
                    fault = Some(new);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(longest);
                }
            }
        }
    }
    /// One look; while nothing comes the mailbox is shown as one that does not answer, and is waited for.
    async fn sort_patiently(&self, fleet: &Fleet) -> Result<Sorted, Fault> {
        let sorting = self.sort(fleet);
        futures_util::pin_mut!(sorting);
        loop {
            let before = self.answers();
            match tokio::time::timeout(PATIENCE, &mut sorting).await {
                Ok(sorted) => return sorted,
                Err(_) if self.answers() == before => {
                    let text = format!("no answer for {} s", PATIENCE.as_secs());
                    show(fleet, &Err(Fault::new(Service::Mail, FaultKind::TimedOut, text)));
                }
                Err(_) => {}
            }
        }
    }
}

/// Tells all tenants of the fleet how the mailbox stands.
fn show(fleet: &Fleet, look: &Result<(), Fault>) {
    fleet.conductors().iter().for_each(|conductor| conductor.take_mailbox(look.clone()));
}
