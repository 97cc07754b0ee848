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
    let mark = if status.rollback_cuts.is_empty() { Mark::Good } else { Mark::Bad };
    whom(status).into_iter().map(|line| Row::new(mark, line)).collect()
}

/// The same in lines: who is back already, and who probably is.
pub fn whom(status: &TenantStatus) -> Vec<String> {
    let cut: Vec<_> = status.clients.iter().filter(|view| status.rollback_cuts.contains(&view.client.id)).collect();
    if cut.is_empty() && is_fresh(status) {
        let text = "nobody has come back under the live key yet; a fresh key cuts off everybody who still uses the one of before";
        return vec![text.into()];
    }
    if cut.is_empty() {
        return vec!["nobody has come back under the live key yet, so nobody is cut off again".into()];
    }
    let probable = cut.iter().filter(|view| view.back.is_none()).count();
    let mut lines = vec![match (cut.len() - probable, probable) {
        (back, 0) => format!("cuts off again {back} who are back already:"),
        (0, probable) => format!("cuts off again {probable} who are probably back:"),
        (back, probable) => format!("cuts off again {back} who are back already, and {probable} who probably are:"),
    }];
    lines.extend(cut.iter().map(|view| match view.back {
        Some(_) => view.client.name.clone(),
        None => format!("{} (probably back)", view.client.name),
    }));
    lines
}

fn is_fresh(status: &TenantStatus) -> bool {
    status.cause == Some(Cause::Compromise) || status.keys.previous.is_none()
}

/// Which key becomes live by it.
pub fn which_key(status: &TenantStatus) -> String {
    match &status.keys.previous {
        _ if status.cause == Some(Cause::Compromise) => {
            "the previous key is compromised and is never put back: a fresh key is made, and everybody needs a new \
             configuration"
                .into()
        }
        Some(previous) => match status.preflight.as_ref().and_then(|run| run.keys.object).filter(|key| key != previous)
        {
            Some(served) => format!(
                "the previous key {} becomes live again; the object gave clients {}, so everybody needs a new configuration \
                 either way",
                previous.short(),
                served.short()
            ),
            None => format!(
                "the previous key {} becomes live again, if its copy is still in Barbican: that is looked at before anything is \
                 changed",
                previous.short()
            ),
        },
        None if status.keys.previous_missed.is_some() => {
            "the copy of the previous key was not in Barbican when it was looked for last: it is looked for again, and becomes \
             live if it is there; else a fresh one is made, and everybody needs a new configuration"
                .into()
        }
        None => "there is no previous key: a fresh one is made, everybody needs a new configuration".into(),
    }
}

/// What it does.
pub fn explain(status: &TenantStatus) -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(accountable::explain_own_route(status));
    let mark = if is_fresh(status) { Mark::Warn } else { Mark::Plain };
    rows.push(Row::new(mark, which_key(status)));
    rows.extend(status.bear_servers_key().into_iter().map(|line| Row::new(Mark::Warn, line)));
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
