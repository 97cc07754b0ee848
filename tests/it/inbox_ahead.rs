//! What the mailbox adapter asks for before the answer to what it asked for last is there.

use crate::inbox::{HELLO, OPEN, body, mail, parameters, scripted};
use crate::senders::{answers, told, writes};
use changeguard::adapters::inbox::{ImapInbox, InboxParameters};
use changeguard::adapters::lab::{Fault, Rule, Service, Which};
use changeguard::engine::ports::Inbox;
use jiff::Timestamp;
use std::time::Duration;

#[tokio::test]
async fn several_fetches_are_under_way_at_once_and_one_that_is_refused_costs_only_its_own_mails() {
    for refused in [false, true] {
        let (port, heard) = scripted(move |command| match command.split(' ').take(2).collect::<Vec<_>>().as_slice() {
            [""] => HELLO.into(),
            ["EXAMINE", _] => OPEN.replace("UIDNEXT 4", "UIDNEXT 21"),
            ["UID", "SEARCH"] if command.ends_with("UID 20") => "* SEARCH\r\n{tag} OK\r\n".into(),
            ["UID", "SEARCH"] => {
                let uids: Vec<String> = (1..=20).map(|uid| uid.to_string()).collect();
                format!("* SEARCH {}\r\n{{tag}} OK\r\n", uids.join(" "))
            }
            // Whoever waits for the answer to the first before sending the second waits for ever.
            ["UID", "FETCH"] if command.starts_with("UID FETCH 1:16 ") => String::new(),
            ["UID", "FETCH"] if command.starts_with("UID FETCH 17:20 ") => {
                let all = |range: std::ops::RangeInclusive<u32>| -> String {
                    range.map(|uid| body(uid, uid, &mail(uid as usize))).collect()
                };
                match refused {
                    true => format!("{{before}} NO x\r\n{}{{tag}} OK\r\n", all(17..=20)),
                    false => format!("{}{{before}} OK\r\n{}{{tag}} OK\r\n", all(1..=16), all(17..=20)),
                }
            }
            _ => {
                let uid: u32 = command.split(' ').nth(2).and_then(|uid| uid.parse().ok()).unwrap();
                format!("{}{{tag}} OK\r\n", body(uid, uid, &mail(uid as usize)))
            }
        })
        .await;
        let inbox = ImapInbox::new(InboxParameters { timeout: Duration::from_secs(3), ..parameters(port) }).unwrap();
        let reading = inbox.read("INBOX", None, Timestamp::now(), 100).await.unwrap();
        let read: Vec<u32> = reading.mails.iter().map(|(uid, _)| *uid).collect();
        assert_eq!(read, (1..=20).collect::<Vec<_>>());
        assert_eq!(reading.cursor.next_uid, 21);
        let fetches = heard.lock().unwrap().iter().filter(|command| command.starts_with("UID FETCH")).count();
        assert_eq!(fetches, if refused { 2 + 16 } else { 2 });
    }
}

/// The first hundred mails of a folder are read and taken in while the next are asked for.
const PART: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_while_the_mails_before_it_are_taken_in_costs_none_of_them_and_nothing_is_taken_twice() {
    let scene = told().await;
    let post = scene.wiring.post().unwrap();
    let noise = |numbers: std::ops::Range<usize>| {
        numbers.for_each(|number| _ = scene.lab.world().deliver_to_operator(mail(number).as_bytes()));
    };
    noise(0..PART / 2);
    writes(&scene, "acme", 0, None, "confirmed", 1);
    noise(PART / 2..2 * PART);
    writes(&scene, "acme", 1, None, "no", 2);
    noise(2 * PART..2 * PART + 10);
    // Of the second part nothing comes, and nobody is let in again.
    let chunks = PART.div_ceil(16) as u64;
    let faults = scene.lab.faults();
    faults.add(Rule::new(Service::Imap, Fault::Close).method("UID FETCH").which(Which::From(chunks + 1)));
    faults.add(Rule::new(Service::Imap, Fault::Close).method("CONNECT").which(Which::From(2)));
    post.sort(&scene.fleet).await.unwrap_err();
    assert_eq!(answers(&scene, "acme")[..2], ["confirmed", "silent"]);
    assert_eq!(post.strays().await.unwrap().len(), PART - 1, "those before the fault");
    faults.clear();
    let sorted = post.sort(&scene.fleet).await.unwrap();
    assert_eq!(sorted.fetched, PART + 12, "only what was not taken in: {sorted:?}");
    assert_eq!(answers(&scene, "acme")[..2], ["confirmed", "declined"]);
    assert_eq!(post.strays().await.unwrap().len(), 2 * PART + 10);
    assert_eq!(scene.acme().rotation().unwrap().mails.len(), 2, "each once");
    assert_eq!(post.sort(&scene.fleet).await.unwrap().fetched, 0);
}
