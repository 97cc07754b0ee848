//! The fleet's line and detail of a subject that is no tenant.

use crate::app::Model;
use crate::app::case::{is_unseen, verbs};
use crate::domain::tenant::TenantId;
use crate::engine::case::status::Status;
use crate::ui::age;
use crate::ui::pen::{Pen, fit, piece};
use unicode_width::UnicodeWidthStr;

/// What stands behind the name. `columns`: the widths of the fleet's columns, the name first.
pub fn draw(
    model: &Model,
    id: &TenantId,
    status: &Status,
    (mut x, y): (u16, u16),
    width: u16,
    columns: &[u16; 7],
    pen: &mut Pen<'_>,
) {
    let theme = pen.theme;
    let [_, key, due_width, phase_width, answers, server, active] = *columns;
    let is_late = !model.late_of_case(id, status).is_empty();
    x += if key > 0 { key + 1 } else { 0 };
    let (due, due_style) = match &status.due {
        Some(due) if due.now => ("now".to_owned(), theme.warn()),
        Some(due) => (due.at.map_or_else(|| "-".into(), |at| age::until(at, model.now)), theme.plain()),
        None => ("?".to_owned(), theme.quiet()),
    };
    pen.put(x, y, due_width, &due, due_style);
    x += due_width + 1;
    let style = match status.phase {
        "idle" => theme.quiet(),
        "stopped" | "rolling back" | "cancelling" => theme.bad(),
        _ => theme.busy(),
    };
    pen.put(x, y, phase_width, status.phase, style);
    x += phase_width + 1;
    // The way back goes over the steps from the last.
    let undoes = status.steps.iter().rev().find(|step| step.takes_back && !step.state.is_done());
    let step = undoes.or(status.steps.iter().find(|step| !step.state.is_done()));
    let room = answers + server + active + 2;
    let text = match (status.phase, step) {
        ("idle", _) => "-".to_owned(),
        (_, Some(step)) if step.takes_back => format!("{} {}: {}", step.word(), step.number, step.title),
        ("half-way" | "open", Some(step)) => format!("before {}: {}", step.number, step.title),
        (_, Some(step)) => format!("{} of {}: {}", step.number, status.steps.len(), step.title),
        (_, None) => "all steps done".to_owned(),
    };
    pen.put(x, y, room, &text, theme.plain());
    x += room + 1;
    let room = width.saturating_sub(x);
    if is_late {
        pen.put(x, y, room, &late_text(model, id, status, pen), theme.bad());
        return;
    }
    match status.attention.as_slice() {
        [] if is_unseen(status) => _ = pen.put(x, y, room, "not looked at yet", theme.quiet()),
        [] if status.phase == "idle" && status.due.as_ref().is_none_or(|due| !due.now) => {}
        [] => _ = pen.put(x, y, room, &status.next.text, theme.quiet()),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" +{}", rest.len()) };
            let first = format!("{} {first}", pen.glyphs.warn);
            let first = fit(&first, usize::from(room).saturating_sub(more.width()), pen.glyphs);
            let pieces = [piece(first.into_owned(), theme.warn()), piece(more, theme.quiet())];
            pen.flow(x, y, room, &pieces);
        }
    }
}

/// `○ node2 45 s no answer`.
fn late_text(model: &Model, id: &TenantId, status: &Status, pen: &Pen<'_>) -> String {
    let late = model.late_of_case(id, status);
    let Some(oldest) = late.iter().min_by_key(|seen| seen.at) else { return String::new() };
    let since = oldest.at.map_or_else(|| "never".to_owned(), |at| age::span(model.now.as_second() - at.as_second()));
    let more = if late.len() > 1 { format!("+{}", late.len() - 1) } else { String::new() };
    format!("{} {}{more} no answer, {since}", pen.glyphs.lost, oldest.name)
}

/// The lines below the list for the selected one.
pub fn detail(model: &Model, id: &TenantId, status: &Status, top: u16, rows: u16, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    pen.rule(0, top, width, id.as_str(), false);
    let key = verbs::next_key(status).map_or(String::new(), |key| format!("({key}) "));
    let next =
        [piece("next: ", theme.strong()), piece(key, theme.busy()), piece(status.next.text.as_str(), theme.plain())];
    pen.flow(0, top + 1, width, &next);
    let late = model.late_of_case(id, status);
    let mut items: Vec<String> = late
        .iter()
        .filter_map(|seen| Some(format!("{}: {}", seen.name, seen.fault.as_ref()?)))
        .chain(status.attention.iter().cloned())
        .collect();
    items.dedup();
    let room = usize::from(rows - 2);
    match items.as_slice() {
        [] if status.next.order.is_some() => {}
        [] => _ = pen.put(0, top + 2, width, "nothing needs attention", theme.quiet()),
        items if room == 1 => {
            let all = items.join("; ");
            pen.put(0, top + 2, width, &format!("{} {all}", pen.glyphs.warn), theme.warn());
        }
        items => {
            for (y, item) in items.iter().enumerate().take(room) {
                let is_last = y + 1 == room && items.len() > room;
                let text = if is_last { format!("and {} more", items.len() - y) } else { item.clone() };
                pen.put(0, top + 2 + y as u16, width, &format!("{} {text}", pen.glyphs.warn), theme.warn());
            }
        }
    }
}
