//! The mailbox that the answers come to, over IMAP: what is new, without a change to the mailbox and without a loss.
//!
//! A connection is `connect`, its bounds are `meter`, one command is `exchange`, what is new in a folder is `folder`, what a
//! mail holds is `read`. Which mail means what, and where the cursors are kept, is the engine's business.

mod connect;
mod exchange;
mod folder;
mod meter;
mod names;
pub mod read;

pub use crate::adapters::PasswordSource;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::letter::Incoming;
use crate::domain::sanitize::sanitize;
use crate::engine::ports::{Cursor, FolderReading, Inbox};
use async_trait::async_trait;
use connect::Connector;
use exchange::{Exchange, SMALL, Trouble};
use folder::Opened;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex as PlainMutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// So often a mail is asked for before it is given as unreadable: a server in trouble must not cost an answer.
const TRIES: u32 = 3;
/// UIDs of one command that changes something.
const BATCH: usize = 500;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS is demanded after the greeting.
    StartTls,
    /// None: for a server on this machine.
    None,
}

/// How we prove who we are. Read at each new connection.
#[derive(Debug)]
pub enum Login {
    /// AUTHENTICATE PLAIN, or LOGIN where that is not offered.
    Password(PasswordSource),
    /// XOAUTH2 with the access token that this gives.
    OAuth2(PasswordSource),
}

/// What becomes of a mail that is settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    #[default]
    Leave,
    /// It is marked as read.
    Flag,
    /// It is moved into this folder.
    Move(String),
}

/// What the adapter must know.
#[derive(Debug)]
pub struct InboxParameters {
    /// The server's name; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whose mailbox.
    pub user: String,
    /// How we log in.
    pub login: Login,
    /// A PEM file with an authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Which folders are read; the first is the one that is waited for.
    pub folders: Vec<String>,
    /// What becomes of mails that are settled.
    pub after: After,
    /// How often to look, also where the server has IDLE and tells of what comes: into the folders but the first, and
    /// whether it still answers. Servers may end an IDLE after 29 minutes (RFC 2177).
    pub poll: Duration,
    /// The bound on a connection being made, and on each answer.
    pub timeout: Duration,
}

/// A mailbox over IMAP. One connection is kept for reading, another for waiting.
pub struct ImapInbox {
    connector: Connector,
    reader: Mutex<Option<Exchange>>,
    waiter: Mutex<Option<Exchange>>,
    notes: PlainMutex<Notes>,
}

/// What is remembered between two looks.
#[derive(Default)]
struct Notes {
    /// Up to where the first folder was read.
    seen: Option<Cursor>,
    /// For which state of it the last wait ended at once.
    woken: Option<Cursor>,
    /// (folder, UIDVALIDITY, UID): how often it was asked for in vain.
    tries: HashMap<(String, u32, u32), u32>,
}

/// How a look went on.
struct Haul {
    mails: BTreeMap<u32, Incoming>,
    /// Why it ended before all was fetched.
    ended: Option<Trouble>,
}

impl ImapInbox {
    /// Checks the parameters. Connects to nothing and reads no password.
    ///
    /// Errors: no folder to read, or the folder to move into is one of those.
    pub fn new(parameters: InboxParameters) -> Result<Self, Fault> {
        let invalid = |message: &str| Err(Fault::new(Service::Configuration, FaultKind::Invalid, message));
        if parameters.folders.is_empty() {
            return invalid("inbox.folders names no folder");
        }
        if matches!(&parameters.after, After::Move(folder) if parameters.folders.contains(folder)) {
            return invalid("inbox.after moves into a folder that is read: what was settled would come back");
        }
        let connector = Connector::new(parameters);
        Ok(Self { connector, reader: Mutex::new(None), waiter: Mutex::new(None), notes: PlainMutex::default() })
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn doing(&self, folder: &str) -> String {
        format!("folder {}", sanitize(folder))
    }

    /// Opens the folder on the connection that was kept, or on a new one where there is none or it has died.
    async fn opened(
        &self,
        kept: &mut Option<Exchange>,
        folder: &str,
        change: bool,
    ) -> Result<(Exchange, Opened), Fault> {
        if let Some(mut exchange) = kept.take() {
            match folder::open(&mut exchange, folder, change).await {
                Ok(opened) => return Ok((exchange, opened)),
                Err(Trouble::Refused(text)) => {
                    let place = exchange.place().to_owned();
                    *kept = Some(exchange);
                    return Err(self.no_folder(Trouble::Refused(text), &place, folder));
                }
                Err(Trouble::Lost(_)) => {}
            }
        }
        let mut exchange = self.connector.connect().await?;
        match folder::open(&mut exchange, folder, change).await {
            Ok(opened) => Ok((exchange, opened)),
            Err(trouble) => Err(self.no_folder(trouble, exchange.place(), folder)),
        }
    }

    fn no_folder(&self, trouble: Trouble, place: &str, folder: &str) -> Fault {
        let refused = matches!(trouble, Trouble::Refused(_));
        let mut fault = trouble.into_fault(place, &self.doing(folder));
        if refused {
            fault.kind = FaultKind::NotFound;
            fault = fault.hint("nothing was read; check inbox.folders");
        }
        fault
    }

    /// Fetches mails; those that a server can't give are tried by themselves, and given as unreadable in the end.
    async fn haul(&self, kept: &mut Option<Exchange>, folder: &str, validity: u32, uids: &[u32]) -> Haul {
        let mut haul = Haul { mails: BTreeMap::new(), ended: None };
        for chunk in uids.chunks(folder::AT_ONCE) {
            // Taken out while it is used: whoever gives up on us leaves no half-read connection behind.
            if let Some(mut exchange) = kept.take()
                && !matches!(folder::fetch(&mut exchange, chunk, &mut haul.mails).await, Err(Trouble::Lost(_)))
            {
                *kept = Some(exchange);
            }
            let missing: Vec<u32> = chunk.iter().copied().filter(|uid| !haul.mails.contains_key(uid)).collect();
            for uid in missing {
                match self.one(kept, folder, validity, uid).await {
                    Ok(Some(incoming)) => drop(haul.mails.insert(uid, incoming)),
                    Ok(None) => {}
                    Err(trouble) => {
                        haul.ended = Some(trouble);
                        // Nothing above it may be given: the cursor would pass over it.
                        haul.mails.split_off(&uid);
                        return haul;
                    }
                }
            }
        }
        haul
    }

    /// One mail that did not come with the others. `None`: it is not in the folder any more.
    async fn one(
        &self,
        kept: &mut Option<Exchange>,
        folder: &str,
        validity: u32,
        uid: u32,
    ) -> Result<Option<Incoming>, Trouble> {
        let (mut exchange, opened) = match kept.take() {
            Some(exchange) => (exchange, validity),
            None => {
                let (exchange, opened) = self.opened(&mut None, folder, false).await.map_err(Trouble::Lost)?;
                (exchange, opened.validity)
            }
        };
        if opened != validity {
            *kept = Some(exchange);
            return Err(Trouble::Refused("the folder was numbered anew in the middle".into()));
        }
        let mut found = BTreeMap::new();
        let trouble = match folder::fetch(&mut exchange, &[uid], &mut found).await {
            Ok(()) if found.is_empty() => match folder::search(&mut exchange, &format!("UID {uid}")).await {
                Ok(uids) if !uids.contains(&uid) => None,
                Ok(_) => Some(Trouble::Refused("the server lists the mail and does not give it".into())),
                Err(trouble) => Some(trouble),
            },
            Ok(()) => None,
            Err(trouble) => Some(trouble),
        };
        let key = (folder.to_owned(), validity, uid);
        let Some(trouble) = trouble else {
            *kept = Some(exchange);
            self.notes().tries.remove(&key);
            return Ok(found.remove(&uid));
        };
        let hopeless = matches!(&trouble, Trouble::Lost(fault) if fault.kind == FaultKind::Malformed);
        let times = {
            let mut notes = self.notes();
            let times = notes.tries.entry(key.clone()).or_default();
            *times += 1;
            *times
        };
        let is_lost = matches!(trouble, Trouble::Lost(_));
        if !is_lost {
            *kept = Some(exchange);
        }
        if !hopeless && times < TRIES {
            return Err(trouble);
        }
        if is_lost {
            let (exchange, _) = self.opened(&mut None, folder, false).await.map_err(Trouble::Lost)?;
            *kept = Some(exchange);
        }
        let why = trouble.into_fault(&self.connector.place(), &format!("mail {uid}")).message;
        let mut incoming = self.header(kept, uid).await;
        incoming.unreadable = Some(why);
        self.notes().tries.remove(&key);
        Ok(Some(incoming))
    }

    /// The header of a mail, or nothing of it.
    async fn header(&self, kept: &mut Option<Exchange>, uid: u32) -> Incoming {
        let Some(mut exchange) = kept.take() else {
            return Incoming::default();
        };
        let found = folder::header(&mut exchange, uid).await;
        if !matches!(found, Err(Trouble::Lost(_))) {
            *kept = Some(exchange);
        }
        found.ok().flatten().unwrap_or_default()
    }

    async fn look(
        &self,
        kept: &mut Option<Exchange>,
        folder: &str,
        from: Option<Cursor>,
        since: Timestamp,
        most: usize,
    ) -> Result<FolderReading, Fault> {
        let (mut exchange, opened) = self.opened(kept, folder, false).await?;
        let validity = opened.validity;
        let news = match folder::news(&mut exchange, opened, from, since).await {
            Ok(news) => news,
            Err(trouble) => {
                let fault = trouble.into_fault(exchange.place(), &self.doing(folder));
                return Err(fault);
            }
        };
        *kept = Some(exchange);
        let taken = &news.uids[..news.uids.len().min(most)];
        let haul = self.haul(kept, folder, validity, taken).await;
        let all = haul.ended.is_none() && taken.len() == news.uids.len();
        let next_uid = match haul.mails.last_key_value() {
            _ if all => news.next,
            Some((last, _)) => last.saturating_add(1),
            None => match haul.ended {
                Some(trouble) => return Err(trouble.into_fault(&self.connector.place(), &self.doing(folder))),
                // All that were taken are gone.
                None => taken.last().map_or(news.next, |last| last.saturating_add(1)),
            },
        };
        let mails = haul.mails.into_iter().map(|(uid, mut incoming)| {
            if incoming.identity.is_empty() {
                let known = Sha256::digest(format!("{} {folder} {validity} {uid}", self.name()));
                incoming.identity = known.iter().map(|byte| format!("{byte:02x}")).collect();
            }
            (uid, incoming)
        });
        let cursor = Cursor { uid_validity: validity, next_uid };
        Ok(FolderReading { cursor, mails: mails.collect(), more: !all, renumbered: news.renumbered })
    }

    /// Marks or moves some mails of the folder that is open.
    async fn change(&self, exchange: &mut Exchange, uids: &[u32]) -> Result<(), Trouble> {
        let set = names::set(uids);
        let folder = match &self.connector.parameters.after {
            After::Leave => return Ok(()),
            After::Flag => return run(exchange, &format!("UID STORE {set} +FLAGS.SILENT (\\Seen)")).await,
            After::Move(folder) => names::folder(folder),
        };
        if exchange.offers("MOVE") {
            return run(exchange, &format!("UID MOVE {set} {folder}")).await;
        }
        run(exchange, &format!("UID COPY {set} {folder}")).await?;
        run(exchange, &format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await?;
        // A plain EXPUNGE would also remove what somebody else has marked; without UIDPLUS the mark is all we set.
        if exchange.offers("UIDPLUS") {
            run(exchange, &format!("UID EXPUNGE {set}")).await?;
        }
        Ok(())
    }

    /// Waits on the second connection. `None`: there is no IDLE, or no connection. A server that no longer answers is a fault.
    async fn idle(&self, kept: &mut Option<Exchange>, longest: Duration) -> Result<Option<()>, Fault> {
        let silent = |fault: Fault| if fault.kind == FaultKind::TimedOut { Err(fault) } else { Ok(None) };
        let Some(folder) = self.connector.parameters.folders.first() else { return Ok(None) };
        let (mut exchange, opened) = match self.opened(kept, folder, false).await {
            Ok(opened) => opened,
            Err(fault) => return silent(fault),
        };
        if let Some(next_uid) = opened.next {
            let present = Cursor { uid_validity: opened.validity, next_uid };
            let mut notes = self.notes();
            // What came between the last look and now: IDLE would not tell of it. Told once, lest a look that fails makes
            // this a busy loop.
            if notes.seen.is_some_and(|seen| seen != present) && notes.woken != Some(present) {
                notes.woken = Some(present);
                *kept = Some(exchange);
                return Ok(Some(()));
            }
        }
        if !exchange.offers("IDLE") {
            *kept = Some(exchange);
            return Ok(None);
        }
        match exchange.idle(longest).await {
            Ok(_) => {
                *kept = Some(exchange);
                Ok(Some(()))
            }
            Err(Trouble::Lost(fault)) => silent(fault),
            Err(Trouble::Refused(_)) => Ok(None),
        }
    }
}

async fn run(exchange: &mut Exchange, command: &str) -> Result<(), Trouble> {
    exchange.command(command, SMALL, 2, &mut |_| {}).await
}

#[async_trait]
impl Inbox for ImapInbox {
    fn name(&self) -> String {
        format!("{}@{}", self.connector.parameters.user, self.connector.parameters.host)
    }

    fn folders(&self) -> Vec<String> {
        self.connector.parameters.folders.clone()
    }

    async fn read(
        &self,
        folder: &str,
        from: Option<Cursor>,
        since: Timestamp,
        most: usize,
    ) -> Result<FolderReading, Fault> {
        let mut kept = self.reader.lock().await;
        let reading = self.look(&mut kept, folder, from, since, most.max(1)).await?;
        if self.connector.parameters.folders.first().is_some_and(|first| first == folder) {
            self.notes().seen = Some(reading.cursor);
        }
        Ok(reading)
    }

    async fn settle(&self, folder: &str, uid_validity: u32, uids: &[u32]) -> Result<(), Fault> {
        if self.connector.parameters.after == After::Leave || uids.is_empty() {
            return Ok(());
        }
        let mut kept = self.reader.lock().await;
        let (mut exchange, opened) = self.opened(&mut kept, folder, true).await?;
        if opened.validity != uid_validity {
            *kept = Some(exchange);
            let message = format!("{}: {}: numbered anew", self.connector.place(), self.doing(folder));
            return Err(Fault::new(Service::Mail, FaultKind::Conflict, message)
                .hint("no mail was marked or moved; the next look reads the folder anew"));
        }
        let mut sorted = uids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        for batch in sorted.chunks(BATCH) {
            if let Err(trouble) = self.change(&mut exchange, batch).await {
                let refused = matches!(trouble, Trouble::Refused(_));
                let fault = trouble.into_fault(&self.connector.place(), &self.doing(folder));
                if refused {
                    *kept = Some(exchange);
                    return Err(fault.hint("no answer is lost; check that the folder of inbox.after is there"));
                }
                return Err(fault);
            }
        }
        *kept = Some(exchange);
        Ok(())
    }

    async fn wait(&self) -> Result<(), Fault> {
        let parameters = &self.connector.parameters;
        let begun = Instant::now();
        // IDLE tells of the first folder only, and nothing of a server that has stopped answering.
        let longest = parameters.poll;
        let mut kept = self.waiter.lock().await;
        if self.idle(&mut kept, longest).await?.is_none() {
            tokio::time::sleep_until(begun + parameters.poll).await;
        }
        Ok(())
    }
}
