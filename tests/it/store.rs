//! The journal's store: one writer per tenant, one record per number, and files that must not be touched.

use changeguard::adapters::store::SqlJournal;
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::domain::tenant::TenantId;
use changeguard::engine::journal::{AppendError, Holder, JournalStore, Lease};
use changeguard::engine::record::{Entry, RECORD_VERSION, Record, RotationId};
use jiff::Timestamp;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(30);

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state of 50%?")
    }

    fn file(&self) -> PathBuf {
        self.state().join("journal.db")
    }

    async fn open(&self) -> SqlJournal {
        SqlJournal::in_folder(&self.state()).await.unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

fn me(pid: u32, second: i64) -> Holder {
    Holder { name: "ada".into(), host: "bastion".into(), pid, since: at(second), heartbeat: at(second) }
}

fn rotation(name: &str) -> RotationId {
    RotationId(name.into())
}

fn note(seq: u64, text: &str) -> Entry {
    Entry {
        seq,
        version: RECORD_VERSION,
        at: at(seq as i64),
        by: "ada".into(),
        host: "bastion".into(),
        person: Some("ada".into()),
        ssh: None,
        record: Record::Noted { text: text.into() },
    }
}

async fn take(store: &SqlJournal, id: &str, holder: Holder) -> Lease {
    store.acquire(&tenant(id), &holder, TTL).await.unwrap().unwrap()
}

async fn refused(directory: &Path) -> Fault {
    SqlJournal::in_folder(directory).await.unwrap_err()
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart() {
    let folder = Folder::new();
    let store = folder.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let (first, second) = (rotation("20261124-1"), rotation("20261125-1"));
    store.append(&first, &lease, &[note(1, "a"), note(2, "b")]).await.unwrap();
    store.append(&first, &lease, &[note(3, "c")]).await.unwrap();
    let late = Entry { at: at(100), ..note(1, "d") };
    store.append(&second, &lease, &[late]).await.unwrap();
    let other = take(&store, "t2", me(1, 0)).await;
    store.append(&rotation("x"), &other, &[note(1, "e")]).await.unwrap();
    store.append(&first, &lease, &[]).await.unwrap();
    drop(store);
    let store = folder.open().await;
    let loaded = store.load(&first).await.unwrap();
    assert_eq!(loaded, [note(1, "a"), note(2, "b"), note(3, "c")]);
    assert!(store.load(&rotation("none")).await.unwrap().is_empty());
    let names = |heads: Vec<changeguard::engine::journal::RotationHead>| -> Vec<(String, u64)> {
        heads.into_iter().map(|head| (head.rotation.0, head.last_seq)).collect()
    };
    let newest = names(store.heads(None).await.unwrap());
    assert_eq!(newest, [("20261125-1".to_owned(), 1), ("x".to_owned(), 1)]);
    let all = names(store.heads(Some(&tenant("t1"))).await.unwrap());
    assert_eq!(all, [("20261125-1".to_owned(), 1), ("20261124-1".to_owned(), 3)]);
}

#[tokio::test]
async fn folder_and_files_are_private() {
    let folder = Folder::new();
    let store = folder.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.append(&rotation("r"), &lease, &[note(1, "a")]).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.state()), 0o700);
    for file in fs::read_dir(folder.state()).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test]
async fn of_two_writers_for_one_number_exactly_one_wins() {
    let folder = Folder::new();
    let (one, two) = (folder.open().await, folder.open().await);
    let lease = take(&one, "t1", me(1, 0)).await;
    let id = rotation("r");
    one.append(&id, &lease, &[note(1, "a")]).await.unwrap();
    for seq in 2..12 {
        let (a, b) = ([note(seq, "one")], [note(seq, "two")]);
        let answers = tokio::join!(one.append(&id, &lease, &a), two.append(&id, &lease, &b));
        match answers {
            (Ok(()), Err(AppendError::Conflict { expected })) | (Err(AppendError::Conflict { expected }), Ok(())) => {
                assert_eq!(expected, seq);
            }
            other => panic!("{other:?}"),
        }
    }
    let seqs: Vec<u64> = two.load(&id).await.unwrap().iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..12).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_batch_is_written_whole_or_not_at_all() {
    let folder = Folder::new();
    let store = folder.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let id = rotation("r");
    store.append(&id, &lease, &[note(1, "a")]).await.unwrap();
    let gap = store.append(&id, &lease, &[note(2, "b"), note(4, "c")]).await;
    assert!(matches!(gap, Err(AppendError::Fault(fault)) if fault.kind == FaultKind::Invalid));
    let late = store.append(&id, &lease, &[note(3, "b")]).await;
    assert!(matches!(late, Err(AppendError::Conflict { expected: 3 })));
    let again = store.append(&id, &lease, &[note(1, "b"), note(2, "c")]).await;
    assert!(matches!(again, Err(AppendError::Conflict { expected: 1 })));
    assert_eq!(store.load(&id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_rotation_can_not_be_written_under_another_tenants_lease() {
    let folder = Folder::new();
    let store = folder.open().await;
    let (one, two) = (take(&store, "t1", me(1, 0)).await, take(&store, "t2", me(1, 0)).await);
    let id = rotation("r");
    store.append(&id, &one, &[note(1, "a")]).await.unwrap();
    for seq in [1, 2] {
        let answer = store.append(&id, &two, &[note(seq, "b")]).await;
        assert!(matches!(answer, Err(AppendError::Fault(fault)) if fault.message.contains("belongs to tenant t1")));
    }
}

#[tokio::test]
async fn of_two_processes_exactly_one_gets_the_tenant() {
    let folder = Folder::new();
    let (one, two) = (folder.open().await, folder.open().await);
    let id = tenant("t1");
    let (first, second) = (me(1, 0), me(2, 0));
    let answers = tokio::join!(one.acquire(&id, &first, TTL), two.acquire(&id, &second, TTL));
    let (a, b) = (answers.0.unwrap(), answers.1.unwrap());
    match (&a, &b) {
        (Ok(_), Err(holder)) => assert_eq!(holder.pid, 1),
        (Err(holder), Ok(_)) => assert_eq!(holder.pid, 2),
        other => panic!("{other:?}"),
    }
    assert_eq!(one.holders().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_process_keeps_its_fence_and_its_beginning() {
    let folder = Folder::new();
    let store = folder.open().await;
    let first = take(&store, "t1", me(1, 0)).await;
    let again = take(&store, "t1", me(1, 20)).await;
    assert_eq!(first, again);
    let holders = store.holders().await.unwrap();
    assert_eq!((holders[0].1.since, holders[0].1.heartbeat), (at(0), at(20)));
}

#[tokio::test]
async fn a_lease_ends_with_its_heartbeat_and_the_late_holder_can_write_no_more() {
    let folder = Folder::new();
    let (one, two) = (folder.open().await, folder.open().await);
    let id = rotation("r");
    let old = take(&one, "t1", me(1, 0)).await;
    one.append(&id, &old, &[note(1, "a")]).await.unwrap();
    assert!(one.renew(&old, at(10)).await.unwrap());
    let early = two.acquire(&tenant("t1"), &me(2, 40), TTL).await.unwrap();
    assert_eq!(early.unwrap_err().heartbeat, at(10), "30 s old is not older than 30 s");
    let new = take(&two, "t1", me(2, 41)).await;
    assert!(new.fence > old.fence);
    assert!(matches!(one.append(&id, &old, &[note(2, "late")]).await, Err(AppendError::LeaseLost)));
    assert!(!one.renew(&old, at(42)).await.unwrap());
    one.release(&old).await.unwrap();
    assert_eq!(two.holders().await.unwrap()[0].1.pid, 2, "a late release takes nothing away");
    two.append(&id, &new, &[note(2, "b")]).await.unwrap();
}

#[tokio::test]
async fn a_take_over_is_possible_at_once_and_a_release_frees_the_tenant() {
    let folder = Folder::new();
    let store = folder.open().await;
    let old = take(&store, "t1", me(1, 50)).await;
    let new = store.acquire(&tenant("t1"), &me(2, 50), Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(new.fence, old.fence + 1);
    store.release(&new).await.unwrap();
    assert!(store.holders().await.unwrap().is_empty());
    let answer = store.append(&rotation("r"), &new, &[note(1, "a")]).await;
    assert!(matches!(answer, Err(AppendError::LeaseLost)));
    let third = take(&store, "t1", me(2, 51)).await;
    assert_eq!(third.fence, new.fence + 1, "a tenant that was given back has changed hands");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = Folder::new();
    let store = folder.open().await;
    store.close().await;
    change(&folder, "INSERT INTO schema_version (version) VALUES (99)").await;
    let fault = refused(&folder.state()).await;
    assert!(fault.message.contains("newer changeguard (schema 99"), "{fault}");
}

#[tokio::test]
async fn records_that_are_newer_damaged_or_missing_are_named() {
    let folder = Folder::new();
    let store = folder.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let id = rotation("r");
    store.append(&id, &lease, &[note(1, "a"), note(2, "b"), note(3, "c")]).await.unwrap();
    change(&folder, "UPDATE record SET entry = '{\"seq\":3}' WHERE seq = 3").await;
    assert!(store.load(&id).await.unwrap_err().message.contains("record 3 of rotation r can't be understood"));
    change(&folder, "UPDATE record SET version = 99 WHERE seq = 2").await;
    let fault = store.load(&id).await.unwrap_err();
    assert!(fault.message.contains("record 2 of rotation r was written by a newer changeguard"), "{fault}");
    change(&folder, "DELETE FROM record WHERE seq = 1").await;
    assert!(store.load(&id).await.unwrap_err().message.contains("record 1 of rotation r is missing"));
}

#[tokio::test]
async fn a_truncated_file_and_one_that_is_no_database_are_refused_and_left_alone() {
    let folder = Folder::new();
    let store = folder.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    let long = "x".repeat(20_000);
    store.append(&rotation("r"), &lease, &[note(1, &long)]).await.unwrap();
    store.close().await;
    let whole = fs::read(folder.file()).unwrap();
    fs::write(folder.file(), &whole[..whole.len() / 2]).unwrap();
    let fault = refused(&folder.state()).await;
    assert!(fault.message.contains("damaged"), "{fault}");
    assert_eq!(fs::read(folder.file()).unwrap(), whole[..whole.len() / 2]);
    fs::write(folder.file(), "this is no database, it is a text that somebody has put here. ".repeat(40)).unwrap();
    let fault = refused(&folder.state()).await;
    assert!(fault.message.contains("damaged") && fault.advice().contains("nothing was written"), "{fault}");
}

#[tokio::test]
async fn what_others_can_enter_or_read_is_refused_with_the_command_that_helps() {
    let folder = Folder::new();
    folder.open().await.close().await;
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let fault = refused(&folder.state()).await;
    assert!(fault.advice().starts_with("run: chmod 600"), "{}", fault.advice());
    fs::set_permissions(folder.state(), fs::Permissions::from_mode(0o750)).unwrap();
    let fault = refused(&folder.state()).await;
    assert!(fault.advice().starts_with("run: chmod 700"), "{}", fault.advice());
    assert_eq!(fault.kind, FaultKind::Refused);
    let file = folder.0.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(refused(&file).await.message.contains("can't be made"));
    assert!(refused(Path::new("/proc/changeguard")).await.message.contains("can't be made"));
}

/// What another program might have done to the file.
async fn change(folder: &Folder, statement: &'static str) {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(folder.file());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
