//! The page of a subject: its panels in order, which has the keys, and where in each the selection is. Steps, gates and journal are made
//! into panels like all others, so that one drawing per shape draws everything.

use crate::app::dialog::{Mark, Row as Line, Subject};
use crate::app::panel::Motion;
use crate::domain::moment::minute;
use crate::domain::step::StepState;
use crate::engine::case::gate::Verdict;
use crate::engine::case::machine::Order;
use crate::engine::case::status::{Status, StepView};
use crate::engine::case::view::{Cell, Panel, Row, Shape, Tone};
use jiff::Timestamp;
use std::collections::HashMap;
use tui_input::Input;

/// A panel of the page. The place in the list plus one is its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    /// The steps, above the others.
    Steps,
    /// What each gate says.
    #[default]
    Gate,
    /// What happened.
    Journal,
    /// One that the subject's status has, by its heading.
    Own(String),
}

/// Where the operator is on the page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Which panel has the keys.
    pub focus: Tab,
    /// Which is shown below the steps.
    pub tab: Tab,
    /// What the journal is narrowed by: all of its words.
    pub filter: Input,
    /// Whether keys go into it.
    pub typing: bool,
    /// Whether the operator has chosen one.
    chosen: bool,
    /// The selected row of each.
    rows: HashMap<Tab, usize>,
    last_seq: u64,
}

/// The panels of a subject, in order.
pub fn tabs(status: &Status) -> Vec<Tab> {
    let own = status.panels.iter().map(|panel| Tab::Own(panel.title.clone()));
    [Tab::Steps, Tab::Gate, Tab::Journal].into_iter().chain(own).collect()
}

/// How much of a panel is wrong: cells of a matrix, else rows.
pub fn wrong(panel: &Panel) -> usize {
    let bad = |row: &Row| row.cells.iter().filter(|cell| cell.tone == Tone::Bad).count();
    match &panel.shape {
        Shape::Table { rows, .. } => rows.iter().filter(|row| bad(row) > 0).count(),
        Shape::Matrix { rows, .. } => rows.iter().map(bad).sum(),
        Shape::Lines { lines } => lines.iter().filter(|line| line.tone == Tone::Bad).count(),
        Shape::Timeline { series, .. } => series.iter().filter(|one| one.tone == Tone::Bad).count(),
    }
}

impl Page {
    /// What a tab shows; none where the status has no such panel now.
    pub fn panel(&self, tab: &Tab, status: &Status) -> Option<Panel> {
        Some(match tab {
            Tab::Steps => steps(status),
            Tab::Gate => gate(status),
            Tab::Journal => journal(status, self.filter.value()),
            Tab::Own(title) => status.panels.iter().find(|panel| panel.title == *title)?.clone(),
        })
    }

    /// Begins to narrow the journal anew.
    pub fn begin_filter(&mut self) {
        self.go(Tab::Journal);
        self.filter.reset();
        self.typing = true;
    }

    /// The filter has another text: the newest of what passes is selected.
    pub fn filter_changed(&mut self) {
        self.rows.insert(Tab::Journal, 0);
    }

    /// Takes a status: the selection stays with what it was on.
    pub fn take(&mut self, status: &Status) {
        let all = tabs(status);
        // What tells most of a subject at rest is its first own panel.
        if !self.chosen {
            let first = all.get(3).cloned().unwrap_or_default();
            (self.tab, self.focus) = (first.clone(), first);
        }
        for tab in [&mut self.tab, &mut self.focus] {
            if !all.contains(tab) {
                *tab = Tab::Gate;
            }
        }
        let newest = status.journal.last().map_or(0, |line| line.seq);
        let at = self.rows.entry(Tab::Journal).or_default();
        if *at > 0 && newest > self.last_seq {
            *at += (newest - self.last_seq) as usize;
        }
        self.last_seq = newest;
        for tab in self.rows.keys().cloned().collect::<Vec<_>>() {
            let count = self.panel(&tab, status).map_or(0, |panel| panel.len());
            self.rows.entry(tab).and_modify(|at| *at = (*at).min(count.saturating_sub(1)));
        }
    }

    /// The selected row of a panel.
    pub fn row(&self, tab: &Tab) -> usize {
        self.rows.get(tab).copied().unwrap_or(0)
    }

    /// Goes to a panel.
    pub fn go(&mut self, tab: Tab) {
        self.chosen = true;
        if tab != Tab::Steps {
            self.tab = tab.clone();
        }
        self.focus = tab;
    }

    /// Goes to the next panel, or to the one before.
    pub fn cycle(&mut self, forward: bool, status: &Status) {
        let all = tabs(status);
        let at = all.iter().position(|tab| *tab == self.focus).unwrap_or(0);
        let next = (at + if forward { 1 } else { all.len() - 1 }) % all.len();
        self.go(all[next].clone());
    }

    /// Moves the selection of the panel that has the keys.
    pub fn step_by(&mut self, motion: Motion, status: &Status, rows: u16) {
        let count = self.panel(&self.focus, status).map_or(0, |panel| panel.len());
        let at = self.rows.entry(self.focus.clone()).or_default();
        *at = motion.apply(*at, count, rows);
    }

    /// What the row under the cursor is, in full.
    pub fn opened(&self, status: &Status) -> Option<Subject> {
        let at = self.row(&self.focus);
        if self.focus == Tab::Steps {
            return status.steps.get(at).map(step);
        }
        let panel = self.panel(&self.focus, status)?;
        let lines = match &panel.shape {
            Shape::Table { rows, .. } | Shape::Matrix { rows, .. } => {
                let row = rows.get(at)?;
                if row.opens.is_empty() {
                    row.cells.iter().map(|cell| cell.text.clone()).collect()
                } else {
                    row.opens.clone()
                }
            }
            Shape::Lines { lines } => vec![lines.get(at)?.text.clone()],
            Shape::Timeline { series, threshold, unit } => {
                let one = series.get(at)?;
                let values = one.values.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
                let limit = threshold.map(|limit| format!("; the limit is {limit}")).unwrap_or_default();
                vec![one.name.clone(), format!("{unit}, oldest first: {values}{limit}")]
            }
        };
        let rows = lines.into_iter().map(|line| Line::new(Mark::Plain, line)).collect();
        Some(Subject::Full { title: panel.title, rows })
    }

    /// Whoever the row under the cursor is of, where it is of one source.
    pub fn source(&self, status: &Status) -> Option<String> {
        let (Shape::Matrix { rows, .. } | Shape::Table { rows, .. }) = self.panel(&self.focus, status)?.shape else {
            return None;
        };
        Some(rows.into_iter().nth(self.row(&self.focus))?.seen?.name)
    }

    /// What the row under the cursor is called, where it is one of a table.
    pub fn called(&self, status: &Status) -> Option<String> {
        let (Shape::Matrix { rows, .. } | Shape::Table { rows, .. }) = self.panel(&self.focus, status)?.shape else {
            return None;
        };
        Some(rows.into_iter().nth(self.row(&self.focus))?.cells.into_iter().next()?.text)
    }

    /// The fact under the cursor, where the gate has the keys.
    pub fn fact(&self, status: &Status) -> Option<String> {
        if self.focus != Tab::Gate {
            return None;
        }
        gate_facts(status).into_iter().nth(self.row(&Tab::Gate)).flatten()
    }
}

/// A step in full: how it stands, what is known to go wrong in it, and how it is taken back.
pub fn step(view: &StepView) -> Subject {
    let mark = match view.state {
        StepState::Failed { .. } => Mark::Bad,
        StepState::Done { .. } => Mark::Good,
        StepState::Interrupted { .. } => Mark::Warn,
        _ => Mark::Plain,
    };
    let mut rows = vec![Line::new(mark, format!("{} {}", view.word(), evidence(&view.state)))];
    if let StepState::Failed { fault, .. } = &view.state {
        rows.push(Line::new(Mark::Warn, format!("advice: {}", fault.advice())));
    }
    for trouble in view.troubles {
        rows.push(Line::new(Mark::Heading, trouble.symptom));
        rows.push(Line::new(Mark::Plain, trouble.remedy));
    }
    rows.push(Line::new(Mark::Heading, "How it is taken back"));
    rows.push(Line::new(
        Mark::Plain,
        view.undo.unwrap_or("it changes nothing that could be taken back, or there is no way back behind it"),
    ));
    Subject::Full { title: format!("Step {}: {}", view.number, view.title), rows }
}

/// What a step's end or beginning says.
pub fn evidence(state: &StepState) -> String {
    match state {
        StepState::Done { evidence, .. } => evidence.clone(),
        StepState::Failed { fault, .. } => fault.to_string(),
        StepState::Running { .. } | StepState::Interrupted { .. } | StepState::Waiting => String::new(),
    }
}

fn steps(status: &Status) -> Panel {
    let row = |view: &StepView| Row { cells: vec![Cell::plain(view.title)], ..Row::default() };
    let rows = status.steps.iter().map(row).collect();
    Panel { title: "Steps".into(), shape: Shape::Table { columns: Vec::new(), rows } }
}

/// Each gate with its reasons, in the order of the verbs; those whose time is over say so.
fn gate(status: &Status) -> Panel {
    let rows = gate_rows(status).into_iter().map(|(row, _)| row).collect();
    Panel { title: "Gates".into(), shape: Shape::Table { columns: Vec::new(), rows } }
}

fn gate_facts(status: &Status) -> Vec<Option<String>> {
    gate_rows(status).into_iter().map(|(_, fact)| fact).collect()
}

fn gate_rows(status: &Status) -> Vec<(Row, Option<String>)> {
    let mut rows = Vec::new();
    // What shuts every verb alike is said once.
    let same = status.verbs.first().and_then(|verb| verb.shut.as_ref());
    let mut others = status.verbs.iter().filter(|verb| !matches!(verb.order, Order::TakeOver { .. }));
    if let Some(why) = same.filter(|why| others.all(|verb| verb.shut.as_ref() == Some(why))) {
        return vec![(Row { cells: vec![Cell::plain(why.as_str())], ..Row::default() }, None)];
    }
    for verb in &status.verbs {
        let Some(gate) = status.gates.get(verb.verb.as_str()) else { continue };
        let is_shut_by_it =
            !gate.is_open() && verb.shut.as_deref().is_some_and(|why| why.starts_with("the gate is shut"));
        let (text, tone) = match (&verb.shut, gate) {
            (None, _) => ("open".to_owned(), Tone::Good),
            // Where waiting is all, nothing is wrong.
            (Some(_), Verdict::Shut(facts)) if is_shut_by_it => (
                format!("SHUT ({})", reasons(facts.len())),
                if gate.opens().is_some() { Tone::Warn } else { Tone::Bad },
            ),
            (Some(_), Verdict::Unknown(facts)) if is_shut_by_it => {
                (format!("UNKNOWN, so shut ({})", reasons(facts.len())), Tone::Warn)
            }
            (Some(why), _) => {
                let text = why.strip_prefix(verb.verb.as_str()).map_or(why.as_str(), str::trim);
                (text.to_owned(), Tone::Faint)
            }
        };
        let opens = vec![format!("{}: {text}", verb.verb)];
        let head = Cell { decides: true, ..Cell::toned(text, tone) };
        rows.push((Row { cells: vec![Cell::plain(verb.verb.as_str()), head], opens, seen: None }, None));
        if !is_shut_by_it {
            continue;
        }
        for fact in gate.reasons() {
            let text = Cell { until: fact.until, ..Cell::plain(fact.to_string()) };
            let mut opens = vec![format!("{}: {}", fact.name, fact.text)];
            opens.extend((!fact.who.is_empty()).then(|| format!("about {}", fact.who.join(", "))));
            opens.extend(fact.until.map(|until| format!("until {}", minute(until))));
            opens.extend((!fact.remedy.is_empty()).then(|| fact.remedy.clone()));
            rows.push((Row { cells: vec![Cell::plain(""), text], opens, seen: None }, Some(fact.name.to_owned())));
        }
    }
    rows
}

fn reasons(count: usize) -> String {
    if count == 1 { "1 reason".into() } else { format!("{count} reasons") }
}

/// Newest first; of a filter all words occur.
fn journal(status: &Status, filter: &str) -> Panel {
    let words: Vec<String> = filter.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let passes = |line: &&crate::engine::case::status::Line| {
        let text = format!("{} {}", line.text, line.by).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let row = |line: &crate::engine::case::status::Line| {
        let at = line.at.strftime("%m-%d %H:%M:%S").to_string();
        let tone = if line.incident { Tone::Warn } else { Tone::Plain };
        let quiet = |text: String| Cell::toned(text, Tone::Faint);
        let head = vec![quiet(line.seq.to_string()), quiet(at), Cell::toned(line.text.clone(), tone)];
        Row {
            cells: head,
            opens: vec![format!("record {}, {}, {}", line.seq, moment(line.at), line.by), line.text.clone()],
            seen: None,
        }
    };
    let rows = status.journal.iter().rev().filter(passes).map(row).collect();
    Panel { title: "Journal".into(), shape: Shape::Table { columns: Vec::new(), rows } }
}

/// A moment as it is read.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
