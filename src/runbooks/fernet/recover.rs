//! What became of a case of which the end of the journal is lost, by what lies on the nodes: what was saved says what was before, what
//! lies beside the live repositories says what was prepared, and the live ones say how far it is in force. Nothing is changed.
//!
//! What a purge is to take away is not known to be needless by what was lost: its gate is judged anew.

use super::record::{FernetRecord, Held, Kind};
use super::spec::{BACK_UP, CHECK, DISTRIBUTE, INSTALL, PREPARE, PURGE, SPEC, VERIFY, WATCH};
use super::steps::{place, tag};
use super::{Fernet, Sights, World};
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::fernet::repository::{Folder, Keys, Repository};
use crate::domain::fernet::rotation::{Promotion, judge_prepared};
use crate::domain::step::StepNumber;
use crate::engine::case::core::Way;
use crate::engine::case::record::{End, Reached};
use crate::engine::case::runbook::{Case, Onward, Recovery};
use crate::engine::case::spec::Move;
use crate::engine::witness::CaseSeen;
use std::collections::{BTreeMap, BTreeSet};

/// What lies on one node: of each repository the live one, the prepared one beside it, and what was saved.
struct Lies {
    node: String,
    all: Vec<[Repository; 3]>,
}

impl Lies {
    fn live(&self, at: usize) -> Keys {
        self.all[at][0].digests()
    }

    fn is(&self, place: usize) -> impl Iterator<Item = &Repository> {
        self.all.iter().map(move |three| &three[place])
    }

    /// Whether anything of a case lies beside the live repositories.
    fn has_leftovers(&self) -> bool {
        self.is(NEXT).chain(self.is(SAVED)).any(|one| !matches!(one.folder, Folder::Missing))
    }
}

const NEXT: usize = 1;
const SAVED: usize = 2;

/// Looks at every node; says how far the case is.
pub(super) async fn recover(
    world: &World,
    case: &Case<Fernet>,
    seen: &CaseSeen,
) -> Result<Recovery<FernetRecord>, Fault> {
    let again = |node: &str| {
        format!(
            "nothing was recorded; recover again when every node can be looked at; or put the journal back as it was last; or, \
             where {node} is gone for good, take it out of nodes in the configuration, then recover: what lies on it (plain keys) stays"
        )
    };
    let mut sights = Sights::default();
    sights.look(world).await;
    if let Some((node, fault)) = sights.faults().next() {
        return Err(fault.clone().hint(again(node)));
    }
    let held = if case.own.held.is_empty() { sights.held(&world.rotator) } else { case.own.held.clone() };
    let tag = tag(case);
    let lies = world.every(async |node| {
        let mut all = Vec::new();
        for held in &held {
            all.push(node.files.list_all(&place(held, node)?, &tag).await?);
        }
        Ok(all)
    });
    let lies = lies.await;
    let silent = lies.failed.first().map(|(node, _)| node.clone()).unwrap_or_default();
    let lies = lies.all().map_err(|fault| fault.hint(again(&silent)))?;
    let lies: Vec<Lies> = lies.into_iter().map(|(node, all)| Lies { node, all }).collect();
    let is_same_case = seen.rotation.0 == case.core.id.0;
    let found = Found::of(world, case, held, lies)?;
    Ok(found.judged(case, Some(seen).filter(|_| is_same_case)))
}

/// What was found.
struct Found {
    lies: Vec<Lies>,
    /// What was before; what lies there now where that is not known.
    held: Vec<Held>,
    /// It is known what was before.
    is_known: bool,
    prepared: BTreeMap<Kind, Promotion>,
    /// The prepared one lies beside the live one of the rotator, from where it is distributed.
    is_ready: bool,
}

impl Found {
    fn of(world: &World, case: &Case<Fernet>, mut held: Vec<Held>, lies: Vec<Lies>) -> Result<Self, Fault> {
        let (mut is_known, mut prepared) = (!case.own.held.is_empty(), BTreeMap::new());
        for (at, held) in held.iter_mut().enumerate() {
            let of =
                |place: usize| lies.iter().map(move |lies| &lies.all[at][place]).filter(|one| !one.keys.is_empty());
            if let Some(first) = of(SAVED).next() {
                // A case saves what all nodes hold alike.
                if let Some(other) = of(SAVED).find(|one| one.digests() != first.digests()) {
                    let text = format!("{} and {} have saved different keys", first.node, other.node);
                    return Err(Fault::new(Service::Node, FaultKind::Conflict, text)
                        .hint("nothing was recorded; put the journal back as it was last, or compare them by hand"));
                }
                (held.keys, is_known) = (first.digests(), true);
            }
            let before = of(SAVED).chain(of(0)).find(|one| one.digests() == held.keys);
            let judged = before.and_then(|before| {
                let beside = of(NEXT).chain(of(0));
                beside.into_iter().find_map(|one| judge_prepared(before, one, held.max_active_keys).ok())
            });
            let known = case.own.prepared.get(&held.kind).filter(|_| !case.own.held.is_empty()).cloned();
            if let Some(promotion) = judged.or(known) {
                prepared.insert(held.kind, promotion);
            }
        }
        let rotator = lies.iter().find(|lies| lies.node == world.rotator);
        let is_ready = rotator.is_some_and(|lies| is_placed(lies, &held, &prepared));
        Ok(Self { lies, held, is_known, prepared, is_ready })
    }

    fn nodes(&self, holds: impl Fn(&Lies) -> bool) -> BTreeSet<String> {
        self.lies.iter().filter(|lies| holds(lies)).map(|lies| lies.node.clone()).collect()
    }

    /// Whether every live repository of every node holds this.
    fn all_hold(&self, keys: impl Fn(&Held) -> Option<Keys>) -> bool {
        let holds = |lies: &Lies| self.held.iter().enumerate().all(|(at, held)| keys(held) == Some(lies.live(at)));
        self.lies.iter().all(holds)
    }

    /// Whether a node holds what is to remain behind a purge.
    fn is_purged(&self, lies: &Lies) -> bool {
        let kept = |held: &Held| self.prepared.get(&held.kind).map(|promotion| promotion.keys.clone());
        self.held.iter().enumerate().all(|(at, held)| kept(held) == Some(lies.live(at)))
    }

    fn judged(self, case: &Case<Fernet>, seen: Option<&CaseSeen>) -> Recovery<FernetRecord> {
        let core = &case.core;
        let run = seen.and_then(|seen| seen.run.as_ref());
        let seen_touching = |step| core.touched.contains(&step) || run.is_some_and(|run| run.touching.contains(&step));
        let is_touched = seen_touching(INSTALL) || seen_touching(PURGE);
        let looked = format!("{} nodes looked at", self.lies.len());
        let told = |what: &str| format!("{looked}: {what}");
        if !self.lies.iter().any(Lies::has_leftovers) {
            let end = match run.filter(|_| seen.is_some_and(|seen| seen.ended)) {
                Some(run) => run.to,
                None if self.all_hold(|held| self.prepared.get(&held.kind).map(|found| found.keys.clone())) => {
                    End::Done
                }
                None if !self.is_known || !self.all_hold(|held| Some(held.keys.clone())) => End::Lost,
                None if is_touched => End::TakenBack,
                None => End::Cancelled,
            };
            // On the way forward what ended otherwise has not done all of them; going back or out there is nothing else to be done.
            let all = core.leg.road.iter().copied().map(Move::step);
            let done = if end == End::Done || core.way != Way::Forward { all.collect() } else { Vec::new() };
            let found = Reached { done, evidence: told("nothing of the case is left on them"), ..Reached::default() };
            return Recovery { found, own: Vec::new(), then: Onward::Over(end) };
        }
        if core.way != Way::Forward {
            // What is taken away or put back already is met, and left as it is.
            let touched = core.touched.clone();
            let evidence = told("what the case has left there is to be taken away still");
            let found = Reached { touched, evidence, ..Reached::default() };
            return Recovery { found, own: Vec::new(), then: Onward::On };
        }
        let is_changed = !self.all_hold(|held| Some(held.keys.clone()));
        let is_back = run.is_some_and(|run| run.to == End::TakenBack);
        let own = vec![FernetRecord::Found {
            held: self.held.clone(),
            prepared: self.prepared.clone(),
            saved: self.nodes(|lies| lies.is(SAVED).all(|one| !one.keys.is_empty())),
            placed: self.nodes(|lies| is_placed(lies, &self.held, &self.prepared)),
            purged: self.nodes(|lies| self.is_purged(lies) && !lies.has_leftovers()),
        }];
        if !is_touched && !is_changed {
            let evidence = told("nothing of the case is in force, and what it has left there is to be taken away");
            let done = [CHECK].into_iter().filter(|step| core.state(*step).is_done()).collect();
            let found = Reached { done, evidence, ..Reached::default() };
            return Recovery { found, own, then: Onward::Out };
        }
        let is_prepared = self.prepared.len() == self.held.len();
        let reached = |done: &[StepNumber], interrupted, touched: &[StepNumber], what: &str| Reached {
            done: done.to_vec(),
            interrupted,
            touched: touched.to_vec(),
            next: None,
            evidence: told(what),
        };
        // Who remembers the case knows it. Where nobody does only a node of which all is gone tells it: one that lacks a key, and keeps what
        // the case has saved, may have lost it by somebody else's hand.
        let is_gone = |lies: &Lies| self.is_purged(lies) && !lies.has_leftovers();
        let is_purging = seen_touching(PURGE) || run.is_none() && self.lies.iter().any(is_gone);
        if is_prepared && is_purging && !is_back {
            let done: Vec<StepNumber> =
                SPEC.steps.iter().map(|step| step.number).filter(|step| *step != PURGE).collect();
            let what = "a purge had begun; it waits for its gate, which is judged anew";
            return Recovery { found: reached(&done, None, &[INSTALL, PURGE], what), own, then: Onward::On };
        }
        let done = [CHECK, BACK_UP, PREPARE, DISTRIBUTE];
        debug_assert!(done.iter().chain(&[INSTALL, VERIFY, WATCH]).all(|step| *step < PURGE));
        let wanted = |held: &Held| Some(self.prepared.get(&held.kind)?.with_the_purged(&held.keys));
        let is_everywhere = self.lies.iter().all(|lies| is_placed(lies, &self.held, &self.prepared));
        if is_prepared && !is_back && (is_everywhere || self.is_ready || self.all_hold(wanted)) {
            let is_whole = is_everywhere || self.all_hold(wanted);
            let (done, at) = if is_whole { (&done[..], Some(INSTALL)) } else { (&done[..3], Some(DISTRIBUTE)) };
            let what = "the new keys are in force, or may be, on some of them";
            return Recovery { found: reached(done, at, &[INSTALL], what), own, then: Onward::On };
        }
        let what = if is_back { "it was going back" } else { "what was prepared is not there to go on with" };
        Recovery { found: reached(&done, None, &[INSTALL], what), own, then: Onward::Back }
    }
}

/// Whether the prepared keys lie beside the live ones of a node.
fn is_placed(lies: &Lies, held: &[Held], prepared: &BTreeMap<Kind, Promotion>) -> bool {
    let mut each = held.iter().zip(lies.is(NEXT));
    each.all(|(held, next)| prepared.get(&held.kind).is_some_and(|promotion| promotion.keys == next.digests()))
}
