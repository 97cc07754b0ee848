//! What is true of a subject at a moment, as one value: the screen draws it and `status --json` prints it.

use super::core::{Core, Way, Word};
use super::gate::{Fact, FactKind, Verdict};
use super::machine::{Ahead, Asked, ahead, comes_now};
use super::next::{Next, early, is_awaited, lost, next, running};
use super::offer::{Offer, offers};
use super::runbook::{Due, Seen, Telling};
use super::spec::{Move, Spec};
use super::view::Panel;
use crate::domain::fault::Fault;
use crate::domain::moment::past_minute;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::journal::Holder;
use crate::engine::step::Trouble;
use crate::engine::witness::WAY_OUT;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The version of the shape that is printed.
pub const SCHEMA: u32 = 2;

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepView {
    /// Its number in the source document.
    pub number: StepNumber,
    /// Its heading.
    pub title: &'static str,
    /// As the journal tells it.
    #[serde(flatten)]
    pub state: StepState,
    /// On the present leg it is taken back, and its state is how far that is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub takes_back: bool,
    /// Somebody has paused it, and nobody has gone on yet.
    #[serde(skip)]
    pub is_paused: bool,
    /// How long it took, ms, where it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// How it is taken back, in words for the operator.
    #[serde(skip)]
    pub undo: Option<&'static str>,
    /// What is known to go wrong in it.
    #[serde(skip)]
    pub troubles: &'static [Trouble],
}

impl StepView {
    /// How it stands, in a word.
    pub fn word(&self) -> &'static str {
        match self.is_paused {
            true => "paused",
            false => word(&self.state, self.takes_back),
        }
    }
}

/// How a step stands, in a word. `takes_back`: on the present leg it is taken back.
fn word(state: &StepState, takes_back: bool) -> &'static str {
    match state {
        StepState::Waiting if takes_back => "to undo",
        StepState::Running { .. } if takes_back => "undoing",
        StepState::Done { .. } if takes_back => "undone",
        state => state.word(),
    }
}

/// How a step of a case stands now, with its word: what came behind the first one that was taken back is waiting again.
pub fn stands(core: &Core, step: StepNumber) -> (StepState, &'static str) {
    let state = if is_taken_back(core, step) { StepState::default() } else { core.state(step).clone() };
    let word = word(&state, core.leg.road.contains(&Move::Undo(step)));
    (state, word)
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Its number.
    pub seq: u64,
    /// When, UTC.
    pub at: Timestamp,
    /// Who, on which host.
    pub by: String,
    /// What.
    pub text: String,
    /// The report lists it among what went wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incident: bool,
}

/// The status of a subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The version of this shape.
    pub schema: u32,
    /// `kind/name`.
    pub subject: String,
    /// Of which runbook.
    pub runbook: &'static str,
    /// One word: how far it is.
    pub phase: &'static str,
    /// The case, where one was ever opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// How the last one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<&'static str>,
    /// Its steps on the present leg.
    pub steps: Vec<StepView>,
    /// What the gate before each stretch says.
    pub gates: BTreeMap<&'static str, Verdict>,
    /// Every verb, and why it is not taken now.
    pub verbs: Vec<Offer>,
    /// What was set aside.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set_aside: BTreeMap<String, Said>,
    /// Somebody has paused it, and nobody has gone on yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Said>,
    /// The one safe next action.
    pub next: Next,
    /// What the next case would come to, as far as a look can tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foreseen: Vec<String>,
    /// Whether a timer shall begin anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Due>,
    /// What is true of the subject whatever has failed, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe: Option<String>,
    /// Everybody outside who was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
    /// The stretches that may begin without a person once their gate is open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alone: Vec<&'static str>,
    /// What must be seen first.
    pub attention: Vec<String>,
    /// Who else holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// The journal of the case.
    pub journal: Vec<Line>,
    /// What the runbook says of it.
    #[serde(flatten)]
    pub own: BTreeMap<&'static str, Value>,
    /// What its screen shows.
    #[serde(skip)]
    pub panels: Vec<Panel>,
}

/// An operator's word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
}

impl From<&Word> for Said {
    fn from(word: &Word) -> Self {
        Self { reason: word.reason.clone(), by: word.by.clone(), at: word.at }
    }
}

impl Status {
    /// The same where whoever holds it has given no sign of life since then: they may have been stopped.
    pub fn quiet(mut self, since: Timestamp, after: Duration) -> Self {
        let Some(holder) = &self.holder else { return self };
        let since = since.strftime("%H:%M:%S UTC");
        self.attention
            .insert(0, format!("{} on {} holds it, and gives no sign of life since {since}", holder.name, holder.host));
        let text = format!(
            "wait: no sign of life since {since}, and after {} s whoever asks for something goes on, or take it over; held by {holder}",
            after.as_secs()
        );
        self.next = Next { order: None, asks: Vec::new(), until: None, text };
        self
    }

    /// The same where the journal can't be read: what it said before is shown, and nothing is begun upon it.
    pub fn blind(mut self, fault: &Fault) -> Self {
        for verb in &mut self.verbs {
            verb.shut = Some(format!("the journal can't be read: {fault}"));
        }
        let text = format!("the journal can't be read: {}", fault.remedy());
        self.next = Next { order: None, asks: Vec::new(), until: None, text };
        self
    }
}

/// Derives the status. `asked`: the case, and what the gates say now; `troubles`: what is known to go wrong in a step;
/// `is_running`: an order is carried out here now.
pub fn derive(
    asked: &Asked<'_>,
    journal: Vec<Line>,
    telling: Telling,
    holder: Option<&Holder>,
    troubles: &dyn Fn(StepNumber) -> &'static [Trouble],
    is_running: bool,
) -> Status {
    let (spec, core, gate) = (asked.spec, asked.core, asked.gate);
    let is_open = core.is_some_and(Core::is_open);
    let waiting = StepState::default();
    let paused = core.filter(|_| is_open && !is_running).and_then(|core| core.paused.as_ref());
    let steps = spec.steps.iter().map(|step| {
        let is_over = core.is_some_and(|core| is_taken_back(core, step.number));
        let state = core.filter(|_| !is_over).map_or(&waiting, |core| core.state(step.number)).clone();
        let took_ms = core.filter(|_| !is_over).and_then(|core| core.took_ms(step.number));
        let troubles = troubles(step.number);
        let takes_back = core.is_some_and(|core| core.leg.road.contains(&Move::Undo(step.number)));
        let is_paused = paused.is_some() && matches!(state, StepState::Interrupted { .. });
        let (number, title, undo) = (step.number, step.title, step.undo);
        StepView { number, title, state, takes_back, is_paused, took_ms, undo, troubles }
    });
    let steps: Vec<StepView> = if core.is_some() { steps.collect() } else { Vec::new() };
    let mut attention = telling.attention;
    if let Some(lost) = asked.lost {
        attention.insert(0, lost.to_string());
    }
    // Half of it is changed, and somebody else has changed it since: that is nobody's waiting, and leads.
    let half = core.filter(|core| is_open && core.is_touched() && !is_running && asked.lost.is_none());
    let coming = half.and_then(|core| match ahead(spec, core) {
        Ahead::Pause { next } => Some(gate(next)),
        _ => None,
    });
    let is_told =
        |fact: &&Fact| fact.kind == FactKind::Seen && fact.until.is_none() && !is_awaited(fact, asked.awaited);
    let facts = coming.iter().flat_map(|gate| gate.reasons()).filter(is_told);
    let facts: Vec<String> =
        facts.map(|fact| fact.to_string()).filter(|text| attention.iter().all(|item| item != text)).collect();
    attention.splice(0..0, facts);
    if let Some(Word { by, reason, at }) = paused {
        attention.insert(0, format!("paused by {by} at {}: {reason}", past_minute(*at)));
    }
    // How far it is, nobody knows where the end of its journal is lost.
    for step in steps.iter().filter(|_| is_open && asked.lost.is_none()) {
        match &step.state {
            StepState::Failed { fault, .. } => attention.push(format!("step {} failed: {fault}", step.number)),
            StepState::Interrupted { .. } if paused.is_some() => {}
            StepState::Interrupted { .. } => attention.push(format!("step {} was interrupted", step.number)),
            _ => {}
        }
    }
    attention.extend(asked.awaited.iter().filter_map(|one| one.uncertain()));
    let set_aside = core.filter(|core| core.is_open()).map(|core| &core.set_aside);
    let set_aside: BTreeMap<String, Said> =
        set_aside.into_iter().flatten().map(|(fact, word)| (fact.clone(), Said::from(word))).collect();
    attention
        .extend(set_aside.iter().map(|(fact, said)| format!("{fact} is set aside by {}: {}", said.by, said.reason)));
    let open = core.filter(|core| core.is_open());
    // A gate that is shown as open is one through which the verb would be let.
    let shown = |verb: &str| match comes_now(spec, asked.subject, open, verb) {
        _ if asked.lost.is_some() => Verdict::Shut(vec![journal_lost(asked)]),
        Ok(_) => gate(verb),
        Err(refusal) => Verdict::Shut(vec![Fact {
            name: "order",
            text: refusal.to_string(),
            who: Vec::new(),
            remedy: String::new(),
            until: None,
            kind: FactKind::Seen,
        }]),
    };
    let mut verbs = offers(asked, &telling.comes_to, holder);
    for verb in verbs.iter_mut().filter(|verb| is_running && verb.verb != "pause") {
        verb.shut = Some("it is at work; wait until that has ended".into());
    }
    // What is at work is asked to stop, and nothing else is.
    for verb in verbs.iter_mut().filter(|verb| is_running && verb.verb == "pause") {
        verb.shut = None;
    }
    // A look alone makes nothing due.
    let is_begun = open.is_some_and(|core| core.is_touched() || !matches!(ahead(spec, core), Ahead::Pause { .. }));
    let own = if telling.json.is_null() { BTreeMap::new() } else { BTreeMap::from([(spec.name, telling.json)]) };
    Status {
        schema: SCHEMA,
        subject: asked.subject.to_owned(),
        runbook: spec.name,
        phase: if paused.is_some() { "paused" } else { phase(spec, core, is_running) },
        case: core.map(|core| core.id.to_string()),
        ended: core.and_then(|core| core.end.as_ref()).map(|(end, _, _)| end.word()),
        steps,
        gates: spec.stretches.iter().map(|stretch| (stretch.verb, shown(stretch.verb))).collect(),
        verbs,
        set_aside,
        paused: paused.map(Said::from),
        next: match telling.due.as_ref().filter(|due| !is_begun && !due.now) {
            _ if is_running => running(spec, core),
            _ if asked.lost.is_some() && holder.is_none() => lost(),
            Some(due) if holder.is_none() => early(due, next(spec, core, None, asked.awaited, gate)),
            _ => next(spec, core, holder, asked.awaited, gate),
        },
        foreseen: telling.foreseen,
        due: telling.due,
        safe: telling.safe,
        seen: telling.seen,
        alone: telling.alone,
        attention,
        holder: holder.cloned(),
        journal,
        own,
        panels: telling.panels,
    }
}

/// The end of the journal is lost, as what shuts a gate.
fn journal_lost(asked: &Asked<'_>) -> Fact {
    let text = asked.lost.map(ToString::to_string).unwrap_or_default();
    let remedy = WAY_OUT.to_owned();
    Fact { name: "journal", text, who: Vec::new(), remedy, until: None, kind: FactKind::Seen }
}

/// Whether what a step had come to on the way forward is so no more: it came behind the first one that is taken back.
fn is_taken_back(core: &Core, step: StepNumber) -> bool {
    let first = core.leg.road.iter().map(|at| at.step()).min();
    core.way != Way::Forward && core.leg.state(step).is_none() && first.is_some_and(|first| step > first)
}

fn phase(spec: &'static Spec, core: Option<&Core>, is_running: bool) -> &'static str {
    let Some(core) = core.filter(|core| core.is_open()) else { return "idle" };
    // What runs elsewhere runs, too: nobody else's step is interrupted while its holder lives.
    let is_running =
        is_running || core.running().is_some_and(|step| matches!(core.state(step), StepState::Running { .. }));
    match (core.way, ahead(spec, core)) {
        (Way::Back, _) => "rolling back",
        (Way::Out, _) => "cancelling",
        (Way::Forward, _) if is_running => "running",
        (Way::Forward, Ahead::Failed(..) | Ahead::Probe(_)) => "stopped",
        (Way::Forward, Ahead::Pause { .. }) if core.is_touched() => "half-way",
        (Way::Forward, Ahead::Pause { .. }) => "open",
        // Whoever had begun it has ended between two steps.
        (Way::Forward, Ahead::Start(_) | Ahead::Close(_) | Ahead::Ended) => "stopped",
    }
}
