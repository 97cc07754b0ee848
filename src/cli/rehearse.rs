//! `rehearse`: what shall go wrong in a lab that runs, so that it can be practised. Only a lab can be told; beside a
//! configuration of real services there is nothing to tell.

use crate::adapters::lab::{Controls, MishapOrder, Rehearsed};
use crate::cli::act::BadUsage;
use crate::cli::{exit, print};
use crate::config::Config;
use crate::domain::sanitize::sanitize;
use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use serde::Serialize;

/// The lab's configuration names its cloud so, and no other has a lab's controls beside it.
const CLOUD: &str = "lab";

/// What to do with the mishaps.
#[derive(Debug, Subcommand)]
pub enum RehearseVerb {
    /// List the mishaps and where each is on
    List,
    /// Switch one on
    On(MishapArgs),
    /// Switch one off, or `all`
    Off(MishapArgs),
}

/// Which mishap, and whom it is about.
#[derive(Debug, Args)]
pub struct MishapArgs {
    /// Its word, as `rehearse list` shows it: barbican-down, secret-missing, bounce
    pub mishap: String,
    /// For which tenant; without one, all (late) or the first
    #[arg(long)]
    pub tenant: Option<String>,
    /// For which client: id or address; without one, the tenant's first. Or which node of the cluster; without one, the second
    #[arg(long, requires = "tenant")]
    pub client: Option<String>,
}

/// The way to the lab that has written this configuration and runs still.
pub fn controls(config: &Config) -> Option<Controls> {
    Controls::beside(&config.path).filter(|_| config.cloud.name == CLOUD)
}

/// Carries it out. Gives the exit code.
pub async fn rehearse(config: &Config, verb: RehearseVerb, json: bool) -> Result<u8> {
    let no_lab = || {
        anyhow!(
            "no lab runs beside {}: mishaps can be rehearsed in `changeguard demo` and `changeguard lab` only; nothing was done",
            config.path.display()
        )
    };
    let controls = controls(config).ok_or_else(no_lab)?;
    let order = |arguments: MishapArgs, on: bool| {
        let MishapArgs { mishap, tenant, client } = arguments;
        MishapOrder { mishap, on, tenant, client }
    };
    let order = match verb {
        RehearseVerb::List => None,
        RehearseVerb::On(arguments) => Some(order(arguments, true)),
        RehearseVerb::Off(arguments) => Some(order(arguments, false)),
    };
    let lists = order.is_none();
    let answered = controls.ask(order).await.with_context(no_lab)?;
    let said = answered
        .said
        .clone()
        .map_err(|why| BadUsage(format!("{}; see `changeguard rehearse list`", sanitize(&why))))?;
    if json {
        #[derive(Serialize)]
        struct Told<'a> {
            said: &'a str,
            mishaps: &'a [crate::adapters::lab::MishapView],
        }
        print::json(&Told { said: &said, mishaps: &answered.mishaps })?;
    } else if lists {
        list(&answered)?;
    } else {
        print::line(format_args!("lab: {}", sanitize(&said)))?;
    }
    Ok(exit::DONE)
}

fn list(answered: &Rehearsed) -> Result<()> {
    for view in &answered.mishaps {
        let on = if view.on.is_empty() { "off".to_owned() } else { format!("ON {}", view.on.join(", ")) };
        print::line(format_args!("{:18} {}: {}", view.mishap, on, view.help))?;
    }
    Ok(())
}
