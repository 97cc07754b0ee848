//! Styles by role. Good whispers, bad speaks; without colour the weight and the words remain.

use crate::app::Palette;
use ratatui::style::{Color, Modifier, Style};

/// The styles of a palette.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Which colours.
    pub palette: Palette,
}

impl Theme {
    /// By palette: sixteen, dark, light, contrast.
    fn paint(self, [sixteen, dark, light, contrast]: [u8; 4]) -> Style {
        let place = match self.palette {
            Palette::None => return Style::new(),
            Palette::Sixteen => sixteen,
            Palette::Dark => dark,
            Palette::Light => light,
            Palette::Contrast => contrast,
        };
        Style::new().fg(Color::Indexed(place))
    }

    /// The same, on a ground.
    fn on(self, style: Style, [sixteen, dark, light, contrast]: [u8; 4]) -> Style {
        let place = match self.palette {
            Palette::None => return style.add_modifier(Modifier::REVERSED),
            Palette::Sixteen => sixteen,
            Palette::Dark => dark,
            Palette::Light => light,
            Palette::Contrast => contrast,
        };
        style.bg(Color::Indexed(place))
    }

    /// Ordinary text.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// Headings and what comes first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Labels, ages, evidence of what is well: it may be overlooked, and can be read all the same.
    pub fn quiet(self) -> Style {
        match self.palette {
            Palette::Sixteen => Style::new().add_modifier(Modifier::DIM),
            _ => self.paint([0, 246, 241, 7]),
        }
    }

    /// Rules and the empty parts of bars: never text.
    pub fn line(self) -> Style {
        self.paint([8, 239, 250, 7])
    }

    /// Done, in sync, confirmed.
    pub fn good(self) -> Style {
        self.paint([2, 108, 22, 10])
    }

    /// Needs a look.
    pub fn warn(self) -> Style {
        self.paint([3, 179, 94, 11])
    }

    /// Failed, shut, differs.
    pub fn bad(self) -> Style {
        self.paint([1, 203, 160, 9]).add_modifier(Modifier::BOLD)
    }

    /// Running, open now.
    pub fn busy(self) -> Style {
        self.paint([6, 80, 23, 14])
    }

    /// What is the operator's to do: keys, the focus.
    pub fn hand(self) -> Style {
        self.paint([6, 110, 25, 14]).add_modifier(Modifier::BOLD)
    }

    /// The line of the cursor in the list that has the keys: one solid bar.
    pub fn selected(self) -> Style {
        match self.palette {
            Palette::None | Palette::Sixteen => Style::new().fg(Color::Reset).add_modifier(Modifier::REVERSED),
            _ => self.on(self.paint([0, 231, 16, 0]), [0, 24, 153, 15]),
        }
        .remove_modifier(Modifier::BOLD | Modifier::DIM)
    }

    /// The key of the next action.
    pub fn chip(self) -> Style {
        match self.palette {
            Palette::None | Palette::Sixteen => Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
            _ => self.on(self.paint([0, 16, 231, 0]), [0, 110, 25, 14]).add_modifier(Modifier::BOLD),
        }
    }

    /// The label of production.
    pub fn production(self) -> Style {
        match self.palette {
            Palette::Sixteen => self.paint([1; 4]).add_modifier(Modifier::REVERSED | Modifier::BOLD),
            _ => self.on(self.paint([1, 217, 88, 15]), [1, 88, 217, 1]).add_modifier(Modifier::BOLD),
        }
    }

    /// The label of another environment, the lab's banner.
    pub fn label(self) -> Style {
        self.busy().add_modifier(Modifier::BOLD)
    }
}
