//! Nothing is set off by mistake: every panel, every state, every line typed, every key repeated; and what is shown before.

use super::fixture::*;
use changeguard::app::command::{COMMANDS, confirm_of};
use changeguard::app::confirm::{Ask, Confirm, ask_for, verb_of};
use changeguard::app::dialog::Dialog;
use changeguard::app::keymap::Key;
use changeguard::app::{Effect, Model, Msg, Screen, update};
use changeguard::domain::acknowledgement::{Answer, Channel};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::reply::{Heard, Means, Verdict};
use changeguard::domain::token::Topic;
use changeguard::engine::command::Command;
use changeguard::engine::mailbox::ReadMail;
use changeguard::engine::next::Act;
use changeguard::engine::status::{Standing, TenantStatus};
use proptest::prelude::*;
use std::sync::Arc;

const SIZE: (u16, u16) = (80, 24);

/// A client has asked something, and a person must read it.
pub fn asked(name: &str) -> TenantStatus {
    let mut status = announced(name);
    let heard = Heard {
        verdict: Verdict::Unclear("a question".into()),
        topic: Topic::Window,
        revision: 1,
        means: Means::Text,
        marks: Vec::new(),
        evidence: vec!["Is the backup server cut off too?".into()],
        said_at: None,
    };
    let client = status.clients[4].client.id.clone();
    status.clients[4].standing = Standing::ToRead;
    status.mails = vec![ReadMail {
        mail: "ab".repeat(32),
        from: "emeka.obi@example.com".into(),
        client,
        heard,
        notice: None,
        at: at("2026-11-20T11:30:00Z"),
        decision: None,
        is_void: false,
        doubt: None,
    }];
    status.next.action = Act::ReadMail;
    status
}

/// Confirmed and not touched yet: resume would be the rotation.
fn confirmed(name: &str) -> TenantStatus {
    let mut status = ready(name);
    status.phase = changeguard::engine::status::Phase::Rotating;
    status.next.action = Act::Resume;
    status
}

/// Everybody is back: finish is possible.
fn all_back(name: &str) -> TenantStatus {
    let mut status = returning(name);
    for view in &mut status.clients {
        view.back = Some(("handshake".into(), "under the live key".into()));
    }
    status.back = Some((6, 6));
    status
}

type Make = fn(&str) -> TenantStatus;
const STATES: [Make; 9] = [idle, announced, asked, ready, confirmed, failed, returning, all_back, rolling_back];

/// The program in a state, with one panel focused and, perhaps, people marked.
fn shown(make: Make, name: &str, panel: char, marked: bool) -> Model {
    let mut model = showing(make(name), SIZE);
    if marked {
        press(&mut model, &[Key::Char('M')]);
    }
    press(&mut model, &[Key::Char(panel)]);
    model
}

/// The world answers at once: letters come, jobs end, statuses arrive. So nothing is safe merely because something is awaited.
fn settle(model: &mut Model, make: Make, name: &str, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::Preview(tenant, kind) => {
                let (tenant, kind, letters) = (tenant.clone(), *kind, Ok(Vec::new()));
                update(model, Msg::Preview { tenant, kind, letters });
            }
            Effect::Run(order) => {
                let (tenant, result) = (order.tenant().clone(), Ok("done".into()));
                update(model, Msg::JobEnded { tenant, result });
                update(model, Msg::Status(Arc::new(make(name))));
            }
            _ => {}
        }
    }
}

fn harmless(command: &Command) -> bool {
    let verb = verb_of(command).expect("a key asked for what no key may ask for");
    matches!(confirm_of(verb), Confirm::Plain | Confirm::Enter)
}

/// Presses keys in a world that answers at once; fails as soon as something dangerous goes out.
fn nothing_goes_out(mut model: Model, make: Make, name: &str, keys: &[Key], what: &str) {
    for key in keys {
        let effects = update(&mut model, Msg::Key(*key));
        for command in commands(&effects) {
            assert!(harmless(command), "{what}: {key:?} set off {command:?}\n{}", screen(&model));
        }
        settle(&mut model, make, name, &effects);
    }
}

#[test]
fn no_key_that_is_repeated_sets_anything_off_in_any_panel_and_state() {
    let letters = (' '..='~').map(Key::Char);
    let named = [Key::Enter, Key::Esc, Key::Tab, Key::Up, Key::Down, Key::Left, Key::Right, Key::End, Key::Backspace];
    let keys: Vec<Key> = letters.chain(named).collect();
    for make in STATES {
        for panel in '1'..='6' {
            for marked in [false, true] {
                for key in &keys {
                    let model = shown(make, "acme", panel, marked);
                    nothing_goes_out(model, make, "acme", &[*key; 12], &format!("{key:?} in {panel}"));
                }
            }
        }
    }
}

#[test]
fn no_key_followed_by_enters_sets_anything_off() {
    for make in STATES {
        for panel in '1'..='6' {
            for key in (' '..='~').map(Key::Char) {
                let mut keys = vec![key];
                keys.extend([Key::Enter; 12]);
                for marked in [false, true] {
                    let model = shown(make, "acme", panel, marked);
                    nothing_goes_out(model, make, "acme", &keys, &format!("{key:?} and Enter in {panel}"));
                }
            }
        }
    }
}

#[test]
fn initech_typed_on_any_screen_sends_nothing() {
    for make in STATES {
        for panel in '1'..='6' {
            for name in
                ["initech", "acme", "umbra", "hooli", "nnn", "racme", "eacme", "fR", "uG", "n S", "aR", "oyR", "wR"]
            {
                let mut keys: Vec<Key> = name.chars().map(Key::Char).collect();
                keys.extend([Key::Enter; 4]);
                let mut model = shown(make, "acme", panel, false);
                let tenants = [tenant("acme"), tenant("racme"), tenant("eacme")].to_vec();
                update(&mut model, Msg::Fleet { tenants, fault: None });
                nothing_goes_out(model, make, "acme", &keys, &format!("{name} in {panel}"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn no_line_typed_without_a_dialog_sets_anything_off(
        state in 0..STATES.len(), panel in prop::char::range('1', '6'), marked: bool,
        line in "[a-zA-Z0-9 ._-]{0,14}|\\PC{0,14}|[enawrufRxodbgAHTECSG ]{1,12}", enters in 1..6usize,
        name in "[a-z]{2,8}",
    ) {
        // Whoever types another verb's key and then just this tenant's name, has typed the name.
        prop_assume!(!line.ends_with(&name));
        let mut keys: Vec<Key> = line.chars().map(Key::Char).collect();
        keys.extend(vec![Key::Enter; enters]);
        let model = shown(STATES[state], &name, panel, marked);
        nothing_goes_out(model, STATES[state], &name, &keys, &line);
    }
}

/// A key, chosen so that random walks get through forms: the name, the second keys, and what moves about.
fn walk() -> impl Strategy<Value = Vec<Key>> {
    let word = |text: &'static str| text.chars().map(Key::Char).collect::<Vec<_>>();
    let piece = prop_oneof![
        6 => prop::char::range(' ', '~').prop_map(|c| vec![Key::Char(c)]),
        6 => prop::sample::select(vec![Key::Enter, Key::Tab, Key::Down, Key::Up, Key::Right, Key::Left, Key::Esc])
            .prop_map(|key| vec![key]),
        3 => prop::sample::select(vec!["acme", "S", "R", "G", "because"]).prop_map(word),
    ];
    prop::collection::vec(piece, 1..30).prop_map(|pieces| pieces.concat())
}

/// The last key that was pressed, and what the screen named as what sets it off.
fn was_earned(before: &str, key: Key, opened_by: Option<Key>, ask: Ask, name: &str) -> bool {
    match ask {
        Ask::Nothing | Ask::Enter => true,
        Ask::Key(wanted) => {
            key == Key::Char(wanted) && opened_by != Some(key) && before.contains(&format!("press {wanted} to "))
        }
        Ask::Name => {
            key == Key::Enter && before.contains(&format!("type {name} to ")) && before.contains(&format!(": {name}"))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_goes_out_was_named_on_the_screen_and_wanted_the_name_or_a_second_key(
        state in 0..STATES.len(), panel in prop::char::range('1', '6'), marked: bool, keys in walk(),
    ) {
        let make = STATES[state];
        let mut model = shown(make, "acme", panel, marked);
        let mut opened_by = None;
        for key in keys {
            let (before, had_dialog) = (screen(&model), model.dialog.is_some());
            let status = model.status().cloned();
            let effects = update(&mut model, Msg::Key(key));
            if !had_dialog && model.dialog.is_some() {
                opened_by = Some(key);
            }
            let orders: Vec<Command> = commands(&effects).into_iter().cloned().collect();
            if let (false, Some(status)) = (orders.is_empty(), status) {
                let ask = ask_for(&orders, &status);
                prop_assert!(was_earned(&before, key, opened_by, ask, "acme"), "{key:?} set off {orders:?}\n{before}");
            }
            settle(&mut model, make, "acme", &effects);
            if model.screen == Screen::Fleet {
                press(&mut model, &[Key::Enter]);
            }
        }
    }
}

#[test]
fn every_dangerous_verb_can_be_set_off_by_what_its_dialog_names() {
    let mut set_off = Vec::new();
    for make in STATES {
        for info in COMMANDS.iter().filter(|info| !matches!(info.confirm, Confirm::Plain | Confirm::Enter)) {
            let mut model = showing(make("acme"), SIZE);
            let effects = press(&mut model, &info.keys[..1]);
            settle(&mut model, make, "acme", &effects);
            if let (true, Some(Dialog::Reading(_))) = (info.keys == [Key::Char('o')], &model.dialog) {
                press(&mut model, &[Key::Char('y')]);
            }
            // Whatever the form asks for: a text in each field and the first of each choice, then what the screen names.
            for _ in 0..6 {
                if screen(&model).contains("press ") || screen(&model).contains("type acme to ") && at_the_end(&model) {
                    break;
                }
                fill(&mut model);
            }
            let text = screen(&model);
            let last: Vec<Key> = match text.split("press ").nth(1).and_then(|rest| rest.chars().next()) {
                Some(second) => vec![Key::Char(second)],
                None => "acme".chars().map(Key::Char).chain([Key::Enter]).collect(),
            };
            if !commands(&press(&mut model, &last)).is_empty() {
                set_off.push(info.keys[0]);
            }
        }
    }
    for key in "neawrudbgfRxHoB".chars().map(Key::Char) {
        assert!(set_off.contains(&key), "{key:?} could never be set off; could: {set_off:?}");
    }
}

fn at_the_end(model: &Model) -> bool {
    match &model.dialog {
        Some(Dialog::Form(form)) => form.is_at_confirmation(),
        Some(Dialog::Notify(notify)) => notify.confirmation.is_some(),
        _ => false,
    }
}

fn fill(model: &mut Model) {
    let empty = match &model.dialog {
        Some(Dialog::Form(form)) if !form.is_at_confirmation() => form.value(form.focus).is_empty(),
        _ => false,
    };
    if empty {
        press(model, &[Key::Right]);
        typed(model, "x");
    } else if matches!(&model.dialog, Some(Dialog::Form(form)) if matches!(form.purpose, changeguard::app::dialog::Purpose::Plan { change: true }) && form.focus == 0)
    {
        press(model, &[Key::Ctrl('u')]);
        typed(model, "2026-11-30 22:00");
    }
    press(model, &[Key::Enter]);
}

#[test]
fn no_answer_and_no_channel_is_preselected_and_what_is_replaced_is_shown() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Down, Key::Down, Key::Down, Key::Down, Key::Char('a')]);
    let text = screen(&model);
    assert!(text.contains("Emeka Obi: REPLACES other time: Thursday after 6 (by mail)"), "{text}");
    assert!(!text.contains("(confirmed)") && !text.contains("(phone)"), "{text}");
    assert!(press(&mut model, &[Key::Enter, Key::Enter, Key::Enter, Key::Enter, Key::Char('R')]).is_empty());
    assert!(screen(&model).contains("choose what they answered"), "{}", screen(&model));
    press(&mut model, &[Key::Tab, Key::Right, Key::Tab, Key::Right, Key::Tab, Key::Tab]);
    assert!(screen(&model).contains("press R to record"), "{}", screen(&model));
    let effects = press(&mut model, &[Key::Char('R')]);
    let [Command::Answer { client, answer, channel, .. }] = commands(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((client.0.as_str(), answer, *channel), ("emeka.obi", &Answer::Confirmed, Channel::Phone));
}

#[test]
fn a_window_that_is_not_changed_makes_no_revision_and_a_changed_one_shows_whose_answers_it_voids() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('e'), Key::Enter, Key::Enter, Key::Enter]);
    typed(&mut model, "acme");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    let text = screen(&model);
    assert!(text.contains("nothing changed: the window is as it was"), "{text}");
    assert!(text.contains("makes 6 answers VOID: Ada Okafor, Björn Lindqvist, Chen Wei"), "{text}");
    press(&mut model, &[Key::Tab, Key::Ctrl('u')]);
    typed(&mut model, "2026-11-25 22:00");
    press(&mut model, &[Key::Enter, Key::Enter, Key::Enter]);
    assert!(matches!(commands(&press(&mut model, &[Key::Enter]))[..], [Command::Reschedule { .. }]));
}

#[test]
fn what_is_at_stake_is_asked_again_when_it_changes_while_it_is_confirmed() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('x')]);
    typed(&mut model, "postponed");
    press(&mut model, &[Key::Enter]);
    typed(&mut model, "acm");
    let mut status = ready("acme");
    status.clients.push(client("Grace Adeyemi", Standing::Silent));
    update(&mut model, Msg::Status(Arc::new(status)));
    typed(&mut model, "e");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    assert!(screen(&model).contains("has changed meanwhile"), "{}", screen(&model));
    typed(&mut model, "acme");
    assert!(matches!(commands(&press(&mut model, &[Key::Enter]))[..], [Command::Cancel { .. }]));
}

#[test]
fn mails_to_everybody_name_everybody_and_one_person_gets_theirs_by_a_key() {
    let mut model = showing(announced("acme"), (120, 40));
    let effects = press(&mut model, &[Key::Char('n')]);
    settle(&mut model, announced, "acme", &effects);
    press(&mut model, &[Key::Enter]);
    let text = screen(&model);
    assert!(text.contains("mails the announcement to 1 person: Chen Wei"), "only who has not got it\n{text}");
    press(&mut model, &[Key::Esc, Key::Down, Key::Char(' '), Key::Enter]);
    let text = screen(&model);
    assert!(text.contains("1 person: Björn Lindqvist") && text.contains("for the second time"), "{text}");
    assert!(text.contains("press S to send") && !text.contains("Enter"), "{text}");
    let effects = press(&mut model, &[Key::Enter, Key::Char('S')]);
    let [Command::Notify { kind: NoticeKind::Announcement, only: Some(only), again: true }] = commands(&effects)[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(only.iter().map(|id| id.0.as_str()).collect::<Vec<_>>(), ["björn.lindqvist"]);
}

#[test]
fn enter_opens_the_row_under_the_cursor_in_every_panel() {
    let opened = |panel: char, moves: usize, make: Make| {
        let mut model = showing(make("acme"), SIZE);
        press(&mut model, &[Key::Char(panel)]);
        press(&mut model, &vec![Key::Down; moves]);
        press(&mut model, &[Key::Enter]);
        match &model.dialog {
            Some(Dialog::Reading(reading)) => reading.title(),
            _ => format!("nothing: {}", model.remark().map(|remark| remark.text.clone()).unwrap_or_default()),
        }
    };
    assert_eq!(opened('1', 2, announced), "Mails with Chen Wei");
    assert_eq!(opened('5', 0, announced), "Mails with Björn Lindqvist");
    assert_eq!(opened('5', 2, announced), "Mails with Emeka Obi");
    assert_eq!(opened('5', 4, announced), "Why the gate is shut");
    assert_eq!(opened('5', 2, ready), "The check of keystone");
    assert_eq!(opened('4', 1, announced), "Record 2 of the journal");
    assert_eq!(opened('3', 3, announced), "The peer of Dolores Haze");
    assert_eq!(opened('2', 1, announced), "The key in the Swift object");
    assert_eq!(opened('6', 2, announced), "Troubleshooting of step 3");
    assert_eq!(opened('2', 3, announced), "nothing: there is nothing to open here");
    assert_eq!(opened('4', 0, idle), "nothing: there is nothing to open here");
    assert_eq!(opened('5', 0, idle), "nothing: there is nothing to open here");
}

#[test]
fn the_next_action_leads_to_the_mail_that_it_names_whoever_is_selected() {
    let mut model = showing(asked("acme"), SIZE);
    assert!(screen(&model).contains("next         o  "), "{}", screen(&model));
    press(&mut model, &[Key::Char('o')]);
    assert!(matches!(&model.dialog, Some(Dialog::Reading(reading)) if reading.title() == "Mails with Emeka Obi"));
    // So it is with whoever has not answered; and the keys about people then concern them.
    let mut model = showing(announced("acme"), SIZE);
    assert!(screen(&model).contains("next         o  4 open; first: Björn Lindqvist"), "{}", screen(&model));
    press(&mut model, &[Key::Char('o'), Key::Esc, Key::Char('a')]);
    assert!(screen(&model).contains("Answer of Björn Lindqvist"), "{}", screen(&model));
}

#[test]
fn a_key_about_people_concerns_the_row_under_the_cursor_and_nobody_out_of_sight() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('5'), Key::Down, Key::Char('w')]);
    assert!(screen(&model).contains("Waive Chen Wei"), "{}", screen(&model));
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('4'), Key::Char('w')]);
    assert!(model.dialog.is_none(), "{}", screen(&model));
}

#[test]
fn esc_never_quits_and_q_asks_nothing_unless_something_runs() {
    for make in STATES {
        let mut model = showing(make("acme"), SIZE);
        let effects = press(&mut model, &[Key::Esc; 20]);
        assert!(!effects.contains(&Effect::Quit) && model.screen == Screen::Fleet);
        assert_eq!(press(&mut model, &[Key::Char('q')]), [Effect::Quit]);
    }
}

#[test]
fn a_dialog_names_no_key_that_does_nothing() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('x')]);
    assert!(!screen(&model).contains("Enter cancel"), "{}", screen(&model));
    typed(&mut model, "postponed");
    press(&mut model, &[Key::Enter]);
    typed(&mut model, "acm");
    assert!(!screen(&model).contains("Enter cancel"), "{}", screen(&model));
    typed(&mut model, "e");
    assert!(screen(&model).contains("Enter cancel the rotation"), "{}", screen(&model));
}
