//! The screen of one tenant: where each panel is at this size, and the tabs.

use crate::app::panel::{Panel, gate_reasons, is_overridden};
use crate::app::{Model, space};
use crate::domain::tenant::TenantId;
use crate::engine::status::TenantStatus;
use crate::ui::pen::{Pen, piece};
use crate::ui::{clients, footer, gate, head, header, journal, keys, peers, steps};
use ratatui::layout::Rect;

/// Rows of the steps, with their rule.
const STEPS: u16 = 9;

/// Draws the screen; gives the cursor of a text field.
pub fn draw(model: &Model, id: &TenantId, size: (u16, u16), pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    let (width, height) = size;
    let status = model.tenants.get(id);
    let name = status.map_or(id.as_str(), |status| status.tenant.name.as_str());
    let title = if width >= 110 { format!("{name} ({id})") } else { name.to_owned() };
    let state = status.map(|status| header::state(model, status, pen)).unwrap_or_default();
    header::first_line(model, &title, &state, width, pen);
    footer::draw(model, size, pen);
    let Some(status) = status else {
        let style = pen.theme.quiet();
        pen.put(2, 2, width - 2, "looking at this tenant for the first time", style);
        return None;
    };
    head::draw(model, status, size, pen);
    let (head, upper) = (space::head(size), space::tenant_upper(size));
    let wide = space::is_wide(size);
    if wide {
        let half = width * 3 / 5;
        steps::draw(model, status, Rect::new(0, head, half - 1, STEPS), pen);
        let below = Rect::new(0, head + STEPS, half - 1, upper - head - STEPS);
        keys::draw_short(model, status, below, pen);
        let right = Rect::new(half, head, width - half, upper - head);
        gate::draw_short(model, status, right, pen);
    }
    tabs(model, status, upper, (width, wide), pen);
    let panel = Rect::new(0, upper + 1, width, height - upper - 3);
    if !wide && model.panels.focus == Panel::Steps {
        steps::rows(model, status, panel, pen);
        return None;
    }
    match model.panels.tab {
        Panel::Clients | Panel::Steps => return clients::draw(model, status, panel, upper, pen),
        Panel::Keys => keys::draw(model, status, panel, pen),
        Panel::Peers => peers::draw(model, status, panel, pen),
        Panel::Journal => journal::draw(model, status, panel, pen),
        Panel::Gate => gate::draw(model, status, panel, pen),
    }
    None
}

fn tabs(model: &Model, status: &TenantStatus, y: u16, (width, wide): (u16, bool), pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let marked = model.panels.clients.marked.len();
    pen.rule(0, y, width, "", false);
    let mut pieces = Vec::new();
    // Side by side the steps have a place of their own.
    let strip = !wide && model.panels.focus == Panel::Steps;
    for (at, panel) in Panel::ALL.iter().enumerate().take(if wide { 5 } else { 6 }) {
        let count = match panel {
            Panel::Clients if marked > 0 => format!(" {} ({marked} marked)", status.clients.len()),
            Panel::Clients if status.people_seen.is_none() => " ?".into(),
            Panel::Clients => format!(" {}", status.clients.len()),
            Panel::Gate if is_overridden(status) => " OVERRIDDEN".into(),
            Panel::Gate if !gate_reasons(status).is_empty() => format!(" SHUT {}", gate_reasons(status).len()),
            _ => String::new(),
        };
        let text = format!("{} {}{count}", at + 1, panel.title());
        let shown = if strip { *panel == Panel::Steps } else { *panel == model.panels.tab };
        let focused = shown && *panel == model.panels.focus;
        let style = if focused {
            theme.selected()
        } else if shown {
            theme.strong()
        } else {
            theme.quiet()
        };
        pieces.push(piece(if shown { format!("[{text}]") } else { format!(" {text} ") }, style));
    }
    pen.flow(1, y, width - 1, &pieces);
}
