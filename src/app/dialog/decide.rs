//! The forms in which only a person can know: an interrupted step, an uncertain mail; and plain notes.

use crate::app::dialog::form::{chosen, required};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::app::model::Model;
use crate::domain::client::ClientId;
use crate::domain::notice::{Delivery, Notice, NoticeKind};
use crate::domain::step::StepNumber;
use crate::engine::command::Command;
use crate::engine::status::{ClientView, TenantStatus};

/// The form of a note.
pub fn open_note(status: &TenantStatus) -> FormDialog {
    FormDialog::new(status, Purpose::Note, vec![Field::text("note", "", "for whoever reads the journal")])
}

/// The form of an interrupted step.
pub fn open_step(status: &TenantStatus, step: StepNumber) -> FormDialog {
    let fields = vec![
        Field::choice("the step is", &["not done", "done"]),
        Field::text("how you know", "", "what you looked at"),
    ];
    FormDialog::new(status, Purpose::Decide(step), fields)
}

/// The form of an uncertain mail; `None` where the journal holds none of the kind for this client.
pub fn open_notice(status: &TenantStatus, client: &ClientId, name: &str, kind: NoticeKind) -> Option<FormDialog> {
    let is_it = |mail: &&Notice| {
        mail.client == *client && mail.kind == kind && matches!(mail.delivery, Delivery::Uncertain { .. })
    };
    let message_id = status.notices.iter().rfind(is_it)?.message_id.clone();
    let fields = vec![
        Field::choice("the mail", &["did not arrive", "arrived"]),
        Field::text("how you know", "", "they told me; the mail server's log"),
    ];
    let purpose = Purpose::ResolveNotice { client: client.clone(), name: name.to_owned(), kind, message_id };
    Some(FormDialog::new(status, purpose, fields))
}

/// What a note is for.
pub fn explain_note() -> Vec<Row> {
    vec![Row::new(Mark::Plain, "Stands in the journal with your name, for good. Never write a private key into it.")]
}

/// What is known of the step.
pub fn explain_step(step: StepNumber, status: &TenantStatus, model: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(view) = status.steps.get(step.index()) {
        rows.push(Row::new(Mark::Plain, format!("{step} {}: {} {}", view.title, view.state.word(), view.detail)));
    }
    rows.push(Row::new(
        Mark::Warn,
        "Try u (resume) first: it looks at the world itself. Decide only if it could not tell, and only after you have \
         looked.",
    ));
    rows.push(Row::new(Mark::Plain, "Not done: the step runs again, which is safe. Done: it is passed over."));
    if step == StepNumber::SECRET && status.truth.is_some() {
        rows.push(Row::new(
            Mark::Warn,
            "Done is not taken of this step: whether the secret is there only a look can tell.",
        ));
    }
    if let Some(info) = model.step_info(step) {
        rows.push(Row::new(Mark::Plain, format!("how it is taken back: {}", info.undo_text)));
    }
    rows
}

/// What is known of the mail.
pub fn stakes_of_notice(client: &ClientId, status: &TenantStatus) -> Vec<Row> {
    let view = status.clients.iter().find(|view| view.client.id == *client);
    let row = |view: &ClientView| {
        let to = view.client.email.as_deref().unwrap_or("(no address)");
        Row::new(Mark::Plain, format!("{} <{to}>: {}", view.client.name, view.standing_detail))
    };
    view.map(row).into_iter().collect()
}

/// What follows from the answer.
pub fn explain_notice() -> Vec<Row> {
    vec![Row::new(
        Mark::Plain,
        "The mail server's answer was lost. If it did not arrive, it can be sent again; if you say so and it had \
         arrived, they get two.",
    )]
}

/// The note.
pub fn note(form: &FormDialog) -> Result<Command, String> {
    Ok(Command::Note { text: required(form, 0, "a text")? })
}

/// The decision about a step.
pub fn step(form: &FormDialog, step: StepNumber) -> Result<Command, String> {
    let reason = required(form, 1, "how you know")?;
    Ok(Command::ResolveStep { step, done: chosen(form, 0, "whether it is done")? == 1, reason })
}

/// The decision about a mail.
pub fn notice(form: &FormDialog, message_id: &str) -> Result<Command, String> {
    let arrived = chosen(form, 0, "whether it arrived")? == 1;
    let reason = required(form, 1, "how you know")?;
    Ok(Command::ResolveNotice { message_id: message_id.to_owned(), arrived, reason })
}
