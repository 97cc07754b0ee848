//! What the work costs, counted and not timed: how often a status is derived while many people are told.

use crate::scene::Scene;
use changeguard::config::Contact;
use changeguard::domain::client::Entry;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::tenant::Tenant;
use changeguard::engine::command::Command;
use changeguard::engine::record::Cause;
use changeguard::engine::step::Progress;
use changeguard::runtime::conductor::{Conductor, Watcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
