//! The form of a verb of a subject that is no tenant: what will happen, the fields, and what sets it off.

use crate::app::Model;
use crate::app::case::CaseForm;
use crate::engine::case::status::Status;
use crate::ui::dialog::{Place, draw_confirmation, draw_error, draw_field, draw_lines, frame, keys, wrap_rows};
use crate::ui::pen::Pen;
use ratatui::layout::Rect;

/// Draws it; gives the cursor of its field.
pub fn draw(form: &CaseForm, status: &Status, model: &Model, area: Rect, pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    let width = area.width.saturating_sub(4).min(96);
    let lines = wrap_rows(&form.explain(status), width.saturating_sub(4), pen);
    let has_place = form.confirmation.has_place();
    let fixed = 2 + 1 + form.fields.len() as u16 + u16::from(has_place) + 2;
    let height = (lines.len() as u16).saturating_add(fixed).min(area.height);
    let busy = crate::app::case::verbs::shut(model, &form.subject, &form.offer);
    let shut = busy.filter(|_| model.jobs.contains_key(&form.subject)).or_else(|| form.shut(status));
    let ready = shut.is_none() && form.ask(status).is_ok();
    let scrolls = lines.len() > usize::from(height.saturating_sub(fixed));
    let (deed, field) = (form.deed(), form.field_at_focus());
    let place = Place {
        confirmation: &form.confirmation,
        is_there: form.is_at_confirmation(),
        ends: form.ends_with_enter(),
        field: field.and_then(|at| form.fields.get(at)),
        places: form.fields.len() + usize::from(has_place),
        deed: &deed,
        name: form.wanted(),
    };
    let inner = frame(area, width, height, &form.title(), &keys(&place, ready, scrolls), pen);
    let text = Rect { height: inner.height.saturating_sub(fixed - 2), ..inner };
    draw_lines(&lines, form.scroll, text, pen);
    let mut cursor = None;
    let mut row = Rect::new(inner.x, text.bottom() + 1, inner.width, 1);
    for at in 0..=form.fields.len() {
        if has_place && at == form.confirmation_at() {
            let focus = if form.is_at_confirmation() { Some(ready) } else { None };
            cursor = cursor.or(draw_confirmation(&form.confirmation, focus, &deed, form.wanted(), row, pen));
            row.y += 1;
        }
        if let Some(shown) = form.fields.get(at) {
            cursor = cursor.or(draw_field(shown, field == Some(at), None, row, pen));
            row.y += 1;
        }
    }
    draw_error(form.error.as_deref(), shut.map(|why| format!("shut: {why}")), Rect { height: 2, ..row }, pen);
    cursor
}
