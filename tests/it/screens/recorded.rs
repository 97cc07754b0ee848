//! What an operator puts right about a person: taken back, kept for another window, accepted as theirs; each by a second key.

use super::fixture::*;
use super::hands::asked;
use changeguard::app::Model;
use changeguard::app::keymap::Key;
use changeguard::domain::acknowledgement::Waiver;
use changeguard::domain::client::ClientId;
use changeguard::domain::reply::Verdict;
use changeguard::engine::command::Command;
use changeguard::engine::hearing::{LapsedWaiver, Withdrawal};
use changeguard::engine::mailbox::Doubt;

const SIZE: (u16, u16) = (80, 24);

/// Selects the client at this place and gives their id.
fn select(model: &mut Model, place: usize) -> ClientId {
    press(model, &vec![Key::Down; place]);
    model.status().unwrap().clients[place].client.id.clone()
}

#[test]
fn what_was_recorded_of_a_client_is_taken_back_by_a_reason_and_a_second_key() {
    let mut model = showing(announced("acme"), SIZE);
    let client = select(&mut model, 3);
    press(&mut model, &[Key::Char('B')]);
    let text = screen(&model);
    assert!(
        text.contains("Take back what was recorded of Dolores Haze") && text.contains("Both entries stay"),
        "{text}"
    );
    press(&mut model, &[Key::Right, Key::Right, Key::Enter]);
    assert!(press(&mut model, &[Key::Enter, Key::Char('R')]).is_empty(), "a reason is needed");
    press(&mut model, &[Key::Up]);
    typed(&mut model, "it was Emeka");
    assert!(press(&mut model, &[Key::Enter, Key::Enter]).is_empty());
    let effects = press(&mut model, &[Key::Char('R')]);
    let [Command::TakeBack { what, reason }] = commands(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((what, reason.as_str()), (&Withdrawal::Waiver { client }, "it was Emeka"));
}

#[test]
fn another_address_is_accepted_once_or_from_now_on_and_unverified_senders_are_named() {
    for (key, alias) in [('1', false), ('2', true)] {
        let mut status = asked("acme");
        status.heard.senders_verified = Some(false);
        status.mails[0].doubt =
            Some(Doubt { foreign: Some("emeka@home.example".into()), unverified: None, otherwise: Verdict::Confirmed });
        let mut model = showing(status, SIZE);
        assert!(screen(&model).contains("2 of 6 settled unverified"), "{}", screen(&model));
        press(&mut model, &[Key::Char('o')]);
        assert!(screen(&model).contains("senders are NOT verified here"), "{}", screen(&model));
        assert!(press(&mut model, &[Key::Char(key), Key::Enter, Key::Enter]).is_empty());
        let text = screen(&model);
        assert!(text.contains("emeka@home.example") && text.contains("the mail then says: confirmed"), "{text}");
        let effects = press(&mut model, &[Key::Char('R')]);
        assert!(matches!(commands(&effects)[..], [Command::AcceptSender { alias: is, .. }] if *is == alias));
    }
}

#[test]
fn a_waiver_of_an_earlier_window_is_kept_by_a_second_key() {
    let mut status = announced("acme");
    let client = status.clients[1].client.id.clone();
    let waiver = Waiver { client, reason: "left the company".into(), by: "mira".into(), at: now() };
    status.heard.lapsed_waivers = vec![LapsedWaiver { waiver, revision: 1 }];
    let mut model = showing(status, SIZE);
    assert!(press(&mut model, &[Key::Char('K')]).is_empty() && model.dialog.is_none(), "not of the selected one");
    let client = select(&mut model, 1);
    assert!(press(&mut model, &[Key::Char('K'), Key::Enter, Key::Enter]).is_empty());
    assert!(screen(&model).contains("was waived for revision 1: left the company"), "{}", screen(&model));
    let effects = press(&mut model, &[Key::Char('R')]);
    assert_eq!(commands(&effects), [&Command::KeepWaiver { only: Some(vec![client]) }]);
}
