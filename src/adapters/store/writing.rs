//! What is added to the journal: records under a lease, lines of the lease log, and the erasure of a person. Each is one
//! durable transaction in which the chain grows and its head moves.

use super::leases::number;
use super::reading;
use super::trouble::{Failure, invalid};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::TenantId;
use crate::engine::audit::{Row, genesis, link};
use crate::engine::journal::{AppendError, Lease, lease_log_id};
use crate::engine::persons::{PersonRow, Persons, same_address};
use crate::engine::record::{Entry, Record, RotationId};
use crate::engine::witness::{Recovery, Seen};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row as _};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Says yes only to the tenant's holder of this fence. A write, so that it takes the transaction's lock at once: SQLite then
/// waits for other writers instead of failing later, PostgreSQL locks the row.
const CHECK_LEASE: &str = "UPDATE lease SET appends = appends + 1 WHERE tenant = $1 AND fence = $2 AND held = 1";
const BEGIN_ROTATION: &str = "INSERT INTO rotation (rotation, tenant, began_ms, last_seq) VALUES ($1, $2, $3, $4) ON CONFLICT (rotation) DO NOTHING";
const ADVANCE_ROTATION: &str =
    "UPDATE rotation SET last_seq = $4 WHERE rotation = $1 AND tenant = $2 AND last_seq = $3";
const TENANT_OF: &str = "SELECT tenant FROM rotation WHERE rotation = $1";
const ADVANCE_LOG: &str = "INSERT INTO rotation (rotation, tenant, began_ms, last_seq) VALUES ($1, $2, $3, 1) \
     ON CONFLICT (rotation) DO UPDATE SET last_seq = rotation.last_seq + 1 RETURNING last_seq";
const BEGIN_CHAIN: &str =
    "INSERT INTO chain (tenant, position, hash, imported) VALUES ($1, 0, $2, 0) ON CONFLICT (tenant) DO NOTHING";
/// Locks the head until the transaction ends, so that two writers of one tenant stand in a line.
const ADVANCE_CHAIN: &str = "UPDATE chain SET position = position + $2 WHERE tenant = $1 RETURNING position, hash";
const SET_HEAD: &str = "UPDATE chain SET hash = $2 WHERE tenant = $1";
const INSERT_RECORDS: &str =
    "INSERT INTO record (rotation, seq, version, fence, at_ms, entry, tenant, position, hash) VALUES ";
const INSERT_PERSONS: &str = "INSERT INTO person (token, tenant, person, nonce, value) VALUES ";
/// So many rows are inserted by one statement: each statement is a way to the store and back.
const ROWS: usize = 32;
const ERASE_PERSON: &str = "DELETE FROM person WHERE token = $1";

/// What is to be written.
pub(super) enum Write<'a> {
    Append { rotation: &'a RotationId, lease: &'a Lease, entries: &'a [Entry] },
    Log { tenant: &'a TenantId, entry: &'a Entry },
    Erase { lease: &'a Lease, address: &'a str, entry: &'a Entry },
}

impl Write<'_> {
    pub(super) fn tenant(&self) -> &TenantId {
        match self {
            Write::Append { lease, .. } | Write::Erase { lease, .. } => &lease.tenant,
            Write::Log { tenant, .. } => tenant,
        }
    }
}

/// How far a write has come, for the case that its end is not seen.
#[derive(Default)]
pub(super) struct Attempt {
    committing: AtomicBool,
    erased: AtomicUsize,
    head: OnceLock<(i64, String)>,
    seen: Option<Seen>,
}

impl Attempt {
    /// One behind what was seen of the journal.
    pub(super) fn after(seen: Option<Seen>) -> Self {
        Self { seen, ..Self::default() }
    }

    /// What was seen of the journal before it.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// Where the chain ends behind what it writes.
    pub(super) fn head(&self) -> Option<(i64, &str)> {
        self.head.get().map(|(position, hash)| (*position, hash.as_str()))
    }

    /// COMMIT was being sent.
    pub(super) fn is_committing(&self) -> bool {
        self.committing.load(Ordering::SeqCst)
    }

    /// How many values it erases.
    pub(super) fn erased(&self) -> usize {
        self.erased.load(Ordering::SeqCst)
    }
}

/// What this process knows of a tenant's personal values, and the head of the chain at which it was so: where the head is
/// another, somebody else has written, and they are read again.
pub(super) struct Known {
    position: i64,
    hash: String,
    persons: Persons,
}

/// Writes. Gives the number of personal values erased. `known` is what this process knew of the tenant before, and afterwards
/// what it knows if the write is durable.
pub(super) async fn write(
    connection: &mut AnyConnection,
    attempt: &Attempt,
    write: &Write<'_>,
    known: &mut Option<Known>,
) -> Result<usize, Failure> {
    let mut transaction = connection.begin().await?;
    match write {
        Write::Append { rotation, lease, entries } => {
            append(&mut transaction, attempt, rotation, lease, entries, known).await?
        }
        Write::Log { tenant, entry } => log(&mut transaction, attempt, tenant, entry, known).await?,
        Write::Erase { lease, address, entry } => {
            *known = None;
            let erased = erase(&mut transaction, attempt, lease, address, entry).await?;
            if erased == 0 {
                transaction.rollback().await?;
                return Ok(0);
            }
        }
    }
    attempt.committing.store(true, Ordering::SeqCst);
    transaction.commit().await?;
    Ok(attempt.erased())
}

async fn check_lease(connection: &mut AnyConnection, lease: &Lease) -> Result<(), Failure> {
    let check = sqlx::query(CHECK_LEASE).bind(lease.tenant.as_str()).bind(number(lease.fence));
    match check.execute(connection).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(Failure::Refused(AppendError::LeaseLost)),
    }
}

async fn append(
    connection: &mut AnyConnection,
    attempt: &Attempt,
    rotation: &RotationId,
    lease: &Lease,
    entries: &[Entry],
    known: &mut Option<Known>,
) -> Result<(), Failure> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
    if entries.iter().zip(first.seq..).any(|(entry, seq)| entry.seq != seq) || first.seq == 0 {
        return Err(invalid("records to be written are not numbered one after the other").into());
    }
    check_lease(connection, lease).await?;
    let head = if first.seq == 1 {
        sqlx::query(BEGIN_ROTATION).bind(&rotation.0).bind(lease.tenant.as_str()).bind(first.at.as_millisecond())
    } else {
        sqlx::query(ADVANCE_ROTATION).bind(&rotation.0).bind(lease.tenant.as_str()).bind(number(first.seq - 1))
    };
    if head.bind(number(last.seq)).execute(&mut *connection).await?.rows_affected() != 1 {
        let row = sqlx::query(TENANT_OF).bind(&rotation.0).fetch_optional(&mut *connection).await?;
        return match row.map(|row| row.try_get::<String, _>(0)).transpose()? {
            Some(tenant) if tenant != lease.tenant.as_str() => {
                let text = format!("rotation {rotation} belongs to tenant {tenant}, not to {}", lease.tenant);
                Err(invalid(text).into())
            }
            _ => Err(Failure::Refused(AppendError::Conflict { expected: first.seq })),
        };
    }
    chain(connection, attempt, &lease.tenant, rotation, number(lease.fence), entries, known).await
}

async fn log(
    connection: &mut AnyConnection,
    attempt: &Attempt,
    tenant: &TenantId,
    entry: &Entry,
    known: &mut Option<Known>,
) -> Result<(), Failure> {
    let rotation = lease_log_id(tenant);
    let row = sqlx::query(ADVANCE_LOG)
        .bind(&rotation.0)
        .bind(tenant.as_str())
        .bind(entry.at.as_millisecond())
        .fetch_one(&mut *connection)
        .await?;
    let seq = super::leases::counted(row.try_get(0)?);
    let entry = Entry { seq, ..entry.clone() };
    chain(connection, attempt, tenant, &rotation, 0, &[entry], known).await
}

async fn erase(
    connection: &mut AnyConnection,
    attempt: &Attempt,
    lease: &Lease,
    address: &str,
    entry: &Entry,
) -> Result<usize, Failure> {
    check_lease(connection, lease).await?;
    let rows = reading::persons(connection, Some(lease.tenant.as_str())).await?;
    let persons: BTreeSet<&str> =
        rows.iter().filter(|row| same_address(&row.value, address)).map(|row| row.person.as_str()).collect();
    let gone: Vec<&PersonRow> = rows.iter().filter(|row| persons.contains(row.person.as_str())).collect();
    if gone.is_empty() {
        return Ok(0);
    }
    let Record::PersonErased { reason, .. } = &entry.record else {
        return Err(invalid("an erasure is recorded as such").into());
    };
    let tokens = gone.iter().map(|row| row.token.clone()).collect();
    let record = Record::PersonErased { tokens, reason: reason.clone() };
    // What is known there is erased next.
    log(connection, attempt, &lease.tenant, &Entry { record, ..entry.clone() }, &mut None).await?;
    for row in &gone {
        sqlx::query(ERASE_PERSON).bind(&row.token).execute(&mut *connection).await?;
    }
    attempt.erased.store(gone.len(), Ordering::SeqCst);
    Ok(gone.len())
}

/// Adds entries to the tenant's chain and moves its head.
async fn chain(
    connection: &mut AnyConnection,
    attempt: &Attempt,
    tenant: &TenantId,
    rotation: &RotationId,
    fence: i64,
    entries: &[Entry],
    known: &mut Option<Known>,
) -> Result<(), Failure> {
    let count = entries.len() as i64;
    let (mut position, mut previous) = advance(connection, tenant, count).await?;
    let is_known = entries.iter().any(|entry| Recovery::of(entry).is_some());
    let seen = attempt.seen().filter(|_| !is_known);
    if let Some(lost) = reading::compare(connection, tenant.as_str(), seen, (position, &previous)).await?.lost {
        // Nothing is written behind a journal whose end is lost, but that it is gone on with.
        return Err(Failure::Refused(AppendError::Lost(Box::new(lost))));
    }
    let before = known.take().filter(|known| known.position == position && known.hash == previous);
    let mut persons = match before {
        Some(known) => known.persons,
        None => Persons::new(tenant.as_str(), reading::persons(connection, Some(tenant.as_str())).await?, random_bytes),
    };
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        position += 1;
        let mut row = Row {
            tenant: tenant.to_string(),
            position,
            rotation: rotation.0.clone(),
            seq: number(entry.seq),
            version: i64::from(entry.version),
            fence,
            at_ms: entry.at.as_millisecond(),
            text: persons.hide(entry)?,
            hash: String::new(),
        };
        row.hash = link(&previous, &row);
        previous.clone_from(&row.hash);
        rows.push(row);
    }
    insert(connection, &rows).await?;
    insert_persons(connection, persons.fresh()).await?;
    sqlx::query(SET_HEAD).bind(tenant.as_str()).bind(&previous).execute(&mut *connection).await?;
    let _ = attempt.head.set((position, previous.clone()));
    persons.stored();
    *known = Some(Known { position, hash: previous, persons });
    Ok(())
}

/// The head before `count` more records, now locked.
async fn advance(connection: &mut AnyConnection, tenant: &TenantId, count: i64) -> Result<(i64, String), Failure> {
    for _ in 0..2 {
        let advance = sqlx::query(ADVANCE_CHAIN).bind(tenant.as_str()).bind(count);
        if let Some(row) = advance.fetch_optional(&mut *connection).await? {
            return Ok((row.try_get::<i64, _>(0)? - count, row.try_get(1)?));
        }
        begin_chain(connection, tenant.as_str()).await?;
    }
    Err(invalid("the chain of this tenant has no head").into())
}

async fn begin_chain(connection: &mut AnyConnection, tenant: &str) -> Result<(), Failure> {
    sqlx::query(BEGIN_CHAIN).bind(tenant).bind(genesis(tenant, 0)).execute(connection).await?;
    Ok(())
}

async fn insert(connection: &mut AnyConnection, rows: &[Row]) -> Result<(), Failure> {
    for rows in rows.chunks(ROWS) {
        let mut query = sqlx::query(AssertSqlSafe(inserting(INSERT_RECORDS, 9, rows.len())));
        for row in rows {
            query = query.bind(&row.rotation).bind(row.seq).bind(row.version).bind(row.fence).bind(row.at_ms);
            query = query.bind(&row.text).bind(&row.tenant).bind(row.position).bind(&row.hash);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn insert_persons(connection: &mut AnyConnection, persons: &[PersonRow]) -> Result<(), Failure> {
    for persons in persons.chunks(ROWS) {
        let mut query = sqlx::query(AssertSqlSafe(inserting(INSERT_PERSONS, 5, persons.len())));
        for person in persons {
            query = query.bind(&person.token).bind(&person.tenant).bind(&person.person);
            query = query.bind(&person.nonce).bind(&person.value);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The statement for so many rows of so many values.
fn inserting(statement: &str, values: usize, rows: usize) -> String {
    let row = |at: usize| {
        let places: Vec<String> = (1..=values).map(|value| format!("${}", at * values + value)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{statement}{}", rows.join(", "))
}

pub(super) fn random_bytes() -> Result<[u8; 16], Fault> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::new(Service::Journal, FaultKind::Refused, format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// Whether a write whose end was not seen is there. Waits until what the lost connection had begun is ended.
pub(super) async fn is_written(
    connection: &mut AnyConnection,
    tenant: &str,
    attempt: &Attempt,
) -> Result<bool, Failure> {
    let Some((position, hash)) = attempt.head.get() else { return Ok(false) };
    let mut transaction = connection.begin().await?;
    begin_chain(&mut transaction, tenant).await?;
    sqlx::query(ADVANCE_CHAIN).bind(tenant).bind(0i64).fetch_optional(&mut *transaction).await?;
    let found = reading::hash_at(&mut transaction, tenant, *position).await?;
    transaction.rollback().await?;
    Ok(found.as_ref() == Some(hash))
}
