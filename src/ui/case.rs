//! The page of a subject that is no tenant: head, steps, and its panels, each drawn by its shape. What they hold is the status's.

pub mod form;
pub mod panel;
pub mod row;

use crate::app::case::page::{self, Page, Tab, tabs, wrong};
use crate::app::case::{is_unseen, verbs};
use crate::app::{Model, space};
use crate::domain::moment::minute;
use crate::domain::step::StepState;
use crate::domain::tenant::TenantId;
use crate::engine::case::gate::Verdict;
use crate::engine::case::status::{Status, StepView};
use crate::engine::case::view::Panel;
use crate::ui::pen::{Pen, Piece, fit, piece, wrap};
use crate::ui::{age, footer, header, steps};
use panel::Age;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

/// Columns of the left part where there is room for two.
const LEFT: u16 = 51;

/// Draws the page.
pub fn draw(model: &Model, id: &TenantId, size: (u16, u16), pen: &mut Pen<'_>) {
    let (width, height) = size;
    header::first_line(model, id.as_str(), &[], width, pen);
    footer::draw(model, size, pen);
    let Some(status) = model.case(id) else {
        let style = pen.theme.quiet();
        pen.put(2, 2, width - 2, "looking at it for the first time", style);
        return;
    };
    sources(model, id, status, width, pen);
    facts(model, status, width, pen);
    next(status, width, pen);
    let upper = space::case_upper(size);
    let age = age_of(model, id, status);
    if space::is_wide(size) {
        // The gates have what they need, the steps the rest: it opens them.
        let gates = model.page.panel(&Tab::Gate, status).map_or(0, |gates| 1 + panel::rows(&gates, age, LEFT));
        let gates = if model.page.tab == Tab::Gate { 0 } else { gates };
        let least = (status.steps.len().max(8) as u16 + 1).min(upper - 4);
        let rows = (upper - 4).saturating_sub(gates).max(least);
        steps_of(model, status, Rect::new(0, 4, LEFT, rows), pen);
        let below = Rect::new(0, 4 + rows, LEFT, upper - 4 - rows);
        part(model, status, &Tab::Gate, age, below, pen);
        beside(model, status, age, Rect::new(LEFT + 3, 4, width - LEFT - 3, upper - 4), pen);
    } else {
        steps_of(model, status, Rect::new(0, 4, width, upper - 4), pen);
    }
    tab_bar(model, status, upper, width, pen);
    let area = Rect::new(0, upper + 1, width, height - upper - 3);
    match model.page.panel(&model.page.tab, status) {
        Some(shown) => {
            let focused = model.page.focus == model.page.tab;
            let at = model.page.row(&model.page.tab);
            panel::draw(&shown, Some(at).filter(|_| focused), at, of_tab(&model.page.tab, age), area, pen);
            let used = panel::rows(&shown, age, width) + 1;
            if space::is_wide(size) && model.page.tab != Tab::Journal && area.height > used + 3 {
                let rest = Rect { y: area.y + used, height: area.height - used, ..area };
                part(model, status, &Tab::Journal, age, rest, pen);
            }
        }
        None => pen.clear(area),
    }
}

fn age_of(model: &Model, id: &TenantId, status: &Status) -> Age {
    let bound = i64::try_from(model.bound(id).as_secs()).unwrap_or(i64::MAX);
    Age { now: model.now, bound, is_late: !model.late_of_case(id, status).is_empty() }
}

/// What comes from the journal is true whoever answers.
fn of_tab(tab: &Tab, age: Age) -> Age {
    Age { is_late: age.is_late && *tab != Tab::Journal, ..age }
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
    // What decides comes first: the end is what a narrow screen cuts.
    if let Some(holder) = &status.holder {
        pieces.push(piece(format!("   HELD by {}", holder.name), theme.warn()));
    }
    let (done, of, what) = progress(status);
    if status.phase != "idle" {
        pieces.push(piece(format!("   {done} of {of} steps {what}"), theme.plain()));
    }
    if let Some(until) = status.next.until {
        let left = age::until(until, model.now);
        pieces.push(piece(format!("   waits, {left}"), theme.busy()));
        pieces.push(piece(format!(" ({})", minute(until)), theme.quiet()));
    } else if let Some(verb) =
        status.verbs.iter().find(|verb| verb.shut.as_deref().is_some_and(|why| why.starts_with("the gate is shut")))
    {
        let word = match status.gates.get(verb.verb.as_str()) {
            Some(Verdict::Unknown(_)) => "UNKNOWN, so shut",
            _ => "SHUT",
        };
        pieces.push(piece(format!("   gate of {} {word}", verb.verb), theme.bad()));
    }
    if !status.set_aside.is_empty() {
        let aside: Vec<&str> = status.set_aside.keys().map(String::as_str).collect();
        pieces.push(piece(format!("   set aside: {}", aside.join(", ")), theme.warn()));
    }
    // Where it waits for that moment it has been said.
    if let Some(due) = status
        .due
        .as_ref()
        .filter(|due| status.phase == "idle" && status.next.until.is_none_or(|at| Some(at) != due.at))
    {
        let when = match (due.now, due.at) {
            (true, _) => "due now".to_owned(),
            (false, Some(at)) => format!("due {}", age::until(at, model.now)),
            (false, None) => "not due".to_owned(),
        };
        pieces.push(piece(format!("   {when}"), if due.now { theme.warn() } else { theme.quiet() }));
    }
    if let ("idle", Some(ended)) = (status.phase, status.ended) {
        pieces.push(piece(format!("   the last one: {ended}"), theme.quiet()));
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
        // A sentence that says it itself is enough.
        (None, Some(_)) if !status.next.text.starts_with("wait") => "(wait) ".to_owned(),
        (None, _) => String::new(),
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
    pen.rule(area.x, area.y, area.width, if focused { "[1 Steps]" } else { "1 Steps" }, focused);
    let room = usize::from(area.height.saturating_sub(1));
    if status.steps.is_empty() {
        let mut lines: Vec<String> = vec!["no case was ever opened".into()];
        lines.extend(status.due.iter().map(|due| format!("{}: {}", if due.now { "due" } else { "not due" }, due.text)));
        lines.extend(status.foreseen.iter().map(|line| format!("the next one: {line}")));
        let wrapped = lines.iter().flat_map(|line| wrap(line, usize::from(area.width) - 2));
        for (y, line) in wrapped.take(room).enumerate() {
            pen.put(area.x + 2, area.y + 1 + y as u16, area.width - 2, &line, theme.plain());
        }
        return;
    }
    let title = status.steps.iter().map(|step| step.title.len()).max().unwrap_or(0) as u16;
    let opened = opened(model, status, title, area);
    let mut y = area.y + 1;
    for (nth, (step, below)) in status.steps.iter().zip(&opened).enumerate().take(room) {
        let at = Rect::new(area.x, y, area.width, 1);
        let selected = focused && nth == model.page.row(&Tab::Steps);
        line_of(model, step, title, at, selected, below.is_empty(), pen);
        let (_, style) = steps::look(&step.state, pen);
        let style = if matches!(step.state, StepState::Done { .. }) { theme.quiet() } else { style };
        for (line, text) in below.iter().enumerate() {
            pen.put(area.x + 6, y + 1 + line as u16, area.width.saturating_sub(6), text, style);
        }
        y += 1 + below.len() as u16;
    }
}

/// The evidence of those steps that open below themselves, for it is cut beside them and there are rows to spare: what has failed first,
/// then what was done last.
fn opened(model: &Model, status: &Status, title: u16, area: Rect) -> Vec<Vec<String>> {
    let mut below = vec![Vec::new(); status.steps.len()];
    let mut spare = usize::from(area.height.saturating_sub(1)).saturating_sub(status.steps.len());
    let mut order: Vec<usize> = (0..status.steps.len()).rev().collect();
    order.sort_by_key(|at| matches!(status.steps[*at].state, StepState::Done { .. }));
    for at in order {
        let step = &status.steps[at];
        let text = page::evidence(&step.state);
        let beside = evidence_room(&took(model, step), title, area.width);
        let lines = wrap(&text, usize::from(area.width.saturating_sub(6)));
        if text.width() > usize::from(beside) && lines.len() <= spare {
            spare -= lines.len();
            below[at] = lines;
        }
    }
    below
}

fn took(model: &Model, step: &StepView) -> String {
    match (&step.state, step.took_ms) {
        (StepState::Running { since }, _) => age::span(model.now.as_second() - since.as_second()),
        // When it ended nobody has written.
        (StepState::Interrupted { since }, _) => since.strftime("from %H:%M UTC").to_string(),
        (_, Some(ms)) => took_text(ms),
        (_, None) => String::new(),
    }
}

/// Columns that what a step says has beside it.
fn evidence_room(took: &str, title: u16, width: u16) -> u16 {
    width.saturating_sub(19 + title).saturating_sub(if took.is_empty() { 0 } else { took.len() as u16 + 2 })
}

fn line_of(model: &Model, step: &StepView, title: u16, at: Rect, selected: bool, beside: bool, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let (glyph, style) = steps::look(&step.state, pen);
    if selected {
        pen.put(at.x, at.y, 1, pen.glyphs.selected, theme.strong());
    }
    pen.put(at.x + 2, at.y, 1, &step.number.to_string(), theme.plain());
    pen.put(at.x + 4, at.y, 1, glyph, style);
    pen.put(at.x + 6, at.y, 11, step.word(), style);
    pen.put(at.x + 18, at.y, title, step.title, theme.plain());
    let took = took(model, step);
    let x = at.x + 19 + title;
    pen.put_right(x, at.y, at.right().saturating_sub(x), &took, theme.quiet());
    if beside {
        let quiet = matches!(step.state, StepState::Done { .. } | StepState::Waiting);
        let text = page::evidence(&step.state);
        let room = evidence_room(&took, title, at.width);
        pen.put(x, at.y, room, &text, if quiet { theme.quiet() } else { style });
    }
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
fn beside(model: &Model, status: &Status, age: Age, area: Rect, pen: &mut Pen<'_>) {
    let mut y = area.y;
    for tab in &tabs(status) {
        if *tab == model.page.tab || !matches!(tab, Tab::Own(_)) {
            continue;
        }
        let Some(shown) = model.page.panel(tab, status) else { continue };
        let needed = 1 + panel::rows(&shown, age, area.width);
        let room = area.bottom().saturating_sub(y);
        if room < 2 {
            return;
        }
        part(model, status, tab, age, Rect::new(area.x, y, area.width, needed.min(room)), pen);
        y += needed.min(room);
    }
}

/// A panel beside others, under its heading; nothing where it is the one that the tabs show.
fn part(model: &Model, status: &Status, tab: &Tab, age: Age, area: Rect, pen: &mut Pen<'_>) {
    let Some(at) = tabs(status).iter().position(|other| other == tab) else { return };
    let shown = model.page.panel(tab, status).filter(|_| *tab != model.page.tab && area.height > 1);
    let Some(shown) = shown else { return };
    let inner = Rect { y: area.y + 1, height: area.height - 1, ..area };
    // What is not seen here stands in the panel itself.
    let more = match panel::rows(&shown, age, area.width) > inner.height {
        true => format!(", more with {}", at + 1),
        false => String::new(),
    };
    pen.rule(area.x, area.y, area.width, &format!("{} {}{more}", at + 1, label(&shown)), false);
    panel::draw(&shown, None, model.page.row(tab), of_tab(tab, age), inner, pen);
}

/// Its heading with how much of it is wrong. What stands in brackets behind it is left to where there is room.
fn label(panel: &Panel) -> String {
    let title = name_of(panel);
    match wrong(panel) {
        0 => title.to_owned(),
        count => format!("{title} ({count} wrong)"),
    }
}

fn name_of(panel: &Panel) -> &str {
    panel.title.split(" (").next().unwrap_or_default()
}

/// The panels by their digits. Where there is no room for all headings they are shortened, and the one that is shown keeps its own.
fn tab_bar(model: &Model, status: &Status, y: u16, width: u16, pen: &mut Pen<'_>) {
    let theme = pen.theme;
    let page: &Page = &model.page;
    pen.rule(0, y, width, "", false);
    let all: Vec<(usize, Tab, Panel)> = tabs(status)
        .into_iter()
        .enumerate()
        .filter(|(_, tab)| *tab != Tab::Steps)
        .filter_map(|(at, tab)| Some((at + 1, tab.clone(), page.panel(&tab, status)?)))
        .collect();
    let text = |digit: usize, tab: &Tab, panel: &Panel, level: usize| {
        let filter =
            Some(page.filter.value()).filter(|filter| *tab == Tab::Journal && !filter.is_empty() | page.typing);
        let sign = if wrong(panel) > 0 && *tab != Tab::Gate { pen.glyphs.bad } else { "" };
        let head = match level {
            _ if *tab == Tab::Gate && level < 2 => name_of(panel).to_owned(),
            0 => label(panel),
            1 => format!("{sign}{}", name_of(panel)),
            2 => format!("{sign}{}", fit(name_of(panel), 6, pen.glyphs)),
            _ => sign.to_owned(),
        };
        let text = format!("{digit} {head}");
        match filter {
            Some(filter) => format!("{text} /{filter}"),
            None => text.trim_end().to_owned(),
        }
    };
    let texts = |level: usize| -> Vec<String> {
        let level = |tab: &Tab| if *tab == page.tab { level.min(1) } else { level };
        all.iter().map(|(digit, tab, panel)| text(*digit, tab, panel, level(tab))).collect()
    };
    let fits = |level: &usize| texts(*level).iter().map(|text| text.width() + 2).sum::<usize>() < usize::from(width);
    let texts = texts((0..3).find(fits).unwrap_or(3));
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for ((_, tab, _), text) in all.iter().zip(texts) {
        let (is_shown, is_focus) = (*tab == page.tab, page.focus == *tab);
        let style = match (is_shown, is_focus) {
            (_, true) => theme.selected(),
            (true, _) => theme.strong(),
            _ => theme.quiet(),
        };
        pieces.push(piece(if is_focus { format!("[{text}]") } else { format!(" {text} ") }, style));
    }
    pen.flow(1, y, width - 1, &pieces);
}
