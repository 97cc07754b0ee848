//! The form of an answer: what, by which channel, in whose words; for one client or for all that are marked.

use crate::app::clients::standing_text;
use crate::app::dialog::form::{People, chosen, required};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::client::ClientId;
use crate::engine::command::Command;
use crate::engine::status::{ClientView, Standing, TenantStatus};

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
    FormDialog::new(status, Purpose::Answer(people), fields)
}

/// The proposal has a meaning only with "other time".
pub fn is_shown(form: &FormDialog, at: usize) -> bool {
    at != PROPOSAL || form.chosen(ANSWER) == Some(OTHER_TIME)
}

/// To what they answer.
pub fn explain(status: &TenantStatus) -> Vec<Row> {
    let window = status
        .window
        .as_ref()
        .map(|window| Row::new(Mark::Plain, format!("to revision {}: {}", window.revision, window.for_people())));
    let meaning = Row::new(
        Mark::Plain,
        "Confirmed means: aware of the downtime and ready to reconfigure. Nothing else opens the gate. It is recorded as \
         their word, with your name.",
    );
    window.into_iter().chain([meaning]).collect()
}

/// Whose word it is, and what it replaces.
pub fn stakes(people: &People, status: &TenantStatus) -> Vec<Row> {
    let view = |id: &ClientId| status.clients.iter().find(|view| view.client.id == *id);
    let row = |(id, name): &(ClientId, String)| match view(id) {
        None => Row::new(Mark::Warn, format!("{name}: not among the clients any more")),
        Some(view) if has_said(view) => Row::new(Mark::Warn, format!("{name}: REPLACES {}", standing_text(view))),
        Some(view) => Row::new(Mark::Plain, format!("{name}: {}", standing_text(view))),
    };
    people.iter().map(row).collect()
}

/// Whether there is something of theirs that another answer would put aside.
fn has_said(view: &ClientView) -> bool {
    use Standing::{Confirmed, Declined, OldAnswer, OtherTime, Tentative, ToRead};
    matches!(view.standing, Confirmed | Declined | OldAnswer | OtherTime | Tentative | ToRead)
}

/// One command for each client.
pub fn commands(form: &FormDialog, people: &People) -> Result<Vec<Command>, String> {
    let answer = match chosen(form, ANSWER, "what they answered")? {
        0 => Answer::Confirmed,
        1 => Answer::Declined,
        2 => Answer::Tentative,
        _ => Answer::OtherTime(required(form, PROPOSAL, "their proposal")?),
    };
    let channel = match chosen(form, CHANNEL, "how it reached you")? {
        0 => Channel::Phone,
        1 => Channel::Chat,
        _ => Channel::Mail,
    };
    let note = form.value(NOTE).to_owned();
    let of =
        |id: &ClientId| Command::Answer { client: id.clone(), answer: answer.clone(), channel, note: note.clone() };
    Ok(people.iter().map(|(id, _)| of(id)).collect())
}
