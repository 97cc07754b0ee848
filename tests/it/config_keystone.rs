//! `[keystone.NAME]`: what it is when left out, and that every mistake is named with its line, its field and what would be right.

use crate::config::{Folder, SMALLEST};
use changeguard::config::{self, Keystone, KeystoneAuth, KeystoneNode, NotBefore, Password, Purge};
use std::time::Duration;

const NODES: &str = "nodes = [{ name = \"ctl1\", url = \"https://ctl1:5000/v3\" }, { name = \"ctl2\", url = \"https://ctl2:5000/v3\" }]\n";
const AUTH: &str = "auth = { user = \"cg\", project = \"service\", password_command = [\"pass\"] }\n";

fn cluster(lines: &str) -> String {
    format!("{SMALLEST}[keystone.prod]\n{lines}")
}

fn node(name: &str) -> KeystoneNode {
    KeystoneNode { name: name.into(), url: format!("https://{name}:5000/v3") }
}

#[test]
fn what_is_left_out_is_as_documented() {
    let folder = Folder::new();
    let config = folder.load(&cluster(&format!("{NODES}{AUTH}"))).unwrap_or_else(|error| panic!("{error}"));
    let expected = Keystone {
        name: "prod".into(),
        nodes: vec![node("ctl1"), node("ctl2")],
        rotator: "ctl1".into(),
        auth: KeystoneAuth::User {
            user: "cg".into(),
            domain: "default".into(),
            project: Some("service".into()),
            project_domain: "default".into(),
            password: Password::Command(vec!["pass".into()]),
        },
        ..Keystone::default()
    };
    assert_eq!(config.keystone, [expected]);
    let only = &config.keystone[0];
    assert_eq!(only.subject(), "keystone/prod");
    assert!(only.command.ends_with(&["--", "{node}", "sudo", "-n", "sh", "-c", "{script}"].map(String::from)));
    assert!(only.command.iter().any(|word| word == "StrictHostKeyChecking=yes"), "{:?}", only.command);
    assert_eq!((only.distribution, only.skew, only.pause), (secs(600), secs(5), secs(1)));
    assert_eq!((only.parallel, only.purge, only.not_before), (8, Purge::Typed, NotBefore::Purge));
    assert_eq!((only.user.as_str(), only.group.as_str(), only.watch.length), ("keystone", "keystone", secs(0)));
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn what_is_written_arrives_and_a_cluster_alone_needs_no_tenant() {
    let folder = Folder::new();
    let secret = folder.write("secret", "x", 0o600);
    let lines = format!(
        "{NODES}rotator = \"ctl2\"\ncommand = [\"reach\", \"{{node}}\", \"{{script}}\"]\nskew = \"0s\"\npause = \"0s\"\n\
         config_files = [\"/srv/{{node}}/keystone.conf\"]\nconfig_directory = \"\"\npurge = \"when-safe\"\nnot_before = \"rotate\"\n\
         auth = {{ application_credential = \"abc\", password_file = {secret:?} }}\n\
         watch = {{ length = \"5m\", refused = 30, command = [\"count\", \"{{node}}\"] }}\n"
    );
    let text = cluster(&lines).replace("[[tenant]]\nid = \"t1\"\nname = \"acme\"\n", "");
    let config = folder.load(&text).unwrap_or_else(|error| panic!("{error}"));
    let only = &config.keystone[0];
    assert_eq!((only.rotator.as_str(), only.skew, only.pause), ("ctl2", secs(0), secs(0)));
    assert_eq!((only.config_files[0].as_str(), &only.config_directory), ("/srv/{node}/keystone.conf", &None));
    assert_eq!((only.purge, only.not_before), (Purge::WhenSafe, NotBefore::Rotate));
    assert_eq!(only.auth, KeystoneAuth::ApplicationCredential { id: "abc".into(), secret: Password::File(secret) });
    let watch = &only.watch;
    assert_eq!((watch.length, watch.thresholds.refused, watch.thresholds.failed), (secs(300), 30, 10));
}

#[test]
fn each_mistake_is_told_with_its_line_its_field_and_what_would_be_right() {
    let folder = Folder::new();
    let cases: &[(&str, &str, &str)] = &[
        ("rotator = \"ctl9\"", "rotator", "write one of: ctl1, ctl2"),
        ("command = [\"ssh\", \"{node}\"]", "command", "must hold {script}"),
        ("command = [\"ssh\", \"{script}\"]", "command", "must hold {node}"),
        ("command = [\"ssh\", \"{host}\", \"{node}\", \"{script}\"]", "command", "{node}, {script}"),
        ("command = []", "command", "is empty"),
        ("config_files = []", "config_files", "/etc/keystone/keystone.conf"),
        ("config_files = [\"keystone.conf\"]", "config_files", "plain absolute path"),
        ("config_files = [\"/etc/$(reboot)\"]", "config_files", "plain absolute path"),
        ("config_directory = \"/etc/../x\"", "config_directory", "plain absolute path"),
        ("repository = \"/\"", "repository", "plain absolute path"),
        ("repository = \"/etc/{nod}/keys\"", "repository", "{node}"),
        ("user = \"-u\"", "user", "the name of a user"),
        ("group = \"a b\"", "group", "the name of a user or group"),
        ("distribution = \"10\"", "distribution", "\"5m\""),
        ("distribution = \"0s\"", "distribution", "1 s to 7 days"),
        ("skew = \"2h\"", "skew", "too long"),
        ("pause = \"11s\"", "pause", "\"0s\" to 10 s"),
        ("pause = \"1.5s\"", "pause", "\"0s\", \"90s\" or \"5m\""),
        ("parallel = 0", "parallel", "1 to 64"),
        ("timeout = 15", "timeout", "expected a string"),
        ("rotate_timeout = \"0s\"", "rotate_timeout", "1 s to 7 days"),
        ("purge = \"always\"", "purge", "\"typed\" or \"when-safe\""),
        ("not_before = \"never\"", "not_before", "\"purge\" or \"rotate\""),
        ("watch = { length = \"5m\" }", "watch.length", "add command"),
        ("watch = { refused = 0 }", "watch.refused", "1 to 1000"),
        ("watch = { failed = 1001 }", "watch.failed", "1 to 1000"),
        ("watch = { least_requests = 0 }", "watch.least_requests", "1 to 1000000"),
        ("watch = { command = [\"count\"] }", "watch.command", "must hold {node}"),
        ("watch = { lenght = \"1m\" }", "watch.lenght", "expected one of"),
        ("nodse = []", "nodse", "expected one of"),
        ("ca_file = \"~ops/ca.pem\"", "ca_file", "write the whole path"),
    ];
    for (line, field, says) in cases {
        let text = cluster(&format!("{NODES}{AUTH}{line}\n"));
        let error = folder.load(&text).expect_err(line);
        let [problem] = error.problems() else { panic!("{line}: {error}") };
        let number = SMALLEST.lines().count() + 4;
        let field = format!("keystone.prod.{field}");
        assert_eq!((problem.line, problem.field.as_str()), (number, field.as_str()), "{error}");
        assert!(problem.message.contains(says), "{error}");
    }
}

#[test]
fn each_mistake_of_the_nodes_and_the_account_is_told() {
    let folder = Folder::new();
    let open = folder.write("open", "hunter2", 0o644);
    let one = |name: &str, url: &str| format!("nodes = [{{ name = \"{name}\", url = \"{url}\" }}]\n{AUTH}");
    let two = |second: &str| format!("nodes = [{{ name = \"a\", url = \"https://a/v3\" }}, {second}]\n{AUTH}");
    let auth = |inner: &str| format!("{NODES}auth = {{ {inner} }}\n");
    let cases: &[(String, &str, &str)] = &[
        (AUTH.to_owned(), "nodes", "1 to 1000"),
        (format!("nodes = []\n{AUTH}"), "nodes", "name = \"ctl1\""),
        (format!("nodes = [{{ name = \"a\" }}]\n{AUTH}"), "nodes[0].url", "is required"),
        (format!("nodes = [{{ url = \"https://a/v3\" }}]\n{AUTH}"), "nodes[0].name", "is required"),
        (one("-oProxyCommand=x", "https://a/v3"), "nodes[0].name", "not a host name"),
        (one("a", "a:5000"), "nodes[0].url", "https://host/path"),
        (one("a", "http://a:5000/v3"), "nodes[0].url", "allow_plain_http"),
        (two("{ name = \"a\", url = \"https://b/v3\" }"), "nodes[1].name", "nodes[0] already"),
        (two("{ name = \"b\", url = \"https://a/v3\" }"), "nodes[1].url", "not the load balancer's"),
        (two("{ name = \"b\", url = \"https://b/v3\", port = 1 }"), "nodes[1].port", "expected `name` or `url`"),
        (NODES.to_owned(), "auth", "application_credential"),
        (auth("user = \"cg\""), "auth", "password_file or password_command"),
        (auth("password_command = [\"pass\"]"), "auth.user", "is required"),
        (
            auth("application_credential = \"x\", user = \"cg\", password_command = [\"pass\"]"),
            "auth.user",
            "carries its user",
        ),
        (auth("user = \"cg\", password_command = []"), "auth.password_command", "is empty"),
        (auth(&format!("user = \"cg\", password_file = {open:?}")), "auth.password_file", "chmod 600"),
        (auth("user = \"cg\", password = \"hunter2\""), "auth.password", ""),
    ];
    for (lines, field, says) in cases {
        let error = folder.load(&cluster(lines)).expect_err(lines);
        let field = format!("keystone.prod.{field}");
        let problem = error.problems().iter().find(|problem| problem.field == field);
        let problem = problem.unwrap_or_else(|| panic!("{lines}: {error}"));
        assert!(problem.message.contains(says), "{lines}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_cluster_is_called_by_what_can_be_typed_and_kept() {
    let folder = Folder::new();
    for bad in ["\"a b\"", "\"\"", "\"a/b\"", "a_b", "\"é\"", &"x".repeat(56)] {
        let text = format!("{SMALLEST}[keystone.{bad}]\n{NODES}{AUTH}");
        let error = folder.load(&text).expect_err(bad);
        let [problem] = error.problems() else { panic!("{bad}: {error}") };
        assert_eq!(problem.line, SMALLEST.lines().count() + 1, "{error}");
        assert!(problem.message.contains("letters, digits and hyphens"), "{error}");
    }
    let two = format!("{}[keystone.lab]\n{NODES}{AUTH}", cluster(&format!("{NODES}{AUTH}")));
    let names: Vec<String> = folder.load(&two).unwrap().keystone.iter().map(Keystone::subject).collect();
    assert_eq!(names, ["keystone/lab", "keystone/prod"]);
    let twice = format!("{two}[keystone.lab]\n");
    assert!(folder.load(&twice).unwrap_err().to_string().contains("not valid TOML"));
}

/// The example's Kubernetes cluster, as far as it shows defaults.
pub fn kops_shows_the_defaults(kops: &config::KopsCluster) {
    let expected = config::KopsCluster {
        name: "production".into(),
        cluster: "production.k8s.example.net".into(),
        state: "s3://example-kops-state".into(),
        ssh: kops.ssh.clone(),
        environment: vec!["AWS_PROFILE".into()],
        directory: kops.directory.clone(),
        keysets: vec!["kubernetes-ca".into()],
        leave_out: vec!["etcd-peers-ca-main".into()],
        control_plane: vec!["control-plane-main".into()],
        backup: kops.backup.clone(),
        autoscaler: kops.autoscaler.clone(),
        holders: kops.holders.clone(),
        ..Default::default()
    };
    assert_eq!(*kops, expected, "the example shows the defaults");
    assert_eq!((kops.holders.len(), kops.holders[0].admin, kops.holders[1].admin), (2, true, false));
}

#[test]
fn every_mistake_of_a_kops_cluster_is_named() {
    let folder = Folder::new();
    let whole = "cluster = \"c.k8s.local\"\nstate = \"s3://b\"\n";
    let load = |name: &str, lines: &str| folder.load(&format!("{SMALLEST}[kops.{name}]\n{lines}"));
    let least = load("prod", whole).unwrap().kops.remove(0);
    let expected = config::KopsCluster {
        name: "prod".into(),
        cluster: "c.k8s.local".into(),
        state: "s3://b".into(),
        ..Default::default()
    };
    assert_eq!(least, expected);
    for (name, lines, says) in [
        ("prod", "state = \"s3://b\"\n".to_owned(), "kops.prod.cluster"),
        ("prod", "cluster = \"-x\"\nstate = \"s3://b\"\n".to_owned(), "is no plain word"),
        ("\"a.b\"", whole.to_owned(), "the cluster's full name is `cluster`"),
        ("prod", format!("{whole}environment = [\"KUBECONFIG\"]\n"), "AWS_PROFILE"),
        ("prod", format!("{whole}far_directory = \"../x\"\n"), "leads out of where it begins"),
        ("prod", format!("{whole}holders = [{{ name = \"a\" }}, {{ name = \"a\" }}]\n"), "holders[0] already"),
        ("prod", format!("{whole}holders = [{{ name = \"a\", holds = \"all\" }}]\n"), "\"certificates\" or \"admin\""),
        ("prod", format!("{whole}command = []\n"), "is empty"),
        ("prod", format!("{whole}keyset = [\"x\"]\n"), "unknown"),
    ] {
        let error = load(name, &lines).unwrap_err().to_string();
        assert!(error.contains(says), "{lines}: {error}");
    }
}
