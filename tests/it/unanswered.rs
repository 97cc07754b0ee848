//! What comes of a DELETE or POST of the swap that is answered badly or not at all: the key is changed only if the gate was
//! open when the request was sent that changed it, no key is ever lost, and what is told is true.

use crate::offered::public;
use crate::pty::PATIENCE;
use crate::sample;
use crate::scene::{Scene, Silent};
use async_trait::async_trait;
use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::notice::NoticeKind;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::journal::Holder;
use changeguard::engine::ports::{Clock, SwapOrder};
use changeguard::engine::record::{Actor, Cause, Outcome, Record};
use changeguard::runtime::conductor::Conductor;
use changeguard::runtime::fence::LeaseFence;
use changeguard::runtime::run::RunError;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

/// So many of each request are walked in `cargo test`.
const MOST: usize = 5;

/// A clock that is moved, and whose pauses pass quickly.
struct MovedClock(Arc<AtomicI64>);

#[async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / 20).await;
    }
}

/// What happens at the very request that is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Nothing,
    Declines,
    WindowEnds,
}

struct Stage {
    scene: Scene,
    conductor: Conductor,
    ahead: Arc<AtomicI64>,
    /// The live secrets' ids before.
    before: Vec<String>,
}

impl Stage {
    /// Everybody has confirmed.
    async fn start(order: SwapOrder) -> Self {
        let scene = Scene::start().await;
        let (wiring, tenant) = (&scene.wiring, scene.acme().tenant().clone());
        let fence = Arc::new(LeaseFence::new(wiring.store().clone()));
        let ahead = Arc::new(AtomicI64::new(0));
        let mut world = wiring.world(tenant, fence.clone()).unwrap();
        (world.clock, world.settings.swap) = (Arc::new(MovedClock(ahead.clone())), order);
        let instance = changeguard::adapters::system::instance().unwrap();
        let me = Holder::new("ops".into(), "here".into(), std::process::id(), Timestamp::now(), instance);
        let actor = Actor {
            by: "ops".into(),
            host: "here".into(),
            person: "ops".into(),
            ssh: None,
            unproven: None,
            environment: None,
        };
        let conductor = Conductor::new(world, wiring.runbook().clone(), me, actor, fence, Arc::new(Silent));
        let (window, cause) = (Scene::open_window(), Cause::Scheduled);
        conductor.run(Command::Plan { window, cause, reference: String::new() }).await.unwrap();
        let kind = NoticeKind::Announcement;
        conductor.run(Command::Notify { kind, only: None, again: false }).await.unwrap();
        for client in conductor.status().clients {
            let (client, answer, channel) = (client.client.id, Answer::Confirmed, Channel::Phone);
            conductor.run(Command::Answer { client, answer, channel, note: String::new() }).await.unwrap();
        }
        let mut stage = Self { scene, conductor, ahead, before: Vec::new() };
        stage.before = stage.live().into_iter().map(|(id, _)| id).collect();
        stage
    }

    /// Ids and public keys under the live name.
    fn live(&self) -> Vec<(String, Option<String>)> {
        let secrets = self.scene.lab.world().key_secrets("acme");
        secrets.into_iter().map(|secret| (secret.id, secret.payload.as_deref().map(public))).collect()
    }

    fn is_as_before(&self) -> bool {
        self.live().into_iter().map(|(id, _)| id).eq(self.before.iter().cloned())
    }

    /// The n-th request of this method is spoiled, and the event happens when it arrives. Gives the count of such requests.
    fn spoil(&self, method: &'static str, nth: usize, fault: Fault, which: Which, event: Event) -> Arc<AtomicUsize> {
        let (world, ahead) = (self.scene.lab.world().clone(), self.ahead.clone());
        let rotation = self.conductor.rotation().unwrap();
        let client = rotation.clients[0].clone();
        let address = client.email.unwrap();
        let asked = world.mails_to(&address).remove(0);
        let header = |name: &str| asked.header(name).unwrap();
        let letter = format!(
            "From: {} <{address}>\r\nTo: {}\r\nIn-Reply-To: {}\r\nMessage-ID: <no@acme.example>\r\nSubject: Re: {}\r\n\r\n\
             No, that does not suit me.\r\n",
            client.name,
            header("Reply-To"),
            header("Message-ID"),
            header("Subject"),
        );
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        self.scene.lab.faults().observe(move |request| {
            if request.service != Service::Barbican || request.method != method {
                return;
            }
            if counted.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                match event {
                    Event::Nothing => {}
                    Event::Declines => _ = world.deliver_to_operator(letter.as_bytes()),
                    Event::WindowEnds => ahead.store(2 * 3600, Ordering::SeqCst),
                }
            }
        });
        let rule = Rule::new(Service::Barbican, fault).method(method).which(which);
        self.scene.lab.faults().add(rule);
        count
    }

    async fn heal(&self) {
        self.scene.lab.faults().clear();
        assert!(self.scene.lab.world().until(PATIENCE, |world| world.in_flight() == 0).await);
    }

    /// Whatever is told must be so now, and a key that is in use is somewhere.
    fn check(&self, what: &str, ended: &Result<String, RunError>) {
        let live = self.live();
        let mut told = vec![self.conductor.status().next.text];
        told.extend(self.conductor.status().steps.into_iter().map(|step| step.detail));
        told.extend(ended.as_ref().err().map(|error| format!("{error}: {}", error.advice())));
        for text in &told {
            assert!(!text.contains("SECRET MISSING") || live.is_empty(), "{what}: {text}: {live:?}");
            assert!(
                !text.contains("nothing was changed in Barbican") || self.is_as_before(),
                "{what}: {text}: {live:?}"
            );
            assert!(
                !text.contains("the old secret is deleted") || live.iter().all(|(id, _)| !self.before.contains(id))
            );
        }
        let rotation = self.conductor.rotation().unwrap();
        let kept = rotation.keys.values().filter(|key| key.href.is_some() && key.destroyed.is_none());
        for key in kept {
            assert!(!self.scene.lab.world().secrets(&key.name).is_empty(), "{what}: {} is kept nowhere", key.name);
        }
    }

    async fn rotate(&self) -> Result<String, RunError> {
        self.conductor.run(Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() }).await
    }

    fn says_not_touched(&self) -> bool {
        let of_touching = |entry: &&_| {
            let entry: &changeguard::engine::record::Entry = entry;
            matches!(entry.record, Record::Touching { .. } | Record::NotTouched { .. })
        };
        let entries = self.conductor.entries();
        matches!(entries.iter().rfind(of_touching).map(|entry| &entry.record), Some(Record::NotTouched { .. }))
    }

    /// Cancelled, with the one secret as it was and nothing kept.
    async fn cancels(&self, what: &str) {
        let cancel = Command::Cancel { confirm: "acme".into(), reason: "not now".into() };
        self.conductor.run(cancel).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let rotation = self.conductor.rotation().unwrap();
        assert_eq!(rotation.outcome.as_ref().map(|(outcome, ..)| *outcome), Some(Outcome::Cancelled), "{what}");
        for key in rotation.keys.values() {
            assert!(self.scene.lab.world().secrets(&key.name).is_empty(), "{what}: {} is left", key.name);
        }
    }

    async fn ends_rotated(&self, what: &str) {
        let rotation = self.conductor.rotation().unwrap();
        let staged = rotation.target().unwrap().to_string();
        if rotation.step(changeguard::domain::step::StepNumber::RECONCILE).is_done() {
            let _ = self.conductor.run(Command::Resume).await;
        } else {
            self.conductor.run(Command::Resume).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        let live: Vec<Option<String>> = self.live().into_iter().map(|(_, key)| key).collect();
        assert_eq!(live, [Some(staged)], "{what}");
    }
}

/// Each fault, and whether what was asked is carried out all the same.
const FAULTS: [(Fault, bool); 7] = [
    (Fault::Status(503), false),
    (Fault::Status(500), false),
    (Fault::Status(502), false),
    (Fault::Close, false),
    (Fault::LoseAnswer(Loss::Close), true),
    (Fault::Hang, false),
    (Fault::LoseAnswer(Loss::Hang), true),
];
const EVENTS: [Event; 3] = [Event::Nothing, Event::Declines, Event::WindowEnds];

/// The first request of the swap, and the second; the first two POSTs store what is kept.
const ORDERS: [(SwapOrder, &str, usize, bool); 4] = [
    (SwapOrder::DeleteFirst, "DELETE", 1, true),
    (SwapOrder::DeleteFirst, "POST", 3, false),
    (SwapOrder::StoreFirst, "POST", 3, true),
    (SwapOrder::StoreFirst, "DELETE", 1, false),
];

async fn walk((order, method, nth, is_first): (SwapOrder, &'static str, usize, bool)) {
    let mut all = Vec::new();
    for fault in FAULTS {
        for for_ever in [false, true] {
            all.extend(EVENTS.map(|event| (fault, for_ever, event)));
        }
    }
    let chosen = sample::chosen(&format!("{order:?} {method} unanswered"), all, MOST);
    let walked = chosen.len();
    for ((fault, is_carried_out), for_ever, event) in chosen {
        let what = format!("{order:?} {method} {fault:?}, for ever {for_ever}, {event:?}");
        let n = u64::try_from(nth).unwrap();
        let which = if for_ever { Which::From(n) } else { Which::Nth(n) };
        let stage = Stage::start(order).await;
        let count = stage.spoil(method, nth, fault, which, event);
        let ended = stage.rotate().await;
        stage.check(&what, &ended);
        assert!(count.load(Ordering::SeqCst) >= nth, "{what}: it was never met");
        // Nobody has agreed to what would be sent now, and what was sent has changed nothing.
        if is_first && !is_carried_out && event != Event::Nothing {
            let shut = matches!(ended, Err(RunError::Refused(Refusal::GateShut(_))));
            assert!(shut, "{what}: {ended:?}");
            assert_eq!(count.load(Ordering::SeqCst), nth, "{what}: it was sent again");
            assert!(stage.is_as_before() && stage.says_not_touched(), "{what}");
            stage.heal().await;
            assert!(stage.conductor.run(Command::Resume).await.is_err(), "{what}");
            assert!(stage.is_as_before(), "{what}: resume went past it");
            stage.cancels(&what).await;
            assert!(stage.is_as_before(), "{what}");
        } else if is_first && !is_carried_out && for_ever {
            // It fails for ever, and it is seen each time that nothing was changed.
            assert!(ended.is_err() && stage.is_as_before() && stage.says_not_touched(), "{what}: {ended:?}");
            stage.heal().await;
            stage.ends_rotated(&what).await;
        } else {
            stage.heal().await;
            stage.ends_rotated(&what).await;
        }
        stage.check(&what, &Ok(String::new()));
    }
    println!("{order:?} {method}: {walked} requests that were answered badly or not at all");
}

/// Each in a test of its own, so that they are walked side by side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_comes_first() {
    walk(ORDERS[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_comes_second() {
    walk(ORDERS[1]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_comes_first() {
    walk(ORDERS[2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_comes_second() {
    walk(ORDERS[3]).await;
}

/// The process ends between the record and the answer, hours go by, and somebody declines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_only_announced_is_sent_past_no_decline_by_who_goes_on() {
    for event in EVENTS {
        for (fault, is_carried_out) in [(Fault::Hang, false), (Fault::LoseAnswer(Loss::Hang), true)] {
            let what = format!("{event:?} {fault:?}");
            let stage = Stage::start(SwapOrder::DeleteFirst).await;
            let count = stage.spoil("DELETE", 1, fault, Which::Nth(1), event);
            let sent = stage.scene.lab.world().until(PATIENCE, |_| count.load(Ordering::SeqCst) > 0);
            tokio::select! {
                ended = stage.rotate() => panic!("{what}: {ended:?}"),
                is_sent = sent => assert!(is_sent),
            }
            stage.conductor.reload().await.unwrap();
            assert!(stage.conductor.rotation().unwrap().touched, "{what}");
            let cancel = Command::Cancel { confirm: "acme".into(), reason: "not now".into() };
            let refused = stage.conductor.run(cancel).await.unwrap_err().to_string();
            assert!(refused.contains("resume looks first"), "{what}: {refused}");
            stage.heal().await;
            if is_carried_out || event == Event::Nothing {
                stage.ends_rotated(&what).await;
                continue;
            }
            assert!(stage.conductor.run(Command::Resume).await.is_err(), "{what}");
            assert!(stage.is_as_before() && stage.says_not_touched(), "{what}");
            assert_eq!(count.load(Ordering::SeqCst), 1, "{what}: it was sent again");
            stage.cancels(&what).await;
        }
    }
}

/// A worker that was stopped carries out what everybody has given up, after it was seen to have changed nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_carried_out_much_later_costs_no_key() {
    // For as long as the fault lasts, so that a slow machine sees it land no sooner.
    let late = Fault::ApplyLate(PATIENCE);
    for (order, method, nth, _) in ORDERS.into_iter().filter(|(.., is_first)| *is_first) {
        let what = format!("{order:?} {method}");
        let stage = Stage::start(order).await;
        stage.spoil(method, nth, late, Which::Nth(u64::try_from(nth).unwrap()), Event::Declines);
        let previous = stage.live();
        let ended = stage.rotate().await;
        stage.check(&what, &ended);
        assert!(stage.is_as_before() && stage.says_not_touched(), "{what}: {ended:?}");
        stage.heal().await;
        assert!(!stage.is_as_before(), "{what}: it has landed");
        stage.cancels(&what).await;
        let keys = |live: Vec<(String, Option<String>)>| live.into_iter().map(|(_, key)| key).collect::<Vec<_>>();
        assert_eq!(keys(stage.live()), keys(previous), "{what}");
    }
}
