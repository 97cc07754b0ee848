//! Erases one person from the journals of all tenants, under the tenants' leases, and never while a rotation that
//! involves them is open: its mails and answers are needed until its end.

use crate::adapters::system::{self, SystemClock};
use crate::domain::sanitize::sanitize;
use crate::domain::tenant::TenantId;
use crate::engine::command::Refusal;
use crate::engine::journal::{Erased, Holder, JournalStore, Lease};
use crate::engine::ports::Clock;
use crate::engine::record::{Actor, Record};
use crate::engine::rotation::Rotation;
use crate::runtime::lease::{PATIENCE, Taker};
use crate::runtime::lookout::Lookout;
use crate::runtime::run::{RunError, journal_fault};
use crate::runtime::wiring::environment;
use std::collections::BTreeSet;

/// Erases the person with this address, for a reason and under the environment's name (`why`). Gives the tenants in whose journals they were. All of them are looked at before
/// anything is erased. `tell` is told what is being waited for.
pub async fn erase(
    store: &dyn JournalStore,
    address: &str,
    why: (&str, &str),
    tell: &(dyn Fn(String) + Send + Sync),
) -> Result<Vec<(TenantId, Erased)>, RunError> {
    let tenants: BTreeSet<TenantId> = store.mentions(address).await?.into_iter().map(|m| m.tenant).collect();
    let mut leases = Vec::new();
    let result = under_leases(store, address, why, &tenants, &mut leases, tell).await;
    for lease in &leases {
        // What was done is done; a lease that can't be given back runs out.
        let _ = store.release(lease).await;
    }
    result
}

async fn under_leases(
    store: &dyn JournalStore,
    address: &str,
    (reason, environment_name): (&str, &str),
    tenants: &BTreeSet<TenantId>,
    leases: &mut Vec<Lease>,
    tell: &(dyn Fn(String) + Send + Sync),
) -> Result<Vec<(TenantId, Erased)>, RunError> {
    let identity = system::identity(&environment);
    let now = SystemClock.now();
    let (name, host) = (identity.user.clone(), identity.host.clone());
    let me = Holder::new(name, host, identity.pid, now, system::instance()?);
    for tenant in tenants {
        let taker = Taker { store, tenant, me: &me, lookout: &Lookout::default(), patience: PATIENCE };
        let (lease, _) = taker.take(None, tell).await?.map_err(|holder| Refusal::Held(Box::new(holder)))?;
        leases.push(lease);
    }
    for tenant in tenants {
        refuse_open(store, tenant, address).await?;
    }
    let record = Record::PersonErased { tokens: Vec::new(), reason: reason.to_owned() };
    let named = Some(sanitize(environment_name)).filter(|name| !name.is_empty());
    let entry = Actor { environment: named, ..identity.actor() }.entry(0, now, record);
    let mut done = Vec::new();
    for lease in leases.iter() {
        let erased = store.erase(lease, address, &entry).await.map_err(journal_fault)?;
        if erased.values > 0 {
            done.push((lease.tenant.clone(), erased));
        }
    }
    Ok(done)
}

async fn refuse_open(store: &dyn JournalStore, tenant: &TenantId, address: &str) -> Result<(), RunError> {
    // Only the newest can be open: a second one is not planned before the first has ended.
    let Some(head) = store.heads(Some(tenant)).await?.into_iter().next() else { return Ok(()) };
    let rotation = Rotation::fold(&store.load(&head.rotation).await?)?;
    let mentions = store.mentions(address).await?;
    let involved = mentions.iter().any(|mention| mention.rotation == head.rotation && mention.tenant == *tenant);
    if involved && rotation.outcome.is_none() {
        let name = &rotation.tenant.name;
        let text =
            format!("the open rotation {} of {name} involves this person; finish or cancel it first", head.rotation);
        return Err(Refusal::NotNow(text).into());
    }
    Ok(())
}
