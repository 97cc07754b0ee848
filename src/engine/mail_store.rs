//! The port of what is remembered of the mailbox: up to where each folder was read, and the mails that belong to nobody.

use crate::domain::fault::Fault;
use crate::engine::ports::Cursor;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

/// A mail that belongs to no client, for the operator to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stray {
    /// What recognises it.
    pub mail: String,
    /// When it was read, UTC.
    pub at: Timestamp,
    /// The folder and the UID in it.
    pub place: String,
    /// The sender's address.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// Why it belongs to nobody.
    pub why: String,
}

/// Kept beside the journal, shared by all bastions.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Up to where a folder was read.
    async fn cursor(&self, mailbox: &str, folder: &str) -> Result<Option<Cursor>, Fault>;
    /// Puts the cursor forward; it never goes back within one UIDVALIDITY.
    async fn advance(&self, mailbox: &str, folder: &str, cursor: Cursor) -> Result<(), Fault>;
    /// Keeps mails that belong to nobody, each once, all in one write. Only the newest 500 are kept.
    async fn keep_strays(&self, mailbox: &str, strays: &[Stray]) -> Result<(), Fault>;
    /// Those that are kept, newest first.
    async fn strays(&self, mailbox: &str) -> Result<Vec<Stray>, Fault>;
    /// Takes one off the list; `false` if it was not on it.
    async fn forget_stray(&self, mailbox: &str, mail: &str) -> Result<bool, Fault>;
}
