//! `ack` and `waive` on the command line: what an operator records of a client, and takes back.

use super::TenantArg;
use super::act::BadUsage;
use super::consent::NamedArg;
use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::client::ClientId;
use crate::domain::sanitize::sanitize;
use crate::engine::command::Command;
use crate::engine::hearing::Withdrawal;
use clap::{Args, ValueEnum};

/// An answer.
#[derive(Debug, Args)]
pub struct AckVerb {
    /// Which tenant
    #[command(flatten)]
    tenant: TenantArg,
    /// The client's id
    client: String,
    /// What was answered
    #[arg(long, value_enum, default_value = "confirmed")]
    answer: AnswerArg,
    /// The time that the client proposes, with --answer other-time
    #[arg(long, default_value = "")]
    proposal: String,
    /// How it reached you
    #[arg(long, value_enum, required_unless_present = "take_back")]
    by: Option<ChannelArg>,
    /// A note
    #[arg(long, default_value = "")]
    note: String,
    /// Take back the answer that was recorded last: the one before counts again
    #[arg(long, requires = "reason", conflicts_with_all = ["answer", "by", "note", "proposal"])]
    take_back: bool,
    /// Why it is taken back
    #[arg(long, requires = "take_back")]
    reason: Option<String>,
}

/// A waiver.
#[derive(Debug, Args)]
pub struct WaiveVerb {
    /// Which tenant
    #[command(flatten)]
    pub(super) tenant: NamedArg,
    /// The client's id; none, with --keep, is everybody who was waived for the window before
    #[arg(required_unless_present = "keep")]
    client: Option<String>,
    /// Why
    #[arg(long, required_unless_present = "keep")]
    reason: Option<String>,
    /// Take the waiver back
    #[arg(long, conflicts_with = "keep")]
    take_back: bool,
    /// Let the waiver that was given for the window before count for this one
    #[arg(long, conflicts_with = "reason")]
    keep: bool,
}

/// What was answered.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AnswerArg {
    /// Aware and ready
    Confirmed,
    /// No
    Declined,
    /// Perhaps
    Tentative,
    /// Another time: see --proposal
    OtherTime,
}

/// How an answer reached you.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ChannelArg {
    /// By telephone
    Phone,
    /// By chat
    Chat,
    /// By mail
    Mail,
}

impl AckVerb {
    /// The tenant as typed, and the command.
    pub fn command(self) -> Result<(String, Command), BadUsage> {
        let client = ClientId(self.client);
        let command = match (self.take_back, self.by) {
            (true, _) => {
                Command::TakeBack { what: Withdrawal::Answer { client }, reason: self.reason.unwrap_or_default() }
            }
            (false, None) => return Err(BadUsage("say how it reached you: --by".into())),
            (false, Some(by)) => {
                let answer = match self.answer {
                    AnswerArg::Confirmed => Answer::Confirmed,
                    AnswerArg::Declined => Answer::Declined,
                    AnswerArg::Tentative => Answer::Tentative,
                    AnswerArg::OtherTime => Answer::OtherTime(sanitize(&self.proposal)),
                };
                let channel = match by {
                    ChannelArg::Phone => Channel::Phone,
                    ChannelArg::Chat => Channel::Chat,
                    ChannelArg::Mail => Channel::Mail,
                };
                Command::Answer { client, answer, channel, note: sanitize(&self.note) }
            }
        };
        Ok((self.tenant.tenant, command))
    }
}

impl WaiveVerb {
    /// The tenant as typed, and the command.
    pub fn command(self) -> Result<(String, Command), BadUsage> {
        let client = self.client.map(ClientId);
        let reason = self.reason.unwrap_or_default();
        let command = match (client, self.keep, self.take_back) {
            (client, true, _) => Command::KeepWaiver { only: client.map(|client| vec![client]) },
            (None, false, _) => return Err(BadUsage("name the client".into())),
            (Some(client), false, true) => Command::TakeBack { what: Withdrawal::Waiver { client }, reason },
            (Some(client), false, false) => Command::Waive { client, reason },
        };
        Ok((self.tenant.tenant, command))
    }
}
