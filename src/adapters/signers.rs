//! The operators' keys: reads the list of signers where nobody else could have written it, and has `ssh-keygen` sign with
//! the operator's own key, as they are used to it (agent, security key, passphrase). The key itself never comes to us.
//!
//! What is signed, and what a signature is worth, is the engine's business.

use super::child;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::sanitize::sanitize;
use crate::domain::signature::{NAMESPACE, SignerKey};
use crate::domain::signers::Signers;
use crate::engine::ports::Signatures;
use crate::engine::signing::{Memo, Roster, Signing};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The largest list that is read, bytes.
const LARGEST: u64 = 1024 * 1024;
/// The most that is read of what ssh-keygen says, bytes.
const MOST: u64 = 16 * 1024;
/// The sticky bit: in such a folder nobody removes or renames what is somebody else's.
const STICKY: u32 = 0o1000;

/// Where list and key are.
#[derive(Clone, Debug)]
pub struct SignersParameters {
    /// The list, an `allowed_signers` file.
    pub list: PathBuf,
    /// The public half of the operator's key (or the private one's file, which ssh-keygen opens itself).
    pub key: PathBuf,
    /// The program that signs: `ssh-keygen`.
    pub program: String,
    /// How long one signature may take: somebody may have to touch a key, or type a passphrase.
    pub limit: Duration,
    /// ssh-keygen may ask on the terminal where the agent can't sign. Never where we draw on it.
    pub may_ask: bool,
}

/// Signs with OpenSSH.
#[derive(Debug)]
pub struct OpenSsh {
    parameters: SignersParameters,
    memo: Arc<Memo>,
}

impl OpenSsh {
    /// Nothing is read before it is asked for.
    pub fn new(parameters: SignersParameters) -> Self {
        Self { parameters, memo: Arc::default() }
    }

    /// The public half of the operator's key.
    fn own(&self) -> Option<SignerKey> {
        let path = match self.parameters.key.extension() {
            Some(end) if end == "pub" => self.parameters.key.clone(),
            _ => {
                let mut with = self.parameters.key.clone().into_os_string();
                with.push(".pub");
                with.into()
            }
        };
        SignerKey::parse(&std::fs::read_to_string(path).ok()?).ok()
    }

    /// One run of ssh-keygen. The text goes through a pipe.
    async fn run(&self, text: &str, by_agent: bool) -> Result<String, String> {
        let program = &self.parameters.program;
        let mut command = child::command(program);
        command.args(["-Y", "sign", "-q", "-n", NAMESPACE, "-f"]).arg(&self.parameters.key);
        if by_agent {
            // Only the agent: nothing is asked on a terminal.
            command.arg("-U");
        } else {
            // With us in the foreground: there a passphrase can be typed.
            command.process_group(rustix::process::getpgrp().as_raw_nonzero().get());
        }
        let asks = if by_agent { Stdio::piped() } else { Stdio::inherit() };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(asks)
            .spawn()
            .map_err(|error| format!("{program} could not be started: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            // A child that ended early says why itself.
            let _ = input.write_all(text.as_bytes()).await;
        }
        let (mut armored, mut said) = (String::new(), String::new());
        if let Some(output) = child.stdout.take() {
            output.take(MOST).read_to_string(&mut armored).await.map_err(|error| format!("{program}: {error}"))?;
        }
        if let Some(output) = child.stderr.take() {
            let _ = output.take(MOST).read_to_string(&mut said).await;
        }
        let status = child.wait().await.map_err(|error| format!("{program}: {error}"))?;
        if !status.success() || armored.is_empty() {
            let why = said.lines().map(sanitize).rfind(|line| !line.is_empty()).unwrap_or_else(|| status.to_string());
            return Err(format!("{program}: {why}"));
        }
        Ok(armored)
    }
}

#[async_trait]
impl Signatures for OpenSsh {
    fn signing(&self) -> Signing {
        match read_list(&self.parameters.list) {
            Ok(signers) => {
                let (signers, memo, own) = (Arc::new(signers), self.memo.clone(), self.own());
                Signing::Signers(Roster { signers, memo, own })
            }
            Err(why) => Signing::Untrusted(format!("{}: {why}", self.parameters.list.display())),
        }
    }

    async fn sign(&self, text: &str) -> Result<String, Fault> {
        let key = self.parameters.key.display();
        let signing = async {
            match self.run(text, true).await {
                Err(_) if self.parameters.may_ask => self.run(text, false).await,
                result => result,
            }
        };
        let result = match tokio::time::timeout(self.parameters.limit, signing).await {
            Ok(result) => result,
            Err(_) => Err(format!("no signature came within {} s", self.parameters.limit.as_secs())),
        };
        result.map_err(|why| {
            let hint = match self.parameters.may_ask {
                true => format!("nothing was changed; see approval.key, or add the key to your agent: ssh-add {key}"),
                false => format!("nothing was changed; add the key to your agent in another terminal: ssh-add {key}"),
            };
            Fault::new(Service::Signature, FaultKind::Refused, format!("sign with {key}: {why}")).hint(hint)
        })
    }
}

/// Reads a list that only root and we can have written. Errors say what is wrong with it.
pub fn read_list(path: &Path) -> Result<Signers, String> {
    let failed = |error: std::io::Error| format!("it can't be read: {error}");
    let real = std::fs::canonicalize(path).map_err(failed)?;
    // Both ways to it: the folders of a link's own place, and those of the file that it leads to.
    for folder in path.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        ours(&std::fs::metadata(folder).map_err(failed)?, folder)?;
    }
    let file = std::fs::File::open(&real).map_err(failed)?;
    // Of the opened file, not of the name: nothing can be put in between.
    let known = file.metadata().map_err(failed)?;
    ours(&known, path)?;
    if !known.is_file() {
        return Err("it is not a file".into());
    }
    if known.len() > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(failed)?;
    Signers::parse(&text, &TimeZone::system())
}

/// Only root and we can change it.
fn ours(known: &std::fs::Metadata, path: &Path) -> Result<(), String> {
    let shown = path.display();
    let me = rustix::process::geteuid().as_raw();
    if known.uid() != 0 && known.uid() != me {
        return Err(format!("{shown} belongs to uid {}, who could change it", known.uid()));
    }
    let is_safe_folder = known.is_dir() && known.mode() & STICKY != 0;
    if known.mode() & 0o022 != 0 && !is_safe_folder {
        let mode = known.mode() & 0o7777;
        return Err(format!("others can write {shown} (mode {mode:04o}); run: chmod go-w {shown}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signature::tests::line;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// `folder/inner/list` for us alone.
    fn list() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let path = inner.join("list");
        std::fs::write(&path, format!("ada {}\n", line(1))).unwrap();
        mode(&path, 0o644);
        mode(&inner, 0o755);
        (folder, path)
    }

    #[test]
    fn a_list_that_only_we_can_write_is_read_also_below_a_sticky_folder() {
        let (folder, path) = list();
        assert_eq!(read_list(&path).unwrap().people(jiff::Timestamp::UNIX_EPOCH), 1);
        mode(folder.path(), 0o1777);
        assert!(read_list(&path).is_ok());
    }

    #[test]
    fn a_list_that_others_can_write_counts_as_none_wherever_they_can() {
        let (folder, path) = list();
        let inner = path.parent().unwrap().to_owned();
        for (place, loose, tight) in [
            (&path, 0o664, 0o644),
            (&path, 0o646, 0o644),
            (&inner, 0o775, 0o755),
            (&inner, 0o757, 0o755),
            (&folder.path().to_owned(), 0o777, 0o700),
        ] {
            mode(place, loose);
            let refused = read_list(&path);
            assert!(refused.as_ref().is_err_and(|why| why.contains("others can write")), "{place:?}: {refused:?}");
            mode(place, tight);
            assert!(read_list(&path).is_ok());
        }
    }

    #[test]
    fn a_link_in_a_folder_that_others_can_write_leads_to_no_list() {
        let (folder, path) = list();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        symlink(&path, open.join("link")).unwrap();
        assert!(read_list(&open.join("link")).is_ok());
        mode(&open, 0o777);
        assert!(read_list(&open.join("link")).is_err());
    }

    #[test]
    fn a_list_that_is_not_there_or_no_list_counts_as_none() {
        let (folder, path) = list();
        assert!(read_list(&folder.path().join("none")).is_err());
        assert!(read_list(path.parent().unwrap()).is_err());
        std::fs::write(&path, "ada nonsense\n").unwrap();
        assert!(read_list(&path).unwrap_err().contains("line 1"));
    }
}
