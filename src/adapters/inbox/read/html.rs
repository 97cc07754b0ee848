//! The text of an HTML part as a person would see it, line by line: how often each line is quoted and how it is shown.
//! What is hidden or stands beside the text is kept, and said to be so.

mod stack;

use super::lines::Lines;
use super::plain;
use super::style::{Paint, Sheet};
use crate::domain::letter::Look;
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use stack::{Open, Stack};

/// Elements without content: they are never on the stack.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"];
/// Elements whose content no program shows.
const UNSEEN: [&str; 3] = ["script", "style", "title"];
/// Elements whose content is running text. That of others is beside it: buttons, fields, drawings, what stands in for something
/// else, text turned around, text that is shown with its marks.
const RUNNING: &str = "html head body meta link base basefont bgsound br hr wbr img area map col colgroup \
    div span p a b i u em strong font small big sub sup center nobr tt code kbd samp var cite q abbr acronym dfn time mark s strike del ins \
    h1 h2 h3 h4 h5 h6 pre blockquote ul ol li dl dt dd menu dir address article aside section header footer nav main figure figcaption hgroup \
    table tbody thead tfoot tr td th caption form fieldset label xml o:p st1:place st1:city st1:personname u1:p \
    script style title picture source input";
/// Elements that begin a line; they also end a paragraph that was left open.
const BLOCKS: [&str; 42] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "caption",
    "center",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
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
    "menu",
    "nav",
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
    "listing",
    "xmp",
];
/// What stands in front of a body.
const BEFORE: [&str; 8] = ["html", "head", "meta", "link", "base", "title", "style", "script"];

fn tokens(html: &str) -> impl Iterator<Item = Token<()>> + '_ {
    // What is in `<textarea>` and the like is text, marks and comments included.
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map(|token| {
        let Ok(token) = token;
        token
    })
}

fn name_of(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

/// Reads a part. `attached`: it is no part of the letter's own text.
pub fn lines(html: &str, attached: bool, into: &mut Lines) {
    let mut text = Text { attached, ..Text::default() };
    // A style sheet may stand below what it is about.
    let sheet = sheet_of(html);
    let mut stack = Stack::new(&sheet);
    let mut started = false;
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                let name = name_of(&tag.name);
                // A body that comes late colours what stood before it.
                if started && matches!(name.as_str(), "html" | "body") && shows(&tag) {
                    text.aside("the letter's colours are said below its text");
                }
                started |= name == "body" || !BEFORE.contains(&name.as_str());
                stack.close_implied(&name);
                if BLOCKS.contains(&name.as_str()) {
                    text.line(into);
                } else if name == "br" {
                    text.line_break(into, &stack);
                }
                let opened = stack.opened(&tag, &name);
                for said in beside(&tag, &opened.open) {
                    text.aside(&said);
                }
                if opened.strange {
                    text.aside("something is shown in a way that can't be judged");
                }
                stack.push(opened.open);
            }
            Token::EndTag(tag) => {
                let name = name_of(&tag.name);
                if BLOCKS.contains(&name.as_str()) {
                    text.line(into);
                }
                stack.close(&name);
                if matches!(name.as_str(), "p" | "table" | "ul" | "ol" | "blockquote") {
                    text.gap(into, &stack);
                }
            }
            Token::String(piece) => {
                let piece = String::from_utf8_lossy(&piece);
                if !piece.trim().is_empty() {
                    stack.reopen();
                    started |= !stack.top().unseen;
                }
                text.push(&piece, into, &stack);
            }
            Token::Comment(comment) => {
                // Outlook shows what is in `<!--[if mso]>`.
                if let Some(inner) = conditional(&String::from_utf8_lossy(&comment)) {
                    text.aside(&told(inner));
                }
            }
            _ => {}
        }
    }
    text.line(into);
    if stack.is_lost {
        into.push("a text that is nested too deep to be judged", 0, Look::Aside);
    }
    for shown in sheet.content {
        into.push(&shown, 0, Look::Aside);
    }
}

/// What is in `[if mso]>…<![endif]`.
fn conditional(comment: &str) -> Option<&str> {
    let inner = comment.trim_start().strip_prefix("[if")?;
    Some(inner.split_once(']').map_or(inner, |(_, rest)| rest.strip_prefix('>').unwrap_or(rest)))
}

/// Whether an element says something of how all text is shown.
fn shows(tag: &StartTag<()>) -> bool {
    ["style", "class", "id", "text", "bgcolor", "background", "hidden", "dir"].iter().any(|one| has(tag, one))
}

/// All style sheets of a part, those for Outlook alone too.
fn sheet_of(html: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let mut gathered = vec![html.to_owned()];
    while let Some(html) = gathered.pop() {
        let mut style = None::<String>;
        for token in tokens(&html) {
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
                // No comment is within one.
                Token::Comment(comment) => {
                    gathered.extend(conditional(&String::from_utf8_lossy(&comment)).map(str::to_owned));
                }
                _ => {}
            }
        }
        sheet.read(&style.unwrap_or_default());
    }
    sheet
}

/// What an element says without text of its own: pictures, boxes and buttons, frames, hints.
fn beside(tag: &StartTag<()>, open: &Open) -> Vec<String> {
    let said = |attribute: &str| attribute_of(tag, attribute).filter(|text| !text.trim().is_empty());
    let mut all: Vec<String> = [said("title"), said("aria-label")].into_iter().flatten().collect();
    match open.name.as_str() {
        "img" | "area" => {
            all.extend(said("alt"));
            let drawn = said("src").is_some_and(|src| src.trim().to_ascii_lowercase().starts_with("data:image/svg"));
            all.extend(drawn.then(|| "a drawing that may hold words".to_owned()));
        }
        "input" => {
            let kind = said("type").unwrap_or_default().to_ascii_lowercase();
            let ticked = has(tag, "checked");
            match kind.as_str() {
                "checkbox" | "radio" => all.push(if ticked { "☑" } else { "☐" }.to_owned()),
                "hidden" => {}
                _ => all.extend([said("value"), said("placeholder"), said("alt")].into_iter().flatten()),
            }
        }
        "iframe" => all.extend(said("srcdoc").map(|inner| told(&inner))),
        "option" | "optgroup" | "textarea" | "embed" | "track" => {
            all.extend([said("label"), said("placeholder")].into_iter().flatten());
        }
        "link" => {
            let sheet = said("rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("stylesheet"));
            let fonts = said("href").is_some_and(|href| href.trim().starts_with("https://fonts.googleapis.com/"));
            all.extend((sheet && !fonts).then(|| "a style sheet that is elsewhere".to_owned()));
        }
        _ => {}
    }
    if open.unseen { Vec::new() } else { all }
}

/// The words of some HTML, without its marks. Settings of Office in it are none.
fn told(html: &str) -> String {
    let mut text = String::new();
    let (mut unseen, mut settings) = (None::<String>, 0usize);
    let mut set = String::new();
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                let name = name_of(&tag.name);
                settings += usize::from(name == "xml");
                for attribute in ["alt", "title", "value"] {
                    text.extend(attribute_of(&tag, attribute).map(|said| format!(" {said}")));
                }
                unseen = unseen.or(UNSEEN.contains(&name.as_str()).then_some(name));
            }
            Token::EndTag(tag) => {
                let name = name_of(&tag.name);
                if name == "xml" {
                    settings = settings.saturating_sub(1);
                    set.clear();
                }
                unseen = unseen.filter(|open| *open != name);
            }
            Token::String(piece) if unseen.is_none() => {
                let piece = String::from_utf8_lossy(&piece).into_owned();
                // One word each: `<w:View>Normal</w:View>`.
                let setting = settings > 0 && piece.split_whitespace().count() < 2;
                if setting { &mut set } else { &mut text }.push_str(&format!(" {piece}"));
            }
            _ => {}
        }
    }
    // Settings without an end may be anything.
    format!("{text} {set}").trim().to_owned()
}

fn has(tag: &StartTag<()>, name: &str) -> bool {
    tag.attributes.keys().any(|key| key.0.eq_ignore_ascii_case(name.as_bytes()))
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
    fn push(&mut self, piece: &str, into: &mut Lines, stack: &Stack<'_>) {
        let open = stack.top();
        if open.unseen {
            return;
        }
        let look = match &open.paint {
            Paint { struck: true, .. } => Look::Struck,
            Paint { hidden: true, .. } => Look::Hidden,
            paint if !paint.is_legible() || stack.is_lost => Look::Hidden,
            _ if open.beside => Look::Aside,
            _ => Look::Plain,
        };
        if look == Look::Plain {
            let as_is = stack.all().iter().any(|open| open.name == "pre");
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
    fn line_break(&mut self, into: &mut Lines, stack: &Stack<'_>) {
        if self.line.is_empty() { self.gap(into, stack) } else { self.line(into) }
    }

    fn gap(&mut self, into: &mut Lines, stack: &Stack<'_>) {
        self.line(into);
        if !self.parted {
            into.push("", depth(stack), Look::Plain);
            self.parted = true;
        }
    }
}

fn depth(stack: &Stack<'_>) -> u8 {
    u8::try_from(stack.all().iter().filter(|open| open.quoted).count()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
