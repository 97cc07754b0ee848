//! What of the mails is not settled: whose arrival only a person can tell, who was not reached, and whether people were told
//! that the rotation is cancelled. Read off the rotation; sending is `mailing`'s.

use crate::domain::client::{Client, ClientId};
use crate::domain::notice::{Delivery, Notice, NoticeKind};
use crate::domain::step::{StepNumber, StepState};
use crate::engine::rotation::Rotation;
use serde::Serialize;

/// A mail of which only a person can say whether it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UncertainMail {
    /// Whose.
    pub client: ClientId,
    /// Their name.
    pub name: String,
    /// What for.
    pub kind: NoticeKind,
    /// Which: for `resolve --mail`.
    pub message_id: String,
}

impl Rotation {
    /// The last mail of a kind to a client for the window in force.
    pub fn notice(&self, client: &ClientId, kind: NoticeKind) -> Option<&Notice> {
        let matches = |n: &&Notice| n.kind == kind && n.revision == self.window.revision && self.on_leg(n);
        self.notices.of(client).rfind(matches)
    }

    /// A reconfigure mail of the way forward says nothing about the way back: clients need new scripts again.
    pub fn on_leg(&self, notice: &Notice) -> bool {
        match (&self.rollback, notice.kind) {
            (Some(rollback), NoticeKind::Reconfigure | NoticeKind::AreYouBack | NoticeKind::AllClear) => {
                notice.at >= rollback.at
            }
            _ => true,
        }
    }

    /// The mails of step 1 of which a client needs one, the one that counts most first.
    pub fn telling_kinds(&self) -> &'static [NoticeKind] {
        match self.emergency {
            Some(_) => &[NoticeKind::Emergency],
            None => &[NoticeKind::Change, NoticeKind::Announcement],
        }
    }

    /// Somebody was told (or may have been told) that this window is cancelled, and the rotation has not ended: only
    /// cancelling to the end, or another window that everybody is told of, is honest now.
    pub fn is_cancelling(&self) -> bool {
        let told = |n: &Notice| {
            n.kind == NoticeKind::Cancellation
                && n.revision == self.window.revision
                && !matches!(n.delivery, Delivery::Failed { .. })
        };
        self.outcome.is_none() && !self.touched && self.notices.iter().any(told)
    }

    /// The first mail whose answer was lost and on which something hangs: the announcement of somebody who has not answered,
    /// the call to reconfigure of somebody who is not back, a cancellation.
    pub fn uncertain_mail(&self) -> Option<UncertainMail> {
        let is_cancelling = self.is_cancelling();
        self.clients
            .iter()
            .filter_map(|client| Some((client, self.mail_that_counts(client, is_cancelling)?)))
            .filter(|(client, mail)| self.hangs_on(mail.kind, &client.id))
            .find(|(_, mail)| matches!(mail.delivery, Delivery::Uncertain { .. }))
            .map(|(client, mail)| UncertainMail {
                client: client.id.clone(),
                name: client.name.clone(),
                kind: mail.kind,
                message_id: mail.message_id.clone(),
            })
    }

    /// Something still hangs on whether a mail of this kind reaches the client: not for the waived, not for a window to which
    /// they have answered, and not for a key that they already use.
    pub fn hangs_on(&self, kind: NoticeKind, client: &ClientId) -> bool {
        let answered = || self.acknowledgements.get(client).is_some_and(|a| a.revision == self.window.revision);
        let is_settled = match kind {
            NoticeKind::Reconfigure => self.back.contains_key(client),
            kind if kind.tells_window() => answered(),
            _ => false,
        };
        !is_settled && !self.waivers.contains_key(client)
    }

    /// Who has an address, is not back and not waived, and surely has no call to reconfigure on this leg.
    pub fn not_called(&self) -> Vec<&Client> {
        let called = |client: &&Client| {
            let mail = self.notice(&client.id, NoticeKind::Reconfigure);
            mail.is_some_and(|mail| !matches!(mail.delivery, Delivery::Failed { .. } | Delivery::Bounced { .. }))
        };
        let open = |client: &&Client| client.email.is_some() && !called(client) && !self.is_gone(client);
        self.not_back().into_iter().filter(open).collect()
    }

    /// The first step that a run has left without saying what became of it.
    pub fn interrupted(&self) -> Option<StepNumber> {
        StepNumber::ALL.into_iter().find(|step| matches!(self.step(*step), StepState::Interrupted { .. }))
    }

    /// Told in this rotation, and at the last look named by no place, all of which answered.
    pub fn is_gone(&self, client: &Client) -> bool {
        client.sources.is_empty() && self.unseen.is_empty()
    }

    fn mail_that_counts(&self, client: &Client, is_cancelling: bool) -> Option<&Notice> {
        if self.touched {
            return self.notice(&client.id, NoticeKind::Reconfigure);
        }
        if is_cancelling {
            return self.notice(&client.id, NoticeKind::Cancellation);
        }
        let tells = |n: &&Notice| n.revision == self.window.revision && n.kind.tells_window();
        self.notices.of(&client.id).rfind(tells)
    }
}
