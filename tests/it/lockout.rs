//! Whoever would cut off their own session is told in step 2 and types the tenant's name once more.

use crate::bastion::{Bastion, CYCLE};
use changeguard::adapters::wireguard::{CommandServer, ServerParameters};
use changeguard::engine::ports::VpnServer;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

fn own_route(json: &Value) -> Value {
    let checks = json["status"]["preflight"]["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == "own-route").unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_through_the_tunnel_is_told_and_wants_the_name_again() {
    let bastion = Bastion::start(1, 1, CYCLE).await;
    bastion.confirmed("acme").await;
    let printed = bastion.lab.world().run("vpn-acme", "sudo -n wg show wg0 allowed-ips").await.out;
    let inside = printed.split_whitespace().nth(1).unwrap().to_owned();
    let from = |line: &str, address: &str| {
        let mut command = bastion.command(line, &[]);
        command.env("SSH_CONNECTION", format!("{} 50100 198.51.100.1 22", address.split('/').next().unwrap()));
        bastion.spawn(command).ends()
    };
    let outside = own_route(&from("check acme --json", "203.0.113.7").await.ends(0).json());
    assert_eq!(outside["state"], "pass", "{outside}");
    let told = own_route(&from("check acme --json", &inside).await.ends(0).json());
    assert_eq!(told["state"], "warn", "{told}");
    assert!(told["finding"].as_str().unwrap().starts_with("your own session runs through the tunnel"), "{told}");
    let before = bastion.live("acme");
    let refused = from("rotate acme --confirm acme", &inside).await.ends(5);
    assert!(refused.err.contains("your own session runs through the tunnel"), "{}", refused.err);
    assert_eq!(bastion.live("acme"), before);
    from("rotate acme --confirm acme --through-tunnel acme", &inside).await.ends(0);
    assert_ne!(bastion.live("acme"), before);
}

/// An `ssh` that only answers `-G`, as ssh prints its configuration for the host.
fn ssh(folder: &tempfile::TempDir, says: &str) -> CommandServer {
    let path = folder.path().join("ssh");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = -G ] || exit 64\nfor word; do last=$word; done\n\
         case $last in *gate*) printf 'hostname 127.0.0.1\\nport 22\\n' ;; *) printf '{says}' ;; esac\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let command = [path.to_str().unwrap(), "-o", "BatchMode=yes", "{server}", "{read}"];
    let parameters = ServerParameters {
        server: Some("vpn-acme".into()),
        command: command.map(str::to_owned).to_vec(),
        wg: "wg".into(),
        interface: "wg0".into(),
        timeout: Duration::from_secs(20),
        agent_check: None,
        agent_log: None,
        state_directory: folder.path().join("state"),
        runtime_directory: None,
    };
    CommandServer::new(parameters).unwrap()
}

#[tokio::test]
async fn the_way_to_the_server_is_what_ssh_would_go_and_a_jump_is_the_first_part_of_it() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let here = "127.0.0.1".parse().unwrap();
    let direct = ssh(&folder, "hostname 127.0.0.1\\nport 22\\nproxycommand none\\n").own_addresses().await;
    assert_eq!((direct.sources, direct.server, direct.session), (vec![here], vec![here], None));
    let jump = ssh(&folder, "hostname vpn.invalid\\nport 22\\nproxyjump ops@gate:2200\\n").own_addresses().await;
    assert_eq!((jump.sources, jump.server), (vec![here], vec![]), "the way begins at the jump host");
    let command = ssh(&folder, "hostname 127.0.0.1\\nport 22\\nproxycommand nc %%h %%p\\n").own_addresses().await;
    assert_eq!(command.sources, [] as [std::net::IpAddr; 0], "nobody knows where a command leads");
    let session = ssh(&folder, "hostname 127.0.0.1\\n").asked_from(Some("fe80::1%eth0")).own_addresses().await;
    assert_eq!(session.session, "fe80::1".parse().ok());
}
