//! The machine that we run on: its clock, its randomness, and who we are on it.
//!
//! What is done with them is the engine's business.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::engine::journal::Instance;
use crate::engine::ports::{Clock, Entropy};
use crate::engine::record::Actor;
use async_trait::async_trait;
use base64ct::Encoding;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use std::time::Duration;

mod proof;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        getrandom::fill(buffer).map_err(|error| {
            Fault::new(Service::Configuration, FaultKind::Refused, format!("the system gives no random bytes: {error}"))
                .hint("nothing was changed; without randomness no key can be made")
        })
    }
}

/// Who runs this program, for the journal and the lease. All texts are sanitized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user as shown: `ada`, `ada as root`, or `ada via sudo as root` where only sudo's variable says so.
    pub user: String,
    /// The person, by what they can't set themselves: the kernel's login uid, else our real uid. Never an environment
    /// variable, since whoever runs us sets those.
    pub person: String,
    /// The host's name.
    pub host: String,
    /// Our process id.
    pub pid: u32,
    /// The ssh connection, if there is one: `203.0.113.7`, with the key's fingerprint where sshd's `ExposeAuthInfo` tells it.
    pub ssh: Option<String>,
    /// Where the ssh connection comes from: the client's address.
    pub from: Option<String>,
    /// Why this login proves nobody, where it could have been made up.
    pub unproven: Option<String>,
}

impl Identity {
    /// Who acts, for the journal.
    pub fn actor(&self) -> Actor {
        Actor {
            by: self.user.clone(),
            host: self.host.clone(),
            person: self.person.clone(),
            ssh: self.ssh.clone(),
            unproven: self.unproven.clone(),
            environment: None,
        }
    }
}

/// This run of the program, the same for as long as it lasts. Errors: no random bytes; a run without an id of its own could be
/// taken for another.
pub fn instance() -> Result<Instance, Fault> {
    static INSTANCE: OnceLock<Instance> = OnceLock::new();
    if let Some(instance) = INSTANCE.get() {
        return Ok(instance.clone());
    }
    let mut id = [0u8; 16];
    SystemEntropy.fill(&mut id)?;
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let made = Instance {
        id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        boot: sanitize(read("/proc/sys/kernel/random/boot_id").trim()),
        namespace: namespaces().unwrap_or_default(),
        started: own_proc().and_then(|()| started("self")).unwrap_or_default(),
    };
    Ok(INSTANCE.get_or_init(|| made).clone())
}

/// The namespaces in which process ids and their starts are counted, as `/proc/self/ns` names them (namespaces(7)).
fn namespaces() -> Option<String> {
    let link = |name: &str| Some(std::fs::read_link(format!("/proc/self/ns/{name}")).ok()?.to_str()?.to_owned());
    // Kernels before 5.6 have no time namespaces.
    Some([link("pid")?, link("time").unwrap_or_default()].join(" "))
}

/// Whether `/proc` shows our own pid namespace: after `unshare --pid` without a mount of its own it still shows the outer one,
/// where our numbers mean other processes.
fn own_proc() -> Option<()> {
    let shown = std::fs::read_link("/proc/self").ok()?;
    (shown.to_str()? == std::process::id().to_string()).then_some(())
}

/// When a process was started, clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)).
fn started(pid: &str) -> Option<u64> {
    stat(pid)?.get(19)?.parse().ok()
}

/// The fields of /proc/PID/stat from the third on.
fn stat(pid: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything.
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Whether a process has ended, though its parent has not asked how: its number is there, and it does nothing any more.
fn has_ended(pid: &str) -> bool {
    stat(pid).is_some_and(|fields| matches!(fields.first().map(String::as_str), Some("Z" | "X")))
}

/// Whether the process that ran as this instance still runs (or is stopped). Only one of our own kernel and pid namespace can
/// be judged; of all others nothing is known here.
pub fn runs_here(instance: &Instance, pid: u32, me: &Instance) -> Option<bool> {
    let is_known = !instance.boot.is_empty() && !instance.namespace.is_empty();
    if !is_known || instance.boot != me.boot || instance.namespace != me.namespace || instance.id == me.id {
        return None;
    }
    let id = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    if rustix::process::test_kill_process(id) == Err(rustix::io::Errno::SRCH) {
        return Some(false);
    }
    let pid = pid.to_string();
    if own_proc().is_some() && has_ended(&pid) {
        return Some(false);
    }
    // Its number may belong to somebody else by now.
    let now = own_proc().and_then(|()| started(&pid));
    Some(instance.started == 0 || now.is_none_or(|now| now == instance.started))
}

/// What the system says of us, apart from the environment.
struct Facts<'a> {
    uid: u32,
    login: proof::Login,
    passwd: &'a str,
    host: &'a str,
    pid: u32,
    /// What the file named by `SSH_USER_AUTH` holds.
    ssh_auth: &'a str,
}

/// Finds out who runs this program. `env` looks up an environment variable.
///
/// Names come from /etc/passwd by uid, since `USER` can be set to anything; where a uid is not in that file (a directory
/// service) `USER` and `LOGNAME` are shown, and the uid itself is the person.
pub fn identity(env: &dyn Fn(&str) -> Option<String>) -> Identity {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let ssh_auth = env("SSH_USER_AUTH").map(|path| read(&path)).unwrap_or_default();
    let facts = Facts {
        uid: rustix::process::getuid().as_raw(),
        login: proof::login(),
        passwd: &read("/etc/passwd"),
        host: &host,
        pid: std::process::id(),
        ssh_auth: &ssh_auth,
    };
    describe(&facts, env)
}

fn describe(facts: &Facts<'_>, env: &dyn Fn(&str) -> Option<String>) -> Identity {
    let given = |name: &str| env(name).map(|text| sanitize(&text)).filter(|text| !text.is_empty());
    let number = |uid: u32| format!("uid {uid}");
    let own = name_of(facts.uid, facts.passwd)
        .or_else(|| given("USER"))
        .or_else(|| given("LOGNAME"))
        .unwrap_or_else(|| number(facts.uid));
    let login = facts.login.uid.map(|uid| name_of(uid, facts.passwd).unwrap_or_else(|| number(uid)));
    let user = match (&login, given("SUDO_USER")) {
        (Some(login), _) if *login != own => format!("{login} as {own}"),
        (None, Some(caller)) if caller != own => format!("{caller} via sudo as {own}"),
        _ => own,
    };
    let person = login.unwrap_or_else(|| name_of(facts.uid, facts.passwd).unwrap_or_else(|| number(facts.uid)));
    // SSH_CONNECTION is "client-address client-port server-address server-port" (ssh(1)).
    let from = given("SSH_CONNECTION").and_then(|text| text.split(' ').next().map(String::from));
    let ssh = from.as_ref().map(|from| match fingerprint(facts.ssh_auth) {
        Some(key) => format!("{from} {key}"),
        None => from.clone(),
    });
    let host = Some(sanitize(facts.host)).filter(|host| !host.is_empty()).unwrap_or_else(|| "unknown".into());
    Identity { user, person, host, pid: facts.pid, ssh, from, unproven: facts.login.unproven.clone() }
}

/// The fingerprint of the key that sshd accepted, as `ssh-keygen -l` prints it. The file's lines are
/// `publickey ssh-ed25519 AAAA…` (sshd_config(5), ExposeAuthInfo).
fn fingerprint(auth: &str) -> Option<String> {
    let mut words = auth.lines().find_map(|line| line.strip_prefix("publickey "))?.split(' ');
    let blob = base64ct::Base64::decode_vec(words.nth(1)?).ok()?;
    Some(format!("SHA256:{}", base64ct::Base64Unpadded::encode_string(&Sha256::digest(&blob))))
}

fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| sanitize(name)).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken\nada:x:1000:1000::/home/ada:/bin/sh\n";

    fn of(uid: u32, login: Option<u32>, variables: &[(&str, &str)]) -> Identity {
        let env = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let login = proof::Login { uid: login, unproven: None };
        let ssh_auth = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8pOPs2pRmMPSqYGzYwLXGJ4Rl5WvPzUcFVpO8Qb7mH\n";
        describe(&Facts { uid, login, passwd: PASSWD, host: "bastion\x1b[2J", pid: 7, ssh_auth }, &env)
    }

    #[test]
    fn a_process_that_was_killed_runs_no_more_though_nobody_has_asked_how_it_ended() {
        let me = instance().unwrap();
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        let started = started(&pid.to_string()).unwrap();
        let other = Instance { id: "another".into(), started, ..me.clone() };
        assert_eq!(runs_here(&other, pid, &me), Some(true));
        child.kill().unwrap();
        while !has_ended(&pid.to_string()) {
            std::thread::yield_now();
        }
        assert_eq!(runs_here(&other, pid, &me), Some(false));
        child.wait().unwrap();
    }

    #[test]
    fn the_password_file_wins_over_the_environment_and_sudo_is_told() {
        assert_eq!(of(1000, None, &[("USER", "mallory")]).user, "ada");
        assert_eq!(of(0, None, &[("SUDO_USER", "ada")]).user, "ada via sudo as root");
        assert_eq!(of(4711, None, &[("USER", "eve")]).user, "eve");
        assert_eq!(of(4711, None, &[]).user, "uid 4711");
    }

    #[test]
    fn the_person_is_who_logged_in_and_no_variable_changes_that() {
        let forged = [("SUDO_USER", "bob"), ("USER", "bob"), ("LOGNAME", "bob")];
        assert_eq!(of(0, Some(1000), &forged).person, "ada");
        assert_eq!(of(0, Some(1000), &forged).user, "ada as root");
        assert_eq!(of(0, None, &forged).person, "root");
        assert_eq!(of(4711, None, &forged).person, "uid 4711");
    }

    #[test]
    fn what_is_found_is_sanitized_and_the_ssh_key_is_named() {
        let found = of(1000, None, &[("SSH_CONNECTION", "203.0.113.7 51000 10.0.0.1 22")]);
        assert_eq!(found.host, "bastion [2J");
        assert_eq!(found.from.as_deref(), Some("203.0.113.7"));
        assert!(found.ssh.unwrap().starts_with("203.0.113.7 SHA256:"));
        assert_eq!(of(1000, None, &[]).ssh, None);
    }

    #[test]
    fn a_run_of_the_program_has_an_id_and_knows_where_its_process_counts() {
        let me = instance().unwrap();
        assert_eq!(me, instance().unwrap(), "for as long as it lasts");
        assert_eq!(me.id.len(), 32);
        assert!(me.namespace.starts_with("pid:[") && me.boot.len() == 36 && me.started > 0, "{me:?}");
    }

    #[test]
    fn only_a_process_of_our_own_kernel_and_namespace_is_judged() {
        let me = instance().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (pid, id) = (child.id(), "another".to_owned());
        child.wait().unwrap();
        let dead = Instance { id, started: 1, ..me.clone() };
        assert_eq!(runs_here(&dead, pid, &me), Some(false));
        for elsewhere in [
            Instance { boot: "another".into(), ..dead.clone() },
            Instance { boot: String::new(), ..dead.clone() },
            Instance { namespace: "pid:[1] time:[1]".into(), ..dead.clone() },
            Instance { namespace: String::new(), ..dead.clone() },
            Instance::default(),
        ] {
            assert_eq!(runs_here(&elsewhere, pid, &me), None, "{elsewhere:?}");
        }
        let beside = Instance { id: "another".into(), ..me.clone() };
        assert_eq!(runs_here(&beside, std::process::id(), &me), Some(true));
        let later = "its number belongs to a process that was started later";
        assert_eq!(runs_here(&dead, std::process::id(), &me), Some(false), "{later}");
    }

    #[test]
    fn the_generator_fills_the_buffer() {
        let mut buffer = [0u8; 32];
        SystemEntropy.fill(&mut buffer).unwrap();
        assert_ne!(buffer, [0u8; 32]);
    }
}
