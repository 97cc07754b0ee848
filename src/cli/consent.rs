//! What an act on the command line must be given before it goes out: the same name that the screen asks for, by the same list.
//! A verb that takes the name as an argument of its own is asked by the engine.

use crate::app::confirm::{Ask, ask_for};
use crate::app::dialog::{rollback, rotate};
use crate::cli::act::BadUsage;
use crate::cli::print;
use crate::engine::command::Command;
use crate::engine::machine::SendOrder;
use crate::engine::status::TenantStatus;
use crate::runtime::conductor::Conductor;
use crate::runtime::look::PATIENCE;
use anyhow::Result;
use clap::Args;
use std::io::IsTerminal;

/// Names of people that are shown before they are counted.
const NAMES: usize = 12;

/// A tenant, and its name once more where an act reaches several people or destroys a way back.
#[derive(Debug, Args)]
pub struct NamedArg {
    /// The tenant's name or id
    pub tenant: String,
    /// The tenant's name once more; on a terminal it is asked for where it is not given
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// Whether the list asks for the name, and the command does not hold it (or, for an approval, the plan's digest) itself.
pub fn wants_name(command: &Command, status: &TenantStatus) -> bool {
    let holds_it = matches!(
        command,
        Command::Rotate { .. }
            | Command::RollBack { .. }
            | Command::Emergency { .. }
            | Command::Cancel { .. }
            | Command::TakeOver { .. }
            | Command::Recover { .. }
            | Command::Approve { .. }
            | Command::ApproveSigned { .. }
    );
    !holds_it && ask_for(std::slice::from_ref(command), status) == Ask::Name
}

/// Goes on if the name was given; on a terminal it is asked for, after what will be done was said. A script that has no terminal
/// and gives none goes on as well: it is no slip of a hand.
pub async fn given(conductor: &Conductor, command: &Command, confirm: Option<String>) -> Result<()> {
    let is_way_back = matches!(command, Command::RollBack { .. });
    let status = conductor.status();
    if is_way_back && status.touched {
        for line in rollback::whom(&status) {
            print::say(format_args!("{}: {line}", status.tenant.name));
        }
    }
    let name = status.tenant.name.clone();
    let typed = match confirm {
        Some(typed) => typed,
        None if !wants_name(command, &status) || !std::io::stdin().is_terminal() => return Ok(()),
        None => {
            for line in stakes(conductor, command, &status) {
                print::say(format_args!("{name}: {line}"));
            }
            print::say(format_args!("{name}: type {name} to do it, anything else leaves it:"));
            let read = || std::io::stdin().lines().next().and_then(Result::ok).unwrap_or_default();
            tokio::task::spawn_blocking(read).await?.trim().to_owned()
        }
    };
    if typed == name {
        return Ok(());
    }
    // What was typed may be anything, a password too.
    conductor.refused_before(command, "another name than the tenant's was typed").await;
    Err(BadUsage(format!("{typed:?} is not the tenant's name, {name}; nothing was done")).into())
}

/// Looks before it is said whom it cuts off, for only a look tells; nobody waits long for a place that does not answer.
pub async fn looked(conductor: &Conductor, command: &Command) {
    if matches!(command, Command::Rotate { .. } | Command::Emergency { .. } | Command::RollBack { .. }) {
        conductor.look_within(PATIENCE).await;
    }
}

/// What can't be taken back is said before it begins, to a script too.
pub fn said_first(command: &Command, status: &TenantStatus) -> Vec<String> {
    match command {
        Command::Rotate { .. } | Command::Emergency { .. } => breaks(status),
        Command::RollBack { .. } if status.touched => {
            std::iter::once(rollback::which_key(status)).chain(status.bear_servers_key()).collect()
        }
        _ => Vec::new(),
    }
}

/// What a change of the key breaks, for whom, and for how long.
pub fn breaks(status: &TenantStatus) -> Vec<String> {
    let whom = match status.clients.is_empty() {
        true if status.people_seen.is_some() => vec!["no place names a client of this server now".to_owned()],
        true => vec!["cuts off everybody on this server; who they are is looked up first".to_owned()],
        false => rotate::stakes(status).into_iter().map(|row| row.text).collect(),
    };
    whom.into_iter().chain(rotate::consequences(status).into_iter().map(|row| row.text)).collect()
}

/// What it will do, to whom, and what is lost.
fn stakes(conductor: &Conductor, command: &Command, status: &TenantStatus) -> Vec<String> {
    match command {
        Command::Notify { kind, only, again } => {
            let order = SendOrder { kind: *kind, only: only.clone(), again: *again };
            let Ok(letters) = conductor.previews(&order) else { return Vec::new() };
            let people: Vec<String> = letters.into_iter().map(|(_, letter)| letter.to).collect();
            let more = people.len().saturating_sub(NAMES);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let shown: Vec<&str> = people.iter().take(NAMES).map(String::as_str).collect();
            vec![format!("mails the {} to {}: {}{more}", kind.word(), people.len(), shown.join(", "))]
        }
        Command::Reschedule { window } => {
            let (then, settled) = (window.for_people(), status.settled(""));
            vec![format!("moves the window to {then}; for the one before, which counts no more: {settled}")]
        }
        Command::Finish { .. } => {
            vec!["destroys the kept keys and closes the rotation: there is NO WAY BACK to the previous key".into()]
        }
        Command::Resume => vec![format!("goes on: {}", status.next.text)],
        _ => Vec::new(),
    }
}
