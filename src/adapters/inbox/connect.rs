//! Makes a connection to the mailbox: address, TLS, password, each with its own fault, all under one time limit.
//!
//! What is said until the login is read byte by byte, so that nothing said in clear is left over for the time after STARTTLS:
//! what a stranger puts behind the server's answer meets the TLS handshake, which then fails.

use super::exchange::{Exchange, SMALL};
use super::meter::{Meter, Wire};
use super::{InboxParameters, Login, Security};
use crate::adapters::{exhausted, root_authorities};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use async_imap::error::Error;
use async_imap::{Authenticator, Client, Session};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// The longest line before the login, bytes.
const LONGEST_LINE: usize = 8 * 1024;
/// The most lines of one answer before the login.
const MOST_LINES: usize = 50;

/// Knows how to connect.
pub(super) struct Connector {
    pub(super) parameters: InboxParameters,
    /// Made once: reading the system's authorities takes longer than a handshake.
    tls: OnceCell<TlsConnector>,
}

impl Connector {
    pub(super) fn new(parameters: InboxParameters) -> Self {
        Self { parameters, tls: OnceCell::new() }
    }

    /// `host:port`
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.parameters.host, self.parameters.port)
    }

    /// A connection that is logged in.
    pub(super) async fn connect(&self) -> Result<Exchange, Fault> {
        let limit = self.parameters.timeout;
        let session = match tokio::time::timeout(limit, self.establish()).await {
            Ok(session) => session?,
            Err(_) => {
                let fault = self.fault(FaultKind::TimedOut, format!("no login within {} s", limit.as_secs_f32()));
                // A server that waits for our TLS hello says nothing at all.
                return Err(match self.parameters.security {
                    Security::Tls => fault.hint("nothing was read; check inbox.port, and the network to it"),
                    _ => fault
                        .hint("nothing was read; if this port speaks implicit TLS (993), set inbox.security = \"tls\""),
                });
            }
        };
        Exchange::open(session, self.place(), limit).await
    }

    async fn establish(&self) -> Result<Session<Meter>, Fault> {
        let (host, port) = (self.parameters.host.as_str(), self.parameters.port);
        let mut stream = TcpStream::connect((host, port)).await.map_err(|error| {
            let other = || self.fault(FaultKind::Unreachable, error.to_string());
            exhausted("reach the mailbox", &error).unwrap_or_else(other)
        })?;
        // Commands are small writes, each of which would wait for a delayed ACK.
        let _ = stream.set_nodelay(true);
        let mut wire: Box<dyn Wire> = match self.parameters.security {
            Security::Tls => self.encrypt(stream).await?,
            Security::None => Box::new(stream),
            Security::StartTls => {
                self.greeting(&mut stream).await?;
                if !self.abilities(&mut stream).await?.iter().any(|ability| ability == "STARTTLS") {
                    return Err(self.fault(FaultKind::Tls, "the server offers no STARTTLS".into()).hint(
                        "nothing was sent; if it speaks implicit TLS, set inbox.security = \"tls\" and its port",
                    ));
                }
                self.ask(&mut stream, "STARTTLS").await?;
                self.encrypt(stream).await?
            }
        };
        if self.parameters.security != Security::StartTls {
            self.greeting(&mut *wire).await?;
        }
        // Asked anew after STARTTLS: what was said before could be anybody's.
        let abilities = self.abilities(&mut *wire).await?;
        self.log_in(wire, &abilities).await
    }

    async fn encrypt(&self, stream: TcpStream) -> Result<Box<dyn Wire>, Fault> {
        let tls = self.tls.get_or_try_init(async || self.build_tls()).await?;
        let name = ServerName::try_from(self.parameters.host.clone())
            .map_err(|_| self.fault(FaultKind::Invalid, "no certificate can be for this name".into()))?;
        let stream = tls.connect(name, stream).await.map_err(|error| self.judge(&error))?;
        Ok(Box::new(stream))
    }

    fn build_tls(&self) -> Result<TlsConnector, Fault> {
        let mut roots = root_authorities();
        if let Some(path) = &self.parameters.ca_file {
            let wrong = |why: String| {
                Fault::new(Service::Mail, FaultKind::Tls, format!("inbox.ca_file {}: {why}", path.display()))
                    .hint("nothing was sent; name a PEM file")
            };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let (roots, mut found) = (Arc::make_mut(&mut roots), false);
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
                found = true;
            }
            if !found {
                return Err(wrong("holds no certificate".into()));
            }
        }
        let provider = rustls::crypto::CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| self.fault(FaultKind::Tls, error.to_string()))?;
        Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }

    async fn greeting<W: Wire + ?Sized>(&self, wire: &mut W) -> Result<(), Fault> {
        let line = self.line(wire).await?;
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("* OK") {
            return Ok(());
        }
        let text = format!("the greeting is {:?}", sanitize(&line));
        // A stranger who says PREAUTH before STARTTLS would have us go on in clear.
        let kind = if upper.starts_with("* BYE") { FaultKind::Refused } else { FaultKind::Malformed };
        Err(self.fault(kind, text).hint("nothing was sent; check inbox.host and inbox.port"))
    }

    async fn abilities<W: Wire + ?Sized>(&self, wire: &mut W) -> Result<Vec<String>, Fault> {
        let lines = self.ask(wire, "CAPABILITY").await?;
        let words = lines.iter().filter_map(|line| line.strip_prefix("* CAPABILITY "));
        Ok(words.flat_map(str::split_ascii_whitespace).map(String::from).collect())
    }

    /// One command before the login; its untagged lines, upper case.
    async fn ask<W: Wire + ?Sized>(&self, wire: &mut W, command: &str) -> Result<Vec<String>, Fault> {
        let sent = wire.write_all(format!("c {command}\r\n").as_bytes()).await;
        let sent = match sent {
            Ok(()) => wire.flush().await,
            error => error,
        };
        sent.map_err(|error| self.judge(&error))?;
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = self.line(wire).await?.to_ascii_uppercase();
            match line.strip_prefix("C ") {
                Some(end) if end.starts_with("OK") => return Ok(lines),
                Some(end) => {
                    let message = format!("{command} is refused: {}", sanitize(end));
                    return Err(self.fault(FaultKind::Refused, message).hint("nothing was sent; check inbox.security"));
                }
                None => lines.push(line),
            }
        }
        Err(self.fault(FaultKind::Malformed, format!("the answer to {command} has no end")))
    }

    async fn line<W: Wire + ?Sized>(&self, wire: &mut W) -> Result<String, Fault> {
        let mut line = Vec::new();
        while line.len() < LONGEST_LINE {
            match wire.read_u8().await.map_err(|error| self.judge(&error))? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
                byte => line.push(byte),
            }
        }
        Err(self.fault(FaultKind::Malformed, "the server does not speak IMAP: a line without an end".into()))
    }

    async fn log_in(&self, wire: Box<dyn Wire>, abilities: &[String]) -> Result<Session<Meter>, Fault> {
        let offers = |ability: &str| abilities.iter().any(|one| one == ability);
        let user = self.parameters.user.as_str();
        // async-imap writes a command in four pieces; they leave as one.
        let client = Client::new(Meter::new(Box::new(BufWriter::new(wire)), SMALL));
        let limit = self.parameters.timeout;
        let answer = match &self.parameters.login {
            Login::OAuth2(source) => {
                let token = source.read("inbox", limit).await.map_err(|mut fault| {
                    fault.message = fault.message.replace("password_command", "oauth2_command");
                    fault
                })?;
                let token = Zeroizing::new(format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose_text()));
                client.authenticate("XOAUTH2", Words::new(token)).await
            }
            // LOGIN takes only ASCII (RFC 3501 9, quoted), PLAIN takes every password.
            Login::Password(source) if offers("AUTH=PLAIN") => {
                let password = source.read("inbox", limit).await?;
                let words = Zeroizing::new(format!("\0{user}\0{}", password.expose_text()));
                client.authenticate("PLAIN", Words::new(words)).await
            }
            Login::Password(_) if offers("LOGINDISABLED") => {
                return Err(self
                    .fault(FaultKind::Refused, "the server takes no password here: neither PLAIN nor LOGIN".into())
                    .hint("set inbox.security = \"tls\" or \"starttls\", or use inbox.oauth2_command"));
            }
            Login::Password(source) => {
                let password = source.read("inbox", limit).await?;
                // async-imap keeps a copy for as long as this call takes; the allocator wipes it.
                client.login(user, password.expose_text()).await
            }
        };
        answer.map_err(|(error, _)| self.refused(&error))
    }

    fn refused(&self, error: &Error) -> Fault {
        let what = match self.parameters.login {
            Login::Password(_) => "check inbox.user and its password",
            Login::OAuth2(_) => "check inbox.user and what inbox.oauth2_command prints: a fresh access token for IMAP",
        };
        match error {
            Error::No(text) | Error::Bad(text) => {
                // `code: …, info: Some("…")`
                let said = text.split_once("info: Some(\"").map_or("", |(_, said)| said.trim_end_matches("\")"));
                let message = format!("the server does not accept user and password: {}", sanitize(said));
                if text.to_ascii_uppercase().contains("UNAVAILABLE") {
                    return self.fault(FaultKind::Refused, message).hint("nothing was read; it goes on by itself");
                }
                self.fault(FaultKind::Unauthorized, message).hint(what)
            }
            Error::Io(error) => self.judge(error),
            Error::ConnectionLost => self.fault(FaultKind::Reset, "the server hung up at the login".into()).hint(what),
            // A challenge that is no base64: how some servers refuse a token.
            Error::Parse(_) => {
                self.fault(FaultKind::Unauthorized, "the server does not accept the login".into()).hint(what)
            }
            _ => self.fault(FaultKind::Invalid, "the user or the password can't be sent by LOGIN".into()).hint(what),
        }
    }

    /// What an error of the connection means before anything was read.
    fn judge(&self, error: &io::Error) -> Fault {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (tls, self.parameters.security) {
            (Some(rustls::Error::InvalidMessage(_)), Security::StartTls) => self
                .fault(FaultKind::Tls, "something that is not TLS was said after STARTTLS".into())
                .hint("nothing was sent; if it happens again somebody between may be interfering"),
            (Some(rustls::Error::InvalidMessage(_)), _) => self
                .fault(FaultKind::Tls, "the server does not answer in TLS".into())
                .hint("nothing was sent; if this port wants STARTTLS (143), set inbox.security = \"starttls\""),
            (Some(tls), _) => self
                .fault(FaultKind::Tls, tls.to_string())
                .hint("nothing was sent; check the certificate's name and date, or set inbox.ca_file"),
            (None, _) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.fault(FaultKind::Reset, "the server closed the connection before the login".into())
            }
            (None, _) => self.fault(FaultKind::Reset, sanitize(&error.to_string())),
        }
    }

    fn fault(&self, kind: FaultKind, what: String) -> Fault {
        Fault::new(Service::Mail, kind, format!("{}: {what}", self.place()))
            .hint("nothing was read; check inbox.host, inbox.port and the network")
    }
}

/// A SASL mechanism of one message. A second challenge is how a refusal is explained; it is answered by nothing.
struct Words(Option<Zeroizing<String>>);

impl Words {
    fn new(words: Zeroizing<String>) -> Self {
        Self(Some(words))
    }
}

impl Authenticator for Words {
    type Response = Zeroizing<Vec<u8>>;

    fn process(&mut self, _: &[u8]) -> Self::Response {
        Zeroizing::new(self.0.take().map(|words| words.as_bytes().to_vec()).unwrap_or_default())
    }
}
