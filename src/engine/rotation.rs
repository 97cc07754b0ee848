//! The state of one rotation: nothing but the fold of its journal.

use crate::domain::acknowledgement::{Acknowledgement, Waiver};
use crate::domain::client::{Client, ClientId, Places};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::Baseline;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::notice::{Delivery, Notice};
use crate::domain::notices::Notices;
use crate::domain::preflight::Preflight;
use crate::domain::secret_shape::SecretShape;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::Tenant;
use crate::domain::token::Topic;
use crate::domain::window::Window;
use crate::engine::acts::{Author, Rotator, Word};
use crate::engine::alerts::Silence;
use crate::engine::approval::Approval;
use crate::engine::gap::BrokenGap;
use crate::engine::hearing::Hearing;
use crate::engine::judging::Said;
pub use crate::engine::keys::KeptKey;
use crate::engine::mailbox::ReadMail;
use crate::engine::record::{self, BackSource, Cause, Entry, KeyLeft, Outcome, Record, RotationId, STARTING_TOUCHED};
pub use crate::engine::review::Emergency;
use crate::engine::truth::LiveWord;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// Which key will be live again.
    pub role: KeyRole,
    /// When it was decided, UTC.
    pub at: Timestamp,
}

/// The live key as first seen on the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// When we saw it, UTC.
    pub at: Timestamp,
    /// What every peer looked like in that reading.
    pub baseline: Baseline,
    /// From the start of step 6, ms.
    pub waited_ms: u64,
    /// Nobody had looked since then, UTC: so long it may have been there.
    pub unseen_since: Option<Timestamp>,
}

/// How we know that a client is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// The source.
    pub source: BackSource,
    /// When it was recorded, UTC.
    pub at: Timestamp,
    /// The stamp, or what the client said.
    pub note: String,
}

/// A hand-over to the next operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandOver {
    /// Who leaves.
    pub person: String,
    /// To whom; empty: to whoever comes.
    pub to: String,
    /// What the next one must know.
    pub note: String,
    /// When, UTC.
    pub at: Timestamp,
    /// Who has read and accepted it.
    pub accepted: Option<String>,
}

/// One rotation, folded.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The id.
    pub id: RotationId,
    /// The tenant as it was planned.
    pub tenant: Tenant,
    /// Number of the last record.
    pub seq: u64,
    /// Why it was planned.
    pub cause: Cause,
    /// Ticket or incident.
    pub reference: String,
    /// Who planned it.
    pub planned_by: String,
    /// When it was planned, UTC.
    pub planned_at: Timestamp,
    /// What the end before it has left.
    pub left_before: Option<KeyLeft>,
    /// The window in force.
    pub window: Window,
    /// Every window that there was, this one last.
    pub windows: Vec<Window>,
    /// Everybody who will be cut off, as last recorded.
    pub clients: Vec<Client>,
    /// Where each of them stands there.
    pub(super) places: Places,
    /// The places that know people and could not be asked at the last look, with why.
    pub unseen: Vec<String>,
    /// Why it is right that nobody is asked.
    pub nobody: Option<String>,
    /// All mails.
    pub notices: Notices,
    /// The last answer of each client.
    pub acknowledgements: BTreeMap<ClientId, Acknowledgement>,
    /// The mails of clients that were read, in the order of reading.
    pub mails: Vec<ReadMail>,
    /// The waivers.
    pub waivers: BTreeMap<ClientId, Waiver>,
    /// The last run of step 2.
    pub preflight: Option<Preflight>,
    /// Who ran it: what it says of their own connection concerns nobody else.
    pub checked_by: String,
    /// Checks of step 2 that an operator has set aside for this rotation.
    pub set_aside: BTreeMap<String, Said>,
    /// When rotate was confirmed, UTC.
    pub confirmed_at: Option<Timestamp>,
    /// The eight steps on the present leg (forward, or back after a rollback began).
    pub steps: [StepState; 8],
    /// How far the way forward had come when the rollback began.
    pub forward: Option<[StepState; 8]>,
    /// The rollback, if one began.
    pub rollback: Option<Rollback>,
    /// A request that changes the live secret was about to be sent: clients may feel it, and only a rollback leads back.
    pub touched: bool,
    /// The secret was about to be changed, and nothing says yet whether it was.
    pub touching: bool,
    /// What is known of the live secret.
    pub live: LiveWord,
    /// What stood when that was announced, and when, UTC.
    pub touched_as: Option<(Box<Rotation>, Timestamp)>,
    /// Keys kept in Barbican.
    pub keys: BTreeMap<KeyRole, KeptKey>,
    /// Keys of somebody else that stood under the live secret's name, and where they are kept.
    pub foreign: Vec<KeptKey>,
    /// The last key of somebody else that was found under the live secret's name since the check, and when, UTC.
    pub foreign_seen: Option<(PublicKey, Timestamp)>,
    /// Why there is no previous key, if there is none.
    pub previous_missing: Option<String>,
    /// Attributes of the secret before the rotation.
    pub shape: Option<SecretShape>,
    /// The measured gap of the present leg, µs.
    pub gap_us: Option<u64>,
    /// For how long two secrets had the name, where the new one was stored first, µs.
    pub overlap_us: Option<u64>,
    /// The key that a cancellation had kept as the last of it, and that was put back since.
    pub put_back: Option<PublicKey>,
    /// When the end was last asked for and refused, and why, as long as nothing was begun since.
    pub end_refused: Option<(Timestamp, String)>,
    /// What was written last of what others have changed behind the end, and how often such a thing was written.
    pub seen_since: Option<(usize, String)>,
    /// How many mails were taken in when a step was begun last: at the end, what was known when it was begun.
    pub heard_before_end: usize,
    /// Those of them that a person had not read then.
    pub unread_before_end: Vec<String>,
    /// What was open when it was ended all the same, in capitals.
    pub ended_over: Option<String>,
    /// What is known of the present leg's gap where a run ended in it.
    pub broken_gap: Option<BrokenGap>,
    /// Those before it, of this leg or an earlier one.
    pub earlier_gaps: Vec<BrokenGap>,
    /// From when to when a change of this rotation may have left the name empty, by the journal: each, the oldest first, UTC.
    pub empty: Vec<(Timestamp, Timestamp)>,
    /// What is known of the copy of the object's content of before the present leg.
    pub copy_word: super::keys::CopyWord,
    /// Attributes of the secret that could not be carried over.
    pub not_carried: Vec<String>,
    /// The live key on the interface, on the present leg.
    pub applied: Option<Applied>,
    /// Who is back, on the present leg.
    pub back: BTreeMap<ClientId, Back>,
    /// Gateway pings as reported: answered, when, note.
    pub pings: BTreeMap<ClientId, (bool, Timestamp, String)>,
    /// Who made the plan, then who changed its window, in their order.
    pub planners: Vec<Author>,
    /// Number of the record that set the window in force.
    pub window_seq: u64,
    /// The words of operators that bear on the gate, in their order.
    pub words: Vec<Word>,
    /// The second operator's approval.
    pub approval: Option<Approval>,
    /// The signature of who confirmed rotate, over the approved plan.
    pub rotator: Option<Rotator>,
    /// The sessions that have signed for this case: id and signature.
    pub sessions: BTreeMap<String, String>,
    /// A rollback that waits for its review, or had one.
    pub rollback_review: Option<Emergency>,
    /// The emergency, if one was declared.
    pub emergency: Option<Emergency>,
    /// The last hand-over.
    pub hand_over: Option<HandOver>,
    /// The silence of the expected alert, unless it was ended.
    pub silence: Option<Silence>,
    /// The end, when, and its note.
    pub outcome: Option<(Outcome, Timestamp, String)>,
    /// Why it was ended although step 7 was never done, or nobody has reconfigured.
    pub despite: Option<String>,
    /// Everybody's words in their order, and whose addresses count.
    pub hearing: Hearing,
    /// The places that were not asked before the second mail of this leg.
    pub unasked: Vec<String>,
    /// When it was gone on with after the end of its journal was lost, UTC.
    pub recovered: Option<Timestamp>,
}

impl Rotation {
    /// Folds a whole journal. Errors when the first record is not `Planned`, a number is missing, a record is newer than
    /// this program, or a change of state is not legal: then nothing may be done with it.
    pub fn fold(entries: &[Entry]) -> Result<Self, Fault> {
        let invalid = |text: String| Fault::new(Service::Journal, FaultKind::Invalid, text);
        let (first, rest) = entries.split_first().ok_or_else(|| invalid("the rotation has no records".into()))?;
        let mut rotation = Self::begin(first).ok_or_else(|| invalid("the first record is not a plan".into()))?;
        for entry in rest {
            rotation.check(entry).map_err(|why| invalid(format!("record {}: {why}", entry.seq)))?;
            rotation.apply(entry);
        }
        Ok(rotation)
    }

    /// The rotation that a `Planned` record begins.
    pub fn begin(first: &Entry) -> Option<Self> {
        let Record::Planned { rotation, tenant, window, cause, reference, left } = &first.record else { return None };
        Some(Self {
            id: rotation.clone(),
            tenant: tenant.clone(),
            seq: first.seq,
            cause: *cause,
            reference: reference.clone(),
            planned_by: first.by.clone(),
            planned_at: first.at,
            left_before: *left,
            window: window.clone(),
            windows: vec![window.clone()],
            clients: Vec::new(),
            places: Places::default(),
            unseen: Vec::new(),
            nobody: None,
            set_aside: BTreeMap::new(),
            notices: Notices::default(),
            acknowledgements: BTreeMap::new(),
            mails: Vec::new(),
            waivers: BTreeMap::new(),
            preflight: None,
            checked_by: String::new(),
            confirmed_at: None,
            steps: Default::default(),
            forward: None,
            rollback: None,
            touched: false,
            touching: false,
            live: LiveWord::default(),
            touched_as: None,
            keys: BTreeMap::new(),
            foreign: Vec::new(),
            foreign_seen: None,
            previous_missing: None,
            shape: None,
            gap_us: None,
            overlap_us: None,
            broken_gap: None,
            earlier_gaps: Vec::new(),
            empty: Vec::new(),
            end_refused: None,
            seen_since: None,
            heard_before_end: 0,
            unread_before_end: Vec::new(),
            ended_over: None,
            put_back: None,
            copy_word: Default::default(),
            not_carried: Vec::new(),
            applied: None,
            back: BTreeMap::new(),
            pings: BTreeMap::new(),
            planners: vec![Author::of(first)],
            window_seq: first.seq,
            words: Vec::new(),
            approval: None,
            rotator: None,
            sessions: BTreeMap::new(),
            rollback_review: None,
            emergency: None,
            hand_over: None,
            silence: None,
            outcome: None,
            despite: None,
            hearing: Hearing::default(),
            unasked: Vec::new(),
            recovered: None,
        })
    }

    /// Takes in one entry that [`Rotation::check`] permits.
    pub fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        self.seq = entry.seq;
        self.touching = entry.record.is_touching(self.touching);
        self.note_gap(entry);
        let before = self.live;
        self.live = before.after(entry, self.touched);
        self.note_empty(before, at);
        self.note_author(entry);
        match entry.record.clone() {
            Record::Planned { .. }
            | Record::TakenOver { .. }
            | Record::LeaseLost { .. }
            | Record::Case(_)
            | Record::PersonErased { .. } => {}
            Record::Noted { text } => self.note_found(&text),
            Record::Refused(refused) => {
                self.end_refused = (refused.act == "finish").then_some((at, refused.why)).or(self.end_refused.take());
            }
            Record::SecretLeft { gap_us, .. } => self.gap_us = gap_us.or(self.gap_us),
            Record::Rescheduled { window } => {
                self.windows.push(window.clone());
                let before = std::mem::replace(&mut self.window, window).revision;
                if entry.version > STARTING_TOUCHED {
                    self.not_confirmed();
                }
                self.renew(entry.seq, entry.version, before);
            }
            Record::PeopleSeen { clients, unseen } => {
                self.clients = match entry.version > STARTING_TOUCHED {
                    true => self.with_told(clients, unseen.is_empty()),
                    false => clients,
                };
                self.places = Places::of(&self.clients);
                self.unseen = unseen;
            }
            Record::CheckSetAside { check, reason } => {
                self.set_aside.insert(check, Said { reason, by: entry.by.clone(), at });
            }
            Record::NobodyWaived { reason } => self.nobody = Some(reason),
            Record::NoticeQueued { client, email, kind, revision, message_id } => {
                let delivery = Delivery::Queued;
                self.notices.queue(Notice { client, email, kind, revision, message_id, delivery, at });
            }
            Record::NoticeDelivery { message_id, delivery } => self.notices.stands(&message_id, delivery, at),
            Record::NoticeResolved { message_id, arrived, reason } => {
                let delivery = if arrived {
                    Delivery::Sent { reply: reason }
                } else {
                    Delivery::Failed { permanent: false, reply: reason }
                };
                self.notices.stands(&message_id, delivery, at);
            }
            Record::Answered { client, revision, answer, channel, note } => {
                let by = entry.by.clone();
                self.typed(Acknowledgement::recorded(client, revision, answer, channel, note, by, at));
            }
            Record::Waived { client, reason } => self.waive(Waiver { client, reason, by: entry.by.clone(), at }),
            Record::Checked { preflight } => {
                self.preflight = Some(preflight);
                self.checked_by = entry.person().to_owned();
            }
            Record::RotateConfirmed { signature, .. } => {
                self.confirmed_at = Some(at);
                self.confirm_rotate(Author::of(entry), signature);
            }
            Record::StepStarted { step } => {
                self.end_refused = None;
                self.heard_before_end = self.mails.len();
                self.unread_before_end = self.open_mails().map(|mail| mail.mail.clone()).collect();
                self.touched |= step == StepNumber::SECRET && entry.version <= STARTING_TOUCHED;
                self.steps[step.index()] = StepState::Running { since: at };
            }
            Record::StepSucceeded { step, evidence } => self.steps[step.index()] = StepState::Done { at, evidence },
            Record::StepFailed { step, fault } => self.steps[step.index()] = StepState::Failed { at, fault },
            Record::StepResolved { step, done, evidence } => {
                self.touched |= step == StepNumber::SECRET && done;
                self.steps[step.index()] = if done { StepState::Done { at, evidence } } else { StepState::Waiting };
            }
            Record::KeyKeeping { role, public_key, name } => {
                self.keys.insert(role, KeptKey::new(public_key, name, None));
            }
            Record::KeyKept { role, public_key, name, href } => {
                self.keys.insert(role, KeptKey::new(public_key, name, Some(href)));
            }
            Record::ForeignKept { public_key, name, href } => {
                self.foreign.push(KeptKey::new(public_key, name, Some(href)));
            }
            Record::PreviousMissing { why } => self.previous_missing = Some(why),
            Record::ShapeSeen { shape } => self.shape = Some(shape),
            Record::Swapped(record::Swapped { gap_us, not_carried, overlap_us, .. }) => {
                (self.gap_us, self.overlap_us) = (gap_us.or(self.gap_us), overlap_us.or(self.overlap_us));
                self.not_carried = not_carried;
            }
            Record::ObjectChanged(changed) => self.copy_word.not_kept = changed.not_kept,
            Record::Applied(record::Applied { baseline, waited_ms, unseen_since }) => {
                self.applied = Some(Applied { at, baseline, waited_ms, unseen_since });
            }
            Record::MailRead { client, mail, from, heard, notice, doubt } => {
                let mail = ReadMail { mail, client, from, heard, notice, at, decision: None, is_void: false, doubt };
                self.take_mail(mail, entry.seq, entry.version, &entry.by);
            }
            Record::MailDecided { mail, decision, note, .. } => {
                self.decided(&mail, decision, note, &entry.by, at, entry.version);
            }
            Record::ClientBack { client, source, note } => {
                self.void_mails(Topic::Back, Some((&client, self.mails.len())));
                self.back.insert(client, Back { source, at, note });
            }
            Record::GatewayPing { client, answered, note } => {
                self.pings.insert(client, (answered, at, note));
            }
            Record::RollbackStarted { reason, role, review_due, signature, .. } => {
                if let Some(due) = review_due {
                    self.review_rollback(entry, (reason.clone(), signature), due);
                }
                self.turn_back(reason, role, at);
            }
            Record::KeyDestroyed { role, answer, .. } => {
                if let Some(key) = self.keys.get_mut(&role) {
                    key.destroyed = Some(answer);
                    // Behind an end that had kept it: it was put back.
                    self.put_back = self
                        .outcome
                        .as_ref()
                        .map(|_| key.public_key)
                        .filter(|_| role == KeyRole::Previous)
                        .or(self.put_back);
                }
            }
            Record::Approved { digest, expires, note, scheme, signature } => {
                self.approve(entry, (digest, expires, note), scheme, signature);
            }
            Record::EmergencyDeclared { reason, review_due, covers, earlier, signature } => {
                // Whatever it was planned for: the previous key is never put back now.
                self.cause = Cause::Compromise;
                self.declare_emergency(entry, (reason, signature), review_due, covers, earlier);
            }
            Record::ReviewClosed { note, signature } => self.close_review(entry, note, signature),
            Record::SessionSigned { session, signature } => {
                // The first signature stands: nobody gives a session to somebody else afterwards.
                self.sessions.entry(session).or_insert(signature);
            }
            Record::HandedOver { to, note } => {
                self.hand_over = Some(HandOver { person: entry.person().to_owned(), to, note, at, accepted: None });
            }
            Record::HandOverAccepted => {
                if let Some(hand_over) = &mut self.hand_over {
                    hand_over.accepted = Some(entry.person().to_owned());
                }
            }
            Record::Silenced { id, until } => self.silence = Some(Silence { id, until }),
            Record::SilenceEnded { id, .. } => self.silence_ended(&id),
            Record::Touching { .. } => {
                let before = Self { touched_as: None, ..self.clone() };
                (self.touched, self.touched_as) = (true, Some((Box::new(before), at)));
            }
            Record::NotTouched { .. } => self.touched = false,
            Record::Finished { outcome, note, despite } => {
                self.ended_over = despite.as_ref().map(|_| self.open_told());
                (self.outcome, self.despite) = (Some((outcome, at, note)), despite);
            }
            Record::SenderAccepted { .. } | Record::DomainAccepted { .. } => self.accept_sender(entry),
            Record::TakenBack { what, .. } => self.withdraw(&what),
            Record::WaiverKept { client } => self.keep_waiver(&client),
            Record::Recovered { found, .. } => self.recover(entry, found),
            Record::KeyGone { role, instead, .. } => self.lose_key(role, instead),
            Record::CalledUnasked { places } => self.unasked = places,
            Record::ForeignSeen { public_key } => self.foreign_seen = Some((public_key, at)),
        }
    }

    /// State of one step on the present leg.
    pub fn step(&self, step: StepNumber) -> &StepState {
        &self.steps[step.index()]
    }

    /// Clients who are neither back nor waived on the present leg.
    pub fn not_back(&self) -> Vec<&Client> {
        let missing = |c: &&Client| !self.back.contains_key(&c.id) && !self.waivers.contains_key(&c.id);
        self.clients.iter().filter(missing).collect()
    }

    /// How this person's own connection runs through the tunnel, if the last check, run by them, has found that.
    pub fn own_route(&self, person: &str) -> Option<&str> {
        self.preflight.as_ref().filter(|_| self.checked_by == person)?.own_route()
    }

    /// The hand-over that `person` must read before they act: somebody else's, not accepted yet.
    pub fn unread_hand_over(&self, person: &str) -> Option<&HandOver> {
        self.hand_over.as_ref().filter(|hand_over| hand_over.accepted.is_none() && hand_over.person != person)
    }

    /// A client by id.
    pub fn client(&self, id: &ClientId) -> Option<&Client> {
        self.clients.get(self.places.of_id(id)?)
    }
}
