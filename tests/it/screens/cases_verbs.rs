//! The verbs of a subject that is no tenant, walked: in every state what the footer offers is taken by the engine, with what the form
//! asks for and with nothing less, and what is not offered leads nowhere.

use super::cases::*;
use super::fixture::*;
use changeguard::app::case::verbs;
use changeguard::app::keymap::Key;
use changeguard::app::{Effect, Model, Msg, update};
use changeguard::engine::case::machine::{Asked, Order, judge};
use changeguard::engine::case::record::{CaseId, CoreRecord};
use std::sync::Arc;

/// Every state of the walk, by name.
fn states() -> Vec<(&'static str, Vec<CoreRecord>, Seeing)> {
    let mut aside = painted();
    aside.push(CoreRecord::SetAside { fact: "dry".into(), reason: "it is dry".into() });
    vec![
        ("at rest", Vec::new(), Seeing::default()),
        ("at rest, shut", Vec::new(), shut()),
        ("opened", opened(), Seeing::default()),
        ("opened, shut", opened(), shut()),
        ("interrupted", painting(), waits()),
        ("failed", failed_case(), waits()),
        ("half-way", painted(), Seeing::default()),
        ("half-way, waiting", painted(), waits()),
        ("half-way, set aside", aside, waits()),
        ("on the way back", turned(), waits()),
    ]
}

/// Types everything that a form asks for, and what sets it off.
fn fill(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    for _ in 0..6 {
        let Some(changeguard::app::dialog::Dialog::Case(form)) = &model.dialog else { return effects };
        if form.is_at_confirmation() {
            use changeguard::app::confirm::Ask;
            match form.confirmation.ask() {
                Ask::Key(key) if form.confirmation.is_reached() => effects.extend(press(model, &[Key::Char(key)])),
                Ask::Key(_) => effects.extend(press(model, &[Key::Enter])),
                _ => {
                    effects.extend(typed(model, "east"));
                    effects.extend(press(model, &[Key::Enter]));
                }
            }
        } else {
            effects.extend(press(model, &[Key::Right]));
            effects.extend(typed(model, "because"));
            effects.extend(press(model, &[Key::Enter]));
        }
    }
    effects
}

fn orders(effects: &[Effect]) -> Vec<Order> {
    let order = |effect: &Effect| if let Effect::Begin(order) = effect { Some(order.order().clone()) } else { None };
    effects.iter().filter_map(order).collect()
}

#[test]
fn what_is_offered_is_taken_and_what_is_not_leads_nowhere() {
    let mut seen = std::collections::BTreeSet::new();
    for (name, records, seeing) in states() {
        let keys: Vec<char> = status(&records, &seeing).verbs.iter().map(|verb| verb.key).collect();
        for key in keys {
            for from_the_fleet in [false, true] {
                let mut model = page(status(&records, &seeing), SMALL);
                if from_the_fleet {
                    press(&mut model, &[Key::Esc]);
                }
                let offered: Vec<String> =
                    verbs::open(&model).iter().filter(|verb| verb.key == key).map(|verb| verb.verb.clone()).collect();
                let mut effects = press(&mut model, &[Key::Char(key)]);
                effects.extend(fill(&mut model));
                let orders = orders(&effects);
                let core = (!records.is_empty()).then(|| {
                    let mut core = case(&records);
                    core.interrupt();
                    core
                });
                let gate = |verb: &str| gate(&seeing, core.as_ref(), verb);
                let road = || road(core.as_ref());
                let asked = Asked {
                    spec: &SPEC,
                    subject: "vault/east",
                    name: "east",
                    core: core.as_ref(),
                    gate: &gate,
                    awaited: &[],
                    questions: &[],
                    road: &road,
                    new: CaseId("new".into()),
                    lost: None,
                };
                match (offered.first(), orders.as_slice()) {
                    (None, []) => {}
                    (Some(verb), [order]) => {
                        assert_eq!(verb, order.word(), "{name}, {key}");
                        judge(&asked, order).unwrap_or_else(|why| panic!("{name}, {key}: {why}"));
                        seen.insert(verb.clone());
                    }
                    (offered, orders) => panic!("{name}, {key}: offered {offered:?}, ordered {orders:?}"),
                }
            }
        }
    }
    let all = ["cancel", "check", "clean", "note", "paint", "resolve", "resume", "rollback", "set-aside"];
    assert!(all.iter().all(|verb| seen.contains(*verb)), "not walked: {seen:?}");
}

#[test]
fn the_next_action_is_always_a_key_that_is_offered_or_a_moment_to_wait_for() {
    for (name, records, seeing) in states() {
        let status = status(&records, &seeing);
        let key = verbs::next_key(&status);
        let model = page(status.clone(), SMALL);
        let offered = verbs::open(&model);
        match key {
            Some(key) => assert!(offered.iter().any(|verb| verb.key == key), "{name}"),
            // What shuts it is cured outside, and the verb that then comes is named.
            None => {
                let is_named = status.next.until.is_some() || status.next.text.contains("; then paint");
                assert!(is_named, "{name}: {:?}", status.next);
            }
        }
    }
}

#[test]
fn a_wrong_name_or_a_gate_that_has_shut_meanwhile_begins_nothing() {
    let mut model = page(status(&opened(), &Seeing::default()), SMALL);
    press(&mut model, &[Key::Char('r')]);
    typed(&mut model, "west");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    assert!(screen(&model).contains("is not the name; it is east"), "{}", screen(&model));
    press(&mut model, &[Key::Esc, Key::Char('r')]);
    typed(&mut model, "east");
    update(&mut model, Msg::Case(id(), Arc::new(status(&opened(), &shut()))));
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    assert!(screen(&model).contains("weather"), "{}", screen(&model));
}

#[test]
fn while_something_runs_no_second_verb_is_taken_and_quitting_asks() {
    let mut model = page(status(&opened(), &Seeing::default()), SMALL);
    press(&mut model, &[Key::Char('r')]);
    typed(&mut model, "east");
    assert_eq!(press(&mut model, &[Key::Enter]).len(), 1);
    assert!(press(&mut model, &[Key::Char('x')]).is_empty() && model.dialog.is_none());
    assert!(screen(&model).contains("is running for vault/east"), "{}", screen(&model));
    let effects = press(&mut model, &[Key::Esc, Key::Char('q')]);
    assert!(!effects.contains(&Effect::Quit) && screen(&model).contains("paint of vault/east"), "{}", screen(&model));
    update(&mut model, Msg::JobEnded { tenant: id(), result: Ok("all walls are green".into()) });
    assert!(press(&mut model, &[Key::Char('q')]).contains(&Effect::Quit));
}

#[test]
fn a_rollback_without_a_reason_and_a_resume_by_enter_alone_begin_nothing() {
    let mut model = page(status(&painted(), &waits()), SMALL);
    press(&mut model, &[Key::Char('R'), Key::Enter]);
    typed(&mut model, "east");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    assert!(screen(&model).contains("a reason is needed"), "{}", screen(&model));
    let mut model = page(status(&failed_case(), &waits()), SMALL);
    assert!(press(&mut model, &[Key::Char('u'), Key::Enter, Key::Enter, Key::Enter]).is_empty());
    assert_eq!(press(&mut model, &[Key::Char('G')]).len(), 1);
}

#[test]
fn no_verb_of_a_runbook_has_a_key_that_means_something_else_on_its_screens() {
    use changeguard::app::Screen;
    use changeguard::app::command::command_for;
    use changeguard::engine::case::runbook::Runbook;
    for spec in [&SPEC, changeguard::runbooks::fernet::Fernet::spec(), changeguard::runbooks::kops::Kops::spec()] {
        assert_eq!(spec.faults(), Vec::<String>::new());
        for stretch in spec.stretches {
            for screen in [Screen::Fleet, Screen::Subject(id())] {
                let other = command_for(Key::Char(stretch.key), &screen).map(|command| command.help);
                assert_eq!(other, None, "{} of {}", stretch.verb, spec.name);
            }
        }
    }
}
