//! How one person stands: judged once, and said alike by the gate, the screen and `--json`.

use super::{PeoplePart, Reason};
use crate::domain::acknowledgement::{Acknowledgement, Answer, Waiver};
use crate::domain::client::Client;
use crate::domain::notice::{Delivery, Notice, NoticeKind};
use serde::Serialize;

/// How one client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Not told of this window yet.
    ToTell,
    /// The mail is journaled and not yet handed over.
    Queued,
    /// The mail was refused or deferred.
    NotDelivered,
    /// The mail was accepted, and returned later.
    Bounced,
    /// The mail may or may not have been accepted.
    Uncertain,
    /// An answer came that a person must read.
    ToRead,
    /// Told, and it is not time yet to ask again.
    Sent,
    /// Told, no answer.
    Silent,
    /// Answered an earlier revision.
    OldAnswer,
    /// Answered no.
    Declined,
    /// Answered perhaps.
    Tentative,
    /// Proposes another time.
    OtherTime,
    /// Confirmed this revision.
    Confirmed,
    /// Excepted by the operator.
    Waived,
}

impl Standing {
    /// The words on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Standing::ToTell => "to tell",
            Standing::Queued => "queued",
            Standing::NotDelivered => "not delivered",
            Standing::Bounced => "bounced",
            Standing::Uncertain => "uncertain",
            Standing::ToRead => "to read",
            Standing::Sent => "sent",
            Standing::Silent => "silent",
            Standing::OldAnswer => "old answer",
            Standing::Declined => "declined",
            Standing::Tentative => "tentative",
            Standing::OtherTime => "other time",
            Standing::Confirmed => "confirmed",
            Standing::Waived => "waived",
        }
    }

    /// Answered, and did not agree.
    pub fn is_not_agreed(self) -> bool {
        matches!(self, Standing::Declined | Standing::Tentative | Standing::OtherTime)
    }

    /// The mail is not there.
    pub fn is_not_delivered(self) -> bool {
        matches!(self, Standing::NotDelivered | Standing::Bounced)
    }

    /// Told, and nothing came so far.
    pub fn is_unanswered(self) -> bool {
        matches!(self, Standing::Sent | Standing::Silent)
    }

    /// Whether this client keeps the gate open.
    pub fn is_settled(self) -> bool {
        matches!(self, Standing::Confirmed | Standing::Waived)
    }
}

/// How a person stands, with what it is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand<'a> {
    /// Excepted.
    Waived(&'a Waiver),
    /// A mail of theirs must be read by a person; and the mail of this window, if it came back.
    ToRead(Option<&'a Notice>),
    /// The mail of this window has not surely arrived.
    Undelivered(&'a Notice),
    /// Their answer to this revision.
    Answered(&'a Acknowledgement),
    /// Their answer to an earlier one, and whether they were told of this one.
    OldAnswer(&'a Acknowledgement, bool),
    /// The mail of this window is accepted, and nothing came.
    Silent(&'a Notice),
    /// Nothing was sent for this window.
    Untold,
}

impl<'a> Stand<'a> {
    /// Judges one person: what is written last by them counts most, then what a mail server said.
    pub fn of(client: &Client, revision: u32, people: &PeoplePart<'a>) -> Self {
        if let Some(waiver) = people.waivers.get(&client.id) {
            return Stand::Waived(waiver);
        }
        // A reminder that was refused takes nothing back: the mail before it has told.
        let void = |n: &Notice| n.kind == NoticeKind::Reminder && matches!(n.delivery, Delivery::Failed { .. });
        let told = |n: &&Notice| n.revision == revision && n.kind.tells_window() && !void(n);
        let mut mails = people.notices.of(&client.id).filter(told);
        let last = mails.next_back();
        let sent = |n: &&Notice| matches!(n.delivery, Delivery::Sent { .. });
        let told = match last.map(|last| (&last.delivery, last.kind)) {
            // The same window once more, being sent or not delivered, takes nothing back either.
            Some((Delivery::Queued | Delivery::Failed { .. }, kind)) if kind != NoticeKind::Emergency => {
                mails.rfind(sent).or(last)
            }
            _ => last,
        };
        let answered = people.acknowledgements.get(&client.id);
        // Whoever answers after a bounce has been reached in another way.
        let bounced = told.filter(|notice| people.notices.is_bounced(notice, answered));
        if people.to_read.contains(&client.id) {
            return Stand::ToRead(bounced);
        }
        if let Some(notice) = bounced {
            return Stand::Undelivered(notice);
        }
        match (answered, told) {
            (Some(ack), _) if ack.revision == revision => Stand::Answered(ack),
            (Some(ack), told) => Stand::OldAnswer(ack, told.is_some()),
            (None, Some(notice)) if matches!(notice.delivery, Delivery::Sent { .. }) => Stand::Silent(notice),
            (None, Some(notice)) => Stand::Undelivered(notice),
            (None, None) => Stand::Untold,
        }
    }

    /// In one word.
    pub fn standing(self) -> Standing {
        match self {
            Stand::Waived(_) => Standing::Waived,
            Stand::ToRead(_) => Standing::ToRead,
            Stand::Undelivered(notice) => match notice.delivery {
                Delivery::Bounced { .. } => Standing::Bounced,
                Delivery::Uncertain { .. } => Standing::Uncertain,
                Delivery::Failed { .. } => Standing::NotDelivered,
                Delivery::Queued => Standing::Queued,
                Delivery::Sent { .. } => Standing::Sent,
            },
            Stand::Answered(ack) => match ack.answer {
                Answer::Confirmed => Standing::Confirmed,
                Answer::Declined => Standing::Declined,
                Answer::Tentative => Standing::Tentative,
                Answer::OtherTime(_) => Standing::OtherTime,
            },
            Stand::OldAnswer(..) => Standing::OldAnswer,
            Stand::Silent(_) => Standing::Silent,
            Stand::Untold => Standing::ToTell,
        }
    }

    /// Why this person keeps the gate shut, if they do: a mail that came back stays a reason beside one that is to be read.
    pub fn reasons(self, client: &Client) -> impl Iterator<Item = Reason> {
        let bounced = match self {
            Stand::ToRead(Some(notice)) => Stand::Undelivered(notice).reason(client),
            _ => None,
        };
        self.reason(client).into_iter().chain(bounced)
    }

    fn reason(self, client: &Client) -> Option<Reason> {
        let (id, name) = (client.id.clone(), client.name.clone());
        Some(match self {
            Stand::Waived(_) => return None,
            Stand::ToRead(_) => Reason::ToRead { client: id, name },
            Stand::Undelivered(notice) => {
                let (delivery, dead) = (notice.delivery.word().to_owned(), notice.came_back_from(client));
                Reason::NotDelivered { client: id, name, delivery, dead }
            }
            Stand::Answered(ack) => match &ack.answer {
                Answer::Confirmed => return None,
                Answer::OtherTime(when) => {
                    Reason::NotConfirmed { client: id, name, answer: format!("other time: {when}") }
                }
                answer => Reason::NotConfirmed { client: id, name, answer: answer.word().to_owned() },
            },
            Stand::OldAnswer(ack, told) => Reason::OldAnswer { client: id, name, revision: ack.revision, told },
            Stand::Silent(_) => Reason::NoAnswer { client: id, name },
            Stand::Untold if client.email.is_none() => Reason::NoAddress { client: id, name },
            Stand::Untold => Reason::NotTold { client: id, name },
        })
    }

    /// In words: the answer and its channel, the waiver's reason, the mail server's reply.
    pub fn detail(self) -> String {
        let answer = |ack: &Acknowledgement| {
            let note = if ack.note.is_empty() { String::new() } else { format!(": {}", ack.note) };
            match &ack.answer {
                Answer::OtherTime(when) => format!("other time: {when} (by {}){note}", ack.channel.word()),
                answer => format!("{} (by {}){note}", answer.word(), ack.channel.word()),
            }
        };
        match self {
            Stand::Waived(waiver) => waiver.reason.clone(),
            Stand::Answered(ack) => answer(ack),
            Stand::OldAnswer(ack, _) => format!("to revision {}: {}", ack.revision, answer(ack)),
            Stand::Silent(notice) => format!("{} sent", notice.kind.word()),
            Stand::Undelivered(notice) => match &notice.delivery {
                Delivery::Failed { reply, .. } | Delivery::Bounced { reply } => reply.clone(),
                Delivery::Uncertain { why } => why.clone(),
                Delivery::Queued | Delivery::Sent { .. } => "being sent".into(),
            },
            Stand::ToRead(Some(notice)) => {
                format!("the mail to them is bounced: {}", Stand::Undelivered(notice).detail())
            }
            Stand::ToRead(None) | Stand::Untold => String::new(),
        }
    }
}
