//! The lab beside a real Keystone of several nodes: the same situations, the same statuses, and tokens that each reads of the
//! other. It runs only where one is: `FERNET_SSH_CONFIG` is an ssh configuration that reaches the nodes as root by the names
//! `fernet0` and `fernet1`, `FERNET_PORTS` their Keystones' ports on 127.0.0.1 with a comma between, `OS_PASSWORD` that of `admin`.
//! Keys of the real nodes are changed and put back.

use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use super::fernet_rig::{Rig, http, issue, own, password, subject};
use super::fernet_table::{SITUATIONS, cure, script, statuses};

const ETC: &str = "/etc/keystone";
const KEYS: &str = "/etc/keystone/fernet-keys";
const OWNER: &str = "--keystone-user keystone --keystone-group keystone";

struct Real {
    ssh: String,
    ports: Vec<u16>,
    body: String,
}

impl Real {
    fn reached() -> Real {
        let known = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        Real {
            ssh: known("FERNET_SSH_CONFIG"),
            ports: known("FERNET_PORTS").split(',').map(|port| port.parse().unwrap()).collect(),
            body: password("admin", &known("OS_PASSWORD"), "admin"),
        }
    }

    async fn run(&self, node: usize, script: &str) -> Output {
        let node = format!("fernet{node}");
        Command::new("ssh").args(["-n", "-F", &self.ssh, &node, script]).output().await.unwrap()
    }

    async fn out(&self, node: usize, script: &str) -> Vec<u8> {
        let output = self.run(node, script).await;
        assert!(output.status.success(), "{script}: {output:?}");
        output.stdout
    }
}

#[tokio::test]
#[ignore = "needs real Keystone nodes"]
async fn a_real_keystone_answers_in_every_situation_as_the_table_says() {
    let real = Real::reached();
    let mut wrong = Vec::new();
    for (name, situation, expected) in SITUATIONS {
        let before = issue(real.ports[1], &real.body).await.1.unwrap();
        real.out(1, &script(KEYS, situation)).await;
        let seen = statuses(real.ports[1], &real.body, &before).await;
        real.out(1, &cure(KEYS)).await;
        if seen != expected {
            wrong.push(format!("{name}: {seen:?}, not {expected:?}"));
        }
        assert_eq!(own(real.ports[1], &before).await, 200, "cured of: {name}");
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs real Keystone nodes"]
async fn tokens_of_a_real_keystone_are_read_by_the_lab_and_those_of_the_lab_by_it() {
    let real = Real::reached();
    let answer = http(real.ports[0], "POST", "/v3/auth/tokens?nocatalog", &[], &real.body).await;
    let theirs = answer.header("x-subject-token").unwrap().to_owned();
    let document = answer.json();
    let id = |part: &str| document["token"][part]["id"].as_str().unwrap().to_owned();
    let conf = String::from_utf8(real.out(0, &format!("cat {ETC}/keystone.conf")).await).unwrap();
    let expiration = conf.lines().find_map(|line| line.strip_prefix("expiration = ")).unwrap().parse().unwrap();
    let rig = Rig::with(|options| {
        options.admin_ids = Some((id("user"), id("project")));
        options.expiration = Duration::from_secs(expiration);
    })
    .await;
    // Their keys, by the same way that production goes: a stream over ssh, and no file beside the folder.
    let tar = real.out(0, &format!("tar -C {KEYS} -cf - .")).await;
    std::fs::remove_dir_all(rig.keys(0)).unwrap();
    std::fs::create_dir(rig.keys(0)).unwrap();
    let mut child = std::process::Command::new("tar")
        .args(["--no-same-owner", "-C"])
        .arg(rig.keys(0))
        .args(["-xpf", "-"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &tar).unwrap();
    assert!(child.wait().unwrap().success());

    let headers = [("x-auth-token", theirs.as_str()), ("x-subject-token", theirs.as_str())];
    let read = http(rig.port(0), "GET", "/v3/auth/tokens?nocatalog", &headers, "").await;
    assert_eq!(read.status, 200, "{}", String::from_utf8_lossy(&read.body));
    let read = read.json();
    for field in ["user", "project", "methods", "audit_ids", "expires_at", "issued_at"] {
        assert_eq!(read["token"][field], document["token"][field], "{field}");
    }
    assert_eq!(own(rig.port(1), &theirs).await, 401, "without their keys");

    let made = http(rig.port(0), "POST", "/v3/auth/tokens?nocatalog", &[], &rig.body()).await;
    let ours = made.header("x-subject-token").unwrap().to_owned();
    assert_eq!(own(real.ports[0], &ours).await, 200);
    assert_eq!(subject(real.ports[1], &theirs, &ours, false).await, 200);
    let headers = [("x-auth-token", theirs.as_str()), ("x-subject-token", ours.as_str())];
    let read = http(real.ports[0], "GET", "/v3/auth/tokens?nocatalog", &headers, "").await.json();
    for field in ["user", "project", "methods", "audit_ids", "expires_at", "issued_at"] {
        assert_eq!(read["token"][field], made.json()["token"][field], "{field}");
    }
    assert_eq!(ours.len(), theirs.len());
}

#[tokio::test]
#[ignore = "needs real Keystone nodes"]
async fn keystone_manage_of_the_lab_ends_as_the_real_one_and_leaves_the_same_names() {
    let real = Real::reached();
    let rig = Rig::new().await;
    let etc = rig.cluster().etc(0).display().to_string();
    for (name, before, words) in [
        ("a rotation", "true", format!("fernet_rotate {OWNER}")),
        ("without owners", "true", "fernet_rotate".to_owned()),
        (
            "an unknown user",
            "true",
            "fernet_rotate --keystone-user nobody-of-that-name --keystone-group keystone".to_owned(),
        ),
        ("no staged key", "rm $T/0", format!("fernet_rotate {OWNER}")),
        ("no folder", "rm -r $T", format!("fernet_rotate {OWNER}")),
        ("no key", "rm $T/*", format!("fernet_rotate {OWNER}")),
        ("setup again", "true", format!("fernet_setup {OWNER}")),
        ("setup without a staged key", "rm $T/0", format!("fernet_setup {OWNER}")),
        ("a lowered bound", "echo 'max_active_keys = 1' >> $T.conf", format!("token_rotate {OWNER}")),
        ("a configuration that is not there", "rm $T.conf", format!("fernet_rotate {OWNER}")),
    ] {
        let script = |etc: &str| {
            // Always the same start: two keys; the copy has a configuration of its own, and a log that is nobody's.
            format!(
                "T={etc}/trial; rm -rf $T $T.conf; cp -a {etc}/fernet-keys $T; cd $T; \
                 for k in $(ls | sort -n | tail -n +2); do mv $k t.$k; done; mv t.$(ls | grep '^t' | sed 's/t.//' | sort -n | tail -n 1) 1; \
                 rm -f t.*; cd /; printf '[DEFAULT]\\nlog_dir =\\nlog_file = '$T.log'\\n[fernet_receipts]\\nkey_repository = '$T'\\n\
                 [fernet_tokens]\\nkey_repository = '$T'\\n' > $T.conf; {before}; \
                 keystone-manage --config-file {etc}/keystone.conf --config-file $T.conf {words} 2>/dev/null; \
                 echo $? $(ls $T 2>/dev/null); rm -rf $T $T.conf $T.log"
            )
        };
        let theirs = String::from_utf8(real.out(0, &script(ETC)).await).unwrap();
        assert_eq!(rig.out(0, &script(&etc)).await, theirs, "{name}");
    }
}
