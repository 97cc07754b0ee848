//! The mailbox adapter against the lab's IMAP server, and against servers that misbehave: nothing is lost, nothing is
//! passed over, and no server can make it wait for ever or take more memory than was asked for.

use changeguard::adapters::inbox::{After, ImapInbox, InboxParameters, Login, PasswordSource, Security};
use changeguard::adapters::lab::{Fault, Lab, LabOptions, Loss, Rule, Service};
use changeguard::domain::fault::FaultKind;
use changeguard::engine::ports::{Cursor, Inbox};
use changeguard::engine::secret::SecretBytes;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const SOON: Duration = Duration::from_secs(20);

fn given(text: &str) -> PasswordSource {
    PasswordSource::Given(SecretBytes::new(text.as_bytes().to_vec()))
}

pub fn parameters(port: u16) -> InboxParameters {
    InboxParameters {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        user: "vpn-ops@lab.example".into(),
        login: Login::Password(given("secret")),
        ca_file: None,
        folders: vec!["INBOX".into()],
        after: After::Leave,
        poll: Duration::from_millis(20),
        timeout: SOON,
    }
}

pub fn mail(number: usize) -> String {
    format!(
        "From: Ada <ada@acme.example>\r\nMessage-ID: <{number}@acme.example>\r\nSubject: mail {number}\r\n\r\nyes\r\n"
    )
}

struct Bench {
    lab: Lab,
    inbox: ImapInbox,
    _directory: tempfile::TempDir,
}

impl Bench {
    async fn start(edit: impl FnOnce(&mut InboxParameters)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = LabOptions {
            clients: 3,
            reconcile_interval: Duration::from_secs(60),
            seed: 42,
            ..LabOptions::still(directory.path(), "changeguard")
        };
        let lab = Lab::start(options).await.unwrap();
        let mut parameters = parameters(lab.world().ports().imap);
        edit(&mut parameters);
        Self { inbox: ImapInbox::new(parameters).unwrap(), lab, _directory: directory }
    }

    fn fill(&self, count: usize) {
        for number in 0..count {
            self.lab.world().deliver_to_operator(mail(number).as_bytes());
        }
    }

    /// Reads to the end, `most` at a time: the subjects and the cursor.
    async fn all(&self, mut from: Option<Cursor>, most: usize) -> (Vec<String>, Cursor) {
        let mut subjects = Vec::new();
        loop {
            let reading = self.inbox.read("INBOX", from, Timestamp::now(), most).await.unwrap();
            assert!(reading.mails.len() <= most);
            subjects.extend(reading.mails.into_iter().map(|(_, mail)| mail.subject));
            from = Some(reading.cursor);
            if !reading.more {
                return (subjects, reading.cursor);
            }
        }
    }

    async fn commands(&self, from: Option<Cursor>) -> u64 {
        let before = self.lab.world().imap_commands();
        self.inbox.read("INBOX", from, Timestamp::now(), 100).await.unwrap();
        self.lab.world().imap_commands() - before
    }
}

fn subjects(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("mail {number}")).collect()
}

#[tokio::test]
async fn every_mail_is_given_once_in_order_and_nothing_new_costs_one_command() {
    let bench = Bench::start(|_| {}).await;
    bench.fill(45);
    let (read, cursor) = bench.all(None, 20).await;
    assert_eq!(read, subjects(0..45));
    assert_eq!(bench.commands(Some(cursor)).await, 1);
    bench.lab.world().deliver_to_operator(mail(45).as_bytes());
    let (read, cursor) = bench.all(Some(cursor), 20).await;
    assert_eq!((read, cursor.next_uid), (subjects(45..46), 47));
    let kept = bench.lab.world().mailbox("INBOX");
    assert!(kept.len() == 46 && kept.iter().all(|(_, _, flags)| flags.is_empty()), "reading changes nothing");
    assert_eq!(bench.lab.world().count(Service::Imap, "SELECT"), 0);
    assert_eq!(bench.lab.world().count(Service::Imap, "CONNECT"), 1, "one warm connection");
}

#[tokio::test]
async fn the_first_look_goes_back_to_since_and_not_to_the_beginning_of_time() {
    let bench = Bench::start(|_| {}).await;
    bench.fill(3);
    bench.lab.world().age_mailbox(Duration::from_secs(10 * 24 * 3600));
    bench.lab.world().deliver_to_operator(mail(3).as_bytes());
    let (read, cursor) = bench.all(None, 20).await;
    assert_eq!((read, cursor.next_uid), (subjects(3..4), 5));
}

#[tokio::test]
async fn a_folder_that_is_numbered_anew_is_read_again_and_says_so() {
    let bench = Bench::start(|_| {}).await;
    bench.fill(3);
    let (_, cursor) = bench.all(None, 20).await;
    bench.lab.world().renumber("INBOX");
    let reading = bench.inbox.read("INBOX", Some(cursor), Timestamp::now(), 20).await.unwrap();
    assert!(reading.renumbered && reading.mails.len() == 3);
    assert_ne!(reading.cursor.uid_validity, cursor.uid_validity);
    assert!(!bench.inbox.read("INBOX", Some(reading.cursor), Timestamp::now(), 20).await.unwrap().renumbered);
    // A restore that keeps UIDVALIDITY and falls back with the numbers: later mails would hide below the cursor.
    let ahead = Cursor { next_uid: 900, ..reading.cursor };
    let reading = bench.inbox.read("INBOX", Some(ahead), Timestamp::now(), 20).await.unwrap();
    assert!(reading.renumbered && reading.mails.len() == 3);
}

#[tokio::test]
async fn mails_that_somebody_else_removed_are_passed_over() {
    let bench = Bench::start(|_| {}).await;
    bench.fill(6);
    for uid in [1, 3, 6] {
        assert!(bench.lab.world().remove_mail("INBOX", uid));
    }
    let (read, cursor) = bench.all(None, 2).await;
    assert_eq!(read, ["mail 1", "mail 3", "mail 4"]);
    assert_eq!(cursor.next_uid, 7);
}

#[tokio::test]
async fn of_a_huge_mail_128_kib_are_read_and_it_says_so() {
    let bench = Bench::start(|_| {}).await;
    let huge = format!("{}{}", mail(0), "x".repeat(20_000_000));
    bench.lab.world().deliver_to_operator(huge.as_bytes());
    bench.fill(1);
    let reading = bench.inbox.read("INBOX", None, Timestamp::now(), 20).await.unwrap();
    let cut: Vec<bool> = reading.mails.iter().map(|(_, mail)| mail.unreadable.is_some()).collect();
    assert_eq!((cut, reading.mails[0].1.subject.as_str()), (vec![true, false], "mail 0"));
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_loses_nothing() {
    let faults = [
        ("UID FETCH", Fault::ResetMidBody),
        ("UID FETCH", Fault::Close),
        ("UID FETCH", Fault::Status(0)),
        ("UID FETCH", Fault::LoseAnswer(Loss::Close)),
        ("UID SEARCH", Fault::Close),
        ("UID SEARCH", Fault::Status(0)),
        ("EXAMINE", Fault::Close),
        ("EXAMINE", Fault::Status(0)),
        ("AUTHENTICATE", Fault::Close),
        ("CAPABILITY", Fault::Status(0)),
        ("CONNECT", Fault::Close),
        ("CONNECT", Fault::Status(0)),
        ("UID FETCH", Fault::Delay(Duration::from_millis(30))),
    ];
    for (verb, fault) in faults {
        for nth in 1..=2 {
            let bench = Bench::start(|_| {}).await;
            bench.fill(40);
            bench.lab.faults().add(Rule::new(Service::Imap, fault).method(verb).nth(nth));
            let (mut read, mut from) = (Vec::new(), None);
            let mut faults = 0;
            for _ in 0..6 {
                match bench.inbox.read("INBOX", from, Timestamp::now(), 20).await {
                    Ok(reading) => {
                        read.extend(reading.mails.into_iter().map(|(_, mail)| mail.subject));
                        from = Some(reading.cursor);
                    }
                    Err(fault) => {
                        assert!(fault.message.contains("127.0.0.1:"), "{fault}");
                        faults += 1;
                    }
                }
            }
            assert!(faults <= 1, "{verb} {fault:?}: {faults}");
            assert_eq!(read, subjects(0..40), "{verb} {fault:?} {nth}");
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_left_after_the_time_limit() {
    for verb in ["CONNECT", "AUTHENTICATE", "EXAMINE", "UID SEARCH", "UID FETCH"] {
        let bench = Bench::start(|parameters| parameters.timeout = Duration::from_millis(150)).await;
        bench.fill(1);
        bench.lab.faults().add(Rule::new(Service::Imap, Fault::Hang).method(verb).always());
        let read = bench.inbox.read("INBOX", None, Timestamp::now(), 20);
        let fault = tokio::time::timeout(SOON, read).await.unwrap().unwrap_err();
        assert_eq!(fault.kind, FaultKind::TimedOut, "{verb}: {fault}");
        bench.lab.faults().clear();
        assert_eq!(bench.all(None, 20).await.0, subjects(0..1), "{verb}");
    }
}

#[tokio::test]
async fn a_mail_that_the_server_does_not_give_is_told_in_the_end_and_holds_up_none_for_ever() {
    let bench = Bench::start(|_| {}).await;
    bench.fill(3);
    bench.lab.faults().add(Rule::new(Service::Imap, Fault::Status(0)).method("UID FETCH").path("2 (UID RFC").always());
    bench.lab.faults().add(Rule::new(Service::Imap, Fault::Close).method("UID FETCH").path("1:3 ").always());
    let first = bench.inbox.read("INBOX", None, Timestamp::now(), 20).await.unwrap();
    assert_eq!((first.mails.len(), first.cursor.next_uid, first.more), (1, 2, true), "not past what was not given");
    assert!(bench.inbox.read("INBOX", Some(first.cursor), Timestamp::now(), 1).await.is_err());
    let last = bench.inbox.read("INBOX", Some(first.cursor), Timestamp::now(), 1).await.unwrap();
    let (uid, mail) = &last.mails[0];
    assert!(*uid == 2 && mail.unreadable.as_ref().unwrap().contains("refuses it"), "{mail:?}");
    assert_eq!(mail.subject, "mail 1", "the header is still read");
    assert_eq!(bench.all(Some(last.cursor), 20).await.0, subjects(2..3));
}

#[tokio::test]
async fn waiting_ends_when_a_mail_comes_also_one_that_came_in_between() {
    let bench = Bench::start(|_| {}).await;
    let (_, cursor) = bench.all(None, 20).await;
    let idle = bench.lab.world().until(SOON, |world| world.count(Service::Imap, "IDLE") == 1);
    let deliver = async {
        assert!(idle.await);
        bench.fill(1);
    };
    let (waited, ()) = tokio::join!(tokio::time::timeout(SOON, bench.inbox.wait()), deliver);
    waited.unwrap().unwrap();
    let (read, cursor) = bench.all(Some(cursor), 20).await;
    assert_eq!(read, subjects(0..1));
    bench.fill(1);
    tokio::time::timeout(SOON, bench.inbox.wait()).await.unwrap().unwrap();
    assert_eq!(bench.all(Some(cursor), 20).await.0, subjects(0..1));
}

#[tokio::test]
async fn without_idle_and_without_a_server_waiting_takes_the_interval() {
    let poll = Duration::from_millis(120);
    let bench = Bench::start(|parameters| parameters.poll = poll).await;
    for case in ["no IDLE", "IDLE breaks", "no server"] {
        match case {
            "no IDLE" => bench.lab.world().set_imap_abilities(&[]),
            "IDLE breaks" => {
                bench.lab.world().set_imap_abilities(&["IDLE"]);
                bench.lab.faults().add(Rule::new(Service::Imap, Fault::Close).method("IDLE").always());
            }
            _ => bench.lab.world().set_down(Service::Imap, true),
        }
        let begun = std::time::Instant::now();
        bench.inbox.wait().await.unwrap();
        assert!(begun.elapsed() >= poll, "{case}: no busy loop");
    }
}

#[tokio::test]
async fn settled_mails_are_left_marked_or_moved_as_configured() {
    let bench = Bench::start(|_| {}).await;
    bench.fill(3);
    let (_, cursor) = bench.all(None, 20).await;
    let before = bench.lab.world().imap_commands();
    bench.inbox.settle("INBOX", cursor.uid_validity, &[1]).await.unwrap();
    assert_eq!(bench.lab.world().imap_commands(), before);

    let bench = Bench::start(|parameters| parameters.after = After::Flag).await;
    bench.fill(3);
    let (_, cursor) = bench.all(None, 20).await;
    bench.inbox.settle("INBOX", cursor.uid_validity, &[3, 1]).await.unwrap();
    let flags: Vec<bool> = bench.lab.world().mailbox("INBOX").iter().map(|(_, _, flags)| !flags.is_empty()).collect();
    assert_eq!(flags, [true, false, true]);

    for abilities in [&["MOVE"][..], &["UIDPLUS"], &[]] {
        let bench = Bench::start(|parameters| parameters.after = After::Move("Answered".into())).await;
        bench.lab.world().set_imap_abilities(abilities);
        bench.fill(3);
        let (_, cursor) = bench.all(None, 20).await;
        bench.inbox.settle("INBOX", cursor.uid_validity, &[1, 2]).await.unwrap();
        let left = if abilities.is_empty() { 3 } else { 1 };
        let world = bench.lab.world();
        assert_eq!((world.mailbox("INBOX").len(), world.mailbox("Answered").len()), (left, 2), "{abilities:?}");
        assert_eq!(bench.commands(Some(cursor)).await, 1, "still nothing new");
        world.renumber("INBOX");
        let fault = bench.inbox.settle("INBOX", cursor.uid_validity, &[3]).await.unwrap_err();
        assert_eq!((fault.kind, world.mailbox("Answered").len()), (FaultKind::Conflict, 2));
    }
}

#[tokio::test]
async fn a_refused_login_a_missing_folder_and_a_bad_certificate_say_what_to_do() {
    let logins = [Login::Password(given("wrong")), Login::OAuth2(given("wrong"))];
    for (login, advice) in logins.into_iter().zip(["check inbox.user and its password", "oauth2_command"]) {
        let bench = Bench::start(|parameters| parameters.login = login).await;
        let fault = bench.inbox.read("INBOX", None, Timestamp::now(), 20).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
        assert!(fault.advice().contains(advice), "{}", fault.advice());
    }
    let bench = Bench::start(|parameters| parameters.login = Login::OAuth2(given("token"))).await;
    let fault = bench.inbox.read("Nowhere", None, Timestamp::now(), 20).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
    assert!(fault.message.contains("folder Nowhere") && fault.advice().contains("inbox.folders"), "{fault}");
    for (security, advice) in [(Security::Tls, "starttls"), (Security::StartTls, "\"tls\"")] {
        let bench = Bench::start(|parameters| parameters.security = security).await;
        let fault = bench.inbox.read("INBOX", None, Timestamp::now(), 20).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
        assert!(fault.advice().contains(advice), "{}", fault.advice());
    }
    let moved = InboxParameters { after: After::Move("INBOX".into()), ..parameters(1) };
    assert!(ImapInbox::new(moved).is_err());
}

/// A server that says for each command (without its tag) what the script gives; `{tag}` stands for the tag,
/// `{before}` for that of the command before.
pub async fn scripted(script: impl Fn(&str) -> String + Send + Sync + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (noted, script) = (Arc::clone(&heard), Arc::new(script));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (noted, script) = (Arc::clone(&noted), Arc::clone(&script));
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(script("").as_bytes()).await.ok();
                let (mut line, mut before) = (String::new(), String::new());
                while stream.read_line(&mut line).await.is_ok_and(|got| got > 0) {
                    let (tag, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
                    noted.lock().unwrap().push(command.to_owned());
                    let answer = match command {
                        "CAPABILITY" => "* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n".to_owned(),
                        _ if command.starts_with("LOGIN") => "{tag} OK\r\n".into(),
                        _ => script(command),
                    };
                    if stream
                        .write_all(answer.replace("{tag}", tag).replace("{before}", &before).as_bytes())
                        .await
                        .is_err()
                    {
                        return;
                    }
                    before = tag.to_owned();
                    line.clear();
                }
            });
        }
    });
    (port, heard)
}

pub const HELLO: &str = "* OK hello\r\n";
pub const OPEN: &str = "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n{tag} OK\r\n";

pub fn body(sequence: u32, uid: u32, text: &str) -> String {
    format!("* {sequence} FETCH (UID {uid} RFC822.SIZE {n} BODY[]<0> {{{n}}}\r\n{text})\r\n", n = text.len())
}

#[tokio::test]
async fn answers_out_of_order_and_news_in_between_are_understood() {
    let (port, _) = scripted(|command| match command.split(' ').take(2).collect::<Vec<_>>().as_slice() {
        [""] => HELLO.into(),
        ["EXAMINE", _] => OPEN.into(),
        ["UID", "SEARCH"] => "* 4 EXISTS\r\n* SEARCH 3 1\r\n* SEARCH 2 9\r\n{tag} OK\r\n".into(),
        _ => format!(
            "{}* 2 FETCH (FLAGS (\\Seen))\r\n* 1 EXPUNGE\r\n{}* 9 FETCH (UID 99 FLAGS ())\r\n{}{{tag}} OK\r\n",
            body(3, 3, &mail(2)),
            body(1, 1, &mail(0)),
            body(2, 2, &mail(1))
        ),
    })
    .await;
    let inbox = ImapInbox::new(parameters(port)).unwrap();
    let reading = inbox.read("INBOX", None, Timestamp::now(), 20).await.unwrap();
    let read: Vec<(u32, &str)> = reading.mails.iter().map(|(uid, mail)| (*uid, mail.subject.as_str())).collect();
    assert_eq!(read, [(1, "mail 0"), (2, "mail 1"), (3, "mail 2")]);
    assert_eq!(reading.cursor, Cursor { uid_validity: 7, next_uid: 4 });
}

#[tokio::test]
async fn without_uidnext_the_last_mail_is_no_news() {
    let (port, heard) = scripted(|command| match command {
        "" => HELLO.into(),
        "UID SEARCH UID *" => "* SEARCH 3\r\n{tag} OK\r\n".into(),
        _ => "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n{tag} OK\r\n".into(),
    })
    .await;
    let inbox = ImapInbox::new(parameters(port)).unwrap();
    let cursor = Cursor { uid_validity: 7, next_uid: 4 };
    let reading = inbox.read("INBOX", Some(cursor), Timestamp::now(), 20).await.unwrap();
    assert_eq!((reading.cursor, reading.mails.len(), reading.more), (cursor, 0, false));
    assert!(!heard.lock().unwrap().iter().any(|command| command.contains("FETCH")));
}

#[tokio::test]
async fn a_hostile_server_gets_neither_memory_nor_time_nor_a_crash() {
    let deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(60_000));
    let answers = [
        "* 1 FETCH (UID 1 BODY[]<0> {400000000}\r\n".to_owned(),
        "* 1 FETCH (UID 1 BODY[]<0> {99999999999999999999}\r\n".into(),
        "* 1 FETCH (UID 1 BODY[]<0> {-1}\r\n".into(),
        format!("* OK {}", "x".repeat(9_000_000)),
        "* 1 EXPUNGE\r\n".repeat(500_000),
        deep,
        "\x1b[2J\r\n".into(),
        "* 1 FETCH (UID 1 BODY[]<0> NIL)\r\n{tag} OK\r\n".into(),
        "* BYE \x1b[2J\u{202e}gone\r\n".into(),
    ];
    for answer in answers {
        let shown = answer.chars().take(40).collect::<String>();
        let (port, _) = scripted(move |command| match command.split(' ').take(2).collect::<Vec<_>>().as_slice() {
            [""] => HELLO.into(),
            ["EXAMINE", _] => OPEN.into(),
            ["UID", "SEARCH"] => "* SEARCH 1\r\n{tag} OK\r\n".into(),
            _ => answer.clone(),
        })
        .await;
        let inbox = ImapInbox::new(parameters(port)).unwrap();
        for _ in 0..3 {
            let read = inbox.read("INBOX", None, Timestamp::now(), 20);
            match tokio::time::timeout(SOON, read).await.unwrap() {
                Ok(reading) => {
                    let why = reading.mails[0].1.unreadable.as_ref().unwrap();
                    assert!(!why.contains('\x1b') && !reading.mails[0].1.identity.is_empty(), "{shown}: {why:?}");
                    break;
                }
                Err(fault) => assert!(!fault.message.contains(['\x1b', '\u{202e}']), "{shown}: {fault:?}"),
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_said_in_clear_to_a_server_that_pretends_or_injects() {
    let cases = [
        ("* PREAUTH welcome\r\n", ""),
        ("* OK hello\r\n", "{tag} NO not today\r\n"),
        ("* OK hello\r\n", "{tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nc OK injected\r\n"),
    ];
    for (greeting, starttls) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heard);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            stream.write_all(greeting.as_bytes()).await.unwrap();
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).await.is_ok_and(|got| got > 0) {
                noted.lock().unwrap().extend_from_slice(&line);
                let answer = match String::from_utf8_lossy(&line).trim_end() {
                    "c CAPABILITY" => "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\nc OK\r\n".to_owned(),
                    "c STARTTLS" => starttls.replace("{tag}", "c"),
                    _ => return,
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
                line.clear();
            }
        });
        let inbox = ImapInbox::new(InboxParameters { security: Security::StartTls, ..parameters(port) }).unwrap();
        let fault = inbox.read("INBOX", None, Timestamp::now(), 20).await.unwrap_err();
        assert_ne!(fault.kind, FaultKind::TimedOut, "{fault}");
        let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
        assert!(!heard.contains("AUTHENTICATE") && !heard.contains("LOGIN"), "{heard:?}");
    }
}
