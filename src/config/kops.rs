//! `[kops.NAME]`: a Kubernetes cluster whose authorities and signing keys are rotated with kOps, how `kops` is reached, and who holds
//! credentials of the cluster.
//!
//! How single values are written is `values`; what the settings mean for a rotation is the runbook's.

use super::file::Value;
use super::rules::Rules;
use super::values;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// The longest name: `kops/` and it are 64 characters together, as a key of the journal.
const LONGEST_NAME: usize = 59;
/// The most holders.
const MOST_HOLDERS: usize = 1000;

/// All of them as they are written, by name.
pub(super) type KopsTables = BTreeMap<Spanned<String>, Spanned<KopsTable>>;

/// `[kops.NAME]` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KopsTable {
    cluster: Value<String>,
    state: Value<String>,
    command: Value<Vec<Spanned<String>>>,
    ssh: Value<Vec<Spanned<String>>>,
    environment: Value<Vec<Spanned<String>>>,
    directory: Value<String>,
    far_directory: Value<String>,
    keysets: Value<Vec<Spanned<String>>>,
    leave_out: Value<Vec<Spanned<String>>>,
    control_plane: Value<Vec<Spanned<String>>>,
    load_balancer: Value<bool>,
    backup: Value<Vec<Spanned<String>>>,
    autoscaler: Value<Vec<Spanned<String>>>,
    admin: Value<String>,
    notice: Value<String>,
    patience: Value<String>,
    poll: Value<String>,
    timeout: Value<String>,
    update_timeout: Value<String>,
    roll_timeout: Value<String>,
    holders: Value<Vec<Spanned<HolderTable>>>,
}

/// One of `holders` as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HolderTable {
    name: Value<String>,
    contact: Value<String>,
    holds: Value<String>,
}

/// `[kops.NAME]`: one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct KopsCluster {
    /// What it is called: the subject is `kops/NAME`, and this is what is typed to confirm.
    pub name: String,
    /// Its full name, as in `--name`. Required.
    pub cluster: String,
    /// Its state store, as in `--state`. Required.
    pub state: String,
    /// The words that run `kops`.
    pub command: Vec<String>,
    /// The words that reach the host where they run; empty: this one.
    pub ssh: Vec<String>,
    /// Variables of ours that they get, by name.
    pub environment: Vec<String>,
    /// Where its kubeconfigs and certificates lie on this host; none: below the state's folder.
    pub directory: Option<PathBuf>,
    /// The same on the host where `kops` runs.
    pub far_directory: String,
    /// Only these keysets; empty: all that can be rotated.
    pub keysets: Vec<String>,
    /// None of these.
    pub leave_out: Vec<String>,
    /// The instance groups of the control plane; empty: those that are named so.
    pub control_plane: Vec<String>,
    /// Clients reach the API through a load balancer with a certificate of its own.
    pub load_balancer: bool,
    /// A command that ends with 0 where the state store has versions or a copy; empty: there is none.
    pub backup: Vec<String>,
    /// A command that says in a line what the autoscaler does; empty: there is none.
    pub autoscaler: Vec<String>,
    /// How long an admin credential lasts that is handed out.
    pub admin: Duration,
    /// How long an update may take to be seen by a rolling update.
    pub notice: Duration,
    /// How long the cluster may take to be well behind a roll.
    pub patience: Duration,
    /// How often it is looked meanwhile.
    pub poll: Duration,
    /// For one command that reads, or changes a keypair.
    pub timeout: Duration,
    /// For an update.
    pub update_timeout: Duration,
    /// For the roll of one instance group.
    pub roll_timeout: Duration,
    /// Who holds credentials.
    pub holders: Vec<KopsHolder>,
}

/// Somebody, or something, with a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KopsHolder {
    /// The name by which they are settled.
    pub name: String,
    /// Where they are reached.
    pub contact: String,
    /// They hold an admin credential, and not the certificates alone.
    pub admin: bool,
}

impl Default for KopsCluster {
    fn default() -> Self {
        Self {
            name: String::new(),
            cluster: String::new(),
            state: String::new(),
            command: vec!["kops".into()],
            ssh: Vec::new(),
            environment: Vec::new(),
            directory: None,
            far_directory: ".changeguard".into(),
            keysets: Vec::new(),
            leave_out: Vec::new(),
            control_plane: Vec::new(),
            load_balancer: false,
            backup: Vec::new(),
            autoscaler: Vec::new(),
            admin: Duration::from_secs(18 * 3600),
            notice: Duration::from_secs(30),
            patience: Duration::from_secs(5 * 60),
            poll: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            update_timeout: Duration::from_secs(15 * 60),
            roll_timeout: Duration::from_secs(8 * 3600),
            holders: Vec::new(),
        }
    }
}

impl KopsCluster {
    /// `kops/NAME`.
    pub fn subject(&self) -> String {
        format!("kops/{}", self.name)
    }
}

impl Rules<'_> {
    pub(super) fn kops(&mut self, tables: KopsTables) -> Vec<KopsCluster> {
        tables.into_iter().map(|(name, table)| self.kops_cluster(&name, table)).collect()
    }

    fn kops_cluster(&mut self, name: &Spanned<String>, table: Spanned<KopsTable>) -> KopsCluster {
        let (at, default, table) = (table.span(), KopsCluster::default(), table.into_inner());
        let (called, name_at) = (name.get_ref().clone(), name.span());
        let section = format!("kops.{called}");
        let field = |name: &str| format!("{section}.{name}");
        let is_plain = called.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if called.is_empty() || called.len() > LONGEST_NAME || !is_plain {
            let message = format!(
                "{called:?} is not a name; 1 to {LONGEST_NAME} letters, digits and hyphens are: the cluster's full name is `cluster`"
            );
            self.wrong(&section, &name_at, message);
        }
        let mut argv = |name: &str, written: Value<Vec<Spanned<String>>>, default: Vec<String>| {
            written.map_or(default, |written| self.argv(&field(name), written, &[], &[]))
        };
        let (command, ssh, backup, autoscaler) = (
            argv("command", table.command, default.command),
            argv("ssh", table.ssh, Vec::new()),
            argv("backup", table.backup, Vec::new()),
            argv("autoscaler", table.autoscaler, Vec::new()),
        );
        let duration = values::duration;
        KopsCluster {
            cluster: self.required(&field("cluster"), &at, table.cluster, word),
            state: self.required(&field("state"), &at, table.state, word),
            command,
            ssh,
            backup,
            autoscaler,
            environment: self.words(&field("environment"), table.environment, variable),
            directory: self.path(&field("directory"), table.directory),
            far_directory: self.or(&field("far_directory"), table.far_directory, default.far_directory, far_path),
            keysets: self.words(&field("keysets"), table.keysets, word),
            leave_out: self.words(&field("leave_out"), table.leave_out, word),
            control_plane: self.words(&field("control_plane"), table.control_plane, word),
            load_balancer: table.load_balancer.is_some_and(Spanned::into_inner),
            admin: self.or(&field("admin"), table.admin, default.admin, duration),
            notice: self.or(&field("notice"), table.notice, default.notice, duration),
            patience: self.or(&field("patience"), table.patience, default.patience, duration),
            poll: self.or(&field("poll"), table.poll, default.poll, duration),
            timeout: self.or(&field("timeout"), table.timeout, default.timeout, duration),
            update_timeout: self.or(&field("update_timeout"), table.update_timeout, default.update_timeout, duration),
            roll_timeout: self.or(&field("roll_timeout"), table.roll_timeout, default.roll_timeout, duration),
            holders: self.holders(&field("holders"), &at, table.holders),
            name: called,
        }
    }

    fn words(
        &mut self,
        field: &str,
        written: Value<Vec<Spanned<String>>>,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Vec<String> {
        let written = written.map(Spanned::into_inner).unwrap_or_default();
        written.into_iter().filter_map(|word| self.optional(field, Some(word), &read)).collect()
    }

    fn holders(
        &mut self,
        field: &str,
        at: &Range<usize>,
        written: Value<Vec<Spanned<HolderTable>>>,
    ) -> Vec<KopsHolder> {
        let (span, written) = match written {
            Some(written) => (written.span(), written.into_inner()),
            None => (at.clone(), Vec::new()),
        };
        if written.len() > MOST_HOLDERS {
            self.wrong(field, &span, format!("names {} holders; {MOST_HOLDERS} at most", written.len()));
        }
        let mut holders: Vec<KopsHolder> = Vec::with_capacity(written.len());
        for (number, table) in written.into_iter().enumerate() {
            let (at, table) = (table.span(), table.into_inner());
            let of = |name: &str| format!("{field}[{number}].{name}");
            let name_at = table.name.as_ref().map_or_else(|| at.clone(), Spanned::span);
            let name = self.required(&of("name"), &at, table.name, holder);
            if let Some(first) = holders.iter().position(|other| !name.is_empty() && other.name == name) {
                self.wrong(&of("name"), &name_at, format!("{name:?} is holders[{first}] already; each is named once"));
            }
            let contact = self.optional(&of("contact"), table.contact, values::line).unwrap_or_default();
            let admin = self.or(&of("holds"), table.holds, false, |text| match text {
                "certificates" => Ok(false),
                "admin" => Ok(true),
                _ => Err(format!("{text:?} is nothing that is held; write \"certificates\" or \"admin\"")),
            });
            holders.push(KopsHolder { name, contact, admin });
        }
        holders
    }
}

/// A word that stands in a command as it is.
fn word(text: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "/._-+@,:=".contains(c);
    if !text.is_empty() && text.len() <= 512 && !text.starts_with('-') && text.chars().all(known) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no plain word; letters, digits and / . _ - + @ , : = are, not - as the first"))
}

/// The name of a variable.
fn variable(text: &str) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_name = !text.is_empty() && text.bytes().all(known) && !text.as_bytes()[0].is_ascii_digit();
    if is_name && text != "KUBECONFIG" {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no name of a variable that is passed on; write for example \"AWS_PROFILE\""))
}

/// A holder's name, as it is typed.
fn holder(text: &str) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(known) && !text.starts_with('-') {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no name of a holder; 1 to 64 letters, digits and . _ @ - are, not - as the first"))
}

/// A folder on the deploy host, from the home there on or absolute.
fn far_path(text: &str) -> Result<String, String> {
    let path = word(text)?;
    if path.split('/').any(|part| part == "..") {
        return Err(format!("{text:?} leads out of where it begins; write for example \".changeguard\""));
    }
    Ok(path)
}
