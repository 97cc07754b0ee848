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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::acknowledgement::{Answer, Channel};
    use crate::domain::key::KeyRole;
    use crate::domain::notice::{Delivery, NoticeKind};
    use crate::domain::tenant::{Tenant, TenantId};
    use crate::domain::window::Window;
    use crate::engine::record::{Actor, BackSource, Cause, RotationId};

    fn id(name: &str) -> ClientId {
        ClientId(name.into())
    }

    #[test]
    fn whatever_is_kept_under_the_id_of_a_person_is_found_and_nothing_of_another() {
        let client = |name: &str| Client {
            id: id(name),
            name: name.to_uppercase(),
            email: Some(format!("{name}@x.example")),
            public_key: None,
            sources: Default::default(),
            also: Vec::new(),
        };
        let mail = |name: &str| format!("<{name}@mail>");
        let of = |name: &str| {
            vec![
                Record::NoticeQueued {
                    client: id(name),
                    email: format!("{name}@x.example"),
                    kind: NoticeKind::Announcement,
                    revision: 1,
                    message_id: mail(name),
                },
                Record::NoticeDelivery { message_id: mail(name), delivery: Delivery::Queued },
                Record::NoticeResolved { message_id: mail(name), arrived: true, reason: "asked".into() },
                Record::Answered {
                    client: id(name),
                    revision: 1,
                    answer: Answer::Confirmed,
                    channel: Channel::Phone,
                    note: String::new(),
                },
                Record::Waived { client: id(name), reason: "gone".into() },
                Record::ClientBack { client: id(name), source: BackSource::Client, note: String::new() },
                Record::GatewayPing { client: id(name), answered: true, note: String::new() },
                Record::WaiverKept { client: id(name) },
            ]
        };
        let tenant = Tenant { id: TenantId::new("t1").unwrap(), name: "acme".into(), server: None, gateway: None };
        let window = Window::parse("2027-01-15 22:00", "1h", "UTC", 1).unwrap();
        let (rotation, reference) = (RotationId("r".into()), String::new());
        let mut records = vec![
            Record::Planned { rotation, tenant, window, cause: Cause::Scheduled, reference, left: None },
            Record::PeopleSeen { clients: vec![client("ada"), client("bob")], unseen: Vec::new() },
            Record::RotateConfirmed {
                waived: vec![id("ada"), id("bob")],
                approved_by: None,
                through_tunnel: false,
                signature: None,
            },
            Record::RollbackStarted {
                reason: "no".into(),
                role: KeyRole::Previous,
                cut_again: vec![id("bob"), id("ada")],
                review_due: None,
                signature: None,
            },
        ];
        records.extend(of("ada"));
        records.extend(of("bob"));
        let actor = Actor {
            by: "op".into(),
            host: "h".into(),
            person: "op".into(),
            ssh: None,
            unproven: None,
            environment: None,
        };
        let at = "2027-01-15T22:00:00Z".parse().unwrap();
        let entries: Vec<Entry> =
            records.into_iter().zip(1..).map(|(record, seq)| actor.entry(seq, at, record)).collect();
        for (typed, values) in [("ada", vec![]), ("ADA@x.example", vec!["ada@x.example".to_owned()])] {
            let values = values.into_iter().collect();
            let found = about(&Who { typed, values: &values }, entries.clone(), &|_| false);
            let seqs: Vec<u64> = found.iter().map(|entry| entry.seq).collect();
            assert_eq!(seqs, (2..=12).collect::<Vec<u64>>(), "{typed}");
            let text = serde_json::to_string(&found).unwrap();
            assert!(!text.to_lowercase().contains("bob"), "{text}");
        }
    }
}
