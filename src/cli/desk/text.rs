//! A subject's status as plain lines: phase, steps, gates with their reasons, panels with aligned columns, and the next command.

use crate::domain::step::StepState;
use crate::domain::typed::Typed;
use crate::engine::case::gate::Verdict;
use crate::engine::case::machine::Order;
use crate::engine::case::status::Status;
use crate::engine::case::view::{Cell, Panel, Row, Series, Shape};
use jiff::Timestamp;
use std::fmt::Write as _;

/// A column is no wider than this, but for the last and for what decides its row.
const WIDEST: usize = 28;
/// So many values of a series are printed, the newest.
const NEWEST: usize = 12;

/// The subjects, a line each.
pub fn overview(statuses: &[Status]) -> String {
    let head = ["SUBJECT", "PHASE", "HELD BY", "NEXT"].map(String::from).to_vec();
    let row = |status: &Status| {
        let holder = status.holder.as_ref().map_or_else(|| "-".to_owned(), |holder| holder.name.clone());
        vec![status.subject.clone(), status.phase.to_owned(), holder, status.next.text.clone()]
    };
    aligned("", std::iter::once(head).chain(statuses.iter().map(row)).collect())
}

/// One subject, whole.
pub fn status(status: &Status) -> String {
    let mut text = format!("{} ({})\n", status.subject, status.runbook);
    let _ = writeln!(text, "phase     {}", status.phase);
    if let Some(case) = &status.case {
        let _ = writeln!(text, "case      {case}");
    }
    if let Some(holder) = &status.holder {
        let heartbeat = holder.heartbeat.strftime("%H:%M:%S UTC");
        let _ = writeln!(text, "held by   {holder}; last sign of life {heartbeat} by their clock");
    }
    if let Some(ended) = status.ended {
        let _ = writeln!(text, "last      {ended}");
    }
    let title = status.steps.iter().map(|step| width(step.title)).max().unwrap_or(0);
    for step in &status.steps {
        let (word, detail) = (step.word(), detail(&step.state));
        let line = format!("  {} {} {word:12} {detail}", step.number, padded(step.title, title));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let verb = status.gates.keys().map(|verb| width(verb)).max().unwrap_or(0).max(8);
    for (name, gate) in &status.gates {
        let word = match gate {
            Verdict::Open => "open",
            Verdict::Shut(_) => "shut",
            Verdict::Unknown(_) => "unknown, so shut",
        };
        let _ = writeln!(text, "gate      {} {word}", padded(name, verb));
        for fact in gate.reasons() {
            let _ = writeln!(text, "            {fact}");
        }
    }
    for panel in &status.panels {
        text.push_str(&shown(panel));
    }
    for item in &status.attention {
        let _ = writeln!(text, "ATTENTION {item}");
    }
    for line in next(status) {
        let (word, rest) = line.split_once(": ").unwrap_or(("", &line));
        let _ = writeln!(text, "{word:9} {rest}");
    }
    text
}

/// The next action in words, and where it is a command, that command as it is typed; each as `word: text`.
pub fn next(status: &Status) -> Vec<String> {
    let mut lines = vec![format!("next: {}", status.next.text)];
    if let Some(order) = &status.next.order {
        lines.push(format!("run: {}", command(&status.subject, order, &status.next.asks)));
    }
    lines
}

/// An order as it is typed. What only a person can say is left in capitals.
pub fn command(subject: &str, order: &Order, asks: &[&str]) -> String {
    let name = subject.split_once('/').map_or(subject, |(_, name)| name);
    let line = Typed::of(order.word()).word(subject);
    let line = match order {
        Order::Begin { .. } if asks.contains(&"confirm") => line.option("confirm", name),
        Order::Begin { .. } | Order::Resume => line,
        Order::RollBack { .. } | Order::TakeOver { .. } | Order::Recover { .. } | Order::Cancel { .. } => {
            line.option("confirm", name).why()
        }
        Order::Resolve { step, done, .. } => {
            line.option("step", &step.to_string()).option("done", &done.to_string()).why()
        }
        Order::SetAside { fact, .. } => line.word(fact).why(),
        Order::Settle { person, .. } => line.word(person).why(),
        Order::Notify { .. } => line.option("confirm", name),
        Order::Pause { .. } => line.why(),
        Order::Note { .. } => line.text(),
    };
    line.to_string()
}

fn detail(state: &StepState) -> String {
    match state {
        StepState::Done { evidence, .. } => evidence.clone(),
        StepState::Failed { fault, .. } => fault.to_string(),
        StepState::Running { since } | StepState::Interrupted { since } => format!("since {}", moment(*since)),
        StepState::Waiting => String::new(),
    }
}

fn shown(panel: &Panel) -> String {
    let mut text = format!("{}\n", panel.title);
    let cells = |row: &Row| row.cells.iter().map(|cell| cell.text.clone()).chain(as_of(row)).collect::<Vec<_>>();
    match &panel.shape {
        Shape::Table { columns, rows } | Shape::Matrix { columns, rows } => {
            let widest = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
            // What stands before the rows of a matrix has no heading.
            let corner = usize::from(matches!(panel.shape, Shape::Matrix { .. }) && columns.len() < widest);
            let head = std::iter::repeat_n(String::new(), corner).chain(columns.iter().cloned()).collect();
            text.push_str(&aligned("  ", std::iter::once(head).chain(rows.iter().map(cells)).collect()));
        }
        Shape::Lines { lines } => {
            for line in lines {
                let _ = writeln!(text, "  {}", timed(line));
            }
        }
        Shape::Timeline { series, threshold, unit } => {
            let row = |series: &Series| {
                let from = series.values.len().saturating_sub(NEWEST);
                let values: Vec<String> = series.values[from..].iter().map(u64::to_string).collect();
                vec![series.name.clone(), values.join(" ")]
            };
            text.push_str(&aligned("  ", series.iter().map(row).collect()));
            let limit = threshold.map(|limit| format!(", at most {limit}")).unwrap_or_default();
            let _ = writeln!(text, "  ({unit}{limit})");
        }
    }
    text
}

/// When a row was seen, as its last column; and that whoever it is of does not answer now.
fn as_of(row: &Row) -> Option<String> {
    let seen = row.seen.as_ref();
    let at = seen.map_or(row.cells.first()?.at, |seen| seen.at);
    let at = at.map(|at| format!("as of {}", at.strftime("%H:%M:%S UTC")));
    match seen {
        Some(seen) if seen.fault.is_some() => Some(format!("no answer; {}", at.unwrap_or_else(|| "never seen".into()))),
        _ => at,
    }
}

fn timed(cell: &Cell) -> String {
    let at = cell.at.map(|at| format!(" (seen {})", moment(at))).unwrap_or_default();
    format!("{}{at}", cell.text)
}

/// Rows with their columns under one another, two spaces apart.
fn aligned(indent: &str, rows: Vec<Vec<String>>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).filter(|width| *width <= WIDEST).max().unwrap_or(WIDEST)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = indent.to_owned();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(&padded(cell, widths[column]));
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Never cut: what is longer moves the rest of its row.
fn padded(text: &str, to: usize) -> String {
    format!("{text:to$}")
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::case::runbook::Seen;

    #[test]
    fn a_matrix_is_a_grid_and_nothing_of_it_is_cut() {
        let row =
            |cells: &[&str]| Row { cells: cells.iter().map(|text| Cell::plain(*text)).collect(), ..Row::default() };
        let columns = ["ctl1", "a-node-with-a-very-long-name-indeed"].map(String::from).to_vec();
        let rows = vec![row(&["ctl1", "ok", "ok"]), row(&["a-node-with-a-very-long-name-indeed", "ok", "401"])];
        let panel = Panel { title: "TOKENS".into(), shape: Shape::Matrix { columns, rows } };
        assert_eq!(
            shown(&panel),
            "TOKENS\n        ctl1  a-node-with-a-very-long-name-indeed\n  ctl1  ok    ok\n  \
             a-node-with-a-very-long-name-indeed  ok    401\n"
        );
    }

    #[test]
    fn a_row_of_one_source_says_when_that_was_seen_and_that_it_is_silent_now() {
        let at: Timestamp = "2026-11-24T21:09:58Z".parse().unwrap();
        let row = |name: &str, at, fault: Option<&str>| {
            let seen = Seen { name: name.into(), at, fault: fault.map(str::to_owned) };
            Row { cells: vec![Cell::plain(name), Cell::plain("ok")], seen: Some(seen), ..Row::default() }
        };
        let rows = vec![row("a", Some(at), None), row("b", Some(at), Some("down")), row("c", None, Some("down"))];
        let panel =
            Panel { title: "KEYS".into(), shape: Shape::Matrix { columns: vec!["node".into(), "0".into()], rows } };
        let text = shown(&panel);
        for line in [
            "a     ok  as of 21:09:58 UTC",
            "b     ok  no answer; as of 21:09:58 UTC",
            "c     ok  no answer; never seen",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn an_order_is_printed_as_it_is_typed() {
        let begin =
            |stretch: &str| Order::Begin { stretch: stretch.into(), confirm: String::new(), reference: String::new() };
        let said = |order: Order, asks: &[&str]| command("keystone/prod", &order, asks);
        assert_eq!(said(begin("check"), &[]), "changeguard check keystone/prod");
        assert_eq!(said(begin("purge"), &["confirm"]), "changeguard purge keystone/prod --confirm prod");
        assert_eq!(said(Order::Resume, &[]), "changeguard resume keystone/prod");
    }
}
