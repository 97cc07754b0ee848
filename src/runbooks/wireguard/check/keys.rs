//! What the secrets of the name, the object and the interface say of the key: whether they agree, and what leads on where they don't.

use super::findings::{fail, finding, pass};
use crate::domain::key::PublicKey;
use crate::domain::preflight::{Check as Finding, CheckState, DUPLICATES, KEYS, KeyAgreement};
use crate::domain::secret_shape::NEAREST_EXPIRATION;
use crate::engine::observe::Sights;
use crate::engine::ports::SecretRef;
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Whether there is one secret of the name, and it holds a key that stays.
pub(super) fn secret_check(sights: &Sights) -> Finding {
    let interface = sights.server.value().map(|reading| reading.public_key);
    match (sights.secret.value(), &sights.secret.fault) {
        (_, Some((_, fault))) => fail("secret", fault),
        (Some(secret), None) => match (secret.count, secret.only_key()) {
            (0, _) => finding(
                "secret",
                CheckState::Warn,
                "no secret has the tenant's name",
                "it will be stored without a delete; there is nothing to keep now: unless step 3 has kept the previous key before, a \
                 rollback would make a fresh one",
            ),
            (1, Some(_)) => match secret.expires {
                Some(at) => expiring(at),
                None => pass("secret", "one secret has the name, and it holds a key"),
            },
            (1, None) => finding(
                "secret",
                CheckState::Warn,
                "the secret does not hold a key",
                "it will be replaced; there is nothing to keep now: unless step 3 has kept the previous key before, a rollback would \
                 make a fresh one",
            ),
            (count, _) if interface.is_some() && secret.keys.contains(&interface) => {
                pass("secret", format!("{count} secrets have the name, and the interface's key is among them"))
            }
            (count, _) => finding(
                "secret",
                CheckState::Fail,
                format!("{count} secrets have the name and none holds the interface's key"),
                "delete the wrong ones by hand, so that it is known which key is the server's",
            ),
        },
        (None, None) => finding("secret", CheckState::Unknown, "not read", ""),
    }
}

/// Nothing is wrong with it now, and the time is known when something will be.
fn expiring(at: Timestamp) -> Finding {
    let text = format!("one secret has the name, and it holds a key until {}", at.strftime("%Y-%m-%d %H:%M UTC"));
    let days = NEAREST_EXPIRATION.as_hours() / 24;
    let advice = format!(
        "from then on Barbican serves it no more, and a server that starts finds no key. Step 4 stores the new key with the same          expiration where that is {days} days away or more, and without one where it is not"
    );
    finding("secret", CheckState::Warn, text, advice)
}

/// Several secrets of the name: each is named, and what rotate would do with it. They differ: only a person says that it may.
pub(super) fn duplicates_check(sights: &Sights) -> Option<Finding> {
    let interface = sights.server.value().map(|reading| reading.public_key);
    let secret = sights.secret.value().filter(|_| sights.secret.fault.is_none())?;
    if let Some(alike) = secret.alike_told(interface) {
        if secret.is_alike_live(interface) {
            let advice = "nothing was changed; whatever is put under the tenant's name, the server takes that one: have it renamed \
                          or deleted by whoever owns it, then check again";
            return Some(Finding { is_proved: true, ..finding(DUPLICATES, CheckState::Fail, alike, advice) });
        }
        let advice = "nothing was changed; have the other one renamed or deleted by whoever owns it; only where the server is known to look by the exact name, set \
                      the check `duplicates` aside with a reason";
        return Some(finding(DUPLICATES, CheckState::Fail, alike, advice));
    }
    if secret.count < 2 {
        return None;
    }
    let line = |(SecretRef(href), key): (&SecretRef, &Option<PublicKey>)| match key {
        Some(key) if Some(*key) == interface => format!("{href} holds {} (the interface's)", key.short()),
        Some(key) => format!("{href} holds {}", key.short()),
        None => format!("{href} holds no key"),
    };
    let each: Vec<String> = secret.hrefs.iter().zip(&secret.keys).map(line).collect();
    let text = format!("{} secrets have the name, and the server may take either: {}", secret.count, each.join(", "));
    let is_one_key = secret.only_key_of_all().is_some();
    Some(match is_one_key {
        true => finding(DUPLICATES, CheckState::Warn, text, "all hold one key: rotate replaces them by one"),
        false => {
            let advice = taken(sights).unwrap_or_else(|| {
                "find out whose the other is, and delete what nobody needs; or set the check `duplicates` aside with a \
                 reason: rotate keeps a copy of each that it removes, under a name of its own"
                    .into()
            });
            finding(DUPLICATES, CheckState::Fail, text, advice)
        }
    })
}

pub(super) fn agreement(sights: &Sights) -> KeyAgreement {
    KeyAgreement {
        secret: sights.secret.value().and_then(|secret| {
            let interface = sights.server.value().map(|reading| reading.public_key);
            secret.only_key().or_else(|| secret.keys.iter().flatten().copied().find(|key| Some(*key) == interface))
        }),
        object: sights.object.value().and_then(|object| object.public_key),
        interface: sights.server.value().map(|reading| reading.public_key),
        console: sights.served.value().copied(),
    }
}

/// Whether all that say which key is live say the same, and nobody else has it.
pub(super) fn keys_check(sights: &Sights, rotation: Option<&Rotation>, next: Option<PublicKey>) -> Finding {
    // The kernel removes a peer whose key is the interface's.
    if let Some((key, whose)) = next.and_then(|key| Some((key, sights.bearers(key)?))) {
        let text =
            format!("the staged key {} is the key of {whose} as well: the server would drop that peer", key.short());
        let advice =
            "nothing was changed; cancel and plan again (step 3 makes another pair), and find out how they have it";
        return finding(KEYS, CheckState::Fail, text, advice);
    }
    let found = places_check(sights, rotation);
    let own = agreement(sights).interface.and_then(|key| sights.bearers(key));
    match own.filter(|_| found.state == CheckState::Pass) {
        Some(whose) => {
            let text =
                format!("{}; it is given as the key of {whose}, too, who can't connect like this", found.finding);
            finding(KEYS, CheckState::Warn, text, "have their own public key put there: the server's was pasted")
        }
        None => found,
    }
}

/// Whether the places show one key.
fn places_check(sights: &Sights, rotation: Option<&Rotation>) -> Finding {
    let keys = agreement(sights);
    let show = |key: Option<PublicKey>| key.map_or_else(|| "none".to_owned(), |key| key.short());
    let read = [
        ("secret", keys.secret, sights.secret.fault.is_none() && sights.secret.seen.is_some()),
        ("object", keys.object, sights.object.fault.is_none() && sights.object.seen.is_some()),
        ("interface", keys.interface, sights.server.fault.is_none() && sights.server.seen.is_some()),
    ];
    let word = |key, is_read| if is_read { show(key) } else { "not read".to_owned() };
    let each: Vec<String> =
        read.iter().map(|(place, key, is_read)| format!("{place} {}", word(*key, *is_read))).collect();
    let mut text = each.join(", ");
    let seen: BTreeSet<Option<PublicKey>> = read.iter().filter(|place| place.2).map(|place| place.1).collect();
    if let Some(console) = keys.console {
        text.push_str(&format!(", console {}", console.short()));
    }
    let secret_gone = sights.secret.value().is_some_and(|secret| secret.only_key().is_none() && secret.count < 2);
    let rest_agrees = keys.object.is_some() && keys.object == keys.interface;
    let differ = sights.secret.value().is_some_and(|secret| secret.count > 1 && secret.only_key_of_all().is_none());
    if keys.agrees() && differ {
        text.push_str("; beside it another secret has the name");
        finding(KEYS, CheckState::Warn, text, "see the check `duplicates`")
    } else if keys.agrees() {
        pass(KEYS, format!("all places show {}", show(keys.secret)))
    } else if secret_gone && rest_agrees {
        finding(KEYS, CheckState::Warn, text, "object and interface agree; Barbican has no key to compare")
    } else if read.iter().any(|place| !place.2) && seen.len() < 2 {
        let advice =
            "nothing that was read contradicts: see to it that every place can be read (its own check says why not)";
        finding(KEYS, CheckState::Fail, text, advice)
    } else {
        let advice = taken(sights)
            .or_else(|| replaced(&keys, sights, rotation))
            .unwrap_or_else(|| "find out which is right before rotating: see the troubleshooting of step 2".to_owned());
        finding(KEYS, CheckState::Fail, text, advice)
    }
}

/// What ends it where somebody has stored another key in place of the one that clients have, and no secret holds that any more.
fn replaced(keys: &KeyAgreement, sights: &Sights, rotation: Option<&Rotation>) -> Option<String> {
    let (secret, known) = (keys.secret?, keys.object?);
    let is_only = sights.secret.value()?.only_key() == Some(secret);
    is_only.then_some(()).filter(|()| secret != known)?;
    let is_taken = sights.server.value()?.public_key == secret;
    if rotation.is_some_and(|rotation| rotation.copy_of(known).is_some()) {
        let when = if is_taken {
            "whoever has that is cut off"
        } else {
            "the server takes it at its next look, and they are cut off then"
        };
        let (secret, known) = (secret.short(), known.short());
        return Some(format!(
            "somebody has stored {secret} in place of {known}, which the object gives to clients; {when}. This rotation keeps {known}: \
             cancel, then resume puts it back, and keeps a copy of {secret}"
        ));
    }
    let (secret, known) = (secret.short(), known.short());
    Some(match is_taken {
        // Which of the two was changed, nothing here can say.
        true => format!(
            "where clients are connected, have the platform write the object again; where they are cut off, whoever has the private \
             half of {known} stores that again; only if neither can be, set `keys` aside with a reason and rotate: everybody gets a \
             new key (secret and server have {secret}, the object gives {known})"
        ),
        false => format!(
            "somebody has stored {secret} in place of {known}, which clients have; the server takes it at its next look, and they \
             are cut off then. Whoever has the private half of {known} stores it again; if nobody has, set the check `keys` aside \
             with a reason and rotate: everybody gets a new key, {secret} is kept under a name of its own, and there is no way \
             back to {known}"
        ),
    })
}

/// What ends it where the server has taken another secret of the name than the one whose key the clients have.
fn taken(sights: &Sights) -> Option<String> {
    let secret = sights.secret.value().filter(|secret| secret.count > 1)?;
    let (object, interface) = (sights.object.value()?.public_key?, sights.server.value()?.public_key);
    let holds = |key: PublicKey| secret.hrefs.iter().zip(&secret.keys).find(|(_, of)| **of == Some(key));
    let (SecretRef(href), _) = holds(interface).filter(|_| interface != object)?;
    let (live, known) = (interface.short(), object.short());
    Some(match holds(object) {
        Some((SecretRef(own), _)) => format!(
            "the server has taken {live} of {href}, and clients have {known} of {own}: find out whose the first is; once it \
             is deleted, the server takes {known} at its next look"
        ),
        None => format!(
            "the server has taken {live} of {href}, and clients have {known}, which no secret holds: they are cut off until \
             it is stored again, or they get the other"
        ),
    })
}
