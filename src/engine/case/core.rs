//! What every runbook has in common of a case: the fold of its core records, and which record may follow.

use super::letter::{Letter, Said};
use super::record::{CaseId, CoreRecord, End, Reached};
use super::spec::{Move, Spec, Touch};
use crate::domain::notice::Delivery;
use crate::domain::reply::Verdict;
use crate::domain::step::{StepNumber, StepState};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Who wrote a record, and when.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Its number.
    pub seq: u64,
    /// When, UTC.
    pub at: Timestamp,
    /// Who.
    pub person: &'a str,
}

/// An operator's word with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Why.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
}

/// Where a case is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through its steps.
    Forward,
    /// Back, after something was changed.
    Back,
    /// Out of it, before anything was.
    Out,
}

/// A part of the way: its moves in order, and how each stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// The moves.
    pub road: Vec<Move>,
    states: BTreeMap<StepNumber, StepState>,
    /// When each was begun last, UTC.
    began: BTreeMap<StepNumber, Timestamp>,
}

impl Leg {
    fn new(road: Vec<Move>) -> Self {
        let states = road.iter().map(|step| (step.step(), StepState::Waiting)).collect();
        Self { road, states, began: BTreeMap::new() }
    }

    /// How a step stands on this leg; none that is not part of it.
    pub fn state(&self, step: StepNumber) -> Option<&StepState> {
        self.states.get(&step)
    }

    /// The first move that is not done.
    pub fn ahead(&self) -> Option<Move> {
        self.road.iter().copied().find(|step| !self.states[&step.step()].is_done())
    }
}

/// A case, as far as every runbook has it.
#[derive(Clone, Debug)]
pub struct Core {
    /// Which.
    pub id: CaseId,
    /// Of which runbook.
    pub spec: &'static Spec,
    /// `kind/name`.
    pub subject: String,
    /// A ticket or incident.
    pub reference: String,
    /// When it was opened, by whom.
    pub opened: Word,
    /// The number of the last record.
    pub seq: u64,
    /// The verb of the last stretch that was begun.
    pub begun: Option<String>,
    /// Where it goes.
    pub way: Way,
    /// The present leg.
    pub leg: Leg,
    /// How its steps stood on the way forward, once it goes another way.
    pub forward: Option<Leg>,
    /// The steps that have changed, or may have changed, what the subject lives on.
    pub touched: Vec<StepNumber>,
    /// Facts that were set aside.
    pub set_aside: BTreeMap<String, Word>,
    /// Of whom it is settled that they have followed, by what it was about and who.
    pub settled: BTreeMap<(String, String), Word>,
    /// Somebody wanted it to stop within a step, and nobody has gone on yet.
    pub paused: Option<Word>,
    /// The mails to those who must follow, in their order.
    pub letters: Vec<Letter>,
    /// What they have answered, in the order in which it was read.
    pub said: Vec<Said>,
    /// Why it goes back, or is cancelled.
    pub turned: Option<Word>,
    /// When it was gone on with last though the end of its journal was lost, UTC.
    pub recovered: Option<Timestamp>,
    /// How it ended, when, with which note.
    pub end: Option<(End, Timestamp, String)>,
}

impl Core {
    /// The case that a first record opens.
    pub fn open(spec: &'static Spec, stamp: Stamp<'_>, record: &CoreRecord) -> Result<Self, String> {
        let CoreRecord::Opened { case, runbook, subject, reference } = record else {
            return Err("a case begins with its opening".into());
        };
        if runbook != spec.name {
            return Err(format!("it is a case of the runbook {runbook}, not of {}", spec.name));
        }
        let road = spec.steps.iter().map(|step| Move::Perform(step.number)).collect();
        let reason = String::new();
        Ok(Self {
            id: case.clone(),
            spec,
            subject: subject.clone(),
            reference: reference.clone(),
            opened: Word { reason, by: stamp.person.to_owned(), at: stamp.at },
            seq: stamp.seq,
            begun: None,
            way: Way::Forward,
            leg: Leg::new(road),
            forward: None,
            touched: Vec::new(),
            set_aside: BTreeMap::new(),
            settled: BTreeMap::new(),
            paused: None,
            letters: Vec::new(),
            said: Vec::new(),
            turned: None,
            recovered: None,
            end: None,
        })
    }

    /// How long a step took that has ended, ms: from its last beginning on.
    pub fn took_ms(&self, step: StepNumber) -> Option<u64> {
        let legs = std::iter::once(&self.leg).chain(&self.forward);
        let leg = legs.into_iter().find(|leg| leg.state(step).is_some())?;
        let (StepState::Done { at, .. } | StepState::Failed { at, .. }) = leg.state(step)? else { return None };
        u64::try_from(at.as_millisecond() - leg.began.get(&step)?.as_millisecond()).ok()
    }

    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether something that the subject lives on was changed, or may have been.
    pub fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// How a step stands: on the present leg, or where that does not go there, as the way forward has left it.
    pub fn state(&self, step: StepNumber) -> &StepState {
        let forward = || self.forward.as_ref().and_then(|leg| leg.state(step));
        self.leg.state(step).or_else(forward).unwrap_or(&StepState::Waiting)
    }

    /// The step that is under way, or was when a process ended.
    pub fn running(&self) -> Option<StepNumber> {
        let states = self.leg.states.iter();
        let is_running = |state: &StepState| matches!(state, StepState::Running { .. } | StepState::Interrupted { .. });
        states.into_iter().find(|(_, state)| is_running(state)).map(|(step, _)| *step)
    }

    /// Nobody is at work: what runs by the journal was interrupted.
    pub fn interrupt(&mut self) {
        for state in self.leg.states.values_mut() {
            if let StepState::Running { since } = state {
                *state = StepState::Interrupted { since: *since };
            }
        }
        self.interrupt_letters();
    }

    /// Whether a record may follow; why not.
    pub fn check(&self, record: &CoreRecord) -> Result<(), String> {
        if !self.is_open() && !record.may_follow_the_end() {
            return Err(format!("the case has ended; \"{}\" can't follow", record.summary()));
        }
        let running = |step: StepNumber| match self.leg.state(step) {
            Some(StepState::Running { .. }) => Ok(()),
            _ => Err(format!("step {step} is not running")),
        };
        match record {
            CoreRecord::Opened { .. } => Err("the case is open already".into()),
            CoreRecord::Begun { .. } if self.way != Way::Forward => Err("the case does not go forward any more".into()),
            CoreRecord::Begun { .. } => match self.running() {
                Some(step) => Err(format!("step {step} has not ended")),
                None => Ok(()),
            },
            CoreRecord::StepStarted { step } => self.may_start(*step),
            CoreRecord::StepSucceeded { step, .. } | CoreRecord::StepFailed { step, .. } => running(*step),
            CoreRecord::Touching { step } => running(*step),
            CoreRecord::Paused { .. } => match self.running() {
                Some(step) => running(step),
                None => Err("no step is at work".into()),
            },
            CoreRecord::StepResolved { step, .. } if self.running() == Some(*step) => Ok(()),
            CoreRecord::StepResolved { step, .. } => Err(format!("step {step} was not interrupted")),
            CoreRecord::TurnedBack { .. } if !self.is_touched() => Err("nothing was changed: cancel it".into()),
            CoreRecord::CancelBegun { .. } if self.is_touched() => Err("it has changed something: roll it back".into()),
            CoreRecord::TurnedBack { road, .. } | CoreRecord::CancelBegun { road, .. } => self.may_turn(road),
            CoreRecord::Finished { .. } => match self.leg.ahead() {
                Some(step) if self.way != Way::Forward => Err(format!("step {} is not done", step.step())),
                _ if self.running().is_some() => Err("a step has not ended".into()),
                _ => Ok(()),
            },
            CoreRecord::Recovered { .. } => Ok(()),
            CoreRecord::SetAside { .. } | CoreRecord::Settled { .. } => Ok(()),
            CoreRecord::Mailed { .. } => Ok(()),
            CoreRecord::Delivered { message_id, .. } if self.letter(message_id).is_some() => Ok(()),
            CoreRecord::Delivered { message_id, .. } => Err(format!("{message_id} was never sent")),
            CoreRecord::Answered { mail, .. } if self.said.iter().any(|said| said.mail == *mail) => {
                Err(format!("the mail {mail} was read already"))
            }
            CoreRecord::Answered { .. } => Ok(()),
            CoreRecord::Noted { .. } | CoreRecord::TakenOver { .. } => Ok(()),
        }
    }

    fn letter(&self, message_id: &str) -> Option<usize> {
        self.letters.iter().rposition(|letter| letter.message_id == message_id)
    }

    /// A mail stands so now.
    fn stands(&mut self, message_id: &str, delivery: &Delivery, at: Timestamp) {
        if let Some(letter) = self.letter(message_id).and_then(|place| self.letters.get_mut(place)) {
            (letter.delivery, letter.at) = (delivery.clone(), at);
        }
    }

    fn may_start(&self, step: StepNumber) -> Result<(), String> {
        match self.leg.ahead() {
            Some(ahead) if ahead.step() == step => {}
            Some(ahead) => return Err(format!("step {} comes before step {step}", ahead.step())),
            None => return Err("all steps are done".into()),
        }
        match self.leg.state(step) {
            Some(StepState::Waiting | StepState::Failed { .. }) => Ok(()),
            _ => Err(format!("what became of step {step} is not known yet")),
        }
    }

    fn may_turn(&self, road: &[Move]) -> Result<(), String> {
        let is_running = |state: &StepState| matches!(state, StepState::Running { .. });
        if self.leg.states.values().any(is_running) {
            return Err("a step is running".into());
        }
        if self.way != Way::Forward {
            return Err("it does not go forward any more".into());
        }
        let twice =
            road.iter().enumerate().any(|(at, step)| road[..at].iter().any(|other| other.step() == step.step()));
        if twice { Err("a road goes over each step once".into()) } else { Ok(()) }
    }

    /// Folds a record that may follow.
    pub fn apply(&mut self, stamp: Stamp<'_>, record: &CoreRecord) {
        self.seq = stamp.seq;
        let at = stamp.at;
        let word = |reason: &str| Word { reason: reason.to_owned(), by: stamp.person.to_owned(), at };
        use CoreRecord::{Begun, StepFailed, StepResolved, StepStarted, StepSucceeded, TurnedBack};
        if matches!(
            record,
            Begun { .. }
                | StepStarted { .. }
                | StepResolved { .. }
                | StepSucceeded { .. }
                | StepFailed { .. }
                | TurnedBack { .. }
        ) {
            self.paused = None;
        }
        match record {
            CoreRecord::Opened { .. } | CoreRecord::Noted { .. } | CoreRecord::TakenOver { .. } => {}
            CoreRecord::Begun { verb, afresh } => {
                self.begun = Some(verb.clone());
                if *afresh {
                    self.look_again_before(verb);
                }
            }
            CoreRecord::StepStarted { step } => {
                self.leg.began.insert(*step, at);
                self.put(*step, StepState::Running { since: at });
            }
            CoreRecord::Touching { step } => self.touch(*step),
            CoreRecord::Paused { reason, by } => {
                self.paused = Some(Word { reason: reason.clone(), by: by.clone(), at });
            }
            CoreRecord::StepSucceeded { step, evidence } => {
                self.is_done(*step);
                self.put(*step, StepState::Done { at, evidence: evidence.clone() });
            }
            CoreRecord::StepFailed { step, fault } => self.put(*step, StepState::Failed { at, fault: fault.clone() }),
            CoreRecord::StepResolved { step, done: true, reason } => {
                self.is_done(*step);
                self.put(*step, StepState::Done { at, evidence: reason.clone() });
            }
            CoreRecord::StepResolved { step, done: false, .. } => self.put(*step, StepState::Waiting),
            CoreRecord::SetAside { fact, reason } => {
                self.set_aside.insert(fact.clone(), word(reason));
            }
            CoreRecord::Settled { person, about, reason } => {
                self.settled.insert((about.clone(), person.clone()), word(reason));
            }
            CoreRecord::Mailed { person, about, round, email, message_id, enclosed } => {
                // The same mail, tried before, is this one now.
                self.letters.retain(|letter| letter.message_id != *message_id);
                self.letters.push(Letter {
                    person: person.clone(),
                    about: about.clone(),
                    round: *round,
                    email: email.clone(),
                    message_id: message_id.clone(),
                    enclosed: enclosed.clone(),
                    delivery: Delivery::Queued,
                    at,
                });
            }
            CoreRecord::Delivered { message_id, delivery } => self.stands(message_id, delivery, at),
            CoreRecord::Answered { person, about, mail, from, heard, notice, doubt } => {
                if let (Verdict::Bounced(why), Some(id)) = (&heard.verdict, notice) {
                    self.stands(id, &Delivery::Bounced { reply: why.clone() }, at);
                }
                self.said.push(Said {
                    mail: mail.clone(),
                    person: person.clone(),
                    about: about.clone(),
                    from: from.clone(),
                    heard: heard.clone(),
                    doubt: doubt.clone(),
                    at,
                });
            }
            CoreRecord::TurnedBack { reason, road } => self.turn(Way::Back, road, word(reason)),
            CoreRecord::CancelBegun { note, road } => self.turn(Way::Out, road, word(note)),
            CoreRecord::Recovered { found, .. } => self.recover(at, found),
            CoreRecord::Finished { end, note } => self.end = Some((*end, at, note.clone())),
        }
    }

    /// The steps that only look before a stretch are open again.
    fn look_again_before(&mut self, verb: &str) {
        let Some(stretch) = self.spec.stretch(verb) else { return };
        for looks in
            self.spec.steps.iter().filter(|step| step.number < stretch.from && self.spec.only_looks(step.number))
        {
            self.put(looks.number, StepState::Waiting);
        }
    }

    /// Goes on from what was found: what the journal says of its steps counts no more.
    fn recover(&mut self, at: Timestamp, found: &Reached) {
        self.recovered = Some(at);
        if !self.is_open() || found.next.is_some() {
            return;
        }
        for step in self.leg.road.clone().into_iter().map(Move::step) {
            if found.done.contains(&step) {
                if !self.state(step).is_done() {
                    let evidence = "found done when the journal was recovered".to_owned();
                    self.put(step, StepState::Done { at, evidence });
                }
            } else if found.interrupted == Some(step) {
                self.put(step, StepState::Interrupted { since: at });
            } else {
                self.put(step, StepState::Waiting);
            }
        }
        self.touched.clone_from(&found.touched);
        if let Some(stretch) = found.interrupted.and_then(|step| self.spec.stretch_of(step)) {
            self.begun = Some(stretch.verb.to_owned());
        }
    }

    fn touch(&mut self, step: StepNumber) {
        if !self.touched.contains(&step) {
            self.touched.push(step);
        }
    }

    /// What a step changes is changed once it is done, whoever says so.
    fn is_done(&mut self, step: StepNumber) {
        let touches = self.spec.step(step).is_some_and(|step| step.touches != Touch::No);
        if touches && self.way == Way::Forward {
            self.touch(step);
        }
    }

    fn put(&mut self, step: StepNumber, state: StepState) {
        self.leg.states.insert(step, state);
    }

    fn turn(&mut self, way: Way, road: &[Move], word: Word) {
        let forward = std::mem::replace(&mut self.leg, Leg::new(road.to_vec()));
        (self.forward, self.way, self.turned) = (Some(forward), way, Some(word));
    }
}
