//! Whose addresses answer for a person: the one that was written to, and those that an operator has accepted as theirs.

use crate::domain::address::{mailbox_of, same_mailbox};
use crate::domain::client::ClientId;
use crate::engine::record::{Entry, Record};
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// An address that an operator has accepted as a client's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// Whose.
    pub client: ClientId,
    /// The address, lower case.
    pub address: String,
    /// Who accepted it.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
    /// Their note.
    pub note: String,
    /// Number of the record; it answers for what came later.
    #[serde(skip)]
    pub seq: u64,
}

/// A domain that the clients of a subject answer from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainAlias {
    /// The domain that was written to, lower case.
    pub from: String,
    /// The domain that answers, lower case.
    pub to: String,
    /// Who accepted it.
    pub by: String,
    /// When, UTC.
    pub at: Timestamp,
    /// Their note.
    pub note: String,
    /// Number of the record; it answers for what came later.
    #[serde(skip)]
    pub seq: u64,
}

impl DomainAlias {
    /// Whether it is this one.
    pub fn is(&self, from: &str, to: &str) -> bool {
        self.from.eq_ignore_ascii_case(from) && self.to.eq_ignore_ascii_case(to)
    }
}

/// What was accepted and not revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Senders {
    /// Addresses of single clients.
    pub aliases: Vec<Alias>,
    /// Domains.
    pub domains: Vec<DomainAlias>,
}

impl Senders {
    pub(super) fn revoke(&mut self, client: &ClientId, address: &str) {
        self.aliases.retain(|alias| alias.client != *client || !same_mailbox(&alias.address, address));
    }

    pub(super) fn revoke_domain(&mut self, from: &str, to: &str) {
        self.domains.retain(|known| !known.is(from, to));
    }
}

impl Rotation {
    /// Folds that another address, or a whole domain, was accepted.
    pub(super) fn accept_sender(&mut self, entry: &Entry) {
        let (by, at, seq) = (entry.by.clone(), entry.at, entry.seq);
        match &entry.record {
            Record::SenderAccepted { client, address, mail, alias, note } => {
                // Who was accepted already stays so from then on.
                if *alias && !self.speaks_for(client, address, seq) {
                    let (client, note) = (client.clone(), note.clone());
                    let address = address.to_lowercase();
                    self.hearing.senders.aliases.push(Alias { client, address, by, at, note, seq });
                }
                if let Some(mail) = mail {
                    self.accept(mail, at);
                }
            }
            Record::DomainAccepted { from, to, note } => {
                let senders = &mut self.hearing.senders;
                if senders.domains.iter().any(|known| known.is(from, to)) {
                    return;
                }
                let (from, to, note) = (from.to_lowercase(), to.to_lowercase(), note.clone());
                senders.domains.push(DomainAlias { from, to, by, at, note, seq });
            }
            _ => {}
        }
    }

    /// The mailboxes that this client was written to; before the first mail, the one that would be.
    pub fn written_to(&self, client: &ClientId) -> BTreeSet<String> {
        let told: BTreeSet<String> = self.notices.of(client).map(|notice| mailbox_of(&notice.email)).collect();
        if !told.is_empty() {
            return told;
        }
        self.client(client).and_then(|client| client.email.as_deref()).map(mailbox_of).into_iter().collect()
    }

    /// Whether an operator had accepted this address as the client's before record `seq`.
    pub(super) fn speaks_for(&self, client: &ClientId, address: &str, seq: u64) -> bool {
        let senders = &self.hearing.senders;
        let is_theirs =
            |alias: &Alias| alias.client == *client && alias.seq < seq && same_mailbox(&alias.address, address);
        if senders.aliases.iter().any(is_theirs) {
            return true;
        }
        if senders.domains.is_empty() {
            return false;
        }
        let sender = mailbox_of(address);
        let written = self.written_to(client);
        senders.domains.iter().filter(|known| known.seq < seq).any(|known| {
            let moved = |address: &String| {
                let (local, domain) = address.rsplit_once('@')?;
                (domain == known.from).then(|| format!("{local}@{}", known.to))
            };
            written.iter().filter_map(moved).any(|moved| moved == sender)
        })
    }
}
