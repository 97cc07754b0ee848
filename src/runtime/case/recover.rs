//! A case of which the end of the journal is lost: what its runbook finds outside is recorded, and what follows from it. Nothing is
//! changed outside; what is left to be done waits for its word.

use super::run::{Run, RunFault};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::case::core::Stamp;
use crate::engine::case::machine::{Ahead, ahead, given, whole_way_out};
use crate::engine::case::record::{Body, CaseId, CoreRecord, End, OwnRecord, Reached};
use crate::engine::case::runbook::{Case, Onward, Recovery, Runbook};
use crate::engine::witness::{CaseSeen, Lost};

impl<R: Runbook> Run<'_, R> {
    /// Looks at everything, then records what was found. Gives what that is and what comes next.
    pub(super) async fn recover(&self, lost: &Lost, reason: &str) -> Result<String, RunFault> {
        let reason = given(reason, "why the journal is not put back as it was last")?;
        let newest = self.now();
        let Some(seen) = &lost.case() else { return Ok("nothing was seen of it".into()) };
        let open = newest.as_deref().filter(|case| case.core.is_open());
        if newest.as_ref().is_some_and(|case| case.core.id.0 == seen.rotation.0) || self.is_known(seen).await? {
            let Some(case) = open else {
                let evidence = "no case is open; nothing is left to be done".to_owned();
                let found = Reached { evidence: evidence.clone(), ..Reached::default() };
                self.write_together(vec![recovered(lost, &reason, found)]).await?;
                return Ok(evidence);
            };
            let recovery = R::recover(&self.desk.world, case, seen).await?;
            return self.goes_on(case.clone(), Vec::new(), recovery, lost, &reason).await;
        }
        let opened = Body::Core(CoreRecord::Opened {
            case: CaseId(seen.rotation.0.clone()),
            runbook: R::spec().name.to_owned(),
            subject: self.desk.seat.subject.clone(),
            reference: "found begun when the journal was recovered".into(),
        });
        let case = Case::open(self.stamp(1), &opened).map_err(invalid)?;
        let recovery = R::recover(&self.desk.world, &case, seen).await?;
        if open.is_some() {
            // Another was opened behind it, so it had ended.
            let evidence = "another case was begun behind it in the lost part".to_owned();
            let found = Reached { next: Some(case.core.id.clone()), evidence, ..Reached::default() };
            let note = "its end is in a lost part of the journal".to_owned();
            let finished = Body::Core(CoreRecord::Finished { end: End::Lost, note });
            self.write_together(vec![recovered(lost, &reason, found), finished]).await?;
        }
        self.goes_on(case, vec![opened], recovery, lost, &reason).await
    }

    /// Whether the journal knows the case that was seen.
    async fn is_known(&self, seen: &CaseSeen) -> Result<bool, RunFault> {
        let seat = &self.desk.seat;
        Ok(seat.store.heads(Some(&seat.key)).await?.iter().any(|head| head.rotation == seen.rotation))
    }

    fn stamp(&self, seq: u64) -> Stamp<'_> {
        Stamp { seq, at: self.desk.seat.clock.now(), person: &self.desk.seat.actor.person }
    }

    /// Records what was found of a case, behind these records, all of it together.
    async fn goes_on(
        &self,
        mut case: Case<R>,
        mut records: Vec<Body<R::Record>>,
        recovery: Recovery<R::Record>,
        lost: &Lost,
        reason: &str,
    ) -> Result<String, RunFault> {
        let Recovery { found, own, then } = recovery;
        let evidence = found.evidence.clone();
        let bodies: Vec<_> =
            std::iter::once(recovered(lost, reason, found)).chain(own.into_iter().map(Body::Own)).collect();
        for body in &bodies {
            case.apply(self.stamp(case.core.seq + 1), body);
        }
        records.extend(bodies);
        let why = "found so when the journal was recovered".to_owned();
        let last = match then {
            Onward::On => None,
            Onward::Back => Some(CoreRecord::TurnedBack { reason: why, road: R::way_back(&case).map_err(invalid)? }),
            Onward::Out => Some(CoreRecord::CancelBegun { note: why, road: whole_way_out(R::spec()) }),
            Onward::Over(end) => Some(CoreRecord::Finished { end, note: why }),
        };
        records.extend(last.map(Body::Core));
        self.write_together(records).await?;
        let then = match self.now().map(|case| ahead(R::spec(), &case.core)) {
            Some(Ahead::Pause { next }) => format!("{next} waits for its word"),
            Some(Ahead::Ended) | None => "the case is closed".into(),
            Some(_) => "resume goes on from there".into(),
        };
        Ok(format!("{evidence}; {then}"))
    }
}

fn recovered<O: OwnRecord>(lost: &Lost, reason: &str, found: Reached) -> Body<O> {
    Body::Core(CoreRecord::Recovered { lost: Box::new(lost.clone()), reason: reason.to_owned(), found })
}

fn invalid(why: String) -> Fault {
    Fault::new(Service::Journal, FaultKind::Invalid, why).hint("nothing was written")
}
