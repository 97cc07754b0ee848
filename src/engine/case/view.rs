//! What a runbook's screen shows, as values in four shapes; how they are drawn is the screen's, which knows no runbook.

use super::runbook::Seen;
use jiff::Timestamp;
use serde::Serialize;

/// What a mark says; its colour repeats it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Nothing is said.
    #[default]
    Plain,
    /// As it must be.
    Good,
    /// To be read.
    Warn,
    /// Wrong.
    Bad,
    /// Not known, or not yet.
    Faint,
}

/// One value of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The text, sanitized.
    pub text: String,
    /// What it says.
    pub tone: Tone,
    /// It is the deciding value of its row: it is never what is cut.
    pub decides: bool,
    /// Since when it is so, UTC: it ages where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Until when it lasts, UTC: a countdown before the text, which names the moment itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Cell {
    /// A value that says nothing by its colour.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A value with its tone.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, ..Self::default() }
    }
}

/// A row that opens on Enter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its values, one a column.
    pub cells: Vec<Cell>,
    /// What Enter shows: lines, the whole of what the row may have cut.
    pub opens: Vec<String>,
    /// Whose word it is, where it is one source's: it ages with that one, and the other rows don't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// What a panel holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "shape")]
pub enum Shape {
    /// Rows under headings.
    Table {
        /// The headings.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<Row>,
    },
    /// Lines of text.
    Lines {
        /// The lines.
        lines: Vec<Cell>,
    },
    /// Rows by columns, each cell a mark: who differs stands out.
    Matrix {
        /// What stands above the columns.
        columns: Vec<String>,
        /// What stands before each row, and its cells.
        rows: Vec<Row>,
    },
    /// Values over time against a threshold.
    Timeline {
        /// One line each: its name, and its values, oldest first.
        series: Vec<Series>,
        /// What must not be passed.
        #[serde(skip_serializing_if = "Option::is_none")]
        threshold: Option<u64>,
        /// What the values are: `401 per 1,000`.
        unit: String,
    },
}

/// Values of one thing over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Series {
    /// Whose.
    pub name: String,
    /// Oldest first.
    pub values: Vec<u64>,
    /// What the last of them says.
    pub tone: Tone,
}

/// One panel of a subject's screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Panel {
    /// Its heading.
    pub title: String,
    /// What it holds.
    pub shape: Shape,
}

impl Panel {
    /// How many rows can be selected.
    pub fn len(&self) -> usize {
        match &self.shape {
            Shape::Table { rows, .. } | Shape::Matrix { rows, .. } => rows.len(),
            Shape::Lines { lines } => lines.len(),
            Shape::Timeline { series, .. } => series.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
