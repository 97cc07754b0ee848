//! What happened, newest first: number, moment, who, what.

use crate::app::panel::Panel;
use crate::app::{Model, space};
use crate::engine::status::TenantStatus;
use crate::ui::pen::{Pen, piece};
use ratatui::layout::Rect;

/// Draws the panel.
pub fn draw(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let count = status.journal.len();
    if count == 0 {
        pen.put(area.x + 2, area.y, area.width, "nothing has happened yet", theme.quiet());
        return;
    }
    let page = space::page(count, model.panels.journal, area.height);
    for (y, back) in page.enumerate() {
        let Some(line) = status.journal.get(count - 1 - back) else { continue };
        let y = area.y + y as u16;
        let at = line.at.strftime("%m-%d %H:%M:%SZ").to_string();
        let pieces = [
            piece(format!("{:>4} {at} ", line.seq), theme.quiet()),
            piece(line.text.as_str(), theme.plain()),
            piece(format!("  {}", line.by), theme.quiet()),
        ];
        pen.flow(area.x + 2, y, area.width.saturating_sub(2), &pieces);
        if back == model.panels.journal && model.panels.focus == Panel::Journal {
            pen.put(area.x, y, 1, pen.glyphs.selected, theme.strong());
            pen.highlight(area.x, y, area.width, theme.selected());
        }
    }
}
