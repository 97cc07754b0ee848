//! Strings that want to break the screen, sizes that are too small, keys in any order, and a fleet of a thousand.

use super::fixture::*;
use changeguard::app::keymap::Key;
use changeguard::app::{Charset, Model, Msg, space, update};
use changeguard::domain::tenant::TenantId;
use proptest::prelude::*;
use std::sync::Arc;

#[test]
fn hostile_strings_move_no_column_and_no_cursor() {
    let calm = screen(&showing(announced("acme"), (80, 24)));
    for bad in [
        "\u{1b}[2J\u{1b}[H",
        "日本語のとても長いテナントの名前です",
        "a\u{202e}b\u{200b}",
        "👩‍👩‍👧‍👦 family",
        "e\u{301}\u{301}\u{301}",
        "\u{9b}31m",
        "x\ny\tz",
    ] {
        for charset in [Charset::Utf8, Charset::Ascii] {
            let mut status = announced("acme");
            status.tenant.name = bad.into();
            for view in &mut status.clients {
                view.client.name = bad.into();
                view.standing_detail = bad.into();
            }
            status.attention = vec![bad.into()];
            let mut model = showing(status, (80, 24));
            model.options.charset = charset;
            let text = screen(&model);
            assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}') && !text.contains('\u{202e}'), "{bad:?}");
            if charset == Charset::Utf8 {
                for (line, calm) in text.lines().zip(calm.lines()).skip(1).take(5) {
                    assert_eq!(line, calm, "the head is untouched by {bad:?}");
                }
            }
        }
    }
}

#[test]
fn a_thousand_tenants_cost_what_a_page_costs() {
    let mut model = Model::new(options((120, 40)));
    let tenants: Vec<_> = (0..1000).map(|n| tenant(&format!("tenant-{n:04}"))).collect();
    update(&mut model, Msg::Fleet { tenants: tenants.clone(), fault: None });
    let template = announced("tenant-0000");
    for tenant in tenants {
        let status = changeguard::engine::status::TenantStatus { tenant, ..template.clone() };
        update(&mut model, Msg::Status(Arc::new(status)));
    }
    let examined = model.fleet.examined;
    press(&mut model, &[Key::End, Key::PageUp, Key::Up]);
    let rows = drawn_rows(&model);
    assert!(rows <= usize::from(space::fleet_rows(model.size)), "{rows} rows were made");
    assert_eq!(model.fleet.examined, examined, "moving and drawing look at no other row");
    assert!(screen(&model).contains("/1000"));
}

fn drawn_rows(model: &Model) -> usize {
    let (width, height) = model.size;
    let area = ratatui::layout::Rect::new(0, 0, width, height);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    let mut pen = changeguard::ui::pen::Pen {
        buffer: &mut buffer,
        glyphs: changeguard::ui::glyphs::glyphs(Charset::Utf8),
        theme: changeguard::ui::theme::Theme { palette: changeguard::app::Palette::Sixteen },
    };
    changeguard::ui::fleet::draw(model, model.size, &mut pen).rows
}

#[test]
fn every_size_is_drawn() {
    let mut models = vec![fleet((80, 24)), showing(returning("acme"), (80, 24))];
    for key in ['p', '?', 'm'] {
        let mut model = showing(idle("acme"), (80, 24));
        press(&mut model, &[Key::Char(key)]);
        models.push(model);
    }
    for key in ['n', 'r', 'a', 'w', 'x', 't'] {
        let mut model = showing(announced("acme"), (80, 24));
        press(&mut model, &[Key::Char(key)]);
        models.push(model);
    }
    for model in &mut models {
        for width in [1, 2, 3, 20, 59, 60, 61, 79, 109, 110, 300] {
            for height in [1, 2, 3, 17, 18, 19, 24, 33, 34, 90] {
                update(model, Msg::Resize(width, height));
                screen(model);
            }
        }
    }
}

fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        6 => prop::char::range(' ', '~').prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        1 => prop::char::range('a', 'z').prop_filter("quits", |c| !"c".contains(*c)).prop_map(Key::Ctrl),
        6 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Up, Key::Down, Key::Left, Key::Right,
            Key::PageUp, Key::PageDown, Key::Home, Key::End, Key::Backspace, Key::Delete,
        ]),
    ]
}

#[derive(Clone, Debug)]
enum Event {
    Key(Key),
    Paste(String),
    Size(u16, u16),
    Phase(u8),
    Ended(bool),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => any_key().prop_map(Event::Key),
        1 => ".{0,20}".prop_map(Event::Paste),
        1 => (1u16..140, 1u16..50).prop_map(|(w, h)| Event::Size(w, h)),
        2 => (0u8..6).prop_map(Event::Phase),
        1 => any::<bool>().prop_map(Event::Ended),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_is_pressed_nothing_panics_and_every_screen_is_drawn(events in prop::collection::vec(any_event(), 1..40)) {
        let mut model = fleet((80, 24));
        for event in events {
            let msg = match event {
                Event::Key(key) => Msg::Key(key),
                Event::Paste(text) => Msg::Paste(text),
                Event::Size(width, height) => Msg::Resize(width, height),
                Event::Phase(phase) => {
                    let make = [idle, announced, ready, failed, returning, rolling_back][usize::from(phase)];
                    Msg::Status(Arc::new(make("acme")))
                }
                Event::Ended(ok) => {
                    let tenant = TenantId::new(tenant("acme").id.to_string()).unwrap();
                    let refusal = changeguard::engine::command::Refusal::NotNow("no".into());
                    let failure = changeguard::app::failure::Failure::refusal(&refusal);
                    Msg::JobEnded { tenant, result: if ok { Ok("done".into()) } else { Err(failure) } }
                }
            };
            update(&mut model, msg);
            screen(&model);
        }
    }
}

#[test]
#[ignore = "a measurement, not a rule: cargo test --release -- --ignored --nocapture"]
fn how_long_a_frame_takes() {
    let mut model = Model::new(options((120, 40)));
    let tenants: Vec<_> = (0..1000).map(|n| tenant(&format!("tenant-{n:04}"))).collect();
    update(&mut model, Msg::Fleet { tenants: tenants.clone(), fault: None });
    let mut template = announced("tenant-0000");
    let clients = template.clients.clone();
    template.clients = (0..200).map(|n| clients[n % clients.len()].clone()).collect();
    let begun = std::time::Instant::now();
    for tenant in tenants {
        let status = changeguard::engine::status::TenantStatus { tenant, ..template.clone() };
        update(&mut model, Msg::Status(Arc::new(status)));
    }
    println!("1,000 statuses of 200 clients taken in (and cloned): {:?}", begun.elapsed());
    let begun = std::time::Instant::now();
    press(&mut model, &[Key::Char('/')]);
    typed(&mut model, "tenant-09");
    println!("nine characters of a filter: {:?}", begun.elapsed());
    press(&mut model, &[Key::Esc]);
    for what in ["fleet", "tenant"] {
        let begun = std::time::Instant::now();
        for _ in 0..200 {
            press(&mut model, &[Key::Down]);
            drawn(&model);
        }
        println!("{what}: a key and its frame {:?}", begun.elapsed() / 200);
        press(&mut model, &[Key::Enter]);
    }
}

fn drawn(model: &Model) {
    let (width, height) = model.size;
    let backend = ratatui::backend::TestBackend::new(width, height);
    let mut terminal = ratatui::Terminal::new(backend).unwrap();
    terminal.draw(|frame| changeguard::ui::view(model, frame)).unwrap();
}
