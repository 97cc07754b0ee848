//! What is true of a tenant, in the words of the screen and of `--json`: one derived value, made from journal and sights.
//!
//! How it is derived is `derive`. The screen draws nothing that is not here, and `status --json` prints it whole. Ages are not in it: they tick, so the
//! reader computes them from the moments.

mod alert;
mod alive;
mod attention;
mod connections;
mod derive;
mod heard;
mod keys;
mod lease;
mod mails;
mod overtaken;
mod server;
mod since;
mod steps;
mod thread;
mod tokens;
mod whom;

pub use connections::Connections;
pub use derive::derive;
pub use heard::HeardView;
pub use keys::{KeySight, KeysView};
pub use since::{ChangedSince, MOST_WRITTEN, untold};
pub use thread::ThreadLine;

use crate::domain::client::{Client, ClientId};
use crate::domain::freshness::{Activity, Presence};
pub use crate::domain::gate::Standing;
use crate::domain::gate::Verdict;
use crate::domain::notice::{Notice, NoticeKind};
use crate::domain::preflight::Preflight;
use crate::domain::step::{StepNumber, StepState};
use crate::domain::tenant::Tenant;
use crate::domain::window::Window;
use crate::engine::approval::Approval;
use crate::engine::closing::Review;
use crate::engine::converge_secret;
use crate::engine::gap::BrokenGap;
use crate::engine::journal::Holder;
use crate::engine::judging::Said;
use crate::engine::mailbox::ReadMail;
use crate::engine::next::NextAction;
use crate::engine::record::{Cause, Outcome};
use crate::engine::rotation::HandOver;
use crate::engine::sources::{Source, SourceView};
use crate::engine::truth::Truth;
use crate::engine::witness::{self, Lost};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Where a tenant is in its rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No rotation is open.
    Idle,
    /// A window is planned, nobody has been told.
    Planned,
    /// Clients have been told; answers are being collected.
    Announced,
    /// Steps 2 to 6.
    Rotating,
    /// Steps 7 and 8: clients are coming back.
    Returning,
    /// On the way back.
    RollingBack,
}

impl Phase {
    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Planned => "planned",
            Phase::Announced => "announced",
            Phase::Rotating => "rotating",
            Phase::Returning => "returning",
            Phase::RollingBack => "rolling back",
        }
    }
}

/// Whether the server has taken the key that Barbican holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconcile {
    /// Not looked, or the look failed.
    Unknown,
    /// Secret, object and interface show one key.
    InSync,
    /// The server has not taken the key yet, within two cycles.
    Waiting,
    /// Not after two cycles: see the troubleshooting of step 6.
    Late,
    /// The keys differ although no rotation explains it.
    Differs,
}

impl Reconcile {
    /// The words on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Reconcile::Unknown => "unknown",
            Reconcile::InSync => "in sync",
            Reconcile::Waiting => "waiting",
            Reconcile::Late => "LATE",
            Reconcile::Differs => "DIFFERS",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepView {
    /// 1 to 8.
    pub number: StepNumber,
    /// The heading.
    pub title: String,
    /// As the journal tells it.
    #[serde(flatten)]
    pub state: StepState,
    /// One line beside it: `4 of 6 have answered`, the evidence, the fault.
    pub detail: String,
    /// Who did it last, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
}

/// Who did a step last, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Work {
    /// Who, on which host.
    pub owner: String,
    /// When it began, UTC.
    pub began: Timestamp,
    /// When it ended, UTC; of one that was interrupted, when it wrote its last record, where it wrote one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Whoever did it ended in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.owner, self.began.strftime("%Y-%m-%d %H:%M:%S UTC"))?;
        match (self.ended.map(|ended| ended.duration_since(self.began).as_secs_f64()), self.interrupted) {
            (Some(took), false) => write!(f, ", {took:.1} s"),
            (Some(took), true) => write!(f, ", interrupted after {took:.1} s or later"),
            (None, false) => f.write_str(", not ended"),
            (None, true) => f.write_str(", interrupted, nobody knows when"),
        }
    }
}

/// One client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientView {
    /// Who.
    #[serde(flatten)]
    pub client: Client,
    /// How they stand before the rotation.
    pub standing: Standing,
    /// In words: the answer and its channel, the waiver's reason, the mail server's reply.
    pub standing_detail: String,
    /// The last mail of this window: kind and state.
    pub last_notice: Option<(NoticeKind, String)>,
    /// The reconfigure mail of this leg: its state, once step 7 has begun.
    pub reconfigure_notice: Option<String>,
    /// After the key is live: whether they are back, by the last reading.
    pub presence: Option<Presence>,
    /// The recorded proof that they are back: source and note.
    pub back: Option<(String, String)>,
    /// Their last word by mail is that it does not work.
    pub says_not_back: bool,
    /// Gateway ping as reported.
    pub gateway_ping: Option<bool>,
    /// How lively the peer is, by the last reading.
    pub activity: Option<Activity>,
    /// Its last handshake, UTC by the server's clock; `None` is never or unknown.
    pub latest_handshake: Option<Timestamp>,
    /// Its endpoint.
    pub endpoint: Option<String>,
    /// Bytes received and sent.
    pub transfer: Option<(u64, u64)>,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JournalLine {
    /// Its number.
    pub seq: u64,
    /// When, UTC.
    pub at: Timestamp,
    /// Who, on which host.
    pub by: String,
    /// What.
    pub text: String,
}

/// For whom, and at which moment.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// The operator, by what they can't set themselves.
    pub person: &'a str,
    /// Now, UTC.
    pub now: Timestamp,
}

/// Between DELETE and POST no secret has the name; the source document calls less than a second normal, µs.
pub const NORMAL_GAP_US: u64 = 1_000_000;

/// The few words that lead where the places differ and nothing is under way.
const DIFFER: &str = "KEYS DIFFER";

impl TenantStatus {
    /// That the gap was longer than is normal, in words.
    pub fn long_gap(&self) -> Option<String> {
        let gap = self.gap_us.filter(|gap| *gap >= NORMAL_GAP_US)?;
        let broken = self.broken_gap.map(|gap| format!(" ({gap})")).unwrap_or_default();
        Some(format!(
            "the gap without a secret was {:.1} s{broken}, ABOVE NORMAL (under 1 s): a server that asked in it found none; look at \
             step 6",
            gap as f64 / 1e6
        ))
    }

    /// That a run ended in the pair, so that nobody knows how long the gap was, in words.
    pub fn unmeasured_gap(&self) -> Option<String> {
        let gap = self.earlier_gaps.iter().copied().chain(self.broken_gap).rfind(|gap| !gap.is_known)?;
        Some(format!("how long the tenant's name was without a secret is {gap}"))
    }

    /// What comes before everything else, in its order: a journal that has lost its end (nothing else that it says can be
    /// trusted), and what is true of the live secret.
    pub fn leading(&self) -> Vec<String> {
        let lost = self.lost.as_ref().map(ToString::to_string);
        let truth = self.truth.as_ref().map(ToString::to_string);
        let since = self.changed_since.as_ref().map(ToString::to_string);
        let connections = self.connections.as_ref().map(ToString::to_string);
        lost.into_iter().chain(truth).chain(since).chain(connections).chain(self.differ.clone()).collect()
    }

    /// The same in a few words.
    pub fn lead(&self) -> Option<String> {
        let truth = self.truth.as_ref().map(|truth| truth.lead.as_str());
        let since = self.changed_since.as_ref().map(|since| since.lead.as_str());
        let connections = self.connections.as_ref().and_then(|connections| connections.lead);
        let differ = self.differ.as_ref().map(|_| DIFFER);
        let first = truth.or(since).or(connections).or(differ);
        let words: Vec<&str> = self.lost.as_ref().map(|_| witness::LEAD).into_iter().chain(first).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// How the last rotation has ended, and that something was open.
    pub fn ended_word(&self, outcome: &Outcome) -> String {
        let but = self.despite.as_ref().map(|what| format!(", BUT {what}")).unwrap_or_default();
        format!("{}{but}", outcome.word())
    }

    /// The same in a line above `next`, which says a lost end in full.
    pub fn headline(&self) -> Option<String> {
        let first = || self.leading().into_iter().next();
        if self.lost.is_some() { self.lead() } else { first() }
    }

    /// How long a rotation may take from the first request that changes something until the server has the key.
    pub fn rotation_takes(&self) -> Duration {
        let [pair, cycle] = [self.pair_bound_ms, self.reconcile_interval_ms].map(Duration::from_millis);
        converge_secret::rotation_takes(pair, cycle)
    }

    /// This moment by the VPN server's clock, as far as it is known: what it has stamped is as old as that says.
    pub fn server_now(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_second(now.as_second() + self.server_ahead_s.unwrap_or(0)).unwrap_or(now)
    }

    /// Whether the VPN server was ever read, and its last reading still stands.
    pub fn is_server_read(&self) -> bool {
        self.keys.interface.at.is_some() && self.keys.interface.fault.is_none()
    }

    /// Neither the secret nor the object has ever answered: what follows from them is not known, and not nothing.
    pub fn is_unseen(&self) -> bool {
        let unseen = |view: &&SourceView| view.seen_at.is_none() && view.fault.is_some();
        let of_cloud = |view: &&SourceView| matches!(view.name, Source::Barbican | Source::Swift);
        self.sources.iter().filter(of_cloud).filter(unseen).count() == 2
    }
}

/// Everything that is true of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TenantStatus {
    /// Which tenant.
    pub tenant: Tenant,
    /// What is true of the live secret, where that comes before everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<Truth>,
    /// What others have changed since the last rotation has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<ChangedSince>,
    /// Which key is where, and whom that cuts off, where it is not the runbook's own course since the secret was touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// Where it is.
    pub phase: Phase,
    /// The open (or last) rotation's id.
    pub rotation: Option<String>,
    /// Why it was planned.
    pub cause: Option<Cause>,
    /// Ticket or incident.
    pub reference: String,
    /// The window.
    pub window: Option<Window>,
    /// How the last rotation ended, if it did.
    pub outcome: Option<Outcome>,
    /// The steps of the present leg; empty when no rotation was ever planned.
    pub steps: Vec<StepView>,
    /// Everybody.
    pub clients: Vec<ClientView>,
    /// What differs between the places that know clients.
    pub differences: Vec<String>,
    /// How many clients are settled (confirmed or waived), of how many.
    pub answers: (usize, usize),
    /// How many clients are back (or waived) on this leg, of how many; `None` before the key is live.
    pub back: Option<(usize, usize)>,
    /// The keys.
    pub keys: KeysView,
    /// Whether the server follows.
    pub reconcile: Reconcile,
    /// How often the server looks for its key, as configured, ms.
    pub reconcile_interval_ms: u64,
    /// While step 6 runs: when two cycles are over, UTC.
    pub reconcile_deadline: Option<Timestamp>,
    /// The gate of rotate.
    #[serde(flatten)]
    pub gate: Verdict,
    /// A request that changes the live secret was about to be sent: only finish or a rollback lead on.
    pub touched: bool,
    /// The last run of step 2.
    pub preflight: Option<Preflight>,
    /// Checks that are set aside for this rotation, with the operator's word.
    pub set_aside: BTreeMap<String, Said>,
    /// Why it is right that nobody is asked, where no client is known.
    pub nobody: Option<String>,
    /// The measured gap, µs.
    pub gap_us: Option<u64>,
    /// For how long two secrets had the name, where the new one was stored first, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_us: Option<u64>,
    /// The new secret is stored before the old one is deleted: two have the name for a moment, and none has it at no moment.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub store_first: bool,
    /// What is known of the gap where a run ended in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_gap: Option<BrokenGap>,
    /// Those before it that a run, or somebody else, had left open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_gaps: Vec<BrokenGap>,
    /// With no rotation open: which key is where, when the places differ.
    #[serde(skip)]
    pub differ: Option<String>,
    /// What was open when it was ended all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub despite: Option<String>,
    /// How long the pair of DELETE and POST lasts at most once DELETE is sent, ms.
    pub pair_bound_ms: u64,
    /// The one safe next action.
    pub next: NextAction,
    /// The end of the journal is lost: what is known of the lost part. Nothing but `recover` acts then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// What needs attention, most urgent first.
    pub attention: Vec<String>,
    /// Who was looked at, when each answered last, and why not since.
    pub sources: Vec<SourceView>,
    /// What passes unprotected since the configuration allows it by name, one line each.
    pub unprotected: Vec<String>,
    /// Who holds the tenant, when it is somebody else.
    pub holder: Option<Holder>,
    /// Since when, UTC by this host's clock, they gave no sign of life, where one was due.
    pub holder_quiet_since: Option<Timestamp>,
    /// How far the VPN server's clock, by which handshakes are stamped, is ahead of this host's, s; none before it was read.
    pub server_ahead_s: Option<i64>,
    /// How far this host's clock is ahead of the journal's server, s; none with SQLite.
    pub clock_skew_s: Option<i64>,
    /// The rollback's reason, when one is going on.
    pub rollback: Option<String>,
    /// Who would be cut off again by a rollback now: those who are back, and those who probably are.
    pub rollback_cuts: Vec<ClientId>,
    /// What an end of it now needs a reason for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
    /// The mails to clients of the open or last rotation, oldest first.
    pub notices: Vec<Notice>,
    /// The mails of clients that were read in it, oldest first.
    pub mails: Vec<ReadMail>,
    /// From which of them on what is open is to be read.
    #[serde(skip)]
    pub read_from: (usize, usize),
    /// When the answers to this window came, UTC, oldest first.
    pub answered_at: Vec<Timestamp>,
    /// When somebody is reminded next without an operator, and by which mail.
    pub next_reminder: Option<(NoticeKind, Timestamp)>,
    /// The newest lines of the journal, oldest first.
    pub journal: Vec<JournalLine>,
    /// The digest of the plan as it stands, where a second operator must approve it; none before a check.
    pub plan_digest: Option<String>,
    /// What that digest covers, a line each.
    pub plan_covers: Vec<String>,
    /// The last approval; whether it counts is in the gate.
    pub approval: Option<Approval>,
    /// By what a second operator is known here, where one is asked for: signatures, or logins, which is advisory.
    pub four_eyes: Option<String>,
    /// An emergency whose review is open still.
    pub review: Option<Review>,
    /// That review's deadline has passed.
    pub review_overdue: bool,
    /// The last hand-over.
    pub hand_over: Option<HandOver>,
    /// How the operator's own connection runs through the tunnel that is to be rotated, if it does.
    pub own_route: Option<String>,
    /// The places that are not asked before the second mail, by the configuration or as it was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub second_mail_unasked: Vec<String>,
    /// When the console API's token ends, UTC, by its own word; none where it does not say, or was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_token_ends: Option<Timestamp>,
    /// When the clients were seen, UTC, by the look or the record that they are taken from; none: nobody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people_seen: Option<Timestamp>,
    /// What must be known of the answers besides.
    #[serde(flatten)]
    pub heard: HeardView,
}
