//! The visible text of an HTML part, with quoted mails as one `>` line each.

use html5gum::{StartTag, Token, Tokenizer};

/// Elements without content: they are never on the stack.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"];
/// Elements that nobody sees.
const UNSEEN: [&str; 11] =
    ["head", "style", "script", "title", "template", "noscript", "object", "svg", "textarea", "select", "button"];
/// Elements that begin a line; they also end a paragraph that was left open.
const BLOCKS: [&str; 30] = [
    "address",
    "article",
    "aside",
    "blockquote",
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
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
    "td",
];
/// Deeper nesting is read as text of the deepest element.
const DEEPEST: usize = 500;

/// An element that is open.
struct Open {
    name: String,
    /// Whether its text is dropped.
    dropped: bool,
}

/// The visible text, one line per block.
pub fn visible(html: &str) -> String {
    let mut text = Text::default();
    let mut stack: Vec<Open> = Vec::new();
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
                let dropped = stack.last().is_some_and(|open| open.dropped);
                close_implied(&mut stack, &name);
                if BLOCKS.contains(&name.as_str()) {
                    text.line();
                } else if name == "br" {
                    text.line_break();
                }
                if !dropped && ends_the_mail(&tag, &name) {
                    text.quote();
                    break;
                }
                if VOID.contains(&name.as_str()) {
                    continue;
                }
                let quoted = !dropped && is_quote(&tag, &name);
                if quoted {
                    text.quote();
                }
                let hidden = UNSEEN.contains(&name.as_str()) || is_hidden(&tag);
                let inherited = stack.last().is_some_and(|open| open.dropped);
                if stack.len() < DEEPEST {
                    stack.push(Open { name, dropped: inherited || quoted || hidden });
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
                if let Some(at) = stack.iter().rposition(|open| open.name == name) {
                    stack.truncate(at);
                }
                if BLOCKS.contains(&name.as_str()) {
                    text.line();
                }
                if matches!(name.as_str(), "p" | "table" | "ul" | "ol") {
                    text.gap();
                }
            }
            Token::String(piece) if !stack.last().is_some_and(|open| open.dropped) => {
                text.push(&String::from_utf8_lossy(&piece), stack.iter().any(|open| open.name == "pre"));
            }
            _ => {}
        }
    }
    text.whole
}

/// Elements whose end tag may be left out (HTML 13.1.2.4): what follows a hidden one must not be hidden with it.
fn close_implied(stack: &mut Vec<Open>, name: &str) {
    let closes: &[&str] = match name {
        "li" => &["li"],
        "tr" => &["tr"],
        "td" | "th" => &["td", "th"],
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

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let found = tag.attributes.iter().find(|(key, _)| key.0.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(String::from_utf8_lossy(&found.1.value.0).to_ascii_lowercase())
}

fn has_class(tag: &StartTag<()>, class: &str) -> bool {
    attribute(tag, "class")
        .is_some_and(|all| all.split_whitespace().any(|one| one.trim_start_matches("m_").ends_with(class)))
}

/// Where Outlook and its web and mobile sisters put the mail that is answered, as what follows and not as an element.
fn ends_the_mail(tag: &StartTag<()>, name: &str) -> bool {
    let id = attribute(tag, "id").unwrap_or_default();
    let style = style(tag);
    let border = ["border-top:solid#e1e1e1", "border-top:solid#b5c4df"].iter().any(|border| style.contains(border));
    id.ends_with("divrplyfwdmsg")
        || id.ends_with("appendonsend")
        || id == "mail-editor-reference-message-container"
        || id == "ms-outlook-mobile-reference-message"
        || border
        || name == "hr" && id == "stopspelling"
}

/// Quotes and signatures. The containers of Gmail (`gmail_quote`, `gmail_attr`) are not among them: a forward has no other mark
/// than the text in them, and an answer below the quote stands in them too.
fn is_quote(tag: &StartTag<()>, name: &str) -> bool {
    name == "blockquote"
        || ["moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "tutanota_quote", "gmail_signature", "moz-signature"]
            .iter()
            .any(|class| has_class(tag, class))
        || attribute(tag, "id").is_some_and(|id| id == "signature" || id == "ms-outlook-mobile-signature")
}

fn style(tag: &StartTag<()>) -> String {
    attribute(tag, "style").unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect()
}

fn is_hidden(tag: &StartTag<()>) -> bool {
    let style = style(tag);
    let tiny = style
        .split("font-size:0")
        .nth(1)
        .is_some_and(|rest| !rest.starts_with(['.', '1', '2', '3', '4', '5', '6', '7', '8', '9']));
    let marks = ["display:none", "visibility:hidden", "mso-hide:all", "max-height:0", "opacity:0;"];
    tiny || marks.iter().any(|mark| style.contains(mark))
        || style.ends_with("opacity:0")
        || tag.attributes.keys().any(|key| key.0.eq_ignore_ascii_case(b"hidden"))
}

/// Text as it is laid out: blanks collapse, blocks begin lines.
#[derive(Default)]
struct Text {
    whole: String,
    blank: bool,
}

impl Text {
    fn push(&mut self, piece: &str, as_is: bool) {
        for c in piece.chars() {
            match c {
                '\n' if as_is => self.line(),
                c if c.is_whitespace() => self.blank = true,
                c => {
                    if self.blank && !self.whole.is_empty() && !self.whole.ends_with('\n') {
                        self.whole.push(' ');
                    }
                    self.blank = false;
                    self.whole.push(c);
                }
            }
        }
    }

    fn line(&mut self) {
        self.blank = false;
        if !self.whole.is_empty() && !self.whole.ends_with('\n') {
            self.whole.push('\n');
        }
    }

    /// Two of them leave a line empty.
    fn line_break(&mut self) {
        if self.whole.ends_with('\n') { self.gap() } else { self.line() }
    }

    fn gap(&mut self) {
        self.line();
        if !self.whole.is_empty() && !self.whole.ends_with("\n\n") {
            self.whole.push('\n');
        }
    }

    /// The place of a quoted mail, so that an answer below it is not taken for a part of it.
    fn quote(&mut self) {
        self.line();
        self.whole.push_str(">\n");
    }
}
