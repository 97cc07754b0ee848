//! How fast 200 mails with invitations go to one SMTP server: by the program's sender, with one connection per mail through the
//! same sender, and by a bare sender that knows nothing but the same bytes. Prints, asserts nothing.
//!
//!     cargo bench --bench mail
//!
//! reads these variables:
//!
//! | variable | what |
//! | --- | --- |
//! | `CHANGEGUARD_BENCH_SMTP` | `host:port`; the certificate must be for the host |
//! | `CHANGEGUARD_BENCH_SMTP_SECURITY` | `starttls` (default), `tls` or `none` |
//! | `CHANGEGUARD_BENCH_SMTP_USER`, `..._PASSWORD_FILE` | for AUTH PLAIN; may be left out |
//! | `CHANGEGUARD_BENCH_SMTP_CA` | a PEM file; may be left out |
//! | `CHANGEGUARD_BENCH_SMTP_FROM`, `..._TO` | the sender, and one or more recipients, separated by commas |
//! | `CHANGEGUARD_BENCH_ROUNDS` | default 5 |
//!
//! The mails really arrive: only for a test installation. The three take turns in every round; a round's time begins before the
//! first connection and ends with the last mail's answer; writing the mails is measured by itself.

use anyhow::{Context, ensure};
use base64ct::{Base64, Encoding};
use changeguard::adapters::mail::{MailParameters, PasswordSource, Security, SmtpMailer};
use changeguard::adapters::system::SystemClock;
use changeguard::domain::language::Language;
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::domain::token::ReplyToken;
use changeguard::domain::window::Window;
use changeguard::engine::ports::{Letter, Mailer, NoticeRequest};
use changeguard::runtime::wiring::environment;
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

const MAILS: usize = 200;
const CONNECTIONS: usize = 4;

/// The server and how to speak to it.
struct Target {
    host: String,
    port: u16,
    security: Security,
    login: Option<(String, String)>,
    ca: Option<String>,
    from: String,
    to: Vec<String>,
}

fn variable(name: &str) -> Option<String> {
    environment(&format!("CHANGEGUARD_BENCH_SMTP{name}"))
}

impl Target {
    fn read() -> anyhow::Result<Option<Self>> {
        let (Some(address), Some(from), Some(to)) = (variable(""), variable("_FROM"), variable("_TO")) else {
            return Ok(None);
        };
        let (host, port) = address.rsplit_once(':').context("CHANGEGUARD_BENCH_SMTP is host:port")?;
        let login = match (variable("_USER"), variable("_PASSWORD_FILE")) {
            (Some(user), Some(file)) => Some((user, std::fs::read_to_string(file)?.trim_end().to_owned())),
            _ => None,
        };
        Ok(Some(Self {
            host: host.into(),
            port: port.parse()?,
            security: match variable("_SECURITY").as_deref() {
                Some("tls") => Security::Tls,
                Some("none") => Security::None,
                _ => Security::StartTls,
            },
            login,
            ca: variable("_CA"),
            from,
            to: to.split(',').map(String::from).collect(),
        }))
    }

    fn mailer(&self, connections: usize) -> anyhow::Result<SmtpMailer> {
        let parameters = MailParameters {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            from: format!("VPN Operations <{}>", self.from),
            reply_to: None,
            user: variable("_USER"),
            password: variable("_PASSWORD_FILE").map_or(PasswordSource::None, |file| PasswordSource::File(file.into())),
            ca_file: self.ca.clone().map(Into::into),
            timeout: Duration::from_secs(60),
            connections,
            per_minute: None,
            guide_url: "https://portal.example.net/docs/vpn-configuration".into(),
            portal_url: "https://portal.example.net".into(),
            organisation: "Example Cloud".into(),
            templates: None,
            language: Language::English,
            reply: Some((self.from.clone(), Some('+'))),
            verp: false,
            retries: 0,
        };
        Ok(SmtpMailer::new(parameters, Arc::new(SystemClock))?)
    }

    fn write(&self, mailer: &SmtpMailer) -> anyhow::Result<Vec<Letter>> {
        let tenant = Tenant { id: TenantId::new("bench")?, name: "acme".into(), server: None, gateway: None };
        let window = Window::parse("2027-11-23 22:00", "90m", "Europe/Berlin", 1)?;
        let run = jiff::Timestamp::now().as_nanosecond();
        let letter = |at: usize| {
            let mut bytes = [0; 15];
            getrandom::fill(&mut bytes).ok().context("no randomness")?;
            let token = ReplyToken::from_bytes(bytes);
            let id = format!("<{token}.{run}.{at}@bench.example>");
            let name = format!("Zoë Number {at}");
            let request = NoticeRequest {
                kind: NoticeKind::Announcement,
                tenant: &tenant,
                client_name: &name,
                email: &self.to[at % self.to.len()],
                window: &window,
                message_id: &id,
                in_reply_to: None,
                token: &token,
                language: Language::ALL[at % Language::ALL.len()],
                key_told: Default::default(),
            };
            Ok(mailer.compose(&request)?)
        };
        (0..MAILS).map(letter).collect()
    }
}

/// The program's sender with its connections.
async fn pooled(target: &Target, letters: &[Letter]) -> anyhow::Result<()> {
    let mailer = target.mailer(CONNECTIONS)?;
    let mut sending =
        futures_util::stream::iter(letters).map(|letter| mailer.send(letter)).buffer_unordered(CONNECTIONS);
    while let Some(delivery) = sending.next().await {
        ensure!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
    }
    mailer.close().await;
    Ok(())
}

/// The same sender, a connection for each mail.
async fn single(target: &Target, letters: &[Letter]) -> anyhow::Result<()> {
    let mailer = target.mailer(1)?;
    for letter in letters {
        let delivery = mailer.send(letter).await;
        ensure!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
        mailer.close().await;
    }
    Ok(())
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A dialogue of a mail, made before: what is written in one piece, and the code that must come back.
type Dialogue = Vec<(Vec<u8>, &'static str)>;

fn dialogue(letter: &Letter) -> Dialogue {
    let text = String::from_utf8_lossy(&letter.message).replace("\r\n.", "\r\n..");
    vec![
        (format!("MAIL FROM:<{}>\r\n", letter.from).into(), "250"),
        (format!("RCPT TO:<{}>\r\n", letter.to).into(), "250"),
        (b"DATA\r\n".to_vec(), "354"),
        (format!("{text}\r\n.\r\n").into(), "250"),
    ]
}

/// The bare sender: dialogues over plain streams, nothing decided, nothing remembered.
async fn bare(target: &Arc<Target>, dialogues: &Arc<Vec<Dialogue>>) -> anyhow::Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (target, dialogues, next) = (target.clone(), dialogues.clone(), next.clone());
        tasks.spawn(async move {
            let mut stream = connect(&target).await?;
            while let Some(dialogue) = dialogues.get(next.fetch_add(1, Ordering::Relaxed)) {
                for (bytes, code) in dialogue {
                    say(&mut stream, bytes, code).await?;
                }
            }
            say(&mut stream, b"QUIT\r\n", "221").await
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

async fn connect(target: &Target) -> anyhow::Result<BufStream<Box<dyn Stream>>> {
    let tcp = TcpStream::connect((target.host.as_str(), target.port)).await?;
    tcp.set_nodelay(true)?;
    let hello = b"EHLO bench\r\n";
    let mut stream: BufStream<Box<dyn Stream>> = match target.security {
        Security::None => BufStream::new(Box::new(tcp)),
        Security::Tls => BufStream::new(Box::new(encrypt(target, tcp).await?)),
        Security::StartTls => {
            let mut clear = BufStream::new(tcp);
            say(&mut clear, b"", "220").await?;
            say(&mut clear, hello, "250").await?;
            say(&mut clear, b"STARTTLS\r\n", "220").await?;
            BufStream::new(Box::new(encrypt(target, clear.into_inner()).await?))
        }
    };
    if target.security != Security::StartTls {
        say(&mut stream, b"", "220").await?;
    }
    say(&mut stream, hello, "250").await?;
    if let Some((user, password)) = &target.login {
        let plain = Base64::encode_string(format!("\0{user}\0{password}").as_bytes());
        say(&mut stream, format!("AUTH PLAIN {plain}\r\n").as_bytes(), "235").await?;
    }
    Ok(stream)
}

async fn encrypt(target: &Target, tcp: TcpStream) -> anyhow::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    match &target.ca {
        Some(path) => roots.add(rustls::pki_types::CertificateDer::from_pem_file(path)?)?,
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = rustls::pki_types::ServerName::try_from(target.host.clone())?;
    Ok(tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
}

/// Writes a piece and reads one whole reply.
async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    bytes: &[u8],
    code: &str,
) -> anyhow::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "the server has hung up");
        ensure!(line.starts_with(code), "not {code}: {line}");
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Some(target) = Target::read()?.map(Arc::new) else {
        println!(
            "set CHANGEGUARD_BENCH_SMTP, CHANGEGUARD_BENCH_SMTP_FROM and CHANGEGUARD_BENCH_SMTP_TO; see the head of this file"
        );
        return Ok(());
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rounds = environment("CHANGEGUARD_BENCH_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(5);
    let writer = target.mailer(1)?;
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..rounds {
        // Whoever begins finds the server at rest, so each begins in turn.
        for turn in 0..3 {
            let which = (round + turn) % 3;
            let begun = Instant::now();
            let letters = target.write(&writer)?;
            let writing = begun.elapsed();
            let dialogues = Arc::new(letters.iter().map(dialogue).collect::<Vec<_>>());
            let begun = Instant::now();
            match which {
                0 => pooled(&target, &letters).await?,
                1 => single(&target, &letters).await?,
                _ => bare(&target, &dialogues).await?,
            }
            let took = begun.elapsed().as_secs_f64();
            let name = ["program, 4 connections", "program, 1 mail a connection", "bare sender, 4 connections"][which];
            let bytes = letters.iter().map(|letter| letter.message.len()).sum::<usize>() / MAILS;
            println!(
                "round {}  {name:<29} {:7.1} mails/s   ({bytes} bytes a mail; {MAILS} written in {writing:.0?})",
                round + 1,
                MAILS as f64 / took
            );
            rates[which].push(MAILS as f64 / took);
        }
    }
    let [a, b, c] = rates.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    });
    println!("medians of {rounds}: program {a:.1}, 1 mail a connection {b:.1}, bare {c:.1} mails/s");
    println!("program / 1 mail a connection = {:.2} (wanted: 5)   program / bare = {:.2} (wanted: 0.9)", a / b, a / c);
    Ok(())
}
