//! Which records of a case are about one person: those in which a value of theirs stands, and those that know them by their id or
//! by a mail that was sent to them. Pure: what is stored is read by the journal.

use super::same_address;
use crate::domain::client::{Client, ClientId};
use crate::engine::record::{Entry, Record};
use serde_json::Value;
use std::collections::BTreeSet;

/// One person: as asked for (an address or an id), and the values that are known to be theirs.
pub struct Who<'a> {
    /// What was typed.
    pub typed: &'a str,
    /// Addresses and names.
    pub values: &'a BTreeSet<String>,
}

impl Who<'_> {
    fn is(&self, client: &Client) -> bool {
        let known = |address: &String| self.values.iter().any(|value| same_address(value, address));
        same_address(&client.id.0, self.typed) || client.email.as_ref().is_some_and(known)
    }

    /// The ids under which a case knows them.
    fn ids(&self, entries: &[Entry]) -> BTreeSet<ClientId> {
        let clients = entries.iter().filter_map(|entry| match &entry.record {
            Record::PeopleSeen { clients, .. } => Some(clients),
            _ => None,
        });
        clients.flatten().filter(|client| self.is(client)).map(|client| client.id.clone()).collect()
    }
}

/// The records of one case, in their order, that are about the person; of others who stand in the same record nothing is left.
/// `holds_value` says of a record's number whether a value of theirs stands in its text.
pub fn about(who: &Who<'_>, entries: Vec<Entry>, holds_value: &dyn Fn(u64) -> bool) -> Vec<Entry> {
    let ids = who.ids(&entries);
    let mut mails: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for mut entry in entries {
        if let Record::NoticeQueued { client, message_id, .. } = &entry.record
            && ids.contains(client)
        {
            mails.insert(message_id.clone());
        }
        let of_mail = match &entry.record {
            Record::NoticeDelivery { message_id, .. } | Record::NoticeResolved { message_id, .. } => {
                mails.contains(message_id)
            }
            _ => false,
        };
        if of_mail || holds_value(entry.seq) || names(&entry, &ids) {
            match &mut entry.record {
                Record::PeopleSeen { clients, .. } => clients.retain(|client| ids.contains(&client.id)),
                Record::RotateConfirmed { waived: several, .. }
                | Record::RollbackStarted { cut_again: several, .. } => several.retain(|id| ids.contains(id)),
                _ => {}
            }
            found.push(entry);
        }
    }
    found
}

/// Whether one of these ids stands in a record where ids of clients stand.
fn names(entry: &Entry, ids: &BTreeSet<ClientId>) -> bool {
    let Ok(value) = serde_json::to_value(&entry.record) else { return false };
    let is_theirs = |value: &Value| value.as_str().is_some_and(|text| ids.iter().any(|id| id.0 == text));
    let any = |field: &str| value[field].as_array().is_some_and(|all| all.iter().any(is_theirs));
    let seen = value["clients"].as_array().is_some_and(|all| all.iter().any(|client| is_theirs(&client["id"])));
    !ids.is_empty() && (is_theirs(&value["client"]) || any("waived") || any("cut_again") || seen)
}
