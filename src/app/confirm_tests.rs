//! The rules of what sets a verb off, for every verb and for any keys.

use super::*;
use crate::app::command::COMMANDS;
use proptest::prelude::*;

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        4 => any::<char>().prop_map(Key::Char),
        2 => prop::sample::select(vec![SEND, RECORD, GO, 'y', '\r', ' ']).prop_map(Key::Char),
        2 => prop::sample::select(vec![Key::Enter, Key::Tab, Key::Down, Key::Up, Key::Backspace, Key::Ctrl('u')]),
    ]
}

#[test]
fn what_reaches_people_or_counts_as_their_word_is_never_plain_and_never_ends_with_enter() {
    use CommandId as Id;
    let harmless = [Id::Check, Id::Verify, Id::Plan, Id::Note];
    for command in COMMANDS.iter().filter(|command| command.id.changes_something()) {
        let weak = matches!(command.confirm, Confirm::Plain | Confirm::Enter);
        assert_eq!(weak, harmless.contains(&command.id), "{:?}", command.id);
    }
}

#[test]
fn enter_goes_on_to_the_second_key_and_never_instead_of_it() {
    let mut confirmation = Confirmation::of(CommandId::Resume, Reach::One);
    assert!(matches!(confirmation.press(Key::Char(GO), "acme"), Pressed::Refused(_)), "not before it was gone on to");
    assert_eq!(confirmation.press(Key::Enter, "acme"), Pressed::Taken);
    assert!(matches!(confirmation.press(Key::Enter, "acme"), Pressed::Refused(_)));
    assert_eq!(confirmation.press(Key::Char(GO), "acme"), Pressed::Given(Consent(Given::Key(GO))));
}

proptest! {
    #[test]
    fn nothing_but_the_whole_name_gives_the_consent_of_the_name(
        keys in prop::collection::vec(keys(), 0..30), name in "[a-z]{1,6}",
    ) {
        let mut confirmation = Confirmation::of(CommandId::Rotate, Reach::Many);
        for key in keys {
            let typed = confirmation.typed().to_owned();
            if let Pressed::Given(consent) = confirmation.press(key, &name) {
                prop_assert!(key == Key::Enter && typed == name);
                prop_assert!(consent.covers(Ask::Name, &name) && !consent.covers(Ask::Name, "another"));
            }
        }
    }

    #[test]
    fn a_lighter_consent_never_covers_a_heavier_demand(key in any::<char>(), name in ".{0,8}") {
        for consent in [Consent::plain(), Consent::enter()] {
            prop_assert!(!consent.covers(Ask::Key(key), &name) && !consent.covers(Ask::Name, &name));
        }
        let of_key = Consent(Given::Key(key));
        prop_assert!(!of_key.covers(Ask::Name, &name));
        prop_assert!(key == SEND || !of_key.covers(Ask::Key(SEND), &name));
    }
}
