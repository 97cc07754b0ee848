//! What secret, object and interface show of the key, and what follows from that beside the journal.

use super::Reconcile;
use crate::domain::cadence::{self, Due};
use crate::domain::fault::Fault;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::observation::Observation;
use crate::domain::preflight::{DUPLICATES, KEYS};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::observe::Sights;
use crate::engine::ports::Settings;
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::Serialize;

/// What the looks have seen since the last check that it would fail by: another secret of the name, or places that differ. What
/// an operator has set aside, and what the check itself has found, is told already.
pub(super) fn seen_since_check(rotation: &Rotation, keys: &KeysView) -> Option<String> {
    let checked = rotation.preflight.as_ref().filter(|_| !rotation.touched)?;
    let is_later = |sight: &KeySight| sight.fault.is_none() && sight.at.is_some_and(|at| at > checked.at);
    let counts = |check: &str| !rotation.set_aside.contains_key(check);
    if let Some(alike) = keys.alike.as_ref().filter(|_| is_later(&keys.secret) && counts(DUPLICATES)) {
        return Some(alike.clone());
    }
    let another = keys.duplicates.iter().any(|key| Some(key) != keys.duplicates.first());
    if is_later(&keys.secret) && another && counts(DUPLICATES) {
        let count = keys.duplicates.len();
        return Some(format!("{count} secrets have the tenant's name, and the server may take either"));
    }
    let places = [("secret", &keys.secret), ("object", &keys.object), ("interface", &keys.interface)];
    let shown: Vec<String> =
        places.iter().filter_map(|(place, sight)| Some(format!("{place} {}", sight.key?.short()))).collect();
    let differ = places.iter().any(|(_, sight)| sight.key != keys.secret.key);
    let all_known = shown.len() == places.len() && places.iter().all(|(_, sight)| sight.fault.is_none());
    let news = places.iter().any(|(_, sight)| is_later(sight));
    (all_known && differ && news && counts(KEYS)).then(|| format!("the keys differ: {}", shown.join(", ")))
}

/// A step that failed, and of which a later look has seen that what it was for is so: a late request has landed, or the server's
/// loop has come round after all.
pub(super) fn arrived(rotation: &Rotation, keys: &KeysView) -> Option<(StepNumber, &'static str)> {
    let target = rotation.target()?;
    let is_there = |sight: &KeySight, step: StepNumber| match rotation.step(step) {
        StepState::Failed { at, .. } => {
            sight.at.is_some_and(|seen| seen > *at) && sight.fault.is_none() && sight.key == Some(target)
        }
        _ => false,
    };
    let places = [
        (&keys.secret, StepNumber::SECRET, "Barbican holds the key"),
        (&keys.object, StepNumber::OBJECT, "the object names the key"),
        (&keys.interface, StepNumber::RECONCILE, "the interface shows the key"),
    ];
    places.into_iter().find(|(sight, step, _)| is_there(sight, *step)).map(|(_, step, seen)| (step, seen))
}

fn sight<T>(seen: &Observation<T>, key: impl Fn(&T) -> Option<PublicKey>) -> KeySight {
    KeySight {
        key: seen.value().and_then(key),
        at: seen.seen.as_ref().map(|(at, _)| *at),
        fault: seen.fault.as_ref().map(|(_, fault): &(Timestamp, Fault)| fault.to_string()),
    }
}

/// A key as one place shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KeySight {
    /// The key.
    pub key: Option<PublicKey>,
    /// When it was seen, UTC.
    pub at: Option<Timestamp>,
    /// Why the last look failed.
    pub fault: Option<String>,
}

/// All the keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KeysView {
    /// Derived from the Barbican secret.
    pub secret: KeySight,
    /// How many secrets have the name.
    pub secret_count: Option<usize>,
    /// What each of them holds, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<Option<PublicKey>>,
    /// What else Barbican's own search finds by the name: the server takes the first that it gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alike: Option<String>,
    /// In the Swift object.
    pub object: KeySight,
    /// On the interface.
    pub interface: KeySight,
    /// In the script of the console API; `None` where none is configured.
    pub console: Option<KeySight>,
    /// The staged key.
    pub staged: Option<PublicKey>,
    /// The previous key.
    pub previous: Option<PublicKey>,
    /// The previous key where its copy was not found when it was looked for last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_missed: Option<PublicKey>,
    /// The keys that stood under its name then: somebody else's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_instead: Vec<PublicKey>,
    /// Those of which no copy is kept any more.
    #[serde(skip)]
    pub destroyed: Vec<KeyRole>,
    /// Step 8 was interrupted: it destroys them, and has not recorded how far it came.
    #[serde(skip)]
    pub ending: bool,
    /// When the secret was stored, UTC.
    pub created: Option<Timestamp>,
    /// When it is due, UTC.
    pub due: Option<Timestamp>,
    /// How that stands.
    pub due_state: Option<Due>,
}

impl KeysView {
    /// What each of several secrets of the name holds, as `show` writes a key.
    pub fn each_of_name(&self, show: impl Fn(&PublicKey) -> String) -> Vec<String> {
        let each = |key: &Option<PublicKey>| match key {
            Some(key) if Some(*key) == self.interface.key => format!("{} (on the interface)", show(key)),
            Some(key) => show(key),
            None => "no key".to_owned(),
        };
        self.duplicates.iter().map(each).collect()
    }

    /// What stands under the secret's name in Barbican, each key as `show` writes it.
    pub fn secret_words(&self, show: impl Fn(&PublicKey) -> String) -> Option<String> {
        match (self.duplicates.len(), self.secret.key, self.secret_count) {
            (0, None, Some(0)) => Some("no secret has the name".into()),
            (0, None, Some(_)) => Some("no key in it".into()),
            (0, key, _) => key.as_ref().map(show),
            (count, ..) => Some(format!("{count} SECRETS of the name: {}", self.each_of_name(show).join(", "))),
        }
    }
}

impl KeysView {
    /// Behind a key of this role: that no copy of it is kept any more.
    pub fn kept_no_more(&self, role: KeyRole) -> &'static str {
        match self.destroyed.contains(&role) {
            true => " (kept no more)",
            false if self.ending => " (kept, if step 8, which destroys it, had not come to it)",
            false => "",
        }
    }
}

/// What each place shows, and what is kept.
pub(super) fn keys_view(rotation: Option<&Rotation>, sights: &Sights, settings: &Settings, now: Timestamp) -> KeysView {
    let kept = |role| rotation.and_then(|r| r.keys.get(&role)).filter(|key| !key.gone).map(|key| key.public_key);
    let missed = rotation.and_then(|rotation| rotation.keys.get(&KeyRole::Previous)).filter(|key| key.gone);
    let created = sights.secret.value().and_then(|secret| {
        // Of several, the one that the server has taken; a key is as old as its oldest copy.
        let oldest = |wanted: PublicKey| {
            let copies = secret.stored().filter(|(_, key)| *key == Some(wanted));
            copies.filter_map(|(created, _)| created).min()
        };
        let live = sights.server.value().and_then(|reading| oldest(reading.public_key));
        live.or_else(|| oldest(secret.only_key_of_all()?)).or(secret.created)
    });
    let due = created.and_then(|created| cadence::due_date(created, settings.cadence_months));
    let interface = sights.server.value().map(|reading| reading.public_key);
    KeysView {
        secret: sight(&sights.secret, |secret| secret.only_key()),
        secret_count: sights.secret.value().map(|secret| secret.count),
        duplicates: sights.secret.value().filter(|s| s.count > 1).map(|s| s.keys.clone()).unwrap_or_default(),
        alike: sights.secret.value().and_then(|secret| secret.alike_told(interface)),
        object: sight(&sights.object, |object| object.public_key),
        interface: sight(&sights.server, |reading| Some(reading.public_key)),
        console: sights.served.is_known().then(|| sight(&sights.served, |key| Some(*key))),
        previous_missed: missed.map(|key| key.public_key),
        previous_instead: missed.map(|key| key.instead.clone()).unwrap_or_default(),
        destroyed: rotation.map(Rotation::kept_no_more).unwrap_or_default(),
        ending: rotation.is_some_and(|r| matches!(r.step(StepNumber::VERIFY), StepState::Interrupted { .. })),
        staged: kept(KeyRole::Staged),
        previous: kept(KeyRole::Previous),
        created,
        due,
        due_state: due.map(|due| cadence::judge_due(due, now)),
    }
}

/// The key of secret, object and interface. A look counts where it is the later word: what a step has read back since, or the
/// rotation has left in the end, is as good as a look, and looks of before and after it say nothing together. Where nobody has looked, nothing is known.
pub(super) fn places(rotation: Option<&Rotation>, keys: &KeysView) -> [Option<PublicKey>; 3] {
    let word = |step: StepNumber| {
        let rotation = rotation?;
        match rotation.step(step) {
            _ if rotation.outcome.is_some() => rotation.must_be_live().map(|left| (left.key, left.since)),
            StepState::Done { at, .. } if rotation.touched => Some((rotation.target()?, *at)),
            _ => None,
        }
    };
    let place = |sight: &KeySight, step| match word(step).filter(|(_, at)| sight.at.is_some_and(|seen| seen <= *at)) {
        Some((key, _)) => Some(key).filter(|_| sight.fault.is_none()),
        None => sight.key,
    };
    [
        place(&keys.secret, StepNumber::SECRET),
        place(&keys.object, StepNumber::OBJECT),
        place(&keys.interface, StepNumber::RECONCILE),
    ]
}

/// The console serves another key than the object names, by looks behind the last change of it: whoever imports now is cut off.
pub(super) fn served_otherwise(rotation: Option<&Rotation>, keys: &KeysView) -> Option<String> {
    let served = keys.console.as_ref().filter(|console| console.fault.is_none())?;
    let (key, at) = (served.key?, served.at?);
    let object = places(rotation, keys)[1].filter(|_| keys.object.fault.is_none())?;
    let changed = rotation.and_then(|rotation| match rotation.step(StepNumber::OBJECT) {
        _ if rotation.outcome.is_some() => rotation.must_be_live().map(|left| left.since),
        StepState::Waiting => None,
        StepState::Done { at, .. } => Some(*at),
        // Which of the two is of before is not known while it is changed.
        _ => Some(Timestamp::MAX),
    });
    (key != object && keys.object.at <= Some(at) && changed.is_none_or(|changed| changed < at)).then(|| {
        format!(
            "the console API serves {} to whoever imports now, and the object names {}: have it served anew before anybody is \
             told to import",
            key.short(),
            object.short()
        )
    })
}

/// How far the places agree, and until when they must.
pub(super) fn judge_reconcile(
    rotation: Option<&Rotation>,
    keys: &KeysView,
    settings: &Settings,
    now: Timestamp,
) -> (Reconcile, Option<Timestamp>) {
    let touched = rotation.filter(|rotation| rotation.outcome.is_none() && rotation.touched);
    let target = touched.and_then(Rotation::target);
    let seen = places(rotation, keys);
    let Some(rotation) = touched else {
        return match seen {
            [Some(secret), Some(object), Some(interface)] if secret == object && object == interface => {
                (Reconcile::InSync, None)
            }
            [Some(_), Some(_), Some(_)] => (Reconcile::Differs, None),
            [None, Some(object), Some(interface)] if object != interface => (Reconcile::Differs, None),
            _ => (Reconcile::Unknown, None),
        };
    };
    if target.is_some() && seen.iter().all(|key| *key == target) {
        return (Reconcile::InSync, None);
    }
    let done = |step: StepNumber| rotation.step(step).is_done();
    match rotation.step(StepNumber::SECRET) {
        // It was seen to have taken the key: one of the places can't be read now, or holds another.
        StepState::Done { .. } if done(StepNumber::RECONCILE) => match seen.iter().all(Option::is_some) {
            true => (Reconcile::Differs, None),
            false => (Reconcile::Unknown, None),
        },
        StepState::Done { at, .. } => {
            let cycles = 2 * settings.reconcile_interval.as_secs() as i64;
            let deadline = Timestamp::from_second(at.as_second() + cycles).unwrap_or(*at);
            // What the server has taken, only its interface tells.
            let shown = keys.interface.key.filter(|_| keys.interface.at.is_some_and(|seen| seen > *at));
            let word = match shown {
                Some(key) if Some(key) == target => match seen[1] == target {
                    true => Reconcile::Waiting,
                    false => Reconcile::Differs,
                },
                // One that nobody had: it has taken what somebody else has stored.
                Some(key) if !rotation.may_have(key) => Reconcile::Differs,
                Some(_) if keys.interface.at.is_some_and(|seen| seen > deadline) => Reconcile::Late,
                _ if now > deadline => Reconcile::Unknown,
                _ => Reconcile::Waiting,
            };
            (word, Some(deadline))
        }
        _ => (Reconcile::Waiting, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_that_serves_another_key_than_the_object_names_is_told() {
        let (one, other) = (PublicKey::from_bytes([1; 32]), PublicKey::from_bytes([2; 32]));
        let at = |second| Timestamp::from_second(second).ok();
        let seen = |key, second| KeySight { key: Some(key), at: at(second), fault: None };
        let keys = |console| KeysView { object: seen(one, 10), console: Some(console), ..KeysView::default() };
        let told = served_otherwise(None, &keys(seen(other, 11))).unwrap();
        assert!(told.contains(&one.short()) && told.contains(&other.short()), "{told}");
        let unread = KeySight { fault: Some("503".into()), ..seen(other, 11) };
        for not_told in [seen(one, 11), seen(other, 9), unread, KeySight::default()] {
            assert_eq!(served_otherwise(None, &keys(not_told)), None);
        }
    }
}
