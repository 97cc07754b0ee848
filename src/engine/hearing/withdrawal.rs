//! What an operator takes back is as if it had never been recorded; both records stay in the journal.

use super::Statement;
use crate::domain::acknowledgement::Acknowledgement;
use crate::domain::address::same_mailbox;
use crate::domain::client::ClientId;
use crate::engine::mailbox::ReadMail;
use crate::engine::rotation::Rotation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an operator has recorded and takes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Withdrawal {
    /// The answer that was typed for this client last.
    Answer {
        /// Whose.
        client: ClientId,
    },
    /// The client's waiver.
    Waiver {
        /// Whose.
        client: ClientId,
    },
    /// What was made of a mail: its meaning, or that its sender was accepted.
    Decision {
        /// Which mail.
        mail: String,
    },
    /// An address that was accepted as a client's.
    Alias {
        /// Whose.
        client: ClientId,
        /// The address.
        address: String,
    },
    /// A domain that was accepted.
    Domain {
        /// The domain that was written to.
        from: String,
        /// The domain that answers.
        to: String,
    },
}

impl fmt::Display for Withdrawal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Withdrawal::Answer { client } => write!(f, "the answer typed for {client}"),
            Withdrawal::Waiver { client } => write!(f, "the waiver of {client}"),
            Withdrawal::Decision { mail } => write!(f, "what was made of mail {}", mail.get(..12).unwrap_or(mail)),
            Withdrawal::Alias { client, address } => write!(f, "{address} as an address of {client}"),
            Withdrawal::Domain { from, to } => write!(f, "{to} for {from}"),
        }
    }
}

impl Rotation {
    /// Whether it was recorded and counts still.
    pub fn can_take_back(&self, what: &Withdrawal) -> bool {
        match what {
            Withdrawal::Answer { client } => self.last_typed(client).is_some(),
            Withdrawal::Waiver { client } => self.waivers.contains_key(client),
            Withdrawal::Decision { mail } => {
                let decided = |known: &&ReadMail| known.mail == *mail && known.decision.is_some();
                self.is_accepted(mail) || self.mails.iter().any(|mail| decided(&mail))
            }
            Withdrawal::Alias { client, address } => {
                let mut aliases = self.hearing.senders.aliases.iter();
                aliases.any(|known| known.client == *client && same_mailbox(&known.address, address))
            }
            Withdrawal::Domain { from, to } => self.hearing.senders.domains.iter().any(|known| known.is(from, to)),
        }
    }

    /// What an operator took back counts no more.
    pub(in crate::engine) fn withdraw(&mut self, what: &Withdrawal) {
        match what {
            Withdrawal::Answer { client } => {
                let said = self.hearing.of.entry(client.clone()).or_default();
                let typed = said.iter_mut().rev().find_map(|statement| match statement {
                    Statement::Typed { withdrawn, .. } if !*withdrawn => Some(withdrawn),
                    _ => None,
                });
                if let Some(withdrawn) = typed {
                    *withdrawn = true;
                }
                self.hear_again(client);
            }
            Withdrawal::Waiver { client } => {
                let given = self.hearing.waived.entry(client.clone()).or_default();
                given.pop();
                match given.last().cloned() {
                    Some(earlier) => self.waivers.insert(client.clone(), earlier),
                    None => self.waivers.remove(client),
                };
            }
            Withdrawal::Decision { mail } => {
                let Some(index) = self.hearing.known.get(mail).copied() else { return };
                let client = self.mails[index].client.clone();
                for statement in self.hearing.of.entry(client.clone()).or_default() {
                    if let Statement::Late { mail, withdrawn, .. } = statement
                        && *mail == index
                    {
                        *withdrawn = true;
                    }
                }
                self.mails[index].decision = None;
                let meta = &mut self.hearing.meta[index];
                (meta.word, meta.accepted) = (None, false);
                self.hear_again(&client);
            }
            Withdrawal::Alias { client, address } => {
                self.hearing.senders.revoke(client, address);
                let is_from = |mail: &ReadMail| {
                    let foreign = mail.doubt.as_ref().and_then(|doubt| doubt.foreign.as_ref());
                    mail.client == *client && foreign.is_some_and(|from| same_mailbox(from, address))
                };
                let mails = self.mails.iter().zip(&mut self.hearing.meta);
                mails.filter(|(mail, _)| is_from(mail)).for_each(|(_, meta)| meta.accepted = false);
                self.hear_again(client);
            }
            Withdrawal::Domain { from, to } => {
                self.hearing.senders.revoke_domain(from, to);
                let everybody: Vec<ClientId> = self.hearing.of.keys().cloned().collect();
                everybody.iter().for_each(|client| self.hear_again(client));
            }
        }
    }

    /// The answer that was typed last for a client and still counts.
    pub(in crate::engine) fn last_typed(&self, client: &ClientId) -> Option<&Acknowledgement> {
        self.hearing.of.get(client)?.iter().rev().find_map(|statement| match statement {
            Statement::Typed { answer, withdrawn: false } => Some(answer),
            _ => None,
        })
    }
}
