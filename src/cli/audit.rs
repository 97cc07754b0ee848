//! What can be asked of the journal alone, without a cloud: whether its chain is intact, where it ends, what it says of one
//! rotation (`report`), and what it knows of one person (`person`).

use crate::cli::act::BadUsage;
use crate::cli::{PersonVerb, Verb, exit, person, print, report};
use crate::config::Config;
use crate::domain::tenant::TenantId;
use crate::domain::typed::Typed;
use crate::engine::audit::{self, Head, Tables, Verdict};
use crate::engine::journal::{JournalStore, RotationHead};
use crate::engine::record::RotationId;
use crate::engine::rotation::Rotation;
use crate::engine::witness;
use crate::runtime::fleet::UnknownTenant;
use crate::runtime::kinds;
use crate::runtime::wiring::{self, WiringError};
use anyhow::{Result, anyhow};
use clap::Subcommand;
use serde::Serialize;

/// What to do with the chain.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Look whether every record is what was written; names the first that is not
    Verify {
        /// The tenant's name or id; all of them without
        tenant: Option<String>,
        /// A head that was kept elsewhere must be part of the chain (may be given several times)
        #[arg(long, value_name = "HEAD")]
        expect: Vec<String>,
    },
    /// Print where each chain ends, TENANT:POSITION:HASH, to be kept elsewhere for `verify --expect`
    Head {
        /// The tenant's name or id; all of them without
        tenant: Option<String>,
    },
}

/// Carries out a verb that needs the journal only. Gives the exit code.
/// `environment` is the environment's name, for the record of an erasure.
pub async fn ask(config: &Config, verb: Verb, json: bool, environment: &str) -> Result<u8> {
    let opened = wiring::journal(config).await;
    let store = match verb {
        // A journal that can't be opened is what the audit was asked to find.
        Verb::Audit { .. } => opened?,
        _ => opened.map_err(WiringError::Fault)?,
    };
    let journal = Journal::new(config, &store);
    match verb {
        Verb::Audit { verb: AuditVerb::Verify { tenant, expect } } => {
            journal.verify(tenant.as_deref(), &expect, json).await
        }
        Verb::Audit { verb: AuditVerb::Head { tenant } } => journal.head(tenant.as_deref(), json).await,
        Verb::Report { tenant, rotation, list } if kinds::of_subject(&tenant.tenant).is_some() => {
            journal.case(&tenant.tenant, rotation, list, json).await
        }
        Verb::Report { tenant, list: true, .. } => journal.list(&tenant.tenant, json).await,
        Verb::Report { tenant, rotation, .. } => journal.report(&tenant.tenant, rotation, json).await,
        Verb::Person { verb: PersonVerb::Export { address } } => person::export(&store, &address, json).await,
        Verb::Person { verb: PersonVerb::Erase { address, confirm, reason } } => {
            person::erase(&store, &address, &confirm, (&reason, environment), json).await
        }
        _ => Err(anyhow!("not a question to the journal")),
    }
}

/// Whether these verbs need the journal only.
pub fn is_asked_here(verb: &Verb) -> bool {
    matches!(verb, Verb::Audit { .. } | Verb::Report { .. } | Verb::Person { .. })
}

/// The journal, asked without a cloud.
pub(super) struct Journal<'a> {
    config: &'a Config,
    store: &'a dyn JournalStore,
}

/// What `audit verify --json` prints.
#[derive(Serialize)]
struct Verified {
    intact: bool,
    tenants: Vec<Verdict>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(config: &'a Config, store: &'a dyn JournalStore) -> Self {
        Self { config, store }
    }

    /// The case of a subject that is meant: the newest, or the one of this id. Errors: there is none.
    pub(super) async fn meant(&self, key: &TenantId, typed: &str, id: Option<String>) -> Result<RotationHead> {
        let wanted = id.map(RotationId);
        let heads = self.store.heads(Some(key)).await?;
        let head = heads.into_iter().find(|head| wanted.as_ref().is_none_or(|wanted| head.rotation == *wanted));
        let list = Typed::of("report").word(typed).flag("list");
        head.ok_or_else(|| match wanted {
            Some(id) => BadUsage(format!("{typed} has no case {id}; see `{list}`")).into(),
            None if key.is_subject() => anyhow!("no case of {typed} was ever opened"),
            None => anyhow!("nothing was ever planned for {typed}"),
        })
    }

    /// A tenant by name or id: of the configuration, or of a rotation (discovered tenants stand in no configuration).
    pub(super) async fn find(&self, typed: &str) -> Result<TenantId> {
        let known = &self.config.tenant;
        if let Some(tenant) = known.iter().find(|tenant| tenant.name == typed || tenant.id.as_str() == typed) {
            return Ok(tenant.id.clone());
        }
        let heads = self.store.heads(None).await?;
        if let Some(head) = heads.iter().find(|head| head.tenant.as_str() == typed) {
            return Ok(head.tenant.clone());
        }
        let mut found: Vec<&TenantId> = Vec::new();
        for head in &heads {
            let named = |rotation: Rotation| rotation.tenant.name == typed;
            // A rotation that can't be read is no reason not to find another tenant's.
            if !found.contains(&&head.tenant)
                && let Ok(entries) = self.store.load(&head.rotation).await
                && Rotation::fold(&entries).is_ok_and(named)
            {
                found.push(&head.tenant);
            }
        }
        match found[..] {
            [] => {}
            [only] => return Ok(only.clone()),
            _ => {
                let known: Vec<&str> = found.iter().map(|id| id.as_str()).collect();
                return Err(UnknownTenant::Several { typed: typed.to_owned(), known: known.join(", ") }.into());
            }
        }
        if let Some(why) = self.config.no_tenants() {
            return Err(BadUsage(format!("there is no tenant {typed:?}: {why}")).into());
        }
        let names: Vec<&str> = known.iter().map(|tenant| tenant.name.as_str()).take(20).collect();
        Err(UnknownTenant::Unknown { typed: typed.to_owned(), known: names.join(", ") }.into())
    }

    fn name_of(&self, id: &str) -> String {
        let tenant = self.config.tenant.iter().find(|tenant| tenant.id.as_str() == id);
        tenant.map_or_else(|| crate::domain::sanitize::sanitize(id), |tenant| tenant.name.clone())
    }

    async fn verdicts(&self, tenant: Option<&str>, expected: &[Head]) -> Result<Vec<Verdict>> {
        let only = match tenant {
            Some(typed) => Some(self.find(typed).await?),
            None => None,
        };
        Ok(self.judged(&self.store.tables().await?, only.as_ref(), expected))
    }

    /// The same of what was read; the heads that this host has seen must be part of it.
    fn judged(&self, tables: &Tables, only: Option<&TenantId>, expected: &[Head]) -> Vec<Verdict> {
        let seen = self.store.seen().into_iter().filter(|head| !witness::is_recovered(&tables.records, head));
        let expected: Vec<Head> = expected.iter().cloned().chain(seen).collect();
        audit::verify(tables, only.map(TenantId::as_str), &expected)
    }

    async fn verify(&self, tenant: Option<&str>, expect: &[String], json: bool) -> Result<u8> {
        let expected: Vec<Head> =
            expect.iter().map(|text| text.parse().map_err(BadUsage)).collect::<Result<_, BadUsage>>()?;
        let verdicts = self.verdicts(tenant, &expected).await?;
        let intact = verdicts.iter().all(|verdict| verdict.finding.is_none());
        if json {
            print::json(&Verified { intact, tenants: verdicts })?;
        } else {
            for verdict in &verdicts {
                print::line(format_args!("{}", self.told(verdict)))?;
            }
            if verdicts.is_empty() {
                print::line(format_args!("the journal is empty"))?;
            }
        }
        if !intact {
            print::say("changeguard: keep a copy of the journal as it is, and find out who changed it");
        }
        Ok(if intact { exit::DONE } else { exit::FAILED })
    }

    fn told(&self, verdict: &Verdict) -> String {
        let name = self.name_of(&verdict.tenant);
        if let Some(finding) = &verdict.finding {
            return crate::domain::sanitize::sanitize(&format!("{name}: NOT INTACT: {finding}"));
        }
        let mut text = format!("{name}: intact, {} records", verdict.records);
        if let Some(head) = verdict.head.as_ref().filter(|_| verdict.records > 0) {
            text.push_str(&format!(", head {head}"));
        }
        if verdict.imported > 0 {
            let count = verdict.imported;
            text.push_str(&format!(
                "; the first {count} are older than the chain, which proves them only from then on"
            ));
        }
        text
    }

    async fn head(&self, tenant: Option<&str>, json: bool) -> Result<u8> {
        let verdicts = self.verdicts(tenant, &[]).await?;
        if let Some(broken) = verdicts.iter().find(|verdict| verdict.finding.is_some()) {
            // Nobody should keep a head that proves the wrong thing.
            print::say(self.told(broken));
            if json {
                print::failure(&self.told(broken), "", exit::FAILED);
            }
            return Ok(exit::FAILED);
        }
        let heads: Vec<Head> = verdicts.into_iter().filter_map(|v| v.head.filter(|head| head.position > 0)).collect();
        if json {
            print::json(&heads)?;
        } else {
            for head in heads {
                print::line(format_args!("{head}"))?;
            }
        }
        Ok(exit::DONE)
    }

    async fn list(&self, typed: &str, json: bool) -> Result<u8> {
        let tenant = self.find(typed).await?;
        let (mut list, four_eyes) = (Vec::new(), wiring::four_eyes(self.config));
        for head in self.store.heads(Some(&tenant)).await? {
            let rotation = Rotation::fold(&self.store.load(&head.rotation).await?)?;
            list.push(report::Line::of(&rotation, four_eyes.as_ref()));
        }
        if json {
            print::json(&list)?;
        } else {
            for line in list {
                print::line(format_args!("{line}"))?;
            }
        }
        Ok(exit::DONE)
    }

    async fn report(&self, typed: &str, rotation: Option<String>, json: bool) -> Result<u8> {
        let tenant = self.find(typed).await?;
        let rotation = self.meant(&tenant, typed, rotation).await?.rotation;
        let entries = self.store.load(&rotation).await?;
        let lease_log = self.store.lease_log(&tenant).await?;
        let tables = self.store.tables().await?;
        let verdict = self.judged(&tables, Some(&tenant), &[]).into_iter().next();
        let verified = self.config.inbox.as_ref().map(|inbox| inbox.authserv_id.is_some());
        let (rotation, four_eyes) = (Rotation::fold(&entries)?, wiring::four_eyes(self.config));
        let four_eyes = four_eyes.as_ref();
        let report = report::Report::new(&rotation, entries, lease_log, &tables, verdict, verified, four_eyes);
        if json {
            print::json(&report)?;
        } else {
            print::text(&report.markdown())?;
        }
        Ok(exit::DONE)
    }

    /// The same of a subject that is no tenant, `kind/name`.
    async fn case(&self, subject: &str, case: Option<String>, list: bool, json: bool) -> Result<u8> {
        let (Some(kind), Ok(key)) = (kinds::of_subject(subject), TenantId::of_subject(subject)) else {
            return Err(BadUsage(format!("there is no subject {subject:?}")).into());
        };
        if list {
            let mut lines = Vec::new();
            for head in self.store.heads(Some(&key)).await? {
                let (core, _) = (kind.history)(&self.store.load(&head.rotation).await?)?;
                lines.extend(core.iter().map(report::CaseLine::of));
            }
            match json {
                true => print::json(&lines)?,
                false => lines.iter().try_for_each(|line| print::line(format_args!("{line}")))?,
            }
            return Ok(exit::DONE);
        }
        let head = self.meant(&key, subject, case).await?;
        let entries = self.store.load(&head.rotation).await?;
        let tables = self.store.tables().await?;
        let verdict = self.judged(&tables, Some(&key), &[]).into_iter().next();
        let (Some(core), lines) = (kind.history)(&entries)? else {
            return Err(anyhow!("no case of {subject} was ever opened"));
        };
        let report = report::CaseReport::new(&core, lines, entries, verdict);
        if json {
            print::json(&report)?;
        } else {
            print::text(&report.markdown())?;
        }
        Ok(exit::DONE)
    }
}
