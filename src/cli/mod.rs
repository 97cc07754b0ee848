//! The command line: one definition from which parsing, help, completions and the man page come.

pub mod act;
pub mod answer;
pub mod approve;
pub mod audit;
pub mod consent;
pub mod desk;
pub mod exit;
pub mod lab;
pub mod lab_client;
pub mod mail;
pub mod person;
pub mod print;
pub mod rehearse;
pub mod replay;
pub mod report;
pub mod teller;
pub mod watch;

pub use audit::AuditVerb;
pub use lab::LabArgs;
pub use person::PersonVerb;

use clap::{Args, Parser, Subcommand, ValueEnum};
use consent::NamedArg;
use std::path::PathBuf;

/// Rotate keys that other people depend on: asks everybody, keeps rotate shut until all have answered, swaps the key in
/// under a heartbeat, and names who is back.
#[derive(Debug, Parser)]
#[command(name = "changeguard", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// The configuration file [default: $XDG_CONFIG_HOME/changeguard/changeguard.toml]
    // The last one counts: a line that was pasted may bring its own.
    #[arg(long, global = true, value_name = "FILE", overrides_with = "config")]
    pub config: Option<PathBuf>,
    /// Print the result as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// A word for the screen's frame, such as PRODUCTION
    #[arg(long, global = true, env = "CHANGEGUARD_ENVIRONMENT", value_name = "WORD")]
    pub environment: Option<String>,
    /// The screen's colours: none, 16, dark, light or contrast [default: what TERM can show]
    #[arg(long, global = true, env = "CHANGEGUARD_THEME", value_name = "WORD")]
    pub theme: Option<String>,
    /// Look only: whatever would change, send or record something is refused (also: security.read_only)
    #[arg(long, global = true, env = "CHANGEGUARD_READ_ONLY")]
    pub read_only: bool,
    /// For a login that is to have this screen and nothing else (an SSH forced command): Ctrl-Z leads to no shell
    #[arg(long, global = true)]
    pub captive: bool,
    /// For a slow link: what others do is drawn every 15 s, your keys and what was waited for at once
    #[arg(long, global = true, env = "CHANGEGUARD_LOW_BANDWIDTH")]
    pub low_bandwidth: bool,
    /// How the terminal tells that what was waited for has come: off, bell or desktop (OSC 9) [default: off]
    #[arg(long, global = true, env = "CHANGEGUARD_NOTIFY", value_name = "WORD")]
    pub notify: Option<String>,
    /// What to do; without one, the terminal opens
    #[command(subcommand)]
    pub command: Option<Verb>,
}

impl Verb {
    /// Whether it may change, send or record anything outside of a lab.
    pub fn changes(&self) -> bool {
        !matches!(
            self,
            Verb::Tui
                | Verb::Status { .. }
                | Verb::Report { .. }
                | Verb::Replay(_)
                | Verb::Audit { .. }
                | Verb::Troubles { .. }
                | Verb::Config { .. }
                | Verb::Demo(_)
                | Verb::Lab(_)
                | Verb::Rehearse { verb: rehearse::RehearseVerb::List }
                | Verb::Completions { .. }
                | Verb::Man
                | Verb::Person { verb: PersonVerb::Export { .. } }
                | Verb::Rotate { dry_run: true, .. }
                | Verb::Mail {
                    verb: mail::MailVerb::Thread { .. } | mail::MailVerb::Judge { .. } | mail::MailVerb::Strays,
                }
        )
    }
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, or asked to end before it was done, 2 bad usage or configuration, 3 gate shut, 4 held by somebody else, 5 needs a person, 128 and the number of the signal that has ended the screen (143: SIGTERM)";

/// A cluster, and its name once more.
#[derive(Debug, Args)]
pub struct StretchArg {
    /// The cluster, as kops/NAME
    #[arg(value_name = "CLUSTER")]
    pub tenant: String,
    /// The cluster's name once more
    #[arg(long, value_name = "NAME")]
    pub confirm: String,
}

/// A tenant by name or id, or another subject.
#[derive(Debug, Args)]
pub struct TenantArg {
    /// The tenant's name or id, or KIND/NAME such as keystone/production
    pub tenant: String,
}

/// A tenant whose name is typed once more, and a reason.
#[derive(Debug, Args)]
pub struct Confirmed {
    /// The tenant's name or id, or KIND/NAME such as keystone/production
    pub tenant: String,
    /// Its name once more
    #[arg(long, value_name = "NAME")]
    pub confirm: String,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Open the terminal on the configured fleet (the default)
    Tui,
    /// Keep watch without a screen: observe all tenants, go on with what was interrupted, record who is back
    Watch {
        /// Visit every tenant once and end: for cron
        #[arg(long)]
        once: bool,
    },
    /// What is true of the fleet, or of one tenant
    Status {
        /// The tenant's name or id, or KIND/NAME; all of them without
        tenant: Option<String>,
        /// Only what the journal says; do not look outside
        #[arg(long)]
        offline: bool,
    },
    /// Plan a window, or change the one in force
    Plan {
        /// Which tenant
        #[command(flatten)]
        tenant: NamedArg,
        /// When it begins: "2026-11-24 22:00"
        #[arg(long)]
        start: String,
        /// How long it is: 90m, 2h
        #[arg(long, default_value = "1h")]
        length: String,
        /// The time zone in which it is told to people: Europe/Berlin
        #[arg(long, default_value = "UTC")]
        zone: String,
        /// Why
        #[arg(long, value_enum, default_value = "scheduled")]
        cause: CauseArg,
        /// A ticket or incident
        #[arg(long, default_value = "")]
        reference: String,
        /// Change the window of the planned rotation; earlier answers become void
        #[arg(long)]
        change: bool,
    },
    /// Send mails: the announcement, a reminder, or the call to reconfigure
    Notify {
        /// Which tenant
        #[command(flatten)]
        tenant: NamedArg,
        /// Which mail, to a tenant's clients; to the holders of a cluster it is the one that is due
        #[arg(long, value_enum)]
        kind: Option<KindArg>,
        /// Only to this client (may be given several times)
        #[arg(long, value_name = "CLIENT")]
        only: Vec<String>,
        /// Send even if it may be a second one; needs --only
        #[arg(long, requires = "only")]
        again: bool,
        /// Show the mail with real values and send nothing
        #[arg(long)]
        preview: bool,
    },
    /// Record a client's answer
    Ack(answer::AckVerb),
    /// Except a client, with a reason
    Waive(answer::WaiveVerb),
    /// Set aside what keeps the gate shut by no person's will: the mailbox, or in an emergency another failing check
    SetAside {
        /// Which tenant
        #[command(flatten)]
        tenant: NamedArg,
        /// The check's name as `status` shows it, or nobody-to-ask
        what: String,
        /// Why; everybody is shown it
        #[arg(long)]
        reason: String,
    },
    /// Run the checks of step 2, also before a window is planned; changes nothing
    Check {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// Only this one, by the name that is printed before its finding; its place in the last run is taken
        #[arg(long, value_name = "CHECK")]
        only: Option<String>,
    },
    /// Steps 2 to 6, if the gate is open; of a Keystone cluster steps 2 to 7
    Rotate {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// The tenant's or cluster's name once more
        #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
        confirm: Option<String>,
        /// Of a cluster, for a timer: does nothing where no rotation is due (0), or where a person is waited for (5)
        #[arg(long)]
        when_due: bool,
        /// Of a cluster: look, and say what a rotation would make of its keys; changes nothing
        #[arg(long, conflicts_with = "when_due")]
        dry_run: bool,
        /// A ticket or incident; of a cluster, for a tenant see plan
        #[arg(long, default_value = "")]
        reference: String,
        /// The tenant's name a third time, where your own session runs through its tunnel
        #[arg(long, value_name = "NAME", default_value = "")]
        through_tunnel: String,
    },
    /// Step 8 of a Keystone cluster, if the gate is open: the keys that nobody needs any more; there is no way back behind it
    Purge {
        /// Which cluster
        #[command(flatten)]
        tenant: TenantArg,
        /// The cluster's name once more
        #[arg(long, value_name = "NAME")]
        confirm: String,
    },
    /// Steps 3 and 4 of a Kubernetes cluster, if the gate is open: the staged keypairs become the primary ones
    Promote(StretchArg),
    /// Steps 5 and 6 of a Kubernetes cluster, if the gate is open: the previous keypairs are trusted no more
    Distrust(StretchArg),
    /// Say that a holder of credentials has followed, or need not; of a Kubernetes cluster
    Settle {
        /// Which cluster
        #[command(flatten)]
        tenant: NamedArg,
        /// Who, as `status` names them
        who: String,
        /// How you know
        #[arg(long)]
        reason: String,
    },
    /// Let the roll of a Kubernetes cluster that is under way stop behind its instance group; resume goes on
    Pause {
        /// The cluster, as kops/NAME
        cluster: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Suspected compromise: tell everybody and rotate at once, without answers or approval; a review stays open
    Emergency {
        /// Which tenant, and what is suspected
        #[command(flatten)]
        why: Confirmed,
        /// As with rotate
        #[arg(long, value_name = "NAME", default_value = "")]
        through_tunnel: String,
    },
    /// Approve the plan as a second operator; without a digest, show what is to be approved
    Approve {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// The digest of the plan that you have read (8 digits or more)
        #[arg(long, value_name = "HEX")]
        digest: Option<String>,
        /// Print the text that approves the plan, to be signed elsewhere: ssh-keygen -Y sign -n approval@changeguard
        #[arg(long, conflicts_with_all = ["digest", "signature"])]
        text: bool,
        /// A signature of that text which was made elsewhere
        #[arg(long, value_name = "FILE", requires = "digest", requires = "until")]
        signature: Option<PathBuf>,
        /// Until when the signed text says that it counts
        #[arg(long, value_name = "TIME", requires = "signature")]
        until: Option<jiff::Timestamp>,
        /// A note
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Close the review of an emergency, as a second operator
    Review {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// What you found
        #[arg(long)]
        note: String,
    },
    /// Take the tenant or cluster from a process that holds it, although it shows signs of life
    Takeover {
        /// Which tenant, and why
        #[command(flatten)]
        why: Confirmed,
    },
    /// Go on although the end of the journal is lost: looks at everything, records what is found, changes nothing outside
    Recover {
        /// Which tenant, and why it is gone on with
        #[command(flatten)]
        why: Confirmed,
    },
    /// Leave the rotation to the next operator, who reads the note and accepts
    Handover {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// What they must know
        #[arg(long)]
        note: String,
        /// To whom; whoever comes without
        #[arg(long, default_value = "", value_name = "USER")]
        to: String,
    },
    /// Accept what was handed over (`status` shows the note)
    Accept(TenantArg),
    /// Go on with what was interrupted or failed: looks first
    Resume(NamedArg),
    /// Look who is back, and record it
    Verify {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// Record that this client is back because they said so
        #[arg(long, value_name = "CLIENT")]
        back: Option<String>,
        /// Record this client's ping of the gateway
        #[arg(long, value_name = "CLIENT")]
        ping: Option<String>,
        /// With --ping: the gateway did not answer
        #[arg(long, requires = "ping")]
        unanswered: bool,
        /// What they said
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Everybody is back or waived: destroy the kept keys and close
    Finish {
        /// Which tenant
        #[command(flatten)]
        tenant: NamedArg,
        /// A closing note
        #[arg(long, default_value = "")]
        note: String,
        /// Why it is closed although step 7 was never done, nobody has reconfigured, or the agent's log tells nothing
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Go back to the previous key (or a fresh one); of a cluster, put back what was saved
    Rollback {
        /// Which tenant, and why
        #[command(flatten)]
        why: Confirmed,
        /// As with rotate
        #[arg(long, value_name = "NAME", default_value = "")]
        through_tunnel: String,
    },
    /// End a rotation that has not touched the server (everybody who was told gets a cancellation), or a cluster's case that has
    /// changed nothing
    Cancel {
        /// Which tenant, and why
        #[command(flatten)]
        why: Confirmed,
    },
    /// Decide what only a person can: an interrupted step, or an uncertain mail
    Resolve {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// The step's number
        #[arg(long, conflicts_with = "mail", required_unless_present = "mail")]
        step: Option<u8>,
        /// The mail's Message-ID
        #[arg(long)]
        mail: Option<String>,
        /// Whether it is done (a step) or arrived (a mail)
        #[arg(long, action = clap::ArgAction::Set)]
        done: bool,
        /// How you know
        #[arg(long)]
        reason: String,
    },
    /// Mails of clients: read the mailbox, see the threads, decide what is unclear
    Mail {
        /// What to do with them
        #[command(subcommand)]
        verb: mail::MailVerb,
    },
    /// Add a note to the journal
    Note {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// The text
        text: String,
    },
    /// One rotation for the ticket, as Markdown (or JSON): what happened, when, by whom, and how it ended
    Report {
        /// Which tenant
        #[command(flatten)]
        tenant: TenantArg,
        /// An older rotation, by its id
        #[arg(long, value_name = "ID", conflicts_with = "list")]
        rotation: Option<String>,
        /// List the tenant's rotations
        #[arg(long)]
        list: bool,
    },
    /// Show a past case again, record after record (Space . , + -); as JSON what was true behind each
    Replay(replay::ReplayVerb),
    /// The chain that binds the journal's records to one another
    Audit {
        /// What to do with it
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// What the journal knows of one person
    Person {
        /// What to do with it
        #[command(subcommand)]
        verb: PersonVerb,
    },
    /// The known troubles of each step and what to do
    Troubles {
        /// Only of this step
        step: Option<u8>,
    },
    /// The configuration
    Config {
        /// What to do with it
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Open the terminal on the embedded lab: needs nothing but this binary
    Demo(LabArgs),
    /// Run the embedded lab without a screen and print its configuration
    Lab(LabArgs),
    /// Practise: let something go wrong in a demo or a lab that runs, by its configuration
    Rehearse {
        /// What to do with the mishaps
        #[command(subcommand)]
        verb: rehearse::RehearseVerb,
    },
    /// Print shell completions
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Read it and say what is wrong: file, line, field, and what would be right
    Check,
    /// Print the documented example
    Example,
    /// Print the systemd unit for `watch`, hardened
    Unit,
}

/// Why a rotation is planned.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum CauseArg {
    /// The cadence
    Scheduled,
    /// Suspected compromise: the previous key is never put back
    Compromise,
}

/// Which mail.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// Step 1 (those who were told an earlier window get a change)
    Announcement,
    /// To the silent
    Reminder,
    /// Step 7
    Reconfigure,
    /// To those of whom nothing shows that they have reconfigured
    AreYouBack,
    /// Everybody is back
    AllClear,
}
