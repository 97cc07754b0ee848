//! What the work costs, counted and not timed: how often a status is derived while many people are told, and how many round
//! trips of a rotation must follow one another.

use crate::scene::{Scene, Silent};
use changeguard::adapters::lab::Service;
use changeguard::config::{self, Contact};
use changeguard::domain::client::Entry;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::tenant::Tenant;
use changeguard::engine::command::Command;
use changeguard::engine::record::Cause;
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use changeguard::runtime::wiring::Wiring;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PEOPLE: usize = 640;

/// How often there was something to derive.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Watcher for Counter {
    fn changed(&self, _conductor: &Conductor) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn progress(&self, _tenant: &Tenant, _progress: Progress) {}
}

fn contact(at: usize) -> Contact {
    let (id, email) = (format!("u-{at:04}"), Some(format!("person.{at}@people.example")));
    Contact { tenant: "acme".into(), entry: Entry { id, name: Some(format!("Person {at}")), email, public_key: None } }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_many_are_told_the_status_is_derived_once_for_many_records_and_at_the_end() {
    let scene = Scene::start_with(|config| config.contacts = (0..PEOPLE).map(contact).collect()).await;
    let counter = Arc::new(Counter::default());
    let fleet = scene.wiring.fleet(scene.wiring.tenants().await.0, counter.clone()).unwrap();
    let acme = fleet.find("acme").unwrap();
    let (window, cause, reference) = (Scene::open_window(), Cause::Scheduled, String::new());
    acme.run(Command::Plan { window, cause, reference }).await.unwrap();
    let (before, records) = (counter.0.load(Ordering::Relaxed), acme.entries().len());
    acme.run(Command::Notify { kind: NoticeKind::Announcement, only: None, again: false }).await.unwrap();
    let (derived, records) = (counter.0.load(Ordering::Relaxed) - before, acme.entries().len() - records);
    assert!(records >= 2 * PEOPLE, "{records}");
    assert!(derived * 8 <= records, "{derived} times for {records} records");
    let folded = changeguard::engine::rotation::Rotation::fold(&acme.entries()).unwrap();
    let shown = acme.rotation().unwrap();
    assert_eq!((shown.seq, shown.notices.iter().count()), (folded.seq, folded.notices.iter().count()));
    assert!(acme.status().notices.iter().all(|notice| notice.delivery.word() == "sent"), "all of it is known");
}

/// Round trips that follow one another from a cold start to the end of step 5. 15 of them must: a token; the list of secrets, a
/// payload; both kept keys stored, and read back; what warms the connections, the look at the moment of touching; DELETE; POST;
/// the proof; the object, the copy of it, its version right before the upload, the upload, and the proof. The rest looks at the same once more
/// where an act begins: whether the journal has lost its end (1), step 3 (2), step 4 (3). That is 21; one is left for requests
/// that begin side by side and are told apart by their answers on a busy machine.
const MOST: usize = 22;
/// So long an answer takes here: whatever is sent side by side has arrived meanwhile.
const ANSWERS_AFTER: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_cold_start_to_the_end_of_step_5_few_round_trips_follow_one_another_that_need_not() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    for service in [Service::Keystone, Service::Barbican, Service::Swift] {
        scene.lab.world().set_latency(service, ANSWERS_AFTER);
    }
    let wiring = Wiring::open(config::load(Some(scene.lab.config_path()), &|_| None).unwrap()).await.unwrap();
    scene.lab.world().follow_requests();
    let fleet = wiring.fleet(wiring.tenants().await.0, Arc::new(Silent)).unwrap();
    let rotate = Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() };
    fleet.find("acme").unwrap().run(rotate).await.unwrap();
    let followed = scene.lab.world().followed();
    let longest = followed.iter().map(|(place, _)| *place).max().unwrap();
    let lines: Vec<String> = followed.iter().map(|(place, what)| format!("{place:>3} {what}")).collect();
    assert!(followed.iter().any(|(_, what)| what.starts_with("Swift PUT")), "it went to the end of step 5");
    println!("{longest} one after the other");
    assert!(longest <= MOST, "{longest} one after the other:\n{}", lines.join("\n"));
}
