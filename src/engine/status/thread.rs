//! What went to and fro with one client, line by line: our mails, theirs, and what an operator made of them.

use super::TenantStatus;
use crate::domain::client::ClientId;
use crate::domain::notice::Delivery;
use crate::engine::mailbox::ReadMail;
use jiff::Timestamp;

/// One mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadLine {
    /// When, UTC.
    pub at: Timestamp,
    /// It came from them.
    pub from_client: bool,
    /// In words.
    pub text: String,
    /// A few lines of it.
    pub evidence: Vec<String>,
    /// The mail's digest, if a person must read it still.
    pub to_decide: Option<String>,
}

impl TenantStatus {
    /// The mails that a person must read still: behind an end, too, but none of what was called off.
    pub fn to_read(&self) -> impl Iterator<Item = &ReadMail> {
        let all = self.mails.iter().enumerate();
        all.filter(|(at, mail)| mail.is_to_read(*at, self.read_from)).map(|(_, mail)| mail)
    }

    /// The thread with a client, oldest first.
    pub fn thread(&self, client: &ClientId) -> Vec<ThreadLine> {
        let sent = self.notices.iter().filter(|notice| notice.client == *client).map(|notice| {
            let reply = match &notice.delivery {
                Delivery::Queued => String::new(),
                Delivery::Sent { reply } | Delivery::Failed { reply, .. } | Delivery::Bounced { reply } => {
                    reply.clone()
                }
                Delivery::Uncertain { why } => why.clone(),
            };
            let text = format!("{} (revision {}): {}", notice.kind.word(), notice.revision, notice.delivery.word());
            let evidence = Some(reply).filter(|reply| !reply.is_empty()).into_iter().collect();
            ThreadLine { at: notice.at, from_client: false, text, evidence, to_decide: None }
        });
        let came = self.mails.iter().enumerate().filter(|(_, mail)| mail.client == *client).map(|(at, mail)| {
            let mut text = mail.heard.verdict.to_string();
            if let Some(decision) = &mail.decision {
                text.push_str(&format!("; read by a person: {}", decision.word()));
            }
            let marks = mail.heard.marks.iter().map(|mark| format!("({mark})"));
            ThreadLine {
                at: mail.at,
                from_client: true,
                text,
                evidence: mail.heard.evidence.iter().cloned().chain(marks).collect(),
                to_decide: mail.is_to_read(at, self.read_from).then(|| mail.mail.clone()),
            }
        });
        let mut lines: Vec<ThreadLine> = sent.chain(came).collect();
        lines.sort_by_key(|line| line.at);
        lines
    }
}
