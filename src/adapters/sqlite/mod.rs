//! The journal in SQLite: appends under a lease, in one durable transaction each.
//!
//! The SQL text is such that PostgreSQL would take it too ($1, BIGINT and TEXT, ON CONFLICT .. RETURNING). What the
//! records mean is the engine's business; where the file may lie is `place`, its tables are `schema`, its faults `trouble`.

mod place;
mod schema;
mod trouble;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::TenantId;
use crate::engine::journal::{AppendError, Holder, JournalStore, Lease, RotationHead};
use crate::engine::record::{Entry, RECORD_VERSION, RotationId};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyConnection, AnyPool, Connection, Row};
use std::path::Path;
use std::time::Duration;
use trouble::{invalid, trouble};

/// How long an operation waits for a free connection; above `busy_timeout`, so that the fault tells the truer reason.
const ACQUIRE: Duration = Duration::from_secs(10);

/// Says yes only to the tenant's holder of this fence. A write, so that it takes the transaction's lock at once: SQLite then
/// waits for other writers instead of failing later, PostgreSQL locks the row.
const CHECK_LEASE: &str = "UPDATE lease SET appends = appends + 1 WHERE tenant = $1 AND fence = $2 AND held = 1";
const BEGIN_ROTATION: &str = "INSERT INTO rotation (rotation, tenant, began_ms, last_seq) VALUES ($1, $2, $3, $4) ON CONFLICT (rotation) DO NOTHING";
const ADVANCE_ROTATION: &str =
    "UPDATE rotation SET last_seq = $4 WHERE rotation = $1 AND tenant = $2 AND last_seq = $3";
const TENANT_OF: &str = "SELECT tenant FROM rotation WHERE rotation = $1";
const INSERT_RECORD: &str =
    "INSERT INTO record (rotation, seq, version, fence, at_ms, entry) VALUES ($1, $2, $3, $4, $5, $6)";
const LOAD: &str = "SELECT seq, version, entry FROM record WHERE rotation = $1 ORDER BY seq";
const HEADS_OF_TENANT: &str =
    "SELECT rotation, tenant, last_seq FROM rotation WHERE tenant = $1 ORDER BY began_ms DESC, rotation DESC";
const NEWEST_HEADS: &str = "SELECT r.rotation, r.tenant, r.last_seq FROM rotation r WHERE NOT EXISTS (SELECT 1 FROM rotation n \
     WHERE n.tenant = r.tenant AND (n.began_ms > r.began_ms OR (n.began_ms = r.began_ms AND n.rotation > r.rotation))) \
     ORDER BY r.began_ms DESC, r.rotation DESC";
/// The fence goes up when the tenant changes hands; the same process (user, host, pid) keeps its own.
const ACQUIRE_LEASE: &str = "INSERT INTO lease (tenant, fence, held, appends, name, host, pid, since_ms, heartbeat_ms) \
     VALUES ($1, 1, 1, 0, $2, $3, $4, $5, $6) ON CONFLICT (tenant) DO UPDATE SET \
     fence = lease.fence + CASE WHEN lease.held = 1 AND lease.name = $2 AND lease.host = $3 AND lease.pid = $4 THEN 0 ELSE 1 END, \
     since_ms = CASE WHEN lease.held = 1 AND lease.name = $2 AND lease.host = $3 AND lease.pid = $4 THEN lease.since_ms ELSE $5 END, \
     held = 1, name = $2, host = $3, pid = $4, heartbeat_ms = $6 \
     WHERE lease.held = 0 OR lease.heartbeat_ms < $7 OR (lease.name = $2 AND lease.host = $3 AND lease.pid = $4) \
     RETURNING fence";
/// Only from the holder that was seen: of two who both saw it dead, the second finds the first.
const TAKE_FROM: &str = "UPDATE lease SET fence = fence + 1, held = 1, name = $2, host = $3, pid = $4, since_ms = $5, heartbeat_ms = $6 \
     WHERE tenant = $1 AND held = 1 AND name = $7 AND host = $8 AND pid = $9 AND since_ms = $10 RETURNING fence";
const HOLDER_OF: &str = "SELECT tenant, name, host, pid, since_ms, heartbeat_ms FROM lease WHERE tenant = $1";
const HOLDERS: &str =
    "SELECT tenant, name, host, pid, since_ms, heartbeat_ms FROM lease WHERE held = 1 ORDER BY tenant";
const RENEW: &str = "UPDATE lease SET heartbeat_ms = $3 WHERE tenant = $1 AND fence = $2 AND held = 1";
const HOLDS: &str = "SELECT 1 FROM lease WHERE tenant = $1 AND fence = $2 AND held = 1";
const RELEASE: &str = "UPDATE lease SET held = 0 WHERE tenant = $1 AND fence = $2 AND held = 1";

/// The journal's store in one SQLite file, shared by every changeguard of this user on this host.
#[derive(Clone, Debug)]
pub struct SqliteJournal {
    pool: AnyPool,
}

impl SqliteJournal {
    /// Opens the journal in a folder, making both if they are not there.
    ///
    /// Errors: the folder or the file is open to others, not ours, on a network file system, read-only or damaged, or was
    /// written by a newer version. Nothing is changed then.
    pub async fn open(directory: &Path) -> Result<Self, Fault> {
        let place = place::prepare(directory)?;
        // Held until this returns: two processes that open a new journal at once must not both make its tables.
        let _lock = place.lock().await?;
        // A second call in one process says "already installed", which is what we want.
        let _ = sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER]);
        let failed = |error: sqlx::Error| trouble("opening the journal", &error);
        let options: AnyConnectOptions = place.url().parse().map_err(failed)?;
        // One connection of its own first: a pool tries again and again and then says only that it took too long.
        let mut connection = AnyConnection::connect_with(&options).await.map_err(failed)?;
        schema::set_up(&mut connection).await.map_err(failed)?;
        schema::check_and_migrate(&mut connection).await?;
        connection.close().await.map_err(failed)?;
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE)
            .after_connect(|connection, _| Box::pin(schema::set_up(connection)))
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Closes the file: what the write-ahead log holds is put into it. Without this nothing is lost either.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl JournalStore for SqliteJournal {
    async fn append(&self, rotation: &RotationId, lease: &Lease, entries: &[Entry]) -> Result<(), AppendError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        if entries.iter().zip(first.seq..).any(|(entry, seq)| entry.seq != seq) || first.seq == 0 {
            return Err(invalid("records to be written are not numbered one after the other").into());
        }
        let failed = |error: sqlx::Error| AppendError::Fault(trouble("writing the journal", &error));
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let held = sqlx::query(CHECK_LEASE)
            .bind(lease.tenant.as_str())
            .bind(number(lease.fence))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if held.rows_affected() != 1 {
            return Err(AppendError::LeaseLost);
        }
        let head = if first.seq == 1 {
            sqlx::query(BEGIN_ROTATION).bind(&rotation.0).bind(lease.tenant.as_str()).bind(first.at.as_millisecond())
        } else {
            sqlx::query(ADVANCE_ROTATION).bind(&rotation.0).bind(lease.tenant.as_str()).bind(number(first.seq - 1))
        };
        let moved = head.bind(number(last.seq)).execute(&mut *transaction).await.map_err(failed)?;
        if moved.rows_affected() != 1 {
            let row =
                sqlx::query(TENANT_OF).bind(&rotation.0).fetch_optional(&mut *transaction).await.map_err(failed)?;
            return match row.map(|row| row.try_get::<String, _>(0)).transpose().map_err(failed)? {
                Some(tenant) if tenant != lease.tenant.as_str() => {
                    Err(invalid(format!("rotation {rotation} belongs to tenant {tenant}, not to {}", lease.tenant))
                        .into())
                }
                _ => Err(AppendError::Conflict { expected: first.seq }),
            };
        }
        for entry in entries {
            let text = serde_json::to_string(entry)
                .map_err(|error| invalid(format!("record {} can't be written as JSON: {error}", entry.seq)))?;
            sqlx::query(INSERT_RECORD)
                .bind(&rotation.0)
                .bind(number(entry.seq))
                .bind(i64::from(entry.version))
                .bind(number(lease.fence))
                .bind(entry.at.as_millisecond())
                .bind(text)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn load(&self, rotation: &RotationId) -> Result<Vec<Entry>, Fault> {
        let failed = |error: sqlx::Error| trouble("reading the journal", &error);
        let rows = sqlx::query(LOAD).bind(&rotation.0).fetch_all(&self.pool).await.map_err(failed)?;
        let mut entries = Vec::with_capacity(rows.len());
        for (row, expected) in rows.iter().zip(1u64..) {
            let seq = counted(row.try_get(0).map_err(failed)?);
            let version: i64 = row.try_get(1).map_err(failed)?;
            let text: String = row.try_get(2).map_err(failed)?;
            if seq != expected {
                return Err(invalid(format!("record {expected} of rotation {rotation} is missing")));
            }
            if version > i64::from(RECORD_VERSION) {
                let message = format!(
                    "record {seq} of rotation {rotation} was written by a newer changeguard (record version {version}, this one reads {RECORD_VERSION})"
                );
                return Err(invalid(message).hint("go on with the newer changeguard; nothing was changed"));
            }
            let entry: Entry = serde_json::from_str(&text).map_err(|error| {
                invalid(format!("record {seq} of rotation {rotation} can't be understood: {error}"))
            })?;
            if entry.seq != seq {
                return Err(invalid(format!(
                    "record {seq} of rotation {rotation} says that it is record {}",
                    entry.seq
                )));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    async fn heads(&self, tenant: Option<&TenantId>) -> Result<Vec<RotationHead>, Fault> {
        let failed = |error: sqlx::Error| trouble("reading the journal", &error);
        let rows = match tenant {
            Some(tenant) => sqlx::query(HEADS_OF_TENANT).bind(tenant.as_str()).fetch_all(&self.pool).await,
            None => sqlx::query(NEWEST_HEADS).fetch_all(&self.pool).await,
        };
        let head = |row: &AnyRow| {
            Ok(RotationHead {
                rotation: RotationId(row.try_get(0).map_err(failed)?),
                tenant: tenant_id(row.try_get(1).map_err(failed)?)?,
                last_seq: counted(row.try_get(2).map_err(failed)?),
            })
        };
        rows.map_err(failed)?.iter().map(head).collect()
    }

    /// `ttl` zero takes the tenant whoever holds it: the explicit take-over.
    async fn acquire(&self, tenant: &TenantId, me: &Holder, ttl: Duration) -> Result<Result<Lease, Holder>, Fault> {
        let failed = |error: sqlx::Error| trouble("taking the tenant's lease", &error);
        let now = me.heartbeat.as_millisecond();
        let oldest = if ttl.is_zero() {
            i64::MAX
        } else {
            now.saturating_sub(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
        };
        let mut transaction = self.pool.begin().await.map_err(failed)?;
        let taken = sqlx::query(ACQUIRE_LEASE)
            .bind(tenant.as_str())
            .bind(sanitize(&me.name))
            .bind(sanitize(&me.host))
            .bind(i64::from(me.pid))
            .bind(me.since.as_millisecond())
            .bind(now)
            .bind(oldest)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        let answer = match taken {
            Some(row) => Ok(Lease { tenant: tenant.clone(), fence: counted(row.try_get(0).map_err(failed)?) }),
            None => {
                let row =
                    sqlx::query(HOLDER_OF).bind(tenant.as_str()).fetch_one(&mut *transaction).await.map_err(failed)?;
                Err(holder(&row)?.1)
            }
        };
        transaction.commit().await.map_err(failed)?;
        Ok(answer)
    }

    async fn take_from(&self, tenant: &TenantId, dead: &Holder, me: &Holder) -> Result<Option<Lease>, Fault> {
        let failed = |error: sqlx::Error| trouble("taking over the tenant's lease", &error);
        let taken = sqlx::query(TAKE_FROM)
            .bind(tenant.as_str())
            .bind(sanitize(&me.name))
            .bind(sanitize(&me.host))
            .bind(i64::from(me.pid))
            .bind(me.since.as_millisecond())
            .bind(me.heartbeat.as_millisecond())
            .bind(sanitize(&dead.name))
            .bind(sanitize(&dead.host))
            .bind(i64::from(dead.pid))
            .bind(dead.since.as_millisecond())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        let lease = |fence| Lease { tenant: tenant.clone(), fence: counted(fence) };
        taken.map(|row| row.try_get(0).map(lease).map_err(failed)).transpose()
    }

    async fn renew(&self, lease: &Lease, now: Timestamp) -> Result<bool, Fault> {
        let done = sqlx::query(RENEW)
            .bind(lease.tenant.as_str())
            .bind(number(lease.fence))
            .bind(now.as_millisecond())
            .execute(&self.pool)
            .await
            .map_err(|error| trouble("renewing the tenant's lease", &error))?;
        Ok(done.rows_affected() == 1)
    }

    async fn holds(&self, lease: &Lease) -> Result<bool, Fault> {
        let row = sqlx::query(HOLDS)
            .bind(lease.tenant.as_str())
            .bind(number(lease.fence))
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| trouble("looking whether the tenant is still ours", &error))?;
        Ok(row.is_some())
    }

    async fn release(&self, lease: &Lease) -> Result<(), Fault> {
        sqlx::query(RELEASE)
            .bind(lease.tenant.as_str())
            .bind(number(lease.fence))
            .execute(&self.pool)
            .await
            .map_err(|error| trouble("giving the tenant back", &error))?;
        Ok(())
    }

    async fn holders(&self) -> Result<Vec<(TenantId, Holder)>, Fault> {
        let rows = sqlx::query(HOLDERS)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| trouble("reading who holds the tenants", &error))?;
        rows.iter().map(holder).collect()
    }
}

fn holder(row: &AnyRow) -> Result<(TenantId, Holder), Fault> {
    let failed = |error: sqlx::Error| trouble("reading who holds the tenant", &error);
    let moment = |at: usize| {
        let milliseconds = row.try_get(at).map_err(failed)?;
        Timestamp::from_millisecond(milliseconds).map_err(|_| invalid("a lease holds an impossible moment"))
    };
    let holder = Holder {
        name: row.try_get(1).map_err(failed)?,
        host: row.try_get(2).map_err(failed)?,
        pid: u32::try_from(row.try_get::<i64, _>(3).map_err(failed)?).unwrap_or_default(),
        since: moment(4)?,
        heartbeat: moment(5)?,
    };
    Ok((tenant_id(row.try_get(0).map_err(failed)?)?, holder))
}

fn tenant_id(text: String) -> Result<TenantId, Fault> {
    TenantId::new(text).map_err(|error| Fault::new(Service::Journal, FaultKind::Invalid, error.to_string()))
}

/// SQL knows signed numbers only; ours stay far below the bound.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn counted(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
