//! What the journal holds: one rotation for acting on, which must fit its chain, and everything for the audit.

use super::leases::{counted, tenant_id};
use super::trouble::{Failure, invalid};
use crate::domain::fault::Fault;
use crate::domain::tenant::TenantId;
use crate::engine::audit::{ChainRow, LeaseRow, RotationRow, Row, Tables, genesis, link};
use crate::engine::journal::{Mention, RotationHead};
use crate::engine::persons::mentions::{Who, about};
use crate::engine::persons::{self, PersonRow, restore, same_address, tokens_in};
use crate::engine::record::{CASE_VERSION, Entry, RotationId};
use crate::engine::witness::{self, Lost, Recovery, Seen};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row as _};
use std::collections::{BTreeSet, HashSet};

/// One statement, so that all of it is of one moment: the records with what the other tables say about them.
const LOAD: &str = "SELECT r.tenant, r.position, r.rotation, r.seq, r.version, r.fence, r.at_ms, r.entry, r.hash, \
     p.hash, t.tenant, t.last_seq, c.imported FROM record r \
     LEFT JOIN record p ON p.tenant = r.tenant AND p.position = r.position - 1 \
     LEFT JOIN rotation t ON t.rotation = r.rotation LEFT JOIN chain c ON c.tenant = r.tenant \
     WHERE r.rotation = $1 ORDER BY r.seq";
const LISTED: &str = "SELECT last_seq FROM rotation WHERE rotation = $1";
/// Newer is what began later in the chain. A rotation whose first record is gone comes first, so that it is looked at, and
/// found damaged, and not passed over.
const HEADS_OF_TENANT: &str = "SELECT t.rotation, t.tenant, t.last_seq FROM rotation t \
     LEFT JOIN record r ON r.rotation = t.rotation AND r.seq = 1 \
     WHERE t.tenant = $1 AND t.rotation <> 'lease-' || t.tenant \
     ORDER BY COALESCE(r.position, 9223372036854775807) DESC, t.rotation DESC";
const NEWEST_HEADS: &str = "SELECT rotation, tenant, last_seq FROM (SELECT t.rotation, t.tenant, t.last_seq, ROW_NUMBER() OVER \
     (PARTITION BY t.tenant ORDER BY COALESCE(r.position, 9223372036854775807) DESC, t.rotation DESC) AS place \
     FROM rotation t LEFT JOIN record r ON r.rotation = t.rotation AND r.seq = 1 \
     WHERE t.rotation <> 'lease-' || t.tenant) AS placed WHERE place = 1 ORDER BY tenant";
const HEAD_OF_CHAIN: &str = "SELECT c.position, c.hash, r.hash FROM chain c \
     LEFT JOIN record r ON r.tenant = c.tenant AND r.position = c.position WHERE c.tenant = $1";
const RECORDS: &str =
    "SELECT tenant, position, rotation, seq, version, fence, at_ms, entry, hash FROM record ORDER BY tenant, position";
const RECORDS_OF: &str = "SELECT tenant, position, rotation, seq, version, fence, at_ms, entry, hash FROM record WHERE tenant = $1 ORDER BY position";
const ROTATIONS: &str = "SELECT rotation, tenant, began_ms, last_seq FROM rotation ORDER BY rotation";
const CHAINS: &str = "SELECT tenant, position, hash, imported FROM chain ORDER BY tenant";
const LEASES: &str = "SELECT tenant, fence FROM lease ORDER BY tenant";
const PERSONS: &str = "SELECT token, tenant, person, nonce, value FROM person ORDER BY token";
const PERSONS_OF: &str = "SELECT token, tenant, person, nonce, value FROM person WHERE tenant = $1 ORDER BY token";
const HASH_AT: &str = "SELECT hash FROM record WHERE tenant = $1 AND position = $2";
/// Asked only where the chain is not what was seen of it.
const RECOVERIES: &str =
    "SELECT entry FROM record WHERE tenant = $1 AND entry LIKE '%\"record\":\"recovered\"%' ORDER BY position DESC";
const AUDIT: &str = "run `changeguard audit verify` and find out who changed it; nothing was changed here";

/// Whose a record is, its place in their chain and its hash.
type Head = Option<(TenantId, i64, String)>;

/// The entries of a rotation. Every record must fit its link and every table the others: nobody acts on a journal that was
/// changed.
/// Gives the tenant, place and hash of the last one, too.
pub(super) async fn load(connection: &mut AnyConnection, rotation: &RotationId) -> Result<(Vec<Entry>, Head), Failure> {
    let rows = sqlx::query(LOAD).bind(&rotation.0).fetch_all(&mut *connection).await?;
    let Some(first) = rows.first() else {
        let listed = sqlx::query(LISTED).bind(&rotation.0).fetch_optional(&mut *connection).await?;
        return match listed {
            None => Ok((Vec::new(), None)),
            Some(_) => Err(tampered(format!("record 1 of rotation {rotation} is missing")).into()),
        };
    };
    let tenant: String = first.try_get(0)?;
    let mut texts = Vec::with_capacity(rows.len());
    for (found, expected) in rows.iter().zip(1i64..) {
        let row = record(found)?;
        let named = format!("record {expected} of rotation {rotation}");
        if row.seq != expected {
            return Err(tampered(format!("{named} is missing")).into());
        }
        if row.version > i64::from(CASE_VERSION) {
            let message = format!(
                "{named} was written by a newer changeguard (record version {}, this one reads {CASE_VERSION})",
                row.version
            );
            return Err(invalid(message).hint("go on with the newer changeguard; nothing was changed").into());
        }
        let previous = match found.try_get::<Option<String>, _>(9)? {
            Some(previous) => previous,
            None => genesis(&row.tenant, found.try_get::<Option<i64>, _>(12)?.unwrap_or_default()),
        };
        if link(&previous, &row) != row.hash {
            return Err(tampered(format!("{named} is not what was written (position {})", row.position)).into());
        }
        let (listed, last): (Option<String>, Option<i64>) = (found.try_get(10)?, found.try_get(11)?);
        if listed.as_ref() != Some(&tenant) || row.tenant != tenant {
            return Err(tampered(format!("{named} and the list of rotations name different tenants")).into());
        }
        if last != Some(rows.len() as i64) {
            let last = last.unwrap_or_default();
            return Err(tampered(format!("rotation {rotation} has {} records, {last} are listed", rows.len())).into());
        }
        texts.push(row);
    }
    let known = persons(connection, Some(&tenant)).await?;
    let entries = entries(&texts, &known)?;
    let head = texts.pop().map(|last| Ok::<_, Failure>((tenant_id(last.tenant)?, last.position, last.hash)));
    Ok((entries, head.transpose()?))
}

/// Puts the values back and reads the JSON.
fn entries(rows: &[Row], known: &[PersonRow]) -> Result<Vec<Entry>, Failure> {
    let (values, mut right) = (persons::by_token(known), HashSet::new());
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let named = format!("record {} of rotation {}", row.seq, row.rotation);
        for person in tokens_in(&row.text).filter_map(|token| values.get(token)) {
            // Whoever is mailed stands in many records, and is judged at the first.
            if !right.contains(person.token.as_str()) {
                if !person.is_what_was_written() {
                    return Err(tampered(format!("a personal value in {named} is not what was written")).into());
                }
                right.insert(person.token.as_str());
            }
        }
        let text = restore(&row.text, &|token| values.get(token).map(|person| person.value.as_str()));
        let entry: Entry =
            serde_json::from_str(&text).map_err(|error| invalid(format!("{named} can't be understood: {error}")))?;
        if entry.seq != counted(row.seq) {
            return Err(tampered(format!("{named} says that it is record {}", entry.seq)).into());
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn tampered(message: String) -> Fault {
    invalid(message).hint(AUDIT)
}

fn record(row: &AnyRow) -> Result<Row, Failure> {
    Ok(Row {
        tenant: row.try_get(0)?,
        position: row.try_get(1)?,
        rotation: row.try_get(2)?,
        seq: row.try_get(3)?,
        version: row.try_get(4)?,
        fence: row.try_get(5)?,
        at_ms: row.try_get(6)?,
        text: row.try_get(7)?,
        hash: row.try_get(8)?,
    })
}

pub(super) async fn heads(
    connection: &mut AnyConnection,
    tenant: Option<&TenantId>,
) -> Result<Vec<RotationHead>, Failure> {
    let rows = match tenant {
        Some(tenant) => sqlx::query(HEADS_OF_TENANT).bind(tenant.as_str()).fetch_all(&mut *connection).await?,
        None => sqlx::query(NEWEST_HEADS).fetch_all(&mut *connection).await?,
    };
    let head = |row: &AnyRow| {
        Ok(RotationHead {
            rotation: RotationId(row.try_get(0)?),
            tenant: tenant_id(row.try_get(1)?)?,
            last_seq: counted(row.try_get(2)?),
        })
    };
    rows.iter().map(head).collect()
}

/// Where a tenant's chain ends, and its hash there. A journal whose end was cut off would look as if nothing had been planned.
pub(super) async fn check_head(connection: &mut AnyConnection, tenant: &TenantId) -> Result<(i64, String), Failure> {
    let Some(row) = sqlx::query(HEAD_OF_CHAIN).bind(tenant.as_str()).fetch_optional(connection).await? else {
        return Ok((0, String::new()));
    };
    let (position, hash, last): (i64, String, Option<String>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if position > 0 && last.as_ref() != Some(&hash) {
        let what = if last.is_none() { "is missing" } else { "is not what was written" };
        return Err(tampered(format!("the last record of tenant {tenant} (position {position}) {what}")).into());
    }
    Ok((position, hash))
}

/// The hash of the record at a place of a tenant's chain.
pub(super) async fn hash_at(
    connection: &mut AnyConnection,
    tenant: &str,
    position: i64,
) -> Result<Option<String>, Failure> {
    let row = sqlx::query(HASH_AT).bind(tenant).bind(position).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// How a chain compares with what was seen of it.
#[derive(Default)]
pub(super) struct Compared {
    /// Its end is lost.
    pub(super) lost: Option<Lost>,
    /// It was lost, and was gone on with by this, knowingly: what was seen counts no more.
    pub(super) covered_by: Option<Recovery>,
}

/// Compares a chain that ends at `head`. Where that is what was seen, nothing more is asked.
pub(super) async fn compare(
    connection: &mut AnyConnection,
    tenant: &str,
    seen: Option<&Seen>,
    head: (i64, &str),
) -> Result<Compared, Failure> {
    let Some(seen) = seen.filter(|seen| (seen.position, seen.hash.as_str()) != head) else {
        return Ok(Compared::default());
    };
    let (ends_at, _) = head;
    let there = hash_at(connection, tenant, seen.position).await?;
    let Some(lost) = witness::compare(Some(seen), ends_at, there.as_deref()) else { return Ok(Compared::default()) };
    let rows = sqlx::query(RECOVERIES).bind(tenant).fetch_all(connection).await?;
    for row in rows {
        // One that can't be read without its personal values says nothing of a place.
        let Ok(entry) = serde_json::from_str::<Entry>(row.try_get(0)?) else { continue };
        if witness::covers(&entry, seen) {
            return Ok(Compared { lost: None, covered_by: Recovery::of(&entry) });
        }
    }
    Ok(Compared { lost: Some(lost), covered_by: None })
}

/// The personal values of one tenant, or of all.
pub(super) async fn persons(connection: &mut AnyConnection, tenant: Option<&str>) -> Result<Vec<PersonRow>, Failure> {
    let rows = match tenant {
        Some(tenant) => sqlx::query(PERSONS_OF).bind(tenant.to_owned()).fetch_all(connection).await?,
        None => sqlx::query(PERSONS).fetch_all(connection).await?,
    };
    let person = |row: &AnyRow| {
        Ok(PersonRow {
            token: row.try_get(0)?,
            tenant: row.try_get(1)?,
            person: row.try_get(2)?,
            nonce: row.try_get(3)?,
            value: row.try_get(4)?,
        })
    };
    rows.iter().map(person).collect()
}

/// Everything, in one transaction that sees one moment.
pub(super) async fn tables(connection: &mut AnyConnection, repeatable: bool) -> Result<Tables, Failure> {
    let mut transaction = match repeatable {
        true => connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        // In SQLite every transaction sees one moment.
        false => connection.begin().await?,
    };
    let records = sqlx::query(RECORDS).fetch_all(&mut *transaction).await?;
    let rotations = sqlx::query(ROTATIONS).fetch_all(&mut *transaction).await?;
    let chains = sqlx::query(CHAINS).fetch_all(&mut *transaction).await?;
    let leases = sqlx::query(LEASES).fetch_all(&mut *transaction).await?;
    let persons = persons(&mut transaction, None).await?;
    transaction.rollback().await?;
    let rotation = |row: &AnyRow| -> Result<RotationRow, Failure> {
        let (rotation, tenant) = (row.try_get(0)?, row.try_get(1)?);
        Ok(RotationRow { rotation, tenant, began_ms: row.try_get(2)?, last_seq: row.try_get(3)? })
    };
    let chain = |row: &AnyRow| -> Result<ChainRow, Failure> {
        let (tenant, position) = (row.try_get(0)?, row.try_get(1)?);
        Ok(ChainRow { tenant, position, hash: row.try_get(2)?, imported: row.try_get(3)? })
    };
    let lease = |row: &AnyRow| -> Result<LeaseRow, Failure> {
        Ok(LeaseRow { tenant: row.try_get(0)?, fence: row.try_get(1)? })
    };
    Ok(Tables {
        records: records.iter().map(record).collect::<Result<_, _>>()?,
        rotations: rotations.iter().map(rotation).collect::<Result<_, _>>()?,
        chains: chains.iter().map(chain).collect::<Result<_, _>>()?,
        leases: leases.iter().map(lease).collect::<Result<_, _>>()?,
        persons,
    })
}

/// Every record that is about a person, who is asked for by an address or by an id.
pub(super) async fn mentions(connection: &mut AnyConnection, typed: &str) -> Result<Vec<Mention>, Failure> {
    let all = persons(connection, None).await?;
    let of_person: BTreeSet<(&str, &str)> = all
        .iter()
        .filter(|row| same_address(&row.value, typed))
        .map(|row| (row.tenant.as_str(), row.person.as_str()))
        .collect();
    let theirs = |row: &&PersonRow| of_person.contains(&(row.tenant.as_str(), row.person.as_str()));
    let chains = sqlx::query(CHAINS).fetch_all(&mut *connection).await?;
    let mut mentions = Vec::new();
    for chain in chains {
        let tenant: String = chain.try_get(0)?;
        let mine: Vec<&PersonRow> = all.iter().filter(theirs).filter(|row| row.tenant == tenant).collect();
        // An id is kept as it is; an address is known by its value or nowhere.
        if mine.is_empty() && typed.contains('@') {
            continue;
        }
        let tokens: BTreeSet<&str> = mine.iter().map(|row| row.token.as_str()).collect();
        let values: BTreeSet<String> = mine.iter().map(|row| row.value.clone()).collect();
        let rows = sqlx::query(RECORDS_OF).bind(tenant.clone()).fetch_all(&mut *connection).await?;
        let mut cases: Vec<Vec<Row>> = Vec::new();
        for row in rows.iter().map(record) {
            let row = row?;
            match cases.iter_mut().find(|case| case.first().is_some_and(|first| first.rotation == row.rotation)) {
                Some(case) => case.push(row),
                None => cases.push(vec![row]),
            }
        }
        for case in cases {
            let hits: BTreeSet<u64> = case
                .iter()
                .filter(|row| tokens_in(&row.text).any(|token| tokens.contains(token)))
                .map(|row| counted(row.seq))
                .collect();
            let who = Who { typed, values: &values };
            let about = about(&who, entries(&case, &all)?, &|seq| hits.contains(&seq));
            let Some(rotation) = case.first().map(|row| RotationId(row.rotation.clone())) else { continue };
            for entry in about {
                mentions.push(Mention { tenant: tenant_id(tenant.clone())?, rotation: rotation.clone(), entry });
            }
        }
    }
    Ok(mentions)
}
