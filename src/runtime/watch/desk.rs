//! The watch over subjects that are no tenants: what their record or the configuration permits is gone on with, and everything else is
//! left to a person, who is called once.

use super::{Line, Logbook, REST_FACTOR, Tally, Watch, Whose};
use crate::domain::step::StepNumber;
use crate::engine::case::machine::Refusal;
use crate::engine::case::tend::{Tending, changes};
use crate::engine::step::Progress;
use crate::engine::tend::{Tried, not_before};
use crate::runtime::case::{Desk, Onlooker, RunFault};
use crate::runtime::ending;
use crate::runtime::follow::Follower;
use jiff::Timestamp;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

impl Onlooker for Logbook {
    fn changed(&self, desk: &dyn Desk) {
        let now = desk.status();
        // Locked until the lines are out, so that they come in their order.
        let mut last = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes(last.get(desk.key()), &now) {
            (self.log)(Whose::Subject(desk.subject()), Line::Changed(change));
        }
        last.insert(desk.key().clone(), now);
    }

    fn progress(&self, _desk: &dyn Desk, _progress: Progress) {}
}

/// What is remembered of a subject between two visits.
#[derive(Default)]
struct Visit {
    /// When the world was looked at last.
    looked: Option<Instant>,
    /// What was tried, for which step of which case.
    tried: Option<(Option<String>, StepNumber, Tried)>,
    /// What was said last to need a person.
    person: Option<String>,
}

impl Watch<'_> {
    /// One visit to each.
    pub(super) async fn desks_once(&self) -> Tally {
        let visits = self.desks.all().iter().map(|desk| async move {
            let mut visit = Visit::default();
            let read = self.visit_desk(desk, &mut visit).await;
            (visit.person.is_some(), read)
        });
        let mut tally = Tally::default();
        for (person, read) in futures_util::future::join_all(visits).await {
            tally.persons += usize::from(person);
            tally.blind += usize::from(!read);
        }
        tally
    }

    /// Visits each again and again; it ends by being dropped.
    pub(super) async fn desks_forever(&self) {
        if self.desks.all().is_empty() {
            return std::future::pending().await;
        }
        let visits = self.desks.all().iter().map(|desk| async move {
            let mut visit = Visit::default();
            let mut rounds = tokio::time::interval(self.interval);
            rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                // What runs is carried on to its record; nothing new begins.
                if !ending::is_asked() {
                    self.visit_desk(desk, &mut visit).await;
                }
            }
        });
        // What others write is told within a second or two, however rarely the world is looked at.
        let following = Follower::new(self.desks).forever();
        futures_util::future::join(futures_util::future::join_all(visits), following).await;
    }

    /// Reads the journal, looks where that is due, and goes on with what may be gone on with. Gives whether the journal could be read.
    async fn visit_desk(&self, desk: &Arc<dyn Desk>, visit: &mut Visit) -> bool {
        {
            let Ok(_permit) = self.looks.acquire().await else { return false };
            if !desk.follow().await {
                return false;
            }
            let pause = if desk.is_open() { std::time::Duration::ZERO } else { self.interval * REST_FACTOR };
            if visit.looked.is_none_or(|looked| looked.elapsed() >= pause) {
                desk.look().await;
                visit.looked = Some(Instant::now());
            }
        }
        let person = match desk.tending() {
            Tending::Leave => None,
            Tending::Person(why) => Some(why),
            Tending::Do { order, step, why, failed } => {
                let case = desk.status().case;
                let before = match &visit.tried {
                    Some((of, at, tried)) if *of == case && *at == step => *tried,
                    _ => Tried::default(),
                };
                let now = Timestamp::now();
                if not_before(before, failed).is_some_and(|moment| moment > now) {
                    return true;
                }
                let whose = Whose::Subject(desk.subject());
                (self.log)(whose, Line::Acts(format!("{}: {why}", order.word())));
                let result = desk.run(order).await;
                visit.tried = Some((case, step, Tried { times: before.times + 1, last: Some(Timestamp::now()) }));
                match result {
                    Ok(done) => {
                        (self.log)(whose, Line::Did(done));
                        None
                    }
                    // Somebody else was faster, and is at work; or this program ends, as was asked.
                    Err(RunFault::Held(_)) => None,
                    Err(RunFault::Fault(fault)) if ending::is_end(&fault) => None,
                    Err(RunFault::Refused(refusal @ (Refusal::Shut { .. } | Refusal::BadInput(_)))) => {
                        Some(refusal.to_string())
                    }
                    Err(error) => {
                        let advice =
                            if let RunFault::Fault(fault) = &error { fault.advice() } else { "it is tried again" };
                        (self.log)(whose, Line::Failed(format!("{error}; {advice}")));
                        None
                    }
                }
            }
        };
        if let Some(why) = person.as_ref().filter(|_| visit.person != person) {
            (self.log)(Whose::Subject(desk.subject()), Line::Person(why.clone()));
        }
        visit.person = person;
        true
    }
}
