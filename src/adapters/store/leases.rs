//! The lease of a tenant: taking, taking over, keeping and giving back, one statement each.

use super::trouble::{Failure, invalid};
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::TenantId;
use crate::engine::journal::{Holder, Lease};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};
use std::time::Duration;

/// The fence goes up when the tenant changes hands; the same process (user, host, pid) keeps its own.
const ACQUIRE: &str = "INSERT INTO lease (tenant, fence, held, appends, name, host, pid, since_ms, heartbeat_ms) \
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

pub(super) async fn acquire(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    me: &Holder,
    ttl: Duration,
) -> Result<Result<Lease, Holder>, Failure> {
    let now = me.heartbeat.as_millisecond();
    let oldest =
        if ttl.is_zero() { i64::MAX } else { now.saturating_sub(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)) };
    let mut transaction = connection.begin().await?;
    let taken = sqlx::query(ACQUIRE)
        .bind(tenant.as_str())
        .bind(sanitize(&me.name))
        .bind(sanitize(&me.host))
        .bind(i64::from(me.pid))
        .bind(me.since.as_millisecond())
        .bind(now)
        .bind(oldest)
        .fetch_optional(&mut *transaction)
        .await?;
    let answer = match taken {
        Some(row) => Ok(Lease { tenant: tenant.clone(), fence: counted(row.try_get(0)?) }),
        None => {
            let row = sqlx::query(HOLDER_OF).bind(tenant.as_str()).fetch_one(&mut *transaction).await?;
            Err(holder(&row)?.1)
        }
    };
    transaction.commit().await?;
    Ok(answer)
}

pub(super) async fn take_from(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    dead: &Holder,
    me: &Holder,
) -> Result<Option<Lease>, Failure> {
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
        .fetch_optional(connection)
        .await?;
    let Some(row) = taken else { return Ok(None) };
    Ok(Some(Lease { tenant: tenant.clone(), fence: counted(row.try_get(0)?) }))
}

pub(super) async fn renew(connection: &mut AnyConnection, lease: &Lease, now: Timestamp) -> Result<bool, Failure> {
    let renew = sqlx::query(RENEW).bind(lease.tenant.as_str()).bind(number(lease.fence));
    Ok(renew.bind(now.as_millisecond()).execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn holds(connection: &mut AnyConnection, lease: &Lease) -> Result<bool, Failure> {
    let holds = sqlx::query(HOLDS).bind(lease.tenant.as_str()).bind(number(lease.fence));
    Ok(holds.fetch_optional(connection).await?.is_some())
}

pub(super) async fn release(connection: &mut AnyConnection, lease: &Lease) -> Result<(), Failure> {
    sqlx::query(RELEASE).bind(lease.tenant.as_str()).bind(number(lease.fence)).execute(connection).await?;
    Ok(())
}

pub(super) async fn holders(connection: &mut AnyConnection) -> Result<Vec<(TenantId, Holder)>, Failure> {
    let rows = sqlx::query(HOLDERS).fetch_all(connection).await?;
    rows.iter().map(holder).collect()
}

fn holder(row: &AnyRow) -> Result<(TenantId, Holder), Failure> {
    let moment = |at: usize| -> Result<Timestamp, Failure> {
        Timestamp::from_millisecond(row.try_get(at)?).map_err(|_| invalid("a lease holds an impossible moment").into())
    };
    let holder = Holder {
        name: row.try_get(1)?,
        host: row.try_get(2)?,
        pid: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or_default(),
        since: moment(4)?,
        heartbeat: moment(5)?,
    };
    Ok((tenant_id(row.try_get(0)?)?, holder))
}

pub(super) fn tenant_id(text: String) -> Result<TenantId, Failure> {
    TenantId::new(text).map_err(|error| invalid(error.to_string()).into())
}

/// SQL knows signed numbers only; ours stay far below the bound.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn counted(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
