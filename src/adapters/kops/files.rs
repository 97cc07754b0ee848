//! The kubeconfigs that `kops` writes: nobody but their owner may read them, and nothing of them is kept here but where they lie, their
//! digest, and the authority's certificates, which are public.

use super::run::Reach;
use crate::domain::fault::{Fault, FaultKind, Service};
use crate::engine::ports::kops::Exported;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of a cluster's files, here and where `kops` runs.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// Here.
    pub(super) here: PathBuf,
    /// There; the same where `kops` runs here.
    pub(super) there: String,
}

/// Prints the mode of a file, and the file.
const READ: &str = "stat -c %a \"$1\" && cat \"$1\"";

fn fault(what: &str) -> Fault {
    Fault::new(Service::Kops, FaultKind::Invalid, what)
}

impl Files {
    /// Where a kubeconfig of this tag lies.
    pub(super) fn kubeconfig(&self, tag: &str) -> String {
        format!("{}/kubeconfig-{tag}", self.there)
    }

    /// The file that says which command changes something at the moment.
    pub(super) fn mark(&self) -> String {
        format!("{}/running", self.there)
    }

    /// The words that make the folder there, and take away what lies under a tag.
    pub(super) fn clear(&self, tag: &str) -> Vec<String> {
        let script = "umask 077; mkdir -p \"$1\" && chmod 700 \"$1\" && rm -f \"$2\" \"$2.lock\"";
        let path = self.kubeconfig(tag);
        ["sh", "-c", script, "changeguard", &self.there, &path].map(str::to_owned).into()
    }

    /// The words that put what lies under one tag under another, at once.
    pub(super) fn rename(&self, from: &str, to: &str) -> Vec<String> {
        let (from, to) = (self.kubeconfig(from), self.kubeconfig(to));
        ["sh", "-c", "chmod 600 \"$1\" && mv -f \"$1\" \"$2\"", "changeguard", &from, &to].map(str::to_owned).into()
    }

    /// Reads a kubeconfig that was exported.
    pub(super) async fn read(&self, reach: &Reach, tag: &str, limit: Duration) -> Result<Exported, Fault> {
        let path = self.kubeconfig(tag);
        let words = ["sh", "-c", READ, "changeguard", &path].map(str::to_owned);
        let doing = "read the exported kubeconfig";
        let ended = reach
            .run(&[], &words, limit, None)
            .await
            .map_err(|failure| super::refusal::failure(doing, failure, limit, super::refusal::Effect::Reads))?;
        if ended.code != Some(0) {
            return Err(super::refusal::judge(doing, &ended, reach.is_far(), super::refusal::Effect::Reads));
        }
        let at = ended.out.iter().position(|byte| *byte == b'\n').ok_or_else(|| fault("the kubeconfig is empty"))?;
        let (mode, content) = (String::from_utf8_lossy(&ended.out[..at]).into_owned(), &ended.out[at + 1..]);
        let mode = u32::from_str_radix(mode.trim(), 8).map_err(|_| fault("the kubeconfig's mode can't be read"))?;
        if mode & 0o077 != 0 {
            let text = format!("{path} can be read by others (mode {mode:o})");
            return Err(fault(&text).hint(format!("whoever could read it has what it holds; then `chmod 600 {path}`")));
        }
        let authority = authority(content)?;
        let (mut authority_path, mut digest_of, mut certificates) = (String::new(), String::new(), 0);
        if let Some(pem) = authority {
            certificates = String::from_utf8_lossy(&pem).matches("-----BEGIN CERTIFICATE-----").count();
            digest_of = digest(&pem);
            authority_path = self.keep(tag, &pem)?;
        }
        Ok(Exported { path, digest: digest(content), certificates, authority: digest_of, authority_path })
    }

    /// Certificates that were kept, if they are still those.
    pub(super) fn kept(&self, path: &str, wanted: &str) -> Result<Vec<u8>, Fault> {
        let path = Path::new(path);
        let is_ours = path.parent() == Some(self.here.as_path());
        let is_named =
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("authority-"));
        if !is_ours || !is_named {
            return Err(fault(&format!("{} is no file of certificates that was exported here", path.display())));
        }
        let pem = std::fs::read(path).map_err(|error| {
            let text = format!("the certificates at {} can't be read: {error}", path.display());
            Fault::new(Service::Host, FaultKind::NotFound, text)
                .hint("nothing was sent; export them again, or put the file back")
        })?;
        if digest(&pem) != wanted || !is_certificates(&pem) {
            let text = format!("what lies at {} is not the certificates that were exported", path.display());
            return Err(Fault::new(Service::Host, FaultKind::Conflict, text)
                .hint("nothing was sent; see who has changed it, and put the file back"));
        }
        Ok(pem)
    }

    /// Keeps the authority's certificates as a file here: they are handed on, and back.
    fn keep(&self, tag: &str, pem: &[u8]) -> Result<String, Fault> {
        let path = self.here.join(format!("authority-{tag}.pem"));
        let failed = |error: std::io::Error| {
            let text = format!("{} could not be written: {error}", path.display());
            Fault::new(Service::Host, FaultKind::Invalid, text).hint("make room, or correct the folder's owner")
        };
        make(&self.here).map_err(failed)?;
        let beside = path.with_extension("new");
        let _ = std::fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(failed)?;
        file.write_all(pem).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&beside, &path).map_err(failed)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// Whether it is certificates as PEM, and nothing that must not be handed on.
fn is_certificates(pem: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(pem) else { return false };
    let mut begins = text.lines().filter(|line| line.starts_with("-----BEGIN")).peekable();
    begins.peek().is_some() && begins.all(|line| line.trim_end() == "-----BEGIN CERTIFICATE-----")
}

fn make(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The decoded `certificate-authority-data`; none where there is none. Errors: it can't be decoded.
fn authority(kubeconfig: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    const FIELD: &str = "certificate-authority-data:";
    let lines = kubeconfig.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let data = lines.map(|line| line.trim_start().trim_start_matches("- ")).find_map(|line| line.strip_prefix(FIELD));
    let Some(data) = data.map(|data| data.trim().trim_matches(['"', '\''])).filter(|data| !data.is_empty()) else {
        return Ok(None);
    };
    let bytes =
        Base64::decode_vec(data).map_err(|_| fault("the kubeconfig's certificate-authority-data can't be read"))?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_read_wherever_it_stands_and_nothing_else_is() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        let data = Base64::encode_string(pem.as_bytes());
        let text = format!(
            "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {data}\n    server: https://x\nusers: []\n"
        );
        assert_eq!(authority(text.as_bytes()).unwrap().unwrap(), pem.as_bytes());
        assert_eq!(authority(b"clusters: []\n").unwrap(), None);
        assert!(authority(b"    certificate-authority-data: %%\n").is_err());
    }
}
