//! What may be done for a case without a person, as `watch` does it: a pure function of the journal and the gates. And what has changed
//! between two looks, a line each.
//!
//! A person has begun whatever is gone on with here. A stretch is begun only where the configuration says that it may be.

use super::core::Core;
use super::gate::Verdict;
use super::machine::{Ahead, Order, ahead};
use super::spec::{Alone, Spec};
use super::status::Status;
use crate::domain::fault::Fault;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::tend::{Change, ChangeKind};
use jiff::Timestamp;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Tending {
    /// Nothing: no case is open, it waits for a moment, or a person has not said their word yet.
    Leave,
    /// Only a person leads on; why.
    Person(String),
    /// This, if it was not tried too short a time ago.
    Do {
        /// What.
        order: Order,
        /// Which step is next.
        step: StepNumber,
        /// Why.
        why: String,
        /// When it failed last, by the journal, UTC.
        failed: Option<Timestamp>,
    },
}

/// Decides what may be done. `name`: what is typed to confirm; `alone`: the stretches that may begin without a person.
pub fn tend(
    spec: &'static Spec,
    core: Option<&Core>,
    name: &str,
    gate: &dyn Fn(&str) -> Verdict,
    alone: &[&'static str],
) -> Tending {
    let Some(core) = core.filter(|core| core.is_open()) else { return Tending::Leave };
    if let Some(word) = &core.paused {
        return Tending::Person(format!("paused by {}: {}", word.by, word.reason));
    }
    let may = |step: StepNumber| {
        let is_alone = spec.stretch_of(step).is_some_and(|stretch| alone.contains(&stretch.verb));
        is_alone || spec.step(step).is_some_and(|step| step.alone == Alone::Resume)
    };
    let resume = |step, why: String, failed| Tending::Do { order: Order::Resume, step, why, failed };
    match ahead(spec, core) {
        Ahead::Ended => Tending::Leave,
        Ahead::Close(end) => resume(spec.steps[0].number, format!("{} and not closed", end.word()), None),
        Ahead::Probe(at) if may(at.step()) => resume(at.step(), format!("step {} was interrupted", at.step()), None),
        Ahead::Start(at) if may(at.step()) => resume(at.step(), format!("step {} was not begun", at.step()), None),
        Ahead::Failed(step, fault) if fault.is_passing() && may(step) => {
            let why = format!("step {step} failed with what may have passed: {}", fault.message);
            resume(step, why, failed_at(core, step))
        }
        Ahead::Failed(step, fault) => Tending::Person(failed(step, &fault)),
        Ahead::Probe(at) | Ahead::Start(at) => {
            Tending::Person(format!("step {} stands still; resume goes on", at.step()))
        }
        Ahead::Pause { next } => pause(spec, core, next, name, &gate(next), alone),
    }
}

fn failed(step: StepNumber, fault: &Fault) -> String {
    format!("step {step} failed: {}; {}", fault.message, fault.remedy())
}

fn failed_at(core: &Core, step: StepNumber) -> Option<Timestamp> {
    if let StepState::Failed { at, .. } = core.state(step) { Some(*at) } else { None }
}

/// A stretch waits for its word.
fn pause(
    spec: &'static Spec,
    core: &Core,
    next: &'static str,
    name: &str,
    gate: &Verdict,
    alone: &[&'static str],
) -> Tending {
    // What has changed nothing may lie for as long as its operator likes, and where waiting is all there is nothing to say.
    if !core.is_touched() || !gate.is_open() && gate.opens().is_some() {
        return Tending::Leave;
    }
    let Some(stretch) = spec.stretch(next) else { return Tending::Leave };
    match gate.reasons().first() {
        None if alone.contains(&next) => {
            let (stretch_verb, confirm) = (next.to_owned(), name.to_owned());
            let order = Order::Begin { stretch: stretch_verb, confirm, reference: String::new() };
            let why = format!("{next} may begin by itself, and its gate is open");
            Tending::Do { order, step: stretch.from, why, failed: None }
        }
        None => Tending::Person(format!("the gate is open: {next}")),
        Some(reason) => Tending::Person(format!("{next} is shut: {reason}")),
    }
}

/// What has changed. At the first look only what is under way or needs attention is told.
pub fn changes(before: Option<&Status>, now: &Status) -> Vec<Change> {
    let mut found = Vec::new();
    let mut add = |kind, text: String| found.push(Change { kind, text });
    if let Some(before) = before {
        let known = before.journal.last().filter(|_| before.case == now.case).map_or(0, |line| line.seq);
        for line in now.journal.iter().filter(|line| line.seq > known) {
            add(ChangeKind::Record, format!("{} {} ({})", line.seq, line.text, line.by));
        }
    }
    // The heartbeat changes all the time and means nothing here.
    let who = |status: &Status| status.holder.as_ref().map(ToString::to_string);
    match (before.and_then(who), who(now)) {
        (before, Some(now)) if before.as_ref() != Some(&now) => add(ChangeKind::Holder, format!("held by {now}")),
        (Some(_), None) => add(ChangeKind::Holder, "nobody holds it any more".into()),
        _ => {}
    }
    let had = |item: &String| before.is_some_and(|before| before.attention.contains(item));
    for item in now.attention.iter().filter(|item| !had(item)) {
        add(ChangeKind::Attention, item.clone());
    }
    for item in before.iter().flat_map(|before| &before.attention).filter(|item| !now.attention.contains(item)) {
        add(ChangeKind::Over, item.clone());
    }
    let is_news = before.is_none_or(|before| before.next.text != now.next.text);
    if is_news && (before.is_some() || now.phase != "idle") {
        add(ChangeKind::Next, now.next.text.clone());
    }
    found
}
