//! The clients of a tenant: how each stands before the rotation, and after it whether they are back and how it is known.

use crate::app::clients::{is_back, mail_word, ping_word, return_word};
use crate::app::{Model, space};
use crate::domain::freshness::Presence;
use crate::engine::sources::Source;
use crate::engine::status::{ClientView, Phase, Standing, TenantStatus};
use crate::ui::age;
use crate::ui::fleet::skip_columns;
use crate::ui::pen::{Pen, piece};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the panel; `tabs` is the line above it, where the filter is shown. Gives the cursor of the filter.
pub fn draw(model: &Model, status: &TenantStatus, area: Rect, tabs: u16, pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    let list = &model.panels.clients;
    let theme = pen.theme;
    let cursor = filter(model, area, tabs, pen);
    let after = status.back.is_some();
    let heading = if after { "BACK" } else { "STANDS" };
    let columns = columns(area.width);
    put_all(
        area,
        area.y,
        &[
            ("NAME", theme.quiet()),
            (heading, theme.quiet()),
            ("MAIL", theme.quiet()),
            ("HANDSHAKE", theme.quiet()),
            ("WHY", theme.quiet()),
        ],
        &columns,
        pen,
    );
    let rows = area.height.saturating_sub(1);
    let page = space::page(list.order.len(), list.cursor, rows);
    for (y, place) in page.enumerate() {
        let Some(view) = list.order.get(place).and_then(|at| status.clients.get(*at as usize)) else { continue };
        let y = area.y + 1 + y as u16;
        line(model, status, view, Rect::new(area.x, y, area.width, 1), &columns, pen);
        if list.marked.contains(&view.client.id) {
            pen.put(area.x + 1, y, 1, pen.glyphs.marked, theme.strong());
        }
        if place == list.cursor {
            pen.put(area.x, y, 1, pen.glyphs.selected, theme.strong());
            pen.highlight(area.x, y, area.width, theme.selected());
        }
    }
    if list.order.is_empty() {
        let text = if status.clients.is_empty() { "no clients are known" } else { "no client passes the filter" };
        pen.put(area.x + 2, area.y + 1, area.width, text, theme.quiet());
    }
    cursor
}

fn filter(model: &Model, area: Rect, y: u16, pen: &mut Pen<'_>) -> Option<(u16, u16)> {
    let list = &model.panels.clients;
    if !list.typing && list.filter.value().is_empty() {
        return None;
    }
    let room = 18.min(area.width / 4);
    let x = area.right() - room - 9;
    pen.put(x, y, 9, " filter: ", pen.theme.quiet());
    let scroll = list.filter.visual_scroll(usize::from(room));
    pen.put(x + 9, y, room, &" ".repeat(usize::from(room)), pen.theme.plain());
    pen.put(x + 9, y, room, &skip_columns(list.filter.value(), scroll), pen.theme.strong());
    let at = list.filter.visual_cursor().saturating_sub(scroll) as u16;
    list.typing.then_some((x + 9 + at, y))
}

fn columns(width: u16) -> [u16; 4] {
    if width >= 110 { [28, 16, 22, 10] } else { [18, 15, 12, 9] }
}

fn put_all(area: Rect, y: u16, cells: &[(&str, Style)], columns: &[u16; 4], pen: &mut Pen<'_>) {
    let mut x = area.x + 3;
    for (at, (text, style)) in cells.iter().enumerate() {
        let columns = columns.get(at).copied().unwrap_or(area.right().saturating_sub(x));
        pen.put(x, y, columns, text, *style);
        x += columns + 1;
    }
}

fn line(model: &Model, status: &TenantStatus, view: &ClientView, at: Rect, columns: &[u16; 4], pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (word, style) = state(model, status, view, pen);
    let mail = mail_word(view);
    let bad_mail = ["refused", "deferred", "uncertain"].iter().any(|word| mail.ends_with(word));
    let mail_style = if bad_mail { theme.bad() } else { theme.quiet() };
    let seen = view.latest_handshake.map_or("never".into(), |at| age::ago(at, status.server_now(model.now)));
    let seen = if view.activity.is_none() { "?".into() } else { seen };
    let late = model.late(status, Source::Server).is_some();
    let seen = if late { format!("{}{seen}", pen.glyphs.stale) } else { seen };
    let detail = detail(status, view);
    let cells = [
        (view.client.name.as_str(), theme.plain()),
        (&word, style),
        (&mail, mail_style),
        (&seen, theme.quiet()),
        (&detail, theme.quiet()),
    ];
    put_all(at, at.y, &cells, columns, pen);
}

fn state(model: &Model, status: &TenantStatus, view: &ClientView, pen: &Pen<'_>) -> (String, Style) {
    let theme = pen.theme;
    let late = model.late(status, Source::Server).is_some();
    let stale = if late { pen.glyphs.stale } else { "" };
    if status.phase == Phase::Idle {
        return (format!("{stale}{}", return_word(view, false)), theme.quiet());
    }
    if status.back.is_some() {
        let word = return_word(view, true);
        let (glyph, style) = match view.presence {
            _ if view.standing == Standing::Waived => (pen.glyphs.good, theme.warn()),
            _ if is_back(view) => (pen.glyphs.good, theme.good()),
            _ if view.says_not_back => (pen.glyphs.bad, theme.bad()),
            // What was seen and not recorded is as old as the last reading.
            Some(presence) if late => {
                return (format!("{} {stale}{}", pen.glyphs.unknown, presence.word()), theme.plain());
            }
            Some(Presence::Back) => (pen.glyphs.warn, theme.good()),
            Some(Presence::ProbablyBack) | None => (pen.glyphs.unknown, theme.warn()),
            Some(_) => (pen.glyphs.waiting, theme.warn()),
        };
        return (format!("{glyph} {word}"), style);
    }
    let (glyph, style) = match view.standing {
        Standing::Confirmed => (pen.glyphs.good, theme.good()),
        Standing::Waived => (pen.glyphs.good, theme.warn()),
        Standing::NotDelivered | Standing::Bounced | Standing::Declined | Standing::Tentative | Standing::OtherTime => {
            (pen.glyphs.bad, theme.bad())
        }
        Standing::Uncertain | Standing::ToRead | Standing::OldAnswer => (pen.glyphs.warn, theme.warn()),
        Standing::ToTell | Standing::Queued | Standing::Sent | Standing::Silent => (pen.glyphs.waiting, theme.plain()),
    };
    (format!("{glyph} {}", view.standing.word()), style)
}

fn detail(status: &TenantStatus, view: &ClientView) -> String {
    if status.back.is_some() {
        let ping = ping_word(view).map(|word| format!("{word}; ")).unwrap_or_default();
        return match &view.back {
            Some((source, note)) => format!("{ping}{source}: {note}"),
            None if view.standing == Standing::Waived => format!("{ping}{}", view.standing_detail),
            None => format!("{ping}{}", view.client.email.as_deref().unwrap_or_default()),
        };
    }
    if view.standing_detail.is_empty() {
        view.client.email.clone().unwrap_or_default()
    } else {
        view.standing_detail.clone()
    }
}

/// One line about a client, for other panels.
pub fn name_piece<'a>(view: &'a ClientView, pen: &Pen<'_>) -> crate::ui::pen::Piece<'a> {
    piece(view.client.name.as_str(), pen.theme.plain())
}
