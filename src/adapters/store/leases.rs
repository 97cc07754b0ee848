//! The lease of a tenant: taking, taking over, keeping and giving back, one statement each; and the mark by which others
//! see that something has moved. No statement compares moments: whose clock is right can't be known here.

use super::trouble::{Failure, invalid};
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::TenantId;
use crate::engine::journal::{Holder, Instance, Lease, Mark};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};

/// What our holders leave in `heartbeat_ms`: 9999-01-01. A changeguard of before, which is still running beside us, judges
/// that column by its own clock, and must never find one of ours old. A row with another value there is one of theirs.
const OURS: i64 = 253_370_764_800_000;
/// The fence goes up when the tenant changes hands; only the same instance keeps its own.
const ACQUIRE: &str = "INSERT INTO lease (tenant, fence, held, appends, name, host, pid, since_ms, heartbeat_ms, \
     instance, boot, namespace, started, beats, beat_ms) VALUES ($1, 1, 1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $5) \
     ON CONFLICT (tenant) DO UPDATE SET \
     fence = lease.fence + CASE WHEN lease.held = 1 AND lease.heartbeat_ms = $6 AND lease.instance = $7 THEN 0 ELSE 1 END, \
     since_ms = CASE WHEN lease.held = 1 AND lease.heartbeat_ms = $6 AND lease.instance = $7 THEN lease.since_ms ELSE $5 END, \
     held = 1, name = $2, host = $3, pid = $4, heartbeat_ms = $6, instance = $7, boot = $8, namespace = $9, \
     started = $10, beats = lease.beats + 1, beat_ms = $5 \
     WHERE lease.held = 0 OR (lease.heartbeat_ms = $6 AND lease.instance = $7 AND lease.instance <> '') RETURNING fence";
/// Only from the holder that was seen: of two who both saw it dead, the second finds the first; and from one that is not
/// overruled (`$13` = 0) only if it has given no sign of life since.
const TAKE_FROM: &str = "UPDATE lease SET fence = fence + 1, held = 1, name = $2, host = $3, pid = $4, since_ms = $5, \
     heartbeat_ms = $6, instance = $7, boot = $8, namespace = $9, started = $10, beats = beats + 1, beat_ms = $5 \
     WHERE tenant = $1 AND held = 1 AND fence = $11 \
     AND ($13 = 1 OR CASE WHEN heartbeat_ms = $6 THEN beats ELSE heartbeat_ms END = $12) RETURNING fence";
const HOLDER_OF: &str = "SELECT tenant, name, host, pid, since_ms, heartbeat_ms, beat_ms, instance, boot, namespace, \
     started, beats, fence FROM lease WHERE tenant = $1";
/// The same, if anybody holds it.
const HOLDER_NOW: &str = "SELECT tenant, name, host, pid, since_ms, heartbeat_ms, beat_ms, instance, boot, namespace, \
     started, beats, fence FROM lease WHERE tenant = $1 AND held = 1";
const HOLDERS: &str = "SELECT tenant, name, host, pid, since_ms, heartbeat_ms, beat_ms, instance, boot, namespace, \
     started, beats, fence FROM lease WHERE held = 1 ORDER BY tenant";
const RENEW: &str = "UPDATE lease SET beats = beats + 1, beat_ms = $3 WHERE tenant = $1 AND fence = $2 AND held = 1";
const HOLDS: &str = "SELECT 1 FROM lease WHERE tenant = $1 AND fence = $2 AND held = 1";
const RELEASE: &str = "UPDATE lease SET held = 0 WHERE tenant = $1 AND fence = $2 AND held = 1";
const POSITIONS: &str = "SELECT tenant, position FROM chain ORDER BY tenant";
/// Each sum but the third only grows, and what makes that one smaller and larger again makes the second grow.
const MARK: &str = "SELECT CAST((SELECT COALESCE(SUM(position), 0) FROM chain) AS BIGINT), \
     CAST(COALESCE(SUM(fence), 0) AS BIGINT), CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(beats), 0) AS BIGINT), \
     CAST(COALESCE(SUM(CASE WHEN heartbeat_ms = $1 THEN 0 ELSE heartbeat_ms END), 0) AS BIGINT) FROM lease";
/// The server's clock: one for all bastions. SQLite has none but ours.
const CLOCK: &str = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

pub(super) async fn acquire(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    me: &Holder,
) -> Result<Result<Lease, Holder>, Failure> {
    let mut transaction = connection.begin().await?;
    let taken = bind_holder(sqlx::query(ACQUIRE), tenant, me).fetch_optional(&mut *transaction).await?;
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

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// The first ten parameters of whoever takes a tenant.
fn bind_holder<'q>(query: Query<'q>, tenant: &TenantId, me: &Holder) -> Query<'q> {
    query
        .bind(tenant.as_str().to_owned())
        .bind(sanitize(&me.name))
        .bind(sanitize(&me.host))
        .bind(i64::from(me.pid))
        .bind(me.since.as_millisecond())
        .bind(OURS)
        .bind(me.instance.id.clone())
        .bind(me.instance.boot.clone())
        .bind(me.instance.namespace.clone())
        .bind(number(me.instance.started))
}

pub(super) async fn take_from(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    from: &Holder,
    me: &Holder,
    overruled: bool,
) -> Result<Option<Lease>, Failure> {
    let taken = bind_holder(sqlx::query(TAKE_FROM), tenant, me)
        .bind(number(from.fence))
        .bind(number(from.beats))
        .bind(i64::from(overruled))
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

pub(super) async fn holder_of(connection: &mut AnyConnection, tenant: &TenantId) -> Result<Option<Holder>, Failure> {
    let row = sqlx::query(HOLDER_NOW).bind(tenant.as_str()).fetch_optional(connection).await?;
    Ok(row.as_ref().map(holder).transpose()?.map(|(_, holder)| holder))
}

pub(super) async fn clock(connection: &mut AnyConnection) -> Result<Timestamp, Failure> {
    moment(&sqlx::query(CLOCK).fetch_one(connection).await?, 0)
}

/// Where everything stands.
pub(super) async fn mark(connection: &mut AnyConnection) -> Result<Mark, Failure> {
    let row = sqlx::query(MARK).bind(OURS).fetch_one(connection).await?;
    let mut sums = [0; 5];
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum = row.try_get(at)?;
    }
    Ok(Mark { sums })
}

pub(super) async fn positions(connection: &mut AnyConnection) -> Result<Vec<(TenantId, u64)>, Failure> {
    let rows = sqlx::query(POSITIONS).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((tenant_id(row.try_get(0)?)?, counted(row.try_get(1)?)))).collect()
}

fn moment(row: &AnyRow, at: usize) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(row.try_get(at)?).map_err(|_| invalid("a lease holds an impossible moment").into())
}

fn holder(row: &AnyRow) -> Result<(TenantId, Holder), Failure> {
    let is_ours = row.try_get::<i64, _>(5)? == OURS;
    // One of before has no count; its heartbeat is as good as one: it only matters whether it moves.
    let (beats, heartbeat) = if is_ours { (row.try_get(11)?, 6) } else { (row.try_get(5)?, 5) };
    let instance = Instance {
        id: row.try_get(7)?,
        boot: row.try_get(8)?,
        namespace: row.try_get(9)?,
        started: counted(row.try_get(10)?),
    };
    let holder = Holder {
        name: row.try_get(1)?,
        host: row.try_get(2)?,
        pid: u32::try_from(row.try_get::<i64, _>(3)?).unwrap_or_default(),
        since: moment(row, 4)?,
        heartbeat: moment(row, heartbeat)?,
        instance: if is_ours { instance } else { Instance::default() },
        beats: counted(beats),
        fence: counted(row.try_get(12)?),
    };
    Ok((tenant_id(row.try_get(0)?)?, holder))
}

pub(super) fn tenant_id(text: String) -> Result<TenantId, Failure> {
    let id = TenantId::new(text).or_else(|bad| TenantId::of_subject(bad.0));
    id.map_err(|error| invalid(error.to_string()).into())
}

/// SQL knows signed numbers only; ours stay far below the bound.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn counted(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
