//! What counts of each person's words, and in which order: the order of arrival. Kept statement by statement, so that what
//! an operator takes back is as if it had never been recorded.
//!
//! To whom a mail belongs and what it says is `mailbox`'s; whose addresses answer for a person is `senders`'.

mod withdrawal;

pub use withdrawal::Withdrawal;

use crate::domain::acknowledgement::{Acknowledgement, Answer, Channel, Waiver};
use crate::domain::client::ClientId;
use crate::domain::reply::Verdict;
use crate::domain::token::Topic;
use crate::engine::mailbox::{Decision, Doubt, ReadMail};
use crate::engine::record::BackSource;
use crate::engine::rotation::{Back, Rotation};
use crate::engine::senders::Senders;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The first version of records whose answers are ordered by arrival. Before it the sender's clock decided, and an older
/// journal must fold to what it folded to.
const BY_ARRIVAL: u32 = 4;
/// So many mails of one person and revision are journaled as they are; the next one stands for itself and all that follow.
pub const MOST_MAILS: usize = 50;

/// A waiver of an earlier window, which does not count for the present one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LapsedWaiver {
    /// The waiver.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// For which revision of the window it was given.
    pub revision: u32,
}

/// Two answers of one person whose written and arrived order contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArrivalConflict {
    /// Whose.
    pub client: ClientId,
    /// In words: which answer holds, and which does not.
    pub text: String,
}

/// Who decided what a mail means.
#[derive(Clone, Debug)]
struct Word {
    decision: Decision,
    note: String,
    by: String,
    at: Timestamp,
}

/// One statement of a client.
#[derive(Clone, Debug)]
enum Statement {
    /// Typed by an operator.
    Typed { answer: Acknowledgement, withdrawn: bool },
    /// A mail, by its place among the rotation's mails.
    Mail(usize),
    /// What an operator made of a mail, in a journal where that counted at its own moment.
    Late { mail: usize, answer: Acknowledgement, withdrawn: bool },
}

/// What is known of a mail besides what everybody sees.
#[derive(Clone, Debug)]
struct Meta {
    seq: u64,
    version: u32,
    by: String,
    word: Option<Word>,
    accepted: bool,
}

/// How many mails of one person and revision there are.
#[derive(Clone, Debug, Default)]
struct Bucket {
    count: usize,
    /// The last one that stands for others too.
    marker: Option<usize>,
}

/// The statements of everybody.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    of: BTreeMap<ClientId, Vec<Statement>>,
    meta: Vec<Meta>,
    known: HashMap<String, usize>,
    buckets: BTreeMap<(ClientId, u32), Bucket>,
    /// Number of the record that changed the window last, and of the last one since answers are ordered by arrival.
    rescheduled: u64,
    renewed: u64,
    waived: BTreeMap<ClientId, Vec<Waiver>>,
    /// Waivers of an earlier window.
    pub lapsed: BTreeMap<ClientId, LapsedWaiver>,
    /// Whose answers contradict the order in which they came.
    pub conflicts: BTreeMap<ClientId, String>,
    /// Whose addresses answer for whom.
    pub senders: Senders,
}

/// Which of two answers keeps the gate shut more surely.
fn strictness(answer: &Answer) -> u8 {
    match answer {
        Answer::Confirmed => 0,
        Answer::Tentative => 1,
        Answer::OtherTime(_) => 2,
        Answer::Declined => 3,
    }
}

fn answer_of(verdict: &Verdict) -> Option<Answer> {
    match verdict {
        Verdict::Confirmed => Some(Answer::Confirmed),
        Verdict::Declined => Some(Answer::Declined),
        Verdict::Tentative => Some(Answer::Tentative),
        Verdict::OtherTime(when) => Some(Answer::OtherTime(when.clone())),
        _ => None,
    }
}

fn written(answer: &Acknowledgement) -> Timestamp {
    answer.said_at.unwrap_or(answer.at)
}

impl Rotation {
    /// Whether this mail was taken in already.
    pub fn knows_mail(&self, mail: &str) -> bool {
        self.hearing.known.contains_key(mail)
    }

    /// A mail that was taken in.
    pub fn mail(&self, mail: &str) -> Option<&ReadMail> {
        self.hearing.known.get(mail).map(|at| &self.mails[*at])
    }

    /// A person's mails that were taken in, in their order.
    pub fn mails_of(&self, client: &ClientId) -> impl DoubleEndedIterator<Item = &ReadMail> {
        let said = self.hearing.of.get(client).into_iter().flatten();
        said.filter_map(|statement| match statement {
            Statement::Mail(at) => self.mails.get(*at),
            _ => None,
        })
    }

    /// Under which person and revision a mail is counted: a revision that they were never told is no bucket of its own.
    pub(super) fn bucket(&self, client: &ClientId, revision: u32) -> (ClientId, u32) {
        let told = self.notices.of(client).any(|notice| notice.revision == revision);
        (client.clone(), if told { revision } else { self.window.revision })
    }

    /// How many mails of this person and revision are journaled, and whether one of them stands for what follows and was
    /// not looked at yet.
    pub(super) fn counted(&self, bucket: &(ClientId, u32)) -> (usize, bool) {
        let Some(found) = self.hearing.buckets.get(bucket) else { return (0, false) };
        (found.count, found.marker.is_some_and(|at| self.mails[at].is_open()))
    }

    /// Takes in a mail that was read, and what it says to the window.
    pub(super) fn hear(&mut self, mail: ReadMail, seq: u64, version: u32, by: &str) {
        let (at, client) = (self.mails.len(), mail.client.clone());
        let bucket = self.bucket(&client, mail.heard.revision);
        let counted = self.hearing.buckets.entry(bucket).or_default();
        counted.count += 1;
        if counted.count > MOST_MAILS {
            counted.marker = Some(at);
        }
        self.hearing.known.insert(mail.mail.clone(), at);
        self.hearing.meta.push(Meta { seq, version, by: by.to_owned(), word: None, accepted: false });
        self.mails.push(mail);
        self.refresh(at);
        self.state(&client, Statement::Mail(at));
    }

    /// Takes in an answer that an operator has typed.
    pub(super) fn typed(&mut self, answer: Acknowledgement) {
        let client = answer.client.clone();
        self.state(&client, Statement::Typed { answer, withdrawn: false });
    }

    /// Takes in what an operator made of a mail.
    pub(super) fn decided(
        &mut self,
        id: &str,
        decision: Decision,
        note: String,
        by: &str,
        at: Timestamp,
        version: u32,
    ) {
        let Some(index) = self.hearing.known.get(id).copied() else { return };
        let (client, heard) = (self.mails[index].client.clone(), &self.mails[index].heard);
        let (topic, revision) = (heard.topic, heard.revision);
        self.mails[index].decision = Some(decision.clone());
        match (topic, decision) {
            (Topic::Window, decision) if version >= BY_ARRIVAL => {
                self.hearing.meta[index].word = Some(Word { decision, note, by: by.to_owned(), at });
                self.hear_again(&client);
            }
            (Topic::Window, Decision::Answer(answer)) if revision >= self.window.revision => {
                let (channel, by) = (Channel::Mail, by.to_owned());
                let answer = Acknowledgement {
                    read_at: Some(self.mails[index].at),
                    ..Acknowledgement::recorded(client.clone(), revision, answer, channel, note, by, at)
                };
                self.state(&client, Statement::Late { mail: index, answer, withdrawn: false });
            }
            (Topic::Back, Decision::Back) => self.is_back_by(client, at, note),
            (Topic::Back, Decision::NotBack) => self.is_not_back_by(&client),
            _ => {}
        }
    }

    /// An operator has read in a mail that a client is back: so it is, unless they have written since that they are not.
    fn is_back_by(&mut self, client: ClientId, at: Timestamp, note: String) {
        if self.applied.is_some() && self.not_back_by_word(&client).is_none() {
            self.back.insert(client, Back { source: BackSource::Mail, at, note });
        }
    }

    /// An operator has read in a mail that a client is not back: so it is unless a later word says otherwise.
    fn is_not_back_by(&mut self, client: &ClientId) {
        if self.not_back_by_word(client).is_some() {
            self.back.remove(client);
        }
    }

    /// The sender of a mail was accepted; its words count where it arrived.
    pub(super) fn accept(&mut self, id: &str, at: Timestamp) {
        let Some(index) = self.hearing.known.get(id).copied() else { return };
        self.hearing.meta[index].accepted = true;
        let client = self.mails[index].client.clone();
        self.refresh(index);
        match self.mails[index].heard.topic {
            Topic::Window => self.hear_again(&client),
            Topic::Back => self.back_by_mail(index, at),
        }
    }

    /// Whether a mail's sender was accepted for this one mail.
    pub(super) fn is_accepted(&self, id: &str) -> bool {
        self.hearing.known.get(id).is_some_and(|index| self.hearing.meta[*index].accepted)
    }

    /// Takes in a waiver.
    pub(super) fn waive(&mut self, waiver: Waiver) {
        self.hearing.lapsed.remove(&waiver.client);
        self.hearing.waived.entry(waiver.client.clone()).or_default().push(waiver.clone());
        self.waivers.insert(waiver.client.clone(), waiver);
    }

    /// A waiver of an earlier window counts for the present one.
    pub(super) fn keep_waiver(&mut self, client: &ClientId) {
        if let Some(LapsedWaiver { waiver, .. }) = self.hearing.lapsed.remove(client) {
            self.waive(waiver);
        }
    }

    /// Another window: what was said to the one before does not count for it, and was not said to this one.
    pub(super) fn renew(&mut self, seq: u64, version: u32, before: u32) {
        self.hearing.rescheduled = seq;
        self.void_mails(Topic::Window, None);
        if version < BY_ARRIVAL {
            return;
        }
        self.hearing.renewed = seq;
        let revision = self.window.revision;
        self.acknowledgements.retain(|_, answer| answer.revision < revision);
        self.hearing.conflicts.clear();
        self.hearing.waived.clear();
        for (client, waiver) in std::mem::take(&mut self.waivers) {
            self.hearing.lapsed.insert(client, LapsedWaiver { waiver, revision: before });
        }
    }

    /// A later answer stands for what was unclear before it: everybody's mails, or one person's before a place.
    pub(super) fn void_mails(&mut self, topic: Topic, of: Option<(&ClientId, usize)>) {
        let Some((client, before)) = of else {
            self.mails.iter_mut().filter(|mail| mail.heard.topic == topic).for_each(|mail| mail.is_void = true);
            return;
        };
        for statement in self.hearing.of.get(client).into_iter().flatten() {
            if let Statement::Mail(at) = statement
                && *at < before
            {
                self.mails[*at].is_void |= self.mails[*at].heard.topic == topic;
            }
        }
    }

    fn state(&mut self, client: &ClientId, statement: Statement) {
        let said = self.hearing.of.entry(client.clone()).or_default();
        said.push(statement);
        let last = said.len() - 1;
        self.weigh(client, last);
    }

    /// Everything that a client has said, from the first on.
    fn hear_again(&mut self, client: &ClientId) {
        self.acknowledgements.remove(client);
        self.hearing.conflicts.remove(client);
        let said = self.hearing.of.get(client).map_or(0, Vec::len);
        for at in 0..said {
            if let Some(Statement::Mail(mail)) = self.hearing.of.get(client).map(|said| &said[at]) {
                self.refresh(*mail);
            }
        }
        (0..said).for_each(|at| self.weigh(client, at));
    }

    /// What a mail says as its sender stands now, and whether the window that it answers is in force.
    fn refresh(&mut self, at: usize) {
        let meta = &self.hearing.meta[at];
        if let Some(doubt) = &self.mails[at].doubt {
            let verdict = match meta.accepted || self.is_settled(&self.mails[at].client, doubt, meta.seq) {
                true => doubt.otherwise.clone(),
                false => doubt.verdict(),
            };
            self.mails[at].heard.verdict = verdict;
        }
        if self.mails[at].heard.topic == Topic::Window {
            let is_old = self.mails[at].heard.revision < self.window.revision || meta.seq < self.hearing.rescheduled;
            self.mails[at].is_void = is_old;
        }
    }

    fn is_settled(&self, client: &ClientId, doubt: &Doubt, seq: u64) -> bool {
        let speaks = |address: &String| self.speaks_for(client, address, seq);
        doubt.unverified.is_none() && doubt.foreign.as_ref().is_none_or(speaks)
    }

    /// Lets one statement count after those before it.
    fn weigh(&mut self, client: &ClientId, at: usize) {
        let Some(statement) = self.hearing.of.get(client).and_then(|said| said.get(at)).cloned() else { return };
        match statement {
            Statement::Typed { withdrawn: true, .. } | Statement::Late { withdrawn: true, .. } => {}
            Statement::Typed { answer, .. } => self.count(answer, at, None),
            Statement::Late { answer, .. } => {
                if self.acknowledgements.get(client).is_none_or(|known| answer.revision >= known.revision) {
                    self.count(answer, at, None);
                }
            }
            Statement::Mail(mail) => self.weigh_mail(client, at, mail),
        }
    }

    fn weigh_mail(&mut self, client: &ClientId, at: usize, index: usize) {
        let (mail, meta) = (&self.mails[index], &self.hearing.meta[index]);
        let revision = mail.heard.revision;
        // Nobody can have answered a window before it was there.
        let is_early = meta.seq < self.hearing.renewed && revision >= self.window.revision;
        if mail.heard.topic != Topic::Window || is_early {
            return;
        }
        let said_at = mail.heard.said_at;
        let (answer, is_decided, version) = match &meta.word {
            Some(Word { decision: Decision::Answer(answer), note, by, at }) => {
                let (answer, note, by, channel) = (answer.clone(), note.clone(), by.clone(), Channel::Mail);
                (
                    Acknowledgement {
                        said_at,
                        read_at: Some(mail.at),
                        read_as: Some(meta.seq),
                        ..Acknowledgement::recorded(client.clone(), revision, answer, channel, note, by, *at)
                    },
                    true,
                    0,
                )
            }
            Some(_) => return,
            None => {
                let Some(answer) = answer_of(&mail.heard.verdict) else { return };
                let (note, by, channel) = (mail.heard.marks.join("; "), meta.by.clone(), Channel::Mailbox);
                let at = mail.at;
                let answer = Acknowledgement {
                    said_at,
                    read_as: Some(meta.seq),
                    ..Acknowledgement::recorded(client.clone(), revision, answer, channel, note, by, at)
                };
                (answer, false, meta.version)
            }
        };
        let Some(holds) = self.acknowledgements.get(client) else {
            let since = (!is_decided && version >= BY_ARRIVAL).then(|| written(&answer));
            return self.count(answer, at, since);
        };
        if answer.revision < holds.revision {
            return;
        }
        if is_decided || answer.revision > holds.revision {
            return self.count(answer, at, None);
        }
        if version < BY_ARRIVAL {
            let said_before = answer.said_at.zip(holds.said_at).is_some_and(|(new, old)| new < old);
            if !said_before {
                self.count(answer, at, None);
            }
            return;
        }
        self.in_order(answer, at);
    }

    /// Of two answers to one revision the later one holds; where it was written before the other one, the stricter.
    fn in_order(&mut self, answer: Acknowledgement, at: usize) {
        let client = answer.client.clone();
        let Some(holds) = self.acknowledgements.get(&client) else { return };
        let contradicts = written(&answer) < written(holds);
        let differs = answer.answer != holds.answer;
        let wins = !contradicts || strictness(&answer.answer) >= strictness(&holds.answer);
        let words = |stays: &Answer, goes: &Answer| {
            format!(
                "two answers contradict the order in which they came: {} holds, {} does not; ask them",
                stays.word(),
                goes.word()
            )
        };
        let conflict = match wins {
            true => words(&answer.answer, &holds.answer),
            false => words(&holds.answer, &answer.answer),
        };
        if contradicts && differs {
            self.hearing.conflicts.insert(client.clone(), conflict);
        } else if !contradicts {
            self.hearing.conflicts.remove(&client);
        }
        if wins {
            let since = Some(written(&answer));
            self.insert(answer, at, since);
        }
    }

    fn count(&mut self, answer: Acknowledgement, at: usize, since: Option<Timestamp>) {
        self.hearing.conflicts.remove(&answer.client);
        self.insert(answer, at, since);
    }

    /// An answer holds: what was unclear before it is settled, unless it was written after it.
    fn insert(&mut self, answer: Acknowledgement, at: usize, since: Option<Timestamp>) {
        let before = self.hearing.of.get(&answer.client).map_or(&[][..], |said| &said[..at]);
        for statement in before {
            let Statement::Mail(mail) = statement else { continue };
            let mail = &mut self.mails[*mail];
            let is_before = since.zip(mail.heard.said_at).is_none_or(|(since, said)| said <= since);
            if mail.heard.topic == Topic::Window && is_before {
                mail.is_void = true;
            }
        }
        self.acknowledgements.insert(answer.client.clone(), answer);
    }
}

impl Hearing {
    /// Answers whose order is contradictory.
    pub fn arrival_conflicts(&self) -> Vec<ArrivalConflict> {
        let conflict =
            |(client, text): (&ClientId, &String)| ArrivalConflict { client: client.clone(), text: text.clone() };
        self.conflicts.iter().map(conflict).collect()
    }
}
