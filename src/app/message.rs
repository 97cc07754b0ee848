//! What the model can be told and what it can ask for; leaves doing it to the runtime.

use crate::app::confirm::Order;
use crate::app::confirm::case::CaseOrder;
use crate::app::dialog::rehearse::{Mishap, Switch};
use crate::app::failure::Failure;
use crate::app::keymap::Key;
use crate::domain::client::ClientId;
use crate::domain::fault::Fault;
use crate::domain::notice::NoticeKind;
use crate::domain::tenant::{Tenant, TenantId};
use crate::engine::case::status::Status;
use crate::engine::sources::Looked;
use crate::engine::status::TenantStatus;
use crate::engine::step::Progress;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// One mail as it will be sent, for reading before it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// To whom.
    pub client: ClientId,
    /// Name and address as in the header.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text, lines parted by `\n`.
    pub body: String,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted; never a command.
    Paste(String),
    /// The terminal has another size: columns, rows.
    Resize(u16, u16),
    /// It is this late now, UTC. Sent with every batch of messages and when [`crate::app::Model::wakes_in`] is over.
    Tick(Timestamp),
    /// The tenants that there are, and why some may be missing.
    Fleet {
        /// All known tenants.
        tenants: Vec<Tenant>,
        /// Why the list may be incomplete.
        fault: Option<Fault>,
    },
    /// What is true of a tenant now.
    Status(Arc<TenantStatus>),
    /// The subjects that there are besides tenants.
    Subjects(Vec<TenantId>),
    /// What is true of one of them now.
    Case(TenantId, Arc<Status>),
    /// A look that [`Effect::Look`] asked for has ended; what it saw came before as `Status`.
    Looked(TenantId, Looked),
    /// A command has begun.
    JobStarted {
        /// Where.
        tenant: TenantId,
        /// Its word: `rotate`.
        what: String,
    },
    /// A command has come this far.
    Progress {
        /// Where.
        tenant: TenantId,
        /// How far.
        progress: Progress,
    },
    /// A command has ended: one for each [`Effect::Run`].
    JobEnded {
        /// Where.
        tenant: TenantId,
        /// What was achieved, or why not.
        result: Result<String, Failure>,
    },
    /// The letters that [`Effect::Preview`] asked for.
    Preview {
        /// Where.
        tenant: TenantId,
        /// Which kind.
        kind: NoticeKind,
        /// One letter for each client who has not got it, or why there are none.
        letters: Result<Vec<Letter>, Failure>,
    },
    /// Something worth a line.
    Info(String),
    /// The lab's answer to [`Effect::Rehearse`]: its mishaps, and what it said or why it could not be asked.
    Rehearsed(Vec<Mishap>, Result<String, String>),
    /// What the embedded lab did (a client reconfigured, a server took a key).
    LabSaid(String),
    /// Something that stays on the screen until it is over (`None`): the journal can't be written, a lease was lost.
    Alarm(Option<String>),
    /// The terminal is gone or a signal asks for the end: leave without a question.
    LinkLost,
    /// All tenants were looked at, and how long that took: so old may be what the fleet shows.
    Swept(Duration),
}

/// Something to do. The runtime carries it out and answers with messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Carry out a command, after those asked for earlier for the same tenant; answered by one `JobEnded`.
    Run(Order),
    /// Carry an order out at the desk of a subject that is no tenant; answered by one `JobEnded`.
    Begin(CaseOrder),
    /// Look at everything outside now; answered by `Status` and then by `Looked`.
    Look(TenantId),
    /// This tenant is on the screen: look at it often (`None`: none is).
    Watch(Option<TenantId>),
    /// Compose the letters of a kind without sending; answered by `Preview`.
    Preview(TenantId, NoticeKind),
    /// Let something go wrong in the lab, or ask what does; answered by `Rehearsed`.
    Rehearse(Option<Switch>),
    /// Put public data on the operator's clipboard (OSC 52).
    Copy(String),
    /// What was waited for has come: tell it, in the manner that was asked for.
    Notify(String),
    /// End the program.
    Quit,
    /// Ctrl-Z.
    Suspend,
    /// Paint the whole screen again.
    Redraw,
}
