//! The dialog of the lab's mishaps: the list around its cursor, and what the lab has said.

use crate::app::dialog::RehearseDialog;
use crate::ui::dialog::{frame, wrap_rows};
use crate::ui::pen::Pen;
use ratatui::layout::Rect;

/// Draws it.
pub fn draw(dialog: &RehearseDialog, area: Rect, pen: &mut Pen<'_>) {
    let width = area.width.saturating_sub(4).min(110);
    let height = (dialog.mishaps.len() as u16).saturating_add(4).min(area.height.saturating_sub(2));
    let keys = "Enter switch on or off   Up/Down, PgUp/PgDn   Esc close";
    let inner = frame(area, width, height, "Rehearse: what goes wrong in the lab", keys, pen);
    let room = usize::from(inner.height.saturating_sub(2)).max(1);
    let first = (dialog.cursor + 1).saturating_sub(room);
    for (line, row) in dialog.rows().iter().enumerate().skip(first).take(room) {
        let y = inner.y + (line - first) as u16;
        // One line each: the word and where it is on come first.
        if let Some((text, style)) = wrap_rows(std::slice::from_ref(row), inner.width, pen).into_iter().next() {
            pen.put(inner.x, y, inner.width, &text, style);
        }
        if line == dialog.cursor {
            let selected = pen.theme.selected();
            pen.highlight(inner.x, y, inner.width, selected);
        }
    }
    let (text, style) = match &dialog.said {
        Ok(said) => (format!("lab: {said}"), pen.theme.quiet()),
        Err(why) => (format!("lab: {why}"), pen.theme.bad()),
    };
    pen.put(inner.x, inner.bottom().saturating_sub(1), inner.width, &text, style);
}
