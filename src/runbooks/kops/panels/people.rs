//! Who holds credentials, what each was given, and what they have said.

use super::super::holders::{ADMIN_BACK, ADMIN_TAKEN, CERTIFICATES_TAKEN, FINAL_BACK, FINAL_TAKEN, awaited};
use super::super::world::{Holder, Holds};
use super::super::{Kops, World};
use crate::domain::reply::Verdict;
use crate::engine::case::runbook::{Awaited, Case};
use crate::engine::case::view::{Cell, Panel, Row, Shape, Tone};
use serde_json::{Value, json};

/// How a holder stands on a question, in a word.
fn stands(case: &Case<Kops>, waits: &[Awaited], about: &str, name: &str) -> Cell {
    let core = &case.core;
    let said = core.last_said(about, name);
    if core.followed(about, name).is_some() {
        let is_word = said.is_none_or(|said| said.heard.verdict != Verdict::Confirmed);
        return Cell::toned(if is_word { "settled" } else { "confirmed" }, Tone::Good);
    }
    match (said, core.last_letter(about, name)) {
        (Some(said), _) => Cell::toned(said.heard.verdict.word(), Tone::Bad),
        (None, Some(letter)) if letter.delivery.word() == "sent" => Cell::toned("mailed", Tone::Warn),
        (None, Some(letter)) => Cell::toned(letter.delivery.word(), Tone::Bad),
        (None, None) if waits.iter().any(|waits| waits.about == about && waits.person == name) => {
            Cell::toned("waits", Tone::Warn)
        }
        (None, None) => Cell::toned("-", Tone::Faint),
    }
}

/// The panel.
pub(super) fn holders(world: &World, case: Option<&Case<Kops>>) -> Panel {
    let rounds = [CERTIFICATES_TAKEN, ADMIN_TAKEN, FINAL_TAKEN, ADMIN_BACK, FINAL_BACK];
    let waits = case.map(|case| awaited(world, case)).unwrap_or_default();
    let shown: Vec<&str> = rounds
        .iter()
        .copied()
        .filter(|about| !about.ends_with("back") || waits.iter().any(|waits| waits.about == *about))
        .collect();
    let row = |holder: &Holder| {
        let cell = |about: &&str| match case {
            Some(case) => stands(case, &waits, about, &holder.name),
            None => Cell::toned("-", Tone::Faint),
        };
        let holds = if holder.holds == Holds::Admin { "admin" } else { "certificates" };
        let head = [Cell::plain(holder.name.clone()), Cell::plain(holds)];
        let mut opens = vec![holder.contact.clone()];
        if let Some(case) = case {
            for ((about, _), word) in case.core.settled.iter().filter(|((_, person), _)| *person == holder.name) {
                opens.push(format!("{about}: settled by {}: {}", word.by, word.reason));
            }
            for letter in case.core.letters.iter().filter(|letter| letter.person == holder.name) {
                opens.push(format!("{}: mail {} to {}", letter.about, letter.delivery.word(), letter.email));
            }
            for said in case.core.said.iter().filter(|said| said.person == holder.name) {
                opens.push(format!("{}: answered from {}: {}", said.about, said.from, said.heard.verdict));
                opens.extend(said.heard.evidence.iter().cloned());
            }
        }
        Row { cells: head.into_iter().chain(shown.iter().map(cell)).collect(), opens, seen: None }
    };
    let columns = ["holder", "holds"].into_iter().chain(shown.iter().copied()).map(String::from).collect();
    Panel { title: "Holders".into(), shape: Shape::Table { columns, rows: world.holders.iter().map(row).collect() } }
}

/// The same for `--json`.
pub(super) fn told(world: &World, case: Option<&Case<Kops>>) -> Vec<Value> {
    let told = |holder: &Holder| {
        let is_theirs = |person: &String| *person == holder.name;
        let core = case.map(|case| &case.core);
        let settled = core.into_iter().flat_map(|core| core.settled.keys());
        let settled: Vec<&str> =
            settled.filter(|(_, person)| is_theirs(person)).map(|(about, _)| about.as_str()).collect();
        let mut told = json!({ "name": holder.name, "admin": holder.holds == Holds::Admin, "settled": settled });
        let letters = core.into_iter().flat_map(|core| &core.letters).filter(|letter| is_theirs(&letter.person));
        let said = core.into_iter().flat_map(|core| &core.said).filter(|said| is_theirs(&said.person));
        let (letters, said): (Vec<_>, Vec<_>) = (letters.collect(), said.collect());
        if !letters.is_empty() {
            told["mails"] = json!(letters);
        }
        if !said.is_empty() {
            told["answers"] = json!(said);
        }
        told
    };
    world.holders.iter().map(told).collect()
}
