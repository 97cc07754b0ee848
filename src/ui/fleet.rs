//! The list of tenants: one line each for the visible ones only, and what is pressing of the selected one.

use crate::app::fleet::FleetRow;
use crate::app::{Model, space};
use crate::domain::cadence::Due;
use crate::engine::sources::Source;
use crate::engine::status::{Phase, TenantStatus};
use crate::ui::head::MARGIN;
use crate::ui::pen::{Pen, fit, piece};
use crate::ui::{age, case, footer, header};
use unicode_width::UnicodeWidthStr;

/// What was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Rows of which texts were made.
    pub rows: usize,
    /// Where the cursor of a text field is.
    pub cursor: Option<(u16, u16)>,
}

const HEADINGS: [&str; 7] = ["TENANT", "KEY", "DUE", "PHASE", "ANSWERS", "SERVER", "ACTIVE"];

/// Widths of the columns, the tenant's name first; the rest is attention and next action. Where it is narrow the key's age,
/// which says what its due says, leaves its room to them.
fn widths(width: u16) -> [u16; 7] {
    if width >= 110 { [24, 7, 13, 13, 8, 8, 8] } else { [14, 0, 8, 12, 7, 7, 7] }
}

/// Draws the screen.
pub fn draw(model: &Model, size: (u16, u16), pen: &mut Pen<'_>) -> Drawn {
    let (width, height) = size;
    header::first_line(model, "", &[], width, pen);
    let upper = space::fleet_upper(size);
    if space::is_airy(size) {
        totals(model, width, pen);
    }
    let cursor = position(model, upper - 2, width, pen);
    headings(model, upper - 1, width, pen);
    let rows = space::fleet_rows(size);
    let page = space::page(model.fleet.order.len(), model.fleet.cursor, rows);
    let mut drawn = 0;
    for (y, place) in page.enumerate() {
        let Some(row) = model.fleet.order.get(place).and_then(|at| model.fleet.rows.get(*at as usize)) else {
            continue;
        };
        line(model, row, upper + y as u16, width, place == model.fleet.cursor, pen);
        drawn += 1;
    }
    if drawn == 0 {
        empty(model, upper + 1, width, pen);
    }
    detail(model, size, pen);
    footer::draw(model, (width, height), pen);
    Drawn { rows: drawn, cursor }
}

fn position(model: &Model, y: u16, width: u16, pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    let theme = pen.theme;
    let fleet = &model.fleet;
    let at = if fleet.order.is_empty() { 0 } else { fleet.cursor + 1 };
    let of = if fleet.order.len() == fleet.rows.len() {
        format!("{at}/{}", fleet.rows.len())
    } else {
        format!("{at}/{} of {}", fleet.order.len(), fleet.rows.len())
    };
    let mut pieces = vec![
        piece(format!("{} {of}", if fleet.subjects > 0 { "subjects" } else { "tenants" }), theme.plain()),
        piece(format!("   sorted by {}", fleet.sort.word()), theme.quiet()),
    ];
    let filter = fleet.filter.value();
    // The filter decides what is seen, so it has the room.
    if !fleet.typing && filter.is_empty() {
        let within = age::span(model.sweep().as_secs() as i64);
        pieces.push(piece(format!("   each looked at within {within}"), theme.quiet()));
    } else {
        pieces.push(piece(if fleet.typing { "   type to filter: " } else { "   filter: " }, theme.quiet()));
    }
    let used = pen.flow(0, y, width, &pieces);
    if fleet.typing || !filter.is_empty() {
        let room = width.saturating_sub(used + 1);
        let scroll = fleet.filter.visual_scroll(usize::from(room));
        let shown: String = skip_columns(filter, scroll);
        pen.put(used, y, room, &shown, theme.strong());
        if fleet.typing {
            return Some((used + (fleet.filter.visual_cursor() - scroll.min(fleet.filter.visual_cursor())) as u16, y));
        }
    } else if let Some(fault) = &fleet.fault {
        pen.put(used, y, width - used, &format!("   {} some may be missing: {fault}", pen.glyphs.warn), theme.bad());
    }
    None
}

/// Weeks of the line of due dates: so many back, and so many in all.
const WEEKS: (i64, i64) = (6, 58);
/// What is due within so many weeks is told as soon.
const SOON: usize = 4;

/// What the fleet comes to, and when its keys are due, a week a cell.
fn totals(model: &Model, width: u16, pen: &mut Pen<'_>) {
    let (theme, totals) = (pen.theme, &model.fleet.totals);
    let counts = [
        (totals.alarms, "alarm", "alarms", theme.bad()),
        (totals.at_work, "at work", "at work", theme.busy()),
        (totals.silent, "without an answer", "without an answer", theme.bad()),
        (totals.held, "held by others", "held by others", theme.warn()),
        (totals.attention, "to look at", "to look at", theme.warn()),
        (totals.unknown, "not looked at yet", "not looked at yet", theme.quiet()),
    ];
    let mut pieces: Vec<_> = (counts.into_iter().filter(|(count, ..)| *count > 0))
        .map(|(count, one, many, style)| piece(format!("{count} {}   ", if count == 1 { one } else { many }), style))
        .collect();
    if pieces.is_empty() {
        pieces.push(piece("nothing needs a look", theme.plain()));
    }
    pen.put(0, 2, MARGIN, "fleet", theme.quiet());
    pen.flow(MARGIN, 2, width - MARGIN, &pieces);
    let (back, weeks) = WEEKS;
    let due = totals.due(model.now.as_second(), back, weeks);
    let most = due.iter().copied().max().unwrap_or(0).max(1);
    let levels = pen.glyphs.levels;
    let top = levels.len() - 1;
    let now = usize::try_from(back).unwrap_or(0);
    let cell = |(at, count): (usize, &u32)| {
        let style = match at {
            _ if *count == 0 => theme.line(),
            _ if at < now => theme.bad(),
            _ if at < now + SOON => theme.warn(),
            _ => theme.hand(),
        };
        let height = if *count == 0 { 0 } else { (*count as usize * top).div_ceil(most as usize).max(1) };
        piece(levels[height.min(top)].to_string(), style)
    };
    let mut line: Vec<_> = due.iter().enumerate().map(cell).collect();
    line.insert(now, piece(pen.glyphs.bar, theme.strong()));
    let (overdue, rest) = due.split_at(now);
    let soon: u32 = rest.iter().take(SOON).sum();
    line.push(piece(format!("   {} overdue", overdue.iter().sum::<u32>()), theme.plain()));
    line.push(piece(format!("   {soon} due within {SOON} weeks   a week a cell"), theme.quiet()));
    pen.put(0, 3, MARGIN, "due", theme.quiet());
    pen.flow(MARGIN, 3, width - MARGIN, &line);
}

/// The text without its first columns.
pub fn skip_columns(text: &str, columns: usize) -> String {
    let mut skipped = 0;
    text.chars()
        .skip_while(|c| {
            let skip = skipped < columns;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect()
}

fn headings(model: &Model, y: u16, width: u16, pen: &mut Pen<'_>) {
    let style = pen.theme.quiet();
    let mut x = 2;
    for (heading, columns) in HEADINGS.iter().zip(widths(width)).filter(|(_, columns)| *columns > 0) {
        // What only tenants have is no heading where there are none.
        let heading = match *heading {
            "TENANT" if model.fleet.subjects > 0 => "SUBJECT",
            "ANSWERS" if model.fleet.is_without_tenants() => "STEP",
            "KEY" | "SERVER" | "ACTIVE" if model.fleet.is_without_tenants() => "",
            heading => heading,
        };
        pen.put(x, y, columns, heading, style);
        x += columns + 1;
    }
    pen.put(x, y, width.saturating_sub(x), if width >= 110 { "ATTENTION / NEXT" } else { "! / next" }, style);
}

fn line(model: &Model, row: &FleetRow, y: u16, width: u16, selected: bool, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let status = model.tenants.get(&row.id);
    let columns = widths(width);
    let running = model.jobs.contains_key(&row.id);
    let marker = if selected {
        pen.glyphs.selected
    } else if running {
        pen.glyphs.running
    } else {
        " "
    };
    pen.put(0, y, 1, marker, theme.strong());
    let mut x = 2;
    let mut cell = |text: &str, columns: u16, style, pen: &mut Pen<'_>| {
        if columns > 0 {
            pen.put(x, y, columns, text, style);
            x += columns + 1;
        }
    };
    cell(&row.name, columns[0], theme.plain(), pen);
    if let Some(case) = model.case(&row.id) {
        case::row::draw(model, &row.id, case, (x, y), width, &columns, pen);
        if selected {
            pen.highlight(0, y, width, theme.selected());
        }
        return;
    }
    let Some(status) = status else {
        cell("not looked at yet", 20, theme.quiet(), pen);
        return;
    };
    // What does not answer any more is not shown as true: neither in colour nor without its age.
    let (late, blind) = (model.late_key(status), model.late(status, Source::Server).is_some());
    let unwritten = model.late(status, Source::Journal).is_some();
    let unheard = model.late(status, Source::Mailbox).is_some();
    let made = status.keys.created.map_or("?".into(), |at| age::span(model.now.as_second() - at.as_second()));
    cell(&made, columns[1], theme.plain(), pen);
    let (due, due_style) = match (status.keys.due, status.keys.due_state) {
        (Some(due), Some(Due::Overdue)) => {
            let past = age::span(model.now.as_second() - due.as_second());
            (if width >= 110 { format!("OVERDUE {past}") } else { "OVERDUE".into() }, theme.bad())
        }
        (Some(due), Some(Due::Soon)) => (age::until(due, model.now), theme.warn()),
        (Some(due), _) => (age::until(due, model.now), theme.plain()),
        _ => ("?".into(), theme.quiet()),
    };
    cell(&due, columns[2], due_style, pen);
    let phase = match row.phase {
        Phase::Idle => theme.quiet(),
        Phase::RollingBack => theme.bad(),
        Phase::Rotating | Phase::Returning => theme.busy(),
        _ => theme.plain(),
    };
    match unwritten {
        true => cell(&format!("{}{}", pen.glyphs.stale, row.phase.word()), columns[3], theme.plain(), pen),
        false => cell(row.phase.word(), columns[3], phase, pen),
    }
    let answers = match (row.phase, status.back) {
        (Phase::Idle, _) => "-".into(),
        (_, Some((back, of))) if width >= 110 => format!("{back}/{of} bk"),
        (_, Some((back, of))) => format!("{back}/{of}b"),
        _ if status.people_seen.is_none() => "?".into(),
        _ => format!("{}{}/{}", if unheard { pen.glyphs.stale } else { "" }, row.answers.0, row.answers.1),
    };
    cell(&answers, columns[4], theme.plain(), pen);
    match late
        .map(|view| view.seen_at.map_or_else(|| "never".into(), |at| age::span(model.now.as_second() - at.as_second())))
    {
        None => cell(row.reconcile.word(), columns[5], header::reconcile_style(row.reconcile, pen), pen),
        Some(age) => cell(&format!("{}{age}", pen.glyphs.stale), columns[5], theme.warn(), pen),
    }
    let active = format!("{}{}/{}", if blind { pen.glyphs.stale } else { "" }, row.active.0, row.active.1);
    cell(&active, columns[6], if blind { theme.quiet() } else { theme.plain() }, pen);
    attention(model, status, x, y, width.saturating_sub(x), pen);
    if selected {
        pen.highlight(0, y, width, theme.selected());
    }
}

/// Who does not answer, else the first thing that needs attention and how many more, else the next action.
fn attention(model: &Model, status: &TenantStatus, x: u16, y: u16, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    if let Some(lead) = status.lead() {
        pen.put(x, y, width, &format!("{} {lead}", pen.glyphs.warn), theme.bad());
        return;
    }
    // The glyph and a space go before it.
    if let Some(late) = header::late_text(model, status, usize::from(width).saturating_sub(2)) {
        pen.put(x, y, width, &format!("{} {late}", pen.glyphs.lost), theme.bad());
        return;
    }
    match status.attention.as_slice() {
        [] if status.phase == Phase::Idle => {}
        [] => {
            pen.put(x, y, width, &status.next.text, theme.quiet());
        }
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" +{}", rest.len()) };
            let room = usize::from(width).saturating_sub(more.width());
            let first = fit(&format!("{} {first}", pen.glyphs.warn), room, pen.glyphs).into_owned();
            pen.flow(x, y, width, &[piece(first, theme.warn()), piece(more, theme.quiet())]);
        }
    }
}

fn empty(model: &Model, y: u16, width: u16, pen: &mut Pen<'_>) {
    let text = match (&model.fleet.fault, model.fleet.loaded, model.fleet.rows.is_empty()) {
        (Some(fault), _, true) => format!("no tenants are known: {fault}"),
        (_, false, _) => "looking for tenants".into(),
        (_, true, true) if model.fleet.subjects > 0 => "looking for subjects".into(),
        (_, true, true) => "no tenants are configured or discovered".into(),
        (_, true, false) => "nothing passes the filter; Esc drops it".into(),
    };
    let style = pen.theme.quiet();
    pen.put(2, y, width.saturating_sub(2), &text, style);
}

fn detail(model: &Model, size: (u16, u16), pen: &mut Pen<'_>) {
    let (width, height) = size;
    let rows = space::fleet_detail(size);
    let top = height - 2 - rows;
    let theme = pen.theme;
    let Some(id) = model.fleet.selected() else {
        pen.rule(0, top, width, "", false);
        return;
    };
    if let Some(case) = model.case(id) {
        case::row::detail(model, id, case, top, rows, width, pen);
        return;
    }
    let Some(status) = model.tenants.get(id) else {
        pen.rule(0, top, width, id.as_str(), false);
        return;
    };
    pen.rule(0, top, width, &format!("{} ({id})", status.tenant.name), false);
    let next = [piece("next: ", theme.strong()), piece(status.next.text.as_str(), theme.plain())];
    pen.flow(0, top + 1, width, &next);
    if let Some(lead) = status.headline() {
        pen.put(0, top + 2, width, &format!("{} {lead}", pen.glyphs.warn), theme.bad());
        return;
    }
    if let Some(late) = header::late_text(model, status, usize::MAX) {
        let first = status.attention.first().map(|item| format!("; {item}")).unwrap_or_default();
        pen.put(0, top + 2, width, &format!("{} {late}{first}", pen.glyphs.lost), theme.bad());
        return;
    }
    let room = usize::from(rows - 2);
    match status.attention.as_slice() {
        [] => {
            pen.put(0, top + 2, width, "nothing needs attention", theme.quiet());
        }
        items if room == 1 => {
            let all = items.join("; ");
            pen.flow(0, top + 2, width, &[piece(format!("{} {all}", pen.glyphs.warn), theme.warn())]);
        }
        items => {
            for (y, item) in items.iter().enumerate().take(room) {
                let last = y + 1 == room && items.len() > room;
                let text = if last { format!("and {} more", items.len() - y) } else { item.clone() };
                pen.put(0, top + 2 + y as u16, width, &format!("{} {text}", pen.glyphs.warn), theme.warn());
            }
        }
    }
}
