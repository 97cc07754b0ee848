//! One person's data: everything the journal says of them, and its erasure.

use crate::cli::act::{BadUsage, exit_code};
use crate::cli::{exit, print};
use crate::domain::typed::says_something;
use crate::engine::journal::{JournalStore, Mention};
use crate::engine::persons::same_address;
use crate::engine::record::Record;
use crate::runtime::erasure;
use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;

/// What to do with one person's data.
#[derive(Debug, Subcommand)]
pub enum PersonVerb {
    /// Print every record that is about the person, of all tenants
    Export {
        /// Their mail address, or the id under which they are kept
        address: String,
    },
    /// Erase address and name from all journals; records and chain stay
    Erase {
        /// Their mail address
        address: String,
        /// The address once more
        #[arg(long, value_name = "ADDRESS")]
        confirm: String,
        /// Why; stays in the journal, so without the address
        #[arg(long)]
        reason: String,
    },
}

/// Prints every record that is about the person, of all tenants: asked for by an address or by the id under which they are kept.
/// Others who stand in the same record are left out.
pub async fn export(store: &dyn JournalStore, who: &str, json: bool) -> Result<u8> {
    #[derive(Serialize)]
    struct Line {
        tenant: String,
        rotation: String,
        entry: crate::engine::record::Entry,
    }
    let line = |mention: Mention| Line {
        tenant: mention.tenant.to_string(),
        rotation: mention.rotation.0,
        entry: mention.entry,
    };
    let lines: Vec<Line> = store.mentions(who).await?.into_iter().map(line).collect();
    if json {
        print::json(&lines)?;
        return Ok(exit::DONE);
    }
    if lines.is_empty() {
        print::line(format_args!("the journal does not mention this address or id"))?;
    }
    for Line { tenant, rotation, entry } in lines {
        let at = entry.at.strftime("%Y-%m-%d %H:%M:%S UTC");
        print::line(format_args!(
            "{tenant} {rotation} {} {at} {}@{}: {}",
            entry.seq,
            entry.by,
            entry.host,
            entry.record.summary()
        ))?;
        if let Record::PeopleSeen { clients, .. } = &entry.record {
            for client in clients {
                print::line(format_args!(
                    "    {} {} {}",
                    client.id,
                    client.name,
                    client.email.as_deref().unwrap_or_default()
                ))?;
            }
        }
    }
    Ok(exit::DONE)
}

/// Erases the person's values. Needs the address twice and a reason that does not hold it.
pub async fn erase(
    store: &dyn JournalStore,
    address: &str,
    confirm: &str,
    (reason, environment): (&str, &str),
    json: bool,
) -> Result<u8> {
    #[derive(Serialize)]
    struct Done {
        tenant: String,
        values: usize,
        #[serde(skip_serializing_if = "String::is_empty")]
        note: String,
    }
    if !same_address(address, confirm) {
        return Err(BadUsage("--confirm is not the same address".into()).into());
    }
    let reason = crate::domain::sanitize::sanitize(reason);
    if !says_something(&reason) {
        return Err(BadUsage("say why (a reason)".into()).into());
    }
    if reason.to_lowercase().contains(&address.trim().to_lowercase()) {
        return Err(BadUsage("the reason stays in the journal, so it must not hold the address".into()).into());
    }
    let erased = match erasure::erase(store, address, (&reason, environment), &print::say).await {
        Ok(erased) => erased,
        Err(error) => {
            print::say(format_args!("changeguard: {error}"));
            if !error.advice().is_empty() {
                print::say(format_args!("changeguard: {}", error.advice()));
            }
            let code = exit_code(&error);
            if json {
                print::failure(&error.to_string(), &error.advice(), code);
            }
            return Ok(code);
        }
    };
    let done: Vec<Done> = erased
        .into_iter()
        .map(|(tenant, erased)| Done { tenant: tenant.to_string(), values: erased.values, note: erased.note })
        .collect();
    if json {
        print::json(&done)?;
    } else {
        for Done { tenant, values, note } in &done {
            print::line(format_args!("{tenant}: {values} values erased"))?;
            if !note.is_empty() {
                print::line(format_args!("{tenant}: {note}"))?;
            }
        }
        if done.is_empty() {
            print::line(format_args!("the journal does not mention this address"))?;
        }
    }
    Ok(exit::DONE)
}
