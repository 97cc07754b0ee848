//! How surely it is known whom a change of the key cuts off: every sentence that tells a number of people takes it from here.

use super::{ClientView, Phase, TenantStatus};
use crate::domain::client::{Client, People};
use crate::domain::fault::Fault;
use crate::domain::freshness::Activity;
use crate::domain::key::PublicKey;
use crate::engine::observe::Sights;
use crate::engine::record::{Entry, Record};
use crate::engine::rotation::Rotation;
use crate::engine::sources::{Source, SourceView};
use jiff::Timestamp;

/// When the people of a status were seen: by the look that joined them, else by the journal's last record of them.
pub(super) fn seen(
    found: &Result<People, Fault>,
    rotation: Option<&Rotation>,
    journal: &[Entry],
    sights: &Sights,
) -> Option<Timestamp> {
    match (found, rotation) {
        (Ok(_), _) => sights.object.seen.as_ref().map(|(at, _)| *at),
        (Err(_), Some(_)) => {
            // One of nobody, where a place that tells them could not be asked, has seen nobody.
            let is_of_them = |entry: &&Entry| match &entry.record {
                Record::PeopleSeen { clients, unseen } => !clients.is_empty() || unseen.is_empty(),
                _ => false,
            };
            journal.iter().rev().find(is_of_them).map(|entry| entry.at)
        }
        (Err(_), None) => None,
    }
}

/// The key that is staged is a client's, too, in words: the check fails for it, and no other look changes that.
pub(super) fn collision(rotation: &Rotation, clients: &[Client], sights: &Sights) -> Option<String> {
    let key = rotation.target().filter(|_| !rotation.touched)?;
    let known = || {
        let bears = |client: &&Client| client.keys().any(|own| own == key);
        let names: Vec<&str> = clients.iter().filter(bears).map(|client| client.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let whose = sights.bearers(key).or_else(known)?;
    Some(format!("the staged key {} is the key of {whose} as well, and the server would drop that peer", key.short()))
}

impl TenantStatus {
    fn source(&self, name: Source) -> Option<&SourceView> {
        self.sources.iter().find(|view| view.name == name)
    }

    /// Why the clients are not all, or not as of now: a place that tells them did not answer, or none was asked.
    fn people_fault(&self) -> Option<&str> {
        let places = [Source::Swift, Source::Console, Source::Server];
        places.into_iter().filter_map(|place| self.source(place)?.fault.as_deref()).next()
    }

    /// What must stand behind a number of them: nothing where all places have just said it.
    pub fn people_as_of(&self) -> String {
        let is_of_now = self.source(Source::Swift).is_none_or(|view| view.seen_at.is_some());
        match (self.people_seen, self.people_fault()) {
            (None, Some(fault)) if !self.clients.is_empty() => format!(" (whether that is all is not known: {fault})"),
            (None, Some(fault)) => format!(" (how many there are is not known: {fault})"),
            (None, None) => " (how many there are was not looked at yet)".into(),
            (Some(_), None) if is_of_now => String::new(),
            (Some(at), _) => format!(" as of {}", at.strftime("%Y-%m-%d %H:%M UTC")),
        }
    }

    /// `all 4 clients`, `the only client`; without a number where nobody has looked.
    pub fn all_clients(&self) -> String {
        let as_of = self.people_as_of();
        match (self.people_seen, self.clients.len()) {
            (None, 0) => format!("all clients{as_of}"),
            (None, 1) => format!("1 client who is named{as_of}"),
            (None, count) => format!("{count} clients who are named{as_of}"),
            (Some(_), 1) => format!("the only client{as_of}"),
            (Some(_), count) => format!("all {count} clients{as_of}"),
        }
    }

    /// That clients are cut off before anything is done: the interface shows another key than the one that they have, in words.
    pub fn cut_off_already(&self) -> Option<String> {
        let shown = self.keys.interface.key.filter(|_| self.keys.interface.fault.is_none() && !self.touched)?;
        let has = |key: PublicKey| format!("the interface shows {}, and {}", shown.short(), key.short());
        if let Some(since) = &self.changed_since {
            return (since.left != shown)
                .then(|| format!("{}, which clients have, is not live: they are cut off already", has(since.left)));
        }
        // Which of the two clients have, no journal says.
        let named = self.keys.object.key.filter(|key| *key != shown && self.keys.object.fault.is_none())?;
        Some(format!(
            "{} stands in the object: whoever has that one is cut off already, and whoever has the other will be",
            has(named)
        ))
    }

    /// How many of them are on the line, in words.
    pub fn live_sessions(&self) -> String {
        let live = self.clients.iter().filter(|view| view.activity == Some(Activity::Active)).count();
        let is_faulty = self.source(Source::Server).is_some_and(|view| view.fault.is_some());
        // Whose peers are whose tells the object.
        let is_matched =
            self.people_fault().is_none() || self.clients.iter().all(|view| view.client.keys().count() > 0);
        match (self.is_server_read() && self.people_seen.is_some(), is_faulty) {
            (true, _) if !is_matched => "how many have a live session now is not known".to_owned(),
            (true, _) => format!("{live} with a live session now"),
            (false, true) => "how many have a live session now is not known".to_owned(),
            (false, false) => "how many have a live session now was not looked at".to_owned(),
        }
    }

    /// Whose own key is one of the server's, a line for each key: the kernel drops a peer that has the interface's.
    pub fn bear_servers_key(&self) -> Vec<String> {
        let keys = &self.keys;
        let staged = keys.staged.filter(|_| self.phase != Phase::Idle);
        let of = [("staged", staged), ("previous", keys.previous), ("present", keys.interface.key)];
        let (mut lines, mut told): (Vec<String>, Vec<PublicKey>) = (Vec::new(), Vec::new());
        for (which, key) in of.into_iter().filter_map(|(which, key)| Some((which, key?))) {
            let bears = |view: &&ClientView| view.client.keys().any(|own| own == key);
            let names: Vec<&str> = self.clients.iter().filter(bears).map(|view| view.client.name.as_str()).collect();
            if !names.is_empty() && !told.contains(&key) {
                told.push(key);
                lines.push(format!(
                    "the server's {which} key {} is given as the key of {}, too: while it is live the server drops that \
                     peer; have their own public key put there",
                    key.short(),
                    names.join(", ")
                ));
            }
        }
        lines
    }

    /// `3 of 4 clients confirmed or waived`, with this word for them; without a number where nobody has looked.
    pub fn settled(&self, clients: &str) -> String {
        let ((settled, of), as_of) = (self.answers, self.people_as_of());
        match self.people_seen {
            None if of > 0 => format!("{settled} of {of}{clients} who are named confirmed or waived{as_of}"),
            None => format!("nobody has confirmed{as_of}"),
            Some(_) => format!("{settled} of {of}{clients} confirmed or waived{as_of}"),
        }
    }
}
