//! Reads the mailbox and gives each mail to its tenant's rotation. A mail is taken in once, and none is passed over: the
//! folder's cursor moves only past mails that are in the journal or on the list of those that belong to nobody.

use crate::adapters::inbox::read::{LONGEST_MAIL, read};
use crate::domain::client::ClientId;
use crate::domain::fault::Fault;
use crate::domain::letter::Incoming;
use crate::domain::reply::{Asked, Heard, hear};
use crate::domain::tenant::TenantId;
use crate::domain::token::Topic;
use crate::engine::command::{Command, Refusal};
use crate::engine::mail_store::{MailStore, Stray};
use crate::engine::mailbox::{Doubt, Index, Matched};
use crate::engine::ports::{Cursor, FolderReading, Inbox};
use crate::runtime::fleet::Fleet;
use crate::runtime::run::RunError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many mails are fetched and taken in at once.
pub(super) const AT_ONCE: usize = 100;
/// The pause after a fault of the mailbox, which doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A folder that was never read is read from the oldest open plan on, and never further back than this.
pub(super) const FURTHEST_BACK: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What a look into the mailbox gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sorted {
    /// Mails that were fetched.
    pub fetched: usize,
    /// Of these, mails of clients, by the tenant's name: what was made of them.
    pub taken: BTreeMap<String, String>,
    /// Mails that belong to nobody, newly listed.
    pub strays: usize,
    /// Mails that could not be taken in now, and why: they are read again next time.
    pub waiting: BTreeMap<String, String>,
}

impl Sorted {
    /// How many new mails belong to nobody, in words.
    pub fn stray_words(&self) -> String {
        match self.strays {
            1 => "1 mail belongs to no client".into(),
            count => format!("{count} mails belong to no client"),
        }
    }
}

/// The mailbox with what is remembered of it.
#[derive(Clone)]
pub struct Post {
    inbox: Arc<dyn Inbox>,
    store: Arc<dyn MailStore>,
    /// Whose word on senders counts.
    authserv_id: Option<String>,
    /// A look has ended, well or not.
    looked: Arc<AtomicBool>,
}

impl Post {
    /// A mailbox that was not looked into yet.
    pub fn new(inbox: Arc<dyn Inbox>, store: Arc<dyn MailStore>, authserv_id: Option<String>) -> Self {
        Self { inbox, store, authserv_id, looked: Arc::default() }
    }

    pub(super) fn inbox(&self) -> &dyn Inbox {
        &*self.inbox
    }

    pub(super) fn name(&self) -> String {
        self.inbox.name()
    }

    pub(super) fn authserv_id(&self) -> Option<String> {
        self.authserv_id.clone()
    }

    /// Up to where a folder is settled.
    pub(super) async fn cursor(&self, folder: &str) -> Result<Option<Cursor>, Fault> {
        self.store.cursor(&self.inbox.name(), folder).await
    }

    /// Mails that belong to nobody, newest first.
    pub async fn strays(&self) -> Result<Vec<Stray>, Fault> {
        self.store.strays(&self.inbox.name()).await
    }

    /// Takes one off the list; `false` if it was not on it.
    pub async fn forget(&self, mail: &str) -> Result<bool, Fault> {
        self.store.forget_stray(&self.inbox.name(), mail).await
    }

    /// Whether a look has ended since the start: before that, whoever seems silent may have answered.
    pub fn has_looked(&self) -> bool {
        self.looked.load(Ordering::Acquire)
    }

    /// Looks into every folder and takes in what is new.
    pub async fn sort(&self, fleet: &Fleet) -> Result<Sorted, Fault> {
        let sorted = self.sort_folders(fleet).await;
        self.looked.store(true, Ordering::Release);
        sorted
    }

    async fn sort_folders(&self, fleet: &Fleet) -> Result<Sorted, Fault> {
        let mut sorted = Sorted::default();
        let name = self.inbox.name();
        for folder in self.inbox.folders() {
            loop {
                let from = self.store.cursor(&name, &folder).await?;
                let since = match from {
                    Some(_) => Timestamp::now().saturating_sub(FURTHEST_BACK).unwrap_or(Timestamp::UNIX_EPOCH),
                    None => self.oldest_plan(fleet).await?,
                };
                let reading = self.inbox.read(&folder, from, since, AT_ONCE).await?;
                let more = reading.more;
                let cursor = self.take(fleet, &folder, reading, &mut sorted).await?;
                let moved = from != Some(cursor);
                if moved {
                    self.store.advance(&name, &folder, cursor).await?;
                }
                if !more || !moved || !sorted.waiting.is_empty() {
                    break;
                }
            }
        }
        Ok(sorted)
    }

    /// When the oldest rotation that may still be answered was planned.
    async fn oldest_plan(&self, fleet: &Fleet) -> Result<Timestamp, Fault> {
        let now = Timestamp::now();
        let furthest = now.saturating_sub(FURTHEST_BACK).unwrap_or(Timestamp::UNIX_EPOCH);
        fleet.look_at_all(false).await?;
        let planned = fleet.conductors().iter().filter_map(|conductor| conductor.rotation());
        let open = planned.filter(|rotation| rotation.outcome.is_none()).map(|rotation| rotation.planned_at);
        Ok(open.min().unwrap_or(now).max(furthest))
    }

    /// Takes in the mails of one reading; gives up to where the folder is settled.
    async fn take(
        &self,
        fleet: &Fleet,
        folder: &str,
        reading: FolderReading,
        sorted: &mut Sorted,
    ) -> Result<Cursor, Fault> {
        let FolderReading { cursor, mails, .. } = reading;
        if mails.is_empty() {
            return Ok(cursor);
        }
        sorted.fetched += mails.len();
        // What was sent since, by whichever process.
        fleet.look_at_all(false).await?;
        let mut index = Index::new(self.authserv_id());
        for rotation in fleet.conductors().iter().filter_map(|conductor| conductor.rotation()) {
            index.add(&rotation);
        }
        let (mut settled, mut of_tenants) = (Vec::new(), BTreeMap::<TenantId, Vec<(u32, Matched)>>::new());
        for (uid, letter) in mails {
            match index.find(letter) {
                Ok((tenant, matched)) => of_tenants.entry(tenant).or_default().push((uid, matched)),
                Err((letter, why)) => {
                    let place = format!("{folder} {uid}");
                    self.store.keep_stray(&self.inbox.name(), &stray(*letter, place, why)).await?;
                    sorted.strays += 1;
                    settled.push(uid);
                }
            }
        }
        let mut first_left = None::<u32>;
        for (tenant, mails) in of_tenants {
            let Some(conductor) = fleet.get(&tenant) else { continue };
            let (uids, mut mails): (Vec<u32>, Vec<Matched>) = mails.into_iter().unzip();
            // What each was written, so that a copy of it is told from their own words.
            let mut written = BTreeMap::<ClientId, Vec<String>>::new();
            for matched in &mut mails {
                let texts = written.entry(matched.client.clone());
                matched.sent = texts.or_insert_with(|| conductor.written_to(&matched.client)).clone();
            }
            let name = conductor.tenant().name.clone();
            match conductor.run(Command::TakeMails { mails }).await {
                Ok(text) => {
                    sorted.taken.insert(name, text);
                    settled.extend(uids);
                }
                Err(error) => {
                    first_left = first_left.into_iter().chain(uids).min();
                    sorted.waiting.insert(name, why(&error));
                }
            }
        }
        if !settled.is_empty() {
            self.inbox.settle(folder, cursor.uid_validity, &settled).await?;
        }
        let next_uid = first_left.unwrap_or(cursor.next_uid).min(cursor.next_uid);
        Ok(Cursor { next_uid, ..cursor })
    }
}

fn why(error: &RunError) -> String {
    match error {
        RunError::Refused(Refusal::Held(holder)) => format!("held by {holder}; read again later"),
        error => format!("{error}; read again later"),
    }
}

/// A mail that belongs to nobody, with a word on what it seems to be: a client who writes a fresh mail must be found.
fn stray(letter: Incoming, place: String, why: &str) -> Stray {
    let (name, email) = letter.from.clone().unwrap_or_default();
    let window = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    let (topic, zone) = (Topic::Window, &jiff::tz::TimeZone::UTC);
    let (revision, token, others) = (1, None, [].as_slice());
    let asked = Asked { topic, revision, present: 1, window, zone, token, name: &name, email: &email, others, sent: &[] };
    let seems = hear(&letter, &asked).verdict;
    let why = format!("{why}; reads as {}", seems.word());
    Stray { mail: letter.identity, at: Timestamp::now(), place, from: email, subject: letter.subject, why }
}

/// What a mail from a file means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// Whose it is: `tenant/client`.
    pub whose: Option<String>,
    /// What it says to what they were asked.
    pub heard: Option<Heard>,
    /// Why it is not taken for their own word as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Why it belongs to nobody.
    pub why: String,
}

/// Judges one raw mail against what was asked, as a look into the mailbox would. `of` takes it as a mail of this tenant's
/// client whatever it refers to. Changes nothing.
pub async fn judge(
    fleet: &Fleet,
    raw: &[u8],
    of: Option<(&str, &str)>,
    authserv_id: Option<&str>,
) -> anyhow::Result<Judged> {
    fleet.look_at_all(false).await?;
    let letter = read(raw.get(..LONGEST_MAIL).unwrap_or(raw), raw.len() <= LONGEST_MAIL);
    let (rotation, matched) = match of {
        Some((tenant, client)) => {
            let conductor = fleet.find(tenant)?;
            let rotation = conductor.rotation().ok_or_else(|| anyhow::anyhow!("{tenant} has no rotation"))?;
            let mut index = Index::new(authserv_id.map(str::to_owned));
            index.add(&rotation);
            let client = ClientId(client.to_owned());
            let matched = index.find(letter.clone()).ok().map(|(_, matched)| matched);
            let alone = Matched {
                client: client.clone(),
                notice: None,
                addressed: None,
                is_torn: false,
                vouched: index.vouched(&letter),
                sent: Vec::new(),
                letter,
            };
            (rotation, matched.filter(|matched| matched.client == client).unwrap_or(alone))
        }
        None => {
            let mut index = Index::new(authserv_id.map(str::to_owned));
            let rotations: Vec<_> = fleet.conductors().iter().filter_map(|conductor| conductor.rotation()).collect();
            rotations.iter().for_each(|rotation| index.add(rotation));
            match index.find(letter) {
                Err((_, why)) => return Ok(Judged { whose: None, heard: None, doubt: None, why: why.to_owned() }),
                Ok((tenant, matched)) => {
                    let rotation = rotations.into_iter().find(|rotation| rotation.tenant.id == tenant);
                    (rotation.ok_or_else(|| anyhow::anyhow!("its rotation is gone"))?, matched)
                }
            }
        }
    };
    let sent = fleet.get(&rotation.tenant.id).map(|conductor| conductor.written_to(&matched.client));
    let matched = Matched { sent: sent.unwrap_or_default(), ..matched };
    let whose = Some(format!("{}/{}", rotation.tenant.name, matched.client));
    let (heard, doubt) = rotation.judge_sender(&matched);
    Ok(Judged { whose, heard: Some(heard), doubt, why: String::new() })
}

/// What a mailbox tells whoever attends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostLine {
    /// Mails came.
    Came(Sorted),
    /// The mailbox can't be read; said once for the same fault.
    Fails(Fault),
    /// It can be read again.
    Again,
}

impl Post {
    /// Reads whenever something comes, for ever. It ends by being dropped: between two records nothing is lost.
    pub async fn attend(&self, fleet: &Fleet, say: &(dyn Fn(PostLine) + Send + Sync)) {
        let mut fault: Option<Fault> = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let found = match self.sort(fleet).await {
                Ok(sorted) => {
                    if fault.take().is_some() {
                        say(PostLine::Again);
                    }
                    let is_waiting = !sorted.waiting.is_empty();
                    if sorted.fetched > 0 {
                        say(PostLine::Came(sorted));
                    }
                    if is_waiting {
                        // Somebody holds a tenant: not long, and its mails stay where they are.
                        tokio::time::sleep(FIRST_PAUSE).await;
                        continue;
                    }
                    self.inbox.wait().await
                }
                Err(fault) => Err(fault),
            };
            match found {
                Ok(()) => pause = FIRST_PAUSE,
                Err(new) => {
                    if fault.as_ref().is_none_or(|old| old.message != new.message) {
                        say(PostLine::Fails(new.clone()));
                    }
                    fault = Some(new);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}
