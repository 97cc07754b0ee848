//! What is done to a case that broke off: what was running is interrupted when it is loaded, and where the end of its journal
//! is lost it goes on from what was found outside.
//!
//! Pure. Looking at everything is the runbook's, and what is lost `witness` says.

use crate::domain::client::ClientId;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::secret_shape::SecretShape;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::token::Topic;
use crate::domain::window::Window;
use crate::engine::ports::SecretRef;
use crate::engine::record::{Entry, Record, RotationId};
use crate::engine::reply_key::ReplyKey;
use crate::engine::rotation::{KeptKey, Rotation};
use crate::engine::truth::Live;
use crate::engine::witness::{Lost, Mailed};
use serde::{Deserialize, Serialize};

/// A key of the case, as it was found or not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundKey {
    /// Which.
    pub role: KeyRole,
    /// Its public half.
    pub public_key: PublicKey,
    /// The name under which it is kept.
    pub name: String,
    /// Where it is kept; none: it is not kept any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<SecretRef>,
}

/// What a look at everything has found of a case of which the end of the journal is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<FoundKey>,
    /// The attributes of the live secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<SecretShape>,
    /// The live secret was changed, or was about to be.
    pub touched: bool,
    /// Whether anything has the live secret's name.
    #[serde(default)]
    pub live: Live,
    /// The key of the way back, if one was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<KeyRole>,
    /// The window of which people were told last, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Another case was begun in the lost part: this one is only closed, and that one is to be recovered next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<RotationId>,
    /// In words.
    pub evidence: String,
}

/// What is kept under a name, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// How many secrets have the live name.
    pub count: usize,
    /// The live key, if there is exactly one secret and it holds one.
    pub live: Option<PublicKey>,
    /// It was stored after everything that the journal knows of it.
    pub is_younger: bool,
    /// The keys that are kept under names of their own.
    pub kept: Vec<FoundKey>,
    /// The attributes of the live secret.
    pub shape: Option<SecretShape>,
}

/// What follows from a look for an open case: what it goes on from, and whether it is over.
pub fn judge(rotation: &Rotation, lost: &Lost, looked: Looked) -> (Found, bool) {
    let seen = lost.seen().map(|seen| &seen.case).filter(|case| case.rotation == rotation.id);
    let kept = |role| looked.kept.iter().find(|key| key.role == role).map(|key| key.public_key);
    let known = |role| kept(role).or(rotation.keys.get(&role).map(|key| key.public_key));
    let (staged, previous) = (known(KeyRole::Staged), known(KeyRole::Previous));
    let is_other = looked.live.is_some() && previous.is_some() && looked.live != previous;
    let is_staged = looked.live.is_some() && looked.live == staged;
    let touched = rotation.touched
        || seen.is_some_and(|case| case.touched)
        || looked.count != 1
        || looked.is_younger
        || is_other
        || is_staged;
    let back = match &rotation.rollback {
        Some(_) => None,
        None if kept(KeyRole::Fresh).is_some() => Some(KeyRole::Fresh),
        // A key that was put back is younger, too.
        None => seen
            .and_then(|case| case.back)
            .or((looked.is_younger && looked.live.is_some() && looked.live == previous).then_some(KeyRole::Previous)),
    };
    let mut keys = looked.kept.clone();
    let mut knew = false;
    for (role, key) in rotation.keys.iter().filter(|(_, key)| key.href.is_some() && key.destroyed.is_none()) {
        knew = true;
        if kept(*role).is_none() {
            let (role, public_key, name) = (*role, key.public_key, key.name.clone());
            keys.push(FoundKey { role, public_key, name, href: None });
        }
    }
    let over = seen.is_some_and(|case| case.ended) || knew || touched;
    let is_over = looked.kept.is_empty() && over;
    // Of a key that is live and kept nowhere, the live secret itself is the proof.
    if let Some(public_key) = looked.live.filter(|_| touched && back.is_none() && staged.is_none() && is_other) {
        keys.push(FoundKey { role: KeyRole::Staged, public_key, name: String::new(), href: None });
    }
    let window = seen.and_then(|case| case.window.as_ref());
    let window = window.filter(|window| window.revision > rotation.window.revision).cloned();
    let evidence = format!(
        "{} of the live name{}, {} kept keys{}",
        match looked.count {
            0 => "NO secret".to_owned(),
            1 => "one secret".to_owned(),
            many => format!("{many} secrets"),
        },
        looked.live.map(|key| format!(" ({})", key.short())).unwrap_or_default(),
        looked.kept.len(),
        match (touched, is_over) {
            (_, true) => "; it has ended",
            (true, false) => "; the live secret was changed, or was about to be",
            (false, false) => "; the live secret is as it was",
        }
    );
    let live = if looked.count == 0 { Live::Missing } else { Live::There };
    (Found { keys, shape: looked.shape, touched, live, back, window, next: None, evidence }, is_over)
}

/// The mails of which the mail server may have had one in the lost part, as records: that they were being sent, and that nobody
/// knows what came of it. `mails`: as [`mailed`] gives them.
pub fn uncertain(rotation: &Rotation, mails: &[Vec<NoticeKind>; 2], key: &ReplyKey, domain: &str) -> Vec<Record> {
    let [forward, back] = mails;
    let of_leg = |kind: &NoticeKind| kind.topic() != Topic::Back || rotation.rollback.is_none();
    let kinds = forward.iter().filter(|kind| of_leg(kind)).chain(back);
    let mut records = Vec::new();
    for (kind, client) in kinds.flat_map(|kind| rotation.clients.iter().map(move |client| (*kind, client))) {
        let Some(email) = client.email.clone() else { continue };
        let last = rotation.notice(&client.id, kind).map(|notice| &notice.delivery);
        let is_asked_again = matches!(kind, NoticeKind::Reminder | NoticeKind::AreYouBack);
        if !is_asked_again && !matches!(last, None | Some(Delivery::Failed { .. } | Delivery::Bounced { .. })) {
            continue;
        }
        // On the way back a mail of the way forward was the first copy.
        let before = usize::from(rotation.rollback.is_some() && !of_leg(&kind) && forward.contains(&kind));
        let copy = before + copies(rotation, &client.id, kind);
        let message_id = key.message_id(rotation, &client.id, kind, copy, domain);
        let (client, revision) = (client.id.clone(), rotation.window.revision);
        records.push(Record::NoticeQueued { client, email, kind, revision, message_id: message_id.clone() });
        let why = "the end of the journal is lost: the mail server may have had it".to_owned();
        records.push(Record::NoticeDelivery { message_id, delivery: Delivery::Uncertain { why } });
    }
    records
}

/// How many mails of a kind were not surely refused: the number of the next copy.
fn copies(rotation: &Rotation, client: &ClientId, kind: NoticeKind) -> usize {
    let of_kind = rotation.notices.iter().filter(|notice| {
        notice.client == *client && notice.kind == kind && notice.revision == rotation.window.revision
    });
    of_kind.filter(|notice| !matches!(notice.delivery, Delivery::Failed { .. })).count()
}

/// The kinds that may have been sent in the lost part, on the way forward and on the way back.
pub fn mailed(rotation: &Rotation, lost: &Lost, found: &Found) -> [Vec<NoticeKind>; 2] {
    let Some(case) = lost.seen().map(|seen| &seen.case).filter(|case| case.rotation == rotation.id) else {
        let mut kinds = rotation.telling_kinds().to_vec();
        kinds.retain(|kind| *kind != NoticeKind::Change);
        let called = found.touched.then_some(NoticeKind::Reconfigure);
        let is_back = found.back.is_some() || rotation.rollback.is_some();
        return match is_back {
            true => [kinds, called.into_iter().collect()],
            false => [kinds.into_iter().chain(called).collect(), Vec::new()],
        };
    };
    let revision = found.window.as_ref().unwrap_or(&rotation.window).revision;
    let of_leg = |back: bool| {
        let of_it = |mailed: &&Mailed| mailed.back == back && mailed.revision == revision && mailed.seq > rotation.seq;
        case.mailed.iter().filter(of_it).map(|mailed| mailed.kind).collect()
    };
    [of_leg(false), of_leg(true)]
}

impl Rotation {
    /// Goes on from what was found.
    pub(super) fn recover(&mut self, entry: &Entry, found: Found) {
        let at = entry.at;
        self.recovered = Some(at);
        if let Some(window) = found.window.filter(|window| window.revision > self.window.revision) {
            self.windows.push(window.clone());
            let before = std::mem::replace(&mut self.window, window).revision;
            self.not_confirmed();
            self.renew(entry.seq, entry.version, before);
        }
        for FoundKey { role, public_key, name, href } in found.keys {
            let gone = href.is_none().then(|| "not kept any more when the journal was recovered".to_owned());
            self.keys.insert(role, KeptKey { destroyed: gone, ..KeptKey::new(public_key, name, href) });
        }
        self.shape = self.shape.take().or(found.shape);
        if !found.touched {
            return;
        }
        if !self.touched {
            let before = Self { touched_as: None, ..self.clone() };
            (self.touched, self.touched_as) = (true, Some((Box::new(before), at)));
        }
        self.confirmed_at.get_or_insert(at);
        if let Some(role) = found.back.filter(|_| self.rollback.is_none()) {
            self.turn_back("found begun when the end of the journal was lost".into(), role, at);
        }
        let target = self.target().is_some();
        for step in [StepNumber::ANNOUNCE, StepNumber::CHECK, StepNumber::STAGE] {
            let state = &mut self.steps[step.index()];
            let is_behind =
                step != StepNumber::STAGE && *state != StepState::Waiting || step == StepNumber::STAGE && target;
            if is_behind && !state.is_done() {
                let evidence = "before the change that was found when the journal was recovered".to_owned();
                *state = StepState::Done { at, evidence };
            }
        }
        let secret = &mut self.steps[StepNumber::SECRET.index()];
        if !secret.is_done() {
            // Resume looks what became of it.
            *secret = StepState::Interrupted { since: at };
        }
    }

    /// Turns what was running into interrupted, and what was being sent into uncertain. Called once when a journal is
    /// loaded by a process in which nothing of it can be running.
    pub fn interrupt(&mut self) {
        for step in &mut self.steps {
            if let StepState::Running { since } = *step {
                *step = StepState::Interrupted { since };
            }
        }
        self.notices.interrupt("changeguard ended before the mail server's answer was recorded");
    }
}
