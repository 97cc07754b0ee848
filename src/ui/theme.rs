//! Styles by role, from the 16 ANSI colours only; without colour the modifiers and the words remain.

use ratatui::style::{Color, Modifier, Style};

/// The styles.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Whether colour may be used.
    pub colour: bool,
}

impl Theme {
    fn paint(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Ordinary text.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// Headings and what comes first.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What may be overlooked.
    pub fn quiet(self) -> Style {
        self.paint(Color::DarkGray)
    }

    /// Done, in sync, confirmed.
    pub fn good(self) -> Style {
        self.paint(Color::Green)
    }

    /// Needs a look.
    pub fn warn(self) -> Style {
        self.paint(Color::Yellow)
    }

    /// Failed, shut, differs.
    pub fn bad(self) -> Style {
        self.paint(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Running, for information.
    pub fn busy(self) -> Style {
        self.paint(Color::Cyan)
    }

    /// The selected line of the list that has the keys.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The label of production.
    pub fn production(self) -> Style {
        self.paint(Color::Red).add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// The label of another environment, the lab's banner.
    pub fn label(self) -> Style {
        self.paint(Color::Cyan).add_modifier(Modifier::BOLD)
    }
}
