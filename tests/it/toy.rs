//! A runbook of four steps that nobody ships: what a newcomer writes, and nothing else. It goes through the desk on a real journal,
//! forward, back and out, with a death at every record and at every call of the world.

use async_trait::async_trait;
use changeguard::adapters::store::SqlJournal;
use changeguard::adapters::system::{SystemClock, SystemEntropy};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::step::StepNumber;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::case::core::{Core, Stamp, Way};
use changeguard::engine::case::gate::{Fact, FactKind};
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::record::{End, OwnRecord, Reached};
use changeguard::engine::case::runbook::{Case, Onward, Recovery, Runbook, Step, StepContext, Telling};
use changeguard::engine::case::spec::{Alone, Confirm, Move, Spec, StepSpec, Stretch, Then, Touch};
use changeguard::engine::case::status::Status;
use changeguard::engine::journal::{Holder, Instance, JournalStore};
use changeguard::engine::record::Actor;
use changeguard::engine::step::{Probe, Progress, Trouble};
use changeguard::engine::witness::CaseSeen;
use changeguard::runtime::case::{CaseDesk, Desk, Onlooker, RunFault, Seat};
use changeguard::runtime::fence::LeaseFence;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

const LOOK: StepNumber = StepNumber::ANNOUNCE;
const MIX: StepNumber = StepNumber::CHECK;
const PAINT: StepNumber = StepNumber::STAGE;
const CLEAN: StepNumber = StepNumber::SECRET;

static SPEC: Spec = Spec {
    name: "toy",
    noun: "box",
    title: "A box is painted",
    pauses: false,
    steps: &[
        StepSpec { number: LOOK, title: "Look at it", touches: Touch::No, alone: Alone::Resume, undo: None },
        StepSpec { number: MIX, title: "Mix", touches: Touch::No, alone: Alone::Resume, undo: Some("pour it away") },
        StepSpec {
            number: PAINT,
            title: "Paint",
            touches: Touch::Yes,
            alone: Alone::Resume,
            undo: Some("paint it back"),
        },
        StepSpec {
            number: CLEAN,
            title: "Throw the old paint away",
            touches: Touch::NoReturn,
            alone: Alone::Person,
            undo: None,
        },
    ],
    stretches: &[
        Stretch { verb: "check", key: 'c', from: LOOK, to: LOOK, confirm: Confirm::Nothing, then: Then::Pause },
        Stretch { verb: "paint", key: 'r', from: MIX, to: PAINT, confirm: Confirm::Name, then: Then::Pause },
        Stretch { verb: "clean", key: 'P', from: CLEAN, to: CLEAN, confirm: Confirm::Name, then: Then::Finish },
    ],
};

/// The world: two sides of a box, the paint that is mixed, the old paint that is left.
#[derive(Clone, Debug, PartialEq)]
struct Things {
    sides: [&'static str; 2],
    mixed: bool,
    old_paint: bool,
    wet: bool,
}

/// At which call a process dies, and whether behind it.
type Death = (u64, bool);

#[derive(Clone)]
struct World {
    things: Arc<Mutex<Things>>,
    /// Calls so far, and the one at which the process dies: before it is done, or behind it.
    calls: Arc<Mutex<(u64, Option<Death>)>>,
    dead: Arc<Notify>,
}

impl World {
    fn new() -> Self {
        let things = Things { sides: ["red", "red"], mixed: false, old_paint: true, wet: false };
        Self { things: Arc::new(Mutex::new(things)), calls: Arc::default(), dead: Arc::default() }
    }

    async fn call<T>(&self, change: impl FnOnce(&mut Things) -> T) -> T {
        let dies = {
            let mut calls = self.calls.lock().unwrap();
            calls.0 += 1;
            calls.1.filter(|(at, _)| *at == calls.0).map(|(_, behind)| behind)
        };
        if dies == Some(false) {
            self.die().await;
        }
        let got = change(&mut self.things.lock().unwrap());
        if dies == Some(true) {
            self.die().await;
        }
        got
    }

    async fn die(&self) {
        self.dead.notify_one();
        std::future::pending::<()>().await;
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
enum Own {
    /// A side has this colour now.
    Painted { side: usize, colour: String },
}

impl OwnRecord for Own {
    fn begins(&self) -> bool {
        false
    }
    fn summary(&self) -> String {
        let Own::Painted { side, colour } = self;
        format!("side {side} is {colour}")
    }
}

struct Toy;

#[async_trait]
impl Runbook for Toy {
    type Record = Own;
    type State = Vec<String>;
    type World = World;
    type Sights = Option<Things>;

    fn spec() -> &'static Spec {
        &SPEC
    }
    fn steps() -> Vec<Box<dyn Step<Self>>> {
        vec![Box::new(Look), Box::new(Mix), Box::new(Paint), Box::new(Clean)]
    }
    fn check(case: &Case<Self>, record: &Own) -> Result<(), String> {
        let Own::Painted { side, .. } = record;
        let running = case.core.running() == Some(PAINT);
        if *side < 2 && running { Ok(()) } else { Err(format!("nobody paints side {side}")) }
    }
    fn apply(state: &mut Vec<String>, core: &Core, _: Stamp<'_>, record: &Own) {
        let Own::Painted { side, colour } = record;
        state.push(format!("{side} {colour} {:?}", core.way));
    }
    fn facts(_: &World, stretch: &str, _: Option<&Case<Self>>, sights: &Option<Things>, _: Timestamp) -> Vec<Fact> {
        let fact = |name, text: &str, kind| {
            let (who, remedy) = (vec![], "look again".into());
            Fact { name, text: text.into(), who, remedy, until: None, kind }
        };
        match sights {
            _ if stretch == "check" => vec![],
            None => vec![fact("seen", "nobody has looked", FactKind::Unknown)],
            Some(things) if things.wet => vec![fact("dry", "it is wet", FactKind::MayBeSetAside)],
            Some(_) => vec![],
        }
    }
    fn way_back(case: &Case<Self>) -> Result<Vec<Move>, String> {
        Ok(case.core.touched.iter().rev().map(|step| Move::Undo(*step)).chain([Move::Undo(MIX)]).collect())
    }
    async fn recover(world: &World, case: &Case<Self>, seen: &CaseSeen) -> Result<Recovery<Own>, Fault> {
        let things = world.call(|things| things.clone()).await;
        let is_thrown = !things.old_paint;
        let touched = if things.sides == ["red", "red"] && !seen.touched { vec![] } else { vec![PAINT] };
        let evidence = format!("{things:?}");
        let found = |done: Vec<StepNumber>, interrupted| {
            let (touched, evidence, next) = (touched.clone(), evidence.clone(), None);
            Reached { done, interrupted, touched, next, evidence }
        };
        let to = seen.run.as_ref().map(|run| run.to);
        let (found, then) = match (case.core.way, to) {
            (_, Some(end)) if seen.ended => (found(vec![LOOK, MIX, PAINT, CLEAN], None), Onward::Over(end)),
            (Way::Back | Way::Out, _) => (found(vec![], None), Onward::On),
            (_, Some(End::TakenBack)) => (found(vec![LOOK, MIX], None), Onward::Back),
            _ if touched.is_empty() => (found(vec![], None), Onward::Out),
            _ if is_thrown => (found(vec![LOOK, MIX, PAINT], Some(CLEAN)), Onward::On),
            _ => (found(vec![LOOK, MIX], Some(PAINT)), Onward::On),
        };
        Ok(Recovery { found, own: vec![], then })
    }
    async fn look(world: &World, _: Option<&Case<Self>>, sights: &mut Option<Things>) {
        *sights = Some(world.call(|things| things.clone()).await);
    }
    fn tell(_: &World, case: Option<&Case<Self>>, _: &Option<Things>, _: Timestamp) -> Telling {
        Telling { json: serde_json::json!({ "painted": case.map(|case| case.own.clone()) }), ..Telling::default() }
    }
}

struct Look;
struct Mix;
struct Paint;
struct Clean;

fn target(context: &StepContext<'_, Toy>) -> &'static str {
    if context.ledger.case().core.way == Way::Forward { "blue" } else { "red" }
}

/// Both sides, from whatever state they are in: the same way forward and back.
async fn converge(context: &StepContext<'_, Toy>) -> Result<String, Fault> {
    let colour = target(context);
    for side in 0..2 {
        if context.world.call(|things| things.sides[side] == colour).await {
            continue;
        }
        context.ledger.touch(PAINT).await?;
        context.world.call(|things| things.sides[side] = colour).await;
        context.ledger.record(Own::Painted { side, colour: colour.into() }).await?;
    }
    Ok(format!("both sides are {colour}"))
}

async fn is_painted(context: &StepContext<'_, Toy>) -> Probe {
    let colour = target(context);
    let sides = context.world.call(|things| things.sides).await;
    if sides == [colour; 2] { Probe::Done("it is".into()) } else { Probe::NotDone(format!("{sides:?}")) }
}

fn said(done: bool) -> Probe {
    if done { Probe::Done("it is so".into()) } else { Probe::NotDone("it is not".into()) }
}

macro_rules! step {
    ($step:ty, $number:expr, |$context:ident| probe $probe:expr, perform $perform:expr, gone $gone:expr, undo $undo:expr) => {
        #[async_trait]
        impl Step<Toy> for $step {
            fn number(&self) -> StepNumber {
                $number
            }
            fn troubles(&self) -> &'static [Trouble] {
                &[]
            }
            async fn probe(&self, $context: &StepContext<'_, Toy>) -> Probe {
                let _ = $context;
                $probe
            }
            async fn perform(&self, $context: &StepContext<'_, Toy>) -> Result<String, Fault> {
                let _ = $context;
                $perform
            }
            async fn probe_undo(&self, $context: &StepContext<'_, Toy>) -> Probe {
                let _ = $context;
                $gone
            }
            async fn undo(&self, $context: &StepContext<'_, Toy>) -> Result<String, Fault> {
                let _ = $context;
                $undo
            }
        }
    };
}

fn no_undo() -> Fault {
    Fault::new(Service::Configuration, FaultKind::Invalid, "it has no undo")
}

step!(Look, LOOK, |context| probe said(false),
    perform Ok(format!("{:?}", context.world.call(|things| things.sides).await)), gone said(true), undo Err(no_undo()));
step!(Mix, MIX, |context| probe said(context.world.call(|things| things.mixed).await),
perform {
    context.world.call(|things| things.mixed = true).await;
    Ok("mixed".into())
},
gone said(!context.world.call(|things| things.mixed).await),
undo {
    context.world.call(|things| things.mixed = false).await;
    Ok("poured away".into())
});
step!(Paint, PAINT, |context| probe is_painted(context).await, perform converge(context).await,
    gone is_painted(context).await, undo converge(context).await);
step!(Clean, CLEAN, |context| probe said(!context.world.call(|things| things.old_paint).await),
    perform {
        context.ledger.touch(CLEAN).await?;
        context.world.call(|things| things.old_paint = false).await;
        Ok("thrown away".into())
    },
    gone said(false), undo Err(no_undo()));

/// Dies at the n-th record.
#[derive(Default)]
struct Watches {
    told: Mutex<(u64, Option<u64>)>,
    dead: Arc<Notify>,
}

impl Onlooker for Watches {
    fn changed(&self, _: &dyn Desk) {
        let mut told = self.told.lock().unwrap();
        told.0 += 1;
        if told.1 == Some(told.0) {
            self.dead.notify_one();
        }
    }
    fn progress(&self, _: &dyn Desk, _: Progress) {}
}

struct Bench {
    folder: tempfile::TempDir,
    world: World,
}

impl Bench {
    fn new() -> Self {
        Self { folder: crate::scene::folder(), world: World::new() }
    }

    async fn desk(&self, watches: Arc<Watches>) -> CaseDesk<Toy> {
        let store: Arc<dyn JournalStore> =
            Arc::new(SqlJournal::in_folder(&self.folder.path().join("state")).await.unwrap());
        let instance = Instance { id: "1".repeat(32), boot: "b".into(), namespace: "n".into(), started: 1 };
        let me = Holder::new("ada".into(), "bastion".into(), 1, Timestamp::now(), instance);
        let actor = Actor {
            by: "ada".into(),
            host: "bastion".into(),
            person: "ada".into(),
            ssh: None,
            unproven: None,
            environment: None,
        };
        let seat = Seat {
            subject: "box/b".into(),
            name: "b".into(),
            key: TenantId::of_subject("box/b").unwrap(),
            fence: Arc::new(LeaseFence::new(store.clone())),
            store,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            me,
            actor,
            onlooker: watches,
            postman: None,
        };
        CaseDesk::new(seat, self.world.clone())
    }
}

/// An order as a person gives it who is offered it.
fn typed(order: Order) -> Order {
    match order {
        Order::Begin { stretch, reference, .. } => Order::Begin { stretch, confirm: "b".into(), reference },
        other => other,
    }
}

fn begin(stretch: &str) -> Order {
    Order::Begin { stretch: stretch.into(), confirm: "b".into(), reference: "CHG-1".into() }
}

/// What an operator does, one order after the other.
fn way(name: &str) -> Vec<Order> {
    let back = || Order::RollBack { confirm: "b".into(), reason: "wrong colour".into() };
    match name {
        "forward" => vec![begin("check"), begin("paint"), begin("clean")],
        "at once" => vec![begin("paint"), begin("clean")],
        "back" => vec![begin("paint"), back()],
        _ => vec![begin("check"), Order::Cancel { note: "another day".into() }],
    }
}

fn end(name: &str) -> (&'static str, Things) {
    let things = |colour, mixed, old_paint| Things { sides: [colour; 2], mixed, old_paint, wet: false };
    match name {
        "forward" | "at once" => ("done", things("blue", true, false)),
        "back" => ("rolled back", things("red", false, true)),
        _ => ("cancelled", things("red", false, true)),
    }
}

/// Goes the way, dying once; whatever is left is done as it is offered.
async fn walk(name: &str, at_call: Option<(u64, bool)>, at_record: Option<u64>) -> (u64, u64) {
    let bench = Bench::new();
    bench.world.calls.lock().unwrap().1 = at_call;
    let watches = Arc::new(Watches { told: Mutex::new((0, at_record)), dead: bench.world.dead.clone() });
    let desk = bench.desk(watches.clone()).await;
    desk.reload().await.unwrap();
    let mut orders = way(name);
    let mut died = false;
    for at in 0..orders.len() {
        let going = desk.run(orders[at].clone());
        tokio::select! {
            biased;
            () = bench.world.dead.notified() => died = true,
            result = going => { result.unwrap(); }
        }
        if died {
            orders.drain(..at);
            break;
        }
    }
    let counted = (bench.world.calls.lock().unwrap().0, watches.told.lock().unwrap().0);
    if died {
        drop(desk);
        bench.world.calls.lock().unwrap().1 = None;
        let desk = bench.desk(Arc::default()).await;
        // What the operator wanted is wanted still; beyond that only what is offered is done.
        for acts in 0.. {
            assert!(acts < 20, "{name} {at_call:?} {at_record:?}: no end: {:?}", desk.status());
            desk.reload().await.unwrap();
            desk.look().await;
            let status = desk.status();
            if status.ended.is_some_and(|_| status.phase == "idle") {
                break;
            }
            let wanted = orders.last().filter(|order| matches!(order, Order::RollBack { .. } | Order::Cancel { .. }));
            let order = match wanted {
                Some(order) if may(&status, order) => order.clone(),
                _ if status.phase == "idle" => orders[0].clone(),
                _ => typed(status.next.order.clone().unwrap_or_else(|| panic!("nothing is offered: {status:?}"))),
            };
            desk.run(order.clone()).await.unwrap_or_else(|fault| panic!("{name} {order:?}: {fault}"));
        }
    }
    let desk = bench.desk(Arc::default()).await;
    desk.reload().await.unwrap();
    let (ended, things) = end(name);
    assert_eq!(desk.status().ended, Some(ended), "{name} {at_call:?} {at_record:?}");
    assert_eq!(*bench.world.things.lock().unwrap(), things, "{name} {at_call:?} {at_record:?}");
    counted
}

/// The person turns as soon as they may.
fn may(status: &Status, order: &Order) -> bool {
    match order {
        Order::RollBack { .. } => status.phase == "half-way",
        Order::Cancel { .. } => status.phase == "open",
        _ => false,
    }
}

#[test]
fn the_procedure_is_sound_as_data() {
    assert_eq!(SPEC.faults(), Vec::<String>::new());
}

#[tokio::test]
async fn killed_at_every_call_and_at_every_record_it_comes_to_the_same_end_each_way() {
    let mut walked = 0;
    for name in ["forward", "at once", "back", "out"] {
        let (calls, told) = walk(name, None, None).await;
        assert!(calls > 2 && told > 3, "{name}: {calls} calls, {told} records");
        for call in 1..=calls {
            for behind in [false, true] {
                walk(name, Some((call, behind)), None).await;
                walked += 1;
            }
        }
        for record in 1..=told {
            walk(name, None, Some(record)).await;
            walked += 1;
        }
    }
    println!("toy runbook: {walked} deaths walked, each with the same end");
}

#[tokio::test]
async fn a_gate_that_is_shut_at_the_moment_of_touching_stops_before_anything_is_changed() {
    let bench = Bench::new();
    let desk = bench.desk(Arc::default()).await;
    desk.run(begin("check")).await.unwrap();
    bench.world.things.lock().unwrap().wet = true;
    let fault = desk.run(begin("paint")).await.unwrap_err();
    assert!(matches!(fault, RunFault::Refused(_)), "{fault}");
    let fact = "dry".to_owned();
    desk.run(Order::SetAside { fact, reason: "it dries fast".into() }).await.unwrap();
    desk.run(begin("paint")).await.unwrap();
    let status = desk.status();
    assert_eq!(status.phase, "half-way");
    assert!(status.attention.iter().any(|line| line.contains("dry is set aside by ada")), "{:?}", status.attention);
}
