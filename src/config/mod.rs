//! The configuration: what every value means, what it is when left out, and where the file is found.
//!
//! How the file is written is `file`, whether its values make sense is `rules`, the people's addresses are `contacts`, and
//! what `config check` says beyond that is `check`. The cloud's credentials are `clouds.yaml`'s business.

use crate::domain::client::Entry;
use crate::domain::document::Fields;
use crate::domain::language::Language;
use crate::domain::reminder::Schedule;
use crate::domain::second_mail::SecondMail;
use crate::domain::tenant::{Tenant, TenantId};
use crate::domain::transport::Exceptions;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

mod alerts;
pub mod check;
pub mod clouds;
mod console;
mod contacts;
mod fields;
mod file;
mod inbox;
mod keystone;
mod kops;
mod passwords;
mod problem;
mod reminders;
mod rules;
mod security;
mod smtp;
mod state;
mod trust;
mod values;

pub use alerts::Alerts;
pub use console::Console;
pub use contacts::Contact;
pub use keystone::{Keystone, KeystoneAuth, KeystoneNode, KeystoneWatch, NotBefore, Purge};
pub use kops::{KopsCluster, KopsHolder};
pub use problem::{ConfigError, Problem};
pub use smtp::Smtp;

/// The whole configuration, checked. Paths are absolute or relative to the working folder, `~/` is resolved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Where it was read.
    pub path: PathBuf,
    /// `[cloud]`
    pub cloud: Cloud,
    /// `[state]`
    pub state: State,
    /// `[wireguard]`
    pub wireguard: Wireguard,
    /// `[tenants]`
    pub tenants: Tenants,
    /// Every `[[tenant]]`.
    pub tenant: Vec<Tenant>,
    /// `[server]`
    pub server: Server,
    /// `[smtp]`
    pub smtp: Smtp,
    /// `[inbox]`, where there is one.
    pub inbox: Option<Inbox>,
    /// `[notices]`
    pub notices: Notices,
    /// `[console]`, where there is one.
    pub console: Option<Console>,
    /// `[security]`: what may pass unprotected.
    pub exceptions: Exceptions,
    /// `security.read_only`, or asked for when it was started: nothing is changed, sent or recorded from here.
    pub read_only: bool,
    /// `[approval]`
    pub approval: Approval,
    /// `[reminders]`; `None` unless they are enabled.
    pub reminders: Option<Schedule>,
    /// `[alerts]`, where there is one.
    pub alerts: Option<Alerts>,
    /// Every `[keystone.NAME]`, by name.
    pub keystone: Vec<Keystone>,
    /// Every `[kops.NAME]`, by name.
    pub kops: Vec<KopsCluster>,
    /// Every `[[contact]]` of the contacts file.
    pub contacts: Vec<Contact>,
    /// The languages of the tenants that name one; the others have that of `notices`.
    pub languages: BTreeMap<TenantId, Language>,
}

/// `[approval]`: four eyes.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Rotate needs the approval of a second operator.
    pub required: bool,
    /// How long one counts.
    pub valid: Duration,
    /// Whose ssh signatures count, an `allowed_signers` file; `None`: logins are taken, which is advisory.
    pub signers: Option<PathBuf>,
    /// The operator's own key, its public half; `None`: `~/.ssh/id_ed25519.pub`. Used only with `signers`.
    pub key: Option<PathBuf>,
}

impl Default for Approval {
    fn default() -> Self {
        Self { required: false, valid: Duration::from_secs(4 * 3600), signers: None, key: None }
    }
}

/// `[cloud]`: which cloud and how long to wait for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// An entry of clouds.yaml. Required.
    pub name: String,
    /// The clouds.yaml to read; `None`: where the OpenStack tools look.
    pub clouds_file: Option<PathBuf>,
    /// For a connection.
    pub connect_timeout: Duration,
    /// For one answer of Keystone or Barbican.
    pub read_timeout: Duration,
    /// For one answer of Swift to an upload.
    pub upload_timeout: Duration,
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            name: String::new(),
            clouds_file: None,
            connect_timeout: Duration::from_secs(2),
            read_timeout: Duration::from_secs(10),
            upload_timeout: Duration::from_secs(40),
        }
    }
}

/// `[state]`: where the journal rests.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// A folder of mode 0700: the journal, where there is no `url`, and the sockets of ssh.
    pub directory: PathBuf,
    /// A PostgreSQL server that holds the journal of several bastions: `postgres://user@host/database`, no password in it.
    pub url: Option<String>,
    /// For that server; never `Text`.
    pub password: Password,
    /// An authority to trust for that server; `None`: the system's.
    pub ca_file: Option<PathBuf>,
}

impl Default for State {
    fn default() -> Self {
        let directory = "~/.local/state/changeguard".into();
        Self { directory, url: None, password: Password::None, ca_file: None }
    }
}

/// Which half of the swap goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Swap {
    /// `delete-first`: the document's order.
    #[default]
    DeleteFirst,
    /// `store-first`: no moment without a secret.
    StoreFirst,
}

/// `[wireguard]`: the runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Wireguard {
    /// Holds `{tenant_id}`.
    pub secret_name: String,
    /// May hold `{tenant_id}`.
    pub container: String,
    /// May hold `{tenant_id}`.
    pub object: String,
    /// The interface on the server.
    pub interface: String,
    /// How often the server looks for a new key.
    pub reconcile_interval: Duration,
    /// The order of the swap.
    pub swap: Swap,
    /// After how many months a key is due.
    pub cadence_months: u32,
    /// How long a green check counts.
    pub preflight_valid: Duration,
    /// Which fields of `users[]` hold what.
    pub fields: Fields,
}

impl Default for Wireguard {
    fn default() -> Self {
        Self {
            secret_name: "vpn-private-key-{tenant_id}".into(),
            container: "{tenant_id}".into(),
            object: "config/vpn-users.json".into(),
            interface: "wg0".into(),
            reconcile_interval: Duration::from_secs(60),
            swap: Swap::DeleteFirst,
            cadence_months: 12,
            preflight_valid: Duration::from_secs(600),
            fields: Fields::default(),
        }
    }
}

impl Wireguard {
    /// The secret's name for a tenant.
    pub fn secret_name_of(&self, tenant: &TenantId) -> String {
        self.secret_name.replace("{tenant_id}", tenant.as_str())
    }

    /// The container's name for a tenant.
    pub fn container_of(&self, tenant: &TenantId) -> String {
        self.container.replace("{tenant_id}", tenant.as_str())
    }

    /// The object's name for a tenant.
    pub fn object_of(&self, tenant: &TenantId) -> String {
        self.object.replace("{tenant_id}", tenant.as_str())
    }
}

/// `[tenants]`: where tenants and addresses come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tenants {
    /// Every project that the cloud lists and whose container holds the object.
    pub discover: bool,
    /// What `{server}` stands for with a discovered tenant; may hold `{tenant_name}` and `{tenant_id}`.
    pub server: Option<String>,
    /// The contacts file.
    pub contacts: Option<PathBuf>,
}

/// `[server]`: how a VPN server is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// An argv with `{server}`, `{read}` and perhaps `{control_path}`.
    pub command: Vec<String>,
    /// How `wg` is called there.
    pub wg: String,
    /// For one reading.
    pub timeout: Duration,
    /// How often a server on the screen is read.
    pub poll_interval: Duration,
    /// Prints which of three names the agent's environment file sets.
    pub agent_check: Option<String>,
    /// Prints the last minutes of the agent's log.
    pub agent_log: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        let options = [
            "BatchMode=yes",
            "ConnectTimeout=5",
            "StrictHostKeyChecking=yes",
            "ForwardAgent=no",
            // A shared connection that the network has forgotten must not stand in the way of a new one for hours.
            "ServerAliveInterval=5",
            "ServerAliveCountMax=2",
            "ControlMaster=auto",
            "ControlPersist=60",
            "ControlPath={control_path}",
        ];
        let command = std::iter::once("ssh")
            .chain(options.into_iter().flat_map(|option| ["-o", option]))
            .chain(["--", "{server}", "{read}"]);
        Self {
            command: command.map(String::from).collect(),
            wg: "sudo -n wg".into(),
            timeout: Duration::from_secs(15),
            poll_interval: Duration::from_secs(20),
            agent_check: None,
            agent_log: None,
        }
    }
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// `starttls`: TLS is demanded after the greeting.
    #[default]
    StartTls,
    /// `tls`: implicit TLS.
    Tls,
    /// `none`: loopback only.
    None,
}

/// Where the password of a server comes from.
#[derive(Clone, Default, PartialEq)]
pub enum Password {
    /// There is none.
    #[default]
    None,
    /// A private file, read when a connection is made; a newline at its end is left out.
    File(PathBuf),
    /// An argv whose first line of output is it, run when a connection is made.
    Command(Vec<String>),
    /// It stands in the configuration file, which is private.
    Text(Zeroizing<String>),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Command(_) => f.write_str("Command"),
            Self::Text(_) => f.write_str("Text(hidden)"),
        }
    }
}

/// How we log in to the mailbox.
#[derive(Clone, Debug, PartialEq)]
pub enum InboxLogin {
    /// With a password.
    Password(Password),
    /// With an access token (XOAUTH2): an argv whose first line of output is it, run when a connection is made.
    OAuth2(Vec<String>),
}

/// What becomes of a mail that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// `leave`: nothing.
    #[default]
    Leave,
    /// `flag`: it is marked as read.
    Flag,
    /// `move:Folder`: it goes there.
    Move(String),
}

/// `[inbox]`: the mailbox that the answers come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbox {
    /// The IMAP server's name. Required.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whose mailbox. Required.
    pub user: String,
    /// How we log in. Required.
    pub login: InboxLogin,
    /// The address that clients answer to, without a name; `smtp.reply_to` or `smtp.from` if it is not written.
    pub address: String,
    /// What stands between that address and a client's token; `None`: the server knows no sub-addresses.
    pub separator: Option<char>,
    /// Which folders are read; the first is the one that is waited for.
    pub folders: Vec<String>,
    /// What becomes of a mail that was read.
    pub after: After,
    /// How often to look where the server can't tell by itself.
    pub poll_interval: Duration,
    /// For one answer.
    pub timeout: Duration,
    /// An authority to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The authserv-id of the receiving mail server, whose word on senders counts (RFC 8601); `None`: nobody's.
    pub authserv_id: Option<String>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 993,
            security: Security::Tls,
            user: String::new(),
            login: InboxLogin::Password(Password::None),
            address: String::new(),
            separator: Some('+'),
            folders: vec!["INBOX".into()],
            after: After::Leave,
            poll_interval: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
            ca_file: None,
            authserv_id: None,
        }
    }
}

/// `[notices]`: what the mails say besides the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notices {
    /// The VPN Configuration guide for users. Required.
    pub guide_url: String,
    /// Where clients download their configuration. Required.
    pub portal_url: String,
    /// Who writes. Required.
    pub organisation: String,
    /// A folder with texts in place of the built-in ones.
    pub templates: Option<PathBuf>,
    /// The language of the mails to tenants that name none.
    pub language: Language,
    /// What must show the live key before the second mail.
    pub reconfigure_needs: SecondMail,
}

impl Tenants {
    /// The server of a discovered tenant. `None` where none is configured, or where the name would not be a host's.
    pub fn server_of(&self, tenant: &Tenant) -> Option<String> {
        let name = self.server.as_ref()?.replace("{tenant_name}", &tenant.name);
        values::host(&name.replace("{tenant_id}", tenant.id.as_str())).ok()
    }
}

impl Config {
    /// Why there can be no tenant; none where some are configured, or looked for. Cloud and mail are theirs, and a file that names
    /// clusters only needs neither.
    pub fn no_tenants(&self) -> Option<String> {
        if !self.tenant.is_empty() || self.tenants.discover {
            return None;
        }
        let parts = [
            ("[[tenant]]", true),
            ("[cloud]", self.cloud.name.is_empty()),
            ("[smtp]", self.smtp.host.is_empty()),
            ("[notices]", self.notices.organisation.is_empty()),
        ];
        let missing: Vec<&str> = parts.into_iter().filter(|(_, missing)| *missing).map(|(part, _)| part).collect();
        let file = self.path.display();
        Some(format!("{file} names no tenant: add {}; see `changeguard config example`", missing.join(", ")))
    }

    /// The language of the mails to this tenant's clients.
    pub fn language_of(&self, tenant: &Tenant) -> Language {
        self.languages.get(&tenant.id).copied().unwrap_or(self.notices.language)
    }

    /// The contacts file's entries for this tenant, by its name (that of its `[[tenant]]`, where it has one) or its id.
    pub fn contacts_of(&self, tenant: &Tenant) -> Vec<Entry> {
        let name = self.tenant.iter().find(|known| known.id == tenant.id).map_or(&tenant.name, |known| &known.name);
        let of = |contact: &&Contact| contact.tenant == *name || contact.tenant == tenant.id.as_str();
        self.contacts.iter().filter(of).map(|contact| contact.entry.clone()).collect()
    }
}

/// Where the file is when none is named: `$XDG_CONFIG_HOME/changeguard/changeguard.toml`, else the same under `~/.config`.
pub fn default_path(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    // The XDG rule: a relative XDG_CONFIG_HOME is to be ignored.
    let base = env("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env("HOME").filter(|home| !home.is_empty()).map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("changeguard/changeguard.toml"))
}

/// Reads and checks the file, and the contacts file that it names.
///
/// `path` is what `--config` named; `env` looks up an environment variable. Errors hold every problem found, not only the
/// first.
pub fn load(path: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => default_path(env).ok_or(ConfigError::NoPlace)?,
    };
    let source = problem::Source::open(path)?;
    let mut problems = problem::Problems::default();
    let config = file::read::<file::File>(&source, &mut problems)
        .map(|file| rules::Rules::new(&source, &mut problems, env("HOME")).apply(file));
    match (problems.into_error(), config) {
        (Some(error), _) => Err(error),
        (None, Some(config)) => Ok(config),
        // Text that is not TOML is always noted as a problem.
        (None, None) => Err(ConfigError::Problems(Vec::new())),
    }
}
