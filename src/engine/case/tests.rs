//! Every state that a case of a small runbook can come to, walked: what is offered is accepted there, and leads to an end.

use super::core::{Core, Stamp, Way};
use super::gate::{Fact, FactKind, Verdict, judge as judge_gate};
use super::machine::{Ahead, Asked, Order, Refusal, ahead, judge};
use super::next::next;
use super::record::{CaseId, CoreRecord, End};
use super::spec::{Alone, Confirm, Move, Spec, StepSpec, Stretch, Then, Touch};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::step::StepNumber;
use jiff::Timestamp;
use std::collections::{BTreeSet, VecDeque};

const ONE: StepNumber = StepNumber::ANNOUNCE;
const TWO: StepNumber = StepNumber::CHECK;
const THREE: StepNumber = StepNumber::STAGE;
const FOUR: StepNumber = StepNumber::SECRET;

static TOY: Spec = Spec {
    name: "toy",
    noun: "box",
    title: "A box is painted",
    pauses: false,
    steps: &[
        StepSpec { number: ONE, title: "Look", touches: Touch::No, alone: Alone::Resume, undo: Some("nothing to do") },
        StepSpec { number: TWO, title: "Mix", touches: Touch::No, alone: Alone::Resume, undo: Some("pour it away") },
        StepSpec {
            number: THREE,
            title: "Paint",
            touches: Touch::Yes,
            alone: Alone::Resume,
            undo: Some("paint it back"),
        },
        StepSpec { number: FOUR, title: "Burn the rest", touches: Touch::NoReturn, alone: Alone::Person, undo: None },
    ],
    stretches: &[
        Stretch { verb: "check", key: 'c', from: ONE, to: ONE, confirm: Confirm::Nothing, then: Then::Pause },
        Stretch { verb: "paint", key: 'r', from: TWO, to: THREE, confirm: Confirm::Name, then: Then::Pause },
        Stretch { verb: "burn", key: 'P', from: FOUR, to: FOUR, confirm: Confirm::Name, then: Then::Finish },
    ],
};

fn stamp(seq: u64) -> Stamp<'static> {
    Stamp { seq, at: Timestamp::UNIX_EPOCH, person: "ada" }
}

fn open(_: &str) -> Verdict {
    Verdict::Open
}

fn back(core: &Core) -> Vec<Move> {
    let touched = core.touched.iter().rev().copied();
    touched.map(Move::Undo).collect()
}

fn ask(core: Option<&Core>, gate: &dyn Fn(&str) -> Verdict, order: &Order) -> Result<Vec<CoreRecord>, Refusal> {
    let road = || core.map(back).ok_or_else(|| "no case".to_owned());
    let new = CaseId("box-b-1".into());
    judge(
        &Asked {
            spec: &TOY,
            subject: "box/b",
            name: "b",
            core,
            gate,
            awaited: &[],
            questions: &[],
            road: &road,
            new,
            lost: None,
        },
        order,
    )
}

fn fold(core: Option<Core>, record: CoreRecord) -> Core {
    match core {
        Some(mut core) => {
            core.check(&record).unwrap_or_else(|why| panic!("{record:?}: {why}"));
            let seq = core.seq + 1;
            core.apply(stamp(seq), &record);
            core
        }
        None => Core::open(&TOY, stamp(1), &record).unwrap(),
    }
}

fn fault() -> Fault {
    Fault::new(Service::Server, FaultKind::Refused, "no paint")
}

/// How a step ends in the walk.
#[derive(Clone, Copy, Debug)]
enum Luck {
    Good,
    Fails,
    /// The process is killed: before it has touched anything, or behind that.
    Dies {
        touched: bool,
    },
}

/// All ways in which the case can come one act further.
fn further(core: &Core) -> Vec<Core> {
    let begin = |step: Move, luck: Luck| {
        let number = step.step();
        let mut core = fold(Some(core.clone()), CoreRecord::StepStarted { step: number });
        let touches = TOY.step(number).unwrap().touches != Touch::No && core.way == Way::Forward;
        if touches && !matches!(luck, Luck::Dies { touched: false }) {
            core = fold(Some(core), CoreRecord::Touching { step: number });
        }
        match luck {
            Luck::Good => fold(Some(core), CoreRecord::StepSucceeded { step: number, evidence: "seen".into() }),
            Luck::Fails => fold(Some(core), CoreRecord::StepFailed { step: number, fault: fault() }),
            Luck::Dies { .. } => {
                core.interrupt();
                core
            }
        }
    };
    match ahead(&TOY, core) {
        Ahead::Start(step) => [Luck::Good, Luck::Fails, Luck::Dies { touched: false }, Luck::Dies { touched: true }]
            .into_iter()
            .map(|luck| begin(step, luck))
            .collect(),
        Ahead::Probe(step) => [true, false]
            .into_iter()
            .map(|done| {
                let record = CoreRecord::StepResolved { step: step.step(), done, reason: "seen".into() };
                fold(Some(core.clone()), record)
            })
            .collect(),
        Ahead::Failed(step, _) => vec![begin(Move::Perform(step), Luck::Good), begin(Move::Perform(step), Luck::Fails)],
        Ahead::Close(end) => vec![fold(Some(core.clone()), CoreRecord::Finished { end, note: String::new() })],
        Ahead::Pause { .. } | Ahead::Ended => Vec::new(),
    }
}

/// Every order that an operator can give, with what it asks for.
fn orders() -> Vec<Order> {
    let begin = |verb: &str| Order::Begin { stretch: verb.into(), confirm: "b".into(), reference: String::new() };
    let mut all: Vec<Order> = ["check", "paint", "burn"].map(begin).into();
    all.extend(
        [ONE, TWO, THREE, FOUR]
            .into_iter()
            .flat_map(|step| [true, false].map(|done| Order::Resolve { step, done, reason: "I looked".into() })),
    );
    all.push(Order::Resume);
    all.push(Order::RollBack { confirm: "b".into(), reason: "wrong colour".into() });
    all.push(Order::Cancel { note: String::new() });
    all
}

/// All states, found by all orders and all luck, from no case on.
fn states() -> Vec<Core> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    let mut queue: VecDeque<Option<Core>> = VecDeque::from([None]);
    while let Some(state) = queue.pop_front() {
        let mut found: Vec<Core> = state.as_ref().map(further).unwrap_or_default();
        for order in orders() {
            if let Ok(records) = ask(state.as_ref(), &open, &order) {
                let ended = state.as_ref().is_some_and(|core| !core.is_open());
                let start = if ended { None } else { state.clone() };
                let folded = records.into_iter().fold(start, |core, record| Some(fold(core, record)));
                found.extend(folded);
            }
        }
        for core in found {
            let name = format!("{:?} {:?} {:?} {:?} {:?}", core.leg, core.way, core.begun, core.touched, core.end);
            if seen.insert(name) {
                all.push(core.clone());
                queue.push_back(Some(core));
            }
        }
    }
    all
}

#[test]
fn the_small_runbook_is_sound_as_data_and_each_flaw_is_named() {
    assert_eq!(TOY.faults(), Vec::<String>::new());
    static BAD: Spec = Spec {
        name: "bad",
        noun: "box",
        title: "",
        pauses: false,
        steps: &[
            StepSpec { number: ONE, title: "", touches: Touch::Yes, alone: Alone::Person, undo: None },
            StepSpec { number: TWO, title: "", touches: Touch::NoReturn, alone: Alone::Person, undo: Some("none") },
        ],
        stretches: &[Stretch {
            verb: "go",
            key: 'g',
            from: ONE,
            to: ONE,
            confirm: Confirm::Nothing,
            then: Then::Pause,
        }],
    };
    let faults = BAD.faults().join("; ");
    for flaw in ["part of 0 stretches", "no way back behind it", "nothing is typed", "no end"] {
        assert!(faults.contains(flaw), "{faults}");
    }
}

#[test]
fn in_every_state_what_is_offered_is_accepted_and_leads_to_an_end() {
    let all = states();
    assert!(all.len() > 50, "only {} states", all.len());
    for state in &all {
        let mut core = state.clone();
        let mut acts = 0;
        while core.is_open() {
            acts += 1;
            assert!(acts < 40, "no end from {state:?}");
            let offered = next(&TOY, Some(&core), None, &[], &open);
            let order = offered.order.unwrap_or_else(|| panic!("nothing is offered in {core:?}"));
            let order = match order {
                Order::Begin { stretch, reference, .. } => Order::Begin { stretch, confirm: "b".into(), reference },
                other => other,
            };
            let records = ask(Some(&core), &open, &order).unwrap_or_else(|why| panic!("{order:?} in {core:?}: {why}"));
            core = records.into_iter().fold(core, |core, record| fold(Some(core), record));
            // All that follows goes well.
            while let Some(good) = further(&core).into_iter().next() {
                core = good;
            }
        }
    }
}

#[test]
fn a_way_back_is_open_from_the_first_change_to_the_point_of_no_return_and_a_cancellation_before_it_only() {
    for core in states().iter().filter(|core| core.is_open()) {
        let rolled = ask(Some(core), &open, &Order::RollBack { confirm: "b".into(), reason: "no".into() });
        let cancelled = ask(Some(core), &open, &Order::Cancel { note: String::new() });
        let gone = core.touched.contains(&FOUR);
        let may = core.is_touched() && !gone && core.way == Way::Forward;
        assert_eq!(rolled.is_ok(), may, "{rolled:?} in {core:?}");
        assert_eq!(cancelled.is_ok(), !core.is_touched() || core.way == Way::Out, "{cancelled:?} in {core:?}");
    }
}

#[test]
fn a_case_ends_as_it_went() {
    for core in states() {
        let Some((end, _, _)) = &core.end else { continue };
        let expected = match core.way {
            Way::Forward => End::Done,
            Way::Back => End::TakenBack,
            Way::Out => End::Cancelled,
        };
        assert_eq!(*end, expected);
        assert_eq!(core.is_touched(), *end != End::Cancelled, "{core:?}");
    }
}

#[test]
fn a_shut_gate_refuses_its_stretch_and_next_waits_or_names_what_to_do() {
    let until: Timestamp = "2026-11-24T22:10:00Z".parse().unwrap();
    let wait = |_: &str| {
        let text = "key 4 may still be asked for".into();
        let (remedy, kind) = (String::new(), FactKind::MayBeSetAside);
        let fact = Fact { name: "not-before", text, who: vec![], remedy, until: Some(until), kind };
        judge_gate(vec![fact], |_| false)
    };
    let paint = Order::Begin { stretch: "paint".into(), confirm: "b".into(), reference: String::new() };
    assert!(matches!(ask(None, &wait, &paint), Err(Refusal::Shut { .. })));
    let offered = next(&TOY, None, None, &[], &wait);
    assert_eq!((offered.order, offered.until), (None, Some(until)), "{}", offered.text);
    let broken = |_: &str| {
        let (text, remedy) = ("node2 can't be reached".into(), "bring it back".into());
        let fact =
            Fact { name: "nodes", text, who: vec!["node2".into()], remedy, until: None, kind: FactKind::Unknown };
        judge_gate(vec![fact], |_| true)
    };
    assert!(matches!(broken("paint"), Verdict::Unknown(_)), "what is not known can't be set aside");
    let offered = next(&TOY, None, None, &[], &broken);
    assert_eq!(offered.order, None, "a check can only meet it again: {}", offered.text);
    let unseen = |_: &str| {
        let (text, remedy) = ("nobody has looked at node2".into(), "check".into());
        judge_gate(
            vec![Fact { name: "nodes", text, who: vec![], remedy, until: None, kind: FactKind::Unknown }],
            |_| false,
        )
    };
    let offered = next(&TOY, None, None, &[], &unseen);
    let Some(Order::Begin { stretch, .. }) = offered.order else { panic!("{}", offered.text) };
    assert_eq!(stretch, "check", "{}", offered.text);
}

#[test]
fn the_order_that_a_failure_offers_is_the_first_that_it_carries_and_is_taken_and_the_sentence_names_no_other() {
    use Lead::{Cancel, Resume, RollBack, SetAside, Settle};
    let leads: [&[Lead]; 8] = [
        &[],
        &[Resume],
        &[RollBack],
        &[Cancel],
        &[Resume, RollBack],
        &[RollBack, Resume],
        &[Resume, Cancel],
        &[Cancel, RollBack],
    ];
    // What is to be done by hand may speak of anything: nobody reads an order out of it.
    let advices = ["", "let it dry", "nothing was changed; roll the tape back, cancel the courier or resume your walk"];
    let failed = states().into_iter().filter(|core| matches!(ahead(&TOY, core), Ahead::Failed(..)));
    let mut seen = BTreeSet::new();
    let ways = leads.into_iter().flat_map(|leads| advices.map(|advice| (leads, advice)));
    for (core, (leads, advice)) in failed.flat_map(|core| ways.clone().map(move |way| (core.clone(), way))) {
        let Ahead::Failed(step, fault) = ahead(&TOY, &core) else { continue };
        let mut core = core;
        let fault = fault.hint(advice);
        let fault = if leads.is_empty() { fault } else { fault.leads(leads) };
        let words = leads.iter().map(|lead| lead.word()).collect::<Vec<_>>().join(", or ");
        assert!(fault.advice().ends_with(&words) && fault.advice().starts_with(advice), "{}", fault.advice());
        let by_hand = fault.by_hand().to_owned();
        core.apply(stamp(core.seq + 1), &CoreRecord::StepFailed { step, fault });
        let offered = next(&TOY, Some(&core), None, &[], &open);
        let order = offered.order.unwrap_or_else(|| panic!("{}", offered.text));
        let given = super::offer::filled(&order, "b");
        assert!(ask(Some(&core), &open, &given).is_ok(), "{order:?}: {}", offered.text);
        let taken = |lead: &&Lead| match lead {
            RollBack => core.is_touched() && !core.touched.contains(&FOUR) && core.way == Way::Forward,
            Cancel => !core.is_touched() && core.way == Way::Forward,
            Resume => true,
            SetAside | Settle => false,
        };
        let first = leads.iter().find(taken).copied().unwrap_or(Resume);
        assert_eq!(first.word().replace(' ', ""), order.word(), "{}", offered.text);
        let told = if by_hand.is_empty() { first.word().into() } else { format!("{by_hand}; then {}", first.word()) };
        assert_eq!(offered.text, format!("step {step} failed: {told}"));
        seen.insert(order.word().to_owned());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["cancel", "resume", "rollback"]);
}

#[test]
fn what_must_be_typed_is_typed() {
    let typed =
        |confirm: &str| Order::Begin { stretch: "paint".into(), confirm: confirm.into(), reference: String::new() };
    assert!(ask(None, &open, &typed("b")).is_ok() && ask(None, &open, &typed("box/b")).is_ok());
    for confirm in ["", "B", "box", "box/", "b "] {
        assert!(matches!(ask(None, &open, &typed(confirm)), Err(Refusal::BadInput(_))), "{confirm:?}");
    }
}
