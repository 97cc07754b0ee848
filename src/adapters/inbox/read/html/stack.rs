//! The elements that are open, as browsers keep them (HTML 13.2.4.3): what marks a text stays on across the end of a paragraph,
//! and an end that fits nothing ends nothing.

use super::{BLOCKS, RUNNING, UNSEEN, VOID, attribute_of, has};
use crate::adapters::inbox::read::style::{Paint, Sheet, Unit};
use html5gum::StartTag;

/// Deeper nesting is not followed.
const DEEPEST: usize = 500;
/// More that was left open is not followed.
const MOST_REOPENED: usize = 20;
/// Elements that go on behind the end of a block in which they were left open; `del` does so in some programs.
const MARKS: [&str; 15] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u", "del"];
/// Where they end all the same.
const CELLS: [&str; 3] = ["td", "th", "caption"];
const TABLE: [&str; 7] = ["table", "tbody", "thead", "tfoot", "tr", "td", "th"];

/// An element that is open.
#[derive(Clone)]
pub struct Open {
    pub name: String,
    pub paint: Paint,
    pub quoted: bool,
    /// Nobody sees its text.
    pub unseen: bool,
    /// Its text is no running text.
    pub beside: bool,
    tag: StartTag<()>,
    /// What was left open before a cell.
    outside: Vec<StartTag<()>>,
}

/// An element that was read.
pub struct Opened {
    pub open: Open,
    /// It is shown in a way that is not known, which may concern others than itself.
    pub strange: bool,
}

pub struct Stack<'a> {
    sheet: &'a Sheet,
    open: Vec<Open>,
    root: Open,
    /// Left open, and to be opened again with the next text.
    pending: Vec<StartTag<()>>,
    /// It can't be told any more what is open.
    pub is_lost: bool,
}

impl<'a> Stack<'a> {
    pub fn new(sheet: &'a Sheet) -> Self {
        let mut paint = Paint::default();
        // They are there without being written.
        for name in ["html", "body"] {
            paint.take(&sheet.of(name, "", ""), &[]);
        }
        let root = Open {
            name: String::new(),
            paint,
            quoted: false,
            unseen: false,
            beside: false,
            tag: StartTag::default(),
            outside: Vec::new(),
        };
        Self { sheet, open: Vec::new(), root, pending: Vec::new(), is_lost: false }
    }

    pub fn all(&self) -> &[Open] {
        &self.open
    }

    pub fn top(&self) -> &Open {
        self.open.last().unwrap_or(&self.root)
    }

    /// What an element would be here.
    pub fn opened(&mut self, tag: &StartTag<()>, name: &str) -> Opened {
        if !BLOCKS.contains(&name) && !TABLE.contains(&name) && !super::BEFORE.contains(&name) {
            self.reopen();
        }
        self.made(tag, name)
    }

    fn made(&self, tag: &StartTag<()>, name: &str) -> Opened {
        let around = self.top();
        let mut paint = around.paint.clone();
        let said = |attribute: &str| attribute_of(tag, attribute).unwrap_or_default();
        let usual = match name {
            "small" | "sub" | "sup" => Unit::of_size(0.83),
            "mark" => Unit::new("color:#000;background:#ff0"),
            _ => Unit::default(),
        };
        paint.take(&[], &[&usual]);
        if name == "a" && has(tag, "href") {
            paint.as_link();
        }
        if name == "table" {
            let outside = self.open.iter().rfind(|open| open.name == "body").unwrap_or(&self.root);
            paint.as_table(&outside.paint);
        }
        let mut attributes = vec![Unit::of_paper(&said("bgcolor"))];
        match name {
            "font" => attributes.push(Unit::of_ink(&said("color"))),
            "body" => {
                attributes.push(Unit::of_ink(&said("text")));
                // In these all links are shown.
                for links in ["link", "vlink", "alink"] {
                    let mut linked = paint.clone();
                    linked.take(&[], &[&Unit::of_ink(&said(links))]);
                    attributes.push(Unit::of_strange(linked.hidden || !linked.is_legible()));
                }
            }
            _ => {}
        }
        let strange = !said("background").trim().is_empty()
            || !matches!(said("dir").trim().to_ascii_lowercase().as_str(), "" | "ltr" | "auto")
            || has(tag, "popover")
            || matches!(name, "table" | "img") && said("align").eq_ignore_ascii_case("right");
        attributes.push(Unit::of_strange(strange));
        let style = Unit::new(&said("style"));
        let (class, id) = (said("class").to_ascii_lowercase(), said("id").to_ascii_lowercase());
        let rules = self.sheet.of(name, &class, &id);
        // Rules count more than attributes.
        paint.take(&[], &attributes.iter().collect::<Vec<_>>());
        paint.take(&rules, &[&style]);
        paint.hidden |= has(tag, "hidden");
        paint.struck |= matches!(name, "s" | "strike" | "del");
        let units = || attributes.iter().chain(rules.iter().copied()).chain([&style]);
        let gone = around.paint.hidden || around.unseen || units().any(Unit::is_gone);
        let foreign = self.open.iter().any(|open| matches!(open.name.as_str(), "svg" | "math"));
        let running = RUNNING.split_whitespace().any(|one| one == name);
        let open = Open {
            paint,
            quoted: name == "blockquote",
            unseen: around.unseen || UNSEEN.contains(&name) && !foreign,
            beside: around.beside || !running,
            name: name.to_owned(),
            tag: tag.clone(),
            outside: Vec::new(),
        };
        Opened { strange: !gone && units().any(|unit| unit.strange), open }
    }

    pub fn push(&mut self, mut open: Open) {
        if VOID.contains(&open.name.as_str()) || open.name == "head" {
            return;
        }
        if self.open.len() >= DEEPEST {
            self.is_lost = true;
            return;
        }
        if CELLS.contains(&open.name.as_str()) {
            open.outside = std::mem::take(&mut self.pending);
        }
        self.open.push(open);
    }

    /// Opens again what was left open.
    pub fn reopen(&mut self) {
        for tag in std::mem::take(&mut self.pending) {
            let name = super::name_of(&tag.name);
            let open = self.made(&tag, &name).open;
            self.push(open);
        }
    }

    fn leave(&mut self, tag: StartTag<()>) {
        let same = |one: &&StartTag<()>| one.name == tag.name && one.attributes == tag.attributes;
        if self.pending.iter().filter(same).count() >= 3 {
            return;
        }
        self.pending.push(tag);
        self.is_lost |= self.pending.len() > MOST_REOPENED;
        self.pending.truncate(MOST_REOPENED);
    }

    /// Closes everything from there on.
    fn cut(&mut self, at: usize) {
        let mut before = std::mem::take(&mut self.pending);
        let mut left = Vec::new();
        for open in self.open.drain(at..) {
            if CELLS.contains(&open.name.as_str()) {
                before = open.outside;
                break;
            }
            if MARKS.contains(&open.name.as_str()) {
                left.push(open.tag);
            }
        }
        self.open.truncate(at);
        // What was left open first is opened first.
        left.into_iter().chain(before).for_each(|tag| self.leave(tag));
    }

    /// The last of these names, unless one of those stands before it.
    fn find(&self, names: &[&str], stops: &[&str]) -> Option<usize> {
        let name = |open: &Open| names.contains(&open.name.as_str());
        let at = self.open.iter().rposition(|open| name(open) || stops.contains(&open.name.as_str()))?;
        name(&self.open[at]).then_some(at)
    }

    /// An end tag.
    pub fn close(&mut self, name: &str) {
        match name {
            // What stands behind them is in them.
            "html" | "body" | "head" => {}
            _ if MARKS.contains(&name) => {
                if let Some(at) = self.pending.iter().rposition(|tag| super::name_of(&tag.name) == name) {
                    self.pending.remove(at);
                } else if let Some(at) = self.find(&[name], &CELLS) {
                    self.take_out(at);
                }
            }
            _ if TABLE.contains(&name) || name == "caption" => {
                let stops: &[&str] = if name == "table" { &[] } else { &["table"] };
                if let Some(at) = self.find(&[name], stops) {
                    self.cut(at);
                }
            }
            _ if BLOCKS.contains(&name) => {
                if let Some(at) = self.find(&[name], &["table", "td", "th", "caption", "object", "svg", "math"]) {
                    self.cut(at);
                }
            }
            _ => {
                let found = self.open.iter().rposition(|open| {
                    open.name == name || BLOCKS.contains(&open.name.as_str()) || TABLE.contains(&open.name.as_str())
                });
                if let Some(at) = found.filter(|at| self.open[*at].name == name) {
                    self.cut(at);
                }
            }
        }
    }

    /// Closes one mark; what was opened in it stays open.
    fn take_out(&mut self, at: usize) {
        let inner: Vec<Open> = self.open.drain(at..).skip(1).collect();
        if inner.len() > MOST_REOPENED {
            self.is_lost = true;
            self.open.extend(inner);
            return;
        }
        for one in inner {
            let mut again = self.made(&one.tag, &one.name).open;
            again.outside = one.outside;
            self.open.push(again);
        }
    }

    /// Elements whose end tag may be left out (HTML 13.1.2.4): what follows a hidden one must not be hidden with it.
    pub fn close_implied(&mut self, name: &str) {
        let (closes, stops): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "dir", "table", "td", "th", "blockquote"]),
            "dd" | "dt" => (&["dd", "dt"], &["dl", "table", "td", "th", "blockquote"]),
            "tr" => (&["tr"], &["table"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot", "tr"], &["table"]),
            "td" | "th" => (&["td", "th"], &["table", "tr"]),
            "option" => (&["option"], &["select"]),
            _ => (&[], &[]),
        };
        if let Some(at) = self.find(closes, stops) {
            self.cut(at);
        }
        if BLOCKS.contains(&name)
            && !TABLE[1..].contains(&name)
            && let Some(at) = self.find(&["p"], &["table", "td", "th", "caption", "button", "object", "svg", "math"])
        {
            self.cut(at);
        }
    }
}
