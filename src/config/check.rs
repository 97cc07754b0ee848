//! What `config check` says of a configuration that could be read: what is unusual, risky or not there yet.
//!
//! What makes a configuration unusable is found by `rules` when it is read; nothing here talks to the network.

use super::clouds::{self, CloudError, Environment};
use super::security::address_of;
use super::{Config, Console, Security, Server, Swap};
use crate::domain::fault::Service;
use crate::domain::transport::{Address, Passage, Weakness};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For information.
    Note,
    /// Works, and somebody should know.
    Warning,
    /// Will not work as it stands.
    Failure,
}

impl Level {
    /// The word on the screen and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Failure => "FAIL",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// The field concerned.
    pub field: &'static str,
    /// What was found, a lower-case fragment.
    pub text: String,
}

/// Every finding, in the order of the file. An empty list means that there is nothing to say.
pub fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.files(config);
    findings.state(&config.state.directory);
    let has_tenants = config.no_tenants().is_none();
    if has_tenants {
        findings.tenants(config);
        findings.server(&config.server);
        findings.mails(config);
    }
    for cluster in &config.keystone {
        findings.ssh("keystone.command", &cluster.command, "{node}");
        findings.ssh("keystone.watch.command", &cluster.watch.command, "{node}");
    }
    for cluster in &config.kops {
        findings.ssh("kops.ssh", &cluster.ssh, "the host");
        if cluster.holders.is_empty() {
            findings.add(
                Level::Warning,
                "kops.holders",
                "nobody is named who holds a kubeconfig: nobody is waited for",
            );
        }
    }
    findings.connections(config);
    findings.0
}

/// What is to be said of the cloud: where it was found, and what of it is not protected.
pub fn check_cloud(config: &Config, sources: &Environment) -> Vec<Finding> {
    const FIELD: &str = "cloud.name";
    let mut findings = Findings(Vec::new());
    // Clusters alone need none.
    if config.cloud.name.is_empty() {
        return findings.0;
    }
    let cloud = match clouds::read(sources, &config.cloud.name) {
        Ok(cloud) => cloud,
        // The check may be made on another machine than the bastion.
        Err(error @ CloudError::NoFile { .. }) => {
            findings.add(Level::Warning, FIELD, format!("nothing can be done here: failed to {error}"));
            return findings.0;
        }
        Err(error) => {
            findings.add(Level::Failure, FIELD, format!("failed to {error}"));
            return findings.0;
        }
    };
    let files: Vec<String> = cloud.files.iter().map(|file| file.display().to_string()).collect();
    let place = if files.is_empty() { "the OS_* variables".into() } else { files.join(" and ") };
    findings.add(Level::Note, FIELD, format!("{:?} is taken from {place}", cloud.name));
    if !cloud.verify && config.exceptions.unverified_tls.is_empty() {
        let weakness = Weakness::UnverifiedTls;
        let text = format!("verify is false: {}, or name its services in {}", weakness.cure(), weakness.setting());
        findings.add(Level::Failure, FIELD, text);
    }
    let keystone = cloud.identity_endpoint.as_ref().unwrap_or(&cloud.auth_url);
    let addresses = [
        (Service::Keystone, Some(keystone)),
        (Service::Barbican, cloud.key_manager_endpoint.as_ref()),
        (Service::Swift, cloud.object_store_endpoint.as_ref()),
    ];
    for (service, url) in addresses {
        if let Some(address) = url.and_then(|url| address_of(url)) {
            findings.passage(config, FIELD, service, &address, cloud.verify);
        }
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, field: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Finding { level, field, text });
    }

    /// What is not protected, allowed or not.
    fn passage(&mut self, config: &Config, field: &'static str, service: Service, address: &Address, verified: bool) {
        match config.exceptions.judge(service, address, verified) {
            Passage::Protected => {}
            Passage::Allowed(weakness) => {
                let text = format!("{} to {service} ({address}), as {} allows", weakness.word(), weakness.setting());
                self.add(Level::Warning, field, text);
            }
            Passage::Refused(weakness) => {
                let text = format!(
                    "{} to {service} ({address}) is refused: {}, or name it in {}",
                    weakness.word(),
                    weakness.cure(),
                    weakness.setting()
                );
                self.add(Level::Failure, field, text);
            }
        }
    }

    fn files(&mut self, config: &Config) {
        let console_ca = config.console.as_ref().and_then(|console| console.ca_file.as_deref());
        let alerts_ca = config.alerts.as_ref().and_then(|alerts| alerts.ca_file.as_deref());
        let inbox_ca = config.inbox.as_ref().and_then(|inbox| inbox.ca_file.as_deref());
        let files = [
            ("cloud.clouds_file", config.cloud.clouds_file.as_deref()),
            ("smtp.ca_file", config.smtp.ca_file.as_deref()),
            ("inbox.ca_file", inbox_ca),
            ("console.ca_file", console_ca),
            ("alerts.ca_file", alerts_ca),
        ];
        // Tokens end, and are replaced while everything else goes on: only here is it a fault of the configuration.
        if let Some(Err(text)) = config.console.as_ref().map(|console| Console::is_private(&console.token_file)) {
            self.add(Level::Failure, "console.token_file", text);
        }
        for (field, path) in files.into_iter().filter_map(|(field, path)| Some((field, path?))) {
            if let Err(error) = std::fs::File::open(path) {
                self.add(Level::Failure, field, format!("{} can't be read: {error}", path.display()));
            }
        }
        if config.wireguard.swap == Swap::StoreFirst {
            let text = "\"store-first\" leaves a moment with two secrets of one name; the document's order is \"delete-first\"";
            self.add(Level::Note, "wireguard.swap", text);
        }
    }

    fn state(&mut self, directory: &Path) {
        match std::fs::metadata(directory) {
            Ok(metadata) if !metadata.is_dir() => {
                self.add(Level::Failure, "state.directory", format!("{} is not a folder", directory.display()));
            }
            Ok(metadata) if metadata.mode() & 0o077 != 0 => {
                let text = format!(
                    "{shown} can be entered by others (mode {:04o}); run: chmod 700 {shown}",
                    metadata.mode() & 0o7777,
                    shown = directory.display()
                );
                self.add(Level::Failure, "state.directory", text);
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = format!("{} does not exist yet; it is made at the first start", directory.display());
                self.add(Level::Note, "state.directory", text);
            }
            Err(error) => {
                self.add(Level::Failure, "state.directory", format!("{}: {error}", directory.display()));
            }
        }
    }

    fn tenants(&mut self, config: &Config) {
        for tenant in &config.tenant {
            if tenant.server.is_none() {
                let text = format!("{} has no server: its handshakes can't be read", tenant.name);
                self.add(Level::Warning, "tenant.server", text);
            }
        }
        if config.tenants.discover && config.tenants.server.is_none() {
            let text = "discovered tenants have no server, so none of them can be rotated: set tenants.server";
            self.add(Level::Note, "tenants.discover", text);
        }
    }

    /// A command that is ssh: nobody is asked on the terminal, and host keys are verified.
    fn ssh(&mut self, field: &'static str, command: &[String], host: &str) {
        if command.first().map(|program| program.rsplit('/').next().unwrap_or(program)) != Some("ssh") {
            return;
        }
        let says = |wanted: &str| {
            let wanted = wanted.to_ascii_lowercase();
            command.iter().any(|word| word.to_ascii_lowercase().replace(' ', "=").ends_with(&wanted))
        };
        if !says("BatchMode=yes") {
            let text = "without BatchMode=yes ssh may ask on the terminal that changeguard draws on";
            self.add(Level::Warning, field, text);
        }
        if says("StrictHostKeyChecking=no") || says("StrictHostKeyChecking=accept-new") || says("=/dev/null") {
            let text = "host keys are not verified: another machine could answer in its place";
            self.add(Level::Warning, field, text);
        }
        if !command.iter().any(|word| word == "--") {
            let text = format!("without \"--\" before {host} ssh could take a name for an option");
            self.add(Level::Warning, field, text);
        }
    }

    fn server(&mut self, server: &Server) {
        self.ssh("server.command", &server.command, "{server}");
        if server.agent_check.is_none() {
            let text = "not set: it can't be known whether the agent looks the secret up by its name";
            self.add(Level::Note, "server.agent_check", text);
        }
    }

    fn mails(&mut self, config: &Config) {
        if config.smtp.security == Security::None {
            self.add(Level::Note, "smtp.security", "mails pass in clear to this machine's own mail server");
        }
        if config.smtp.per_minute.is_none() {
            let text = "not set; some relays accept few mails a minute (Exchange Online: 30)";
            self.add(Level::Note, "smtp.per_minute", text);
        }
        if config.smtp.verp && config.inbox.as_ref().is_none_or(|inbox| inbox.separator.is_none()) {
            let text = "changes nothing without an [inbox] whose separator lets an address carry a token";
            self.add(Level::Warning, "smtp.verp", text);
        }
        match &config.inbox {
            None => {
                self.add(Level::Note, "inbox", "not set: answers by mail are not read, an operator records them");
            }
            Some(inbox) => {
                if inbox.security == Security::None {
                    self.add(Level::Note, "inbox.security", "answers are read in clear from this machine");
                }
                if inbox.separator.is_none() {
                    let text = "\"\": answers without a calendar part are known only by the mail that they refer to";
                    self.add(Level::Warning, "inbox.separator", text);
                }
            }
        }
    }

    fn connections(&mut self, config: &Config) {
        let console = config.console.as_ref().map(|console| ("console.url", Service::Console, &console.url));
        let alerts = config.alerts.as_ref().map(|alerts| ("alerts.url", Service::Alerts, &alerts.url));
        for (field, service, url) in [console, alerts].into_iter().flatten() {
            if let Some(address) = address_of(url) {
                self.passage(config, field, service, &address, true);
            }
        }
    }
}
