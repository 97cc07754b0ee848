//! The files that the lab writes: `changeguard.toml`, complete, and beside it `clouds.yaml` and the mailbox's password,
//! private to the user; so that the program reaches the lab exactly as it reaches production.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::fernet::Cluster;
use super::state::{Shared, lock};

/// The line that the documented example proposes.
const AGENT_LOG: &str = "sudo -n journalctl -u user-sync-agent --since -5min -o short-iso --no-pager";
/// Reads the agent's mode without its secrets; likewise.
const AGENT_CHECK: &str = "sudo -n grep -oE '^(BARBICAN_SECRET_NAME|BARBICAN_SECRET_ID|VPN_CONFIG_PRIVATE_KEY)=' \
                           /etc/user-sync-agent.env";

/// Writes all files; returns the path of the configuration.
pub(super) fn write(shared: &Shared) -> std::io::Result<PathBuf> {
    let directory = &shared.options.directory;
    private(&directory.join("clouds.yaml"), &clouds(shared))?;
    private(&directory.join("inbox-password"), "the lab takes any but one\n")?;
    if shared.options.console {
        private(&directory.join("console-token"), &format!("{}\n", shared.console_token))?;
    }
    let path = directory.join("changeguard.toml");
    private(&path, &configuration(shared))?;
    Ok(path)
}

pub(super) fn private(path: &Path, text: &str) -> std::io::Result<()> {
    // Gone first: the mode below is only that of a new file.
    std::fs::remove_file(path).ok();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn clouds(shared: &Shared) -> String {
    let keystone = lock(&shared.keystone);
    let url = format!("http://127.0.0.1:{}/v3", shared.ports.keystone);
    let (id, secret) = &keystone.credential;
    format!(
        "clouds:\n  lab:\n    auth:\n      auth_url: {url}\n      username: operator\n      password: \"{}\"\n      \
         project_name: ops\n      user_domain_id: default\n      project_domain_id: default\n    \
         region_name: RegionOne\n    interface: public\n    identity_api_version: 3\n  \
         lab-appcred:\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: {url}\n      \
         application_credential_id: \"{id}\"\n      application_credential_secret: \"{secret}\"\n    \
         region_name: RegionOne\n    interface: public\n    identity_api_version: 3\n",
        keystone.password,
    )
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn configuration(shared: &Shared) -> String {
    let ports = shared.ports;
    let interval = shared.options.reconcile_interval;
    // The documented unit; an interval of a test below a second is rounded up.
    let interval = format!("{}s", interval.as_secs() + u64::from(interval.subsec_nanos() > 0));
    let shell = ports.shell.to_string();
    let program = shared.options.program.to_string_lossy();
    let command: Vec<String> = [&program, "lab-shell", "--port", &shell, "--server", "{server}", "--", "{read}"]
        .iter()
        .map(|word| quoted(word))
        .collect();
    let mut text = format!(
        "# Written by the lab of changeguard; everything it names is on 127.0.0.1 and gone when the lab stops.\n\
         [cloud]\nname = \"lab\"\nclouds_file = \"clouds.yaml\"\n\n\
         [state]\ndirectory = \"state\"\n\n\
         [wireguard]\nreconcile_interval = \"{interval}\"\n\n\
         [server]\ncommand = [{}]\nwg = \"sudo -n wg\"\npoll_interval = \"2s\"\nagent_check = {}\n{}\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"VPN Operations <{operator}>\"\n\n\
         [inbox]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nuser = \"{operator}\"\n\
         password_file = \"inbox-password\"\npoll_interval = \"2s\"\n\n\
         [notices]\nguide_url = \"https://portal.lab.example/docs/vpn-configuration\"\n\
         portal_url = \"https://portal.lab.example\"\norganisation = \"Lab Cloud\"\n\n\
         [tenants]\ndiscover = false\n",
        command.join(", "),
        quoted(AGENT_CHECK),
        if shared.options.agent_log { format!("agent_log = {}\n", quoted(AGENT_LOG)) } else { String::new() },
        ports.smtp,
        ports.imap,
        operator = super::mailbox::OPERATOR,
    );
    if shared.options.console {
        let port = ports.console;
        let _ = write!(text, "\n[console]\nurl = \"http://127.0.0.1:{port}/api\"\ntoken_file = \"console-token\"\n");
    }
    if shared.options.alerts {
        let _ = write!(text, "\n[alerts]\nurl = \"http://127.0.0.1:{}\"\n", ports.alerts);
    }
    for tenant in &shared.tenants {
        let _ = write!(
            text,
            "\n[[tenant]]\nid = \"{}\"\nname = \"{}\"\nserver = \"{}\"\ngateway = \"{}\"\n",
            tenant.id, tenant.name, tenant.server, tenant.gateway
        );
    }
    text
}

/// Counts what a node has answered, as the operator's own command would: all, refused tokens, server errors.
const ANSWERS: &str = "#!/bin/sh\n\
    # Written by the lab: the status stands behind the request of gunicorn's access log.\n\
    exec awk -F'\"' '{ split($3, rest, \" \"); s = rest[1]; all++ }\n\
    s == 401 || s == 404 && $2 ~ /\\/v3\\/auth\\/tokens/ { refused++ }\n\
    s >= 500 { failed++ }\n\
    END { print all + 0, refused + 0, failed + 0 }' \"$1\"\n";

/// Adds a cluster to the configuration, with its password and the command that counts what a node answers. `watched`: there is
/// traffic to be watched.
pub(super) fn add_cluster(shared: &Shared, config: &Path, cluster: &Cluster, watched: bool) -> std::io::Result<()> {
    let directory = &shared.options.directory;
    let account = cluster.service();
    private(&directory.join("keystone-password"), &format!("{}\n", *account.password))?;
    let answers = directory.join("keystone-answers");
    private(&answers, ANSWERS)?;
    let mut text = String::from("\n[keystone.lab]\nnodes = [\n");
    for (name, url) in cluster.names().iter().zip(cluster.urls()) {
        let _ = writeln!(text, "  {{ name = {}, url = {} }},", quoted(name), quoted(&url));
    }
    let argv = |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    let far = ["sudo", "-n", "sh", "-c", "{script}"].map(str::to_owned);
    let command: Vec<String> = cluster.ssh().into_iter().chain(far).collect();
    let conf = cluster.conf_template();
    let keys = conf.replace("keystone.conf", "fernet-keys");
    let log = conf.replace("etc/keystone/keystone.conf", "var/log/keystone/access.log");
    let count = ["sh".to_owned(), answers.to_string_lossy().into_owned(), log];
    let (user, group) = owner(directory)?;
    let length = if watched { "10s" } else { "0s" };
    let _ = write!(
        text,
        "]\ncommand = [{}]\nconfig_files = [{}]\nconfig_directory = \"\"\nrepository = {}\nuser = {}\ngroup = {}\n\
         auth = {{ user = {}, project = {}, password_file = \"keystone-password\" }}\n\
         watch = {{ length = \"{length}\", least_requests = 5, command = [{}] }}\n",
        argv(&command),
        quoted(&conf),
        quoted(&keys),
        quoted(&user),
        quoted(&group),
        quoted(&account.name),
        quoted(&account.project),
        argv(&count),
    );
    std::fs::OpenOptions::new().append(true).open(config)?.write_all(text.as_bytes())
}

/// Adds a section to the configuration.
pub(super) fn add_section(config: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().append(true).open(config)?.write_all(text.as_bytes())
}

/// Whose files the nodes' keys are: the lab has no other users. By name, as `stat` shows them there.
fn owner(directory: &Path) -> std::io::Result<(String, String)> {
    let metadata = std::fs::metadata(directory)?;
    let name = |list: &str, id: u32| {
        let text = std::fs::read_to_string(list).unwrap_or_default();
        let of = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.get(2) == Some(&id.to_string().as_str())).then(|| fields[0].to_owned())
        };
        text.lines().find_map(of).unwrap_or_else(|| "UNKNOWN".to_owned())
    };
    Ok((name("/etc/passwd", metadata.uid()), name("/etc/group", metadata.gid())))
}
