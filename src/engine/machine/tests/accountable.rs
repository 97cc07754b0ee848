//! Approval, emergency, review, hand-over and self-lockout, as the machine decides them.

use super::*;
use crate::domain::client::Source;
use crate::domain::preflight::{Check, CheckState, OWN_ROUTE};
use crate::engine::acts::Author;
use crate::engine::review::Reviewed;
use crate::engine::signing::Signing;

/// By logins.
const ASKED: Asked = Asked { valid: Duration::from_secs(3600), signing: Signing::ByLogin };
const FOUR_EYES: Rules =
    Rules { preflight_valid: Duration::from_secs(600), approval: Some(ASKED), second_mail: STRICT, store_first: false };

fn actor(person: &str) -> Actor {
    Actor {
        by: person.into(),
        host: "host".into(),
        person: person.into(),
        ssh: None,
        unproven: None,
        environment: None,
    }
}

/// The same journal in the hands of somebody else.
fn as_person(machine: &Machine, person: &str, rules: Rules) -> Machine {
    Machine::new(tenant(), actor(person), rules, machine.rotation.clone())
}

/// A green check that saw this key, and perhaps our own route through the tunnel.
fn checked(machine: &mut Machine, key: u8, own_route: bool) {
    let interface = Some(PublicKey::from_bytes([key; 32]));
    let keys = KeyAgreement { secret: interface, object: interface, interface, console: None };
    let finding = "your session comes from 10.77.1.2".to_owned();
    let warn = Check {
        name: OWN_ROUTE.into(),
        state: CheckState::Warn,
        finding,
        advice: String::new(),
        until: None,
        is_proved: false,
    };
    let checks = if own_route { vec![warn] } else { Vec::new() };
    let preflight = Preflight { at: at("22:04"), checks, keys };
    let step = StepNumber::CHECK;
    let alone = !matches!(machine.rotation().unwrap().step(step), StepState::Running { .. });
    if alone {
        machine.emit(at("22:04"), Record::StepStarted { step }).unwrap();
    }
    machine.emit(at("22:04"), Record::Checked { preflight }).unwrap();
    if alone {
        machine.emit(at("22:04"), Record::StepSucceeded { step, evidence: "green".into() }).unwrap();
    }
}

fn check_ended(machine: &mut Machine) -> Vec<Output> {
    machine.handle(at("22:05"), Input::StepEnded { step: StepNumber::CHECK, result: Ok("green".into()) }).unwrap()
}

fn digest_of(machine: &Machine) -> String {
    approval::digest(machine.rotation().unwrap()).unwrap()
}

fn approve(machine: &Machine, person: &str) -> Result<Machine, Refusal> {
    let mut other = as_person(machine, person, FOUR_EYES);
    let digest = digest_of(&other)[..8].to_owned();
    command(&mut other, at("22:04"), Command::Approve { digest, note: String::new() })?;
    Ok(other)
}

/// Whether rotate gets as far as step 3 in this person's hands.
fn rotates(machine: &Machine, person: &str) -> Result<(), String> {
    let mut machine = as_person(machine, person, FOUR_EYES);
    command(&mut machine, at("22:05"), rotate()).map_err(|refusal| refusal.to_string())?;
    let outputs = check_ended(&mut machine);
    match outputs.last() {
        Some(Output::Perform(step)) if *step == StepNumber::STAGE => Ok(()),
        Some(Output::Refused(refusal)) => Err(refusal.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rotate_needs_another_persons_approval_of_this_very_plan() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    assert!(rotates(&machine, "op").unwrap_err().contains("a second operator must approve"));
    assert!(approve(&machine, "op").unwrap_err().to_string().contains("another operator must approve"), "the planner");
    let approved = approve(&machine, "bob").unwrap();
    assert_eq!(rotates(&approved, "op"), Ok(()));
    assert!(rotates(&approved, "bob").unwrap_err().contains("you approved it yourself"));
}

#[test]
fn any_change_of_the_plan_voids_the_approval() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    let approved = approve(&machine, "bob").unwrap();
    let waive = Record::Waived { client: ClientId("ada".into()), reason: "on leave".into() };
    let window = Window::parse("2026-11-24 22:00", "2h", "UTC", 2).unwrap();
    for record in [waive, Record::Rescheduled { window }] {
        let mut changed = as_person(&approved, "op", FOUR_EYES);
        changed.emit(at("22:04"), record).unwrap();
        let why = rotates(&changed, "op").unwrap_err();
        assert!(why.contains("the approval of bob is void"), "{why}");
    }
    let mut other_key = as_person(&approved, "op", FOUR_EYES);
    checked(&mut other_key, 8, false);
    assert!(rotates(&other_key, "op").unwrap_err().contains("void"), "another key than the approved one");
}

/// A word of each kind that bears on the gate, and whatever else changes what the approver agreed to.
fn changes() -> Vec<(&'static str, Record)> {
    let client = || ClientId("ada".into());
    let answered = |channel| Record::Answered {
        client: client(),
        revision: 1,
        answer: Answer::Confirmed,
        channel,
        note: String::new(),
    };
    let ada = |email: &str| Client {
        id: client(),
        name: "Ada".into(),
        email: Some(email.into()),
        public_key: None,
        sources: [Source::Object].into(),
        also: Vec::new(),
    };
    let bob = Client { id: ClientId("bob".into()), ..ada("bob@x.example") };
    let seen = |clients| Record::PeopleSeen { clients, unseen: Vec::new() };
    vec![
        ("an answer by telephone", answered(Channel::Phone)),
        ("the same answer by chat", answered(Channel::Chat)),
        ("a check set aside", Record::CheckSetAside { check: "mailbox".into(), reason: "no IMAP tonight".into() }),
        ("a waiver", Record::Waived { client: client(), reason: "on leave".into() }),
        ("another address", seen(vec![ada("other@x.example")])),
        ("one more person", seen(vec![ada("ada@x.example"), bob])),
    ]
}

#[test]
fn an_approval_covers_the_people_and_every_word_that_an_operator_typed() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    let approved = approve(&machine, "bob").unwrap();
    let before = digest_of(&approved);
    for (what, record) in changes() {
        let mut changed = as_person(&approved, "op", FOUR_EYES);
        changed.emit(at("22:04"), record).unwrap();
        assert_ne!(digest_of(&changed), before, "{what}");
        let why = approval::judge(changed.rotation().unwrap(), Some(&ASKED), Me::looking("op"), at("22:05"));
        assert!(matches!(&why, ApprovalFact::Missing(text) if text.contains("is void")), "{what}: {why:?}");
    }
    let mut noted = as_person(&approved, "op", FOUR_EYES);
    noted.emit(at("22:04"), Record::Noted { text: "nothing of it".into() }).unwrap();
    assert_eq!(digest_of(&noted), before);
}

#[test]
fn what_an_approval_covers_can_be_read() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    for (_, record) in changes().into_iter().take(4) {
        machine.emit(at("22:04"), record).unwrap();
    }
    let lines = approval::covers(machine.rotation().unwrap()).join("\n");
    for part in [
        "planned by op",
        "revision 1",
        "key to be replaced",
        "ada@x.example",
        "waived: Ada: on leave",
        "by phone",
        "by chat",
    ] {
        assert!(lines.contains(part), "{part} is missing in\n{lines}");
    }
}

#[test]
fn whoever_typed_an_answer_can_not_approve_the_plan() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    for (what, record) in changes().into_iter().take(4) {
        let mut typist = as_person(&machine, "bob", FOUR_EYES);
        typist.emit(at("22:04"), record).unwrap();
        let refused = approve(&typist, "bob").unwrap_err().to_string();
        assert!(refused.contains("bob typed an answer"), "{what}: {refused}");
        approve(&typist, "eve").unwrap();
    }
}

#[test]
fn who_planned_before_the_window_was_changed_by_somebody_else_can_not_approve_either() {
    let mut machine = answered();
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    let window = Window::parse("2026-11-24 22:00", "2h", "UTC", 2).unwrap();
    bob.emit(at("21:00"), Record::Rescheduled { window }).unwrap();
    machine = bob;
    checked(&mut machine, 7, false);
    for planner in ["op", "bob"] {
        assert!(approve(&machine, planner).unwrap_err().to_string().contains("made this plan"), "{planner}");
    }
    approve(&machine, "eve").unwrap();
}

#[test]
fn an_approval_of_the_former_scheme_is_void_and_says_so() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    let digest = digest_of(&bob);
    // As a program before this scheme wrote it.
    let text = format!(r#"{{"record":"approved","digest":"{digest}","expires":"2026-11-24T23:30:00Z","note":""}}"#);
    bob.emit(at("22:04"), serde_json::from_str(&text).unwrap()).unwrap();
    let why = rotates(&bob, "op").unwrap_err();
    assert!(why.contains("the approval of bob was given under an older scheme: approve again"), "{why}");
}

#[test]
fn a_login_that_can_be_made_up_neither_approves_nor_stands_behind_an_approved_plan() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    let unproven = Actor { unproven: Some("this is a user namespace".into()), ..actor("bob") };
    let mut bob = Machine::new(tenant(), unproven.clone(), FOUR_EYES, machine.rotation.clone());
    let digest = digest_of(&bob);
    let refused = command(&mut bob, at("22:04"), Command::Approve { digest, note: String::new() }).unwrap_err();
    assert!(refused.to_string().contains("this is a user namespace"), "{refused}");
    // An entry of a process that did not refuse counts for nothing.
    let (digest, note, scheme) = (digest_of(&machine), String::new(), approval::SCHEME);
    let record = Record::Approved { digest, expires: at("23:30"), note, scheme, signature: None };
    bob.emit(at("22:04"), record).unwrap();
    assert!(rotates(&bob, "op").unwrap_err().contains("made up"));
    // What such a login has typed could be the approver's own word.
    let mut typist =
        Machine::new(tenant(), Actor { person: "eve".into(), ..unproven }, FOUR_EYES, machine.rotation.clone());
    typist.emit(at("22:04"), changes().remove(0).1).unwrap();
    assert!(approve(&typist, "bob").unwrap_err().to_string().contains("approver's own word"));
}

#[test]
fn a_second_emergency_on_an_open_case_forgets_neither_who_declared_first_nor_what_is_covered() {
    let mut machine = live();
    let review_due = at("23:00");
    let (covers, earlier) = (vec![RotationId("r0".into())], vec![Author::of(&by_zoe())]);
    machine
        .emit(
            at("22:30"),
            Record::EmergencyDeclared { reason: "leak".into(), review_due, covers, earlier, signature: None },
        )
        .unwrap();
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    let again = Record::EmergencyDeclared {
        reason: "again".into(),
        review_due: at("23:30"),
        covers: vec![RotationId("r-1".into())],
        earlier: vec![],
        signature: None,
    };
    bob.emit(at("22:31"), again).unwrap();
    bob.emit(at("22:50"), Record::Finished { outcome: Outcome::Rotated, note: String::new(), despite: None }).unwrap();
    let review = bob.rotation().unwrap().open_review(&Signing::ByLogin).unwrap();
    assert_eq!((review.reason.as_str(), review.review_due), ("leak", at("23:00")));
    assert_eq!(review.covers, [RotationId("r0".into()), RotationId("r-1".into())]);
    assert_eq!(review.declarer_names(), "op, bob, zoe");
    let close = || Command::CloseReview { note: "looked".into() };
    for declarer in ["op", "bob", "zoe"] {
        let mut theirs = as_person(&bob, declarer, FOUR_EYES);
        assert!(command(&mut theirs, at("22:51"), close()).unwrap_err().to_string().contains("another operator"));
    }
    command(&mut as_person(&bob, "eve", FOUR_EYES), at("22:51"), close()).unwrap();
}

fn by_zoe() -> Entry {
    actor("zoe").entry(1, at("20:00"), Record::HandOverAccepted)
}

#[test]
fn a_rollback_where_plans_are_approved_leaves_a_review_open_that_somebody_else_closes() {
    let back = || Command::RollBack { confirm: "acme".into(), reason: "slow".into(), through_tunnel: String::new() };
    let mut without = live();
    command(&mut without, at("22:20"), back()).unwrap();
    assert!(
        without.rotation().unwrap().open_review(&Signing::ByLogin).is_none(),
        "nobody is asked for an approval here"
    );
    let mut machine = as_person(&live(), "op", FOUR_EYES);
    command(&mut machine, at("22:20"), back()).unwrap();
    machine
        .emit(at("22:50"), Record::Finished { outcome: Outcome::RolledBack, note: String::new(), despite: None })
        .unwrap();
    let review = machine.rotation().unwrap().open_review(&Signing::ByLogin).unwrap();
    assert_eq!((review.of, review.person.as_str()), (Reviewed::Rollback, "op"));
    let window = Window::parse("2026-11-25 22:00", "1h", "UTC", 1).unwrap();
    let plan = || Command::Plan { window: window.clone(), cause: Cause::Scheduled, reference: String::new() };
    let refused = command(&mut machine, at("22:51"), plan()).unwrap_err().to_string();
    assert!(refused.contains("the review of the rollback"), "{refused}");
    let close = || Command::CloseReview { note: "the driver".into() };
    assert!(command(&mut machine, at("22:51"), close()).unwrap_err().to_string().contains("another operator"));
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    command(&mut bob, at("22:52"), close()).unwrap();
    command(&mut bob, at("22:53"), plan()).unwrap();
}

#[test]
fn an_emergency_covers_the_open_review_of_a_rollback_with_its_author() {
    let mut machine = as_person(&live(), "op", FOUR_EYES);
    let back = Command::RollBack { confirm: "acme".into(), reason: "slow".into(), through_tunnel: String::new() };
    command(&mut machine, at("22:20"), back).unwrap();
    machine
        .emit(at("22:50"), Record::Finished { outcome: Outcome::RolledBack, note: String::new(), despite: None })
        .unwrap();
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    let declare = Command::Emergency { confirm: "acme".into(), reason: "leak".into(), through_tunnel: String::new() };
    bob.handle(at("22:55"), Input::Command { command: declare, new_id: RotationId("r2".into()) }).unwrap();
    let review = bob.rotation().unwrap().open_review(&Signing::ByLogin).unwrap();
    assert_eq!((review.declarer_names().as_str(), review.covers.len()), ("bob, op", 1));
}

#[test]
fn an_approval_expires_and_is_bound_to_the_digest_that_was_read() {
    let mut machine = answered();
    checked(&mut machine, 7, false);
    let approved = approve(&machine, "bob").unwrap();
    let rotation = approved.rotation().unwrap();
    assert!(matches!(
        approval::judge(rotation, Some(&ASKED), Me::looking("op"), at("23:03")),
        ApprovalFact::Given { .. }
    ));
    assert!(matches!(
        approval::judge(rotation, Some(&ASKED), Me::looking("op"), at("23:04")),
        ApprovalFact::Missing(_)
    ));
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    for digest in ["", "0000", "deadbeef"] {
        let command = Command::Approve { digest: digest.into(), note: String::new() };
        assert!(bob.handle(at("22:04"), Input::Command { command, new_id: RotationId("x".into()) }).is_err());
    }
    let unchecked = as_person(&answered(), "bob", FOUR_EYES);
    assert_eq!(approval::digest(unchecked.rotation().unwrap()), None, "without a check there is nothing to approve");
}

#[test]
fn an_emergency_mails_first_checks_then_rotates_and_mails_again() {
    let mut machine = Machine::new(tenant(), actor("op"), FOUR_EYES, None);
    let emergency = |reason: &str| Command::Emergency {
        confirm: "acme".into(),
        reason: reason.into(),
        through_tunnel: String::new(),
    };
    assert!(matches!(command(&mut machine, at("03:00"), emergency(" ")), Err(Refusal::BadInput(_))));
    let outputs = command(&mut machine, at("03:00"), emergency("key on a stolen laptop")).unwrap();
    assert_eq!(performs(&outputs), [1]);
    assert_eq!(machine.rotation().unwrap().cause, Cause::Compromise);
    let smtp = Fault::new(Service::Mail, FaultKind::Unreachable, "refused");
    let outputs =
        machine.handle(at("03:00"), Input::StepEnded { step: StepNumber::ANNOUNCE, result: Err(smtp) }).unwrap();
    assert_eq!(performs(&outputs), [2], "a mail server that is down stops nothing");
    checked(&mut machine, 7, false);
    assert_eq!(performs(&check_ended(&mut machine)), [3], "no answer, no approval is waited for");
    for (step, next) in [(3, 4), (4, 5), (5, 6), (6, 7)] {
        let step = StepNumber::try_from(step).unwrap();
        let outputs = machine.handle(at("03:01"), Input::StepEnded { step, result: Ok("done".into()) }).unwrap();
        assert_eq!(performs(&outputs), [next]);
    }
}

#[test]
fn the_review_of_an_emergency_is_closed_by_somebody_else_at_the_end_and_nothing_is_planned_before() {
    let mut machine = live();
    let review_due = at("23:00");
    machine
        .emit(
            at("22:30"),
            Record::EmergencyDeclared {
                reason: "leak".into(),
                review_due,
                covers: vec![],
                earlier: vec![],
                signature: None,
            },
        )
        .unwrap();
    let close = || Command::CloseReview { note: "laptop was encrypted".into() };
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    assert!(command(&mut bob, at("22:40"), close()).is_err(), "not before the end");
    machine
        .emit(at("22:50"), Record::Finished { outcome: Outcome::Rotated, note: String::new(), despite: None })
        .unwrap();
    assert!(command(&mut machine, at("22:51"), close()).unwrap_err().to_string().contains("another operator"));
    let window = Window::parse("2026-11-25 22:00", "1h", "UTC", 1).unwrap();
    let plan = || Command::Plan { window: window.clone(), cause: Cause::Scheduled, reference: String::new() };
    assert!(command(&mut machine, at("22:51"), plan()).unwrap_err().to_string().contains("review"));
    let mut bob = as_person(&machine, "bob", FOUR_EYES);
    command(&mut bob, at("22:52"), close()).unwrap();
    assert!(bob.rotation().unwrap().open_review(&Signing::ByLogin).is_none());
    command(&mut bob, at("22:53"), plan()).unwrap();
}

#[test]
fn a_second_emergency_covers_the_review_of_the_first() {
    let mut machine = live();
    let first = Record::EmergencyDeclared {
        reason: "leak".into(),
        review_due: at("23:00"),
        covers: vec![],
        earlier: vec![],
        signature: None,
    };
    machine.emit(at("22:30"), first).unwrap();
    machine
        .emit(at("22:50"), Record::Finished { outcome: Outcome::Rotated, note: String::new(), despite: None })
        .unwrap();
    let (confirm, reason) = ("acme".into(), "again".into());
    let again = Command::Emergency { confirm, reason, through_tunnel: String::new() };
    machine.handle(at("22:55"), Input::Command { command: again, new_id: RotationId("r2".into()) }).unwrap();
    let covers = &machine.rotation().unwrap().open_review(&Signing::ByLogin).unwrap().covers;
    assert_eq!(covers, &[RotationId("r1".into())]);
}

#[test]
fn whoever_comes_after_a_hand_over_reads_it_first_but_may_always_finish_what_is_half_done() {
    let mut machine = answered();
    let hand_over = Command::HandOver { to: "bob".into(), note: "Ada is on the phone".into() };
    command(&mut machine, at("21:00"), hand_over).unwrap();
    let mut bob = as_person(&machine, "bob", RULES);
    let refused = command(&mut bob, at("22:05"), rotate()).unwrap_err().to_string();
    assert!(refused.contains("Ada is on the phone"), "{refused}");
    assert!(command(&mut machine, at("21:01"), Command::AcceptHandOver).is_err(), "not by who left it");
    command(&mut bob, at("22:04"), Command::AcceptHandOver).unwrap();
    command(&mut bob, at("22:05"), rotate()).unwrap();
    let mut half_done = live();
    let note = "server is slow".to_owned();
    command(&mut half_done, at("22:10"), Command::HandOver { to: String::new(), note }).unwrap();
    let mut eve = as_person(&half_done, "eve", RULES);
    command(&mut eve, at("22:11"), Command::Resume).unwrap();
}

#[test]
fn whoever_would_cut_off_their_own_session_types_the_name_once_more() {
    let mut machine = answered();
    checked(&mut machine, 7, true);
    assert!(
        matches!(command(&mut machine, at("22:05"), rotate()), Err(Refusal::NeedsPerson(text)) if text.contains("10.77.1.2"))
    );
    let knowing = Command::Rotate { confirm: "acme".into(), through_tunnel: "acme".into() };
    command(&mut machine, at("22:05"), knowing).unwrap();
    assert_eq!(performs(&check_ended(&mut machine)), [3]);
    // What only the fresh check sees stops it as well.
    let mut unaware = answered();
    command(&mut unaware, at("22:05"), rotate()).unwrap();
    checked(&mut unaware, 7, true);
    assert!(matches!(check_ended(&mut unaware).last(), Some(Output::Refused(Refusal::NeedsPerson(_)))));
}

#[test]
fn what_a_check_said_of_one_operators_session_is_not_asked_of_another() {
    let mut machine = answered();
    checked(&mut machine, 7, true);
    let rotation = machine.rotation().unwrap();
    assert!(rotation.own_route("op").is_some());
    assert_eq!(rotation.own_route("bob"), None);
    let mut bob = as_person(&machine, "bob", RULES);
    command(&mut bob, at("22:05"), rotate()).unwrap();
}

#[test]
fn a_check_that_could_not_be_recorded_is_no_check_although_an_older_one_was_green() {
    let mut emergency = answered();
    let review_due = at("23:00");
    let declared = Record::EmergencyDeclared {
        reason: "leak".into(),
        review_due,
        covers: vec![],
        earlier: vec![],
        signature: None,
    };
    emergency.emit(at("22:03"), declared).unwrap();
    for mut machine in [answered(), emergency] {
        checked(&mut machine, 7, false);
        let client = ClientId("ada".into());
        let id = client.clone();
        let kind = NoticeKind::Emergency;
        let (email, message_id) = ("ada@x.example".into(), "<e>".into());
        machine.emit(at("22:04"), Record::NoticeQueued { client: id, email, kind, revision: 1, message_id }).unwrap();
        assert_eq!(performs(&command(&mut machine, at("22:05"), rotate()).unwrap()), [2]);
        let full = Fault::new(Service::Journal, FaultKind::Refused, "the disk is full");
        let outputs = ended(&mut machine, StepNumber::CHECK, Err(full));
        assert!(matches!(outputs.last(), Some(Output::Failed(_))), "{outputs:?}");
        assert!(machine.rotation().unwrap().confirmed_at.is_none());
    }
}
