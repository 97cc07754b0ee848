//! The form of the way back: whom it cuts off again, which key becomes live, the tenant's name and a reason.

use crate::app::availability::names;
use crate::app::dialog::form::required;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row, accountable};
use crate::app::field::Field;
use crate::engine::command::Command;
use crate::engine::record::Cause;
use crate::engine::status::TenantStatus;

/// The form.
pub fn open(status: &TenantStatus) -> FormDialog {
    let mut fields = vec![Field::text("reason", "", "what makes going back better than going on")];
    fields.extend(accountable::tunnel_field(status));
    FormDialog::new(status, Purpose::RollBack, fields)
}

/// Whom it cuts off again.
pub fn stakes(status: &TenantStatus) -> Vec<Row> {
    let cut: Vec<&str> = status
        .clients
        .iter()
        .filter(|view| status.rollback_cuts.contains(&view.client.id))
        .map(|view| view.client.name.as_str())
        .collect();
    let mut rows = Vec::new();
    if cut.is_empty() {
        rows.push(Row::new(Mark::Good, "nobody has come back under the live key yet, so nobody is cut off again"));
    } else {
        rows.push(Row::new(Mark::Bad, format!("cuts off again {} who are back already:", cut.len())));
        rows.extend(cut.iter().map(|name| Row::new(Mark::Bad, *name)));
    }
    rows
}

/// What it does.
pub fn explain(status: &TenantStatus) -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(accountable::explain_own_route(status));
    if status.cause == Some(Cause::Compromise) {
        rows.push(Row::new(
            Mark::Warn,
            "the previous key is compromised and is never put back: a fresh key is made, and everybody needs a new \
             configuration",
        ));
    } else if let Some(previous) = &status.keys.previous {
        rows.push(Row::new(Mark::Plain, format!("the previous key {} becomes live again", previous.short())));
    } else {
        rows.push(Row::new(
            Mark::Warn,
            "there is no previous key: a fresh one is made, everybody needs a new configuration",
        ));
    }
    let missing: Vec<&str> = status
        .clients
        .iter()
        .filter(|view| !status.rollback_cuts.contains(&view.client.id))
        .map(|view| view.client.name.as_str())
        .collect();
    if !missing.is_empty() {
        rows.push(Row::new(Mark::Plain, format!("not back under the live key: {}", names(&missing))));
    }
    rows.push(Row::new(
        Mark::Plain,
        "Steps 3 to 6 run again towards that key, then everybody who had reconfigured must do so once more. The failure \
         of one service is usually better cured with u (resume).",
    ));
    rows
}

/// The command.
pub fn command(form: &FormDialog, status: &TenantStatus) -> Result<Command, String> {
    let reason = required(form, 0, "a reason")?;
    let through_tunnel = accountable::through_tunnel(form, 1, status)?;
    Ok(Command::RollBack { confirm: form.confirmation.typed().to_owned(), reason, through_tunnel })
}
