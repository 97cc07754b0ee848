//! `[keystone.NAME]`: a cluster of Keystone nodes whose Fernet keys are rotated, how its nodes are reached, and what counts there.
//!
//! How single values are written is `values`; what the settings mean for a rotation is the runbook's.

mod archive;

pub use archive::KeystoneArchive;

use super::file::Value;
use super::rules::{NOWHERE, Rules};
use super::{Password, values};
use crate::domain::fault::Service;
use crate::domain::fernet::watch::Thresholds;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// The longest name: `keystone/` and it are 64 characters together, as a key of the journal.
const LONGEST_NAME: usize = 55;
/// The most nodes.
const MOST_NODES: usize = 1000;
/// The longest pause between two stages of an installation; a node waits no longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The largest difference of clocks that is allowed for.
const LONGEST_SKEW: Duration = Duration::from_secs(3600);

/// All of them as they are written, by name.
pub(super) type KeystoneTables = BTreeMap<Spanned<String>, Spanned<KeystoneTable>>;

/// `[keystone.NAME]` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeystoneTable {
    nodes: Value<Vec<Spanned<NodeTable>>>,
    rotator: Value<String>,
    command: Value<Vec<Spanned<String>>>,
    config_files: Value<Vec<Spanned<String>>>,
    config_directory: Value<String>,
    repository: Value<String>,
    user: Value<String>,
    group: Value<String>,
    distribution: Value<String>,
    skew: Value<String>,
    pause: Value<String>,
    parallel: Value<i64>,
    timeout: Value<String>,
    rotate_timeout: Value<String>,
    purge: Value<String>,
    not_before: Value<String>,
    auth: Value<AuthTable>,
    ca_file: Value<String>,
    watch: Value<WatchTable>,
    archive: Value<archive::ArchiveTable>,
}

/// One of `nodes` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NodeTable {
    name: Value<String>,
    url: Value<String>,
}

/// `auth` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AuthTable {
    user: Value<String>,
    domain: Value<String>,
    project: Value<String>,
    project_domain: Value<String>,
    application_credential: Value<String>,
    password_file: Value<String>,
    password_command: Value<Vec<Spanned<String>>>,
}

/// `watch` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WatchTable {
    length: Value<String>,
    refused: Value<i64>,
    failed: Value<i64>,
    least_requests: Value<i64>,
    command: Value<Vec<Spanned<String>>>,
}

/// `[keystone.NAME]`: one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Keystone {
    /// What it is called: the subject is `keystone/NAME`, and this is what is typed to confirm.
    pub name: String,
    /// Its nodes. Required.
    pub nodes: Vec<KeystoneNode>,
    /// The name of the node on which keys are rotated.
    pub rotator: String,
    /// An argv with `{node}` and `{script}`.
    pub command: Vec<String>,
    /// Keystone's configuration files on a node, in the order in which it gets them; may hold `{node}`.
    pub config_files: Vec<String>,
    /// A folder whose `*.conf` are read after them; may hold `{node}`.
    pub config_directory: Option<String>,
    /// Where the tokens' keys are believed to lie, which spares a connection; the settings decide. May hold `{node}`.
    pub repository: String,
    /// As whom Keystone runs on a node.
    pub user: String,
    /// Its group.
    pub group: String,
    /// How long it takes at most until all nodes have what one has.
    pub distribution: Duration,
    /// How far the nodes' clocks may be apart.
    pub skew: Duration,
    /// Between two stages of an installation at a node.
    pub pause: Duration,
    /// At how many nodes something is done at once.
    pub parallel: usize,
    /// For one script at a node, and one answer of its Keystone.
    pub timeout: Duration,
    /// For one in which `keystone-manage` runs.
    pub rotate_timeout: Duration,
    /// Who says that keys are purged.
    pub purge: Purge,
    /// Which gate is shut while a key is needed still.
    pub not_before: NotBefore,
    /// With whose tokens the nodes are tried. Required.
    pub auth: KeystoneAuth,
    /// An authority to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What is watched after the installation.
    pub watch: KeystoneWatch,
    /// The encrypted archive of what is saved; none: there is none.
    pub archive: Option<KeystoneArchive>,
}

/// One node of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeystoneNode {
    /// What `{node}` stands for, and what messages say.
    pub name: String,
    /// Its own Keystone, not the load balancer's.
    pub url: String,
}

/// Who says that keys are purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purge {
    /// `typed`: a person, each time.
    #[default]
    Typed,
    /// `when-safe`: nobody, once each key's own moment has passed.
    WhenSafe,
}

/// Which gate is shut while a key is needed still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NotBefore {
    /// `purge`: only that before the purge.
    #[default]
    Purge,
    /// `rotate`: that before a rotation already.
    Rotate,
}

/// With whose tokens the nodes are tried. Can't be printed beyond names.
#[derive(Clone, Debug, PartialEq)]
pub enum KeystoneAuth {
    /// A user.
    User {
        /// The name.
        user: String,
        /// The id of its domain.
        domain: String,
        /// The project's name; `None`: an unscoped token.
        project: Option<String>,
        /// The id of the project's domain.
        project_domain: String,
        /// Never `Text`.
        password: Password,
    },
    /// An application credential.
    ApplicationCredential {
        /// Its id.
        id: String,
        /// Its secret; never `Text`.
        secret: Password,
    },
}

impl Default for KeystoneAuth {
    fn default() -> Self {
        Self::ApplicationCredential { id: String::new(), secret: Password::None }
    }
}

/// What is watched after the installation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeystoneWatch {
    /// How long; zero: nothing is watched.
    pub length: Duration,
    /// From what on it is a spike.
    pub thresholds: Thresholds,
    /// An argv with `{node}` that prints what the node has answered so far; empty: there is none.
    pub command: Vec<String>,
}

impl Default for Keystone {
    fn default() -> Self {
        let options = [
            "BatchMode=yes",
            "ConnectTimeout=5",
            "StrictHostKeyChecking=yes",
            "ForwardAgent=no",
            "ServerAliveInterval=5",
            "ServerAliveCountMax=2",
        ];
        let options = options.into_iter().flat_map(|option| ["-o", option]);
        let there = ["--", "{node}", "sudo", "-n", "sh", "-c", "{script}"];
        let command = std::iter::once("ssh").chain(options).chain(there).map(String::from).collect();
        Self {
            name: String::new(),
            nodes: Vec::new(),
            rotator: String::new(),
            command,
            config_files: vec!["/etc/keystone/keystone.conf".into()],
            config_directory: Some("/etc/keystone/keystone.conf.d".into()),
            repository: "/etc/keystone/fernet-keys".into(),
            user: "keystone".into(),
            group: "keystone".into(),
            distribution: Duration::from_secs(600),
            skew: Duration::from_secs(5),
            pause: Duration::from_secs(1),
            parallel: 8,
            timeout: Duration::from_secs(15),
            rotate_timeout: Duration::from_secs(60),
            purge: Purge::Typed,
            not_before: NotBefore::Purge,
            auth: KeystoneAuth::default(),
            ca_file: None,
            watch: KeystoneWatch::default(),
            archive: None,
        }
    }
}

impl Keystone {
    /// `keystone/NAME`.
    pub fn subject(&self) -> String {
        format!("keystone/{}", self.name)
    }
}

impl Rules<'_> {
    pub(super) fn keystones(&mut self, tables: KeystoneTables) -> Vec<Keystone> {
        tables.into_iter().map(|(name, table)| self.keystone(&name, table)).collect()
    }

    fn keystone(&mut self, name: &Spanned<String>, table: Spanned<KeystoneTable>) -> Keystone {
        let (at, default, table) = (table.span(), Keystone::default(), table.into_inner());
        let (called, name_at) = (name.get_ref().clone(), name.span());
        let section = format!("keystone.{called}");
        let field = |name: &str| format!("{section}.{name}");
        let is_plain = called.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if called.is_empty() || called.len() > LONGEST_NAME || !is_plain {
            let message =
                format!("{called:?} is not a cluster's name; 1 to {LONGEST_NAME} letters, digits and hyphens are");
            self.wrong(&section, &name_at, message);
        }
        let nodes = self.nodes(&section, &at, table.nodes);
        let rotator_at = table.rotator.as_ref().map_or(NOWHERE, Spanned::span);
        let rotator = self.optional(&field("rotator"), table.rotator, values::host);
        let first = || nodes.first().map(|node| node.name.clone()).unwrap_or_default();
        let rotator = rotator.unwrap_or_else(first);
        if !nodes.is_empty() && nodes.iter().all(|node| node.name != rotator) {
            let known: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).take(20).collect();
            let message = format!("{rotator:?} is none of the nodes; write one of: {}", known.join(", "));
            self.wrong(&field("rotator"), &rotator_at, message);
        }
        let command = match table.command {
            Some(written) => {
                let known = ["{node}", "{script}"];
                self.argv(&field("command"), written, &known, &known)
            }
            None => default.command,
        };
        let config_directory = match table.config_directory {
            Some(written) if written.get_ref().is_empty() => None,
            Some(written) => self.optional(&field("config_directory"), Some(written), far_path),
            None => default.config_directory,
        };
        let duration = values::duration;
        let up_to = |most: Duration| move |text: &str| duration_up_to(text, most);
        Keystone {
            rotator,
            command,
            config_files: self.config_files(&field("config_files"), table.config_files, default.config_files),
            config_directory,
            repository: self.or(&field("repository"), table.repository, default.repository, far_path),
            user: self.or(&field("user"), table.user, default.user, account),
            group: self.or(&field("group"), table.group, default.group, account),
            distribution: self.or(&field("distribution"), table.distribution, default.distribution, duration),
            skew: self.or(&field("skew"), table.skew, default.skew, up_to(LONGEST_SKEW)),
            pause: self.or(&field("pause"), table.pause, default.pause, up_to(LONGEST_PAUSE)),
            parallel: self.number(&field("parallel"), table.parallel, 1..=64).unwrap_or(default.parallel),
            timeout: self.or(&field("timeout"), table.timeout, default.timeout, duration),
            rotate_timeout: self.or(&field("rotate_timeout"), table.rotate_timeout, default.rotate_timeout, duration),
            purge: self.or(&field("purge"), table.purge, default.purge, |text| match text {
                "typed" => Ok(Purge::Typed),
                "when-safe" => Ok(Purge::WhenSafe),
                _ => Err(format!("{text:?} does not say who purges; write \"typed\" or \"when-safe\"")),
            }),
            not_before: self.or(&field("not_before"), table.not_before, default.not_before, |text| match text {
                "purge" => Ok(NotBefore::Purge),
                "rotate" => Ok(NotBefore::Rotate),
                _ => Err(format!("{text:?} is not a gate that it shuts; write \"purge\" or \"rotate\"")),
            }),
            auth: self.auth(&section, &at, table.auth),
            ca_file: self.trusted(&field("ca_file"), table.ca_file),
            watch: self.watch(&field("watch"), table.watch),
            archive: self.archive(&field("archive"), table.archive),
            nodes,
            name: called,
        }
    }

    fn nodes(
        &mut self,
        section: &str,
        at: &Range<usize>,
        written: Value<Vec<Spanned<NodeTable>>>,
    ) -> Vec<KeystoneNode> {
        let field = format!("{section}.nodes");
        let (span, written) = match written {
            Some(written) => (written.span(), written.into_inner()),
            None => (at.clone(), Vec::new()),
        };
        if !(1..=MOST_NODES).contains(&written.len()) && !self.problems.is_broken(&field) {
            let message = format!(
                "names {} nodes; write 1 to {MOST_NODES}: [{{ name = \"ctl1\", url = \"https://ctl1:5000/v3\" }}]",
                written.len()
            );
            self.wrong(&field, &span, message);
        }
        let mut nodes: Vec<KeystoneNode> = Vec::with_capacity(written.len());
        for (number, table) in written.into_iter().enumerate() {
            let (at, table) = (table.span(), table.into_inner());
            let (name_field, url_field) = (format!("{field}[{number}].name"), format!("{field}[{number}].url"));
            let name_at = table.name.as_ref().map_or_else(|| at.clone(), Spanned::span);
            let url_at = table.url.as_ref().map(Spanned::span);
            let name = self.required(&name_field, &at, table.name, values::host);
            let url = self.required(&url_field, &at, table.url, values::url);
            self.protected(&url_field, url_at.clone(), Service::Keystone, &url);
            let earlier = |same: &dyn Fn(&KeystoneNode) -> bool| nodes.iter().position(same);
            if let Some(first) = earlier(&|node| !name.is_empty() && node.name == name) {
                let message = format!("{name:?} is nodes[{first}] already; each node is named once");
                self.wrong(&name_field, &name_at, message);
            }
            if let Some(first) = earlier(&|node| !url.is_empty() && node.url == url) {
                let message =
                    format!("is that of nodes[{first}] already; write the node's own, not the load balancer's");
                self.wrong(&url_field, &url_at.unwrap_or(at), message);
            }
            nodes.push(KeystoneNode { name, url });
        }
        nodes
    }

    fn config_files(&mut self, field: &str, written: Value<Vec<Spanned<String>>>, default: Vec<String>) -> Vec<String> {
        let Some(written) = written else { return default };
        let (span, written) = (written.span(), written.into_inner());
        if !(1..=16).contains(&written.len()) {
            self.wrong(field, &span, "names no file, or more than 16; write [\"/etc/keystone/keystone.conf\"]");
        }
        written.into_iter().filter_map(|file| self.optional(field, Some(file), far_path)).collect()
    }

    fn auth(&mut self, section: &str, at: &Range<usize>, written: Value<AuthTable>) -> KeystoneAuth {
        let field = |name: &str| format!("{section}.auth.{name}");
        let Some(written) = written else {
            if !self.problems.is_broken(&format!("{section}.auth")) {
                let message = "is required and is not there: the nodes are tried with tokens of somebody; write \
                               { user = …, project = …, password_file = … } or { application_credential = …, password_file = … }";
                self.wrong(&format!("{section}.auth"), at, message);
            }
            return KeystoneAuth::default();
        };
        let (at, table) = (written.span(), written.into_inner());
        let command_at = table.password_command.as_ref().map(Spanned::span);
        if let (Some(_), Some(span)) = (&table.password_file, &command_at) {
            let message = "password_file is there already; one source of the password is enough, take one away";
            self.wrong(&field("password_command"), span, message);
        }
        if table.password_file.is_none() && command_at.is_none() && !self.problems.is_broken(&field("password_file")) {
            let message = "there is no password: add password_file or password_command";
            self.wrong(&format!("{section}.auth"), &at, message);
        }
        let file = self.private_file(&field("password_file"), table.password_file);
        let command = table.password_command.map(|command| self.argv(&field("password_command"), command, &[], &[]));
        let password = match (file, command) {
            (Some(path), _) => Password::File(path),
            (None, Some(command)) => Password::Command(command),
            (None, None) => Password::None,
        };
        if let Some(id) = table.application_credential {
            let others = [
                ("user", table.user.as_ref().map(Spanned::span)),
                ("domain", table.domain.as_ref().map(Spanned::span)),
                ("project", table.project.as_ref().map(Spanned::span)),
                ("project_domain", table.project_domain.as_ref().map(Spanned::span)),
            ];
            for (name, span) in others.iter().filter_map(|(name, span)| Some((name, span.as_ref()?))) {
                let message = "an application credential carries its user and project: take one of the two away";
                self.wrong(&field(name), span, message);
            }
            let id = self.or(&field("application_credential"), Some(id), String::new(), values::line);
            return KeystoneAuth::ApplicationCredential { id, secret: password };
        }
        let domain = self.or(&field("domain"), table.domain, "default".into(), values::line);
        KeystoneAuth::User {
            user: self.required(&field("user"), &at, table.user, values::line),
            project: self.optional(&field("project"), table.project, values::line),
            project_domain: self.or(&field("project_domain"), table.project_domain, domain.clone(), values::line),
            domain,
            password,
        }
    }

    fn watch(&mut self, section: &str, written: Value<WatchTable>) -> KeystoneWatch {
        let Some(written) = written else { return KeystoneWatch::default() };
        let (at, table) = (written.span(), written.into_inner());
        let (field, default) = (|name: &str| format!("{section}.{name}"), Thresholds::default());
        let command = match table.command {
            Some(command) => self.argv(&field("command"), command, &["{node}"], &["{node}"]),
            None => Vec::new(),
        };
        let longest = Duration::from_secs(24 * 3600);
        let length = self.or(&field("length"), table.length, Duration::ZERO, |text| duration_up_to(text, longest));
        if !length.is_zero() && command.is_empty() && !self.problems.is_broken(&field("command")) {
            let message = "there is nothing to watch with: add command, or write length = \"0s\"";
            self.wrong(&field("length"), &at, message);
        }
        let thresholds = Thresholds {
            refused: self.number(&field("refused"), table.refused, 1..=1000).unwrap_or(default.refused),
            failed: self.number(&field("failed"), table.failed, 1..=1000).unwrap_or(default.failed),
            least_requests: self
                .number(&field("least_requests"), table.least_requests, 1..=1_000_000)
                .unwrap_or(default.least_requests),
        };
        KeystoneWatch { length, thresholds, command }
    }
}

/// A duration that may be none: `0s`.
fn duration_up_to(text: &str, most: Duration) -> Result<Duration, String> {
    let found = if text == "0s" { Ok(Duration::ZERO) } else { values::duration(text) };
    let most_text = format!("{} s", most.as_secs());
    match found {
        Ok(found) if found <= most => Ok(found),
        Ok(_) => Err(format!("{text:?} is too long; write \"0s\" to {most_text}")),
        Err(_) => Err(format!("{text:?} is not a duration; write \"0s\", \"90s\" or \"5m\" ({most_text} at most)")),
    }
}

/// An absolute path on a node, which a shell there reads; may hold `{node}`.
fn far_path(text: &str) -> Result<String, String> {
    values::placeholders(text, &["{node}"])?;
    let plain = text.replace("{node}", "n");
    let known = |c: char| c.is_ascii_alphanumeric() || "/._-+@,:=".contains(c);
    let is_whole = plain.starts_with('/') && plain.len() > 1 && plain.len() <= 1024;
    let parts = plain.trim_end_matches('/').split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
    if is_whole && parts && plain.chars().all(known) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not a plain absolute path; write for example \"/etc/keystone/keystone.conf\""))
}

/// A user or group as `keystone-manage` takes it.
fn account(text: &str) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if (1..=32).contains(&text.len()) && text.bytes().all(known) && !text.starts_with('-') {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not the name of a user or group; letters, digits and _ - . are, not - as the first"))
}
