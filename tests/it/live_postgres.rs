//! The journal on a real PostgreSQL server: everything of `store_suite`, and the faults that only a server has.
//! `tests/live/postgres` starts the server; each test has a database of its own.

use crate::store_leases::every_lease_test;
use crate::store_suite::{Place, every_store_test};
use changeguard::adapters::PasswordSource;
use changeguard::adapters::store::{Server, SqlJournal};
use changeguard::domain::fault::Fault;
use changeguard::engine::journal::JournalStore;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database for one test.
pub struct Database {
    name: String,
    password_file: PathBuf,
    /// `127.0.0.1:PORT`
    address: String,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// postgres.json, which `tests/live/postgres` writes beside live.json.
pub fn described() -> serde_json::Value {
    let path = PathBuf::from(std::env::var("LIVE_JSON").expect("LIVE_JSON: run tests/live/run"));
    serde_json::from_str(&std::fs::read_to_string(path.with_file_name("postgres.json")).unwrap()).unwrap()
}

impl Database {
    /// The address for the configuration.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/{}", self.address, self.name)
    }

    /// The same with the password, for whoever is not the program.
    pub fn url_with_password(&self) -> String {
        let password = std::fs::read_to_string(&self.password_file).unwrap();
        self.url().replace("postgres@", &format!("postgres:{}@", password.trim()))
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the password is.
    pub fn password(&self) -> PasswordSource {
        PasswordSource::File(self.password_file.clone())
    }

    /// A connection that is not the program's.
    pub async fn connection(&self, database: &str) -> PgConnection {
        let password = std::fs::read_to_string(&self.password_file).unwrap();
        let (host, port) = self.address.split_once(':').unwrap();
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .host(host)
            .port(port.parse().unwrap())
            .username("postgres")
            .password(password.trim())
            .database(database);
        PgConnection::connect_with(&options).await.unwrap()
    }

    /// Opens the journal, or not.
    pub async fn try_open(&self, url: &str, password: PasswordSource) -> Result<SqlJournal, Fault> {
        SqlJournal::on_server(Server::new(url, password, None)?).await
    }
}

impl Place for Database {
    async fn new() -> Self {
        let described = described();
        let text = |field: &str| described[field].as_str().unwrap().to_owned();
        let name = format!("cg_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let place = Self { name, password_file: text("password_file").into(), address: text("address") };
        let mut connection = place.connection("postgres").await;
        let create = format!("CREATE DATABASE {}", place.name);
        sqlx::query(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
        place
    }

    async fn open(&self) -> SqlJournal {
        self.try_open(&self.url(), self.password()).await.unwrap()
    }

    async fn change(&self, statement: &str) {
        let mut connection = self.connection(&self.name).await;
        sqlx::query("SET session_replication_role = replica").execute(&mut connection).await.unwrap();
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }

    async fn refuses(&self) -> Fault {
        self.try_open(&self.url(), self.password()).await.unwrap_err()
    }
}

macro_rules! on_postgres {
    ($suite:ident: $($name:ident),*) => { $(
        #[tokio::test]
        #[ignore = "needs tests/live/run"]
        async fn $name() {
            crate::$suite::$name::<Database>().await;
        }
    )* };
}
every_store_test!(on_postgres);
every_lease_test!(on_postgres);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs tests/live/run"]
async fn whoever_has_not_watched_watches_first() {
    crate::store_leases::whoever_has_not_watched_watches_first::<Database>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs tests/live/run"]
async fn whoever_meets_a_living_holder_waits_for_a_moment_and_says_so_at_once() {
    crate::store_leases::whoever_meets_a_living_holder_waits_for_a_moment_and_says_so_at_once::<Database>().await;
}

#[tokio::test]
#[ignore = "needs tests/live/run"]
async fn the_server_says_how_late_it_is() {
    let store = Database::new().await.open().await;
    let before = jiff::Timestamp::now().as_second();
    let clock = store.clock().await.unwrap().unwrap().as_second();
    // One machine here, so one clock; the server cuts, we cut.
    assert!((before - 1..=jiff::Timestamp::now().as_second() + 1).contains(&clock));
}
