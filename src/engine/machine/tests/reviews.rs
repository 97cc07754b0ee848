//! Reviews: whoever reads a journal verifies who closed one. Every way in which somebody could have closed it is tried, by the
//! program and by somebody who writes the record past it.

use super::signing::{hands, list, rules, seed, shared};
use super::*;
use crate::domain::signature::tests::sign;
use crate::engine::approval::{self, Asked, Me};
use crate::engine::closing::{self, UNVERIFIED};
use crate::engine::review::Reviewed;
use crate::engine::signing::{Hand, Signing, Statement};

const PEOPLE: [&str; 4] = ["ada", "bob", "eve", "zoe"];

fn r1() -> RotationId {
    RotationId("r1".into())
}

/// In the hands of somebody who works under this login.
fn under(login: &str, unproven: bool, signing: &Signing, before: Option<&Machine>) -> Machine {
    let actor = Actor { person: login.into(), unproven: unproven.then(|| "a namespace".into()), ..shared() };
    Machine::new(tenant(), actor, rules(signing), before.and_then(|machine| machine.rotation.clone()))
}

/// An emergency of nothing planned, declared by one after the other: who signs, none for nobody, under one login for all.
/// It is at its end.
fn declared(by: &[Option<&str>], unproven: bool, signing: &Signing) -> Machine {
    let mut machine = None;
    for person in by {
        let mut next = under("root", unproven, signing, machine.as_ref());
        let statement = closing::declaration(&tenant().id, &r1(), Reviewed::Emergency).text();
        next.hand = Hand { signature: person.map(|person| sign(seed(person), &statement)), ..Hand::default() };
        let (confirm, reason) = ("acme".into(), "leak".into());
        let declare = Command::Emergency { confirm, reason, through_tunnel: String::new() };
        command(&mut next, at("22:00"), declare).unwrap();
        ended(&mut next, StepNumber::ANNOUNCE, Ok("told"));
        ended(&mut next, StepNumber::CHECK, Err(fault()));
        machine = Some(next);
    }
    let mut machine = machine.unwrap();
    machine
        .emit(at("22:50"), Record::Finished { outcome: Outcome::Cancelled, note: String::new(), despite: None })
        .unwrap();
    machine
}

fn statement(machine: &Machine, note: &str) -> String {
    closing::statement(machine.rotation().unwrap(), Reviewed::Emergency, note).text()
}

/// Closed by the program.
fn close(machine: &Machine, login: &str, signer: Option<&str>, signing: &Signing) -> Result<Machine, String> {
    let mut theirs = under(login, false, signing, Some(machine));
    let signature = signer.map(|person| sign(seed(person), &statement(machine, "looked")));
    theirs.hand = Hand { signature, ..Hand::default() };
    let closed = command(&mut theirs, at("22:51"), Command::CloseReview { note: "looked".into() });
    closed.map(|_| theirs).map_err(|refusal| refusal.to_string())
}

/// Put into the journal past every rule of the program, under any login.
fn written(machine: &Machine, login: &str, unproven: bool, signature: Option<String>) -> Machine {
    let mut forger = under(login, unproven, &Signing::ByLogin, Some(machine));
    forger.emit(at("22:51"), Record::ReviewClosed { note: "looked".into(), signature }).unwrap();
    forger
}

fn is_open(machine: &Machine, signing: &Signing) -> bool {
    machine.rotation().unwrap().open_review(signing).is_some()
}

fn why(machine: &Machine, signing: &Signing) -> String {
    machine.rotation().unwrap().open_review(signing).unwrap().not_counted.join("; ")
}

#[test]
fn by_signatures_none_of_the_declarers_closes_it_under_any_login_and_everybody_else_does() {
    let signing = list(&[], "");
    let mut walked = 0;
    for by in [&["eve"][..], &["eve", "ada"], &["ada", "bob", "eve"], &["eve", "eve"]] {
        let signed: Vec<Option<&str>> = by.iter().map(|person| Some(*person)).collect();
        let machine = declared(&signed, true, &signing);
        for login in ["root", "another"] {
            for person in PEOPLE {
                let signature = Some(sign(seed(person), &statement(&machine, "looked")));
                let forged = written(&machine, login, true, signature);
                let is_theirs = by.contains(&person);
                assert_eq!(is_open(&forged, &signing), is_theirs, "{by:?} {login} {person}");
                let by_program = close(&machine, login, Some(person), &signing);
                assert_eq!(by_program.is_err(), is_theirs, "{by:?} {login} {person}");
                if is_theirs {
                    assert!(why(&forged, &signing).contains(&format!("{person} declared the emergency")));
                    assert!(by_program.unwrap_err().contains("another operator must review it"));
                } else {
                    assert!(!is_open(&by_program.unwrap(), &signing));
                }
                // What does not count is in nobody's way.
                let free = PEOPLE.into_iter().find(|person| !by.contains(person)).unwrap();
                let after = if is_theirs { &forged } else { &machine };
                assert!(!is_open(&close(after, "root", Some(free), &signing).unwrap(), &signing));
                walked += 1;
            }
        }
    }
    println!("{walked} closings by signature");
}

#[test]
fn a_closing_that_was_made_up_is_nobodys() {
    let signing = list(&[], "");
    let machine = declared(&[Some("eve")], true, &signing);
    let rotation = machine.rotation().unwrap();
    let of_bob = |text: &str| Some(sign(seed("bob"), text));
    let right = statement(&machine, "looked");
    let more = declared(&[Some("eve"), Some("eve")], true, &signing);
    let session = Statement::Write { tenant: &tenant().id, rotation: &rotation.id, session: "s" }.text();
    for (what, signature) in [
        ("no signature", None),
        ("no signature at all", Some("bob".to_owned())),
        ("a key that is not listed", Some(sign(9, &right))),
        ("another note", of_bob(&statement(&machine, "all is well"))),
        ("another case", of_bob(&right.replace("\"r1\"", "\"r2\""))),
        ("another tenant", of_bob(&right.replace("\"t1\"", "\"t2\""))),
        ("a review of fewer declarations", of_bob(&statement(&more, "looked"))),
        ("a review of a rollback", of_bob(&right.replace("emergency", "rollback"))),
        ("a session's signature", of_bob(&session)),
        ("a declaration", of_bob(&closing::declaration(&tenant().id, &rotation.id, Reviewed::Emergency).text())),
    ] {
        let forged = written(&machine, "bob", false, signature);
        assert!(is_open(&forged, &signing), "{what}");
        assert!(why(&forged, &signing).contains("that bob closed it does not count"), "{what}");
    }
    assert!(!is_open(&written(&machine, "root", true, of_bob(&right)), &signing));
}

#[test]
fn whoever_declared_without_a_signature_may_be_any_of_those_who_close_it_so_two_must() {
    let signing = list(&[], "");
    for by in [&[None][..], &[Some("eve"), None], &[None, None]] {
        let machine = declared(by, true, &signing);
        let shown = machine.rotation().unwrap().open_review(&signing).unwrap();
        assert!(shown.by_whom().starts_with("two other operators"), "{}", shown.by_whom());
        let first = close(&machine, "root", Some("bob"), &signing).unwrap();
        assert!(is_open(&first, &signing), "{by:?}");
        assert!(close(&first, "another", Some("bob"), &signing).unwrap_err().contains("bob has closed it already"));
        let twice = written(&first, "another", false, Some(sign(seed("bob"), &statement(&first, "looked"))));
        assert!(is_open(&twice, &signing), "{by:?}: bob is one person");
        assert!(!is_open(&close(&first, "root", Some("zoe"), &signing).unwrap(), &signing), "{by:?}");
    }
}

#[test]
fn a_configuration_without_signers_opens_nothing_that_was_signed_for() {
    let signing = list(&[], "");
    let machine = declared(&[Some("eve")], false, &signing);
    let refused = close(&machine, "bob", None, &Signing::ByLogin).unwrap_err();
    assert!(refused.contains(UNVERIFIED), "{refused}");
    let forged = written(&machine, "bob", false, None);
    assert!(is_open(&forged, &Signing::ByLogin) && is_open(&forged, &signing));
    let closed = close(&machine, "root", Some("bob"), &signing).unwrap();
    assert!(!is_open(&closed, &signing));
    assert!(why(&closed, &Signing::ByLogin).contains(UNVERIFIED), "who can't verify it does not believe it");
    let untrusted = Signing::Untrusted("others can write it".into());
    assert!(why(&closed, &untrusted).contains("others can write it"));
    // Declared and closed where nobody signs, under two logins: one person may be both.
    let by_login = close(&declared(&[None], false, &Signing::ByLogin), "another", None, &Signing::ByLogin).unwrap();
    assert!(!is_open(&by_login, &Signing::ByLogin));
    assert!(why(&by_login, &signing).contains("nobody has signed it"));
    let window = Window::parse("2026-11-25 22:00", "1h", "UTC", 1).unwrap();
    let plan = Command::Plan { window, cause: Cause::Scheduled, reference: String::new() };
    let refused = command(&mut hands(Some(&by_login), "ada", &signing), at("23:00"), plan).unwrap_err().to_string();
    assert!(refused.contains("two other operators") && refused.contains("nobody has signed it"), "{refused}");
}

#[test]
fn a_plan_that_was_signed_for_is_approved_and_rotated_by_no_login_whatever_the_configuration_says() {
    let signing = list(&[], "");
    let machine = super::signing::ready(&signing);
    let by_login = Asked { valid: Duration::from_secs(3600), signing: Signing::ByLogin };
    let mut bob = under("bob", false, &Signing::ByLogin, Some(&machine));
    let digest = approval::digest(machine.rotation().unwrap()).unwrap();
    let note = String::new();
    let refused = command(&mut bob, at("22:05"), Command::Approve { digest: digest.clone(), note: note.clone() });
    assert!(refused.unwrap_err().to_string().contains(UNVERIFIED));
    let (expires, scheme) = (at("23:00"), approval::SCHEME);
    bob.emit(at("22:05"), Record::Approved { digest, expires, note, scheme, signature: None }).unwrap();
    for asked in [None, Some(&by_login)] {
        let fact = approval::judge(bob.rotation().unwrap(), asked, Me::looking("zoe"), at("22:06"));
        assert_eq!(fact, ApprovalFact::Missing(UNVERIFIED.into()), "{asked:?}");
    }
    // Nor is anything typed there that would have to be repeated.
    let waive = Command::Waive { client: ClientId("ada".into()), reason: "on leave".into() };
    for rules in [RULES, rules(&Signing::ByLogin)] {
        let mut zoe = Machine::new(tenant(), op(), rules, machine.rotation.clone());
        let refused = command(&mut zoe, at("22:06"), waive.clone()).unwrap_err().to_string();
        assert!(refused.contains(UNVERIFIED), "{refused}");
    }
    command(&mut hands(Some(&machine), "zoe", &signing), at("22:06"), waive).unwrap();
}

#[test]
fn a_key_that_is_struck_off_takes_its_closing_with_it_and_one_that_ends_later_does_not() {
    let signing = list(&[], "");
    let closed = close(&declared(&[Some("eve")], true, &signing), "root", Some("bob"), &signing).unwrap();
    assert!(why(&closed, &list(&[], "bob")).contains("not in the list of signers"));
    assert!(!is_open(&closed, &list(&[("bob", "valid-before=20261124230000Z")], "")));
    assert!(why(&closed, &list(&[("bob", "valid-before=20261124220000Z")], "")).contains("was valid until"));
    // Of who declared it the name is enough, and without it nobody is told from them.
    assert!(!is_open(&closed, &list(&[("eve", "valid-before=20261124210000Z")], "")));
    assert!(is_open(&closed, &list(&[], "eve")));
}

#[test]
fn by_login_whoever_can_be_made_up_closes_nothing_and_leaves_it_to_two_others() {
    let by_login = &Signing::ByLogin;
    let proven = declared(&[None], false, by_login);
    assert!(why(&written(&proven, "root", false, None), by_login).contains("root declared the emergency"));
    assert!(why(&written(&proven, "bob", true, None), by_login).contains("proves nobody"));
    assert!(under_unproven(&proven).contains("proves nobody"));
    let closed = close(&proven, "bob", None, by_login).unwrap();
    let review = closed.rotation().unwrap().reviews(by_login).next().unwrap();
    assert!(review.advisory && review.by_whom().contains("advisory"));
    assert_eq!(review.reviewed.map(|(by, ..)| by).as_deref(), Some("bob"));
    let made_up = declared(&[None], true, by_login);
    let first = close(&made_up, "bob", None, by_login).unwrap();
    assert!(is_open(&first, by_login));
    assert!(!is_open(&close(&first, "zoe", None, by_login).unwrap(), by_login));
}

fn under_unproven(machine: &Machine) -> String {
    let mut theirs = under("bob", true, &Signing::ByLogin, Some(machine));
    command(&mut theirs, at("22:51"), Command::CloseReview { note: "looked".into() }).unwrap_err().to_string()
}

#[test]
fn a_closing_of_a_version_before_means_what_it_meant_where_nobody_signs() {
    let machine = declared(&[None], false, &Signing::ByLogin);
    let mut rotation = Rotation::clone(machine.rotation.as_deref().unwrap());
    let record = Record::ReviewClosed { note: "looked".into(), signature: None };
    let entry = Entry { version: STARTING_TOUCHED, ..shared().entry(rotation.seq + 1, at("22:51"), record) };
    rotation.check(&entry).unwrap();
    rotation.apply(&entry);
    assert!(rotation.open_review(&Signing::ByLogin).is_none());
    assert!(rotation.open_review(&list(&[], "")).is_some());
}

#[test]
fn an_emergency_that_covers_the_review_of_another_one_is_closed_by_none_who_declared_that() {
    let signing = list(&[], "");
    for (first, told) in [(Some("eve"), "ada, eve"), (None, "ada, root")] {
        let before = declared(&[first], true, &signing);
        let case = RotationId("r2".into());
        let mut ada = under("root", true, &signing, Some(&before));
        let statement = closing::declaration(&tenant().id, &case, Reviewed::Emergency).text();
        ada.hand = Hand { signature: Some(sign(seed("ada"), &statement)), ..Hand::default() };
        let declare = Command::Emergency { confirm: "acme".into(), reason: "again".into(), through_tunnel: "".into() };
        ada.handle(at("23:00"), Input::Command { command: declare, new_id: case }).unwrap();
        ended(&mut ada, StepNumber::ANNOUNCE, Ok("told"));
        ended(&mut ada, StepNumber::CHECK, Err(fault()));
        ada.emit(at("23:10"), Record::Finished { outcome: Outcome::Cancelled, note: String::new(), despite: None })
            .unwrap();
        let review = ada.rotation().unwrap().open_review(&signing).unwrap();
        assert_eq!(
            (review.declarer_names().as_str(), review.covers.len(), review.needs_two),
            (told, 1, first.is_none())
        );
        assert!(close(&ada, "another", Some("ada"), &signing).is_err());
        assert_eq!(close(&ada, "another", Some("eve"), &signing).is_err(), first.is_some());
        let closed = close(&ada, "root", Some("bob"), &signing).unwrap();
        assert_eq!(is_open(&closed, &signing), first.is_none());
    }
}

#[test]
fn a_key_that_was_changed_under_another_configuration_does_not_look_approved_to_those_who_verify() {
    let signing = list(&[], "");
    let asked = Asked { valid: Duration::from_secs(3600), signing: signing.clone() };
    let told = |machine: &Machine| approval::touched_without(machine.rotation().unwrap(), Some(&asked));
    let by_login = live();
    assert!(told(&by_login).unwrap().contains("a second operator must approve"));
    let nobody_signs = Asked { valid: asked.valid, signing: Signing::ByLogin };
    assert_eq!(approval::touched_without(by_login.rotation().unwrap(), Some(&nobody_signs)), None);
    // Approved by everybody, under logins that could be told apart; with a list of one's own; and as it must be.
    let theirs = super::signing::touched(&list(&[], ""), "eve", |_| None);
    assert!(told(&theirs).unwrap().contains("nobody has signed it"), "{:?}", told(&theirs));
    let of_another_list = super::signing::touched(&signing, "eve", |text| Some(sign(9, text)));
    assert!(told(&of_another_list).unwrap().contains("not in the list"), "{:?}", told(&of_another_list));
    let approved = super::signing::touched(&signing, "eve", |text| Some(sign(seed("eve"), text)));
    assert_eq!(told(&approved), None);
}
