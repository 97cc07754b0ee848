//! Where a password comes from, read anew for each connection so that a changed one is picked up.
//!
//! What it is used for is the business of the room that asks.

use super::child;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::secret::SecretBytes;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// The most that is read, bytes.
const LONGEST: usize = 4096;

/// Where the password comes from.
#[derive(Debug)]
pub enum PasswordSource {
    /// There is none.
    None,
    /// A file that only we can read; its first line.
    File(PathBuf),
    /// An argv; the first line that it prints.
    Command(Vec<String>),
    /// Given already.
    Given(SecretBytes),
}

impl PasswordSource {
    /// The password; `section` is where the configuration names it. Errors: the file is open to others, the command fails
    /// or takes longer than `limit`, or it is empty.
    pub(super) async fn read(&self, section: &'static str, limit: Duration) -> Result<SecretBytes, Fault> {
        let refused = |message: String| refused(section, message);
        let bytes = match self {
            PasswordSource::None => Zeroizing::new(Vec::new()),
            PasswordSource::Given(password) => return Ok(password.duplicate()),
            PasswordSource::File(path) => file(section, path)?,
            PasswordSource::Command(argv) => match tokio::time::timeout(limit, command(section, argv)).await {
                Ok(bytes) => bytes?,
                Err(_) => return Err(refused(format!("{section}.password_command took too long"))),
            },
        };
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err(refused(format!("the password of {section} is empty")));
        }
        if std::str::from_utf8(line).is_err() {
            return Err(refused(format!("the password of {section} is not UTF-8 text")));
        }
        Ok(SecretBytes::new(line.to_vec()))
    }
}

fn file(section: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let shown = path.display();
    let refused = |message: String| refused(section, message);
    let failed = |error: std::io::Error| refused(format!("{section}.password_file {shown} can't be read: {error}"));
    let file = std::fs::File::open(path).map_err(failed)?;
    // Of the opened file, not of the name: nothing can be put in between.
    let mode = file.metadata().map_err(failed)?.mode();
    if mode & 0o077 != 0 {
        return Err(refused(format!("{section}.password_file {shown} is open to others"))
            .hint(format!("run: chmod 600 {shown}")));
    }
    // All the room at once: a growing buffer would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    file.take(LONGEST as u64).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

async fn command(section: &str, argv: &[String]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let refused = |message: String| refused(section, message);
    let (program, arguments) =
        argv.split_first().ok_or_else(|| refused(format!("{section}.password_command is empty")))?;
    let mut child = child::command(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| refused(format!("{section}.password_command: {program} could not be started: {error}")))?;
    let mut bytes = Zeroizing::new(vec![0u8; LONGEST]);
    let mut length = 0;
    if let Some(mut output) = child.stdout.take() {
        while length < LONGEST {
            match output.read(&mut bytes[length..]).await {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) => return Err(refused(format!("{section}.password_command: {error}"))),
            }
        }
    }
    let status = child.wait().await.map_err(|error| refused(format!("{section}.password_command: {error}")))?;
    if !status.success() {
        return Err(refused(format!("{section}.password_command ended with {status}"))
            .hint("try it by hand; it can't ask for anything here"));
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn refused(section: &str, message: String) -> Fault {
    let service = match section {
        "state" => Service::Journal,
        "alerts" => Service::Alerts,
        "keystone.auth" => Service::Keystone,
        _ => Service::Mail,
    };
    Fault::new(service, FaultKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const LIMIT: Duration = Duration::from_secs(20);

    fn sh(script: &str) -> PasswordSource {
        PasswordSource::Command(["sh", "-c", script].map(String::from).to_vec())
    }

    #[tokio::test]
    async fn the_first_line_of_file_or_output_is_the_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "pä ss\r\nnote\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let source = PasswordSource::File(path.clone());
        assert_eq!(source.read("smtp", LIMIT).await.unwrap().expose_text(), "pä ss");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(source.read("smtp", LIMIT).await.unwrap_err().advice().starts_with("run: chmod 600"));
        assert_eq!(sh("echo one; echo two").read("smtp", LIMIT).await.unwrap().expose_text(), "one");
    }

    #[tokio::test]
    async fn a_command_that_fails_hangs_or_says_nothing_gives_no_password() {
        for script in ["exit 3", "true", "echo"] {
            assert!(sh(script).read("smtp", LIMIT).await.is_err(), "{script}");
        }
        let fault = sh("sleep 60").read("smtp", Duration::from_millis(50)).await.unwrap_err();
        assert!(fault.message.contains("too long"), "{fault}");
    }
}
