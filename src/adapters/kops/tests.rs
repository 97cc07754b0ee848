//! The commands as they are called, and what becomes of them: by programs that stand where `kops` does.

use super::*;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::kops::keypair::KeypairId;
use crate::engine::ports::kops::{Export, KopsCluster, Roll};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

fn kops(folder: &Path, script: &str, ssh: &[&str]) -> Kops {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let program = folder.join("kops");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    Kops::new(KopsParameters {
        cluster: "metal.k8s.local".into(),
        state: "s3://a bucket".replace(' ', "-"),
        command: vec![program.to_string_lossy().into_owned()],
        ssh: words(ssh),
        environment: vec!["CARGO_MANIFEST_DIR".into()],
        directory: folder.join("files"),
        far_directory: folder.join("far").to_string_lossy().into_owned(),
        backup: Vec::new(),
        autoscaler: Vec::new(),
        admin: Duration::from_secs(3600),
        timeout: Duration::from_secs(60),
        update_timeout: Duration::from_secs(60),
        roll_timeout: Duration::from_secs(60),
    })
    .unwrap()
}

/// As ssh does: the words are joined by spaces and given to a shell.
const SSH: [&str; 4] = ["sh", "-c", "sh -c \"$*\"", "ssh"];

#[tokio::test]
async fn every_call_names_cluster_and_store_and_has_a_kubeconfig_of_its_own() {
    for ssh in [&[][..], &SSH] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!("echo \"$KUBECONFIG|$*\" >> '{}'; echo 'Created kubernetes-ca 77'", log.display());
        let kops = kops(folder.path(), &script, ssh);
        let id = KeypairId::new("77").unwrap();
        assert_eq!(kops.create("kubernetes-ca").await.unwrap(), Some(id.clone()));
        kops.promote("kubernetes-ca", &id).await.unwrap();
        let how = Roll { force: true, cloud_only: false };
        kops.roll("nodes", how, &|_| {}).await.unwrap();
        kops.update().await.unwrap();
        let text = std::fs::read_to_string(&log).unwrap();
        let there = if ssh.is_empty() { "files" } else { "far" };
        let own = folder.path().join(there).join("kubeconfig-own");
        let tail = "--name metal.k8s.local --state s3://a-bucket";
        let expected: Vec<String> = [
            "create keypair kubernetes-ca",
            "promote keypair kubernetes-ca 77",
            "rolling-update cluster --yes --instance-group nodes --force",
            "update cluster --yes",
        ]
        .iter()
        .map(|words| format!("{}|{words} {tail}", own.display()))
        .collect();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn an_exported_kubeconfig_is_private_and_only_its_authority_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    // "-----BEGIN CERTIFICATE-----\n" twice, as far as it is counted.
    let data = base64("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nB\n");
    let script = format!(
        "while [ $# -gt 0 ]; do case $1 in --kubeconfig) f=$2;; esac; shift; done\n\
         printf 'clusters:\\n- cluster:\\n    certificate-authority-data: {data}\\nusers:\\n- user:\\n    client-key-data: SECRET\\n' > \"$f\"\n\
         chmod ${{MODE:-600}} \"$f\""
    );
    let kops = kops(folder.path(), &script, &SSH);
    let export = Export { tag: "case-1".into(), admin: Some(Duration::from_secs(64_800)) };
    let exported = kops.export(&export).await.unwrap();
    assert_eq!((exported.certificates, exported.digest.len(), exported.authority.len()), (2, 64, 64));
    let kept = std::fs::read_to_string(&exported.authority_path).unwrap();
    assert!(kept.starts_with("-----BEGIN") && !kept.contains("SECRET"));
    // One that others may read is no place for a credential.
    let open = super::tests::kops(folder.path(), &script.replace("${MODE:-600}", "644"), &[]);
    let fault = open.export(&export).await.unwrap_err();
    assert!(fault.message.contains("can be read by others (mode 644)"), "{fault}");
}

fn base64(text: &str) -> String {
    use base64ct::{Base64, Encoding};
    Base64::encode_string(text.as_bytes())
}

#[tokio::test]
async fn a_credential_that_a_look_and_a_step_want_at_once_is_got_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let script = "while [ $# -gt 0 ]; do case $1 in --kubeconfig) f=$2;; esac; shift; done; echo x > \"$f\"";
    let kops = kops(folder.path(), script, &[]);
    let all = futures_util::future::join_all((0..8).map(|_| kops.sign_in())).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let mode = std::fs::metadata(folder.path().join("files/kubeconfig-own")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_it_complains_about_is_told_and_what_may_be_secret_is_not() {
    let failing = async |script: &str| -> Fault {
        let folder = tempfile::tempdir().unwrap();
        kops(folder.path(), script, &[]).keypairs().await.unwrap_err()
    };
    let fault = failing(
        "echo 'I1 12:00:00.0 1 x.go:3] noise' >&2; echo 'Error: no keypairs found' >&2; echo 'Usage:' >&2; exit 1",
    )
    .await;
    assert_eq!((fault.message.as_str(), &fault.kind), ("get keypairs: no keypairs found", &FaultKind::Exited(1)));
    let fault =
        failing("echo 'Error: Get \"https://api/\": x509: certificate signed by unknown authority' >&2; exit 1").await;
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    let fault = failing("echo 'Error: could not parse private key MIIE' >&2; exit 1").await;
    assert!(!fault.message.contains("MIIE"), "{fault}");
    let fault = failing("echo 'Welcome'; exit 0").await;
    assert_eq!(fault.kind, FaultKind::Malformed);
    let folder = tempfile::tempdir().unwrap();
    let gone = ["sh", "-c", "echo 'ssh: connect to host d port 22: Connection refused' >&2; exit 255"];
    let fault = kops(folder.path(), "true", &gone).update().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Reset, "it may have begun: {fault}");
    let fault = kops(folder.path(), "true", &gone).version().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
}

#[tokio::test]
async fn a_command_ends_with_its_caller_here_and_on_a_deploy_host() {
    for ssh in [&[][..], &SSH] {
        let folder = tempfile::tempdir().unwrap();
        let (pid, heard) = (folder.path().join("pid"), std::sync::Arc::new(tokio::sync::Notify::new()));
        let script = format!("echo $$ > '{}'; echo rolling >&2; exec sleep 600", pid.display());
        let kops = kops(folder.path(), &script, ssh);
        let tell = heard.clone();
        let hears = move |line: &str| {
            if line == "rolling" {
                tell.notify_one();
            }
        };
        {
            let rolling = kops.roll("nodes", Roll::default(), &hears);
            tokio::select! {
                ended = rolling => panic!("{ended:?}"),
                () = heard.notified() => {}
            }
        }
        let pid = std::fs::read_to_string(&pid).unwrap().trim().to_owned();
        let lives = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"));
        let gone = async {
            while lives() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), gone).await.expect("it outlives its caller");
    }
}

#[test]
fn words_that_would_be_something_else_are_refused() {
    for bad in ["", "-x", "a b", "a\nb"] {
        let folder = tempfile::tempdir().unwrap();
        let good = kops(folder.path(), "true", &[]);
        let mut parameters = good.parameters_for_tests();
        parameters.cluster = bad.into();
        assert!(Kops::new(parameters).is_err(), "{bad:?}");
    }
}
