//! The style sheets of a mail, by what the last part of each selector says of an element: what stands around it, attributes and
//! states are taken to fit, for which of several rules counts is not followed either.

use super::Unit;

/// More rules than a mail has need of.
const MOST_RULES: usize = 2_000;
/// Deeper nesting of rules is not followed.
const DEEPEST: usize = 8;

/// What a rule is about.
struct Rule {
    name: Option<String>,
    id: Option<String>,
    classes: Vec<String>,
    unit: Unit,
}

/// What the style sheets of a mail say of elements.
#[derive(Default)]
pub struct Sheet {
    rules: Vec<Rule>,
    /// What they show themselves, or hold that is not followed: a person must look.
    pub content: Vec<String>,
}

/// What stands in front of a brace.
enum Prelude {
    /// Elements.
    Selectors(String),
    /// A condition: what is in it is taken to count.
    Condition,
    /// Something that is about no element.
    Apart,
}

impl Sheet {
    /// Takes in the text of a `style` element.
    pub fn read(&mut self, text: &str) {
        let Some(text) = uncommented(&text.replace("<!--", " ").replace("-->", " ").to_ascii_lowercase()) else {
            return self.strange("a style sheet that can't be followed");
        };
        let mut stack: Vec<Prelude> = Vec::new();
        let mut buffer = String::new();
        for c in text.chars() {
            match c {
                '{' => {
                    // Declarations of the rule around it may stand before.
                    let (declared, prelude) = match stack.is_empty() {
                        true => at_rules(&buffer),
                        false => buffer.rsplit_once(';').unwrap_or(("", &buffer)),
                    };
                    match stack.is_empty() {
                        true => self.statements(declared),
                        false => self.declared(&stack, declared),
                    }
                    let prelude = self.prelude(prelude.trim());
                    stack.push(prelude);
                    buffer.clear();
                    if stack.len() > DEEPEST {
                        return self.strange("a style sheet that can't be followed");
                    }
                }
                '}' => {
                    self.declared(&stack, &buffer);
                    stack.pop();
                    buffer.clear();
                }
                c => buffer.push(c),
            }
        }
        match stack.is_empty() {
            true => self.statements(&buffer),
            false => self.declared(&stack, &buffer),
        }
    }

    fn strange(&mut self, why: &str) {
        self.content.push(why.to_owned());
    }

    /// `@import …;` and the like.
    fn statements(&mut self, text: &str) {
        for one in text.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            let fonts = one.starts_with("@import") && one.contains("//fonts.googleapis.com/");
            if !(fonts || one.starts_with("@charset") || one.starts_with("@namespace")) {
                self.strange("a style sheet that is elsewhere or can't be followed");
            }
        }
    }

    fn prelude(&mut self, text: &str) -> Prelude {
        let Some(rule) = text.strip_prefix('@') else { return Prelude::Selectors(text.to_owned()) };
        let word = rule.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
        match word {
            "media" | "supports" | "layer" | "container" => Prelude::Condition,
            "font-face" | "page" | "list" | "viewport" | "-ms-viewport" => Prelude::Apart,
            // What moves must be declared of an element too.
            "keyframes" | "-webkit-keyframes" | "-moz-keyframes" => Prelude::Apart,
            _ => {
                self.strange("a style sheet that can't be followed");
                Prelude::Condition
            }
        }
    }

    /// Takes in the declarations of the innermost rule.
    fn declared(&mut self, stack: &[Prelude], text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if stack.iter().any(|prelude| matches!(prelude, Prelude::Apart)) {
            let fonts = ["https://fonts.gstatic.com/", "http://fonts.gstatic.com/"];
            if text.contains("url(") && !fonts.iter().any(|host| text.contains(host)) {
                self.strange("letters of its own");
            }
            return;
        }
        let mut bare = String::new();
        for one in text.split(';') {
            match one.split_once(':') {
                Some((name, value)) if name.trim() == "content" => {
                    let value = value.replace("!important", "");
                    if !matches!(value.trim(), "none" | "normal" | "\"\"" | "''" | "" | "\" \"" | "' '") {
                        self.content.push(format!("a style sheet adds {}", value.trim()));
                    }
                }
                _ => {
                    bare.push_str(one);
                    bare.push(';');
                }
            }
        }
        let unit = Unit::new(&bare);
        if unit.changes_nothing() {
            return;
        }
        let selectors = stack.iter().rev().find_map(|prelude| match prelude {
            Prelude::Selectors(text) => Some(text.as_str()),
            _ => None,
        });
        for selector in pieces(selectors.unwrap_or("*")) {
            if self.rules.len() >= MOST_RULES {
                return self.strange("a style sheet that is too long");
            }
            self.rules.extend(rule_of(&selector, &unit));
        }
    }

    /// What is said of an element with this name, these classes and this id.
    pub fn of(&self, name: &str, classes: &str, id: &str) -> Vec<&Unit> {
        let classes: Vec<&str> = classes.split_whitespace().collect();
        let fits = |rule: &&Rule| {
            rule.name.as_ref().is_none_or(|one| one == name)
                && rule.id.as_ref().is_none_or(|one| one == id)
                && rule.classes.iter().all(|class| classes.contains(&class.as_str()))
        };
        self.rules.iter().filter(fits).map(|rule| &rule.unit).collect()
    }
}

/// What stands before the last prelude outside of all rules: statements that end in `;`.
fn at_rules(text: &str) -> (&str, &str) {
    text.rsplit_once(';').unwrap_or(("", text))
}

/// Selectors, apart by commas that are in no brackets.
fn pieces(selectors: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut depth = 0usize;
    for c in selectors.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, pieces.last_mut()) {
            (',', _) if depth == 0 => pieces.push(String::new()),
            (c, Some(last)) => last.push(c),
            _ => {}
        }
    }
    pieces
}

/// The rule of one selector, lower case: what its last part says of the element itself.
fn rule_of(selector: &str, unit: &Unit) -> Option<Rule> {
    // Outlook's drawings and tags.
    let selector = ["v", "o", "w", "x", "st1"]
        .iter()
        .fold(selector.to_owned(), |text, name| text.replace(&format!("{name}\\:"), &format!("{name}-")));
    // Attributes may hold any sign.
    let mut bare = String::new();
    let mut depth = 0usize;
    for c in selector.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            c => bare.push(c),
        }
    }
    let any = Rule { name: None, id: None, classes: Vec::new(), unit: unit.clone() };
    if bare.contains(['\\', '&', '"', '\'']) {
        return Some(any);
    }
    let last = bare.split([' ', '>', '+', '~', '\n', '\r', '\t', '\u{c}']).rfind(|part| !part.is_empty());
    // `[data-x]` alone fits every element.
    let last = last.or(selector.contains(['[', '(']).then_some("*"))?;
    let last = last.split(':').next().unwrap_or_default();
    let mut rule = any;
    let start = last.find(['.', '#']).unwrap_or(last.len());
    let (name, mut rest) = last.split_at(start);
    let name = name.rsplit('|').next().unwrap_or_default();
    rule.name = Some(name.to_owned()).filter(|name| !name.is_empty() && name != "*");
    while let Some(sign) = rest.chars().next() {
        let behind = &rest[1..];
        let (one, after) = behind.split_at(behind.find(['.', '#']).unwrap_or(behind.len()));
        match sign {
            '#' => rule.id = Some(one.to_owned()),
            _ => rule.classes.push(one.to_owned()),
        }
        rest = after;
    }
    Some(rule)
}

/// Without comments. `None`: texts in it hold signs of the sheet itself.
fn uncommented(text: &str) -> Option<String> {
    let mut whole = String::new();
    let mut rest = text.chars().peekable();
    let mut quote = None::<char>;
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(end), c) if c == end => {
                quote = None;
                whole.push(c);
            }
            (Some(_), '{' | '}' | ';' | '\\' | '\n' | '*') => return None,
            (None, '/') if rest.peek() == Some(&'*') => {
                rest.next();
                let mut last = ' ';
                loop {
                    let Some(c) = rest.next() else { return Some(whole) };
                    if (last, c) == ('*', '/') {
                        break;
                    }
                    last = c;
                }
                whole.push(' ');
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                whole.push(c);
            }
            (_, c) => whole.push(c),
        }
    }
    quote.is_none().then_some(whole)
}
