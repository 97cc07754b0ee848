//! The files that the lab writes: `changeguard.toml`, complete, and beside it `clouds.yaml` and the mailbox's password,
//! private to the user; so that the program reaches the lab exactly as it reaches production.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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
