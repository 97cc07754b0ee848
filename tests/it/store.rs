//! The journal in SQLite: everything of `store_suite`, and files that must not be touched.

use changeguard::adapters::store::SqlJournal;
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::engine::journal::JournalStore;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::store_leases::every_lease_test;
use crate::store_suite::{Place, every_store_test, me, note, rotation, take};

/// A folder for one test.
pub struct Folder(pub tempfile::TempDir);

impl Folder {
    pub fn state(&self) -> PathBuf {
        self.0.path().join("state of 50%?")
    }

    pub fn file(&self) -> PathBuf {
        self.state().join("journal.db")
    }
}

impl Place for Folder {
    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> SqlJournal {
        SqlJournal::in_folder(&self.state()).await.unwrap()
    }

    async fn change(&self, statement: &str) {
        use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
        let options = SqliteConnectOptions::new().filename(self.file()).foreign_keys(false);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn refuses(&self) -> Fault {
        refused(&self.state()).await
    }
}

macro_rules! on_sqlite {
    ($suite:ident: $($name:ident),*) => { $(
        #[tokio::test]
        async fn $name() {
            crate::$suite::$name::<Folder>().await;
        }
    )* };
}
every_store_test!(on_sqlite);
every_lease_test!(on_sqlite);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_not_watched_watches_first() {
    crate::store_leases::whoever_has_not_watched_watches_first::<Folder>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_meets_a_living_holder_waits_for_a_moment_and_says_so_at_once() {
    crate::store_leases::whoever_meets_a_living_holder_waits_for_a_moment_and_says_so_at_once::<Folder>().await;
}

#[tokio::test]
async fn its_clock_is_ours_and_there_is_nothing_to_compare() {
    assert_eq!(Folder::new().await.open().await.clock().await.unwrap(), None);
}

async fn refused(directory: &Path) -> Fault {
    SqlJournal::in_folder(directory).await.unwrap_err()
}

#[tokio::test]
async fn folder_and_files_are_private() {
    let folder = Folder::new().await;
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
async fn a_truncated_file_and_one_that_is_no_database_are_refused_and_left_alone() {
    let folder = Folder::new().await;
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
    let folder = Folder::new().await;
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
