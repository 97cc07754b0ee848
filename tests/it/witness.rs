//! What is remembered where the journal is not: by a host, by a process, by Barbican; what it stops, and what it does not.

use crate::scene::{Scene, as_person};
use crate::store::Folder;
use crate::store_suite::{Place, me, note, rotation, take, tenant};
use changeguard::adapters::lab::{Fault as Refused, Rule, Service, Which};
use changeguard::adapters::store::SqlJournal;
use changeguard::domain::fault::Fault;
use changeguard::domain::window::Window;
use changeguard::engine::audit;
use changeguard::engine::command::{Command, Refusal};
use changeguard::engine::journal::{AppendError, JournalStore};
use changeguard::engine::next::Act;
use changeguard::engine::record::{Cause, Entry, Outcome, Record};
use changeguard::engine::recovery::Found;
use changeguard::engine::secret::PrivateKey;
use changeguard::engine::status::TenantStatus;
use changeguard::engine::truth::Live;
use changeguard::engine::witness::Lost;
use changeguard::runtime::desks::Desks;
use changeguard::runtime::run::RunError;
use changeguard::runtime::watch::{Line, Log, Watch, Whose};
use changeguard::runtime::wiring::Wiring;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn planned() -> Entry {
    let record = Record::Planned {
        rotation: rotation("a"),
        tenant: changeguard::domain::tenant::Tenant {
            id: tenant("t1"),
            name: "acme".into(),
            server: None,
            gateway: None,
        },
        window: Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap(),
        cause: Cause::Scheduled,
        reference: String::new(),
        left: None,
    };
    Entry { record, ..note(1, "") }
}

/// What a snapshot that is put back in place does: the same file, with less in it.
pub async fn cut_back(file: &Path, tenant: &str, position: i64) {
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for statement in [
        "DELETE FROM record WHERE tenant = $1 AND position > $2",
        "UPDATE chain SET position = $2, hash = (SELECT hash FROM record r WHERE r.tenant = $1 AND r.position = $2) WHERE tenant = $1",
        "UPDATE rotation SET last_seq = (SELECT MAX(seq) FROM record r WHERE r.rotation = rotation.rotation) WHERE tenant = $1",
    ] {
        sqlx::query(statement).bind(tenant).bind(position).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn open(folder: &Folder, host: &Path) -> SqlJournal {
    folder.open().await.witnessed_in(host)
}

async fn lost(store: &SqlJournal) -> Option<Lost> {
    for head in store.heads(Some(&tenant("t1"))).await.unwrap() {
        store.load(&head.rotation).await.unwrap();
    }
    store.witnessed(&tenant("t1")).lost
}

fn recovered(seq: u64, lost: &Lost) -> Entry {
    let (lost, reason, found) = (lost.clone(), "a rehearsal".into(), Found::default());
    Entry { record: Record::Recovered { lost, reason, found }, ..note(seq, "") }
}

#[tokio::test]
async fn a_host_that_has_seen_more_says_so_and_writes_nothing_before_it_is_gone_on_with_knowingly() {
    let (folder, host) = (Folder::new().await, tempfile::tempdir().unwrap());
    let store = open(&folder, host.path()).await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("a"), &lease, &[planned(), note(2, "two"), note(3, "three")]).await.unwrap();
    store.append(&rotation("a"), &lease, &[note(4, "four")]).await.unwrap();
    let file = host.path().join("witness/t1");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(lost(&store).await, None);
    cut_back(&folder.file(), "t1", 2).await;
    // Another process of the host, and the one that wrote it, whatever the file says.
    let other = open(&folder, host.path()).await;
    for store in [&other, &store] {
        let lost = lost(store).await.expect("it is not said");
        let text = lost.to_string();
        assert!(text.contains("ends at record 2") && text.contains("record 4 was seen"), "{text}");
        let refused = store.append(&rotation("a"), &lease, &[note(3, "other")]).await.unwrap_err();
        assert!(matches!(refused, AppendError::Lost(_)), "{refused}");
    }
    std::fs::remove_file(&file).unwrap();
    let known = lost(&store).await.expect("this process has seen it");
    store.append(&rotation("a"), &lease, &[recovered(3, &known)]).await.unwrap();
    store.append(&rotation("a"), &lease, &[note(4, "on")]).await.unwrap();
    assert_eq!(lost(&store).await, None);
    // The other process still remembers what is gone, and finds that it was gone on with.
    assert_eq!(lost(&other).await, None);
    other.append(&rotation("a"), &lease, &[note(5, "on")]).await.unwrap();
}

/// Whoever looks reads the journal and the witness one after the other, while another process writes both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_written_while_it_is_looked_at_has_lost_nothing() {
    let (folder, host) = (Folder::new().await, tempfile::tempdir().unwrap());
    let (writer, reader) = (open(&folder, host.path()).await, open(&folder, host.path()).await);
    let lease = take(&writer, "t1", me(1, 0)).await;
    writer.append(&rotation("a"), &lease, &[planned()]).await.unwrap();
    let writing = tokio::spawn(async move {
        for seq in 2..400 {
            writer.append(&rotation("a"), &lease, &[note(seq, "on")]).await.unwrap();
        }
    });
    let mut looks = 0;
    while !writing.is_finished() {
        assert_eq!(lost(&reader).await, None, "at look {looks}");
        looks += 1;
    }
    writing.await.unwrap();
    assert!(looks > 10, "{looks}");
}

/// What was gone on with once is no word on what is lost behind that, whoever had seen it.
#[tokio::test]
async fn a_second_loss_behind_a_recovery_is_said_as_the_first_was() {
    for same_case in [true, false] {
        let (folder, one, two) = (Folder::new().await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = open(&folder, one.path()).await;
        let lease = take(&store, "t1", me(1, 0)).await;
        let first: Vec<Entry> = std::iter::once(planned()).chain((2..=9).map(|seq| note(seq, "on"))).collect();
        store.append(&rotation("a"), &lease, &first).await.unwrap();
        let elsewhere = open(&folder, two.path()).await;
        assert_eq!(lost(&elsewhere).await, None);
        cut_back(&folder.file(), "t1", 2).await;
        let known = lost(&store).await.expect("it is not said");
        store.append(&rotation("a"), &lease, &[recovered(3, &known)]).await.unwrap();
        if !same_case {
            // The recovery stands in a case that nobody reads any more.
            assert_eq!(lost(&elsewhere).await, None, "covered");
            let Record::Planned { tenant, window, cause, reference, .. } = planned().record else { unreachable!() };
            let record = Record::Planned { rotation: rotation("b"), tenant, window, cause, reference, left: None };
            store.append(&rotation("b"), &lease, &[Entry { record, ..note(1, "") }, note(2, "on")]).await.unwrap();
        } else {
            store.append(&rotation("a"), &lease, &[note(4, "on"), note(5, "on")]).await.unwrap();
        }
        assert_eq!((lost(&store).await, lost(&elsewhere).await), (None, None));
        cut_back(&folder.file(), "t1", 4).await;
        // By both hosts, by processes that ran and by new ones.
        let again = [open(&folder, one.path()).await, open(&folder, two.path()).await];
        for (at, store) in [&store, &elsewhere, &again[0], &again[1]].into_iter().enumerate() {
            assert!(lost(store).await.is_some(), "same case: {same_case}, process {at}");
        }
        let heads = again[0].seen();
        let verdict = &audit::verify(&again[0].tables().await.unwrap(), None, &heads)[0];
        assert!(verdict.finding.is_some(), "the audit says it, too");
    }
}

#[tokio::test]
async fn a_journal_that_has_gone_another_way_is_told_as_such() {
    let (folder, host) = (Folder::new().await, tempfile::tempdir().unwrap());
    let store = open(&folder, host.path()).await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("a"), &lease, &[planned(), note(2, "two"), note(3, "three")]).await.unwrap();
    cut_back(&folder.file(), "t1", 1).await;
    // A host that had seen nothing of it wrote on.
    let elsewhere = folder.open().await;
    elsewhere.append(&rotation("a"), &lease, &[note(2, "x"), note(3, "y"), note(4, "z")]).await.unwrap();
    let text = lost(&store).await.expect("it is not said").to_string();
    assert!(text.contains("its record 3 is another than was written"), "{text}");
}

#[tokio::test]
async fn two_hosts_with_one_journal_have_a_witness_each_and_one_that_is_behind_is_normal() {
    let (folder, one, two) = (Folder::new().await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (open(&folder, one.path()).await, open(&folder, two.path()).await);
    let lease = take(&first, "t1", me(1, 0)).await;
    first.append(&rotation("a"), &lease, &[planned(), note(2, "two")]).await.unwrap();
    assert_eq!(lost(&second).await, None);
    first.append(&rotation("a"), &lease, &[note(3, "three"), note(4, "four")]).await.unwrap();
    first.release(&lease).await.unwrap();
    let lease = take(&second, "t1", me(2, 0)).await;
    second.append(&rotation("a"), &lease, &[note(5, "five")]).await.unwrap();
    assert_eq!(lost(&first).await, None);
    cut_back(&folder.file(), "t1", 3).await;
    let (by_one, by_two) = (lost(&first).await.unwrap(), lost(&second).await.unwrap());
    assert_eq!(by_one.seen().map(|seen| seen.position), by_two.seen().map(|seen| seen.position), "it has read it");
    // What one has gone on with, the other finds in the journal.
    second.append(&rotation("a"), &lease, &[recovered(4, &by_two)]).await.unwrap();
    assert_eq!((lost(&first).await, lost(&second).await), (None, None));
}

#[tokio::test]
async fn a_witness_that_is_damaged_lost_or_can_not_be_written_is_told_and_stops_nothing() {
    let (folder, host) = (Folder::new().await, tempfile::tempdir().unwrap());
    let store = open(&folder, host.path()).await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("a"), &lease, &[planned(), note(2, "two")]).await.unwrap();
    let file = host.path().join("witness/t1");
    let told = async |store: &SqlJournal| {
        assert_eq!(lost(store).await, None);
        store.witnessed(&tenant("t1")).note
    };
    assert_eq!(told(&open(&folder, host.path()).await).await, None);
    for damaged in ["", "{", "[1]", "\u{1}\u{2}"] {
        std::fs::write(&file, damaged).unwrap();
        let text = told(&open(&folder, host.path()).await).await.expect("it is not said");
        assert!(text.contains("set aside as"), "{text}");
        assert_eq!(std::fs::read_to_string(host.path().join("witness/t1.aside")).unwrap(), damaged);
        assert_eq!(told(&open(&folder, host.path()).await).await, None, "said once, and made anew");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(told(&open(&folder, host.path()).await).await.expect("it is not said").contains("is not there"));
    assert_eq!(told(&open(&folder, host.path()).await).await, None, "said once");
    // A folder in the file's place can't be replaced by it.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir_all(file.join("x")).unwrap();
    let store = open(&folder, host.path()).await;
    assert!(told(&store).await.is_some());
    store.append(&rotation("a"), &lease, &[note(3, "three")]).await.unwrap();
}

/// The file is put back with nothing in it at all.
#[tokio::test]
async fn a_journal_that_was_emptied_is_said_and_its_case_is_begun_again_from_what_stands_outside() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let (before, mails) = (scene.status(), scene.lab.world().mails().len());
    let secrets = |scene: &Scene| scene.lab.world().key_secrets("acme").into_iter().map(|s| s.id).collect::<Vec<_>>();
    let live = secrets(&scene);
    let state = scene.wiring.config().state.directory.clone();
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = std::fs::remove_file(state.join(file));
    }
    let wiring = Wiring::open(scene.wiring.config().clone()).await.unwrap();
    let acme = as_person(&wiring, scene.acme(), "bob");
    acme.look().await;
    let status = acme.status();
    assert_eq!((status.next.action, status.rotation), (Act::Recover, None), "{}", status.next.text);
    assert!(status.lost.unwrap().to_string().contains("it is empty"));
    let (confirm, reason) = ("acme".to_owned(), "the disk was lost".to_owned());
    acme.run(Command::Recover { confirm, reason }).await.unwrap();
    acme.look().await;
    let status = acme.status();
    assert_eq!((status.rotation, status.touched), (before.rotation, true));
    assert_eq!(status.next.action, Act::Resume, "{}", status.next.text);
    acme.run(Command::Resume).await.unwrap();
    assert_eq!(secrets(&scene), live, "with the key that was live");
    assert_eq!(scene.lab.world().mails().len(), mails);
}

/// No witness is left but what Barbican keeps.
#[tokio::test]
async fn a_kept_key_of_the_rotation_of_which_the_journal_knows_nothing_stops_everything_that_acts() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let id = scene.status().rotation.unwrap();
    let name = format!("changeguard-staged-{id}-{}", scene.acme().tenant().id);
    let mails = scene.lab.world().mails().len();
    let fill = |place: &mut [u8]| -> Result<(), Fault> {
        place.fill(7);
        Ok(())
    };
    let payload = PrivateKey::generate(fill).unwrap().to_payload(false);
    scene.lab.world().add_secret(&name, "application/octet-stream", Some(payload.expose()));
    for refused in [scene.rotate().await, scene.run(Command::Resume).await] {
        let Err(RunError::Refused(Refusal::JournalLost(lost))) = refused else { panic!("{refused:?}") };
        assert!(lost.to_string().contains(&name), "{lost}");
    }
    scene.acme().look().await;
    assert_eq!(scene.status().next.action, Act::Recover);
    assert!(scene.status().attention[0].contains(&name));
    let (confirm, reason) = ("acme".to_owned(), "an older snapshot".to_owned());
    scene.run(Command::Recover { confirm, reason }).await.unwrap();
    scene.acme().look().await;
    assert_ne!(scene.status().next.action, Act::Recover);
    assert_eq!(scene.lab.world().mails().len(), mails);
    let (confirm, reason) = ("acme".to_owned(), "enough".to_owned());
    let _ = scene.run(Command::Cancel { confirm, reason }).await;
    assert!(scene.lab.world().secrets(&name).is_empty(), "it is destroyed with the others");
}

#[tokio::test]
async fn a_live_secret_that_is_younger_than_the_plan_is_said_and_a_reason_leads_on() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let secret = scene.lab.world().key_secrets("acme").remove(0);
    let later = u64::try_from(jiff::Timestamp::now().as_second()).unwrap() + 5;
    scene.lab.world().edit_secret(&secret.id, |secret| secret.created = later);
    let refused = scene.rotate().await;
    assert!(matches!(refused, Err(RunError::Refused(Refusal::JournalLost(_)))), "{refused:?}");
    scene.acme().look().await;
    assert!(scene.status().attention[0].contains("after the rotation was planned"), "{:?}", scene.status().attention);
    let (confirm, reason) = ("acme".to_owned(), "a colleague stored it".to_owned());
    scene.run(Command::Recover { confirm, reason }).await.unwrap();
    let rotation = scene.acme().rotation().unwrap();
    assert_eq!(rotation.outcome.as_ref().map(|(outcome, _, _)| *outcome), Some(Outcome::Lost));
}

/// A rotation that has ended in a lost part has put its key everywhere: what others have stored under the name has not.
#[tokio::test]
async fn a_secret_that_others_have_stored_anew_behind_the_check_is_no_lost_journal() {
    for same in [true, false] {
        let scene = Scene::start().await;
        scene.confirmed().await;
        scene.run(Command::Check).await.unwrap();
        let world = scene.lab.world();
        let secret = world.key_secrets("acme").remove(0);
        let later = u64::try_from(jiff::Timestamp::now().as_second()).unwrap() + 5;
        world.edit_secret(&secret.id, |secret| secret.created = later);
        if !same {
            let key = changeguard::engine::secret::PrivateKey::from_random([77; 32]);
            let payload = key.to_payload(false).expose().to_vec();
            world.edit_secret(&secret.id, |secret| secret.payload = Some(payload));
            // The server has followed it; the object has not.
            world.set_server_key("acme", [77; 32]);
        }
        scene.acme().look().await;
        let status = scene.status();
        assert!(status.lost.is_none(), "same key: {same}: {:?}", status.lost);
        assert_eq!(status.gate.is_open(), same, "{:?}", status.gate);
        let rotated = scene.rotate().await;
        assert!(!matches!(rotated, Err(RunError::Refused(Refusal::JournalLost(_)))), "{rotated:?}");
    }
}

/// The witness file is gone; a process that runs has itself written what is lost.
#[tokio::test]
async fn a_process_that_runs_says_it_by_its_own_memory_and_so_do_the_subcommands_of_the_host() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    scene.rotate().await.unwrap();
    let (state, id) = (scene.wiring.config().state.directory.clone(), scene.acme().tenant().id.to_string());
    let witness = std::fs::read(state.join("witness").join(&id)).unwrap();
    std::fs::remove_dir_all(state.join("witness")).unwrap();
    cut_back(&state.join("journal.db"), &id, 9).await;
    let lines = Arc::new(Mutex::new(Vec::new()));
    let said = lines.clone();
    let log: Log = Arc::new(move |whose: Whose<'_>, line: Line| {
        let Whose::Tenant(tenant) = whose else { return };
        said.lock().unwrap().push((tenant.to_owned(), line));
    });
    let mails = scene.lab.world().mails().len();
    let tally = Watch::new(&scene.fleet, &Desks::default(), None, log, Duration::from_secs(1)).once().await;
    assert_eq!(tally.persons, 1);
    let said =
        |(tenant, line): &(String, Line)| tenant == "acme" && matches!(line, Line::Person(why) if why.contains("LOST"));
    assert!(lines.lock().unwrap().iter().any(said), "{:?}", lines.lock().unwrap());
    assert_eq!(scene.lab.world().mails().len(), mails);
    // Every other process of the host, by the file.
    std::fs::create_dir_all(state.join("witness")).unwrap();
    std::fs::write(state.join("witness").join(&id), witness).unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_changeguard"));
        command.arg("--config").arg(scene.lab.config_path()).args(arguments).env_clear().env("USER", "ops");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = command.output().await.unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = run(&["status", "acme", "--json"]).await;
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &status["lost"]["sign"], &status["lost"]["ends_at"]), (Some(0), &"seen".into(), &9.into()));
    assert_eq!((&status["next"]["action"], &status["gate"]), (&"recover".into(), &"shut".into()));
    let (code, out, _) = run(&["audit", "verify", "acme"]).await;
    assert!(code == Some(1) && out.contains("NOT INTACT") && out.contains("shorter now"), "{code:?} {out}");
    let (code, _, err) = run(&["rotate", "acme", "--confirm", "acme"]).await;
    assert!(code == Some(5) && err.contains("THE END OF THE JOURNAL IS LOST"), "{code:?} {err}");
    let (_, out, _) = run(&["status"]).await;
    assert!(out.contains("LOST"), "{out}");
    let (code, _, err) = run(&["recover", "acme", "--confirm", "acme", "--reason", "no copy is left"]).await;
    assert_eq!(code, Some(0), "{err}");
    let (code, out, _) = run(&["audit", "verify", "acme"]).await;
    assert_eq!(code, Some(0), "{out}");
}

/// As without a file descriptor left: it is no witness that is lost.
#[tokio::test]
async fn a_witness_that_can_not_be_read_now_is_left_as_it_is_and_counts_again_when_it_can() {
    let (folder, host) = (Folder::new().await, tempfile::tempdir().unwrap());
    let store = open(&folder, host.path()).await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("a"), &lease, &[planned(), note(2, "two"), note(3, "three")]).await.unwrap();
    cut_back(&folder.file(), "t1", 2).await;
    let (file, kept) = (host.path().join("witness/t1"), host.path().join("kept"));
    std::fs::rename(&file, &kept).unwrap();
    std::os::unix::fs::symlink(&file, &file).unwrap();
    // A process that has only read the rotation has not seen less than nothing.
    let other = open(&folder, host.path()).await;
    other.load(&rotation("a")).await.unwrap();
    assert_eq!(lost(&other).await, None);
    assert!(other.witnessed(&tenant("t1")).note.expect("it is not said").contains("can't be read now"));
    assert!(std::fs::symlink_metadata(&file).unwrap().is_symlink(), "it was written over");
    std::fs::rename(&kept, &file).unwrap();
    other.load(&rotation("a")).await.unwrap();
    assert!(lost(&other).await.is_some());
    assert_eq!(other.witnessed(&tenant("t1")).note, None, "it can be read");
    // Nor does one that reads the rotation first write less over it.
    let third = open(&folder, host.path()).await;
    third.load(&rotation("a")).await.unwrap();
    assert!(lost(&third).await.is_some());
}

/// Both at once: what the journal says of the secret is not trusted, what a look says of it is told.
#[tokio::test]
async fn a_lost_end_leads_and_a_secret_that_no_look_finds_is_told_behind_it_until_it_is_stored_again() {
    let scene = Scene::start().await;
    scene.confirmed().await;
    let (state, id) = (scene.wiring.config().state.directory.clone(), scene.acme().tenant().id.to_string());
    let faults = scene.lab.faults();
    faults.add(Rule::new(Service::Barbican, Refused::Status(403)).method("POST").which(Which::From(3)));
    assert!(scene.rotate().await.is_err());
    scene.acme().look().await;
    let status = scene.status();
    assert!(status.lost.is_none() && status.next.text.starts_with("SECRET MISSING"), "{}", status.next.text);
    let touching = scene.acme().entries().iter().position(|e| matches!(e.record, Record::Touching { .. })).unwrap();
    cut_back(&state.join("journal.db"), &id, touching as i64).await;
    let leads = |status: &TenantStatus, live: Live| {
        let (lost, truth) = (status.lost.clone().expect("it is not lost"), status.truth.clone().expect("it is there"));
        assert_eq!((truth.live, truth.since), (live, None), "{truth}");
        assert_eq!(status.attention[..2], [lost.to_string(), truth.to_string()]);
        assert_eq!(status.next.action, Act::Recover);
        let text = &status.next.text;
        assert!(text.starts_with(&format!("{lost}; {}", truth.lead)), "{text}");
        assert!(!truth.to_string().contains("is kept"), "what is left of the journal can't say so: {truth}");
    };
    // A process that has not looked knows only that it was about to be changed.
    let wiring = Wiring::open(scene.wiring.config().clone()).await.unwrap();
    let acme = as_person(&wiring, scene.acme(), "bob");
    acme.reload().await.unwrap();
    leads(&acme.status(), Live::Unknown);
    acme.look().await;
    leads(&acme.status(), Live::Missing);
    let (confirm, reason) = ("acme".to_owned(), "no copy is left".to_owned());
    acme.run(Command::Recover { confirm, reason }).await.unwrap();
    // Now the journal knows it.
    let (status, rotation) = (acme.status(), acme.rotation().unwrap());
    assert_eq!(rotation.live.known(), Live::Missing);
    assert!(status.lost.is_none() && status.truth.is_some_and(|truth| truth.since.is_some()));
    assert_eq!(status.next.action, Act::Resume, "{}", status.next.text);
    assert!(acme.run(Command::Resume).await.is_err());
    assert!(acme.status().next.text.starts_with("SECRET MISSING"), "{}", acme.status().next.text);
    faults.clear();
    acme.run(Command::Resume).await.unwrap();
    acme.look().await;
    assert_eq!(acme.status().truth, None);
    assert_eq!(scene.lab.world().key_secrets("acme").len(), 1);
}
