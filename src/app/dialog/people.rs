//! The forms of what is recorded about people: exceptions, who said that they are back, and gateway pings.

use crate::app::clients::standing_text;
use crate::app::dialog::form::{People, chosen, required};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::engine::command::Command;
use crate::engine::status::{ClientView, TenantStatus};

/// The form of a waiver.
pub fn open_waive(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![Field::text("reason", "", "why this person need not confirm or be back")];
    FormDialog::new(status, Purpose::Waive(people), fields)
}

/// The form of "is back".
pub fn open_back(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![Field::text("what they said", "", "by phone: can reach the tenant's network")];
    FormDialog::new(status, Purpose::Back(people), fields)
}

/// The form of a gateway ping.
pub fn open_ping(status: &TenantStatus, people: People) -> FormDialog {
    let fields = vec![Field::choice("the gateway answered", &["yes", "no"]), Field::text("note", "", "optional")];
    FormDialog::new(status, Purpose::Ping(people), fields)
}

/// What a waiver does to them.
pub fn explain_waive() -> Vec<Row> {
    vec![Row::new(
        Mark::Warn,
        "They will be cut off like everybody else, whether they know or not. The waiver only says that nobody waits \
         for them; it stands in the journal with your name.",
    )]
}

/// What "back" is for.
pub fn explain_back() -> Vec<Row> {
    vec![Row::new(Mark::Plain, "Record only what they told you. A handshake under the live key is recorded by v.")]
}

/// Who they are, and how they stand.
pub fn stakes(people: &People, status: &TenantStatus) -> Vec<Row> {
    let views = people.iter().filter_map(|(id, _)| status.clients.iter().find(|view| view.client.id == *id));
    let row = |view: &ClientView| {
        let name = &view.client.name;
        match (status.back, view.presence) {
            (Some(_), Some(presence)) => Row::new(Mark::Plain, format!("{name}: the server says {}", presence.word())),
            (Some(_), None) => Row::new(Mark::Plain, format!("{name}: the server was not looked at")),
            (None, _) => Row::new(Mark::Plain, format!("{name}: {}", standing_text(view))),
        }
    };
    views.map(row).collect()
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
    let answered = chosen(form, 0, "whether it answered")? == 0;
    let note = form.value(1).to_owned();
    let of = |id: &crate::domain::client::ClientId| Command::GatewayPing {
        client: id.clone(),
        answered,
        note: note.clone(),
    };
    Ok(people.iter().map(|(client, _)| of(client)).collect())
}
