//! Whatever is written in whatever order: what the fold takes in never says that something happened which did not.

use super::*;
use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::client::{Client, ClientId};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::freshness::Baseline;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::preflight::{KeyAgreement, Preflight};
use crate::domain::tenant::{Tenant, TenantId};
use crate::domain::window::Window;
use crate::engine::ports::SecretRef;
use crate::engine::record::{self, BackSource, Cause, Outcome, RefusedAct, RotationId};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn at(seq: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seq as i64).unwrap()
}

fn window(revision: u32) -> Window {
    Window { start: at(0), end: at(100_000), zone: "UTC".into(), revision }
}

fn key(role: KeyRole) -> PublicKey {
    PublicKey::from_bytes([role as u8 + 1; 32])
}

/// Records of every kind that is not always permitted, for one client who is known and one who is not.
fn pool() -> Vec<Record> {
    let ada = ClientId("ada".into());
    let client = Client {
        id: ada.clone(),
        name: "Ada".into(),
        email: None,
        public_key: None,
        sources: BTreeSet::new(),
        also: Vec::new(),
    };
    let eve = ClientId("eve".into());
    let fault = Fault::new(Service::Barbican, FaultKind::Refused, "x");
    let preflight = Preflight { at: at(0), checks: Vec::new(), keys: KeyAgreement::default() };
    let (kind, email) = (NoticeKind::Announcement, String::from("a@x.example"));
    let note = String::new;
    let mut pool = vec![
        Record::Rescheduled { window: window(2) },
        Record::Rescheduled { window: window(7) },
        Record::PeopleSeen { clients: vec![client], unseen: Vec::new() },
        Record::PeopleSeen { clients: Vec::new(), unseen: vec!["the object".into()] },
        Record::NoticeQueued { client: ada.clone(), email: email.clone(), kind, revision: 1, message_id: "<1>".into() },
        Record::NoticeQueued { client: eve.clone(), email, kind, revision: 1, message_id: "<2>".into() },
        Record::NoticeDelivery { message_id: "<1>".into(), delivery: Delivery::Sent { reply: note() } },
        Record::NoticeResolved { message_id: "<2>".into(), arrived: true, reason: note() },
        Record::Waived { client: eve.clone(), reason: note() },
        Record::Checked { preflight },
        Record::RotateConfirmed { waived: Vec::new(), approved_by: None, through_tunnel: false, signature: None },
        Record::PreviousMissing { why: note() },
        Record::ClientBack { client: ada.clone(), source: BackSource::Client, note: note() },
        Record::GatewayPing { client: eve.clone(), answered: true, note: note() },
        Record::ReviewClosed { note: note(), signature: None },
        Record::HandOverAccepted,
        Record::SilenceEnded { id: "s".into(), why: note(), still_firing: None },
        Record::Finished { outcome: Outcome::Rotated, note: note(), despite: None },
        Record::CheckSetAside { check: "mailbox".into(), reason: note() },
        Record::NobodyWaived { reason: note() },
        Record::LeaseLost { doing: note(), to: None },
        Record::PersonErased { tokens: Vec::new(), reason: note() },
        Record::Refused(RefusedAct { act: "rotate".into(), why: note(), reason: String::new() }),
        Record::Refused(RefusedAct { act: "rotate".into(), why: String::new(), reason: String::new() }),
    ];
    for revision in [1, 9] {
        let (client, answer) = (ada.clone(), Answer::Confirmed);
        pool.push(Record::Answered { client, revision, answer, channel: Channel::Phone, note: note() });
    }
    for step in StepNumber::ALL {
        pool.push(Record::StepStarted { step });
        pool.push(Record::StepSucceeded { step, evidence: note() });
        pool.push(Record::StepFailed { step, fault: fault.clone() });
        pool.extend([true, false].map(|done| Record::StepResolved { step, done, evidence: note() }));
        pool.push(Record::Touching { step, store_first: false });
        pool.push(Record::NotTouched { step });
    }
    for role in [KeyRole::Staged, KeyRole::Previous, KeyRole::Fresh] {
        let (name, public_key) = (role.word().to_owned(), key(role));
        pool.push(Record::KeyKeeping { role, public_key, name: name.clone() });
        pool.push(Record::KeyKept { role, public_key, name: name.clone(), href: SecretRef(name.clone()) });
        pool.push(Record::KeyDestroyed { role, name: name.clone(), answer: note() });
        pool.push(Record::KeyGone { role, name, instead: Vec::new() });
        pool.push(Record::ForeignSeen { public_key });
        pool.push(Record::Swapped(record::Swapped {
            public_key,
            gap_us: None,
            not_carried: Vec::new(),
            opened: None,
            found_empty: None,
            overlap_us: None,
        }));
        pool.push(Record::ObjectChanged(record::ObjectChanged {
            from: None,
            to: public_key,
            etag: note(),
            not_kept: None,
        }));
        let baseline = Baseline { public_key, clock: 0, peers: Default::default() };
        pool.push(Record::Applied(record::Applied { baseline, waited_ms: 1, unseen_since: None }));
        pool.push(Record::RollbackStarted {
            reason: note(),
            role,
            cut_again: Vec::new(),
            review_due: None,
            signature: None,
        });
    }
    pool
}

fn planned() -> Rotation {
    let tenant = Tenant { id: TenantId::new("t1").unwrap(), name: "acme".into(), server: None, gateway: None };
    let (rotation, reference, cause) = (RotationId("r1".into()), String::new(), Cause::Scheduled);
    let first = entry(1, Record::Planned { rotation, tenant, window: window(1), cause, reference, left: None });
    Rotation::begin(&first).unwrap()
}

fn entry(seq: u64, record: Record) -> Entry {
    let (by, host) = ("op".to_owned(), "h".to_owned());
    Entry {
        seq,
        version: RECORD_VERSION,
        at: at(seq),
        by,
        host,
        person: None,
        ssh: None,
        session: None,
        unproven: false,
        environment: None,
        record,
    }
}

/// The way that the program goes, cut off anywhere, so that random records meet every state.
fn usual() -> Vec<Record> {
    let pool = pool();
    let find = |wanted: &dyn Fn(&Record) -> bool| pool.iter().find(|record| wanted(record)).unwrap().clone();
    let begun = |step| find(&|r| *r == Record::StepStarted { step });
    let done = |step| Record::StepSucceeded { step, evidence: String::new() };
    let of = |wanted: fn(&Record) -> bool| find(&|r| wanted(r));
    let staged = key(KeyRole::Staged);
    let baseline = Baseline { public_key: staged, clock: 0, peers: Default::default() };
    vec![
        of(|r| matches!(r, Record::PeopleSeen { clients, .. } if !clients.is_empty())),
        begun(StepNumber::ANNOUNCE),
        of(|r| matches!(r, Record::NoticeQueued { .. })),
        of(|r| matches!(r, Record::NoticeDelivery { .. })),
        done(StepNumber::ANNOUNCE),
        of(|r| matches!(r, Record::Answered { revision: 1, .. })),
        begun(StepNumber::CHECK),
        of(|r| matches!(r, Record::Checked { .. })),
        done(StepNumber::CHECK),
        of(|r| matches!(r, Record::RotateConfirmed { .. })),
        begun(StepNumber::STAGE),
        of(|r| matches!(r, Record::KeyKeeping { role: KeyRole::Staged, .. })),
        of(|r| matches!(r, Record::KeyKept { role: KeyRole::Staged, .. })),
        done(StepNumber::STAGE),
        begun(StepNumber::SECRET),
        Record::Touching { step: StepNumber::SECRET, store_first: false },
        Record::Swapped(record::Swapped {
            public_key: staged,
            gap_us: Some(1),
            not_carried: Vec::new(),
            opened: None,
            found_empty: None,
            overlap_us: None,
        }),
        done(StepNumber::SECRET),
        begun(StepNumber::OBJECT),
        Record::ObjectChanged(record::ObjectChanged { from: None, to: staged, etag: String::new(), not_kept: None }),
        done(StepNumber::OBJECT),
        begun(StepNumber::RECONCILE),
        Record::Applied(record::Applied { baseline, waited_ms: 1, unseen_since: None }),
        done(StepNumber::RECONCILE),
    ]
}

/// What must be true of any journal that was taken in.
fn holds(rotation: &Rotation, taken: &[Record]) {
    let last = |wanted: fn(&Record) -> bool| taken.iter().rposition(wanted);
    let touching = last(|r| matches!(r, Record::Touching { .. }));
    let resolved = last(|r| matches!(r, Record::StepResolved { step: StepNumber::SECRET, done: true, .. }));
    let announced = touching > last(|r| matches!(r, Record::NotTouched { .. })) && touching.is_some();
    assert_eq!(rotation.touched, announced || resolved.is_some(), "{taken:?}");
    let confirmed = last(|r| matches!(r, Record::RotateConfirmed { .. }));
    assert!(touching.is_none() || confirmed.is_some(), "touched without a word: {taken:?}");
    assert!(confirmed.is_none() || last(|r| matches!(r, Record::Checked { .. })).is_some(), "unchecked: {taken:?}");
    let changed = last(|r| matches!(r, Record::Swapped(_) | Record::RollbackStarted { .. }));
    assert!(changed.is_none() || rotation.touched, "changed, not touched: {taken:?}");
    assert!(rotation.back.is_empty() || rotation.applied.is_some(), "back before the key is live: {taken:?}");
    let waiting_is_done = StepNumber::ALL.into_iter().any(|step| {
        rotation.step(step).is_done()
            && rotation.rollback.is_none()
            && !taken.contains(&Record::StepStarted { step })
            && !taken.iter().any(|r| matches!(r, Record::StepSucceeded { step: of, .. } if *of == step))
    });
    assert!(!waiting_is_done, "done without a beginning: {taken:?}");
    if let Some(end) = last(|r| matches!(r, Record::Finished { .. })) {
        assert!(taken[end + 1..].iter().all(may_follow_the_end), "after the end: {taken:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_records_says_what_did_not_happen(
        cut in 0..24usize,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        killed in 0..60usize,
    ) {
        let pool = pool();
        let mut rotation = planned();
        let mut taken = Vec::new();
        let wanted = usual().into_iter().take(cut).chain(picks.iter().map(|pick| pick.get(&pool).clone()));
        for (turn, record) in wanted.enumerate() {
            let next = entry(rotation.seq + 1, record.clone());
            if rotation.check(&next).is_ok() {
                rotation.apply(&next);
                taken.push(record);
                holds(&rotation, &taken);
            }
            if turn == killed {
                rotation.interrupt();
            }
        }
    }
}

#[test]
fn the_usual_way_is_taken_in_whole_and_every_kind_of_record_is_refused_somewhere() {
    let mut rotation = planned();
    let mut refused = BTreeSet::new();
    let kind = |record: &Record| serde_json::to_value(record).unwrap()["record"].as_str().unwrap().to_owned();
    for record in usual() {
        for other in pool() {
            if rotation.check(&entry(rotation.seq + 1, other.clone())).is_err() {
                refused.insert(kind(&other));
            }
        }
        let next = entry(rotation.seq + 1, record);
        rotation.check(&next).unwrap();
        rotation.apply(&next);
    }
    let end =
        entry(rotation.seq + 1, Record::Finished { outcome: Outcome::Rotated, note: String::new(), despite: None });
    rotation.check(&end).unwrap();
    rotation.apply(&end);
    let after = pool().into_iter().filter(|r| rotation.check(&entry(rotation.seq + 1, r.clone())).is_err());
    refused.extend(after.map(|record| kind(&record)));
    let all: BTreeSet<String> = pool().iter().map(kind).collect();
    assert_eq!(all.difference(&refused).collect::<Vec<_>>(), Vec::<&String>::new());
}
