//! What calendars write beside an answer given by a button: whose answer it is, the event, and their own advice. Whatever else
//! stands beside it is somebody's.

use super::account::{Words, account, is_address, is_card, is_link};
use super::known;
use super::moment::{is_month, weekday};
use super::sentence::Speaker;
use super::text::{doubt, is_harmless};
use super::words::tokens;
use crate::domain::letter::Incoming;

/// What stands beside an accepted invitation and must be read: the first such line.
pub fn beside(letter: &Incoming, speaker: &Speaker<'_>) -> Option<String> {
    let bodies = || [&letter.text, &letter.html].into_iter().flatten();
    let google = ["calendar.google.com", "Google Calendar", "Google Kalender", "Google Agenda"];
    let abroad = bodies().flat_map(|body| &body.lines).any(|line| google.iter().any(|mark| line.text.contains(mark)));
    bodies().find_map(|body| {
        let mut words: Words = account(body, speaker);
        let owner = speaker.owner();
        let calendars = |line: &String| is_form(line, abroad, speaker) || is_card(line, &owner, true);
        words.own.iter_mut().filter(|line| calendars(line)).for_each(String::clear);
        words.quoted.retain(|line| !calendars(line));
        words.beside.retain(|(_, line)| !calendars(line));
        let own = words.own.iter().any(|line| !line.is_empty()) && !is_harmless(&words.own, speaker);
        let line =
            || words.own.iter().find(|line| !is_harmless(&[(*line).clone()], speaker)).or(words.own.first()).cloned();
        match own {
            true => line(),
            false => doubt(&words, speaker).map(|(_, line)| line),
        }
    })
}

/// A line that a calendar writes, as a whole.
fn is_form(line: &str, abroad: bool, speaker: &Speaker<'_>) -> bool {
    if line.contains(['?', '…']) {
        return false;
    }
    let plain: Vec<String> = tokens(line).into_iter().filter(|word| word != ",").collect();
    known::is_advice(&plain) || {
        let words = slotted(line, abroad, speaker);
        !words.is_empty() && known::is_calendar(&words)
    }
}

/// The words of a line with slots: `<title>`, `<when>`, `<zone>`, `<who>`, `<us>`, `<mail>`, `<url>`.
fn slotted(line: &str, abroad: bool, speaker: &Speaker<'_>) -> Vec<String> {
    // Outlook's name of a zone: `(UTC+01:00) Amsterdam, Berlin, Bern`.
    let zone = line.split_once("(UTC").and_then(|(start, rest)| Some((start, rest.split_once(')')?)));
    let (mut line, mut trailing) = (line.to_owned(), None);
    if let Some((start, (offset, cities))) = zone
        && offset.len() <= 6
        && tokens(cities).iter().all(|word| word == "," || is_central(word))
    {
        (line, trailing) = (start.to_owned(), Some("<zone>"));
    }
    // The event's own name holds its day and time; it may be cut behind the tenant.
    let titles: Vec<String> = speaker.subjects().map(str::to_owned).collect();
    let short = titles.iter().filter_map(|title| title.split_once(": ").map(|(start, _)| start.to_owned()));
    let shorter = titles.iter().filter_map(|title| title.split_once(" for ").map(|(start, _)| start.to_owned()));
    for title in titles.clone().into_iter().chain(short).chain(shorter).filter(|one| one.len() > 8) {
        line = line.replace(&title, " \u{1}title ");
    }
    let mut all: Vec<String> = Vec::new();
    let mut dated: Vec<String> = Vec::new();
    let push = |word: &str, all: &mut Vec<String>| {
        if all.last().is_none_or(|last| last != word) {
            all.push(word.to_owned());
        }
    };
    let mut run: Vec<String> = Vec::new();
    let mut chunks: Vec<&str> = line.split_whitespace().collect();
    chunks.push("");
    for chunk in chunks {
        let whole = match chunk {
            "" => Some(""),
            "\u{1}title" => Some("<title>"),
            _ if is_address(chunk) => Some("<mail>"),
            _ if is_link(chunk) && (chunk.contains("://") || chunk.starts_with("www.")) => Some("<url>"),
            _ => None,
        };
        let Some(slot) = whole else {
            run.extend(tokens(chunk).into_iter().filter(|word| word != ","));
            continue;
        };
        let mut at = 0;
        while at < run.len() {
            let word = &run[at];
            let length = speaker.window.at(&run[at..], at.checked_sub(1).map(|before| run[before].as_str()));
            let days = weekday(word).is_some_and(|day| speaker.window.is_on(day)).then_some(1);
            let is_date = word.starts_with(|c: char| c.is_ascii_digit()) || is_month(word) || weekday(word).is_some();
            let name = speaker.names.contains(word) && !known::is_word(word);
            match length.or(days) {
                Some(length) => {
                    push("<when>", &mut all);
                    at += length;
                    continue;
                }
                None if is_date => {
                    dated.push(word.clone());
                    push("<when>", &mut all);
                }
                // Between the parts of a moment, and around it.
                None if all.last().is_some_and(|last| last == "<when>")
                    && BETWEEN.split(' ').any(|one| one == word) =>
                {
                    let timed = run.get(at + 1).is_some_and(|next| {
                        next.starts_with(|c: char| c.is_ascii_digit()) || is_month(next) || weekday(next).is_some()
                    });
                    if !timed {
                        all.push(word.clone());
                    }
                }
                None if name => push("<who>", &mut all),
                None if word.len() > 2 && speaker.window.is_of_zone(word) || ZONE.split(' ').any(|one| one == word) => {
                    push("<zone>", &mut all)
                }
                // Google names a town of the zone: `Heure d'Europe centrale - Paris`.
                None if all.last().is_some_and(|last| last == "<zone>") && is_central(word) => {}
                None if speaker.is_name_of_ours(word, &line) && !known::is_of_calendars(word) => push("<us>", &mut all),
                None => all.push(word.clone()),
            }
            at += 1;
        }
        run.clear();
        if !slot.is_empty() {
            push(slot, &mut all);
        }
    }
    all.extend(trailing.map(str::to_owned));
    // Google tells the time in the zone of whoever answers, and names it.
    let zoned = abroad && line.trim_end().ends_with(')');
    match dated.is_empty() || zoned && speaker.window.is_told_in(&dated) {
        true => all,
        false => Vec::new(),
    }
}

/// A town whose name calendars give to the central European zone.
fn is_central(city: &str) -> bool {
    const TOWNS: &str = "amsterdam berlin bern rom rome roma stockholm wien vienna vienne viena brussels brussel bruxelles bruselas copenhagen kopenhagen madrid paris copenhague berne berna estocolmo zurich";
    TOWNS.split(' ').any(|town| town == city)
}

/// Words between the parts of a moment.
const BETWEEN: &str = "to bis at um from a de von am pm uhr h";
/// Words of the names of zones in which windows are announced.
const ZONE: &str = "central european standard summer normale estandar mitteleuropaische mitteleuropaischer normalzeit centrale europe europa";
