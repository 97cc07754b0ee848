//! Letters that others wrote against the judge: aimed at its rules after reading them, or blind in everyday dress, half of them
//! harmless. Not one that means something else is a yes; how many of the harmless ones are is printed.

use crate::sample;
use changeguard::adapters::inbox::read::read;
use changeguard::domain::reply::{Asked, Verdict, hear};
use changeguard::domain::token::{ReplyToken, Topic};
use jiff::tz::TimeZone;
use std::path::PathBuf;

const ID: &str = "<nqh67zrbptnuwmtwpohzlmsc.7f8846cdb70f0119@lab.example>";
const SUBJECT: &str = "VPN maintenance for acme: Tue 2026-12-01 22:00 to Wed 2026-12-02 00:00 CET (UTC+01:00)";

fn file(name: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/replies").join(name)).unwrap()
}

#[test]
fn letters_aimed_at_the_rules_are_no_yes() {
    let notice = file("aimed-notice.txt").trim_end().to_owned();
    let escaped = notice.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted: Vec<String> = notice.lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let token = ReplyToken::parse("nqh67zrbptnuwmtwpohzlmsc");
    let sent = [format!("{SUBJECT}\n{notice}")];
    let window = ("2026-12-01T21:00:00Z".parse().unwrap(), "2026-12-01T23:00:00Z".parse().unwrap());
    let others = ["linus.marchetti@acme.example".to_owned()];
    let (mut lies, mut harmless, mut lost) = (Vec::new(), 0usize, Vec::new());
    let (mut all, mut left) = (0usize, 0usize);
    // All of them in `.ci/walks`.
    let text = file("aimed.txt");
    for piece in sample::chosen("letters of others", text.split("=====> ").skip(1).collect(), 250) {
        let (head, body) = piece.split_once('\n').unwrap();
        let (name, truth) = head.split_once(' ').unwrap();
        let mail = body
            .replace("{quoted}", &quoted.join("\n"))
            .replace("{noticehtml}", &escaped.replace('\n', "<br>\n"))
            .replace("{notice}", &notice)
            .replace("{id}", ID)
            .replace("{subject}", SUBJECT);
        let letter = read(mail.replace('\n', "\r\n").as_bytes(), true);
        let asked = Asked {
            topic: Topic::Window,
            revision: 1,
            present: 1,
            window,
            zone: &zone,
            token: token.as_ref(),
            name: "Ada Okafor",
            email: "ada.okafor@acme.example",
            others: &others,
            sent: &sent,
        };
        let heard = hear(&letter, &asked);
        let yes = heard.verdict == Verdict::Confirmed;
        all += 1;
        match truth {
            "confirmed" => {
                harmless += 1;
                lost.extend((!yes).then(|| format!("{name}: {:?} {:?}", heard.verdict, heard.evidence)));
            }
            "not" => lies.extend(yes.then(|| format!("{name}: {:?}", heard.evidence))),
            // A fair reader may take it for a yes.
            "either" => {}
            // Known to be taken wrongly: our own form, quoted and filled in otherwise beside a bare "Ok"; signs that the
            // reader drops; a bare yes below the only line of ours that is quoted; three yeses in words that may mean less.
            "left" => left += usize::from(yes),
            other => panic!("{name}: {other}"),
        }
    }
    println!(
        "letters of others: {all}; harmless {} of {harmless} confirmed; {left} known to be wrong",
        harmless - lost.len()
    );
    assert!(left <= 13, "{left} of those that are known to be wrong");
    assert!(lies.is_empty(), "{} taken for a yes:\n{}", lies.len(), lies.join("\n"));
    assert!(lost.len() * 10 <= harmless * 2, "{} lost:\n{}", lost.len(), lost.join("\n"));
}
