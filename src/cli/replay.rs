//! `replay`: a past case, record after record; on the screen, or as JSON with what was true behind each.

use crate::cli::act::BadUsage;
use crate::cli::audit::Journal;
use crate::cli::{exit, print};
use crate::config::Config;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::{Tenant, TenantId};
use crate::engine::journal::JournalStore;
use crate::engine::record::Entry;
use crate::engine::rotation::Rotation;
use crate::runtime::kinds;
use crate::runtime::past::Past;
use crate::runtime::replay::{Replay, Then};
use crate::runtime::wiring::Wiring;
use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// Which case, and how fast.
#[derive(Debug, Args)]
pub struct ReplayVerb {
    /// The tenant's name or id, or KIND/NAME
    pub tenant: String,
    /// Which case; the newest without (`report --list` shows them)
    #[arg(long, value_name = "ID")]
    pub rotation: Option<String>,
    /// How much faster than it was, 1 to 3600
    #[arg(long, default_value_t = 60, value_name = "TIMES")]
    pub speed: u32,
}

/// One record and what was true behind it.
#[derive(Serialize)]
struct Moment<'a, S: Serialize> {
    record: usize,
    of: usize,
    at: Timestamp,
    by: &'a str,
    what: String,
    status: &'a S,
}

/// Whose case it is, and what was recorded of it.
async fn past(config: &Config, store: &dyn JournalStore, verb: &ReplayVerb) -> Result<(Past, Option<Tenant>)> {
    let journal = Journal::new(config, store);
    let typed = verb.tenant.as_str();
    let kind = kinds::of_subject(typed);
    let key = match kind {
        Some(_) => TenantId::of_subject(typed).map_err(|bad| BadUsage(bad.to_string()))?,
        None => journal.find(typed).await?,
    };
    let head = journal.meant(&key, typed, verb.rotation.clone()).await?;
    let entries = store.load(&head.rotation).await?;
    let tenant = match kind {
        Some(_) => None,
        None => {
            let known = config.tenant.iter().find(|tenant| tenant.id == key).cloned();
            Some(known.map_or_else(|| Rotation::fold(&entries).map(|rotation| rotation.tenant), Ok)?)
        }
    };
    let is_at_work = |entries: &[Entry]| match &kind {
        Some(kind) => (kind.history)(entries).is_ok_and(|(core, _)| core.is_some_and(|core| core.running().is_some())),
        None => Rotation::fold(entries).is_ok_and(|rotation| {
            StepNumber::ALL.iter().any(|step| matches!(rotation.step(*step), StepState::Running { .. }))
        }),
    };
    Ok((Past::new(key, head.rotation, entries, is_at_work), tenant))
}

/// The case that is meant, ready to be shown. Nothing outside is asked.
pub async fn open(config: Config, verb: &ReplayVerb) -> Result<Replay> {
    let wiring = Wiring::open(config).await?;
    let (past, tenant) = past(wiring.config(), wiring.store().as_ref(), verb).await?;
    Ok(Replay::new(wiring, Arc::new(past), tenant))
}

/// Prints each moment: as a line, or as a JSON document of its own with what was true behind it.
pub async fn print(replay: &Replay, json: bool) -> Result<u8> {
    let past = replay.past();
    for record in 1..=past.len() {
        past.go_to(record);
        let Some(last) = past.last() else { continue };
        let (of, at, by, what) = (past.len(), last.at, last.by.as_str(), last.record.summary());
        if !json {
            print::line(format_args!("{record:>4} of {of}  {}  {by}: {what}", at.strftime("%Y-%m-%d %H:%M:%S UTC")))?;
            continue;
        }
        match replay.then().await? {
            Then::Tenant(status) => print::json(&Moment { record, of, at, by, what, status: status.as_ref() })?,
            Then::Case(status) => print::json(&Moment { record, of, at, by, what, status: status.as_ref() })?,
        }
    }
    Ok(exit::DONE)
}
