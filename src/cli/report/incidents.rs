//! What went wrong, of all that the journal holds.

use super::Incident;
use crate::domain::notice::Delivery;
use crate::domain::reply::{Heard, Verdict};
use crate::domain::step::StepNumber;
use crate::domain::token::Topic;
use crate::engine::approval::{self, Asked};
use crate::engine::mailbox::Decision;
use crate::engine::record::{self, Entry, Outcome, PUTTING_RIGHT, Record, SEEN_SINCE};
use crate::engine::rotation::Rotation;
use crate::engine::signing::Signing;
use crate::engine::status::NORMAL_GAP_US;
use crate::engine::truth::Live;
use std::collections::BTreeSet;

/// What went wrong: failed and interrupted steps, mails that did not arrive, take-overs, lost leases.
pub(super) fn incidents(
    rotation: &Rotation,
    entries: &[Entry],
    lease_log: &[Entry],
    signing: &Signing,
) -> Vec<Incident> {
    let asked = Asked { valid: Default::default(), signing: signing.clone() };
    let mut found = Vec::new();
    if let Some((text, (_, at))) = approval::touched_without(rotation, Some(&asked)).zip(rotation.touched_as.as_ref()) {
        found.push(Incident { at: *at, seq: None, text });
    }
    let (mut running, mut ended): (BTreeSet<StepNumber>, BTreeSet<StepNumber>) = Default::default();
    for entry in entries {
        let mut tell = |text: String| found.push(Incident { at: entry.at, seq: Some(entry.seq), text });
        match &entry.record {
            Record::StepStarted { step } if !running.insert(*step) => {
                tell(format!("step {step} had been interrupted and was begun again"));
            }
            Record::StepResolved { step, done, evidence } => {
                let found = record::found(*step, *done);
                tell(match (running.remove(step), ended.contains(step)) {
                    (true, _) => format!("step {step} had been interrupted; {found}: {evidence}"),
                    (false, true) => {
                        format!("step {step} had ended well, and was looked at again; {found}: {evidence}")
                    }
                    (false, false) => format!("step {step} was looked at again; {found}: {evidence}"),
                });
            }
            Record::Swapped(swapped)
                if swapped.opened.is_some()
                    || swapped.found_empty.is_some()
                    || swapped.gap_us >= Some(NORMAL_GAP_US) =>
            {
                tell(entry.record.summary());
            }
            Record::StepSucceeded { step, .. } => {
                running.remove(step);
                ended.insert(*step);
            }
            Record::StepFailed { step, fault } => {
                running.remove(step);
                ended.remove(step);
                tell(format!("step {step} failed: {fault}"));
            }
            Record::MailRead { client, heard: Heard { verdict: Verdict::Bounced(why), .. }, .. } => {
                tell(format!("a mail to {client} came back: {why}"));
            }
            Record::MailRead {
                client, heard: Heard { verdict: Verdict::Declined, topic: Topic::Back, .. }, ..
            } => {
                tell(format!("{client} wrote that it does not work"));
            }
            Record::MailDecided { decision: Decision::NotBack, .. } => tell(entry.record.summary()),
            Record::Noted { text } if text.starts_with(PUTTING_RIGHT) || text.starts_with(SEEN_SINCE) => {
                tell(text.clone())
            }
            Record::NoticeDelivery { delivery: Delivery::Failed { .. } | Delivery::Uncertain { .. }, .. }
            | Record::NoticeResolved { .. }
            | Record::TakenOver { .. }
            | Record::RollbackStarted { .. }
            | Record::EmergencyDeclared { .. }
            | Record::CheckSetAside { .. }
            | Record::NobodyWaived { .. }
            | Record::SenderAccepted { .. }
            | Record::DomainAccepted { .. }
            | Record::TakenBack { .. }
            | Record::Refused(_)
            | Record::CalledUnasked { .. }
            | Record::ForeignKept { .. }
            | Record::ForeignSeen { .. }
            | Record::KeyGone { .. }
            | Record::SecretLeft { left: Live::Missing | Live::Unknown, .. }
            | Record::PreviousMissing { .. } => tell(entry.record.summary()),
            _ => {}
        }
    }
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return found };
    if rotation.outcome.as_ref().is_some_and(|(outcome, ..)| *outcome != Outcome::Cancelled) {
        found.extend(rotation.open_mails().map(|mail| Incident {
            at: mail.at,
            seq: None,
            text: format!("a mail of {} was not read by anybody: {}", mail.client, mail.heard.verdict),
        }));
    }
    for step in running {
        let text = match rotation.outcome {
            None => format!("step {step} was begun and has not ended"),
            Some(_) => format!("step {step} was begun and has no end"),
        };
        found.push(Incident { at: last.at, seq: None, text });
    }
    let meanwhile = |entry: &&Entry| {
        let is_now = entry.at >= first.at && (rotation.outcome.is_none() || entry.at <= last.at);
        is_now && matches!(entry.record, Record::LeaseLost { .. } | Record::Refused(_))
    };
    for entry in lease_log.iter().filter(meanwhile) {
        let text = format!("{}@{} {}", entry.by, entry.host, entry.record.summary());
        found.push(Incident { at: entry.at, seq: None, text });
    }
    found.sort_by_key(|incident| incident.at);
    found
}
