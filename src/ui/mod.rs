//! The screen: [`view`] draws a model and changes nothing. Which rows, which words, which glyphs; never what is true.

pub mod age;
pub mod case;
pub mod clients;
pub mod dialog;
pub mod fleet;
pub mod footer;
pub mod gate;
pub mod glyphs;
pub mod head;
pub mod header;
pub mod journal;
pub mod keys;
pub mod notify;
pub mod peers;
pub mod pen;
mod plot;
pub mod rehearse;
pub mod steps;
pub mod tenant;
pub mod theme;

use crate::app::{Model, Screen, space};
use pen::Pen;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};

/// Draws the whole screen. Costs what its cells cost, however many tenants and clients there are.
pub fn view(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let mut pen = Pen {
        buffer: frame.buffer_mut(),
        glyphs: glyphs::glyphs(model.options.charset),
        theme: theme::Theme { palette: model.options.palette },
    };
    if space::is_too_small((area.width, area.height)) {
        too_small(model, area, &mut pen);
        return;
    }
    let size = (area.width, area.height);
    let mut cursor = match &model.screen {
        Screen::Fleet => fleet::draw(model, size, &mut pen).cursor,
        Screen::Tenant(id) => tenant::draw(model, id, size, &mut pen),
        Screen::Subject(id) => {
            case::draw(model, id, size, &mut pen);
            None
        }
    };
    if let Some(dialog) = &model.dialog {
        cursor = dialog::draw(model, dialog, area, &mut pen);
    }
    if let Some((x, y)) = cursor {
        frame.set_cursor_position(Position::new(x.min(area.right() - 1), y.min(area.bottom() - 1)));
    }
}

/// Says what is needed, and what must be known even so.
fn too_small(model: &Model, area: Rect, pen: &mut Pen<'_>) {
    let (width, height) = space::NEEDED;
    let mut lines = vec![
        format!("terminal too small: needs {width}x{height}"),
        match model.asks_to_quit() {
            true => "q again quits: what runs stops safely".to_owned(),
            false => format!("is {}x{}; q quits", area.width, area.height),
        },
    ];
    if let Some(alarm) = &model.alarm {
        lines.push(alarm.clone());
    }
    for (id, job) in model.jobs.iter().take(3) {
        lines.push(format!("{} is running for {id}", job.what));
    }
    if let Some(status) = model.status() {
        lines.push(format!("{}: {}", status.tenant.name, status.phase.word()));
        lines.push(format!("next: {}", status.next.text));
    }
    if let Some(status) = model.shown().and_then(|id| model.case(id)) {
        lines.push(format!("{}: {}", status.subject, status.phase));
        lines.push(format!("next: {}", status.next.text));
    }
    let style = pen.theme.plain();
    for (y, line) in lines.iter().enumerate().take(usize::from(area.height)) {
        pen.put(area.x, area.y + y as u16, area.width, line, style);
    }
}
