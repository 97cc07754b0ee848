//! The shell behind the operator's command: what passes through it, what a spoiled call does, and what a node looks like inside.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use changeguard::adapters::lab::{Fault, Loss, Moment, Rule, Service};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::fernet_rig::Rig;

/// A place for marks that scripts leave.
fn mark(rig: &Rig, name: &str) -> PathBuf {
    rig.folder.path().join(name)
}

/// Waits without sleeping until something is so.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

/// A pipe of a name, which a script writes to when it is done; what it wrote is read here.
fn pipe(path: &Path) -> tokio::task::JoinHandle<String> {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || std::fs::read_to_string(path).unwrap())
}

#[tokio::test]
async fn words_are_joined_and_parsed_again_by_the_nodes_shell_as_ssh_has_it() {
    let rig = Rig::new().await;
    let out = async |words: &[&str]| {
        let output = rig.ssh(0, words).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let said = |text: &str| (Some(0), text.to_owned(), String::new());
    assert_eq!(out(&["printf", "%s.", "a  b", "c"]).await, said("a.b.c."));
    assert_eq!(out(&["sudo", "-n", "sh", "-c", "'printf %s. \"a  b\" c'"]).await, said("a  b.c."));
    assert_eq!(out(&["echo $((1 + 2)); exit 7"]).await, (Some(7), "3\n".into(), String::new()));
    assert_eq!(out(&["no-such-program"]).await.0, Some(127));
    assert_eq!(out(&["echo no >&2; kill -9 $$"]).await, (Some(255), String::new(), "no\n".into()));
}

#[tokio::test]
async fn bytes_pass_whole_in_both_directions() {
    let rig = Rig::new().await;
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n.wrapping_mul(7919) >> 3) as u8).collect();
    let mut child = rig.ssh(1, &["cat"]).stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let sent = bytes.clone();
    let feeding = tokio::spawn(async move { stdin.write_all(&sent).await.unwrap() });
    let mut seen = Vec::new();
    stdout.read_to_end(&mut seen).await.unwrap();
    feeding.await.unwrap();
    assert!(seen == bytes && child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_client_ends_with_its_command_though_its_own_input_stays_open() {
    let rig = Rig::new().await;
    let mut child = rig.ssh(1, &["exit 5"]).stdin(Stdio::piped()).spawn().unwrap();
    let open = child.stdin.take();
    assert_eq!(child.wait().await.unwrap().code(), Some(5));
    drop(open);
}

#[tokio::test]
async fn an_exit_status_arrives_though_the_script_has_read_none_of_its_input() {
    let rig = Rig::new().await;
    for _ in 0..5 {
        let mut child = rig.ssh(1, &["echo said; exit 5"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feeding = tokio::spawn(async move { stdin.write_all(&vec![7; 3_000_000]).await.ok() });
        let output = child.wait_with_output().await.unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(5), &b"said\n"[..]));
        feeding.await.unwrap();
    }
}

#[tokio::test]
async fn each_run_is_one_call_named_by_its_script_and_its_node() {
    let rig = Rig::new().await;
    rig.out(2, "set -e\n# changeguard: install node2 stage 1\ntrue").await;
    rig.out(0, "true").await;
    let faults = rig.lab.faults();
    let seen: Vec<(String, String)> =
        faults.requests(Service::NodeShell).into_iter().map(|call| (call.method, call.path)).collect();
    assert_eq!(seen, [("install", "node2"), ("run", "node0")].map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!((faults.calls(), faults.count(Service::NodeShell, "install")), (2, 1));
}

#[tokio::test]
async fn a_refused_call_does_nothing_and_says_what_ssh_and_sudo_say() {
    let rig = Rig::new().await;
    let place = mark(&rig, "mark");
    for (status, code, said) in [
        (255, 255, "Connection timed out"),
        (401, 255, "root@node0: Permission denied (publickey)."),
        (421, 255, "Host key verification failed."),
        (403, 1, "sudo: a password is required"),
        (9, 9, "the lab ends this with 9"),
    ] {
        rig.lab.faults().add(Rule::new(Service::NodeShell, Fault::Status(status)).path("node0"));
        let output = rig.run(0, &format!("touch '{}'", place.display())).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && text.contains(said) && !place.exists(), "{status}: {text}");
        rig.lab.faults().clear();
    }
    let unknown = rig.ssh(7, &["true"]).output().await.unwrap();
    assert_eq!(unknown.status.code(), Some(255));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("Could not resolve hostname node7"));
}

#[tokio::test]
async fn an_answer_is_lost_after_the_work_was_done_or_before_it_is_begun() {
    let rig = Rig::new().await;
    let faults = rig.lab.faults();
    for (fault, done) in
        [(Fault::LoseAnswer(Loss::Close), true), (Fault::Close, false), (Fault::Delay(Duration::from_millis(1)), true)]
    {
        let place = mark(&rig, &format!("{fault:?}"));
        faults.add(Rule::new(Service::NodeShell, fault));
        let output = rig.run(0, &format!("echo said; touch '{}'", place.display())).await;
        let heard = matches!(fault, Fault::Delay(_));
        assert_eq!((output.status.code(), place.exists()), (Some(if heard { 0 } else { 255 }), done), "{fault:?}");
        assert_eq!(output.stdout.is_empty(), !heard, "{fault:?}");
        faults.clear();
    }
}

#[tokio::test]
async fn a_call_that_is_applied_late_keeps_its_input_and_outlives_its_client() {
    let rig = Rig::new().await;
    let place = mark(&rig, "done");
    let reading = pipe(&place);
    rig.lab.faults().add(Rule::new(Service::NodeShell, Fault::ApplyLate(Duration::from_millis(1))));
    let mut child = rig.ssh(0, &[&format!("cat > '{}'", place.display())]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"whole").await.unwrap();
    assert_eq!(reading.await.unwrap(), "whole");
    assert!(child.try_wait().unwrap().is_none());
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_session_is_cut_in_its_middle_after_as_many_programs_as_is_said() {
    let rig = Rig::new().await;
    let marks = ["a", "b", "c"].map(|name| mark(&rig, name));
    let lines: Vec<String> = marks.iter().map(|path| format!("touch '{}'", path.display())).collect();
    let script = format!("# changeguard: install\nset -e\necho begun\n{}", lines.join("\n"));
    for programs in 1..=3 {
        rig.cluster().cut_after(programs);
        rig.lab.faults().add(Rule::new(Service::NodeShell, Fault::ResetMidBody).method("install"));
        let output =
            rig.ssh(0, &[&format!("sudo -n sh -c '{}'", script.replace('\'', "'\\''"))]).output().await.unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(255), &b"begun\n"[..]), "{output:?}");
        let there = marks.iter().filter(|path| path.exists()).count() as u64;
        assert_eq!(there, programs);
        marks.iter().for_each(|path| std::fs::remove_file(path).unwrap_or_default());
        rig.lab.faults().clear();
    }
}

#[tokio::test]
async fn a_call_is_held_before_and_after_it_is_carried_out() {
    let rig = Rig::new().await;
    for (moment, done) in [(Moment::Before, false), (Moment::After, true)] {
        let place = mark(&rig, &format!("{moment:?}"));
        rig.lab.faults().trip(2, moment);
        rig.out(0, "true").await;
        let mut child = rig.ssh(1, &[&format!("# changeguard: place\ntouch '{}'", place.display())]).spawn().unwrap();
        let held = rig.lab.faults().tripped().await.unwrap();
        assert_eq!((held.method.as_str(), held.path.as_str()), ("place", "node1"));
        // `After` is told when the call is counted; the script itself may still run.
        if done {
            until(|| place.exists()).await;
        }
        assert!(place.exists() == done && child.try_wait().unwrap().is_none(), "{moment:?}");
        rig.lab.faults().release();
        assert_eq!((child.wait().await.unwrap().code(), place.exists()), (Some(255), done));
    }
}

#[tokio::test]
async fn a_script_goes_on_when_its_client_is_killed_and_finds_its_input_ended() {
    let rig = Rig::new().await;
    let place = mark(&rig, "done");
    let reading = pipe(&place);
    let script =
        format!("trap '' PIPE; echo begun; got=$(cat); echo more || true; echo \"after $got\" > '{}'", place.display());
    let mut child = rig.ssh(0, &[&script]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"half").await.unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "begun");
    child.kill().await.unwrap();
    // What had arrived of the input when the connection was lost: all of it or nothing, as the network had it.
    let said = reading.await.unwrap();
    assert!(["after half\n", "after \n"].contains(&said.as_str()), "{said}");
    drop(stdin);
}

#[tokio::test]
async fn what_runs_on_a_node_ends_with_its_power() {
    let rig = Rig::new().await;
    let mut child = rig.ssh(0, &["echo $$; exec tail -f /dev/null"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let process = lines.next_line().await.unwrap().unwrap();
    rig.cluster().power(0, false);
    assert_eq!(child.wait().await.unwrap().code(), Some(255));
    until(|| {
        // Gone, or dead and not yet collected.
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'))
    })
    .await;
}

#[tokio::test]
async fn a_script_finds_the_nodes_programs_and_none_of_our_variables() {
    let rig = Rig::new().await;
    let text = rig.out(1, "env").await;
    let mut names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    let ours = ["HOME", "LAB_NODE", "LOGNAME", "OS_KEYSTONE_CONFIG_DIR", "PATH", "PWD", "SHELL", "USER"];
    assert!(
        names.iter().all(|name| ours.contains(name) || *name == "_" || *name == "OLDPWD" || *name == "SHLVL"),
        "{names:?}"
    );
    assert_eq!(rig.out(1, "hostname; uname -n; uname -s").await, "node1\nnode1\nLinux\n");
    assert_eq!(rig.out(1, "sudo -n -u keystone X=1 sh -c 'echo $X'").await, "1\n");
    assert_eq!(rig.out(1, "cat $OS_KEYSTONE_CONFIG_DIR/keystone.conf | grep -c key_repository").await, "3\n");
    let conf = rig.cluster().conf_template().replace("{node}", "node1");
    assert!(std::fs::read_to_string(conf).unwrap().contains(&rig.keys(1).display().to_string()));
}

#[tokio::test]
async fn another_rotator_shows_in_the_lists_of_a_node() {
    let rig = Rig::new().await;
    let none = rig.run(1, "crontab -l -u keystone").await;
    assert_eq!((none.status.code(), none.stderr.as_slice()), (Some(1), &b"no crontab for keystone\n"[..]));
    assert_eq!(rig.out(1, "systemctl list-timers --all; docker ps").await, "");
    let job = "0 */6 * * * keystone-manage fernet_rotate\n";
    for (what, script) in [("crontab", "crontab -l"), ("timers", "systemctl list-timers"), ("containers", "docker ps")]
    {
        rig.cluster().lists(1, what, job).unwrap();
        assert_eq!(rig.out(1, script).await, job);
        rig.cluster().lists(1, what, "").unwrap();
    }
    assert_eq!(rig.out(0, "systemctl list-timers").await, "");
    rig.cluster().program(1, "df", "#!/bin/sh\necho full\n").unwrap();
    assert_eq!(rig.out(1, "df -P .").await, "full\n");
}

#[tokio::test]
async fn only_who_may_read_the_labs_file_reaches_its_nodes() {
    let rig = Rig::new().await;
    let way = rig.folder.path().join("cluster/shell.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&way).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let mut known: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&way).unwrap()).unwrap();
    known["password"] = "guessed".into();
    std::fs::write(&way, known.to_string()).unwrap();
    let place = mark(&rig, "mark");
    let output = rig.run(0, &format!("touch '{}'", place.display())).await;
    assert!(output.status.code() == Some(255) && !place.exists(), "{output:?}");
    assert_eq!(rig.lab.faults().calls(), 0);
}

#[tokio::test]
async fn a_key_or_a_token_or_a_password_in_a_script_is_found() {
    let rig = Rig::new().await;
    let token = rig.token(0).await;
    let key = std::fs::read_to_string(rig.keys(2).join("0")).unwrap();
    rig.out(1, "# changeguard: look\ntrue").await;
    assert_eq!(rig.cluster().forbidden(), Vec::<String>::new());
    rig.out(1, &format!("# changeguard: place\n: '{key}'")).await;
    rig.out(1, &format!(": '{token}'")).await;
    rig.out(0, &format!(": '{}'", *rig.cluster().admin().password)).await;
    assert_eq!(
        rig.cluster().forbidden(),
        [
            "node1: a key in the script of `place`",
            "node1: a token in the script of `run`",
            "node0: a password in the script of `run`"
        ]
    );
}

#[tokio::test]
async fn keystone_manage_is_there_with_its_noise_and_its_exit_statuses() {
    let rig = Rig::new().await;
    let rotate = "keystone-manage fernet_rotate --keystone-user keystone --keystone-group keystone";
    let fine = rig.run(0, rotate).await;
    assert_eq!((fine.status.code(), fine.stdout.len()), (Some(0), 0));
    assert!(String::from_utf8_lossy(&fine.stderr).contains("EventletDeprecationWarning"));
    assert_eq!(rig.names(0), ["0", "17", "18"]);
    assert_eq!(rig.names(1), ["0", "16", "17"]);
    let usage = rig.run(0, "keystone-manage fernet_rotate").await;
    assert!(
        usage.status.code() == Some(2) && String::from_utf8_lossy(&usage.stderr).contains("usage: keystone-manage")
    );
    let away = "mv $OS_KEYSTONE_CONFIG_DIR/fernet-keys $OS_KEYSTONE_CONFIG_DIR/away";
    assert_eq!(rig.run(0, &format!("{away}; {rotate}")).await.status.code(), Some(0));
}
