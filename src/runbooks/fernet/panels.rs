//! What the screen shows of a cluster, and `--json`: nodes by keys, the token matrix, until when keys are needed.

use super::facts::{Leaving, left_behind};
use super::record::Kind;
use super::spec::{PURGE, PURGING, ROTATE};
use super::{Fernet, Sights, World, due};
use crate::domain::fernet::agreement::compare;
use crate::domain::fernet::duration::rough;
use crate::domain::fernet::finding::{Weight, findings};
use crate::domain::fernet::interval;
use crate::domain::fernet::matrix::{Age, Outcome, Way};
use crate::domain::fernet::not_before::{NotBefore, Standing};
use crate::domain::fernet::repository::{Digest, Keys, Repository, Role};
use crate::engine::case::runbook::{Case, Seen, Telling};
use crate::engine::case::view::{Cell, Panel, Row, Series, Shape, Tone};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Everything.
pub(super) fn tell(world: &World, case: Option<&Case<Fernet>>, sights: &Sights, now: Timestamp) -> Telling {
    let (mut attention, mut keys_of_kinds, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut not_before, mut purged, mut clock) = (Vec::new(), Vec::new(), Vec::new());
    for kind in sights.kinds(&world.rotator) {
        let all = sights.repositories(&world.names(), kind);
        let agreement = compare(&all);
        let is_at_work = case.is_some_and(|case| case.core.is_open() && case.core.is_touched());
        if !agreement.is_same() && !is_at_work {
            attention.push(format!("{}: {}", kind.word(), agreement.message()));
        }
        attention.extend(case.filter(|case| case.core.is_open()).and_then(|case| meddled(case, &all, kind)));
        let found = all.iter().flat_map(|one| findings(one, Some(&world.reader)));
        // A key that lies there twice is expected half-way.
        let counts = found.filter(|found| !is_at_work || found.weight() == Weight::Shut);
        attention.extend(counts.map(|found| found.message()));
        let at_work = case.filter(|_| is_at_work);
        keys_of_kinds.push(keys(world, at_work, sights, kind, now));
        let worked = worked(world, sights, kind, now);
        let leaving =
            at_work.map_or_else(|| Leaving::by_rotation(world, sights, kind), |case| Leaving::by_purge(case, kind));
        let judged = leaving.judged(world, sights, kind, now);
        let sentence = leaving.sentence(world, sights, kind, now);
        let at = judged.as_ref().and_then(|judged| judged.at).and_then(|at| Timestamp::from_second(at).ok());
        not_before.extend(sentence.clone().map(|text| waits(kind, text, at, now)));
        match (&judged, is_at_work) {
            (Some(judged), true) => purged.extend(gone(kind, judged, now)),
            (Some(judged), false) => clock.extend(purge_after(kind, judged, now)),
            (None, _) => {}
        }
        kinds.push(json!({
            "kind": kind,
            "agrees": agreement.is_same(),
            "differences": agreement.differences,
            "would_purge": leaving.keys,
            "not_before": at,
            "interval": worked.as_deref(),
            "sentence": sentence,
        }));
        not_before.extend(worked.map(Cell::plain));
    }
    let open = case.filter(|case| case.core.is_open());
    attention.extend(open.and_then(|case| left_behind(world, case)));
    attention.extend(open.iter().flat_map(|case| case.own.met.iter().cloned()));
    attention.extend(sights.faults().map(|(name, fault)| format!("{name}: {fault}")));
    // Who does not answer at all is named once.
    let is_seen = |name: &str| sights.faults().all(|(other, _)| other != name);
    let silent = sights.api_faults().filter(|(name, _)| is_seen(name));
    attention.extend(silent.map(|(name, fault)| format!("{name}: {}", fault.message)));
    if not_before.is_empty() {
        not_before.push(Cell::toned("not known: nobody has looked at the node that rotates", Tone::Faint));
    }
    // Each keeps its number: all are there from the beginning, and what only some clusters have comes last.
    let mut keys_of_kinds = keys_of_kinds.into_iter();
    let mut panels: Vec<Panel> = keys_of_kinds.next().into_iter().collect();
    let not_before = Panel { title: "Not before".into(), shape: Shape::Lines { lines: not_before } };
    panels.extend([matrix(world), not_before, answers(world)]);
    panels.extend(keys_of_kinds);
    let nodes: Vec<Value> = world.names().iter().map(|name| node(world, sights, name, now)).collect();
    let json = json!({
        "rotator": world.rotator,
        "nodes": nodes,
        "repositories": kinds,
        "matrix": world.measured().map(|(at, cells)| json!({ "at": at, "cells": cells.into_iter().map(|(cell, outcome)| {
            json!({ "issuer": cell.issuer, "validator": cell.validator, "age": cell.age, "way": cell.way, "outcome": outcome })
        }).collect::<Vec<_>>() })),
    });
    let seen = world.names().iter().map(|name| seen(sights, name)).collect();
    let rotates = due::foreseen(world, sights).into_iter().chain(clock).collect();
    let mut comes_to: BTreeMap<&'static str, Vec<String>> = BTreeMap::from([(ROTATE, rotates)]);
    if !purged.is_empty() {
        comes_to.insert(PURGING, purged);
    }
    let safe = open.filter(|case| case.core.is_touched()).and_then(|_| safe(world, sights));
    Telling { attention, panels, json, comes_to, safe, seen, ..Telling::default() }
}

/// What somebody else has changed on nodes while the case is at work: keys that are not of it, and keys that are gone though it has taken
/// none away yet; and who refuses what by it.
fn meddled(case: &Case<Fernet>, seen: &[Repository], kind: Kind) -> Option<String> {
    let own = &case.own;
    let before = &own.held.iter().find(|held| held.kind == kind)?.keys;
    let remain = own.prepared.get(&kind).map(|promotion| &promotion.keys);
    let is_purging = !own.purged.is_empty() || case.core.touched.contains(&PURGE);
    let is_ours = |digest: &Digest| {
        before.values().chain(remain.iter().flat_map(|keys| keys.values())).any(|held| held == digest)
    };
    let of = |one: &Repository| {
        let keys = one.digests();
        let must = if is_purging { remain? } else { before };
        let gone = must.iter().filter(|(_, digest)| !keys.values().any(|held| held == *digest));
        let gone = gone.map(|(index, digest)| format!("lacks key {index} ({digest})"));
        let other = keys.iter().filter(|(_, digest)| !is_ours(digest));
        let other = other.map(|(index, digest)| format!("holds key {index} ({digest}), which is not of this case"));
        let all: Vec<String> = gone.chain(other).collect();
        (!all.is_empty()).then(|| format!("{} {}", one.node, all.join(", ")))
    };
    let all: Vec<String> = seen.iter().filter_map(of).collect();
    let agreement = compare(seen);
    let means = if agreement.is_same() { "all hold the same".to_owned() } else { agreement.message() };
    (!all.is_empty()).then(|| format!("{}: somebody else has changed keys: {}; {means}", kind.word(), all.join("; ")))
}

/// Whether every node knows each key that one of them encrypts with, so that no fresh token is refused anywhere. Not said where a node was
/// not seen at the last look.
fn safe(world: &World, sights: &Sights) -> Option<String> {
    let names = world.names();
    let is_known = |kind: Kind| {
        let all = sights.repositories(&names, kind);
        let primary = |one: &Repository| one.keys.iter().next_back().and_then(|(_, key)| key.digest);
        let primaries: Vec<Option<Digest>> = all.iter().map(primary).collect();
        let knows = |one: &Repository, digest: &Option<Digest>| {
            digest.is_some() && one.keys.values().any(|key| key.digest == *digest)
        };
        all.len() == names.len() && all.iter().all(|one| primaries.iter().all(|digest| knows(one, digest)))
    };
    let all_seen = sights.faults().next().is_none();
    (all_seen && sights.kinds(&world.rotator).into_iter().all(is_known))
        .then(|| "every token is valid on every node: each knows the keys that the others encrypt with".to_owned())
}

fn seen(sights: &Sights, name: &str) -> Seen {
    let (of, api) = (seen_files(sights, name), sights.apis.get(name));
    let answered = api.map(|api| api.seen.as_ref().map(|(at, ())| *at));
    let silent = api.and_then(|api| api.fault.as_ref()).map(|(_, fault)| fault.message.clone());
    Seen { at: answered.map_or(of.at, |answered| of.at.min(answered)), fault: of.fault.or(silent), ..of }
}

/// When a node's files were seen last, whatever its Keystone does.
fn seen_files(sights: &Sights, name: &str) -> Seen {
    let of = sights.nodes.get(name);
    let at = of.and_then(|seen| seen.seen.as_ref()).map(|(at, _)| *at);
    let fault = of.and_then(|seen| seen.fault.as_ref()).map(|(_, fault)| fault.to_string());
    Seen { name: name.to_owned(), at, fault }
}

/// Until when the keys that go are needed, as a countdown while they are.
fn waits(kind: Kind, text: String, at: Option<Timestamp>, now: Timestamp) -> Cell {
    let until = at.filter(|at| *at > now);
    let tone = if until.is_some() { Tone::Warn } else { Tone::Plain };
    Cell { until, ..Cell::toned(format!("{}: {text}", kind.word()), tone) }
}

/// Which keys a purge takes away, and whether anybody needs them.
fn gone(kind: Kind, judged: &NotBefore, now: Timestamp) -> Option<String> {
    let what = keys_of(judged)?;
    let ended = judged.moment().filter(|_| judged.has_passed(now.as_second()));
    let ended = ended.map(|at| format!("; the last token made with it ended {at}")).unwrap_or_default();
    Some(format!("{}: {what} on every node: what was made with it is refused from then on{ended}", kind.word()))
}

/// What the clock will mean behind a rotation of now: when its purge may come.
fn purge_after(kind: Kind, judged: &NotBefore, now: Timestamp) -> Option<String> {
    let what = keys_of(judged)?;
    let kind = kind.word();
    Some(match (judged.standing(now.as_second()), judged.moment()) {
        (Standing::Wait(seconds), Some(at)) => {
            format!("{kind}: then purge waits {}, until {at}: until then tokens of {what} may be used", rough(seconds))
        }
        (Standing::Open, Some(at)) => {
            format!("{kind}: then purge may follow at once: the last token of {what} ended {at}")
        }
        _ => format!("{kind}: then purge waits, and until when tokens of {what} may be used can't be known"),
    })
}

/// `key 16`; none where none goes.
fn keys_of(judged: &NotBefore) -> Option<String> {
    let all: Vec<String> = judged.keys.iter().map(|key| key.index.to_string()).collect();
    let what = if all.len() == 1 { "key" } else { "keys" };
    (!all.is_empty()).then(|| format!("{what} {}", all.join(", ")))
}

/// How near to the threshold each node came while it was watched, look by look.
fn answers(world: &World) -> Panel {
    let title = "Answers".to_owned();
    let is_counted = !world.rules.watch.is_zero() && world.nodes.iter().all(|node| node.traffic.is_some());
    let looks = world.watched();
    if looks.is_empty() {
        let text = match is_counted {
            true => "not watched yet: step 7 counts what the nodes answer",
            false => "not watched: no command is configured that counts what the nodes answer",
        };
        return Panel { title, shape: Shape::Lines { lines: vec![Cell::toned(text, Tone::Faint)] } };
    }
    const LIMIT: u64 = 100;
    let series = looks.into_iter().map(|(name, values)| {
        let tone = if values.last().is_some_and(|value| *value > LIMIT) { Tone::Bad } else { Tone::Good };
        Series { name, values, tone }
    });
    let series: Vec<Series> = series.collect();
    let unit = "401 and 5xx above the usual, per cent of what is allowed".to_owned();
    Panel { title, shape: Shape::Timeline { series, threshold: Some(LIMIT), unit } }
}

fn node(world: &World, sights: &Sights, name: &str, now: Timestamp) -> Value {
    let seen = sights.nodes.get(name);
    let fault = seen.and_then(|seen| seen.fault.as_ref()).map(|(_, fault)| fault.to_string());
    let at = seen.and_then(|seen| seen.seen.as_ref()).map(|(at, _)| *at);
    let keys = |kind| {
        let repository = sights.repository(name, kind)?;
        let of = |index: &u32| {
            let key = &repository.keys[index];
            json!({ "index": index, "role": repository.role(*index), "digest": key.digest.map(|digest| digest.to_string()),
                    "age_s": repository.age(*index, now.as_second()) })
        };
        Some(repository.keys.keys().map(of).collect::<Vec<_>>())
    };
    json!({ "name": name, "rotator": name == world.rotator, "seen": at, "fault": fault,
            "ahead_s": sights.node(name).map(|sight| sight.ahead_s),
            "tokens": keys(Kind::Tokens), "receipts": keys(Kind::Receipts) })
}

/// How often one may rotate, reckoned with what the nodes say: the sum and its parts, and what is practised.
fn worked(world: &World, sights: &Sights, kind: Kind, now: Timestamp) -> Option<String> {
    let settings = sights.strictest()?;
    let lifetimes = settings.lifetimes(world.rules.distribution, world.rules.skew);
    let held = sights.held(&world.rotator);
    let most = held.iter().find(|held| held.kind == kind)?.max_active_keys;
    let last = due::last_rotation(world, sights, kind).and_then(|last| due::ago(last, now));
    let ago = last.map(|ago| format!(" The last rotation was {ago} ago.")).unwrap_or_default();
    Some(format!("{}{ago}", interval::worked(&lifetimes, most, None)))
}

/// Nodes by keys: who differs stands out, but for what a case at work has still to change.
fn keys(world: &World, at_work: Option<&Case<Fernet>>, sights: &Sights, kind: Kind, now: Timestamp) -> Panel {
    let names = world.names();
    let all = sights.repositories(&names, kind);
    let indexes: BTreeSet<u32> = all.iter().flat_map(|one| one.keys.keys().copied()).collect();
    let usual: BTreeMap<u32, Option<Digest>> = indexes.iter().map(|index| (*index, usual(&all, *index))).collect();
    // Where nodes encrypt with keys of different indexes each says so in its own row.
    let highest: BTreeSet<u32> = all.iter().filter_map(|one| one.keys.keys().next_back().copied()).collect();
    let is_same = highest.len() <= 1;
    // While a case is at work a node holds what was there before, or what is wanted; both are as they must be.
    let wanted = at_work.and_then(|case| case.own.wanted(kind));
    let before = at_work.and_then(|case| case.own.held.iter().find(|held| held.kind == kind)).map(|held| &held.keys);
    let is_of = |keys: Option<&Keys>, index: &u32, digest: Option<Digest>| {
        keys.is_some_and(|keys| keys.get(index).copied() == digest)
    };
    let row = |name: &String| {
        let fault = sights.faults().find(|(of, _)| of == name).map(|(_, fault)| fault);
        let head = if *name == world.rotator { format!("{name} (rotates)") } else { name.clone() };
        let mut cells = vec![match fault {
            Some(_) => Cell::toned(head, Tone::Bad),
            None => Cell::plain(head),
        }];
        let mut opens = vec![name.clone()];
        opens.extend(fault.map(ToString::to_string));
        for index in &indexes {
            let repository = sights.repository(name, kind);
            let key = repository.and_then(|one| one.keys.get(index));
            let Some((repository, key)) = repository.zip(key) else {
                let is_to_come = is_of(before, index, None) || is_of(wanted.as_ref(), index, None);
                let is_to_come = at_work.is_some() && is_to_come;
                let tone = if sights.node(name).is_some() && !is_to_come { Tone::Bad } else { Tone::Faint };
                cells.push(Cell::toned("-", tone));
                continue;
            };
            let digest = key.digest.map_or_else(|| "unreadable".to_owned(), |digest| digest.to_string());
            let same = key.digest.is_some() && key.digest == usual[index];
            let is_wanted = is_of(wanted.as_ref(), index, key.digest);
            let is_to_come = !is_wanted && is_of(before, index, key.digest);
            let tone = match (same || is_wanted, fault) {
                (_, Some(_)) => Tone::Faint,
                _ if at_work.is_some() && is_to_come => Tone::Plain,
                (true, None) => Tone::Good,
                (false, None) => Tone::Bad,
            };
            let role = repository.role(*index).map(|role| role.word()).unwrap_or_default();
            let age = repository.age(*index, now.as_second()).unwrap_or_default();
            let age = if age < 0 { "of the future".to_owned() } else { rough(age.unsigned_abs()) };
            opens.push(format!("{index}: {role}, {digest}, {age}"));
            let short: String = digest.chars().take(8).collect();
            let is_primary = !is_same && repository.role(*index) == Some(Role::Primary);
            let mark = if is_primary { " primary" } else { "" };
            cells.push(Cell { decides: !same, ..Cell::toned(format!("{short} {age}{mark}"), tone) });
        }
        // Before the first look no row is late.
        let seen = Some(seen_files(sights, name)).filter(|seen| seen.at.is_some() || seen.fault.is_some());
        Row { cells, opens, seen }
    };
    let head = |index: &u32| match *index {
        0 => "0 staged".to_owned(),
        index if is_same && highest.contains(&index) => format!("{index} primary"),
        index => index.to_string(),
    };
    let columns = std::iter::once("node".to_owned()).chain(indexes.iter().map(head)).collect();
    Panel {
        title: format!("Keys: {}", kind.word()),
        shape: Shape::Matrix { columns, rows: names.iter().map(row).collect() },
    }
}

/// What most nodes have under an index.
fn usual(all: &[crate::domain::fernet::repository::Repository], index: u32) -> Option<Digest> {
    let mut counts: BTreeMap<Digest, usize> = BTreeMap::new();
    for digest in all.iter().filter_map(|one| one.keys.get(&index)?.digest) {
        *counts.entry(digest).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(digest, _)| digest)
}

/// Who accepts whose tokens, as last measured: own and subject, new and old.
fn matrix(world: &World) -> Panel {
    let title = "Tokens (own/subject)".to_owned();
    let Some((at, cells)) = world.measured() else {
        let text = "none was shown yet by this process: check shows one of each node at each";
        return Panel { title, shape: Shape::Lines { lines: vec![Cell::toned(text, Tone::Faint)] } };
    };
    let names = world.names();
    let mut rows = Vec::new();
    for (age, word) in [(Age::New, "new"), (Age::Old, "old")] {
        for issuer in &names {
            let mut row = vec![Cell { at: Some(at), ..Cell::plain(format!("{word} of {issuer}")) }];
            let mut opens = vec![format!(
                "the {word} token of {issuer}, shown at each node; measured {}",
                at.strftime("%a %-d %b %H:%M:%S UTC")
            )];
            let mut any = false;
            for validator in &names {
                let outcome = |way| {
                    cells.iter().find(|(cell, _)| {
                        (cell.issuer.as_str(), cell.validator.as_str()) == (issuer, validator)
                            && cell.age == age
                            && cell.way == way
                    })
                };
                let text = |way| match outcome(way).map(|(_, outcome)| outcome) {
                    Some(Outcome::Status(status)) => status.to_string(),
                    Some(Outcome::Failed(_)) => "!".into(),
                    None => "-".into(),
                };
                let both = [Way::Own, Way::Subject].map(|way| outcome(way).map(|(_, outcome)| outcome.is_accepted()));
                any |= both.iter().any(Option::is_some);
                let full = |way| match outcome(way).map(|(_, outcome)| outcome) {
                    Some(Outcome::Failed(why)) => why.clone(),
                    _ => text(way),
                };
                opens.push(format!(
                    "at {validator}: {} as one's own, {} as a subject",
                    full(Way::Own),
                    full(Way::Subject)
                ));
                let tone = match both {
                    [Some(true), Some(true)] => Tone::Good,
                    [None, None] => Tone::Faint,
                    _ => Tone::Bad,
                };
                row.push(Cell::toned(format!("{}/{}", text(Way::Own), text(Way::Subject)), tone));
            }
            opens.push(
                "200: accepted; 401, 404: its key is not known there; 500: the keys can't be read; !: no answer".into(),
            );
            if any {
                rows.push(Row { cells: row, opens, seen: None });
            }
        }
    }
    let columns = std::iter::once("own/subject".to_owned()).chain(names).collect();
    Panel { title, shape: Shape::Matrix { columns, rows } }
}
