//! The forms of the two ordinary ends: finish, when everybody is back, and cancel, when nothing was touched.

use crate::app::dialog::form::{required, typed_name};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::engine::command::Command;
use crate::engine::status::{Phase, Standing, TenantStatus};

/// The form of the end.
pub fn open_finish(status: &TenantStatus) -> FormDialog {
    FormDialog::new(&status.tenant.id, Purpose::Finish, vec![Field::text("closing note", "", "optional")])
}

/// The form of the end before the beginning.
pub fn open_cancel(status: &TenantStatus) -> FormDialog {
    let fields = vec![
        Field::text("reason", "", "it goes into the mails and into the journal"),
        Field::text("the tenant's name", "", "typed, to be sure"),
    ];
    FormDialog::new(&status.tenant.id, Purpose::Cancel, fields)
}

/// What finishing does.
pub fn explain_finish(status: &TenantStatus) -> Vec<Row> {
    let waived = status.clients.iter().filter(|view| view.standing == Standing::Waived).count();
    let (back, of) = status.back.unwrap_or((0, status.clients.len()));
    let mut rows = vec![Row::new(Mark::Good, format!("{back} of {of} clients are back or waived ({waived} waived)"))];
    if status.phase == Phase::RollingBack {
        rows.push(Row::new(Mark::Plain, "the rotation is closed as rolled back, never as rotated"));
    }
    rows.push(Row::new(
        Mark::Warn,
        "The staged and the previous key that are kept in Barbican are destroyed, and the server's answers journaled. \
         After that there is no way back to the previous key.",
    ));
    rows
}

/// What cancelling does.
pub fn explain_cancel(status: &TenantStatus) -> Vec<Row> {
    let told = status.clients.iter().filter(|view| view.last_notice.is_some()).count();
    vec![
        Row::new(Mark::Good, "the server was not touched: nobody is cut off by this"),
        Row::new(Mark::Plain, format!("{told} clients have been told of the window and get a cancellation")),
        Row::new(Mark::Plain, "kept keys are destroyed, the rotation is closed as cancelled"),
    ]
}

/// The end.
pub fn finish(form: &FormDialog) -> Command {
    Command::Finish { note: form.value(0).to_owned() }
}

/// The end before the beginning.
pub fn cancel(form: &FormDialog, status: &TenantStatus) -> Result<Command, String> {
    let reason = required(form, 0, "a reason")?;
    Ok(Command::Cancel { confirm: typed_name(form, 1, status)?, reason })
}
