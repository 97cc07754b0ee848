//! Our own mails below an answer, in every language and in the shapes that mail programs give them: what is copied is not
//! what the client says.

use crate::mail::{mailer, parameters};
use crate::mail_invitation::compose_from;
use changeguard::adapters::inbox::read::read;
use changeguard::domain::language::Language;
use changeguard::domain::notice::NoticeKind;
use changeguard::domain::reply::{Asked, Heard, Verdict, hear};
use changeguard::engine::ports::Letter;
use jiff::Timestamp;
use jiff::tz::TimeZone;

fn answered(kind: NoticeKind, body: &str, sent: &[String]) -> Heard {
    let raw = format!(
        "From: Zoe <zoe@example.org>\r\nTo: ops@example.net\r\nMessage-ID: <a@example.org>\r\nIn-Reply-To: <x@example.net>\r\n\
         Subject: Re: VPN\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{}",
        body.replace('\n', "\r\n")
    );
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let window = (at("2026-11-24T21:00:00Z"), at("2026-11-24T22:30:00Z"));
    let (topic, name, email) = (kind.topic(), "Zoë Ångström", "zoe@example.org");
    hear(
        &read(raw.as_bytes(), true),
        &Asked {
            topic,
            revision: 2,
            present: 2,
            window,
            zone: &TimeZone::UTC,
            token: None,
            name,
            email,
            others: &[],
            sent,
        },
    )
}

fn letters() -> Vec<(NoticeKind, Language, Letter)> {
    let mailer = mailer(parameters(25));
    let mut letters = Vec::new();
    for language in Language::ALL {
        for kind in NoticeKind::ALL {
            let id = format!("<copy.{}@example.net>", kind.word());
            let letter =
                compose_from(&mailer, kind, language, ("Zoë Ångström", "acme"), "zoe@example.org", &id).unwrap();
            letters.push((kind, language, letter));
        }
    }
    letters
}

/// The copy without marks, marked, indented, wrapped anew, and without its greeting.
fn shapes(letter: &Letter) -> Vec<String> {
    let lines: Vec<&str> = letter.text.lines().collect();
    let marked = lines.iter().map(|line| format!("> {line}\n")).collect::<String>();
    let indented = lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
    let one_line = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let headless = lines[2..].join("\n");
    let flat = lines.iter().map(|line| format!("{}\n", line.trim())).collect::<String>();
    vec![letter.text.clone(), marked, indented, one_line, headless, flat]
}

#[test]
fn a_copy_of_our_mail_alone_is_never_an_answer() {
    for (kind, language, letter) in letters() {
        let sent = [format!("VPN\n{}\n{}", letter.subject, letter.text)];
        for (at, copy) in shapes(&letter).into_iter().enumerate() {
            let heard = answered(kind, &copy, &sent);
            let is_answer = matches!(
                heard.verdict,
                Verdict::Confirmed | Verdict::Declined | Verdict::Tentative | Verdict::OtherTime(_)
            );
            assert!(!is_answer, "{kind:?} {language:?} shape {at}: {heard:?}");
        }
    }
}

#[test]
fn a_yes_above_any_copy_is_heard_as_a_yes_where_the_copy_is_told_apart() {
    let yes = |language| match language {
        Language::English => "confirmed",
        Language::German => "bestätigt",
        Language::French => "confirmé",
        Language::Spanish => "confirmado",
    };
    for (kind, language, letter) in letters() {
        if !matches!(kind, NoticeKind::Announcement | NoticeKind::Reminder | NoticeKind::Change) {
            continue;
        }
        let sent = [format!("VPN\n{}\n{}", letter.subject, letter.text)];
        for (at, copy) in shapes(&letter).into_iter().enumerate() {
            let heard = answered(kind, &format!("{}\n\n{copy}", yes(language)), &sent);
            assert_eq!(heard.verdict, Verdict::Confirmed, "{kind:?} {language:?} shape {at}: {heard:?}");
        }
    }
}

#[test]
fn a_no_above_any_copy_is_never_a_yes() {
    for (kind, language, letter) in letters() {
        let sent = [format!("VPN\n{}\n{}", letter.subject, letter.text)];
        for copy in shapes(&letter) {
            for no in ["no", "nein", "non", "no, lo siento", "I can't", "geht leider nicht", "?"] {
                let heard = answered(kind, &format!("{no}\n\n{copy}"), &sent);
                assert_ne!(heard.verdict, Verdict::Confirmed, "{no} {kind:?} {language:?}: {heard:?}");
            }
        }
    }
}
