//! What the screen shows: keysets by the roles of their keypairs, instance groups as bars, the parts of the steps, and who holds what.

mod people;

use super::facts::{alarm_name, alarm_remedy};
use super::holders::awaited;
use super::record::{At, Round};
use super::spec::{ADMIN, CERTIFICATES, DISTRUST, DISTRUSTING, FINAL, PROMOTE, PROMOTING, ROTATING, SPEC, STAGE};
use super::state::Parts;
use super::{Kops, Sights, World, length};
use crate::domain::kops::group::{Group, Purpose, must_roll};
use crate::domain::kops::keypair::Keypair;
use crate::domain::kops::keyset::{Keysets, Role, is_rotatable};
use crate::domain::kops::track::Standing;
use crate::domain::moment::minute;
use crate::engine::case::core::Way;
use crate::engine::case::runbook::{Case, Seen, Telling};
use crate::engine::case::view::{Cell, Panel, Row, Shape, Tone};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How wide a bar is.
const BAR: u32 = 10;

/// Everything that is true of the cluster.
pub(super) fn tell(world: &World, case: Option<&Case<Kops>>, sights: &Sights, now: Timestamp) -> Telling {
    let open = case.filter(|case| case.core.is_open());
    let groups_seen = sights.groups.value().map(Vec::as_slice).unwrap_or_default();
    let foreseen =
        sights.keysets.value().map(|keysets| foreseen(world, keysets, groups_seen, case)).unwrap_or_default();
    let rolls = open.and_then(|open| length::text(length::one(world, open, groups_seen), case)).map(|text| vec![text]);
    let rolls = rolls.unwrap_or_default();
    let mut panels = vec![keysets(sights, now), groups(world, open, sights)];
    panels.extend(open.map(|case| parts(case, length::left(world, case, groups_seen), now)));
    panels.push(people::holders(world, open));
    panels.extend(open.and_then(shown));
    Telling {
        attention: attention(world, open, sights),
        panels,
        json: told(world, case, sights),
        foreseen: foreseen.clone(),
        due: None,
        comes_to: BTreeMap::from([
            (ROTATING, foreseen),
            (PROMOTING, rolls.clone()),
            (DISTRUSTING, rolls),
            ("rollback", open.map(|case| trusted_again(case, sights)).unwrap_or_default()),
        ]),
        safe: open.and_then(|case| safe(case, sights)),
        seen: seen(sights),
        alone: Vec::new(),
    }
}

fn seen(sights: &Sights) -> Vec<Seen> {
    let of = |name: &str, at: Option<Timestamp>, fault: Option<String>| Seen { name: name.to_owned(), at, fault };
    let (keysets, groups, valid) = (&sights.keysets, &sights.groups, &sights.valid);
    vec![
        of(
            "keypairs",
            keysets.seen.as_ref().map(|seen| seen.0),
            keysets.fault.as_ref().map(|fault| fault.1.to_string()),
        ),
        of("groups", groups.seen.as_ref().map(|seen| seen.0), groups.fault.as_ref().map(|fault| fault.1.to_string())),
        of("validate", valid.seen.as_ref().map(|seen| seen.0), valid.fault.as_ref().map(|fault| fault.1.to_string())),
    ]
}

fn foreseen(world: &World, keysets: &Keysets, groups: &[Group], last: Option<&Case<Kops>>) -> Vec<String> {
    let chosen = world.chosen(keysets);
    let primary = |name: &String| keysets.primary(name).map_or("no primary".to_owned(), |pair| pair.id.to_string());
    let names: Vec<&str> = chosen.iter().map(String::as_str).collect();
    let rolls = length::text(length::whole(world, groups, &names), last);
    let made = chosen.iter().map(|name| format!("{name}: a keypair is added beside {}", primary(name)));
    made.chain(rolls.map(|rolls| format!("until its end {rolls}"))).collect()
}

/// What somebody else has distrusted meanwhile, and so comes first on the way back.
fn trusted_again(case: &Case<Kops>, sights: &Sights) -> Vec<String> {
    let touches = |step| case.core.touched.contains(&step);
    let Some(keysets) = sights.keysets.value().filter(|_| touches(PROMOTE) && !touches(DISTRUST)) else {
        return Vec::new();
    };
    let gone = case.own.tracks.iter().filter(|track| track.standing(keysets) == Ok(Standing::Distrusted));
    let told = |track: &crate::domain::kops::track::Track| {
        format!(
            "first, since somebody else has distrusted it: {} {} is trusted again by its id",
            track.keyset, track.old
        )
    };
    let mut lines: Vec<String> = gone.map(told).collect();
    if !lines.is_empty() {
        lines.push("then update and a roll of every group with --force, and every holder is waited for".into());
    }
    lines
}

/// What nobody needs to fear.
fn safe(case: &Case<Kops>, sights: &Sights) -> Option<String> {
    let keysets = sights.keysets.value()?;
    let standings: Result<Vec<Standing>, String> =
        case.own.tracks.iter().map(|track| track.standing(keysets)).collect();
    match standings.ok()?.into_iter().max()? {
        Standing::Distrusted => None,
        _ => Some("every keypair that was trusted before is trusted still".into()),
    }
}

fn attention(world: &World, case: Option<&Case<Kops>>, sights: &Sights) -> Vec<String> {
    let mut found = Vec::new();
    for (name, fault) in sights.faults() {
        found.push(format!("{name}: {fault}"));
    }
    if let Some((_, fault)) = &sights.valid.fault {
        found.push(format!("the cluster is not well: {}", fault.message));
    }
    let Some(case) = case else { return found };
    if let Some(alarm) = &case.own.alarm {
        let name = alarm_name(alarm.at, alarm.kind);
        found.insert(0, format!("{}; {name}: {}", alarm.text, alarm_remedy(alarm)));
    }
    if case.own.parts.values().any(|parts| parts.updated && parts.validated.is_none()) {
        let scaler = match sights.autoscaler.as_ref().map(|seen| (seen.value(), &seen.fault)) {
            None => "which nobody is configured to ask".to_owned(),
            Some((Some(said), None)) => format!("which says: {said}"),
            Some(_) => "which does not answer".to_owned(),
        };
        let may =
            if case.own.unknown.is_empty() { "no new node can join" } else { "it may be that no new node can join" };
        found.push(format!("{may} until the roll has ended: hold the autoscaler, {scaler}"));
    }
    if let Some((keysets, _)) = case.own.met.as_ref().filter(|(keysets, _)| case.own.is_met() && !keysets.is_empty()) {
        let names = keysets.join(", ");
        found.push(format!(
            "somebody else has distrusted the previous keypair of {names}: it is trusted again by its id, and every group rolls, before \
             anything else is taken back"
        ));
    }
    let waits = awaited(world, case);
    if !waits.is_empty() {
        let mut names: Vec<&str> = waits.iter().map(|waits| waits.person.as_str()).collect();
        names.dedup();
        found.push(format!("waits for {}", names.join(", ")));
    }
    found
}

/// Short enough for a column: the end of an id tells keypairs of one cluster apart.
fn short(pair: &Keypair) -> String {
    let id = pair.id.as_str();
    let end = &id[id.len().saturating_sub(8)..];
    if pair.has_private { format!("…{end}") } else { format!("…{end} no key") }
}

fn keysets(sights: &Sights, _: Timestamp) -> Panel {
    let title = "Keysets".to_owned();
    let Some((at, keysets)) = &sights.keysets.seen else {
        return Panel { title, shape: Shape::Lines { lines: vec![Cell::toned("not seen yet", Tone::Faint)] } };
    };
    let fault = sights.keysets.fault.as_ref().map(|(_, fault)| fault.to_string());
    let row = |name: &str| {
        let cell = |role: Role| {
            let texts: Vec<String> = keysets.of_role(name, role).map(short).collect();
            let tone = match (role, texts.is_empty()) {
                (_, true) => Tone::Faint,
                (Role::Primary, false) => Tone::Good,
                (Role::Staged | Role::Trusted, false) => Tone::Warn,
                (Role::Distrusted, false) => Tone::Plain,
            };
            Cell::toned(if texts.is_empty() { "-".into() } else { texts.join(" ") }, tone)
        };
        let roles = [Role::Primary, Role::Staged, Role::Trusted, Role::Distrusted].map(cell);
        let whole = |pair: &Keypair| {
            let private = if pair.has_private { "private key present" } else { "no private key" };
            let role = keysets.role(pair).word();
            let since = pair.distrusted.as_ref().map(|at| format!(", distrusted {at}")).unwrap_or_default();
            format!("{role} {}: issued {}, expires {}, {private}{since}", pair.id, pair.issued, pair.expires)
        };
        let mut opens: Vec<String> = keysets.pairs(name).iter().map(whole).collect();
        if !is_rotatable(name) {
            opens.push("it is issued anew with its authority, and not rotated by itself".into());
        }
        let seen = Some(Seen { name: name.to_owned(), at: Some(*at), fault: fault.clone() });
        Row { cells: std::iter::once(Cell::plain(name)).chain(roles).collect(), opens, seen }
    };
    let columns = ["keyset", "primary", "staged", "trusted", "distrusted"].map(String::from).to_vec();
    Panel { title, shape: Shape::Matrix { columns, rows: keysets.names().map(row).collect() } }
}

/// The parts of the step that is under way, or was last.
fn present(case: &Case<Kops>) -> Option<(At, Parts)> {
    let is_back = case.core.way == Way::Back;
    let mut parts = case.own.parts.iter().filter(|(at, _)| at.back == is_back);
    // The way back comes to the lower numbers last.
    let last = if is_back { parts.next() } else { parts.next_back() };
    last.map(|(at, parts)| (*at, parts.clone()))
}

fn bar(done: u32, all: u32) -> String {
    let full = (done * BAR).checked_div(all).unwrap_or(BAR).min(BAR);
    format!("{}{} {done}/{all}", "#".repeat(full as usize), "-".repeat((BAR - full) as usize))
}

fn groups(world: &World, case: Option<&Case<Kops>>, sights: &Sights) -> Panel {
    let title = "Instance groups".to_owned();
    let Some((at, groups)) = &sights.groups.seen else {
        return Panel { title, shape: Shape::Lines { lines: vec![Cell::toned("not seen yet", Tone::Faint)] } };
    };
    let fault = sights.groups.fault.as_ref().map(|(_, fault)| fault.to_string());
    let present = case.and_then(present);
    let keysets: Vec<&str> = case.map(|case| case.own.keysets()).unwrap_or_default();
    let row = |group: &Group| {
        let purpose = world.purpose(&group.name);
        let word = match purpose {
            Purpose::ControlPlane => "control plane",
            Purpose::Nodes => "nodes",
            Purpose::Bastion => "bastion",
        };
        let all = group.instances();
        let well = all.saturating_sub(group.need_update);
        let (how, tone) = match &present {
            _ if case.is_some() && !must_roll(purpose, keysets.iter().copied()) => {
                ("holds no changed keyset", Tone::Faint)
            }
            Some((_, parts)) if parts.rolled.contains_key(&group.name) => ("has rolled", Tone::Good),
            Some((_, parts)) if parts.began.contains_key(&group.name) => ("rolls", Tone::Warn),
            Some((_, parts)) if parts.covered.is_some() => ("waits for its roll", Tone::Plain),
            _ if group.need_update > 0 => ("needs an update", Tone::Warn),
            _ => ("as it should be", Tone::Good),
        };
        let heard = world.heard().filter(|(of, _)| *of == group.name).map(|(_, line)| line);
        let mut opens = vec![format!(
            "{}: {} of {all} instances need an update, {} ready",
            group.status, group.need_update, group.ready
        )];
        opens.extend(heard);
        let cells = vec![
            Cell::plain(group.name.clone()),
            Cell::plain(word),
            Cell { decides: true, ..Cell::toned(bar(well, all), tone) },
            Cell::toned(how, tone),
        ];
        Row { cells, opens, seen: Some(Seen { name: group.name.clone(), at: Some(*at), fault: fault.clone() }) }
    };
    let columns = ["group", "for", "up to date", "roll"].map(String::from).to_vec();
    Panel { title, shape: Shape::Table { columns, rows: groups.iter().map(row).collect() } }
}

/// Each step that changes keys, with its parts.
fn parts(case: &Case<Kops>, left: u32, now: Timestamp) -> Panel {
    let own = &case.own;
    let mut lines = Vec::new();
    let created = own.tracks.iter().filter(|track| track.new.is_some()).count();
    lines.push(Cell::plain(format!("1a create: {created} of {} keysets have a new keypair", own.tracks.len())));
    let number = |at: &At| at.step.get();
    for (at, parts) in &own.parts {
        let back = if at.back { " back" } else { "" };
        if let Some(shown) = &parts.shown {
            let last = shown.last().map(String::as_str).unwrap_or("it prints nothing");
            let state = if parts.updated { "updated" } else { "shown, not updated yet" };
            lines.push(Cell::plain(format!("{}b{back} update: {state}: {last}", number(at))));
        }
        if let Some(covered) = &parts.covered {
            let all: u32 = covered.iter().map(|(_, count)| count).sum();
            let left: u32 = parts.left().map(|(_, count)| count).sum();
            let rest = parts.pace().filter(|_| left > 0).map(|pace| {
                let seconds = i64::try_from(pace * u64::from(left)).unwrap_or(0);
                let at = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
                format!("; at this pace until {}", minute(at))
            });
            let rest = rest.unwrap_or_default();
            let tone = if left == 0 { Tone::Good } else { Tone::Warn };
            lines.push(Cell::toned(format!("{}c{back} roll: {}{rest}", number(at), bar(all - left, all)), tone));
        }
        if let Some(said) = &parts.validated {
            lines.push(Cell::toned(format!("{}d{back} validate: {said}", number(at)), Tone::Good));
        }
    }
    for (round, exported) in &own.exported {
        let step = match round {
            Round::Before => STAGE,
            Round::Certificates => CERTIFICATES,
            Round::Admin => ADMIN,
            Round::Final => FINAL,
        };
        let digest = &exported.digest[..exported.digest.len().min(12)];
        lines.push(Cell::plain(format!(
            "{step} export ({}): {} ({digest}…), {} certificates",
            round.word(),
            exported.path,
            exported.certificates
        )));
    }
    lines.extend(length::text(left, Some(case)).map(|text| Cell::plain(format!("ahead: {text}"))));
    debug_assert!(SPEC.steps.iter().any(|step| step.number == PROMOTE) && DISTRUST > PROMOTE);
    Panel { title: "Parts".into(), shape: Shape::Lines { lines } }
}

/// What the last update was to change.
fn shown(case: &Case<Kops>) -> Option<Panel> {
    let (at, parts) = present(case)?;
    let lines = parts.shown?.into_iter().map(Cell::plain).collect();
    Some(Panel { title: format!("Dry run of {}b", at.step), shape: Shape::Lines { lines } })
}

fn told(world: &World, case: Option<&Case<Kops>>, sights: &Sights) -> Value {
    let keysets = sights.keysets.value().map(|keysets| {
        let pairs = |name: &str| -> Vec<Value> {
            let pair = |pair: &Keypair| json!({ "id": pair.id, "role": keysets.role(pair).word(), "issued": pair.issued, "expires": pair.expires, "distrusted": pair.distrusted, "has_private": pair.has_private });
            keysets.pairs(name).iter().map(pair).collect()
        };
        keysets.names().map(|name| (name.to_owned(), json!({ "rotatable": is_rotatable(name), "keypairs": pairs(name) }))).collect::<serde_json::Map<_, _>>()
    });
    let holders = people::told(world, case);
    let own = case.map(|case| {
        let track = |track: &crate::domain::kops::track::Track| json!({ "keyset": track.keyset, "old": track.old, "new": track.new });
        let parts = |(at, parts): (&At, &Parts)| {
            json!({ "step": at.step, "back": at.back, "updated": parts.updated, "groups": parts.covered.iter().flatten().map(|(name, _)| name).collect::<Vec<_>>(), "rolled": parts.rolled.keys().collect::<Vec<_>>(), "validated": parts.validated })
        };
        let waits: Vec<Value> = awaited(world, case).iter().map(|waits| json!({ "name": waits.person, "about": waits.about })).collect();
        let exported: BTreeMap<&str, &crate::engine::ports::kops::Exported> = case.own.exported.iter().map(|(round, exported)| (round.word(), exported)).collect();
        json!({ "tracks": case.own.tracks.iter().map(track).collect::<Vec<_>>(), "parts": case.own.parts.iter().map(parts).collect::<Vec<_>>(), "awaited": waits, "exported": exported, "met": case.own.met.as_ref().map(|(keysets, _)| keysets), "alarm": case.own.alarm.as_ref().map(|alarm| &alarm.text) })
    });
    json!({ "version": sights.version.value().map(ToString::to_string), "keysets": keysets, "groups": sights.groups.value(), "validates": sights.valid.fault.is_none() && sights.valid.seen.is_some(), "holders": holders, "case": own })
}
