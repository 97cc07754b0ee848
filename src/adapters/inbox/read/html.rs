//! The text of an HTML part as a person would see it, line by line: how often each line is quoted and how it is shown.
//! What is hidden or stands beside the text is kept, and said to be so.

use super::lines::Lines;
use super::plain;
use super::style::{Paint, Sheet, colour};
use crate::domain::letter::Look;
use html5gum::{StartTag, Token, Tokenizer};

/// Elements without content: they are never on the stack.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"];
/// Elements whose content no program shows.
const UNSEEN: [&str; 5] = ["head", "script", "title", "template", "xml"];
/// Elements whose content is no running text: buttons, fields, what stands in for something else, text turned around.
const BESIDE: [&str; 16] = [
    "button", "select", "textarea", "object", "svg", "noscript", "iframe", "video", "audio", "canvas", "bdo", "legend",
    "datalist", "details", "dialog", "noframes",
];
/// Elements that begin a line; they also end a paragraph that was left open.
const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];
/// Deeper nesting is read as text of the deepest element.
const DEEPEST: usize = 500;

/// An element that is open.
struct Open {
    name: String,
    paint: Paint,
    quoted: bool,
    /// Nobody sees its text.
    unseen: bool,
    /// Its text is no running text.
    beside: bool,
}

/// Reads a part. `attached`: it is no part of the letter's own text.
pub fn lines(html: &str, attached: bool, into: &mut Lines) {
    let mut text = Text { attached, ..Text::default() };
    let mut stack: Vec<Open> = Vec::new();
    // A style sheet may stand below what it is about.
    let sheet = sheet_of(html);
    let mut style = false;
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
                if name == "style" {
                    style = true;
                    continue;
                }
                close_implied(&mut stack, &name);
                if BLOCKS.contains(&name.as_str()) {
                    text.line(into);
                } else if name == "br" {
                    text.line_break(into, &stack);
                }
                let open = opened(&tag, name, stack.last(), &sheet);
                for said in beside(&tag, &open) {
                    text.aside(&said);
                }
                if !VOID.contains(&open.name.as_str()) && stack.len() < DEEPEST {
                    stack.push(open);
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
                if name == "style" {
                    style = false;
                    continue;
                }
                let block = BLOCKS.contains(&name.as_str());
                if block {
                    text.line(into);
                }
                if let Some(at) = stack.iter().rposition(|open| open.name == name) {
                    stack.truncate(at);
                }
                if matches!(name.as_str(), "p" | "table" | "ul" | "ol" | "blockquote") {
                    text.gap(into, &stack);
                }
            }
            Token::String(piece) => {
                let piece = String::from_utf8_lossy(&piece);
                if !style {
                    text.push(&piece, into, &stack);
                }
            }
            Token::Comment(comment) => {
                // Outlook shows what is in `<!--[if mso]>`.
                let comment = String::from_utf8_lossy(&comment).into_owned();
                if comment.trim_start().starts_with("[if") && !comment.contains("<xml") && !comment.contains("<style") {
                    text.aside(&untagged(comment.split_once(']').map_or("", |(_, rest)| rest)));
                }
            }
            _ => {}
        }
    }
    text.line(into);
    for shown in sheet.content {
        into.push(&shown, 0, Look::Aside);
    }
}

/// All style sheets of a part.
fn sheet_of(html: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let mut style = None::<String>;
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) if tag.name.eq_ignore_ascii_case(b"style") => style = Some(String::new()),
            Token::EndTag(tag) if tag.name.eq_ignore_ascii_case(b"style") => {
                sheet.read(&style.take().unwrap_or_default());
            }
            Token::String(piece) => {
                if let Some(style) = &mut style {
                    style.push_str(&String::from_utf8_lossy(&piece));
                }
            }
            _ => {}
        }
    }
    sheet.read(&style.unwrap_or_default());
    sheet
}

fn opened(tag: &StartTag<()>, name: String, around: Option<&Open>, sheet: &Sheet) -> Open {
    let mut paint = around.map(|open| open.paint).unwrap_or_default();
    let said = |attribute: &str| attribute_of(tag, attribute).unwrap_or_default();
    let class = said("class").to_ascii_lowercase();
    sheet.apply(&mut paint, &name, &class, &said("id").to_ascii_lowercase());
    if let Some(paper) = colour(&said("bgcolor").to_ascii_lowercase()) {
        paint.paper = paper;
    }
    if name == "font"
        && let Some(ink) = colour(&said("color").to_ascii_lowercase())
    {
        paint.ink = ink;
    }
    paint.declare(&said("style"));
    paint.hidden |= tag.attributes.keys().any(|key| key.0.eq_ignore_ascii_case(b"hidden"));
    paint.struck |= matches!(name.as_str(), "s" | "strike" | "del");
    Open {
        paint,
        quoted: name == "blockquote",
        unseen: around.is_some_and(|open| open.unseen) || UNSEEN.contains(&name.as_str()),
        beside: around.is_some_and(|open| open.beside) || BESIDE.contains(&name.as_str()),
        name,
    }
}

/// What an element says without text of its own: pictures, boxes and buttons, frames, hints.
fn beside(tag: &StartTag<()>, open: &Open) -> Vec<String> {
    let said = |attribute: &str| attribute_of(tag, attribute).filter(|text| !text.trim().is_empty());
    let mut all: Vec<String> = [said("title"), said("aria-label")].into_iter().flatten().collect();
    match open.name.as_str() {
        "img" | "area" => all.extend(said("alt")),
        "input" => {
            let kind = said("type").unwrap_or_default().to_ascii_lowercase();
            let ticked = tag.attributes.keys().any(|key| key.0.eq_ignore_ascii_case(b"checked"));
            match kind.as_str() {
                "checkbox" | "radio" => all.push(if ticked { "☑" } else { "☐" }.to_owned()),
                "hidden" => {}
                _ => all.extend([said("value"), said("placeholder")].into_iter().flatten()),
            }
        }
        "iframe" => all.extend(said("srcdoc").map(|inner| untagged(&inner))),
        "option" | "textarea" | "embed" => all.extend([said("label"), said("placeholder")].into_iter().flatten()),
        _ => {}
    }
    if open.unseen { Vec::new() } else { all }
}

fn untagged(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("[endif]", "")
}

/// Elements whose end tag may be left out (HTML 13.1.2.4): what follows a hidden one must not be hidden with it.
fn close_implied(stack: &mut Vec<Open>, name: &str) {
    let closes: &[&str] = match name {
        "li" => &["li"],
        "tr" => &["tr"],
        "td" | "th" => &["td", "th"],
        "option" => &["option"],
        "body" => &["head"],
        _ if BLOCKS.contains(&name) => &["p"],
        _ => return,
    };
    let scope = ["table", "ul", "ol", "div", "blockquote"];
    let found =
        stack.iter().rposition(|open| closes.contains(&open.name.as_str()) || scope.contains(&open.name.as_str()));
    if let Some(at) = found.filter(|at| closes.contains(&stack[*at].name.as_str())) {
        stack.truncate(at);
    }
}

fn attribute_of(tag: &StartTag<()>, name: &str) -> Option<String> {
    let found = tag.attributes.iter().find(|(key, _)| key.0.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(String::from_utf8_lossy(&found.1.value.0).into_owned())
}

/// Text as it is laid out: blanks collapse, blocks begin lines. What is shown otherwise than as plain text becomes a line of
/// its own below.
#[derive(Default)]
struct Text {
    attached: bool,
    line: String,
    blank: bool,
    /// The depth of what is in the line.
    depth: u8,
    others: Vec<(Look, String)>,
    /// An empty line was the last.
    parted: bool,
}

impl Text {
    fn push(&mut self, piece: &str, into: &mut Lines, stack: &[Open]) {
        let Some(open) = stack.last() else {
            return self.plain(piece, 0, false, into);
        };
        if open.unseen {
            return;
        }
        let look = match open.paint {
            Paint { struck: true, .. } => Look::Struck,
            Paint { hidden: true, .. } => Look::Hidden,
            paint if !paint.is_legible() => Look::Hidden,
            _ if open.beside => Look::Aside,
            _ => Look::Plain,
        };
        if look == Look::Plain {
            let as_is = stack.iter().any(|open| open.name == "pre");
            return self.plain(piece, depth(stack), as_is, into);
        }
        if piece.trim().is_empty() {
            return;
        }
        self.depth = depth(stack);
        match self.others.last_mut() {
            Some((last, text)) if *last == look => text.push_str(piece),
            _ => self.others.push((look, piece.to_owned())),
        }
    }

    fn plain(&mut self, piece: &str, depth: u8, as_is: bool, into: &mut Lines) {
        for c in piece.chars() {
            match c {
                '\n' if as_is => self.line(into),
                c if c.is_whitespace() => self.blank = true,
                c => {
                    if self.blank && !self.line.is_empty() {
                        self.line.push(' ');
                    }
                    self.blank = false;
                    self.depth = depth;
                    self.line.push(c);
                }
            }
        }
    }

    fn aside(&mut self, said: &str) {
        if said.chars().any(|c| !c.is_whitespace()) {
            self.others.push((Look::Aside, said.to_owned()));
        }
    }

    fn line(&mut self, into: &mut Lines) {
        self.blank = false;
        let (line, others) = (std::mem::take(&mut self.line), std::mem::take(&mut self.others));
        let shown = |look: Look| if self.attached { Look::Aside } else { look };
        if !line.is_empty() {
            // `>` in front of a line is a quotation's mark here too.
            let (marks, line) = plain::marks(&line);
            into.push(line, self.depth.saturating_add(marks), shown(Look::Plain));
            self.parted = false;
        }
        for (look, text) in others {
            into.push(&text, self.depth, shown(look));
            self.parted = false;
        }
    }

    /// Two of them leave a line empty.
    fn line_break(&mut self, into: &mut Lines, stack: &[Open]) {
        if self.line.is_empty() { self.gap(into, stack) } else { self.line(into) }
    }

    fn gap(&mut self, into: &mut Lines, stack: &[Open]) {
        self.line(into);
        if !self.parted {
            into.push("", depth(stack), Look::Plain);
            self.parted = true;
        }
    }
}

fn depth(stack: &[Open]) -> u8 {
    u8::try_from(stack.iter().filter(|open| open.quoted).count()).unwrap_or(u8::MAX)
}
