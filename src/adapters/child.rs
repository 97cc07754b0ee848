//! The one door through which a child process is started: with the variables that it needs, and with nothing of ours.
//!
//! What is run, what is read of it and how long it may take is left to whoever starts it.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// The variables that a child gets as we have them. A list of what may pass and not of what may not: `OS_PASSWORD`,
/// `PGPASSWORD` and the like have no end. What a command needs besides, its argv can set: `["env", "NAME=value", ...]`.
const PASSED: [&str; 37] = [
    // Who and where.
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    // How it speaks.
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    // ssh: the agent, Kerberos, a security key's helper and its prompt.
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "SSH_SK_PROVIDER",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    // Keepers of passwords (pass, gpg, secret-tool) and what they trust.
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    // The way out, for commands that fetch an access token.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// A command with nothing on its input, in a process group of its own, that is killed when nobody waits for it any more.
/// A group of its own: a passphrase prompt on our terminal is stopped by the kernel instead of drawn into the screen.
pub fn command(program: &str) -> Command {
    // The only place that may make one; a test reads the source for others.
    let mut command = Command::new(program);
    // What may not pass is taken out by its name: where the environment is made anew, the standard library looks the program up
    // behind a fork, which copies the page tables of all of our memory, instead of spawning it.
    for (name, _) in std::env::vars_os().filter(|(name, value)| !passes(name, value)) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    command
}

fn passes(name: &OsStr, value: &OsStr) -> bool {
    name.to_str().is_some_and(|name| may_pass(name, &value.to_string_lossy()))
}

fn may_pass(name: &str, value: &str) -> bool {
    // A proxy's address may hold a password.
    let holds_login = name.to_ascii_uppercase().ends_with("_PROXY") && value.contains('@');
    (PASSED.contains(&name) || name.starts_with("LC_")) && !holds_login
}

/// So long the pipes of a child that has ended are read on: what it has started may hold them open.
const LINGER: Duration = Duration::from_millis(500);

/// Waits for the end of a child and of what is written to it and read of it. `broken`: what a child that is lost is told as.
pub async fn ended<T, E>(
    child: &mut Child,
    talking: impl Future<Output = Result<T, E>>,
    broken: impl Fn(String) -> E,
) -> Result<ExitStatus, E> {
    let lost = |error: io::Error| broken(format!("the command was lost: {error}"));
    let mut talking = pin!(talking);
    tokio::select! {
        done = &mut talking => {
            done?;
            child.wait().await.map_err(lost)
        }
        status = child.wait() => {
            if let Ok(done) = tokio::time::timeout(LINGER, talking).await {
                done?;
            }
            status.map_err(lost)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_that_may_hold_a_secret_passes() {
        for name in [
            "OS_PASSWORD",
            "OS_TOKEN",
            "OS_APPLICATION_CREDENTIAL_SECRET",
            "OS_USERNAME",
            "PGPASSWORD",
            "PGPASSFILE",
            "VAULT_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "BW_SESSION",
            "LD_PRELOAD",
            "SMTP_PASSWORD",
            "home",
        ] {
            assert!(!may_pass(name, "x"), "{name}");
        }
        assert!(PASSED.iter().all(|name| !["PASSWORD", "TOKEN", "SECRET"].iter().any(|word| name.ends_with(word))));
        assert!(may_pass("SSH_AUTH_SOCK", "/run/agent") && may_pass("LC_ALL", "C.UTF-8"));
        assert!(may_pass("https_proxy", "http://proxy:3128") && !may_pass("https_proxy", "http://me:pass@proxy:3128"));
    }

    #[tokio::test]
    async fn a_child_sees_only_what_passes() {
        // Cargo sets CARGO_MANIFEST_DIR for tests, which stands here for everything that is not on the list.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        let output = command("env").output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert!(names.contains(&"PATH"), "{names:?}");
        assert!(names.iter().all(|name| may_pass(name, "")), "{names:?}");
    }
}
