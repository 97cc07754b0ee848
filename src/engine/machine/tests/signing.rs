//! Four eyes by ssh signatures: what is verified when a journal is read, and what somebody who can write it forges in vain.

use super::*;
use crate::domain::preflight::Preflight;
use crate::domain::signature::tests::{line, sign};
use crate::domain::signers::Signers;
use crate::engine::approval::{self, Asked, Me, Rotates};
use crate::engine::signing::{Hand, Roster, SignedSession, Signing, Statement};
use jiff::tz::TimeZone;
use std::sync::Arc;

const LIST: [(&str, u8); 4] = [("ada", 1), ("bob", 2), ("eve", 3), ("zoe", 4)];

pub(super) fn seed(person: &str) -> u8 {
    LIST.iter().find(|(name, _)| *name == person).map(|(_, seed)| *seed).unwrap()
}

/// Everybody's key, with the options that some have.
pub(super) fn list(options: &[(&str, &str)], without: &str) -> Signing {
    let lines: Vec<String> = LIST
        .iter()
        .filter(|(name, _)| *name != without)
        .map(|(name, seed)| {
            let of = options.iter().find(|(person, _)| person == name).map_or("", |(_, option)| option);
            format!("{name} {of} {}", line(*seed))
        })
        .collect();
    let signers = Arc::new(Signers::parse(&lines.join("\n"), &TimeZone::UTC).unwrap());
    Signing::Signers(Roster { signers, memo: Arc::default(), own: None })
}

pub(super) fn rules(signing: &Signing) -> Rules {
    let asked = Asked { valid: Duration::from_secs(3600), signing: signing.clone() };
    Rules { preflight_valid: Duration::from_secs(600), approval: Some(asked), second_mail: STRICT, store_first: false }
}

/// All of them work under one login: what tells them apart is what they sign.
pub(super) fn shared() -> Actor {
    Actor {
        by: "root".into(),
        host: "host".into(),
        person: "root".into(),
        ssh: None,
        unproven: Some("root".into()),
        environment: None,
    }
}

fn session_of(person: &str, rotation: &RotationId) -> SignedSession {
    let id = format!("session-of-{person}");
    let statement = Statement::Write { tenant: &tenant().id, rotation, session: &id };
    SignedSession { signature: sign(seed(person), &statement.text()), rotation: rotation.clone(), id }
}

/// The journal in somebody's hands, whose session has signed.
pub(super) fn hands(before: Option<&Machine>, person: &str, signing: &Signing) -> Machine {
    let session = Some(session_of(person, &RotationId("r1".into())));
    let hand = Hand { session, ..Hand::default() };
    let rotation = before.and_then(|machine| machine.rotation.clone());
    Machine::new(tenant(), shared(), rules(signing), rotation).signed(hand)
}

fn records(outputs: &[Output]) -> Vec<(Option<String>, Record)> {
    let record = |output: &Output| match output {
        Output::Append(entry) => Some((entry.session.clone(), entry.record.clone())),
        _ => None,
    };
    outputs.iter().filter_map(record).collect()
}

fn answer(channel: Channel) -> Command {
    Command::Answer { client: ClientId("ada".into()), answer: Answer::Confirmed, channel, note: String::new() }
}

/// Planned by ada, answered by bob, checked.
pub(super) fn ready(signing: &Signing) -> Machine {
    let mut machine = hands(None, "ada", signing);
    let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap();
    let plan = Command::Plan { window, cause: Cause::Scheduled, reference: String::new() };
    let written = records(&command(&mut machine, at("20:00"), plan).unwrap());
    assert!(
        matches!(&written[..], [(Some(id), Record::Planned { .. }), (_, Record::SessionSigned { session, .. })] if id == session)
    );
    machine.emit(at("20:00"), Record::PeopleSeen { clients: vec![super::ada()], unseen: vec![] }).unwrap();
    let mut bob = hands(Some(&machine), "bob", signing);
    let written = records(&command(&mut bob, at("21:00"), answer(Channel::Phone)).unwrap());
    assert!(
        matches!(&written[..], [(_, Record::SessionSigned { .. }), (Some(id), Record::Answered { .. })] if id == "session-of-bob")
    );
    let again = records(&command(&mut bob, at("21:01"), answer(Channel::Phone)).unwrap());
    assert!(matches!(&again[..], [(Some(_), Record::Answered { .. })]), "one signature a session and case");
    begin_check(&mut bob);
    bob
}

/// A green check that saw a key.
fn begin_check(machine: &mut Machine) {
    let interface = Some(PublicKey::from_bytes([7; 32]));
    let keys = KeyAgreement { secret: interface, object: interface, interface, console: None };
    machine.emit(at("22:04"), Record::StepStarted { step: StepNumber::CHECK }).unwrap();
    machine
        .emit(at("22:04"), Record::Checked { preflight: Preflight { at: at("22:04"), checks: vec![], keys } })
        .unwrap();
    machine.emit(at("22:04"), Record::StepSucceeded { step: StepNumber::CHECK, evidence: "green".into() }).unwrap();
}

fn expires() -> Timestamp {
    at("23:00")
}

/// The approval of somebody, signed by a key over what they were shown.
fn approval_of(machine: &Machine, person: &str) -> Record {
    let rotation = machine.rotation().unwrap();
    let digest = approval::digest(rotation).unwrap();
    let signature = Some(sign(seed(person), &approval::statement(rotation, &digest, expires()).text()));
    Record::Approved { digest, expires: expires(), note: String::new(), scheme: approval::SCHEME, signature }
}

/// With a record that somebody who can write the store has put behind the others.
fn with(machine: &Machine, record: Record) -> Machine {
    let mut forged = Machine::new(tenant(), shared(), rules(&Signing::ByLogin), machine.rotation.clone());
    forged.emit(at("22:05"), record).unwrap();
    forged
}

fn judged(machine: &Machine, signing: &Signing, rotates: Rotates<'_>, now: &str) -> Result<String, String> {
    let asked = Asked { valid: Duration::from_secs(3600), signing: signing.clone() };
    let me = Me { person: "root", unproven: Some("shared"), rotates };
    match approval::judge(machine.rotation().unwrap(), Some(&asked), me, at(now)) {
        ApprovalFact::Given { by, .. } => Ok(by),
        ApprovalFact::Missing(why) => Err(why),
        ApprovalFact::NotNeeded => panic!("an approval is asked for"),
    }
}

fn shown(machine: &Machine, signing: &Signing) -> Result<String, String> {
    judged(machine, signing, Rotates::Shown, "22:06")
}

fn rotate_signature(machine: &Machine, person: &str) -> String {
    let rotation = machine.rotation().unwrap();
    sign(seed(person), &approval::rotate_statement(rotation, &approval::digest(rotation).unwrap()).text())
}

#[test]
fn three_people_under_one_login_are_told_apart_by_what_they_sign() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    assert!(shown(&machine, &signing).unwrap_err().contains("a second operator must approve"));
    let approved = with(&machine, approval_of(&machine, "eve"));
    assert_eq!(shown(&approved, &signing), Ok("eve".into()));
    for (person, refused) in [("ada", None), ("bob", None), ("zoe", None), ("eve", Some("you approved it yourself"))] {
        let signature = rotate_signature(&approved, person);
        let found = judged(&approved, &signing, Rotates::Now(Some(&signature)), "22:06");
        assert_eq!(found.is_ok(), refused.is_none(), "{person}: {found:?}");
        assert!(refused.is_none_or(|why| found.unwrap_err().contains(why)));
    }
    assert!(judged(&approved, &signing, Rotates::Now(None), "22:06").unwrap_err().contains("must sign"));
}

#[test]
fn who_planned_or_typed_an_answer_approves_nothing_under_whatever_login() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    for (person, what) in [("ada", "ada made this plan"), ("bob", "bob typed an answer")] {
        let refused = shown(&with(&machine, approval_of(&machine, person)), &signing).unwrap_err();
        assert!(refused.contains(what), "{refused}");
    }
}

#[test]
fn an_approval_that_was_made_up_is_nobodys() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    let rotation = machine.rotation().unwrap();
    let Record::Approved { digest, note, scheme, .. } = approval_of(&machine, "eve") else { panic!() };
    let approved = |signature: Option<String>, expires| Record::Approved {
        digest: digest.clone(),
        expires,
        note: note.clone(),
        scheme,
        signature,
    };
    let text = |expires| approval::statement(rotation, &digest, expires).text();
    let of_another_case = RotationId("r2".into());
    let other = Statement::Approve {
        tenant: &tenant().id,
        rotation: &of_another_case,
        scheme,
        digest: &digest,
        expires: expires(),
    };
    let session = Statement::Write { tenant: &tenant().id, rotation: &rotation.id, session: "session-of-eve" };
    for (what, record) in [
        ("no signature", approved(None, expires())),
        ("no signature at all", approved(Some("eve".into()), expires())),
        ("a key that is not listed", approved(Some(sign(9, &text(expires()))), expires())),
        ("a later end than was signed", approved(Some(sign(3, &text(expires()))), at("23:59"))),
        ("another digest", approved(Some(sign(3, &text(expires()).replace(&digest, &"0".repeat(64)))), expires())),
        ("another case", approved(Some(sign(3, &other.text())), expires())),
        ("a session's signature", approved(Some(sign(3, &session.text())), expires())),
        ("the signature of who rotates", approved(Some(rotate_signature(&machine, "eve")), expires())),
    ] {
        let refused = shown(&with(&machine, record), &signing);
        assert!(refused.as_ref().is_err_and(|why| why.contains("is none")), "{what}: {refused:?}");
    }
}

#[test]
fn words_under_a_session_that_nobody_signed_keep_it_shut_until_they_are_repeated() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    let typed = |session: Option<&str>| {
        let (client, answer, channel) = (ClientId("ada".into()), Answer::Confirmed, Channel::Chat);
        let record = Record::Answered { client, revision: 1, answer, channel, note: "forged".into() };
        let mut forged = Rotation::clone(machine.rotation.as_deref().unwrap());
        let entry =
            Entry { session: session.map(str::to_owned), ..shared().entry(forged.seq + 1, at("22:05"), record) };
        forged.check(&entry).unwrap();
        forged.apply(&entry);
        Machine::new(tenant(), shared(), rules(&signing), Some(Arc::new(forged)))
    };
    for session in [None, Some("session-of-nobody")] {
        let forged = typed(session);
        let refused = shown(&with(&forged, approval_of(&forged, "eve")), &signing).unwrap_err();
        assert!(refused.contains("nobody has signed for it"), "{refused}");
        let mut zoe = hands(Some(&forged), "zoe", &signing);
        command(&mut zoe, at("22:05"), answer(Channel::Chat)).unwrap();
        assert_eq!(shown(&with(&zoe, approval_of(&zoe, "eve")), &signing), Ok("eve".into()));
    }
    // Put under a colleague's session: whoever approves and whoever rotates have signed the very words all the same.
    let forged = typed(Some("session-of-bob"));
    let own = with(&forged, approval_of(&forged, "eve"));
    assert_eq!(shown(&own, &signing), Ok("eve".into()));
    let alone = rotate_signature(&own, "eve");
    assert!(judged(&own, &signing, Rotates::Now(Some(&alone)), "22:06").is_err(), "eve alone opens nothing");
}

#[test]
fn a_session_can_not_be_signed_for_by_somebody_else_afterwards() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    let theirs = session_of("bob", &RotationId("r1".into()));
    let statement = Statement::Write { tenant: &tenant().id, rotation: &theirs.rotation, session: &theirs.id };
    let record = Record::SessionSigned { session: theirs.id.clone(), signature: sign(seed("zoe"), &statement.text()) };
    let mut forger = Machine::new(tenant(), shared(), rules(&Signing::ByLogin), machine.rotation.clone());
    assert!(forger.emit(at("22:05"), record).is_err());
}

#[test]
fn a_signer_who_is_removed_or_whose_time_is_over_voids_what_is_not_touched_yet() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    let approved = with(&machine, approval_of(&machine, "eve"));
    for (who, why) in [("eve", "is none"), ("bob", "nobody has signed for it"), ("ada", "nobody has signed for it")] {
        let refused = shown(&approved, &list(&[], who)).unwrap_err();
        assert!(refused.contains(why), "{who} removed: {refused}");
        let ended = list(&[(who, "valid-before=20261124220500Z")], "");
        assert!(shown(&approved, &ended).unwrap_err().contains("was valid until"), "{who}");
    }
    assert!(shown(&approved, &list(&[("eve", "namespaces=\"git\"")], "")).unwrap_err().contains("is not listed for"));
    assert_eq!(shown(&approved, &list(&[], "zoe")), Ok("eve".into()));
    let untrusted = Signing::Untrusted("others can write it".into());
    assert!(shown(&approved, &untrusted).unwrap_err().contains("others can write it"));
    assert!(shown(&machine, &untrusted).unwrap_err().contains("can't be trusted"));
}

#[test]
fn what_was_confirmed_goes_on_without_another_signature_but_not_past_a_changed_plan() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    let approved = with(&machine, approval_of(&machine, "eve"));
    let confirm = |machine: &Machine, person: &str| Record::RotateConfirmed {
        waived: vec![],
        approved_by: Some("eve".into()),
        through_tunnel: false,
        signature: Some(rotate_signature(machine, person)),
    };
    let unsigned =
        Record::RotateConfirmed { waived: vec![], approved_by: None, through_tunnel: false, signature: None };
    let confirmed = with(&approved, confirm(&approved, "ada"));
    assert_eq!(judged(&confirmed, &signing, Rotates::Now(None), "22:06"), Ok("eve".into()));
    // `watch` goes on and confirms again, without a key of its own.
    let resumed = with(&confirmed, unsigned.clone());
    assert_eq!(judged(&resumed, &signing, Rotates::Now(None), "22:06"), Ok("eve".into()));
    let made_up = with(&approved, unsigned);
    assert!(judged(&made_up, &signing, Rotates::Now(None), "22:06").unwrap_err().contains("has not signed this plan"));
    let by_the_approver = with(&approved, confirm(&approved, "eve"));
    assert!(judged(&by_the_approver, &signing, Rotates::Now(None), "22:06").unwrap_err().contains("somebody else"));
    let mut zoe = hands(Some(&confirmed), "zoe", &signing);
    command(&mut zoe, at("22:05"), answer(Channel::Chat)).unwrap();
    assert!(judged(&zoe, &signing, Rotates::Now(None), "22:06").unwrap_err().contains("is void"));
    let again = with(&zoe, approval_of(&zoe, "eve"));
    let refused = judged(&again, &signing, Rotates::Now(None), "22:06").unwrap_err();
    assert!(refused.contains("must sign this plan"), "what was confirmed was another plan: {refused}");
}

#[test]
fn an_approval_is_taken_only_with_a_signature_that_ends_in_time() {
    let signing = list(&[], "");
    let machine = ready(&signing);
    let rotation = machine.rotation().unwrap();
    let digest = approval::digest(rotation).unwrap();
    let approve = |person: &str, expires: Timestamp| {
        let signature = Some(sign(seed(person), &approval::statement(rotation, &digest, expires).text()));
        let hand = Hand { signature, expires: Some(expires), ..Hand::default() };
        let mut machine = Machine::new(tenant(), shared(), rules(&signing), machine.rotation.clone()).signed(hand);
        let approve = Command::Approve { digest: digest[..12].to_owned(), note: String::new() };
        command(&mut machine, at("22:05"), approve).map(|outputs| records(&outputs))
    };
    assert!(matches!(&approve("eve", at("23:00")).unwrap()[..], [(None, Record::Approved { signature: Some(_), .. })]));
    assert!(approve("bob", at("23:00")).unwrap_err().to_string().contains("bob typed an answer"));
    for end in ["22:05", "23:06"] {
        assert!(approve("eve", at(end)).unwrap_err().to_string().contains("ends at"), "{end}");
    }
}

/// Approved by somebody with this signature, confirmed by ada, and the first request announced, past every rule.
pub(super) fn touched(signing: &Signing, approver: &str, signature: impl Fn(&str) -> Option<String>) -> Machine {
    let machine = ready(signing);
    let Record::Approved { digest, note, scheme, .. } = approval_of(&machine, approver) else { panic!() };
    let text = approval::statement(machine.rotation().unwrap(), &digest, expires()).text();
    let approved =
        with(&machine, Record::Approved { digest, expires: expires(), note, scheme, signature: signature(&text) });
    let (waived, approved_by) = (Vec::new(), Some(approver.to_owned()));
    let signature = Some(rotate_signature(&approved, "ada"));
    let mut machine =
        with(&approved, Record::RotateConfirmed { waived, approved_by, through_tunnel: false, signature });
    let step = StepNumber::SECRET;
    for record in [Record::StepStarted { step }, Record::Touching { step, store_first: false }] {
        machine.emit(at("22:06"), record).unwrap();
    }
    machine
}
