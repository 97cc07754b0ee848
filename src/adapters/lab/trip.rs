//! A tripwire for rehearsals of death: holds one call of all that the lab receives, before or after it is carried out, until
//! the test has seen it and lets go. Which call it is, is counted in `faults`; what is held, in the servers.

use tokio::sync::watch;

use super::faults::Request;

/// At which moment a call is held. Its caller never sees an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has arrived whole and is not carried out.
    Before,
    /// It is carried out and not answered.
    After,
}

#[derive(Default)]
struct State {
    /// Calls of everybody but the agents since the start.
    seen: u64,
    /// The number of the call to be held.
    armed: Option<(u64, Moment)>,
    held: Option<Request>,
}

/// The tripwire of one lab.
#[derive(Default)]
pub(super) struct Tripwire(watch::Sender<State>);

impl Tripwire {
    /// Calls of everybody but the agents since the start.
    pub(super) fn seen(&self) -> u64 {
        self.0.borrow().seen
    }

    /// The `nth` call from now on, from 1, is held.
    pub(super) fn arm(&self, nth: u64, moment: Moment) {
        self.0.send_modify(|state| state.armed = Some((state.seen + nth, moment)));
    }

    /// Counts a call; the moment, if it is the one to be held.
    pub(super) fn meet(&self, request: &Request) -> Option<Moment> {
        let mut hit = None;
        self.0.send_modify(|state| {
            state.seen += 1;
            if let Some((number, moment)) = state.armed
                && number == state.seen
            {
                state.held = Some(request.clone());
                hit = Some(moment);
            }
        });
        hit
    }

    /// Waits until a call is held.
    pub(super) async fn tripped(&self) -> Option<Request> {
        self.0.subscribe().wait_for(|state| state.held.is_some()).await.ok()?.held.clone()
    }

    /// Lets go: the held call ends without an answer, and no other is held.
    pub(super) fn release(&self) {
        self.0.send_modify(|state| (state.armed, state.held) = (None, None));
    }

    /// Waits until the test lets go.
    pub(super) async fn hold(&self) {
        self.0.subscribe().wait_for(|state| state.held.is_none()).await.ok();
    }
}
