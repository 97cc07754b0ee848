//! The gate: open, or every reason with its name, and then what each check of step 2 found.

use crate::app::panel::{Panel, gate_lines};
use crate::app::{Model, space};
use crate::domain::gate::Verdict;
use crate::domain::preflight::{Check, CheckState};
use crate::engine::status::{Phase, TenantStatus};
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
        let pieces = line(status, at, pen);
        pen.flow(area.x + 2, y, area.width.saturating_sub(2), &pieces);
        if at == model.panels.gate && model.panels.focus == Panel::Gate {
            let (strong, selected) = (pen.theme.strong(), pen.theme.selected());
            pen.put(area.x, y, 1, pen.glyphs.selected, strong);
            pen.highlight(area.x, y, area.width, selected);
        }
    }
}

/// Draws rule and the first lines into a rectangle beside other panels.
pub fn draw_short(status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let word = match &status.gate {
        Verdict::Open => "open".to_owned(),
        Verdict::Shut(reasons) => format!("SHUT ({})", reasons.len()),
        Verdict::Unknown(reasons) => format!("UNKNOWN ({})", reasons.len()),
    };
    let word = if status.phase == Phase::Idle { "no rotation".to_owned() } else { word };
    pen.rule(area.x, area.y, area.width, &format!("5 Gate: {word}"), false);
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
            line(status, at, pen)
        };
        pen.flow(area.x + 1, area.y + 1 + at as u16, area.width.saturating_sub(1), &pieces);
    }
}

fn empty_text(status: &TenantStatus) -> &'static str {
    if status.phase == Phase::Idle { "no rotation is open; p plans one" } else { "the gate is open" }
}

fn line<'a>(status: &'a TenantStatus, at: usize, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let reasons = status.gate.reasons();
    if let Some(reason) = reasons.get(at) {
        let unknown = matches!(status.gate, Verdict::Unknown(_)) && at == 0;
        let glyph = if unknown { pen.glyphs.unknown } else { pen.glyphs.bad };
        return vec![piece(format!("{glyph} "), pen.theme.bad()), piece(reason.to_string(), pen.theme.plain())];
    }
    let check = status.preflight.as_ref().and_then(|run| run.checks.get(at - reasons.len()));
    check.map(|check| check_line(check, pen)).unwrap_or_default()
}

fn check_line<'a>(check: &'a Check, pen: &Pen<'_>) -> Vec<Piece<'a>> {
    let theme = pen.theme;
    let (glyph, style) = match check.state {
        CheckState::Pass => (pen.glyphs.good, theme.good()),
        CheckState::Warn => (pen.glyphs.warn, theme.warn()),
        CheckState::Fail => (pen.glyphs.bad, theme.bad()),
        CheckState::Unknown => (pen.glyphs.unknown, theme.warn()),
    };
    let advice = if check.advice.is_empty() { String::new() } else { format!("; {}", check.advice) };
    vec![
        piece(format!("{glyph} {:<7} ", check.state.word()), style),
        piece(format!("{}: {}", check.name, check.finding), theme.plain()),
        piece(advice, theme.warn()),
    ]
}
