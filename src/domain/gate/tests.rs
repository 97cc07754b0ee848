//! The gate's table of cases: each fact alone shuts it, and only all together open it.

use super::*;
use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::notice::{Delivery, Notice, NoticeKind};
use crate::domain::preflight::{Check, CheckState, KeyAgreement};

struct Case {
    window: Window,
    clients: Vec<Client>,
    notices: Vec<Notice>,
    acks: BTreeMap<ClientId, Acknowledgement>,
    waivers: BTreeMap<ClientId, Waiver>,
    preflight: Preflight,
    held: Option<&'static str>,
    unknown: Option<&'static str>,
    nobody: Option<&'static str>,
    set_aside: BTreeSet<&'static str>,
    seen_since: Option<&'static str>,
    approval: ApprovalFact,
    emergency: bool,
}

fn now() -> Timestamp {
    "2026-11-24T22:10:00Z".parse().unwrap()
}

fn client(id: &str) -> Client {
    let (name, email) = (id.to_uppercase(), Some(format!("{id}@x.example")));
    Client { id: ClientId(id.into()), name, email, public_key: None, sources: BTreeSet::new(), also: Vec::new() }
}

fn ack(id: &str, revision: u32, answer: Answer) -> (ClientId, Acknowledgement) {
    let client = ClientId(id.into());
    let (channel, note, by) = (Channel::Phone, String::new(), "op".to_string());
    (client.clone(), Acknowledgement::recorded(client, revision, answer, channel, note, by, now()))
}

/// A case in which everything holds.
fn open() -> Case {
    let check = Check {
        name: "barbican".into(),
        state: CheckState::Pass,
        finding: String::new(),
        advice: String::new(),
        until: None,
        is_proved: false,
    };
    Case {
        window: Window::parse("2026-11-24 22:00", "1h", "UTC", 2).unwrap(),
        clients: vec![client("ada"), client("bob")],
        notices: vec![],
        acks: BTreeMap::from([ack("ada", 2, Answer::Confirmed), ack("bob", 2, Answer::Confirmed)]),
        waivers: BTreeMap::new(),
        preflight: Preflight { at: now(), checks: vec![check], keys: KeyAgreement::default() },
        held: None,
        unknown: None,
        nobody: None,
        set_aside: BTreeSet::new(),
        seen_since: None,
        approval: ApprovalFact::NotNeeded,
        emergency: false,
    }
}

fn facts<'a>(case: &'a Case, notices: &'a Notices, to_read: &'a BTreeSet<ClientId>) -> Facts<'a> {
    Facts {
        window: Some(&case.window),
        people: PeoplePart {
            clients: &case.clients,
            unknown: case.unknown,
            nobody: case.nobody,
            notices,
            acknowledgements: &case.acks,
            waivers: &case.waivers,
            to_read,
        },
        checks: ChecksPart {
            run: Some(&case.preflight),
            valid_s: 600,
            set_aside: case.set_aside.clone(),
            seen_since: case.seen_since,
        },
        held_by: case.held,
        approval: case.approval.clone(),
        emergency: case.emergency,
    }
}

fn verdict(case: &Case, at: Timestamp) -> Verdict {
    judge(&facts(case, &case.notices.iter().cloned().collect(), &BTreeSet::new()), at)
}

#[test]
fn it_opens_when_everybody_has_confirmed_this_revision_in_an_open_window_after_a_green_check() {
    assert_eq!(verdict(&open(), now()), Verdict::Open);
}

#[test]
fn what_was_seen_since_a_green_check_shuts_it_and_wants_another_check() {
    let case = Case { seen_since: Some("the keys differ"), ..open() };
    let said = verdict(&case, now());
    assert_eq!(said.reasons()[0].to_string(), "seen since the check: the keys differ");
    assert_eq!(said.first().and_then(Reason::remedy), Some(Remedy::Check));
}

#[test]
fn one_missing_answer_shuts_it_and_names_the_person() {
    let mut case = open();
    case.acks.remove(&ClientId("bob".into()));
    assert_eq!(verdict(&case, now()).reasons()[0].to_string(), "BOB has not been told of this window");
    let delivery = Delivery::Sent { reply: "250".into() };
    let (client, message_id) = (ClientId("bob".into()), "<m>".into());
    let email = "bob@x".into();
    let kind = NoticeKind::Announcement;
    case.notices.push(Notice { client, email, kind, revision: 2, message_id, delivery, at: now() });
    assert_eq!(verdict(&case, now()).reasons()[0].to_string(), "BOB has not answered");
}

#[test]
fn a_mail_that_was_refused_or_is_on_its_way_does_not_hide_that_the_one_before_it_has_told() {
    let sent = || Delivery::Sent { reply: "250 ok".into() };
    let failed = || Delivery::Failed { permanent: false, reply: "450 later".into() };
    let reason = |mails: &[(NoticeKind, Delivery)]| {
        let mut case = open();
        case.acks.remove(&ClientId("bob".into()));
        for (at, (kind, delivery)) in mails.iter().enumerate() {
            let (client, email, message_id) = (ClientId("bob".into()), "bob@x".into(), format!("<{at}>"));
            let (kind, delivery) = (*kind, delivery.clone());
            case.notices.push(Notice { client, email, kind, revision: 2, message_id, delivery, at: now() });
        }
        verdict(&case, now()).reasons()[0].to_string()
    };
    let first = (NoticeKind::Announcement, sent());
    for kind in [NoticeKind::Reminder, NoticeKind::Announcement, NoticeKind::Change] {
        for delivery in [failed(), Delivery::Queued] {
            let text = reason(&[first.clone(), (kind, delivery)]);
            assert_eq!(text, "BOB has not answered", "{kind:?}");
        }
    }
    let again = (NoticeKind::Announcement, Delivery::Bounced { reply: "550".into() });
    assert_eq!(reason(&[first.clone(), again.clone()]), "the mail to BOB is bounced");
    assert_eq!(reason(&[again, (NoticeKind::Announcement, failed())]), "the mail to BOB is deferred");
    assert_eq!(reason(&[(NoticeKind::Announcement, Delivery::Queued)]), "the mail to BOB is queued");
}

#[test]
fn an_answer_to_another_revision_does_not_count() {
    let mut case = open();
    case.acks.extend([ack("ada", 1, Answer::Confirmed)]);
    assert!(matches!(verdict(&case, now()).reasons(), [Reason::OldAnswer { revision: 1, .. }]));
}

#[test]
fn declined_tentative_and_other_time_shut_it() {
    for answer in [Answer::Declined, Answer::Tentative, Answer::OtherTime("14:00".into())] {
        let mut case = open();
        case.acks.extend([ack("ada", 2, answer)]);
        assert!(matches!(verdict(&case, now()).reasons(), [Reason::NotConfirmed { .. }]));
    }
}

#[test]
fn a_client_who_appears_later_shuts_it_again_and_a_waiver_opens_it() {
    let mut case = open();
    case.clients.push(client("eve"));
    assert!(!verdict(&case, now()).is_open());
    let (id, by) = (ClientId("eve".into()), "op".into());
    case.waivers.insert(id.clone(), Waiver { client: id, reason: "left the company".into(), by, at: now() });
    assert!(verdict(&case, now()).is_open());
}

#[test]
fn outside_the_window_with_an_old_or_red_check_or_held_by_another_it_is_shut() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert!(matches!(verdict(&open(), at("2026-11-24T21:59:59Z")).reasons()[0], Reason::WindowNotOpen { .. }));
    assert!(matches!(verdict(&open(), at("2026-11-24T23:00:00Z")).reasons()[0], Reason::WindowOver { .. }));
    assert!(matches!(verdict(&open(), at("2026-11-24T22:20:01Z")).reasons(), [Reason::CheckTooOld { .. }]));
    let mut case = open();
    case.preflight.checks[0].state = CheckState::Fail;
    case.held = Some("eva on bastion2");
    let verdict = verdict(&case, now());
    assert!(matches!(verdict.reasons(), [Reason::CheckFailed { .. }, Reason::HeldByOther { .. }]));
}

#[test]
fn unknown_people_are_never_an_open_gate() {
    let case = Case { unknown: Some("Swift: no answer"), ..open() };
    assert!(matches!(verdict(&case, now()), Verdict::Unknown(_)));
}

#[test]
fn nobody_to_ask_is_a_reason_until_an_operator_says_why_it_is_right() {
    let mut case = Case { clients: Vec::new(), ..open() };
    assert_eq!(verdict(&case, now()), Verdict::Shut(vec![Reason::NobodyToAsk]));
    case.nobody = Some("the tenant is being built");
    assert!(verdict(&case, now()).is_open());
}

#[test]
fn a_check_that_was_set_aside_does_not_shut_it_and_no_other_is() {
    let mut case = open();
    case.preflight.checks[0] =
        Check { name: "mailbox".into(), state: CheckState::Fail, ..case.preflight.checks[0].clone() };
    assert!(!verdict(&case, now()).is_open());
    case.set_aside.insert("mailbox");
    assert!(verdict(&case, now()).is_open());
    case.preflight.checks[0].name = "barbican".into();
    case.preflight.checks[0].finding = "Barbican: list secrets: 503 service unavailable".into();
    case.preflight.checks[0].advice = "nothing was changed; wait".into();
    let found = vec!["barbican: Barbican: list secrets: 503 service unavailable; nothing was changed; wait".to_owned()];
    assert_eq!(
        verdict(&case, now()),
        Verdict::Shut(vec![Reason::CheckFailed { checks: vec!["barbican".into()], found }])
    );
}

#[test]
fn a_check_of_a_clock_that_is_ahead_does_not_stay_fresh_for_ever() {
    let mut case = open();
    case.preflight.at = "2026-11-25T22:10:00Z".parse().unwrap();
    assert!(matches!(verdict(&case, now()).reasons(), [Reason::CheckTooOld { .. }]));
}

#[test]
fn what_takes_the_first_reason_away_is_offered_first() {
    let mut case = open();
    case.acks.clear();
    case.window = Window::parse("2026-12-24 22:00", "1h", "UTC", 2).unwrap();
    let shut = verdict(&case, now());
    assert!(matches!(shut.first().and_then(Reason::remedy), Some(Remedy::Tell)), "told before waited for");
    case.clients[0].email = None;
    case.clients[1].email = None;
    let shut = verdict(&case, now());
    assert!(matches!(shut.first().and_then(Reason::remedy), Some(Remedy::Ask(id)) if id.0 == "ada"), "in their order");
}

#[test]
fn without_a_second_operators_approval_it_is_shut_and_says_why() {
    let mut case = open();
    case.approval = ApprovalFact::Missing("a second operator must approve the plan".into());
    let verdict_now = verdict(&case, now());
    assert_eq!(verdict_now.reasons()[0].to_string(), "not approved: a second operator must approve the plan");
    case.approval = ApprovalFact::Given { by: "bob".into(), expires: now() };
    assert!(verdict(&case, now()).is_open());
}

#[test]
fn an_emergency_waits_for_nobody_but_never_for_a_broken_key_check() {
    let mut case = open();
    case.acks.clear();
    case.window = Window::parse("2026-12-24 22:00", "1h", "UTC", 2).unwrap();
    case.emergency = true;
    assert!(verdict(&case, now()).is_open(), "people and window are not waited for");
    case.preflight.checks[0].state = CheckState::Fail;
    assert!(!verdict(&case, now()).is_open(), "Barbican must answer");
    case.preflight.checks[0].name = "mail".into();
    assert!(verdict(&case, now()).is_open(), "a mail server that can't be reached stops no emergency");
    case.held = Some("eva on bastion2");
    assert!(!verdict(&case, now()).is_open());
}
