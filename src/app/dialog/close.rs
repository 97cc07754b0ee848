//! The forms of the two ordinary ends, finish and cancel, and of what is not to keep the gate shut.

use crate::app::availability::everybody;
use crate::app::dialog::form::required;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::app::model::Model;
use crate::app::panel::{GateRow, Panel, gate_reasons, gate_rows};
use crate::domain::gate::Reason;
use crate::domain::key::PublicKey;
use crate::domain::preflight::{Check, CheckState};
use crate::engine::command::{Command, NOBODY};
use crate::engine::status::{Phase, Standing, TenantStatus};

/// The form of the end.
pub fn open_finish(status: &TenantStatus) -> FormDialog {
    // The reason stands in the first line of the report. What the agent's log says is heard only then, so it can be given always.
    let when = match status.unfinished {
        Some(_) => "why it is closed all the same",
        None => "only if something is missing: why it is closed all the same",
    };
    let fields = vec![Field::text("closing note", "", "optional"), Field::text("reason", "", when)];
    FormDialog::new(status, Purpose::Finish, fields)
}

/// The form of the end before the beginning.
pub fn open_cancel(status: &TenantStatus) -> FormDialog {
    let fields = vec![Field::text("reason", "", "it goes into the mails and into the journal")];
    FormDialog::new(status, Purpose::Cancel, fields)
}

/// What finishing destroys.
pub fn stakes_of_finish(status: &TenantStatus) -> Vec<Row> {
    let keys = [("staged", status.keys.staged), ("previous", status.keys.previous)];
    let kept: Vec<String> = keys
        .into_iter()
        .filter_map(|(role, key): (_, Option<PublicKey>)| Some(format!("the {role} key {}", key?.short())))
        .collect();
    let destroyed = match kept.as_slice() {
        [] => "no kept key is known; whatever is kept in Barbican is destroyed".to_owned(),
        kept => format!("destroyed in Barbican: {}", kept.join(" and ")),
    };
    let after = "after that there is NO WAY BACK to the previous key";
    vec![Row::new(Mark::Bad, format!("{destroyed}; {after}"))]
}

/// What finishing is.
pub fn explain_finish(status: &TenantStatus) -> Vec<Row> {
    let waived = status.clients.iter().filter(|view| view.standing == Standing::Waived).count();
    let (back, of) = status.back.unwrap_or((0, status.clients.len()));
    let mut rows = vec![Row::new(Mark::Good, format!("{back} of {of} clients are back or waived ({waived} waived)"))];
    if let Some(what) = &status.unfinished {
        let text = format!("{}: the report says so in its first line, with your reason", what.to_lowercase());
        rows.push(Row::new(Mark::Bad, text));
    }
    if status.phase == Phase::RollingBack {
        rows.push(Row::new(Mark::Plain, "the rotation is closed as rolled back, never as rotated"));
    }
    rows.push(Row::new(
        Mark::Plain,
        "The live key stays as it is; the server's answers to the deletions are journaled.",
    ));
    rows
}

/// Who is mailed by cancelling.
pub fn stakes_of_cancel(status: &TenantStatus) -> Vec<Row> {
    let told: Vec<&str> =
        status.clients.iter().filter(|view| view.last_notice.is_some()).map(|view| view.client.name.as_str()).collect();
    vec![match told.len() {
        0 => Row::new(Mark::Plain, "nobody has been told of the window, so nobody gets a mail"),
        count => Row::new(Mark::Warn, format!("mails a cancellation to {count}: {}", everybody(&told))),
    }]
}

/// What cancelling does.
pub fn explain_cancel() -> Vec<Row> {
    vec![
        Row::new(Mark::Good, "the server was not touched: nobody is cut off by this"),
        Row::new(Mark::Plain, "kept keys are destroyed, the rotation is closed as cancelled; all answers end with it"),
    ]
}

/// The end.
pub fn finish(form: &FormDialog, status: &TenantStatus) -> Result<Command, String> {
    let despite = match status.unfinished {
        Some(_) => required(form, 1, "a reason")?,
        None => form.value(1).to_owned(),
    };
    Ok(Command::Finish { note: form.value(0).to_owned(), despite })
}

/// The end before the beginning.
pub fn cancel(form: &FormDialog) -> Result<Command, String> {
    let reason = required(form, 0, "a reason")?;
    Ok(Command::Cancel { confirm: form.confirmation.typed().to_owned(), reason })
}

/// What would be disregarded: the failed check under the cursor of the gate, else the first that failed, else that nobody is
/// known to ask.
pub fn to_set_aside(model: &Model, status: &TenantStatus) -> Option<String> {
    let checks = status.preflight.as_ref().map(|run| run.checks.as_slice()).unwrap_or_default();
    let failed = |check: &&Check| check.state == CheckState::Fail;
    let under_cursor = || match gate_rows(status).nth(model.panels.gate)? {
        GateRow::Check(check) if model.panels.focus == Panel::Gate => Some(check),
        _ => None,
    };
    let check = under_cursor().filter(failed).or_else(|| checks.iter().find(failed));
    let nobody = gate_reasons(status).contains(&Reason::NobodyToAsk).then(|| NOBODY.to_owned());
    check.map(|check| check.name.clone()).or(nobody)
}

/// The form of it.
pub fn open_set_aside(status: &TenantStatus, what: String) -> FormDialog {
    let fields = vec![Field::text("reason", "", "why the gate may open all the same")];
    FormDialog::new(status, Purpose::SetAside(what), fields)
}

/// What the check has found.
pub fn stakes_of_set_aside(what: &str, status: &TenantStatus) -> Vec<Row> {
    if what == NOBODY {
        return vec![Row::new(Mark::Bad, "nobody is known who would be cut off, so nobody is asked")];
    }
    let checks = status.preflight.iter().flat_map(|run| &run.checks);
    let row = |check: &Check| Row::new(Mark::Bad, format!("{} {}: {}", check.state.word(), check.name, check.finding));
    checks.filter(|check| check.name == what).map(row).collect()
}

/// What it means.
pub fn explain_set_aside() -> Vec<Row> {
    let text = "For this rotation only. Everybody is shown it, and the journal keeps your name and the reason.";
    vec![Row::new(Mark::Plain, text)]
}

/// The command.
pub fn set_aside(form: &FormDialog, what: &str) -> Result<Command, String> {
    Ok(Command::SetAside { what: what.to_owned(), reason: required(form, 0, "a reason")? })
}
