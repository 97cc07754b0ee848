//! One drawing for each shape of a panel: table, lines, matrix, timeline. What is cut opens with Enter; what decides a row is not what
//! is cut.

use crate::app::space;
use crate::engine::case::view::{Cell, Panel, Row, Series, Shape, Tone};
use crate::ui::age;
use crate::ui::glyphs::Glyphs;
use crate::ui::pen::{Pen, fit, piece, wrap};
use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// A column of a table is no wider than this, but for its last.
const WIDEST: u16 = 28;

/// How old things are allowed to be.
#[derive(Clone, Copy)]
pub struct Age {
    /// Now.
    pub now: Timestamp,
    /// So many seconds after it was seen a row is late.
    pub bound: i64,
    /// What the panel says is not known to be true any more, where its rows don't say it each of themselves.
    pub is_late: bool,
}

/// How many rows a panel would fill at this width, with nothing of it cut.
pub fn rows(panel: &Panel, age: Age, width: u16) -> u16 {
    let place = Place { age, cursor: None, at: 0 };
    let filled = match &panel.shape {
        Shape::Table { columns, rows } => {
            let room = width.saturating_sub(start_of_last(columns, rows, &place));
            let lines = rows.iter().map(|row| last_of(row, columns_of(rows), &place, room).len());
            usize::from(!columns.is_empty()) + lines.sum::<usize>()
        }
        Shape::Matrix { rows, .. } => 1 + rows.len(),
        Shape::Lines { lines } => {
            lines.iter().map(|line| wrap(&place.text(line), usize::from(width.saturating_sub(2))).len()).sum()
        }
        Shape::Timeline { series, .. } => 1 + series.len(),
    };
    filled.max(1) as u16
}

/// Draws a panel. `cursor`: the selected row where it has the keys; `at`: where its page is.
pub fn draw(panel: &Panel, cursor: Option<usize>, at: usize, age: Age, area: Rect, pen: &mut Pen<'_>) {
    if panel.is_empty() {
        let style = pen.theme.quiet();
        pen.put(area.x + 2, area.y, area.width.saturating_sub(2), "nothing yet", style);
        return;
    }
    let place = Place { age, cursor, at };
    match &panel.shape {
        Shape::Table { columns, rows } => table(columns, rows, &place, area, pen),
        Shape::Matrix { columns, rows } => matrix(columns, rows, &place, area, pen),
        Shape::Lines { lines } => list(lines, &place, area, pen),
        Shape::Timeline { series, threshold, unit } => timeline(series, *threshold, unit, &place, area, pen),
    }
}

struct Place {
    age: Age,
    cursor: Option<usize>,
    at: usize,
}

impl Place {
    fn mark(&self, row: usize, y: u16, area: Rect, pen: &mut Pen<'_>) {
        if self.cursor == Some(row) {
            let (strong, selected) = (pen.theme.strong(), pen.theme.selected());
            pen.put(area.x, y, 1, pen.glyphs.selected, strong);
            pen.highlight(area.x, y, area.width, selected);
        }
    }

    fn style(&self, tone: Tone, is_late: bool, pen: &Pen<'_>) -> Style {
        match tone {
            Tone::Faint => pen.theme.quiet(),
            _ if is_late => pen.theme.plain(),
            Tone::Plain => pen.theme.plain(),
            Tone::Good => pen.theme.good(),
            Tone::Warn => pen.theme.warn(),
            Tone::Bad => pen.theme.bad(),
        }
    }

    /// The text with its countdown before it: what is left decides, and is never cut.
    fn text(&self, cell: &Cell) -> String {
        match cell.until {
            Some(until) => format!("{}: {}", age::until(until, self.age.now), cell.text),
            None => cell.text.clone(),
        }
    }

    /// Whether whoever a row is of does not answer, or has not for too long.
    fn is_late(&self, row: &Row) -> bool {
        row.seen.as_ref().map_or(self.age.is_late, |seen| {
            let is_old = |at: Timestamp| self.age.now.as_second() - at.as_second() > self.age.bound;
            seen.fault.is_some() || seen.at.is_none_or(is_old)
        })
    }

    /// When a row was seen, as it stands at its end: what is fresh does not tick.
    fn as_of(&self, row: &Row, glyphs: &Glyphs) -> Option<String> {
        let at = row.seen.as_ref().map_or(row.cells.first()?.at, |seen| seen.at);
        let span = |at: Timestamp| age::span(self.age.now.as_second() - at.as_second());
        if row.seen.is_some() && self.is_late(row) {
            return Some(format!("{}{}", glyphs.stale, at.map_or_else(|| "never".to_owned(), span)));
        }
        Some(match self.age.now.as_second() - at?.as_second() {
            ..5 => "<5 s".into(),
            5..15 => "<15 s".into(),
            15..60 => "<1 min".into(),
            _ => span(at?),
        })
    }
}

/// Which tone of a cell says it without colour.
fn sign(tone: Tone, glyphs: &Glyphs) -> &'static str {
    match tone {
        Tone::Bad => glyphs.bad,
        Tone::Warn => glyphs.warn,
        _ => "",
    }
}

fn columns_of(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.cells.len()).max().unwrap_or(0)
}

fn widths_of(columns: &[String], rows: &[Row], place: &Place) -> Vec<u16> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| place.text(cell).width());
        let head = columns.get(column).map_or(0, |head| head.width());
        (cells.chain([head]).max().unwrap_or(0) as u16).min(WIDEST)
    };
    (0..columns_of(rows)).map(width).collect()
}

/// Where the last column begins.
fn start_of_last(columns: &[String], rows: &[Row], place: &Place) -> u16 {
    let widths = widths_of(columns, rows, place);
    2 + widths.iter().rev().skip(1).map(|width| width + 2).sum::<u16>()
}

/// The lines of a row's last column.
fn last_of(row: &Row, count: usize, place: &Place, room: u16) -> Vec<String> {
    match row.cells.get(count.saturating_sub(1)) {
        Some(cell) => wrap(&place.text(cell), usize::from(room)),
        None => vec![String::new()],
    }
}

fn table(columns: &[String], rows: &[Row], place: &Place, area: Rect, pen: &mut Pen<'_>) {
    let (count, widths) = (columns_of(rows), widths_of(columns, rows, place));
    let mut top = area.y;
    if !columns.is_empty() {
        let mut x = area.x + 2;
        for (head, width) in columns.iter().zip(&widths) {
            let quiet = pen.theme.quiet();
            pen.put(x, top, (*width).min(area.right().saturating_sub(x)), head, quiet);
            x += width + 2;
        }
        top += 1;
    }
    let room = area.bottom().saturating_sub(top);
    let start = area.x + start_of_last(columns, rows, place);
    let last_room = area.right().saturating_sub(start);
    let last = |row: &Row| last_of(row, count, place, last_room);
    // Where there is room nothing is cut: the last column goes on below itself.
    let is_whole = rows.iter().map(|row| last(row).len()).sum::<usize>() <= usize::from(room);
    let mut below = 0;
    for (line, at) in space::page(rows.len(), place.at, room).enumerate() {
        let y = top + line as u16 + below;
        if is_whole {
            let texts = last(&rows[at]);
            let style = rows[at]
                .cells
                .last()
                .map_or_else(|| pen.theme.plain(), |cell| place.style(cell.tone, place.age.is_late, pen));
            for (line, text) in texts.iter().enumerate().skip(1) {
                pen.put(start, y + line as u16, last_room, text, style);
            }
            below += texts.len() as u16 - 1;
        }
        let mut x = area.x + 2;
        for (column, cell) in rows[at].cells.iter().enumerate() {
            let left = area.right().saturating_sub(x);
            let room = if column + 1 == count { left } else { widths[column].min(left) };
            let style = place.style(cell.tone, place.age.is_late, pen);
            let text = match is_whole && column + 1 == count {
                true => last(&rows[at]).swap_remove(0),
                false => place.text(cell),
            };
            pen.put(x, y, room, &text, style);
            x += widths[column] + 2;
        }
        place.mark(at, y, area, pen);
    }
}

fn list(lines: &[Cell], place: &Place, area: Rect, pen: &mut Pen<'_>) {
    let room = usize::from(area.width.saturating_sub(2));
    let whole: Vec<Vec<String>> = lines.iter().map(|line| wrap(&place.text(line), room)).collect();
    // Where there is room nothing is cut.
    if whole.iter().map(Vec::len).sum::<usize>() <= usize::from(area.height) {
        let mut y = area.y;
        for (at, texts) in whole.iter().enumerate() {
            for (line, text) in texts.iter().enumerate() {
                let style = place.style(lines[at].tone, place.age.is_late, pen);
                pen.put(area.x + 2, y, area.width.saturating_sub(2), text, style);
                if line == 0 {
                    place.mark(at, y, area, pen);
                }
                y += 1;
            }
        }
        return;
    }
    for (line, at) in space::page(lines.len(), place.at, area.height).enumerate() {
        let y = area.y + line as u16;
        let style = place.style(lines[at].tone, place.age.is_late, pen);
        pen.put(area.x + 2, y, area.width.saturating_sub(2), &place.text(&lines[at]), style);
        place.mark(at, y, area, pen);
    }
}

/// Rows by columns. Where it is too narrow for whole cells, each shows its first word; Enter shows the rest.
fn matrix(columns: &[String], rows: &[Row], place: &Place, area: Rect, pen: &mut Pen<'_>) {
    let head = |row: &Row| row.cells.first().map_or(0, |cell| cell.text.width());
    let first = rows.iter().map(head).chain(columns.first().map(|head| head.width())).max().unwrap_or(0);
    let first = (first as u16).min(area.width / 3);
    let glyphs = pen.glyphs;
    let shown = |cell: &Cell, whole: bool| {
        let text = if whole { cell.text.as_str() } else { cell.text.split(' ').next().unwrap_or_default() };
        format!("{}{text}", sign(cell.tone, glyphs))
    };
    let count = rows.iter().map(|row| row.cells.len()).chain([columns.len()]).max().unwrap_or(0);
    let widths = |whole: bool| -> Vec<u16> {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| shown(cell, whole).width());
            let head = columns.get(column).map_or(0, |head| head.width());
            cells.chain([head]).max().unwrap_or(0) as u16
        };
        (1..count).map(width).collect()
    };
    let room = area.width.saturating_sub(2 + first + 2);
    let fits = |widths: &[u16]| widths.iter().map(|width| width + 2).sum::<u16>() <= room + 2;
    let whole = fits(&widths(true));
    let widths = widths(whole);
    // The age of a row is the first to go, but for one that is late.
    let roomy = widths.iter().map(|width| width + 2).sum::<u16>() + 8 <= room;
    let start = area.x + 2 + first + 2;
    let quiet = pen.theme.quiet();
    pen.put(area.x + 2, area.y, first, columns.first().map_or("", String::as_str), quiet);
    let mut x = start;
    for (at, width) in widths.iter().enumerate() {
        let left = area.right().saturating_sub(x);
        let text = columns.get(at + 1).map_or("", String::as_str);
        pen.put(x, area.y, (*width).min(left), text, quiet);
        x += width + 2;
    }
    let height = area.height.saturating_sub(1);
    for (line, at) in space::page(rows.len(), place.at, height).enumerate() {
        let y = area.y + 1 + line as u16;
        let mut x = start;
        let is_late = place.is_late(&rows[at]);
        let as_of = place.as_of(&rows[at], glyphs).filter(|_| is_late || roomy);
        let end = area.right().saturating_sub(as_of.as_ref().map_or(0, |text| text.width() as u16 + 1));
        if let Some(text) = &as_of {
            let style = if is_late { pen.theme.bad() } else { quiet };
            pen.put_right(area.x, y, area.width, text, style);
        }
        for (column, cell) in rows[at].cells.iter().enumerate() {
            let style = place.style(cell.tone, is_late, pen);
            if column == 0 {
                let head = if is_late && rows[at].seen.is_some() { glyphs.stale } else { " " };
                pen.put(area.x + 1, y, 1, head, style);
                pen.put(area.x + 2, y, first, &cell.text, style);
                continue;
            }
            let left = end.saturating_sub(x);
            let text = shown(cell, whole);
            pen.put(x, y, widths[column - 1].min(left), &text, style);
            x += widths[column - 1] + 2;
        }
        place.mark(at, y, area, pen);
    }
}

/// A line of levels for each series, its last value and the threshold in words.
fn timeline(series: &[Series], threshold: Option<u64>, unit: &str, place: &Place, area: Rect, pen: &mut Pen<'_>) {
    let name = (series.iter().map(|one| one.name.width()).max().unwrap_or(0) as u16).min(area.width / 3);
    let limit = threshold.map(|limit| format!("stops above {limit}: ")).unwrap_or_default();
    let quiet = pen.theme.quiet();
    pen.put(area.x + 2, area.y, area.width.saturating_sub(2), &format!("{limit}{unit}"), quiet);
    let columns = usize::from(area.width.saturating_sub(2 + name + 2 + 20).clamp(4, 60));
    let most = series.iter().flat_map(|one| one.values.iter().copied()).chain(threshold).max().unwrap_or(1).max(1);
    let height = area.height.saturating_sub(1);
    for (line, at) in space::page(series.len(), place.at, height).enumerate() {
        let y = area.y + 1 + line as u16;
        let one = &series[at];
        let levels = pen.glyphs.levels;
        let level = |value: &u64| {
            let at = (u128::from(*value) * (levels.len() as u128 - 1)).div_ceil(u128::from(most)) as usize;
            levels[at.min(levels.len() - 1)]
        };
        let from = one.values.len().saturating_sub(columns);
        let plot: String = one.values[from..].iter().map(level).collect();
        let style = place.style(one.tone, place.age.is_late, pen);
        let last = one.values.last().map_or_else(|| "?".to_owned(), u64::to_string);
        let head = fit(&one.name, usize::from(name), pen.glyphs).into_owned();
        let pieces = [
            piece(format!("{head:<width$}  ", width = usize::from(name)), pen.theme.plain()),
            piece(plot, style),
            piece(format!("  {}{last}", sign(one.tone, pen.glyphs)), style),
        ];
        pen.flow(area.x + 2, y, area.width.saturating_sub(2), &pieces);
        place.mark(at, y, area, pen);
    }
}
