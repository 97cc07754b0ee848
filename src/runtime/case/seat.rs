//! What a desk is made of besides its runbook's world.

use super::Onlooker;
use crate::domain::fault::Fault;
use crate::domain::language::Language;
use crate::domain::tenant::TenantId;
use crate::engine::case::core::Core;
use crate::engine::journal::{Holder, JournalStore};
use crate::engine::mailbox::Matched;
use crate::engine::ports::{Clock, Entropy, Mailer};
use crate::engine::record::Actor;
use crate::engine::reply_key::ReplyKey;
use crate::runtime::fence::LeaseFence;
use async_trait::async_trait;
use std::sync::Arc;

/// What a desk is made of besides its runbook's world.
pub struct Seat {
    /// `kind/name`.
    pub subject: String,
    /// What is typed to confirm.
    pub name: String,
    /// The same as a key of the store.
    pub key: TenantId,
    /// The journal.
    pub store: Arc<dyn JournalStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who works here.
    pub me: Holder,
    /// Who writes.
    pub actor: Actor,
    /// The right to change something outside.
    pub fence: Arc<LeaseFence>,
    /// Who sits before it.
    pub onlooker: Arc<dyn Onlooker>,
    /// How its mails are sent; none where nothing is mailed.
    pub postman: Option<Postman>,
}

/// How the mails of a subject are sent, and by which key their answers are known.
#[derive(Clone)]
pub struct Postman {
    /// Sends, behind the subject's fence.
    pub mailer: Arc<dyn Mailer>,
    /// Makes tokens and Message-IDs.
    pub key: Arc<ReplyKey>,
    /// The language of the mails.
    pub language: Language,
    /// Where the answers come; none where no mailbox is read.
    pub mailbox: Option<Arc<dyn CaseMailbox>>,
}

/// The mailbox as one case sees it.
#[async_trait]
pub trait CaseMailbox: Send + Sync {
    /// Every mail that has arrived, belongs to this case and is not in its journal yet, in order of arrival. Changes nothing. Errs where
    /// mails may lie there unread.
    async fn waiting(&self, subject: &TenantId, case: &Core) -> Result<Vec<Matched>, Fault>;
}
