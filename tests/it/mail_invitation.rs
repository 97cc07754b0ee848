//! What a notice is made of: the parts, the invitation, the languages, the addresses that carry the token; and that no name
//! gets into any of them as more than a name.

use crate::mail::{Still, mailer, parameters};
use calcard::icalendar::{ICalendar, ICalendarComponentType, ICalendarProperty};
use changeguard::adapters::mail::{Sample, SmtpMailer};
use changeguard::domain::fault::{Fault, Service};
use changeguard::domain::language::Language;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::tenant::{Tenant, TenantId};
use changeguard::domain::token::{Addressed, ReplyToken, Topic};
use changeguard::domain::window::Window;
use changeguard::engine::ports::{Letter, Mailer, NoticeRequest};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use std::sync::Arc;

const REVISION: u32 = 2;

pub(crate) fn token() -> ReplyToken {
    ReplyToken::from_bytes([7; 15])
}

/// A notice with these names: of the client and of the tenant.
fn compose(
    mailer: &SmtpMailer,
    kind: NoticeKind,
    language: Language,
    names: (&str, &str),
    email: &str,
) -> Result<Letter, Fault> {
    let id = format!("<{}.{}{}@example.net>", token(), kind.word(), language.word());
    compose_from(mailer, kind, language, names, email, &id)
}

/// The same with a Message-ID.
pub(crate) fn compose_from(
    mailer: &SmtpMailer,
    kind: NoticeKind,
    language: Language,
    (client_name, tenant_name): (&str, &str),
    email: &str,
    message_id: &str,
) -> Result<Letter, Fault> {
    mailer.compose(&NoticeRequest {
        kind,
        tenant: &tenant(tenant_name),
        client_name,
        email,
        window: &window(),
        message_id,
        in_reply_to: None,
        token: &token(),
        language,
        key_told: Default::default(),
    })
}

fn tenant(name: &str) -> Tenant {
    Tenant { id: TenantId::new("9d8f0c3a5b7e4f21").unwrap(), name: name.into(), server: None, gateway: None }
}

fn window() -> Window {
    Window::parse("2026-11-24 22:00", "90m", "Europe/Berlin", REVISION).unwrap()
}

fn plain(mailer: &SmtpMailer, kind: NoticeKind, language: Language) -> Letter {
    compose(mailer, kind, language, ("Zoë Ångström", "acme"), "zoe@example.org").unwrap()
}

fn parse(letter: &Letter) -> Message<'_> {
    MessageParser::default().parse(&letter.message).unwrap()
}

/// The method of the calendar part and its bytes.
fn calendar(message: &Message<'_>) -> Option<(String, Vec<u8>)> {
    let part = message.parts.iter().find(|part| part.is_content_type("text", "calendar"))?;
    let method = part.content_type()?.attribute("method")?.to_owned();
    assert_eq!(part.content_transfer_encoding(), Some("base64"));
    assert_eq!(part.content_type()?.attribute("charset"), Some("utf-8"));
    Some((method, part.contents().to_vec()))
}

/// Types of the parts, depth first.
fn tree(message: &Message<'_>, at: usize) -> String {
    let part = &message.parts[at];
    let kind = part.content_type().unwrap();
    let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap());
    match &part.body {
        PartType::Multipart(inner) => {
            let inner: Vec<String> = inner.iter().map(|at| tree(message, *at as usize)).collect();
            format!("{name}({})", inner.join(", "))
        }
        _ => name,
    }
}

#[test]
fn each_kind_has_its_parts_in_the_order_that_mail_programs_want() {
    let mailer = mailer(parameters(1));
    for (kind, language) in NoticeKind::ALL.into_iter().flat_map(|kind| Language::ALL.map(|language| (kind, language)))
    {
        let letter = plain(&mailer, kind, language);
        let message = parse(&letter);
        let method = match kind {
            NoticeKind::Announcement | NoticeKind::Reminder | NoticeKind::Change => Some("REQUEST"),
            NoticeKind::Cancellation => Some("CANCEL"),
            _ => None,
        };
        let texts = "text/plain, text/html";
        let wanted = match method {
            Some(_) => format!("multipart/mixed(multipart/alternative({texts}, text/calendar), application/ics)"),
            None => format!("multipart/alternative({texts})"),
        };
        assert_eq!(tree(&message, 0), wanted, "{kind:?}");
        let found = calendar(&message);
        assert_eq!(found.as_ref().map(|(method, _)| method.as_str()), method);
        assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), letter.text.trim_end());
        let html = message.body_html(0).unwrap();
        assert!(html.contains(&format!("<html lang=\"{}\">", language.word())), "{html}");
        for loaded in ["src=", "url(", "<link", "<img", "<script", "@import"] {
            assert!(!html.contains(loaded), "{loaded} in {html}");
        }
        if let Some((method, bytes)) = found {
            let file = message.attachments().find(|part| part.attachment_name() == Some("invite.ics")).unwrap();
            assert_eq!(file.contents(), bytes, "the file holds the same event");
            assert!(String::from_utf8(bytes).unwrap().contains(&format!("\r\nMETHOD:{method}\r\n")));
        }
    }
}

#[test]
fn each_language_says_the_same_and_is_a_readable_width() {
    let mailer = mailer(parameters(1));
    for language in [Language::German, Language::French, Language::Spanish] {
        let mut all = String::new();
        for kind in NoticeKind::ALL {
            let letter = plain(&mailer, kind, language);
            assert!(letter.text.lines().all(|line| line.chars().count() <= 77), "{}", letter.text);
            all.push_str(&format!("=== {}\nSubject: {}\n\n{}\n", kind.word(), letter.subject, letter.text));
        }
        insta::assert_snapshot!(format!("mails-{}", language.word()), all);
    }
}

#[test]
fn every_question_says_how_to_answer_it() {
    let mailer = mailer(parameters(1));
    for (language, accept, yes, other, back) in [
        (
            Language::English,
            "press Accept",
            "\n    confirmed\n",
            "\n    another time: <when>\n",
            ["    yes\n", "    no\n"],
        ),
        (
            Language::German,
            "Annehmen",
            "\n    bestätigt\n",
            "\n    anderer Termin: <wann>\n",
            ["    ja\n", "    nein\n"],
        ),
        (Language::French, "Accepter", "\n    confirmé\n", "\n    autre date : <quand>\n", ["    oui\n", "    non\n"]),
        (Language::Spanish, "Aceptar", "\n    confirmado\n", "\n    otra fecha: <cuándo>\n", ["    sí\n", "    no\n"]),
    ] {
        for kind in [NoticeKind::Announcement, NoticeKind::Reminder, NoticeKind::Change] {
            let text = plain(&mailer, kind, language).text;
            let indented = text.replace("        ", "    ");
            for wanted in [accept, yes, other] {
                assert!(text.contains(wanted) || indented.contains(wanted), "{wanted:?} in {text}");
            }
        }
        let text = plain(&mailer, NoticeKind::AreYouBack, language).text;
        assert!(back.iter().all(|word| text.contains(word)), "{text}");
    }
}

#[test]
fn the_invitation_asks_one_person_and_calling_off_takes_it_back() {
    let mailer = mailer(parameters(1));
    for (kind, name) in [(NoticeKind::Change, "request"), (NoticeKind::Cancellation, "cancel")] {
        let letter = plain(&mailer, kind, Language::English);
        let (_, bytes) = calendar(&parse(&letter)).unwrap();
        let written = String::from_utf8(bytes).unwrap();
        assert_eq!(written.matches("\r\n").count(), written.matches('\n').count());
        insta::assert_snapshot!(format!("invitation-{name}"), written.replace("\r\n", "\n"));
    }
    let letter = plain(&mailer, NoticeKind::Announcement, Language::German);
    insta::assert_snapshot!("mail-html", parse(&letter).body_html(0).unwrap().replace("\r\n", "\n"));
}

/// What somebody might call himself, his tenant or his company.
pub(crate) fn hostile() -> Vec<String> {
    let long = ["x".repeat(10_000), "é;\",:\\".repeat(2_000), "\u{1f512}".repeat(3_000)];
    let short = [
        "Ada\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>",
        "Ada\nATTENDEE:mailto:eve@example.org",
        "Ada\";RSVP=FALSE:mailto:eve@example.org\r\nATTENDEE;CN=\"x",
        "\\nMETHOD:CANCEL\\r\\n^n^'x",
        "END:VEVENT\r\nEND:VCALENDAR\r\nBEGIN:VCALENDAR",
        "O'Brien, Pat; \"the\" <eve@example.org>: ops",
        "\0\x1b[2J\u{202e}gpj.exe\u{2066}\u{200b}\u{feff}",
        "--=_aaaaaaaaaaaaaaaaaaaaaaaa.a--",
        "{{ 7 * 7 }}{% include 'x' %} https://evil.example/?a=b&c=<d>",
        "=?utf-8?q?=0D=0ABcc:_eve=40example.org?=",
        "\u{2028}\u{85}ATTENDEE:mailto:eve@example.org",
        " ",
    ];
    short.map(String::from).into_iter().chain(long).collect()
}

#[test]
fn no_name_is_more_than_a_name_in_the_header_the_text_the_page_and_the_calendar() {
    for name in hostile() {
        let mut own = parameters(1);
        own.organisation = name.clone();
        let mailer = mailer(own);
        for kind in [NoticeKind::Change, NoticeKind::Cancellation, NoticeKind::AreYouBack] {
            let letter = compose(&mailer, kind, Language::French, (&name, &name), "zoe@example.org").unwrap();
            let raw = String::from_utf8(letter.message.clone()).unwrap();
            assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998), "{raw}");
            let (head, _) = raw.split_once("\r\n\r\n").unwrap();
            let names: Vec<&str> = head
                .split("\r\n")
                .filter(|line| !line.starts_with(' '))
                .map(|line| line.split(':').next().unwrap())
                .collect();
            assert_eq!(names.len(), 11, "{names:?}");
            assert!(!head.replace("\r\n", "").contains(char::is_control), "{head}");
            let message = parse(&letter);
            assert_eq!(message.to().unwrap().iter().count(), 1);
            assert_eq!(message.to().unwrap().first().unwrap().address(), Some("zoe@example.org"));
            let html = message.body_html(0).unwrap();
            assert!(!html.contains("<script"), "{html}");
            // The organisation is the operator's own word.
            assert!(html.matches("href=\"https://evil").count() <= 1, "{html}");
            assert!(!letter.text.contains(|c: char| c.is_control() && c != '\n'), "{}", letter.text);
            let parts = if kind == NoticeKind::AreYouBack { 3 } else { 6 };
            assert_eq!(message.parts.len(), parts, "{name:?}");
            if let Some((method, bytes)) = calendar(&message) {
                judge_calendar(&method, &String::from_utf8(bytes).unwrap());
            }
        }
    }
}

/// The calendar once with a parser and once byte by byte, so that a mistake that writer and parser share is seen.
fn judge_calendar(method: &str, written: &str) {
    let lines: Vec<&str> = written.split_terminator("\r\n").collect();
    assert!(written.ends_with("END:VCALENDAR\r\n"), "{written}");
    assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains(char::is_control)), "{written}");
    let unfolded = written.replace("\r\n ", "");
    let names: Vec<&str> =
        unfolded.split_terminator("\r\n").map(|line| line.split([':', ';']).next().unwrap()).collect();
    let wanted = [
        "BEGIN",
        "VERSION",
        "PRODID",
        "METHOD",
        "BEGIN",
        "UID",
        "DTSTAMP",
        "SEQUENCE",
        "DTSTART",
        "DTEND",
        "ORGANIZER",
        "ATTENDEE",
        "SUMMARY",
        "DESCRIPTION",
        "STATUS",
        "TRANSP",
        "CLASS",
        "END",
        "END",
    ];
    let wanted: Vec<&str> = wanted.into_iter().filter(|name| method == "REQUEST" || *name != "DESCRIPTION").collect();
    assert_eq!(names, wanted, "{written}");
    for line in unfolded.split("\r\n").filter(|line| line.starts_with("ATTENDEE") || line.starts_with("ORGANIZER")) {
        // Outside of quotes there is one colon that ends the parameters, and quotes come in pairs.
        let outside: String = line.split('"').step_by(2).collect();
        assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        assert!(outside.contains(":mailto:") && outside.matches(':').count() == 2, "{line}");
    }
    let parsed = ICalendar::parse(written).unwrap();
    let events: Vec<_> =
        parsed.components.iter().filter(|c| c.component_type == ICalendarComponentType::VEvent).collect();
    assert_eq!((parsed.components.len(), events.len()), (2, 1));
    let addresses = |property| {
        let entries = events[0].properties(property);
        entries.filter_map(|entry| entry.calendar_address().map(String::from)).collect::<Vec<_>>()
    };
    assert_eq!(addresses(&ICalendarProperty::Attendee), ["zoe@example.org"]);
    assert_eq!(addresses(&ICalendarProperty::Organizer), ["vpn-ops@example.net"]);
    assert_eq!(events[0].uid(), Some(token().uid("example.net").as_str()));
}

#[test]
fn the_reply_address_carries_the_token_the_question_and_the_revision() {
    let with = |reply: Option<(&str, Option<char>)>, verp: bool| {
        let mut own = parameters(1);
        own.reply = reply.map(|(address, separator)| (address.to_owned(), separator));
        own.verp = verp;
        mailer(own)
    };
    let addresses = |mailer: &SmtpMailer, kind| {
        let letter = plain(mailer, kind, Language::English);
        let message = parse(&letter);
        (message.reply_to().unwrap().first().unwrap().address().unwrap().to_owned(), letter.from.clone())
    };
    let inbox = with(Some(("ops@example.net", Some('+'))), false);
    for (kind, topic) in [(NoticeKind::Reminder, Topic::Window), (NoticeKind::AreYouBack, Topic::Back)] {
        let (reply, from) = addresses(&inbox, kind);
        let said = Addressed { token: token(), topic, revision: REVISION };
        assert_eq!(Addressed::in_address(&reply), Some(said), "{reply}");
        assert_eq!(from, "vpn-ops@example.net", "most servers let a login use only its own address");
    }
    let (reply, from) = addresses(&with(Some(("ops@example.net", Some('-'))), true), NoticeKind::Announcement);
    assert_eq!(reply, format!("ops-{}.2@example.net", token()));
    assert_eq!(from, format!("ops-b-{}@example.net", token()));
    // Without a separator there is nowhere to put a token, and without an inbox all is as before.
    let plain = ("ops@example.net".to_owned(), "vpn-ops@example.net".to_owned());
    assert_eq!(addresses(&with(Some(("ops@example.net", None)), true), NoticeKind::Change), plain);
    assert_eq!(addresses(&with(None, true), NoticeKind::Change).0, "vpn-ops@example.net");
}

#[test]
fn an_inbox_that_can_not_carry_a_token_is_a_fault_of_the_configuration() {
    let fault = |address: &str| {
        let mut own = parameters(1);
        own.reply = Some((address.to_owned(), Some('+')));
        SmtpMailer::new(own, Arc::new(Still)).err()
    };
    let local = |count: usize| format!("{}@example.net", "x".repeat(count));
    assert_eq!(fault(&local(33)), None);
    let long = fault(&local(34)).unwrap();
    assert_eq!(long.service, Service::Configuration);
    assert!(long.advice().contains("at most 33 characters"), "{long}");
    assert!(fault("ops").unwrap().message.contains("inbox.address"));
}

#[test]
fn a_mail_to_oneself_says_that_it_is_a_test_and_no_answer_to_it_counts() {
    let mut own = parameters(1);
    own.reply = Some(("ops@example.net".into(), Some('+')));
    let mailer = mailer(own);
    let (tenant, window) = (tenant("acme"), window());
    for kind in NoticeKind::ALL {
        let sample =
            Sample { kind, tenant: &tenant, language: Language::Spanish, window: &window, to: "me@example.net" };
        let letter = mailer.compose_test(&sample).unwrap();
        assert!(letter.subject.starts_with("[TEST] ") && letter.to == "me@example.net", "{}", letter.subject);
        let message = parse(&letter);
        let reply = message.reply_to().unwrap().first().unwrap().address().unwrap();
        assert_eq!(Addressed::in_address(reply).unwrap().token, ReplyToken::from_bytes([0; 15]));
        assert!(message.message_id().unwrap().starts_with("aaaaaaaaaaaaaaaaaaaaaaaa.test"));
        if let Some((_, bytes)) = calendar(&message) {
            assert!(String::from_utf8(bytes).unwrap().contains("\r\nSUMMARY:[TEST] "));
        }
    }
}
