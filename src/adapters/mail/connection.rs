//! Makes a connection to the mail server: address, TLS, password, each with its own fault, all under one time limit.
//!
//! lettre's own limit bounds the TCP connect only (lettre/lettre#1027), so everything here is bounded from outside.
//! What happens on the connection is `transaction`.

use super::greeting::Greeting;
use super::stream::{self, Encrypted};
use super::{MailParameters, PasswordSource, Security};
use crate::adapters::exhausted;
use crate::domain::fault::{Fault, FaultKind, Service};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

/// A connection at the beginning of a transaction.
pub(super) type SmtpConnection = AsyncSmtpConnection;

type SmtpError = lettre::transport::smtp::Error;

/// Knows how to connect.
pub(super) struct Connector {
    host: String,
    port: u16,
    security: Security,
    user: Option<String>,
    password: PasswordSource,
    ca_file: Option<PathBuf>,
    timeout: Duration,
    /// For STARTTLS, which lettre does. Made once: reading the system's authorities takes longer than a handshake.
    starttls: OnceCell<TlsParameters>,
    /// For implicit TLS.
    tls: OnceCell<TlsConnector>,
    /// How far the server's clock was ahead of ours at its last greeting, s.
    skew: Mutex<Option<i64>>,
}

impl Connector {
    pub(super) fn new(parameters: MailParameters) -> Self {
        let bare = parameters.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Self {
            host: bare.unwrap_or(&parameters.host).to_owned(),
            port: parameters.port,
            security: parameters.security,
            user: parameters.user,
            password: parameters.password,
            ca_file: parameters.ca_file,
            timeout: parameters.timeout,
            starttls: OnceCell::new(),
            tls: OnceCell::new(),
            skew: Mutex::default(),
        }
    }

    /// How far the server's clock was ahead of ours at its last greeting, s; none where that did not say.
    pub(super) fn skew(&self) -> Option<i64> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that may send. Nothing of a mail was sent when this fails.
    pub(super) async fn connect(&self) -> Result<SmtpConnection, Fault> {
        match tokio::time::timeout(self.timeout, self.establish()).await {
            Ok(connection) => connection,
            Err(_) => {
                let message =
                    format!("{}:{} did not answer within {} s", self.host, self.port, self.timeout.as_secs_f32());
                let fault = fault(FaultKind::TimedOut, message);
                // A server that waits for our TLS hello says nothing at all: the usual mistake with port 465.
                Err(match self.security {
                    Security::Tls => fault.hint("nothing was sent; check smtp.port"),
                    _ => fault
                        .hint("nothing was sent; if this port speaks implicit TLS (465), set smtp.security = \"tls\""),
                })
            }
        }
    }

    async fn establish(&self) -> Result<SmtpConnection, Fault> {
        let hello = ClientId::default();
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|error| fault(FaultKind::Unreachable, format!("{}:{}: {error}", self.host, self.port)))?;
        // Text and end of text are two writes; without this each mail waits 40 ms for a delayed ACK.
        let _ = stream.set_nodelay(true);
        let greeted = Greeting::default();
        let stream: Box<dyn AsyncTokioStream> = match self.security {
            Security::Tls => {
                let tls =
                    self.tls.get_or_try_init(async || self.check().and_then(|()| stream::connector(self.ca()))).await?;
                let agreed = Encrypted::agree(tls, &self.host, stream, greeted.clone()).await;
                Box::new(agreed.map_err(|error| self.judge_cause("connecting", &error))?)
            }
            Security::StartTls | Security::None => {
                // lettre reads the greeting and keeps nothing of it.
                let mut first = [0; 512];
                if let Ok(read) = stream.peek(&mut first).await {
                    greeted.hear(&first[..read]);
                }
                Box::new(stream)
            }
        };
        let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello)
            .await
            .map_err(|error| self.judge("the greeting", &error))?;
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = greeted.skew();
        if self.security == Security::StartTls {
            if !connection.can_starttls() {
                return Err(fault(FaultKind::Tls, "the mail server offers no STARTTLS".into())
                    .hint("nothing was sent; if it speaks implicit TLS, set smtp.security = \"tls\" and its port"));
            }
            let tls = self.starttls.get_or_try_init(async || self.parameters()).await?.clone();
            connection.starttls(tls, &hello).await.map_err(|error| self.judge("STARTTLS", &error))?;
        }
        if let Some(user) = &self.user {
            self.log_in(&mut connection, user).await?;
        }
        Ok(connection)
    }

    async fn log_in(&self, connection: &mut SmtpConnection, user: &str) -> Result<(), Fault> {
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
            return Err(fault(FaultKind::Refused, "the mail server offers neither AUTH PLAIN nor AUTH LOGIN".into())
                .hint("take smtp.user away if it needs no password, or use its submission port (587)"));
        }
        let password = self.password.read("smtp", self.timeout).await?;
        // lettre keeps a copy that it does not wipe, for as long as this call takes.
        let credentials = Credentials::new(user.to_owned(), password.expose_text().to_owned());
        let answer = connection.auth(&mechanisms, &credentials).await;
        drop(password);
        match answer {
            Ok(response) if response.is_positive() && !response.has_code(334) => Ok(()),
            Ok(response) => {
                Err(fault(FaultKind::Unauthorized, format!("the password was not accepted: {}", response.code())))
            }
            Err(error) if error.is_permanent() => Err(fault(
                FaultKind::Unauthorized,
                format!("the mail server did not accept user and password: {}", reply(&error)),
            )),
            Err(error) => Err(self.judge("AUTH", &error)),
        }
    }

    fn ca(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// What would make the libraries panic, or trust less than was meant.
    fn check(&self) -> Result<(), Fault> {
        // Main installs it.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(fault(FaultKind::Tls, "no TLS provider is installed in this program".into()));
        }
        let Some(path) = self.ca() else { return Ok(()) };
        let pem = std::fs::read(path).map_err(|error| wrong_ca(path, &error.to_string()))?;
        // An empty list is no error for either library.
        let holds = pem.windows(17).any(|part| part == b"BEGIN CERTIFICATE");
        if holds { Ok(()) } else { Err(wrong_ca(path, "holds no certificate")) }
    }

    fn parameters(&self) -> Result<TlsParameters, Fault> {
        self.check()?;
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(path) = self.ca() {
            let wrong = |error: &dyn std::fmt::Display| wrong_ca(path, &error.to_string());
            let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
            builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(&error))?);
        }
        builder.build().map_err(|error| fault(FaultKind::Tls, error.to_string()))
    }

    /// Certificate errors come as "connection errors" and nothing else of lettre's error says TLS, so the cause is looked at.
    fn judge(&self, doing: &str, error: &SmtpError) -> Fault {
        if let Some(code) = error.status() {
            let code = u16::from(code);
            let kind = if error.is_permanent() { FaultKind::Permanent(code) } else { FaultKind::Temporary(code) };
            return fault(kind, format!("{doing}: {}", reply(error)))
                .hint("nothing was sent; ask whoever runs the mail server if it goes on");
        }
        match error.source() {
            Some(cause) => self.judge_cause(doing, cause),
            None => self.lost(doing, error),
        }
    }

    fn lost(&self, doing: &str, error: &dyn std::error::Error) -> Fault {
        fault(FaultKind::Reset, format!("{doing}: {error}")).hint("nothing was sent; check smtp.host and smtp.port")
    }

    fn judge_cause(&self, doing: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
        if let Some(fault) = exhausted(doing, error) {
            return fault;
        }
        let mut cause = Some(error);
        while let Some(inner) = cause {
            let io = inner.downcast_ref::<std::io::Error>();
            let tls = io.and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match (tls, io) {
                (Some(rustls::Error::InvalidMessage(_)), _) => {
                    return fault(FaultKind::Tls, format!("{doing}: the mail server does not answer in TLS"))
                        .hint("nothing was sent; if this port wants STARTTLS (587), set smtp.security = \"starttls\"");
                }
                (Some(tls), _) => return fault(FaultKind::Tls, format!("{doing}: {tls}")),
                (None, Some(io)) if is_refusal(io) => {
                    return fault(FaultKind::Unreachable, format!("{}:{}: {io}", self.host, self.port));
                }
                _ => cause = inner.source(),
            }
        }
        self.lost(doing, error)
    }
}

fn wrong_ca(path: &Path, why: &str) -> Fault {
    fault(FaultKind::Tls, format!("smtp.ca_file {}: {why}", path.display())).hint("nothing was sent; name a PEM file")
}

/// No connection came about at all. A name that does not resolve has no error kind of its own, so the others are excluded.
fn is_refusal(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, UnexpectedEof};
    !matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | InvalidData | UnexpectedEof)
}

/// What the server said: `550 5.1.1 no such user`.
pub(super) fn reply(error: &SmtpError) -> String {
    let text = error.source().map(ToString::to_string).unwrap_or_else(|| error.to_string());
    let text = match error.status() {
        Some(code) => format!("{code} {text}"),
        None => text,
    };
    crate::domain::sanitize::sanitize(&text)
}

fn fault(kind: FaultKind, message: String) -> Fault {
    Fault::new(Service::Mail, kind, message)
}
