//! What may be done for a tenant without a person: the decision of `watch`, a pure function of what the journal and the
//! last look say. And what has changed between two looks, a line each.
//!
//! A person has started whatever is gone on with here: a rotation is never begun, turned back, finished or decided.

use crate::domain::step::{StepNumber, StepState};
use crate::engine::machine::lost_target;
use crate::engine::rotation::Rotation;
use crate::engine::status::{Phase, TenantStatus};
use crate::engine::truth::{self, Live};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE_S: i64 = 15;
/// The longest pause.
const LONGEST_PAUSE_S: i64 = 15 * 60;

/// How often this process has gone on with the same step of the same rotation, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// How often.
    pub times: u32,
    /// When last, UTC.
    pub last: Option<Timestamp>,
}

/// What is decided upon.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The tenant's newest rotation, folded; what nobody is at work on is interrupted in it.
    pub rotation: Option<&'a Rotation>,
    /// Somebody else with a living lease is at work.
    pub held: bool,
    /// How many secrets have the tenant's name, and when that was seen.
    pub secrets: Option<(Timestamp, usize)>,
    /// What was tried before.
    pub tried: Tried,
    /// Now, UTC.
    pub now: Timestamp,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tending {
    /// Nothing.
    Leave,
    /// Only a person leads on; why.
    Person(String),
    /// Resume: it looks, and goes on with the same key and the same mails.
    Resume {
        /// With which step.
        step: StepNumber,
        /// Why.
        why: String,
        /// Not before this moment, UTC.
        not_before: Option<Timestamp>,
    },
}

/// Decides what may be done.
pub fn tend(facts: &Facts<'_>) -> Tending {
    let Some(rotation) = facts.rotation.filter(|rotation| rotation.outcome.is_none() && !facts.held) else {
        return Tending::Leave;
    };
    let interrupted = StepNumber::ALL.into_iter().find(|n| matches!(rotation.step(*n), StepState::Interrupted { .. }));
    if let Some(step) = interrupted {
        // Resume probes this step and no other, so it decides.
        return interrupted_at(rotation, step, facts);
    }
    if !rotation.touched {
        return Tending::Leave;
    }
    if rotation.is_target_lost() {
        return Tending::Person(lost_target(rotation));
    }
    let run = [StepNumber::STAGE, StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE];
    match run.into_iter().find(|step| !rotation.step(*step).is_done()) {
        Some(step) => unfinished_at(rotation, step, facts),
        None => settled(rotation, facts),
    }
}

fn interrupted_at(rotation: &Rotation, step: StepNumber, facts: &Facts<'_>) -> Tending {
    let person = |why: &str| Tending::Person(format!("step {step} was interrupted: {why}"));
    match step {
        StepNumber::STAGE | StepNumber::SECRET | StepNumber::OBJECT | StepNumber::RECONCILE if rotation.touched => {
            resume(step, format!("step {step} was interrupted"), None, facts)
        }
        StepNumber::RECONFIGURE if rotation.touched => resume(step, "its mails were interrupted".into(), None, facts),
        // Whoever left it behind wrote what must be read before anybody is mailed.
        StepNumber::ANNOUNCE if rotation.hand_over.as_ref().is_some_and(|left| left.accepted.is_none()) => {
            person("and it was handed over: read the note and accept it")
        }
        StepNumber::ANNOUNCE if rotation.emergency.is_some() => person("an emergency goes on in its operator's hands"),
        // After its mails a resume would go on to the rotation itself, if that was confirmed before.
        StepNumber::ANNOUNCE if rotation.confirmed_at.is_none() => match facts.now >= rotation.window.end {
            true => person("and its window is over"),
            false => resume(step, "its mails were interrupted".into(), None, facts),
        },
        StepNumber::VERIFY => person("finish again"),
        _ => person("nothing was touched; whoever rotates goes on, or cancels"),
    }
}

fn unfinished_at(rotation: &Rotation, step: StepNumber, facts: &Facts<'_>) -> Tending {
    let StepState::Failed { at, fault } = rotation.step(step) else {
        return resume(step, format!("step {step} was not begun"), None, facts);
    };
    let missing = truth::live(Some(rotation), facts.secrets) == Live::Missing;
    if missing && step == StepNumber::SECRET {
        // Storing the same key again can only help, whatever refused it.
        return resume(step, format!("SECRET MISSING: {}", fault.message), Some(*at), facts);
    }
    match fault.is_passing() {
        true => {
            resume(step, format!("step {step} failed with what may have passed: {}", fault.message), Some(*at), facts)
        }
        false => Tending::Person(format!("step {step} failed: {}; {}", fault.message, fault.remedy())),
    }
}

/// Steps 3 to 6 are done. A secret that is gone nevertheless (a late DELETE has landed) is put back; another key there is
/// somebody's act, and a person's to judge.
fn settled(rotation: &Rotation, facts: &Facts<'_>) -> Tending {
    let StepState::Done { at, .. } = rotation.step(StepNumber::SECRET) else { return Tending::Leave };
    match facts.secrets {
        Some((seen, 0)) if seen > *at => {
            resume(StepNumber::SECRET, "SECRET MISSING: no secret has the tenant's name any more".into(), None, facts)
        }
        _ => Tending::Leave,
    }
}

fn resume(step: StepNumber, why: String, failed: Option<Timestamp>, facts: &Facts<'_>) -> Tending {
    Tending::Resume { step, why, not_before: not_before(facts.tried, failed) }
}

/// Before which moment nothing is tried again; `failed`: when it failed last, by the journal.
pub fn not_before(tried: Tried, failed: Option<Timestamp>) -> Option<Timestamp> {
    let pause = (FIRST_PAUSE_S << tried.times.saturating_sub(1).min(16)).min(LONGEST_PAUSE_S);
    let after = |last: Timestamp| last.checked_add(SignedDuration::from_secs(pause)).unwrap_or(last);
    tried.last.max(failed).map(after)
}

/// Whether the silence of the expected alert was left open: nobody is at work on the steps for which it was made.
pub fn is_silence_left(facts: &Facts<'_>) -> bool {
    let open = facts.rotation.filter(|rotation| rotation.silence.is_some());
    open.is_some_and(|rotation| !facts.held && !rotation.is_alert_expected())
}

/// Something that has changed, for a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// In words.
    pub text: String,
}

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A record was written.
    Record,
    /// Somebody took or gave back the tenant.
    Holder,
    /// Something needs attention.
    Attention,
    /// It does not any more.
    Over,
    /// Another action is offered.
    Next,
}

/// What has changed. At the first look only what is under way or needs attention is told.
pub fn changes(before: Option<&TenantStatus>, now: &TenantStatus) -> Vec<Change> {
    let mut found = Vec::new();
    let mut add = |kind, text: String| found.push(Change { kind, text });
    if let Some(before) = before {
        let same = before.rotation == now.rotation;
        let known = before.journal.last().filter(|_| same).map_or(0, |line| line.seq);
        for line in now.journal.iter().filter(|line| line.seq > known) {
            add(ChangeKind::Record, format!("{} {} ({})", line.seq, line.text, line.by));
        }
    }
    // The heartbeat changes all the time and means nothing here.
    let who = |status: &TenantStatus| status.holder.as_ref().map(ToString::to_string);
    match (before.and_then(who), who(now)) {
        (before, Some(now)) if before.as_ref() != Some(&now) => add(ChangeKind::Holder, format!("held by {now}")),
        (Some(_), None) => add(ChangeKind::Holder, "nobody holds it any more".into()),
        _ => {}
    }
    let had = |item: &String| before.is_some_and(|before| before.attention.contains(item));
    for item in now.attention.iter().filter(|item| !had(item)) {
        add(ChangeKind::Attention, item.clone());
    }
    for item in before.iter().flat_map(|before| &before.attention).filter(|item| !now.attention.contains(item)) {
        add(ChangeKind::Over, item.clone());
    }
    let next_before = before.map(|before| &before.next);
    if next_before != Some(&now.next) && (before.is_some() || now.phase != Phase::Idle) {
        add(ChangeKind::Next, now.next.text.clone());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::{Client, ClientId};
    use crate::domain::fault::{Fault, FaultKind, Service};
    use crate::domain::key::KeyRole;
    use crate::domain::notice::NoticeKind;
    use crate::domain::preflight::{KeyAgreement, Preflight};
    use crate::domain::tenant::{Tenant, TenantId};
    use crate::domain::window::Window;
    use crate::engine::record::{Cause, Entry, Outcome, RECORD_VERSION, Record, RotationId};

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-11-24T22:00:00Z".parse().unwrap();
        Timestamp::from_second(start.as_second() + minute * 60).unwrap()
    }

    /// A rotation of these records, one a minute; loaded by a process in which nothing of it runs.
    fn rotation(records: &[Record]) -> Rotation {
        let tenant = Tenant { id: TenantId::new("t1").unwrap(), name: "acme".into(), server: None, gateway: None };
        let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap();
        let (cause, reference) = (Cause::Scheduled, String::new());
        let plan = Record::Planned { rotation: RotationId("r1".into()), tenant, window, cause, reference, left: None };
        let entry = |(record, seq): (Record, u64)| Entry {
            seq,
            version: RECORD_VERSION,
            at: at(seq as i64 - 1),
            by: "op".into(),
            host: "h".into(),
            person: None,
            ssh: None,
            session: None,
            unproven: false,
            environment: None,
            record,
        };
        let mut touched = false;
        let records = records.iter().flat_map(|record| {
            let begins = *record == begun(StepNumber::SECRET) && !std::mem::replace(&mut touched, true);
            std::iter::once(record.clone())
                .chain(begins.then_some(Record::Touching { step: StepNumber::SECRET, store_first: false }))
        });
        let entries: Vec<Entry> = std::iter::once(plan).chain(records).zip(1..).map(entry).collect();
        let mut rotation = Rotation::fold(&entries).unwrap();
        rotation.interrupt();
        rotation
    }

    fn begun(step: StepNumber) -> Record {
        Record::StepStarted { step }
    }

    fn done(step: StepNumber) -> [Record; 2] {
        [begun(step), Record::StepSucceeded { step, evidence: String::new() }]
    }

    fn failed(step: StepNumber, kind: FaultKind) -> [Record; 2] {
        [begun(step), Record::StepFailed { step, fault: Fault::new(Service::Barbican, kind, "x") }]
    }

    fn confirmed() -> Vec<Record> {
        let preflight = Preflight { at: at(0), checks: Vec::new(), keys: KeyAgreement::default() };
        let step = StepNumber::CHECK;
        vec![
            begun(step),
            Record::Checked { preflight },
            Record::StepSucceeded { step, evidence: String::new() },
            Record::RotateConfirmed { waived: Vec::new(), approved_by: None, through_tunnel: false, signature: None },
        ]
    }

    fn all_done() -> Vec<Record> {
        let run = [StepNumber::STAGE, StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE];
        confirmed().into_iter().chain(run.into_iter().flat_map(done)).collect()
    }

    fn facts(rotation: &Rotation) -> Facts<'_> {
        Facts { rotation: Some(rotation), held: false, secrets: None, tried: Tried::default(), now: at(30) }
    }

    fn decided(records: Vec<Record>) -> Tending {
        tend(&facts(&rotation(&records)))
    }

    fn resumes(tending: &Tending) -> Option<StepNumber> {
        match tending {
            Tending::Resume { step, .. } => Some(*step),
            _ => None,
        }
    }

    #[test]
    fn an_interrupted_step_that_touched_the_server_is_gone_on_with_at_once() {
        let mut records = confirmed();
        records.extend(done(StepNumber::STAGE));
        for step in [StepNumber::SECRET, StepNumber::OBJECT, StepNumber::RECONCILE] {
            let mut until = records.clone();
            until.push(begun(step));
            let tending = decided(until);
            assert!(matches!(tending, Tending::Resume { step: at, not_before: None, .. } if at == step), "{tending:?}");
            records.extend(done(step));
        }
    }

    #[test]
    fn a_step_that_was_not_begun_after_one_that_touched_the_server_is_begun() {
        let mut records = confirmed();
        records.extend(done(StepNumber::STAGE).into_iter().chain(done(StepNumber::SECRET)));
        assert_eq!(resumes(&decided(records)), Some(StepNumber::OBJECT));
    }

    #[test]
    fn the_way_back_is_gone_on_with_and_never_begun() {
        let mut records = all_done();
        records.push(Record::RollbackStarted {
            reason: "x".into(),
            role: KeyRole::Fresh,
            cut_again: Vec::new(),
            review_due: None,
            signature: None,
        });
        assert_eq!(resumes(&decided(records.clone())), Some(StepNumber::STAGE));
        records.push(begun(StepNumber::STAGE));
        assert_eq!(resumes(&decided(records)), Some(StepNumber::STAGE));
        let hopeless: Vec<Record> = confirmed()
            .into_iter()
            .chain(done(StepNumber::STAGE))
            .chain(failed(StepNumber::SECRET, FaultKind::Forbidden))
            .collect();
        assert!(matches!(decided(hopeless), Tending::Person(_)), "nothing decides to go back by itself");
    }

    #[test]
    fn nothing_is_begun_that_has_not_touched_the_server() {
        assert_eq!(decided(vec![]), Tending::Leave);
        assert_eq!(decided(confirmed()), Tending::Leave);
        let mut staged = confirmed();
        staged.extend(done(StepNumber::STAGE));
        assert_eq!(decided(staged), Tending::Leave, "resume would ask the gate and rotate");
        for step in [StepNumber::CHECK, StepNumber::STAGE] {
            let mut records = confirmed();
            records.push(begun(step));
            assert!(matches!(decided(records), Tending::Person(_)), "{step}");
        }
        assert!(matches!(decided(vec![begun(StepNumber::CHECK)]), Tending::Person(_)));
        let failed_check = failed(StepNumber::CHECK, FaultKind::TimedOut).to_vec();
        assert_eq!(decided(failed_check), Tending::Leave);
    }

    #[test]
    fn a_living_holder_and_an_ended_rotation_are_left_alone() {
        let mut records = confirmed();
        records.push(begun(StepNumber::SECRET));
        let rotation_of = rotation(&records);
        assert_eq!(tend(&Facts { held: true, ..facts(&rotation_of) }), Tending::Leave);
        let mut ended = all_done();
        ended.push(Record::Finished { outcome: Outcome::Rotated, note: String::new(), despite: None });
        assert_eq!(decided(ended), Tending::Leave);
        assert_eq!(tend(&Facts { rotation: None, ..facts(&rotation_of) }), Tending::Leave);
    }

    #[test]
    fn a_silence_is_left_where_nobody_is_at_work_whatever_the_rotation_waits_for() {
        let silenced = Record::Silenced { id: "s1".into(), until: at(40) };
        let ended = Record::SilenceEnded { id: "s1".into(), why: "x".into(), still_firing: None };
        let other = Record::SilenceEnded { id: "s0".into(), why: "x".into(), still_firing: None };
        let mut records = confirmed();
        records.push(begun(StepNumber::SECRET));
        records.push(silenced);
        let interrupted = rotation(&records);
        assert!(is_silence_left(&facts(&interrupted)));
        assert!(!is_silence_left(&Facts { held: true, ..facts(&interrupted) }));
        records.extend(failed(StepNumber::SECRET, FaultKind::Forbidden).into_iter().skip(1));
        records.push(other);
        assert!(is_silence_left(&facts(&rotation(&records))), "another one has ended");
        records.push(ended);
        assert!(!is_silence_left(&facts(&rotation(&records))));
        assert!(!is_silence_left(&Facts { rotation: None, ..facts(&interrupted) }));
    }

    #[test]
    fn interrupted_mails_go_on_while_they_make_sense() {
        let announcing = rotation(&[begun(StepNumber::ANNOUNCE)]);
        assert_eq!(resumes(&tend(&facts(&announcing))), Some(StepNumber::ANNOUNCE));
        assert!(matches!(tend(&Facts { now: at(61), ..facts(&announcing) }), Tending::Person(_)), "the window is over");
        let mut after_confirmation = confirmed();
        after_confirmation.push(begun(StepNumber::ANNOUNCE));
        assert!(matches!(decided(after_confirmation), Tending::Person(_)), "behind them a rotation would begin");
        let mut telling = all_done();
        let handed = Record::HandedOver { to: String::new(), note: "ask me first".into() };
        assert!(matches!(decided(vec![begun(StepNumber::ANNOUNCE), handed]), Tending::Person(_)));
        telling.push(begun(StepNumber::RECONFIGURE));
        assert_eq!(resumes(&decided(telling)), Some(StepNumber::RECONFIGURE));
    }

    #[test]
    fn mails_that_failed_or_are_uncertain_stay_for_a_person() {
        let mut records = all_done();
        let (client, email, message_id) = (ClientId("ada".into()), "a@x.example".into(), "<1@x>".into());
        records.extend(failed(StepNumber::RECONFIGURE, FaultKind::Refused));
        let kind = NoticeKind::Reconfigure;
        let (id, name) = (client.clone(), "Ada".into());
        let ada = Client { id, name, email: None, public_key: None, sources: Default::default(), also: Vec::new() };
        records.push(Record::PeopleSeen { clients: vec![ada], unseen: Vec::new() });
        records.push(Record::NoticeQueued { client, email, kind, revision: 1, message_id });
        assert_eq!(decided(records), Tending::Leave);
    }

    #[test]
    fn the_end_of_step_8_is_a_persons() {
        let mut records = all_done();
        records.push(begun(StepNumber::VERIFY));
        assert!(matches!(decided(records), Tending::Person(_)));
        assert_eq!(decided(all_done()), Tending::Leave, "nobody is told, nobody is called back, nothing is finished");
    }

    #[test]
    fn a_passing_fault_is_tried_again_with_a_pause_that_doubles_and_another_is_a_persons() {
        let of = |kind| {
            let mut records = confirmed();
            records.extend(done(StepNumber::STAGE).into_iter().chain(failed(StepNumber::SECRET, kind)));
            rotation(&records)
        };
        let passing = of(FaultKind::ServerError(503));
        let ended = at(9);
        let pauses = |times: u32, last: Option<Timestamp>| match tend(&Facts {
            tried: Tried { times, last },
            ..facts(&passing)
        }) {
            Tending::Resume { not_before: Some(then), .. } => then.as_second() - ended.as_second(),
            other => panic!("{other:?}"),
        };
        assert_eq!(pauses(0, None), 15);
        let again = [1, 2, 3, 6, 7, 60].map(|times| pauses(times, Some(ended)));
        assert_eq!(again, [15, 30, 60, 480, 900, 900]);
        assert_eq!(pauses(1, Some(at(8))), 15, "the later of both counts");
        for kind in [FaultKind::Forbidden, FaultKind::Quota, FaultKind::Refused, FaultKind::Conflict] {
            assert!(matches!(tend(&facts(&of(kind.clone()))), Tending::Person(_)), "{kind:?}");
        }
    }

    #[test]
    fn a_missing_secret_is_stored_again_whatever_the_fault_and_another_key_is_left() {
        let mut records = confirmed();
        records.extend(done(StepNumber::STAGE).into_iter().chain(failed(StepNumber::SECRET, FaultKind::Forbidden)));
        let broken = rotation(&records);
        let seen = |minute, count| Facts { secrets: Some((at(minute), count)), ..facts(&broken) };
        assert_eq!(resumes(&tend(&seen(20, 0))), Some(StepNumber::SECRET));
        assert!(matches!(tend(&seen(20, 1)), Tending::Person(_)));
        assert!(matches!(tend(&seen(2, 0)), Tending::Person(_)), "a look from before the failure says nothing");
        let whole = rotation(&all_done());
        let drift = |count| tend(&Facts { secrets: Some((at(20), count)), ..facts(&whole) });
        assert_eq!(resumes(&drift(0)), Some(StepNumber::SECRET));
        assert_eq!(drift(1), Tending::Leave);
        assert_eq!(drift(2), Tending::Leave);
    }
}
