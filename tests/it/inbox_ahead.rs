//! What the mailbox adapter asks for before the answer to what it asked for last is there.

use crate::inbox::{HELLO, OPEN, body, mail, parameters, scripted};
use changeguard::adapters::inbox::{ImapInbox, InboxParameters};
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
