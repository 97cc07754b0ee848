//! How a message changes the model and which effects follow: the only place where the model changes.

use crate::app::arrival;
use crate::app::availability::is_free_for;
use crate::app::case::page::tabs;
use crate::app::case::{form, short_name, verbs};
use crate::app::command::command_for;
use crate::app::confirm::case::release as release_case;
use crate::app::confirm::{Confirmation, Consent, release, verb_of};
use crate::app::dialog::{Dialog, Outcome, Reading, Subject};
use crate::app::failure::Failure;
use crate::app::field::{paste_text, press_text};
use crate::app::keymap::Key;
use crate::app::manner::Notify;
use crate::app::message::{Effect, Msg};
use crate::app::model::{Job, Model, Screen, Severity};
use crate::app::perform::{begin, name_of, perform, quit, retake};
use crate::app::space;
use crate::domain::sanitize::sanitize;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::TenantId;
use crate::engine::case::machine;
use crate::engine::case::status::{Status, StepView};
use crate::engine::command::Command;
use crate::engine::sources::Looked;
use crate::engine::status::TenantStatus;
use std::sync::Arc;

/// Takes in one message. Pure: the same model and message give the same model and effects.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => return press(model, key),
        Msg::Paste(text) => paste(model, &text),
        Msg::Resize(width, height) => model.size = (width, height),
        Msg::Tick(now) => model.now = now,
        Msg::Fleet { tenants, fault } => {
            model.fleet.load(&tenants);
            model.fleet.fault = fault.map(|fault| format!("{fault}; {}", fault.advice()));
        }
        Msg::Status(status) => {
            let arrived = arrival::of_tenant(model.tenants.get(&status.tenant.id).map(Arc::as_ref), &status);
            take_status(model, status);
            return calls_back(model, arrived);
        }
        Msg::Subjects(subjects) => model.fleet.load_subjects(subjects),
        Msg::Case(id, status) => {
            let arrived = arrival::of_case(model.case(&id).map(Arc::as_ref), &status);
            take_case(model, id, status);
            return calls_back(model, arrived);
        }
        Msg::JobStarted { tenant, what } => {
            let since = model.now;
            let fresh = Job { what: what.clone(), progress: None, since, open: 1 };
            let job = model.jobs.entry(tenant).or_insert(fresh);
            job.what = what;
            job.progress = None;
        }
        Msg::Progress { tenant, progress } => {
            if let Some(job) = model.jobs.get_mut(&tenant) {
                job.progress = Some(progress);
            }
        }
        Msg::JobEnded { tenant, result } => {
            end_job(model, &tenant, result);
            let ended = model.remarks.back().map(|remark| remark.text.clone());
            return calls_back(model, ended);
        }
        Msg::Looked(tenant, ended) => looked(model, &tenant, &ended),
        Msg::Preview { tenant, kind, letters } => {
            if let Some(Dialog::Notify(dialog)) = &mut model.dialog
                && dialog.tenant == tenant
                && dialog.kind() == kind
            {
                dialog.letters = Some(letters);
            }
        }
        Msg::Rehearsed(mishaps, said) => match &mut model.dialog {
            Some(Dialog::Rehearse(dialog)) => dialog.take(mishaps, said),
            _ => model.say(Severity::Info, format!("lab: {}", said.unwrap_or_else(|why| why))),
        },
        Msg::Info(text) => model.say(Severity::Info, text),
        Msg::LabSaid(text) => model.say(Severity::Info, format!("lab: {text}")),
        Msg::Alarm(text) => {
            if let Some(text) = &text {
                model.say(Severity::Error, text.clone());
            }
            model.alarm = text;
        }
        Msg::Swept(took) => model.fleet.swept = Some((model.now, took)),
        Msg::LinkLost => {
            model.quitting = true;
            return vec![Effect::Quit];
        }
    }
    Vec::new()
}

/// What was waited for has come, and somebody wants to be told.
fn calls_back(model: &Model, arrived: Option<String>) -> Vec<Effect> {
    let manner = model.options.manner;
    let is_wanted = manner.notify != Notify::Off || manner.low_bandwidth;
    arrived.filter(|_| is_wanted).map(|text| Effect::Notify(sanitize(&text))).into_iter().collect()
}

fn take_status(model: &mut Model, status: Arc<TenantStatus>) {
    model.fleet.take(&status);
    if model.shown() == Some(&status.tenant.id) {
        model.panels.take(&status);
    }
    model.tenants.insert(status.tenant.id.clone(), status);
}

fn take_case(model: &mut Model, id: TenantId, status: Arc<Status>) {
    model.fleet.take_case(&id, &status);
    if model.shown() == Some(&id) {
        model.page.take(&status);
    }
    // How far a step was says nothing of the next one.
    let is_at = |step: StepNumber| {
        let running = |view: &&StepView| matches!(view.state, StepState::Running { .. });
        status.steps.iter().find(running).is_none_or(|view| view.number == step)
    };
    if let Some(job) = model.jobs.get_mut(&id) {
        job.progress = job.progress.take().filter(|progress| is_at(progress.step));
    }
    model.cases.insert(id, status);
}

/// Says how a look ended: the status that it gave came before this.
fn looked(model: &mut Model, tenant: &TenantId, looked: &Looked) {
    let severity = if looked.is_whole() { Severity::Done } else { Severity::Error };
    let name = name_of(model, tenant);
    // Why stands in the log, each by itself; who, on the message line.
    for (source, fault) in &looked.failed {
        model.say(severity, format!("{name}: {source}: {fault}; {}", fault.advice()));
    }
    model.say(severity, format!("{name}: {looked}"));
}

fn end_job(model: &mut Model, tenant: &TenantId, result: Result<String, Failure>) {
    let mut what = "command".to_owned();
    if let Some(job) = model.jobs.get_mut(tenant) {
        what = job.what.clone();
        job.open = job.open.saturating_sub(1);
        job.progress = None;
        if job.open == 0 {
            model.jobs.remove(tenant);
        }
    }
    if model.jobs.is_empty() && model.asks_to_quit() {
        // The question has answered itself: nothing runs any more.
        model.dialog = None;
    }
    let name = name_of(model, tenant);
    match result {
        Ok(text) => model.say(Severity::Done, format!("{name}: {what}: {text}")),
        Err(failure) => {
            let severity = if failure.refused { Severity::Refused } else { Severity::Error };
            model.say(severity, format!("{name}: {what}: {}", failure.line()));
            // Never over another dialog: the operator may be typing.
            if model.dialog.is_none() && model.shown() == Some(tenant) {
                let subject = Subject::Failed { tenant: name, what, failure };
                model.dialog = Some(Dialog::Reading(Box::new(Reading::of(subject))));
            }
        }
    }
}

fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    match key {
        Key::Ctrl('z') if model.options.manner.captive => {
            model.say(Severity::Refused, "there is no shell to go to from here; q leaves");
            return Vec::new();
        }
        Key::Ctrl('z') => return vec![Effect::Suspend],
        Key::Ctrl('l') => return vec![Effect::Redraw],
        Key::Ctrl('c') => {
            // The first one leaves a dialog, where something may have been typed; the second quits.
            if model.dialog.take().is_some() {
                return Vec::new();
            }
            return quit(model);
        }
        _ => {}
    }
    // What can't be seen can't be meant.
    if space::is_too_small(model.size) {
        return match key {
            // The question has no room; it is asked in the lines that say what is needed.
            Key::Char('q') if model.asks_to_quit() => {
                model.quitting = true;
                vec![Effect::Quit]
            }
            Key::Char('q') if model.dialog.is_none() && !is_typing(model) => quit(model),
            _ => Vec::new(),
        };
    }
    if model.dialog.is_some() {
        return press_in_dialog(model, key);
    }
    if is_typing(model) {
        type_filter(model, key);
        return Vec::new();
    }
    model.remark_shown = false;
    if let Some(()) = go_to_tab(model, key) {
        return Vec::new();
    }
    match command_for(key, &model.screen) {
        Some(command) => perform(model, command),
        None => {
            if let Some(effects) = verbs::press(model, key) {
                return effects;
            }

            if let Key::Char(c) = key {
                model.say(Severity::Info, format!("{c:?} has no meaning here; ? shows the keys"));
            }
            Vec::new()
        }
    }
}

/// Whether keys go into a filter.
pub fn is_typing(model: &Model) -> bool {
    match model.screen {
        Screen::Fleet => model.fleet.typing,
        Screen::Tenant(_) => model.panels.clients.typing,
        Screen::Subject(_) => model.page.typing,
    }
}

fn type_filter(model: &mut Model, key: Key) {
    if model.screen == Screen::Fleet {
        let before = model.fleet.filter.value().to_owned();
        match key {
            Key::Esc => return model.fleet.give_up_filter(),
            Key::Enter | Key::Up | Key::Down | Key::Tab => model.fleet.typing = false,
            key => {
                press_text(&mut model.fleet.filter, key);
            }
        }
        if model.fleet.filter.value() != before {
            model.fleet.filter_changed(&before);
        }
        return;
    }
    if matches!(model.screen, Screen::Subject(_)) {
        let page = &mut model.page;
        match key {
            Key::Esc => (page.typing, _) = (false, page.filter.reset()),
            Key::Enter | Key::Up | Key::Down | Key::Tab => page.typing = false,
            key => _ = press_text(&mut page.filter, key),
        }
        return page.filter_changed();
    }
    let list = &mut model.panels.clients;
    match key {
        Key::Esc => list.give_up_filter(),
        Key::Enter | Key::Up | Key::Down | Key::Tab => list.typing = false,
        key => {
            press_text(&mut list.filter, key);
        }
    }
    retake(model);
}

fn paste(model: &mut Model, text: &str) {
    let typing = is_typing(model);
    match &mut model.dialog {
        Some(Dialog::Form(form)) => form.paste(text),
        Some(Dialog::Case(form)) => form.paste(text),
        Some(_) => {}
        None if model.screen == Screen::Fleet && model.fleet.typing => {
            let before = model.fleet.filter.value().to_owned();
            paste_text(&mut model.fleet.filter, text);
            model.fleet.filter_changed(&before);
        }
        None if typing && matches!(model.screen, Screen::Subject(_)) => {
            paste_text(&mut model.page.filter, text);
            model.page.filter_changed();
        }
        None if typing => {
            paste_text(&mut model.panels.clients.filter, text);
            retake(model);
        }
        None => model.say(Severity::Info, "pasted text was not taken: no field is open"),
    }
}

fn press_in_dialog(model: &mut Model, key: Key) -> Vec<Effect> {
    let Some(mut dialog) = model.dialog.take() else { return Vec::new() };
    let rows = model.size.1.saturating_sub(8).max(1);
    if let Dialog::Case(form) = &mut dialog {
        let Some(status) = model.cases.get(&form.subject).cloned() else { return Vec::new() };
        return match form.press(key, &status) {
            form::Outcome::Close => Vec::new(),
            form::Outcome::Stay => {
                model.dialog = Some(dialog);
                Vec::new()
            }
            form::Outcome::Submit(order, consent) => submit_case(model, dialog, &status, order, &consent),
        };
    }
    let outcome = match &mut dialog {
        Dialog::Reading(reading) => reading.press(key, model, rows),
        Dialog::Rehearse(rehearse) => rehearse.press(key, rows),
        Dialog::Case(_) => Outcome::Close,
        Dialog::Form(form) => match model.tenants.get(&form.tenant).cloned() {
            Some(status) => form.press(key, &status, model.now),
            None => Outcome::Close,
        },
        Dialog::Notify(notify) => match model.tenants.get(&notify.tenant).cloned() {
            Some(status) => notify.press(key, model, &status, rows / 2),
            None => Outcome::Close,
        },
    };
    match outcome {
        Outcome::Close => Vec::new(),
        Outcome::Quit => begin(model, vec![Effect::Quit]),
        Outcome::Stay => {
            model.dialog = Some(dialog);
            Vec::new()
        }
        Outcome::Ask(effects) => {
            model.dialog = Some(dialog);
            effects
        }
        Outcome::Replace(form) => {
            model.dialog = Some(Dialog::Form(form));
            Vec::new()
        }
        Outcome::Submit(commands, consent) => submit(model, dialog, commands, &consent),
    }
}

/// What was set off is judged again: something may have begun, or somebody taken the tenant, while the dialog was open.
fn submit(model: &mut Model, mut dialog: Dialog, commands: Vec<Command>, consent: &Consent) -> Vec<Effect> {
    let released = match &dialog {
        Dialog::Form(form) => release_for(model, &form.tenant, &form.confirmation, commands, consent),
        Dialog::Notify(notify) => match &notify.confirmation {
            Some(confirmation) => release_for(model, &notify.tenant, confirmation, commands, consent),
            None => Err("nothing was confirmed".into()),
        },
        Dialog::Reading(_) | Dialog::Rehearse(_) | Dialog::Case(_) => Err("nothing was confirmed".into()),
    };
    match (released, &mut dialog) {
        (Ok(effects), Dialog::Notify(notify)) => {
            notify.sent();
            model.dialog = Some(dialog);
            begin(model, effects)
        }
        (Ok(effects), _) => {
            // What was marked was marked for this form.
            model.panels.clients.marked.clear();
            begin(model, effects)
        }
        (Err(why), Dialog::Form(form)) => {
            form.error = Some(why);
            model.dialog = Some(dialog);
            Vec::new()
        }
        (Err(why), Dialog::Notify(notify)) => {
            notify.error = Some(why);
            model.dialog = Some(dialog);
            Vec::new()
        }
        (Err(_), Dialog::Reading(_) | Dialog::Rehearse(_) | Dialog::Case(_)) => Vec::new(),
    }
}

/// The same for a subject that is no tenant.
fn submit_case(
    model: &mut Model,
    mut dialog: Dialog,
    status: &Status,
    order: machine::Order,
    consent: &Consent,
) -> Vec<Effect> {
    let Dialog::Case(form) = &mut dialog else { return Vec::new() };
    let is_another = |name: &String| {
        let known = |row: &str| row == name || short_name(row) == name;
        *name != form.name && model.fleet.rows.iter().any(|row| known(&row.name))
    };
    let released =
        match (verbs::shut(model, &form.subject, &form.offer), form.confirmation.spelled().filter(is_another)) {
            (Some(why), _) if model.jobs.contains_key(&form.subject) => Err(why),
            (_, Some(other)) => Err(format!("{other} is another subject; if you mean {}: Tab, then Enter", form.name)),
            _ => release_case(&form.subject, status, &form.offer, order, consent),
        };
    match released {
        Ok(effect) => begin(model, vec![effect]),
        Err(why) => {
            form.error = Some(why);
            model.dialog = Some(dialog);
            Vec::new()
        }
    }
}

/// The digits lead to the panels of a subject's page.
fn go_to_tab(model: &mut Model, key: Key) -> Option<()> {
    let (Key::Char(digit @ '1'..='9'), Screen::Subject(id)) = (key, &model.screen) else { return None };
    let tab = tabs(model.cases.get(id)?).get(digit as usize - '1' as usize)?.clone();
    model.page.go(tab);
    Some(())
}

fn release_for(
    model: &Model,
    tenant: &TenantId,
    confirmation: &Confirmation,
    commands: Vec<Command>,
    consent: &Consent,
) -> Result<Vec<Effect>, String> {
    let status = model.tenants.get(tenant).ok_or("nothing is known of this tenant any more")?;
    let verb = commands.first().and_then(verb_of).ok_or("nothing is asked for")?;
    is_free_for(verb, model, status)?;
    // Typed in one go on a screen without a field, it was the name of another tenant.
    if let Some(other) = confirmation.spelled().filter(|name| model.fleet.rows.iter().any(|row| *row.name == **name)) {
        return Err(format!("{other} is another tenant; if you mean {}: Tab, then Enter", status.tenant.name));
    }
    release(status, commands, consent)
}
