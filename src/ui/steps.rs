//! The eight steps: number, glyph, state word, title, and one line of evidence or fault.

use crate::app::Model;
use crate::app::panel::Panel;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::status::{Reconcile, StepView, TenantStatus};
use crate::ui::age;
use crate::ui::pen::Pen;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws the rule and the steps into a rectangle.
pub fn draw(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let focused = model.panels.focus == Panel::Steps;
    pen.rule(area.x, area.y, area.width, "6 Steps", focused);
    rows(model, status, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, pen);
}

/// Draws the steps alone.
pub fn rows(model: &Model, status: &TenantStatus, area: Rect, pen: &mut Pen<'_>) {
    let focused = model.panels.focus == Panel::Steps;
    if status.steps.is_empty() {
        let style = pen.theme.quiet();
        for (y, info) in model.options.steps.iter().enumerate().take(usize::from(area.height)) {
            let text = format!("  {} {}", info.number, info.title);
            pen.put(area.x, area.y + y as u16, area.width, &text, style);
        }
        return;
    }
    for (y, step) in status.steps.iter().enumerate().take(usize::from(area.height)) {
        let selected = focused && y == model.panels.step;
        line(model, status, step, Rect::new(area.x, area.y + y as u16, area.width, 1), selected, pen);
    }
}

fn line(model: &Model, status: &TenantStatus, step: &StepView, at: Rect, selected: bool, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (glyph, style) = look(&step.state, pen);
    let title = if at.width >= 70 { 30 } else { 24 };
    if selected {
        pen.put(at.x, at.y, 1, pen.glyphs.selected, theme.strong());
    }
    pen.put(at.x + 2, at.y, 1, &step.number.to_string(), theme.plain());
    pen.put(at.x + 4, at.y, 1, glyph, style);
    pen.put(at.x + 6, at.y, 11, step.state.word(), style);
    pen.put(at.x + 18, at.y, title, &step.title, theme.plain());
    let x = at.x + 19 + title;
    let quiet = matches!(step.state, StepState::Done { .. } | StepState::Waiting);
    let detail = detail(model, status, step);
    pen.put(x, at.y, at.right().saturating_sub(x), &detail, if quiet { theme.quiet() } else { style });
    if selected {
        pen.highlight(at.x, at.y, at.width, theme.selected());
    }
}

/// The line beside a step: its evidence or fault, or how long it has to go.
pub fn detail(model: &Model, status: &TenantStatus, step: &StepView) -> String {
    let waits = step.number == StepNumber::RECONCILE && status.reconcile == Reconcile::Waiting;
    if let (true, Some(deadline)) = (waits && !step.state.is_done(), status.reconcile_deadline) {
        return format!("due {}", deadline_text(deadline, model));
    }
    match &step.state {
        StepState::Running { since } if step.detail.is_empty() => {
            format!("for {}", age::span(model.now.as_second() - since.as_second()))
        }
        _ => step.detail.clone(),
    }
}

fn deadline_text(deadline: jiff::Timestamp, model: &Model) -> String {
    let left = deadline.as_second() - model.now.as_second();
    if left >= 0 { format!("within {}", age::span(left)) } else { format!("LATE by {}", age::span(-left)) }
}

/// Glyph and style of a state. The word stands beside it.
pub fn look(state: &StepState, pen: &Pen<'_>) -> (&'static str, Style) {
    match state {
        StepState::Waiting => (pen.glyphs.waiting, pen.theme.quiet()),
        StepState::Running { .. } => (pen.glyphs.running, pen.theme.busy()),
        StepState::Interrupted { .. } => (pen.glyphs.warn, pen.theme.warn()),
        StepState::Done { .. } => (pen.glyphs.good, pen.theme.good()),
        StepState::Failed { .. } => (pen.glyphs.bad, pen.theme.bad()),
    }
}
