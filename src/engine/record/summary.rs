//! Each record as one line, for the journal's view and the report.

use super::{Applied, Cause, Record, RefusedAct, Swapped};
use crate::domain::key::holds_instead;
use crate::domain::second_mail::SecondMail;
use crate::domain::step::StepNumber;
use crate::engine::truth::Live;
use jiff::Timestamp;

impl Record {
    /// Whether it is one turn of a loop over people: there are as many as people, and each by itself changes little.
    pub fn is_of_loop(&self) -> bool {
        matches!(self, Record::NoticeQueued { .. } | Record::NoticeDelivery { .. })
    }

    /// One line for the journal's view and the report.
    pub fn summary(&self) -> String {
        match self {
            Record::Planned { window, cause, .. } => {
                let why = if *cause == Cause::Compromise { "suspected compromise" } else { "scheduled" };
                format!("planned ({why}): {}", window.for_people())
            }
            Record::Rescheduled { window } => {
                format!("window changed to {} (revision {})", window.for_people(), window.revision)
            }
            Record::PeopleSeen { clients, unseen } if unseen.is_empty() => {
                format!("{} clients will be cut off", clients.len())
            }
            Record::PeopleSeen { clients, unseen } => {
                format!("{} clients known, perhaps not all: {}", clients.len(), unseen.join("; "))
            }
            Record::NoticeQueued { client, kind, .. } => format!("{} mail to {client} is being sent", kind.word()),
            Record::NoticeDelivery { message_id, delivery } => format!("mail {} {}", message_id, delivery.word()),
            Record::NoticeResolved { arrived, reason, .. } => {
                format!("uncertain mail {}: {reason}", if *arrived { "arrived" } else { "did not arrive" })
            }
            Record::Answered { client, answer, channel, note, .. } => {
                format!("{client} {} by {}{}", answer.word(), channel.word(), dash(note))
            }
            Record::Waived { client, reason } => format!("{client} waived: {reason}"),
            Record::Checked { preflight } if preflight.is_green() => "preflight check green".into(),
            Record::Checked { preflight } => format!("preflight check failed: {}", preflight.failed().join(", ")),
            Record::RotateConfirmed { approved_by, through_tunnel, signature, .. } => {
                let approved = approved_by.as_ref().map(|by| format!(", approved by {by}")).unwrap_or_default();
                let tunnel = if *through_tunnel { ", although the session runs through the tunnel" } else { "" };
                let signed = if signature.is_some() { ", signed" } else { "" };
                format!("rotation confirmed by typing the tenant's name{signed}{approved}{tunnel}")
            }
            Record::StepStarted { step } => format!("step {step} started"),
            Record::StepSucceeded { step, evidence } => format!("step {step} done: {evidence}"),
            Record::StepFailed { step, fault } => format!("step {step} failed: {fault}"),
            Record::StepResolved { step, done, evidence } => format!("step {step} {}: {evidence}", found(*step, *done)),
            Record::KeyKeeping { role, public_key, .. } => {
                format!("keeping the {} key {}", role.word(), public_key.short())
            }
            Record::KeyKept { role, public_key, .. } => {
                format!("{} key {} kept in Barbican", role.word(), public_key.short())
            }
            Record::PreviousMissing { why } => format!("there is no previous key to keep: {why}"),
            Record::ShapeSeen { .. } => "attributes of the secret read".into(),
            Record::Swapped(Swapped { public_key, gap_us, not_carried, opened, found_empty, overlap_us }) => {
                let length = |us: u64| format!("{}.{:03} ms", us / 1000, us % 1000);
                let gap = match (gap_us, overlap_us) {
                    (_, Some(us)) => format!(", no gap: two secrets had the name for {}", length(*us)),
                    (Some(us), None) => format!(", gap {}", length(*us)),
                    (None, None) => String::new(),
                };
                let from = opened.map(|at| format!(" (opened {} by an attempt before)", clock(at)));
                let found = found_empty.map(|at| {
                    format!(", nothing had the name when it was looked at {}: since when is not known", clock(at))
                });
                let gap = format!("{gap}{}{}", from.unwrap_or_default(), found.unwrap_or_default());
                let lost = match not_carried.is_empty() {
                    true => String::new(),
                    false => format!("; NOT carried over: {}", not_carried.join("; ")),
                };
                format!("secret now holds {}{gap}{lost}", public_key.short())
            }
            Record::ObjectChanged(changed) => format!("object now says {}", changed.to.short()),
            Record::Applied(Applied { baseline, unseen_since: Some(since), .. }) => {
                let key = baseline.public_key.short();
                format!("server shows {key}, seen when it was looked again (not before {})", clock(*since))
            }
            Record::Applied(Applied { baseline, waited_ms, .. }) => {
                format!("server shows {} after {:.1} s", baseline.public_key.short(), *waited_ms as f64 / 1000.0)
            }
            Record::Silenced { id, .. } if id.is_empty() => "the expected alert is about to be silenced".into(),
            Record::Silenced { until, .. } => {
                format!("expected alert silenced until {}", until.strftime("%H:%M:%S UTC"))
            }
            Record::SilenceEnded { id, why, still_firing: None } if id.is_empty() => {
                format!("silence of the expected alert: {why}")
            }
            Record::SilenceEnded { why, still_firing, .. } => {
                let fires = match still_firing {
                    Some(true) => "; the alert STILL FIRES, and no notification may come of it",
                    Some(false) => "; the alert does not fire",
                    None => "; whether the alert fires could not be seen",
                };
                format!("silence of the expected alert ended: {why}{fires}")
            }
            Record::MailRead { client, heard, from, .. } => {
                let marks = heard.marks.iter().map(|mark| format!("; {mark}")).collect::<String>();
                format!("mail of {client} ({from}): {}{marks}", heard.verdict)
            }
            Record::MailDecided { client, decision, note, .. } => {
                format!("mail of {client} read by a person: {}{}", decision.word(), dash(note))
            }
            Record::ClientBack { client, source, .. } => format!("{client} is back ({})", source.word()),
            Record::GatewayPing { client, answered, note } => {
                format!(
                    "gateway ping by {client}: {}{}",
                    if *answered { "answered" } else { "not answered" },
                    dash(note)
                )
            }
            Record::RollbackStarted { reason, role, .. } => format!("rollback to the {} key: {reason}", role.word()),
            Record::KeyDestroyed { role, answer, .. } => format!("{} key destroyed: {answer}", role.word()),
            Record::Finished { outcome, note, despite } => {
                let despite = despite.as_ref().map(|why| format!(", all the same: {why}")).unwrap_or_default();
                format!("{}{despite}{}", outcome.word(), dash(note))
            }
            Record::Noted { text } => format!("note: {text}"),
            Record::Approved { digest, expires, note, signature, .. } => {
                let until = expires.strftime("%H:%M UTC");
                let signed = if signature.is_some() { ", signed" } else { "" };
                format!("plan {} approved until {until}{signed}{}", digest.get(..12).unwrap_or(digest), dash(note))
            }
            Record::EmergencyDeclared { reason, review_due, .. } => {
                let due = review_due.strftime("%Y-%m-%d %H:%M UTC");
                format!("EMERGENCY: {reason}; the gate is overridden, review due {due}")
            }
            Record::ReviewClosed { note, signature } => {
                let signed = if signature.is_some() { ", signed" } else { "" };
                format!("review closed{signed}{}", dash(note))
            }
            Record::TakenOver { from, reason, forced } => {
                format!("taken over{} from {from}: {reason}", if *forced { " by force" } else { "" })
            }
            Record::HandedOver { to, note } if to.is_empty() => format!("handed over to the next operator: {note}"),
            Record::HandedOver { to, note } => format!("handed over to {to}: {note}"),
            Record::HandOverAccepted => "hand-over read and accepted".into(),
            Record::LeaseLost { doing, to: Some(to) } => format!("lost the tenant to {to} while {doing}; stopped"),
            Record::LeaseLost { doing, to: None } => format!("lost the tenant while {doing}; stopped"),
            Record::Touching { step, .. } => {
                format!("step {step}: the gate was judged once more, the key is being changed from here on")
            }
            Record::NotTouched { step } => {
                format!("step {step}: refused before anything was changed; the gate is in force as before")
            }
            Record::CheckSetAside { check, reason } => format!("check {check} set aside for this rotation: {reason}"),
            Record::NobodyWaived { reason } => format!("nobody is asked: {reason}"),
            Record::PersonErased { tokens, reason } => {
                format!("{} personal values of one person erased: {reason}", tokens.len())
            }
            Record::SenderAccepted { client, address, mail, alias, note } => {
                let how = match (mail, alias) {
                    (None, _) => "goes on to answer for",
                    (Some(_), true) => "answers from now on for",
                    (Some(_), false) => "is accepted once for",
                };
                format!("{address} {how} {client}{}", dash(note))
            }
            Record::DomainAccepted { from, to, note } => {
                format!("whoever was written to at {from} may answer from {to}{}", dash(note))
            }
            Record::TakenBack { what, reason } => format!("taken back: {what}: {reason}"),
            Record::WaiverKept { client } => format!("{client} stays waived for the new window"),
            Record::SessionSigned { session, .. } => format!("session {session} signed for this case"),
            Record::ForeignKept { public_key, name, .. } => {
                format!("somebody else's key {} stood under the live name; it is kept as {name}", public_key.short())
            }
            Record::SecretLeft { step, left, .. } => match left {
                Live::Missing => format!("step {step}: SECRET MISSING, nothing has the live secret's name"),
                Live::Unknown => format!("step {step}: whether anything has the live secret's name is not known"),
                Live::There => format!("step {step}: the live secret's name is held"),
            },
            Record::Refused(RefusedAct { act, why, reason }) => format!("{act} refused: {why}{}", dash(reason)),
            Record::KeyGone { role, name, instead } => format!(
                "the {} key is not in Barbican as {name} any more{}, and no record says that we removed it",
                role.word(),
                holds_instead(instead)
            ),
            Record::ForeignSeen { public_key } => {
                format!("somebody else has stored {} under the live name since the check", public_key.short())
            }
            Record::Case(body) => body.word().replace('-', " "),
            Record::CalledUnasked { places } => SecondMail::told(places).unwrap_or_default(),
            Record::Recovered { lost, reason, found } => {
                format!(
                    "gone on with after the end of the journal was lost ({lost}): {reason}; found: {}",
                    found.evidence
                )
            }
        }
    }

    /// What kind of record it is, in a word or two, and of which step: nothing personal.
    pub fn word(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if matches!(self, Record::Case(_)) {
            value = value["body"].take();
        }
        let kind = value["record"].as_str().unwrap_or("a record").replace('-', " ");
        match value["step"].as_u64() {
            Some(step) => format!("{kind}, step {step}"),
            None => kind,
        }
    }
}

/// What a look has found of a step that was interrupted. Step 6 waits for the server and does nothing to it: what it waits for
/// may be so although the step is not.
pub fn found(step: StepNumber, done: bool) -> &'static str {
    match done {
        true => "found done",
        false if step == StepNumber::RECONCILE => "looked at again",
        false => "found not done",
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}

fn dash(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" - {note}") }
}
