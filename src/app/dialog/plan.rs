//! The form of the window: start, length, zone, and for a new rotation its cause and reference.

use crate::app::availability::everybody;
use crate::app::dialog::{FormDialog, Mark, Purpose, Row};
use crate::app::field::Field;
use crate::app::model::Model;
use crate::domain::window::{BadWindow, Window, WindowState, in_zone};
use crate::engine::command::Command;
use crate::engine::record::Cause;
use crate::engine::status::{ClientView, Standing, TenantStatus};
use jiff::{SignedDuration, Timestamp};

const START: usize = 0;
const LENGTH: usize = 1;
const ZONE: usize = 2;
const CAUSE: usize = 3;
const REFERENCE: usize = 4;

/// A window as the fields hold it.
fn written(window: &Window) -> [String; 3] {
    let minutes = (window.end.as_second() - window.start.as_second()) / 60;
    [civil(window.start, &window.zone), format!("{minutes}m"), window.zone.clone()]
}

/// The form, filled with the window in force; else with now where the live key is not the one that clients have, and with 22:00 a
/// week from now where nothing hurries.
pub fn open(model: &Model, status: &TenantStatus, change: bool) -> FormDialog {
    let [start, length, zone] = match status.window.as_ref().filter(|_| change) {
        Some(window) => written(window),
        None => {
            let zone = model.options.zone.clone();
            // Clients are cut off, or will be: each hour counts.
            if status.truth.is_some() || status.changed_since.is_some() {
                [civil(model.now, &zone), model.options.length.clone(), zone]
            } else {
                let in_a_week = model.now.checked_add(SignedDuration::from_hours(7 * 24)).unwrap_or(model.now);
                let day: String = civil(in_a_week, &zone).chars().take(10).collect();
                [format!("{day} 22:00"), model.options.length.clone(), zone]
            }
        }
    };
    let mut fields = vec![
        Field::text("start", start, "2026-11-24 22:00"),
        Field::text("length", length, "90m or 2h"),
        Field::text("zone", zone, "Europe/Berlin"),
    ];
    if !change {
        fields.push(Field::preset("cause", &["scheduled", "compromise"]));
        fields.push(Field::text("reference", "", "ticket or incident, optional"));
    }
    FormDialog::new(status, Purpose::Plan { change }, fields)
}

fn civil(moment: Timestamp, zone: &str) -> String {
    in_zone(moment, zone).chars().take(16).collect()
}

fn window(form: &FormDialog, revision: u32) -> Result<Window, BadWindow> {
    Window::parse(form.value(START), form.value(LENGTH), form.value(ZONE), revision)
}

fn revision(status: &TenantStatus, change: bool) -> u32 {
    status.window.as_ref().filter(|_| change).map_or(1, |window| window.revision + 1)
}

/// Which field an error belongs to, so that it stands beside it.
pub fn field_in_error(form: &FormDialog) -> Option<(usize, String)> {
    let error = window(form, 1).err()?;
    let at = match &error {
        BadWindow::Zone(_) => ZONE,
        BadWindow::Length(_) => LENGTH,
        BadWindow::Moment(_) | BadWindow::Gap(..) | BadWindow::Fold(..) => START,
    };
    Some((at, error.to_string()))
}

/// What the window means, and what follows.
pub fn explain(form: &FormDialog, change: bool, status: &TenantStatus, now: Timestamp) -> Vec<Row> {
    let mut rows = vec![Row::new(
        Mark::Plain,
        "Every client loses the VPN in this window and stays cut off until they re-import their configuration. \
         There is no transparent rotation.",
    )];
    match window(form, revision(status, change)) {
        Ok(window) => {
            rows.push(Row::new(Mark::Good, format!("revision {}: {}", window.revision, window.for_people())));
            if window.state(now) == WindowState::After {
                rows.push(Row::new(Mark::Bad, "this window is over already"));
            } else if window.start.as_second() - now.as_second() < 86_400 {
                rows.push(Row::new(Mark::Warn, "less than a day from now: will everybody have answered?"));
            }
            let doubts = window.doubts(now, status.rotation_takes());
            rows.extend(doubts.into_iter().map(|doubt| Row::new(Mark::Warn, doubt)));
        }
        Err(_) => rows.push(Row::new(Mark::Bad, "not a window yet: see the field")),
    }
    if !change && form.chosen(CAUSE) == Some(1) {
        rows.push(Row::new(Mark::Warn, "compromise: the previous key will never be put back"));
    }
    rows
}

/// Whose answers another window makes void, and who must be told of it.
pub fn stakes(status: &TenantStatus) -> Vec<Row> {
    let named = |wanted: fn(&ClientView) -> bool| -> Vec<&str> {
        status.clients.iter().filter(|view| wanted(view)).map(|view| view.client.name.as_str()).collect()
    };
    let answered = named(has_answered);
    let told = named(|view| view.last_notice.is_some());
    let void = match answered.len() {
        0 => Row::new(Mark::Plain, "nobody has answered yet, so no answer becomes void"),
        count => Row::new(Mark::Bad, format!("makes {count} answers VOID: {}", everybody(&answered))),
    };
    let tell = match told.len() {
        0 => Row::new(Mark::Plain, "nobody has been told of the window yet"),
        count => {
            Row::new(Mark::Warn, format!("{count} know of the window in force; nobody of this one until n tells them"))
        }
    };
    vec![void, tell]
}

fn has_answered(view: &ClientView) -> bool {
    use Standing::{Confirmed, Declined, OtherTime, Tentative, ToRead};
    matches!(view.standing, Confirmed | Declined | OtherTime | Tentative | ToRead)
}

/// The command, or what is wrong with the input.
pub fn command(form: &FormDialog, change: bool, status: &TenantStatus, now: Timestamp) -> Result<Command, String> {
    let window = window(form, revision(status, change)).map_err(|error| error.to_string())?;
    if window.state(now) == WindowState::After {
        return Err("this window is over already; choose a later start".into());
    }
    if change {
        if status.window.as_ref().is_some_and(|now| written(now) == written(&window)) {
            return Err("nothing changed: the window is as it was, so no answer becomes void".into());
        }
        return Ok(Command::Reschedule { window });
    }
    let cause = if form.chosen(CAUSE) == Some(1) { Cause::Compromise } else { Cause::Scheduled };
    Ok(Command::Plan { window, cause, reference: form.value(REFERENCE).to_owned() })
}
