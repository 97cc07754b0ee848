//! The characters of the screen in two sets: what a UTF-8 terminal shows, and plain ASCII. No cell is wider than one.

use crate::app::Charset;
use ratatui::symbols::border;

/// One set.
#[derive(Debug)]
pub struct Glyphs {
    /// Whether texts must be ASCII too.
    pub ascii: bool,
    /// Done, good.
    pub good: &'static str,
    /// Failed, bad.
    pub bad: &'static str,
    /// Read this.
    pub warn: &'static str,
    /// Running.
    pub running: &'static str,
    /// Waiting.
    pub waiting: &'static str,
    /// Not known.
    pub unknown: &'static str,
    /// Before what is not known to be true any more.
    pub stale: &'static str,
    /// A source that does not answer.
    pub lost: &'static str,
    /// A source that answers.
    pub alive: &'static str,
    /// Now, on a line that is time.
    pub now: &'static str,
    /// Where a window opens.
    pub opening: &'static str,
    /// Where it ends.
    pub ending: &'static str,
    /// What lies between.
    pub span: &'static str,
    /// Two places show the same.
    pub agree: &'static str,
    /// They don't.
    pub differ: &'static str,
    /// A person: yes, waived, probably, silent.
    pub squares: [&'static str; 4],
    /// Before the selected line.
    pub selected: &'static str,
    /// Before a marked line.
    pub marked: &'static str,
    /// A rule.
    pub rule: &'static str,
    /// Between columns.
    pub bar: &'static str,
    /// The done part of a progress bar.
    pub full: &'static str,
    /// The rest of it.
    pub empty: &'static str,
    /// Where a text was cut.
    pub ellipsis: &'static str,
    /// Levels of a plot, from nothing to most.
    pub levels: &'static [char],
    /// Frame of a dialog.
    pub border: border::Set<'static>,
}

static UTF8: Glyphs = Glyphs {
    ascii: false,
    good: "✓",
    bad: "✗",
    warn: "!",
    running: "▶",
    waiting: "·",
    unknown: "?",
    stale: "~",
    lost: "○",
    alive: "●",
    now: "▼",
    opening: "┣",
    ending: "┫",
    span: "━",
    agree: "=",
    differ: "≠",
    squares: ["■", "▣", "◇", "□"],
    selected: "▸",
    marked: "*",
    rule: "─",
    bar: "│",
    full: "█",
    empty: "░",
    ellipsis: "…",
    levels: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    border: border::PLAIN,
};

static ASCII: Glyphs = Glyphs {
    ascii: true,
    good: "+",
    bad: "x",
    warn: "!",
    running: ">",
    waiting: ".",
    unknown: "?",
    stale: "~",
    lost: "!",
    alive: "*",
    now: "v",
    opening: "[",
    ending: "]",
    span: "=",
    agree: "=",
    differ: "!",
    squares: ["#", "=", "o", "."],
    selected: ">",
    marked: "*",
    rule: "-",
    bar: "|",
    full: "#",
    empty: ".",
    ellipsis: "~",
    levels: &['_', '.', ':', '-', '=', '+', '*', '#'],
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

/// The set for a terminal.
pub fn glyphs(charset: Charset) -> &'static Glyphs {
    match charset {
        Charset::Utf8 => &UTF8,
        Charset::Ascii => &ASCII,
    }
}

/// What stands for a character that is not ASCII on a terminal that can't show it.
pub fn in_ascii(c: char) -> &'static str {
    match c {
        '…' => "~",
        '→' => ">",
        '–' | '—' | '‐' | '‑' => "-",
        '‘' | '’' => "'",
        '“' | '”' | '„' => "\"",
        'µ' => "u",
        '×' => "x",
        c if unicode_width::UnicodeWidthChar::width(c) == Some(2) => "??",
        c if unicode_width::UnicodeWidthChar::width(c) == Some(0) => "",
        _ => "?",
    }
}
