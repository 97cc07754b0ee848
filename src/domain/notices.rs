//! All mails of one rotation in the order in which they were queued, found by Message-ID and by person without a look through
//! the others. What one mail is, is `notice`.

use crate::domain::acknowledgement::Acknowledgement;
use crate::domain::client::ClientId;
use crate::domain::notice::{Delivery, Notice};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, btree_map};

/// The mails of a rotation.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    in_order: BTreeMap<u64, Notice>,
    /// The place of the next one.
    next: u64,
    by_id: HashMap<String, u64>,
    /// The places of each person's, ascending.
    of: HashMap<ClientId, Vec<u64>>,
    /// Those that came back: the number of the record that says so.
    bounced: HashMap<String, u64>,
}

impl Notices {
    /// All of them, in their order.
    pub fn iter(&self) -> btree_map::Values<'_, u64, Notice> {
        self.in_order.values()
    }

    /// Those to one person, in their order.
    pub fn of(&self, client: &ClientId) -> impl DoubleEndedIterator<Item = &Notice> + Clone {
        self.of.get(client).into_iter().flatten().filter_map(|place| self.in_order.get(place))
    }

    /// One by its Message-ID.
    pub fn get(&self, message_id: &str) -> Option<&Notice> {
        self.in_order.get(self.by_id.get(message_id)?)
    }

    /// None was ever queued.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// Takes one in as the last; the same mail, tried before, is this one now.
    pub fn queue(&mut self, notice: Notice) {
        if let Some(before) = self.by_id.remove(&notice.message_id)
            && let Some(earlier) = self.in_order.remove(&before)
            && let Some(places) = self.of.get_mut(&earlier.client)
        {
            places.retain(|place| *place != before);
        }
        let place = self.next;
        self.next += 1;
        self.by_id.insert(notice.message_id.clone(), place);
        self.of.entry(notice.client.clone()).or_default().push(place);
        self.in_order.insert(place, notice);
    }

    /// How a mail stands since a moment.
    pub fn stands(&mut self, message_id: &str, delivery: Delivery, at: Timestamp) {
        let notice = self.by_id.get(message_id).and_then(|place| self.in_order.get_mut(place));
        if let Some(notice) = notice {
            (notice.delivery, notice.at) = (delivery, at);
        }
    }

    /// A mail came back, as the record of this number says.
    pub fn bounces(&mut self, message_id: &str, reply: String, at: Timestamp, seq: u64) {
        self.bounced.insert(message_id.to_owned(), seq);
        self.stands(message_id, Delivery::Bounced { reply }, at);
    }

    /// Whether this mail has come back, and the person was not heard of behind that. Of two mails of one moment the order in
    /// which they were read decides.
    pub fn is_bounced(&self, notice: &Notice, heard: Option<&Acknowledgement>) -> bool {
        let is_behind = |ack: &Acknowledgement| match (ack.read_as, self.bounced.get(&notice.message_id)) {
            (Some(read), Some(bounced)) => read > *bounced,
            _ => ack.reached_at() >= notice.at,
        };
        matches!(notice.delivery, Delivery::Bounced { .. }) && !heard.is_some_and(is_behind)
    }

    /// Whatever was being sent is uncertain now: nobody is there any more who could record the answer.
    pub fn interrupt(&mut self, why: &str) {
        for notice in self.in_order.values_mut().filter(|notice| notice.delivery == Delivery::Queued) {
            notice.delivery = Delivery::Uncertain { why: why.to_owned() };
        }
    }
}

impl<'a> IntoIterator for &'a Notices {
    type Item = &'a Notice;
    type IntoIter = btree_map::Values<'a, u64, Notice>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Notice> for Notices {
    fn from_iter<I: IntoIterator<Item = Notice>>(all: I) -> Self {
        let mut notices = Self::default();
        all.into_iter().for_each(|notice| notices.queue(notice));
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::NoticeKind;

    fn notice(client: &str, message_id: &str) -> Notice {
        let (client, kind, delivery) = (ClientId(client.into()), NoticeKind::Announcement, Delivery::Queued);
        let (email, message_id, at) = (String::new(), message_id.into(), Timestamp::UNIX_EPOCH);
        Notice { client, email, kind, revision: 1, message_id, delivery, at }
    }

    fn ids<'a>(notices: impl Iterator<Item = &'a Notice>) -> Vec<&'a str> {
        notices.map(|notice| notice.message_id.as_str()).collect()
    }

    #[test]
    fn a_mail_that_is_tried_again_is_the_same_one_and_the_last() {
        let mut notices: Notices = [notice("ada", "1"), notice("bob", "2"), notice("ada", "3")].into_iter().collect();
        notices.stands("1", Delivery::Failed { permanent: false, reply: "450".into() }, Timestamp::UNIX_EPOCH);
        notices.queue(notice("ada", "1"));
        assert_eq!(ids(notices.iter()), ["2", "3", "1"]);
        assert_eq!(ids(notices.of(&ClientId("ada".into()))), ["3", "1"]);
        assert_eq!(notices.get("1").map(|notice| &notice.delivery), Some(&Delivery::Queued));
        assert_eq!(ids(notices.of(&ClientId("eve".into()))), [""; 0]);
    }

    #[test]
    fn only_what_was_being_sent_is_uncertain_afterwards() {
        let mut notices: Notices = [notice("ada", "1"), notice("bob", "2")].into_iter().collect();
        notices.stands("1", Delivery::Sent { reply: "250".into() }, Timestamp::UNIX_EPOCH);
        notices.interrupt("it ended");
        let words: Vec<&str> = notices.iter().map(|notice| notice.delivery.word()).collect();
        assert_eq!(words, ["sent", "uncertain"]);
    }
}
