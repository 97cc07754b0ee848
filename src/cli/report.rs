//! One rotation for the ticket: gathered here once, printed as JSON as it is, or as Markdown by `markdown`.
//!
//! A rotation that was rolled back, overridden or left half-done says so in its headline. What has no place of its own is
//! in the timeline, which holds every record.

mod case;
mod incidents;
mod markdown;
mod signed;

pub use case::{CaseLine, CaseReport};

use crate::domain::acknowledgement::{Acknowledgement, Waiver};
use crate::domain::step::{StepNumber, StepState};
use crate::domain::window::Window;

use crate::engine::audit::{Tables, Verdict};
use crate::engine::closing::Review;
use crate::engine::record::{Cause, Entry, Outcome, Record};
use crate::engine::review::Reviewed;
use crate::engine::rotation::{HandOver, Rotation};
use crate::engine::signing::Signing;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// One rotation in a list.
#[derive(Serialize)]
pub struct Line {
    rotation: String,
    planned: Timestamp,
    headline: String,
}

impl Line {
    /// The line of a rotation.
    pub fn of(rotation: &Rotation, four_eyes: Option<&Signing>) -> Self {
        let headline = headline(rotation, four_eyes.unwrap_or(&Signing::ByLogin));
        Self { rotation: rotation.id.0.clone(), planned: rotation.planned_at, headline }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  planned {}  {}", self.rotation, at(self.planned), self.headline)
    }
}

/// How it ended, in capitals; more than one word where one would hide something.
fn headline(rotation: &Rotation, signing: &Signing) -> String {
    let mut text = match &rotation.outcome {
        Some((outcome, _, _)) => outcome.word().to_uppercase(),
        None if rotation.rollback.is_some() => "ROLLING BACK, NOT FINISHED".to_owned(),
        None if rotation.step(StepNumber::RECONCILE).is_done() => {
            let all = rotation.clients.len();
            let back = rotation.clients.iter().filter(|client| rotation.back.contains_key(&client.id)).count();
            let waived = match all - rotation.not_back().len() - back {
                0 => String::new(),
                waived => format!(", {waived} WAIVED"),
            };
            format!("KEY LIVE, {back} OF {all} BACK{waived}, NOT FINISHED")
        }
        None if rotation.touched => "HALF-DONE, NOT FINISHED".to_owned(),
        None => "NOT FINISHED".to_owned(),
    };
    if let Some(why) = &rotation.despite {
        let what = rotation.ended_over.clone().unwrap_or_else(|| rotation.open_told());
        text.push_str(&format!(", BUT {what}: {why}"));
    }
    let ended_well = matches!(rotation.outcome, Some((Outcome::Rotated, _, _)));
    if ended_well && rotation.rollback.is_some() {
        text.push_str(" AFTER A ROLLBACK");
    }
    if rotation.emergency.is_some() {
        text.push_str(", GATE OVERRIDDEN BY AN EMERGENCY");
    }
    if rotation.open_review(signing).is_some() {
        text.push_str(", REVIEW OPEN");
    }
    text
}

/// The same, where the journal does not hold all that it held, or not as it was: so far as it goes.
fn told(headline: String, audit: Option<&Verdict>) -> String {
    match audit.is_some_and(|verdict| verdict.finding.is_some()) {
        true => format!("JOURNAL NOT INTACT, BY WHAT IS LEFT OF IT: {headline}"),
        false => headline,
    }
}

#[derive(Serialize)]
struct Step {
    number: u8,
    state: &'static str,
    at: Option<Timestamp>,
    detail: String,
}

#[derive(Serialize)]
struct ClientLine {
    id: String,
    name: String,
    /// What counted when the live secret was first touched; what counts now, where it was not.
    answer: Option<Acknowledgement>,
    /// What was said behind that, in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    said_since: Option<Acknowledgement>,
    waiver: Option<Waiver>,
    back_at: Option<Timestamp>,
    back_source: Option<&'static str>,
    back_note: String,
}

#[derive(Serialize)]
struct Key {
    role: &'static str,
    public_key: String,
    name: String,
    destroyed: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
    /// Step 8, which destroys it, was begun and has no end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_ending: bool,
}

/// Something that went wrong, or was unusual.
#[derive(Serialize)]
struct Incident {
    at: Timestamp,
    seq: Option<u64>,
    text: String,
}

/// Who did how much of it.
#[derive(Serialize)]
struct Actor {
    person: String,
    by: String,
    host: String,
    ssh: Option<String>,
    records: usize,
    first: Timestamp,
    last: Timestamp,
}

#[derive(Serialize)]
struct Moment {
    position: Option<i64>,
    hash: Option<String>,
    seq: u64,
    at: Timestamp,
    by: String,
    host: String,
    what: String,
}

#[derive(Serialize)]
struct Times {
    planned: Option<Timestamp>,
    confirmed: Option<Timestamp>,
    secret_replaced: Option<Timestamp>,
    /// Since it was live the same key was put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_replaced_again: Option<Timestamp>,
    live_on_server: Option<Timestamp>,
    finished: Option<Timestamp>,
    gap_ms: Option<f64>,
    /// When each earlier one had ended, and how long it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier_gaps_ms: Vec<(Timestamp, f64)>,
    /// Two secrets had the name for so long, where the new one was stored first.
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap_ms: Option<f64>,
    /// How it is known, or why not, where a run ended in it.
    gap_note: Option<String>,
    /// The same of those before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier_gap_notes: Vec<String>,
    /// The key may have been live since then: nobody had looked before `live_on_server`.
    live_not_before: Option<Timestamp>,
    /// None where nobody had looked.
    waited_for_server_ms: Option<u64>,
    /// Which of these moments were in the part of the journal that was lost.
    unknown: Vec<&'static str>,
}

/// Everything about one rotation.
#[derive(Serialize)]
pub struct Report {
    headline: String,
    rotation: String,
    tenant_id: String,
    tenant: String,
    /// The names of the environment under which it was worked on, first seen first.
    environments: Vec<String>,
    cause: Cause,
    reference: String,
    planned_by: String,
    window: Window,
    note: String,
    rollback: Option<String>,
    emergency: Option<Review>,
    rollback_review: Option<Review>,
    hand_over: Option<HandOver>,
    times: Times,
    steps: Vec<Step>,
    clients: Vec<ClientLine>,
    /// Whether the receiving mail server vouches for those who answered; none: no mailbox is read.
    senders_verified: Option<bool>,
    /// The places that were not asked before the second mail, by the policy of the configuration.
    second_mail_unasked: Vec<String>,
    keys: Vec<Key>,
    not_carried: Vec<String>,
    incidents: Vec<Incident>,
    actors: Vec<Actor>,
    /// By what a second operator is known, where one is asked for.
    four_eyes: Option<String>,
    /// Who has signed what, by the list of signers as it is now.
    signatures: Vec<signed::Signed>,
    /// What the audit says of the tenant's chain.
    audit: Option<Verdict>,
    timeline: Vec<Moment>,
    /// The records themselves.
    records: Vec<Entry>,
}

impl Report {
    /// Gathers the report. `four_eyes`: by what a second operator is known, where one is asked for; `lease_log` is the tenant's, `tables` all that is stored, for the places in the chain.
    pub fn new(
        rotation: &Rotation,
        entries: Vec<Entry>,
        lease_log: Vec<Entry>,
        tables: &Tables,
        audit: Option<Verdict>,
        senders_verified: Option<bool>,
        four_eyes: Option<&Signing>,
    ) -> Self {
        let signing = four_eyes.unwrap_or(&Signing::ByLogin);
        let mut reviews = rotation.reviews(signing).peekable();
        let replaced = |entry: &&Entry| matches!(entry.record, Record::Swapped(_));
        let seen_coming = rotation.applied.as_ref().filter(|applied| applied.unseen_since.is_none());
        let known = Known::of(rotation, &entries);
        let live = rotation.applied.as_ref().map(|applied| applied.at);
        let last = entries.iter().rev().find(replaced).map(|entry| entry.at);
        // What the server took was there before it did; a later one has put the same key back.
        let before = |entry: &&Entry| replaced(entry) && live.is_none_or(|live| entry.at <= live);
        let secret_replaced = entries.iter().rev().find(before).map(|entry| entry.at).or(last);
        let times = Times {
            planned: Some(rotation.planned_at).filter(|_| known.planned),
            confirmed: rotation.confirmed_at.filter(|_| known.confirmed),
            secret_replaced,
            secret_replaced_again: last.filter(|last| Some(*last) != secret_replaced),
            unknown: known.unknown(rotation, secret_replaced),
            live_on_server: rotation.applied.as_ref().map(|applied| applied.at),
            finished: rotation.outcome.as_ref().map(|(_, at, _)| *at),
            earlier_gaps_ms: earlier_gaps(rotation, &entries),
            gap_ms: rotation.gap_us.map(|us| us as f64 / 1000.0),
            overlap_ms: rotation.overlap_us.map(|us| us as f64 / 1000.0),
            gap_note: rotation.broken_gap.map(|gap| gap.to_string()),
            earlier_gap_notes: rotation.earlier_gaps.iter().map(ToString::to_string).collect(),
            live_not_before: rotation.applied.as_ref().and_then(|applied| applied.unseen_since),
            waited_for_server_ms: seen_coming.map(|applied| applied.waited_ms),
        };
        let places: BTreeMap<i64, (i64, &str)> = tables
            .records
            .iter()
            .filter(|row| row.rotation == rotation.id.0)
            .map(|row| (row.seq, (row.position, row.hash.as_str())))
            .collect();
        let moment = |entry: &Entry| {
            let place = i64::try_from(entry.seq).ok().and_then(|seq| places.get(&seq));
            Moment {
                position: place.map(|(position, _)| *position),
                hash: place.map(|(_, hash)| (*hash).to_owned()),
                seq: entry.seq,
                at: entry.at,
                by: entry.by.clone(),
                host: entry.host.clone(),
                what: entry.record.summary(),
            }
        };
        Self {
            headline: told(headline(rotation, signing), audit.as_ref()),
            rotation: rotation.id.0.clone(),
            tenant_id: rotation.tenant.id.to_string(),
            tenant: rotation.tenant.name.clone(),
            environments: environments(&entries),
            cause: rotation.cause,
            reference: rotation.reference.clone(),
            planned_by: if known.planned { rotation.planned_by.clone() } else { String::new() },
            window: rotation.window.clone(),
            note: rotation.outcome.as_ref().map(|(_, _, note)| note.clone()).unwrap_or_default(),
            rollback: rotation.rollback.as_ref().map(|rollback| {
                format!("to the {} key, decided {}: {}", rollback.role.word(), at(rollback.at), rollback.reason)
            }),
            emergency: reviews.next_if(|review| review.of == Reviewed::Emergency),
            rollback_review: reviews.next(),
            hand_over: rotation.hand_over.clone(),
            times,
            steps: steps(rotation),
            clients: clients(rotation, &entries),
            senders_verified,
            second_mail_unasked: rotation.unasked.clone(),
            keys: keys(rotation),
            not_carried: rotation.not_carried.clone(),
            incidents: incidents::incidents(rotation, &entries, &lease_log, signing),
            actors: actors(&entries),
            four_eyes: four_eyes.map(|signing| signing.words(Timestamp::now())),
            signatures: four_eyes.map(|signing| signed::signatures(rotation, &entries, signing)).unwrap_or_default(),
            audit,
            timeline: entries.iter().map(moment).collect(),
            records: entries,
        }
    }
}

/// What of the moments the journal has records of its own for: what was in a part that was lost, nobody knows any more.
struct Known {
    planned: bool,
    confirmed: bool,
}

impl Known {
    fn of(rotation: &Rotation, entries: &[Entry]) -> Self {
        // A case of which nothing was left is begun anew in one batch with what was found.
        let found = entries.iter().find(|entry| matches!(entry.record, Record::Recovered { .. }));
        let planned = found.is_none_or(|found| found.at != rotation.planned_at);
        let confirms = |entry: &Entry| matches!(entry.record, Record::RotateConfirmed { .. });
        let confirmed = entries.iter().any(|entry| Some(entry.at) == rotation.confirmed_at && confirms(entry));
        Self { planned, confirmed: confirmed || rotation.recovered.is_none() }
    }

    fn unknown(&self, rotation: &Rotation, replaced: Option<Timestamp>) -> Vec<&'static str> {
        let touched = rotation.recovered.is_some() && rotation.touched;
        let lost = [
            ("planned", !self.planned),
            ("rotate confirmed", touched && !self.confirmed),
            ("secret replaced", touched && replaced.is_none()),
        ];
        lost.into_iter().filter(|(_, is_lost)| *is_lost).map(|(what, _)| what).collect()
    }
}

/// All that were measured but the one that stands with the times.
fn earlier_gaps(rotation: &Rotation, entries: &[Entry]) -> Vec<(Timestamp, f64)> {
    let measured = entries.iter().filter_map(|entry| match &entry.record {
        Record::Swapped(swapped) => Some((entry.at, swapped.gap_us?)),
        _ => None,
    });
    let mut gaps: Vec<_> = measured.collect();
    gaps.pop_if(|(_, us)| Some(*us) == rotation.gap_us);
    gaps.into_iter().map(|(at, us)| (at, us as f64 / 1000.0)).collect()
}

fn steps(rotation: &Rotation) -> Vec<Step> {
    use crate::domain::step::StepState;
    let step = |number: StepNumber| {
        let state = rotation.step(number);
        let (at, detail) = match state {
            StepState::Done { at, evidence } => (Some(*at), evidence.clone()),
            StepState::Failed { at, fault } => (Some(*at), fault.to_string()),
            StepState::Running { since } | StepState::Interrupted { since } => (Some(*since), String::new()),
            _ => (None, String::new()),
        };
        // Whether somebody is at work on it still is not the journal's to say.
        let word = if matches!(state, StepState::Running { .. }) { "begun" } else { state.word() };
        Step { number: number.get(), state: word, at, detail }
    };
    StepNumber::ALL.into_iter().map(step).collect()
}

fn clients(rotation: &Rotation, entries: &[Entry]) -> Vec<ClientLine> {
    let at_touch = at_touch(entries);
    let line = |client: &crate::domain::client::Client| {
        let back = rotation.back.get(&client.id);
        let now = rotation.acknowledgements.get(&client.id).cloned();
        let (answer, said_since) = match &at_touch {
            None => (now, None),
            Some(then) => {
                let then = then.acknowledgements.get(&client.id).cloned();
                let since = now.filter(|now| then.as_ref() != Some(now));
                (then, since)
            }
        };
        ClientLine {
            id: client.id.0.clone(),
            name: client.name.clone(),
            answer,
            said_since,
            waiver: rotation.waivers.get(&client.id).cloned(),
            back_at: back.map(|back| back.at),
            back_source: back.map(|back| back.source.word()),
            back_note: back.map(|back| back.note.clone()).unwrap_or_default(),
        }
    };
    rotation.clients.iter().map(line).collect()
}

/// What stood when the live secret was first touched; none where that was not, or stands in no record of its own.
fn at_touch(entries: &[Entry]) -> Option<Rotation> {
    let mut first = None;
    for (at, entry) in entries.iter().enumerate() {
        match entry.record {
            Record::Touching { .. } => first = first.or(Some(at)),
            Record::NotTouched { .. } => first = None,
            _ => {}
        }
    }
    first.and_then(|first| Rotation::fold(&entries[..first]).ok())
}

fn keys(rotation: &Rotation) -> Vec<Key> {
    let verify = rotation.step(StepNumber::VERIFY);
    let is_ending = matches!(verify, StepState::Running { .. } | StepState::Interrupted { .. });
    let key = |(role, key): (&crate::domain::key::KeyRole, &crate::engine::rotation::KeptKey)| Key {
        role: role.word(),
        public_key: key.public_key.to_string(),
        name: key.name.clone(),
        destroyed: key.destroyed.clone(),
        gone: key.gone,
        is_ending,
    };
    rotation.keys.iter().map(key).collect()
}

fn environments(entries: &[Entry]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in entries.iter().filter_map(|entry| entry.environment.as_ref()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn actors(entries: &[Entry]) -> Vec<Actor> {
    let mut actors: Vec<Actor> = Vec::new();
    for entry in entries {
        let same = |actor: &&mut Actor| {
            actor.person == entry.person() && actor.by == entry.by && actor.host == entry.host && actor.ssh == entry.ssh
        };
        if let Some(actor) = actors.iter_mut().find(same) {
            actor.records += 1;
            actor.last = entry.at;
            continue;
        }
        actors.push(Actor {
            person: entry.person().to_owned(),
            by: entry.by.clone(),
            host: entry.host.clone(),
            ssh: entry.ssh.clone(),
            records: 1,
            first: entry.at,
            last: entry.at,
        });
    }
    actors
}

fn at(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
