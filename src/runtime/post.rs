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
use crate::engine::journal::Holder;
use crate::engine::mail_store::{MailStore, Stray};
use crate::engine::mailbox::{Doubt, Index, Matched, Tally, UNKNOWN_TOKEN};
use crate::engine::ports::{Cursor, FolderReading, Inbox};
use crate::engine::record::Actor;
use crate::runtime::case::{Desk as CaseDesk, RunFault};
use crate::runtime::cases::Cases;
use crate::runtime::coming::Coming;
use crate::runtime::fleet::Fleet;
use crate::runtime::intake::Intake;
use crate::runtime::run::RunError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Mutex;

/// How many mails are fetched and taken in at once.
pub(super) const AT_ONCE: usize = 100;
/// A folder that was never read is read from the oldest open plan on, and never further back than this.
const FURTHEST_BACK: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So far may the clocks of two bastions and the mailbox be apart before an answer could be missed.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_hours(48);

/// From when on a folder is read that was never read, for what was planned at this moment. The plan's moment is by its
/// writer's clock, the mails' by the mailbox's: neither may hide an answer.
pub(super) fn read_since(planned: Option<Timestamp>) -> Timestamp {
    let now = Timestamp::now();
    let back = |from: Timestamp, by| from.saturating_sub(by).unwrap_or(Timestamp::UNIX_EPOCH);
    back(planned.unwrap_or(now).min(now), CLOCKS_DIFFER_BY).max(back(now, FURTHEST_BACK))
}

/// So long a tenant's mails wait for the end of its command before they are left to the next look.
const PATIENCE: Duration = Duration::from_secs(1);
/// So many mails that can't be taken in now are kept meanwhile; with more, nothing behind them is read.
const MOST_HELD: usize = 1_000;
/// So many of these may be mails of nobody we know, while a journal can't be read: it may be its. Anybody can write such.
const MOST_UNKNOWN: usize = 200;

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
    /// Tenants whose journal can't be read, and why: mails of theirs are kept waiting, everybody else's are taken in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unreadable: BTreeMap<String, String>,
    #[serde(skip)]
    tallies: BTreeMap<String, Tally>,
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
    /// For tenants that this process does not list.
    intake: Intake,
    /// Whose word on senders counts.
    authserv_id: Option<String>,
    /// A look has ended, well or not.
    looked: Arc<AtomicBool>,
    /// How often the mailbox has answered since the start.
    answers: Arc<AtomicU64>,
    /// The desks of subjects that are no tenants.
    desks: Arc<std::sync::RwLock<Vec<Weak<dyn CaseDesk>>>>,
    desk: Arc<Mutex<Desk>>,
}

/// What is known between two looks.
struct Desk {
    cases: Cases,
    /// By folder.
    ahead: HashMap<String, Ahead>,
}

/// How far a folder was read beyond mails that can't be taken in now, so that they hold up nobody else's.
#[derive(Default)]
struct Ahead {
    /// Where to read on.
    cursor: Option<Cursor>,
    /// The mails that wait, by UID. The stored cursor stays before the first of them.
    held: BTreeMap<u32, Incoming>,
}

impl Post {
    /// A mailbox that was not looked into yet.
    pub fn new(inbox: Arc<dyn Inbox>, store: Arc<dyn MailStore>, intake: Intake, authserv_id: Option<String>) -> Self {
        let cases = Cases::new(authserv_id.clone());
        let desk = Arc::new(Mutex::new(Desk { cases, ahead: HashMap::new() }));
        let (looked, answers, desks) = Default::default();
        Self { inbox, store, intake, authserv_id, looked, answers, desks, desk }
    }

    /// Mails to these go to their desks from now on.
    pub fn serves(&self, desks: &[Arc<dyn CaseDesk>]) {
        *self.desks.write().unwrap_or_else(PoisonError::into_inner) = desks.iter().map(Arc::downgrade).collect();
    }

    /// The same, for somebody else who works here.
    pub fn working_as(mut self, me: Holder, actor: Actor) -> Self {
        (self.intake.me, self.intake.actor) = (me, actor);
        self
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

    /// How often the mailbox has answered since the start: where this stands still, nothing comes.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Acquire)
    }

    /// Looks into every folder and takes in what is new.
    pub async fn sort(&self, fleet: &Fleet) -> Result<Sorted, Fault> {
        let mut desk = self.desk.lock().await;
        let mut sorted = Sorted::default();
        let looked = self.sort_folders(fleet, &mut desk, &mut sorted).await;
        self.looked.store(true, Ordering::Release);
        looked?;
        sorted.taken = sorted.tallies.iter().map(|(tenant, tally)| (tenant.clone(), tally.to_string())).collect();
        let unreadable = desk.cases.unreadable().iter();
        sorted.unreadable = unreadable.map(|(tenant, fault)| (desk.cases.name(tenant), fault.to_string())).collect();
        Ok(sorted)
    }

    async fn sort_folders(&self, fleet: &Fleet, desk: &mut Desk, sorted: &mut Sorted) -> Result<(), Fault> {
        for folder in self.inbox.folders() {
            let mut ahead = desk.ahead.remove(&folder).unwrap_or_default();
            let ended = self.sort_folder(fleet, &folder, &mut desk.cases, &mut ahead, sorted).await;
            // After a fault the folder is read again from what is settled: nothing that waited is lost.
            ended?;
            desk.ahead.insert(folder, ahead);
        }
        Ok(())
    }

    async fn sort_folder(
        &self,
        fleet: &Fleet,
        folder: &str,
        cases: &mut Cases,
        ahead: &mut Ahead,
        sorted: &mut Sorted,
    ) -> Result<(), Fault> {
        let furthest = Timestamp::now().saturating_sub(FURTHEST_BACK).unwrap_or(Timestamp::UNIX_EPOCH);
        let (mut is_first, mut coming) = (true, None::<Coming>);
        loop {
            let stored = self.cursor(folder).await?;
            ahead.follow(stored);
            let from = ahead.cursor.or(stored);
            let since = match from {
                Some(_) => furthest,
                None => {
                    cases.refresh(&*self.intake.store).await?;
                    read_since(cases.oldest_open())
                }
            };
            let read = match coming.take() {
                Some(coming) => coming.end(from).await,
                None => None,
            };
            let FolderReading { cursor, mails, more, .. } = match read {
                Some(reading) => reading?,
                None => self.read(folder, from, since).await?,
            };
            if ahead.cursor.is_some_and(|known| known.uid_validity != cursor.uid_validity) {
                // Numbered anew: what waited was read once more, or will be.
                ahead.held.clear();
            }
            sorted.fetched += mails.len();
            // What waits is tried once in a look.
            let waits = if is_first { std::mem::take(&mut ahead.held) } else { BTreeMap::new() };
            is_first = false;
            let mails: Vec<(u32, Incoming)> = waits.into_iter().chain(mails).collect();
            let is_read_on = more && from != Some(cursor) && ahead.held.len() + mails.len() <= MOST_HELD;
            coming = is_read_on.then(|| Coming::begin(cursor, self.read(folder, Some(cursor), furthest)));
            let left = self.take(fleet, folder, cursor.uid_validity, mails, cases, sorted).await?;
            ahead.held.extend(left);
            ahead.cursor = Some(cursor);
            let first = ahead.held.keys().next().copied().unwrap_or(cursor.next_uid);
            let settled = Cursor { next_uid: first.min(cursor.next_uid), ..cursor };
            if stored != Some(settled) {
                self.store.advance(&self.inbox.name(), folder, settled).await?;
            }
            if !more || from == Some(cursor) || ahead.held.len() > MOST_HELD {
                return Ok(());
            }
        }
    }

    /// The next mails of a folder.
    fn read(
        &self,
        folder: &str,
        from: Option<Cursor>,
        since: Timestamp,
    ) -> impl Future<Output = Result<FolderReading, Fault>> + Send + use<> {
        let (inbox, answers, folder) = (self.inbox.clone(), self.answers.clone(), folder.to_owned());
        async move {
            let reading = inbox.read(&folder, from, since, AT_ONCE).await?;
            answers.fetch_add(1, Ordering::AcqRel);
            Ok(reading)
        }
    }

    /// Takes mails in; gives those that must wait.
    async fn take(
        &self,
        fleet: &Fleet,
        folder: &str,
        uid_validity: u32,
        mails: Vec<(u32, Incoming)>,
        cases: &mut Cases,
        sorted: &mut Sorted,
    ) -> Result<BTreeMap<u32, Incoming>, Fault> {
        let mut left = BTreeMap::new();
        if mails.is_empty() {
            return Ok(left);
        }
        // What was sent since, by whichever process.
        cases.refresh(&*self.intake.store).await?;
        let mut strays = Vec::new();
        let (mut settled, mut of_tenants) = (Vec::new(), BTreeMap::<TenantId, Vec<(u32, Matched)>>::new());
        for (uid, letter) in mails {
            match cases.index().find(letter) {
                Ok((tenant, matched)) => of_tenants.entry(tenant).or_default().push((uid, matched)),
                Err((letter, why))
                    if why == UNKNOWN_TOKEN && !cases.unreadable().is_empty() && left.len() < MOST_UNKNOWN =>
                {
                    for (tenant, fault) in cases.unreadable() {
                        let why = format!("its journal can't be read, so that a mail may be its: {fault}");
                        sorted.waiting.insert(cases.name(tenant), why);
                    }
                    left.insert(uid, *letter);
                }
                Err((letter, why)) => {
                    let place = format!("{folder} {uid}");
                    strays.push(stray(*letter, place, why));
                    settled.push(uid);
                }
            }
        }
        if !strays.is_empty() {
            self.store.keep_strays(&self.inbox.name(), &strays).await?;
            sorted.strays += strays.len();
        }
        for (tenant, mails) in of_tenants {
            let name = cases.name(&tenant);
            let (uids, mut mails): (Vec<u32>, Vec<Matched>) = mails.into_iter().unzip();
            if let Some(conductor) = fleet.get(&tenant) {
                // What each was written, so that a copy of it is told from their own words; nobody may have looked at the tenant
                // yet. A journal that can't be read is met again when they are handed in.
                conductor.reload().await.ok();
                let mut written = BTreeMap::<ClientId, Vec<String>>::new();
                for matched in &mut mails {
                    let texts = written.entry(matched.client.clone());
                    matched.sent = texts.or_insert_with(|| conductor.copies_for(&matched.client)).clone();
                }
            }
            match self.hand_in(fleet, &tenant, mails.clone()).await {
                Ok(tally) => {
                    *sorted.tallies.entry(name).or_default() += tally;
                    settled.extend(uids);
                }
                Err(error) => {
                    left.extend(uids.into_iter().zip(mails.into_iter().map(|matched| matched.letter)));
                    sorted.waiting.insert(name, why(&error));
                }
            }
        }
        if !settled.is_empty() {
            self.inbox.settle(folder, uid_validity, &settled).await?;
        }
        Ok(left)
    }

    /// Gives a tenant its mails, whether this process lists it or not.
    async fn hand_in(&self, fleet: &Fleet, tenant: &TenantId, mails: Vec<Matched>) -> Result<Tally, RunError> {
        if tenant.is_subject() {
            return self.hand_to_desk(tenant, mails).await;
        }
        let identities: Vec<String> = mails.iter().map(|matched| matched.letter.identity.clone()).collect();
        let identities = identities.iter().map(String::as_str);
        let Some(conductor) = fleet.get(tenant) else {
            let (before, after) = self.intake.take(tenant, mails).await?;
            return Ok(Tally::of(identities, Some(&before), &after));
        };
        if tokio::time::timeout(PATIENCE, conductor.settled()).await.is_err() {
            // It reads the mailbox itself before it judges its gate; the others' mails don't wait for its end.
            return Err(Refusal::NotNow("a command is under way".into()).into());
        }
        let before = conductor.rotation();
        conductor.run(Command::TakeMails { mails }).await?;
        let Some(after) = conductor.rotation() else { return Ok(Tally::default()) };
        Ok(Tally::of(identities, before.as_deref(), &after))
    }
}

impl Post {
    /// The same of a subject that is no tenant.
    async fn hand_to_desk(&self, subject: &TenantId, mails: Vec<Matched>) -> Result<Tally, RunError> {
        let found = {
            let desks = self.desks.read().unwrap_or_else(PoisonError::into_inner);
            desks.iter().filter_map(Weak::upgrade).find(|desk| desk.key() == subject)
        };
        let none = || Refusal::NotNow(format!("{subject} is not configured here"));
        let desk = found.ok_or_else(none)?;
        desk.take_mails(mails).await.map_err(|fault| match fault {
            RunFault::Fault(fault) => RunError::Fault(fault),
            RunFault::Held(holder) => Refusal::Held(holder).into(),
            RunFault::Refused(refusal) => Refusal::NotNow(refusal.to_string()).into(),
        })
    }
}

impl Ahead {
    /// Somebody else may have read further, or the folder anew; what they have settled does not wait here.
    fn follow(&mut self, stored: Option<Cursor>) {
        let Some((known, stored)) = self.cursor.zip(stored) else {
            *self = Self::default();
            return;
        };
        if known.uid_validity != stored.uid_validity || known.next_uid < stored.next_uid {
            *self = Self::default();
        } else {
            self.held = self.held.split_off(&stored.next_uid);
        }
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
    let asked =
        Asked { topic, revision, present: 1, window, zone, token, name: &name, email: &email, others, sent: &[] };
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
    // Whose journal can't be read is asked nothing; the others are.
    let _ = fleet.read_all().await;
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
    let sent = fleet.get(&rotation.tenant.id).map(|conductor| conductor.copies_for(&matched.client));
    let matched = Matched { sent: sent.unwrap_or_default(), ..matched };
    let whose = Some(format!("{}/{}", rotation.tenant.name, matched.client));
    let (heard, doubt) = rotation.judge_sender(&matched);
    Ok(Judged { whose, heard: Some(heard), doubt, why: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_of_whoever_planned_hides_an_answer_in_a_folder_that_was_never_read() {
        let now = Timestamp::now();
        let hours = |hours| now.saturating_add(SignedDuration::from_hours(hours)).unwrap();
        for ahead in [0, 24, 24 * 365] {
            assert!(read_since(Some(hours(ahead))) <= hours(-47), "{ahead} h ahead");
        }
        assert!(read_since(Some(hours(-24))) <= hours(-71), "a day behind");
        assert!(read_since(Some(hours(-24 * 365))) >= hours(-24 * 61), "and never further back than it makes sense");
    }
}
