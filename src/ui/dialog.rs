//! Dialogs: their frame, forms with their fields, and texts to read.

use crate::app::Model;
use crate::app::confirm::{Ask, Confirmation};
use crate::app::dialog::plan::field_in_error;
use crate::app::dialog::{Dialog, FormDialog, Mark, Purpose, Reading, Row, Subject};
use crate::app::field::Field;
use crate::engine::status::TenantStatus;
use crate::ui::fleet::skip_columns;
use crate::ui::pen::{Pen, fit, piece, wrap};
use crate::ui::{case, notify, rehearse};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Borders, Widget};
use unicode_width::UnicodeWidthStr;

/// Draws a dialog over the screen; gives the cursor of its field.
pub fn draw(model: &Model, dialog: &Dialog, area: Rect, pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    match dialog {
        Dialog::Reading(reading) => {
            draw_reading(model, reading, area, pen);
            None
        }
        Dialog::Rehearse(dialog) => {
            rehearse::draw(dialog, area, pen);
            None
        }
        Dialog::Form(form) => draw_form(model, form, model.tenants.get(&form.tenant)?, area, pen),
        Dialog::Case(form) => case::form::draw(form, model.case(&form.subject)?, model, area, pen),
        Dialog::Notify(notify) => notify::draw(model, notify, model.tenants.get(&notify.tenant)?, area, pen),
    }
}

/// A frame with a heading above and keys below; gives the room inside.
pub fn frame(area: Rect, width: u16, height: u16, title: &str, keys: &str, pen: &mut Pen<'_>) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let rect = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    pen.clear(rect);
    let style = pen.theme.busy();
    let block = Block::new().borders(Borders::ALL).border_set(pen.glyphs.border).border_style(style);
    block.render(rect, pen.buffer);
    let room = usize::from(width.saturating_sub(6));
    let title = fit(title, room, pen.glyphs).into_owned();
    let strong = pen.theme.strong();
    pen.put(rect.x + 2, rect.y, width - 2, &format!(" {title} "), strong);
    let keys = fit(keys, room, pen.glyphs).into_owned();
    pen.put(rect.x + 2, rect.bottom() - 1, width - 2, &format!(" {keys} "), style);
    Rect::new(rect.x + 2, rect.y + 1, width.saturating_sub(4), height.saturating_sub(2))
}

/// A wrapped line with its style.
pub type Wrapped = (String, Style);

/// Rows as lines of at most `width` columns; a glyph and two spaces of indent for the marked ones.
pub fn wrap_rows(rows: &[Row], width: u16, pen: &Pen<'_>) -> Vec<Wrapped> {
    let theme = pen.theme;
    let mut lines = Vec::new();
    for row in rows {
        let (glyph, style) = match row.mark {
            Mark::Plain => (" ", theme.plain()),
            Mark::Heading => ("", theme.strong()),
            Mark::Good => (pen.glyphs.good, theme.good()),
            Mark::Warn => (pen.glyphs.warn, theme.warn()),
            Mark::Bad => (pen.glyphs.bad, theme.bad()),
            Mark::Unknown => (pen.glyphs.unknown, theme.warn()),
            Mark::Shut => (pen.glyphs.waiting, theme.quiet()),
        };
        let indent = if glyph.is_empty() { 0 } else { 2 };
        let (left, rest) = columns(&row.text);
        let hang = left.width();
        for (at, line) in wrap(rest, usize::from(width).saturating_sub(indent + hang)).into_iter().enumerate() {
            let text = match (indent, at) {
                (0, 0) => format!("{left}{line}"),
                (_, 0) => format!("{glyph} {left}{line}"),
                _ => format!("{:indent$}{:hang$}{line}", "", ""),
            };
            lines.push((text, style));
        }
    }
    lines
}

/// A text of two columns, such as a key and what it does, in its left one with the gap behind it, and the rest: what is wrapped
/// stays in its column.
fn columns(text: &str) -> (&str, &str) {
    /// No left column is wider than the keys'.
    const WIDEST: usize = 16;
    let gap = text.find("  ").filter(|gap| *gap > 0);
    let right = gap.and_then(|gap| Some(gap + text.get(gap..)?.find(|c| c != ' ')?));
    match right.filter(|right| *right <= WIDEST) {
        Some(right) => text.split_at(right),
        None => ("", text),
    }
}

/// Draws lines from `scroll` on; says when there is more. Gives how many rows it took.
pub fn draw_lines(lines: &[Wrapped], scroll: usize, area: Rect, pen: &mut Pen<'_>) -> u16 {
    let room = usize::from(area.height);
    let first = scroll.min(lines.len().saturating_sub(room));
    let shown = lines.iter().skip(first).take(room);
    let mut y = area.y;
    for (text, style) in shown {
        pen.put(area.x, y, area.width, text, *style);
        y += 1;
    }
    if lines.len() > room && room > 0 {
        let text = format!(" {}-{} of {}, PgUp/PgDn ", first + 1, first + room, lines.len());
        let quiet = pen.theme.quiet();
        pen.put_right(area.x, area.bottom(), area.width, &text, quiet);
    }
    y - area.y
}

fn draw_reading(model: &Model, reading: &Reading, area: Rect, pen: &mut Pen<'_>) {
    let width = area.width.saturating_sub(4).min(100);
    let lines = wrap_rows(&reading.rows(model), width.saturating_sub(4), pen);
    let height = (lines.len() as u16).saturating_add(3).min(area.height.saturating_sub(2));
    let scrolls = lines.len() > usize::from(height.saturating_sub(3));
    let keys = if reading.subject == Subject::Quit { "y quit   Esc stay" } else { "Esc close" };
    let keys = if scrolls { format!("{keys}   PgUp/PgDn scroll") } else { keys.to_owned() };
    let inner = frame(area, width, height, &reading.title(), &keys, pen);
    draw_lines(&lines, reading.scroll, Rect { height: inner.height.saturating_sub(1), ..inner }, pen);
}

fn draw_form(
    model: &Model,
    form: &FormDialog,
    status: &TenantStatus,
    area: Rect,
    pen: &mut Pen<'_>,
) -> Option<(u16, u16)> {
    let width = area.width.saturating_sub(4).min(96);
    let inner_width = width.saturating_sub(4);
    let lines = wrap_rows(&form.explain(status, model), inner_width, pen);
    let fields: Vec<usize> = (0..form.fields.len()).filter(|at| form.is_shown(*at)).collect();
    // Frame, a line for "more" under the text, the fields, what sets it off, and two lines for the error.
    let fixed = 2 + 1 + fields.len() as u16 + u16::from(form.confirmation.has_place()) + 2;
    let height = (lines.len() as u16).saturating_add(fixed).min(area.height);
    let ask = form.ask(status, model.now);
    let scrolls = lines.len() > usize::from(height.saturating_sub(fixed));
    let place = Place {
        confirmation: &form.confirmation,
        is_there: form.is_at_confirmation(),
        ends: form.ends_with_enter(),
        field: form.fields.get(form.focus),
        places: form.fields.len() + usize::from(form.confirmation.has_place()),
        deed: form.deed(),
        name: &status.tenant.name,
    };
    let keys = keys(&place, ask.is_ok(), scrolls);
    let inner = frame(area, width, height, &form.title(status), &keys, pen);
    let text = Rect { height: inner.height.saturating_sub(fixed - 2), ..inner };
    draw_lines(&lines, form.scroll, text, pen);
    let mut cursor = None;
    let beside = if matches!(form.purpose, Purpose::Plan { .. }) { field_in_error(form) } else { None };
    let mut y = text.bottom() + 1;
    for at in fields {
        let error = beside.as_ref().filter(|(field, _)| *field == at).map(|(_, error)| error.as_str());
        let place = draw_field(&form.fields[at], at == form.focus, error, Rect::new(inner.x, y, inner.width, 1), pen);
        if at == form.focus {
            cursor = place;
        }
        y += 1;
    }
    if form.confirmation.has_place() {
        let at = Rect::new(inner.x, y, inner.width, 1);
        let name = &status.tenant.name;
        let focus = if form.is_at_confirmation() { Some(ask.is_ok()) } else { None };
        let place = draw_confirmation(&form.confirmation, focus, form.deed(), name, at, pen);
        cursor = cursor.or(place);
        y += 1;
    }
    let shut = ask.err().map(|why| format!("shut: {why}"));
    draw_error(form.error.as_deref(), shut, Rect::new(inner.x, y, inner.width, 2), pen);
    cursor
}

/// What was wrong, else why it is shut, in two lines.
pub fn draw_error(error: Option<&str>, shut: Option<String>, at: Rect, pen: &mut Pen<'_>) {
    let (theme, glyphs) = (pen.theme, pen.glyphs);
    let told = error.map(|error| (error.to_owned(), theme.bad())).or(shut.map(|why| (why, theme.warn())));
    let Some((text, style)) = told else { return };
    for (line, text) in wrap(&text, usize::from(at.width) - 2).into_iter().take(2).enumerate() {
        let head = if line == 0 { glyphs.bad } else { " " };
        pen.put(at.x, at.y + line as u16, at.width, &format!("{head} {text}"), style);
    }
}

/// Where a form is, as far as its keys depend on it.
pub struct Place<'a> {
    /// What sets it off.
    pub confirmation: &'a Confirmation,
    /// Whether that has the keys.
    pub is_there: bool,
    /// Whether Enter here is all that is wanted.
    pub ends: bool,
    /// The field that has the keys.
    pub field: Option<&'a Field>,
    /// How many places there are.
    pub places: usize,
    /// What it does, in a word.
    pub deed: &'a str,
    /// What is typed.
    pub name: &'a str,
}

/// The keys that work now. `ready`: nothing is missing.
pub fn keys(form: &Place<'_>, ready: bool, scrolls: bool) -> String {
    let mut keys = Vec::new();
    if form.is_there {
        keys.extend(confirmation_keys(form.confirmation, form.deed, form.name, ready));
    } else if !form.ends {
        keys.push("Enter goes on".to_owned());
    } else if ready {
        keys.push(format!("Enter {}", form.deed));
    }
    if matches!(form.field, Some(Field::Choice { .. })) {
        keys.push("Left/Right choose".into());
    }
    if form.places > 1 {
        keys.push("Tab field".into());
    }
    if scrolls {
        keys.push("PgUp/PgDn scroll".into());
    }
    keys.push("Esc close".into());
    keys.join("   ")
}

/// The keys that work at the confirmation.
pub fn confirmation_keys(confirmation: &Confirmation, deed: &str, name: &str, ready: bool) -> Option<String> {
    match confirmation.ask() {
        Ask::Key(_) if !confirmation.is_reached() => Some("Enter goes on".into()),
        Ask::Key(key) => ready.then(|| format!("{key} {deed}")),
        Ask::Name => (ready && confirmation.typed() == name).then(|| format!("Enter {deed}")),
        Ask::Nothing | Ask::Enter => None,
    }
}

/// The line that says what sets it off; `focus` is whether it could be set off now, where the line has the keys. Gives the
/// cursor while the name is typed.
pub fn draw_confirmation(
    confirmation: &Confirmation,
    focus: Option<bool>,
    deed: &str,
    name: &str,
    at: Rect,
    pen: &mut Pen<'_>,
) -> Option<(u16, u16)> {
    let theme = pen.theme;
    let focused = focus.is_some();
    let style = if focused { theme.strong() } else { theme.plain() };
    let head = if focused { pen.glyphs.selected } else { " " };
    let label = match confirmation.ask() {
        Ask::Key(key) if focus == Some(true) && confirmation.is_reached() => format!("press {key} to {deed}"),
        Ask::Key(key) if focused => format!("Enter, then {key} to {deed}"),
        Ask::Key(key) => format!("then {key} to {deed}"),
        Ask::Name => format!("type {name} to {deed}: "),
        Ask::Nothing | Ask::Enter => return None,
    };
    let x = at.x + pen.flow(at.x, at.y, at.width, &[piece(head, style), piece(" ", style), piece(label, style)]);
    if confirmation.ask() != Ask::Name {
        return None;
    }
    let input = confirmation.input();
    let room = at.right().saturating_sub(x + 1);
    let scroll = input.visual_scroll(usize::from(room));
    let typed = if input.value() == name { theme.good() } else { theme.plain() };
    pen.put(x, at.y, room, &skip_columns(input.value(), scroll), typed);
    focused.then(|| (x + input.visual_cursor().saturating_sub(scroll) as u16, at.y))
}

/// A field; gives the cursor of its text where it has the keys.
pub fn draw_field(
    field: &Field,
    focused: bool,
    error: Option<&str>,
    at: Rect,
    pen: &mut Pen<'_>,
) -> Option<(u16, u16)> {
    let theme = pen.theme;
    let label = format!("{}: ", field.label());
    let style = if focused { theme.strong() } else { theme.plain() };
    let head = if focused { pen.glyphs.selected } else { " " };
    let x = at.x + pen.flow(at.x, at.y, at.width, &[piece(head, style), piece(" ", style), piece(label, style)]);
    let room = at.right().saturating_sub(x + 1);
    match field {
        Field::Choice { options, at: chosen, .. } => {
            let mut pieces = Vec::new();
            for (place, option) in options.iter().enumerate() {
                let is = Some(place) == *chosen;
                let text = if is { format!("({option}) ") } else { format!(" {option}  ") };
                pieces.push(piece(text, if is { theme.strong() } else { theme.quiet() }));
            }
            pen.flow(x, at.y, room, &pieces);
            None
        }
        Field::Text { input, hint, .. } => {
            let error_width = error.map_or(0, |error| (error.width() as u16 + 2).min(room * 2 / 3));
            let room = room - error_width;
            let scroll = input.visual_scroll(usize::from(room));
            if input.value().is_empty() {
                pen.put(x, at.y, room, &format!("({hint})"), theme.quiet());
            } else {
                pen.put(x, at.y, room, &skip_columns(input.value(), scroll), theme.plain());
            }
            if let Some(error) = error {
                pen.put_right(x + room, at.y, error_width, error, theme.bad());
            }
            focused.then(|| (x + input.visual_cursor().saturating_sub(scroll) as u16, at.y))
        }
    }
}
