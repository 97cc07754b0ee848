//! The rules of the keys, as sentences.

use super::fixture::*;
use changeguard::app::dialog::Dialog;
use changeguard::app::dialog::rehearse::Mishap;
use changeguard::app::keymap::Key;
use changeguard::app::model::Severity;
use changeguard::app::{Effect, Model, Msg, Screen, update};
use changeguard::domain::acknowledgement::Answer;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::StepState;
use changeguard::engine::command::Command;
use std::sync::Arc;

const SIZE: (u16, u16) = (80, 24);

fn said(model: &Model) -> String {
    model.remark().map(|remark| format!("{} {}", remark.severity.word(), remark.text)).unwrap_or_default()
}

#[test]
fn a_shut_key_answers_with_its_reason() {
    let mut model = showing(announced("acme"), SIZE);
    assert!(press(&mut model, &[Key::Char('v')]).is_empty());
    assert_eq!(said(&model), "refused verify: the key is not live yet; there is nothing to verify");
    press(&mut model, &[Key::Char('R')]);
    assert!(said(&model).contains("x cancels instead"));
    assert!(model.dialog.is_none());
}

#[test]
fn rotate_stays_shut_until_the_name_is_typed_exactly() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('r')]);
    for wrong in ["acm", "e ", "x"] {
        typed(&mut model, wrong);
        assert!(press(&mut model, &[Key::Enter]).is_empty(), "{wrong}");
        assert!(matches!(model.dialog, Some(Dialog::Form(_))));
        press(&mut model, &[Key::Ctrl('u')]);
    }
    typed(&mut model, "acme");
    let effects = press(&mut model, &[Key::Enter]);
    assert_eq!(commands(&effects), [&Command::Rotate { confirm: "acme".into(), through_tunnel: String::new() }]);
    assert!(model.dialog.is_none());
}

#[test]
fn rotate_stays_shut_while_a_person_keeps_the_gate_shut_whatever_is_typed() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('r')]);
    typed(&mut model, "acme");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    let Some(Dialog::Form(form)) = &model.dialog else { panic!("closed") };
    assert_eq!(form.error.as_deref(), Some("the gate is shut: Björn Lindqvist has not answered (and 3 more)"));
}

#[test]
fn the_gate_that_shuts_while_the_form_is_open_shuts_the_form() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('r')]);
    typed(&mut model, "acme");
    update(&mut model, Msg::Status(Arc::new(announced("acme"))));
    assert!(press(&mut model, &[Key::Enter]).is_empty());
}

#[test]
fn a_second_key_press_while_a_command_runs_is_refused() {
    let mut model = showing(ready("acme"), SIZE);
    assert_eq!(commands(&press(&mut model, &[Key::Char('c')])), [&Command::Check]);
    assert!(press(&mut model, &[Key::Char('c')]).is_empty());
    assert_eq!(said(&model), "refused check: check is running for acme; wait until it has ended");
    press(&mut model, &[Key::Char('r')]);
    assert!(model.dialog.is_none());
    update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Ok("all is as it must be".into()) });
    assert!(said(&model).starts_with("refused rotate"), "a refusal stays until the next key");
    assert!(
        model.remarks.iter().any(|remark| remark.text == "acme: check: all is as it must be"),
        "and the log has both"
    );
    press(&mut model, &[Key::Char('r')]);
    assert!(model.dialog.is_some());
}

#[test]
fn a_form_that_was_open_when_something_began_is_refused_when_it_is_sent() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('r')]);
    typed(&mut model, "acme");
    update(&mut model, Msg::JobStarted { tenant: tenant("acme").id, what: "verify".into() });
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    assert!(model.dialog.is_some());
}

#[test]
fn somebody_else_at_work_shuts_every_changing_key() {
    let mut status = ready("acme");
    let since = now();
    let (name, host) = ("jo".into(), "bastion-1".into());
    status.holder = Some(changeguard::engine::journal::Holder::new(name, host, 7, since, Default::default()));
    let mut model = showing(status, SIZE);
    for key in ['r', 'c', 'n', 'a', 'w', 'x', 'N', 'e'] {
        assert!(press(&mut model, &[Key::Char(key)]).is_empty());
        assert!(model.dialog.is_none() && said(&model).contains("held by jo on bastion-1"), "{key}: {}", said(&model));
    }
}

#[test]
fn a_filter_narrows_while_it_grows_and_widens_when_it_shrinks() {
    let mut model = fleet(SIZE);
    assert_eq!(model.fleet.order.len(), 8);
    press(&mut model, &[Key::Char('/')]);
    typed(&mut model, "a");
    let examined = model.fleet.examined;
    let left = model.fleet.order.len() as u64;
    typed(&mut model, "c");
    assert_eq!(model.fleet.examined - examined, left, "only what was left is looked at");
    typed(&mut model, "me");
    assert_eq!(model.fleet.order.len(), 1);
    press(&mut model, &[Key::Esc]);
    assert_eq!(model.fleet.order.len(), 8);
    assert!(!model.fleet.typing);
}

#[test]
fn a_slash_begins_a_new_filter_and_esc_brings_the_old_one_back() {
    let mut model = fleet(SIZE);
    let filter = |model: &mut Model, text: &str, end: Key| {
        press(model, &[Key::Char('/')]);
        typed(model, text);
        press(model, &[end]);
        (model.fleet.filter.value().to_owned(), model.fleet.order.len())
    };
    assert_eq!(filter(&mut model, "acme", Key::Enter), ("acme".into(), 1));
    assert_eq!(filter(&mut model, "in", Key::Esc), ("acme".into(), 1));
    let (text, rows) = filter(&mut model, "in", Key::Enter);
    assert!(text == "in" && rows > 1, "{text} {rows}");
    assert_eq!(filter(&mut model, "", Key::Enter), (String::new(), 8));
    let mut model = showing(announced("acme"), SIZE);
    let all = model.panels.clients.order.len();
    for (text, end, left) in [("ada", Key::Enter, "ada"), ("bo", Key::Esc, "ada"), ("", Key::Enter, "")] {
        press(&mut model, &[Key::Char('/')]);
        typed(&mut model, text);
        press(&mut model, &[end]);
        assert_eq!(model.panels.clients.filter.value(), left);
    }
    assert_eq!(model.panels.clients.order.len(), all);
}

#[test]
fn letters_typed_into_a_field_are_no_commands() {
    let mut model = fleet(SIZE);
    press(&mut model, &[Key::Char('/')]);
    assert!(typed(&mut model, "qsy?").is_empty());
    assert_eq!(model.fleet.filter.value(), "qsy?");
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('w')]);
    assert!(typed(&mut model, "quarrel, y").is_empty());
    let Some(Dialog::Form(form)) = &model.dialog else { panic!("closed") };
    assert_eq!(form.value(0), "quarrel, y");
}

#[test]
fn pasted_text_goes_into_the_field_and_nowhere_else() {
    let mut model = showing(announced("acme"), SIZE);
    assert!(update(&mut model, Msg::Paste("rx\racme\r".into())).is_empty());
    assert!(model.dialog.is_none());
    press(&mut model, &[Key::Char('w')]);
    update(&mut model, Msg::Paste("left the\r\ncompany\x1b[2J".into()));
    let Some(Dialog::Form(form)) = &model.dialog else { panic!("closed") };
    assert_eq!(form.value(0), "left the company [2J");
}

#[test]
fn the_selection_stays_with_its_tenant_when_statuses_move_the_rows() {
    let mut model = fleet(SIZE);
    press(&mut model, &[Key::Down, Key::Down, Key::Down]);
    let selected = model.fleet.selected().cloned().unwrap();
    for status in [rolling_back("acme"), idle("borealis"), failed("harbour")] {
        update(&mut model, Msg::Status(Arc::new(status)));
        assert_eq!(model.fleet.selected(), Some(&selected));
    }
    press(&mut model, &[Key::Char('s')]);
    assert_eq!(model.fleet.selected(), Some(&selected));
}

#[test]
fn the_selected_client_stays_selected_when_others_come_and_go() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Down, Key::Down]);
    let mut status = announced("acme");
    status.clients.remove(0);
    update(&mut model, Msg::Status(Arc::new(status.clone())));
    assert_eq!(model.panels.clients.selected(&status).unwrap().client.name, "Chen Wei");
}

#[test]
fn an_answer_is_recorded_for_all_marked_clients() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char(' '), Key::Char(' '), Key::Char('a')]);
    assert!(press(&mut model, &[Key::Right, Key::Enter, Key::Right, Key::Enter, Key::Enter, Key::Enter]).is_empty());
    assert!(press(&mut model, &[Key::Char('R'), Key::Ctrl('u')]).is_empty(), "two are more than one key sets off");
    typed(&mut model, "acme");
    let effects = press(&mut model, &[Key::Enter]);
    let asked = commands(&effects);
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|c| matches!(c, Command::Answer { answer: Answer::Confirmed, .. })));
    assert_eq!(model.jobs[&tenant("acme").id].open, 2);
    for _ in 0..2 {
        update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Ok("recorded".into()) });
    }
    assert!(model.jobs.is_empty() && model.panels.clients.marked.is_empty());
}

#[test]
fn another_time_needs_the_clients_words() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('a'), Key::Left, Key::Enter, Key::Enter, Key::Right, Key::Enter, Key::Enter]);
    assert!(press(&mut model, &[Key::Char('R')]).is_empty());
    press(&mut model, &[Key::Up, Key::Up, Key::Up]);
    typed(&mut model, "Thursday");
    let effects = press(&mut model, &[Key::Enter, Key::Enter, Key::Enter, Key::Char('R')]);
    let Some(Command::Answer { answer, .. }) = commands(&effects).first().copied() else { panic!("{effects:?}") };
    assert_eq!(*answer, Answer::OtherTime("Thursday".into()));
}

#[test]
fn a_waiver_needs_a_reason() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('w')]);
    assert!(press(&mut model, &[Key::Char(' '), Key::Enter, Key::Char('R')]).is_empty());
    press(&mut model, &[Key::Up]);
    typed(&mut model, "on leave");
    let effects = press(&mut model, &[Key::Enter, Key::Char('R')]);
    assert!(matches!(commands(&effects)[..], [Command::Waive { reason, .. }] if reason == "on leave"));
}

#[test]
fn no_mail_is_sent_before_its_letter_can_be_read() {
    let mut model = showing(announced("acme"), SIZE);
    let tenant = tenant("acme").id;
    let effects = press(&mut model, &[Key::Char('n')]);
    assert_eq!(effects, [Effect::Preview(tenant.clone(), NoticeKind::Announcement)]);
    press(&mut model, &[Key::Enter]);
    typed(&mut model, "acme");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    update(&mut model, Msg::Preview { tenant, kind: NoticeKind::Announcement, letters: Ok(Vec::new()) });
    assert!(press(&mut model, &[Key::Enter, Key::Enter]).is_empty());
    let effects = press(&mut model, &[Key::Char('S')]);
    let Some(Command::Notify { only: Some(only), again: false, .. }) = commands(&effects).first().copied() else {
        panic!("{effects:?}")
    };
    assert_eq!(only.len(), 1, "who stands in the list, and nobody who appears meanwhile");
    assert!(press(&mut model, &[Key::Enter]).is_empty(), "one at a time");
}

#[test]
fn only_refused_mails_are_tried_again_and_an_uncertain_one_is_settled_by_a_person() {
    let mut model = showing(announced("acme"), SIZE);
    press(&mut model, &[Key::Char('n')]);
    let (tenant_id, letters) = (tenant("acme").id, Ok(Vec::new()));
    update(&mut model, Msg::Preview { tenant: tenant_id, kind: NoticeKind::Announcement, letters });
    assert!(press(&mut model, &[Key::Char('f'), Key::Enter, Key::Enter]).is_empty());
    let effects = press(&mut model, &[Key::Char('S')]);
    let Some(Command::Notify { only: Some(only), again: false, .. }) = commands(&effects).first() else { panic!() };
    assert_eq!(only.iter().map(|id| id.0.as_str()).collect::<Vec<_>>(), ["chen.wei"]);
    update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Ok(String::new()) });
    press(&mut model, &[Key::End, Key::Char('o'), Key::Left, Key::Enter]);
    typed(&mut model, "she told me");
    let effects = press(&mut model, &[Key::Enter, Key::Char('R')]);
    let [Command::ResolveNotice { message_id, arrived: true, reason }] = commands(&effects)[..] else { panic!() };
    assert_eq!((message_id.as_str(), reason.as_str()), ("<fatma.announcement@example.net>", "she told me"));
}

#[test]
fn a_rollback_needs_a_reason_and_the_name() {
    let mut model = showing(returning("acme"), SIZE);
    press(&mut model, &[Key::Char('R')]);
    assert!(press(&mut model, &[Key::Enter, Key::Enter]).is_empty());
    typed(&mut model, "acme");
    assert!(press(&mut model, &[Key::Enter]).is_empty());
    press(&mut model, &[Key::Up]);
    typed(&mut model, "can't import");
    let effects = press(&mut model, &[Key::Enter, Key::Enter]);
    let [Command::RollBack { confirm, reason, .. }] = commands(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((confirm.as_str(), reason.as_str()), ("acme", "can't import"));
}

#[test]
fn finishing_names_who_is_missing() {
    let mut model = showing(returning("acme"), SIZE);
    press(&mut model, &[Key::Char('f')]);
    assert!(said(&model).contains("not back and not waived: Chen Wei, Dolores Haze, Emeka Obi, Fatma Yılmaz"));
}

#[test]
fn quitting_while_something_runs_is_asked_first_and_a_lost_link_is_not() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('c'), Key::Char('q')]);
    assert_eq!(model.screen, Screen::Fleet);
    assert!(press(&mut model, &[Key::Char('q')]).is_empty());
    assert!(press(&mut model, &[Key::Esc, Key::Esc, Key::Esc]).is_empty());
    assert_eq!(press(&mut model, &[Key::Char('q'), Key::Char('y')]), [Effect::Quit]);
    // Where the question has no room it is asked all the same, and answered by the key that is named.
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('c')]);
    update(&mut model, Msg::Resize(40, 10));
    assert!(press(&mut model, &[Key::Char('q')]).is_empty());
    assert!(screen(&model).contains("q again quits: what runs stops safely"), "{}", screen(&model));
    assert_eq!(press(&mut model, &[Key::Char('q')]), [Effect::Quit]);
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('c')]);
    assert_eq!(update(&mut model, Msg::LinkLost), [Effect::Quit]);
}

#[test]
fn a_failure_never_opens_over_another_dialog() {
    let mut model = showing(ready("acme"), SIZE);
    press(&mut model, &[Key::Char('c'), Key::Char('?')]);
    let failure = changeguard::app::failure::Failure {
        refused: false,
        text: "broken".into(),
        safe: "nothing was changed".into(),
        advice: "try again".into(),
    };
    update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Err(failure) });
    assert!(matches!(&model.dialog, Some(Dialog::Reading(reading)) if reading.title() == "Keys"));
    assert!(said(&model).starts_with("ERROR acme: check: broken"));
}

#[test]
fn the_troubleshooting_opens_with_the_failure_and_t_works_where_it_is_named() {
    let failure = || changeguard::app::failure::Failure {
        refused: false,
        text: "broken".into(),
        safe: "nothing was changed".into(),
        advice: "try again; t for troubleshooting".into(),
    };
    let mut model = showing(failed("acme"), SIZE);
    let status = model.status().unwrap().clone();
    let stuck = status.steps.iter().find(|step| matches!(step.state, StepState::Failed { .. })).unwrap().number;
    update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Err(failure()) });
    let Some(Dialog::Reading(reading)) = &model.dialog else { panic!("{:?}", model.dialog) };
    let rows = reading.rows(&model);
    let says = |text: &str| rows.iter().any(|row| row.text.contains(text));
    assert!(says("broken") && says(&format!("Step {stuck}: ")) && says("How it is taken back"), "{rows:?}");
    press(&mut model, &[Key::Char('t')]);
    let title = |model: &Model| match &model.dialog {
        Some(Dialog::Reading(reading)) => reading.title(),
        other => panic!("{other:?}"),
    };
    assert_eq!(title(&model), format!("Troubleshooting of step {stuck}"));
    // Where no step is stuck it opens the one in question.
    let mut model = showing(ready("acme"), SIZE);
    update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Err(failure()) });
    press(&mut model, &[Key::Char('t')]);
    assert!(title(&model).starts_with("Troubleshooting of step "));
}

#[test]
fn nothing_is_asked_for_on_a_screen_that_is_too_small_to_show_it() {
    let mut model = showing(ready("acme"), SIZE);
    update(&mut model, Msg::Resize(40, 10));
    assert!(press(&mut model, &[Key::Char('c'), Key::Char('r')]).is_empty());
    assert!(model.dialog.is_none());
    assert!(screen(&model).contains("terminal too small: needs 80x24"));
}

#[test]
fn an_unwritable_journal_shuts_every_changing_key() {
    let mut model = showing(ready("acme"), SIZE);
    update(&mut model, Msg::Alarm(Some("the journal can't be written: disk full".into())));
    assert!(press(&mut model, &[Key::Char('c')]).is_empty());
    assert!(model.remark().is_some_and(|remark| remark.severity == Severity::Refused));
    assert!(screen(&model).contains("ALARM: the journal can't be written"));
    update(&mut model, Msg::Alarm(None));
    assert!(!press(&mut model, &[Key::Char('c')]).is_empty());
}

#[test]
fn opening_a_tenant_watches_it_and_leaving_stops_that() {
    let mut model = fleet(SIZE);
    let id = model.fleet.selected().cloned().unwrap();
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Watch(Some(id.clone()))]);
    assert_eq!(press(&mut model, &[Key::Esc]), [Effect::Watch(None)]);
    assert_eq!(model.fleet.selected(), Some(&id));
}

#[test]
fn only_public_data_is_copied() {
    let mut model = showing(failed("acme"), SIZE);
    let id = tenant("acme").id.to_string();
    press(&mut model, &[Key::Char('4')]);
    assert_eq!(press(&mut model, &[Key::Char('y')]), [Effect::Copy(id)]);
    press(&mut model, &[Key::Char('2')]);
    let Some(Effect::Copy(text)) = press(&mut model, &[Key::Char('y')]).pop() else { panic!() };
    assert_eq!(text.len(), 44);
}

#[test]
fn the_screen_wakes_each_second_only_where_something_ticks() {
    let mut model = fleet(SIZE);
    assert_eq!(model.wakes_in().as_secs(), 60);
    press(&mut model, &[Key::Enter]);
    assert_eq!(model.wakes_in().as_secs(), 1);
}

#[test]
fn only_a_lab_offers_to_fail_and_enter_asks_for_what_is_under_the_cursor() {
    let mut model = showing(announced("acme"), SIZE);
    assert!(press(&mut model, &[Key::Char('F')]).is_empty() && model.dialog.is_none());
    assert!(model.remark().unwrap().text.contains("only a lab"), "{:?}", model.remark());
    press(&mut model, &[Key::Char('?'), Key::End]);
    assert!(!screen(&model).contains("to practise"), "{}", screen(&model));
    press(&mut model, &[Key::Esc]);

    model.options.lab = Some("EMBEDDED LAB".into());
    let asked = press(&mut model, &[Key::Char('1'), Key::Char('F')]);
    assert!(matches!(&asked[..], [Effect::Rehearse(None)]), "{asked:?}");
    assert!(press(&mut model, &[Key::Enter]).is_empty(), "nothing is known to switch yet");
    let mishap = |word: &str, on: &[&str]| Mishap {
        word: word.into(),
        help: "it fails".into(),
        on: on.iter().map(|place| (*place).to_owned()).collect(),
    };
    let all = vec![mishap("late", &[]), mishap("bounce", &["acme/u-ada"])];
    update(&mut model, Msg::Rehearsed(all.clone(), Ok(String::new())));
    let shown = screen(&model);
    assert!(shown.contains("late") && shown.contains("ON acme/u-ada: it fails"), "{shown}");
    let asked = press(&mut model, &[Key::Enter, Key::Down, Key::Down, Key::Enter]);
    let [Effect::Rehearse(Some(on)), Effect::Rehearse(Some(off))] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((on.word.as_str(), on.on, off.word.as_str(), off.on), ("late", true, "bounce", false));
    assert!(on.tenant.is_some() && on.client.is_some(), "the tenant and the client that are shown: {on:?}");
    assert_eq!((&off.tenant, &off.client), (&None, &None), "off wherever it is on");
    update(&mut model, Msg::Rehearsed(Vec::new(), Err("no lab runs here".into())));
    assert!(screen(&model).contains("no lab runs here"));
    press(&mut model, &[Key::Esc]);
    assert!(model.dialog.is_none());
}
