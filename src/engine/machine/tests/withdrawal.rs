//! What an operator takes back is as if it had never been recorded, and nothing is once the key is being changed.

use super::senders::{OURS, announced, comes, does, id, moved, says, stands, takes_back, words};
use super::*;
use crate::engine::hearing::Withdrawal;
use crate::engine::mailbox::Decision;
use crate::engine::status::Standing;

#[test]
fn what_was_typed_is_taken_back_and_what_was_before_it_counts_again() {
    let typed = |answer| Command::Answer { client: id("ada"), answer, channel: Channel::Phone, note: String::new() };
    let back = || takes_back(Withdrawal::Answer { client: id("ada") });
    let mut machine = announced();
    assert!(!does(&mut machine, "20:10", back()), "there is nothing to take back");
    comes(&mut machine, "20:10", words("m", OURS, "no", 1, "20:09"));
    assert!(!does(&mut machine, "20:11", back()), "what they wrote themselves is not an operator's to take back");
    assert!(does(&mut machine, "20:12", typed(Answer::Tentative)));
    assert!(does(&mut machine, "20:13", typed(Answer::Confirmed)));
    assert!(
        command(
            &mut machine,
            at("20:14"),
            Command::TakeBack { what: Withdrawal::Answer { client: id("ada") }, reason: " ".into() }
        )
        .is_err()
    );
    for expected in ["tentative", "declined"] {
        assert!(does(&mut machine, "20:14", back()));
        assert_eq!(says(&machine), Some(expected));
    }
    assert!(!does(&mut machine, "20:15", back()));
    // What was unclear before it is to be read again, too.
    comes(&mut machine, "20:16", words("q", OURS, "why?", 1, "20:16"));
    assert!(does(&mut machine, "20:17", typed(Answer::Confirmed)));
    assert_eq!(stands(&machine), Standing::Confirmed);
    assert!(does(&mut machine, "20:18", back()));
    assert_eq!(stands(&machine), Standing::ToRead);
}

#[test]
fn a_decision_is_taken_back_and_counts_where_its_mail_arrived() {
    let mut machine = announced();
    let decide = |mail: &str, answer| Command::DecideMail {
        mail: mail.into(),
        decision: Decision::Answer(answer),
        note: String::new(),
    };
    comes(&mut machine, "20:10", words("q", OURS, "why?", 1, "20:10"));
    comes(&mut machine, "20:11", words("r", OURS, "and how?", 1, "20:11"));
    assert!(does(&mut machine, "20:12", decide("r", Answer::Declined)));
    assert!(does(&mut machine, "20:13", decide("q", Answer::Confirmed)));
    assert_eq!(says(&machine), Some("declined"), "it came later");
    assert!(does(&mut machine, "20:14", takes_back(Withdrawal::Decision { mail: "r".into() })));
    assert_eq!((says(&machine), stands(&machine)), (Some("confirmed"), Standing::ToRead));
    assert!(does(&mut machine, "20:15", takes_back(Withdrawal::Decision { mail: "q".into() })));
    assert_eq!((says(&machine), machine.rotation().unwrap().open_mails().count()), (None, 2));
    assert!(!does(&mut machine, "20:16", takes_back(Withdrawal::Decision { mail: "q".into() })));
}

#[test]
fn a_waiver_is_taken_back_lapses_with_its_window_and_is_kept_by_one_command() {
    let waive = |reason: &str| Command::Waive { client: id("ada"), reason: reason.into() };
    let back = || takes_back(Withdrawal::Waiver { client: id("ada") });
    let mut machine = announced();
    assert!(!does(&mut machine, "20:10", back()));
    assert!(does(&mut machine, "20:10", waive("left")));
    assert!(does(&mut machine, "20:11", waive("on leave")));
    assert!(does(&mut machine, "20:12", back()));
    assert_eq!(machine.rotation().unwrap().waivers[&id("ada")].reason, "left");
    assert!(does(&mut machine, "20:13", back()));
    assert_eq!(stands(&machine), Standing::Silent);
    assert!(does(&mut machine, "20:14", waive("left")));
    moved(&mut machine, 21);
    assert_ne!(stands(&machine), Standing::Waived, "asked again");
    assert_eq!(machine.rotation().unwrap().hearing.lapsed[&id("ada")].revision, 1);
    assert!(!does(&mut machine, "20:41", Command::KeepWaiver { only: Some(vec![id("bob")]) }));
    assert!(does(&mut machine, "20:41", Command::KeepWaiver { only: None }));
    assert_eq!(stands(&machine), Standing::Waived);
    assert!(!does(&mut machine, "20:42", Command::KeepWaiver { only: None }));
}

#[test]
fn nothing_is_taken_back_once_the_key_is_being_changed() {
    let mut machine = live();
    let ada = || id("ada");
    for what in [Withdrawal::Answer { client: ada() }, Withdrawal::Waiver { client: ada() }] {
        assert!(!does(&mut machine, "22:30", takes_back(what)));
    }
}
