//! Whose words count, in which order, how many of them, and how an operator takes back what was recorded: walked by class.

use super::*;
use crate::domain::letter::{Attendee, Authentication, CalendarPart, Dmarc, Incoming};
use crate::domain::notice::Delivery;
use crate::domain::reply::{Heard, Means, Verdict as Says};
use crate::domain::token::{Addressed, ReplyToken, Topic};
use crate::engine::hearing::{MOST_MAILS, Withdrawal};
use crate::engine::mailbox::{Decision, Index};
use crate::engine::status::Standing;

const TOKEN: &str = "gaytemzugu3doobzmfrggzdf";
pub(super) const OURS: &str = "ada@x.example";

pub(super) fn id(name: &str) -> ClientId {
    ClientId(name.into())
}

fn message_id(revision: u32) -> String {
    format!("<{TOKEN}.{revision:016x}@ops.example>")
}

fn told(machine: &mut Machine) {
    let revision = machine.rotation().unwrap().window.revision;
    let (client, email, message_id) = (id("ada"), OURS.into(), message_id(revision));
    let kind = if revision == 1 { NoticeKind::Announcement } else { NoticeKind::Change };
    let queued = Record::NoticeQueued { client, email, kind, revision, message_id: message_id.clone() };
    machine.emit(at("20:05"), queued).unwrap();
    let delivery = Delivery::Sent { reply: "250".into() };
    machine.emit(at("20:05"), Record::NoticeDelivery { message_id, delivery }).unwrap();
}

pub(super) fn announced() -> Machine {
    let mut machine = planned();
    told(&mut machine);
    machine
}

pub(super) fn moved(machine: &mut Machine, hour: u32) {
    let window = Window::parse(&format!("2026-11-25 {hour}:00"), "1h", "UTC", 1).unwrap();
    command(machine, at("20:40"), Command::Reschedule { window }).unwrap();
}

/// Words, from an address, to a revision, written at a moment.
pub(super) fn words(name: &str, from: &str, text: &str, revision: u32, written: &str) -> Incoming {
    let said = Addressed { token: ReplyToken::parse(TOKEN).unwrap(), topic: Topic::Window, revision };
    Incoming {
        identity: name.into(),
        from: Some((String::new(), from.to_lowercase())),
        recipients: vec![said.to_address("ops@ops.example", '+').unwrap()],
        references: Vec::new(),
        subject: "Re: VPN maintenance".into(),
        date: Some(at(written)),
        text: Some(text.into()),
        ..Incoming::default()
    }
}

/// The button of a calendar.
fn button(name: &str, from: &str, attendee: &str, status: &str, revision: u32, written: &str) -> Incoming {
    let who = Attendee {
        email: attendee.to_lowercase(),
        status: status.into(),
        kind: "INDIVIDUAL".into(),
        ..Attendee::default()
    };
    let part = CalendarPart {
        method: "REPLY".into(),
        uid: format!("{TOKEN}@ops.example"),
        sequence: Some(revision - 1),
        stamp: Some(at(written)),
        attendees: vec![who],
        events: 1,
        ..CalendarPart::default()
    };
    Incoming { calendar: Some(part), text: None, recipients: Vec::new(), ..words(name, from, "", revision, written) }
}

pub(super) fn comes(machine: &mut Machine, now: &str, letter: Incoming) -> Says {
    comes_by(machine, now, letter, None)
}

fn comes_by(machine: &mut Machine, now: &str, letter: Incoming, authserv_id: Option<&str>) -> Says {
    let mut index = Index::new(authserv_id.map(str::to_owned));
    index.add(machine.rotation().unwrap());
    let (_, matched) = index.find(letter).unwrap();
    let name = matched.letter.identity.clone();
    command(machine, at(now), Command::TakeMails { mails: vec![matched] }).unwrap();
    machine.rotation().unwrap().mail(&name).unwrap().heard.verdict.clone()
}

pub(super) fn says(machine: &Machine) -> Option<&'static str> {
    machine.rotation().unwrap().acknowledgements.get(&id("ada")).map(|answer| answer.answer.word())
}

pub(super) fn stands(machine: &Machine) -> Standing {
    let rotation = machine.rotation().unwrap();
    crate::engine::judging::stand(&ada(), rotation, &rotation.clients_to_read()).standing()
}

/// What an operator does, and whether it was permitted.
pub(super) fn does(machine: &mut Machine, now: &str, what: Command) -> bool {
    command(machine, at(now), what).is_ok()
}

pub(super) fn takes_back(what: Withdrawal) -> Command {
    Command::TakeBack { what, reason: "a slip".into() }
}

#[test]
fn only_the_address_that_was_written_to_answers_by_words_and_by_button_until_an_operator_accepts_another() {
    let own = [OURS, "Ada@X.example", "ada+vpn@x.example", "ADA+a+b@x.EXAMPLE"];
    let foreign = [
        "eve@evil.example",
        "ada@y.example",
        "ada@x.example.evil.example",
        "ada.x@x.example",
        "bob@x.example",
        "ada2@x.example",
    ];
    let mut walked = 0;
    for (from, is_own) in own.iter().map(|from| (*from, true)).chain(foreign.iter().map(|from| (*from, false))) {
        for (yes, answer) in [("confirmed", "confirmed"), ("no", "declined")] {
            let status = if answer == "confirmed" { "ACCEPTED" } else { "DECLINED" };
            let dresses = [
                words("m", from, yes, 1, "20:20"),
                button("m", from, from, status, 1, "20:20"),
                // A forwarded invitation: accepted in their name by somebody else, or in somebody else's by them.
                button("m", from, OURS, status, 1, "20:20"),
                button("m", OURS, from, status, 1, "20:20"),
            ];
            for letter in dresses {
                for alias in [None, Some(false), Some(true)] {
                    let mut machine = announced();
                    let verdict = comes(&mut machine, "20:30", letter.clone());
                    walked += 1;
                    if is_own {
                        assert_eq!(says(&machine), Some(answer), "{letter:?}: {verdict:?}");
                        continue;
                    }
                    assert!(
                        matches!(&verdict, Says::Unclear(why) if why.contains("another address")),
                        "{letter:?}: {verdict:?}"
                    );
                    assert_eq!((says(&machine), stands(&machine)), (None, Standing::ToRead));
                    let Some(alias) = alias else { continue };
                    let accept = Command::AcceptSender { mail: "m".into(), alias, note: String::new() };
                    assert!(does(&mut machine, "20:31", accept));
                    assert_eq!(says(&machine), Some(answer), "{letter:?}");
                    // From now on, or once.
                    let later = words("n", from, "no", 1, "20:32");
                    let verdict = comes(&mut machine, "20:33", later);
                    assert_eq!(verdict == Says::Declined, alias);
                    if alias {
                        let (client, address) = (id("ada"), from.to_lowercase());
                        assert!(does(&mut machine, "20:34", takes_back(Withdrawal::Alias { client, address })));
                    } else {
                        assert!(does(&mut machine, "20:34", takes_back(Withdrawal::Decision { mail: "m".into() })));
                    }
                    assert_eq!((says(&machine), stands(&machine)), (None, Standing::ToRead), "as if never accepted");
                }
            }
        }
    }
    assert!(walked > 200, "{walked}");
}

#[test]
fn another_client_and_nobody_answer_for_nobody_and_are_no_alias() {
    let bob = Client { id: id("bob"), name: "Bob".into(), email: Some("bob@x.example".into()), ..ada() };
    for letter in [
        words("m", "bob@x.example", "no", 1, "20:20"),
        button("m", "bob@x.example", OURS, "DECLINED", 1, "20:20"),
        button("m", OURS, "bob@x.example", "ACCEPTED", 1, "20:20"),
        Incoming { from: None, ..button("m", OURS, OURS, "DECLINED", 1, "20:20") },
        Incoming { from: None, ..words("m", OURS, "confirmed", 1, "20:20") },
    ] {
        let mut machine = announced();
        machine.emit(at("20:06"), Record::PeopleSeen { clients: vec![ada(), bob.clone()], unseen: vec![] }).unwrap();
        let verdict = comes(&mut machine, "20:30", letter);
        assert!(matches!(verdict, Says::Unclear(_)), "{verdict:?}");
        let accept = Command::AcceptSender { mail: "m".into(), alias: true, note: String::new() };
        assert!(!does(&mut machine, "20:31", accept));
    }
}

#[test]
fn a_whole_domain_is_accepted_in_one_go_for_what_comes_afterwards_and_is_revoked() {
    let mut machine = announced();
    let moved = "ada@new.example";
    comes(&mut machine, "20:10", words("before", moved, "no", 1, "20:10"));
    let accept = |from: &str, to: &str| Command::AcceptDomain { from: from.into(), to: to.into(), note: String::new() };
    for (from, to) in
        [("y.example", "new.example"), ("x.example", "x.example"), ("x", "y"), ("a@x.example", "n.example")]
    {
        assert!(!does(&mut machine, "20:11", accept(from, to)), "{from} {to}");
    }
    assert!(does(&mut machine, "20:11", accept("@X.example", "new.example")));
    assert_eq!(comes(&mut machine, "20:12", words("a", moved, "confirmed", 1, "20:12")), Says::Confirmed);
    for other in ["eve@new.example", "ada@sub.new.example", "ada@old.example"] {
        let verdict = comes(&mut machine, "20:13", words(other, other, "confirmed", 1, "20:13"));
        assert!(matches!(verdict, Says::Unclear(_)), "{other}");
    }
    let (from, to) = ("x.example".to_owned(), "new.example".to_owned());
    assert!(does(&mut machine, "20:14", takes_back(Withdrawal::Domain { from, to })));
    assert_eq!((says(&machine), stands(&machine)), (None, Standing::ToRead));
}

#[test]
fn an_alias_goes_on_in_the_next_rotation_and_says_who_accepted_it() {
    let mut machine = announced();
    comes(&mut machine, "20:10", words("m", "ada@home.example", "confirmed", 1, "20:10"));
    let accept = Command::AcceptSender { mail: "m".into(), alias: true, note: "she called".into() };
    assert!(does(&mut machine, "20:11", accept));
    for round in 0..2 {
        let (outcome, note) = (Outcome::Cancelled, String::new());
        machine.emit(at("20:20"), Record::Finished { outcome, note, despite: None }).unwrap();
        let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap();
        let plan = Command::Plan { window, cause: Cause::Scheduled, reference: String::new() };
        assert!(does(&mut machine, "20:21", plan), "{round}");
        machine.emit(at("20:21"), Record::PeopleSeen { clients: vec![ada()], unseen: vec![] }).unwrap();
        told(&mut machine);
    }
    let rotation = machine.rotation().unwrap();
    let [alias] = rotation.hearing.senders.aliases.as_slice() else { panic!("{:?}", rotation.hearing.senders) };
    assert_eq!(alias.note, "accepted by op in r1: she called");
    assert_eq!(comes(&mut machine, "20:30", words("n", "ada@home.example", "confirmed", 1, "20:29")), Says::Confirmed);
}

#[test]
fn a_sender_for_whom_the_receiving_server_does_not_vouch_is_unclear() {
    let header = |id: &str, results: &[&str]| Authentication {
        authserv_id: id.into(),
        dmarc: results
            .iter()
            .map(|result| Dmarc { result: (*result).into(), from: Some("x.example".into()) })
            .collect(),
    };
    for (headers, passes) in [
        (vec![header("mx", &["pass"])], true),
        (vec![header("hop", &["fail"]), header("mx", &["pass"])], true),
        (vec![header("mx", &["fail"]), header("mx", &["pass"])], false),
        (vec![header("mx", &[]), header("mx", &["pass"])], false),
        (vec![header("mx", &["pass", "fail"])], false),
        (vec![header("mx", &["bestguesspass"])], false),
        (vec![header("evil", &["pass"])], false),
        (vec![], false),
    ] {
        for yes in [words("m", OURS, "confirmed", 1, "20:20"), button("m", OURS, OURS, "ACCEPTED", 1, "20:20")] {
            let mut machine = announced();
            let letter = Incoming { authentication: headers.clone(), ..yes };
            let verdict = comes_by(&mut machine, "20:30", letter, Some("MX"));
            assert_eq!(verdict == Says::Confirmed, passes, "{headers:?}: {verdict:?}");
            if passes {
                continue;
            }
            assert!(matches!(verdict, Says::Unclear(why) if why.contains("not verified")));
            let accept = |alias| Command::AcceptSender { mail: "m".into(), alias, note: String::new() };
            assert!(!does(&mut machine, "20:31", accept(true)), "it is the very address that was written to");
            assert!(does(&mut machine, "20:31", accept(false)));
            assert_eq!(says(&machine), Some("confirmed"));
        }
    }
    let other = Dmarc { result: "pass".into(), from: Some("evil.example".into()) };
    let authentication = vec![Authentication { authserv_id: "mx".into(), dmarc: vec![other] }];
    let letter = Incoming { authentication, ..words("m", OURS, "confirmed", 1, "20:20") };
    assert!(matches!(comes_by(&mut announced(), "20:30", letter, Some("mx")), Says::Unclear(_)));
}

#[test]
fn a_reply_to_another_mail_is_unclear_but_a_calendars_answer_names_its_invitation() {
    let other = || vec!["<theirs@x.example>".to_owned(), message_id(1)];
    let ours = || vec![message_id(1), "<theirs@x.example>".to_owned()];
    for (references, answers) in
        [(other(), false), (vec!["<theirs@x.example>".into()], false), (ours(), true), (vec![], true)]
    {
        let letter = Incoming { references: references.clone(), ..words("m", OURS, "confirmed", 1, "20:20") };
        assert_eq!(comes(&mut announced(), "20:30", letter) == Says::Confirmed, answers, "{references:?}");
        let letter = Incoming { references, ..button("m", OURS, OURS, "ACCEPTED", 1, "20:20") };
        assert_eq!(comes(&mut announced(), "20:30", letter), Says::Confirmed);
    }
}

#[test]
fn the_last_that_arrives_holds_and_where_it_was_written_earlier_the_stricter_whatever_the_clocks_say() {
    let clocks = ["20:10", "20:20", "23:59"];
    let answers = [("confirmed", "ACCEPTED", 0), ("tentative", "TENTATIVE", 1), ("declined", "DECLINED", 3)];
    let mut walked = 0;
    for first_at in clocks {
        for second_at in clocks {
            for (first, first_button, first_strict) in answers {
                for (second, second_button, second_strict) in answers {
                    let mut machine = announced();
                    comes(&mut machine, "20:30", button("a", OURS, OURS, first_button, 1, first_at));
                    comes(&mut machine, "20:31", button("b", OURS, OURS, second_button, 1, second_at));
                    let contradicts = second_at < first_at;
                    let expected = if contradicts && first_strict > second_strict { first } else { second };
                    assert_eq!(says(&machine), Some(expected), "{first} {first_at}, then {second} {second_at}");
                    let is_shown = !machine.rotation().unwrap().hearing.conflicts.is_empty();
                    assert_eq!(
                        is_shown,
                        contradicts && first != second,
                        "{first} {first_at}, then {second} {second_at}"
                    );
                    walked += 1;
                }
            }
        }
    }
    assert_eq!(walked, 81);
    // What an operator says is the last word, also against a clock that runs ahead.
    let mut machine = announced();
    comes(&mut machine, "20:30", button("a", OURS, OURS, "DECLINED", 1, "23:59"));
    let answer = Answer::Confirmed;
    let ack = Command::Answer { client: id("ada"), answer, channel: Channel::Phone, note: String::new() };
    assert!(does(&mut machine, "20:40", ack));
    assert_eq!(says(&machine), Some("confirmed"));
}

#[test]
fn what_is_unclear_and_written_later_is_not_settled_by_an_earlier_yes_that_arrives_behind_it() {
    let mut machine = announced();
    comes(&mut machine, "20:30", words("q", OURS, "will the backup server be cut off too?", 1, "20:20"));
    comes(&mut machine, "20:31", words("y", OURS, "confirmed", 1, "20:10"));
    assert_eq!(stands(&machine), Standing::ToRead);
    comes(&mut machine, "20:32", words("z", OURS, "confirmed", 1, "20:25"));
    assert_eq!(stands(&machine), Standing::Confirmed);
}

#[test]
fn older_journals_fold_to_what_they_folded_to() {
    let heard = |verdict, said: &str| Heard {
        verdict,
        topic: Topic::Window,
        revision: 1,
        means: Means::Text,
        marks: vec![],
        evidence: vec![],
        said_at: Some(at(said)),
    };
    for (version, holds) in [(3, "confirmed"), (4, "declined")] {
        let mut rotation = Rotation::clone(announced().rotation().unwrap());
        for (mail, verdict, said) in [("a", Says::Confirmed, "23:59"), ("b", Says::Declined, "20:20")] {
            let (client, from, heard) = (id("ada"), "somebody@else.example".to_owned(), heard(verdict, said));
            let record = Record::MailRead { client, mail: mail.into(), from, heard, notice: None, doubt: None };
            let (by, host, seq) = ("op".to_owned(), "host".to_owned(), rotation.seq + 1);
            rotation.apply(&Entry {
                seq,
                version,
                at: at("20:30"),
                by,
                host,
                person: None,
                ssh: None,
                session: None,
                unproven: false,
                environment: None,
                record,
            });
        }
        assert_eq!(rotation.acknowledgements[&id("ada")].answer.word(), holds, "version {version}");
    }
}

#[test]
fn a_revision_that_was_never_sent_counts_for_nothing_and_locks_out_nothing() {
    for revision in [2, 3, 4_000_000_000] {
        for yes in
            [words("m", OURS, "confirmed", revision, "20:20"), button("m", OURS, OURS, "ACCEPTED", revision, "20:20")]
        {
            let mut machine = announced();
            let verdict = comes(&mut machine, "20:30", yes);
            assert!(matches!(&verdict, Says::Unclear(why) if why.contains("never sent")), "{verdict:?}");
            assert_eq!((says(&machine), stands(&machine)), (None, Standing::ToRead));
            // When that revision comes, it is no answer to it, whatever was made of it.
            let (decision, note) = (Decision::Answer(Answer::Confirmed), String::new());
            assert!(does(&mut machine, "20:31", Command::DecideMail { mail: "m".into(), decision, note }));
            moved(&mut machine, 20);
            told(&mut machine);
            moved(&mut machine, 21);
            assert_ne!(stands(&machine), Standing::Confirmed);
            told(&mut machine);
            assert_ne!(stands(&machine), Standing::Confirmed);
            comes(&mut machine, "20:50", words("n", OURS, "no", 3, "20:49"));
            assert_eq!(stands(&machine), Standing::Declined);
        }
    }
}

#[test]
fn what_was_answered_before_a_window_was_there_is_no_answer_to_it() {
    // As an older journal may hold it: a yes to revision 2, which comes only afterwards.
    let mut rotation = Rotation::clone(announced().rotation().unwrap());
    let heard = Heard {
        verdict: Says::Confirmed,
        topic: Topic::Window,
        revision: 2,
        means: Means::Text,
        marks: vec![],
        evidence: vec![],
        said_at: None,
    };
    let (client, from) = (id("ada"), OURS.to_owned());
    let read = Record::MailRead { client, mail: "m".into(), from, heard, notice: None, doubt: None };
    let window = Window::parse("2026-11-25 21:00", "1h", "UTC", 2).unwrap();
    for (version, record) in [(3, read), (4, Record::Rescheduled { window })] {
        let (by, host, seq) = ("op".to_owned(), "host".to_owned(), rotation.seq + 1);
        rotation.apply(&Entry {
            seq,
            version,
            at: at("20:30"),
            by,
            host,
            person: None,
            ssh: None,
            session: None,
            unproven: false,
            environment: None,
            record,
        });
    }
    assert!(rotation.acknowledgements.is_empty());
}

#[test]
fn of_very_many_mails_a_bounded_number_is_journaled_and_a_person_reads_what_may_be_behind_them() {
    let mut machine = announced();
    let mut index = Index::default();
    index.add(machine.rotation().unwrap());
    let flood = |from: usize, to: usize| -> Vec<_> {
        let letter = |at: usize| words(&format!("m{at}"), OURS, "confirmed", 1 + (at % 3) as u32, "20:20");
        (from..to).map(|at| index.find(letter(at)).unwrap().1).collect()
    };
    let journaled = |machine: &Machine| machine.rotation().unwrap().mails.len();
    command(&mut machine, at("20:30"), Command::TakeMails { mails: flood(0, 500) }).unwrap();
    assert_eq!(journaled(&machine), MOST_MAILS + 1, "revisions that were never sent are no way around it");
    assert_eq!(stands(&machine), Standing::ToRead, "a decline may be among the others");
    command(&mut machine, at("20:31"), Command::TakeMails { mails: flood(500, 900) }).unwrap();
    assert_eq!(journaled(&machine), MOST_MAILS + 1);
    // An operator decides; what comes then is to be looked at once more.
    let ack =
        Command::Answer { client: id("ada"), answer: Answer::Confirmed, channel: Channel::Phone, note: String::new() };
    assert!(does(&mut machine, "20:32", ack));
    assert_eq!(stands(&machine), Standing::Confirmed);
    command(&mut machine, at("20:33"), Command::TakeMails { mails: flood(900, 1000) }).unwrap();
    assert_eq!((journaled(&machine), stands(&machine)), (MOST_MAILS + 2, Standing::ToRead));
    // Another window is another count.
    moved(&mut machine, 21);
    told(&mut machine);
    assert_eq!(comes(&mut machine, "20:50", words("new", OURS, "confirmed", 2, "20:49")), Says::Confirmed);
}
