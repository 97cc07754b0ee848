//! The declarations that are known, and what each does to a text. Every list here is of what is allowed.

use super::colour::{Colour, colour};
use super::tables::{FREE, OFFICE, WORDS};

/// What one declaration does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Nothing about whether, where and in which order a text is read.
    Nothing,
    /// The colour of the letters.
    Ink(Colour),
    /// What is behind them.
    Paper(Colour),
    /// Their size.
    Size(Size),
    /// How opaque it is.
    Opacity(f32),
    /// They are struck through.
    Struck,
    /// Nobody sees it, and something else is not in its place.
    Hides,
    /// Not known.
    Strange,
}
use Effect::{Hides, Ink, Nothing, Opacity, Paper, Strange, Struck};

/// A size of letters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// Pixels.
    Pixels(f32),
    /// Of the size around it.
    Times(f32),
}

impl Size {
    /// In pixels.
    pub fn within(self, around: f32) -> f32 {
        match self {
            Size::Pixels(pixels) => pixels,
            Size::Times(times) => times * around,
        }
    }
}

/// What a declaration does; both lower case.
pub fn effect(name: &str, value: &str) -> Effect {
    // A name for a value: where it is used, it is not known.
    if name.starts_with("--") {
        return Nothing;
    }
    // `url(…)`, `var(…)`, `calc(…)`, `attr(…)`; of those with brackets only colours are known.
    let called = value.contains(['(', ')']) && name != "behavior" && !colours_only(value);
    if called || value.contains(['<', '>', '@', '`', '=']) {
        return Strange;
    }
    let nothing_if = |good: bool| if good { Nothing } else { Strange };
    let each =
        |good: &dyn Fn(&str) -> bool| nothing_if(!value.is_empty() && words(value).iter().all(|word| good(word)));
    if let Some((_, all)) = WORDS.iter().find(|(one, _)| *one == name)
        && words(value).iter().all(|word| all.split(' ').any(|one| one == word))
    {
        return nothing_if(!value.is_empty());
    }
    match name {
        "color" | "-webkit-text-fill-color" => match value {
            "inherit" | "unset" | "currentcolor" => Nothing,
            "initial" | "revert" | "text" | "auto" => Ink(([0; 3], 255)),
            "link" | "linktext" | "-webkit-link" => Ink(([0, 0, 238], 255)),
            _ => match colour(value) {
                Some((_, alpha)) if alpha < 127 => Hides,
                Some(ink) => Ink(ink),
                None => Strange,
            },
        },
        "background-color" | "background" => paper(value),
        "text-decoration" | "text-decoration-line" | "-webkit-text-decoration" | "-webkit-text-decoration-line" => {
            match words(value) {
                all if all.iter().any(|word| word == "line-through") => Struck,
                _ => each(&|word| {
                    matches!(
                        word,
                        "none"
                            | "underline"
                            | "initial"
                            | "inherit"
                            | "solid"
                            | "auto"
                            | "currentcolor"
                            | "dotted"
                            | "unset"
                    ) || colour(word).is_some()
                        || pixels(word).is_some_and(|size| (0.0..=2.0).contains(&size))
                }),
            }
        }
        "text-decoration-thickness" | "text-underline-offset" => each(&|word| {
            word == "auto" || word == "initial" || pixels(word).is_some_and(|size| (0.0..=3.0).contains(&size))
        }),
        "text-underline" => nothing_if(value.chars().all(|c| c.is_ascii_alphabetic() || c == '-')),
        "font-weight" => each(&|word| {
            matches!(word, "normal" | "bold" | "bolder" | "lighter" | "inherit" | "initial")
                || word.parse::<u16>().is_ok_and(|weight| (100..=900).contains(&weight))
        }),
        "font-size" => size(value).map_or(Strange, Effect::Size),
        "font" => font(value),
        "line-height" => each(&|word| line_height(word)),
        "opacity" => match value.parse::<f32>() {
            Ok(opacity) => Opacity(opacity.clamp(0.0, 1.0)),
            Err(_) => nothing_if(matches!(value, "inherit" | "initial" | "unset")),
        },
        "display" => match value {
            "none" => Hides,
            "block" | "inline" | "inline-block" | "list-item" | "table" | "table-cell" | "table-row"
            | "inline-table" | "table-row-group" | "initial" | "unset" | "revert" | "inherit" => Nothing,
            _ => Strange,
        },
        "visibility" => match value {
            "hidden" | "collapse" => Hides,
            other => nothing_if(matches!(other, "visible" | "inherit" | "initial" | "unset")),
        },
        "mso-hide" => {
            if value == "all" {
                Hides
            } else {
                Strange
            }
        }
        "position" => nothing_if(matches!(value, "static" | "relative" | "initial")),
        "top" | "left" | "right" | "bottom" => nothing_if(matches!(value, "0" | "0px" | "auto" | "initial")),
        "overflow" | "overflow-x" | "overflow-y" => nothing_if(matches!(value, "visible" | "auto" | "initial")),
        "width" | "max-width" | "height" | "max-height" => match pixels(value).or(part(value)) {
            Some(0.0) => Hides,
            Some(size) => nothing_if(size > 0.0),
            None => nothing_if(matches!(
                value,
                "none" | "auto" | "inherit" | "initial" | "fit-content" | "max-content" | "min-content"
            )),
        },
        "min-width" | "min-height" => match pixels(value).or(part(value)) {
            Some(size) => nothing_if((0.0..=1000.0).contains(&size)),
            None => nothing_if(matches!(value, "auto" | "none" | "initial")),
        },
        "vertical-align" => each(&|word| {
            ["baseline", "top", "middle", "bottom", "sub", "super", "text-top", "text-bottom", "inherit", "initial"]
                .contains(&word)
                || pixels(word).is_some_and(|size| (-4.0..=4.0).contains(&size))
        }),
        "letter-spacing" => each(&|word| {
            matches!(word, "normal" | "inherit" | "initial")
                || pixels(word).is_some_and(|size| (-1.0..=4.0).contains(&size))
        }),
        "word-spacing" => each(&|word| {
            matches!(word, "normal" | "inherit" | "initial")
                || pixels(word).is_some_and(|size| (0.0..=10.0).contains(&size))
        }),
        "text-indent" => {
            each(&|word| word == "initial" || pixels(word).is_some_and(|size| (0.0..=100.0).contains(&size)))
        }
        "outline" | "outline-width" | "outline-style" => each(&|word| matches!(word, "none" | "0" | "0px" | "initial")),
        "border-spacing" => each(&|word| pixels(word).is_some_and(|size| (0.0..=40.0).contains(&size))),
        "caption-side" => nothing_if(value == "top"),
        _ if name.starts_with("margin") || name.starts_with("padding") => {
            let sides = ["margin", "padding"].iter().filter_map(|start| name.strip_prefix(start)).collect::<String>();
            let known = ["", "-top", "-bottom", "-left", "-right", "-block", "-inline", "-block-start", "-block-end"];
            let known = known.contains(&sides.as_str()) || matches!(sides.as_str(), "-inline-start" | "-inline-end");
            let fits = |word: &str| {
                matches!(word, "auto" | "inherit" | "initial" | "unset")
                    || pixels(word).is_some_and(|size| (0.0..=400.0).contains(&size))
                    || part(word).is_some_and(|part| (0.0..=50.0).contains(&part))
            };
            if known { each(&fits) } else { Strange }
        }
        _ if name.starts_with("border") => border(name, value),
        _ if OFFICE.iter().any(|start| name.starts_with(start)) || FREE.contains(&name) => match name {
            "mso-element" => nothing_if(matches!(value, "para-border-div" | "header" | "footer")),
            _ => Nothing,
        },
        _ => Strange,
    }
}

/// The words of a value; what stands in brackets belongs to its word.
fn words(value: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut depth = 0usize;
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, words.last_mut()) {
            (' ', _) if depth == 0 => words.push(String::new()),
            (c, Some(last)) => last.push(c),
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn colours_only(value: &str) -> bool {
    words(value).iter().filter(|word| word.contains(['(', ')'])).all(|word| colour(word).is_some())
}

fn paper(value: &str) -> Effect {
    const PLAIN: [&str; 18] = [
        "none",
        "initial",
        "inherit",
        "unset",
        "repeat",
        "no-repeat",
        "scroll",
        "0%",
        "0",
        "0px",
        "left",
        "top",
        "auto",
        "padding-box",
        "border-box",
        "50%",
        "center",
        "repeat-x",
    ];
    let rest: Vec<String> =
        words(value).into_iter().filter(|word| word != "/" && !PLAIN.contains(&word.as_str())).collect();
    match rest.as_slice() {
        [] if !value.is_empty() => Nothing,
        [one] => match colour(one) {
            Some((_, 0)) => Nothing,
            Some(paper) => Paper(paper),
            None => Strange,
        },
        _ => Strange,
    }
}

fn border(name: &str, value: &str) -> Effect {
    let rest = name.strip_prefix("border").unwrap_or_default();
    let known = |part: &str| {
        matches!(
            part,
            "" | "-top" | "-bottom" | "-left" | "-right" | "-color" | "-style" | "-width" | "-radius" | "-image"
        )
    };
    let (side, kind) = match rest.rfind('-') {
        Some(at) if at > 0 => rest.split_at(at),
        _ => ("", rest),
    };
    let corner = name.ends_with("-radius");
    let fits = |word: &str| {
        const STYLES: [&str; 12] = [
            "none",
            "solid",
            "dotted",
            "dashed",
            "double",
            "inset",
            "outset",
            "groove",
            "ridge",
            "initial",
            "hidden",
            "windowtext",
        ];
        let widths = ["medium", "thin", "thick", "currentcolor", "inherit", "transparent", "/"];
        STYLES.contains(&word)
            || widths.contains(&word)
            || colour(word).is_some()
            || pixels(word).is_some_and(|size| (0.0..=if corner { 100.0 } else { 12.0 }).contains(&size))
            || corner && part(word).is_some()
            || name == "border-image" && matches!(word, "100%" | "1" | "0" | "stretch" | "none")
    };
    let logical = matches!(
        side,
        "" | "-top" | "-bottom" | "-left" | "-right" | "-top-left" | "-top-right" | "-bottom-left" | "-bottom-right"
    );
    let good = logical && known(kind) && !value.is_empty() && words(value).iter().all(|word| fits(word));
    if good { Nothing } else { Strange }
}

/// A length in pixels.
fn pixels(text: &str) -> Option<f32> {
    if text == "0" || text == "-0" {
        return Some(0.0);
    }
    let units = [
        ("px", 1.0),
        ("pt", 4.0 / 3.0),
        ("rem", 16.0),
        ("em", 16.0),
        ("ex", 8.0),
        ("ch", 8.0),
        ("pc", 16.0),
        ("cm", 37.8),
        ("mm", 3.78),
        ("in", 96.0),
    ];
    let (number, each) = units.iter().find_map(|(unit, each)| Some((text.strip_suffix(unit)?, each)))?;
    plain(number).map(|number| number * each)
}

/// A number as it is usually written.
fn plain(number: &str) -> Option<f32> {
    let usual = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    number.parse::<f32>().ok().filter(|_| usual)
}

fn part(text: &str) -> Option<f32> {
    plain(text.strip_suffix('%')?)
}

fn size(value: &str) -> Option<Size> {
    Some(match value {
        "inherit" | "unset" | "100%" | "1em" => Size::Times(1.0),
        "initial" | "medium" => Size::Pixels(16.0),
        "xx-small" => Size::Pixels(9.0),
        "x-small" => Size::Pixels(10.0),
        "small" => Size::Pixels(13.0),
        "large" => Size::Pixels(18.0),
        "x-large" => Size::Pixels(24.0),
        "xx-large" => Size::Pixels(32.0),
        "smaller" => Size::Times(0.83),
        "larger" => Size::Times(1.2),
        _ => {
            if let Some(part) = part(value) {
                return Some(Size::Times(part / 100.0));
            }
            if value.ends_with("em") && !value.ends_with("rem") {
                return plain(value.strip_suffix("em")?).map(Size::Times);
            }
            Size::Pixels(pixels(value)?)
        }
    })
}

fn line_height(word: &str) -> bool {
    matches!(word, "normal" | "inherit" | "initial" | "unset")
        || plain(word).is_some_and(|times| (0.8..=5.0).contains(&times))
        || part(word).is_some_and(|part| (80.0..=500.0).contains(&part))
        || word.ends_with("em") && pixels(word).is_some_and(|size| (12.8..=80.0).contains(&size))
        || !word.ends_with("em") && pixels(word).is_some_and(|size| (8.0..=120.0).contains(&size))
}

/// `normal 12px/1.5 arial, sans-serif`.
fn font(value: &str) -> Effect {
    if matches!(value, "inherit" | "initial" | "unset") {
        return Nothing;
    }
    let all = words(value);
    let before = |word: &String| {
        matches!(word.as_str(), "normal" | "bold" | "italic" | "oblique" | "small-caps" | "bolder" | "lighter")
            || word.parse::<u16>().is_ok_and(|weight| (100..=900).contains(&weight))
    };
    let Some(at) = all.iter().position(|word| !before(word)) else { return Strange };
    let (letters, line) = all[at].split_once('/').unwrap_or((&all[at], "normal"));
    match size(letters) {
        Some(size) if line_height(line) && at + 1 < all.len() && all[at + 1] != "/" => Effect::Size(size),
        _ => Strange,
    }
}
