//! The HTML part: a rendered text as paragraphs, indented blocks and links, put into one layout.
//!
//! Nothing in it is loaded from elsewhere, and nothing of a text becomes markup.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::language::Language;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};

/// A line at least this long was broken because it was full (characters).
const FULL: usize = 60;
const NAME: &str = "layout.html";
const BUILT_IN: &str = include_str!("../../../assets/templates/layout.html");

/// What the layout may say.
#[derive(serde::Serialize)]
struct Parts<'a> {
    language: &'static str,
    subject: &'a str,
    body: Value,
}

/// The layout, checked.
pub(super) struct Layout(Environment<'static>);

impl Layout {
    /// The given layout or the built-in one, tried once. It must hold the body.
    pub(super) fn load(own: Option<String>) -> Result<Self, Fault> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(super::templates::FUEL));
        let text = own.unwrap_or_else(|| BUILT_IN.to_owned());
        environment.add_template_owned(NAME, text).map_err(|error| broken(&error))?;
        let layout = Self(environment);
        let mark = "the body of the mail";
        if !layout.page(Language::English, "x", mark)?.contains(mark) {
            return Err(invalid(format!("{NAME} does not show {{{{ body }}}}")));
        }
        Ok(layout)
    }

    /// The page of a mail.
    pub(super) fn page(&self, language: Language, subject: &str, text: &str) -> Result<String, Fault> {
        let body = Value::from_safe_string(body(text));
        let parts = Parts { language: language.word(), subject, body };
        let template = self.0.get_template(NAME).map_err(|error| broken(&error))?;
        template.render(Value::from(Serde(parts))).map_err(|error| broken(&error))
    }
}

/// Blank lines part the paragraphs; lines that begin with blanks are a block.
fn body(text: &str) -> String {
    let mut html = String::new();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    for group in lines.chunk_by(|a, b| a.is_empty() == b.is_empty() && indent(a) == indent(b)) {
        if group[0].is_empty() {
            continue;
        }
        let margin = match indent(group[0]) {
            0 => "0 0 1em 0",
            1..=4 => "0 0 1em 2em",
            _ => "0 0 1em 4em",
        };
        html.push_str(&format!("<p style=\"margin:{margin}\">"));
        for (at, line) in group.iter().enumerate() {
            if let Some(before) = at.checked_sub(1).map(|at| group[at].chars().count()) {
                let word = line.split_whitespace().next().unwrap_or_default().chars().count();
                html.push_str(if before + 1 + word > FULL { " " } else { "<br>\n" });
            }
            html.push_str(&linked(line.trim_start()));
        }
        html.push_str("</p>\n");
    }
    html
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The line with its `http://` and `https://` addresses as links, everything else escaped.
fn linked(line: &str) -> String {
    let mut html = String::new();
    let mut rest = line;
    while let Some(at) = [rest.find("https://"), rest.find("http://")].into_iter().flatten().min() {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| c.is_whitespace() || "<>\"'`{}|\\^".contains(c)).unwrap_or(from.len());
        let url = from[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']);
        html.push_str(&escaped(before));
        if url.ends_with("//") {
            html.push_str(url);
        } else {
            html.push_str(&format!("<a href=\"{0}\">{0}</a>", escaped(url)));
        }
        rest = &from[url.len()..];
    }
    html + &escaped(rest)
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

fn broken(error: &minijinja::Error) -> Fault {
    let line = error.line().map_or(String::new(), |line| format!(" line {line}"));
    let detail = error.detail().map_or(String::new(), |detail| format!(" ({detail})"));
    invalid(format!("the layout {NAME}{line}: {}{detail}", error.kind()))
}

fn invalid(message: String) -> Fault {
    Fault::new(Service::Configuration, FaultKind::Invalid, message)
        .hint("correct layout.html in notices.templates, or take it away to use the built-in one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_blocks_and_wrapped_lines_become_what_they_were() {
        let long = "word ".repeat(13);
        let html =
            body(&format!("Hello,\n\n{long}\nends.\n\nWhat\n    1. one\n    2. two\n        deep\nOrg\nops@x\n"));
        assert!(html.contains(&format!("{} ends.</p>", long.trim_end())), "{html}");
        assert!(html.contains(">What</p>\n<p style=\"margin:0 0 1em 2em\">1. one<br>\n2. two</p>"), "{html}");
        assert!(html.contains("4em\">deep</p>") && html.contains("0\">Org<br>\nops@x</p>"), "{html}");
    }

    #[test]
    fn only_web_addresses_are_links_and_nothing_is_markup() {
        let table = [
            ("see https://x.net/a?b=1&c.", "see <a href=\"https://x.net/a?b=1&amp;c\">https://x.net/a?b=1&amp;c</a>."),
            ("https://x\"onclick=1", "<a href=\"https://x\">https://x</a>&quot;onclick=1"),
            ("javascript:alert(1) <b>", "javascript:alert(1) &lt;b&gt;"),
            ("é http:// ok", "é http:// ok"),
        ];
        for (line, wanted) in table {
            assert_eq!(linked(line), wanted);
        }
    }

    #[test]
    fn a_layout_of_ones_own_is_checked_when_it_is_loaded() {
        let load = |text: &str| Layout::load(Some(text.into())).err().map(|fault| fault.message).unwrap_or_default();
        assert_eq!(load("<p>{{ subject }}</p>{{ body }}"), "");
        assert!(load("{{ subject }}").contains("does not show {{ body }}"));
        assert!(load("\n{{ body }}{{ boddy }}").contains("layout.html line 2: undefined value"));
    }
}
