//! Journals that an earlier version wrote: they load with their chain, they mean what they meant, and from each of their
//! records the program of today comes to a good end. The corpus lies in `tests/journals`, which says how it was made.

mod cluster;
mod clusters;
mod corpus;
mod difference;
mod freeze;
mod onward;
mod postgres;
mod scripts;
mod scripts_of_clusters;
mod world;

use changeguard::adapters::store::SqlJournal;
use changeguard::domain::fault::Fault;
use changeguard::domain::tenant::TenantId;
use changeguard::engine::audit;
use changeguard::engine::journal::JournalStore;
use changeguard::engine::observe::Sights;
use changeguard::engine::ports::{Settings, Unfenced};
use changeguard::engine::record::{Entry, RotationId};
use changeguard::engine::rotation::Rotation;
use changeguard::engine::status::{self, Viewer};
use changeguard::runtime::wiring::Wiring;
use corpus::{Journal, is_lease_log};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

fn all() -> Vec<Journal> {
    let mut all = corpus::journals("sqlite");
    all.extend(corpus::journals("postgres"));
    all
}

/// The entries of every rotation in a store, its chain verified.
async fn verified(name: &str, store: &SqlJournal, journal: &Journal) -> BTreeMap<String, Vec<Entry>> {
    let records = journal.records();
    let tenant = records[0].tenant.clone();
    let verdicts = audit::verify(&store.tables().await.unwrap(), Some(&tenant), &[]);
    let [verdict] = verdicts.as_slice() else { panic!("{name}: {verdicts:?}") };
    assert_eq!((verdict.finding.as_ref(), verdict.records), (None, records.len()), "{name}");
    let rotations: BTreeSet<&str> = records.iter().map(|row| row.rotation.as_str()).collect();
    let mut entries = BTreeMap::new();
    for rotation in rotations {
        let loaded = store.load(&RotationId(rotation.to_owned())).await;
        entries.insert(rotation.to_owned(), loaded.unwrap_or_else(|fault: Fault| panic!("{name}: {fault}")));
    }
    let heads =
        store.heads(Some(&TenantId::of_subject(tenant.clone()).or(TenantId::new(tenant)).unwrap())).await.unwrap();
    let last = records.iter().rfind(|row| !is_lease_log(row)).unwrap();
    assert_eq!(heads[0].rotation.0, last.rotation, "{name}");
    entries
}

#[tokio::test]
async fn every_frozen_journal_loads_with_its_chain_and_every_rotation_folds() {
    let (mut records, mut journals) = (0, 0);
    for journal in all() {
        let folder = crate::scene::folder();
        let state = folder.path().join("state");
        journal.state(&state, i64::MAX, None).await;
        let store = SqlJournal::in_folder(&state).await.unwrap();
        for (rotation, entries) in verified(&journal.name, &store, &journal).await {
            records += entries.len();
            if !rotation.starts_with("lease-") {
                Rotation::fold(&entries).unwrap_or_else(|fault| panic!("{}: {fault}", journal.name));
            }
        }
        store.close().await;
        journals += 1;
    }
    println!("{records} records of {journals} journals");
    assert!(records > 800, "{records}");
}

/// A difference from what an earlier version said, made on purpose.
struct Changed {
    /// The path in the status, `*` for any one name or number.
    path: Vec<String>,
    /// What was said before, and what is said now; empty: whatever.
    before: String,
    now: String,
    met: std::cell::Cell<usize>,
}

impl Changed {
    /// The table of `changed.md`: path, before, now, why. Rows of clusters begin with `/cluster`.
    fn of(clusters: bool) -> Vec<Self> {
        let text = std::fs::read_to_string(corpus::folder().join("changed.md")).unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| `/"));
        let rows = rows.filter(|line| line.starts_with("| `/cluster") == clusters);
        rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [path, before, now, why] = cells.as_slice() else { panic!("path, before, now, why: {row}") };
            assert!(!why.is_empty(), "{row}");
            let plain = |cell: &str| cell.trim_matches('`').to_owned();
            let path = plain(path).split('/').map(str::to_owned).collect();
            Self { path, before: plain(before), now: plain(now), met: Default::default() }
        })
        .collect()
    }

    /// A row that nothing meets is one too many.
    fn are_met(all: &[Self]) {
        let idle: Vec<String> = all.iter().filter(|c| c.met.get() == 0).map(|c| c.path.join("/")).collect();
        assert!(idle.is_empty(), "in tests/journals/changed.md, and nothing of it is met: {idle:?}");
    }

    fn covers(&self, pointer: &str, before: &Value, now: &Value) -> bool {
        let parts: Vec<&str> = pointer.split('/').collect();
        let fits = |(wanted, part): (&String, &&str)| wanted == "*" || wanted == part;
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let holds = |wanted: &str, value: &Value| wanted.is_empty() || shown(value).contains(wanted);
        // Whatever is below the path is covered with it.
        let is = parts.len() >= self.path.len()
            && self.path.iter().zip(&parts).all(fits)
            && holds(&self.before, before)
            && holds(&self.now, now);
        self.met.set(self.met.get() + usize::from(is));
        is
    }
}

/// What the program of today says of the first records of a journal, without a look outside, and the gist of what it says
/// with a look at the world as it was.
fn says(journal: &Journal, at: usize, entries: &BTreeMap<String, Vec<Entry>>, settings: &Settings) -> [Value; 2] {
    let prefix = &journal.prefixes[at];
    let (rotation, count) = journal.rotation_at(prefix.position);
    let entries = &entries[&rotation][..count];
    let mut rotation = Rotation::fold(entries).unwrap_or_else(|fault| panic!("{}: {at}: {fault}", journal.name));
    rotation.interrupt();
    let runbook = changeguard::runbooks::all().remove(0);
    let titles = std::array::from_fn(|at| runbook.steps[at].title());
    let viewer = Viewer { person: journal.about["viewer"].as_str().unwrap(), now: prefix.now };
    let tenant = rotation.tenant.clone();
    let with = |sights: Sights| {
        let status = status::derive(&tenant, Some(&rotation), entries, &sights, settings, &titles, viewer);
        serde_json::to_value(status).unwrap()
    };
    let mut offline = with(Sights::default());
    offline["journal"] = Value::Null;
    let looked = with(world::sights(&prefix.world, settings, prefix.now));
    [offline, freeze::gist(&looked)]
}

/// The reasons by their names and clients, so that one more does not move the others. After the key is live a look records who
/// is back, and what is offered then depends on that.
fn comparable(status: &Value) -> Value {
    let mut status = status.clone();
    let reasons = status["reasons"].as_array().cloned().unwrap_or_default();
    let named = |reason: Value| {
        let text = |field: &str| reason[field].as_str().unwrap_or_default().to_owned();
        (format!("{}:{}", text("reason"), text("client")), reason)
    };
    status["reasons"] = Value::Object(reasons.into_iter().map(named).collect());
    // What leads does not move what stands behind it.
    let is_led = status["truth"].is_object();
    status["leads"] = match status["attention"].as_array_mut() {
        Some(items) if is_led => items.remove(0),
        _ => Value::Null,
    };
    status
}

/// A field that was not there then is no difference; one more reason or person is.
fn is_added(said: &Value, pointer: &str) -> bool {
    let (parent, _) = pointer.rsplit_once('/').unwrap_or_default();
    let counts = ["/reasons", "/standings"].iter().any(|list| parent.ends_with(list));
    !counts && said.pointer(pointer).is_none() && said.pointer(parent).is_some_and(Value::is_object)
}

/// The lab's configuration of a journal, and the settings that follow from it.
async fn settings(journal: &Journal, folder: &Path) -> Settings {
    let lab = onward::lab(journal, folder).await;
    let config = changeguard::config::load(Some(lab.config_path()), &|_| None).unwrap();
    let wiring = Wiring::open(config).await.unwrap();
    let tenant = wiring.tenants().await.0.remove(0);
    wiring.world(tenant, Arc::new(Unfenced)).unwrap().settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_prefix_of_a_frozen_journal_means_what_it_meant_but_for_the_reviewed_changes() {
    let changed = Changed::of(false);
    let (mut prefixes, mut wrong) = (0, BTreeMap::<String, (usize, String)>::new());
    for journal in all() {
        let folder = crate::scene::folder();
        let state = folder.path().join("frozen");
        journal.state(&state, i64::MAX, None).await;
        let store = SqlJournal::in_folder(&state).await.unwrap();
        let entries = verified(&journal.name, &store, &journal).await;
        let settings = settings(&journal, folder.path()).await;
        assert_eq!(journal.prefixes.len(), journal.records().len(), "{}: a status for each record", journal.name);
        for (at, prefix) in journal.prefixes.iter().enumerate() {
            prefixes += 1;
            let is_live = !prefix.status["back"].is_null();
            let both = |[offline, looked]: [Value; 2]| {
                let mut looked = comparable(&looked);
                if is_live {
                    looked["next"] = Value::Null;
                }
                [comparable(&offline), serde_json::json!({ "looked": looked })]
            };
            let said = both([prefix.status.clone(), prefix.looked.clone()]);
            let now = both(says(&journal, at, &entries, &settings));
            for (said, now) in said.iter().zip(&now) {
                for pointer in difference::pointers(said, now).into_iter().filter(|pointer| !is_added(said, pointer)) {
                    let of = |value: &Value| value.pointer(&pointer).cloned().unwrap_or(Value::Null);
                    let (before, now) = (of(said), of(now));
                    if !changed.iter().any(|change| change.covers(&pointer, &before, &now)) {
                        let seen = wrong.entry(pointer.clone()).or_default();
                        seen.0 += 1;
                        seen.1 = format!("{} at {}: {before} is {now} now", journal.name, prefix.position);
                    }
                }
            }
        }
        store.close().await;
    }
    println!("{prefixes} prefixes, {} reviewed changes", changed.len());
    assert!(prefixes > 800, "{prefixes}");
    let lines: Vec<String> =
        wrong.iter().map(|(path, (times, last))| format!("{path} ({times} times): {last}")).collect();
    assert!(wrong.is_empty(), "not in tests/journals/changed.md:\n{}", lines.join("\n"));
    Changed::are_met(&changed);
}
