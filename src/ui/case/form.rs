//! The form of a verb of a subject that is no tenant: what will happen, the fields, and what sets it off.

use crate::app::Model;
use crate::app::case::CaseForm;
use crate::app::field::Field;
use crate::engine::case::status::Status;
use crate::ui::dialog::{confirmation_keys, draw_confirmation, draw_field, draw_lines, frame, wrap_rows};
use crate::ui::pen::{Pen, wrap};
use ratatui::layout::Rect;

/// Draws it; gives the cursor of its field.
pub fn draw(form: &CaseForm, status: &Status, model: &Model, area: Rect, pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    let width = area.width.saturating_sub(4).min(96);
    let lines = wrap_rows(&form.explain(status), width.saturating_sub(4), pen);
    let has_place = form.confirmation.has_place();
    let fixed = 2 + 1 + form.fields.len() as u16 + u16::from(has_place) + 2;
    let height = (lines.len() as u16).saturating_add(fixed).min(area.height);
    let ask = match crate::app::case::verbs::shut(model, &form.subject, &form.offer) {
        Some(why) if model.jobs.contains_key(&form.subject) => Err(why),
        _ => form.ask(status).map(|_| ()),
    };
    let scrolls = lines.len() > usize::from(height.saturating_sub(fixed));
    let deed = form.deed();
    let inner = frame(area, width, height, &form.title(), &keys(form, &deed, ask.is_ok(), scrolls), pen);
    let text = Rect { height: inner.height.saturating_sub(fixed - 2), ..inner };
    draw_lines(&lines, form.scroll, text, pen);
    let mut cursor = None;
    let mut y = text.bottom() + 1;
    for (at, field) in form.fields.iter().enumerate() {
        let place = draw_field(field, at == form.focus, None, Rect::new(inner.x, y, inner.width, 1), pen);
        if at == form.focus {
            cursor = place;
        }
        y += 1;
    }
    if has_place {
        let focus = if form.is_at_confirmation() { Some(ask.is_ok()) } else { None };
        let at = Rect::new(inner.x, y, inner.width, 1);
        let place = draw_confirmation(&form.confirmation, focus, &deed, &form.name, at, pen);
        cursor = cursor.or(place);
        y += 1;
    }
    let (theme, glyphs) = (pen.theme, pen.glyphs);
    let error = match (&form.error, ask) {
        (Some(error), _) => Some((error.clone(), theme.bad())),
        (None, Err(why)) => Some((format!("shut: {why}"), theme.warn())),
        (None, Ok(())) => None,
    };
    if let Some((error, style)) = error {
        for (line, text) in wrap(&error, usize::from(inner.width) - 2).into_iter().take(2).enumerate() {
            let head = if line == 0 { glyphs.bad } else { " " };
            pen.put(inner.x, y + line as u16, inner.width, &format!("{head} {text}"), style);
        }
    }
    cursor
}

/// The keys that work now.
fn keys(form: &CaseForm, deed: &str, ready: bool, scrolls: bool) -> String {
    let mut keys = Vec::new();
    if form.is_at_confirmation() {
        keys.extend(confirmation_keys(&form.confirmation, deed, &form.name, ready));
    } else if !form.ends_with_enter() {
        keys.push("Enter goes on".to_owned());
    } else if ready {
        keys.push(format!("Enter {deed}"));
    }
    if matches!(form.fields.get(form.focus), Some(Field::Choice { .. })) {
        keys.push("Left/Right choose".into());
    }
    if form.fields.len() + usize::from(form.confirmation.has_place()) > 1 {
        keys.push("Tab field".into());
    }
    if scrolls {
        keys.push("PgUp/PgDn scroll".into());
    }
    keys.push("Esc close".into());
    keys.join("   ")
}
