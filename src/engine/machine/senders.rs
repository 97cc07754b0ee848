//! Whose addresses answer for whom, and what an operator takes back: both only on an operator's word, with a record.

use super::{Machine, Outputs, bad_input, done, not_now, required};
use crate::domain::client::ClientId;
use crate::domain::reply::Verdict;
use crate::domain::sanitize::sanitize;
use crate::engine::hearing::Withdrawal;
use crate::engine::record::Record;
use crate::engine::senders::{Alias, DomainAlias};
use jiff::Timestamp;

const ACCEPTED_BY: &str = "accepted by ";

impl Machine {
    pub(super) fn accept_sender(&mut self, at: Timestamp, id: &str, alias: bool, note: String) -> Outputs {
        let mail = self.mail_of(id)?;
        let (client, mail, doubt) = (mail.client.clone(), mail.mail.clone(), mail.doubt.clone());
        let Some(doubt) = doubt else {
            return Err(bad_input(
                "its sender is not what is in doubt; say what it means with `changeguard mail decide`",
            ));
        };
        let rotation = self.open()?;
        if rotation.is_accepted(&mail) && !alias {
            return Err(not_now("its sender is accepted already"));
        }
        if alias && doubt.foreign.is_none() {
            return Err(bad_input("it came from the address that was written to; accept it once"));
        }
        let address = doubt.foreign.unwrap_or_else(|| "the sender".into());
        if alias && rotation.speaks_for(&client, &address, rotation.seq + 1) {
            return Err(not_now(format!("{address} answers for {client} already")));
        }
        let how = if alias { "answers from now on for" } else { "is accepted once for" };
        let text = match &doubt.otherwise {
            Verdict::Unclear(why) => format!("{address} {how} {client}; the mail must still be read: {why}"),
            says => format!("{address} {how} {client}: {says}"),
        };
        let note = sanitize(&note);
        let record = Record::SenderAccepted { client, address, mail: Some(mail), alias, note };
        Ok(vec![self.append(at, record)?, done(text)])
    }

    pub(super) fn accept_domain(&mut self, at: Timestamp, from: &str, to: &str, note: String) -> Outputs {
        let domain = |text: &str| sanitize(text).trim_start_matches('@').to_lowercase();
        let (from, to) = (domain(from), domain(to));
        let is_domain = |text: &str| text.contains('.') && !text.contains(['@', ' ']);
        if !is_domain(&from) || !is_domain(&to) || from == to {
            return Err(bad_input("give the two domains, as in old.example and new.example"));
        }
        let rotation = self.open()?;
        let ends = format!("@{from}");
        let of: Vec<&str> = rotation
            .clients
            .iter()
            .filter(|client| rotation.written_to(&client.id).iter().any(|address| address.ends_with(&ends)))
            .map(|client| client.name.as_str())
            .collect();
        if of.is_empty() {
            return Err(bad_input(format!("nobody of {} was written to at {from}", self.tenant.name)));
        }
        if rotation.hearing.senders.domains.iter().any(|known| known.is(&from, &to)) {
            return Err(not_now(format!("{to} answers for {from} already")));
        }
        let text = format!("{to} answers for {from} from the next mail on: {}", of.join(", "));
        let note = sanitize(&note);
        Ok(vec![self.append(at, Record::DomainAccepted { from, to, note })?, done(text)])
    }

    pub(super) fn take_back(&mut self, at: Timestamp, what: Withdrawal, reason: String) -> Outputs {
        self.untouched()?;
        let reason = required(reason, "say why it is taken back (a reason)")?;
        let what = match what {
            Withdrawal::Decision { mail } => Withdrawal::Decision { mail: self.mail_of(&mail)?.mail.clone() },
            Withdrawal::Domain { from, to } => Withdrawal::Domain { from: from.to_lowercase(), to: to.to_lowercase() },
            what => what,
        };
        if let Withdrawal::Answer { client } | Withdrawal::Waiver { client } = &what {
            self.known_client(client)?;
        }
        if !self.open()?.can_take_back(&what) {
            return Err(not_now(match &what {
                Withdrawal::Answer { client } => format!(
                    "no answer was typed for {client}; what they wrote themselves is outweighed by what they say now: record that"
                ),
                Withdrawal::Waiver { client } => format!("{client} is not waived"),
                Withdrawal::Decision { .. } => "nobody has decided that mail".into(),
                Withdrawal::Alias { client, address } => {
                    format!("{address} is not accepted as an address of {client}")
                }
                Withdrawal::Domain { from, to } => format!("{to} was not accepted for {from}"),
            }));
        }
        let text = format!("taken back: {what}");
        Ok(vec![self.append(at, Record::TakenBack { what, reason })?, done(text)])
    }

    pub(super) fn keep_waivers(&mut self, at: Timestamp, only: Option<Vec<ClientId>>) -> Outputs {
        let lapsed = &self.untouched()?.hearing.lapsed;
        let meant: Vec<ClientId> = match only {
            Some(only) => {
                if let Some(client) = only.iter().find(|client| !lapsed.contains_key(client)) {
                    return Err(not_now(format!("{client} has no waiver of an earlier window")));
                }
                only
            }
            None => lapsed.keys().cloned().collect(),
        };
        if meant.is_empty() {
            return Err(not_now("there is no waiver of an earlier window"));
        }
        let names: Vec<String> = meant.iter().map(ToString::to_string).collect();
        let mut outputs = Vec::new();
        for client in meant {
            outputs.push(self.append(at, Record::WaiverKept { client })?);
        }
        outputs.push(done(format!("still waived: {}", names.join(", "))));
        Ok(outputs)
    }

    /// What was accepted in the tenant's last rotation goes on in the one that is planned now.
    pub(super) fn senders_of_before(&self) -> Vec<Record> {
        let Some(before) = &self.rotation else { return Vec::new() };
        let senders = &before.hearing.senders;
        let note = |note: &str, by: &str| match note {
            // Carried over once more: who accepted it stands there already.
            note if note.starts_with(ACCEPTED_BY) => note.to_owned(),
            "" => format!("{ACCEPTED_BY}{by} in {}", before.id),
            note => format!("{ACCEPTED_BY}{by} in {}: {note}", before.id),
        };
        let alias = |known: &Alias| Record::SenderAccepted {
            client: known.client.clone(),
            address: known.address.clone(),
            mail: None,
            alias: true,
            note: note(&known.note, &known.by),
        };
        let domain = |known: &DomainAlias| Record::DomainAccepted {
            from: known.from.clone(),
            to: known.to.clone(),
            note: note(&known.note, &known.by),
        };
        senders.aliases.iter().map(alias).chain(senders.domains.iter().map(domain)).collect()
    }
}
