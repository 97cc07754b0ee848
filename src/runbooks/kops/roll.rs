//! What each change of keys is followed by, on the way forward and on the way back: the update, whose dry run is shown before; a roll of
//! every instance that holds a changed keyset, group by group with a record each; and a cluster that is well.

use super::facts::{alarm_name, set_aside};
use super::record::{AlarmKind, At, KopsRecord};
use super::spec::DISTRUST;
use super::state::{AGAIN, Parts};
use super::{Kops, World};
use crate::domain::fault::{Fault, FaultKind, Lead, Service};
use crate::domain::kops::group::{Coverage, Group, Purpose, coverage, must_roll};
use crate::engine::case::core::Way;
use crate::engine::case::runbook::{Case, StepContext};
use crate::engine::ports::kops::Roll;
use crate::engine::step::Progress;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

pub(super) type Context<'a> = StepContext<'a, Kops>;

/// How often it is asked whether the lease is still ours while a command runs.
const FENCED: Duration = Duration::from_secs(5);

fn case(context: &Context<'_>) -> Arc<Case<Kops>> {
    context.ledger.case()
}

fn parts(context: &Context<'_>, at: At) -> Parts {
    case(context).own.at(at)
}

/// Waits for a command, and gives it up when the lease is lost: it ends with us.
async fn fenced<T>(context: &Context<'_>, command: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    context.ledger.fence().await?;
    let mut command = pin!(command);
    loop {
        let rest = pin!(context.world.clock.sleep(FENCED));
        match select(command.as_mut(), rest).await {
            Either::Left((ended, _)) => return ended,
            Either::Right(_) => context.ledger.fence().await?,
        }
    }
}

/// Updates, rolls and validates; what is journaled as done is not done again. Gives the evidence.
pub(super) async fn follow(context: &Context<'_>, at: At) -> Result<String, Fault> {
    update(context, at).await?;
    let world = context.world;
    if parts(context, at).validated.is_none() {
        // An older kOps reaches the API with this, and no other credential is of the right authority at every moment.
        fenced(context, world.cluster.sign_in()).await?;
        cover(context, at).await?;
        let groups = parts(context, at).covered.unwrap_or_default();
        for (group, instances) in &groups {
            if !parts(context, at).rolled.contains_key(group) {
                context.ledger.pause().await?;
                roll(context, at, group, *instances).await?;
            }
        }
        let said = validated(context).await?;
        context.ledger.record(KopsRecord::Validated { at, said }).await?;
    }
    let parts = parts(context, at);
    let rolled: Vec<&str> = parts.covered.iter().flatten().map(|(group, _)| group.as_str()).collect();
    let said = parts.validated.unwrap_or_default();
    Ok(match rolled.as_slice() {
        [] => format!("updated; no instance was to be rolled; {said}"),
        rolled => format!("updated; rolled: {}; {said}", rolled.join(", ")),
    })
}

async fn update(context: &Context<'_>, at: At) -> Result<(), Fault> {
    if parts(context, at).updated {
        return Ok(());
    }
    let cluster = &context.world.cluster;
    let lines = fenced(context, cluster.dry_update()).await?;
    let last = lines.last().cloned().unwrap_or_default();
    context.ledger.record(KopsRecord::Shown { at, lines }).await?;
    progress(context, at, &format!("the update was shown: {last}"));
    fenced(context, cluster.update()).await?;
    context.ledger.record(KopsRecord::Updated { at }).await
}

/// The groups of which an instance holds a changed keyset, in the order in which they roll.
fn concerned(world: &World, keysets: &[&str], groups: Vec<Group>) -> Vec<Group> {
    let mut found: Vec<Group> =
        groups.into_iter().filter(|group| must_roll(world.purpose(&group.name), keysets.iter().copied())).collect();
    found.sort_by_key(|group| world.purpose(&group.name) != Purpose::ControlPlane);
    found
}

/// Makes sure that the roll goes over every instance that must roll, and records which groups that are.
async fn cover(context: &Context<'_>, at: At) -> Result<(), Fault> {
    if parts(context, at).covered.is_some() {
        return Ok(());
    }
    let (world, now) = (context.world, case(context));
    let keysets = now.own.keysets();
    let look = async || -> Result<Vec<Group>, Fault> {
        let groups = match is_set_aside(&now, at, AlarmKind::Api) {
            true => world.cluster.groups(true).await,
            false => world.cluster.groups(false).await,
        };
        match groups {
            Ok(groups) => Ok(concerned(world, &keysets, groups)),
            Err(fault) => Err(alarmed(context, at, fault).await),
        }
    };
    let mut groups = look().await?;
    let mut waited = Duration::ZERO;
    // What was updated is seen by polling: at first nothing may seem to need an update.
    while !is_whole(&now, at, &groups) && waited < world.rules.notice {
        progress(context, at, "the update is not seen by every instance group yet");
        world.clock.sleep(world.rules.poll).await;
        context.ledger.fence().await?;
        waited += world.rules.poll;
        groups = look().await?;
    }
    if !is_whole(&now, at, &groups) && !is_set_aside(&now, at, AlarmKind::Left) {
        let text = match coverage(&groups) {
            // What it says then may be true: whether they have rolled is not known.
            Coverage::Nothing(all) if now.own.unknown.contains(&at) => format!(
                "whether its instances have rolled stood in the part of the journal that is lost, and kops says that 0 of {all} need an \
                 update: it says the same where the update is not seen"
            ),
            Coverage::Nothing(all) => {
                format!("the update is not seen: 0 of {all} instances need one, though each holds a changed keyset")
            }
            Coverage::All(_) => "no instance is listed of those that hold a changed keyset".to_owned(),
            Coverage::Fewer(left) => format!("the roll would leave instances out: {}", left.join(", ")),
        };
        return Err(alarm(context, at, AlarmKind::Left, text).await);
    }
    let named = |group: &Group| (group.name.clone(), group.instances());
    let goes = |group: &&Group| !at.back || is_forced(&now, at) || group.need_update > 0 || was_begun(&now, at, group);
    let groups = groups.iter().filter(goes).map(named).collect();
    context.ledger.record(KopsRecord::Covered { at, groups }).await
}

/// Whether a roll now leaves no instance with what it must not keep.
fn is_whole(now: &Case<Kops>, at: At, groups: &[Group]) -> bool {
    if is_forced(now, at) {
        return true;
    }
    if at.back {
        // What was never rolled forward needs no way back; what was must be seen to need one.
        let again = now.own.met.as_ref().map(|_| now.own.at(AGAIN)).unwrap_or_default();
        let gone = |group: &&Group| {
            forward(now, at).rolled.contains_key(&group.name) || at != AGAIN && again.rolled.contains_key(&group.name)
        };
        return groups.iter().filter(gone).all(Group::is_covered);
    }
    groups.iter().any(|group| group.instances() > 0) && matches!(coverage(groups), Coverage::All(_))
}

fn forward(now: &Case<Kops>, at: At) -> Parts {
    now.own.at(At { back: false, ..at })
}

/// It had begun to roll on the way forward: nobody knows how many of its instances have.
fn was_begun(now: &Case<Kops>, at: At, group: &Group) -> bool {
    let forward = forward(now, at);
    forward.began.contains_key(&group.name) || now.own.unknown.contains(&At { back: false, ..at })
}

/// Whether every instance is rolled, whatever is said of it: back into trust always, else where an operator says so.
fn is_forced(now: &Case<Kops>, at: At) -> bool {
    (at.back && at.step == DISTRUST) || is_set_aside(now, at, AlarmKind::Left)
}

fn is_set_aside(now: &Case<Kops>, at: At, kind: AlarmKind) -> bool {
    now.core.set_aside.contains_key(alarm_name(at, kind))
}

/// The fault of a roll that does not go on by itself; it is journaled.
async fn alarm(context: &Context<'_>, at: At, kind: AlarmKind, text: String) -> Fault {
    let is_known = case(context).own.alarm.as_ref().is_some_and(|known| known.at == at && known.text == text);
    if !is_known && let Err(fault) = context.ledger.record(KopsRecord::Alarm { at, kind, text: text.clone() }).await {
        return fault;
    }
    let name = alarm_name(at, kind);
    let leads: &[Lead] = match case(context).core.way {
        Way::Forward => &[Lead::SetAside, Lead::Resume, Lead::RollBack],
        _ => &[Lead::SetAside, Lead::Resume],
    };
    let shown = match kind {
        AlarmKind::Left => FaultKind::Refused,
        AlarmKind::Api => FaultKind::Unauthorized,
    };
    Fault::new(Service::Kops, shown, text)
        .hint(format!("{name}: where it is set aside {}", set_aside(kind)))
        .leads(leads)
}

/// The same where the API does not let us in; any other fault as it is.
async fn alarmed(context: &Context<'_>, at: At, fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Unauthorized => alarm(context, at, AlarmKind::Api, fault.message).await,
        _ => fault,
    }
}

async fn roll(context: &Context<'_>, at: At, group: &str, instances: u32) -> Result<(), Fault> {
    let (world, now) = (context.world, case(context));
    let cloud_only = is_set_aside(&now, at, AlarmKind::Api);
    let need = async || -> Result<u32, Fault> {
        let groups = match world.cluster.groups(cloud_only).await {
            Ok(groups) => groups,
            Err(fault) => return Err(alarmed(context, at, fault).await),
        };
        let found = groups.iter().find(|found| found.name == group);
        let gone = || Fault::new(Service::Kops, FaultKind::Conflict, format!("{group} is listed no more"));
        found.map(|found| found.need_update).ok_or_else(|| gone().leads(&[Lead::Resume]))
    };
    let begun = now.own.at(at).began.contains_key(group);
    let forced = is_forced(&now, at) || at.back && was_begun_half(&now, at, group);
    if begun && !forced && need().await? == 0 {
        // Whoever rolled it had not recorded it.
        return context.ledger.record(KopsRecord::Rolled { at, group: group.to_owned() }).await;
    }
    if !begun {
        context.ledger.record(KopsRecord::Rolling { at, group: group.to_owned() }).await?;
    }
    let how = Roll { force: forced, cloud_only };
    let hears = |line: &str| {
        world.hears(Some((group, line)));
        progress(context, at, &format!("{group}: {line}"));
    };
    progress(context, at, &format!("{group}: {instances} instances are to be rolled"));
    let rolled = fenced(context, world.cluster.roll(group, how, &hears)).await;
    world.hears(None);
    if let Err(fault) = rolled {
        return Err(alarmed(context, at, fault).await);
    }
    let left = need().await?;
    if left > 0 {
        let text = format!("{group}: {left} of {instances} instances need an update still, though the roll has ended");
        return Err(Fault::new(Service::Kops, FaultKind::Refused, text)
            .hint("see why they do not come up as they should")
            .leads(&[Lead::Resume]));
    }
    context.ledger.record(KopsRecord::Rolled { at, group: group.to_owned() }).await
}

/// Some of its instances may have rolled forward, and nobody knows which.
fn was_begun_half(now: &Case<Kops>, at: At, group: &str) -> bool {
    let forward = forward(now, at);
    let half = forward.began.contains_key(group) && !forward.rolled.contains_key(group);
    half || now.own.unknown.contains(&At { back: false, ..at })
}

/// Waits until the cluster is well.
async fn validated(context: &Context<'_>) -> Result<String, Fault> {
    let world = context.world;
    let mut waited = Duration::ZERO;
    loop {
        match fenced(context, world.cluster.validate()).await {
            Ok(said) => return Ok(said),
            Err(fault) if waited >= world.rules.patience || fault.service != Service::Kops => {
                return Err(fault);
            }
            Err(_) => {}
        }
        world.clock.sleep(world.rules.poll).await;
        waited += world.rules.poll;
    }
}

/// Tells how far the step is: by the instances that have rolled.
fn progress(context: &Context<'_>, at: At, text: &str) {
    let parts = parts(context, at);
    let sum =
        |groups: &mut dyn Iterator<Item = &(String, u32)>| groups.map(|(_, count)| u64::from(*count)).sum::<u64>();
    let total = sum(&mut parts.covered.iter().flatten());
    let done = total - sum(&mut parts.left());
    context.ledger.progress(Progress { step: at.step, done, total, text: text.to_owned() });
}
