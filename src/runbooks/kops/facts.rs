//! What shuts the gates: before anything is changed the cluster must be well and nothing of it half done; before new keypairs are
//! promoted, and before the previous ones are trusted no more, every instance must be rolled and every holder have followed.

use super::holders::{ADMIN_TAKEN, CERTIFICATES_TAKEN, FINAL_TAKEN, concerns_clients, names, open};
use super::record::{AlarmKind, At};
use super::spec::{DISTRUST, DISTRUSTING, FINISHING, PROMOTE, PROMOTING, ROTATING, SPEC, STAGE};
use super::state::Alarm;
use super::{Kops, Sights, World};
use crate::domain::kops::group::{Group, must_roll};
use crate::domain::kops::keyset::{GENERAL, Keysets, Role, is_etcd};
use crate::domain::kops::track::Standing;
use crate::domain::kops::version::Procedure;
use crate::engine::case::gate::{Fact, FactKind};
use crate::engine::case::runbook::Case;

/// Everything that shuts the gate before a stretch.
pub(super) fn before(world: &World, stretch: &str, case: Option<&Case<Kops>>, sights: &Sights) -> Vec<Fact> {
    let alarm = case.and_then(|case| case.own.alarm.as_ref());
    let is_of = |alarm: &&Alarm| SPEC.stretch_of(alarm.at.step).is_some_and(|found| found.verb == stretch);
    let mut facts: Vec<Fact> = alarm.filter(is_of).map(of_alarm).into_iter().collect();
    let touched = |step| case.is_some_and(|case| case.core.touched.contains(&step));
    match (stretch, case) {
        // Half of it is done: what differs then is its own work, which it goes on with or takes back.
        (ROTATING, _) if touched(STAGE) => {}
        (PROMOTING, _) if touched(PROMOTE) => {}
        (DISTRUSTING, _) if touched(DISTRUST) => {}
        (ROTATING, _) => facts.extend(rotate(world, sights)),
        (PROMOTING, Some(case)) => {
            facts.extend(follows(world, case, sights, Standing::Staged));
            if concerns_clients(world, case) {
                facts.extend(of_holders(world, case, CERTIFICATES_TAKEN, FactKind::Seen));
            }
        }
        (DISTRUSTING, Some(case)) => {
            facts.extend(follows(world, case, sights, Standing::Promoted));
            if concerns_clients(world, case) {
                facts.extend(of_holders(world, case, CERTIFICATES_TAKEN, FactKind::Seen));
            }
            if case.own.rotates_general() {
                facts.extend(of_holders(world, case, ADMIN_TAKEN, FactKind::Seen));
            }
        }
        (FINISHING, Some(case)) => {
            facts.extend(follows(world, case, sights, Standing::Distrusted));
            if concerns_clients(world, case) {
                // Who trusts one authority too many is locked out of nothing.
                facts.extend(of_holders(world, case, FINAL_TAKEN, FactKind::MayBeSetAside));
            }
        }
        _ => {}
    }
    facts
}

fn seen(name: &'static str, text: String, who: Vec<String>, remedy: impl Into<String>) -> Fact {
    Fact { name, text, who, remedy: remedy.into(), until: None, kind: FactKind::Seen }
}

fn unknown(fact: Fact) -> Fact {
    Fact { kind: FactKind::Unknown, ..fact }
}

/// The name under which an alarm is set aside: one a step and way, so that a word for one roll is none for the next.
pub(super) fn alarm_name(at: At, kind: AlarmKind) -> &'static str {
    let left = kind == AlarmKind::Left;
    match (at.step, at.back) {
        (STAGE, false) if left => "roll-1",
        (STAGE, true) if left => "roll-1-back",
        (PROMOTE, false) if left => "roll-3",
        (PROMOTE, true) if left => "roll-3-back",
        (_, false) if left => "roll-5",
        (_, true) if left => "roll-5-back",
        (STAGE, false) => "api-1",
        (STAGE, true) => "api-1-back",
        (PROMOTE, false) => "api-3",
        (PROMOTE, true) => "api-3-back",
        (_, false) => "api-5",
        (_, true) => "api-5-back",
    }
}

/// What setting an alarm aside comes to.
pub(super) fn set_aside(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::Left => "every such instance is rolled with --force",
        AlarmKind::Api => "the group is rolled with --cloudonly, without asking the API",
    }
}

/// What leads on from an alarm.
pub(super) fn alarm_remedy(alarm: &Alarm) -> String {
    let or = if alarm.at.back { "" } else { "; or go back" };
    format!("set it aside, and {}{or}", set_aside(alarm.kind))
}

fn of_alarm(alarm: &Alarm) -> Fact {
    let name = alarm_name(alarm.at, alarm.kind);
    let kind = FactKind::MayBeSetAside;
    Fact { kind, ..seen(name, alarm.text.clone(), Vec::new(), alarm_remedy(alarm)) }
}

/// What could not be looked at.
fn looked_at(sights: &Sights) -> Vec<Fact> {
    if !sights.keysets.is_known() {
        return vec![unknown(seen("cluster", "nobody has looked at it".into(), Vec::new(), ""))];
    }
    let fault = |(name, fault): (&'static str, &crate::domain::fault::Fault)| {
        unknown(seen(name, fault.message.clone(), Vec::new(), fault.remedy()))
    };
    sights.faults().map(fault).collect()
}

/// Whether the cluster is well.
fn valid(sights: &Sights) -> Option<Fact> {
    let (_, fault) = sights.valid.fault.as_ref()?;
    Some(seen("validate", fault.message.clone(), Vec::new(), fault.remedy()))
}

fn rotate(world: &World, sights: &Sights) -> Vec<Fact> {
    let mut facts = looked_at(sights);
    facts.extend(valid(sights));
    match sights.backup.as_ref().map(|backup| backup.fault.as_ref()) {
        Some(None) => {}
        Some(Some((_, fault))) => facts.push(seen("backup", fault.message.clone(), Vec::new(), fault.remedy())),
        None => facts.push(seen(
            "backup",
            "nobody says whether the state store has versions or a copy".into(),
            Vec::new(),
            "configure backup: a command that ends with 0 where it has",
        )),
    }
    let Some(keysets) = sights.keysets.value() else { return facts };
    let chosen = world.chosen(keysets);
    if chosen.is_empty() {
        facts.push(seen(
            "keysets",
            "there is no keyset to rotate".into(),
            Vec::new(),
            "see keysets in the configuration",
        ));
    }
    let procedure = sights.version.value().map(|version| (version, version.procedure(sights.control_plane(world))));
    match procedure {
        Some((version, Procedure::Legacy)) => {
            let text = format!(
                "kOps {version} has no keypairs to stage, only the disruptive procedure, which is not driven here"
            );
            facts.push(seen("version", text, Vec::new(), "raise kOps to 1.24.1 or later first"));
        }
        Some((version, Procedure::WithoutEtcd)) if chosen.iter().any(|name| is_etcd(name)) => {
            let who: Vec<String> = chosen.iter().filter(|name| is_etcd(name)).cloned().collect();
            let text = format!(
                "kOps {version} breaks etcd when its authorities are rotated on several control-plane instances"
            );
            let remedy = "raise kOps to 1.24.1 or later, or name these keysets in leave_out";
            facts.push(seen("etcd", text, who, remedy));
        }
        _ => {}
    }
    for name in &chosen {
        if keysets.primary(name).is_none() {
            facts.push(seen(
                "keysets",
                format!("{name} has no primary keypair"),
                vec![name.clone()],
                "promote one by hand",
            ));
        }
        for pair in keysets.of_role(name, Role::Staged) {
            let text = format!("{name}: {} is staged, and by no case that is known here", pair.id);
            let remedy = format!("look whose it is; where it is nobody's: kops distrust keypair {name} {}", pair.id);
            facts.push(seen("staged", text, vec![name.clone()], remedy));
        }
    }
    facts
}

/// Whether the case is where its last stretch has left it: the keysets as they were made, every instance rolled, the cluster well.
fn follows(world: &World, case: &Case<Kops>, sights: &Sights, wanted: Standing) -> Vec<Fact> {
    let mut facts = looked_at(sights);
    facts.extend(valid(sights));
    if let Some(keysets) = sights.keysets.value() {
        facts.extend(drift(world, case, keysets, wanted));
    }
    let keysets = case.own.keysets();
    let groups = sights.groups.value().into_iter().flatten();
    let is_left =
        |group: &&Group| group.need_update > 0 && must_roll(world.purpose(&group.name), keysets.iter().copied());
    for group in groups.filter(is_left) {
        let text = format!("{}: {} of {} instances need an update", group.name, group.need_update, group.instances());
        let remedy =
            "somebody has updated the cluster since, or instances came up with an old configuration: roll the group";
        facts.push(seen("rolled", text, vec![group.name.clone()], remedy));
    }
    facts
}

fn drift(world: &World, case: &Case<Kops>, keysets: &Keysets, wanted: Standing) -> Vec<Fact> {
    const TALK: &str = "somebody else has changed it: talk to them, then";
    let mut facts = Vec::new();
    for track in &case.own.tracks {
        let (text, remedy) = match track.standing(keysets) {
            Ok(standing) if standing == wanted => continue,
            Ok(standing) => {
                let mut text = format!("{}: {}", track.keyset, track.told(keysets));
                for locked_out in locked_out(world, case, &track.keyset, standing, wanted) {
                    text.push_str("; ");
                    text.push_str(&locked_out);
                }
                let put_back = track.put_to(standing, wanted).join(", ");
                let or = match standing {
                    _ if standing < wanted => "; or go back",
                    Standing::Distrusted if wanted == Standing::Promoted => {
                        "; or go back: then it is trusted again by its id and every group rolls, before anything else is taken back"
                    }
                    _ => "",
                };
                (text, format!("{TALK} {put_back}, kops update cluster --yes and a roll of every group{or}"))
            }
            Err(why) => (why, format!("{TALK} have it put back by its ids (kops promote, kops trust)")),
        };
        facts.push(seen("keysets", text, vec![track.keyset.clone()], remedy));
    }
    facts
}

/// Whom a keyset that is further than this case has made it locks out.
fn locked_out(world: &World, case: &Case<Kops>, keyset: &str, standing: Standing, wanted: Standing) -> Vec<String> {
    let mut found = Vec::new();
    if keyset != GENERAL {
        return found;
    }
    let left = |about| names(&open(world, case, about));
    let certificates = left(CERTIFICATES_TAKEN);
    if standing >= Standing::Promoted
        && wanted < Standing::Promoted
        && !world.rules.load_balancer
        && !certificates.is_empty()
    {
        found.push(format!("not known to trust the API now: {}", certificates.join(", ")));
    }
    let admin = left(ADMIN_TAKEN);
    if standing == Standing::Distrusted && !admin.is_empty() {
        found.push(format!("their admin credential is refused, or will be: {}", admin.join(", ")));
    }
    found
}

fn of_holders(world: &World, case: &Case<Kops>, about: &'static str, kind: FactKind) -> Option<Fact> {
    let open = open(world, case, about);
    let what = match about {
        CERTIFICATES_TAKEN => "the certificates of both authorities",
        ADMIN_TAKEN => "an admin credential of the new authority",
        _ => "the certificates without the previous authority's",
    };
    let left = names(&open);
    let text = format!("{} of {} holders are not known to have {what}", left.len(), asked(world, about));
    let remedy = match about {
        ADMIN_TAKEN => "hand it over outside of mail, and settle each once they use it",
        _ => "hand it over, or mail it, and settle each once they use it where they don't answer",
    };
    (!left.is_empty()).then(|| Fact { kind, ..seen("holders", text, left, remedy) })
}

fn asked(world: &World, about: &str) -> usize {
    world.holders.iter().filter(|holder| about != ADMIN_TAKEN || holder.holds == super::Holds::Admin).count()
}
