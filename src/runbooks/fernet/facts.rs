//! What shuts the gates: before a rotation everything on every node must be right and the same, before a purge the keys' time must
//! have come.

use super::beside::is_of;
use super::record::Kind;
use super::spec::{INSTALL, PURGE, PURGING, ROTATE};
use super::steps::tag;
use super::{Fernet, Sights, World};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::fernet::agreement::{compare, differences, names};
use crate::domain::fernet::cadence::sort;
use crate::domain::fernet::finding::{Weight, findings};
use crate::domain::fernet::not_before::{self, By, NotBefore, Standing};
use crate::domain::fernet::repository::{Keys, Repository};
use crate::domain::fernet::settings::divergences;
use crate::domain::step::StepState;
use crate::engine::case::gate::{Fact, FactKind};
use crate::engine::case::runbook::Case;
use crate::engine::ports::nodes::{Beside, LEAST_FREE_KIB};
use jiff::Timestamp;

/// Room that two copies of a repository may take, and somewhat more for others, KiB.
const ROOM_KIB: u64 = 4 * LEAST_FREE_KIB;

/// Everything that shuts the gate before a stretch.
pub(super) fn before(
    world: &World,
    stretch: &str,
    case: Option<&Case<Fernet>>,
    sights: &Sights,
    now: Timestamp,
) -> Vec<Fact> {
    match stretch {
        // Half of it is in force: what differs then is its own work, which it goes on with or takes back.
        ROTATE if case.is_some_and(|case| case.core.is_touched()) => {
            left_out(world, case).into_iter().chain(reachable(world, sights)).chain(answering(world, sights)).collect()
        }
        ROTATE => rotate(world, case, sights, now),
        PURGING => purge(world, case, sights, now),
        _ => Vec::new(),
    }
}

fn seen(name: &'static str, text: String, who: Vec<String>, remedy: impl Into<String>) -> Fact {
    Fact { name, text, who, remedy: remedy.into(), until: None, kind: FactKind::Seen }
}

/// Nodes that were not looked at, or could not be.
fn reachable(world: &World, sights: &Sights) -> Vec<Fact> {
    let unseen =
        |node: &&super::Node| sights.node(&node.name).is_none() && sights.faults().all(|(of, _)| of != node.name);
    let never: Vec<String> = world.nodes.iter().filter(unseen).map(|node| node.name.clone()).collect();
    let mut facts = Vec::new();
    if !never.is_empty() {
        let text = format!("nobody has looked at {}", never.join(", "));
        facts.push(Fact { kind: FactKind::Unknown, ..seen("nodes", text, never, "check") });
    }
    for (name, fault) in sights.faults() {
        let kind = FactKind::Unknown;
        facts.push(Fact { kind, ..seen("nodes", fault.message.clone(), vec![name.to_owned()], fault.advice()) });
    }
    facts
}

/// Nodes whose Keystone does not answer: no token can be shown there.
fn answering(world: &World, sights: &Sights) -> Vec<Fact> {
    let is_ours = |(name, _): &(&str, &Fault)| world.node(name).is_some();
    let of = |(name, fault): (&str, &Fault)| {
        let is_known = !matches!(fault.kind, FaultKind::TimedOut | FaultKind::Reset);
        let kind = if is_known { FactKind::Seen } else { FactKind::Unknown };
        Fact { kind, ..seen("api", format!("{name}: {}", fault.message), vec![name.to_owned()], fault.remedy()) }
    };
    sights.api_faults().filter(is_ours).map(of).collect()
}

/// The nodes that have taken part in the case and are configured no more: what lies on them, nobody here takes away.
pub(super) fn gone(world: &World, case: &Case<Fernet>) -> Vec<String> {
    let own = &case.own;
    let took_part = own.saved.iter().chain(&own.placed).chain(&own.installed);
    let mut gone: Vec<String> = took_part.filter(|name| world.node(name).is_none()).cloned().collect();
    gone.sort();
    gone.dedup();
    gone
}

/// What is to be said of them.
pub(super) fn left_behind(world: &World, case: &Case<Fernet>) -> Option<String> {
    let gone = gone(world, case);
    let paths: Vec<&str> = case
        .own
        .held
        .iter()
        .flat_map(|held| gone.iter().filter_map(|name| held.paths.get(name)))
        .map(String::as_str)
        .collect();
    let tag = case.core.id.0.to_ascii_lowercase();
    (!gone.is_empty()).then(|| {
        format!(
            "{} took part in this case and {} configured no more: what was saved and placed there (plain keys) stays, {}",
            names(&gone),
            if gone.len() == 1 { "is" } else { "are" },
            paths.iter().map(|path| format!("{path}.next and {path}.changeguard-{tag}")).collect::<Vec<_>>().join(", ")
        )
    })
}

fn left_out(world: &World, case: Option<&Case<Fernet>>) -> Option<Fact> {
    let text = left_behind(world, case?)?;
    let who = gone(world, case?);
    let remedy = "put it into the configuration again; or, where it is gone for good, go on without it";
    Some(Fact { kind: FactKind::MayBeSetAside, ..seen("left-out", text, who, remedy) })
}

/// Prepared keys beside the live ones that are of no case which is open here: they would be taken for this one's.
fn beside(world: &World, case: Option<&Case<Fernet>>, sights: &Sights) -> Vec<Fact> {
    let open = case.map(tag);
    let others =
        sights.beside().filter(|(node, one)| one.is_next && world.node(node).is_some() && !is_of(one, open.as_deref()));
    let of = |(node, one): (&str, &Beside)| {
        let path = &one.path;
        let text = format!("{node}: {path} holds keys of no case that is open here");
        let remedy = format!("see whose it is; where nobody needs it, rm -r {path} on {node}");
        seen("beside", text, vec![node.to_owned()], remedy)
    };
    others.map(of).collect()
}

fn rotate(world: &World, case: Option<&Case<Fernet>>, sights: &Sights, now: Timestamp) -> Vec<Fact> {
    let mut facts = reachable(world, sights);
    facts.extend(beside(world, case, sights));
    facts.extend(answering(world, sights));
    facts.extend(of_settings(world, sights));
    facts.extend(of_nodes(world, sights));
    for kind in sights.kinds(&world.rotator) {
        facts.extend(of_repositories(world, sights, kind));
        if world.rules.not_before_shuts_rotate {
            facts.extend(not_before(world, sights, kind, &Leaving::by_rotation(world, sights, kind), now));
        }
    }
    facts
}

fn of_settings(world: &World, sights: &Sights) -> Vec<Fact> {
    let settings = sights.settings();
    // Where each keeps its keys is its own affair.
    let mut facts: Vec<Fact> = divergences(&settings)
        .iter()
        .filter(|found| !found.option.ends_with("key_repository"))
        .map(|found| seen("settings", found.message(), Vec::new(), "make the nodes' configuration alike"))
        .collect();
    let strictest = sights.strictest();
    for objection in strictest.iter().flat_map(|settings| settings.objections()) {
        facts.push(seen("settings", objection.message, Vec::new(), objection.advice));
    }
    if strictest.is_some_and(|settings| settings.provider != "fernet") {
        facts.push(seen(
            "settings",
            "its tokens are no Fernet tokens".into(),
            Vec::new(),
            "there is nothing to rotate",
        ));
    }
    let jobs = sights.nodes.values().filter_map(|seen| seen.value()).flat_map(|sight| sight.look.jobs.clone());
    if let Some(text) = sort(jobs.collect(), &world.rotator).objection() {
        facts.push(seen("rotators", text, Vec::new(), "one node rotates: take the other jobs away"));
    }
    facts
}

fn of_clocks(world: &World, sights: &Sights) -> Vec<Fact> {
    let mut facts = Vec::new();
    for name in world.names() {
        let Some(sight) = sights.node(&name) else { continue };
        if sight.ahead_s.unsigned_abs() > world.rules.skew {
            let side = if sight.ahead_s > 0 { "ahead of" } else { "behind" };
            let text = format!("{name}'s clock is {} s {side} this host's", sight.ahead_s.unsigned_abs());
            facts.push(seen("clocks", text, vec![name.clone()], "set it right, or raise skew in the configuration"));
        }
    }
    facts
}

fn of_nodes(world: &World, sights: &Sights) -> Vec<Fact> {
    let mut facts = of_clocks(world, sights);
    for name in world.names() {
        let Some(sight) = sights.node(&name) else { continue };
        if sight.look.free_kib.is_some_and(|free| free < ROOM_KIB) {
            let text = format!("{name} has {} KiB left beside its keys", sight.look.free_kib.unwrap_or_default());
            facts.push(seen("room", text, vec![name.clone()], "make room there"));
        }
        if name == world.rotator && sight.look.keystone_manage.is_none() {
            let text = format!("{name} is to rotate, and keystone-manage is not found there");
            facts.push(seen("rotator", text, vec![name.clone()], "name another rotator, or put it into its PATH"));
        }
    }
    facts
}

fn of_repositories(world: &World, sights: &Sights, kind: Kind) -> Vec<Fact> {
    let all = sights.repositories(&world.names(), kind);
    let mut facts = Vec::new();
    for found in all.iter().flat_map(|one| findings(one, Some(&world.reader))) {
        if found.weight() == Weight::Shut {
            facts.push(seen("repository", found.message(), vec![found.node.clone()], found.advice()));
        }
    }
    let agreement = compare(&all);
    if !agreement.is_same() {
        let who =
            agreement.differences.iter().flat_map(|one| one.held.iter().skip(1)).flat_map(|(_, nodes)| nodes.clone());
        let mut who: Vec<String> = who.collect();
        who.sort();
        who.dedup();
        let text = format!("{} of {}: {}", kind.word(), names(&who), agreement.message());
        facts.push(seen("digests", text, who, agreement.advice()));
    }
    facts
}

/// Keys that are to go, and by what: gate, panel, status and timer judge them by this alone, so that none names another moment.
pub(super) struct Leaving {
    /// Which.
    pub keys: Vec<u32>,
    /// What takes them.
    pub by: By,
    /// Since when they are known to lie there, by the journal, seconds since 1970 UTC.
    since: Option<i64>,
}

impl Leaving {
    /// Those that one rotation more would purge.
    pub fn by_rotation(world: &World, sights: &Sights, kind: Kind) -> Self {
        let held = sights.held(&world.rotator);
        let held = held.iter().find(|held| held.kind == kind);
        let keys = held
            .map(|held| not_before::purged_by_rotation(held.keys.keys().copied(), held.max_active_keys))
            .unwrap_or_default();
        Self { keys, by: By::Rotation, since: None }
    }

    /// Those that wait for the purge of a case.
    pub fn by_purge(case: &Case<Fernet>, kind: Kind) -> Self {
        let since = match case.core.state(INSTALL) {
            StepState::Done { at, .. } => Some(at.as_second()),
            _ => None,
        };
        Self { keys: case.own.to_purge(kind).to_vec(), by: By::Purge, since }
    }

    /// The rotator, or where that has none of them any more a node that has.
    fn judged_at(&self, world: &World, sights: &Sights, kind: Kind) -> String {
        let has = |name: &String| {
            let seen = sights.repository(name, kind);
            seen.is_some_and(|seen| self.keys.iter().all(|index| seen.keys.contains_key(index)))
        };
        let others = world.names().into_iter();
        std::iter::once(world.rotator.clone()).chain(others).find(has).unwrap_or_else(|| world.rotator.clone())
    }

    /// Until when their tokens may be asked for, by the repository and the clock of a node that has them.
    pub fn judged(&self, world: &World, sights: &Sights, kind: Kind, now: Timestamp) -> Option<NotBefore> {
        let node = self.judged_at(world, sights, kind);
        let (seen, settings) = (sights.repository(&node, kind)?, sights.strictest()?);
        let ahead = sights.node(&node)?.ahead_s;
        let lifetimes = settings.lifetimes(world.rules.distribution, world.rules.skew);
        Some(not_before::judge(
            &not_before::times(seen),
            &self.keys,
            &lifetimes,
            now.as_second() + ahead,
            self.since.map(|at| at + ahead),
        ))
    }

    /// The sentence of it.
    pub fn sentence(&self, world: &World, sights: &Sights, kind: Kind, now: Timestamp) -> Option<String> {
        let (judged, settings) = (self.judged(world, sights, kind, now)?, sights.strictest()?);
        let lifetimes = settings.lifetimes(world.rules.distribution, world.rules.skew);
        let held = sights.held(&world.rotator);
        let most = held.iter().find(|held| held.kind == kind)?.max_active_keys;
        Some(judged.sentence(self.by, now.as_second(), most, &lifetimes))
    }
}

/// The fact that keys may not go yet, with the moment from which on they may.
fn not_before(world: &World, sights: &Sights, kind: Kind, leaving: &Leaving, now: Timestamp) -> Option<Fact> {
    let judged = leaving.judged(world, sights, kind, now)?;
    let standing = judged.standing(now.as_second());
    if matches!(standing, Standing::Nothing | Standing::Open) {
        return None;
    }
    let until = judged.at.and_then(|at| Timestamp::from_second(at).ok());
    // A rotation before its time may be taken back. Tokens that have lost their key are refused, and no word helps them.
    let kind_of = if leaving.by == By::Purge { FactKind::Seen } else { FactKind::MayBeSetAside };
    let text = leaving.sentence(world, sights, kind, now)?;
    Some(Fact { until, kind: kind_of, ..seen("not-before", text, Vec::new(), "") })
}

/// The nodes that hold others than these keys, with what differs there, and who refuses what by it.
fn others(world: &World, sights: &Sights, kind: Kind, wanted: &Keys) -> Option<Fact> {
    let all = sights.repositories(&world.names(), kind);
    let differ = |one: &Repository| {
        let differ = differences(&one.digests(), wanted);
        (!differ.is_empty()).then(|| (one.node.clone(), format!("{} {}", one.node, differ.join(", "))))
    };
    let (who, each): (Vec<String>, Vec<String>) = all.iter().filter_map(differ).unzip();
    let agreement = compare(&all);
    let means = if agreement.is_same() { "all hold the same".to_owned() } else { agreement.message() };
    let text = format!("{}: not what was installed: {}; {means}", kind.word(), each.join("; "));
    let remedy = "find out who has changed them; roll back puts the saved ones back";
    (!who.is_empty()).then(|| seen("digests", text, who, remedy))
}

fn purge(world: &World, case: Option<&Case<Fernet>>, sights: &Sights, now: Timestamp) -> Vec<Fact> {
    let mut facts = reachable(world, sights);
    facts.extend(left_out(world, case));
    let Some(case) = case else { return facts };
    let begun = !case.own.purged.is_empty() || case.core.touched.contains(&PURGE);
    if !begun {
        // There is no way back behind it: not while a node can't say what it accepts, or somebody else rotates.
        facts.extend(answering(world, sights));
        facts.extend(of_settings(world, sights));
        facts.extend(of_clocks(world, sights));
    }
    // What was judged in a part of the journal that is lost is judged again.
    let is_judged = begun && case.core.recovered.is_none();
    for held in &case.own.held {
        let Some(wanted) = case.own.wanted(held.kind) else { continue };
        if !begun {
            facts.extend(others(world, sights, held.kind, &wanted));
        }
        let leaving = Leaving::by_purge(case, held.kind);
        let is_gone = |name: &String| {
            let seen = sights.repository(name, held.kind);
            seen.is_some_and(|seen| leaving.keys.iter().all(|index| !seen.keys.contains_key(index)))
        };
        if !is_judged && !world.names().iter().all(is_gone) {
            facts.extend(not_before(world, sights, held.kind, &leaving, now));
        }
    }
    facts
}
