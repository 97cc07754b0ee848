//! The answers by mail on the screen: their rate, the thread with one client, and the key that decides an unclear one.

use super::fixture::*;
use changeguard::app::keymap::Key;
use changeguard::app::{Msg, update};
use changeguard::domain::acknowledgement::Answer;
use changeguard::domain::client::ClientId;
use changeguard::domain::notice::{Delivery, Notice, NoticeKind};
use changeguard::domain::reply::{Heard, Means, Verdict};
use changeguard::domain::token::Topic;
use changeguard::engine::command::Command;
use changeguard::engine::mailbox::{Decision, ReadMail};
use changeguard::engine::status::{Standing, TenantStatus};
use insta::assert_snapshot;
use std::sync::Arc;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

fn notice(view: &ClientId, kind: NoticeKind, when: &str, delivery: Delivery) -> Notice {
    let (email, message_id) = (format!("{view}@example.com"), format!("<{view}.{}@example.net>", kind.word()));
    Notice { client: view.clone(), email, kind, revision: 1, message_id, delivery, at: at(when) }
}

fn heard(verdict: Verdict, evidence: &[&str], marks: &[&str]) -> Heard {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let (marks, evidence) = (own(marks), own(evidence));
    Heard { verdict, topic: Topic::Window, revision: 1, means: Means::Text, marks, evidence, said_at: None }
}

fn mail(client: &ClientId, when: &str, heard: Heard) -> ReadMail {
    let (mail, from) = (format!("{:064x}", when.len()), format!("{client}@example.com"));
    let (client, at) = (client.clone(), at(when));
    ReadMail { mail, client, from, heard, notice: None, at, decision: None, is_void: false, doubt: None }
}

/// Told a week ago and reminded; four of six have answered, of whom Björn asks a question.
fn heard_of() -> TenantStatus {
    let mut status = announced("acme");
    let ids: Vec<ClientId> = status.clients.iter().map(|view| view.client.id.clone()).collect();
    let sent = || Delivery::Sent { reply: "250 2.0.0 Ok: queued as 4Cx1".into() };
    status.notices =
        ids.iter().map(|id| notice(id, NoticeKind::Announcement, "2026-11-17T10:00:00Z", sent())).collect();
    status.notices.push(notice(&ids[1], NoticeKind::Reminder, "2026-11-20T09:00:00Z", sent()));
    let question = ["Is the backup server cut off too?", "Then Sunday would be better."];
    let absent = Verdict::Automatic("Auto-Submitted: auto-replied".into());
    let unclear = Verdict::Unclear("a question".into());
    status.mails = vec![
        mail(&ids[0], "2026-11-17T10:12:00Z", heard(Verdict::Confirmed, &["confirmed"], &[])),
        mail(&ids[1], "2026-11-18T08:00:00Z", heard(absent, &["Out of office"], &[])),
        mail(
            &ids[1],
            "2026-11-20T11:30:00Z",
            heard(unclear, &question, &["answered from another address: b@home.example"]),
        ),
    ];
    status.answered_at =
        ["17T10:12", "17T10:15", "17T11:02", "20T11:31"].map(|when| at(&format!("2026-11-{when}:00Z"))).to_vec();
    status.clients[1] = client("Björn Lindqvist", Standing::ToRead);
    status
}

#[test]
fn the_rate_of_answers_stands_beside_their_number_at_80x24() {
    assert_snapshot!(screen(&showing(heard_of(), SMALL)));
}

#[test]
fn the_rate_of_answers_stands_beside_their_number_at_120x40() {
    assert_snapshot!(screen(&showing(heard_of(), LARGE)));
}

#[test]
fn the_thread_with_an_unclear_mail_at_80x24() {
    let mut model = showing(heard_of(), SMALL);
    press(&mut model, &[Key::Down, Key::Enter]);
    assert_snapshot!(screen(&model));
}

#[test]
fn the_thread_with_an_unclear_mail_at_120x40() {
    let mut model = showing(heard_of(), LARGE);
    press(&mut model, &[Key::Down, Key::Enter]);
    assert_snapshot!(screen(&model));
}

#[test]
fn a_mail_is_decided_by_its_meaning_and_a_second_key_and_by_none_while_something_runs() {
    for (key, decision) in [
        ('y', Decision::Answer(Answer::Confirmed)),
        ('n', Decision::Answer(Answer::Declined)),
        ('t', Decision::Answer(Answer::Tentative)),
        ('0', Decision::Nothing),
    ] {
        let mut model = showing(heard_of(), SMALL);
        press(&mut model, &[Key::Down, Key::Enter]);
        assert!(press(&mut model, &[Key::Char(key), Key::Enter, Key::Enter, Key::Enter]).is_empty(), "{key}");
        let shown = screen(&model);
        assert!(shown.contains(&format!("records as the word of Björn Lindqvist: {}", decision.word())), "{shown}");
        assert!(shown.contains("press R to record it"), "{shown}");
        let effects = press(&mut model, &[Key::Char('R')]);
        let [command] = commands(&effects)[..] else { panic!("{key}: {effects:?}") };
        let note = "was unclear: a question".into();
        assert_eq!(*command, Command::DecideMail { mail: heard_of().mails[2].mail.clone(), decision, note });
    }
    let mut model = showing(heard_of(), SMALL);
    press(&mut model, &[Key::Down, Key::Enter]);
    update(&mut model, Msg::JobStarted { tenant: tenant("acme").id, what: "check".into() });
    assert!(press(&mut model, &[Key::Char('y')]).is_empty());
}

#[test]
fn no_key_decides_for_somebody_whose_mails_are_all_understood() {
    let mut model = showing(heard_of(), SMALL);
    press(&mut model, &[Key::Enter]);
    for key in ['y', 'n', 't', '0'] {
        assert!(press(&mut model, &[Key::Char(key)]).is_empty(), "{key}");
    }
    update(&mut model, Msg::Status(Arc::new(announced("acme"))));
    assert!(screen(&model).contains("no mail went to or came from"), "{}", screen(&model));
}
