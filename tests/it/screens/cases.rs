//! A subject that is no tenant on the screen: a runbook of four steps that nobody ships, in every state that matters. The status is
//! made by the engine's own functions, so that what is drawn is what a desk would say.

use super::fixture::*;
use changeguard::app::keymap::Key;
use changeguard::app::{Charset, Model, Msg, update};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::case::core::{Core, Stamp};
use changeguard::engine::case::gate::{Fact, FactKind, Verdict, judge};
use changeguard::engine::case::machine::Asked;
use changeguard::engine::case::record::{CaseId, CoreRecord};
use changeguard::engine::case::runbook::{Due, Seen, Telling};
use changeguard::engine::case::spec::{Alone, Confirm, Move, Spec, StepSpec, Stretch, Then, Touch};
use changeguard::engine::case::status::{Line, Status, derive};
use changeguard::engine::case::view::{Cell, Panel, Row, Series, Shape, Tone};
use changeguard::engine::journal::{Holder, Instance};
use changeguard::engine::step::{Progress, Trouble};
use insta::assert_snapshot;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const SMALL: (u16, u16) = (80, 24);
pub const LARGE: (u16, u16) = (120, 40);
const LOOK: StepNumber = StepNumber::ANNOUNCE;
const MIX: StepNumber = StepNumber::CHECK;
pub const PAINT: StepNumber = StepNumber::STAGE;
const CLEAN: StepNumber = StepNumber::SECRET;

const fn step(number: StepNumber, title: &'static str, touches: Touch, undo: Option<&'static str>) -> StepSpec {
    StepSpec { number, title, touches, alone: Alone::Resume, undo }
}

pub static SPEC: Spec = Spec {
    name: "paint",
    noun: "vault",
    title: "A vault is painted",
    pauses: false,
    steps: &[
        step(LOOK, "Look at it", Touch::No, None),
        step(MIX, "Mix", Touch::No, Some("the paint is poured away")),
        step(PAINT, "Paint", Touch::Yes, Some("it is painted over in the old colour")),
        step(CLEAN, "Throw away", Touch::NoReturn, None),
    ],
    stretches: &[
        Stretch { verb: "check", key: 'c', from: LOOK, to: LOOK, confirm: Confirm::Nothing, then: Then::Pause },
        Stretch { verb: "paint", key: 'r', from: MIX, to: PAINT, confirm: Confirm::Name, then: Then::Pause },
        Stretch { verb: "clean", key: 'P', from: CLEAN, to: CLEAN, confirm: Confirm::Name, then: Then::Finish },
    ],
};

/// What is seen of the world.
#[derive(Clone, Default)]
pub struct Seeing {
    pub facts: Vec<(&'static str, Fact)>,
    pub silent: bool,
    pub running: bool,
    pub held: bool,
    pub due: bool,
}

pub fn fact(name: &'static str, text: &str, kind: FactKind, until: Option<&str>) -> Fact {
    let remedy = if until.is_some() { "" } else { "take it away" };
    Fact { name, text: text.into(), who: Vec::new(), remedy: remedy.into(), until: until.map(at), kind }
}

/// The case that these records make, one a minute up to now.
pub fn case(records: &[CoreRecord]) -> Core {
    let first = now().as_second() - records.len() as i64 * 60;
    let mut core: Option<Core> = None;
    for (seq, record) in (1..).zip(records) {
        let at = Timestamp::from_second(first + seq * 60).unwrap();
        let stamp = Stamp { seq: seq as u64, at, person: "mira" };
        match &mut core {
            None => core = Some(Core::open(&SPEC, stamp, record).unwrap()),
            Some(core) => {
                core.check(record).unwrap();
                core.apply(stamp, record);
            }
        }
    }
    core.unwrap()
}

pub fn opened() -> Vec<CoreRecord> {
    let (runbook, subject, reference) = ("paint".into(), "vault/east".into(), "CHG-4".into());
    vec![
        CoreRecord::Opened { case: CaseId("vault-east-1".into()), runbook, subject, reference },
        CoreRecord::Begun { verb: "check".into(), afresh: false },
        CoreRecord::StepStarted { step: LOOK },
        CoreRecord::StepSucceeded { step: LOOK, evidence: "three walls are of one colour".into() },
    ]
}

pub fn painting() -> Vec<CoreRecord> {
    let mut records = opened();
    records.extend([
        CoreRecord::Begun { verb: "paint".into(), afresh: false },
        CoreRecord::StepStarted { step: MIX },
        CoreRecord::StepSucceeded { step: MIX, evidence: "ten litres of green".into() },
        CoreRecord::StepStarted { step: PAINT },
        CoreRecord::Touching { step: PAINT },
    ]);
    records
}

pub fn failed_case() -> Vec<CoreRecord> {
    let mut records = painting();
    let fault = Fault::new(Service::Node, FaultKind::Refused, "the north wall is wet").hint("let it dry");
    records.push(CoreRecord::StepFailed { step: PAINT, fault });
    records
}

pub fn painted() -> Vec<CoreRecord> {
    let mut records = painting();
    records.push(CoreRecord::StepSucceeded { step: PAINT, evidence: "all walls are green".into() });
    records
}

pub fn turned() -> Vec<CoreRecord> {
    let mut records = failed_case();
    let road = vec![Move::Undo(PAINT), Move::Undo(MIX)];
    records.push(CoreRecord::TurnedBack { reason: "it rains".into(), road });
    records.push(CoreRecord::StepStarted { step: PAINT });
    records
}

pub fn gate(seeing: &Seeing, core: Option<&Core>, verb: &str) -> Verdict {
    let facts = seeing.facts.iter().filter(|(of, _)| *of == verb).map(|(_, fact)| fact.clone()).collect();
    judge(facts, |fact| core.is_some_and(|core| core.set_aside.contains_key(fact)))
}

pub fn road(core: Option<&Core>) -> Result<Vec<Move>, String> {
    Ok(core.ok_or("no case is open")?.touched.iter().rev().map(|step| Move::Undo(*step)).collect())
}

fn holder() -> Holder {
    let instance = Instance { id: "2".repeat(32), boot: "b".into(), namespace: "n".into(), started: 1 };
    Holder::new("jo".into(), "bastion-1".into(), 7, now(), instance)
}

pub fn status(records: &[CoreRecord], seeing: &Seeing) -> Status {
    let mut core = (!records.is_empty()).then(|| case(records));
    if let Some(core) = core.as_mut().filter(|_| !seeing.running && !seeing.held) {
        core.interrupt();
    }
    let lines = records.iter().zip(1..).map(|(record, seq)| {
        let at = Timestamp::from_second(now().as_second() - (records.len() as i64 - seq) * 60).unwrap();
        let incident = matches!(record, CoreRecord::StepFailed { .. });
        Line { seq: seq as u64, at, by: "mira@bastion-2".into(), text: record.summary(), incident }
    });
    let gate = |verb: &str| gate(seeing, core.as_ref(), verb);
    let road = || road(core.as_ref());
    let asked = Asked {
        spec: &SPEC,
        subject: "vault/east",
        name: "east",
        core: core.as_ref(),
        gate: &gate,
        awaited: &[],
        questions: &[],
        road: &road,
        new: CaseId("new".into()),
        lost: None,
    };
    static TROUBLES: [Trouble; 1] = [Trouble { symptom: "it drips", remedy: "wait an hour" }];
    let holder = seeing.held.then(holder);
    derive(&asked, lines.collect(), telling(seeing), holder.as_ref(), &|_| &TROUBLES, seeing.running)
}

fn telling(seeing: &Seeing) -> Telling {
    let mark = |text: &str, tone| Cell::toned(text, tone);
    let row = |name: &str, cells: &[(&str, Tone)]| Row {
        cells: std::iter::once(Cell::plain(name)).chain(cells.iter().map(|(text, tone)| mark(text, *tone))).collect(),
        opens: vec![format!("{name}: the whole of it")],
        seen: None,
    };
    let walls = Shape::Matrix {
        columns: ["wall", "0 primer", "1 coat", "2 gloss"].map(String::from).to_vec(),
        rows: vec![
            row("north", &[("e19c0b41 2 min", Tone::Good), ("77d0a1f2 6 d", Tone::Good), ("51c7e9aa 6 d", Tone::Good)]),
            row("south", &[("e19c0b41 2 min", Tone::Good), ("0a33b7c1 1 d", Tone::Bad), ("51c7e9aa 6 d", Tone::Good)]),
            row("west", &[("e19c0b41 2 min", Tone::Good), ("77d0a1f2 6 d", Tone::Good), ("-", Tone::Faint)]),
        ],
    };
    let dry = vec![Cell {
        until: Some(at("2026-11-26T20:10:00Z")),
        ..mark("the old coat is needed until it is dry", Tone::Warn)
    }];
    let series = [("north", vec![0, 4, 10, 40, 60]), ("south", vec![0, 0, 0, 0, 2])].map(|(name, values)| Series {
        name: name.into(),
        values,
        tone: Tone::Good,
    });
    let drips =
        Shape::Timeline { series: series.to_vec(), threshold: Some(100), unit: "drips of what is allowed".into() };
    let (attention, silent) = match seeing.silent {
        true => (vec!["west: no answer in 20 s".to_owned()], Some("no answer in 20 s".to_owned())),
        false => (Vec::new(), None),
    };
    let seen = |name: &str, at: &str, fault| Seen { name: name.into(), at: Some(super::fixture::at(at)), fault };
    Telling {
        attention,
        panels: vec![
            Panel { title: "Walls (of all rooms)".into(), shape: walls },
            Panel { title: "Not before".into(), shape: Shape::Lines { lines: dry } },
            Panel { title: "Drips".into(), shape: drips },
        ],
        json: serde_json::Value::Null,
        foreseen: vec!["every wall becomes green".into()],
        due: Some(Due { now: seeing.due, text: "painted a year ago".into(), at: Some(at("2026-12-01T08:00:00Z")) }),
        comes_to: BTreeMap::from([("paint", vec!["every wall becomes green".to_owned()])]),
        seen: vec![
            seen("north", "2026-11-24T21:09:58Z", None),
            seen("south", "2026-11-24T21:09:58Z", None),
            seen("west", if silent.is_some() { "2026-11-24T21:04:00Z" } else { "2026-11-24T21:09:58Z" }, silent),
        ],
        alone: Vec::new(),
        safe: None,
    }
}

pub fn id() -> TenantId {
    TenantId::of_subject("vault/east").unwrap()
}

/// The fleet of tenants with the subject among them.
pub fn among(status: Status, size: (u16, u16)) -> Model {
    let mut model = fleet(size);
    update(&mut model, Msg::Subjects(vec![id(), TenantId::of_subject("vault/west-wing-of-the-old-house").unwrap()]));
    update(&mut model, Msg::Case(id(), Arc::new(status)));
    model
}

/// Its page.
pub fn page(status: Status, size: (u16, u16)) -> Model {
    let mut model = Model::new(options(size));
    update(&mut model, Msg::Fleet { tenants: Vec::new(), fault: None });
    update(&mut model, Msg::Subjects(vec![id()]));
    update(&mut model, Msg::Case(id(), Arc::new(status)));
    press(&mut model, &[Key::Enter]);
    model
}

pub fn waits() -> Seeing {
    let dry = fact("dry", "the coat is wet", FactKind::MayBeSetAside, Some("2026-11-26T20:10:00Z"));
    Seeing { facts: vec![("clean", dry)], ..Seeing::default() }
}

pub fn shut() -> Seeing {
    let ladder = fact("ladder", "a ladder stands at the south wall", FactKind::Seen, None);
    let wet = fact("wet", "the weather is not known", FactKind::Unknown, None);
    Seeing { facts: vec![("paint", ladder), ("paint", wet)], due: true, ..Seeing::default() }
}

#[test]
fn the_fleet_lists_subjects_of_every_kind_together() {
    for (name, size) in [("80x24", SMALL), ("120x40", LARGE)] {
        let mut model = among(status(&failed_case(), &waits()), size);
        assert_snapshot!(format!("the_fleet_with_a_subject_{name}"), screen(&model));
        press(&mut model, &[Key::Char('/')]);
        typed(&mut model, "vault stopped");
        let shown = screen(&model);
        assert!(shown.contains("1/1 of 10") && shown.contains("vault/east") && !shown.contains("acme"), "{shown}");
    }
}

#[test]
fn a_subject_at_rest_half_way_and_failed() {
    for (name, size) in [("80x24", SMALL), ("120x40", LARGE)] {
        assert_snapshot!(
            format!("a_subject_at_rest_with_its_gate_shut_{name}"),
            screen(&page(status(&[], &shut()), size))
        );
        let mut model = page(status(&painted(), &waits()), size);
        press(&mut model, &[Key::Char('2')]);
        assert_snapshot!(format!("a_subject_half_way_{name}"), screen(&model));
        assert_snapshot!(
            format!("a_subject_that_failed_{name}"),
            screen(&page(status(&failed_case(), &waits()), size))
        );
    }
}

#[test]
fn a_subject_at_work() {
    let mut model = page(status(&painting(), &Seeing { running: true, ..waits() }), SMALL);
    update(&mut model, Msg::JobStarted { tenant: id(), what: "paint".into() });
    let progress = Progress { step: PAINT, done: 1, total: 3, text: "north is green".into() };
    update(&mut model, Msg::Progress { tenant: id(), progress });
    press(&mut model, &[Key::Char('6')]);
    assert_snapshot!(screen(&model));
    // Of a step that is over nothing is said any more.
    let progress = Progress { step: LOOK, done: 3, total: 3, text: "all were looked at".into() };
    update(&mut model, Msg::Progress { tenant: id(), progress });
    update(&mut model, Msg::Case(id(), Arc::new(status(&painting(), &Seeing { running: true, ..waits() }))));
    press(&mut model, &[Key::Char('2')]);
    let shown = screen(&model);
    assert!(!shown.contains("all were looked at") && shown.contains("paint is running"), "{shown}");
    assert_eq!(shown.matches("wait until that has ended").count(), 1, "{shown}");
}

#[test]
fn what_does_not_answer_is_named_and_what_was_seen_loses_its_colour() {
    let model = page(status(&[], &Seeing { silent: true, ..Seeing::default() }), SMALL);
    let shown = screen(&model);
    assert!(shown.contains("○ west 6 min") && shown.contains("✓ north"), "{shown}");
    let fleet = screen(&among(status(&[], &Seeing { silent: true, ..Seeing::default() }), LARGE));
    assert!(fleet.contains("○ west no answer, 6 min"), "{fleet}");
}

#[test]
fn a_subject_in_ascii_without_colour() {
    let mut model = page(status(&painted(), &waits()), SMALL);
    model.options.charset = Charset::Ascii;
    model.options.palette = changeguard::app::Palette::None;
    let text = screen(&model);
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("x0a33b7c1"), "a difference is a sign, too: {text}");
}

#[test]
fn the_forms_say_what_will_happen_before_a_name_is_typed() {
    let mut text = String::new();
    for (records, seeing, key) in [
        (opened(), Seeing::default(), 'r'),
        (painted(), Seeing::default(), 'P'),
        (painted(), waits(), 'R'),
        (painted(), waits(), 'D'),
        (failed_case(), waits(), 'u'),
    ] {
        let mut model = page(status(&records, &seeing), SMALL);
        press(&mut model, &[Key::Char(key)]);
        text.push_str(&screen(&model));
        text.push('\n');
    }
    assert_snapshot!(text);
}

#[test]
fn enter_opens_a_step_with_its_troubles_and_a_row_in_full() {
    let mut model = page(status(&failed_case(), &waits()), SMALL);
    press(&mut model, &[Key::Char('1'), Key::Down, Key::Down, Key::Enter]);
    let shown = screen(&model);
    assert!(
        shown.contains("the north wall is wet") && shown.contains("it drips") && shown.contains("in the old colour"),
        "{shown}"
    );
    press(&mut model, &[Key::Esc, Key::Char('4'), Key::Down, Key::Enter]);
    assert!(screen(&model).contains("south: the whole of it"));
}

#[test]
fn another_holder_is_named_and_shuts_every_verb() {
    let mut model = page(status(&painting(), &Seeing { held: true, ..waits() }), SMALL);
    let shown = screen(&model);
    assert!(shown.contains("HELD by") && shown.contains("running"), "{shown}");
    for key in "crPuRdxDN".chars() {
        assert!(press(&mut model, &[Key::Char(key)]).is_empty(), "{key}");
        assert!(model.dialog.is_none() && screen(&model).contains("held by"), "{key}: {}", screen(&model));
    }
}

#[test]
fn a_journal_that_can_not_be_read_is_said_and_nothing_is_begun_upon_what_it_said_before() {
    let fault =
        Fault::new(Service::Journal, FaultKind::Malformed, "record 7 can't be understood").hint("see `audit verify`");
    let mut model = page(status(&painted(), &Seeing::default()).blind(&fault), SMALL);
    assert!(screen(&model).contains("the journal can't be read: see `audit verify`"), "{}", screen(&model));
    for key in "crPuRdxDN".chars() {
        assert!(press(&mut model, &[Key::Char(key)]).is_empty() && model.dialog.is_none(), "{key}");
        assert!(screen(&model).contains("record 7"), "{key}: {}", screen(&model));
    }
}
