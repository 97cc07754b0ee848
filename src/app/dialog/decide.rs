//! The forms in which only a person can know: an interrupted step, an uncertain mail; and plain notes.

use crate::app::dialog::form::required;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::domain::client::ClientId;
use crate::domain::notice::NoticeKind;
use crate::domain::step::StepNumber;
use crate::engine::command::Command;
use crate::engine::status::TenantStatus;

/// The form of a note.
pub fn open_note(status: &TenantStatus) -> FormDialog {
    FormDialog::new(&status.tenant.id, Purpose::Note, vec![Field::text("note", "", "for whoever reads the journal")])
}

/// The form of an interrupted step.
pub fn open_step(status: &TenantStatus, step: StepNumber) -> FormDialog {
    let fields = vec![
        Field::choice("the step is", &["not done", "done"]),
        Field::text("how you know", "", "what you looked at"),
    ];
    FormDialog::new(&status.tenant.id, Purpose::Decide(step), fields)
}

/// The form of an uncertain mail.
pub fn open_notice(status: &TenantStatus, client: &ClientId, name: &str, kind: NoticeKind) -> FormDialog {
    let fields = vec![
        Field::choice("the mail", &["did not arrive", "arrived"]),
        Field::text("how you know", "", "they told me; the mail server's log"),
    ];
    let purpose = Purpose::ResolveNotice { client: client.clone(), name: name.to_owned(), kind };
    FormDialog::new(&status.tenant.id, purpose, fields)
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
    if let Some(info) = model.step_info(step) {
        rows.push(Row::new(Mark::Plain, format!("how it is taken back: {}", info.undo_text)));
    }
    rows
}

/// What is known of the mail.
pub fn explain_notice(client: &ClientId, status: &TenantStatus) -> Vec<Row> {
    let view = status.clients.iter().find(|view| view.client.id == *client);
    let mut rows: Vec<Row> = view
        .map(|view| {
            let to = view.client.email.as_deref().unwrap_or("(no address)");
            Row::new(Mark::Plain, format!("{} <{to}>: {}", view.client.name, view.standing_detail))
        })
        .into_iter()
        .collect();
    rows.push(Row::new(
        Mark::Plain,
        "The mail server's answer was lost. If it did not arrive, it can be sent again; if you say so and it had \
         arrived, they get two.",
    ));
    rows
}

/// The note.
pub fn note(form: &FormDialog) -> Result<Command, String> {
    Ok(Command::Note { text: required(form, 0, "a text")? })
}

/// The decision about a step.
pub fn step(form: &FormDialog, step: StepNumber) -> Result<Command, String> {
    let reason = required(form, 1, "how you know")?;
    Ok(Command::ResolveStep { step, done: form.chosen(0) == 1, reason })
}

/// The decision about a mail.
pub fn notice(form: &FormDialog, client: &ClientId, kind: NoticeKind) -> Result<Vec<Effect>, String> {
    let reason = required(form, 1, "how you know")?;
    let (tenant, client, arrived) = (form.tenant.clone(), client.clone(), form.chosen(0) == 1);
    Ok(vec![Effect::ResolveNotice { tenant, client, kind, arrived, reason }])
}
