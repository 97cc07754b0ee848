//! The journal's tables, how an older journal becomes a newer one, and the refusal of one that is newer than we are.
//!
//! The same for SQLite and PostgreSQL but for what a connection must be told and how migrations are guarded.

use super::trouble::{Failure, invalid, trouble};
use super::writing::{insert_persons, random_bytes};
use crate::domain::fault::Fault;
use crate::engine::audit::{Row, genesis, link};
use crate::engine::persons::Persons;
use sqlx::{AnyConnection, Connection, Row as _};

/// Run on each new connection. Waiting comes first, since the change to WAL needs a lock. FULL: a commit is on the disk
/// when it returns, which "journal first" rests on. Secure delete: what is erased is overwritten with zeros.
const PRAGMAS: [&str; 5] = [
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
];

/// The same for PostgreSQL. A process that is stopped within a transaction must not keep its locks: the others would wait
/// for it. `synchronous_commit` off would lose what COMMIT has promised.
const SETTINGS: [&str; 4] = [
    "SET statement_timeout = 8000",
    "SET lock_timeout = 5000",
    "SET idle_in_transaction_session_timeout = 10000",
    "SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') \
     THEN 'on' ELSE current_setting('synchronous_commit') END, false)",
];

/// The advisory lock that guards migrations: any number that nobody else uses.
const LOCK: &str = "SELECT pg_advisory_lock(7241563092)";

/// One list of statements per version, only ever added to. BIGINT and TEXT only: sqlx's `Any` can't read other types.
const VERSIONS: [&[&str]; 4] = [
    &[
        "CREATE TABLE lease (tenant TEXT NOT NULL PRIMARY KEY, fence BIGINT NOT NULL, held BIGINT NOT NULL, \
     appends BIGINT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL, \
     since_ms BIGINT NOT NULL, heartbeat_ms BIGINT NOT NULL)",
        "CREATE TABLE rotation (rotation TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, began_ms BIGINT NOT NULL, \
     last_seq BIGINT NOT NULL)",
        "CREATE INDEX rotation_by_tenant ON rotation (tenant, began_ms)",
        "CREATE TABLE record (rotation TEXT NOT NULL REFERENCES rotation (rotation), seq BIGINT NOT NULL, \
     version BIGINT NOT NULL, fence BIGINT NOT NULL, at_ms BIGINT NOT NULL, entry TEXT NOT NULL, \
     PRIMARY KEY (rotation, seq))",
    ],
    &[
        "ALTER TABLE record ADD COLUMN tenant TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE record ADD COLUMN position BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE record ADD COLUMN hash TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE chain (tenant TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL, hash TEXT NOT NULL, \
     imported BIGINT NOT NULL)",
        "CREATE TABLE person (token TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, person TEXT NOT NULL, \
     nonce TEXT NOT NULL, value TEXT NOT NULL)",
        "CREATE INDEX person_by_tenant ON person (tenant)",
    ],
    &[
        "CREATE TABLE mailbox (mailbox TEXT NOT NULL, folder TEXT NOT NULL, uid_validity BIGINT NOT NULL, \
     next_uid BIGINT NOT NULL, PRIMARY KEY (mailbox, folder))",
        "CREATE TABLE stray (mailbox TEXT NOT NULL, mail TEXT NOT NULL, at_ms BIGINT NOT NULL, place TEXT NOT NULL, \
     sender TEXT NOT NULL, subject TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (mailbox, mail))",
    ],
    // A lease that is held stays held: whoever holds it, by a changeguard of before, is watched like any other.
    &[
        "ALTER TABLE lease ADD COLUMN instance TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE lease ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE lease ADD COLUMN namespace TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE lease ADD COLUMN started BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE lease ADD COLUMN beats BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE lease ADD COLUMN beat_ms BIGINT NOT NULL DEFAULT 0",
    ],
];
/// After the old records have their places.
const INDEX_OF_CHAIN: &str = "CREATE UNIQUE INDEX record_by_position ON record (tenant, position)";
/// The version with which the chain began.
const CHAIN: i64 = 2;

/// Sets a new connection to SQLite up.
pub(super) async fn set_up_sqlite(connection: &mut AnyConnection) -> sqlx::Result<()> {
    for pragma in PRAGMAS {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Sets a new connection to PostgreSQL up.
pub(super) async fn set_up_postgres(connection: &mut AnyConnection) -> sqlx::Result<()> {
    for setting in SETTINGS {
        sqlx::query(setting).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Refuses a damaged file.
pub(super) async fn check_sqlite(connection: &mut AnyConnection) -> Result<(), Fault> {
    let checked = async {
        // sqlx ends its thread on a column's declaration that is no UTF-8, and we would wait for it: looked at first.
        let texts =
            sqlx::query("SELECT CAST(COALESCE(sql, '') AS BLOB) FROM sqlite_schema").fetch_all(&mut *connection);
        for row in texts.await? {
            if std::str::from_utf8(row.try_get(0)?).is_err() {
                return Err(super::trouble::damaged("the tables' definitions are no text").into());
            }
        }
        check(connection, "PRAGMA quick_check(1)").await
    };
    checked.await.map_err(|failure: Failure| failure.fault("checking the journal"))
}

/// The same with every index compared with its table, which takes longer.
pub(super) async fn integrity_sqlite(connection: &mut AnyConnection) -> Result<(), Failure> {
    check(connection, "PRAGMA integrity_check(1)").await
}

async fn check(connection: &mut AnyConnection, pragma: &'static str) -> Result<(), Failure> {
    let row = sqlx::query(pragma).fetch_one(&mut *connection).await?;
    let verdict: String = row.try_get(0)?;
    if verdict == "ok" { Ok(()) } else { Err(super::trouble::damaged(&verdict).into()) }
}

/// Brings an older PostgreSQL journal up to date, one process at a time. Nothing is written to one that is up to date, so
/// that a read-only standby can be read.
pub(super) async fn migrate_postgres(connection: &mut AnyConnection) -> Result<(), Failure> {
    if known(version(connection).await?)? {
        return Ok(());
    }
    // Given back when this connection is closed.
    sqlx::query(LOCK).execute(&mut *connection).await?;
    Ok(migrate(connection).await?)
}

/// Brings an older journal up to date, and refuses a newer one. The caller sees to it that nobody else does the same.
pub(super) async fn migrate(connection: &mut AnyConnection) -> Result<(), Fault> {
    let failed = |failure: Failure| failure.fault("preparing the journal's tables");
    let found = version(connection).await.map_err(|failure| failure.fault("reading the journal's version"))?;
    if known(found).map_err(failed)? {
        return Ok(());
    }
    step(connection, found).await.map_err(failed)
}

/// Whether a version is the newest. A newer one is refused.
fn known(found: i64) -> Result<bool, Failure> {
    let newest = VERSIONS.len() as i64;
    if found > newest {
        let message =
            format!("the journal was written by a newer changeguard (schema {found}, this one knows {newest})");
        return Err(invalid(message)
            .hint("use the newer changeguard, or name another journal in [state]; nothing was changed")
            .into());
    }
    Ok(found == newest)
}

async fn step(connection: &mut AnyConnection, found: i64) -> Result<(), Failure> {
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *connection)
        .await?;
    let missing = VERSIONS.iter().zip(1i64..).skip(usize::try_from(found).unwrap_or_default());
    for (statements, version) in missing {
        let mut transaction = connection.begin().await?;
        for statement in *statements {
            sqlx::query(*statement).execute(&mut *transaction).await?;
        }
        if version == CHAIN {
            chain_what_is_there(&mut transaction).await?;
            sqlx::query(INDEX_OF_CHAIN).execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// The newest version that was prepared; 0 for an empty database.
async fn version(connection: &mut AnyConnection) -> Result<i64, Failure> {
    // CAST: without it SQLite gives the expression no type, and `Any` refuses to read it.
    let asked = sqlx::query("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM schema_version")
        .fetch_one(&mut *connection)
        .await;
    match asked {
        Ok(row) => Ok(row.try_get(0)?),
        Err(error) if is_no_such_table(&error) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// SQLite has no code of its own for it; PostgreSQL's is 42P01.
fn is_no_such_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|database| {
        database.code().as_deref() == Some("42P01") || database.message().starts_with("no such table")
    })
}

/// Gives the records of a journal that had no chain their places, rotation after rotation. The chain can't prove what was
/// done to them before; how many they are stands in its head.
async fn chain_what_is_there(connection: &mut AnyConnection) -> Result<(), Failure> {
    let found = sqlx::query(
        "SELECT t.tenant, r.rotation, r.seq, r.version, r.fence, r.at_ms, r.entry FROM record r \
         JOIN rotation t ON t.rotation = r.rotation ORDER BY t.tenant, t.began_ms, t.rotation, r.seq",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut by_tenant: Vec<(String, Vec<Row>)> = Vec::new();
    for row in &found {
        let tenant: String = row.try_get(0)?;
        if by_tenant.last().is_none_or(|(last, _)| *last != tenant) {
            by_tenant.push((tenant.clone(), Vec::new()));
        }
        let Some((_, rows)) = by_tenant.last_mut() else { continue };
        let (position, hash) = (rows.len() as i64 + 1, String::new());
        let (rotation, seq, version) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let (fence, at_ms, text) = (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
        rows.push(Row { tenant, position, rotation, seq, version, fence, at_ms, text, hash });
    }
    for (tenant, mut rows) in by_tenant {
        let imported = rows.len() as i64;
        let mut previous = genesis(&tenant, imported);
        let mut persons = Persons::new(&tenant, Vec::new(), random_bytes);
        for row in &mut rows {
            row.text = persons.hide_text(&row.text)?;
            row.hash = link(&previous, row);
            previous = row.hash.clone();
            sqlx::query(
                "UPDATE record SET tenant = $3, position = $4, hash = $5, entry = $6 WHERE rotation = $1 AND seq = $2",
            )
            .bind(&row.rotation)
            .bind(row.seq)
            .bind(&row.tenant)
            .bind(row.position)
            .bind(&row.hash)
            .bind(&row.text)
            .execute(&mut *connection)
            .await?;
        }
        insert_persons(connection, persons.fresh()).await?;
        sqlx::query("INSERT INTO chain (tenant, position, hash, imported) VALUES ($1, $2, $3, $4)")
            .bind(&tenant)
            .bind(imported)
            .bind(&previous)
            .bind(imported)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Takes erased bytes out of SQLite's write-ahead log; in the file itself they were overwritten.
pub(super) async fn wipe_sqlite(connection: &mut AnyConnection) -> Result<String, Failure> {
    // A reader that stays away for a moment is waited for: busy_timeout.
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    let busy: i64 = row.try_get(0)?;
    let note = "another changeguard was reading: the bytes leave journal.db-wal when all of them have ended";
    Ok(if busy == 0 { String::new() } else { note.to_owned() })
}

/// Rewrites PostgreSQL's table without the erased rows.
pub(super) async fn wipe_postgres(connection: &mut AnyConnection) -> Result<String, Failure> {
    let rewritten = sqlx::query("VACUUM FULL person").execute(connection).await;
    rewritten.map_err(|error| trouble("rewriting the table of persons", &error))?;
    Ok("the server's WAL archive, standbys and backups are not reached from here".to_owned())
}
