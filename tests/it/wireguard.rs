//! The VPN server behind a command: real processes, a `wg` that prints what a real one prints, and every way to fail.

use crate::pty::PATIENCE;
use changeguard::adapters::wireguard::{CommandServer, ServerParameters};
use changeguard::domain::fault::{Fault, FaultKind};
use changeguard::engine::ports::{AgentMode, VpnServer};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const PEER: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// A `wg` as far as the script may call it; everything else ends with 64 and is noted in `forbidden`.
const WG: &str = r#"#!/bin/sh
[ "$1 $2" = "show wg0" ] || { echo "Unable to access interface: No such device" >&2; exit 1; }
case "$3" in
public-key) echo KEY ;;
latest-handshakes) printf 'PEER\t1799999990\n' ;;
endpoints) printf 'PEER\t198.18.0.7:51820\n' ;;
transfer) printf 'PEER\t148\t92\n' ;;
allowed-ips) printf 'PEER\t10.77.1.12/32\n' ;;
*) echo "$@" >> "$(dirname "$0")/forbidden"; exit 64 ;;
esac
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let wg = folder.path().join("wg");
        fs::write(&wg, WG.replace("KEY", KEY).replace("PEER", PEER)).unwrap();
        fs::set_permissions(&wg, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn parameters(&self, command: &[&str]) -> ServerParameters {
        ServerParameters {
            server: Some("vpn-acme".into()),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            wg: self.0.path().join("wg").display().to_string(),
            interface: "wg0".into(),
            timeout: Duration::from_secs(20),
            agent_check: None,
            agent_log: None,
            state_directory: self.0.path().join("state"),
            runtime_directory: None,
        }
    }

    fn server(&self, command: &[&str]) -> CommandServer {
        CommandServer::new(self.parameters(command)).unwrap()
    }

    async fn fault(&self, command: &[&str]) -> Fault {
        self.server(command).read().await.unwrap_err()
    }
}

#[tokio::test]
async fn a_reading_holds_key_peers_and_clock_of_one_command() {
    let folder = Folder::new();
    let reading = folder.server(&["sh", "-c", "{read}"]).read().await.unwrap();
    assert_eq!(reading.public_key.to_string(), KEY);
    assert_eq!(reading.peers.len(), 1);
    assert_eq!((reading.peers[0].rx, reading.peers[0].tx), (148, 92));
    assert_eq!(reading.peers[0].allowed_ips, ["10.77.1.12/32"]);
    assert!(reading.clock > 1_700_000_000);
    assert!(!folder.0.path().join("forbidden").exists());
}

#[tokio::test]
async fn the_command_gets_server_script_and_socket_as_whole_arguments() {
    let folder = Folder::new();
    let print = "for word in \"$@\"; do echo \"<$word>\" >&2; done; exit 3";
    let server = folder.server(&["sh", "-c", print, "-", "ControlPath={control_path}", "--", "{server}", "{read}"]);
    let message = server.read().await.unwrap_err().message;
    let socket = format!("<ControlPath={}/state/ssh/%C>", folder.0.path().display());
    for word in [socket.as_str(), "<-->", "<vpn-acme>", "<echo @clock && date +%s && echo @public-key && "] {
        assert!(message.contains(word.trim_end_matches('>')), "{word} in {message}");
    }
    let mode = fs::metadata(folder.0.path().join("state/ssh")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[tokio::test]
async fn each_failure_has_its_own_kind() {
    let folder = Folder::new();
    let cases = [
        ("echo 'sudo: a password is required' >&2; exit 1", FaultKind::Exited(1)),
        ("echo 'Host key verification failed.' >&2; exit 255", FaultKind::HostKey),
        ("echo 'ops@vpn: Permission denied (publickey).' >&2; exit 255", FaultKind::Unauthorized),
        ("echo 'ssh: connect to host vpn port 22: Connection refused' >&2; exit 255", FaultKind::Unreachable),
        ("kill -9 $$", FaultKind::Reset),
        ("echo @clock; date +%s", FaultKind::Malformed),
        ("head -c 9000000 /dev/zero", FaultKind::Malformed),
    ];
    for (script, kind) in cases {
        assert_eq!(folder.fault(&["sh", "-c", script]).await.kind, kind, "{script}");
    }
    assert_eq!(folder.fault(&["/nowhere/ssh"]).await.kind, FaultKind::NotStarted);
    let mut parameters = folder.parameters(&["sh", "-c", "{read}"]);
    parameters.interface = "wg9".into();
    let fault = CommandServer::new(parameters).unwrap().read().await.unwrap_err();
    assert_eq!(fault.message, "there is no interface wg9 on the server");
    let mut parameters = folder.parameters(&["sh", "-c", "{read}"]);
    parameters.wg = "no-such-wg".into();
    let fault = CommandServer::new(parameters).unwrap().read().await.unwrap_err();
    assert!(fault.message.contains("is not found on the server"), "{fault}");
}

#[tokio::test]
async fn a_shared_connection_that_ends_without_a_word_costs_one_more_try_and_no_more() {
    let folder = Folder::new();
    let tries = folder.0.path().join("tries");
    let count = || fs::read_to_string(&tries).unwrap_or_default().len();
    let once = format!("printf x >> {0}; [ $(wc -c < {0}) = 1 ] && exit 255; {{read}}", tries.display());
    assert_eq!(folder.server(&["sh", "-c", &once]).read().await.unwrap().public_key.to_string(), KEY);
    assert_eq!(count(), 2);
    let always = format!("printf x >> {}; exit 255", tries.display());
    let fault = folder.fault(&["sh", "-c", &always]).await;
    assert!(fault.kind == FaultKind::Reset && fault.message.contains("was lost, twice"), "{fault}");
    assert_eq!(count(), 4);
    // Whoever says why is believed at once.
    let says = format!("printf x >> {}; echo 'Host key verification failed.' >&2; exit 255", tries.display());
    assert_eq!(folder.fault(&["sh", "-c", &says]).await.kind, FaultKind::HostKey);
    assert_eq!(count(), 5);
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_its_children() {
    let folder = Folder::new();
    let marker = folder.0.path().join("pid");
    let script = format!("sh -c 'echo $$ > {}; exec sleep 600' & wait", marker.display());
    let mut parameters = folder.parameters(&["sh", "-c", &script]);
    parameters.timeout = Duration::from_millis(400);
    let fault = CommandServer::new(parameters).unwrap().read().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut);
    let pid = fs::read_to_string(&marker).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    let is_gone = async {
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, is_gone).await.expect("the child is still there");
}

#[tokio::test]
async fn an_ssh_master_that_keeps_the_pipes_does_not_hold_the_answer_back() {
    let folder = Folder::new();
    let server = folder.server(&["sh", "-c", "sleep 60 & {read}"]);
    server.read().await.unwrap();
}

#[tokio::test]
async fn what_the_agent_uses_is_told_by_names_only() {
    let folder = Folder::new();
    let file = folder.0.path().join("agent.env");
    let cases = [
        ("BARBICAN_SECRET_NAME=x\nOTHER=1\n", AgentMode::ByName),
        ("BARBICAN_SECRET_NAME=x\nBARBICAN_SECRET_ID=y\n", AgentMode::Pinned),
        ("VPN_CONFIG_PRIVATE_KEY=secret\nBARBICAN_SECRET_NAME=x\n", AgentMode::OwnKey),
    ];
    let names = "^(BARBICAN_SECRET_NAME|BARBICAN_SECRET_ID|VPN_CONFIG_PRIVATE_KEY)=";
    let mut parameters = folder.parameters(&["sh", "-c", "{read}"]);
    parameters.agent_check = Some(format!("grep -oE '{names}' {}", file.display()));
    let server = CommandServer::new(parameters).unwrap();
    for (text, mode) in cases {
        fs::write(&file, text).unwrap();
        assert_eq!(server.agent_mode().await, mode, "{text}");
    }
    let unknown = async |server: &CommandServer| match server.agent_mode().await {
        AgentMode::Unknown { why, advice } => (why, advice),
        mode => panic!("{mode:?}"),
    };
    fs::write(&file, "OTHER=1\n").unwrap();
    let (why, advice) = unknown(&server).await;
    assert!(why == "the file sets none of the three" && advice.contains("EnvironmentFile"), "{why}; {advice}");
    fs::remove_file(&file).unwrap();
    let (why, advice) = unknown(&server).await;
    assert!(why.contains("No such file") && advice.contains("EnvironmentFile"), "{why}; {advice}");
    let (why, advice) = unknown(&folder.server(&["sh"])).await;
    assert!(why == "server.agent_check is not set" && advice == "set it to find out", "{why}; {advice}");
    // Who is denied is told what lets the agent's file be read, and not what lets `wg` be called.
    let denials = [
        ("echo 'sudo: a password is required' >&2; exit 1 # sudo -n grep x", "NOPASSWD: "),
        ("echo 'grep: /etc/agent.env: Permission denied' >&2; exit 2", "put `sudo -n` before it"),
        ("echo 'something else' >&2; exit 3", "by hand on the server"),
    ];
    for (script, says) in denials {
        let mut parameters = folder.parameters(&["sh", "-c", "{read}"]);
        parameters.agent_check = Some(script.into());
        let (why, advice) = unknown(&CommandServer::new(parameters).unwrap()).await;
        assert!(advice.contains(says) && !advice.contains("wg show"), "{why}; {advice}");
    }
}

#[tokio::test]
async fn ping_takes_an_address_and_nothing_else() {
    let folder = Folder::new();
    // The script's own ping answers for 10.77.1.11 only.
    let server = folder.server(&["sh", "-c", "ping() { test \"$5\" = 10.77.1.11; }; {read}"]);
    assert_eq!(server.ping("10.77.1.11").await, Ok(true));
    assert_eq!(server.ping("10.77.1.11/32").await, Ok(true));
    assert_eq!(server.ping("10.77.1.12").await, Ok(false));
    for bad in ["10.77.1.11; reboot", "", "-f", "host", "10.77.1.0/24"] {
        assert_eq!(server.ping(bad).await.unwrap_err().kind, FaultKind::Invalid, "{bad}");
    }
}

#[tokio::test]
async fn a_tenant_without_a_server_and_hostile_names_are_refused() {
    let folder = Folder::new();
    let mut parameters = folder.parameters(&["sh", "-c", "{read}"]);
    parameters.server = None;
    let fault = CommandServer::new(parameters).unwrap().read().await.unwrap_err();
    assert!(fault.message.contains("no server"), "{fault}");
    for server in ["-oProxyCommand=x", "a b", "a;b"] {
        let mut parameters = folder.parameters(&["sh"]);
        parameters.server = Some(server.into());
        assert!(CommandServer::new(parameters).is_err());
    }
    let mut parameters = folder.parameters(&["sh"]);
    parameters.interface = "wg0;reboot".into();
    assert!(CommandServer::new(parameters).is_err());
}

/// `tests/live/seed` prints where the live services are; `tests/live/run` runs this.
#[tokio::test]
#[ignore = "needs the live services"]
async fn a_live_server_is_read_through_ssh() {
    let live = std::env::var("LIVE_JSON").expect("LIVE_JSON: run tests/live/run");
    let live: serde_json::Value = serde_json::from_slice(&fs::read(live).unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let folder = Folder::new();
    let config = text(&live["ssh_config"]);
    let command = ["ssh", "-F", &config, "-o", "BatchMode=yes", "-o", "ControlMaster=auto", "-o", "ControlPersist=5"];
    let rest = ["-o", "ControlPath={control_path}", "--", "{server}", "{read}"];
    let mut parameters = folder.parameters(&[&command[..], &rest[..]].concat());
    let tenant = &live["tenants"][0];
    parameters.server = Some(text(&tenant["host"]));
    parameters.wg = "sudo -n wg".into();
    let names = "^(BARBICAN_SECRET_NAME|BARBICAN_SECRET_ID|VPN_CONFIG_PRIVATE_KEY)=";
    parameters.agent_check = Some(format!("sudo -n grep -oE '{names}' /etc/user-sync-agent.env"));
    let server = CommandServer::new(parameters.clone()).unwrap();
    let reading = server.read().await.unwrap();
    assert_eq!(reading.peers.len(), tenant["clients"].as_array().unwrap().len());
    let begun = Instant::now();
    server.read().await.unwrap();
    println!("second reading {:?}, agent {:?}", begun.elapsed(), server.agent_mode().await);
    println!("ping {:?}", server.ping(tenant["clients"][0]["address"].as_str().unwrap()).await);
    parameters.interface = "wg7".into();
    println!("{}", CommandServer::new(parameters.clone()).unwrap().read().await.unwrap_err());
    parameters.interface = "wg0".into();
    parameters.server = Some("no-such-host".into());
    println!("{}", CommandServer::new(parameters).unwrap().read().await.unwrap_err());
}
