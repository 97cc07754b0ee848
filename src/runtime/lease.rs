//! How a tenant's lease is taken: the free one at once, a dead holder's once it is known to be dead, a living one's by force
//! only. Whoever has not watched long enough to know watches first, and says so; a living one is waited for a moment, for most
//! hold it for no longer (`watch` that takes a mail in, a colleague's word).

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::TenantId;
use crate::engine::journal::{Holder, JournalStore, Lease};
use crate::runtime::ending;
use crate::runtime::lookout::{LEASE_TTL, Life, Lookout};
use crate::runtime::run::Taken;
use jiff::Timestamp;
use std::time::{Duration, Instant};

/// How often a holder is looked at while it is waited for.
const LOOK: Duration = Duration::from_secs(1);
/// How often at first: most give the tenant back within a moment.
const LOOK_SOON: Duration = Duration::from_millis(150);
/// So long a person waits for a living holder before they are refused: two signs of life.
pub const PATIENCE: Duration = Duration::from_secs(6);

/// Who takes a tenant, and what they know of its holder.
pub struct Taker<'a> {
    /// The journal.
    pub store: &'a dyn JournalStore,
    /// Whose lease.
    pub tenant: &'a TenantId,
    /// Who takes it.
    pub me: &'a Holder,
    /// What has been seen of its holder so far.
    pub lookout: &'a Lookout,
    /// How long a living holder is waited for.
    pub patience: Duration,
}

impl Taker<'_> {
    /// Takes the lease. `force`: the reason of an explicit take-over, which asks no sign of life. `tell` is told what is being
    /// waited for, at once. `Ok(Err)` names a holder who lives, or who fell quiet too short a time ago, and has not given the
    /// tenant back in the time for which it was waited for.
    pub async fn take(
        &self,
        force: Option<&str>,
        tell: &(dyn Fn(String) + Send + Sync),
    ) -> Result<Result<(Lease, Option<Taken>), Holder>, Fault> {
        let Self { store, tenant, me, lookout, patience } = self;
        let (mut told, begun) = (false, Instant::now());
        loop {
            let holder = match store.acquire(tenant, me).await? {
                Ok(lease) => {
                    lookout.forget();
                    return Ok(Ok((lease, None)));
                }
                Err(holder) => holder,
            };
            let life = lookout.see(&holder, me, Timestamp::now());
            let reason = match (life, force) {
                (_, Some(reason)) => reason.to_owned(),
                (Life::Gone, None) => format!("its process {} is no more", holder.pid),
                (Life::Silent, None) => format!("no sign of life for {} s", LEASE_TTL.as_secs()),
                (life, None) => {
                    let patient = begun.elapsed() < *patience;
                    // One that is stopped may be continued: it is waited for by nobody for long, and overruled by those who
                    // know why.
                    let quiet = match life {
                        Life::Quiet(quiet) => Some(quiet.as_secs()),
                        _ if patient => None,
                        _ => return Ok(Err(holder)),
                    };
                    if ending::is_asked() {
                        return Err(ending::ended("the tenant was taken"));
                    }
                    if !told {
                        told = true;
                        let (most, whole) = (patience.as_secs(), LEASE_TTL.as_secs());
                        tell(match quiet {
                            Some(seen) => format!(
                                "waiting for {holder}; no sign of life for {seen} s: goes on at {whole} s, or ends as soon as one comes"
                            ),
                            None => format!("waiting for {holder}, for at most {most} s"),
                        });
                    }
                    tokio::time::sleep(if patient { LOOK_SOON } else { LOOK }).await;
                    continue;
                }
            };
            let taken = store.take_from(tenant, &holder, me, force.is_some()).await?;
            match taken {
                Some(lease) => {
                    lookout.forget();
                    return Ok(Ok((lease, Some(Taken { from: holder, reason, forced: !life.is_over() }))));
                }
                // It lives after all, or somebody else was faster: that is seen at the next look, unless force is used, whose
                // reason was given for the one that was seen.
                None if force.is_none() => {}
                None => return Err(overtaken()),
            }
        }
    }
}

fn overtaken() -> Fault {
    Fault::new(Service::Journal, FaultKind::Conflict, "somebody else has just taken the tenant")
        .hint("nothing was changed; look again")
}
