//! Looks into the mailbox for one rotation right before its gate is judged: what has come and is not in its journal yet.
//! Nothing is taken in here, and no cursor moves: whoever looks records, and `post` meets those mails as known ones.

use super::post::{AT_ONCE, Post, read_since};
use crate::domain::client::ClientId;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::TenantId;
use crate::engine::case::core::Core;
use crate::engine::mailbox::{Index, Matched};
use crate::engine::ports::Answers;
use crate::engine::rotation::Rotation;
use crate::runtime::case::CaseMailbox;
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// The mailbox for the runs of one tenant.
pub struct Waiting {
    /// The mailbox that all tenants share, with its warm connection.
    pub post: Post,
}

#[async_trait]
impl Answers for Waiting {
    async fn waiting(&self, rotation: &Rotation, within: Duration) -> Result<Vec<Matched>, Fault> {
        match tokio::time::timeout(within, self.post.news_of(rotation)).await {
            Ok(found) => found,
            Err(_) => {
                let message = format!("{}: the look did not end within {} s", self.post.name(), within.as_secs_f32());
                let fault = Fault::new(Service::Mail, FaultKind::TimedOut, message);
                Err(fault.hint("an answer may lie there unread; look again, or see `changeguard mail sync`"))
            }
        }
    }
}

/// So long a look for a case may take.
const WITHIN: Duration = Duration::from_secs(30);

#[async_trait]
impl CaseMailbox for Waiting {
    async fn waiting(&self, subject: &TenantId, case: &Core) -> Result<Vec<Matched>, Fault> {
        let mut index = Index::new(self.post.authserv_id());
        let mails: Vec<(String, ClientId)> =
            case.letters.iter().map(|letter| (letter.message_id.clone(), ClientId(letter.person.clone()))).collect();
        index.know(subject, &mails);
        let since = read_since(Some(case.opened.at));
        let is_known = |matched: &Matched| case.said.iter().any(|said| said.mail == matched.letter.identity);
        match tokio::time::timeout(WITHIN, self.post.news(&index, since, &is_known)).await {
            Ok(found) => found,
            Err(_) => {
                let message = format!("{}: the look did not end within {} s", self.post.name(), WITHIN.as_secs());
                Err(Fault::new(Service::Mail, FaultKind::TimedOut, message)
                    .hint("an answer may lie there unread; look again, or see `changeguard mail sync`"))
            }
        }
    }
}

impl Post {
    async fn news_of(&self, rotation: &Rotation) -> Result<Vec<Matched>, Fault> {
        let mut index = Index::new(self.authserv_id());
        index.add(rotation);
        let since = read_since(Some(rotation.planned_at));
        self.news(&index, since, &|matched| rotation.knows_mail(&matched.letter.identity)).await
    }

    /// Every mail that has arrived, is in the index, and is not known yet.
    async fn news(
        &self,
        index: &Index,
        since: Timestamp,
        is_known: &(dyn Fn(&Matched) -> bool + Send + Sync),
    ) -> Result<Vec<Matched>, Fault> {
        let mut found = Vec::new();
        for folder in self.inbox().folders() {
            let mut from = self.cursor(&folder).await?;
            loop {
                let reading = self.inbox().read(&folder, from, since, AT_ONCE).await?;
                let letters = reading.mails.into_iter().filter_map(|(_, letter)| index.find(letter).ok());
                let new = letters.map(|(_, matched)| matched);
                found.extend(new.filter(|matched| !is_known(matched)));
                if !reading.more {
                    break;
                }
                if from == Some(reading.cursor) {
                    let message = format!("{}: folder {folder}: not all mails could be read", self.name());
                    let fault = Fault::new(Service::Mail, FaultKind::Refused, message);
                    return Err(
                        fault.hint("an answer may lie there unread; look again, or see `changeguard mail sync`")
                    );
                }
                from = Some(reading.cursor);
            }
        }
        Ok(found)
    }
}
