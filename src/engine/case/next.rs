//! The one safe next action of a case, as an order that can be executed, and in words.

use super::core::{Core, Way};
use super::gate::{Fact, FactKind, Verdict};
use super::machine::{Ahead, Order, ahead, comes_now, leads_back};
use super::runbook::{Awaited, Due};
use super::spec::{Confirm, Spec, Touch};
use crate::domain::fault::{Fault, Lead};
use crate::domain::moment::minute;
use crate::domain::step::StepNumber;
use crate::engine::journal::Holder;
use crate::engine::witness::{LEAD, WAY_OUT};
use jiff::Timestamp;
use serde::Serialize;

/// The offered action with its reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    /// What is to be done; none where only waiting or somebody else leads on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// The values of it that only a person can give: `confirm`, `reason`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<&'static str>,
    /// Until when waiting is all, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One line: what to do and why.
    pub text: String,
}

fn offer(order: Order, asks: Vec<&'static str>, text: String) -> Next {
    Next { order: Some(order), asks, until: None, text }
}

fn nothing(text: String, until: Option<Timestamp>) -> Next {
    Next { order: None, asks: Vec::new(), until, text }
}

/// Names one safe next action. `gate`: what the gate before a stretch says now; `awaited`: who must follow.
pub fn next(
    spec: &'static Spec,
    core: Option<&Core>,
    holder: Option<&Holder>,
    awaited: &[Awaited],
    gate: &dyn Fn(&str) -> Verdict,
) -> Next {
    if let Some(holder) = holder {
        return nothing(format!("wait, or talk to them: held by {holder}"), None);
    }
    let Some(core) = core.filter(|core| core.is_open()) else { return first(spec, awaited, gate) };
    match ahead(spec, core) {
        Ahead::Probe(step) if core.paused.is_some() => {
            let why = core.paused.as_ref().map(|word| format!("{}: {}", word.by, word.reason)).unwrap_or_default();
            offer(Order::Resume, Vec::new(), format!("step {} is paused by {why}; resume goes on with it", step.step()))
        }
        Ahead::Probe(step) => {
            let text = format!("step {} was interrupted: resume looks first, then goes on", step.step());
            offer(Order::Resume, Vec::new(), text)
        }
        Ahead::Failed(step, fault) => match shut_before(spec, core, step, gate) {
            // It would be met by the gate again.
            Some(shut) => told(spec, Some(core), &shut, awaited, "resume"),
            None => failed(core, step, &fault, awaited),
        },
        Ahead::Start(step) => {
            offer(Order::Resume, Vec::new(), format!("step {} comes next: resume goes on", step.step()))
        }
        Ahead::Close(end) => offer(Order::Resume, Vec::new(), format!("{}: resume closes the case", end.word())),
        Ahead::Pause { next } => stretch(spec, Some(core), next, awaited, gate(next)),
        Ahead::Ended => first(spec, awaited, gate),
    }
}

/// The end of the journal is lost: nothing else leads on, but to put it back.
pub fn lost() -> Next {
    let order = Order::Recover { confirm: String::new(), reason: String::new() };
    offer(order, vec!["confirm", "reason"], format!("{LEAD}: {WAY_OUT}"))
}

/// The gate before a step that has changed nothing yet, and nothing before it in its stretch, where it is not open.
fn shut_before(spec: &'static Spec, core: &Core, step: StepNumber, gate: &dyn Fn(&str) -> Verdict) -> Option<Verdict> {
    let stretch = spec.stretch_of(step).filter(|_| core.way == Way::Forward)?;
    let touches = spec.step(step).is_some_and(|step| step.touches != Touch::No);
    let is_begun = core.touched.iter().any(|touched| stretch.has(*touched));
    Some(gate(stretch.verb)).filter(|gate| touches && !is_begun && !gate.is_open())
}

/// A step has failed. The first of the orders that it carries is what is offered, if it would be taken, and the sentence names no
/// other one: key and words lead the same way. The others stand in the footer, and the whole advice with the step.
fn failed(core: &Core, step: StepNumber, fault: &Fault, awaited: &[Awaited]) -> Next {
    let by_hand = fault.by_hand();
    // An alarm has a name; one that was set aside is answered.
    let name = by_hand.split_once(": ").map(|(name, _)| name);
    let is_set_aside = name.is_some_and(|name| core.set_aside.contains_key(name));
    let waits = awaited.first();
    let order = |lead: &Lead| match lead {
        Lead::Resume => Some((Order::Resume, Vec::new())),
        Lead::RollBack if leads_back(core) => {
            Some((Order::RollBack { confirm: String::new(), reason: String::new() }, vec!["confirm", "reason"]))
        }
        Lead::Cancel if core.way == Way::Forward && !core.is_touched() => {
            Some((Order::Cancel { note: String::new() }, Vec::new()))
        }
        Lead::SetAside if !is_set_aside => {
            Some((Order::SetAside { fact: name?.to_owned(), reason: String::new() }, vec!["reason"]))
        }
        Lead::Settle => Some((Order::Settle { person: waits?.person.clone(), reason: String::new() }, vec!["reason"])),
        Lead::RollBack | Lead::Cancel | Lead::SetAside => None,
    };
    let found = fault.leads.iter().find_map(|lead| Some((*lead, order(lead)?)));
    let is_answered = is_set_aside || fault.leads.contains(&Lead::Settle) && waits.is_none();
    let (lead, (order, asks)) = found.unwrap_or((Lead::Resume, (Order::Resume, Vec::new())));
    let told = match (lead, by_hand) {
        (Lead::SetAside | Lead::Settle, by_hand) => format!("{by_hand}; {}, then {}", lead.word(), Lead::Resume.word()),
        (_, by_hand) if by_hand.is_empty() || is_answered => lead.word().to_owned(),
        (_, by_hand) => format!("{by_hand}; then {}", lead.word()),
    };
    offer(order, asks, format!("step {step} failed: {told}"))
}

/// Where nothing is due yet, nothing is offered that would begin: it may be asked for all the same.
pub fn early(due: &Due, next: Next) -> Next {
    match &next.order {
        Some(Order::Begin { .. }) if next.asks.contains(&"confirm") => {
            nothing(format!("nothing is due: {}", due.text), due.at)
        }
        _ => next,
    }
}

/// What runs here now; nothing is to be done but to wait.
pub fn running(spec: &'static Spec, core: Option<&Core>) -> Next {
    let step = core.and_then(|core| core.running()).and_then(|step| spec.step(step));
    let back = if core.is_some_and(|core| core.way != Way::Forward) { "taking back " } else { "" };
    let what = step.map_or_else(String::new, |step| format!(": {back}step {} {}", step.number, step.title));
    nothing(format!("it is at work{what}; wait until it has ended"), None)
}

/// Where no case is open: the first stretch that changes something, for those before it only look and are done on its way.
fn first(spec: &'static Spec, awaited: &[Awaited], gate: &dyn Fn(&str) -> Verdict) -> Next {
    match spec.stretches.iter().find(|stretch| stretch.confirm == Confirm::Name) {
        Some(found) => stretch(spec, None, found.verb, awaited, gate(found.verb)),
        None => nothing("nothing is to be done".into(), None),
    }
}

fn stretch(spec: &'static Spec, core: Option<&Core>, verb: &'static str, awaited: &[Awaited], gate: Verdict) -> Next {
    if gate.is_open() {
        let is_typed = spec.stretch(verb).is_some_and(|stretch| stretch.confirm == Confirm::Name);
        let asks = if is_typed { vec!["confirm"] } else { Vec::new() };
        return offer(begin(verb), asks, format!("{verb}: the gate is open"));
    }
    told(spec, core, &gate, awaited, verb)
}

/// It is about people who are waited for, and about nobody else.
pub fn is_awaited(fact: &Fact, awaited: &[Awaited]) -> bool {
    !fact.who.is_empty() && fact.who.iter().all(|who| awaited.iter().any(|one| one.person == *who))
}

fn begin(verb: &str) -> Order {
    Order::Begin { stretch: verb.to_owned(), confirm: String::new(), reference: String::new() }
}

/// What leads on where a gate is shut, and the verb behind it.
fn told(spec: &'static Spec, core: Option<&Core>, gate: &Verdict, awaited: &[Awaited], verb: &str) -> Next {
    let reasons = gate.reasons();
    if let Some(until) = gate.opens() {
        let said = reasons.iter().map(|fact| fact.text.as_str()).collect::<Vec<_>>().join("; ");
        return nothing(format!("wait until {}: {said}", minute(until)), Some(until));
    }
    // What ends by itself comes behind what somebody must do meanwhile.
    let Some(fact) = reasons.iter().find(|fact| fact.until.is_none()).or(reasons.first()) else {
        return nothing(format!("{verb} is shut"), None);
    };
    // Only what would be taken is offered, and only where nobody has looked: what was seen to be wrong a check can only meet again.
    let may_look = |verb: &str| fact.remedy == verb && comes_now(spec, spec.noun, core, verb).is_ok();
    let look = spec.stretches.iter().find(|stretch| stretch.confirm == Confirm::Nothing && may_look(stretch.verb));
    let more = match reasons.len() {
        1 => String::new(),
        many => format!(" (and {} more)", many - 1),
    };
    let aside = if core.is_some() && fact.kind == FactKind::MayBeSetAside {
        format!("; or set {} aside", fact.name)
    } else {
        String::new()
    };
    // Waiting is no word of anybody's; what does not end by itself may need one.
    let is_aside = !aside.is_empty() && fact.until.is_none();
    // Whoever is waited for follows, or somebody knows that they have: that comes before anybody's word that it does not matter.
    if let Some(person) = fact.who.first().filter(|_| is_awaited(fact, awaited)) {
        // Nobody can have followed who was never told.
        if awaited.iter().any(|one| one.to_mail && fact.who.contains(&one.person)) {
            let order = Order::Notify { confirm: String::new(), only: Vec::new(), again: false };
            return offer(order, vec!["confirm"], format!("{fact}{more}{aside}; mail them, then {verb}"));
        }
        let order = Order::Settle { person: person.clone(), reason: String::new() };
        let of_mail = awaited.iter().find(|one| one.person == *person).and_then(|one| one.uncertain());
        let of_mail = of_mail.map(|text| format!("; {text}")).unwrap_or_default();
        return offer(order, vec!["reason"], format!("{fact}{more}{aside}{of_mail}; then {verb}"));
    }
    match look {
        Some(look) => offer(begin(look.verb), Vec::new(), format!("{fact}{more}{aside}")),
        None if is_aside => {
            let order = Order::SetAside { fact: fact.name.to_owned(), reason: String::new() };
            offer(order, vec!["reason"], format!("{fact}{more}{aside}; then {verb}"))
        }
        None => nothing(format!("{fact}{more}{aside}; then {verb}"), None),
    }
}
