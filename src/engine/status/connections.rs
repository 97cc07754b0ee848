//! Which key is where, and whom that cuts off, where it is not the runbook's own course: one sentence for every place that tells it.
//!
//! What a step met when it failed is that moment's. What is so now follows from the last looks, and from what a step has read back
//! since them.

use super::KeysView;
use super::keys::places;
use crate::domain::fault::FaultKind;
use crate::domain::key::PublicKey;
use crate::domain::step::{StepNumber, StepState};
use crate::engine::observe::Sights;
use crate::engine::rotation::Rotation;
use crate::engine::truth::Truth;
use serde::Serialize;
use std::fmt;

/// What the keys of the three places mean for clients, since the live secret was touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// The few words that lead where there is little room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<&'static str>,
    /// Which key is where, who is cut off, and what comes next: fragments, the worst first.
    pub text: String,
    /// What a step had done does not hold any more.
    pub undone: bool,
    /// The object was not there at the last look.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub object_gone: bool,
}

impl Connections {
    /// The server has a key that no client has, or that none can have got.
    pub fn all_cut_off(&self) -> bool {
        self.lead == Some(ALL)
    }
}

impl fmt::Display for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lead {
            Some(lead) => write!(f, "{lead}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

const ALL: &str = "ALL CUT OFF";
pub(super) const NO_DOWNLOAD: &str = "NO DOWNLOAD";

/// What stands against the course, for one place.
struct Against {
    text: String,
    lead: Option<&'static str>,
    undone: bool,
}

impl Against {
    fn told(text: String, undone: bool) -> Option<Self> {
        Some(Self { text, lead: None, undone })
    }
}

/// The places and the leg that they are compared with.
struct Compared<'a> {
    rotation: &'a Rotation,
    keys: &'a KeysView,
    sights: &'a Sights,
    target: PublicKey,
    secret: Option<PublicKey>,
    object: Option<PublicKey>,
    shown: Option<PublicKey>,
}

/// The sentence, where there is one. `truth`: what is said before it of a missing secret tells of the server as well.
pub(super) fn of(rotation: &Rotation, keys: &KeysView, sights: &Sights, truth: Option<&Truth>) -> Option<Connections> {
    let target = rotation.target().filter(|_| rotation.touched)?;
    let [secret, object, shown] = places(Some(rotation), keys);
    let compared = Compared { rotation, keys, sights, target, secret, object, shown };
    let all: Vec<Against> =
        [compared.of_server().filter(|_| truth.is_none()), compared.of_secret(), compared.of_object()]
            .into_iter()
            .flatten()
            .collect();
    let lead = all.iter().find_map(|against| against.lead);
    let undone = all.iter().any(|against| against.undone);
    let texts: Vec<String> = all.into_iter().map(|against| against.text).collect();
    let object_gone = sights.object.fault.as_ref().is_some_and(|(_, fault)| fault.kind == FaultKind::NotFound);
    (!texts.is_empty()).then(|| Connections { lead, text: texts.join("; "), undone, object_gone })
}

impl Compared<'_> {
    /// Nobody has it: neither what clients were given so far, nor what they are to get.
    fn is_strange(&self, key: PublicKey) -> bool {
        key != self.target && !self.rotation.may_have(key)
    }

    fn is_done(&self, step: StepNumber) -> bool {
        self.rotation.step(step).is_done()
    }

    /// Begun and left, in whatever way.
    fn is_left(&self, step: StepNumber) -> bool {
        matches!(self.rotation.step(step), StepState::Failed { .. } | StepState::Interrupted { .. })
    }

    /// Whoever is at work there knows better than a look.
    fn is_running(&self, step: StepNumber) -> bool {
        matches!(self.rotation.step(step), StepState::Running { .. })
    }

    fn of_server(&self) -> Option<Against> {
        let shown = self.shown?;
        let undone = self.is_done(StepNumber::RECONCILE) && shown != self.target;
        if self.is_strange(shown) {
            let and = if self.secret == Some(shown) { ", and so does the secret" } else { "" };
            let text = format!(
                "the interface shows {}{and}, a key that no client has: every client is cut off, though tunnels of before may \
                 look active for minutes",
                shown.short()
            );
            return Some(Against { text, lead: Some(ALL), undone });
        }
        if undone {
            let (shown, target) = (shown.short(), self.target.short());
            let text = format!("the interface shows another key, {shown}: whoever has imported {target} is cut off");
            return Against::told(text, undone);
        }
        None
    }

    fn of_secret(&self) -> Option<Against> {
        const SECRET: StepNumber = StepNumber::SECRET;
        let (is_done, is_left) = (self.is_done(SECRET), self.is_left(SECRET));
        if !(is_done || is_left) || self.keys.secret.fault.is_some() {
            return None;
        }
        // A look of before the step had ended says nothing against it.
        let ended = match self.rotation.step(SECRET) {
            StepState::Done { at, .. } => Some(*at),
            _ => None,
        };
        let seen = self.keys.secret.at?;
        if ended.is_some_and(|at| seen <= at) {
            return None;
        }
        match self.keys.secret_count {
            // That is said before everything else.
            Some(0) => return None,
            Some(count @ 2..) => {
                let each = self.keys.each_of_name(PublicKey::short).join(", ");
                let text = format!("{count} secrets have the tenant's name, and the server may take either: {each}");
                return Against::told(text, is_done);
            }
            _ => {}
        }
        let whose = if is_done { "the secret was changed by somebody else" } else { "the secret is somebody else's" };
        let Some(secret) = self.secret else {
            return Against::told(format!("{whose}: it holds no key"), is_done);
        };
        let held = secret.short();
        if secret == self.target || !is_done && self.rotation.is_known(secret) {
            return None;
        }
        let text = match (self.is_strange(secret), self.shown) {
            (true, Some(shown)) if shown == secret => format!("{whose}: it holds {held}"),
            (true, _) => format!(
                "{whose}: it holds {held}, a key that no client has; at its next look the server takes it: every client is cut off \
                 then"
            ),
            (false, Some(shown)) if shown == self.target => format!(
                "{whose}: it holds {held} again; at its next look the server takes it, and whoever has imported {} is cut off then",
                self.target.short()
            ),
            (false, _) => format!("{whose}: it holds {held} again"),
        };
        Against::told(text, is_done)
    }

    fn of_object(&self) -> Option<Against> {
        const OBJECT: StepNumber = StepNumber::OBJECT;
        let is_live = self.shown == Some(self.target);
        let is_due = self.is_done(OBJECT) || self.is_left(OBJECT) || is_live;
        // What the server has taken was stored, whether the step lived to say so or not.
        let is_stored = self.is_done(StepNumber::SECRET) || is_live && self.is_left(StepNumber::SECRET);
        if !is_stored || self.is_running(OBJECT) || !is_due {
            return None;
        }
        let done = match self.rotation.step(OBJECT) {
            StepState::Done { at, .. } => Some(*at),
            _ => None,
        };
        let has = match is_live {
            true => format!("the server has the {} key, and ", self.rotation.target_role().word()),
            false => String::new(),
        };
        if let Some((at, fault)) = &self.sights.object.fault {
            let is_gone = fault.kind == FaultKind::NotFound && done.is_none_or(|done| *at > done);
            let more = if done.is_some() { " any more" } else { "" };
            // Whether the copy is there still, nobody has looked.
            let given = self.rotation.forward.as_ref().unwrap_or(&self.rotation.steps);
            let copy = match given[OBJECT.index()].is_done() && self.rotation.copy_word.not_kept.is_none() {
                true => format!(
                    " (its content of before was kept beside it: the name ends in {})",
                    self.rotation.object_copy()
                ),
                false => String::new(),
            };
            let (cut, lead) = self.of_waiting(done.is_some());
            let text =
                format!("{has}the object is not there{more}, so nobody can download their configuration{cut}{copy}");
            if is_gone || done.is_some() {
                return is_gone.then_some(Against { text, lead: lead.or(Some(NO_DOWNLOAD)), undone: done.is_some() });
            }
            // A failed look says nothing against what was seen before it: nobody has written it since.
        }
        if self.object == Some(self.target) {
            return None;
        }
        // Nobody has looked, or only before the step had ended.
        let seen = self.keys.object.at.filter(|seen| done.is_none_or(|done| *seen > done));
        seen?;
        let whose = if done.is_some() { "the object was changed by somebody else: it" } else { "the object" };
        let text = match (self.object, done) {
            (None, _) => format!("{has}{whose} names no key, so nobody can download a configuration"),
            (Some(key), Some(_)) => format!(
                "{has}{whose} says {}, so who downloads now gets that one, and not {}",
                key.short(),
                self.target.short()
            ),
            (Some(key), None) => format!("{has}clients still get {}, and not {}", key.short(), self.target.short()),
        };
        let (cut, lead) = self.of_waiting(done.is_some());
        let lead = lead.or_else(|| self.object.is_none().then_some(NO_DOWNLOAD));
        Some(Against { text: text + &cut, lead, undone: done.is_some() })
    }

    /// Who is cut off for as long as the object does not say the target: everybody, where it never did. `given`: it did on this leg.
    fn of_waiting(&self, given: bool) -> (String, Option<&'static str>) {
        if self.shown != Some(self.target) {
            return (String::new(), None);
        }
        match given || self.rotation.had_before(self.target) {
            true => (format!("; whoever has not {} stays cut off", self.target.short()), None),
            false => (": every client is cut off until they can".into(), Some(ALL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, Service};
    use crate::domain::key::KeyRole;
    use crate::domain::preflight::{KeyAgreement, Preflight};
    use crate::domain::tenant::{Tenant, TenantId};
    use crate::domain::window::Window;
    use crate::engine::record::{Actor, Cause, Record, RotationId};
    use crate::engine::rotation::{KeptKey, Rollback};
    use crate::engine::status::KeySight;
    use jiff::Timestamp;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn key(byte: u8) -> PublicKey {
        crate::engine::secret::PrivateKey::from_random([byte; 32]).public()
    }

    const LOOKED: i64 = 20;

    /// The leg, how far it has come, and how step 4 or 5 was left.
    fn rotations() -> Vec<(String, Rotation)> {
        let tenant = Tenant { id: TenantId::new("t1").unwrap(), name: "acme".into(), server: None, gateway: None };
        let window = Window::parse("2026-11-24 22:00", "1h", "UTC", 1).unwrap();
        let (cause, reference) = (Cause::Scheduled, String::new());
        let plan = Record::Planned { rotation: RotationId("r1".into()), tenant, window, cause, reference, left: None };
        let (by, host, person) = ("ops".to_owned(), "here".to_owned(), "ops".to_owned());
        let actor = Actor { by, host, person, ssh: None, unproven: None, environment: None };
        let mut begun = Rotation::begin(&actor.entry(1, at(0), plan)).unwrap();
        let previous = Some(key(1));
        let keys = KeyAgreement { secret: previous, object: previous, interface: previous, console: None };
        begun.preflight = Some(Preflight { at: at(1), checks: Vec::new(), keys });
        for (role, byte) in [(KeyRole::Previous, 1), (KeyRole::Staged, 2), (KeyRole::Fresh, 3)] {
            begun.keys.insert(role, KeptKey::new(key(byte), "k".into(), None));
        }
        begun.touched = true;
        let done = || StepState::Done { at: at(10), evidence: String::new() };
        let failed = || StepState::Failed { at: at(10), fault: Fault::new(Service::Swift, FaultKind::Forbidden, "no") };
        let interrupted = || StepState::Interrupted { since: at(9) };
        let mut all = Vec::new();
        for role in [KeyRole::Staged, KeyRole::Previous, KeyRole::Fresh] {
            for (how_far, left) in [(3, true), (3, false), (4, true), (4, false), (5, true), (6, true)] {
                let mut rotation = begun.clone();
                if role != KeyRole::Staged {
                    let forward: Vec<StepState> =
                        (0..8).map(|step| if step < 6 { done() } else { StepState::Waiting }).collect();
                    rotation.forward = forward.try_into().ok();
                    rotation.rollback = Some(Rollback { reason: "why".into(), role, at: at(5) });
                }
                rotation.steps[..how_far].fill_with(done);
                if how_far < 5 {
                    rotation.steps[how_far] = if left { failed() } else { interrupted() };
                }
                all.push((format!("{role:?}, {how_far} done, {left}"), rotation));
            }
        }
        all
    }

    /// Every place shows every kind of key: what is said of clients is what follows from the places alone, and nothing is said of the
    /// runbook's own course.
    #[test]
    fn whatever_the_places_show_who_is_cut_off_and_who_can_download_is_said() {
        let stranger = key(9);
        let shown = [None, Some(key(1)), Some(key(2)), Some(key(3)), Some(stranger)];
        let mut told = 0;
        for (name, rotation) in rotations() {
            let target = rotation.target().unwrap();
            let [four, five] = [StepNumber::SECRET, StepNumber::OBJECT].map(|step| rotation.step(step).is_done());
            for ((secret, object), interface) in
                shown.iter().flat_map(|s| shown.iter().map(move |o| (*s, *o))).flat_map(|so| shown.map(|i| (so, i)))
            {
                for is_gone in [false, true] {
                    let sight = |key: Option<PublicKey>| KeySight { key, at: Some(at(LOOKED)), fault: None };
                    let view = KeysView {
                        secret: sight(secret),
                        secret_count: Some(1),
                        object: sight(object),
                        interface: KeySight { key: interface, at: interface.map(|_| at(LOOKED)), fault: None },
                        ..KeysView::default()
                    };
                    let mut sights = Sights::default();
                    let fault = Fault::new(Service::Swift, FaultKind::NotFound, "no object");
                    sights.object.fault = is_gone.then_some((at(LOOKED), fault));
                    let said = of(&rotation, &view, &sights, None);
                    let text = said.as_ref().map(ToString::to_string).unwrap_or_default();
                    let case = format!("{name}: {secret:?} {object:?} {interface:?} gone {is_gone}: {text}");
                    let has = |words: &str| text.contains(words);
                    // The server alone decides who is cut off now.
                    let nobodys = |key: PublicKey| key != target && !rotation.may_have(key);
                    assert_eq!(has("every client is cut off, though"), interface.is_some_and(nobodys), "{case}");
                    let is_asked = (four || interface == Some(target))
                        && (five
                            || interface == Some(target)
                            || matches!(
                                rotation.step(StepNumber::OBJECT),
                                StepState::Failed { .. } | StepState::Interrupted { .. }
                            ));
                    let is_withheld = is_asked && interface == Some(target) && (is_gone || object != Some(target));
                    let never = is_withheld && !five && target != key(1);
                    assert_eq!(has("every client is cut off until"), never, "{case}");
                    assert_eq!(has("stays cut off"), is_withheld && !never, "{case}");
                    assert_eq!(text.starts_with(ALL), never || interface.is_some_and(nobodys), "{case}");
                    // The secret decides who is cut off next.
                    let strange = secret
                        .filter(|key| nobodys(*key) && Some(*key) != interface && (four || !rotation.is_known(*key)));
                    assert_eq!(has("every client is cut off then"), strange.is_some(), "{case}");
                    let lags =
                        four && secret.is_some_and(|key| key != target && !nobodys(key)) && interface == Some(target);
                    assert_eq!(has("and whoever has imported"), lags, "{case}");
                    // The object decides who can come back.
                    assert_eq!(has("nobody can download"), is_asked && (is_gone || object.is_none()), "{case}");
                    let gets = object.filter(|key| is_asked && !is_gone && *key != target);
                    assert_eq!(has("who downloads now gets") || has("clients still get"), gets.is_some(), "{case}");
                    // Where all is as it is to be, nothing is said.
                    let all_right =
                        secret == Some(target) && object == Some(target) && interface == Some(target) && !is_gone;
                    assert!(!all_right || said.is_none(), "{case}");
                    let undone = said.as_ref().is_some_and(|said| said.undone);
                    let holds = (!four || secret == Some(target)) && (!five || object == Some(target) && !is_gone);
                    let holds = holds
                        && (!rotation.step(StepNumber::RECONCILE).is_done()
                            || interface.is_none_or(|key| key == target));
                    assert_eq!(undone, !holds, "{case}");
                    told += usize::from(said.is_some());
                }
            }
        }
        assert!(told > 3_000, "{told}");
    }

    #[test]
    fn a_look_of_before_a_step_had_ended_says_nothing_against_it() {
        let rotation =
            rotations().into_iter().map(|(_, rotation)| rotation).find(|r| r.step(StepNumber::OBJECT).is_done());
        let sight = |byte: u8| KeySight { key: Some(key(byte)), at: Some(at(9)), fault: None };
        let view = KeysView {
            secret: sight(1),
            secret_count: Some(1),
            object: sight(1),
            interface: sight(1),
            ..KeysView::default()
        };
        assert_eq!(of(&rotation.unwrap(), &view, &Sights::default(), None), None);
    }
}
