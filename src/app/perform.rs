//! What a command does once it is possible: moves, opens a dialog, or asks for effects.

use crate::app::case::Page;
use crate::app::command::{CommandId, CommandInfo};
use crate::app::confirm::{Consent, release};
use crate::app::dialog::{Dialog, Reading, Subject};
use crate::app::message::Effect;
use crate::app::model::{Job, Model, Screen, Severity};
use crate::app::open::dialog_for;
use crate::app::panel::{Motion, Panel, Panels};
use crate::app::space;
use crate::domain::tenant::TenantId;
use crate::engine::command::Command;
use std::sync::Arc;

/// Carries out a command, or answers with the reason why it is shut.
pub fn perform(model: &mut Model, command: &CommandInfo) -> Vec<Effect> {
    if let Err(why) = command.id.availability(model) {
        let what = if command.title.is_empty() { command.help } else { command.title };
        model.say(Severity::Refused, format!("{what}: {why}"));
        return Vec::new();
    }
    use CommandId as Id;
    match command.id {
        Id::Open => match model.fleet.selected().cloned() {
            Some(id) if id.is_subject() => open_subject(model, id),
            Some(id) => open_tenant(model, id),
            None => Vec::new(),
        },
        Id::Leave if model.screen == Screen::Fleet && model.fleet.filter.value().is_empty() => quit(model),
        Id::Leave => up(model),
        Id::Up if model.screen == Screen::Fleet && model.fleet.filter.value().is_empty() => {
            model.say(Severity::Info, "this is the top; q quits");
            Vec::new()
        }
        Id::Up => up(model),
        Id::Interrupt => quit(model),
        Id::Suspend => vec![Effect::Suspend],
        Id::Redraw => vec![Effect::Redraw],
        Id::Move(motion) => {
            move_by(model, motion);
            Vec::new()
        }
        Id::Go(panel) => {
            model.panels.go(panel);
            Vec::new()
        }
        Id::NextPanel | Id::PreviousPanel if matches!(model.screen, Screen::Subject(_)) => {
            if let Some((_, status)) = model.meant_case() {
                let status = status.clone();
                model.page.cycle(command.id == Id::NextPanel, &status);
            }
            Vec::new()
        }
        Id::NextPanel | Id::PreviousPanel => {
            model.panels.cycle(command.id == Id::NextPanel);
            Vec::new()
        }
        Id::Filter | Id::Sort | Id::Mark | Id::MarkAll => {
            change_list(model, command.id);
            Vec::new()
        }
        Id::Look => {
            let Some(id) = model.subject().cloned() else { return Vec::new() };
            let name = name_of(model, &id);
            model.say(Severity::Info, format!("{name}: looking at its services now"));
            vec![Effect::Look(id)]
        }
        Id::Copy => copy(model),
        Id::Check => run(model, Command::Check),
        Id::Verify => run(model, Command::Verify),
        id => match dialog_for(id, model) {
            Some((dialog, effects)) => {
                model.dialog = Some(dialog);
                effects
            }
            None if matches!(id, Id::OpenRow | Id::ReadMail) => {
                model.say(Severity::Info, "there is nothing to open here");
                Vec::new()
            }
            None => Vec::new(),
        },
    }
}

/// Shows a tenant.
pub fn open_tenant(model: &mut Model, id: TenantId) -> Vec<Effect> {
    model.panels = Panels::default();
    model.fleet.moved = true;
    if let Some(status) = model.tenants.get(&id) {
        model.panels.take(&Arc::clone(status));
    }
    model.screen = Screen::Tenant(id.clone());
    model.remark_shown = false;
    // It is looked at from now on, at once to begin with.
    vec![Effect::Watch(Some(id))]
}

/// Shows a subject that is no tenant.
fn open_subject(model: &mut Model, id: TenantId) -> Vec<Effect> {
    model.page = Page::default();
    model.fleet.moved = true;
    if let Some(status) = model.cases.get(&id) {
        model.page.take(&Arc::clone(status));
    }
    model.screen = Screen::Subject(id.clone());
    model.remark_shown = false;
    vec![Effect::Watch(Some(id))]
}

/// One level up: filter and marks first, then the fleet. Ends nothing.
fn up(model: &mut Model) -> Vec<Effect> {
    if model.screen == Screen::Fleet {
        model.fleet.clear_filter();
        return Vec::new();
    }
    let list = &mut model.panels.clients;
    if matches!(model.screen, Screen::Tenant(_)) && (!list.filter.value().is_empty() || !list.marked.is_empty()) {
        list.filter.reset();
        list.marked.clear();
        retake(model);
        return Vec::new();
    }
    if matches!(model.screen, Screen::Subject(_)) && !model.page.filter.value().is_empty() {
        model.page.filter.reset();
        return Vec::new();
    }
    let left = model.shown().cloned();
    model.screen = Screen::Fleet;
    model.fleet.select(left.as_ref());
    vec![Effect::Watch(None)]
}

/// Asks before quitting while something runs.
pub fn quit(model: &mut Model) -> Vec<Effect> {
    if model.jobs.is_empty() {
        model.quitting = true;
        return vec![Effect::Quit];
    }
    model.dialog = Some(Dialog::Reading(Box::new(Reading::of(Subject::Quit))));
    Vec::new()
}

fn move_by(model: &mut Model, motion: Motion) {
    if model.screen == Screen::Fleet {
        let rows = space::fleet_rows(model.size);
        let fleet = &mut model.fleet;
        fleet.moved = true;
        fleet.cursor = motion.apply(fleet.cursor, fleet.order.len(), rows);
    } else if let Screen::Subject(id) = &model.screen {
        let rows = space::case_rows(model.size).saturating_sub(1);
        if let Some(status) = model.cases.get(id).cloned() {
            model.page.step_by(motion, &status, rows);
        }
    } else if let Some(status) = model.status().cloned() {
        let rows = space::panel_rows(model.size);
        model.panels.step_by(motion, &status, rows);
    }
}

fn change_list(model: &mut Model, id: CommandId) {
    if model.screen == Screen::Fleet {
        match id {
            CommandId::Filter => model.fleet.begin_filter(),
            _ => model.fleet.sort_next(),
        }
        return;
    }
    if matches!(model.screen, Screen::Subject(_)) {
        return model.page.begin_filter();
    }
    let Some(status) = model.status().cloned() else { return };
    model.panels.go(Panel::Clients);
    let rows = space::panel_rows(model.size).saturating_sub(1);
    let list = &mut model.panels.clients;
    match id {
        CommandId::Filter => {
            list.begin_filter();
            list.take(&status);
        }
        CommandId::Mark => list.toggle(rows, &status),
        CommandId::MarkAll => list.toggle_all(&status),
        _ => {
            list.open_first = !list.open_first;
            list.take(&status);
        }
    }
}

/// Filters the clients again.
pub fn retake(model: &mut Model) {
    if let Some(status) = model.status().cloned() {
        model.panels.clients.take(&status);
    }
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let Some(id) = model.subject().cloned() else { return Vec::new() };
    let key = model.status().and_then(|status| {
        let keys = &status.keys;
        match model.panels.focus {
            Panel::Clients => model.panels.clients.selected(status).and_then(|view| view.client.public_key),
            Panel::Peers => status.clients.get(model.panels.peer).and_then(|view| view.client.public_key),
            Panel::Keys => {
                let console = keys.console.as_ref().and_then(|sight| sight.key);
                let all = [keys.secret.key, keys.object.key, keys.interface.key, console, keys.staged, keys.previous];
                all.get(model.panels.key).copied().flatten()
            }
            _ => None,
        }
    });
    let (what, text) = match key {
        Some(key) => ("the public key", key.to_string()),
        None if id.is_subject() => ("the subject's name", id.to_string()),
        None => ("the tenant's id", id.to_string()),
    };
    model.say(Severity::Info, format!("{what} {text} was sent to the terminal's clipboard"));
    vec![Effect::Copy(text)]
}

fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(status) = model.status().cloned() else { return Vec::new() };
    match release(&status, vec![command], &Consent::plain()) {
        Ok(effects) => begin(model, effects),
        Err(why) => {
            model.say(Severity::Refused, why);
            Vec::new()
        }
    }
}

/// Notes that these effects run, so that the next key is judged against the state after them.
pub fn begin(model: &mut Model, effects: Vec<Effect>) -> Vec<Effect> {
    for effect in &effects {
        let (id, what) = match effect {
            Effect::Run(order) => (order.tenant(), word(order.command())),
            Effect::Begin(order) => (order.subject(), order.order().word()),
            Effect::Quit => {
                model.quitting = true;
                continue;
            }
            _ => continue,
        };
        let since = model.now;
        let job = Job { what: what.to_owned(), progress: None, since, open: 0 };
        model.jobs.entry(id.clone()).or_insert(job).open += 1;
        model.remark_shown = false;
    }
    effects
}

/// A command's word: that of its subcommand.
pub fn word(command: &Command) -> &'static str {
    match command {
        Command::Plan { .. } => "plan",
        Command::Reschedule { .. } => "reschedule",
        Command::Notify { .. } => "notify",
        Command::ResolveNotice { .. } => "decide",
        Command::Answer { .. } => "answer",
        Command::Waive { .. } => "waive",
        Command::Check | Command::Recheck { .. } => "check",
        Command::Rotate { .. } => "rotate",
        Command::Resume => "resume",
        Command::ResolveStep { .. } => "decide",
        Command::RollBack { .. } => "roll back",
        Command::Verify => "verify",
        Command::Back { .. } => "back",
        Command::GatewayPing { .. } => "ping",
        Command::Finish { .. } => "finish",
        Command::Cancel { .. } => "cancel",
        Command::Note { .. } => "note",
        Command::Approve { .. } | Command::ApproveSigned { .. } => "approve",
        Command::Emergency { .. } => "emergency",
        Command::CloseReview { .. } => "review",
        Command::TakeOver { .. } => "take over",
        Command::Recover { .. } => "recover",
        Command::HandOver { .. } => "hand over",
        Command::AcceptHandOver => "accept",
        Command::TakeMails { .. } | Command::DecideMail { .. } => "mail",
        Command::EndSilence => "silence",
        Command::SeenSince { .. } => "look",
        Command::SetAside { .. } => "set aside",
        Command::AcceptSender { .. } | Command::AcceptDomain { .. } => "accept",
        Command::TakeBack { .. } => "take back",
        Command::KeepWaiver { .. } => "keep",
    }
}

/// As a command line takes it: a cluster with its kind, a tenant by its name.
pub fn subject_of(model: &Model, id: &TenantId) -> String {
    model.case(id).map_or_else(|| name_of(model, id), |status| status.subject.to_string())
}

/// The tenant's name, or its id where no status was seen.
pub fn name_of(model: &Model, id: &TenantId) -> String {
    model.tenants.get(id).map_or_else(|| id.to_string(), |status| status.tenant.name.clone())
}
