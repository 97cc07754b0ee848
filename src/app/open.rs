//! Which dialog a command opens; what it may do stands in `availability`.

use crate::app::availability::interrupted;
use crate::app::command::CommandId;
use crate::app::dialog::form::People;
use crate::app::dialog::{
    Dialog, FormDialog, NotifyDialog, Reading, Subject, accountable, answer, close, decide, people, plan, rollback,
    rotate,
};
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::app::panel::Panel;
use crate::engine::status::TenantStatus;

/// The dialog of a command and what it needs at once; `None` if the command has none.
pub fn dialog_for(id: CommandId, model: &mut Model) -> Option<(Dialog, Vec<Effect>)> {
    use CommandId as Id;
    let reading = |subject| Some((Dialog::Reading(Box::new(Reading::of(subject))), Vec::new()));
    match id {
        Id::Help => return reading(Subject::Help),
        Id::Messages => return reading(Subject::Messages),
        _ => {}
    }
    let status = model.status()?.clone();
    if id == Id::Thread {
        let view = model.panels.clients.selected(&status)?;
        let (client, name) = (view.client.id.clone(), view.client.name.clone());
        return reading(Subject::Thread { client, name });
    }
    if id == Id::Troubles {
        return reading(Subject::Troubles(model.panels.step_in_question(&status)));
    }
    if id == Id::Notify {
        let (dialog, preview) = NotifyDialog::open(&status);
        return Some((Dialog::Notify(Box::new(dialog)), vec![preview]));
    }
    let form = form_for(id, model, &status)?;
    Some((Dialog::Form(Box::new(form)), Vec::new()))
}

fn form_for(id: CommandId, model: &mut Model, status: &TenantStatus) -> Option<FormDialog> {
    use CommandId as Id;
    Some(match id {
        Id::Plan => plan::open(model, status, false),
        Id::Reschedule => plan::open(model, status, true),
        Id::Answer => answer::open(status, subjects(model, status)),
        Id::Waive => people::open_waive(status, subjects(model, status)),
        Id::Back => people::open_back(status, subjects(model, status)),
        Id::GatewayPing => people::open_ping(status, subjects(model, status)),
        Id::Rotate => rotate::open(status),
        Id::RollBack => rollback::open(status),
        Id::Finish => close::open_finish(status),
        Id::Cancel => close::open_cancel(status),
        Id::Note => decide::open_note(status),
        Id::Approve => accountable::open_approve(status),
        Id::HandOver => accountable::open_hand_over(status, &model.options.person),
        Id::TakeOver => accountable::open_take_over(status),
        Id::Emergency => accountable::open_emergency(status),
        Id::Review => accountable::open_review(status),
        Id::Decide => match (interrupted(status), &status.next.mail) {
            (None, Some(mail)) => decide::open_notice(status, &mail.client, &mail.name, mail.kind),
            (step, _) => decide::open_step(status, step?),
        },
        _ => return None,
    })
}

/// The people a form is about; the clients come to the front so that it is seen who they are.
fn subjects(model: &mut Model, status: &TenantStatus) -> People {
    model.panels.go(Panel::Clients);
    let people = model.panels.clients.subjects(status);
    people.into_iter().map(|view| (view.client.id.clone(), view.client.name.clone())).collect()
}
