//! Who is to be reminded now: the silent before the window, and those of whom nothing shows that they are back after it.
//!
//! Pure; sending is `mailing`'s, and whoever watches asks.

use crate::domain::client::ClientId;
use crate::domain::gate::Standing;
use crate::domain::notice::{Delivery, Notice, NoticeKind};
use crate::domain::reminder::{Asked, Schedule};
use crate::domain::step::StepNumber;
use crate::domain::window::zone_or_utc;
use crate::engine::rotation::Rotation;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A reminder that is due at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which mail.
    pub kind: NoticeKind,
    /// To whom, and when, UTC.
    pub at: BTreeMap<ClientId, Timestamp>,
}

impl Due {
    /// Those who are to be written to by now.
    pub fn now(&self, now: Timestamp) -> Vec<ClientId> {
        self.at.iter().filter(|(_, at)| **at <= now).map(|(client, _)| client.clone()).collect()
    }

    /// The next moment at which somebody is.
    pub fn next(&self) -> Option<Timestamp> {
        self.at.values().min().copied()
    }
}

/// Who is to be reminded of what, and when. `None` where no question is open.
pub fn due(rotation: &Rotation, schedule: &Schedule) -> Option<Due> {
    if rotation.outcome.is_some() || rotation.is_cancelling() {
        return None;
    }
    let left = rotation.hand_over.as_ref().is_some_and(|left| left.accepted.is_none());
    if left {
        return None;
    }
    let (kind, first, until): (_, &[NoticeKind], _) = if rotation.applied.is_some() {
        if !rotation.step(StepNumber::RECONFIGURE).is_done() {
            return None;
        }
        (NoticeKind::AreYouBack, &[NoticeKind::Reconfigure], None)
    } else if !rotation.touched && rotation.confirmed_at.is_none() && rotation.emergency.is_none() {
        (NoticeKind::Reminder, &[NoticeKind::Announcement, NoticeKind::Change], Some(rotation.window.start))
    } else {
        return None;
    };
    let zone = zone_or_utc(&rotation.window.zone);
    let waiting = rotation.clients_to_read();
    let open = rotation.clients.iter().filter(|client| {
        // Whose mail waits for a person has answered.
        client.email.is_some()
            && !waiting.contains(&client.id)
            && !rotation.waivers.contains_key(&client.id)
            && match kind {
                NoticeKind::AreYouBack => {
                    !rotation.back.contains_key(&client.id) && !said_not_back(rotation, &client.id)
                }
                _ => rotation.acknowledgements.get(&client.id).is_none_or(|a| a.revision != rotation.window.revision),
            }
    });
    let at = open.filter_map(|client| {
        let of_client = |n: &&Notice| n.revision == rotation.window.revision && rotation.on_leg(n);
        let mails: Vec<&Notice> = rotation.notices.of(&client.id).filter(of_client).collect();
        // Somebody whose mail did not arrive is called, not reminded; an uncertain one is a person's to judge.
        let arrived = |n: &&&Notice| matches!(n.delivery, Delivery::Sent { .. });
        let asked = mails.iter().filter(|n| first.contains(&n.kind)).find(arrived)?;
        let reminders = mails.iter().filter(|n| n.kind == kind);
        let last = reminders.clone().map(|n| n.at).max().unwrap_or(asked.at).max(asked.at);
        let reminders = u32::try_from(reminders.count()).unwrap_or(u32::MAX);
        let next = schedule.next(Asked { last, reminders, until }, &zone)?;
        Some((client.id.clone(), next))
    });
    Some(Due { kind, at: at.collect() })
}

/// How somebody stands who was told and has not answered: it is no silence before it is time to ask again.
pub fn silence(rotation: &Rotation, id: &ClientId, schedule: Option<&Schedule>, now: Timestamp) -> Standing {
    let this = |n: &&Notice| n.revision == rotation.window.revision && n.kind.tells_window();
    let told = || rotation.notices.of(id).filter(this);
    let asked_again = told().any(|notice| notice.kind == NoticeKind::Reminder);
    let is_time = |schedule: &Schedule| {
        let last = told().map(|notice| notice.at).max();
        last.and_then(|last| last.checked_add(schedule.first_after).ok()).is_none_or(|due| due <= now)
    };
    let is_silent = asked_again || rotation.window.start <= now || schedule.is_some_and(is_time);
    if is_silent { Standing::Silent } else { Standing::Sent }
}

/// Whoever has said that it does not work needs help, not a reminder.
fn said_not_back(rotation: &Rotation, client: &ClientId) -> bool {
    rotation.not_back_by_word(client).is_some()
}
