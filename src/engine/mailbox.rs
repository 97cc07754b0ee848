//! Incoming mails: to whose question each belongs, and what a rotation keeps of it. What a mail says is `domain::reply`'s.
//!
//! A mail belongs to a client by the Message-ID of ours that it refers to, by the token in the UID of its calendar part or
//! in the address that it was sent to; never by its sender or its subject.

mod tally;
mod vouched;

pub use tally::Tally;
pub use vouched::Vouched;

use crate::domain::acknowledgement::Answer;
use crate::domain::address::mailbox_of;
use crate::domain::client::{Client, ClientId};
use crate::domain::letter::{Incoming, Report};
use crate::domain::notice::{Delivery, Notice};
use crate::domain::reply::{Asked, Heard, Means, Verdict, foreign_sender, hear};
use crate::domain::tenant::TenantId;
use crate::domain::token::{Addressed, ReplyToken, Topic};
use crate::domain::window::zone_or_utc;
use crate::engine::hearing::MOST_MAILS;
use crate::engine::record::{BackSource, Outcome, Record};
use crate::engine::rotation::{Back, Rotation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// What an operator made of a mail that the program could not judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "decision", content = "proposal")]
pub enum Decision {
    /// It is this answer to the window.
    Answer(Answer),
    /// They are back.
    Back,
    /// They are not back.
    NotBack,
    /// It says nothing.
    Nothing,
}

impl Decision {
    /// The words on the screen.
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Answer(answer) => answer.word(),
            Decision::Back => "back",
            Decision::NotBack => "not back",
            Decision::Nothing => "says nothing",
        }
    }
}

/// A mail of a client, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadMail {
    /// What recognises it.
    pub mail: String,
    /// Whose.
    pub client: ClientId,
    /// The sender's address.
    pub from: String,
    /// What it says.
    #[serde(flatten)]
    pub heard: Heard,
    /// The mail of ours that it refers to.
    pub notice: Option<String>,
    /// When it was read, UTC.
    pub at: Timestamp,
    /// What an operator made of it.
    pub decision: Option<Decision>,
    /// A later answer or another window has made it void.
    pub is_void: bool,
    /// Why it was not taken for the client's own word as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// Why a mail is not taken for the client's own word as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The address that answered in place of the one that was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<String>,
    /// The receiving mail server does not vouch for its sender: what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// What it says, if its sender is accepted.
    pub otherwise: Verdict,
}

impl Doubt {
    /// What it counts for until its sender is accepted.
    pub fn verdict(&self) -> Verdict {
        let foreign = self.foreign.as_ref().map(|address| format!("answered from another address: {address}"));
        let unverified = self.unverified.as_ref().map(|why| format!("its sender is not verified: {why}"));
        let why: Vec<String> = foreign.into_iter().chain(unverified).collect();
        Verdict::Unclear(why.join("; "))
    }
}

impl ReadMail {
    /// A person must read it still.
    pub fn is_open(&self) -> bool {
        matches!(self.heard.verdict, Verdict::Unclear(_)) && self.decision.is_none() && !self.is_void
    }

    /// The mail at this place must be read still. `from`: [`Rotation::read_from`].
    pub fn is_to_read(&self, at: usize, from: (usize, usize)) -> bool {
        at >= from.0 && self.is_open() || at >= from.1 && self.complains()
    }

    /// It says that it does not work, and nobody has said what that means. Behind an end nothing else tells of it.
    pub fn complains(&self) -> bool {
        self.heard.verdict == Verdict::Declined && self.heard.topic == Topic::Back && self.decision.is_none()
    }
}

/// A mail with the client to whom it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Whose.
    pub client: ClientId,
    /// The mail of ours that it refers to, by its Message-ID.
    pub notice: Option<String>,
    /// What its reply address says: the question and the revision.
    pub addressed: Option<(Topic, u32)>,
    /// It refers to mails of different people.
    pub is_torn: bool,
    /// Whether the receiving mail server vouches for its sender.
    pub vouched: Vouched,
    /// What was written to the client, as [`Asked::sent`]; filled in by whoever can write those mails once more.
    pub sent: Vec<String>,
    /// The mail.
    pub letter: Incoming,
}

/// Why a mail belongs to nobody that looks as if it belonged to somebody.
pub const UNKNOWN_TOKEN: &str = "its token is not known (any more)";

/// Knows the tokens and Message-IDs of many rotations.
#[derive(Debug, Default)]
pub struct Index {
    tokens: HashMap<ReplyToken, (TenantId, ClientId)>,
    mails: HashMap<String, (TenantId, ClientId)>,
    authserv_id: Option<String>,
}

impl Index {
    /// An empty one. Only what the mail server of this authserv-id says of senders counts; without it nothing is asked.
    pub fn new(authserv_id: Option<String>) -> Self {
        Self { authserv_id, ..Self::default() }
    }

    /// Takes in the mails of a rotation.
    pub fn add(&mut self, rotation: &Rotation) {
        for notice in &rotation.notices {
            self.enter(&rotation.tenant.id, &notice.message_id, &notice.client);
        }
    }

    /// Takes in mails of ours by their Message-IDs.
    pub fn know(&mut self, tenant: &TenantId, mails: &[(String, ClientId)]) {
        mails.iter().for_each(|(id, client)| self.enter(tenant, id, client));
    }

    /// Knows none any more.
    pub fn clear(&mut self) {
        self.tokens.clear();
        self.mails.clear();
    }

    fn enter(&mut self, tenant: &TenantId, id: &str, client: &ClientId) {
        let whose = (tenant.clone(), client.clone());
        if let Some(token) = ReplyToken::in_id(id) {
            self.tokens.insert(token, whose.clone());
        }
        self.mails.insert(id.to_owned(), whose);
    }

    /// To which tenant and client a mail belongs, or why to none.
    pub fn find(&self, letter: Incoming) -> Result<(TenantId, Matched), (Box<Incoming>, &'static str)> {
        let reported = match &letter.report {
            Some(Report::Delivery { message_id, .. }) => message_id.as_deref(),
            _ => None,
        };
        let referred: Vec<&str> = reported.into_iter().chain(letter.references.iter().map(String::as_str)).collect();
        let notice = referred.iter().find(|id| self.mails.contains_key(**id)).map(|id| (*id).to_owned());
        let addressed = letter.recipients.iter().find_map(|to| Addressed::in_address(to));
        let bounced = letter.recipients.iter().filter_map(|to| returned(to));
        let in_ids = letter.calendar.iter().map(|part| part.uid.as_str()).chain(referred.iter().copied());
        let tokens: Vec<ReplyToken> = in_ids
            .filter_map(ReplyToken::in_id)
            .chain(addressed.iter().map(|addressed| addressed.token.clone()))
            .chain(bounced)
            .collect();
        let known = notice.iter().filter_map(|id| self.mails.get(id));
        let found: Vec<&(TenantId, ClientId)> =
            known.chain(tokens.iter().filter_map(|token| self.tokens.get(token))).collect();
        let Some((tenant, client)) = found.first().map(|whose| (*whose).clone()) else {
            let why = if tokens.is_empty() { "it refers to no mail of ours" } else { UNKNOWN_TOKEN };
            return Err((Box::new(letter), why));
        };
        let is_torn = found.iter().any(|whose| **whose != (tenant.clone(), client.clone()));
        let addressed = addressed.map(|addressed| (addressed.topic, addressed.revision));
        let vouched = self.vouched(&letter);
        Ok((tenant, Matched { client, notice, addressed, is_torn, vouched, sent: Vec::new(), letter }))
    }
}

/// The token of a return address (`…+b-<token>@…`), to which bounces go.
fn returned(address: &str) -> Option<ReplyToken> {
    let (local, _) = address.rsplit_once('@')?;
    ReplyToken::parse(local.rsplit_once('-')?.1)
}

impl Rotation {
    /// What a mail says to what was asked of its client.
    pub fn judge_mail(&self, matched: &Matched) -> Heard {
        self.judge_sender(matched).0
    }

    /// The same, with what it would say if its sender were accepted, where that is in doubt.
    pub fn judge_sender(&self, matched: &Matched) -> (Heard, Option<Doubt>) {
        let notice = matched.notice.as_ref().and_then(|id| self.notices.get(id));
        let (topic, revision) = match (notice, matched.addressed) {
            (Some(notice), _) => (notice.kind.topic(), notice.revision),
            (None, Some(said)) => said,
            // A calendar answer that refers to nothing: its SEQUENCE says the revision.
            (None, None) => (Topic::Window, 1),
        };
        let Some(client) = self.client(&matched.client) else {
            let verdict = Verdict::Unrelated("they are no client any more".into());
            let (marks, evidence, said_at) = (Vec::new(), Vec::new(), matched.letter.date);
            return (Heard { verdict, topic, revision, means: Means::Headers, marks, evidence, said_at }, None);
        };
        let own = self.written_to(&client.id);
        let zone = zone_or_utc(&self.window.zone);
        let token = self.notices.of(&client.id).rev().find_map(|notice| ReplyToken::in_id(&notice.message_id));
        let email = client.email.clone().or_else(|| notice.map(|notice| notice.email.clone())).unwrap_or_default();
        // Of the others' addresses those count that the mail names. Two clients may share a mailbox; the token says who of them
        // is meant.
        let is_others = |address: &String| {
            let mut with_it = self.places.with_address(address).filter_map(|place| self.clients.get(place));
            with_it.any(|other| other.id != client.id) && !own.contains(&mailbox_of(address))
        };
        let attendees = matched.letter.calendar.iter().flat_map(|part| part.attendees.iter());
        let named =
            matched.letter.from.iter().map(|(_, address)| address).chain(attendees.map(|one| &one.email)).cloned();
        let others: Vec<String> = named.chain([email.to_lowercase()]).filter(is_others).collect();
        let asked = Asked {
            topic,
            revision,
            present: self.window.revision,
            window: (self.window.start, self.window.end),
            zone: &zone,
            token: token.as_ref(),
            name: &client.name,
            email: &email,
            others: &others,
            sent: &matched.sent,
        };
        let speaks = |address: &str| self.speaks_for(&client.id, address, self.seq.saturating_add(1));
        let letter = called(&matched.letter, &email, &|address| own.contains(&mailbox_of(address)));
        let (mut heard, foreign) = (hear(&letter, &asked), foreign_sender(&letter, &email));
        if let Some(why) = self.not_to_us(matched, &heard, &client.id) {
            heard.verdict = Verdict::Unclear(why);
            heard.revision = heard.revision.min(self.window.revision);
            return (heard, None);
        }
        let unverified = match &matched.vouched {
            Vouched::No(why) => Some(why.clone()),
            _ => None,
        };
        if !heard.is_word() || (foreign.is_none() && unverified.is_none()) {
            return (heard, None);
        }
        if let Some(other) = foreign.as_ref().filter(|address| others.contains(address)) {
            let verdict = Verdict::Unclear(format!("{other} is another client"));
            return (Heard { verdict, ..heard }, None);
        }
        // As if whoever answered were the one who was asked.
        let accepted =
            hear(&called(&matched.letter, &email, &|address| others.iter().all(|other| other != address)), &asked);
        // What a program says needs no right to speak.
        if !accepted.is_word() {
            return (accepted, None);
        }
        heard = accepted;
        let doubt = Doubt { foreign, unverified, otherwise: heard.verdict.clone() };
        match doubt.foreign.as_deref().filter(|address| doubt.unverified.is_none() && speaks(address)) {
            Some(address) => heard.marks.push(format!("answered from {address}, which is accepted as theirs")),
            None => heard.verdict = doubt.verdict(),
        }
        (heard, Some(doubt))
    }

    /// Why a mail with words says nothing to what we asked, whoever wrote it.
    fn not_to_us(&self, matched: &Matched, heard: &Heard, client: &ClientId) -> Option<String> {
        if !heard.is_word() {
            return None;
        }
        if matched.is_torn {
            return Some("it refers to mails of different people".into());
        }
        if matched.letter.from.is_none() && !matches!(heard.verdict, Verdict::Unclear(_)) {
            return Some("nobody is named as its sender".into());
        }
        let mut ours = self.notices.of(client).peekable();
        ours.peek()?;
        // What replies to another mail, and only quotes or is addressed as ours, agrees to that one. A calendar's answer
        // names its invitation by UID, whatever it refers to.
        let is_found = matched.notice.is_some() || matched.addressed.is_some();
        let token = ours.clone().find_map(|notice| ReplyToken::in_id(&notice.message_id));
        let is_ours = |id: &String| {
            self.notices.get(id).is_some() || ReplyToken::in_id(id).is_some_and(|found| Some(found) == token)
        };
        let first = matched.letter.references.first();
        if heard.means != Means::Calendar && is_found && first.is_some_and(|id| !is_ours(id)) {
            return Some("answers another mail than ours".into());
        }
        let revision = heard.revision;
        let is_sent = ours.any(|notice| notice.revision == revision);
        (!is_sent).then(|| format!("answers revision {revision} of the window, which was never sent to them"))
    }

    /// The record of a mail that has come: none if it is journaled already, or if one that is to be read by a person
    /// stands for it, since that many came. Callers take one mail after the other, each judged after the one before.
    pub fn record_of(&self, matched: Matched) -> Option<Record> {
        let mail = matched.letter.identity.clone();
        if self.knows_mail(&mail) {
            return None;
        }
        let (mut heard, mut doubt) = self.judge_sender(&matched);
        // Whatever address it came to: behind the change nobody declines a window any more, and some say that it does not work.
        let is_late = self.touched && heard.topic == Topic::Window && heard.means != Means::Calendar;
        if is_late && heard.is_word() && heard.verdict != Verdict::Confirmed && doubt.is_none() {
            if !matches!(heard.verdict, Verdict::Unclear(_)) {
                heard.verdict = Verdict::Unclear("it answers the window, and the key has been changed since".into());
            }
            heard.topic = Topic::Back;
        }
        let (count, is_waiting) = self.counted(&self.bucket(&matched.client, heard.revision));
        if count >= MOST_MAILS && is_waiting {
            return None;
        }
        if count >= MOST_MAILS {
            let why = format!(
                "{MOST_MAILS} mails of theirs to this window are journaled; this one and those behind it are not, and may \
                 say anything: ask them"
            );
            (heard.verdict, heard.topic, doubt) = (Verdict::Unclear(why), Topic::Window, None);
            (heard.revision, heard.marks, heard.evidence) = (self.window.revision, Vec::new(), Vec::new());
        }
        // As a quotation, which no other text in the journal is taken for.
        heard.evidence.iter_mut().for_each(|line| *line = format!("> {line}"));
        let from = matched.letter.from.map(|(_, address)| address).unwrap_or_default();
        Some(Record::MailRead { client: matched.client, mail, from, heard, notice: matched.notice, doubt })
    }

    /// From which of the mails on a person must read still what is open, and from which on what says that it does not work: behind an
    /// end those that nobody had when it was begun, for of the others the end was asked; behind a cancellation none.
    pub fn read_from(&self) -> (usize, usize) {
        let all = self.mails.len();
        match self.outcome {
            None => (0, all),
            Some((Outcome::Rotated | Outcome::RolledBack, ..)) => (0, self.heard_before_end),
            Some(_) => (all, all),
        }
    }

    /// Mails that a person must read still, behind an end, too.
    pub fn to_read(&self) -> impl Iterator<Item = &ReadMail> {
        let from = self.read_from();
        self.mails.iter().enumerate().filter(move |(at, mail)| mail.is_to_read(*at, from)).map(|(_, mail)| mail)
    }

    /// Mails that a person must read still.
    pub fn open_mails(&self) -> impl Iterator<Item = &ReadMail> {
        self.mails.iter().filter(|mail| mail.is_open())
    }

    /// Folds a mail that was read: an answer, a return, a bounce.
    pub(super) fn take_mail(&mut self, mail: ReadMail, seq: u64, version: u32, by: &str) {
        let (client, at, revision) = (mail.client.clone(), mail.at, mail.heard.revision);
        match &mail.heard.verdict {
            Verdict::Bounced(why) => self.bounce(&client, mail.notice.as_deref(), revision, why, (at, seq)),
            Verdict::Automatic(_) | Verdict::Unrelated(_) | Verdict::Delayed(_) => {}
            _ => self.reached(mail.notice.as_deref(), at),
        }
        let is_back = mail.heard.topic == Topic::Back;
        self.hear(mail, seq, version, by);
        if is_back {
            self.back_by_mail(self.mails.len() - 1, at);
        }
    }

    /// A client who answers that it works is back; one who answers that it does not is not back any more, whatever had shown it before.
    pub(super) fn back_by_mail(&mut self, index: usize, at: Timestamp) {
        let mail = &self.mails[index];
        if mail.heard.topic != Topic::Back || self.applied.is_none() || !self.is_of_this_leg(mail) {
            return;
        }
        let (client, note) = (mail.client.clone(), mail.heard.evidence.first().cloned().unwrap_or_default());
        match mail.heard.verdict {
            Verdict::Confirmed => {
                self.void_mails(Topic::Back, Some((&client, index)));
                self.back.entry(client).or_insert(Back { source: BackSource::Mail, at, note });
            }
            Verdict::Declined => _ = self.back.remove(&client),
            _ => {}
        }
    }

    /// Who has written since the end was begun that they are not back, and nothing says that they are since.
    pub fn cut_off_by_word(&self) -> impl Iterator<Item = (&Client, &ReadMail)> {
        // Or before it, and nobody had read it then.
        let is_late = |mail: &ReadMail| {
            let late = self.mails.iter().skip(self.heard_before_end).map(|late| &late.mail);
            late.chain(&self.unread_before_end).any(|late| *late == mail.mail)
        };
        let is_over = matches!(self.outcome, Some((Outcome::Rotated | Outcome::RolledBack, ..)));
        let missing = self.clients.iter().filter(move |client| is_over && !self.back.contains_key(&client.id));
        missing
            .filter_map(|client| Some((client, self.not_back_by_word(&client.id)?)))
            .filter(move |(_, mail)| is_late(mail))
    }

    /// A question of the way forward says nothing about the way back.
    fn is_of_this_leg(&self, mail: &ReadMail) -> bool {
        let asked = mail.notice.as_ref().and_then(|id| self.notices.get(id));
        match (asked, &self.rollback) {
            (Some(notice), _) => self.on_leg(notice),
            (None, None) => true,
            (None, Some(rollback)) => mail.heard.said_at.is_some_and(|said| said >= rollback.at),
        }
    }

    /// Whoever answers a mail has got it.
    fn reached(&mut self, notice: Option<&str>, at: Timestamp) {
        let Some(id) = notice else { return };
        let open = |notice: &&Notice| matches!(notice.delivery, Delivery::Uncertain { .. } | Delivery::Queued);
        if self.notices.get(id).filter(open).is_some() {
            self.notices.stands(id, Delivery::Sent { reply: "it was answered".into() }, at);
        }
    }

    fn bounce(&mut self, client: &ClientId, id: Option<&str>, revision: u32, why: &str, (at, seq): (Timestamp, u64)) {
        let last = || self.notices.of(client).rfind(|notice| notice.revision == revision);
        let id = id.map(str::to_owned).or_else(|| last().map(|notice| notice.message_id.clone()));
        if let Some(id) = id {
            self.notices.bounces(&id, why.to_owned(), at, seq);
        }
    }

    /// The last mail of this leg in which the client says that they are not back, unless a later one says they are.
    pub fn not_back_by_word(&self, client: &ClientId) -> Option<&ReadMail> {
        let said = |mail: &&ReadMail| {
            let verdict = matches!(mail.heard.verdict, Verdict::Confirmed | Verdict::Declined);
            let decision = matches!(mail.decision, Some(Decision::Back | Decision::NotBack));
            mail.heard.topic == Topic::Back && (verdict || decision) && self.is_of_this_leg(mail)
        };
        self.mails_of(client).rfind(said).filter(|mail| match mail.decision {
            Some(Decision::Back) => false,
            Some(Decision::NotBack) => true,
            _ => mail.heard.verdict == Verdict::Declined,
        })
    }

    /// Clients of whom a mail waits to be read by a person.
    pub fn clients_to_read(&self) -> BTreeSet<ClientId> {
        self.open_mails().map(|mail| mail.client.clone()).collect()
    }
}

/// The letter with the client's address in place of those that `is_theirs`.
fn called(letter: &Incoming, email: &str, is_theirs: &dyn Fn(&str) -> bool) -> Incoming {
    let mut letter = letter.clone();
    let theirs = |address: &mut String| {
        if is_theirs(address) {
            *address = email.to_lowercase();
        }
    };
    letter.from.iter_mut().for_each(|(_, address)| theirs(address));
    for attendee in letter.calendar.iter_mut().flat_map(|part| part.attendees.iter_mut()) {
        theirs(&mut attendee.email);
    }
    letter
}
