//! The forms of what is recorded about people: exceptions, who said that they are back, and gateway pings.

use crate::app::dialog::form::{People, required};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::engine::command::Command;
use crate::engine::status::{ClientView, TenantStatus};

/// The form of a waiver.
pub fn open_waive(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![Field::text("reason", "", "why this person need not confirm or be back")];
    FormDialog::new(&status.tenant.id, Purpose::Waive(people), fields)
}

/// The form of "is back".
pub fn open_back(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![Field::text("what they said", "", "by phone: can reach the tenant's network")];
    FormDialog::new(&status.tenant.id, Purpose::Back(people), fields)
}

/// The form of a gateway ping.
pub fn open_ping(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![Field::choice("the gateway answered", &["yes", "no"]), Field::text("note", "", "optional")];
    FormDialog::new(&status.tenant.id, Purpose::Ping(people), fields)
}

fn views<'a>(people: &'a People, status: &'a TenantStatus) -> impl Iterator<Item = &'a ClientView> {
    people.iter().filter_map(|(id, _)| status.clients.iter().find(|view| view.client.id == *id))
}

/// What a waiver does to them.
pub fn explain_waive(people: &People, status: &TenantStatus) -> Vec<Row> {
    let mut rows = vec![Row::new(
        Mark::Warn,
        "They will be cut off like everybody else, whether they know or not. The waiver only says that nobody waits \
         for them; it stands in the journal with your name.",
    )];
    rows.extend(views(people, status).map(|view| {
        Row::new(Mark::Plain, format!("{}: {} {}", view.client.name, view.standing.word(), view.standing_detail))
    }));
    rows
}

/// What the last reading says of them.
pub fn explain_back(people: &People, status: &TenantStatus) -> Vec<Row> {
    let mut rows =
        vec![Row::new(Mark::Plain, "Record only what they told you. A handshake under the live key is recorded by v.")];
    rows.extend(views(people, status).map(|view| {
        let seen = view.presence.map_or("not looked", |presence| presence.word());
        Row::new(Mark::Plain, format!("{}: the server says {seen}", view.client.name))
    }));
    rows
}

/// Which address they ping.
pub fn explain_ping(status: &TenantStatus) -> Vec<Row> {
    let gateway = status.tenant.gateway.as_deref().unwrap_or("(no gateway is configured for this tenant)");
    vec![Row::new(Mark::Plain, format!("From a reconfigured client: ping {gateway}"))]
}

/// The waivers.
pub fn waive(form: &FormDialog, people: &People) -> Result<Vec<Command>, String> {
    let reason = required(form, 0, "a reason")?;
    Ok(people.iter().map(|(client, _)| Command::Waive { client: client.clone(), reason: reason.clone() }).collect())
}

/// The records that they are back.
pub fn back(form: &FormDialog, people: &People) -> Result<Vec<Command>, String> {
    let note = required(form, 0, "what they said")?;
    Ok(people.iter().map(|(client, _)| Command::Back { client: client.clone(), note: note.clone() }).collect())
}

/// The records of pings.
pub fn ping(form: &FormDialog, people: &People) -> Result<Vec<Command>, String> {
    let (answered, note) = (form.chosen(0) == 0, form.value(1).to_owned());
    let of = |id: &crate::domain::client::ClientId| Command::GatewayPing {
        client: id.clone(),
        answered,
        note: note.clone(),
    };
    Ok(people.iter().map(|(client, _)| of(client)).collect())
}
