//! The form of going on although the end of the journal is lost: what is known of the lost part, and what is recorded.

use crate::app::dialog::form::required;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::engine::command::Command;
use crate::engine::status::TenantStatus;

/// The form.
pub fn open(status: &TenantStatus) -> FormDialog {
    FormDialog::new(status, Purpose::Recover, vec![Field::text("reason", "", "why it is not put back as it was last")])
}

/// What is known of the lost part.
pub fn stakes(status: &TenantStatus) -> Vec<Row> {
    status.leading().into_iter().map(|text| Row::new(Mark::Bad, text)).collect()
}

/// What is done.
pub fn explain() -> Vec<Row> {
    vec![
        Row::new(
            Mark::Plain,
            "It looks at the live secret, the kept keys, the object, the interface and the people, and records what is found. \
             Nothing outside is changed.",
        ),
        Row::new(
            Mark::Warn,
            "A mail that may have been sent in the lost part is uncertain from then on: it is never sent again by itself. Answers \
             that stood there are read from the mailbox again, or are to be recorded again.",
        ),
        Row::new(Mark::Plain, "Better, where it can be had: put the journal back as it was last."),
    ]
}

/// The command.
pub fn command(form: &FormDialog) -> Result<Command, String> {
    let reason = required(form, 0, "a reason")?;
    Ok(Command::Recover { confirm: form.confirmation.typed().to_owned(), reason })
}
