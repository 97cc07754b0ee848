//! What is not known to be true any more has no colour, its age, and the name of who does not answer: in every panel and the fleet.

use super::fixture::*;
use changeguard::app::keymap::Key;
use changeguard::app::{Model, Msg, update};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::gate::{Reason, Verdict};
use changeguard::domain::preflight::{Check, CheckState};
use changeguard::engine::sources::{Looked, Source, SourceView};
use changeguard::engine::status::{Standing, TenantStatus};
use insta::assert_snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use std::sync::Arc;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);
const OF_THE_KEY: [Source; 3] = [Source::Barbican, Source::Swift, Source::Server];

fn source(name: Source, seen: &str, fault: Option<&str>) -> SourceView {
    let seen_at = Some(at(&format!("2026-11-24T{seen}Z")));
    SourceView { name, seen_at, fault: fault.map(str::to_owned), fault_at: fault.map(|_| now()) }
}

/// All that says something of the key was seen at this time; with a fault since, or merely not again.
fn seen(mut status: TenantStatus, when: &str, fault: Option<&str>) -> TenantStatus {
    status.sources = OF_THE_KEY.map(|name| source(name, when, fault)).to_vec();
    status
}

/// Texts in green, line by line.
fn green(model: &Model) -> Vec<String> {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| changeguard::ui::view(model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let is_green = |x, y| buffer[(x, y)].fg == Color::Indexed(2) && buffer[(x, y)].symbol() != " ";
    let line = |y| (0..width).filter(|x| is_green(*x, y)).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(line).filter(|line| !line.is_empty()).collect()
}

/// Both ways in which a value stops being true: a look that failed, and no look at all.
fn ways() -> [TenantStatus; 2] {
    let refused = Some("connection refused");
    [seen(idle("acme"), "21:09:15", refused), seen(idle("acme"), "20:45:00", None)]
}

#[test]
fn with_every_service_dead_no_panel_is_green_and_each_shows_the_age() {
    for status in ways() {
        for panel in '1'..='6' {
            let mut model = showing(status.clone(), LARGE);
            press(&mut model, &[Key::Char(panel)]);
            assert!(green(&model).is_empty(), "panel {panel}: {:?}\n{}", green(&model), screen(&model));
            let text = screen(&model);
            assert!(
                ["barbican", "swift", "server"].iter().all(|name| text.contains(&format!("○ {name} ")))
                    && text.contains("~in sync"),
                "{text}"
            );
        }
    }
    let mut model = showing(seen(idle("acme"), "21:09:48", None), LARGE);
    press(&mut model, &[Key::Char('2')]);
    assert!(green(&model).iter().any(|line| line.contains("insync")), "what answers is green: {:?}", green(&model));
}

#[test]
fn with_every_service_dead_no_row_of_the_fleet_is_green_and_each_says_who_and_how_long() {
    for (size, age) in [(SMALL, "~45 s"), (LARGE, "~45 s")] {
        let mut model = Model::new(options(size));
        update(&mut model, Msg::Status(Arc::new(seen(idle("acme"), "21:09:15", Some("connection refused")))));
        assert!(green(&model).is_empty(), "{:?}", green(&model));
        let text = screen(&model);
        assert!(text.contains(age) && text.contains("○ 45 s no answer: barbican, swift, server"), "{text}");
        assert!(text.contains("each looked at within 5 min"), "the bound is shown\n{text}");
        assert!(!text.contains(" 4/6"), "peers of an old reading are marked as old\n{text}");
    }
}

#[test]
fn a_row_that_nobody_looked_at_within_two_sweeps_is_stale_although_nothing_failed() {
    let mut model = Model::new(options(LARGE));
    // The row of the cursor is one bar.
    for name in ["acme", "globex"] {
        update(&mut model, Msg::Status(Arc::new(seen(idle(name), "21:09:15", None))));
    }
    assert!(!green(&model).is_empty(), "seen 45 s ago, within a sweep");
    update(&mut model, Msg::Tick(at("2026-11-24T21:30:00Z")));
    assert!(green(&model).is_empty(), "{}", screen(&model));
    assert_eq!(model.wakes_in().as_secs(), 1, "a late age ticks");
}

#[test]
fn the_fleet_and_a_tenant_without_any_answer_at_80x24() {
    let status = seen(returning("acme"), "21:09:15", Some("connection refused"));
    let mut model = fleet(SMALL);
    update(&mut model, Msg::Status(Arc::new(status.clone())));
    assert_snapshot!("fleet", screen(&model));
    assert_snapshot!("tenant", screen(&showing(status, SMALL)));
}

#[test]
fn a_look_says_how_it_ended() {
    let mut model = showing(idle("acme"), SMALL);
    press(&mut model, &[Key::Char('l')]);
    assert!(screen(&model).contains("looking at its services now"));
    let looked = Looked { answered: OF_THE_KEY.to_vec(), failed: Vec::new() };
    update(&mut model, Msg::Looked(tenant("acme").id, looked));
    assert!(screen(&model).contains("done: acme: looked: all answered"), "{}", screen(&model));
    let fault = Fault::new(Service::Barbican, FaultKind::Unreachable, "connection refused");
    let looked = Looked { answered: vec![Source::Swift], failed: vec![(Source::Barbican, fault)] };
    update(&mut model, Msg::Looked(tenant("acme").id, looked));
    assert!(screen(&model).contains("ERROR: acme: looked: no answer from barbican"), "{}", screen(&model));
}

#[test]
fn a_gate_that_an_emergency_went_through_says_so_and_whom_it_overrode() {
    let mut status = returning("acme");
    status.review = Some(emergency("2026-11-24T20:30:00Z", "2026-11-25T20:30:00Z"));
    status.clients[2].standing = Standing::Silent;
    status.clients[2].standing_detail = "announcement sent".into();
    let model = showing(status.clone(), LARGE);
    let text = screen(&model);
    assert!(text.contains("5 Gate: OVERRIDDEN, 1 of 6 had not agreed"), "{text}");
    assert!(text.contains("gate OVERRIDDEN") && !text.contains("passed"), "{text}");
    assert!(text.contains("overridden Chen Wei: silent; announcement"), "{text}");
    let mut model = showing(status, SMALL);
    press(&mut model, &[Key::Char('C')]);
    let said = model.remark().unwrap().text.clone();
    assert_eq!(said, "review: the rotation of the emergency is not at its end; its review can be closed then");
}

#[test]
fn a_check_that_a_look_has_overtaken_is_not_green_beside_the_gate_that_it_shuts() {
    let mut status = ready("acme");
    status.gate = Verdict::Open;
    let run = status.preflight.as_mut().unwrap();
    for name in ["keys", "mail"] {
        run.checks.retain(|check| check.name != name);
        let (name, finding, advice) = (name.to_owned(), "all places show it".to_owned(), String::new());
        run.checks.push(Check { name, state: CheckState::Pass, finding, advice, until: None, is_proved: false });
    }
    let ran = run.at.strftime("%H:%M UTC").to_string();
    let lines = |status: &TenantStatus| {
        let mut model = showing(status.clone(), SMALL);
        press(&mut model, &[Key::Char('5')]);
        let of = |word: &str| screen(&model).lines().rfind(|line| line.contains(word)).unwrap_or_default().to_owned();
        (of("keys: "), green(&model).iter().filter(|line| line.contains("pass")).count())
    };
    let (before, all) = lines(&status);
    assert!(before.contains("pass") && all > 0, "{before}");
    let what = "the keys differ: secret a, object b".to_owned();
    status.gate = Verdict::Shut(vec![Reason::SeenSince { what: what.clone() }]);
    let (after, left) = lines(&status);
    assert!(after.contains(&format!("was ok  keys: seen since {ran}: {what}")), "{after}");
    assert_eq!(left, all - 1, "the others stay as they were");
}

#[test]
fn checks_of_before_the_change_are_shown_with_their_time_and_without_colour() {
    let mut status = rolling_back("acme");
    status.steps.clear();
    let mut model = showing(status, SMALL);
    press(&mut model, &[Key::Char('5')]);
    let text = screen(&model);
    assert!(text.contains("the check of 2026-11-24 19:00:00 UTC, 2 h ago"), "{text}");
    assert!(!green(&model).iter().any(|line| line.contains("pass")), "{:?}", green(&model));
}
