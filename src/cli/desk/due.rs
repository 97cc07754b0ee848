//! `rotate --when-due`, for a timer: begins a rotation where one is due and nothing waits, and says by its exit code what it found.
//! Run twice it does nothing the second time. Whether one is due is the runbook's to say.

use super::{Ended, ended, name, tell};
use crate::cli::exit;
use crate::cli::teller::Teller;
use crate::engine::case::gate::Verdict;
use crate::engine::case::machine::Order;
use crate::engine::case::status::Status;
use crate::runtime::case::{Desk, RunFault};
use crate::runtime::ending;
use anyhow::Result;
use std::time::Instant;

/// What a timer finds.
enum Found {
    /// This is to be done, as the next action says.
    Do(Order),
    /// Nothing is to be done now, and why.
    Nothing(String),
    /// A person is waited for, and for what.
    Person(String),
}

/// Looks, and does what is due. Gives the exit code: 0 done or nothing due, 3 due and the gate is shut, 4 held, 5 a person is waited
/// for; 1 where it failed.
pub(super) async fn rotate(desk: &dyn Desk, teller: &Teller, reference: &str, json: bool) -> Result<u8> {
    let began = Instant::now();
    desk.reload().await?;
    desk.look().await;
    let status = desk.status();
    let ended = match found(&status, name(desk), reference) {
        _ if status.holder.is_some() => {
            let held = status.holder.clone().map_or(Ok(String::new()), |holder| Err(RunFault::Held(Box::new(holder))));
            ended(status, held, began, Some(false))
        }
        Found::Nothing(why) => ended(status, Ok(format!("nothing is due: {why}")), began, Some(false)),
        Found::Person(why) => {
            let told = ended(status, Ok(format!("nothing new begins: {why}")), began, Some(false));
            Ended { exit: exit::PERSON, ..told }
        }
        Found::Do(order) => {
            let result = desk.run(order).await;
            teller.end();
            if !ending::is_asked() {
                desk.look_again().await;
            }
            ended(desk.status(), result, began, Some(true))
        }
    };
    tell(&ended, json)?;
    Ok(ended.exit)
}

fn found(status: &Status, name: &str, reference: &str) -> Found {
    let begin = |stretch: &str| Order::Begin {
        stretch: stretch.to_owned(),
        confirm: name.to_owned(),
        reference: reference.to_owned(),
    };
    let next = || status.next.text.clone();
    match status.phase {
        // Nothing was changed yet: a check that a person has left open is no rotation.
        "idle" | "open" => match &status.due {
            Some(due) if !due.now => Found::Nothing(due.text.clone()),
            // A timer begins nothing of which nobody says when it is due.
            None if status.gates.get("rotate").is_some_and(Verdict::is_open) => {
                Found::Nothing("nothing says when it is due; a person begins it".into())
            }
            _ => Found::Do(begin("rotate")),
        },
        "half-way" => match status.gates.get("purge") {
            Some(gate) if gate.is_open() && status.alone.contains(&"purge") => Found::Do(begin("purge")),
            // So long nobody could do anything.
            Some(gate) if gate.opens().is_some() => Found::Nothing(next()),
            _ => Found::Person(next()),
        },
        _ => Found::Person(next()),
    }
}
