//! The journal in SQL: SQLite for one bastion, PostgreSQL for several, one SQL text for both.
//!
//! Where the SQLite file may lie is `place`, how the server is reached is `server`, the tables are `schema`, faults are
//! `trouble`; `leases`, `writing` and `reading` are the statements. What the records mean is the engine's business.

mod leases;
mod mailbox;
mod place;
mod reading;
mod schema;
mod server;
mod trouble;
mod witness;
mod writing;

pub use server::Server;

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::TenantId;
use crate::engine::audit::{Head, Tables};
use crate::engine::journal::{
    AppendError, Erased, Holder, JournalStore, Lease, Mark, Mention, RotationHead, lease_log_id,
};
use crate::engine::record::{Entry, RotationId};
use crate::engine::witness::{self as witnessing, CaseSeen, Recovery, Seen, Witnessed, recoveries};
use async_trait::async_trait;
use jiff::Timestamp;
use place::Place;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use trouble::{Failure, trouble};
use witness::Witness;
use writing::{Attempt, Known, Write};

/// How long an operation waits for a free connection; above `busy_timeout`, so that the fault tells the truer reason.
const ACQUIRE: Duration = Duration::from_secs(8);
/// The most that one operation may take, the wait for locks included.
const OPERATION: Duration = Duration::from_secs(12);
/// The most that opening may take, the check of SQLite's file included.
const OPENING: Duration = Duration::from_secs(60);
/// The most that reading or rewriting the whole journal may take.
const WHOLE: Duration = Duration::from_secs(300);

/// Of so many tenants the personal values are kept in memory between two writes.
const MOST_KNOWN: usize = 16;

/// Which database it is, where they differ.
#[derive(Clone)]
enum Backend {
    Sqlite(Place),
    Postgres(Server),
}

/// The journal's store, shared by every changeguard that is given the same folder or server.
#[derive(Clone)]
pub struct SqlJournal {
    pool: AnyPool,
    backend: Backend,
    witness: Witness,
    /// What is known of the tenants that were written for last.
    known: Arc<Mutex<HashMap<TenantId, Known>>>,
}

impl std::fmt::Debug for SqlJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The pool would show the address, with the password in it.
        f.write_str(match self.backend {
            Backend::Sqlite(_) => "SqlJournal(SQLite)",
            Backend::Postgres(_) => "SqlJournal(PostgreSQL)",
        })
    }
}

impl SqlJournal {
    /// Opens the journal in a folder, making both if they are not there.
    ///
    /// Errors: the folder or the file is open to others, not ours, on a network file system, read-only or damaged, or was
    /// written by a newer version. Nothing is changed then.
    pub async fn in_folder(directory: &Path) -> Result<Self, Fault> {
        let place = place::prepare(directory)?;
        // Held until this returns: two processes that open a new journal at once must not both make its tables.
        let _lock = place.lock().await?;
        install_drivers();
        let failed = |error: sqlx::Error| trouble("opening the journal", &error);
        let options = place.url().parse().map_err(failed)?;
        // One connection of its own first: a pool tries again and again and then says only that it took too long.
        let prepared = async {
            let mut connection = AnyConnection::connect_with(&options).await?;
            schema::set_up_sqlite(&mut connection).await?;
            schema::check_sqlite(&mut connection).await?;
            schema::migrate(&mut connection).await?;
            connection.close().await?;
            Ok(())
        };
        let opened = bounded("opening the journal", OPENING, prepared).await;
        opened.map_err(|fault| place.named("opening the journal", fault))?;
        let pool = pool().after_connect(|connection, _| Box::pin(schema::set_up_sqlite(connection)));
        Ok(Self::over(pool.connect_lazy_with(options), Backend::Sqlite(place)))
    }

    /// Opens the journal on a PostgreSQL server, making the tables if they are not there.
    ///
    /// Errors: the server can't be reached or trusted, does not accept user or password, lacks the database, or holds a
    /// journal that was written by a newer version. Nothing is changed then.
    pub async fn on_server(server: Server) -> Result<Self, Fault> {
        install_drivers();
        let options = server.options().await?;
        let mut connection = server.connect(&options).await?;
        let prepared = async {
            schema::set_up_postgres(&mut connection).await?;
            schema::migrate_postgres(&mut connection).await
        };
        bounded("opening the journal", OPENING, prepared).await?;
        let _ = connection.close().await;
        let pool = pool().after_connect(|connection, _| Box::pin(schema::set_up_postgres(connection)));
        Ok(Self::over(pool.connect_lazy_with(options), Backend::Postgres(server)))
    }

    fn over(pool: AnyPool, backend: Backend) -> Self {
        Self { pool, backend, witness: Witness::default(), known: Arc::default() }
    }

    /// The same with a witness of every tenant's head in this state folder; without, only this process remembers.
    pub fn witnessed_in(self, state: &Path) -> Self {
        Self { witness: Witness::in_folder(state), ..self }
    }

    /// Closes all connections. With SQLite, what the write-ahead log holds is put into the file; without this nothing is
    /// lost either.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn connection(&self, doing: &str) -> Result<PoolConnection<Any>, Fault> {
        if let Backend::Sqlite(place) = &self.backend {
            place.still(doing)?;
        }
        let error = match self.pool.acquire().await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let server = match &self.backend {
            // The pool tries again and again and says only that it took too long.
            Backend::Sqlite(place) => return Err(place.named(doing, trouble(doing, &error))),
            Backend::Postgres(server) => server,
        };
        let fault = trouble(doing, &error);
        if fault.kind == FaultKind::Unauthorized {
            // The password may have been changed since; it is asked for again.
            self.pool.set_connect_options(server.options().await?);
            return self.pool.acquire().await.map_err(|error| trouble(doing, &error));
        }
        if matches!(error, sqlx::Error::PoolTimedOut) {
            // The pool tried until its time was up and has forgotten why it failed.
            let options = server.options().await?;
            let _ = server.connect(&options).await?.close().await;
        }
        Err(fault)
    }

    /// Whether a write whose end was not seen is in the journal. The chain's row is locked first: that waits until the
    /// server has ended what the lost connection had begun.
    async fn settle(&self, tenant: &TenantId, attempt: &Attempt, fault: Fault) -> Result<(), AppendError> {
        let unknown = |fault: Fault| {
            let hint = "whether the last record was written is not known; put the journal's store right, then go on: it is read again first";
            AppendError::Unknown(fault.hint(hint))
        };
        let Backend::Postgres(server) = &self.backend else { return Err(unknown(fault)) };
        let look = async {
            let options = server.options().await?;
            let mut connection = server.connect(&options).await?;
            schema::set_up_postgres(&mut connection).await?;
            let found = writing::is_written(&mut connection, tenant.as_str(), attempt).await?;
            let _ = connection.close().await;
            Ok(found)
        };
        match bounded("finding out whether it was written", OPERATION, look).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(AppendError::Fault(fault.hint("nothing was written; go on"))),
            Err(_) => Err(unknown(fault)),
        }
    }

    /// Carries a write out. Gives how many personal values it erased.
    async fn write(&self, write: Write<'_>) -> Result<usize, AppendError> {
        let doing = "writing the journal";
        let mut connection = self.connection(doing).await?;
        let seen = matches!(write, Write::Append { .. }).then(|| self.witness.of(write.tenant(), 0)).flatten();
        let attempt = Attempt::after(seen);
        let mut known = self.known().remove(write.tenant());
        let writing = writing::write(&mut connection, &attempt, &write, &mut known);
        let result = match tokio::time::timeout(OPERATION, writing).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Fault(too_slow(doing))),
        };
        if let (Ok(_), Some(now)) = (&result, known) {
            let mut all = self.known();
            if all.len() >= MOST_KNOWN {
                all.clear();
            }
            all.insert(write.tenant().clone(), now);
        }
        match give_back(connection, result) {
            Ok(erased) => {
                self.remember(&write, &attempt);
                Ok(erased)
            }
            Err(Failure::Refused(error)) => Err(error),
            Err(failure) => {
                let lost = attempt.is_committing() && failure.may_have_committed();
                let fault = self.named(doing, failure.fault(doing));
                if !lost {
                    return Err(fault.into());
                }
                self.settle(write.tenant(), &attempt, fault).await?;
                self.remember(&write, &attempt);
                Ok(attempt.erased())
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TenantId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn named(&self, doing: &str, fault: Fault) -> Fault {
        match &self.backend {
            Backend::Sqlite(place) => place.named(doing, fault),
            Backend::Postgres(_) => fault,
        }
    }

    /// What was written is witnessed.
    fn remember(&self, write: &Write<'_>, attempt: &Attempt) {
        let (Write::Append { lease, entries, .. }, Some((position, hash))) = (write, attempt.head()) else { return };
        let tenant = &lease.tenant;
        let before = self.witness.case(tenant);
        let covers = |entry: &&Entry| attempt.seen().is_some_and(|seen| witnessing::covers(entry, seen));
        if let Some(recovery) = entries.iter().find(covers).and_then(Recovery::of) {
            self.witness.forget(tenant, recovery);
        }
        if let Some(seen) = Seen::after(before, entries, (position, hash)) {
            self.witness.keep(tenant, seen);
        }
    }

    /// What must be done so that erased bytes are gone from the files. Says what could not be done.
    async fn wipe(&self) -> String {
        let doing = "wiping what was erased";
        let work = async {
            let mut connection = self.connection(doing).await?;
            match self.backend {
                Backend::Sqlite(_) => schema::wipe_sqlite(&mut connection).await,
                Backend::Postgres(_) => schema::wipe_postgres(&mut connection).await,
            }
        };
        match bounded(doing, WHOLE, work).await {
            Ok(note) => note,
            Err(fault) => format!("the values are erased, but their bytes may still be in the store's files: {fault}"),
        }
    }
}

/// Carries work out under a time limit.
async fn bounded<T>(doing: &str, limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|failure| failure.fault(doing)),
        Err(_) => Err(too_slow(doing)),
    }
}

/// A connection on which something went wrong is not used again.
fn give_back<T, E>(mut connection: PoolConnection<Any>, result: Result<T, E>) -> Result<T, E> {
    if result.is_err() {
        connection.close_on_drop();
    }
    result
}

fn too_slow(doing: &str) -> Fault {
    Fault::new(Service::Journal, FaultKind::TimedOut, format!("{doing}: the journal's store answers too slowly"))
        .hint("nothing was written; try again, and look at the store")
}

fn install_drivers() {
    // A second call in one process says "already installed", which is what we want.
    let _ = sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]);
}

fn pool() -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(4).acquire_timeout(ACQUIRE)
}

#[async_trait]
impl JournalStore for SqlJournal {
    async fn append(&self, rotation: &RotationId, lease: &Lease, entries: &[Entry]) -> Result<(), AppendError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.write(Write::Append { rotation, lease, entries }).await.map(|_| ())
    }

    async fn load(&self, rotation: &RotationId) -> Result<Vec<Entry>, Fault> {
        let doing = "reading the journal";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, reading::load(&mut connection, rotation)).await;
        let (entries, head) = give_back(connection, result).map_err(|fault| self.named(doing, fault))?;
        if let Some((tenant, position, hash)) = head
            && let Some(case) = CaseSeen::after(None, &entries)
            && let Some(seen) = Seen::after(Some(case), &entries[entries.len() - 1..], (position, &hash))
        {
            self.witness.keep(&tenant, Seen { behind: recoveries(&entries), ..seen });
        }
        Ok(entries)
    }

    async fn heads(&self, tenant: Option<&TenantId>) -> Result<Vec<RotationHead>, Fault> {
        let doing = "reading the journal";
        let mut connection = self.connection(doing).await?;
        let work = async {
            if let Some(tenant) = tenant {
                let (ends_at, hash) = reading::check_head(&mut connection, tenant).await?;
                let (seen, head) = (self.witness.of(tenant, ends_at), (ends_at, hash.as_str()));
                let mut compared = reading::compare(&mut connection, tenant.as_str(), seen.as_ref(), head).await?;
                if compared.lost.is_some() {
                    // Somebody may have written both between the two looks: what is seen first must be the witness.
                    let (ends_at, hash) = reading::check_head(&mut connection, tenant).await?;
                    let head = (ends_at, hash.as_str());
                    compared = reading::compare(&mut connection, tenant.as_str(), seen.as_ref(), head).await?;
                }
                if let Some(recovery) = compared.covered_by {
                    self.witness.forget(tenant, recovery);
                }
                self.witness.judged(tenant, compared.lost);
            }
            reading::heads(&mut connection, tenant).await
        };
        let result = bounded(doing, OPERATION, work).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    fn witnessed(&self, tenant: &TenantId) -> Witnessed {
        self.witness.told(tenant)
    }

    fn seen(&self) -> Vec<Head> {
        self.witness.heads()
    }

    async fn acquire(&self, tenant: &TenantId, me: &Holder) -> Result<Result<Lease, Holder>, Fault> {
        let doing = "taking the tenant's lease";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::acquire(&mut connection, tenant, me)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn take_from(
        &self,
        tenant: &TenantId,
        holder: &Holder,
        me: &Holder,
        overruled: bool,
    ) -> Result<Option<Lease>, Fault> {
        let doing = "taking over the tenant's lease";
        let mut connection = self.connection(doing).await?;
        let taken = leases::take_from(&mut connection, tenant, holder, me, overruled);
        let result = bounded(doing, OPERATION, taken).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn renew(&self, lease: &Lease, now: Timestamp) -> Result<bool, Fault> {
        let doing = "renewing the tenant's lease";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::renew(&mut connection, lease, now)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn holds(&self, lease: &Lease) -> Result<bool, Fault> {
        let doing = "looking whether the tenant is still ours";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::holds(&mut connection, lease)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn release(&self, lease: &Lease) -> Result<(), Fault> {
        let doing = "giving the tenant back";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::release(&mut connection, lease)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn holders(&self) -> Result<Vec<(TenantId, Holder)>, Fault> {
        let doing = "reading who holds the tenants";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::holders(&mut connection)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn holder(&self, tenant: &TenantId) -> Result<Option<Holder>, Fault> {
        let doing = "reading who holds the tenant";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::holder_of(&mut connection, tenant)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn clock(&self) -> Result<Option<Timestamp>, Fault> {
        if let Backend::Sqlite(_) = self.backend {
            return Ok(None);
        }
        let doing = "asking the journal's server how late it is";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::clock(&mut connection)).await;
        give_back(connection, result).map(Some).map_err(|fault| self.named(doing, fault))
    }

    async fn mark(&self) -> Result<Mark, Fault> {
        let doing = "looking whether the journal has moved";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::mark(&mut connection)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn positions(&self) -> Result<Vec<(TenantId, u64)>, Fault> {
        let doing = "reading how long the journals are";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, OPERATION, leases::positions(&mut connection)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn add_to_lease_log(&self, tenant: &TenantId, entry: &Entry) -> Result<(), AppendError> {
        self.write(Write::Log { tenant, entry }).await.map(|_| ())
    }

    async fn lease_log(&self, tenant: &TenantId) -> Result<Vec<Entry>, Fault> {
        self.load(&lease_log_id(tenant)).await
    }

    async fn tables(&self) -> Result<Tables, Fault> {
        let doing = "reading the whole journal";
        let mut connection = self.connection(doing).await?;
        let work = async {
            if let Backend::Sqlite(_) = self.backend {
                schema::integrity_sqlite(&mut connection).await?;
            }
            reading::tables(&mut connection, matches!(self.backend, Backend::Postgres(_))).await
        };
        let result = bounded(doing, WHOLE, work).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn mentions(&self, address: &str) -> Result<Vec<Mention>, Fault> {
        let doing = "looking for a person in the journal";
        let mut connection = self.connection(doing).await?;
        let result = bounded(doing, WHOLE, reading::mentions(&mut connection, address)).await;
        give_back(connection, result).map_err(|fault| self.named(doing, fault))
    }

    async fn erase(&self, lease: &Lease, address: &str, entry: &Entry) -> Result<Erased, AppendError> {
        let values = self.write(Write::Erase { lease, address, entry }).await?;
        let note = if values == 0 { String::new() } else { self.wipe().await };
        Ok(Erased { values, note })
    }
}
