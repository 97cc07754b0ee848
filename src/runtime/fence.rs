//! The fence of one tenant: asks the journal's store whether the lease is still ours, right before something outside is
//! changed. Taking and giving back the lease is the conductor's.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::journal::{JournalStore, Lease};
use crate::engine::ports::Fence;
use crate::runtime::lookout::LEASE_TTL;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An answer that took longer than this may be old by now (a stopped process does not know that it was stopped): it is
/// asked for again.
const PROMPT: Duration = Duration::from_millis(250);
/// How often it is asked again before the store is called too slow.
const ASKED: usize = 5;
/// How long the second half of a pair waits for the store.
const BRIEF: Duration = Duration::from_millis(500);

struct Held {
    lease: Lease,
    /// When our last sign of life was sent, or the lease taken: whoever watches us counts from no earlier moment.
    beaten: Instant,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// Why it is shut, where the lease is not lost: a journal that can't be written is no take-over.
    because: Option<Fault>,
}

/// The fence of one tenant.
pub struct LeaseFence {
    store: Arc<dyn JournalStore>,
    state: Mutex<State>,
}

impl LeaseFence {
    /// A fence that is shut until a lease is given to it.
    pub fn new(store: Arc<dyn JournalStore>) -> Self {
        Self { store, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease was taken.
    pub fn take(&self, lease: Lease) {
        *self.state() = State { held: Some(Held { lease, beaten: Instant::now() }), because: None };
    }

    /// A sign of life was sent at this moment, and has arrived.
    pub fn beaten(&self, lease: &Lease, at: Instant) {
        if let Some(held) = self.state().held.as_mut().filter(|held| held.lease == *lease) {
            held.beaten = at;
        }
    }

    /// The lease was given back, or lost: nothing more is changed outside.
    pub fn shut(&self) {
        *self.state() = State::default();
    }

    /// Nothing more is changed outside, for this reason and no other.
    pub fn shut_for(&self, because: Fault) {
        *self.state() = State { held: None, because: Some(because) };
    }

    /// Of what holds the lease, or why nothing may be changed.
    fn of_held<T>(&self, of: impl FnOnce(&Held) -> T) -> Result<T, Fault> {
        let state = self.state();
        state.held.as_ref().map(of).ok_or_else(|| state.because.clone().unwrap_or_else(lost))
    }

    async fn ask(&self) -> Result<(), Fault> {
        let lease = self.of_held(|held| held.lease.clone())?;
        if !self.store.holds(&lease).await? {
            self.shut();
            return Err(lost());
        }
        Ok(())
    }
}

/// Somebody else has the tenant.
pub fn lost() -> Fault {
    Fault::new(Service::Journal, FaultKind::Conflict, "the lease of this tenant is not ours any more")
        .hint("nothing more is changed from here; look at the status: somebody else is at work")
}

/// Whether a fault says that somebody else has it, or has written to its journal.
pub fn is_loss(fault: &Fault) -> bool {
    fault.service == Service::Journal && fault.kind == FaultKind::Conflict
}

#[async_trait]
impl Fence for LeaseFence {
    async fn hold(&self) -> Result<(), Fault> {
        for _ in 0..ASKED {
            let asked = Instant::now();
            self.ask().await?;
            if asked.elapsed() < PROMPT {
                return Ok(());
            }
        }
        let text = "asking whether the tenant is still ours: the journal's store answers too slowly";
        Err(Fault::new(Service::Journal, FaultKind::TimedOut, text).hint("nothing was changed by this; resume"))
    }

    async fn finish(&self) -> Result<(), Fault> {
        let lease_ends = self.of_held(|held| held.beaten + LEASE_TTL)?;
        match tokio::time::timeout(BRIEF, self.hold()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) if fault.kind == FaultKind::Conflict => Err(fault),
            // The store is silent. Nobody can have taken the tenant before the lease ran out, unless by force, and then
            // they look at what is there before they act.
            _ if Instant::now() < lease_ends => Ok(()),
            _ => Err(lost()),
        }
    }
}
