//! A mail that the server puts off (4xx, greylisting): what it holds meanwhile, and what the journal says of it.

use crate::offered::Way;
use crate::rig::Rig;
use changeguard::adapters::lab::{Fault, Rule, Service};
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::Command;
use changeguard::engine::record::Record;

/// Every try: to whom, and how it ended.
fn tries(rig: &Rig) -> Vec<(String, &'static str)> {
    let entries = rig.conductor.entries();
    let to = |wanted: &str| {
        let queued = entries.iter().find_map(|entry| match &entry.record {
            Record::NoticeQueued { message_id, email, .. } if message_id == wanted => Some(email.clone()),
            _ => None,
        });
        queued.unwrap()
    };
    let ended = entries.iter().filter_map(|entry| match &entry.record {
        Record::NoticeDelivery { message_id, delivery } => Some((to(message_id), delivery.word())),
        _ => None,
    });
    ended.collect()
}

fn announce() -> Command {
    Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_put_off_goes_behind_the_others_is_journaled_so_and_holds_no_connection() {
    let rig = Rig::start_with(|config| (config.smtp.connections, config.smtp.retries) = (1, 2)).await;
    rig.plan(Way::Forward).await;
    rig.lab.faults().add(Rule::new(Service::Smtp, Fault::Status(450)).method("RCPT"));
    rig.conductor.run(announce()).await.unwrap();
    let tries = tries(&rig);
    // Two are under way side by side: which of the first two is journaled first is nobody's affair.
    let put_off = tries.iter().position(|(_, word)| *word == "deferred").unwrap();
    let (person, other) = (&tries[put_off].0, &tries[1 - put_off].0);
    assert!(put_off < 2 && person != other, "{tries:?}");
    assert_eq!((&tries[1 - put_off].1, &tries[2]), (&"sent", &(person.clone(), "sent")), "{tries:?}");
    assert_eq!(tries.len(), 3);
    let to: Vec<String> = rig.lab.world().mails().iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to, [other.clone(), person.clone()], "one mail each, the other one first");
    assert_eq!(rig.lab.world().count(Service::Smtp, "CONNECT"), 1, "one connection served both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_put_off_for_ever_is_deferred_after_its_last_try_and_can_be_sent_again() {
    let rig = Rig::start_with(|config| (config.smtp.connections, config.smtp.retries) = (1, 1)).await;
    rig.plan(Way::Forward).await;
    let fault = rig.lab.faults().add(Rule::new(Service::Smtp, Fault::Status(450)).method("RCPT").always());
    rig.conductor.run(announce()).await.unwrap_err();
    let words: Vec<&str> = tries(&rig).iter().map(|(_, word)| *word).collect();
    assert_eq!(words, ["deferred"; 4], "each once, and once more");
    rig.lab.faults().remove(fault);
    rig.conductor.run(announce()).await.unwrap();
    assert_eq!(rig.lab.world().mails().len(), 2);
}
