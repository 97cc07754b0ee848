//! What an operator may ask for: every verb with its key, what it weighs, what will happen, and why it is not taken now. Key, footer,
//! help and dialog of a subject's screen are made from this; whether a verb is taken is `machine`'s judgement and nothing else.

use super::core::Core;
use super::gate::{Fact, FactKind, Verdict};
use super::letter::told;
use super::machine::{Ahead, Asked, Order, Refusal, ahead, judge, way_out};
use super::spec::{Confirm, Move, Spec, Stretch, Touch};
use crate::domain::step::StepNumber;
use crate::engine::journal::Holder;
use crate::engine::witness::LEAD;
use serde::Serialize;
use std::collections::BTreeMap;

/// The keys of the verbs that every runbook has; those of its stretches stand in its spec.
pub const KEYS: [(&str, char); 11] = [
    ("resume", 'u'),
    ("resolve", 'd'),
    ("rollback", 'R'),
    ("takeover", 'T'),
    ("recover", 'J'),
    ("cancel", 'x'),
    ("set-aside", 'D'),
    ("settle", 'h'),
    ("notify", 'n'),
    ("pause", 'b'),
    ("note", 'N'),
];

/// What recovering does.
const RECOVERS: &str = "everything is looked at first, and where anything can't be, nothing is recorded; then the case goes on from what was \
                        found: nothing is begun a second time, and what is lost opens no gate";

/// What pausing does.
const PAUSES: &str = "whoever is at work stops where the step can: between two instance groups, never within one; what is done stays, and \
                      resume goes on";

/// What a verb does to others, and so what sets it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It only looks.
    Looks,
    /// An operator's own words for the journal, which reach nobody.
    Words,
    /// It goes on with what was confirmed before.
    GoesOn,
    /// It counts as knowledge of what nobody else can tell.
    Counts,
    /// It changes what others live on, takes work back, or opens what was shut.
    Changes,
    /// There is no way back behind it.
    NoReturn,
}

/// What only a person can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Why.
    Reason,
    /// How they know.
    Knowledge,
    /// A note, which may be left empty.
    Remark,
    /// The text of a note.
    Text,
    /// A ticket or incident, which may be left empty.
    Reference,
    /// Whether an interrupted step is done.
    Done,
}

/// A verb.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offer {
    /// Its word.
    pub verb: String,
    /// Its key on the screen.
    pub key: char,
    /// What is asked for; what only a person can say is empty in it.
    #[serde(skip)]
    pub order: Order,
    /// What it does to others.
    pub weight: Weight,
    /// What only a person can say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Ask>,
    /// What will happen, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub does: Vec<String>,
    /// The steps that it sets going, for the help: `1 Check`.
    #[serde(skip)]
    pub steps: String,
    /// Why it is not taken now; none where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shut: Option<String>,
}

/// Every verb, those of the runbook first. `comes_to`: what the runbook says of a verb; `holder`: who else holds the subject.
pub fn offers(
    asked: &Asked<'_>,
    comes_to: &BTreeMap<&'static str, Vec<String>>,
    holder: Option<&Holder>,
) -> Vec<Offer> {
    let open = asked.core.filter(|core| core.is_open());
    let mut all: Vec<Offer> =
        asked.spec.stretches.iter().map(|stretch| of_stretch(asked.spec, open, stretch, comes_to)).collect();
    let make = |order: Order, weight, asks: &[Ask], does: Vec<String>| {
        let key = KEYS.iter().find(|(verb, _)| *verb == order.word()).map_or('?', |(_, key)| *key);
        Offer {
            verb: order.word().to_owned(),
            key,
            order,
            weight,
            asks: asks.to_vec(),
            does,
            steps: String::new(),
            shut: None,
        }
    };
    let empty = String::new;
    all.push(make(Order::Resume, Weight::GoesOn, &[], open.map_or_else(Vec::new, |core| goes_on(asked.spec, core))));
    let step = open.and_then(Core::running);
    let resolve = Order::Resolve { step: step.unwrap_or(asked.spec.steps[0].number), done: false, reason: empty() };
    all.push(make(resolve, Weight::Counts, &[Ask::Done, Ask::Knowledge], step.map(resolved).into_iter().collect()));
    let back = (asked.road)().unwrap_or_default();
    // What the runbook has to say of it beside its steps comes first.
    let first = comes_to.get("rollback").into_iter().flatten().cloned();
    let back = first.chain(back.into_iter().filter_map(|step| taken_back(asked.spec, step))).collect();
    all.push(make(Order::RollBack { confirm: empty(), reason: empty() }, Weight::Changes, &[Ask::Reason], back));
    let over = Order::TakeOver { confirm: empty(), reason: empty() };
    all.push(make(over, Weight::Changes, &[Ask::Reason], holder.map_or_else(Vec::new, taken_over)));
    let recovers = asked.lost.map_or_else(Vec::new, |lost| vec![lost.to_string(), RECOVERS.to_owned()]);
    let recover = Order::Recover { confirm: empty(), reason: empty() };
    all.push(make(recover, Weight::Changes, &[Ask::Reason], recovers));
    let out: Vec<String> = open.filter(|core| !core.is_touched()).map_or_else(Vec::new, |core| {
        let undone = way_out(asked.spec, core).into_iter().filter_map(|step| taken_back(asked.spec, step));
        std::iter::once("nothing was changed yet; the case is closed".to_owned()).chain(undone).collect()
    });
    all.push(make(Order::Cancel { note: empty() }, Weight::Changes, &[Ask::Remark], out));
    all.extend(set_asides(asked).into_iter().map(|fact| {
        let order = Order::SetAside { fact: fact.name.to_owned(), reason: empty() };
        let does = vec![fact.to_string(), format!("from then on {} shuts no gate of this case", fact.name)];
        make(order, Weight::Changes, &[Ask::Reason], does)
    }));
    // Only where a runbook waits for people at all.
    all.extend(asked.awaited.iter().filter(|_| open.is_some()).map(|awaited| {
        let order = Order::Settle { person: awaited.person.clone(), reason: empty() };
        make(order, Weight::Counts, &[Ask::Knowledge], vec![awaited.text.clone()])
    }));
    // The same of mails.
    if let Some(core) = asked.core.filter(|_| !asked.questions.is_empty()) {
        let does = told(&core.unasked(asked.questions, &[], false));
        all.push(make(Order::Notify { confirm: empty(), only: Vec::new(), again: false }, Weight::Changes, &[], does));
    }
    // Whoever is at work may be elsewhere; whether anybody is, is asked when it is said.
    let stops = vec![PAUSES.to_owned()];
    let pause =
        asked.spec.pauses.then(|| make(Order::Pause { reason: empty() }, Weight::GoesOn, &[Ask::Reason], stops));
    all.extend(pause);
    all.push(make(Order::Note { text: empty() }, Weight::Words, &[Ask::Text], Vec::new()));
    for offer in &mut all {
        offer.shut = shut(asked, offer, holder);
    }
    all
}

/// The facts that shut a gate and may be set aside, each once; where there is none, one that stands for the verb.
fn set_asides(asked: &Asked<'_>) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for stretch in asked.spec.stretches {
        for fact in (asked.gate)(stretch.verb).reasons() {
            if fact.kind == FactKind::MayBeSetAside && facts.iter().all(|known| known.name != fact.name) {
                facts.push(fact.clone());
            }
        }
    }
    if facts.is_empty() {
        let (text, remedy) = ("nothing that shuts a gate now".to_owned(), String::new());
        facts.push(Fact { name: "", text, who: Vec::new(), remedy, until: None, kind: FactKind::Seen });
    }
    facts
}

/// An order with everything that a person would give.
pub fn filled(order: &Order, name: &str) -> Order {
    let given = || "x".to_owned();
    match order.clone() {
        Order::Begin { stretch, reference, .. } => Order::Begin { stretch, confirm: name.to_owned(), reference },
        Order::Resolve { step, done, .. } => Order::Resolve { step, done, reason: given() },
        Order::SetAside { fact, .. } => Order::SetAside { fact, reason: given() },
        Order::Settle { person, .. } => Order::Settle { person, reason: given() },
        Order::RollBack { .. } => Order::RollBack { confirm: name.to_owned(), reason: given() },
        Order::TakeOver { .. } => Order::TakeOver { confirm: name.to_owned(), reason: given() },
        Order::Recover { .. } => Order::Recover { confirm: name.to_owned(), reason: given() },
        Order::Notify { only, again, .. } => Order::Notify { confirm: name.to_owned(), only, again },
        Order::Pause { .. } => Order::Pause { reason: given() },
        Order::Note { .. } => Order::Note { text: given() },
        order @ (Order::Resume | Order::Cancel { .. }) => order,
    }
}

/// Why an order is not taken, though everything is given that a person would give.
fn shut(asked: &Asked<'_>, offer: &Offer, holder: Option<&Holder>) -> Option<String> {
    match (holder, &offer.order) {
        (Some(_), Order::TakeOver { .. } | Order::Pause { .. }) => return None,
        (Some(holder), _) => return Some(format!("held by {holder}")),
        (None, Order::TakeOver { .. }) => return Some("nobody else holds it".into()),
        (None, _) => {}
    }
    match judge(asked, &filled(&offer.order, asked.name)).err()? {
        Refusal::Shut { gate, .. } => Some(first_reason(&gate)),
        Refusal::NotNow(_) | Refusal::BadInput(_) if matches!(&offer.order, Order::SetAside { fact, .. } if fact.is_empty()) => {
            Some("nothing that may be set aside shuts a gate".into())
        }
        Refusal::JournalLost(_) => Some(format!("{LEAD}: recover comes first")),
        Refusal::NotNow(_) if matches!(offer.order, Order::Resolve { .. }) => Some("no step was interrupted".into()),
        Refusal::NotNow(why) | Refusal::BadInput(why) => Some(why),
    }
}

/// The first of a gate's reasons, and how many more there are.
pub fn first_reason(gate: &Verdict) -> String {
    match gate.reasons() {
        [] => "the gate is open".into(),
        [only] => format!("the gate is shut: {only}"),
        [first, more @ ..] => format!("the gate is shut: {first} (and {} more)", more.len()),
    }
}

fn of_stretch(
    spec: &'static Spec,
    open: Option<&Core>,
    stretch: &Stretch,
    comes_to: &BTreeMap<&'static str, Vec<String>>,
) -> Offer {
    let confirm = String::new();
    let is_left = |step: StepNumber| open.is_none_or(|core| !core.state(step).is_done());
    let steps: Vec<_> = spec.steps.iter().filter(|step| stretch.has(step.number) && is_left(step.number)).collect();
    let mut does = comes_to.get(stretch.verb).cloned().unwrap_or_default();
    let titles: Vec<String> = steps.iter().map(|step| format!("{} {}", step.number, step.title)).collect();
    if stretch.confirm == Confirm::Name && !titles.is_empty() {
        does.push(format!("the steps: {}", titles.join(", ")));
    }
    for step in &steps {
        match (step.touches, step.undo) {
            (Touch::No, _) => {}
            (Touch::Yes, Some(undo)) => does.push(format!("step {} can be taken back: {undo}", step.number)),
            (Touch::Yes, None) => does.push(format!("step {} can't be taken back by itself", step.number)),
            (Touch::NoReturn, _) => does.push(format!("NO WAY BACK behind step {}", step.number)),
        }
    }
    let no_return = steps.iter().any(|step| step.touches == Touch::NoReturn);
    let weight = match (stretch.confirm, no_return) {
        (Confirm::Nothing, _) => Weight::Looks,
        (Confirm::Name, false) => Weight::Changes,
        (Confirm::Name, true) => Weight::NoReturn,
    };
    // A reference counts where it opens the case.
    let asks = if weight == Weight::Changes && open.is_none() { vec![Ask::Reference] } else { Vec::new() };
    let order = Order::Begin { stretch: stretch.verb.to_owned(), confirm, reference: String::new() };
    let all = spec.steps.iter().filter(|step| stretch.has(step.number));
    let steps = all.map(|step| format!("{} {}", step.number, step.title)).collect::<Vec<_>>().join(", ");
    Offer { verb: stretch.verb.to_owned(), key: stretch.key, order, weight, asks, does, steps, shut: None }
}

fn goes_on(spec: &'static Spec, core: &Core) -> Vec<String> {
    let title = |step: StepNumber| spec.step(step).map(|step| step.title).unwrap_or_default();
    let first = match ahead(spec, core) {
        Ahead::Probe(at) => format!("looks what became of step {} {}, then goes on", at.step(), title(at.step())),
        Ahead::Failed(step, fault) => format!("step {step} {} is tried again; it failed: {fault}", title(step)),
        Ahead::Start(at) => format!("step {} {} comes next", at.step(), title(at.step())),
        Ahead::Close(end) => format!("closes the case: {}", end.word()),
        Ahead::Pause { .. } | Ahead::Ended => return Vec::new(),
    };
    let begun = core.begun.as_deref().and_then(|verb| spec.stretch(verb));
    let until = begun.filter(|_| core.way == super::core::Way::Forward);
    let until = until
        .map(|stretch| format!("goes on to the end of {}: step {} {}", stretch.verb, stretch.to, title(stretch.to)));
    std::iter::once(first).chain(until).collect()
}

fn resolved(step: StepNumber) -> String {
    format!("step {step} was interrupted; where no look can tell how it ended, your word does: look yourself first")
}

/// What a take-over does to whoever holds it.
fn taken_over(holder: &Holder) -> Vec<String> {
    let heartbeat = holder.heartbeat.strftime("%H:%M:%S UTC");
    vec![
        format!("takes it from {holder}; last sign of life {heartbeat} by their clock"),
        "from then on that process can write no record and change nothing outside; what it has sent already may still be carried out"
            .into(),
        "talk to them first if you can; resume then looks before it acts".into(),
    ]
}

/// A move of the way back in words.
fn taken_back(spec: &'static Spec, at: Move) -> Option<String> {
    let step = spec.step(at.step())?;
    Some(match (at, step.undo) {
        (Move::Undo(_), Some(undo)) => format!("step {} {}: {undo}", step.number, step.title),
        (Move::Undo(_), None) => format!("step {} {} is taken back", step.number, step.title),
        (Move::Perform(_), _) => format!("step {} {} is done again", step.number, step.title),
    })
}
