//! The keys as every place shows them, with the age of each look and the fault of the last one; and their verdict.

use crate::app::Model;
use crate::app::panel::Panel;
use crate::domain::key::KeyRole;
use crate::domain::key::PublicKey;
use crate::engine::gap;
use crate::engine::sources::Source;
use crate::engine::status::{KeySight, TenantStatus};
use crate::ui::age;
use crate::ui::header::{key_age, server_piece};
use crate::ui::pen::{Pen, piece};
use ratatui::layout::Rect;

/// Whose word each row is.
const SOURCES: [Source; 4] = [Source::Barbican, Source::Swift, Source::Server, Source::Script];

/// Draws the panel of the tab.
pub fn draw(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let below = places(model, status, area, model.panels.focus == Panel::Keys, pen);
    let verdict = [
        piece("server ", theme.quiet()),
        server_piece(model, status, pen),
        piece(format!("   {}", key_age(status, model.now)), theme.plain()),
        piece(
            status
                .gap_us
                .filter(|_| status.overlap_us.is_none())
                .map_or(String::new(), |gap| format!("   gap {}", gap::length(gap))),
            theme.plain(),
        ),
        piece(status.long_gap().map_or("", |_| " ABOVE NORMAL"), theme.warn()),
    ];
    let mut more = vec![verdict.to_vec()];
    if let Some(count @ (0 | 2..)) = status.keys.secret_count {
        more.push(vec![piece(format!("{} {count} secrets have the tenant's name", pen.glyphs.warn), theme.bad())]);
    }
    more.extend(status.differences.iter().map(|text| vec![piece(format!("{} {text}", pen.glyphs.warn), theme.warn())]));
    for (y, pieces) in (below..area.bottom()).zip(&more) {
        pen.flow(area.x + 2, y, area.width.saturating_sub(2), pieces);
    }
}

/// Draws rule and keys into a small rectangle beside other panels.
pub fn draw_short(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    pen.rule(area.x, area.y, area.width, "2 Keys", false);
    let inner = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
    places(model, status, inner, false, pen);
}

fn places(model: &Model, status: &TenantStatus, area: Rect, focused: bool, pen: &mut Pen<'_>) -> u16 {
    let theme = pen.theme;
    let keys = &status.keys;
    let mut sights: Vec<(&str, &KeySight)> =
        vec![("Barbican secret", &keys.secret), ("Swift object", &keys.object), ("interface", &keys.interface)];
    let none = KeySight::default();
    sights.push(("console script", keys.console.as_ref().unwrap_or(&none)));
    let mut y = area.y;
    for (at, (place, sight)) in sights.iter().enumerate() {
        if y >= area.bottom() {
            return y;
        }
        let absent = at == 3 && keys.console.is_none();
        pen.put(area.x + 2, y, 16, place, theme.quiet());
        let x = area.x + 19;
        let width = area.right().saturating_sub(x);
        if absent {
            pen.put(x, y, width, "not configured", theme.quiet());
        } else {
            let full = area.width >= 110 || focused && at == model.panels.key;
            let show = |key: &PublicKey| if full { key.to_string() } else { key.short() };
            let key = match at {
                0 => keys.secret_words(show),
                _ => sight.key.as_ref().map(show),
            };
            let key = key.unwrap_or_else(|| "?".into());
            let same = sight.key.is_some() && sight.key == keys.secret.key;
            let late = SOURCES.get(at).is_some_and(|source| model.late(status, *source).is_some());
            let style = match (late, same) {
                (true, _) => theme.plain(),
                (false, true) => theme.good(),
                (false, false) => theme.bad(),
            };
            let key = if late { format!("{}{key}", pen.glyphs.stale) } else { key };
            let role = role(sight, status);
            let seen = sight.at.map_or("never seen".into(), |at| format!("seen {}", age::ago(at, model.now)));
            let mut pieces = vec![piece(key, style), piece(role, theme.plain())];
            match &sight.fault {
                // A stale value says how old it is and why no later one came.
                Some(fault) => pieces.push(piece(format!("  STALE, {seen}: {fault}"), theme.warn())),
                None if late => pieces.push(piece(format!("  STALE, {seen}"), theme.warn())),
                None => pieces.push(piece(format!("  {seen}"), theme.quiet())),
            }
            pen.flow(x, y, width, &pieces);
        }
        mark(model, at, y, area, focused, pen);
        y += 1;
    }
    let kept = [("staged key", keys.staged, KeyRole::Staged), ("previous key", keys.previous, KeyRole::Previous)];
    for (at, (word, key, role)) in kept.into_iter().enumerate() {
        if y >= area.bottom() {
            return y;
        }
        pen.put(area.x + 2, y, 16, word, theme.quiet());
        let shown = |key: PublicKey| if area.width >= 64 { key.to_string() } else { key.short() };
        let text = key.map_or("none".into(), |key| format!("{}{}", shown(key), keys.kept_no_more(role)));
        pen.put(area.x + 19, y, area.width.saturating_sub(19), &text, theme.plain());
        mark(model, 4 + at, y, area, focused, pen);
        y += 1;
    }
    y
}

fn role(sight: &KeySight, status: &TenantStatus) -> &'static str {
    match sight.key {
        _ if !status.keys.destroyed.is_empty() => "",
        Some(key) if Some(key) == status.keys.staged => " (staged)",
        Some(key) if Some(key) == status.keys.previous => " (previous)",
        _ => "",
    }
}

fn mark(model: &Model, at: usize, y: u16, area: Rect, focused: bool, pen: &mut Pen<'_>) {
    if focused && at == model.panels.key {
        let (strong, selected) = (pen.theme.strong(), pen.theme.selected());
        pen.put(area.x, y, 1, pen.glyphs.selected, strong);
        pen.highlight(area.x, y, area.width, selected);
    }
}
