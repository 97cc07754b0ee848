//! How an element of HTML shows its text, as far as it decides whether a person sees it and in which order: by a list of what
//! changes nothing about that. Whatever is declared besides hides the element here.

mod allowed;
mod colour;
mod sheet;
mod tables;

pub use colour::{Rgb, colour};
pub use sheet::Sheet;

use allowed::{Effect, effect};
use colour::{Colour, contrast, over};

/// Letters and what is behind them must be this far apart (WCAG 2 contrast).
const LEGIBLE: f32 = 1.5;
/// Smaller letters are not read, pixels.
const SMALLEST: f32 = 6.0;
/// Larger ones may push others out of sight.
const LARGEST: f32 = 120.0;
/// Less opaque is not read.
const FAINTEST: f32 = 0.5;
/// More ways in which an element may be coloured are not followed.
const MOST_SHADES: usize = 24;

/// The colour of letters, and of what is behind them.
type Shade = (Rgb, Rgb);

/// What an element inherits.
#[derive(Clone, Debug)]
pub struct Paint {
    /// The colours that it may have: which rule of a sheet counts is not always known.
    shades: Vec<Shade>,
    /// Pixels.
    size: f32,
    opacity: f32,
    /// Struck through, by it or by an element around it.
    pub struck: bool,
    /// Hidden likewise.
    pub hidden: bool,
}

impl Default for Paint {
    fn default() -> Self {
        Self { shades: vec![([0; 3], [255; 3])], size: 16.0, opacity: 1.0, struck: false, hidden: false }
    }
}

/// What some declarations do together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    ink: Option<Colour>,
    paper: Option<Colour>,
    /// Pixels, or how often the size around it.
    size: Option<allowed::Size>,
    opacity: Option<f32>,
    struck: bool,
    hidden: bool,
    /// Something is declared that is not known to change nothing.
    pub strange: bool,
    important: bool,
}

impl Unit {
    /// Reads declarations: `display:none;color:#fff`.
    pub fn new(style: &str) -> Self {
        let mut unit = Self::default();
        let style = style.to_ascii_lowercase();
        // Escapes and comments are read by programs in ways of their own.
        unit.strange |= style.contains(['\\', '{', '}']) || style.contains("/*") || style.contains("<!--");
        for one in style.split(';').filter(|one| !one.trim().is_empty()) {
            let Some((name, value)) = one.split_once(':') else {
                unit.strange = true;
                continue;
            };
            let (name, value) = (name.trim(), value.split_whitespace().collect::<Vec<_>>().join(" "));
            let important = value.strip_suffix("!important").or(value.strip_suffix("! important"));
            unit.important |= important.is_some();
            unit.take(effect(name, important.unwrap_or(&value).trim()));
        }
        unit
    }

    fn take(&mut self, effect: Effect) {
        // Which of two different ones counts is not always known.
        fn once<T: PartialEq>(place: &mut Option<T>, new: T) -> bool {
            let again = place.as_ref().is_some_and(|old| *old != new);
            *place = Some(new);
            again
        }
        match effect {
            Effect::Nothing => {}
            Effect::Ink(ink) => self.strange |= once(&mut self.ink, ink),
            Effect::Paper(paper) => self.strange |= once(&mut self.paper, paper),
            Effect::Size(size) => self.strange |= once(&mut self.size, size),
            Effect::Opacity(opacity) => self.strange |= once(&mut self.opacity, opacity),
            Effect::Struck => self.struck = true,
            Effect::Hides => self.hidden = true,
            Effect::Strange => self.strange = true,
        }
    }

    /// The colour of letters, by an attribute.
    pub fn of_ink(text: &str) -> Self {
        match colour(text) {
            Some(ink) => Self { ink: Some(ink), ..Self::default() },
            None => Self { strange: !text.trim().is_empty(), ..Self::default() },
        }
    }

    /// The colour behind them, by an attribute.
    pub fn of_paper(text: &str) -> Self {
        let Self { ink, strange, .. } = Self::of_ink(text);
        Self { paper: ink, strange, ..Self::default() }
    }

    /// Letters this many times as large.
    pub fn of_size(times: f32) -> Self {
        Self { size: Some(allowed::Size::Times(times)), ..Self::default() }
    }

    /// Something that is not known.
    pub fn of_strange(strange: bool) -> Self {
        Self { strange, ..Self::default() }
    }

    /// Nobody sees what it is about, and nothing in its place.
    pub fn is_gone(&self) -> bool {
        self.hidden && !self.struck
    }

    fn changes_nothing(&self) -> bool {
        *self == Self { important: self.important, ..Self::default() }
    }

    fn colours(&self, (ink, paper): Shade) -> Shade {
        let behind = match self.paper {
            Some(colour) => over(colour, paper),
            None => paper,
        };
        let letters = match self.ink {
            Some(colour) => over(colour, behind),
            None => ink,
        };
        (letters, behind)
    }
}

impl Paint {
    /// Whether letters can be told from what is behind them, and are not too small.
    pub fn is_legible(&self) -> bool {
        let size = (SMALLEST..=LARGEST).contains(&self.size);
        size && self.opacity >= FAINTEST && self.shades.iter().all(|(ink, paper)| contrast(*ink, *paper) >= LEGIBLE)
    }

    /// Takes in what rules may say of an element, and what it says itself.
    pub fn take(&mut self, rules: &[&Unit], own: &[&Unit]) {
        let decided = !rules.iter().any(|rule| rule.important);
        let all = || rules.iter().chain(own);
        self.struck |= all().any(|unit| unit.struck);
        self.hidden |= all().any(|unit| unit.hidden || unit.strange);
        all().filter_map(|unit| unit.opacity).for_each(|opacity| self.opacity *= opacity);
        let around = self.size;
        let told = |units: &[&Unit]| -> Vec<f32> {
            units.iter().filter_map(|unit| unit.size).map(|size| size.within(around)).collect()
        };
        let (of_rules, of_own) = (told(rules), told(own));
        let least = |sizes: &[f32]| sizes.iter().copied().fold(f32::INFINITY, f32::min);
        // Each of them must be read.
        let off = |size: &f32| !(SMALLEST..=LARGEST).contains(size);
        self.size = match (of_own.is_empty(), of_rules.is_empty()) {
            (true, true) => around,
            (false, true) => least(&of_own),
            (false, false) if decided => least(&of_own),
            (false, false) => least(&of_own).min(least(&of_rules)),
            (true, false) => least(&of_rules).min(around),
        };
        self.hidden |= of_own.iter().any(off) || !decided && of_rules.iter().any(off);
        let mut inks: Vec<&Unit> =
            rules.iter().filter(|unit| unit.ink.is_some() || unit.paper.is_some()).copied().collect();
        let own_colours: Vec<&Unit> =
            own.iter().filter(|unit| unit.ink.is_some() || unit.paper.is_some()).copied().collect();
        if decided
            && own_colours.iter().any(|unit| unit.ink.is_some())
            && own_colours.iter().any(|unit| unit.paper.is_some())
        {
            inks.clear();
        }
        let mut shades = self.shades.clone();
        for rule in inks {
            for shade in shades.clone() {
                let alternatives = [
                    rule.colours(shade),
                    Unit { paper: None, ..rule.clone() }.colours(shade),
                    Unit { ink: None, ..rule.clone() }.colours(shade),
                ];
                // One rule sets both at once; of several one may set this and another that.
                let count = if shades.len() > self.shades.len() { 3 } else { 1 };
                alternatives.into_iter().take(count).for_each(|one| add(&mut shades, one));
            }
        }
        for unit in &own_colours {
            let mut changed = Vec::new();
            shades.iter().for_each(|shade| add(&mut changed, unit.colours(*shade)));
            match decided {
                true => shades = changed,
                false => changed.into_iter().for_each(|one| add(&mut shades, one)),
            }
        }
        self.hidden |= shades.len() > MOST_SHADES;
        shades.truncate(MOST_SHADES);
        self.shades = shades;
    }

    /// What a link is shown in if nothing else is said.
    pub fn as_link(&mut self) {
        for (_, paper) in self.shades.clone() {
            add(&mut self.shades, ([0, 0, 238], paper));
        }
    }

    /// What older programs show in a table: the colours outside of it.
    pub fn as_table(&mut self, outside: &Paint) {
        for (ink, _) in &outside.shades {
            for (_, paper) in self.shades.clone() {
                add(&mut self.shades, (*ink, paper));
            }
        }
        self.hidden |= self.shades.len() > MOST_SHADES;
        self.shades.truncate(MOST_SHADES);
    }
}

fn add(shades: &mut Vec<Shade>, shade: Shade) {
    if !shades.contains(&shade) && shades.len() <= MOST_SHADES {
        shades.push(shade);
    }
}

#[cfg(test)]
mod tests;
