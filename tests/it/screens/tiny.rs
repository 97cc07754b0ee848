//! Terminals too small for anything: every screen and every dialog is drawn at them without a panic, and comes back whole.

use super::fixture::*;
use changeguard::app::keymap::Key;
use changeguard::app::{Model, Msg, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// Nothing at all, up to three cells either way, and lines of one cell's height or width.
fn sizes() -> Vec<(u16, u16)> {
    let small = (0..=3).flat_map(|columns| (0..=3).map(move |rows| (columns, rows)));
    small.chain((4..=90).step_by(7).flat_map(|length| [(length, 1), (1, length), (length, 2), (2, length)])).collect()
}

fn drawn(model: &Model, (columns, rows): (u16, u16)) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| changeguard::ui::view(model, frame)).unwrap();
    terminal
}

fn survives(mut model: Model, what: &str) {
    let whole = drawn(&model, (80, 24)).backend().to_string();
    for size in sizes() {
        update(&mut model, Msg::Resize(size.0, size.1));
        drawn(&model, size);
        // Keys that come at such a size move something that can't be seen.
        for key in [Key::Down, Key::PageDown, Key::End, Key::Up, Key::PageUp, Key::Home] {
            update(&mut model, Msg::Key(key));
            drawn(&model, size);
        }
        // The model may know another size than the terminal has by then.
        drawn(&model, (size.1, size.0));
    }
    update(&mut model, Msg::Resize(80, 24));
    let again = drawn(&model, (80, 24)).backend().to_string();
    assert_eq!(again.lines().count(), whole.lines().count(), "{what}");
    assert!(again.contains("changeguard") || again.contains("acme"), "{what}:\n{again}");
}

#[test]
fn every_screen_and_every_dialog_is_drawn_at_every_tiny_size() {
    survives(fleet((80, 24)), "the fleet");
    let statuses = [idle, announced, ready, failed, returning, rolling_back];
    let mut dialogs = 0;
    for status in statuses {
        for tab in '1'..='6' {
            let mut model = showing(status("acme"), (80, 24));
            press(&mut model, &[Key::Char(tab)]);
            survives(model, &format!("tab {tab}"));
        }
        for key in "peéanwcrRxfbvuNdo?/t!jEAH".chars() {
            let mut model = showing(status("acme"), (80, 24));
            press(&mut model, &[Key::Char(key)]);
            dialogs += usize::from(model.dialog.is_some());
            survives(model, &format!("after {key}"));
        }
    }
    assert!(dialogs > 20, "{dialogs} dialogs were opened");
}
