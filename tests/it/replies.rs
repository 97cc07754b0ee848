//! Answers as real mail programs write them, against their truth in `tests/replies/truth.tsv`; hostile mails too.

use changeguard::adapters::inbox::read::read;
use changeguard::domain::letter::Incoming;
use changeguard::domain::reply::{Asked, Heard, Verdict, hear};
use changeguard::domain::token::Topic;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/replies")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// The mails of a file by name, as they come over the wire.
fn mails(name: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for piece in file(name).split("=====> ").skip(1) {
        let (head, body) = piece.split_once('\n').unwrap();
        let (name, shape) = head.split_once(' ').unwrap();
        let mail = match shape {
            "-" => body.to_owned(),
            shape => shaped(shape, body.trim_end_matches('\n')),
        };
        let old = into.insert(name.to_owned(), mail.replace('\n', "\r\n").into_bytes());
        assert!(old.is_none(), "{name} is there twice");
    }
}

fn shaped(shape: &str, text: &str) -> String {
    let notice = file("notice.txt");
    let html = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>\n");
    let quoted: Vec<String> = notice.lines().map(|line| format!("> {line}")).collect();
    file(&format!("shapes/{shape}.eml"))
        .replace("{text}", text)
        .replace("{html}", &html(text))
        .replace("{quoted}", &quoted.join("\n"))
        .replace("{noticehtml}", &html(&notice))
        .replace("{notice}", &notice)
}

fn judged(letter: &Incoming, topic: Topic, revision: u32) -> Heard {
    let others = ["ben@example.org".to_owned()];
    let window = ("2026-12-05T22:00:00Z".parse().unwrap(), "2026-12-05T23:00:00Z".parse().unwrap());
    let (name, email) = ("Ada Okafor", "ada.okafor@example.org");
    hear(letter, &Asked { topic, revision, present: 2, window, name, email, others: &others })
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "confirmed",
        Verdict::Declined => "declined",
        Verdict::Tentative => "tentative",
        Verdict::OtherTime(_) => "other-time",
        Verdict::Automatic(_) => "automatic",
        Verdict::Bounced(_) => "bounced",
        Verdict::Delayed(_) => "delayed",
        Verdict::Unclear(_) => "unclear",
        Verdict::Unrelated(_) => "unrelated",
    }
}

#[test]
fn every_mail_of_the_corpus_means_what_the_table_says() {
    let mut all = BTreeMap::new();
    for name in ["answers.txt", "calendars.txt", "mails.txt"] {
        mails(name, &mut all);
    }
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut lies = Vec::new();
    for row in file("truth.tsv").lines().skip(1) {
        let [name, topic, asked, verdict, revision, mark] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not six columns: {row}")
        };
        let topic = if topic == "back" { Topic::Back } else { Topic::Window };
        let raw = all.remove(name).unwrap_or_else(|| panic!("no mail {name}"));
        let letter = read(&raw, true);
        let heard = judged(&letter, topic, asked.parse().unwrap());
        let found = word(&heard.verdict);
        *counts.entry((verdict.to_owned(), found)).or_default() += 1;
        if found == "confirmed" && verdict != "confirmed" {
            lies.push(name.to_owned());
        }
        let marked = match mark {
            "-" => heard.marks.is_empty(),
            mark => heard.marks.iter().any(|one| one.starts_with(mark)),
        };
        if found != verdict || heard.revision.to_string() != revision || !marked {
            wrong.push(format!("{name}: {verdict} {revision} {mark}, but heard {heard:?}\n    in {:?}\n", letter.text));
        }
    }
    println!("truth, heard, mails");
    counts.iter().for_each(|((truth, found), count)| println!("{truth:<11} {found:<11} {count}"));
    assert!(all.is_empty(), "without a row in the table: {:?}", all.keys());
    assert!(lies.is_empty(), "confirmed, and it is not: {lies:?}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
