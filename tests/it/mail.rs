//! Mail: what each letter says, that no name can forge a header, and that no answer of a server is taken for another.

use async_trait::async_trait;
use changeguard::adapters::mail::{MailParameters, PasswordSource, Security, SmtpMailer};
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::domain::language::Language;
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::domain::window::Window;
use changeguard::engine::ports::{Clock, Letter, Mailer, NoticeRequest};
use changeguard::engine::secret::SecretBytes;
use jiff::Timestamp;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2026-11-20T09:30:00Z".parse().unwrap()
    }
    async fn sleep(&self, _: Duration) {}
}

pub(crate) fn parameters(port: u16) -> MailParameters {
    MailParameters {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        from: "VPN Operations <vpn-ops@example.net>".into(),
        reply_to: None,
        user: None,
        password: PasswordSource::None,
        ca_file: None,
        timeout: Duration::from_secs(20),
        connections: 2,
        per_minute: None,
        guide_url: "https://portal.example.net/docs/vpn-configuration".into(),
        portal_url: "https://portal.example.net".into(),
        organisation: "Example Cloud".into(),
        templates: None,
        language: Language::English,
        reply: None,
        verp: false,
        retries: 3,
    }
}

pub(crate) fn mailer(parameters: MailParameters) -> SmtpMailer {
    let _ = rustls::crypto::ring::default_provider().install_default();
    SmtpMailer::new(parameters, Arc::new(Still)).unwrap_or_else(|fault| panic!("{fault}"))
}

fn write(mailer: &SmtpMailer, kind: NoticeKind, name: &str, email: &str, reply: Option<&str>) -> Result<Letter, Fault> {
    let tenant =
        Tenant { id: TenantId::new("9d8f0c3a5b7e4f21").unwrap(), name: "acme".into(), server: None, gateway: None };
    mailer.compose(&NoticeRequest {
        kind,
        tenant: &tenant,
        client_name: name,
        email,
        window: &Window::parse("2026-11-24 22:00", "90m", "Europe/Berlin", 2).unwrap(),
        message_id: "<20261124-221003-4f9c2a.ada.1@example.net>",
        in_reply_to: reply,
        token: &changeguard::domain::token::ReplyToken::from_bytes([7; 15]),
        language: Language::English,
        key_told: Default::default(),
    })
}

fn letter(mailer: &SmtpMailer, email: &str) -> Letter {
    write(mailer, NoticeKind::Announcement, "Ada Okafor", email, None).unwrap()
}

#[test]
fn each_letter_says_what_the_runbook_wants() {
    let mailer = mailer(parameters(1));
    for kind in NoticeKind::ALL {
        let letter = write(&mailer, kind, "Ada Okafor", "ada@example.org", None).unwrap();
        insta::assert_snapshot!(
            format!("mail-{}", kind.word()),
            format!("Subject: {}\n\n{}", letter.subject, letter.text)
        );
        assert!(letter.text.lines().all(|line| line.chars().count() <= 76), "{}", letter.text);
    }
}

#[test]
fn the_message_carries_the_headers_that_matter() {
    let mailer = mailer(parameters(1));
    let first = "<20261124-221003-4f9c2a.ada.0@example.net>";
    let letter = write(&mailer, NoticeKind::Reminder, "Zoë Ångström", "zoe@example.org", Some(first)).unwrap();
    let message = String::from_utf8(letter.message).unwrap().replace("\r\n", "\n");
    let (head, body) = message.split_once("\n\n").unwrap();
    insta::assert_snapshot!("mail-headers", head);
    assert!(body.contains("Hello Zo=C3=AB =C3=85ngstr=C3=B6m,") && body.is_ascii(), "{body}");
    assert_eq!(mailer.message_domain(), "example.net");
}

#[test]
fn no_name_and_no_address_forges_a_header() {
    let mailer = mailer(parameters(1));
    let names = [
        "Ada\r\nBcc: eve@example.org",
        "a\nb",
        "\0",
        "\u{202e}\x1b[2J",
        "O'Brien, Pat <eve@example.org>",
        "\"; x=\\",
        "{{ 7 * 7 }}{% include 'x' %}",
        "",
    ];
    for name in names.into_iter().map(String::from).chain(["x".repeat(5000), "é".repeat(500)]) {
        let letter = write(&mailer, NoticeKind::Announcement, &name, "ada@example.org", None).unwrap();
        let message = String::from_utf8(letter.message).unwrap();
        let head = message.split("\r\n\r\n").next().unwrap();
        let names: Vec<&str> =
            head.lines().filter(|line| !line.starts_with(' ')).map(|line| line.split(':').next().unwrap()).collect();
        assert!(!head.contains("\nBcc") && names.iter().filter(|name| **name == "To").count() == 1, "{head}");
        assert_eq!(names.len(), 11, "{names:?}");
        assert!(head.is_ascii() && !head.replace("\r\n", "").contains(char::is_control), "{head}");
        assert!(!letter.text.contains("49"), "{}", letter.text);
    }
    for email in ["ada", "ada@example.org\r\nBcc: eve@example.org", "a b@c", "ada@example.org>", "", "a@b, c@d"] {
        let fault = write(&mailer, NoticeKind::Announcement, "Ada", email, None).unwrap_err();
        assert!(fault.advice().contains("contacts file"), "{fault}");
    }
    assert!(write(&mailer, NoticeKind::Announcement, "Ada", "ada@example.org", Some("x\r\nBcc: y")).is_err());
}

/// What the server behind the tests has seen.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    texts: Mutex<Vec<String>>,
    refused: AtomicUsize,
}

/// An SMTP server whose answer depends on the recipient: `451@`, `550@` at RCPT, `d554@`, `d452@`, `d252@` after the text;
/// `hang@`, `hangup@` after the text; `quiet@` at RCPT; `421@` and `bye@` close the connection after the mail.
async fn serve(greeting: &'static str, features: &'static str) -> (u16, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let all = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let seen = Arc::clone(&all);
            tokio::spawn(async move {
                seen.connections.fetch_add(1, Ordering::Relaxed);
                let open = seen.open.fetch_add(1, Ordering::Relaxed) + 1;
                seen.most_open.fetch_max(open, Ordering::Relaxed);
                let _ = talk(stream, greeting, features, &seen).await;
                seen.open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    (port, seen)
}

async fn talk(stream: TcpStream, greeting: &str, features: &str, seen: &Seen) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(greeting.as_bytes()).await?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => format!("250-test\r\n{features}250 8BITMIME\r\n"),
            "AUTH" if line.ends_with("AG9wcwBnb29k") => "235 2.7.0 ok\r\n".into(), // \0ops\0good
            "AUTH" => "535 5.7.8 authentication failed\r\n".into(),
            "MAIL" if line.contains("stranger") => "553 5.7.1 not your address\r\n".into(),
            "RCPT" => {
                to = line.trim_start_matches("RCPT TO:<").split('@').next().unwrap_or_default().to_owned();
                match to.as_str() {
                    "quiet" => std::future::pending().await,
                    "451" => {
                        seen.refused.fetch_add(1, Ordering::Relaxed);
                        "451 4.7.1 greylisted\r\n".into()
                    }
                    "twice" if seen.refused.fetch_add(1, Ordering::Relaxed) < 2 => "450 4.2.0 later\r\n".into(),
                    "550" => "550-5.1.1 no such\r\n550 5.1.1 user\r\n".into(),
                    "530" => "530 5.7.0 authentication required\r\n".into(),
                    "421" => {
                        write.write_all(b"421 4.3.2 going down\r\n").await?;
                        return Ok(());
                    }
                    _ => "250 ok\r\n".into(),
                }
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                }
                seen.texts.lock().unwrap().push(text);
                match to.as_str() {
                    "hang" => std::future::pending().await,
                    "hangup" => return Ok(()),
                    "d554" => "554 5.7.1 spam\r\n".into(),
                    "d452" => "452 4.2.2 full\r\n".into(),
                    "d252" => "252 perhaps\r\n".into(),
                    "bye" => {
                        write.write_all(b"250 2.0.0 queued as 1\r\n").await?;
                        return Ok(());
                    }
                    _ => "250 2.0.0 queued as 1\r\n".into(),
                }
            }
            _ => "250 ok\r\n".into(),
        };
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

const GREETING: &str = "220 test ESMTP\r\n";

#[tokio::test]
async fn each_answer_of_the_server_is_told_apart_on_one_connection() {
    let (port, seen) = serve(GREETING, "").await;
    let mailer = mailer(parameters(port));
    let failed = |permanent, reply: &str| Delivery::Failed { permanent, reply: reply.into() };
    let sent = Delivery::Sent { reply: "250 2.0.0 queued as 1".into() };
    let table = [
        ("ada", sent.clone()),
        ("451", failed(false, "451 4.7.1 greylisted")),
        ("550", failed(true, "550 5.1.1 no such user")),
        ("530", failed(false, "530 5.7.0 authentication required")),
        ("d554", failed(true, "554 5.7.1 spam")),
        ("d452", failed(false, "452 4.2.2 full")),
        ("ada", sent),
    ];
    for (to, expected) in table {
        let delivery = mailer.send(&letter(&mailer, &format!("{to}@example.org"))).await;
        assert_eq!(delivery, expected, "{to}");
    }
    assert_eq!(seen.connections.load(Ordering::Relaxed), 1, "a refusal costs no new connection");
}

/// A clock that notes how long it was to wait.
#[derive(Default)]
struct Patient(Mutex<Vec<u64>>);

#[async_trait]
impl Clock for Patient {
    fn now(&self) -> Timestamp {
        Still.now()
    }
    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration.as_secs());
    }
}

#[tokio::test]
async fn only_what_the_server_refuses_for_the_moment_is_tried_again_with_longer_waits() {
    let (port, seen) = serve(GREETING, "").await;
    let clock = Arc::new(Patient::default());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut short = parameters(port);
    short.timeout = Duration::from_millis(300);
    let mailer = SmtpMailer::new(short, clock.clone()).unwrap();
    for (to, waits) in [
        ("twice", &[2, 4][..]),
        ("451", &[2, 4, 8]),
        ("d452", &[2, 4, 8]),
        ("421", &[2, 4, 8]),
        ("550", &[]),
        ("530", &[]),
        ("d554", &[]),
        ("hangup", &[]),
        ("hang", &[]),
        ("d252", &[]),
    ] {
        let delivery = mailer.send(&letter(&mailer, &format!("{to}@example.org"))).await;
        assert_eq!(std::mem::take(&mut *clock.0.lock().unwrap()), waits, "{to}");
        assert_eq!(matches!(delivery, Delivery::Sent { .. }), to == "twice", "{to}: {delivery:?}");
    }
    assert_eq!(seen.refused.load(Ordering::Relaxed), 3 + 4, "two refusals and a success, four refusals");
    let texts = seen.texts.lock().unwrap().clone();
    let full: Vec<&String> = texts.iter().filter(|text| text.contains("To: \"Ada Okafor\" <d452@")).collect();
    assert!(full.len() == 4 && full.iter().all(|text| *text == full[0]), "each try is the same mail");
    let (closed, _) = serve("421 4.3.2 too many connections\r\n", "").await;
    let mailer = SmtpMailer::new(parameters(closed), clock.clone()).unwrap();
    mailer.send(&letter(&mailer, "ada@example.org")).await;
    assert_eq!(*clock.0.lock().unwrap(), [2, 4, 8]);
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_the_next_mail_gets_its_own_answer() {
    let (port, seen) = serve(GREETING, "").await;
    let mut slow = parameters(port);
    slow.timeout = Duration::from_millis(300);
    let mailer = mailer(slow);
    for (to, connections) in [("hang", 1), ("hangup", 2), ("d252", 3)] {
        let delivery = mailer.send(&letter(&mailer, &format!("{to}@example.org"))).await;
        assert!(matches!(delivery, Delivery::Uncertain { .. }), "{to}: {delivery:?}");
        assert_eq!(seen.connections.load(Ordering::Relaxed), connections);
    }
    let delivery = mailer.send(&letter(&mailer, "550@example.org")).await;
    assert!(matches!(delivery, Delivery::Failed { permanent: true, .. }), "{delivery:?}");
}

#[tokio::test]
async fn before_the_text_is_handed_over_nothing_is_uncertain() {
    let (port, _) = serve(GREETING, "").await;
    let mut slow = parameters(port);
    slow.timeout = Duration::from_millis(300);
    let mailer = mailer(slow);
    for (to, says) in [("quiet", "not handed over"), ("421", "421 4.3.2 going down")] {
        let delivery = mailer.send(&letter(&mailer, &format!("{to}@example.org"))).await;
        let Delivery::Failed { permanent: false, reply } = delivery else { panic!("{to}: {delivery:?}") };
        assert!(reply.contains(says), "{reply}");
    }
}

#[tokio::test]
async fn a_parked_connection_that_the_server_has_closed_is_replaced() {
    let (port, seen) = serve(GREETING, "").await;
    let mailer = mailer(parameters(port));
    for count in 1..4 {
        let delivery = mailer.send(&letter(&mailer, "bye@example.org")).await;
        assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
        assert_eq!(seen.connections.load(Ordering::Relaxed), count);
    }
    assert_eq!(seen.texts.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn no_more_connections_are_opened_than_permitted() {
    let (port, seen) = serve(GREETING, "").await;
    let mailer = mailer(parameters(port));
    assert_eq!(mailer.connections(), 2);
    let letter = letter(&mailer, "ada@example.org");
    let sending = (0..50).map(|_| mailer.send(&letter));
    let deliveries = futures_util::future::join_all(sending).await;
    assert!(deliveries.iter().all(|delivery| matches!(delivery, Delivery::Sent { .. })));
    assert!(seen.most_open.load(Ordering::Relaxed) <= 2);
    assert_eq!(seen.connections.load(Ordering::Relaxed), 2);
    mailer.close().await;
}

#[tokio::test]
async fn a_given_up_send_leaves_no_half_used_connection_behind() {
    let (port, seen) = serve(GREETING, "").await;
    let mailer = mailer(parameters(port));
    let hanging = letter(&mailer, "hang@example.org");
    let given_up = tokio::time::timeout(Duration::from_millis(300), mailer.send(&hanging)).await;
    assert!(given_up.is_err());
    let delivery = mailer.send(&letter(&mailer, "451@example.org")).await;
    assert!(matches!(delivery, Delivery::Failed { permanent: false, .. }), "{delivery:?}");
    assert_eq!(seen.connections.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_sender_are_not_the_recipients_fault() {
    let (port, _) = serve(GREETING, "250-AUTH PLAIN LOGIN\r\n").await;
    let with = |password: &str| {
        let mut parameters = parameters(port);
        parameters.user = Some("ops".into());
        parameters.password = PasswordSource::Given(SecretBytes::new(password.as_bytes().to_vec()));
        mailer(parameters)
    };
    let bad = with("bad");
    assert_eq!(bad.probe().await.unwrap_err().kind, FaultKind::Unauthorized);
    let delivery = bad.send(&letter(&bad, "ada@example.org")).await;
    let Delivery::Failed { permanent: false, reply } = delivery else { panic!("{delivery:?}") };
    assert!(reply.contains("did not accept user and password: 535 5.7.8"), "{reply}");
    let good = with("good");
    assert_eq!(good.probe().await, Ok(()));
    assert!(matches!(good.send(&letter(&good, "ada@example.org")).await, Delivery::Sent { .. }));
    let mut stranger = parameters(port);
    stranger.from = "stranger@example.net".into();
    let stranger = mailer(stranger);
    let delivery = stranger.send(&letter(&stranger, "ada@example.org")).await;
    let Delivery::Failed { permanent: false, reply } = delivery else { panic!("{delivery:?}") };
    assert!(reply.contains("refuses us as the sender"), "{reply}");
}

#[tokio::test]
async fn the_probe_says_which_setting_is_wrong() {
    let probe = async |port, security: Security, user: Option<&str>| {
        let mut parameters = parameters(port);
        (parameters.security, parameters.timeout) = (security, Duration::from_millis(300));
        parameters.user = user.map(String::from);
        mailer(parameters).probe().await.unwrap_err()
    };
    let (plain, _) = serve(GREETING, "").await;
    let (silent, _) = serve("", "").await;
    let (closed, _) = serve("554 5.3.2 no service here\r\n", "").await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let fault = probe(plain, Security::StartTls, None).await;
    assert_eq!((fault.kind.clone(), fault.message.contains("no STARTTLS")), (FaultKind::Tls, true), "{fault}");
    let fault = probe(plain, Security::Tls, None).await;
    assert_eq!((fault.kind.clone(), fault.advice().contains("\"starttls\"")), (FaultKind::Tls, true), "{fault}");
    let fault = probe(silent, Security::StartTls, None).await;
    assert_eq!((fault.kind.clone(), fault.advice().contains("\"tls\"")), (FaultKind::TimedOut, true), "{fault}");
    assert_eq!(probe(free, Security::None, None).await.kind, FaultKind::Unreachable);
    assert_eq!(probe(free, Security::Tls, None).await.kind, FaultKind::Unreachable);
    assert_eq!(probe(closed, Security::None, None).await.kind, FaultKind::Permanent(554));
    assert!(probe(plain, Security::None, Some("ops")).await.message.contains("neither AUTH PLAIN nor"));
}

#[tokio::test]
async fn the_text_arrives_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("announcement.txt"), "Subject: x\n\n.\n..dots\nzoë\n").unwrap();
    let (port, seen) = serve(GREETING, "").await;
    let mut own = parameters(port);
    own.templates = Some(folder.path().to_owned());
    let mailer = mailer(own);
    let letter = letter(&mailer, "ada@example.org");
    assert!(matches!(mailer.send(&letter).await, Delivery::Sent { .. }));
    let arrived = seen.texts.lock().unwrap().remove(0);
    assert_eq!(arrived.trim_end(), String::from_utf8(letter.message).unwrap().replace("\r\n", "\n").trim_end());
    let foreign = mailer.send(&self::letter(&mailer, "zoë@example.org")).await;
    assert!(matches!(foreign, Delivery::Failed { permanent: true, .. }), "{foreign:?}");
}

#[test]
fn a_wrong_address_is_refused_at_the_beginning_and_texts_that_cant_be_read_by_whoever_needs_them() {
    let mut wrong = parameters(1);
    wrong.from = "nobody".into();
    assert!(SmtpMailer::new(wrong, Arc::new(Still)).is_err());
    let mut wrong = parameters(1);
    wrong.templates = Some("/nowhere".into());
    let mailer = mailer(wrong);
    assert!(mailer.text_faults()[0].message.contains("/nowhere can't be read"));
    assert!(write(&mailer, NoticeKind::Reminder, "Ada", "ada@example.org", None).is_err());
}

/// `tests/live/seed` prints where the live services are; `tests/live/run` runs this.
#[tokio::test]
#[ignore = "needs the live services"]
async fn a_real_postfix_takes_mails_over_starttls_with_a_password() {
    let live = std::env::var("LIVE_JSON").expect("LIVE_JSON: run tests/live/run");
    let live: serde_json::Value = serde_json::from_slice(&std::fs::read(live).unwrap()).unwrap();
    let text = |name: &str| live["smtp"][name].as_str().unwrap().to_owned();
    let with = |ca: &str, password: PasswordSource| {
        let mut parameters = parameters(u16::try_from(live["smtp"]["port"].as_u64().unwrap()).unwrap());
        (parameters.host, parameters.from, parameters.user) = (text("host"), text("from"), Some(text("user")));
        (parameters.security, parameters.password) = (Security::StartTls, password);
        parameters.ca_file = Some(text(ca).into());
        mailer(parameters)
    };
    let file = || PasswordSource::File(text("password_file").into());
    let mailer = with("ca_file", file());
    mailer.probe().await.unwrap();
    let email = live["tenants"][0]["clients"][1]["email"].as_str().unwrap();
    let letter = write(&mailer, NoticeKind::Announcement, "Zoë Ångström", email, None).unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..10 {
        let delivery = mailer.send(&letter).await;
        assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
    }
    println!("10 mails one after the other: {:?}", begun.elapsed());
    println!("{:?}", mailer.send(&self::letter(&mailer, "nobody@elsewhere.example")).await);
    mailer.close().await;
    let fault = with("other_ca_file", file()).probe().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
    println!("{fault}");
    let wrong = PasswordSource::Given(SecretBytes::new(b"wrong".to_vec()));
    let fault = with("ca_file", wrong).probe().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
    println!("{fault}");
}
