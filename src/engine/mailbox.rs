//! Incoming mails: to whose question each belongs, and what a rotation keeps of it. What a mail says is `domain::reply`'s.
//!
//! A mail belongs to a client by the Message-ID of ours that it refers to, by the token in the UID of its calendar part or
//! in the address that it was sent to; never by its sender or its subject.

use crate::domain::acknowledgement::{Acknowledgement, Answer, Channel};
use crate::domain::client::{Client, ClientId};
use crate::domain::letter::{Incoming, Report};
use crate::domain::notice::{Delivery, Notice};
use crate::domain::reply::{Asked, Heard, Means, Verdict, hear};
use crate::domain::tenant::TenantId;
use crate::domain::token::{Addressed, ReplyToken, Topic};
use crate::domain::window::zone_or_utc;
use crate::engine::record::BackSource;
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
}

impl ReadMail {
    /// A person must read it still.
    pub fn is_open(&self) -> bool {
        matches!(self.heard.verdict, Verdict::Unclear(_)) && self.decision.is_none() && !self.is_void
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
    /// The mail.
    pub letter: Incoming,
}

/// Knows the tokens and Message-IDs of many rotations.
#[derive(Debug, Default)]
pub struct Index {
    tokens: HashMap<ReplyToken, (TenantId, ClientId)>,
    mails: HashMap<String, (TenantId, ClientId)>,
}

impl Index {
    /// Takes in the mails of a rotation.
    pub fn add(&mut self, rotation: &Rotation) {
        for notice in &rotation.notices {
            let whose = (rotation.tenant.id.clone(), notice.client.clone());
            if let Some(token) = ReplyToken::in_id(&notice.message_id) {
                self.tokens.insert(token, whose.clone());
            }
            self.mails.insert(notice.message_id.clone(), whose);
        }
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
            let why =
                if tokens.is_empty() { "it refers to no mail of ours" } else { "its token is not known (any more)" };
            return Err((Box::new(letter), why));
        };
        let is_torn = found.iter().any(|whose| **whose != (tenant.clone(), client.clone()));
        let addressed = addressed.map(|addressed| (addressed.topic, addressed.revision));
        Ok((tenant, Matched { client, notice, addressed, is_torn, letter }))
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
        let told = |notice: &&Notice| matched.notice.as_ref() == Some(&notice.message_id);
        let notice = self.notices.iter().find(told);
        let (topic, revision) = match (notice, matched.addressed) {
            (Some(notice), _) => (notice.kind.topic(), notice.revision),
            (None, Some(said)) => said,
            // A calendar answer that refers to nothing: its SEQUENCE says the revision.
            (None, None) => (Topic::Window, 1),
        };
        let Some(client) = self.client(&matched.client) else {
            let verdict = Verdict::Unrelated("they are no client any more".into());
            let (marks, evidence, said_at) = (Vec::new(), Vec::new(), matched.letter.date);
            return Heard { verdict, topic, revision, means: Means::Headers, marks, evidence, said_at };
        };
        let other = |c: &&Client| c.id != client.id;
        let others: Vec<String> = self
            .clients
            .iter()
            .filter(other)
            .filter_map(|c| c.email.as_ref())
            .map(|email| email.to_lowercase())
            .collect();
        let zone = zone_or_utc(&self.window.zone);
        let ours = self.notices.iter().filter(|notice| notice.client == client.id);
        let token = ours.rev().find_map(|notice| ReplyToken::in_id(&notice.message_id));
        let email = client.email.clone().or_else(|| notice.map(|notice| notice.email.clone())).unwrap_or_default();
        let mut heard = hear(
            &matched.letter,
            &Asked {
                topic,
                revision,
                present: self.window.revision,
                window: (self.window.start, self.window.end),
                zone: &zone,
                token: token.as_ref(),
                name: &client.name,
                email: &email,
                others: &others,
            },
        );
        if matched.is_torn && !matches!(heard.verdict, Verdict::Automatic(_) | Verdict::Unrelated(_)) {
            heard.verdict = Verdict::Unclear("it refers to mails of different people".into());
        }
        heard
    }

    /// Whether this mail was taken in already.
    pub fn knows_mail(&self, mail: &str) -> bool {
        self.mails.iter().any(|known| known.mail == mail)
    }

    /// Mails that a person must read still.
    pub fn open_mails(&self) -> impl Iterator<Item = &ReadMail> {
        self.mails.iter().filter(|mail| mail.is_open())
    }

    /// Folds a mail that was read: an answer, a return, a bounce.
    pub(super) fn take_mail(&mut self, mail: ReadMail, by: &str) {
        let (client, at) = (mail.client.clone(), mail.at);
        let (topic, revision) = (mail.heard.topic, mail.heard.revision);
        match &mail.heard.verdict {
            Verdict::Bounced(why) => self.bounce(&client, mail.notice.as_deref(), revision, why, at),
            Verdict::Automatic(_) | Verdict::Unrelated(_) | Verdict::Delayed(_) => {}
            _ => self.reached(mail.notice.as_deref(), at),
        }
        let answer = match &mail.heard.verdict {
            Verdict::Confirmed => Some(Answer::Confirmed),
            Verdict::Declined => Some(Answer::Declined),
            Verdict::Tentative => Some(Answer::Tentative),
            Verdict::OtherTime(when) => Some(Answer::OtherTime(when.clone())),
            _ => None,
        };
        match (topic, answer) {
            (Topic::Window, Some(answer)) => {
                let note = mail.heard.marks.join("; ");
                let said_at = mail.heard.said_at;
                let (channel, by) = (Channel::Mailbox, by.to_owned());
                self.answered(Acknowledgement { client, revision, answer, channel, note, by, at, said_at });
            }
            (Topic::Back, Some(Answer::Confirmed)) if self.applied.is_some() && self.is_of_this_leg(&mail) => {
                let note = mail.heard.evidence.first().cloned().unwrap_or_default();
                self.void_mails(Topic::Back, Some(&client));
                self.back.entry(client).or_insert(Back { source: BackSource::Mail, at, note });
            }
            _ => {}
        }
        let is_void = topic == Topic::Window && revision < self.window.revision;
        self.mails.push(ReadMail { is_void, ..mail });
    }

    /// Folds what an operator made of a mail.
    pub(super) fn decide_mail(&mut self, id: &str, decision: Decision, note: String, by: &str, at: Timestamp) {
        let Some(index) = self.mails.iter().position(|mail| mail.mail == id) else { return };
        let (client, revision) = (self.mails[index].client.clone(), self.mails[index].heard.revision);
        self.mails[index].decision = Some(decision.clone());
        if revision < self.window.revision && self.mails[index].heard.topic == Topic::Window {
            return;
        }
        match decision {
            Decision::Answer(answer) => {
                let (channel, by) = (Channel::Mail, by.to_owned());
                self.answered(Acknowledgement { client, revision, answer, channel, note, by, at, said_at: None });
            }
            Decision::Back if self.applied.is_some() => {
                self.back.insert(client, Back { source: BackSource::Mail, at, note });
            }
            Decision::Back | Decision::NotBack | Decision::Nothing => {}
        }
    }

    /// An answer counts unless a later one is known: to a newer revision, or said later (mails overtake one another).
    pub(super) fn answered(&mut self, answer: Acknowledgement) {
        let is_older = self.acknowledgements.get(&answer.client).is_some_and(|known| {
            let said_before = answer.said_at.zip(known.said_at).is_some_and(|(new, old)| new < old);
            answer.revision < known.revision || (answer.revision == known.revision && said_before)
        });
        if !is_older {
            self.void_mails(Topic::Window, Some(&answer.client));
            self.acknowledgements.insert(answer.client.clone(), answer);
        }
    }

    /// A question of the way forward says nothing about the way back.
    fn is_of_this_leg(&self, mail: &ReadMail) -> bool {
        let asked = mail.notice.as_ref().and_then(|id| self.notices.iter().find(|notice| notice.message_id == *id));
        match (asked, &self.rollback) {
            (Some(notice), _) => self.on_leg(notice),
            (None, None) => true,
            (None, Some(rollback)) => mail.heard.said_at.is_some_and(|said| said >= rollback.at),
        }
    }

    /// Whoever answers a mail has got it.
    fn reached(&mut self, notice: Option<&str>, at: Timestamp) {
        let Some(id) = notice else { return };
        if let Some(notice) = self.notices.iter_mut().find(|notice| notice.message_id == id)
            && matches!(notice.delivery, Delivery::Uncertain { .. } | Delivery::Queued)
        {
            notice.delivery = Delivery::Sent { reply: "it was answered".into() };
            notice.at = at;
        }
    }

    fn bounce(&mut self, client: &ClientId, id: Option<&str>, revision: u32, why: &str, at: Timestamp) {
        let same = |notice: &&mut Notice| match id {
            Some(id) => notice.message_id == id,
            None => notice.client == *client && notice.revision == revision,
        };
        if let Some(notice) = self.notices.iter_mut().rev().find(same) {
            notice.delivery = Delivery::Bounced { reply: why.to_owned() };
            notice.at = at;
        }
    }

    /// The last mail of this leg in which the client says that they are not back, unless a later one says they are.
    pub fn not_back_by_word(&self, client: &ClientId) -> Option<&ReadMail> {
        let said = |mail: &&ReadMail| {
            let verdict = matches!(mail.heard.verdict, Verdict::Confirmed | Verdict::Declined);
            let decision = matches!(mail.decision, Some(Decision::Back | Decision::NotBack));
            mail.client == *client
                && mail.heard.topic == Topic::Back
                && (verdict || decision)
                && self.is_of_this_leg(mail)
        };
        self.mails
            .iter()
            .rfind(said)
            .filter(|mail| mail.heard.verdict == Verdict::Declined || mail.decision == Some(Decision::NotBack))
    }

    /// Clients of whom a mail waits to be read by a person.
    pub fn clients_to_read(&self) -> BTreeSet<ClientId> {
        self.open_mails().map(|mail| mail.client.clone()).collect()
    }

    /// A later answer stands for what was unclear before it.
    pub(super) fn void_mails(&mut self, topic: Topic, client: Option<&ClientId>) {
        let about =
            |mail: &&mut ReadMail| mail.heard.topic == topic && client.is_none_or(|client| mail.client == *client);
        self.mails.iter_mut().filter(about).for_each(|mail| mail.is_void = true);
    }
}
