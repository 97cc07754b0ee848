//! The form of going on: what was begun, what is left, and who feels it.

use crate::app::availability::{everybody, touched};
use crate::app::dialog::{FormDialog, Mark, Purpose, Row, rotate};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::next::Act;
use crate::engine::status::{StepView, TenantStatus};

/// The form.
pub fn open(status: &TenantStatus) -> FormDialog {
    FormDialog::new(status, Purpose::Resume, Vec::new())
}

/// Where it goes on, and whom it reaches.
pub fn stakes(status: &TenantStatus) -> Vec<Row> {
    let stuck = |step: &&StepView| matches!(step.state, StepState::Interrupted { .. } | StepState::Failed { .. });
    let mut rows: Vec<Row> = status
        .steps
        .iter()
        .filter(stuck)
        .map(|step| {
            Row::new(Mark::Warn, format!("step {} {}: {} {}", step.number, step.title, step.state.word(), step.detail))
        })
        .collect();
    let to: Vec<&str> = status.clients.iter().map(|view| view.client.name.as_str()).collect();
    let announcing = status.steps.iter().find(stuck).is_some_and(|step| step.number == StepNumber::ANNOUNCE);
    if puts_right(status) {
        rows.push(Row::new(Mark::Plain, "no client has to do anything: the key that they have is put back"));
    } else if touched(status) {
        rows.push(Row::new(Mark::Plain, "the server has been touched already: what is left of steps 3 to 6 is done"));
        if calls(status) {
            let text =
                format!("mails to reconfigure those who have no such mail yet, of {}: {}", to.len(), everybody(&to));
            rows.push(Row::new(Mark::Warn, text));
        }
    } else if announcing {
        rows.push(Row::new(
            Mark::Warn,
            format!("mails those who have no mail yet, of {}: {}", to.len(), everybody(&to)),
        ));
    } else {
        rows.extend(rotate::stakes(status));
    }
    rows
}

/// How it goes on.
pub fn explain(status: &TenantStatus) -> Vec<Row> {
    let gate = "The server has not been touched: the gate is asked again before it is.";
    let looks = "It looks at the world first, and does only what is left to do.";
    let next = Row::new(Mark::Plain, format!("next: {}", status.next.text));
    let rule = Row::new(Mark::Plain, if touched(status) || puts_right(status) { looks } else { gate });
    vec![rule, next]
}

/// Step 7 was begun and left: going on mails people.
fn calls(status: &TenantStatus) -> bool {
    let stuck = |step: &StepView| matches!(step.state, StepState::Interrupted { .. } | StepState::Failed { .. });
    status.steps.iter().any(|step| step.number == StepNumber::RECONFIGURE && stuck(step))
}

/// Whether one key may set it off: the server was touched, or is put right, and nobody is mailed by it.
pub fn mails_nobody(status: &TenantStatus) -> bool {
    touched(status) && !calls(status) || puts_right(status)
}

/// What others have changed since the last end is put back, and nothing else is begun.
pub fn puts_right(status: &TenantStatus) -> bool {
    status.changed_since.is_some() && status.next.action == Act::Resume
}
