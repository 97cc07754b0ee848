//! The machine's decisions, one sentence each: no world, no clock, only inputs and what comes out.

mod accountable;
mod mailbox;
mod resumed;
mod reviews;
mod senders;
mod signing;
mod withdrawal;

use super::*;
use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::client::{Client, ClientId};
use crate::domain::freshness::Baseline;
use crate::domain::gate::Reason;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::notice::NoticeKind;
use crate::domain::preflight::{KeyAgreement, Preflight};
use crate::domain::tenant::TenantId;
use crate::domain::window::Window;
use crate::engine::command::Command;
use crate::engine::ports::SecretRef;
use crate::engine::record::{self, Cause, RotationId, STARTING_TOUCHED};
use std::collections::{BTreeMap, BTreeSet};

fn at(text: &str) -> Timestamp {
    format!("2026-11-24T{text}:00Z").parse().unwrap()
}

fn tenant() -> Tenant {
    Tenant { id: TenantId::new("t1").unwrap(), name: "acme".into(), server: None, gateway: None }
}

const STRICT: SecondMail = SecondMail { interface: true, console: true };
const RULES: Rules =
    Rules { preflight_valid: Duration::from_secs(600), approval: None, second_mail: STRICT, store_first: false };

fn op() -> Actor {
    Actor { by: "op".into(), host: "host".into(), person: "op".into(), ssh: None, unproven: None, environment: None }
}

fn ada() -> Client {
    let (id, name) = (ClientId("ada".into()), "Ada".into());
    Client {
        id,
        name,
        email: Some("ada@x.example".into()),
        public_key: None,
        sources: BTreeSet::new(),
        also: Vec::new(),
    }
}

fn command(machine: &mut Machine, now: Timestamp, command: Command) -> Outputs {
    let outputs = machine.handle(now, Input::Command { command, new_id: RotationId("r1".into()) })?;
    match outputs.last() {
        Some(Output::LookBack) => machine.handle(now, Input::LookedBack { sight: BackSight::default() }),
        Some(Output::HearAgent) => machine.handle(now, Input::AgentHeard { doubt: None }),
        _ => Ok(outputs),
    }
}

/// Planned for 22:00 to 23:00, with Ada as the only client.
fn planned() -> Machine {
    let mut machine = Machine::new(tenant(), op(), RULES, None);
    let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 7).unwrap();
    let plan = Command::Plan { window, cause: Cause::Scheduled, reference: String::new() };
    command(&mut machine, at("20:00"), plan).unwrap();
    machine.emit(at("20:00"), Record::PeopleSeen { clients: vec![ada()], unseen: Vec::new() }).unwrap();
    machine
}

fn answered() -> Machine {
    let mut machine = planned();
    let (client, answer) = (ClientId("ada".into()), Answer::Confirmed);
    let ack = Command::Answer { client, answer, channel: Channel::Phone, note: String::new() };
    command(&mut machine, at("21:00"), ack).unwrap();
    machine
}

fn rotate() -> Command {
    Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() }
}

/// Feeds a green check and its end.
fn check_green(machine: &mut Machine, now: Timestamp) -> Vec<Output> {
    let preflight = Preflight { at: now, checks: vec![], keys: KeyAgreement::default() };
    machine.emit(now, Record::Checked { preflight }).unwrap();
    machine.handle(now, Input::StepEnded { step: StepNumber::CHECK, result: Ok("green".into()) }).unwrap()
}

fn ended(machine: &mut Machine, step: StepNumber, result: Result<&str, Fault>) -> Vec<Output> {
    machine.handle(at("22:10"), Input::StepEnded { step, result: result.map(str::to_owned) }).unwrap()
}

fn performs(outputs: &[Output]) -> Vec<u8> {
    outputs.iter().filter_map(|o| if let Output::Perform(step) = o { Some(step.get()) } else { None }).collect()
}

fn fault() -> Fault {
    Fault::new(Service::Barbican, FaultKind::TimedOut, "no answer")
}

fn staged_key() -> PublicKey {
    PublicKey::from_bytes([KeyRole::Staged as u8; 32])
}

/// Rotating, with steps 3 to 6 done.
fn live() -> Machine {
    let mut machine = answered();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    check_green(&mut machine, at("22:05"));
    for role in [KeyRole::Previous, KeyRole::Staged] {
        let public_key = PublicKey::from_bytes([role as u8; 32]);
        let (name, href) = (role.word().to_owned(), SecretRef(role.word().into()));
        machine.emit(at("22:06"), Record::KeyKeeping { role, public_key, name: name.clone() }).unwrap();
        machine.emit(at("22:06"), Record::KeyKept { role, public_key, name, href }).unwrap();
    }
    ended(&mut machine, StepNumber::STAGE, Ok("done"));
    assert!(machine.touch(at("22:06"), StepNumber::SECRET).unwrap().is_some());
    for step in [StepNumber::SECRET, StepNumber::OBJECT] {
        ended(&mut machine, step, Ok("done"));
    }
    let baseline = Baseline { public_key: staged_key(), clock: 0, peers: BTreeMap::new() };
    machine.emit(at("22:09"), Record::Applied(record::Applied { baseline, waited_ms: 1, unseen_since: None })).unwrap();
    ended(&mut machine, StepNumber::RECONCILE, Ok("live"));
    machine
}

#[test]
fn a_plan_begins_at_revision_one_and_only_one_can_be_open() {
    let mut machine = planned();
    assert_eq!(machine.rotation().unwrap().window.revision, 1);
    let window = Window::parse("2026-11-25 22:00", "1h", "UTC", 1).unwrap();
    let again = Command::Plan { window, cause: Cause::Scheduled, reference: String::new() };
    assert!(matches!(command(&mut machine, at("20:00"), again), Err(Refusal::NotNow(_))));
}

#[test]
fn the_tenants_name_must_be_typed_exactly() {
    let mut machine = answered();
    for typed in ["", "Acme", "acme ", "globex"] {
        let outputs = command(
            &mut machine,
            at("22:05"),
            Command::Rotate { confirm: typed.into(), through_tunnel: String::new() },
        );
        assert!(matches!(outputs, Err(Refusal::BadInput(_))), "{typed:?}");
    }
}

#[test]
fn rotate_checks_first_and_goes_on_through_steps_3_to_6_one_record_at_a_time() {
    let mut machine = answered();
    assert_eq!(performs(&command(&mut machine, at("22:05"), rotate()).unwrap()), [2]);
    assert_eq!(performs(&check_green(&mut machine, at("22:05"))), [3]);
    for (step, next) in [(StepNumber::STAGE, 4), (StepNumber::SECRET, 5), (StepNumber::OBJECT, 6)] {
        let outputs = ended(&mut machine, step, Ok("done"));
        assert_eq!(performs(&outputs), [next]);
        let position = |wanted: fn(&Output) -> bool| outputs.iter().position(wanted).unwrap();
        let started = position(|o| matches!(o, Output::Append(e) if matches!(e.record, Record::StepStarted { .. })));
        assert!(started < position(|o| matches!(o, Output::Perform(_))), "intent first");
    }
    let outputs = ended(&mut machine, StepNumber::RECONCILE, Ok("live"));
    assert!(performs(&outputs).is_empty() && matches!(outputs.last(), Some(Output::Done(_))));
}

#[test]
fn without_an_answer_rotate_is_refused_after_the_check_and_names_the_person() {
    let mut machine = planned();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    let outputs = check_green(&mut machine, at("22:05"));
    let Some(Output::Refused(refusal)) = outputs.last() else { panic!("{outputs:?}") };
    assert!(refusal.to_string().contains("Ada has not been told"), "{refusal}");
    assert!(!machine.rotation().unwrap().touched);
}

#[test]
fn a_client_who_appears_during_the_check_shuts_the_gate() {
    let mut machine = answered();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    let eve = Client { id: ClientId("eve".into()), name: "Eve".into(), ..ada() };
    machine.emit(at("22:05"), Record::PeopleSeen { clients: vec![ada(), eve], unseen: Vec::new() }).unwrap();
    let outputs = check_green(&mut machine, at("22:05"));
    assert!(matches!(outputs.last(), Some(Output::Refused(Refusal::GateShut(_)))));
}

#[test]
fn outside_the_window_rotate_is_refused_before_anything_is_looked_at() {
    for now in ["21:59", "23:00"] {
        let outputs = command(&mut answered(), at(now), rotate());
        assert!(matches!(outputs, Err(Refusal::GateShut(_))), "{now}");
    }
}

#[test]
fn a_changed_window_voids_the_answers() {
    let mut machine = answered();
    let window = Window::parse("2026-11-24 22:30", "1h", "UTC", 1).unwrap();
    command(&mut machine, at("21:30"), Command::Reschedule { window }).unwrap();
    assert_eq!(machine.rotation().unwrap().window.revision, 2);
    command(&mut machine, at("22:40"), rotate()).unwrap();
    let outputs = check_green(&mut machine, at("22:40"));
    assert!(matches!(outputs.last(), Some(Output::Refused(Refusal::GateShut(_)))));
}

#[test]
fn a_window_that_is_as_it_was_makes_no_revision_and_voids_nothing() {
    let mut machine = answered();
    let window = machine.rotation().unwrap().window.clone();
    let refused = command(&mut machine, at("21:30"), Command::Reschedule { window });
    assert!(matches!(refused, Err(Refusal::NotNow(why)) if why.starts_with("nothing changed")));
    assert_eq!(machine.rotation().unwrap().window.revision, 1);
}

#[test]
fn a_second_key_press_is_judged_against_the_state_after_the_first() {
    let mut machine = answered();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    assert!(matches!(command(&mut machine, at("22:05"), rotate()), Err(Refusal::NotNow(_))));
}

#[test]
fn a_failed_step_stops_the_run_and_resume_performs_it_again() {
    let mut machine = answered();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    check_green(&mut machine, at("22:05"));
    ended(&mut machine, StepNumber::STAGE, Ok("done"));
    machine.touch(at("22:06"), StepNumber::SECRET).unwrap().unwrap();
    let outputs = ended(&mut machine, StepNumber::SECRET, Err(fault()));
    assert!(matches!(outputs.last(), Some(Output::Failed(_))));
    // Also after the window: what clients can feel was begun, and leaving it half-done is worse.
    assert_eq!(performs(&command(&mut machine, at("23:30"), Command::Resume).unwrap()), [4]);
}

/// Step 4 is at work, and nothing was changed.
fn before_the_first_change() -> Machine {
    let mut machine = answered();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    check_green(&mut machine, at("22:05"));
    ended(&mut machine, StepNumber::STAGE, Ok("done"));
    machine
}

fn ada_says(machine: &mut Machine, now: &str, answer: Answer) {
    let (client, channel) = (ClientId("ada".into()), Channel::Phone);
    command(machine, at(now), Command::Answer { client, answer, channel, note: String::new() }).unwrap();
}

#[test]
fn the_gate_is_judged_once_more_at_the_moment_of_touching() {
    let touch = |machine: &mut Machine, now: &str| machine.touch(at(now), StepNumber::SECRET);
    assert!(touch(&mut before_the_first_change(), "22:06").unwrap().is_some());
    let shut = |machine: &mut Machine, now: &str| match touch(machine, now) {
        Err(Refusal::GateShut(reasons)) => reasons[0].clone(),
        other => panic!("{other:?}"),
    };
    let mut machine = before_the_first_change();
    ada_says(&mut machine, "22:06", Answer::Declined);
    assert!(matches!(shut(&mut machine, "22:06"), Reason::NotConfirmed { .. }));
    assert!(matches!(shut(&mut before_the_first_change(), "23:00"), Reason::WindowOver { .. }));
    assert!(matches!(shut(&mut before_the_first_change(), "22:30"), Reason::CheckTooOld { .. }));
    let mut machine = before_the_first_change();
    let (clients, unseen) = (vec![ada()], vec!["the console API: no answer".to_owned()]);
    machine.emit(at("22:06"), Record::PeopleSeen { clients, unseen }).unwrap();
    assert!(matches!(shut(&mut machine, "22:06"), Reason::PeopleUnknown { .. }));
}

#[test]
fn a_step_4_that_changed_nothing_leaves_cancel_and_another_window_possible_and_resume_checks_again() {
    for is_killed in [false, true] {
        let mut machine = before_the_first_change();
        match is_killed {
            true => Arc::make_mut(machine.rotation.as_mut().unwrap()).interrupt(),
            false => drop(ended(&mut machine, StepNumber::SECRET, Err(fault()))),
        }
        let again = |machine: &Machine| Machine::new(tenant(), op(), RULES, machine.rotation.clone());
        let cancel = Command::Cancel { confirm: "acme".into(), reason: "no".into() };
        assert!(command(&mut again(&machine), at("22:20"), cancel).is_ok());
        let window = Window::parse("2026-11-25 22:00", "1h", "UTC", 1).unwrap();
        let mut moved = again(&machine);
        command(&mut moved, at("22:20"), Command::Reschedule { window }).unwrap();
        assert!(moved.rotation().unwrap().confirmed_at.is_none());
        assert!(command(&mut moved, at("22:20"), Command::Resume).is_err(), "begins nothing in another window");
        let roll_back = Command::RollBack { confirm: "acme".into(), reason: "x".into(), through_tunnel: String::new() };
        assert!(command(&mut again(&machine), at("22:20"), roll_back).is_err(), "there is nothing to roll back");
        let outputs = command(&mut machine, at("23:30"), Command::Resume).unwrap();
        match is_killed {
            true => assert!(matches!(outputs[..], [Output::Probe(StepNumber::SECRET)])),
            false => assert_eq!(performs(&outputs), [2], "the check, and the gate behind it"),
        }
    }
}

#[test]
fn what_was_surely_refused_leaves_the_gate_in_force_and_what_was_sent_does_not() {
    let mut machine = before_the_first_change();
    machine.touch(at("22:06"), StepNumber::SECRET).unwrap().unwrap();
    machine.emit(at("22:06"), Record::NotTouched { step: StepNumber::SECRET }).unwrap();
    assert!(!machine.rotation().unwrap().touched);
    machine.touch(at("22:07"), StepNumber::SECRET).unwrap().unwrap();
    assert!(machine.touch(at("23:30"), StepNumber::SECRET).unwrap().is_none(), "it is being changed already");
}

#[test]
fn the_start_of_step_4_touches_in_journals_of_before_and_in_no_later_one() {
    for (version, touched) in [(1, true), (2, true), (STARTING_TOUCHED, true), (STARTING_TOUCHED + 1, false)] {
        let mut machine = before_the_first_change();
        let rotation = Arc::make_mut(machine.rotation.as_mut().unwrap());
        rotation.steps[StepNumber::SECRET.index()] = StepState::Waiting;
        let mut entry = Machine::new(tenant(), op(), RULES, Some(Arc::new(rotation.clone())))
            .emit(at("22:08"), Record::StepStarted { step: StepNumber::SECRET })
            .unwrap();
        entry.version = version;
        rotation.apply(&entry);
        assert_eq!(rotation.touched, touched, "version {version}");
    }
}

#[test]
fn an_interrupted_step_is_probed_before_anything_else() {
    let mut rotation = {
        let mut machine = answered();
        command(&mut machine, at("22:05"), rotate()).unwrap();
        check_green(&mut machine, at("22:05"));
        ended(&mut machine, StepNumber::STAGE, Ok("done"));
        Rotation::clone(machine.rotation().unwrap())
    };
    rotation.interrupt();
    let mut machine = Machine::new(tenant(), op(), RULES, Some(Arc::new(rotation)));
    let outputs = command(&mut machine, at("22:20"), Command::Resume).unwrap();
    assert_eq!(outputs, [Output::Probe(StepNumber::SECRET)]);
    let unclear = Input::Probed { step: StepNumber::SECRET, probe: Probe::Unclear(fault()) };
    let outputs = machine.handle(at("22:20"), unclear).unwrap();
    assert!(matches!(outputs[..], [Output::Refused(Refusal::NeedsPerson(_))]));
    let done = Input::Probed { step: StepNumber::SECRET, probe: Probe::Done("seen".into()) };
    assert_eq!(performs(&machine.handle(at("22:20"), done).unwrap()), [5]);
}

#[test]
fn resume_after_everything_was_done_looks_whether_it_still_holds() {
    let mut machine = live();
    assert_eq!(command(&mut machine, at("22:20"), Command::Resume).unwrap(), [Output::Probe(StepNumber::SECRET)]);
    let holds = |step| Input::Probed { step, probe: Probe::Done("seen".into()) };
    let outputs = machine.handle(at("22:20"), holds(StepNumber::SECRET)).unwrap();
    assert_eq!(outputs, [Output::Probe(StepNumber::OBJECT)]);
    // A second secret has landed late, or the platform has written the object back.
    let probe = Probe::NotDone("the object says another".into());
    let outputs = machine.handle(at("22:20"), Input::Probed { step: StepNumber::OBJECT, probe }).unwrap();
    assert_eq!(performs(&outputs), [5]);
}

#[test]
fn resuming_before_anything_was_touched_asks_the_gate_again() {
    let mut machine = answered();
    command(&mut machine, at("22:05"), rotate()).unwrap();
    check_green(&mut machine, at("22:05"));
    ended(&mut machine, StepNumber::STAGE, Err(fault()));
    assert_eq!(performs(&command(&mut machine, at("23:30"), Command::Resume).unwrap()), [2]);
    let outputs = check_green(&mut machine, at("23:30"));
    assert!(matches!(outputs.last(), Some(Output::Refused(Refusal::GateShut(_)))), "the window is over");
}

#[test]
fn cancel_is_for_before_and_roll_back_for_after_the_first_touch() {
    let reason = || "the new key does not work".to_owned();
    let back = || Command::RollBack { confirm: "acme".into(), reason: reason(), through_tunnel: String::new() };
    let cancel = || Command::Cancel { confirm: "acme".into(), reason: reason() };
    assert!(matches!(command(&mut answered(), at("22:05"), back()), Err(Refusal::NotNow(_))));
    assert!(matches!(command(&mut live(), at("22:20"), cancel()), Err(Refusal::NotNow(_))));
    let outputs = command(&mut answered(), at("22:05"), cancel()).unwrap();
    assert_eq!(outputs, [Output::Undo(StepNumber::ANNOUNCE)]);
    // The previous key is kept, so the way back begins with step 4.
    assert_eq!(performs(&command(&mut live(), at("22:20"), back()).unwrap()), [4]);
}

#[test]
fn a_compromised_key_is_never_put_back() {
    let mut machine = live();
    if let Some(rotation) = machine.rotation.as_mut().map(Arc::make_mut) {
        rotation.cause = Cause::Compromise;
    }
    let back = Command::RollBack { confirm: "acme".into(), reason: "broken".into(), through_tunnel: String::new() };
    assert_eq!(performs(&command(&mut machine, at("22:20"), back).unwrap()), [3]);
    assert_eq!(machine.rotation().unwrap().target_role(), KeyRole::Fresh);
}

#[test]
fn a_way_back_whose_key_is_gone_leads_on_by_a_fresh_one_and_by_nothing_else() {
    let mut machine = live();
    let back = || Command::RollBack { confirm: "acme".into(), reason: "broken".into(), through_tunnel: String::new() };
    command(&mut machine, at("22:20"), back()).unwrap();
    let fails = |machine: &mut Machine, kind| {
        let result = Err(Fault::new(Service::Barbican, kind, "it failed"));
        machine.handle(at("22:21"), Input::StepEnded { step: StepNumber::SECRET, result }).unwrap();
    };
    fails(&mut machine, FaultKind::Forbidden);
    assert!(matches!(command(&mut machine, at("22:22"), back()), Err(Refusal::NotNow(_))), "the key is there");
    assert_eq!(performs(&command(&mut machine, at("22:23"), Command::Resume).unwrap()), [4]);
    let name = machine.rotation().unwrap().keys[&KeyRole::Previous].name.clone();
    machine.emit(at("22:23"), Record::KeyGone { role: KeyRole::Previous, name, instead: Vec::new() }).unwrap();
    fails(&mut machine, FaultKind::Refused);
    assert_eq!(performs(&command(&mut machine, at("22:24"), back()).unwrap()), [3]);
    assert_eq!(machine.rotation().unwrap().target_role(), KeyRole::Fresh);
}

#[test]
fn clients_are_told_to_reconfigure_only_after_the_object_and_the_server_have_the_key() {
    let notify = || Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false };
    assert!(matches!(command(&mut answered(), at("22:05"), notify()), Err(Refusal::NotNow(_))));
    assert_eq!(performs(&command(&mut live(), at("22:20"), notify()).unwrap()), [7]);
}

#[test]
fn finish_wants_everybody_back_or_waived() {
    let mut machine = live();
    let finish = || Command::Finish { note: String::new(), despite: String::new() };
    assert!(matches!(command(&mut machine, at("22:20"), finish()), Err(Refusal::NotNow(_))), "step 7 first");
    let notify = Command::Notify { kind: NoticeKind::Reconfigure, only: None, again: false };
    command(&mut machine, at("22:20"), notify).unwrap();
    ended(&mut machine, StepNumber::RECONFIGURE, Ok("told"));
    assert_eq!(command(&mut machine, at("22:20"), finish()).unwrap_err(), Refusal::NotBack(vec!["Ada".into()]));
    let back = Command::Back { client: ClientId("ada".into()), note: "works".into() };
    command(&mut machine, at("22:30"), back).unwrap();
    assert_eq!(performs(&command(&mut machine, at("22:31"), finish()).unwrap()), [8]);
    let outputs = ended(&mut machine, StepNumber::VERIFY, Ok("destroyed"));
    assert!(matches!(outputs.last(), Some(Output::Done(text)) if text == "rotated"));
    assert!(matches!(command(&mut machine, at("22:32"), finish()), Err(Refusal::NotNow(_))));
}

#[test]
fn after_a_rollback_nobody_is_back_until_seen_again_and_the_end_says_rolled_back() {
    let mut machine = live();
    command(&mut machine, at("22:20"), Command::Back { client: ClientId("ada".into()), note: String::new() }).unwrap();
    let back = Command::RollBack { confirm: "acme".into(), reason: "broken".into(), through_tunnel: String::new() };
    let outputs = command(&mut machine, at("22:21"), back).unwrap();
    let cut = outputs.iter().find_map(|output| match output {
        Output::Append(entry) => match &entry.record {
            Record::RollbackStarted { cut_again, .. } => Some(cut_again.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(cut, Some(vec![ClientId("ada".into())]));
    assert_eq!(machine.rotation().unwrap().not_back().len(), 1);
    assert!(machine.rotation().unwrap().outcome.is_none());
}

#[test]
fn reasons_must_be_given() {
    let mut machine = answered();
    for nothing in [" \n", "...", "-", "\u{2026}"] {
        let waive = Command::Waive { client: ClientId("ada".into()), reason: nothing.into() };
        assert!(matches!(command(&mut machine, at("21:00"), waive), Err(Refusal::BadInput(_))), "{nothing:?}");
    }
    let unknown = Command::Waive { client: ClientId("bob".into()), reason: "left".into() };
    assert!(matches!(command(&mut machine, at("21:00"), unknown), Err(Refusal::BadInput(_))));
}

#[test]
fn the_fold_of_the_emitted_records_is_the_machines_state() {
    let mut machine = Machine::new(tenant(), op(), RULES, None);
    let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 7).unwrap();
    let plan = Command::Plan { window, cause: Cause::Scheduled, reference: String::new() };
    let mut entries = Vec::new();
    for output in command(&mut machine, at("20:00"), plan).unwrap() {
        if let Output::Append(entry) = output {
            entries.push(*entry);
        }
    }
    entries.push(machine.emit(at("20:01"), Record::PeopleSeen { clients: vec![ada()], unseen: Vec::new() }).unwrap());
    entries.push(machine.emit(at("20:02"), Record::StepStarted { step: StepNumber::ANNOUNCE }).unwrap());
    let text = serde_json::to_string(&entries).unwrap();
    let read: Vec<Entry> = serde_json::from_str(&text).unwrap();
    let folded = Rotation::fold(&read).unwrap();
    assert_eq!(folded.steps, machine.rotation().unwrap().steps);
    assert_eq!(folded.clients, vec![ada()]);
    let gap = [read[0].clone(), read[2].clone()];
    assert!(Rotation::fold(&gap).is_err(), "a missing record is noticed");
}

#[test]
fn a_record_is_folded_in_place_and_copied_only_while_somebody_reads() {
    let mut machine = planned();
    let place = |machine: &Machine| machine.rotation().map(Arc::as_ptr);
    let before = place(&machine);
    let told = |machine: &mut Machine| machine.emit(at("20:00"), Record::Noted { text: "x".into() }).unwrap();
    (0..3).for_each(|_| drop(told(&mut machine)));
    assert_eq!(place(&machine), before);
    let held = machine.rotation().cloned().unwrap();
    let seq = held.seq;
    told(&mut machine);
    assert_eq!((held.seq, machine.rotation().unwrap().seq), (seq, seq + 1), "who reads reads what was true");
    let after = place(&machine);
    told(&mut machine);
    assert_eq!(place(&machine), after, "one copy, however many records follow");
}
