//! Notices through a real Postfix: every kind in every language with every name arrives once, and a second iCalendar parser
//! takes every invitation. Needs the mail server of `tests/live` only.

use crate::live::until;
use crate::mail::{mailer, parameters};
use crate::mail_invitation::{compose_from, hostile, token};
use base64ct::{Base64, Encoding};
use changeguard::adapters::mail::{MailParameters, PasswordSource, Security};
use changeguard::domain::language::Language;
use changeguard::domain::notice::{Delivery, NoticeKind};
use changeguard::engine::ports::Mailer;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const TO: &str = "ada@acme.test";
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the live services keep their files.
fn live_dir() -> PathBuf {
    let json = std::env::var_os("LIVE_JSON").map(PathBuf::from);
    let of_json = json.and_then(|path| path.parent().map(Path::to_owned));
    of_json.or_else(|| std::env::var_os("LIVE_DIR").map(PathBuf::from)).expect("LIVE_DIR: run tests/live/run")
}

/// The submission port of `tests/live/mail`.
fn postfix(live: &Path) -> MailParameters {
    let first = std::fs::read_to_string(live.join("run/first-port")).unwrap();
    let mut own = parameters(first.trim().parse::<u16>().unwrap() + 6);
    own.host = "localhost".into();
    own.security = Security::StartTls;
    own.from = "VPN Operations <vpn-ops@ops.test>".into();
    own.user = Some("vpn-ops@ops.test".into());
    own.password = PasswordSource::File(live.join("secrets/smtp-password"));
    own.ca_file = Some(live.join("mail/tls/ca.pem"));
    own.connections = 4;
    own.reply = Some(("vpn-ops@ops.test".into(), Some('+')));
    own.verp = true;
    own
}

/// The mails in somebody's box that hold this text.
fn delivered(live: &Path, address: &str, holds: &str) -> Vec<PathBuf> {
    let Ok(folder) = std::fs::read_dir(live.join("mail/boxes").join(address).join("new")) else {
        return Vec::new();
    };
    let paths = folder.filter_map(|entry| Some(entry.ok()?.path()));
    let held = |path: &PathBuf| std::fs::read(path).is_ok_and(|mail| String::from_utf8_lossy(&mail).contains(holds));
    paths.filter(held).collect()
}

#[test]
#[ignore = "needs tests/live/run"]
fn live_every_invitation_is_taken_by_a_second_parser_as_it_arrives() {
    let live = live_dir();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let run = format!("run{}", std::process::id());
    let names = [vec!["Zoë Ångström".to_owned()], hostile()].concat();
    let mut expected = 0;
    let begun = Instant::now();
    for name in &names {
        let mut own = postfix(&live);
        own.organisation = name.clone();
        let mailer = mailer(own);
        let mut letters = Vec::new();
        for (at, kind) in NoticeKind::ALL.into_iter().enumerate() {
            for language in Language::ALL {
                let id = format!("<{}.{run}.{expected}.{at}{}@ops.test>", token(), language.word());
                letters.push(compose_from(&mailer, kind, language, (name, name), TO, &id).unwrap());
            }
        }
        expected += letters.len();
        let sent = runtime.block_on(async {
            let sent = futures_util::future::join_all(letters.iter().map(|letter| mailer.send(letter))).await;
            mailer.close().await;
            sent
        });
        assert!(sent.iter().all(|delivery| matches!(delivery, Delivery::Sent { .. })), "{sent:?}");
    }
    println!("{expected} mails sent in {:.1?}", begun.elapsed());
    let arrived = until("all mails delivered", PATIENCE, || {
        Some(delivered(&live, TO, &run)).filter(|arrived| arrived.len() >= expected)
    });
    assert_eq!(arrived.len(), expected, "each once");
    for path in &arrived {
        let mail = std::fs::read_to_string(path).unwrap();
        assert!(mail.contains(&format!("Return-Path: <vpn-ops+b-{}@ops.test>\n", token())), "{mail}");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/icalendar");
    let judged = Command::new(live.join("venv/bin/python")).arg(script).args(&arrived).output().unwrap();
    let told = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    let taken = told.lines().filter(|line| line.contains(": REQUEST ") || line.contains(": CANCEL ")).count();
    assert_eq!((told.lines().count(), taken), (expected, expected / 2), "half of the kinds carry an event");
    println!("{taken} invitations taken by icalendar and vobject");
}

#[test]
#[ignore = "needs tests/live/run"]
fn live_the_second_parser_refuses_what_is_wrong() {
    let live = live_dir();
    let letter = compose_from(
        &mailer(postfix(&live)),
        NoticeKind::Change,
        Language::English,
        ("Ada", "acme"),
        TO,
        &format!("<{}.x@ops.test>", token()),
    );
    let good = String::from_utf8(letter.unwrap().message).unwrap();
    let block = good.split("base64\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap();
    let event = String::from_utf8(Base64::decode_vec(&block.replace("\r\n", "")).unwrap()).unwrap();
    let judge = |mail: String, says: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), mail).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/icalendar");
        let judged = Command::new(live.join("venv/bin/python")).arg(script).arg(file.path()).output().unwrap();
        let error = String::from_utf8_lossy(&judged.stderr);
        assert_eq!(judged.status.success(), says.is_empty(), "{says}: {error}");
        assert!(error.contains(says), "{says}: {error}");
    };
    for (from, to, says) in [
        ("", "", ""),
        ("method=REQUEST", "method=REPLY", "method=REPLY in change"),
        ("charset=utf-8; method", "charset=latin1; method", "charset"),
        ("X-Changeguard-Kind: change", "X-Changeguard-Kind: all-clear", "carries an event"),
        ("X-Changeguard-Kind: change", "X-Changeguard-Kind: cancellation", "method=REQUEST in cancellation"),
        ("To: Ada <ada@acme.test>", "To: <zoe@acme.test>", "ATTENDEE is"),
        ("From: \"VPN Operations\" <vpn-ops@ops.test>", "From: <other@ops.test>", "ORGANIZER is"),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        judge(good.replace(from, to), says);
    }
    for (from, to, says) in [
        ("METHOD:REQUEST", "METHOD:PUBLISH", "METHOD is PUBLISH"),
        ("SEQUENCE:1\r\n", "", "no SEQUENCE"),
        ("T210000Z", "T210000", "DTSTART is not plain UTC"),
        ("\r\nSUMMARY", "\r\nATTENDEE:mailto:eve@example.org\r\nSUMMARY", "2 times ATTENDEE"),
        ("\r\nSUMMARY", "\nSUMMARY", "CRLF"),
        ("\r\n TRUE", "TRUE", "octets"),
        ("STATUS:CONFIRMED", "STATUS:CANCELLED", "STATUS is CANCELLED"),
        ("RSVP=\r\n TRUE", "RSVP=\r\n FALSE", "RSVP of ATTENDEE"),
    ] {
        assert!(event.contains(from), "{from} in {event}");
        judge(good.replace(block, &Base64::encode_string(event.replace(from, to).as_bytes())), says);
    }
}
