//! The form of an answer: what, by which channel, in whose words; for one client or for all that are marked.

use crate::app::dialog::form::{People, required};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::domain::acknowledgement::{Answer, Channel};
use crate::engine::command::Command;
use crate::engine::status::TenantStatus;

const ANSWER: usize = 0;
const PROPOSAL: usize = 1;
const CHANNEL: usize = 2;
const NOTE: usize = 3;
const OTHER_TIME: usize = 3;

/// The form for these clients.
pub fn open(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![
        Field::choice("answer", &["confirmed", "declined", "tentative", "other time"]),
        Field::text("their proposal", "", "in the client's words"),
        Field::choice("channel", &["phone", "chat", "mail"]),
        Field::text("note", "", "optional"),
    ];
    FormDialog::new(&status.tenant.id, Purpose::Answer(people), fields)
}

/// The proposal has a meaning only with "other time".
pub fn is_shown(form: &FormDialog, at: usize) -> bool {
    at != PROPOSAL || form.chosen(ANSWER) == OTHER_TIME
}

/// To what they answer, and how they stand.
pub fn explain(people: &People, status: &TenantStatus) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(window) = &status.window {
        rows.push(Row::new(Mark::Plain, format!("to revision {}: {}", window.revision, window.for_people())));
    }
    rows.push(Row::new(
        Mark::Plain,
        "Confirmed means: aware of the downtime and ready to reconfigure. Nothing else opens the gate.",
    ));
    for (id, name) in people {
        if let Some(view) = status.clients.iter().find(|view| view.client.id == *id) {
            let mark = if view.standing.is_settled() { Mark::Good } else { Mark::Plain };
            rows.push(Row::new(mark, format!("{name}: {} {}", view.standing.word(), view.standing_detail)));
        }
    }
    rows
}

/// One command for each client.
pub fn commands(form: &FormDialog, people: &People) -> Result<Vec<Command>, String> {
    let answer = match form.chosen(ANSWER) {
        0 => Answer::Confirmed,
        1 => Answer::Declined,
        2 => Answer::Tentative,
        _ => Answer::OtherTime(required(form, PROPOSAL, "their proposal")?),
    };
    let channel = match form.chosen(CHANNEL) {
        0 => Channel::Phone,
        1 => Channel::Chat,
        _ => Channel::Mail,
    };
    let note = form.value(NOTE).to_owned();
    let of = |id: &crate::domain::client::ClientId| Command::Answer {
        client: id.clone(),
        answer: answer.clone(),
        channel,
        note: note.clone(),
    };
    Ok(people.iter().map(|(id, _)| of(id)).collect())
}
