//! The journal's tables, how an older file becomes a newer one, and the refusal of a file that is newer than we are.
//!
//! What is written into the tables is `mod`'s.

use super::trouble::{invalid, trouble};
use crate::domain::fault::Fault;
use sqlx::{AnyConnection, Connection, Row};

/// Run on each new connection. Waiting comes first, since the change to WAL needs a lock. FULL: a commit is on the disk
/// when it returns, which "journal first" rests on.
const PRAGMAS: [&str; 4] = [
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
];

/// One list of statements per version, only ever added to. BIGINT and TEXT only: sqlx's `Any` can't read other types.
const VERSIONS: [&[&str]; 1] = [&[
    "CREATE TABLE lease (tenant TEXT NOT NULL PRIMARY KEY, fence BIGINT NOT NULL, held BIGINT NOT NULL, \
     appends BIGINT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL, \
     since_ms BIGINT NOT NULL, heartbeat_ms BIGINT NOT NULL)",
    "CREATE TABLE rotation (rotation TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, began_ms BIGINT NOT NULL, \
     last_seq BIGINT NOT NULL)",
    "CREATE INDEX rotation_by_tenant ON rotation (tenant, began_ms)",
    "CREATE TABLE record (rotation TEXT NOT NULL REFERENCES rotation (rotation), seq BIGINT NOT NULL, \
     version BIGINT NOT NULL, fence BIGINT NOT NULL, at_ms BIGINT NOT NULL, entry TEXT NOT NULL, \
     PRIMARY KEY (rotation, seq))",
]];

/// Sets a new connection up.
pub(super) async fn set_up(connection: &mut AnyConnection) -> sqlx::Result<()> {
    for pragma in PRAGMAS {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Refuses a damaged or newer file, and brings an older one up to date. The caller holds the folder's lock.
pub(super) async fn check_and_migrate(connection: &mut AnyConnection) -> Result<(), Fault> {
    let failed = |error: sqlx::Error| trouble("checking the journal", &error);
    let verdict: String = sqlx::query("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    if verdict != "ok" {
        return Err(super::trouble::damaged(&verdict));
    }
    let found = version(connection).await?;
    let newest = VERSIONS.len() as i64;
    if found > newest {
        let message =
            format!("the journal was written by a newer changeguard (schema {found}, this one knows {newest})");
        return Err(
            invalid(message).hint("use the newer changeguard, or name another state.directory; nothing was changed")
        );
    }
    let missing = VERSIONS.iter().zip(1i64..).skip(usize::try_from(found).unwrap_or_default());
    for (statements, version) in missing {
        let failed = |error: sqlx::Error| trouble("preparing the journal's tables", &error);
        let mut transaction = connection.begin().await.map_err(failed)?;
        for statement in *statements {
            sqlx::query(*statement).execute(&mut *transaction).await.map_err(failed)?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
    }
    Ok(())
}

async fn version(connection: &mut AnyConnection) -> Result<i64, Fault> {
    let failed = |error: sqlx::Error| trouble("reading the journal's version", &error);
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    // CAST: without it SQLite gives the expression no type, and `Any` refuses to read it.
    let row = sqlx::query("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM schema_version")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    row.try_get(0).map_err(failed)
}
