//! The machine that we run on: its clock, its randomness, and who we are on it.
//!
//! What is done with them is the engine's business.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::engine::ports::{Clock, Entropy};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

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
    /// The user: the one who called sudo where there is one (`ada via sudo as root`), else the name of our uid.
    pub user: String,
    /// The host's name.
    pub host: String,
    /// Our process id.
    pub pid: u32,
    /// Where the ssh connection comes from, if there is one.
    pub from: Option<String>,
}

/// Finds out who runs this program. `env` looks up an environment variable.
///
/// The name comes from /etc/passwd by our uid, since `USER` can be set to anything; where the uid is not in that file
/// (a directory service) `USER` and `LOGNAME` are asked, and the uid itself is named last.
pub fn identity(env: &dyn Fn(&str) -> Option<String>) -> Identity {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let uid = rustix::process::getuid().as_raw();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    describe(uid, &passwd, &host, std::process::id(), env)
}

fn describe(uid: u32, passwd: &str, host: &str, pid: u32, env: &dyn Fn(&str) -> Option<String>) -> Identity {
    let given = |name: &str| env(name).map(|text| sanitize(&text)).filter(|text| !text.is_empty());
    let own = name_of(uid, passwd)
        .or_else(|| given("USER"))
        .or_else(|| given("LOGNAME"))
        .unwrap_or_else(|| format!("uid {uid}"));
    let user = match given("SUDO_USER") {
        Some(caller) if caller != own => format!("{caller} via sudo as {own}"),
        _ => own,
    };
    // SSH_CONNECTION is "client-address client-port server-address server-port" (ssh(1)).
    let from = given("SSH_CONNECTION").and_then(|text| text.split(' ').next().map(String::from));
    Identity {
        user,
        host: Some(sanitize(host)).filter(|host| !host.is_empty()).unwrap_or_else(|| "unknown".into()),
        pid,
        from,
    }
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

    fn of(uid: u32, variables: &[(&str, &str)]) -> Identity {
        let env = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        describe(uid, PASSWD, "bastion\x1b[2J", 7, &env)
    }

    #[test]
    fn the_password_file_wins_over_the_environment_and_sudo_is_told() {
        assert_eq!(of(1000, &[("USER", "mallory")]).user, "ada");
        assert_eq!(of(0, &[("SUDO_USER", "ada")]).user, "ada via sudo as root");
        assert_eq!(of(4711, &[("USER", "eve")]).user, "eve");
        assert_eq!(of(4711, &[]).user, "uid 4711");
    }

    #[test]
    fn what_is_found_is_sanitized() {
        let found = of(1000, &[("SSH_CONNECTION", "203.0.113.7 51000 10.0.0.1 22")]);
        assert_eq!(found.host, "bastion [2J");
        assert_eq!(found.from.as_deref(), Some("203.0.113.7"));
    }

    #[test]
    fn the_generator_fills_the_buffer() {
        let mut buffer = [0u8; 32];
        SystemEntropy.fill(&mut buffer).unwrap();
        assert_ne!(buffer, [0u8; 32]);
    }
}
