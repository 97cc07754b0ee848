//! The journal's records: everything that ever happened to a rotation, in the order in which it happened.
//!
//! Versioned and append-only. A record holds no secret: keys are public keys, hrefs and names.

mod entry;
mod summary;
mod values;

pub use entry::Entry;
pub use summary::found;
use values::first_scheme;
pub use values::{
    Actor, Applied, BackSource, CASE_VERSION, COPY_STAYS, CaseBody, Cause, KeyLeft, ObjectChanged, Outcome,
    PUTTING_RIGHT, RECORD_VERSION, RefusedAct, RotationId, SEEN_SINCE, STARTING_TOUCHED, Swapped,
};

use crate::domain::acknowledgement::{Answer, Channel};
use crate::domain::client::{Client, ClientId};
use crate::domain::fault::Fault;
use crate::domain::key::{KeyRole, PublicKey};
use crate::domain::notice::{Delivery, NoticeKind};
use crate::domain::preflight::Preflight;
use crate::domain::reply::Heard;
use crate::domain::secret_shape::SecretShape;
use crate::domain::step::StepNumber;
use crate::domain::tenant::Tenant;
use crate::domain::window::Window;
use crate::engine::acts::Author;
use crate::engine::mailbox::{Decision, Doubt};
use crate::engine::{
    hearing::Withdrawal, journal::Holder, ports::SecretRef, recovery::Found, truth::Live, witness::Lost,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// The first record: what is going to be rotated, when, why, and for whom.
    Planned {
        /// The rotation's id.
        rotation: RotationId,
        /// The tenant as configured or discovered.
        tenant: Tenant,
        /// The window, revision 1.
        window: Window,
        /// Why.
        cause: Cause,
        /// A ticket or incident, as typed.
        reference: String,
        /// What the last end has left, as long as nothing is touched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left: Option<KeyLeft>,
    },
    /// The window was changed; its revision is higher, earlier answers are void.
    Rescheduled {
        /// The window.
        window: Window,
    },
    /// Everybody who will be cut off, as seen at this moment.
    PeopleSeen {
        /// The people.
        clients: Vec<Client>,
        /// The places that know people and could not be asked, with why: the people may not be all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unseen: Vec<String>,
    },
    /// A mail is about to be handed over. Its Message-ID is fixed here, before sending.
    NoticeQueued {
        /// To whom.
        client: ClientId,
        /// The address.
        email: String,
        /// What for.
        kind: NoticeKind,
        /// The window's revision.
        revision: u32,
        /// The Message-ID, with angle brackets.
        message_id: String,
    },
    /// The mail server answered, or did not.
    NoticeDelivery {
        /// Which mail.
        message_id: String,
        /// How it stands now.
        #[serde(flatten)]
        delivery: Delivery,
    },
    /// An operator decided what became of an uncertain mail.
    NoticeResolved {
        /// Which mail.
        message_id: String,
        /// `true`: it did arrive; `false`: it did not, and may be sent again.
        arrived: bool,
        /// How the operator knows.
        reason: String,
    },
    /// A client's answer, recorded.
    Answered {
        /// Who.
        client: ClientId,
        /// The revision that was answered.
        revision: u32,
        /// What.
        #[serde(flatten)]
        answer: Answer,
        /// How it reached us.
        channel: Channel,
        /// The operator's note.
        note: String,
    },
    /// An exception for one client.
    Waived {
        /// Who.
        client: ClientId,
        /// Why.
        reason: String,
    },
    /// A run of step 2 ended.
    Checked {
        /// What it found.
        preflight: Preflight,
    },
    /// An operator started the rotation by typing the tenant's name; the gate was open.
    RotateConfirmed {
        /// Who was waived at that moment.
        waived: Vec<ClientId>,
        /// Who had approved the plan, where that is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved_by: Option<String>,
        /// The operator's own connection runs through the tunnel, and they typed the name once more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        through_tunnel: bool,
        /// The signature of who rotates over the plan that was approved, where operators sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A step begins. Durable before the step touches the world.
    StepStarted {
        /// Which.
        step: StepNumber,
    },
    /// A step ended well. Durable before the next is considered.
    StepSucceeded {
        /// Which.
        step: StepNumber,
        /// One line that proves it.
        evidence: String,
    },
    /// A step ended badly; it may be tried again.
    StepFailed {
        /// Which.
        step: StepNumber,
        /// Why.
        fault: Fault,
    },
    /// A probe, or an operator with a reason, said what became of an interrupted step.
    StepResolved {
        /// Which.
        step: StepNumber,
        /// Whether it is done.
        done: bool,
        /// What the probe saw, or the operator's reason.
        evidence: String,
    },
    /// A key is about to be stored under a name of its own. Durable before it is stored, so that it is never lost.
    KeyKeeping {
        /// Which key.
        role: KeyRole,
        /// Its public half.
        public_key: PublicKey,
        /// The secret's name.
        name: String,
    },
    /// A key is stored under a name of its own and was read back.
    KeyKept {
        /// Which key.
        role: KeyRole,
        /// Its public half.
        public_key: PublicKey,
        /// The secret's name.
        name: String,
        /// Where.
        href: SecretRef,
    },
    /// There was no previous key to keep: no secret, or none that is a key.
    PreviousMissing {
        /// Why.
        why: String,
    },
    /// The attributes of the live secret before the rotation, which every replacement carries over.
    ShapeSeen {
        /// The attributes.
        shape: SecretShape,
    },
    /// The secret was replaced.
    Swapped(Swapped),
    /// The object's field was changed.
    ObjectChanged(ObjectChanged),
    /// The live key was first seen on the interface.
    Applied(Applied),
    /// The expected alert of the tenant is silenced, or its silence was extended.
    Silenced {
        /// The silence's id.
        id: String,
        /// When it ends by itself, UTC.
        until: Timestamp,
    },
    /// The silence was ended, or has ended by itself.
    SilenceEnded {
        /// The silence's id.
        id: String,
        /// Why.
        why: String,
        /// Whether the alert still fired right before; none if that could not be seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still_firing: Option<bool>,
    },
    /// A mail of a client was read from the mailbox.
    MailRead {
        /// Whose.
        client: ClientId,
        /// What recognises the mail, hex: it is never taken in twice.
        mail: String,
        /// The sender's address.
        from: String,
        /// What it says, with its evidence.
        #[serde(flatten)]
        heard: Heard,
        /// The Message-ID of ours that it refers to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
        /// Why it is not taken for the client's own word as it stands, and what it says if that is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<Doubt>,
    },
    /// An operator read a mail that the program could not judge.
    MailDecided {
        /// Whose.
        client: ClientId,
        /// Which mail.
        mail: String,
        /// What it means.
        #[serde(flatten)]
        decision: Decision,
        /// A note.
        note: String,
    },
    /// A client was found to be back.
    ClientBack {
        /// Who.
        client: ClientId,
        /// How we know.
        source: BackSource,
        /// A note: the stamp, or what the client said.
        note: String,
    },
    /// A ping of the gateway from a reconfigured client, as reported.
    GatewayPing {
        /// Whose report.
        client: ClientId,
        /// Whether it was answered.
        answered: bool,
        /// A note.
        note: String,
    },
    /// The operator decided to go back.
    RollbackStarted {
        /// Why.
        reason: String,
        /// The key that will be live again.
        role: KeyRole,
        /// Who had already reconfigured and will be cut off again.
        cut_again: Vec<ClientId>,
        /// Where plans are approved by a second operator: until when one must have reviewed this way back, UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_due: Option<Timestamp>,
        /// The signature of who goes back, armored (SSHSIG), where operators sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A kept key was deleted from Barbican, with what it answered.
    KeyDestroyed {
        /// Which key.
        role: KeyRole,
        /// The secret's name.
        name: String,
        /// The answer.
        answer: String,
    },
    /// The end.
    Finished {
        /// How.
        outcome: Outcome,
        /// A closing note.
        note: String,
        /// Why it was closed although step 7 was never done, or nobody has reconfigured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        despite: Option<String>,
    },
    /// An operator's note.
    Noted {
        /// The text.
        text: String,
    },
    /// A second operator approved the plan of this digest.
    Approved {
        /// The digest, hex.
        digest: String,
        /// Until when it counts, UTC.
        expires: Timestamp,
        /// What they said.
        note: String,
        /// How the digest is made: what it covers. Records before version 4 have the first scheme.
        #[serde(default = "first_scheme")]
        scheme: u32,
        /// The approver's signature over scheme, digest and expiry, armored (SSHSIG).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A suspected compromise: the rotation goes first, and a review is open until a second operator closes it.
    EmergencyDeclared {
        /// Why.
        reason: String,
        /// When the review is due, UTC.
        review_due: Timestamp,
        /// Earlier emergencies whose review was open still; closing this one closes them too.
        covers: Vec<RotationId>,
        /// Who had declared those.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<Author>,
        /// The signature of who declares it, armored (SSHSIG), where operators sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A second operator has reviewed the emergency, or the rollback.
    ReviewClosed {
        /// What they found.
        note: String,
        /// Their signature over it, armored (SSHSIG), where operators sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// The tenant was taken from another process.
    TakenOver {
        /// From whom.
        from: Holder,
        /// Why.
        reason: String,
        /// It showed a sign of life still.
        forced: bool,
    },
    /// The operator leaves the rotation to the next one.
    HandedOver {
        /// To whom; empty: to whoever comes.
        to: String,
        /// What the next one must know.
        note: String,
    },
    /// The next operator has read the note.
    HandOverAccepted,
    /// In the tenant's lease log: this process found that it holds the tenant no more, and stopped.
    LeaseLost {
        /// What it was doing.
        doing: String,
        /// Who has the tenant now, where that could be seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// In the tenant's lease log: one person's values were erased from this journal.
    PersonErased {
        /// The tokens that stood for them; they say nothing about the values.
        tokens: Vec<String>,
        /// Why.
        reason: String,
    },
    /// The first request that changes the live secret is about to be sent, after the gate was judged once more.
    Touching {
        /// In which step.
        step: StepNumber,
        /// The new secret is stored before the old one is deleted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        store_first: bool,
    },
    /// What the last [`Record::Touching`] announced has changed nothing: it was refused, not sent, or a look has seen the
    /// secret as it was.
    NotTouched {
        /// In which step.
        step: StepNumber,
    },
    /// A failing check is set aside for this rotation, by an operator's word.
    CheckSetAside {
        /// Which check of step 2.
        check: String,
        /// Why.
        reason: String,
    },
    /// No client is known, and an operator has said why that is right: nobody is asked.
    NobodyWaived {
        /// Why.
        reason: String,
    },
    /// An operator accepts another address than the one that was written to.
    SenderAccepted {
        /// For whom it answers.
        client: ClientId,
        /// The address.
        address: String,
        /// The mail that counts by this; none where an alias of an earlier rotation goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mail: Option<String>,
        /// It answers for them from now on, not only in that mail.
        alias: bool,
        /// A note.
        note: String,
    },
    /// The clients of this subject have another domain: `ada@from` answers as `ada@to` too.
    DomainAccepted {
        /// The domain that was written to.
        from: String,
        /// The domain that answers.
        to: String,
        /// A note.
        note: String,
    },
    /// What an operator had recorded counts no more; both records stay.
    TakenBack {
        /// What.
        #[serde(flatten)]
        what: Withdrawal,
        /// Why.
        reason: String,
    },
    /// A waiver that was given for an earlier window counts for the present one.
    WaiverKept {
        /// Who is waived.
        client: ClientId,
    },
    /// An operator's session signs for this case: what is written under its id is theirs.
    SessionSigned {
        /// The session's id.
        session: String,
        /// The signature over tenant, rotation and session, armored (SSHSIG).
        signature: String,
    },
    /// What an attempt that ended badly has left of the live secret, where that is another thing than was known before.
    SecretLeft {
        /// In which step.
        step: StepNumber,
        /// What is known of the secret's name now.
        left: Live,
        /// The gap that the attempt has opened and closed, µs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gap_us: Option<u64>,
    },
    /// Under the live secret's name stood a key that is none of this rotation's: somebody else's work, which is not undone in
    /// silence. It is kept under a name of its own, and stays there.
    ForeignKept {
        /// Its public half.
        public_key: PublicKey,
        /// The name under which it is kept.
        name: String,
        /// Where.
        href: SecretRef,
    },
    /// The end of the journal was lost, everything was looked at, and an operator goes on from what was found.
    Recovered {
        /// What is known of the lost part.
        lost: Lost,
        /// Why it is gone on with.
        reason: String,
        /// What was found.
        found: Found,
    },
    /// A key that was kept under a name of its own is not there any more, and not by us.
    KeyGone {
        /// Which key.
        role: KeyRole,
        /// The secret's name.
        name: String,
        /// The keys that stand under that name instead: somebody else's.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instead: Vec<PublicKey>,
    },
    /// Under the live secret's name stands another key than all places had at the check: somebody else has stored it since.
    ForeignSeen {
        /// Its public half.
        public_key: PublicKey,
    },
    /// What an operator asked for was refused; it changed nothing.
    Refused(RefusedAct),
    /// The second mail is about to go out by a policy that does not ask every place whether it has the live key.
    CalledUnasked {
        /// The places that are not asked.
        places: Vec<String>,
    },
    /// A record of a case of another runbook, which alone knows what it says.
    Case(CaseBody),
}
