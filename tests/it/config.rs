//! The configuration file: what loads, and that every mistake is named with file, line, field and remedy.

use changeguard::config::check::{self, Level};
use changeguard::config::{
    self, After, Cloud, Config, ConfigError, Inbox, InboxLogin, Notices, Password, Server, Smtp, State, Swap, Wireguard,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const SMALLEST: &str = r#"[cloud]
name = "production"
[[tenant]]
id = "t1"
name = "acme"
[smtp]
host = "localhost"
from = "ops@example.net"
[notices]
guide_url = "https://portal.example.net/guide"
portal_url = "https://portal.example.net"
organisation = "Example Cloud"
"#;

pub struct Folder(pub tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub fn load(&self, text: &str) -> Result<Config, ConfigError> {
        let path = self.write("changeguard.toml", text, 0o644);
        load(&path)
    }
}

pub fn load(path: &Path) -> Result<Config, ConfigError> {
    config::load(Some(path), &|name| (name == "HOME").then(|| "/home/ops".to_owned()))
}

/// Puts a line into a section of the smallest file (replacing the field of that name), and gives the line's number.
pub fn with(section: &str, line: &str) -> (String, usize) {
    let field = line.split(['=', ' ']).next().unwrap();
    let mut lines: Vec<String> = SMALLEST.lines().map(String::from).collect();
    let header = lines.iter().position(|text| text == section).unwrap_or_else(|| {
        lines.push(section.to_owned());
        lines.len() - 1
    });
    let end =
        lines[header + 1..].iter().position(|text| text.starts_with('[')).map_or(lines.len(), |at| header + 1 + at);
    let at = match lines[header..end].iter().position(|text| text.starts_with(&format!("{field} "))) {
        Some(at) => {
            lines[header + at] = line.to_owned();
            header + at
        }
        None => {
            lines.insert(header + 1, line.to_owned());
            header + 1
        }
    };
    (lines.join("\n"), at + 1)
}

#[test]
fn the_example_loads_and_shows_the_defaults() {
    let folder = Folder::new();
    let example = include_str!("../../assets/changeguard.example.toml");
    let with_contacts = example.replacen("# contacts = ", "contacts = ", 1);
    let path = folder.write("changeguard.toml", &with_contacts, 0o644);
    folder.write("contacts.toml", include_str!("../../assets/contacts.example.toml"), 0o644);
    let config = load(&path).unwrap_or_else(|error| panic!("{error}"));
    let required = config.clone();
    let expected = Config {
        approval: Default::default(),
        reminders: None,
        alerts: None,
        exceptions: Default::default(),
        read_only: false,
        path,
        cloud: Cloud { name: required.cloud.name, ..Cloud::default() },
        state: State {
            directory: Path::new("/home/ops").join(State::default().directory.strip_prefix("~").unwrap()),
            ..State::default()
        },
        wireguard: Wireguard::default(),
        tenants: config::Tenants { contacts: required.tenants.contacts, ..config::Tenants::default() },
        tenant: required.tenant,
        server: Server::default(),
        smtp: Smtp { host: required.smtp.host, from: required.smtp.from, ..Smtp::default() },
        notices: Notices { templates: None, ..required.notices },
        inbox: None,
        console: None,
        keystone: Vec::new(),
        kops: Vec::new(),
        contacts: required.contacts,
        languages: Default::default(),
    };
    assert_eq!(config, expected);
    let entries = config.contacts_of(&config.tenant[0]);
    assert_eq!(entries[0].email.as_deref(), Some("ada@example.net"));
}

#[test]
fn every_optional_line_of_the_example_is_known() {
    let folder = Folder::new();
    folder.write("contacts.toml", include_str!("../../assets/contacts.example.toml"), 0o644);
    let secret = folder.write("secret", "x", 0o600);
    // Uncomment what looks like a setting; of the passwords only the file is kept.
    let example: Vec<String> = include_str!("../../assets/changeguard.example.toml")
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if ["password_command", "password = ", "oauth2_command"].iter().any(|one| rest.starts_with(one)) =>
            {
                line.to_owned()
            }
            Some(rest) if rest.starts_with("password_file") => format!("password_file = {secret:?}"),
            Some(rest) if rest.starts_with("token_file") => format!("token_file = {secret:?}"),
            Some(rest) if rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => {
                rest.to_owned()
            }
            _ => line.to_owned(),
        })
        .collect();
    let config = folder.load(&example.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.smtp.password, Password::File(secret.clone()));
    let expected = Inbox {
        host: "imap.example.net".into(),
        user: "vpn-ops".into(),
        login: InboxLogin::Password(Password::File(secret)),
        address: "vpn-ops@example.net".into(),
        ca_file: Some("/etc/ssl/private-ca.pem".into()),
        authserv_id: Some("mx.example.net".into()),
        ..Inbox::default()
    };
    assert_eq!(config.inbox, Some(expected), "the example shows the defaults");
    let cluster = &config.keystone[0];
    let expected = config::Keystone {
        name: "production".into(),
        nodes: cluster.nodes.clone(),
        rotator: "ctl1".into(),
        auth: cluster.auth.clone(),
        ca_file: Some("/etc/ssl/private-ca.pem".into()),
        watch: config::KeystoneWatch { command: cluster.watch.command.clone(), ..Default::default() },
        archive: cluster.archive.clone(),
        ..Default::default()
    };
    assert_eq!(*cluster, expected, "the example shows the defaults");
    super::config_keystone::kops_shows_the_defaults(&config.kops[0]);
    assert!(cluster.archive.as_ref().is_some_and(|archive| archive.encrypt[0] == "age" && archive.open[0] == "age"));
    assert_eq!(config.smtp.per_minute, Some(30));
    assert_eq!(config.language_of(&config.tenant[0]), changeguard::domain::language::Language::German);
    assert!(config.server.agent_check.is_some() && config.console.is_some() && config.cloud.clouds_file.is_some());
}

fn is_key(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[test]
fn each_mistake_is_told_with_its_line_its_field_and_what_would_be_right() {
    let folder = Folder::new();
    let open = folder.write("open", "x", 0o644);
    let cases: &[(&str, &str, &str, &str)] = &[
        ("[wireguard]", "swap = \"store\"", "wireguard.swap", "\"store-first\""),
        ("[wireguard]", "secret_name = \"vpn-private-key\"", "wireguard.secret_name", "must hold {tenant_id}"),
        ("[wireguard]", "secret_name = \"k-{tenant}\"", "wireguard.secret_name", "\"{tenant}\" is no placeholder"),
        ("[wireguard]", "secret_name = \"k%{tenant_id}\"", "wireguard.secret_name", "letters, digits"),
        ("[wireguard]", "interface = \"wg0; reboot\"", "wireguard.interface", "\"wg0\""),
        ("[wireguard]", "object = \"../x\"", "wireguard.object", "config/vpn-users.json"),
        ("[wireguard]", "reconcile_interval = \"60\"", "wireguard.reconcile_interval", "\"90s\""),
        ("[wireguard]", "reconcile_interval = 60", "wireguard.reconcile_interval", "expected a string"),
        ("[wireguard]", "cadence_months = 0", "wireguard.cadence_months", "1 to 120"),
        ("[wireguard]", "intreface = \"wg0\"", "wireguard.intreface", "expected one of"),
        ("[cloud]", "name = \"\"", "cloud.name", "is empty"),
        ("[[tenant]]", "id = \"a%b\"", "tenant[0].id", "letters, digits or hyphens"),
        ("[[tenant]]", "server = \"-oProxyCommand=x\"", "tenant[0].server", "not a host name"),
        ("[[tenant]]", "server = \"a b\"", "tenant[0].server", "not a host name"),
        ("[[tenant]]", "gateway = \"gw\"", "tenant[0].gateway", "\"10.77.1.1\""),
        ("[[tenant]]", "language = \"it\"", "tenant[0].language", "\"en\", \"de\", \"fr\" or \"es\""),
        ("[notices]", "language = \"German\"", "notices.language", "\"de\""),
        ("[smtp]", "retries = 6", "smtp.retries", "0 to 5"),
        ("[server]", "command = []", "server.command", "is empty"),
        ("[server]", "command = [\"ssh\", \"{server}\"]", "server.command", "must hold {read}"),
        ("[server]", "command = [\"ssh\", \"{read}\"]", "server.command", "must hold {server}"),
        (
            "[server]",
            "command = [\"ssh\", \"{server}\", \"{red}\", \"{read}\"]",
            "server.command",
            "{read}, {control_path}",
        ),
        ("[server]", "wg = \"wg; cat\"", "server.wg", "plain command"),
        ("[smtp]", "security = \"ssl\"", "smtp.security", "\"starttls\", \"tls\" or \"none\""),
        ("[smtp]", "port = 70000", "smtp.port", "1 to 65535"),
        ("[smtp]", "from = \"Ops\"", "smtp.from", "user@example.net"),
        ("[smtp]", "from = \"Ops\\r\\nBcc: a@b <o@x.net>\"", "smtp.from", "user@example.net"),
        ("[smtp]", "user = \"ops\"", "smtp.user", "password_file or password_command"),
        ("[smtp]", "password_command = [\"pass\"]", "smtp.password_command", "add user"),
        ("[notices]", "guide_url = \"ftp://x/\"", "notices.guide_url", "https://host/path"),
        ("[notices]", "portal_url = \"https://\"", "notices.portal_url", "https://host/path"),
        ("[tenants]", "contacts = \"nowhere.toml\"", "tenants.contacts", "does not exist"),
        ("[tenants]", "contacts = \"~ops/x\"", "tenants.contacts", "write the whole path"),
        ("[nothing]", "x = 1", "nothing", "expected one of"),
    ];
    for (section, line, field, says) in cases {
        let (text, number) = with(section, line);
        let error = folder.load(&text).expect_err(line);
        let [problem] = error.problems() else {
            panic!("{line}: {error}");
        };
        let number = if *section == "[nothing]" { number - 1 } else { number };
        assert_eq!((problem.line, problem.field.as_str()), (number, *field), "{error}");
        assert!(problem.message.contains(says), "{error}");
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("{}/changeguard.toml:{number}:", folder.0.path().display())), "{shown}");
        assert!(shown.contains("^"), "{shown}");
    }
    let (text, number) = with("[smtp]", &format!("user = \"ops\"\npassword_file = {open:?}"));
    let error = folder.load(&text).unwrap_err();
    assert_eq!((error.problems()[0].line, error.problems()[0].field.as_str()), (number + 1, "smtp.password_file"));
    assert!(error.to_string().contains("chmod 600"), "{error}");
    // A token that others may read, write or replace, or that is not there, is a state of the console, and told by `config check`.
    let foreign = folder.write("foreign", "x", 0o666);
    std::fs::create_dir(folder.0.path().join("everybodys")).unwrap();
    let replaceable = folder.write("everybodys/token", "x", 0o600);
    std::fs::set_permissions(replaceable.parent().unwrap(), std::fs::Permissions::from_mode(0o777)).unwrap();
    for file in [open.clone(), folder.0.path().join("nowhere"), foreign, replaceable] {
        let (text, _) = with("[console]", &format!("url = \"https://c/\"\ntoken_file = {file:?}"));
        let found = config::check::check(&folder.load(&text).unwrap());
        let found = found.iter().find(|finding| finding.field == "console.token_file").unwrap();
        assert_eq!(found.level, config::check::Level::Failure, "{found:?}");
    }
}

#[test]
fn alertmanager_has_one_login_and_silences_one_tenant() {
    let folder = Folder::new();
    let secret = folder.write("secret", "x", 0o600);
    let load = |lines: &str| folder.load(&format!("{SMALLEST}[alerts]\nurl = \"https://am.example.net\"\n{lines}"));
    let alerts = load("").unwrap().alerts.unwrap();
    assert_eq!(alerts, config::Alerts { url: "https://am.example.net".into(), ..config::Alerts::default() });
    let alerts =
        load(&format!("tenant_value = \"vpn-{{tenant_id}}\"\ntoken_file = {secret:?}\n")).unwrap().alerts.unwrap();
    assert_eq!((alerts.tenant_value.as_str(), alerts.token_file), ("vpn-{tenant_id}", Some(secret.clone())));
    let user = format!("user = \"ops\"\npassword_file = {secret:?}\n");
    assert_eq!(load(&user).unwrap().alerts.unwrap().password, Password::File(secret.clone()));
    for (lines, field) in [
        ("tenant_value = \"acme\"".to_owned(), "alerts.tenant_value"),
        ("tenant_label = \"alertname\"".into(), "alerts.tenant_label"),
        ("tenant_label = \"a-b\"".into(), "alerts.tenant_label"),
        ("silence = \"2h\"".into(), "alerts.silence"),
        ("user = \"ops\"".into(), "alerts.user"),
        ("user = \"o:ps\"\npassword_command = [\"x\"]".into(), "alerts.user"),
        (format!("password_file = {secret:?}"), "alerts.password_file"),
        (format!("{user}token_file = {secret:?}"), "alerts.token_file"),
        (format!("user = \"ops\"\ntoken_file = {secret:?}"), "alerts.token_file"),
    ] {
        let error = load(&lines).unwrap_err();
        let fields: Vec<&str> = error.problems().iter().map(|problem| problem.field.as_str()).collect();
        assert!(fields.contains(&field), "{lines}: {error}");
    }
    let warned = check::check(&load(&user.replace("user", "ca_file = \"gone.pem\"\nuser")).unwrap());
    assert!(warned.iter().any(|f| f.field == "alerts.ca_file" && f.level == Level::Failure), "{warned:?}");
}

#[test]
fn what_is_missing_is_told_at_its_section() {
    let folder = Folder::new();
    let error = folder.load("[cloud]\n\n[smtp]\nhost = \"localhost\"\n").unwrap_err();
    let told: Vec<(usize, &str)> = error.problems().iter().map(|p| (p.line, p.field.as_str())).collect();
    let expected = [
        (1, "cloud.name"),
        (1, "notices.guide_url"),
        (1, "notices.organisation"),
        (1, "notices.portal_url"),
        (1, "tenant"),
        (3, "smtp.from"),
    ];
    assert_eq!(told, expected, "{error}");
}

#[test]
fn all_mistakes_are_told_together() {
    let folder = Folder::new();
    let text =
        SMALLEST.replace("id = \"t1\"", "id = \"a b\"\nnmae = 1\nserver = 7").replace("host =", "port = \"x\"\nhsot =");
    let error = folder.load(&text).unwrap_err();
    let fields: Vec<&str> = error.problems().iter().map(|p| p.field.as_str()).collect();
    let expected = ["tenant[0].id", "tenant[0].nmae", "tenant[0].server", "smtp.host", "smtp.port", "smtp.hsot"];
    assert_eq!(fields, expected, "{error}");
}

#[test]
fn tenants_must_differ_in_id_and_name() {
    let folder = Folder::new();
    let text = format!("{SMALLEST}[[tenant]]\nid = \"t1\"\nname = \"acme\"\n");
    let error = folder.load(&text).unwrap_err();
    let told: Vec<(usize, &str)> = error.problems().iter().map(|p| (p.line, p.field.as_str())).collect();
    assert_eq!(told, [(14, "tenant[1].id"), (15, "tenant[1].name")], "{error}");
    let text = format!("{SMALLEST}[[tenant]]\nid = \"t2\"\nname = \"beta\"\n[wireguard]\ncontainer = \"shared\"\n");
    let error = folder.load(&text).unwrap_err();
    assert!(error.to_string().contains("all tenants would share one object"), "{error}");
}

#[test]
fn mail_in_clear_is_for_this_machine_only() {
    let folder = Folder::new();
    let (text, _) = with("[smtp]", "security = \"none\"");
    assert!(folder.load(&text).is_ok());
    let text = text.replace("\"localhost\"", "\"smtp.example.net\"");
    let error = folder.load(&text).unwrap_err();
    assert_eq!(error.problems()[0].field, "smtp.security");
}

#[test]
fn a_password_in_the_file_is_accepted_only_if_the_file_is_private_and_is_never_shown() {
    let folder = Folder::new();
    let (text, line) = with("[smtp]", "password = \"hunter2\"");
    let text = text.replace("host = ", "user = \"ops\"\nhost = ");
    let error = folder.load(&text).unwrap_err();
    assert_eq!((error.problems()[0].line, error.problems()[0].field.as_str()), (line, "smtp.password"));
    assert!(error.to_string().contains("chmod 600"));
    let config = load(&folder.write("private.toml", &text, 0o600)).unwrap();
    assert!(matches!(&config.smtp.password, Password::Text(text) if **text == "hunter2"));
    let broken = [
        text.replace("\"hunter2\"", "hunter2"),
        text.replace("\"hunter2\"", "424242"),
        text.replace("\"hunter2\"", "\"hunter2\" x"),
        text.replace("\"hunter2\"", "\"\"\"x\nhunter2\\q\"\"\""),
        text.replace("password = ", "password_command = [\"pass\"]\npassword = "),
    ];
    for text in broken {
        let error = load(&folder.write("private.toml", &text, 0o600)).unwrap_err();
        let shown = format!("{error} {error:?} {config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("424242"), "{shown}");
    }
}

const INBOX: &str = "[inbox]\nhost = \"imap.example.net\"\nuser = \"ops\"\npassword_command = [\"pass\"]\n";

#[test]
fn the_mailbox_is_optional_and_its_address_is_where_answers_go_already() {
    let folder = Folder::new();
    assert_eq!(folder.load(SMALLEST).unwrap().inbox, None);
    let inbox = folder.load(&format!("{SMALLEST}{INBOX}")).unwrap().inbox.unwrap();
    assert_eq!((inbox.address.as_str(), inbox.separator, inbox.after), ("ops@example.net", Some('+'), After::Leave));
    let (text, _) = with("[smtp]", "reply_to = \"VPN <answers@example.net>\"");
    let text =
        format!("{text}\n{INBOX}separator = \"\"\nafter = \"move:Done & gone\"\nfolders = [\"INBOX\", \"Junk\"]\n");
    let inbox = folder.load(&text).unwrap().inbox.unwrap();
    assert_eq!((inbox.address.as_str(), inbox.separator), ("answers@example.net", None));
    assert_eq!((inbox.after, inbox.folders.len()), (After::Move("Done & gone".into()), 2));
    let text = text.replace("password_command", "oauth2_command");
    let inbox = folder.load(&text).unwrap().inbox.unwrap();
    assert_eq!(inbox.login, InboxLogin::OAuth2(vec!["pass".into()]));
}

#[test]
fn each_mistake_about_the_mailbox_is_told_with_what_would_be_right() {
    let folder = Folder::new();
    let cases: &[(&str, &str, &str)] = &[
        ("port = 0", "inbox.port", "1 to 65535"),
        ("security = \"ssl\"", "inbox.security", "\"starttls\", \"tls\" or \"none\""),
        ("security = \"none\"", "inbox.security", "this machine only"),
        ("separator = \"++\"", "inbox.separator", "write \"+\""),
        ("separator = \"a\"", "inbox.separator", "write \"+\""),
        ("folders = []", "inbox.folders", "[\"INBOX\"]"),
        ("folders = [\"INBOX\", \"INBOX\"]", "inbox.folders", "there already"),
        ("after = \"delete\"", "inbox.after", "\"move:Folder\""),
        ("after = \"move:INBOX\"", "inbox.after", "would come back"),
        ("address = \"Ops <ops@example.net>\"", "inbox.address", "user@example.net"),
        ("address = \"vpn-operations-of-the-whole-company@example.net\"", "inbox.address", "at most 32"),
        ("poll_interval = \"60\"", "inbox.poll_interval", "\"90s\""),
        ("oauth2_command = [\"token\"]", "inbox.oauth2_command", "one source"),
        ("passwd = \"x\"", "inbox.passwd", "expected one of"),
    ];
    for (line, field, says) in cases {
        let error = folder.load(&format!("{SMALLEST}{INBOX}{line}\n")).expect_err(line);
        let [problem] = error.problems() else { panic!("{line}: {error}") };
        assert_eq!((problem.line, problem.field.as_str()), (SMALLEST.lines().count() + 5, *field), "{error}");
        assert!(problem.message.contains(says), "{error}");
    }
    let error = folder.load(&format!("{SMALLEST}[inbox]\nuser = \"ops\"\n")).unwrap_err();
    let told: Vec<&str> = error.problems().iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(told, ["inbox.host", "inbox.user"], "{error}");
    assert!(error.to_string().contains("oauth2_command"), "{error}");
    let open = format!("{SMALLEST}{}password = \"hunter2\"\n", INBOX.replace("password_command = [\"pass\"]\n", ""));
    let error = folder.load(&open).unwrap_err();
    assert!(error.to_string().contains("chmod 600") && !error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn two_sources_of_the_password_are_one_too_many() {
    let folder = Folder::new();
    let secret = folder.write("secret", "x", 0o600);
    let (text, line) =
        with("[smtp]", &format!("user = \"ops\"\npassword_file = {secret:?}\npassword_command = [\"pass\"]"));
    let error = folder.load(&text).unwrap_err();
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!((problem.line, problem.field.as_str()), (line + 2, "smtp.password_command"));
}

#[test]
fn text_that_is_not_toml_is_told_with_its_place() {
    let folder = Folder::new();
    let error = folder.load("[cloud]\nname = production\n").unwrap_err();
    assert_eq!(error.problems()[0].line, 2);
    assert!(error.to_string().contains("not valid TOML"), "{error}");
}

#[test]
fn contacts_are_checked_in_their_own_file() {
    let folder = Folder::new();
    let contacts = "[[contact]]\ntenant = \"acme\"\nclient = \"ada\"\nemail = \"ada\"\n\
        [[contact]]\ntenant = \"other\"\nclient = \"bob\"\nemail = \"bob@x.net\"\n\
        [[contact]]\ntenant = \"t1\"\nclient = \"ada\"\nemail = \"ada@x.net\"\nphone = \"1\"\n\
        [[contact]]\ntenant = \"acme\"\nclient = \"eve\"\n";
    folder.write("people.toml", contacts, 0o644);
    let (text, _) = with("[tenants]", "contacts = \"people.toml\"");
    let error = folder.load(&text).unwrap_err();
    let told: Vec<(usize, &str)> = error.problems().iter().map(|p| (p.line, p.field.as_str())).collect();
    let expected = [
        (4, "contact[0].email"),
        (6, "contact[1].tenant"),
        (11, "contact[2].client"),
        (13, "contact[2].phone"),
        (14, "contact[3].email"),
    ];
    assert_eq!(told, expected, "{error}");
    assert!(error.problems().iter().all(|p| p.file.ends_with("people.toml")));
}

#[test]
fn paths_start_at_the_file_or_at_home_and_values_arrive() {
    let folder = Folder::new();
    let (text, _) = with("[notices]", "templates = \"~/templates\"");
    let text = format!(
        "{text}\n[state]\ndirectory = \"state\"\n[wireguard]\nswap = \"store-first\"\npreflight_valid = \"2h\"\n"
    );
    let config = folder.load(&text).unwrap();
    assert_eq!(config.notices.templates.as_deref(), Some(Path::new("/home/ops/templates")));
    assert_eq!(config.state.directory, folder.0.path().join("state"));
    assert_eq!(config.wireguard.swap, Swap::StoreFirst);
    assert_eq!(config.wireguard.preflight_valid, Duration::from_secs(7200));
    assert_eq!(config.wireguard.secret_name_of(&config.tenant[0].id), "vpn-private-key-t1");
}

#[test]
fn the_file_is_looked_for_where_xdg_says() {
    let env = |xdg: Option<&'static str>| {
        move |name: &str| match name {
            "XDG_CONFIG_HOME" => xdg.map(String::from),
            "HOME" => Some("/home/ops".to_owned()),
            _ => None,
        }
    };
    let place = |xdg| config::default_path(&env(xdg)).unwrap();
    assert_eq!(place(Some("/xdg")), Path::new("/xdg/changeguard/changeguard.toml"));
    assert_eq!(place(Some("relative")), Path::new("/home/ops/.config/changeguard/changeguard.toml"));
    assert_eq!(place(None), Path::new("/home/ops/.config/changeguard/changeguard.toml"));
    assert!(matches!(config::load(None, &|_| None), Err(ConfigError::NoPlace)));
    assert!(matches!(config::load(Some(Path::new("/nowhere/x.toml")), &|_| None), Err(ConfigError::Missing(_))));
}

#[test]
fn the_check_says_what_is_risky() {
    let folder = Folder::new();
    let (text, _) =
        with("[server]", "command = [\"ssh\", \"-o\", \"StrictHostKeyChecking no\", \"{server}\", \"{read}\"]");
    let text = format!("{text}\n[state]\ndirectory = \"/etc/hostname\"\n");
    let findings = check::check(&folder.load(&text).unwrap());
    let says = |level, text: &str| findings.iter().any(|f| f.level == level && f.text.contains(text));
    assert!(says(Level::Warning, "BatchMode"), "{findings:?}");
    assert!(says(Level::Warning, "not verified"), "{findings:?}");
    assert!(says(Level::Warning, "has no server"), "{findings:?}");
    assert!(says(Level::Failure, "is not a folder"), "{findings:?}");
    let (text, _) = with("[smtp]", "verp = true");
    let findings = check::check(&folder.load(&text).unwrap());
    assert!(findings.iter().any(|f| f.field == "smtp.verp" && f.level == Level::Warning), "{findings:?}");
}
