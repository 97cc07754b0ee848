//! How somebody is reached, as a signature says it: numbers, addresses and links of their own.

use super::card::{TRADES, is_capital, is_title_word};
use super::plain_words;
use super::slots::{Owner, is_address, is_link, is_plain_link};
use crate::domain::reply::known;
use crate::domain::reply::words::fold;
use std::collections::HashSet;
use std::sync::LazyLock;

static PHONES: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("phone"));
static MAILS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("mail"));
static WEBS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("web"));
static SOCIALS: LazyLock<HashSet<String>> = LazyLock::new(|| known::entries("social"));

/// How they are reached: numbers, addresses and links of their own, each behind a label or bare.
pub fn is_reach(text: &str, owner: &Owner<'_>) -> bool {
    // `+33 (0)4 72 55 01 36`: what is left out from abroad.
    let text = &text.trim_start_matches("24/7").trim_start_matches("24x7").replace("(0)", "");
    let mut label: Vec<String> = Vec::new();
    let mut number = String::new();
    let mut some = false;
    let labelled = |label: &[String], of: &[&HashSet<String>]| {
        // `Tel. office`, `T (direct)`: each word or all of them.
        let one = |text: &String| of.iter().any(|set| set.contains(text));
        // `Sekretariat: 0521 555 33-0`
        let any = |word: &String| is_title_word(word) || TRADES.contains(word) || owner.firm.contains(word);
        label.is_empty()
            || one(&label.join(" "))
            || label.iter().all(one)
            || label.iter().all(|word| any(word) || one(word) || ["de", "of", "du", "la"].contains(&word.as_str()))
                && label.first().is_some_and(|word| is_capital(text, word))
                && of.contains(&&*PHONES)
    };
    let done = |label: &mut Vec<String>, number: &mut String, some: &mut bool| {
        if number.is_empty() {
            return true;
        }
        let digits = number.chars().filter(char::is_ascii_digit).count();
        let plain = number.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
        // `Durchwahl -4711`
        let extension = ["durchwahl", "dw", "ext", "extension", "poste", "anexo", "interno", "nebenstelle"];
        // `Fax -199`
        let behind = number.starts_with('-') && ["fax", "telefax"].contains(&label.first().map_or("", String::as_str));
        let short = label.len() == 1
            && (behind || extension.contains(&label[0].as_str()))
            && (2..=5).contains(&digits)
            && plain;
        let fine = short || is_phone(number, !label.is_empty()) && labelled(label, &[&PHONES]);
        (*some, _) = (*some || fine, (label.clear(), number.clear()));
        fine
    };
    for chunk in text.split_whitespace() {
        // `Telefon 0831 / 55 50 14, Telefax …`
        let chunk = chunk.trim_end_matches([',', ';']);
        let (address, link) = (is_address(chunk), !is_address(chunk) && is_link(chunk));
        let digits = chunk.chars().any(|c| c.is_ascii_digit());
        let signs = chunk.chars().all(|c| c.is_ascii_digit() || "+()/.-–‑".contains(c));
        // `(410) 555-0147 x22`
        let extension = chunk
            .strip_prefix('x')
            .is_some_and(|rest| (1..=5).contains(&rest.len()) && rest.bytes().all(|c| c.is_ascii_digit()));
        // `(404) 555-0162 (o)`
        let kind = ["(o)", "(f)", "(m)", "(c)", "(w)", "(h)", "(t)", "(d)"].contains(&chunk.to_lowercase().as_str());
        if (extension || kind) && !number.is_empty() {
            continue;
        }
        if !address && !link && signs && (digits || !number.is_empty()) {
            number.push_str(chunk);
            number.push(' ');
            continue;
        }
        if !done(&mut label, &mut number, &mut some) {
            return false;
        }
        if address {
            if !is_own_address(chunk, owner) || !labelled(&label, &[&MAILS, &WEBS, &PHONES]) {
                return false;
            }
            (some, _) = (true, label.clear());
        } else if link {
            if !is_own_link(chunk, owner) || !labelled(&label, &[&WEBS, &MAILS, &SOCIALS]) {
                return false;
            }
            (some, _) = (true, label.clear());
        } else {
            label.extend(plain_words(chunk));
            if label.len() > 4 {
                return false;
            }
        }
    }
    done(&mut label, &mut number, &mut some) && some && label.is_empty()
}

/// A telephone number, and no date or time.
pub fn is_phone(text: &str, labelled: bool) -> bool {
    let text = text.trim().trim_end_matches(['.', ',', '-']).trim();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    // `600 123 456`
    let threes = text.split(' ').count() == 3 && text.split(' ').all(|part| part.len() == 3) && !text.starts_with('1');
    // `514 555-0162`
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let american = groups.iter().map(|group| group.len()).eq([3, 3, 4]) && groups[0].starts_with(|c| c > '1');
    // `93 555 01 44`
    let iberian = digits == 9
        && text.starts_with(['6', '7', '8', '9'])
        && text.split(' ').count() > 2
        && !text.contains(['-', '.', '/']);
    if is_moment_of_digits(text) {
        return false;
    }
    let national = text.starts_with(['+', '0']) || text.starts_with("(0") || text.starts_with("(+");
    let year = |word: &str| word.len() == 4 && (word.starts_with("202") || word.starts_with("203"));
    (7..=15).contains(&digits)
        && !text.starts_with("+0")
        && !text.split([' ', '-', '/']).any(year)
        && (national || threes || american || iberian || digits >= 9 && labelled)
        && !text.contains(':')
        && !text.split_whitespace().enumerate().any(|(at, part)| {
            // `0251 555 01-12`: the end of a long number.
            let inner = at > 1 && labelled && digits >= 9 && part.contains('-') && !part.contains(['.', '/']);
            is_moment(part) && !inner
        })
        && !(text.starts_with('0')
            && !(labelled && text.contains('-'))
            && text.split_whitespace().all(|one| one.len() <= 4)
            && text.split_whitespace().count() <= 2)
}

/// Whether the digits of a whole number are a date, or one with its time: `031226 2300`, `03 12 26 23 00`.
fn is_moment_of_digits(text: &str) -> bool {
    let all: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let two = |at: usize| all.get(at..at + 2).map(|two| two[0] * 10 + two[1]);
    let day = |at: usize| two(at).is_some_and(|day| (1..=31).contains(&day));
    let month = |at: usize| two(at).is_some_and(|month| (1..=12).contains(&month));
    let year = |at: usize| two(at).is_some_and(|year| (26..=29).contains(&year));
    let hour = |at: usize| {
        two(at).is_some_and(|hour| hour <= 24) && two(at + 2).is_some_and(|minute| [0, 15, 30, 45].contains(&minute))
    };
    let dated = day(0) && month(2) || month(0) && day(2);
    dated
        && match all.len() {
            8 => hour(4) || year(6),
            10 => year(4) && hour(6),
            12 => two(4) == Some(20) && year(6) && hour(8),
            _ => false,
        }
}

/// Whether digits with signs between them are a date or a time: `03.12.26`, `2026-12-03`, `22.00-23.30`, `3/12`, `2300-0100`.
fn is_moment(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let year = |group: &&str| group.len() == 4 && (group.starts_with("20") || group.starts_with("19"));
    // `33-0` is an extension.
    let small = |group: &&str| group.len() <= 2 && group.parse::<u8>().is_ok_and(|number| number <= 31);
    if text.ends_with("-0") && groups.len() == 2 {
        return false;
    }
    let hours = |group: &&str| group.len() == 4 && group.get(..2).is_some_and(|hour| hour < "25");
    let mixed = text.contains('.') && text.contains(['-', '–', '/']);
    let dated = (2..=3).contains(&groups.len()) && groups.iter().all(|group| small(group) || year(group));
    !text.starts_with('+')
        && (dated || mixed && groups.iter().all(small) || groups.len() == 2 && groups.iter().all(hours))
}

/// Their own address, or one of their firm that is nobody's.
pub fn is_own_address(word: &str, owner: &Owner<'_>) -> bool {
    let bare = word.trim_matches(|c: char| "<>()[],;:.".contains(c)).to_lowercase();
    let bare = bare.strip_prefix("mailto:").unwrap_or(&bare);
    let (local, domain) = bare.rsplit_once('@').unwrap_or_default();
    let (own, own_domain) = owner.email.rsplit_once('@').unwrap_or_default();
    let nobody = [
        "info",
        "office",
        "contact",
        "kontakt",
        "mail",
        "support",
        "it",
        "hello",
        "hallo",
        "helpdesk",
        "service",
        "ops",
        "noc",
        "datenschutz",
        "privacy",
        "dpo",
        "rgpd",
        "servicedesk",
        "sekretariat",
        "reception",
        "empfang",
        "praxis",
        "admin",
        "privacidad",
        "secretariat",
        "soporte",
        "informatique",
        "edv",
        "accueil",
        "contacto",
        "oficina",
        "administracion",
    ];
    let theirs = plain_words(local).iter().all(|word| owner.names.contains(word));
    domain == own_domain && (local == own || nobody.contains(&local) || theirs)
}

/// Whether a link or an address in brackets is their own, or one that programs write.
pub fn is_known_link(text: &str, owner: &Owner<'_>) -> bool {
    match is_address(text) {
        true => is_own_address(text, owner),
        false => is_own_link(text, owner),
    }
}

/// A page of their firm or a profile.
fn is_own_link(word: &str, owner: &Owner<'_>) -> bool {
    const SITES: [&str; 38] = [
        "safelinks",
        "urldefense",
        "avast",
        "avg",
        "gmx",
        "web",
        "yahoo",
        "proton",
        "icloud",
        "apple",
        "bit",
        "windows",
        "samsung",
        "whatsapp",
        "linkedin",
        "xing",
        "github",
        "gitlab",
        "twitter",
        "x",
        "facebook",
        "instagram",
        "youtube",
        "aka",
        "goo",
        "google",
        "mastodon",
        "threads",
        "tiktok",
        "calendly",
        "outlook",
        "office",
        "microsoft",
        "zoom",
        "teams",
        "maps",
        "bsky",
        "orcid",
    ];
    let low = word.to_ascii_lowercase();
    let bare = low.split_once("://").map_or(low.as_str(), |(_, rest)| rest);
    let bare = bare.trim_matches(|c: char| "<>()[],;".contains(c));
    let host = bare.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let labels: Vec<String> =
        host.split('.').flat_map(|label| label.split('-').map(fold).chain([fold(label)])).collect();
    let own_domain = owner.email.rsplit('@').next().unwrap_or_default();
    let known = host.ends_with(own_domain)
        || labels.iter().any(|label| owner.firm.contains(label) || SITES.contains(&label.as_str()));
    // A page may be named like words.
    let path = bare.split_once('/').map(|(_, path)| plain_words(path)).unwrap_or_default();
    let says = |word: &String| {
        word.len() > 1
            && known::is_word(word)
            && !owner.names.contains(word)
            && ![
                "in", "company", "u", "user", "en", "de", "fr", "es", "it", "pub", "home", "index", "www", "com",
                "web", "ios", "my",
            ]
            .contains(&word.as_str())
    };
    // `/work`, `/contact`: a word or two say nothing.
    known
        && is_plain_link(bare)
        && (path.len() <= 2 && !path.iter().any(|word| known::is_grave(word)) || !path.iter().any(says))
}
