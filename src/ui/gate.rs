//! The gate: open, or every reason with its name, and then what each check of step 2 found.

use crate::app::clients::standing_text;
use crate::app::panel::{GateRow, Panel, gate_lines, gate_rows, open_word};
use crate::app::{Model, space};
use crate::domain::gate::{Reason, Verdict};
use crate::domain::preflight::{Check, CheckState};
use crate::engine::status::{Phase, TenantStatus};
use crate::ui::age;
use crate::ui::pen::{Pen, Piece, piece};
use ratatui::layout::Rect;

/// Draws the panel of the tab.
pub fn draw(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let count = gate_lines(status);
    if count == 0 {
        let text = empty_text(status);
        let style = pen.theme.plain();
        pen.put(area.x + 2, area.y, area.width, text, style);
        return;
    }
    let page = space::page(count, model.panels.gate, area.height);
    for (y, at) in page.enumerate() {
        let y = area.y + y as u16;
        let pieces = line(model, status, at, pen);
        pen.flow(area.x + 2, y, area.width.saturating_sub(2), &pieces);
        if at == model.panels.gate && model.panels.focus == Panel::Gate {
            let (strong, selected) = (pen.theme.strong(), pen.theme.selected());
            pen.put(area.x, y, 1, pen.glyphs.selected, strong);
            pen.highlight(area.x, y, area.width, selected);
        }
    }
}

/// Draws rule and the first lines into a rectangle beside other panels.
pub fn draw_short(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    pen.rule(area.x, area.y, area.width, &format!("5 Gate: {}", word(model, status, pen)), false);
    let count = gate_lines(status);
    let room = usize::from(area.height.saturating_sub(1));
    if count == 0 {
        let style = pen.theme.plain();
        pen.put(area.x + 2, area.y + 1, area.width.saturating_sub(2), empty_text(status), style);
    }
    for at in 0..count.min(room) {
        let pieces = if at + 1 == room && count > room {
            vec![piece(format!("and {} more", count - at), pen.theme.quiet())]
        } else {
            line(model, status, at, pen)
        };
        pen.flow(area.x + 1, area.y + 1 + at as u16, area.width.saturating_sub(1), &pieces);
    }
}

fn empty_text(status: &TenantStatus) -> &'static str {
    match status.phase {
        Phase::Idle => "no rotation is open; p plans one",
        Phase::Planned | Phase::Announced => "the gate is open",
        _ if !status.touched => "rotate was begun; the gate is asked again before the key is touched",
        _ => "the gate was passed when rotate began",
    }
}

/// What the gate says, in the title.
fn word(model: &Model, status: &TenantStatus, pen: &Pen<'_>) -> String {
    // Begun and not touched: it is asked again, so what it says now counts.
    let phase = if status.phase == Phase::Rotating && !status.touched { Phase::Announced } else { status.phase };
    match (phase, &status.gate) {
        (Phase::Planned | Phase::Announced, Verdict::Open) if model.is_late(status) => {
            format!("{}{}", pen.glyphs.stale, open_word(status))
        }
        (Phase::Planned | Phase::Announced, Verdict::Shut(reasons)) => format!("SHUT ({})", reasons.len()),
        (Phase::Planned | Phase::Announced, Verdict::Unknown(reasons)) => format!("UNKNOWN ({})", reasons.len()),
        _ => open_word(status),
    }
}

fn line<'a>(model: &Model, status: &'a TenantStatus, at: usize, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    match gate_rows(status).nth(at) {
        None => Vec::new(),
        Some(GateRow::Reason(reason)) => {
            let unknown = matches!(status.gate, Verdict::Unknown(_)) && at == 0;
            let glyph = if unknown { pen.glyphs.unknown } else { pen.glyphs.bad };
            vec![piece(format!("{glyph} "), theme.bad()), piece(reason.to_string(), theme.plain())]
        }
        Some(GateRow::Overridden(view)) => vec![
            piece(format!("{} overridden ", pen.glyphs.warn), theme.warn()),
            piece(format!("{}: {}", view.client.name, standing_text(view)), theme.plain()),
        ],
        Some(GateRow::Run(run)) => {
            let at = run.at.strftime("%Y-%m-%d %H:%M:%S UTC");
            let text = format!("the check of {at}, {}", age::ago(run.at, model.now));
            vec![piece(text, if is_old(model, status) { theme.warn() } else { theme.quiet() })]
        }
        Some(GateRow::Check(check)) if status.overtakes(check).is_some() => {
            let at = status.preflight.as_ref().map(|run| run.at.strftime("%H:%M UTC").to_string()).unwrap_or_default();
            let what = status.overtakes(check).unwrap_or_default();
            vec![
                piece(format!("{} was ok  ", pen.glyphs.warn), theme.warn()),
                piece(format!("{}: seen since {at}: {what} ", check.name), theme.plain()),
                piece(format!("(found then: {})", check.finding), theme.quiet()),
            ]
        }
        Some(GateRow::Check(check)) => {
            let mut pieces = check_line(check, is_old(model, status), pen);
            if let Some(left) = status.lasts(check, model.now) {
                pieces.insert(2, piece(format!(", {left}"), theme.plain()));
            }
            pieces
        }
    }
}

/// What a check found before the key was changed, or so long ago that the gate does not take it, or of somebody who does not
/// answer now, is shown without colour.
fn is_old(model: &Model, status: &TenantStatus) -> bool {
    let before = matches!(status.phase, Phase::Planned | Phase::Announced);
    !before
        || model.is_late(status)
        || status.gate.reasons().iter().any(|reason| matches!(reason, Reason::CheckTooOld { .. }))
}

fn check_line<'a>(check: &'a Check, old: bool, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let (glyph, style) = match check.state {
        CheckState::Pass => (pen.glyphs.good, theme.good()),
        CheckState::Warn => (pen.glyphs.warn, theme.warn()),
        CheckState::Fail => (pen.glyphs.bad, theme.bad()),
        CheckState::Unknown => (pen.glyphs.unknown, theme.warn()),
    };
    let style = if old { theme.plain() } else { style };
    let advice = if check.advice.is_empty() { String::new() } else { format!("; {}", check.advice) };
    vec![
        piece(format!("{glyph} {:<7} ", check.state.word()), style),
        piece(format!("{}: {}", check.name, check.finding), theme.plain()),
        piece(advice, theme.warn()),
    ]
}
