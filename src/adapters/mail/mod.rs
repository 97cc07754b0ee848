//! Mail to clients: written from templates, handed over to one SMTP server, with an honest word on what became of it.
//!
//! The texts are `templates`, their HTML is `page`, the event is `invitation`, the message is `compose`, a connection is
//! `connection`, handing over is `transaction`, the password is what `crate::adapters::PasswordSource` gives, the relay's limit
//! is `pace`. When a mail is written and to whom is the engine's business.

mod built_in;
mod compose;
mod connection;
mod greeting;
mod headers;
mod invitation;
mod pace;
mod page;
mod stream;
mod templates;
mod transaction;

pub use crate::adapters::PasswordSource;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::tenant::Tenant;
use crate::domain::window::Window;
use crate::engine::ports::{Clock, Fence, Handed, Lack, Letter, Mailer, NoticeRequest, Sheet, Unfenced};
use async_trait::async_trait;
use compose::{Composer, Owned};
use connection::{Connector, SmtpConnection};
use lettre::message::Mailbox;
use lettre::{Address, address::Envelope};
use pace::Pace;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use transaction::End;

/// A parked connection older than this is not used again: servers hang up on idle ones (Postfix: 10 s when busy, else 300 s).
const FRESH: Duration = Duration::from_secs(60);

/// The wait before the second try; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// STARTTLS is demanded after the greeting.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: for a server on this machine.
    None,
}

/// What the adapter must know.
#[derive(Debug)]
pub struct MailParameters {
    /// The server's name; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who writes, `Name <address>`.
    pub from: String,
    /// Where answers go, if not to `from`.
    pub reply_to: Option<String>,
    /// For AUTH PLAIN or LOGIN; `None`: no AUTH.
    pub user: Option<String>,
    /// Read at each new connection.
    pub password: PasswordSource,
    /// A PEM file with an authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The bound on one connection being made, and on one mail being handed over.
    pub timeout: Duration,
    /// How many mails at once, at least 1.
    pub connections: usize,
    /// How many mails a minute at most.
    pub per_minute: Option<u32>,
    /// The VPN Configuration guide for users.
    pub guide_url: String,
    /// Where clients download their configuration.
    pub portal_url: String,
    /// Who writes, for the signature.
    pub organisation: String,
    /// A folder with texts in place of the built-in ones.
    pub templates: Option<PathBuf>,
    /// The language of the texts at the top of that folder.
    pub language: Language,
    /// Where answers go in place of `reply_to`: the address of the inbox, and what parts its name from a token, if it takes one.
    pub reply: Option<(String, Option<char>)>,
    /// Delivery reports go to an address of the inbox with the token, too.
    pub verp: bool,
    /// How often a mail is tried again that the server refuses for the moment.
    pub retries: u32,
}

/// A mail to oneself: a kind as this tenant's clients would get it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// What for.
    pub kind: NoticeKind,
    /// Whose texts.
    pub tenant: &'a Tenant,
    /// In which language.
    pub language: Language,
    /// The window that it tells.
    pub window: &'a Window,
    /// To whom it goes.
    pub to: &'a str,
}

/// Mail over SMTP. Cheap to clone: the connections are shared.
#[derive(Clone)]
pub struct SmtpMailer {
    office: Arc<Office>,
    fence: Arc<dyn Fence>,
}

/// What all tenants share.
struct Office {
    composer: Composer,
    connector: Connector,
    sender: Address,
    timeout: Duration,
    connections: usize,
    retries: u32,
    clock: Arc<dyn Clock>,
    permits: Semaphore,
    /// Parked connections, each at the beginning of a transaction. A connection that was in one when its mail was given up
    /// never comes back here: its answers would be read one mail too early.
    parked: Mutex<Vec<(SmtpConnection, Instant)>>,
    pace: Pace,
}

impl SmtpMailer {
    /// Checks addresses, and tries every text; what is wrong with those is in [`SmtpMailer::text_faults`]. Connects to nothing
    /// and reads no password.
    ///
    /// Errors: an address is none.
    pub fn new(parameters: MailParameters, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let mailbox = |field: &str, text: &str| {
            text.parse::<Mailbox>().map(compose::cleaned).map_err(|error| {
                let message = format!("{field}: {text:?} is not a mail address: {error}");
                Fault::new(Service::Configuration, FaultKind::Invalid, message)
            })
        };
        let from = mailbox("smtp.from", &parameters.from)?;
        let reply_to = parameters.reply_to.as_deref().map(|text| mailbox("smtp.reply_to", text)).transpose()?;
        let connections = parameters.connections.max(1);
        let office = Arc::new(Office {
            sender: from.email.clone(),
            composer: Composer::new(from, reply_to, &parameters, clock.clone())?,
            retries: parameters.retries,
            clock,
            timeout: parameters.timeout,
            connections,
            permits: Semaphore::new(connections),
            parked: Mutex::new(Vec::new()),
            pace: Pace::new(parameters.per_minute),
            connector: Connector::new(parameters),
        });
        Ok(Self { office, fence: Arc::new(Unfenced) })
    }

    /// The same for one tenant: its mails go through this fence.
    pub fn behind(&self, fence: Arc<dyn Fence>) -> Self {
        Self { office: Arc::clone(&self.office), fence }
    }

    /// Every text that can't be used, with its line and the name that has no value: whoever needs one of them is sent nothing.
    pub fn text_faults(&self) -> Vec<Fault> {
        self.office.composer.faults()
    }

    /// Writes a mail to oneself: `[TEST]` stands before its subject, and an answer to it counts for nothing.
    pub fn compose_test(&self, sample: &Sample<'_>) -> Result<Letter, Fault> {
        self.office.composer.sample(sample)
    }

    /// Says goodbye on all parked connections, so that the server notes no lost ones. Bounded by two seconds.
    pub async fn close(&self) {
        let parked = std::mem::take(&mut *self.office.parked.lock().unwrap_or_else(PoisonError::into_inner));
        let goodbyes = parked.into_iter().map(|(mut connection, _)| async move { connection.quit().await.is_ok() });
        let _ = tokio::time::timeout(Duration::from_secs(2), futures_util::future::join_all(goodbyes)).await;
    }
}

impl Office {
    fn unpark(&self) -> Option<SmtpConnection> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|(_, since)| since.elapsed() < FRESH);
        parked.pop().map(|(connection, _)| connection)
    }

    fn park(&self, connection: SmtpConnection) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        if parked.len() < self.connections {
            parked.push((connection, Instant::now()));
        }
    }

    /// One try.
    async fn hand_over(&self, fence: &dyn Fence, envelope: &Envelope, message: &[u8]) -> Handed {
        // The semaphore is never closed, so the error can't happen.
        let _permit = self.permits.acquire().await;
        self.pace.wait().await;
        let End { delivery, again, .. } = self.deliver(fence, envelope, message).await;
        Handed { delivery, again }
    }

    async fn deliver(&self, fence: &dyn Fence, envelope: &Envelope, message: &[u8]) -> End {
        if let Some(connection) = self.unpark()
            && let Some(end) = self.attempt(fence, connection, envelope, message, true).await
        {
            return end;
        }
        // Nothing was handed over yet: a parked connection that the server has closed is replaced by a new one, once.
        match self.connector.connect().await {
            Ok(connection) => self.attempt(fence, connection, envelope, message, false).await.unwrap_or_else(|| {
                End::not_sent("the mail server closed the connection before the mail was handed over".into(), false)
            }),
            Err(fault) => {
                let again = matches!(fault.kind, FaultKind::Temporary(_));
                End::not_sent(format!("not sent: {}", fault.message), again)
            }
        }
    }

    /// One transaction. `None`: the parked connection was dead before anything was handed over.
    async fn attempt(
        &self,
        fence: &dyn Fence,
        mut connection: SmtpConnection,
        envelope: &Envelope,
        message: &[u8],
        parked: bool,
    ) -> Option<End> {
        let handed = AtomicBool::new(false);
        let transaction = transaction::run(fence, &mut connection, envelope, message, &handed);
        let end = match tokio::time::timeout(self.timeout, transaction).await {
            Ok(end) => end,
            Err(_) => return Some(transaction::too_late(handed.load(Ordering::Relaxed), self.timeout)),
        };
        if end.usable {
            self.park(connection);
        } else if parked
            && matches!(end.delivery, Delivery::Failed { permanent: false, .. })
            && !handed.load(Ordering::Relaxed)
        {
            return None;
        }
        Some(end)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    fn compose(&self, request: &NoticeRequest<'_>) -> Result<Letter, Fault> {
        self.office.composer.compose(request, "")
    }

    async fn compose_apart(&self, request: &NoticeRequest<'_>) -> Result<Letter, Fault> {
        // As with handing over: a task of its own, that ends with whoever waits for it.
        let (office, owned) = (self.office.clone(), Owned::of(request));
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move { office.composer.compose(&owned.lent(), "") });
        match task.join_next().await {
            Some(Ok(letter)) => letter,
            _ => self.compose(request),
        }
    }

    fn write(&self, sheet: &Sheet<'_>) -> Result<Letter, Fault> {
        self.office.composer.sheet(sheet)
    }

    fn written(&self, subject: &str, text: &str) -> String {
        self.office.composer.sheet_text(subject, text)
    }

    fn can_write(&self, request: &NoticeRequest<'_>) -> Result<(), Fault> {
        self.office.composer.words(request, "").map(drop)
    }

    fn lacks(&self, request: &NoticeRequest<'_>) -> Option<Lack> {
        self.office.composer.lacks(request)
    }

    fn is_alike_for_all(&self, request: &NoticeRequest<'_>) -> bool {
        self.office.composer.is_built_in(request)
    }

    fn texts(&self, request: &NoticeRequest<'_>) -> Vec<String> {
        self.office.composer.texts(request)
    }

    fn message_domain(&self) -> String {
        self.office.sender.domain().to_owned()
    }

    async fn send(&self, letter: &Letter) -> Delivery {
        for pause in self.pauses() {
            let handed = self.hand_over(letter).await;
            if !handed.again {
                return handed.delivery;
            }
            self.office.clock.sleep(pause).await;
        }
        self.hand_over(letter).await.delivery
    }

    async fn hand_over(&self, letter: &Letter) -> Handed {
        let ended = |delivery| Handed { delivery, again: false };
        let Ok(to) = letter.to.parse::<Address>() else {
            let reply = "not sent: the address is not a mail address".into();
            return ended(Delivery::Failed { permanent: true, reply });
        };
        let from = letter.from.parse::<Address>().ok();
        let envelope = match Envelope::new(from.or_else(|| Some(self.office.sender.clone())), vec![to]) {
            Ok(envelope) => envelope,
            Err(error) => return ended(Delivery::Failed { permanent: true, reply: format!("not sent: {error}") }),
        };
        // A task of its own, so that several mails are worked on by several threads; it ends with whoever waits for it.
        let (office, fence, message) = (self.office.clone(), self.fence.clone(), letter.message.clone());
        let mut task = tokio::task::JoinSet::new();
        task.spawn(async move { office.hand_over(&*fence, &envelope, &message).await });
        match task.join_next().await {
            Some(Ok(handed)) => handed,
            _ => ended(Delivery::Uncertain { why: "the task that sent it has ended without a result".into() }),
        }
    }

    fn pauses(&self) -> Vec<Duration> {
        (0..self.office.retries).map(|try_again| FIRST_PAUSE * 2_u32.saturating_pow(try_again)).collect()
    }

    async fn probe(&self) -> Result<(), Fault> {
        let _permit = self.office.permits.acquire().await;
        let connection = self.office.connector.connect().await?;
        self.office.park(connection);
        Ok(())
    }

    fn skew(&self) -> Option<i64> {
        self.office.connector.skew()
    }

    fn connections(&self) -> usize {
        self.office.connections
    }
}
