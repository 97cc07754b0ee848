//! What the server said of each peer in its last reading: liveliness, handshake, endpoint, bytes.

use crate::app::panel::Panel;
use crate::app::{Model, space};
use crate::domain::freshness::Activity;
use crate::engine::sources::Source;
use crate::engine::status::{ClientView, TenantStatus};
use crate::ui::age;
use crate::ui::pen::Pen;
use ratatui::layout::Rect;

const COLUMNS: [u16; 6] = [17, 8, 8, 10, 21, 12];

/// Draws the panel.
pub fn draw(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let quiet = pen.theme.quiet();
    put_all(area, area.y, ["NAME", "PEER", "IS", "HANDSHAKE", "ENDPOINT", "RX/TX"], quiet, pen);
    let rows = area.height.saturating_sub(1);
    let page = space::page(status.clients.len(), model.panels.peer, rows);
    for (y, at) in page.enumerate() {
        let Some(view) = status.clients.get(at) else { continue };
        let y = area.y + 1 + y as u16;
        line(model, status, view, area, y, pen);
        if at == model.panels.peer && model.panels.focus == Panel::Peers {
            let (strong, selected) = (pen.theme.strong(), pen.theme.selected());
            pen.put(area.x, y, 1, pen.glyphs.selected, strong);
            pen.highlight(area.x, y, area.width, selected);
        }
    }
}

fn line(model: &Model, status: &TenantStatus, view: &ClientView, area: Rect, y: u16, pen: &mut Pen<'_>) {
    let late = model.late(status, Source::Server).is_some();
    let key = view.client.public_key.map_or("no key".into(), |key| key.short());
    let word = view.activity.map_or("not seen", |activity| activity.word());
    let seen = view.latest_handshake.map_or("never".into(), |at| age::ago(at, status.server_now(model.now)));
    let seen = if view.activity.is_none() { "?".into() } else { seen };
    let endpoint = view.endpoint.as_deref().unwrap_or("-");
    let transfer = view.transfer.map_or("-".into(), |(rx, tx)| format!("{}/{}", bytes(rx), bytes(tx)));
    let live = view.activity == Some(Activity::Active);
    let stale = format!("{}{word}", pen.glyphs.stale);
    let word = if late { stale.as_str() } else { word };
    let style = if live && !late { pen.theme.good() } else { pen.theme.plain() };
    put_all(area, y, [&view.client.name, &key, word, &seen, endpoint, &transfer], style, pen);
}

fn put_all(area: Rect, y: u16, cells: [&str; 6], style: ratatui::style::Style, pen: &mut Pen<'_>) {
    let mut x = area.x + 2;
    let spare = area.width.saturating_sub(90) / 2;
    for (at, text) in cells.into_iter().enumerate() {
        let columns = COLUMNS[at] + if at == 0 || at == 4 { spare } else { 0 };
        let columns = columns.min(area.right().saturating_sub(x));
        pen.put(x, y, columns, text, style);
        x += columns + 1;
    }
}

fn bytes(count: u64) -> String {
    match count {
        n if n < 10_000 => format!("{n}B"),
        n if n < 10_000_000 => format!("{}k", n / 1000),
        n if n < 10_000_000_000 => format!("{}M", n / 1_000_000),
        n => format!("{}G", n / 1_000_000_000),
    }
}
