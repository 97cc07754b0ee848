//! How an element of HTML shows its text, as far as it decides whether a person sees it: struck through, hidden, in the
//! colour of what is behind it.

/// Colours at least this far apart, in the sum of three channels, can be told from each other.
const LEGIBLE: i32 = 64;
/// Smaller letters are not read, pixels.
const SMALLEST: f32 = 3.0;

/// What an element inherits.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    /// The colour of the letters.
    pub ink: [u8; 3],
    /// What is behind them.
    pub paper: [u8; 3],
    /// Struck through, by it or by an element around it.
    pub struck: bool,
    /// Hidden likewise.
    pub hidden: bool,
}

impl Default for Paint {
    fn default() -> Self {
        Self { ink: [0; 3], paper: [255; 3], struck: false, hidden: false }
    }
}

impl Paint {
    /// Whether letters can be told from what is behind them.
    pub fn is_legible(&self) -> bool {
        let apart = self.ink.iter().zip(self.paper).map(|(ink, paper)| (i32::from(*ink) - i32::from(paper)).abs());
        apart.sum::<i32>() >= LEGIBLE
    }

    /// Takes in declarations: `display:none;color:#fff`.
    pub fn declare(&mut self, style: &str) {
        for (name, value) in declarations(style) {
            match name.as_str() {
                "color" | "-webkit-text-fill-color" => match colour(&value) {
                    _ if is_transparent(&value) => self.hidden = true,
                    Some(ink) => self.ink = ink,
                    None if is_inherited(&value) => {}
                    None => self.hidden = true,
                },
                "background" | "background-color" | "background-image" => match colour(&value) {
                    Some(paper) => self.paper = paper,
                    // Nobody knows here what is behind the letters.
                    None => {
                        self.hidden |= value.contains("gradient") || value.contains("var(") || value.contains("lab(")
                    }
                },
                "text-decoration" | "text-decoration-line" => self.struck |= value.contains("line-through"),
                _ => self.hidden |= hides(&name, &value),
            }
        }
    }
}

fn declarations(style: &str) -> impl Iterator<Item = (String, String)> + '_ {
    style.split(';').filter_map(|one| {
        let (name, value) = one.split_once(':')?;
        let value: String = value.to_ascii_lowercase().replace("!important", "");
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    })
}

fn hides(name: &str, value: &str) -> bool {
    let number = || {
        let digits: String = value.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-')).collect();
        digits.parse::<f32>().ok()
    };
    let small = |most: f32| number().is_some_and(|number| number < most);
    match name {
        "display" => value == "none",
        "visibility" => value == "hidden" || value == "collapse",
        "mso-hide" => value == "all",
        "opacity" => small(0.15),
        // Relative sizes may be small numbers; a zero is none of them.
        "font-size" => small(if value.ends_with("em") || value.ends_with('%') { 0.2 } else { SMALLEST }),
        "max-height" | "max-width" | "height" | "width" => value.len() < 5 && number() == Some(0.0),
        "font" => value.split([' ', '/']).any(|part| matches!(part, "0" | "0px" | "0pt" | "1px")),
        "text-indent" | "left" | "top" | "margin-left" => small(-300.0),
        "clip" | "clip-path" => value != "auto" && value != "none",
        "transform" => value.contains("scale(0"),
        "unicode-bidi" => value.contains("override"),
        _ => false,
    }
}

fn is_transparent(value: &str) -> bool {
    let alpha = value.starts_with("rgba").then(|| value.trim_end_matches(')').rsplit([',', '/']).next()).flatten();
    value == "transparent" || alpha.and_then(|alpha| alpha.trim().parse::<f32>().ok()).is_some_and(|alpha| alpha < 0.15)
}

/// Words for a colour that change nothing here.
fn is_inherited(value: &str) -> bool {
    let words = [
        "inherit",
        "initial",
        "unset",
        "revert",
        "currentcolor",
        "auto",
        "windowtext",
        "text",
        "canvastext",
        "link",
        "linktext",
        "visitedtext",
        "",
    ];
    words.contains(&value.trim())
}

/// `hsl(210, 50%, 40%)`.
fn from_hsl(text: &str) -> Option<[u8; 3]> {
    let (_, inner) = text.split_once("hsl").and_then(|(_, rest)| rest.split_once('('))?;
    let numbers: Vec<f32> = inner
        .split([',', ' ', '/', ')'])
        .filter_map(|part| part.trim().trim_end_matches("deg").trim_end_matches('%').parse().ok())
        .collect();
    let [hue, saturation, lightness, ..] = numbers[..] else { return None };
    let (saturation, lightness) = (saturation / 100.0, lightness / 100.0);
    let strength = saturation * lightness.min(1.0 - lightness);
    let channel = |at: f32| {
        let k = (at + hue / 30.0).rem_euclid(12.0);
        ((lightness - strength * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)) * 255.0) as u8
    };
    Some([channel(0.0), channel(8.0), channel(4.0)])
}

/// `#fff`, `#ffffff`, `rgb(…)`, `hsl(…)`, and the names that mails use. `None`: not known.
pub fn colour(text: &str) -> Option<[u8; 3]> {
    let word = text.split([' ', ';']).next().unwrap_or_default();
    if let Some(hex) = word.strip_prefix('#') {
        let one = |at: usize| u8::from_str_radix(hex.get(at..at + 1)?, 16).ok().map(|half| half * 17);
        let two = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        return match hex.len() {
            3 | 4 => Some([one(0)?, one(1)?, one(2)?]),
            6 | 8 => Some([two(0)?, two(2)?, two(4)?]),
            _ => None,
        };
    }
    if let Some((_, inner)) = text.split_once("rgb").and_then(|(_, rest)| rest.split_once('(')) {
        let numbers: Vec<f32> = inner
            .trim_end_matches(')')
            .split([',', ' ', '/'])
            .filter_map(|part| part.trim().trim_end_matches(')').parse().ok())
            .collect();
        return match numbers.as_slice() {
            [_, _, _, alpha, ..] if *alpha < 0.15 => None,
            [r, g, b, ..] => Some([*r as u8, *g as u8, *b as u8]),
            _ => None,
        };
    }
    if text.contains("hsl") {
        return from_hsl(text);
    }
    Some(match word {
        "white" | "snow" | "ivory" | "ghostwhite" | "whitesmoke" => [255; 3],
        "black" => [0; 3],
        "red" => [255, 0, 0],
        "blue" => [0, 0, 255],
        "navy" => [0, 0, 128],
        "green" => [0, 128, 0],
        "gray" | "grey" => [128; 3],
        "silver" | "lightgray" | "lightgrey" => [192; 3],
        "yellow" => [255, 255, 0],
        "orange" => [255, 165, 0],
        "purple" => [128, 0, 128],
        "maroon" | "darkred" => [139, 0, 0],
        "teal" | "darkcyan" => [0, 128, 128],
        "olive" => [128, 128, 0],
        "darkblue" | "midnightblue" => [0, 0, 139],
        "darkgreen" => [0, 100, 0],
        "dimgray" | "dimgrey" => [105; 3],
        "darkgray" | "darkgrey" => [169; 3],
        "slategray" | "slategrey" => [112, 128, 144],
        "steelblue" => [70, 130, 180],
        "royalblue" => [65, 105, 225],
        "crimson" | "firebrick" => [178, 34, 34],
        "brown" => [165, 42, 42],
        "fuchsia" | "magenta" => [255, 0, 255],
        "aqua" | "cyan" => [0, 255, 255],
        "lime" => [0, 255, 0],
        "pink" => [255, 192, 203],
        "gold" => [255, 215, 0],
        "tomato" | "coral" | "orangered" => [255, 99, 71],
        "indigo" => [75, 0, 130],
        _ => return None,
    })
}

/// More rules than a mail has need of.
const MOST_RULES: usize = 2_000;

/// What a rule is about, as far as the element itself tells: what stands around it, attributes and states are taken to fit.
struct Rule {
    name: Option<String>,
    id: Option<String>,
    classes: Vec<String>,
    declared: String,
}

/// What the style sheets of a mail say of elements, as far as it hides, strikes, colours or adds text.
#[derive(Default)]
pub struct Sheet {
    rules: Vec<Rule>,
    /// Texts that the style sheet itself shows.
    pub content: Vec<String>,
}

impl Sheet {
    /// Takes in the text of a `style` element.
    pub fn read(&mut self, text: &str) {
        let text = uncommented(text);
        for rule in text.split('}') {
            // The last brace: a media query stands before it.
            let Some((selectors, declared)) = rule.rsplit_once('{') else { continue };
            let lower = declared.to_ascii_lowercase();
            if let Some((_, value)) = declarations(&lower).find(|(name, _)| name == "content") {
                let shown = value.chars().any(char::is_alphanumeric) && value.contains(['"', '\'']);
                self.content.extend(shown.then_some(value));
            }
            let mut paint = Paint::default();
            paint.declare(&lower);
            if !(paint.hidden
                || paint.struck
                || !paint.is_legible()
                || lower.contains("color")
                || lower.contains("background"))
            {
                continue;
            }
            for selector in selectors.rsplit('{').next().unwrap_or_default().split(',') {
                if self.rules.len() >= MOST_RULES {
                    self.content.push("a style sheet that is too long".into());
                    return;
                }
                self.rules.extend(rule_of(&selector.to_ascii_lowercase(), &lower));
            }
        }
    }

    /// Takes in what is said of an element with this name, these classes and this id.
    pub fn apply(&self, paint: &mut Paint, name: &str, classes: &str, id: &str) {
        let classes: Vec<&str> = classes.split_whitespace().collect();
        for rule in &self.rules {
            let named =
                rule.name.as_ref().is_none_or(|one| one == name) && rule.id.as_ref().is_none_or(|one| one == id);
            if named && rule.classes.iter().all(|class| classes.contains(&class.as_str())) {
                paint.declare(&rule.declared);
            }
        }
    }
}

/// The rule of one selector, lower case: what its last part says of the element itself.
fn rule_of(selector: &str, declared: &str) -> Option<Rule> {
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
    let last = bare.split([' ', '>', '+', '~', '\n', '\r', '\t']).rfind(|part| !part.is_empty());
    // `[data-x]` alone fits every element.
    let last = last.or(selector.contains('[').then_some("*"))?;
    let last = last.split(':').next().unwrap_or_default();
    let mut rule = Rule { name: None, id: None, classes: Vec::new(), declared: declared.to_owned() };
    let start = last.find(['.', '#']).unwrap_or(last.len());
    let (name, mut rest) = last.split_at(start);
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

fn uncommented(text: &str) -> String {
    let text = text.replace("<!--", "").replace("-->", "");
    let mut whole = String::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once("/*") {
        whole.push_str(before);
        rest = behind.split_once("*/").map_or("", |(_, after)| after);
    }
    whole + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(style: &str) -> Paint {
        let mut paint = Paint::default();
        paint.declare(style);
        paint
    }

    #[test]
    fn what_nobody_sees_is_hidden_in_each_way_that_hides() {
        for style in [
            "display:none",
            "visibility: hidden",
            "font-size:0",
            "font-size:1px",
            "opacity:0",
            "color:transparent",
            "color:rgba(0,0,0,0)",
            "font:0/0 a",
            "max-height:0px",
        ] {
            assert!(painted(style).hidden, "{style}");
        }
        for style in
            ["color:#ffffff", "color: white", "color:rgb(255, 255, 255)", "color:#fdfdfd", "color:#000;background:#000"]
        {
            assert!(!painted(style).is_legible(), "{style}");
        }
        for style in
            ["color:#666666", "background:#004080;color:white", "font-size:11.0pt", "font-size:0.8em", "width:0.1px"]
        {
            assert!(!painted(style).hidden && painted(style).is_legible(), "{style}");
        }
    }

    #[test]
    fn a_style_sheet_hides_by_class() {
        let mut sheet = Sheet::default();
        sheet.read(
            "/* x */ p.MsoNormal{margin:0} @media screen { .note { display: none } } .a:before{content:'only if'}",
        );
        let mut paint = Paint::default();
        sheet.apply(&mut paint, "p", "note", "");
        assert!(paint.hidden && sheet.content.len() == 1);
        let mut paint = Paint::default();
        sheet.apply(&mut paint, "p", "msonormal", "");
        assert!(!paint.hidden);
        for selector in [".x.y", "p[data-x]", "[data-x]", "div > p", "p.x:first-child", "*", "p:not(.z)", "#i.x"] {
            let mut sheet = Sheet::default();
            sheet.read(&format!("{selector}{{text-decoration:line-through}}"));
            let mut paint = Paint::default();
            sheet.apply(&mut paint, "p", "x y", "i");
            assert!(paint.struck, "{selector}");
            let mut other = Paint::default();
            sheet.apply(&mut other, "td", "z", "");
            assert_eq!(other.struck, ["[data-x]", "*"].contains(&selector), "{selector}");
        }
        assert!(!painted("color:hsl(0, 0%, 100%)").is_legible() && painted("color:hsl(210 50% 40%)").is_legible());
        assert!(painted("color:var(--x)").hidden && !painted("color:inherit").hidden);
    }
}
