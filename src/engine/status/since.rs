//! What others have changed since a rotation has ended: the journal knows which key must be live, and every later look is
//! compared with it.

use super::connections::NO_DOWNLOAD;
use crate::domain::fault::FaultKind;
use crate::domain::key::PublicKey;
use crate::engine::converge_object::WRITE_AGAIN;
use crate::engine::observe::Sights;
use crate::engine::record::{COPY_STAYS, KeyLeft, SEEN_SINCE};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// The few words that lead where there is little room.
const LEAD: &str = "KEY CHANGED SINCE THE END";

/// A key that is not the one that the last rotation has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedSince {
    /// The few words that lead where there is little room.
    pub lead: String,
    /// Which place shows what, a fragment.
    pub text: String,
    /// The key that clients have, as far as the journal knows.
    pub left: PublicKey,
    /// Since when that was so, UTC.
    pub since: Timestamp,
    /// The object was not there at the last look.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub object_gone: bool,
    /// Barbican was not read since, so nobody knows what it holds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub secret_unread: bool,
    /// Secret and object hold that key; the server alone has not taken it yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub server_alone: bool,
    /// That key is still held under the tenant's name, or a copy of it is kept, so that resume can put everything back to it.
    pub can_be_put_right: bool,
}

impl fmt::Display for ChangedSince {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.lead, self.text)
    }
}

impl ChangedSince {
    /// What leads on, for a sentence.
    pub fn way(&self) -> String {
        match self.can_be_put_right {
            _ if self.object_gone => format!("{WRITE_AGAIN}, then look again"),
            _ if self.server_alone => {
                "wait for the server's next look: secret and object hold the key that clients have; if it has not taken it after \
                 two cycles, see step 6's troubleshooting"
                    .into()
            }
            true => "resume puts back the key that clients have, and keeps a copy of what it removes".into(),
            false if self.secret_unread => "look again: what Barbican holds is not known before it is read".into(),
            false => "plan a rotation now (its check says what to set aside): no secret of the tenant's name holds the key that \
                      clients have; the key is a new one, and every client must re-import"
                .into(),
        }
    }
}

/// What is written where a later look finds that all is as it was left.
const AS_LEFT: &str = "every place is as it was left again";
/// So often is written behind one end what others have changed: whoever changes it again and again fills no journal.
pub const MOST_WRITTEN: usize = 40;

impl Rotation {
    /// Takes in a note: what others have changed behind the end is told once, a copy that stays as long as this is the last rotation.
    pub(in crate::engine) fn note_found(&mut self, note: &str) {
        if let Some(stays) = note.strip_prefix(COPY_STAYS) {
            self.copy_word.stays = Some(format!("{COPY_STAYS}{stays}"));
        }
        if let Some(seen) = note.strip_prefix(SEEN_SINCE).filter(|_| self.outcome.is_some()) {
            let times = self.seen_since.take().map_or(0, |(times, _)| times);
            self.seen_since = Some((times + 1, seen.to_owned()));
        }
    }
}

/// What of this a journal does not tell yet; none as long as not every place was looked at since the end.
pub fn untold(rotation: &Rotation, sights: &Sights) -> Option<String> {
    let KeyLeft { since, .. } = rotation.outcome.as_ref().and_then(|_| rotation.must_be_live())?;
    let object_gone = sights.object.fault.as_ref().is_some_and(|(_, fault)| fault.kind == FaultKind::NotFound);
    let faults = [&sights.secret.fault, &sights.server.fault];
    let is_whole = faults.iter().all(|fault| fault.is_none()) && (sights.object.fault.is_none() || object_gone);
    let object = sights.object.seen.as_ref().map(|(at, _)| *at).filter(|_| !object_gone);
    let object = object.or(sights.object.fault.as_ref().map(|(at, _)| *at));
    let seen = [sights.secret.seen.as_ref().map(|(at, _)| *at), sights.server.seen.as_ref().map(|(at, _)| *at), object];
    if !is_whole || seen.iter().any(|at| at.is_none_or(|at| at <= since)) {
        return None;
    }
    let told = rotation.seen_since.as_ref();
    if told.is_some_and(|(times, _)| *times >= MOST_WRITTEN) {
        return None;
    }
    let text = match (changed_since(Some(rotation), sights), told) {
        (Some(changed), _) => changed.text,
        (None, Some(_)) => AS_LEFT.to_owned(),
        (None, None) => return None,
    };
    (told.map(|(_, told)| told) != Some(&text)).then_some(text)
}

/// Compares what was seen after the last end with what was left, as long as nothing is touched since.
pub(super) fn changed_since(rotation: Option<&Rotation>, sights: &Sights) -> Option<ChangedSince> {
    let KeyLeft { key: left, since } = rotation?.must_be_live()?;
    let shows = |key: Option<PublicKey>| key.map_or_else(|| "no key".to_owned(), |key| key.short());
    let mut places = Vec::new();
    let mut server_alone = false;
    let shown = sights.server.seen.as_ref().filter(|(at, _)| *at > since).map(|(_, reading)| reading.public_key);
    let secret = sights.secret.seen.as_ref().filter(|(at, _)| *at > since).map(|(_, secret)| secret);
    if let Some(secret) = secret.filter(|secret| secret.keys[..] != [Some(left)]) {
        places.push(match (secret.count, secret.keys.contains(&Some(left))) {
            (0, _) => "no secret has the tenant's name".to_owned(),
            (1, _) if shown == Some(left) => format!(
                "the secret holds {}: at its next look the server takes it, and every client is cut off",
                shows(secret.keys[0])
            ),
            (1, _) => format!("the secret holds {}", shows(secret.keys[0])),
            (count, true) => format!("{count} secrets have the tenant's name, and the server may take either"),
            (count, false) => format!("{count} secrets have the tenant's name, and none holds it"),
        });
    }
    let object = sights.object.seen.as_ref().filter(|(at, _)| *at > since).map(|(_, object)| object.public_key);
    if let Some(key) = object.filter(|key| *key != Some(left)) {
        places.push(format!("the object says {}", shows(key)));
    }
    let gone = sights.object.fault.as_ref().filter(|(at, fault)| *at > since && fault.kind == FaultKind::NotFound);
    if gone.is_some() {
        places.push("the object is not there, so nobody can download their configuration".into());
    }
    if let Some(key) = shown.filter(|key| *key != left) {
        server_alone = places.is_empty() && secret.is_some() && object.is_some();
        places.push(format!("the interface shows {}, so every client is cut off who has the other", key.short()));
    }
    if places.is_empty() {
        return None;
    }
    let lead = if gone.is_some() && places.len() == 1 { NO_DOWNLOAD } else { LEAD }.to_owned();
    places.extend(secret.and_then(|secret| secret.alike_told(shown)));
    let when = since.strftime("%Y-%m-%d %H:%M UTC");
    let text = format!("{}; the rotation that ended at {when} left {}", places.join("; "), left.short());
    let is_held = secret.is_some_and(|secret| secret.keys.contains(&Some(left)));
    let can_be_put_right = is_held || secret.is_some() && rotation?.copy_of(left).is_some();
    let secret_unread = secret.is_none();
    Some(ChangedSince {
        lead,
        text,
        left,
        since,
        object_gone: gone.is_some(),
        secret_unread,
        server_alone,
        can_be_put_right,
    })
}
