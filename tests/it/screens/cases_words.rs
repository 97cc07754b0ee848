//! What an operator at night reads on the page of a subject: where the keys go, whose word is late, and that nothing is said twice.

use super::cases::*;
use super::fixture::*;
use changeguard::app::keymap::Key;
use changeguard::app::{Effect, Msg, update};
use changeguard::engine::case::machine::Order;
use changeguard::engine::case::runbook::Seen;
use changeguard::engine::case::view::Shape;
use std::sync::Arc;
use std::time::Duration;

fn begun(effects: &[Effect]) -> Option<Order> {
    let order = |effect: &Effect| if let Effect::Begin(order) = effect { Some(order.order().clone()) } else { None };
    effects.iter().find_map(order)
}

#[test]
fn the_name_is_what_one_types_first_and_as_the_title_has_it_and_the_reference_comes_behind_it() {
    for name in ["east", "vault/east"] {
        let mut model = page(status(&[], &Seeing::default()), SMALL);
        press(&mut model, &[Key::Char('r')]);
        let shown = screen(&model);
        let (typed_at, reference) = (shown.find("▸ type east to PAINT").unwrap(), shown.find("reference").unwrap());
        assert!(typed_at < reference, "{shown}");
        typed(&mut model, name);
        assert!(screen(&model).contains("Enter PAINT"), "{}", screen(&model));
        let effects = press(&mut model, &[Key::Enter]);
        assert!(matches!(begun(&effects), Some(Order::Begin { confirm, .. }) if confirm == name), "{effects:?}");
    }
    // What is typed into the reference begins nothing, and leads back to the name.
    let mut model = page(status(&[], &Seeing::default()), SMALL);
    press(&mut model, &[Key::Char('r'), Key::Tab]);
    typed(&mut model, "CHG-9");
    assert!(begun(&press(&mut model, &[Key::Enter])).is_none());
    typed(&mut model, "east");
    let effects = press(&mut model, &[Key::Enter]);
    assert!(matches!(begun(&effects), Some(Order::Begin { reference, .. }) if reference == "CHG-9"), "{effects:?}");
}

#[test]
fn a_form_that_is_only_not_filled_in_yet_is_not_called_shut() {
    for (records, key) in [(painted(), 'R'), (painted(), 'D'), (opened(), 'N'), (painting(), 'd')] {
        let mut model = page(status(&records, &waits()), SMALL);
        press(&mut model, &[Key::Char(key)]);
        assert!(model.dialog.is_some() && !screen(&model).contains("shut:"), "{key}: {}", screen(&model));
    }
    let mut model = page(status(&failed_case(), &waits()), SMALL);
    press(&mut model, &[Key::Char('u')]);
    assert!(screen(&model).contains("Enter, then G to go on"), "{}", screen(&model));
}

#[test]
fn the_panel_that_has_the_keys_is_marked_on_every_screen() {
    for size in [(70, 20), SMALL, LARGE] {
        for records in [Vec::new(), painted()] {
            let mut model = page(status(&records, &waits()), size);
            for digit in ['1', '2', '3', '4', '5', '6'] {
                press(&mut model, &[Key::Char(digit)]);
                let shown = screen(&model);
                let marked: Vec<&str> = shown.matches(&format!("[{digit} ")[..]).collect();
                assert_eq!(marked.len(), 1, "{digit} at {size:?}: {shown}");
                let others = ('1'..='6').filter(|other| shown.contains(&format!("[{other} "))).count();
                assert_eq!(others, 1, "{digit} at {size:?}: {shown}");
            }
        }
    }
}

#[test]
fn the_journal_is_narrowed_by_words_which_are_no_verbs() {
    let mut model = page(status(&painted(), &waits()), SMALL);
    press(&mut model, &[Key::Char('/')]);
    assert!(screen(&model).contains("Enter keeps the filter"), "{}", screen(&model));
    assert!(typed(&mut model, "step 1").is_empty());
    let shown = screen(&model);
    assert!(model.dialog.is_none() && shown.contains("[3 Journal /step 1]"), "{shown}");
    assert!(shown.contains("step 1 started") && !shown.contains("step 2 started"), "{shown}");
    press(&mut model, &[Key::Enter, Key::Esc]);
    assert!(screen(&model).contains("step 2 started"), "{}", screen(&model));
    assert!(matches!(&model.screen, changeguard::app::Screen::Subject(_)), "the filter is dropped first");
}

#[test]
fn a_row_ages_with_whoever_it_is_of_and_the_others_stay_true() {
    let mut seen = status(&[], &Seeing::default());
    let answered = |name: &str, ago: i64, fault: Option<&str>| Seen {
        name: name.into(),
        at: Some(jiff::Timestamp::from_second(now().as_second() - ago).unwrap()),
        fault: fault.map(str::to_owned),
    };
    let Shape::Matrix { rows, .. } = &mut seen.panels[0].shape else { panic!() };
    rows[0].seen = Some(answered("north", 3, None));
    rows[1].seen = Some(answered("south", 600, None));
    rows[2].seen = Some(answered("west", 180, Some("no answer in 20 s")));
    let shown = screen(&page(seen, SMALL));
    let line = |name: &str| shown.lines().find(|line| line.contains(name) && line.contains("e19c0b41")).unwrap();
    assert!(line("north").trim_end().ends_with("<5 s") && !line("north").contains('~'), "{shown}");
    assert!(line("south").contains("~south") && line("south").trim_end().ends_with("~10 min"), "{shown}");
    assert!(line("west").contains("~west") && line("west").trim_end().ends_with("~3 min"), "{shown}");
}

#[test]
fn a_holder_who_gives_no_sign_of_life_does_not_look_like_one_at_work() {
    let held = status(&painting(), &Seeing { held: true, ..waits() });
    let shown = screen(&page(held.clone(), SMALL));
    assert!(shown.contains("next        wait, or talk to them: held by jo on bastion-1"), "{shown}");
    assert!(shown.contains("HELD by jo ") && shown.contains("2 of 4 steps done"), "{shown}");
    let shown = screen(&page(held.quiet(at("2026-11-24T21:09:40Z"), Duration::from_secs(30)), SMALL));
    assert!(shown.contains("wait: no sign of life since 21:09:40 UTC, and after 30 s"), "{shown}");
    assert!(shown.contains("! jo on bastion-1 holds it, and gives no sign of life since"), "{shown}");
    assert!(shown.contains("T take over"), "{shown}");
}

#[test]
fn what_decides_is_not_what_a_narrow_screen_cuts() {
    let model = page(status(&painted(), &Seeing { held: true, ..waits() }), (70, 20));
    let shown = screen(&model);
    assert!(shown.contains("HELD by jo") && shown.contains("wait, or talk to them"), "{shown}");
    let model = page(status(&[], &shut()), (70, 20));
    assert!(screen(&model).contains("gate of paint UNKNOWN, so shut   due now"), "{}", screen(&model));
    let mut model = among(status(&[], &Seeing { due: true, ..Seeing::default() }), SMALL);
    let shown = screen(&model);
    assert!(shown.contains("/ filter") && shown.contains("l look"), "they are there beside its verbs: {shown}");
    press(&mut model, &[Key::Char('/')]);
    assert!(
        screen(&model).contains("type to filter:") && screen(&model).contains("Esc drops it"),
        "{}",
        screen(&model)
    );
}

#[test]
fn the_whole_of_what_a_step_has_shown_is_read_where_there_are_rows_to_spare() {
    let mut long = painting();
    let evidence = "all walls are green, and the last of them is dry since an hour, as three people have seen";
    long.push(changeguard::engine::case::record::CoreRecord::StepSucceeded { step: PAINT, evidence: evidence.into() });
    let shown = screen(&page(status(&long, &waits()), LARGE));
    let words: String =
        shown.lines().map(|line| line.chars().take(51).collect::<String>()).collect::<Vec<_>>().join(" ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("and the last of them is dry since an hour, as three people have seen"), "{shown}");
}

#[test]
fn the_help_of_a_subject_speaks_of_no_tenant() {
    let mut model = page(status(&opened(), &Seeing::default()), (120, 60));
    press(&mut model, &[Key::Char('?')]);
    let shown = screen(&model);
    assert!(!shown.contains("tenant") && !shown.contains("check: check"), "{shown}");
    assert!(shown.contains("check: 1 Look at it") && shown.contains("paint: 2 Mix, 3 Paint"), "{shown}");
    update(&mut model, Msg::Case(id(), Arc::new(status(&opened(), &Seeing::default()))));
}

#[test]
fn in_the_fleet_what_is_due_stands_among_what_needs_somebody_and_what_waits_says_before_which_step() {
    let model = among(status(&[], &Seeing { due: true, ..Seeing::default() }), LARGE);
    let row = model.fleet.rows.iter().find(|row| row.id == id()).unwrap();
    assert_eq!((row.rank, row.attention, row.due), (3, 1, 0), "before what will be due in months");
    let shown = screen(&among(status(&painted(), &waits()), LARGE));
    assert!(shown.contains("before 4: Throw away"), "{shown}");
    let shown = screen(&among(status(&painting(), &Seeing { held: true, ..waits() }), LARGE));
    assert!(shown.contains("3 of 4: Paint"), "{shown}");
}
