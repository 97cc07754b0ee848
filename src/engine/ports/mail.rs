//! Mail as the engine needs it: writing and handing over notices, and reading the mailbox that the answers come to.

use crate::domain::fault::Fault;
use crate::domain::language::Language;
use crate::domain::letter::Incoming;
use crate::domain::notice::{Delivery, KeyTold, NoticeKind};
use crate::domain::tenant::Tenant;
use crate::domain::token::ReplyToken;
use crate::domain::window::Window;
use crate::engine::mailbox::Matched;
use crate::engine::rotation::Rotation;
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// A notice to be written.
#[derive(Clone, Debug)]
pub struct NoticeRequest<'a> {
    /// What for.
    pub kind: NoticeKind,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The person's name.
    pub client_name: &'a str,
    /// The person's address.
    pub email: &'a str,
    /// The window that it tells.
    pub window: &'a Window,
    /// Fixed before sending, with angle brackets.
    pub message_id: &'a str,
    /// The Message-ID of the first notice to this person, so that mail programs show one thread.
    pub in_reply_to: Option<&'a str>,
    /// Goes into the reply address and into the UID of the invitation.
    pub token: &'a ReplyToken,
    /// The language of the text.
    pub language: Language,
    /// Which key it tells of.
    pub key_told: KeyTold,
}

/// A mail in words that are given, with a file.
#[derive(Clone, Debug)]
pub struct Sheet<'a> {
    /// The person's name.
    pub name: &'a str,
    /// The person's address.
    pub email: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text, without the sender's name, which is put behind it.
    pub text: &'a str,
    /// Their language.
    pub language: Language,
    /// What it is about, in a word for a header.
    pub kind: &'a str,
    /// Fixed before sending, with angle brackets.
    pub message_id: &'a str,
    /// The Message-ID of the first mail to this person, so that mail programs show one thread.
    pub in_reply_to: Option<&'a str>,
    /// Goes into the reply address.
    pub token: &'a ReplyToken,
    /// The number of the question, which goes there, too.
    pub round: u32,
    /// The file's name and what is in it: text.
    pub file: (&'a str, &'a [u8]),
}

/// A written mail, not yet sent.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The text, for a preview.
    pub text: String,
    /// The address in the envelope.
    pub to: String,
    /// The sender in the envelope, to which delivery reports go.
    pub from: String,
    /// The whole message as it goes to the mail server.
    pub message: Vec<u8>,
}

/// What an operator's text leaves out that whoever reads it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// When it happens is among it: nobody can agree to what they are not told.
    pub when: bool,
    /// Which text, and what.
    pub text: String,
}

/// What has come of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// How the mail stands; never `Queued`.
    pub delivery: Delivery,
    /// The server asks to try again later. Never so of what may have been accepted.
    pub again: bool,
}

/// Mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Writes a mail from the template of its kind. A missing variable or a bad address is an error.
    fn compose(&self, request: &NoticeRequest<'_>) -> Result<Letter, Fault>;
    /// The same beside whatever else goes on, so that several are written at once.
    async fn compose_apart(&self, request: &NoticeRequest<'_>) -> Result<Letter, Fault>;
    /// Writes a mail in words that are given. A bad address is an error.
    fn write(&self, sheet: &Sheet<'_>) -> Result<Letter, Fault>;
    /// Such a mail's subject and text as it was sent.
    fn written(&self, subject: &str, text: &str) -> String;
    /// Whether the words of such a mail can be written for this person, whatever their address. The error names text, line,
    /// variable and person.
    fn can_write(&self, request: &NoticeRequest<'_>) -> Result<(), Fault>;
    /// What such a mail leaves out that whoever reads it needs; none: nothing.
    fn lacks(&self, request: &NoticeRequest<'_>) -> Option<Lack>;
    /// Whether its words can be written for everybody if they can be for one: nothing in them hangs on who it is.
    fn is_alike_for_all(&self, request: &NoticeRequest<'_>) -> bool;
    /// Subject and text of such a mail in every wording in which it may have been sent: the present texts, and the built-in ones in
    /// each language. What can't be written is left out.
    fn texts(&self, request: &NoticeRequest<'_>) -> Vec<String>;
    /// The domain for Message-IDs.
    fn message_domain(&self) -> String;
    /// Sends one, with its further tries, and waits for its end; never `Queued`. A lost answer is `Uncertain`, never `Failed`.
    async fn send(&self, letter: &Letter) -> Delivery;
    /// Hands one over, once. Between two tries nothing is held.
    async fn hand_over(&self, letter: &Letter) -> Handed;
    /// The pauses before further tries of a mail that the server puts off.
    fn pauses(&self) -> Vec<Duration>;
    /// Whether the server can be reached, TLS agreed and the password accepted; nothing is sent.
    async fn probe(&self) -> Result<(), Fault>;
    /// How far its clock was ahead of ours at its last greeting, s; none where it did not say.
    fn skew(&self) -> Option<i64>;
    /// How many may be sent at once.
    fn connections(&self) -> usize;
}

/// Up to where a folder was read. UIDs mean something only together with their UIDVALIDITY (RFC 3501 2.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// The first UID that was not read yet.
    pub next_uid: u32,
}

/// What one look into a folder gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderReading {
    /// Where the next look begins, once these mails are settled.
    pub cursor: Cursor,
    /// The mails, by UID from the lowest.
    pub mails: Vec<(u32, Incoming)>,
    /// There are more; look again with the cursor.
    pub more: bool,
    /// The server has numbered the folder anew, so that it was read from `since` on.
    pub renumbered: bool,
}

/// The mailbox that the answers come to.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// What the cursors are kept under: `user@host`.
    fn name(&self) -> String;
    /// The folders to read.
    fn folders(&self) -> Vec<String>;
    /// The mails of a folder from the cursor on, at most `most` of them. Without a cursor, or where the folder was numbered
    /// anew, those that arrived at `since` or later. With nothing new it costs one round trip. Changes nothing in the mailbox.
    async fn read(
        &self,
        folder: &str,
        from: Option<Cursor>,
        since: Timestamp,
        most: usize,
    ) -> Result<FolderReading, Fault>;
    /// Flags or moves mails that are settled, if the configuration asks for it.
    async fn settle(&self, folder: &str, uid_validity: u32, uids: &[u32]) -> Result<(), Fault>;
    /// Waits until the first folder changes (IDLE), or for its poll interval where the server has no IDLE.
    async fn wait(&self) -> Result<(), Fault>;
}

/// The mailbox as one run sees it: what has come for this rotation and was not taken in yet.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Every mail that has arrived, belongs to this rotation and is not in its journal yet, in order of arrival; each is
    /// recorded as [`Rotation::record_of`] gives it. Errs when the look failed, did not end in time or left mails waiting.
    /// Changes nothing.
    async fn waiting(&self, rotation: &Rotation, within: Duration) -> Result<Vec<Matched>, Fault>;
}
