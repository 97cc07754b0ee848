//! Which dialog a command opens, and what Enter opens in each panel; what a command may do stands in `availability`.

use crate::app::availability::{interrupted, lapsed};
use crate::app::clients::standing_text;
use crate::app::command::CommandId;
use crate::app::dialog::RehearseDialog;
use crate::app::dialog::form::People;
use crate::app::dialog::{
    Dialog, FormDialog, Mark, NotifyDialog, Reading, Row, Subject, accountable, answer, close, decide, people, plan,
    recover, resume, rollback, rotate, take_back,
};
use crate::app::message::Effect;
use crate::app::model::{Model, Screen};
use crate::app::panel::{GateRow, Panel, gate_rows};
use crate::domain::client::ClientId;
use crate::domain::gate::{Reason, Remedy};
use crate::domain::step::StepNumber;
use crate::engine::next::Act;
use crate::engine::status::{ClientView, KeySight, TenantStatus};

/// The dialog of a command and what it needs at once; `None` if there is nothing to open.
pub fn dialog_for(id: CommandId, model: &mut Model) -> Option<(Dialog, Vec<Effect>)> {
    use CommandId as Id;
    let reading = |subject| Some((Dialog::Reading(Box::new(Reading::of(subject))), Vec::new()));
    match id {
        Id::Help => return reading(Subject::Help),
        Id::Messages => return reading(Subject::Messages),
        Id::Attention => return reading(Subject::Attention),
        Id::Rehearse => {
            let (dialog, question) = RehearseDialog::open(model);
            return Some((Dialog::Rehearse(Box::new(dialog)), vec![question]));
        }
        _ => {}
    }
    if let (Id::OpenRow, Screen::Subject(subject)) = (id, &model.screen) {
        return reading(model.page.opened(model.cases.get(subject)?)?);
    }
    let status = model.status()?.clone();
    match id {
        Id::OpenRow => return reading(row_under_cursor(model, &status)?),
        Id::ReadMail => {
            let client = to_hear(&status)?;
            model.panels.clients.select(&client, &status);
            return reading(thread(&client, &status));
        }
        Id::Troubles => return reading(Subject::Troubles(model.panels.step_in_question(&status))),
        Id::Notify => {
            let (dialog, preview) = NotifyDialog::open(&status);
            return Some((Dialog::Notify(Box::new(dialog)), vec![preview]));
        }
        _ => {}
    }
    let form = form_for(id, model, &status)?;
    Some((Dialog::Form(Box::new(form)), Vec::new()))
}

/// Whom the next action names: whose mail a person must read, else whose answer is waited for first.
pub fn to_hear(status: &TenantStatus) -> Option<ClientId> {
    let unread = || status.to_read().next().map(|mail| mail.client.clone());
    match status.next.action {
        Act::Answers => {
            let asked = |reason: &&Reason| matches!(reason.remedy(), Some(Remedy::Ask(_)));
            status.gate.reasons().iter().find(asked).and_then(Reason::client).cloned().or_else(unread)
        }
        _ => unread(),
    }
}

/// What the row under the cursor of the panel that has the keys is, in full.
fn row_under_cursor(model: &Model, status: &TenantStatus) -> Option<Subject> {
    let panels = &model.panels;
    match panels.focus {
        Panel::Clients => Some(thread(&panels.clients.selected(status)?.client.id, status)),
        Panel::Steps => Some(Subject::Troubles(*StepNumber::ALL.get(panels.step)?)),
        Panel::Peers => status.clients.get(panels.peer).map(peer),
        Panel::Keys => key(panels.key, status),
        Panel::Journal => {
            let line = status.journal.iter().rev().nth(panels.journal)?;
            let title = format!("Record {} of the journal", line.seq);
            let when = format!("{}, {}", line.at.strftime("%Y-%m-%d %H:%M:%S UTC"), line.by);
            Some(full(title, vec![Row::new(Mark::Heading, when), Row::new(Mark::Plain, line.text.clone())]))
        }
        Panel::Gate => gate(panels.gate, status),
    }
}

fn full(title: String, rows: Vec<Row>) -> Subject {
    Subject::Full { title, rows }
}

fn thread(client: &ClientId, status: &TenantStatus) -> Subject {
    let view = status.clients.iter().find(|view| view.client.id == *client);
    let name = view.map_or_else(|| client.to_string(), |view| view.client.name.clone());
    Subject::Thread { client: client.clone(), name }
}

/// A reason leads to the client whom it names; what names nobody is read in full, as is a check.
fn gate(at: usize, status: &TenantStatus) -> Option<Subject> {
    Some(match gate_rows(status).nth(at)? {
        GateRow::Overridden(view) => thread(&view.client.id, status),
        GateRow::Reason(reason) => match reason.client() {
            Some(client) => thread(client, status),
            None => full("Why the gate is shut".into(), vec![Row::new(Mark::Bad, reason.to_string())]),
        },
        GateRow::Run(run) => {
            let rows = run.checks.iter().map(|check| {
                Row::new(Mark::Plain, format!("{} {}: {}", check.state.word(), check.name, check.finding))
            });
            full(format!("The check of {}", run.at.strftime("%Y-%m-%d %H:%M:%S UTC")), rows.collect())
        }
        GateRow::Check(check) => {
            let at = status.preflight.as_ref().map(|run| run.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            let at = at.unwrap_or_default();
            let overtaken = status.overtakes(check);
            let was = if overtaken.is_some() { "was " } else { "" };
            let mut rows: Vec<Row> =
                overtaken.map(|what| Row::new(Mark::Bad, format!("seen since: {what}"))).into_iter().collect();
            rows.push(Row::new(Mark::Heading, format!("{was}{} at {at}", check.state.word())));
            rows.push(Row::new(Mark::Plain, check.finding.clone()));
            rows.extend((!check.advice.is_empty()).then(|| Row::new(Mark::Warn, check.advice.clone())));
            full(format!("The check of {}", check.name), rows)
        }
    })
}

fn peer(view: &ClientView) -> Subject {
    let keys: Vec<String> = view.client.keys().map(|key| key.to_string()).collect();
    let key = if keys.is_empty() { "no key".to_owned() } else { keys.join(" and ") };
    let seen =
        view.latest_handshake.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let bytes = view.transfer.map_or_else(|| "not seen".to_owned(), |(rx, tx)| format!("{rx} received, {tx} sent"));
    let lines = [
        format!("public key: {key}"),
        format!("is: {}", view.activity.map_or("not seen", |activity| activity.word())),
        format!("latest handshake: {seen}"),
        format!("endpoint: {}", view.endpoint.as_deref().unwrap_or("not seen")),
        format!("bytes: {bytes}"),
        format!("stands: {}", standing_text(view)),
    ];
    let rows = lines.into_iter().map(|line| Row::new(Mark::Plain, line)).collect();
    full(format!("The peer of {}", view.client.name), rows)
}

fn key(at: usize, status: &TenantStatus) -> Option<Subject> {
    let keys = &status.keys;
    let sight = |title: &str, key: Option<String>, sight: &KeySight| {
        let key = key.unwrap_or_else(|| "no key".to_owned());
        let seen = sight
            .at
            .map_or_else(|| "never seen".to_owned(), |at| at.strftime("seen %Y-%m-%d %H:%M:%S UTC").to_string());
        let mut rows = vec![Row::new(Mark::Plain, key), Row::new(Mark::Plain, seen)];
        rows.extend(sight.fault.as_ref().map(|fault| Row::new(Mark::Bad, format!("the last look failed: {fault}"))));
        full(title.to_owned(), rows)
    };
    let shown = |title: &str, at: &KeySight| sight(title, at.key.map(|key| key.to_string()), at);
    let kept = |title: &str, key: Option<crate::domain::key::PublicKey>| {
        Some(full(title.to_owned(), vec![Row::new(Mark::Plain, key?.to_string())]))
    };
    match at {
        0 => Some(sight("The key of the Barbican secret", keys.secret_words(|key| key.to_string()), &keys.secret)),
        1 => Some(shown("The key in the Swift object", &keys.object)),
        2 => Some(shown("The key on the interface", &keys.interface)),
        3 => Some(shown("The key in the console's script", keys.console.as_ref()?)),
        4 => kept("The staged key", keys.staged),
        _ => kept("The previous key", keys.previous),
    }
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
        Id::Resume => resume::open(status),
        Id::RollBack => rollback::open(status),
        Id::Finish => close::open_finish(status),
        Id::Cancel => close::open_cancel(status),
        Id::TakeBack => {
            let (client, name) = subjects(model, status).into_iter().next()?;
            take_back::open(status, client, name)
        }
        Id::KeepWaiver => {
            let people = lapsed(model, status);
            let people = people.into_iter().map(|view| (view.client.id.clone(), view.client.name.clone())).collect();
            take_back::open_keep(status, people)
        }
        Id::SetAside => close::open_set_aside(status, close::to_set_aside(model, status)?),
        Id::Note => decide::open_note(status),
        Id::Approve => accountable::open_approve(status),
        Id::HandOver => accountable::open_hand_over(status, &model.options.person),
        Id::TakeOver => accountable::open_take_over(status),
        Id::Recover => recover::open(status),
        Id::Emergency => accountable::open_emergency(status),
        Id::Review => accountable::open_review(status),
        Id::Decide => match (interrupted(status), &status.next.mail) {
            (None, Some(mail)) => decide::open_notice(status, &mail.client, &mail.name, mail.kind)?,
            (step, _) => decide::open_step(status, step?),
        },
        _ => return None,
    })
}

/// The people a form is about; the clients come to the front so that it is seen who they are.
fn subjects(model: &mut Model, status: &TenantStatus) -> People {
    let people = model.panels.people(status);
    let people: People = people.into_iter().map(|view| (view.client.id.clone(), view.client.name.clone())).collect();
    if let Some((first, _)) = people.first() {
        model.panels.clients.select(first, status);
    }
    model.panels.go(Panel::Clients);
    people
}
