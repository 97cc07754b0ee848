//! Whole screens compared with what was reviewed.

use super::fixture::*;
use changeguard::app::failure::Failure;
use changeguard::app::keymap::Key;
use changeguard::app::message::Letter;
use changeguard::app::{Charset, Model, Msg, update};
use changeguard::domain::fault::{Fault, FaultKind, Service};
use changeguard::domain::gate::{Reason, Verdict};
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::step::StepNumber;
use changeguard::engine::journal::Holder;
use changeguard::engine::status::TenantStatus;
use changeguard::engine::step::Progress;
use insta::assert_snapshot;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

fn opened(status: TenantStatus, key: char) -> Model {
    let mut model = showing(status, SMALL);
    press(&mut model, &[Key::Char(key)]);
    model
}

#[test]
fn the_fleet_at_80x24() {
    assert_snapshot!(screen(&fleet(SMALL)));
}

#[test]
fn the_fleet_at_120x40() {
    assert_snapshot!(screen(&fleet(LARGE)));
}

#[test]
fn the_fleet_before_anything_was_looked_at() {
    assert_snapshot!(screen(&Model::new(options(SMALL))));
}

#[test]
fn the_fleet_with_a_filter_being_typed() {
    let mut model = fleet(SMALL);
    press(&mut model, &[Key::Char('/')]);
    typed(&mut model, "roll");
    assert_snapshot!(screen(&model));
}

#[test]
fn an_idle_tenant() {
    assert_snapshot!(screen(&showing(idle("acme"), SMALL)));
}

#[test]
fn an_announced_tenant_with_its_gate_shut_at_80x24() {
    assert_snapshot!(screen(&showing(announced("acme"), SMALL)));
}

#[test]
fn an_announced_tenant_with_its_gate_shut_at_120x40() {
    assert_snapshot!(screen(&showing(announced("acme"), LARGE)));
}

#[test]
fn an_announced_tenant_in_ascii_without_colour() {
    let mut options = options(SMALL);
    options.charset = Charset::Ascii;
    options.palette = changeguard::app::Palette::None;
    let mut model = showing(announced("acme"), SMALL);
    model.options = options;
    let text = screen(&model);
    assert!(text.is_ascii(), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_rotation_with_a_failed_step() {
    let mut model = showing(failed("acme"), SMALL);
    press(&mut model, &[Key::Char('2')]);
    assert_snapshot!(screen(&model));
}

#[test]
fn a_rotation_with_a_failed_step_at_120x40() {
    assert_snapshot!(screen(&showing(failed("acme"), LARGE)));
}

#[test]
fn clients_that_come_back() {
    assert_snapshot!(screen(&showing(returning("acme"), SMALL)));
}

#[test]
fn a_rollback_that_was_interrupted() {
    assert_snapshot!(screen(&showing(rolling_back("acme"), SMALL)));
}

#[test]
fn a_running_command_with_its_progress() {
    let mut model = showing(ready("acme"), SMALL);
    let tenant = tenant("acme").id;
    update(&mut model, Msg::JobStarted { tenant: tenant.clone(), what: "rotate".into() });
    let text = "waiting for the server to take the key".into();
    let progress = Progress { step: StepNumber::RECONCILE, done: 35, total: 120, text };
    update(&mut model, Msg::Progress { tenant, progress });
    assert_snapshot!(screen(&model));
}

#[test]
fn the_peers_the_journal_and_the_gate() {
    let mut model = showing(announced("acme"), SMALL);
    let mut text = String::new();
    for panel in ['3', '4', '5'] {
        press(&mut model, &[Key::Char(panel)]);
        let lines = screen(&model);
        text.extend(lines.lines().skip(13).map(|line| format!("{line}\n")));
    }
    assert_snapshot!(text);
}

#[test]
fn the_form_of_a_window() {
    assert_snapshot!(screen(&opened(idle("acme"), 'p')));
}

#[test]
fn the_form_of_a_window_with_an_error_beside_its_field() {
    let mut model = opened(idle("acme"), 'p');
    press(&mut model, &[Key::Down, Key::Ctrl('u')]);
    typed(&mut model, "soon");
    assert_snapshot!(screen(&model));
}

#[test]
fn the_form_of_an_answer_for_two_marked_clients() {
    let mut model = showing(announced("acme"), SMALL);
    press(&mut model, &[Key::Down, Key::Char(' '), Key::Char(' '), Key::Char('a'), Key::Left]);
    assert_snapshot!(screen(&model));
}

#[test]
fn the_form_of_a_waiver() {
    assert_snapshot!(screen(&opened(announced("acme"), 'w')));
}

#[test]
fn the_form_of_rotate_with_the_gate_shut() {
    assert_snapshot!(screen(&opened(announced("acme"), 'r')));
}

#[test]
fn the_form_of_rotate_ready_to_be_confirmed() {
    let mut model = showing(ready("acme"), LARGE);
    press(&mut model, &[Key::Char('r')]);
    typed(&mut model, "acme");
    assert_snapshot!(screen(&model));
}

#[test]
fn the_form_of_a_rollback() {
    assert_snapshot!(screen(&opened(returning("acme"), 'R')));
}

#[test]
fn the_form_of_a_cancellation() {
    assert_snapshot!(screen(&opened(announced("acme"), 'x')));
}

#[test]
fn the_form_of_an_interrupted_step() {
    assert_snapshot!(screen(&opened(rolling_back("acme"), 'd')));
}

#[test]
fn the_mails_with_a_letter_and_results() {
    let mut model = opened(announced("acme"), 'n');
    let body = "Dear Björn,\n\nthe VPN of acme gets a new server key on Tue 2026-11-24 22:00 to 23:30 CET.\n\
                Your connection will stop working until you import your configuration again.";
    let letters = Ok(vec![Letter {
        client: changeguard::domain::client::ClientId("björn.lindqvist".into()),
        to: "Björn Lindqvist <bjorn@example.com>".into(),
        subject: "VPN maintenance on 24 November".into(),
        body: body.into(),
    }]);
    update(&mut model, Msg::Preview { tenant: tenant("acme").id, kind: NoticeKind::Announcement, letters });
    assert_snapshot!(screen(&model));
}

#[test]
fn the_help_says_which_keys_are_shut_and_why() {
    let mut model = showing(announced("acme"), LARGE);
    press(&mut model, &[Key::Char('?')]);
    assert_snapshot!(screen(&model));
}

/// What a narrow screen cuts of it opens by the key that stands there.
#[test]
fn what_needs_attention_and_what_is_next_opens_whole_on_the_smallest_screen() {
    let mut status = failed("acme");
    let long =
        "the interface shows HrqmvQf+, a key that no client has: every client is cut off, and this sentence has an END";
    status.attention = vec![long.to_owned(), "a second thing".to_owned()];
    status.next.commands = vec!["changeguard resume acme".to_owned()];
    let mut model = showing(status, SMALL);
    let cut = screen(&model);
    assert!(cut.contains("(! +1 more)") && !cut.contains("an END"), "{cut}");
    press(&mut model, &[Key::Char('!')]);
    let whole = screen(&model);
    for told in ["an END", "a second thing", "run: changeguard resume acme"] {
        assert!(whole.contains(told), "{told}\n{whole}");
    }
}

#[test]
fn the_troubleshooting_of_the_failed_step() {
    assert_snapshot!(screen(&opened(failed("acme"), 't')));
}

#[test]
fn a_failure_says_what_happened_what_is_safe_and_what_to_press() {
    let mut model = showing(ready("acme"), SMALL);
    press(&mut model, &[Key::Char('c')]);
    let fault = Fault::new(Service::Barbican, FaultKind::TimedOut, "no answer in 20 s to the list of secrets");
    update(&mut model, Msg::JobEnded { tenant: tenant("acme").id, result: Err(Failure::fault(&fault)) });
    assert_snapshot!(screen(&model));
}

#[test]
fn the_lab_and_an_alarm_are_seen_on_every_screen() {
    let mut model = fleet(SMALL);
    model.options.production = false;
    model.options.lab = Some("EMBEDDED LAB".into());
    update(&mut model, Msg::Alarm(Some("the journal can't be written: disk full; nothing more is done".into())));
    assert_snapshot!(screen(&model));
}

/// Everybody has confirmed, four eyes are asked for, and nobody has approved yet.
fn to_approve() -> TenantStatus {
    let mut status = ready("acme");
    status.plan_digest = Some("3f9a1c0b7e4d2f6688aa".repeat(3));
    let why = "a second operator must approve the plan".into();
    status.gate = Verdict::Shut(vec![Reason::NotApproved { why }]);
    status
}

#[test]
fn the_form_of_an_approval_shows_the_whole_plan() {
    assert_snapshot!(screen(&opened(to_approve(), 'A')));
}

#[test]
fn an_approval_of_a_plan_that_changed_under_the_reader_is_refused() {
    let mut model = opened(to_approve(), 'A');
    press(&mut model, &[Key::Down]);
    typed(&mut model, "acme");
    let changed = TenantStatus { plan_digest: Some("00".repeat(32)), ..to_approve() };
    update(&mut model, Msg::Status(std::sync::Arc::new(changed)));
    press(&mut model, &[Key::Enter]);
    assert!(screen(&model).contains("the plan has changed while you read it"), "{}", screen(&model));
}

#[test]
fn the_form_of_a_take_over_names_who_is_overruled() {
    let mut status = failed("acme");
    status.holder = Some(Holder {
        name: "ada".into(),
        host: "bastion-1".into(),
        pid: 4711,
        since: at("2026-11-24T21:02:00Z"),
        heartbeat: at("2026-11-24T21:09:41Z"),
        instance: Default::default(),
        beats: 7,
        fence: 1,
    });
    assert_snapshot!(screen(&opened(status, 'T')));
}

#[test]
fn the_form_of_an_emergency_for_an_operator_within_the_tunnel() {
    let mut status = announced("acme");
    status.own_route = Some("your session comes from 10.77.1.2, which is in this tunnel".into());
    let mut model = showing(status, LARGE);
    press(&mut model, &[Key::Char('E')]);
    assert_snapshot!(screen(&model));
}

#[test]
fn a_review_that_is_overdue_stays_red_on_an_idle_tenant() {
    let mut status = idle("acme");
    let emergency = emergency("2026-11-23T20:00:00Z", "2026-11-24T20:00:00Z");
    (status.review, status.review_overdue) = (Some(emergency), true);
    assert_snapshot!(screen(&showing(status, SMALL)));
}
