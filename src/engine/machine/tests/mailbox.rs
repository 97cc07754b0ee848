//! Mails of clients: what is folded of them, what is not, and how an unclear one is decided.

use super::*;
use crate::domain::letter::Incoming;
use crate::domain::notice::Delivery;
use crate::domain::reminder::Schedule;
use crate::domain::reply::{Heard, Means, Verdict};
use crate::domain::token::Topic;
use crate::engine::machine::SendOrder;
use crate::engine::mailbox::{Decision, Index, Matched, Vouched};
use crate::engine::{mailing, remind};
use jiff::SignedDuration;

const TOKEN: &str = "gaytemzugu3doobzmfrggzdf";

fn message_id(number: u32) -> String {
    format!("<{TOKEN}.{number:016x}@ops.example>")
}

fn told(machine: &mut Machine, kind: NoticeKind, number: u32, delivery: Delivery) {
    let revision = machine.rotation().unwrap().window.revision;
    let (client, email, message_id) = (ClientId("ada".into()), "ada@x.example".into(), message_id(number));
    let queued = Record::NoticeQueued { client, email, kind, revision, message_id: message_id.clone() };
    machine.emit(at("20:05"), queued).unwrap();
    machine.emit(at("20:05"), Record::NoticeDelivery { message_id, delivery }).unwrap();
}

fn sent() -> Delivery {
    Delivery::Sent { reply: "250".into() }
}

fn announced() -> Machine {
    let mut machine = planned();
    told(&mut machine, NoticeKind::Announcement, 1, sent());
    machine
}

fn heard(verdict: Verdict, topic: Topic, revision: u32, said: &str) -> Heard {
    let said_at = Some(at(said));
    Heard { verdict, topic, revision, means: Means::Text, marks: vec![], evidence: vec!["ok".into()], said_at }
}

fn reads(machine: &mut Machine, now: &str, mail: &str, heard: Heard) {
    let (client, from) = (ClientId("ada".into()), "ada@x.example".into());
    let record = Record::MailRead { client, mail: mail.into(), from, heard, notice: Some(message_id(1)), doubt: None };
    let entry = machine.emit(at(now), record).unwrap();
    let text = serde_json::to_string(&entry).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry, "{text}");
}

fn ada_keeps_it_shut(machine: &Machine) -> Option<String> {
    gate_reasons_of_ada(machine).into_iter().next()
}

fn gate_reasons_of_ada(machine: &Machine) -> Vec<String> {
    let rotation = machine.rotation().unwrap();
    let to_read = rotation.clients_to_read();
    judging::stand(&ada(), rotation, &to_read).reasons(&ada()).map(|reason| reason.to_string()).collect()
}

#[test]
fn a_confirmation_by_mail_counts_for_the_window_in_force() {
    let mut machine = announced();
    reads(&mut machine, "20:30", "m1", heard(Verdict::Confirmed, Topic::Window, 1, "20:29"));
    assert_eq!(ada_keeps_it_shut(&machine), None);
    let window = Window::parse("2026-11-24 23:00", "1h", "UTC", 1).unwrap();
    command(&mut machine, at("20:40"), Command::Reschedule { window }).unwrap();
    assert!(ada_keeps_it_shut(&machine).unwrap().contains("answered revision 1"));
    reads(&mut machine, "20:50", "m2", heard(Verdict::Confirmed, Topic::Window, 1, "20:45"));
    assert!(ada_keeps_it_shut(&machine).unwrap().contains("answered revision 1"), "a late answer to the old window");
    reads(&mut machine, "20:51", "m3", heard(Verdict::Confirmed, Topic::Window, 2, "20:46"));
    assert_eq!(ada_keeps_it_shut(&machine), None);
}

#[test]
fn an_answer_that_was_overtaken_does_not_outweigh_the_later_one() {
    let mut machine = announced();
    reads(&mut machine, "20:31", "m2", heard(Verdict::Declined, Topic::Window, 1, "20:20"));
    reads(&mut machine, "20:32", "m1", heard(Verdict::Confirmed, Topic::Window, 1, "20:10"));
    assert_eq!(ada_keeps_it_shut(&machine).unwrap(), "Ada answered: declined");
    reads(&mut machine, "20:33", "m3", heard(Verdict::Confirmed, Topic::Window, 1, "20:30"));
    assert_eq!(ada_keeps_it_shut(&machine), None);
}

#[test]
fn neither_programs_nor_doubtful_words_open_the_gate() {
    for verdict in [
        Verdict::Automatic("away".into()),
        Verdict::Unclear("a question".into()),
        Verdict::Unrelated("x".into()),
        Verdict::Delayed("4.4.1".into()),
        Verdict::Tentative,
        Verdict::OtherTime("14:00".into()),
    ] {
        let mut machine = announced();
        reads(&mut machine, "20:30", "m1", heard(verdict.clone(), Topic::Window, 1, "20:29"));
        assert!(ada_keeps_it_shut(&machine).is_some(), "{verdict:?}");
    }
}

#[test]
fn a_bounce_shuts_the_gate_again_until_somebody_speaks_with_them() {
    let mut machine = announced();
    reads(&mut machine, "20:30", "m1", heard(Verdict::Confirmed, Topic::Window, 1, "20:29"));
    reads(&mut machine, "20:40", "m2", heard(Verdict::Bounced("550 5.1.1".into()), Topic::Window, 1, "20:39"));
    assert_eq!(ada_keeps_it_shut(&machine).unwrap(), "the mail to Ada is bounced");
    let (client, answer) = (ClientId("ada".into()), Answer::Confirmed);
    let ack = Command::Answer { client, answer, channel: Channel::Phone, note: String::new() };
    command(&mut machine, at("20:50"), ack).unwrap();
    assert_eq!(ada_keeps_it_shut(&machine), None);
}

#[test]
fn a_bounce_behind_a_mail_shuts_the_gate_whenever_that_mail_is_decided() {
    let mut machine = announced();
    reads(&mut machine, "20:30", "abcd", heard(Verdict::Unclear("?".into()), Topic::Window, 1, "20:29"));
    reads(&mut machine, "20:40", "m2", heard(Verdict::Bounced("550 5.1.1".into()), Topic::Window, 1, "20:39"));
    let decision = Decision::Answer(Answer::Confirmed);
    let decide = Command::DecideMail { mail: "abcd".into(), decision, note: String::new() };
    command(&mut machine, at("20:50"), decide.clone()).unwrap();
    assert_eq!(ada_keeps_it_shut(&machine).unwrap(), "the mail to Ada is bounced");
    let mut machine = announced();
    reads(&mut machine, "20:40", "m2", heard(Verdict::Bounced("550 5.1.1".into()), Topic::Window, 1, "20:39"));
    reads(&mut machine, "20:45", "abcd", heard(Verdict::Unclear("?".into()), Topic::Window, 1, "20:44"));
    command(&mut machine, at("20:50"), decide).unwrap();
    assert_eq!(ada_keeps_it_shut(&machine), None, "written after it");
}

#[test]
fn an_uncertain_mail_that_was_answered_has_arrived() {
    let mut machine = planned();
    told(&mut machine, NoticeKind::Announcement, 1, Delivery::Uncertain { why: "lost".into() });
    reads(&mut machine, "20:30", "m1", heard(Verdict::Unclear("?".into()), Topic::Window, 1, "20:29"));
    assert_eq!(machine.rotation().unwrap().notices.iter().next().unwrap().delivery.word(), "sent");
    let mut machine = planned();
    told(&mut machine, NoticeKind::Announcement, 1, Delivery::Uncertain { why: "lost".into() });
    reads(&mut machine, "20:30", "m1", heard(Verdict::Automatic("away".into()), Topic::Window, 1, "20:29"));
    assert_eq!(
        machine.rotation().unwrap().notices.iter().next().unwrap().delivery.word(),
        "uncertain",
        "a program's word proves little"
    );
}

fn letter(identity: &str, reference: &str) -> Incoming {
    Incoming { identity: identity.into(), references: vec![reference.into()], ..Incoming::default() }
}

#[test]
fn a_mail_is_taken_in_once_however_often_it_comes() {
    let mut machine = announced();
    let mut index = Index::default();
    index.add(machine.rotation().unwrap());
    let (_, matched) = index.find(letter("m1", &message_id(1))).unwrap();
    for expected in [1, 0] {
        let mails = vec![matched.clone(), matched.clone()];
        let outputs = command(&mut machine, at("20:30"), Command::TakeMails { mails }).unwrap();
        let records = outputs.iter().filter(|output| matches!(output, Output::Append(_))).count();
        assert_eq!(records, expected);
    }
}

#[test]
fn a_mail_belongs_to_whom_its_token_says_and_to_nobody_by_its_sender() {
    let machine = announced();
    let mut index = Index::default();
    index.add(machine.rotation().unwrap());
    let by_address =
        Incoming { recipients: vec![format!("ops+{}.1@ops.example", TOKEN.to_uppercase())], ..letter("a", "") };
    let (_, matched) = index.find(by_address).unwrap();
    assert_eq!((matched.client.0.as_str(), matched.notice, matched.addressed), ("ada", None, Some((Topic::Window, 1))));
    let from = Some(("Ada".to_owned(), "ada@x.example".to_owned()));
    let spoof = Incoming {
        from,
        subject: "Re: VPN maintenance".into(),
        text: Some("confirmed".into()),
        ..letter("b", "<x@y>")
    };
    assert!(index.find(spoof).is_err());
    let returned = Incoming { recipients: vec![format!("ops+b-{TOKEN}@ops.example")], ..letter("c", "") };
    assert!(index.find(returned).is_ok());
}

#[test]
fn a_mail_that_refers_to_two_people_is_unclear() {
    let mut machine = announced();
    let bob = Client { id: ClientId("bob".into()), name: "Bob".into(), email: Some("bob@x.example".into()), ..ada() };
    machine.emit(at("20:06"), Record::PeopleSeen { clients: vec![ada(), bob], unseen: Vec::new() }).unwrap();
    let other = "<mfrggzdfmztwq2lkmfrggzdf.01@ops.example>".to_owned();
    let (client, email) = (ClientId("bob".into()), "bob@x.example".into());
    let queued =
        Record::NoticeQueued { client, email, kind: NoticeKind::Announcement, revision: 1, message_id: other.clone() };
    machine.emit(at("20:06"), queued).unwrap();
    let mut index = Index::default();
    index.add(machine.rotation().unwrap());
    let both = Incoming { references: vec![message_id(1), other], text: Some("confirmed".into()), ..letter("m1", "") };
    let (_, matched) = index.find(both).unwrap();
    assert!(matches!(machine.rotation().unwrap().judge_mail(&matched).verdict, Verdict::Unclear(_)));
}

#[test]
fn an_unclear_mail_is_decided_by_a_person_once_it_fits_the_question() {
    let mut machine = announced();
    reads(&mut machine, "20:30", "abcd1234", heard(Verdict::Unclear("a question".into()), Topic::Window, 1, "20:29"));
    assert_eq!(machine.rotation().unwrap().open_mails().count(), 1);
    let decide = |mail: &str, decision| Command::DecideMail { mail: mail.into(), decision, note: String::new() };
    assert!(command(&mut machine, at("20:31"), decide("abcd", Decision::Back)).is_err());
    assert!(command(&mut machine, at("20:31"), decide("", Decision::Nothing)).is_err());
    command(&mut machine, at("20:32"), decide("abcd", Decision::Answer(Answer::Confirmed))).unwrap();
    assert_eq!(machine.rotation().unwrap().open_mails().count(), 0);
    assert_eq!(ada_keeps_it_shut(&machine), None);
}

#[test]
fn whoever_answers_that_it_works_is_back_and_whoever_does_not_is_not() {
    let mut machine = live();
    reads(&mut machine, "22:20", "m1", heard(Verdict::Declined, Topic::Back, 1, "22:19"));
    let ada = ClientId("ada".into());
    assert!(machine.rotation().unwrap().not_back_by_word(&ada).is_some());
    assert_eq!(machine.rotation().unwrap().not_back().len(), 1);
    reads(&mut machine, "22:30", "m2", heard(Verdict::Confirmed, Topic::Back, 1, "22:29"));
    assert!(machine.rotation().unwrap().not_back_by_word(&ada).is_none());
    assert!(machine.rotation().unwrap().not_back().is_empty());
    // The last word counts, and an operator's over it.
    reads(&mut machine, "22:40", "m3", heard(Verdict::Declined, Topic::Back, 1, "22:39"));
    assert_eq!(machine.rotation().unwrap().not_back().len(), 1);
    let decide = |decision| Command::DecideMail { mail: "m3".into(), decision, note: String::new() };
    for (decision, missing) in [(Decision::Back, 0), (Decision::NotBack, 1), (Decision::Back, 0)] {
        command(&mut machine, at("22:41"), decide(decision)).unwrap();
        assert_eq!(machine.rotation().unwrap().not_back().len(), missing);
    }
}

#[test]
fn reminders_go_to_the_silent_only_and_stop_when_they_answer() {
    let schedule = Schedule {
        first_after: SignedDuration::from_mins(30),
        every: SignedDuration::from_mins(30),
        at_most: 2,
        last_before: SignedDuration::from_mins(10),
        quiet: None,
        weekends: true,
    };
    let next = |machine: &Machine| remind::due(machine.rotation().unwrap(), &schedule).and_then(|due| due.next());
    let mut machine = planned();
    assert_eq!(next(&machine), None, "nobody was asked");
    told(&mut machine, NoticeKind::Announcement, 1, sent());
    assert_eq!(next(&machine), Some(at("20:35")));
    told(&mut machine, NoticeKind::Reminder, 2, sent());
    told(&mut machine, NoticeKind::Reminder, 3, sent());
    assert_eq!(next(&machine), None, "two are enough");
    let mut machine = announced();
    reads(&mut machine, "20:30", "m1", heard(Verdict::Unclear("?".into()), Topic::Window, 1, "20:29"));
    assert_eq!(next(&machine), None, "their mail waits for us");
    reads(&mut machine, "20:31", "m2", heard(Verdict::Tentative, Topic::Window, 1, "20:30"));
    assert_eq!(next(&machine), None, "they have answered");
    let uncertain = |delivery| {
        let mut machine = planned();
        told(&mut machine, NoticeKind::Announcement, 1, delivery);
        next(&machine)
    };
    assert_eq!(uncertain(Delivery::Uncertain { why: "lost".into() }), None);
    assert_eq!(uncertain(Delivery::Failed { permanent: true, reply: "550".into() }), None);
}

#[test]
fn a_mail_may_come_after_the_end_and_changes_nothing() {
    let mut machine = live();
    let (outcome, note) = (Outcome::Rotated, String::new());
    machine.emit(at("23:00"), Record::Finished { outcome, note, despite: None }).unwrap();
    reads(&mut machine, "23:10", "m1", heard(Verdict::Declined, Topic::Back, 1, "23:09"));
    assert_eq!(machine.rotation().unwrap().outcome.as_ref().unwrap().0, Outcome::Rotated);
}

#[test]
fn a_mail_of_somebody_who_is_no_client_any_more_is_kept_and_counts_for_nothing() {
    let mut machine = announced();
    let letter = Incoming { text: Some("confirmed".into()), ..letter("m1", "") };
    let matched = Matched {
        client: ClientId("eve".into()),
        notice: Some(message_id(1)),
        addressed: None,
        is_torn: false,
        vouched: Vouched::NotAsked,
        sent: vec![],
        letter,
    };
    command(&mut machine, at("20:30"), Command::TakeMails { mails: vec![matched] }).unwrap();
    let rotation = machine.rotation().unwrap();
    assert!(matches!(rotation.mails[0].heard.verdict, Verdict::Unrelated(_)));
    assert!(rotation.acknowledgements.is_empty());
}

#[test]
fn what_a_step_wants_settled_is_what_next_names_and_nothing_else() {
    let deliveries = || {
        let (why, reply) = ("lost".to_owned(), "550".to_owned());
        let refused = Delivery::Failed { permanent: true, reply: reply.clone() };
        [sent(), Delivery::Uncertain { why }, refused, Delivery::Bounced { reply }]
    };
    let wants = |machine: &Machine, kind: NoticeKind| {
        let rotation = machine.rotation().unwrap();
        let tally = mailing::tally(rotation, &SendOrder { kind, only: None, again: false });
        assert_eq!(!tally.uncertain.is_empty(), rotation.uncertain_mail().is_some(), "{kind:?}");
        tally.judge().is_err()
    };
    for delivery in deliveries() {
        let is_open = !matches!(delivery, Delivery::Sent { .. });
        let mut machine = planned();
        told(&mut machine, NoticeKind::Announcement, 1, delivery.clone());
        assert_eq!(wants(&machine, NoticeKind::Announcement), is_open, "{delivery:?}");
        ada_says(&mut machine, "20:30", Answer::Confirmed);
        assert!(!wants(&machine, NoticeKind::Announcement), "called and answered: {delivery:?}");

        let mut machine = live();
        told(&mut machine, NoticeKind::Reconfigure, 7, delivery.clone());
        assert_eq!(wants(&machine, NoticeKind::Reconfigure), is_open, "{delivery:?}");
        command(&mut machine, at("22:30"), Command::Back { client: ClientId("ada".into()), note: "works".into() })
            .unwrap();
        assert!(!wants(&machine, NoticeKind::Reconfigure), "they are back: {delivery:?}");
    }
}

/// One look into the mailbox brings both, so both are journaled at one moment: the order in which they arrived decides, and until
/// the mail was read by a person both are told.
#[test]
fn of_a_bounce_and_a_mail_of_one_moment_the_order_decides_and_both_are_told() {
    let unclear = || heard(Verdict::Unclear("?".into()), Topic::Window, 1, "20:29");
    let bounce = || heard(Verdict::Bounced("550 5.1.1".into()), Topic::Window, 1, "20:29");
    let decision = Decision::Answer(Answer::Confirmed);
    let decide = Command::DecideMail { mail: "abcd".into(), decision, note: String::new() };
    for is_behind in [false, true] {
        let mut machine = announced();
        match is_behind {
            false => {
                reads(&mut machine, "20:30", "abcd", unclear());
                reads(&mut machine, "20:30", "m2", bounce());
            }
            true => {
                reads(&mut machine, "20:30", "m2", bounce());
                reads(&mut machine, "20:30", "abcd", unclear());
            }
        }
        let told = gate_reasons_of_ada(&machine);
        assert_eq!(told, ["a mail of Ada must be read by a person", "the mail to Ada is bounced"], "{is_behind}");
        command(&mut machine, at("20:50"), decide.clone()).unwrap();
        let told = gate_reasons_of_ada(&machine);
        assert_eq!(told.is_empty(), is_behind, "{told:?}");
    }
    // The person's own word, read without anybody, likewise.
    for is_behind in [false, true] {
        let mut machine = announced();
        let yes = heard(Verdict::Confirmed, Topic::Window, 1, "20:29");
        let both = if is_behind { [("m2", bounce()), ("m1", yes)] } else { [("m1", yes), ("m2", bounce())] };
        for (mail, heard) in both {
            reads(&mut machine, "20:30", mail, heard);
        }
        assert_eq!(ada_keeps_it_shut(&machine).is_none(), is_behind);
    }
}
