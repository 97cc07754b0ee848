//! The mailbox adapter on a real Dovecot, with mails that come through a real Postfix. `tests/live/mailbox` starts it.

use changeguard::adapters::inbox::{After, ImapInbox, InboxParameters, Login, PasswordSource, Security};
use changeguard::domain::fault::FaultKind;
use changeguard::engine::ports::Inbox;
use changeguard::engine::secret::SecretBytes;
use jiff::Timestamp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(30);

/// imap.json, which `tests/live/mailbox` writes beside live.json.
fn described() -> serde_json::Value {
    let path = PathBuf::from(std::env::var("LIVE_JSON").expect("LIVE_JSON: run tests/live/run"));
    serde_json::from_str(&std::fs::read_to_string(path.with_file_name("imap.json")).unwrap()).unwrap()
}

fn text(field: &str) -> String {
    described()[field].as_str().unwrap().to_owned()
}

fn port(field: &str) -> u16 {
    u16::try_from(described()[field].as_u64().unwrap()).unwrap()
}

fn inbox(edit: impl FnOnce(&mut InboxParameters)) -> ImapInbox {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut parameters = InboxParameters {
        host: text("host"),
        port: port("port"),
        security: Security::Tls,
        user: text("user"),
        login: Login::Password(PasswordSource::File(text("password_file").into())),
        ca_file: Some(text("ca_file").into()),
        folders: vec!["INBOX".into()],
        after: After::Leave,
        poll: Duration::from_secs(600),
        timeout: SOON,
    };
    edit(&mut parameters);
    ImapInbox::new(parameters).unwrap()
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A word that no other mail holds.
fn unique() -> String {
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst))
}

/// A folder of our own, as Maildir++ has it. Gives its `cur`.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(&text("maildir")).join(format!(".{name}"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    for part in ["", "cur", "new", "tmp"] {
        std::fs::create_dir_all(path.join(part)).unwrap();
        owned(&path.join(part));
    }
    owned(path.parent().unwrap());
    path.join("cur")
}

/// The owner of the Maildirs is that of the folder above.
fn owned(path: &Path) {
    use std::os::unix::fs::MetadataExt;
    let boxes = std::fs::metadata(Path::new(&text("maildir")).parent().unwrap()).unwrap();
    std::os::unix::fs::chown(path, Some(boxes.uid()), Some(boxes.gid())).unwrap();
}

fn put(cur: &Path, number: usize, when: SystemTime) {
    let path = cur.join(format!("{number:06}.{}.live:2,", unique()));
    let mail =
        format!("From: a@acme.test\r\nMessage-ID: <{number}@acme.test>\r\nSubject: mail {number}\r\n\r\nyes\r\n");
    std::fs::write(&path, mail).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(when).unwrap();
    owned(&path);
}

/// Sends a mail to the operator's address with this detail through Postfix.
async fn send(detail: &str, subject: &str) {
    let password = std::fs::read_to_string(text("password_file")).unwrap();
    let ca = Certificate::from_pem(&std::fs::read(text("ca_file")).unwrap()).unwrap();
    let tls = TlsParameters::builder(text("host")).add_root_certificate(ca).build().unwrap();
    let to = text("address").replace('@', &format!("+{detail}@"));
    let message = Message::builder()
        .from(text("user").parse().unwrap())
        .to(to.parse().unwrap())
        .message_id(Some(format!("<{}@ops.test>", unique())))
        .subject(subject)
        .body("yes".to_owned())
        .unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(text("host"))
        .port(port("smtp_port"))
        .tls(Tls::Required(tls))
        .credentials(Credentials::new(text("user"), password.trim().to_owned()))
        .build();
    transport.send(message).await.unwrap();
}

/// A relay in front of the port without TLS, which Dovecot permits to this machine: notes the commands.
async fn noted() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (noted, there) = (Arc::clone(&heard), port("starttls_port"));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", there)).await.unwrap();
            server.set_nodelay(true).unwrap();
            client.set_nodelay(true).unwrap();
            let (mut down, mut up) = server.into_split();
            let (asks, mut answers) = client.into_split();
            let noted = Arc::clone(&noted);
            tokio::spawn(async move { tokio::io::copy(&mut down, &mut answers).await });
            tokio::spawn(async move {
                let mut asks = BufReader::new(asks);
                let mut line = String::new();
                while asks.read_line(&mut line).await.is_ok_and(|got| got > 0) {
                    noted.lock().unwrap().push(line.trim_end().to_owned());
                    up.write_all(line.as_bytes()).await.unwrap();
                    line.clear();
                }
            });
        }
    });
    (here, heard)
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_inbox_reads_over_tls_and_starttls_what_postfix_delivered() {
    let token = format!("gaytemzugu3doobzmfrggzdf.{}", unique());
    let before = Timestamp::now();
    let subject = format!("hello {}", unique());
    let first = inbox(|_| {});
    let start = first.read("INBOX", None, before, 1_000).await.unwrap().cursor;
    send(&token, &subject).await;
    let arrived = async {
        loop {
            let reading = first.read("INBOX", Some(start), before, 1_000).await.unwrap();
            if let Some((_, mail)) = reading.mails.into_iter().find(|(_, mail)| mail.subject == subject) {
                return mail;
            }
            first.wait().await.unwrap();
        }
    };
    let mail = tokio::time::timeout(SOON, arrived).await.unwrap();
    assert!(mail.recipients.iter().any(|to| to.contains(&token)), "{:?}", mail.recipients);
    assert_eq!(mail.unreadable, None);
    let second = inbox(|parameters| {
        (parameters.security, parameters.port) = (Security::StartTls, port("starttls_port"));
    });
    let reading = second.read("INBOX", Some(start), before, 1_000).await.unwrap();
    assert!(reading.mails.iter().any(|(_, other)| other.identity == mail.identity));
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_inbox_wakes_when_a_mail_is_delivered() {
    let inbox = inbox(|_| {});
    let since = Timestamp::now();
    let cursor = inbox.read("INBOX", None, since, 1_000).await.unwrap().cursor;
    let subject = format!("wake {}", unique());
    let begun = Instant::now();
    let woken = async {
        let mut cursor = cursor;
        loop {
            inbox.wait().await.unwrap();
            let reading = inbox.read("INBOX", Some(cursor), since, 1_000).await.unwrap();
            cursor = reading.cursor;
            if reading.mails.iter().any(|(_, mail)| mail.subject == subject) {
                return begun.elapsed();
            }
        }
    };
    let (took, ()) = tokio::join!(tokio::time::timeout(SOON, woken), send("wake", &subject));
    println!("from sending to having read: {:?}", took.unwrap());
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_inbox_says_why_a_password_or_a_certificate_is_refused() {
    let wrong = PasswordSource::Given(SecretBytes::new(b"wrong".to_vec()));
    let refused = inbox(|parameters| parameters.login = Login::Password(wrong));
    let fault = refused.read("INBOX", None, Timestamp::now(), 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
    assert!(fault.advice().contains("inbox.user"), "{}", fault.advice());
    println!("{fault}");
    for ca in [Some(PathBuf::from(text("other_ca_file"))), None] {
        let stranger = inbox(|parameters| parameters.ca_file = ca);
        let fault = stranger.read("INBOX", None, Timestamp::now(), 10).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
        assert!(fault.advice().contains("inbox.ca_file"), "{}", fault.advice());
        println!("{fault}");
    }
    let clear = inbox(|parameters| (parameters.host, parameters.port) = ("127.0.0.1".into(), port("starttls_port")));
    let fault = clear.read("INBOX", None, Timestamp::now(), 10).await.unwrap_err();
    assert!(fault.kind == FaultKind::Tls && fault.advice().contains("starttls"), "{fault}");
    let missing = inbox(|_| {}).read("Nowhere & nothing", None, Timestamp::now(), 10).await.unwrap_err();
    assert_eq!(missing.kind, FaultKind::NotFound, "{missing}");
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_inbox_marks_and_moves_what_is_settled() {
    let name = format!("Settled{}", unique());
    let cur = folder(&name);
    (0..4).for_each(|number| put(&cur, number, SystemTime::now()));
    let since = Timestamp::now();
    let flag = inbox(|parameters| (parameters.folders, parameters.after) = (vec![name.clone()], After::Flag));
    let first = flag.read(&name, None, since, 10).await.unwrap();
    assert_eq!(first.mails.len(), 4);
    let seen = || {
        std::fs::read_dir(&cur)
            .unwrap()
            .filter(|one| one.as_ref().unwrap().path().to_string_lossy().ends_with('S'))
            .count()
    };
    assert_eq!(seen(), 0, "reading marks nothing");
    flag.settle(&name, first.cursor.uid_validity, &[first.mails[0].0]).await.unwrap();
    assert_eq!(seen(), 1);
    let mover = inbox(|parameters| parameters.after = After::Move("Answered".into()));
    let uids: Vec<u32> = first.mails[..2].iter().map(|(uid, _)| *uid).collect();
    let before = mover.read("Answered", None, since, 1_000).await.unwrap().mails.len();
    mover.settle(&name, first.cursor.uid_validity, &uids).await.unwrap();
    assert_eq!(mover.read(&name, None, since, 10).await.unwrap().mails.len(), 2);
    assert_eq!(mover.read("Answered", None, since, 1_000).await.unwrap().mails.len(), before + 2);
    assert!(mover.read(&name, Some(first.cursor), since, 10).await.unwrap().mails.is_empty());
    let other = first.cursor.uid_validity ^ 1;
    assert_eq!(mover.settle(&name, other, &uids).await.unwrap_err().kind, FaultKind::Conflict);
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_inbox_reads_a_folder_that_was_numbered_anew() {
    let name = format!("Anew{}", unique());
    let cur = folder(&name);
    (0..3).for_each(|number| put(&cur, number, SystemTime::now()));
    let since = Timestamp::now();
    let first = inbox(|_| {}).read(&name, None, since, 10).await.unwrap();
    // The numbers are gone, as after a restore without the server's index.
    for file in std::fs::read_dir(cur.parent().unwrap()).unwrap().map(|file| file.unwrap().path()) {
        if file.is_file() {
            std::fs::remove_file(file).unwrap();
        }
    }
    // Dovecot makes UIDVALIDITY of the second in which it first sees the folder.
    let began = Timestamp::now().as_second();
    while Timestamp::now().as_second() <= began + 1 {
        tokio::task::yield_now().await;
    }
    let second = inbox(|_| {}).read(&name, Some(first.cursor), since, 10).await.unwrap();
    assert_ne!(second.cursor.uid_validity, first.cursor.uid_validity);
    assert!(second.renumbered && second.mails.len() == 3, "{second:?}");
    let identities = |reading: &changeguard::engine::ports::FolderReading| {
        let mut all: Vec<String> = reading.mails.iter().map(|(_, mail)| mail.identity.clone()).collect();
        all.sort();
        all
    };
    assert_eq!(identities(&first), identities(&second), "known again, so that none is processed twice");
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn live_inbox_needs_one_command_for_50000_mails_with_nothing_new() {
    let name = format!("Big{}", unique());
    let cur = folder(&name);
    let old = SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
    (0..50_000).for_each(|number| put(&cur, number, old));
    let (port, heard) = noted().await;
    let inbox = inbox(|parameters| {
        (parameters.host, parameters.port, parameters.security) = ("127.0.0.1".into(), port, Security::None);
        parameters.timeout = Duration::from_secs(120);
    });
    let since = Timestamp::now();
    let begun = Instant::now();
    let first = inbox.read(&name, None, since, 1_000).await.unwrap();
    println!("first look at 50,000 mails (Dovecot indexes them): {:?}", begun.elapsed());
    assert_eq!((first.mails.len(), first.cursor.next_uid, first.more), (0, 50_001, false));
    for _ in 0..5 {
        heard.lock().unwrap().clear();
        let begun = Instant::now();
        let again = inbox.read(&name, Some(first.cursor), since, 1_000).await.unwrap();
        let took = begun.elapsed();
        let commands = heard.lock().unwrap().clone();
        println!("nothing new: {took:?}, {commands:?}");
        assert_eq!((again.cursor, commands.len()), (first.cursor, 1), "{commands:?}");
    }
    put(&cur, 50_000, SystemTime::now());
    let begun = Instant::now();
    let news = inbox.read(&name, Some(first.cursor), since, 1_000).await.unwrap();
    println!("one new: {:?}", begun.elapsed());
    assert_eq!((news.mails.len(), news.cursor.next_uid), (1, 50_002));
    std::fs::remove_dir_all(cur.parent().unwrap()).unwrap();
}
