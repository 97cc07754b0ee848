//! The page of a subject that is no tenant: head, steps, and its panels, each drawn by its shape. What they hold is the status's.

pub mod form;
pub mod panel;
pub mod row;

use crate::app::case::page::{self, Page, Tab, tabs, wrong};
use crate::app::case::{is_unseen, verbs};
use crate::app::{Model, space};
use crate::domain::step::StepState;
use crate::domain::tenant::TenantId;
use crate::engine::case::gate::Verdict;
use crate::engine::case::status::{Status, StepView};
use crate::ui::pen::{Pen, Piece, piece};
use crate::ui::{age, footer, header, steps};
use ratatui::layout::Rect;

/// Columns of the left part where there is room for two.
const LEFT: u16 = 51;

/// Draws the page.
pub fn draw(model: &Model, id: &TenantId, size: (u16, u16), pen: &mut Pen<'_>) {
    let (width, height) = size;
    header::first_line(model, id.as_str(), width, pen);
    footer::draw(model, size, pen);
    let Some(status) = model.case(id) else {
        let style = pen.theme.quiet();
        pen.put(2, 2, width - 2, "looking at it for the first time", style);
        return;
    };
    sources(model, id, status, width, pen);
    facts(model, status, width, pen);
    next(status, width, pen);
    let upper = space::tenant_upper(size);
    let is_late = !model.late_of_case(id, status).is_empty();
    if space::is_wide(size) {
        let rows = (status.steps.len().max(8) as u16 + 1).min(upper - 4);
        steps_of(model, status, Rect::new(0, 4, LEFT, rows), pen);
        let below = Rect::new(0, 4 + rows, LEFT, upper - 4 - rows);
        part(model, status, &Tab::Gate, is_late, below, pen);
        beside(model, status, is_late, Rect::new(LEFT + 3, 4, width - LEFT - 3, upper - 4), pen);
    } else {
        steps_of(model, status, Rect::new(0, 4, width, upper - 4), pen);
    }
    tab_bar(model, status, upper, width, pen);
    let area = Rect::new(0, upper + 1, width, height - upper - 3);
    match page::panel(&model.page.tab, status) {
        Some(shown) => {
            let focused = model.page.focus == model.page.tab;
            let at = model.page.row(&model.page.tab);
            panel::draw(&shown, Some(at).filter(|_| focused), at, model.now, is_late, area, pen);
            let used = panel::rows(&shown) + 1;
            if space::is_wide(size) && model.page.tab != Tab::Journal && area.height > used + 3 {
                let rest = Rect { y: area.y + used, height: area.height - used, ..area };
                part(model, status, &Tab::Journal, is_late, rest, pen);
            }
        }
        None => pen.clear(area),
    }
}

/// Who was looked at, and who does not answer.
fn sources(model: &Model, id: &TenantId, status: &Status, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let mut pieces = vec![piece(format!("{:<12}", "sources"), theme.quiet())];
    if is_unseen(status) {
        pieces.push(piece("nobody was looked at yet", theme.quiet()));
    }
    let late = model.late_of_case(id, status);
    // Who does not answer comes first: those who do may be cut.
    for seen in &late {
        let since = seen.at.map_or_else(|| "never".to_owned(), |at| age::span(model.now.as_second() - at.as_second()));
        pieces.push(piece(format!("{} {} {since}   ", pen.glyphs.lost, seen.name), theme.bad()));
    }
    let well: Vec<&str> = status
        .seen
        .iter()
        .filter(|seen| seen.at.is_some() && late.iter().all(|other| other.name != seen.name))
        .map(|seen| seen.name.as_str())
        .collect();
    for name in well {
        pieces.push(piece(format!("{} ", pen.glyphs.good), theme.good()));
        pieces.push(piece(format!("{name}   "), theme.plain()));
    }
    pen.flow(0, 1, width, &pieces);
}

/// How far it is, what the gate before the next verb says, who holds it, how the last one ended.
fn facts(model: &Model, status: &Status, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let style = match status.phase {
        "stopped" | "rolling back" | "cancelling" => theme.bad(),
        "idle" => theme.strong(),
        _ => theme.busy(),
    };
    let mut pieces = vec![piece(format!("{:<12}", "state"), theme.quiet()), piece(status.phase, style)];
    let (done, of, what) = progress(status);
    match (status.phase, status.ended) {
        ("idle", Some(ended)) => pieces.push(piece(format!(", the last one: {ended}"), theme.plain())),
        ("idle", None) => {}
        _ => pieces.push(piece(format!("   {done} of {of} steps {what}"), theme.plain())),
    }
    if let Some(holder) = &status.holder {
        pieces.push(piece(format!("   HELD by {holder}"), theme.warn()));
    }
    if let Some(until) = status.next.until {
        let left = age::until(until, model.now);
        pieces.push(piece(format!("   waits, {left}"), theme.busy()));
        pieces.push(piece(format!(" ({})", until.strftime("%a %d %b %H:%M UTC")), theme.quiet()));
    } else if let Some(verb) =
        status.verbs.iter().find(|verb| verb.shut.as_deref().is_some_and(|why| why.starts_with("the gate is shut")))
    {
        let count = status.gates.get(verb.verb.as_str()).map_or(0, |gate| gate.reasons().len());
        let word = match status.gates.get(verb.verb.as_str()) {
            Some(Verdict::Unknown(_)) => "UNKNOWN, so shut",
            _ => "SHUT",
        };
        let reasons = if count == 1 { "1 reason".to_owned() } else { format!("{count} reasons") };
        pieces.push(piece(format!("   gate of {} {word} ({reasons})", verb.verb), theme.bad()));
    }
    if let Some(due) = status.due.as_ref().filter(|_| status.phase == "idle") {
        let when = match (due.now, due.at) {
            (true, _) => "due now".to_owned(),
            (false, Some(at)) => format!("due {}", age::until(at, model.now)),
            (false, None) => "not due".to_owned(),
        };
        pieces.push(piece(format!("   {when}"), if due.now { theme.warn() } else { theme.quiet() }));
    }
    if !status.set_aside.is_empty() {
        let aside: Vec<&str> = status.set_aside.keys().map(String::as_str).collect();
        pieces.push(piece(format!("   set aside: {}", aside.join(", ")), theme.warn()));
    }
    pen.flow(0, 2, width, &pieces);
}

/// How many steps of how many are done, or taken back on the way back.
fn progress(status: &Status) -> (usize, usize, &'static str) {
    let back: Vec<&StepView> = status.steps.iter().filter(|step| step.takes_back).collect();
    match back.is_empty() {
        true => (status.steps.iter().filter(|step| step.state.is_done()).count(), status.steps.len(), "done"),
        false => (back.iter().filter(|step| step.state.is_done()).count(), back.len(), "taken back"),
    }
}

fn next(status: &Status, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let key = match (verbs::next_key(status), status.next.until) {
        (Some(key), _) => format!("({key}) "),
        (None, Some(_)) => "(wait) ".to_owned(),
        (None, None) => String::new(),
    };
    let pieces = [
        piece(format!("{:<12}", "next"), theme.strong()),
        piece(key, theme.busy()),
        piece(status.next.text.as_str(), theme.strong()),
    ];
    pen.flow(0, 3, width, &pieces);
}

/// The steps as they stand; while there is no case, what the next one would come to.
fn steps_of(model: &Model, status: &Status, area: Rect, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let focused = model.page.focus == Tab::Steps;
    pen.rule(area.x, area.y, area.width, "1 Steps", focused);
    let room = usize::from(area.height.saturating_sub(1));
    if status.steps.is_empty() {
        let mut lines: Vec<String> = vec!["no case was ever opened".into()];
        lines.extend(status.due.iter().map(|due| format!("{}: {}", if due.now { "due" } else { "not due" }, due.text)));
        lines.extend(status.foreseen.iter().map(|line| format!("the next one: {line}")));
        let wrapped = lines.iter().flat_map(|line| crate::ui::pen::wrap(line, usize::from(area.width) - 2));
        for (y, line) in wrapped.take(room).enumerate() {
            pen.put(area.x + 2, area.y + 1 + y as u16, area.width - 2, &line, theme.plain());
        }
        return;
    }
    let title = status.steps.iter().map(|step| step.title.len()).max().unwrap_or(0) as u16;
    for (y, step) in status.steps.iter().enumerate().take(room) {
        let at = Rect::new(area.x, area.y + 1 + y as u16, area.width, 1);
        let selected = focused && y == model.page.row(&Tab::Steps);
        line_of(model, step, title, at, selected, pen);
    }
}

fn line_of(model: &Model, step: &StepView, title: u16, at: Rect, selected: bool, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (glyph, style) = steps::look(&step.state, pen);
    if selected {
        pen.put(at.x, at.y, 1, pen.glyphs.selected, theme.strong());
    }
    pen.put(at.x + 2, at.y, 1, &step.number.to_string(), theme.plain());
    pen.put(at.x + 4, at.y, 1, glyph, style);
    pen.put(at.x + 6, at.y, 11, step.word(), style);
    pen.put(at.x + 18, at.y, title, step.title, theme.plain());
    let took = match (&step.state, step.took_ms) {
        (StepState::Running { since }, _) => age::span(model.now.as_second() - since.as_second()),
        // When it ended nobody has written.
        (StepState::Interrupted { since }, _) => since.strftime("from %H:%M UTC").to_string(),
        (_, Some(ms)) => took_text(ms),
        (_, None) => String::new(),
    };
    let x = at.x + 19 + title;
    let room = at.right().saturating_sub(x);
    pen.put_right(x, at.y, room, &took, theme.quiet());
    let quiet = matches!(step.state, StepState::Done { .. } | StepState::Waiting);
    let text = page::evidence(&step.state);
    let text_room = room.saturating_sub(if took.is_empty() { 0 } else { took.len() as u16 + 2 });
    pen.put(x, at.y, text_room, &text, if quiet { theme.quiet() } else { style });
    if selected {
        pen.highlight(at.x, at.y, at.width, theme.selected());
    }
}

/// `0.4 s`, `82 s`, `5 min`.
fn took_text(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => age::span(i64::try_from(ms / 1000).unwrap_or(i64::MAX)),
    }
}

/// The panels that are not below, as many as have room.
fn beside(model: &Model, status: &Status, is_late: bool, area: Rect, pen: &mut Pen<'_>) {
    let mut y = area.y;
    for tab in &tabs(status) {
        if *tab == model.page.tab || !matches!(tab, Tab::Own(_)) {
            continue;
        }
        let Some(shown) = page::panel(tab, status) else { continue };
        let needed = 1 + panel::rows(&shown);
        let room = area.bottom().saturating_sub(y);
        if room < 3 {
            return;
        }
        part(model, status, tab, is_late, Rect::new(area.x, y, area.width, needed.min(room)), pen);
        y += needed.min(room);
    }
}

/// A panel beside others, under its heading; nothing where it is the one that the tabs show.
fn part(model: &Model, status: &Status, tab: &Tab, is_late: bool, area: Rect, pen: &mut Pen<'_>) {
    let Some(at) = tabs(status).iter().position(|other| other == tab) else { return };
    let Some(shown) = page::panel(tab, status).filter(|_| *tab != model.page.tab && area.height > 1) else { return };
    pen.rule(area.x, area.y, area.width, &format!("{} {}", at + 1, label(&shown)), false);
    let inner = Rect { y: area.y + 1, height: area.height - 1, ..area };
    panel::draw(&shown, None, model.page.row(tab), model.now, is_late, inner, pen);
}

/// Its heading with how many of its rows are wrong. What stands in brackets behind it is left to where there is room.
fn label(panel: &crate::engine::case::view::Panel) -> String {
    let title = panel.title.split(" (").next().unwrap_or_default();
    match wrong(panel) {
        0 => title.to_owned(),
        count => format!("{title} ({count} wrong)"),
    }
}

fn tab_bar(model: &Model, status: &Status, y: u16, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let page: &Page = &model.page;
    pen.rule(0, y, width, "", false);
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for (at, tab) in tabs(status).iter().enumerate().filter(|(_, tab)| **tab != Tab::Steps) {
        let Some(shown) = page::panel(tab, status) else { continue };
        let text = format!("{} {}", at + 1, if *tab == Tab::Gate { shown.title.clone() } else { label(&shown) });
        let is_shown = *tab == page.tab;
        let style = if is_shown && page.focus == *tab {
            theme.selected()
        } else if is_shown {
            theme.strong()
        } else {
            theme.quiet()
        };
        pieces.push(piece(if is_shown { format!("[{text}]") } else { format!(" {text} ") }, style));
    }
    pen.flow(1, y, width - 1, &pieces);
}
